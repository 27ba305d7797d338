//! What the slowest tasks, regions and requests of a name lost their time to: their critical paths, cut down to what a finding can be
//! about.

use super::Facts;
use super::started::{self, Did};
use crate::analysis::spans::rules::Rules;
use crate::analysis::spans::slow::window;
use crate::analysis::spans::{self, KindNo, REGION, Span, TASK};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::path::{self, Hop, Piece, Window};
use crate::base::number::quantile;
use crate::base::{Duration, StringId, Time, text};
use crate::model::Waker;
use crate::model::dict::{NOT_KNOWN, shown_func};
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, ReasonId, Reasons};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// How many of the slowest of a name are looked at.
const SLOWEST: usize = 8;
/// Names whose slowest are looked at.
const NAMES: usize = 8;
/// Fewer of a name have no p99.
pub const ENOUGH: u64 = 20;
/// The p99 of a name is at least so many times its p50 before anyone asks why.
const TIMES: i64 = 3;
/// What is over sooner than this nobody waits for.
pub const NOTICED: Duration = Duration(1_000_000);
/// Parts of the trace that are read for all paths together, at most: those of long ones are left out.
const SEGMENTS: usize = 2_000;

/// What a stretch of a critical path went into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// A wait, or a syscall, at a line.
    Line(PlaceId),
    /// Runnable while all Ps were busy.
    Busy,
    /// Runnable while a P was idle.
    Wakeup,
    /// The world was stopped.
    Stopped,
    /// Help with marking, or a wait for the GC.
    Assist,
}

/// A stretch of a critical path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    /// When it begins.
    pub from: Time,
    /// When it ends. Of runnable goroutines only the length counts.
    pub to: Time,
    /// How many waits lie between it and who lost the time.
    pub depth: u16,
    /// What it went into.
    pub on: On,
}

/// The critical path of one of the slowest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slow {
    /// When it began.
    from: Time,
    /// How long it took.
    pub len: Duration,
    /// What that went into; a wait that is followed to who ended it stands beside what they did.
    pub lost: Vec<Lost>,
    /// What its own goroutine did: in words, not escaped, and where; they sum to its length.
    pub own: Vec<(String, PlaceId, Duration)>,
    /// What goroutines that it started did while it waited till a deadline ended that, the most first.
    pub started: Vec<Did>,
}

impl Slow {
    /// Adds what goroutines that it started did: what they wait for is what it waits for.
    fn add(&mut self, started: Vec<Did>) {
        let end = self.from + self.len;
        for d in started.iter().filter(|d| d.at != PlaceId::NONE) {
            self.lost.push(Lost { from: d.from, to: (d.from + d.len).min(end), depth: 1, on: On::Line(d.at) });
        }
        self.started = started;
    }
}

/// What has a name, a beginning and an end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A user task.
    Task,
    /// A user region.
    Region,
    /// A request that was served, by the name of its handler.
    Request,
}

/// Tasks, regions or requests of one name with both ends in the trace.
pub struct Spans {
    /// What they are.
    pub what: What,
    /// Their name.
    pub name: StringId,
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// How long each was, the shortest first once all are known.
    pub lengths: Vec<Duration>,
    /// The slowest, slowest first: never empty.
    pub slowest: Vec<Span>,
    /// What these lost their time to, in the same order: nothing of those that are too long. Empty for a name that is not
    /// uneven.
    slow: Vec<Option<Slow>>,
}

impl Spans {
    fn new(what: What, name: StringId) -> Spans {
        let (count, total, lengths) = (0, Duration::ZERO, Vec::new());
        Spans { what, name, count, total, lengths, slowest: Vec::new(), slow: Vec::new() }
    }

    fn add(&mut self, i: &Span) {
        self.count += 1;
        self.total += i.len();
        self.lengths.push(i.len());
        let at = self.slowest.partition_point(|o| o.len() >= i.len());
        if at < SLOWEST {
            self.slowest.insert(at, *i);
            self.slowest.truncate(SLOWEST);
        }
    }

    /// The critical paths of the slowest, as far as they were followed.
    pub fn paths(&self) -> impl Iterator<Item = &Slow> {
        self.slow.iter().flatten()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.slowest.first().map_or(Duration::ZERO, Span::len)
    }

    /// Half were no longer than this.
    pub fn p50(&self) -> Duration {
        quantile(&self.lengths, 0.5)
    }

    /// 99 in 100 were no longer than this.
    pub fn p99(&self) -> Duration {
        quantile(&self.lengths, 0.99)
    }

    /// How much longer all of them together took than at p50.
    pub fn excess(&self) -> Duration {
        Duration(self.total.ns().saturating_sub(self.p50().ns().saturating_mul(self.count as i64)).max(0))
    }

    fn is_uneven(&self) -> bool {
        self.count >= ENOUGH && self.p99() >= NOTICED && self.p99().ns() / TIMES >= self.p50().ns()
    }
}

/// Tasks, regions and requests by name, those with the largest sum first, with the critical paths of the slowest of those
/// that are uneven. Calls to elsewhere are part of these.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn spans<S: Source>(trace: &S) -> Result<Vec<Spans>, Unanswered> {
    let mut all = by_name(trace)?;
    add_paths(trace, &mut all, SEGMENTS)?;
    Ok(all)
}

/// The same without critical paths.
fn by_name<S: Source>(trace: &S) -> Result<Vec<Spans>, Unanswered> {
    let mut by: FxHashMap<(What, StringId), Spans> = FxHashMap::default();
    let rules = Rules::shipped();
    let serves = spans::served_kinds(rules);
    let what = |kind: KindNo| match kind {
        TASK => Some(What::Task),
        REGION => Some(What::Region),
        k => serves.contains(&k).then_some(What::Request),
    };
    spans::each(trace, rules, &mut |s| {
        if let Some(what) = what(s.kind).filter(|_| s.complete()) {
            by.entry((what, s.name)).or_insert_with(|| Spans::new(what, s.name)).add(&s);
        }
    })?;
    let mut all: Vec<Spans> = by.into_values().collect();
    all.iter_mut().for_each(|s| s.lengths.sort_unstable());
    all.sort_by_key(|s| (Reverse(s.total), s.what, s.name));
    Ok(all)
}

/// Adds the critical paths of the slowest of names that are uneven, of those with the largest excess; at most `left` parts of
/// the trace are read for them.
fn add_paths<S: Source>(trace: &S, all: &mut [Spans], mut left: usize) -> Result<(), Unanswered> {
    let mut uneven: Vec<usize> = (0..all.len()).filter(|&i| all[i].is_uneven()).collect();
    uneven.sort_by_key(|&i| (Reverse(all[i].excess()), i));
    let mut wanted: Vec<(Window, usize, usize)> = Vec::new();
    for i in uneven.into_iter().take(NAMES) {
        all[i].slow = vec![None; all[i].slowest.len()];
        for (n, window) in all[i].slowest.iter().map(window).enumerate() {
            let mut reads = 0;
            trace.with_index(&mut |index| reads = index.segments_between(window.from, window.to).len());
            if reads <= left {
                left -= reads;
                wanted.push((window, i, n));
            }
        }
    }
    // The last first: each part of the trace is gone through once for all names.
    wanted.sort_by_key(|(w, i, n)| (Reverse(w.to), *i, *n));
    let windows: Vec<Window> = wanted.iter().map(|w| w.0).collect();
    let mut waits: Vec<Vec<started::Wait>> = vec![Vec::new(); wanted.len()];
    path::paths(trace, &windows, &mut |k, pieces, hops, reasons| {
        let (window, i, n) = wanted[k];
        waits[k] = started::waits(&pieces, &hops, reasons);
        all[i].slow[n] = Some(slow(window, (&pieces, &hops), reasons));
    })?;
    for ((_, i, n), started) in wanted.iter().zip(started::did(trace, &windows, &waits)?) {
        if let Some(slow) = &mut all[*i].slow[*n] {
            slow.add(started);
        }
    }
    Ok(())
}

/// What tasks, regions or requests of a name are called: `task checkout`. Safe to show.
pub fn called(facts: &Facts, spans: &Spans) -> String {
    let name = facts.index.dict.str(spans.name);
    let shown = if name.is_empty() { NOT_KNOWN.into() } else { text::escape(name) };
    match spans.what {
        What::Task => format!("task {shown}"),
        What::Region => format!("region {shown}"),
        What::Request if name.is_empty() => "requests whose handler is not known".into(),
        What::Request => format!("request {}", shown_func(name)),
    }
}

fn slow(window: Window, (pieces, hops): (&[Piece], &[Hop]), reasons: &Reasons) -> Slow {
    let mut lost: Vec<Lost> = Vec::new();
    let mut own: Vec<(String, PlaceId, Duration)> = Vec::new();
    let mut did = |what: String, at: PlaceId, len: Duration| match own.iter_mut().find(|o| o.0 == what && o.1 == at) {
        Some(o) => o.2 += len,
        None => own.push((what, at, len)),
    };
    for h in hops {
        let on = if collects(reasons, Some(h.reason)) { On::Assist } else { On::Line(h.at) };
        lost.push(Lost { from: h.from, to: h.to, depth: h.depth, on });
        if h.depth == 0 {
            did(reasons.get(h.reason).name, h.at, h.len());
        }
    }
    for p in pieces {
        for (what, len) in p.kinds() {
            if p.depth == 0 {
                let at = if what == path::What::Running { PlaceId::NONE } else { p.at };
                did(words(reasons, what, p), at, len);
            }
            let on = match what {
                path::What::NoP => On::Busy,
                path::What::Wakeup => On::Wakeup,
                path::What::Stopped => On::Stopped,
                path::What::Waiting(_) if collects(reasons, p.reason) => On::Assist,
                path::What::Waiting(_) | path::What::Syscall => On::Line(p.at),
                _ => continue,
            };
            lost.push(Lost { from: p.from, to: p.from + len, depth: p.depth, on });
        }
        if p.assist > Duration::ZERO {
            lost.push(Lost { from: p.from, to: p.from + p.assist, depth: p.depth, on: On::Assist });
        }
    }
    own.sort_by(|a, b| (b.2, &a.0, a.1).cmp(&(a.2, &b.0, b.1)));
    Slow { from: window.from, len: window.to - window.from, lost, own, started: Vec::new() }
}

/// Whether a wait is one for the GC.
fn collects(reasons: &Reasons, reason: Option<ReasonId>) -> bool {
    reason.is_some_and(|r| reasons.get(r).class == Class::Collector)
}

/// What a goroutine did, in words.
pub(super) fn words(reasons: &Reasons, what: path::What, p: &Piece) -> String {
    let reason = || p.reason.map(|r| reasons.get(r).name);
    match what {
        path::What::Running => "on CPU".into(),
        path::What::Runnable | path::What::NoP => "waiting for a P".into(),
        path::What::Wakeup => "runnable with a P idle".into(),
        path::What::Stopped => "stop-the-world".into(),
        path::What::Syscall => reason().unwrap_or_else(|| "syscall".into()),
        path::What::Waiting(Waker::Timer) => reason().unwrap_or_else(|| "a timer".into()),
        path::What::Waiting(_) => reason().unwrap_or_else(|| "blocked".into()),
        path::What::Absent | path::What::Untraced => "not in the trace".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spans::sums;

    /// What findings say of the lengths of tasks and regions is what `spans` says of them.
    #[test]
    fn percentiles_are_those_of_the_list_of_spans() {
        let trace = crate::read::fixture::trace();
        let rules = Rules::shipped();
        let found = spans::find(&*trace, rules).unwrap();
        let all = sums::sums(&found, sums::ALL, |s| s.complete());
        let mut compared = 0;
        for s in spans(&*trace).unwrap() {
            let kind = match s.what {
                What::Task => TASK,
                What::Region => REGION,
                What::Request => continue,
            };
            let sum = all.iter().find(|o| (o.kind, o.name) == (kind, s.name)).unwrap();
            assert_eq!((s.count, s.p50(), s.p99(), s.max()), (sum.count, sum.p50, sum.p99, sum.max));
            compared += 1;
        }
        assert!(compared >= 5, "{compared}");
    }

    /// Whatever may be read, each path that was followed stands where its span does.
    #[test]
    fn a_path_that_is_left_out_leaves_its_place_empty() {
        let trace = crate::read::fixture::trace();
        let slow = |left| {
            let mut all = by_name(&*trace).unwrap();
            add_paths(&*trace, &mut all, left).unwrap();
            let uneven = all.into_iter().filter(|s| !s.slow.is_empty());
            uneven.flat_map(|s| s.slowest.into_iter().zip(s.slow)).collect::<Vec<_>>()
        };
        let all = slow(SEGMENTS);
        assert!(all.iter().all(|(span, slow)| slow.as_ref().is_some_and(|s| s.len == span.len())));
        for left in [0, 1, 3, all.len() - 1] {
            let some = slow(left);
            assert_eq!(some.len(), all.len());
            assert!(some.iter().any(|(_, slow)| slow.is_none()));
            assert_eq!(some.iter().any(|(_, slow)| slow.is_some()), left > 0);
            assert!(some.iter().zip(&all).all(|(a, b)| a.0 == b.0 && (a.1.is_none() || a.1 == b.1)));
        }
    }
}
