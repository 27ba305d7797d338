//! V8's profiles: `.cpuprofile` and `.heapprofile` as DevTools and Node write them (`Profiler.Profile` and
//! `HeapProfiler.SamplingHeapProfile` of the Chrome DevTools Protocol), and the chunks of them in a trace of Chrome.

use super::assemble::{Assembled, Assembler};
use super::tree::Split;
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
    end_time: Option<f64>,
    start_time: Option<f64>,
    samples: Vec<u64>,
    time_deltas: Vec<f64>,
    timestamps: Vec<f64>,
}

/// A node of older CPU profiles and of heaps, which has those below it in it: [`Split`] takes them out.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Tree {
    id: u64,
    call_frame: Option<CallFrame>,
    #[serde(flatten)]
    old: CallFrame,
    hit_count: i64,
    self_size: i64,
    #[serde(rename = "children")]
    _none: [(); 0],
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

    /// Adds nodes that say which are below them, or which is above.
    fn add_flat(&mut self, a: &mut Assembler, nodes: &[Node]) {
        for n in nodes {
            self.add(a, n.id, n.call_frame.as_ref().unwrap_or(&n.old), n.parent);
        }
        for n in nodes {
            for child in &n.children {
                if let Some(known) = self.0.get_mut(child).filter(|_| *child != n.id) {
                    known.parent = Some(n.id);
                }
            }
        }
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

/// The samples of a CPU profile.
#[derive(Default)]
struct Taken {
    /// The node of each, and how long after the one before it was taken, microseconds, if that is told.
    samples: Vec<(u64, Option<f64>)>,
    /// When the profile began, microseconds: the first sample comes so long after it.
    from: Option<f64>,
    to: Option<f64>,
}

impl Taken {
    /// How long each sample lasted, microseconds: until the next, the last one that has a time until the end. Nothing where that
    /// is not told.
    fn lasted(&self) -> impl Iterator<Item = Option<f64>> {
        let timed = self.samples.iter().rposition(|s| s.1.is_some()).map_or(0, |i| i + 1);
        let taken: Option<f64> = self.samples[..timed].iter().map(|s| s.1).sum();
        let last = taken.and_then(|taken| Some(self.to? - self.from? - taken)).filter(|l| *l >= 0.0);
        (1..=self.samples.len()).map(move |next| if next == timed { last } else { self.samples.get(next)?.1 })
    }
}

/// Adds the samples of CPU profiles, each with its nodes and, if there are several, its name: how many there are, and how
/// long they lasted.
fn add_samples(
    a: &mut Assembler,
    format: &'static str,
    profiles: &[(Option<&str>, &Nodes, &Taken)],
) -> Result<(), Error> {
    let samples = a.kind("samples", "count");
    let all = || profiles.iter().flat_map(|p| &p.2.samples);
    let timed = all().count() == 0 || all().any(|s| s.1.is_some());
    let time = if timed { Some(a.kind("cpu", "nanoseconds")) } else { None };
    let (mut timeless, mut back) = (0, 0);
    for (name, nodes, taken) in profiles {
        let label = name.map(|name| ("profile", name));
        for (&(node, _), lasted) in taken.samples.iter().zip(taken.lasted()) {
            timeless += usize::from(lasted.is_none());
            back += usize::from(lasted.is_some_and(|l| l < 0.0));
            let nanos = (lasted.unwrap_or(0.0).max(0.0) * 1e3) as i64;
            let stack = nodes.stack(a, node, format)?;
            let values = [(samples, 1), (time.unwrap_or(samples), nanos)];
            a.add(&stack, label.as_slice(), if time.is_some() { &values } else { &values[..1] })?;
        }
    }
    if !timed {
        a.note("it does not say when its samples were taken: they are counted".into());
        return Ok(());
    }
    for (n, what) in [
        (timeless, "samples have no time: they are only counted"),
        (back, "samples were taken after the next one: they are only counted"),
    ] {
        if n > 0 {
            a.note(format!("{n} {what}"));
        }
    }
    Ok(())
}

/// Reads a `.cpuprofile`.
pub(super) fn cpu(data: &[u8]) -> Result<Assembled, Error> {
    let split = Split::of(data, CPU)?;
    let cpu: Cpu = split.file(CPU)?;
    let mut a = Assembler::default();
    let mut nodes = Nodes::default();
    let mut hits: Vec<(u64, i64)> = Vec::new();
    nodes.add_flat(&mut a, &cpu.nodes);
    hits.extend(cpu.nodes.iter().map(|n| (n.id, n.hit_count)));
    if let Some(head) = &cpu.head {
        nodes.add(&mut a, head.id, head.call_frame.as_ref().unwrap_or(&head.old), None);
        hits.push((head.id, head.hit_count));
        let mut ids = vec![head.id];
        for below in split.below::<Tree>(CPU) {
            let (parent, t) = below?;
            nodes.add(&mut a, t.id, t.call_frame.as_ref().unwrap_or(&t.old), ids.get(parent).copied());
            hits.push((t.id, t.hit_count));
            ids.push(t.id);
        }
    }
    if cpu.samples.is_empty() {
        let samples = a.kind("samples", "count");
        for (id, hits) in hits.into_iter().filter(|h| h.1 != 0) {
            let stack = nodes.stack(&mut a, id, CPU)?;
            a.add(&stack, &[], &[(samples, hits)])?;
        }
        return Ok(a.finish());
    }
    // Older files have the times of samples in microseconds, and those of their begin and end, by another clock, in seconds.
    let older = cpu.time_deltas.is_empty();
    let after = |i: usize| match (cpu.timestamps.get(i), i.checked_sub(1).and_then(|i| cpu.timestamps.get(i))) {
        _ if !older => cpu.time_deltas.get(i).copied(),
        (Some(at), before) => Some(at - before.unwrap_or(at)),
        (None, _) => None,
    };
    let samples = cpu.samples.iter().enumerate().map(|(i, &node)| (node, after(i))).collect();
    let (from, to) = if older { (None, None) } else { (cpu.start_time, cpu.end_time) };
    add_samples(&mut a, CPU, &[(None, &nodes, &Taken { samples, from, to })])?;
    if let (Some(from), Some(to)) = (cpu.start_time, cpu.end_time)
        && !(older && cpu.timestamps.is_empty())
    {
        a.duration(((to - from) * if older { 1e9 } else { 1e3 }) as i64);
    }
    Ok(a.finish())
}

/// Reads a `.heapprofile`.
pub(super) fn heap(data: &[u8]) -> Result<Assembled, Error> {
    #[derive(Deserialize)]
    struct Heap {
        head: Tree,
    }
    let split = Split::of(data, HEAP)?;
    let head = split.file::<Heap>(HEAP)?.head;
    let mut a = Assembler::default();
    let kind = a.kind("space", "bytes");
    let mut nodes = Nodes::default();
    // Ids are not in every file: nodes are numbered as they come.
    let below = split.below::<Tree>(HEAP).map(|t| t.map(|(parent, t)| (Some(parent as u64), t)));
    for (id, t) in (0..).zip(std::iter::once(Ok((None, head))).chain(below)) {
        let (parent, t) = t?;
        nodes.add(&mut a, id, t.call_frame.as_ref().unwrap_or(&t.old), parent);
        if t.self_size != 0 {
            let stack = nodes.stack(&mut a, id, HEAP)?;
            a.add(&stack, &[], &[(kind, t.self_size)])?;
        }
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
    taken: Taken,
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
    for e in events.into_iter().filter(|e| ["Profile", "ProfileChunk", "CpuProfile"].contains(&e.name.as_str())) {
        let c = profiles.entry(format!("{} {}", e.pid, e.id)).or_default();
        let data = &e.args["data"];
        let cpu = &data["cpuProfile"];
        let either = |name: &str| if data[name].is_null() { &cpu[name] } else { &data[name] };
        c.taken.from = either("startTime").as_f64().or(c.taken.from);
        c.taken.to = either("endTime").as_f64().or(c.taken.to);
        let nodes = cpu["nodes"].as_array().into_iter().flatten().map(Node::deserialize);
        c.nodes.add_flat(&mut a, &nodes.collect::<Result<Vec<_>, _>>().map_err(wrong(TRACE))?);
        let deltas = either("timeDeltas");
        for (i, s) in cpu["samples"].as_array().into_iter().flatten().enumerate() {
            let node = s.as_u64().ok_or_else(|| odd(TRACE, "a sample is not the number of a node"))?;
            c.taken.samples.push((node, deltas[i].as_f64()));
        }
    }
    profiles.retain(|_, c| !c.taken.samples.is_empty());
    let several = profiles.len() > 1;
    let profiles: Vec<_> =
        profiles.iter().map(|(name, c)| (several.then_some(name.as_str()), &c.nodes, &c.taken)).collect();
    add_samples(&mut a, TRACE, &profiles)?;
    Ok(a.finish())
}
