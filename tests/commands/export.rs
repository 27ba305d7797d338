//! `gotrail export` as users run it: files, standard output, errors.

use assert_cmd::Command;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample() -> String {
    root().join("sample-traces/trace.out").display().to_string()
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gotrail")).current_dir(root()).args(args).output().unwrap()
}

fn stderr(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for e in std::fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() { out.extend(files(&p)) } else { out.push(p) }
    }
    out.sort();
    out
}

#[test]
fn tables_stand_in_folders_and_csv_and_json_lines_have_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().display().to_string();
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for format in ["csv", "jsonl"] {
        let got =
            run(&["export", "--format", format, "-o", &format!("{out}/{format}"), "--partition", "host=a", &sample()]);
        assert!(got.status.success(), "{}", stderr(&got));
        for f in files(&dir.path().join(format)) {
            let rest = f.strip_prefix(dir.path().join(format)).unwrap().display().to_string();
            let parts: Vec<&str> = rest.split('/').collect();
            assert!(parts.len() == 3 && parts[1] == "host=a" && parts[2].ends_with(format), "{rest}");
            let lines = std::fs::read_to_string(&f).unwrap().lines().count();
            rows.entry(parts[0].into()).or_default().push(lines - usize::from(format == "csv"));
        }
    }
    assert_eq!(rows.len(), 15);
    assert!(rows.values().all(|r| r.len() == 2 && r[0] == r[1]), "{rows:?}");
    assert_eq!(rows["events"][0], 175_734);
}

#[test]
fn one_table_goes_to_standard_output_and_a_window_leaves_rows_out() {
    let all = run(&["export", "--format", "csv", "--table", "samples", &sample()]);
    let some = run(&["export", "--format", "csv", "--table", "samples", "--from", "1s", &sample()]);
    let lines = |o: &Output| String::from_utf8_lossy(&o.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    let (all, some) = (lines(&all), lines(&some));
    assert_eq!(all.len(), 195);
    assert!(some.len() > 50 && some.len() < all.len());
    assert_eq!(some[0], all[0]);
    assert_eq!(some[1..], all[1 + all.len() - some.len()..]);
    let two = run(&["export", "--format", "csv", "--table", "samples", &sample(), &sample()]);
    assert_eq!(lines(&two).len(), 2 * 194 + 1, "the names of columns stand once");
}

#[test]
fn a_cut_holds_the_window_and_is_read_like_any_trace() {
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("cut.out").display().to_string();
    let got = run(&["export", "--format", "cut", "--from", "1.5s", "-o", &cut, &sample()]);
    assert!(got.status.success() && stderr(&got).contains("generation"), "{}", stderr(&got));
    let count = |file: &str, from: &[&str]| {
        let all = [&["export", "--format", "csv", "--table", "samples"], from, &[file]].concat();
        String::from_utf8_lossy(&run(&all).stdout).lines().count()
    };
    assert!(count(&cut, &[]) >= count(&sample(), &["--from", "1.5s"]));
    assert!(count(&cut, &[]) < count(&sample(), &[]));
    assert_eq!(files(dir.path()).len(), 1, "nothing is left beside it");
}

#[test]
fn what_cannot_be_done_is_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("t.out");
    std::fs::copy(sample(), &copy).unwrap();
    let copy = copy.display().to_string();
    let old = root().join("sample-traces/go1.21-trace.out").display().to_string();
    let folder = dir.path().display().to_string();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--format", "cut", "-o", &copy, &copy], 3, "it is the file that is read"),
        (&["--format", "cut", "-o", &folder, &copy], 3, "it is a directory"),
        (&["--format", "cut", "-o", "/dev/null/x", &copy], 3, "writing /dev/null/x"),
        (&["--format", "cut", &old], 3, "a trace of Go 1.21 or earlier is one piece"),
        (&["--format", "cut", "--from", "1h", &copy], 3, "nothing happens between --from and --to"),
        (&["--format", "chrome", &copy, &copy], 2, "name one file"),
        (&["--format", "csv", &copy], 2, "name a directory with --output"),
        (&["--format", "chrome", "--table", "events", &copy], 2, "--table and --partition are for tables"),
        (&["--format", "csv", "--partition", "a=../b", &copy], 2, "a partition is KEY=VALUE"),
        (&["--format", "csv", "--table", "event", &copy], 2, "a similar value exists: 'events'"),
    ];
    for (args, code, words) in cases {
        let got = run(&[&["export"], *args].concat());
        assert_eq!(got.status.code(), Some(*code), "{args:?}: {}", stderr(&got));
        assert!(stderr(&got).contains(words), "{args:?}: {}", stderr(&got));
    }
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(sample()).unwrap());
    assert_eq!(files(dir.path()).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_sentence_too() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut c = std::process::Command::new(env!("CARGO_BIN_EXE_gotrail"));
    let got = c.args(["export", "--format", "chrome", &sample()]).stdout(full).output().unwrap();
    assert_eq!(got.status.code(), Some(3));
    assert!(stderr(&got).starts_with("gotrail: writing standard output: No space left"), "{}", stderr(&got));
}

#[test]
#[cfg(feature = "sql")]
fn a_file_of_sqlite_has_the_rows_that_queries_see() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db").display().to_string();
    let got =
        run(&["export", "--format", "sqlite", "-o", &path, &sample(), "sample-traces/go1.22-trace.out", &sample()]);
    assert!(got.status.success() && stderr(&got).contains("it is in the file already"), "{}", stderr(&got));
    assert_eq!(files(dir.path()).len(), 1, "nothing is left beside it");
    let file = rusqlite::Connection::open(&path).unwrap();
    let sql = "select trace_id, from_state, to_state, reason, count(*), sum(duration_ns), sum(complete) from transitions \
               group by 1, 2, 3, 4 order by 1, 2, 3, 4";
    let theirs: Vec<String> = {
        let mut statement = file.prepare(sql).unwrap();
        let cell = |r: &rusqlite::Row, i: usize| match r.get_ref(i).unwrap() {
            rusqlite::types::ValueRef::Null => String::new(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            other => other.as_str().unwrap().to_owned(),
        };
        let rows = statement.query_map([], |r| Ok((0..7).map(|i| cell(r, i)).collect::<Vec<_>>().join(","))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let ours = run(&["query", "--format", "csv", sql, &sample(), "sample-traces/go1.22-trace.out"]);
    let ours = String::from_utf8(ours.stdout).unwrap();
    assert!(theirs.len() > 20);
    assert_eq!(theirs, ours.lines().skip(1).collect::<Vec<_>>());
    let events: i64 = file.query_row("select count(*) from events", [], |r| r.get(0)).unwrap();
    let summed: i64 = file.query_row("select sum(events) from trace_summary", [], |r| r.get(0)).unwrap();
    assert_eq!(events, summed);

    for (args, why) in [
        (&["--format", "sqlite"][..], "name one with --output"),
        (&["--format", "sqlite", "-o", "/dev/null"], "no plain file"),
        (&["--format", "sqlite", "-o", &path, "--partition", "a=b"], "--partition is for"),
    ] {
        let got = run(&[&["export"], args, &[&sample()]].concat());
        assert!(!got.status.success() && stderr(&got).contains(why), "{args:?}: {}", stderr(&got));
    }
}

#[test]
fn a_profile_has_the_sums_of_the_summary() {
    let dir = tempfile::tempdir().unwrap();
    let summary = run(&["summary", "--format", "json", &sample()]);
    let summary: serde_json::Value = serde_json::from_slice(&summary.stdout).unwrap();
    for (kind, fact) in [("cpu", None), ("sync", Some("sync")), ("net", Some("net")), ("syscall", Some("syscall"))] {
        let path = dir.path().join(kind).display().to_string();
        let got = run(&["export", "--format", "pprof", "--kind", kind, "-o", &path, &sample()]);
        assert!(got.status.success(), "{}", stderr(&got));
        // Stretches that reach beyond the trace say so in a label; Go's profiles do not have them.
        let traces = run(&["raw", &path]);
        let text = String::from_utf8(traces.stdout).unwrap();
        let samples = text.split("Samples:\n").nth(1).unwrap().split("Locations").next().unwrap();
        let mut sums = (0i64, 0i64);
        let mut last = (0, 0);
        for line in samples.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().take(2).collect();
            let number = |w: &str| w.parse::<i64>().ok();
            let values = match words[..] {
                [n, ns] => number(n).zip(ns.strip_suffix(':').and_then(number)),
                _ => None,
            };
            if let Some((n, ns)) = values {
                last = (n, ns);
                sums = (sums.0 + n, sums.1 + ns);
            } else if line.contains("open:[") {
                sums = (sums.0 - last.0, sums.1 - last.1);
            }
        }
        match fact {
            None => assert_eq!(sums.0, summary["cpu_samples"].as_i64().unwrap()),
            Some(fact) => {
                let want = &summary["profiles"][fact];
                assert_eq!(sums, (want["records"].as_i64().unwrap(), want["total_ns"].as_i64().unwrap()), "{kind}");
            }
        }
    }
}

#[test]
fn partitions_lie_in_each_other_in_the_order_in_which_they_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().display().to_string();
    let (one, two) = ("tests/data/convoy.trace", "tests/data/waits.trace");
    let day = |date: &str, table: &str, files: &[&str]| {
        let of = ["export", "--format", "parquet", "--table", table, "-o", &out];
        let by = ["--partition", "service=checkout", "--partition", &format!("date={date}")];
        let got = run(&[&of[..], &by, files].concat());
        assert!(got.status.success(), "{}", stderr(&got));
    };
    day("2026-11-27", "events,goroutines", &[one, two]);
    day("2026-11-28", "events", &[one]);
    // What is exported once more takes the place of what is there.
    day("2026-11-28", "events", &[one]);
    let all = files(dir.path());
    let folders = all.iter().map(|f| f.parent().unwrap().strip_prefix(dir.path()).unwrap().display().to_string());
    assert_eq!(
        folders.collect::<Vec<_>>(),
        [
            "events/service=checkout/date=2026-11-27",
            "events/service=checkout/date=2026-11-27",
            "events/service=checkout/date=2026-11-28",
            "goroutines/service=checkout/date=2026-11-27",
            "goroutines/service=checkout/date=2026-11-27",
        ]
    );
    let ids: std::collections::BTreeSet<_> = all.iter().map(|f| f.file_stem().unwrap()).collect();
    assert_eq!(ids.len(), 2, "a file is named after the trace that its rows are of");
    for bad in ["service=", "=a", "service", "service=a/b", "date=.."] {
        let got = run(&["export", "--format", "csv", "-o", &out, "--partition", bad, one]);
        assert_eq!(got.status.code(), Some(2), "{bad}");
    }
}
