//! Maps: which lines of user code operate on maps, what that costs, how large the maps became, and what would help.
//!
//! The time comes from CPU samples, of a trace or of CPU profiles, by the lens in `assets/lenses/maps.toml`; the sizes come
//! from heap profiles, where growing maps have left ladders ([`ladder`], [`estimate`]); the goroutines, the locks held
//! around an operation and the GC cycles that it triggered come from the trace.

pub mod advice;
pub mod binary;
mod cpu;
pub mod estimate;
mod events;
pub mod heap;
pub mod ladder;
mod stack;

pub use advice::{Advice, Kind as AdviceKind};
pub use binary::Types;
pub use heap::{Heap, HeapLine, Input as HeapInput};
pub use stack::Place;

use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::contention::{Contention, What};
use crate::base::{Duration, GoId, GroupId, Time};
use crate::model::{Index, lens};
use crate::profile::model::Profile;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Samples of a line below which its split says too little.
pub const FEW: u64 = 20;

/// An operation on maps, at one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Which: `assign`, `make`.
    pub name: &'static str,
    /// CPU samples.
    pub samples: u64,
    /// The same by class, in the order of the lens. They add up to `samples`.
    pub classes: Vec<u64>,
}

/// A lock that was held around a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Where it was waited for.
    pub acquired: Place,
    /// Where it was released.
    pub released: Place,
    /// How often others waited for it.
    pub waits: u64,
    /// How long, summed up.
    pub waited: Duration,
}

/// A line of user code that operates on maps.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    /// Where it is.
    pub place: Place,
    /// CPU samples in operations on maps.
    pub samples: u64,
    /// Time on CPU of these.
    pub cpu: Duration,
    /// By operation, the most expensive first. They add up to `samples`.
    pub operations: Vec<Operation>,
    /// The samples by class, in the order of the lens. They add up to `samples`.
    pub classes: Vec<u64>,
    /// Samples of growth that are in the allocator.
    pub growth_alloc: u64,
    /// Samples at this line that make values into interfaces.
    pub conversions: u64,
    /// The groups of goroutines that were sampled here and how often; most first.
    pub goroutines: Vec<(String, u64)>,
    /// The lock held around it for which others waited longest.
    pub lock: Option<Lock>,
    /// GC cycles that began because it allocated.
    pub gc_cycles: u64,
    /// What heap profiles say.
    pub heap: Option<HeapLine>,
    /// What would help; the most effective first.
    pub advice: Vec<Advice>,
}

/// Two goroutines in an assignment at overlapping times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suspect {
    /// Where.
    pub place: Place,
    /// Which two were closest.
    pub goroutines: (GoId, GoId),
    /// When the later of the two was sampled, from the trace's start.
    pub at: Duration,
    /// How far their samples are apart.
    pub apart: Duration,
    /// How many pairs of samples were as close as this is looked for.
    pub pairs: u64,
}

/// Where CPU samples come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Samples {
    /// The file. Not escaped.
    pub name: String,
    /// Whether it is a trace.
    pub trace: bool,
    /// How many it has.
    pub count: u64,
}

/// What is known of maps.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Maps {
    /// Where the CPU samples are from; empty if there are none.
    pub sources: Vec<Samples>,
    /// Further files with CPU samples, which are left out because they have the same samples as `sources`.
    pub unused: Vec<Samples>,
    /// All CPU samples.
    pub samples: u64,
    /// Time on CPU of these.
    pub cpu: Duration,
    /// Samples in operations on maps.
    pub map_samples: u64,
    /// Time on CPU of these.
    pub map_cpu: Duration,
    /// The lines, the most expensive first; those that only heap profiles know come last.
    pub lines: Vec<Line>,
    /// Lines where two goroutines assigned at overlapping times.
    pub suspects: Vec<Suspect>,
    /// GC cycles of the trace, if there is one.
    pub gc_cycles: Option<u64>,
    /// The heap profiles.
    pub heap: Option<Heap>,
}

impl Maps {
    /// Samples of one operation, of all lines.
    pub fn of_operation(&self, name: &str) -> u64 {
        self.lines.iter().flat_map(|l| &l.operations).filter(|o| o.name == name).map(|o| o.samples).sum()
    }
}

impl Line {
    /// Samples of a column of the table: of all classes that it gathers.
    pub fn column(&self, name: &str) -> u64 {
        column(&self.classes, name)
    }
}

/// Samples of a column: of all classes that it gathers.
pub fn column(classes: &[u64], name: &str) -> u64 {
    lens::maps().classes.iter().zip(classes).filter(|(c, _)| c.column == name).map(|(_, n)| n).sum()
}

/// What maps are asked from.
#[derive(Default)]
pub struct Files<'a> {
    /// The trace's name, if there is one.
    pub trace: Option<&'a str>,
    /// CPU profiles with their names.
    pub cpu: Vec<(&'a str, &'a Profile)>,
    /// Heap profiles with their names, in any order.
    pub heap: Vec<(&'a str, &'a Profile)>,
    /// The types of maps, out of the program.
    pub types: Option<&'a Types>,
    /// The minor version of Go, if the user told it.
    pub go: Option<u32>,
}

/// Looks for maps in profiles alone.
pub fn of_profiles(files: &Files<'_>) -> Maps {
    finish(files, cpu::Fold::default(), None)
}

/// Looks for maps in a trace that has been read whole, and in profiles of its run. `locks` are those of the trace.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn of_trace<S: Source>(source: &S, locks: &Contention, files: &Files<'_>) -> Result<Maps, Unanswered> {
    let mut fold = cpu::Fold::default();
    source.with_index(&mut |index| fold.trace(index));
    let seen = events::look(source)?;
    let mut out = Maps::default();
    source.with_index(&mut |index| {
        let held = Held::new(index, locks);
        out = finish(files, std::mem::take(&mut fold), Some((index, &seen, &held)));
    });
    Ok(out)
}

/// A part of a trace.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// From the first instant to before the second.
    pub window: Option<(Time, Time)>,
    /// The goroutines of a group.
    pub group: Option<GroupId>,
    /// The events that a query matches, as its text has it.
    pub query: Option<&'a str>,
}

impl Scope<'_> {
    /// Whether it is all of the trace.
    pub fn is_all(&self) -> bool {
        self.window.is_none() && self.group.is_none() && self.query.is_none()
    }
}

/// The same as [`of_trace`] for a part of a trace: its samples and GC cycles. Locks are those of the whole trace, and
/// profiles of the whole run, so that CPU profiles count only where the trace has no samples at all.
///
/// # Errors
///
/// A segment that cannot be decoded, a query that is none; `cancel` was set.
pub fn of_scope<S: Source>(
    source: &S,
    locks: &Contention,
    files: &Files<'_>,
    scope: &Scope<'_>,
    cancel: &AtomicBool,
) -> Result<Maps, Unanswered> {
    let (seen, mut fold) = events::look_in(source, scope, cancel)?;
    let mut out = Maps::default();
    source.with_index(&mut |index| {
        let cpu = if index.totals.samples.is_empty() { files.cpu.clone() } else { Vec::new() };
        let files = Files { cpu, heap: files.heap.clone(), ..*files };
        let held = Held::new(index, locks);
        out = finish(&files, std::mem::take(&mut fold), Some((index, &seen, &held)));
    });
    Ok(out)
}

type OfTrace<'a> = (&'a Index, &'a events::Seen, &'a Held);

fn finish(files: &Files<'_>, of_trace: cpu::Fold, trace: Option<OfTrace<'_>>) -> Maps {
    let mut of_profiles = cpu::Fold::default();
    let mut sources: Vec<Samples> = Vec::new();
    for (name, p) in &files.cpu {
        let count = of_profiles.profile(p);
        sources.push(Samples { name: (*name).to_owned(), trace: false, count });
    }
    let named = files.trace.map(|name| Samples { name: name.to_owned(), trace: true, count: of_trace.samples });
    // A profile and a trace of the same seconds have the same samples: those that tell more are taken.
    let mut out = Maps::default();
    let with_trace = of_trace.map_samples() >= of_profiles.map_samples() && of_trace.samples > 0;
    let (fold, spare) = if with_trace { (of_trace, of_profiles) } else { (of_profiles, of_trace) };
    let (own, other): (Vec<Samples>, Vec<Samples>) =
        sources.into_iter().chain(named).partition(|s| s.trace == with_trace);
    out.unused = if spare.samples > 0 { other } else { Vec::new() };
    out.sources = if fold.samples > 0 { own } else { Vec::new() };
    (out.samples, out.cpu) = (fold.samples, Duration(fold.ns));
    (out.map_samples, out.map_cpu) = (fold.map_samples(), Duration(fold.map_ns()));
    let mut lines = fold.lines();
    let known: Vec<Place> =
        lines.iter().filter(|l| l.0.operations.iter().any(allocates)).map(|l| l.0.place.clone()).collect();
    let swiss = fold.swiss();
    out.heap = heap::look(&files.heap, &heap::Asked { lines: &known, types: files.types, go: files.go, swiss });
    if let Some((index, seen, held)) = trace {
        out.gc_cycles = Some(index.gc.len() as u64);
        for (line, around) in &mut lines {
            if let Some(at) = seen.lines.get(&line.place) {
                line.gc_cycles = at.gc_cycles;
                line.goroutines = at.goroutines.iter().map(|(name, n)| (name.clone(), *n)).collect();
                line.goroutines.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            }
            line.lock = held.around(around);
        }
    }
    out.lines = lines.into_iter().map(|l| l.0).collect();
    let mut of_heap = out.heap.as_mut().map_or_else(BTreeMap::new, |h| std::mem::take(&mut h.lines));
    for l in &mut out.lines {
        l.heap = of_heap.remove(&l.place);
    }
    let mut rest: Vec<Line> =
        of_heap.into_iter().map(|(place, heap)| Line { place, heap: Some(heap), ..Line::default() }).collect();
    rest.sort_by_key(|l| std::cmp::Reverse(l.heap.as_ref().map_or(0, |h| h.map_bytes)));
    out.lines.extend(rest);
    if let Some((_, seen, _)) = trace {
        out.suspects = seen.suspects(|place| {
            out.lines
                .iter()
                .find(|l| l.place == *place)
                .is_some_and(|l| l.lock.is_none() && !is_born_here(&out.lines, l))
        });
    }
    for i in 0..out.lines.len() {
        out.lines[i].advice = advice::of(&out.lines[i], &out);
    }
    out
}

/// Whether an operation may allocate a map's tables.
fn allocates(o: &Operation) -> bool {
    matches!(o.name, "assign" | "make" | "clone" | "sync.Map")
}

/// Whether maps are made in the function of a line: then each goroutine may well have its own.
fn is_born_here(lines: &[Line], at: &Line) -> bool {
    lines.iter().filter(|l| l.place.func == at.place.func).any(|l| l.operations.iter().any(|o| o.name == "make"))
}

/// Locks by where they are acquired and released.
struct Held {
    locks: Vec<(Vec<Place>, Vec<Place>, Lock)>,
}

impl Held {
    fn new(index: &Index, contention: &Contention) -> Held {
        let place = |p| {
            let (func, line) = contention.places.get(p)?;
            let (func, file) = (index.dict.func_name(func).to_owned(), index.dict.func_file(func).to_owned());
            Some(Place { file, line, func })
        };
        let locks = contention.classes.iter().filter(|c| c.what == What::Lock).map(|c| {
            let acquired: Vec<Place> = c.waits_at.iter().filter_map(|w| place(w.0)).collect();
            let released: Vec<Place> = c.ended_at.iter().filter_map(|e| place(e.0)).collect();
            let (waits, waited) = (c.waits, c.total);
            let lock = Lock { acquired: Place::default(), released: Place::default(), waits, waited };
            (acquired, released, lock)
        });
        Held { locks: locks.collect() }
    }

    /// The lock that is held around a line: one that some function on the stack acquires at or above the line where it
    /// stands and releases at or below. Of several, that for which others waited longest.
    fn around(&self, stack: &stack::Around) -> Option<Lock> {
        let held = self.locks.iter().filter_map(|(acquired, released, lock)| {
            stack.iter().find_map(|(func, line)| {
                let before = acquired.iter().find(|p| p.func == *func && p.line <= *line)?;
                let after = released.iter().find(|p| p.func == *func && p.line >= *line)?;
                Some(Lock { acquired: before.clone(), released: after.clone(), ..lock.clone() })
            })
        });
        held.max_by_key(|l| l.waited)
    }
}

/// A time from the start of a trace.
fn since(index: &Index, at: Time) -> Duration {
    at - index.start
}
