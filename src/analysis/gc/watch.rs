//! What of a unit's events the GC is about: its stops and cycles, the heap, and when which P worked for it.

use crate::base::{Duration, Time};
use crate::build::observe::{Events, NONE, NONE16, Names, Row, Tables, Watch};
use crate::model::segment::{GoState, Kind};
use rustc_hash::FxHashMap;

use super::merge::{Shared, lock};

/// What a P did for the GC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Work {
    /// A mark worker that has the P to itself.
    Dedicated,
    /// A mark worker that shares the P with the program.
    Fractional,
    /// A goroutine of the program was made to mark, for what it had allocated.
    Assist,
    /// Sweeping.
    Sweep,
    /// A mark worker on a P that had nothing else to do: it takes nothing away.
    Idle,
}

impl Work {
    /// All, in the order of their numbers: what a P does in two ways at once is the first.
    pub const ALL: [Work; 5] = [Work::Dedicated, Work::Fractional, Work::Assist, Work::Sweep, Work::Idle];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Work::Dedicated => "dedicated",
            Work::Fractional => "fractional",
            Work::Assist => "assist",
            Work::Sweep => "sweep",
            Work::Idle => "idle",
        }
    }
}

/// A stretch of such work. Goroutine and P are positions in the decoder's tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stint {
    pub work: Work,
    pub proc: u16,
    pub from: Time,
    pub to: Time,
}

/// One assist, or what of it lies in the unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assist {
    pub go: u32,
    pub stack: u32,
    pub from: Time,
    pub to: Time,
    /// How much of it the goroutine ran.
    pub cpu: Duration,
    /// It was going on when the unit began, or ended.
    pub head: bool,
    pub tail: bool,
}

/// What is looked at one by one.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Begin { seq: u64 },
    Active { seq: u64 },
    End,
    Goal(u64),
    Stop,
    Go,
    Procs(u64),
}

/// One of them, with what happened since the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub at: Time,
    pub what: What,
    pub go: u32,
    pub stack: u32,
    /// The reason of a stop: a string.
    pub reason: u32,
    pub heap: Option<u64>,
    pub allocated: u64,
    pub swept: u64,
    pub reclaimed: u64,
}

#[derive(Clone, Copy)]
struct Go {
    since: Time,
    proc: u16,
    running: bool,
    /// Nothing has been said of it yet: it may have run since the unit began.
    unseen: bool,
    assisting: bool,
    label: Option<Work>,
}

/// Watches one unit.
pub(super) struct Unit {
    total: Shared,
    pub start: Time,
    pub now: Time,
    gos: Vec<Go>,
    /// Of each string that is a worker's label, which.
    labels: Vec<(u32, Work)>,
    sweeps: FxHashMap<u16, Time>,
    assists: FxHashMap<u32, Assist>,
    pub stints: Vec<Stint>,
    /// Goroutines that ran when the unit began: on which P, until when.
    pub heads: Vec<(u32, u16, Time)>,
    /// Workers that run when it ends.
    pub tails: Vec<(u32, u16, Work)>,
    pub ended: Vec<Assist>,
    pub notes: Vec<Note>,
    pub first_heap: Option<u64>,
    pub heap: Option<u64>,
    /// Since the last note.
    pub allocated: u64,
    pub swept: u64,
    pub reclaimed: u64,
}

impl Unit {
    pub fn new(start: Time, tables: &Tables, total: Shared) -> Unit {
        let named = |name: &[u8], work| {
            let all = 0..tables.strings.len() as u32;
            all.filter(|&i| tables.strings.get(i) == name).map(|i| (i, work)).collect::<Vec<_>>()
        };
        let labels = [
            named(b"GC (dedicated)", Work::Dedicated),
            named(b"GC (fractional)", Work::Fractional),
            named(b"GC (idle)", Work::Idle),
        ];
        Unit {
            total,
            start,
            now: start,
            gos: Vec::new(),
            labels: labels.concat(),
            sweeps: FxHashMap::default(),
            assists: FxHashMap::default(),
            stints: Vec::new(),
            heads: Vec::new(),
            tails: Vec::new(),
            ended: Vec::new(),
            notes: Vec::new(),
            first_heap: None,
            heap: None,
            allocated: 0,
            swept: 0,
            reclaimed: 0,
        }
    }

    #[inline]
    fn go(&mut self, go: u32) -> Option<&mut Go> {
        let i = go as usize;
        if i >= self.gos.len() {
            if go == NONE {
                return None;
            }
            // Positions are given one by one, so this grows by what there is.
            let since = self.start;
            let new = Go { since, proc: NONE16, running: false, unseen: true, assisting: false, label: None };
            self.gos.resize(i + 1, new);
        }
        self.gos.get_mut(i)
    }

    #[inline]
    fn starts(&mut self, r: &Row) {
        let Some(g) = self.go(r.go) else { return };
        (g.since, g.proc, g.running, g.unseen, g.label) = (r.time, r.proc, true, false, None);
    }

    /// A goroutine stops running.
    #[inline]
    fn stops(&mut self, r: &Row) {
        let Some(g) = self.go(r.go) else { return };
        let was = *g;
        (g.running, g.unseen, g.label) = (false, false, None);
        if !was.running && !was.unseen {
            return;
        }
        let proc = if was.unseen { r.proc } else { was.proc };
        if let Some(work) = was.label {
            self.stints.push(Stint { work, proc, from: was.since, to: r.time });
        } else if was.unseen {
            self.heads.push((r.go, r.proc, r.time));
        }
        if was.assisting {
            self.assisted(r.go, proc, was.since, r.time);
        }
    }

    /// A goroutine ran for its assist since `since`.
    fn assisted(&mut self, go: u32, proc: u16, since: Time, to: Time) {
        let Some(a) = self.assists.get_mut(&go) else { return };
        let from = since.max(a.from);
        a.cpu += to - from;
        self.stints.push(Stint { work: Work::Assist, proc, from, to });
    }

    fn assist(&mut self, r: &Row) {
        let begins = r.kind == Kind::GcMarkAssistBegin;
        let Some(g) = self.go(r.go) else { return };
        g.assisting = true;
        if begins && !g.running {
            // The first that is said of it: it runs.
            (g.running, g.unseen, g.proc) = (true, false, r.proc);
        }
        let (from, stack) = if begins { (r.time, r.stack) } else { (self.start, NONE) };
        let new = Assist { go: r.go, stack, from, to: from, cpu: Duration::ZERO, head: !begins, tail: false };
        self.assists.insert(r.go, new);
    }

    fn end_assist(&mut self, r: &Row) {
        let Some(g) = self.go(r.go) else { return };
        let (was, proc) = (*g, if g.unseen { r.proc } else { g.proc });
        g.assisting = false;
        if !was.assisting {
            return;
        }
        if was.running || was.unseen {
            self.assisted(r.go, proc, was.since, r.time);
        }
        if let Some(a) = self.assists.remove(&r.go) {
            self.ended.push(Assist { to: r.time, ..a });
        }
    }

    fn note(&mut self, r: &Row, what: What) {
        let (allocated, swept, reclaimed) = (self.allocated, self.swept, self.reclaimed);
        (self.allocated, self.swept, self.reclaimed) = (0, 0, 0);
        let (at, go, stack, reason, heap) = (r.time, r.go, r.stack, r.arg, self.heap);
        self.notes.push(Note { at, what, go, stack, reason, heap, allocated, swept, reclaimed });
    }

    #[inline]
    fn rare(&mut self, r: &Row, events: &Events) {
        let value = || events.wide(r).value();
        match r.kind {
            Kind::HeapAlloc => {
                let v = value();
                self.first_heap.get_or_insert(v);
                let last = self.heap.replace(v).unwrap_or(v);
                self.allocated = self.allocated.saturating_add(v.saturating_sub(last));
            }
            Kind::GoLabel => {
                let work = self.labels.iter().find(|l| l.0 == r.arg).map(|l| l.1);
                if let Some(g) = self.go(r.go) {
                    g.label = work;
                }
            }
            Kind::GcMarkAssistBegin | Kind::GcMarkAssistActive => self.assist(r),
            Kind::GcMarkAssistEnd => self.end_assist(r),
            Kind::GcSweepBegin => _ = self.sweeps.insert(r.proc, r.time),
            Kind::GcSweepActive => _ = self.sweeps.insert(r.arg as u16, self.start),
            Kind::GcSweepEnd => {
                let args = events.wide(r);
                self.swept = self.swept.saturating_add(args.swept());
                self.reclaimed = self.reclaimed.saturating_add(args.reclaimed());
                if let Some(from) = self.sweeps.remove(&r.proc) {
                    self.stints.push(Stint { work: Work::Sweep, proc: r.proc, from, to: r.time });
                }
            }
            Kind::GcBegin => self.note(r, What::Begin { seq: value() }),
            Kind::GcActive => self.note(r, What::Active { seq: value() }),
            Kind::GcEnd => self.note(r, What::End),
            Kind::HeapGoal => self.note(r, What::Goal(value())),
            Kind::StwBegin => self.note(r, What::Stop),
            Kind::StwEnd => self.note(r, What::Go),
            Kind::ProcsChange => self.note(r, What::Procs(value())),
            _ => {}
        }
    }
}

impl Watch for Unit {
    fn events(&mut self, events: &Events) {
        for r in &events.rows {
            match r.kind {
                Kind::GoStart | Kind::GoSyscallEnd => self.starts(r),
                Kind::GoBlock | Kind::GoStop | Kind::GoSyscallBegin | Kind::GoDestroy => self.stops(r),
                Kind::GoUnblock
                | Kind::GoCreate
                | Kind::GoCreateBlocked
                | Kind::GoCreateSyscall
                | Kind::GoSyscallEndBlocked
                | Kind::GoDestroySyscall => {
                    if let Some(g) = self.go(r.go) {
                        g.unseen = false;
                    }
                }
                Kind::GoStatus => {
                    let running = r.arg == GoState::Running as u32;
                    if let Some(g) = self.go(r.go)
                        && g.unseen
                        && !running
                    {
                        g.unseen = false;
                    }
                }
                _ => self.rare(r, events),
            }
        }
        if let Some(last) = events.rows.last() {
            self.now = self.now.max(last.time);
        }
    }

    fn end(&mut self) {
        let end = self.now;
        let running = (0u32..).zip(&self.gos).filter(|(_, g)| g.running && (g.assisting || g.label.is_some()));
        for (i, g) in running.map(|(i, g)| (i, *g)).collect::<Vec<_>>() {
            if let Some(work) = g.label {
                self.stints.push(Stint { work, proc: g.proc, from: g.since, to: end });
                self.tails.push((i, g.proc, work));
            }
            if g.assisting {
                self.assisted(i, g.proc, g.since, end);
            }
        }
        let mut open: Vec<Assist> = self.assists.drain().map(|(_, a)| Assist { to: end, tail: true, ..a }).collect();
        open.sort_by_key(|a| a.go);
        self.ended.append(&mut open);
        let mut sweeps: Vec<(u16, Time)> = self.sweeps.drain().collect();
        sweeps.sort_unstable();
        self.stints.extend(sweeps.into_iter().map(|(proc, from)| Stint { work: Work::Sweep, proc, from, to: end }));
        self.gos = Vec::new();
    }

    fn commit(self: Box<Self>, names: &Names, floor: Time) {
        let total = self.total.clone();
        lock(&total).add(*self, names, floor);
    }
}
