//! What makes slow spans slow: the parts of their critical paths against those of the others.
//!
//! Each span's critical path is followed to its end, and its pieces are summed up by what lies on the way: the waits from
//! the span's goroutine on, of which neighbours that are alike count as one (a queue for one lock is one wait), and what the
//! goroutine at the end did. So the parts of a span sum to its length, and the differences of the parts' means to the
//! difference of the means.
//!
//! How sure a difference is is told by resampling blocks of time and not spans: what queues behind one holder is slow
//! together, and not by chance each for itself.

use super::sums::Box;
use super::{KindNo, Span};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::path::{Hop, Path, Piece, What, Window, paths};
use crate::base::random::Random;
use crate::base::{Duration, GoIdx, Time};
use crate::model::places::PlaceId;
use crate::model::reasons::ReasonId;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How long a block of time is.
pub const BLOCK: Duration = Duration(50_000_000);
/// How often blocks are drawn anew.
const RESAMPLES: usize = 1000;
/// Fewer groups say little.
pub const FEW_GROUPS: usize = 10;
/// Paths that are followed of each side, evenly spread over time.
const MOST_PATHS: usize = 4000;
/// Parts that are told apart; the rest is one.
const MOST_PARTS: usize = 60;
/// The seed of the resampling.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A wait on the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Step {
    /// What for.
    pub reason: ReasonId,
    /// Where.
    pub at: PlaceId,
}

/// What time went into: the waits on the way, and what was done at their end. Nothing at the end is all that is not told
/// apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Way {
    /// The waits, the span's own first.
    pub waits: Vec<Step>,
    /// What was done: as [`Piece`] has it.
    pub end: Option<(What, Option<ReasonId>, PlaceId)>,
}

/// A part of the time of spans.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What the time went into.
    pub way: Way,
    /// How long that was in a slow span, on average.
    pub slow: Duration,
    /// How long in another one.
    pub normal: Duration,
    /// The least of the interval of 95 % of their difference.
    pub low: Duration,
    /// Its most.
    pub high: Duration,
    /// In what part of the resamples it was the largest, 0 to 1.
    pub first: f64,
    /// The slow span that lost most to it, if any lost something.
    pub most: Option<Window>,
}

impl Part {
    /// By how much it is longer in a slow span.
    pub fn more(&self) -> Duration {
        self.slow - self.normal
    }
}

/// Slow spans against the others.
pub struct Compared {
    /// How many are slow.
    pub slow: usize,
    /// How many are not.
    pub normal: usize,
    /// Of how many of these paths were followed, where there are too many.
    pub followed: (usize, usize),
    /// In how many blocks of time the slow ones lie.
    pub groups: usize,
    /// How long a block is.
    pub block: Duration,
    /// How long the slow ones took on average.
    pub slow_mean: Duration,
    /// How long the others took.
    pub normal_mean: Duration,
    /// The parts, the largest difference first: they sum to the difference of the means.
    pub parts: Vec<Part>,
    /// What places and reasons are; it has no pieces.
    pub names: Path,
}

/// Compares the spans in a box with those that differ from them in their length alone. `None` if there is none of either.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn compare<S: Source>(source: &S, spans: &[Span], of: &Box<'_>) -> Result<Option<Compared>, Unanswered> {
    let whole = || spans.iter().filter(|s| s.complete() && s.go.is_some() && of.in_time(s));
    let (slow, normal): (Vec<Span>, Vec<Span>) = whole().copied().partition(|s| of.has(s));
    against(source, &slow, &normal)
}

/// Compares the spans of each kind in a box with the others of that kind: who sends a request and who serves it, and what was
/// marked around both, differ in what they are and not only in how long they take. The kind of which the slow ones lost most
/// comes first. `least` says of the lengths of a kind, the shortest first, from which on they are slow.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn by_kind<S: Source>(
    source: &S,
    spans: &[Span],
    of: &Box<'_>,
    least: &dyn Fn(&[Duration]) -> Duration,
) -> Result<Vec<(KindNo, Duration, Compared)>, Unanswered> {
    let mut kinds: Vec<KindNo> = spans.iter().filter(|s| of.in_time(s)).map(|s| s.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut out = Vec::new();
    for kind in kinds {
        let wanted = |s: &Span| s.kind == kind && (of.of)(s);
        let whole = spans.iter().filter(|s| s.complete() && wanted(s) && of.in_time(s));
        let mut lens: Vec<Duration> = whole.map(Span::len).collect();
        lens.sort_unstable();
        let least = least(&lens);
        if let Some(c) = compare(source, spans, &Box { of: &wanted, least, ..*of })? {
            out.push((kind, least, c));
        }
    }
    out.sort_by_key(|(kind, _, c)| (Reverse((c.slow_mean - c.normal_mean).ns().saturating_mul(c.slow as i64)), *kind));
    Ok(out)
}

/// Compares slow spans with others; all are complete. `None` if there is none of either.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn against<S: Source>(source: &S, slow: &[Span], normal: &[Span]) -> Result<Option<Compared>, Unanswered> {
    if slow.is_empty() || normal.is_empty() {
        return Ok(None);
    }
    let thinned =
        |all: &[Span]| -> Vec<Span> { all.iter().step_by(all.len().div_ceil(MOST_PATHS).max(1)).copied().collect() };
    let (a, b) = (thinned(slow), thinned(normal));
    let mut all: Vec<(Span, bool)> = a.iter().map(|s| (*s, true)).chain(b.iter().map(|s| (*s, false))).collect();
    all.sort_by_key(|(s, _)| (Reverse(s.to), s.go));
    let windows: Vec<Window> = all.iter().map(|(s, _)| window(s)).collect();
    let mut sides = Sides::default();
    let (places, reasons) = paths(source, &windows, &mut |i, pieces, hops, _| {
        sides.add(windows[i], all[i].1, ways(&pieces, &hops));
    })?;
    let nothing = Window { go: GoIdx::NONE, from: Time(0), to: Time(0), end: None };
    let names = Path { window: nothing, pieces: Vec::new(), hops: Vec::new(), places, reasons };
    let mean = |all: &[Span]| Duration(all.iter().map(|s| s.len().ns()).sum::<i64>() / all.len().max(1) as i64);
    Ok(Some(Compared {
        slow: slow.len(),
        normal: normal.len(),
        followed: (a.len(), b.len()),
        groups: sides.blocks.values().filter(|b| b.spans[0] > 0.0).count(),
        block: BLOCK,
        slow_mean: mean(&a),
        normal_mean: mean(&b),
        parts: sides.parts(),
        names,
    }))
}

/// What is asked about to know why a span took so long.
pub fn window(s: &Span) -> Window {
    Window { go: s.ended_by.some().unwrap_or(s.go), from: s.from, to: s.to, end: s.last }
}

/// What the pieces of a path are parts of.
fn ways(pieces: &[Piece], hops: &[Hop]) -> Vec<(Way, Duration)> {
    let mut out = Vec::new();
    let (mut active, mut next): (Vec<Step>, usize) = (Vec::new(), 0);
    for p in pieces {
        while let Some(h) = hops.get(next).filter(|h| h.from <= p.from) {
            active.truncate(usize::from(h.depth));
            active.push(Step { reason: h.reason, at: h.at });
            next += 1;
        }
        let mut waits: Vec<Step> = active.iter().take(usize::from(p.depth)).copied().collect();
        waits.dedup();
        for (what, len) in p.kinds() {
            // Of what ran only the samples would say where.
            let at = if what == What::Running { PlaceId::NONE } else { p.at };
            out.push((Way { waits: waits.clone(), end: Some((what, p.reason, at)) }, len));
        }
    }
    out
}

/// The spans that began in a block of time: slow ones, and the others.
#[derive(Default)]
struct Block {
    spans: [f64; 2],
    /// By part, in ns.
    sums: [FxHashMap<usize, f64>; 2],
}

#[derive(Default)]
struct Sides {
    ways: FxHashMap<Way, usize>,
    blocks: BTreeMap<i64, Block>,
    /// By part, the slow span that lost most to it, and how much.
    most: FxHashMap<usize, (Duration, Window)>,
}

impl Sides {
    fn add(&mut self, of: Window, slow: bool, parts: Vec<(Way, Duration)>) {
        let mut lost: FxHashMap<usize, Duration> = FxHashMap::default();
        let block = self.blocks.entry(of.from.0.div_euclid(BLOCK.ns())).or_default();
        let side = usize::from(!slow);
        block.spans[side] += 1.0;
        for (way, len) in parts {
            let n = self.ways.len();
            let no = *self.ways.entry(way).or_insert(n);
            *block.sums[side].entry(no).or_default() += len.ns() as f64;
            *lost.entry(no).or_default() += len;
        }
        for (no, len) in lost.into_iter().filter(|l| slow && l.1 > Duration::ZERO) {
            let most = self.most.entry(no).or_insert((len, of));
            if len > most.0 {
                *most = (len, of);
            }
        }
    }

    /// The parts, the largest difference first.
    fn parts(&self) -> Vec<Part> {
        // Those that differ most are told apart.
        let mut sums = vec![[0.0; 2]; self.ways.len()];
        let mut spans = [0.0; 2];
        for b in self.blocks.values() {
            for side in 0..2 {
                spans[side] += b.spans[side];
                b.sums[side].iter().for_each(|(no, ns)| sums[*no][side] += ns);
            }
        }
        let more = |s: &[f64; 2]| s[0] / spans[0] - s[1] / spans[1];
        let mut ways: Vec<(&Way, usize)> = self.ways.iter().map(|(w, no)| (w, *no)).collect();
        ways.sort_by(|a, b| {
            let order = more(&sums[b.1]).abs().total_cmp(&more(&sums[a.1]).abs());
            order.then_with(|| a.0.cmp(b.0))
        });
        let few = ways.len().min(MOST_PARTS);
        let width = few + usize::from(ways.len() > few);
        let mut column = vec![few; self.ways.len()];
        ways.iter().take(few).enumerate().for_each(|(i, (_, no))| column[*no] = i);
        let blocks: Vec<Row> = self.blocks.values().map(|b| Row::new(b, &column, width)).collect();
        let means = Row::sum(blocks.iter(), width).means();
        let (low, high, first) = resample(&blocks, width);
        let rest = Way::default();
        let mut out: Vec<Part> = (0..width)
            .map(|i| Part {
                way: ways.get(i).filter(|_| i < few).map_or(&rest, |w| w.0).clone(),
                slow: Duration(means[i][0] as i64),
                normal: Duration(means[i][1] as i64),
                low: Duration(low[i] as i64),
                high: Duration(high[i] as i64),
                first: first[i],
                most: ways.get(i).filter(|_| i < few).and_then(|w| self.most.get(&w.1)).map(|m| m.1),
            })
            .collect();
        out.sort_by_key(|p| (Reverse(p.more()), p.way.clone()));
        out
    }
}

/// A block with its parts in columns: slow ones, and the others.
#[derive(Clone, Default)]
struct Row {
    spans: [f64; 2],
    sums: Vec<[f64; 2]>,
}

impl Row {
    fn new(b: &Block, column: &[usize], width: usize) -> Row {
        let mut sums = vec![[0.0; 2]; width];
        for (side, of) in b.sums.iter().enumerate() {
            // In the order of parts, so that the same floating-point sums come out each time.
            let mut all: Vec<_> = of.iter().collect();
            all.sort_unstable_by_key(|s| *s.0);
            all.iter().for_each(|(no, ns)| sums[column[**no]][side] += **ns);
        }
        Row { spans: b.spans, sums }
    }

    fn sum<'a>(rows: impl Iterator<Item = &'a Row>, width: usize) -> Row {
        let mut all = Row { spans: [0.0; 2], sums: vec![[0.0; 2]; width] };
        for r in rows {
            for side in 0..2 {
                all.spans[side] += r.spans[side];
                all.sums.iter_mut().zip(&r.sums).for_each(|(a, b)| a[side] += b[side]);
            }
        }
        all
    }

    fn means(&self) -> Vec<[f64; 2]> {
        let of = |s: &[f64; 2]| [s[0] / self.spans[0].max(1.0), s[1] / self.spans[1].max(1.0)];
        self.sums.iter().map(of).collect()
    }
}

/// By part: the least and the most of the interval of 95 % of its difference, and how often it was the largest.
fn resample(blocks: &[Row], width: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(SEED);
    let (mut drawn, mut first) = (vec![Vec::with_capacity(RESAMPLES); width], vec![0.0; width]);
    let mut taken = 0.0;
    for _ in 0..RESAMPLES {
        let row = Row::sum((0..blocks.len()).map(|_| &blocks[random.below(blocks.len())]), width);
        if row.spans[0] == 0.0 || row.spans[1] == 0.0 {
            continue;
        }
        taken += 1.0;
        let more: Vec<f64> = row.means().iter().map(|m| m[0] - m[1]).collect();
        if let Some(most) = (0..width).max_by(|a, b| more[*a].total_cmp(&more[*b])) {
            first[most] += 1.0;
        }
        more.iter().zip(&mut drawn).for_each(|(m, all)| all.push(*m));
    }
    let at = |all: &mut Vec<f64>, part: f64| {
        all.sort_by(f64::total_cmp);
        let i = ((all.len() as f64 * part) as usize).min(all.len().saturating_sub(1));
        all.get(i).copied().unwrap_or(0.0)
    };
    let low = drawn.iter_mut().map(|d| at(d, 0.025)).collect();
    let high = drawn.iter_mut().map(|d| at(d, 0.975)).collect();
    (low, high, first.iter().map(|n| n / f64::max(taken, 1.0)).collect())
}
