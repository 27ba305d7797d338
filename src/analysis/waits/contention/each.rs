//! Several channels behind one line, as those are that each request makes for its answer.
//!
//! A channel hands over to who has waited longest (`recvq` and `sendq` in `runtime/chan.go` are first in, first out, and
//! nobody jumps them). A goroutine that came later and is woken earlier therefore waited for another channel. Which of them
//! a wait was for shows only in who ended it: so each is laid to that one, and those that never ended to nobody. A
//! channel that is closed, as a context's is, ends all waits for it: where nothing is sent, each wait is laid to who closed. A
//! `sync.WaitGroup` has no queue: its last `Done` ends all waits for it, and answers for them.

use super::LATER;
use super::delay::{By, Delay};
use super::holds::{Hold, Holds};
use super::line::{Line, Order};
use crate::base::{GoIdx, Time};
use crate::model::reasons::How;
use std::collections::BTreeMap;

/// How often somebody must be passed over at least, and in how many of so many hand-overs: a thread may be interrupted
/// between that it queues its goroutine and that it writes so, which then looks as if it came later.
const SEEN: u64 = 3;
const OF: u64 = 20;

/// Each wait by who ended it.
#[derive(Default)]
pub(super) struct Each {
    lines: [Line; 2],
    passed_over: u64,
    ended: u64,
    closed: u64,
    others: u64,
    /// Who closed a channel last, and who did of the others, for each queue.
    closers: [[Option<(GoIdx, Time)>; 2]; 2],
    /// Waits that went on when another goroutine than the one that ended them had closed a channel: that was another one.
    outlived: u64,
    /// Who caused how much delay, and what they held.
    pub delays: BTreeMap<By, Delay>,
    pub holds: Holds,
}

impl Each {
    /// A goroutine begins to wait.
    pub fn come(&mut self, go: GoIdx, now: Time, order: Order) {
        if let Some(l) = order.line() {
            self.lines[l].come(go, now);
        }
    }

    /// A wait ends, by whatever.
    pub fn leave(&mut self, go: GoIdx) {
        self.lines.iter_mut().for_each(|l| l.leave(go));
    }

    /// A goroutine ends a wait that was for something in the window in `inside`, at the third of these instants; it had done with the class's things before
    /// in `since`. `counts` says whether the wait counts, and `began` is when it did without any window.
    pub fn release(
        &mut self,
        (go, by): (GoIdx, By),
        (order, began): (Order, Time),
        inside: (Time, Time, Time),
        since: Time,
        counts: bool,
    ) {
        let closes = by.2.is_some_and(How::closes);
        self.closed += u64::from(closes);
        self.others += u64::from(!closes);
        if let Some(l) = order.line() {
            let now = inside.2;
            self.outlived += u64::from(self.outlives(l, go, (began, now)));
            if closes {
                let [last, other] = &mut self.closers[l];
                if last.is_some_and(|c| c.0 != go) {
                    *other = *last;
                }
                *last = Some((go, now));
            }
        }
        // Who closes a channel wakes the last one first.
        if let Some(l) = order.line().filter(|_| !closes) {
            self.ended += 1;
            self.passed_over += u64::from(self.lines[l].passed_over(began));
        }
        let (from, to, _) = inside;
        let area = i128::from((to - from).ns().max(0));
        if counts || area > 0 {
            let held = since.max(from).min(to);
            let d = self.delays.entry(by).or_default();
            d.area += area;
            d.held += to - held;
            d.releases += u64::from(counts);
            // One waited at each moment of it.
            self.holds.add(Hold { go, from: held, to, area: Some(i128::from((to - held).ns())) });
        }
    }

    /// Whether nothing ever goes through the channels, until they are closed: each closes once, so who closed one has
    /// nothing to do with those who wait for another.
    pub fn only_closed(&self) -> bool {
        self.closed > 0 && self.others == 0
    }

    /// Whether another goroutine than `go`, which ends a wait, closed a channel while that wait went on. Who closes one
    /// wakes all who wait for it.
    fn outlives(&self, line: usize, go: GoIdx, (began, now): (Time, Time)) -> bool {
        let by_others = self.closers[line].iter().flatten().filter(|c| c.0 != go);
        by_others.max_by_key(|c| c.1).is_some_and(|c| began + LATER < c.1 && c.1 + LATER < now)
    }

    /// Whether there are several channels, by all that shows.
    pub fn several(&self) -> bool {
        self.outlived > 0 || self.passed_over >= SEEN && self.passed_over.saturating_mul(OF) >= self.ended
    }
}
