//! One goroutine does nearly all the work, and the others wait for it.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::waits::links::Party;
use crate::base::{Duration, GoIdx, GroupId, text};
use crate::model::Class;
use crate::model::dict::short_func;

pub(super) const RULE: Rule = Rule {
    name: "single-goroutine",
    title: "ONE GOROUTINE IS THE BOTTLENECK",
    measures: "the part of the trace in which the one goroutine of a group ran, in percent, if others wait for it that long",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    if f.procs() < 2 {
        return Verdict::CannotTell("single goroutine: with one P only one can run at a time".into());
    }
    // What it ran while it had stopped the world itself is not its own work.
    let stopped = f.stopped_by();
    let busiest = (0u32..)
        .map(GoIdx)
        .zip(&f.index.goroutines)
        .filter(|(_, g)| f.users(g.group) && f.members(g.group).len() == 1)
        .map(|(go, g)| (go, g, g.times.running - stopped.get(&go).copied().unwrap_or_default()))
        .max_by_key(|(.., ran)| *ran);
    let Some((go, g, ran)) = busiest else { return Verdict::Fine("single goroutine: none stands alone".into()) };
    let share = f.percent(ran);
    // Whoever waits for something to do, or for nothing that it makes, is not held up.
    let mut waited = Duration::ZERO;
    let mut at = None;
    for e in f.waits().filter(|e| e.key.waker == Party::Group(g.group) && e.key.waiter != g.group) {
        if matches!(
            f.reason(e).class,
            Class::Send | Class::Receive | Class::Select | Class::Lock | Class::Group | Class::Cond
        ) {
            waited += e.total;
            at = at.or(Some(e.key.waker_at));
        }
    }
    let name = text::escape(short_func(f.index.goroutine_name(go))).into_owned();
    let said = format!("single goroutine: {name} is the busiest, running {share:.1} % of the trace");
    let held = f.percent(waited);
    let Some(severity) = levels.of(share.min(held)) else { return Verdict::Fine(said) };
    let others: Duration = (0u32..)
        .map(GroupId)
        .zip(&f.index.groups)
        .filter(|(i, _)| f.users(*i) && *i != g.group)
        .map(|(_, g)| g.times.running)
        .sum();
    if others > ran {
        return Verdict::Fine(said);
    }
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: share.min(held),
        says: format!("{name} runs {share:.1} % of the time, the others wait for it"),
        cost: Cost { time: waited, of: "blocked" },
        at: at.unwrap_or(crate::model::places::PlaceId::NONE),
        time: Some(g.from),
        go,
        view: View::Timeline,
        evidence: vec![
            format!("{name} ran for {}, all other goroutines of the program for {others}", ran),
            format!("others waited {waited} until it ended their waits"),
        ],
        advice:
            "Split its work among several goroutines, or make it cheaper: nothing else can make the program faster."
                .into(),
        check: format!("why FILE -g {}", g.id.0),
        ties: Default::default(),
    }])
}
