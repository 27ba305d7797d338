//! Walks back from the end of a window, from a goroutine to who ended its wait.

use super::{Holder, Hop, MAX_DEPTH, Path, Piece, What, Window};
use crate::analysis::sched::{self, Behind, Parts};
use crate::analysis::states::ahead::ReadAhead;
use crate::analysis::states::forward::Timeline;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{End, Interval, made_by_timer};
use crate::analysis::states::walk;
use crate::analysis::waits::contention::classes::{Classes, Early, Node};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::group;
use crate::analysis::waits::stw::{self, LastToStop};
use crate::base::{Duration, EventNo, GoIdx, GroupId, StackId, Time};
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{Class, Reasons};
use crate::model::segment::{GoState, Kind};
use crate::model::{Index, Segment, Waker};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Most pieces of a path. What comes before them in time is given as one.
const MAX_PIECES: usize = 200_000;

/// From how many segments on it is worth while to read ahead.
const LONG: usize = 4;

/// Segments apart that waits for a P may lie which are split together: fewer than a [`Timeline`] holds.
const TOGETHER: usize = 8;

/// Pieces of paths that are over that are held until their waits for a P are split.
const MAX_HELD: usize = 1 << 16;

/// Segments of which it is held at most when goroutines assist the collector.
const MAX_LISTS: usize = 64;

/// Segments after a stretch that are searched for the end of an assist that went on all through it.
const AFTER: usize = 2;

struct Frame {
    go: GoIdx,
    lo: Time,
    depth: u16,
    /// Where the walk goes on in the goroutine above.
    resume: Option<EventNo>,
    /// For a wait for a lock, which one.
    lock: Option<Node>,
    /// Who answers for the time before `lo`, from which event on, and back to when.
    earlier: Option<(GoIdx, EventNo, Time)>,
}

/// A piece that is a wait for a P, not split yet.
struct Unsplit {
    /// Which.
    piece: usize,
    segment: usize,
}

/// A path that is over, by how many pieces and hops it has.
struct Over {
    window: usize,
    pieces: usize,
    hops: usize,
}

/// Who is told of paths: of which window, its pieces, its hops, and what their reasons are.
type Tell<'f> = dyn FnMut(usize, Vec<Piece>, Vec<Hop>, &Reasons) + 'f;

/// Finds the critical path of a window of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn path<S: Source>(source: &S, window: Window) -> Result<Path, Unanswered> {
    let mut found = (Vec::new(), Vec::new());
    let (places, reasons) = paths(source, &[window], &mut |_, pieces, hops, _| found = (pieces, hops))?;
    let (pieces, hops) = found;
    Ok(Path { window, pieces, hops, places, reasons })
}

/// Finds the critical paths of several windows: hands on the position of each, its pieces and its hops, as [`Path`] has
/// them, with what their reasons are. Returns what their places and reasons are. Windows are best given the last first, so that
/// each segment is gone through once.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn paths<S: Source>(source: &S, windows: &[Window], each: &mut Tell<'_>) -> Result<(Places, Reasons), Unanswered> {
    let mut out = Err(Unanswered::NoTrace);
    source.with_index(&mut |index| {
        let from = windows.iter().map(|w| w.from).min().unwrap_or(index.start);
        let to = windows.iter().map(|w| w.to).max().unwrap_or(index.start);
        let segments = index.segments_between(from, to);
        let threads = if segments.len() < LONG { 0 } else { walk::threads() };
        out = ReadAhead::run(source, threads, segments.start, |source| {
            let (places, reasons) = (Places::new(&index.dict), Reasons::default());
            let mut w = Walk {
                index,
                timeline: Timeline::new(source, index),
                places: &places,
                reasons: &reasons,
                classes: None,
                assists: FxHashMap::default(),
                stops: FxHashMap::default(),
                pieces: Vec::new(),
                hops: Vec::new(),
                begun: 0,
                unsplit: Vec::new(),
                over: Vec::new(),
            };
            for (i, window) in windows.iter().enumerate() {
                w.run(*window)?;
                let (pieces, hops) = w.over.iter().fold((0, 0), |sum, o| (sum.0 + o.pieces, sum.1 + o.hops));
                w.over.push(Over { window: i, pieces: w.pieces.len() - pieces, hops: w.hops.len() - hops });
                w.begun = w.pieces.len();
                if w.begun >= MAX_HELD {
                    w.hand_on(each)?;
                }
            }
            w.hand_on(each)?;
            drop(w);
            Ok((places, reasons))
        });
    });
    out
}

struct Walk<'a, S> {
    index: &'a Index,
    timeline: Timeline<'a, S>,
    places: &'a Places,
    reasons: &'a Reasons,
    /// Which lines belong to one lock, once that has been asked for.
    classes: Option<Classes<'a>>,
    /// By segment, when goroutines begin and end to assist the collector.
    assists: FxHashMap<usize, Vec<(GoIdx, u32)>>,
    /// Who was last to stop, by the stop's number.
    stops: FxHashMap<usize, Option<LastToStop>>,
    /// Of the paths that are over and held, and of the one under way: each of them the last first.
    pieces: Vec<Piece>,
    hops: Vec<Hop>,
    /// Where the pieces of the one under way begin.
    begun: usize,
    /// Waits for a P that are not split yet, in the order of `pieces`.
    unsplit: Vec<Unsplit>,
    over: Vec<Over>,
}

impl<'a, S: Source> Walk<'a, S> {
    fn run(&mut self, window: Window) -> Result<(), Unanswered> {
        let mut t = window.to.max(window.from);
        let mut no = match window.end {
            Some(no) => no,
            None => self.timeline.number_at(t)?,
        };
        let (go, lo) = (window.go, window.from);
        let mut frames = vec![Frame { go, lo, depth: 0, resume: None, lock: None, earlier: None }];
        while let Some(f) = frames.last_mut() {
            let (go, lo, depth) = (f.go, f.lo, f.depth);
            if t <= lo {
                if let Some((go, event, lo)) = f.earlier.take() {
                    (f.go, f.lo, no) = (go, lo, event);
                    continue;
                }
                if let Some(resume) = f.resume {
                    no = resume;
                }
                frames.pop();
                continue;
            }
            let recording = self.recording(t);
            if let Some((_, to)) = recording.filter(|r| r.1 < t) {
                let from = to.max(lo);
                self.push(Piece { what: What::Untraced, ..piece(go, from, t, depth) });
                no = self.timeline.number_at(t)?;
                t = from;
                continue;
            }
            // Who is followed may have ended before the window does, as a task may that nobody ends.
            let ended = self.index.goroutine(go).and_then(|g| g.ended).filter(|&e| depth == 0 && e < t);
            if let Some(ended) = ended.map(|e| e.max(lo)) {
                self.push(Piece { what: What::Absent, ..piece(go, ended, t, depth) });
                no = self.timeline.number_at(ended)?;
                t = ended;
                continue;
            }
            let known =
                if self.pieces.len() - self.begun < MAX_PIECES { self.timeline.before(go, no, lo)? } else { None };
            let Some(now) = known else {
                self.push(Piece { what: What::Absent, ..piece(go, lo, t, depth) });
                t = lo;
                continue;
            };
            // What was going on when another recording ended is not what goes on in this one.
            let since = recording.map_or(now.from, |r| now.from.max(r.0));
            let from = since.max(lo).min(t);
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
                    let lock = self.lock(&now);
                    self.hop(&now, (from, t), (w, e), depth, lock);
                    let (lo, depth, resume) = (from, depth + 1, now.began);
                    frames.push(Frame { go: w, lo, depth, resume, lock, earlier: None });
                    continue;
                }
                self.wait(&now, (from, t), waker, depth);
            } else {
                self.spend(&now, (from, t), depth)?;
            }
            t = from;
            if since > now.from && t > lo {
                no = self.timeline.number_at(t)?;
                continue;
            }
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
                let lock = frames.last().and_then(|f| f.lock);
                let held = match lock {
                    Some(lock) => self.release_before(lock, no, lo)?,
                    None => None,
                };
                let waiter = frames.len().checked_sub(2).and_then(|i| frames.get(i)).map(|f| f.go);
                let Some(f) = frames.last_mut() else { continue };
                if let Some(r) = held {
                    // It did not hold the lock yet: who released it last before that did, then who got it from there.
                    f.go = if Some(r.to) == waiter { r.by } else { r.to };
                    (f.earlier, f.lo) = (Some((r.by, r.no, lo)), r.at);
                } else if lock.is_none() && now.by.is_some() && now.by != go {
                    f.go = now.by;
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

    /// From when to when the last recording goes that begins before an instant, where there are several.
    fn recording(&self, t: Time) -> Option<(Time, Time)> {
        let all = &self.index.recordings;
        let i = all.partition_point(|r| r.from < t).checked_sub(1).filter(|_| all.len() > 1)?;
        Some((all[i].from, all[i].to))
    }

    fn push(&mut self, p: Piece) {
        if !p.is_empty() {
            self.pieces.push(p);
        }
    }

    fn classes(&mut self) -> &mut Classes<'a> {
        self.classes.get_or_insert_with(|| Classes::new(self.index, self.places, self.reasons))
    }

    /// Which lock a wait is for, if it is for one.
    fn lock(&mut self, wait: &Interval) -> Option<Node> {
        let reason = self.reasons.refine(&self.index.dict, wait.reason, wait.stack, Waker::Runtime);
        if self.reasons.get(reason).class != Class::Lock {
            return None;
        }
        match self.classes().early(wait.reason, wait.stack) {
            Early::Known(site) => Some(site.node),
            Early::Never | Early::Late => None,
        }
    }

    /// The last release of a lock that ended a wait before event `no` and at or after `lo`.
    fn release_before(&mut self, lock: Node, no: EventNo, lo: Time) -> Result<Option<Release>, Unanswered> {
        let Some(last) = self.index.segment_of(no) else { return Ok(None) };
        for i in (0..=last).rev() {
            if self.index.segments[i].to < lo {
                break;
            }
            let seg = self.timeline.segment(i)?;
            let end = (no.saturating_sub(seg.first) as usize).min(seg.len());
            for p in (0..end).rev().take_while(|&p| seg.time[p] >= lo) {
                let (by, stack) = (seg.by[p], seg.stack[p]);
                if seg.kind[p] != Kind::GoUnblock || !by.is_some() || !self.classes().releases(stack) {
                    continue;
                }
                let classes = self.classes();
                let line = classes.line(lock.0, stack);
                if classes.root((lock.0, line)) == lock {
                    return Ok(Some(Release { by, to: seg.go[p], at: seg.time[p], no: seg.first + p as u64 }));
                }
            }
        }
        Ok(None)
    }

    fn hop(&mut self, now: &Interval, (from, to): (Time, Time), (w, e): (GoIdx, End), depth: u16, lock: Option<Node>) {
        let (wait, waker) = ((now.reason, now.stack), Waker::Go(w));
        let reason = coroutine::refine(self.index, self.reasons, now.go, wait, (waker, e.stack));
        self.hops.push(Hop {
            from,
            to,
            go: now.go,
            reason,
            at: coroutine::line(self.index, self.places, now.go, wait, waker),
            lock: lock.map_or(PlaceId::NONE, |l| l.1),
            waker: w,
            waker_at: self.places.user(e.stack),
            depth,
            began: now.began,
        });
    }

    fn wait(&mut self, now: &Interval, (from, to): (Time, Time), waker: Waker, depth: u16) {
        let wait = (now.reason, now.stack);
        let reason = coroutine::refine(self.index, self.reasons, now.go, wait, (waker, StackId::NONE));
        let at = coroutine::line(self.index, self.places, now.go, wait, waker);
        self.push(Piece { what: What::Waiting(waker), reason: Some(reason), at, ..piece(now.go, from, to, depth) });
    }

    /// A piece in which the goroutine did not wait.
    fn spend(&mut self, now: &Interval, (from, to): (Time, Time), depth: u16) -> Result<(), Unanswered> {
        let mut p = piece(now.go, from, to, depth);
        match now.state {
            GoState::Running => {
                p.what = What::Running;
                (p.samples, p.at) = self.samples(now.go, from, to)?;
                p.assist = self.assisted(now.go, from, to)?;
            }
            GoState::Runnable => {
                p.what = What::Runnable;
                self.split_later(from, to)?;
            }
            GoState::Syscall => {
                p.what = What::Syscall;
                p.reason = Some(self.reasons.syscall(&self.index.dict, now.stack));
                p.at = self.places.user(now.stack);
            }
            _ => p.what = What::Absent,
        }
        if now.state != GoState::Runnable {
            p.stw = overlap(&self.index.stw, from, to);
            p.last_to_stop = self.held_up_by((p.go, from, to), p.stw)?;
        }
        p.gc = overlap(&self.index.gc, from, to);
        self.push(p);
        Ok(())
    }

    /// The next piece is a wait for a P. Such waits are split together, as that goes through all of the segments that they
    /// lie in.
    fn split_later(&mut self, from: Time, to: Time) -> Result<(), Unanswered> {
        if from >= to {
            return Ok(());
        }
        let segment = self.index.segments.partition_point(|s| s.from <= from);
        if self.unsplit.first().is_some_and(|u| u.segment.abs_diff(segment) >= TOGETHER) {
            self.split()?;
        }
        self.unsplit.push(Unsplit { piece: self.pieces.len(), segment });
        Ok(())
    }

    /// Splits the waits for a P that are not split yet.
    fn split(&mut self) -> Result<(), Unanswered> {
        let unsplit = std::mem::take(&mut self.unsplit);
        let times: Vec<(Time, Time)> =
            unsplit.iter().map(|u| (self.pieces[u.piece].from, self.pieces[u.piece].to)).collect();
        let splits = sched::split(self.index, &times, &mut |i| self.timeline.segment(i))?;
        for (u, split) in unsplit.iter().zip(splits) {
            let holders = self.holders(&split.behind);
            let p = &mut self.pieces[u.piece];
            (p.stw, p.ready, p.holders) = (split.parts.stw, split.parts, holders);
            let (of, stw) = ((p.go, p.from, p.to), p.stw);
            self.pieces[u.piece].last_to_stop = self.held_up_by(of, stw)?;
        }
        Ok(())
    }

    /// Hands on the paths that are over: all that there are.
    fn hand_on(&mut self, each: &mut Tell<'_>) -> Result<(), Unanswered> {
        self.split()?;
        let (mut pieces, mut hops) =
            (std::mem::take(&mut self.pieces).into_iter(), std::mem::take(&mut self.hops).into_iter());
        self.begun = 0;
        for o in std::mem::take(&mut self.over) {
            let mut pieces: Vec<Piece> = pieces.by_ref().take(o.pieces).collect();
            let mut hops: Vec<Hop> = hops.by_ref().take(o.hops).collect();
            pieces.reverse();
            hops.sort_by_key(|h| (h.from, h.depth, h.to));
            each(o.window, pieces, hops, self.reasons);
        }
        Ok(())
    }

    /// Who held a goroutine up between two instants by being last to stop, if the world was stopped for some of it.
    fn held_up_by(
        &mut self,
        (go, from, to): (GoIdx, Time, Time),
        stw: Duration,
    ) -> Result<Option<LastToStop>, Unanswered> {
        if stw <= Duration::ZERO {
            return Ok(None);
        }
        // Who is on the path and held the others up was not held up itself.
        Ok(self.last_to_stop(from, to)?.filter(|l| l.go != go))
    }

    /// CPU samples of a goroutine, and the line of user code that most of them hit.
    fn samples(&mut self, go: GoIdx, from: Time, to: Time) -> Result<(u32, PlaceId), Unanswered> {
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

    /// How long a goroutine assisted the collector.
    fn assisted(&mut self, go: GoIdx, from: Time, to: Time) -> Result<Duration, Unanswered> {
        let (mut sum, mut since, mut told) = (Duration::ZERO, None, false);
        if self.assists.len() > MAX_LISTS {
            self.assists.clear();
        }
        let range = self.index.segments_between(from, to);
        // Past the end too: what ends there tells that it went on all the while.
        for i in range.start..(range.end + AFTER).min(self.index.segments.len()) {
            if i >= range.end && (told || self.index.gc.is_empty()) {
                break;
            }
            let seg = self.timeline.segment(i)?;
            let all = self.assists.entry(i).or_insert_with(|| assists(&seg));
            let first = all.partition_point(|&(g, p)| (g, seg.time[p as usize]) < (go, from));
            for &(_, p) in all[first..].iter().take_while(|a| a.0 == go) {
                let (kind, now) = (seg.kind[p as usize], seg.time[p as usize]);
                let goes_on = kind != Kind::GcMarkAssistBegin && !told;
                told = true;
                if goes_on {
                    since = Some(from);
                }
                if now >= to {
                    break;
                }
                match kind {
                    Kind::GcMarkAssistEnd => sum += since.take().map_or(Duration::ZERO, |s| now - s),
                    _ => since = since.or(Some(now)),
                }
            }
            if told && seg.time.last().is_some_and(|&t| t >= to) {
                break;
            }
        }
        Ok(sum + since.map_or(Duration::ZERO, |s| to - s))
    }

    /// The groups that held the Ps, the longest first.
    fn holders(&self, behind: &[Behind]) -> Vec<Holder> {
        let mut by: BTreeMap<GroupId, Duration> = BTreeMap::new();
        for b in behind.iter().filter(|b| b.go.is_some()) {
            *by.entry(group(self.index, b.go)).or_default() += b.time;
        }
        let mut out: Vec<Holder> = by.into_iter().map(|(group, time)| Holder { group, time }).collect();
        out.retain(|h| h.time > Duration::ZERO);
        out.sort_by_key(|h| (std::cmp::Reverse(h.time), h.group));
        out.truncate(3);
        out
    }

    /// Who was last to stop, of the stop of the world that took most of a piece.
    fn last_to_stop(&mut self, from: Time, to: Time) -> Result<Option<LastToStop>, Unanswered> {
        let stops = &self.index.stw;
        let first = stops.partition_point(|r| r.to <= from);
        let inside = (first..stops.len()).take_while(|&i| stops[i].from < to);
        let most = inside.max_by_key(|&i| (stops[i].to.min(to) - stops[i].from.max(from), std::cmp::Reverse(i)));
        let Some(i) = most else { return Ok(None) };
        if let Some(&known) = self.stops.get(&i) {
            return Ok(known);
        }
        let last = stw::of_timeline(&mut self.timeline, &stops[i])?;
        self.stops.insert(i, last);
        Ok(last)
    }
}

/// A release of a lock that ended a wait.
struct Release {
    by: GoIdx,
    /// Whose wait it ended.
    to: GoIdx,
    at: Time,
    no: EventNo,
}

/// The positions of the events that say when a goroutine assists the collector, goroutine after goroutine.
fn assists(seg: &Segment) -> Vec<(GoIdx, u32)> {
    let is = |k: Kind| matches!(k, Kind::GcMarkAssistBegin | Kind::GcMarkAssistActive | Kind::GcMarkAssistEnd);
    let all = (0u32..).zip(&seg.kind).filter(|(_, k)| is(**k));
    let mut all: Vec<(GoIdx, u32)> = all.map(|(p, _)| (seg.go[p as usize], p)).collect();
    all.sort_unstable();
    all
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
        ready: Parts::default(),
        holders: Vec::new(),
        stw: Duration::ZERO,
        last_to_stop: None,
        assist: Duration::ZERO,
        gc: Duration::ZERO,
    }
}

/// How much of `from..to` lies in ranges, which are in order and do not overlap.
fn overlap(ranges: &[crate::model::Range], from: Time, to: Time) -> Duration {
    let first = ranges.partition_point(|r| r.to <= from);
    let inside = ranges[first..].iter().take_while(|r| r.from < to);
    inside.map(|r| r.to.min(to) - r.from.max(from)).sum()
}
