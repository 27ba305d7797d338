//! What those who held a lock did meanwhile, weighted by how many waited.

use super::holds::Hold;
use super::log::Kept;
use super::queue::Curve;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::coroutine;
use crate::base::{GoIdx, StackId};
use crate::model::Index;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{ReasonId, Reasons};
use crate::model::segment::GoState;
use crate::model::waker::Waker;
use std::collections::BTreeMap;

/// What a holder did: its state, for a wait or a syscall what for and where, and whether something outside of the program
/// ended the wait.
pub(super) type Doing = (GoState, Option<ReasonId>, PlaceId, bool);

/// Goroutine-nanoseconds waited, by what a holder did meanwhile.
pub(super) type Meanwhile = BTreeMap<Doing, i128>;

/// What the handles in a stretch mean.
#[derive(Clone, Copy)]
struct Meaning<'a> {
    index: &'a Index,
    places: &'a Places,
    reasons: &'a Reasons,
}

struct Watch<'a> {
    meaning: Meaning<'a>,
    curves: &'a [Curve],
    /// Holds with their class, by goroutine and beginning.
    holds: Vec<(Hold, u32)>,
    /// By goroutine, the first of its holds that is not over yet.
    next: Vec<u32>,
    out: Vec<Meanwhile>,
}

impl Meaning<'_> {
    fn doing(self, i: &Interval) -> Doing {
        match i.state {
            GoState::Waiting => {
                let waker = i.waker(self.index, self.reasons);
                let ended = (waker, i.end.map_or(StackId::NONE, |e| e.stack));
                let reason = coroutine::refine(self.index, self.reasons, i.go, (i.reason, i.stack), ended);
                let outside = matches!(waker, Waker::Network | Waker::Timer);
                (i.state, Some(reason), self.places.user(i.stack), outside)
            }
            GoState::Syscall => {
                let reason = self.reasons.syscall(&self.index.dict, i.stack);
                (i.state, Some(reason), self.places.user(i.stack), false)
            }
            state => (state, None, PlaceId::NONE, false),
        }
    }
}

impl Visit for Watch<'_> {
    fn end(&mut self, i: &Interval) {
        let Some(next) = self.next.get_mut(i.go.0 as usize) else { return };
        let holds = &self.holds;
        let own = |at: u32| holds.get(at as usize).filter(|h| h.0.go == i.go);
        while own(*next).is_some_and(|(h, _)| h.to <= i.from) {
            *next += 1;
        }
        let mut at = *next;
        let mut doing = None;
        while let Some((h, class)) = own(at).filter(|(h, _)| h.from < i.to) {
            at += 1;
            let Some(curve) = self.curves.get(*class as usize) else { continue };
            let (from, to) = (h.from.max(i.from), h.to.min(i.to));
            if from >= to {
                continue;
            }
            let weight = match h.area {
                Some(area) => area * i128::from((to - from).ns()) / i128::from((h.to - h.from).ns()),
                None => curve.at(to) - curve.at(from),
            };
            if weight > 0 {
                let key = match doing {
                    Some(d) => d,
                    None => self.meaning.doing(i),
                };
                doing = Some(key);
                *self.out[*class as usize].entry(key).or_default() += weight;
            }
        }
    }
}

/// What the holders of each class did while they held it: by what was kept of the trace, or else by one pass over it.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub(super) fn meanwhile<S: Source>(
    source: &S,
    (index, places, reasons): (&Index, &Places, &Reasons),
    curves: &[Curve],
    mut holds: Vec<(Hold, u32)>,
    kept: Option<&Kept>,
) -> Result<Vec<Meanwhile>, Unanswered> {
    let out = vec![Meanwhile::new(); curves.len()];
    if holds.is_empty() {
        return Ok(out);
    }
    holds.sort_unstable_by_key(|(h, class)| (h.go, h.from, h.to, *class));
    let first = |g: usize| holds.partition_point(|(h, _)| h.go < GoIdx(g as u32)) as u32;
    let next = (0..index.goroutines.len()).map(first).collect();
    let meaning = Meaning { index, places, reasons };
    let mut watch = Watch { meaning, curves, holds, next, out };
    match kept {
        Some(kept) => kept.stretches(index, &mut |i| watch.end(i)),
        None => tracker::each(source, &mut watch)?,
    }
    Ok(watch.out)
}
