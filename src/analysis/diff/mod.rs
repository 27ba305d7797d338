//! Compares recordings of a program: before and after, one or several a side.
//!
//! 1. Each trace gives, by names that the other has as well, how much time went where in each slice of some 100 ms, and how long
//!    waits, tasks, regions, requests and calls were.
//! 2. Lines of a function that has moved as a whole are matched with those where they were.
//! 3. Totals a unit of work are ratios: what of a slice's time its units do not account for is what varies. They are compared
//!    by a block bootstrap over slices, or, where one side has none, by how many slices the other has
//!    any in; lengths by Mann and Whitney's U over the medians of slices, for what is close in time is alike; and their tails by
//!    how many lie beyond a limit: all where they differ by more than a recording differs from itself over time. With five
//!    recordings or more a side, all are compared by permutation over the recordings.
//! 4. Each test asks for more than the least change that counts. Of those of tasks, regions and spans, and of all others, as
//!    many are taken as found as Benjamini and Hochberg allow at 5 %, one half of it each.
//! 5. What does not differ a unit of work, and does a second, with as much more or less work, is laid to the load.

mod facts;
mod lengths;
mod order;
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
/// The same in each of the two families of tests, which share it.
const RATE_EACH: f64 = RATE / 2.0;
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
    /// More or less a second, as there was more or less work, and not a unit of work.
    ByLoad,
    /// Nothing that is more than chance, and large enough.
    Unchanged,
}

/// One side of a row.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Side {
    /// Nanoseconds a unit of work: a second of wall time, or a task.
    pub per_unit: f64,
    /// Nanoseconds a second of wall time.
    pub per_second: f64,
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
    /// What changed: of a total the nanoseconds a unit, or a second where that is by load; of lengths the shift after Hodges and Lehmann.
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
    /// What is compared, in A and in B, in nanoseconds: the medians of lengths, of their tails the 99th percentiles, and what
    /// went by a unit of work, or by a second where that is by load.
    pub fn compared(&self) -> (f64, f64) {
        let of = |s: &Side| match self.key.measure {
            Measure::Length => s.p50,
            Measure::Tail => s.p99,
            _ if self.verdict == Verdict::ByLoad => s.per_second,
            _ => s.per_unit,
        };
        (of(&self.a), of(&self.b))
    }

    /// How much larger B is, as a part of A; nothing if A has none.
    pub fn ratio(&self) -> Option<f64> {
        let (a, b) = match self.key.measure {
            Measure::Length => (self.a.p50, self.a.p50 + self.change),
            _ => self.compared(),
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
    /// All rows: those that differ, those that differ by load, and the rest; what costs most first, and a cause before what
    /// follows from it.
    pub rows: Vec<Row>,
    /// What there is to know about the sides.
    pub notes: Vec<Note>,
}

/// What there is to know about the sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// Only one side has CPU samples, and with them lines on CPU.
    OneSideSampled,
    /// There are fewer than [`RUNS`] recordings on a side.
    FewRuns,
}

impl Note {
    /// The same in words.
    pub fn words(self) -> String {
        match self {
            Note::OneSideSampled => "only one side has CPU samples: lines on CPU differ by that alone".into(),
            Note::FewRuns => {
                format!("how much one run differs from the next is known from {RUNS} recordings a side on")
            }
        }
    }
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
    let sides = ((a, b), (seconds_a, seconds_b));
    let mut work = units::work(sides);
    let mut per = units::unit(&opts.per, &work, sides)?;
    let c = Compare::new(sides, per.clone(), opts.least);
    c.test_work(work.iter_mut().chain(&mut per));
    let mut rows = c.rows(&moved);
    // What the program is there for, its tasks, regions and requests, is not lost among all the lines.
    let (own, rest): (Vec<usize>, Vec<usize>) = (0..rows.len())
        .filter(|i| c.counts(&rows[*i]))
        .partition(|i| matches!(rows[*i].key.what, What::Task | What::Region | What::Span));
    for family in [&own, &rest] {
        let p: Vec<f64> = family.iter().map(|i| rows[*i].p).collect();
        for (i, found) in family.iter().zip(stats::found(&p, RATE_EACH)) {
            if found {
                rows[*i].verdict = c.verdict(&rows[*i]);
            }
        }
    }
    if let Some(w) = per.as_ref().filter(|w| !w.rate_by_chance) {
        c.lay_to_load(&mut rows, &rest, w.rate.1 > w.rate.0);
    }
    keep_one_of_each_length(&mut rows);
    let rows = order::sort(rows, a, b);
    let mut notes = Vec::new();
    if a.iter().any(|f| f.samples) != b.iter().any(|f| f.samples) {
        notes.push(Note::OneSideSampled);
    }
    if a.len() < RUNS || b.len() < RUNS {
        notes.push(Note::FewRuns);
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
/// meets, if that is far more, and of more lines, than meets where the lines are.
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
            of_a.iter().filter_map(of).fold((0, 0.0), |sum, x| (sum.0 + 1, sum.1 + x))
        };
        // A line that is new meets one that has stayed as well as one that has moved: as many meet where they are.
        let moves = |by: &i64| {
            let (there, here) = (meet(*by), meet(0));
            there.0 > here.0 && there.1 > 2.0 * here.1
        };
        let by: BTreeSet<i64> = of_a.keys().flat_map(|l| of_b.keys().map(move |m| m.0 - l.0)).collect();
        let best = by.into_iter().max_by(|x, y| meet(*x).1.total_cmp(&meet(*y).1).then(y.abs().cmp(&x.abs())));
        out.extend(best.filter(moves).map(|by| (name, by)));
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
        out.totals = std::mem::take(&mut out.totals).into_iter().map(|(k, v)| (to(k), v)).collect();
        out.lengths = std::mem::take(&mut out.lengths).into_iter().map(|(k, v)| (to(k), v)).collect();
        out.counts = std::mem::take(&mut out.counts).into_iter().map(|(k, v)| (to(k), v)).collect();
        out.longest = std::mem::take(&mut out.longest).into_iter().map(|(k, v)| (to(k), v)).collect();
        out
    }
}

struct Compare<'a> {
    a: &'a [Facts],
    b: &'a [Facts],
    /// What a nanosecond a second is a unit, on each side.
    scale: (f64, f64),
    /// For each slice of each recording how many units it has, as a part of how many one has on average on its side.
    units: (Vec<Vec<f64>>, Vec<Vec<f64>>),
    seconds: (f64, f64),
    least: f64,
}

impl<'a> Compare<'a> {
    fn new(((a, b), seconds): units::Sides<'a>, per: Option<Work>, least: f64) -> Compare<'a> {
        let units = |side: &[Facts], rate: fn(&Work) -> f64| {
            let of = |f: &Facts| match &per {
                Some(w) => w.per_slice(f).into_iter().map(|n| n / (rate(w) * f.slice_seconds())).collect(),
                None => vec![1.0; f.slices],
            };
            side.iter().map(of).collect::<Vec<Vec<f64>>>()
        };
        let units = (units(a, |w| w.rate.0), units(b, |w| w.rate.1));
        let scale = per.as_ref().map_or((1.0, 1.0), |p| (1.0 / p.rate.0, 1.0 / p.rate.1));
        Compare { a, b, scale, units, seconds, least }
    }

    fn tails(&self) -> tail::Sides<'a> {
        tail::Sides { a: self.a, b: self.b, seconds: self.seconds, least: self.least, by_runs: self.by_runs() }
    }

    /// Tests whether throughput and the 99th percentile of work differ by more than chance.
    fn test_work<'w>(&self, work: impl Iterator<Item = &'w mut Work>) {
        let mut work: Vec<&mut Work> = work.collect();
        let mut all = Vec::new();
        for w in &work {
            let a_second = |side: &[Facts]| {
                let of = |f: &Facts| w.per_slice(f).into_iter().map(|n| n / f.slice_seconds()).collect();
                side.iter().map(of).collect::<Vec<Vec<f64>>>()
            };
            all.push(self.totals(&a_second(self.a), &a_second(self.b)));
            let lengths = |side: &[Facts]| side.iter().map(|f| w.lengths(f)).collect::<Vec<_>>();
            all.push(self.tails().test(&lengths(self.a), &lengths(self.b)).map_or(1.0, |t| t.p));
        }
        let found = stats::found(&all, RATE);
        for (w, found) in work.iter_mut().zip(found.chunks(2)) {
            (w.rate_by_chance, w.p99_by_chance) = (!found[0], !found[1]);
        }
    }

    fn rows(&self, moved: &BTreeMap<String, i64>) -> Vec<Row> {
        let sides = || self.a.iter().chain(self.b);
        let totals: BTreeSet<&Key> = sides().flat_map(|f| f.totals.keys()).collect();
        let lengths: BTreeSet<&Key> = sides().flat_map(|f| f.lengths.keys()).collect();
        let mut rows: Vec<Row> = totals.into_iter().map(|k| self.total(k)).collect();
        let lengths: Vec<Row> = lengths.into_iter().map(|k| self.length(k)).collect();
        let sides = self.tails();
        // Tails of what waits for a P are those of what runs.
        let own = lengths.iter().filter(|r| r.key.what != What::Latency);
        let tails: Vec<Row> = own.filter_map(|r| sides.row(r)).collect();
        rows.extend(lengths);
        rows.extend(tails);
        for r in &mut rows {
            let by = moved.get(&r.key.name).filter(|_| r.key.line > 0).copied().unwrap_or(0);
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

    /// Whether totals differ, as a two-sided p, of values in the slices of each recording.
    fn totals(&self, a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
        let runs = |x: &[Vec<f64>]| x.iter().map(|x| stats::mean(x)).collect::<Vec<f64>>();
        match self.by_runs() {
            true => stats::permutation(&runs(a), &runs(b), self.least),
            false => stats::totals(&a.concat(), &b.concat(), self.least),
        }
    }

    /// Nanoseconds a second in each slice of each recording of a side.
    fn slices(side: &[Facts], key: &Key) -> Vec<Vec<f64>> {
        let of = |f: &Facts| match f.totals.get(key) {
            Some(all) => all.iter().map(|x| x / f.slice_seconds()).collect(),
            None => vec![0.0; f.slices],
        };
        side.iter().map(of).collect()
    }

    fn total(&self, key: &Key) -> Row {
        let (a, b) = (Self::slices(self.a, key), Self::slices(self.b, key));
        // Of all that was traced: recordings of different lengths have slices of different lengths.
        let mean = |side: &[Facts], seconds: f64| {
            let sum: f64 = side.iter().filter_map(|f| f.totals.get(key)).flatten().sum();
            sum / seconds.max(1e-9)
        };
        let side = |per_second: f64, scale: f64| Side { per_unit: per_second * scale, per_second, ..Side::default() };
        let (side_a, side_b) =
            (side(mean(self.a, self.seconds.0), self.scale.0), side(mean(self.b, self.seconds.1), self.scale.1));
        let none = if self.by_runs() { 1.0 } else { stats::presence(&a.concat(), &b.concat()) };
        let by_unit = self.totals(
            &per_unit(&a, &self.units.0, side_a.per_second, self.scale.0),
            &per_unit(&b, &self.units.1, side_b.per_second, self.scale.1),
        );
        let change = side_b.per_unit - side_a.per_unit;
        Row {
            key: key.clone(),
            line_a: key.line,
            a: side_a,
            b: side_b,
            change,
            interval: None,
            // Of a unit of work, in wall time of the side with more of it a second.
            cost: change / self.scale.0.min(self.scale.1),
            p: by_unit.min(none),
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
            per_second: stats::mean(x) * count as f64 / seconds,
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
            stats::lengths(x, y, self.least)
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
        let both = !r.key.measure.is_length() || (r.a.count > 0 && r.b.count > 0);
        both && r.a.per_second + r.b.per_second >= LEAST_WALL * 1e9
    }

    /// Whether a change is large enough to count: the same from A to B as from B to A.
    fn is_large(&self, r: &Row) -> bool {
        let (a, b) = r.compared();
        r.cost.abs() >= LEAST_WALL * 1e9 && r.change.abs() >= self.least * a.min(b)
    }

    /// Whether it is time blocked of which there is as much a second on both sides, so that there is more or less of it a unit
    /// only as there were fewer or more units: whoever waits for the program to end does. What each unit waits has a length.
    fn is_blocked_anyway(&self, r: &Row) -> bool {
        let (a, b) = (r.a.per_second, r.b.per_second);
        r.key.measure == Measure::Blocked && (b - a).abs() < self.least * a.min(b)
    }

    /// What a difference that is more than chance means.
    fn verdict(&self, r: &Row) -> Verdict {
        match (r.a.per_unit, r.b.per_unit) {
            _ if !self.is_large(r) || self.is_blocked_anyway(r) => Verdict::Unchanged,
            (0.0, _) => Verdict::OnlyB,
            (_, 0.0) => Verdict::OnlyA,
            _ if r.change > 0.0 => Verdict::Worse,
            _ => Verdict::Better,
        }
    }

    /// Of the rows that do not differ a unit of work, lays those to the load that differ a second as the throughput does.
    fn lay_to_load(&self, rows: &mut [Row], tested: &[usize], more: bool) {
        let same = |r: &Row| {
            r.verdict == Verdict::Unchanged && !r.key.measure.is_length() && r.a.per_second.min(r.b.per_second) > 0.0
        };
        let same: Vec<usize> = tested.iter().filter(|i| same(&rows[**i])).copied().collect();
        let of = |i: &usize| {
            let key = &rows[*i].key;
            self.totals(&Self::slices(self.a, key), &Self::slices(self.b, key))
        };
        let p: Vec<f64> = same.iter().map(of).collect();
        for (i, _) in same.iter().zip(stats::found(&p, RATE)).filter(|x| x.1) {
            let r = &mut rows[*i];
            let change = r.b.per_second - r.a.per_second;
            let by_load = Row { verdict: Verdict::ByLoad, change, cost: change, ..r.clone() };
            if (change > 0.0) == more && self.is_large(&by_load) {
                *r = by_load;
            }
        }
    }
}

/// What went in slices a unit of work, so that their mean is what all went by all units, and they vary by what each slice's
/// units do not account for: `time` is nanoseconds a second in each slice, of which the mean is `mean`; `units` how many
/// units it has, as a part of how many one has on average; `scale` makes nanoseconds a second those a unit.
///
/// A mean over a random number of units is a ratio of two sums, and this is its linear approximation.
fn per_unit(time: &[Vec<f64>], units: &[Vec<f64>], mean: f64, scale: f64) -> Vec<Vec<f64>> {
    let of = |(time, units): (&Vec<f64>, &Vec<f64>)| {
        time.iter().zip(units).map(|(x, n)| (x + mean * (1.0 - n)) * scale).collect()
    };
    time.iter().zip(units).map(of).collect()
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
