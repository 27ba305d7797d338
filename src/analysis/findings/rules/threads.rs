//! Many threads sit in syscalls at once.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, GroupId};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "syscall-threads",
    title: "SYSCALLS HOLD THREADS",
    measures: "goroutines that are in a syscall or in C, each on a thread of its own, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let times = |g: GroupId| f.index.groups[g.index()].times;
    let all = || (0..f.index.groups.len() as u32).map(GroupId).filter(|&g| f.users(g));
    let inside: Duration = all().map(|g| times(g).syscall + times(g).syscall_blocked).sum();
    let mean = inside.as_secs_f64() / f.seconds();
    let Some(severity) = levels.of(mean) else {
        return Verdict::Fine(format!("syscalls: {mean:.2} threads in them on average"));
    };
    let of = |g: GroupId| times(g).syscall + times(g).syscall_blocked;
    let Some(worst) = all().max_by_key(|&g| of(g)) else { return Verdict::Fine("syscalls: none".into()) };
    let go =
        f.members(worst).iter().copied().max_by_key(|&g| {
            f.index.goroutine(g).map_or(Duration::ZERO, |g| g.times.syscall + g.times.syscall_blocked)
        });
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: mean,
        says: format!("{mean:.1} threads are in syscalls or C on average"),
        cost: Cost { time: inside, of: "in syscalls" },
        at: PlaceId::NONE,
        time: None,
        go: go.unwrap_or_default(),
        view: View::Goroutines,
        evidence: vec![format!(
            "{} is in them longest: {} over {} goroutines",
            f.group(worst),
            of(worst),
            f.members(worst).len()
        )],
        advice: "Each blocks a thread: bound how many run at once, or use what the network poller can wait for.".into(),
        check: "profile FILE --kind syscall -o syscalls.pb.gz".into(),
        ties: Default::default(),
    }])
}
