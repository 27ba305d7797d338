//! The questions of docs/fleet.md, asked of an export of the sample traces with DuckDB and Spark, and of the traces with
//! `gotrail query`: the answers are alike, and as gotrail's own commands have them.
//!
//! What DuckDB and Spark are asked needs a Python that has them: `GOTRAIL_PYTHON` names it. `.ci/run`
//! has DuckDB where it can be installed, `scripts/check-all` has both.

use crate::common;

use common::{leave_out_of_ci, root};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Each trace, and the host and the build that it is said to be of.
const TRACES: [(&str, &str, &str); 3] = [
    ("sample-traces/trace.out", "web-1", "old"),
    ("sample-traces/fixed-trace.out", "web-2", "new"),
    ("sample-traces/go1.22-trace.out", "web-3", "older"),
];

fn gotrail(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_gotrail")).current_dir(root()).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn said(args: &[&str]) -> Value {
    serde_json::from_str(&gotrail(args)).unwrap()
}

/// The questions, in the order of the page.
fn questions() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let blocks = text.split("```sql\n").skip(1).map(|b| b.split("```").next().unwrap().to_owned());
    let all: Vec<String> = blocks.filter(|b| !b.starts_with("create view")).collect();
    assert_eq!(all.len(), 5);
    all
}

/// The ids of the traces, by host and by build.
fn ids() -> BTreeMap<&'static str, String> {
    let id = |t: &str| {
        let rows = said(&["query", "--format", "json", "select trace_id from trace_summary", t]);
        rows[0]["trace_id"].as_str().unwrap().to_owned()
    };
    TRACES.iter().flat_map(|(t, host, build)| [(*host, id(t)), (*build, id(t))]).collect()
}

/// What `gotrail query` answers; hosts and builds are the ids of their only trace.
fn ours(questions: &[String]) -> Vec<Vec<Value>> {
    let files = TRACES.map(|t| t.0);
    let ask = |q: &String| {
        let q = q.replace("s.build", "s.trace_id");
        let q = q.replace("select host,", "select trace_id as host,");
        said(&[&["query", "--format", "json", &q], &files[..]].concat()).as_array().unwrap().clone()
    };
    questions.iter().map(ask).collect()
}

/// What an engine answers.
fn theirs(python: &str, engine: &str, directory: &Path, questions: &[String]) -> Vec<Vec<Value>> {
    let mut child = Command::new(python)
        .arg(root().join("tests/fleet/ask.py"))
        .args([engine, &directory.display().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{engine}");
    serde_json::from_slice(&out.stdout).unwrap()
}

fn export(to: &Path) {
    for (trace, host, build) in TRACES {
        let (host, build) = (format!("host={host}"), format!("build={build}"));
        let dir = to.display().to_string();
        let args = ["export", "--format", "parquet", "-o", &dir, "--partition", &host, "--partition", &build, trace];
        gotrail(&args);
    }
}

/// Numbers may be whole or not, and hosts and builds stand for their trace.
fn like(rows: &[Value], ids: &BTreeMap<&str, String>) -> Vec<BTreeMap<String, String>> {
    let text = |v: &Value| match v {
        Value::Number(n) => format!("{:.6}", n.as_f64().unwrap()),
        Value::String(s) => ids.get(s.as_str()).unwrap_or(s).clone(),
        Value::Bool(b) => i64::from(*b).to_string(),
        other => other.to_string(),
    };
    rows.iter().map(|r| r.as_object().unwrap().iter().map(|(k, v)| (k.clone(), text(v))).collect()).collect()
}

/// Asks an engine, and holds its answers against ours; if there is a Python that has it.
fn engine(name: &str, module: &str) {
    let Ok(python) = std::env::var("GOTRAIL_PYTHON") else {
        return leave_out_of_ci("GOTRAIL_PYTHON names no Python; scripts/check-all has one");
    };
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|s| s.success()) {
        return leave_out_of_ci(&format!("{python} has no {module}"));
    }
    let dir = tempfile::tempdir().unwrap();
    export(dir.path());
    let (mut questions, ids) = (questions(), ids());
    // Pauses that are shorter, too: the samples have hardly any that long.
    questions.push(questions[3].replace("1000000", "0"));
    for ((q, got), want) in questions.iter().zip(theirs(&python, name, dir.path(), &questions)).zip(ours(&questions)) {
        let (mut got, mut want) = (like(&got, &ids), like(&want, &ids));
        assert_eq!(got.len(), want.len(), "{q}");
        if q.contains("by host") || q.contains("by build") {
            // Hosts and ids are sorted differently.
            got.sort();
            want.sort();
        }
        for (g, w) in got.iter().zip(&want) {
            assert_eq!(g, w, "{q}");
        }
    }
}

#[test]
fn duckdb_answers_as_we_do() {
    engine("duckdb", "duckdb");
}

#[test]
fn spark_answers_as_we_do() {
    engine("spark", "pyspark");
}

fn number(v: &Value) -> i64 {
    v.as_f64().unwrap() as i64
}

#[test]
fn answers_are_those_of_our_commands() {
    let files = TRACES.map(|t| t.0);
    let questions = questions();
    let answers = ours(&questions);
    let ids = ids();

    // Of the longest waits of each place those that are long enough are among the longest of all.
    let key = |g: &Value, from: &Value, ns: &Value| (number(g), number(from), number(ns));
    let longest: BTreeSet<_> = answers[0].iter().map(|r| key(&r["g"], &r["start_ns"], &r["duration_ns"])).collect();
    assert_eq!(longest.len(), 20);
    let least = longest.iter().map(|l| l.2).min().unwrap();
    let sum = said(&[&["waits", "--sum", "--format", "json"], &files[..]].concat());
    let mut held = 0;
    for w in sum["waits"].as_array().unwrap() {
        let runtimes = w["group"].as_str().is_some_and(|g| g.starts_with("runtime") && g != "runtime.main");
        if number(&w["max_ns"]) > least && w["open"] == 0 && !runtimes {
            assert!(longest.contains(&key(&w["longest"]["g"], &w["longest"]["from_ns"], &w["max_ns"])), "{w}");
            held += 1;
        }
    }
    assert!(held > 0);

    // Waits by the line that ended them.
    let mut lines: BTreeMap<(String, i64), (i64, i64)> = BTreeMap::new();
    for w in sum["waits"].as_array().unwrap().iter().filter(|w| w["ended_by"]["kind"] == "goroutine") {
        let at = &w["ended_by"]["at"];
        let Some(func) = at["func"].as_str() else { continue };
        let e = lines.entry((func.to_owned(), number(&at["line"]))).or_default();
        *e = (e.0 + number(&w["count"]), e.1 + number(&w["total_ns"]));
    }
    for r in &answers[1][..5] {
        let want = lines[&(r["user_function"].as_str().unwrap().to_owned(), number(&r["user_line"]))];
        assert_eq!((number(&r["waits"]), number(&r["total_ns"])), want, "{r}");
    }

    for (trace, host, build) in TRACES {
        let s = said(&["summary", "--format", "json", trace]);
        let hits: i64 = s["mapassign_samples_by_caller_line"].as_object().unwrap().values().map(number).sum();
        let row = answers[2].iter().find(|r| r["build"] == ids[build].as_str());
        let got = row.map_or((0, 0), |r| (number(&r["hits"]), number(&r["samples"])));
        assert_eq!(got, (hits, number(&s["cpu_samples"])), "{trace}");

        let all = ours(&[questions[3].replace("1000000", "-1")]).remove(0);
        let stw = s["ranges"].as_object().unwrap().iter().filter(|(k, _)| k.starts_with("stop-the-world"));
        let want = stw.fold((0, 0), |a, (_, r)| (a.0 + number(&r["count"]), a.1 + number(&r["total_ns"])));
        let row = all.iter().find(|r| r["host"] == ids[host].as_str()).unwrap();
        assert_eq!((number(&row["pauses"]), number(&row["total_ns"])), want, "{trace}");
    }

    // The slowest region of a name is the one that `why` explains.
    let slow = &answers[4];
    assert!(slow.len() > 3);
    for name in slow.iter().filter_map(|r| r["name"].as_str()).collect::<BTreeSet<_>>() {
        let lens = |r: &Value| number(&r["duration_ns"]);
        let most = slow.iter().filter(|r| r["name"] == name).map(lens).max().unwrap();
        let why = |t: &str| {
            let out = Command::new(env!("CARGO_BIN_EXE_gotrail"))
                .current_dir(root())
                .args(["why", "--format", "json", "--region", name, t])
                .output()
                .unwrap();
            let v: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
            v["to_ns"].as_i64().unwrap_or(0) - v["from_ns"].as_i64().unwrap_or(0)
        };
        assert_eq!(files.iter().map(|t| why(t)).max(), Some(most), "{name}");
    }
}
