//! Splits one wait for a P, wherever it is: for those who follow a few waits through a trace, as `why` does.

use super::ops::{Log, Op};
use super::parts::{Parts, What};
use super::sweep::Sweep;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{Duration, GoIdx, Time};
use crate::model::Index;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Segments whose stretches are held at a time.
const HELD: usize = 8;

/// What a wait for a P consists of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// Its parts; they sum to its length.
    pub parts: Parts,
    /// What had the Ps while all were busy, most first; the times sum to `parts.busy`.
    pub behind: Vec<Behind>,
}

/// What had a P meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behind {
    /// The goroutine; `NONE` where a thread had the P and was between two goroutines.
    pub go: GoIdx,
    /// Whether it was in a syscall.
    pub in_syscall: bool,
    /// Its share.
    pub time: Duration,
}

/// A stretch of time in which the same goroutines had Ps.
struct Stretch {
    from: Time,
    what: What,
    /// Where its goroutines end in `on`; they begin where those of the stretch before end.
    to: u32,
}

#[derive(Default)]
struct Stretches {
    list: Vec<Stretch>,
    on: Vec<(GoIdx, bool)>,
}

impl Stretches {
    fn on(&self, i: usize) -> &[(GoIdx, bool)] {
        let from = i.checked_sub(1).map_or(0, |b| self.list[b].to as usize);
        &self.on[from..self.list[i].to as usize]
    }
}

/// Splits waits for a P, one after the other.
pub struct Splitter<'a, S> {
    source: &'a S,
    index: &'a Index,
    held: FxHashMap<usize, Rc<Stretches>>,
}

impl<'a, S: Source> Splitter<'a, S> {
    /// Splits waits of a trace that has been read whole.
    pub fn new(source: &'a S, index: &'a Index) -> Splitter<'a, S> {
        Splitter { source, index, held: FxHashMap::default() }
    }

    /// Splits what a goroutine waited for a P between `from` and `to`.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn split(&mut self, from: Time, to: Time) -> Result<Split, Unanswered> {
        let mut out = Split::default();
        let mut shares: FxHashMap<(GoIdx, bool), Duration> = FxHashMap::default();
        let segments = &self.index.segments;
        // A segment covers the time up to the next one's first event.
        let last = segments.partition_point(|s| s.from < to).max(1);
        let first = segments.partition_point(|s| s.from <= from).saturating_sub(1);
        for i in first..last.min(segments.len()) {
            let end = segments.get(i + 1).map_or(Time::MAX, |s| s.from).min(to);
            let start = if i == first { from } else { segments[i].from.max(from) };
            let stretches = self.stretches(i)?;
            let list = &stretches.list;
            let mut at = start;
            let mut k = list.partition_point(|s| s.from <= start).saturating_sub(1);
            while at < end && k < list.len() {
                let until = list.get(k + 1).map_or(end, |s| s.from).min(end);
                let d = until - at;
                if d > Duration::ZERO {
                    out.parts.grow(list[k].what, d);
                    if list[k].what == What::Busy {
                        share(d, stretches.on(k), &mut shares);
                    }
                    at = until;
                }
                k += 1;
            }
        }
        // Of a trace without events nothing is known.
        out.parts.idle += (to - from) - out.parts.total();
        let some = shares.into_iter().filter(|s| s.1 > Duration::ZERO);
        out.behind = some.map(|((go, in_syscall), time)| Behind { go, in_syscall, time }).collect();
        out.behind.sort_by_key(|b| (std::cmp::Reverse(b.time), b.go, b.in_syscall));
        Ok(out)
    }

    fn stretches(&mut self, i: usize) -> Result<Rc<Stretches>, Unanswered> {
        if let Some(s) = self.held.get(&i) {
            return Ok(s.clone());
        }
        let segments = &self.index.segments;
        // One that does nothing in a whole segment does in the one before: the runtime stops who runs for 10 ms.
        let first = i.saturating_sub(1);
        let start = segments.get(first).map_or(Time::MIN, |s| s.from);
        let mut log = Log::bare(start);
        for k in first..=i {
            log.add_segment(&*self.source.segment(k)?);
        }
        let mut sweep = Sweep::new(start, (Time::MIN, Time::MAX));
        let known = self.index.gomaxprocs.partition_point(|p| p.0 <= start).saturating_sub(1);
        sweep.limit = self.index.gomaxprocs.get(known).map_or(0, |p| p.1.min(u64::from(u16::MAX)) as u32);
        sweep.begin(&log);
        let from = segments.get(i).map_or(start, |s| s.from);
        let mut out = Stretches::default();
        out.note(&sweep);
        for r in log.blocks().flatten() {
            sweep.follow(*r);
            let changes = !matches!(r.op, Op::Later | Op::Far | Op::Unblock | Op::Create | Op::CreateBlocked);
            if changes && sweep.now >= from {
                out.note(&sweep);
            } else if changes {
                out = Stretches::default();
                out.note(&sweep);
            }
        }
        if self.held.len() >= HELD {
            self.held.clear();
        }
        let out = Rc::new(out);
        self.held.insert(i, out.clone());
        Ok(out)
    }
}

impl Stretches {
    /// From now on the goroutines that have Ps are others, perhaps.
    fn note(&mut self, sweep: &Sweep) {
        if self.list.last().is_some_and(|s| s.from == sweep.now) {
            self.list.pop();
            self.on.truncate(self.list.last().map_or(0, |s| s.to as usize));
        }
        self.on.extend(sweep.occupants().map(|(go, syscall)| (GoIdx(go), syscall)));
        self.list.push(Stretch { from: sweep.now, what: sweep.what(), to: self.on.len() as u32 });
    }
}

/// Shares `d` among those that had Ps, in equal parts.
fn share(d: Duration, on: &[(GoIdx, bool)], shares: &mut FxHashMap<(GoIdx, bool), Duration>) {
    if on.is_empty() {
        *shares.entry((GoIdx::NONE, false)).or_default() += d;
        return;
    }
    let n = on.len() as i64;
    for (i, who) in (0i64..).zip(on) {
        // What the division leaves goes to the first ones, a nanosecond each.
        *shares.entry(*who).or_default() += Duration(d.ns() / n + i64::from(i < d.ns() % n));
    }
}
