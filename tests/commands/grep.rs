//! `gotrail grep`: the same events as `events --filter`, over many files, in their order, with grep's exit codes.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const TRACES: [&str; 4] = [
    "sample-traces/fixed-trace.out",
    "sample-traces/go1.21-trace.out",
    "sample-traces/go1.22-trace.out",
    "sample-traces/trace.out",
];

fn run(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_gotrail")).current_dir(root).args(args).output().unwrap()
}

fn lines(o: &Output) -> Vec<String> {
    String::from_utf8(o.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn objects(o: &Output) -> Vec<Value> {
    lines(o).iter().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn grep_and_events_find_the_same_in_the_order_of_the_files() {
    for query in ["mapassign", "state:waiting dur>1ms", "kind:GCBegin"] {
        let found = objects(&run(&[&["grep", query, "--format", "jsonl"], &TRACES[..]].concat()));
        let events = objects(&run(&[&["events", "--filter", query, "--format", "jsonl"], &TRACES[..]].concat()));
        assert!(events.len() > 5);
        let key = |v: &Value| (v["no"].clone(), v["time_ns"].clone(), v["kind"].clone(), v["stack"].clone());
        assert!(found.iter().map(key).eq(events.iter().map(key)), "{query}");
        let counts = lines(&run(&[&["grep", query, "--count"], &TRACES[..]].concat()));
        let of = |t: &str| found.iter().filter(|h| h["file"] == t).count();
        assert_eq!(counts, TRACES.map(|t| format!("{t}:{}", of(t))));
    }
}

#[test]
fn all_forms_have_the_same_hits() {
    let hits = |format| run(&["grep", "kind:GCBegin", "--format", format, "sample-traces/trace.out"]);
    let objects = objects(&hits("jsonl"));
    let array: Value = serde_json::from_slice(&hits("json").stdout).unwrap();
    assert_eq!(array.as_array().unwrap(), &objects);
    let positions: Vec<&str> = objects.iter().map(|o| o["position"].as_str().unwrap()).collect();
    let (text, csv) = (lines(&hits("text")), lines(&hits("csv")));
    assert!(text.iter().map(|l| l.split(' ').next().unwrap()).eq(positions.iter().copied()));
    assert!(csv[1..].iter().map(|l| l.split(',').nth(1).unwrap()).eq(positions.iter().copied()));
    let none: Value = serde_json::from_slice(&run(&["grep", "zzz", "--format", "json", TRACES[0]]).stdout).unwrap();
    assert_eq!(none, Value::Array(vec![]));
}

#[test]
fn a_position_is_taken_by_the_other_commands_and_the_viewer() {
    let hit = objects(&run(&["grep", "--first", "state:waiting dur>5ms", "--format", "jsonl", TRACES[3]])).remove(0);
    let position = hit["position"].as_str().unwrap();
    let from = objects(&run(&["events", "--format", "jsonl", position]));
    assert_eq!((&from[0]["no"], &from[0]["g"]), (&hit["no"], &hit["g"]));
    assert!(from.iter().all(|e| e["g"] == hit["g"] || e["by"] == hit["g"]));
    for command in [&["summary"][..], &["findings"], &["waits"], &["why", "-g", "8"], &["grep", "mapassign"]] {
        let (at, plain) = (run(&[command, &[position]].concat()), run(&[command, &[TRACES[3]]].concat()));
        assert_eq!(lines(&at), lines(&plain), "{command:?}");
    }
    let screen = run(&["snapshot", "--size", "100x30", position]);
    assert!(screen.status.success(), "{}", String::from_utf8_lossy(&screen.stderr));
}

#[test]
fn exit_codes_are_those_of_grep_and_a_bad_file_ends_nothing() {
    let code = |args: &[&str]| run(&[&["grep"], args].concat()).status.code();
    assert_eq!(code(&["mapassign", TRACES[3]]), Some(0));
    assert_eq!(code(&["zzz", TRACES[3]]), Some(1));
    assert_eq!(code(&["kind:Nope", TRACES[3]]), Some(2));
    let bad = run(&["grep", "--count", "mapassign", "no/such", "Cargo.toml", TRACES[3]]);
    assert_eq!(bad.status.code(), Some(3));
    assert_eq!(lines(&bad), [format!("{}:3538", TRACES[3])]);
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(said.contains("no/such: no such file") && said.contains("Cargo.toml"), "{said}");
    let quiet = run(&["grep", "-q", "mapassign", "sample-traces"]);
    assert_eq!((quiet.status.code(), lines(&quiet).len()), (Some(0), 0));
}

#[test]
fn what_is_no_trace_among_several_files_is_said_and_left_out_by_all_commands() {
    let (trace, profile) = ("tests/data/convoy.trace", "sample-traces/cpu.pb.gz");
    let commands: [&[&str]; 6] = [
        &["summary"],
        &["waits", "--format", "json"],
        &["events", "--limit", "1"],
        &["grep", "--first", "kind:GoCreate"],
        &["query", "select name from trace_summary"],
        &["export", "--format", "csv", "--table", "samples"],
    ];
    for command in commands {
        let of = |files: &[&str]| run(&[command, files].concat());
        let alone = of(&[trace]);
        let among = of(&["Cargo.toml", profile, trace, "tests/programs"]);
        let said = String::from_utf8_lossy(&among.stderr).into_owned();
        assert_eq!((alone.status.code(), among.status.code()), (Some(0), Some(0)), "{command:?}: {said}");
        // Of a directory `grep` says what is in it, if anything is.
        for name in ["Cargo.toml", profile, "tests/programs"].iter().take(if command[0] == "grep" { 2 } else { 3 }) {
            assert!(said.contains(&format!("{name}: ")), "{command:?}: {said}");
        }
        let last = |o: &Output| lines(o).last().cloned();
        assert_eq!(last(&alone), last(&among), "{command:?}");
        // It is an error where nothing else is there, and so is what should be a trace and cannot be read.
        for files in [&[profile][..], &["Cargo.toml", profile], &["Cargo.toml", trace, "no/such"]] {
            assert_eq!(of(files).status.code(), Some(3), "{command:?} {files:?}");
        }
    }
    let findings = run(&["findings", "--level", "critical", "Cargo.toml", trace]);
    assert_ne!(findings.status.code(), Some(3));
}

#[test]
fn so_many_events_of_each_trace_are_printed_as_are_wanted() {
    let file = "tests/data/convoy.trace";
    let events = |args: &[&str]| lines(&run(&[&["events", "--format", "jsonl"], args].concat()));
    let at = format!("{file}@0s");
    for args in [&[file][..], &["--filter", "kind:GoCreate or kind:GoBlock", file], &[&at]] {
        let all = events(args);
        assert!(all.len() > 9);
        for n in [0, 1, 5, all.len() - 1, all.len(), all.len() + 1] {
            assert_eq!(events(&[&["--limit", &n.to_string()], args].concat()), all[..n.min(all.len())], "{args:?} {n}");
        }
        assert_eq!(events(&[&["--first"], args].concat()), all[..1]);
    }
    assert_eq!(events(&["--limit", "2", file, TRACES[3]]).len(), 4);
}

#[test]
fn directories_are_searched_as_deep_as_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for to in ["one", "a/two", "a/b/three"] {
        std::fs::copy(root.join("tests/data/convoy.trace"), dir.path().join(to)).unwrap();
    }
    std::fs::copy(root.join("sample-traces/cpu.pb.gz"), dir.path().join("cpu.pb.gz")).unwrap();
    let path = dir.path().display().to_string();
    let names = |args: &[&str]| {
        let got = lines(&run(&[&["grep", "--count", "kind:GoCreate"], args, &[&path]].concat()));
        got.iter().map(|l| l.strip_prefix(&path).unwrap_or(l).to_owned()).collect::<Vec<_>>()
    };
    let all = names(&["-r"]);
    assert_eq!(all.len(), 3);
    for (got, want) in all.iter().zip(["/one:", "/a/two:", "/a/b/three:"]) {
        assert!(got.starts_with(want) && !got.ends_with(":0"), "{all:?}");
    }
    assert_eq!(names(&[]), all[..1]);
}
