//! Locks and channels that goroutines queue for.
//!
//! A trace gives neither an identity. What it does give is the line at which each wait began and the line at which
//! another ended it: lines that are joined by a wait belong to one lock, or one channel, or to several that the code
//! treats alike. Such a class is what is reported on.

mod depth;
pub mod table;

pub use depth::CELLS;

use super::tracker::{self, Interval, Visit};
use crate::analysis::search::Source;
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, StackId, StringId, Time};
use crate::model::Waker;
use crate::model::ownership::is_runtime;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{Class, ReasonId, Reasons};
use crate::model::segment::{GoState, Kind};
use crate::model::tally::Tally;
use crate::model::waits::{Queues, Stretch};
use crate::model::{Index, Segment, totals};
use depth::Depth;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Goroutines that queued without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Convoy {
    /// How many of them were let go, one after the other.
    pub handoffs: u64,
    /// How many there were at once, at most.
    pub peak: u64,
    /// When the first came.
    pub from: Time,
    /// When the last was let go.
    pub to: Time,
}

/// What a class is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A mutex.
    Lock,
    /// A channel.
    Channel,
}

/// A lock or a channel, or several that the same lines use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contended {
    /// Which of the two.
    pub what: What,
    /// The lines that wait, by what they wait for (`Mutex`, `chan send` …), the longest waits first.
    pub waits_at: Vec<(PlaceId, String, Tally)>,
    /// The lines that end waits, and how many.
    pub ended_at: Vec<(PlaceId, u64)>,
    /// Waits.
    pub waits: u64,
    /// Those of them that were going on when the trace began or ended.
    pub open: u64,
    /// Their sum, inside the trace.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// The event that began the longest.
    pub longest: Option<EventNo>,
    /// Whose the longest was, and when it began: the trace's start, if before.
    pub longest_wait: (GoIdx, Time),
    /// Most goroutines that waited at once.
    pub depth_max: u64,
    /// How many waited on average over the trace, in thousandths.
    pub depth_mean_milli: u64,
    /// The same for each of [`CELLS`] equal parts of the trace; nothing for a sum over several.
    pub depth: Vec<u64>,
    /// The part of the trace in which at least one waited.
    pub busy: Duration,
    /// The longest queue, by how many were let go from it without a gap.
    pub convoy: Convoy,
    /// Waits that a goroutine ended at one of the class's lines.
    pub handoffs: u64,
    /// Hand-offs out of starvation: the one who released the lock had to give it away and to step back.
    pub starved: u64,
    /// Waits of senders (channels only).
    pub sending: Tally,
    /// Waits of receivers (channels only).
    pub receiving: Tally,
}

/// The side of a channel that holds the other up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bottleneck {
    /// Senders wait: there are too few receivers, or they are too slow.
    Receivers,
    /// Receivers wait.
    Senders,
    /// Both wait about as long.
    Neither,
}

impl Contended {
    /// The side that holds the other up: the one that waits less than half as long.
    pub fn bottleneck(&self) -> Bottleneck {
        let (s, r) = (self.sending.total.ns(), self.receiving.total.ns());
        if s > r.saturating_mul(2) {
            Bottleneck::Receivers
        } else if r > s.saturating_mul(2) {
            Bottleneck::Senders
        } else {
            Bottleneck::Neither
        }
    }
}

/// All classes of a trace, the most waited for first.
pub struct Contention {
    /// The classes.
    pub classes: Vec<Contended>,
    /// What their places are.
    pub places: Places,
}

/// Sets of lines that waits join.
struct Classes<'a> {
    index: &'a Index,
    places: &'a Places,
    reasons: &'a Reasons,
    parent: FxHashMap<(What, PlaceId), (What, PlaceId)>,
    /// Stacks that are inside a release of a lock.
    releasing: Vec<bool>,
}

impl<'a> Classes<'a> {
    fn new(index: &'a Index, places: &'a Places, reasons: &'a Reasons) -> Classes<'a> {
        let releasing = index.dict.stacks_with(|d, f| {
            let name = d.func_name(f.func);
            name.strip_prefix("internal/").unwrap_or(name).starts_with("sync.(*")
                && matches!(name.rsplit('.').next(), Some("Unlock" | "RUnlock" | "unlockSlow" | "rUnlockSlow"))
        });
        let mut c = Classes { index, places, reasons, parent: FxHashMap::default(), releasing };
        let mut all: Vec<&totals::Link> = index.totals.links.keys().collect();
        all.sort_unstable();
        for l in all {
            let Some((what, _)) = c.what(l.reason, l.waiter_stack) else { continue };
            let goroutine = l.waker != totals::Party::Nobody;
            let joined = match what {
                What::Lock => goroutine && c.releases(l.waker_stack),
                What::Channel => goroutine,
            };
            let a = (what, places.near(l.waiter_stack));
            if what == What::Lock || joined {
                c.parent.entry(a).or_insert(a);
            }
            let b = (what, places.near(l.waker_stack));
            if joined && b.1 != PlaceId::NONE {
                let (a, b) = (c.root(a), c.root(b));
                c.parent.insert(a.max(b), a.min(b));
            }
        }
        c
    }

    fn releases(&self, stack: StackId) -> bool {
        self.releasing.get(stack.0 as usize).copied().unwrap_or(false)
    }

    /// What a wait is for, if for a lock or a channel.
    fn what(&self, reason: StringId, stack: StackId) -> Option<(What, Class)> {
        let id = self.reasons.refine(&self.index.dict, reason, stack, Waker::Runtime);
        match self.reasons.get(id).class {
            Class::Lock => Some((What::Lock, Class::Lock)),
            c @ (Class::Send | Class::Receive) => Some((What::Channel, c)),
            _ => None,
        }
    }

    fn root(&mut self, x: (What, PlaceId)) -> (What, PlaceId) {
        let mut at = x;
        loop {
            let up = *self.parent.entry(at).or_insert(at);
            if up == at {
                break;
            }
            at = up;
        }
        self.parent.insert(x, at);
        at
    }
}

/// A class while the trace is followed.
struct Queue {
    out: Contended,
    depth: u64,
    since: Time,
    /// Goroutine-nanoseconds waited.
    area: i128,
    over_time: Depth,
    convoy: Convoy,
    lines: BTreeMap<(PlaceId, ReasonId), Tally>,
    ends: BTreeMap<PlaceId, u64>,
}

impl Queue {
    fn new(what: What, index: &Index) -> Queue {
        Queue {
            out: Contended {
                what,
                waits_at: Vec::new(),
                ended_at: Vec::new(),
                waits: 0,
                open: 0,
                total: Duration::ZERO,
                max: Duration::ZERO,
                longest: None,
                longest_wait: (GoIdx::NONE, Time::MIN),
                depth_max: 0,
                depth_mean_milli: 0,
                depth: Vec::new(),
                busy: Duration::ZERO,
                convoy: Convoy::default(),
                handoffs: 0,
                starved: 0,
                sending: Tally::default(),
                receiving: Tally::default(),
            },
            depth: 0,
            since: Time::MIN,
            area: 0,
            over_time: Depth::new(index.start, index.duration()),
            convoy: Convoy::default(),
            lines: BTreeMap::new(),
            ends: BTreeMap::new(),
        }
    }

    fn pass(&mut self, now: Time) {
        if self.depth > 0 {
            let d = now - self.since;
            self.area += i128::from(d.ns()) * i128::from(self.depth);
            self.out.busy += d;
            self.over_time.add(self.since, now, self.depth);
        }
        self.since = now;
    }

    fn come(&mut self, now: Time) {
        self.pass(now);
        if self.depth == 0 {
            self.convoy = Convoy { from: now, to: now, ..Convoy::default() };
        }
        self.depth += 1;
        self.convoy.peak = self.convoy.peak.max(self.depth);
        self.out.depth_max = self.out.depth_max.max(self.depth);
    }

    fn go(&mut self, now: Time, let_go: bool) {
        self.pass(now);
        self.depth = self.depth.saturating_sub(1);
        self.convoy.to = now;
        self.convoy.handoffs += u64::from(let_go);
        self.out.handoffs += u64::from(let_go);
        let best = &mut self.out.convoy;
        if (self.convoy.handoffs, self.convoy.peak) > (best.handoffs, best.peak) {
            *best = self.convoy;
        }
    }
}

/// What is known of a place of waiting: its queue, its line, what it waits for.
#[derive(Clone, Copy)]
struct Place {
    queue: u32,
    line: PlaceId,
    class: Class,
    reason: ReasonId,
    waited: Tally,
}

struct Follow<'a> {
    classes: Classes<'a>,
    queues: Vec<Queue>,
    ids: FxHashMap<(What, PlaceId), u32>,
    /// By reason and stack, one more than the row of `known`; 0 for what is no wait for a lock or a channel.
    marks: FxHashMap<(StringId, StackId), u32>,
    known: Vec<Place>,
    /// By goroutine, one more than the queue that it just released.
    released: Vec<u32>,
}

impl Follow<'_> {
    fn mark(&mut self, reason: StringId, stack: StackId) -> u32 {
        if let Some(&m) = self.marks.get(&(reason, stack)) {
            return m;
        }
        let m = self.place(reason, stack).map_or(0, |p| {
            self.known.push(p);
            self.known.len() as u32
        });
        self.marks.insert((reason, stack), m);
        m
    }

    fn place(&mut self, reason: StringId, stack: StackId) -> Option<Place> {
        let (what, class) = self.classes.what(reason, stack)?;
        let line = self.classes.places.near(stack);
        // A channel that no goroutine ever woke anyone through is a timer's, or the runtime's own; but timers never make
        // anyone wait who sends.
        let joined = class == Class::Send || self.classes.parent.contains_key(&(what, line));
        let runtimes = is_runtime(&self.classes.places.func(self.classes.index, line));
        if what == What::Channel && (!joined || runtimes) {
            return None;
        }
        let root = self.classes.root((what, line));
        let next = self.queues.len() as u32;
        let queue = *self.ids.entry(root).or_insert(next);
        if queue == next {
            self.queues.push(Queue::new(what, self.classes.index));
        }
        let reason = self.classes.reasons.refine(&self.classes.index.dict, reason, stack, Waker::Runtime);
        Some(Place { queue, line, class, reason, waited: Tally::default() })
    }

    /// A wait at the place of `mark` begins, at `from` or, if it was found there, as early as may be.
    fn come(&mut self, mark: u32, from: Time) {
        if let Some(p) = self.known.get((mark as usize).wrapping_sub(1)) {
            let q = &mut self.queues[p.queue as usize];
            q.come(from.max(q.since));
        }
    }

    /// A wait is over at `to`, ended by `by` in a stack if by anyone; or the trace is. Gives the queue back, if a lock was
    /// released that way.
    fn go(&mut self, mark: u32, wait: &Stretch, to: Time, by: Option<(GoIdx, StackId)>) -> Option<u32> {
        let at = (mark as usize).wrapping_sub(1);
        let place = *self.known.get(at)?;
        let q = &mut self.queues[place.queue as usize];
        // Locks and channels are no business of the network poller's: a goroutine that ended the wait is the waker.
        let stack = by.filter(|b| b.0.is_some()).map(|b| b.1);
        let releases = stack.is_some_and(|s| self.classes.releases(s));
        if let Some(s) = stack {
            *q.ends.entry(self.classes.places.near(s)).or_default() += 1;
        }
        if by.is_some() {
            q.go(to, releases || stack.is_some() && q.out.what == What::Channel);
        } else {
            q.pass(to);
        }
        let d = wait.len;
        let line = &mut self.known[at].waited;
        let sides = match place.class {
            Class::Send => Some(&mut q.out.sending),
            Class::Receive => Some(&mut q.out.receiving),
            _ => None,
        };
        for t in [Some(line), sides].into_iter().flatten() {
            t.add(d);
        }
        q.out.waits += 1;
        q.out.open += u64::from(wait.began == EventNo::MAX || wait.ended == EventNo::MAX);
        q.out.total += d;
        if d > q.out.max || q.out.waits == 1 {
            (q.out.max, q.out.longest) = (d, Some(wait.began).filter(|&no| no != EventNo::MAX));
            q.out.longest_wait = (wait.go, wait.from);
        }
        releases.then_some(place.queue)
    }

    /// Follows waits that are there one by one.
    fn replay(&mut self, queues: &Queues) {
        let marks: Vec<u32> = queues.waits.iter().map(|w| self.mark(w.reason, w.stack)).collect();
        let stops: FxHashMap<EventNo, StackId> = queues.stops.iter().map(|s| (s.after, s.stack)).collect();
        // Begin and end of each, in the order of the events; what was there already comes first.
        let mut steps = Vec::with_capacity(2 * queues.waits.len());
        for (i, w) in (0u32..).zip(&queues.waits).filter(|(i, _)| marks[*i as usize] > 0) {
            let began = if w.wait.began == EventNo::MAX { 0 } else { w.wait.began };
            steps.push((began, false, w.wait.go, i));
            steps.push((w.wait.ended, true, w.wait.go, i));
        }
        steps.sort_unstable();
        for (_, over, _, i) in steps {
            let (w, mark) = (&queues.waits[i as usize], marks[i as usize]);
            let from = w.wait.from;
            if !over {
                self.come(mark, from);
                continue;
            }
            let by = (w.wait.ended != EventNo::MAX).then_some((w.by, w.by_stack));
            if let Some(q) = self.go(mark, &w.wait, from + w.wait.len, by)
                && stops.get(&w.wait.ended).is_some_and(|&s| self.classes.releases(s))
            {
                self.queues[q as usize].out.starved += 1;
            }
        }
    }
}

impl Visit for Follow<'_> {
    fn begin(&mut self, now: &Interval, _seg: &Segment, _i: usize) -> u32 {
        if now.state != GoState::Waiting {
            return 0;
        }
        let m = self.mark(now.reason, now.stack);
        self.come(m, now.from);
        m
    }

    fn end(&mut self, w: &Interval) {
        match w.state {
            GoState::Waiting if w.mark > 0 => {}
            GoState::Running => {
                let released = self.released.get_mut(w.go.0 as usize).map_or(0, std::mem::take);
                if released > 0
                    && let Some(e) = w.end
                    && e.kind == Kind::GoStop
                    && self.classes.releases(e.stack)
                {
                    self.queues[released as usize - 1].out.starved += 1;
                }
                return;
            }
            _ => return,
        }
        let (began, ended) = (w.began.unwrap_or(EventNo::MAX), w.end.map_or(EventNo::MAX, |e| e.no));
        let wait = Stretch { len: w.len(), from: w.from, began, ended, go: w.go };
        let released = self.go(w.mark, &wait, w.to, w.end.map(|e| (e.by, e.stack)));
        if let (Some(q), Some(e)) = (released, w.end)
            && let Some(r) = self.released.get_mut(e.by.0 as usize)
        {
            *r = q + 1;
        }
    }
}

/// Follows the queues at all locks and channels of a trace that has been read whole: by the waits that were kept while it
/// was read ([`Trace::take_queues`](crate::read::Trace::take_queues)), or else by decoding it once more.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn contention<S: Source>(source: &S, kept: Option<Queues>) -> Result<Contention, String> {
    let mut out = Err("there is no trace".to_owned());
    source.with_index(&mut |index| {
        let places = Places::new(&index.dict);
        let reasons = Reasons::default();
        let mut f = Follow {
            classes: Classes::new(index, &places, &reasons),
            queues: Vec::new(),
            ids: FxHashMap::default(),
            marks: FxHashMap::default(),
            known: Vec::new(),
            released: vec![0; index.goroutines.len()],
        };
        if let Some(queues) = &kept {
            f.replay(queues);
        } else if let Err(e) = tracker::each(source, &mut f) {
            out = Err(e);
            return;
        }
        let whole = i128::from(index.duration().ns().max(1));
        for p in &f.known {
            let line = f.queues[p.queue as usize].lines.entry((p.line, p.reason)).or_default();
            line.merge(p.waited);
        }
        let mut classes: Vec<Contended> = f.queues.drain(..).map(|q| close(q, whole, &reasons)).collect();
        classes.sort_by_key(|c| (std::cmp::Reverse(c.total), c.what, c.waits_at.first().map(|w| w.0)));
        out = Ok(Contention { classes, places });
    });
    out
}

fn close(q: Queue, whole: i128, reasons: &Reasons) -> Contended {
    let mut c = q.out;
    c.depth_mean_milli = (q.area * 1000 / whole).clamp(0, i128::from(u64::MAX)) as u64;
    c.depth = q.over_time.milli();
    c.waits_at =
        q.lines.into_iter().filter(|(_, t)| t.count > 0).map(|((p, r), t)| (p, reasons.get(r).name, t)).collect();
    c.waits_at.sort_by_key(|w| (std::cmp::Reverse(w.2.total), w.0));
    c.ended_at = q.ends.into_iter().collect();
    c.ended_at.sort_by_key(|e| (std::cmp::Reverse(e.1), e.0));
    c
}
