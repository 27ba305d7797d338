//! There is one P, and goroutines queue for it.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict, View};
use crate::base::{Duration, GoIdx, GroupId};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "gomaxprocs",
    title: "GOMAXPROCS IS 1",
    measures: "the time that goroutines were runnable while GOMAXPROCS was 1, in percent of the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let procs = f.procs();
    let user = |g: &GroupId| f.users(*g);
    let all = || (0..f.index.groups.len() as u32).map(GroupId).filter(user);
    let times = |g: GroupId| f.index.groups[g.index()].times;
    let runnable: Duration = all().map(|g| times(g).runnable).sum();
    let running: Duration = all().map(|g| times(g).running).sum();
    let share = f.percent(runnable);
    let said =
        format!("GOMAXPROCS {procs}: goroutines ran on {:.2} Ps on average", running.as_secs_f64() / f.seconds());
    let Some(severity) = levels.of(share).filter(|_| procs == 1) else { return Verdict::Fine(said) };
    // Where the one P is idle most of the time, goroutines queue in bursts, which more Ps shorten and do not end.
    let busy = running.ns().saturating_mul(2) >= f.index.traced().ns();
    let severity = if busy { severity } else { severity.min(Severity::Info) };
    let worst = all().max_by_key(|&g| times(g).runnable);
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: share,
        says: format!("one P for all goroutines, and {:.1} of them wait for it on average", share / 100.0),
        cost: Cost { time: runnable, of: "waiting for a P" },
        at: PlaceId::NONE,
        time: None,
        go: worst.and_then(|g| f.members(g).first().copied()).unwrap_or(GoIdx::NONE),
        view: View::Runtime,
        evidence: vec![
            format!("goroutines of the program ran for {running} and waited {runnable} for a P"),
            worst.map_or(String::new(), |g| format!("{} waited longest: {}", f.group(g), times(g).runnable)),
        ],
        advice: "Raise GOMAXPROCS or the container's CPU limit, if the machine has more cores.".into(),
        check: "summary FILE".into(),
        ties: Default::default(),
    }])
}
