//! Follows the waits of a trace, in the order of time, to the queues that they are in.

use super::classes::{Classes, Early, Node, Site};
use super::queue::Queue;
use super::{Contended, What};
use crate::analysis::search::Source;
use crate::analysis::waits::links::group;
use crate::analysis::waits::tracker::{self, Interval, Visit};
use crate::base::{Duration, EventNo, GoIdx, StackId, StringId, Time};
use crate::model::Segment;
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, ReasonId};
use crate::model::segment::{GoState, Kind};
use crate::model::tally::Tally;
use crate::model::waits::{Queued, Queues, Stop, Stretch};
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
    waited: Tally,
}

pub(super) struct Follow<'a> {
    pub classes: Classes<'a>,
    /// What counts, and the part of the trace that lies in it.
    window: (Time, Time),
    inside: (Time, Time),
    pub queues: Vec<(Queue, Contended)>,
    ids: FxHashMap<Node, u32>,
    sites: FxHashMap<(Node, PlaceId, ReasonId, Class), Mark>,
    early: FxHashMap<(StringId, StackId), (Early, Mark)>,
    late: FxHashMap<(StringId, StackId, StackId, bool), Mark>,
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
        let key = (reason, stack, by.1, by.0.is_some());
        if let Some(&m) = self.late.get(&key) {
            return m;
        }
        let mark = self.classes.late(reason, stack, by).map_or(0, |site| self.site(site));
        self.late.insert(key, mark);
        mark
    }

    fn site(&mut self, Site { node, line, reason, side }: Site) -> Mark {
        if let Some(&m) = self.sites.get(&(node, line, reason, side)) {
            return m;
        }
        let next = self.queues.len() as u32;
        let queue = *self.ids.entry(node).or_insert(next);
        if queue == next {
            self.queues.push((Queue::new(node.0, self.window, self.inside), Contended::new(node.0)));
            self.ends.push(BTreeMap::new());
        }
        self.known.push(Place { queue, line, side, reason, waited: Tally::default() });
        let mark = self.known.len() as Mark;
        self.sites.insert((node, line, reason, side), mark);
        mark
    }

    /// A wait at the place of `mark` begins.
    fn come(&mut self, mark: Mark, from: Time) {
        if let Some(p) = self.known.get((mark as usize).wrapping_sub(1)) {
            self.queues[p.queue as usize].0.come(from);
        }
    }

    /// A wait is over at `to`, ended by `by` in a stack if by anyone; or the trace is. Gives the queue back, if a lock was
    /// released that way, and the wait counts.
    fn go(&mut self, mark: Mark, wait: &Stretch, to: Time, by: Option<(GoIdx, StackId)>) -> Option<u32> {
        let at = (mark as usize).wrapping_sub(1);
        let place = *self.known.get(at)?;
        let (q, out) = &mut self.queues[place.queue as usize];
        let sender = place.side == Class::Send;
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
            q.release(to, (by, (group(self.classes.index, by), line, how)), (wait.go, sender), counts);
        }
        if by.is_some() {
            let handoff = releases || goroutine.is_some() && out.what != What::Lock;
            q.go(to, (wait.go, sender), handoff && counts);
        } else {
            q.pass(to);
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
        out.unfinished += u64::from(open);
        out.open += u64::from(wait.began == EventNo::MAX || open);
        out.total += d;
        if d > out.max || out.waits == 1 {
            (out.max, out.longest) = (d, Some(wait.began).filter(|&no| no != EventNo::MAX));
            out.longest_wait = (wait.go, from);
        }
        releases.then_some(place.queue)
    }

    /// Follows waits that are there one by one.
    pub fn replay(&mut self, queues: &Queues) {
        let marks: Vec<Mark> =
            queues.waits.iter().map(|w| self.mark((w.reason, w.stack), (w.by, w.by_stack))).collect();
        let stops: FxHashMap<EventNo, StackId> = queues.stops.iter().map(|s| (s.after, s.stack)).collect();
        // Begin and end of each, in the order of time; what was there already comes first.
        let mut steps = Vec::with_capacity(2 * queues.waits.len());
        for (i, w) in (0u32..).zip(&queues.waits).filter(|(i, _)| marks[*i as usize] > 0) {
            let began = if w.wait.began == EventNo::MAX { 0 } else { w.wait.began };
            steps.push((w.wait.from, began, false, w.wait.go, i));
            steps.push((w.wait.from + w.wait.len, w.wait.ended, true, w.wait.go, i));
        }
        steps.sort_unstable();
        for (now, _, over, _, i) in steps {
            let (w, mark) = (&queues.waits[i as usize], marks[i as usize]);
            if !over {
                self.come(mark, now);
                continue;
            }
            let by = (w.wait.ended != EventNo::MAX).then_some((w.by, w.by_stack));
            if let Some(q) = self.go(mark, &w.wait, now, by)
                && stops.get(&w.wait.ended).is_some_and(|&s| self.classes.releases(s))
            {
                self.queues[q as usize].1.starved += 1;
            }
        }
    }

    /// Follows the waits of a trace by decoding it: once if no more than `most` of its waits matter, else twice.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn decode<S: Source>(&mut self, source: &S, most: usize) -> Result<(), String> {
        let gos = self.classes.index.goroutines.len();
        let mut c = Collect {
            follow: self,
            most,
            kept: Some(Queues::default()),
            found: Vec::new(),
            late: Vec::new(),
            released: vec![EventNo::MAX; gos],
        };
        tracker::each(source, &mut c)?;
        let Collect { kept, mut found, late, .. } = c;
        if let Some(kept) = kept {
            self.replay(&kept);
            return Ok(());
        }
        found.sort_unstable();
        let mut s = Stream {
            follow: self,
            found: found.into_iter().peekable(),
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

/// Collects the waits that matter, and what must be known beforehand should they be too many.
struct Collect<'f, 'a> {
    follow: &'f mut Follow<'a>,
    most: usize,
    /// The waits; nothing once they were too many.
    kept: Option<Queues>,
    /// Waits that were found going on: since when, whose, and their mark.
    found: Vec<(Time, GoIdx, Mark)>,
    /// In the order in which they begin, the marks of waits of which only the end tells what they are for.
    late: Vec<Mark>,
    /// By goroutine, the event by which it last released a lock since it runs.
    released: Vec<EventNo>,
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
        match w.state {
            GoState::Waiting if w.mark > 0 => {}
            GoState::Running => {
                let after =
                    self.released.get_mut(w.go.0 as usize).map_or(EventNo::MAX, |r| std::mem::replace(r, EventNo::MAX));
                if let (Some(kept), Some(e)) = (&mut self.kept, w.end)
                    && after != EventNo::MAX
                    && e.kind == Kind::GoStop
                {
                    kept.stops.push(Stop { after, stack: e.stack });
                }
                return;
            }
            _ => return,
        }
        let by = w.end.map_or((GoIdx::NONE, StackId::NONE), |e| (e.by, e.stack));
        let mark = self.follow.mark((w.reason, w.stack), by);
        if let Some(late) = self.late.get_mut((w.mark as usize).wrapping_sub(TOLD as usize + 1)) {
            *late = mark;
        }
        if mark == 0 {
            return;
        }
        if w.began.is_none() {
            self.found.push((w.from, w.go, mark));
        }
        if let (Some(e), Some(r)) = (w.end, self.released.get_mut(by.0.0 as usize))
            && self.follow.classes.releases(e.stack)
        {
            *r = e.no;
        }
        let Some(kept) = &mut self.kept else { return };
        kept.waits.push(Queued { wait: stretch(w), reason: w.reason, stack: w.stack, by: by.0, by_stack: by.1 });
        if kept.waits.len().max(kept.stops.len()) > self.most {
            self.kept = None;
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
    found: std::iter::Peekable<std::vec::IntoIter<(Time, GoIdx, Mark)>>,
    late: std::vec::IntoIter<Mark>,
    /// By goroutine, one more than the queue that it just released.
    released: Vec<u32>,
}

impl Stream<'_, '_> {
    /// Lets those come that were found waiting, as far as that was before `now`.
    fn found_until(&mut self, now: Time) {
        while let Some((from, _, mark)) = self.found.next_if(|f| f.0 <= now) {
            self.follow.come(mark, from);
        }
    }
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
            self.found_until(now.from);
            self.follow.come(mark, now.from);
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
        self.found_until(w.to);
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
