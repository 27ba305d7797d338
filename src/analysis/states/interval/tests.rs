//! Intervals of the hand-made trace of the query tests, and of the demo.

use super::*;
use crate::query::fixture::{Fixture, fixture, us};

const G1: GoIdx = GoIdx(0);
const G8: GoIdx = GoIdx(1);
const G12: GoIdx = GoIdx(2);

fn at_us(f: &Fixture, go: GoIdx, t: i64) -> Option<Interval> {
    at(f, go, us(t), &AtomicBool::new(false))
}

#[test]
fn a_wait_is_followed_across_segments_to_who_ended_it() {
    let f = fixture();
    for t in [3_000, 5_000, 8_000, 9_999] {
        let i = at_us(&f, G8, t).unwrap();
        assert_eq!((i.state, i.from, i.to), (GoState::Waiting, us(3_000), us(10_000)), "at {t}");
        assert_eq!(f.index.dict.str(i.reason), "sync");
        assert_eq!(f.index.dict.user_line(i.stack).unwrap().line, 46);
        let w = i.waker.unwrap();
        assert_eq!((w.by, w.at, w.created), (By::Goroutine(G12), us(10_000), false));
        assert_eq!(f.index.dict.user_line(w.stack).unwrap().line, 48);
    }
}

#[test]
fn the_ends_of_the_trace_are_named_as_such() {
    let f = fixture();
    let i = at_us(&f, G8, 15_000).unwrap();
    assert_eq!((i.state, i.end), (GoState::Waiting, Edge::Trace));
    assert!(i.waker.is_none());
    let i = at_us(&f, G1, 500).unwrap();
    assert_eq!((i.state, i.begin, i.from), (GoState::Running, Edge::Trace, us(0)));
    assert_eq!(at_us(&f, G8, 500), None, "not created yet");
}

#[test]
fn a_runnable_goroutine_names_who_readied_it_and_so_does_the_run_after() {
    let f = fixture();
    let i = at_us(&f, G8, 10_500).unwrap();
    assert_eq!((i.state, i.waker.unwrap().by), (GoState::Runnable, By::Goroutine(G12)));
    let i = at_us(&f, G8, 11_500).unwrap();
    assert_eq!((i.state, i.waker.unwrap().by, i.proc.0), (GoState::Running, By::Goroutine(G12), 0));
    let i = at_us(&f, G8, 1_500).unwrap();
    assert!(i.waker.unwrap().created && i.waker.unwrap().by == By::Goroutine(G1));
}

#[test]
fn steps_go_through_all_changes_and_back() {
    let f = fixture();
    let never = AtomicBool::new(false);
    let mut t = us(1_000);
    let mut seen = Vec::new();
    while let Some(next) = step(&f, G8, t, true, &never) {
        seen.push(next);
        t = next;
    }
    assert_eq!(seen, [2_000, 3_000, 10_000, 11_000, 12_000].map(us));
    let back = step(&f, G8, us(12_000), false, &never);
    assert_eq!(back, Some(us(11_000)));
    assert_eq!(step(&f, G8, us(12_500), false, &never), Some(us(12_000)));
}

#[test]
fn wakers_and_woken_agree_on_a_real_trace() {
    let trace = crate::read::fixture::trace();
    let never = AtomicBool::new(false);
    let gos = trace.index().goroutines.len() as u32;
    let (start, end) = (trace.index().start, trace.index().end);
    let mut checked = 0;
    for g in 0..gos.min(40) {
        let middle = start + Duration((end - start).0 / 2);
        let Some(i) = at(&*trace, GoIdx(g), middle, &never) else { continue };
        assert!(i.from <= middle && middle < i.to);
        if let (GoState::Waiting, Some(Waker { by: By::Goroutine(by), at: t, .. })) = (i.state, i.waker) {
            let waker = at(&*trace, by, t - Duration(1), &never).unwrap();
            if waker.state == GoState::Running && waker.woke.len() < MAX_WOKE {
                assert!(waker.woke.iter().any(|w| w.go == GoIdx(g) && w.at == t), "G{g}");
                checked += 1;
            }
        }
    }
    assert!(checked > 2, "{checked}");
}
