//! Grouping by a label of goroutines (`pprof.Do`), which what stands beside a trace says: by the label's values over time.

use super::states::source::{Source, Unanswered};
use super::states::tracker::{self, Interval, Visit};
use crate::base::{Duration, GoIdx, Time, spell};
use crate::model::beside::Beside;
use crate::model::index::Times;
use crate::model::segment::{GoState, Kind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// A value of a label, by its position in [`Label::values`]; `None` is the group of what has no value.
pub type ValueNo = Option<u32>;

/// A value of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The value. Not escaped.
    pub value: String,
    /// Whether it follows from samples of a profile, at least in part; otherwise dumps say so.
    pub inferred: bool,
}

/// A label and the value by which something is grouped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Valued {
    /// The label. Not escaped.
    pub key: String,
    /// The value; `None` for what has none. Not escaped.
    pub value: Option<String>,
    /// Whether it is inferred: see [`Value::inferred`].
    pub inferred: bool,
}

/// A label, and which goroutines have which value of it when.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// The label. Not escaped.
    pub key: String,
    /// Its values, in alphabetical order.
    pub values: Vec<Value>,
    /// By goroutine the stretches with a value, in order of time; none begins before the one before it has ended.
    by: FxHashMap<GoIdx, Vec<(Time, Time, u32)>>,
}

impl Label {
    /// What is known of a label. Where a goroutine is said to have two values at once, the one that began first counts.
    pub fn new(beside: &Beside, key: &str) -> Label {
        let of = || beside.labels().iter().filter(|l| l.key == key);
        let mut values: Vec<Value> = of().map(|l| Value { value: l.value.clone(), inferred: !l.exact }).collect();
        values.sort_by(|a, b| (&a.value, Reverse(a.inferred)).cmp(&(&b.value, Reverse(b.inferred))));
        values.dedup_by(|b, a| a.value == b.value);
        let mut by: FxHashMap<GoIdx, Vec<(Time, Time, u32)>> = FxHashMap::default();
        // They come by goroutine and time.
        for l in of() {
            let Ok(no) = values.binary_search_by(|v| v.value.cmp(&l.value)) else { continue };
            let all = by.entry(l.go).or_default();
            let from = all.last().map_or(l.from, |last| l.from.max(last.1));
            match all.last_mut() {
                Some(last) if last.2 == no as u32 && l.from <= last.1 => last.1 = last.1.max(l.to),
                // It is said to have another one all the while.
                Some(last) if l.to <= last.1 => {}
                _ => all.push((from, l.to, no as u32)),
            }
        }
        Label { key: key.to_owned(), values, by }
    }

    /// A value by number, with the label.
    pub fn valued(&self, no: ValueNo) -> Valued {
        let value = no.and_then(|no| self.values.get(no as usize));
        Valued {
            key: self.key.clone(),
            value: value.map(|v| v.value.clone()),
            inferred: value.is_some_and(|v| v.inferred),
        }
    }

    /// Cuts a stretch of a goroutine's time where the value changes: hands on each piece with its value, in order of time. All
    /// pieces together are the stretch.
    pub fn pieces(&self, go: GoIdx, (from, to): (Time, Time), each: &mut dyn FnMut(ValueNo, Duration)) {
        let all = self.by.get(&go).map_or(&[][..], Vec::as_slice);
        let mut at = from;
        let first = all.partition_point(|s| s.1 <= from);
        for &(begins, ends, no) in all[first..].iter().take_while(|s| s.0 < to) {
            let (begins, ends) = (begins.max(at), ends.min(to));
            // A single sample is an instant, and parts nothing.
            if ends <= begins {
                continue;
            }
            if begins > at {
                each(None, begins - at);
            }
            each(Some(no), ends - begins);
            at = ends;
        }
        if to > at {
            each(None, to - at);
        }
    }

    /// The value that a goroutine has at an instant; both ends of a stretch belong to it.
    pub fn at(&self, go: GoIdx, at: Time) -> ValueNo {
        let all = self.by.get(&go)?;
        let s = all.get(all.partition_point(|s| s.1 < at))?;
        (s.0 <= at).then_some(s.2)
    }

    /// The value that a goroutine has for most of a stretch of time; one that is known at a single instant of it counts, too.
    /// Of values that have it for as long the first counts.
    pub fn of(&self, go: GoIdx, (from, to): (Time, Time)) -> ValueNo {
        let all = self.by.get(&go)?;
        let first = all.partition_point(|s| s.1 < from);
        let mut sums: Vec<(u32, i64)> = Vec::new();
        for &(begins, ends, no) in all[first..].iter().take_while(|s| s.0 <= to) {
            // An instant is a nanosecond.
            let len = (ends.min(to) - begins.max(from)).ns() + 1;
            match sums.iter_mut().find(|s| s.0 == no) {
                Some(sum) => sum.1 += len,
                None => sums.push((no, len)),
            }
        }
        sums.into_iter().min_by_key(|s| Reverse(s.1)).map(|s| s.0)
    }

    /// Why there are no values, and which labels there are; nothing where there are some.
    pub fn missing(&self, beside: &Beside) -> Option<String> {
        if !self.values.is_empty() {
            return None;
        }
        let mut keys: Vec<&str> = beside.labels().iter().map(|l| l.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        Some(match keys.is_empty() {
            true => {
                "no goroutine has a label: give a CPU profile or a goroutine dump of the run (--with FILE)".to_owned()
            }
            false => {
                let meant = spell::hint_nearest(&self.key, keys.iter().copied());
                format!("no goroutine has a label {}{meant}; there are: {}", self.key, keys.join(", "))
            }
        })
    }
}

/// What goroutines did while they had a value of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sum {
    /// The label and its value.
    pub of: Valued,
    /// How many goroutines had it; one with several values in turn counts with each.
    pub goroutines: u64,
    /// Time by state.
    pub times: Times,
    /// CPU samples; those of no goroutine are without a value.
    pub samples: u64,
}

/// What one pass gathers, by value.
struct Sums<'a> {
    label: &'a Label,
    by: FxHashMap<ValueNo, Sum>,
    had: FxHashSet<(ValueNo, GoIdx)>,
    known: FxHashSet<GoIdx>,
}

impl Sums<'_> {
    fn sum(&mut self, value: ValueNo) -> &mut Sum {
        let new = || Sum { of: self.label.valued(value), goroutines: 0, times: Times::default(), samples: 0 };
        self.by.entry(value).or_insert_with(new)
    }
}

impl Visit for Sums<'_> {
    fn end(&mut self, i: &Interval) {
        let label = self.label;
        self.known.insert(i.go);
        label.pieces(i.go, (i.from, i.to), &mut |value, len| {
            self.had.insert((value, i.go));
            let times = &mut self.sum(value).times;
            match i.state {
                GoState::Running => times.running += len,
                GoState::Runnable => times.runnable += len,
                GoState::Waiting => times.waiting += len,
                GoState::Syscall => times.syscall += len,
                GoState::NotExist | GoState::Undetermined => {}
            }
        });
    }
}

/// What goroutines did by the values of a label, those with the longest time first; what they did without one is a group of
/// its own, so that the times sum to those of all goroutines. The trace has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn sums<S: Source>(source: &S, label: &Label) -> Result<Vec<Sum>, Unanswered> {
    let mut all = Sums { label, by: FxHashMap::default(), had: FxHashSet::default(), known: FxHashSet::default() };
    tracker::each(source, &mut all)?;
    let mut with = Vec::new();
    source.with_index(&mut |index| with = index.segments.iter().map(|s| s.kinds).collect());
    let sampled = (0..with.len()).filter(|&i| with[i] & 1 << Kind::CpuSample as u8 != 0);
    for i in sampled {
        let seg = source.segment(i)?;
        // One of no goroutine has no label either.
        for i in (0..seg.len()).filter(|&i| seg.kind[i] == Kind::CpuSample) {
            all.sum(label.at(seg.go[i], seg.time[i])).samples += 1;
        }
    }
    // A value that is known of one instant alone is one, too.
    for (go, stretches) in label.by.iter().filter(|s| all.known.contains(s.0)) {
        all.had.extend(stretches.iter().map(|s| (Some(s.2), *go)));
    }
    for (value, _) in std::mem::take(&mut all.had) {
        all.sum(value).goroutines += 1;
    }
    let mut out: Vec<Sum> = all.by.into_values().collect();
    out.sort_by(|a, b| (b.times.total(), &a.of).cmp(&(a.times.total(), &b.of)));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::beside::Labelled;

    fn label(rows: &[(u32, i64, i64, &str, bool)]) -> Label {
        let rows = rows.iter().map(|&(go, from, to, value, exact)| {
            let (go, from, to) = (GoIdx(go), Time(from), Time(to));
            Labelled { go, from, to, key: "endpoint".into(), value: value.into(), exact }
        });
        let other =
            Labelled { go: GoIdx(1), from: Time(0), to: Time(99), key: "k".into(), value: "v".into(), exact: true };
        Label::new(&Beside::new(rows.chain([other]).collect(), Vec::new()), "endpoint")
    }

    fn pieces(l: &Label, go: u32, from: i64, to: i64) -> Vec<(&str, i64)> {
        let mut out = Vec::new();
        l.pieces(GoIdx(go), (Time(from), Time(to)), &mut |no, len| {
            out.push((no.map_or("-", |no| l.values[no as usize].value.as_str()), len.ns()));
        });
        out
    }

    #[test]
    fn a_stretch_is_cut_where_the_value_changes_and_nothing_of_it_is_lost() {
        let l = label(&[(1, 10, 20, "/pay", false), (1, 20, 30, "/refund", false), (1, 50, 50, "/pay", false)]);
        assert_eq!(pieces(&l, 1, 0, 60), [("-", 10), ("/pay", 10), ("/refund", 10), ("-", 30)]);
        assert_eq!(pieces(&l, 1, 12, 25), [("/pay", 8), ("/refund", 5)]);
        assert_eq!(pieces(&l, 1, 30, 40), [("-", 10)]);
        assert_eq!(pieces(&l, 2, 0, 7), [("-", 7)]);
        assert_eq!(pieces(&l, 1, 7, 7), []);
    }

    #[test]
    fn the_value_of_a_stretch_is_that_of_most_of_it() {
        let l = label(&[(1, 10, 20, "/pay", false), (1, 25, 60, "/refund", false), (1, 70, 70, "/pay", false)]);
        let value = |no: ValueNo| no.map(|no| l.values[no as usize].value.as_str());
        let of = |from, to| value(l.of(GoIdx(1), (Time(from), Time(to))));
        assert_eq!((of(0, 30), of(0, 40), of(61, 69), of(65, 80)), (Some("/pay"), Some("/refund"), None, Some("/pay")));
        let at = |t| value(l.at(GoIdx(1), Time(t)));
        assert_eq!((at(20), at(22), at(25), at(70), at(71)), (Some("/pay"), None, Some("/refund"), Some("/pay"), None));
        assert_eq!(l.of(GoIdx(3), (Time(0), Time(99))), None);
    }

    #[test]
    fn two_values_at_once_are_not_counted_twice() {
        // Two dumps that differ, each of which counts for the whole life.
        let l =
            label(&[(1, 0, 100, "/a", true), (1, 0, 100, "/b", true), (2, 0, 50, "/a", true), (2, 0, 50, "/a", true)]);
        assert_eq!((pieces(&l, 1, 0, 100), pieces(&l, 2, 0, 60)), (vec![("/a", 100)], vec![("/a", 50), ("-", 10)]));
        assert!(l.values.iter().all(|v| !v.inferred));
    }
}
