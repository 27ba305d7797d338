//! Exact cells against goroutines made by hand and by chance.

use super::*;
use crate::analysis::states::source::Unanswered;
use crate::analysis::states::spans::Cuts;
use crate::base::{ProcIdx, StackId, ThreadIdx};
use crate::build::SegmentBuilder;
use crate::model::{Event, Index};
use proptest::prelude::*;
use std::sync::Arc;

const G: GoIdx = GoIdx(3);

/// Segments made by hand.
#[derive(Default)]
struct Made {
    cuts: Cuts,
    segments: Vec<Arc<Segment>>,
}

impl Source for Made {
    fn cuts(&self) -> Cuts {
        self.cuts.clone()
    }
    fn with_index(&self, _: &mut dyn FnMut(&Index)) {}

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        self.segments.get(i).cloned().ok_or(Unanswered::NoTrace)
    }
    fn summary(&self, _: Lane, _: Time, _: Time) -> Cell {
        Cell::default()
    }
}

fn event(time: i64, kind: Kind, detail: Detail) -> Event {
    let (proc, thread) = (ProcIdx(0), ThreadIdx(0));
    Event { no: 0, time: Time(time), kind, go: G, by: G, proc, thread, stack: StackId::NONE, detail }
}

/// A life as steps of random length: each begins an event that the state allows; the trace is cut now and then, and
/// each segment restates the state, as Go's do.
fn life(steps: &[(i64, u8, bool)]) -> (Made, Vec<(GoState, i64, i64)>) {
    let mut made = Made::default();
    let mut spans = vec![];
    let (mut t, mut state, mut since) = (1_000i64, GoState::NotExist, 1_000i64);
    let mut b = SegmentBuilder::new(0);
    b.push(Event { go: GoIdx(9), ..event(t, Kind::Sync, Detail::None) });
    made.cuts.starts.push(Time(t));
    for &(dt, pick, cut) in steps {
        t += dt;
        if cut {
            made.segments.push(Arc::new(std::mem::take(&mut b).finish()));
            made.cuts.starts.push(Time(t));
            b = SegmentBuilder::new(0);
            b.push(Event { go: GoIdx(9), ..event(t, Kind::Sync, Detail::None) });
            t += 1;
            if state != GoState::NotExist {
                b.push(event(t, Kind::GoStatus, Detail::GoStatus(state)));
                t += 1;
            }
        }
        let kind = match (state, pick % 3) {
            (GoState::NotExist, _) if spans.is_empty() => Kind::GoCreate,
            (GoState::Runnable, _) => Kind::GoStart,
            (GoState::Running, 0) => Kind::GoBlock,
            (GoState::Running, 1) => Kind::GoSyscallBegin,
            (GoState::Running, _) => Kind::GoStop,
            (GoState::Waiting, 0) => Kind::CpuSample,
            (GoState::Waiting, _) => Kind::GoUnblock,
            (GoState::Syscall, 0) => Kind::GoSyscallEndBlocked,
            (GoState::Syscall, _) => Kind::GoSyscallEnd,
            _ => continue,
        };
        b.push(event(t, kind, Detail::None));
        if let Some((_, after)) = kind.go_transition() {
            spans.push((state, since, t));
            (state, since) = (after, t);
        }
    }
    t += 1;
    spans.push((state, since, t));
    made.segments.push(Arc::new(b.finish()));
    made.cuts.end = Time(t);
    (made, spans)
}

fn cells(made: &Made, from: i64, to: i64, width: usize) -> Vec<Cell> {
    let window = Window { from: Time(from), to: Time(to), width };
    let never = AtomicBool::new(false);
    exact(made, &[(Lane::Go(G), vec![G])], 1, window, &never).unwrap().remove(0).cells
}

proptest! {
    #[test]
    fn the_cells_of_a_goroutine_sum_to_its_life_in_the_window(
        steps in prop::collection::vec((1..500i64, any::<u8>(), prop::bool::weighted(0.15)), 1..60),
        a in 0.0..1.0f64, b in 0.0..1.0f64, width in 1..90usize,
    ) {
        let (made, spans) = life(&steps);
        let (start, end) = (1_000, made.cuts.end.0);
        let at = |x: f64| start + ((end - start) as f64 * x) as i64;
        let (from, to) = (at(a.min(b)), at(a.max(b)) + 1);
        let cells = cells(&made, from, to, width);
        for state in [GoState::Running, GoState::Runnable, GoState::Waiting, GoState::Syscall] {
            let want: i64 = spans
                .iter()
                .filter(|s| s.0 == state)
                .map(|&(_, x, y)| (y.min(to) - x.max(from)).max(0))
                .sum();
            let got: i64 = cells.iter().map(|c| match state {
                GoState::Running => c.running.0,
                GoState::Runnable => c.runnable.0,
                GoState::Waiting => c.waiting.0,
                _ => c.syscall.0,
            }).sum();
            prop_assert_eq!(got, want, "{:?} in {}..{}", state, from, to);
        }
        // And no cell holds more than its length.
        let window = Window { from: Time(from), to: Time(to), width };
        for (i, c) in cells.iter().enumerate() {
            let all = c.running + c.runnable + c.waiting + c.syscall;
            prop_assert!(all <= window.edge(i + 1) - window.edge(i));
        }
    }

    #[test]
    fn every_instant_of_a_window_has_one_cell(from in -1_000_000..1_000_000i64, span in 1..100_000i64, width in 1..300usize) {
        let window = Window { from: Time(from), to: Time(from + span), width };
        for k in 0..50 {
            let at = Time(from + span * k / 50);
            let i = window.cell(at).unwrap();
            prop_assert!(window.edge(i) <= at && at < window.edge(i + 1), "{i} of {window:?}");
        }
        prop_assert_eq!(window.cell(Time(from + span)), None);
        prop_assert_eq!(window.cell(Time(from - 1)), None);
    }
}

#[test]
fn a_lone_run_and_a_lone_sample_are_not_lost_in_a_huge_window() {
    let mut b = SegmentBuilder::new(0);
    b.push(event(0, Kind::GoStatus, Detail::GoStatus(GoState::Waiting)));
    b.push(event(500_000_000_000, Kind::GoUnblock, Detail::None));
    b.push(event(500_000_000_001, Kind::GoStart, Detail::None));
    b.push(event(500_000_000_002, Kind::CpuSample, Detail::None));
    b.push(event(500_000_000_003, Kind::GoBlock, Detail::None));
    let cuts = Cuts { starts: vec![Time(0)], end: Time(1_000_000_000_000), gaps: Vec::new() };
    let made = Made { cuts, segments: vec![Arc::new(b.finish())] };
    let cells = cells(&made, 0, 1_000_000_000_000, 40);
    let active: Vec<usize> = (0..40).filter(|&i| cells[i].running.0 > 0).collect();
    assert_eq!(active, [20]);
    assert_eq!((cells[20].running.0, cells[20].samples, cells[20].longest_wait.0), (2, 1, 499_999_999_997));
}

#[test]
fn a_processor_shows_who_ran_and_who_left_it_in_a_syscall() {
    let other = GoIdx(7);
    let mut b = SegmentBuilder::new(0);
    b.push(event(1_000, Kind::GoStatus, Detail::GoStatus(GoState::Running)));
    b.push(event(1_400, Kind::GoBlock, Detail::None));
    b.push(Event { go: other, by: GoIdx::NONE, ..event(1_500, Kind::GoStart, Detail::None) });
    b.push(Event { go: other, by: other, ..event(1_700, Kind::GoSyscallBegin, Detail::None) });
    b.push(event(1_900, Kind::ProcSteal, Detail::Proc(ProcIdx(0))));
    let cuts = Cuts { starts: vec![Time(1_000)], end: Time(2_000), gaps: Vec::new() };
    let made = Made { cuts, segments: vec![Arc::new(b.finish())] };
    let window = Window { from: Time(1_000), to: Time(2_000), width: 10 };
    let lanes = [(Lane::Proc(ProcIdx(0)), vec![])];
    let strip = exact(&made, &lanes, 1, window, &AtomicBool::new(false)).unwrap().remove(0);
    let marks: Vec<_> = strip.marks.iter().map(|m| (m.from, m.to, m.what)).collect();
    assert_eq!(marks, [(0, 4, What::Ran(G)), (5, 7, What::Ran(other)), (7, 9, What::Syscall(other))]);
    let busy: i64 = strip.cells.iter().map(|c| c.running.0).sum();
    assert_eq!((busy, strip.cells[8].syscall.0, strip.cells[9].syscall.0), (600, 100, 0));
}

#[test]
fn quantities_keep_their_value_and_ranges_their_share() {
    let window = Window { from: Time(0), to: Time(100), width: 4 };
    let points = [(Time(10), 5), (Time(30), 9), (Time(31), 2)];
    assert_eq!(steps(&points, window), [Some(5), Some(9), Some(2), Some(2)]);
    assert_eq!((value_at(&points, Time(9)), value_at(&points, Time(30))), (None, Some(9)));
    let range =
        |from, to| Range { from: Time(from), to: Time(to), name: StringId::NONE, go: GoIdx::NONE, proc: ProcIdx::NONE };
    let shares = coverage(&[range(-50, 25), range(40, 40), range(90, 900)], window);
    assert_eq!(shares, [1.0, 0.04, 0.0, 0.4]);
}
