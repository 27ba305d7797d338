//! Waits, links, critical paths, contention and profiles, held against programs whose behaviour is known
//! (`tests/programs`, `tests/data/README.md`) and against the index's own sums.

mod common;

use common::load as open;
use gotrail::analysis::annotations::{self, Wanted};
use gotrail::analysis::cost::offcpu;
use gotrail::analysis::states::tracker;
use gotrail::analysis::states::tracker::{Interval, Visit};
use gotrail::analysis::summary::summarize;
use gotrail::analysis::waits::chains::{ChainId, Chains, Follow, Mark, Step};
use gotrail::analysis::waits::contention;
use gotrail::analysis::waits::contention::Keeper;
use gotrail::analysis::waits::contention::{Bottleneck, Contended, What as Kind};
use gotrail::analysis::waits::knots::knots;
use gotrail::analysis::waits::links;
use gotrail::analysis::waits::links::{Edge, Links, Options, Party};
use gotrail::analysis::waits::path;
use gotrail::analysis::waits::path::{Path, What, Window};
use gotrail::analysis::waits::stw;
use gotrail::base::{Duration, GoIdx, StackId, Time};
use gotrail::input;
use gotrail::model::Index;
use gotrail::model::Waker;
use gotrail::model::places::PlaceId;
use gotrail::model::reasons::{Class, Reasons, TABLE};
use gotrail::model::segment::GoState;
use gotrail::query::Compiled;
use gotrail::read::Trace;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

const MS: i64 = 1_000_000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn data(name: &str) -> Trace {
    open(root().join("tests/data").join(format!("{name}.trace")))
}

fn sample() -> Trace {
    open(root().join("sample-traces/trace.out"))
}

/// An edge in words: who waited for what at which line, ended by whom at which line.
fn words(l: &Links, index: &Index, e: &Edge) -> String {
    let line = |p: PlaceId| {
        let s = l.places.line(index, p);
        if s.is_empty() { s } else { format!(" {}", s.rsplit('/').next().unwrap()) }
    };
    format!(
        "{} {}{} <- {}{}",
        index.group_name(e.key.waiter),
        l.reason(e).name,
        line(e.key.at),
        e.key.waker.name(index),
        line(e.key.waker_at)
    )
}

/// The edges of a trace whose waiter's name begins with `main.`, in words.
fn edges(name: &str) -> Vec<(String, Edge)> {
    let trace = data(name);
    let l = links::links(&trace, Options::default()).unwrap();
    let index = trace.index();
    let all = l.edges.iter().map(|e| (words(&l, &index, e), e.clone()));
    all.filter(|(w, _)| w.starts_with("main.")).collect()
}

fn edge(edges: &[(String, Edge)], words: &str) -> Edge {
    let found = edges.iter().find(|e| e.0 == words);
    found.unwrap_or_else(|| panic!("no {words} among {:#?}", edges.iter().map(|e| &e.0).collect::<Vec<_>>())).1.clone()
}

#[test]
fn every_link_of_the_chain_waits_for_the_one_before() {
    let all = edges("chain");
    for n in 2..=5 {
        let line = 16 + 6 * n;
        let before = line - 4;
        let want = format!("main.link{n} chan receive chain.go:{line} <- main.link{} chain.go:{before}", n - 1);
        let e = edge(&all, &want);
        assert!(e.total.ns() >= 10 * MS * (n - 1), "{want}: {}", e.total);
    }
    assert!(edge(&all, "main.main chan receive chain.go:17 <- main.link5 chain.go:48").total.ns() >= 50 * MS);
    for n in 1..=5 {
        let line = 17 + 6 * n;
        assert!(edge(&all, &format!("main.link{n} sleep chain.go:{line} <- a timer")).total.ns() >= 10 * MS);
    }
}

#[test]
fn the_chain_of_mains_wait_ends_at_a_timer() {
    let trace = data("chain");
    let l = links::links(&trace, Options::default()).unwrap();
    let longest = {
        let index = trace.index();
        let of_main = |e: &&Edge| words(&l, &index, e).starts_with("main.main chan receive");
        l.edges.iter().find(of_main).unwrap().longest.unwrap()
    };
    let chain = path::chain(&trace, longest).unwrap().links;
    let index = trace.index();
    let names: Vec<&str> = chain.iter().map(|l| index.goroutine_name(l.wait.go)).collect();
    assert_eq!(names, ["main.main", "main.link5", "main.link4", "main.link3", "main.link2", "main.link1"]);
    assert_eq!(chain.last().unwrap().waker, Waker::Timer);
    assert!(path::chain(&trace, u64::MAX).is_err());
}

#[test]
fn each_wait_of_package_sync_is_told_by_its_name() {
    let all = edges("waits");
    for (waiter, reason) in [
        ("waitMutex", "Mutex"),
        ("waitRWMutexWrite", "RWMutex write"),
        ("waitRWMutexRead", "RWMutex read"),
        ("waitWaitGroup", "WaitGroup"),
        ("waitCond", "Cond"),
        ("waitReceive", "chan receive"),
        ("waitSend", "chan send"),
        ("waitSelect", "select (closed)"),
    ] {
        let start = format!("main.{waiter} {reason} waits.go:");
        let found: Vec<_> = all.iter().filter(|e| e.0.starts_with(&start)).collect();
        assert_eq!(found.len(), 1, "{start}");
        assert!(found[0].0.contains("<- main.main waits.go:"), "{}", found[0].0);
        assert!(found[0].1.count == 1 && found[0].1.total.ns() >= 4 * MS && found[0].1.open == 0);
    }
    assert!(all.iter().any(|e| e.0.starts_with("main.waitOnce Once") && e.0.contains("<- main.onceHolder")));
    for forever in ["main.waitSelectForever select {}", "main.waitNilChannel receive from a nil channel"] {
        let e = &all.iter().find(|e| e.0.starts_with(forever)).unwrap().1;
        assert_eq!((e.key.waker, e.open), (Party::Nobody, 1));
    }
}

#[test]
fn who_ended_a_select_tells_its_case() {
    let all = edges("selects");
    for (want, least) in [
        ("main.selectReceives select (received) selects.go:33 <- main.main selects.go:25", 5),
        ("main.selectSends select (sent) selects.go:41 <- main.main selects.go:26", 5),
        ("main.selectClosed select (closed) selects.go:49 <- main.main selects.go:27", 5),
        ("main.selectCancelled select (context done) selects.go:57 <- main.main selects.go:28", 5),
        ("main.selectTimesOut select (timeout) selects.go:65 <- a timer", 10),
    ] {
        let e = edge(&all, want);
        assert!(e.count == 1 && e.total.ns() >= (least - 1) * MS, "{want}: {}", e.total);
    }
}

#[test]
fn waits_that_nobody_ends_and_waits_that_no_goroutine_ends() {
    let all = edges("leak");
    for (who, line) in [("leaked", 39), ("dependent", 41)] {
        let want = format!("main.{who} chan receive channels.go:{line} <- still blocked at trace end");
        let e = edge(&all, &want);
        assert!(e.open == 1 && e.total.ns() > 4 * MS);
    }
    let all = edges("network");
    let e = edge(&all, "main.client network read outside.go:47 <- the poller");
    assert!(e.count == 3 && e.total.ns() >= 30 * MS);
    let all = edges("timer");
    for (want, least) in [
        ("main.sleeper sleep outside.go:67 <- a timer", 10),
        ("main.afterReceiver timer channel outside.go:72 <- a timer", 10),
        ("main.timeoutSelecter select (timeout) outside.go:78 <- a timer", 10),
        ("main.tickReceiver timer channel outside.go:87 <- a timer", 4),
        ("main.tickReceiver timer channel outside.go:88 <- a timer", 4),
    ] {
        assert!(edge(&all, want).total.ns() >= least * MS, "{want}");
    }
}

fn classes(name: &str) -> (Trace, contention::Contention) {
    let trace = data(name);
    let c = contention::contention(&trace, None).unwrap();
    (trace, c)
}

fn lines(t: &Trace, c: &contention::Contention, x: &Contended) -> (Vec<String>, Vec<String>) {
    let index = t.index();
    let line = |p: PlaceId| c.places.line(&index, p).rsplit('/').next().unwrap().to_owned();
    let mut ended: Vec<String> = x.ended_at.iter().map(|e| line(e.0)).collect();
    ended.sort();
    (x.waits_at.iter().map(|w| line(w.0)).collect(), ended)
}

#[test]
fn a_convoy_is_one_lock_with_six_in_a_row() {
    let (t, c) = classes("convoy");
    let locks: Vec<_> = c.classes.iter().filter(|c| c.what == Kind::Lock).collect();
    assert_eq!(locks.len(), 1);
    let l = locks[0];
    assert_eq!(lines(&t, &c, l), (vec!["locks.go:35".into()], vec!["locks.go:30".into(), "locks.go:37".into()]));
    assert_eq!((l.waits, l.handoffs, l.depth_max, l.starved, l.open), (6, 6, 6, 0, 0));
    assert_eq!((l.convoy.handoffs, l.convoy.peak), (6, 6));
    assert!((15 * MS..18 * MS).contains(&l.max.ns()), "{}", l.max);
    // Who waits on average is the sum of the waits over the trace.
    let mean = l.total.ns() as f64 / t.index().duration().ns() as f64;
    assert!((l.depth_mean_milli as f64 / 1000.0 - mean).abs() < 0.002);
    // The first is let go by the head, each other by the one before it.
    let all = edges("convoy");
    assert_eq!(edge(&all, "main.convoyFollower Mutex locks.go:35 <- main.convoyHead locks.go:30").count, 1);
    assert_eq!(edge(&all, "main.convoyFollower Mutex locks.go:35 <- main.convoyFollower locks.go:37").count, 5);
}

#[test]
fn a_starved_waiter_is_told_from_one_that_waits_its_turn() {
    let (t, c) = classes("starved");
    let l = c.classes.iter().find(|c| c.what == Kind::Lock).unwrap();
    assert_eq!(lines(&t, &c, l), (vec!["locks.go:71".into()], vec!["locks.go:65".into()]));
    assert!(l.waits > 10 && l.handoffs == l.waits, "{} {}", l.waits, l.handoffs);
    assert_eq!(l.starved, 9);
}

#[test]
fn a_slow_receiver_is_the_bottleneck() {
    let (t, c) = classes("receiver");
    let x = c.classes.iter().find(|c| c.sending.all.count > 0).unwrap();
    assert_eq!(lines(&t, &c, x), (vec!["channels.go:17".into()], vec!["channels.go:23".into()]));
    assert_eq!(x.bottleneck(), Some(Bottleneck::Receivers));
    assert!((14..=20).contains(&x.sending.all.count) && x.receiving.all.count == 0);
}

/// Who caused how much of the delay, in thousandths, by start function and line.
fn blame(t: &Trace, c: &contention::Contention, x: &Contended) -> Vec<(String, String, i64)> {
    let index = t.index();
    let line = |p: PlaceId| c.places.line(&index, p).rsplit('/').next().unwrap().to_owned();
    assert_eq!(x.blame.iter().map(|b| b.delay).sum::<Duration>() + x.unreleased, x.total);
    x.blame.iter().map(|b| (b.who.clone(), line(b.at), b.delay.ns() * 1000 / x.total.ns())).collect()
}

/// What holders did, in thousandths, and where.
fn while_held(t: &Trace, c: &contention::Contention, x: &Contended) -> Vec<(String, String, i64)> {
    let index = t.index();
    let line = |p: PlaceId| c.places.line(&index, p).rsplit('/').next().unwrap().to_owned();
    let all: i64 = x.while_held.iter().map(|m| m.weight.ns()).sum();
    let what =
        |m: &contention::Meanwhile| if m.reason.is_empty() { format!("{:?}", m.state) } else { m.reason.clone() };
    x.while_held.iter().map(|m| (what(m), line(m.at), m.weight.ns() * 1000 / all)).collect()
}

#[test]
fn a_janitor_that_sweeps_under_a_lock_is_blamed_and_not_those_who_release_it_quickly() {
    for (name, least) in [("sweep", 990), ("sweeplight", 980)] {
        let (t, c) = classes(name);
        let l = &c.classes[0];
        assert_eq!(l.what, Kind::Lock);
        let by = blame(&t, &c, l);
        assert_eq!((by[0].0.as_str(), by[0].1.as_str()), ("main.janitor", "blame.go:55"), "{name}: {by:?}");
        assert!(by[0].2 >= least, "{name}: {by:?}");
        let did = while_held(&t, &c, l);
        assert_eq!((did[0].0.as_str(), did[0].1.as_str()), ("sleep", "blame.go:53"), "{name}: {did:?}");
        assert!(did[0].2 >= 970, "{name}: {did:?}");
    }
}

#[test]
fn a_pool_is_told_by_those_who_hold_it_and_by_what_they_do_meanwhile() {
    let (t, c) = classes("pool");
    let p = &c.classes[0];
    assert_eq!((p.what, p.bottleneck(), p.held_max), (Kind::Channel, Some(Bottleneck::Pool), 2));
    assert_eq!(lines(&t, &c, p), (vec!["blame.go:114".into()], vec!["blame.go:115".into()]));
    let did = while_held(&t, &c, p);
    assert_eq!((did[0].0.as_str(), did[0].1.as_str()), ("sleep", "blame.go:118"), "{did:?}");
    assert_eq!((did[1].0.as_str(), did[1].1.as_str()), ("sleep", "blame.go:117"), "{did:?}");
    // A call takes nine times as long as a query.
    assert!(did[0].2 >= 750 && did[0].2 + did[1].2 >= 980, "{did:?}");
    let (t, c) = classes("limit");
    let p = &c.classes[0];
    assert_eq!((p.bottleneck(), p.held_max), (Some(Bottleneck::Pool), 2));
    assert_eq!(while_held(&t, &c, p)[0].1, "blame.go:159");
}

#[test]
fn what_holds_a_channel_up_is_said_only_where_it_shows() {
    let channel = |name: &str, line: &str| {
        let (t, c) = classes(name);
        let x = c.classes.iter().find(|x| lines(&t, &c, x).0.contains(&line.to_string()));
        let x = x.unwrap_or_else(|| panic!("{name}: no class waits at {line}"));
        (x.bottleneck(), x.idle(), x.clone())
    };
    // Workers without work come last, however long they wait.
    let (b, idle, _) = channel("idle", "blame.go:183");
    assert_eq!((b, idle), (Some(Bottleneck::Idle), true));
    let (_, c) = classes("idle");
    assert!(c.classes.last().unwrap().idle() && c.classes.last().unwrap().total > c.classes[0].total);
    assert_eq!(channel("makers", "blame.go:192").0, Some(Bottleneck::Senders));
    let (b, _, x) = channel("gone", "blame.go:216");
    assert_eq!((b, x.sending.never.count), (Some(Bottleneck::NoReceiver), 4));
    // The receiver waits in a select, which belongs to the channel that ended it.
    let (b, _, x) = channel("picker", "blame.go:239");
    assert_eq!(b, Some(Bottleneck::Receivers));
    assert!(x.waits_at.iter().all(|w| w.1 == "chan send" || w.1 == "select (received)"), "{x:?}");
}

#[test]
fn what_caused_the_delay_in_the_orders_incident() {
    let Some(path) = common::shared("incidents/out-orders/trace.out") else { return };
    let trace = open(&path);
    let c = contention::contention(&trace, None).unwrap();
    let p = &c.classes[0];
    assert_eq!((p.bottleneck(), p.held_max), (Some(Bottleneck::Pool), 4));
    assert_eq!(lines(&trace, &c, p).0, ["main.go:32"]);
    let did = while_held(&trace, &c, p);
    assert_eq!((did[0].1.as_str(), did[1].1.as_str()), ("main.go:60", "main.go:35"), "{did:?}");
    assert!(did[0].2 > 650 && did[1].2 > 200, "{did:?}");
}

#[test]
fn two_pools_that_need_each_other_are_one_knot() {
    let trace = data("knot");
    let l = links::links(&trace, Options::default()).unwrap();
    let k = knots(&l);
    let index = trace.index();
    let names: Vec<Vec<&str>> =
        k.iter().map(|k| k.groups.iter().map(|&g| index.group_name(g)).collect::<Vec<_>>()).collect();
    assert_eq!(names.len(), 1);
    let mut names = names[0].clone();
    names.sort_unstable();
    assert_eq!(names, ["main.answerer", "main.asker"]);
    for none in ["chain", "convoy", "receiver"] {
        let trace = data(none);
        let l = links::links(&trace, Options::default()).unwrap();
        assert!(knots(&l).is_empty(), "{none}");
    }
}

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
    let trace = data("path");
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
    let trace = data("deadline");
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
    let mut all = vec![("locked", data("locked"))];
    all.extend(common::shared("field/traces/lockosthread/lockthread-27.trace").map(|field| ("field", open(field))));
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
    let mut all = vec![(data("holdup"), "stop-the-world (read mem stats)", "main.loop", 100)];
    if let Some(field) = common::shared("field/traces/holdup-27.trace") {
        all.push((open(field), "stop-the-world (GC sweep termination)", "main.holdup.func1", 1473));
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
    let trace = data("convoy");
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
    let trace = open(&path);
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
    assert!(knots(&l).is_empty());
    let c = contention::contention(&trace, None).unwrap();
    assert!(c.classes.iter().all(|x| x.what != Kind::Lock && x.what != Kind::Semaphore), "{:?}", c.classes);
}

#[test]
fn the_path_of_a_region_is_that_of_its_goroutine() {
    let trace = data("path");
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

#[test]
fn a_payment_waits_for_the_lock_of_the_order_cache() {
    let trace = sample();
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
    let c = contention::contention(&trace, None).unwrap();
    let first = c.classes.iter().find(|c| c.what == Kind::Lock).unwrap();
    assert_eq!(lines(&trace, &c, first).0, ["order_cache.go:45"]);
}

/// The traces that tests run through, by name.
const ALL: &[&str] = &[
    "chain",
    "convoy",
    "starved",
    "sweep",
    "pool",
    "limit",
    "gone",
    "picker",
    "receiver",
    "selects",
    "leak",
    "network",
    "timer",
    "waits",
    "path",
    "knot",
    "annotations",
    "annotations-go1.22",
    "coroutine",
    "syscall",
    "hostile",
];

#[test]
fn closed_waits_sum_to_what_gos_own_reader_says() {
    let mut all: Vec<(String, Trace)> = ALL.iter().map(|n| (n.to_string(), data(n))).collect();
    all.push(("sample".into(), sample()));
    all.push(("go1.22".into(), open(root().join("sample-traces/go1.22-trace.out"))));
    for (name, trace) in &all {
        let facts = summarize(&trace.index());
        for (kind, fact) in
            [(offcpu::Kind::Net, "net"), (offcpu::Kind::Sync, "sync"), (offcpu::Kind::Syscall, "syscall")]
        {
            let p = offcpu::profile(trace, kind, Options::default()).unwrap();
            let (count, total) = p.totals(false);
            let want = facts.profiles[fact];
            // Go's reader counts a syscall in which a goroutine was found from when it says so; for us it is open.
            let slack = if fact == "syscall" { p.totals(true).0 } else { 0 };
            assert!(count <= want.records && want.records <= count + slack, "{name} {fact}: {count} {}", want.records);
            assert!(slack > 0 || total.ns() == want.total_ns, "{name} {fact}: {total} {}", want.total_ns);
            assert!((want.total_ns - total.ns()) as u64 <= 1000 * slack, "{name} {fact}: {total} {}", want.total_ns);
        }
        // Every moment of every goroutine that waits or is ready is in one record.
        let p = offcpu::profile(trace, offcpu::Kind::OffCpu, Options::default()).unwrap();
        let (closed, open) = (p.totals(false).1, p.totals(true).1);
        let index = trace.index();
        let want: Duration = index.goroutines.iter().map(|g| g.times.total() - g.times.running).sum();
        assert_eq!(closed + open, want, "{name}");
    }
}

#[test]
fn what_began_before_the_trace_is_in_the_profile_of_its_kind_by_who_ended_it() {
    // Three goroutines of settle and one that writes were waiting at a channel already: neither reason nor stack is there.
    let trace = sample();
    let p = offcpu::profile(&trace, offcpu::Kind::Sync, Options::default()).unwrap();
    let of = p.records.iter().filter(|r| p.reason(r).is_some_and(|r| r == "chan receive or select"));
    assert_eq!(of.clone().map(|r| r.count).sum::<u64>(), 4);
    assert!(of.into_iter().all(|r| r.key.open == offcpu::Open::Start));
}

#[test]
fn chains_take_as_long_as_what_they_are_of() {
    let all: Vec<Trace> = ALL.iter().map(|n| data(n)).chain([sample()]).collect();
    for trace in &all {
        let (start, length) = (trace.index().start, trace.index().duration());
        let query = |q: &str| Compiled::new(&gotrail::query::parse(q).unwrap(), &trace.index(), &*TABLE).unwrap();
        let sync = query("reason:sync or state:runnable");
        let (from, to) = (start + Duration(length.ns() / 3), start + Duration(length.ns() / 2));
        for opts in [
            Options::default(),
            Options { from, to, filter: None },
            Options { filter: Some(&sync), ..Options::default() },
        ] {
            let of = |kind| {
                let p = offcpu::profile(trace, kind, opts).unwrap();
                (p.totals(false), p.totals(true))
            };
            assert_eq!(of(offcpu::Kind::Chain), of(offcpu::Kind::OffCpu));
        }
    }
}

/// Each wait with the steps of its chain.
fn chains(trace: &Trace) -> (Vec<(Interval, ChainId)>, Chains) {
    struct All<'a> {
        index: &'a Index,
        reasons: Reasons,
        follow: Follow,
        out: Vec<(Interval, ChainId)>,
    }
    impl Visit for All<'_> {
        fn end(&mut self, w: &Interval) {
            if w.state == GoState::Waiting {
                let waker = w.waker(self.index, &self.reasons);
                self.out.push((*w, self.follow.end(&self.index.dict, w, waker, true)));
            }
        }
    }
    let index = trace.index();
    let follow = Follow::new(index.goroutines.len(), true);
    let mut all = All { index: &index, reasons: Reasons::default(), follow, out: Vec::new() };
    tracker::each(trace, &mut all).unwrap();
    (all.out, all.follow.chains)
}

#[test]
fn the_chains_of_a_pass_are_those_found_one_by_one() {
    let (mut deepest, mut seen) = (0, 0);
    for (trace, most) in ALL.iter().map(|n| (data(n), usize::MAX)).chain([(sample(), 400)]) {
        let (all, chains) = chains(&trace);
        for (wait, chain) in all.iter().filter(|w| w.0.began.is_some()).take(most) {
            let found = path::chain(&trace, wait.began.unwrap()).unwrap().links;
            // Here a chain ends with the first wait that was over when the wait that it is of began.
            let inside = found[1..].iter().take_while(|l| l.wait.to > wait.from).count();
            let mut want = Vec::new();
            for l in &found[..=inside] {
                if !want.is_empty() {
                    want.push(Step { mark: Mark::HadWaited, stack: l.wait.stack });
                }
                let (mark, stack) = match l.waker {
                    Waker::Go(_) => (Mark::WokenBy, path::waker_stack(l)),
                    Waker::Network => (Mark::ByNetwork, StackId::NONE),
                    Waker::Timer => (Mark::ByTimer, StackId::NONE),
                    Waker::Runtime => (Mark::ByRuntime, StackId::NONE),
                    Waker::Nobody => continue,
                };
                want.push(Step { mark, stack });
            }
            assert_eq!(chains.steps(*chain), want);
            deepest = deepest.max(inside);
            seen += 1;
        }
    }
    assert!(deepest >= 5 && seen > 1000, "{deepest} {seen}");
}

#[test]
fn links_sum_to_the_links_of_the_summary() {
    // A coroutine is created waiting: for us that is a wait, for the summary's links it is not.
    for name in ALL.iter().filter(|n| **n != "coroutine") {
        let trace = data(name);
        let l = links::links(&trace, Options::default()).unwrap();
        let facts = summarize(&trace.index());
        let want: (u64, i64) = facts.links.iter().fold((0, 0), |(n, d), l| (n + l.count, d + l.total_ns));
        // Syscalls are waits for us.
        let edges: Vec<&Edge> = l.edges.iter().filter(|e| l.reason(e).class != Class::Syscall).collect();
        let closed = |e: &&&Edge| e.open == 0;
        let got = edges.iter().filter(closed).fold((0, 0), |(n, d), e| (n + e.count, d + e.total.ns()));
        let mixed: u64 = edges.iter().filter(|e| !closed(e)).map(|e| e.count - e.open).sum();
        assert_eq!(got.0 + mixed, want.0, "{name}");
        assert!(mixed > 0 || got.1 == want.1, "{name}: {} {}", got.1, want.1);
        for e in &l.edges {
            assert!(e.p99 <= e.max && e.max <= e.total && e.count >= e.open);
        }
    }
}

#[test]
fn a_window_cuts_waits_at_its_borders() {
    let trace = data("chain");
    let (from, to) = {
        let index = trace.index();
        (index.start + Duration(5 * MS), index.start + Duration(8 * MS))
    };
    let l = links::links(&trace, Options { from, to, filter: None }).unwrap();
    let index = trace.index();
    for e in l.edges.iter().filter(|e| words(&l, &index, e).starts_with("main.link")) {
        assert_eq!((e.count, e.total), (1, Duration(3 * MS)), "{}", words(&l, &index, e));
    }
    assert_eq!(l.edges.iter().filter(|e| words(&l, &index, e).starts_with("main.link")).count(), 5);
}

#[test]
fn the_waits_of_an_edge_are_listed_in_order() {
    let trace = data("convoy");
    let l = links::links(&trace, Options::default()).unwrap();
    let key = {
        let index = trace.index();
        let of = |e: &&Edge| words(&l, &index, e).starts_with("main.convoyFollower Mutex") && e.count == 5;
        l.edges.iter().find(of).unwrap().key
    };
    let all = links::list(&trace, Options::default(), &l, &key, 100).unwrap();
    assert_eq!(all.len(), 5);
    assert!(
        all.windows(2).all(|w| w[0].interval.from < w[1].interval.from && w[0].interval.len() < w[1].interval.len())
    );
    // Each is let go by the one before it.
    assert!(all.windows(2).all(|w| w[1].waker == Some(w[0].interval.go)));
    let two = links::list(&trace, Options::default(), &l, &key, 2).unwrap();
    assert_eq!(two, all[3..]);
}

static RECORDED: LazyLock<Vec<Trace>> = LazyLock::new(|| ALL.iter().map(|n| data(n)).collect());

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_parts_of_any_window_of_a_recorded_trace_sum_to_it(
        which in 0..ALL.len(),
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
fn a_written_profile_reads_back_with_its_sums_and_open_waits_labelled() {
    use gotrail::profile::wire;
    let trace = data("leak");
    let p = offcpu::profile(&trace, offcpu::Kind::Sync, Options::default()).unwrap();
    let index = trace.index();
    let bytes = wire::encode_gzip(&gotrail::report::offcpu::pprof(&p, &index).to_wire());
    let read = wire::decode(&bytes).unwrap();
    let text = |i: i64| String::from_utf8_lossy(&read.string_table[i as usize]).into_owned();
    let is_open = |s: &&wire::proto::Sample| s.label.iter().any(|l| text(l.key) == "open");
    let sum = |open: bool| -> i64 { read.sample.iter().filter(|s| is_open(s) == open).map(|s| s.value[1]).sum() };
    assert_eq!(sum(false), p.totals(false).1.ns());
    assert_eq!(sum(true), p.totals(true).1.ns());
    // Both that leak are in it, labelled, with their own stacks.
    for name in ["main.leaked", "main.dependent"] {
        let of = |s: &&wire::proto::Sample| s.label.iter().any(|l| text(l.key) == "goroutine" && text(l.str) == name);
        let s = read.sample.iter().find(of).unwrap();
        assert!(is_open(&s) && s.value[1] > 4 * MS && !s.location_id.is_empty());
    }
}

/// All traces that are here.
fn traces() -> Vec<PathBuf> {
    let folders = ["tests/data", "tests/data/v1", "sample-traces"];
    let files = folders.iter().flat_map(|f| std::fs::read_dir(root().join(f)).unwrap()).map(|f| f.unwrap().path());
    let is_trace = |p: &PathBuf| p.extension().is_some_and(|e| e == "trace") || p.ends_with("trace.out");
    files.filter(|p| is_trace(p) || p.to_string_lossy().ends_with("-trace.out")).collect()
}

#[test]
fn waits_that_were_kept_give_the_contention_that_the_events_give() {
    let mut followed = 0;
    for path in traces() {
        let input = input::open(&path).unwrap();
        let trace = Trace::open(&input.name, input.bytes).unwrap();
        let (reading, later) = (Keeper::default(), Keeper::default());
        trace.load_observed(Some(&reading), &|_| {}, &AtomicBool::new(false));
        assert!(trace.observe(&later, &|_| {}, &AtomicBool::new(false)));
        let events = contention::contention(&trace, None).unwrap();
        for keeper in [reading, later] {
            let known = contention::contention(&trace, Some(keeper.take().unwrap())).unwrap();
            assert_eq!(known.classes.len(), events.classes.len(), "{}", path.display());
            for (a, b) in known.classes.iter().zip(&events.classes) {
                assert_eq!(a, b, "{}", path.display());
                let caused = b.blame.iter().map(|b| b.delay).sum::<Duration>() + b.unreleased;
                assert_eq!(caused, b.total, "{}: {b:?}", path.display());
            }
        }
        followed += usize::from(!trace.index().totals.waits_missing && !events.classes.is_empty());
    }
    assert!(followed >= 20, "only {followed} traces had their waits followed");
}

#[test]
fn the_index_has_the_links_that_the_events_give() {
    let mut from_index = 0;
    for path in traces() {
        let trace = open(&path);
        let edges = |l: Links| {
            let index = trace.index();
            // Reasons are numbered as they are met.
            let text = |e: &Edge| {
                let times = (e.count, e.open, e.total, e.max, e.p99, e.longest, e.longest_go, e.longest_from);
                format!("{:?} {} {:?} {times:?}", e.key.waker_at, words(&l, &index, e), e.key.at)
            };
            let mut all: Vec<String> = l.edges.iter().map(text).collect();
            all.sort();
            all
        };
        let known = edges(links::links(&trace, Options::default()).unwrap());
        let events = edges(links::links_of_events(&trace, Options::default()).unwrap());
        for (a, b) in known.iter().zip(&events) {
            assert_eq!(a, b, "{}", path.display());
        }
        assert_eq!(known.len(), events.len(), "{}", path.display());
        let missing = trace.index().totals.waits_missing;
        from_index += usize::from(!missing);
    }
    assert!(from_index >= 20, "only {from_index} traces were summed up by their index");
}
