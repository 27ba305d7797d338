//! Perfetto's protobuf, as its UI and its trace processor read it: one message `Trace`, written packet by packet.
//!
//! Source of the numbers: perfetto's `protos/perfetto/trace/trace_packet.proto` and what it imports. Times are in ns
//! on the trace's clock. Each group of goroutines is a track with its goroutines below; Ps, GC and STW, tasks are tracks
//! below one each. CPU samples are `PerfSample`s of the threads, with their stacks.

mod messages;

use super::lanes::{Draw, Drawn, Lanes, Slice, Track, groups};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::tables;
use crate::base::{FrameId, GroupId, StackId, Time};
use crate::model::Index;
use messages::*;
#[cfg(test)]
pub(super) use messages::{Trace, TracePacket};
use prost::Message;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::{self, Write};

/// The one sequence of packets that we write.
const SEQUENCE: u32 = 1;
/// The process that samples are of.
const PID: i32 = 1;
/// The mapping that all frames are said to be in.
const MAPPING: u64 = 1;
/// The tracks above others.
const RUNTIME: u64 = 1;
const TASKS: u64 = 2;
const COUNTERS: u64 = 0x100;
const GROUPS: u64 = 0x1000;

struct Perfetto<'a> {
    index: &'a Index,
    out: &'a mut dyn Write,
    groups: FxHashMap<i64, (GroupId, &'a str)>,
    tracks: FxHashSet<u64>,
    counters: Vec<String>,
    names: FxHashMap<String, u64>,
    frames: FxHashSet<FrameId>,
    functions: FxHashMap<String, u64>,
    stacks: FxHashSet<StackId>,
    bytes: Vec<u8>,
    result: io::Result<()>,
}

impl Perfetto<'_> {
    fn put(&mut self, packet: TracePacket) {
        if self.result.is_err() {
            return;
        }
        self.bytes.clear();
        let one = Trace { packet: vec![TracePacket { trusted_packet_sequence_id: Some(SEQUENCE), ..packet }] };
        self.result =
            one.encode(&mut self.bytes).map_err(io::Error::other).and_then(|()| self.out.write_all(&self.bytes));
    }

    /// The first packet: what holds for all others.
    fn begin(&mut self) {
        let mapping = Mapping { iid: Some(MAPPING), ..Mapping::default() };
        self.put(TracePacket {
            sequence_flags: Some(1 | 2),
            first_packet_on_sequence: Some(true),
            interned_data: Some(InternedData { mappings: vec![mapping], ..InternedData::default() }),
            ..TracePacket::default()
        });
        for (uuid, name) in [(RUNTIME, "runtime"), (TASKS, "tasks")] {
            self.describe(TrackDescriptor { uuid: Some(uuid), name: Some(name.into()), ..TrackDescriptor::default() });
        }
    }

    fn describe(&mut self, d: TrackDescriptor) {
        if let Some(uuid) = d.uuid
            && self.tracks.insert(uuid)
        {
            self.put(TracePacket { track_descriptor: Some(d), ..TracePacket::default() });
        }
    }

    /// A track's number; it is described when it is met.
    fn track(&mut self, track: Track) -> u64 {
        let uuid = track.id();
        if self.tracks.contains(&uuid) {
            return uuid;
        }
        let parent = match (track.goroutine().and_then(|g| self.groups.get(&g).copied()), track) {
            (Some((group, name)), _) => {
                let above = GROUPS + u64::from(group.0);
                let name = if name.is_empty() { "goroutines without a stack" } else { name };
                let d = TrackDescriptor { uuid: Some(above), name: Some(name.into()), ..TrackDescriptor::default() };
                self.describe(d);
                above
            }
            (None, Track::Task(_)) => TASKS,
            _ => RUNTIME,
        };
        let (name, parent_uuid) = (Some(track.name()), Some(parent));
        self.describe(TrackDescriptor { uuid: Some(uuid), name, parent_uuid, ..TrackDescriptor::default() });
        uuid
    }

    /// A name's number, and what says it, if it is new.
    fn name(&mut self, name: &str) -> (u64, Option<InternedData>) {
        if let Some(&iid) = self.names.get(name) {
            return (iid, None);
        }
        let iid = self.names.len() as u64 + 1;
        self.names.insert(name.to_owned(), iid);
        let event_names = vec![EventName { iid: Some(iid), name: Some(name.to_owned()) }];
        (iid, Some(InternedData { event_names, ..InternedData::default() }))
    }

    fn event(&mut self, at: Time, interned_data: Option<InternedData>, e: TrackEvent) {
        self.put(TracePacket {
            timestamp: Some(at.0.max(0) as u64),
            sequence_flags: Some(2),
            interned_data,
            track_event: Some(e),
            ..TracePacket::default()
        });
    }

    /// A stack's number, and what says it, if it is new.
    fn stack(&mut self, s: StackId) -> (u64, Option<InternedData>) {
        let iid = u64::from(s.0) + 1;
        if !self.stacks.insert(s) {
            return (iid, None);
        }
        let dict = &self.index.dict;
        let mut data = InternedData::default();
        let mut frames: Vec<FrameId> = dict.stack_ids(s).collect();
        // Root first.
        frames.reverse();
        for &f in &frames {
            if !self.frames.insert(f) {
                continue;
            }
            let frame = dict.frame_of(f);
            let file = crate::model::dict::short_file(dict.func_file(frame.func));
            let name = format!("{} ({file}:{})", dict.func_name(frame.func), frame.line);
            let next = self.functions.len() as u64 + 1;
            let id = *self.functions.entry(name.clone()).or_insert(next);
            if id == next {
                data.function_names.push(InternedString { iid: Some(id), str: Some(name.into_bytes()) });
            }
            let (function_name_id, mapping_id, rel_pc) = (Some(id), Some(MAPPING), Some(frame.pc));
            data.frames.push(Frame { iid: Some(u64::from(f.0) + 1), function_name_id, mapping_id, rel_pc });
        }
        let frame_ids = frames.iter().map(|f| u64::from(f.0) + 1).collect();
        data.callstacks.push(Callstack { iid: Some(iid), frame_ids });
        (iid, Some(data))
    }
}

impl Draw for Perfetto<'_> {
    fn slice(&mut self, s: &Slice) {
        let track_uuid = Some(self.track(s.track));
        let (iid, data) = self.name(s.name);
        let arg = |(name, value): &(&str, &str)| DebugAnnotation {
            name: Some((*name).to_owned()),
            string_value: Some((*value).to_owned()),
        };
        let begin = TrackEvent {
            r#type: Some(SLICE_BEGIN),
            track_uuid,
            name_iid: Some(iid),
            debug_annotations: s.args.iter().map(arg).collect(),
            terminating_flow_ids: s.flow.into_iter().collect(),
            terminating_flow_ids_old: s.flow.into_iter().collect(),
            ..TrackEvent::default()
        };
        self.event(s.from, data, begin);
        let end = TrackEvent { r#type: Some(SLICE_END), track_uuid, ..TrackEvent::default() };
        self.event(s.to.max(s.from), None, end);
    }

    fn instant(&mut self, track: Track, name: &str, at: Time, flow: Option<u64>) {
        let track_uuid = Some(self.track(track));
        let (iid, data) = self.name(name);
        let e = TrackEvent {
            r#type: Some(INSTANT),
            track_uuid,
            name_iid: Some(iid),
            flow_ids: flow.into_iter().collect(),
            flow_ids_old: flow.into_iter().collect(),
            ..TrackEvent::default()
        };
        self.event(at, data, e);
    }

    fn counter(&mut self, name: &str, at: Time, value: i64) {
        let i = self.counters.iter().position(|c| c == name).unwrap_or(self.counters.len());
        let uuid = COUNTERS + i as u64;
        if i == self.counters.len() {
            self.counters.push(name.to_owned());
            let counter = Some(CounterDescriptor {});
            let (uuid, name) = (Some(uuid), Some(name.to_owned()));
            self.describe(TrackDescriptor { uuid, name, counter, ..TrackDescriptor::default() });
        }
        let (track_uuid, counter_value) = (Some(uuid), Some(value));
        self.event(at, None, TrackEvent { r#type: Some(COUNTER), track_uuid, counter_value, ..TrackEvent::default() });
    }

    fn sample(&mut self, at: Time, m: Option<i64>, p: Option<i64>, stack: Option<StackId>) {
        let (callstack_iid, data) = match stack {
            Some(s) => {
                let (iid, data) = self.stack(s);
                (Some(iid), data)
            }
            None => (None, None),
        };
        let number = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let sample = PerfSample { cpu: Some(number(p)), pid: Some(PID as u32), tid: Some(number(m)), callstack_iid };
        self.put(TracePacket {
            timestamp: Some(at.0.max(0) as u64),
            sequence_flags: Some(2),
            interned_data: data,
            perf_sample: Some(sample),
            ..TracePacket::default()
        });
    }

    fn failed(&self) -> bool {
        self.result.is_err()
    }
}

/// Writes what lies in the window of a trace. The outer error is one of reading it.
///
/// # Errors
///
/// A segment that cannot be decoded; or `out` cannot be written.
pub fn write<S: Source>(
    source: &S,
    index: &Index,
    window: (Time, Time),
    out: &mut dyn Write,
) -> Result<io::Result<Drawn>, Unanswered> {
    let mut draw = Perfetto {
        index,
        out,
        groups: groups(index),
        tracks: FxHashSet::default(),
        counters: Vec::new(),
        names: FxHashMap::default(),
        frames: FxHashSet::default(),
        functions: FxHashMap::default(),
        stacks: FxHashSet::default(),
        bytes: Vec::new(),
        result: Ok(()),
    };
    draw.begin();
    let mut lanes = Lanes::new(index, window, draw);
    let wanted = lanes.wanted();
    tables::each(source, "", wanted, &mut lanes)?;
    let drawn = lanes.drawn();
    Ok(lanes.draw.result.map(|()| drawn))
}
