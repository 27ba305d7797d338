//! A profile summed up, pass by pass over its samples.

use super::{Ask, Cost, Hot, Profiled, Row, facets};
use crate::analysis::cost::flame;
use crate::analysis::cost::flame::{Layout, Tree, Weighed};
use crate::base::text::escape;
use crate::base::{FrameId, StackId, StringId};
use crate::model::Dict;
use crate::model::reasons::TABLE;
use crate::profile::model::{Function, Profile, Sample};
use crate::profile::ops::aggregate::Keep;
use crate::profile::ops::graph::{Places, Trim, Trimmed, Weights};
use crate::query;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};

/// Share of the total below which a function has no say in the unit that all values are shown in, as with `top`.
const MINOR: f64 = 0.005;

/// Why a profile was not summed up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SumError {
    /// The query is not one.
    #[error(transparent)]
    Query(#[from] query::QueryError),
    /// The query has a pattern that is too large.
    #[error(transparent)]
    Pattern(#[from] query::CompileError),
    /// It was cancelled.
    #[error("no longer wanted")]
    Cancelled,
}

impl Profiled {
    /// Sums the profile up.
    ///
    /// # Errors
    ///
    /// The query is not one, or `cancel` was set meanwhile.
    pub fn sum_up(&self, ask: &Ask, cancel: &AtomicBool) -> Result<Hot, SumError> {
        let marks = self.marks(ask)?;
        // The scaled values stand behind the others.
        let first = if ask.normalize && self.normalized.is_ok() { self.kinds().len() } else { 0 };
        let weights = Weights { index: first + ask.kind, mean: false };
        let sum = Sum { of: self, ask, cancel, weights, counter: self.counter(ask.kind) };
        sum.go_on()?;
        let mut p = self.profile.clone();
        let (total, count_of_all) = (sum.total(&p), sum.counted(&p));
        let left = self.left(&ask.cuts);
        p.samples = left.iter().map(|&i| p.samples[i]).collect();
        sum.go_on()?;
        let values = |s: &Sample| (sum.value(&p, s), sum.before(&p, s), sum.count(&p, s));
        let facets = facets::facets(&p, &self.units, values);
        if ask.grouped {
            p.functions.iter_mut().zip(&self.families).for_each(|(f, &family)| f.name = family);
        }
        sum.go_on()?;
        let mut frames = self.frames[usize::from(ask.grouped)].clone();
        let meant = self.meant(marks.as_ref(), &frames);
        if ask.mine {
            self.charge(&mut p, &mut frames);
        }
        sum.go_on()?;
        let dict = &self.index.dict;
        let costs = costs(&p, &frames, weights, dict);
        sum.go_on()?;
        let tree = sum.tree(&p, &left, &meant);
        let change = self.compared.then(|| p.samples.iter().fold(0i64, |t, s| t.wrapping_add(sum.value(&p, s))));
        let counted = (sum.counter_name(), sum.counted(&p), count_of_all);
        sum.go_on()?;
        let mut named = by_name(&p);
        let places = Places::new(&mut named, false);
        sum.go_on()?;
        let graph = Trimmed::new(&named, &places, weights, Trim::NOTHING);
        sum.go_on()?;
        let rows = sum.rows(&p, &named, &graph, &costs, &meant);
        sum.go_on()?;
        let calls = |incoming: bool| {
            let list = graph.graph.sorted_edges(&graph.names, incoming).into_iter();
            let other = |e: &crate::profile::ops::graph::Edge| if incoming { e.from } else { e.to } as usize;
            let known = rows.len();
            list.map(|l| l.iter().map(|e| (other(e), e.weight.get())).filter(|c| c.0 < known).collect()).collect()
        };
        let (callers, callees) = (calls(true), calls(false));
        Ok(Hot {
            total,
            left: sum.total(&p),
            change,
            counted,
            range: range(&rows, total),
            rows,
            callers,
            callees,
            lines: lines(costs, dict),
            facets,
            tree,
            filtered: marks.is_some(),
        })
    }

    /// The query, if it says anything of functions.
    fn marks(&self, ask: &Ask) -> Result<Option<query::Compiled>, SumError> {
        let Some(text) = &ask.query else { return Ok(None) };
        let compiled = query::Compiled::new(&query::parse(text)?, &self.index, &*TABLE)?;
        Ok(Some(compiled).filter(query::Compiled::has_frames))
    }
}

/// What all passes need.
struct Sum<'a> {
    of: &'a Profiled,
    ask: &'a Ask,
    cancel: &'a AtomicBool,
    weights: Weights,
    /// Position of the sample type that counts samples.
    counter: Option<usize>,
}

impl Sum<'_> {
    /// Asked between passes over the samples.
    fn go_on(&self) -> Result<(), SumError> {
        if self.cancel.load(Ordering::Relaxed) { Err(SumError::Cancelled) } else { Ok(()) }
    }

    fn value(&self, p: &Profile, s: &Sample) -> i64 {
        self.weights.of(p.values_of(s)).value
    }

    /// Samples are counted as they were taken, whatever they are scaled to; those from before have negative values.
    fn count(&self, p: &Profile, s: &Sample) -> i64 {
        let n = self.counter.map_or(1, |c| Weights { index: c, mean: false }.of(p.values_of(s)).value);
        if self.of.compared { n.saturating_abs() } else { n }
    }

    fn counted(&self, p: &Profile) -> i64 {
        p.samples.iter().fold(0i64, |t, s| t.saturating_add(self.count(p, s)))
    }

    fn counter_name(&self) -> String {
        let name = self.counter.and_then(|c| self.of.kinds().nth(c)).map_or("stacks", |k| k.0);
        escape(name).into_owned()
    }

    fn before(&self, p: &Profile, s: &Sample) -> i64 {
        match self.of.compared && p.is_diff_base(s) {
            true => self.value(p, s).wrapping_neg(),
            false => 0,
        }
    }

    /// As in pprof's reports the total of a comparison is that of the profile from before.
    fn total(&self, p: &Profile) -> i64 {
        let of_total = p.samples.iter().filter(|s| !self.of.compared || p.is_diff_base(s));
        of_total.fold(0i64, |t, s| t.wrapping_add(self.value(p, s).wrapping_abs()))
    }

    /// The call tree of the samples `left`.
    fn tree(&self, p: &Profile, left: &[usize], meant: &FxHashSet<FrameId>) -> Tree {
        let (grouped, mine) = (usize::from(self.ask.grouped), usize::from(self.ask.mine));
        let mut by_stack: FxHashMap<StackId, usize> = FxHashMap::default();
        let mut weighed: Vec<(StackId, i64)> = Vec::new();
        for (&i, s) in left.iter().zip(&p.samples) {
            let (stack, value) = (self.of.stacks[i][grouped][mine], self.value(p, s));
            let at = *by_stack.entry(stack).or_insert(weighed.len());
            match weighed.get_mut(at) {
                Some(w) => w.1 = w.1.saturating_add(value),
                None => weighed.push((stack, value)),
            }
        }
        let weigh = weighed.into_iter().map(|(stack, value)| {
            Weighed::new(stack, if self.ask.less { value.saturating_neg() } else { value }.max(0) as u64)
        });
        let matches = |f: FrameId| meant.contains(&f);
        let layout = Layout { lens: self.ask.lens, ..Layout::default() };
        flame::tree(&self.of.index.dict, &weigh.collect::<Vec<_>>(), layout, &matches)
    }

    /// The functions, in the order of the graph `t` of the functions by their names.
    fn rows(&self, p: &Profile, named: &Profile, t: &Trimmed, costs: &[Cost], marked: &FxHashSet<FrameId>) -> Vec<Row> {
        // A function's name stands for all functions of that name; its costliest line for its source.
        let dict = &self.of.index.dict;
        let mut heaviest: FxHashMap<&str, Cost> = FxHashMap::default();
        let mut meant: FxHashMap<&str, bool> = FxHashMap::default();
        for (i, c) in costs.iter().enumerate().filter(|(_, c)| (c.flat, c.cum) != (0, 0)) {
            let frame = FrameId(i as u32);
            let name = dict.func_name(dict.frame_of(frame).func);
            let best = heaviest.entry(name).or_insert(*c);
            if c.size() > best.size() {
                *best = *c;
            }
            *meant.entry(name).or_default() |= marked.contains(&frame);
        }
        let own: FxHashMap<&str, bool> =
            p.functions.iter().zip(&self.of.own).map(|(f, &own)| (p.str(f.name), own)).collect();
        let row = |(n, shown): (&crate::profile::ops::graph::Node, &String)| {
            let name = named.str(n.info.name);
            Row {
                name: shown.clone(),
                func: name.to_string(),
                flat: n.flat.get(),
                cum: n.cum.get(),
                before: 0,
                samples: 0,
                counted: self.of.is_census(self.ask.kind),
                frame: heaviest.get(name).map_or(FrameId::NONE, |c| c.frame),
                own: own.get(name).copied().unwrap_or(false),
                matched: meant.get(name).copied().unwrap_or(false),
            }
        };
        let mut rows: Vec<Row> = t.graph.nodes.iter().zip(&t.names).map(row).collect();
        self.pass_through(p, &mut rows);
        rows
    }

    /// Counts what passed through each function.
    fn pass_through(&self, p: &Profile, rows: &mut [Row]) {
        let position: FxHashMap<&str, usize> = rows.iter().enumerate().map(|(i, r)| (r.func.as_str(), i)).collect();
        let of = |f: &Function| position.get(p.str(f.name)).copied();
        let of: Vec<Option<usize>> = p.functions.iter().map(of).collect();
        let mut seen = vec![0usize; rows.len()];
        for (i, s) in p.samples.iter().enumerate() {
            for n in p.stack_of(s).iter().flat_map(|&l| p.lines_of(&p.locations[l as usize])) {
                if let Some(r) = of[n.function as usize].filter(|&r| std::mem::replace(&mut seen[r], i + 1) != i + 1) {
                    rows[r].samples = rows[r].samples.wrapping_add(self.count(p, s));
                    rows[r].before = rows[r].before.wrapping_add(self.before(p, s));
                }
            }
        }
    }
}

/// The same with functions that are known by their names alone.
fn by_name(p: &Profile) -> Profile {
    let mut named = p.clone();
    named.aggregate(Keep {
        inlined: true,
        functions: true,
        files: false,
        lines: false,
        columns: false,
        addresses: false,
    });
    named
}

/// Lowest and highest value for which a common unit is to be found.
fn range(rows: &[Row], total: i64) -> (i64, i64) {
    let least = (total as f64 * MINOR) as i64;
    let smallest = rows.iter().filter(|r| r.cum.wrapping_abs() >= least).map(|r| match r.flat.wrapping_abs() {
        0 => r.cum.wrapping_abs(),
        flat => flat,
    });
    (smallest.filter(|&v| v > 0).min().unwrap_or(total), total)
}

/// By the functions' names, those of their lines that cost anything, the costliest first.
fn lines(costs: Vec<Cost>, dict: &Dict) -> FxHashMap<StringId, Vec<Cost>> {
    let mut lines: FxHashMap<StringId, Vec<Cost>> = FxHashMap::default();
    for c in costs.into_iter().filter(|c| (c.flat, c.cum) != (0, 0)) {
        let func = dict.funcs()[dict.frame_of(c.frame).func.0 as usize];
        lines.entry(func.name).or_default().push(c);
    }
    for l in lines.values_mut() {
        l.sort_by_key(|c| (Reverse(c.size()), dict.frame_of(c.frame).line));
    }
    lines
}

/// What each line cost, by itself and with all that it called; once for each sample, however often it is on the stack.
fn costs(p: &Profile, frames: &[FrameId], weights: Weights, dict: &Dict) -> Vec<Cost> {
    let none = |i| Cost { frame: FrameId(i as u32), flat: 0, cum: 0 };
    let mut costs: Vec<Cost> = (0..dict.frames().len()).map(none).collect();
    let mut seen = vec![0usize; costs.len()];
    for (i, s) in p.samples.iter().enumerate() {
        let w = weights.of(p.values_of(s)).value;
        let lines = p.stack_of(s).iter().flat_map(|&l| p.locations[l as usize].lines.range());
        for (n, line) in lines.enumerate() {
            let at = frames[line].index();
            if n == 0 {
                costs[at].flat = costs[at].flat.wrapping_add(w);
            }
            if std::mem::replace(&mut seen[at], i + 1) != i + 1 {
                costs[at].cum = costs[at].cum.wrapping_add(w);
            }
        }
    }
    costs
}
