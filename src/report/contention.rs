//! Locks and channels that goroutines queue for, as text and as JSON.

use crate::analysis::contention::{Bottleneck, Contended, Contention, What};
use crate::base::{Duration, text, time};
use crate::store::Index;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Lines shown of each class.
const LINES: usize = 4;

/// Writes the first `limit` locks and as many channels.
pub fn write(c: &Contention, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    for (what, title) in [(What::Lock, "locks"), (What::Channel, "channels")] {
        let all: Vec<&Contended> = c.classes.iter().filter(|x| x.what == what).collect();
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
            one(c, index, x, out)?;
        }
        if all.len() > limit {
            writeln!(out, "{:>48}  {} more (--limit)", "", all.len() - limit)?;
        }
    }
    Ok(())
}

fn one(c: &Contention, index: &Index, x: &Contended, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>6} {:>6} {:>7}  {}",
        x.total.to_string(),
        text::count(x.waits),
        x.max.to_string(),
        text::count(x.depth_max),
        milli(x.depth_mean_milli),
        super::why::percent(x.busy, index.duration()),
        kind(x)
    )?;
    let pad = " ".repeat(50);
    notes(c, index, x).iter().try_for_each(|line| writeln!(out, "{pad}{line}"))
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
    let place = |p| format!("{}  {}", c.places.line(index, p), c.places.func(index, p));
    let waits = x.waits_at.iter().take(LINES);
    let mut out: Vec<String> =
        waits.map(|(p, _, t)| format!("waits at {} · {} in {}", place(*p), text::count(t.count), t.total)).collect();
    out.extend(x.ended_at.iter().take(LINES).map(|(p, n)| format!("let go at {} · {}", place(*p), text::count(*n))));
    match x.what {
        What::Lock => {
            let v = x.convoy;
            if v.handoffs > 1 {
                out.push(format!(
                    "longest convoy: {} let go one after the other from {} for {}, up to {} at once",
                    text::count(v.handoffs),
                    time::offset(v.from - index.start, Duration(1000)),
                    v.to - v.from,
                    text::count(v.peak)
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

fn milli(n: u64) -> String {
    format!("{}.{:02}", n / 1000, n % 1000 / 10)
}

/// The classes as JSON; all times in ns.
pub fn json(c: &Contention, index: &Index) -> Value {
    let classes: Vec<Value> = c
        .classes
        .iter()
        .map(|x| {
            let waits: Vec<Value> = x
                .waits_at
                .iter()
                .map(|(p, name, t)| {
                    json!({"at": c.places.full(index, *p), "reason": name, "count": t.count, "total_ns": t.total.ns()})
                })
                .collect();
            let ends: Vec<Value> =
                x.ended_at.iter().map(|(p, n)| json!({"at": c.places.full(index, *p), "count": n})).collect();
            let v = x.convoy;
            let mut o = json!({
                "what": match x.what { What::Lock => "lock", What::Channel => "channel" },
                "waits": waits, "released": ends, "count": x.waits, "open": x.open, "total_ns": x.total.ns(),
                "max_ns": x.max.ns(), "longest_event": x.longest, "depth_max": x.depth_max,
                "depth_mean": x.depth_mean_milli as f64 / 1000.0, "busy_ns": x.busy.ns(), "handoffs": x.handoffs,
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
            o
        })
        .collect();
    json!({ "contention": classes })
}
