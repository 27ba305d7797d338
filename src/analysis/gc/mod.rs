//! What the GC does to a program: its cycles, who triggered and who paid for them, and how much of the Ps it left to the
//! program: mutator utilisation, and the least of it in any window (MMU).

mod merge;
mod series;
mod utilisation;
mod watch;

pub use merge::Stint;
pub use series::{Series, Window};
pub use utilisation::{Consists, Input};
pub use watch::Work;

use crate::base::number::NO_GOAL;
use crate::base::{Duration, GoIdx, GroupId, StackId, StringId, Time};
use crate::build::observe::{Observer, Tables, Watch};
use crate::model::Index;
use crate::model::gaps::Gaps;
use merge::{Shared, Total};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// One cycle, from the beginning of marking to its end.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// Its number, as the runtime counts the beginnings and ends of marking; 0 if it is not known.
    pub seq: u64,
    /// When it began; the trace's start, if before.
    pub from: Time,
    /// When it ended; `None` if it did not.
    pub to: Option<Time>,
    /// It began before the trace.
    pub before: bool,
    /// The goroutine that began it.
    pub trigger: GoIdx,
    /// Where that was in its code.
    pub stack: StackId,
    /// Bytes of heap when it began.
    pub heap_start: Option<u64>,
    /// The heap goal when it began.
    pub goal: Option<u64>,
    /// Bytes that were found to be live.
    pub live: Option<u64>,
    /// The heap goal that was set when it ended.
    pub next_goal: Option<u64>,
    /// Bytes that were allocated while it marked, and from then until the next one.
    pub allocated_during: u64,
    /// See above.
    pub allocated_after: u64,
    /// Bytes that were swept and freed from its beginning to that of the next one.
    pub swept: u64,
    /// See above.
    pub reclaimed: u64,
    /// Time of Ps by kind of work, in the order of [`Work::ALL`].
    pub work: [Duration; Work::ALL.len()],
    /// The stops of its own: before marking, and after.
    pub stops: Vec<Stop>,
}

impl Cycle {
    fn new(seq: u64, from: Time) -> Cycle {
        Cycle {
            seq,
            from,
            to: None,
            before: false,
            trigger: GoIdx::NONE,
            stack: StackId::NONE,
            heap_start: None,
            goal: None,
            live: None,
            next_goal: None,
            allocated_during: 0,
            allocated_after: 0,
            swept: 0,
            reclaimed: 0,
            work: [Duration::ZERO; Work::ALL.len()],
            stops: Vec::new(),
        }
    }

    /// How long it marked; until `end`, if it did not end.
    pub fn marked(&self, end: Time) -> Duration {
        self.to.unwrap_or(end) - self.from
    }

    /// What began it.
    pub fn cause(&self, index: &Index) -> Trigger {
        let mut stack = index.dict.stack(self.stack).map(|f| index.dict.func_name(f.func));
        let known = self.stack.is_some();
        let special = stack.find_map(|f| match f {
            "runtime.GC" => Some(Trigger::Call),
            "runtime.forcegchelper" => Some(Trigger::Periodic),
            _ => None,
        });
        match special {
            Some(t) => t,
            None if known => Trigger::Heap,
            None if index.goroutine_name(self.trigger) == "runtime.forcegchelper" => Trigger::Periodic,
            None => Trigger::Unknown,
        }
    }
}

/// What begins a cycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// The heap came near its goal, with an allocation.
    Heap,
    /// A call of `runtime.GC`.
    Call,
    /// Two minutes went by without one.
    Periodic,
    /// The trace does not say.
    Unknown,
}

/// A stopped world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// When it was asked to stop.
    pub from: Time,
    /// When it was started again.
    pub to: Time,
    /// Why, in the runtime's words.
    pub reason: StringId,
    /// Who stopped it.
    pub go: GoIdx,
    /// Where.
    pub stack: StackId,
    /// It was still stopped when the trace ended.
    pub open: bool,
}

impl Stop {
    /// How long it took.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it took no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
}

/// Assists of the goroutines of one group at one line.
#[derive(Clone, Debug)]
pub struct Assists {
    /// The group.
    pub group: GroupId,
    /// Where they allocated; one of the stacks that have the line.
    pub stack: StackId,
    /// How many.
    pub count: u64,
    /// From beginning to end, in sum.
    pub wall: Duration,
    /// Of that, on a P.
    pub cpu: Duration,
    /// The longest, from beginning to end: who, when.
    pub longest: (Duration, GoIdx, Time),
}

/// Minimum mutator utilisation for one length of window.
#[derive(Clone, Copy, Debug)]
pub struct Mmu {
    /// The window that has the least, the first of several.
    pub least: Window,
    /// The least where sweeps are not taken for work of the GC.
    pub without_sweeps: f64,
    /// What 95 %, 99 % and 99.9 % of the windows have at least.
    pub p95: f64,
    /// See above.
    pub p99: f64,
    /// See above.
    pub p999: f64,
    /// The least that a P leaves to a goroutine that keeps it.
    pub per_goroutine: f64,
}

/// What another GOGC or GOMEMLIMIT would make of the same allocations.
#[derive(Clone, Copy, Debug)]
pub struct WhatIf {
    /// GOGC in percent; `None` where GOMEMLIMIT alone decides.
    pub gogc: Option<u64>,
    /// The heap goal.
    pub goal: u64,
    /// How many cycles.
    pub cycles: f64,
    /// How much of all Ps' time mark workers and assists would take.
    pub cpu: f64,
}

/// What the GC did.
#[derive(Clone, Debug)]
pub struct Gc {
    /// What was looked at.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// How much of that lies between recordings.
    pub untraced: Duration,
    /// GOMAXPROCS over time, and how many Ps there were before it was said.
    pub procs: (Vec<(Time, u64)>, u64),
    /// The cycles that touch it.
    pub cycles: Vec<Cycle>,
    /// Time in which a cycle was marking.
    pub active: Duration,
    /// Stops for the GC, in order.
    pub stops: Vec<Stop>,
    /// When Ps worked for the GC, in order.
    pub stints: Vec<Stint>,
    /// What the whole consists of.
    pub consists: Consists,
    /// Assists by group and line, longest in sum first.
    pub assists: Vec<Assists>,
    /// Minimum mutator utilisation, shortest windows first; the last is the whole.
    pub mmu: Vec<Mmu>,
    /// The ten windows of [`WORST`] that have the least, no two of which overlap, and what they consist of.
    pub worst: Vec<(Window, Consists)>,
    /// Bytes that were allocated, as far as the heap's size shows it: over the whole trace.
    pub allocated: u64,
    /// The same in the part of the trace that was looked at.
    pub allocated_inside: u64,
    /// Bytes that were swept and freed: over the whole trace.
    pub swept: u64,
    /// See above.
    pub reclaimed: u64,
    /// What another setting would make of it; what it is now comes first.
    pub what_if: Vec<WhatIf>,
    /// How long goroutines that may have been mark workers ran before the trace says what they are.
    pub unknown: Duration,
}

/// The windows whose least is shown.
pub const WINDOWS: [Duration; 8] = [
    Duration(1_000),
    Duration(10_000),
    Duration(100_000),
    Duration(1_000_000),
    Duration(10_000_000),
    Duration(100_000_000),
    Duration(1_000_000_000),
    Duration(10_000_000_000),
];
/// The length of the worst windows.
pub const WORST: Duration = Duration(10_000_000);

impl Gc {
    /// The length of what was looked at.
    pub fn length(&self) -> Duration {
        self.to - self.from
    }

    /// How long was traced of that: shares are of this.
    pub fn traced(&self) -> Duration {
        self.length() - self.untraced
    }

    /// What mutator utilisation is made of.
    pub fn input<'a>(&'a self, stops: &'a [(Time, Time)]) -> Input<'a> {
        let (procs, first) = (&self.procs.0, self.procs.1);
        Input { stints: &self.stints, stops, procs, first, from: self.from, to: self.to }
    }

    /// When the world was stopped.
    pub fn stopped(&self) -> Vec<(Time, Time)> {
        self.stops.iter().map(|s| (s.from, s.to)).collect()
    }

    /// Mutator utilisation over time.
    pub fn utilisation(&self, sweeps: bool) -> Series {
        self.input(&self.stopped()).system(sweeps)
    }
}

/// The analysis, to be shown a trace's events while it is read or afterwards.
pub struct Collector {
    window: (Time, Time),
    total: Shared,
}

impl Collector {
    /// An analysis of what lies in `window`, from and to (exclusive).
    pub fn new(window: (Time, Time)) -> Collector {
        Collector { window, total: Arc::new(Mutex::new(Total::default())) }
    }

    /// What it found, once it has been shown all of the trace that `index` is of. Leaves nothing behind.
    pub fn finish(&self, index: &Index) -> Gc {
        let mut total = std::mem::take(&mut *merge::lock(&self.total));
        total.close(index);
        gather(total, index, self.window)
    }
}

impl Observer for Collector {
    fn unit(&self, start: Time, tables: &Tables, _only: bool) -> Box<dyn Watch> {
        Box::new(watch::Unit::new(start, tables, Arc::clone(&self.total)))
    }
}

/// By how much a quantity rose in a stretch of time, whatever it fell in between.
fn rises(points: &[(Time, u64)], from: Time, to: Time) -> u64 {
    let inside = |t: Time| t > from && t <= to;
    points.windows(2).filter(|w| inside(w[1].0)).map(|w| w[1].1.saturating_sub(w[0].1)).sum()
}

fn gather(total: Total, index: &Index, window: (Time, Time)) -> Gc {
    let (from, to) = (index.start.max(window.0), index.end.min(window.1));
    let to = to.max(from);
    let whole = from == index.start && to == index.end;
    let inside = |a: Time, b: Time| a < to && b > from || a == b && a >= from && a <= to;
    let unknown = total.unknown.iter().filter(|u| index.goroutine_name(u.0) == "runtime.gcBgMarkWorker");
    let unknown = unknown.map(|u| u.1).sum();
    let mut cycles = total.cycles;
    attach(&mut cycles, &total.stops, &total.stints, index);
    let (allocated, swept, reclaimed) = (total.allocated, total.swept, total.reclaimed);
    let finished: Vec<&Cycle> = cycles.iter().filter(|c| c.to.is_some() && !c.before).collect();
    let procs = (total.procs, index.procs.len().max(1) as u64);
    let ps = procs.0.last().map_or(procs.1, |p| p.1);
    let what_if = what_if(&finished, allocated, index.traced(), ps);
    cycles.retain(|c| inside(c.from, c.to.unwrap_or(index.end)));
    let span = |c: &Cycle| (c.to.unwrap_or(index.end).min(to) - c.from.max(from)).max(Duration::ZERO);
    let mut out = Gc {
        from,
        to,
        active: cycles.iter().map(span).sum(),
        cycles,
        procs,
        stops: total.stops.into_iter().filter(|s| merge::of_gc(index, s.reason) && inside(s.from, s.to)).collect(),
        stints: total.stints.into_iter().filter(|s| inside(s.from, s.to)).collect(),
        consists: Consists::default(),
        assists: assists(&total.assists, index),
        mmu: Vec::new(),
        worst: Vec::new(),
        allocated,
        allocated_inside: if whole { allocated } else { rises(&index.heap, from, to) },
        swept,
        reclaimed,
        what_if,
        unknown,
        untraced: index.untraced_in(from, to),
    };
    out.measure(&index.gaps().between(from, to));
    out
}

impl Gc {
    /// Fills in utilisation: of the time that was traced, as if nothing lay between recordings, of which nothing is known.
    fn measure(&mut self, gaps: &Gaps) {
        let at = |t: Time| gaps.squeeze(t);
        let stopped: Vec<(Time, Time)> = self.stops.iter().map(|s| (at(s.from), at(s.to))).collect();
        let stints: Vec<Stint> = self.stints.iter().map(|s| Stint { from: at(s.from), to: at(s.to), ..*s }).collect();
        let procs: Vec<(Time, u64)> = self.procs.0.iter().map(|&(t, p)| (at(t), p)).collect();
        let (from, to) = (at(self.from), at(self.to));
        let input = Input { stints: &stints, stops: &stopped, procs: &procs, first: self.procs.1, from, to };
        let (with, without, each) = (input.system(true), input.system(false), input.each_p(true));
        let length = to - from;
        let lengths =
            WINDOWS.into_iter().filter(|&w| w < length).chain([length].into_iter().filter(|&l| l > Duration::ZERO));
        let real = |w: Window| Window { from: gaps.stretch(w.from), ..w };
        let one = |len: Duration| {
            let q = with.quantiles(len, &[0.95, 0.99, 0.999]);
            Some(Mmu {
                least: real(with.least(len)?),
                without_sweeps: without.least(len)?.utilisation,
                p95: q[0],
                p99: q[1],
                p999: q[2],
                per_goroutine: utilisation::least_of(&each, len).map_or(1.0, |w| w.utilisation),
            })
        };
        let mmu = lengths.filter_map(one).collect();
        let worst = with.worst(WORST.min(length), 10);
        let mut spans: Vec<(Time, Time)> = worst.iter().map(|w| (w.from, w.from + w.len)).collect();
        spans.push((from, to));
        let mut consist = input.consist(&spans);
        let whole = consist.pop().unwrap_or_default();
        (self.mmu, self.consists) = (mmu, whole);
        self.worst = worst.into_iter().map(real).zip(consist).collect();
    }
}

/// Gives each cycle its stops and the work that was done for it.
fn attach(cycles: &mut [Cycle], stops: &[Stop], stints: &[Stint], index: &Index) {
    let mut at = 0;
    for s in stints {
        while cycles.get(at).is_some_and(|c| c.to.is_some_and(|t| t <= s.from)) {
            at += 1;
        }
        // Sweeping comes after marking.
        let of = if s.work == Work::Sweep { at.checked_sub(1) } else { Some(at) };
        if let Some(c) = of.and_then(|i| cycles.get_mut(i)) {
            c.work[s.work as usize] += s.to - s.from;
        }
    }
    for s in stops.iter().filter(|s| merge::of_gc(index, s.reason)) {
        let mark = index.dict.str(s.reason).contains("mark termination");
        // Marking begins just before or just after the first stop, and ends in the last one.
        let near = |c: &&mut Cycle| match mark {
            true => c.to.is_some_and(|t| s.from <= t && t <= s.to) || c.to.is_none(),
            false => s.from <= c.from && c.from <= s.to || c.from <= s.from && c.to.is_none_or(|t| s.to <= t),
        };
        if let Some(c) = cycles.iter_mut().find(near) {
            c.stops.push(*s);
        }
    }
}

fn assists(rows: &rustc_hash::FxHashMap<(GoIdx, StackId), merge::Assisted>, index: &Index) -> Vec<Assists> {
    let mut sums: BTreeMap<(GroupId, Option<(crate::base::FuncId, u32)>), Assists> = BTreeMap::new();
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|r| *r.0);
    for (&(go, stack), a) in rows {
        let group = index.goroutine(go).map_or(GroupId::NONE, |g| g.group);
        let line = index.dict.user_line(stack).map(|f| (f.func, f.line));
        let longest = (Duration(-1), GoIdx::NONE, Time::MIN);
        let new = Assists { group, stack, count: 0, wall: Duration::ZERO, cpu: Duration::ZERO, longest };
        let sum = sums.entry((group, line)).or_insert(new);
        sum.count += a.count;
        sum.wall += a.wall;
        sum.cpu += a.cpu;
        if a.longest > sum.longest.0 {
            sum.longest = (a.longest, go, a.from);
        }
    }
    let mut out: Vec<Assists> = sums.into_values().collect();
    out.sort_by_key(|a| (std::cmp::Reverse(a.wall), a.group, a.stack));
    out
}

/// Cycles are as many as the room between what is live and the goal is filled: allocated / (goal − live).
fn what_if(cycles: &[&Cycle], allocated: u64, length: Duration, ps: u64) -> Vec<WhatIf> {
    let known = cycles.iter().filter_map(|c| Some((c.live?, c.next_goal?)));
    let known: Vec<(u64, u64)> = known.filter(|k| k.1 < NO_GOAL).collect();
    let n = known.len() as u128;
    if n == 0 || allocated == 0 {
        return Vec::new();
    }
    let mean = |of: fn(&(u64, u64)) -> u64| (known.iter().map(|k| u128::from(of(k))).sum::<u128>() / n) as u64;
    let (live, goal) = (mean(|k| k.0), mean(|k| k.1));
    let room = goal.saturating_sub(live);
    if live == 0 || room == 0 {
        return Vec::new();
    }
    let whole = (u128::from(ps) * length.ns().max(1) as u128) as f64;
    let each: Duration = cycles.iter().flat_map(|c| &c.work[..=Work::Assist as usize]).copied().sum();
    let cost = each.ns() as f64 / cycles.len().max(1) as f64;
    let one = |gogc: Option<u64>, goal: u64| {
        let cycles = allocated as f64 / goal.saturating_sub(live).max(1) as f64;
        WhatIf { gogc, goal, cycles, cpu: cycles * cost / whole }
    };
    // To the nearest five percent: the stacks and globals that the goal counts as well are not in the trace.
    let gogc = ((room as f64 / live as f64 * 20.0).round() as u64).saturating_mul(5);
    let mut out = vec![one(Some(gogc).filter(|&g| g > 0), goal)];
    for (num, den) in [(1, 2), (2, 1), (4, 1)] {
        let gogc = gogc.saturating_mul(num) / den;
        if gogc > 0 {
            out.push(one(Some(gogc), live.saturating_add(room.saturating_mul(num) / den)));
        }
    }
    out.extend([2, 4].map(|times| one(None, goal.saturating_mul(times))));
    out
}

#[cfg(test)]
mod tests;
