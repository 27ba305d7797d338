//! Several channels behind one line, as those are that each request makes for its answer.
//!
//! A channel hands over to who has waited longest (`recvq` and `sendq` in `runtime/chan.go` are first in, first out, and
//! nobody jumps them). A goroutine that came later and is woken earlier therefore waited for another channel. Which of them
//! a wait was for shows only in who ended it: so each is laid to that one, and those that never ended to nobody. A
//! channel that is closed, as a context's is, ends all waits for it: where nothing is sent, each wait is laid to who closed. A
//! `sync.WaitGroup` has no queue: its last `Done` ends all waits for it, and answers for them.

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

    /// A goroutine ends a wait that was for something in the window in `inside`; it had done with the class's things before
    /// in `since`. `counts` says whether the wait counts, and `began` is when it did without any window.
    pub fn release(
        &mut self,
        (go, by): (GoIdx, By),
        (order, began): (Order, Time),
        inside: (Time, Time),
        since: Time,
        counts: bool,
    ) {
        let closes = by.2.is_some_and(How::closes);
        self.closed += u64::from(closes);
        self.others += u64::from(!closes);
        // Who closes a channel wakes the last one first.
        if let Some(l) = order.line().filter(|_| !closes) {
            self.ended += 1;
            self.passed_over += u64::from(self.lines[l].passed_over(began));
        }
        let (from, to) = inside;
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

    /// Whether there are several channels, by all that shows.
    pub fn several(&self) -> bool {
        self.passed_over >= SEEN && self.passed_over.saturating_mul(OF) >= self.ended
    }
}
