//! Waits of which the trace does not say what for: they may be for a lock or a channel, or for anything else.

use super::Window;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::group;
use crate::base::{GroupId, StackId, StringId};
use crate::model::reasons::Reasons;
use crate::model::segment::GoState;
use crate::model::tally::Tally;
use crate::model::{Index, Waker, totals};
use rustc_hash::FxHashMap;

/// Counts the waits whose reason is not in the trace, neither in the runtime's word nor in their stack: of a trace that was
/// cut before its strings, and of goroutines that were blocked all along of which older Go versions write no stack. Those
/// of the runtime's own goroutines are left out, and switches to and from an iterator, which have neither and are known.
pub fn unsaid(index: &Index, reasons: &Reasons) -> Tally {
    let hidden = |party| match party {
        totals::Party::Nobody => false,
        totals::Party::Go(g) => index.owner_of(g).is_hidden(),
        totals::Party::Group(g) => index.owner(g).is_hidden(),
    };
    let mut sum = Tally::default();
    let group_of = |party| match party {
        totals::Party::Nobody => GroupId::NONE,
        totals::Party::Go(g) => group(index, g),
        totals::Party::Group(g) => g,
    };
    for (l, _, t) in index.totals.all_waits().filter(|(l, ..)| !hidden(l.waiter)) {
        let what = (l.reason, l.waiter_stack);
        if coroutine::is_switch(index, group_of(l.waiter), Some(group_of(l.waker)), what) {
            continue;
        }
        let id = reasons.refine(&index.dict, l.reason, l.waiter_stack, Waker::Runtime);
        if !reasons.get(id).is_recorded() {
            sum.merge(Tally { count: t.count, total: t.total });
        }
    }
    sum
}

struct Count<'a> {
    index: &'a Index,
    reasons: &'a Reasons,
    window: Window,
    known: FxHashMap<(StringId, StackId), bool>,
    sum: Tally,
}

impl Visit for Count<'_> {
    fn end(&mut self, w: &Interval) {
        let inside = w.to >= self.window.0 && w.from < self.window.1;
        if w.state != GoState::Waiting || !inside || self.index.owner_of(w.go).is_hidden() {
            return;
        }
        let (index, reasons) = (self.index, self.reasons);
        let by = w.end.map_or(GroupId::NONE, |e| group(index, e.by));
        if coroutine::is_switch(index, group(index, w.go), Some(by), (w.reason, w.stack)) {
            return;
        }
        let recorded = self.known.entry((w.reason, w.stack)).or_insert_with(|| {
            let id = reasons.refine(&index.dict, w.reason, w.stack, Waker::Runtime);
            reasons.get(id).is_recorded()
        });
        if !*recorded {
            self.sum.add(w.to.min(self.window.1) - w.from.max(self.window.0));
        }
    }
}

/// The same in a window, where a wait across a border counts with the part inside.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn inside<S: Source>(source: &S, index: &Index, reasons: &Reasons, window: Window) -> Result<Tally, Unanswered> {
    let mut c = Count { index, reasons, window, known: FxHashMap::default(), sum: Tally::default() };
    tracker::each(source, &mut c)?;
    Ok(c.sum)
}
