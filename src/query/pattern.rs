//! Patterns made ready to match: every sort of text becomes one regular expression, of bounded size.

use super::Pattern;
use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take: enough for any that a person writes, not for `(\w{1000}){1000}`.
const SIZE_LIMIT: usize = 1 << 20;

/// Why nothing can be matched with a pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Compiled, it would take too much memory.
    #[error("this pattern is too large")]
    TooLarge,
    /// It is no regular expression; why, in the words of the crate `regex`.
    #[error("not a regular expression: {0}")]
    NotRegex(String),
}

/// A pattern ready to match.
#[derive(Debug)]
pub(crate) struct Matcher {
    regex: Regex,
}

impl Matcher {
    /// Matches text that contains the pattern.
    pub(crate) fn contains(p: &Pattern) -> Result<Matcher, PatternError> {
        let source = if p.regex { p.text.clone() } else { regex::escape(&p.text) };
        build(&source, p)
    }

    /// Matches text that the pattern, taken as a glob, matches as a whole.
    pub(crate) fn whole(p: &Pattern) -> Result<Matcher, PatternError> {
        let source = if p.regex { p.text.clone() } else { format!("^(?:{})$", glob(&p.text)) };
        build(&source, p)
    }

    /// Matches names of functions: a glob is held against the whole name, with or without the directories of its
    /// package (`payment.*` matches `paycore/payment.New`); a text without wildcards may stand anywhere.
    pub(crate) fn func(p: &Pattern) -> Result<Matcher, PatternError> {
        if p.regex || !has_wildcard(&p.text) {
            return Matcher::contains(p);
        }
        build(&format!("^(?:.*/)?(?:{})$", glob(&p.text)), p)
    }

    /// Matches functions whose whole name, with or without directories, is the pattern.
    pub(crate) fn exact_func(p: &Pattern) -> Result<Matcher, PatternError> {
        let source = if p.regex { p.text.clone() } else { format!("^(?:.*/)?(?:{})$", glob(&p.text)) };
        build(&source, p)
    }

    /// Matches labels, written `key=value`: a pattern with a `=` as a whole, where the value may be a glob; any other text may
    /// stand anywhere.
    pub(crate) fn label(p: &Pattern) -> Result<Matcher, PatternError> {
        if p.text.contains('=') { Matcher::whole(p) } else { Matcher::contains(p) }
    }

    /// Matches paths of files: a file's name or a glob is held against the last parts of the path, any other text may
    /// stand anywhere. `whole_name` says that the pattern surely is the end of a path.
    pub(crate) fn file(p: &Pattern, whole_name: bool) -> Result<Matcher, PatternError> {
        if p.regex || !(whole_name || has_wildcard(&p.text) || p.text.ends_with(".go")) {
            return Matcher::contains(p);
        }
        build(&format!(r"^(?:.*[/\\])?(?:{})$", glob(&p.text)), p)
    }

    pub(crate) fn is_match(&self, s: &str) -> bool {
        self.regex.is_match(s)
    }
}

/// Tries to compile a pattern that is a regular expression.
pub(crate) fn regex(p: &Pattern) -> Result<Regex, PatternError> {
    build(&p.text, p).map(|m| m.regex)
}

fn build(source: &str, p: &Pattern) -> Result<Matcher, PatternError> {
    let built = RegexBuilder::new(source)
        .case_insensitive(!has_upper(p))
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(64)
        .build();
    match built {
        Ok(regex) => Ok(Matcher { regex }),
        Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
        Err(e) => {
            // The first lines repeat the expression; the last one says what is wrong.
            let all = e.to_string();
            let last = all.lines().last().unwrap_or_default();
            Err(PatternError::NotRegex(last.trim_start_matches("error: ").to_owned()))
        }
    }
}

/// Smart case: whether an upper-case letter asks for exact case. In a regular expression `\W` and its like do not count.
fn has_upper(p: &Pattern) -> bool {
    let mut escaped = false;
    p.text.chars().any(|c| {
        let counts = c.is_uppercase() && !escaped;
        escaped = p.regex && c == '\\' && !escaped;
        counts
    })
}

/// Whether a `*` or `?` in a glob is a wildcard. The star of a Go method's receiver, `(*T)`, is not.
fn has_wildcard(glob: &str) -> bool {
    glob.contains('?') || glob.char_indices().any(|(i, c)| c == '*' && !is_receiver(glob, i))
}

fn is_receiver(glob: &str, star: usize) -> bool {
    glob[..star].ends_with('(') && glob[star + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// A glob as a regular expression: `*` is any text, `?` any character. Brackets are themselves, as Go's names of
/// instantiated generics have them.
fn glob(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut utf8 = [0; 4];
    for (i, c) in text.char_indices() {
        match c {
            '*' if !is_receiver(text, i) => out.push_str(".*"),
            '?' => out.push('.'),
            c => out.push_str(&regex::escape(c.encode_utf8(&mut utf8))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Pattern {
        Pattern { text: text.to_string(), regex: false }
    }

    #[test]
    fn functions_match_with_and_without_the_directories() {
        let cases = [
            ("payment.*", "paycore/payment.New", true),
            ("payment.*", "payment.(*Core).Pay", true),
            ("payment.*", "repayment.New", false),
            ("mapassign", "runtime.mapassign_faststr", true),
            ("runtime.mapassign*", "runtime.mapassign_faststr", true),
            ("(*Core).Pay", "paycore/payment.(*Core).Pay.func1", true),
            ("payment.(*Core).*", "paycore/payment.(*BigCore).Pay", false),
            ("slices.Sort?unc[*]", "slices.SortFunc[go.shape.int]", true),
            ("Payment.*", "paycore/payment.New", false),
        ];
        for (glob, name, want) in cases {
            assert_eq!(Matcher::func(&p(glob)).unwrap().is_match(name), want, "{glob} on {name}");
        }
    }

    #[test]
    fn files_match_by_their_last_parts() {
        let cases = [
            ("order_cache.go", "/home/x/payment/order_cache.go", true),
            ("cache.go", "/home/x/payment/order_cache.go", false),
            ("*cache.go", "/home/x/payment/order_cache.go", true),
            ("payment/order_cache.go", "/home/x/payment/order_cache.go", true),
            ("payment", "/home/x/payment/order_cache.go", true),
        ];
        for (glob, name, want) in cases {
            assert_eq!(Matcher::file(&p(glob), false).unwrap().is_match(name), want, "{glob} on {name}");
        }
        assert!(!Matcher::file(&p("order_cache"), true).unwrap().is_match("x/order_cache.go"));
    }

    #[test]
    fn an_escape_in_a_regex_is_no_upper_case_letter() {
        let r = Pattern { text: r"\Wcore\S".into(), regex: true };
        assert!(Matcher::contains(&r).unwrap().is_match("*CORE)"));
        let r = Pattern { text: r"Core".into(), regex: true };
        assert!(!Matcher::contains(&r).unwrap().is_match("core"));
    }

    #[test]
    fn a_huge_regex_is_refused() {
        let r = Pattern { text: r"(\w{200}){200}".into(), regex: true };
        assert_eq!(Matcher::contains(&r).unwrap_err(), PatternError::TooLarge);
        let r = Pattern { text: "(a".into(), regex: true };
        assert_eq!(Matcher::contains(&r).unwrap_err().to_string(), "not a regular expression: unclosed group");
    }
}
