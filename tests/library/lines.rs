//! What source lines cost, held against recordings of one run, and against the sums of other passes.

use crate::common;

use gotrail::analysis::clock::Overlap;
use gotrail::analysis::cost::join;
use gotrail::analysis::cost::join::{Line, Lines, Verdict};
use gotrail::analysis::cost::offcpu;
use gotrail::analysis::cost::offcpu::{Kind, What};
use gotrail::analysis::waits::links::Options;
use gotrail::base::Duration;
use gotrail::profile::model::Profile;
use gotrail::read::Trace;
use std::sync::LazyLock;

static TRACE: LazyLock<Trace> = LazyLock::new(|| common::load(common::sample("trace.out")));

fn profile(name: &str) -> (String, Profile) {
    (name.to_owned(), Profile::decode(&common::unpacked(common::sample(name))).unwrap())
}

fn joined(profiles: &[(String, Profile)]) -> Lines {
    let profiles: Vec<_> = profiles.iter().map(|(name, p)| (name.as_str(), p)).collect();
    join::lines(&*TRACE, &profiles, Options::default()).unwrap()
}

fn at<'a>(lines: &'a Lines, file: &str, line: u32) -> &'a Line {
    lines.lines.iter().find(|l| l.file.ends_with(file) && l.line == line).expect("the line costs something")
}

#[test]
fn a_profile_of_the_same_run_has_the_same_samples() {
    let lines = joined(&[profile("cpu.pb.gz")]);
    let m = &lines.matched[0];
    assert_eq!(m.verdict, Verdict::Joined);
    assert!(m.whole * 100 >= m.trace * 95, "{m:?}");
    assert!(m.matched() * 100 >= m.profile * 95, "{m:?}");
    let assign = at(&lines, "payment/order_cache.go", 47);
    assert!(assign.profile.own > 1_000_000_000 && assign.trace.own > 1_000_000_000, "{assign:?}");
    let lock = at(&lines, "payment/order_cache.go", 45);
    assert!(lock.blocked > Duration(100_000_000) && lock.waits > 100, "{lock:?}");
}

#[test]
fn lines_add_up_to_totals() {
    let (name, cpu) = profile("cpu.pb.gz");
    let which = cpu.sample_index("cpu").unwrap();
    let total: i64 = cpu.samples.iter().map(|s| cpu.values_of(s)[which]).sum();
    let lines = joined(&[(name, cpu), profile("heap.pb.gz"), profile("mutex.pb.gz"), profile("block.pb.gz")]);
    let sum = |of: fn(&Line) -> i64| lines.lines.iter().map(of).sum::<i64>();
    assert_eq!(sum(|l| l.profile.own), total);
    assert_eq!(sum(|l| l.trace.own), lines.samples as i64 * offcpu::SAMPLE.ns());
    let off = offcpu::profile(&*TRACE, Kind::OffCpu, Options::default()).unwrap();
    let all =
        |test: fn(What) -> bool| off.records.iter().filter(|r| test(r.key.what)).map(|r| r.total.ns()).sum::<i64>();
    assert_eq!(sum(|l| l.blocked.ns()), all(|w| matches!(w, What::Waiting(_))));
    assert_eq!(sum(|l| l.runnable.ns()), all(|w| w == What::Runnable));
    assert_eq!(sum(|l| l.syscall.ns()), all(|w| matches!(w, What::Syscall(_))));
    assert_eq!(lines.others.len(), 3);
    for (i, c) in lines.others.iter().enumerate() {
        assert_eq!(lines.lines.iter().map(|l| l.others[i].own).sum::<i64>(), c.total, "{}", c.kind);
        assert!(c.total > 0, "{}", c.kind);
    }
    assert!(lines.matched[1..].iter().all(|m| m.verdict == Verdict::ByLine));
}

#[test]
fn a_profile_of_another_run_or_program_is_left_out() {
    let mut other = profile("cpu.pb.gz");
    for i in 0..other.1.functions.len() {
        other.1.functions[i].name = other.1.strings.intern(&format!("other.f{i}"));
    }
    let mut heap = profile("heap.pb.gz");
    for i in 0..heap.1.functions.len() {
        heap.1.functions[i].name = heap.1.strings.intern(&format!("other.f{i}"));
    }
    // Without its time, the samples alone tell.
    let mut fixed = profile("fixed-cpu.pb.gz");
    fixed.1.time_nanos = 0;
    let lines = joined(&[fixed, other, heap]);
    assert!(lines.matched.iter().all(|m| m.verdict == Verdict::Foreign), "{:?}", lines.matched);
    assert_eq!(lines.matched[1].matched(), 0);
    assert!(lines.lines.iter().all(|l| l.profile == Default::default()) && lines.others.is_empty());
    assert!(lines.labels.is_empty());
}

#[test]
fn no_sample_is_matched_twice() {
    let lines = joined(&[profile("cpu.pb.gz"), profile("cpu.pb.gz")]);
    let [first, second] = &lines.matched[..] else { panic!("two profiles") };
    assert_eq!(first.matched() + second.trace, first.trace);
    assert!(second.matched() <= second.trace);
}

#[test]
fn a_window_narrows_the_profile_to_the_samples_within_it() {
    let (from, to) = {
        let index = TRACE.index();
        (index.start + Duration(500_000_000), index.start + Duration(1_000_000_000))
    };
    let lines = join::lines(&*TRACE, &[("cpu", &profile("cpu.pb.gz").1)], Options { from, to, filter: None }).unwrap();
    let sum = |of: fn(&Line) -> i64| lines.lines.iter().map(of).sum::<i64>();
    assert!(lines.samples > 20 && lines.samples < 120, "{}", lines.samples);
    let (profile, trace) = (sum(|l| l.profile.own), sum(|l| l.trace.own));
    assert!(profile <= trace && profile * 100 >= trace * 90, "{profile} {trace}");
}

#[test]
fn labels_are_those_on_which_all_samples_of_a_goroutine_agree() {
    let lines = joined(&[profile("cpu.pb.gz")]);
    assert!(lines.labels.iter().any(|l| l.key == "route" && l.value == "payout"), "{:?}", lines.labels);
    let index = TRACE.index();
    for l in &lines.labels {
        let name = index.goroutine(l.go).map_or("", |g| index.group_name(g.group));
        assert!(!name.starts_with("runtime."), "{name} {l:?}");
    }
}

#[test]
fn a_profile_is_matched_with_what_happened_in_its_time() {
    let (from, to) = {
        let index = TRACE.index();
        (index.start, index.end)
    };
    let whole = joined(&[profile("cpu.pb.gz")]);
    let Some(Overlap::Within { from: a, to: b }) = whole.matched[0].overlap else { panic!("{:?}", whole.matched) };
    // The script that recorded both started them one after the other.
    assert!(a - from < Duration(50_000_000) && to - b < Duration(50_000_000), "{:?}", whole.matched[0]);

    // As if it had ended after a second.
    let mut half = profile("cpu.pb.gz");
    half.1.duration_nanos = 1_000_000_000;
    let lines = joined(&[half]);
    let m = &lines.matched[0];
    assert_eq!(m.verdict, Verdict::Joined);
    assert!(m.trace * 3 > whole.matched[0].trace && m.trace * 3 < whole.matched[0].trace * 2, "{m:?}");

    let moved = |by: i64| {
        let mut p = profile("cpu.pb.gz");
        p.1.time_nanos += by;
        let lines = joined(&[p]);
        assert!(lines.lines.iter().all(|l| l.profile == Default::default()));
        lines.matched[0].clone()
    };
    let hour = 3_600_000_000_000;
    let (before, after) = (moved(-hour), moved(hour));
    assert_eq!((before.verdict, after.verdict), (Verdict::Elsewhen, Verdict::Elsewhen));
    assert!(matches!(before.overlap, Some(Overlap::Before(d)) if d > Duration(hour - 10_000_000_000)));
    assert!(matches!(after.overlap, Some(Overlap::After(d)) if d > Duration(hour - 10_000_000_000)));
    let said = gotrail::report::lines::sentence(&before, &whole);
    assert!(
        said.starts_with("cpu.pb.gz: ended 59m5") && said.ends_with("before the trace began, and is left out"),
        "{said}"
    );

    // A profile that does not say when it was taken is matched with all.
    let mut p = profile("cpu.pb.gz");
    p.1.time_nanos = 0;
    let lines = joined(&[p]);
    assert_eq!(lines.matched[0].overlap, None);
    assert_eq!(lines.matched[0].matched(), whole.matched[0].matched());
}
