//! Regular expressions as Go's users write them, compiled by ours with a limit on their size.

use super::error::PatternError;
use regex::{Regex, RegexBuilder};

/// Memory that one compiled expression may take, bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// A compiled regular expression in Go's syntax.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    source: String,
}

impl Pattern {
    /// Compiles `source`.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn new(source: &str) -> Result<Pattern, PatternError> {
        let regex = RegexBuilder::new(&from_go(source)).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).build();
        let regex = regex.map_err(|e| PatternError(e.to_string()))?;
        Ok(Pattern { regex, source: source.to_string() })
    }

    /// Whether the expression matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression as the user wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Rewrites what Go's syntax has and ours lacks or reads otherwise: `\Q…\E`, a `{` that begins no repetition, and `[`,
/// `&`, `~`, `-` in classes, which are set operations here and characters there.
fn from_go(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let len = c.len_utf8();
        if let Some(quoted) = rest.strip_prefix(r"\Q") {
            let end = quoted.find(r"\E").unwrap_or(quoted.len());
            out.push_str(&regex::escape(&quoted[..end]));
            rest = quoted[end..].strip_prefix(r"\E").unwrap_or("");
        } else if c == '\\' {
            let len = escaped(rest);
            out.push_str(&rest[..len]);
            rest = &rest[len..];
        } else if c == '[' {
            rest = class_from_go(rest, &mut out);
        } else {
            if c == '{' && !is_repetition(rest) {
                out.push('\\');
            }
            out.push(c);
            rest = &rest[len..];
        }
    }
    out
}

/// The length of what `s` begins with, a backslash and what belongs to it: braces, too, in `\x{6d}` and `\p{Greek}`.
fn escaped(s: &str) -> usize {
    let len = 1 + s[1..].chars().next().map_or(0, char::len_utf8);
    let braces = matches!(&s[1..len], "x" | "p" | "P") && s[len..].starts_with('{');
    match s[len..].find('}').filter(|_| braces) {
        Some(end) => len + end + 1,
        None => len,
    }
}

/// Copies the class that `s` begins with; gives what comes after it.
fn class_from_go<'a>(s: &'a str, out: &mut String) -> &'a str {
    let mut rest = &s[1..];
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while let Some(c) = rest.chars().next() {
        let len = c.len_utf8();
        match c {
            ']' if !first => {
                out.push(']');
                return &rest[1..];
            }
            '\\' => {
                let len = escaped(rest);
                out.push_str(&rest[..len]);
                rest = &rest[len..];
                first = false;
                continue;
            }
            '[' if rest.starts_with("[:") && rest.contains(":]") => {
                let end = rest.find(":]").unwrap_or(0) + 2;
                out.push_str(&rest[..end]);
                rest = &rest[end..];
                first = false;
                continue;
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        first = false;
        rest = &rest[len..];
    }
    rest
}

/// Whether `s` begins with `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(s: &str) -> bool {
    let Some(inside) = s[1..].split('}').next().filter(|i| i.len() + 1 < s.len()) else { return false };
    let is_number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    match inside.split_once(',') {
        None => is_number(inside),
        Some((from, to)) => is_number(from) && (to.is_empty() || is_number(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_syntax_is_understood() {
        let is = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().is_match(text);
        assert!(is(r"^\Qmain.(*T).M\E$", "main.(*T).M"));
        assert!(is(r"interface {}", "f(interface {})"));
        assert!(is(r"^a{2}$", "aa"));
        assert!(is(r"^\x{6d}ain[\x{2e}]\p{Greek}$", "main.\u{3b1}"));
        assert!(is(r"f[[]go", "f[go.shape.int]"));
        assert!(is(r"[[:alpha:]]+[.]x", "ab.x"));
        assert!(is(r"^[]a]+$", "]a"));
        assert!(is(r"^[a&&b]+$", "a&b"));
        assert!(is(r"^main\.|payment", "payment.(*Core).Pay"));
    }

    #[test]
    fn a_huge_expression_is_refused() {
        assert!(Pattern::new("((a{1000}){1000}){1000}").is_err());
        assert!(Pattern::new("(").unwrap_err().to_string().contains("unclosed group"));
    }
}
