//! Locks and channels that goroutines queue for, in one trace or summed up over several, as text and as JSON.

use crate::analysis::waits::contention::table::{Name, Origin, Table, name};
use crate::analysis::waits::contention::{Bottleneck, Contended, Contention, What};
use crate::base::{Duration, Time, text, time};
use crate::model::Index;
use crate::model::places::PlaceId;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Lines shown of each class.
const LINES: usize = 4;

/// Writes the first `limit` locks and as many channels.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(table: &Table, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    if table.traces > 1 {
        writeln!(out, "{} traces\n", table.traces)?;
    }
    for (what, title) in [(What::Lock, "locks"), (What::Channel, "channels")] {
        let all: Vec<_> = table.classes.iter().filter(|x| x.0.what == what).collect();
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
            one(table, x, out)?;
        }
        if all.len() > limit {
            writeln!(out, "{:>48}  {} more (--limit)", "", all.len() - limit)?;
        }
    }
    Ok(())
}

fn one(table: &Table, (x, origin): &(Contended, Origin), out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>6} {:>6} {:>7}  {}",
        x.total.to_string(),
        text::count(x.waits),
        x.max.to_string(),
        text::count(x.depth_max),
        milli(x.depth_mean_milli),
        super::why::percent(x.busy, table.length),
        kind(x)
    )?;
    let pad = " ".repeat(50);
    let convoy_in = (table.traces > 1).then_some(origin.convoy_in.as_str());
    let lines = say(x, &|p| table.names.get(&p).cloned().unwrap_or_default(), origin.convoy_start, convoy_in);
    lines.iter().try_for_each(|line| writeln!(out, "{pad}{line}"))
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
    let bar = |&v: &u64| match u128::from(v) * 8 / u128::from(most.max(1)) {
        _ if v == 0 => ' ',
        i => text::LEVELS[(i as usize).min(7)],
    };
    values.iter().map(bar).collect()
}

fn milli(n: u64) -> String {
    format!("{}.{:02}", n / 1000, n % 1000 / 10)
}

/// The classes as JSON; all times in ns. Those of several traces say in which the longest wait and convoy are.
pub fn json(table: &Table) -> Value {
    let full = |p: PlaceId| table.names.get(&p).map_or("", |n| n.full.as_str());
    let classes: Vec<Value> = table
        .classes
        .iter()
        .map(|(x, origin)| {
            let waits: Vec<Value> = x
                .waits_at
                .iter()
                .map(|(p, name, t)| json!({"at": full(*p), "reason": name, "count": t.count, "total_ns": t.total.ns()}))
                .collect();
            let ends: Vec<Value> = x.ended_at.iter().map(|(p, n)| json!({"at": full(*p), "count": n})).collect();
            let v = x.convoy;
            let depth: Vec<f64> = x.depth.iter().map(|&d| d as f64 / 1000.0).collect();
            let mut o = json!({
                "what": match x.what { What::Lock => "lock", What::Channel => "channel" },
                "waits": waits, "released": ends, "count": x.waits, "open": x.open, "total_ns": x.total.ns(),
                "max_ns": x.max.ns(), "longest_event": x.longest, "depth_max": x.depth_max,
                "depth_mean": x.depth_mean_milli as f64 / 1000.0,
                "depth_over_time": depth, "busy_ns": x.busy.ns(), "handoffs": x.handoffs,
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
            if table.traces > 1 {
                o["longest_in"] = json!(origin.longest_in);
                o["convoy"]["in"] = json!(origin.convoy_in);
            }
            o
        })
        .collect();
    json!({ "contention": classes })
}
