//! Locks, channels and pools: who caused the delay, held against programs whose behaviour is known.

use crate::common;

use common::{load, recording, sample_trace, traces};
use gotrail::analysis::waits::contention::{self, Bottleneck, Contended, Keeper, What as Kind};
use gotrail::base::Duration;

use gotrail::model::places::PlaceId;
use gotrail::read::Trace;
use std::sync::atomic::AtomicBool;

fn classes(name: &str) -> (Trace, contention::Contention) {
    let trace = recording(name);
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
    assert!((15_000_000..18_000_000).contains(&l.max.ns()), "{}", l.max);
    // Who waits on average is the sum of the waits over the trace.
    let mean = l.total.ns() as f64 / t.index().duration().ns() as f64;
    assert!((l.depth_mean_milli as f64 / 1000.0 - mean).abs() < 0.002);
    // The first is let go by the head, each other by the one before it.
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

/// The writer releases the readers that wait behind it, and has not held the lock for longer than a moment.
#[test]
fn readers_behind_a_writer_are_held_up_by_the_reader_that_the_writer_waits_for() {
    let (t, c) = classes("reload");
    let l = &c.classes[0];
    assert_eq!((l.what, l.waits_at.len()), (Kind::Lock, 2), "readers and writers wait for one lock");
    let by = blame(&t, &c, l);
    assert_eq!(by[0].1, "blame.go:338", "{by:?}");
    assert!(by[0].2 >= 950, "{by:?}");
    let did = while_held(&t, &c, l);
    assert_eq!((did[0].0.as_str(), did[0].1.as_str()), ("sleep", "blame.go:337"), "{did:?}");
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
    let trace = load(&path);
    let c = contention::contention(&trace, None).unwrap();
    let p = &c.classes[0];
    assert_eq!((p.bottleneck(), p.held_max), (Some(Bottleneck::Pool), 4));
    assert_eq!(lines(&trace, &c, p).0, ["main.go:32"]);
    let did = while_held(&trace, &c, p);
    assert_eq!((did[0].1.as_str(), did[1].1.as_str()), ("main.go:60", "main.go:35"), "{did:?}");
    assert!(did[0].2 > 650 && did[1].2 > 200, "{did:?}");
}

#[test]
fn the_lock_of_the_order_cache_is_the_samples_first() {
    let trace = sample_trace();
    let c = contention::contention(&trace, None).unwrap();
    let first = c.classes.iter().find(|c| c.what == Kind::Lock).unwrap();
    assert_eq!(lines(&trace, &c, first).0, ["order_cache.go:45"]);
}

#[test]
fn waits_that_were_kept_give_the_contention_that_the_events_give() {
    let mut followed = 0;
    for path in traces() {
        let trace = common::unread(&path);
        let (reading, later) = (Keeper::default(), Keeper::default());
        trace.load_observed(Some(&reading), &|_| {}, &AtomicBool::new(false));
        assert!(trace.observe(&later, &|_| {}, &AtomicBool::new(false)));
        let events = contention::contention(&trace, None).unwrap();
        for keeper in [reading, later] {
            let known = contention::contention(&trace, Some(&keeper.take().unwrap())).unwrap();
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
fn of_several_locks_behind_one_line_each_has_its_own_delay() {
    let (t, c) = classes("shards");
    let x = c.classes.iter().find(|x| x.what == Kind::Lock).unwrap();
    assert!(x.several, "somebody was passed over");
    let blame = blame(&t, &c, x);
    // The sweep of part 0, and not the many quick holders of the other parts, who come in between all the time.
    assert_eq!(blame[0].1, "shards.go:48", "{blame:?}");
    assert!(blame[0].2 > 700, "{blame:?}");
    let did = while_held(&t, &c, x);
    assert_eq!((did[0].0.as_str(), did[0].1.as_str()), ("sleep", "shards.go:47"), "{did:?}");
    // A lock that is one is never taken for several.
    let one = ["convoy", "starved", "sweep", "sweeplight", "readers"].map(recording);
    for t in one.into_iter().chain([sample_trace()]) {
        let c = contention::contention(&t, None).unwrap();
        assert!(c.classes.iter().all(|x| x.what != Kind::Lock || !x.several), "{}", t.name());
    }
    // Nor is a channel.
    for t in ["receiver", "pool", "limit", "pipeline"].map(recording) {
        let c = contention::contention(&t, None).unwrap();
        assert!(c.classes.iter().all(|x| !x.several), "{}", t.name());
    }
}
