//! `perf script` as a profile: a sample type for each event.

use super::assemble::{Assembled, Assembler, Call};
use crate::profile::perf::{self, Frame};
use crate::profile::wire::error::Error;
use rustc_hash::FxHashMap;

/// What of a recording is one of how an event was sampled, and no part of its name.
const SETTINGS: [&str; 7] = ["freq=", "period=", "call-graph=", "time=", "stack-size=", "no-inherit", "overwrite="];

/// Reads what `perf script` prints. A sample counts its period, nanoseconds of a clock; what has none, as tracepoints have
/// not, counts 1. The thread's name and number are labels.
pub(super) fn decode(text: &str) -> Result<Assembled, Error> {
    let mut a = Assembler::default();
    let mut failed = None;
    let mut times: Option<(u64, u64)> = None;
    let mut programs: FxHashMap<&str, usize> = FxHashMap::default();
    // Which events have periods is known only at the end: those without count 1.
    let mut periods: FxHashMap<String, bool> = FxHashMap::default();
    perf::read(text, |e| {
        *periods.entry(name(e.line.event)).or_default() |= e.line.period.is_some();
        times = e.line.time.map(|t| times.map_or((t, t), |(from, to)| (from.min(t), to.max(t)))).or(times);
    });
    let (about, odd) = perf::read(text, |e| {
        if failed.is_some() {
            return;
        }
        let event = name(e.line.event);
        let periodic = periods.get(&event).copied().unwrap_or(false);
        let unit = if periodic && (event.starts_with("cpu-clock") || event.starts_with("task-clock")) {
            "nanoseconds"
        } else {
            "count"
        };
        let kind = a.kind(&event, unit);
        let value = if periodic { e.line.period.map_or(0, |p| i64::try_from(p).unwrap_or(i64::MAX)) } else { 1 };
        let mut stack = Vec::new();
        let mut inner: Vec<Call> = Vec::new();
        for (i, f) in e.frames.iter().enumerate() {
            if is_program(f.file) {
                *programs.entry(f.file).or_default() += 1;
            }
            if f.inlined && i + 1 < e.frames.len() {
                inner.push(Call { func: f.func, ..Call::default() });
                continue;
            }
            stack.push(place(&mut a, f, &mut inner));
        }
        let tid = e.line.tid.to_string();
        let labels = [("comm", e.line.comm), ("tid", tid.as_str())];
        failed = a.add(&stack, &labels, &[(kind, value)]).err();
    });
    if let Some(e) = failed {
        return Err(e);
    }
    // The program is what most samples went through; the kernel and libraries are not it.
    let program = programs.iter().max_by_key(|(file, n)| (**n, std::cmp::Reverse(**file))).map(|(file, _)| *file);
    if let Some(file) = program {
        a.program(file);
    }
    if let Some((from, to)) = times {
        a.duration(i64::try_from(to - from).unwrap_or(0));
    }
    if let Some(command) = about.command {
        a.comment(&command);
    }
    if odd > 0 {
        a.note(format!("{odd} lines are none of perf script's and were left out"));
    }
    Ok(a.finish())
}

/// The place of a frame, with the calls that were inlined there, which are taken.
fn place<'a>(a: &mut Assembler, f: &Frame<'a>, inner: &mut Vec<Call<'a>>) -> u64 {
    let mapping = if f.file.is_empty() { 0 } else { a.mapping(f.file, !f.file.starts_with('[')) };
    if !f.func.is_empty() {
        inner.push(Call { func: f.func, ..Call::default() });
    }
    let id = a.place(inner, mapping, f.address);
    inner.clear();
    id
}

/// Whether a file is a program, and no library and nothing of the kernel.
fn is_program(file: &str) -> bool {
    file.starts_with('/') && !file.ends_with(".so") && !file.contains(".so.") && !file.ends_with(".ko")
}

/// The name of an event without how it was sampled: `cpu-clock/freq=499,call-graph=fp/:u` is `cpu-clock:u`.
fn name(event: &str) -> String {
    if event.is_empty() {
        return "samples".into();
    }
    let mut parts = event.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(config), Some(rest))
            if config.split(',').all(|c| SETTINGS.iter().any(|s| c.starts_with(s))) =>
        {
            format!("{name}{rest}")
        }
        _ => event.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_name_is_without_how_it_was_sampled() {
        for (event, want) in [
            ("cpu-clock/freq=499,call-graph=fp/:u", "cpu-clock:u"),
            ("cpu-clock/freq=499/", "cpu-clock"),
            ("cpu/cycles,period=3/", "cpu/cycles,period=3/"),
            ("sched:sched_switch", "sched:sched_switch"),
            ("", "samples"),
        ] {
            assert_eq!(name(event), want);
        }
    }
}
