//! Groups of goroutines that wait for each other in a circle.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::waits::knots::knots;
use crate::analysis::waits::links::Party;
use crate::analysis::waits::roles::Role;
use crate::base::{Duration, GoIdx, text};
use crate::model::dict::shown_func;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "wait-cycle",
    title: "WAIT CYCLE",
    measures: "how much of their time the group of a cycle that waits least waits for the others, in percent of its life",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for k in knots(&f.more.links, f.index) {
        if !k.roles.iter().all(|r| f.users(r.group)) {
            continue;
        }
        // Who asks waits for answers, and who answers waits for questions; but one of the two hardly has to, unless they
        // hold each other up.
        let share = k
            .roles
            .iter()
            .map(|&r| {
                let life = f.index.groups.get(r.group.index()).map_or(0, |g| g.times.total().ns());
                let waits: Duration = k.between.iter().filter(|b| b.waiter.0 == r).map(|b| b.total).sum();
                waits.ns() as f64 / life.max(1) as f64 * 100.0
            })
            .fold(f64::INFINITY, f64::min);
        let Some(severity) = levels.of(share) else { continue };
        let inside = |e: &&crate::analysis::waits::links::Edge| {
            k.between.iter().any(|b| {
                (b.waiter.0.group, b.waiter.1) == (e.key.waiter, e.key.at)
                    && matches!(e.key.waker, Party::Group(g) if g == b.waker.0.group)
            })
        };
        let worst = f.waits().filter(inside).max_by_key(|e| e.total);
        let name = |r: Role| shown_func(r.name(f.index));
        let names: Vec<String> = k.roles.iter().map(|&r| name(r)).collect();
        let line = |p| f.line_of(&f.more.links.places, p);
        let mut evidence: Vec<String> = k
            .between
            .iter()
            .take(4)
            .map(|b| {
                let (n, (who, at), (by, by_at)) = (text::count(b.count), b.waiter, b.waker);
                let (at, by_at) = (line(at), line(by_at));
                format!("{} waited {n} times at {at} for {} at {by_at}, {} in total", name(who), name(by), b.total)
            })
            .collect();
        evidence.push(format!("each of them spends at least {share:.1} % of its time so"));
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: share,
            says: format!("{} wait for each other in turn", names.join(" and ")),
            cost: Cost { time: k.total, of: "blocked" },
            at: worst.map_or(PlaceId::NONE, |e| e.key.at),
            time: worst.map(|e| e.longest_from),
            go: worst.map_or(GoIdx::NONE, |e| e.longest_go),
            view: View::Waits,
            evidence,
            advice: "They bound each other's throughput: hand over several pieces at once, give the channel a buffer, or join the two.".into(),
            check: "waits FILE".into(),
            ties: Default::default(),
        });
    }
    if found.is_empty() { Verdict::Fine("wait cycles: none".into()) } else { Verdict::Found(found) }
}
