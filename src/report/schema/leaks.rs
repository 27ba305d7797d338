//! Goroutines that are left behind.

use super::{Place, Version, known};
use crate::analysis::leaks::{self, Sure, What, Why};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// Goroutines that are left behind, by a trace, dumps and profiles of one process.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Leaks {
    /// The version of this form.
    pub schema: Version,
    /// The trace; `null` if there is none.
    pub trace: Option<String>,
    /// How many goroutines are leaks for certain: the runtime has marked them, or they wait for a channel that is nil.
    pub certain: u64,
    /// How many are likely to be: they wait where the number of those that wait rises.
    pub likely: u64,
    /// How many may be: they were never woken; a worker without work looks the same.
    pub possible: u64,
    /// The goroutines, by where they start and where they are blocked; also those that are no leaks.
    pub goroutines: Vec<Leak>,
    /// What was looked at beside the trace.
    pub beside: Vec<Looked>,
    /// Locks that are likely taken in different orders, by the last dump: each is waited for by a goroutine whose callers were
    /// given the object of the next. Who holds a lock, no dump says.
    pub likely_inversions: Vec<Vec<WaitsForLock>>,
}

/// A goroutine that waits for a lock, and has another one in hand.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct WaitsForLock {
    /// Its number.
    pub g: u64,
    /// The address of the lock that it waits for.
    pub lock: String,
    /// The line at which it does.
    pub at: Place,
    /// The address of the lock of which its callers were given the object.
    pub has: String,
}

/// Goroutines that start in one function and are blocked at one line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Leak {
    /// How sure it is that they are leaks.
    pub sure: HowSure,
    /// Why: `marked`, `nil channel`, `rises`, `rises between dumps`, `never woken`, `steady`, `one dump`,
    /// `same lock`.
    pub why: &'static str,
    /// How many.
    pub count: u64,
    /// The function in which they start; `null` if that is not known.
    pub group: Option<String>,
    /// What they wait for.
    pub reason: String,
    /// The line at which they are blocked; `null` if that is not known.
    pub at: Option<Place>,
    /// The line at which they are made, that of the `go` statement; `null` if that is not known.
    pub created_at: Option<Place>,
    /// The line of the user's that led to it, if that is another one; `null` if not, or if that is not known.
    pub called_at: Option<Place>,
    /// For how long the one that waits longest has been blocked; `null` if that is not known.
    pub oldest_ns: Option<i64>,
    /// Whether it is longer than that: it began before the trace, or was told in whole minutes.
    pub oldest_at_least: bool,
    /// By how many their number rises in a second; `null` if a trace does not tell.
    pub rise_per_s: Option<f64>,
    /// How many were blocked there in each dump and goroutine profile.
    pub counts: Vec<u64>,
    /// Bytes in use that goroutines which start in this function have allocated; `null` without a heap profile.
    pub bytes: Option<i64>,
    /// Their numbers; empty where only profiles tell of them.
    pub goroutines: Vec<u64>,
    /// Their labels.
    pub labels: Vec<Label>,
    /// The addresses of the locks that they wait for, by a dump.
    pub locks: Vec<String>,
    /// How many goroutines wait for these locks at other lines, or without a dump for any lock.
    pub others_at_locks: u64,
}

/// How sure it is.
#[derive(Serialize, Clone, Copy, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HowSure {
    /// Nothing can wake them.
    Certain,
    /// Their number rises.
    Likely,
    /// Nobody ever woke one.
    Possible,
    /// No sign of a leak.
    No,
}

/// A label, and how many of the goroutines have it.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Label {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// How many have it.
    pub count: u64,
}

/// A file beside the trace.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Looked {
    /// The file.
    pub name: String,
    /// What it is: `dump`, `profile` (of goroutines), `heap`, `left out`.
    pub what: &'static str,
    /// Goroutines in it.
    pub goroutines: Option<u64>,
    /// How many of them the runtime has marked as leaked.
    pub marked: Option<u64>,
    /// How many of a dump's goroutines are in the trace.
    pub in_trace: Option<u64>,
    /// Whether it is of another process than the trace, and was left out.
    pub foreign: bool,
}

impl Leaks {
    /// What was found, in `trace` if there is one.
    pub fn new(all: &leaks::Leaks, trace: Option<&str>) -> Leaks {
        Leaks {
            schema: Version,
            trace: trace.map(str::to_owned),
            certain: all.count(Sure::Certain),
            likely: all.count(Sure::Likely),
            possible: all.count(Sure::Possible),
            goroutines: all.leaks.iter().map(Leak::of).collect(),
            beside: all.looked.iter().map(Looked::of).collect(),
            likely_inversions: all.inversions.iter().map(|i| i.waits.iter().map(WaitsForLock::of).collect()).collect(),
        }
    }
}

impl WaitsForLock {
    fn of(w: &leaks::Waits) -> WaitsForLock {
        let at = Place { func: w.at.func.clone(), file: w.at.file.clone(), line: w.at.line };
        WaitsForLock { g: w.id, lock: format!("{:#x}", w.lock), at, has: format!("{:#x}", w.has) }
    }
}

impl Leak {
    fn of(l: &leaks::Leak) -> Leak {
        let at = Place { func: l.site.func.clone(), file: l.file.clone(), line: l.site.line };
        let rise = if let Why::Rises(s) = l.why { Some(s.per_x) } else { None };
        Leak {
            sure: match l.sure {
                Sure::Certain => HowSure::Certain,
                Sure::Likely => HowSure::Likely,
                Sure::Possible => HowSure::Possible,
                Sure::No => HowSure::No,
            },
            why: match l.why {
                Why::Marked => "marked",
                Why::Nil => "nil channel",
                Why::Rises(_) => "rises",
                Why::RisesBetween => "rises between dumps",
                Why::NeverWoken => "never woken",
                Why::Steady => "steady",
                Why::Alone => "one dump",
                Why::SameLock => "same lock",
            },
            count: l.count,
            group: known(&l.site.entry),
            reason: l.reason.clone(),
            at: (!at.func.is_empty()).then_some(at),
            created_at: l.created.as_ref().map(|f| Place {
                func: f.func.clone(),
                file: f.file.clone(),
                line: f.line,
            }),
            called_at: l.called.as_ref().map(|f| Place {
                func: f.func.clone(),
                file: f.file.clone(),
                line: f.line,
            }),
            oldest_ns: l.oldest.map(|a| a.time.ns()),
            oldest_at_least: l.oldest.is_some_and(|a| a.at_least),
            rise_per_s: rise,
            counts: l.counts.clone(),
            bytes: l.bytes,
            goroutines: l.ids.clone(),
            locks: l.queue.iter().flat_map(|q| &q.locks).map(|l| format!("{l:#x}")).collect(),
            others_at_locks: l.queue.as_ref().map_or(0, |q| q.others),
            labels: l.labels.iter().map(|(k, v, n)| Label { key: k.clone(), value: v.clone(), count: *n }).collect(),
        }
    }
}

impl Looked {
    fn of(l: &leaks::Looked) -> Looked {
        let mut out =
            Looked { name: l.name.clone(), what: "left out", goroutines: None, marked: None, in_trace: None, foreign: false };
        match l.what {
            What::Census { dump, all, marked, in_trace, foreign } => {
                out.what = if dump { "dump" } else { "profile" };
                (out.goroutines, out.marked, out.foreign) = (Some(all), Some(marked), foreign);
                out.in_trace = dump.then_some(in_trace);
            }
            What::Heap => out.what = "heap",
            What::LeftOut => {}
        }
        out
    }
}
