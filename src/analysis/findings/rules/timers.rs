//! Timers that wake goroutines all the time: tickers that nobody stopped, polling with a sleep.

use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::{command, of_group};
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::waits::links::Party;
use crate::base::{Duration, GroupId, text};
use crate::model::places::PlaceId;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    name: "timer-storm",
    title: "TIMER STORM",
    measures: "wake-ups a second by timers, of one group of goroutines at one line",
    look,
};

/// A few wake-ups in a trace of milliseconds are no storm.
const MANY: u64 = 1000;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut sums: BTreeMap<(GroupId, PlaceId), (u64, Duration, &crate::analysis::waits::links::Edge)> = BTreeMap::new();
    for e in f.waits().filter(|e| e.key.waker == Party::Timer) {
        let s = sums.entry((e.key.waiter, e.key.at)).or_insert((0, Duration::ZERO, e));
        s.0 += e.count;
        s.1 += e.total;
    }
    let all: u64 = sums.values().map(|s| s.0).sum();
    let mut found = Vec::new();
    for (&(group, at), &(n, waited, e)) in &sums {
        let rate = n as f64 / f.seconds();
        let Some(severity) = levels.of(rate).filter(|_| n >= MANY) else { continue };
        let times = f.index.groups.get(group.index()).map(|g| g.times).unwrap_or_default();
        let members = f.members(group).len() as u64;
        let name = f.group(group);
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: rate,
            says: format!("{} goroutines of {name} are woken {} times a second by timers", text::count(members), text::count(rate as u64)),
            cost: Cost { time: times.running, of: "CPU" },
            at,
            time: Some(e.longest_from),
            go: e.longest_go,
            view: View::Waits,
            evidence: vec![
                format!("{} waits at {} ended by a timer, after {} on average", text::count(n), f.line(at), Duration(waited.ns() / n.max(1) as i64)),
                format!("the group was on CPU for {} and waited {} for a P", times.running, times.runnable),
            ],
            advice: "Stop tickers that nobody needs any more (defer t.Stop()), and prefer being told to asking again and again.".into(),
            check: command(&["waits", "FILE", "-f", &of_group(f.index.group_name(group))]),
            ties: Default::default(),
        });
    }
    if found.is_empty() {
        let rate = all as f64 / f.seconds();
        return Verdict::Fine(format!("timers: {} wake-ups a second", text::count(rate as u64)));
    }
    Verdict::Found(found)
}
