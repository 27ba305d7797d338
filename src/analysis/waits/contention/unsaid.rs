//! Waits of which the trace does not say what for: they may be for a lock or a channel, or for anything else.

use crate::model::reasons::Reasons;
use crate::model::tally::Tally;
use crate::model::{Index, Waker, totals};

/// Counts the waits whose reason is not in the trace, neither in the runtime's word nor in their stack: of a trace that was
/// cut before its strings, and of goroutines that were blocked all along of which older Go versions write no stack. Those
/// of the runtime's own goroutines are left out.
pub fn unsaid(index: &Index, reasons: &Reasons) -> Tally {
    let hidden = |party| match party {
        totals::Party::Nobody => false,
        totals::Party::Go(g) => index.owner_of(g).is_hidden(),
        totals::Party::Group(g) => index.owner(g).is_hidden(),
    };
    let named = index.totals.links.iter().map(|(l, t)| (l, &t.waits));
    let others = index.totals.other_waits.iter().map(|((l, _), t)| (l, t));
    let mut sum = Tally::default();
    for (l, t) in named.chain(others).filter(|(l, _)| !hidden(l.waiter)) {
        let id = reasons.refine(&index.dict, l.reason, l.waiter_stack, Waker::Runtime);
        if !reasons.get(id).is_recorded() {
            sum.merge(Tally { count: t.count, total: t.total });
        }
    }
    sum
}
