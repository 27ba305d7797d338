//! Maps as JSON. Times in ns, sizes in bytes, shares from 0 to 1.

use super::{classes, columns};
use crate::analysis::maps::estimate::{Bracket, Estimate};
use crate::analysis::maps::heap::{Evidence, Silent};
use crate::analysis::maps::{Advice, HeapLine, Line, Maps, Place, Samples, Suspect, ladder::Family};
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of this form.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Doc<'a> {
    schema: u32,
    cpu: Cpu<'a>,
    gc_cycles: Option<u64>,
    heap: Option<Heap<'a>>,
    lines: Vec<Row<'a>>,
    suspects: Vec<Race<'a>>,
}

#[derive(Serialize)]
struct Cpu<'a> {
    sources: Vec<Source<'a>>,
    not_counted: Vec<Source<'a>>,
    samples: u64,
    ns: i64,
    map_samples: u64,
    map_ns: i64,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    trace: bool,
    samples: u64,
}

#[derive(Serialize)]
struct Heap<'a> {
    layout: &'static str,
    guessed: bool,
    bytes: i64,
    profiles: Vec<HeapProfile<'a>>,
}

#[derive(Serialize)]
struct HeapProfile<'a> {
    name: &'a str,
    time_ns: i64,
    rate: i64,
    live: i64,
}

#[derive(Serialize)]
struct Spot<'a> {
    func: &'a str,
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    place: Spot<'a>,
    samples: u64,
    cpu_ns: i64,
    share_of_maps: f64,
    operations: Vec<Operation>,
    classes: BTreeMap<&'static str, u64>,
    columns: BTreeMap<&'static str, u64>,
    goroutines: Vec<Group<'a>>,
    lock: Option<Lock<'a>>,
    gc_cycles: u64,
    heap: Option<OfHeap>,
    advice: Vec<Help>,
}

#[derive(Serialize)]
struct Operation {
    name: &'static str,
    samples: u64,
    classes: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Group<'a> {
    group: &'a str,
    samples: u64,
}

#[derive(Serialize)]
struct Lock<'a> {
    acquired: Spot<'a>,
    released: Spot<'a>,
    waits: u64,
    waited_ns: i64,
}

#[derive(Serialize)]
struct OfHeap {
    evidence: &'static str,
    bytes: i64,
    objects: i64,
    map_bytes: i64,
    live: i64,
    series: Vec<i64>,
    small_maps_made: u64,
    sync_map_entries: Option<i64>,
    sizes: Vec<Size>,
    silent: Option<&'static str>,
}

#[derive(Serialize)]
struct Size {
    unit: Option<u64>,
    pointers: Option<bool>,
    brackets: Vec<Keys>,
    rungs: Vec<Rung>,
    samples: f64,
    explained: f64,
    outgrown_bytes: i64,
    ambiguous: bool,
}

#[derive(Serialize)]
struct Keys {
    low: u64,
    high: u64,
    maps: u64,
}

#[derive(Serialize)]
struct Rung {
    size: u64,
    objects: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Help {
    kind: &'static str,
    share: f64,
    saves_cpu: Option<f64>,
    saves_bytes: Option<i64>,
    size: Option<Keys>,
    waited_ns: Option<i64>,
}

#[derive(Serialize)]
struct Race<'a> {
    #[serde(flatten)]
    place: Spot<'a>,
    goroutines: [u64; 2],
    at_ns: i64,
    apart_ns: i64,
    pairs: u64,
}

fn spot(p: &Place) -> Spot<'_> {
    Spot { func: &p.func, file: &p.file, line: p.line }
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
        place: spot(&l.place),
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

fn race(s: &Suspect) -> Race<'_> {
    let goroutines = [s.goroutines.0.0, s.goroutines.1.0];
    Race { place: spot(&s.place), goroutines, at_ns: s.at.ns(), apart_ns: s.apart.ns(), pairs: s.pairs }
}

/// Everything that is known of maps, for [`crate::report::json::write`].
pub fn json(maps: &Maps) -> impl Serialize + '_ {
    Doc {
        schema: SCHEMA,
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
