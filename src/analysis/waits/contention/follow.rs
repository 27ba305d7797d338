//! Follows the waits of a trace, in the order of time, to the queues that they are in.

use super::apart::Woken;
use super::classes::{Classes, Early, Node, Site};
use super::line::Order;
use super::log::{Kept, Key, Step};
use super::queue::Queue;
use super::{Contended, Left, What};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::links::group;
use crate::base::{Duration, EventNo, GoIdx, StackId, StringId, Time};
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, ReasonId};
use crate::model::segment::{GoState, Kind};
use crate::model::tally::Tally;
use crate::model::waits::Stretch;
use crate::model::{Index, Segment};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A row of [`Follow::known`] and one; 0 for what no queue is for.
type Mark = u32;

/// What is known of a place of waiting: its queue, its line, what it waits for.
#[derive(Clone, Copy)]
struct Place {
    queue: u32,
    line: PlaceId,
    side: Class,
    reason: ReasonId,
    order: Order,
    waited: Tally,
}

pub(super) struct Follow<'a> {
    pub classes: Classes<'a>,
    /// What counts, and the part of the trace that lies in it.
    window: (Time, Time),
    inside: (Time, Time),
    pub queues: Vec<(Queue, Contended)>,
    ids: FxHashMap<Node, u32>,
    sites: FxHashMap<(Node, PlaceId, ReasonId, Class, Order), Mark>,
    early: FxHashMap<(StringId, StackId), (Early, Mark)>,
    late: FxHashMap<(StringId, StackId, StackId), Mark>,
    known: Vec<Place>,
    ends: Vec<BTreeMap<PlaceId, u64>>,
}

impl<'a> Follow<'a> {
    /// Follows all waits; those count that lie in `window`, with their part in it. `inside` is what that has of the trace.
    pub fn new(classes: Classes<'a>, window: (Time, Time), inside: (Time, Time)) -> Follow<'a> {
        Follow {
            classes,
            window,
            inside,
            queues: Vec::new(),
            ids: FxHashMap::default(),
            sites: FxHashMap::default(),
            early: FxHashMap::default(),
            late: FxHashMap::default(),
            known: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The mark of a wait, as far as its beginning tells, and whether it is for its end to tell.
    fn early(&mut self, reason: StringId, stack: StackId) -> (Early, Mark) {
        if let Some(&known) = self.early.get(&(reason, stack)) {
            return known;
        }
        let early = self.classes.early(reason, stack);
        let mark = match early {
            Early::Known(site) => self.site(site),
            Early::Never | Early::Late => 0,
        };
        self.early.insert((reason, stack), (early, mark));
        (early, mark)
    }

    /// The mark of a wait that has ended, or been left open by the trace's end.
    fn mark(&mut self, (reason, stack): (StringId, StackId), by: (GoIdx, StackId)) -> Mark {
        let (early, mark) = self.early(reason, stack);
        if early != Early::Late || !by.0.is_some() {
            return mark;
        }
        let key = (reason, stack, by.1);
        if let Some(&m) = self.late.get(&key) {
            return m;
        }
        let mark = self.classes.late(reason, stack, by).map_or(0, |site| self.site(site));
        self.late.insert(key, mark);
        mark
    }

    fn site(&mut self, Site { node, line, reason, side, order }: Site) -> Mark {
        if let Some(&m) = self.sites.get(&(node, line, reason, side, order)) {
            return m;
        }
        let next = self.queues.len() as u32;
        let queue = *self.ids.entry(node).or_insert(next);
        if queue == next {
            self.queues.push((Queue::new(node.0, self.window, self.inside), Contended::new(node.0)));
            self.ends.push(BTreeMap::new());
        }
        self.known.push(Place { queue, line, side, reason, order, waited: Tally::default() });
        let mark = self.known.len() as Mark;
        self.sites.insert((node, line, reason, side, order), mark);
        mark
    }

    /// A wait at the place of `mark` begins.
    fn come(&mut self, mark: Mark, from: Time, go: GoIdx) {
        if let Some(p) = self.known.get((mark as usize).wrapping_sub(1)) {
            self.queues[p.queue as usize].0.come(from, (go, p.order));
        }
    }

    /// A wait is over at `to`, ended by `by` in a stack if by anyone; or the trace is. Gives the queue back, if a lock was
    /// released that way, and the wait counts.
    fn go(&mut self, mark: Mark, wait: &Stretch, to: Time, by: Option<(GoIdx, StackId)>) -> Option<u32> {
        let at = (mark as usize).wrapping_sub(1);
        let place = *self.known.get(at)?;
        let (q, out) = &mut self.queues[place.queue as usize];
        let counts = q.counts(wait.from, to);
        // Locks and channels are no business of the network poller's: a goroutine that ended the wait is the waker.
        let goroutine = by.filter(|b| b.0.is_some());
        let releases = goroutine.is_some_and(|b| self.classes.releases(b.1));
        if let Some((by, stack)) = goroutine {
            let line = self.classes.line(out.what, stack);
            if counts {
                *self.ends[place.queue as usize].entry(line).or_default() += 1;
            }
            let how = self.classes.reasons.how(&self.classes.index.dict, stack);
            let woken = Woken { go: wait.go, from: wait.from, order: place.order };
            let born = self.classes.index.goroutine(by).filter(|g| g.born).map(|g| (g.from, g.creator));
            q.release(to, (by, (group(self.classes.index, by), line, how), born), woken, counts);
        } else if by.is_some() {
            q.leave(wait.go);
        }
        if by.is_some() {
            let handoff = releases || goroutine.is_some() && out.what != What::Lock;
            q.go(to, (wait.go, place.order), handoff && counts);
        } else {
            q.stop(to, (wait.go, place.order));
        }
        if !counts {
            return None;
        }
        let (from, d) = q.inside(wait.from, wait.len);
        self.known[at].waited.add(d);
        let open = wait.ended == EventNo::MAX;
        match place.side {
            Class::Send => out.sending.add(d, open),
            Class::Receive => out.receiving.add(d, open),
            _ => {}
        }
        out.waits += 1;
        // What was going on in an earlier recording of its process is told by the next one.
        let index = self.classes.index;
        let open = open && to >= index.recorded(index.process(wait.go)).1;
        out.unfinished += u64::from(open);
        out.open += u64::from(wait.began == EventNo::MAX || wait.ended == EventNo::MAX);
        out.total += d;
        if open && out.left.is_none_or(|l| d > l.longest) {
            out.left = Some(Left { first: (wait.go, from), longest: d, quiet: Duration::ZERO });
        }
        if d > out.max || out.waits == 1 {
            (out.max, out.longest) = (d, Some(wait.began).filter(|&no| no != EventNo::MAX));
            out.longest_wait = (wait.go, from);
        }
        releases.then_some(place.queue)
    }

    /// Follows waits by the steps that were kept of them.
    pub fn replay(&mut self, kept: &Kept) {
        let index = self.classes.index;
        let (mut marks, mut found) = Marks::of(self, kept);
        let mut rows: Vec<Option<Waiting>> = vec![None; index.goroutines.len()];
        let mut released: Vec<u32> = vec![0; index.goroutines.len()];
        let mut at = 0;
        kept.each(|now, go, no, step| {
            match step {
                Step::Begin(_) | Step::Found(_) => {
                    let mark = marks.next();
                    let Some(row) = rows.get_mut(go.0 as usize) else { return };
                    if matches!(step, Step::Found(_)) {
                        // It comes when its time has come.
                        let from = found_since(index, at, go);
                        *row = Some(Waiting { mark, from, began: EventNo::MAX });
                        return;
                    }
                    *row = Some(Waiting { mark, from: now, began: no });
                    if mark > 0 {
                        found.until(now, self);
                        self.come(mark, now, go);
                    }
                }
                Step::End { by, key } => {
                    let stack = kept.key(key).1;
                    let wait = rows.get_mut(go.0 as usize).and_then(Option::take);
                    let ended = wait.and_then(|w| {
                        found.until(now, self);
                        self.go(w.mark, &w.stretch(go, now, no), now, Some((by, stack)))
                    });
                    if let Some(r) = released.get_mut(by.0 as usize) {
                        *r = ended.map_or(0, |q| q + 1);
                    }
                }
                Step::Stop(key) => {
                    let stack = kept.key(key).1;
                    let q = released.get_mut(go.0 as usize).map_or(0, std::mem::take);
                    if q > 0 && self.classes.releases(stack) {
                        self.queues[q as usize - 1].1.starved += 1;
                    }
                }
                Step::Recording(next) => {
                    self.leave_open(&mut rows, &mut found, end_of(index, at));
                    at = next;
                }
            }
        });
        self.leave_open(&mut rows, &mut found, end_of(index, at));
    }

    /// What is still going on when a recording ends.
    fn leave_open(&mut self, rows: &mut [Option<Waiting>], found: &mut FoundWaiting, end: Time) {
        found.until(end, self);
        for (i, row) in (0u32..).zip(rows) {
            if let Some(w) = row.take() {
                self.go(w.mark, &w.stretch(GoIdx(i), end, EventNo::MAX), end, None);
            }
        }
    }

    /// Follows the waits of a trace by decoding it twice.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn decode<S: Source>(&mut self, source: &S) -> Result<(), Unanswered> {
        let gos = self.classes.index.goroutines.len();
        let mut c = Collect { follow: self, found: Vec::new(), late: Vec::new() };
        tracker::each(source, &mut c)?;
        let Collect { mut found, late, .. } = c;
        found.sort_unstable();
        let mut s = Stream {
            follow: self,
            found: FoundWaiting(found.into_iter().peekable()),
            late: late.into_iter(),
            released: vec![0; gos],
        };
        tracker::each(source, &mut s)
    }

    /// The lines and sums of each class.
    pub fn close(mut self) -> Vec<(Queue, Contended)> {
        let mut lines: Vec<BTreeMap<(PlaceId, ReasonId), Tally>> = vec![BTreeMap::new(); self.queues.len()];
        for p in self.known.iter().filter(|p| p.waited.count > 0) {
            lines[p.queue as usize].entry((p.line, p.reason)).or_default().merge(p.waited);
        }
        for (((_, out), lines), ends) in self.queues.iter_mut().zip(lines).zip(self.ends) {
            let reasons = self.classes.reasons;
            out.waits_at = lines.into_iter().map(|((p, r), t)| (p, reasons.get(r).name, t)).collect();
            out.waits_at.sort_by_key(|w| (std::cmp::Reverse(w.2.total), w.0));
            out.ended_at = ends.into_iter().collect();
            out.ended_at.sort_by_key(|e| (std::cmp::Reverse(e.1), e.0));
        }
        self.queues
    }
}

/// When a recording ends.
pub(super) fn end_of(index: &Index, recording: usize) -> Time {
    let of = index.recordings.iter().find(|r| r.number as usize == recording);
    of.map_or(index.end, |r| r.to)
}

/// Since when a goroutine does what a recording found it doing.
pub(super) fn found_since(index: &Index, recording: usize, go: GoIdx) -> Time {
    let start = index.recordings.iter().find(|r| r.number as usize == recording).map_or(Time::MIN, |r| r.from);
    index.goroutine(go).map_or(start, |g| g.from.max(start))
}

/// A goroutine that waits.
#[derive(Clone, Copy)]
struct Waiting {
    mark: Mark,
    from: Time,
    /// The event that began it; the largest number, if none did.
    began: EventNo,
}

impl Waiting {
    fn stretch(&self, go: GoIdx, to: Time, ended: EventNo) -> Stretch {
        let to = to.max(self.from);
        Stretch { len: to - self.from, from: self.from, began: self.began, ended, go }
    }
}

/// In the order in which waits begin, or are found, their marks: of a select only the end tells what it is for.
#[derive(Default)]
struct Marks {
    marks: Vec<Mark>,
    /// By goroutine, the mark that only the end of its wait tells, and why and where it waits.
    late: Vec<Option<(u32, Key)>>,
    /// By key, what the beginning of a wait tells, once that has been asked for; and what its end tells by both keys and
    /// whether a goroutine ended it.
    early: Vec<Option<(Early, Mark)>>,
    ends: FxHashMap<(Key, Key, bool), Mark>,
    /// How many have been asked for.
    asked: usize,
}

impl Marks {
    /// The marks of the waits that were kept, and those that were found going on.
    fn of(follow: &mut Follow, kept: &Kept) -> (Marks, FoundWaiting) {
        let index = follow.classes.index;
        let (late, early) = (vec![None; index.goroutines.len()], vec![None; kept.keys()]);
        let mut all = Marks { late, early, ..Marks::default() };
        let mut found: Vec<(Time, GoIdx, usize)> = Vec::new();
        let mut at = 0;
        kept.each(|_, go, _, step| match step {
            Step::Begin(key) => all.begin((follow, kept), go, key),
            Step::Found(key) => {
                found.push((found_since(index, at, go), go, all.marks.len()));
                all.begin((follow, kept), go, key);
            }
            Step::End { by, key } => all.end((follow, kept), go, (by, key)),
            Step::Recording(next) => {
                all.leave_open(follow, kept);
                at = next;
            }
            Step::Stop(_) => {}
        });
        all.leave_open(follow, kept);
        let mut found: Vec<_> = found.into_iter().map(|(from, go, i)| (from, go, all.marks[i])).collect();
        found.retain(|f| f.2 > 0);
        found.sort_unstable();
        (all, FoundWaiting(found.into_iter().peekable()))
    }

    fn begin(&mut self, (follow, kept): (&mut Follow, &Kept), go: GoIdx, key: Key) {
        let (early, mark) = match self.early.get(key.0 as usize).copied().flatten() {
            Some(known) => known,
            None => {
                let (reason, stack) = kept.key(key);
                let known = follow.early(reason, stack);
                if let Some(e) = self.early.get_mut(key.0 as usize) {
                    *e = Some(known);
                }
                known
            }
        };
        if let Some(late) = self.late.get_mut(go.0 as usize) {
            *late = (early == Early::Late).then_some((self.marks.len() as u32, key));
        }
        self.marks.push(mark);
    }

    fn end(&mut self, (follow, kept): (&mut Follow, &Kept), go: GoIdx, (by, key): (GoIdx, Key)) {
        if let Some((i, begun)) = self.late.get_mut(go.0 as usize).and_then(Option::take) {
            let new = || follow.mark(kept.key(begun), (by, kept.key(key).1));
            self.marks[i as usize] = *self.ends.entry((begun, key, by.is_some())).or_insert_with(new);
        }
    }

    fn leave_open(&mut self, follow: &mut Follow, kept: &Kept) {
        for (i, begun) in self.late.iter_mut().filter_map(Option::take) {
            self.marks[i as usize] = follow.mark(kept.key(begun), (GoIdx::NONE, StackId::NONE));
        }
    }

    fn next(&mut self) -> Mark {
        self.asked += 1;
        self.marks.get(self.asked - 1).copied().unwrap_or(0)
    }
}

/// Waits that were found going on, in the order of their beginnings: since when, whose, and their marks.
struct FoundWaiting(std::iter::Peekable<std::vec::IntoIter<(Time, GoIdx, Mark)>>);

impl FoundWaiting {
    /// Lets those come that were there before `now`.
    fn until(&mut self, now: Time, follow: &mut Follow) {
        while let Some((from, go, mark)) = self.0.next_if(|f| f.0 <= now) {
            follow.come(mark, from, go);
        }
    }
}

/// Collects what must be known of waits before they can be followed as they come by.
struct Collect<'f, 'a> {
    follow: &'f mut Follow<'a>,
    /// Waits that were found going on: since when, whose, and their mark.
    found: Vec<(Time, GoIdx, Mark)>,
    /// In the order in which they begin, the marks of waits of which only the end tells what they are for.
    late: Vec<Mark>,
}

/// The mark of a wait of which the beginning tells all; those of others follow.
const TOLD: u32 = 1;

impl Visit for Collect<'_, '_> {
    fn begin(&mut self, now: &Interval, _seg: &Segment, _i: usize) -> u32 {
        if now.state != GoState::Waiting {
            return 0;
        }
        match self.follow.early(now.reason, now.stack) {
            (Early::Late, _) => {
                self.late.push(0);
                self.late.len() as u32 + TOLD
            }
            (Early::Known(_), _) => TOLD,
            (Early::Never, _) => 0,
        }
    }

    fn end(&mut self, w: &Interval) {
        if w.state != GoState::Waiting || w.mark == 0 {
            return;
        }
        let by = w.end.map_or((GoIdx::NONE, StackId::NONE), |e| (e.by, e.stack));
        let mark = self.follow.mark((w.reason, w.stack), by);
        if let Some(late) = self.late.get_mut((w.mark as usize).wrapping_sub(TOLD as usize + 1)) {
            *late = mark;
        }
        if mark > 0 && w.began.is_none() {
            self.found.push((w.from, w.go, mark));
        }
    }
}

fn stretch(w: &Interval) -> Stretch {
    let (began, ended) = (w.began.unwrap_or(EventNo::MAX), w.end.map_or(EventNo::MAX, |e| e.no));
    Stretch { len: w.len(), from: w.from, began, ended, go: w.go }
}

/// Follows waits as they come by, knowing from before what those are for of which only the end tells.
struct Stream<'f, 'a> {
    follow: &'f mut Follow<'a>,
    found: FoundWaiting,
    late: std::vec::IntoIter<Mark>,
    /// By goroutine, one more than the queue that it just released.
    released: Vec<u32>,
}

impl Visit for Stream<'_, '_> {
    fn begin(&mut self, now: &Interval, _seg: &Segment, _i: usize) -> u32 {
        if now.state != GoState::Waiting {
            return 0;
        }
        let mark = match self.follow.early(now.reason, now.stack) {
            (Early::Late, _) => self.late.next().unwrap_or(0),
            (_, mark) => mark,
        };
        if now.began.is_some() && mark > 0 {
            self.found.until(now.from, self.follow);
            self.follow.come(mark, now.from, now.go);
        }
        mark
    }

    fn end(&mut self, w: &Interval) {
        match w.state {
            GoState::Waiting if w.mark > 0 => {}
            GoState::Running => {
                let released = self.released.get_mut(w.go.0 as usize).map_or(0, std::mem::take);
                if released > 0
                    && let Some(e) = w.end
                    && e.kind == Kind::GoStop
                    && self.follow.classes.releases(e.stack)
                {
                    self.follow.queues[released as usize - 1].1.starved += 1;
                }
                return;
            }
            _ => return,
        }
        self.found.until(w.to, self.follow);
        let released = self.follow.go(w.mark, &stretch(w), w.to, w.end.map(|e| (e.by, e.stack)));
        if let (Some(q), Some(e)) = (released, w.end)
            && let Some(r) = self.released.get_mut(e.by.0 as usize)
        {
            *r = q + 1;
        }
    }
}

/// Waits of one side of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Side {
    /// All of them.
    pub all: Tally,
    /// Those that were still going on when the trace ended.
    pub never: Tally,
}

impl Side {
    fn add(&mut self, d: Duration, open: bool) {
        self.all.add(d);
        if open {
            self.never.add(d);
        }
    }

    /// Adds another.
    pub fn merge(&mut self, o: Side) {
        self.all.merge(o.all);
        self.never.merge(o.never);
    }
}
