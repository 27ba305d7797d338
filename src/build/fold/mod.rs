//! Folds the events of one generation into a [`Part`], knowing nothing of the other generations.
//!
//! Go restates every goroutine's and P's state in every generation, so all that a generation does not know by itself is
//! since when a state lasts that was already there at its beginning. Such an interval stays open at the front (a
//! [`Head`]) and is closed when parts are put together, in `commit`.

mod cells;
mod counts;
mod links;
mod often;
mod part;

use crate::model::tally::Tally;
use cells::{Now, is_blank, next_cell, spread, sum, thin};
use counts::Counts;
use links::Links;
pub(crate) use part::{CALL, Entrance, GoRow, Head, LinkKey, Part, PartSegment, ProcRow, Rare, Single, UNTOUCHED};
use part::{EARLY, Live};

use crate::base::{Duration, Time};
use crate::model::grid::{Entry, MAX_PROC_LANES, NO_CELL, Scale};
use crate::wire::args::Args;
use crate::wire::event::{Events, GoState, Kind, NONE, ProcState, Row};
use crate::wire::tables::Tables;

/// The fold in progress.
pub(crate) struct Fold {
    part: Part,
    /// The part's goroutines.
    gos: Vec<Live>,
    /// Waits that began before this are put together with the part before.
    early: Time,
    /// Number within the part of the event that is being folded.
    no: u64,
    scale: Scale,
    now: Now,
    stops: Counts,
    blocks: Counts,
    samples: Counts,
    waits: Vec<Tally>,
    links: Links,
    /// Stacks seen in the current segment, one flag each.
    seen: Vec<bool>,
    seen_list: Vec<u32>,
    /// Stacks that name no function at their root.
    blank: Vec<bool>,
    segment: PartSegment,
}

impl Fold {
    /// A fold of a generation that starts at `start`, onto a grid of `scale`, with these strings and stacks.
    pub fn new(start: Time, scale: Scale, tables: &Tables) -> Fold {
        let stack_count = tables.stacks.len();
        Fold {
            part: Part::new(start, scale.cell(start)),
            gos: Vec::new(),
            early: start + EARLY,
            no: 0,
            scale,
            now: Now::nowhere(),
            stops: Counts::default(),
            blocks: Counts::default(),
            samples: Counts::default(),
            waits: Vec::new(),
            links: Links::default(),
            seen: vec![false; stack_count],
            seen_list: Vec::new(),
            blank: (0..stack_count as u32).map(|i| is_blank(tables, i)).collect(),
            segment: PartSegment { len: 0, from: start, to: start, stacks: Vec::new(), kinds: 0 },
        }
    }

    /// Folds the next events. `named` is how many goroutines and Ps the decoder has named so far.
    pub fn add(&mut self, events: &Events, named: (usize, usize)) {
        if self.gos.len() < named.0 {
            self.gos.resize_with(named.0, || Live::new(GoRow::new()));
        }
        self.part.pad((0, named.1));
        let first = self.part.events;
        if let (Some(first), Some(last)) = (events.rows.first(), events.rows.last()) {
            if self.segment.len == 0 {
                self.segment.from = first.time;
            }
            self.segment.to = last.time;
            self.segment.len += events.len() as u32;
            if self.part.first.is_none() {
                self.part.first = events.rows.iter().find(|r| r.kind != Kind::Sync).map(|r| r.time);
            }
            self.part.end = self.part.end.max(last.time);
            self.part.events += events.len() as u64;
        }
        let mut kinds = [0u64; 64];
        for (no, r) in (first..).zip(&events.rows) {
            self.no = no;
            self.now.reach(r.time, self.scale);
            kinds[r.kind as usize & 63] += 1;
            self.see(r.stack);
            // Comparisons, which a processor foresees, for what happens often; a jump for the rest.
            if r.kind == Kind::GoStart {
                self.start(r);
            } else if r.kind == Kind::GoUnblock {
                self.unblock(r);
            } else if r.kind == Kind::GoBlock {
                self.block(r);
            } else {
                self.fold(r, events);
            }
        }
        for (i, n) in kinds.into_iter().enumerate().filter(|(_, n)| *n > 0) {
            self.part.counts.kinds[i] += n;
            self.segment.kinds |= 1 << i;
        }
    }

    /// Folds an event of any other kind.
    #[inline(never)]
    fn fold(&mut self, r: &Row, events: &Events) {
        match r.kind {
            Kind::GoStart | Kind::GoUnblock | Kind::GoBlock | Kind::Sync => {}
            Kind::GoStop => {
                self.stops.add(r.arg);
                self.leave(r, GoState::Runnable);
                self.note_stack(r.go, r.stack);
            }
            Kind::GoSyscallBegin => self.enter_syscall(r),
            Kind::GoSyscallEnd => {
                self.count_call(r);
                self.leave(r, GoState::Running);
                self.end_syscall(r.proc, r.go);
            }
            Kind::GoSyscallEndBlocked => {
                self.count_call(r);
                self.leave(r, GoState::Runnable);
            }
            Kind::GoDestroy | Kind::GoDestroySyscall => {
                self.count_call(r);
                self.leave(r, GoState::NotExist);
                if let Some(row) = self.go_row(r.go) {
                    row.set_ended(Some(r.time));
                }
            }
            Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall => self.create(r),
            Kind::GoStatus => self.status(r),
            Kind::ProcStart => {
                if let Some(p) = self.proc_row(r.arg as u16) {
                    p.running_since = r.time;
                }
            }
            Kind::ProcStop => self.proc_idle(r.arg as u16, r.time, false),
            Kind::ProcSteal => {
                let (proc, idle) = r.stolen();
                self.proc_idle(proc, r.time, idle);
            }
            Kind::ProcStatus => self.proc_status(events.wide(r), r.time),
            Kind::CpuSample => {
                self.samples.add(r.stack);
                if let Some(cell) = self.touch(r.go) {
                    cell.samples += 1;
                }
                if let Some(row) = self.go_row(r.go) {
                    row.few_mut().samples += 1;
                }
            }
            Kind::HeapAlloc => {
                let v = events.wide(r).value();
                self.part.metrics.heap_alloc.add(v);
                thin(&mut self.part.metrics.heap, self.scale, r.time, v);
            }
            Kind::HeapGoal => {
                let v = events.wide(r).value();
                self.part.metrics.heap_goal.add(v);
                thin(&mut self.part.metrics.goals, self.scale, r.time, v);
            }
            Kind::ProcsChange => {
                let v = events.wide(r).value();
                self.part.metrics.gomaxprocs.add(v);
                self.part.metrics.procs_changes.push((r.time, v));
            }
            k if k >= Kind::Span => {}
            _ => self.rare(r, events),
        }
    }

    /// Ends the current segment; the next event begins another.
    pub fn cut(&mut self) {
        for &s in &self.seen_list {
            self.seen[s as usize] = false;
        }
        let mut stacks = std::mem::take(&mut self.seen_list);
        stacks.sort_unstable();
        let end = self.part.end;
        let next = PartSegment { len: 0, from: end, to: end, stacks: Vec::new(), kinds: 0 };
        let done = std::mem::replace(&mut self.segment, next);
        if done.len > 0 {
            self.part.segments.push(PartSegment { stacks, ..done });
        }
    }

    /// Ends the part here, and begins another in which everything goes on as it was: for a unit that is too large to be
    /// folded whole before anything of it can be shown.
    pub fn split(&mut self) -> Part {
        let end = self.part.end;
        let running: Vec<bool> = self.part.procs.iter().map(|p| p.running_since != Time::MAX).collect();
        let part = self.take();
        self.part = Part::new(end, self.scale.cell(end));
        let gos = part.gos.iter().map(|row| {
            let entrance = if row.entrance == Entrance::Unseen { Entrance::Unseen } else { Entrance::Carried };
            Live::new(GoRow { entrance, state: row.state, ..GoRow::new() })
        });
        self.gos = gos.collect();
        let procs = part.procs.iter().zip(running).map(|(row, running)| ProcRow {
            syscalling: row.syscalling,
            running_since: if running { end } else { Time::MAX },
            ..ProcRow::new()
        });
        self.part.procs = procs.collect();
        part
    }

    /// Ends the part here, with which the unit ends.
    pub fn take(&mut self) -> Part {
        self.cut();
        let end = self.part.end;
        for (i, row) in self.part.procs.iter_mut().enumerate() {
            if row.running_since != Time::MAX {
                let since = std::mem::replace(&mut row.running_since, Time::MAX);
                row.running += end - since;
                if i >= MAX_PROC_LANES {
                    continue;
                }
                spread(&mut row.cells, self.part.drawn.first_cell, self.scale, since, end);
            }
        }
        for (go, live) in (0u32..).zip(&self.gos) {
            if live.cell.cell != NO_CELL {
                let entry = Entry { exit: live.row.state, ..live.cell };
                self.part.drawn.entries.push((go, entry.pack(self.scale)));
            }
        }
        // The rows stay where they are, and the rest of their room is given back before the index's rows are made of them.
        self.part.gos = std::mem::take(&mut self.gos).into_iter().map(|live| live.row).collect();
        self.part.gos.shrink_to_fit();
        self.part.counts.stops = std::mem::take(&mut self.stops).pairs();
        self.part.counts.blocks = std::mem::take(&mut self.blocks).pairs();
        self.part.counts.samples = std::mem::take(&mut self.samples).pairs();
        // What each goroutine has is the sum of its intervals, and each of those is counted.
        self.part.waited.sched.total = self.part.gos.iter().fold(Duration::ZERO, |sum, row| sum + row.runnable);
        self.part.waited.links = self.links.take();
        // Of a wait that somebody ended, the link has the sum.
        for (key, tally) in self.part.waited.links.iter().map(|(k, l)| (k, l.tally)).filter(|(_, t)| t.count > 0) {
            wait_of(&mut self.waits, key.reason).merge(tally);
        }
        self.part.waited.first = self.links.take_first();
        for wait in self.part.waited.first.iter().filter(|w| w.key.reason != CALL) {
            wait_of(&mut self.waits, wait.key.reason).add(wait.len());
        }
        let waits = std::mem::take(&mut self.waits);
        let waits = (0u32..).zip(&waits).filter(|(_, t)| t.count > 0);
        self.part.waited.by_reason = waits.map(|(i, t)| (i.wrapping_sub(1), *t)).collect();
        let end = self.part.end;
        self.early = end + EARLY;
        std::mem::replace(&mut self.part, Part::new(end, self.scale.cell(end)))
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

    #[inline]
    fn go_row(&mut self, go: u32) -> Option<&mut GoRow> {
        self.gos.get_mut(go as usize).map(|live| &mut live.row)
    }

    #[inline]
    fn proc_row(&mut self, proc: u16) -> Option<&mut ProcRow> {
        self.part.procs.get_mut(proc as usize)
    }

    /// The entry of a goroutine's grid cell now.
    #[inline]
    fn touch(&mut self, go: u32) -> Option<&mut Entry> {
        let live = self.gos.get_mut(go as usize)?;
        if live.cell.cell != self.now.cell {
            next_cell(live, go, self.now.cell, self.scale, &mut self.part.drawn.entries);
        }
        Some(&mut live.cell)
    }

    /// The goroutine that `r` is about leaves the state it is in for `next`; accounts the interval that ends.
    #[inline(never)]
    fn leave(&mut self, r: &Row, next: GoState) {
        let (t, scale, now) = (r.time, self.scale, self.now);
        let part = &mut self.part;
        let Some(live) = self.gos.get_mut(r.go as usize) else { return };
        if live.cell.cell != now.cell {
            next_cell(live, r.go, now.cell, scale, &mut part.drawn.entries);
        }
        let row = &mut live.row;
        let (state, since) = (row.state, row.since);
        row.state = next;
        row.since = t;
        row.events += 1;
        live.cell.events += 1;
        // The first cell also has what lies before it.
        live.cell.add(state, t.0 - since.0.max(now.from.0).min(t.0));
        if since == Time::MIN {
            if row.entrance == Entrance::Unseen {
                // A damaged file: the state before was never stated.
                let before = r.kind.go_transition().map_or(GoState::Undetermined, |(before, _)| before);
                row.entrance = Entrance::Stated { state: before, at: t, proc: r.proc, stack: NONE };
            }
            part.heads.push(Head { go: r.go, until: t, by: r.by, stack: r.stack, kind: r.kind, no: self.no });
            return;
        }
        let d = Duration(t.0 - since.0);
        match state {
            GoState::Running => {
                row.running += d;
                sum(&mut part.drawn.all_running, part.drawn.first_cell, scale, (since, t), now);
            }
            GoState::Runnable => {
                row.runnable += d;
                part.waited.sched.count += 1;
                sum(&mut part.drawn.all_runnable, part.drawn.first_cell, scale, (since, t), now);
            }
            GoState::Waiting => {
                live.add_wait(d);
                part.waited.missing |= r.kind != Kind::GoUnblock;
                if live.row.blocked {
                    wait_of(&mut self.waits, live.row.reason).add(d);
                }
            }
            GoState::Syscall => {
                let lost = row.lost().min(t);
                let few = row.few_mut();
                few.syscall += lost - since;
                few.syscall_blocked += t - lost;
                part.waited.syscalls.add(d);
            }
            GoState::NotExist | GoState::Undetermined => {}
        }
    }

    fn enter_syscall(&mut self, r: &Row) {
        self.leave(r, GoState::Syscall);
        let no = self.no;
        if let Some(row) = self.go_row(r.go) {
            row.set_lost(Time::MAX);
            (row.reason, row.stack, row.blocked, row.began) = (NONE, r.stack, false, no);
        }
        self.note_stack(r.go, r.stack);
        if let Some(p) = self.proc_row(r.proc) {
            p.syscalling = r.go;
        }
    }

    /// Counts the syscall that ends with `r`, if one does, by where it was made.
    #[inline]
    fn count_call(&mut self, r: &Row) {
        let Some(live) = self.gos.get(r.go as usize) else { return };
        let row = &live.row;
        let since = row.since;
        if row.state != GoState::Syscall || since == Time::MIN {
            return;
        }
        let (began, ended, last) = (row.began, self.no, live.last_call);
        let key = LinkKey { waiter: r.go, reason: CALL, waiter_stack: row.stack, waker: NONE, waker_stack: NONE };
        let call = Single { key, from: since, to: r.time, began, ended, blocked: false };
        if since < self.early {
            self.part.waited.singles.push(call);
            return;
        }
        let id = self.links.count(last, call);
        if let Some(live) = self.gos.get_mut(r.go as usize) {
            live.last_call = id;
        }
    }

    fn create(&mut self, r: &Row) {
        let before = self.part.rare.len() as u32;
        let (t, scale) = (r.time, self.scale);
        let Some(row) = self.go_row(r.go) else { return };
        if row.entrance != Entrance::Unseen {
            let done = (row.times(), row.by_reason().collect());
            row.few_mut().earlier = Some(done);
        }
        let waits = matches!(row.entrance, Entrance::Stated { state: GoState::Waiting, .. });
        let missing = waits || row.state == GoState::Waiting;
        row.entrance = Entrance::Created { at: t, by: r.by, stack: r.stack };
        row.set_ended(None);
        row.events += 1;
        if let Some(cell) = self.touch(r.go) {
            cell.events += 1;
            cell.absent = cell.absent.saturating_add((t - scale.start(cell.cell)).0.max(0) as u64);
        }
        self.part.waited.missing |= missing;
        let no = self.no;
        let Some(row) = self.go_row(r.go) else { return };
        row.since = t;
        row.reason = NONE;
        row.stack = r.stack;
        row.began = no;
        row.set_lost(Time::MAX);
        row.state = match r.kind {
            Kind::GoCreate => GoState::Runnable,
            Kind::GoCreateBlocked => GoState::Waiting,
            _ => GoState::Syscall,
        };
        if r.kind == Kind::GoCreateSyscall {
            if let Some(p) = self.proc_row(r.proc) {
                p.syscalling = r.go;
            }
        } else {
            self.see(r.arg);
            self.note_stack(r.go, r.arg);
        }
        if r.by != NONE {
            self.part.creations.push((r.go, r.by, before));
        }
    }

    fn status(&mut self, r: &Row) {
        let Some(row) = self.go_row(r.go) else { return };
        let state = GoState::ALL.get(r.arg as usize).copied().unwrap_or_default();
        row.events += 1;
        if row.entrance != Entrance::Unseen {
            // Stated after a C callback brought it back.
            self.part.counts.restated[state as usize] += 1;
            return;
        }
        row.entrance = Entrance::Stated { state, at: r.time, proc: r.proc, stack: r.stack };
        row.state = state;
        if let Some(cell) = self.touch(r.go) {
            cell.events += 1;
        }
    }

    fn proc_idle(&mut self, proc: u16, t: Time, was_idle: bool) {
        let (first, scale) = (self.part.drawn.first_cell, self.scale);
        if was_idle {
            self.part.counts.abandoned_steals += 1;
        }
        let Some(p) = self.proc_row(proc) else { return };
        if p.running_since != Time::MAX {
            let since = std::mem::replace(&mut p.running_since, Time::MAX);
            p.running += t - since;
            if usize::from(proc) < MAX_PROC_LANES {
                spread(&mut p.cells, first, scale, since, t);
            }
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
                    row.set_lost(row.lost().min(t));
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

    fn proc_status(&mut self, args: Args, t: Time) {
        let start = self.part.start;
        let (proc, state, abandoned) = args.proc();
        let Some(p) = self.proc_row(proc) else { return };
        p.stated = Some((state, abandoned));
        if state == ProcState::Running && p.running_since == Time::MAX {
            p.running_since = start.min(t);
        }
    }

    fn rare(&mut self, r: &Row, events: &Events) {
        use Kind::*;
        let has_args = matches!(
            r.kind,
            TaskBegin | TaskEnd | RegionBegin | RegionEnd | Log | GcSweepEnd | GcBegin | GcEnd | GcActive
        );
        let args = if has_args { events.wide(r) } else { Args::default() };
        match r.kind {
            GoLabel => {
                if let Some(row) = self.go_row(r.go) {
                    row.few_mut().label = r.arg;
                }
            }
            Log => *self.part.counts.logs.entry(args.category()).or_default() += 1,
            _ => {}
        }
        self.part.rare.push(Rare { time: r.time, kind: r.kind, go: r.go, proc: r.proc, arg: r.arg, args });
    }

    /// A stack that is the goroutine's own: its root says where the goroutine started.
    #[inline]
    fn note_stack(&mut self, go: u32, stack: u32) {
        if let Some(Live { row, .. }) = self.gos.get_mut(go as usize)
            && row.first_stack == NONE
            && self.blank.get(stack as usize) == Some(&false)
        {
            row.first_stack = stack;
        }
    }
}

/// The waits for a reason that began with a block; `waits` has a place for no reason at all and then one for each string.
fn wait_of(waits: &mut Vec<Tally>, reason: u32) -> &mut Tally {
    let i = reason.wrapping_add(1) as usize;
    if i >= waits.len() {
        waits.resize(i + 1, Tally::default());
    }
    &mut waits[i]
}
