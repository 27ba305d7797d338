//! The kernel beside a trace: what a goroutine's *running* and *syscall* were on the CPUs, by the scheduler's events that
//! `perf` recorded meanwhile.
//!
//! A trace says that a goroutine runs from when its thread is given it until it gives it back; whether that thread was on a
//! CPU the kernel knows. The threads are matched by number, the clocks by [`align`]; and since whoever writes an event is on
//! a CPU, the trace's own events say how well that went.

pub mod align;
#[cfg(test)]
mod tests;
mod threads;

pub use align::{Grounds, Offset, Snapshot};
pub use threads::{Change, Doing, Recorded, read};

use crate::analysis::states::tracker::{Interval, Tracker, Visit};
use crate::analysis::states::walk;
use crate::base::{Duration, GoIdx, GroupId, ThreadIdx, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Index, Segment};
use crate::read::Trace;
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;

/// How far a switch may be from the event that it belongs to: the kernel notes it a little before or after.
pub const SLACK: i64 = 5_000;
/// Fewest events of the trace, in percent, that have to fall into times in which their thread was on a CPU.
const AGREE: u64 = 80;
/// How many of the longest stretches off the CPU are kept.
const LONGEST: usize = 20;

/// Time that threads spent in each way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// All of it, as the trace says. The others add up to it.
    pub total: Duration,
    /// On a CPU.
    pub on: Duration,
    /// Runnable, with another thread on the CPU.
    pub preempted: Duration,
    /// Woken, and waiting for a CPU.
    pub woken: Duration,
    /// Asleep in the kernel.
    pub blocked: Duration,
    /// Not recorded.
    pub unknown: Duration,
}

impl Split {
    fn add(&mut self, to: Option<Doing>, d: Duration) {
        self.total += d;
        let part = match to {
            Some(Doing::On) => &mut self.on,
            Some(Doing::Preempted(_)) => &mut self.preempted,
            Some(Doing::Woken) => &mut self.woken,
            Some(Doing::Blocked(_)) => &mut self.blocked,
            None => &mut self.unknown,
        };
        *part += d;
    }

    /// Off the CPUs, as far as it is known.
    pub fn off(&self) -> Duration {
        self.preempted + self.woken + self.blocked
    }
}

/// Running and syscalls, each split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Both {
    /// While a goroutine was running.
    pub running: Split,
    /// While it was in a syscall.
    pub syscall: Split,
}

/// How often and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Stretches.
    pub count: u64,
    /// All of them together.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl Count {
    fn add(&mut self, d: Duration) {
        self.count += 1;
        self.total += d;
        self.max = self.max.max(d);
    }
}

/// A stretch in which a goroutine was running and its thread was on no CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Off {
    /// The goroutine.
    pub go: GoIdx,
    /// Its thread's number.
    pub tid: i64,
    /// From when, on the trace's clock.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// What it did instead.
    pub doing: Doing,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Beside {
    /// How the clocks lie.
    pub offset: Offset,
    /// All goroutines together.
    pub all: Both,
    /// By group, most time off the CPU while running first.
    pub groups: Vec<(GroupId, Both)>,
    /// Who was on the CPU while a goroutine was running and would have gone on: names of threads, not escaped, most first.
    pub preempted_by: Vec<(String, Count)>,
    /// Where threads slept in the kernel, while a goroutine was running and in syscalls: stacks, leaf first, not escaped.
    pub blocked_in: Vec<(Vec<String>, Both, Count)>,
    /// The longest stretches off the CPU while running.
    pub longest: Vec<Off>,
    /// The part of the trace that perf recorded, on the trace's clock.
    pub covered: (Time, Time),
    /// Threads of the trace, and how many of them are in the recording.
    pub threads: (u64, u64),
    /// Events of the trace in the time that was recorded, and how many of them were while their thread was on a CPU.
    pub events: (u64, u64),
    /// What is to be known, a sentence each, safe to show.
    pub warnings: Vec<String>,
}

/// Lays a recording over a trace that has been read whole; `said` is the offset that the user gives, nanoseconds to add to
/// perf's times.
///
/// # Errors
///
/// A sentence, safe to show: the recording has no scheduler's events, the clocks cannot be laid over each other, the threads
/// are others.
pub fn beside(trace: &Trace, r: &Recorded, said: Option<i64>) -> Result<Beside, String> {
    let Some(covered) = r.covered.filter(|_| r.switches > 0) else {
        return Err("the recording has no sched:sched_switch events: record with `perf record -k mono -c 1 -e sched:sched_switch -e sched:sched_wakeup`".into());
    };
    let index = trace.index();
    let snapshot = match index.segments.is_empty() {
        true => None,
        false => align::snapshot(&*trace.segment(0).map_err(|e| e.to_string())?),
    };
    let offset = align::offset(r, &index, snapshot, said)?;
    let on_trace = |ns: u64| Time(i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(offset.ns));
    let covered = (on_trace(covered.0), on_trace(covered.1));
    if covered.1 < index.start || covered.0 > index.end {
        let (far, side) = if covered.1 < index.start {
            (index.start - covered.1, "ended before the trace began")
        } else {
            (covered.0 - index.end, "began after the trace ended")
        };
        return Err(format!(
            "the recording {side}, by {far}: it is of another run, or on another clock (record with -k mono, or say --offset)"
        ));
    }
    let tids: Vec<i64> = index.threads.iter().map(|t| t.id.0.cast_signed()).collect();
    let matched = tids.iter().filter(|t| r.threads.contains_key(t)).count() as u64;
    if matched == 0 {
        return Err(strangers(&tids, r));
    }
    let mut visit = Laying {
        index: &index,
        recorded: r,
        offset: offset.ns,
        covered,
        tids: &tids,
        all: Both::default(),
        groups: FxHashMap::default(),
        preempted: FxHashMap::default(),
        blocked: FxHashMap::default(),
        longest: Vec::new(),
        events: (0, 0),
    };
    let mut tracker = Tracker::new(&index);
    walk::segments(trace, 0..index.segments.len(), walk::threads(), &mut |_, seg| {
        visit.check(seg);
        tracker.add(seg, &mut visit);
        ControlFlow::Continue(())
    })?;
    tracker.finish(index.end, &mut visit);
    visit.finish((tids.len() as u64, matched), offset)
}

/// Why no thread of the trace is in the recording.
fn strangers(tids: &[i64], r: &Recorded) -> String {
    let few = |mut all: Vec<i64>| {
        all.sort_unstable();
        all.iter().take(3).map(i64::to_string).collect::<Vec<_>>().join(", ")
    };
    let small = tids.iter().all(|&t| t < 1000);
    let why = if small {
        "the program ran in a PID namespace, where threads have other numbers: record inside of it"
    } else {
        "it is of another process"
    };
    format!(
        "no thread of the trace ({}, …) is in the recording ({}, …): {why}",
        few(tids.to_vec()),
        few(r.threads.keys().copied().collect())
    )
}

/// Lays stretches over the threads' histories.
struct Laying<'a> {
    index: &'a Index,
    recorded: &'a Recorded,
    offset: i64,
    covered: (Time, Time),
    tids: &'a [i64],
    all: Both,
    groups: FxHashMap<GroupId, Both>,
    preempted: FxHashMap<u32, Count>,
    blocked: FxHashMap<u32, (Both, Count)>,
    longest: Vec<Off>,
    events: (u64, u64),
}

impl Visit for Laying<'_> {
    fn begin(&mut self, now: &Interval, seg: &Segment, i: usize) -> u32 {
        // A status is told by whoever tells it.
        u32::from(if now.kind == Kind::GoStatus { ThreadIdx::NONE.0 } else { seg.thread[i].0 })
    }

    fn end(&mut self, iv: &Interval) {
        let syscall = match iv.state {
            GoState::Running => false,
            GoState::Syscall => true,
            _ => return,
        };
        let began = u16::try_from(iv.mark).map_or(ThreadIdx::NONE, ThreadIdx);
        let thread = if began == ThreadIdx::NONE { iv.end.map_or(ThreadIdx::NONE, |e| e.thread) } else { began };
        let tid = self.tids.get(thread.0 as usize).copied();
        let group = self.index.goroutine(iv.go).map_or(GroupId(u32::MAX), |g| g.group);
        let mut parts = Vec::new();
        self.parts(tid, iv.from, iv.to, &mut parts);
        for (from, to, doing) in parts {
            self.count(iv.go, (tid.unwrap_or(-1), syscall, group), from, to, doing);
        }
    }
}

impl Laying<'_> {
    /// A time of the recording on the trace's clock.
    fn on_trace(&self, ns: u64) -> Time {
        Time(i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(self.offset))
    }

    /// What a thread did at an instant of the trace, and the position of the change after it.
    fn at(&self, changes: &[Change], at: Time) -> (Option<Doing>, usize) {
        let next = changes.partition_point(|c| self.on_trace(c.at) <= at);
        let doing = match next.checked_sub(1).map(|i| changes[i].to) {
            Some(doing) => Some(doing),
            // What a thread leaves at its first change it was in before.
            None => changes.first().and_then(|c| match c.to {
                Doing::On => None,
                Doing::Woken => Some(Doing::Blocked(0)),
                Doing::Preempted(_) | Doing::Blocked(_) => Some(Doing::On),
            }),
        };
        (doing, next)
    }

    /// Cuts a stretch of a thread where what it did changed.
    fn parts(&self, tid: Option<i64>, from: Time, to: Time, out: &mut Vec<(Time, Time, Option<Doing>)>) {
        let changes = tid.and_then(|t| self.recorded.threads.get(&t)).map_or(&[][..], Vec::as_slice);
        let mut put = |from: Time, to: Time, doing| {
            if from < to {
                out.push((from, to, doing));
            }
        };
        let (known_from, known_to) = (from.max(self.covered.0).min(to), to.min(self.covered.1).max(from));
        put(from, known_from, None);
        if known_from < known_to {
            let (mut doing, mut next) = self.at(changes, known_from);
            let mut since = known_from;
            while let Some(c) = changes.get(next) {
                let at = self.on_trace(c.at);
                if at >= known_to {
                    break;
                }
                put(since, at, doing);
                (since, doing, next) = (at, Some(c.to), next + 1);
            }
            put(since, known_to, doing);
        }
        put(known_to.max(known_from), to, None);
    }

    fn count(
        &mut self,
        go: GoIdx,
        (tid, syscall, group): (i64, bool, GroupId),
        from: Time,
        to: Time,
        doing: Option<Doing>,
    ) {
        let d = to - from;
        let of = |b: &mut Both| if syscall { b.syscall.add(doing, d) } else { b.running.add(doing, d) };
        of(&mut self.all);
        of(self.groups.entry(group).or_default());
        match doing {
            Some(Doing::Preempted(name)) if !syscall => self.preempted.entry(name).or_default().add(d),
            Some(Doing::Blocked(stack)) => {
                let (both, count) = self.blocked.entry(stack).or_default();
                of(both);
                count.add(d);
            }
            _ => {}
        }
        if let Some(doing) = doing.filter(|d| *d != Doing::On && !syscall) {
            self.longest.push(Off { go, tid, from, to, doing });
            if self.longest.len() >= 4 * LONGEST {
                self.keep_longest();
            }
        }
    }

    fn keep_longest(&mut self) {
        self.longest.sort_by_key(|o| (std::cmp::Reverse(o.to - o.from), o.from, o.go));
        self.longest.truncate(LONGEST);
    }

    /// Counts the events that their threads wrote while they were on a CPU.
    fn check(&mut self, seg: &Segment) {
        for i in 0..seg.len() {
            let at = seg.time[i];
            let known = at >= self.covered.0 && at <= self.covered.1 && seg.by[i].is_some();
            let tid = self.tids.get(seg.thread[i].0 as usize).filter(|_| known);
            let Some(changes) = tid.and_then(|t| self.recorded.threads.get(t)) else { continue };
            self.events.0 += 1;
            let slack = Duration(SLACK);
            let on = |at: Time| matches!(self.at(changes, at).0, Some(Doing::On));
            self.events.1 += u64::from(on(at) || on(at + slack) || on(Time(at.0.saturating_sub(SLACK))));
        }
    }

    fn finish(mut self, threads: (u64, u64), offset: Offset) -> Result<Beside, String> {
        let (all, on) = self.events;
        if on * 100 < all * AGREE {
            return Err(format!(
                "only {on} of {all} events of the trace were while their thread was on a CPU: the clocks do not agree, or \
                 switches are missing (record with -k mono and -c 1, or say --offset)"
            ));
        }
        self.keep_longest();
        let warnings = self.warnings(threads, offset);
        let r = self.recorded;
        let mut groups: Vec<(GroupId, Both)> = self.groups.into_iter().collect();
        groups.sort_by_key(|(g, b)| (std::cmp::Reverse(b.running.off()), std::cmp::Reverse(b.running.total), *g));
        let mut preempted_by: Vec<(String, Count)> =
            self.preempted.into_iter().map(|(n, c)| (r.names[n as usize].clone(), c)).collect();
        preempted_by.sort_by(|a, b| (b.1.total, &a.0).cmp(&(a.1.total, &b.0)));
        let mut blocked_in: Vec<(Vec<String>, Both, Count)> =
            self.blocked.into_iter().map(|(s, (b, c))| (r.stacks[s as usize].clone(), b, c)).collect();
        blocked_in.sort_by(|a, b| (b.2.total, &a.0).cmp(&(a.2.total, &b.0)));
        let (all, events, longest) = (self.all, self.events, self.longest);
        let covered = (self.covered.0.max(self.index.start), self.covered.1.min(self.index.end));
        Ok(Beside { covered, offset, all, groups, preempted_by, blocked_in, longest, threads, events, warnings })
    }

    fn warnings(&self, (threads, matched): (u64, u64), offset: Offset) -> Vec<String> {
        let r = self.recorded;
        let mut out = Vec::new();
        if offset.by == Grounds::Assumed {
            out.push(
                "the recording does not say its clock (print it with `perf script --header`): taken for monotonic"
                    .into(),
            );
        }
        if r.unchained * 100 > r.switches {
            out.push(format!(
                "{} of {} switches do not follow from those before: some are missing, as with a frequency (-F) for \
                 tracepoints; record them with -c 1",
                r.unchained, r.switches
            ));
        }
        let (all, on) = self.events;
        if on * 100 < all * 98 {
            out.push(format!("{} of {all} events of the trace were while their thread was on no CPU", all - on));
        }
        if matched < threads {
            out.push(format!("{} of {threads} threads of the trace are not in the recording", threads - matched));
        }
        if !r.nanoseconds {
            out.push("times are in microseconds (print them with `perf script --ns`)".into());
        }
        if self.blocked.keys().all(|s| *s == 0) && !self.blocked.is_empty() {
            out.push("where threads slept in the kernel is not recorded: record with -g".into());
        }
        if r.odd > 0 {
            out.push(format!("{} lines are none of perf script's", r.odd));
        }
        out
    }
}
