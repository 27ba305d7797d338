//! The formats from before `profile.proto`: gperftools' binary CPU profile and its heap, growth, contention and thread
//! texts, Java's variants of them, and what Go's `runtime/pprof` prints with `debug=1` and `debug=2`.
//!
//! Where a text carries symbols, they are used; pprof itself ignores those that Go writes as comments and does not
//! read `debug=2` at all.

pub(crate) mod builder;
mod contention;
mod count;
mod cpu;
mod frames;
mod goroutines;
mod heap;
mod java;
mod jemalloc;
pub(crate) mod labels;
mod maps;
mod symbols;
mod thread;

#[cfg(test)]
mod tests;

use super::error::Error;
use super::proto::Profile;
use builder::Builder;
use std::str::Lines;

/// Reads a text in one format; `None` if it is in another.
type Decoder = fn(&str) -> Result<Option<Builder>, Error>;

/// Decodes `data` if it is in any of the legacy formats; [`Error::Unrecognized`] if in none.
pub(crate) fn decode(data: &[u8]) -> Result<Profile, Error> {
    if data.starts_with(symbols::START) {
        return symbols::decode(data, |rest| {
            if rest.starts_with(symbols::START) { Err(Error::Unrecognized) } else { decode(rest) }
        });
    }
    if let Some(p) = cpu::decode(data)? {
        return Ok(frames::add(p));
    }
    if !recognise_text(data) {
        return Err(Error::Unrecognized);
    }
    let text = String::from_utf8_lossy(data);
    let decoders: [Decoder; 7] =
        [jemalloc::decode, heap::decode, count::decode, thread::decode, contention::decode, java::decode, |t| {
            Ok(goroutines::decode(t))
        }];
    for decode in decoders {
        if let Some(b) = decode(&text)? {
            return Ok(frames::add(b.finish()));
        }
    }
    Err(Error::Unrecognized)
}

/// Whether `data`, the beginning of a file, is in any of the legacy formats.
pub(crate) fn recognise(data: &[u8]) -> bool {
    cpu::recognise(data) || recognise_text(data)
}

/// Whether one of the first lines is a header that a decoder knows, or any line is of a goroutine.
fn recognise_text(data: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&data[..data.len().min(64 << 10)]);
    let Some(line) = head.lines().find(|l| !is_blank(l)) else { return false };
    line.starts_with("--- ")
        || line.starts_with("heap_v2/")
        || line.contains("heap profile: ")
        || line.contains(" profile: total ")
        || crate::input::told_in(data).0
}

/// A blank line or a comment.
fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Whether `line` introduces the table of mappings.
fn is_maps_header(line: &str) -> bool {
    line.contains("--- Memory map: ---") || line.contains("MAPPED_LIBRARIES:")
}

/// The lines of a text, with the current one at hand and counted.
struct Text<'a> {
    lines: Lines<'a>,
    line: &'a str,
    number: usize,
}

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Text<'a> {
        Text { lines: text.lines(), line: "", number: 0 }
    }

    /// Moves to the next line; false at the end, where the current line becomes empty.
    fn advance(&mut self) -> bool {
        match self.lines.next() {
            Some(line) => {
                self.line = line;
                self.number += 1;
                true
            }
            None => {
                self.line = "";
                false
            }
        }
    }

    /// Moves to the first line that is neither blank nor a comment.
    fn skip_blank(&mut self) {
        while self.advance() && is_blank(self.line) {}
    }

    /// A fault in the current line.
    fn fault(&self, what: &'static str) -> Error {
        let text = crate::base::text::fit(self.line.trim(), 80);
        Error::Line { line: self.number, what, text: crate::base::text::escape(&text).into_owned() }
    }

    /// Reads the mappings, if the rest of the text has any, into `b`.
    fn read_maps(mut self, b: &mut Builder) {
        while !is_maps_header(self.line) && self.advance() {}
        b.mappings.extend(maps::parse(self.lines));
    }
}

/// A number as Go's `strconv.ParseInt(s, 0, 64)` takes it: with an optional sign and `0x`, `0o`, `0b` or octal `0`.
fn parse_int(s: &str) -> Option<i64> {
    let (sign, digits) = match s.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", s.strip_prefix('+').unwrap_or(s)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// All `0x…` numbers in `s`; `None` if one has more than 64 bits.
fn hex_addresses(s: &str) -> Option<Vec<u64>> {
    let mut out = Vec::new();
    let mut rest = s;
    while let Some(at) = rest.find("0x") {
        let digits = &rest[at + 2..];
        let end = digits.find(|c: char| !matches!(c, '0'..='9' | 'a'..='f')).unwrap_or(digits.len());
        if end > 0 {
            out.push(u64::from_str_radix(&digits[..end], 16).ok()?);
        }
        rest = &digits[end..];
    }
    Some(out)
}
