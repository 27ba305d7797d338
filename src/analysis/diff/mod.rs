//! Compares recordings of a program: before and after, one or several a side.
//!
//! 1. Each trace gives, by names that the other has as well, how much time went where in each slice of some 100 ms, and how long
//!    waits, tasks, regions, requests and calls were.
//! 2. Lines of a function that has moved as a whole are matched with those where they were.
//! 3. Totals are compared by a block bootstrap over slices, or, where one side has none, by how many slices the other has
//!    any in; lengths by Mann and Whitney's U over the medians of slices, for what is close in time is alike, where they differ by
//!    more than a recording differs from itself over time; and their tails by how many lie beyond a limit; with five
//!    recordings or more a side, all by permutation over the recordings.
//! 4. Each test asks for more than the least change that counts. Of those of tasks, regions and spans, and of all others, as
//!    many are taken as found as Benjamini and Hochberg allow at 5 %.

mod facts;
mod lengths;
mod stats;
mod story;
mod tail;
mod units;

pub use story::{Figure, Told, objects_per_second, story};
pub use units::{Per, Work};

pub use facts::{Facts, Key, Measure, What};

use std::collections::{BTreeMap, BTreeSet};

/// The part of findings that may be false.
const RATE: f64 = 0.05;
/// The least part of wall time that counts.
const LEAST_WALL: f64 = 0.001;
/// Recordings a side from which on they are permuted: of four there are too few ways to do that for any to be rare.
pub const RUNS: usize = 5;
/// Fewest slices with lengths of which medians are taken.
const SLICES: usize = 8;
/// Fewest slices that must have any, if the trace has four times as many: what was once, at the start say, is no habit.
const HABIT: usize = 4;

/// What counts as a change.
#[derive(Clone, Debug)]
pub struct Options {
    /// The least change, as a part of what it was: 0.05.
    pub least: f64,
    /// What a unit of work is.
    pub per: Per,
}

impl Default for Options {
    /// Five per cent, by what the program does most where both sides have it.
    fn default() -> Options {
        Options { least: 0.05, per: Per::Auto }
    }
}

/// How something differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// More in B.
    Worse,
    /// Less in B.
    Better,
    /// Not in A.
    OnlyB,
    /// Not in B.
    OnlyA,
    /// Nothing that is more than chance, and large enough.
    Unchanged,
}

/// One side of a row.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Side {
    /// Nanoseconds a unit of work: a second of wall time, or a task.
    pub per_unit: f64,
    /// How often, of what has a length.
    pub count: u64,
    /// Of lengths the median, in nanoseconds.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// How something measured differs.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is; the line is B's, unless it is in A only.
    pub key: Key,
    /// A's line, if the function has moved.
    pub line_a: u32,
    /// Before.
    pub a: Side,
    /// After.
    pub b: Side,
    /// What changed: of a total the nanoseconds a unit, of lengths the shift after Hodges and Lehmann.
    pub change: f64,
    /// Of a shift its interval of 95 %.
    pub interval: Option<(f64, f64)>,
    /// What it costs, in nanoseconds a second of wall time.
    pub cost: f64,
    /// How likely the difference is by chance.
    pub p: f64,
    /// What that makes of it.
    pub verdict: Verdict,
}

impl Row {
    /// How much larger B is, as a part of A; nothing if A has none.
    pub fn ratio(&self) -> Option<f64> {
        let (a, b) = match self.key.measure {
            Measure::Length => (self.a.p50, self.a.p50 + self.change),
            Measure::Tail => (self.a.p99, self.b.p99),
            _ => (self.a.per_unit, self.b.per_unit),
        };
        (a > 0.0).then(|| b / a - 1.0)
    }
}

/// How two sides differ.
#[derive(Clone, Debug)]
pub struct Diff {
    /// Recordings of each side.
    pub runs: (usize, usize),
    /// Their length in seconds.
    pub seconds: (f64, f64),
    /// What a unit of work is; `None` for wall time.
    pub per: Option<Work>,
    /// What both sides did of work.
    pub work: Vec<Work>,
    /// How many were tested.
    pub tested: usize,
    /// All rows, those that differ first: lines, then the rest, then what was runnable; what costs most first.
    pub rows: Vec<Row>,
    /// What there is to know about the sides.
    pub notes: Vec<String>,
}

/// Compares two sides.
///
/// # Errors
///
/// There is no such unit of work on both sides.
pub fn diff(a: &[Facts], b: &[Facts], opts: &Options) -> Result<Diff, String> {
    let moved = moved(a, b);
    let a: Vec<Facts> = a.iter().map(|f| f.moved(&moved)).collect();
    let a = a.as_slice();
    let seconds = |f: &[Facts]| f.iter().map(|f| f.length.as_secs_f64()).sum::<f64>();
    let (seconds_a, seconds_b) = (seconds(a), seconds(b));
    let work = units::work(a, b, (seconds_a, seconds_b));
    let per = units::unit(&opts.per, (a, b), &work, (seconds_a, seconds_b))?;
    let scale = per.as_ref().map_or((1.0, 1.0), |p| (1.0 / p.rate.0, 1.0 / p.rate.1));
    let c = Compare { a, b, scale, seconds: (seconds_a, seconds_b), least: opts.least };
    let mut rows = c.rows(&moved);
    // What the program is there for, its tasks, regions and requests, is not lost among all the lines.
    let (own, rest): (Vec<usize>, Vec<usize>) = (0..rows.len())
        .filter(|i| c.counts(&rows[*i]))
        .partition(|i| matches!(rows[*i].key.what, What::Task | What::Region | What::Span));
    for family in [&own, &rest] {
        let p: Vec<f64> = family.iter().map(|i| rows[*i].p).collect();
        for (i, found) in family.iter().zip(stats::found(&p, RATE)) {
            if found {
                rows[*i].verdict = c.verdict(&rows[*i]);
            }
        }
    }
    keep_one_of_each_length(&mut rows);
    // Who waits longer for a P does so because of what others do.
    let follows = |r: &Row| r.key.measure == Measure::Runnable || r.key.what == What::Latency;
    let rank = |r: &Row| (r.verdict == Verdict::Unchanged, follows(r), r.key.what != What::Line);
    rows.sort_by(|x, y| rank(x).cmp(&rank(y)).then(y.cost.abs().total_cmp(&x.cost.abs())).then(x.key.cmp(&y.key)));
    let mut notes = Vec::new();
    if a.iter().any(|f| f.samples) != b.iter().any(|f| f.samples) {
        notes.push("only one side has CPU samples: lines on CPU differ by that alone".into());
    }
    if a.len() < RUNS || b.len() < RUNS {
        notes.push(format!("how much one run differs from the next is known from {RUNS} recordings a side on"));
    }
    Ok(Diff {
        runs: (a.len(), b.len()),
        seconds: (seconds_a, seconds_b),
        per,
        work,
        tested: own.len() + rest.len(),
        rows,
        notes,
    })
}

/// Where the median of lengths of waits has changed, that their tail did as well is no second thing. Of tasks, regions and
/// requests it is what people ask for.
fn keep_one_of_each_length(rows: &mut Vec<Row>) {
    let found = |r: &Row| r.verdict != Verdict::Unchanged;
    let medians: BTreeSet<(Key, Verdict)> = rows
        .iter()
        .filter(|r| r.key.measure == Measure::Length && found(r))
        .filter(|r| !matches!(r.key.what, What::Task | What::Region | What::Span))
        .map(|r| (Key { measure: Measure::Tail, ..r.key.clone() }, r.verdict))
        .collect();
    rows.retain(|r| !medians.contains(&(r.key.clone(), r.verdict)));
}

/// For each function by how many lines it has moved from A to B: the distance at which most of the time of its lines
/// meets, if that is far more than meets where the lines are.
fn moved(a: &[Facts], b: &[Facts]) -> BTreeMap<String, i64> {
    type Lines = BTreeMap<(i64, Measure), f64>;
    let lines = |side: &[Facts]| {
        let mut out: BTreeMap<String, Lines> = BTreeMap::new();
        for (key, slices) in side.iter().flat_map(|f| &f.totals).filter(|(k, _)| k.what == What::Line) {
            let of = out.entry(key.name.clone()).or_default();
            *of.entry((i64::from(key.line), key.measure)).or_default() += slices.iter().sum::<f64>();
        }
        out
    };
    let (lines_a, lines_b) = (lines(a), lines(b));
    let mut out = BTreeMap::new();
    for (name, of_a) in lines_a {
        let Some(of_b) = lines_b.get(&name) else { continue };
        let meet = |by: i64| {
            let of =
                |((line, measure), x): (&(i64, Measure), &f64)| of_b.get(&(line + by, *measure)).map(|y| x.min(*y));
            of_a.iter().filter_map(of).sum::<f64>()
        };
        let by: BTreeSet<i64> = of_a.keys().flat_map(|l| of_b.keys().map(move |m| m.0 - l.0)).collect();
        let best = by.into_iter().max_by(|x, y| meet(*x).total_cmp(&meet(*y)).then(y.abs().cmp(&x.abs())));
        out.extend(best.filter(|by| meet(*by) > 2.0 * meet(0)).map(|by| (name, by)));
    }
    out
}

impl Facts {
    /// How long a slice is, in seconds.
    fn slice_seconds(&self) -> f64 {
        (self.length.as_secs_f64() / self.slices.max(1) as f64).max(1e-9)
    }

    /// The same with lines where they are on the other side.
    fn moved(&self, moved: &BTreeMap<String, i64>) -> Facts {
        let mut out = self.clone();
        let to = |mut k: Key| {
            if let Some(by) = moved.get(&k.name).filter(|_| k.line > 0) {
                k.line = u32::try_from(i64::from(k.line) + by).unwrap_or(0);
            }
            k
        };
        out.totals = self.totals.clone().into_iter().map(|(k, v)| (to(k), v)).collect();
        out.lengths = self.lengths.clone().into_iter().map(|(k, v)| (to(k), v)).collect();
        out.counts = self.counts.clone().into_iter().map(|(k, v)| (to(k), v)).collect();
        out.longest = self.longest.clone().into_iter().map(|(k, v)| (to(k), v)).collect();
        out
    }
}

struct Compare<'a> {
    a: &'a [Facts],
    b: &'a [Facts],
    /// What a nanosecond a second is a unit, on each side.
    scale: (f64, f64),
    seconds: (f64, f64),
    least: f64,
}

impl Compare<'_> {
    fn rows(&self, moved: &BTreeMap<String, i64>) -> Vec<Row> {
        let sides = || self.a.iter().chain(self.b);
        let totals: BTreeSet<&Key> = sides().flat_map(|f| f.totals.keys()).collect();
        let lengths: BTreeSet<&Key> = sides().flat_map(|f| f.lengths.keys()).collect();
        let mut rows: Vec<Row> = totals.into_iter().map(|k| self.total(k)).collect();
        let lengths: Vec<Row> = lengths.into_iter().map(|k| self.length(k)).collect();
        let sides =
            tail::Sides { a: self.a, b: self.b, seconds: self.seconds, least: self.least, by_runs: self.by_runs() };
        // Tails of what waits for a P are those of what runs.
        let own = lengths.iter().filter(|r| r.key.what != What::Latency);
        let tails: Vec<Row> = own.filter_map(|r| sides.row(r)).collect();
        rows.extend(lengths);
        rows.extend(tails);
        for r in &mut rows {
            let by = moved.get(&r.key.name).copied().unwrap_or(0);
            r.line_a = u32::try_from(i64::from(r.key.line) - by).unwrap_or(0);
            if r.b.per_unit == 0.0 && r.b.count == 0 {
                r.key.line = r.line_a;
            }
        }
        rows
    }

    /// Whether several recordings a side say how much one differs from the next.
    fn by_runs(&self) -> bool {
        self.a.len() >= RUNS && self.b.len() >= RUNS
    }

    fn total(&self, key: &Key) -> Row {
        let slices = |side: &[Facts], scale: f64| {
            let of = |f: &Facts| match f.totals.get(key) {
                Some(all) => all.iter().map(|x| x / f.slice_seconds() * scale).collect(),
                None => vec![0.0; f.slices],
            };
            side.iter().map(of).collect::<Vec<Vec<f64>>>()
        };
        let (a, b) = (slices(self.a, self.scale.0), slices(self.b, self.scale.1));
        let runs = |x: &[Vec<f64>]| x.iter().map(|x| stats::mean(x)).collect::<Vec<f64>>();
        let p = if self.by_runs() {
            stats::permutation(&runs(&a), &runs(&b), self.least)
        } else {
            let (a, b) = (a.concat(), b.concat());
            stats::bootstrap(&a, &b, self.least).min(stats::presence(&a, &b))
        };
        // Of all that was traced: recordings of different lengths have slices of different lengths.
        let mean = |side: &[Facts], seconds: f64, scale: f64| {
            let sum: f64 = side.iter().filter_map(|f| f.totals.get(key)).flatten().sum();
            sum / seconds.max(1e-9) * scale
        };
        let mean_a = mean(self.a, self.seconds.0, self.scale.0);
        let mean_b = mean(self.b, self.seconds.1, self.scale.1);
        let side = |per_unit| Side { per_unit, ..Side::default() };
        // Of a unit of work, in wall time of the side with more of it a second.
        let cost = (mean_b - mean_a) / self.scale.0.min(self.scale.1);
        Row {
            key: key.clone(),
            line_a: key.line,
            a: side(mean_a),
            b: side(mean_b),
            change: mean_b - mean_a,
            interval: None,
            cost,
            p,
            verdict: Verdict::Unchanged,
        }
    }

    fn length(&self, key: &Key) -> Row {
        let all = |side: &[Facts]| {
            side.iter().flat_map(|f| f.lengths.get(key).into_iter().flatten()).map(|x| x.1).collect::<Vec<f64>>()
        };
        let (all_a, all_b) = (all(self.a), all(self.b));
        let count = |side: &[Facts]| side.iter().filter_map(|f| f.counts.get(key)).sum::<u64>();
        let max = |side: &[Facts]| side.iter().filter_map(|f| f.longest.get(key)).copied().fold(0.0, f64::max);
        let side = |x: &[f64], (count, max): (u64, f64), seconds: f64, scale: f64| Side {
            per_unit: stats::mean(x) * count as f64 / seconds * scale,
            count,
            p50: stats::median(x),
            p99: stats::quantile(x, 0.99),
            max: x.iter().copied().fold(max, f64::max),
        };
        let (n_a, n_b) = (count(self.a), count(self.b));
        let a = side(&all_a, (n_a, max(self.a)), self.seconds.0, self.scale.0);
        let b = side(&all_b, (n_b, max(self.b)), self.seconds.1, self.scale.1);
        // Those that are close in time are alike: a slice is one value.
        let (by_slice_a, by_slice_b) = (medians(self.a, key), medians(self.b, key));
        let habit = is_habit(self.a, &by_slice_a) && is_habit(self.b, &by_slice_b);
        let sliced = by_slice_a.len() >= SLICES && by_slice_b.len() >= SLICES;
        let (x, y) = if sliced { (&by_slice_a, &by_slice_b) } else { (&all_a, &all_b) };
        let runs = |side: &[Facts]| {
            let of = |f: &Facts| stats::median(&all(std::slice::from_ref(f)));
            side.iter().map(of).collect::<Vec<f64>>()
        };
        let p = if self.by_runs() {
            stats::permutation(&runs(self.a), &runs(self.b), self.least)
        } else if habit {
            stats::mann_whitney(x, y, self.least).max(stats::drift(x, y, self.least))
        } else {
            1.0
        };
        let (change, low, high) = stats::shift(x, y);
        let often = (n_a as f64 / self.seconds.0).max(n_b as f64 / self.seconds.1);
        let (key, interval) = (key.clone(), Some((low, high)));
        let (cost, line_a) = (change * often, key.line);
        Row { key, line_a, a, b, change, interval, cost, p, verdict: Verdict::Unchanged }
    }

    /// Whether a row is large enough to be tested, whatever its change: what is small on both sides is not.
    fn counts(&self, r: &Row) -> bool {
        let wall = r.a.per_unit / self.scale.0 + r.b.per_unit / self.scale.1;
        let both = !r.key.measure.is_length() || (r.a.count > 0 && r.b.count > 0);
        both && wall >= LEAST_WALL * 1e9
    }

    /// What a difference that is more than chance means.
    fn verdict(&self, r: &Row) -> Verdict {
        let ratio = r.ratio();
        if r.cost.abs() < LEAST_WALL * 1e9 || ratio.is_some_and(|x| x.abs() < self.least) {
            return Verdict::Unchanged;
        }
        match (r.a.per_unit, r.b.per_unit) {
            (0.0, _) => Verdict::OnlyB,
            (_, 0.0) => Verdict::OnlyA,
            _ if r.change > 0.0 => Verdict::Worse,
            _ => Verdict::Better,
        }
    }
}

/// Whether something whose slices have these medians happens in more than one part of the recordings.
fn is_habit(side: &[Facts], medians: &[f64]) -> bool {
    let slices: usize = side.iter().map(|f| f.slices).sum();
    medians.len() >= HABIT.min(slices.div_ceil(4))
}

/// The median length of each slice that has any.
fn medians(side: &[Facts], key: &Key) -> Vec<f64> {
    let mut out = Vec::new();
    for f in side {
        let mut slices: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (slice, x) in f.lengths.get(key).into_iter().flatten() {
            slices.entry(*slice).or_default().push(*x);
        }
        out.extend(slices.values().map(|x| stats::median(x)));
    }
    out
}

#[cfg(test)]
mod tests;
