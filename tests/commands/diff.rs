//! `gotrail diff`: what it prints in its forms, and when it fails. Its statistics are tested where they are.

use assert_cmd::Command;
use serde_json::Value;

const TRACE: &str = "sample-traces/trace.out";
/// The same program, with its map in parts that have locks of their own.
const FIXED: &str = "sample-traces/fixed-trace.out";

fn diff(args: &[&str]) -> (i32, String, String) {
    let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    let out = c.current_dir(env!("CARGO_MANIFEST_DIR")).arg("diff").args(args).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn a_trace_does_not_differ_from_itself() {
    let (code, out, err) = diff(&[TRACE, TRACE, "--fail-on", "worse", "--fail-on", "task:payment p99 +1%"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("nothing differs by more than chance") && out.contains("not shown to differ: "), "{out}");
    let (code, json, _) = diff(&["--format", "json", TRACE, "--", TRACE]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["rows"], &json["failed"]), (0, &serde_json::json!([]), &serde_json::json!([])));
    assert!(json["unchanged"].as_u64().unwrap() >= json["tested"].as_u64().unwrap());
}

#[test]
fn totals_are_those_of_the_other_commands() {
    let (mut compared, mut tasks) = (0, 0);
    // The third is of three recordings: what lies between them is no time.
    for trace in [TRACE, FIXED, "tests/data/restart.trace", "tests/data/pool.trace"] {
        let (_, json, _) = diff(&["--format", "json", "--all", "--per", "wall", trace, trace]);
        let json: Value = serde_json::from_str(&json).unwrap();
        let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
        let of = ["summary", "--format", "json", trace];
        let out = c.current_dir(env!("CARGO_MANIFEST_DIR")).args(of).output().unwrap();
        let summary: Value = serde_json::from_slice(&out.stdout).unwrap();
        let groups = summary["groups"].as_array().unwrap();
        let seconds = json["a"]["length_ns"].as_f64().unwrap() / 1e9;
        let rows = json["rows"].as_array().unwrap();
        for row in rows.iter().filter(|r| r["what"] == "group" && r["measure"] == "on CPU") {
            let mut all = groups.iter().filter(|g| g["group"] == row["name"]);
            let (Some(fact), None) = (all.next(), all.next()) else { continue };
            let (fact, said) = (&fact["running_ns"], row["a"]["per_unit_ns"].as_f64().unwrap() * seconds);
            assert!((said - fact.as_f64().unwrap()).abs() < 1e3, "{trace} {row}: {said} is not {fact}");
            compared += 1;
        }
        for row in rows.iter().filter(|r| r["what"] == "task" && r["measure"] == "length") {
            let fact = &summary["tasks"][row["name"].as_str().unwrap()]["complete"];
            assert_eq!(row["a"]["count"], *fact, "{trace} {row}");
            tasks += 1;
        }
    }
    assert!(compared > 10 && tasks > 2, "only {compared}, {tasks}");
}

#[test]
fn a_fix_is_seen_where_it_was_made() {
    let (code, json, _) = diff(&["--format", "json", TRACE, "--", FIXED]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    let rows = json["rows"].as_array().unwrap();
    let of = |verdict: &str, measure: &str| {
        let fits = |r: &&Value| r["verdict"] == verdict && r["measure"] == measure && r["what"] == "line";
        rows.iter().find(fits).map(|r| format!("{}:{}", r["name"].as_str().unwrap(), r["line"]))
    };
    // The map that all wrote to under one lock is gone: what it burnt, and who waited for it.
    assert!(of("only in A", "on CPU").unwrap().ends_with("payment.(*OrderCache).Update:47"));
    assert!(of("only in A", "blocked").unwrap().ends_with("payment.(*OrderCache).Update:45"));
    assert!(of("only in B", "on CPU").unwrap().contains("payment.(*ShardedCache).Update"));
    // What burnt the CPU comes before who waited for it, and both stand under what is better.
    let (_, text, _) = diff(&[TRACE, "--limit", "1", "--", FIXED]);
    let better = text.split("\nbetter\n").nth(1).unwrap().lines().nth(1).unwrap();
    assert!(better.ends_with("line on CPU  payment.(*OrderCache).Update:47  (only in A)"), "{text}");
    // The other way round it is worse.
    let (_, back, _) = diff(&["--format", "json", FIXED, "--", TRACE]);
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(back["rows"].as_array().unwrap().len(), rows.len());
}

#[test]
fn a_limit_that_is_passed_is_said_and_fails() {
    let (code, out, err) = diff(&[FIXED, "--fail-on", "group:payment.(*Core).settle +10%", "--", TRACE]);
    assert_eq!(code, 4, "{out}{err}");
    assert!(out.contains("failed: group payment.(*Core).settle, on CPU: total "), "{out}");
    let (code, out, _) = diff(&[TRACE, "--fail-on", "task:payment p99 +10%", "--", FIXED]);
    assert_eq!(code, 0, "{out}");
    let (code, out, _) = diff(&[TRACE, TRACE, "--fail-on", "task:none max +5%"]);
    assert_eq!((code, out.contains("failed: none: nothing of this name was measured")), (4, true), "{out}");
    let (code, _, err) = diff(&[TRACE, TRACE, "--fail-on", "payment +1%"]);
    assert_eq!(code, 2);
    assert!(err.contains("a kind and a name are missing; such as 'task:payment p99 +10%'"), "{err}");
}

#[test]
fn times_are_per_unit_of_work_and_the_story_is_a_table() {
    let (code, out, _) = diff(&[TRACE, FIXED]);
    assert!(
        code == 0 && out.contains("times are per payment\na second: payment 269 → 315 (+17.3 %, may be chance)"),
        "{out}"
    );
    let (_, wall, _) = diff(&[TRACE, FIXED, "--per", "wall"]);
    assert!(wall.contains("times are per second of wall time\na second: payment 269 → 315"), "{wall}");
    let (code, story, _) = diff(&[TRACE, FIXED, "--format", "story"]);
    assert_eq!(code, 0);
    for row in [
        "| CPU in runtime.mapassign | 66.5 % | 1.1 % | −65.4 points |",
        "| P99 of payment | 53.7ms | 12.0ms | −77.7 % (may be chance) |",
        "| payment per second | 269 | 315 | +17.3 % (may be chance) |",
        "objects are counted from heap profiles before and after the trace",
    ] {
        assert!(story.contains(row), "{row} is missing in\n{story}");
    }
    let (_, story, _) = diff(&[TRACE, FIXED, "--format", "story", "--lang", "zh"]);
    assert!(story.contains("|  | 优化前 | 优化后 | 变化 |") && !story.contains("before"), "{story}");
}

#[test]
fn mistakes_are_said() {
    let (code, _, err) = diff(&[TRACE]);
    assert_eq!((code, err.contains("diff compares two sides")), (2, true), "{err}");
    let (code, _, err) = diff(&[TRACE, "--", "no/such.out"]);
    assert_eq!((code, err.contains("no such file")), (3, true), "{err}");
    let (code, _, err) = diff(&[TRACE, TRACE, "--per", "no.such.task"]);
    assert_eq!((code, err.contains("no task, region or request of this name ends on both sides")), (3, true), "{err}");
    let (code, out, _) = diff(&[TRACE, TRACE, "--per", "payment", "--format", "markdown"]);
    assert!(code == 0 && out.contains("times are per payment"), "{out}");
}
