//! Splits single waits for a P: for those who follow a few waits through a trace, as `why` does.

use super::ops::{Log, Op};
use super::parts::{Parts, What};
use super::sweep::Sweep;
use crate::analysis::states::source::Unanswered;
use crate::base::{Duration, GoIdx, Time};
use crate::model::{Index, Segment};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::sync::Arc;

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

/// What a wait is charged to: goroutines, and whether they were in a syscall.
type Charged = FxHashMap<(GoIdx, bool), Duration>;

/// The part of a wait that a segment covers.
struct Part {
    segment: usize,
    from: Time,
    to: Time,
    /// Which wait.
    wait: usize,
}

/// Splits what goroutines waited for a P, each from one instant to another; in the order of `waits`. Each segment is gone
/// through once for all of them, the last first. `segment` decodes one, of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn split(
    index: &Index,
    waits: &[(Time, Time)],
    segment: &mut dyn FnMut(usize) -> Result<Arc<Segment>, Unanswered>,
) -> Result<Vec<Split>, Unanswered> {
    let mut parts = parts(index, waits);
    parts.sort_unstable_by_key(|p| (Reverse(p.segment), p.from, p.wait));
    let mut sums: Vec<(Parts, Charged)> = vec![Default::default(); waits.len()];
    for of in parts.chunk_by(|a, b| a.segment == b.segment) {
        let stretches = Stretches::of(index, of, segment)?;
        of.iter().for_each(|p| stretches.charge(p, &mut sums[p.wait]));
    }
    let whole = waits.iter().zip(sums).map(|((from, to), (mut parts, shares))| {
        // Of a trace without events nothing is known.
        parts.idle += (*to - *from) - parts.total();
        let some = shares.into_iter().filter(|s| s.1 > Duration::ZERO);
        let mut behind: Vec<Behind> = some.map(|((go, in_syscall), time)| Behind { go, in_syscall, time }).collect();
        behind.sort_by_key(|b| (Reverse(b.time), b.go, b.in_syscall));
        Split { parts, behind }
    });
    Ok(whole.collect())
}

/// The parts of waits, segment by segment.
fn parts(index: &Index, waits: &[(Time, Time)]) -> Vec<Part> {
    let segments = &index.segments;
    let mut out = Vec::with_capacity(waits.len());
    for (wait, &(from, to)) in waits.iter().enumerate() {
        // A segment covers the time up to the next one's first event.
        let last = segments.partition_point(|s| s.from < to).max(1);
        let first = segments.partition_point(|s| s.from <= from).saturating_sub(1);
        for segment in first..last.min(segments.len()) {
            let to = segments.get(segment + 1).map_or(Time::MAX, |s| s.from).min(to);
            let from = if segment == first { from } else { segments[segment].from.max(from) };
            if from < to {
                out.push(Part { segment, from, to, wait });
            }
        }
    }
    out
}

/// A stretch of time in which the same goroutines had Ps.
struct Stretch {
    from: Time,
    to: Time,
    what: What,
    /// Where its goroutines end in `on`; they begin where those of the stretch before end.
    on: u32,
}

/// The stretches of a segment in which somebody waits.
#[derive(Default)]
struct Stretches {
    list: Vec<Stretch>,
    on: Vec<(GoIdx, bool)>,
}

impl Stretches {
    /// Those of the segment that `parts` are of: there are some, the first first.
    fn of(
        index: &Index,
        parts: &[Part],
        segment: &mut dyn FnMut(usize) -> Result<Arc<Segment>, Unanswered>,
    ) -> Result<Stretches, Unanswered> {
        let i = parts[0].segment;
        // One that does nothing in a whole segment does in the one before: the runtime stops who runs for 10 ms.
        let first = i.saturating_sub(1);
        let start = index.segments.get(first).map_or(Time::MIN, |s| s.from);
        let mut log = Log::bare(start);
        for k in first..=i {
            log.add_segment(&*segment(k)?);
        }
        let known = index.gomaxprocs.partition_point(|p| p.0 <= start).saturating_sub(1);
        let procs = index.gomaxprocs.get(known).map_or(0, |p| p.1.min(u64::from(u16::MAX)) as u32);
        let mut sweep = Sweep::bare(start, procs);
        sweep.begin(&log);
        let mut out = Stretches::default();
        let mut wanted = parts.iter().peekable();
        let (mut since, mut until) = (Time::MIN, Time::MIN);
        // Whether somebody waits at some time from `since` to `now`.
        let mut waits = |since: Time, now: Time| {
            while let Some(p) = wanted.next_if(|p| p.from < now) {
                until = until.max(p.to);
            }
            (until > since, until <= now && wanted.peek().is_none())
        };
        for r in log.blocks().flatten() {
            let changes = !matches!(r.op, Op::Later | Op::Far | Op::Unblock | Op::Create | Op::CreateBlocked);
            let now = sweep.now + Duration(i64::from(r.dt));
            if changes && now > sweep.start.max(since) {
                let (wanted, last) = waits(since, now);
                if wanted {
                    out.note(&sweep, since, now);
                }
                if last {
                    return Ok(out);
                }
                since = now;
            }
            sweep.follow(*r);
        }
        out.note(&sweep, since, Time::MAX);
        Ok(out)
    }

    /// From `from` to `to` the same goroutines have Ps as now.
    fn note(&mut self, sweep: &Sweep<false>, from: Time, to: Time) {
        self.on.extend(sweep.occupants().map(|(go, syscall)| (GoIdx(go), syscall)));
        self.list.push(Stretch { from, to, what: sweep.what(), on: self.on.len() as u32 });
    }

    fn on(&self, i: usize) -> &[(GoIdx, bool)] {
        let from = i.checked_sub(1).map_or(0, |b| self.list[b].on as usize);
        &self.on[from..self.list[i].on as usize]
    }

    /// Adds up what a part of a wait consists of.
    fn charge(&self, part: &Part, (parts, shares): &mut (Parts, Charged)) {
        let first = self.list.partition_point(|s| s.to <= part.from);
        for (k, s) in self.list.iter().enumerate().skip(first).take_while(|(_, s)| s.from < part.to) {
            let d = s.to.min(part.to) - s.from.max(part.from);
            parts.grow(s.what, d);
            if s.what == What::Busy {
                share(d, self.on(k), shares);
            }
        }
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
