//! A trace's summary for people: what is in it, on one screen.

use crate::analysis::summary::{GoroutineFact, Summary, summarize};
use crate::analysis::waits::links::table::Table;
use crate::analysis::waits::standing::Standing;
use crate::base::{Duration, StringId, text};
use crate::model::Index;
use crate::model::dict::{short_file, short_func};
use crate::model::totals::SpanTally;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rows of each table.
const ROWS: usize = 8;

/// Writes the summary of the trace called `name`; `table` has all its waits.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(name: &str, index: &Index, table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let s = summarize(index);
    // Of which Go it is no trace tells: a format serves until one changes it.
    writeln!(
        out,
        "{} · trace format of {} · {} · {} events · {} goroutines · {} Ps · {} threads",
        text::escape(name),
        s.format,
        index.duration(),
        text::count(index.events),
        text::count(s.goroutines),
        s.procs,
        s.threads
    )?;
    for loss in &s.lost {
        writeln!(out, "lost: {}", text::escape(loss))?;
    }
    samples(&s, out)?;
    goroutines(&s, index, out)?;
    waits(table, out)?;
    ranges(&s, index, out)?;
    annotations(index, out)
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// `func file:line` made short.
fn short_place(place: &str) -> String {
    match place.rsplit_once(' ') {
        Some((func, at)) => text::escape(&format!("{}  {}", short_func(func), short_file(at))).into_owned(),
        None => text::escape(place).into_owned(),
    }
}

fn samples(s: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if s.cpu_samples == 0 {
        return Ok(());
    }
    writeln!(out, "\nCPU samples: {}; functions by samples in or below them", text::count(s.cpu_samples))?;
    let mut by: Vec<_> = s.cpu_samples_by_function.iter().collect();
    by.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), name.as_str()));
    for (name, n) in by.into_iter().take(ROWS) {
        writeln!(out, "{n:>8} {:>7}  {}", percent(*n, s.cpu_samples), text::escape(short_func(name)))?;
    }
    let assigns: u64 = s.mapassign_samples_by_caller_line.values().sum();
    if assigns > 0 {
        writeln!(out, "map assignments: {} samples, by calling line", text::count(assigns))?;
        let mut by: Vec<_> = s.mapassign_samples_by_caller_line.iter().collect();
        by.sort_by_key(|(line, n)| (std::cmp::Reverse(**n), line.as_str()));
        for (line, n) in by.into_iter().take(3) {
            writeln!(out, "{n:>8} {:>7}  {}", percent(*n, assigns), short_place(line))?;
        }
    }
    Ok(())
}

fn goroutines(s: &Summary, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:>8} {:>8} {:>8} {:>8} {:>8}  goroutines by start function",
        "count", "running", "runnable", "waiting", "syscall"
    )?;
    let waiting = |g: &GoroutineFact| g.blocked_ns.values().fold(0i64, |sum, &ns| sum.saturating_add(ns));
    let mut by: Vec<_> = s.goroutines_by_name.iter().collect();
    by.sort_by_key(|(name, g)| (std::cmp::Reverse(g.exec_ns), name.as_str()));
    let rest = by.len().saturating_sub(ROWS);
    let mut never: BTreeMap<&str, u64> = BTreeMap::new();
    for g in index.goroutines.iter().filter(|g| g.events > 0 && g.ended.is_none()) {
        *never.entry(index.dict.func_name(g.entry)).or_default() += 1;
    }
    for (name, g) in by.into_iter().take(ROWS) {
        let open = never.get(name.as_str()).copied().filter(|_| g.count > 1).unwrap_or(0);
        let name = if name.is_empty() { "(not known)".into() } else { text::escape(short_func(name)) };
        writeln!(
            out,
            "{:>8} {:>8} {:>8} {:>8} {:>8}  {name}{}",
            text::count(g.count),
            Duration(g.exec_ns).to_string(),
            Duration(g.sched_wait_ns).to_string(),
            Duration(waiting(g)).to_string(),
            Duration(g.syscall_ns.saturating_add(g.syscall_block_ns)).to_string(),
            unfinished(open),
        )?;
    }
    if rest > 0 {
        writeln!(out, "{:>46}and {rest} more", "")?;
    }
    Ok(())
}

/// Who waited for what, by the user's lines, as `links` has it: but for the runtime's own goroutines.
fn waits(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let users = table.rows.iter().filter(|(_, r)| r.users);
    let (shown, idle): (Vec<_>, Vec<_>) = users.partition(|(_, r)| r.standing == Standing::Stall);
    if !shown.is_empty() {
        writeln!(
            out,
            "\n{:>8} {:>8} {:>8}  longest waits: for what · who, where ← ended by whom, where",
            "total", "count", "max"
        )?;
    }
    for (k, r) in shown.iter().take(ROWS) {
        let (total, max) = (r.total.to_string(), r.max.to_string());
        writeln!(out, "{total:>8} {:>8} {max:>8}  {}", text::count(r.count), super::links::words(k, r))?;
    }
    if let Some(rest) = shown.len().checked_sub(ROWS).filter(|&n| n > 0) {
        writeln!(out, "{:>26}  and {rest} more: gotrail links", "")?;
    }
    if !idle.is_empty() {
        let total: Duration = idle.iter().map(|(_, r)| r.total).sum();
        let count = text::count(idle.iter().map(|(_, r)| r.count).sum());
        let sleeps = if shown.is_empty() { "\n" } else { "" };
        writeln!(
            out,
            "{sleeps}{:>8} {count:>8} {:>8}  idle: waiting for work, for connections, for a clock",
            total.to_string(),
            ""
        )?;
    }
    Ok(())
}

/// How many had not ended when the trace did, in words; nothing for none.
fn unfinished(n: u64) -> String {
    if n > 0 { format!(" · {} unfinished", text::count(n)) } else { String::new() }
}

fn ranges(s: &Summary, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    if s.ranges.is_empty() {
        return Ok(());
    }
    let whole = index.duration().ns().max(1) as f64;
    writeln!(out, "\n{:>8} {:>8} {:>10}  GC and stop-the-world", "count", "total", "% of trace")?;
    for (name, r) in &s.ranges {
        let open = index.dict.find(name).and_then(|n| index.totals.open_ranges.get(&n)).copied().unwrap_or_default();
        let total = Duration(r.total_ns.saturating_add(open.total.ns()));
        let share = format!("{:.1} %", total.ns() as f64 * 100.0 / whole);
        let (count, total) = (text::count(r.count + open.count), total.to_string());
        writeln!(out, "{count:>8} {total:>8} {share:>10}  {}{}", text::escape(name), unfinished(open.count))?;
    }
    if let Some(m) = s.metrics.get("/memory/classes/heap/objects:bytes") {
        writeln!(out, "heap: {} to {}, at the end {}", text::bytes(m.min), text::bytes(m.max), text::bytes(m.last))?;
    }
    Ok(())
}

fn annotations(index: &Index, out: &mut dyn Write) -> io::Result<()> {
    let named = |m: &FxHashMap<StringId, SpanTally>| {
        let mut sums: BTreeMap<&str, SpanTally> = BTreeMap::new();
        for (&name, t) in m.iter().filter(|(n, _)| !index.dict.str(**n).is_empty()) {
            sums.entry(index.dict.str(name)).or_default().merge(*t);
        }
        let mut all: Vec<(&str, SpanTally)> = sums.into_iter().collect();
        all.sort_by_key(|(_, t)| std::cmp::Reverse(t.inside_ns()));
        all
    };
    let all = [("task", named(&index.totals.tasks)), ("region", named(&index.totals.regions))];
    if all.iter().all(|(_, m)| m.is_empty()) {
        return Ok(());
    }
    writeln!(out, "\n{:>8} {:>8} {:>8}  tasks and regions", "count", "total", "mean")?;
    for (what, spans) in all {
        for (name, t) in spans.into_iter().take(ROWS) {
            let total = t.inside_ns();
            let mean = total / i64::try_from(t.count.max(1)).unwrap_or(i64::MAX);
            writeln!(
                out,
                "{:>8} {:>8} {:>8}  {what} {}{}",
                text::count(t.count),
                Duration(total).to_string(),
                Duration(mean).to_string(),
                text::escape(name),
                unfinished(t.unfinished)
            )?;
        }
    }
    Ok(())
}
