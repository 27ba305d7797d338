//! How recordings differ, as JSON.

use super::Version;
use crate::analysis::diff::{Diff, Figure as Kind, Measure, Row, Side as Of, Told, Verdict, Work};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// How recordings of a program differ.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json<'a> {
    /// The version of this form.
    pub schema: Version,
    /// The recordings before.
    pub a: Recordings<'a>,
    /// The recordings after.
    pub b: Recordings<'a>,
    /// The task, region or handler that is the unit of work, `request` for all that are served; `null` for a second of wall
    /// time.
    pub per: Option<&'a str>,
    /// What both sides did of work, at least 20 times a side: the requests, then the most frequent tasks.
    pub work: Vec<Done<'a>>,
    /// Whether a fix has helped, in a few figures.
    pub story: Vec<Figure<'a>>,
    /// How many measures were large enough to be tested.
    pub tested: usize,
    /// How many measures did not change.
    pub unchanged: usize,
    /// What differs, or with `--all` all that was measured: what costs most first, whatever it is, and a cause before what
    /// follows from it; what differs by load behind that.
    pub rows: Vec<Measured<'a>>,
    /// What there is to know about the sides.
    pub notes: Vec<String>,
    /// The limits of `--fail-on` that are passed, a sentence each.
    pub failed: Vec<&'a str>,
}

/// The recordings of one side.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Recordings<'a> {
    /// What the traces are called.
    pub traces: Vec<&'a str>,
    /// Their length.
    pub length_ns: i64,
    /// Units of work a second; `null` for wall time.
    pub units_per_second: Option<f64>,
}

/// Some of a program's work.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Done<'a> {
    /// The task, or `request` for all that are served.
    pub name: &'a str,
    /// How many a second in A.
    pub a_per_second: f64,
    /// How many a second in B.
    pub b_per_second: f64,
    /// The 99th percentile of their lengths in A.
    pub a_p99_ns: f64,
    /// The 99th percentile of their lengths in B.
    pub b_p99_ns: f64,
    /// Whether by how much the two rates differ may be chance.
    pub rate_may_be_chance: bool,
    /// Whether by how much the two 99th percentiles differ may be chance.
    pub p99_may_be_chance: bool,
}

/// A figure before and after.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Figure<'a> {
    /// `cpu_in_mapassign`, a part of 1; `objects_per_second`; `p99_ns` or `per_second` of the work named.
    pub figure: &'a str,
    /// The task, the handler, or `request`; `null` for a figure of the whole program.
    pub of: Option<&'a str>,
    /// In A; `null` if it is not known.
    pub a: Option<f64>,
    /// In B; `null` if it is not known.
    pub b: Option<f64>,
    /// Whether the difference may be chance; `null` of what is not tested.
    pub may_be_chance: Option<bool>,
}

/// Something measured.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Measured<'a> {
    /// `worse`, `better`, `only in B`, `only in A`, `by load` (no difference a unit of work, but one a second, as there was
    /// more or less work) or `unchanged`.
    pub verdict: &'a str,
    /// What it is: `line`, `wait`, `task`, `region`, `span`, `group`, `GC` or `scheduling latency`.
    pub what: &'a str,
    /// What is measured of it: `on CPU`, `blocked`, `runnable`, `in syscalls`, `active`, `length` (its median is
    /// compared) or `p99`.
    pub measure: &'a str,
    /// The function, the group, the task, the region, the handler of requests.
    pub name: &'a str,
    /// The line in B, or in A of what is there only; 0 if it has none.
    pub line: u32,
    /// The line in A; 0 if it has none.
    pub line_a: u32,
    /// What is waited for, `Mutex`; of a span its kind, `http.server`; empty for all else.
    pub reason: &'a str,
    /// Before.
    pub a: Side,
    /// After.
    pub b: Side,
    /// B less A: of lengths the shift after Hodges and Lehmann, of a `p99` the difference, of all else nanoseconds a unit of work,
    /// and of what differs by load nanoseconds a second.
    pub change_ns: f64,
    /// The interval of the shift, from and to, at 95 %; `null` for what is no length.
    pub interval_ns: Option<[f64; 2]>,
    /// The change as a part of A; `null` if A has none.
    pub ratio: Option<f64>,
    /// How likely the difference, beyond the least that counts, is by chance.
    pub p: f64,
}

/// One side of something measured.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Side {
    /// Nanoseconds a unit of work.
    pub per_unit_ns: f64,
    /// Nanoseconds a second of wall time.
    pub per_second_ns: f64,
    /// How many lengths there are; 0 for what is no length.
    pub count: u64,
    /// The median length; 0 for what is no length.
    pub p50_ns: f64,
    /// The 99th percentile of the lengths; 0 for what is no length.
    pub p99_ns: f64,
    /// The longest; 0 for what is no length.
    pub max_ns: f64,
}

/// What a verdict is called.
pub fn verdict(v: Verdict) -> &'static str {
    match v {
        Verdict::Worse => "worse",
        Verdict::Better => "better",
        Verdict::OnlyB => "only in B",
        Verdict::OnlyA => "only in A",
        Verdict::ByLoad => "by load",
        Verdict::Unchanged => "unchanged",
    }
}

impl<'a> Json<'a> {
    /// A comparison; with `all` the rows without a change, too.
    pub fn of(
        (d, story): (&'a Diff, &'a [Told]),
        (a, b): (&'a [String], &'a [String]),
        failed: &'a [String],
        all: bool,
    ) -> Json<'a> {
        let shown = |r: &&Row| all || r.verdict != Verdict::Unchanged;
        let side = |traces: &'a [String], seconds: f64, units: Option<f64>| Recordings {
            traces: traces.iter().map(String::as_str).collect(),
            length_ns: (seconds * 1e9) as i64,
            units_per_second: units,
        };
        Json {
            schema: Version,
            a: side(a, d.seconds.0, d.per.as_ref().map(|p| p.rate.0)),
            b: side(b, d.seconds.1, d.per.as_ref().map(|p| p.rate.1)),
            per: d.per.as_ref().map(|p| p.name.as_str()),
            work: d.work.iter().map(done).collect(),
            story: story.iter().map(figure).collect(),
            tested: d.tested,
            unchanged: d.rows.iter().filter(|r| r.verdict == Verdict::Unchanged).count(),
            rows: d.rows.iter().filter(shown).map(measured).collect(),
            notes: d.notes.iter().map(|n| n.words()).collect(),
            failed: failed.iter().map(String::as_str).collect(),
        }
    }
}

fn done(w: &Work) -> Done<'_> {
    Done {
        name: &w.name,
        a_per_second: w.rate.0,
        b_per_second: w.rate.1,
        a_p99_ns: w.p99.0,
        b_p99_ns: w.p99.1,
        rate_may_be_chance: w.rate_by_chance,
        p99_may_be_chance: w.p99_by_chance,
    }
}

fn figure(t: &Told) -> Figure<'_> {
    let (figure, of) = match &t.figure {
        Kind::MapAssign => ("cpu_in_mapassign", None),
        Kind::Objects => ("objects_per_second", None),
        Kind::P99(name) => ("p99_ns", Some(name.as_str())),
        Kind::Throughput(name) => ("per_second", Some(name.as_str())),
    };
    Figure { figure, of, a: t.a, b: t.b, may_be_chance: t.by_chance }
}

fn measured(r: &Row) -> Measured<'_> {
    let side = |s: &Of| Side {
        per_unit_ns: s.per_unit,
        per_second_ns: s.per_second,
        count: s.count,
        p50_ns: s.p50,
        p99_ns: s.p99,
        max_ns: s.max,
    };
    Measured {
        verdict: verdict(r.verdict),
        what: r.key.what.name(),
        measure: r.key.measure.name(),
        name: &r.key.name,
        line: r.key.line,
        line_a: r.line_a,
        reason: &r.key.reason,
        a: side(&r.a),
        b: side(&r.b),
        change_ns: r.change,
        interval_ns: r.interval.filter(|_| r.key.measure == Measure::Length).map(Into::into),
        ratio: r.ratio(),
        p: r.p,
    }
}
