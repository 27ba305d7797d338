//! One thread's events of one generation, decoded one at a time.

use super::batch::{Batch, MAX_BATCH};
use super::generation::Clock;
use super::spec::{ARG_COUNTS, INVALID, MAX_ARGS};
use crate::base::Time;
use crate::input::Bytes;
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

/// The events of one thread, over all its batches of a generation, which are read piece by piece.
#[derive(Clone, Debug)]
pub struct Stream {
    /// A piece of a batch, and zeros behind it, so that there is a whole window at every event.
    piece: Vec<u8>,
    /// Where the piece lies in the file.
    base: usize,
    /// Where the next event begins, where it has to begin for the piece to be enough, and where the batch ends; all from
    /// the beginning of the piece on.
    pos: usize,
    near: usize,
    end: usize,
    ts: u64,
    /// The event that is next.
    pub head: Head,
    /// Where the head begins, in the file, and the clock before it.
    head_pos: usize,
    head_ts: u64,
    next_batch: usize,
    batches: Vec<Batch>,
}

/// The longest event, a type byte and five numbers of ten bytes, rounded up to a power of two, and the bytes of a word
/// more: a number is looked at a word at a time.
pub const WINDOW: usize = LONGEST + WORD;
const LONGEST: usize = 64;
const WORD: usize = size_of::<u64>();
/// Bytes that are read at once. There may be some thousand threads, and of each only a few events may be wanted.
const PIECE: usize = 16 << 10;

impl Stream {
    /// A stream over a thread's batches, in file order. [`advance`](Self::advance) makes the first event its head.
    pub fn new(batches: Vec<Batch>) -> Stream {
        Stream {
            piece: Vec::new(),
            base: 0,
            pos: 0,
            near: 0,
            end: 0,
            ts: 0,
            head: Head::default(),
            head_pos: 0,
            head_ts: 0,
            next_batch: 0,
            batches,
        }
    }

    /// Where the head begins.
    pub fn mark(&self) -> Mark {
        Mark { next_batch: self.next_batch as u32, pos: self.head_pos as u64, ts: self.head_ts }
    }

    /// Goes back (or on) to a mark of this stream and decodes the head there.
    pub fn seek(&mut self, data: &Bytes, clock: &Clock, mark: Mark) -> Result<(), Box<Error>> {
        self.next_batch = mark.next_batch as usize;
        self.ts = mark.ts;
        let batch = self.next_batch.checked_sub(1).and_then(|i| self.batches.get(i));
        let end = batch.map_or(0, |b| b.offset + b.len as usize);
        self.read(data, usize::try_from(mark.pos).unwrap_or(usize::MAX), end);
        self.advance(data, clock)
    }

    /// Makes the next event the head; at the end one of type 0, after all others. After an error in a batch the stream goes on with its next
    /// batch at the next call.
    #[inline(always)]
    pub fn advance(&mut self, data: &Bytes, clock: &Clock) -> Result<(), Box<Error>> {
        if self.pos >= self.near && !self.more(data) {
            return Ok(());
        }
        self.head_pos = self.base + self.pos;
        self.head_ts = self.ts;
        let window = self.piece.get(self.pos..self.pos + WINDOW);
        let window = window.and_then(|w| w.try_into().ok()).unwrap_or(&[0; WINDOW]);
        match decode(window, &mut self.head) {
            Some((dt, len)) if self.pos + len <= self.end => {
                self.pos += len;
                self.ts = self.ts.saturating_add(dt);
                self.head.time = clock.time(self.ts);
                Ok(())
            }
            decoded => Err(self.fault(decoded.is_some())),
        }
    }

    /// Whether the head is decoded whole, and not only its type and its time.
    #[inline(always)]
    pub fn is_decoded(&self) -> bool {
        self.base + self.pos != self.head_pos
    }

    /// Where the head begins in the bytes that are read, and the clock before it.
    #[inline(always)]
    pub fn at(&self) -> (usize, u64) {
        (self.head_pos - self.base, self.head_ts)
    }

    /// The bytes that are read, in which there is a whole [`window`] wherever an event may begin, and where the batch ends in
    /// them.
    #[inline(always)]
    pub fn bytes(&self) -> (&[u8], usize) {
        let windows = if self.near == 0 { 0 } else { self.near - 1 + WINDOW };
        (self.piece.get(..windows).unwrap_or_default(), self.end)
    }

    /// The events before `pos` are used, after which the clock says `ts`. The next one is to be decoded.
    #[inline(always)]
    pub fn go_on(&mut self, pos: usize, ts: u64) {
        (self.pos, self.ts) = (pos, ts);
    }

    /// The same, and the next one is the head, of which the type and the time are known: most often a thread's turn is over
    /// there, and what else the event says is decoded when its turn comes.
    #[inline(always)]
    pub fn stop_at(&mut self, pos: usize, ts: u64, (op, time): (u8, Time)) {
        (self.pos, self.ts) = (pos, ts);
        (self.head_pos, self.head_ts) = (self.base + pos, ts);
        (self.head.op, self.head.time) = (op, time);
    }

    /// What is wrong with the event that could not be decoded, or reaches beyond its batch.
    #[cold]
    fn fault(&mut self, cut: bool) -> Box<Error> {
        let op = self.piece.get(self.pos).copied().unwrap_or(0);
        let kind = match ARG_COUNTS[op as usize] {
            INVALID => ErrorKind::UnknownEvent(op),
            _ if cut => ErrorKind::Truncated("an event"),
            _ => ErrorKind::BadVarint("an event"),
        };
        // Events have no lengths: what follows in this batch cannot be found.
        let at = (self.base + self.pos) as u64;
        (self.pos, self.near) = (self.end, self.end);
        Box::new(Error::new(at, kind))
    }

    /// Reads more of the batch, or goes to the next one that has any bytes; false, with an empty head, if there is none.
    #[cold]
    fn more(&mut self, data: &Bytes) -> bool {
        if self.pos < self.end {
            self.read(data, self.base + self.pos, self.base + self.end);
        }
        while self.pos >= self.end {
            let Some(b) = self.batches.get(self.next_batch).copied() else {
                self.head.op = 0;
                self.head.time = Time::MAX;
                self.head_pos = self.base + self.pos;
                self.head_ts = self.ts;
                self.piece = Vec::new();
                return false;
            };
            self.next_batch += 1;
            self.ts = b.ts;
            self.read(data, b.offset, b.offset + b.len as usize);
        }
        true
    }

    /// Reads the piece from `at` on of a batch that goes on to `end`. A file that was cut short meanwhile ends the batch.
    fn read(&mut self, data: &Bytes, at: usize, end: usize) {
        let wanted = end.saturating_sub(at).min(PIECE);
        self.piece.resize(wanted + WINDOW, 0);
        let n = data.read_at(at, &mut self.piece[..wanted]);
        self.piece[n..].fill(0);
        (self.base, self.pos) = (at, 0);
        self.end = if n < wanted { n } else { end.saturating_sub(at) };
        self.near = if self.end > n { n - WINDOW } else { self.end };
    }
}

/// Decodes the event at the start of a window into `head`, but for its time. Returns the time delta and the length in
/// bytes; nothing if this is no event.
#[inline(always)]
fn decode(w: &[u8; WINDOW], head: &mut Head) -> Option<(u64, usize)> {
    let op = w[0];
    let count = ARG_COUNTS[op as usize];
    if count == INVALID {
        return None;
    }
    head.op = op;
    let (dt, mut at) = varint(w, 1);
    let [a, b, c, d] = &mut head.args;
    if count > 0 {
        (*a, at) = varint(w, at);
        if count > 1 {
            (*b, at) = varint(w, at);
            if count > 2 {
                (*c, at) = varint(w, at);
                if count > 3 {
                    (*d, at) = varint(w, at);
                }
            }
        }
    }
    (at < NO_END).then_some((dt, at))
}

/// The bytes from `pos` on; none where no event begins.
#[inline(always)]
pub fn window(bytes: &[u8], pos: usize) -> Option<&[u8; WINDOW]> {
    bytes.get(pos..).and_then(<[u8]>::first_chunk)
}

/// Where a number ends that does not end within ten bytes, or does not fit 64 bits: beyond any batch. So it is enough to ask
/// once for all numbers of an event whether they end within their batch.
const NO_END: usize = 1 << 30;
const _: () = assert!((MAX_BATCH as usize) < NO_END);

/// The number at `at`, and where it ends. Masking keeps the compiler sure that the window is long enough, which five
/// numbers of at most ten bytes are anyway.
#[inline(always)]
pub fn varint(w: &[u8; WINDOW], at: usize) -> (u64, usize) {
    let i = at & (LONGEST - 1);
    let word = u64::from_le_bytes(w[i..i + WORD].try_into().expect("a word has its length"));
    if word & 0x80 == 0 {
        return (word & 0x7f, at + 1);
    }
    let low = word & 0x7f | word >> 1 & 0x3f80;
    if word & 0x8000 == 0 {
        return (low, at + 2);
    }
    if word & 0x80_0000 == 0 {
        return (low | word >> 2 & 0x1f_c000, at + 3);
    }
    long_varint(w, at)
}

#[cold]
#[inline(never)]
fn long_varint(w: &[u8; WINDOW], at: usize) -> (u64, usize) {
    let mut value = 0u64;
    for i in 0..10 {
        let b = w[(at + i) & (LONGEST - 1)];
        if i == 9 && b > 1 {
            break;
        }
        value |= u64::from(b & 0x7f) << (7 * i);
        if b < 0x80 {
            return (value, at + i + 1);
        }
    }
    (0, NO_END)
}
