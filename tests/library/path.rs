//! Critical paths, held against programs whose behaviour is known, and over random windows.

use crate::common;

use common::{PROGRAMS, load, recording, sample_trace};
use gotrail::analysis::annotations::{self, Wanted};
use gotrail::analysis::waits::contention;
use gotrail::analysis::waits::contention::What as Kind;
use gotrail::analysis::waits::knots::knots;
use gotrail::analysis::waits::links;
use gotrail::analysis::waits::links::Options;
use gotrail::analysis::waits::path;
use gotrail::analysis::waits::path::{Path, What, Window};
use gotrail::analysis::waits::stw;
use gotrail::base::{Duration, GoIdx, Time};
use gotrail::model::Index;
use gotrail::model::Waker;
use gotrail::read::Trace;
use proptest::prelude::*;
use std::sync::LazyLock;

const MS: i64 = 1_000_000;

fn task(trace: &Trace, name: &str) -> Window {
    annotations::find(trace, &Wanted::Task(name.into()), 1).unwrap()[0].window
}

fn check(p: &Path, index: &Index) {
    let length = p.window.to - p.window.from;
    assert_eq!(p.total(), length);
    let mut at = p.window.from;
    for piece in &p.pieces {
        assert!(piece.from == at && piece.to > at);
        at = piece.to;
    }
    assert_eq!(p.shares(index).iter().map(|s| s.total).sum::<Duration>(), length);
}

#[test]
fn the_path_of_a_task_goes_through_those_it_waits_for() {
    let trace = recording("path");
    let p = path::path(&trace, task(&trace, "job")).unwrap();
    let index = trace.index();
    check(&p, &index);
    let time = |name: &str, what: What| -> i64 {
        let of = p.pieces.iter().filter(|p| index.goroutine_name(p.go) == name && p.what == what);
        of.map(|p| p.len().ns()).sum()
    };
    assert!(time("main.worker", What::Running) >= 4 * MS);
    assert!(time("main.owner", What::Waiting(Waker::Timer)) >= 55 * MS / 10);
    assert!(time("main.helper", What::Running) >= 3 * MS);
    assert!(time("main.worker", What::Waiting(Waker::Timer)) >= 2 * MS);
    let hops: Vec<_> =
        p.hops.iter().map(|h| (p.reasons.get(h.reason).name, index.goroutine_name(h.waker).to_owned())).collect();
    assert_eq!(hops, [("Mutex".into(), "main.owner".into()), ("chan receive".into(), "main.helper".to_string())]);
}

#[test]
fn before_a_timer_started_a_goroutine_the_path_waits_for_the_timer() {
    let trace = recording("deadline");
    let index = trace.index();
    let main = index.goroutines.iter().position(|g| g.id.0 == 1).unwrap();
    let (from, to) = (index.start, index.end);
    let p = path::path(&trace, Window { go: GoIdx(main as u32), from, to, end: None }).unwrap();
    check(&p, &index);
    for name in ["main.deadline.func1", "context.WithDeadlineCause.func2"] {
        let of = p.pieces.iter().filter(|p| index.goroutine_name(p.go) == name && p.what != What::Running);
        let longest = of.max_by_key(|p| p.len()).unwrap();
        assert_eq!((longest.what, longest.reason), (What::Waiting(Waker::Timer), None), "{name}");
        assert!(longest.len().ns() >= 95 * MS / 10, "{name}");
        assert!(gotrail::report::why::piece(&p, &index, longest).contains("timer that starts it"));
    }
    assert!(p.pieces.iter().all(|p| p.what != What::Absent));
    let json = serde_json::to_value(gotrail::report::schema::why::Why::new("main", &p, &index)).unwrap();
    let timers = json["pieces"].as_array().unwrap().iter().filter(|p| p["ended_by"]["kind"] == "timer").count();
    assert_eq!(timers, 2);
}

/// The path of the goroutine of number `id` over its life.
fn life(trace: &Trace, id: u64) -> Path {
    let index = trace.index();
    let at = index.goroutines.iter().position(|g| g.id.0 == id).unwrap();
    let (from, to) = (index.start, index.end);
    let p = path::path(trace, Window { go: GoIdx(at as u32), from, to, end: None }).unwrap();
    check(&p, &index);
    p
}

/// How much of a path goroutines were runnable, by what they waited for: busy Ps, the wake-up for an idle one, the world.
fn runnable(p: &Path) -> [i64; 3] {
    let sum = |what| p.pieces.iter().flat_map(|p| p.kinds()).filter(|k| k.0 == what).map(|k| k.1.ns()).sum();
    [sum(What::NoP), sum(What::Wakeup), sum(What::Stopped)]
}

#[test]
fn a_hand_over_to_a_locked_thread_is_wake_up_latency_and_not_a_lack_of_ps() {
    let mut all = vec![("locked", recording("locked"))];
    all.extend(common::shared("field/traces/lockosthread/lockthread-27.trace").map(|field| ("field", load(field))));
    for (name, trace) in all {
        let p = life(&trace, 1);
        let [busy, idle, stopped] = runnable(&p);
        assert!(idle > 3 * busy && stopped < busy.max(1000), "{name}: {busy} {idle} {stopped}");
        let pieces: i64 = p.pieces.iter().filter(|p| p.what == What::Runnable).map(|p| p.len().ns()).sum();
        assert_eq!(busy + idle + stopped, pieces, "{name}: the parts are the whole");
        // Rounds of the same wait are one row.
        let (rows, ..) = gotrail::report::why::rows::rows(&p, &trace.index(), 40);
        assert!(rows.iter().any(|r| r.what.contains(" × main.lock")), "{name}: {rows:#?}");
    }
}

#[test]
fn a_stop_of_the_world_names_who_was_last_to_stop() {
    let mut all = vec![(recording("holdup"), "stop-the-world (read mem stats)", "main.loop", 100)];
    if let Some(field) = common::shared("field/traces/holdup-27.trace") {
        all.push((load(field), "stop-the-world (GC sweep termination)", "main.holdup.func1", 1473));
    }
    for (trace, name, who, least) in all {
        let index = trace.index();
        let stop = index.stw.iter().filter(|r| index.dict.str(r.name) == name).max_by_key(|r| r.to - r.from).unwrap();
        let last = stw::last_to_stop(&trace, &index, stop).unwrap().unwrap();
        assert_eq!(index.goroutine_name(last.go), who);
        assert!(last.waited.ns() >= least * MS, "{}", last.waited);
        assert!(last.waited <= stop.to - stop.from && last.at == stop.from + last.waited);
        // A stop that no other goroutine ran in has nobody to wait for.
        let first = index.stw.iter().find(|r| index.dict.str(r.name) == "stop-the-world (start trace)").unwrap();
        assert_eq!(stw::last_to_stop(&trace, &index, first).unwrap(), None);
    }
}

#[test]
fn a_convoy_is_one_row_of_the_path() {
    let trace = recording("convoy");
    let index = trace.index();
    let waits = |go: GoIdx| {
        let g = &index.goroutines[go.0 as usize];
        let (from, to) = (g.from, g.ended.unwrap_or(index.end));
        path::path(&trace, Window { go, from, to, end: None }).unwrap()
    };
    let all = (0u32..).map(GoIdx).take(index.goroutines.len());
    let followers = all.filter(|&g| index.goroutine_name(g) == "main.convoyFollower");
    let p = followers.map(waits).max_by_key(|p| p.hops.len()).unwrap();
    assert!(p.hops.len() >= 5, "{:?}", p.hops);
    let (rows, ..) = gotrail::report::why::rows::rows(&p, &index, 40);
    let runs: Vec<_> = rows.iter().filter(|r| r.what.contains("waits for Mutex")).collect();
    assert!(runs.len() <= 2 && runs[0].what.contains("× main.convoyFollower"), "{rows:#?}");
}

#[test]
fn an_assist_is_told_where_a_goroutine_ran() {
    let Some(path) = common::shared("field/traces/gc-start-as-lock/assist-27.trace") else { return };
    let trace = load(&path);
    let p = life(&trace, 1);
    let index = trace.index();
    // What each goroutine that ran on the path assisted, by walking over its events.
    let mut want = 0;
    for piece in p.pieces.iter().filter(|p| p.what == What::Running) {
        assert!(piece.assist >= Duration::ZERO && piece.assist <= piece.len());
        want += piece.assist.ns();
    }
    assert!(want > 500 * MS, "{want}");
    let shares = p.shares(&index);
    let told: Duration = shares.iter().map(|s| s.assist).sum();
    assert_eq!(told.ns(), want);
    // Semaphores of the runtime's own make no cycle, and are no locks.
    let l = links::links(&trace, Options::default()).unwrap();
    assert!(knots(&l, &trace.index()).is_empty());
    let c = contention::contention(&trace, None).unwrap();
    assert!(c.classes.iter().all(|x| x.what != Kind::Lock && x.what != Kind::Semaphore), "{:?}", c.classes);
}

#[test]
fn a_payment_waits_for_the_lock_of_the_order_cache() {
    let trace = sample_trace();
    let found = annotations::find(&trace, &Wanted::Task("payment".into()), 20).unwrap();
    assert_eq!(found.len(), 20);
    for (k, span) in found.iter().enumerate() {
        let p = path::path(&trace, span.window).unwrap();
        let index = trace.index();
        check(&p, &index);
        let at_lock = p.hops.iter().any(|h| {
            p.reasons.get(h.reason).name == "Mutex" && p.places.line(&index, h.at).contains("payment/order_cache.go:")
        });
        assert!(at_lock, "payment {k} by length does not wait for the lock");
    }
}

#[test]
fn the_path_of_a_region_is_that_of_its_goroutine() {
    let trace = recording("path");
    for (region, least) in [("compute", 4), ("lock", 5), ("helper", 3), ("sleep", 2)] {
        let found = annotations::find(&trace, &Wanted::Region(region.into()), 5).unwrap();
        assert_eq!(found.len(), 1, "{region}");
        let p = path::path(&trace, found[0].window).unwrap();
        check(&p, &trace.index());
        assert!(p.total().ns() >= least * MS, "{region}");
    }
    assert!(annotations::find(&trace, &Wanted::Region("no such".into()), 5).unwrap().is_empty());
    assert!(annotations::find(&trace, &Wanted::TaskNumber(99), 5).unwrap().is_empty());
}

static RECORDED: LazyLock<Vec<Trace>> = LazyLock::new(|| PROGRAMS.iter().map(|n| recording(n)).collect());

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_parts_of_any_window_of_a_recorded_trace_sum_to_it(
        which in 0..PROGRAMS.len(),
        go in any::<prop::sample::Index>(),
        a in 0.0f64..1.0,
        b in 0.0f64..1.0,
    ) {
        let trace = &RECORDED[which];
        let window = {
            let index = trace.index();
            let at = |x: f64| Time(index.start.0 + (index.duration().ns() as f64 * x) as i64);
            let go = GoIdx(go.index(index.goroutines.len()) as u32);
            Window { go, from: at(a.min(b)), to: at(a.max(b)), end: None }
        };
        let p = path::path(trace, window).unwrap();
        check(&p, &trace.index());
    }
}

#[test]
fn what_a_goroutine_did_before_it_ended_is_told_though_the_window_goes_on() {
    let trace = recording("convoy");
    let index = trace.index();
    let mut seen = 0;
    for (i, g) in index.goroutines.iter().enumerate() {
        let Some(ended) = g.ended.filter(|&e| e < index.end && g.times.running > Duration::ZERO) else { continue };
        let window = Window { go: GoIdx(i as u32), from: g.from, to: index.end, end: None };
        let p = path::path(&trace, window).unwrap();
        check(&p, &index);
        let whole = path::path(&trace, Window { to: ended, ..window }).unwrap();
        let of = |p: &Path| p.pieces.iter().filter(|p| p.what == What::Running).map(|p| p.len()).sum::<Duration>();
        assert_eq!(of(&p), of(&whole), "G{}", g.id.0);
        let last = p.pieces.last().unwrap();
        assert_eq!((last.what, last.from, last.to), (What::Absent, ended, index.end));
        seen += 1;
    }
    assert!(seen > 5, "only {seen} goroutines ended");
}
