//! What views write in words: instants, goroutines, events.

use crate::base::number::Instants;
use crate::base::{Duration, ProcIdx, ThreadIdx};
use crate::model::dict::{shown_func, shown_line};
use crate::model::{Frame, Index};

pub use crate::report::events::{describe, goroutine, place as user_place};

/// An instant, in seconds since the trace's start, to the nanosecond: `0.812031042s`.
pub fn instant(at: Duration) -> String {
    Instants::new(at, Duration(1)).show(at)
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
    shown_func(name)
}

/// The name of a group of goroutines for a screen.
pub fn group(name: &str) -> String {
    shown_func(name)
}

/// `payment/order_cache.go:47`.
pub fn place(index: &Index, f: Frame) -> String {
    shown_line(index.dict.func_file(f.func), f.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_seconds_to_the_nanosecond() {
        let cases = [(0, "0.000000000s"), (812_031_042, "0.812031042s"), (1_204_000_012, "1.204000012s")];
        for (ns, want) in cases {
            assert_eq!(instant(Duration(ns)), want);
        }
    }
}
