//! A trace that is cut anywhere: what was the state of anything counts to the last event that is there, and it is said.

use crate::common;

use common::{load, load_bytes, root, unpacked};
use gotrail::analysis::summary::life;
use gotrail::base::Duration;

/// Traces of one generation and of several, of both families, with and without an end of the generation's own.
const TRACES: &[&str] = &[
    "tests/data/pool.trace",
    "tests/data/annotations-go1.22.trace",
    "tests/data/long.trace",
    "tests/data/restart.trace",
    "sample-traces/trace.out",
];

#[test]
fn what_goes_on_at_a_cut_counts_to_the_last_event() {
    let mut checked = 0;
    let old = std::fs::read_dir(root().join("tests/data/v1")).unwrap().map(|e| e.unwrap().path());
    let old = old.filter(|p| p.extension().is_some_and(|e| e == "trace")).take(3);
    for path in TRACES.iter().map(|t| root().join(t)).chain(old) {
        let bytes = unpacked(&path);
        let whole = load(&path);
        for part in [35, 60, 85] {
            let trace = load_bytes(&bytes[..bytes.len() * part / 100]);
            let index = trace.index();
            let at = format!("{} cut at {part} %", path.display());
            if index.segments.is_empty() {
                continue;
            }
            let said = index.losses.join("\n");
            assert!(["cut", "missing", "ends in the middle"].iter().any(|w| said.contains(w)), "{at}: {said}");
            let last = (0..index.segments.len()).filter_map(|i| trace.segment(i).unwrap().time.last().copied()).max();
            assert_eq!(Some(index.end), last, "{at}");
            // Old formats say at their end how fast their clock runs.
            assert!(index.end <= whole.index().end || index.version.1 < 22, "{at}");
            let mut ran = Duration::ZERO;
            for g in &index.goroutines {
                let mut times = g.times;
                if let Some(e) = g.earlier() {
                    times.sub(&e.times);
                }
                // Each goroutine is in some state from its first event to its end, or to the last event of its recording.
                let to = g.ended.or(g.gone()).unwrap_or(index.recorded(g.process.into()).1);
                if g.events > 0 {
                    let known = life(&index, g) - index.untraced_in(g.from, to);
                    assert_eq!(times.total(), known, "{at}: {g:?}");
                    assert!(to <= index.end, "{at}: {g:?}");
                }
                ran += g.times.running;
            }
            let procs = index.procs.len().max(1) as i64;
            assert!(ran.ns() <= index.traced().ns() * procs, "{at}: ran {ran} in {} on {procs} Ps", index.traced());
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} cuts were read");
}
