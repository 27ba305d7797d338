//! What a goroutine was doing has one answer, whichever way it is asked, in traces made by chance.

use super::forward::Timeline;
use super::interval::{self, Edge};
use super::source::{Source, Unanswered};
use super::tracker::{self, Visit};
use crate::base::{EventNo, GoId, GoIdx, GroupId, ProcIdx, StackId, StringId, ThreadIdx, Time};
use crate::build::SegmentBuilder;
use crate::model::segment::{GoState, Kind};
use crate::model::{Cell, Detail, Event, Goroutine, Index, Lane, Segment, SegmentInfo};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const GOS: usize = 4;
const START: i64 = 1000;

/// A stretch as the generator knows it: whose, its state, from when to when, and the events that began and ended it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Stretch {
    go: GoIdx,
    from: Time,
    to: Time,
    state: GoState,
    began: Option<EventNo>,
    ended: Option<EventNo>,
}

/// A trace made by chance, and what it is made of.
struct Made {
    index: Index,
    segments: Vec<Arc<Segment>>,
    lives: Vec<Stretch>,
}

impl Source for Made {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.index);
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        self.segments.get(i).cloned().ok_or(Unanswered::NoTrace)
    }

    fn summary(&self, _: Lane, _: Time, _: Time) -> Cell {
        Cell::default()
    }
}

/// Each of these changes what a goroutine does from one state.
fn changes(state: GoState) -> &'static [Kind] {
    match state {
        GoState::NotExist => &[Kind::GoCreate, Kind::GoCreateBlocked],
        GoState::Runnable => &[Kind::GoStart],
        GoState::Running => &[Kind::GoStop, Kind::GoBlock, Kind::GoSyscallBegin, Kind::GoDestroy],
        GoState::Waiting => &[Kind::GoUnblock],
        GoState::Syscall => &[Kind::GoSyscallEnd, Kind::GoSyscallEndBlocked],
        GoState::Undetermined => &[],
    }
}

/// Goroutines that do by turns what they can; the trace is cut now and then, and states are stated once more, as Go does at
/// each generation. Two were there before it began.
fn make(steps: &[(usize, usize, i64, bool)]) -> Made {
    let mut made =
        Made { index: Index { start: Time(START), ..Index::default() }, segments: Vec::new(), lives: Vec::new() };
    let (mut now, mut no) = (START, 0);
    let mut b = SegmentBuilder::new(0);
    let mut state = [GoState::Waiting, GoState::Runnable, GoState::NotExist, GoState::NotExist];
    let mut since: [(i64, Option<EventNo>); GOS] = [(START, None); GOS];
    let mut dead = [false; GOS];
    let event = |no: EventNo, now: i64, kind: Kind, go: usize, detail: Detail| {
        let (go, by) = (GoIdx(go as u32), GoIdx(((go + 1) % GOS) as u32));
        let (proc, thread, stack) = (ProcIdx(0), ThreadIdx(0), StackId::NONE);
        Event { no, time: Time(now), kind, go, by, proc, thread, stack, detail }
    };
    let cut = |made: &mut Made, b: &mut SegmentBuilder, no: EventNo| {
        let seg = std::mem::replace(b, SegmentBuilder::new(no)).finish();
        if let (Some(&from), Some(&to)) = (seg.time.first(), seg.time.last()) {
            let (first, len) = (seg.first, seg.len() as u32);
            made.index.segments.push(SegmentInfo { first, len, from, to, stacks: Vec::new(), kinds: u64::MAX });
            made.segments.push(Arc::new(seg));
        }
    };
    for (go, state) in state.iter().enumerate().take(2) {
        b.push(event(no, now, Kind::GoStatus, go, Detail::GoStatus(*state)));
        no += 1;
    }
    for &(go, pick, dt, again) in steps {
        now += dt;
        if again {
            cut(&mut made, &mut b, no);
            for go in (0..GOS).filter(|g| state[*g] != GoState::NotExist) {
                b.push(event(no, now, Kind::GoStatus, go, Detail::GoStatus(state[go])));
                no += 1;
            }
            now += 1;
        }
        let all = changes(state[go]);
        if dead[go] || all.is_empty() {
            continue;
        }
        let kind = all[pick % all.len()];
        let Some((before, after)) = kind.go_transition() else { continue };
        assert_eq!(before, state[go], "{kind:?}");
        let reason = matches!(kind, Kind::GoBlock | Kind::GoStop);
        let detail = if reason { Detail::Reason(StringId(pick as u32)) } else { Detail::None };
        b.push(event(no, now, kind, go, detail));
        let (from, began) = since[go];
        if state[go] != GoState::NotExist {
            let (go_of, ended) = (GoIdx(go as u32), Some(no));
            made.lives.push(Stretch { go: go_of, from: Time(from), to: Time(now), state: state[go], began, ended });
        }
        (state[go], since[go]) = (after, (now, Some(no)));
        dead[go] = after == GoState::NotExist;
        no += 1;
    }
    cut(&mut made, &mut b, no);
    let told = |made: &Made, go: usize| made.segments.iter().any(|s| s.go.contains(&GoIdx(go as u32)));
    let end = made.index.segments.last().map_or(Time(START), |s| s.to);
    (made.index.end, made.index.events) = (end, no);
    for go in 0..GOS {
        if state[go] != GoState::NotExist && told(&made, go) {
            let ((from, began), go) = (since[go], GoIdx(go as u32));
            made.lives.push(Stretch { go, from: Time(from), to: end, state: state[go.0 as usize], began, ended: None });
        }
        let mut g = Goroutine::new(GoId(go as u64), Time(START));
        if let Some(first) = made.lives.iter().filter(|s| s.go.0 as usize == go).map(|s| s.from).min() {
            g.from = first;
        }
        made.index.goroutines.push(Goroutine { group: GroupId(0), ..g });
    }
    made.lives.sort();
    made
}

/// All stretches of a trace, by the pass over it.
#[derive(Default)]
struct All(Vec<Stretch>);

impl Visit for All {
    fn end(&mut self, w: &tracker::Interval) {
        let ended = w.end.map(|e| e.no);
        self.0.push(Stretch { go: w.go, from: w.from, to: w.to, state: w.state, began: w.began, ended });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_cursor_says_what_a_goroutine_did(
        steps in prop::collection::vec((0..GOS, 0usize..4, 1i64..50, prop::bool::weighted(0.2)), 1..60),
    ) {
        let made = make(&steps);
        let mut all = All::default();
        tracker::each(&made, &mut all).unwrap();
        all.0.sort();
        prop_assert_eq!(&all.0, &made.lives);
        let mut timeline = Timeline::new(&made, &made.index);
        for s in &made.lives {
            // From its end backwards, and from its beginning on.
            let b = timeline.before(s.go, s.ended.unwrap_or(made.index.events), Time::MIN).unwrap().unwrap();
            prop_assert_eq!((b.state, b.from, b.began), (s.state, s.from, s.began), "before the end of {:?}", s);
            if let Some(began) = s.began {
                let after = timeline.after(s.go, began + 1).unwrap().map(|(e, _)| e.no);
                prop_assert_eq!(after, s.ended, "after {:?}", s);
            }
            // At each of its moments.
            for t in s.from.0..s.to.0 {
                let Some(i) = interval::at(&made, s.go, Time(t), &AtomicBool::new(false)) else {
                    return Err(TestCaseError::fail(format!("nothing at {t}, in {s:?}")));
                };
                let ended = match i.end {
                    Edge::Event(e) => Some(e.no),
                    _ => None,
                };
                let to = if ended.is_none() { i.to.min(made.index.end) } else { i.to };
                prop_assert_eq!((i.state, i.from, to, ended), (s.state, s.from, s.to, s.ended), "at {}", t);
            }
        }
        // And before it was there, or after it ended, nothing.
        for go in (0..GOS as u32).map(GoIdx) {
            let mine: Vec<&Stretch> = made.lives.iter().filter(|s| s.go == go).collect();
            for t in START..made.index.end.0 {
                if !mine.iter().any(|s| s.from.0 <= t && t < s.to.0) {
                    prop_assert!(interval::at(&made, go, Time(t), &AtomicBool::new(false)).is_none(), "{:?} at {}", go, t);
                }
            }
        }
    }
}
