//! What is wrong: rules that look at a trace and say what they find, what it costs, where the proof is, what to do about
//! it and how to check. A rule is a file in [`rules`]; what it measures is held against [`thresholds`].
//!
//! A rule that cannot tell says why ("no CPU samples in this trace"), and one that finds nothing says what it looked at:
//! silence and "fine" are not the same.

mod causes;
mod facts;
mod finding;
pub mod rules;
pub mod slow;
mod started;
pub mod thresholds;

pub use facts::{Facts, Gathered, Utilisation, Watching};
pub use finding::{Cost, Finding, Row, Rule, Ties, Verdict, View};
pub use thresholds::{Severity, ThresholdError, Thresholds};

use crate::model::places::PlaceId;
use std::cmp::Reverse;

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

/// Applies all rules.
pub fn find(facts: &Facts, thresholds: &Thresholds) -> Findings {
    let mut out = Findings::default();
    let nameless = facts.nameless();
    for rule in rules::RULES {
        match (rule.look)(facts, &thresholds.of(rule.name)) {
            Verdict::Found(all) if !all.is_empty() => out.found.extend(all),
            Verdict::Found(_) => {}
            Verdict::Fine(_) if nameless && !rules::WITHOUT_NAMES.contains(&rule.name) => {
                let says = format!("{}: not looked for, as the trace lacks most names", rule.title.to_lowercase());
                out.untold.push(Quiet { rule: rule.name, says });
            }
            Verdict::Fine(says) => out.fine.push(Quiet { rule: rule.name, says }),
            Verdict::CannotTell(says) => out.untold.push(Quiet { rule: rule.name, says }),
        }
    }
    // One finding a cause.
    let mut i = 0;
    while i < out.found.len() {
        let (at, severity) = (out.found[i].at, out.found[i].severity);
        let covers = out.found[i].ties.covers.clone();
        let by = out
            .found
            .iter_mut()
            .find(|f| at != PlaceId::NONE && f.ties.covers.contains(&at) && !covers.contains(&f.at));
        // What covers another is as bad as that.
        match by {
            Some(by) => {
                by.severity = by.severity.max(severity);
                out.found.remove(i);
            }
            None => i += 1,
        }
    }
    causes::merge(facts, &mut out.found);
    // Among those that are as bad, what is known to lie on critical paths comes first, and a symptom last.
    out.found.sort_by_key(|f| {
        let symptom = rules::SLOW.contains(&f.rule);
        (Reverse(f.severity), symptom, Reverse(f.ties.critical), Reverse(f.cost.time), f.rule, f.at)
    });
    out
}
