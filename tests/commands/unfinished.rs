//! Nothing is left out: what never ended counts to the trace's end, syscalls are waits, and the parts of a goroutine's
//! life sum to it.

use crate::common;

use assert_cmd::Command;
use common::{load, shared};
use gotrail::analysis::summary::life;
use gotrail::analysis::waits::links::Named;
use gotrail::base::{Duration, GroupId};
use gotrail::model::index::Times;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(args: &[&str], file: &Path) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_gotrail")).args(args).arg("--no-cache").arg(file).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

/// The lines of a text that hold all of `words`.
fn lines<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    text.lines().filter(|l| words.iter().all(|w| l.contains(w))).collect()
}

fn has(text: &str, words: &[&str]) {
    assert!(!lines(text, words).is_empty(), "{words:?} is not in one line of\n{text}");
}

#[test]
fn tasks_take_the_time_that_was_traced_and_spans_say_what_the_summary_does() {
    let parsed = |args: &[&str], file: &Path| -> serde_json::Value { serde_json::from_str(&said(args, file)).unwrap() };
    let mut compared = 0;
    for name in ["across", "annotations", "path", "slowlock", "slowpool"] {
        let file = data(&format!("{name}.trace"));
        let (summary, spans) = (said(&["summary"], &file), parsed(&["spans", "--format", "json"], &file));
        for h in spans["handlers"].as_array().unwrap() {
            let (kind, name) = (h["kind"].as_str().unwrap(), h["name"].as_str().unwrap());
            if kind == "task" || kind == "region" {
                let total = Duration(h["total_ns"].as_i64().unwrap()).to_string();
                has(&summary, &[&format!(" {total} "), &format!("  {kind} {name}")]);
                compared += 1;
            }
        }
    }
    assert!(compared > 9, "only {compared}");
    // What is begun and not ended in a recording is not known behind it; what ends in a later one went on all the while.
    let across = data("across.trace");
    let summary = parsed(&["summary", "--format", "json"], &across);
    let length = summary["end_ns"].as_i64().unwrap() - summary["start_ns"].as_i64().unwrap();
    let spans = parsed(&["spans", "--format", "json"], &across);
    let named = |name: &str| spans["handlers"].as_array().unwrap().iter().find(|h| h["name"] == name).unwrap().clone();
    let (left, long) = (named("left"), named("long"));
    assert_eq!((&left["count"], &left["open"], &long["open"]), (&3.into(), &3.into(), &0.into()));
    let of = |h: &serde_json::Value, key: &str| h[key].as_i64().unwrap();
    assert!(of(&left, "max_ns") * 5 < length && of(&left, "total_ns") * 3 < length, "{left} of {length}");
    assert!(of(&long, "max_ns") * 10 > length * 9 && of(&long, "total_ns") * 3 < length, "{long} of {length}");
}

#[test]
fn goroutines_that_never_end_are_in_the_summary() {
    let leak = data("leak.trace");
    for text in [said(&["summary"], &leak), said(&["links"], &leak)] {
        has(&text, &["still blocked at trace end", "unfinished"]);
    }
    let Some(leak) = shared("field/traces/leak-summary/leak-27.trace") else { return };
    let summary = said(&["summary"], &leak);
    has(&summary, &["chan send", "main.leakyRequest p/main.go:26", "still blocked at trace end", "050 unfinished"]);
    assert!(!summary.contains("nil channel"), "{summary}");
    let first = summary.lines().skip_while(|l| !l.contains("blocked in · who")).nth(1).unwrap_or_default();
    assert!(first.contains("050 unfinished"), "{summary}");
}

/// A task that never ended lasts to the end of the trace, in sums and as something to ask about.
#[test]
fn a_task_that_never_ends_lasts_to_the_end() {
    let file = data("nil.trace");
    let trace = load(&file);
    let index = trace.index();
    let tally = index.totals.tasks[&index.dict.find("send").unwrap()];
    assert_eq!((tally.count, tally.complete), (1, 0));
    assert!(tally.inside_ns() * 2 > index.duration().ns(), "{tally:?}");
    has(&said(&["summary"], &file), &[&Duration(tally.inside_ns()).to_string(), "task send"]);
    let why = said(&["why", "--task", "send"], &file);
    has(&why, &["task send", "unfinished"]);
    has(&why, &[&format!("parts sum to {} ns", tally.inside_ns())]);
    has(&said(&["summary"], &file), &["3 ", "main.sendToNil", "send to a nil channel", "3 unfinished"]);
}

#[test]
fn a_gc_cycle_that_never_ends_counts() {
    let Some(quotes) = shared("incidents/out-quotes/trace.out") else { return };
    let summary = said(&["summary"], &quotes);
    has(&summary, &["31.7 % of trace", "GC: 9 cycles (1 unfinished)"]);
    has(&summary, &["20 286", "13 560", "main.supplier"]);
    has(&summary, &["chan send", "main.supplier", "quotes/main.go:30", "560 unfinished"]);
    assert!(lines(&summary, &["←", "runtime/time.go"]).is_empty(), "{summary}");
}

/// 13 560 suppliers send to those who have long gone.
#[test]
fn what_never_ends_is_counted_in_every_view() {
    let Some(quotes) = shared("incidents/out-quotes/trace.out") else { return };
    has(&said(&["locks"], &quotes), &["delay 10h48m", "still blocked at trace end", "560 unfinished"]);
    let why = said(&["why", "-g", "1000"], &quotes);
    has(&why, &["is still blocked at trace end: chan send at quotes/main.go:30 · 1 unfinished"]);
    assert!(!why.contains("what never came"), "{why}");
    let view = said(&["snapshot", "--keys", "2", "--size", "120x40"], &quotes);
    has(&view, &["main.supplier", "×20", "286 ", "560 "]);
    has(&view, &["main.supplier", "286 goroutines", "560 unfinished"]);
}

#[test]
fn a_coroutine_switch_is_called_one() {
    let links = said(&["links"], &data("coroutine.trace"));
    has(&links, &["coroutine switch (iter.Pull)"]);
    assert!(!links.contains("not recorded"), "{links}");
    // At the line that called iter.Pull: the switches themselves have no stack.
    if let Some(pull) = shared("field/traces/coroutine/iter-pull-go1.27.trace") {
        has(&said(&["links"], &pull), &["101 ", "coroutine switch (iter.Pull) · main.main ./iter-pull.go:74"]);
        let why = said(&["why", "-g", "1"], &pull);
        has(&why, &["waits for coroutine switch (iter.Pull) at ./iter-pull.go:74: for runtime.corostart"]);
        assert!(!why.contains("not recorded"), "{why}");
    }
}

#[test]
fn syscalls_and_c_are_waits_at_the_users_line() {
    let links = said(&["links", "--limit", "1000"], &data("syscall.trace"));
    has(&links, &["syscall", "← returned"]);
    if let Some(flock) = shared("field/traces/flock-syscalls/flock-27.trace") {
        for text in [said(&["summary"], &flock), said(&["links"], &flock)] {
            has(&text, &["syscall flock", "q/main.go:"]);
        }
    }
    if let Some(cgo) = shared("field/traces/cgo-as-syscall/cgo-27.trace") {
        for text in [said(&["summary"], &cgo), said(&["links"], &cgo)] {
            has(&text, &["in C (cgo)", "cg/main.go:17"]);
        }
    }
}

#[test]
fn the_runtimes_own_semaphores_and_pipes_have_their_names() {
    if let Some(gc) = shared("field/traces/gc-start-as-lock/assist-27.trace") {
        let links = said(&["links"], &gc);
        has(&links, &["starting a GC cycle", "p/main.go:"]);
        assert!(!links.contains("knot"), "{links}");
    }
    if let Some(pipe) = shared("field/traces/pipe-27.trace") {
        has(&said(&["links"], &pipe), &["pipe read", "← the poller"]);
    }
}

#[test]
fn idle_waits_stand_apart_from_stalls() {
    let sample = root().join("sample-traces/trace.out");
    let links = said(&["links", "--limit", "1000"], &sample);
    let (stalls, idle) = links.split_once("idle: waiting for work").unwrap();
    has(idle, &["network accept"]);
    has(idle, &["sleep"]);
    assert!(lines(stalls, &["network accept"]).is_empty() && lines(stalls, &[" sleep ·"]).is_empty(), "{stalls}");
    has(stalls, &["Mutex"]);
    has(&said(&["summary"], &sample), &["idle: waiting for work"]);
}

/// Running, runnable, waiting and in a syscall are a goroutine's life, whatever of it was never ended; and groups are
/// their members.
#[test]
fn parts_sum_to_lives_and_members_to_groups() {
    let folders = ["tests/data", "tests/data/v1", "sample-traces"];
    let more = ["corpus/traces", "incidents", "incidents/out-orders", "incidents/out-quotes", "field/traces"]
        .into_iter()
        .filter_map(shared);
    let mut checked = (0, 0);
    for folder in folders.into_iter().map(|f| root().join(f)).chain(more) {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "trace" || e == "out"));
        paths.sort();
        for path in paths {
            let trace = load(&path);
            let index = trace.index();
            if !index.losses.is_empty() {
                continue;
            }
            checked.0 += 1;
            let named = Named::of(&index);
            assert!(named.is_some() || index.totals.waits_missing, "{}", path.display());
            for g in index.goroutines.iter().filter(|g| g.events > 0) {
                let mut times = g.times;
                if let Some(e) = g.earlier() {
                    times.sub(&e.times);
                }
                assert_eq!(times.total(), life(&index, g), "{}: {g:?}", path.display());
                checked.1 += 1;
            }
            for group in &index.groups {
                let mut sum = Times::default();
                let members = group.members.iter().filter_map(|&m| index.goroutine(m));
                members.for_each(|m| sum.add(&m.times));
                assert_eq!(sum, group.times, "{}", path.display());
                let waited: Duration = group.blocked.iter().map(|b| b.1).sum();
                assert_eq!(waited, group.times.waiting, "{}", path.display());
                let id = group.members.first().map_or(GroupId::NONE, |m| index.goroutines[m.0 as usize].group);
                if let Some(named) = &named {
                    let by_name: Duration = named.of_group(id).iter().map(|n| n.1).sum();
                    let at = (path.display(), index.group_name(id));
                    assert_eq!(by_name, waited, "{at:?} {:?} {:?}", named.of_group(id), group.blocked);
                }
            }
            let (lives, groups) =
                index.groups.iter().fold((0, Duration::ZERO), |(n, d), g| (n + g.members.len(), d + g.times.total()));
            assert_eq!(lives, index.goroutines.len(), "{}", path.display());
            assert_eq!(groups, index.goroutines.iter().map(|g| g.times.total()).sum(), "{}", path.display());
        }
    }
    assert!(checked.0 >= 15 && checked.1 > 100, "only {checked:?} were checked");
}
