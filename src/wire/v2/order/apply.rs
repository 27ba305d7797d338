//! What each event does to the states of goroutines and Ps, and whether it can happen yet.

use super::super::batch::NO_THREAD;
use super::super::spec::id;
use super::{Go, Orderer, P, Proc, Step};
use crate::wire::event::{Events, GoState, Kind, NONE, NONE16, ProcState, Row};

impl Orderer<'_> {
    /// Applies a stream's head, and appends what it says to `out`. With `force`, an event that would have to wait is
    /// taken as it is.
    pub(super) fn apply(&mut self, stream: u16, force: bool, out: &mut Events) -> Step {
        let head = &self.streams[stream as usize].head;
        let (op, head_time, args) = (head.op, head.time, head.args);
        let t = self.stream_threads[stream as usize];
        let (by, proc) = match self.threads.get(t as usize) {
            Some(th) => (th.go, th.proc),
            None => (NONE, NONE16),
        };
        // Statuses that no thread wrote may come from well after the switch of generations; they must not push the clock.
        let time = if t == NONE16 { head_time.min(self.cut()) } else { head_time };
        let mut row = Row { time, kind: Kind::Sync, go: by, by, proc, thread: t, stack: NONE, arg: NONE };
        macro_rules! text {
            ($i:expr) => {
                self.gen_tables.string_ids.get(args[$i])
            };
        }
        macro_rules! stack {
            ($i:expr) => {
                self.gen_tables.stack_ids.get(args[$i])
            };
        }
        match op {
            id::GO_START => {
                let g = self.known_go(args[0]);
                match self.gos.get_mut(g as usize) {
                    Some(go) if go.state == GoState::Runnable && args[1] == go.seq.wrapping_add(1) => {
                        go.state = GoState::Running;
                        go.seq = args[1];
                        row.go = g;
                    }
                    _ if force => {
                        let g = self.go(args[0]);
                        self.gos[g as usize] = Go { state: GoState::Running, seq: args[1] };
                        row.go = g;
                    }
                    _ => return Step::NotYet,
                }
                row.kind = Kind::GoStart;
                row.by = NONE;
                self.bind(t, row.go);
            }
            id::GO_UNBLOCK => {
                let g = self.known_go(args[0]);
                match self.gos.get_mut(g as usize) {
                    Some(go) if go.state == GoState::Waiting && args[1] == go.seq.wrapping_add(1) => {
                        go.state = GoState::Runnable;
                        go.seq = args[1];
                        row.go = g;
                    }
                    _ if force => {
                        let g = self.go(args[0]);
                        self.gos[g as usize] = Go { state: GoState::Runnable, seq: args[1] };
                        row.go = g;
                    }
                    _ => return Step::NotYet,
                }
                row.kind = Kind::GoUnblock;
                row.stack = stack!(2);
            }
            id::GO_BLOCK | id::GO_STOP => {
                if !self.leave(t, by, if op == id::GO_BLOCK { GoState::Waiting } else { GoState::Runnable }) {
                    return self.dropped();
                }
                row.kind = if op == id::GO_BLOCK { Kind::GoBlock } else { Kind::GoStop };
                row.arg = text!(0);
                row.stack = stack!(1);
            }
            id::GO_SYSCALL_BEGIN => {
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Syscall;
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    p.state = P::Syscall;
                    p.seq = args[0];
                }
                row.kind = Kind::GoSyscallBegin;
                row.stack = stack!(1);
            }
            id::GO_SYSCALL_END => {
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Running;
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    p.state = P::Running;
                }
                row.kind = Kind::GoSyscallEnd;
            }
            id::GO_SYSCALL_END_BLOCKED => {
                if !force && self.procs.get(proc as usize).is_some_and(|p| p.state == P::Syscall) {
                    return Step::NotYet;
                }
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Runnable;
                self.bind(t, NONE);
                row.kind = Kind::GoSyscallEndBlocked;
            }
            id::GO_CREATE | id::GO_CREATE_BLOCKED => {
                let g = self.go(args[0]);
                let blocked = op == id::GO_CREATE_BLOCKED;
                let state = if blocked { GoState::Waiting } else { GoState::Runnable };
                self.gos[g as usize] = Go { seq: 0, state };
                row.kind = if blocked { Kind::GoCreateBlocked } else { Kind::GoCreate };
                row.go = g;
                row.arg = stack!(1);
                row.stack = stack!(2);
            }
            id::GO_CREATE_SYSCALL => {
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: 0, state: GoState::Syscall };
                self.bind(t, g);
                row.kind = Kind::GoCreateSyscall;
                row.go = g;
            }
            id::GO_DESTROY => {
                if !self.leave(t, by, GoState::NotExist) {
                    return self.dropped();
                }
                row.kind = Kind::GoDestroy;
            }
            id::GO_DESTROY_SYSCALL => {
                if !self.leave(t, by, GoState::NotExist) {
                    return self.dropped();
                }
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    // The P counts as lost now: the thread's number may be used again before the P is seen elsewhere.
                    p.state = P::Abandoned;
                    self.hold(t, NONE16);
                    self.emit(out, Row { kind: Kind::ProcSteal, arg: u32::from(proc), go: NONE, ..row });
                }
                row.kind = Kind::GoDestroySyscall;
            }
            id::GO_STATUS | id::GO_STATUS_STACK => {
                let state = match args[2] {
                    1 => GoState::Runnable,
                    2 => GoState::Running,
                    3 => GoState::Syscall,
                    4 => GoState::Waiting,
                    _ => return self.dropped(),
                };
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: 0, state };
                match state {
                    GoState::Running => self.bind(t, g),
                    GoState::Syscall if args[1] != NO_THREAD => {
                        let m = self.thread(args[1]);
                        // A goroutine that sat in a syscall all the time is stated by nobody's thread.
                        if m == t || self.threads.get(m as usize).is_some_and(|m| m.go == NONE) {
                            self.bind(m, g);
                        }
                        row.thread = m;
                    }
                    _ => {}
                }
                row.kind = Kind::GoStatus;
                row.go = g;
                row.arg = state as u32;
                if op == id::GO_STATUS_STACK {
                    row.stack = stack!(3);
                }
            }
            id::GO_SWITCH | id::GO_SWITCH_DESTROY => {
                let g = self.known_go(args[0]);
                let ready = self
                    .gos
                    .get(g as usize)
                    .is_some_and(|go| go.state == GoState::Waiting && args[1] == go.seq.wrapping_add(1));
                if !ready && !force {
                    return Step::NotYet;
                }
                let destroy = op == id::GO_SWITCH_DESTROY;
                if !self.leave(t, by, if destroy { GoState::NotExist } else { GoState::Waiting }) {
                    return self.dropped();
                }
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: args[1], state: GoState::Running };
                // One event on the wire, three things that happen.
                self.emit(out, Row { kind: Kind::GoUnblock, go: g, ..row });
                let kind = if destroy { Kind::GoDestroy } else { Kind::GoBlock };
                self.emit(out, Row { kind, go: by, ..row });
                self.bind(t, g);
                row.kind = Kind::GoStart;
                row.go = g;
                row.by = NONE;
            }
            id::PROC_START => {
                let p = self.known_proc(args[0]);
                let free = proc == NONE16;
                match self.procs.get_mut(p as usize) {
                    Some(s) if free && s.state == P::Idle && args[1] == s.seq.wrapping_add(1) => {}
                    _ if force => {}
                    _ => return Step::NotYet,
                }
                let p = self.proc(args[0]);
                if let Some(s) = self.procs.get_mut(p as usize) {
                    *s = Proc { seq: args[1], state: P::Running };
                }
                self.hold(t, p);
                row.kind = Kind::ProcStart;
                row.arg = u32::from(p);
            }
            id::PROC_STOP => {
                let Some(p) = self.procs.get_mut(proc as usize) else { return self.dropped() };
                p.state = P::Idle;
                self.hold(t, NONE16);
                row.kind = Kind::ProcStop;
                row.arg = u32::from(proc);
            }
            id::PROC_STEAL => {
                let p = self.known_proc(args[0]);
                match self.procs.get(p as usize) {
                    Some(s) if matches!(s.state, P::Syscall | P::Abandoned) && args[1] == s.seq.wrapping_add(1) => {}
                    _ if force => {}
                    _ => return Step::NotYet,
                }
                let p = self.proc(args[0]);
                let mut abandoned = false;
                if let Some(s) = self.procs.get_mut(p as usize) {
                    abandoned = s.state == P::Abandoned;
                    *s = Proc { seq: args[1], state: P::Idle };
                }
                if !abandoned && args[2] != NO_THREAD {
                    let m = self.thread(args[2]);
                    if self.threads.get(m as usize).is_some_and(|m| m.proc == p) {
                        self.hold(m, NONE16);
                    }
                }
                row.kind = Kind::ProcSteal;
                row.arg = u32::from(p) | u32::from(abandoned) << 31;
            }
            id::PROC_STATUS => {
                let (state, shown) = match args[1] {
                    1 => (P::Running, ProcState::Running),
                    2 => (P::Idle, ProcState::Idle),
                    3 => (P::Syscall, ProcState::Running),
                    4 => (P::Abandoned, ProcState::Idle),
                    _ => return self.dropped(),
                };
                let p = self.proc(args[0]);
                if let Some(s) = self.procs.get_mut(p as usize) {
                    *s = Proc { seq: 0, state };
                }
                if shown == ProcState::Running {
                    self.hold(t, p);
                }
                row.kind = Kind::ProcStatus;
                row.arg = out.push_wide([u64::from(p), shown as u64, u64::from(state == P::Abandoned), 0]);
            }
            id::PROCS_CHANGE => {
                row.kind = Kind::ProcsChange;
                row.arg = out.push_wide([args[0], 0, 0, 0]);
                row.stack = stack!(1);
            }
            id::HEAP_ALLOC | id::HEAP_GOAL => {
                row.kind = if op == id::HEAP_ALLOC { Kind::HeapAlloc } else { Kind::HeapGoal };
                row.arg = out.push_wide([args[0], 0, 0, 0]);
            }
            id::GC_ACTIVE | id::GC_BEGIN | id::GC_END => {
                row.kind = match op {
                    id::GC_ACTIVE => Kind::GcActive,
                    id::GC_BEGIN => Kind::GcBegin,
                    _ => Kind::GcEnd,
                };
                row.arg = out.push_wide([args[0], 0, 0, 0]);
                if op == id::GC_BEGIN {
                    row.stack = stack!(1);
                }
            }
            id::STW_BEGIN => {
                row.kind = Kind::StwBegin;
                row.arg = text!(0);
                row.stack = stack!(1);
                self.stw = row.arg;
            }
            id::STW_END => {
                row.kind = Kind::StwEnd;
                row.arg = self.stw;
            }
            id::GC_SWEEP_ACTIVE => {
                row.kind = Kind::GcSweepActive;
                row.arg = u32::from(self.proc(args[0]));
            }
            id::GC_SWEEP_BEGIN => {
                row.kind = Kind::GcSweepBegin;
                row.stack = stack!(0);
            }
            id::GC_SWEEP_END => {
                row.kind = Kind::GcSweepEnd;
                row.arg = out.push_wide([args[0], args[1], 0, 0]);
            }
            id::GC_MARK_ASSIST_ACTIVE => {
                row.kind = Kind::GcMarkAssistActive;
                row.go = self.go(args[0]);
            }
            id::GC_MARK_ASSIST_BEGIN => {
                row.kind = Kind::GcMarkAssistBegin;
                row.stack = stack!(0);
            }
            id::GC_MARK_ASSIST_END => row.kind = Kind::GcMarkAssistEnd,
            id::GO_LABEL => {
                row.kind = Kind::GoLabel;
                row.arg = text!(0);
            }
            id::TASK_BEGIN => {
                row.kind = Kind::TaskBegin;
                row.arg = out.push_wide([args[0], args[1], u64::from(text!(2)), 0]);
                row.stack = stack!(3);
            }
            id::TASK_END => {
                row.kind = Kind::TaskEnd;
                row.arg = out.push_wide([args[0], 0, u64::from(NONE), 0]);
                row.stack = stack!(1);
            }
            id::REGION_BEGIN | id::REGION_END => {
                row.kind = if op == id::REGION_BEGIN { Kind::RegionBegin } else { Kind::RegionEnd };
                row.arg = out.push_wide([args[0], u64::from(text!(1)), 0, 0]);
                row.stack = stack!(2);
            }
            id::LOG => {
                row.kind = Kind::Log;
                row.arg = out.push_wide([args[0], u64::from(text!(1)), u64::from(text!(2)), 0]);
                row.stack = stack!(3);
            }
            op => {
                row.kind = match op {
                    id::SPAN => Kind::Span,
                    id::SPAN_ALLOC => Kind::SpanAlloc,
                    id::SPAN_FREE => Kind::SpanFree,
                    id::HEAP_OBJECT => Kind::HeapObject,
                    id::HEAP_OBJECT_ALLOC => Kind::HeapObjectAlloc,
                    id::HEAP_OBJECT_FREE => Kind::HeapObjectFree,
                    id::GOROUTINE_STACK => Kind::GoroutineStack,
                    id::GOROUTINE_STACK_ALLOC => Kind::GoroutineStackAlloc,
                    _ => Kind::GoroutineStackFree,
                };
                row.arg = out.push_wide(args);
            }
        }
        self.emit(out, row);
        Step::Done
    }
}
