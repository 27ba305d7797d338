//! Text that a file brings, made safe to show.
//!
//! A trace is data from elsewhere: a log message may hold an escape sequence that retitles the terminal, a bidi control
//! that turns a line around, or a character of no width that hides a difference. Nothing of that kind reaches a screen.

pub use super::number::{bytes, count, goal};
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// Bars of eight heights, from the lowest to the full one.
pub const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Whether a name is that of a pattern, or begins as one that ends with `*` does.
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// Whether `c` may not reach a terminal as it is.
pub fn is_unsafe(c: char) -> bool {
    match c {
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Soft hyphen, joiners, bidi marks, embeddings, isolates, invisible operators, byte-order mark, tags.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// `s` with every control, bidi and invisible character written out (`\n`, `\x1b`, `\u{202e}`).
///
/// Borrowed, and so free, for the ordinary string that has none.
pub fn escape(s: &str) -> Cow<'_, str> {
    if !s.chars().any(is_unsafe) {
        return Cow::Borrowed(s);
    }
    let mut out = String::with_capacity(s.len() + 16);
    for c in s.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) && (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_unsafe(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A word as one writes it in a shell, where it is one word and means itself; nothing if it has characters that cannot be
/// shown as they are.
pub fn shell_word(word: &str) -> Option<Cow<'_, str>> {
    if word.chars().any(is_unsafe) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    Some(match !word.is_empty() && word.chars().all(plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    })
}

/// JSON text in which no control, bidi or invisible character stands as it is: within strings they are written `\uXXXX`,
/// which means the same.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let passes = |c: char| c == '\n' || !is_unsafe(c);
    if json.chars().all(passes) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if passes(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Cow::Owned(out)
}

/// Bytes from a file as text: valid UTF-8 as it is, any other byte written out, `\xff`, so that names that differ stay
/// different.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|b| out.push_str(&format!("\\x{b:02x}")));
    }
    Cow::Owned(out)
}

/// How many columns of a terminal `s` takes.
pub fn width(s: &str) -> usize {
    s.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// `s` cut to at most `columns` columns, with `…` where something was cut off at the end.
pub fn fit(s: &str, columns: usize) -> Cow<'_, str> {
    if width(s) <= columns {
        return Cow::Borrowed(s);
    }
    let mut out = String::new();
    let mut used = 0;
    for c in s.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// `s` cut to at most `columns` columns, with `…` where something was cut off at the start: for paths and qualified
/// names, whose end says more.
pub fn fit_end(s: &str, columns: usize) -> Cow<'_, str> {
    if width(s) <= columns {
        return Cow::Borrowed(s);
    }
    let mut tail = Vec::new();
    let mut used = 0;
    for c in s.chars().rev() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        tail.push(c);
    }
    let mut out = String::new();
    if columns > 0 {
        out.push('…');
    }
    out.extend(tail.into_iter().rev());
    Cow::Owned(out)
}

/// `s` broken between words into lines of at most `columns` columns; a word that is longer is cut.
pub fn wrap(s: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in s.split_whitespace() {
        let word = fit(word, columns);
        match lines.last_mut() {
            Some(l) if width(l) + 1 + width(&word) <= columns => {
                l.push(' ');
                l.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

/// `s` without its first `columns` columns; half a wide character leaves a space.
pub fn skip(s: &str, columns: usize) -> Cow<'_, str> {
    let mut left = columns;
    for (at, c) in s.char_indices() {
        let w = c.width().unwrap_or(0);
        match left {
            0 => return Cow::Borrowed(&s[at..]),
            1 if w == 2 => return Cow::Owned(format!(" {}", &s[at + c.len_utf8()..])),
            _ => left -= w.min(left),
        }
    }
    Cow::Borrowed("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        let nasty = "a\x1b[31mb\x07c\u{202e}d\u{200b}e\r\n\u{9b}31m";
        let out = escape(nasty);
        assert_eq!(out, "a\\x1b[31mb\\x07c\\u{202e}d\\u{200b}e\\r\\n\\x9b31m");
        assert!(matches!(escape("plain, ünïcode, 漢字"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_meaning_and_steers_nothing() {
        let nasty = "a\u{202e}b\u{7f}c\u{e0001}\n";
        let json = serde_json::to_string(nasty).unwrap();
        let safe = escape_json(&json);
        assert_eq!(safe, r#""a\u202eb\u007fc\udb40\udc01\n""#);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), nasty);
    }

    #[test]
    fn cutting_counts_columns_and_not_characters() {
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit_end("payment/order_cache.go", 10), "…_cache.go");
        assert_eq!(fit("abcd", 0), "");
        assert_eq!((skip("abcd", 0), skip("abcd", 3), skip("abcd", 9)), ("abcd".into(), "d".into(), "".into()));
        assert_eq!((skip("漢字b", 2), skip("漢字b", 3)), ("字b".into(), " b".into()));
    }

    #[test]
    fn wrapped_lines_have_all_words_and_none_is_too_long() {
        assert_eq!(wrap("194 of 194 samples matched", 12), ["194 of 194", "samples", "matched"]);
        assert_eq!(wrap("194 of 194 samples matched", 26), ["194 of 194 samples matched"]);
        assert_eq!(wrap("a 漢字漢字 b", 5), ["a", "漢字…", "b"]);
        assert!(wrap(" ", 5).is_empty());
    }
}
