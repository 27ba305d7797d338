//! pprof's profiles: `profile.proto`, plain or gzipped, and the legacy formats that came before it.
//!
//! Everything becomes one [`proto::Profile`], checked: its string indices are in the table, its ids are unique and
//! exist, and each sample has a value for each type.

pub mod check;
pub mod error;
pub mod legacy;
pub mod others;
pub mod proto;
mod salvage;
mod weigh;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use salvage::salvage;

use crate::input::{Kind, recognise};
use prost::Message;
use std::borrow::Cow;
use std::io::{Read, Write};

/// The largest profile that is read, in bytes after unpacking.
pub const MAX_UNPACKED: u64 = 256 << 20;

/// The largest that a profile may be in memory, in bytes. One of 100 MB with the usual stacks is half as large.
pub const MAX_DECODED: u64 = 1 << 30;

/// Up to so many bytes unpacked, a profile stays far below that whatever is in it.
const SMALL: usize = 16 << 20;

/// Decodes a profile in any format that pprof reads, and checks it.
///
/// # Errors
/// Says what is wrong with the profile. Where the bytes are neither a good protobuf nor any legacy format, it is the
/// protobuf's fault that is told, unless the bytes are text.
pub fn decode(data: &[u8]) -> Result<proto::Profile, Error> {
    Ok(decode_noted(data)?.0)
}

/// The same, with what was not read as the file has it, in plain sentences that are safe to show.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_noted(data: &[u8]) -> Result<(proto::Profile, Vec<String>), Error> {
    let data = unpack(data)?;
    if data.is_empty() {
        return Err(Error::Empty);
    }
    let (p, notes) = match decode_proto(&data) {
        Ok(p) => (p, Vec::new()),
        Err(Error::Concatenated) => return Err(Error::Concatenated),
        Err(e @ Error::TooLargeDecoded(_)) => return Err(e),
        Err(e) => match recognise(&data) {
            Kind::Other(other) => others::decode(other, &data)?,
            _ => match legacy(&data) {
                Err(Error::Unrecognized) if !looks_like_text(&data) => return Err(e),
                other => (other?, Vec::new()),
            },
        },
    };
    check::check(&p)?;
    Ok((p, notes))
}

fn legacy(data: &[u8]) -> Result<proto::Profile, Error> {
    if data.len() > SMALL && legacy::recognise(data) && weigh::legacy_size(data) > MAX_DECODED {
        return Err(Error::TooLargeDecoded(MAX_DECODED));
    }
    legacy::decode(data)
}

/// Whether `data` (unpacked) begins like a profile in any format of pprof's. Looks at the beginning only.
pub fn looks_like_profile(data: &[u8]) -> bool {
    legacy::recognise(data) || looks_like_proto(data)
}

/// A protobuf whose first fields are those of a profile: sample types come first in every producer known.
fn looks_like_proto(data: &[u8]) -> bool {
    let mut rest = data;
    let mut fields = 0;
    while fields < 3 && !rest.is_empty() {
        let Some((tag, after)) = varint(rest) else { return false };
        let (field, wire) = (tag >> 3, tag & 7);
        let well_typed = match field {
            1..=6 | 11 => wire == 2,
            7..=10 | 12 | 14 | 15 => wire == 0,
            13 => wire == 0 || wire == 2,
            _ => false,
        };
        let Some((value, after)) = varint(after).filter(|_| well_typed) else { return false };
        rest = if wire == 2 {
            match usize::try_from(value).ok().and_then(|n| after.get(n..)) {
                Some(after) => after,
                // The message may be longer than the beginning that we were given.
                None => return value <= MAX_UNPACKED,
            }
        } else {
            after
        };
        fields += 1;
    }
    fields > 0
}

/// Encodes `p`. The same profile gives the same bytes.
pub fn encode(p: &proto::Profile) -> Vec<u8> {
    p.encode_to_vec()
}

/// Encodes and gzips `p`, without a time stamp in the gzip header: the same profile gives the same bytes.
pub fn encode_gzip(p: &proto::Profile) -> Vec<u8> {
    let mut out = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::default());
    // Writing into a vector cannot fail.
    let _ = out.write_all(&encode(p));
    out.finish().unwrap_or_default()
}

fn unpack(data: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if !data.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(data));
    }
    let mut out = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(data).take(MAX_UNPACKED + 1);
    reader.read_to_end(&mut out).map_err(|e| Error::Gzip(e.to_string()))?;
    if out.len() as u64 > MAX_UNPACKED {
        return Err(Error::TooLarge(MAX_UNPACKED));
    }
    Ok(Cow::Owned(out))
}

fn decode_proto(data: &[u8]) -> Result<proto::Profile, Error> {
    let p = decode_whole(data)?;
    check::check_strings(&p)?;
    Ok(p)
}

/// Decodes a message of which nothing is known yet.
fn decode_whole(data: &[u8]) -> Result<proto::Profile, Error> {
    scan(data)?;
    if data.len() > SMALL && weigh::decoded_size(data) > MAX_DECODED {
        return Err(Error::TooLargeDecoded(MAX_DECODED));
    }
    proto::Profile::decode(data).map_err(|e| Error::Protobuf(e.to_string()))
}

/// What follows the field that `data` begins with; `None` if it is not whole, or none.
fn skip_field(data: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = varint(data)?;
    match tag & 7 {
        0 => varint(rest).map(|v| v.1),
        1 => rest.get(8..),
        2 => varint(rest).and_then(|(n, rest)| rest.get(usize::try_from(n).ok()?..)),
        5 => rest.get(4..),
        _ => None,
    }
}

/// Looks at the outermost fields for what decoding would not notice, or notice only when it has taken the memory. Stops at
/// the first malformed field, which decoding will name.
fn scan(mut data: &[u8]) -> Result<(), Error> {
    const TABLES: [&str; 4] = ["sample", "mapping", "location", "function"];
    let mut times = 0;
    while let Some((tag, rest)) = varint(data) {
        let field = tag >> 3;
        let skipped = match tag & 7 {
            0 => varint(rest).map(|(value, rest)| {
                // `cat a.pb b.pb` is itself a well-formed message, in which half of everything silently wins.
                times += usize::from(field == 9 && value != 0);
                rest
            }),
            1 => rest.get(8..),
            2 => match varint(rest) {
                // Each of these has an id or a value at least. Two bytes of input would become a hundred.
                Some((0, _)) if (2..6).contains(&field) => return Err(Error::EmptyEntry(TABLES[field as usize - 2])),
                Some((n, rest)) => usize::try_from(n).ok().and_then(|n| rest.get(n..)),
                None => None,
            },
            // The ends of a group: what is in it is looked at as if it stood beside it.
            3 | 4 => Some(rest),
            5 => rest.get(4..),
            _ => None,
        };
        match skipped {
            Some(rest) => data = rest,
            None => break,
        }
    }
    if times > 1 { Err(Error::Concatenated) } else { Ok(()) }
}

fn varint(data: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (i, &b) in data.iter().take(10).enumerate() {
        value |= u64::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return Some((value, &data[i + 1..]));
        }
    }
    None
}

fn looks_like_text(data: &[u8]) -> bool {
    let head = &data[..data.len().min(512)];
    // A character may be cut off at the end.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true);
    is_utf8 && head.iter().all(|&b| b >= 0x20 && b != 0x7f || b.is_ascii_whitespace())
}
