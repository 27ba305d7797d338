//! How much of the Ps the GC leaves to the program: u(t) = 1 − n(t)/P(t).
//!
//! n is P while the world is stopped for the GC; else how many Ps run a mark worker that is not idle, an assist, or, where
//! that is asked for, a sweep. A P that does two of these at once counts once. P is GOMAXPROCS.

use super::merge::Stint;
use super::series::{Series, Window};
use super::watch::Work;
use crate::base::{Duration, ProcIdx, Time};
use rustc_hash::FxHashMap;

/// What there is to know of the GC's work, in order of time.
pub struct Input<'a> {
    /// When Ps worked for the GC.
    pub stints: &'a [Stint],
    /// When the world was stopped for it: from, to.
    pub stops: &'a [(Time, Time)],
    /// GOMAXPROCS over time.
    pub procs: &'a [(Time, u64)],
    /// GOMAXPROCS before that, at least 1.
    pub first: u64,
    /// What is looked at.
    pub from: Time,
    /// Its end.
    pub to: Time,
}

/// What a stretch of time consists of: P-nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consists {
    /// Of all Ps, while the world was stopped.
    pub stw: u128,
    /// Of Ps that did each kind of work, in the order of [`Work::ALL`]; idle workers take nothing away.
    pub work: [u128; Work::ALL.len()],
    /// Of all Ps.
    pub whole: u128,
}

/// A stretch of time in which nothing changes.
struct Piece<'a> {
    from: Time,
    to: Time,
    stopped: bool,
    procs: u64,
    /// Ps by the first kind of work that they do.
    counts: &'a [u64; Work::ALL.len()],
}

/// What happens at an instant: work begins or ends on a P, the world stops or goes on, GOMAXPROCS changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Work(ProcIdx, Work, bool),
    Stop(bool),
    Procs(u64),
}

impl Input<'_> {
    fn changes(&self) -> Vec<(Time, Change)> {
        let mut out = Vec::with_capacity(2 * (self.stints.len() + self.stops.len()) + self.procs.len());
        for s in self.stints.iter().filter(|s| s.to > s.from && s.from < self.to) {
            out.push((s.from, Change::Work(s.proc, s.work, true)));
            out.push((s.to, Change::Work(s.proc, s.work, false)));
        }
        for &(from, to) in self.stops.iter().filter(|s| s.1 > s.0 && s.0 < self.to) {
            out.push((from, Change::Stop(true)));
            out.push((to, Change::Stop(false)));
        }
        out.extend(self.procs.iter().map(|&(t, p)| (t, Change::Procs(p.max(1)))));
        out.sort_unstable();
        out
    }

    fn walk(&self, changes: &[(Time, Change)], mut each: impl FnMut(&Piece)) {
        let mut on: FxHashMap<ProcIdx, [u32; Work::ALL.len()]> = FxHashMap::default();
        let (mut counts, mut stops, mut procs) = ([0u64; Work::ALL.len()], 0u32, self.first.max(1));
        let mut now = self.from;
        let first = |w: &[u32; Work::ALL.len()]| w.iter().position(|&n| n > 0);
        for &(t, change) in changes.iter().chain([&(self.to, Change::Procs(0))]) {
            let t = t.clamp(self.from, self.to);
            if t > now {
                each(&Piece { from: now, to: t, stopped: stops > 0, procs, counts: &counts });
                now = t;
            }
            match change {
                Change::Work(proc, work, begins) => {
                    let row = on.entry(proc).or_default();
                    if let Some(w) = first(row) {
                        counts[w] -= 1;
                    }
                    let n = &mut row[work as usize];
                    *n = if begins { *n + 1 } else { n.saturating_sub(1) };
                    if let Some(w) = first(row) {
                        counts[w] += 1;
                    }
                }
                Change::Stop(true) => stops += 1,
                Change::Stop(false) => stops = stops.saturating_sub(1),
                Change::Procs(0) => {}
                Change::Procs(p) => procs = p,
            }
        }
    }

    /// The part left to the program over all Ps, with sweeps taken for work of the GC or not.
    pub fn system(&self, sweeps: bool) -> Series {
        let changes = self.changes();
        let unit = unit(self.procs.iter().map(|p| p.1).chain([self.first]));
        let mut out = Series::new(self.from, self.to, unit);
        self.walk(&changes, |p| {
            let n: u64 = p.counts.iter().zip(Work::ALL).filter(|(_, w)| takes(*w, sweeps)).map(|(n, _)| n).sum();
            let rate = match p.stopped {
                true => unit,
                false => (u128::from(n.min(p.procs)) * u128::from(unit) / u128::from(p.procs)) as u64,
            };
            out.push(p.from, rate);
        });
        out
    }

    /// The same of each P: all or nothing. What a goroutine that runs on it has left, if it is interrupted.
    pub fn each_p(&self, sweeps: bool) -> Vec<(ProcIdx, Series)> {
        let mut procs: Vec<ProcIdx> = self.stints.iter().map(|s| s.proc).collect();
        procs.sort_unstable();
        procs.dedup();
        if procs.is_empty() {
            // Only stops, of all alike.
            procs.push(ProcIdx(0));
        }
        let one = |p: ProcIdx| {
            let stints: Vec<Stint> =
                self.stints.iter().filter(|s| s.proc == p && takes(s.work, sweeps)).copied().collect();
            let input = Input { stints: &stints, procs: &[], first: 1, ..*self };
            (p, input.system(sweeps))
        };
        procs.into_iter().map(one).collect()
    }

    /// What each of these windows consists of.
    pub fn consist(&self, windows: &[(Time, Time)]) -> Vec<Consists> {
        let mut out = vec![Consists::default(); windows.len()];
        self.walk(&self.changes(), |p| {
            for (w, sum) in windows.iter().zip(&mut out) {
                let d = (p.to.min(w.1) - p.from.max(w.0)).ns().max(0) as u128;
                sum.whole += d * u128::from(p.procs);
                if p.stopped {
                    sum.stw += d * u128::from(p.procs);
                } else {
                    let mut left = p.procs;
                    for (sum, n) in sum.work.iter_mut().zip(p.counts) {
                        let n = (*n).min(left);
                        left -= n;
                        *sum += d * u128::from(n);
                    }
                }
            }
        });
        out
    }
}

/// Whether a P that does this is taken away from the program.
fn takes(work: Work, sweeps: bool) -> bool {
    match work {
        Work::Dedicated | Work::Fractional | Work::Assist => true,
        Work::Sweep => sweeps,
        Work::Idle => false,
    }
}

/// A number that all these divide, so that parts of Ps are whole; if that is too large, one that is fine enough.
fn unit(procs: impl Iterator<Item = u64>) -> u64 {
    const MOST: u64 = 1 << 32;
    let gcd = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let lcm = |a: u64, p: u64| a.checked_mul(p / gcd(a, p)).filter(|&x| x <= MOST);
    procs.filter(|&p| p > 0).try_fold(1, lcm).unwrap_or(1 << 20)
}

/// The least of what each P leaves to whoever runs on it.
pub fn least_of(each: &[(ProcIdx, Series)], len: Duration) -> Option<Window> {
    let all = each.iter().filter_map(|(_, s)| s.least(len));
    all.min_by(|a, b| a.utilisation.total_cmp(&b.utilisation).then(a.from.cmp(&b.from)))
}
