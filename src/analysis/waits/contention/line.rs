//! Those who wait in one queue, in the order in which they came.

use super::LATER;
use crate::base::{GoIdx, Time};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Which of the queues at a lock or channel a wait is in, as far as the order in it says anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::analysis::waits) enum Order {
    /// That of a mutex, or of writers who wait for writers.
    Mutex,
    /// That of an RWMutex's readers.
    Readers,
    /// That of those who would send.
    Senders,
    /// That of those who would receive.
    Receivers,
    /// One whose order says nothing, or it is not known which.
    Unknown,
}

impl Order {
    /// Which of the two queues of a lock or channel it is.
    pub fn line(self) -> Option<usize> {
        match self {
            Order::Mutex | Order::Senders => Some(0),
            Order::Readers | Order::Receivers => Some(1),
            Order::Unknown => None,
        }
    }

    /// Senders, and all others: what the ones wait for is not what holds the others up.
    pub fn side(self) -> usize {
        usize::from(self != Order::Senders)
    }
}

/// One queue.
#[derive(Default)]
pub(super) struct Line {
    /// Those who came and may be gone, in order.
    came: VecDeque<(Time, GoIdx)>,
    /// Since when each waits who is there.
    since: FxHashMap<GoIdx, Time>,
}

impl Line {
    /// A goroutine begins to wait.
    pub fn come(&mut self, go: GoIdx, now: Time) {
        self.came.push_back((now, go));
        self.since.insert(go, now);
        // One who waits for ever keeps all those in the list who came after it and are gone.
        if self.came.len() > 64 + 2 * self.since.len() {
            self.came.retain(|(from, go)| self.since.get(go) == Some(from));
        }
    }

    /// It waits no more.
    pub fn leave(&mut self, go: GoIdx) {
        self.since.remove(&go);
    }

    /// Whether somebody waits who came well before an instant.
    pub fn passed_over(&mut self, from: Time) -> bool {
        while self.came.front().is_some_and(|(from, go)| self.since.get(go) != Some(from)) {
            self.came.pop_front();
        }
        self.came.front().is_some_and(|f| f.0 + LATER < from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_waits_for_ever_does_not_keep_the_others() {
        let mut l = Line::default();
        l.come(GoIdx(0), Time(0));
        for n in 1..10_000 {
            let from = Time(i64::from(n) * 100_000);
            l.come(GoIdx(n), from);
            l.leave(GoIdx(n));
            assert!(l.passed_over(from));
        }
        assert!(l.came.len() < 100);
        l.leave(GoIdx(0));
        assert!(!l.passed_over(Time::MAX));
    }
}
