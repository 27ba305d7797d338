//! What is wrong with a query, where, and which word was probably meant.

use super::Span;
use crate::base::text;
use std::fmt;

/// A mistake in a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryError {
    /// Where it is.
    pub span: Span,
    /// What is wrong, in a few words.
    pub message: String,
    /// What was probably meant, as it would be written in the query.
    pub suggestion: Option<String>,
}

impl QueryError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> QueryError {
        QueryError { span, message: message.into(), suggestion: None }
    }

    pub(crate) fn suggest(mut self, word: Option<String>) -> QueryError {
        self.suggestion = word;
        self
    }

    /// Three lines for a terminal: the query, a mark under the place, and what is wrong.
    pub fn render(&self, query: &str) -> String {
        let cut = |i: usize| {
            let mut i = i.min(query.len());
            while !query.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let (start, end) = (cut(self.span.start), cut(self.span.end));
        let before = text::width(&text::escape(&query[..start]));
        let under = text::width(&text::escape(&query[start..end.max(start)])).max(1);
        format!("{}\n{}{}\n{self}", text::escape(query), " ".repeat(before), "^".repeat(under))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::escape(&self.message))?;
        match &self.suggestion {
            Some(word) => write!(f, "; did you mean `{}`?", text::escape(word)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}

/// The word of `words` nearest to `word`, if one is near: a few letters wrong, swapped, missing, or not yet typed.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let n = word.chars().count();
    if n == 0 || n > 40 {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for w in words {
        let lower = w.to_lowercase();
        let mut d = distance(&word, &lower);
        if n >= 2 && lower.starts_with(&word) {
            d = d.min(1);
        }
        if d <= (n / 3).max(1) && d < n && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, w));
        }
    }
    best.map(|(_, w)| w)
}

/// Letters to insert, remove, replace or swap with their neighbour to get from `a` to `b` (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut older = vec![0; b.len() + 1];
    let mut old: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut new = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            new[j] = (old[j] + 1).min(new[j - 1] + 1).min(old[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                new[j] = new[j].min(older[j - 2] + 1);
            }
        }
        (older, old) = (old, new);
    }
    old[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let words = ["reason", "region", "state", "g"];
        assert_eq!(nearest("reasn", words), Some("reason"));
        assert_eq!(nearest("raeson", words), Some("reason"));
        assert_eq!(nearest("sta", words), Some("state"));
        assert_eq!(nearest("STAET", words), Some("state"));
        assert_eq!(nearest("nothing", words), None);
        assert_eq!(nearest("x", words), None);
    }

    #[test]
    fn the_mark_stands_under_the_place() {
        let e = QueryError::new(Span { start: 5, end: 8 }, "unknown");
        assert_eq!(e.render("漢 ab cd"), "漢 ab cd\n    ^^^\nunknown");
    }
}
