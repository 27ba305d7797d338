//! Summaries against the facts that Go's own reader states: for the traces in `tests/data`, and for the whole corpus
//! in `../shared` where that is present.

use crate::common;

use common::{facts, load, with_facts};
use gotrail::analysis::summary::summarize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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

/// Holds at least `least` traces against their facts.
fn check(pairs: &BTreeMap<PathBuf, PathBuf>, least: usize) {
    assert!(pairs.len() >= least, "only {} traces have their facts beside them", pairs.len());
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
    check(&with_facts(&common::root().join("tests/data")), 18);
    check(&with_facts(&common::root().join("tests/data/v1")), 3);
}

#[test]
fn the_corpus_has_the_facts_of_gos_reader() {
    let Some(dir) = common::shared("corpus/traces") else { return };
    check(&with_facts(&dir), 47);
}

#[test]
fn old_traces_have_the_facts_of_gos_reader() {
    let Some(dir) = common::shared("corpus/go-v1-tests") else { return };
    check(&with_facts(&dir), 12);
}

#[test]
fn what_gos_reader_accepts_is_read_without_a_loss() {
    let Some(dir) = common::shared("corpus/go-reader-tests") else { return };
    let outcomes = std::fs::read_to_string(dir.join("OUTCOMES")).unwrap();
    let mut accepted = 0;
    for line in outcomes.lines() {
        let (name, outcome) = line.split_once(' ').unwrap();
        let trace = load(dir.join(format!("{name}.trace")));
        if outcome == "SUCCESS" {
            assert_eq!(trace.index().losses, Vec::<String>::new(), "{name}");
            accepted += 1;
        }
    }
    assert!(accepted >= 15, "Go's reader accepts only {accepted}");
}
