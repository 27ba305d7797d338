//! A writer waits for readers, and further readers wait behind the writer.

use super::queues::{Cause, finding, fine, mean, suffering};
use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Verdict};
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "writer-behind-readers",
    title: "RWMUTEX WRITER BEHIND READERS",
    measures: "goroutines that are blocked at an RWMutex while readers hold it, on average over the trace",
    look,
};

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let mut found = Vec::new();
    for c in suffering(f, Cause::WriterBehindReaders) {
        let Some(severity) = levels.of(mean(f, c)) else { continue };
        let at = c.blame.first().map_or(PlaceId::NONE, |b| b.at);
        let says = format!("{:.1} goroutines are blocked while readers hold the RWMutex", mean(f, c));
        let advice = "Readers that take long block a writer, and that blocks all further readers: copy what is needed under the lock and work on it outside.";
        found.push(finding(f, &RULE, severity, c, (at, says, advice)));
    }
    if found.is_empty() {
        fine(
            f,
            Cause::WriterBehindReaders,
            levels,
            ("RWMutex: behind readers, waits", "RWMutex: no delay is laid to readers before a writer"),
        )
    } else {
        Verdict::Found(found)
    }
}
