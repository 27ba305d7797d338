//! Finds the batches and generations of a file by their headers alone: some thirty bytes read for each 64 KiB.
//!
//! Source: docs/format.md, section 2. A stray stretch between batches (a program's output that got into the file) is passed
//! over to the next byte that reads like a batch of the same or the next generation.

use super::spec::structural as s;
use crate::base::memory::Most;
use crate::base::text;
use crate::input::{self, Bytes, Peek};
use crate::wire::cursor::Cursor;
use crate::wire::error::{Error, ErrorKind};

/// The largest batch that the format allows, in bytes.
pub const MAX_BATCH: u64 = 64 << 10;
/// Thread number of a batch that belongs to no thread.
pub const NO_THREAD: u64 = u64::MAX;
/// The largest number of an experiment that is believed. Go has had one so far, number 1.
const MAX_EXPERIMENT: u8 = 8;
/// Bytes of the file's header.
pub const HEADER: usize = input::HEADER;

/// What a batch contains.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchKind {
    /// Timed events of one thread.
    Events,
    /// String table.
    Strings,
    /// Stack table.
    Stacks,
    /// CPU samples.
    Samples,
    /// Clock frequency, and from 1.25 on a snapshot of the clocks.
    Clock,
    /// Data of an experiment.
    Experiment(u8),
}

/// Where a batch lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Offset of its data in the file.
    pub offset: usize,
    /// Bytes of data.
    pub len: u32,
    /// The thread that wrote it; [`NO_THREAD`] for none.
    pub thread: u64,
    /// Clock at its start, in clock units.
    pub ts: u64,
    /// What it contains.
    pub kind: BatchKind,
}

/// The batches of one generation.
#[derive(Clone, Debug, Default)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its batches in file order.
    pub batches: Vec<Batch>,
    /// Whether it is certain to be whole.
    pub whole: bool,
    /// Whether bytes were passed over inside it: events may be missing anywhere.
    pub damaged: bool,
    /// Offset of the first byte after it.
    pub end: usize,
}

impl Generation {
    /// The first batch that tells of the clock.
    pub fn clock(&self) -> Option<&Batch> {
        self.batches.iter().find(|b| b.kind == BatchKind::Clock)
    }

    /// Bytes of data in all batches.
    pub fn bytes(&self) -> u64 {
        self.batches.iter().map(|b| u64::from(b.len)).sum()
    }

    /// The times of the batches that threads wrote events to, in units of the trace's clock. When a generation is over and the
    /// next one goes on, the runtime writes, on behalf of no thread, its tables and in what state those goroutines were of
    /// which it said nothing (`traceAdvance` in `runtime/trace.go`): with a million of them that takes a second.
    pub fn times(&self) -> impl Iterator<Item = u64> + '_ {
        self.batches.iter().filter(|b| b.kind == BatchKind::Events && b.thread != NO_THREAD).map(|b| b.ts)
    }
}

/// What a scan of the headers finds.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// The generations in file order.
    pub generations: Vec<Generation>,
    /// Where bytes were passed over: offset and how many.
    pub strays: Vec<(usize, usize)>,
    /// What ended the scan before the end of the file.
    pub error: Option<Error>,
    /// Offset of the header of the next recording in the file, or the file's length.
    pub end: usize,
}

/// A batch's header: a type byte, an experiment, four numbers of ten bytes.
const LONGEST_HEADER: usize = 42;
// Any header and the byte after it fit in what is looked at.
const _: () = assert!(LONGEST_HEADER < input::WINDOW && HEADER + LONGEST_HEADER < input::WINDOW);

impl Scan {
    /// Adds the next batch, to the generation that is open or to a new one. `closed` says whether the last one is known
    /// to be over.
    fn put(&mut self, number: u64, batch: Batch, closed: &mut bool, minor: u32) {
        let same = !*closed && self.generations.last().is_some_and(|g| g.number == number);
        if !same {
            // Before 1.26 the next generation's first batch is what says that this one is over.
            if minor < 26
                && let Some(g) = self.generations.last_mut()
            {
                g.whole = true;
            }
            // There may be a million of them, of a batch or two.
            if let Some(g) = self.generations.last_mut() {
                g.batches.shrink_to_fit();
            }
            self.generations.push(Generation { number, ..Generation::default() });
            *closed = false;
        }
        if let Some(g) = self.generations.last_mut() {
            g.end = batch.offset + batch.len as usize;
            g.batches.push(batch);
        }
    }

    /// Bytes that it may grow by with the next [`LOOK_EVERY`] batches: each may begin a generation, and lists double.
    fn room_to_grow(&self) -> u64 {
        let last = self.generations.last().map_or(0, |g| g.batches.capacity() * size_of::<Batch>());
        let list = self.generations.capacity() * size_of::<Generation>();
        let doubles = |len: usize, capacity: usize, bytes: usize| if capacity - len < LOOK_EVERY { bytes } else { 0 };
        let lists = doubles(self.generations.len(), self.generations.capacity(), list) + last;
        (lists + LOOK_EVERY * (size_of::<Generation>() + 4 * size_of::<Batch>())) as u64
    }

    /// Another recording begins at `end`, where the scan has come as far as `pos`.
    fn end_at(&mut self, end: usize, pos: usize, closed: &mut bool, minor: u32, data: &mut Peek) {
        self.end = end;
        if end < pos {
            // The last batch was cut off: what it says of its length is not there.
            let Some(g) = self.generations.last_mut() else { return };
            match g.batches.last_mut() {
                Some(b) if b.offset < end => b.len = (end - b.offset) as u32,
                _ => _ = g.batches.pop(),
            }
            (g.end, g.whole) = (end, false);
            if g.batches.is_empty() {
                self.generations.pop();
            }
            self.error = Some(Error::new(end as u64, ErrorKind::Truncated("a batch")));
        } else if end > pos {
            let last = self.generations.last().map(|g| g.number);
            match half(data, end, pos, minor) {
                Some((number, batch)) if last.is_none_or(|g| g == number || g.checked_add(1) == Some(number)) => {
                    self.put(number, batch, closed, minor);
                    self.error = Some(Error::new(end as u64, ErrorKind::Truncated("a batch")));
                }
                _ => self.strays.push((pos, end - pos)),
            }
        }
    }
}

/// Scans a file of minor version `minor`, up to where another recording begins.
pub fn scan(data: &[u8], minor: u32) -> Scan {
    scan_in(&mut Peek::of(data), 0, minor, None)
}

/// [`scan`] of the recording whose header lies at `at`.
pub fn scan_at(data: &Bytes, at: usize, minor: u32) -> Scan {
    scan_in(&mut Peek::into(data), at, minor, None)
}

/// [`scan_at`], which ends where the program would come to more than `most`: what is kept of a batch is more than an empty one
/// takes in the file.
///
/// # Errors
///
/// Memory does not suffice for what is to be kept of the headers.
pub fn scan_within(data: &Bytes, at: usize, minor: u32, most: Option<Most>) -> Result<Scan, Error> {
    let scan = scan_in(&mut Peek::into(data), at, minor, most);
    match scan.error {
        Some(e) if matches!(e.kind, ErrorKind::Memory(_)) => Err(e),
        _ => Ok(scan),
    }
}

/// Batches between two looks at how much memory is in use.
const LOOK_EVERY: usize = 16 << 10;

fn scan_in(data: &mut Peek, at: usize, minor: u32, most: Option<Most>) -> Scan {
    let total = data.len();
    let mut out = Scan { end: total, ..Scan::default() };
    let mut pos = at.saturating_add(HEADER).min(total);
    let mut closed = true;
    let mut batches = 0usize;
    while pos < total {
        let window = data.window(pos);
        if window.first() == Some(&s::END_OF_GENERATION) && minor >= 26 {
            pos += 1;
            if let Some(g) = out.generations.last_mut() {
                g.whole = true;
                g.end = pos;
            }
            closed = true;
            continue;
        }
        let last = out.generations.last().map(|g| g.number);
        match header(window, pos, total, minor).and_then(|b| in_turn(b, last, closed, pos)) {
            Ok((number, batch)) => {
                pos = batch.offset + batch.len as usize;
                out.put(number, batch, &mut closed, minor);
                batches += 1;
                if batches.is_multiple_of(LOOK_EVERY)
                    && let Some(held) = most.and_then(|most| most.exceeded(out.room_to_grow()))
                {
                    out.error = Some(Error::new(pos as u64, ErrorKind::Memory(text::bytes(held))));
                    return out;
                }
            }
            Err(error) => {
                if let Some(next) = another(data, &out, at + 1, pos, minor) {
                    out.end_at(next, pos, &mut closed, minor, data);
                    break;
                }
                // The file may simply end here; what looks like another batch in this one's data is none.
                if let Some((number, batch)) = half(data, total, pos, minor)
                    && last.is_none_or(|g| g == number || g.checked_add(1) == Some(number))
                {
                    out.put(number, batch, &mut closed, minor);
                    out.error = Some(error);
                    break;
                }
                if let Some(next) = resync(data, total, pos, minor, last) {
                    out.strays.push((pos, next - pos));
                    if let Some(g) = out.generations.last_mut().filter(|_| !closed) {
                        g.damaged = true;
                    }
                    pos = next;
                    continue;
                }
                out.error = Some(error);
                break;
            }
        }
    }
    // Before 1.26 nothing marks the end of the last generation, but its tables come last.
    if minor < 26
        && out.error.is_none()
        && let Some(g) = out.generations.last_mut()
    {
        g.whole = g.batches.iter().any(|b| b.kind == BatchKind::Clock)
            && g.batches.iter().any(|b| b.kind == BatchKind::Strings)
            && g.batches.iter().rfind(|b| b.len > 0).is_some_and(|b| b.kind != BatchKind::Events);
    }
    out
}

/// Where another recording's header lies that the scan has come upon: at `pos`, behind stray bytes there, or in the data
/// of the batch before or its header, which was cut off. `start` is behind the beginning of this recording's own header.
fn another(data: &mut Peek, scan: &Scan, start: usize, pos: usize, minor: u32) -> Option<usize> {
    let last = scan.generations.last();
    let since = last.and_then(|g| g.batches.last()).map_or(pos, |b| b.offset.saturating_sub(LONGEST_HEADER).min(pos));
    let end = pos.saturating_add(MAX_STRAY);
    let mut from = since.max(start);
    while let Some(at) = data.next_header(from, end) {
        if begins(data, at) {
            // Unless this recording goes on before that.
            let goes_on = at > pos && resync(data, at, pos, minor, last.map(|g| g.number)).is_some();
            return (!goes_on).then_some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether what follows the header at `at` reads as a recording.
fn begins(data: &mut Peek, at: usize) -> bool {
    let body = at + HEADER;
    if body >= data.len() {
        return true;
    }
    let window = data.window(at);
    let after = window.get(HEADER..).unwrap_or_default();
    input::header(window).is_some_and(|v| v < 22 || header(after, body, usize::MAX, v).is_ok())
}

/// Holds a batch's generation against the one before: numbers rise, one by one unless the one before is `closed`.
fn in_turn((number, batch): (u64, Batch), last: Option<u64>, closed: bool, pos: usize) -> Result<(u64, Batch), Error> {
    match last {
        Some(g) if closed && number <= g || !closed && number != g && Some(number) != g.checked_add(1) => {
            let what = format!("a batch of generation {number} after generation {g}");
            Err(Error::new(pos as u64, ErrorKind::Invalid(what)))
        }
        _ => Ok((number, batch)),
    }
}

/// The batch at `pos` as far as there is one, if the bytes end at `total` inside its data.
fn half(data: &mut Peek, total: usize, pos: usize, minor: u32) -> Option<(u64, Batch)> {
    let window = data.window(pos);
    let window = window.get(..total.checked_sub(pos)?.min(window.len()))?;
    let mut c = Cursor::new(window, pos as u64);
    // What follows an experiment's first bytes is no use without the rest.
    if c.byte("a batch").ok()? != s::EVENT_BATCH {
        return None;
    }
    let mut v = [0u64; 4];
    for x in &mut v {
        *x = c.varint("a batch header").ok()?;
    }
    let [number, thread, ts, len] = v;
    let offset = pos + c.pos();
    let have = total.checked_sub(offset)?;
    (number != 0 && have > 0 && len <= MAX_BATCH && len > have as u64).then(|| {
        let kind = kind(window.get(c.pos()).copied(), minor);
        (number, Batch { offset, len: have as u32, thread, ts, kind })
    })
}

/// What a batch contains, by its first byte.
fn kind(first: Option<u8>, minor: u32) -> BatchKind {
    match first {
        Some(s::STRINGS) => BatchKind::Strings,
        Some(s::STACKS) => BatchKind::Stacks,
        Some(s::CPU_SAMPLES) => BatchKind::Samples,
        Some(s::FREQUENCY) if minor < 25 => BatchKind::Clock,
        Some(s::SYNC) if minor >= 25 => BatchKind::Clock,
        _ => BatchKind::Events,
    }
}

/// Reads the header of the batch at `pos` from the bytes there, of a file of `total` bytes.
fn header(bytes: &[u8], pos: usize, total: usize, minor: u32) -> Result<(u64, Batch), Error> {
    let mut c = Cursor::new(bytes, pos as u64);
    let experiment = match c.byte("a batch")? {
        s::EVENT_BATCH => None,
        // The type byte is the digit 1 in text, and text is what gets between batches.
        s::EXPERIMENTAL_BATCH => match c.byte("a batch header")? {
            e if e <= MAX_EXPERIMENT => Some(e),
            e => return Err(Error::new(pos as u64, ErrorKind::Invalid(format!("a batch of experiment {e}")))),
        },
        b => return Err(Error::new(pos as u64, ErrorKind::NotABatch(b))),
    };
    let number = c.varint("a batch header")?;
    let thread = c.varint("a batch header")?;
    let ts = c.varint("a batch header")?;
    let len = c.varint("a batch header")?;
    if number == 0 {
        return Err(Error::new(pos as u64, ErrorKind::Invalid("a batch of generation 0".into())));
    }
    if len > MAX_BATCH {
        return Err(Error::new(pos as u64, ErrorKind::BatchTooLarge(len)));
    }
    let offset = pos + c.pos();
    if len > total.saturating_sub(offset) as u64 {
        return Err(Error::new(offset as u64, ErrorKind::Truncated("a batch")));
    }
    let first = bytes.get(c.pos()).filter(|_| len > 0).copied();
    let kind = match experiment {
        Some(e) => BatchKind::Experiment(e),
        None => kind(first, minor),
    };
    Ok((number, Batch { offset, len: len as u32, thread, ts, kind }))
}

/// How far a stray stretch may reach.
const MAX_STRAY: usize = 1 << 20;

/// The next position after `pos` at which two batches (or one that ends the bytes, at `total`) of a fitting generation
/// follow.
fn resync(data: &mut Peek, total: usize, pos: usize, minor: u32, generation: Option<u64>) -> Option<usize> {
    let fits = |n: u64| generation.is_none_or(|g| n == g || n == g.wrapping_add(1));
    let end = total.min(pos.saturating_add(MAX_STRAY));
    let reach = MAX_BATCH as usize + 2 * input::WINDOW;
    let bytes = data.span(pos..end.saturating_add(reach).min(total));
    let from = |at: usize| bytes.get(at - pos..).unwrap_or_default();
    (pos + 1..end).find(|&at| {
        let Ok((number, batch)) = header(from(at), at, total, minor) else { return false };
        if !fits(number) || batch.len == 0 {
            return false;
        }
        let next = batch.offset + batch.len as usize;
        next == total
            || from(next).first() == Some(&s::END_OF_GENERATION) && minor >= 26
            || header(from(next), next, total, minor).is_ok_and(|(n, _)| fits(n))
    })
}
