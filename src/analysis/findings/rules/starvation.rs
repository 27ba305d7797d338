//! A lock in starvation mode: who releases it would take it back before the waiter is up.

use super::queues::{Cause, finding, fine, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::base::text;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "lock-starvation",
    title: "LOCK STARVATION",
    measures: "goroutines that are blocked at a lock of which a tenth of the hand-offs are in starvation mode, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Starvation) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.blame.first().map_or(PlaceId::NONE, |b| b.at);
        let says = format!(
            "{} of {} hand-offs of the lock are in starvation mode",
            text::count(c.starved),
            text::count(c.handoffs)
        );
        let advice = "Hold the lock for a shorter time and less often in the loop that takes it again and again, or do the work outside of it.";
        found.push(finding(f, &RULE, severity, c, (at, says, advice)));
    }
    if found.is_empty() {
        fine(
            f,
            Cause::Starvation,
            levels,
            ("locks: in starvation mode, waits", "locks: no delay is laid to starvation mode"),
        )
    } else {
        Verdict::Found(found)
    }
}
