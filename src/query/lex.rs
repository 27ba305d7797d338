//! A query's text cut into tokens.

use super::Cmp;
use super::error::QueryError;
use super::words;
use crate::base::Span;
use crate::base::spell::nearest;

/// A token and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Token {
    pub(crate) span: Span,
    pub(crate) kind: TokenKind,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum TokenKind {
    Open,
    Close,
    Not,
    And,
    Or,
    /// A text alone.
    Text(Value),
    /// `field:value`, or `field>value` and its like.
    Field(Field),
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Where the name and the sign after it stand.
    pub(crate) name_span: Span,
    /// `None` for the colon.
    pub(crate) cmp: Option<Cmp>,
    pub(crate) value: Value,
}

/// A text and how it was written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) quoted: bool,
    pub(crate) regex: bool,
    pub(crate) span: Span,
}

/// Cuts `text` into tokens.
pub(crate) fn lex(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut out = Vec::new();
    while let Some(t) = lexer.token()? {
        out.push(t);
    }
    Ok(out)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn span_from(&self, start: usize) -> Span {
        Span { start, end: self.at }
    }

    fn token(&mut self) -> Result<Option<Token>, QueryError> {
        self.skip_space();
        let start = self.at;
        let Some(c) = self.peek() else { return Ok(None) };
        let single = match c {
            '(' => Some(TokenKind::Open),
            ')' => Some(TokenKind::Close),
            '-' => Some(TokenKind::Not),
            _ => None,
        };
        if let Some(kind) = single {
            self.at += 1;
            return Ok(Some(Token { span: self.span_from(start), kind }));
        }
        let kind = match self.field_name() {
            Some((name, cmp)) => {
                let name_span = self.span_from(start);
                if cmp.is_some() {
                    self.skip_space();
                }
                let value = self.value(false)?;
                TokenKind::Field(Field { name, name_span, cmp, value })
            }
            None => {
                let value = self.value(true)?;
                match value.text.as_str() {
                    _ if value.quoted || value.regex => TokenKind::Text(value),
                    "and" | "AND" => TokenKind::And,
                    "or" | "OR" => TokenKind::Or,
                    "not" | "NOT" => TokenKind::Not,
                    _ => TokenKind::Text(value),
                }
            }
        };
        Ok(Some(Token { span: self.span_from(start), kind }))
    }

    /// Takes the name of a field and the sign after it, if that is what comes next.
    fn field_name(&mut self) -> Option<(String, Option<Cmp>)> {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(rest.len());
        if len == 0 {
            return None;
        }
        let (name, after) = rest.split_at(len);
        if after.starts_with(':') {
            self.at += len + 1;
            return Some((name.to_string(), None));
        }
        // `>` may be part of a text that is looked for, so only what is, or nearly is, a field takes it.
        let spaced = after.trim_start();
        let fields = words::fields();
        let is_field = match after.len() == spaced.len() {
            true => fields.clone().any(|w| w == name) || nearest(name, words::compared()).is_some(),
            false => words::compared().any(|w| w == name),
        };
        let (sign, cmp) = [(">=", Cmp::Ge), ("<=", Cmp::Le), (">", Cmp::Gt), ("<", Cmp::Lt)]
            .into_iter()
            .find(|(s, _)| spaced.starts_with(s))
            .filter(|_| is_field)?;
        self.at += len + (after.len() - spaced.len()) + sign.len();
        Some((name.to_string(), Some(cmp)))
    }

    fn value(&mut self, alone: bool) -> Result<Value, QueryError> {
        let start = self.at;
        let rest = self.rest();
        let (text, quoted, regex) = if rest.starts_with('"') {
            (self.quoted()?, true, false)
        } else if let Some(len) = regex_len(rest) {
            self.at += len + 2;
            (rest[1..=len].to_string(), false, true)
        } else {
            let len = word_len(rest, alone);
            self.at += len;
            (rest[..len].to_string(), false, false)
        };
        Ok(Value { text, quoted, regex, span: self.span_from(start) })
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + i + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => out.push(c),
                    Some((_, c)) => out.extend(['\\', c]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(QueryError::new(Span { start, end: self.text.len() }, "the closing quote is missing"))
    }
}

/// Length of the regular expression between the slashes with which `rest` begins, if it does: the next slash must end
/// the word, or else this is a path.
fn regex_len(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('/')?;
    let mut chars = inner.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '/' => {
                let ends = inner[i + 1..].chars().next().is_none_or(|c| c.is_whitespace() || c == ')');
                return (ends && i > 0).then_some(i);
            }
            _ => {}
        }
    }
    None
}

/// Length of the word with which `rest` begins: up to white space, a quote, or a parenthesis that the word did not open.
/// `alone` says that no field stands before it, so that `not(` is a word and a parenthesis.
fn word_len(rest: &str, alone: bool) -> usize {
    let mut depth = 0usize;
    for (i, c) in rest.char_indices() {
        match c {
            c if c.is_whitespace() => return i,
            '"' => return i,
            '(' if alone && matches!(&rest[..i], "not" | "NOT" | "and" | "AND" | "or" | "OR") => return i,
            '(' => depth += 1,
            ')' if depth == 0 => return i,
            ')' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}
