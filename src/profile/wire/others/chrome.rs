//! V8's profiles: `.cpuprofile` and `.heapprofile` as DevTools and Node write them (`Profiler.Profile` and
//! `HeapProfiler.SamplingHeapProfile` of the Chrome DevTools Protocol), and the chunks of them in a trace of Chrome.

use super::assemble::{Assembled, Assembler};
use super::{odd, wrong};
use crate::profile::wire::error::Error;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const CPU: &str = ".cpuprofile";
const HEAP: &str = ".heapprofile";
const TRACE: &str = "Chrome trace";

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
struct CallFrame {
    function_name: String,
    url: String,
    /// From 0 on.
    line_number: Option<i64>,
    column_number: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: u64,
    #[serde(default)]
    call_frame: Option<CallFrame>,
    #[serde(flatten)]
    old: CallFrame,
    #[serde(default)]
    hit_count: i64,
    #[serde(default)]
    children: Vec<u64>,
    #[serde(default)]
    parent: Option<u64>,
}

/// A CPU profile: its nodes flat, or in the older form as a tree.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Cpu {
    nodes: Vec<Node>,
    head: Option<Tree>,
    end_time: f64,
    start_time: f64,
    samples: Vec<u64>,
    time_deltas: Vec<f64>,
    timestamps: Vec<f64>,
}

/// A node with those below it in it, of older CPU profiles and of heaps.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Tree {
    id: u64,
    call_frame: Option<CallFrame>,
    #[serde(flatten)]
    old: CallFrame,
    hit_count: i64,
    self_size: i64,
    children: Vec<Tree>,
}

/// The place of a call.
fn place(a: &mut Assembler, f: &CallFrame) -> u64 {
    let name = if f.function_name.is_empty() { "(anonymous)" } else { &f.function_name };
    // No line is -1.
    let from_one = |n: Option<i64>| n.and_then(|n| n.checked_add(1)).unwrap_or(0).max(0);
    a.call(name, &f.url, from_one(f.line_number), from_one(f.column_number))
}

/// A node's place, and the one that called it.
struct Known {
    place: Option<u64>,
    parent: Option<u64>,
}

/// Nodes by id, and what a sample in each counts.
#[derive(Default)]
struct Nodes(FxHashMap<u64, Known>);

/// The most nodes from the leaf of a stack to its root: a chain of parents may lead back to itself.
const DEEPEST: usize = 1 << 16;

impl Nodes {
    fn add(&mut self, a: &mut Assembler, id: u64, f: &CallFrame, parent: Option<u64>) {
        let place = (f.function_name != "(root)").then(|| place(a, f));
        let known = self.0.entry(id).or_insert(Known { place, parent });
        known.place = place;
        known.parent = parent.or(known.parent);
    }

    /// The stack that ends in a node, leaf first.
    fn stack(&self, a: &mut Assembler, node: u64, format: &'static str) -> Result<Vec<u64>, Error> {
        let mut out = Vec::new();
        let mut at = Some(node);
        let mut steps = 0;
        while let Some(id) = at {
            let known = self.0.get(&id).ok_or_else(|| odd(format, format!("there is no node {id}")))?;
            out.extend(known.place);
            at = known.parent;
            steps += 1;
            if steps > DEEPEST || at == Some(id) {
                return Err(odd(
                    format,
                    format!("its nodes are in a circle, or a stack has more than {DEEPEST} of them"),
                ));
            }
        }
        // A `(root)` is a step and no frame.
        a.looked_at(steps - out.len())?;
        Ok(out)
    }
}

/// Reads a `.cpuprofile`.
pub(super) fn cpu(data: &[u8]) -> Result<Assembled, Error> {
    let cpu: Cpu = serde_json::from_slice(data).map_err(wrong(CPU))?;
    let mut a = Assembler::default();
    let mut nodes = Nodes::default();
    let mut hits: Vec<(u64, i64)> = Vec::new();
    for n in &cpu.nodes {
        nodes.add(&mut a, n.id, n.call_frame.as_ref().unwrap_or(&n.old), n.parent);
        hits.push((n.id, n.hit_count));
    }
    for n in &cpu.nodes {
        for child in &n.children {
            if let Some(known) = nodes.0.get_mut(child).filter(|_| *child != n.id) {
                known.parent = Some(n.id);
            }
        }
    }
    if let Some(head) = &cpu.head {
        let mut open = vec![(head, None)];
        while let Some((t, parent)) = open.pop() {
            nodes.add(&mut a, t.id, t.call_frame.as_ref().unwrap_or(&t.old), parent);
            hits.push((t.id, t.hit_count));
            open.extend(t.children.iter().map(|c| (c, Some(t.id))));
        }
    }
    let samples = a.kind("samples", "count");
    if cpu.samples.is_empty() {
        for (id, hits) in hits.into_iter().filter(|h| h.1 != 0) {
            let stack = nodes.stack(&mut a, id, CPU)?;
            a.add(&stack, &[], &[(samples, hits)])?;
        }
        return Ok(a.finish());
    }
    if cpu.time_deltas.is_empty() && cpu.timestamps.is_empty() {
        a.note("it does not say when its samples were taken: they are counted".into());
        for &id in &cpu.samples {
            let stack = nodes.stack(&mut a, id, CPU)?;
            a.add(&stack, &[], &[(samples, 1)])?;
        }
        return Ok(a.finish());
    }
    let time = a.kind("cpu", "nanoseconds");
    // A sample lasts until the next; the last one until the end.
    let lasted: Vec<f64> = if cpu.time_deltas.is_empty() {
        cpu.timestamps.windows(2).map(|w| w[1] - w[0]).collect()
    } else {
        let taken = cpu.start_time + cpu.time_deltas.iter().sum::<f64>();
        let last = (cpu.end_time - taken).max(0.0);
        cpu.time_deltas.iter().skip(1).copied().chain([last]).collect()
    };
    for (i, &id) in cpu.samples.iter().enumerate() {
        let micros = lasted.get(i).copied().unwrap_or(0.0).max(0.0);
        let stack = nodes.stack(&mut a, id, CPU)?;
        a.add(&stack, &[], &[(samples, 1), (time, (micros * 1e3) as i64)])?;
    }
    let timeless = cpu.samples.len().saturating_sub(lasted.len().max(cpu.timestamps.len()));
    let back = lasted.iter().filter(|l| **l < 0.0).count();
    for (n, what) in [
        (timeless, "samples have no time: they are only counted"),
        (back, "samples were taken after the next one: they are only counted"),
    ] {
        if n > 0 {
            a.note(format!("{n} {what}"));
        }
    }
    // Older files count seconds, newer ones microseconds; the former are too few to be the latter.
    let length = cpu.end_time - cpu.start_time;
    a.duration((if cpu.time_deltas.is_empty() { length * 1e9 } else { length * 1e3 }) as i64);
    Ok(a.finish())
}

/// Reads a `.heapprofile`.
pub(super) fn heap(data: &[u8]) -> Result<Assembled, Error> {
    #[derive(Deserialize)]
    struct Heap {
        head: Tree,
    }
    let heap: Heap = serde_json::from_slice(data).map_err(wrong(HEAP))?;
    let mut a = Assembler::default();
    let kind = a.kind("space", "bytes");
    let mut nodes = Nodes::default();
    let mut open = vec![(&heap.head, None)];
    // Ids are not in every file: nodes are numbered as they come.
    let mut next = 0;
    while let Some((t, parent)) = open.pop() {
        let id = next;
        next += 1;
        nodes.add(&mut a, id, t.call_frame.as_ref().unwrap_or(&t.old), parent);
        if t.self_size != 0 {
            let stack = nodes.stack(&mut a, id, HEAP)?;
            a.add(&stack, &[], &[(kind, t.self_size)])?;
        }
        open.extend(t.children.iter().map(|c| (c, Some(id))));
    }
    Ok(a.finish())
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    pid: Value,
    #[serde(default)]
    args: Value,
}

/// The chunks of one CPU profile in a trace.
#[derive(Default)]
struct Chunks {
    nodes: Nodes,
    /// The nodes of the samples, and how long after the one before each came, microseconds.
    samples: Vec<(u64, f64)>,
}

/// Reads the CPU profiles that are in a trace of Chrome. Where there are several, `profile` is the label that tells them
/// apart.
pub(super) fn trace(data: &[u8]) -> Result<Assembled, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        trace_events: Vec<Event>,
    }
    let events = if data.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<Vec<Event>>(data).map_err(wrong(TRACE))?
    } else {
        serde_json::from_slice::<File>(data).map_err(wrong(TRACE))?.trace_events
    };
    let mut a = Assembler::default();
    let mut profiles: BTreeMap<String, Chunks> = BTreeMap::new();
    for e in events.into_iter().filter(|e| e.name == "ProfileChunk" || e.name == "CpuProfile") {
        let c = profiles.entry(format!("{} {}", e.pid, e.id)).or_default();
        let data = &e.args["data"];
        let cpu = &data["cpuProfile"];
        let nodes = cpu["nodes"].as_array().map_or(&[][..], Vec::as_slice);
        for n in nodes {
            let n = Node::deserialize(n).map_err(wrong(TRACE))?;
            c.nodes.add(&mut a, n.id, n.call_frame.as_ref().unwrap_or(&n.old), n.parent);
        }
        for n in nodes {
            for child in n["children"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
                if let (Some(known), id) = (c.nodes.0.get_mut(&child), n["id"].as_u64()) {
                    known.parent = id.filter(|id| *id != child);
                }
            }
        }
        let deltas = if data["timeDeltas"].is_array() { &data["timeDeltas"] } else { &cpu["timeDeltas"] };
        let samples = cpu["samples"].as_array().into_iter().flatten();
        for (i, s) in samples.enumerate() {
            c.samples.push((s.as_u64().unwrap_or(0), deltas[i].as_f64().unwrap_or(0.0)));
        }
    }
    let (samples, time) = (a.kind("samples", "count"), a.kind("cpu", "nanoseconds"));
    let several = profiles.len() > 1;
    for (name, c) in &profiles {
        let label = [("profile", name.as_str())];
        for (i, &(id, _)) in c.samples.iter().enumerate() {
            let micros = c.samples.get(i + 1).map_or(0.0, |next| next.1).max(0.0);
            let values = [(samples, 1), (time, (micros * 1e3) as i64)];
            let stack = c.nodes.stack(&mut a, id, TRACE)?;
            a.add(&stack, if several { &label } else { &[] }, &values)?;
        }
    }
    Ok(a.finish())
}
