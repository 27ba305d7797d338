//! Tasks or regions of one name of which a few take very much longer than most; and what requests have in common with them.

use crate::analysis::findings::Rule;
use crate::analysis::findings::finding::command;
use crate::analysis::findings::slow::{ENOUGH, NOTICED, Spans, What, called};
use crate::analysis::findings::started::Did;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Ties, Verdict, View};
use crate::base::{Duration, text};
use crate::model::dict::shown_func;
use crate::model::places::PlaceId;
use std::cmp::Reverse;

pub(super) const RULE: Rule = Rule {
    name: "span-outliers",
    title: "SLOW TASKS",
    measures: "p99 over p50 of the lengths of tasks or regions of one name, from twenty on",
    look,
};

/// The slow ones cost at least this part of the trace before they are more than worth knowing, in percent.
const MUCH: f64 = 20.0;

/// Most names that are said: where every request is a name, thousands may be alike.
const MOST: usize = 8;

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let marked = |s: &Spans| s.what != What::Request;
    let names = f.more.spans.iter().filter(|s| marked(s)).count();
    if names == 0 {
        return Verdict::CannotTell(
            "tasks: there are no tasks or regions in this trace (runtime/trace.NewTask, WithRegion)".into(),
        );
    }
    let found = uneven(f, levels, &RULE, NOTICED, &marked);
    match found.is_empty() {
        true => Verdict::Fine(format!("tasks and regions: {names} names, none with few that are very much slower")),
        false => Verdict::Found(found),
    }
}

/// Those of the names for which `of` holds of which a few are very much slower, and p99 is at least `noticed`: a finding each
/// of `rule`.
pub(super) fn uneven(
    f: &Facts,
    levels: &Levels,
    rule: &Rule,
    noticed: Duration,
    of: &dyn Fn(&Spans) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (i, s) in f.more.spans.iter().enumerate().filter(|(_, s)| s.count >= ENOUGH && of(s)) {
        let Some(slowest) = s.slowest.first() else { continue };
        let (p50, p99) = (s.p50(), s.p99());
        let times = p99.ns() as f64 / p50.ns().max(1) as f64;
        let more = s.excess();
        let Some(severity) = levels.of(times).filter(|_| p99 >= noticed) else { continue };
        // A wide spread of what takes little matters little.
        let severity = if f.percent(more) < MUCH { severity.min(Severity::Info) } else { severity };
        let name = f.index.dict.str(s.name);
        let word = match s.what {
            What::Task => "tasks",
            What::Region => "regions",
            What::Request => "requests",
        };
        let (mut lose, at) = lose(f, s);
        if let (Some(first), Some(started)) = (lose.first_mut(), started(f, s)) {
            first.push_str(&started);
        }
        found.push(Finding {
            rule: rule.name,
            title: rule.title,
            severity,
            measure: times,
            says: format!(
                "{}: p99 {p99}, p50 {p50}{}",
                called(f, s),
                lose.first().map_or(String::new(), |l| format!("; {l}"))
            ),
            cost: Cost { time: more, of: "more than at p50" },
            at,
            time: Some(slowest.from),
            go: slowest.go,
            view: View::Tasks,
            evidence: vec![
                format!("{} {word}, the slowest took {}", text::count(s.count), slowest.len()),
                format!("all of them together took {more} longer than they would have at p50"),
                lose.get(1..).map_or(String::new(), |more| more.join("; ")),
            ],
            advice: "Look at the critical path of the slowest one, and compare it with that of a usual one.".into(),
            check: match s.what {
                What::Task => format!("why FILE --task '#{}'", slowest.task),
                What::Region if name.is_empty() => "summary FILE".into(),
                What::Region => command(&["why", "FILE", "--region", name]),
                What::Request if name.is_empty() => "spans FILE --slow".into(),
                What::Request => command(&["why", "FILE", "--slow", "--span", &shown_func(name)]),
            },
            ties: Ties { spans: Some(i), ..Ties::default() },
        });
    }
    let all = found.len();
    if all > MOST {
        found.sort_by_key(|x: &Finding| std::cmp::Reverse((x.severity, x.cost.time)));
        found.truncate(MOST);
    }
    if let Some(last) = found.last_mut().filter(|_| all > MOST) {
        last.evidence.push(format!("{} more names are like that", text::count((all - MOST) as u64)));
    }
    found
}

/// What the slowest lose their time to, the most first, a few words each and safe to show; and the line of the first, if it
/// is the most by far.
fn lose(f: &Facts, s: &Spans) -> (Vec<String>, PlaceId) {
    let whole: i64 = s.paths().map(|s| s.len.ns()).sum();
    let mut sums: Vec<(&str, PlaceId, Duration)> = Vec::new();
    for (what, at, len) in s.paths().flat_map(|s| &s.own) {
        match sums.iter_mut().find(|o| (o.0, o.1) == (what.as_str(), *at)) {
            Some(o) => o.2 += *len,
            None => sums.push((what, *at, *len)),
        }
    }
    sums.sort_by(|a, b| (b.2, a.0, a.1).cmp(&(a.2, b.0, b.1)));
    let percent = |d: Duration| d.ns() as f64 * 100.0 / whole.max(1) as f64;
    let words = |(what, at, len): &(&str, PlaceId, Duration)| {
        let at = if *at == PlaceId::NONE { String::new() } else { format!(" at {}", f.line(*at)) };
        format!("{:.1} % of the slowest is {}{at}", percent(*len), text::escape(what))
    };
    let much = sums.iter().take(3).filter(|s| percent(s.2) >= 10.0);
    let at = sums.first().filter(|s| percent(s.2) >= 50.0).map_or(PlaceId::NONE, |s| s.1);
    (much.map(words).collect(), at)
}

/// What goroutines that the slowest started did while those waited in vain, in words and safe to show.
fn started(f: &Facts, s: &Spans) -> Option<String> {
    let mut sums: Vec<(&Did, Duration)> = Vec::new();
    let mut whole = 0i64;
    for d in s.paths().flat_map(|s| &s.started) {
        whole = whole.saturating_add(d.len.ns());
        match sums.iter_mut().find(|o| (o.0.group, &o.0.what, o.0.at) == (d.group, &d.what, d.at)) {
            Some(o) => o.1 += d.len,
            None => sums.push((d, d.len)),
        }
    }
    let (most, len) = sums.into_iter().max_by_key(|(d, len)| (*len, Reverse((&d.what, d.at))))?;
    let percent = len.ns() as f64 * 100.0 / whole.max(1) as f64;
    let at = if most.at == PlaceId::NONE { String::new() } else { format!(" at {}", f.line(most.at)) };
    let (group, what) = (f.group(most.group), text::escape(&most.what));
    Some(format!("; {group}, which it started, spent {percent:.1} % of that time in {what}{at}"))
}
