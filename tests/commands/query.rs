//! `gotrail query` as users run it.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const TRACE: &str = "sample-traces/trace.out";

fn run(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_gotrail")).current_dir(root).arg("query").args(args).output().unwrap()
}

fn stdout(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}

fn stderr(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

#[test]
fn an_answer_has_the_same_rows_in_all_forms() {
    let sql = "select from_state as state, count(*) n, avg(duration_ns) mean, null as no, ',\"' as odd \
               from transitions where to_state is not null group by 1 order by 1";
    let of = |format| stdout(&run(&["--format", format, sql, TRACE]));
    let array: Value = serde_json::from_str(&of("json")).unwrap();
    let rows = array.as_array().unwrap();
    assert_eq!(rows.len(), 6);
    let lines: Vec<Value> = of("jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows, &lines);
    let csv = of("csv");
    assert_eq!(csv.lines().next(), Some("state,n,mean,no,odd"));
    assert!(csv.lines().skip(1).all(|l| l.ends_with(",,\",\"\"\"")), "{csv}");
    let text = of("text");
    for ((row, csv), text) in rows.iter().zip(csv.lines().skip(1)).zip(text.lines().skip(1)) {
        let n = row["n"].to_string();
        assert_eq!(csv.split(',').nth(1), Some(n.as_str()));
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[..2], [row["state"].as_str().unwrap(), &n]);
    }
    assert_eq!(stdout(&run(&["--format", "json", "select 1 where 0", TRACE])), "[]\n");
}

#[test]
fn several_traces_are_one_set_of_tables() {
    let sql = "select name, events from trace_summary order by name";
    let got = stdout(&run(&["--format", "csv", sql, "sample-traces/go1.22-trace.out", TRACE, TRACE]));
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines.len(), 3, "a trace that is named twice is there once: {got}");
    assert_eq!(lines[2], "sample-traces/trace.out,175734");
    let bad = run(&["--format", "csv", sql, "no/such", TRACE]);
    assert_eq!((bad.status.code(), stdout(&bad).lines().count()), (Some(3), 2));
}

#[test]
fn mistakes_show_their_place_and_what_only_reads_is_all_that_runs() {
    let cases: &[(&str, i32, &str)] = &[
        ("select kindd from events", 2, "no such column: kindd\n    select kindd from events\n           ^^^^^"),
        ("select 1,\n  kindd\nfrom events", 2, "no such column: kindd\n      kindd\n      ^^^^^"),
        ("select 1; select 2", 2, "one query at a time"),
        ("create table x(a)", 2, "only queries are answered"),
        ("attach 'x' as x", 2, "only queries are answered"),
        ("pragma user_version", 2, "only queries are answered"),
        ("", 2, "this is no query"),
    ];
    for (sql, code, words) in cases {
        let got = run(&[sql, TRACE]);
        assert_eq!(got.status.code(), Some(*code), "{sql}: {}", stderr(&got));
        assert!(stderr(&got).contains(words), "{sql}: {}", stderr(&got));
    }
}

#[test]
fn time_and_memory_have_an_end() {
    let forever = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let got = run(&["--timeout", "50ms", forever, TRACE]);
    assert_eq!(got.status.code(), Some(3));
    assert!(stderr(&got).contains("longer than --timeout"), "{}", stderr(&got));
    for sql in [
        "select * from events order by detail, no desc",
        "select length(group_concat(kind)) from events, (select 1 union select 2 union select 3)",
        "with recursive n(i) as (select 1 union select i + 1 from n) select count(*) from n",
    ] {
        let got = run(&["--memory", "8MB", sql, TRACE]);
        assert_eq!(got.status.code(), Some(3), "{sql}: {} {}", stdout(&got).len(), stderr(&got));
        assert!(stderr(&got).contains("more memory than --memory allows"), "{sql}: {}", stderr(&got));
    }
}

#[test]
fn tables_are_listed_with_their_columns() {
    let got = stdout(&run(&["--list-tables"]));
    assert!(
        got.starts_with("events: Every event, and the one that Go's reader adds at the end.\n  trace_id  text     "),
        "{got}"
    );
    assert_eq!(got.lines().filter(|l| !l.starts_with(' ') && !l.is_empty()).count(), 15);
}
