//! The states of goroutines as stretches of time between their events.
//!
//! A segment tells every living goroutine's state by itself: the first event about a goroutine says in which state it
//! was before (a restated status, or what a transition starts from), and it was in that state since the segment began.

use crate::base::{Duration, GoIdx, ProcIdx, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Segment};

/// How time is cut into segments: segment `i` covers the time from its first event up to the next segment's first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cuts {
    /// Time of each segment's first event.
    pub starts: Vec<Time>,
    /// One nanosecond after the last event.
    pub end: Time,
    /// What lies between two recordings, in order: no segment covers it, for nothing is known of it.
    pub gaps: Vec<(Time, Time)>,
}

impl Cuts {
    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether no segment is known yet.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The time that segment `i` covers, from and to (exclusive).
    pub fn bounds(&self, i: usize) -> (Time, Time) {
        let from = self.starts[i];
        let to = self.starts.get(i + 1).copied().unwrap_or(self.end);
        let gap = self.gaps.get(self.gaps.partition_point(|g| g.0 <= from));
        (from, gap.map_or(to, |g| g.0.min(to)).max(from))
    }

    /// The segment that covers `at`; the first or the last one for an instant outside of the trace.
    pub fn segment_at(&self, at: Time) -> Option<usize> {
        let after = self.starts.partition_point(|&s| s <= at);
        (!self.is_empty()).then(|| after.saturating_sub(1))
    }

    /// What was not traced at `at`, which lies between two recordings: from and to (exclusive).
    pub fn gap_at(&self, at: Time) -> Option<(Time, Time)> {
        let before = self.gaps.partition_point(|g| g.0 <= at).checked_sub(1)?;
        Some(self.gaps[before]).filter(|g| at < g.1)
    }

    /// Whether segment `i` goes on where the one before it ends: not so where tracing began again.
    pub fn goes_on(&self, i: usize) -> bool {
        i.checked_sub(1).is_some_and(|before| self.gap_at(self.bounds(before).1).is_none())
    }

    /// The segments that cover some of `from..to`.
    pub fn between(&self, from: Time, to: Time) -> std::ops::Range<usize> {
        let a = self.segment_at(from).unwrap_or(0);
        let b = self.starts.partition_point(|&s| s < to);
        a..b.max(a)
    }
}

/// A stretch of time in which a goroutine stayed in one state, as far as one segment knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The state.
    pub state: GoState,
    /// When it was entered, or the segment's beginning.
    pub from: Time,
    /// When it was left, or the segment's end.
    pub to: Time,
    /// Position of the event that entered it; `None` if that lies before the segment.
    pub begin: Option<u32>,
    /// Position of the event that left it; `None` if that lies after the segment.
    pub end: Option<u32>,
}

/// The state before and after event `i`, if it tells the state of the goroutine it is about.
pub fn change(seg: &Segment, i: usize) -> Option<(GoState, GoState)> {
    match seg.kind[i] {
        Kind::GoStatus => match seg.detail(i) {
            Detail::GoStatus(s) => Some((s, s)),
            _ => None,
        },
        kind => kind.go_transition(),
    }
}

/// Calls `each` with the spans of goroutine `g` that touch `from..to`, in order. `bounds` is the time that the segment
/// covers. A goroutine that no event of the segment is about gets nothing: the segment does not know it.
///
/// Spans outside the goroutine's life (`NotExist`) are passed on too. Empty spans are not.
pub fn spans(seg: &Segment, g: GoIdx, bounds: (Time, Time), from: Time, to: Time, mut each: impl FnMut(Span)) {
    let events = seg.of_goroutine(g);
    let (start, stop) = bounds;
    // The last event before the window that tells the state; samples and annotations in between do not.
    let mut at = events.partition_point(|&i| seg.time[i as usize] < from);
    while at > 0 && change(seg, events[at - 1] as usize).is_none() {
        at -= 1;
    }
    let mut now = match at.checked_sub(1).map(|k| events[k]) {
        Some(i) => {
            // A restated status enters nothing: the span goes back as far as the segment, or to the last transition.
            let back = events[..at].iter().rev().copied().find(|&i| {
                let kind = seg.kind[i as usize];
                kind != Kind::GoStatus && kind.go_transition().is_some()
            });
            let (_, state) = change(seg, i as usize).unwrap_or_default();
            Span { state, from: back.map_or(start, |i| seg.time[i as usize]), to: stop, begin: back, end: None }
        }
        None => match events.iter().find_map(|&i| change(seg, i as usize)) {
            Some((before, _)) => Span { state: before, from: start, to: stop, begin: None, end: None },
            None => return,
        },
    };
    for &i in &events[at..] {
        let Some((_, after)) = change(seg, i as usize) else { continue };
        if after == now.state && seg.kind[i as usize] == Kind::GoStatus {
            continue;
        }
        let t = seg.time[i as usize];
        if t > now.from {
            each(Span { to: t, end: Some(i), ..now });
        }
        now = Span { state: after, from: t, to: stop, begin: Some(i), end: None };
        if t >= to {
            return;
        }
    }
    if now.to > now.from {
        each(now);
    }
}

/// The span of goroutine `g` that covers `at`, if the segment knows the goroutine.
pub fn span_at(seg: &Segment, g: GoIdx, bounds: (Time, Time), at: Time) -> Option<Span> {
    let mut found = None;
    spans(seg, g, bounds, at, at + Duration(1), |s| {
        if s.from <= at && (at < s.to || found.is_none()) {
            found = Some(s);
        }
    });
    found
}

/// A stretch of time in which a goroutine was on a P, or had left it busy with a syscall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The P.
    pub proc: ProcIdx,
    /// The goroutine.
    pub go: GoIdx,
    /// Whether it was in a syscall.
    pub syscall: bool,
    /// When it began, or the segment's beginning.
    pub from: Time,
    /// When it ended. A run that outlasts the window ends with the segment here.
    pub to: Time,
}

/// What is on a P while [`runs`] reads on.
#[derive(Clone, Copy, PartialEq)]
enum On {
    /// No event has told yet.
    Unknown,
    Nobody,
    Goroutine {
        go: GoIdx,
        syscall: bool,
        since: Time,
    },
}

/// Calls `each` with every run on the first `procs` Ps that touches `from..to`; those of one P come in order.
pub fn runs(seg: &Segment, bounds: (Time, Time), procs: usize, from: Time, to: Time, mut each: impl FnMut(Run)) {
    let (start, stop) = bounds;
    let mut on = vec![On::Unknown; procs.min(usize::from(u16::MAX))];
    let mut put = |slot: &mut On, p: usize, at: Time, next: On| {
        if let On::Goroutine { go, syscall, since } = *slot
            && at > from.max(since)
            && since < to
        {
            each(Run { proc: ProcIdx(p as u16), go, syscall, from: since, to: at });
        }
        *slot = next;
    };
    for i in 0..seg.len() {
        let (kind, t, go) = (seg.kind[i], seg.time[i], seg.go[i]);
        let after = t >= to;
        // Events after the window matter only to a P of which nothing is known yet.
        if after && !on.contains(&On::Unknown) {
            break;
        }
        let p = match kind {
            Kind::ProcStart | Kind::ProcStop | Kind::ProcSteal => match seg.detail(i) {
                Detail::Proc(p) => p,
                _ => continue,
            },
            _ => seg.proc[i],
        };
        let Some(slot) = on.get_mut(p.0 as usize) else { continue };
        if after && *slot != On::Unknown {
            continue;
        }
        let p = p.index();
        let running = |since| On::Goroutine { go, syscall: false, since };
        match kind {
            Kind::GoStart => put(slot, p, t, running(t)),
            Kind::GoSyscallEnd => {
                if *slot == On::Unknown {
                    *slot = On::Goroutine { go, syscall: true, since: start };
                }
                put(slot, p, t, running(t));
            }
            Kind::GoStatus if *slot == On::Unknown => {
                if matches!(seg.detail(i), Detail::GoStatus(GoState::Running)) {
                    *slot = running(start);
                }
            }
            Kind::GoStop | Kind::GoBlock | Kind::GoDestroy | Kind::GoSyscallBegin => {
                if *slot == On::Unknown {
                    *slot = running(start);
                }
                let left = match kind {
                    Kind::GoSyscallBegin => On::Goroutine { go, syscall: true, since: t },
                    _ => On::Nobody,
                };
                put(slot, p, t, left);
            }
            Kind::ProcStart | Kind::ProcStop | Kind::ProcSteal => put(slot, p, t, On::Nobody),
            _ => {}
        }
    }
    for (p, slot) in on.iter_mut().enumerate() {
        put(slot, p, stop, On::Nobody);
    }
}
