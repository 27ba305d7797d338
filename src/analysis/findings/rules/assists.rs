//! Goroutines have to help marking, because they allocate faster than the GC marks.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, text};

pub(super) const RULE: Rule = Rule {
    name: "gc-assists",
    title: "GC ASSISTS",
    measures: "CPU of the program's goroutines that went into mark assists, in percent of what they ran",
    look,
};

/// Less than this part of what all Ps could have run matters to nobody, in percent.
const LEAST: f64 = 2.0;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let all = &f.more.gc.assists;
    let cpu: Duration = all.iter().map(|a| a.cpu).sum();
    let ran: Duration = f.index.groups.iter().filter(|g| !g.owner.is_hidden()).map(|g| g.times.running).sum();
    let share = cpu.ns() as f64 * 100.0 / ran.ns().max(1) as f64;
    let said = format!("mark assists: {cpu} on a P, {share:.1} % of what the program ran");
    // A program that hardly runs is not held up by the little that it helps.
    let of_all = cpu.as_secs_f64() * 100.0 / (f.seconds() * f.procs() as f64);
    if of_all < LEAST {
        return Verdict::Fine(said);
    }
    let Some(severity) = levels.of(share) else { return Verdict::Fine(said) };
    let Some(top) = all.iter().max_by_key(|a| a.cpu) else { return Verdict::Fine(said) };
    let at = f.more.links.places.user(top.stack);
    let (len, go, from) = top.longest;
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: share,
        says: format!("{share:.1} % of what the program runs is help with marking"),
        cost: Cost { time: cpu, of: "CPU" },
        at,
        time: Some(from),
        go,
        view: View::Runtime,
        evidence: vec![
            format!("{} assists, {cpu} of CPU", text::count(all.iter().map(|a| a.count).sum())),
            format!("most at {} by {}: {}, the longest took {len}", f.line(at), f.group(top.group), top.cpu),
        ],
        advice: "Allocate less at that line, or give the GC more room with GOGC or GOMEMLIMIT.".into(),
        check: "gc FILE".into(),
        ties: Default::default(),
    }])
}
