//! Goes through the log of a unit once, with the states of all goroutines and Ps at hand.
//!
//! At each instant all that are runnable wait for the same: the world is stopped, a P has no goroutine, or every P has
//! one. So three running sums of time say what any wait consists of: what they grew by between its beginning and its end.
//! While all Ps are busy, each goroutine that has one answers for an equal part of each wait.

use super::ops::{Log, Op, Rec};
use super::parts::{Cause, Depth, Longest, Parts, Waits, What};
use super::shares::Shares;
use crate::base::{Duration, GoIdx, Time};
use crate::build::observe::{NONE, NONE16};
use crate::model::segment::{GoState, ProcState};
use rustc_hash::FxHashMap;

/// Most goroutines of unknown origin that are told apart in a unit.
const APART: usize = 256;

/// Goroutines whose first stacks have the same root.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// One of them; `NONE` for those of unknown origin that are not told apart.
    pub member: u32,
    /// Their waits, by cause.
    pub waits: [Waits; Cause::ALL.len()],
    /// Their longest stretch on a P.
    pub run: Longest,
    /// How often one began to run, and how often of these on another P than before.
    pub starts: u64,
    pub migrations: u64,
}

impl Class {
    fn new(member: u32) -> Class {
        Class { member, waits: Default::default(), run: Longest::NONE, starts: 0, migrations: 0 }
    }
}

#[derive(Clone, Copy)]
struct Go {
    state: GoState,
    cause: Cause,
    /// It was in this state when the unit began.
    head: bool,
    /// It has had its P since the unit began.
    run_head: bool,
    /// Whether it has a P: it runs, or is in a syscall that has not lost it.
    on: bool,
    /// Which, if that is known.
    proc: u16,
    /// The last that it had.
    last: u16,
    class: u32,
    /// While it has a P, its column: twice its class, one more in a syscall.
    column: u32,
    since: Time,
    /// Since when it has its P.
    run: Time,
    /// The sums when it became runnable.
    at: Parts,
}

/// One P.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P {
    /// The goroutine that has it; `NONE` if none.
    go: u32,
    /// That one is in a syscall.
    syscalling: bool,
    /// Whether a thread holds it.
    held: bool,
    since: Time,
    /// Time with a goroutine that ran; with one in a syscall; with a thread and no goroutine.
    pub running: Duration,
    pub syscall: Duration,
    pub searching: Duration,
    /// Goroutines that began to run on it, and of these those that ran on another P before.
    pub starts: u64,
    pub migrations: u64,
}

impl P {
    fn new(now: Time) -> P {
        let none = Duration::ZERO;
        P {
            go: NONE,
            syscalling: false,
            held: false,
            since: now,
            running: none,
            syscall: none,
            searching: none,
            starts: 0,
            migrations: 0,
        }
    }
}

/// A wait that was going on when the unit began, and has ended in it or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub go: u32,
    pub parts: Parts,
}

/// A wait that is going on when the unit ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    pub go: u32,
    pub cause: Cause,
    pub since: Time,
    pub parts: Parts,
    /// It was going on when the unit began, too.
    pub head: bool,
}

/// What a unit adds. Without `SUMS` nothing is added up: it only tells what has Ps at each instant.
pub(crate) struct Sweep<const SUMS: bool = true> {
    window: (Time, Time),
    pub start: Time,
    pub now: Time,
    gos: Vec<Go>,
    pub procs: Vec<P>,
    /// GOMAXPROCS; of a trace that does not say it, the Ps that were seen.
    pub limit: u32,
    /// Ps that a thread holds, and goroutines that have a P.
    held: u32,
    occupied: u32,
    stops: u32,
    /// Goroutines that are runnable (of sums only), and that are in syscalls without a P.
    runnable: u32,
    syscalls: u32,
    pub sum: Parts,
    pub queue: Depth,
    pub in_syscalls: Depth,
    pub classes: Vec<Class>,
    by_root: FxHashMap<u32, u32>,
    apart: usize,
    /// Who waits, who has a P, and what that amounts to.
    pub shares: Shares,
    pub heads: Vec<Head>,
    /// Goroutines that had a P when the unit began, and until when they had it.
    pub run_heads: Vec<(u32, Time)>,
}

impl Sweep<false> {
    /// A sweep without sums of what begins at `start`, where GOMAXPROCS is `procs`.
    pub fn bare(start: Time, procs: u32) -> Sweep<false> {
        // All are of one class.
        Sweep { limit: procs, apart: APART, ..Sweep::new(start, (Time::MIN, Time::MAX)) }
    }
}

impl<const SUMS: bool> Sweep<SUMS> {
    /// A sweep of a unit that begins at `start`, of what lies in `window`.
    pub fn new(start: Time, window: (Time, Time)) -> Sweep<SUMS> {
        Sweep {
            window,
            start,
            now: start,
            gos: Vec::new(),
            procs: Vec::new(),
            limit: 0,
            held: 0,
            occupied: 0,
            stops: 0,
            runnable: 0,
            syscalls: 0,
            sum: Parts::default(),
            queue: Depth::default(),
            in_syscalls: Depth::default(),
            classes: Vec::new(),
            by_root: FxHashMap::default(),
            apart: 0,
            shares: Shares::default(),
            heads: Vec::new(),
            run_heads: Vec::new(),
        }
    }

    /// Takes over what a log says of the unit's beginning: before its first event, or for what is new in its later ones.
    pub fn begin(&mut self, log: &Log) {
        let first = self.gos.is_empty() && self.procs.is_empty();
        if first {
            if self.limit == 0 {
                self.limit = log.limit.unwrap_or(0);
            }
            self.stops = log.stopped();
        }
        for p in self.procs.len()..log.procs.len() {
            let held = log.procs.get(p).copied().flatten() == Some(ProcState::Running);
            self.held += u32::from(held && first);
            self.procs.push(P { held: held && first, ..P::new(self.now) });
        }
        if self.limit == 0 {
            self.limit = self.procs.len() as u32;
        }
        for (i, row) in (0u32..).zip(&log.first).skip(self.gos.len()) {
            let class = self.class(row.stack, i, log);
            self.gos.push(Go {
                state: GoState::NotExist,
                cause: Cause::Before,
                head: true,
                run_head: true,
                on: false,
                proc: NONE16,
                last: NONE16,
                class,
                column: 2 * class,
                since: self.now,
                run: self.now,
                at: self.sum,
            });
            match row.state {
                GoState::Runnable => self.enter(i, GoState::Runnable, Cause::Before),
                GoState::Running => self.occupy(i, row.proc),
                GoState::Syscall => {
                    self.enter(i, GoState::Syscall, Cause::Before);
                    if self.procs.get(usize::from(row.proc)).is_some_and(|p| p.held && p.go == NONE) {
                        self.syscalls -= 1;
                        self.take(i, row.proc);
                    }
                }
                s => self.gos[i as usize].state = s,
            }
            self.gos[i as usize].head = first;
            self.gos[i as usize].run_head = first;
        }
    }

    fn class(&mut self, stack: u32, go: u32, log: &Log) -> u32 {
        let next = self.classes.len() as u32;
        let class = match log.roots.get(stack as usize).copied().filter(|&r| r != NONE) {
            Some(root) => *self.by_root.entry(root).or_insert(next),
            None if self.apart < APART => {
                self.apart += 1;
                next
            }
            None => *self.by_root.entry(NONE).or_insert(next),
        };
        if class == next {
            let together = self.by_root.get(&NONE) == Some(&next);
            self.classes.push(Class::new(if together { NONE } else { go }));
            self.shares.add_class();
        }
        class
    }

    /// What those that are runnable wait for now.
    #[inline]
    pub fn what(&self) -> What {
        match self.stops {
            0 if self.held.max(self.occupied) < self.limit => What::Idle,
            0 => What::Busy,
            _ => What::Stw,
        }
    }

    #[inline]
    fn advance(&mut self, dt: i64) {
        let then = self.now;
        self.now = then + Duration(dt);
        let d = self.now.min(self.window.1) - then.max(self.window.0);
        if SUMS && d > Duration::ZERO {
            self.pass(d);
        }
    }

    /// Lets `d` pass, all of it in the window.
    pub fn pass(&mut self, d: Duration) {
        let what = self.what();
        self.sum.grow(what, d);
        self.queue.add(self.runnable, d);
        self.in_syscalls.add(self.syscalls, d);
        if what == What::Busy && self.runnable > 0 {
            self.shares.charge(d, self.occupied, self.runnable);
        }
    }

    /// Follows the events of a log.
    pub fn run(&mut self, log: &Log) {
        for block in log.blocks() {
            for r in block {
                self.follow(*r);
            }
            self.shares.drain();
        }
    }

    /// Follows one event.
    #[inline]
    pub fn follow(&mut self, r: Rec) {
        if r.dt > 0 {
            self.advance(i64::from(r.dt));
        }
        self.step(r.op, r.go, r.proc);
    }

    /// The goroutines that have Ps, and whether they are in a syscall.
    pub fn occupants(&self) -> impl Iterator<Item = (u32, bool)> + '_ {
        self.procs.iter().filter(|p| p.go != NONE).map(|p| (p.go, p.syscalling))
    }

    #[inline]
    fn step(&mut self, op: Op, go: u32, proc: u16) {
        match op {
            Op::Later => {}
            Op::Far => self.advance(i64::from(go) << 32),
            Op::Start => {
                self.leave(go);
                self.occupy(go, proc);
                self.started(go, proc);
            }
            Op::Unblock => self.change(go, GoState::Runnable, Cause::Woken),
            Op::Block => self.change(go, GoState::Waiting, Cause::Before),
            Op::Create => self.change(go, GoState::Runnable, Cause::Created),
            Op::CreateBlocked => self.change(go, GoState::Waiting, Cause::Before),
            Op::Preempt => self.change(go, GoState::Runnable, Cause::Preempted),
            Op::Yield => self.change(go, GoState::Runnable, Cause::Gosched),
            Op::Stop => self.change(go, GoState::Runnable, Cause::Stopped),
            Op::Destroy => self.change(go, GoState::NotExist, Cause::Before),
            Op::SyscallEndBlocked => self.change(go, GoState::Runnable, Cause::Syscall),
            Op::SyscallBegin => match self.gos.get(go as usize) {
                Some(row) if row.state == GoState::Running && row.on => self.cross_over(go, GoState::Syscall),
                _ => self.change(go, GoState::Syscall, Cause::Before),
            },
            Op::SyscallEnd => match self.gos.get(go as usize) {
                Some(row) if row.state == GoState::Syscall && row.on => self.cross_over(go, GoState::Running),
                _ => {
                    self.leave(go);
                    self.occupy(go, proc);
                }
            },
            Op::CreateSyscall => {
                self.change(go, GoState::Syscall, Cause::Before);
                if self.procs.get(usize::from(proc)).is_some_and(|p| p.go == NONE) {
                    self.syscalls = self.syscalls.saturating_sub(1);
                    self.take(go, proc);
                }
            }
            Op::ProcStart => self.hold(proc, true),
            Op::ProcStop | Op::ProcSteal => {
                let had = self.procs.get(usize::from(proc)).map_or(NONE, |p| p.go);
                if self.gos.get(had as usize).is_some_and(|g| g.state == GoState::Syscall) {
                    self.release(had);
                    self.syscalls += 1;
                }
                self.hold(proc, false);
            }
            Op::StopWorld => self.stops += 1,
            Op::StartWorld => self.stops = self.stops.saturating_sub(1),
            Op::Procs if go > 0 => self.limit = go.max(self.held),
            Op::Procs => {}
        }
    }

    /// A goroutine enters a syscall or leaves it, and keeps its P.
    fn cross_over(&mut self, go: u32, state: GoState) {
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        let proc = row.proc;
        row.state = state;
        if SUMS {
            self.shares.lose(row.column);
            row.column = 2 * row.class + u32::from(state == GoState::Syscall);
            self.shares.have(row.column);
        }
        self.settle(proc);
        if let Some(p) = self.procs.get_mut(usize::from(proc)) {
            p.syscalling = state == GoState::Syscall;
        }
    }

    fn change(&mut self, go: u32, state: GoState, cause: Cause) {
        self.leave(go);
        self.enter(go, state, cause);
    }

    /// A goroutine enters a state in which it has no P.
    fn enter(&mut self, go: u32, state: GoState, cause: Cause) {
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        row.state = state;
        match state {
            GoState::Runnable => {
                (row.cause, row.since, row.at, row.head) = (cause, self.now, self.sum, false);
                self.runnable += 1;
                if SUMS {
                    self.shares.wait(row.class);
                }
            }
            GoState::Syscall => self.syscalls += 1,
            _ => {}
        }
    }

    /// A goroutine leaves the state that it is in.
    fn leave(&mut self, go: u32) {
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        match row.state {
            GoState::Runnable if SUMS => {
                self.runnable = self.runnable.saturating_sub(1);
                self.shares.go_on(row.class);
                let parts = self.sum.since(row.at);
                let inside =
                    row.since < self.window.1 && (row.since >= self.window.0 || parts.total() > Duration::ZERO);
                if row.head {
                    self.heads.push(Head { go, parts });
                } else if inside && let Some(class) = self.classes.get_mut(row.class as usize) {
                    class.waits[row.cause as usize].add(GoIdx(go), row.since, parts);
                }
            }
            GoState::Syscall if !row.on => self.syscalls = self.syscalls.saturating_sub(1),
            _ => {}
        }
        row.state = GoState::NotExist;
        if row.on {
            self.release(go);
        }
    }

    /// A goroutine runs, on a P.
    fn occupy(&mut self, go: u32, proc: u16) {
        if let Some(row) = self.gos.get_mut(go as usize) {
            row.state = GoState::Running;
            self.take(go, proc);
        }
    }

    /// A goroutine that runs or is in a syscall has a P.
    fn take(&mut self, go: u32, proc: u16) {
        // In a damaged trace another one may still have it.
        if let Some(had) = self.procs.get(usize::from(proc)).map(|p| p.go).filter(|&h| h != NONE && h != go) {
            let lost = self.gos.get(had as usize).is_some_and(|g| g.state == GoState::Syscall);
            self.release(had);
            self.syscalls += u32::from(lost);
        }
        self.settle(proc);
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        let syscall = row.state == GoState::Syscall;
        (row.on, row.proc, row.run, row.run_head) = (true, proc, self.now, false);
        if SUMS {
            row.column = 2 * row.class + u32::from(syscall);
            self.shares.have(row.column);
        }
        self.occupied += 1;
        if let Some(p) = self.procs.get_mut(usize::from(proc)) {
            (p.go, p.syscalling) = (go, syscall);
            self.hold(proc, true);
        }
    }

    fn started(&mut self, go: u32, proc: u16) {
        if !SUMS || self.now < self.window.0 || self.now >= self.window.1 {
            return;
        }
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        let moved = row.last != NONE16 && row.last != proc;
        row.last = proc;
        if let Some(p) = self.procs.get_mut(usize::from(proc)) {
            p.starts += 1;
            p.migrations += u64::from(moved);
        }
        if let Some(c) = self.classes.get_mut(row.class as usize) {
            c.starts += 1;
            c.migrations += u64::from(moved);
        }
    }

    /// A goroutine has its P no longer.
    fn release(&mut self, go: u32) {
        let Some(row) = self.gos.get_mut(go as usize) else { return };
        if !std::mem::take(&mut row.on) {
            return;
        }
        let proc = std::mem::replace(&mut row.proc, NONE16);
        row.last = proc;
        self.occupied = self.occupied.saturating_sub(1);
        let (from, class) = (row.run, row.class);
        if SUMS {
            self.shares.lose(row.column);
            if row.run_head {
                self.run_heads.push((go, self.now));
            } else if let Some(c) = self.classes.get_mut(class as usize) {
                let (a, b) = (from.max(self.window.0), self.now.min(self.window.1));
                c.run.keep(Longest { go: GoIdx(go), from: a, len: b - a });
            }
        }
        self.settle(proc);
        if let Some(p) = self.procs.get_mut(usize::from(proc))
            && p.go == go
        {
            p.go = NONE;
        }
    }
    /// Accounts what a P did since that was last accounted.
    #[inline]
    fn settle(&mut self, proc: u16) {
        if !SUMS {
            return;
        }
        let (now, window) = (self.now, self.window);
        let Some(p) = self.procs.get_mut(usize::from(proc)) else { return };
        let d = now.min(window.1) - p.since.max(window.0);
        p.since = now;
        if d <= Duration::ZERO {
            return;
        }
        match p.go {
            NONE if p.held => p.searching += d,
            NONE => {}
            _ if p.syscalling => p.syscall += d,
            _ => p.running += d,
        }
    }

    fn hold(&mut self, proc: u16, held: bool) {
        self.settle(proc);
        let Some(p) = self.procs.get_mut(usize::from(proc)) else { return };
        if p.held != held {
            p.held = held;
            self.held = if held { self.held + 1 } else { self.held.saturating_sub(1) };
            // A trace without GOMAXPROCS, or a damaged one.
            self.limit = self.limit.max(self.held);
        }
    }

    /// The unit is over: the waits that are going on, and the goroutines that have Ps, and since when.
    pub fn end(&mut self) -> (Vec<Tail>, Vec<(u32, Time, bool)>) {
        self.shares.drain();
        for p in 0..self.procs.len() {
            self.settle(p as u16);
        }
        let (mut tails, mut runs) = (Vec::new(), Vec::new());
        for (go, row) in (0u32..).zip(&self.gos) {
            if row.state == GoState::Runnable {
                let (cause, since, head) = (row.cause, row.since, row.head);
                tails.push(Tail { go, cause, since, parts: self.sum.since(row.at), head });
            }
            if row.on {
                runs.push((go, row.run, row.run_head));
            }
        }
        (tails, runs)
    }

    /// How many goroutines it knows.
    pub fn goroutines(&self) -> usize {
        self.gos.len()
    }

    /// Goroutines that are runnable.
    pub fn runnable(&self) -> u32 {
        self.runnable
    }

    /// Goroutines in syscalls without a P.
    pub fn syscalls(&self) -> u32 {
        self.syscalls
    }

    /// The class of a goroutine.
    pub fn class_of(&self, go: u32) -> Option<&Class> {
        self.classes.get(self.gos.get(go as usize)?.class as usize)
    }
}
