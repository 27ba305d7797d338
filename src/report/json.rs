//! Report values as JSON, safe to show: what must not reach a terminal as it is stands as `\u` escapes, which mean the
//! same to every reader of JSON.

use crate::base::text;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes a value as an indented JSON object and a line end.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", safe(&serde_json::to_string_pretty(value)?))
}

/// Writes a value as JSON on one line.
pub fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", safe(&serde_json::to_string(value)?))
}

/// JSON with the characters escaped that steer a terminal or hide in it. Those below U+0020 are already, inside strings,
/// and outside of strings there are no others.
fn safe(json: &str) -> Cow<'_, str> {
    let bad = |c: char| c >= '\u{7f}' && text::is_unsafe(c);
    if !json.chars().any(bad) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if bad(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_no_trick_and_says_the_same() {
        let text = "a\u{1b}[31m\u{9b}31m\u{202e}\u{e0041}\u{7f}ü漢";
        let mut out = Vec::new();
        write_line(&text, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown.trim_end(), "\"a\\u001b[31m\\u009b31m\\u202e\\udb40\\udc41\\u007fü漢\"");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
