//! Unpacks gzip and zstd, bounded, and keeps what is whole of data that is cut or damaged.

use super::InputErrorKind;
use super::Packing;
use crate::base::text;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use std::io::{ErrorKind, Read};

/// Unpacked bytes, and what was lost of them, if anything was.
pub(super) struct Unpacked {
    pub bytes: Vec<u8>,
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
pub(super) fn unpack(how: Packing, packed: &[u8], limit: u64) -> Result<Unpacked, InputErrorKind> {
    let limit = limit.min(HARMLESS.max((packed.len() as u64).saturating_mul(MAX_RATIO)));
    let mut sink = Sink { out: Vec::new(), limit };
    let end = match how {
        Packing::Gzip => gzip(packed, &mut sink),
        Packing::Zstd => zstd(packed, &mut sink),
    };
    let size = packed.len() as u64;
    match end {
        Ok(()) => Ok(Unpacked { bytes: sink.out, note: None }),
        Err(Stop::TooMuch) => Err(InputErrorKind::Bomb { packing: how, packed: size, unpacked: limit }),
        Err(Stop::Damaged { offset, cause }) if sink.out.is_empty() => {
            Err(InputErrorKind::Damaged { packing: how, offset, cause })
        }
        Err(Stop::Damaged { offset, cause }) => {
            let note = format!(
                "{how} data is damaged at byte {offset} of {size} ({cause}); the {} before it were unpacked",
                text::bytes(sink.out.len() as u64)
            );
            Ok(Unpacked { bytes: sink.out, note: Some(note) })
        }
    }
}

enum Stop {
    TooMuch,
    Damaged { offset: u64, cause: String },
}

/// Where unpacked bytes go, up to a limit.
struct Sink {
    out: Vec<u8>,
    limit: u64,
}

impl Sink {
    /// Takes all that `from` gives. Memory grows with what has really come, never with what a header promises.
    fn fill(&mut self, from: &mut impl Read) -> Result<(), Result<std::io::Error, Stop>> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) if self.out.len() as u64 + n as u64 > self.limit => return Err(Err(Stop::TooMuch)),
                Ok(n) => self.out.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Ok(e)),
            }
        }
    }
}

fn damaged(packed: &[u8], rest: &[u8], cause: impl ToString) -> Stop {
    Stop::Damaged { offset: (packed.len() - rest.len()) as u64, cause: cause.to_string() }
}

/// Members one after the other; zeros after the last are padding, as tar and tapes leave it, and ends of lines are what an
/// editor or a shell put there.
fn gzip(packed: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    let mut rest = packed;
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        if let Err(e) = sink.fill(&mut member) {
            let e = match e {
                Ok(e) if e.kind() == ErrorKind::UnexpectedEof => "it ends early".to_string(),
                Ok(e) => e.to_string(),
                Err(stop) => return Err(stop),
            };
            return Err(damaged(packed, member.into_inner(), e));
        }
        rest = member.into_inner();
        if rest.iter().all(|&b| b == 0) || rest.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            return Ok(());
        }
        if packing(rest) != Some(Packing::Gzip) {
            return Err(damaged(packed, rest, "something else follows"));
        }
    }
}

/// Frames one after the other, skippable ones skipped.
fn zstd(packed: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    let mut rest = packed;
    while !rest.is_empty() {
        let start = rest;
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        match decoder.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                match rest.get(length as usize..) {
                    Some(after) => rest = after,
                    None => return Err(damaged(packed, packed, "it ends early")),
                }
                continue;
            }
            Err(e) => return Err(damaged(packed, start, e)),
        }
        if let Err(e) = sink.fill(&mut Frame { decoder: &mut decoder, source: &mut rest }) {
            let Ok(e) = e else { return Err(Stop::TooMuch) };
            // The decoder holds back a window's worth until it has seen a last block: give it an empty one.
            let offset = decoder.bytes_read_from_source();
            let mut last: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
            if let Err(Err(stop)) = sink.fill(&mut Frame { decoder: &mut decoder, source: &mut last }) {
                return Err(stop);
            }
            let at = (packed.len() - start.len()) as u64 + offset;
            let cause = if rest.is_empty() { "it ends early".to_string() } else { e.to_string() };
            return Err(Stop::Damaged { offset: at.min(packed.len() as u64), cause });
        }
        if decoder.get_checksum_from_data().is_some_and(|c| Some(c) != decoder.get_calculated_checksum()) {
            return Err(damaged(packed, rest, "its checksum is wrong"));
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
