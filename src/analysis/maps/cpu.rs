//! CPU samples by line, operation and class.

use super::stack::{self, Around, Call, Functions, Place};
use super::{Line, Operation};
use crate::base::{Duration, StackId};
use crate::model::{Index, lens};
use crate::profile::model::Profile;
use std::collections::BTreeMap;

/// Time that a CPU sample of a trace stands for, unless the program set another rate.
const SAMPLE: i64 = 10_000_000;

/// One line.
#[derive(Default)]
struct At {
    ns: i64,
    operations: BTreeMap<usize, Vec<u64>>,
    growth_alloc: u64,
    around: Around,
}

/// CPU samples, summed up.
#[derive(Default)]
pub(super) struct Fold {
    /// All samples.
    pub samples: u64,
    /// Their time.
    pub ns: i64,
    lines: BTreeMap<Place, At>,
    conversions: BTreeMap<Place, u64>,
    functions: Functions,
}

impl Fold {
    fn add(&mut self, stack: &[Call<'_>], n: u64, ns: i64) {
        self.samples = self.samples.saturating_add(n);
        self.ns = self.ns.saturating_add(ns);
        let Some(split) = self.functions.split(stack) else { return };
        let place = || stack[split.user].place();
        if split.converts {
            *self.conversions.entry(place()).or_default() += n;
        }
        // Every operation is of some class; a test of the lens holds that.
        let Some((operation, class)) = split.found.and_then(|f| Some((f.operation, f.class?))) else { return };
        let classes = lens::maps().classes.len();
        let at = self.lines.entry(place()).or_default();
        at.ns = at.ns.saturating_add(ns);
        let of = at.operations.entry(operation).or_insert_with(|| vec![0; classes]);
        of[class] = of[class].saturating_add(n);
        if split.allocates && lens::maps().classes[class].name == "growth" {
            at.growth_alloc += n;
        }
        self.functions.around(stack, split.user, &mut at.around);
    }

    /// Adds the samples of a trace.
    pub(super) fn trace(&mut self, index: &Index) {
        for (&stack, &n) in &index.totals.samples {
            self.add(
                &stack::of_trace(&index.dict, stack),
                n,
                SAMPLE.saturating_mul(i64::try_from(n).unwrap_or(i64::MAX)),
            );
        }
    }

    /// Adds one sample of a trace.
    pub(super) fn one(&mut self, index: &Index, stack: StackId) {
        self.add(&stack::of_trace(&index.dict, stack), 1, SAMPLE);
    }

    /// Adds those of a CPU profile, and says how many it has.
    pub(super) fn profile(&mut self, p: &Profile) -> u64 {
        let before = self.samples;
        let at = |kind: &str| p.sample_types.iter().position(|t| p.str(t.kind) == kind);
        let (time, count) = (at("cpu"), at("samples"));
        let period = if p.period > 0 { p.period } else { SAMPLE };
        for s in &p.samples {
            let values = p.values_of(s);
            let value = |i: Option<usize>| i.and_then(|i| values.get(i)).copied();
            let n = value(count).or_else(|| value(time).map(|ns| ns / period)).unwrap_or(0).max(0);
            let ns = value(time).unwrap_or_else(|| n.saturating_mul(period));
            self.add(&stack::of_profile(p, s), n.unsigned_abs(), ns);
        }
        self.samples - before
    }

    /// Samples in operations on maps.
    pub(super) fn map_samples(&self) -> u64 {
        self.lines.values().flat_map(|at| at.operations.values().flatten()).sum()
    }

    /// Their time.
    pub(super) fn map_ns(&self) -> i64 {
        self.lines.values().fold(0, |sum: i64, at| sum.saturating_add(at.ns))
    }

    /// Whether maps are Swiss, if the functions tell.
    pub(super) fn swiss(&self) -> Option<bool> {
        self.functions.swiss()
    }

    /// The lines, the most expensive first, each with the user code around it.
    pub(super) fn lines(&self) -> Vec<(Line, Around)> {
        let lens = lens::maps();
        let line = |(place, at): (&Place, &At)| {
            let mut classes = vec![0; lens.classes.len()];
            let mut operations: Vec<Operation> = Vec::new();
            for (&i, of) in &at.operations {
                classes.iter_mut().zip(of).for_each(|(sum, n)| *sum += n);
                let name = lens.operations[i].name.as_str();
                operations.push(Operation { name, samples: of.iter().sum(), classes: of.clone() });
            }
            operations.sort_by(|a, b| b.samples.cmp(&a.samples).then_with(|| a.name.cmp(b.name)));
            let line = Line {
                place: place.clone(),
                samples: classes.iter().sum(),
                cpu: Duration(at.ns),
                operations,
                classes,
                growth_alloc: at.growth_alloc,
                conversions: self.conversions.get(place).copied().unwrap_or(0),
                ..Line::default()
            };
            (line, at.around.clone())
        };
        let mut out: Vec<(Line, Around)> = self.lines.iter().map(line).filter(|l| l.0.samples > 0).collect();
        out.sort_by(|a, b| (b.0.cpu, b.0.samples).cmp(&(a.0.cpu, a.0.samples)).then_with(|| a.0.place.cmp(&b.0.place)));
        out
    }
}
