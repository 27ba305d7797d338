//! What is wrong: rules that look at a trace and say what they find, what it costs, where the proof is, what to do about
//! it and how to check. A rule is a file in [`rules`]; what it measures is held against [`thresholds`].
//!
//! A rule that cannot tell says why ("no CPU samples in this trace"), and one that finds nothing says what it looked at:
//! silence and "fine" are not the same.

mod facts;
mod rising;
pub mod rules;
pub mod thresholds;

pub use facts::{Facts, Gathered};
pub use thresholds::Thresholds;

use crate::base::{Duration, GoIdx, Time};
use crate::model::places::PlaceId;
use serde::Serialize;
use std::cmp::Reverse;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look now.
    Warn,
    /// Likely to be the incident.
    Critical,
}

/// What a finding costs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cost {
    /// How much time: of goroutines, or of Ps.
    pub time: Duration,
    /// What kind of time, in a word or two: `blocked`, `CPU`.
    pub of: &'static str,
}

/// Which view has the proof of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// The timeline, at the instant and the goroutine.
    Timeline,
    /// Goroutines.
    Goroutines,
    /// Waits.
    Waits,
    /// Locks and channels.
    Locks,
    /// Stacks.
    Stacks,
    /// Tasks and regions.
    Tasks,
    /// Maps.
    Maps,
    /// GC and scheduler.
    Runtime,
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// What it is in a few words.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was measured, in the unit of the rule's thresholds.
    pub measure: f64,
    /// The finding in one sentence. Escaped.
    pub says: String,
    /// What it costs.
    pub cost: Cost,
    /// The line of user code; `NONE` if there is no one line.
    pub at: PlaceId,
    /// The instant to look at.
    pub time: Option<Time>,
    /// The goroutine to look at; `NONE` if there is no one.
    pub go: GoIdx,
    /// Where the proof is.
    pub view: View,
    /// What it follows from, a sentence each. Escaped.
    pub evidence: Vec<String>,
    /// What to do about it, in a sentence or two.
    pub advice: String,
    /// The arguments of the command that shows the proof, after the file's name.
    pub check: String,
}

/// A rule that found nothing, or that could not tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quiet {
    /// The rule.
    pub rule: &'static str,
    /// What was looked at and is fine, or why it could not be told.
    pub says: String,
}

/// What the rules say of a trace.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Findings {
    /// What is wrong, the worst first.
    pub found: Vec<Finding>,
    /// What was looked at and is fine.
    pub fine: Vec<Quiet>,
    /// What could not be told, and why.
    pub untold: Vec<Quiet>,
}

/// What one rule says.
pub enum Verdict {
    /// It found these.
    Found(Vec<Finding>),
    /// It looked, and all is well.
    Fine(String),
    /// The trace does not have what it needs.
    CannotTell(String),
}

/// Applies all rules.
pub fn find(facts: &Facts, thresholds: &Thresholds) -> Findings {
    let mut out = Findings::default();
    for rule in rules::RULES {
        match (rule.look)(facts, &thresholds.of(rule.name)) {
            Verdict::Found(all) if !all.is_empty() => out.found.extend(all),
            Verdict::Found(_) => {}
            Verdict::Fine(says) => out.fine.push(Quiet { rule: rule.name, says }),
            Verdict::CannotTell(says) => out.untold.push(Quiet { rule: rule.name, says }),
        }
    }
    out.found.sort_by_key(|f| (Reverse(f.severity), Reverse(f.cost.time), f.rule, f.at));
    out
}
