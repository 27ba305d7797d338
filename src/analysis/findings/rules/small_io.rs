//! Reads and writes that are so many and so short that each can have moved little.

use super::calls::{VIEW, calls, life};
use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::command;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Ties, Verdict};
use crate::base::{Duration, text};

pub(super) const RULE: Rule = Rule {
    name: "small-reads",
    title: "MANY SMALL READS OR WRITES",
    measures: "reads or writes a second of one goroutine's life at one line, if they take less than 20 µs on average",
    look,
};

/// A few in a trace of milliseconds are not many.
const MANY: u64 = 2000;
/// What takes longer does not return at once with what is there.
const SHORT: Duration = Duration(20_000);

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let is = |name: &str| {
        let name = name.strip_prefix("syscall ").unwrap_or("");
        ["read", "write", "recv", "send"].iter().any(|w| name.starts_with(w)) && name != "sendfile"
    };
    let all = calls(f, is);
    let mut found = Vec::new();
    let mut most = 0.0f64;
    for c in &all {
        let rate = c.count as f64 / life(f, c.group).as_secs_f64().max(1e-9);
        most = most.max(rate);
        let Some(severity) = levels.of(rate).filter(|_| c.count >= MANY && c.mean() < SHORT) else { continue };
        let ((go, time), what) = (c.instant(), &c.what);
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: rate,
            says: format!(
                "each goroutine of {} calls {what} {} times a second",
                f.group(c.group),
                text::count(rate as u64)
            ),
            cost: Cost { time: c.total, of: "in syscalls" },
            at: c.at,
            time,
            go,
            view: VIEW,
            evidence: vec![format!(
                "{} calls of {what} at {}, {} on average; how many bytes each moved is not in the trace",
                text::count(c.count),
                f.line(c.at),
                c.mean()
            )],
            advice: "Put a bufio.Reader or bufio.Writer around the connection or file, or use a larger buffer.".into(),
            check: command(&["waits", "FILE", "-f", &format!("reason:{what}")]),
            ties: Ties { waits: vec![c.at], ..Ties::default() },
        });
    }
    if found.is_empty() {
        return Verdict::Fine(format!(
            "reads and writes: at most {} a second by one goroutine",
            text::count(most as u64)
        ));
    }
    Verdict::Found(found)
}
