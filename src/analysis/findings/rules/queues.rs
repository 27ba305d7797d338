//! What the rules about locks, pools and channels have in common: a class of lines that goroutines queue at, who caused the
//! delay, and what holders did meanwhile.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Ties, Verdict, View};
use crate::analysis::waits::contention::{Blame, Bottleneck, Contended, Meanwhile, What};
use crate::analysis::waits::standing::serves;
use crate::base::{Duration, StackId, text};
use crate::model::dict::{shown_func, shown_line};
use crate::model::places::PlaceId;
use crate::model::reasons::How;
use crate::model::segment::GoState;

/// What a queue suffers from: one cause each, so that no two rules speak of the same queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// Everything of which there are a few is held.
    Pool,
    /// Senders wait for receivers.
    Receivers,
    /// Receivers wait for senders that are at work.
    Senders,
    /// The lock is taken back at once by who released it.
    Starvation,
    /// Writers wait for readers, and further readers behind them.
    WriterBehindReaders,
    /// One place holds the lock most of the time.
    Holder,
    /// Many hold it in turn, each for a short time.
    Convoy,
}

/// Hand-offs in starvation mode that are more than chance.
const STARVED: u64 = 5;
/// A place that causes more than this share of the delay, in percent, is the holder.
const MOST: i64 = 60;
/// A convoy is as long as this at least.
const CONVOY: u64 = 4;
/// Who holds a lock for less than this, in ns on average while others wait, does not hold it long.
const SHORT: i64 = 2_000_000;

/// Goroutines that make new connections, and hand each to who waits for one.
const CONNECTS: &[&str] =
    &["(*Transport).dialConnFor", "(*Transport).startDialConnFor", "(*Transport).queueForDial", "connectionOpener"];

/// What a queue suffers from, if anything that a rule knows.
pub(super) fn cause(f: &Facts, c: &Contended) -> Option<Cause> {
    match c.what {
        // What nobody releases any more is told by the rule for that: how long it was held before says nothing of it.
        What::Lock if c.left.is_some() && c.unreleased.ns().saturating_mul(2) > c.total.ns() => return None,
        What::Lock => {}
        // Who waits for another's initialisation waits for one that holds it.
        What::Once => return (c.handoffs > 0).then_some(Cause::Holder),
        // Who waits for a new connection to be made waits for none of those that there are.
        What::Semaphore if c.blame.first().is_some_and(|b| CONNECTS.iter().any(|f| b.who.contains(f))) => return None,
        What::Semaphore => return Some(Cause::Pool),
        What::Channel => {
            return match c.bottleneck()? {
                Bottleneck::Pool => Some(Cause::Pool),
                Bottleneck::Receivers => Some(Cause::Receivers),
                Bottleneck::Senders => Some(Cause::Senders),
                _ => None,
            };
        }
        // Who gives a slot back signals, and waits for one at other times.
        What::Cond if c.held_by_waiters => return Some(Cause::Pool),
        _ => return None,
    }
    // Where those who release also queue, starvation mode is what any long queue comes to, and no cause.
    if c.starved >= STARVED && c.starved * 10 >= c.handoffs && !c.held_by_waiters {
        return Some(Cause::Starvation);
    }
    let func = |p: PlaceId| f.more.contention.places.get(p).map(|(func, _)| func);
    let written = c.waits_at.iter().any(|w| w.1.contains("RWMutex write") && w.2.total > Duration::ZERO);
    if written {
        let reads = c.waits_at.iter().filter(|w| w.1.contains("RWMutex read"));
        let readers: Vec<_> = reads.filter_map(|w| func(w.0)).collect();
        let by_reader = |b: &Blame| b.how == Some(How::ReadRelease) || func(b.at).is_some_and(|f| readers.contains(&f));
        let by_readers: Duration = c.blame.iter().filter(|b| by_reader(b)).map(|b| b.delay).sum();
        if by_readers.ns().saturating_mul(2) > c.total.ns() {
            return Some(Cause::WriterBehindReaders);
        }
    }
    let top = c.blame.first().map_or(0, |b| b.delay.ns());
    let spread = top < c.total.ns() / 100 * MOST;
    // One place in which all of them take it in turn, each for a short time, is no holder, unless it waits meanwhile.
    let place = c.blame.first().and_then(|b| func(b.at));
    let same = place.is_some() && c.waits_at.iter().any(|w| func(w.0) == place) && c.held_by_waiters;
    let short = c.blame.first().is_some_and(|b| b.held.ns() < SHORT.saturating_mul(b.releases.max(1) as i64));
    let held = |of: &dyn Fn(GoState) -> bool| -> i64 {
        c.while_held.iter().filter(|m| of(m.state)).map(|m| m.weight.ns()).sum()
    };
    let waits = held(&|s| matches!(s, GoState::Waiting | GoState::Syscall)).saturating_mul(2) > held(&|_| true);
    if !c.several && c.convoy.handoffs >= CONVOY && c.convoy.peak >= CONVOY && (spread || same && short && !waits) {
        return Some(Cause::Convoy);
    }
    (top > 0).then_some(Cause::Holder)
}

/// Whether those who wait in a queue are goroutines that a library keeps for when there is work, as an idle connection of
/// net/http has two: they wait in its code, for most of the time.
pub(super) fn libraries(f: &Facts, c: &Contended) -> bool {
    let (mut kept, mut all) = (0i64, 0i64);
    for e in f.more.links.edges.iter().filter(|e| c.waits_at.iter().any(|w| w.0 == e.key.at)) {
        let func = f.more.links.places.get(e.key.at).map(|p| p.0);
        all = all.saturating_add(e.total.ns());
        if serves(f.index, e.key.waiter, func) {
            kept = kept.saturating_add(e.total.ns());
        }
    }
    kept.saturating_mul(2) > all
}

/// The queues that suffer from something, the longest waited for first.
pub(super) fn suffering<'a>(f: &Facts<'a>, from: Cause) -> impl Iterator<Item = &'a Contended> {
    let me = *f;
    me.more.contention.classes.iter().filter(move |c| cause(&me, c) == Some(from))
}

/// How many goroutines were blocked in a queue on average over the trace; of a lock without those whom nobody released.
pub(super) fn mean(f: &Facts, c: &Contended) -> f64 {
    let never = if c.what == What::Lock { c.unreleased } else { Duration::ZERO };
    (c.total - never).as_secs_f64() / f.seconds()
}

/// How many waited on average while at least one did.
pub(super) fn mean_while_busy(c: &Contended) -> f64 {
    c.total.as_secs_f64() / c.busy.as_secs_f64().max(1e-9)
}

/// The finding of a rule about a queue.
pub(super) fn finding(
    f: &Facts,
    rule: &Rule,
    severity: Severity,
    c: &Contended,
    (at, says, advice): (PlaceId, String, &str),
) -> Finding {
    let places = &f.more.contention.places;
    let line = |p| f.line_of(places, p);
    let percent = |d: Duration| d.ns() as f64 * 100.0 / c.total.ns().max(1) as f64;
    let mut evidence = Vec::new();
    if let Some((p, reason, _)) = c.waits_at.first() {
        let others = match c.waits_at.len() {
            0 | 1 => String::new(),
            2 => ", and at one more line".to_owned(),
            n => format!(", and at {} more lines", n - 1),
        };
        evidence.push(format!(
            "{} waits for {} at {}{others}: {} in total, {:.1} goroutines at a time on average, up to {}",
            text::count(c.waits),
            text::escape(reason),
            line(*p),
            c.total,
            c.total.as_secs_f64() / f.seconds(),
            text::count(c.depth_max)
        ));
    }
    let blame: Vec<String> = c
        .blame
        .iter()
        .take(2)
        .filter(|b| percent(b.delay) >= 5.0)
        .map(|b| {
            let who = shown_func(&b.who);
            format!("{:.1} % of that while {who} held it, released at {}", percent(b.delay), line(b.at))
        })
        .collect();
    if c.what == What::Lock || c.held_by_waiters {
        evidence.extend(blame);
    }
    evidence.extend(held_across(f, c));
    if c.starved >= STARVED && cause(f, c) != Some(Cause::Starvation) {
        let (n, all) = (text::count(c.starved), text::count(c.handoffs));
        evidence.push(format!("{n} of {all} hand-offs are in starvation mode"));
    }
    let whole: Duration = c.while_held.iter().map(|m| m.weight).sum();
    let did: Vec<String> = c
        .while_held
        .iter()
        .take(3)
        .filter(|m| m.weight.ns().saturating_mul(100) >= whole.ns())
        .map(|m| {
            let share = m.weight.ns() as f64 * 100.0 / whole.ns().max(1) as f64;
            let what =
                if m.reason.is_empty() { m.state.name().to_lowercase() } else { text::escape(&m.reason).into_owned() };
            let at = if m.at == PlaceId::NONE { String::new() } else { format!(" at {}", line(m.at)) };
            format!("{share:.1} % {what}{at}")
        })
        .collect();
    if !did.is_empty() {
        let who = match cause(f, c) {
            Some(Cause::Receivers) => "receivers meanwhile",
            Some(Cause::Senders) => "senders meanwhile",
            _ => "while held",
        };
        evidence.push(format!("{who}: {}", did.join(", ")));
    }
    let (go, from) = c.longest_wait;
    Finding {
        rule: rule.name,
        title: rule.title,
        severity,
        measure: mean(f, c),
        says,
        cost: Cost { time: c.total, of: "blocked" },
        at,
        time: Some(from),
        go,
        view: View::Locks,
        evidence,
        advice: advice.into(),
        check: "locks FILE".into(),
        ties: Ties { waits: c.waits_at.iter().map(|w| w.0).collect(), behind: behind(c, whole), ..Ties::default() },
    }
}

/// The line at which those who hold a lock are blocked themselves for most of the time in which others wait for them.
fn behind(c: &Contended, whole: Duration) -> Option<PlaceId> {
    let most = c.while_held.first().filter(|m| c.what == What::Lock && m.state == GoState::Waiting)?;
    (most.weight.ns() / MOST >= whole.ns() / 100 && most.at != PlaceId::NONE).then_some(most.at)
}

/// Where a lock is taken that is released elsewhere, and which call it is held across, as far as stacks of the trace show: a
/// deferred `Unlock` is released at the line at which its function returns, which tells neither.
fn held_across(f: &Facts, c: &Contended) -> Option<String> {
    let (places, dict) = (&f.more.contention.places, &f.index.dict);
    let blame = c.blame.first().filter(|_| c.what == What::Lock)?;
    let (func, released) = places.get(blame.at)?;
    let did = c.while_held.first().map_or(PlaceId::NONE, |m| m.at);
    let (mut taken, mut across) = (None, None);
    for stack in (0..dict.counts().3 as u32).map(StackId) {
        let mut callee = "";
        for frame in dict.stack(stack) {
            if frame.func == func && frame.line != released {
                if takes_lock(callee, blame.how) {
                    taken = taken_at(taken, frame.line, released);
                } else if did != PlaceId::NONE
                    && places.user(stack) == did
                    && places.get(did) != Some((func, frame.line))
                {
                    across = Some(frame.line);
                }
            }
            callee = dict.func_name(frame.func);
        }
    }
    // Who waits for the lock does not hold it yet, and what is held across a call was taken above that.
    let across = across.filter(|a| taken != Some(*a));
    let taken = taken.filter(|t| across.is_none_or(|a| *t <= a));
    let line = |n: u32| shown_line(dict.func_file(func), n);
    match (taken, across) {
        (Some(t), Some(a)) => Some(format!("it is taken at {}, and held across the call at {}", line(t), line(a))),
        (Some(t), None) => Some(format!("it is taken at {}", line(t))),
        (None, Some(a)) => Some(format!("it is held across the call at {}", line(a))),
        (None, None) => None,
    }
}

/// Of two lines at which a function takes a lock, that which a release belongs to: the last one above it. One below it takes the
/// lock again, or another one.
fn taken_at(known: Option<u32>, line: u32, released: u32) -> Option<u32> {
    if line > released { known } else { known.max(Some(line)) }
}

/// Whether a function takes what a release of that kind gives back.
fn takes_lock(func: &str, how: Option<How>) -> bool {
    match how {
        Some(How::ReadRelease) => func == "sync.(*RWMutex).RLock",
        _ => matches!(func, "sync.(*Mutex).Lock" | "sync.(*RWMutex).Lock"),
    }
}

/// Of a queue of which those at the other side wait themselves most of the time while others wait for them: how much of the
/// time that is, in percent, and what for, the most first.
pub(super) fn wait_themselves(c: &Contended) -> Option<(f64, Vec<&Meanwhile>)> {
    let whole: i64 = c.while_held.iter().map(|m| m.weight.ns()).sum();
    let blocked = |m: &&Meanwhile| matches!(m.state, GoState::Waiting | GoState::Syscall) && m.at != PlaceId::NONE;
    let mut all: Vec<&Meanwhile> = c.while_held.iter().filter(blocked).collect();
    all.sort_by_key(|m| (std::cmp::Reverse(m.weight), m.at));
    let sum: i64 = all.iter().map(|m| m.weight.ns()).sum();
    let share = sum as f64 * 100.0 / whole.max(1) as f64;
    all.retain(|m| m.weight.ns().saturating_mul(LITTLE) >= sum);
    (share >= MOST as f64 && !all.is_empty()).then_some((share, all))
}

/// What is less than one in so many of them is not told.
const LITTLE: i64 = 10;

/// What a rule says that found nothing: whether anyone waits like that at all, and how much that is.
pub(super) fn fine(f: &Facts, of: Cause, levels: &Levels, (what, none): (&str, &str)) -> Verdict {
    let worst = suffering(f, of).max_by(|a, b| mean(f, a).total_cmp(&mean(f, b)));
    Verdict::Fine(match worst.and_then(|c| Some((c, c.waits_at.first()?.0))) {
        Some((c, at)) => format!(
            "{what} {} in total at {}, {:.2} goroutines at a time on average; a finding from {} on",
            c.total,
            f.line_of(&f.more.contention.places, at),
            mean(f, c),
            levels.info
        ),
        None => none.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function that takes a lock twice: each release belongs to the call above it, whatever comes first.
    #[test]
    fn a_lock_is_taken_above_its_release() {
        let of = |lines: &[u32], released| lines.iter().fold(None, |known, &l| taken_at(known, l, released));
        for lines in [[10, 30], [30, 10]] {
            assert_eq!(of(&lines, 20), Some(10));
            assert_eq!(of(&lines, 40), Some(30));
            assert_eq!(of(&lines, 5), None);
        }
    }
}
