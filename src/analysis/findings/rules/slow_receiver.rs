//! Senders wait for a receiver that is too slow, or for too few of them.

use super::queues::{Cause, finding, fine, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "slow-receiver",
    title: "SLOW RECEIVER",
    measures: "senders that are blocked at one channel, on average over the trace, while its receivers are at work",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Receivers) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
        let says = format!("{:.1} senders are blocked: receiving is the bottleneck", mean(f, c));
        let advice = "Receive in several goroutines, or make what the receiver does per value cheaper; a buffer only moves the queue.";
        // Where one goroutine does all of that, this is the same cause.
        let mut one = finding(f, &RULE, severity, c, (at, says, advice));
        one.ties.covers = c.ended_at.iter().map(|e| e.0).collect();
        found.push(one);
    }
    if found.is_empty() {
        fine(
            f,
            Cause::Receivers,
            levels,
            ("slow receivers: senders wait", "slow receivers: none that holds senders up"),
        )
    } else {
        Verdict::Found(found)
    }
}
