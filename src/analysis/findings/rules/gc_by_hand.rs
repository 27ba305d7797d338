//! The program starts GC cycles itself.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::findings::{Row, Ties};
use crate::base::{Duration, GoIdx, StackId, text};
use crate::model::ownership::is_collection;
use crate::model::places::PlaceId;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    name: "gc-by-hand",
    title: "GC STARTED BY HAND",
    measures: "waits inside runtime.GC or debug.FreeOSMemory",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let dict = &f.index.dict;
    let asked = dict.stacks_with(|d, frame| is_collection(d.func_name(frame.func)));
    let inside = |s: StackId| asked.get(s.0 as usize).copied().unwrap_or(false);
    // runtime.GC waits for the cycle that it starts, each time at least once: for the sweep, for the mark phase.
    let mut sums: BTreeMap<PlaceId, (u64, Duration)> = BTreeMap::new();
    for (l, _, t) in f.index.totals.all_waits().filter(|(l, ..)| inside(l.waiter_stack)) {
        let s = sums.entry(f.more.links.places.user(l.waiter_stack)).or_default();
        s.0 += t.count;
        s.1 += t.total;
    }
    let mut found = Vec::new();
    for (at, (n, waited)) in sums {
        let Some(severity) = levels.of(n as f64) else { continue };
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: n as f64,
            says: format!("{} calls runtime.GC", f.line(at)),
            cost: Cost { time: waited, of: "blocked" },
            at,
            time: None,
            go: GoIdx::NONE,
            view: View::Runtime,
            evidence: vec![format!("{} waits inside runtime.GC at {}, {waited} in total", text::count(n), f.line(at))],
            advice: "Leave it to the GC when to run; to bound memory set GOMEMLIMIT.".into(),
            check: "waits FILE -f 'func:runtime.GC'".into(),
            ties: Ties { row: Some(Row::Gc), ..Ties::default() },
        });
    }
    if found.is_empty() { Verdict::Fine("runtime.GC: not called".into()) } else { Verdict::Found(found) }
}
