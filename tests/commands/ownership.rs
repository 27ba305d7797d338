//! Whose code it is has one answer, in one place.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(args: &[&str], file: &Path) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_gotrail")).args(args).arg(file).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// A trace that was cut before its names are written: nobody can say whose its goroutines are, so none is left out.
#[test]
fn goroutines_of_unknown_origin_are_shown_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cut.trace");
    fs::write(&file, &fs::read(root().join("sample-traces/trace.out")).unwrap()[..300_000]).unwrap();

    let links = said(&["links", "--no-cache", "--limit", "1000"], &file);
    assert!(!links.contains("runtime's own"), "{links}");
    let waits = |text: &str| text.lines().filter(|l| l.contains("· (not known)")).count();
    assert!(waits(&links) > 4, "{links}");
    let summary = said(&["summary", "--no-cache"], &file);
    assert!(waits(&summary) > 4, "{summary}");
    let locks = said(&["locks", "--no-cache"], &file);
    assert!(!locks.contains("no goroutine was blocked"), "{locks}");
    assert!(locks.contains("not recorded: what 1"), "{locks}");

    let screen = |keys: &str| said(&["snapshot", "--no-cache", "--size", "120x40", "--keys", keys], &file);
    let timeline = screen("1");
    assert!(timeline.contains("×42"), "{timeline}");
    let view3 = screen("3");
    assert!(waits(&view3) + view3.matches("(not known)").count() > 4, "{view3}");
    // On the CPU and off it: all of it is theirs.
    for keys in ["4", "4x"] {
        let view4 = screen(keys);
        assert!(view4.contains("(not known)"), "{view4}");
    }
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for p in entries {
        match p.is_dir() {
            true => rust_files(&p, out),
            false if p.extension().is_some_and(|e| e == "rs") => out.push(p),
            false => {}
        }
    }
}

/// The code of all files of `src` but for tests, with their paths below it.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let tests = |p: &PathBuf| p.iter().any(|c| ["tests", "tests.rs", "fixture.rs"].iter().any(|t| c == *t));
    let read = |p: PathBuf| {
        let text = fs::read_to_string(&p).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code: Vec<&str> = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        (p.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned(), code.join("\n"))
    };
    files.into_iter().filter(|p| !tests(p)).map(read).collect()
}

/// The files in which one of `needles` stands, but for those that may hold it.
fn elsewhere(needles: &[&str], allowed: &[&str]) -> Vec<String> {
    let found = sources().into_iter().filter(|(path, _)| !allowed.contains(&path.as_str())).flat_map(|(path, code)| {
        let lines: Vec<String> = code.lines().map(str::to_owned).collect();
        let hits = lines.into_iter().filter(|l| needles.iter().any(|n| l.contains(n)));
        hits.map(|l| format!("{path}: {}", l.trim())).collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn whose_code_it_is_is_decided_in_one_place() {
    let needles = [
        "starts_with(\"runtime",
        "starts_with(\"internal",
        "starts_with(\"sync.",
        "== \"runtime.main\"",
        "!= \"runtime.main\"",
        "contains(\"runtime.",
        "strip_prefix(\"runtime",
        "strip_prefix(\"internal",
    ];
    // Which functions these are is a question of its own: what a map assignment is called, what releases a lock.
    let other_questions = [
        "starts_with(\"runtime.mapassign",
        "strip_prefix(\"internal/\").unwrap_or(name)",
        "starts_with(\"internal/poll.\")",
        "starts_with(\"internal/poll.(*FD).\")",
        "starts_with(\"runtime.map\")",
        // The runtime's words for waits, in a dump.
        "reason.starts_with(\"sync.\")",
    ];
    let mut found = elsewhere(&needles, &["model/ownership.rs"]);
    found.retain(|l| !other_questions.iter().any(|q| l.contains(q)));
    assert!(found.is_empty(), "whose code it is is asked elsewhere too:\n{}", found.join("\n"));
}

#[test]
fn what_a_wait_is_called_and_where_it_stands_is_decided_in_one_place() {
    // Names are data, in assets/reasons.toml. Old traces have kinds of events for the runtime's words; the timeline has a
    // letter for each of these.
    let names = ["\"chan receive\"", "\"chan send\"", "\"Mutex\"", "\"select (", "\"GC assist\"", "\"sleep\""];
    // Old traces have no words for them but kinds of events, and goroutine profiles functions; the timeline has a letter for
    // each of the runtime's.
    let found = elsewhere(&names, &["wire/v1/layout.rs", "tui/views/timeline/render.rs", "analysis/leaks/census.rs"]);
    assert!(found.is_empty(), "waits are named elsewhere too:\n{}", found.join("\n"));
    // The line that a wait is shown at comes from the dictionary's one rule.
    let found = elsewhere(
        &["Own::of("],
        &[
            "model/dict.rs",
            "analysis/cost/flame.rs",
            "analysis/cost/join.rs",
            "analysis/maps/stack.rs",
            // A dump's functions are in no dictionary.
            "analysis/leaks/census.rs",
        ],
    );
    assert!(found.is_empty(), "lines are chosen elsewhere too:\n{}", found.join("\n"));
}
