//! Of several like workers a few do most of the work.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, GroupId, text};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "unbalanced-workers",
    title: "UNBALANCED WORKERS",
    measures: "how many times as long as the mean the busiest goroutine of a group ran, if it ran for most of the trace",
    look,
};

/// Fewer or more are no set of workers.
const WORKERS: std::ops::RangeInclusive<usize> = 2..=256;
/// The busiest one has to run for this part of the trace, in percent: only then does it bound the others.
const BUSY: f64 = 50.0;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    let mut looked = 0;
    for id in (0..f.index.groups.len() as u32).map(GroupId).filter(|&g| f.users(g)) {
        // Those that were there for nearly all of the trace.
        let whole = f.index.traced().ns() / 10 * 9;
        let members = f.members(id).iter().filter_map(|&m| f.index.goroutine(m).map(|g| (m, g)));
        let there: Vec<_> = members.filter(|(_, g)| (g.ended.unwrap_or(f.index.end) - g.from).ns() >= whole).collect();
        if !WORKERS.contains(&there.len()) || there.len() * 2 < f.members(id).len() {
            continue;
        }
        looked += 1;
        let total: Duration = there.iter().map(|(_, g)| g.times.running).sum();
        let mean = Duration(total.ns() / there.len() as i64);
        let Some((go, most)) = there.iter().max_by_key(|(_, g)| g.times.running) else { continue };
        let times = most.times.running.ns() as f64 / mean.ns().max(1) as f64;
        let Some(severity) = levels.of(times).filter(|_| f.percent(most.times.running) >= BUSY) else { continue };
        let least = there.iter().map(|(_, g)| g.times.running).min().unwrap_or_default();
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: times,
            says: format!("one of {} {} runs {times:.1} times as long as the mean", there.len(), f.group(id)),
            cost: Cost { time: most.times.running - mean, of: "CPU that could run beside" },
            at: PlaceId::NONE,
            time: Some(most.from),
            go: *go,
            view: View::Goroutines,
            evidence: vec![format!(
                "the busiest ran for {}, the least busy for {least}, the mean is {mean}",
                most.times.running
            )],
            advice: "Hand out smaller pieces of work, from one queue, so that whoever is free takes the next.".into(),
            check: format!("waits FILE -f 'g:{}'", most.id.0),
            ties: Default::default(),
        });
    }
    match found.is_empty() {
        true => Verdict::Fine(format!(
            "workers: {} sets of like goroutines, none with one that does the others' work",
            text::count(looked)
        )),
        false => Verdict::Found(found),
    }
}
