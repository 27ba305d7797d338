//! Unpacks gzip and zstd, bounded, and keeps what is whole of data that is cut or damaged.

use super::bytes::Bytes;
use super::store::{Stopped, Store};
use super::{InputErrorKind, Limits, Packing};
use crate::base::text;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use std::io::{self, BufRead, ErrorKind, Read};

/// Unpacked bytes, and what was lost of them, if anything was.
pub(super) struct Unpacked {
    pub bytes: Bytes,
    pub note: Option<String>,
}

/// Below this nothing is refused for its ratio of compression.
const HARMLESS: u64 = 256 << 20;
/// Real traces pack by a factor of three to thirty; a thousand is the most that gzip can do.
const MAX_RATIO: u64 = 200;
/// The largest window that a zstd frame may ask for. `zstd --ultra --long=27` needs this much.
const MAX_WINDOW: u64 = 128 << 20;

/// How `bytes` are packed, by their first bytes.
pub(super) fn packing(bytes: &[u8]) -> Option<Packing> {
    match bytes {
        [0x1f, 0x8b, ..] => Some(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
        _ => None,
    }
}

/// Unpacks all of `packed` to at most `limit` bytes.
///
/// Fails if there is more than that, or if nothing at all could be unpacked; otherwise what was lost is said in a note.
pub(super) fn unpack(how: Packing, packed: &Bytes, limits: Limits) -> Result<Unpacked, InputErrorKind> {
    let limit = limits.max_unpacked.min(HARMLESS.max((packed.len() as u64).saturating_mul(MAX_RATIO)));
    let mut sink = Sink { out: Store::new(limits.in_memory), limit };
    let end = match how {
        Packing::Gzip => gzip(&mut Packed::new(packed), &mut sink),
        Packing::Zstd => zstd(&mut Packed::new(packed), &mut sink),
    };
    let size = packed.len() as u64;
    match end {
        Ok(()) => Ok(Unpacked { bytes: sink.out.finish()?, note: None }),
        Err(Stop::NoRoom(e)) => Err(e),
        Err(Stop::TooMuch) => Err(InputErrorKind::Bomb { packing: how, packed: size, unpacked: limit }),
        Err(Stop::Damaged { offset, cause }) if sink.out.len() == 0 => {
            Err(InputErrorKind::Damaged { packing: how, offset, cause })
        }
        Err(Stop::Damaged { offset, cause }) => {
            let note = format!(
                "{how} data is damaged at byte {offset} of {size} ({cause}); the {} before it were unpacked",
                text::bytes(sink.out.len())
            );
            Ok(Unpacked { bytes: sink.out.finish()?, note: Some(note) })
        }
    }
}

enum Stop {
    TooMuch,
    NoRoom(InputErrorKind),
    Damaged { offset: u64, cause: String },
}

/// Where unpacked bytes go, up to a limit.
struct Sink {
    out: Store,
    limit: u64,
}

impl Sink {
    /// Takes all that `from` gives; an error of what unpacks is for the caller to judge.
    fn fill(&mut self, from: &mut impl Read) -> Result<(), Result<std::io::Error, Stop>> {
        self.out.fill(from, self.limit).map_err(|e| match e {
            Stopped::TooMuch => Err(Stop::TooMuch),
            Stopped::Store(e) => Err(Stop::NoRoom(e)),
            Stopped::Source(e) => Ok(e),
        })
    }
}

/// Packed bytes, read in pieces from front to back.
struct Packed<'a> {
    bytes: &'a Bytes,
    /// How far they have been taken.
    at: usize,
    /// The piece that is being taken, of bytes that are not in memory; it ends at `read`.
    piece: Vec<u8>,
    read: usize,
}

/// Packed bytes that are read at once.
const PIECE: usize = 64 << 10;

impl<'a> Packed<'a> {
    fn new(bytes: &'a Bytes) -> Packed<'a> {
        Packed { bytes, at: 0, piece: Vec::new(), read: 0 }
    }

    /// What comes next, without taking it; empty at the end.
    fn rest(&mut self) -> &[u8] {
        if let Some(all) = self.bytes.held() {
            return all.get(self.at..).unwrap_or_default();
        }
        if self.at >= self.read {
            self.piece = self.bytes.get(self.at..self.at.saturating_add(PIECE)).into_owned();
            self.read = self.at + self.piece.len();
        }
        &self.piece[self.piece.len() - (self.read - self.at)..]
    }

    /// The first bytes of what comes next, as many as tell how it is packed.
    fn head(&self) -> [u8; 4] {
        let mut head = [0; 4];
        self.bytes.read_at(self.at, &mut head);
        head
    }

    /// Whether nothing but padding comes, which is taken: zeros, or ends of lines.
    fn only_padding(&mut self) -> bool {
        let at = self.at;
        let (mut zeros, mut lines) = (true, true);
        loop {
            let rest = self.rest();
            let n = rest.len();
            zeros &= rest.iter().all(|&b| b == 0);
            lines &= rest.iter().all(|b| matches!(b, b'\r' | b'\n'));
            if !zeros && !lines {
                self.at = at;
                self.read = 0;
                return false;
            }
            if n == 0 {
                return true;
            }
            self.at += n;
        }
    }

    fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    fn damaged(&self, offset: usize, cause: impl ToString) -> Stop {
        let cause = match self.bytes.missing() {
            Some(m) => m.what.clone(),
            None => cause.to_string(),
        };
        Stop::Damaged { offset: offset.min(self.bytes.len()) as u64, cause }
    }
}

impl Read for Packed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.rest();
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

impl BufRead for Packed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.rest())
    }

    fn consume(&mut self, n: usize) {
        self.at += n;
    }
}

/// Members one after the other; zeros after the last are padding, as tar and tapes leave it, and ends of lines are what an
/// editor or a shell put there.
fn gzip(packed: &mut Packed, sink: &mut Sink) -> Result<(), Stop> {
    loop {
        let filled = sink.fill(&mut flate2::bufread::GzDecoder::new(&mut *packed));
        if let Err(e) = filled {
            let e = match e {
                Ok(e) if e.kind() == ErrorKind::UnexpectedEof => "it ends early".to_string(),
                Ok(e) => e.to_string(),
                Err(stop) => return Err(stop),
            };
            return Err(packed.damaged(packed.at, e));
        }
        if packed.only_padding() {
            return Ok(());
        }
        if packing(&packed.head()) != Some(Packing::Gzip) {
            return Err(packed.damaged(packed.at, "something else follows"));
        }
    }
}

/// Frames one after the other, skippable ones skipped.
fn zstd(packed: &mut Packed, sink: &mut Sink) -> Result<(), Stop> {
    while !packed.at_end() {
        let start = packed.at;
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        match decoder.init(&mut *packed) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let after = packed.at.saturating_add(length as usize);
                if after > packed.bytes.len() {
                    return Err(packed.damaged(0, "it ends early"));
                }
                (packed.at, packed.read) = (after, 0);
                continue;
            }
            Err(e) => return Err(packed.damaged(start, e)),
        }
        if let Err(e) = sink.fill(&mut Frame { decoder: &mut decoder, source: &mut *packed }) {
            let e = e?;
            // The decoder holds back a window's worth until it has seen a last block: give it an empty one.
            let offset = usize::try_from(decoder.bytes_read_from_source()).unwrap_or(usize::MAX);
            let mut last: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
            if let Err(Err(stop)) = sink.fill(&mut Frame { decoder: &mut decoder, source: &mut last }) {
                return Err(stop);
            }
            let cause = if packed.at_end() { "it ends early".to_string() } else { e.to_string() };
            return Err(packed.damaged(start.saturating_add(offset), cause));
        }
        if decoder.get_checksum_from_data().is_some_and(|c| Some(c) != decoder.get_calculated_checksum()) {
            return Err(packed.damaged(packed.at, "its checksum is wrong"));
        }
    }
    Ok(())
}

/// One zstd frame as a reader.
struct Frame<'a, R> {
    decoder: &'a mut FrameDecoder,
    source: &'a mut R,
}

impl<R: Read> Read for Frame<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            self.decoder.decode_blocks(&mut *self.source, UptoBlocks(1)).map_err(std::io::Error::other)?;
        }
        self.decoder.read(buf)
    }
}
