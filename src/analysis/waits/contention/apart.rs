//! Several locks behind one line, as the shards of a map are, told apart as far as a trace allows.
//!
//! Who waits longest for a mutex, or to read under an RWMutex, is woken first: `semaRoot` in `runtime/sema.go` is first in,
//! first out for each address, but for those who were woken already and lost the race. A goroutine that came later and is
//! woken earlier therefore waited for another lock, or it took the turn of one who was woken and then lost the race itself:
//! `cansemacquire` lets it, and then it goes to the head of the queue, and the other one must wait once more. So under one
//! lock, goroutines are passed over less often than some wait once more without a release in between; mostly far less often,
//! for most of those lose the race otherwise.
//!
//! Who was woken holds the lock that it waited for, so what it releases next is that one: releases that follow from one
//! another so are a chain, and a chain belongs to one lock. Two chains may be of one lock all the same; that they are of two,
//! nothing but the order tells.

use super::delay::{By, Delay};
use super::holds::{Hold, Holds};
use super::line::{Line, Order};
use crate::base::{Duration, GoIdx, Time};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// How often that must be seen at least: one who was woken just before the trace begins looks as if it came last.
const SEEN: u64 = 3;

/// Most releases that are kept while anybody waits. What is older then counts as not known.
const MOST: usize = 1 << 16;

/// A wait that a release ended.
#[derive(Clone, Copy)]
pub(super) struct Woken {
    pub go: GoIdx,
    pub from: Time,
    pub order: Order,
}

/// A release, and the waits between it and the one before it in its chain.
struct Release {
    at: Time,
    go: GoIdx,
    by: By,
    /// Whether the wait that it ended counts.
    counts: bool,
    /// Goroutine-nanoseconds of waits that began after the release before, and the earliest of those.
    partial: i128,
    earliest: Time,
    /// Waits of this chain that began before the release before this one, and those of them that this one ended.
    begun: u64,
    ended: u64,
}

/// Tells the locks of one class apart.
#[derive(Default)]
pub(super) struct Apart {
    /// Those that are not settled yet, and the number of the first.
    chains: Vec<Vec<Release>>,
    first: u32,
    releases: usize,
    /// The chain of the lock that a goroutine was given and has not been seen to release since.
    given: FxHashMap<GoIdx, u32>,
    /// Whose the last release was, and its chain.
    last: Option<(GoIdx, By, u32)>,
    /// Those who wait, by queue.
    lines: [Line; 2],
    passed_over: u64,
    /// Waits that began after the same goroutine was woken, with no release of its own in between.
    again: u64,
    /// Who caused how much delay, and the holds, by the chains: as far as they are settled.
    pub delays: BTreeMap<By, Delay>,
    pub holds: Holds,
}

impl Apart {
    /// A goroutine begins to wait.
    pub fn come(&mut self, go: GoIdx, now: Time, order: Order) {
        if let Some(l) = order.line() {
            self.lines[l].come(go, now);
            self.again += u64::from(self.given.contains_key(&go));
        }
    }

    /// A wait ends otherwise than by a release.
    pub fn leave(&mut self, go: GoIdx) {
        self.lines.iter_mut().for_each(|l| l.leave(go));
        self.given.remove(&go);
    }

    /// A goroutine ends a wait.
    ///
    /// `inside` says which moment of the part that counts is nearest to one, and `counts` whether the wait does.
    pub fn release(&mut self, (now, go, by): (Time, GoIdx, By), w: Woken, counts: bool, inside: impl Fn(Time) -> Time) {
        self.compare(&w);
        // Who lets readers in lets them all in at once, by one release.
        let again = self.last.filter(|l| w.order == Order::Readers && (l.0, l.1) == (go, by)).map(|l| l.2);
        let own = self.given.remove(&go).filter(|&c| c >= self.first);
        let new = self.first.wrapping_add(self.chains.len() as u32);
        let chain = again.or(own).unwrap_or(new);
        if chain == new {
            self.chains.push(Vec::new());
        }
        let Some(all) = self.chains.get_mut((chain - self.first) as usize) else { return };
        let release = Release { at: now, go, by, counts, partial: 0, earliest: Time::MAX, begun: 0, ended: 0 };
        all.push(release);
        self.releases += 1;
        let n = all.len() - 1;
        let first = all.partition_point(|r| r.at <= w.from).min(n);
        let from = inside(w.from);
        let r = &mut all[first];
        let part = inside(r.at) - from;
        if part > Duration::ZERO {
            r.partial += i128::from(part.ns());
            r.earliest = r.earliest.min(from);
        }
        if first < n {
            all[first + 1].begun += 1;
            all[n].ended += 1;
        }
        self.last = Some((go, by, chain));
        self.given.insert(w.go, chain);
        if self.releases >= MOST {
            self.settle(inside);
        }
    }

    /// Looks whether somebody was passed over.
    fn compare(&mut self, w: &Woken) {
        let Some(line) = w.order.line().map(|l| &mut self.lines[l]) else { return };
        line.leave(w.go);
        // Who was woken before and found the lock taken goes to the head of the queue.
        let fresh = !self.given.contains_key(&w.go);
        self.passed_over += u64::from(fresh && line.passed_over(w.from));
    }

    /// Whether there are several locks, by all that shows.
    pub fn several(&self) -> bool {
        self.passed_over >= SEEN && self.passed_over.saturating_mul(2) > self.again
    }

    /// Nobody waits any more, or too much is kept: lays the delay to those who caused it.
    pub fn settle(&mut self, inside: impl Fn(Time) -> Time) {
        self.first = self.first.wrapping_add(self.chains.len() as u32);
        for chain in self.chains.drain(..) {
            let (mut through, mut before) = (0, None);
            for r in chain {
                through += r.begun;
                let at = inside(r.at);
                let whole = before.map_or(Duration::ZERO, |b| at - b);
                let area = r.partial + i128::from(whole.ns()) * i128::from(through);
                // It held what it released then since the release before, or since somebody waits for it.
                let from = if through > 0 { at - whole } else { r.earliest.min(at) };
                if r.counts || area > 0 {
                    let d = self.delays.entry(r.by).or_default();
                    d.area += area;
                    d.held += at - from;
                    d.releases += u64::from(r.counts);
                }
                self.holds.add(Hold { go: r.go, from, to: at, area: Some(area) });
                through -= r.ended;
                before = Some(at);
            }
        }
        self.releases = 0;
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::GroupId;
    use crate::model::places::PlaceId;

    fn by(n: u32) -> By {
        (GroupId(n), PlaceId(0), None)
    }

    /// Goroutines wait for one of several mutexes, each first in, first out, and hold it for a while; nobody barges in.
    /// What each group (a goroutine here) is blamed for is counted moment by moment and lock by lock.
    fn play(locks: u32, steps: &[(u32, i64, i64)]) -> (Apart, BTreeMap<u32, i64>, i64) {
        // (goroutine, lock, when it came, when it got it, when it released)
        let mut free: BTreeMap<u32, (i64, Option<usize>)> = BTreeMap::new();
        let mut all: Vec<(u32, u32, i64, i64, i64, Option<usize>)> = Vec::new();
        let mut now = 0;
        for (go, &(lock, gap, hold)) in (0u32..).zip(steps) {
            now += gap;
            let lock = lock % locks;
            let (at, holder) = free.get(&lock).copied().unwrap_or((0, None));
            let got = now.max(at);
            all.push((go, lock, now, got, got + hold, holder.filter(|_| at > now)));
            free.insert(lock, (got + hold, Some(all.len() - 1)));
        }
        let mut events: Vec<(i64, bool, usize)> = Vec::new();
        for (i, a) in all.iter().enumerate().filter(|(_, a)| a.5.is_some()) {
            events.extend([(a.2, false, i), (a.3, true, i)]);
        }
        events.sort_unstable();
        let mut apart = Apart::default();
        let (mut want, mut total) = (BTreeMap::new(), 0);
        for (t, ends, i) in events {
            let a = all[i];
            if !ends {
                apart.come(GoIdx(a.0), Time(t), Order::Mutex);
                continue;
            }
            let woken = Woken { go: GoIdx(a.0), from: Time(a.2), order: Order::Mutex };
            let holder = all[a.5.unwrap()].0;
            apart.release((Time(t), GoIdx(holder), by(holder)), woken, true, |t| t);
            total += t - a.2;
            // The lock was held by those before it, each from when it got it to when it released.
            for h in all.iter().filter(|h| h.1 == a.1 && h.0 < a.0) {
                let blocked = h.4.min(a.3) - h.3.max(a.2);
                if blocked > 0 {
                    *want.entry(h.0).or_default() += blocked;
                }
            }
        }
        apart.settle(|t| t);
        (apart, want, total)
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn each_lock_has_its_own_delay(
            locks in 1u32..4,
            steps in proptest::collection::vec((0u32..4, 0i64..60_000, 1i64..100_000), 0..40),
        ) {
            let (apart, want, total) = play(locks, &steps);
            // One lock is never taken for several.
            proptest::prop_assert!(locks > 1 || !apart.several());
            let delays = apart.delays;
            let got: BTreeMap<u32, i64> =
                delays.iter().filter(|d| d.1.area > 0).map(|(by, d)| (by.0.0, d.area as i64)).collect();
            proptest::prop_assert_eq!(got.values().sum::<i64>(), total);
            proptest::prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn those_who_are_passed_over_show_that_there_are_several_locks() {
        let mut a = Apart::default();
        for (go, at) in [(1, 0), (2, 20_000), (3, 40_000), (4, 60_000)] {
            a.come(GoIdx(go), Time(at), Order::Mutex);
        }
        let woken = |go, from| Woken { go: GoIdx(go), from: Time(from), order: Order::Mutex };
        a.release((Time(70_000), GoIdx(9), by(9)), woken(2, 20_000), true, |t| t);
        a.release((Time(80_000), GoIdx(9), by(9)), woken(3, 40_000), true, |t| t);
        assert!(!a.several(), "twice may be chance");
        a.release((Time(90_000), GoIdx(9), by(9)), woken(4, 60_000), true, |t| t);
        assert!(a.several());
        // Who has been woken before and lost the race is at the head: that proves nothing.
        let mut a = Apart::default();
        a.come(GoIdx(2), Time(0), Order::Mutex);
        a.release((Time(1), GoIdx(9), by(9)), woken(2, 0), true, |t| t);
        a.come(GoIdx(1), Time(2), Order::Mutex);
        for again in [20_000, 40_000, 60_000] {
            a.come(GoIdx(2), Time(again), Order::Mutex);
            a.release((Time(again + 1), GoIdx(9), by(9)), woken(2, again), true, |t| t);
        }
        assert!(!a.several());
    }
}
