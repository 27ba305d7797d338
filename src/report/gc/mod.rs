//! What the GC did, as text and as JSON.

pub use super::schema::gc::Json;

use super::events::{goroutine, place};
use super::why::{group_name, percent};
use crate::analysis::gc::{Consists, Cycle, Gc, Trigger, Work};
use crate::base::{Duration, Time, text, time};
use crate::model::Index;
use crate::model::dict::NOT_KNOWN;
use crate::model::ownership::is_mark_worker;
use std::io::{self, Write};

/// Writes what was found: the first `limit` cycles and lines that assisted.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(g: &Gc, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    head(g, index).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if g.cycles.is_empty() && g.stints.is_empty() && g.stops.is_empty() {
        return Ok(());
    }
    mmu(g, index, out)?;
    cycles(g, index, limit, out)?;
    assists(g, index, limit, out)?;
    what_if(g, out)
}

/// The GC in one line, safe to show: first the numbers, and last what is to be known of how they were counted, which a
/// narrow screen may cut.
pub fn line(g: &Gc) -> String {
    let ns = |n: u128| Duration(n.min(i64::MAX as u128) as i64);
    let c = &g.consists;
    let workers = c.work[Work::Dedicated as usize] + c.work[Work::Fractional as usize];
    let stw: Duration = g.stops.iter().map(|s| s.len()).sum();
    let ps = g.procs.0.last().map_or(g.procs.1, |p| p.1);
    let active = percent(g.active, g.traced());
    let said = said(g).replacen("GC ", "", 1);
    let (cycles, noted) = said.split_once(", ").unwrap_or((&said, ""));
    let noted = if noted.is_empty() { String::new() } else { format!(" · {noted}") };
    format!(
        "{cycles} · active {} = {active} · mark workers {} = {} of {ps} Ps · assists {} · GC STW {stw} · allocated {}{noted}",
        g.active,
        ns(workers),
        percent(ns(workers), ns(c.whole)),
        ns(c.work[Work::Assist as usize]),
        text::bytes(g.allocated_inside)
    )
}

/// The least that the program had in windows of each length, in one line.
pub fn mmu_line(g: &Gc) -> String {
    let some = g.mmu.iter().filter(|m| m.least.len >= Duration(1_000_000));
    let all: Vec<String> = some.map(|m| format!("{} {:.1} %", m.least.len, m.least.utilisation * 100.0)).collect();
    format!("MMU {}", all.join(" · "))
}

fn said(g: &Gc) -> String {
    let n = g.cycles.len() as u64;
    let open = g.cycles.iter().filter(|c| c.to.is_none()).count();
    let before = g.cycles.iter().filter(|c| c.before).count();
    let mut said = match n {
        0 => "no GC cycle".to_owned(),
        1 => "1 GC cycle".to_owned(),
        n => format!("{} GC cycles", text::count(n)),
    };
    match (open, before) {
        (0, 0) => {}
        (0, _) => said += ", the first from before the trace",
        (_, 0) => said += ", 1 unfinished: counted until the trace's end",
        _ => said += ", the first from before the trace, 1 unfinished: counted until the trace's end",
    }
    said
}

/// What there is to say of the whole, a line each, safe to show.
pub fn head(g: &Gc, index: &Index) -> Vec<String> {
    let ns = |n: u128| Duration(n.min(i64::MAX as u128) as i64);
    let c = &g.consists;
    let of = |w: Work| ns(c.work[w as usize]);
    let mut out =
        vec![format!("{} · {} · marking {} = {}", g.traced(), said(g), g.active, percent(g.active, g.traced()))];
    let share = |n: u128| percent(ns(n), ns(c.whole));
    out.push(format!(
        "of the Ps' time: mark workers {} = {} (dedicated {}, fractional {}), assists {} = {}, sweeps {} = {}, STW {} = {}",
        of(Work::Dedicated) + of(Work::Fractional),
        share(c.work[Work::Dedicated as usize] + c.work[Work::Fractional as usize]),
        of(Work::Dedicated),
        of(Work::Fractional),
        of(Work::Assist),
        share(c.work[Work::Assist as usize]),
        of(Work::Sweep),
        share(c.work[Work::Sweep as usize]),
        ns(c.stw),
        share(c.stw)
    ));
    if of(Work::Idle) > Duration::ZERO {
        out.push(format!("idle mark workers, on Ps that had nothing else to do: {}", of(Work::Idle)));
    }
    let longest = g.stops.iter().max_by_key(|s| (s.len(), std::cmp::Reverse(s.from)));
    if let Some(s) = longest {
        let total: Duration = g.stops.iter().map(|s| s.len()).sum();
        let (all, others) = (index.stw.len(), index.stw.len().saturating_sub(g.stops.len()));
        let others = match others {
            0 => String::new(),
            _ => format!(
                " (of {all} for {} with other reasons)",
                index.stw.iter().map(|r| r.to - r.from).sum::<Duration>()
            ),
        };
        out.push(format!(
            "world stopped {} times for {total} by the GC{others}, longest {} from {}: {}",
            text::count(g.stops.len() as u64),
            s.len(),
            at(s.from, index),
            text::escape(index.dict.str(s.reason))
        ));
    }
    if g.allocated > 0 {
        let rate = g.allocated as f64 / index.traced().as_secs_f64().max(1e-9);
        out.push(format!(
            "whole trace: allocated {} ({}/s), swept {}, freed {}",
            text::bytes(g.allocated),
            text::bytes(rate as u64),
            text::bytes(g.swept),
            text::bytes(g.reclaimed)
        ));
    }
    if g.unknown > Duration::ZERO {
        out.push(format!(
            "a mark worker ran {} when the trace began, and the trace does not say of which kind: not counted",
            g.unknown
        ));
    }
    let labelled = g.stints.iter().any(|s| matches!(s.work, Work::Dedicated | Work::Fractional | Work::Idle));
    let workers = index.goroutines.iter().filter(|w| is_mark_worker(index.dict.func_name(w.entry)));
    let ran: Duration = workers.map(|w| w.times.running).sum();
    if !labelled && ran > Duration::ZERO {
        out.push(format!(
            "mark workers ran {ran} in the whole trace, which does not say of which kind they were: not counted"
        ));
    }
    if !labelled && ran == Duration::ZERO && !g.cycles.is_empty() && index.goroutines.iter().any(|g| !g.entry.is_some())
    {
        out.push("the trace does not name all goroutines, so that mark workers are not known: not counted".into());
    }
    if index.version.1 < 9 {
        out.push("traces of this version do not have mark assists: utilisation may be lower".into());
    }
    out
}

fn mmu(g: &Gc, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    if g.mmu.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>8} {:>7} {:>10} {:>7} {:>7} {:>7} {:>13}  mutator utilisation: the least in any window, and where",
        "window", "MMU", "no sweeps", "p99.9", "p99", "p95", "per goroutine"
    )?;
    for m in &g.mmu {
        let p = |v: f64| format!("{:.1} %", v * 100.0);
        writeln!(
            out,
            "{:>8} {:>7} {:>10} {:>7} {:>7} {:>7} {:>13}  {}",
            m.least.len.to_string(),
            p(m.least.utilisation),
            p(m.without_sweeps),
            p(m.p999),
            p(m.p99),
            p(m.p95),
            p(m.per_goroutine),
            at(m.least.from, index)
        )?;
    }
    if !g.worst.is_empty() {
        writeln!(
            out,
            "\n{:>8} {:>12}  worst windows of {}, and what took the rest",
            "program", "from", g.worst[0].0.len
        )?;
        for (w, c) in &g.worst {
            let part = format!("{:.1} %", w.utilisation * 100.0);
            writeln!(out, "{part:>8} {:>12}  {}", at(w.from, index), consists(c))?;
        }
    }
    Ok(())
}

/// What a window consists of beside the program, safe to show.
pub fn consists(c: &Consists) -> String {
    let part = |n: u128| format!("{:.1} %", n as f64 * 100.0 / (c.whole.max(1)) as f64);
    let kinds = Work::ALL.iter().zip(c.work).filter(|(w, n)| **w != Work::Idle && *n > 0);
    let mut parts: Vec<(u128, String)> = kinds.map(|(w, n)| (n, format!("{} {}", w.name(), part(n)))).collect();
    if c.stw > 0 {
        parts.push((c.stw, format!("STW {}", part(c.stw))));
    }
    parts.sort_by_key(|p| std::cmp::Reverse(p.0));
    parts.into_iter().map(|p| p.1).collect::<Vec<_>>().join(", ")
}

fn cycles(g: &Gc, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    if g.cycles.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>4} {:>12} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}  triggered by",
        "#", "start", "mark", "STW max", "workers", "assists", "heap", "goal", "live", "next goal"
    )?;
    let size = |b: Option<u64>| b.map_or("?".to_owned(), text::bytes);
    let goal = |b: Option<u64>| b.map_or("?".to_owned(), text::goal);
    for (i, c) in g.cycles.iter().enumerate().take(limit) {
        let workers = c.work[Work::Dedicated as usize] + c.work[Work::Fractional as usize];
        let open = if c.to.is_none() { "+" } else { "" };
        writeln!(
            out,
            "{:>4} {:>12} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}  {}",
            i + 1,
            at(c.from, index),
            format!("{}{open}", c.marked(index.end)),
            c.stops.iter().map(|s| s.len()).max().map_or("?".to_owned(), |d| d.to_string()),
            workers.to_string(),
            c.work[Work::Assist as usize].to_string(),
            size(c.heap_start),
            goal(c.goal),
            size(c.live),
            goal(c.next_goal),
            trigger(c, index)
        )?;
    }
    if g.cycles.len() > limit {
        writeln!(out, "{:>4} more (--limit)", g.cycles.len() - limit)?;
    }
    Ok(())
}

/// What began a cycle, safe to show.
pub fn trigger(c: &Cycle, index: &Index) -> String {
    if c.before {
        return "before the trace".into();
    }
    let how = match c.cause(index) {
        Trigger::Heap => "",
        Trigger::Call => "runtime.GC: ",
        Trigger::Periodic => return "periodic: two minutes without a cycle".into(),
        Trigger::Unknown => "",
    };
    let place = place(index, c.stack);
    let place = if place.is_empty() { group(c, index) } else { place };
    format!("{how}{} {place}", goroutine(index, c.trigger)).trim().to_owned()
}

fn group(c: &Cycle, index: &Index) -> String {
    index.goroutine(c.trigger).map_or(NOT_KNOWN.into(), |g| group_name(index, g.group))
}

fn assists(g: &Gc, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    if g.assists.is_empty() {
        return Ok(());
    }
    let (wall, cpu): (Duration, Duration) =
        (g.assists.iter().map(|a| a.wall).sum(), g.assists.iter().map(|a| a.cpu).sum());
    let n: u64 = g.assists.iter().map(|a| a.count).sum();
    writeln!(
        out,
        "\n{} mark assists in the whole trace lasted {wall}, {cpu} of that on a P, where the world may have been stopped",
        text::count(n)
    )?;
    writeln!(out, "{:>8} {:>8} {:>8} {:>8}  by the goroutines and lines that paid", "total", "on a P", "n", "max")?;
    for a in g.assists.iter().take(limit) {
        let place = place(index, a.stack);
        writeln!(
            out,
            "{:>8} {:>8} {:>8} {:>8}  {} {place}",
            a.wall.to_string(),
            a.cpu.to_string(),
            text::count(a.count),
            a.longest.0.to_string(),
            group_name(index, a.group)
        )?;
    }
    if g.assists.len() > limit {
        writeln!(out, "{:>35}{} more (--limit)", "", g.assists.len() - limit)?;
    }
    Ok(())
}

fn what_if(g: &Gc, out: &mut dyn Write) -> io::Result<()> {
    if g.what_if.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>12} {:>9} {:>8} {:>8}  if the same had been allocated with another setting (an estimate; now {} finished)",
        "setting",
        "goal",
        "cycles",
        "GC CPU",
        g.cycles.iter().filter(|c| c.to.is_some()).count()
    )?;
    for (i, w) in g.what_if.iter().enumerate() {
        let setting = match w.gogc {
            Some(n) => format!("GOGC={n}"),
            None if i == 0 => "as now".into(),
            None => "GOMEMLIMIT".into(),
        };
        let line = format!(
            "{setting:>12} {:>9} {:>8} {:>8}  {}",
            text::bytes(w.goal),
            format!("{:.1}", w.cycles),
            format!("{:.1} %", w.cpu * 100.0),
            if i == 0 { "about as it is now" } else { "" }
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// An instant, counted from the trace's start.
fn at(t: Time, index: &Index) -> String {
    time::offset(t - index.start, Duration(1000))
}
