//! The kernel beside a trace.

use super::{Version, group_name, number};
use crate::analysis::kernel::{Beside, Both, Count, Doing, Grounds, Recorded, Split};
use crate::base::Duration;
use crate::model::Index;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What a program's running time and syscalls were on the CPUs.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json {
    /// The version of this form.
    pub schema: Version,
    /// What is added to perf's times to have the trace's.
    pub offset_ns: i64,
    /// On what grounds: `said`, `snapshot`, `same`, `wall` or `assumed`.
    pub offset_by: &'static str,
    /// From when on perf recorded, on the trace's clock.
    pub covered_from_ns: i64,
    /// Until when.
    pub covered_to_ns: i64,
    /// Threads of the trace.
    pub threads: u64,
    /// How many of them are in the recording.
    pub threads_recorded: u64,
    /// Events of the trace in the time that was recorded.
    pub events: u64,
    /// How many of them were written while their thread was on a CPU, within 5 µs.
    pub events_on_cpu: u64,
    /// While a goroutine was running, of all goroutines.
    pub running: JsonSplit,
    /// While one was in a syscall, of all goroutines.
    pub syscall: JsonSplit,
    /// The same by group, most time off the CPU while running first.
    pub groups: Vec<JsonGroup>,
    /// Threads that were on the CPU while a goroutine was running and would have gone on, most first.
    pub preempted_by: Vec<JsonCount>,
    /// Where threads slept in the kernel, most first.
    pub blocked_in: Vec<JsonBlocked>,
    /// The longest stretches off the CPU while a goroutine was running.
    pub longest: Vec<JsonOff>,
    /// What is to be known.
    pub warnings: Vec<String>,
}

/// Time, and what the threads did. The parts add up to the total.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JsonSplit {
    /// As the trace says.
    pub total_ns: i64,
    /// On a CPU.
    pub on_cpu_ns: i64,
    /// Runnable, with another thread on the CPU.
    pub preempted_ns: i64,
    /// Woken, and waiting for a CPU.
    pub waiting_ns: i64,
    /// Asleep in the kernel.
    pub blocked_ns: i64,
    /// Not recorded.
    pub unknown_ns: i64,
}

/// A group of goroutines.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JsonGroup {
    /// The start function of its goroutines; `null` if it is not known.
    pub group: Option<String>,
    /// While they were running.
    pub running: JsonSplit,
    /// While they were in syscalls.
    pub syscall: JsonSplit,
}

/// Threads of a name.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JsonCount {
    /// Their name, as the kernel has it.
    pub comm: String,
    /// How many times they preempted.
    pub count: u64,
    /// For how long.
    pub total_ns: i64,
    /// The longest.
    pub max_ns: i64,
}

/// Where threads slept.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JsonBlocked {
    /// The kernel's functions, leaf first; empty if they were not recorded.
    pub stack: Vec<String>,
    /// How many times.
    pub count: u64,
    /// For how long while a goroutine was running.
    pub running_ns: i64,
    /// For how long in syscalls.
    pub syscall_ns: i64,
    /// The longest.
    pub max_ns: i64,
}

/// A stretch off the CPU.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JsonOff {
    /// The goroutine; `null` if it is not known.
    pub g: Option<u64>,
    /// Its thread.
    pub tid: i64,
    /// When it began.
    pub from_ns: i64,
    /// When it ended.
    pub to_ns: i64,
    /// What the thread did: `preempted`, `waiting` or `blocked`.
    pub state: &'static str,
    /// Who was on the CPU, if it was preempted.
    pub by: Option<String>,
    /// The kernel's functions, leaf first, if it was blocked.
    pub stack: Vec<String>,
}

impl From<&Split> for JsonSplit {
    fn from(s: &Split) -> JsonSplit {
        JsonSplit {
            total_ns: s.total.0,
            on_cpu_ns: s.on.0,
            preempted_ns: s.preempted.0,
            waiting_ns: s.woken.0,
            blocked_ns: s.blocked.0,
            unknown_ns: s.unknown.0,
        }
    }
}

impl Json {
    /// What was found in a recording beside a trace.
    pub fn new(b: &Beside, r: &Recorded, index: &Index) -> Json {
        let ns = |d: Duration| d.0;
        let group = |(g, both): &(crate::base::GroupId, Both)| JsonGroup {
            group: group_name(index, *g),
            running: (&both.running).into(),
            syscall: (&both.syscall).into(),
        };
        let count = |(comm, c): &(String, Count)| JsonCount {
            comm: comm.clone(),
            count: c.count,
            total_ns: ns(c.total),
            max_ns: ns(c.max),
        };
        let blocked = |(stack, both, c): &(Vec<String>, Both, Count)| JsonBlocked {
            stack: stack.clone(),
            count: c.count,
            running_ns: ns(both.running.total),
            syscall_ns: ns(both.syscall.total),
            max_ns: ns(c.max),
        };
        let off = |o: &crate::analysis::kernel::Off| {
            let (state, by, stack) = match o.doing {
                Doing::On => ("on", None, Vec::new()),
                Doing::Preempted(n) => ("preempted", r.names.get(n as usize).cloned(), Vec::new()),
                Doing::Woken => ("waiting", None, Vec::new()),
                Doing::Blocked(s) => ("blocked", None, r.stacks.get(s as usize).cloned().unwrap_or_default()),
            };
            JsonOff { g: number(index, o.go), tid: o.tid, from_ns: o.from.0, to_ns: o.to.0, state, by, stack }
        };
        Json {
            schema: Version,
            offset_ns: b.offset.ns,
            offset_by: match b.offset.by {
                Grounds::Said => "said",
                Grounds::Snapshot => "snapshot",
                Grounds::Same => "same",
                Grounds::Wall => "wall",
                Grounds::Assumed => "assumed",
            },
            covered_from_ns: b.covered.0.0,
            covered_to_ns: b.covered.1.0,
            threads: b.threads.0,
            threads_recorded: b.threads.1,
            events: b.events.0,
            events_on_cpu: b.events.1,
            running: (&b.all.running).into(),
            syscall: (&b.all.syscall).into(),
            groups: b.groups.iter().map(group).collect(),
            preempted_by: b.preempted_by.iter().map(count).collect(),
            blocked_in: b.blocked_in.iter().map(blocked).collect(),
            longest: b.longest.iter().map(off).collect(),
            warnings: b.warnings.clone(),
        }
    }
}
