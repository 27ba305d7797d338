//! Which finding is the cause of which: tasks, regions and requests that are slow are a symptom, and what their critical paths go
//! through is the cause.

use super::rules::{BUSY, HELPS_MARKING, RECEIVES, SLOW, STOPPED, WAKES_LATE};
use super::slow::{Lost, On, Slow, Spans, called};
use super::{Facts, Finding};
use crate::base::{Duration, text};

/// A finding that takes this much of the time of the slowest is what makes them slow, in percent.
const CAUSE: i64 = 50;
/// One that takes this much has a part in it.
const PART: i64 = 20;

/// What `f` takes of a critical path.
fn is_on(f: &Finding, lost: &Lost) -> bool {
    match lost.on {
        On::Line(at) => f.ties.waits.contains(&at) || f.ties.covers.contains(&at),
        On::Busy => f.rule == BUSY,
        On::Wakeup => f.rule == WAKES_LATE,
        On::Stopped => f.rule == STOPPED,
        On::Assist => HELPS_MARKING.contains(&f.rule),
    }
}

/// How much of a critical path is laid to `f`, each instant once, and how deep the first of that lies.
fn takes(f: &Finding, slow: &Slow) -> (Duration, u16) {
    let mut on: Vec<&Lost> = slow.lost.iter().filter(|l| is_on(f, l)).collect();
    on.sort_by_key(|l| (l.from, l.to));
    let (mut sum, mut until) = (Duration::ZERO, crate::base::Time::MIN);
    for l in &on {
        let from = l.from.max(until);
        if l.to > from {
            sum += l.to - from;
            until = l.to;
        }
    }
    (sum, on.iter().map(|l| l.depth).min().unwrap_or(0))
}

/// What `f` takes of the slowest together, and how deep that lies.
fn takes_of(f: &Finding, spans: &Spans) -> (Duration, u16) {
    let all = spans.paths().map(|s| takes(f, s));
    all.fold((Duration::ZERO, 0), |sum, t| (sum.0 + t.0, sum.1.max(t.1)))
}

/// Makes each finding of slow tasks a consequence of the one that they lose most of their time to, which is as bad as it is;
/// where several have a part in it, each says so.
pub(super) fn merge(facts: &Facts, found: &mut Vec<Finding>) {
    let (symptoms, mut causes): (Vec<Finding>, Vec<Finding>) =
        std::mem::take(found).into_iter().partition(|f| SLOW.contains(&f.rule));
    let mut stay = Vec::new();
    for symptom in symptoms {
        let spans = symptom.ties.spans.and_then(|i| facts.more.spans.get(i));
        let merged = spans.is_some_and(|spans| explain(facts, &symptom, spans, &mut causes));
        if !merged {
            stay.push(symptom);
        }
    }
    put_behind(&mut causes);
    causes.append(&mut stay);
    *found = causes;
}

/// A lock whose holders wait for something else that is found, or a channel whose receivers do, is a consequence of that, which
/// is as bad and comes first.
fn put_behind(causes: &mut [Finding]) {
    for i in 0..causes.len() {
        let Some(behind) = causes[i].ties.behind else { continue };
        let (severity, critical) = (causes[i].severity, causes[i].ties.critical);
        let (title, receives) = (causes[i].title, causes[i].rule == RECEIVES);
        let cause = causes.iter_mut().enumerate().find(|(n, c)| *n != i && c.ties.waits.contains(&behind));
        let Some((_, cause)) = cause else { continue };
        cause.severity = cause.severity.max(severity);
        cause.ties.critical = cause.ties.critical.max(critical) + Duration(1);
        cause.evidence.push(match receives {
            true => format!("goroutines that wait for it receive what others wait to send: see {title}"),
            false => format!("goroutines that wait for it hold a lock that others wait for: see {title}"),
        });
    }
}

/// Whether one of `causes` takes most of the time of the slowest: it is told then what it does to them.
fn explain(facts: &Facts, symptom: &Finding, spans: &Spans, causes: &mut [Finding]) -> bool {
    let whole: i64 = spans.paths().map(|s| s.len.ns()).sum();
    let percent = |d: Duration| d.ns().saturating_mul(100) / whole.max(1);
    let shares: Vec<(Duration, u16)> = causes.iter().map(|c| takes_of(c, spans)).collect();
    let most = shares.iter().map(|s| s.0).max().unwrap_or_default();
    // Of two that take the same time the one that lies deeper is what the other waits for.
    let chief = (0..causes.len())
        .filter(|&i| shares[i].0 > Duration::ZERO && shares[i].0.ns() >= most.ns() / 10 * 9)
        .max_by_key(|&i| (shares[i].1, shares[i].0));
    let merges = chief.filter(|&i| percent(shares[i].0) >= CAUSE);
    for (i, cause) in causes.iter_mut().enumerate() {
        let (taken, _) = shares[i];
        if percent(taken) < PART || merges.is_some_and(|m| m != i) {
            continue;
        }
        if percent(taken) >= CAUSE {
            cause.severity = cause.severity.max(symptom.severity);
        }
        // What all of them lose to it, as far as the slowest tell.
        let lost = spans.excess().ns() as f64 * taken.ns() as f64 / whole.max(1) as f64;
        cause.ties.critical += Duration(lost as i64);
        let called = called(facts, spans);
        let (followed, slowest) = (spans.paths().count(), spans.slowest.len());
        let which = if followed == slowest { format!("the {slowest}") } else { format!("{followed} of the {slowest}") };
        cause.evidence.insert(
            cause.ties.slows,
            format!(
                "slows {called} (p99 {}, p50 {}): {} slowest of {} lose {:.1} % of their time to it",
                spans.p99(),
                spans.p50(),
                which,
                text::count(spans.count),
                taken.ns() as f64 * 100.0 / whole.max(1) as f64
            ),
        );
        cause.ties.slows += 1;
        if cause.ties.slows == 1 {
            cause.says = format!("{}; slows {called} to p99 {}", cause.says, spans.p99());
        }
    }
    merges.is_some()
}
