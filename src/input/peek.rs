//! Looks into bytes here and there: a few at a time far apart, or many in one place, without reading the latter twice.

use super::bytes::Bytes;
use super::header::{HEADER, next_header};
use std::ops::Range;

/// How many bytes [`Peek::window`] shows.
pub const WINDOW: usize = 64;
/// How many bytes are read at once where short steps are taken.
const DENSE: usize = 64 << 10;
/// Steps shorter than this are short.
const SHORT_STEP: usize = 4 << 10;
/// How much more is read where many bytes are wanted: whoever wants them often wants the next ones soon.
const AHEAD: usize = 1 << 20;

/// Bytes that are looked into.
pub struct Peek<'a> {
    held: Option<&'a [u8]>,
    data: Option<&'a Bytes>,
    /// What was read last, and where that lies.
    read: Vec<u8>,
    read_at: usize,
    narrow: [u8; WINDOW],
    last: usize,
    /// Where it is known that no header begins.
    no_header: Range<usize>,
}

impl<'a> Peek<'a> {
    /// Into bytes in memory.
    pub fn of(held: &'a [u8]) -> Peek<'a> {
        Peek { held: Some(held), ..Peek::nothing() }
    }

    /// Into the bytes of an input.
    pub fn into(data: &'a Bytes) -> Peek<'a> {
        Peek { held: data.held(), data: Some(data), ..Peek::nothing() }
    }

    fn nothing() -> Peek<'a> {
        Peek {
            held: None,
            data: None,
            read: Vec::new(),
            read_at: 0,
            narrow: [0; WINDOW],
            last: usize::MAX,
            no_header: 0..0,
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.held.map_or_else(|| self.data.map_or(0, Bytes::len), <[u8]>::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next [`WINDOW`] bytes from `at` on, fewer at the end.
    pub fn window(&mut self, at: usize) -> &[u8] {
        let step = at.wrapping_sub(std::mem::replace(&mut self.last, at));
        let to = at.saturating_add(WINDOW).min(self.len());
        if self.held.is_some() || self.has(at..to) {
            return self.span(at..to);
        }
        if step < SHORT_STEP {
            self.fill(at, DENSE);
            return self.span(at..to);
        }
        let Some(data) = self.data else { return &[] };
        let n = data.read_at(at, &mut self.narrow);
        &self.narrow[..n]
    }

    /// The bytes of a range, as far as there are any. The caller bounds its length.
    pub fn span(&mut self, range: Range<usize>) -> &[u8] {
        let range = range.start.min(self.len())..range.end.min(self.len());
        if let Some(held) = self.held {
            return held.get(range).unwrap_or_default();
        }
        if !self.has(range.clone()) {
            self.fill(range.start, range.len() + AHEAD);
        }
        let from = (range.start - self.read_at).min(self.read.len());
        let to = range.end.saturating_sub(self.read_at).clamp(from, self.read.len());
        &self.read[from..to]
    }

    fn has(&self, range: Range<usize>) -> bool {
        self.read_at <= range.start && range.end <= self.read_at + self.read.len()
    }

    fn fill(&mut self, at: usize, len: usize) {
        let Some(data) = self.data else { return };
        self.read.resize(len.min(data.len().saturating_sub(at)), 0);
        let n = data.read_at(at, &mut self.read);
        self.read.truncate(n);
        self.read_at = at;
    }

    /// Where the next header of a trace begins, at `from` or later and before `to`.
    pub fn next_header(&mut self, from: usize, to: usize) -> Option<usize> {
        let mut at = match self.no_header.contains(&from) {
            true => self.no_header.end,
            false => from,
        };
        let known = if at == from { from } else { self.no_header.start };
        let to = to.min(self.len());
        while at < to {
            let end = at.saturating_add(AHEAD).min(to);
            let piece = self.span(at..end.saturating_add(HEADER));
            if let Some(found) = next_header(piece, 0, end - at) {
                self.no_header = known..at + found;
                return Some(at + found);
            }
            at = end;
            self.no_header = known..at;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_looks_as_memory_does() {
        let mut bytes: Vec<u8> = (0..3_000_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
        for at in [500_000, 1_048_570, 2_999_984] {
            bytes[at..at + HEADER].copy_from_slice(b"go 1.26 trace\0\0\0");
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let on_disk = Bytes::of_file(file).unwrap();
        let (mut disk, mut memory) = (Peek::into(&on_disk), Peek::of(&bytes));
        assert_eq!(disk.len(), memory.len());
        for at in [0, 1, 70, 65_530, 65_600, 65_601, 2_000_000, 10, 2_999_990, 3_000_000, 4_000_000] {
            assert_eq!(disk.window(at), memory.window(at), "{at}");
            assert_eq!(disk.span(at..at + 70_000), memory.span(at..at + 70_000), "{at}");
        }
        for (from, to) in [(0, 3_000_000), (500_001, 3_000_000), (500_001, 1_048_570), (1_048_571, 9_000_000), (0, 400)]
        {
            let found = next_header(&bytes, from, to);
            assert_eq!((disk.next_header(from, to), memory.next_header(from, to)), (found, found), "{from} {to}");
            assert_eq!(disk.next_header(from, to), found, "the second time as the first");
        }
    }
}
