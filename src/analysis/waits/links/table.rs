//! Links by their names, so that those of several traces can be added up.

use super::{Edge, EndedBy, Histogram, Links, Party, Sort};
use crate::analysis::waits::knots::{Between, Knot, exchange, knots_of, ties};
use crate::analysis::waits::roles::Roles;
use crate::analysis::waits::standing::{Standing, standings};
use crate::base::Duration;
use crate::base::EventNo;
use crate::model::Index;
use crate::model::beside::LOCK_ORDER;
use crate::model::places::PlaceId;
use std::collections::BTreeMap;

/// Whether an edge's waiter is none of the runtime's own goroutines.
pub fn is_users(index: &Index, e: &Edge) -> bool {
    !index.owner(e.key.waiter).is_hidden()
}

/// A line of code by its names, so that those of several traces compare.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Place {
    /// The function, the file and the line, as the trace has them; nothing for none.
    pub code: Option<(String, String, u32)>,
    /// File and line, short and safe to show.
    pub line: String,
}

/// What the waits of a row have in common, by its names: those of a trace's own functions are as the trace has them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Named {
    /// The start function of who waited.
    pub waiter: String,
    /// The line in which they did.
    pub at: Place,
    /// What for.
    pub reason: String,
    /// Who ended the waits.
    pub ended_by: EndedBy,
    /// The start function of a goroutine that did.
    pub waker: String,
    /// The line in which it did.
    pub waker_at: Place,
}

/// A wait by its place in a trace.
#[derive(Clone, Debug)]
pub struct Longest {
    /// What messages call the trace.
    pub trace: String,
    /// The event that began it.
    pub event: Option<EventNo>,
    /// The goroutine's number.
    pub g: Option<u64>,
    /// When it began, or the window did if that was later, in ns of the trace's clock.
    pub from_ns: i64,
    /// The same from the trace's start.
    pub offset: Duration,
}

/// The waits of a row.
#[derive(Clone, Debug)]
pub struct Row {
    /// If they may be part of a knot, the roles of who waited and who ended the waits.
    pub roles: Option<(String, String)>,
    /// Whether they are an exchange of two goroutines ([`exchange`]).
    pub exchange: bool,
    /// Whether goroutines waited that are not the runtime's own.
    pub users: bool,
    /// Whether they hold work up, or wait for work to come.
    pub standing: Standing,
    /// How many waits.
    pub count: u64,
    /// Those of them that were going on when a trace began or ended.
    pub open: u64,
    /// Those of them that had not ended when a trace did.
    pub unfinished: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    lengths: Histogram,
    /// Where the longest is.
    pub longest: Longest,
}

impl Row {
    /// 99 in 100 were no longer.
    pub fn p99(&self) -> Duration {
        self.lengths.quantile(0.99).min(self.max)
    }

    fn add(&mut self, o: Row) {
        self.exchange &= o.exchange;
        self.count += o.count;
        self.open += o.open;
        self.unfinished += o.unfinished;
        self.total += o.total;
        self.lengths.merge(&o.lengths);
        if o.max > self.max {
            (self.max, self.longest) = (o.max, o.longest);
        }
    }
}

/// A knot by the names of its roles and lines.
pub type NamedKnot = Knot<String, Place>;

/// The links of one trace or of several, in order, and their knots.
pub struct Table {
    /// The links.
    pub rows: Vec<(Named, Row)>,
    /// The knots.
    pub knots: Vec<NamedKnot>,
    /// What dumps beside the traces say of locks that are likely taken in different orders, safe to show.
    pub orders: Vec<String>,
    /// How many traces.
    pub traces: usize,
}

/// The knots of some rows, by their names.
fn named_knots(rows: &[(Named, Row)]) -> Vec<NamedKnot> {
    let between = rows.iter().filter_map(|(k, r)| {
        let (waiter, waker) = r.roles.clone()?;
        Some(Between {
            waiter: (waiter, k.at.clone()),
            waker: (waker, k.waker_at.clone()),
            count: r.count,
            total: r.total,
            exchange: r.exchange,
        })
    });
    knots_of(between.collect())
}

impl Table {
    /// The links of a trace in their order. `trace` is what messages call it.
    pub fn new(links: &Links, index: &Index, trace: &str) -> Table {
        let roles = Roles::new(index, &links.places);
        let place = |p: PlaceId| {
            let code = |(f, n)| (index.dict.func_name(f).to_owned(), index.dict.func_file(f).to_owned(), n);
            Place { code: links.places.get(p).map(code), line: links.places.line(index, p) }
        };
        let row = |(e, standing): (&Edge, Standing)| {
            let waker = if let Party::Group(g) = e.key.waker { index.group_name(g) } else { "" };
            let key = Named {
                waiter: index.group_name(e.key.waiter).to_owned(),
                at: place(e.key.at),
                reason: links.reason(e).name,
                ended_by: e.key.waker.ended_by(),
                waker: waker.to_owned(),
                waker_at: place(e.key.waker_at),
            };
            let longest = Longest {
                trace: trace.to_owned(),
                event: e.longest,
                g: index.goroutine(e.longest_go).map(|g| g.id.0),
                from_ns: e.longest_from.0,
                offset: e.longest_from - index.start,
            };
            let Edge { count, open, unfinished, total, max, .. } = *e;
            let users = is_users(index, e);
            let lengths = e.lengths.clone();
            let roles = match e.key.waker {
                Party::Group(g) if ties(links.reasons.get(e.key.reason).class) => {
                    let [waiter, waker] = [(e.key.waiter, e.key.at), (g, e.key.waker_at)]
                        .map(|(group, at)| roles.of(index, group, at).name(index).to_owned());
                    Some((waiter, waker)).filter(|r| !r.0.is_empty() && !r.1.is_empty())
                }
                _ => None,
            };
            let exchange = match e.key.waker {
                Party::Group(g) => exchange(index, e.key.waiter, g, links.reasons.get(e.key.reason).class),
                _ => false,
            };
            let row = Row { users, roles, exchange, standing, count, open, unfinished, total, max, lengths, longest };
            (key, row)
        };
        let rows: Vec<(Named, Row)> = links.edges.iter().zip(standings(index, links)).map(row).collect();
        let knots = named_knots(&rows);
        let orders = index.beside.said_by(LOCK_ORDER).into_iter().map(str::to_owned).collect();
        Table { rows, knots, orders, traces: 1 }
    }

    /// The links of several traces as those of one: what has the same names is the same.
    pub fn sum(tables: Vec<Table>, by: Sort) -> Table {
        let traces = tables.iter().map(|t| t.traces).sum();
        let orders = tables.iter().flat_map(|t| t.orders.iter().cloned()).collect();
        let mut sums: BTreeMap<Named, Row> = BTreeMap::new();
        for (key, row) in tables.into_iter().flat_map(|t| t.rows) {
            match sums.get_mut(&key) {
                Some(sum) => sum.add(row),
                None => drop(sums.insert(key, row)),
            }
        }
        let mut rows: Vec<(Named, Row)> = sums.into_iter().collect();
        let knots = named_knots(&rows);
        let value = |r: &Row| by.value(r.count, r.total, r.max, r.p99());
        // Stable: those alike stay in the order of their names.
        rows.sort_by_cached_key(|(_, r)| std::cmp::Reverse(value(r)));
        Table { rows, knots, orders, traces }
    }
}
