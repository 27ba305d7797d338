//! Old events into the events of today's model.
//!
//! The old tracer had one event where today's has two (a syscall), none where today's has one (a state restated), and
//! reasons as event types. What becomes of each is what Go's own converter makes of it (`internal/trace/tracev1.go`), so
//! that both see the same trace. Source: docs/format.md, section 9.3.

use super::layout::Layout;
use super::spec::{TABLE, Turn, op};
use super::stream::Head;
use crate::base::{Duration, ThreadId, Time};
use crate::wire::args::Args;
use crate::wire::event::{Events, GoState, Kind, NONE, NONE16, ProcState, Row};
use crate::wire::tables::Tables;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What the conversion has to remember of a goroutine.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    /// It existed before the trace and its state has not been stated yet.
    unstated: bool,
    /// It is in a syscall that has lost, or will lose, its P.
    syscall: bool,
    /// Returns from syscalls that were told at their real time and whose records are still to come; negative if records
    /// came first.
    early: i32,
    /// Returns whose real time made no sense, and whose records are still to come.
    late: u32,
}

/// What the conversion has to remember of a P.
#[derive(Clone, Copy, Debug)]
struct Proc {
    seen: bool,
    thread: u16,
}

/// What had to be left out or bent, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Regions that neither begin nor end.
    pub regions: u64,
    /// Returns from syscalls before the call.
    pub exits: u64,
    /// Events that need a goroutine and have none.
    pub nobody: u64,
    /// Stacks that the file does not have.
    pub stacks: u64,
    /// Threads beyond those that can be told apart.
    pub threads: u64,
}

/// The state of the conversion.
#[derive(Clone, Debug)]
pub struct Converter {
    /// Until the first `Gomaxprocs` the runtime lists what there is.
    listing: bool,
    listed: Vec<u32>,
    lives: Vec<Life>,
    procs: Vec<Proc>,
    thread_ids: FxHashMap<u64, u16>,
    stop: u32,
    stops_open: u32,
    last: Time,
    /// Rows that follow from an event whose first row is out.
    pub pending: VecDeque<Row>,
    /// What was left out.
    pub faults: Faults,
}

impl Converter {
    /// Before the first event, which is at `start`.
    pub fn new(start: Time) -> Converter {
        Converter {
            listing: true,
            listed: Vec::new(),
            lives: Vec::new(),
            procs: Vec::new(),
            thread_ids: FxHashMap::default(),
            stop: NONE,
            stops_open: 0,
            last: Time(start.0.saturating_sub(2)),
            pending: VecDeque::new(),
            faults: Faults::default(),
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.lives.len() * size_of::<Life>() + self.listed.len() * 4 + self.thread_ids.len() * 24
    }

    /// Appends a row. No two events have the same time.
    #[inline]
    pub fn emit(&mut self, out: &mut Events, row: Row) {
        let time = row.time.max(Time(self.last.0.saturating_add(1)));
        self.last = time;
        out.push(Row { time, ..row });
    }

    /// Says that the trace begins, just before its first event.
    pub fn begin(&mut self, out: &mut Events) {
        let arg = out.push_wide(Args::of_value(1));
        self.emit(out, Row { kind: Kind::Sync, arg, ..nobody(Time(-1)) });
    }

    /// A hit of the CPU profiler.
    pub fn sample(&mut self, out: &mut Events, time: Time, go: u32, proc: u16, stack: u32) {
        self.emit(out, Row { kind: Kind::CpuSample, go, by: go, proc, stack, ..nobody(time) });
    }

    /// A syscall returned, according to a record that comes later.
    pub fn early_exit(&mut self, out: &mut Events, time: Time, go: u32) {
        let Some(life) = self.life(go) else { return };
        if life.early < 0 {
            life.early += 1;
        } else if life.syscall {
            life.syscall = false;
            life.early += 1;
            self.end_syscall(out, time, go);
        } else {
            life.late += 1;
            self.faults.exits += 1;
        }
    }

    fn end_syscall(&mut self, out: &mut Events, time: Time, go: u32) {
        // Where it returned is not recorded: the record is written by the P that it got later.
        self.emit(out, Row { kind: Kind::GoSyscallEndBlocked, go, by: go, ..nobody(time) });
    }

    fn life(&mut self, go: u32) -> Option<&mut Life> {
        let i = go as usize;
        if go != NONE && i >= self.lives.len() {
            // Positions are given one by one, so this grows by what there is.
            self.lives.resize(i + 1, Life::default());
        }
        self.lives.get_mut(i)
    }

    fn proc(&mut self, proc: u16) -> Option<&mut Proc> {
        let i = proc as usize;
        if proc != NONE16 && i >= self.procs.len() {
            self.procs.resize(i + 1, Proc { seen: false, thread: NONE16 });
        }
        self.procs.get_mut(i)
    }

    fn thread(&mut self, id: u64, tables: &mut Tables) -> u16 {
        if let Some(&t) = self.thread_ids.get(&id) {
            return t;
        }
        let t = tables.threads.len();
        if t >= NONE16 as usize {
            self.faults.threads += 1;
            return NONE16;
        }
        tables.threads.push(ThreadId(id));
        self.thread_ids.insert(id, t as u16);
        t as u16
    }

    /// Appends what an event means today, which happened at `time` on P `proc`. `blocks` is asked when a syscall begins:
    /// whether the P's next event is that the syscall loses it.
    #[inline]
    pub fn event(
        &mut self,
        out: &mut Events,
        layout: &Layout,
        tables: &mut Tables,
        h: &Head,
        (time, proc): (Time, u16),
        blocks: impl FnOnce() -> bool,
    ) {
        let thread = self.procs.get(proc as usize).map_or(NONE16, |p| p.thread);
        let stack = if h.stack == 0 { NONE } else { layout.stacks.get(h.stack.into()) };
        self.faults.stacks += u64::from(stack == NONE && h.stack != 0);
        let mut row = Row { time, kind: Kind::Sync, go: h.go, by: h.go, proc, thread, stack, arg: NONE };
        let block = |arg| (Kind::GoBlock, arg);
        let reasons = &layout.reasons;
        if self.listing && layout.damaged && TABLE[h.op as usize & 63].turn == Turn::Leaves {
            // The list's end is lost: the runtime is at work already.
            self.end_listing(time);
        }
        let mut kept = false;
        (row.kind, row.arg) = match h.op {
            op::GO_START | op::GO_START_LOCAL => {
                row.go = h.target;
                row.by = NONE;
                if self.listing {
                    self.stated(h.target);
                    (Kind::GoStatus, GoState::Running as u32)
                } else {
                    (Kind::GoStart, NONE)
                }
            }
            op::GO_UNBLOCK | op::GO_UNBLOCK_LOCAL => {
                row.go = h.target;
                (Kind::GoUnblock, NONE)
            }
            op::GO_STOP => block(reasons.forever),
            op::GO_SLEEP => block(reasons.sleep),
            op::GO_BLOCK => block(NONE),
            op::GO_BLOCK_SEND => block(reasons.send),
            op::GO_BLOCK_RECV => block(reasons.receive),
            op::GO_BLOCK_SELECT => block(reasons.select),
            op::GO_BLOCK_SYNC => block(reasons.sync),
            op::GO_BLOCK_COND => block(reasons.cond),
            op::GO_BLOCK_NET => block(reasons.network),
            op::GO_BLOCK_GC => block(reasons.assist),
            op::GO_SCHED => (Kind::GoStop, reasons.gosched),
            op::GO_PREEMPT => (Kind::GoStop, reasons.preempted),
            op::GO_END => (Kind::GoDestroy, NONE),
            op::GO_SYS_CALL => {
                let blocks = blocks();
                kept = !blocks;
                if let Some(life) = self.life(h.go) {
                    life.syscall = blocks;
                }
                (Kind::GoSyscallBegin, NONE)
            }
            op::GO_SYS_BLOCK => {
                match self.life(h.go) {
                    Some(life) if !life.syscall => life.syscall = true,
                    _ => return,
                }
                (Kind::GoSyscallBegin, NONE)
            }
            op::GO_SYS_EXIT | op::GO_SYS_EXIT_LOCAL => {
                let real = h.args[if h.op == op::GO_SYS_EXIT { 2 } else { 1 }];
                let Some(life) = self.life(h.target) else { return self.faults.nobody += 1 };
                if real != 0 {
                    if life.early > 0 {
                        life.early -= 1;
                        return;
                    }
                    if life.late > 0 {
                        life.late -= 1;
                    } else {
                        life.early -= 1;
                    }
                }
                life.syscall = false;
                return self.end_syscall(out, time, h.target);
            }
            op::GO_CREATE => {
                if self.listing {
                    self.listed.push(h.target);
                    if let Some(life) = self.life(h.target) {
                        life.unstated = true;
                    }
                    return;
                }
                row.go = h.target;
                (Kind::GoCreate, layout.stacks.get(h.args[1]))
            }
            _ => return self.rare(out, layout, tables, h, row),
        };
        if row.go == NONE {
            self.faults.nobody += 1;
            return;
        }
        self.emit(out, row);
        if kept {
            // A syscall that kept its P has no recorded end: the shortest one there is.
            let time = time + Duration(1);
            self.pending.push_back(Row { time, kind: Kind::GoSyscallEnd, stack: NONE, ..row });
        }
    }

    /// What was listed and neither waits nor runs is ready.
    fn end_listing(&mut self, time: Time) {
        self.listing = false;
        for go in std::mem::take(&mut self.listed) {
            if self.lives.get(go as usize).is_some_and(|l| l.unstated) {
                let arg = GoState::Runnable as u32;
                self.pending.push_back(Row { kind: Kind::GoStatus, go, arg, ..nobody(time) });
            }
        }
    }

    fn stated(&mut self, go: u32) {
        if let Some(life) = self.life(go) {
            life.unstated = false;
        }
    }

    /// The events that make up little of a trace.
    fn rare(&mut self, out: &mut Events, layout: &Layout, tables: &mut Tables, h: &Head, mut row: Row) {
        let text = |id: u64| layout.strings.get(id);
        (row.kind, row.arg) = match h.op {
            op::PROC_START => {
                let thread = self.thread(h.args[0], tables);
                let Some(p) = self.proc(row.proc) else { return };
                let first = !std::mem::replace(&mut p.seen, true);
                p.thread = thread;
                let p = row.proc;
                (row.go, row.by, row.proc, row.thread) = (NONE, NONE, NONE16, thread);
                if first {
                    (Kind::ProcStatus, out.push_wide(Args::of_proc(p, ProcState::Running, false)))
                } else {
                    (Kind::ProcStart, u32::from(p))
                }
            }
            op::PROC_STOP => {
                let Some(p) = self.proc(row.proc) else { return };
                let first = !std::mem::replace(&mut p.seen, true);
                p.thread = NONE16;
                if first {
                    let args = Args::of_proc(row.proc, ProcState::Idle, false);
                    (row.go, row.by, row.proc) = (NONE, NONE, NONE16);
                    (Kind::ProcStatus, out.push_wide(args))
                } else {
                    (Kind::ProcStop, u32::from(row.proc))
                }
            }
            op::GO_START_LABEL => {
                (row.go, row.by) = (h.target, NONE);
                if h.target == NONE {
                    return self.faults.nobody += 1;
                }
                self.pending.push_back(Row { kind: Kind::GoLabel, by: h.target, arg: text(h.args[2]), ..row });
                (Kind::GoStart, NONE)
            }
            op::GO_WAITING | op::GO_IN_SYSCALL => {
                row.go = h.target;
                let syscall = h.op == op::GO_IN_SYSCALL;
                let Some(life) = self.life(h.target) else { return self.faults.nobody += 1 };
                life.unstated = false;
                life.syscall = syscall;
                // Which thread it is on is not recorded.
                row.thread = NONE16;
                (Kind::GoStatus, if syscall { GoState::Syscall } else { GoState::Waiting } as u32)
            }
            op::GOMAXPROCS if self.listing => {
                self.end_listing(row.time);
                return;
            }
            op::GOMAXPROCS => (Kind::ProcsChange, out.push_wide(Args::of_value(h.args[0]))),
            op::HEAP_ALLOC => (Kind::HeapAlloc, out.push_wide(Args::of_value(h.args[0]))),
            op::HEAP_GOAL => (Kind::HeapGoal, out.push_wide(Args::of_value(h.args[0]))),
            op::GC_START => (Kind::GcBegin, out.push_wide(Args::of_value(h.args[0]))),
            op::GC_DONE => (Kind::GcEnd, out.push_wide(Args::default())),
            op::STW_START => {
                self.stops_open += 1;
                // Before 1.10 each P that took part said so; the world stops once.
                if layout.minor < 10 && self.stops_open > 1 {
                    return;
                }
                self.stop = layout.stop(h.args[0]);
                (Kind::StwBegin, self.stop)
            }
            op::STW_DONE => {
                self.stops_open = self.stops_open.saturating_sub(1);
                if layout.minor < 10 && self.stops_open > 0 {
                    return;
                }
                (Kind::StwEnd, self.stop)
            }
            op::GC_SWEEP_START => (Kind::GcSweepBegin, NONE),
            op::GC_SWEEP_DONE => (Kind::GcSweepEnd, out.push_wide(Args::of_sweep(h.args[0], h.args[1]))),
            op::GC_MARK_ASSIST_START => (Kind::GcMarkAssistBegin, NONE),
            op::GC_MARK_ASSIST_DONE => (Kind::GcMarkAssistEnd, NONE),
            op::USER_TASK_CREATE => {
                (Kind::TaskBegin, out.push_wide(Args::of_task(h.args[0], h.args[1], text(h.args[2]))))
            }
            op::USER_TASK_END => (Kind::TaskEnd, out.push_wide(Args::of_task_end(h.args[0]))),
            op::USER_REGION => {
                let kind = match h.args[1] {
                    0 => Kind::RegionBegin,
                    1 => Kind::RegionEnd,
                    _ => return self.faults.regions += 1,
                };
                (kind, out.push_wide(Args::of_region(h.args[0], text(h.args[2]))))
            }
            op::USER_LOG => {
                (Kind::Log, out.push_wide(Args::of_log(h.args[0], text(h.args[1]), layout.message(h.args[3]))))
            }
            // That the last wakeup was futile says nothing that its own events do not show.
            op::FUTILE_WAKEUP => return,
            _ => return,
        };
        self.emit(out, row);
    }
}

/// A row about nothing and nobody.
fn nobody(time: Time) -> Row {
    Row { time, kind: Kind::Sync, go: NONE, by: NONE, proc: NONE16, thread: NONE16, stack: NONE, arg: NONE }
}
