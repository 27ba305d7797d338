//! Waits whose meaning is easily taken for another: each program does what its comment says, in `tests/programs/crews.go`.

use crate::common;

use common::{recording, root};
use gotrail::analysis::waits::contention::{self, Bottleneck, Contended, What};
use gotrail::analysis::waits::links::{self, Options};
use gotrail::analysis::waits::standing::{Standing, standings};
use gotrail::base::Duration;
use gotrail::model::reasons::How;
use gotrail::read::Trace;
use std::collections::BTreeMap;

fn locks(name: &str) -> (Trace, contention::Contention) {
    let trace = recording(name);
    let c = contention::contention(&trace, None).unwrap();
    (trace, c)
}

fn class<'a>(c: &'a contention::Contention, reason: &str) -> &'a Contended {
    let is = |c: &&Contended| c.waits_at.iter().any(|w| w.1 == reason);
    c.classes.iter().find(is).unwrap_or_else(|| panic!("no class waits for {reason}"))
}

/// How often, how long, and how it stands.
type Waited = (u64, Duration, Standing);

/// The waits by start function and reason.
fn waits(trace: &Trace) -> BTreeMap<(String, String), Vec<Waited>> {
    let l = links::links(trace, Options::default()).unwrap();
    let index = trace.index();
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (e, s) in l.edges.iter().zip(standings(&index, &l)) {
        let key = (index.group_name(e.key.waiter).to_owned(), l.reason(e).name);
        all.entry(key).or_default().push((e.count, e.total, s));
    }
    all
}

/// What `findings` says, by the names of its rules.
fn findings(name: &str) -> BTreeMap<String, serde_json::Value> {
    let file = format!("tests/data/{name}.trace");
    let out = common::gotrail().args(["findings", "--format", "json", &file]).current_dir(root()).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let all = json["findings"].as_array().unwrap().iter();
    all.map(|f| (f["rule"].as_str().unwrap().to_owned(), f.clone())).collect()
}

#[test]
fn a_slot_that_is_taken_before_a_goroutine_is_started_is_held_by_it() {
    let (_, c) = locks("crew");
    let x = class(&c, "chan send");
    assert_eq!((x.bottleneck(), x.held_max), (Some(Bottleneck::Pool), 3));
    // Whoever waits could not receive any faster.
    let found = findings("crew");
    assert!(found.contains_key("pool-exhausted") && !found.contains_key("slow-receiver"), "{:?}", found.keys());
}

#[test]
fn goroutines_that_receive_what_others_send_them_hold_no_pool() {
    for name in ["receiver", "pipeline", "makers", "idle", "picker", "dismissed"] {
        let (_, c) = locks(name);
        assert!(c.classes.iter().all(|c| c.bottleneck() != Some(Bottleneck::Pool)), "{name}");
    }
}

#[test]
fn who_waits_for_an_initialisation_is_a_finding() {
    let (_, c) = locks("once");
    let x = class(&c, "Once");
    assert_eq!((x.what, x.waits, x.depth_max), (What::Once, 11, 11));
    let found = findings("once");
    let says = found["lock-holder"]["says"].as_str().unwrap();
    assert!(says.contains("11.0 goroutines at a time are blocked while a sync.Once initialises"), "{says}");
}

/// Who cancels one context has nothing to do with those who wait for another.
#[test]
fn a_channel_that_is_closed_is_laid_to_who_closed_it() {
    let (trace, c) = locks("contexts");
    let x = class(&c, "chan receive");
    assert_eq!((x.waits, x.bottleneck()), (10, Some(Bottleneck::Closed)));
    let of = waits(&trace);
    let l = links::links(&trace, Options::default()).unwrap();
    let index = trace.index();
    for b in &x.blame {
        assert_eq!(b.how, Some(How::Cancel));
        let own =
            l.edges.iter().filter(|e| matches!(e.key.waker, links::Party::Group(g) if index.group_name(g) == b.who));
        let own: Duration =
            own.filter(|e| index.group_name(e.key.waiter) == "main.contextWaiter").map(|e| e.total).sum();
        assert_eq!(b.delay, own, "{}", b.who);
    }
    assert_eq!((x.blame[0].who.as_str(), x.blame[0].releases), ("main.main", 6));
    let all = &of[&("main.contextWaiter".to_owned(), "chan receive".to_owned())];
    assert_eq!(x.total, all.iter().map(|w| w.1).sum());
}

#[test]
fn who_has_to_take_a_conditions_lock_again_waits_for_a_lock() {
    let (trace, c) = locks("condstorm");
    let (cond, lock) = (class(&c, "Cond"), class(&c, "Mutex"));
    assert_eq!((cond.what, cond.waits, lock.what), (What::Cond, 150, What::Lock));
    assert!(cond.blame.iter().all(|b| b.who == "main.main"), "{:?}", cond.blame);
    assert!(lock.waits > 100 && lock.blame.iter().all(|b| b.how == Some(How::Release)), "{:?}", lock.blame);
    let of = waits(&trace);
    assert!(of[&("main.condWaiter".to_owned(), "Mutex".to_owned())].iter().all(|w| w.2 == Standing::Stall));
}

#[test]
fn who_waits_for_a_connection_of_a_transport_waits_for_a_pool() {
    let (trace, c) = locks("exhausted");
    let x = class(&c, "HTTP connection");
    assert_eq!((x.what, x.waits, x.idle()), (What::Semaphore, 12, false));
    // It is not idle, although a client waits in its start function again and again.
    let of = waits(&trace);
    for reason in ["HTTP connection", "select (HTTP)"] {
        let all = &of[&("main.exhaustedClient".to_owned(), reason.to_owned())];
        assert!(all.iter().all(|w| w.2 == Standing::Stall), "{reason}: {all:?}");
    }
    let found = findings("exhausted");
    let says = found["pool-exhausted"]["says"].as_str().unwrap();
    assert!(says.ends_with("goroutines wait for one of the pool"), "{says}");
}

/// A net.Pipe hands over from select to select: nothing tells which side waited, and that is said.
#[test]
fn selects_that_selects_end_are_counted_and_hold_work_up() {
    let (trace, c) = locks("pipewriters");
    let of = waits(&trace);
    let writers = &of[&("main.fastPipeWriter".to_owned(), "select".to_owned())];
    assert!(writers.iter().all(|w| w.2 == Standing::Stall), "{writers:?}");
    let selects = of.iter().filter(|(k, _)| k.1 == "select").flat_map(|(_, w)| w);
    let (count, total) = selects.fold((0, Duration::ZERO), |(n, d), w| (n + w.0, d + w.1));
    assert_eq!((c.unsaid.selects.count, c.unsaid.selects.total), (count, total));
    assert_eq!((count, c.unsaid.waits.count), (18, 0));
    let text = common::run(["locks", "tests/data/pipewriters.trace"]).0;
    assert!(text.contains("not counted: 18 waits in a select, "), "{text}");
}

/// The wrapper that the compiler makes of a `go` statement has a name that nobody wrote.
#[test]
fn goroutines_are_called_by_what_the_user_wrote() {
    let trace = recording("wrapped");
    let index = trace.index();
    let names: Vec<(&str, usize)> = index.groups.iter().map(|g| (index.dict.str(g.name), g.members.len())).collect();
    assert!(names.iter().any(|n| n.0 == "main.wrapped.gowrap1"), "{names:?}");
    let shown = |name: &str| {
        let at = index.groups.iter().position(|g| index.dict.str(g.name) == name).unwrap();
        index.group_name(gotrail::base::GroupId(at as u32)).to_owned()
    };
    assert_eq!(shown("main.wrapped.gowrap1"), "main.dozer.Run");
    assert_eq!(shown("main.wrapped.gowrap2"), "main.attend");
    assert_eq!(shown("main.attend"), "main.attend");
    assert_eq!(shown("main.wrapped.gowrap4"), "main.wrapped (go statement, crews.go:239)");
    drop(index);
    // Nobody is shown the other name, and both find the goroutine.
    for command in ["waits", "locks", "summary", "leaks"] {
        let text = common::run([command, "tests/data/wrapped.trace"]).0;
        assert!(!text.contains("gowrap"), "{command}: {text}");
    }
    for group in ["main.dozer.Run", "main.wrapped.gowrap1"] {
        let args = ["events", "tests/data/wrapped.trace", "--filter", &format!("group:{group} kind:GoBlock")];
        assert_eq!(common::run(args).0.lines().count(), 2, "{group}");
    }
}

/// Goroutines that start in one function which calls what it is given are told apart by what that is.
#[test]
fn who_waits_for_each_other_is_told_by_what_they_do() {
    use gotrail::analysis::waits::knots::knots;
    let trace = recording("roles");
    let index = trace.index();
    let l = links::links(&trace, Options::default()).unwrap();
    let k = knots(&l, &index);
    let roles: Vec<Vec<&str>> = k.iter().map(|k| k.roles.iter().map(|r| r.name(&index)).collect()).collect();
    // What feeds and what sinks waits one way: no cycle, and no part of the other.
    let mut names = roles.concat();
    names.sort_unstable();
    assert_eq!((roles.len(), names), (1, vec!["main.roles.func1", "main.roles.func2"]));
    let line = |p| l.places.line(&index, p);
    let lines: Vec<(String, String)> = k[0].between.iter().map(|b| (line(b.waiter.1), line(b.waker.1))).collect();
    let at = |a: u32, b: u32| (format!("programs/crews.go:{a}"), format!("programs/crews.go:{b}"));
    assert!(lines.contains(&at(194, 186)) && lines.contains(&at(187, 196)), "{lines:?}");
    let text = common::run(["waits", "tests/data/roles.trace"]).0;
    assert!(
        text.contains("wait cycle: goroutines of main.roles.func1, main.roles.func2 wait for one another"),
        "{text}"
    );
    assert!(text.contains("main.roles.func1 programs/crews.go:187 ← main.roles.func2 programs/crews.go:196"), "{text}");
}

/// A goroutine of which no stack of its own is in the trace is known by those that it created.
#[test]
fn who_only_switches_to_iterators_has_a_name() {
    let trace = recording("coroutine");
    let of = waits(&trace);
    let main = &of[&("main.main".to_owned(), "coroutine switch (iter.Pull)".to_owned())];
    assert_eq!(main.iter().map(|w| w.0).sum::<u64>(), 25);
    assert!(!of.keys().any(|k| k.0.is_empty()), "{:?}", of.keys());
    assert!(common::run(["summary", "tests/data/coroutine.trace"]).0.contains("main.main"));
}
