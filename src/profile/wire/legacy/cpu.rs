//! gperftools' CPU profile: words of 32 or 64 bits in either byte order, then `/proc/self/maps` as text; and
//! Java's variant of it, which ends with the symbols instead.
//!
//! Header: `0, 3, 0 (1 for Java), period in µs, 0`. Then samples: `count, depth, address…`, leaf first, up to a sample
//! `0, 1, 0`. Documented in gperftools' `doc/cpuprofile-fileformat.html`.

use super::builder::Builder;
use super::{java, maps};
use crate::profile::wire::error::Error;
use crate::profile::wire::proto::Profile;

/// How the words of a file are written.
#[derive(Clone, Copy)]
struct Words {
    size: usize,
    big: bool,
}

const WORDS: [Words; 4] = [
    Words { size: 4, big: false },
    Words { size: 4, big: true },
    Words { size: 8, big: false },
    Words { size: 8, big: true },
];

impl Words {
    /// The first word of `data`, which moves past it.
    fn next(self, data: &mut &[u8]) -> Option<u64> {
        let (head, rest) = data.split_at_checked(self.size)?;
        *data = rest;
        let fold = |v: u64, &b: &u8| v << 8 | u64::from(b);
        Some(if self.big { head.iter().fold(0, fold) } else { head.iter().rev().fold(0, fold) })
    }
}

struct Header {
    words: Words,
    java: bool,
    period_us: i64,
}

fn header(data: &[u8]) -> Option<(Header, &[u8])> {
    WORDS.into_iter().find_map(|words| {
        let mut rest = data;
        let mut head = [0; 5];
        for h in &mut head {
            *h = words.next(&mut rest)?;
        }
        match head {
            [0, 3, kind @ (0 | 1), period, 0] if period > 0 => {
                Some((Header { words, java: kind == 1, period_us: period as i64 }, rest))
            }
            _ => None,
        }
    })
}

/// Whether `data` begins with the header.
pub(crate) fn recognise(data: &[u8]) -> bool {
    header(data).is_some()
}

/// `None` if `data` is not a CPU profile.
pub(crate) fn decode(data: &[u8]) -> Result<Option<Profile>, Error> {
    let Some((header, rest)) = header(data) else { return Ok(None) };
    let types = [("samples", "count"), ("cpu", "nanoseconds")];
    let period = header.period_us.wrapping_mul(1000);
    let mut b = Builder::new(&types, ("cpu", "nanoseconds"), period);
    let Some(rest) = samples(&header, rest, &mut b) else { return Ok(None) };
    let text = String::from_utf8_lossy(rest);
    if header.java {
        java::read_locations(&text, &mut b)?;
    } else {
        b.strip_handler();
        b.mappings = maps::parse(text.lines());
        b.strip_twin_leaf();
    }
    Ok(Some(b.finish()))
}

/// Reads the samples into `b`; gives what comes after them. `None` where a sample says it is deeper than the file.
fn samples<'a>(header: &Header, mut data: &'a [u8], b: &mut Builder) -> Option<&'a [u8]> {
    let words = header.words;
    let mut stack = Vec::new();
    while !data.is_empty() {
        let count = words.next(&mut data)?;
        let depth = words.next(&mut data)?;
        if depth > (data.len() / 4) as u64 {
            return None;
        }
        stack.clear();
        for _ in 0..depth {
            stack.push(words.next(&mut data)?);
        }
        if count == 0 && stack == [0] {
            break;
        }
        let count = count as i64;
        let from = if header.java { usize::MAX } else { 1 };
        b.sample_at(&stack, from, vec![count, count.wrapping_mul(b.period)], Vec::new());
    }
    Some(data)
}
