//! Who was blocked, by whom.

use super::{Ender, Place, Version, known};
use crate::analysis::waits::links::table::{self, Named, NamedKnot, Row};
use crate::analysis::waits::standing::Standing;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// The waits of a trace, or of several with `--sum`: each row is all waits of one group, at one line, for one reason, that
/// ended in one way.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Waits {
    /// The version of this form.
    pub schema: Version,
    /// How many traces were summed up.
    pub traces: usize,
    /// The rows, in the order of `--sort`.
    pub waits: Vec<Wait>,
    /// Groups that are blocked by each other again and again.
    pub cycles: Vec<Cycle>,
    /// What dumps beside the traces (`--with`) say of locks that are likely taken in different orders, in words.
    pub likely_inversions: Vec<String>,
}

/// Waits that have everything but their times in common.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Wait {
    /// The start function of the goroutines that were blocked; `null` if it is not known.
    pub group: Option<String>,
    /// What they were blocked in: `Mutex`, `chan receive`, …
    pub reason: String,
    /// The line of user code that was blocked; `null` if the trace has no stack.
    pub at: Option<Place>,
    /// Who ended the waits.
    pub ended_by: Ender,
    /// Whether nothing is held up by them: they wait for work, for connections, for a clock.
    pub idle: bool,
    /// Whether the trace tells what they wait for or where. Of others nobody can say whether anything is held up by them.
    pub known: bool,
    /// How many waits.
    pub count: u64,
    /// How many of them had begun before the trace, or had not ended when it did.
    pub open: u64,
    /// How many of them had not ended when the trace did, or the last recording of their process.
    pub unfinished: u64,
    /// Their sum, as far as it lies inside the trace and the window that was asked for.
    pub total_ns: i64,
    /// The 99th percentile of their lengths, to within an eighth.
    pub p99_ns: i64,
    /// The longest.
    pub max_ns: i64,
    /// Where the longest is.
    pub longest: Longest,
}

/// A wait by its place in a trace.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Longest {
    /// The file of the trace.
    pub file: String,
    /// The number of the event that began it; `null` if it began before the trace.
    pub event: Option<u64>,
    /// The goroutine's number.
    pub g: Option<u64>,
    /// When it began, or the window did if that was later.
    pub from_ns: i64,
}

/// A wait cycle: goroutines of these groups keep waiting for each other.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Cycle {
    /// The groups, by their start functions; where such a function calls whatever it is given, by what it calls.
    pub groups: Vec<Option<String>>,
    /// How often one of them waited for another.
    pub count: u64,
    /// For how long together.
    pub total_ns: i64,
    /// Which of them waited for which.
    pub between: Vec<Between>,
}

/// Waits of one group at one line that another ended at one line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Between {
    /// The start function of those that were blocked, or what that calls.
    pub group: Option<String>,
    /// Where they were.
    pub at: Option<Place>,
    /// The same of those that ended the waits.
    pub by: Option<String>,
    /// Where they did.
    pub by_at: Option<Place>,
    /// How many waits.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
}

impl Waits {
    /// The form of a table of waits.
    pub fn new(table: &table::Table) -> Waits {
        let waits = table.rows.iter().map(wait).collect();
        let cycles = table.knots.iter().map(cycle).collect();
        Waits { schema: Version, traces: table.traces, waits, cycles, likely_inversions: table.orders.clone() }
    }
}

fn place(p: &table::Place) -> Option<Place> {
    let (func, file, line) = p.code.clone()?;
    Some(Place { func, file, line })
}

fn wait((k, r): &(Named, Row)) -> Wait {
    Wait {
        group: known(&k.waiter),
        reason: k.reason.clone(),
        at: place(&k.at),
        ended_by: Ender { kind: k.ended_by.into(), group: known(&k.waker), g: None, at: place(&k.waker_at) },
        idle: r.standing == Standing::Idle,
        known: r.standing != Standing::Unknown,
        count: r.count,
        open: r.open,
        unfinished: r.unfinished,
        total_ns: r.total.ns(),
        p99_ns: r.p99().ns(),
        max_ns: r.max.ns(),
        longest: Longest {
            file: r.longest.trace.clone(),
            event: r.longest.event,
            g: r.longest.g,
            from_ns: r.longest.from_ns,
        },
    }
}

fn cycle(k: &NamedKnot) -> Cycle {
    let between = k.between.iter().map(|b| Between {
        group: known(&b.waiter.0),
        at: place(&b.waiter.1),
        by: known(&b.waker.0),
        by_at: place(&b.waker.1),
        count: b.count,
        total_ns: b.total.ns(),
    });
    Cycle {
        groups: k.roles.iter().map(|g| known(g)).collect(),
        count: k.waits,
        total_ns: k.total.ns(),
        between: between.collect(),
    }
}
