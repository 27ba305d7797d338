//! What goroutines did in a range, to the nanosecond: what the index has of the whole trace, from the events of a part.

use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::states::walk;
use crate::base::{GoIdx, GroupId, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Cell, Index, Lane, Segment};
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;

/// Sums by lane.
pub type Totals = FxHashMap<Lane, Cell>;

struct Sum<'a> {
    index: &'a Index,
    range: (Time, Time),
    members: &'a dyn Fn(GroupId) -> bool,
    out: Totals,
}

impl Sum<'_> {
    /// Gives the lanes of a goroutine their part of something.
    fn add(&mut self, go: GoIdx, part: &Cell) {
        let Some(group) = self.index.goroutine(go).map(|g| g.group) else { return };
        self.out.entry(Lane::Group(group)).or_default().add(part);
        if (self.members)(group) {
            self.out.entry(Lane::Go(go)).or_default().add(part);
        }
    }
}

impl Visit for Sum<'_> {
    fn end(&mut self, w: &Interval) {
        let (from, to) = (w.from.max(self.range.0), w.to.min(self.range.1));
        if to <= from {
            return;
        }
        let (d, mut part) = (to - from, Cell::default());
        match w.state {
            GoState::Running => part.running = d,
            GoState::Runnable => part.runnable = d,
            GoState::Waiting => (part.waiting, part.longest_wait) = (d, d),
            GoState::Syscall => part.syscall = d,
            GoState::NotExist | GoState::Undetermined => return,
        }
        self.add(w.go, &part);
    }
}

/// What the goroutines of each group did from an instant up to another, and what each of those did whose group `members`
/// wants to see one by one. A stretch across a border counts with the part inside; so does the longest wait.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn totals<S: Source>(
    source: &S,
    range: (Time, Time),
    members: &dyn Fn(GroupId) -> bool,
) -> Result<Totals, Unanswered> {
    let mut out = Ok(Totals::default());
    source.with_index(&mut |index| {
        let mut sum = Sum { index, range, members, out: Totals::default() };
        out = tracker::each(source, &mut sum).and_then(|()| {
            let segments = index.segments_between(range.0, range.1);
            walk::segments(source, segments, walk::threads(), &mut |_, seg| {
                count(&mut sum, seg);
                ControlFlow::Continue(())
            })?;
            Ok(std::mem::take(&mut sum.out))
        });
    });
    out
}

/// Counts the events of a segment that lie in the range, of those that the index counts: about a goroutine's state.
fn count(sum: &mut Sum<'_>, seg: &Segment) {
    for i in seg.between(sum.range.0, sum.range.1) {
        let kind = seg.kind[i];
        let samples = u32::from(kind == Kind::CpuSample);
        let events = u32::from(kind == Kind::GoStatus || kind.go_transition().is_some());
        if samples + events > 0 {
            sum.add(seg.go[i], &Cell { events, samples, ..Cell::default() });
        }
    }
}
