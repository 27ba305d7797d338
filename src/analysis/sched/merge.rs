//! Puts the units together, in order: waits that go on from one to the next become one.

use super::ops::Log;
use super::parts::{Cause, Depth, Longest, Parts, Waits, What};
use super::shares::{FRACTION, NOBODY};
use super::sweep::{Class, Sweep};
use super::{GroupSched, Instead, ProcUse, Sched};
use crate::base::{Duration, GoIdx, GroupId, ProcIdx, Time};
use crate::build::observe::{Events, Names, Watch};
use crate::model::Index;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Events of a trace of one unit that are kept before they are swept: its beginning is known by then.
const AT_ONCE: usize = 1 << 20;

/// A wait that goes on when a unit ends.
#[derive(Clone, Copy)]
struct Carry {
    cause: Cause,
    since: Time,
    parts: Parts,
    /// The class that it belongs to, by one of its members.
    class: GoIdx,
}

/// The state of the scheduler when a unit ends.
struct Last {
    what: What,
    waiting: Vec<(GoIdx, u32)>,
    having: Vec<(GoIdx, bool, u32)>,
    occupied: u32,
    runnable: u32,
    syscalls: u32,
}

/// One class over all units.
#[derive(Default)]
struct Row {
    waits: [Waits; Cause::ALL.len()],
    run: Option<Longest>,
    starts: u64,
    migrations: u64,
}

impl Row {
    fn keep_run(&mut self, run: Longest) {
        self.run.get_or_insert(Longest::NONE).keep(run);
    }
}

/// What all units so far add up to.
#[derive(Default)]
pub(super) struct Total {
    window: (Time, Time),
    end: Time,
    recording: usize,
    last: Option<Last>,
    carry: FxHashMap<GoIdx, Carry>,
    runs: FxHashMap<GoIdx, Time>,
    classes: FxHashMap<GoIdx, Row>,
    /// By class that waited and what had a P: a class, in a syscall or not; or no goroutine.
    shares: FxHashMap<(GoIdx, Option<(GoIdx, bool)>), u128>,
    queue: Depth,
    in_syscalls: Depth,
    procs: Vec<ProcUse>,
    limit: u32,
}

pub(super) type Shared = Arc<Mutex<Total>>;

pub(super) fn lock(shared: &Shared) -> MutexGuard<'_, Total> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches one unit.
pub(super) struct Unit {
    log: Log,
    sweep: Sweep,
    only: bool,
    kept: usize,
    total: Shared,
}

impl Unit {
    pub fn new(log: Log, sweep: Sweep, only: bool, total: Shared) -> Unit {
        Unit { log, sweep, only, kept: 0, total }
    }

    fn flush(&mut self) {
        self.sweep.begin(&self.log);
        self.sweep.run(&self.log);
        self.log.clear();
        self.kept = 0;
    }
}

impl Watch for Unit {
    fn events(&mut self, events: &Events) {
        self.log.add(events);
        self.kept += events.len();
        // The older formats say at once what there is.
        if self.only && self.kept > AT_ONCE {
            self.flush();
        }
    }

    fn end(&mut self) {
        self.flush();
        self.log = Log::default();
    }

    fn commit(self: Box<Self>, names: &Names, floor: Time) {
        let Unit { sweep, total, .. } = *self;
        lock(&total).add(sweep, names, floor);
    }
}

impl Total {
    pub fn new(window: (Time, Time)) -> Total {
        Total { window, end: Time::MIN, ..Total::default() }
    }

    /// What of `from..to` lies in the window.
    fn inside(&self, from: Time, to: Time) -> Duration {
        (to.min(self.window.1) - from.max(self.window.0)).max(Duration::ZERO)
    }

    /// Between two units everything stays as it was.
    fn bridge(&mut self, to: Time) {
        let d = self.inside(self.end, to);
        let Some(last) = self.last.take().filter(|_| d > Duration::ZERO) else { return };
        self.queue.add(last.runnable, d);
        self.in_syscalls.add(last.syscalls, d);
        for c in self.carry.values_mut() {
            c.parts.grow(last.what, d);
        }
        if last.what == What::Busy {
            for &(w, n) in &last.waiting {
                for &(h, syscall, m) in &last.having {
                    let ns = u128::from(n) * u128::from(m) * d.ns() as u128;
                    let share = (ns << FRACTION) / u128::from(last.occupied.max(1));
                    *self.shares.entry((w, Some((h, syscall)))).or_default() += share;
                }
            }
        }
    }

    fn add(&mut self, mut sweep: Sweep, names: &Names, floor: Time) {
        let (tails, runs) = sweep.end();
        let start = sweep.start.max(floor);
        if std::mem::replace(&mut self.recording, names.recording()) != names.recording() {
            self.leave_open(self.end);
        }
        // What lies before the floor has been accounted in the unit before.
        let twice = self.inside(sweep.start, start);
        if self.last.is_some() {
            self.bridge(start);
        }
        let member = |c: &Class| names.go(c.member);
        let class_of = |go: u32| sweep.class_of(go).map_or(GoIdx::NONE, member);
        for h in &sweep.heads {
            let go = names.go(h.go);
            let mut parts = h.parts;
            parts.trim(twice);
            let mut c = self.carried(go, start, class_of(h.go));
            c.parts.add(parts);
            self.record(go, c, false);
        }
        let mut carry = FxHashMap::default();
        for t in &tails {
            let go = names.go(t.go);
            let mut parts = t.parts;
            let (cause, since, class) = (t.cause, t.since, class_of(t.go));
            let c = if t.head {
                parts.trim(twice);
                let mut c = self.carried(go, start, class);
                c.parts.add(parts);
                c
            } else {
                Carry { cause, since, parts, class }
            };
            carry.insert(go, c);
        }
        // What this unit does not know goes on.
        let known: Vec<GoIdx> = (0..sweep.goroutines() as u32).map(|i| names.go(i)).collect();
        for go in known {
            self.carry.remove(&go);
        }
        for (go, mut c) in std::mem::take(&mut self.carry) {
            c.parts.add(sweep.sum);
            carry.insert(go, c);
        }
        self.carry = carry;

        let mut on = FxHashMap::default();
        for &(go, until) in &sweep.run_heads {
            let from = self.runs.get(&names.go(go)).copied().unwrap_or(start);
            self.ran(names.go(go), class_of(go), from, until.max(start));
        }
        for &(go, since, head) in &runs {
            let go = names.go(go);
            on.insert(go, self.runs.get(&go).copied().filter(|_| head).unwrap_or(if head { start } else { since }));
        }
        self.runs = on;

        let columns = |i: u32| sweep.classes.get(i as usize / 2).map_or(GoIdx::NONE, member);
        for (&(w, h), &share) in &sweep.shares.sums {
            let had = (h != NOBODY).then(|| (columns(h), h % 2 == 1));
            *self.shares.entry((columns(2 * w), had)).or_default() += share;
        }
        for c in &sweep.classes {
            let row = self.classes.entry(member(c)).or_default();
            for (a, b) in row.waits.iter_mut().zip(&c.waits) {
                let mut b = b.clone();
                b.longest.go = names.go(b.longest.go.0);
                a.merge(&b);
            }
            if let Some(run) = c.run.some() {
                row.keep_run(Longest { go: names.go(run.go.0), ..run });
            }
            row.starts += c.starts;
            row.migrations += c.migrations;
        }
        for (i, p) in (0u16..).zip(&sweep.procs) {
            let proc = names.proc(i);
            if !proc.is_some() {
                continue;
            }
            if proc.index() >= self.procs.len() {
                self.procs.resize(proc.index() + 1, ProcUse::default());
            }
            self.procs[proc.index()].add(p);
        }
        self.queue.merge(&sweep.queue);
        self.in_syscalls.merge(&sweep.in_syscalls);
        self.limit = sweep.limit;
        self.end = sweep.now.max(start);
        self.last = Some(Last {
            what: sweep.what(),
            waiting: sweep.shares.waiting().map(|(w, n)| (columns(2 * w), n)).collect(),
            having: sweep.shares.having().map(|(h, n)| (columns(h), h % 2 == 1, n)).collect(),
            occupied: sweep.shares.having().map(|h| h.1).sum(),
            runnable: sweep.runnable(),
            syscalls: sweep.syscalls(),
        });
    }

    /// The wait that `go` brought into a unit that starts at `start`.
    fn carried(&mut self, go: GoIdx, start: Time, class: GoIdx) -> Carry {
        let new = Carry { cause: Cause::Before, since: start, parts: Parts::default(), class };
        self.carry.remove(&go).unwrap_or(new)
    }

    fn record(&mut self, go: GoIdx, c: Carry, open: bool) {
        let outside = c.since >= self.window.1 || c.since < self.window.0 && c.parts == Parts::default();
        if outside {
            return;
        }
        let waits = &mut self.classes.entry(c.class).or_default().waits[c.cause as usize];
        waits.add(go, c.since, c.parts);
        waits.open += u64::from(open);
    }

    fn ran(&mut self, go: GoIdx, class: GoIdx, from: Time, to: Time) {
        let len = self.inside(from, to);
        let from = from.max(self.window.0);
        self.classes.entry(class).or_default().keep_run(Longest { go, from, len });
    }

    /// A recording is over, at `end`: nothing of it goes on.
    fn leave_open(&mut self, end: Time) {
        let (carry, runs) = (std::mem::take(&mut self.carry), std::mem::take(&mut self.runs));
        let mut carry: Vec<_> = carry.into_iter().collect();
        carry.sort_by_key(|c| c.0);
        for (go, c) in carry {
            self.record(go, c, true);
        }
        let mut runs: Vec<_> = runs.into_iter().collect();
        runs.sort_by_key(|r| r.0);
        for (go, from) in runs {
            self.ran(go, go, from, end);
        }
        self.last = None;
    }

    /// The trace is over.
    pub fn finish(mut self, index: &Index) -> Sched {
        self.bridge(index.end);
        self.leave_open(index.end);
        let unknown = index.groups.iter().position(|g| index.dict.str(g.name).is_empty());
        let unknown = unknown.map_or(GroupId::NONE, |i| GroupId(i as u32));
        let group = |go: GoIdx| index.goroutine(go).map_or(unknown, |g| g.group);
        let mut groups: FxHashMap<GroupId, GroupSched> = FxHashMap::default();
        for (go, row) in self.classes {
            let id = group(go);
            let g = groups.entry(id).or_insert_with(|| GroupSched::new(id));
            for (a, b) in g.causes.iter_mut().zip(&row.waits) {
                a.merge(b);
            }
            if let Some(run) = row.run {
                g.run.get_or_insert(Longest::NONE).keep(run);
            }
            g.starts += row.starts;
            g.migrations += row.migrations;
        }
        let mut shares: FxHashMap<(GroupId, Option<(GroupId, bool)>), u128> = FxHashMap::default();
        for ((w, had), share) in self.shares {
            *shares.entry((group(w), had.map(|(h, syscall)| (group(h), syscall)))).or_default() += share;
        }
        let mut shares: Vec<_> = shares.into_iter().collect();
        shares.sort_by_key(|s| s.0);
        for ((w, had), share) in shares {
            let g = groups.entry(w).or_insert_with(|| GroupSched::new(w));
            let time = Duration((share >> FRACTION).min(i64::MAX as u128) as i64);
            let rest = (share & ((1 << FRACTION) - 1)) as u32;
            let in_syscall = had.is_some_and(|h| h.1);
            g.instead.push((rest, Instead { group: had.map(|h| h.0), in_syscall, time }));
        }
        let mut groups: Vec<GroupSched> = groups.into_values().map(GroupSched::close).collect();
        groups.retain(|g| g.all.count > 0 || g.run.is_some());
        groups.sort_by_key(|g| (std::cmp::Reverse(g.all.parts.total()), g.group));
        let mut all = Waits::default();
        groups.iter().for_each(|g| all.merge(&g.all));
        let (from, to) = (index.start.max(self.window.0), index.end.min(self.window.1));
        for (i, p) in (0u16..).zip(&mut self.procs) {
            p.proc = ProcIdx(i);
        }
        self.procs.sort_by_key(|p| index.procs.get(p.proc.index()).map(|p| p.id));
        Sched {
            from,
            to: to.max(from),
            untraced: index.untraced_in(from, to),
            all,
            groups,
            queue: self.queue,
            in_syscalls: self.in_syscalls,
            procs: self.procs,
            gomaxprocs: self.limit,
            said: !index.gomaxprocs.is_empty(),
        }
    }
}
