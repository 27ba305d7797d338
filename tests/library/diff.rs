//! What holds of every comparison, whatever is compared; and what one must find in recordings of a known change.

use crate::common::{data, load, sample};
use gotrail::analysis::diff::{Diff, Facts, Measure, Options, Per, Row, Verdict, What, diff};
use std::path::PathBuf;

fn traces() -> Vec<(PathBuf, Facts)> {
    let names = ["pool", "crew", "slowlock", "chain", "requests-go1.24", "restart"];
    let small = names.map(|n| data(&format!("{n}.trace")));
    let change = ["before", "spin", "sleep"].map(|n| data(&format!("change/{n}.trace.gz")));
    let all = small.into_iter().chain(change).chain(["trace.out", "fixed-trace.out"].map(sample));
    all.map(|p| (p.clone(), Facts::of(&load(p)).unwrap())).collect()
}

fn compared(a: &Facts, b: &Facts, per: Per) -> Diff {
    diff(std::slice::from_ref(a), std::slice::from_ref(b), &Options { per, ..Options::default() }).unwrap()
}

fn found(d: &Diff) -> impl Iterator<Item = &Row> {
    d.rows.iter().filter(|r| r.verdict != Verdict::Unchanged)
}

#[test]
fn identical_traces_do_not_differ() {
    for (path, f) in traces() {
        for per in [Per::Auto, Per::Wall] {
            let d = compared(&f, &f, per);
            assert_eq!(found(&d).count(), 0, "{}: {:?}", path.display(), found(&d).next());
            assert!(d.rows.iter().all(|r| r.change == 0.0 && r.cost == 0.0), "{}", path.display());
            assert!(d.work.iter().all(|w| w.rate_by_chance && w.p99_by_chance), "{}", path.display());
        }
    }
}

#[test]
fn from_b_to_a_is_the_mirror_of_from_a_to_b() {
    let all = traces();
    let mut rows = 0;
    for (i, (path, a)) in all.iter().enumerate() {
        for (other, b) in &all[i + 1..] {
            let (there, back) = (compared(a, b, Per::Auto), compared(b, a, Per::Auto));
            assert_eq!(there.per.as_ref().map(|w| &w.name), back.per.as_ref().map(|w| &w.name));
            let mirrored = |r: &Row| match r.verdict {
                Verdict::Worse => Verdict::Better,
                Verdict::Better => Verdict::Worse,
                Verdict::OnlyA => Verdict::OnlyB,
                Verdict::OnlyB => Verdict::OnlyA,
                same => same,
            };
            let key = |r: &Row| (r.key.what, r.key.name.clone(), r.key.reason.clone(), r.key.measure);
            let mut x: Vec<_> = found(&there).map(|r| (key(r), r.key.line.min(r.line_a), mirrored(r), r)).collect();
            let mut y: Vec<_> = found(&back).map(|r| (key(r), r.key.line.min(r.line_a), r.verdict, r)).collect();
            x.sort_by(|r, s| (&r.0, r.1).cmp(&(&s.0, s.1)));
            y.sort_by(|r, s| (&r.0, r.1).cmp(&(&s.0, s.1)));
            let pair = format!("{} and {}", path.display(), other.display());
            let said = |x: &[((_, String, _, _), u32, Verdict, &Row)]| {
                x.iter().map(|r| format!("{:?} {}:{} {:?}", r.0.0, r.0.1, r.1, r.2)).collect::<Vec<_>>()
            };
            assert_eq!(said(&x), said(&y), "{pair}");
            for (r, s) in x.iter().zip(&y) {
                assert!((r.3.change + s.3.change).abs() <= 1e-6 * r.3.change.abs(), "{pair}: {:?} {:?}", r.3, s.3);
                assert!((r.3.p - s.3.p).abs() < 1e-9, "{pair}: {:?} {:?}", r.3, s.3);
            }
            rows += x.len();
        }
    }
    assert!(rows > 15, "only {rows} rows differ");
}

#[test]
fn a_delay_in_one_function_comes_first() {
    // `tests/data/README.md`: 200 µs more in `main.price` in each of some 300 orders a second.
    let read = |name: &str| Facts::of(&load(data(&format!("change/{name}.trace.gz")))).unwrap();
    let before = read("before");
    for (name, line, measure) in [("spin", 88, Measure::OnCpu), ("sleep", 92, Measure::Blocked)] {
        for per in [Per::Auto, Per::Wall] {
            let after = read(name);
            let d = compared(&before, &after, per.clone());
            let first = &d.rows[0];
            let said = (first.verdict, first.key.what, first.key.name.as_str(), first.key.line, first.key.measure);
            assert_eq!(said, (Verdict::OnlyB, What::Line, "main.price", line, measure), "{name} {per:?}");
            let order = d.rows.iter().find(|r| r.key.what == What::Task && r.key.measure == Measure::Length).unwrap();
            assert!(order.verdict == Verdict::Worse && order.change > 150e3, "{name}: {order:?}");
            // The way back it is the first of what is better.
            let back = &compared(&after, &before, per).rows[0];
            assert_eq!((back.verdict, back.key.name.as_str(), back.key.line), (Verdict::OnlyA, "main.price", line));
        }
    }
}
