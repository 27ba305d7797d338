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

/// A stop of the world.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    /// When it was, what for, and whose.
    pub range: Range,
    /// The stack of the goroutine that asked for it; `NONE` if that is not known.
    pub asked: StackId,
    /// Whether it was made to look at the program ([`of_tool`]).
    pub tool: bool,
    /// Who was last to stop; nothing if nobody ran then.
    pub last: Option<LastToStop>,
}

/// Stops that are made to look at the program, by the names in `stwReasonStrings` of Go's `runtime/trace.go`: for a dump or
/// a profile of all goroutines, for a heap dump, and for the trace itself.
const TOOLS: &[&str] =
    &["all goroutines stack trace", "goroutine profile", "write heap dump", "start trace", "stop trace"];

/// Whether a stop of this name is made to look at the program.
pub fn of_tool(name: &str) -> bool {
    TOOLS.iter().any(|t| name.contains(t))
}

/// The longest stop of the world of a trace that no tool made, and the longest that one made, as far as there are such.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn longest<S: Source>(source: &S, index: &Index) -> Result<Vec<Stop>, Unanswered> {
    let mut out = Vec::new();
    for tool in [false, true] {
        let of = index.stw.iter().filter(|r| of_tool(index.dict.str(r.name)) == tool);
        let Some(range) = of.max_by_key(|r| r.to - r.from) else { continue };
        let mut timeline = Timeline::new(source, index);
        let last = of_timeline(&mut timeline, range)?;
        out.push(Stop { range: *range, asked: asked(&mut timeline, range)?, tool, last });
    }
    Ok(out)
}

/// The stack in which a stop of the world was asked for.
fn asked<S: Source>(timeline: &mut Timeline<'_, S>, stop: &Range) -> Result<StackId, Unanswered> {
    for i in timeline.index.segments_between(stop.from, stop.to) {
        let seg = timeline.segment(i)?;
        let mut of = seg.between(stop.from, stop.to);
        if let Some(p) = of.find(|&p| seg.kind[p] == Kind::StwBegin && seg.go[p] == stop.go) {
            return Ok(seg.stack[p]);
        }
    }
    Ok(StackId::NONE)
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
