//! Spinning with runtime.Gosched.

use super::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, GoIdx, text};
use crate::model::places::PlaceId;
use crate::wire::event::GoState;

pub(super) const RULE: Rule = Rule {
    name: "gosched-spinning",
    title: "SPINNING WITH GOSCHED",
    measures: "calls of runtime.Gosched a second",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let t = &f.index.totals.go_transitions;
    let n: u64 = t
        .iter()
        .filter(|((from, to, reason), _)| {
            (*from, *to) == (GoState::Running, GoState::Runnable) && f.index.dict.str(*reason) == "runtime.Gosched"
        })
        .map(|(_, n)| n)
        .sum();
    let rate = n as f64 / f.seconds();
    let Some(severity) = levels.of(rate) else {
        return Verdict::Fine(format!("Gosched: {} calls a second", text::count(rate as u64)));
    };
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: rate,
        says: format!("runtime.Gosched is called {} times a second", text::count(rate as u64)),
        cost: Cost { time: Duration::ZERO, of: "CPU" },
        at: PlaceId::NONE,
        time: None,
        go: GoIdx::NONE,
        view: View::Stacks,
        evidence: vec![format!("{} times a goroutine gave up its P by calling runtime.Gosched", text::count(n))],
        advice: "Wait on a channel, a sync.Cond or a context instead of asking again and again.".into(),
        check: "events FILE --filter 'kind:GoStop reason:Gosched'".into(),
    }])
}
