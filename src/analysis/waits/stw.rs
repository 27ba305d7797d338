//! What held a stop of the world up: the goroutine that was last to stop.
//!
//! The trace says when a stop was asked for and when the world went on. In between, each goroutine that was on a P when
//! the stop was asked for leaves it, at its next preemption point; the world is stopped when the last of them has. (A P
//! whose goroutine is in a syscall or in C is taken away at once.) `stopTheWorldWithSema` in `runtime/proc.go`.

use crate::analysis::states::forward::Timeline;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{Duration, GoIdx, ProcIdx, StackId, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Index, Range};
use rustc_hash::FxHashSet;

/// The goroutine that was last to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastToStop {
    /// Which.
    pub go: GoIdx,
    /// The P that it ran on.
    pub proc: ProcIdx,
    /// Where it stopped.
    pub stack: StackId,
    /// When.
    pub at: Time,
    /// How long the stop had been asked for by then.
    pub waited: Duration,
}

/// The goroutine that was last to leave its P after a stop of the world, one of [`Index::stw`], was asked for; nothing if
/// no other P had a goroutine that ran.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn last_to_stop<S: Source>(source: &S, index: &Index, stop: &Range) -> Result<Option<LastToStop>, Unanswered> {
    of_timeline(&mut Timeline::new(source, index), stop)
}

/// The same, of a trace of which segments are at hand.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub(super) fn of_timeline<S: Source>(
    timeline: &mut Timeline<'_, S>,
    stop: &Range,
) -> Result<Option<LastToStop>, Unanswered> {
    let mut last = None;
    // Who has done anything since the stop was asked for, and which Ps have been given back.
    let (mut seen, mut back) = (FxHashSet::default(), FxHashSet::default());
    for i in timeline.index.segments_between(stop.from, stop.to) {
        let seg = timeline.segment(i)?;
        for p in seg.between(stop.from, stop.to) {
            let kind = seg.kind[p];
            if matches!(kind, Kind::ProcStart | Kind::ProcStop | Kind::ProcSteal) {
                if let Detail::Proc(proc) = seg.detail(p) {
                    back.insert(proc);
                }
                continue;
            }
            let Some((before, after)) = kind.go_transition() else { continue };
            let (go, proc) = (seg.go[p], seg.proc[p]);
            let first = seen.insert(go);
            let ran = before == GoState::Running && after != GoState::Running;
            if first && ran && go != stop.go && !back.contains(&proc) {
                let (at, stack) = (seg.time[p], seg.stack[p]);
                last = Some(LastToStop { go, proc, stack, at, waited: at - stop.from });
            }
        }
    }
    Ok(last)
}
