//! Splits a trace into its generations while it comes in. Each can be decoded without those before it, so any that follow
//! one another are a trace, behind a header.

use crate::wire::cursor::Cursor;
use crate::wire::v2::batch::MAX_BATCH;
use crate::wire::v2::spec::structural;

/// Bytes of a trace's header.
pub const HEADER: usize = crate::input::HEADER;
/// The largest header of a batch.
const LONGEST_HEADER: usize = 42;
/// The clock of all systems but Windows: 64 ns a unit.
const USUAL_FREQUENCY: u64 = 15_625_000;

/// A whole generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its bytes, as they came.
    pub bytes: Vec<u8>,
    /// The clock at its first batch and at its last, in seconds of the trace's clock.
    pub from: Seconds,
    /// The last.
    pub to: Seconds,
}

/// An instant on the trace's clock, in whole nanoseconds.
pub type Seconds = u64;

/// Why no more generations come.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// It does not begin like a trace.
    #[error("what comes is no execution trace")]
    NoTrace,
    /// The format is that of a Go which has no generations.
    #[error(
        "the program is built with Go 1.{0} or earlier; a ring needs Go 1.22 or later, `gotrail record` without --keep does not"
    )]
    TooOld(u32),
    /// What comes is no batch.
    #[error("the trace is damaged at byte {0}")]
    Damaged(u64),
}

/// What has come in and is no whole generation yet.
#[derive(Default)]
pub struct Splitter {
    header: Vec<u8>,
    minor: u32,
    bytes: Vec<u8>,
    /// How much of `bytes` is whole batches.
    whole: usize,
    /// Bytes before `bytes`.
    before: u64,
    number: Option<u64>,
    /// The first and last clock of the batches, in units.
    clock: Option<(u64, u64)>,
    frequency: Option<u64>,
    /// Whether the last batch was one of strings: those come last in a generation.
    strings: bool,
}

/// A batch's header.
struct Batch {
    number: u64,
    ts: u64,
    data: usize,
    len: usize,
}

impl Splitter {
    /// The trace's header, once it is there.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Takes what has come in, and gives the generations that are whole with it.
    ///
    /// # Errors
    ///
    /// It is no trace, or none with generations.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Generation>, SplitError> {
        if self.header.len() < HEADER {
            let (head, rest) = bytes.split_at(bytes.len().min(HEADER - self.header.len()));
            self.header.extend_from_slice(head);
            if self.header.len() < HEADER {
                return Ok(Vec::new());
            }
            self.minor = crate::input::header(&self.header).ok_or(SplitError::NoTrace)?;
            if self.minor < 22 {
                return Err(SplitError::TooOld(self.minor));
            }
            self.before = HEADER as u64;
            bytes = rest;
        }
        self.bytes.extend_from_slice(bytes);
        let mut out = Vec::new();
        loop {
            let damaged = SplitError::Damaged(self.before + self.whole as u64);
            match self.bytes.get(self.whole) {
                None => return Ok(out),
                Some(&structural::END_OF_GENERATION) if self.minor >= 26 => {
                    self.whole += 1;
                    out.extend(self.cut());
                }
                Some(&(structural::EVENT_BATCH | structural::EXPERIMENTAL_BATCH)) => {
                    let rest = &self.bytes[self.whole..];
                    let batch = match header(rest) {
                        Some(batch) => batch,
                        None if rest.len() < LONGEST_HEADER => return Ok(out),
                        None => return Err(damaged),
                    };
                    if batch.len as u64 > MAX_BATCH {
                        return Err(damaged);
                    }
                    if self.number.is_some_and(|n| n != batch.number) {
                        out.extend(self.cut());
                        continue;
                    }
                    let end = batch.data + batch.len;
                    if rest.len() < end {
                        return Ok(out);
                    }
                    let frequency = frequency(&rest[batch.data..end]);
                    self.frequency = self.frequency.or(frequency);
                    self.strings =
                        rest.get(batch.data) == Some(&structural::STRINGS) && rest[0] == structural::EVENT_BATCH;
                    self.number = Some(batch.number);
                    let (from, to) = self.clock.unwrap_or((batch.ts, batch.ts));
                    self.clock = Some((from.min(batch.ts), to.max(batch.ts)));
                    self.whole += end;
                }
                Some(_) => return Err(damaged),
            }
        }
    }

    /// The last generation of a trace that has ended, if all of it is there.
    pub fn end(&mut self) -> Option<Generation> {
        // From 1.26 on the marker, which would have cut it off, is missing; before, its last batch is its strings.
        let whole = self.minor < 26 && self.whole == self.bytes.len() && self.strings && self.frequency.is_some();
        if whole { self.cut() } else { None }
    }

    fn cut(&mut self) -> Option<Generation> {
        let rest = self.bytes.split_off(self.whole);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        self.before += bytes.len() as u64;
        self.whole = 0;
        let (number, (from, to)) = (self.number.take()?, self.clock.take()?);
        let frequency = self.frequency.take().filter(|f| *f > 0).unwrap_or(USUAL_FREQUENCY);
        let ns =
            |units: u64| u64::try_from(u128::from(units) * 1_000_000_000 / u128::from(frequency)).unwrap_or(u64::MAX);
        Some(Generation { number, bytes, from: ns(from), to: ns(to) })
    }
}

/// A batch's header at the beginning of `bytes`; nothing if it is not whole.
fn header(bytes: &[u8]) -> Option<Batch> {
    let mut c = Cursor::new(bytes, 0);
    if c.byte("a batch").ok()? == structural::EXPERIMENTAL_BATCH {
        c.byte("an experiment").ok()?;
    }
    let mut next = || c.varint("a batch's header").ok();
    let (number, _thread, ts, len) = (next()?, next()?, next()?, next()?);
    Some(Batch { number, ts, data: c.pos(), len: usize::try_from(len).ok()? })
}

/// The units a second that a batch of the clock's says.
fn frequency(data: &[u8]) -> Option<u64> {
    let data = match data {
        [structural::SYNC, structural::FREQUENCY, rest @ ..] | [structural::FREQUENCY, rest @ ..] => rest,
        _ => return None,
    };
    Cursor::new(data, 0).varint("a frequency").ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v2::batch;
    use std::io::Read;

    fn sample() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/trace.out");
        crate::input::open(path).unwrap().bytes.all().into_owned()
    }

    fn split(data: &[u8], by: usize) -> (Splitter, Vec<Generation>) {
        let (mut s, mut all) = (Splitter::default(), Vec::new());
        for piece in data.chunks(by) {
            all.extend(s.push(piece).unwrap());
        }
        (s, all)
    }

    #[test]
    fn generations_are_those_of_the_scan_however_they_come_in() {
        let data = sample();
        let scan = batch::scan(&data, 26);
        for by in [1, 7, 4096, data.len()] {
            let (s, all) = split(&data, by);
            assert_eq!(
                all.iter().map(|g| g.number).collect::<Vec<_>>(),
                scan.generations.iter().map(|g| g.number).collect::<Vec<_>>()
            );
            let joined: Vec<u8> = s.header().iter().copied().chain(all.iter().flat_map(|g| g.bytes.clone())).collect();
            assert!(joined == data, "bytes are missing, by {by}");
        }
    }

    #[test]
    fn an_older_generation_is_whole_when_the_next_begins() {
        let data =
            old(&[(4, 1_000, b"\x10"), (4, 2_000, b"\x10"), (5, 16_000_000, b"\x08\x01"), (5, 16_000_000, b"\x04")]);
        let (mut s, all) = split(&data, 5);
        assert_eq!(all.iter().map(|g| (g.number, g.from, g.to)).collect::<Vec<_>>(), [(4, 64_000, 128_000)]);
        assert_eq!(s.end().map(|g| (g.number, g.from)), Some((5, 16_000_000_000_000_000)));
    }

    #[test]
    fn a_generation_that_is_cut_is_none() {
        let data = old(&[(4, 1_000, b"\x08\x01"), (4, 2_000, b"\x10"), (4, 2_000, b"\x04\x05")]);
        assert!(split(&data, 64).0.end().is_some());
        for cut in [1, 2, 9] {
            let (mut s, all) = split(&data[..data.len() - cut], 64);
            assert_eq!((all.len(), s.end()), (0, None), "{cut} bytes are missing");
        }
        // From 1.26 on a marker says that it is whole.
        let newest = sample();
        let (mut s, all) = split(&newest[..newest.len() - 1], 4096);
        assert_eq!(s.end(), None);
        assert_eq!(all.len() + 1, split(&newest, 4096).1.len());
    }

    #[test]
    fn what_is_none_is_said() {
        let push = |b: &[u8]| Splitter::default().push(b).unwrap_err();
        assert_eq!(push(b"404 page not found\n"), SplitError::NoTrace);
        assert_eq!(push(b"go 1.21 trace\0\0\0"), SplitError::TooOld(21));
        assert_eq!(push(b"go 1.25 trace\0\0\0xyz"), SplitError::Damaged(16));
        let mut huge = b"go 1.25 trace\0\0\0\x01\x01\x01\x01".to_vec();
        huge.extend([0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(push(&huge), SplitError::Damaged(16));
        let mut nothing = Vec::new();
        std::io::empty().read_to_end(&mut nothing).unwrap();
        assert_eq!(Splitter::default().push(&nothing), Ok(vec![]));
    }

    /// A trace of Go 1.22 of batches, each by its generation, clock and data.
    fn old(batches: &[(u8, u64, &[u8])]) -> Vec<u8> {
        let mut out = b"go 1.22 trace\0\0\0".to_vec();
        for (number, ts, data) in batches {
            out.extend([1, *number, 3]);
            let mut ts = *ts;
            while ts >= 0x80 {
                out.push(ts as u8 | 0x80);
                ts >>= 7;
            }
            out.extend([ts as u8, data.len() as u8]);
            out.extend(*data);
        }
        out
    }
}
