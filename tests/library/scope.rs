//! One range, everywhere: what the views and the commands count of any part of a trace agrees, to the nanosecond.

use crate::common;

use gotrail::analysis::cost::flame::{self, Weight};
use gotrail::analysis::tasks;
use gotrail::analysis::timeline::totals::{Totals, totals};
use gotrail::analysis::waits::contention::{Contention, What, contention, contention_in};
use gotrail::analysis::waits::links::{self, Options};
use gotrail::analysis::waits::path;
use gotrail::base::{Duration, GoIdx, GroupId, Time};
use gotrail::model::reasons::Class;
use gotrail::model::segment::Kind;
use gotrail::model::{Cell, Lane, Segment};
use gotrail::read::Trace;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static TRACES: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let names = ["convoy", "waits", "annotations", "leak", "network", "chain", "coroutine", "long"];
    let mut all = vec![common::load(common::sample("trace.out"))];
    all.extend(names.map(|n| common::load(common::data(&format!("{n}.trace")))));
    all
});

/// A range of a trace, by two shares of its length.
fn range(trace: &Trace, a: f64, b: f64) -> (Time, Time) {
    let index = trace.index();
    let at = |x: f64| Time(index.start.0 + (index.duration().ns() as f64 * x) as i64);
    (at(a.min(b)), at(a.max(b)))
}

fn within(range: (Time, Time)) -> Options<'static> {
    Options { from: range.0, to: range.1, filter: None }
}

fn cell(of: &Totals, lane: Lane) -> Cell {
    of.get(&lane).copied().unwrap_or_default()
}

/// What is said of locks and channels, added up over classes: blocked, by whom, what nobody is known to have caused, and
/// what holders did meanwhile.
type Said = BTreeMap<String, i64>;

fn said(c: &Contention) -> Said {
    let mut out = Said::new();
    let mut add = |key: String, d: Duration| {
        if d > Duration::ZERO {
            *out.entry(key).or_default() += d.ns();
        }
    };
    for x in &c.classes {
        add(format!("{:?} in total", x.what), x.total);
        add(format!("{:?} not released", x.what), x.unreleased);
        for b in &x.blame {
            add(format!("{:?} by {} at {:?} {:?}", x.what, b.who, b.at, b.how), b.delay);
            add(format!("{:?} held by {} at {:?} {:?}", x.what, b.who, b.at, b.how), b.held);
        }
        for m in &x.while_held {
            add(format!("{:?} meanwhile {:?} {} {:?}", x.what, m.state, m.reason, m.at), m.weight);
        }
        add(format!("{:?} busy", x.what), x.busy);
    }
    out
}

#[test]
fn the_range_of_the_whole_trace_says_what_the_whole_trace_says() {
    for trace in TRACES.iter() {
        let index = trace.index();
        let all = totals(trace, (Time::MIN, Time::MAX), &|_| true).unwrap();
        // Who blocked forever is as good as ended, as Go's own summary has it; a range is told of the wait.
        for (i, g) in index.goroutines.iter().enumerate().filter(|(_, g)| g.gone().is_none()) {
            let c = cell(&all, Lane::Go(GoIdx(i as u32)));
            let t = &g.times;
            let want = (t.running, t.runnable, t.waiting, t.syscall + t.syscall_blocked, (g.events, g.samples));
            let events = (u64::from(c.events), u64::from(c.samples));
            let got = (c.running, c.runnable, c.waiting, c.syscall, events);
            assert_eq!(got, want, "{} goroutine {}", trace.name(), g.id.0);
        }
        let (whole, part) = (contention(trace, None).unwrap(), contention_in(trace, None, (index.start, Time::MAX)));
        let part = part.unwrap();
        assert_eq!(whole.classes, part.classes, "{}", trace.name());
        assert_eq!((whole.unsaid, whole.window), (part.unsaid, part.window), "{}", trace.name());
        assert!(part.narrowed && !whole.narrowed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_and_commands_agree_on_any_range(which in 0..9usize, a in 0.0f64..1.0, b in 0.0f64..1.0) {
        let trace = &TRACES[which];
        let range = range(trace, a, b);
        let (opts, index) = (within(range), trace.index());
        let goroutines = totals(trace, range, &|_| true).unwrap();
        let waits = links::links(trace, opts).unwrap();
        let mut members: BTreeMap<GroupId, Cell> = BTreeMap::new();
        for (i, g) in index.goroutines.iter().enumerate() {
            members.entry(g.group).or_default().add(&cell(&goroutines, Lane::Go(GoIdx(i as u32))));
        }
        for (&group, members) in &members {
            // Goroutines, one by one and by group.
            let c = cell(&goroutines, Lane::Group(group));
            prop_assert_eq!(c, *members);
            // Waits.
            let of = waits.edges.iter().filter(|e| e.key.waiter == group);
            prop_assert_eq!(of.map(|e| e.total).sum::<Duration>(), c.waiting + c.syscall);
            // Stacks.
            let off = flame::stacks(trace, Weight::OffCpu, Some(group), opts).unwrap();
            let off: u64 = off.iter().map(|s| s.weight).sum();
            prop_assert_eq!(off as i64, (c.waiting + c.syscall + c.runnable).ns());
        }
        // Samples: of the events of the range, those.
        let samples = |seg: &Segment| {
            seg.between(range.0, range.1).filter(|&i| seg.kind[i] == Kind::CpuSample && seg.go[i].is_some()).count()
        };
        let events: usize =
            index.segments_between(range.0, range.1).map(|i| samples(&trace.segment(i).unwrap())).sum();
        prop_assert_eq!(members.values().map(|c| c.samples as usize).sum::<usize>(), events);
        // What each goroutine was and when: all that is counted lies in the range.
        for (lane, c) in goroutines.iter().filter(|(lane, _)| matches!(lane, Lane::Go(_))) {
            let all = c.running + c.runnable + c.waiting + c.syscall;
            prop_assert!(all <= range.1 - range.0 && c.longest_wait <= index.duration(), "{:?}: {}", lane, all);
        }
        // Tasks and regions: none has more of the range than there is, and each name's sum is that of its list.
        for s in tasks::sums(trace, opts, None).unwrap() {
            let of = tasks::list(trace, opts, None, (s.what, s.name), usize::MAX).unwrap();
            prop_assert_eq!(of.iter().map(|t| t.len()).sum::<Duration>(), s.total);
            prop_assert!(of.iter().all(|t| t.len() <= range.1 - range.0));
        }
        // Locks and channels.
        let locks = contention_in(trace, None, range).unwrap();
        for x in &locks.classes {
            let parts = x.blame.iter().map(|b| b.delay).sum::<Duration>() + x.unreleased;
            prop_assert_eq!(parts, x.total, "the parts are the whole");
            prop_assert!(x.busy <= locks.length() && x.max <= locks.length());
        }
        let blocked = |c: Class| -> Duration {
            waits.edges.iter().filter(|e| waits.reasons.get(e.key.reason).class == c).map(|e| e.total).sum()
        };
        let of = |w: What| locks.classes.iter().filter(|x| x.what == w).map(|x| x.total).sum::<Duration>();
        for (class, what) in [(Class::Lock, What::Lock), (Class::Cond, What::Cond), (Class::Group, What::Group)] {
            prop_assert_eq!(blocked(class), of(what), "{:?}", class);
        }
        // Critical paths: all of the range, or of the goroutine's life in it.
        let (i, g) = index.goroutines.iter().enumerate().max_by_key(|(_, g)| g.events).unwrap();
        let (from, to) = (range.0.max(g.from), range.1.min(g.ended.unwrap_or(index.end)));
        if from < to {
            let path = path::path(trace, path::Window { go: GoIdx(i as u32), from, to, end: None }).unwrap();
            prop_assert_eq!(path.total(), to - from);
            let c = cell(&goroutines, Lane::Go(GoIdx(i as u32)));
            prop_assert_eq!(path.total(), c.running + c.runnable + c.waiting + c.syscall);
        }
    }

    #[test]
    fn goroutines_waits_and_stacks_of_two_ranges_side_by_side_sum_to_those_of_both(
        which in 0..9usize, a in 0.0f64..1.0, b in 0.0f64..1.0, c in 0.0f64..1.0,
    ) {
        let trace = &TRACES[which];
        let mut at = [a, b, c];
        at.sort_by(f64::total_cmp);
        let ranges = [(at[0], at[1]), (at[1], at[2]), (at[0], at[2])].map(|(a, b)| range(trace, a, b));
        let states = ranges.map(|r| {
            let of = totals(trace, r, &|_| true).unwrap();
            let parts = of.iter().filter(|(lane, _)| matches!(lane, Lane::Go(_)));
            parts.map(|(_, c)| [c.running, c.runnable, c.waiting, c.syscall]).fold([0i64; 4], |mut sum, c| {
                (0..4).for_each(|i| sum[i] += c[i].ns());
                sum
            })
        });
        prop_assert_eq!([0, 1, 2, 3].map(|i| states[0][i] + states[1][i]), states[2]);
        let blocked = ranges.map(|r| {
            let waits = links::links(trace, within(r)).unwrap();
            waits.edges.iter().map(|e| e.total).sum::<Duration>()
        });
        prop_assert_eq!(blocked[0] + blocked[1], blocked[2]);
        let off = ranges.map(|r| {
            let all = flame::stacks(trace, Weight::OffCpu, None, within(r)).unwrap();
            all.iter().map(|s| s.weight).sum::<u64>()
        });
        prop_assert_eq!(off[0] + off[1], off[2]);
    }

    #[test]
    fn two_ranges_side_by_side_sum_to_the_one_that_they_are(
        which in 0..9usize, a in 0.0f64..1.0, b in 0.0f64..1.0, c in 0.0f64..1.0,
    ) {
        let trace = &TRACES[which];
        let mut at = [a, b, c];
        at.sort_by(f64::total_cmp);
        let ranges = [(at[0], at[1]), (at[1], at[2]), (at[0], at[2])].map(|(a, b)| range(trace, a, b));
        // Each moment of a wait for a lock belongs to the same goroutine, whatever range it is looked at in.
        let [one, two, both] = ranges.map(|r| said(&contention_in(trace, None, r).unwrap()));
        let mut sum = one;
        for (key, d) in two {
            *sum.entry(key).or_default() += d;
        }
        prop_assert_eq!(sum, both);
        let [one, two, both] = ranges.map(|r| {
            let sums = tasks::sums(trace, within(r), None).unwrap();
            let each = sums.iter().map(|s| ((s.what, s.name), s.total.ns()));
            each.filter(|s| s.1 > 0).collect::<BTreeMap<_, _>>()
        });
        let mut sum = one;
        for (key, d) in two {
            *sum.entry(key).or_default() += d;
        }
        prop_assert_eq!(sum, both);
    }
}

#[test]
fn regions_and_tasks_count_with_the_part_inside_and_no_more() {
    let trace = &TRACES[3];
    let whole = tasks::sums(trace, Options::default(), None).unwrap();
    let longest = whole.iter().max_by_key(|s| s.max).unwrap();
    let all = tasks::list(trace, Options::default(), None, (longest.what, longest.name), 1).unwrap();
    let (from, len) = (all[0].from, all[0].len());
    let range = (from + Duration(len.ns() / 4), from + Duration(len.ns() / 2));
    let part = tasks::list(trace, within(range), None, (longest.what, longest.name), 1).unwrap();
    assert_eq!((part[0].len(), part[0].from, part[0].to), (range.1 - range.0, all[0].from, all[0].to));
}

#[test]
fn the_commands_say_what_the_views_say_of_a_range() {
    let path = common::sample("trace.out");
    let path = path.to_str().unwrap();
    let trace = &TRACES[0];
    let (start, length) = (trace.index().start, trace.index().duration());
    let (from, to) = (Duration(length.ns() / 5), Duration(length.ns() / 2));
    let range = (start + from, start + to);
    let (from, to) = (format!("{}ns", from.ns()), format!("{}ns", to.ns()));
    let json = |command: &str| -> serde_json::Value {
        let (out, err, code) = common::run([command, path, "--from", &from, "--to", &to, "--format", "json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    };
    let sum = |rows: &serde_json::Value| {
        rows.as_array().unwrap().iter().map(|r| r["total_ns"].as_i64().unwrap()).sum::<i64>()
    };
    let locks = contention_in(trace, None, range).unwrap();
    let want: Duration = locks.classes.iter().map(|x| x.total).sum();
    let got = json("locks");
    assert_eq!((sum(&got["contended"]), got["duration_ns"].as_i64()), (want.ns(), Some(locks.length().ns())));
    assert!(want > Duration::ZERO);
    let want: Duration = links::links(trace, within(range)).unwrap().edges.iter().map(|e| e.total).sum();
    let got = json("waits");
    assert_eq!(sum(&got["waits"]), want.ns());
    // The critical path, of whoever does most.
    let index = trace.index();
    let mut busiest: Vec<usize> = (0..index.goroutines.len()).collect();
    busiest.sort_by_key(|&i| std::cmp::Reverse(index.goroutines[i].events));
    for i in busiest.into_iter().take(3) {
        let g = &index.goroutines[i];
        let (a, b) = (range.0.max(g.from), range.1.min(g.ended.unwrap_or(index.end)));
        let want = path::path(trace, path::Window { go: GoIdx(i as u32), from: a, to: b, end: None }).unwrap();
        let number = g.id.0.to_string();
        let args = ["why", path, "-g", &number, "--from", &from, "--to", &to, "--format", "json"];
        let (out, err, code) = common::run(args);
        assert_eq!(code, 0, "{err}");
        let got: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (got["ns"].as_i64(), got["sum_ns"].as_i64()),
            (Some((b - a).ns()), Some(want.total().ns())),
            "G{number}"
        );
    }
    // Events.
    let window = format!("t:{from}..{to}");
    let (out, err, code) = common::run(["events", path, "--filter", &window, "--format", "jsonl"]);
    assert_eq!(code, 0, "{err}");
    let inside = |i: usize| trace.segment(i).unwrap().between(range.0, range.1).count();
    let events: usize = index.segments_between(range.0, range.1).map(inside).sum();
    assert_eq!(out.lines().count(), events);
    let (text, _, _) = common::run(["locks", path, "--from", &from, "--to", &to]);
    assert!(text.contains("% of range") && !text.contains("% of trace"), "{text}");
}
