//! One place holds a lock while others wait.

use super::queues::{Cause, finding, fine, mean, mean_while_busy, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::analysis::waits::contention::What;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "lock-holder",
    title: "LOCK HELD TOO LONG",
    measures: "goroutines that are blocked at a lock which one place holds most of the time, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Holder) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.blame.first().map_or(PlaceId::NONE, |b| b.at);
        let n = mean_while_busy(c);
        let (says, advice) = match c.what {
            What::Once => (
                format!("{n:.1} goroutines at a time are blocked while a sync.Once initialises"),
                "Initialise before it is needed, when the program starts; or make cheaper what it does.",
            ),
            _ => (
                format!("{n:.1} goroutines at a time are blocked while it is held"),
                "Do what takes long before the lock is taken or after it is released, or split what it protects.",
            ),
        };
        found.push(finding(f, &RULE, severity, c, (at, says, advice)));
    }
    if found.is_empty() {
        fine(
            f,
            Cause::Holder,
            levels,
            ("locks: while one place holds it, waits", "locks: none that one place holds while others wait"),
        )
    } else {
        Verdict::Found(found)
    }
}
