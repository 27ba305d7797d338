//! A report as a finding, among those that the rules of a trace make.

use super::Report;
use crate::analysis::findings::{Cost, Finding, Severity, View};
use crate::base::{Duration, GoIdx};
use crate::model::Index;
use crate::model::dict::{shown_func, shown_line};
use crate::model::places::{PlaceId, Places};

impl Report {
    /// The report as a finding. `evidence` is what it says, a line each, safe to show. `None` if it names nobody.
    pub fn finding(&self, index: &Index, places: &Places, evidence: Vec<String>) -> Option<Finding> {
        let first = self.sides.first()?;
        let at = first.at()?;
        let place = (0..places.len() as u32)
            .map(PlaceId)
            .find(|p| places.get(*p).is_some_and(|(f, line)| line == at.line && index.dict.func_name(f) == at.func));
        let both = self.sides.iter().filter_map(|s| s.candidates.first()).collect::<Vec<_>>();
        let what = if self.fatal.is_some() { "a map" } else { "memory" };
        Some(Finding {
            rule: "data-race",
            title: "DATA RACE",
            severity: Severity::Critical,
            measure: 1.0,
            says: format!(
                "{} uses {what} that another goroutine uses at the same time, at {}",
                shown_func(&at.func),
                shown_line(&at.file, at.line)
            ),
            cost: Cost { time: Duration::ZERO, of: "wrong results" },
            at: place.unwrap_or(PlaceId::NONE),
            // From then on both were there.
            time: both.iter().map(|c| c.from).max(),
            go: both.first().map_or(GoIdx::NONE, |c| c.go),
            view: if self.fatal.is_some() { View::Maps } else { View::Timeline },
            evidence,
            advice: match self.fatal {
                Some(_) => "Guard the map with a mutex, or give each goroutine its own.",
                None => "Guard both places with one mutex, or hand the data on through a channel.",
            }
            .into(),
            check: format!("races FILE {}", self.file.0),
            ties: Default::default(),
        })
    }
}
