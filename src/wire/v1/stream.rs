//! The events of one P, one after the other, through all its batches.

use super::record::{record, varint};
use super::scan::Batch;
use super::spec::{TABLE, Turn, op};
use crate::wire::event::NONE;

/// The event that a stream has come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// When, in ticks.
    pub ts: u64,
    /// Arguments, and the stack behind them. A log's fourth is the offset of the end of its numbers.
    pub args: [u64; 4],
    /// The file's number of the stack, 0 if none.
    pub stack: u32,
    /// Position of the goroutine that the P was running; `NONE` if none.
    pub go: u32,
    /// Position of the goroutine that the first argument names, for the types whose first argument is one.
    pub target: u32,
    /// Its type.
    pub op: u8,
}

/// How far a P's events have been read.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// The next batch.
    next: usize,
    pos: usize,
    end: usize,
    /// Bytes of the batches begun so far.
    begun: u64,
    ts: u64,
    /// Position of the goroutine that the P is running.
    go: u32,
    /// How many records were left out because numbers were missing.
    pub short: u32,
}

impl Stream {
    /// Before the first event.
    pub fn new() -> Stream {
        Stream { next: 0, pos: 0, end: 0, begun: 0, ts: 0, go: NONE, short: 0 }
    }

    /// How many bytes of batches have been read.
    pub fn read(&self) -> u64 {
        self.begun - (self.end - self.pos) as u64
    }

    /// Reads the next event of these batches into `head`; false at the end. `position` gives the position of a goroutine
    /// by its number.
    #[inline]
    pub fn advance(
        &mut self,
        data: &[u8],
        batches: &[Batch],
        head: &mut Head,
        mut position: impl FnMut(u64) -> u32,
    ) -> bool {
        loop {
            if self.pos >= self.end {
                let Some(b) = batches.get(self.next) else { return false };
                (self.pos, self.end, self.ts) = (b.start, b.end, b.ts);
                self.begun += (b.end - b.start) as u64;
                self.next += 1;
                continue;
            }
            let Some(data) = data.get(..self.end) else { return false };
            let first = data[self.pos];
            let (op, bits) = (first & 0x3f, first >> 6);
            let spec = &TABLE[op as usize];
            // Where the numbers begin and end, how many there are at most, and where the next record begins; the first
            // pass has been here, so there always is one.
            let (mut pos, end, numbers, next) = if bits < 3 && spec.turn != Turn::None {
                (self.pos + 1, self.end, usize::from(bits) + 1, None)
            } else {
                let Ok(r) = record(data, self.pos) else { return false };
                (r.body, r.end, usize::from(spec.numbers), Some(r.next))
            };
            if spec.turn == Turn::None {
                self.pos = next.unwrap_or(self.end);
                continue;
            }
            head.args = [0; 4];
            let mut count = 0;
            while count < numbers && pos < end {
                let Ok(n) = varint(data, &mut pos) else { break };
                match count {
                    0 => self.ts = self.ts.wrapping_add(n),
                    _ => head.args[(count - 1) & 3] = n,
                }
                count += 1;
            }
            self.pos = next.unwrap_or(pos);
            if count < spec.needed as usize {
                // What is left out still counts for the times of what follows.
                self.short += 1;
                continue;
            }
            head.ts = self.ts;
            head.op = op;
            head.go = self.go;
            head.target = NONE;
            // The runtime's stack numbers have 32 bits.
            head.stack = if spec.stack { head.args[(spec.numbers as usize - 2) & 3] as u32 } else { 0 };
            match spec.turn {
                Turn::None | Turn::Stays => {}
                Turn::Leaves => self.go = NONE,
                Turn::Names => head.target = position(head.args[0]),
                Turn::Comes => {
                    head.target = position(head.args[0]);
                    self.go = head.target;
                }
            }
            if op == op::USER_LOG {
                head.args[3] = end as u64;
            }
            return true;
        }
    }
}
