//! Files that mean harm, and files cut off: nothing panics, nothing but text reaches the terminal.

use crate::common;

use common::data;
use std::path::{Path, PathBuf};
use std::process::Output;

fn gotrail(args: &[&str], file: &Path) -> Output {
    let (command, rest) = args.split_first().unwrap();
    common::gotrail().arg(command).arg(file).args(rest).output().unwrap()
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

/// A profile of one function in the file `source`, which costs 7 of a unit that nobody has heard of.
fn profile(dir: &Path, unit: &str, source: &str) -> PathBuf {
    use gotrail::profile::wire;
    use gotrail::profile::wire::proto;
    let p = proto::Profile {
        string_table: ["", "cost", unit, "main.f", source].map(|s| s.as_bytes().to_vec()).to_vec(),
        sample_type: vec![proto::ValueType { r#type: 1, unit: 2 }],
        sample: vec![proto::Sample { location_id: vec![1], value: vec![7], ..proto::Sample::default() }],
        location: vec![proto::Location {
            id: 1,
            line: vec![proto::Line { function_id: 1, line: 1, ..proto::Line::default() }],
            ..proto::Location::default()
        }],
        function: vec![proto::Function { id: 1, name: 3, filename: 4, ..proto::Function::default() }],
        ..proto::Profile::default()
    };
    let file = dir.join("p.pb");
    std::fs::write(&file, wire::encode(&p)).unwrap();
    file
}

/// A command on a profile: as with pprof, the file comes last.
fn on_profile(args: &[&str], file: &Path) -> Output {
    common::gotrail().args(args).arg(file).output().unwrap()
}

#[test]
fn the_unit_of_a_profile_is_escaped_wherever_it_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = profile(dir.path(), "x\u{1b}]0;t\u{7}\u{202e}\n\u{9b}\u{2028}", "main.go");
    for args in [&["top"][..], &["tree"], &["peek", "."], &["traces"], &["tags"], &["raw"], &["snapshot"]] {
        let out = on_profile(args, &file);
        for (of, bytes) in [("stdout", out.stdout), ("stderr", out.stderr)] {
            let text = String::from_utf8(bytes).unwrap();
            // pprof's own tables have tabs.
            assert!(!text.chars().any(|c| c != '\t' && harmful(c)), "{args:?}, {of}: {text:?}");
        }
    }
}

#[test]
fn why_profiles_do_not_go_together_is_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (a, b) = (profile(dir.path(), "\x1b]0;x\x07m", ""), profile(other.path(), "\x1b[2Js", ""));
    let b = b.to_str().unwrap();
    for args in [vec!["top", b], vec!["top", "--base", b], vec!["traces", "--diff_base", b]] {
        let out = on_profile(&args, &a);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(text.contains("do not go together"), "{args:?}: {text}");
        assert!(!text.contains(harmful), "{args:?}: {text:?}");
    }
}

#[test]
fn a_profile_gets_nothing_listed_that_is_no_source() {
    let dir = tempfile::tempdir().unwrap();
    for (name, shown) in [("secret", false), ("secret.go", true)] {
        let path = dir.path().join(name);
        std::fs::write(&path, "what is in it\n").unwrap();
        let file = profile(dir.path(), "count", path.to_str().unwrap());
        let out = on_profile(&["list", "main.f"], &file);
        let text = String::from_utf8(out.stdout).unwrap();
        assert_eq!(text.contains("what is in it"), shown, "{name}: {text}");
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
