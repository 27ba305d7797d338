//! Lines of a log, without what the logger put around them.

/// What stands before each line of a program in a log: words that are always the same, and instants, which are not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Prefix(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    /// This text.
    Same(String),
    /// A number, or an instant.
    Instant,
}

/// Whether a word is a part of an instant: it has digits, and what may stand between them.
fn is_instant(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) && word.chars().all(of_instant)
}

fn of_instant(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '+' | ':' | '.' | ',' | '/' | 'T' | 'Z' | '[' | ']')
}

impl Prefix {
    /// Of what stands before one of the lines.
    pub(super) fn new(before: &str) -> Prefix {
        // A mark of the encoding stands before the first line only.
        let before = before.trim_start_matches('\u{feff}');
        let mut parts = Vec::new();
        let mut same = String::new();
        for word in before.split_inclusive(' ') {
            let bare = word.trim_end_matches(' ');
            if is_instant(bare) {
                if !same.is_empty() {
                    parts.push(Part::Same(std::mem::take(&mut same)));
                }
                parts.push(Part::Instant);
                same.push_str(&word[bare.len()..]);
            } else {
                same.push_str(word);
            }
        }
        if !same.is_empty() {
            parts.push(Part::Same(same));
        }
        Prefix(parts)
    }

    /// What follows the prefix; `None` if `line` does not have it.
    pub(super) fn strip<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut rest = line;
        for (i, part) in self.0.iter().enumerate() {
            match part {
                Part::Same(s) => {
                    let last = i + 1 == self.0.len();
                    rest = match rest.strip_prefix(s.as_str()) {
                        Some(rest) => rest,
                        // Spaces at the end of an empty line get lost.
                        None if last && rest == s.trim_end() => "",
                        None => return None,
                    };
                }
                Part::Instant => {
                    let end = rest.find(|c| !of_instant(c)).unwrap_or(rest.len());
                    rest = is_instant(&rest[..end]).then(|| &rest[end..])?;
                }
            }
        }
        Some(rest)
    }
}

/// Why a program died, if `line` says so.
pub(super) fn cause(line: &str) -> Option<&str> {
    let at = ["panic: ", "fatal error: ", "SIGQUIT: ", "SIGABRT: "].iter().filter_map(|c| line.find(c)).min()?;
    let before = line[..at].chars().next_back();
    (!before.is_some_and(char::is_alphanumeric)).then(|| line[at..].trim_end())
}

/// The lines of a text. What a line says that is an object of JSON, as Docker and structured loggers write it, is what
/// stands in its message, which may have several lines itself.
pub(super) struct Lines<'a>(&'a str);

/// The members of an object in which loggers put what the program wrote, and those with a stack.
const MESSAGES: [&str; 6] = ["log", "message", "msg", "MESSAGE", "textPayload", "line"];
const STACKS: [&str; 3] = ["stack", "stacktrace", "stack_trace"];

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        Lines(text)
    }

    /// Hands on every line with the number, from 1 on, of that in the text.
    pub(super) fn each(self, f: &mut dyn FnMut(usize, &str)) {
        for (i, line) in self.0.lines().enumerate() {
            let n = i + 1;
            let line = line.trim_end_matches('\r');
            if line.starts_with('{')
                && let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line)
            {
                let text = |key: &&str| object.get(*key).and_then(|v| v.as_str());
                let message = MESSAGES.iter().find_map(text);
                for text in message.into_iter().chain(STACKS.iter().find_map(text)) {
                    text.lines().for_each(|l| f(n, l));
                    if text.is_empty() {
                        f(n, "");
                    }
                }
            } else if line.contains('\x1b') {
                f(n, &plain(line));
            } else {
                f(n, line);
            }
        }
    }
}

/// `line` without what colours it.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        match after.find(|c: char| !c.is_ascii_digit() && c != ';') {
            Some(end) if after[end..].starts_with('m') => rest = &after[end + 1..],
            _ => {
                out.push_str("\x1b[");
                rest = after;
            }
        }
    }
    out + rest
}
