//! What each event does to the states of goroutines and Ps, and whether it can happen yet.

mod gos;
mod mentions;
mod often;
mod procs;

use super::super::spec::id;
use super::{Orderer, Step};
use crate::base::Time;
use crate::wire::event::{Events, Kind, NONE, NONE16, Row};

/// An event of a stream, and where it comes from.
#[derive(Clone, Copy)]
struct Head {
    op: u8,
    args: [u64; 4],
    thread: u16,
    /// What the thread ran before the event.
    go: u32,
    proc: u16,
    /// Whether it is taken as it is, though the rules do not allow it.
    force: bool,
}

impl Head {
    /// What the event says so far: that it comes from here.
    #[inline]
    fn row(&self, time: Time, kind: Kind) -> Row {
        Row { time, kind, go: self.go, by: self.go, proc: self.proc, thread: self.thread, stack: NONE, arg: NONE }
    }
}

impl Orderer<'_> {
    /// Applies a stream's head, and appends what it says to `out`. With `force`, an event that would have to wait is
    /// taken as it is.
    #[inline(never)]
    pub(super) fn apply(&mut self, stream: u16, force: bool, out: &mut Events) -> Step {
        let head = &self.streams[stream as usize].head;
        let (op, head_time, args) = (head.op, head.time, head.args);
        let thread = self.stream_threads[stream as usize];
        let (go, proc) = match self.threads.get(thread as usize) {
            Some(th) => (th.go, th.proc),
            None => (NONE, NONE16),
        };
        // Statuses that no thread wrote may come from well after the switch of generations; they must not push the clock.
        let time = if thread == NONE16 { head_time.min(self.cut()) } else { head_time };
        let head = Head { op, args, thread, go, proc, force };
        match op {
            id::GO_START => self.go_start(&head, time, out),
            id::GO_UNBLOCK => self.go_unblock(&head, time, out),
            id::GO_BLOCK | id::GO_STOP => self.go_leaves(&head, time, out),
            id::GO_SYSCALL_BEGIN => self.syscall_begin(&head, time, out),
            id::GO_SYSCALL_END => self.syscall_end(&head, time, out),
            id::GO_SYSCALL_END_BLOCKED => self.syscall_end_blocked(&head, time, out),
            id::GO_CREATE | id::GO_CREATE_BLOCKED => self.go_create(&head, time, out),
            id::GO_CREATE_SYSCALL => self.go_create_syscall(&head, time, out),
            id::GO_DESTROY | id::GO_DESTROY_SYSCALL => self.go_destroy(&head, time, out),
            id::GO_STATUS | id::GO_STATUS_STACK => self.go_status(&head, time, out),
            id::GO_SWITCH | id::GO_SWITCH_DESTROY => self.go_switch(&head, time, out),
            id::PROC_START => self.proc_start(&head, time, out),
            id::PROC_STOP => self.proc_stop(&head, time, out),
            id::PROC_STEAL => self.proc_steal(&head, time, out),
            id::PROC_STATUS => self.proc_status(&head, time, out),
            _ => self.mention(&head, time, out),
        }
    }

    /// The text that an argument numbers.
    #[inline]
    fn text(&self, arg: u64) -> u32 {
        self.gen_tables.string_ids.get(arg)
    }

    /// The stack that an argument numbers.
    #[inline]
    fn stack(&self, arg: u64) -> u32 {
        self.gen_tables.stack_ids.get(arg)
    }

    /// The event happens, and says this.
    #[inline]
    fn done(&mut self, out: &mut Events, row: Row) -> Step {
        self.emit(out, row);
        Step::Done
    }
}
