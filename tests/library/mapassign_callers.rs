//! The founding question: which lines of user code assign to maps. Held against what Go's own reader says of the same
//! traces.

use crate::common;

use gotrail::analysis::cost::hits::{Hits, core_line};
use gotrail::analysis::search::{self, Options};
use gotrail::analysis::summary::summarize;
use gotrail::query::parse;
use gotrail::read::Trace;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

type Lines = BTreeMap<String, u64>;

/// The lines as the viewer's hits have them: samples in the runtime's functions that assign, by their callers.
fn by_hits(trace: &Trace) -> Lines {
    let never = AtomicBool::new(false);
    let query = parse("func:runtime.mapassign* kind:CPUSample").unwrap();
    let query = search::compile(trace, &query).unwrap();
    let mut hits = Hits::new(1000);
    search::run_compiled(trace, &query, &Options::default(), &never, &mut |_, found| hits.add(&found));
    let index = trace.index();
    let dict = &index.dict;
    let sums = hits.callers(dict, &query, core_line).samples;
    let user = sums.into_iter().filter(|c| c.func.is_some());
    user.map(|c| (format!("{} {}:{}", dict.func_name(c.func), dict.func_file(c.func), c.line), c.count)).collect()
}

/// The lines as `summary --format json` has them.
fn by_summary(trace: &Trace) -> Lines {
    let summary = serde_json::to_value(summarize(&trace.index())).unwrap();
    lines(&summary["mapassign_samples_by_caller_line"])
}

fn lines(facts: &serde_json::Value) -> Lines {
    let lines = facts.as_object().cloned().unwrap_or_default();
    lines.into_iter().map(|(line, n)| (line, n.as_u64().unwrap())).collect()
}

const CACHE: &str = "paycore/payment.(*OrderCache).Update paycore/payment/order_cache.go:47";
const LEDGER: &str = "paycore/payment.(*Ledger).write paycore/payment/ledger.go:35";

#[test]
fn the_line_that_burns_the_cpu_is_found_in_the_sample_traces() {
    for (name, want) in [
        ("trace.out", &[(LEDGER, 2), (CACHE, 127)][..]),
        ("fixed-trace.out", &[(LEDGER, 1)]),
        ("go1.22-trace.out", &[(LEDGER, 1), (CACHE, 29)]),
        ("go1.21-trace.out", &[(CACHE, 31)]),
    ] {
        let want: Lines = want.iter().map(|&(line, n)| (line.to_owned(), n)).collect();
        let trace = common::load(common::sample(name));
        assert_eq!(by_hits(&trace), want, "{name}");
        assert_eq!(by_summary(&trace), want, "{name}");
    }
}

#[test]
fn the_line_that_burns_the_cpu_is_on_the_first_screen() {
    let (text, _, code) = common::run(["summary", "--no-cache", "sample-traces/trace.out"]);
    let line = text.lines().find(|l| l.starts_with("map assignments")).unwrap_or_else(|| panic!("{text}"));
    // 127 of 129 samples in assignments to maps.
    assert!(code == 0 && line.ends_with("98.4 % of them at payment/order_cache.go:47"), "{line}");
}

#[test]
fn the_corpus_has_the_lines_of_gos_reader() {
    let Some(folder) = common::shared("corpus/traces") else { return };
    let mut compared = 0;
    for (path, facts) in common::with_facts(&folder) {
        let trace = common::load(&path);
        let want = lines(&common::facts(&facts)["mapassign_samples_by_caller_line"]);
        assert_eq!(by_hits(&trace), want, "{}", path.display());
        compared += 1;
    }
    assert!(compared >= 47, "only {compared} traces were compared");
}
