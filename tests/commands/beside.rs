//! What stands beside a trace: dumps and leaks, reports of races, labels. The recordings are those of
//! `tests/programs/beside`; `tests/data/README.md` says what they must show.

use crate::common;

use common::{data, run, sample, shared};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;

fn beside(name: &str) -> String {
    data(&format!("beside/{name}")).to_string_lossy().into_owned()
}

fn json(command: &str, files: &[String]) -> Value {
    let args = [command, "--format", "json"].map(str::to_owned);
    let (out, err, code) = run(args.iter().chain(files));
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// Certain, likely and possible leaks, and how many goroutines of the pool are said to be none.
fn counted(v: &Value) -> [u64; 4] {
    let rows = v["goroutines"].as_array().unwrap();
    let pool = rows.iter().filter(|r| r["sure"] == "no" && r["group"] == "main.worker");
    let of = |key: &str| v[key].as_u64().unwrap();
    [of("certain"), of("likely"), of("possible"), pool.map(|r| r["count"].as_u64().unwrap()).sum()]
}

#[test]
fn leaks_are_told_from_a_pool_by_whatever_is_there() {
    let cases: &[(&[&str], [u64; 4])] = &[
        // The runtime's marks beside a trace, as a profile and as a dump, and both.
        (&["leaks.trace", "goroutineleak.pb.gz"], [3, 40, 0, 100]),
        (&["leaks.trace", "after.txt.gz"], [3, 40, 0, 100]),
        (&["goroutineleak.pb.gz", "after.txt.gz", "heap.pb.gz", "leaks.trace"], [3, 40, 0, 100]),
        // Without a trace two dumps are compared; one does not tell.
        (&["before.txt.gz", "after.txt.gz"], [3, 40, 0, 100]),
        (&["after.txt.gz"], [3, 0, 0, 100]),
        // Without the marks the three rise like the others.
        (&["leaks.trace"], [0, 43, 0, 100]),
    ];
    for (files, want) in cases {
        let files: Vec<String> = files.iter().map(|f| beside(f)).collect();
        assert_eq!(counted(&json("leaks", &files)), *want, "{files:?}");
    }
}

#[test]
fn a_leak_is_told_with_all_that_is_known_of_it() {
    let files = ["leaks.trace", "goroutineleak.pb.gz", "after.txt.gz", "heap.pb.gz"].map(beside);
    let v = json("leaks", &files);
    let row = |group: &str| v["goroutines"].as_array().unwrap().iter().find(|r| r["group"] == group).unwrap().clone();
    let likely = row("main.answer");
    assert_eq!((&likely["sure"], &likely["reason"]), (&"likely".into(), &"chan receive".into()));
    assert_eq!(likely["at"]["line"], 39);
    assert_eq!(likely["created_at"]["func"], "main.ask.func1");
    assert!(likely["rise_per_s"].as_f64().unwrap() > 50.0 && likely["oldest_ns"].as_i64().unwrap() > 100_000_000);
    // Forty buffers of 64 KiB, and little else.
    assert!((2_500_000..3_500_000).contains(&likely["bytes"].as_i64().unwrap()), "{likely}");
    assert_eq!(likely["goroutines"].as_array().unwrap().len(), 40);
    let labels: Vec<(&str, u64)> = likely["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| {
            assert_eq!(l["key"], "endpoint");
            (l["value"].as_str().unwrap(), l["count"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(labels, [("/pay", 30), ("/refund", 10)]);
    assert_eq!(row("main.forget.func1")["goroutines"].as_array().unwrap().len(), 3, "a dump says who they are");
    let dump = v["beside"].as_array().unwrap().iter().find(|b| b["what"] == "dump").unwrap();
    assert_eq!((&dump["marked"], &dump["in_trace"], &dump["foreign"]), (&3.into(), &144.into(), &false.into()));
}

/// Two of the seven that wait for a lock have each other's in hand; two queue at a third lock, which is released later.
#[test]
fn locks_in_different_orders_are_likely_by_a_dump() {
    let files = ["orders.trace", "orders.txt.gz"].map(beside);
    let v = json("leaks", &files);
    let all = v["likely_inversions"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{v:#}");
    let two = all[0].as_array().unwrap();
    assert_eq!(two.len(), 2, "{v:#}");
    assert_eq!((&two[0]["lock"], &two[0]["has"]), (&two[1]["has"], &two[1]["lock"]));
    assert!(two.iter().all(|w| w["at"]["line"] == 25 && w["at"]["func"] == "main.(*account).deposit"), "{v:#}");
    let with = ["waits", "--format", "json", "--with"].map(str::to_owned);
    let (waits, err, _) = run(with.iter().chain(&[files[1].clone(), files[0].clone()]));
    let waits: Value = serde_json::from_str(&waits).unwrap_or_else(|e| panic!("{e}: {err}"));
    let said = waits["likely_inversions"].as_array().unwrap();
    assert!(said.len() == 1 && said[0].as_str().unwrap().contains("lock-order inversion: likely"), "{said:#?}");
    let row = |group: &str| v["goroutines"].as_array().unwrap().iter().find(|r| r["group"] == group).unwrap().clone();
    assert_eq!(row("main.(*account).transfer")["others_at_locks"], 3, "those behind them at the same locks");
    assert_eq!(row("main.(*account).deposit")["others_at_locks"], 2);
    assert_eq!(json("leaks", &["before.txt.gz"].map(beside))["likely_inversions"], Value::Array(Vec::new()));
}

#[test]
fn the_finding_and_the_command_have_one_answer() {
    let trace = beside("leaks.trace");
    let leaks = json("leaks", std::slice::from_ref(&trace));
    let (out, ..) = run(["findings", "--format", "json", "--rule", "goroutine-leak", &trace]);
    let findings: Value = serde_json::from_str(&out).unwrap();
    let said: Vec<&str> =
        findings["findings"].as_array().unwrap().iter().map(|f| f["says"].as_str().unwrap()).collect();
    let rows = leaks["goroutines"].as_array().unwrap().iter().filter(|r| r["sure"] != "no");
    let rows: Vec<String> =
        rows.map(|r| format!("{}: {} never end", r["group"].as_str().unwrap(), r["count"])).collect();
    assert_eq!(said, rows);
}

#[test]
fn dumps_of_the_field_are_read_by_top_the_viewer_and_leaks() {
    let Some(field) = shared("field/profiles") else { return };
    for name in
        ["debug2-in-panic/panic.txt", "debug2-sigquit-log/sigquit.txt", "debug2-viewer/goroutineleak.debug2.txt"]
    {
        let text = std::fs::read_to_string(field.join(name)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let wide = [0xfeff].into_iter().chain(text.replace('\n', "\r\n").encode_utf16().collect::<Vec<_>>());
        let wide: Vec<u8> = wide.flat_map(u16::to_le_bytes).collect();
        let prefixed: String = text.lines().map(|l| format!("[pod/web-0/app] 2026-11-27T18:12:03.5Z {l}\n")).collect();
        let forms = [("plain", text.clone().into_bytes()), ("utf16", wide), ("kubectl", prefixed.into_bytes())];
        let mut all = Vec::new();
        for (form, bytes) in forms {
            let path = dir.path().join(form);
            std::fs::write(&path, bytes).unwrap();
            let path = path.to_str().unwrap();
            let (top, err, code) = run(["top", path]);
            assert_eq!(code, 0, "{name} {form}: {err}");
            assert!(top.contains("main.leak.func1"), "{name} {form}: {top}");
            let (screen, err, code) = run(["snapshot", path]);
            assert_eq!(code, 0, "{name} {form}: {err}");
            assert!(screen.contains("main.leak.func1"), "{name} {form}: {screen}");
            let v = json("leaks", &[path.to_owned()]);
            assert!(v["certain"].as_u64().unwrap() > 2, "{name} {form}: {v}");
            all.push((top, v["goroutines"].clone()));
        }
        assert!(all.windows(2).all(|w| w[0] == w[1]), "{name}");
    }
}

/// The goroutines of the trace that a side of a report may be.
fn candidates(side: &Value) -> Vec<(u64, &str)> {
    let of = side["candidates"].as_array().unwrap().iter();
    of.map(|c| (c["g"].as_u64().unwrap(), c["group"].as_str().unwrap())).collect()
}

#[test]
fn both_sides_of_a_race_are_found_and_those_that_are_alike_both_shown() {
    let v = json("races", &[beside("race.trace"), beside("race.txt")]);
    let reports = v["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 2);
    let (mut readers, mut adders) = (0, 0);
    for side in reports.iter().flat_map(|r| r["sides"].as_array().unwrap()) {
        let who = candidates(side);
        let number = side["number"].as_u64().unwrap();
        match side["at"]["func"].as_str().unwrap() {
            "main.(*counter).get" => {
                readers += 1;
                assert!(matches!(who[..], [(_, "main.reader")]), "{who:?}");
            }
            "main.(*counter).add" => {
                adders += 1;
                assert!(matches!(who[..], [(_, "main.adder"), (_, "main.adder")]), "{who:?}");
            }
            other => panic!("{other}"),
        }
        assert!(who.iter().all(|w| w.0 != number), "the report's numbers are its own: {number} {who:?}");
    }
    assert_eq!((readers, adders), (1, 3));
    // Beside another trace nobody fits, and that is said.
    let (text, ..) = run(["races".into(), data("leak.trace").to_string_lossy().into_owned(), beside("race.txt")]);
    assert_eq!(text.matches("no goroutine of the trace fits").count(), 4, "{text}");
}

#[test]
fn a_death_over_a_map_is_told_with_the_runtimes_own_number() {
    let v = json("races", &[beside("mapwrites.txt")]);
    let report = &v["reports"][0];
    assert_eq!(report["fatal"], "fatal error: concurrent map writes");
    let side = &report["sides"][0];
    assert_eq!((&side["exact"], &side["at"]["func"]), (&true.into(), &"main.(*cache).put".into()));
    let (text, ..) = run(["races".to_owned(), beside("mapwrites.txt")]);
    assert!(text.contains("gotrail maps"), "{text}");
    let (_, err, code) = run(["races".to_owned(), beside("after.txt.gz")]);
    assert_eq!((code, err.as_str()), (1, ""), "a dump without a race has none");
}

#[test]
fn the_viewer_tells_of_races_and_dumps() {
    let screen = |files: [String; 2], keys: &str| {
        let args = ["snapshot", "--size", "130x40", "--keys", keys].map(str::to_owned);
        let (out, err, code) = run(args.iter().chain(&files));
        assert_eq!(code, 0, "{err}");
        out
    };
    let race = [beside("race.trace"), beside("race.txt")];
    let findings = screen(race.clone(), "0");
    assert!(findings.contains("DATA RACE") && findings.contains("race.go:12"), "{findings}");
    let entered = screen(race, "0<Enter>");
    assert!(entered.contains("main.adder") && entered.contains("one of 2 alike"), "{entered}");
    let (out, ..) = run(["leaks", "--format", "json", &beside("leaks.trace"), &beside("after.txt.gz")]);
    let v: Value = serde_json::from_str(&out).unwrap();
    let g = v["goroutines"][0]["goroutines"][0].as_u64().unwrap();
    let dump = screen([format!("{}@200ms:g{g}", beside("leaks.trace")), beside("after.txt.gz")], "");
    assert!(dump.contains("chan send, marked as leaked"), "{dump}");
}

/// CPU samples of a profile by one label, as the profile itself counts them.
fn samples_by_label(path: &str, key: &str) -> BTreeMap<String, u64> {
    let (_, p) = (path, std::fs::read(path).unwrap());
    let p = gotrail::profile::Profile::decode(&p).unwrap();
    let at = p.sample_types.iter().position(|t| p.str(t.kind) == "samples").unwrap();
    let mut out = BTreeMap::new();
    for s in &p.samples {
        for l in p.labels_of(s).iter().filter(|l| p.str(l.key) == key) {
            if let gotrail::profile::model::LabelValue::Text(v) = l.value {
                *out.entry(p.str(v).to_owned()).or_default() += p.values_of(s)[at] as u64;
            }
        }
    }
    out
}

fn count(query: &str, with: &str, trace: &str) -> u64 {
    let (out, err, code) = run(["grep", "--count", query, "--with", with, trace]);
    assert!(code <= 1, "{err}");
    out.trim().rsplit(':').next().unwrap().trim().replace('\u{202f}', "").parse().unwrap_or_else(|_| panic!("{out:?}"))
}

#[test]
fn label_finds_what_the_profile_says_of_each_matched_sample() {
    let (profile, trace) = (sample("cpu.pb.gz"), sample("trace.out"));
    let (profile, trace) = (profile.to_str().unwrap(), trace.to_str().unwrap());
    let by = samples_by_label(profile, "route");
    assert_eq!(by.len(), 1, "{by:?}");
    for (value, n) in by {
        assert_eq!(count(&format!("label:route={value} kind:CpuSample"), profile, trace), n, "{value}");
        // A value as a whole, and a glob.
        let part = &value[..value.len() - 1];
        assert_eq!(count(&format!("label:route={part} kind:CpuSample"), profile, trace), 0);
        assert_eq!(count(&format!("label:route={part}* kind:CpuSample"), profile, trace), n);
    }
}

#[test]
fn labels_of_a_dump_are_exact() {
    let (dump, trace) = (beside("after.txt.gz"), beside("leaks.trace"));
    for (value, n) in [("/pay", 30), ("/refund", 10)] {
        assert_eq!(count(&format!("label:endpoint={value} kind:GoCreate"), &dump, &trace), n);
    }
    assert_eq!(count("label:endpoint=/p kind:GoCreate", &dump, &trace), 0);
}

#[test]
fn nothing_of_a_hostile_log_reaches_the_terminal_as_it_is() {
    let evil = "\x1b]0;x\x07\u{202e}\x1b[31m";
    let mut text = String::new();
    flate2::read::GzDecoder::new(&std::fs::read(beside("after.txt.gz")).unwrap()[..])
        .read_to_string(&mut text)
        .unwrap();
    let dump = text.replace("main.answer", &format!("main.{evil}")).replace("/pay", evil).replace("chan send", evil);
    let race = std::fs::read_to_string(beside("race.txt")).unwrap();
    let race = race.replace("main.adder", &format!("main.{evil}")).replace("beside/", &format!("{evil}/"));
    let fatal = std::fs::read_to_string(beside("mapwrites.txt")).unwrap();
    let fatal = fatal.replace("concurrent map writes", &format!("concurrent map writes {evil}"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("{}log", evil.replace('/', "")));
    std::fs::write(&path, format!("{dump}\n{race}\n{fatal}")).unwrap();
    let path = path.to_str().unwrap();
    let traces = [beside("leaks.trace"), beside("race.trace")];
    for trace in &traces {
        for args in [&["leaks"][..], &["races"], &["snapshot", "--keys", "0"], &["snapshot", "--keys", "2"]] {
            let (out, err, _) = run(args.iter().copied().chain([trace.as_str(), path]));
            let raw = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!out.contains(raw) && !err.contains(raw), "{args:?} {out:?} {err:?}");
        }
    }
    let (out, err, code) = run(["top", path]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains(['\x1b', '\x07', '\u{202e}']), "{out:?}");
}

/// The rows of an array of objects.
fn rows<'a>(v: &'a Value, key: &str) -> &'a [Value] {
    v[key].as_array().unwrap_or_else(|| panic!("{key}: {v}"))
}

fn sum(rows: &[Value], key: &str) -> i64 {
    rows.iter().map(|r| r[key].as_i64().unwrap()).sum()
}

#[test]
fn goroutines_by_a_label_are_all_goroutines_with_all_their_time() {
    let (cpu, trace) = (sample("cpu.pb.gz").to_string_lossy().into_owned(), sample("trace.out"));
    let samples = [cpu, trace.to_string_lossy().into_owned()];
    let dumped = [beside("after.txt.gz"), beside("leaks.trace")];
    for (key, inferred, [with, trace]) in [("route", true, &samples), ("endpoint", false, &dumped)] {
        let by = format!("label:{key}");
        let v = json("summary", &["--by", &by, "--with", with, trace].map(str::to_owned));
        let (groups, by) = (rows(&v, "groups"), rows(&v, "by_label"));
        for time in ["running_ns", "runnable_ns", "waiting_ns", "syscall_ns", "total_ns"] {
            assert_eq!(sum(by, time), sum(groups, time), "{key} {time}");
        }
        let (some, none): (Vec<&Value>, Vec<&Value>) = by.iter().partition(|r| r["label"]["value"].is_string());
        assert!(none.len() == 1 && none[0]["label"]["inferred"] == false, "{by:?}");
        assert!(some.iter().all(|r| r["label"]["inferred"] == inferred && r["label"]["key"] == key), "{by:?}");
        if inferred {
            let said = samples_by_label(with, key);
            assert_eq!(some.len(), said.len());
            assert!(some.iter().all(|r| r["samples"] == said[r["label"]["value"].as_str().unwrap()]), "{by:?}");
            assert_eq!(sum(by, "samples"), v["cpu_samples"].as_i64().unwrap(), "{by:?}");
        } else {
            let of: BTreeMap<&str, u64> = some
                .iter()
                .map(|r| (r["label"]["value"].as_str().unwrap(), r["goroutines"].as_u64().unwrap()))
                .collect();
            assert_eq!(of, BTreeMap::from([("/pay", 30), ("/refund", 10)]));
            assert_eq!(none[0]["goroutines"].as_i64(), Some(sum(groups, "count") - 40));
        }
        let (text, _, code) = run(["summary", "--by", &format!("label:{key}"), "--with", with, trace]);
        assert!(code == 0 && text.contains(&format!("no {key}")), "{text}");
        assert_eq!(text.contains("(inferred)") && text.contains("inferred: by CPU samples"), inferred, "{text}");
    }
}

#[test]
fn spans_by_a_label_are_all_spans() {
    let (with, trace) = (sample("cpu.pb.gz"), sample("trace.out"));
    let (with, trace) = (with.to_str().unwrap(), trace.to_str().unwrap());
    let all = json("spans", &[trace.to_owned()]);
    let args = ["--by", "label:route", "--with", with, trace].map(str::to_owned);
    let v = json("spans", &args);
    assert_eq!((&v["count"], sum(rows(&v, "handlers"), "count")), (&all["count"], all["count"].as_i64().unwrap()));
    assert_eq!(sum(rows(&v, "handlers"), "total_ns"), sum(rows(&all, "handlers"), "total_ns"));
    assert!(rows(&all, "handlers").iter().all(|h| h["label"].is_null()));
    let valued = |h: &&Value| h["label"]["value"].is_string();
    assert!(rows(&v, "handlers").iter().all(|h| h["name"].is_null() && h["label"]["key"] == "route"));
    let (some, none): (Vec<&Value>, Vec<&Value>) = rows(&v, "handlers").iter().partition(valued);
    assert!(!some.is_empty() && !none.is_empty() && some.iter().all(|h| h["label"]["inferred"] == true), "{v}");
    // Each span says the same of itself.
    let (csv, _, code) = run(["spans", "--format", "csv", "--by", "label:route", "--with", with, trace]);
    assert!(code == 0 && csv.lines().next().unwrap().ends_with(",ended,label:route"), "{csv}");
    let with_value = csv.lines().skip(1).filter(|l| !l.ends_with(',')).count();
    assert_eq!(with_value as i64, some.iter().map(|h| h["count"].as_i64().unwrap()).sum::<i64>());
    // Slow ones are held against those of the same value.
    let slow = json("why", &["--slow", "--by", "label:route", "--with", with, trace].map(str::to_owned));
    assert!(slow["slow"].is_null() && !rows(&slow, "slow_by_label").is_empty(), "{slow}");
    for one in rows(&slow, "slow_by_label") {
        let (slow, value) = (&one["slow"], &one["label"]["value"]);
        let of = rows(&v, "handlers").iter().filter(|h| h["label"]["value"] == *value && h["kind"] == slow["kind"]);
        let whole: i64 = of.map(|h| h["count"].as_i64().unwrap() - h["open"].as_i64().unwrap()).sum();
        assert_eq!(slow["slow"].as_i64().unwrap() + slow["normal"].as_i64().unwrap(), whole, "{one}");
    }
}

#[test]
fn a_label_that_nobody_has_is_said_with_those_that_are_there() {
    let (with, trace) = (sample("cpu.pb.gz"), sample("trace.out"));
    let (with, trace) = (with.to_str().unwrap(), trace.to_str().unwrap());
    let (out, err, code) = run(["summary", "--by", "label:rout", "--with", with, trace]);
    assert!(code == 0 && err.contains("route") && out.contains("no rout"), "{err}");
    let (_, err, _) = run(["spans", "--by", "label:route", trace]);
    assert!(err.contains("--with"), "{err}");
    let (_, err, code) = run(["spans", "--by", "route", trace]);
    assert!(code == 2 && err.contains("label:endpoint"), "{err}");
}
