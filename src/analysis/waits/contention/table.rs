//! Locks and channels by the names of their lines, so that those of several traces can be added up.

use super::{Contended, Contention, Meanwhile, Unsaid};
use crate::base::{Duration, Time};
use crate::model::Index;
use crate::model::places::PlaceId;
use std::collections::BTreeMap;

/// A line of code by its names, so that those of several traces compare.
#[derive(Clone, Default)]
pub struct Name {
    /// In full, as Go writes it.
    pub full: String,
    /// The function, the file and the line, as the trace has them; nothing for none.
    pub code: Option<(String, String, u32)>,
    /// File and line, short and safe to show.
    pub line: String,
    /// The function, short and safe to show.
    pub func: String,
}

/// Where the longest convoy and the longest wait of a class are.
#[derive(Clone)]
pub struct Origin {
    /// When the trace of the longest convoy begins.
    pub convoy_start: Time,
    /// What messages call that trace.
    pub convoy_in: String,
    /// And that of the longest wait.
    pub longest_in: String,
}

/// The locks and channels of one trace or of several, the most waited for first.
pub struct Table {
    /// The classes.
    pub classes: Vec<(Contended, Origin)>,
    /// What their lines are called.
    pub names: BTreeMap<PlaceId, Name>,
    /// How long was traced, of all of them together or of the parts that were looked at.
    pub length: Duration,
    /// Whether it was parts.
    pub narrowed: bool,
    /// How many they are.
    pub traces: usize,
    /// Waits that are in none of them.
    pub unsaid: Unsaid,
}

/// A class while traces are added up.
struct Sum {
    class: Contended,
    origin: Origin,
    /// Its mean depth in thousandths, times nanoseconds.
    area: i128,
}

impl Table {
    /// Those of a trace. `trace` is what messages call it.
    pub fn new(c: &Contention, index: &Index, trace: &str) -> Table {
        let origin = Origin { convoy_start: index.start, convoy_in: trace.into(), longest_in: trace.into() };
        let mut names = BTreeMap::new();
        for p in c.classes.iter().flat_map(named) {
            names.entry(p).or_insert_with(|| name(c, index, p));
        }
        let classes = c.classes.iter().map(|x| (x.clone(), origin.clone())).collect();
        Table { classes, names, length: c.length(), narrowed: c.narrowed, traces: 1, unsaid: c.unsaid }
    }

    /// Those of several traces as those of one: lines of the same name are the same, and classes that share one are one.
    pub fn sum(tables: Vec<Table>) -> Table {
        let length: Duration = tables.iter().map(|t| t.length).sum();
        let traces = tables.iter().map(|t| t.traces).sum();
        let narrowed = tables.iter().any(|t| t.narrowed);
        let mut unsaid = Unsaid::default();
        tables.iter().for_each(|t| unsaid.merge(t.unsaid));
        let mut all: Vec<(&str, &Name)> =
            tables.iter().flat_map(|t| &t.names).map(|n| (n.1.full.as_str(), n.1)).collect();
        // What has no name is no line that anything could share.
        all.retain(|n| !n.0.is_empty());
        all.sort_by_key(|n| n.0);
        all.dedup_by_key(|n| n.0);
        let id = |t: &Table, p: PlaceId| {
            let full = t.names.get(&p).map_or("", |n| n.full.as_str());
            all.binary_search_by_key(&full, |n| n.0).map_or(PlaceId::NONE, |i| PlaceId(i as u32))
        };
        let mut sums: Vec<Sum> = Vec::new();
        for t in &tables {
            for (x, origin) in &t.classes {
                let mut class = x.clone();
                class.waits_at.iter_mut().for_each(|w| w.0 = id(t, w.0));
                class.ended_at.iter_mut().for_each(|e| e.0 = id(t, e.0));
                class.blame.iter_mut().for_each(|b| b.at = id(t, b.at));
                class.while_held.iter_mut().for_each(|m| m.at = id(t, m.at));
                // It may be what joins classes that were apart so far.
                let mine: Vec<PlaceId> = places(&class).filter(|&p| p != PlaceId::NONE).collect();
                let area = i128::from(class.depth_mean_milli) * i128::from(t.length.ns());
                let (joined, apart): (Vec<Sum>, Vec<Sum>) = sums.into_iter().partition(|s| {
                    s.class.what == class.what && places(&s.class).any(|p| p != PlaceId::NONE && mine.contains(&p))
                });
                sums = apart;
                let sum = Sum { class, origin: origin.clone(), area };
                sums.push(joined.into_iter().fold(sum, |new, old| join(old, new)));
            }
        }
        let whole = i128::from(length.ns().max(1));
        let mut classes: Vec<(Contended, Origin)> = sums
            .into_iter()
            .map(|Sum { class: mut x, origin, area }| {
                if traces > 1 {
                    x.depth.clear();
                }
                x.depth_mean_milli = (area / whole).clamp(0, i128::from(u64::MAX)) as u64;
                x.waits_at.sort_by(|a, b| (b.2.total, a.0, &a.1).cmp(&(a.2.total, b.0, &b.1)));
                x.ended_at.sort_by_key(|e| (std::cmp::Reverse(e.1), e.0));
                x.blame.sort_by(|a, b| (b.delay, b.releases, a.at, &a.who).cmp(&(a.delay, a.releases, b.at, &b.who)));
                x.while_held
                    .sort_by(|a, b| (b.weight, a.state, a.at, &a.reason).cmp(&(a.weight, b.state, b.at, &b.reason)));
                (x, origin)
            })
            .collect();
        classes.sort_by_key(|(x, _)| x.rank());
        let names = (0u32..).map(PlaceId).zip(all.iter().map(|n| n.1.clone())).collect();
        Table { classes, names, length, narrowed, traces, unsaid }
    }
}

/// All places that have a name.
fn named(x: &Contended) -> impl Iterator<Item = PlaceId> + '_ {
    let others = x.blame.iter().map(|b| b.at).chain(x.while_held.iter().map(|m| m.at));
    places(x).chain(others)
}

/// The places that tell which lock or channel it is.
fn places(x: &Contended) -> impl Iterator<Item = PlaceId> + '_ {
    x.waits_at.iter().map(|w| w.0).chain(x.ended_at.iter().map(|e| e.0))
}

/// What a line is called.
pub fn name(c: &Contention, index: &Index, p: PlaceId) -> Name {
    let code = |(f, n)| (index.dict.func_name(f).to_owned(), index.dict.func_file(f).to_owned(), n);
    let code = c.places.get(p).map(code);
    Name { full: c.places.full(index, p), code, line: c.places.line(index, p), func: c.places.func(index, p) }
}

/// Two classes that are one.
fn join(mut a: Sum, b: Sum) -> Sum {
    let (x, Sum { class: y, origin, area }) = (&mut a.class, b);
    for (p, reason, t) in y.waits_at {
        match x.waits_at.iter_mut().find(|w| w.0 == p && w.1 == reason) {
            Some(w) => w.2.merge(t),
            None => x.waits_at.push((p, reason, t)),
        }
    }
    for (p, n) in y.ended_at {
        match x.ended_at.iter_mut().find(|e| e.0 == p) {
            Some(e) => e.1 += n,
            None => x.ended_at.push((p, n)),
        }
    }
    for b in y.blame {
        match x.blame.iter_mut().find(|o| o.at == b.at && o.how == b.how && o.who == b.who) {
            Some(o) => {
                o.delay += b.delay;
                o.held += b.held;
                o.releases += b.releases;
            }
            None => x.blame.push(b),
        }
    }
    for m in y.while_held {
        let same =
            |o: &&mut Meanwhile| (o.state, o.at, o.outside) == (m.state, m.at, m.outside) && o.reason == m.reason;
        match x.while_held.iter_mut().find(same) {
            Some(o) => o.weight += m.weight,
            None => x.while_held.push(m),
        }
    }
    x.unreleased += y.unreleased;
    x.held_max = x.held_max.max(y.held_max);
    x.several |= y.several;
    x.held_by_waiters |= y.held_by_waiters;
    if y.max > x.max {
        (x.max, x.longest, x.longest_wait) = (y.max, y.longest, y.longest_wait);
        a.origin.longest_in = origin.longest_in;
    }
    if (y.convoy.handoffs, y.convoy.peak) > (x.convoy.handoffs, x.convoy.peak) {
        x.convoy = y.convoy;
        (a.origin.convoy_start, a.origin.convoy_in) = (origin.convoy_start, origin.convoy_in);
    }
    x.waits += y.waits;
    x.open += y.open;
    x.unfinished += y.unfinished;
    x.total += y.total;
    x.depth_max = x.depth_max.max(y.depth_max);
    x.busy += y.busy;
    x.handoffs += y.handoffs;
    x.starved += y.starved;
    x.sending.merge(y.sending);
    x.receiving.merge(y.receiving);
    a.area += area;
    a
}
