//! Spans by handler, and the slowest of them.

use super::labels::Label;
use super::{Version, known, number};
use crate::analysis::labelled::Valued;
use crate::analysis::spans::slow::Compared;
use crate::analysis::spans::sums::{self, BUCKETS, Sum};
use crate::analysis::spans::{Found, KindNo, Span};
use crate::model::Index;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// The spans of a trace: the tasks and regions that the program marked, and the requests and calls that were told by the
/// stacks of its goroutines' events.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Spans {
    /// The version of this form.
    pub schema: Version,
    /// How many there are.
    pub count: u64,
    /// How many were not kept because there were too many.
    pub dropped: u64,
    /// By kind and handler, or with `--by` by kind and value of a label; those with the largest sum first.
    pub handlers: Vec<Handler>,
    /// The slowest, longest first, as many as `--limit` says.
    pub slowest: Vec<One>,
    /// The slow ones against the others, of the kind of which the slow ones lost most; `null` without `--slow`, and with `--by`.
    pub slow: Option<Slow>,
    /// The same of the other kinds.
    pub slow_of_other_kinds: Vec<Slow>,
    /// The same within each group of a label, where `--slow` and `--by` are given.
    pub slow_by_label: Vec<SlowOf>,
}

/// The slow ones of a group against the others of it.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct SlowOf {
    /// The group.
    pub label: Label,
    /// The slow ones of a kind against the others.
    pub slow: Slow,
}

/// The spans of one kind and handler. Those that lack an end count with the time that they were there.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Handler {
    /// What they are: `task`, `region`, or the name of a rule in `assets/spans.toml`.
    pub kind: String,
    /// The handler, the function that was called, the task's or the region's name; `null` if no event was inside.
    pub name: Option<String>,
    /// The label and its value, where spans are grouped by it (`--by`) and not by handler: `name` is `null` then. It is that
    /// which the goroutine had for most of the span.
    pub label: Option<Label>,
    /// How many.
    pub count: u64,
    /// How many of them lack an end.
    pub open: u64,
    /// How many are told from their neighbour by a place that came again, and by nothing else.
    pub by_repetition: u64,
    /// How much time they took in the range that was asked for: of those that reach beyond it, the part inside. The lengths
    /// below are those of whole spans.
    pub total_ns: i64,
    /// The length that half of them do not pass.
    pub p50_ns: i64,
    /// The length that 90 % do not pass.
    pub p90_ns: i64,
    /// The length that 99 % do not pass.
    pub p99_ns: i64,
    /// The longest.
    pub max_ns: i64,
    /// Half of the lengths are known at least this exactly.
    pub exact_to_ns: i64,
    /// How many took how long; buckets without any are left out.
    pub histogram: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Bucket {
    /// The shortest length in it; the longest is less than twice that.
    pub least_ns: i64,
    /// How many.
    pub count: u64,
}

/// One span.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct One {
    /// What it is.
    pub kind: String,
    /// The handler, the function, the task's or the region's name; `null` if it is not known.
    pub name: Option<String>,
    /// The goroutine that did it, by number; `null` if it is not known.
    pub g: Option<u64>,
    /// Where it begins, as commands and the viewer take it: `trace.out@0.812031s:g8`.
    pub position: String,
    /// When it began, or its recording did.
    pub from_ns: i64,
    /// When it ended, or its recording did.
    pub to_ns: i64,
    /// How long it took.
    pub len_ns: i64,
    /// The shortest that it can have been.
    pub least_ns: i64,
    /// The longest that it can have been.
    pub most_ns: i64,
    /// Whether its beginning is in the trace.
    pub began: bool,
    /// Whether its end is.
    pub ended: bool,
    /// When the request arrived; `null` if that is not known, and for what is no request.
    pub arrived_ns: Option<i64>,
    /// When the last of the answer was written; `null` if that is not known.
    pub answered_ns: Option<i64>,
}

/// What makes the slow ones slow: the parts of their critical paths against those of the others.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Slow {
    /// The kind of span.
    pub kind: String,
    /// How many took as long as the box says.
    pub slow: u64,
    /// How many did not.
    pub normal: u64,
    /// In how many stretches of time the slow ones lie: what is near in time is not independent.
    pub groups: u64,
    /// How long such a stretch is.
    pub block_ns: i64,
    /// How long slow ones took on average.
    pub slow_mean_ns: i64,
    /// How long the others took.
    pub normal_mean_ns: i64,
    /// The parts, the largest difference first. They sum to the difference of the means.
    pub parts: Vec<Part>,
}

/// A part of critical paths.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Part {
    /// What the time went into: who waited for what, and at the end what was done meanwhile.
    pub what: String,
    /// How long that was in a slow one, on average.
    pub slow_ns: i64,
    /// How long in another one.
    pub normal_ns: i64,
    /// The first less the second.
    pub more_ns: i64,
    /// The least of the interval of 95 % of that.
    pub low_ns: i64,
    /// Its most.
    pub high_ns: i64,
    /// In what part of the resamples this part was the largest, 0 to 1.
    pub first: f64,
}

impl Spans {
    /// Spans as JSON.
    pub fn new<'a>(
        found: &Found,
        (sums, slowest): (&[Sum], &[Span]),
        slow: impl Iterator<Item = (KindNo, &'a Compared)>,
        (name, index): (&str, &Index),
    ) -> Spans {
        let mut slow = slow.map(|(kind, c)| compared(found.kind(kind), c, index));
        Spans {
            schema: Version,
            count: sums.iter().map(|s| s.count).sum(),
            dropped: found.dropped,
            handlers: sums.iter().map(|s| handler(found, s, index)).collect(),
            slowest: slowest.iter().map(|s| one(found, s, (name, index))).collect(),
            slow: slow.next(),
            slow_of_other_kinds: slow.collect(),
            slow_by_label: Vec::new(),
        }
    }

    /// The same with comparisons within the groups of a label.
    pub fn with_slow_of<'a>(
        self,
        all: impl Iterator<Item = (&'a Valued, KindNo, &'a Compared)>,
        (found, index): (&Found, &Index),
    ) -> Spans {
        let one = |(of, kind, c)| SlowOf { label: Label::new(of), slow: compared(found.kind(kind), c, index) };
        Spans { slow_by_label: all.map(one).collect(), ..self }
    }
}

fn handler(found: &Found, s: &Sum, index: &Index) -> Handler {
    let some = (0..BUCKETS).filter(|b| s.histogram[*b] > 0);
    Handler {
        kind: found.kind(s.kind).to_owned(),
        name: known(index.dict.str(s.name)),
        label: s.label.as_ref().map(Label::new),
        count: s.count,
        open: s.open,
        by_repetition: s.repeats,
        total_ns: s.total.ns(),
        p50_ns: s.p50.ns(),
        p90_ns: s.p90.ns(),
        p99_ns: s.p99.ns(),
        max_ns: s.max.ns(),
        exact_to_ns: s.exact_to.ns(),
        histogram: some.map(|b| Bucket { least_ns: sums::least(b).ns(), count: s.histogram[b] }).collect(),
    }
}

fn one(found: &Found, s: &Span, (name, index): (&str, &Index)) -> One {
    let (least, most) = s.len_bounds();
    One {
        kind: found.kind(s.kind).to_owned(),
        name: known(index.dict.str(s.name)),
        g: number(index, s.go),
        position: crate::report::spans::position(name, index, s),
        from_ns: s.from.0,
        to_ns: s.to.0,
        len_ns: s.len().ns(),
        least_ns: least.ns(),
        most_ns: most.ns(),
        began: s.began,
        ended: s.ended,
        arrived_ns: s.arrived.map(|t| t.0),
        answered_ns: s.answered.map(|t| t.0),
    }
}

/// A comparison as JSON.
fn compared(kind: &str, c: &Compared, index: &Index) -> Slow {
    Slow {
        kind: kind.to_owned(),
        slow: c.slow as u64,
        normal: c.normal as u64,
        groups: c.groups as u64,
        block_ns: c.block.ns(),
        slow_mean_ns: c.slow_mean.ns(),
        normal_mean_ns: c.normal_mean.ns(),
        parts: c
            .parts
            .iter()
            .map(|p| Part {
                what: crate::report::spans::way(c, index, &p.way),
                slow_ns: p.slow.ns(),
                normal_ns: p.normal.ns(),
                more_ns: p.more().ns(),
                low_ns: p.low.ns(),
                high_ns: p.high.ns(),
                first: p.first,
            })
            .collect(),
    }
}
