use super::*;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{GoId, ProcIdx, StackId, StringId, ThreadIdx};
use crate::build::SegmentBuilder;
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Event, Goroutine, Index, Segment, SegmentInfo};
use proptest::prelude::*;
use std::sync::Arc;

/// A trace made by hand.
struct Made {
    index: Index,
    segments: Vec<Arc<Segment>>,
}

impl Source for Made {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.index);
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        self.segments.get(i).cloned().ok_or(Unanswered::NoTrace)
    }
}

const GOS: usize = 5;

/// A trace of a few goroutines that obeys the rules: each step lets one of them do what it can.
fn make(steps: &[(u8, u8, u16)], cut: usize) -> Made {
    let mut index = Index { start: Time(1000), ..Index::default() };
    let reason = index.dict.string("chan receive");
    let mut state = [GoState::NotExist; GOS];
    state[0] = GoState::Running;
    state[1] = GoState::Waiting;
    let mut events: Vec<Event> = Vec::new();
    let mut now = 1000;
    let mut push = |time, kind, go: usize, by: Option<usize>, detail| {
        let go_of = |g: usize| GoIdx(g as u32);
        events.push(Event {
            no: events.len() as u64,
            time: Time(time),
            kind,
            go: go_of(go),
            by: by.map_or(GoIdx::NONE, go_of),
            proc: ProcIdx(0),
            thread: ThreadIdx(0),
            stack: StackId::NONE,
            detail,
        });
    };
    for (g, s) in state.iter().enumerate().take(2) {
        push(now, Kind::GoStatus, g, None, Detail::GoStatus(*s));
    }
    for &(g, op, dt) in steps {
        let g = usize::from(g) % GOS;
        now += i64::from(dt % 50);
        let runner = (0..GOS).find(|&r| state[r] == GoState::Running);
        let (kind, by, detail) = match (state[g], op % 4) {
            (GoState::NotExist, _) if runner.is_some() => (Kind::GoCreate, runner, Detail::Entry(StackId::NONE)),
            (GoState::NotExist, _) => continue,
            (GoState::Running, 0 | 1) => (Kind::GoBlock, Some(g), Detail::Reason(reason)),
            (GoState::Running, 2) => (Kind::GoStop, Some(g), Detail::Reason(StringId::NONE)),
            (GoState::Running, _) => (Kind::GoSyscallBegin, Some(g), Detail::None),
            (GoState::Runnable, _) => (Kind::GoStart, None, Detail::None),
            (GoState::Waiting, 0) => (Kind::GoUnblock, None, Detail::None),
            (GoState::Waiting, _) if runner.is_some() => (Kind::GoUnblock, runner, Detail::None),
            (GoState::Waiting, _) => continue,
            (GoState::Syscall, 0) => (Kind::GoSyscallEndBlocked, Some(g), Detail::None),
            (GoState::Syscall, 1) => (Kind::GoDestroySyscall, Some(g), Detail::None),
            (GoState::Syscall, _) => (Kind::GoSyscallEnd, Some(g), Detail::None),
            (GoState::Undetermined, _) => continue,
        };
        state[g] = kind.go_transition().unwrap().1;
        push(now, kind, g, by, detail);
    }
    let mut segments = Vec::new();
    for part in events.chunks(cut.max(1)) {
        let mut b = SegmentBuilder::new(part[0].no);
        for e in part {
            b.push(*e);
        }
        segments.push(b.finish());
        let last = part[part.len() - 1].time;
        index.segments.push(SegmentInfo {
            first: part[0].no,
            len: part.len() as u32,
            from: part[0].time,
            to: last,
            stacks: Vec::new(),
            kinds: u64::MAX,
        });
        index.end = last;
    }
    index.events = events.len() as u64;
    for g in 0..GOS {
        let created = events.iter().find(|e| e.kind == Kind::GoCreate && e.go == GoIdx(g as u32)).map(|e| e.time);
        let (born, from) = (created.is_some(), created.unwrap_or(index.start));
        index.goroutines.push(Goroutine { born, group: GroupId(0), ..Goroutine::new(GoId(g as u64), from) });
    }
    Made { index, segments: segments.into_iter().map(Arc::new).collect() }
}

fn check(p: &Path) {
    assert_eq!(p.total(), p.window.to - p.window.from, "the pieces sum to the window");
    let mut at = p.window.from;
    for piece in &p.pieces {
        assert_eq!(piece.from, at, "the pieces follow each other");
        at = piece.to;
    }
    assert!(p.pieces.iter().all(|piece| piece.from < piece.to));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_parts_of_any_window_sum_to_it(
        steps in prop::collection::vec(any::<(u8, u8, u16)>(), 0..120),
        cut in 1usize..40,
        go in 0u32..GOS as u32,
        a in 0i64..4000,
        b in 1i64..2000,
    ) {
        // Nobody looks back over more segments than these where there is no grid that says which.
        let cut = cut.max(steps.len() / 6);
        let made = make(&steps, cut);
        let window = Window { go: GoIdx(go), from: Time(900 + a), to: Time(900 + a + b), end: None };
        let p = path(&made, window).unwrap();
        check(&p);
        let shares: Duration = p.shares(&made.index).iter().map(|s| s.total).sum();
        prop_assert_eq!(shares, window.to - window.from);
        // The same, however the trace is cut into segments.
        let whole = make(&steps, usize::MAX);
        // But for who held the Ps: of that a segment tells only as far as it has events of them.
        let bare = |x: Piece| Piece { holders: Vec::new(), ready: Parts::default(), ..x };
        let bare = |p: Path| p.pieces.into_iter().map(bare).collect::<Vec<_>>();
        prop_assert_eq!(bare(path(&whole, window).unwrap()), bare(p));
    }
}

#[test]
fn a_wait_is_followed_to_its_waker_and_the_waker_to_its_creator() {
    // g0 creates g2 and waits; g2 starts, runs and wakes g0, which starts and stops.
    let steps = [(2, 0, 10), (0, 0, 10), (2, 0, 5), (0, 1, 40), (0, 0, 7), (0, 2, 20)];
    let made = make(&steps, 3);
    let p = path(&made, Window { go: GoIdx(0), from: Time(1000), to: Time(1092), end: None }).unwrap();
    check(&p);
    let got: Vec<(u32, What, i64)> = p.pieces.iter().map(|p| (p.go.0, p.what, p.len().ns())).collect();
    assert_eq!(
        got,
        [
            (0, What::Running, 20),
            (2, What::Runnable, 5),
            (2, What::Running, 40),
            (0, What::Runnable, 7),
            (0, What::Running, 20),
        ]
    );
    assert_eq!(p.hops.len(), 1);
    assert_eq!((p.hops[0].go, p.hops[0].waker, p.hops[0].len().ns()), (GoIdx(0), GoIdx(2), 45));
    // Asked about g2 from before it was there, its creator answers for that time.
    let p = path(&made, Window { go: GoIdx(2), from: Time(1000), to: Time(1065), end: None }).unwrap();
    let got: Vec<(u32, What, i64)> = p.pieces.iter().map(|p| (p.go.0, p.what, p.len().ns())).collect();
    assert_eq!(got, [(0, What::Running, 10), (2, What::Runnable, 15), (2, What::Running, 40)]);
}
