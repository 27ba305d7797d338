//! Calls into C, which cost something each, and a thread as long as they last.

use super::calls::{VIEW, calls};
use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::{command, of_group};
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict};
use crate::base::text;

pub(super) const RULE: Rule =
    Rule { name: "cgo-calls", title: "MANY CALLS INTO C", measures: "calls into C a second at one line", look };

/// A few in a trace of milliseconds are not many.
const MANY: u64 = 2000;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let all = calls(f, |name| name == "in C (cgo)");
    let mut found = Vec::new();
    for c in &all {
        let rate = c.count as f64 / f.seconds();
        let Some(severity) = levels.of(rate).filter(|_| c.count >= MANY) else { continue };
        let (go, time) = c.instant();
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: rate,
            says: format!("{} calls C {} times a second", f.group(c.group), text::count(rate as u64)),
            cost: Cost { time: c.total, of: "in C" },
            at: c.at,
            time,
            go,
            view: VIEW,
            evidence: vec![format!(
                "{} calls at {}, {} on average; each enters and leaves like a syscall",
                text::count(c.count),
                f.line(c.at),
                c.mean()
            )],
            advice: "Hand over more with each call, or do in Go what takes C less than a microsecond.".into(),
            check: command(&["waits", "FILE", "-f", &of_group(f.index.group_name(c.group))]),
            ties: Default::default(),
        });
    }
    if found.is_empty() {
        let n: u64 = all.iter().map(|c| c.count).sum();
        return Verdict::Fine(format!("C: {} calls", text::count(n)));
    }
    Verdict::Found(found)
}
