//! Profiles off the CPU and chains of wakers, held against Go's own reader, against each other and against what one finds
//! step by step.

use crate::common;

use common::{PROGRAMS, load, recording, root, sample_trace};
use gotrail::analysis::cost::offcpu;
use gotrail::analysis::states::tracker;
use gotrail::analysis::states::tracker::{Interval, Visit};
use gotrail::analysis::summary::summarize;
use gotrail::analysis::waits::chains::{ChainId, Chains, Follow, Mark, Step};
use gotrail::analysis::waits::links::Options;
use gotrail::analysis::waits::path;
use gotrail::base::{Duration, StackId};
use gotrail::model::Index;
use gotrail::model::Waker;
use gotrail::model::reasons::{Reasons, TABLE};
use gotrail::model::segment::GoState;
use gotrail::query::Compiled;
use gotrail::read::Trace;

const MS: i64 = 1_000_000;

#[test]
fn closed_waits_sum_to_what_gos_own_reader_says() {
    let mut all: Vec<(String, Trace)> = PROGRAMS.iter().map(|n| (n.to_string(), recording(n))).collect();
    all.push(("sample".into(), sample_trace()));
    all.push(("go1.22".into(), load(root().join("sample-traces/go1.22-trace.out"))));
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
    let trace = sample_trace();
    let p = offcpu::profile(&trace, offcpu::Kind::Sync, Options::default()).unwrap();
    let of = p.records.iter().filter(|r| p.reason(r).is_some_and(|r| r == "chan receive or select"));
    assert_eq!(of.clone().map(|r| r.count).sum::<u64>(), 4);
    assert!(of.into_iter().all(|r| r.key.open == offcpu::Open::Start));
}

#[test]
fn chains_take_as_long_as_what_they_are_of() {
    let all: Vec<Trace> = PROGRAMS.iter().map(|n| recording(n)).chain([sample_trace()]).collect();
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
    for (trace, most) in PROGRAMS.iter().map(|n| (recording(n), usize::MAX)).chain([(sample_trace(), 400)]) {
        let (all, chains) = chains(&trace);
        for (wait, chain) in all.iter().filter(|w| w.0.began.is_some()).take(most) {
            let found = path::chain(&trace, wait.began.unwrap()).unwrap().links;
            assert!(found.iter().all(|l| l.wait.to > wait.from || l.wait == found[0].wait), "{found:?}");
            let inside = found.len() - 1;
            let mut want = Vec::new();
            for l in &found {
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
fn a_written_profile_reads_back_with_its_sums_and_open_waits_labelled() {
    use gotrail::profile::wire;
    let trace = recording("leak");
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
