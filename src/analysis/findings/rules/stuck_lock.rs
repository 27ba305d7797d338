//! Locks that somebody waits for to the end of the trace, and nobody releases: a deadlock looks like that.

use super::queues::finding;
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict};
use crate::analysis::waits::contention::{Contended, Left};
use crate::base::{Duration, GoIdx, text};
use crate::model::Class;
use crate::model::beside::LOCK_ORDER;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "stuck-lock",
    title: "LOCK NEVER RELEASED",
    measures: "seconds for which goroutines have been blocked at a lock when the trace ends, with nobody releasing it",
    look,
};

/// From one in so many of the trace on it is no hold that the trace's end happens to fall into.
const PART: i64 = 2;
/// Further locks that are told.
const MORE: usize = 4;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let all = f.more.contention.classes.iter().filter(|c| c.what.held_by_one());
    let mut all: Vec<(&Contended, Left)> = all.filter_map(|c| Some((c, c.left?))).collect();
    all.sort_by_key(|(c, l)| (std::cmp::Reverse(l.quiet), c.rank()));
    let Some(&(c, left)) = all.first() else {
        return Verdict::Fine("locks: nobody is blocked on one when the trace ends".into());
    };
    match severity(f, levels, left) {
        // Locks that are taken in different orders hold each other up: they have one cause, as far as the trace shows.
        Some(worst) => {
            // One that is busy when the trace ends has waiters as well.
            all.retain(|(_, l)| severity(f, levels, *l).is_some());
            Verdict::Found(vec![one(f, worst, (c, left), &all)])
        }
        None => Verdict::Fine(format!(
            "locks: nobody has released one for {} that somebody waits for at trace end; a finding from {}s on",
            left.quiet, levels.info
        )),
    }
}

fn severity(f: &Facts, levels: &Levels, left: Left) -> Option<Severity> {
    let severity = levels.of(left.quiet.as_secs_f64())?;
    let most = left.quiet.ns().saturating_mul(PART) >= f.index.traced().ns();
    Some(if most { severity.max(Severity::Warn) } else { severity })
}

fn one(f: &Facts, severity: Severity, (c, left): (&Contended, Left), all: &[(&Contended, Left)]) -> Finding {
    let at = c.waits_at.first().map_or(PlaceId::NONE, |w| w.0);
    let n: u64 = all.iter().map(|(c, _)| c.unfinished).sum();
    let who = if n == 1 { "a goroutine is".to_owned() } else { format!("{} goroutines are", text::count(n)) };
    let says = format!("{who} blocked to the end of the trace, {} by then", left.longest);
    let advice = "Take a goroutine dump of the running program: the holder is one that waits for another lock, or does \
                  something else. Take locks in one order everywhere, and release them on every path (defer).";
    let mut out = finding(f, &RULE, severity, c, (at, says, advice));
    let (go, from) = left.first;
    (out.go, out.time, out.measure) = (go, Some(from), left.quiet.as_secs_f64());
    let never: Duration = all.iter().map(|(c, _)| c.unreleased).sum();
    out.cost = Cost { time: never, of: "blocked" };
    if left.quiet < left.longest {
        out.evidence.push(format!("the last release before that was {} before the end", left.quiet));
    }
    for (c, l) in all.iter().skip(1).take(MORE) {
        let line = c.waits_at.first().map_or_else(String::new, |w| f.line_of(&f.more.contention.places, w.0));
        out.evidence.push(format!(
            "{} more to the end of the trace at {line}, for {}",
            text::count(c.unfinished),
            l.longest
        ));
    }
    // What a dump beside the trace says (`--with`).
    let told = |g: &GoIdx| f.index.beside.told_of(*g).iter().find(|t| t.who == LOCK_ORDER);
    let blocked = f.more.stuck.iter().filter(|s| s.class == Class::Lock).flat_map(|s| &s.goroutines);
    if let Some(told) = blocked.map(|g| &g.0).find_map(told) {
        out.evidence.push(told.what.clone());
    } else if n > 1 {
        out.evidence
            .push("if each holds what another waits for, it is a deadlock; who holds a lock, no trace shows".into());
    }
    // That those who wait there are left behind is the same thing.
    out.ties.covers = all.iter().flat_map(|(c, _)| c.waits_at.iter().map(|w| w.0)).collect();
    out.ties.waits.extend(all.iter().skip(1).flat_map(|(c, _)| c.waits_at.iter().map(|w| w.0)));
    out
}
