//! A P has nothing to do although goroutines could run: waking a thread takes its time.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{GoIdx, text};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "idle-p",
    title: "WAKE-UP LATENCY",
    measures: "goroutines that could run while a P was idle, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let s = &f.more.sched;
    let idle = s.all.parts.idle;
    let mean = idle.as_secs_f64() / f.seconds();
    let each = crate::base::Duration(idle.ns() / s.all.count.max(1) as i64);
    let Some(severity) = levels.of(mean) else {
        return Verdict::Fine(format!("wake-ups: {each} with a P idle on average"));
    };
    let worst = s.groups.iter().filter(|g| f.users(g.group)).max_by_key(|g| g.all.parts.idle);
    let longest = worst.and_then(|g| g.all.longest.some());
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: mean,
        says: format!("{mean:.2} goroutines could run on average while a P was idle"),
        cost: Cost { time: idle, of: "runnable with a P idle" },
        at: PlaceId::NONE,
        time: longest.map(|l| l.from),
        go: longest.map_or(GoIdx::NONE, |l| l.go),
        view: View::Runtime,
        evidence: vec![
            format!("{} waits for a P, {each} of each with a P idle", text::count(s.all.count)),
            worst.map_or(String::new(), |g| format!("{} waited longest so: {}", f.group(g.group), g.all.parts.idle)),
        ],
        advice: "The machine is slow to wake threads: other processes, a CPU limit that throttles, or very many short wake-ups. Fewer, larger hand-overs help.".into(),
        check: "sched FILE".into(),
        ties: Default::default(),
    }])
}
