//! One lock or channel while its waits are followed: who waits, and whose delay that is.
//!
//! A trace shows a release only where it ends a wait, and never who holds a lock. So the time between two releases is laid
//! to whoever made the later one, as Go's mutex profile does (`semrelease1` in `runtime/sema.go`, `acquiretime`): it held
//! the lock then. What was waited for before the first release belongs to whoever made that, and what was waited for after
//! the last to nobody that the trace shows. Each moment of each wait belongs to exactly one of them. Senders wait for
//! receivers and these for senders, so at a channel that holds for each side. Where the trace shows that there are several
//! locks, it holds for each of them (`apart.rs`); where it shows several channels, each wait is laid to who ended it
//! (`each.rs`).
//!
//! Where only a window is asked for, all of the trace is followed nevertheless, and only the moments inside count: who
//! releases after it answers for what was waited for in it.

use super::apart::{Apart, Woken};
use super::delay::{By, Delay};
use super::depth::Depth;
use super::each::Each;
use super::holds::{Hold, Holds};
use super::line::Order;
use super::passes::Passes;
use super::{Convoy, What};
use crate::base::{Duration, GoIdx, Time};
use crate::model::Index;
use crate::model::reasons::How;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Most points of a curve that are kept of a class. Beyond that every other one is left out.
const MOST: usize = 1 << 20;

/// What a goroutine did with a lock or channel.
#[derive(Clone, Copy, Default)]
struct Touch {
    /// When it last got it after a wait, or released it.
    at: Time,
    /// When its first wait ended, as a sender and otherwise.
    waited: [Option<Time>; 2],
    /// Waits of senders that it ended, and others.
    releases: [u64; 2],
    /// When it did that last.
    released: Time,
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

/// Those who wait on one side: as senders, or otherwise.
#[derive(Clone, Copy, Default)]
struct Side {
    depth: u64,
    /// When somebody came and nobody waited.
    busy_since: Time,
    /// Goroutine-nanoseconds waited since the last release, and the time in which that was.
    pending: i128,
    pending_busy: Duration,
    /// For how long somebody had waited since anybody released when a recording ended, the last that ended so.
    quiet: Duration,
    last_release: Time,
}

/// A lock or channel while it is followed. Times must not go back.
pub(super) struct Queue {
    what: What,
    /// What counts.
    window: (Time, Time),
    sides: [Side; 2],
    since: Time,
    /// Goroutine-nanoseconds waited.
    pub area: i128,
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
    /// For a lock, what tells several of them apart; for a channel or a group, what each was waited for.
    apart: Option<Box<Apart>>,
    each: Option<Box<Each>>,
    holds: Holds,
    pub curve: Curve,
}

impl Queue {
    /// One of which the time inside `window` counts, and the depth in parts of `parts`, which lies in that.
    pub fn new(what: What, window: (Time, Time), parts: (Time, Time)) -> Queue {
        Queue {
            what,
            window,
            sides: [Side { busy_since: Time::MIN, last_release: Time::MIN, ..Side::default() }; 2],
            since: Time::MIN,
            area: 0,
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
            each: matches!(what, What::Channel | What::Group).then(Box::default),
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
        let depth = self.depth();
        if depth > 0 && now > self.since {
            let d = now - self.since;
            for side in self.sides.iter_mut().filter(|s| s.depth > 0) {
                let area = i128::from(d.ns()) * i128::from(side.depth);
                self.area += area;
                side.pending += area;
                side.pending_busy += d;
            }
            self.busy += d;
            self.over_time.add(self.since, now, depth);
            self.curve.push(now, self.area);
            self.crowd();
        }
        self.since = self.since.max(now);
    }

    /// How many wait now.
    fn depth(&self) -> u64 {
        self.sides.iter().map(|s| s.depth).sum()
    }

    /// As many wait now: takes note of it, if there never were more.
    fn crowd(&mut self) {
        let depth = self.depth();
        self.convoy.peak = self.convoy.peak.max(depth);
        self.depth_max = self.depth_max.max(depth);
    }

    /// A wait of `go` begins.
    pub fn come(&mut self, now: Time, (go, order): (GoIdx, Order)) {
        self.pass(now);
        if let Some(a) = &mut self.apart {
            a.come(go, now, order);
        }
        if let Some(e) = &mut self.each {
            e.come(go, now, order);
        }
        if self.depth() == 0 {
            let now = self.clip(now);
            self.convoy = Convoy { from: now, to: now, ..Convoy::default() };
            // The area stood still since the last point.
            self.curve.push(self.since, self.area);
        }
        let side = &mut self.sides[order.side()];
        if side.depth == 0 {
            side.busy_since = self.since;
        }
        side.depth += 1;
        if now >= self.window.0 && now < self.window.1 {
            self.crowd();
        }
    }

    /// The wait of `go` ends; whether that is a hand-off that counts.
    pub fn go(&mut self, now: Time, (go, order): (GoIdx, Order), handoff: bool) {
        self.pass(now);
        let side = &mut self.sides[order.side()];
        side.depth = side.depth.saturating_sub(1);
        let nobody = self.depth() == 0;
        if let Some(a) = self.apart.as_mut().filter(|_| nobody) {
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
        touch.waited[order.side()].get_or_insert(now);
    }

    /// The wait of `go` goes on when its recording ends: no release that a later one tells of ends it.
    pub fn stop(&mut self, now: Time, (go, order): (GoIdx, Order)) {
        self.pass(now);
        self.leave(go);
        let side = &mut self.sides[order.side()];
        side.depth = side.depth.saturating_sub(1);
        if side.depth == 0 {
            (side.pending, side.quiet) = (0, std::mem::take(&mut side.pending_busy));
        }
    }

    /// The wait of `go` ends, and no goroutine ended it.
    pub fn leave(&mut self, go: GoIdx) {
        if let Some(a) = &mut self.apart {
            a.leave(go);
        }
        if let Some(e) = &mut self.each {
            e.leave(go);
        }
    }

    /// A goroutine ends the wait of `woken`, one that counts or not; `go` takes that off afterwards.
    /// `born` is when that goroutine was created, and by whom, if it was in the trace.
    pub fn release(
        &mut self,
        now: Time,
        (go, by, born): (GoIdx, By, Option<(Time, GoIdx)>),
        woken: Woken,
        counts: bool,
    ) {
        self.pass(now);
        let sender = woken.order == Order::Senders;
        if !self.what.held_by_one() {
            self.passes.add(go, woken.go, sender);
        }
        // What its creator sent before it started the goroutine, that one holds from then on.
        let started = born.filter(|b| sender && !self.touched.contains_key(&go) && self.sent_before(b.1, b.0));
        let window = self.window;
        let side = &mut self.sides[woken.order.side()];
        if counts || side.pending > 0 {
            let d = self.delays.entry(by).or_default();
            d.area += std::mem::take(&mut side.pending);
            d.held += std::mem::take(&mut side.pending_busy);
            d.releases += u64::from(counts);
        }
        let touch = self.touched.entry(go).or_default();
        touch.at = touch.at.max(born.map_or(Time::MIN, |b| b.0));
        // One holds a lock; of what several can hold, it held its share since it got it, or since somebody waited: whoever
        // comes later must queue.
        let since = if self.what.held_by_one() { side.last_release } else { touch.at };
        let from = match started {
            Some((at, _)) if !self.what.held_by_one() => clip(window, at),
            _ => clip(window, since).max(side.busy_since),
        };
        side.last_release = now;
        if let Some(a) = &mut self.apart {
            a.release((now, go, by), woken, counts, |t| clip(window, t));
        }
        if let Some(e) = &mut self.each {
            e.leave(woken.go);
            let inside = (clip(window, woken.from), clip(window, now), now);
            e.release((go, by), (woken.order, woken.from), inside, touch.at, counts);
        }
        (touch.at, touch.released) = (now, now);
        // What is closed is not given back.
        touch.releases[woken.order.side()] += u64::from(by.2 != Some(How::Close));
        self.holds.add(Hold { go, from, to: clip(window, now), area: None });
    }

    /// Who caused how much delay, and the holds, when all has been followed; and whether several locks or channels are
    /// behind the lines.
    pub fn blame(&mut self) -> (BTreeMap<By, Delay>, Holds, bool) {
        let window = self.window;
        if let Some(mut a) = self.apart.take().filter(|a| a.several()) {
            a.settle(|t| clip(window, t));
            return (a.delays, a.holds, true);
        }
        let apart = |e: &Each| self.what == What::Group || e.several() || e.only_closed();
        if let Some(e) = self.each.take().filter(|e| apart(e)) {
            let several = e.several() && self.what == What::Channel;
            return (e.delays, e.holds, several);
        }
        (std::mem::take(&mut self.delays), std::mem::take(&mut self.holds), false)
    }

    /// For how long somebody has waited since anybody released, when all has been followed.
    pub fn quiet(&self) -> Duration {
        self.sides.iter().map(|s| s.quiet).max().unwrap_or(Duration::ZERO)
    }

    /// Whether a goroutine had waited to send before. Who only tells those that it started to end waits afterwards.
    fn sent_before(&self, go: GoIdx, at: Time) -> bool {
        self.what == What::Channel && self.touched.get(&go).and_then(|t| t.waited[0]).is_some_and(|first| first <= at)
    }

    /// Whether those who end waits are, for the most part, those who wait likewise: receivers that are woken by those who
    /// received before, say. Not so where all is passed on in one direction, as from stage to stage of a pipeline whose
    /// stages are at the same lines.
    ///
    /// So are goroutines for which others send, each before it starts one of them (`errgroup.SetLimit`): they end one wait
    /// each, towards their end.
    pub fn held_by_waiters(&self, index: &Index) -> bool {
        let (mut own, mut all) = (0u64, 0u64);
        let started_for = |go: GoIdx, t: &Touch| {
            let Some(g) = index.goroutine(go).filter(|g| g.born && t.releases[0] == 1) else { return false };
            let ended = g.ended.unwrap_or(index.end);
            self.sent_before(g.creator, g.from) && t.released - g.from > ended - t.released
        };
        for side in 0..2 {
            let one_way = self.what == What::Channel && self.passes.one_way(side == 0);
            for (&go, t) in &self.touched {
                all += t.releases[side];
                let holds = t.waited[side].is_some() && !one_way || side == 0 && started_for(go, t);
                own += if holds { t.releases[side] } else { 0 };
            }
        }
        own.saturating_mul(2) > all
    }
}
