//! A place in a text that a user wrote, and how it is shown.

use super::text::{escape, width};

/// A stretch of a text, in bytes: `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same stretch of a text that stands `by` bytes further on in another one.
    pub fn shifted(self, by: usize) -> Span {
        Span { start: self.start + by, end: self.end + by }
    }

    /// Two lines for a terminal: `text`, made safe to show, and a mark under this stretch of it. A span that does not
    /// fit the text is cut to it.
    pub fn mark(self, text: &str) -> String {
        let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        let start = boundary(self.start);
        let end = boundary(self.end).max(start);
        let before = width(&escape(&text[..start]));
        let under = width(&escape(&text[start..end])).max(1);
        format!("{}\n{}{}", escape(text), " ".repeat(before), "^".repeat(under))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_the_place() {
        assert_eq!(Span { start: 5, end: 8 }.mark("漢 ab cd"), "漢 ab cd\n    ^^^");
        assert_eq!(Span { start: 1, end: 2 }.mark("漢\x1b"), "漢\\x1b\n^", "inside a character");
        assert_eq!(Span { start: 1, end: 2 }.mark("\x1bab"), "\\x1bab\n    ^", "after what is written out");
        assert_eq!(Span { start: 7, end: 9 }.mark("ab"), "ab\n  ^", "beyond the end");
    }
}
