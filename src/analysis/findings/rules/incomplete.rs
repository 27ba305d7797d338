//! The trace does not have all that happened.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, GoIdx, text};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "trace-incomplete",
    title: "TRACE INCOMPLETE",
    measures: "sentences about what could not be read",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let losses: Vec<&str> = f.index.lost().collect();
    let Some(severity) = levels.of(losses.len() as f64) else {
        return Verdict::Fine("trace: all of it was read".into());
    };
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: losses.len() as f64,
        says: "part of the trace could not be read".into(),
        cost: Cost { time: Duration::ZERO, of: "lost" },
        at: PlaceId::NONE,
        time: None,
        go: GoIdx::NONE,
        view: View::Timeline,
        evidence: losses.iter().take(5).map(|l| text::escape(l).into_owned()).collect(),
        advice:
            "What is said here holds for the part that was read. Was trace.Stop called, and was the file copied whole?"
                .into(),
        check: "summary FILE".into(),
        ties: Default::default(),
    }])
}
