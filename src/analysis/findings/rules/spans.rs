//! Tasks or regions of one name of which a few take very much longer than most.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Verdict, View};
use crate::analysis::tasks::What;
use crate::base::{Duration, text};
use crate::model::dict::NOT_KNOWN;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule = Rule {
    name: "span-outliers",
    title: "SLOW TASKS",
    measures: "p99 over p50 of the lengths of tasks or regions of one name, from twenty on",
    look,
};

/// Fewer have no p99.
const ENOUGH: u64 = 20;
/// The slow ones cost at least this part of the trace before they are more than worth knowing, in percent.
const MUCH: f64 = 20.0;
/// What is over sooner than this nobody waits for.
const NOTICED: Duration = Duration(1_000_000);

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let spans = &f.more.spans;
    if spans.is_empty() {
        return Verdict::CannotTell(
            "tasks: there are no tasks or regions in this trace (runtime/trace.NewTask, WithRegion)".into(),
        );
    }
    let mut found = Vec::new();
    for s in spans.iter().filter(|s| s.count >= ENOUGH) {
        let (p50, p99) = (s.lengths.quantile(0.5), s.lengths.quantile(0.99).min(s.slowest.len()));
        let times = p99.ns() as f64 / p50.ns().max(1) as f64;
        let more = Duration(s.total.ns().saturating_sub(p50.ns().saturating_mul(s.count as i64)).max(0));
        let Some(severity) = levels.of(times).filter(|_| p99 >= NOTICED) else { continue };
        // A wide spread of what takes little matters little.
        let severity = if f.percent(more) < MUCH { severity.min(Severity::Info) } else { severity };
        let name = f.index.dict.str(s.name);
        let shown = if name.is_empty() { NOT_KNOWN.into() } else { text::escape(name) };
        let (what, word) = match s.what {
            What::Task => ("task", "tasks"),
            What::Region => ("region", "regions"),
        };
        found.push(Finding {
            rule: RULE.name,
            title: RULE.title,
            severity,
            measure: times,
            says: format!("{what} {shown}: p99 {p99}, p50 {p50}"),
            cost: Cost { time: more, of: "more than at p50" },
            at: PlaceId::NONE,
            time: Some(s.slowest.from),
            go: s.slowest.go,
            view: View::Tasks,
            evidence: vec![
                format!("{} {word}, the slowest took {}", text::count(s.count), s.slowest.len()),
                format!("all of them together took {more} longer than they would have at p50"),
            ],
            advice: "Look at the critical path of the slowest one, and compare it with that of a usual one.".into(),
            check: match s.what {
                What::Task => format!("why FILE --task {}", s.slowest.task),
                What::Region if name.is_empty() => "summary FILE".into(),
                What::Region => format!("why FILE --region '{shown}'"),
            },
            covers: Vec::new(),
        });
    }
    match found.is_empty() {
        true => {
            Verdict::Fine(format!("tasks and regions: {} names, none with few that are very much slower", spans.len()))
        }
        false => Verdict::Found(found),
    }
}
