//! Waits that are in no class: those of which the trace does not say what for, which may be for a lock or a channel or for
//! anything else; and those in a select of which it does not say for which of its channels.

use super::Window;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::group;
use crate::base::Duration;
use crate::base::{GroupId, StackId, StringId};
use crate::model::reasons::{Class, Reasons};
use crate::model::segment::GoState;
use crate::model::tally::Tally;
use crate::model::{Index, Waker, totals};
use rustc_hash::FxHashMap;

/// Waits that are in no class.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Unsaid {
    /// Those of which the trace does not say what for.
    pub waits: Tally,
    /// How many of these had not ended when the trace did, or the last recording of their process.
    pub unfinished: u64,
    /// Those in a select that a goroutine ended without saying by which case, in a select of its own.
    pub selects: Tally,
}

impl Unsaid {
    /// Adds another's.
    pub fn merge(&mut self, o: Unsaid) {
        self.waits.merge(o.waits);
        self.unfinished += o.unfinished;
        self.selects.merge(o.selects);
    }

    fn add(&mut self, of: Of, (count, total): (u64, Duration), unfinished: u64) {
        match of {
            Of::Nothing => {
                self.waits.merge(Tally { count, total });
                self.unfinished += unfinished;
            }
            Of::Select => self.selects.merge(Tally { count, total }),
            Of::Known => {}
        }
    }
}

/// What the trace says of what a wait was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    Nothing,
    Select,
    Known,
}

impl Of {
    /// What it says of a wait with this reason in this stack, that a goroutine ended in another one, if it has ended.
    fn new(index: &Index, reasons: &Reasons, what: (StringId, StackId), ended: Option<StackId>) -> Of {
        let how = ended.and_then(|stack| reasons.how(&index.dict, stack));
        let reason = reasons.get(reasons.refine(&index.dict, what.0, what.1, Waker::Runtime));
        match () {
            _ if reason.class == Class::Select && ended.is_some_and(StackId::is_some) && how.is_none() => Of::Select,
            // Who ended it may tell.
            _ if reason.is_recorded() || how.is_some() => Of::Known,
            _ => Of::Nothing,
        }
    }
}

/// Counts the waits whose reason is not in the trace, neither in the runtime's word nor in their stack, nor told by who ended
/// them: of a trace that was cut before its strings, and of goroutines that were blocked all along of which older Go
/// versions write no stack. Those of the runtime's own goroutines are left out, and switches to and from an iterator, which
/// have neither and are known.
pub fn unsaid(index: &Index, reasons: &Reasons) -> Unsaid {
    let hidden = |party| match party {
        totals::Party::Nobody => false,
        totals::Party::Go(g) => index.owner_of(g).is_hidden(),
        totals::Party::Group(g) => index.owner(g).is_hidden(),
    };
    let mut sum = Unsaid::default();
    let group_of = |party| match party {
        totals::Party::Nobody => GroupId::NONE,
        totals::Party::Go(g) => group(index, g),
        totals::Party::Group(g) => g,
    };
    for (l, ended, t) in index.totals.all_waits().filter(|(l, ..)| !hidden(l.waiter)) {
        let what = (l.reason, l.waiter_stack);
        if coroutine::is_switch(index, group_of(l.waiter), Some(group_of(l.waker)), what) {
            continue;
        }
        let by = (ended && l.waker != totals::Party::Nobody).then_some(l.waker_stack);
        let unfinished = if ended { 0 } else { t.count - t.cut };
        sum.add(Of::new(index, reasons, what, by), (t.count, t.total), unfinished);
    }
    sum
}

struct Count<'a> {
    index: &'a Index,
    reasons: &'a Reasons,
    window: Window,
    known: FxHashMap<(StringId, StackId, Option<StackId>), Of>,
    sum: Unsaid,
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
        let ended = w.end.filter(|e| e.by.is_some()).map(|e| e.stack);
        let key = (w.reason, w.stack, ended);
        let of = *self.known.entry(key).or_insert_with(|| Of::new(index, reasons, (w.reason, w.stack), ended));
        let unfinished = w.end.is_none() && w.to >= index.recorded(index.process(w.go)).1;
        let inside = w.to.min(self.window.1) - w.from.max(self.window.0);
        self.sum.add(of, (1, inside), u64::from(unfinished));
    }
}

/// The same in a window, where a wait across a border counts with the part inside.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn inside<S: Source>(source: &S, index: &Index, reasons: &Reasons, window: Window) -> Result<Unsaid, Unanswered> {
    let mut c = Count { index, reasons, window, known: FxHashMap::default(), sum: Unsaid::default() };
    tracker::each(source, &mut c)?;
    Ok(c.sum)
}
