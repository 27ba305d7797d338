//! A finding, and the rule that finds it.

use super::facts::Facts;
use super::thresholds::{Levels, Severity};
use crate::base::{Duration, GoIdx, Time, text};
use crate::model::places::PlaceId;
use crate::query::quoted;
use serde::Serialize;

/// What a finding costs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cost {
    /// How much time: of goroutines, or of Ps.
    pub time: Duration,
    /// What kind of time, in a word or two: `blocked`, `CPU`.
    pub of: &'static str,
}

impl std::fmt::Display for Cost {
    /// `2m48s blocked`; in words where no time is known.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.time {
            Duration::ZERO => write!(f, "{}: how much is not known", self.of),
            time => write!(f, "{time} {}", self.of),
        }
    }
}

/// Which view has the proof of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The command that shows the proof, with `FILE` for the trace.
    pub check: String,
    /// What else is caused by it.
    pub ties: Ties,
}

/// How a finding hangs together with others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ties {
    /// Lines of which it is the cause, too: what other rules say of them is left out.
    pub covers: Vec<PlaceId>,
    /// Lines at which goroutines wait because of it.
    pub waits: Vec<PlaceId>,
    /// Of a lock, the line at which its holders wait themselves most of the time.
    pub behind: Option<PlaceId>,
    /// Of a finding about tasks, regions or requests, which: a position in [`Gathered::spans`](super::Gathered::spans).
    pub spans: Option<usize>,
    /// How many kinds of tasks, regions and requests it makes slow: the first sentences of the evidence are about them.
    pub slows: usize,
    /// How much longer those took for it, on their critical paths.
    pub critical: Duration,
    /// The row of the timeline that shows it, where that is no goroutine's.
    pub row: Option<Row>,
}

/// A row of the timeline that is about the whole program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// The collections.
    Gc,
    /// The stops of the world.
    Stw,
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

/// A rule.
pub struct Rule {
    /// Its name in thresholds, in JSON and for hiding it.
    pub name: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// What it measures, with the unit of its thresholds.
    pub measures: &'static str,
    /// Looks at a trace.
    pub look: fn(&Facts, &Levels) -> Verdict,
}

/// A command line as one writes it in a shell, of a command, its file and what names may come after; without these, if one of
/// them cannot be written.
pub(super) fn command(words: &[&str]) -> String {
    let quoted: Option<Vec<_>> = words.iter().map(|w| text::shell_word(w)).collect();
    quoted.map_or_else(|| words.iter().take(2).copied().collect::<Vec<_>>().join(" "), |q| q.join(" "))
}

/// The condition of a query that an event is of the goroutines of a group.
pub(super) fn of_group(name: &str) -> String {
    format!("group:{}", quoted(name))
}
