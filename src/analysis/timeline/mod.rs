//! What the timeline draws: each lane's content in the cells of a window, from the index far out and exact close in.

mod alive;
mod census;
mod inside;
mod kinds;
mod sampled;
pub mod totals;

pub use alive::alive;
pub use census::{Census, Counted};
pub use inside::{Bar, Framed, Inside, inside};
pub use kinds::usual;
pub use sampled::{Sampled, sampled};

use super::states::source::Source;
use super::states::spans;
use super::states::spans::Span;
use crate::base::{Duration, GoIdx, StringId, Time};
use crate::model::reasons::WaitKind;
use crate::model::segment::{GoState, Kind};
use crate::model::{Cell, Detail, Index, Lane, Range, Segment};
use kinds::{Teller, Waited};
use std::sync::atomic::{AtomicBool, Ordering};

/// A stretch of time, from and up to (exclusive), in `width` cells as equal as whole nanoseconds allow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// The first instant.
    pub from: Time,
    /// The first instant after it.
    pub to: Time,
    /// Number of cells.
    pub width: usize,
}

impl Window {
    /// Length of the window, at least one nanosecond.
    pub fn span(&self) -> Duration {
        Duration((self.to - self.from).0.max(1))
    }

    /// Where cell `i` begins; `edge(width)` is the window's end.
    pub fn edge(&self, i: usize) -> Time {
        let offset = i128::from(self.span().0) * i as i128 / self.width.max(1) as i128;
        self.from + Duration(offset as i64)
    }

    /// The cell that holds `at`, if the window does.
    pub fn cell(&self, at: Time) -> Option<usize> {
        if self.width == 0 || at < self.from || at >= self.to {
            return None;
        }
        let offset = i128::from((at - self.from).0);
        let i = ((offset + 1) * self.width as i128 - 1) / i128::from(self.span().0);
        Some((i as usize).min(self.width - 1))
    }

    /// Length of a cell, rounded down, at least one nanosecond.
    pub fn cell_span(&self) -> Duration {
        Duration((self.span().0 / self.width.max(1) as i64).max(1))
    }
}

/// What stands out in a lane that is known exactly: where something begins that has a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// First cell.
    pub from: usize,
    /// Cell after the last one that it fills.
    pub to: usize,
    /// What it is.
    pub what: What,
}

/// What a [`Mark`] names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A goroutine on a P.
    Ran(GoIdx),
    /// A goroutine that a P waited for while it was in a syscall.
    Syscall(GoIdx),
    /// A wait, and why (`NONE` if the trace does not say).
    Waited(StringId),
}

/// A lane over a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Strip {
    /// Which lane.
    pub lane: Lane,
    /// The window whose cells these are.
    pub window: Window,
    /// One for each cell of the window.
    pub cells: Vec<Cell>,
    /// What can be named in it, in order; only runs and waits that fill at least two cells.
    pub marks: Vec<Mark>,
    /// What most of the waiting in each cell was for, where it is known; may be empty.
    pub kinds: Vec<Option<WaitKind>>,
    /// Whether it was computed from events; else from the index's grid.
    pub exact: bool,
}

/// What the index alone knows of a lane: cheap at every zoom, as precise as the grid's own cells are.
pub fn coarse(index: &Index, lane: Lane, window: Window) -> Strip {
    let cells = index.cells(lane, window.from, window.to, window.width);
    let kinds = usual(index, lane).map_or(Vec::new(), |k| vec![Some(k); cells.len()]);
    Strip { lane, window, cells, marks: Vec::new(), kinds, exact: false }
}

/// How many segments and events an exact answer may cost.
const MAX_SEGMENTS: usize = 8;
const MAX_EVENTS: u64 = 3_000_000;

/// Whether a window is narrow enough to be computed from events.
pub fn can_be_exact(index: &Index, window: Window) -> bool {
    let segments = &index.segments[index.segments_between(window.from, window.to)];
    let events: u64 = segments.iter().map(|s| u64::from(s.len)).sum();
    segments.len() <= 2 || (segments.len() <= MAX_SEGMENTS && events <= MAX_EVENTS)
}

/// The exact content of `lanes`, each with the goroutines that are in it (empty for a P; for [`Lane::All`] too, which
/// is left to the grid). `procs` is the number of Ps of the trace.
///
/// Decodes segments: for a worker. `None` if `cancel` was set meanwhile.
pub fn exact(
    source: &dyn Source,
    lanes: &[(Lane, Vec<GoIdx>)],
    procs: usize,
    window: Window,
    cancel: &AtomicBool,
) -> Option<Vec<Strip>> {
    let (mut strips, waited) = gather(source, lanes, procs, window, cancel)?;
    strips.iter_mut().zip(&waited).for_each(|(s, w)| s.kinds = w.most());
    Some(strips)
}

/// The same, and what was waited for beside it.
fn gather(
    source: &dyn Source,
    lanes: &[(Lane, Vec<GoIdx>)],
    procs: usize,
    window: Window,
    cancel: &AtomicBool,
) -> Option<(Vec<Strip>, Vec<Waited>)> {
    let mut strips: Vec<Strip> = lanes
        .iter()
        .map(|(lane, _)| Strip {
            lane: *lane,
            window,
            cells: vec![Cell::default(); window.width],
            marks: Vec::new(),
            kinds: Vec::new(),
            exact: true,
        })
        .collect();
    let mut waited: Vec<Waited> = strips.iter().map(|_| Waited::new(window.width)).collect();
    let mut teller = Teller::new(source);
    let cuts = source.cuts();
    for i in cuts.between(window.from, window.to) {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(seg) = source.segment(i) else { continue };
        let bounds = cuts.bounds(i);
        if lanes.iter().any(|(lane, _)| matches!(lane, Lane::Proc(_))) {
            add_procs(&mut strips, &seg, bounds, procs);
        }
        for ((strip, waited), (lane, members)) in strips.iter_mut().zip(&mut waited).zip(lanes) {
            for &g in members {
                if cancel.load(Ordering::Relaxed) {
                    return None;
                }
                if seg.of_goroutine(g).is_empty() {
                    // Nothing happened to it for the whole segment, so the grid has but one state.
                    let summary = source.summary(Lane::Go(g), bounds.0, bounds.1);
                    let (from, to) = bounds;
                    let span = Span { state: summary.dominant(), from, to, begin: None, end: None };
                    add_span(&mut strip.cells, window, &span, summary.longest_wait);
                    if span.state == GoState::Waiting {
                        waited.add(window, from, to, teller.before(g));
                    }
                } else {
                    let marks = matches!(lane, Lane::Go(_));
                    add_goroutine((strip, waited), &mut teller, &seg, (g, bounds), marks);
                }
            }
        }
    }
    Some((strips, waited))
}

/// Adds what a segment knows of a goroutine; with `marks`, names its waits.
fn add_goroutine(
    (strip, waited): (&mut Strip, &mut Waited),
    teller: &mut Teller<'_>,
    seg: &Segment,
    (g, bounds): (GoIdx, (Time, Time)),
    marks: bool,
) {
    let window = strip.window;
    spans::spans(seg, g, bounds, window.from, window.to, |span| {
        add_span(&mut strip.cells, window, &span, span.to - span.from);
        if span.state == GoState::Waiting {
            waited.add(window, span.from, span.to, teller.kind(seg, g, &span));
        }
        if marks && span.state == GoState::Waiting {
            let reason = span.begin.map_or(StringId::NONE, |i| match seg.detail(i as usize) {
                Detail::Reason(r) => r,
                _ => StringId::NONE,
            });
            // A wait that goes on from the segment before is named there.
            let known = span.begin.is_some();
            if let (true, Some((from, to))) = (known, covered(window, span.from, span.to)) {
                strip.marks.push(Mark { from, to, what: What::Waited(reason) });
            }
        }
    });
    let events = seg.of_goroutine(g);
    let first = events.partition_point(|&i| seg.time[i as usize] < window.from);
    for &i in &events[first..] {
        let Some(c) = window.cell(seg.time[i as usize]) else { break };
        let cell = &mut strip.cells[c];
        cell.events += 1;
        cell.samples += u32::from(seg.kind[i as usize] == Kind::CpuSample);
    }
}

/// Adds what a segment knows of the Ps among the strips.
fn add_procs(strips: &mut [Strip], seg: &Segment, bounds: (Time, Time), procs: usize) {
    let Some(window) = strips.first().map(|s| s.window) else { return };
    let mut at: Vec<Option<usize>> = vec![None; procs];
    for (i, strip) in strips.iter().enumerate() {
        if let Lane::Proc(p) = strip.lane
            && let Some(slot) = at.get_mut(p.0 as usize)
        {
            *slot = Some(i);
        }
    }
    spans::runs(seg, bounds, procs, window.from, window.to, |run| {
        let Some(strip) = at[run.proc.index()].map(|i| &mut strips[i]) else { return };
        let state = if run.syscall { GoState::Syscall } else { GoState::Running };
        add_span(
            &mut strip.cells,
            window,
            &Span { state, from: run.from, to: run.to, begin: None, end: None },
            Duration::ZERO,
        );
        if let Some((from, to)) = covered(window, run.from, run.to) {
            let what = if run.syscall { What::Syscall(run.go) } else { What::Ran(run.go) };
            match strip.marks.last_mut() {
                // A run that goes on over the cut between two segments is one.
                Some(last) if last.what == what && last.to == from && run.from == bounds.0 => last.to = to,
                _ => strip.marks.push(Mark { from, to, what }),
            }
        }
    });
    for i in seg.between(window.from, window.to) {
        let Some(strip) = at.get(seg.proc[i].0 as usize).copied().flatten().map(|k| &mut strips[k]) else { continue };
        let Some(c) = window.cell(seg.time[i]) else { continue };
        let cell = &mut strip.cells[c];
        cell.events += 1;
        cell.samples += u32::from(seg.kind[i] == Kind::CpuSample);
    }
}

/// The cells that `from..to` fills for the most part, if those are two or more.
fn covered(window: Window, from: Time, to: Time) -> Option<(usize, usize)> {
    let (from, to) = (from.max(window.from), to.min(window.to));
    if to <= from {
        return None;
    }
    let a = window.cell(from)?;
    let b = window.cell(to - Duration(1))? + 1;
    (b - a >= 2).then_some((a, b))
}

/// Adds a span's time to the cells that it touches; `whole` is the length of the wait that it is part of.
fn add_span(cells: &mut [Cell], window: Window, span: &Span, whole: Duration) {
    let (from, to) = (span.from.max(window.from), span.to.min(window.to));
    if to <= from {
        return;
    }
    let (Some(a), Some(b)) = (window.cell(from), window.cell(to - Duration(1))) else { return };
    for (i, cell) in cells.iter_mut().enumerate().take(b + 1).skip(a) {
        let part = to.min(window.edge(i + 1)) - from.max(window.edge(i));
        match span.state {
            GoState::Running => cell.running += part,
            GoState::Runnable => cell.runnable += part,
            GoState::Waiting => {
                cell.waiting += part;
                cell.longest_wait = cell.longest_wait.max(whole);
            }
            GoState::Syscall => cell.syscall += part,
            GoState::NotExist | GoState::Undetermined => {}
        }
    }
}

/// How much of each cell the ranges cover, 0 to 1. Ranges are in order of their beginning; a range of no length covers
/// a little.
pub fn coverage(ranges: &[Range], window: Window) -> Vec<f64> {
    let mut cells = vec![0.0f64; window.width];
    for r in ranges {
        if r.from >= window.to {
            break;
        }
        let to = r.to.max(r.from + Duration(1));
        let (from, to) = (r.from.max(window.from), to.min(window.to));
        if to <= from {
            continue;
        }
        let (Some(a), Some(b)) = (window.cell(from), window.cell(to - Duration(1))) else { continue };
        for (i, cell) in cells.iter_mut().enumerate().take(b + 1).skip(a) {
            let (left, right) = (window.edge(i), window.edge(i + 1));
            let part = to.min(right) - from.max(left);
            *cell = (*cell + part.0 as f64 / (right - left).0.max(1) as f64).min(1.0);
        }
    }
    cells
}

/// The highest value in each cell of a quantity that keeps its value until the next point; `None` before the first.
pub fn steps(points: &[(Time, u64)], window: Window) -> Vec<Option<u64>> {
    let mut at = points.partition_point(|p| p.0 <= window.from);
    let mut now = at.checked_sub(1).map(|i| points[i].1);
    (0..window.width)
        .map(|i| {
            let mut most = now;
            while let Some(&(t, v)) = points.get(at)
                && t < window.edge(i + 1)
            {
                most = most.max(Some(v));
                now = Some(v);
                at += 1;
            }
            most
        })
        .collect()
}

/// The values of cells that lie between two recordings, or behind what has been read, are not known.
pub fn traced(index: &Index, window: Window, mut values: Vec<Option<u64>>) -> Vec<Option<u64>> {
    (0..window.width).filter(|&i| window.edge(i) >= index.end && i > 0).for_each(|i| values[i] = None);
    for (from, to) in index.gaps().iter() {
        let untraced = |i: usize| window.edge(i) >= from && window.edge(i + 1) <= to;
        let (first, last) = (window.cell(from.max(window.from)), window.cell(to.min(window.to)));
        let Some(first) = first.filter(|_| from < window.to && to > window.from) else { continue };
        let cells = first..last.map_or(values.len(), |l| l + 1).min(values.len());
        cells.filter(|&i| untraced(i)).for_each(|i| values[i] = None);
    }
    values
}

/// The value at an instant of a quantity that keeps its value until the next point.
pub fn value_at(points: &[(Time, u64)], at: Time) -> Option<u64> {
    let i = points.partition_point(|p| p.0 <= at);
    i.checked_sub(1).map(|i| points[i].1)
}

/// A strip for another window out of one that is there, for the moment until the exact one arrives. `None` where the
/// two windows are too different for that.
pub fn resample(strip: &Strip, window: Window) -> Option<Strip> {
    let (old, new) = (strip.window.cell_span().0 as f64, window.cell_span().0 as f64);
    let ratio = new / old;
    let overlap = strip.window.to.min(window.to) - strip.window.from.max(window.from);
    if !(0.1..=4.0).contains(&ratio) || overlap.0 < window.span().0 / 4 {
        return None;
    }
    let scale = |d: Duration| Duration((d.0 as f64 * ratio) as i64);
    let cells = (0..window.width)
        .map(|i| {
            let middle = window.edge(i) + Duration(window.cell_span().0 / 2);
            strip.window.cell(middle).map_or(Cell::default(), |c| {
                let c = strip.cells[c];
                Cell {
                    running: scale(c.running),
                    runnable: scale(c.runnable),
                    waiting: scale(c.waiting),
                    syscall: scale(c.syscall),
                    ..c
                }
            })
        })
        .collect();
    let marks = strip
        .marks
        .iter()
        .filter_map(|m| {
            let (from, to) = covered(window, strip.window.edge(m.from), strip.window.edge(m.to))?;
            Some(Mark { from, to, what: m.what })
        })
        .collect();
    let middle = |i| window.edge(i) + Duration(window.cell_span().0 / 2);
    let kind = |i| strip.window.cell(middle(i)).and_then(|c| strip.kinds.get(c).copied().flatten());
    let kinds = (0..window.width).map(kind).collect();
    Some(Strip { lane: strip.lane, window, cells, marks, kinds, exact: false })
}

#[cfg(test)]
mod tests;
