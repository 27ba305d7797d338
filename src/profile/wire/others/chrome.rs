//! V8's profiles: `.cpuprofile` and `.heapprofile` as DevTools and Node write them (`Profiler.Profile` and
//! `HeapProfiler.SamplingHeapProfile` of the Chrome DevTools Protocol), and the chunks of them in a trace of Chrome.

use super::assemble::{Assembled, Assembler};
use super::tree::Split;
use super::{odd, wrong};
use crate::base::number;
use crate::profile::wire::error::Error;
use rustc_hash::FxHashMap;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

const CPU: &str = ".cpuprofile";
const HEAP: &str = ".heapprofile";
const TRACE: &str = "Chrome trace";

#[derive(serde::Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
struct CallFrame {
    function_name: String,
    url: String,
    /// From 0 on.
    line_number: Option<i64>,
    column_number: Option<i64>,
}

#[derive(serde::Deserialize)]
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
#[derive(serde::Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Cpu {
    nodes: Vec<Node>,
    head: Option<Tree>,
    end_time: Option<f64>,
    start_time: Option<f64>,
    samples: Vec<u64>,
    time_deltas: Vec<Option<f64>>,
    timestamps: Vec<f64>,
}

/// A node of older CPU profiles and of heaps, which has those below it in it: [`Split`] takes them out.
#[derive(serde::Deserialize, Default)]
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
    /// The samples in the order in which they were taken, and how many stood behind later ones: V8 writes some so, and
    /// DevTools sorts them. Those without a time stand last.
    fn in_order(&self) -> (Taken, usize) {
        let back = self.samples.iter().skip(1).filter(|s| s.1.is_some_and(|after| after < 0.0)).count();
        if back == 0 {
            return (Taken { samples: self.samples.clone(), ..*self }, 0);
        }
        let mut now = 0.0;
        let mut timed: Vec<(f64, u64)> = Vec::new();
        for &(node, after) in &self.samples {
            if let Some(after) = after {
                now += after;
                timed.push((now, node));
            }
        }
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut before = 0.0;
        let after = |&(at, node): &(f64, u64)| (node, Some(at - std::mem::replace(&mut before, at)));
        let mut samples: Vec<_> = timed.iter().map(after).collect();
        samples.extend(self.samples.iter().filter(|s| s.1.is_none()));
        (Taken { samples, ..*self }, back)
    }

    /// How long each sample lasted, microseconds: until the next, the last one that has a time until the end. Nothing where that
    /// is not told.
    fn lasted(&self) -> impl Iterator<Item = Option<f64>> {
        let timed = self.samples.iter().rposition(|s| s.1.is_some()).map_or(0, |i| i + 1);
        let taken: Option<f64> = self.samples[..timed].iter().map(|s| s.1).sum();
        let last = taken.and_then(|taken| Some(self.to? - self.from? - taken)).filter(|l| *l >= 0.0);
        (1..=self.samples.len()).map(move |next| if next == timed { last } else { self.samples.get(next)?.1 })
    }
}

/// Microseconds, or so many times as much, as whole nanoseconds; `None` if 64 bits do not hold them.
fn nanos(time: f64, times: f64) -> Option<i64> {
    Some(time * times).filter(|n| n.abs() < i64::MAX as f64).map(|n| n as i64)
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
        let (taken, out_of_order) = taken.in_order();
        back += out_of_order;
        for (&(node, _), lasted) in taken.samples.iter().zip(taken.lasted()) {
            timeless += usize::from(lasted.is_none());
            let stack = nodes.stack(a, node, format)?;
            let values = [(samples, Some(1)), (time.unwrap_or(samples), nanos(lasted.unwrap_or(0.0), 1e3))];
            a.add(&stack, label.as_slice(), if time.is_some() { &values } else { &values[..1] })?;
        }
    }
    if !timed {
        a.note("it does not say when its samples were taken: they are counted".into());
        return Ok(());
    }
    a.note_of(timeless, "sample has no time: it is only counted", "samples have no time: they are only counted");
    a.note_of(
        back,
        "sample stands behind one that was taken later: it was put in order",
        "samples stand behind ones that were taken later: they were put in order",
    );
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
        let mut negative = 0;
        for (id, hits) in hits.into_iter().filter(|h| h.1 != 0) {
            if hits < 0 {
                negative += 1;
                continue;
            }
            let stack = nodes.stack(&mut a, id, CPU)?;
            a.add(&stack, &[], &[(samples, Some(hits))])?;
        }
        note_negative(&mut a, negative);
        return Ok(a.finish());
    }
    // Older files have the times of samples in microseconds, and those of their begin and end, by another clock, in seconds.
    let older = cpu.time_deltas.is_empty();
    let after = |i: usize| match (cpu.timestamps.get(i), i.checked_sub(1).and_then(|i| cpu.timestamps.get(i))) {
        _ if !older => cpu.time_deltas.get(i).copied().flatten(),
        (Some(at), before) => Some(at - before.unwrap_or(at)),
        (None, _) => None,
    };
    let samples = cpu.samples.iter().enumerate().map(|(i, &node)| (node, after(i))).collect();
    let (from, to) = if older { (None, None) } else { (cpu.start_time, cpu.end_time) };
    add_samples(&mut a, CPU, &[(None, &nodes, &Taken { samples, from, to })])?;
    if let (Some(from), Some(to)) = (cpu.start_time, cpu.end_time)
        && !(older && cpu.timestamps.is_empty())
    {
        match nanos(to - from, if older { 1e9 } else { 1e3 }) {
            Some(nanos) if nanos >= 0 => a.duration(nanos),
            _ => a.note("its end is before its beginning, or centuries after it: how long it took is not known".into()),
        }
    }
    Ok(a.finish())
}

/// Says how many values of nodes were left out because they are negative.
fn note_negative(a: &mut Assembler, n: usize) {
    a.note_of(n, "value is negative and was left out", "values are negative and were left out");
}

/// Reads a `.heapprofile`.
pub(super) fn heap(data: &[u8]) -> Result<Assembled, Error> {
    #[derive(serde::Deserialize)]
    struct Heap {
        head: Tree,
    }
    let split = Split::of(data, HEAP)?;
    let head = split.file::<Heap>(HEAP)?.head;
    let mut a = Assembler::default();
    let kind = a.kind("space", "bytes");
    let mut nodes = Nodes::default();
    let mut negative = 0;
    // Ids are not in every file: nodes are numbered as they come.
    let below = split.below::<Tree>(HEAP).map(|t| t.map(|(parent, t)| (Some(parent as u64), t)));
    for (id, t) in (0..).zip(std::iter::once(Ok((None, head))).chain(below)) {
        let (parent, t) = t?;
        nodes.add(&mut a, id, t.call_frame.as_ref().unwrap_or(&t.old), parent);
        negative += usize::from(t.self_size < 0);
        if t.self_size > 0 {
            let stack = nodes.stack(&mut a, id, HEAP)?;
            a.add(&stack, &[], &[(kind, Some(t.self_size))])?;
        }
    }
    note_negative(&mut a, negative);
    Ok(a.finish())
}

/// The events of a trace that are of CPU profiles: they are read one at a time, the others are dropped.
#[derive(Default)]
struct Events {
    profiles: Vec<Value>,
    /// All that were read whole.
    read: usize,
    /// Those that are no events.
    odd: usize,
}

/// Reads the value of `traceEvents`, or a file that is such a list.
struct List<'a>(&'a mut Events);

/// Reads a trace in either form.
struct Trace<'a>(&'a mut Events);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(event) = list.next_element::<Value>()? {
            self.0.read += 1;
            self.0.odd += usize::from(!event.is_object());
            if let Some("Profile" | "ProfileChunk" | "CpuProfile") = event["name"].as_str() {
                self.0.profiles.push(event);
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Trace<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of events, or an object that has one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        List(self.0).visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "traceEvents" {
                map.next_value_seed(List(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Events {
    /// Reads those of a trace, and says which it could not.
    ///
    /// # Errors
    /// It is no trace. One that ends too early is read up to there: the format allows a list without its end.
    fn of(data: &[u8], a: &mut Assembler) -> Result<Events, Error> {
        let mut events = Events::default();
        let mut json = serde_json::Deserializer::from_slice(data);
        match json.deserialize_any(Trace(&mut events)).and_then(|()| json.end()) {
            Err(e) if e.is_eof() && !events.profiles.is_empty() => a.note(format!(
                "its list of events has no end, as where a file is cut off: {} were read",
                number::count(events.read as u64)
            )),
            other => other.map_err(wrong(TRACE))?,
        }
        a.note_of(events.odd, "entry is no event and was left out", "entries are no events and were left out");
        Ok(events)
    }
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
    let mut a = Assembler::default();
    let mut profiles: BTreeMap<String, Chunks> = BTreeMap::new();
    for e in Events::of(data, &mut a)?.profiles {
        let c = profiles.entry(format!("{} {}", e["pid"], e["id"])).or_default();
        let data = &e["args"]["data"];
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
