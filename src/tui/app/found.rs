//! What the rules say of the trace, for all views to look at: made by a job when the trace has been read.

use super::nav::Row;
use super::sheet::Sheet;
use crate::analysis::findings::{self, Facts, Finding, Severity, Thresholds, View, find, slow};
use crate::analysis::spans::slow::window;
use crate::base::{FrameId, GoIdx, Time, text};
use crate::model::Index;
use crate::model::places::Places;
use crate::report::findings::{About, markdown_one};
use crate::tui::theme::Role;
use std::sync::Arc;

/// Above so many events the rules are applied only when they are asked for: they take several times as long as reading, and
/// some 30 bytes an event meanwhile.
const AT_ONCE: u64 = 5_000_000;

/// One finding, ready to be shown. All text is safe to show.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Its rule.
    pub rule: &'static str,
    /// Its place among all.
    pub no: usize,
    /// How much it matters.
    pub severity: Severity,
    /// What it is in a few words.
    pub title: &'static str,
    /// The finding in one sentence.
    pub says: String,
    /// What it costs: `2m48s blocked`.
    pub cost: String,
    /// The line of user code; empty if there is no one line.
    pub line: String,
    /// What it follows from.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: String,
    /// The command that shows the proof.
    pub check: String,
    /// The goroutine to look at; `NONE` if there is no one.
    pub go: GoIdx,
    /// The instant to look at.
    pub time: Option<Time>,
    /// The frame of the line; `NONE` if no stack has it.
    pub frame: FrameId,
    /// The row of the timeline that it is about, where that is no goroutine.
    pub row: Option<Row>,
    /// For slow tasks, the critical path of the slowest.
    pub path: Option<Sheet>,
    /// Whether its proof is in the view of maps.
    pub of_maps: bool,
    /// All of it, for a chat.
    pub markdown: String,
}

/// What all rules say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Said {
    /// What is wrong, the worst first.
    pub items: Vec<Item>,
    /// What is wrong as well, and hidden by the user.
    pub hidden: Vec<Item>,
    /// What was looked at and is fine.
    pub fine: Vec<String>,
    /// What could not be told, and why.
    pub untold: Vec<String>,
    /// The part of the Ps that the GC leaves to the program, sweeps taken for its work: the rules look at it as well.
    pub mutator: Option<Arc<findings::Utilisation>>,
}

impl Said {
    /// Hides what a rule finds; without one, shows again what is hidden.
    pub fn hide(&mut self, rule: Option<&str>) {
        match rule {
            Some(rule) => {
                let (hides, stays) = std::mem::take(&mut self.items).into_iter().partition(|i| i.rule == rule);
                self.items = stays;
                self.hidden.extend::<Vec<Item>>(hides);
            }
            None => {
                self.items.append(&mut self.hidden);
                self.items.sort_by_key(|i| i.no);
            }
        }
    }
}

/// How far the rules are.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Found {
    /// They were not asked.
    #[default]
    Unasked,
    /// They are looking; how far they are, 0 to 1.
    Looking(f64),
    /// They were called off.
    Cancelled,
    /// They have said it.
    Said(Said),
}

impl Found {
    /// Whether the rules are to be asked as soon as the trace is read.
    pub fn at_once(&self, index: &Index) -> bool {
        index.complete && index.events <= AT_ONCE && *self == Found::Unasked
    }

    /// Hides what a rule finds; without one, shows again what is hidden.
    pub fn hide(&mut self, rule: Option<&str>) {
        if let Found::Said(said) = self {
            said.hide(rule);
        }
    }

    /// What was found, if the rules are done.
    pub fn said(&self) -> Option<&Said> {
        match self {
            Found::Said(said) => Some(said),
            _ => None,
        }
    }
}

/// A sign and a colour for how much a finding matters.
pub fn mark(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Critical => ("!!!", Role::Error),
        Severity::Warn => (" !!", Role::Warning),
        Severity::Info => ("  i", Role::Dim),
    }
}

impl Said {
    /// What the rules have found, and what they say of all else. Other findings come first.
    pub fn new(name: &str, facts: &Facts, before: Vec<Finding>) -> Said {
        let (index, more) = (facts.index, facts.more);
        let mut all = find(facts, &Thresholds::default());
        all.found.splice(0..0, before);
        let about = About { name, index, places: &more.links.places };
        let mut said = Said {
            items: all.found.iter().enumerate().map(|(no, f)| item(&about, no, f, path_of(facts, f))).collect(),
            mutator: Some(Arc::new(more.mutator())),
            ..Said::default()
        };
        for (from, to) in [(all.fine, &mut said.fine), (all.untold, &mut said.untold)] {
            for q in from {
                // Rules that look at the same thing may say the same.
                if !to.contains(&q.says) {
                    to.push(q.says);
                }
            }
        }
        said
    }
}

/// The critical path of the slowest of the tasks, regions or requests that a finding is about.
fn path_of(facts: &Facts, f: &Finding) -> Option<Sheet> {
    let spans = facts.more.spans.get(f.ties.spans?)?;
    Some(Sheet::Path(window(spans.slowest.first()?), slow::called(facts, spans).into()))
}

/// The row of the timeline that a finding without a goroutine of the program's is about.
fn row(f: &Finding) -> Option<Row> {
    match f.ties.row {
        Some(findings::Row::Gc) => Some(Row::Gc),
        Some(findings::Row::Stw) => Some(Row::Stw),
        _ if f.view == View::Runtime || !f.go.is_some() => Some(Row::Procs),
        _ => None,
    }
}

fn item(about: &About, no: usize, f: &Finding, path: Option<Sheet>) -> Item {
    let mut markdown = Vec::new();
    // A vector takes all that is written.
    let _ = markdown_one(about, f, &mut markdown);
    Item {
        rule: f.rule,
        no,
        severity: f.severity,
        title: f.title,
        says: f.says.clone(),
        cost: f.cost.to_string(),
        line: about.line(f),
        evidence: f.evidence.iter().filter(|e| !e.is_empty()).cloned().collect(),
        advice: f.advice.clone(),
        check: about.check(f),
        go: f.go,
        time: f.time,
        frame: frame(about.index, about.places, f),
        row: row(f),
        path,
        of_maps: f.view == View::Maps,
        markdown: text::lossy(&markdown).trim().to_owned(),
    }
}

/// A frame that stands at a finding's line.
fn frame(index: &Index, places: &Places, f: &Finding) -> FrameId {
    let Some(at) = places.get(f.at) else { return FrameId::NONE };
    let frames = (0u32..).map(FrameId).zip(index.dict.frames());
    frames.into_iter().find(|(_, f)| (f.func, f.line) == at).map_or(FrameId::NONE, |(id, _)| id)
}
