use super::*;
use crate::base::Duration;

fn key(what: What, name: &str, line: u32, measure: Measure) -> Key {
    Key { what, name: name.into(), line, reason: String::new(), measure }
}

/// Ten seconds in which a line was on CPU for so many nanoseconds a slice, a little more and less in turn, and a task took
/// as long as that.
fn facts(func: &str, line: u32, each: f64) -> Facts {
    let wobble = |i: usize| each * (1.0 + 0.02 * ((i * 7 % 5) as f64 - 2.0));
    let task = key(What::Task, "payment", 0, Measure::Length);
    let slices: Vec<f64> = (0..100).map(wobble).collect();
    Facts {
        length: Duration(10_000_000_000),
        slices: 100,
        counts: [(task.clone(), 100)].into(),
        lengths: [(task, slices.iter().zip(0..).map(|(x, i)| (i, *x)).collect())].into(),
        totals: [(key(What::Line, func, line, Measure::OnCpu), slices)].into(),
        samples: true,
        ..Facts::default()
    }
}

fn compared(a: Facts, b: Facts) -> Diff {
    diff(&[a], &[b], &Options { per: Per::Wall, ..Options::default() }).unwrap()
}

fn verdicts(d: &Diff) -> Vec<(What, Verdict)> {
    d.rows.iter().filter(|r| r.key.measure != Measure::Tail).map(|r| (r.key.what, r.verdict)).collect()
}

#[test]
fn a_line_that_takes_longer_comes_first() {
    let d = compared(facts("f", 7, 1e7), facts("f", 7, 1.3e7));
    assert_eq!(verdicts(&d), [(What::Line, Verdict::Worse), (What::Task, Verdict::Worse)]);
    let (line, task) = (&d.rows[0], &d.rows[1]);
    assert!((line.ratio().unwrap() - 0.3).abs() < 0.01 && (line.change - 3e7).abs() < 1e5);
    let (low, high) = task.interval.unwrap();
    assert!(low < 3e6 && 3e6 < high && (task.change - 3e6).abs() < 2e5, "{low} {} {high}", task.change);
    let back = compared(facts("f", 7, 1.3e7), facts("f", 7, 1e7));
    assert_eq!(verdicts(&back), [(What::Line, Verdict::Better), (What::Task, Verdict::Better)]);
}

#[test]
fn what_is_alike_or_small_is_unchanged() {
    assert!(compared(facts("f", 7, 1e7), facts("f", 7, 1.04e7)).rows.iter().all(|r| r.verdict == Verdict::Unchanged));
    // Less than 0.1 % of wall is not even tested.
    let small = compared(facts("f", 7, 2e4), facts("f", 7, 4e4));
    assert_eq!((small.tested, small.rows[0].verdict), (0, Verdict::Unchanged));
}

#[test]
fn a_function_that_has_moved_is_the_same() {
    let d = compared(facts("f", 7, 1e7), facts("f", 19, 1e7));
    assert_eq!(verdicts(&d), [(What::Line, Verdict::Unchanged), (What::Task, Verdict::Unchanged)]);
    let d = compared(facts("f", 7, 1e7), facts("f", 19, 2e7));
    assert_eq!((d.rows[0].verdict, d.rows[0].line_a, d.rows[0].key.line), (Verdict::Worse, 7, 19));
}

#[test]
fn a_function_with_a_new_line_has_not_moved() {
    let with = |lines: &[(u32, f64)]| {
        let mut f = facts("f", 7, 1e7);
        let totals = |l: &(u32, f64)| facts("f", l.0, l.1).totals;
        f.totals = lines.iter().flat_map(totals).collect();
        f
    };
    // The new line takes far more than what the old one takes now.
    let d = compared(with(&[(7, 1e7)]), with(&[(7, 4e6), (12, 2e7)]));
    let lines: Vec<_> = d.rows.iter().filter(|r| r.key.what == What::Line).map(|r| (r.key.line, r.verdict)).collect();
    assert_eq!(lines, [(12, Verdict::OnlyB), (7, Verdict::Better)]);
}

/// The same, with as many payments in each slice as `each` says, and so many nanoseconds a slice in the line.
fn paid(each: impl Fn(usize) -> usize, line: impl Fn(usize) -> f64) -> Facts {
    let mut f = facts("f", 7, 1e7);
    f.totals.values_mut().for_each(|t| *t = (0..100).map(&line).collect());
    let all: Vec<(u32, f64)> = (0..100).flat_map(|i| vec![(i as u32, 1e6); each(i)]).collect();
    f.counts.values_mut().for_each(|n| *n = all.len() as u64);
    f.lengths.values_mut().for_each(|l| l.clone_from(&all));
    f
}

#[test]
fn more_of_what_there_was_more_work_for_is_by_load() {
    let few = |i: usize| 10 + i * 7 % 3;
    let many = |i: usize| 20 + i * 7 % 5;
    let of = |n: usize| 2e6 * n as f64;
    let d = diff(&[paid(few, |i| of(few(i)))], &[paid(many, |i| of(many(i)))], &Options::default()).unwrap();
    let line = d.rows.iter().find(|r| r.key.what == What::Line).unwrap();
    assert_eq!((line.verdict, d.work[0].rate_by_chance), (Verdict::ByLoad, false));
    assert!((line.change - (220e6 - 110e6) * 2.0).abs() < 2e6, "nanoseconds a second: {}", line.change);
    assert!(
        line.ratio().unwrap() > 0.9
            && d.rows.iter().all(|r| r.key.what == What::Line || r.verdict == Verdict::Unchanged)
    );
    // Without more work more of it is no matter of load.
    let d = diff(&[paid(few, |i| of(few(i)))], &[paid(few, |i| of(many(i)))], &Options::default()).unwrap();
    assert_eq!((d.rows[0].verdict, d.work[0].rate_by_chance), (Verdict::Worse, true));
}

#[test]
fn work_that_comes_in_waves_is_no_change_of_what_goes_on_anyway() {
    // Something runs for 50 ms of each slice. One recording has more of the waves than the other.
    let waves = |long: usize| move |i: usize| if i % 20 < long { 30 } else { 4 };
    let sides =
        |a: usize, b: usize| diff(&[paid(waves(a), |_| 5e7)], &[paid(waves(b), |_| 5e7)], &Options::default()).unwrap();
    let d = sides(9, 7);
    let line = d.rows.iter().find(|r| r.key.what == What::Line).unwrap();
    assert!(line.ratio().unwrap() > 0.15, "a payment it is more: {:?}", line.ratio());
    assert_eq!((line.verdict, d.work[0].rate_by_chance), (Verdict::Unchanged, true));
}

#[test]
fn who_waits_all_the_time_waits_no_longer_for_it() {
    let blocked = |n: usize, ms: f64| {
        let mut f = paid(move |i| n + i % 2, |_| ms * 1e6);
        f.totals = f.totals.into_iter().map(|(k, v)| (Key { measure: Measure::Blocked, ..k }, v)).collect();
        f
    };
    let of = |a: Facts, b: Facts| {
        let d = diff(&[a], &[b], &Options::default()).unwrap();
        d.rows.iter().find(|r| r.key.what == What::Line).unwrap().verdict
    };
    assert_eq!(of(blocked(20, 100.0), blocked(10, 100.0)), Verdict::Unchanged, "twice as long a payment");
    assert_eq!(of(blocked(20, 40.0), blocked(10, 60.0)), Verdict::Worse);
}

#[test]
fn what_is_on_one_side_only_is_said_to_be() {
    let d = compared(facts("old", 7, 1e7), facts("new", 7, 1e7));
    let lines: Vec<_> = d.rows.iter().filter(|r| r.key.what == What::Line).map(|r| (&*r.key.name, r.verdict)).collect();
    assert_eq!(lines, [("new", Verdict::OnlyB), ("old", Verdict::OnlyA)]);
}

#[test]
fn of_a_unit_of_work_twice_as_much_of_both_is_no_change() {
    let mut b = facts("f", 7, 2e7);
    b.counts.values_mut().for_each(|n| *n = 200);
    let opts = Options { per: Per::Named("payment".into()), ..Options::default() };
    let d = diff(&[facts("f", 7, 1e7)], &[b], &opts).unwrap();
    let line = d.rows.iter().find(|r| r.key.what == What::Line).unwrap();
    assert_eq!((line.verdict, d.per.clone().unwrap().rate.0), (Verdict::ByLoad, 10.0));
    assert!(
        diff(&[facts("f", 7, 1.0)], &[facts("f", 7, 1.0)], &Options { per: Per::Named("x".into()), ..opts }).is_err()
    );
}

#[test]
fn where_nobody_says_times_are_per_unit_of_what_both_sides_do() {
    let mut b = facts("f", 7, 2e7);
    b.counts.values_mut().for_each(|n| *n = 200);
    let d = diff(&[facts("f", 7, 1e7)], &[b.clone()], &Options::default()).unwrap();
    assert_eq!(d.per.as_ref().map(|w| (w.name.as_str(), w.rate)), Some(("payment", (10.0, 20.0))));
    assert!(d.rows.iter().any(|r| r.key.what == What::Line && r.verdict == Verdict::ByLoad));
    // Requests come before tasks, and all handlers are one.
    let served = |mut f: Facts, n: u64| {
        for name in ["main.pay", "main.list"] {
            let span = Key { reason: "http.server".into(), ..key(What::Span, name, 0, Measure::Length) };
            f.counts.insert(span.clone(), n);
            f.lengths.insert(span, vec![(0, 1e6); 20]);
        }
        f
    };
    let d = diff(&[served(facts("f", 7, 1e7), 15)], &[served(b.clone(), 30)], &Options::default()).unwrap();
    assert_eq!(d.per.as_ref().map(|w| (w.name.as_str(), w.rate)), Some(("request", (3.0, 6.0))));
    assert_eq!(d.work.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["request", "payment"]);
    // A few are no measure of anything.
    let d = diff(&[served(facts("f", 7, 1e7), 9)], &[served(b, 30)], &Options::default()).unwrap();
    assert_eq!(d.per.as_ref().map(|w| w.name.as_str()), Some("payment"));
}

/// Ten seconds in which tasks took some 2 ms, and in every tenth slice five of ten took 40 ms, or as long as `tail` says.
fn with_tail(tail: f64) -> Facts {
    let task = key(What::Task, "checkout", 0, Measure::Length);
    let each = |i: usize| {
        let ms = if i / 10 % 10 == 3 && i % 10 < 5 { tail } else { 2.0 };
        ((i / 10) as u32, ms * 1e6 * (1.0 + 0.01 * (i * 7 % 5) as f64))
    };
    Facts {
        length: Duration(10_000_000_000),
        slices: 100,
        counts: [(task.clone(), 1000)].into(),
        lengths: [(task, (0..1000).map(each).collect())].into(),
        ..Facts::default()
    }
}

#[test]
fn a_tail_that_is_gone_is_better_though_the_median_stays() {
    let d = compared(with_tail(40.0), with_tail(2.0));
    let found: Vec<_> = d.rows.iter().filter(|r| r.verdict != Verdict::Unchanged).collect();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].key.measure, found[0].verdict), (Measure::Tail, Verdict::Better));
    assert!(found[0].change < -37e6 && found[0].ratio().unwrap() < -0.9);
    assert!(compared(with_tail(40.0), with_tail(40.0)).rows.iter().all(|r| r.verdict == Verdict::Unchanged));
    // Where the median has changed as well, both are said of tasks, and the median alone of waits.
    let changed = |what: What| {
        let as_what = |mut f: Facts| {
            let of = |k: Key| Key { what, ..k };
            f.counts = f.counts.into_iter().map(|(k, n)| (of(k), n)).collect();
            f.lengths = f.lengths.into_iter().map(|(k, l)| (of(k), l)).collect();
            f
        };
        let mut slow = with_tail(2.0);
        slow.lengths.values_mut().flatten().for_each(|x| x.1 *= 2.0);
        let d = compared(as_what(with_tail(2.0)), as_what(slow));
        d.rows.iter().filter(|r| r.verdict != Verdict::Unchanged).map(|r| r.key.measure).collect::<Vec<_>>()
    };
    let tasks = changed(What::Task);
    assert!(tasks.len() == 2 && tasks.contains(&Measure::Length) && tasks.contains(&Measure::Tail), "{tasks:?}");
    assert_eq!(changed(What::Wait), [Measure::Length]);
}

#[test]
fn what_was_once_is_no_habit() {
    // Twelve connections at the start of each side, slower in B.
    let dialled = |ms: f64| {
        let mut f = facts("f", 7, 1e7);
        let wait = Key { reason: "HTTP dial".into(), ..key(What::Wait, "dial", 9, Measure::Length) };
        f.counts.insert(wait.clone(), 12);
        f.lengths.insert(wait, (0..12).map(|i| (0, ms * 1e6 * (1.0 + 0.01 * f64::from(i)))).collect());
        f
    };
    assert!(compared(dialled(1.0), dialled(9.0)).rows.iter().all(|r| r.verdict == Verdict::Unchanged));
}
