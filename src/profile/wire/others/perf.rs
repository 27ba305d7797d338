//! `perf script` as a profile: a sample type for each event.

use super::assemble::{Assembled, Assembler, Call};
use crate::input::perf_line;
use crate::profile::perf::{self, Frame};
use crate::profile::wire::error::Error;
use rustc_hash::FxHashMap;

/// What of a recording is one of how an event was sampled, and no part of its name.
const SETTINGS: [&str; 7] = ["freq=", "period=", "call-graph=", "time=", "stack-size=", "no-inherit", "overwrite="];

/// Reads what `perf script` prints. A sample counts its period, nanoseconds of a clock; what has none, as tracepoints have
/// not, counts 1. The thread's name and number are labels.
pub(super) fn decode(text: &str) -> Result<Assembled, Error> {
    let mut a = Assembler::default();
    // An editor may have taken the last line's end away; the frame of a whole line ends with its file.
    let last = &text[text.rfind('\n').map_or(0, |end| end + 1)..];
    let is_cut =
        !last.is_empty() && !last.ends_with(')') && (perf_line(last).is_none() || last.trim_end().ends_with(':'));
    let text = if is_cut { without_last_event(text) } else { text };
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
        let value = if periodic { i64::try_from(e.line.period.unwrap_or(0)).ok() } else { Some(1) };
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
    let odd = usize::try_from(odd).unwrap_or(usize::MAX);
    a.note_of(
        odd,
        "line is none of perf script's and was left out",
        "lines are none of perf script's and were left out",
    );
    if is_cut {
        a.note("the file is cut off in its last event, which was left out".into());
    }
    Ok(a.finish())
}

/// A text up to the event that its last lines are of. Where none follows another in it, it is kept whole.
fn without_last_event(text: &str) -> &str {
    let starts = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    // A frame's line begins with a tab or is none of an event's.
    let last = starts.filter(|(_, line)| !line.starts_with('\t') && perf_line(line).is_some()).last();
    match last {
        Some((at, _)) if at > 0 => &text[..at],
        _ => text,
    }
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
