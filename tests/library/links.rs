//! Links: who waited for what and who ended it, held against programs whose behaviour is known (`tests/programs`,
//! `tests/data/README.md`) and against the index's own sums.

use crate::common;

use common::{PROGRAMS, load, recording, traces};
use gotrail::analysis::summary::summarize;
use gotrail::analysis::waits::knots::knots;
use gotrail::analysis::waits::links;
use gotrail::analysis::waits::links::{Edge, Links, Options, Party};
use gotrail::analysis::waits::path;
use gotrail::base::Duration;
use gotrail::model::Index;
use gotrail::model::Waker;
use gotrail::model::places::PlaceId;
use gotrail::model::reasons::Class;

const MS: i64 = 1_000_000;

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
    let trace = recording(name);
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
    let trace = recording("chain");
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

#[test]
fn two_pools_that_need_each_other_are_one_knot() {
    let trace = recording("knot");
    let l = links::links(&trace, Options::default()).unwrap();
    let index = trace.index();
    let k = knots(&l, &index);
    let names: Vec<Vec<&str>> = k.iter().map(|k| k.roles.iter().map(|r| r.name(&index)).collect::<Vec<_>>()).collect();
    assert_eq!(names.len(), 1);
    let mut names = names[0].clone();
    names.sort_unstable();
    assert_eq!(names, ["main.answerer", "main.asker"]);
    for none in ["chain", "convoy", "receiver"] {
        let trace = recording(none);
        let l = links::links(&trace, Options::default()).unwrap();
        assert!(knots(&l, &trace.index()).is_empty(), "{none}");
    }
}

#[test]
fn links_sum_to_the_links_of_the_summary() {
    // A coroutine is created waiting: for us that is a wait, for the summary's links it is not.
    for name in PROGRAMS.iter().filter(|n| **n != "coroutine") {
        let trace = recording(name);
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
    let trace = recording("chain");
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
    let trace = recording("convoy");
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

#[test]
fn the_index_has_the_links_that_the_events_give() {
    let mut from_index = 0;
    for path in traces() {
        let trace = load(&path);
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

#[test]
fn who_waits_for_a_lock_of_which_many_wait_is_unblocked_by_the_one_before() {
    let all = edges("convoy");
    assert_eq!(edge(&all, "main.convoyFollower Mutex locks.go:35 <- main.convoyHead locks.go:30").count, 1);
    assert_eq!(edge(&all, "main.convoyFollower Mutex locks.go:35 <- main.convoyFollower locks.go:37").count, 5);
}
