//! What the time of a path went into, summed up by cause.

use super::{Holder, Hop, LastToStop, Path, Piece, What};
use crate::analysis::waits::links::group;
use crate::base::{Duration, GroupId, Time};
use crate::model::Index;
use crate::model::places::PlaceId;
use crate::model::reasons::ReasonId;
use rustc_hash::FxHashMap;

/// What a share of the window went into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// Something that the goroutine itself did, or that nobody did.
    Own(What, Option<ReasonId>, PlaceId),
    /// A wait for other goroutines.
    Other {
        /// What for.
        reason: ReasonId,
        /// Where.
        at: PlaceId,
    },
}

/// A part of a share: a wait, or something that the goroutine itself did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Portion {
    /// When it begins.
    pub from: Time,
    /// How long it is.
    pub len: Duration,
    /// For a wait for others, its place in [`Path::hops`].
    pub hop: Option<usize>,
}

/// A cause and what it cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// The cause.
    pub cause: Cause,
    /// How often.
    pub count: u64,
    /// How long, together.
    pub total: Duration,
    /// The parts that it is the sum of, in order of time.
    pub steps: Vec<Portion>,
    /// CPU samples in it.
    pub samples: u64,
    /// The part in which the world was stopped.
    pub stw: Duration,
    /// The part of running in which the goroutine assisted the collector.
    pub assist: Duration,
    /// Who held the Ps meanwhile (all Ps busy only).
    pub holders: Vec<Holder>,
    /// Who was last to stop, of the longest stop of the world.
    pub last_to_stop: Option<LastToStop>,
    /// For a wait for others, the groups of those who ended it, the longest first.
    pub wakers: Vec<(GroupId, Duration)>,
    /// For a wait for others, where they ended it, the longest first.
    pub waker_at: Vec<(PlaceId, Duration)>,
    /// For a wait for others, what they did meanwhile, the longest first.
    pub meanwhile: Vec<Meanwhile>,
}

/// What goroutines of a group did while another waited for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meanwhile {
    /// The group.
    pub group: GroupId,
    /// What they did.
    pub what: What,
    /// For a wait or a syscall, what for.
    pub reason: Option<ReasonId>,
    /// The line of user code.
    pub at: PlaceId,
    /// How long.
    pub time: Duration,
    /// How much of it they assisted the collector (running only).
    pub assist: Duration,
    /// Who was last to stop, of the longest stop of the world.
    pub last_to_stop: Option<LastToStop>,
}

impl Path {
    /// What the window went into as its own goroutine sees it, the largest share first. The shares sum to the window.
    pub fn shares(&self, index: &Index) -> Vec<Share> {
        let mut sums: FxHashMap<Cause, Share> = FxHashMap::default();
        let numbered: Vec<(usize, &Hop)> = self.hops.iter().enumerate().filter(|(_, h)| h.depth == 0).collect();
        let tops: Vec<&Hop> = numbered.iter().map(|n| n.1).collect();
        let empty = |cause| Share {
            cause,
            count: 0,
            total: Duration::ZERO,
            steps: Vec::new(),
            samples: 0,
            stw: Duration::ZERO,
            assist: Duration::ZERO,
            holders: Vec::new(),
            last_to_stop: None,
            wakers: Vec::new(),
            waker_at: Vec::new(),
            meanwhile: Vec::new(),
        };
        for (no, h) in numbered {
            let cause = cause_of(h);
            let s = sums.entry(cause).or_insert_with(|| empty(cause));
            s.count += 1;
            s.total += h.len();
            s.steps.push(Portion { from: h.from, len: h.len(), hop: Some(no) });
            match s.waker_at.iter_mut().find(|w| w.0 == h.waker_at) {
                Some(w) => w.1 += h.len(),
                None => s.waker_at.push((h.waker_at, h.len())),
            }
            let waker = group(index, h.waker);
            match s.wakers.iter_mut().find(|w| w.0 == waker) {
                Some(w) => w.1 += h.len(),
                None => s.wakers.push((waker, h.len())),
            }
        }
        let mut next = 0;
        for p in &self.pieces {
            while tops.get(next).is_some_and(|h| h.to <= p.from) {
                next += 1;
            }
            let hop = tops.get(next).filter(|h| p.depth > 0 && h.from <= p.from).map(|h| cause_of(h));
            for (what, len) in p.kinds() {
                let at = if what == What::Running { PlaceId::NONE } else { p.at };
                let cause = hop.unwrap_or(Cause::Own(what, p.reason, at));
                let s = sums.entry(cause).or_insert_with(|| empty(cause));
                if hop.is_none() {
                    s.count += 1;
                    s.total += len;
                    s.steps.push(Portion { from: p.from, len, hop: None });
                } else {
                    s.meanwhile(index, p, (what, len));
                }
                s.add(p, what);
            }
        }
        let mut out: Vec<Share> = sums.into_values().collect();
        for s in &mut out {
            s.waker_at.sort_by_key(|w| (std::cmp::Reverse(w.1), w.0));
            s.wakers.sort_by_key(|w| (std::cmp::Reverse(w.1), w.0));
            s.holders.sort_by_key(|h| (std::cmp::Reverse(h.time), h.group));
            s.meanwhile.sort_by_key(|m| (std::cmp::Reverse(m.time), m.group, m.what, m.reason, m.at));
        }
        out.sort_by_key(|s| (std::cmp::Reverse(s.total), s.cause));
        out
    }

    /// The sum of the pieces: always the window's length.
    pub fn total(&self) -> Duration {
        self.pieces.iter().map(Piece::len).sum()
    }
}

impl Share {
    /// Adds what another goroutine did in a piece of this kind.
    fn meanwhile(&mut self, index: &Index, p: &Piece, (what, time): (What, Duration)) {
        let stopped = !matches!(what, What::NoP | What::Wakeup);
        let (group, reason, at) = (group(index, p.go), p.reason, p.at);
        let (assist, last_to_stop) = (p.assist, p.last_to_stop.filter(|_| stopped));
        let same = |m: &&mut Meanwhile| (m.group, m.what, m.reason, m.at) == (group, what, reason, at);
        match self.meanwhile.iter_mut().find(same) {
            Some(m) => {
                m.time += time;
                m.assist += assist;
                m.last_to_stop = longer(m.last_to_stop, last_to_stop);
            }
            None => self.meanwhile.push(Meanwhile { group, what, reason, at, time, assist, last_to_stop }),
        }
    }

    /// Adds what a piece of this kind says besides its length.
    fn add(&mut self, p: &Piece, what: What) {
        self.samples += u64::from(p.samples);
        self.assist += p.assist;
        // Where it was runnable, the part in which the world was stopped is one by itself.
        if !matches!(what, What::NoP | What::Wakeup) {
            self.stw += p.stw;
            self.last_to_stop = longer(self.last_to_stop, p.last_to_stop);
        }
        if what == What::NoP {
            for h in &p.holders {
                match self.holders.iter_mut().find(|x| x.group == h.group) {
                    Some(x) => x.time += h.time,
                    None => self.holders.push(*h),
                }
            }
        }
    }
}

/// The stop that waited longer.
fn longer(a: Option<LastToStop>, b: Option<LastToStop>) -> Option<LastToStop> {
    if a.map(|l| l.waited) < b.map(|l| l.waited) { b } else { a }
}

impl Piece {
    /// What it consists of, and how much of each: only a runnable goroutine's may be of several kinds. They sum to it.
    pub fn kinds(&self) -> impl Iterator<Item = (What, Duration)> + use<> {
        let parts = match self.what {
            What::Runnable => {
                let busy = self.len() - self.ready.stw - self.ready.idle;
                [(What::NoP, busy), (What::Wakeup, self.ready.idle), (What::Stopped, self.ready.stw)]
            }
            what => [(what, self.len()), (what, Duration::ZERO), (what, Duration::ZERO)],
        };
        parts.into_iter().filter(|k| k.1 != Duration::ZERO)
    }
}

fn cause_of(h: &Hop) -> Cause {
    Cause::Other { reason: h.reason, at: h.at }
}
