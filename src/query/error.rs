//! What is wrong with a query, where, and which word was probably meant.

use crate::base::{Span, spell, text};
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
        format!("{}\n{self}", self.span.mark(query))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::escape(&self.message))?;
        match &self.suggestion {
            Some(word) => f.write_str(&spell::hint(word)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_in_three_lines() {
        let e = QueryError::new(Span { start: 5, end: 8 }, "unknown");
        assert_eq!(e.render("漢 ab cd"), "漢 ab cd\n    ^^^\nunknown");
    }
}
