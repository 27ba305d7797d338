//! One lock or channel while its waits are followed: who waits, and whose delay that is.
//!
//! A trace shows a release only where it ends a wait, and never who holds a lock. So the time between two releases is laid
//! to whoever made the later one, as Go's mutex profile does (`semrelease1` in `runtime/sema.go`, `acquiretime`): it held
//! the lock then. What was waited for before the first release belongs to whoever made that, and what was waited for after
//! the last to nobody that the trace shows. Each moment of each wait belongs to exactly one of them. Where it shows that
//! there are several locks, that holds for each of them (`apart.rs`).
//!
//! Where only a window is asked for, all of the trace is followed nevertheless, and only the moments inside count: who
//! releases after it answers for what was waited for in it.

use super::apart::{Apart, Order, Woken};
use super::delay::{By, Delay};
use super::depth::Depth;
use super::holds::{Hold, Holds};
use super::passes::Passes;
use super::{Convoy, What};
use crate::base::{Duration, GoIdx, Time};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Most points of a curve that are kept of a class. Beyond that every other one is left out.
const MOST: usize = 1 << 20;

/// What a goroutine did with a lock or channel.
#[derive(Clone, Copy, Default)]
struct Touch {
    /// When it last got it after a wait, or released it.
    at: Time,
    /// Whether it waited, as a sender and otherwise.
    waited: [bool; 2],
    /// Waits of senders that it ended, and others.
    releases: [u64; 2],
}

/// Goroutine-nanoseconds waited up to an instant.
#[derive(Default)]
pub(super) struct Curve(Vec<(Time, i128)>);

impl Curve {
    fn push(&mut self, at: Time, area: i128) {
        // Outside of the window nothing moves.
        if self.0.last() == Some(&(at, area)) {
            return;
        }
        if self.0.len() >= MOST {
            let mut i = 0;
            self.0.retain(|_| {
                i += 1;
                i % 2 == 1
            });
        }
        self.0.push((at, area));
    }

    /// The area up to `t`.
    pub fn at(&self, t: Time) -> i128 {
        let i = self.0.partition_point(|p| p.0 <= t);
        let (Some(&(from, a)), next) = (i.checked_sub(1).and_then(|i| self.0.get(i)), self.0.get(i)) else { return 0 };
        let Some(&(to, b)) = next else { return a };
        // Between two points as many wait all the time, but where points were left out.
        a + (b - a) * i128::from((t - from).ns()) / i128::from((to - from).ns().max(1))
    }
}

/// The moment of a window that is nearest to one.
fn clip(window: (Time, Time), t: Time) -> Time {
    t.max(window.0).min(window.1)
}

/// A lock or channel while it is followed. Times must not go back.
pub(super) struct Queue {
    what: What,
    /// What counts.
    window: (Time, Time),
    depth: u64,
    since: Time,
    /// When somebody came and nobody waited.
    busy_since: Time,
    /// Goroutine-nanoseconds waited, and the part of it since the last release.
    pub area: i128,
    pending: i128,
    pending_busy: Duration,
    last_release: Time,
    pub depth_max: u64,
    pub busy: Duration,
    pub over_time: Depth,
    convoy: Convoy,
    pub longest_convoy: Convoy,
    pub handoffs: u64,
    /// By who released and at which line.
    delays: BTreeMap<By, Delay>,
    touched: FxHashMap<GoIdx, Touch>,
    passes: Passes,
    /// For a lock, what tells several of them apart.
    apart: Option<Box<Apart>>,
    holds: Holds,
    pub curve: Curve,
}

impl Queue {
    /// One of which the time inside `window` counts, and the depth in parts of `parts`, which lies in that.
    pub fn new(what: What, window: (Time, Time), parts: (Time, Time)) -> Queue {
        Queue {
            what,
            window,
            depth: 0,
            since: Time::MIN,
            busy_since: Time::MIN,
            area: 0,
            pending: 0,
            pending_busy: Duration::ZERO,
            last_release: Time::MIN,
            depth_max: 0,
            busy: Duration::ZERO,
            over_time: Depth::new(parts.0, parts.1 - parts.0),
            convoy: Convoy::default(),
            longest_convoy: Convoy::default(),
            handoffs: 0,
            delays: BTreeMap::new(),
            touched: FxHashMap::default(),
            passes: Passes::default(),
            apart: (what == What::Lock).then(Box::default),
            holds: Holds::default(),
            curve: Curve::default(),
        }
    }

    fn clip(&self, t: Time) -> Time {
        clip(self.window, t)
    }

    /// Whether a wait is one of those that count.
    pub fn counts(&self, from: Time, to: Time) -> bool {
        to >= self.window.0 && from < self.window.1
    }

    /// The part of a wait that counts: when it begins, and how long it is.
    pub fn inside(&self, from: Time, len: Duration) -> (Time, Duration) {
        let (begin, end) = (self.clip(from), self.clip(from + len));
        (begin, end - begin)
    }

    pub fn pass(&mut self, now: Time) {
        let now = self.clip(now);
        if self.depth > 0 && now > self.since {
            let d = now - self.since;
            let area = i128::from(d.ns()) * i128::from(self.depth);
            self.area += area;
            self.pending += area;
            self.pending_busy += d;
            self.busy += d;
            self.over_time.add(self.since, now, self.depth);
            self.curve.push(now, self.area);
            self.crowd();
        }
        self.since = self.since.max(now);
    }

    /// As many wait now: takes note of it, if there never were more.
    fn crowd(&mut self) {
        self.convoy.peak = self.convoy.peak.max(self.depth);
        self.depth_max = self.depth_max.max(self.depth);
    }

    /// A wait of `go` begins.
    pub fn come(&mut self, now: Time, (go, order): (GoIdx, Order)) {
        self.pass(now);
        if let Some(a) = &mut self.apart {
            a.come(go, now, order);
        }
        if self.depth == 0 {
            let now = self.clip(now);
            self.convoy = Convoy { from: now, to: now, ..Convoy::default() };
            self.busy_since = self.since;
            // The area stood still since the last point.
            self.curve.push(self.since, self.area);
        }
        self.depth += 1;
        if now >= self.window.0 && now < self.window.1 {
            self.crowd();
        }
    }

    /// The wait of `go` ends; whether that is a hand-off that counts.
    pub fn go(&mut self, now: Time, (go, sender): (GoIdx, bool), handoff: bool) {
        self.pass(now);
        self.depth = self.depth.saturating_sub(1);
        if let Some(a) = self.apart.as_mut().filter(|_| self.depth == 0) {
            a.settle(|t| clip(self.window, t));
        }
        self.convoy.to = self.clip(now);
        self.convoy.handoffs += u64::from(handoff);
        self.handoffs += u64::from(handoff);
        let best = &mut self.longest_convoy;
        if (self.convoy.handoffs, self.convoy.peak) > (best.handoffs, best.peak) {
            *best = self.convoy;
        }
        let touch = self.touched.entry(go).or_default();
        touch.at = now;
        touch.waited[usize::from(!sender)] = true;
    }

    /// The wait of `go` ends, and no goroutine ended it.
    pub fn leave(&mut self, go: GoIdx) {
        if let Some(a) = &mut self.apart {
            a.leave(go);
        }
    }

    /// A goroutine ends the wait of `woken`, a sender or another, one that counts or not; `go` takes that off afterwards.
    pub fn release(&mut self, now: Time, (go, by): (GoIdx, By), (woken, sender): (Woken, bool), counts: bool) {
        self.pass(now);
        if !self.what.held_by_one() {
            self.passes.add(go, woken.go, sender);
        }
        if counts || self.pending > 0 {
            let d = self.delays.entry(by).or_default();
            d.area += std::mem::take(&mut self.pending);
            d.held += std::mem::take(&mut self.pending_busy);
            d.releases += u64::from(counts);
        }
        let window = self.window;
        let touch = self.touched.entry(go).or_default();
        // One holds a lock; of what several can hold, it held its share since it got it, or since somebody waited: whoever
        // comes later must queue.
        let since = if self.what.held_by_one() { self.last_release } else { touch.at };
        if let Some(a) = &mut self.apart {
            a.release((now, go, by), woken, counts, |t| clip(window, t));
        }
        touch.at = now;
        touch.releases[usize::from(!sender)] += 1;
        self.last_release = now;
        let from = self.clip(since).max(self.busy_since);
        self.holds.add(Hold { go, from, to: self.clip(now), area: None });
    }

    /// Who caused how much delay, and the holds, when all has been followed; and whether several locks are behind the
    /// lines.
    pub fn blame(&mut self) -> (BTreeMap<By, Delay>, Holds, bool) {
        let window = self.window;
        match self.apart.take().filter(|a| a.several()) {
            Some(mut a) => {
                a.settle(|t| clip(window, t));
                (a.delays, a.holds, true)
            }
            None => (std::mem::take(&mut self.delays), std::mem::take(&mut self.holds), false),
        }
    }

    /// Whether those who end waits are, for the most part, those who wait likewise: receivers that are woken by those who
    /// received before, say. Not so where all is passed on in one direction, as from stage to stage of a pipeline whose
    /// stages are at the same lines.
    pub fn held_by_waiters(&self) -> bool {
        let (mut own, mut all) = (0u64, 0u64);
        for side in 0..2 {
            let one_way = self.passes.one_way(side == 0);
            for t in self.touched.values() {
                all += t.releases[side];
                own += if t.waited[side] && !one_way { t.releases[side] } else { 0 };
            }
        }
        own.saturating_mul(2) > all
    }
}
