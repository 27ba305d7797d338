//! Against a count of every nanosecond in small random traces, and against the index's own sums in recorded ones.

use super::*;
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::base::{GoId, GoIdx};
use crate::build::commit::{Handles, Maps};
use crate::build::observe::{Args, Events, NONE, NONE16, Names, Row};
use crate::input;
use crate::model::segment::{GoState, Kind, ProcState};
use crate::model::{Goroutine, Group};
use crate::read::Trace;
use crate::wire::tables::WireFrame;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const ALWAYS: (Time, Time) = (Time::MIN, Time::MAX);

fn sched(path: &Path, window: (Time, Time)) -> Option<(Sched, Trace)> {
    let input = input::open(path).ok()?;
    let trace = Trace::open(&input.name, input.bytes).ok()?;
    let s = Scheduler::new(window);
    trace.load_observed(Some(&s), &|_| {}, &AtomicBool::new(false));
    let sched = s.finish(&trace.index());
    Some((sched, trace))
}

fn sample() -> (Sched, Trace) {
    sched(Path::new("sample-traces/trace.out"), ALWAYS).expect("the sample is there")
}

fn traces() -> Vec<PathBuf> {
    let mut out = Vec::new();
    for dir in ["sample-traces", "tests/data", "tests/data/v1"] {
        let before = out.len();
        out.extend(std::fs::read_dir(dir).unwrap().flatten().map(|e| e.path()));
        assert!(out.len() > before, "{dir} is empty");
    }
    let corpus = ["traces", "go-reader-tests", "go-v1-tests", "go-v1-old-tests", "go-fuzz"];
    let incidents = ["incidents", "incidents/out-orders", "incidents/out-quotes"].map(str::to_owned);
    for dir in corpus.map(|d| format!("corpus/{d}")).iter().chain(&incidents) {
        out.extend(
            crate::left_out::shared(dir)
                .into_iter()
                .flat_map(|d| std::fs::read_dir(d).unwrap())
                .map(|e| e.unwrap().path()),
        );
    }
    out.retain(|p| p.is_file() && p.extension().is_none_or(|e| e != "gz"));
    out.sort();
    out
}

#[test]
fn parts_sum_to_the_time_that_view_2_calls_runnable() {
    let mut n = 0;
    for path in traces() {
        let Some((s, trace)) = sched(&path, ALWAYS) else { continue };
        let (index, at) = (trace.index(), path.display());
        let runnable: Duration = index.goroutines.iter().map(|g| g.times.runnable).sum();
        assert_eq!(s.all.parts.total(), runnable, "{at}");
        for g in &s.groups {
            let (name, got) = (index.group_name(g.group), g.all.parts);
            assert_eq!(got.total(), index.groups[g.group.index()].times.runnable, "{at} {name}");
            assert_eq!(g.behind.iter().map(|b| b.time).sum::<Duration>(), got.busy, "{at} {name}");
        }
        // Little's law; what two generations have in common is in the queue twice.
        let area = s.queue.area();
        let most = s.queue.max() as u128 * (s.queue.length() - s.length()).ns().max(0) as u128;
        let total = runnable.ns() as u128;
        assert!(area >= total && area <= total + most, "{at}: {area} {total}");
        n += 1;
    }
    assert!(n > 20, "only {n} traces");
}

#[test]
fn the_sample_waits_for_what_it_is_known_to_wait_for() {
    let (s, trace) = sample();
    let index = trace.index();
    let percent = |d: Duration| (d.ns() * 1000 + s.all.parts.total().ns() / 2) / s.all.parts.total().ns();
    let p = s.all.parts;
    assert_eq!([p.busy, p.idle, p.stw].map(percent), [778, 216, 6]);
    let g = s.groups.iter().find(|g| index.group_name(g.group) == "main.handle").unwrap();
    assert_eq!((g.all.parts.total().ns() + 50_000) / 100_000, 1964);
    let behind: Vec<(&str, i64)> =
        g.together().iter().map(|b| (index.group_name(b.0.unwrap()), (b.1.ns() + 50_000) / 100_000)).take(4).collect();
    let settle = "paycore/payment.(*Core).settle";
    assert_eq!(
        behind,
        [("main.handle", 616), ("runtime.gcBgMarkWorker", 338), (settle, 297), ("runtime.bgsweep", 156)]
    );
    assert_eq!(((s.queue_mean() * 1000.0).round(), s.queue.max()), (388.0, 9));
    for p in &s.procs {
        assert!(p.idle(s.length()) > Duration::ZERO);
    }
}

#[test]
fn windows_sum_to_the_whole() {
    let (whole, trace) = sample();
    let index = trace.index();
    let cuts: Vec<Time> = (0..=5).map(|i| index.start + Duration(index.duration().ns() * i / 5)).collect();
    let (mut parts, mut area) = (Parts::default(), 0);
    for w in cuts.windows(2) {
        let s = Scheduler::new((w[0], w[1]));
        assert!(trace.observe(&s, &|_| {}, &AtomicBool::new(false)));
        let s = s.finish(&index);
        // The sample's two generations have some microseconds in common.
        assert!((0..100_000).contains(&(s.queue.length() - s.length()).ns()));
        assert!(s.procs.iter().all(|p| p.idle(s.length()) <= s.length()));
        parts.add(s.all.parts);
        area += s.queue.area();
    }
    assert_eq!(parts, whole.all.parts);
    assert_eq!(area, whole.queue.area());
}

/// All waits for a P of a trace, and whose they are.
#[derive(Default)]
struct Each {
    waits: Vec<(Time, Time)>,
    gos: Vec<GoIdx>,
}

impl Visit for Each {
    fn end(&mut self, i: &Interval) {
        if i.state == GoState::Runnable {
            self.waits.push((i.from, i.to));
            self.gos.push(i.go);
        }
    }
}

#[test]
fn waits_that_are_split_one_by_one_give_the_same_sums() {
    for path in ["sample-traces/trace.out", "sample-traces/go1.22-trace.out", "sample-traces/go1.21-trace.out"] {
        let (s, trace) = sched(Path::new(path), ALWAYS).unwrap();
        let index = trace.index();
        let mut each = Each::default();
        tracker::each(&trace, &mut each).unwrap();
        assert_eq!(each.waits.len() as u64, s.all.count, "{path}");
        let (mut parts, mut behind) = (BTreeMap::<GroupId, Parts>::new(), BTreeMap::<_, Duration>::new());
        let splits = split(&index, &each.waits, &mut |i| Ok(trace.segment(i)?)).unwrap();
        for ((w, go), split) in each.waits.iter().zip(&each.gos).zip(splits) {
            assert_eq!(split.parts.total(), w.1 - w.0);
            let group = index.goroutines[go.index()].group;
            parts.entry(group).or_default().add(split.parts);
            for b in &split.behind {
                let of = index.goroutine(b.go).map(|g| g.group);
                *behind.entry((group, of, b.in_syscall)).or_default() += b.time;
            }
        }
        for g in s.groups.iter().filter(|g| g.all.count > 0) {
            let name = index.group_name(g.group);
            assert_eq!(parts[&g.group], g.all.parts, "{path} {name}");
            for b in &g.behind {
                let other = behind.get(&(g.group, b.group, b.in_syscall)).copied().unwrap_or_default();
                // Each division loses less than a nanosecond; what two generations have in common is charged to one of
                // those that ran.
                let apart = (other - b.time).ns().unsigned_abs();
                assert!(apart <= 64 * g.all.count + b.time.ns() as u64 / 1000 + 100_000, "{path} {name} {apart} {b:?}");
            }
        }
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below as u64) as usize
    }
}

/// A scheduler that does as it likes, and a count of what each nanosecond was spent on.
struct Play {
    dice: Dice,
    now: i64,
    gos: Vec<GoState>,
    of: Vec<Option<usize>>,
    procs: Vec<bool>,
    stops: usize,
    told: (Vec<bool>, Vec<bool>),
    events: Events,
    parts: Vec<Parts>,
    /// In 1/27720 of a nanosecond, which eleven Ps and fewer divide.
    behind: BTreeMap<(usize, Option<usize>, bool), i64>,
    queue: i64,
}

const UNIT: i64 = 27720;

impl Play {
    fn row(&mut self, kind: Kind, go: Option<usize>, proc: Option<usize>, arg: u32) {
        let number = |g: Option<usize>| g.map_or(NONE, |g| g as u32);
        let stack = if matches!(kind, Kind::GoStatus | Kind::GoBlock) { number(go) } else { NONE };
        let proc = proc.map_or(NONE16, |p| p as u16);
        let (go, by, time) = (number(go), NONE, Time(self.now));
        self.events.push(Row { time, kind, go, by, stack, arg, proc, thread: 0 });
    }

    /// What the runtime says of a goroutine or a P before it says anything else of it.
    fn state(&mut self, g: usize) {
        if !std::mem::replace(&mut self.told.0[g], true) {
            let (state, p) = (self.gos[g], self.of[g]);
            if let Some(p) = p {
                self.proc(p);
            }
            self.row(Kind::GoStatus, Some(g), p, state as u32);
        }
    }

    fn proc(&mut self, p: usize) {
        if !std::mem::replace(&mut self.told.1[p], true) {
            let state = if self.procs[p] { ProcState::Running } else { ProcState::Idle };
            let arg = self.events.push_wide(Args::of_proc(p as u16, state, false));
            self.row(Kind::ProcStatus, None, None, arg);
        }
    }

    fn pass(&mut self) {
        for _ in 0..self.dice.roll(4) {
            let on: Vec<usize> = (0..self.gos.len()).filter(|&g| self.of[g].is_some()).collect();
            for g in (0..self.gos.len()).filter(|&g| self.gos[g] == GoState::Runnable) {
                let parts = &mut self.parts[g];
                self.queue += 1;
                if self.stops > 0 {
                    parts.stw += Duration(1);
                } else if self.procs.contains(&false) {
                    parts.idle += Duration(1);
                } else {
                    parts.busy += Duration(1);
                    for &h in &on {
                        let syscall = self.gos[h] == GoState::Syscall;
                        *self.behind.entry((g, Some(h), syscall)).or_default() += UNIT / on.len() as i64;
                    }
                    if on.is_empty() {
                        *self.behind.entry((g, None, false)).or_default() += UNIT;
                    }
                }
            }
            self.now += 1;
        }
    }

    fn step(&mut self) {
        use GoState::{NotExist, Runnable, Running, Syscall, Waiting};
        self.pass();
        let g = self.dice.roll(self.gos.len());
        if self.gos[g] != NotExist {
            self.state(g);
        }
        let free = (0..self.procs.len()).find(|p| self.procs[*p] && !self.of.contains(&Some(*p)));
        let (state, p) = (self.gos[g], self.of[g]);
        let (kind, next, proc) = match (state, self.dice.roll(4)) {
            (NotExist, 0) => (Kind::GoCreate, Runnable, None),
            (Runnable, 0..3) if free.is_some() => (Kind::GoStart, Running, free),
            (Waiting, 0..2) => (Kind::GoUnblock, Runnable, None),
            (Running, 0) => (Kind::GoBlock, Waiting, None),
            (Running, 1) => (Kind::GoStop, Runnable, None),
            (Running, 2) => (Kind::GoSyscallBegin, Syscall, p),
            (Running, 3) if self.dice.roll(3) == 0 => (Kind::GoDestroy, NotExist, None),
            (Syscall, 0) if p.is_some() => (Kind::GoSyscallEnd, Running, p),
            (Syscall, 1) if p.is_none() => (Kind::GoSyscallEndBlocked, Runnable, None),
            (Syscall, 2) if p.is_some() => {
                self.row(Kind::ProcSteal, None, None, p.unwrap() as u32);
                self.procs[p.unwrap()] = false;
                self.of[g] = None;
                return;
            }
            _ => return self.other(free),
        };
        if let Some(p) = proc {
            self.proc(p);
        }
        self.told.0[g] = true;
        let arg = if kind == Kind::GoCreate { g as u32 } else { NONE };
        self.row(kind, Some(g), proc.or(p), arg);
        (self.gos[g], self.of[g]) = (next, proc);
    }

    fn other(&mut self, free: Option<usize>) {
        let p = self.dice.roll(self.procs.len());
        match (self.dice.roll(8), free) {
            (0, _) if self.stops == 0 => (self.stops, _) = (1, self.row(Kind::StwBegin, Some(0), None, NONE)),
            (1..3, _) if self.stops > 0 => (self.stops, _) = (0, self.row(Kind::StwEnd, Some(0), None, NONE)),
            (3, Some(p)) => {
                self.proc(p);
                self.row(Kind::ProcStop, None, Some(p), p as u32);
                self.procs[p] = false;
            }
            (4..8, _) if !self.procs[p] => {
                self.proc(p);
                self.row(Kind::ProcStart, None, None, p as u32);
                self.procs[p] = true;
            }
            _ => {}
        }
    }
}

fn play(seed: u64) -> Play {
    let mut dice = Dice(seed);
    let (ps, n) = (1 + dice.roll(4), 2 + dice.roll(6));
    let procs: Vec<bool> = (0..ps).map(|_| dice.roll(3) > 0).collect();
    let mut of = vec![None; n];
    let mut gos = Vec::new();
    for g in 0..n {
        let free = (0..ps).find(|&p| procs[p] && !of.contains(&Some(p)));
        let (state, p) = match (dice.roll(6), free) {
            (0, _) => (GoState::NotExist, None),
            (1, _) => (GoState::Waiting, None),
            (2, _) => (GoState::Runnable, None),
            (3, _) => (GoState::Syscall, None),
            (_, Some(p)) => (GoState::Running, Some(p)),
            _ => (GoState::Runnable, None),
        };
        gos.push(state);
        of[g] = p;
    }
    let told = (vec![false; n], vec![false; ps]);
    let (events, parts, behind) = (Events::default(), vec![Parts::default(); n], BTreeMap::new());
    let mut play = Play { dice, now: 100, gos, of, procs, stops: 0, told, events, parts, behind, queue: 0 };
    let arg = play.events.push_wide(Args::of_value(ps as u64));
    play.row(Kind::ProcsChange, None, None, arg);
    for _ in 0..play.dice.roll(150) {
        play.step();
    }
    play.pass();
    for g in 0..n {
        if play.gos[g] != GoState::NotExist {
            play.state(g);
        }
    }
    (0..ps).for_each(|p| play.proc(p));
    let arg = play.events.push_wide(Args::of_value(1));
    play.row(Kind::HeapAlloc, None, None, arg);
    play
}

#[test]
fn every_nanosecond_of_small_random_traces_is_charged_right() {
    let mut busy = 0;
    for seed in 0..1000 {
        let p = play(seed);
        let n = p.gos.len();
        let (mut tables, mut index) =
            (Tables::default(), Index { start: Time(100), end: Time(p.now), ..Index::default() });
        for g in 0..n {
            let name = format!("g{g}");
            let func = tables.strings.push(name.as_bytes());
            tables.stacks.push([WireFrame { pc: 0, func, file: NONE, line: 1 }]);
            let name = index.dict.string(&name);
            index.groups.push(Group { name, ..Group::default() });
            let mut row = Goroutine::new(GoId(g as u64 + 1), Time(100));
            row.group = GroupId(g as u32);
            index.goroutines.push(row);
        }
        let scheduler = Scheduler::new(ALWAYS);
        let mut watch = scheduler.unit(Time(100), &tables, seed % 2 == 0);
        watch.events(&p.events);
        watch.end();
        let gos = (0..n as u32).map(GoIdx).collect();
        let handles = Handles { gos, procs: (0..p.procs.len() as u16).map(ProcIdx).collect(), threads: Vec::new() };
        watch.commit(&Names { handles: &handles, maps: &Maps::default(), recording: 0 }, Time::MIN);
        let s = scheduler.finish(&index);
        assert_eq!(s.queue.area(), p.queue as u128, "{seed}");
        for (g, want) in p.parts.iter().enumerate() {
            let got = s.groups.iter().find(|x| x.group == GroupId(g as u32));
            assert_eq!(got.map_or(Parts::default(), |g| g.all.parts), *want, "{seed} g{g}");
            for (&(_, h, syscall), &units) in p.behind.iter().filter(|b| b.0.0 == g) {
                let group = h.map(|h| GroupId(h as u32));
                let mut behind = got.unwrap().behind.iter();
                let behind = behind.find(|b| b.in_syscall == syscall && b.group == group);
                let ns = behind.map_or(0, |b| b.time.ns());
                assert!((ns * UNIT - units).abs() <= 2 * UNIT, "{seed} g{g} {h:?} {ns} {units}");
                busy += 1;
            }
        }
    }
    assert!(busy > 500, "only {busy}");
}
