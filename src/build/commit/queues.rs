//! Keeps the waits for some reasons one by one, where somebody asks for them.

use super::Maps;
use crate::base::GoIdx;
use crate::build::fold::{CALL, Part, Single};
use crate::model::totals::Link;
use crate::model::waits::{Queued, Queues, Stop, Stretch};
use crate::model::{Dict, Index};

/// The waits kept so far.
#[derive(Default)]
pub(crate) struct Queueing {
    /// Which are wanted, by the runtime's reason; none once there were too many.
    wanted: Option<fn(&str) -> bool>,
    kept: Queues,
}

impl Queueing {
    pub fn new(wanted: Option<fn(&str) -> bool>) -> Queueing {
        Queueing { wanted, kept: Queues::default() }
    }

    pub fn take(&mut self) -> Option<Queues> {
        self.wanted.take().map(|_| std::mem::take(&mut self.kept))
    }

    /// Adds a part's waits. The part's first event is `index.events`.
    pub fn add(&mut self, index: &Index, part: &Part, gos: &[GoIdx], maps: &Maps) {
        let Some(wanted) = self.wanted else { return };
        let first = index.events;
        let go = |i: u32| gos.get(i as usize).copied().unwrap_or_default();
        let queued = |s: &Single| Queued {
            wait: Stretch {
                len: s.to - s.from,
                from: s.from,
                began: first + s.began,
                ended: first + s.ended,
                go: go(s.key.waiter),
            },
            reason: maps.string(s.key.reason),
            stack: maps.stack(s.key.waiter_stack),
            by: go(s.key.waker),
            by_stack: maps.stack(s.key.waker_stack),
        };
        let singles = part
            .singles
            .iter()
            .filter(|s| s.key.reason != CALL)
            .map(queued)
            .filter(|q| wanted(index.dict.str(q.reason)));
        self.kept.waits.extend(part.queued.iter().map(queued));
        self.kept.waits.extend(singles);
        let stops = part.stops_after.iter().map(|&(no, stack)| Stop { after: first + no, stack: maps.stack(stack) });
        self.kept.stops.extend(stops);
        if part.queued_too_many || self.kept.waits.len().max(self.kept.stops.len()) > Queues::MOST {
            *self = Queueing::default();
        }
    }

    /// Adds a wait that `by` ended, or nobody.
    pub fn add_one(&mut self, dict: &Dict, wait: Stretch, link: &Link, by: GoIdx) {
        if self.wanted.is_some_and(|wanted| wanted(dict.str(link.reason))) {
            let (reason, stack, by_stack) = (link.reason, link.waiter_stack, link.waker_stack);
            self.kept.waits.push(Queued { wait, reason, stack, by, by_stack });
        }
    }
}
