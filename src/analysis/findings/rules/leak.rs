//! Goroutines that are left behind: they wait to the end of the trace, nobody ever woke them, and they become more.

use crate::analysis::findings::Rule;
use crate::analysis::findings::rising::slope;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict, View};
use crate::analysis::waits::links::Edge;
use crate::base::{Duration, text};
use crate::model::places::PlaceId;
use crate::model::{Class, Reason};

pub(super) const RULE: Rule = Rule {
    name: "goroutine-leak",
    title: "GOROUTINE LEAK",
    measures: "goroutines that are blocked at one line to the end of the trace, if their number rises",
    look,
};

/// Instants at which goroutines are counted.
const COUNTS: usize = 24;
/// A worker that is idle at the end has waited for a shorter part of the trace than this.
const LONG: i64 = 2;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    let mut looked = 0;
    for e in f.unended() {
        let Reason { name, class, .. } = f.reason(e);
        let class = if is_nil(&name) { Class::Send } else { class };
        if !matches!(class, Class::Send | Class::Receive | Class::Select | Class::Lock | Class::Group | Class::Cond) {
            continue;
        }
        looked += e.count;
        found.extend(leak(f, levels, e, class));
    }
    match found.is_empty() {
        true => Verdict::Fine(format!(
            "goroutine leaks: {} goroutines are blocked at the end of the trace, their number does not rise",
            text::count(looked)
        )),
        false => Verdict::Found(found),
    }
}

/// Whether a wait is for a channel that is nil: nothing ends it.
fn is_nil(reason: &str) -> bool {
    reason.ends_with("a nil channel")
}

fn leak(f: &Facts, levels: &Levels, e: &Edge, class: Class) -> Option<Finding> {
    let group = e.key.waiter;
    let members = || f.members(group).iter().filter_map(|&g| f.index.goroutine(g));
    let (started, ended) =
        (members().filter(|g| g.created.is_some()).count(), members().filter(|g| !g.unfinished()).count());
    if started <= ended {
        return None;
    }
    let alive = f.alive(group, COUNTS);
    // Connections and workers that are made at the start rise, too, and stop; what leaks goes on.
    let goes_on = slope(&alive[COUNTS / 2..]).is_some_and(|s| s.low > 0.0);
    let rise = slope(&alive).filter(|s| s.low > 0.0 && goes_on);
    let left = members().filter(|g| g.unfinished()).count() as u64;
    // One or a few that nobody ever wakes are told apart from idle workers only by the line: here no wait was ever ended.
    let never = f.waits().all(|o| o.key.at != e.key.at || o.key.reason != e.key.reason || o.key.waker == e.key.waker);
    let long = e.max.ns().saturating_mul(LONG) >= f.index.duration().ns();
    let measure = match rise {
        Some(_) => left as f64,
        None if is_nil(&f.reason(e).name) => left as f64,
        None if never && long && matches!(class, Class::Send | Class::Receive) => 1.0,
        None => return None,
    };
    let nil = is_nil(&f.reason(e).name);
    let severity = match rise {
        // It is certain, however few they are.
        _ if nil => levels.of(measure).unwrap_or(Severity::Info).max(Severity::Warn),
        Some(_) => levels.of(measure)?,
        None => levels.of(measure).map(|_| Severity::Info)?,
    };
    let name = f.group(group);
    let reason = f.reason(e).name;
    let line = f.line(e.key.at);
    let mut evidence = vec![format!(
        "{} goroutines of {name} are blocked in {} at {line} when the trace ends, the longest for {}",
        text::count(e.count),
        text::escape(&reason),
        e.max
    )];
    evidence.push(format!(
        "{} were started in the trace, {} ended",
        text::count(started as u64),
        text::count(ended as u64)
    ));
    if let Some(s) = rise {
        evidence.push(format!(
            "their number rises by {:.0} a second, from {:.0} to {:.0}",
            s.per_x,
            alive.first().map_or(0.0, |p| p.1),
            alive.last().map_or(0.0, |p| p.1)
        ));
    } else if nil {
        evidence.push("the channel is nil: nothing can end this wait".into());
    } else {
        evidence.push(
            "no wait at this line was ended by anyone; a worker that has not had any work yet looks the same".into(),
        );
    }
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
        says: format!("{name}: {} never end", text::count(left)),
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
        check: format!("waits FILE -f 'group:\"{}\" dur>{}'", f.index.group_name(group), short(e.max)),
        ties: Default::default(),
    })
}

/// A bound below a wait's length, as a query has it.
fn short(d: Duration) -> String {
    format!("{}ms", (d.ns() / 2_000_000).max(1))
}
