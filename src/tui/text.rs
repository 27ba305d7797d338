//! What views write in words: instants, goroutines, events.

use crate::base::text::escape;
use crate::base::{Duration, GoIdx, ProcIdx, StackId, ThreadIdx};
use crate::store::dict::{short_file, short_func};
use crate::store::{Detail, Event, Frame, Index};
use crate::wire::event::Kind;

/// An offset from the trace's start to the nanosecond, in the unit and with the digits that it needs:
/// `812.031ms`, `1.204000012s`.
pub fn instant(at: Duration) -> String {
    let ns = at.0.unsigned_abs();
    let sign = if at.0 < 0 { "-" } else { "" };
    let (unit, digits, name) = match ns {
        0..1_000 => (1, 0, "ns"),
        1_000..1_000_000 => (1_000, 3, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, 6, "ms"),
        _ => (1_000_000_000, 9, "s"),
    };
    let mut text = format!("{sign}{}", ns / unit);
    let rest = format!("{:0digits$}", ns % unit);
    let rest = rest.trim_end_matches('0');
    if digits > 0 && !rest.is_empty() {
        text.push('.');
        text.push_str(rest);
    }
    text + name
}

/// An offset for a column of instants: always milliseconds, with microseconds' thousandths: `  812.031042`.
pub fn column_instant(at: Duration) -> String {
    let ns = at.0.unsigned_abs();
    let sign = if at.0 < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", ns / 1_000_000, ns % 1_000_000)
}

/// `G12`, or nothing.
pub fn goroutine(index: &Index, g: GoIdx) -> String {
    index.goroutine(g).map_or(String::new(), |g| format!("G{}", g.id.0))
}

/// `P3`, or nothing.
pub fn proc(index: &Index, p: ProcIdx) -> String {
    index.procs.get(p.0 as usize).map_or(String::new(), |p| format!("P{}", p.id.0))
}

/// `M33`, or nothing.
pub fn thread(index: &Index, t: ThreadIdx) -> String {
    index.threads.get(t.0 as usize).map_or(String::new(), |t| format!("M{}", t.id.0))
}

/// A function's name for a screen: without the package's directories, and safe.
pub fn func(name: &str) -> String {
    escape(short_func(name)).into_owned()
}

/// The name of a group of goroutines for a screen.
pub fn group(name: &str) -> String {
    if name.is_empty() { "(not known)".into() } else { func(name) }
}

/// `payment/order_cache.go:47`.
pub fn place(index: &Index, f: Frame) -> String {
    let file = index.dict.func_file(f.func);
    if file.is_empty() { "?".into() } else { format!("{}:{}", escape(short_file(file)), f.line) }
}

/// The user's frame of a stack: function and place; nothing for the empty stack.
pub fn user_frame(index: &Index, stack: StackId) -> String {
    match index.dict.user_frame(stack) {
        Some(f) => format!("{}  {}", func(index.dict.func_name(f.func)), place(index, f)),
        None => String::new(),
    }
}

/// What an event says, in words, beyond its time, goroutine, P and kind.
pub fn event(index: &Index, e: &Event) -> String {
    let str = |id| escape(index.dict.str(id)).into_owned();
    let on = |prefix: &str| {
        let by = if e.by != e.go { goroutine(index, e.by) } else { String::new() };
        if by.is_empty() { String::new() } else { format!("{prefix}{by}") }
    };
    match e.detail {
        Detail::None => match e.kind {
            Kind::GoUnblock => on("by "),
            Kind::CpuSample => {
                let leaf = index.dict.stack(e.stack).next();
                leaf.map_or(String::new(), |f| func(index.dict.func_name(f.func)))
            }
            _ => String::new(),
        },
        Detail::Reason(s) | Detail::Label(s) | Detail::Stw(s) => str(s),
        Detail::Entry(stack) => {
            let entry = index.dict.stack(stack).next();
            let name = entry.map_or(String::new(), |f| func(index.dict.func_name(f.func)));
            format!("{name}{}", on(" by "))
        }
        Detail::GoStatus(s) => s.name().to_lowercase(),
        Detail::ProcStatus(p, s) => format!("{} {}", proc(index, p), s.name().to_lowercase()),
        Detail::Proc(p) => proc(index, p),
        Detail::Value(v) => match e.kind {
            Kind::HeapAlloc | Kind::HeapGoal => crate::base::text::bytes(v),
            Kind::GcActive | Kind::GcBegin | Kind::GcEnd => format!("no. {v}"),
            _ => v.to_string(),
        },
        Detail::Swept { swept, reclaimed } => {
            let b = crate::base::text::bytes;
            format!("swept {}, freed {}", b(swept), b(reclaimed))
        }
        Detail::Task { id, parent, name } => {
            let name = str(name);
            let parent = if parent == 0 { String::new() } else { format!(" of {parent}") };
            if name.is_empty() { format!("task {id}{parent}") } else { format!("{name}, task {id}{parent}") }
        }
        Detail::Region { task, name } => with_task(str(name), task),
        Detail::Log { task, category, message } => {
            let (category, message) = (str(category), str(message));
            with_task(if category.is_empty() { message } else { format!("{category}: {message}") }, task)
        }
        Detail::Clock { generation, .. } => format!("generation {generation}"),
        Detail::Experiment(args) => format!("{:#x} {:#x}", args[0], args[1]),
    }
}

fn with_task(text: String, task: u64) -> String {
    if task == 0 { text } else { format!("{text}, task {task}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_every_nanosecond_and_no_empty_digit() {
        let cases = [
            (0, "0ns"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (812_031_000, "812.031ms"),
            (1_204_000_012, "1.204000012s"),
            (-2_000_000, "-2ms"),
        ];
        for (ns, want) in cases {
            assert_eq!(instant(Duration(ns)), want);
        }
        assert_eq!(column_instant(Duration(812_031_042)), "812.031042");
    }
}
