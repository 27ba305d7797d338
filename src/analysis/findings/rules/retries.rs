//! Goroutines that give up waiting at a deadline and begin again, most of the time: the deadline is shorter than what they
//! wait for takes.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Ties, Verdict, View};
use crate::analysis::waits::links::Edge;
use crate::analysis::waits::retries::Retry;
use crate::analysis::waits::standing::{Standing, standings};
use crate::base::text;
use crate::model::Class;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "retry-storm",
    title: "RETRY STORM",
    measures: "goroutines that wait at one line till a deadline ends it and then begin again, on average over the trace",
    look,
};

/// Fewer are no storm.
const FEW: u64 = 10;
/// A deadline ends at least one in so many of the waits at the line.
const PART: u64 = 2;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let storm = |r: &&Retry| r.again >= FEW && r.late.saturating_mul(PART) >= r.waits;
    let all: Vec<&Retry> = f.more.retries.iter().filter(storm).collect();
    let idle = if all.is_empty() { Vec::new() } else { idle(f) };
    let found: Vec<Finding> = all
        .into_iter()
        // A worker that looks up now and then has nothing to do.
        .filter(|r| !idle.iter().any(|e| (e.key.waiter, e.key.at) == (r.waiter, r.at)))
        .filter_map(|r| one(f, levels, r))
        .collect();
    match found.is_empty() {
        true => Verdict::Fine(match f.more.retries.first() {
            None => "retries: no wait that a context's deadline ended was begun again".into(),
            Some(r) => format!(
                "retries: {} of {} waits at {} were ended by a deadline and begun again",
                text::count(r.again),
                text::count(r.waits),
                f.line(r.at)
            ),
        }),
        false => Verdict::Found(found),
    }
}

/// The waits of those who have nothing to do.
fn idle<'a>(f: &Facts<'a>) -> Vec<&'a Edge> {
    let links = &f.more.links;
    let all = links.edges.iter().zip(standings(f.index, links));
    all.filter(|(_, s)| *s == Standing::Idle).map(|(e, _)| e).collect()
}

fn one(f: &Facts, levels: &Levels, r: &Retry) -> Option<Finding> {
    let measure = r.lost.as_secs_f64() / f.seconds();
    let severity = levels.of(measure)?;
    let (late, waits, again) = (text::count(r.late), text::count(r.waits), text::count(r.again));
    let line = f.line(r.at);
    // What the same function does before it waits for the answer.
    let func = f.more.links.places.get(r.at).map(|p| p.0);
    let same = |p: PlaceId| p != r.at && func.is_some() && f.more.links.places.get(p).map(|p| p.0) == func;
    let asks = f.waits().filter(|e| e.key.waiter == r.waiter && same(e.key.at) && f.reason(e).class == Class::Send);
    let mut asks: Vec<PlaceId> = asks.map(|e| e.key.at).collect();
    asks.sort_unstable();
    asks.dedup();
    let mut evidence = vec![
        format!(
            "{late} of {waits} waits of {} at {line} were ended by a context's deadline, after {} at p50",
            f.group(r.waiter),
            r.usual
        ),
        format!("after {again} of them the same goroutine waited there again; {} were spent in these in vain", r.lost),
    ];
    evidence
        .extend(asks.iter().map(|p| format!("they are blocked in sending at {}, too, before they wait", f.line(*p))));
    evidence.push("a loop that polls with a deadline looks the same".into());
    let (go, from, _) = r.longest;
    Some(Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure,
        says: format!("{late} of {waits} waits at {line} are ended by a deadline, {} at p50, and {again} are begun again", r.usual),
        cost: Cost { time: r.lost, of: "blocked in vain" },
        at: r.at,
        time: Some(from),
        go,
        view: View::Waits,
        evidence,
        advice: "Find out how long what they wait for takes (spans, why), and give it that long; wait longer before each further try, \
                 try only a few times, and let the other side drop what nobody waits for any more."
            .into(),
        check: "waits FILE".into(),
        ties: Ties { covers: asks.clone(), waits: std::iter::once(r.at).chain(asks).collect(), ..Ties::default() },
    })
}
