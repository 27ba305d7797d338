//! One thread's events of one generation, decoded one at a time.

use super::batch::Batch;
use super::generation::Clock;
use super::spec::{ARG_COUNTS, INVALID, MAX_ARGS};
use crate::base::Time;
use crate::plain;
use crate::wire::error::{Error, ErrorKind};

/// An event at the head of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// Type byte; 0 when the stream is at its end.
    pub op: u8,
    /// When.
    pub time: Time,
    /// Arguments after the time delta.
    pub args: [u64; MAX_ARGS],
}

/// Where a stream stands, so that it can be taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    next_batch: u32,
    pos: u64,
    ts: u64,
}

plain!(Mark { next_batch: u32, pos: u64, ts: u64 });

/// The events of one thread, over all its batches of a generation.
#[derive(Clone, Debug)]
pub struct Stream {
    pos: usize,
    end: usize,
    ts: u64,
    /// The event that is next.
    pub head: Head,
    /// Where the head begins, and the clock before it.
    head_pos: usize,
    head_ts: u64,
    next_batch: usize,
    batches: Vec<Batch>,
}

/// The longest event: a type byte and five numbers of ten bytes, rounded up.
const WINDOW: usize = 64;

impl Stream {
    /// A stream over a thread's batches, in file order. [`advance`](Self::advance) makes the first event its head.
    pub fn new(batches: Vec<Batch>) -> Stream {
        Stream { pos: 0, end: 0, ts: 0, head: Head::default(), head_pos: 0, head_ts: 0, next_batch: 0, batches }
    }

    /// Where the head begins.
    pub fn mark(&self) -> Mark {
        Mark { next_batch: self.next_batch as u32, pos: self.head_pos as u64, ts: self.head_ts }
    }

    /// Goes back (or on) to a mark of this stream and decodes the head there.
    pub fn seek(&mut self, data: &[u8], clock: Clock, mark: Mark) -> Result<(), Error> {
        self.next_batch = mark.next_batch as usize;
        self.pos = usize::try_from(mark.pos).unwrap_or(usize::MAX);
        self.ts = mark.ts;
        let batch = self.next_batch.checked_sub(1).and_then(|i| self.batches.get(i));
        self.end = batch.map_or(0, |b| (b.offset + b.len as usize).min(data.len()));
        self.advance(data, clock)
    }

    /// Makes the next event the head; `op` 0 at the end. After an error in a batch the stream goes on with its next
    /// batch at the next call.
    #[inline]
    pub fn advance(&mut self, data: &[u8], clock: Clock) -> Result<(), Error> {
        if self.pos >= self.end && !self.next_batch(data) {
            return Ok(());
        }
        self.head_pos = self.pos;
        self.head_ts = self.ts;
        let decoded = match data.get(self.pos..self.pos + WINDOW) {
            Some(w) => decode(w.try_into().expect("the window has its length"), &mut self.head),
            None => self.decode_last(data),
        };
        let fault = match decoded {
            Ok((dt, len)) if self.pos + len <= self.end => {
                self.pos += len;
                self.ts = self.ts.saturating_add(dt);
                self.head.time = clock.time(self.ts);
                return Ok(());
            }
            Ok(_) => ErrorKind::Truncated("an event"),
            Err(kind) => kind,
        };
        // Events have no lengths: what follows in this batch cannot be found.
        let at = self.pos as u64;
        self.pos = self.end;
        Err(Error::new(at, fault))
    }

    /// Goes to the next batch that has any bytes; false, with an empty head, if there is none.
    #[cold]
    fn next_batch(&mut self, data: &[u8]) -> bool {
        while self.pos >= self.end {
            let Some(b) = self.batches.get(self.next_batch) else {
                self.head.op = 0;
                self.head_pos = self.pos;
                self.head_ts = self.ts;
                return false;
            };
            self.next_batch += 1;
            self.pos = b.offset;
            self.end = (b.offset + b.len as usize).min(data.len());
            self.ts = b.ts;
        }
        true
    }

    /// Decodes near the end of the file, where there is no whole window.
    #[cold]
    fn decode_last(&mut self, data: &[u8]) -> Result<(u64, usize), ErrorKind> {
        let mut w = [0u8; WINDOW];
        let rest = &data[self.pos..];
        w[..rest.len()].copy_from_slice(rest);
        decode(&w, &mut self.head)
    }
}

/// Decodes the event at the start of a window into `head`, but for its time. Returns the time delta and the length in
/// bytes.
#[inline(always)]
fn decode(w: &[u8; WINDOW], head: &mut Head) -> Result<(u64, usize), ErrorKind> {
    let op = w[0];
    let count = ARG_COUNTS[op as usize];
    if count == INVALID {
        return Err(ErrorKind::UnknownEvent(op));
    }
    head.op = op;
    let mut at = 1;
    let dt = varint(w, &mut at)?;
    for a in head.args.iter_mut().take(count as usize) {
        *a = varint(w, &mut at)?;
    }
    Ok((dt, at))
}

/// The number at `at`, which moves past it. Masking keeps the compiler sure that the window is long enough, which five
/// numbers of at most ten bytes are anyway.
#[inline(always)]
fn varint(w: &[u8; WINDOW], at: &mut usize) -> Result<u64, ErrorKind> {
    let b0 = w[*at & (WINDOW - 1)];
    if b0 < 0x80 {
        *at += 1;
        return Ok(u64::from(b0));
    }
    let b1 = w[(*at + 1) & (WINDOW - 1)];
    if b1 < 0x80 {
        *at += 2;
        return Ok(u64::from(b0 & 0x7f) | u64::from(b1) << 7);
    }
    long_varint(w, at)
}

#[inline(never)]
fn long_varint(w: &[u8; WINDOW], at: &mut usize) -> Result<u64, ErrorKind> {
    let mut value = 0u64;
    for i in 0..10 {
        let b = w[(*at + i) & (WINDOW - 1)];
        if i == 9 && b > 1 {
            break;
        }
        value |= u64::from(b & 0x7f) << (7 * i);
        if b < 0x80 {
            *at += i + 1;
            return Ok(value);
        }
    }
    Err(ErrorKind::BadVarint("an event"))
}
