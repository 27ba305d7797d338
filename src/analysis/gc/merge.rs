//! Puts the units together, in order: cycles, stops and assists that go on from one to the next become one.

use super::watch::{Assist, Note, Unit, What, Work};
use super::{Cycle, Stop};
use crate::base::{Duration, GoIdx, ProcIdx, StackId, StringId, Time};
use crate::build::observe::Names;
use crate::model::Index;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stretch in which a P worked for the GC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stint {
    /// How.
    pub work: Work,
    /// Which P.
    pub proc: ProcIdx,
    /// When it began.
    pub from: Time,
    /// When it ended.
    pub to: Time,
}

/// Assists of one goroutine at one line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Assisted {
    pub count: u64,
    pub wall: Duration,
    pub cpu: Duration,
    pub longest: Duration,
    pub from: Time,
}

/// What all units so far add up to.
#[derive(Default)]
pub(super) struct Total {
    started: bool,
    end: Time,
    pub stints: Vec<Stint>,
    pub cycles: Vec<Cycle>,
    pub stops: Vec<Stop>,
    open_stops: Vec<Stop>,
    pub assists: FxHashMap<(GoIdx, StackId), Assisted>,
    open_assists: FxHashMap<GoIdx, Assisted2>,
    /// Workers that ran when the last unit ended.
    running: FxHashMap<GoIdx, (ProcIdx, Work)>,
    pub procs: Vec<(Time, u64)>,
    pub goals: Vec<(Time, u64)>,
    heap: Option<u64>,
    goal: Option<u64>,
    pub allocated: u64,
    pub swept: u64,
    pub reclaimed: u64,
    /// Until when Ps ran goroutines of which the trace does not say whether they were mark workers, by goroutine.
    pub unknown: Vec<(GoIdx, Duration)>,
}

/// An assist that goes on from one unit to the next.
#[derive(Clone, Copy)]
struct Assisted2 {
    stack: StackId,
    from: Time,
    cpu: Duration,
}

pub(super) type Shared = Arc<Mutex<Total>>;

pub(super) fn lock(shared: &Shared) -> MutexGuard<'_, Total> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Total {
    pub fn add(&mut self, unit: Unit, names: &Names, floor: Time) {
        let start = unit.start.max(floor);
        let first = !std::mem::replace(&mut self.started, true);
        for s in &unit.stints {
            self.stint(s.work, names.proc(s.proc), s.from.max(floor), s.to.max(floor));
        }
        // Who ran when the unit before ended still does what it did, until it stops.
        let mut running = std::mem::take(&mut self.running);
        for &(go, proc, until) in &unit.heads {
            let (go, until) = (names.go(go), until.max(floor));
            match running.remove(&go) {
                Some((proc, work)) => self.stint(work, proc, self.end.min(start), until),
                None if first => self.unknown.push((go, until - start)),
                None => {}
            }
            let _ = proc;
        }
        for &(go, proc, work) in &unit.tails {
            self.running.insert(names.go(go), (names.proc(proc), work));
        }
        for a in &unit.ended {
            self.assist(a, names, floor);
        }
        if let (Some(before), Some(now)) = (self.heap, unit.first_heap) {
            self.allocate(now.saturating_sub(before));
        }
        for n in &unit.notes {
            let n = Note { at: n.at.max(floor), heap: n.heap.or(self.heap), ..*n };
            self.note(&n, names, first);
        }
        self.allocate(unit.allocated);
        self.sweep(unit.swept, unit.reclaimed);
        self.heap = unit.heap.or(self.heap);
        self.end = unit.now.max(start);
    }

    fn stint(&mut self, work: Work, proc: ProcIdx, from: Time, to: Time) {
        if to > from {
            self.stints.push(Stint { work, proc, from, to });
        }
    }

    fn assist(&mut self, a: &Assist, names: &Names, floor: Time) {
        let go = names.go(a.go);
        let carried = self.open_assists.remove(&go).filter(|_| a.head);
        let (from, to) = (a.from.max(floor), a.to.max(floor));
        let mut now = carried.unwrap_or(Assisted2 { stack: names.stack(a.stack), from, cpu: Duration::ZERO });
        now.cpu += a.cpu;
        if a.tail {
            self.open_assists.insert(go, now);
        } else {
            self.assisted(go, now, to);
        }
    }

    fn assisted(&mut self, go: GoIdx, a: Assisted2, to: Time) {
        let row = self.assists.entry((go, a.stack)).or_default();
        let wall = to - a.from;
        row.count += 1;
        row.wall += wall;
        row.cpu += a.cpu;
        if wall > row.longest || row.count == 1 {
            (row.longest, row.from) = (wall, a.from);
        }
    }

    fn allocate(&mut self, bytes: u64) {
        self.allocated = self.allocated.saturating_add(bytes);
        if let Some(c) = self.cycles.last_mut() {
            let sum = if c.to.is_some() { &mut c.allocated_after } else { &mut c.allocated_during };
            *sum = sum.saturating_add(bytes);
        }
    }

    fn sweep(&mut self, swept: u64, reclaimed: u64) {
        self.swept = self.swept.saturating_add(swept);
        self.reclaimed = self.reclaimed.saturating_add(reclaimed);
        if let Some(c) = self.cycles.last_mut() {
            c.swept = c.swept.saturating_add(swept);
            c.reclaimed = c.reclaimed.saturating_add(reclaimed);
        }
    }

    fn note(&mut self, n: &Note, names: &Names, first: bool) {
        self.allocate(n.allocated);
        self.sweep(n.swept, n.reclaimed);
        let go = names.go(n.go);
        match n.what {
            What::Begin { seq } => {
                let mut c = Cycle::new(seq, n.at);
                (c.trigger, c.stack, c.heap_start, c.goal) = (go, names.stack(n.stack), n.heap, self.goal);
                self.cycles.push(c);
            }
            What::Active { seq } => {
                if self.cycles.last().is_none_or(|c| c.to.is_some()) {
                    let mut c = Cycle::new(seq, n.at);
                    c.before = true;
                    c.goal = self.goal;
                    self.cycles.push(c);
                }
            }
            What::End => {
                if self.cycles.last().is_none_or(|c| c.to.is_some()) {
                    // It had begun before the trace, and nothing else says so.
                    let mut c = Cycle::new(0, n.at);
                    c.before = true;
                    self.cycles.push(c);
                }
                if let Some(c) = self.cycles.last_mut() {
                    c.to = Some(n.at);
                    c.live = n.heap;
                }
            }
            What::Goal(goal) => {
                self.goals.push((n.at, goal));
                self.goal = Some(goal);
                // What is set while the world is still stopped is the next one's.
                if let Some(c) = self.cycles.last_mut()
                    && c.to.is_some()
                    && c.next_goal.is_none()
                {
                    c.next_goal = Some(goal);
                }
            }
            What::Procs(p) => self.procs.push((n.at, p)),
            What::Stop => {
                let reason = names.string(n.reason);
                self.open_stops.push(Stop {
                    from: n.at,
                    to: n.at,
                    reason,
                    go,
                    stack: names.stack(n.stack),
                    open: true,
                });
            }
            What::Go => {
                let reason = names.string(n.reason);
                match self.open_stops.pop() {
                    Some(s) => self.stops.push(Stop { to: n.at, open: false, ..s }),
                    None if first => {
                        let (from, stack) = (Time::MIN, StackId::NONE);
                        self.stops.push(Stop { from, to: n.at, reason, go, stack, open: false });
                    }
                    None => {}
                }
            }
        }
    }

    /// The trace is over at `index.end`: what is going on is until then.
    pub fn close(&mut self, index: &Index) {
        let end = index.end;
        for (go, a) in std::mem::take(&mut self.open_assists) {
            self.assisted(go, a, end);
        }
        for s in std::mem::take(&mut self.open_stops) {
            self.stops.push(Stop { to: end, ..s });
        }
        for s in &mut self.stops {
            s.from = s.from.max(index.start);
        }
        for c in &mut self.cycles {
            if c.before {
                c.from = index.start;
            }
        }
        self.stops.sort_by_key(|s| (s.from, s.to));
        self.stints.sort_by_key(|s| (s.from, s.to, s.proc, s.work));
    }
}

/// Whether a stop is one of the GC's, by its reason in the runtime's words.
pub fn of_gc(index: &Index, reason: StringId) -> bool {
    index.dict.str(reason).starts_with("GC ")
}
