//! Events, an object a line.

use super::Version;
use crate::base::{GoIdx, ProcIdx, StringId, Time};
use crate::model::{Detail, Event as Row, Index};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// An event: an object on a line of its own. What an event does not have is left out.
#[derive(Serialize, Debug, Default)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Event<'a> {
    /// The version of this form.
    pub schema: Version,
    /// Its number, counted from 0 over the whole trace.
    pub no: u64,
    /// When it happened, on the trace's clock.
    pub time_ns: i64,
    /// The same, counted from the trace's start.
    pub offset_ns: i64,
    /// What happened: `GoBlock`, `GCBegin`, …
    pub kind: &'a str,
    /// The number of the goroutine that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub g: Option<u64>,
    /// The number of the goroutine that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
    /// The number of the P on which it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<u64>,
    /// The number of the thread on which it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub m: Option<u64>,
    /// Why the goroutine stopped or blocked, in the runtime's words (`GoStop`, `GoBlock`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The goroutine's label (`GoLabel`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Why the world is stopped, in the runtime's words (`STWBegin`, `STWEnd`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stw: Option<&'a str>,
    /// The start function of a new goroutine (`GoCreate`, `GoCreateBlocked`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<&'a str>,
    /// The state that is restated (`GoStatus`, `ProcStatus`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a str>,
    /// The number of the P that it is about (`ProcStart`, `ProcStop`, `ProcSteal`, `ProcStatus`, `GCSweepActive`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proc: Option<u64>,
    /// Bytes (`HeapAlloc`, `HeapGoal`), a number of Ps (`ProcsChange`), or the number of a GC cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// Bytes of the spans that were swept (`GCSweepEnd`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swept: Option<u64>,
    /// Bytes that were freed (`GCSweepEnd`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaimed: Option<u64>,
    /// The number of the task; 0 is the background task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<u64>,
    /// The number of the task above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// The name of a task or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The category of a log message; may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<&'a str>,
    /// The log message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
    /// The number of the generation that begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// When the clocks were read, on the trace's clock (Go 1.25 and later).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ns: Option<i64>,
    /// `CLOCK_MONOTONIC` at `clock_ns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mono_ns: Option<u64>,
    /// The wall clock at `clock_ns`, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_sec: Option<u64>,
    /// And the nanoseconds of that second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_nsec: Option<u64>,
    /// The four arguments of an event of the AllocFree experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<[u64; 4]>,
    /// The stack of whoever did it, leaf first; for `GoStatus`, of the goroutine it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Frame<'a>>,
}

/// A call.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Frame<'a> {
    /// The function.
    pub func: &'a str,
    /// The source file.
    pub file: &'a str,
    /// The line.
    pub line: u32,
}

impl<'a> Event<'a> {
    /// The form of an event of a trace that begins at `start`.
    pub fn new(index: &'a Index, e: &Row, start: Time) -> Event<'a> {
        let go = |g: GoIdx| super::number(index, g);
        let proc = |p: ProcIdx| index.procs.get(p.0 as usize).map(|p| p.id.0);
        let text = |id: StringId| Some(index.dict.str(id));
        let frame = |f: crate::model::Frame| Frame {
            func: index.dict.func_name(f.func),
            file: index.dict.func_file(f.func),
            line: f.line,
        };
        let mut o = Event {
            no: e.no,
            time_ns: e.time.0,
            offset_ns: (e.time - start).ns(),
            kind: e.kind.name(),
            g: go(e.go),
            by: go(e.by),
            p: proc(e.proc),
            m: index.threads.get(e.thread.0 as usize).map(|m| m.id.0),
            stack: index.dict.stack(e.stack).map(frame).collect(),
            ..Event::default()
        };
        match e.detail {
            Detail::None => {}
            Detail::Reason(r) => o.reason = text(r),
            Detail::Label(l) => o.label = text(l),
            Detail::Stw(k) => o.stw = text(k),
            Detail::Entry(stack) => {
                let func = index.dict.leaf(stack).map(|f| index.dict.frame_of(f).func);
                o.entry = Some(func.map_or("", |f| index.dict.func_name(f)));
            }
            Detail::GoStatus(state) => o.state = Some(state.name()),
            Detail::ProcStatus(p, state) => (o.proc, o.state) = (proc(p), Some(state.name())),
            Detail::Proc(p) => o.proc = proc(p),
            Detail::Value(v) => o.value = Some(v),
            Detail::Swept { swept, reclaimed } => (o.swept, o.reclaimed) = (Some(swept), Some(reclaimed)),
            Detail::Task { id, parent, name } => {
                o.task = Some(id);
                o.parent = (parent != 0).then_some(parent);
                o.name = text(name).filter(|_| name.is_some());
            }
            Detail::Region { task, name } => (o.task, o.name) = (Some(task), text(name)),
            Detail::Log { task, category, message } => {
                (o.task, o.category, o.message) = (Some(task), text(category), text(message));
            }
            Detail::Clock { generation, at, mono_ns, wall_ns } => {
                o.generation = Some(generation);
                if wall_ns != 0 {
                    (o.clock_ns, o.mono_ns) = (Some(at.0), Some(mono_ns));
                    (o.wall_sec, o.wall_nsec) = (Some(wall_ns / 1_000_000_000), Some(wall_ns % 1_000_000_000));
                }
            }
            Detail::Experiment(args) => o.args = Some(args),
        }
        o
    }
}
