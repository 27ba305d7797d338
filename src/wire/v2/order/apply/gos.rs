//! Events that change what a goroutine does.

use super::super::super::batch::NO_THREAD;
use super::super::super::spec::id;
use super::super::{Go, Orderer, P, Step};
use super::Head;
use crate::base::Time;
use crate::wire::event::{Events, GoState, Kind, NONE, NONE16, Row};

impl Orderer<'_> {
    /// The goroutine of the first argument goes from one state to another, if it is there and the second argument is its
    /// next number in sequence, or by force. Its position; `None` if that cannot be yet.
    fn step(&mut self, head: &Head, from: GoState, to: GoState) -> Option<u32> {
        let go = self.gos.in_turn(head.args[0], head.args[1], from, to);
        if go.is_some() || !head.force {
            return go;
        }
        let g = self.go(head.args[0]);
        self.put(g, Go::new(head.args[1], to));
        Some(g)
    }

    fn put(&mut self, go: u32, row: Go) {
        if let Some(g) = self.gos.get_mut(go) {
            *g = row;
        }
    }

    pub(super) fn go_start(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let Some(go) = self.step(head, GoState::Runnable, GoState::Running) else { return Step::NotYet };
        self.bind(head.thread, go);
        self.done(out, Row { go, by: NONE, ..head.row(time, Kind::GoStart) })
    }

    pub(super) fn go_unblock(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let Some(go) = self.step(head, GoState::Waiting, GoState::Runnable) else { return Step::NotYet };
        let stack = self.stack(head.args[2]);
        self.done(out, Row { go, stack, ..head.row(time, Kind::GoUnblock) })
    }

    /// A goroutine blocks, or stops and could go on.
    pub(super) fn go_leaves(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let (state, kind) = match head.op {
            id::GO_BLOCK => (GoState::Waiting, Kind::GoBlock),
            _ => (GoState::Runnable, Kind::GoStop),
        };
        if !self.leave(head.thread, head.go, state) {
            return self.dropped();
        }
        let (arg, stack) = (self.text(head.args[0]), self.stack(head.args[1]));
        self.done(out, Row { arg, stack, ..head.row(time, kind) })
    }

    pub(super) fn syscall_begin(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let Some(go) = self.gos.get_mut(head.go) else { return self.dropped() };
        go.enter(GoState::Syscall);
        if let Some(p) = self.procs.get_mut(head.proc as usize) {
            p.state = P::Syscall;
            p.seq = head.args[0];
        }
        let stack = self.stack(head.args[1]);
        self.done(out, Row { stack, ..head.row(time, Kind::GoSyscallBegin) })
    }

    pub(super) fn syscall_end(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let Some(go) = self.gos.get_mut(head.go) else { return self.dropped() };
        go.enter(GoState::Running);
        if let Some(p) = self.procs.get_mut(head.proc as usize) {
            p.state = P::Running;
        }
        self.done(out, head.row(time, Kind::GoSyscallEnd))
    }

    pub(super) fn syscall_end_blocked(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        if !head.force && self.procs.get(head.proc as usize).is_some_and(|p| p.state == P::Syscall) {
            return Step::NotYet;
        }
        let Some(go) = self.gos.get_mut(head.go) else { return self.dropped() };
        go.enter(GoState::Runnable);
        self.bind(head.thread, NONE);
        self.done(out, head.row(time, Kind::GoSyscallEndBlocked))
    }

    /// A goroutine is created; a blocked one waits for a coroutine's switch.
    pub(super) fn go_create(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let go = self.go(head.args[0]);
        let (state, kind) = match head.op {
            id::GO_CREATE => (GoState::Runnable, Kind::GoCreate),
            _ => (GoState::Waiting, Kind::GoCreateBlocked),
        };
        self.put(go, Go::new(0, state));
        let (arg, stack) = (self.stack(head.args[1]), self.stack(head.args[2]));
        self.done(out, Row { go, arg, stack, ..head.row(time, kind) })
    }

    /// A thread of C calls into Go.
    pub(super) fn go_create_syscall(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let go = self.go(head.args[0]);
        self.put(go, Go::new(0, GoState::Syscall));
        self.bind(head.thread, go);
        self.done(out, Row { go, ..head.row(time, Kind::GoCreateSyscall) })
    }

    /// A goroutine ends, or a thread of C is done with Go.
    pub(super) fn go_destroy(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        if !self.leave(head.thread, head.go, GoState::NotExist) {
            return self.dropped();
        }
        if head.op == id::GO_DESTROY {
            return self.done(out, head.row(time, Kind::GoDestroy));
        }
        if let Some(p) = self.procs.get_mut(head.proc as usize) {
            // The P counts as lost now: the thread's number may be used again before the P is seen elsewhere.
            p.state = P::Abandoned;
            self.hold(head.thread, NONE16);
            self.emit(out, Row { arg: u32::from(head.proc), go: NONE, ..head.row(time, Kind::ProcSteal) });
        }
        self.done(out, head.row(time, Kind::GoDestroySyscall))
    }

    /// What a goroutine was doing when the generation began.
    pub(super) fn go_status(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let state = match head.args[2] {
            1 => GoState::Runnable,
            2 => GoState::Running,
            3 => GoState::Syscall,
            4 => GoState::Waiting,
            _ => return self.dropped(),
        };
        let go = self.go(head.args[0]);
        self.put(go, Go::new(0, state));
        let mut thread = head.thread;
        match state {
            GoState::Running => self.bind(head.thread, go),
            GoState::Syscall if head.args[1] != NO_THREAD => {
                thread = self.thread(head.args[1]);
                // A goroutine that sat in a syscall all the time is stated by nobody's thread.
                if thread == head.thread || self.threads.get(thread as usize).is_some_and(|m| m.go == NONE) {
                    self.bind(thread, go);
                }
            }
            _ => {}
        }
        let stack = if head.op == id::GO_STATUS_STACK { self.stack(head.args[3]) } else { NONE };
        self.done(out, Row { go, thread, stack, arg: state as u32, ..head.row(time, Kind::GoStatus) })
    }

    /// A coroutine hands its thread to another. One event on the wire, three things that happen.
    pub(super) fn go_switch(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let to = self.gos.find(head.args[0]);
        let ready = |go: Go| go.expects(head.args[1], GoState::Waiting);
        if !head.force && !self.gos.get(to).is_some_and(ready) {
            return Step::NotYet;
        }
        let (state, kind) = match head.op {
            id::GO_SWITCH => (GoState::Waiting, Kind::GoBlock),
            _ => (GoState::NotExist, Kind::GoDestroy),
        };
        if !self.leave(head.thread, head.go, state) {
            return self.dropped();
        }
        let go = self.go(head.args[0]);
        self.put(go, Go::new(head.args[1], GoState::Running));
        self.emit(out, Row { go, ..head.row(time, Kind::GoUnblock) });
        self.emit(out, head.row(time, kind));
        self.bind(head.thread, go);
        self.done(out, Row { go, by: NONE, ..head.row(time, Kind::GoStart) })
    }
}
