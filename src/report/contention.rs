//! Locks and channels that goroutines queue for, in one trace or summed up over several, as text and as JSON.

use crate::analysis::contention::{Bottleneck, Contended, Contention, What};
use crate::analysis::waits::PlaceId;
use crate::base::{Duration, Time, text, time};
use crate::store::Index;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Lines shown of each class.
const LINES: usize = 4;

/// A line of code by its names, so that those of several traces compare.
#[derive(Clone, Default)]
struct Name {
    /// In full, as Go writes it.
    full: String,
    /// File and line, and function: short and safe to show.
    line: String,
    func: String,
}

/// Where the longest convoy and the longest wait of a class are.
#[derive(Clone)]
struct Origin {
    convoy_start: Time,
    convoy_in: String,
    longest_in: String,
}

/// The locks and channels of one trace or of several, the most waited for first.
pub struct Table {
    classes: Vec<(Contended, Origin)>,
    names: BTreeMap<PlaceId, Name>,
    /// How long the traces are together.
    length: Duration,
    traces: usize,
}

impl Table {
    /// Those of a trace. `trace` is what messages call it.
    pub fn new(c: &Contention, index: &Index, trace: &str) -> Table {
        let origin = Origin { convoy_start: index.start, convoy_in: trace.into(), longest_in: trace.into() };
        let mut names = BTreeMap::new();
        for p in c.classes.iter().flat_map(places) {
            names.entry(p).or_insert_with(|| name(c, index, p));
        }
        let classes = c.classes.iter().map(|x| (x.clone(), origin.clone())).collect();
        Table { classes, names, length: index.duration(), traces: 1 }
    }

    /// Those of several traces as those of one: lines of the same name are the same, and classes that share one are one.
    pub fn sum(tables: Vec<Table>) -> Table {
        let length: Duration = tables.iter().map(|t| t.length).sum();
        let traces = tables.iter().map(|t| t.traces).sum();
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
        let mut sums: Vec<(Contended, Origin, i128)> = Vec::new();
        for t in &tables {
            for (x, origin) in &t.classes {
                let mut x = x.clone();
                x.waits_at.iter_mut().for_each(|w| w.0 = id(t, w.0));
                x.ended_at.iter_mut().for_each(|e| e.0 = id(t, e.0));
                let mut sum = (x, origin.clone(), 0);
                sum.2 = i128::from(sum.0.depth_mean_milli) * i128::from(t.length.ns());
                // It may be what joins classes that were apart so far.
                let mine: Vec<PlaceId> = places(&sum.0).filter(|&p| p != PlaceId::NONE).collect();
                let (joined, apart) = sums.into_iter().partition(|s: &(Contended, _, _)| {
                    s.0.what == sum.0.what && places(&s.0).any(|p| p != PlaceId::NONE && mine.contains(&p))
                });
                sums = apart;
                let joined: Vec<(Contended, Origin, i128)> = joined;
                sums.push(joined.into_iter().fold(sum, |new, old| join(old, new)));
            }
        }
        let whole = i128::from(length.ns().max(1));
        let mut classes: Vec<(Contended, Origin)> = sums
            .into_iter()
            .map(|(mut x, origin, area)| {
                if traces > 1 {
                    x.depth.clear();
                }
                x.depth_mean_milli = (area / whole).clamp(0, i128::from(u64::MAX)) as u64;
                x.waits_at.sort_by(|a, b| (b.2.total, a.0, &a.1).cmp(&(a.2.total, b.0, &b.1)));
                x.ended_at.sort_by_key(|e| (std::cmp::Reverse(e.1), e.0));
                (x, origin)
            })
            .collect();
        classes.sort_by_key(|(x, _)| (std::cmp::Reverse(x.total), x.what, x.waits_at.first().map(|w| w.0)));
        let names = (0u32..).map(PlaceId).zip(all.iter().map(|n| n.1.clone())).collect();
        Table { classes, names, length, traces }
    }

    /// Writes the first `limit` locks and as many channels.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn write(&self, limit: usize, out: &mut dyn Write) -> io::Result<()> {
        if self.traces > 1 {
            writeln!(out, "{} traces\n", self.traces)?;
        }
        for (what, title) in [(What::Lock, "locks"), (What::Channel, "channels")] {
            let all: Vec<_> = self.classes.iter().filter(|x| x.0.what == what).collect();
            if what == What::Channel {
                writeln!(out)?;
            }
            if all.is_empty() {
                writeln!(out, "{title}: nobody had to wait for one")?;
                continue;
            }
            writeln!(
                out,
                "{:>8} {:>8} {:>8} {:>6} {:>6} {:>7}  {title}, by the lines that wait and those that let go",
                "total", "waits", "max", "deep", "mean", "of time"
            )?;
            for x in all.iter().take(limit) {
                self.one(x, out)?;
            }
            if all.len() > limit {
                writeln!(out, "{:>48}  {} more (--limit)", "", all.len() - limit)?;
            }
        }
        Ok(())
    }

    fn one(&self, (x, origin): &(Contended, Origin), out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{:>8} {:>8} {:>8} {:>6} {:>6} {:>7}  {}",
            x.total.to_string(),
            text::count(x.waits),
            x.max.to_string(),
            text::count(x.depth_max),
            milli(x.depth_mean_milli),
            super::why::percent(x.busy, self.length),
            kind(x)
        )?;
        let pad = " ".repeat(50);
        let convoy_in = (self.traces > 1).then_some(origin.convoy_in.as_str());
        let lines = say(x, &|p| self.names.get(&p).cloned().unwrap_or_default(), origin.convoy_start, convoy_in);
        lines.iter().try_for_each(|line| writeln!(out, "{pad}{line}"))
    }
}

fn places(x: &Contended) -> impl Iterator<Item = PlaceId> + '_ {
    x.waits_at.iter().map(|w| w.0).chain(x.ended_at.iter().map(|e| e.0))
}

fn name(c: &Contention, index: &Index, p: PlaceId) -> Name {
    Name { full: c.places.full(index, p), line: c.places.line(index, p), func: c.places.func(index, p) }
}

/// Two classes that are one; the third of each is its depth summed over time.
fn join(mut a: (Contended, Origin, i128), b: (Contended, Origin, i128)) -> (Contended, Origin, i128) {
    let (x, (y, origin, area)) = (&mut a.0, b);
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
    if y.max > x.max {
        (x.max, x.longest, x.longest_wait) = (y.max, y.longest, y.longest_wait);
        a.1.longest_in = origin.longest_in;
    }
    if (y.convoy.handoffs, y.convoy.peak) > (x.convoy.handoffs, x.convoy.peak) {
        x.convoy = y.convoy;
        (a.1.convoy_start, a.1.convoy_in) = (origin.convoy_start, origin.convoy_in);
    }
    x.waits += y.waits;
    x.open += y.open;
    x.total += y.total;
    x.depth_max = x.depth_max.max(y.depth_max);
    x.busy += y.busy;
    x.handoffs += y.handoffs;
    x.starved += y.starved;
    x.sending.merge(y.sending);
    x.receiving.merge(y.receiving);
    a.2 += area;
    a
}

/// What the waits of a class are for, safe to show.
pub fn kind(x: &Contended) -> String {
    let mut what: Vec<&str> = x.waits_at.iter().map(|w| w.1.as_str()).collect();
    what.sort_unstable();
    what.dedup();
    text::escape(&what.join(", ")).into_owned()
}

/// What there is to say of a class below its numbers, safe to show.
pub fn notes(c: &Contention, index: &Index, x: &Contended) -> Vec<String> {
    say(x, &|p| name(c, index, p), index.start, None)
}

fn say(x: &Contended, name: &dyn Fn(PlaceId) -> Name, start: Time, convoy_in: Option<&str>) -> Vec<String> {
    let place = |p| {
        let n = name(p);
        format!("{}  {}", n.line, n.func)
    };
    let waits = x.waits_at.iter().take(LINES);
    let mut out: Vec<String> =
        waits.map(|(p, _, t)| format!("waits at {} · {} in {}", place(*p), text::count(t.count), t.total)).collect();
    out.extend(x.ended_at.iter().take(LINES).map(|(p, n)| format!("let go at {} · {}", place(*p), text::count(*n))));
    if let Some(&most) = x.depth.iter().max().filter(|_| x.depth_max > 1) {
        out.push(format!("depth over time [{}] up to {} on average", bars(&x.depth, most), milli(most)));
    }
    match x.what {
        What::Lock => {
            let v = x.convoy;
            if v.handoffs > 1 {
                out.push(format!(
                    "longest convoy: {} let go one after the other from {} for {}, up to {} at once{}",
                    text::count(v.handoffs),
                    time::offset(v.from - start, Duration(1000)),
                    v.to - v.from,
                    text::count(v.peak),
                    convoy_in.map_or_else(String::new, |t| format!(", in {}", text::escape(t)))
                ));
            }
            if x.starved > 0 {
                out.push(format!(
                    "starvation: {} of {} hand-offs forced the releaser to step back",
                    text::count(x.starved),
                    text::count(x.handoffs)
                ));
            }
        }
        // One wait at the end of a program bounds nothing.
        What::Channel if x.waits < 3 => {
            out.push(format!("senders waited {}, receivers {}", x.sending.total, x.receiving.total));
        }
        What::Channel => {
            let side = match x.bottleneck() {
                Bottleneck::Receivers => "receiving is the bottleneck",
                Bottleneck::Senders => "sending is the bottleneck",
                Bottleneck::Neither => "neither side is the bottleneck",
            };
            out.push(format!("senders waited {}, receivers {}: {side}", x.sending.total, x.receiving.total));
        }
    }
    out
}

/// A bar for each value, as high as it is beside the largest; none for nothing.
fn bars(values: &[u64], most: u64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |&v: &u64| match u128::from(v) * 8 / u128::from(most.max(1)) {
        _ if v == 0 => ' ',
        i => BARS[(i as usize).min(7)],
    };
    values.iter().map(bar).collect()
}

fn milli(n: u64) -> String {
    format!("{}.{:02}", n / 1000, n % 1000 / 10)
}

impl Table {
    /// The classes as JSON; all times in ns. Those of several traces say in which the longest wait and convoy are.
    pub fn json(&self) -> Value {
        let full = |p: PlaceId| self.names.get(&p).map_or("", |n| n.full.as_str());
        let classes: Vec<Value> = self
            .classes
            .iter()
            .map(|(x, origin)| {
                let waits: Vec<Value> = x
                .waits_at
                .iter()
                .map(|(p, name, t)| {
                    json!({"at": full(*p), "reason": name, "count": t.count, "total_ns": t.total.ns()})
                })
                .collect();
                let ends: Vec<Value> = x.ended_at.iter().map(|(p, n)| json!({"at": full(*p), "count": n})).collect();
                let v = x.convoy;
                let mut o = json!({
                    "what": match x.what { What::Lock => "lock", What::Channel => "channel" },
                    "waits": waits, "released": ends, "count": x.waits, "open": x.open, "total_ns": x.total.ns(),
                    "max_ns": x.max.ns(), "longest_event": x.longest, "depth_max": x.depth_max,
                    "depth_mean": x.depth_mean_milli as f64 / 1000.0,
                "depth_over_time": x.depth.iter().map(|&d| d as f64 / 1000.0).collect::<Vec<_>>(), "busy_ns": x.busy.ns(), "handoffs": x.handoffs,
                    "convoy": {"handoffs": v.handoffs, "peak": v.peak, "from_ns": v.from.0, "to_ns": v.to.0},
                });
                if x.what == What::Lock {
                    o["starved"] = json!(x.starved);
                } else {
                    o["senders_ns"] = json!(x.sending.total.ns());
                    o["receivers_ns"] = json!(x.receiving.total.ns());
                    o["bottleneck"] = json!(match x.bottleneck() {
                        Bottleneck::Receivers => "receivers",
                        Bottleneck::Senders => "senders",
                        Bottleneck::Neither => "neither",
                    });
                }
                if self.traces > 1 {
                    o["longest_in"] = json!(origin.longest_in);
                    o["convoy"]["in"] = json!(origin.convoy_in);
                }
                o
            })
            .collect();
        json!({ "contention": classes })
    }
}
