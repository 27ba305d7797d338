//! Why goroutines that could run did not: every nanosecond that one was runnable, split into a stopped world, a P
//! without a goroutine (it takes time to wake a thread), and all Ps busy, charged in equal parts to what ran instead.
//!
//! A P counts as busy while a goroutine is on it, also one in a syscall that has not lost it. Which Ps there are is
//! GOMAXPROCS as the trace states it.

mod merge;
mod ops;
mod parts;
mod shares;
mod split;
mod sweep;

pub use parts::{Cause, Depth, Longest, Parts, Waits};
pub use split::{Behind, Split, split};

use crate::base::{Duration, GroupId, ProcIdx, Time};
use crate::build::observe::{Observer, Tables, Watch};
use crate::model::Index;
use merge::{Shared, Total, Unit};
use std::sync::{Arc, Mutex};

/// What a group's goroutines waited for, and what ran instead.
#[derive(Clone, Debug)]
pub struct GroupSched {
    /// The group.
    pub group: GroupId,
    /// All its waits for a P.
    pub all: Waits,
    /// The same by cause, in the order of [`Cause::ALL`].
    pub causes: [Waits; Cause::ALL.len()],
    /// What had the Ps while all were busy, most first; the times sum to `all.parts.busy`.
    pub behind: Vec<Instead>,
    /// The longest stretch that one kept its P.
    pub run: Option<Longest>,
    /// How often one began to run.
    pub starts: u64,
    /// How often on another P than before.
    pub migrations: u64,
    /// With the fractions of a nanosecond that were left over.
    instead: Vec<(u32, Instead)>,
}

/// What had a P while others waited for one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instead {
    /// The group of the goroutine that had it; `None` where a thread had the P and was between two goroutines.
    pub group: Option<GroupId>,
    /// Whether that one was in a syscall.
    pub in_syscall: bool,
    /// Its share of the waiting time.
    pub time: Duration,
}

impl GroupSched {
    fn new(group: GroupId) -> GroupSched {
        GroupSched {
            group,
            all: Waits::default(),
            causes: Default::default(),
            behind: Vec::new(),
            run: None,
            starts: 0,
            migrations: 0,
            instead: Vec::new(),
        }
    }

    /// What ran instead by group, in a syscall or not, most first.
    pub fn together(&self) -> Vec<(Option<GroupId>, Duration)> {
        let mut out: Vec<(Option<GroupId>, Duration)> = Vec::new();
        for b in &self.behind {
            match out.iter_mut().find(|o| o.0 == b.group) {
                Some(o) => o.1 += b.time,
                None => out.push((b.group, b.time)),
            }
        }
        out.sort_by_key(|o| (std::cmp::Reverse(o.1), o.0));
        out
    }

    /// Sums the causes up, and makes the shares sum to the whole: what rounding took goes to the largest remainders.
    fn close(mut self) -> GroupSched {
        for w in &self.causes {
            self.all.merge(w);
        }
        let mut shares = std::mem::take(&mut self.instead);
        shares.sort_by_key(|s| std::cmp::Reverse(s.0));
        let mut left = self.all.parts.busy.ns() - shares.iter().map(|s| s.1.time.ns()).sum::<i64>();
        let rounds = shares.len() as i64;
        for s in shares.iter_mut().take(left.clamp(0, rounds) as usize) {
            s.1.time += Duration(1);
            left -= 1;
        }
        // Rounding loses less than a millionth; more is of waits that the trace lost sight of.
        let least = 1000 + self.all.parts.busy.ns() / 1_000_000;
        if let Some(most) = shares.iter_mut().max_by_key(|s| s.1.time).filter(|_| (1..=least).contains(&left)) {
            most.1.time += Duration(left);
            left = 0;
        }
        if left > 0 {
            shares.push((0, Instead { group: None, in_syscall: false, time: Duration(left) }));
            left = 0;
        }
        // Generations overlap by some microseconds: less was waited then than was charged, and each gives its part back.
        let (over, all) = ((-left).max(0), shares.iter().map(|s| s.1.time.ns()).sum::<i64>().max(1));
        for s in &mut shares {
            let part = (i128::from(over) * i128::from(s.1.time.ns()) / i128::from(all)) as i64;
            s.1.time -= Duration(part);
            left += part;
        }
        shares.sort_by_key(|s| std::cmp::Reverse(s.1.time));
        for s in &mut shares {
            let rest = (-left).clamp(0, s.1.time.ns());
            s.1.time -= Duration(rest);
            left += rest;
        }
        self.behind = shares.into_iter().map(|s| s.1).filter(|i| i.time > Duration::ZERO).collect();
        self.behind.sort_by_key(|i| (std::cmp::Reverse(i.time), i.group, i.in_syscall));
        self
    }
}

/// What a P did.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcUse {
    /// The P.
    pub proc: ProcIdx,
    /// With a goroutine that ran.
    pub running: Duration,
    /// With a goroutine in a syscall.
    pub syscall: Duration,
    /// With a thread, but no goroutine: looking for work, or between two goroutines.
    pub searching: Duration,
    /// Goroutines that began to run on it.
    pub starts: u64,
    /// Those of them that had run on another P before.
    pub migrations: u64,
}

impl ProcUse {
    /// Time without a thread, of `length` that was looked at.
    pub fn idle(&self, length: Duration) -> Duration {
        (length - self.running - self.syscall - self.searching).max(Duration::ZERO)
    }

    fn add(&mut self, p: &sweep::P) {
        self.running += p.running;
        self.syscall += p.syscall;
        self.searching += p.searching;
        self.starts += p.starts;
        self.migrations += p.migrations;
    }
}

/// Why goroutines that could run did not.
#[derive(Clone, Debug)]
pub struct Sched {
    /// What was looked at.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// How much of that lies between two recordings.
    pub untraced: Duration,
    /// All waits for a P.
    pub all: Waits,
    /// By group, those that waited longest in sum first.
    pub groups: Vec<GroupSched>,
    /// How many goroutines were runnable.
    pub queue: Depth,
    /// How many were in syscalls without a P, on a thread each.
    pub in_syscalls: Depth,
    /// What each P did, by number.
    pub procs: Vec<ProcUse>,
    /// GOMAXPROCS at the end.
    pub gomaxprocs: u32,
    /// Whether the trace says GOMAXPROCS; else it is the number of Ps that were seen.
    pub said: bool,
}

impl Sched {
    /// How long was traced of what was looked at.
    pub fn length(&self) -> Duration {
        self.to - self.from - self.untraced
    }

    /// The waits with those causes that fit.
    pub fn of(&self, fits: fn(Cause) -> bool) -> Waits {
        let mut out = Waits::default();
        for g in &self.groups {
            let causes = Cause::ALL.iter().zip(&g.causes);
            causes.filter(|(c, _)| fits(**c)).for_each(|(_, w)| out.merge(w));
        }
        out
    }

    /// The longest stretch that a goroutine kept its P, and the goroutine's group.
    pub fn longest_run(&self) -> Option<(GroupId, Longest)> {
        let runs = self.groups.iter().filter_map(|g| Some((g.group, g.run?)));
        runs.min_by_key(|(_, r)| (std::cmp::Reverse(r.len), r.from, r.go))
    }

    /// How many goroutines were runnable on average: by Little's law the time that all were, by the time that passed.
    /// (`queue` counts twice what two generations have in common, some microseconds.)
    pub fn queue_mean(&self) -> f64 {
        self.all.parts.total().ns() as f64 / self.length().ns().max(1) as f64
    }
}

/// The analysis, to be shown a trace's events while it is read or afterwards: `Trace::load_observed`, `Trace::observe`.
pub struct Scheduler {
    window: (Time, Time),
    total: Shared,
}

impl Scheduler {
    /// An analysis of what lies in `window`, from and to (exclusive).
    pub fn new(window: (Time, Time)) -> Scheduler {
        Scheduler { window, total: Arc::new(Mutex::new(Total::new(window))) }
    }

    /// What it found, once it has been shown all of the trace that `index` is of. Leaves nothing behind.
    pub fn finish(&self, index: &Index) -> Sched {
        let total = std::mem::replace(&mut *merge::lock(&self.total), Total::new(self.window));
        total.finish(index)
    }
}

impl Observer for Scheduler {
    fn unit(&self, start: Time, tables: &Tables, only: bool) -> Box<dyn Watch> {
        let (log, sweep) = (ops::Log::new(start, tables), sweep::Sweep::new(start, self.window));
        Box::new(Unit::new(log, sweep, only, Arc::clone(&self.total)))
    }
}

#[cfg(test)]
mod tests;
