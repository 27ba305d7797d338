//! What source lines cost.

use super::{Place, Version, number};
use crate::analysis::clock::Overlap;
use crate::analysis::cost::join::{self, Matched, Verdict};
use crate::base::Time;
use crate::model::Index;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What each source line cost, by a trace and the profiles of its run.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Lines {
    /// The version of this form.
    pub schema: Version,
    /// The profiles, and how they fit the trace.
    pub profiles: Vec<Profile>,
    /// CPU samples in the trace.
    pub samples: u64,
    /// How long the trace, or the window that was asked for, is.
    pub duration_ns: i64,
    /// What `values` of each line are, in their order.
    pub values: Vec<Value>,
    /// Labels of goroutines, inferred from the profiles.
    pub labels: Vec<Label>,
    /// The lines, those that cost most first.
    pub lines: Vec<Line>,
}

/// How a profile was joined with the trace.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Joined {
    /// Its samples are samples of the trace.
    Samples,
    /// By function and line.
    Lines,
    /// Not at all: it is of another time, another run, or does not say when it was taken.
    No,
}

/// A profile.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Profile {
    /// Its file.
    pub name: String,
    /// How it was joined with the trace.
    pub joined: Joined,
    /// Samples that are in both.
    pub matched: u64,
    /// How many of them have the same stack in both; the others have the leaf and the user code before it in common.
    pub matched_whole: u64,
    /// CPU samples of the trace in the time of the profile that no profile before it has matched.
    pub trace_samples: u64,
    /// Samples of the profile.
    pub profile_samples: u64,
    /// When it was taken; `null` if it or the trace does not say.
    pub time: Option<Taken>,
}

/// When a profile was taken, beside the trace. One of three: inside of it, before it, after it.
#[derive(Serialize, Debug, Default)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Taken {
    /// If they overlap, when that begins, counted from the trace's start.
    pub from_ns: Option<i64>,
    /// And when it ends.
    pub to_ns: Option<i64>,
    /// How long before the trace's start the profile ended.
    pub before_ns: Option<i64>,
    /// How long after the trace's end the profile began.
    pub after_ns: Option<i64>,
}

/// A value that a profile has for lines.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Value {
    /// The profile's file.
    pub profile: String,
    /// What it is: `inuse_space`, `delay`, …
    pub kind: String,
    /// Its unit: `bytes`, `nanoseconds`, `count`, …
    pub unit: String,
    /// The sum over all lines.
    pub total: i64,
}

/// A label that all samples of a goroutine in a profile have.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Label {
    /// The goroutine's number.
    pub g: Option<u64>,
    /// The label's key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Always true: the trace itself does not say it.
    pub inferred: bool,
}

/// A value as it is attributed to a line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Cost {
    /// Of the stacks in which this is the line of user code nearest to the leaf. These add up to the total.
    pub own: i64,
    /// Of the stacks that end here.
    pub flat: i64,
    /// Of the stacks that go through here.
    pub cum: i64,
}

/// A line and what it cost.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Line {
    /// The line; `null` for what has no stack.
    pub at: Option<Place>,
    /// Whether it is a library's or the runtime's, and no user code called it.
    pub library: bool,
    /// Time on CPU, by the CPU profiles, in ns.
    pub profile_ns: Cost,
    /// Time on CPU, by the trace's own samples, in ns.
    pub samples_ns: Cost,
    /// Time blocked.
    pub blocked_ns: i64,
    /// How many waits that was.
    pub waits: u64,
    /// Time runnable: waiting for a P.
    pub runnable_ns: i64,
    /// Time in syscalls.
    pub syscall_ns: i64,
    /// The values of the other profiles, in the order and units of `values` above.
    pub values: Vec<Cost>,
}

impl Lines {
    /// The form of joined lines.
    pub fn new(lines: &join::Lines, index: &Index) -> Lines {
        let value = |c: &join::Column| Value {
            profile: c.profile.clone(),
            kind: c.kind.clone(),
            unit: c.unit.clone(),
            total: c.total,
        };
        let label = |l: &join::Inferred| Label {
            g: number(index, l.go),
            key: l.key.clone(),
            value: l.value.clone(),
            inferred: true,
        };
        Lines {
            schema: Version,
            profiles: lines.matched.iter().map(|m| profile(m, lines.of.0)).collect(),
            samples: lines.samples,
            duration_ns: lines.duration.ns(),
            values: lines.others.iter().map(value).collect(),
            labels: lines.labels.iter().map(label).collect(),
            lines: lines.lines.iter().map(line).collect(),
        }
    }
}

fn profile(m: &Matched, start: Time) -> Profile {
    let joined = match m.verdict {
        Verdict::Joined => Joined::Samples,
        Verdict::ByLine => Joined::Lines,
        Verdict::Timeless | Verdict::Elsewhen | Verdict::Foreign => Joined::No,
    };
    let ns = |t: Time| Some((t - start).ns());
    let time = m.overlap.map(|o| match o {
        Overlap::Within { from, to } => Taken { from_ns: ns(from), to_ns: ns(to), ..Taken::default() },
        Overlap::Before(d) => Taken { before_ns: Some(d.ns()), ..Taken::default() },
        Overlap::After(d) => Taken { after_ns: Some(d.ns()), ..Taken::default() },
    });
    Profile {
        name: m.name.clone(),
        joined,
        matched: m.matched(),
        matched_whole: m.whole,
        trace_samples: m.trace,
        profile_samples: m.profile,
        time,
    }
}

fn line(l: &join::Line) -> Line {
    let cost = |c: &join::Cost| Cost { own: c.own, flat: c.flat, cum: c.cum };
    let at = || Place { func: l.func.clone(), file: l.file.clone(), line: l.line };
    Line {
        at: (!l.func.is_empty()).then(at),
        library: l.library,
        profile_ns: cost(&l.profile),
        samples_ns: cost(&l.trace),
        blocked_ns: l.blocked.ns(),
        waits: l.waits,
        runnable_ns: l.runnable.ns(),
        syscall_ns: l.syscall.ns(),
        values: l.others.iter().map(cost).collect(),
    }
}
