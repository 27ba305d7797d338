//! Finds tasks and regions in a trace: who did them, from when to when.

use super::states::walk;
use super::waits::path::Window;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::EventNo;
use crate::base::{GoIdx, StringId, Time};
use crate::model::Detail;
use crate::model::segment::Kind;
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;

/// Which tasks or regions are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The task of this number.
    TaskNumber(u64),
    /// Tasks of this name.
    Task(String),
    /// Regions of this name.
    Region(String),
}

/// A task or region that begins in the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Number of the task (for a region, of the task that it belongs to).
    pub task: u64,
    /// Its name.
    pub name: StringId,
    /// Its time. The goroutine is the one that ended it; of one that did not end, that which began it, and the time is that to
    /// the end of its recording.
    pub window: Window,
}

/// Tasks and regions that are under way.
const MAX_OPEN: usize = 4_000_000;

/// All tasks or regions that are meant, the longest first, at most `limit`.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn find<S: Source>(source: &S, wanted: &Wanted, limit: usize) -> Result<Vec<Span>, Unanswered> {
    let mut out = Ok(Vec::new());
    source.with_index(&mut |index| out = find_in(source, index, wanted, limit));
    out
}

fn find_in<S: Source>(
    source: &S,
    index: &crate::model::Index,
    wanted: &Wanted,
    limit: usize,
) -> Result<Vec<Span>, Unanswered> {
    // A name that no event mentions is in no event.
    let name = match wanted {
        Wanted::Task(n) | Wanted::Region(n) => match index.dict.find(n) {
            Some(id) => id,
            None => return Ok(Vec::new()),
        },
        Wanted::TaskNumber(_) => StringId::NONE,
    };
    let region = matches!(wanted, Wanted::Region(_));
    let kinds = if region {
        1u64 << Kind::RegionBegin as u8 | 1 << Kind::RegionEnd as u8
    } else {
        1u64 << Kind::TaskBegin as u8 | 1 << Kind::TaskEnd as u8
    };
    let of = |k: Kind| kinds & 1 << k as u8 != 0;
    let mut tasks: FxHashMap<u64, (StringId, Time, GoIdx)> = FxHashMap::default();
    let mut regions: FxHashMap<GoIdx, Vec<(u64, StringId, Time)>> = FxHashMap::default();
    let mut found: Vec<Span> = Vec::new();
    let mut add = |task, name, go, from, to, end: Option<EventNo>| {
        found.push(Span { task, name, window: Window { go, from, to, end } });
        if found.len() >= limit.saturating_mul(2).max(1024) {
            keep(&mut found, limit);
        }
    };
    walk::segments(source, 0..index.segments.len(), walk::threads(), &mut |n, seg| {
        if index.segments[n].kinds & kinds == 0 {
            return ControlFlow::Continue(());
        }
        for i in (0..seg.len()).filter(|&i| of(seg.kind[i])) {
            let (now, no) = (seg.time[i], seg.first + i as u64);
            match (seg.kind[i], seg.detail(i)) {
                (Kind::TaskBegin, Detail::Task { id, name: n, .. }) => {
                    let meant = match wanted {
                        Wanted::TaskNumber(want) => *want == id,
                        _ => n == name,
                    };
                    if meant && tasks.len() < MAX_OPEN {
                        tasks.insert(id, (n, now, by(seg, i)));
                    }
                }
                (Kind::TaskEnd, Detail::Task { id, .. }) => {
                    if let Some((n, from, _)) = tasks.remove(&id) {
                        add(id, n, by(seg, i), from, now, Some(no));
                    }
                }
                (Kind::RegionBegin, Detail::Region { task, name: n }) => {
                    let open = regions.entry(seg.go[i]).or_default();
                    if open.len() < 10_000 {
                        open.push((task, n, now));
                    }
                }
                (Kind::RegionEnd, Detail::Region { task, .. }) => {
                    if let Some((_, n, from)) = regions.get_mut(&seg.go[i]).and_then(Vec::pop)
                        && n == name
                    {
                        add(task, n, seg.go[i], from, now, Some(no));
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    })?;
    // What has not ended goes to the end of its recording.
    let end = |from: Time| index.recordings.iter().find(|r| r.from <= from && from <= r.to).map_or(index.end, |r| r.to);
    let mut open: Vec<_> = tasks.into_iter().map(|(id, (n, from, go))| (from, id, n, go)).collect();
    let inside = |(go, all): (GoIdx, Vec<(u64, StringId, Time)>)| {
        all.into_iter().filter(|r| r.1 == name).map(move |(task, n, from)| (from, task, n, go))
    };
    open.extend(regions.into_iter().filter(|_| region).flat_map(inside));
    open.sort_unstable();
    for (from, task, name, go) in open {
        add(task, name, go, from, end(from), None);
    }
    keep(&mut found, limit);
    Ok(found)
}

/// The goroutine that ended a task.
fn by(seg: &crate::model::Segment, i: usize) -> GoIdx {
    if seg.by[i].is_some() { seg.by[i] } else { seg.go[i] }
}

fn keep(found: &mut Vec<Span>, limit: usize) {
    found.sort_by_key(|s| (std::cmp::Reverse(s.window.to - s.window.from), s.window.end.unwrap_or(EventNo::MAX)));
    found.truncate(limit);
}
