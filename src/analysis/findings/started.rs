//! What the goroutines that a task started did while it waited till a deadline ended its wait: a critical path ends there, as
//! nobody whom it waited for has ended the wait.

use super::slow::words;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::path::{self, Hop, Piece, What, Window};
use crate::analysis::waits::retries::is_deadline_of;
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::model::index::Goroutine;
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, Reasons};
use crate::model::{Index, Waker};
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

/// The waits of the path's own goroutine that a deadline or a timer ended.
fn given_up(index: &Index, reasons: &Reasons, pieces: &[Piece], hops: &[Hop]) -> Vec<(Time, Time)> {
    let by_deadline =
        |h: &&Hop| h.depth == 0 && index.goroutine(h.waker).is_some_and(|g| is_deadline_of(index.group_name(g.group)));
    let selects = |p: &&Piece| {
        let class = p.reason.map(|r| reasons.get(r).class);
        p.depth == 0 && p.what == What::Waiting(Waker::Timer) && class == Some(Class::Select)
    };
    let hops = hops.iter().filter(by_deadline).map(|h| (h.from, h.to));
    let mut all: Vec<(Time, Time)> = hops.chain(pieces.iter().filter(selects).map(|p| (p.from, p.to))).collect();
    all.sort_by_key(|&(from, to)| (Reverse(to - from), from));
    all.truncate(MOST);
    all
}

/// The goroutines that `go` has started since `since` and that were there for most of a wait, those first that were there
/// longest.
fn started(index: &Index, go: GoIdx, since: Time, waits: &[(Time, Time)]) -> Vec<Window> {
    let all = index.goroutines.iter().zip(0u32..).filter(|(g, _)| g.creator == go);
    let own: Vec<_> = all.filter(|(g, _)| g.created().is_some_and(|t| t >= since)).collect();
    let of = |&(from, to): &(Time, Time)| {
        let window = |(g, i): &(&Goroutine, u32)| {
            let (from, to) = (g.from.max(from), g.ended.map_or(to, |e| e.min(to)));
            Window { go: GoIdx(*i), from, to, end: None }
        };
        let most = |w: &Window| (w.to - w.from).ns().saturating_mul(2) > (to - from).ns();
        let mut out: Vec<Window> = own.iter().map(window).filter(most).collect();
        out.sort_by_key(|w| (Reverse(w.to - w.from), w.go));
        out.truncate(MOST);
        out
    };
    waits.iter().flat_map(of).collect()
}

/// What goroutines that the path's own one started did in its waits that were given up. A path through them, as far as it
/// stays in them.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub(super) fn did<S: Source>(
    trace: &S,
    of: Window,
    (pieces, hops, reasons): (&[Piece], &[Hop], &Reasons),
) -> Result<Vec<Did>, Unanswered> {
    let mut windows = Vec::new();
    trace.with_index(&mut |index| {
        let waits = given_up(index, reasons, pieces, hops);
        if !waits.is_empty() {
            windows = started(index, of.go, of.from, &waits);
        }
    });
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let (_, reasons) = path::paths(trace, &windows, &mut |i, pieces, hops| found.push((i, pieces, hops)))?;
    let mut out: Vec<Did> = Vec::new();
    trace.with_index(&mut |index| {
        for (i, pieces, hops) in &found {
            let group = index.goroutine(windows[*i].go).map_or(GroupId::NONE, |g| g.group);
            let waits =
                hops.iter().filter(|h| h.depth == 0).map(|h| (reasons.get(h.reason).name, h.at, h.from, h.len()));
            let own = pieces.iter().filter(|p| p.depth == 0).flat_map(|p| {
                let at = if p.what == What::Running { PlaceId::NONE } else { p.at };
                p.kinds().map(move |(what, len)| (what, p, at, len))
            });
            let own = own.map(|(what, p, at, len)| (words(&reasons, what, p), at, p.from, len));
            for (what, at, from, len) in waits.chain(own) {
                match out.iter_mut().find(|d| (d.group, &d.what, d.at) == (group, &what, at)) {
                    Some(d) => d.len += len,
                    None => out.push(Did { group, what, at, from, len }),
                }
            }
        }
    });
    out.sort_by(|a, b| (b.len, &a.what, a.at).cmp(&(a.len, &b.what, b.at)));
    Ok(out)
}
