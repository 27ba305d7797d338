//! Who waited for whom, in one trace or summed up over several, as a table and as JSON.

use crate::analysis::knots::{Knot, knots, knots_of};
use crate::analysis::links::{Edge, Histogram, Links, Party, Sort};
use crate::analysis::waits::PlaceId;
use crate::base::{Duration, GroupId, text, time};
use crate::store::Index;
use crate::store::commit::is_system;
use crate::store::dict::short_func;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Whether an edge's waiter is one of the user's goroutines.
pub fn is_users(index: &Index, e: &Edge) -> bool {
    let name = index.group_name(e.key.waiter);
    !is_system(name) && !name.starts_with("runtime/")
}

/// A line of code by its names, so that those of several traces compare.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
struct Place {
    /// In full, as Go writes it; empty for none.
    full: String,
    /// File and line, short and safe to show.
    line: String,
}

/// What the waits of a row have in common, by its names: those of a trace's own functions are as the trace has them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    waiter: String,
    at: Place,
    reason: String,
    /// `goroutine`, `network` …, and for goroutines their start function.
    ended_by: &'static str,
    waker: String,
    waker_at: Place,
}

/// A wait by its place in a trace.
#[derive(Clone, Debug)]
struct Longest {
    /// What messages call the trace.
    trace: String,
    event: Option<u64>,
    g: Option<u64>,
    from_ns: i64,
    /// The same from the trace's start.
    offset: Duration,
}

#[derive(Clone, Debug)]
struct Row {
    users: bool,
    count: u64,
    open: u64,
    total: Duration,
    max: Duration,
    lengths: Histogram,
    longest: Longest,
}

impl Row {
    fn p99(&self) -> Duration {
        self.lengths.quantile(0.99).min(self.max)
    }

    fn add(&mut self, o: Row) {
        self.count += o.count;
        self.open += o.open;
        self.total += o.total;
        self.lengths.merge(&o.lengths);
        if o.max > self.max {
            (self.max, self.longest) = (o.max, o.longest);
        }
    }
}

/// A knot by the names of its groups.
struct Named {
    groups: Vec<String>,
    waits: u64,
    total: Duration,
    between: Vec<(String, String, u64, Duration)>,
}

fn named(knots: Vec<Knot>, name: &dyn Fn(GroupId) -> String) -> Vec<Named> {
    let one = |k: Knot| Named {
        groups: k.groups.iter().map(|&g| name(g)).collect(),
        waits: k.waits,
        total: k.total,
        between: k.between.iter().map(|&(a, b, n, d)| (name(a), name(b), n, d)).collect(),
    };
    knots.into_iter().map(one).collect()
}

/// The links of one trace or of several, in order, and their knots.
pub struct Table {
    rows: Vec<(Key, Row)>,
    knots: Vec<Named>,
    traces: usize,
}

impl Table {
    /// The links of a trace in their order. `trace` is what messages call it.
    pub fn new(links: &Links, index: &Index, trace: &str) -> Table {
        let place = |p: PlaceId| Place { full: links.places.full(index, p), line: links.places.line(index, p) };
        let row = |e: &Edge| {
            let (ended_by, waker) = match e.key.waker {
                Party::Group(g) => ("goroutine", index.group_name(g)),
                Party::Network => ("network", ""),
                Party::Timer => ("timer", ""),
                Party::Runtime => ("runtime", ""),
                Party::Nobody => ("nobody", ""),
            };
            let key = Key {
                waiter: index.group_name(e.key.waiter).to_owned(),
                at: place(e.key.at),
                reason: links.reason(e).name,
                ended_by,
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
            let Edge { count, open, total, max, .. } = *e;
            let row = Row { users: is_users(index, e), count, open, total, max, lengths: e.lengths.clone(), longest };
            (key, row)
        };
        let knots = named(knots(&links.edges), &|g| index.group_name(g).to_owned());
        Table { rows: links.edges.iter().map(row).collect(), knots, traces: 1 }
    }

    /// The links of several traces as those of one: what has the same names is the same.
    pub fn sum(tables: Vec<Table>, by: Sort) -> Table {
        let traces = tables.iter().map(|t| t.traces).sum();
        let mut sums: BTreeMap<Key, Row> = BTreeMap::new();
        for (key, row) in tables.into_iter().flat_map(|t| t.rows) {
            match sums.get_mut(&key) {
                Some(sum) => sum.add(row),
                None => drop(sums.insert(key, row)),
            }
        }
        let mut names: Vec<&str> = sums.keys().flat_map(|k| [k.waiter.as_str(), k.waker.as_str()]).collect();
        names.sort_unstable();
        names.dedup();
        let id = |name: &str| match names.binary_search(&name) {
            Ok(i) if !name.is_empty() => GroupId(i as u32),
            _ => GroupId::NONE,
        };
        let goroutines = sums.iter().filter(|(k, _)| k.ended_by == "goroutine");
        let knots = knots_of(goroutines.map(|(k, r)| (id(&k.waiter), id(&k.waker), r.count, r.total)));
        let knots = named(knots, &|g| names.get(g.0 as usize).map_or_else(String::new, |n| (*n).to_owned()));
        let mut rows: Vec<(Key, Row)> = sums.into_iter().collect();
        let value = |r: &Row| match by {
            Sort::Total => r.total.ns(),
            Sort::Count => r.count as i64,
            Sort::Max => r.max.ns(),
            Sort::P99 => r.p99().ns(),
            Sort::Mean => r.total.ns() / r.count.max(1) as i64,
        };
        // Stable: those alike stay in the order of their names.
        rows.sort_by_cached_key(|(_, r)| std::cmp::Reverse(value(r)));
        Table { rows, knots, traces }
    }

    /// Writes the first `limit` links, then the knots, then how to ask about the longest wait of the link that cost most, of
    /// those that goroutines ended again and again. Waits of the runtime's own goroutines are left out but for `all`.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn write(&self, all: bool, limit: usize, out: &mut dyn Write) -> io::Result<()> {
        let shown: Vec<_> = self.rows.iter().filter(|(_, r)| all || r.users).collect();
        let hidden = self.rows.len() - shown.len();
        if self.traces > 1 {
            writeln!(out, "{} traces\n", self.traces)?;
        }
        writeln!(
            out,
            "{:>8} {:>8} {:>8} {:>8}  waited for · who waited, where ← who ended it, where",
            "total", "waits", "p99", "max"
        )?;
        for (k, r) in shown.iter().take(limit) {
            let open = if r.open > 0 { format!(" · {} open", text::count(r.open)) } else { String::new() };
            writeln!(
                out,
                "{:>8} {:>8} {:>8} {:>8}  {} · {}{} ← {}{}{open}",
                r.total.to_string(),
                text::count(r.count),
                r.p99().to_string(),
                r.max.to_string(),
                text::escape(&k.reason),
                short(&k.waiter),
                spaced(&k.at.line),
                ended_by(k),
                spaced(&k.waker_at.line),
            )?;
        }
        if shown.len() > limit {
            let rest: Duration = shown[limit..].iter().map(|(_, r)| r.total).sum();
            let more = shown.len() - limit;
            writeln!(out, "{:>8} {:>8} {:>8} {:>8}  {more} more (--limit)", rest.to_string(), "", "", "")?;
        }
        if hidden > 0 {
            writeln!(out, "{:>35}  {hidden} of the runtime's own goroutines not shown (--all)", "")?;
        }
        for k in &self.knots {
            let names: Vec<String> = k.groups.iter().map(|g| short(g)).collect();
            writeln!(
                out,
                "\nknot: {} keep waiting for each other, {} times, {} in all; they bound each other's throughput",
                names.join(", "),
                text::count(k.waits),
                k.total
            )?;
            for (a, b, n, d) in k.between.iter().take(6) {
                writeln!(out, "{:>8} {:>8}  {} ← {}", d.to_string(), text::count(*n), short(a), short(b))?;
            }
        }
        self.hint(out)
    }

    fn hint(&self, out: &mut dyn Write) -> io::Result<()> {
        let by_goroutines = |(k, r): &&(Key, Row)| r.users && k.ended_by == "goroutine";
        let Some((_, r)) = self.rows.iter().filter(by_goroutines).max_by_key(|(_, r)| (r.count > 1, r.total)) else {
            return Ok(());
        };
        let Longest { trace, g: Some(g), offset, .. } = &r.longest else { return Ok(()) };
        let at = |t| time::offset(t, Duration(1000));
        // A name that a shell would not leave as it is has to be written by the user.
        let plain = trace.chars().all(|c| c.is_ascii_alphanumeric() || "._-/+".contains(c)) && !trace.starts_with('-');
        let file = if plain && !trace.is_empty() { trace.as_str() } else { "FILE" };
        let (from, to) = (at(*offset), at(*offset + r.max));
        writeln!(out, "\nlongest of these: gotrail why {file} -g {g} --from {from} --to {to}")
    }

    /// The links and knots as JSON; all times in ns. In a sum of several traces the longest wait says which it is in.
    pub fn json(&self) -> Value {
        let links: Vec<Value> = self
            .rows
            .iter()
            .map(|(k, r)| {
                let mut o = json!({
                    "waiting": k.waiter,
                    "waiter_at": k.at.full,
                    "reason": k.reason,
                    "ended_by": k.ended_by,
                    "waker": k.waker,
                    "waker_at": k.waker_at.full,
                    "count": r.count,
                    "open": r.open,
                    "total_ns": r.total.ns(),
                    "p99_ns": r.p99().ns(),
                    "max_ns": r.max.ns(),
                    "longest_event": r.longest.event,
                    "longest_g": r.longest.g,
                    "longest_from_ns": r.longest.from_ns,
                });
                if self.traces > 1 {
                    o["longest_in"] = json!(r.longest.trace);
                }
                o
            })
            .collect();
        let between = |b: &(String, String, u64, Duration)| json!({"waiting": b.0, "waker": b.1, "count": b.2, "total_ns": b.3.ns()});
        let knots: Vec<Value> = self
            .knots
            .iter()
            .map(|k| {
                let waits: Vec<Value> = k.between.iter().map(between).collect();
                json!({"groups": k.groups, "count": k.waits, "total_ns": k.total.ns(), "between": waits})
            })
            .collect();
        json!({"links": links, "knots": knots})
    }
}

/// A group's name, short and safe to show.
fn short(name: &str) -> String {
    if name.is_empty() { "(not known)".into() } else { text::escape(short_func(name)).into_owned() }
}

/// Who ended the waits of a row, short and safe to show.
fn ended_by(k: &Key) -> String {
    match k.ended_by {
        "goroutine" => short(&k.waker),
        "network" => "the network".into(),
        "timer" => "a timer".into(),
        "runtime" => "the runtime".into(),
        _ => "nobody, to the end of the trace".into(),
    }
}

fn spaced(s: &str) -> String {
    if s.is_empty() { String::new() } else { format!(" {s}") }
}
