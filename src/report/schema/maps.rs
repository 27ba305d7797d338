//! What programs do with maps, as JSON. Lengths of time are whole nanoseconds, sizes bytes, shares 0 to 1.

use super::{Place, Version};
use crate::report::maps::{classes, columns};
use crate::analysis::maps::estimate::{Bracket, Estimate};
use crate::analysis::maps::heap::{Evidence, Silent};
use crate::analysis::maps::{Advice, HeapLine, Line, Maps, Place as MapPlace, Samples, Suspect, ladder::Family};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the program does with maps.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json<'a> {
    /// The version of this form.
    schema: Version,
    /// Where the CPU samples come from, and how many there are.
    cpu: Cpu<'a>,
    /// GC cycles of the trace; `null` without a trace.
    gc_cycles: Option<u64>,
    /// What heap profiles say; `null` without one.
    heap: Option<Heap<'a>>,
    /// Lines of the user's code that work on maps, most CPU first.
    lines: Vec<Row<'a>>,
    /// Lines at which two goroutines may have written to the same map at once: suspicions.
    suspects: Vec<Race>,
}

/// CPU samples.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Cpu<'a> {
    /// The trace and the profiles that were counted.
    sources: Vec<Source<'a>>,
    /// Those that would have counted the same samples again.
    not_counted: Vec<Source<'a>>,
    /// All samples.
    samples: u64,
    /// Their CPU time.
    ns: i64,
    /// Those inside an operation on a map.
    map_samples: u64,
    /// Their CPU time.
    map_ns: i64,
}

/// A file with CPU samples.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Source<'a> {
    /// What the file is called.
    name: &'a str,
    /// Whether it is a trace.
    trace: bool,
    /// How many it has.
    samples: u64,
}

/// What heap profiles say of maps.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Heap<'a> {
    /// How maps lie in memory: `swiss` (Go 1.24 and later) or `classic`.
    layout: &'static str,
    /// Whether the layout was concluded from the sizes, no binary or trace saying the version.
    guessed: bool,
    /// Bytes that were allocated for maps.
    bytes: i64,
    /// The profiles, oldest first.
    profiles: Vec<HeapProfile<'a>>,
}

/// A heap profile.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct HeapProfile<'a> {
    /// What the file is called.
    name: &'a str,
    /// When it was taken, in ns since 1970.
    time_ns: i64,
    /// One sample in so many bytes.
    rate: i64,
    /// Bytes of maps that were in use.
    live: i64,
}

/// A line of the user's code.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Row<'a> {
    /// The line.
    at: Place,
    /// CPU samples of its operations on maps.
    samples: u64,
    /// Their CPU time.
    cpu_ns: i64,
    /// Of the CPU time of all operations on maps.
    share_of_maps: f64,
    /// Its operations, most samples first.
    operations: Vec<Operation>,
    /// Samples by what they were spent on; they sum to `samples`.
    classes: BTreeMap<&'static str, u64>,
    /// The same in the columns of the table that people see.
    columns: BTreeMap<&'static str, u64>,
    /// Samples by the start function of the goroutines, most first.
    goroutines: Vec<Group<'a>>,
    /// The lock that is held around the line; `null` if the trace shows none.
    lock: Option<Lock>,
    /// GC cycles that the line's allocations started.
    gc_cycles: u64,
    /// What it allocated; `null` without a heap profile.
    heap: Option<OfHeap>,
    /// What would help, by what it saves.
    advice: Vec<Help>,
}

/// One operation on maps.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Operation {
    /// Its name: assign, access, delete, iterate, clear, clone, make.
    name: &'static str,
    /// CPU samples.
    samples: u64,
    /// Samples by what they were spent on.
    classes: BTreeMap<&'static str, u64>,
}

/// Goroutines with one start function.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Group<'a> {
    /// The start function.
    group: &'a str,
    /// CPU samples.
    samples: u64,
}

/// A lock held around a line.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Lock {
    /// Where others waited for it.
    acquired: Place,
    /// Where it was released.
    released: Place,
    /// How often others waited for it.
    waits: u64,
    /// How long, in sum.
    waited_ns: i64,
}

/// What a line allocated for maps.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct OfHeap {
    /// Why this is taken for maps: `cpu` (samples), `binary`, `stack`, `headers` (their sizes) or `ladder` (the sizes of tables).
    evidence: &'static str,
    /// Bytes allocated at the line.
    bytes: i64,
    /// Objects allocated at the line.
    objects: i64,
    /// Bytes of these that are maps'.
    map_bytes: i64,
    /// Bytes of maps in use in the last profile.
    live: i64,
    /// Bytes of maps in use in each profile, oldest first.
    series: Vec<i64>,
    /// Maps that began in their smallest form.
    small_maps_made: u64,
    /// Entries of a `sync.Map`; `null` if it is none.
    sync_map_entries: Option<i64>,
    /// Sizes that the maps of the line grew to, by type of map.
    sizes: Vec<Size>,
    /// Why no size is said: `few samples`, `ambiguous` or `no ladder`; `null` if one is.
    silent: Option<&'static str>,
}

/// Maps of one type.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Size {
    /// Bytes of a key with its value; `null` if several would fit.
    unit: Option<u64>,
    /// Whether these hold pointers; `null` if that is not known.
    pointers: Option<bool>,
    /// How many maps end between which numbers of keys.
    brackets: Vec<Keys>,
    /// The sizes of tables that were allocated.
    rungs: Vec<Rung>,
    /// Samples behind it.
    samples: f64,
    /// What part of the bytes the ladder explains.
    explained: f64,
    /// Bytes of tables that were outgrown: what a right size from the start saves.
    outgrown_bytes: i64,
    /// Whether other types of map would fit as well.
    ambiguous: bool,
}

/// A number of maps by their size.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Keys {
    /// At least so many keys.
    low: u64,
    /// At most so many keys.
    high: u64,
    /// About so many maps.
    maps: u64,
}

/// Tables of one size.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Rung {
    /// Bytes of one.
    size: u64,
    /// About how many.
    objects: u64,
    /// Bytes in sum.
    bytes: u64,
}

/// Something that would help.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Help {
    /// What to do.
    kind: &'static str,
    /// The part of the line's samples that speaks for it.
    share: f64,
    /// The part of the line's CPU time that it saves; `null` if that is not known.
    saves_cpu: Option<f64>,
    /// Bytes that it saves; `null` if that is not known.
    saves_bytes: Option<i64>,
    /// How large to make the maps; `null` if it is not about that.
    size: Option<Keys>,
    /// How long others waited; `null` if it is not about that.
    waited_ns: Option<i64>,
}

/// A suspicion of concurrent writes.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Race {
    /// The line.
    at: Place,
    /// Two goroutines that were in it.
    goroutines: [u64; 2],
    /// When, on the trace's clock.
    at_ns: i64,
    /// How far apart the samples are.
    apart_ns: i64,
    /// How many such pairs there are.
    pairs: u64,
}

fn spot(p: &MapPlace) -> Place {
    Place { func: p.func.clone(), file: p.file.clone(), line: p.line }
}

fn keys(b: &Bracket) -> Keys {
    Keys { low: b.low, high: b.high, maps: b.maps.round().max(1.0) as u64 }
}

fn size(e: &Estimate) -> Size {
    let told = e.others.len() == 1;
    let rung = |r: &crate::analysis::maps::estimate::Rung| Rung {
        size: r.size,
        objects: r.objects.round() as u64,
        bytes: r.bytes.round() as u64,
    };
    Size {
        unit: told.then_some(e.unit.bytes),
        pointers: told.then_some(e.unit.pointers),
        brackets: e.brackets.iter().map(keys).collect(),
        rungs: e.rungs.iter().map(rung).collect(),
        samples: e.samples,
        explained: e.explained,
        outgrown_bytes: e.outgrown as i64,
        ambiguous: e.ambiguous,
    }
}

fn of_heap(h: &HeapLine) -> OfHeap {
    OfHeap {
        evidence: match h.evidence {
            Evidence::Cpu => "cpu",
            Evidence::Binary => "binary",
            Evidence::Stack => "stack",
            Evidence::Headers => "headers",
            Evidence::Ladder => "ladder",
        },
        bytes: h.bytes,
        objects: h.objects,
        map_bytes: h.map_bytes,
        live: h.live,
        series: h.series.clone(),
        small_maps_made: h.born.round() as u64,
        sync_map_entries: h.entries,
        sizes: h.estimates.iter().map(size).collect(),
        silent: h.silent.map(|s| match s {
            Silent::FewSamples => "few samples",
            Silent::Ambiguous => "ambiguous",
            Silent::NoLadder => "no ladder",
        }),
    }
}

fn help(a: &Advice) -> Help {
    Help {
        kind: a.kind.name(),
        share: a.share,
        saves_cpu: a.saves_cpu,
        saves_bytes: a.saves_bytes.map(|b| b as i64),
        size: a.maps.as_ref().map(keys),
        waited_ns: a.waited.map(|d| d.ns()),
    }
}

fn row<'a>(l: &'a Line, maps: &Maps) -> Row<'a> {
    let operation = |o: &crate::analysis::maps::Operation| Operation {
        name: o.name,
        samples: o.samples,
        classes: classes(&o.classes).collect(),
    };
    Row {
        at: spot(&l.place),
        samples: l.samples,
        cpu_ns: l.cpu.ns(),
        share_of_maps: if maps.map_cpu.ns() > 0 { l.cpu.ns() as f64 / maps.map_cpu.ns() as f64 } else { 0.0 },
        operations: l.operations.iter().map(operation).collect(),
        classes: classes(&l.classes).collect(),
        columns: columns(&l.classes).collect(),
        goroutines: l.goroutines.iter().map(|(group, samples)| Group { group, samples: *samples }).collect(),
        lock: l.lock.as_ref().map(|k| Lock {
            acquired: spot(&k.acquired),
            released: spot(&k.released),
            waits: k.waits,
            waited_ns: k.waited.ns(),
        }),
        gc_cycles: l.gc_cycles,
        heap: l.heap.as_ref().map(of_heap),
        advice: l.advice.iter().map(help).collect(),
    }
}

fn source(s: &Samples) -> Source<'_> {
    Source { name: &s.name, trace: s.trace, samples: s.count }
}

fn race(s: &Suspect) -> Race {
    let goroutines = [s.goroutines.0.0, s.goroutines.1.0];
    Race { at: spot(&s.place), goroutines, at_ns: s.at.ns(), apart_ns: s.apart.ns(), pairs: s.pairs }
}

impl<'a> Json<'a> {
/// Everything that is known of maps.
 pub fn of(maps: &'a Maps) -> Json<'a> {
    Json {
        schema: Version,
        cpu: Cpu {
            sources: maps.sources.iter().map(source).collect(),
            not_counted: maps.unused.iter().map(source).collect(),
            samples: maps.samples,
            ns: maps.cpu.ns(),
            map_samples: maps.map_samples,
            map_ns: maps.map_cpu.ns(),
        },
        gc_cycles: maps.gc_cycles,
        heap: maps.heap.as_ref().map(|h| Heap {
            layout: if h.layout.family == Family::Swiss { "swiss" } else { "classic" },
            guessed: h.guessed,
            bytes: h.bytes,
            profiles: h
                .inputs
                .iter()
                .map(|i| HeapProfile { name: &i.name, time_ns: i.time, rate: i.rate, live: i.live })
                .collect(),
        }),
        lines: maps.lines.iter().map(|l| row(l, maps)).collect(),
        suspects: maps.suspects.iter().map(race).collect(),
    }
}
}
