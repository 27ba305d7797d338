//! What programs do that also old versions of Go compile (`tests/programs/old`), as recorded by several of them.

use crate::common;

use common::{data, load};
use gotrail::analysis::leaks;
use gotrail::analysis::waits::contention::{self, Bottleneck, Contended, Contention};
use gotrail::analysis::waits::links::{self, Links, Party};
use gotrail::analysis::waits::path;
use gotrail::base::Duration;
use gotrail::model::Waker;
use gotrail::model::reasons::Class;
use gotrail::read::Trace;

fn recorded(name: &str, version: &str) -> Trace {
    load(data(&format!("old/{name}-go{version}.trace")))
}

fn links_of(trace: &Trace) -> Links {
    links::links(trace, links::Options::default()).unwrap()
}

/// What is contended where goroutines wait for this reason.
fn class<'c>(c: &'c Contention, reason: &str) -> Option<&'c Contended> {
    c.classes.iter().find(|c| c.waits_at.iter().any(|w| w.1 == reason))
}

/// The times of old formats begin with each recording, but their clock runs on.
#[test]
fn recordings_of_old_versions_are_as_far_apart_as_they_were() {
    for version in ["1.21", "1.22", "1.27"] {
        let trace = recorded("restart", version);
        let index = trace.index();
        assert_eq!(index.recordings.len(), 3, "{version}");
        for pair in index.recordings.windows(2) {
            let gap = pair[1].from - pair[0].to;
            assert!((Duration(195_000_000)..Duration(260_000_000)).contains(&gap), "{version}: {gap} apart");
        }
        assert!(index.traced() < Duration(400_000_000), "{version}: {} traced", index.traced());
        let said = index.losses.join("\n");
        assert!(!said.contains("clock of its own"), "{version}: {said}");
        // Before 1.22 nothing tells whether a process goes on.
        assert_eq!(said.contains("of up to 3 processes"), version < "1.22", "{version}: {said}");
    }
}

/// Waits, locks and leaks of a process whose tracing was started again have one number of what never ended.
#[test]
fn what_never_ended_is_counted_once_where_tracing_was_started_again() {
    for version in ["1.22", "1.27"] {
        let trace = recorded("reopened", version);
        let links = links_of(&trace);
        let reason = |e: &&links::Edge| trace.index().group_name(e.key.waiter).starts_with("main.reopened.func1");
        let open: Vec<&links::Edge> =
            links.edges.iter().filter(|e| e.key.waker == Party::Nobody).filter(reason).collect();
        let unfinished: u64 = open.iter().map(|e| e.unfinished).sum();
        assert_eq!(unfinished, 24, "{version}: {open:?}");
        let events = links::links_of_events(&trace, links::Options::default()).unwrap();
        let of = |l: &Links| -> Vec<(u64, u64, u64)> {
            let own = l.edges.iter().filter(|e| e.key.waker == Party::Nobody).filter(reason);
            own.map(|e| (e.count, e.open, e.unfinished)).collect()
        };
        assert_eq!(of(&links), of(&events), "{version}");
        // Go 1.22 does not say what those wait for that were blocked before the trace began.
        let told = if version == "1.22" { 8 } else { unfinished };
        let stuck = leaks::stuck(&trace, &links, None).unwrap();
        let index = trace.index();
        let stuck = stuck.iter().filter(|s| index.group_name(s.key.waiter).starts_with("main.reopened.func1"));
        assert_eq!(stuck.map(|s| s.goroutines.len() as u64).sum::<u64>(), told, "{version}");
        drop(index);
        let c = contention::contention(&trace, None).unwrap();
        let locks: u64 = c.classes.iter().map(|c| c.unfinished).sum();
        assert_eq!(locks, told, "{version}");
        // What is not told is counted, and together they are all that `waits` counts but for the runtime's own.
        let index = trace.index();
        let hidden = |e: &&links::Edge| !index.owner(e.key.waiter).is_hidden();
        let locking = |e: &&links::Edge| !matches!(links.reason(e).class, Class::Sleep | Class::Network);
        let ends = links.edges.iter().filter(|e| e.key.waker == Party::Nobody);
        let all: u64 = ends.filter(hidden).filter(locking).map(|e| e.unfinished).sum();
        assert_eq!(locks + c.unsaid.unfinished, all, "{version}: {:?}", c.unsaid);
    }
}

/// Shares are of what was traced.
#[test]
fn the_time_between_recordings_is_part_of_nothing() {
    let trace = recorded("reopened", "1.27");
    let c = contention::contention(&trace, None).unwrap();
    assert_eq!(c.length(), trace.index().traced());
    let senders = class(&c, "chan send").unwrap();
    // They wait from the first instants on, to the last.
    assert!(senders.busy.ns() * 10 > c.length().ns() * 8, "{} of {}", senders.busy, c.length());
    assert!(c.length() < Duration(150_000_000) && trace.index().duration() > Duration(190_000_000), "{}", c.length());
}

#[test]
fn who_receives_what_nobody_sends_is_in_the_list_of_locks_and_last() {
    for version in ["1.21", "1.22", "1.27"] {
        let trace = recorded("unserved", version);
        let c = contention::contention(&trace, None).unwrap();
        let x = class(&c, "chan receive").unwrap_or_else(|| panic!("{version}: no channel"));
        assert_eq!((x.waits, x.unfinished, x.handoffs), (5, 5, 0), "{version}");
        assert_eq!(x.bottleneck(), Some(Bottleneck::NoSender), "{version}");
        assert!(x.idle() && x.unreleased == x.total, "{version}: {x:?}");
    }
}

#[test]
fn a_cancelled_context_has_no_slow_sender() {
    for version in ["1.21", "1.22", "1.27"] {
        let trace = recorded("cancelled", version);
        let c = contention::contention(&trace, None).unwrap();
        let x = class(&c, "chan receive").unwrap();
        assert_eq!((x.waits, x.bottleneck()), (10, Some(Bottleneck::Closed)), "{version}: {:?}", x.blame);
    }
}

/// A holder that was blocked since before the wait began is followed to what it waits for, and no further back than that.
#[test]
fn a_chain_follows_a_holder_that_was_blocked_before_and_leaves_out_what_was_over() {
    for version in ["1.21", "1.22", "1.27"] {
        let trace = recorded("heldbefore", version);
        let links = links_of(&trace);
        let mutex = links.edges.iter().find(|e| links.reason(e).name == "Mutex").unwrap();
        let chain = path::chain(&trace, mutex.longest.unwrap()).unwrap();
        let first = chain.links[0].wait;
        // The waiter waits for the holder, which waits for the sender. What the sender waited for was over by then.
        assert_eq!(chain.links.len(), 2, "{version}: {:?}", chain.links);
        let held = chain.links[1].wait;
        assert!(held.from < first.from && held.to > first.from, "{version}: {held:?}");
        assert!(matches!(chain.links[1].waker, Waker::Go(g) if g != first.go && g != held.go), "{version}");
        let spent = chain.spent.unwrap_or_else(|| panic!("{version}: it does not say what the sender did"));
        let waited = first.to - first.from;
        assert!(spent.running + spent.runnable <= waited + Duration(1_000_000), "{version}: {spent:?} in {waited}");
        assert!(spent.running.ns() * 2 > waited.ns(), "{version}: {spent:?} in {waited}");
    }
}
