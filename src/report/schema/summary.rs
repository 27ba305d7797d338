//! What is in a trace.

use super::labels::Labelled;
use super::{Version, known};
use crate::analysis::labelled::Sum;
use crate::analysis::summary::{self, summarize};
use crate::model::{Goroutine, Index};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is in a trace. The keys down to `profiles` are facts that Go's own reader states as well; the others are ours.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Summary {
    /// The version of this form.
    pub schema: Version,
    /// The facts.
    #[serde(flatten)]
    pub facts: summary::Summary,
    /// Goroutines by start function, as gotrail accounts for them: with all lives of a goroutine, and no time counted
    /// twice. The times sum to `total_ns`.
    pub groups: Vec<Group>,
    /// Goroutines by the value of a label, the longest time first; `null` without `--by`. The times sum to those of all
    /// goroutines.
    pub by_label: Option<Vec<Labelled>>,
}

/// The goroutines that began in one function.
#[derive(Serialize, Debug, Default)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Group {
    /// The function; `null` if no stack of them is in the trace.
    pub group: Option<String>,
    /// How many goroutines.
    pub count: u64,
    /// How many of them had not ended at trace end.
    pub unfinished: u64,
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
}

impl Summary {
    /// The form of a trace's summary, with its goroutines by a label where that is asked for.
    pub fn new(index: &Index, by_label: Option<&[Sum]>) -> Summary {
        let by_label = by_label.map(|all| all.iter().map(Labelled::new).collect());
        Summary { schema: Version, facts: summarize(index), groups: groups(index), by_label }
    }
}

/// The goroutines by start function, the longest lives first.
pub fn groups(index: &Index) -> Vec<Group> {
    let mut by: BTreeMap<&str, Group> = BTreeMap::new();
    for g in index.goroutines.iter().filter(|g| g.events > 0) {
        let name = index.group_name(g.group);
        let sum = by.entry(name).or_insert_with(|| Group { group: known(name), ..Group::default() });
        sum.add(&one(g));
    }
    let mut out: Vec<Group> = by.into_values().collect();
    out.sort_by_key(|g| std::cmp::Reverse(g.total_ns));
    out
}

/// What is known of one goroutine, as a group.
fn one(g: &Goroutine) -> Group {
    let t = &g.times;
    Group {
        group: None,
        count: 1,
        unfinished: u64::from(g.unfinished()),
        running_ns: t.running.ns(),
        runnable_ns: t.runnable.ns(),
        waiting_ns: t.waiting.ns(),
        syscall_ns: (t.syscall + t.syscall_blocked).ns(),
        total_ns: t.total().ns(),
    }
}

impl Group {
    /// Adds the numbers of another group.
    pub fn add(&mut self, o: &Group) {
        self.count += o.count;
        self.unfinished += o.unfinished;
        for (sum, ns) in [
            (&mut self.running_ns, o.running_ns),
            (&mut self.runnable_ns, o.runnable_ns),
            (&mut self.waiting_ns, o.waiting_ns),
            (&mut self.syscall_ns, o.syscall_ns),
            (&mut self.total_ns, o.total_ns),
        ] {
            *sum = sum.saturating_add(ns);
        }
    }
}
