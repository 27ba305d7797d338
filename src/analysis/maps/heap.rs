//! Heap profiles: which lines allocate maps, how much, and how large the maps became.

use super::binary::Types;
use super::estimate::{Estimate, FEWEST_SAMPLES, Known, Record, Rows, estimate_all, tables_only};
use super::ladder::{Family, HEADER, Layout, Unit};
use super::stack::{self, Functions, Place};
use crate::model::lens;
use crate::profile::model::{LabelValue, Profile, Sample};
use rustc_hash::FxHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// A heap profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// The file. Not escaped.
    pub name: String,
    /// When it was taken, ns since 1970 UTC; 0 if it does not say.
    pub time: i64,
    /// Bytes between two samples; 1 if it has every object.
    pub rate: i64,
    /// Bytes of maps that are live in it, of all lines that are listed.
    pub live: i64,
}

/// Why a line's objects are taken for maps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Evidence {
    /// CPU samples show an operation on a map at the line.
    Cpu,
    /// The program's code assigns to a map there.
    Binary,
    /// The runtime's functions stand on the stack.
    Stack,
    /// There are as many headers of maps.
    Headers,
    /// The sizes of its objects are those of a growing map.
    Ladder,
}

/// What heap profiles say of a line.
#[derive(Clone, PartialEq, Debug)]
pub struct HeapLine {
    /// Why its objects are taken for maps.
    pub evidence: Evidence,
    /// Bytes that it allocated: between the first and the last profile, if there are several.
    pub bytes: i64,
    /// Objects, the same way.
    pub objects: i64,
    /// Bytes of these that are maps' tables, since the program started.
    pub map_bytes: i64,
    /// Bytes live in the last profile.
    pub live: i64,
    /// Bytes live in each profile, in order of time.
    pub series: Vec<i64>,
    /// The maps' sizes, one for each kind of map on the line.
    pub estimates: Vec<Estimate>,
    /// Why nothing is said of sizes.
    pub silent: Option<Silent>,
    /// Small maps made at the line, with their headers: about how many, of those that some estimate tells of.
    pub born: f64,
    /// Entries that `sync.Map` made (Go 1.24 and later).
    pub entries: Option<i64>,
}

impl HeapLine {
    /// The estimate that says most, of those that say anything.
    pub fn main(&self) -> Option<&Estimate> {
        self.estimates.iter().max_by(|a, b| a.outgrown.total_cmp(&b.outgrown))
    }
}

/// Why nothing can be said of how large maps became.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silent {
    /// There are too few samples.
    FewSamples,
    /// Two sizes of keys and values explain the objects, and they say different things.
    Ambiguous,
    /// The objects are no growing tables.
    NoLadder,
}

/// All heap profiles together.
#[derive(Clone, PartialEq, Debug)]
pub struct Heap {
    /// The profiles, in order of time.
    pub inputs: Vec<Input>,
    /// How maps are laid out.
    pub layout: Layout,
    /// Whether that is known, or only fits best.
    pub guessed: bool,
    /// The lines.
    pub lines: BTreeMap<Place, HeapLine>,
    /// Bytes allocated by the whole program, the way [`HeapLine::bytes`] is.
    pub bytes: i64,
}

/// What is asked of heap profiles.
pub(super) struct Asked<'a> {
    /// Lines that are known to allocate maps.
    pub lines: &'a [Place],
    pub types: Option<&'a Types>,
    pub go: Option<u32>,
    pub swiss: Option<bool>,
}

/// A line of one profile.
#[derive(Default, Clone)]
struct Sums {
    objects: i64,
    bytes: i64,
    live: i64,
    /// Objects that may be maps' tables, by size.
    rows: Rows,
    /// The runtime's functions on the stack say that it is an operation on maps.
    operation: bool,
    /// Entries of a `sync.Map`.
    entries: i64,
}

/// One profile.
struct One<'a> {
    name: &'a str,
    profile: &'a Profile,
    rate: i64,
    headers: f64,
    lines: BTreeMap<Place, Sums>,
}

impl Sums {
    /// Objects of the size of a map's header.
    fn headers(&self) -> f64 {
        self.rows.get(&HEADER).map_or(0.0, |r| r.iter().map(|r| r.objects).sum())
    }
}

/// Position of a type of value.
fn column(p: &Profile, kind: &str) -> Option<usize> {
    p.sample_types.iter().position(|t| p.str(t.kind) == kind)
}

fn hash(stack: &[u32]) -> u64 {
    let mut h = FxHasher::default();
    stack.hash(&mut h);
    h.finish()
}

/// Whether a profile is of the heap.
pub fn is_heap(p: &Profile) -> bool {
    column(p, "inuse_space").is_some() || column(p, "alloc_space").is_some()
}

/// The size of the objects of a sample.
fn size_of(p: &Profile, s: &Sample) -> Option<u64> {
    p.labels_of(s).iter().find_map(|l| match l.value {
        LabelValue::Number(n, _) if p.str(l.key) == "bytes" => u64::try_from(n).ok().filter(|&n| n > 0),
        _ => None,
    })
}

impl<'a> One<'a> {
    fn new(name: &'a str, p: &'a Profile, functions: &mut Functions) -> One<'a> {
        let [objects, bytes, live] = ["alloc_objects", "alloc_space", "inuse_space"].map(|kind| column(p, kind));
        let live_objects = column(p, "inuse_objects");
        let mut out = One { name, profile: p, rate: p.period.max(1), headers: 0.0, lines: BTreeMap::new() };
        for s in &p.samples {
            let values = p.values_of(s);
            let value = |i: Option<usize>| i.and_then(|i| values.get(i)).copied().unwrap_or(0).max(0);
            // Old profiles have only what is live.
            let (n, b) = (value(objects.or(live_objects)), value(bytes.or(live)));
            let stack = stack::of_profile(p, s);
            let size = size_of(p, s);
            if size == Some(HEADER) {
                out.headers += n as f64;
            }
            let Some(split) = functions.split(&stack) else { continue };
            let at = out.lines.entry(stack[split.user].place()).or_default();
            at.objects = at.objects.saturating_add(n);
            at.bytes = at.bytes.saturating_add(b);
            at.live = at.live.saturating_add(value(live));
            let operation = split.found.and_then(|f| lens::maps().operations.get(f.operation)).map(|o| o.name.as_str());
            at.operation |= operation.is_some();
            let entry = stack.first().is_some_and(|c| c.func.contains(".newEntryNode["));
            at.entries += if entry && operation == Some("sync.Map") { n } else { 0 };
            // What a library allocated below the line is no map's, unless a map's operation is there.
            let own = stack.first().is_some_and(|c| lens::maps().has(c.func));
            let tables =
                split.user == 0 || matches!(operation, Some("assign" | "make")) || own && operation == Some("sync.Map");
            if let Some(size) = size.filter(|_| tables && n > 0) {
                at.rows.entry(size).or_default().push(Record {
                    objects: n as f64,
                    bytes: b as f64,
                    stack: hash(p.stack_of(s)),
                });
            }
        }
        out
    }
}

/// The Go version that a profile gives away: the line of `runtime.main` that calls `main.main`, as the releases have it.
fn minor(p: &Profile) -> Option<u32> {
    const MAIN: &str = "runtime.main";
    let main = p.lines.iter().filter(|l| p.functions.get(l.function as usize).is_some_and(|f| p.str(f.name) == MAIN));
    let line = main.map(|l| l.line).max()?;
    Some(match line {
        // Lines further up call the functions `init`.
        ..=239 => return None,
        240..=258 => 20,
        259..=268 => 21,
        269..=271 => 22,
        272..=277 => 23,
        278..=283 => 24,
        284..=287 => 25,
        288..=295 => 26,
        _ => 27,
    })
}

/// The layouts that may be meant, the likeliest first.
fn layouts(asked: &Asked<'_>, last: &One<'_>) -> Vec<Layout> {
    if let Some(l) = asked.types.and_then(Types::layout) {
        return vec![l];
    }
    let other =
        |l: Layout| Layout { family: if l.family == Family::Swiss { Family::Classic } else { Family::Swiss }, ..l };
    if let Some(go) = asked.go {
        let l = Layout::of(go);
        return if asked.swiss.is_none() && go >= 24 { vec![l, other(l)] } else { vec![l] };
    }
    let told = minor(last.profile).map(Layout::of);
    match (told, asked.swiss) {
        (Some(l), None) => vec![l, other(l)],
        (Some(l), Some(swiss)) if swiss == (l.family == Family::Swiss) => vec![l],
        (Some(l), Some(_)) => vec![other(l)],
        (None, Some(true)) => vec![Layout::of(27)],
        (None, Some(false)) => [23, 21, 20].map(Layout::of).into(),
        (None, None) => [27, 23, 21, 20].map(Layout::of).into(),
    }
}

/// The bytes of a line that an estimate must explain where nothing else says that its objects are maps.
const LADDER_PART: f64 = 0.5;
/// The same for a further kind of map, where a first is certain.
const FURTHER_PART: f64 = 0.1;
/// Maps that must have as many headers as groups for these to be known by their number.
const FEWEST_BIRTHS: f64 = 8.0;

/// What a line's objects tell, and why nothing of sizes.
type Told = (Evidence, Vec<Estimate>, Option<Silent>);

struct Reader<'a> {
    asked: &'a Asked<'a>,
    layout: Layout,
    rate: i64,
    headers: f64,
    /// Objects of a map's header on the lines of each function.
    births: BTreeMap<&'a str, BTreeSet<u64>>,
}

impl Reader<'_> {
    fn known(&self, place: &Place, unit: Option<Unit>) -> Known {
        let births = self.births.get(place.func.as_str());
        let local_births = births.map(|b| b.iter().sum::<u64>() as f64);
        Known { layout: self.layout, rate: self.rate, births: Some(self.headers), local_births, unit }
    }

    /// Whether there are about as many headers of maps on this line as maps are said to be, or on another line of the
    /// function where the profile has every object: then these are small maps, however few sizes they have.
    fn have_headers(&self, e: &Estimate, place: &Place, here: f64) -> bool {
        let maps = e.maps();
        if e.unit.bytes <= HEADER || maps < FEWEST_BIRTHS {
            return false;
        }
        if self.rate <= 1 {
            let near = |n: f64| (n - maps).abs() <= (0.01 * maps).max(1.0);
            let of_function = self.births.get(place.func.as_str());
            return near(here) || of_function.is_some_and(|b| b.iter().any(|&n| near(n as f64)));
        }
        let headers = here * self.known(place, None).sampled(HEADER);
        let spread = 3.0 * (1.0 / headers.max(1.0) + 1.0 / e.samples.max(1.0)).sqrt();
        headers >= FEWEST_SAMPLES && e.samples >= FEWEST_SAMPLES && (here / maps).ln().abs() <= spread
    }

    /// What a line's objects say.
    fn line(&self, place: &Place, sums: &Sums) -> Option<Told> {
        let units = self.asked.types.map_or(&[][..], |t| t.at(&place.file, place.line));
        let mut rows = sums.rows.clone();
        let mut estimates = Vec::new();
        for &unit in units {
            let known = self.known(place, Some(unit));
            for e in estimate_all(&rows, &known, 1) {
                tables_only(&mut rows, &e, &known);
                estimates.push(e);
            }
        }
        let known = self.known(place, None);
        let cpu = self.asked.lines.contains(place);
        let mut evidence = match () {
            () if cpu => Some(Evidence::Cpu),
            () if !estimates.is_empty() => Some(Evidence::Binary),
            () if sums.operation => Some(Evidence::Stack),
            () => None,
        };
        let mut silent = None;
        if units.is_empty() {
            let all = estimate_all(&rows, &known, 4);
            silent = match () {
                () if all.is_empty() && self.rate > 1 => Some(Silent::FewSamples),
                () if all.iter().any(|e| e.ambiguous && e.used() >= 2) => Some(Silent::Ambiguous),
                () => Some(Silent::NoLadder),
            };
            for e in all {
                let certain = evidence.is_some() || !estimates.is_empty();
                let headers = e.used() == 1 && self.have_headers(&e, place, sums.headers());
                let enough = if certain { FURTHER_PART } else { LADDER_PART };
                let rungs = match self.layout.family {
                    _ if certain => 2,
                    Family::Swiss if self.rate <= 1 => 2,
                    Family::Classic if self.rate <= 1 => 3,
                    _ => 4,
                };
                let ladder = e.tells(&known) && (e.used() >= rungs || e.halves) && e.explained >= enough;
                if headers || ladder {
                    evidence = evidence.or(Some(if headers { Evidence::Headers } else { Evidence::Ladder }));
                    estimates.push(e);
                }
            }
        }
        if !estimates.is_empty() {
            silent = None;
        }
        evidence.map(|e| (e, estimates, silent))
    }
}

/// Looks at heap profiles; nothing if there are none.
pub(super) fn look(profiles: &[(&str, &Profile)], asked: &Asked<'_>) -> Option<Heap> {
    let mut functions = Functions::default();
    let mut all: Vec<One<'_>> = profiles.iter().map(|(name, p)| One::new(name, p, &mut functions)).collect();
    // Those that do not say when they were taken stay where they were named.
    all.sort_by_key(|o| o.profile.time_nanos);
    let last = all.last()?;
    let swiss = asked.swiss.or_else(|| functions.swiss());
    let asked = Asked { swiss, ..*asked };
    let layouts = layouts(&asked, last);
    let mut births: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (place, sums) in last.lines.iter().filter(|l| l.1.headers() >= 1.0) {
        births.entry(&place.func).or_default().insert(sums.headers() as u64);
    }
    let mut best: Option<(f64, Layout, BTreeMap<Place, Told>)> = None;
    for &layout in &layouts {
        let reader = Reader { asked: &asked, layout, rate: last.rate, headers: last.headers, births: births.clone() };
        let lines: BTreeMap<_, _> =
            last.lines.iter().filter_map(|(place, sums)| Some((place.clone(), reader.line(place, sums)?))).collect();
        let explained: f64 = lines.values().flat_map(|l| &l.1).map(Estimate::bytes).sum();
        // Another layout than the likeliest must explain much more.
        if best.as_ref().is_none_or(|b| explained > 1.3 * b.0) {
            best = Some((explained, layout, lines));
        }
    }
    let (_, layout, lines) = best?;
    let first = all.first().filter(|_| all.len() > 1);
    let before = |place: &Place| first.and_then(|f| f.lines.get(place)).map_or((0, 0), |s| (s.bytes, s.objects));
    let total = |o: &One<'_>| o.lines.values().fold(0i64, |sum, s| sum.saturating_add(s.bytes));
    let bytes = total(last).saturating_sub(first.map_or(0, total));
    let lines: BTreeMap<Place, HeapLine> = lines
        .into_iter()
        .filter_map(|(place, (evidence, estimates, silent))| {
            let sums = last.lines.get(&place)?;
            let (bytes, objects) = before(&place);
            let series = all.iter().map(|o| o.lines.get(&place).map_or(0, |s| s.live)).collect();
            let small = estimates.iter().filter(|e: &&Estimate| e.used() == 1 && e.main().is_some_and(|b| b.high <= 8));
            let born = small.map(Estimate::maps).fold(0.0, f64::max).min(sums.headers());
            let line = HeapLine {
                evidence,
                born,
                bytes: sums.bytes.saturating_sub(bytes),
                objects: sums.objects.saturating_sub(objects),
                map_bytes: estimates.iter().map(Estimate::bytes).sum::<f64>() as i64,
                live: sums.live,
                series,
                estimates,
                silent,
                entries: Some(sums.entries).filter(|&n| n > 0),
            };
            Some((place, line))
        })
        .collect();
    let inputs = all.iter().enumerate().map(|(i, o)| Input {
        name: o.name.to_owned(),
        time: o.profile.time_nanos,
        rate: o.rate,
        live: lines.values().filter_map(|l| l.series.get(i)).fold(0, |sum, n| sum.saturating_add(*n)),
    });
    let inputs = inputs.collect();
    Some(Heap {
        inputs,
        layout,
        guessed: layouts.len() > 1 && minor(last.profile).is_none() && asked.go.is_none(),
        lines,
        bytes,
    })
}
