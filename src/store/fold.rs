//! Folds the events of one generation into a [`Part`], knowing nothing of the other generations.
//!
//! Go restates every goroutine's and P's state in every generation, so all that a generation does not know by itself is
//! since when a state lasts that was already there at its beginning. Such an interval stays open at the front (a
//! [`Head`]) and is closed when parts are put together, in `commit`.

use super::grid::{self, Entry};
use super::index::Times;
use crate::base::{Duration, GoId, ProcId, ThreadId, Time};
use crate::wire::event::{Columns, GoState, Kind, NONE, NONE16, ProcState};
use crate::wire::tables::Tables;
use rustc_hash::FxHashMap;

/// How a goroutine entered the generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entrance {
    /// Only CPU samples mention it.
    Unseen,
    /// Its state was stated: it is older than the generation, or than the trace.
    Stated {
        state: GoState,
        at: Time,
        /// Whether whoever stated it held a P.
        with_proc: bool,
        stack: u32,
    },
    /// It was created here.
    Created { at: Time, by: u32, stack: u32 },
}

/// One goroutine in one generation. Strings and stacks are positions in the generation's tables.
#[derive(Clone, Debug)]
pub(super) struct GoRow {
    pub entrance: Entrance,
    /// The state it is in, and since when; `Time::MIN` while it is still the state that was stated.
    pub state: GoState,
    pub since: Time,
    /// Of the current wait: why, where, and whether it began with a block (not with a creation or a statement).
    pub reason: u32,
    pub stack: u32,
    pub blocked: bool,
    /// When the P of the current syscall was lost; `Time::MAX` if it was not.
    pub lost: Time,
    /// The first stack of its own (not of a statement), whose root is its entry.
    pub first_stack: u32,
    pub ended: Option<Time>,
    pub times: Times,
    pub by_reason: ByReason,
    /// What it had done when it was created once more: a callback from C brings back the same goroutine.
    pub earlier: Option<Box<(Times, ByReason)>>,
    pub longest_wait: Duration,
    pub events: u64,
    pub samples: u64,
    pub label: u32,
    last_link: u32,
    cell: Entry,
}

impl GoRow {
    fn new() -> GoRow {
        GoRow {
            entrance: Entrance::Unseen,
            state: GoState::Undetermined,
            since: Time::MIN,
            reason: NONE,
            stack: NONE,
            blocked: false,
            lost: Time::MAX,
            first_stack: NONE,
            ended: None,
            times: Times::default(),
            by_reason: ByReason::default(),
            earlier: None,
            longest_wait: Duration::ZERO,
            events: 0,
            samples: 0,
            label: NONE,
            last_link: NONE,
            cell: Entry::default(),
        }
    }
}

/// Waiting time by reason. Most goroutines wait for one or two things only.
#[derive(Clone, Debug, Default)]
pub(super) struct ByReason(Vec<(u32, Duration)>);

impl ByReason {
    #[inline]
    fn add(&mut self, reason: u32, d: Duration) {
        match self.0.iter_mut().find(|(r, _)| *r == reason) {
            Some((_, sum)) => *sum += d,
            None => self.0.push((reason, d)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, Duration)> + '_ {
        self.0.iter().copied()
    }
}

/// The end of an interval that was open when the generation began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub go: u32,
    pub until: Time,
    /// For a wait: who ended it, and where.
    pub by: u32,
    pub stack: u32,
    pub kind: Kind,
}

/// Who ended whose waits, where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct LinkKey {
    pub waiter: u32,
    pub reason: u32,
    pub waiter_stack: u32,
    pub waker: u32,
    pub waker_stack: u32,
}

/// How often and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long in all.
    pub total: Duration,
}

impl Tally {
    /// Counts one more.
    #[inline]
    pub fn add(&mut self, d: Duration) {
        self.count += 1;
        self.total += d;
    }

    /// Adds another tally.
    pub fn merge(&mut self, o: Tally) {
        self.count += o.count;
        self.total += o.total;
    }
}

/// An event that is rare enough to be looked at one by one when parts are put together: ranges, tasks, regions, labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare {
    pub time: Time,
    pub kind: Kind,
    pub go: u32,
    pub proc: u16,
    pub arg: u32,
    pub wide: [u64; 4],
}

/// A metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MetricTally {
    /// How many.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// The last.
    pub last: u64,
}

impl MetricTally {
    fn add(&mut self, v: u64) {
        self.merge(MetricTally { count: 1, min: v, max: v, last: v });
    }

    /// Adds the values that come after.
    pub fn merge(&mut self, o: MetricTally) {
        if o.count > 0 {
            self.min = if self.count == 0 { o.min } else { self.min.min(o.min) };
            self.max = self.max.max(o.max);
            self.last = o.last;
            self.count += o.count;
        }
    }
}

/// One P in one generation.
#[derive(Clone, Debug)]
pub(super) struct ProcRow {
    /// The state that was stated, and whether it was "abandoned in a syscall".
    pub stated: Option<(ProcState, bool)>,
    /// Steals that found it abandoned before it was used here.
    pub abandoned_steals: u64,
    /// When it first went idle here before any syscall of this generation began on it.
    pub first_idle: Time,
    /// The goroutine that is in a syscall with it, `NONE` if none, `UNTOUCHED` if no syscall began here.
    pub syscalling: u32,
    running_since: Time,
    pub running: Duration,
    /// Time held per grid cell, from the part's first cell on.
    pub cells: Vec<u32>,
}

/// No syscall has begun on this P in this generation.
pub(super) const UNTOUCHED: u32 = u32::MAX - 1;

/// A stretch of the generation's events that can be decoded by itself.
#[derive(Clone, Debug)]
pub(super) struct PartSegment {
    pub len: u32,
    pub from: Time,
    pub to: Time,
    pub stacks: Vec<u32>,
    pub kinds: u64,
}

/// What one generation adds to the whole.
pub(super) struct Part {
    pub start: Time,
    pub end: Time,
    pub events: u64,
    pub kinds: [u64; 64],
    pub gos: Vec<GoRow>,
    pub procs: Vec<ProcRow>,
    pub go_ids: Vec<GoId>,
    pub proc_ids: Vec<ProcId>,
    pub thread_ids: Vec<ThreadId>,
    pub heads: Vec<Head>,
    pub links: FxHashMap<LinkKey, Tally>,
    /// Closed waits that began with a block, by reason.
    pub waits: Vec<(u32, Tally)>,
    pub sched: Tally,
    pub syscalls: Tally,
    /// `GoStop` and `GoBlock` by reason.
    pub stops: Vec<(u32, u64)>,
    /// Statements about goroutines that were created here, by state.
    pub restated: [u64; 6],
    pub blocks: Vec<(u32, u64)>,
    pub abandoned_steals: u64,
    pub samples: Vec<(u32, u64)>,
    pub logs: FxHashMap<u32, u64>,
    pub rare: Vec<Rare>,
    /// Creations by a goroutine: the new one, its creator, and how many rare events came before.
    pub creations: Vec<(u32, u32, u32)>,
    pub gomaxprocs: MetricTally,
    pub heap_alloc: MetricTally,
    pub heap_goal: MetricTally,
    pub heap: Vec<(Time, u64)>,
    pub goals: Vec<(Time, u64)>,
    pub procs_changes: Vec<(Time, u64)>,
    pub first_cell: u32,
    pub entries: Vec<(u32, Entry)>,
    pub all_running: Vec<u64>,
    pub all_runnable: Vec<u64>,
    pub segments: Vec<PartSegment>,
}

/// Counts by a small number, as a table that grows to the largest number used.
#[derive(Default)]
struct Counts(Vec<u64>);

impl Counts {
    #[inline]
    fn add(&mut self, i: u32) {
        let i = i.wrapping_add(1) as usize;
        if i >= self.0.len() {
            self.0.resize(i + 1, 0);
        }
        self.0[i] += 1;
    }

    fn pairs(&self) -> Vec<(u32, u64)> {
        self.0.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, &n)| ((i as u32).wrapping_sub(1), n)).collect()
    }
}

/// The fold in progress.
pub(super) struct Fold {
    part: Part,
    shift: grid::Scale,
    stops: Counts,
    blocks: Counts,
    samples: Counts,
    waits: Vec<Tally>,
    link_keys: Vec<LinkKey>,
    link_tallies: Vec<Tally>,
    link_ids: FxHashMap<LinkKey, u32>,
    /// Stacks seen in the current segment, one flag each.
    seen: Vec<bool>,
    /// Stacks that name no function at their root.
    blank: Vec<bool>,
    seen_list: Vec<u32>,
    segment: PartSegment,
}

impl Fold {
    /// A fold of a generation that starts at `start`, onto a grid of `scale`.
    pub fn new(start: Time, scale: grid::Scale, tables: &Tables) -> Fold {
        let stack_count = tables.stacks.len();
        let blank = (0..stack_count as u32).map(|i| is_blank(tables, i)).collect();
        Fold {
            part: Part {
                start,
                end: start,
                events: 0,
                kinds: [0; 64],
                gos: Vec::new(),
                procs: Vec::new(),
                go_ids: Vec::new(),
                proc_ids: Vec::new(),
                thread_ids: Vec::new(),
                heads: Vec::new(),
                links: FxHashMap::default(),
                waits: Vec::new(),
                sched: Tally::default(),
                syscalls: Tally::default(),
                stops: Vec::new(),
                restated: [0; 6],
                blocks: Vec::new(),
                abandoned_steals: 0,
                samples: Vec::new(),
                logs: FxHashMap::default(),
                rare: Vec::new(),
                creations: Vec::new(),
                gomaxprocs: MetricTally::default(),
                heap_alloc: MetricTally::default(),
                heap_goal: MetricTally::default(),
                heap: Vec::new(),
                goals: Vec::new(),
                procs_changes: Vec::new(),
                first_cell: scale.cell(start),
                entries: Vec::new(),
                all_running: Vec::new(),
                all_runnable: Vec::new(),
                segments: Vec::new(),
            },
            shift: scale,
            stops: Counts::default(),
            blocks: Counts::default(),
            samples: Counts::default(),
            waits: Vec::new(),
            link_keys: Vec::new(),
            link_tallies: Vec::new(),
            link_ids: FxHashMap::default(),
            seen: vec![false; stack_count],
            blank,
            seen_list: Vec::new(),
            segment: PartSegment { len: 0, from: start, to: start, stacks: Vec::new(), kinds: 0 },
        }
    }

    /// Folds the next events.
    pub fn add(&mut self, c: &Columns) {
        let n = c.len();
        let (time, kind, go, by) = (&c.time[..n], &c.kind[..n], &c.go[..n], &c.by[..n]);
        let (proc, stack, arg) = (&c.proc[..n], &c.stack[..n], &c.arg[..n]);
        if let (Some(&first), Some(&last)) = (time.first(), time.last()) {
            if self.segment.len == 0 {
                self.segment.from = first;
            }
            self.segment.to = last;
            self.segment.len += n as u32;
            self.part.end = self.part.end.max(last);
            self.part.events += n as u64;
        }
        let mut kinds = self.segment.kinds;
        for i in 0..n {
            let (t, k) = (time[i], kind[i]);
            self.part.kinds[k as usize & 63] += 1;
            kinds |= 1 << (k as u8);
            self.see(stack[i]);
            match k {
                Kind::GoStart => _ = self.leave(go[i], t, GoState::Running, k, NONE, NONE),
                Kind::GoUnblock => self.unblock(go[i], t, by[i], stack[i]),
                Kind::GoBlock => self.block(go[i], t, arg[i], stack[i]),
                Kind::GoStop => {
                    self.stops.add(arg[i]);
                    self.leave(go[i], t, GoState::Runnable, k, NONE, NONE);
                    self.note_stack(go[i], stack[i]);
                }
                Kind::GoSyscallBegin => {
                    let row = self.leave(go[i], t, GoState::Syscall, k, NONE, NONE);
                    row.lost = Time::MAX;
                    self.note_stack(go[i], stack[i]);
                    if let Some(p) = self.proc_row(proc[i]) {
                        p.syscalling = go[i];
                    }
                }
                Kind::GoSyscallEnd => {
                    self.leave(go[i], t, GoState::Running, k, NONE, NONE);
                    self.end_syscall(proc[i], go[i]);
                }
                Kind::GoSyscallEndBlocked => _ = self.leave(go[i], t, GoState::Runnable, k, NONE, NONE),
                Kind::GoDestroy | Kind::GoDestroySyscall => {
                    let row = self.leave(go[i], t, GoState::NotExist, k, NONE, NONE);
                    row.ended = Some(t);
                }
                Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall => {
                    self.create(k, go[i], t, by[i], arg[i], stack[i]);
                    if k == Kind::GoCreateSyscall
                        && let Some(p) = self.proc_row(proc[i])
                    {
                        p.syscalling = go[i];
                    }
                }
                Kind::GoStatus => self.status(go[i], t, arg[i], proc[i], stack[i]),
                Kind::ProcStart => self.proc_start(arg[i] as u16, t),
                Kind::ProcStop => self.proc_idle(arg[i] as u16, t, false),
                Kind::ProcSteal => self.proc_idle(arg[i] as u16, t, arg[i] >> 31 != 0),
                Kind::ProcStatus => self.proc_status(wide(c, arg[i]), t),
                Kind::CpuSample => {
                    self.samples.add(stack[i]);
                    if let Some(row) = self.go_row(go[i]) {
                        row.samples += 1;
                        self.touch(go[i], t).samples += 1;
                    }
                }
                Kind::HeapAlloc => {
                    let v = wide(c, arg[i])[0];
                    self.part.heap_alloc.add(v);
                    let scale = self.shift;
                    thin(&mut self.part.heap, scale, t, v);
                }
                Kind::HeapGoal => {
                    let v = wide(c, arg[i])[0];
                    self.part.heap_goal.add(v);
                    self.part.goals.push((t, v));
                }
                Kind::ProcsChange => {
                    let v = wide(c, arg[i])[0];
                    self.part.gomaxprocs.add(v);
                    self.part.procs_changes.push((t, v));
                }
                Kind::Log => {
                    let category = wide(c, arg[i])[1] as u32;
                    *self.part.logs.entry(category).or_default() += 1;
                    let wide = wide(c, arg[i]);
                    let (go, proc) = (go[i], proc[i]);
                    self.part.rare.push(Rare { time: t, kind: k, go, proc, arg: NONE, wide });
                }
                Kind::Sync => {}
                k if k >= Kind::Span => {}
                _ => {
                    let has_wide = matches!(
                        k,
                        Kind::TaskBegin
                            | Kind::TaskEnd
                            | Kind::RegionBegin
                            | Kind::RegionEnd
                            | Kind::GcSweepEnd
                            | Kind::GcBegin
                            | Kind::GcEnd
                            | Kind::GcActive
                    );
                    let w = if has_wide { wide(c, arg[i]) } else { [0; 4] };
                    if k == Kind::GoLabel
                        && let Some(row) = self.go_row(go[i])
                    {
                        row.label = arg[i];
                    }
                    self.part.rare.push(Rare { time: t, kind: k, go: go[i], proc: proc[i], arg: arg[i], wide: w });
                }
            }
        }
        self.segment.kinds = kinds;
    }

    /// Ends the current segment; the next event begins another.
    pub fn cut(&mut self) {
        for &s in &self.seen_list {
            self.seen[s as usize] = false;
        }
        let mut stacks = std::mem::take(&mut self.seen_list);
        stacks.sort_unstable();
        let done = std::mem::replace(
            &mut self.segment,
            PartSegment { len: 0, from: self.part.end, to: self.part.end, stacks: Vec::new(), kinds: 0 },
        );
        if done.len > 0 {
            self.part.segments.push(PartSegment { stacks, ..done });
        }
    }

    /// Ends the fold.
    pub fn finish(mut self) -> Part {
        self.cut();
        let end = self.part.end;
        for p in 0..self.part.procs.len() {
            let row = &mut self.part.procs[p];
            if row.running_since != Time::MAX {
                let since = std::mem::replace(&mut row.running_since, Time::MAX);
                row.running += end - since;
                spread(&mut row.cells, self.part.first_cell, self.shift, since, end);
            }
        }
        for go in 0..self.part.gos.len() {
            self.flush(go as u32);
        }
        self.part.stops = self.stops.pairs();
        self.part.blocks = self.blocks.pairs();
        self.part.samples = self.samples.pairs();
        self.part.waits =
            (0u32..).zip(&self.waits).filter(|(_, t)| t.count > 0).map(|(i, t)| (i.wrapping_sub(1), *t)).collect();
        self.part.links = self.link_keys.iter().copied().zip(self.link_tallies.iter().copied()).collect();
        self.part
    }

    #[inline]
    fn see(&mut self, stack: u32) {
        if let Some(seen) = self.seen.get_mut(stack as usize)
            && !*seen
        {
            *seen = true;
            self.seen_list.push(stack);
        }
    }

    /// A goroutine's row. Positions come from the decoder, which gives them without gaps.
    #[inline]
    fn go_row(&mut self, go: u32) -> Option<&mut GoRow> {
        if go == NONE {
            return None;
        }
        let i = go as usize;
        if i >= self.part.gos.len() {
            self.part.gos.resize_with(i + 1, GoRow::new);
        }
        self.part.gos.get_mut(i)
    }

    #[inline]
    fn proc_row(&mut self, proc: u16) -> Option<&mut ProcRow> {
        if proc == NONE16 {
            return None;
        }
        let i = proc as usize;
        if i >= self.part.procs.len() {
            self.part.procs.resize_with(i + 1, ProcRow::new);
        }
        self.part.procs.get_mut(i)
    }

    /// The entry of a goroutine's grid cell at `t`.
    #[inline]
    fn touch(&mut self, go: u32, t: Time) -> &mut Entry {
        let cell = self.shift.cell(t);
        if self.part.gos[go as usize].cell.cell != cell {
            self.flush(go);
            self.part.gos[go as usize].cell.cell = cell;
        }
        &mut self.part.gos[go as usize].cell
    }

    fn flush(&mut self, go: u32) {
        let row = &mut self.part.gos[go as usize];
        if row.cell.cell != grid::NO_CELL {
            let exit = row.state;
            let entry = std::mem::take(&mut row.cell);
            self.part.entries.push((go, Entry { exit, ..entry }));
        }
    }

    /// The goroutine leaves the state it is in for `next` at `t`; accounts the interval that ends.
    #[inline]
    fn leave(&mut self, go: u32, t: Time, next: GoState, kind: Kind, by: u32, stack: u32) -> &mut GoRow {
        let scale = self.shift;
        // `go` is never NONE here: the decoder drops transitions without a goroutine.
        let go = if self.go_row(go).is_some() { go } else { 0 };
        if self.part.gos.is_empty() {
            self.part.gos.push(GoRow::new());
        }
        let cell = scale.cell(t);
        if self.part.gos[go as usize].cell.cell != cell {
            self.flush(go);
            self.part.gos[go as usize].cell.cell = cell;
        }
        let row = &mut self.part.gos[go as usize];
        let (state, since) = (row.state, row.since);
        row.events += 1;
        row.cell.events += 1;
        let in_cell = (t - since.max(scale.start(cell))).0.max(0);
        row.cell.add(state, in_cell);
        if since == Time::MIN {
            if row.entrance == Entrance::Unseen {
                // A damaged file: the state before was never stated.
                let before = kind.go_transition().map_or(GoState::Undetermined, |(before, _)| before);
                row.entrance = Entrance::Stated { state: before, at: t, with_proc: true, stack: NONE };
            }
            self.part.heads.push(Head { go, until: t, by, stack, kind });
        } else {
            let d = t - since;
            match state {
                GoState::Running => {
                    row.times.running += d;
                    spread64(&mut self.part.all_running, self.part.first_cell, scale, since, t);
                }
                GoState::Runnable => {
                    row.times.runnable += d;
                    self.part.sched.add(d);
                    spread64(&mut self.part.all_runnable, self.part.first_cell, scale, since, t);
                }
                GoState::Waiting => {
                    row.times.waiting += d;
                    row.by_reason.add(row.reason, d);
                    row.longest_wait = row.longest_wait.max(d);
                    row.cell.longest = row.cell.longest.max(d.0.max(0) as u64);
                    if row.blocked {
                        let i = row.reason.wrapping_add(1) as usize;
                        if i >= self.waits.len() {
                            self.waits.resize(i + 1, Tally::default());
                        }
                        self.waits[i].add(d);
                    }
                }
                GoState::Syscall => {
                    let lost = row.lost.min(t);
                    row.times.syscall += lost - since;
                    row.times.syscall_blocked += t - lost;
                    self.part.syscalls.add(d);
                }
                GoState::NotExist | GoState::Undetermined => {}
            }
        }
        let row = &mut self.part.gos[go as usize];
        row.state = next;
        row.since = t;
        row
    }

    fn block(&mut self, go: u32, t: Time, reason: u32, stack: u32) {
        self.blocks.add(reason);
        let row = self.leave(go, t, GoState::Waiting, Kind::GoBlock, NONE, NONE);
        row.reason = reason;
        row.stack = stack;
        row.blocked = true;
        self.note_stack(go, stack);
    }

    fn unblock(&mut self, go: u32, t: Time, by: u32, stack: u32) {
        let row = self.leave_wait(go, t, by, stack);
        if let Some((key, d, last)) = row {
            let id = if self.link_keys.get(last as usize) == Some(&key) {
                last
            } else {
                let next = self.link_keys.len() as u32;
                let id = *self.link_ids.entry(key).or_insert(next);
                if id == next {
                    self.link_keys.push(key);
                    self.link_tallies.push(Tally::default());
                }
                id
            };
            self.link_tallies[id as usize].add(d);
            if let Some(row) = self.go_row(go) {
                row.last_link = id;
            }
        }
    }

    /// Ends a wait; what the link is, if it began in this generation with a block.
    #[inline]
    fn leave_wait(&mut self, go: u32, t: Time, by: u32, stack: u32) -> Option<(LinkKey, Duration, u32)> {
        let (since, was) = self.go_row(go).map_or((Time::MIN, GoState::Undetermined), |r| (r.since, r.state));
        let row = self.leave(go, t, GoState::Runnable, Kind::GoUnblock, by, stack);
        let ours = row.blocked && since != Time::MIN && was == GoState::Waiting;
        row.blocked = false;
        let key = LinkKey { waiter: go, reason: row.reason, waiter_stack: row.stack, waker: by, waker_stack: stack };
        ours.then_some((key, t - since, row.last_link))
    }

    fn create(&mut self, kind: Kind, go: u32, t: Time, by: u32, entry: u32, stack: u32) {
        self.see(entry);
        let state = match kind {
            Kind::GoCreate => GoState::Runnable,
            Kind::GoCreateBlocked => GoState::Waiting,
            _ => GoState::Syscall,
        };
        let before = self.part.rare.len() as u32;
        let Some(row) = self.go_row(go) else { return };
        if row.entrance != Entrance::Unseen {
            row.earlier = Some(Box::new((row.times, row.by_reason.clone())));
        }
        row.entrance = Entrance::Created { at: t, by, stack };
        row.state = state;
        row.since = t;
        row.reason = NONE;
        row.stack = NONE;
        row.lost = Time::MAX;
        row.events += 1;
        if kind != Kind::GoCreateSyscall {
            self.note_stack(go, entry);
        }
        let scale = self.shift;
        let cell = self.touch(go, t);
        cell.events += 1;
        cell.absent += (t - scale.start(cell.cell)).0.max(0) as u64;
        if by != NONE {
            self.part.creations.push((go, by, before));
        }
    }

    fn status(&mut self, go: u32, t: Time, state: u32, proc: u16, stack: u32) {
        let Some(row) = self.go_row(go) else { return };
        let state = GoState::ALL.get(state as usize).copied().unwrap_or_default();
        row.events += 1;
        if row.entrance != Entrance::Unseen {
            // Stated after a C callback brought it back.
            self.part.restated[state as usize] += 1;
            return;
        }
        row.entrance = Entrance::Stated { state, at: t, with_proc: proc != NONE16, stack };
        row.state = state;
        self.touch(go, t).events += 1;
    }

    fn proc_start(&mut self, proc: u16, t: Time) {
        if let Some(p) = self.proc_row(proc) {
            p.running_since = t;
        }
    }

    fn proc_idle(&mut self, proc: u16, t: Time, was_idle: bool) {
        let (first, scale) = (self.part.first_cell, self.shift);
        if was_idle {
            self.part.abandoned_steals += 1;
        }
        let Some(p) = self.proc_row(proc) else { return };
        if p.running_since != Time::MAX {
            let since = std::mem::replace(&mut p.running_since, Time::MAX);
            p.running += t - since;
            spread(&mut p.cells, first, scale, since, t);
        }
        if was_idle {
            p.abandoned_steals += 1;
            p.first_idle = p.first_idle.min(t);
            return;
        }
        match std::mem::replace(&mut p.syscalling, NONE) {
            UNTOUCHED => p.first_idle = p.first_idle.min(t),
            NONE => {}
            go => {
                if let Some(row) = self.go_row(go)
                    && row.state == GoState::Syscall
                {
                    row.lost = row.lost.min(t);
                }
            }
        }
    }

    fn end_syscall(&mut self, proc: u16, go: u32) {
        if let Some(p) = self.proc_row(proc)
            && p.syscalling == go
        {
            p.syscalling = NONE;
        }
    }

    fn proc_status(&mut self, w: [u64; 4], t: Time) {
        let start = self.part.start;
        let state = match w[1] {
            2 => ProcState::Running,
            _ => ProcState::Idle,
        };
        let Some(p) = self.proc_row(w[0] as u16) else { return };
        p.stated = Some((state, w[2] != 0));
        if state == ProcState::Running && p.running_since == Time::MAX {
            p.running_since = start.min(t);
        }
    }
}

impl Fold {
    /// A stack that is the goroutine's own: its root says where the goroutine started.
    #[inline]
    fn note_stack(&mut self, go: u32, stack: u32) {
        if let Some(row) = self.part.gos.get_mut(go as usize)
            && row.first_stack == NONE
            && self.blank.get(stack as usize) == Some(&false)
        {
            row.first_stack = stack;
        }
    }
}

fn is_blank(tables: &Tables, stack: u32) -> bool {
    tables.stacks.get(stack).last().is_none_or(|root| tables.strings.get(root.func).is_empty())
}

fn wide(c: &Columns, arg: u32) -> [u64; 4] {
    c.wide.get(arg as usize).copied().unwrap_or_default()
}

/// Adds the interval `from..to` to a row of cells.
fn spread(cells: &mut Vec<u32>, first: u32, scale: grid::Scale, from: Time, to: Time) {
    scale.each_cell(from, to, |cell, ns| {
        let i = cell.saturating_sub(first) as usize;
        if i >= cells.len() {
            cells.resize(i + 1, 0);
        }
        cells[i] = cells[i].saturating_add((ns >> scale.unit()) as u32);
    });
}

/// The same for sums over many goroutines, in ns.
#[inline]
fn spread64(cells: &mut Vec<u64>, first: u32, scale: grid::Scale, from: Time, to: Time) {
    scale.each_cell(from, to, |cell, ns| {
        let i = cell.saturating_sub(first) as usize;
        if i >= cells.len() {
            cells.resize(i + 1, 0);
        }
        cells[i] += ns;
    });
}

/// Appends a point to a series, keeping of each cell its last and its largest value.
fn thin(points: &mut Vec<(Time, u64)>, scale: grid::Scale, t: Time, v: u64) {
    let cell = scale.cell(t);
    if let [.., a, b] = points.as_mut_slice()
        && scale.cell(a.0) == cell
        && scale.cell(b.0) == cell
    {
        if b.1 >= a.1 {
            *a = *b;
        }
        *b = (t, v);
    } else {
        points.push((t, v));
    }
}

impl Part {
    /// Makes rows for what the decoder named last without an event that needed one.
    pub fn pad(&mut self, ids: &crate::wire::tables::Tables) {
        self.gos.resize_with(ids.gos.len(), GoRow::new);
        self.procs.resize_with(ids.procs.len(), ProcRow::new);
    }
}

impl ProcRow {
    fn new() -> ProcRow {
        ProcRow {
            stated: None,
            abandoned_steals: 0,
            first_idle: Time::MAX,
            syscalling: UNTOUCHED,
            running_since: Time::MAX,
            running: Duration::ZERO,
            cells: Vec::new(),
        }
    }
}
