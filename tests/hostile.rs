//! Files that mean harm, and files cut off: nothing panics, nothing but text reaches the terminal.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn gotrail(args: &[&str], file: &Path) -> Output {
    let (command, rest) = args.split_first().unwrap();
    Command::new(env!("CARGO_BIN_EXE_gotrail")).arg(command).arg(file).args(rest).output().unwrap()
}

/// Whether a terminal, or a reader of the text, could take `c` for something else than a character to show.
fn harmful(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
        || (c.is_control() && c != '\n')
}

/// The text without `ESC [ digits and semicolons m`.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        match part[end..].strip_prefix('m') {
            Some(rest) => out.push_str(rest),
            None => out.push_str(&format!("\x1b[{part}")),
        }
    }
    out
}

#[test]
fn strings_of_the_file_are_escaped_wherever_they_are_shown() {
    let file = data("hostile.trace");
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.contains(&0x1b), "the file holds what it is made for");
    for args in [
        &["summary"][..],
        &["summary", "--format", "json"],
        &["events"],
        &["events", "--stacks"],
        &["events", "--format", "jsonl"],
        &["snapshot"],
        &["snapshot", "--keys", "2"],
        &["snapshot", "--keys", "5"],
        &["snapshot", "--keys", "/kind:log<Enter>n", "--size", "200x60"],
        &["snapshot", "--keys", "5", "--format", "ansi"],
        &["snapshot", "--keys", "5", "--format", "svg"],
    ] {
        let out = gotrail(args, &file);
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(!text.is_empty(), "{args:?}");
        let text = if args.contains(&"ansi") { without_styles(&text) } else { text };
        if let Some(c) = text.chars().find(|&c| harmful(c)) {
            panic!("{args:?} shows {c:?}");
        }
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(!said.chars().any(harmful), "{args:?}: {said:?}");
    }
}

/// They are not left out either: whoever looks sees what is in the file.
#[test]
fn what_is_escaped_is_still_there() {
    let file = data("hostile.trace");
    // What every one of these strings ends in: a colour, the clipboard, a bell, text turned around.
    let tail = r"\x1b[31m\x1b]52;c;aGk=\x07\u{202e}";
    let shows = |args: &[&str], names: &[&str]| {
        let out = gotrail(args, &file).stdout;
        for name in names {
            let wanted = format!("{name}{tail}");
            assert!(out.windows(wanted.len()).any(|w| w == wanted.as_bytes()), "{args:?}: {wanted}");
        }
    };
    shows(&["summary"], &["main.fn", "task ", "region "]);
    shows(&["events"], &["main.fn", "task ", "region ", "message "]);
    shows(&["snapshot", "--keys", "5", "--size", "240x60"], &["main.fn", "task ", "region ", "message "]);
}

#[test]
fn cut_anywhere_a_trace_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cut.trace");
    for name in ["leak.trace", "timer.trace", "knot.trace"] {
        let bytes = std::fs::read(data(name)).unwrap();
        for end in (0..bytes.len()).step_by(997) {
            std::fs::write(&file, &bytes[..end]).unwrap();
            let out = gotrail(&["summary", "--format", "json"], &file);
            let said = String::from_utf8(out.stderr).unwrap();
            match out.status.code() {
                Some(0) => assert!(serde_json::from_slice::<serde_json::Value>(&out.stdout).is_ok(), "{name} to {end}"),
                Some(3) => {
                    assert!(said.starts_with("gotrail: ") && said.lines().count() == 1, "{name} to {end}: {said}")
                }
                code => panic!("{name} cut at {end}: {code:?} {said}"),
            }
        }
    }
}
