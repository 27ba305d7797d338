//! What views write in words: instants, goroutines, events.

use crate::base::text::escape;
use crate::base::{Duration, ProcIdx, ThreadIdx};
use crate::model::dict::{short_file, short_func};
use crate::model::{Frame, Index};

pub use crate::report::events::{describe, goroutine, place as user_place};

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
