//! What is wrong, as JSON.

use super::{Place, Version};
use crate::analysis::findings::{Finding, Findings, Quiet, Severity, View};
use crate::model::Index;
use crate::model::places::Places;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What is wrong in a trace.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json<'a> {
    /// The version of this form.
    pub schema: Version,
    /// What the trace is called.
    pub trace: &'a str,
    /// What is wrong, what costs most first.
    pub findings: Vec<Found<'a>>,
    /// What was looked at and is fine.
    pub fine: Vec<Said<'a>>,
    /// What this trace cannot tell.
    pub cannot_tell: Vec<Said<'a>>,
}

/// Something that is wrong.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Found<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// The rule's title.
    pub title: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What the rule measures, in the unit of its thresholds.
    pub measure: f64,
    /// What was found, in a sentence.
    pub says: &'a str,
    /// What it costs.
    pub cost_ns: i64,
    /// Of what the cost is: `waits`, `CPU`, `wall`, …
    pub cost_of: &'a str,
    /// The line of code; `null` if it has none.
    pub at: Option<Place>,
    /// An instant to look at, on the trace's clock; `null` if it has none.
    pub time_ns: Option<i64>,
    /// The number of a goroutine to look at; `null` if it has none.
    pub goroutine: Option<u64>,
    /// The view that shows it.
    pub view: View,
    /// What speaks for it.
    pub evidence: Vec<&'a str>,
    /// What to do.
    pub advice: &'a str,
    /// The command that shows the proof.
    pub check: String,
}

/// What a rule says of a trace in which it found nothing.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Said<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// What it says.
    pub says: &'a str,
}

impl<'a> Json<'a> {
    /// Findings of the trace called `trace`; `check` is the command that shows a finding's proof.
    pub fn of(
        trace: &'a str,
        all: &'a Findings,
        (index, places): (&Index, &Places),
        check: impl Fn(&Finding) -> String,
    ) -> Json<'a> {
        let found = |f: &'a Finding| Found {
            rule: f.rule,
            title: f.title,
            severity: f.severity,
            measure: f.measure,
            says: &f.says,
            cost_ns: f.cost.time.ns(),
            cost_of: f.cost.of,
            at: Place::of(places, index, f.at),
            time_ns: f.time.map(|t| t.0),
            goroutine: index.goroutine(f.go).map(|g| g.id.0),
            view: f.view,
            evidence: f.evidence.iter().map(String::as_str).filter(|e| !e.is_empty()).collect(),
            advice: &f.advice,
            check: check(f),
        };
        let said = |q: &'a Quiet| Said { rule: q.rule, says: &q.says };
        Json {
            schema: Version,
            trace,
            findings: all.found.iter().map(found).collect(),
            fine: all.fine.iter().map(said).collect(),
            cannot_tell: all.untold.iter().map(said).collect(),
        }
    }
}
