//! Spinning with runtime.Gosched.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::sched::Cause;
use crate::base::{GoIdx, text};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "gosched-spinning",
    title: "SPINNING WITH GOSCHED",
    measures: "calls of runtime.Gosched a second",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let at = Cause::ALL.iter().position(|c| *c == Cause::Gosched).unwrap_or_default();
    let users = || f.more.sched.groups.iter().filter(|g| f.users(g.group));
    let n: u64 = users().map(|g| g.causes[at].count).sum();
    let rate = n as f64 / f.seconds();
    let worst = users().max_by_key(|g| g.causes[at].count);
    let (Some(severity), Some(worst)) = (levels.of(rate), worst) else {
        return Verdict::Fine(format!("Gosched: {} calls a second", text::count(rate as u64)));
    };
    let longest = worst.causes[at].longest.some();
    let times = f.index.groups.get(worst.group.index()).map(|g| g.times).unwrap_or_default();
    let mut evidence = vec![format!(
        "{} times a goroutine of the program gave up its P so, {} times one of {}",
        text::count(n),
        text::count(worst.causes[at].count),
        f.group(worst.group)
    )];
    if f.more.yields != PlaceId::NONE {
        evidence
            .push(format!("the one that waited longest for a P after it had called it at {}", f.line(f.more.yields)));
    }
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: rate,
        says: format!("runtime.Gosched is called {} times a second", text::count(rate as u64)),
        cost: Cost { time: times.running, of: "CPU of the group" },
        at: f.more.yields,
        time: longest.map(|l| l.from),
        go: longest.map_or(GoIdx::NONE, |l| l.go),
        view: View::Stacks,
        evidence,
        advice: "Wait on a channel, a sync.Cond or a context instead of asking again and again.".into(),
        check: "events FILE --filter 'kind:GoStop reason:Gosched'".into(),
        ties: Default::default(),
    }])
}
