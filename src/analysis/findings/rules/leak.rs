//! Goroutines that are left behind: they wait to the end of the trace, nobody ever woke them, and they become more. What is
//! one is decided in [`leaks`](crate::analysis::leaks), which `gotrail leaks` asks too.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict, View};
use crate::analysis::leaks::{Standing, Stuck};
use crate::base::{Duration, text};
use crate::model::Class;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "goroutine-leak",
    title: "GOROUTINE LEAK",
    measures: "goroutines that are blocked at one line to the end of the trace, if their number rises",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let found: Vec<Finding> = f.more.stuck.iter().filter_map(|s| leak(f, levels, s)).collect();
    match found.is_empty() {
        true => Verdict::Fine(format!(
            "goroutine leaks: {} goroutines are blocked at the end of the trace, their number does not rise",
            text::count(f.more.stuck.iter().map(|s| s.goroutines.len() as u64).sum())
        )),
        false => Verdict::Found(found),
    }
}

fn leak(f: &Facts, levels: &Levels, s: &Stuck) -> Option<Finding> {
    let e = f.unended().find(|e| e.key == s.key)?;
    let (group, class) = (s.key.waiter, s.class);
    let members = || f.members(group).iter().filter_map(|&g| f.index.goroutine(g));
    let (started, ended) =
        (members().filter(|g| g.created().is_some()).count(), members().filter(|g| !g.unfinished()).count());
    let left = s.goroutines.len() as u64;
    let (measure, severity) = match s.standing {
        // It is certain, however few they are.
        Standing::Nil => (left as f64, levels.of(left as f64).unwrap_or(Severity::Info).max(Severity::Warn)),
        Standing::Rising(_) => (left as f64, levels.of(left as f64)?),
        Standing::NeverWoken => (1.0, levels.of(1.0).map(|_| Severity::Info)?),
        Standing::Steady => return None,
    };
    let name = f.group(group);
    let reason = f.reason(e).name;
    let line = f.line(e.key.at);
    let (goroutines, are, end) = if left == 1 { ("goroutine", "is", "ends") } else { ("goroutines", "are", "end") };
    let were = if started == 1 { "was" } else { "were" };
    let mut evidence = vec![format!(
        "{} {goroutines} of {name} {are} blocked in {} at {line} when the trace ends, the longest for {}",
        text::count(left),
        text::escape(&reason),
        e.max
    )];
    evidence.push(format!(
        "{} {were} started in the trace, {} ended",
        text::count(started as u64),
        text::count(ended as u64)
    ));
    evidence.push(match s.standing {
        Standing::Rising(slope) => format!(
            "their number rises by {} a second, from {} to {}",
            if slope.per_x < 100.0 { format!("{:.1}", slope.per_x) } else { text::count(slope.per_x as u64) },
            text::count(s.alive.first().map_or(0.0, |p| p.1).round() as u64),
            text::count(s.alive.last().map_or(0.0, |p| p.1).round() as u64)
        ),
        Standing::Nil => "the channel is nil: nothing can end this wait".into(),
        _ => "no wait at this line was ended by anyone; a worker that has not had any work yet looks the same".into(),
    });
    let made = members().filter(|g| g.unfinished()).map(|g| g.created_at).find(|s| s.is_some());
    let made = made.map_or(PlaceId::NONE, |s| f.more.links.places.user(s));
    if made != PlaceId::NONE {
        evidence.push(format!("they are created at {}", f.line(made)));
    }
    Some(Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure,
        says: format!("{name}: {} never {end}", text::count(left)),
        cost: Cost { time: e.total.max(Duration::ZERO), of: "blocked" },
        at: e.key.at,
        time: Some(e.longest_from),
        go: e.longest_go,
        view: View::Goroutines,
        evidence,
        advice: match class {
            Class::Send => "Give the channel room for every sender, or select on a context's Done beside the send.",
            Class::Receive => {
                "Close the channel when nothing more will be sent, or select on a context's Done beside it."
            }
            Class::Select => "Add a case for a context's Done, and cancel the context when the caller leaves.",
            _ => "Find who should release or signal it, and on which path that does not happen.",
        }
        .into(),
        check: "leaks FILE".into(),
        ties: Default::default(),
    })
}
