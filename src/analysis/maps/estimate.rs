//! How large the maps became that a line assigns to, from the sizes of the objects it allocated.
//!
//! The ladder ([`super::ladder`]) of a map depends on the bytes of its group of slots (or bucket), which a profile does not
//! tell. So every unit is tried: the one wins whose rungs explain most of the line's bytes without there being fewer
//! objects on a rung than on the one above it. What comes out are brackets, and often nothing.

use super::ladder::{DIRECTORY, Family, HEADER, Layout, SWISS_RUNGS, TABLE, Unit, keys_of_tables};
use std::collections::BTreeMap;

/// A record of a heap profile: objects of one size, allocated in one stack.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    /// How many.
    pub objects: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Which stack: records of one stack and size differ only in frames of the runtime, which the profile has cut.
    pub stack: u64,
}

/// What a line allocated, by the size of the objects. Records of stacks that differ only in frames of the runtime, which
/// the profile has cut, stay apart: they tell the steps of growth from each other.
pub type Rows = BTreeMap<u64, Vec<Record>>;

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// How maps are laid out.
    pub layout: Layout,
    /// The bytes between two samples of the profile; 1 and less if it has every object.
    pub rate: i64,
    /// The most maps that can have been born, by their headers, if known.
    pub births: Option<f64>,
    /// The same of the function that the line is in, if it makes maps itself.
    pub local_births: Option<f64>,
    /// The unit, if the program told it.
    pub unit: Option<Unit>,
}

impl Known {
    /// The part of all objects of this size that is sampled.
    pub fn sampled(&self, size: u64) -> f64 {
        if self.rate > 1 { 1.0 - (-(size as f64) / self.rate as f64).exp() } else { 1.0 }
    }

    fn exact(&self) -> bool {
        self.rate <= 1
    }

    /// The most maps that have headers on the heap, with some room for how these were sampled.
    fn most_births(&self) -> Option<f64> {
        self.births.map(|b| self.room(b))
    }

    /// The most that a number of headers may really be.
    fn room(&self, births: f64) -> f64 {
        births * 1.3 + if self.exact() { 2.0 } else { 5.0 / self.sampled(HEADER) }
    }
}

/// Maps that end with between `low` and `high` keys.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bracket {
    /// The fewest keys.
    pub low: u64,
    /// The most keys.
    pub high: u64,
    /// About how many maps.
    pub maps: f64,
}

/// Objects of one rung.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rung {
    /// The size of each.
    pub size: u64,
    /// How many.
    pub objects: f64,
    /// Their bytes.
    pub bytes: f64,
}

/// What a line's objects say about its maps.
#[derive(Clone, PartialEq, Debug)]
pub struct Estimate {
    /// The unit that fits best.
    pub unit: Unit,
    /// Bytes of units that fit nearly as well, the best among them.
    pub others: Vec<u64>,
    /// The rungs, from the first group on.
    pub rungs: Vec<Rung>,
    /// How large maps became.
    pub brackets: Vec<Bracket>,
    /// Whether another unit fits about as well and says something else.
    pub ambiguous: bool,
    /// Whether left and right halves of splits are seen, as many of one as of the other: that is a large Swiss map, even
    /// where no smaller table was sampled.
    pub halves: bool,
    /// Samples behind it.
    pub samples: f64,
    /// The part of the line's bytes that lies on the ladder, 0 to 1.
    pub explained: f64,
    /// Bytes of tables that maps outgrew: what the right size from the beginning saves.
    pub outgrown: f64,
}

impl Estimate {
    /// Rungs that have objects.
    pub fn used(&self) -> usize {
        self.rungs.iter().filter(|r| r.objects > 0.0).count()
    }

    /// Bytes on the ladder.
    pub fn bytes(&self) -> f64 {
        self.rungs.iter().map(|r| r.bytes).sum()
    }

    /// Maps in all brackets.
    pub fn maps(&self) -> f64 {
        self.brackets.iter().map(|b| b.maps).sum()
    }

    /// The bracket that holds most keys.
    pub fn main(&self) -> Option<Bracket> {
        main(&self.brackets)
    }

    /// Whether the objects are surely those of maps, and their sizes those of the brackets: one rung alone is never a map
    /// unless the unit is known.
    pub fn tells(&self, known: &Known) -> bool {
        known.unit.is_some() || (self.used() >= 2 || self.halves) && !self.ambiguous
    }
}

/// Samples on the ladder below which nothing is said.
pub const FEWEST_SAMPLES: f64 = 6.0;
/// The part of a line's bytes that must lie on a ladder of an unknown unit.
const LEAST_EXPLAINED: f64 = 0.02;
/// What one unit of likelihood lost weighs against the part of bytes explained.
const MISS: f64 = 0.08;
/// Likelihood lost that is counted at most.
const MOST_MISS: f64 = 40.0;
/// Likelihood, as a logarithm, by which another unit must be worse than the best in a sampled profile.
const LOST: f64 = 4.0;
/// Scores as near as this are as good.
const NEAR: f64 = 0.03;

/// A unit that is tried.
struct Candidate {
    unit: Unit,
    score: f64,
    /// The likelihood lost, of objects and of the unit itself.
    lost: f64,
    explained: f64,
    rungs: Vec<Rung>,
}

fn sum(rows: &Rows, size: u64) -> Record {
    let all = rows.get(&size).map_or(&[][..], Vec::as_slice);
    let add = |a: Record, b: &Record| Record { objects: a.objects + b.objects, bytes: a.bytes + b.bytes, stack: 0 };
    all.iter().fold(Record { objects: 0.0, bytes: 0.0, stack: 0 }, add)
}

/// The objects of the rung above that say how many a rung must have.
fn above(rungs: &[Rung], i: usize, family: Family) -> f64 {
    let end = if family == Family::Swiss { SWISS_RUNGS - 1 } else { rungs.len() };
    let most = rungs.get(i + 1..end).unwrap_or(&[]).iter().map(|r| r.objects).fold(0.0, f64::max);
    // Tables of 128 groups come from splits, too: they only say that there was one map.
    let split = family == Family::Swiss && rungs[SWISS_RUNGS - 1].objects > 0.0;
    if split && most == 0.0 { 1.0 } else { most }
}

/// Makes the objects of a profile that has them all fall from rung to rung, as those of maps do: what is too much is
/// something else. Gives back what that costs in likelihood.
fn descend(rungs: &mut [Rung], family: Family) -> f64 {
    // A map that does not escape has its first group on the stack, if perhaps not its overflow buckets.
    let stack = rungs[0].objects < rungs[1].objects;
    let last = if family == Family::Swiss { SWISS_RUNGS - 1 } else { rungs.len() };
    for i in if stack { 2..last } else { 1..last } {
        let most = rungs[i - 1].objects;
        let r = &mut rungs[i];
        if r.objects > most {
            (r.bytes, r.objects) = (r.bytes * (most / r.objects), most);
        }
    }
    if family == Family::Swiss && rungs[last - 1].objects == 0.0 {
        // Tables of this size come of splits, too, where a map grows on that has been filled elsewhere.
        rungs[last].objects = 0.0;
        rungs[last].bytes = 0.0;
    }
    match stack {
        false => 0.0,
        // Hardly any of them went on to the next rung: objects that are no tables.
        true if rungs[2].objects < 0.1 * rungs[1].objects => MOST_MISS,
        true => 1.0,
    }
}

fn try_unit(rows: &Rows, known: &Known, unit: Unit, total: f64) -> Option<Candidate> {
    let layout = known.layout;
    let mut rungs: Vec<Rung> = (0..layout.rungs())
        .map(|i| {
            let size = layout.rung(unit, i);
            let Record { objects, bytes, .. } = sum(rows, size);
            Rung { size, objects, bytes }
        })
        .collect();
    // Every map on the heap has a header: of more objects than there are of these, the rest are no groups but, say, the
    // keys or values themselves. A classic map has overflow buckets beside.
    let first = rungs[0];
    if let Some(most) = known.most_births()
        && first.objects > most
        && (layout.family == Family::Swiss || rungs[1].objects == 0.0)
    {
        let keep = if layout.family == Family::Swiss { rungs[1].objects.min(most) } else { most };
        rungs[0] = Rung { objects: keep, bytes: first.bytes * (keep / first.objects), ..first };
    }
    let mut miss = 0.0;
    if known.exact() {
        miss += descend(&mut rungs, layout.family);
        if layout.family == Family::Swiss {
            let tables: f64 = rungs[1..].iter().map(|r| r.objects).sum();
            let apart = |size, want: f64, least: f64| (sum(rows, size).objects - want).abs() > (0.02 * want).max(least);
            // Each table has a description, and may share its size with other objects.
            let missing = sum(rows, TABLE).objects < tables * 0.98 - 3.0;
            miss += if missing {
                MOST_MISS
            } else if apart(TABLE, tables, 3.0) {
                3.0
            } else {
                0.0
            };
            miss += if apart(DIRECTORY, rungs[1].objects, 2.0) { 3.0 } else { 0.0 };
        }
    }
    let top = rungs.iter().rposition(|r| r.objects > 0.0)?;
    for i in (0..top).filter(|_| !known.exact()) {
        let sampled = known.sampled(rungs[i].size);
        let (want, have) = (above(&rungs, i, layout.family) * sampled, rungs[i].objects * sampled);
        if want > have {
            // The log-likelihood of fewer objects below than above.
            miss += (want - have) - if have > 0.0 { have * (want / have).ln() } else { 0.0 };
        }
    }
    let explained = rungs.iter().map(|r| r.bytes).sum::<f64>() / total;
    let control = if layout.family == Family::Swiss { 8 } else { 16 };
    // Slots of some 24 bytes are the usual ones.
    let slot = (unit.bytes.saturating_sub(control) as f64 / 8.0).max(1.0);
    let unusual = (slot / 24.0).log2().abs();
    let used = rungs.iter().filter(|r| r.objects > 0.0).count() as f64;
    let score = explained - MISS * miss.min(MOST_MISS) + 0.02 * used - 0.01 * unusual;
    Some(Candidate { unit, score, lost: miss + 0.5 * unusual, explained, rungs })
}

/// What one kind of map on a line says; nothing where it cannot be known.
pub fn estimate(rows: &Rows, known: &Known) -> Option<Estimate> {
    let total: f64 = rows.values().flatten().map(|r| r.bytes).sum();
    if total <= 0.0 {
        return None;
    }
    let units: Vec<Unit> = match known.unit {
        Some(unit) => vec![unit],
        None => {
            let both = |bytes| [false, true].map(|pointers| Unit { bytes, pointers });
            known.layout.units().step_by(8).flat_map(both).collect()
        }
    };
    let mut tried: Vec<Candidate> = units.into_iter().filter_map(|u| try_unit(rows, known, u, total)).collect();
    tried.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = tried.first()?;
    let samples: f64 = best.rungs.iter().map(|r| r.objects * known.sampled(r.size)).sum();
    if best.explained < LEAST_EXPLAINED && known.unit.is_none() || !known.exact() && samples < FEWEST_SAMPLES {
        return None;
    }
    let mut others: Vec<u64> = tried.iter().filter(|c| c.score > best.score - NEAR).map(|c| c.unit.bytes).collect();
    others.sort_unstable();
    others.dedup();
    let brackets = brackets(best, known, rows);
    let main = main(&brackets);
    // Whether another unit that fits about as well says something else.
    let (lost, explained) = if known.exact() { (0.5, 0.02) } else { (LOST, 0.1) };
    let ambiguous = tried[1..].iter().any(|c| {
        c.lost < best.lost + lost && c.explained > best.explained - explained && {
            let other = self::main(&self::brackets(c, known, rows));
            main.zip(other).is_some_and(|(a, b)| a.high < b.low || b.high < a.low)
        }
    });
    let top = best.rungs.iter().rposition(|r| r.objects > 0.0)?;
    let rungs = best.rungs[..=top].to_vec();
    let (unit, explained) = (best.unit, best.explained);
    let outgrown = outgrown(best, known, rows);
    let halves = halves(best, known, rows);
    Some(Estimate { unit, others, rungs, brackets, ambiguous, halves, samples, explained, outgrown })
}

fn brackets(c: &Candidate, known: &Known, rows: &Rows) -> Vec<Bracket> {
    let reached = reached(c, known);
    match known.layout.family {
        Family::Classic => classic(c, known, &reached),
        Family::Swiss => swiss(c, known, &reached, rows),
    }
}

/// The bracket that holds most keys.
fn main(brackets: &[Bracket]) -> Option<Bracket> {
    let keys = |b: &Bracket| b.maps * b.low as f64;
    brackets.iter().copied().max_by(|a, b| keys(a).total_cmp(&keys(b)))
}

/// How many maps came to each rung: the objects, made to fall from rung to rung as they must (by pooling neighbours that do
/// not, weighted by how well each was sampled).
fn reached(c: &Candidate, known: &Known) -> Vec<f64> {
    let last = if known.layout.family == Family::Swiss { SWISS_RUNGS - 1 } else { c.rungs.len() };
    let top = c.rungs.iter().rposition(|r| r.objects > 0.0).map_or(0, |i| i + 1).min(last);
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (i, r) in c.rungs[..top].iter().enumerate() {
        if i == 0 && known.exact() && top > 1 && r.objects < c.rungs[1].objects {
            // Its first group was on the stack: as many maps as on the next rung.
            blocks.push((c.rungs[1].objects, 1.0, 1));
            continue;
        }
        let weight = known.sampled(r.size);
        blocks.push((r.objects * weight, weight, 1));
        while let [.., a, b] = blocks[..]
            && a.0 * b.1 < b.0 * a.1
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    blocks.into_iter().flat_map(|(sum, weight, n)| std::iter::repeat_n(sum / weight, n)).collect()
}

/// Whether two records of one stack have about as many tables of 128 groups: those of left and right halves of splits.
fn halves(c: &Candidate, known: &Known, rows: &Rows) -> bool {
    /// Samples that two counts must have for it to mean anything that they are alike.
    const LEAST: f64 = 20.0;
    let Some(last) = c.rungs.get(SWISS_RUNGS - 1).filter(|_| known.layout.family == Family::Swiss) else {
        return false;
    };
    let records = rows.get(&last.size).map_or(&[][..], Vec::as_slice);
    let sampled = known.sampled(last.size);
    let like = |a: &Record, b: &Record| {
        let (a, b) = (a.objects * sampled, b.objects * sampled);
        a + b >= LEAST && (a - b).abs() <= 2.5 * (a + b).sqrt()
    };
    let pair = |i: usize| records[i + 1..].iter().any(|b| b.stack == records[i].stack && like(&records[i], b));
    (0..records.len()).any(pair)
}

/// Bytes of the tables that were left for larger ones: on each rung those of the maps that came to the next, and at a split
/// the table that was split.
fn outgrown(c: &Candidate, known: &Known, rows: &Rows) -> f64 {
    let reached = reached(c, known);
    let large = (known.layout.family == Family::Swiss).then(|| splits(c, known, rows)).flatten();
    let (full, split) = large.map_or((0.0, 0.0), |s| (s.maps, s.splits));
    let next = |i: usize| reached.get(i + 1).copied().unwrap_or(if i + 2 == SWISS_RUNGS { full } else { 0.0 });
    let small: f64 = reached.iter().enumerate().map(|(i, here)| next(i).min(*here) * c.rungs[i].size as f64).sum();
    let last = c.rungs.get(SWISS_RUNGS - 1).map_or(0, |r| r.size);
    small + split * last as f64
}

/// Whether so many maps more at rung `i` than at the next are no accident of sampling.
fn tells(maps: f64, reached: &[f64], i: usize, c: &Candidate, known: &Known) -> bool {
    if known.exact() {
        return maps > 0.5;
    }
    let spread = |i: usize| {
        let (n, sampled) = (reached.get(i).copied().unwrap_or(0.0), known.sampled(c.rungs[i].size));
        (n / sampled).max(0.0).sqrt()
    };
    let next = if i + 1 < reached.len() { spread(i + 1) } else { 0.0 };
    maps * known.sampled(c.rungs[i].size) > 0.5 && maps > 1.5 * spread(i).hypot(next)
}

fn classic(c: &Candidate, known: &Known, reached: &[f64]) -> Vec<Bracket> {
    /// Overflow buckets that are allocated one by one, in parts of all buckets, at most.
    const OVERFLOW: f64 = 0.12;
    let mut out = Vec::new();
    let buckets: f64 = reached.iter().enumerate().skip(1).map(|(i, maps)| maps * (1u64 << i.min(40)) as f64).sum();
    for (i, &here) in reached.iter().enumerate() {
        let maps = here - reached.get(i + 1).copied().unwrap_or(0.0);
        let births = known.local_births.map(|b| known.room(b)).or(known.most_births());
        let maps = if i == 0 { maps.min(births.unwrap_or(f64::MAX)) } else { maps };
        if i == 0 && reached.len() > 1 && maps <= buckets * OVERFLOW {
            continue;
        }
        if tells(maps, reached, i, c, known) || i + 1 == reached.len() {
            let (low, high) = known.layout.keys_at(i);
            out.push(Bracket { low, high, maps });
        }
    }
    out
}

/// What tables of 128 groups say.
struct Splits {
    /// Maps that came to a table of that size: about how many, and between which bounds.
    maps: f64,
    bounds: (f64, f64),
    /// Splits that followed, in two halves each.
    splits: f64,
    /// Their error, in parts.
    error: f64,
}

fn splits(c: &Candidate, known: &Known, rows: &Rows) -> Option<Splits> {
    let last = c.rungs[SWISS_RUNGS - 1];
    let before = c.rungs[SWISS_RUNGS - 2];
    if last.objects == 0.0 {
        return None;
    }
    let sampled = known.sampled(last.size);
    let mut records: Vec<f64> = rows.get(&last.size).map_or(&[][..], Vec::as_slice).iter().map(|r| r.objects).collect();
    records.sort_by(|a, b| b.total_cmp(a));
    // How far apart two counts of the same may lie.
    let spread = |n: f64| 2.5 * if known.exact() { 0.008 * n } else { (n / sampled).sqrt() };
    let halves = records.len() >= 2 && records[0] - records[1] <= spread(records[0]);
    if known.exact() {
        let (maps, splits) = match &records[..] {
            // Left halves, right halves, and tables that grew to this size.
            [left, right, grown @ ..] if halves && !grown.is_empty() => (grown.iter().sum(), (left + right) / 2.0),
            _ => (before.objects.min(last.objects), (last.objects - before.objects.min(last.objects)) / 2.0),
        };
        return Some(Splits { maps, bounds: (maps, maps), splits, error: 0.03 });
    }
    // Samples of maps on their way to this size, and what one stands for.
    let weight = known.sampled(before.size);
    let (samples, weight, splits) = match &records[..] {
        [left, right, grown @ ..] if halves && !grown.is_empty() => {
            (grown.iter().sum::<f64>() * sampled + before.objects * weight, sampled + weight, (left + right) / 2.0)
        }
        [_, _] if halves && last.objects > 2.0 => (before.objects * weight, weight, last.objects / 2.0),
        _ => (before.objects * weight, weight, f64::NAN),
    };
    let room = 2.0 * samples.sqrt();
    let most = ((samples + room + 2.0) / weight).min(last.objects).max(1.0);
    let least = ((samples - room) / weight).clamp(1.0, most);
    let maps = (samples / weight).clamp(least, most);
    let splits = if splits.is_nan() { ((last.objects - maps) / 2.0).max(0.0) } else { splits };
    // Less than one sampled split is none.
    let splits = if splits * 2.0 * sampled < 1.0 { 0.0 } else { splits };
    let error = 2.0 / (last.objects * sampled).max(1.0).sqrt();
    Some(Splits { maps, bounds: (least, most), splits, error })
}

fn swiss(c: &Candidate, known: &Known, reached: &[f64], rows: &Rows) -> Vec<Bracket> {
    let large = splits(c, known, rows);
    let full = large.as_ref().map_or(0.0, |s| s.maps);
    let mut out = Vec::new();
    for (i, &here) in reached.iter().enumerate() {
        let above = if i + 2 == SWISS_RUNGS { full } else { 0.0 };
        let maps = here - reached.get(i + 1).copied().unwrap_or(above);
        if tells(maps, reached, i, c, known) {
            let (low, high) = known.layout.keys_at(i);
            out.push(Bracket { low, high, maps });
        }
    }
    let Some(large) = large else { return out };
    // A map splits a first time when its directory doubles to 16 bytes.
    let doubled = sum(rows, 2 * DIRECTORY).objects;
    let split_maps = match large.splits {
        0.0 => 0.0,
        s if known.exact() && doubled > 0.0 => full.min(doubled).min(s),
        s => full.min(s),
    };
    if full - split_maps > 0.5 {
        let (low, high) = known.layout.keys_at(SWISS_RUNGS - 1);
        out.push(Bracket { low, high, maps: full - split_maps });
    }
    if split_maps > 0.0 {
        let (least, most) = if known.exact() { (split_maps, split_maps) } else { large.bounds };
        let (few, many) =
            (large.splits / most * (1.0 - large.error).max(0.1), large.splits / least * (1.0 + large.error));
        let (low, _) = keys_of_tables(1.0 + few, f64::MAX);
        let (_, high) = keys_of_tables(0.0, 1.0 + many);
        out.push(Bracket { low, high: high.max(low), maps: split_maps });
    }
    out
}

/// Takes a rung's objects away: with `part` as many as it has, else all of that size.
fn take_away(rows: &mut Rows, rung: &Rung, part: bool) {
    let Some(records) = rows.get_mut(&rung.size).filter(|_| rung.objects > 0.0) else { return };
    let left = if part { 1.0 - rung.objects / records.iter().map(|r| r.objects).sum::<f64>().max(1.0) } else { 0.0 };
    if left < 1e-9 {
        rows.remove(&rung.size);
        return;
    }
    for r in records {
        (r.objects, r.bytes) = (r.objects * left, r.bytes * left);
    }
}

/// Takes an estimate's tables away from the objects that it was made from, so that another kind of map can be looked for.
pub fn tables_only(rows: &mut Rows, e: &Estimate, known: &Known) {
    e.rungs.iter().enumerate().for_each(|(i, r)| take_away(rows, r, known.exact() && i > 0));
}

/// Several kinds of map on one line, at most `most`, the one that explains most first: fitted, taken away, and fitted again.
pub fn estimate_all(rows: &Rows, known: &Known, most: usize) -> Vec<Estimate> {
    /// The part of the line's bytes that each must have.
    const LEAST: f64 = 0.03;
    let total: f64 = rows.values().flatten().map(|r| r.bytes).sum();
    let mut rows = rows.clone();
    let mut out = Vec::new();
    for _ in 0..most {
        let Some(e) = estimate(&rows, known).filter(|e| !e.brackets.is_empty()) else { break };
        let bytes = e.bytes();
        if bytes < LEAST * total {
            break;
        }
        tables_only(&mut rows, &e, known);
        out.push(Estimate { explained: bytes / total, ..e });
        if rows.is_empty() {
            break;
        }
    }
    out
}
