//! The events of one P, one after the other, through all its batches.

use super::record::record;
use super::scan::Batch;
use super::spec::{self, Role, op};
use crate::wire::event::NONE;

/// The event that a stream has come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// When, in ticks.
    pub ts: u64,
    /// Its type.
    pub op: u8,
    /// Position of the goroutine that the P was running; `NONE` if none.
    pub go: u32,
    /// Position of the goroutine that the first argument names, for the types whose first argument is one.
    pub target: u32,
    /// The file's number of the stack, 0 if none.
    pub stack: u64,
    /// Arguments. A log's third is the offset of its message.
    pub args: [u64; 4],
}

/// A reader of one P's events.
#[derive(Clone, Debug)]
pub struct Stream {
    batches: Vec<Batch>,
    /// The next batch.
    next: usize,
    pos: usize,
    end: usize,
    ts: u64,
    /// Position of the goroutine that the P is running.
    go: u32,
    /// How many records were left out because numbers were missing.
    pub short: u64,
}

impl Stream {
    /// Before the first event of these batches.
    pub fn new(batches: Vec<Batch>) -> Stream {
        Stream { batches, next: 0, pos: 0, end: 0, ts: 0, go: NONE, short: 0 }
    }

    /// Reads the next event into `head`; false at the end. `position` gives the position of a goroutine by its number.
    #[inline]
    pub fn advance(&mut self, data: &[u8], minor: u32, head: &mut Head, mut position: impl FnMut(u64) -> u32) -> bool {
        loop {
            if self.pos >= self.end {
                let Some(b) = self.batches.get(self.next) else { return false };
                (self.pos, self.end, self.ts) = (b.start, b.end, b.ts);
                self.next += 1;
                continue;
            }
            let (Ok(r), Some(data)) = (record(data, self.pos), data.get(..self.end)) else {
                // The first pass has been here, so this is never so.
                self.pos = self.end;
                continue;
            };
            self.pos = r.next;
            let Some(spec) = spec::spec(r.op, minor).filter(|s| s.role == Role::Event) else { continue };
            let mut v = [0u64; 6];
            let args = spec.args as usize;
            let all = 1 + args + usize::from(spec.stack);
            let n = r.numbers(data, &mut v[..all]);
            if n + (spec.optional as usize) < all {
                self.short += 1;
                // Its time still counts for those behind it.
                self.ts = self.ts.wrapping_add(v[0]);
                continue;
            }
            self.ts = self.ts.wrapping_add(v[0]);
            head.ts = self.ts;
            head.op = r.op;
            head.go = self.go;
            head.target = NONE;
            head.stack = if spec.stack { v[args + 1] & 0xffff_ffff } else { 0 };
            head.args = [v[1], v[2], v[3], v[4]];
            match r.op {
                op::GO_START | op::GO_START_LOCAL | op::GO_START_LABEL => {
                    head.target = position(v[1]);
                    self.go = head.target;
                }
                op::GO_END
                | op::GO_STOP
                | op::GO_SCHED
                | op::GO_PREEMPT
                | op::GO_SLEEP
                | op::GO_BLOCK
                | op::GO_BLOCK_SEND
                | op::GO_BLOCK_RECV
                | op::GO_BLOCK_SELECT
                | op::GO_BLOCK_SYNC
                | op::GO_BLOCK_COND
                | op::GO_BLOCK_NET
                | op::GO_SYS_BLOCK
                | op::GO_BLOCK_GC => self.go = NONE,
                op::GO_CREATE
                | op::GO_UNBLOCK
                | op::GO_UNBLOCK_LOCAL
                | op::GO_SYS_EXIT
                | op::GO_SYS_EXIT_LOCAL
                | op::GO_WAITING
                | op::GO_IN_SYSCALL => head.target = position(v[1]),
                op::USER_LOG => head.args[2] = r.end as u64,
                _ => {}
            }
            return true;
        }
    }
}
