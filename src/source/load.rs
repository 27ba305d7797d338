//! Reads a source file into lines that are safe to show.

use crate::base::text;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use thiserror::Error as ThisError;

/// The largest source file that is read, in bytes. Go's largest generated files are a few megabytes.
pub const MAX_SIZE: u64 = 8 << 20;
/// Columns from one tab stop to the next.
pub const TAB: usize = 4;

/// Why a source file could not be read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum LoadError {
    /// The system says no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A directory, a pipe or a device.
    #[error("not a plain file")]
    NotAFile,
    /// More than [`MAX_SIZE`].
    #[error("larger than {}", text::bytes(MAX_SIZE))]
    TooLarge,
}

/// A source file as text, and as it is shown.
#[derive(Clone, Default, Debug)]
pub struct Text {
    raw: String,
    starts: Vec<usize>,
}

/// One line as it is shown.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shown {
    /// The line with tabs expanded and unsafe characters written out.
    pub text: String,
    /// For each byte of the raw line, and its end, the byte offset in `text` at which it is shown.
    columns: Vec<u32>,
}

impl Shown {
    /// The byte offset in [`text`](Self::text) of byte `raw` of the raw line; beyond the end, the end.
    pub fn offset(&self, raw: usize) -> usize {
        self.columns.get(raw).or(self.columns.last()).map_or(0, |&c| c as usize)
    }
}

impl Text {
    /// Takes a file's bytes. What is not UTF-8 is shown as U+FFFD.
    pub fn new(bytes: &[u8]) -> Text {
        let raw = text::lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
        let mut starts = vec![0];
        starts.extend(raw.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i + 1));
        if starts.last() == Some(&raw.len()) {
            starts.pop();
        }
        Text { raw, starts }
    }

    /// Reads a plain file of at most [`MAX_SIZE`] bytes.
    pub fn read(path: &Path) -> Result<Text, LoadError> {
        // Ask before opening: opening a pipe would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(LoadError::NotAFile);
        }
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(LoadError::NotAFile);
        }
        let mut bytes = Vec::new();
        file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(LoadError::TooLarge);
        }
        Ok(Text::new(&bytes))
    }

    /// The whole text, for a parser. Not safe to show.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no line at all.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Line `number`, counted from 1, without its end. Empty if there is no such line. Not safe to show.
    pub fn line(&self, number: usize) -> &str {
        let Some(&from) = number.checked_sub(1).and_then(|i| self.starts.get(i)) else { return "" };
        let to = self.starts.get(number).copied().unwrap_or(self.raw.len());
        self.raw[from..to].trim_end_matches(['\n', '\r'])
    }

    /// Byte offset of the start of line `number`, counted from 1, in [`raw`](Self::raw).
    pub fn start(&self, number: usize) -> usize {
        number.checked_sub(1).and_then(|i| self.starts.get(i)).copied().unwrap_or(self.raw.len())
    }

    /// Line `number`, counted from 1, as it is shown.
    pub fn shown(&self, number: usize) -> Shown {
        shown(self.line(number))
    }
}

/// A line as it is shown: tabs to the next multiple of [`TAB`] columns, everything unsafe written out.
pub fn shown(line: &str) -> Shown {
    let mut out = Shown { text: String::with_capacity(line.len()), columns: Vec::with_capacity(line.len() + 1) };
    let mut column = 0;
    let mut buf = [0; 4];
    for c in line.chars() {
        let at = out.text.len() as u32;
        out.columns.extend(std::iter::repeat_n(at, c.len_utf8()));
        if c == '\t' {
            let n = TAB - column % TAB;
            out.text.extend(std::iter::repeat_n(' ', n));
            column += n;
        } else {
            let safe = text::escape(c.encode_utf8(&mut buf));
            column += text::width(&safe);
            out.text.push_str(&safe);
        }
    }
    out.columns.push(out.text.len() as u32);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one_and_end_at_any_line_end() {
        let t = Text::new(b"\xef\xbb\xbfa\r\nb\n\nc");
        assert_eq!((1..=4).map(|i| t.line(i)).collect::<Vec<_>>(), ["a", "b", "", "c"]);
        assert_eq!((t.len(), t.line(0), t.line(5)), (4, "", ""));
        assert_eq!(Text::new(b"a\n").len(), 1);
        assert!(Text::new(b"").is_empty());
        assert_eq!(t.start(2), 3);
    }

    #[test]
    fn tabs_expand_and_offsets_follow() {
        let s = shown("\tif x\t{ // \x1b[31m漢");
        assert_eq!(s.text, "    if x    { // \\x1b[31m漢");
        assert_eq!(s.offset(1), 4);
        assert_eq!(s.offset(6), 12, "the second tab moves what follows to a multiple of four");
        let esc = "\tif x\t{ // ".len();
        assert_eq!(&s.text[s.offset(esc)..s.offset(esc + 1)], "\\x1b");
        assert_eq!(s.offset(10_000), s.text.len());
    }

    #[test]
    fn directories_and_large_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Text::read(dir.path()), Err(LoadError::NotAFile)));
        let big = dir.path().join("big.go");
        File::create(&big).unwrap().set_len(MAX_SIZE + 1).unwrap();
        assert!(matches!(Text::read(&big), Err(LoadError::TooLarge)));
    }
}
