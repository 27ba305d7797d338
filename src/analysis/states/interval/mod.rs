//! What a goroutine was doing at an instant: since when, until when, why, and who ended it.

use super::source::Source;
use super::spans;
use super::spans::{Cuts, Span};
use crate::analysis::states::tracker::made_by_timer;
use crate::base::{Duration, GoIdx, ProcIdx, StackId, StringId, ThreadIdx, Time};
use crate::model::reasons::TABLE;
use crate::model::segment::{GoState, Kind};
use crate::model::{Cell, Detail, Event, Lane, Segment};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What begins or ends an interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Edge {
    /// The trace's beginning or end: the interval goes on beyond it.
    Trace,
    /// The beginning or end of a recording of several: what it was doing beyond is not known.
    Untraced,
    /// The part of the trace that could be looked at ended first.
    Unread,
    /// An event about the goroutine.
    Event(Event),
}

impl Edge {
    /// The event, if it is one.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Edge::Event(e) => Some(e),
            _ => None,
        }
    }
}

/// Who made a goroutine runnable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A goroutine: it unblocked or created this one.
    Goroutine(GoIdx),
    /// The runtime, on a thread without goroutine: see [`by_reason`].
    Runtime,
    /// A timer, which started it.
    Timer,
    /// Itself: it came back from a syscall.
    Syscall {
        /// Whether the P on which it had gone into it was still its own.
        kept: bool,
    },
}

/// What ended a wait or a syscall: who, when, where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Waker {
    /// Who.
    pub by: By,
    /// When.
    pub at: Time,
    /// Where it was in its code; `NONE` if unknown.
    pub stack: StackId,
    /// On which P.
    pub proc: ProcIdx,
    /// On which thread.
    pub thread: ThreadIdx,
    /// Whether it created the goroutine rather than woke it.
    pub created: bool,
}

/// A goroutine whose wait a running interval ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Woke {
    /// The goroutine that had waited.
    pub go: GoIdx,
    /// When.
    pub at: Time,
    /// Where the waker was in its code.
    pub stack: StackId,
}

/// An interval in which a goroutine stayed in one state.
#[derive(Clone, PartialEq, Debug)]
pub struct Interval {
    /// The goroutine.
    pub go: GoIdx,
    /// Its state.
    pub state: GoState,
    /// When it was entered.
    pub from: Time,
    /// When it was left.
    pub to: Time,
    /// What entered it.
    pub begin: Edge,
    /// What left it.
    pub end: Edge,
    /// Why it waits, or why it stopped running; `NONE` if the trace does not say.
    pub reason: StringId,
    /// Where in its code the goroutine is meanwhile: where it blocked, stopped or entered the syscall; while it runs,
    /// where it ends up.
    pub stack: StackId,
    /// The P, while it runs.
    pub proc: ProcIdx,
    /// The thread, while it runs or is in a syscall.
    pub thread: ThreadIdx,
    /// Who ended the wait, or the syscall; for a runnable or running goroutine, who made it runnable.
    pub waker: Option<Waker>,
    /// The waits that it ended while it ran, the first [`MAX_WOKE`].
    pub woke: Vec<Woke>,
    /// CPU samples within, by stack, most first.
    pub samples: Vec<(StackId, u32)>,
}

/// How many goroutines that an interval woke are listed.
pub const MAX_WOKE: usize = 100;

/// How many segments are decoded on either side to find where an interval begins and ends. Segments in which the index
/// shows nothing but the same state are passed without decoding and do not count.
const MAX_REACH: usize = 64;

impl Interval {
    /// Its length.
    pub fn duration(&self) -> Duration {
        self.to - self.from
    }
}

/// The interval that goroutine `go` is in at `at`; `None` if it does not exist then, if `at` lies between two recordings,
/// where nothing is known of it, or if `cancel` was set.
///
/// Decodes segments: for a worker.
pub fn at(source: &dyn Source, go: GoIdx, at: Time, cancel: &AtomicBool) -> Option<Interval> {
    let cuts = source.cuts();
    if cuts.gap_at(at).is_some() {
        return None;
    }
    let home = cuts.segment_at(at)?;
    let seg = source.segment(home).ok()?;
    let reader = Reader { source, cuts: &cuts, go, cancel };
    let span = match spans::span_at(&seg, go, cuts.bounds(home), at) {
        Some(span) => span,
        None => reader.silent(home)?,
    };
    if matches!(span.state, GoState::NotExist | GoState::Undetermined) {
        return None;
    }
    let (from, begin, first) = reader.back(home, &seg, span);
    let (to, end, last) = reader.on(home, &seg, span);
    if cancel.load(Ordering::Relaxed) {
        return None;
    }
    let mut interval = Interval {
        go,
        state: span.state,
        from,
        to,
        begin,
        end,
        reason: StringId::NONE,
        stack: StackId::NONE,
        proc: ProcIdx::NONE,
        thread: ThreadIdx::NONE,
        waker: None,
        woke: Vec::new(),
        samples: Vec::new(),
    };
    interval.explain();
    reader.inside(&mut interval, first, last);
    if interval.stack == StackId::NONE {
        interval.stack = reader.restated_stack(&seg);
    }
    if interval.waker.is_none() && interval.state == GoState::Running {
        interval.waker = reader.made_runnable(interval.from);
    }
    Some(interval)
}

/// When goroutine `go` changed state next after `at`, or last before it; where a recording ends first, when the next
/// begins or the one before ended.
///
/// Decodes segments: for a worker. `None` if it did not, or `cancel` was set.
pub fn step(source: &dyn Source, go: GoIdx, from: Time, forward: bool, cancel: &AtomicBool) -> Option<Time> {
    let cuts = source.cuts();
    let now = at(source, go, from, cancel);
    let inside = |t: Time| cuts.starts.first().is_some_and(|&s| t >= s) && t < cuts.end;
    if forward {
        match now {
            Some(i) if i.end == Edge::Untraced => cuts.gap_at(i.to).map(|g| g.1),
            None => cuts.gap_at(from).map(|g| g.1),
            Some(i) => matches!(i.end, Edge::Event(_)).then_some(i.to).filter(|&t| inside(t)),
        }
    } else {
        match now {
            Some(i) if i.from < from && matches!(i.begin, Edge::Event(_)) => Some(i.from),
            _ => {
                let from = now.filter(|i| i.begin == Edge::Untraced).map_or(from, |i| i.from);
                if let Some(gap) = cuts.gap_at(from - Duration(1)) {
                    return Some(gap.0 - Duration(1));
                }
                let before = at(source, go, from - Duration(1), cancel)?;
                Some(before.from).filter(|&t| inside(t))
            }
        }
    }
}

/// The goroutine that was on P `proc` at an instant, if one was.
pub fn on_proc(source: &dyn Source, proc: ProcIdx, procs: usize, at: Time) -> Option<GoIdx> {
    let cuts = source.cuts();
    let i = cuts.segment_at(at).filter(|_| cuts.gap_at(at).is_none())?;
    let seg = source.segment(i).ok()?;
    let mut found = None;
    spans::runs(&seg, cuts.bounds(i), procs, at, at + Duration(1), |run| {
        if run.proc == proc {
            found = Some(run.go);
        }
    });
    found
}

impl Interval {
    /// Fills in what the events at both ends say.
    fn explain(&mut self) {
        let reason = |e: Option<&Event>| match e.map(|e| e.detail) {
            Some(Detail::Reason(r)) => r,
            _ => StringId::NONE,
        };
        let (begin, end) = (self.begin.event().copied(), self.end.event().copied());
        match self.state {
            GoState::Waiting => {
                self.reason = reason(begin.as_ref());
                self.stack = begin.map_or(StackId::NONE, |e| own_stack(&e));
                self.waker = end.as_ref().and_then(waker);
            }
            GoState::Runnable => {
                self.reason = reason(begin.as_ref());
                self.stack = begin.map_or(StackId::NONE, |e| own_stack(&e));
                self.waker = begin.as_ref().and_then(waker);
            }
            GoState::Syscall => {
                self.stack = begin.map_or(StackId::NONE, |e| own_stack(&e));
                self.thread = begin.or(end).map_or(ThreadIdx::NONE, |e| e.thread);
                self.waker = end.as_ref().and_then(waker);
            }
            GoState::Running => {
                self.reason = reason(end.as_ref());
                self.stack = end.map_or(StackId::NONE, |e| own_stack(&e));
                if let Some(e) = begin.or(end) {
                    (self.proc, self.thread) = (e.proc, e.thread);
                }
                // One that kept its P all through a syscall was never ready in between.
                self.waker = begin.as_ref().and_then(waker);
            }
            GoState::NotExist | GoState::Undetermined => {}
        }
    }
}

/// The stack of an event, if it is that of the goroutine the event is about.
fn own_stack(e: &Event) -> StackId {
    match e.kind {
        Kind::GoCreate | Kind::GoCreateBlocked => match e.detail {
            Detail::Entry(s) => s,
            _ => StackId::NONE,
        },
        Kind::GoUnblock => StackId::NONE,
        _ => e.stack,
    }
}

/// Who made the goroutine runnable or ended its syscall, if `e` is what did.
fn waker(e: &Event) -> Option<Waker> {
    let created = matches!(e.kind, Kind::GoCreate | Kind::GoCreateBlocked);
    match e.kind {
        Kind::GoSyscallEnd | Kind::GoSyscallEndBlocked => {
            let (by, stack) = (By::Syscall { kept: e.kind == Kind::GoSyscallEnd }, StackId::NONE);
            return Some(Waker { by, at: e.time, stack, proc: e.proc, thread: e.thread, created });
        }
        _ if !created && e.kind != Kind::GoUnblock => return None,
        _ => {}
    }
    // Without a goroutine it was the scheduler, on behalf of what `by_reason` tells.
    let by = match e.by.some() {
        Some(g) => By::Goroutine(g),
        None if made_by_timer(e.kind, e.by, e.stack, e.proc) => By::Timer,
        None => By::Runtime,
    };
    Some(Waker { by, at: e.time, stack: e.stack, proc: e.proc, thread: e.thread, created })
}

/// What ended a wait that no goroutine ended, by the reason for which the goroutine waited, in words.
pub fn by_reason(reason: &str) -> &'static str {
    TABLE.waker(reason).words()
}

/// One goroutine's way through the segments.
struct Reader<'a> {
    source: &'a dyn Source,
    cuts: &'a Cuts,
    go: GoIdx,
    cancel: &'a AtomicBool,
}

impl Reader<'_> {
    /// The state of a goroutine that no event of segment `i` is about, from the index.
    fn silent(&self, i: usize) -> Option<Span> {
        let (from, to) = self.cuts.bounds(i);
        let state = self.source.summary(Lane::Go(self.go), from, to).dominant();
        (state != GoState::NotExist).then_some(Span { state, from, to, begin: None, end: None })
    }

    /// Whether the index shows that the goroutine was in `state` for all of segment `i`.
    fn only(&self, i: usize, state: GoState) -> bool {
        let (from, to) = self.cuts.bounds(i);
        let c: Cell = self.source.summary(Lane::Go(self.go), from, to);
        let parts = [
            (GoState::Running, c.running),
            (GoState::Runnable, c.runnable),
            (GoState::Waiting, c.waiting),
            (GoState::Syscall, c.syscall),
        ];
        // A wait that ended and began anew leaves a trace of another state.
        parts.iter().all(|&(s, d)| if s == state { d >= to - from } else { d == Duration::ZERO })
    }

    /// Where the span really begins, what begins it, and in which segment.
    fn back(&self, home: usize, seg: &Segment, span: Span) -> (Time, Edge, usize) {
        if let Some(i) = span.begin {
            return (span.from, Edge::Event(seg.event(i as usize)), home);
        }
        let (mut from, mut reach) = (span.from, 0);
        for i in (0..home).rev() {
            if !self.cuts.goes_on(i + 1) {
                return (from, Edge::Untraced, i + 1);
            }
            if self.cancel.load(Ordering::Relaxed) || reach > MAX_REACH {
                return (from, Edge::Unread, i + 1);
            }
            let bounds = self.cuts.bounds(i);
            if self.only(i, span.state) {
                from = bounds.0;
                continue;
            }
            reach += 1;
            let Ok(seg) = self.source.segment(i) else { return (from, Edge::Unread, i + 1) };
            match spans::span_at(&seg, self.go, bounds, bounds.1 - Duration(1)) {
                Some(s) if s.state == span.state => {
                    from = s.from;
                    if let Some(e) = s.begin {
                        return (from, Edge::Event(seg.event(e as usize)), i);
                    }
                }
                Some(_) => return (from, Edge::Unread, i + 1),
                None => from = bounds.0,
            }
        }
        (from, Edge::Trace, 0)
    }

    /// Where the span really ends, what ends it, and in which segment.
    fn on(&self, home: usize, seg: &Segment, span: Span) -> (Time, Edge, usize) {
        if let Some(i) = span.end {
            return (span.to, Edge::Event(seg.event(i as usize)), home);
        }
        let (mut to, mut reach) = (span.to, 0);
        for i in home + 1..self.cuts.len() {
            if !self.cuts.goes_on(i) {
                return (to, Edge::Untraced, i - 1);
            }
            if self.cancel.load(Ordering::Relaxed) || reach > MAX_REACH {
                return (to, Edge::Unread, i - 1);
            }
            let bounds = self.cuts.bounds(i);
            if self.only(i, span.state) {
                to = bounds.1;
                continue;
            }
            reach += 1;
            let Ok(seg) = self.source.segment(i) else { return (to, Edge::Unread, i - 1) };
            match spans::span_at(&seg, self.go, bounds, bounds.0) {
                Some(s) if s.state == span.state && s.begin.is_none() => {
                    to = s.to;
                    if let Some(e) = s.end {
                        return (to, Edge::Event(seg.event(e as usize)), i);
                    }
                }
                Some(s) => {
                    // It ended with the very first event here.
                    let edge = s.begin.map_or(Edge::Unread, |e| Edge::Event(seg.event(e as usize)));
                    return (to, edge, i);
                }
                None => to = bounds.1,
            }
        }
        (to, Edge::Trace, self.cuts.len() - 1)
    }

    /// CPU samples within the interval, and the waits that it ended.
    fn inside(&self, interval: &mut Interval, first: usize, last: usize) {
        if !matches!(interval.state, GoState::Running | GoState::Syscall) {
            return;
        }
        for i in first..=last {
            if self.cancel.load(Ordering::Relaxed) {
                return;
            }
            let Ok(seg) = self.source.segment(i) else { continue };
            self.inside_segment(interval, &seg);
        }
        // Most first; equal counts in the order of the stacks, so that the same file gives the same answer.
        interval.samples.sort_by_key(|&(s, n)| (std::cmp::Reverse(n), s));
    }

    fn inside_segment(&self, interval: &mut Interval, seg: &Arc<Segment>) {
        let events = seg.of_goroutine(self.go);
        let begin = events.partition_point(|&i| seg.time[i as usize] < interval.from);
        for &i in &events[begin..] {
            let i = i as usize;
            if seg.time[i] >= interval.to {
                break;
            }
            if seg.kind[i] == Kind::CpuSample {
                match interval.samples.iter_mut().find(|(s, _)| *s == seg.stack[i]) {
                    Some((_, n)) => *n += 1,
                    None => interval.samples.push((seg.stack[i], 1)),
                }
            }
        }
        for i in seg.between(interval.from, interval.to + Duration(1)) {
            if interval.woke.len() >= MAX_WOKE {
                return;
            }
            if seg.by[i] == self.go && seg.kind[i] == Kind::GoUnblock {
                interval.woke.push(Woke { go: seg.go[i], at: seg.time[i], stack: seg.stack[i] });
            }
        }
    }

    /// The stack that a restated status gives for a goroutine that did nothing all the while.
    fn restated_stack(&self, seg: &Segment) -> StackId {
        seg.of_goroutine(self.go)
            .iter()
            .map(|&i| i as usize)
            .find(|&i| seg.kind[i] == Kind::GoStatus && seg.stack[i].is_some())
            .map_or(StackId::NONE, |i| seg.stack[i])
    }

    /// Who made the goroutine runnable before it began to run at `from`.
    fn made_runnable(&self, from: Time) -> Option<Waker> {
        let before = from - Duration(1);
        let i = self.cuts.segment_at(before).filter(|_| self.cuts.gap_at(before).is_none())?;
        let seg = self.source.segment(i).ok()?;
        let span = spans::span_at(&seg, self.go, self.cuts.bounds(i), before)?;
        if span.state != GoState::Runnable {
            return None;
        }
        let (_, begin, _) = self.back(i, &seg, span);
        begin.event().and_then(waker)
    }
}

#[cfg(test)]
mod tests;
