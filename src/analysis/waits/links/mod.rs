//! Who waited for whom: all waits of a trace, summed up by waiter, line, reason, waker and the waker's line.

mod named;
pub mod party;
pub mod table;

use super::coroutine;
use crate::analysis::states::look_ahead::LookAhead;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, GroupId, StackId, StringId, Time};
use crate::model::Waker;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{Reason, ReasonId, Reasons};
use crate::model::segment::GoState;
use crate::model::totals;
use crate::model::waits::WaitTally;
use crate::model::{Index, Segment};
use crate::query::Compiled;
use rustc_hash::FxHashMap;

pub use crate::model::waits::Histogram;
pub use crate::model::waker::STILL_BLOCKED;
pub use named::Named;
pub use party::{EndedBy, Party, group};

/// Whether a stretch in this state is a wait: for somebody else, or for the operating system or C to return.
fn is_wait(state: GoState) -> bool {
    matches!(state, GoState::Waiting | GoState::Syscall)
}

/// What the waits of an edge have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Who waited.
    pub waiter: GroupId,
    /// The line of user code in which they did.
    pub at: PlaceId,
    /// What for.
    pub reason: ReasonId,
    /// Who ended it.
    pub waker: Party,
    /// The line of user code in which they did.
    pub waker_at: PlaceId,
}

/// Waits that have everything but their times in common. Times are those inside the window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// What they have in common.
    pub key: Key,
    /// How many there were.
    pub count: u64,
    /// How many of them were already going on when the trace began, or still when it ended.
    pub open: u64,
    /// How many of them had not ended when the trace did, or the last recording of their process.
    pub unfinished: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// 99 in 100 were no longer than this, to within an eighth.
    pub p99: Duration,
    /// How long each was.
    pub lengths: Histogram,
    /// The event that began the longest, if it is in the trace.
    pub longest: Option<EventNo>,
    /// The goroutine that waited longest.
    pub longest_go: GoIdx,
    /// When it began to, or the window did if that was later.
    pub longest_from: Time,
}

/// Which waits to sum up.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Only what lies at or after this instant…
    pub from: Time,
    /// … and before this one. Waits across a border count with the part inside.
    pub to: Time,
    /// Only waits whose first event answers this query.
    pub filter: Option<&'a Compiled>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { from: Time::MIN, to: Time::MAX, filter: None }
    }
}

/// All edges of a trace, with what their handles mean.
pub struct Links {
    /// The edges, those with the largest sum first.
    pub edges: Vec<Edge>,
    /// What their places are.
    pub places: Places,
    /// What their reasons are.
    pub reasons: Reasons,
}

impl Links {
    /// An edge's reason.
    pub fn reason(&self, e: &Edge) -> Reason {
        self.reasons.get(e.key.reason).of_waits((e.count, e.open), e.longest.is_some())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Raw {
    waiter: GroupId,
    call: bool,
    reason: StringId,
    stack: StackId,
    /// The group of the goroutine that ended the wait; whether one did at all is told by `end`.
    by: GroupId,
    end: bool,
    someone: bool,
    waker_stack: StackId,
}

/// Puts waits into edges as they end.
struct Summer<'a, 'o> {
    index: &'a Index,
    places: &'a Places,
    reasons: &'a Reasons,
    opts: Options<'o>,
    ahead: &'a dyn crate::query::Ahead,
    /// By goroutine, its group.
    groups: Vec<GroupId>,
    /// By goroutine, its last wait and that wait's edge: most goroutines wait in one place.
    last: Vec<Option<(Raw, u32)>>,
    raw: FxHashMap<Raw, u32>,
    ids: FxHashMap<Key, u32>,
    edges: Vec<Edge>,
    /// Waits that began inside the window and have not ended.
    pending: u64,
}

/// Marks a wait that does not answer the query.
const OUT: u32 = 1;

impl Visit for Summer<'_, '_> {
    fn begin(&mut self, now: &Interval, seg: &Segment, i: usize) -> u32 {
        if !is_wait(now.state) {
            return 0;
        }
        self.pending += u64::from(now.from < self.opts.to);
        match self.opts.filter {
            Some(q) if !q.matches(seg, i, self.ahead) => OUT,
            _ => 0,
        }
    }

    fn end(&mut self, w: &Interval) {
        if !is_wait(w.state) {
            return;
        }
        if w.from < self.opts.to {
            self.pending = self.pending.saturating_sub(1);
        }
        let (from, to) = (w.from.max(self.opts.from), w.to.min(self.opts.to));
        if w.mark == OUT || from > to || (w.to < self.opts.from || w.from >= self.opts.to) {
            return;
        }
        let id = self.edge(w) as usize;
        let d = to - from;
        let e = &mut self.edges[id];
        e.lengths.add(d);
        e.count += 1;
        e.open += u64::from(!w.closed());
        e.unfinished += u64::from(w.end.is_none() && w.to >= self.index.recorded(self.index.process(w.go)).1);
        e.total += d;
        if d > e.max || e.count == 1 {
            (e.max, e.longest, e.longest_go, e.longest_from) = (d, w.began, w.go, from);
        }
    }

    fn done(&self, now: Time) -> bool {
        now >= self.opts.to && self.pending == 0
    }
}

impl Summer<'_, '_> {
    fn edge(&mut self, w: &Interval) -> u32 {
        let group = |g: GoIdx| self.groups.get(g.0 as usize).copied().unwrap_or_default();
        let call = w.state == GoState::Syscall;
        // Who is in a syscall ends it itself.
        let by = w.end.filter(|_| !call).map_or(GoIdx::NONE, |e| e.by);
        let raw = Raw {
            waiter: group(w.go),
            call,
            reason: w.reason,
            stack: w.stack,
            by: group(by),
            end: w.end.is_some(),
            someone: by.is_some(),
            waker_stack: w.end.filter(|_| !call).map_or(StackId::NONE, |e| e.stack),
        };
        let last = self.last.get(w.go.0 as usize).copied().flatten();
        if let Some((known, id)) = last
            && known == raw
        {
            return id;
        }
        let id = match self.raw.get(&raw) {
            Some(&id) => id,
            None => self.new_edge(w, raw),
        };
        if let Some(l) = self.last.get_mut(w.go.0 as usize) {
            *l = Some((raw, id));
        }
        id
    }

    fn new_edge(&mut self, w: &Interval, raw: Raw) -> u32 {
        let (key, _) = key(self.index, self.places, self.reasons, w);
        let next = self.edges.len() as u32;
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            let edge = Edge {
                key,
                count: 0,
                open: 0,
                unfinished: 0,
                total: Duration::ZERO,
                max: Duration::ZERO,
                p99: Duration::ZERO,
                lengths: Histogram::default(),
                longest: None,
                longest_go: GoIdx::NONE,
                longest_from: Time::MIN,
            };
            self.edges.push(edge);
        }
        self.raw.insert(raw, id);
        id
    }
}

/// The key of a wait, and who ended it.
pub(crate) fn key(index: &Index, places: &Places, reasons: &Reasons, w: &Interval) -> (Key, Waker) {
    let waker = w.waker(index, reasons);
    if w.state == GoState::Syscall {
        return (call_key(index, places, reasons, group(index, w.go), w.stack, w.end.is_some()), waker);
    }
    let ended = (waker, w.end.map_or(StackId::NONE, |e| e.stack));
    let waiter = group(index, w.go);
    let by = Party::of(waker, index);
    let (reason, at) = what_for(index, places, reasons, (waiter, w.reason, w.stack), by, ended);
    let key = Key {
        waiter,
        at,
        reason,
        waker: by,
        waker_at: match (waker, w.end) {
            (Waker::Go(_), Some(e)) => places.user(e.stack),
            _ => PlaceId::NONE,
        },
    };
    (key, waker)
}

/// What a wait was for, and the line of user code; of a switch between coroutines that which called `iter.Pull`.
fn what_for(
    index: &Index,
    places: &Places,
    reasons: &Reasons,
    (waiter, reason, stack): (GroupId, StringId, StackId),
    by: Party,
    ended: (Waker, StackId),
) -> (ReasonId, PlaceId) {
    let at = places.user(stack);
    let waker = if let Party::Group(g) = by { Some(g) } else { None };
    if !coroutine::is_switch(index, waiter, waker, (reason, stack)) {
        return (reasons.refine_ended(&index.dict, (reason, stack), ended), at);
    }
    let pulled = || coroutine::line_of_all(index, places, waiter, waker);
    (reasons.coroutine(&index.dict), if at == PlaceId::NONE { pulled() } else { at })
}

/// The key of the syscalls that a group makes in a stack.
fn call_key(index: &Index, places: &Places, reasons: &Reasons, waiter: GroupId, stack: StackId, ended: bool) -> Key {
    Key {
        waiter,
        at: places.user(stack),
        reason: reasons.syscall(&index.dict, stack),
        waker: if ended { Party::Return } else { Party::Nobody },
        waker_at: PlaceId::NONE,
    }
}

/// The group of a side of a link that the index has.
fn group_of(index: &Index, p: totals::Party) -> GroupId {
    match p {
        totals::Party::Nobody => GroupId::NONE,
        totals::Party::Go(g) => group(index, g),
        totals::Party::Group(g) => g,
    }
}

/// The key of the waits of a link that the index has.
fn link_key(index: &Index, places: &Places, reasons: &Reasons, l: &totals::Link, ended: bool) -> Key {
    // Any goroutine of the group will do: nothing but the group is asked for.
    let by = match l.waker {
        totals::Party::Nobody => GoIdx::NONE,
        totals::Party::Go(g) => g,
        totals::Party::Group(g) => {
            let members = index.groups.get(g.0 as usize).and_then(|g| g.members.first());
            members.copied().unwrap_or(GoIdx::NONE)
        }
    };
    let waker = match ended {
        true => reasons.waker(&index.dict, (l.reason, l.waiter_stack), by, l.waker_stack),
        false => Waker::Nobody,
    };
    let (waiter, by) = (group_of(index, l.waiter), Party::of(waker, index));
    let ended = (waker, l.waker_stack);
    let (reason, at) = what_for(index, places, reasons, (waiter, l.reason, l.waiter_stack), by, ended);
    Key {
        waiter,
        at,
        reason,
        waker: by,
        waker_at: match waker {
            Waker::Go(_) => places.user(l.waker_stack),
            _ => PlaceId::NONE,
        },
    }
}

/// The edges of the whole trace as the index has summed them up; nothing if it has not, or not all.
fn from_index(index: &Index) -> Option<Links> {
    let t = &index.totals;
    if !index.complete || t.waits_missing {
        return None;
    }
    let (places, reasons) = (Places::new(&index.dict), Reasons::default());
    let mut all: Vec<_> = t.all_waits().filter(|(.., t)| t.count > 0).collect();
    // Places and reasons are numbered as they come.
    all.sort_unstable_by_key(|&(l, ended, _)| (*l, ended));
    let mut sums: FxHashMap<Key, WaitTally> = FxHashMap::default();
    for (l, ended, t) in all {
        sums.entry(link_key(index, &places, &reasons, l, ended)).or_default().merge(t.clone());
    }
    let mut calls: Vec<_> = t.calls.iter().filter(|(_, t)| t.count > 0).collect();
    calls.sort_unstable_by_key(|(l, _)| **l);
    for ((l, ended), t) in calls {
        let waiter = group_of(index, l.waiter);
        let key = call_key(index, &places, &reasons, waiter, l.waiter_stack, *ended);
        sums.entry(key).or_default().merge(t.clone());
    }
    let edge = |(key, t): (Key, WaitTally)| {
        let lengths = t.lengths();
        Edge {
            key,
            count: t.count,
            open: t.open,
            unfinished: if key.waker == Party::Nobody { t.count - t.cut } else { 0 },
            total: t.total,
            max: t.longest.len,
            p99: lengths.quantile(0.99).min(t.longest.len),
            lengths,
            longest: (t.longest.began != EventNo::MAX).then_some(t.longest.began),
            longest_go: t.longest.go,
            longest_from: t.longest.from,
        }
    };
    let mut edges: Vec<Edge> = sums.into_iter().map(edge).collect();
    sort(&mut edges, Sort::Total);
    Some(Links { edges, places, reasons })
}

/// Sums up the waits of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn links<S: Source>(source: &S, opts: Options<'_>) -> Result<Links, Unanswered> {
    if opts.filter.is_none() && (opts.from, opts.to) == (Time::MIN, Time::MAX) {
        let mut known = None;
        source.with_index(&mut |index| known = from_index(index));
        if let Some(links) = known {
            return Ok(links);
        }
    }
    links_of_events(source, opts)
}

/// The same from the events themselves, whatever the index has summed up.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn links_of_events<S: Source>(source: &S, opts: Options<'_>) -> Result<Links, Unanswered> {
    let ahead = LookAhead::new(source);
    let mut out = Ok(Links { edges: Vec::new(), places: Places::default(), reasons: Reasons::default() });
    source.with_index(&mut |index| {
        let places = Places::new(&index.dict);
        let reasons = Reasons::default();
        let mut s = Summer {
            index,
            places: &places,
            reasons: &reasons,
            opts,
            ahead: &ahead,
            groups: index.goroutines.iter().map(|g| g.group).collect(),
            last: vec![None; index.goroutines.len()],
            raw: FxHashMap::default(),
            ids: FxHashMap::default(),
            edges: Vec::new(),
            pending: 0,
        };
        if let Err(e) = tracker::each(source, &mut s) {
            out = Err(e);
            return;
        }
        let mut edges: Vec<Edge> = std::mem::take(&mut s.edges)
            .into_iter()
            .map(|e| Edge { p99: e.lengths.quantile(0.99).min(e.max), ..e })
            .collect();
        sort(&mut edges, Sort::Total);
        out = Ok(Links { edges, places, reasons });
    });
    out
}

/// What edges are sorted by, the largest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Sum.
    Total,
    /// Number of waits.
    Count,
    /// The longest wait.
    Max,
    /// The 99th percentile.
    P99,
    /// The mean wait.
    Mean,
}

impl Sort {
    /// What it sorts by.
    fn value(self, count: u64, total: Duration, max: Duration, p99: Duration) -> i64 {
        match self {
            Sort::Total => total.ns(),
            Sort::Count => count as i64,
            Sort::Max => max.ns(),
            Sort::P99 => p99.ns(),
            Sort::Mean => total.ns() / count.max(1) as i64,
        }
    }
}

/// Sorts edges, those alike in the order of their keys.
pub fn sort(edges: &mut [Edge], by: Sort) {
    edges.sort_by_key(|e| (std::cmp::Reverse(by.value(e.count, e.total, e.max, e.p99)), e.key));
}

/// One wait, with its beginning and its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// The stretch.
    pub interval: Interval,
    /// Who ended it: nobody in particular, if it is a syscall.
    pub waker: Option<GoIdx>,
}

/// The waits of an edge, the longest `limit` of them, in order of time. `links` is what [`links`] gave.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn list<S: Source>(
    source: &S,
    opts: Options<'_>,
    links: &Links,
    edge: &Key,
    limit: usize,
) -> Result<Vec<Wait>, Unanswered> {
    struct Collect<'a, 'o> {
        index: &'a Index,
        links: &'a Links,
        opts: Options<'o>,
        ahead: &'a dyn crate::query::Ahead,
        edge: &'a Key,
        limit: usize,
        found: std::collections::BinaryHeap<std::cmp::Reverse<(Duration, std::cmp::Reverse<Time>, usize)>>,
        waits: Vec<Wait>,
    }
    impl Visit for Collect<'_, '_> {
        fn begin(&mut self, now: &Interval, seg: &Segment, i: usize) -> u32 {
            match self.opts.filter {
                Some(q) if is_wait(now.state) && !q.matches(seg, i, self.ahead) => OUT,
                _ => 0,
            }
        }
        fn end(&mut self, w: &Interval) {
            let outside = w.to < self.opts.from || w.from >= self.opts.to;
            if !is_wait(w.state) || w.mark == OUT || outside || self.limit == 0 {
                return;
            }
            if group(self.index, w.go) != self.edge.waiter {
                return;
            }
            let (key, waker) = key(self.index, &self.links.places, &self.links.reasons, w);
            if key != *self.edge {
                return;
            }
            let by = if let (Waker::Go(g), Party::Group(_)) = (waker, key.waker) { Some(g) } else { None };
            let wait = Wait { interval: *w, waker: by };
            let rank = |slot| std::cmp::Reverse((w.len(), std::cmp::Reverse(w.from), slot));
            if self.waits.len() < self.limit {
                self.found.push(rank(self.waits.len()));
                self.waits.push(wait);
            } else if let Some(mut least) = self.found.peek_mut()
                && w.len() > least.0.0
            {
                let slot = least.0.2;
                *least = rank(slot);
                drop(least);
                self.waits[slot] = wait;
            }
        }
    }
    let ahead = LookAhead::new(source);
    let mut out = Ok(Vec::new());
    source.with_index(&mut |index| {
        let mut c = Collect {
            index,
            links,
            opts,
            ahead: &ahead,
            edge,
            limit,
            found: std::collections::BinaryHeap::new(),
            waits: Vec::new(),
        };
        out = tracker::each(source, &mut c).map(|()| {
            let mut waits = std::mem::take(&mut c.waits);
            waits.sort_by_key(|w| (w.interval.from, w.interval.go));
            waits
        });
    });
    out
}
