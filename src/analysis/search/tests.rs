use super::*;
use crate::analysis::cost::hits::{Callers, Hits, user_line};
use crate::analysis::states::source::Unanswered;
use crate::base::{GoIdx, GroupId, ProcIdx};
use crate::model::Index;
use crate::model::ownership::is_core;
use crate::model::segment::Kind;
use crate::model::{Lane, dict};
use crate::query::fixture::{Fixture, fixture, us};
use crate::query::parse;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

impl Source for Fixture {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.index);
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        self.segments.get(i).cloned().ok_or_else(|| Unanswered::Ours(format!("no segment {i}")))
    }
}

/// Repeats the second segment of the fixture, with numbers that go on.
fn long(extra: usize) -> Fixture {
    let mut f = fixture();
    for k in 0..extra {
        let first = 18 + 6 * k as u64;
        let mut b = crate::build::SegmentBuilder::new(first);
        for i in 0..6 {
            b.push(f.segments[1].event(i));
        }
        f.segments.push(Arc::new(b.finish()));
        let info = crate::model::SegmentInfo { first, ..f.index.segments[1].clone() };
        f.index.segments.push(info);
    }
    f
}

fn search(f: &Fixture, query: &str, threads: usize) -> (Vec<(usize, Vec<u64>)>, Outcome) {
    let opts = Options { threads, ..Options::default() };
    let mut out = Vec::new();
    let mut each = |i, hits: Vec<Hit>| out.push((i, hits.iter().map(|h| h.no).collect()));
    let outcome = run(f, &parse(query).unwrap(), &opts, &AtomicBool::new(false), &mut each).unwrap();
    (out, outcome)
}

fn hits(f: &Fixture, query: &str, cap: usize) -> (Hits, Compiled) {
    let compiled = compile(f, &parse(query).unwrap()).unwrap();
    let mut hits = Hits::new(cap);
    let never = AtomicBool::new(false);
    run_compiled(f, &compiled, &Options::default(), &never, &mut |_, found| hits.add(&found));
    (hits, compiled)
}

#[test]
fn segments_come_in_order_whatever_the_number_of_threads() {
    let f = long(20);
    let (alone, outcome) = search(&f, "kind:GoUnblock or kind:Log", 1);
    assert_eq!(alone.len(), 22);
    assert_eq!(alone[0], (0, vec![8]));
    assert_eq!(alone[1], (1, vec![13]));
    assert_eq!(alone[21], (21, vec![18 + 6 * 19 + 1]));
    assert_eq!((outcome.hits, outcome.visited, outcome.segments), (22, 22, 0..22));
    for threads in [2, 3, 7, 1000] {
        assert_eq!(search(&f, "kind:GoUnblock or kind:Log", threads).0, alone);
    }
}

#[test]
fn segments_without_a_chance_are_not_decoded() {
    let f = long(3);
    let (found, outcome) = search(&f, "kind:Log", 2);
    assert_eq!(outcome.visited, 1);
    let lists = [(0, vec![8]), (1, vec![]), (2, vec![]), (3, vec![]), (4, vec![])];
    assert_eq!(found, lists);
}

#[test]
fn a_wait_is_followed_into_later_segments() {
    let f = fixture();
    assert_eq!(search(&f, "by:12", 2).0, [(0, vec![4]), (1, vec![13])]);
    assert_eq!(search(&f, "state:waiting dur>=7ms dur<8ms", 2).0, [(0, vec![4]), (1, vec![])]);
    assert_eq!(search(&f, "state:waiting dur>=8ms", 2).0, [(0, vec![]), (1, vec![15])]);
}

#[test]
fn a_wait_without_end_is_looked_for_once_in_each_segment() {
    struct Counting(Fixture, AtomicUsize);
    impl Source for Counting {
        fn with_index(&self, f: &mut dyn FnMut(&Index)) {
            f(&self.0.index);
        }
        fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.segment(i)
        }
    }
    let c = Counting(long(10), AtomicUsize::new(0));
    let ahead = LookAhead::new(&c);
    for _ in 0..5 {
        assert_eq!(ahead.next(GoIdx(2), 0), None);
    }
    assert_eq!(c.1.load(Ordering::Relaxed), 12);
    assert_eq!(ahead.next(GoIdx(1), 12).unwrap().kind, Kind::GoUnblock);
    assert_eq!(ahead.next(GoIdx(1), 18 + 6 * 10), None);
}

#[test]
fn a_cancelled_search_ends_early_and_says_so() {
    let f = long(20);
    let cancel = AtomicBool::new(false);
    let mut seen = 0;
    let opts = Options { threads: 2, ..Options::default() };
    let outcome = run(&f, &parse("update").unwrap(), &opts, &cancel, &mut |i, _| {
        seen += 1;
        if i == 2 {
            cancel.store(true, Ordering::Relaxed);
        }
    });
    let outcome = outcome.unwrap();
    assert!(outcome.cancelled);
    assert_eq!((outcome.segments, seen), (0..3, 3));
}

#[test]
fn a_search_can_go_on_where_the_last_one_ended() {
    let f = long(2);
    let never = AtomicBool::new(false);
    let q = parse("kind:GoUnblock").unwrap();
    let mut out = Vec::new();
    for segments in [0..2, 2..100, 100..200] {
        let opts = Options { segments, threads: 2 };
        run(&f, &q, &opts, &never, &mut |i, h| out.push((i, h.len()))).unwrap();
    }
    assert_eq!(out, [(0, 0), (1, 1), (2, 1), (3, 1)]);
}

#[test]
fn a_segment_that_cannot_be_read_is_named() {
    let mut f = long(1);
    f.segments.pop();
    let (found, outcome) = search(&f, "mapassign", 2);
    assert_eq!(found.len(), 3);
    assert_eq!(outcome.failed, [(2, Unanswered::Ours("no segment 2".into()))]);
}

#[test]
fn hits_are_stepped_through_by_number_and_by_time() {
    let f = fixture();
    let (hits, _) = hits(&f, "mapassign", 10);
    let no = |at: Option<usize>| at.map(|i| hits.kept()[i].no);
    assert_eq!((hits.total(), hits.samples(), hits.is_capped()), (3, 3, false));
    assert_eq!(no(hits.after(0)), Some(5));
    assert_eq!(no(hits.after(5)), Some(10));
    assert_eq!(no(hits.after(17)), None);
    assert_eq!(no(hits.before(17)), Some(10));
    assert_eq!(no(hits.before(5)), None);
    assert_eq!(no(hits.from_time(us(3_000))), Some(5));
    assert_eq!(no(hits.from_time(us(3_001))), Some(10));
    assert_eq!(no(hits.before_time(us(5_000))), Some(5));
}

#[test]
fn every_lane_counts_its_hits_in_every_cell() {
    let f = fixture();
    let (hits, _) = hits(&f, "update", 10);
    let counts = |lane, from, to, width| hits.counts(&f.index, lane, us(from), us(to), width);
    // Hits at 3 (twice), 5, 10, 12 and 20 ms.
    assert_eq!(counts(Lane::All, 0, 20_000, 4), [2, 1, 2, 0]);
    assert_eq!(counts(Lane::All, 0, 24_000, 4), [3, 1, 1, 1]);
    assert_eq!(counts(Lane::Go(GoIdx(1)), 0, 24_000, 4), [1, 1, 1, 0]);
    assert_eq!(counts(Lane::Go(GoIdx(2)), 0, 24_000, 4), [2, 0, 0, 1]);
    assert_eq!(counts(Lane::Group(GroupId(1)), 0, 24_000, 4), [1, 1, 1, 0]);
    assert_eq!(counts(Lane::Group(GroupId(9)), 0, 24_000, 4), [0, 0, 0, 0]);
    assert_eq!(counts(Lane::Proc(ProcIdx(0)), 0, 24_000, 4), [0, 0, 1, 0]);
    assert_eq!(counts(Lane::All, 3_000, 3_001, 1), [2]);
    assert_eq!(counts(Lane::All, 5_000, 5_000, 3), [0, 0, 0]);
    assert_eq!(hits.counts(&f.index, Lane::All, crate::base::Time::MIN, crate::base::Time::MAX, 2), [0, 6]);
    assert_eq!(hits.on_lane(&f.index, Lane::Group(GroupId(1))), 3);
    assert_eq!(hits.on_lane(&f.index, Lane::Go(GoIdx(2))), 3);
}

fn lines(f: &Fixture, callers: &[crate::analysis::cost::hits::Caller]) -> Vec<(String, u64)> {
    let d = &f.index.dict;
    let line = |c: &crate::analysis::cost::hits::Caller| {
        (format!("{}:{}", dict::short_func(d.func_name(c.func)), c.line), c.count)
    };
    callers.iter().map(line).collect()
}

#[test]
fn hits_are_summed_up_by_the_line_of_user_code_below_the_match() {
    let f = fixture();
    let update = |line, n| (format!("payment.(*OrderCache).Update:{line}"), n);
    let sums = |query: &str, cap| -> Callers {
        let (hits, compiled) = hits(&f, query, cap);
        hits.callers(&f.index.dict, &compiled, user_line)
    };
    let c = sums("mapassign", 10);
    assert_eq!(lines(&f, &c.samples), [update(47, 2), update(55, 1)]);
    assert!((c.samples[0].share - 2.0 / 3.0).abs() < 1e-9);
    assert!(c.events.is_empty());
    // The cap is on hits, not on sums.
    assert_eq!(sums("mapassign", 1), c);

    let c = sums("func:update", 10);
    assert_eq!(lines(&f, &c.samples), [update(47, 2), update(55, 1)]);
    assert_eq!(lines(&f, &c.events), [update(46, 2), update(48, 1)]);
    // From the match on: what the worker calls does not count.
    let c = sums("func:main.main.func1.1 kind:CPUSample", 10);
    assert_eq!(lines(&f, &c.samples), [("main.main.func1.1:30".to_string(), 3)]);
    // What the query denies is no match of it.
    let c = sums("kind:GoBlock -main.main.func1.1", 10);
    assert_eq!(lines(&f, &c.events), [update(46, 2)]);
    // Without a stack.
    let c = sums("kind:HeapAlloc", 10);
    assert_eq!(lines(&f, &c.events), [(":0".to_string(), 1)]);
}

#[test]
fn only_the_runtime_itself_is_core() {
    assert!(is_core("runtime.mapassign") && is_core("internal/runtime/maps.(*Map).PutSlot"));
    assert!(!is_core("runtime/pprof.(*profMap).lookup") && !is_core("sync.(*Map).Store"));
}

#[test]
fn hits_beyond_the_cap_are_counted() {
    let f = long(50);
    let (hits, _) = hits(&f, "update", 7);
    assert_eq!(hits.kept().len(), 7);
    assert_eq!(hits.total(), 6 + 50 * 3);
    assert!(hits.is_capped());
}
