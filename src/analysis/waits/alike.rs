//! The next wait that is like one: for the same reason, at the same line of user code, by whichever goroutine.

use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{EventNo, GoIdx, StackId, StringId, Time};
#[cfg(test)]
use crate::model::Event;
use crate::model::segment::Kind;
use crate::model::{Detail, Segment};

/// What makes waits alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Like {
    /// The runtime's reason.
    pub reason: StringId,
    /// Where it waits.
    pub stack: StackId,
}

/// The first wait like that after event `no`, or the last before it: who begins to wait, and when. Only goroutines that
/// are `wanted` count. `None` if there is none.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn next<S: Source>(
    source: &S,
    like: Like,
    (no, forward): (EventNo, bool),
    wanted: &dyn Fn(GoIdx) -> bool,
) -> Result<Option<(GoIdx, Time)>, Unanswered> {
    let mut segments = Vec::new();
    let mut line = None;
    source.with_index(&mut |index| {
        line = index.dict.user_line(like.stack).map(|f| (f.func, f.line));
        let at = index.segment_of(no).unwrap_or(0);
        let has = |i: &usize| index.segments[*i].kinds & (1u64 << Kind::GoBlock as u8) != 0;
        segments = match forward {
            true => (at..index.segments.len()).filter(has).collect(),
            false => (0..=at.min(index.segments.len().saturating_sub(1))).rev().filter(has).collect(),
        };
    });
    for i in segments {
        let seg = source.segment(i)?;
        let mut found = None;
        source.with_index(&mut |index| {
            let same = |&p: &usize| {
                let stack = seg.stack[p];
                is_block(&seg, p, like.reason)
                    && wanted(seg.go[p])
                    && (stack == like.stack || index.dict.user_line(stack).map(|f| (f.func, f.line)) == line)
            };
            let beyond = |p: &usize| {
                let n = seg.first + *p as u64;
                if forward { n > no } else { n < no }
            };
            found = match forward {
                true => (0..seg.len()).filter(beyond).find(same),
                false => (0..seg.len()).rev().filter(beyond).find(same),
            };
        });
        if let Some(p) = found {
            return Ok(Some((seg.go[p], seg.time[p])));
        }
    }
    Ok(None)
}

fn is_block(seg: &Segment, p: usize, reason: StringId) -> bool {
    seg.kind[p] == Kind::GoBlock && seg.detail(p) == Detail::Reason(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// From the first on, each of the waits at a line is reached, one after the other, and the way back is the same.
    #[test]
    fn every_wait_at_a_line_is_reached_and_the_way_back_is_the_same() {
        let trace = crate::read::fixture::trace();
        let mut all = Vec::new();
        for i in 0..trace.index().segments.len() {
            let seg = trace.segment(i).unwrap();
            all.extend((0..seg.len()).filter(|&p| seg.kind[p] == Kind::GoBlock).map(|p| seg.event(p)));
        }
        let line = |e: &Event| trace.index().dict.user_line(e.stack).map(|f| (f.func, f.line));
        let mut alike: BTreeMap<_, Vec<Event>> = BTreeMap::new();
        for e in all {
            if let (Some(line), Detail::Reason(reason)) = (line(&e), e.detail) {
                alike.entry((line, reason)).or_default().push(e);
            }
        }
        let all =
            alike.into_values().filter(|w| w.len() > 3).min_by_key(Vec::len).expect("some line waits more than once");
        let first = all[0];
        let Detail::Reason(reason) = first.detail else { panic!("{first:?}") };
        let like = Like { reason, stack: first.stack };
        for w in all.windows(2) {
            assert_eq!(next(&*trace, like, (w[0].no, true), &|_| true), Ok(Some((w[1].go, w[1].time))));
            assert_eq!(next(&*trace, like, (w[1].no, false), &|_| true), Ok(Some((w[0].go, w[0].time))));
        }
        assert_eq!(next(&*trace, like, (first.no, false), &|_| true), Ok(None));
        assert_eq!(next(&*trace, like, (all[all.len() - 1].no, true), &|_| true), Ok(None));
        assert_eq!(next(&*trace, like, (first.no, true), &|_| false), Ok(None));
        // Of one goroutine.
        let go = all[1].go;
        let second = all[2..].iter().find(|e| e.go == go).map(|e| (e.go, e.time));
        assert_eq!(next(&*trace, like, (all[1].no, true), &|g| g == go), Ok(second));
    }
}
