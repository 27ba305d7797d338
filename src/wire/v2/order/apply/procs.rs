//! Events that change what a P does.

use super::super::super::batch::NO_THREAD;
use super::super::{Orderer, P, Proc, Step};
use super::Head;
use crate::base::Time;
use crate::wire::args::Args;
use crate::wire::event::{Events, Kind, NONE16, ProcState, Row};

impl Orderer<'_> {
    pub(super) fn proc_start(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let free = head.proc == NONE16;
        let ready = |s: &Proc| free && s.state == P::Idle && head.args[1] == s.seq.wrapping_add(1);
        if !head.force && !self.procs.get(self.known_proc(head.args[0]) as usize).is_some_and(ready) {
            return Step::NotYet;
        }
        let p = self.proc(head.args[0]);
        if let Some(s) = self.procs.get_mut(p as usize) {
            *s = Proc { seq: head.args[1], state: P::Running };
        }
        self.hold(head.thread, p);
        self.done(out, Row { arg: u32::from(p), ..head.row(time, Kind::ProcStart) })
    }

    pub(super) fn proc_stop(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let Some(p) = self.procs.get_mut(head.proc as usize) else { return self.dropped() };
        p.state = P::Idle;
        self.hold(head.thread, NONE16);
        self.done(out, Row { arg: u32::from(head.proc), ..head.row(time, Kind::ProcStop) })
    }

    /// A P is taken from a thread that sits in a syscall.
    pub(super) fn proc_steal(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let ready = |s: &Proc| matches!(s.state, P::Syscall | P::Abandoned) && head.args[1] == s.seq.wrapping_add(1);
        if !head.force && !self.procs.get(self.known_proc(head.args[0]) as usize).is_some_and(ready) {
            return Step::NotYet;
        }
        let p = self.proc(head.args[0]);
        let mut abandoned = false;
        if let Some(s) = self.procs.get_mut(p as usize) {
            abandoned = s.state == P::Abandoned;
            *s = Proc { seq: head.args[1], state: P::Idle };
        }
        if !abandoned && head.args[2] != NO_THREAD {
            let m = self.thread(head.args[2]);
            if self.threads.get(m as usize).is_some_and(|m| m.proc == p) {
                self.hold(m, NONE16);
            }
        }
        self.done(out, Row { arg: Row::of_stolen(p, abandoned), ..head.row(time, Kind::ProcSteal) })
    }

    /// What a P was doing when the generation began.
    pub(super) fn proc_status(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let (state, shown) = match head.args[1] {
            1 => (P::Running, ProcState::Running),
            2 => (P::Idle, ProcState::Idle),
            3 => (P::Syscall, ProcState::Running),
            4 => (P::Abandoned, ProcState::Idle),
            _ => return self.dropped(),
        };
        let p = self.proc(head.args[0]);
        if let Some(s) = self.procs.get_mut(p as usize) {
            *s = Proc { seq: 0, state };
        }
        if shown == ProcState::Running {
            self.hold(head.thread, p);
        }
        let arg = out.push_wide(Args::of_proc(p, shown, state == P::Abandoned));
        self.done(out, Row { arg, ..head.row(time, Kind::ProcStatus) })
    }
}
