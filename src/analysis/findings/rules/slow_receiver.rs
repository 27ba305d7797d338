//! Senders wait for a receiver that is too slow, or for too few of them.

use super::queues::{Cause, finding, fine, mean, suffering, wait_themselves};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::analysis::waits::contention::Meanwhile;
use crate::base::text;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "slow-receiver",
    title: "SLOW RECEIVER",
    measures: "senders that are blocked at one channel, on average over the trace, while its receivers are at work",
    look,
};

/// Waits of receivers that are named.
const NAMED: usize = 2;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::Receivers) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
        let n = mean(f, c);
        let themselves = wait_themselves(c);
        let (says, advice) = match &themselves {
            None => (
                format!("{n:.1} senders are blocked: receiving is the bottleneck"),
                "Receive in several goroutines, or make what the receiver does per value cheaper; a buffer only moves the queue.".to_owned(),
            ),
            Some((share, waits)) => {
                let line = |m: &Meanwhile| f.line_of(&f.more.contention.places, m.at);
                let one = |m: &&Meanwhile| format!("{} at {}", text::escape(&m.reason), line(m));
                let what: Vec<String> = waits.iter().take(NAMED).map(one).collect();
                let what = what.join(" and ");
                (
                    format!("{n:.1} senders are blocked: the receivers are blocked themselves {share:.1} % of that time, in {what}"),
                    format!(
                        "See what the receivers wait for in {what}: that is the bottleneck. More of them help only as far as more can \
                         wait there and be served at a time."
                    ),
                )
            }
        };
        // Where one goroutine does all of that, this is the same cause.
        let mut one = finding(f, &RULE, severity, c, (at, says, &advice));
        one.ties.behind = themselves.and_then(|(_, waits)| waits.first().map(|m| m.at));
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
