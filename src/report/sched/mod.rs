//! Why goroutines that could run did not, as text and as JSON.

pub use super::schema::sched::Json;

use super::why::{group_name, percent};
use crate::analysis::sched::{Cause, Depth, GroupSched, Parts, Sched, Waits};
use crate::base::{Duration, Time, text, time};
use crate::model::Index;
use std::io::{self, Write};

/// How many are named of those that ran instead.
const BEHIND: usize = 5;

/// Writes what was found, and the first `limit` groups.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(s: &Sched, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    head(s, index).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if s.all.count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>8} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7}  group, what made it runnable, what ran instead",
        "total", "n", "p50", "p99", "max", "busy", "idle P", "STW"
    )?;
    let waited = || s.groups.iter().filter(|g| g.all.count > 0);
    for g in waited().take(limit) {
        writeln!(out, "{}  {}", row(&g.all), group_name(index, g.group))?;
        notes(g, index).iter().try_for_each(|note| writeln!(out, "{:68}{note}", ""))?;
    }
    let more = waited().count().saturating_sub(limit);
    if more > 0 {
        writeln!(out, "{:>68}{more} more (--limit)", "")?;
    }
    writeln!(
        out,
        "\n{:>4} {:>8} {:>8} {:>9} {:>8} {:>7} {:>9} {:>9}",
        "P", "running", "syscall", "searching", "idle", "busy", "starts", "moved in"
    )?;
    for p in &s.procs {
        let id = index.procs.get(p.proc.index()).map_or(String::new(), |p| p.id.0.to_string());
        writeln!(
            out,
            "{id:>4} {:>8} {:>8} {:>9} {:>8} {:>7} {:>9} {:>9}",
            p.running.to_string(),
            p.syscall.to_string(),
            p.searching.to_string(),
            p.idle(s.length()).to_string(),
            percent(p.running + p.syscall, s.length()),
            text::count(p.starts),
            text::count(p.migrations)
        )?;
    }
    Ok(())
}

/// What there is to say of the whole, a line each, safe to show.
pub fn head(s: &Sched, index: &Index) -> Vec<String> {
    let said = if s.said { "" } else { ", as far as they were seen: the trace does not say GOMAXPROCS" };
    let mut out = vec![format!("{} · {} Ps{said}", s.length(), s.gomaxprocs)];
    if s.all.count == 0 {
        out.push("no goroutine waited for a P".into());
        return out;
    }
    out.push(format!("waiting for a P {}: {}", s.all.parts.total(), shares(s.all.parts)));
    let (woken, stopped) = (s.of(Cause::is_wakeup), s.of(Cause::is_stop));
    out.push(format!(
        "after wake-ups {} in {}, p99 {}; after preemption and Gosched {} in {}, p99 {}",
        woken.parts.total(),
        text::count(woken.count),
        woken.quantile(0.99),
        stopped.parts.total(),
        text::count(stopped.count),
        stopped.quantile(0.99)
    ));
    if s.all.open > 0 {
        out.push(format!("{} of the waits had not ended when the trace did", text::count(s.all.open)));
    }
    out.push(format!("run queue mean {:.3}, {}", s.queue_mean(), depth(&s.queue)));
    out.push(format!("threads in syscalls, without a P: mean {:.3}, {}", s.in_syscalls.mean(), depth(&s.in_syscalls)));
    if let Some((g, run)) = s.longest_run() {
        let who = format!("{}, {}", super::events::goroutine(index, run.go), group_name(index, g));
        out.push(format!("longest stretch on a P: {} from {}, {who}", run.len, at(run.from, index)));
    }
    out
}

fn depth(d: &Depth) -> String {
    format!("p99 {}, max {}", text::count(d.quantile(0.99)), text::count(d.max()))
}

/// What time spent runnable consists of, in percent.
pub fn shares(p: Parts) -> String {
    let of = |d: Duration| percent(d, p.total());
    format!("all Ps busy {} · a P idle {} · STW {}", of(p.busy), of(p.idle), of(p.stw))
}

fn row(w: &Waits) -> String {
    let p = w.parts;
    format!(
        "{:>8} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7}",
        p.total().to_string(),
        text::count(w.count),
        w.quantile(0.5).to_string(),
        w.quantile(0.99).to_string(),
        w.longest.len.max(Duration::ZERO).to_string(),
        percent(p.busy, p.total()),
        percent(p.idle, p.total()),
        percent(p.stw, p.total())
    )
}

/// What there is to say of a group beside its numbers, a line each, safe to show.
pub fn notes(g: &GroupSched, index: &Index) -> Vec<String> {
    let mut out = Vec::new();
    let causes: Vec<String> = Cause::ALL
        .iter()
        .zip(&g.causes)
        .filter(|(_, w)| w.count > 0)
        .map(|(c, w)| format!("{} {} in {}", c.name(), w.parts.total(), text::count(w.count)))
        .collect();
    out.push(causes.join(", "));
    out.extend(Some(behind(g, index)).filter(|b| !b.is_empty()));
    if let Some(l) = g.all.longest.some().filter(|l| l.len > Duration::ZERO) {
        out.push(format!("longest from {}, {}", at(l.from, index), super::events::goroutine(index, l.go)));
    }
    out
}

/// What had the Ps while a group's goroutines waited for one, safe to show; empty if nothing had.
pub fn behind(g: &GroupSched, index: &Index) -> String {
    let all = g.together();
    let name = |who| match who {
        Some(who) => group_name(index, who),
        None => "between two goroutines".into(),
    };
    let mut out: Vec<String> = all.iter().take(BEHIND).map(|&(who, time)| format!("{} {time}", name(who))).collect();
    let more: Duration = all.iter().skip(BEHIND).map(|b| b.1).sum();
    if more > Duration::ZERO {
        out.push(format!("others {more}"));
    }
    if out.is_empty() { String::new() } else { format!("behind {}", out.join(", ")) }
}

/// An instant, counted from the trace's start.
fn at(t: Time, index: &Index) -> String {
    time::offset(t - index.start, Duration(1000))
}
