//! Every stretch that a goroutine spent in one state, with its beginning and its end: one pass over the segments.
//!
//! What is carried from event to event is one row for each goroutine. A stretch is handed on when it ends; those that
//! are open when the trace ends come last, by goroutine.

use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::walk;
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, ProcIdx, StackId, StringId, ThreadIdx, Time};
use crate::model::Reasons;
use crate::model::Waker;
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Index, Segment};
use std::ops::ControlFlow;

/// Whether a timer made a goroutine that was created with an event of this kind, by this goroutine, in this stack of its and
/// on this P, as `time.AfterFunc` and a context's deadline do. Timers fire in the scheduler, on a P but in no goroutine, so
/// that there is no stack either; nothing else makes goroutines there.
pub fn made_by_timer(kind: Kind, by: GoIdx, stack: StackId, proc: ProcIdx) -> bool {
    kind == Kind::GoCreate && !by.is_some() && !stack.is_some() && proc.is_some()
}

/// How a stretch ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Number of the event that ended it.
    pub no: EventNo,
    /// What it was.
    pub kind: Kind,
    /// The goroutine that did it.
    pub by: GoIdx,
    /// The stack of whoever did it.
    pub stack: StackId,
    /// The P of whoever did it.
    pub proc: ProcIdx,
    /// The thread of whoever did it.
    pub thread: ThreadIdx,
}

/// A stretch that a goroutine spent in one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// The goroutine.
    pub go: GoIdx,
    /// The state.
    pub state: GoState,
    /// When it began: the trace's start, if before.
    pub from: Time,
    /// When it ended: the trace's end, if later.
    pub to: Time,
    /// Number of the event that began it; `None` if that was before the trace.
    pub began: Option<EventNo>,
    /// For a wait that a goroutine began by blocking, why.
    pub reason: StringId,
    /// The stack of whoever began it: for a wait or a syscall the goroutine's own, for a runnable one the waker's.
    pub stack: StackId,
    /// The goroutine that began it: for a runnable one, who woke or created it.
    pub by: GoIdx,
    /// The P on which it began.
    pub proc: ProcIdx,
    /// What began it; `GoStatus` if it was found in the state.
    pub kind: Kind,
    /// The mark that [`Visit::begin`] gave it.
    pub mark: u32,
    /// How it ended; `None` if it was going on at the end of the trace.
    pub end: Option<End>,
}

impl Interval {
    /// How long it lasted inside the trace.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it took no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }

    /// Whether both its ends are in the trace.
    pub fn closed(&self) -> bool {
        self.began.is_some() && self.end.is_some()
    }

    /// Who ended it.
    pub fn waker(&self, index: &Index, reasons: &Reasons) -> Waker {
        match self.end {
            None => Waker::Nobody,
            Some(e) => reasons.waker(&index.dict, (self.reason, self.stack), e.by, e.stack),
        }
    }
}

/// Something that looks at stretches as they begin and end.
pub trait Visit {
    /// A stretch begins with the event at position `i` of `seg`. What is returned comes back as [`Interval::mark`].
    fn begin(&mut self, _now: &Interval, _seg: &Segment, _i: usize) -> u32 {
        0
    }

    /// A stretch has ended, or the trace has.
    fn end(&mut self, interval: &Interval);

    /// Whether everything has been seen that was to be.
    fn done(&self, _now: Time) -> bool {
        false
    }
}

/// Follows the states of all goroutines through the segments, in order.
pub struct Tracker {
    rows: Vec<Option<Row>>,
    starts: Vec<Time>,
    /// From when to when each recording goes, and the one at hand.
    recordings: Vec<(Time, Time)>,
    recording: usize,
}

#[derive(Clone, Copy)]
struct Row {
    state: GoState,
    from: Time,
    began: EventNo,
    reason: StringId,
    stack: StackId,
    by: GoIdx,
    proc: ProcIdx,
    kind: Kind,
    mark: u32,
}

impl Row {
    fn interval(&self, go: GoIdx, to: Time, end: Option<End>) -> Interval {
        let Row { state, from, began, reason, stack, by, proc, kind, mark } = *self;
        let began = (began != EventNo::MAX).then_some(began);
        Interval { go, state, from, to: to.max(from), began, reason, stack, by, proc, kind, mark, end }
    }
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    pub fn new(index: &Index) -> Tracker {
        Tracker {
            rows: vec![None; index.goroutines.len()],
            starts: index.goroutines.iter().map(|g| g.from).collect(),
            recordings: index.recordings.iter().map(|r| (r.from, r.to)).collect(),
            recording: 0,
        }
    }

    /// Where another recording begins, nothing goes on: what happened in between was not traced.
    fn begin(&mut self, now: Time, visit: &mut impl Visit) {
        while let Some(&(from, _)) = self.recordings.get(self.recording + 1).filter(|r| r.0 <= now) {
            self.finish(self.recordings[self.recording].1, visit);
            self.rows.fill(None);
            self.starts.iter_mut().for_each(|t| *t = (*t).max(from));
            self.recording += 1;
        }
    }

    /// Follows the events of the next segment.
    pub fn add(&mut self, seg: &Segment, visit: &mut impl Visit) {
        if let Some(&first) = seg.time.first() {
            self.begin(first, visit);
        }
        for i in 0..seg.len() {
            let kind = seg.kind[i];
            let found = kind == Kind::GoStatus;
            let (before, state) = match kind.go_transition() {
                Some(t) => t,
                None if found => match seg.detail(i) {
                    Detail::GoStatus(s) => (GoState::Undetermined, s),
                    _ => continue,
                },
                None => continue,
            };
            let go = seg.go[i];
            let Some(slot) = self.rows.get_mut(go.0 as usize) else { continue };
            if found && slot.is_some() {
                continue;
            }
            let start = self.starts[go.0 as usize];
            let first = slot.is_none();
            if first && !found && before != GoState::NotExist {
                // A damaged trace: the state before was never stated.
                *slot = Some(Row {
                    state: before,
                    from: start,
                    began: EventNo::MAX,
                    reason: StringId::NONE,
                    stack: StackId::NONE,
                    by: GoIdx::NONE,
                    proc: seg.proc[i],
                    kind: Kind::GoStatus,
                    mark: 0,
                });
            }
            if let Some(row) = slot
                && row.state != GoState::NotExist
            {
                let end = End {
                    no: seg.first + i as u64,
                    kind,
                    by: seg.by[i],
                    stack: seg.stack[i],
                    proc: seg.proc[i],
                    thread: seg.thread[i],
                };
                visit.end(&row.interval(go, seg.time[i], Some(end)));
            }
            let mut row = Row {
                state,
                from: if found { start } else { seg.time[i] },
                began: if found { EventNo::MAX } else { seg.first + i as u64 },
                reason: match seg.kind[i] {
                    Kind::GoBlock | Kind::GoStop => match seg.detail(i) {
                        Detail::Reason(r) => r,
                        _ => StringId::NONE,
                    },
                    _ => StringId::NONE,
                },
                stack: seg.stack[i],
                by: seg.by[i],
                proc: seg.proc[i],
                kind,
                mark: 0,
            };
            if state != GoState::NotExist {
                row.mark = visit.begin(&row.interval(go, row.from, None), seg, i);
            }
            *slot = Some(row);
        }
    }

    /// Hands on what is open at the end of the trace.
    pub fn finish(&self, end: Time, visit: &mut impl Visit) {
        for (i, row) in self.rows.iter().enumerate() {
            if let Some(row) = row
                && row.state != GoState::NotExist
            {
                visit.end(&row.interval(GoIdx(i as u32), end, None));
            }
        }
    }
}

/// Shows `visit` every stretch of every goroutine of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn each<S: Source>(source: &S, visit: &mut impl Visit) -> Result<(), Unanswered> {
    let (mut tracker, mut segments, mut end) = (None, 0, Time::MIN);
    source.with_index(&mut |index| {
        tracker = Some(Tracker::new(index));
        segments = index.segments.len();
        end = index.end;
    });
    let Some(mut tracker) = tracker else { return Ok(()) };
    walk::segments(source, 0..segments, walk::threads(), &mut |_, seg| {
        tracker.add(seg, visit);
        match seg.time.last() {
            Some(&now) if visit.done(now) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })?;
    tracker.finish(end, visit);
    Ok(())
}
