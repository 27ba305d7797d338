//! Against a count of every nanosecond of small random inputs, and against what the sample is known to hold.

use super::merge::Stint;
use super::utilisation::least_of;
use super::*;
use crate::base::ProcIdx;
use crate::input;
use crate::read::Trace;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below as u64) as i64
    }
}

struct Random {
    stints: Vec<Stint>,
    stops: Vec<(Time, Time)>,
    procs: Vec<(Time, u64)>,
    first: u64,
    end: i64,
}

impl Random {
    fn new(seed: u64) -> Random {
        let mut d = Dice(seed);
        let end = 5 + d.roll(60);
        let span = |d: &mut Dice| {
            let from = d.roll(end);
            (Time(from), Time((from + d.roll(20)).min(end + 3)))
        };
        let ps = 1 + d.roll(4);
        let stints = (0..d.roll(12))
            .map(|_| {
                let (from, to) = span(&mut d);
                let work = Work::ALL[d.roll(5) as usize];
                Stint { work, proc: ProcIdx(d.roll(ps) as u16), from, to }
            })
            .collect();
        let stops = (0..d.roll(3)).map(|_| span(&mut d)).collect();
        let procs = (0..d.roll(3)).map(|_| (Time(d.roll(end)), 1 + d.roll(6) as u64)).collect();
        Random { stints, stops, procs, first: ps as u64, end }
    }

    fn input(&self) -> Input<'_> {
        let Random { stints, stops, procs, first, end } = self;
        Input { stints, stops, procs, first: *first, from: Time(0), to: Time(*end) }
    }

    /// What of each nanosecond is taken from the program; of one P, or of all.
    fn taken(&self, sweeps: bool, only: Option<ProcIdx>) -> Vec<f64> {
        let at = |t: i64| {
            let inside = |from: Time, to: Time| from.0 <= t && t < to.0;
            if self.stops.iter().any(|s| inside(s.0, s.1)) {
                return 1.0;
            }
            let mut procs: Vec<_> = self.procs.iter().filter(|p| p.0.0 <= t).collect();
            procs.sort();
            let p = if only.is_some() { 1 } else { procs.last().map_or(self.first, |p| p.1) };
            let mut on: Vec<ProcIdx> = self
                .stints
                .iter()
                .filter(|s| inside(s.from, s.to) && only.is_none_or(|p| p == s.proc))
                .filter(|s| s.work != Work::Idle && (sweeps || s.work != Work::Sweep))
                .map(|s| s.proc)
                .collect();
            on.sort();
            on.dedup();
            (on.len() as f64 / p as f64).min(1.0)
        };
        (0..self.end).map(at).collect()
    }
}

fn brute(taken: &[f64], len: usize) -> (f64, Vec<f64>) {
    let all: Vec<f64> = taken.windows(len).map(|w| 1.0 - w.iter().sum::<f64>() / len as f64).collect();
    (all.iter().copied().fold(1.0, f64::min), all)
}

#[test]
fn the_least_in_every_window_is_what_counting_nanoseconds_finds() {
    let mut below = 0;
    for seed in 0..1000 {
        let r = Random::new(seed);
        let input = r.input();
        for sweeps in [false, true] {
            let (series, taken) = (input.system(sweeps), r.taken(sweeps, None));
            let each = input.each_p(sweeps);
            for len in 1..=r.end {
                let (want, all) = brute(&taken, len as usize);
                let got = series.least(Duration(len)).unwrap();
                assert!((got.utilisation - want).abs() < 1e-6, "{seed} {sweeps} {len}: {got:?} {want}");
                let there = all[got.from.0 as usize];
                assert!((there - want).abs() < 1e-6, "{seed} {sweeps} {len}: it is not at {:?}", got.from);
                below += usize::from(want < 1.0);
                let procs = each.iter().map(|p| brute(&r.taken(sweeps, Some(p.0)), len as usize).0);
                let want = procs.fold(1.0, f64::min);
                let got = least_of(&each, Duration(len)).unwrap().utilisation;
                assert!((got - want).abs() < 1e-6, "{seed} {sweeps} {len} of a P: {got} {want}");
            }
            assert!(series.least(Duration(r.end + 1)).is_none(), "longer than the whole");
        }
    }
    assert!(below > 10_000, "only {below}");
}

#[test]
fn quantiles_are_what_so_many_windows_have() {
    for seed in 0..300 {
        let r = Random::new(seed);
        let (series, taken) = (r.input().system(true), r.taken(true, None));
        let len = 1 + seed as usize % (r.end as usize - 1);
        let (least, all) = brute(&taken, len);
        // Between two whole instants a window's part changes evenly.
        let fine: Vec<f64> = all
            .windows(2)
            .flat_map(|w| (0..64).map(move |i| w[0] + (w[1] - w[0]) * (f64::from(i) + 0.5) / 64.0))
            .collect();
        for (q, got) in [0.5, 0.95, 0.99].into_iter().zip(series.quantiles(Duration(len as i64), &[0.5, 0.95, 0.99])) {
            assert!(got >= least - 1e-5, "{seed}");
            let have = |v: f64| fine.iter().filter(|u| **u >= v).count() as f64 / fine.len().max(1) as f64;
            if !fine.is_empty() {
                assert!(have(got - 0.01) >= q - 0.04, "{seed} {len} {q}: {got} is had by {}", have(got - 0.01));
                assert!(got > 0.9999 || have(got + 0.01) <= q + 0.04, "{seed} {len} {q}: {got} {}", have(got + 0.01));
            }
        }
    }
}

#[test]
fn worst_windows_do_not_overlap_and_consist_of_what_was_taken() {
    for seed in 0..300 {
        let r = Random::new(seed);
        let (input, len) = (r.input(), 1 + seed as i64 % 9);
        let series = input.system(true);
        let worst = series.worst(Duration(len), 10);
        for (i, a) in worst.iter().enumerate() {
            assert!(worst[..i].iter().all(|b| (a.from - b.from).ns().abs() >= len && b.utilisation <= a.utilisation));
        }
        let spans: Vec<_> = worst.iter().map(|w| (w.from, w.from + w.len)).collect();
        for (w, c) in worst.iter().zip(input.consist(&spans)) {
            let work: u128 = c.work[..Work::Idle as usize].iter().sum();
            if r.procs.is_empty() {
                let part = 1.0 - (c.stw + work) as f64 / c.whole as f64;
                assert!((part - w.utilisation).abs() < 1e-6, "{seed}: {part} {w:?}");
            }
        }
    }
}

fn gc(path: &str, window: (Time, Time)) -> (Gc, Trace) {
    let input = input::open(Path::new(path)).expect("it is there");
    let trace = Trace::open(&input.name, input.bytes).expect("a trace");
    let c = Collector::new(window);
    trace.load_observed(Some(&c), &|_| {}, &AtomicBool::new(false));
    let gc = c.finish(&trace.index());
    (gc, trace)
}

#[test]
fn the_sample_leaves_the_program_what_it_is_known_to_leave() {
    let (gc, trace) = gc("sample-traces/trace.out", (Time::MIN, Time::MAX));
    let index = trace.index();
    let of = |len: i64| gc.mmu.iter().find(|m| m.least.len.ns() == len).unwrap();
    let ms = |t: Time| (t - index.start).ns() as f64 / 1e6;
    let one = of(1_000_000);
    assert_eq!(one.least.utilisation, 0.0);
    assert!((ms(one.least.from) - 455.8).abs() < 0.1, "{}", ms(one.least.from));
    let ten = of(10_000_000);
    assert!((ten.least.utilisation - 0.533).abs() < 0.0006, "{ten:?}");
    assert!((ten.without_sweeps - 0.535).abs() < 0.0006, "{ten:?}");
    assert_eq!(gc.mmu.last().unwrap().least.len, gc.length());
    assert!(gc.mmu.windows(2).all(|w| w[0].least.utilisation <= w[1].least.utilisation + 1e-9));
    // The same cycles, and as long, as the index has.
    let marks: Vec<(Time, Time)> = gc.cycles.iter().map(|c| (c.from, c.to.unwrap_or(index.end))).collect();
    let mut want: Vec<(Time, Time)> = index.gc.iter().map(|r| (r.from, r.to)).collect();
    want.sort();
    assert_eq!(marks, want);
    for c in gc.cycles.iter().filter(|c| c.to.is_some()) {
        assert_eq!(c.stops.len(), 2, "{c:?}");
        assert!(c.live < c.heap_start && c.live < c.next_goal, "{c:?}");
    }
    let line = |c: &&Cycle| index.dict.user_line(c.stack).is_some_and(|f| f.line == 47);
    assert_eq!((gc.cycles.len(), gc.cycles.iter().filter(line).count()), (7, 6));
}

#[test]
fn what_is_not_finished_counts_until_the_end_and_parts_sum() {
    for path in ["sample-traces/trace.out", "sample-traces/go1.21-trace.out", "sample-traces/go1.22-trace.out"] {
        let (gc, trace) = gc(path, (Time::MIN, Time::MAX));
        let index = trace.index();
        let marked: Duration = gc.cycles.iter().map(|c| c.marked(index.end)).sum();
        assert_eq!(gc.active, marked, "{path}");
        assert_eq!(gc.active, index.gc.iter().map(|r| r.to - r.from).sum(), "{path}");
        let assists = index.totals.ranges.iter().find(|r| index.dict.str(*r.0) == "GC mark assist");
        let wall: Duration = gc.assists.iter().map(|a| a.wall).sum();
        let n: u64 = gc.assists.iter().map(|a| a.count).sum();
        assert_eq!((n, wall), assists.map_or((0, Duration::ZERO), |(_, t)| (t.count, t.total)), "{path}");
        assert!(gc.assists.iter().all(|a| a.cpu <= a.wall), "{path}");
        // A half and a half are the whole.
        let middle = index.start + Duration(index.duration().ns() / 2);
        let halves = [(Time::MIN, middle), (middle, Time::MAX)].map(|w| {
            let c = Collector::new(w);
            assert!(trace.observe(&c, &|_| {}, &AtomicBool::new(false)));
            c.finish(&index)
        });
        let sum = |f: &dyn Fn(&Gc) -> u128| halves.iter().map(f).sum::<u128>();
        assert_eq!(sum(&|g| g.consists.stw), gc.consists.stw, "{path}");
        for w in Work::ALL {
            assert_eq!(sum(&|g| g.consists.work[w as usize]), gc.consists.work[w as usize], "{path} {w:?}");
        }
        assert_eq!(halves[0].active + halves[1].active, gc.active, "{path}");
    }
}

/// With GOGC=off the runtime's goal is the largest number there is: such a cycle has no room to fill.
#[test]
fn a_gc_that_is_off_has_no_goal_to_ask_about() {
    let cycle = |live, goal| Cycle { live: Some(live), next_goal: Some(goal), ..Cycle::new(1, Time(0)) };
    let ask = |cycles: &[Cycle]| what_if(&cycles.iter().collect::<Vec<_>>(), 1 << 30, Duration(1_000_000_000), 2);
    let off = [cycle(100 << 20, u64::MAX), cycle(100 << 20, i64::MAX as u64)];
    assert!(ask(&off).is_empty());
    let said = ask(&[cycle(100 << 20, 200 << 20), cycle(100 << 20, u64::MAX)]);
    assert_eq!((said[0].gogc, said[0].goal), (Some(100), 200 << 20));
    // Nor is any goal below that too large to reckon with.
    let said = ask(&[cycle(1, (1 << 62) - 1), cycle(1, (1 << 62) - 1)]);
    assert!(said.iter().all(|w| w.cycles < 1.0 && w.goal > 1 << 60), "{said:?}");
}

/// What rises in parts of a trace sums to what rises in all of it.
#[test]
fn what_was_allocated_in_parts_sums_to_the_whole() {
    use crate::base::Time;
    let points = [(1, 10), (3, 30), (5, 5), (7, 25), (9, 26)].map(|(t, v)| (Time(t), v));
    let all = super::rises(&points, Time(0), Time(9));
    assert_eq!(all, 20 + 20 + 1);
    for cut in 0..=9 {
        assert_eq!(super::rises(&points, Time(0), Time(cut)) + super::rises(&points, Time(cut), Time(9)), all, "{cut}");
    }
}

/// A trace twice in one file: what lies between the two recordings is no time in which the program ran undisturbed.
#[test]
fn the_time_between_recordings_is_in_no_window() {
    let path = "sample-traces/go1.22-trace.out";
    let (once, _) = gc(path, (Time::MIN, Time::MAX));
    let one = crate::input::open(path).unwrap().bytes.all().into_owned();
    let twice = [&one[..], &one[..]].concat();
    let trace = Trace::open("twice", crate::input::Bytes::Memory(twice.into())).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    let collector = Collector::new((Time::MIN, Time::MAX));
    assert!(trace.observe(&collector, &|_| {}, &AtomicBool::new(false)));
    let index = trace.index();
    let both = collector.finish(&index);
    assert_eq!(index.recordings.len(), 2);
    assert_eq!(both.mmu.last().unwrap().least.len, index.traced());
    assert_eq!(both.consists.whole, 2 * once.consists.whole);
    for (a, b) in once.mmu.iter().zip(&both.mmu) {
        // Windows across both may have less still, and never more.
        let longer = b.least.len > a.least.len;
        assert!(longer || b.least.utilisation <= a.least.utilisation + 1e-9, "{:?} {:?}", a.least, b.least);
    }
    let whole = |g: &Gc| g.mmu.last().unwrap().least.utilisation;
    assert!((whole(&both) - whole(&once)).abs() < 1e-6, "{} {}", whole(&both), whole(&once));
}
