//! Receivers wait for a sender that is at work.

use super::queues::{Cause, finding, fine, libraries, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "slow-sender",
    title: "SLOW SENDER",
    measures: "receivers that are blocked at one channel, on average over the trace, while its senders are at work",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Senders) {
        let Some(severity) = levels.of(mean(f, c)).filter(|_| !libraries(f, c)) else { continue };
        let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
        let says = format!("{:.1} receivers are blocked: sending is the bottleneck", mean(f, c));
        let advice = "Send from several goroutines, or make what the sender does per value cheaper.";
        // Where one goroutine does all of that, this is the same cause.
        let mut one = finding(f, &RULE, severity, c, (at, says, advice));
        one.ties.covers = c.ended_at.iter().map(|e| e.0).collect();
        found.push(one);
    }
    if found.is_empty() {
        fine(f, Cause::Senders, levels, ("slow senders: receivers wait", "slow senders: none that holds receivers up"))
    } else {
        Verdict::Found(found)
    }
}
