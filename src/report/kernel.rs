//! The kernel beside a trace, as text.

use super::why::{group_name, percent};
use crate::analysis::kernel::{Beside, Doing, Grounds, Recorded, Split};
use crate::base::text::{count, escape};
use crate::base::{Duration, time};
use crate::model::Index;
use std::io::{self, Write};

/// How many functions of a kernel's stack are shown.
const FUNCTIONS: usize = 4;

/// Writes what was found, at most `limit` rows a table.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(b: &Beside, r: &Recorded, index: &Index, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let grounds = match b.offset.by {
        Grounds::Said => "as --offset says",
        Grounds::Snapshot => "by the trace's snapshot of its clocks",
        Grounds::Same => "both count the monotonic clock",
        Grounds::Wall => "by the clock on the wall",
        Grounds::Assumed => "taken for the monotonic clock",
    };
    writeln!(
        out,
        "{} of {} threads recorded; clocks {} apart, {grounds}",
        b.threads.1,
        b.threads.0,
        Duration(b.offset.ns)
    )?;
    let (from, to) = (b.covered.0 - index.start, b.covered.1 - index.start);
    writeln!(
        out,
        "perf covers {} to {} of the trace, {} of it; what lies outside is unknown",
        time::offset(from, Duration(1000)),
        time::offset(to, Duration(1000)),
        percent(to - from, index.end - index.start)
    )?;
    writeln!(
        out,
        "{} of {} events were written by a thread that was on a CPU then ({})",
        count(b.events.1),
        count(b.events.0),
        percent(Duration(b.events.1.cast_signed()), Duration(b.events.0.cast_signed()))
    )?;
    for w in &b.warnings {
        writeln!(out, "! {w}")?;
    }
    writeln!(out)?;
    titles("", out)?;
    split("running", &b.all.running, out)?;
    split("syscall", &b.all.syscall, out)?;
    writeln!(out)?;
    titles("running, by group", out)?;
    for (g, both) in b.groups.iter().filter(|(_, g)| g.running.total > Duration(0)).take(limit) {
        split(&escape(&group_name(index, *g)), &both.running, out)?;
    }
    if !b.preempted_by.is_empty() {
        writeln!(out, "\n{:>9} {:>9} {:>9}  preempted by, while running", "total", "n", "max")?;
        for (comm, c) in b.preempted_by.iter().take(limit) {
            writeln!(
                out,
                "{:>9} {:>9} {:>9}  {}",
                c.total.to_string(),
                count(c.count),
                c.max.to_string(),
                escape(comm)
            )?;
        }
    }
    if !b.blocked_in.is_empty() {
        writeln!(out, "\n{:>9} {:>9} {:>9} {:>9}  asleep in the kernel", "running", "syscall", "n", "max")?;
        for (stack, both, c) in b.blocked_in.iter().take(limit) {
            let (running, syscall) = (both.running.total.to_string(), both.syscall.total.to_string());
            writeln!(
                out,
                "{running:>9} {syscall:>9} {:>9} {:>9}  {}",
                count(c.count),
                c.max.to_string(),
                shown(stack)
            )?;
        }
    }
    if !b.longest.is_empty() {
        writeln!(out, "\nlongest off the CPU while running")?;
        for o in b.longest.iter().take(limit.min(10)) {
            let what = match o.doing {
                Doing::On => String::new(),
                Doing::Preempted(n) => {
                    format!("preempted by {}", r.names.get(n as usize).map_or("".into(), |n| escape(n)))
                }
                Doing::Woken => "woken, waiting for a CPU".into(),
                Doing::Blocked(s) => {
                    format!("asleep in {}", shown(r.stacks.get(s as usize).map_or(&[], Vec::as_slice)))
                }
            };
            let g = index.goroutine(o.go).map_or(String::new(), |g| format!("g{}", g.id.0));
            let at = time::offset(o.from - index.start, Duration(1000));
            writeln!(out, "{:>9}  at {at}  {g} on thread {}: {what}", (o.to - o.from).to_string(), o.tid)?;
        }
    }
    Ok(())
}

fn titles(what: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9}  {what}",
        "total", "on CPU", "", "preempted", "woken", "asleep", "unknown"
    )
}

fn split(name: &str, s: &Split, out: &mut dyn Write) -> io::Result<()> {
    let text = |d: Duration| d.to_string();
    writeln!(
        out,
        "{:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9}  {name}",
        text(s.total),
        text(s.on),
        percent(s.on, s.total),
        text(s.preempted),
        text(s.woken),
        text(s.blocked),
        text(s.unknown)
    )
}

/// The innermost functions of a stack, safe to show.
fn shown(stack: &[String]) -> String {
    if stack.is_empty() {
        return "(no kernel stack recorded)".into();
    }
    let few: Vec<_> = stack.iter().take(FUNCTIONS).map(|f| escape(f)).collect();
    few.join(" ← ")
}
