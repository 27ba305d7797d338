//! Goroutines that are created for less work than creating them costs.

use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::{command, of_group};
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, GoIdx, GroupId, text};

pub(super) const RULE: Rule = Rule {
    name: "goroutine-churn",
    title: "GOROUTINE CHURN",
    measures: "goroutines of one group that are created and end within a millisecond, a second",
    look,
};

/// A few goroutines in a trace of milliseconds are no churn.
const MANY: u64 = 100;
const SHORT: Duration = Duration(1_000_000);

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    let mut all = 0;
    for (i, group) in (0u32..).zip(&f.index.groups) {
        let id = GroupId(i);
        if !f.users(id) {
            continue;
        }
        let mut short = 0u64;
        let mut last = GoIdx::NONE;
        let mut cpu = Duration::ZERO;
        for &m in &group.members {
            let Some(g) = f.index.goroutine(m) else { continue };
            if let (Some(from), Some(to)) = (g.created(), g.ended)
                && to - from < SHORT
            {
                short += 1;
                last = m;
                cpu += g.times.running;
            }
        }
        all += short;
        let rate = short as f64 / f.seconds();
        let Some(severity) = levels.of(rate).filter(|_| short >= MANY) else { continue };
        let made = f.index.goroutine(last);
        let at = made.map_or(crate::model::places::PlaceId::NONE, |g| f.more.links.places.user(g.created_at));
        let name = f.group(id);
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: rate,
            says: format!("{} goroutines of {name} a second that live for less than 1ms", text::count(rate as u64)),
            cost: Cost { time: group.times.runnable, of: "waiting for a P" },
            at,
            time: made.and_then(|g| g.created()),
            go: last,
            view: View::Goroutines,
            evidence: vec![format!(
                "{} were created at {} and ended within 1ms, after {} on CPU on average",
                text::count(short),
                f.line(at),
                Duration(cpu.ns() / short.max(1) as i64)
            )],
            advice: "Give such work to a fixed number of workers, or do several pieces of it in one goroutine.".into(),
            check: command(&[
                "events",
                "FILE",
                "--filter",
                &format!("{} kind:GoCreate", of_group(f.index.group_name(id))),
            ]),
            ties: Default::default(),
        });
    }
    if found.is_empty() {
        let rate = all as f64 / f.seconds();
        return Verdict::Fine(format!("goroutine churn: {} short-lived goroutines a second", text::count(rate as u64)));
    }
    Verdict::Found(found)
}
