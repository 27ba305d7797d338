//! Goroutines queue at a lock and pass it on, each for a short time.

use super::queues::{Cause, finding, fine, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::base::text;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "lock-convoy",
    title: "LOCK CONVOY",
    measures: "goroutines that queue at a lock which they pass on, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Convoy) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
        let says =
            format!("{:.1} goroutines queue at a lock, up to {} in a row", mean(f, c), text::count(c.convoy.handoffs));
        let advice = "Take the lock less often, shard what it protects, or hold it for a shorter time: everybody waits for everybody.";
        found.push(finding(f, &RULE, severity, c, (at, says, advice)));
    }
    if found.is_empty() {
        fine(f, Cause::Convoy, levels, ("locks: convoys wait", "locks: no delay is laid to convoys"))
    } else {
        Verdict::Found(found)
    }
}
