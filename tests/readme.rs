//! What the README says is so: its `console` blocks are run and their outputs compared, its tables are made from the
//! lists in the code. With `GOTRAIL_README=write` in the environment the README is brought up to date instead.
//!
//! In an output `…` on a line of its own stands for any lines, and within a line for any text.

use gotrail::query;
use gotrail::tui::app::action::Action;
use std::path::{Path, PathBuf};
use std::process::Command;

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn run(command: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_gotrail")).parent().unwrap().to_path_buf();
    let paths = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = std::env::join_paths(std::iter::once(bin).chain(paths)).unwrap();
    let out = Command::new("sh")
        .args(["-c", command])
        .env("PATH", path)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "`{command}` failed: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

fn line_matches(want: &str, got: &str) -> bool {
    match want.split_once('…') {
        None => want == got,
        Some((before, after)) => got.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| line_matches(after, &rest[i..]))
        }),
    }
}

fn matches(want: &[&str], got: &[&str]) -> bool {
    match want {
        [] => got.is_empty(),
        ["…", rest @ ..] => (0..=got.len()).any(|i| matches(rest, &got[i..])),
        [first, rest @ ..] => match got {
            // A picture has elisions of its own, which are themselves.
            [line, more @ ..] => (first == line || line_matches(first, line)) && matches(rest, more),
            [] => false,
        },
    }
}

/// The README as it should be: outputs that do not match are replaced by the right ones.
fn console_blocks(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut commands = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if line != "```console" {
            continue;
        }
        while let Some(command) = lines.next_if(|l| l.starts_with("$ ")) {
            commands += 1;
            out.push_str(command);
            out.push('\n');
            let mut want = Vec::new();
            while let Some(l) = lines.next_if(|l| !l.starts_with("$ ") && *l != "```") {
                want.push(l);
            }
            let got = run(&command[2..]);
            if matches(&want, &got.lines().collect::<Vec<_>>()) {
                want.iter().for_each(|l| out.push_str(&format!("{l}\n")));
            } else {
                out.push_str(&got);
            }
        }
    }
    (out, commands)
}

fn fill(text: &str, name: &str, table: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let from = text.find(&open).expect("the table's beginning") + open.len();
    let to = text.find(&close).expect("the table's end");
    format!("{}{table}{}", &text[..from], &text[to..])
}

/// All that is not plain moving about.
fn keys() -> String {
    let mut out = String::from("| keys | what they do |\n|---|---|\n");
    let plain = Action::ALL.iter().position(|&a| a == Action::Enter).unwrap();
    for a in Action::ALL[plain..].iter() {
        let keys: Vec<String> = a.default_keys().split(' ').map(|k| format!("`{k}`")).collect();
        out.push_str(&format!("| {} | {} |\n", keys.join(" "), a.help()));
    }
    out
}

fn queries() -> String {
    let mut out = String::from("| write | matches | example |\n|---|---|---|\n");
    for h in query::help() {
        out.push_str(&format!("| `{}` | {} | `{}` |\n", h.term, h.meaning, h.example));
    }
    out
}

#[test]
fn says_what_is_so() {
    let path = readme();
    let text = std::fs::read_to_string(&path).unwrap();
    let (right, commands) = console_blocks(&text);
    assert!(commands >= 5, "the walk-through has {commands} commands");
    let right = fill(&fill(&right, "keys", &keys()), "queries", &queries());
    if std::env::var_os("GOTRAIL_README").is_some_and(|v| v == "write") {
        std::fs::write(&path, right).unwrap();
        return;
    }
    for (i, (want, got)) in text.lines().zip(right.lines()).enumerate() {
        assert_eq!(want, got, "README.md, line {}; GOTRAIL_README=write updates it", i + 1);
    }
    assert_eq!(text.len(), right.len(), "README.md; GOTRAIL_README=write updates it");
}

#[test]
fn elisions_stand_for_any_text() {
    assert!(matches(&["a", "…", "z 9… %"], &["a", "b", "c", "z 98.4 %"]));
    assert!(!matches(&["a", "…", "z 9… %"], &["a", "b", "z 88.4 %"]));
    assert!(!matches(&["a"], &["a", "b"]));
}
