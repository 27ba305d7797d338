//! What is printed passes through here last, so that no character that a file or an argument brings can command the
//! terminal, whoever forgot to write it out.

use crate::base::text::{escape, is_unsafe};
use std::io::{self, Write};
use std::str::from_utf8;

/// Writes text, with every control, bidi and invisible character but newlines and tabs written out, and bytes that are no
/// UTF-8 as `\xNN`.
pub struct Sink<W: Write> {
    to: W,
    /// The beginning of a character whose rest has not come yet.
    begun: Vec<u8>,
}

/// The longest character, in bytes.
const LONGEST: usize = 4;

impl<W: Write> Sink<W> {
    /// Everything goes on to `to`.
    pub fn new(to: W) -> Sink<W> {
        Sink { to, begun: Vec::new() }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let passes = |c: char| matches!(c, '\n' | '\t') || !is_unsafe(c);
        if text.chars().all(passes) {
            return self.to.write_all(text.as_bytes());
        }
        for part in text.split_inclusive(['\n', '\t']) {
            let (line, end) = match part.strip_suffix(['\n', '\t']) {
                Some(line) => part.split_at(line.len()),
                None => (part, ""),
            };
            self.to.write_all(escape(line).as_bytes())?;
            self.to.write_all(end.as_bytes())?;
        }
        Ok(())
    }

    /// Writes bytes; where the last character may go on, keeps what there is of it.
    fn bytes(&mut self, bytes: &[u8], last: bool) -> io::Result<()> {
        let mut rest = bytes;
        loop {
            let e = match from_utf8(rest) {
                Ok(text) => return self.text(text),
                Err(e) => e,
            };
            let (whole, after) = rest.split_at(e.valid_up_to());
            self.text(from_utf8(whole).unwrap_or_default())?;
            let wrong = match e.error_len() {
                Some(n) => n,
                None if last => after.len(),
                None => {
                    self.begun.extend_from_slice(after);
                    return Ok(());
                }
            };
            for b in &after[..wrong] {
                write!(self.to, "\\x{b:02x}")?;
            }
            rest = &after[wrong..];
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let plain = |b: &u8| matches!(b, b'\n' | b'\t' | 0x20..=0x7e);
        if self.begun.is_empty() && bytes.iter().all(plain) {
            self.to.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let mut rest = bytes;
        while !self.begun.is_empty() {
            let Some((&next, after)) = rest.split_first() else { return Ok(bytes.len()) };
            let mut begun = std::mem::take(&mut self.begun);
            begun.push(next);
            self.bytes(&begun, begun.len() >= LONGEST)?;
            rest = after;
        }
        self.bytes(rest, false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W: Write> Drop for Sink<W> {
    fn drop(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let _ = self.bytes(&begun, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut sink = Sink::new(&mut out);
        pieces.iter().for_each(|p| sink.write_all(p).unwrap());
        drop(sink);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_passes_and_commands_are_written_out() {
        let text = "goroutine\t▇▇ 175 73µs\n\nnext\n";
        assert_eq!(printed(&[text.as_bytes()]), text);
        assert_eq!(printed(&[b"a\x1b]0;title\x07b\r\n"]), "a\\x1b]0;title\\x07b\\r\n");
        assert_eq!(printed(&["a\u{202e}b\u{9b}2J\n".as_bytes()]), "a\\u{202e}b\\x9b2J\n");
        assert_eq!(printed(&[b"\xff\xc3(\xe2\x96"]), "\\xff\\xc3(\\xe2\\x96");
    }

    #[test]
    fn where_writes_are_cut_makes_no_difference() {
        let bytes = "µ▇\u{202e}𝄞\x1b[2J".as_bytes();
        let mut all = bytes.to_vec();
        all.extend_from_slice(b"\xe2\x28\xf0\x9d");
        let whole = printed(&[&all]);
        for i in 0..all.len() {
            assert_eq!(printed(&[&all[..i], &all[i..]]), whole, "{i}");
        }
        let single: Vec<&[u8]> = all.chunks(1).collect();
        assert_eq!(printed(&single), whole);
    }
}
