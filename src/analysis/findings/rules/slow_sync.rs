//! Goroutines that wait for the disk, or for a lock on a file, in a syscall.

use super::calls::{VIEW, calls};
use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::command;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Ties, Verdict};
use crate::base::{Duration, text};

pub(super) const RULE: Rule = Rule {
    name: "slow-sync",
    title: "SLOW FSYNC OR FLOCK",
    measures: "goroutines that are in fsync, flock or fcntl at one line, on average over the trace, if a call takes 1 ms on average",
    look,
};

/// Calls that are faster than this on average are not slow.
const SLOW: Duration = Duration(1_000_000);

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let all = calls(f, |name| matches!(name, "syscall fsync" | "syscall flock" | "syscall fcntl"));
    let mut found = Vec::new();
    for c in &all {
        let inside = c.total.as_secs_f64() / f.seconds();
        let Some(severity) = levels.of(inside).filter(|_| c.mean() >= SLOW) else { continue };
        let ((go, time), what) = (c.instant(), &c.what);
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: inside,
            says: format!("{inside:.1} goroutines of {} are in {what} on average", f.group(c.group)),
            cost: Cost { time: c.total, of: "in syscalls" },
            at: c.at,
            time,
            go,
            view: VIEW,
            evidence: vec![format!(
                "{} calls of {what} at {}, {} on average, the longest {}; each holds a thread meanwhile",
                text::count(c.count),
                f.line(c.at),
                c.mean(),
                c.longest.max
            )],
            advice: match what.as_str() {
                "fsync" => "Sync once for many writes (group commit), or from one goroutine that others wait for on a channel.",
                _ => "Another process or goroutine holds the file's lock: hold it for less, or take it once for several pieces of work.",
            }
            .to_owned(),
            check: command(&["waits", "FILE", "-f", &format!("reason:{what}")]),
            ties: Ties { waits: vec![c.at], ..Ties::default() },
        });
    }
    if found.is_empty() {
        let total: Duration = all.iter().map(|c| c.total).sum();
        return Verdict::Fine(format!("fsync and flock: {total} in them"));
    }
    Verdict::Found(found)
}
