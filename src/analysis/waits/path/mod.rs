//! The critical path: why a goroutine took as long as it did between two instants.
//!
//! Walks back from the end of a window. Where the goroutine ran, that is what the time went into. Where it waited for
//! another, that other's timeline is followed instead, from the moment it ended the wait back to the moment the wait
//! began; then the walk goes on in the waiter. A goroutine that did not exist yet hands over to its creator, or is laid to
//! the timer that started it. So each instant of the window is laid to exactly one goroutine and one state, and the parts
//! sum to the window.

use super::links::group;
use super::tracker::{End, Interval, made_by_timer};
use crate::analysis::search::Source;
use crate::analysis::states::ahead::ReadAhead;
use crate::analysis::states::forward::Timeline;
use crate::analysis::states::walk;
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, GroupId, StackId, Time};
use crate::model::Index;
use crate::model::Waker;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{ReasonId, Reasons};
use crate::model::segment::{GoState, Kind};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Goroutines that wait for each other in a row: more are not followed.
pub const MAX_DEPTH: usize = 256;
/// Most pieces of a path. What comes before them in time is given as one.
const MAX_PIECES: usize = 200_000;

/// From how many segments on it is worth while to read ahead.
const LONG: usize = 4;

/// What a piece of the path went into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// On a P.
    Running,
    /// Ready, and no P for it.
    Runnable,
    /// In a syscall.
    Syscall,
    /// Waiting for something that is no goroutine, or for one that cannot be followed. Without a reason, it was not there
    /// yet: a timer started it.
    Waiting(Waker),
    /// Nothing is known: the goroutine was not there yet, and who made it is not in the trace.
    Absent,
}

/// Who held a P while the goroutine was ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The group of the goroutines that did.
    pub group: GroupId,
    /// For how long, summed over Ps.
    pub time: Duration,
}

/// A piece of the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// The goroutine that time is laid to.
    pub go: GoIdx,
    /// How many waits lie between it and the goroutine that was asked about.
    pub depth: u16,
    /// What the time went into.
    pub what: What,
    /// For a wait or a syscall, what for.
    pub reason: Option<ReasonId>,
    /// The line of user code; for one that ran, of most of its CPU samples.
    pub at: PlaceId,
    /// CPU samples in it (running only).
    pub samples: u32,
    /// Who held the Ps, the longest first (runnable only; at most three).
    pub holders: Vec<Holder>,
    /// How much of it the world was stopped.
    pub stw: Duration,
    /// How much of it the collector was marking.
    pub gc: Duration,
}

impl Piece {
    /// Its length.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it takes no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
}

/// A wait that the path follows to the goroutine that ended it. Its time is that of the pieces below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// When the wait begins, or the part of it inside the window.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// Who waited.
    pub go: GoIdx,
    /// What for.
    pub reason: ReasonId,
    /// The line in which it did.
    pub at: PlaceId,
    /// Who ended it.
    pub waker: GoIdx,
    /// The line in which they did.
    pub waker_at: PlaceId,
    /// How many waits lie above it.
    pub depth: u16,
    /// The event that began the wait.
    pub began: Option<EventNo>,
}

impl Hop {
    /// Its length.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it takes no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
}

/// A stretch of one goroutine's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The goroutine.
    pub go: GoIdx,
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// The event that ends it, where one does: tells the order among events of one instant.
    pub end: Option<EventNo>,
}

/// The critical path of a window.
pub struct Path {
    /// What was asked about.
    pub window: Window,
    /// The pieces, in order of time; they sum to the window.
    pub pieces: Vec<Piece>,
    /// The waits that lead from one goroutine to another, in order of time, the outer before the inner.
    pub hops: Vec<Hop>,
    /// What places are.
    pub places: Places,
    /// What reasons are.
    pub reasons: Reasons,
}

struct Frame {
    go: GoIdx,
    lo: Time,
    depth: u16,
    /// Where the walk goes on in the goroutine above.
    resume: Option<EventNo>,
}

/// Finds the critical path of a window of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn path<S: Source>(source: &S, window: Window) -> Result<Path, String> {
    let mut out = Err("there is no trace".to_owned());
    source.with_index(&mut |index| {
        let segments = index.segments_between(window.from, window.to);
        let threads = if segments.len() < LONG { 0 } else { walk::threads() };
        out = ReadAhead::run(source, threads, segments.start, |source| {
            let mut w = Walk {
                index,
                timeline: Timeline::new(source, index),
                places: Places::new(&index.dict),
                reasons: Reasons::default(),
                pieces: Vec::new(),
                hops: Vec::new(),
            };
            w.run(window)?;
            w.pieces.reverse();
            w.hops.sort_by_key(|h| (h.from, h.depth, h.to));
            Ok(Path { window, pieces: w.pieces, hops: w.hops, places: w.places, reasons: w.reasons })
        });
    });
    out
}

struct Walk<'a, S> {
    index: &'a Index,
    timeline: Timeline<'a, S>,
    places: Places,
    reasons: Reasons,
    pieces: Vec<Piece>,
    hops: Vec<Hop>,
}

impl<S: Source> Walk<'_, S> {
    fn run(&mut self, window: Window) -> Result<(), String> {
        let mut t = window.to.max(window.from);
        let mut no = match window.end {
            Some(no) => no,
            None => self.timeline.number_at(t)?,
        };
        let mut frames = vec![Frame { go: window.go, lo: window.from, depth: 0, resume: None }];
        while let Some(f) = frames.last_mut() {
            let (go, lo, depth) = (f.go, f.lo, f.depth);
            if t <= lo {
                if let Some(resume) = f.resume {
                    no = resume;
                }
                frames.pop();
                continue;
            }
            let known = if self.pieces.len() < MAX_PIECES { self.timeline.before(go, no, lo)? } else { None };
            let Some(now) = known else {
                self.push(Piece { what: What::Absent, ..piece(go, lo, t, depth) });
                t = lo;
                continue;
            };
            let from = now.from.max(lo).min(t);
            if now.state == GoState::Waiting {
                let end = self.timeline.after(go, no)?.map(|(e, _)| e).filter(|e| e.kind == Kind::GoUnblock);
                let waker = end.map_or(Waker::Nobody, |e| {
                    self.reasons.waker(&self.index.dict, (now.reason, now.stack), e.by, e.stack)
                });
                if let (Waker::Go(w), Some(e)) = (waker, end)
                    && w != go
                    && frames.len() < MAX_DEPTH
                    && from < t
                {
                    self.hop(&now, (from, t), w, e, depth);
                    frames.push(Frame { go: w, lo: from, depth: depth + 1, resume: now.began });
                    continue;
                }
                self.wait(&now, (from, t), waker, depth);
            } else {
                self.spend(&now, (from, t), depth)?;
            }
            t = from;
            match now.began {
                Some(began) => no = began,
                None if t > lo => {
                    self.push(Piece { what: What::Absent, ..piece(go, lo, t, depth) });
                    t = lo;
                }
                None => {}
            }
            let created = matches!(now.kind, Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall);
            if created && t > lo {
                if now.by.is_some() && now.by != go {
                    if let Some(f) = frames.last_mut() {
                        f.go = now.by;
                    }
                } else {
                    let timer = made_by_timer(now.kind, now.by, now.stack, now.proc);
                    let what = if timer { What::Waiting(Waker::Timer) } else { What::Absent };
                    self.push(Piece { what, ..piece(go, lo, t, depth) });
                    t = lo;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, p: Piece) {
        if !p.is_empty() {
            self.pieces.push(p);
        }
    }

    fn hop(&mut self, now: &Interval, (from, to): (Time, Time), w: GoIdx, e: End, depth: u16) {
        let reason = self.reasons.refine_ended(&self.index.dict, (now.reason, now.stack), (Waker::Go(w), e.stack));
        self.hops.push(Hop {
            from,
            to,
            go: now.go,
            reason,
            at: self.places.user(now.stack),
            waker: w,
            waker_at: self.places.user(e.stack),
            depth,
            began: now.began,
        });
    }

    fn wait(&mut self, now: &Interval, (from, to): (Time, Time), waker: Waker, depth: u16) {
        let reason = self.reasons.refine(&self.index.dict, now.reason, now.stack, waker);
        let at = self.places.user(now.stack);
        self.push(Piece { what: What::Waiting(waker), reason: Some(reason), at, ..piece(now.go, from, to, depth) });
    }

    /// A piece in which the goroutine did not wait.
    fn spend(&mut self, now: &Interval, (from, to): (Time, Time), depth: u16) -> Result<(), String> {
        let mut p = piece(now.go, from, to, depth);
        match now.state {
            GoState::Running => {
                p.what = What::Running;
                (p.samples, p.at) = self.samples(now.go, from, to)?;
            }
            GoState::Runnable => {
                p.what = What::Runnable;
                p.holders = self.holders(now.go, from, to)?;
            }
            GoState::Syscall => {
                p.what = What::Syscall;
                p.reason = Some(self.reasons.syscall(&self.index.dict, now.stack));
                p.at = self.places.user(now.stack);
            }
            _ => p.what = What::Absent,
        }
        p.stw = overlap(&self.index.stw, from, to);
        p.gc = overlap(&self.index.gc, from, to);
        self.push(p);
        Ok(())
    }

    /// CPU samples of a goroutine, and the line of user code that most of them hit.
    fn samples(&mut self, go: GoIdx, from: Time, to: Time) -> Result<(u32, PlaceId), String> {
        let mut by: BTreeMap<PlaceId, u32> = BTreeMap::new();
        let mut all = 0;
        for i in self.index.segments_between(from, to) {
            let seg = self.timeline.segment(i)?;
            let of = seg.of_goroutine(go);
            let first = of.partition_point(|&p| seg.time[p as usize] < from);
            for &p in of[first..].iter().take_while(|&&p| seg.time[p as usize] < to) {
                if seg.kind[p as usize] == Kind::CpuSample {
                    all += 1;
                    *by.entry(self.places.user(seg.stack[p as usize])).or_default() += 1;
                }
            }
        }
        let most = by.iter().max_by_key(|(p, n)| (**n, std::cmp::Reverse(**p))).map_or(PlaceId::NONE, |(p, _)| *p);
        Ok((all, most))
    }

    fn holders(&mut self, go: GoIdx, from: Time, to: Time) -> Result<Vec<Holder>, String> {
        let mut by: BTreeMap<GroupId, Duration> = BTreeMap::new();
        for (_, r) in self.timeline.runs(from, to)? {
            if r.go != go {
                *by.entry(group(self.index, r.go)).or_default() += r.to - r.from;
            }
        }
        let mut out: Vec<Holder> = by.into_iter().map(|(group, time)| Holder { group, time }).collect();
        out.retain(|h| h.time > Duration::ZERO);
        out.sort_by_key(|h| (std::cmp::Reverse(h.time), h.group));
        out.truncate(3);
        Ok(out)
    }
}

fn piece(go: GoIdx, from: Time, to: Time, depth: u16) -> Piece {
    Piece {
        from,
        to,
        go,
        depth,
        what: What::Absent,
        reason: None,
        at: PlaceId::NONE,
        samples: 0,
        holders: Vec::new(),
        stw: Duration::ZERO,
        gc: Duration::ZERO,
    }
}

/// How much of `from..to` lies in ranges, which are in order and do not overlap.
fn overlap(ranges: &[crate::model::Range], from: Time, to: Time) -> Duration {
    let first = ranges.partition_point(|r| r.to <= from);
    let inside = ranges[first..].iter().take_while(|r| r.from < to);
    inside.map(|r| r.to.min(to) - r.from.max(from)).sum()
}

/// What a share of the window went into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// Something that the goroutine itself did, or that nobody did.
    Own(What, Option<ReasonId>, PlaceId),
    /// A wait for goroutines of a group.
    Other {
        /// What for.
        reason: ReasonId,
        /// Where.
        at: PlaceId,
        /// Who ended it.
        waker: GroupId,
        /// Where.
        waker_at: PlaceId,
    },
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
    /// CPU samples in it.
    pub samples: u64,
    /// The part in which the world was stopped.
    pub stw: Duration,
    /// Who held the Ps meanwhile (runnable only).
    pub holders: Vec<Holder>,
    /// For a wait for others, what they did meanwhile, the longest first: group, what, line, how long.
    pub meanwhile: Vec<(GroupId, What, Option<ReasonId>, PlaceId, Duration)>,
}

impl Path {
    /// What the window went into as its own goroutine sees it, the largest share first. The shares sum to the window.
    pub fn shares(&self, index: &Index) -> Vec<Share> {
        let mut sums: FxHashMap<Cause, Share> = FxHashMap::default();
        let tops: Vec<&Hop> = self.hops.iter().filter(|h| h.depth == 0).collect();
        let empty = |cause| Share {
            cause,
            count: 0,
            total: Duration::ZERO,
            samples: 0,
            stw: Duration::ZERO,
            holders: Vec::new(),
            meanwhile: Vec::new(),
        };
        for h in &tops {
            let cause = cause_of(index, h);
            let s = sums.entry(cause).or_insert_with(|| empty(cause));
            s.count += 1;
            s.total += h.len();
        }
        let mut next = 0;
        for p in &self.pieces {
            while tops.get(next).is_some_and(|h| h.to <= p.from) {
                next += 1;
            }
            let cause = match tops.get(next) {
                Some(h) if p.depth > 0 && h.from <= p.from => cause_of(index, h),
                _ => Cause::Own(p.what, p.reason, if p.what == What::Running { PlaceId::NONE } else { p.at }),
            };
            let s = sums.entry(cause).or_insert_with(|| empty(cause));
            if matches!(cause, Cause::Own(..)) {
                s.count += 1;
                s.total += p.len();
            } else {
                let key = (group(index, p.go), p.what, p.reason, p.at);
                match s.meanwhile.iter_mut().find(|m| (m.0, m.1, m.2, m.3) == key) {
                    Some(m) => m.4 += p.len(),
                    None => s.meanwhile.push((key.0, key.1, key.2, key.3, p.len())),
                }
            }
            s.samples += u64::from(p.samples);
            s.stw += p.stw;
            for h in &p.holders {
                match s.holders.iter_mut().find(|x| x.group == h.group) {
                    Some(x) => x.time += h.time,
                    None => s.holders.push(*h),
                }
            }
        }
        let mut out: Vec<Share> = sums.into_values().collect();
        for s in &mut out {
            s.holders.sort_by_key(|h| (std::cmp::Reverse(h.time), h.group));
            s.meanwhile.sort_by_key(|m| (std::cmp::Reverse(m.4), m.0, m.1, m.2, m.3));
        }
        out.sort_by_key(|s| (std::cmp::Reverse(s.total), s.cause));
        out
    }

    /// The sum of the pieces: always the window's length.
    pub fn total(&self) -> Duration {
        self.pieces.iter().map(Piece::len).sum()
    }
}

fn cause_of(index: &Index, h: &Hop) -> Cause {
    Cause::Other { reason: h.reason, at: h.at, waker: group(index, h.waker), waker_at: h.waker_at }
}

/// A step of a chain: a wait, and who ended it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The wait, whole.
    pub wait: Interval,
    /// Who ended it.
    pub waker: Waker,
}

/// What a goroutine that did not wait did in some time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// On a P.
    pub running: Duration,
    /// Ready, and no P for it.
    pub runnable: Duration,
    /// In syscalls.
    pub syscall: Duration,
    /// The stack of the longest of these.
    pub stack: StackId,
}

/// A chain of waits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chain {
    /// Its waits, the one that was asked about first.
    pub links: Vec<Link>,
    /// Whether the goroutine that ended the last of them did not wait meanwhile, and what it did instead.
    pub spent: Option<Spent>,
}

/// How much a wait of a waker's says of what kept the one waiting that it woke: how long it took, and a quarter more where a
/// goroutine ended it, so that of two that took about as long the chain goes on with that.
pub fn rank(len: Duration, by_goroutine: bool) -> i64 {
    if by_goroutine { len.0.saturating_add(len.0 / 4) } else { len.0 }
}

/// The chain of a wait: it, then what its waker had been waiting for meanwhile, and so on to one that no goroutine ended, or
/// that was ended by a goroutine that did not wait, or whose waker had last waited before the first began. Of several waits
/// of a waker the one of the highest [`rank`] is taken, as far as it lies inside of the wait that was ended. `began` is the event that began the
/// first.
///
/// # Errors
///
/// A segment that cannot be decoded; no goroutine begins to wait with that event.
pub fn chain<S: Source>(source: &S, began: EventNo) -> Result<Chain, String> {
    let mut out = Err("there is no trace".to_owned());
    source.with_index(&mut |index| {
        let mut timeline = Timeline::new(source, index);
        let reasons = Reasons::default();
        out = chain_of(&mut timeline, &reasons, began);
    });
    out
}

fn chain_of<S: Source>(timeline: &mut Timeline<'_, S>, reasons: &Reasons, began: EventNo) -> Result<Chain, String> {
    let index = timeline.index;
    let none = || format!("no goroutine begins to wait with event {began}");
    let seg = timeline.segment(index.segment_of(began).ok_or_else(none)?)?;
    let go = seg.go[(began - seg.first) as usize];
    let first = timeline.before(go, began + 1, Time::MIN)?.filter(|i| i.state == GoState::Waiting).ok_or_else(none)?;
    let since = first.from;
    let mut out = Chain { links: vec![close(timeline, reasons, first, began + 1)?], spent: None };
    while let Some(Link { wait, waker: Waker::Go(w) }) = out.links.last().copied() {
        let Some(end) = wait.end.filter(|_| out.links.len() < MAX_DEPTH && w != wait.go) else { break };
        // The waker's own waits between the beginning of this one and the moment at which it ended it.
        let (mut no, mut t, mut best): (EventNo, Time, Option<Link>) = (end.no, wait.to, None);
        let mut spent = Spent::default();
        let mut longest = Duration::ZERO;
        while let Some(now) = timeline.before(w, no, wait.from)? {
            let d = (t - now.from.max(wait.from)).max(Duration::ZERO);
            match now.state {
                GoState::Waiting if now.outlasts(wait.from, no, timeline)? => {
                    let link = close(timeline, reasons, now, no)?;
                    let rank = |l: &Link| rank(l.wait.to - l.wait.from.max(wait.from), matches!(l.waker, Waker::Go(_)));
                    if best.as_ref().is_none_or(|b| rank(&link) > rank(b)) {
                        best = Some(link);
                    }
                }
                GoState::Running => spent.running += d,
                GoState::Runnable => spent.runnable += d,
                GoState::Syscall => {
                    spent.syscall += d;
                    if d > longest {
                        (longest, spent.stack) = (d, now.stack);
                    }
                }
                _ => {}
            }
            t = now.from;
            match now.began {
                Some(b) if now.from > wait.from => no = b,
                _ => break,
            }
        }
        match best {
            // What lies wholly before the wait that was asked about did not make it any longer.
            Some(b) if b.wait.to > since => out.links.push(b),
            Some(_) => break,
            None => {
                out.spent = Some(spent);
                break;
            }
        }
    }
    Ok(out)
}

impl Interval {
    /// Whether it goes on beyond `t`; its next change is event `no` or later.
    fn outlasts<S: Source>(&self, t: Time, no: EventNo, timeline: &mut Timeline<'_, S>) -> Result<bool, String> {
        Ok(timeline.after(self.go, no)?.is_none_or(|(e, seg)| seg.time[(e.no - seg.first) as usize] > t))
    }
}

fn close<S: Source>(
    timeline: &mut Timeline<'_, S>,
    reasons: &Reasons,
    wait: Interval,
    no: EventNo,
) -> Result<Link, String> {
    let index = timeline.index;
    let (to, end) = match timeline.after(wait.go, no)? {
        Some((e, seg)) => (seg.time[(e.no - seg.first) as usize], Some(e)),
        None => (index.end, None),
    };
    let wait = Interval { to, end, ..wait };
    Ok(Link { wait, waker: wait.waker(index, reasons) })
}

/// The stack in which a link's wait was ended; none if it was not.
pub fn waker_stack(link: &Link) -> StackId {
    link.wait.end.map_or(StackId::NONE, |e| e.stack)
}

#[cfg(test)]
mod tests;
