//! The GC is active most of the time.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict, View};
use crate::analysis::findings::{Row, Ties};
use crate::base::number::NO_GOAL;
use crate::base::{Duration, GoIdx, GroupId, text};
use crate::model::ownership::is_mark_worker;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "gc-pressure",
    title: "GC PRESSURE",
    measures: "the part of the trace in which a GC cycle was active, in percent, from three cycles on; no more than info if mark workers took less than 12.5 % of what all Ps could run",
    look,
};

/// Fewer cycles say nothing: a trace of milliseconds may lie in one.
const CYCLES: usize = 3;

/// Below this part of what all Ps could run, in percent, mark workers cost too little for a warning. The GC plans for 25 %
/// while it marks; a cycle that is active for long and takes less than this in total mostly waits, as when the machine is
/// busy with other processes.
const WORKERS: f64 = 12.5;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let gc = &f.index.gc;
    let active: Duration = gc.iter().map(|r| r.to - r.from).sum();
    let share = f.percent(active);
    let said = format!("GC: {} cycles, active {share:.1} % of the trace", text::count(gc.len() as u64));
    let Some(mut severity) = levels.of(share).filter(|_| gc.len() >= CYCLES) else { return Verdict::Fine(said) };
    // Mark workers are goroutines of their own; what they ran is what marking took.
    let workers: Duration = (0u32..)
        .zip(&f.index.groups)
        .filter(|(i, _)| is_mark_worker(f.index.group_name(GroupId(*i))))
        .map(|(_, g)| g.times.running)
        .sum();
    if workers.as_secs_f64() * 100.0 < WORKERS * f.seconds() * f.procs() as f64 {
        severity = Severity::Info;
    }
    let open = gc.iter().filter(|r| r.to >= f.index.end).count();
    let unfinished = if open > 0 { " (the last is unfinished)" } else { "" };
    let mut evidence = vec![format!(
        "{} cycles{unfinished}, {active} in total; {}",
        text::count(gc.len() as u64),
        match workers {
            Duration::ZERO => "the trace does not say for how long mark workers ran".into(),
            some => format!("mark workers ran for {some}"),
        }
    )];
    let heap = &f.index.heap;
    if let (Some(low), Some(high)) = (heap.iter().map(|p| p.1).min(), heap.iter().map(|p| p.1).max()) {
        let goals = f.index.heap_goal.iter().map(|p| p.1);
        let goal = goals.clone().filter(|&g| g < NO_GOAL).max().or(goals.max()).unwrap_or(0);
        evidence.push(format!(
            "the heap went from {} to {}, goal at most {}",
            text::bytes(low),
            text::bytes(high),
            text::goal(goal)
        ));
    }
    let longest = gc.iter().max_by_key(|r| r.to - r.from);
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: share,
        says: format!("a GC cycle is active {share:.1} % of the time"),
        cost: Cost { time: workers, of: "CPU of mark workers" },
        at: PlaceId::NONE,
        time: longest.map(|r| r.from),
        go: GoIdx::NONE,
        view: View::Runtime,
        evidence,
        advice: "Allocate less at the lines that allocate most (a heap profile beside the trace names them), or raise GOGC or GOMEMLIMIT if memory is there.".into(),
        check: "summary FILE".into(),
        ties: Ties { row: Some(Row::Gc), ..Ties::default() },
    }])
}
