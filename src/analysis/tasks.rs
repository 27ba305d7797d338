//! Tasks and regions that the program marked: summed up by name, and one by one.
//!
//! As in Go's own reader, regions of a goroutine nest, a goroutine's end ends its regions, and those of the runtime's own
//! goroutines are not the user's. A task that no event begins or ends in the trace is not here.

use super::states::walk;
use super::waits::links::{Options, group};
use crate::analysis::states::look_ahead::LookAhead;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::EventNo;
use crate::base::number::quantile;
use crate::base::{Duration, GoIdx, GroupId, StringId, Time};
use crate::model::gaps::Gaps;
use crate::model::segment::Kind;
use crate::model::{Detail, Index, Segment};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// What was marked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A task, which may pass from goroutine to goroutine.
    Task,
    /// A region of one goroutine.
    Region,
}

/// One task or region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// What it is.
    pub what: What,
    /// Its name; `NONE` if it began before the trace.
    pub name: StringId,
    /// Number of the task, or of that which the region belongs to; 0 for none.
    pub task: u64,
    /// The goroutine that began it; that which ended it, if it began before the trace.
    pub go: GoIdx,
    /// The goroutine that ended it; `NONE` if nobody did.
    pub ended_by: GoIdx,
    /// When it began, or the trace did.
    pub from: Time,
    /// When it ended, or the recording did in which it began.
    pub to: Time,
    /// Whether its beginning is in the trace.
    pub began: bool,
    /// Whether its end is.
    pub ended: bool,
    /// The event that began it, if that is in the trace.
    pub begin: Option<EventNo>,
    /// The event that ended it, if one did.
    pub end: Option<EventNo>,
    /// How much of it lies in the window that was asked for.
    pub inside: Duration,
}

impl Instance {
    /// How long it lasted inside the window that was asked for.
    pub fn len(&self) -> Duration {
        self.inside
    }

    /// Whether it took no time.
    pub fn is_empty(&self) -> bool {
        self.inside <= Duration::ZERO
    }

    /// Whether both ends are in the trace.
    pub fn complete(&self) -> bool {
        self.began && self.ended
    }
}

/// The tasks or regions of one name, with their part inside the window that was asked for. Those that lack an end count with
/// the time that they were there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sum {
    /// What they are.
    pub what: What,
    /// Their name.
    pub name: StringId,
    /// How many.
    pub count: u64,
    /// How many of them lack an end.
    pub open: u64,
    /// The sum of their lengths inside the window.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// 99 in 100 were no longer than this.
    pub p99: Duration,
}

/// A region or task under way: `None` for the creator's region in which a goroutine began.
type Open = Option<(StringId, u64, (Time, EventNo), bool)>;
/// A task under way: its name, who began it, when, and whether it is wanted.
type Begun = (StringId, GoIdx, (Time, EventNo), bool);

/// Most regions of one goroutine, and most tasks, that are followed at a time.
const MAX_OPEN: usize = 1 << 20;

/// A task: its process, and its number there.
type TaskOf = (u32, u64);

struct Walk<'a, 'o> {
    index: &'a Index,
    opts: Options<'o>,
    group: Option<GroupId>,
    ahead: &'a dyn crate::query::Ahead,
    regions: FxHashMap<GoIdx, Vec<Open>>,
    tasks: FxHashMap<TaskOf, Begun>,
    gaps: Gaps,
    each: &'a mut dyn FnMut(&Instance),
}

impl Walk<'_, '_> {
    /// Hands an instance on, if it is wanted.
    fn tell(&mut self, mut i: Instance, wanted: bool) {
        let touches = i.to >= self.opts.from && i.from < self.opts.to;
        if wanted && touches && self.group.is_none_or(|g| group(self.index, i.go) == g) {
            let (from, to) = (i.from.max(self.opts.from), i.to.min(self.opts.to));
            i.inside = to - from - self.gaps.inside(from, to.max(from));
            (self.each)(&i);
        }
    }

    /// Whether the event that begins or ends an instance answers the query.
    fn answers(&self, seg: &Segment, i: usize) -> bool {
        self.opts.filter.is_none_or(|q| q.matches(seg, i, self.ahead))
    }

    fn region(&mut self, go: GoIdx, open: Open, to: Time, end: Option<EventNo>, ended: bool) {
        let Some((name, task, (from, begin), wanted)) = open else { return };
        let ended_by = if ended { go } else { GoIdx::NONE };
        let (what, began, begin, inside) = (What::Region, true, Some(begin), Duration::ZERO);
        self.tell(Instance { what, name, task, go, ended_by, from, to, began, ended, begin, end, inside }, wanted);
    }

    fn event(&mut self, seg: &Segment, i: usize) {
        let (now, no, go) = (seg.time[i], seg.first + i as u64, seg.go[i]);
        let by = if seg.by[i].is_some() { seg.by[i] } else { go };
        match (seg.kind[i], seg.detail(i)) {
            (Kind::TaskBegin, Detail::Task { id, name, .. }) if self.tasks.len() < MAX_OPEN => {
                let wanted = self.answers(seg, i);
                self.tasks.insert((self.index.process(by), id), (name, by, (now, no), wanted));
            }
            (Kind::TaskEnd, Detail::Task { id, .. }) => {
                let process = self.index.process(by);
                let known = self.tasks.remove(&(process, id));
                let began = known.is_some();
                let begin = known.map(|k| k.2.1);
                let (name, go, (from, _), wanted) = known
                    .unwrap_or_else(|| (StringId::NONE, by, (self.index.recorded(process).0, 0), self.answers(seg, i)));
                let end = Some(no);
                let t = Instance {
                    what: What::Task,
                    name,
                    task: id,
                    go,
                    ended_by: by,
                    from,
                    to: now,
                    began,
                    ended: true,
                    begin,
                    end,
                    inside: Duration::ZERO,
                };
                self.tell(t, wanted);
            }
            (Kind::RegionBegin, Detail::Region { task, name }) => {
                let wanted = self.answers(seg, i);
                let open = self.regions.entry(go).or_default();
                if open.len() < MAX_OPEN {
                    open.push(Some((name, task, (now, no), wanted)));
                }
            }
            (Kind::RegionEnd, Detail::Region { task, name }) => match self.regions.get_mut(&go).and_then(Vec::pop) {
                Some(open) => self.region(go, open, now, Some(no), true),
                None => {
                    let wanted = self.answers(seg, i);
                    let (what, end) = (What::Region, Some(no));
                    let from = self.index.recorded(self.index.process(go)).0;
                    let (to, ended_by, began, ended, inside) = (now, go, false, true, Duration::ZERO);
                    let begin = None;
                    let r = Instance { what, name, task, go, ended_by, from, to, began, ended, begin, end, inside };
                    self.tell(r, wanted);
                }
            },
            (Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall, _)
                if self.regions.get(&seg.by[i]).is_some_and(|r| !r.is_empty()) =>
            {
                self.regions.entry(go).or_default().push(None);
            }
            (k, _) if k.go_transition().is_some_and(|t| t.1 == crate::model::segment::GoState::NotExist) => {
                self.close(go, Some(now), Some(no));
            }
            _ => {}
        }
    }

    /// A goroutine is over, or the trace is: its regions end with it.
    fn close(&mut self, go: GoIdx, at: Option<Time>, end: Option<EventNo>) {
        let Some(open) = self.regions.remove(&go) else { return };
        if self.index.owner_of(go).is_hidden() {
            return;
        }
        for o in open.into_iter().rev() {
            let to = at.or(o.map(|o| self.index.recording_end(o.2.0))).unwrap_or(self.index.end);
            self.region(go, o, to, end, at.is_some());
        }
    }

    /// What is under way when the trace ends.
    fn finish(&mut self) {
        let mut gos: Vec<GoIdx> = self.regions.keys().copied().collect();
        gos.sort_unstable();
        for go in gos {
            let over = self.index.goroutine(go).and_then(|g| g.ended.or(g.gone()));
            self.close(go, over, None);
        }
        let mut open: Vec<_> = std::mem::take(&mut self.tasks).into_iter().collect();
        open.sort_unstable_by_key(|t| t.0);
        for ((_, task), (name, go, (from, begin), wanted)) in open {
            let (what, to, ended_by) = (What::Task, self.index.recording_end(from), GoIdx::NONE);
            let (began, ended, begin, end, inside) = (true, false, Some(begin), None, Duration::ZERO);
            self.tell(Instance { what, name, task, go, ended_by, from, to, began, ended, begin, end, inside }, wanted);
        }
    }
}

/// Tasks and regions that are under way, for whoever goes through the segments without [`each`].
#[derive(Default)]
pub struct Following {
    regions: FxHashMap<GoIdx, Vec<Open>>,
    tasks: FxHashMap<TaskOf, Begun>,
}

/// Where there is no query nobody needs to look ahead.
struct Nothing;

impl crate::query::Ahead for Nothing {
    fn next(&self, _: GoIdx, _: u64) -> Option<crate::query::Next> {
        None
    }
}

impl Following {
    fn walk<'a>(&mut self, index: &'a Index, each: &'a mut dyn FnMut(&Instance), f: impl FnOnce(&mut Walk<'a, 'a>)) {
        let (regions, tasks) = (std::mem::take(&mut self.regions), std::mem::take(&mut self.tasks));
        let mut w = Walk {
            index,
            opts: Options::default(),
            group: None,
            ahead: &Nothing,
            regions,
            tasks,
            gaps: index.gaps(),
            each,
        };
        f(&mut w);
        (self.regions, self.tasks) = (w.regions, w.tasks);
    }

    /// Calls `each` with every task and region that ends in the next segment.
    pub fn segment<'a>(&mut self, index: &'a Index, seg: &Segment, each: &'a mut dyn FnMut(&Instance)) {
        self.walk(index, each, |w| (0..seg.len()).for_each(|i| w.event(seg, i)));
    }

    /// Calls `each` with those that are under way when the trace ends.
    pub fn finish<'a>(&mut self, index: &'a Index, each: &'a mut dyn FnMut(&Instance)) {
        self.walk(index, each, Walk::finish);
    }
}

/// Calls `each` with every task and region that lies in the window in part at least, and was begun by a goroutine of
/// `group`, in the order in which they end. How long it was is told of the part inside.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn each<S: Source>(
    source: &S,
    opts: Options<'_>,
    group: Option<GroupId>,
    each: &mut dyn FnMut(&Instance),
) -> Result<(), Unanswered> {
    let ahead = LookAhead::new(source);
    let mut out = Ok(());
    source.with_index(&mut |index| {
        // Most traces have none at all.
        if index.totals.tasks.is_empty() && index.totals.regions.is_empty() {
            return;
        }
        let (regions, tasks) = (FxHashMap::default(), FxHashMap::default());
        let mut w = Walk { index, opts, group, ahead: &ahead, regions, tasks, gaps: index.gaps(), each };
        out = walk::segments(source, 0..index.segments.len(), walk::threads(), &mut |_, seg| {
            for i in 0..seg.len() {
                w.event(seg, i);
            }
            ControlFlow::Continue(())
        });
        w.finish();
    });
    out
}

/// Tasks and regions summed up by name, those with the largest sum first.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn sums<S: Source>(source: &S, opts: Options<'_>, group: Option<GroupId>) -> Result<Vec<Sum>, Unanswered> {
    let mut by: FxHashMap<(What, StringId), (Sum, Vec<Duration>)> = FxHashMap::default();
    each(source, opts, group, &mut |i| {
        let (what, name) = (i.what, i.name);
        let (s, lens) = by.entry((what, name)).or_insert_with(|| {
            let zero = Duration::ZERO;
            (Sum { what, name, count: 0, open: 0, total: zero, max: zero, p99: zero }, Vec::new())
        });
        s.count += 1;
        s.open += u64::from(!i.complete());
        s.total += i.len();
        s.max = s.max.max(i.len());
        lens.push(i.len());
    })?;
    let p99 = |(s, mut lens): (Sum, Vec<Duration>)| {
        lens.sort_unstable();
        Sum { p99: quantile(&lens, 0.99), ..s }
    };
    let mut all: Vec<Sum> = by.into_values().map(p99).collect();
    all.sort_by_key(|s| (Reverse(s.total), s.what, s.name));
    Ok(all)
}

/// The tasks or regions of a name, the longest `limit` of them, longest first.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn list<S: Source>(
    source: &S,
    opts: Options<'_>,
    group: Option<GroupId>,
    (what, name): (What, StringId),
    limit: usize,
) -> Result<Vec<Instance>, Unanswered> {
    let mut kept: BinaryHeap<(Reverse<Duration>, u64)> = BinaryHeap::new();
    let mut found: FxHashMap<u64, Instance> = FxHashMap::default();
    let mut n = 0;
    each(source, opts, group, &mut |i| {
        if (i.what, i.name) != (what, name) {
            return;
        }
        n += 1;
        kept.push((Reverse(i.len()), n));
        found.insert(n, *i);
        if kept.len() > limit
            && let Some((_, shortest)) = kept.pop()
        {
            found.remove(&shortest);
        }
    })?;
    let mut all: Vec<Instance> = found.into_values().collect();
    all.sort_by_key(|i| (Reverse(i.len()), i.from, i.go, i.task));
    Ok(all)
}
