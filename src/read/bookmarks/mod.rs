//! Bookmarks of a trace, as they are kept in a file beside it: what a line says, and how two versions of the file become one.
//!
//! The file is plain text. A line is one bookmark, its fields between tabs:
//!
//! ```text
//! digest of the trace   instant        goroutine   range               view       note
//! 93c1d7a05be2f418      1.509826000s   g8          1.2s..1.6s          timeline   p99 begins here
//! ```
//!
//! The digest is that of the trace's bytes, in sixteen hexadecimal digits, so that a copy keeps its bookmarks, and a new recording
//! of the same name has none of the old one's. Instants and ranges count from the trace's start. What a bookmark does not have is
//! `-`, and the note may be missing. Lines of other traces, comments and whatever else is not understood stay as they are, first in
//! the file; the bookmarks follow in order. So two files are merged by putting the lines of both into one.

mod store;

pub use store::{Kept, Store};

use crate::base::duration::exact;
use crate::base::number::Instants;
use crate::base::{Duration, GoId};
use std::collections::BTreeMap;

/// A place in a trace that somebody wants to find again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bookmark {
    /// When, after the trace's start.
    pub at: Duration,
    /// Which goroutine, if any.
    pub go: Option<GoId>,
    /// The range that was selected, if any: from the first instant to before the second.
    pub range: Option<(Duration, Duration)>,
    /// The name of the view that it was made in. Not escaped.
    pub view: String,
    /// What was said of it; may be empty. Not escaped.
    pub note: String,
}

/// A change of the bookmarks: some go and others come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edit {
    /// These go, if they are there.
    pub remove: Vec<Bookmark>,
    /// These come, if they are not there yet.
    pub add: Vec<Bookmark>,
}

impl Edit {
    /// What undoes it.
    pub fn undone(&self) -> Edit {
        Edit { remove: self.add.clone(), add: self.remove.clone() }
    }

    /// Makes the change to bookmarks that are in order, and stay so.
    pub fn apply(&self, all: &mut Vec<Bookmark>) {
        all.retain(|b| !self.remove.contains(b));
        all.extend(self.add.iter().cloned());
        all.sort();
        all.dedup();
    }
}

/// How a note is kept: on one line, without control characters and spaces at its ends.
pub fn plain_note(note: &str) -> String {
    let plain: String = note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

/// What a bookmark does not have.
const NONE: &str = "-";
/// Stands first in a new file.
const HEAD: &str = "# gotrail bookmarks: trace, instant, goroutine, range, view, note\n";

impl Bookmark {
    /// Its line in the file, for the trace of this digest.
    fn line(&self, digest: u64) -> String {
        let go = self.go.map_or(NONE.into(), |g| format!("g{}", g.0));
        let range = self.range.map_or(NONE.into(), |(a, b)| format!("{}..{}", exact(a), exact(b)));
        let at = Instants::new(self.at, Duration(1)).show(self.at);
        format!("{digest:016x}\t{at}\t{go}\t{range}\t{}\t{}", self.view, plain_note(&self.note))
    }

    /// What a line says, and of which trace; nothing if it is no bookmark.
    fn read(line: &str) -> Option<(u64, Bookmark)> {
        let mut fields = line.splitn(6, '\t');
        let digest = fields.next().filter(|d| d.len() == 16 && d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digest = digest.and_then(|d| u64::from_str_radix(d, 16).ok())?;
        let at: Duration = fields.next()?.parse().ok()?;
        let go = match fields.next()? {
            NONE => None,
            g => {
                let digits = g.strip_prefix('g').filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
                Some(GoId(digits.parse().ok()?))
            }
        };
        let range = match fields.next()? {
            NONE => None,
            r => {
                let (from, to) = r.split_once("..")?;
                let (from, to): (Duration, Duration) = (from.parse().ok()?, to.parse().ok()?);
                Some(Some((from, to)).filter(|_| from < to)?)
            }
        };
        let view = fields.next()?.to_owned();
        let note = plain_note(fields.next().unwrap_or_default());
        Some((digest, Bookmark { at, go, range, view, note }))
    }
}

/// What a file of bookmarks holds.
struct Lines {
    /// What is no bookmark, as it is, without the ends of lines.
    others: Vec<Vec<u8>>,
    /// The bookmarks and their lines, by trace.
    marks: BTreeMap<(u64, Bookmark), Vec<u8>>,
}

impl Lines {
    fn read(bytes: &[u8]) -> Lines {
        let mut lines = Lines { others: Vec::new(), marks: BTreeMap::new() };
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for line in body.split(|b| *b == b'\n').filter(|_| !body.is_empty()) {
            let text = std::str::from_utf8(line).ok();
            match text.and_then(|t| Bookmark::read(t.strip_suffix('\r').unwrap_or(t))) {
                Some(mark) => drop(lines.marks.entry(mark).or_insert_with(|| line.to_vec())),
                None => lines.others.push(line.to_vec()),
            }
        }
        lines
    }

    /// Whether it is a file of bookmarks, and not one of something else: it is empty, has one, or says that it is.
    fn are_ours(&self) -> bool {
        self.others.is_empty()
            || !self.marks.is_empty()
            || self.others.iter().any(|l| l.starts_with(b"# gotrail bookmarks"))
    }

    /// The bookmarks of a trace, in order.
    fn of(&self, digest: u64) -> impl Iterator<Item = &Bookmark> {
        self.marks.keys().filter(move |m| m.0 == digest).map(|m| &m.1)
    }

    fn edit(&mut self, digest: u64, edit: &Edit) {
        for b in &edit.remove {
            self.marks.remove(&(digest, b.clone()));
        }
        for b in &edit.add {
            self.marks.entry((digest, b.clone())).or_insert_with(|| b.line(digest).into_bytes());
        }
    }

    fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.others.is_empty() {
            out.extend_from_slice(HEAD.as_bytes());
        }
        for line in self.others.iter().chain(self.marks.values()) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out
    }
}

#[cfg(test)]
mod tests;
