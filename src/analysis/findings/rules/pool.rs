//! A pool of which everything is in use: goroutines wait for one that is given back.

use super::queues::{Cause, finding, fine, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::base::text;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "pool-exhausted",
    title: "POOL EXHAUSTED",
    measures: "goroutines that wait for something out of a pool, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Pool) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
        // Who gives it back may have held it, or have made a new one: only of those who wait likewise their number tells.
        let says = match c.held_by_waiters {
            true => {
                format!("{} of the pool are in use, {:.1} goroutines wait for one", text::count(c.held_max), mean(f, c))
            }
            false => format!("{:.1} goroutines wait for one of the pool", mean(f, c)),
        };
        let advice =
            "Give back earlier what is held, above all around calls that take long; then make the pool larger.";
        found.push(finding(f, &RULE, severity, c, (at, says, advice)));
    }
    if found.is_empty() {
        fine(f, Cause::Pool, levels, ("pools: waits", "pools: nobody waits for one"))
    } else {
        Verdict::Found(found)
    }
}
