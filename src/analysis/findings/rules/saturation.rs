//! All Ps are busy, and goroutines queue for them.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, text};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "saturation",
    title: "ALL Ps BUSY",
    measures: "goroutines that wait for a P while all Ps are busy, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let s = &f.more.sched;
    let busy = s.all.parts.busy;
    let mean = busy.as_secs_f64() / f.seconds();
    let said = format!(
        "scheduler: {:.2} goroutines wait for a P on average, p99 of their waits {}",
        s.queue_mean(),
        s.all.quantile(0.99)
    );
    let Some(severity) = levels.of(mean) else { return Verdict::Fine(said) };
    let worst = s.groups.iter().filter(|g| f.users(g.group)).max_by_key(|g| g.all.parts.busy);
    let mut evidence = vec![format!(
        "{} waits for a P, {} in total, of that {busy} with all {} Ps busy; p99 {}, longest {}",
        text::count(s.all.count),
        s.all.parts.total(),
        s.gomaxprocs,
        s.all.quantile(0.99),
        s.all.longest.len.max(Duration::ZERO)
    )];
    if let Some(g) = worst {
        let instead: Vec<String> = g
            .together()
            .into_iter()
            .take(3)
            .map(|(o, d)| format!("{} {d}", o.map_or("the scheduler".into(), |o| f.group(o))))
            .collect();
        evidence.push(format!(
            "{} waited longest, {}; meanwhile ran: {}",
            f.group(g.group),
            g.all.parts.busy,
            instead.join(", ")
        ));
    }
    let longest = worst.map(|g| g.all.longest).and_then(|l| l.some());
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: mean,
        says: format!("{mean:.1} goroutines wait for one of {} Ps on average", s.gomaxprocs),
        cost: Cost { time: busy, of: "waiting for a P" },
        at: PlaceId::NONE,
        time: longest.map(|l| l.from),
        go: longest.map_or(crate::base::GoIdx::NONE, |l| l.go),
        view: View::Runtime,
        evidence,
        advice: "The program needs more CPU than it has: make what runs cheaper, bound how much is started at once, or give it more cores.".into(),
        check: "sched FILE".into(),
        ties: Default::default(),
    }])
}
