//! Where goroutines are blocked when a trace ends, and whether they are leaks.

use crate::analysis::rising::{Slope, slope};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::contention::Kept;
use crate::analysis::waits::links::{self, Key, Links, Party};
use crate::base::{Duration, GoIdx, Time};
use crate::model::segment::GoState;
use crate::model::{Class, Index, Reason};
use rustc_hash::FxHashMap;

/// What to think of goroutines that are blocked at one line when the trace ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Standing {
    /// They wait for a channel that is nil: nothing can wake them.
    Nil,
    /// Their number rises, by so much a second.
    Rising(Slope),
    /// Nobody ever woke one at this line, and they have waited for most of the trace: a leak, or a worker that has had
    /// no work yet.
    NeverWoken,
    /// There is no sign of a leak: their number does not rise. A pool of workers is so.
    Steady,
}

/// The goroutines of a group that are blocked at one line, for one reason, when the trace ends, or the last recording of their
/// process.
#[derive(Clone, PartialEq, Debug)]
pub struct Stuck {
    /// The group, the line and the reason. The handles are those of the [`Links`] that were given.
    pub key: Key,
    /// What kind of thing they wait for.
    pub class: Class,
    /// The goroutines, and since when they wait; the trace's start, if they did before. The longest first.
    pub goroutines: Vec<(GoIdx, Time)>,
    /// What to think of them.
    pub standing: Standing,
    /// How many of them there were at instants spread evenly over the trace: seconds since its start, and their number.
    pub alive: Vec<(f64, f64)>,
}

/// Instants at which goroutines are counted.
const COUNTS: usize = 24;
/// A worker that is idle at the end has waited for a shorter part of the trace than one of this many.
const LONG: i64 = 2;
/// Of what leaks, one of so many is made in the second half of the trace, at least.
const STILL: f64 = 10.0;
/// Goroutines that are to be expected in a part of the trace of which it counts that there was none.
const EXPECTED: f64 = 3.0;
/// Several that receive and were never woken are a pool without work.
const POOL: usize = 2;

/// Whether it is others of the program that end such waits.
fn of_others(class: Class) -> bool {
    matches!(class, Class::Send | Class::Receive | Class::Select | Class::Lock | Class::Group | Class::Cond)
}

/// Whether a wait is for a channel that is nil: nothing ends it.
fn is_nil(reason: &str) -> bool {
    reason.ends_with("a nil channel")
}

/// The class of what an unended wait is for; `None` if it is not others of the program who would end it.
fn class_of(r: &Reason) -> Option<Class> {
    let class = if is_nil(&r.name) { Class::Send } else { r.class };
    of_others(class).then_some(class)
}

/// Where goroutines of the user's are blocked when a trace ends that has been read whole, those with the most first.
/// `links` are all waits of the trace. Where `kept` has them, it takes no pass over the events.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn stuck<S: Source>(source: &S, links: &Links, kept: Option<&Kept>) -> Result<Vec<Stuck>, Unanswered> {
    let mut out = Ok(Vec::new());
    source.with_index(&mut |index| out = in_index(source, index, links, kept));
    out
}

fn in_index<S: Source>(
    source: &S,
    index: &Index,
    links: &Links,
    kept: Option<&Kept>,
) -> Result<Vec<Stuck>, Unanswered> {
    let open = |key: &Key| key.waker == Party::Nobody && !index.owner(key.waiter).is_hidden();
    let reason = |key: &Key| links.reasons.get(key.reason);
    // Most traces have none: then no event has to be looked at.
    if !links.edges.iter().any(|e| open(&e.key) && class_of(&links.reason(e)).is_some()) {
        return Ok(Vec::new());
    }
    let processes = index.recordings.iter().map(|r| r.process + 1).max().unwrap_or(1);
    let lives = (0..processes).map(|n| Life::of(index, n)).collect();
    let mut last = Last { index, links, lives, at: FxHashMap::default() };
    match kept.filter(|_| !index.totals.waits_missing) {
        Some(kept) => kept.stretches(index, &mut |w| last.end(w)),
        None => tracker::each(source, &mut last)?,
    }
    let mut all = Vec::new();
    for ((life, key), mut goroutines) in last.at {
        let Some(class) = class_of(&reason(&key)).filter(|_| open(&key)) else { continue };
        goroutines.sort_by_key(|&(g, from)| (from, g));
        let alive = life.counts(index, goroutines.iter().map(|g| g.0));
        let standing = standing(index, links, life, (&key, class, is_nil(&reason(&key).name)), &goroutines, &alive);
        all.push(Stuck { key, class, goroutines, standing, alive });
    }
    all.sort_by_key(|s| (std::cmp::Reverse(s.goroutines.len()), s.key));
    Ok(all)
}

/// A process, and from when to when the file has recordings of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Life {
    process: u32,
    from: Time,
    to: Time,
}

impl Life {
    fn of(index: &Index, process: u32) -> Life {
        let (from, to) = index.recorded(process);
        Life { process, from, to }
    }

    /// How many of some goroutines there were at [`COUNTS`] instants spread evenly over it, with the seconds since its start.
    fn counts(self, index: &Index, of: impl Iterator<Item = GoIdx>) -> Vec<(f64, f64)> {
        let (mut born, mut gone): (Vec<Time>, Vec<Time>) = (Vec::new(), Vec::new());
        for m in of.filter_map(|m| index.goroutine(m)).filter(|g| u32::from(g.process) == self.process) {
            born.push(m.created().unwrap_or(self.from));
            // One that was there when the last recording ended has not ended.
            gone.extend(m.ended.filter(|_| !m.cut || m.ended < Some(self.to)));
        }
        born.sort_unstable();
        gone.sort_unstable();
        let span = i128::from((self.to - self.from).ns());
        (1..=COUNTS as i128)
            .map(|i| {
                let at = self.from + Duration((span * i / COUNTS as i128) as i64);
                let there = born.partition_point(|t| *t <= at) - gone.partition_point(|t| *t <= at);
                ((at - self.from).as_secs_f64(), there as f64)
            })
            .collect()
    }
}

/// Puts together what goroutines wait for when the last recording of their process ends.
struct Last<'a> {
    index: &'a Index,
    links: &'a Links,
    lives: Vec<Life>,
    at: FxHashMap<(Life, Key), Vec<(GoIdx, Time)>>,
}

impl Visit for Last<'_> {
    fn end(&mut self, w: &Interval) {
        if w.end.is_some() || w.state != GoState::Waiting {
            return;
        }
        let life = self.lives.get(self.index.process(w.go) as usize);
        if let Some(&life) = life.filter(|l| w.to >= l.to) {
            let (key, _) = links::key(self.index, &self.links.places, &self.links.reasons, w);
            self.at.entry((life, key)).or_default().push((w.go, w.from));
        }
    }
}

fn standing(
    index: &Index,
    links: &Links,
    life: Life,
    (key, class, nil): (&Key, Class, bool),
    goroutines: &[(GoIdx, Time)],
    alive: &[(f64, f64)],
) -> Standing {
    if nil {
        return Standing::Nil;
    }
    let first = goroutines.first().map_or(life.to, |g| g.1);
    let long = (life.to - first).ns().saturating_mul(LONG) >= (life.to - life.from).ns();
    // Which case ends a select is known when it has ended.
    let select = |k: &Key| class == Class::Select && links.reasons.get(k.reason).class == Class::Select;
    let same = |k: &Key| k.at == key.at && (k.reason == key.reason || select(k));
    let never = links.edges.iter().all(|o| o.key.waker == Party::Nobody || !same(&o.key));
    // Requests that are under way are always new ones: of these those that are blocked now rise, all of the group do not.
    // Connections and workers that are made at the start, or one after the other, rise, too, and stop. Who sends without
    // ever being received from is no worker, and a leak also where the load has ended.
    let group =
        life.counts(index, index.groups.get(key.waiter.0 as usize).iter().flat_map(|g| g.members.iter().copied()));
    let works = matches!(class, Class::Receive | Class::Select | Class::Cond);
    let stopped = (works || !never) && has_stopped(&group);
    // Those who are woken there now and then, and have not waited longer than that takes, are work that has piled up.
    let usual = links.edges.iter().filter(|e| e.key.waker != Party::Nobody && same(&e.key)).map(|e| e.max).max();
    let median = goroutines.get(goroutines.len() / 2).map_or(Duration::ZERO, |g| life.to - g.1);
    let piled = usual.is_some_and(|usual| median <= usual);
    let rises = |of: &[(f64, f64)]| slope(of).filter(|s| s.low > 0.0 && (never || goes_on(of)));
    if let (Some(slope), Some(_)) = (rises(alive).filter(|_| !stopped && !piled), rises(&group)) {
        return Standing::Rising(slope);
    }
    let made = goroutines.iter().any(|(g, _)| index.goroutine(*g).is_some_and(|g| g.created().is_some()));
    match class {
        _ if !never || !long || !made => Standing::Steady,
        Class::Send => Standing::NeverWoken,
        Class::Receive if goroutines.len() < POOL => Standing::NeverWoken,
        _ => Standing::Steady,
    }
}

/// Whether a number still rises in the second half of the trace.
fn goes_on(alive: &[(f64, f64)]) -> bool {
    let (middle, last) = (alive.get(alive.len() / 2).map_or(0.0, |p| p.1), alive.last().map_or(0.0, |p| p.1));
    (last - middle) * STILL >= last
}

/// Whether a number has stopped rising before the trace ends: in its last quarter, or the last half of few, there was none
/// more. At the average rate that part has [`EXPECTED`] or more; chance alone leaves it without any once in twenty times.
fn has_stopped(alive: &[(f64, f64)]) -> bool {
    let last = alive.last().map_or(0.0, |p| p.1);
    let part = if last / 4.0 >= EXPECTED { 4 } else { 2 };
    let before = alive.len().checked_sub(1 + alive.len() / part).and_then(|i| alive.get(i));
    before.is_some_and(|p| p.1 >= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many there are if they are made at an even rate, from the start of 24 instants to `until`.
    fn made(many: f64, until: f64) -> Vec<(f64, f64)> {
        (1..=24).map(|i| (f64::from(i), (many * (f64::from(i) / until).min(1.0)).floor())).collect()
    }

    #[test]
    fn a_pool_that_has_stopped_growing_has_stopped() {
        for until in [3.0, 12.0, 18.0] {
            assert!(has_stopped(&made(100.0, until)), "{until}");
        }
        for many in [6.0, 20.0, 100.0, 10_000.0] {
            assert!(!has_stopped(&made(many, 24.0)), "{many}");
        }
        // Of few, one that was made a while ago may not have been the last.
        assert!(!has_stopped(&made(8.0, 20.0)) && has_stopped(&made(8.0, 12.0)));
    }
}
