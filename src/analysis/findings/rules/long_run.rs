//! A goroutine runs for long without being preempted.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::sched::Longest;
use crate::base::Duration;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "long-run",
    title: "LONG RUN WITHOUT PREEMPTION",
    measures: "the longest time that a goroutine kept its P while others waited for one, in ms",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let s = &f.more.sched;
    let runs = s.groups.iter().filter(|g| f.users(g.group)).filter_map(|g| Some((g, g.run?)));
    // While it stops the world itself, for a dump of all goroutines, there is nobody to wait behind it.
    let len = |r: &Longest| r.len - f.stopped(r.go, (r.from, r.from + r.len));
    let Some((g, run)) = runs.max_by_key(|(_, r)| len(r)) else {
        return Verdict::Fine("preemption: no goroutine of the program ran".into());
    };
    let len = len(&run);
    let ms = len.ns() as f64 / 1e6;
    let waited = s.all.parts.busy;
    // Who runs alone is not preempted, and need not be.
    let Some(severity) = levels.of(ms).filter(|_| waited > Duration::ZERO) else {
        return Verdict::Fine(format!("preemption: the longest run without was {len}"));
    };
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: ms,
        says: format!("a goroutine of {} runs {len} without giving up its P", f.group(g.group)),
        cost: Cost { time: len, of: "CPU of one P" },
        at: PlaceId::NONE,
        time: Some(run.from),
        go: run.go,
        view: View::Timeline,
        evidence: vec!["a goroutine that others wait behind is preempted after 10ms, unless it is in code that cannot be stopped: assembly, cgo, a tight part of the runtime; or the machine took the CPU away".into()],
        advice: "Look at what it runs there; where a P is idle anyway nobody minds.".into(),
        check: "sched FILE".into(),
        ties: Default::default(),
    }])
}
