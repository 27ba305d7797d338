//! Groups by a label of goroutines (`pprof.Do`), which several outputs have.

use crate::analysis::labelled::{Sum, Valued};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// A label and its value.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Label {
    /// The label.
    pub key: String,
    /// Its value; `null` for what has none.
    pub value: Option<String>,
    /// Whether the value follows from CPU samples of a profile, at least in part: it is taken to hold from the first to the
    /// last of successive samples of a goroutine with equal labels. Otherwise goroutine dumps say so.
    pub inferred: bool,
}

/// What goroutines did while they had a value of a label.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Labelled {
    /// The label and its value.
    pub label: Label,
    /// How many goroutines had it; one that had several in turn counts with each.
    pub goroutines: u64,
    /// Time on a P.
    pub running_ns: i64,
    /// Time waiting for a P.
    pub runnable_ns: i64,
    /// Time blocked.
    pub waiting_ns: i64,
    /// Time in syscalls, with or without a P.
    pub syscall_ns: i64,
    /// All of it.
    pub total_ns: i64,
    /// CPU samples; those of no goroutine are without a value.
    pub samples: u64,
}

impl Label {
    /// The form of a label and its value.
    pub fn new(v: &Valued) -> Label {
        Label { key: v.key.clone(), value: v.value.clone(), inferred: v.inferred }
    }
}

impl Labelled {
    /// The form of a group.
    pub fn new(s: &Sum) -> Labelled {
        let t = &s.times;
        Labelled {
            label: Label::new(&s.of),
            goroutines: s.goroutines,
            running_ns: t.running.ns(),
            runnable_ns: t.runnable.ns(),
            waiting_ns: t.waiting.ns(),
            syscall_ns: (t.syscall + t.syscall_blocked).ns(),
            total_ns: t.total().ns(),
            samples: s.samples,
        }
    }
}
