//! In which order rows stand: those that cost most first, whatever they are, and a cause before what follows from it.

use super::{Facts, Measure, Row, Verdict, What};
use std::collections::BTreeMap;

/// How many times as much a line counts that runs or sleeps. What is slower because of it is so by as much and by what waits
/// in turn: for a P, for a lock, behind others. A line that is slower by far less than its task does not explain it.
const CAUSE: f64 = 4.0;
/// The same of a line that waits for others: it is in a task or a span that is longer by as much and a little more.
const WAIT: f64 = 1.25;
/// The same of who waits for a P: that is because of what runs.
const FOR_A_P: f64 = 0.25;

/// Where a row is blocked: the function and its line.
type Place<'a> = (&'a str, u32);

/// How long was slept at each place, and how long was waited there in all, in nanoseconds.
type Slept<'a> = BTreeMap<Place<'a>, (f64, f64)>;

fn slept<'a>(sides: impl Iterator<Item = &'a Facts>) -> Slept<'a> {
    let mut out = Slept::new();
    let waits = sides.flat_map(|f| f.lengths.iter().map(|(k, all)| (k, all, f.sleeps.contains(&k.reason))));
    for (key, all, sleeps) in waits.filter(|(k, ..)| k.what == What::Wait) {
        let sum: f64 = all.iter().map(|x| x.1).sum();
        let place = out.entry((key.name.as_str(), key.line)).or_default();
        place.0 += if sleeps { sum } else { 0.0 };
        place.1 += sum;
    }
    out
}

/// How many times as much a row counts as it costs: lines that run or sleep are causes, and tasks, spans and groups are longer
/// because of what is in them.
fn weight(r: &Row, slept: &Slept) -> f64 {
    let asleep = || slept.get(&(r.key.name.as_str(), r.key.line)).is_some_and(|s| s.0 > s.1 / 2.0);
    match (r.key.what, r.key.measure) {
        (_, Measure::Runnable) | (What::Latency, _) => FOR_A_P,
        (What::Line, Measure::OnCpu | Measure::Syscall) => CAUSE,
        (What::Line | What::Wait, _) if asleep() => CAUSE,
        (What::Line | What::Wait, _) => WAIT,
        _ => 1.0,
    }
}

/// Sorts rows: those that differ first.
pub(super) fn sort(rows: Vec<Row>, a: &[Facts], b: &[Facts]) -> Vec<Row> {
    let slept = slept(a.iter().chain(b));
    let size = |r: &Row| r.cost.abs() * weight(r, &slept);
    let mut all: Vec<(f64, Row)> = rows.into_iter().map(|r| (size(&r), r)).collect();
    all.sort_by(|(x, r), (y, s)| {
        let same = |r: &Row| (r.verdict == Verdict::Unchanged, r.verdict == Verdict::ByLoad);
        same(r).cmp(&same(s)).then(y.total_cmp(x)).then_with(|| r.key.cmp(&s.key))
    });
    all.into_iter().map(|x| x.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::diff::{Key, Side};

    fn row(what: What, name: &str, measure: Measure, cost: f64) -> Row {
        let reason = if what == What::Wait { "Mutex" } else { "" };
        Row {
            key: Key { what, name: name.into(), line: 0, reason: reason.into(), measure },
            line_a: 0,
            a: Side::default(),
            b: Side::default(),
            change: cost,
            interval: None,
            cost,
            p: 0.0,
            verdict: if cost == 0.0 { Verdict::Unchanged } else { Verdict::Worse },
        }
    }

    fn names(rows: Vec<Row>, a: &[Facts]) -> Vec<String> {
        sort(rows, a, &[]).into_iter().map(|r| r.key.name).collect()
    }

    #[test]
    fn a_cause_comes_before_what_follows_from_it() {
        let all = |line: f64| {
            vec![
                row(What::Latency, "runnable", Measure::Length, 8.0),
                row(What::Span, "span", Measure::Length, 5.0),
                row(What::Wait, "wait", Measure::Length, 4.5),
                row(What::Line, "line", Measure::OnCpu, line),
                row(What::Gc, "same", Measure::Active, 0.0),
            ]
        };
        assert_eq!(names(all(3.0), &[]), ["line", "wait", "span", "runnable", "same"], "some of it is in the line");
        assert_eq!(names(all(1.2), &[]), ["wait", "span", "line", "runnable", "same"], "a small part of it is");
    }

    #[test]
    fn who_sleeps_waits_for_nobody_else() {
        let rows =
            || vec![row(What::Line, "client", Measure::Blocked, 5.0), row(What::Line, "server", Measure::Blocked, 4.0)];
        assert_eq!(names(rows(), &[]), ["client", "server"]);
        let sleep = |name: &str, reason: &str| {
            let key = Key { reason: reason.into(), ..row(What::Wait, name, Measure::Length, 1.0).key };
            (key, vec![(0, 1e6)])
        };
        let lengths = [sleep("server", "sleep"), sleep("client", "HTTP read")].into();
        let f = Facts { lengths, sleeps: ["sleep".to_owned()].into(), ..Facts::default() };
        assert_eq!(names(rows(), &[f]), ["server", "client"]);
    }
}
