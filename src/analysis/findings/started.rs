//! What the goroutines that a task started did while it waited till a deadline ended its wait: a critical path ends there, as
//! nobody whom it waited for has ended the wait.

use super::slow::words;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::path::{self, Hop, Piece, What, Window};
use crate::analysis::waits::retries::is_deadline_of;
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, Reasons};
use crate::model::{Index, Waker};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// Goroutines that are followed of one wait, and waits of one path, the longest.
const MOST: usize = 4;

/// What a goroutine did that the one which waited had started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Did {
    /// Which goroutines.
    pub group: GroupId,
    /// What, in words, not escaped.
    pub what: String,
    /// Where.
    pub at: PlaceId,
    /// From when on, the first time.
    pub from: Time,
    /// For how long.
    pub len: Duration,
}

/// A wait of a path's own goroutine that a timer or a goroutine has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wait {
    /// The goroutine that ended it; `NONE` for a timer.
    waker: GoIdx,
    from: Time,
    to: Time,
}

/// The waits of a path's own goroutine that a deadline or a timer may have ended.
pub(super) fn waits(pieces: &[Piece], hops: &[Hop], reasons: &Reasons) -> Vec<Wait> {
    let selects = |p: &&Piece| {
        let class = p.reason.map(|r| reasons.get(r).class);
        p.depth == 0 && p.what == What::Waiting(Waker::Timer) && class == Some(Class::Select)
    };
    let hops = hops.iter().filter(|h| h.depth == 0).map(|h| Wait { waker: h.waker, from: h.from, to: h.to });
    let timers = pieces.iter().filter(selects).map(|p| Wait { waker: GoIdx::NONE, from: p.from, to: p.to });
    hops.chain(timers).collect()
}

impl Wait {
    /// Whether a deadline has ended it.
    fn given_up(&self, index: &Index) -> bool {
        !self.waker.is_some() || index.goroutine(self.waker).is_some_and(|g| is_deadline_of(index.group_name(g.group)))
    }
}

/// Of goroutines, those that they created, in their order.
fn children(index: &Index, of: impl Iterator<Item = GoIdx>) -> FxHashMap<GoIdx, Vec<GoIdx>> {
    let mut all: FxHashMap<GoIdx, Vec<GoIdx>> = of.map(|g| (g, Vec::new())).collect();
    for (g, i) in index.goroutines.iter().zip(0u32..) {
        if let Some(own) = all.get_mut(&g.creator) {
            own.push(GoIdx(i));
        }
    }
    all
}

/// Of the goroutines that one started, those since `since` that were there for most of a wait, those first that were there
/// longest.
fn started(index: &Index, own: &[GoIdx], since: Time, wait: Wait) -> Vec<Window> {
    let (from, to) = (wait.from, wait.to);
    let window = |&go: &GoIdx| {
        let g = index.goroutine(go)?;
        g.created().filter(|&t| t >= since && t < to)?;
        let (from, to) = (g.from.max(from), g.ended.map_or(to, |e| e.min(to)));
        Some(Window { go, from, to, end: None })
    };
    let mut out: Vec<Window> =
        own.iter().filter_map(window).filter(|w| (w.to - w.from).ns().saturating_mul(2) > (to - from).ns()).collect();
    out.sort_by_key(|w| (Reverse(w.to - w.from), w.go));
    out.truncate(MOST);
    out
}

/// What goroutines did that a path's own one started, in its waits that were given up: of each of some windows, whose waits these
/// are. A path through them, as far as it stays in them.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub(super) fn did<S: Source>(trace: &S, of: &[Window], waits: &[Vec<Wait>]) -> Result<Vec<Vec<Did>>, Unanswered> {
    // Which goroutines to follow, and for which window.
    let mut wanted: Vec<(Window, usize)> = Vec::new();
    trace.with_index(&mut |index| {
        let given_up = |w: &&Wait| w.given_up(index);
        let some = of.iter().zip(waits).filter(|(_, w)| w.iter().any(|w| w.given_up(index)));
        let own = children(index, some.map(|(w, _)| w.go));
        for (i, (window, waits)) in of.iter().zip(waits).enumerate() {
            let own = own.get(&window.go).map_or(&[][..], |o| o);
            let mut longest: Vec<Wait> = waits.iter().filter(given_up).copied().collect();
            longest.sort_by_key(|w| (Reverse(w.to - w.from), w.from));
            longest.truncate(MOST);
            let all = longest.iter().flat_map(|w| started(index, own, window.from, *w));
            wanted.extend(all.map(|w| (w, i)));
        }
    });
    let mut out: Vec<Vec<Did>> = vec![Vec::new(); of.len()];
    if wanted.is_empty() {
        return Ok(out);
    }
    // The last first, so that each part of the trace is gone through once.
    wanted.sort_by_key(|(w, i)| (Reverse(w.to), *i, w.go));
    let windows: Vec<Window> = wanted.iter().map(|w| w.0).collect();
    let mut groups = Vec::new();
    trace.with_index(&mut |index| {
        groups = windows.iter().map(|w| index.goroutine(w.go).map_or(GroupId::NONE, |g| g.group)).collect();
    });
    path::paths(trace, &windows, &mut |k, pieces, hops, reasons| {
        let (group, out) = (groups[k], &mut out[wanted[k].1]);
        let waits = hops.iter().filter(|h| h.depth == 0).map(|h| (reasons.get(h.reason).name, h.at, h.from, h.len()));
        let own = pieces.iter().filter(|p| p.depth == 0).flat_map(|p| {
            let at = if p.what == What::Running { PlaceId::NONE } else { p.at };
            p.kinds().map(move |(what, len)| (what, p, at, len))
        });
        let own = own.map(|(what, p, at, len)| (words(reasons, what, p), at, p.from, len));
        for (what, at, from, len) in waits.chain(own) {
            match out.iter_mut().find(|d| (d.group, &d.what, d.at) == (group, &what, at)) {
                Some(d) => (d.len, d.from) = (d.len + len, d.from.min(from)),
                None => out.push(Did { group, what, at, from, len }),
            }
        }
    })?;
    for did in &mut out {
        did.sort_by(|a, b| (b.len, &a.what, a.at).cmp(&(a.len, &b.what, b.at)));
    }
    Ok(out)
}
