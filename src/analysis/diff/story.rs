//! The few figures that tell whether a fix has helped: the CPU's share of map assignments, the objects allocated a second, the
//! slowest of the work, and how much work was done.

use super::{Diff, Facts, units};
use crate::base::Time;
use crate::profile::model::Profile;

/// What is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Figure {
    /// The part of the CPU samples in `runtime.mapassign*`, 0 to 1.
    MapAssign,
    /// Objects allocated a second.
    Objects,
    /// The 99th percentile of this work's lengths, in nanoseconds.
    P99(String),
    /// This work, a second.
    Throughput(String),
}

/// One figure, before and after; nothing where it is not known.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// What it is.
    pub figure: Figure,
    /// Before.
    pub a: Option<f64>,
    /// After.
    pub b: Option<f64>,
    /// Whether the difference may be chance; nothing of what is not tested.
    pub by_chance: Option<bool>,
}

/// The least part of the CPU samples in `runtime.mapassign*` that is worth a figure.
const LEAST_SHARE: f64 = 0.01;

/// The figures of a comparison.
pub fn story(a: &[Facts], b: &[Facts], d: &Diff) -> Vec<Told> {
    let share = |side: &[Facts]| {
        let (of, all) = side.iter().fold((0, 0), |sum, f| (sum.0 + f.map_assign, sum.1 + f.cpu_samples));
        (all > 0).then(|| of as f64 / all as f64)
    };
    let objects = |side: &[Facts]| {
        let all: Vec<f64> = side.iter().filter_map(|f| f.objects).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let mut out = vec![Told { figure: Figure::Objects, a: objects(a), b: objects(b), by_chance: None }];
    // Of a program that hardly assigns to maps that says nothing.
    let (before, after) = (share(a), share(b));
    if before.into_iter().chain(after).any(|x| x >= LEAST_SHARE) {
        out.insert(0, Told { figure: Figure::MapAssign, a: before, b: after, by_chance: None });
    }
    let work: Option<&units::Work> = d.per.as_ref().or(d.work.first());
    if let Some(w) = work {
        let mut tell = |figure, of: (f64, f64), by_chance| {
            out.push(Told { figure, a: Some(of.0), b: Some(of.1), by_chance: Some(by_chance) });
        };
        tell(Figure::P99(w.name.clone()), w.p99, w.p99_by_chance);
        tell(Figure::Throughput(w.name.clone()), w.rate, w.rate_by_chance);
    }
    out
}

/// Objects allocated a second between two heap profiles of one process; nothing if they do not say when they were taken, or
/// the second is not later.
pub fn objects_per_second(before: &Profile, after: &Profile) -> Option<f64> {
    let sum = |p: &Profile| {
        let i = p.sample_index("alloc_objects").ok()?;
        Some(p.samples.iter().filter_map(|s| p.values_of(s).get(i)).map(|v| i128::from(*v)).sum::<i128>())
    };
    let passed = Time(after.time_nanos) - Time(before.time_nanos);
    let more = sum(after)? - sum(before)?;
    (before.time_nanos > 0 && passed.ns() > 0 && more >= 0).then(|| more as f64 / passed.as_secs_f64())
}
