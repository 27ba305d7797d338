//! One word for one thing: what commands print, their help and the manual have the field's words, and none of those that
//! stood for them once.

use assert_cmd::Command;
use regex::Regex;
use std::path::{Path, PathBuf};

/// Words that are not used, as expressions, and what is said instead.
const NOT_SAID: &[(&str, &str)] = &[
    (r"\blets? (it |another )?go\b", "unblocked by, released by"),
    (r"\bwoke\b", "unblocked by, woken by"),
    (r"has no P\b|\breadied by\b", "runnable; waiting for a P"),
    (r"99 in 100", "p99"),
    (r"\bin all\b", "total"),
    (r"\bof all +times", "%"),
    (r"\bof time  ", "% of trace"),
    (r"\bdeep\b", "max waiters"),
    (r"step back", "hand-offs in starvation mode"),
    (r"did not wait meanwhile", "held it"),
    (r"nobody, to the end|nobody: the trace ends", "still blocked at trace end"),
    (r"narrow(ed|ing|s)? to|\bnarrowing\b", "filter, scope"),
    (r"runtime's own goroutine", "runtime goroutines"),
    (r"\bcharged to\b", "attributed to"),
    (r"\banew\b", "redraw"),
    (r"has become (more|less)", "grew, shrank"),
    (r"\bdearest\b", "most expensive"),
    (r"\bthe collector\b", "GC, mark worker, mark assist"),
    (r"the world (is|was) stopped", "stop-the-world, STW"),
    (r"who waited for whom", "waits: who was blocked by whom"),
    (r"\bknots?\b", "wait cycle"),
];

/// What makes the commands print all they can.
const COMMANDS: &[&[&str]] = &[
    &["summary"],
    &["waits", "--all", "--limit", "1000"],
    &["locks", "--limit", "1000"],
    &["sched"],
    &["gc"],
    &["findings"],
    &["maps"],
    &["why", "-g", "1"],
    &["spans", "--limit", "1000"],
    &["spans", "--slow", "--limit", "1000"],
    &["lines", "--all", "--limit", "1000"],
    &["leaks"],
    &["races"],
    &["cache", "path"],
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command says, on both streams.
fn said(args: &[&str], file: Option<&Path>) -> String {
    let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    let out = c.current_dir(root()).env("COLUMNS", "1000").args(args).args(file).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn check(what: &str, text: &str, faults: &mut Vec<String>) {
    for (wrong, right) in NOT_SAID {
        let wrong = Regex::new(&format!("(?i){wrong}")).unwrap();
        // Programs of the tests may call their functions what they like.
        let lines = text.lines().filter(|l| wrong.is_match(l) && !l.contains("main.knot"));
        faults.extend(lines.take(1).map(|l| format!("{what}: {l:?}: say {right}")));
    }
}

fn traces() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/data")).unwrap().map(|e| e.unwrap().path());
    let mut out: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "trace")).collect();
    out.push(root().join("sample-traces/trace.out"));
    out.sort();
    out
}

#[test]
fn reports_have_the_words_of_the_field() {
    let mut faults = Vec::new();
    for trace in traces() {
        for args in COMMANDS {
            let file = (args[0] != "cache").then_some(trace.as_path());
            // The name of the file is not ours.
            let name = trace.file_name().unwrap().to_string_lossy().into_owned();
            check(&format!("{args:?} {name}"), &said(args, file).replace(&name, "FILE"), &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn help_and_manual_do_too() {
    let mut faults = Vec::new();
    let help = said(&["--help"], None);
    check("--help", &help, &mut faults);
    let commands = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let names: Vec<&str> =
        commands.filter_map(|l| l.strip_prefix("  ")?.split(' ').next().filter(|n| !n.is_empty())).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        check(name, &said(&[name, "--help"], None).replace('\n', " ").replace("  ", " "), &mut faults);
    }
    check("man", &said(&["man"], None), &mut faults);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn documents_have_the_words_of_the_field() {
    let mut faults = Vec::new();
    for page in ["README.md", "CONTRIBUTING.md", "docs/manual.md", "docs/tutorial.md", "docs/design.md"] {
        check(page, &std::fs::read_to_string(root().join(page)).unwrap(), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn wrong_words_are_found() {
    let mut faults = Vec::new();
    check("", "blocked in sync, until G1 lets it go at a.go:3\n99 in 100\n", &mut faults);
    assert_eq!(faults.len(), 2, "{faults:?}");
}
