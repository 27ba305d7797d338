//! Recognises by content what a file is.
//!
//! Traces begin with a header of 16 bytes, before which text may have got. Profiles in protobuf have no magic number, so their top-level fields are
//! walked; the field numbers are those of pprof's `profile.proto`. The legacy texts are those that pprof reads.

use super::describe::describe;
use super::goroutine::told_in;
use super::header::{HEADER, START, TAIL, behind_text, header};
use super::other::{Other, other};

/// What a file is, as far as its first bytes tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A Go execution trace with the header `go 1.<minor> trace`, perhaps behind some text. Whether that version can be read is not known here.
    Trace {
        /// The format version: 22 for `go 1.22 trace`.
        minor: u32,
    },
    /// A pprof profile in protobuf, not packed.
    Profile,
    /// A profile in one of the texts or the binary form from before `profile.proto`.
    LegacyProfile,
    /// A profile in the format of another tool.
    Other(Other),
    /// A text, perhaps a long log, in which a Go program has told of itself.
    Log {
        /// Whether it has goroutines with their stacks: of a dump, or because the program died.
        goroutines: bool,
        /// Whether it has reports of the race detector.
        races: bool,
    },
    /// A trace's header that is cut off.
    HalfHeader,
    /// None of these.
    Unknown {
        /// What it seems to be, in a few words, safe to show.
        what: String,
        /// What may have gone wrong; may be empty.
        hint: String,
    },
}

/// How many bytes [`recognise`] wants to see; more do no harm and are hardly looked at.
pub const ENOUGH: usize = 64 << 10;

/// Says what `bytes`, unpacked, are. They may be the beginning of a longer file. Of a text that is none of the others all is
/// looked at.
pub fn recognise(bytes: &[u8]) -> Kind {
    if let Some(kind) = trace(bytes) {
        return kind;
    }
    if let Some((_, minor)) = behind_text(bytes) {
        return Kind::Trace { minor };
    }
    if legacy_text(bytes) || legacy_cpu(bytes) {
        return Kind::LegacyProfile;
    }
    if profile(bytes) {
        return Kind::Profile;
    }
    if is_text(bytes)
        && let Some(other) = other(bytes)
    {
        return Kind::Other(other);
    }
    if is_text(bytes)
        && let (goroutines, races) = told_in(bytes)
        && (goroutines || races)
    {
        return Kind::Log { goroutines, races };
    }
    let (what, hint) = describe(bytes);
    Kind::Unknown { what, hint: hint.into() }
}

/// Whether `bytes` begin like a text.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let printable = head.iter().filter(|&&b| b >= 0x20 || matches!(b, b'\n' | b'\r' | b'\t' | 0x1b)).count();
    !head.contains(&0) && printable * 100 >= head.len() * 95
}

/// A whole header, or the beginning of one.
fn trace(bytes: &[u8]) -> Option<Kind> {
    if let Some(minor) = header(bytes) {
        return Some(Kind::Trace { minor });
    }
    let half = match bytes.strip_prefix(START) {
        _ if bytes.len() >= HEADER || bytes.len() < 2 => false,
        None => START.starts_with(bytes),
        Some(rest) => TAIL.starts_with(&rest[rest.iter().take_while(|b| b.is_ascii_digit()).count()..]),
    };
    half.then_some(Kind::HalfHeader)
}

/// Whether `bytes`, the beginning of a stream, are of a text that is longer than what was seen: what it tells may come late.
pub(super) fn may_be_log(bytes: &[u8]) -> bool {
    bytes.len() >= ENOUGH && is_text(bytes)
}

/// The first line that is neither blank nor a comment, as pprof's reader skips them.
fn first_line(bytes: &[u8]) -> &[u8] {
    bytes
        .split(|&b| b == b'\n')
        .take(64)
        .map(<[u8]>::trim_ascii)
        .find(|l| !l.is_empty() && !l.starts_with(b"#"))
        .unwrap_or_default()
}

fn legacy_text(bytes: &[u8]) -> bool {
    const STARTS: [&str; 16] = [
        "heap profile:",
        "goroutine profile:",
        "threadcreate profile:",
        "--- heapz ",
        "--- heap ",
        "--- growthz",
        "--- fragmentationz",
        "--- contentionz",
        "--- contention:",
        "--- mutex:",
        "--- threadz",
        "--- Thread",
        "--- cpuz",
        "--- symbol",
        "--- growth",
        "heap_v2/",
    ];
    let line = first_line(&bytes[..bytes.len().min(ENOUGH)]);
    // Profiles that a program makes itself have any name.
    let counts = || String::from_utf8_lossy(line).contains(" profile: total ");
    STARTS.iter().any(|s| line.starts_with(s.as_bytes())) || counts()
}

/// The binary CPU profile of gperftools: machine words 0, 3, 0, period, 0, of 4 or 8 bytes in either order.
fn legacy_cpu(bytes: &[u8]) -> bool {
    let word = |size: usize, big: bool, i: usize| -> Option<u64> {
        let w = bytes.get(i * size..(i + 1) * size)?;
        let fold = |acc: u64, b: &u8| acc << 8 | *b as u64;
        Some(if big { w.iter().fold(0, fold) } else { w.iter().rev().fold(0, fold) })
    };
    [(4, false), (4, true), (8, false), (8, true)].into_iter().any(|(size, big)| {
        let at = |i| word(size, big, i);
        at(0) == Some(0)
            && at(1) == Some(3)
            && at(2).is_some_and(|version| version <= 1)
            && at(3).is_some_and(|period| period > 0 && period < 1 << 40)
            && at(4) == Some(0)
    })
}

/// A protobuf number and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut v = 0u64;
    for (i, &b) in bytes.iter().enumerate().take(10) {
        v |= ((b & 0x7f) as u64) << (7 * i);
        if b < 0x80 {
            return Some((v, &bytes[i + 1..]));
        }
    }
    None
}

/// Whether `bytes` walk as the top-level fields of `profile.proto`: right wire types, value types that are value types,
/// the empty string first in the string table. The last field may be cut off.
fn profile(bytes: &[u8]) -> bool {
    const FIELDS: usize = 4096;
    const NUMBER: u64 = 0;
    const BLOCK: u64 = 2;
    let mut rest = bytes;
    let mut told = 0;
    let mut strings = 0;
    for n in 0..FIELDS {
        if rest.is_empty() {
            return told > 0;
        }
        let Some((tag, after)) = varint(rest) else { return told > 1 };
        match (tag >> 3, tag & 7) {
            (7..=10 | 12..=15, NUMBER) => match varint(after) {
                Some((_, after)) => rest = after,
                None => return told > 1 && after.len() < 10,
            },
            (field @ (1..=6 | 11 | 13), BLOCK) => {
                let Some((len, body)) = varint(after) else { return told > 1 && after.len() < 10 };
                let Some((body, after)) = usize::try_from(len).ok().and_then(|len| body.split_at_checked(len)) else {
                    // Cut off inside a field: believable only after fields that were right.
                    return told > 1 || (n > 0 && told > 0);
                };
                match field {
                    1 | 11 if !value_type(body) => return false,
                    6 => {
                        if strings == 0 && !body.is_empty() {
                            return false;
                        }
                        strings += 1;
                    }
                    _ => {}
                }
                told += 1;
                rest = after;
            }
            // Fields of versions to come.
            (16..=31, NUMBER) => match varint(after) {
                Some((_, after)) => rest = after,
                None => return false,
            },
            _ => return false,
        }
    }
    true
}

/// A `ValueType` message: two numbers, each may be absent.
fn value_type(mut body: &[u8]) -> bool {
    while let Some((&tag, after)) = body.split_first() {
        match (tag, varint(after)) {
            (0x08 | 0x10, Some((_, after))) => body = after,
            _ => return false,
        }
    }
    true
}
