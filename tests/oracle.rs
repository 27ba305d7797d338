//! Summaries against the facts that Go's own reader states: for the traces in `tests/data`, and for the whole corpus
//! in `../shared` where that is present.

use gotrail::analysis::summary::summarize;
use gotrail::input;
use gotrail::read::Trace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

fn load(path: &Path) -> Trace {
    let input = input::open(path).unwrap();
    let trace = Trace::open(&input.name, input.bytes).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    trace
}

fn facts(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Holds `got` against `want` as the project's comparison with Go's reader is defined: counts are equal; times are near,
/// because Go's reader breaks ties by bumping time and squashes time where generations meet.
struct Comparison {
    generations: i64,
    differences: Vec<String>,
}

impl Comparison {
    fn near(&self, a: i64, b: i64, count: i64) -> bool {
        let slack = if self.generations == 1 {
            a.abs() as f64 * 0.001 + 2_000.0 * count.max(1) as f64
        } else {
            a.abs() as f64 * 0.05 + 20_000_000.0 * self.generations as f64
        };
        ((a - b).abs() as f64) <= slack
    }

    fn walk(&mut self, path: &str, want: &Value, got: &Value, count: i64) {
        match (want, got) {
            (Value::Object(a), Value::Object(b)) => {
                let n = ["count", "records"].iter().find_map(|k| a.get(*k)?.as_i64()).unwrap_or(count);
                let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
                for k in keys {
                    if path.is_empty() && (k == "digest" || !a.contains_key(k)) {
                        continue;
                    }
                    let at = format!("{path}/{k}");
                    match (a.get(k), b.get(k)) {
                        (Some(x), Some(y)) if path.is_empty() && k == "links" => self.links(x, y),
                        (Some(x), Some(y)) => self.walk(&at, x, y, n),
                        (Some(x), None) | (None, Some(x)) if is_nothing(x) => {}
                        (Some(x), None) => self.differences.push(format!("{at}: want {x}, missing")),
                        (None, Some(y)) => self.differences.push(format!("{at}: not in the facts, got {y}")),
                        (None, None) => {}
                    }
                }
            }
            _ if path.ends_with("_ns") || path.contains("/blocked_ns/") => {
                let (a, b) = (want.as_i64().unwrap_or(0), got.as_i64().unwrap_or(0));
                if !self.near(a, b, count) {
                    self.differences.push(format!("{path}: want {a} ns, got {b} ns"));
                }
            }
            _ if want != got => self.differences.push(format!("{path}: want {want}, got {got}")),
            _ => {}
        }
    }

    fn links(&mut self, want: &Value, got: &Value) {
        let table = |v: &Value| -> BTreeMap<Vec<String>, (i64, i64)> {
            let rows = v.as_array().cloned().unwrap_or_default();
            let key = |l: &Value| {
                ["waiting", "reason", "waiter_at", "waker", "waker_at"].iter().map(|k| l[k].to_string()).collect()
            };
            rows.iter().map(|l| (key(l), (l["count"].as_i64().unwrap(), l["total_ns"].as_i64().unwrap()))).collect()
        };
        let (want, got) = (table(want), table(got));
        for (k, &(count, total)) in &want {
            match got.get(k) {
                None => self.differences.push(format!("links: missing {k:?}")),
                Some(o) if o.0 != count => self.differences.push(format!("links: {k:?}: want {count}, got {}", o.0)),
                Some(o) if !self.near(total, o.1, count) => {
                    self.differences.push(format!("links: {k:?}: want {total} ns, got {} ns", o.1));
                }
                Some(_) => {}
            }
        }
        for k in got.keys().filter(|k| !want.contains_key(*k)) {
            self.differences.push(format!("links: not in the facts {k:?}"));
        }
    }
}

fn is_nothing(v: &Value) -> bool {
    v.as_i64() == Some(0) || v.as_object().is_some_and(|o| o.is_empty()) || v.as_array().is_some_and(|a| a.is_empty())
}

fn compare(trace: &Path, facts_path: &Path) -> Vec<String> {
    let want = facts(facts_path);
    let got = serde_json::to_value(summarize(&load(trace).index())).unwrap();
    let generations = want["kinds"]["Sync"].as_i64().unwrap_or(2) - 1;
    let mut c = Comparison { generations: generations.max(1), differences: Vec::new() };
    c.walk("", &want, &got, 1);
    c.differences
}

/// Traces in a folder that have their facts beside them.
fn with_facts(dir: &Path) -> Vec<(PathBuf, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut out: Vec<_> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "trace"))
        .map(|p| (p.with_extension("facts.json.gz"), p))
        .filter(|(f, _)| f.exists())
        .map(|(f, p)| (p, f))
        .collect();
    out.sort();
    out
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn check(pairs: &[(PathBuf, PathBuf)]) {
    let mut wrong = Vec::new();
    for (trace, facts) in pairs {
        let d = compare(trace, facts);
        if !d.is_empty() {
            wrong.push(format!("{}: {} differences, first {}", trace.display(), d.len(), d[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_own_recordings_have_the_facts_of_gos_reader() {
    let pairs = with_facts(&root().join("tests/data"));
    assert!(pairs.len() >= 8, "the recordings are missing");
    check(&pairs);
}

#[test]
fn the_corpus_has_the_facts_of_gos_reader() {
    let dir = root().join("../shared/corpus/traces");
    let pairs = with_facts(&dir);
    if pairs.is_empty() {
        println!("skipped: there is no ../shared/corpus");
        return;
    }
    check(&pairs);
}

#[test]
fn old_traces_have_the_facts_of_gos_reader() {
    let pairs = with_facts(&root().join("../shared/corpus/go-v1-tests"));
    if pairs.is_empty() {
        println!("skipped: there is no ../shared/corpus");
        return;
    }
    check(&pairs);
}

#[test]
fn what_gos_reader_accepts_is_read_without_a_loss() {
    let dir = root().join("../shared/corpus/go-reader-tests");
    let Ok(outcomes) = std::fs::read_to_string(dir.join("OUTCOMES")) else {
        println!("skipped: there is no ../shared/corpus");
        return;
    };
    for line in outcomes.lines() {
        let (name, outcome) = line.split_once(' ').unwrap();
        let trace = load(&dir.join(format!("{name}.trace")));
        let index = trace.index();
        assert!(index.complete, "{name}");
        if outcome == "SUCCESS" {
            assert_eq!(index.losses, Vec::<String>::new(), "{name}");
        }
    }
}
