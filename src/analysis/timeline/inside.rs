//! What a goroutine's code was at, cell by cell: its stacks, and the regions that it was in.
//!
//! A trace tells stacks at events alone. Of a wait or a syscall the stack is that of its beginning. While a goroutine runs,
//! its stack is known where it is sampled and where it stops: the time before each of these is taken to be spent there.

use super::{Window, can_be_exact};
use crate::analysis::cost::lenses::{LensNo, Lenses};
use crate::analysis::states::interval;
use crate::analysis::states::source::Source;
use crate::analysis::states::spans::{self, Span};
use crate::base::{Duration, FrameId, GoIdx, StackId, StringId, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Dict, Index, Segment};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something over the cells `from..to` of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar<T> {
    /// First cell.
    pub from: usize,
    /// Cell after the last.
    pub to: usize,
    /// What it is.
    pub what: T,
}

/// What a goroutine was at, over a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Inside {
    /// The goroutine.
    pub go: GoIdx,
    /// The window whose cells these are.
    pub window: Window,
    /// The regions that it was in, the outermost in the first row; of several in one cell the longest.
    pub regions: Vec<Vec<Bar<StringId>>>,
    /// The stack that it spent most of each cell in, the outermost frame in the first row; frames with their lens.
    pub frames: Vec<Vec<Bar<Framed>>>,
    /// How many outer frames are left out, which all its stacks here have.
    pub above: usize,
}

/// A frame, and its lens below the line of user code.
pub type Framed = (FrameId, Option<LensNo>);

/// Rows of frames and of regions at most.
pub const MAX_FRAMES: usize = 8;
/// See above.
pub const MAX_REGIONS: usize = 3;

/// How many segments before the window are looked at for regions that began there.
const MAX_BACK: usize = 64;

/// The kinds of events that begin and end regions, a bit each.
const REGIONS: u64 = 1 << Kind::RegionBegin as u8 | 1 << Kind::RegionEnd as u8;

/// What a goroutine was at. `None` where the window is too wide for an exact answer, or if `cancel` was set.
///
/// Decodes segments: for a worker.
pub fn inside<S: Source>(source: &S, go: GoIdx, window: Window, cancel: &AtomicBool) -> Option<Inside> {
    let mut exact = false;
    source.with_index(&mut |index| exact = can_be_exact(index, window));
    if !exact || window.width == 0 {
        return None;
    }
    let stacks = stacks(source, go, window, cancel)?;
    let regions = regions(source, go, window, cancel)?;
    let mut out = None;
    source.with_index(&mut |index| {
        let (frames, above) = rows(&index.dict, &stacks);
        out = Some(Inside { go, window, regions: regions.clone(), frames, above });
    });
    out
}

/// Time by stack in each cell.
struct Cells {
    window: Window,
    time: Vec<FxHashMap<StackId, Duration>>,
}

impl Cells {
    fn add(&mut self, from: Time, to: Time, stack: StackId) {
        let w = self.window;
        let (from, to) = (from.max(w.from), to.min(w.to));
        if to <= from || stack == StackId::NONE {
            return;
        }
        let (Some(a), Some(b)) = (w.cell(from), w.cell(to - Duration(1))) else { return };
        for i in a..=b {
            *self.time[i].entry(stack).or_default() += to.min(w.edge(i + 1)) - from.max(w.edge(i));
        }
    }
}

/// The stack that each cell has most of; `NONE` where none is known.
fn stacks<S: Source>(source: &S, go: GoIdx, window: Window, cancel: &AtomicBool) -> Option<Vec<StackId>> {
    let cuts = source.cuts();
    let mut cells = Cells { window, time: vec![FxHashMap::default(); window.width] };
    // What it is in when the window begins may have begun long before.
    let mut last = interval::at(source, go, window.from, cancel).map_or(StackId::NONE, |i| i.stack);
    for i in cuts.between(window.from, window.to) {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(seg) = source.segment(i) else { continue };
        let bounds = cuts.bounds(i);
        if seg.of_goroutine(go).is_empty() {
            // Nothing happened to it here: it is where it was.
            cells.add(bounds.0, bounds.1, last);
            continue;
        }
        spans::spans(&seg, go, bounds, window.from, window.to, |span| match span.state {
            GoState::Running => last = running(&mut cells, &seg, go, &span, last),
            GoState::Waiting | GoState::Syscall | GoState::Runnable => {
                last = span.begin.and_then(|b| own_stack(&seg, go, b as usize)).unwrap_or(last);
                cells.add(span.from, span.to, last);
            }
            GoState::NotExist | GoState::Undetermined => last = StackId::NONE,
        });
    }
    let most = |c: &FxHashMap<StackId, Duration>| {
        let most = c.iter().max_by_key(|(s, d)| (**d, std::cmp::Reverse(**s)));
        most.map_or(StackId::NONE, |m| *m.0)
    };
    Some(cells.time.iter().map(most).collect())
}

/// The stack of an event, if it is the goroutine's own: what unblocks it has the stack of another.
fn own_stack(seg: &Segment, go: GoIdx, i: usize) -> Option<StackId> {
    let own = seg.by[i] == go || matches!(seg.kind[i], Kind::CpuSample | Kind::GoStatus);
    Some(seg.stack[i]).filter(|s| own && s.is_some())
}

/// Adds a stretch in which it runs; the last stack that is known of it.
fn running(cells: &mut Cells, seg: &Segment, go: GoIdx, span: &Span, before: StackId) -> StackId {
    let events = seg.of_goroutine(go);
    let first = events.partition_point(|&i| seg.time[i as usize] < span.from);
    let (mut from, mut last) = (span.from, before);
    for &i in &events[first..] {
        let at = seg.time[i as usize];
        if at > span.to {
            break;
        }
        if let Some(stack) = own_stack(seg, go, i as usize) {
            cells.add(from, at, stack);
            (from, last) = (at, stack);
        }
    }
    cells.add(from, span.to, last);
    last
}

/// The rows of frames of the cells' stacks. Where they are deeper than there are rows, outer frames that all of them have are
/// left out, but for the last of those.
fn rows(dict: &Dict, stacks: &[StackId]) -> (Vec<Vec<Bar<Framed>>>, usize) {
    let (mut known, mut lenses): (FxHashMap<StackId, Vec<Framed>>, Lenses) = Default::default();
    for &s in stacks.iter().filter(|s| s.is_some()) {
        known.entry(s).or_insert_with(|| {
            let frames: Vec<FrameId> = dict.stack_ids(s).collect();
            let of = lenses.along(dict, &frames);
            frames.into_iter().zip(of).rev().collect()
        });
    }
    let deepest = known.values().map(Vec::len).max().unwrap_or(0);
    let common = known.values().next().map_or(0, |first| {
        (0..first.len()).find(|&d| known.values().any(|f| f.get(d) != first.get(d))).unwrap_or(first.len())
    });
    let above = deepest.saturating_sub(MAX_FRAMES).min(common.saturating_sub(1));
    let mut out: Vec<Vec<Bar<Framed>>> = vec![Vec::new(); (deepest - above).min(MAX_FRAMES)];
    for (cell, stack) in stacks.iter().enumerate() {
        let Some(frames) = known.get(stack) else { continue };
        for (row, &what) in out.iter_mut().zip(frames.iter().skip(above)) {
            match row.last_mut() {
                Some(b) if b.to == cell && b.what == what => b.to = cell + 1,
                _ => row.push(Bar { from: cell, to: cell + 1, what }),
            }
        }
    }
    (out, above)
}

/// A region: its name, its beginning, its end, and in how many others it lies.
type Region = (StringId, Time, Time, i64);

/// The rows of regions.
fn regions<S: Source>(source: &S, go: GoIdx, window: Window, cancel: &AtomicBool) -> Option<Vec<Vec<Bar<StringId>>>> {
    let mut with_regions: Vec<usize> = Vec::new();
    let mut end = window.to;
    source.with_index(&mut |index: &Index| {
        let seen = index.segments_between(window.from, window.to);
        let first = seen.start.saturating_sub(MAX_BACK);
        with_regions.extend((first..seen.end).filter(|&i| index.segments[i].kinds & REGIONS != 0));
        end = index.end;
    });
    let mut open: Vec<(StringId, Time)> = Vec::new();
    let mut all: Vec<Region> = Vec::new();
    // How many have ended whose beginning was not looked at: each is around all that came before, and depths count from the
    // outermost that is known.
    let mut around = 0;
    for i in with_regions {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(seg) = source.segment(i) else { continue };
        for &e in seg.of_goroutine(go) {
            let e = e as usize;
            match (seg.kind[e], seg.detail(e)) {
                (Kind::RegionBegin, Detail::Region { name, .. }) if open.len() < MAX_DEPTH => {
                    open.push((name, seg.time[e]));
                }
                (Kind::RegionEnd, Detail::Region { name, .. }) => match open.pop() {
                    Some((name, from)) => all.push((name, from, seg.time[e], open.len() as i64 - around)),
                    None => {
                        around += 1;
                        all.push((name, window.from, seg.time[e], -around));
                    }
                },
                _ => {}
            }
        }
    }
    all.extend((0..).zip(open).map(|(depth, (name, from))| (name, from, end, depth - around)));
    all.retain(|r| r.1 < window.to && r.2 > window.from);
    let outermost = all.iter().map(|r| r.3).min().unwrap_or(0);
    all.iter_mut().for_each(|r| r.3 -= outermost);
    let deepest = all.iter().map(|r| r.3 + 1).max().unwrap_or(0).min(MAX_REGIONS as i64);
    Some((0..deepest).map(|depth| row(&all, depth, window)).collect())
}

/// Regions that lie in each other at most.
const MAX_DEPTH: usize = 10_000;

/// The regions of one depth, where several are in a cell the longest of them.
fn row(all: &[Region], depth: i64, window: Window) -> Vec<Bar<StringId>> {
    let mut cells: Vec<Option<(Duration, usize)>> = vec![None; window.width];
    for (no, r) in all.iter().enumerate().filter(|(_, r)| r.3 == depth) {
        let (from, to) = (r.1.max(window.from), r.2.min(window.to).max(r.1 + Duration(1)));
        let (Some(a), Some(b)) = (window.cell(from), window.cell((to - Duration(1)).min(window.to - Duration(1))))
        else {
            continue;
        };
        for c in &mut cells[a..=b.max(a)] {
            *c = (*c).max(Some((r.2 - r.1, no)));
        }
    }
    let mut out: Vec<(Bar<StringId>, usize)> = Vec::new();
    for (cell, c) in cells.iter().enumerate() {
        let Some((_, no)) = *c else { continue };
        match out.last_mut() {
            Some((b, n)) if b.to == cell && *n == no => b.to = cell + 1,
            _ => out.push((Bar { from: cell, to: cell + 1, what: all[no].0 }, no)),
        }
    }
    out.into_iter().map(|b| b.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Trace, fixture};
    use std::sync::atomic::AtomicBool;

    fn whole(trace: &Trace, width: usize) -> Window {
        let index = trace.index();
        Window { from: index.start, to: index.end, width }
    }

    fn named(trace: &Trace, name: &str) -> Vec<GoIdx> {
        let index = trace.index();
        (0..index.goroutines.len() as u32).map(GoIdx).filter(|&g| index.goroutine_name(g) == name).collect()
    }

    /// Each frame stands under its caller, and the first is where the goroutine begins unless outer ones are left out.
    #[test]
    fn frames_stand_below_their_callers() {
        let trace = fixture::trace();
        let no = AtomicBool::new(false);
        let mut rows_seen = 0;
        for go in named(&trace, "paycore/payment.(*Core).settle") {
            let found = inside(&*trace, go, whole(&trace, 120), &no).unwrap();
            assert!(found.frames.len() <= MAX_FRAMES);
            for pair in found.frames.windows(2) {
                for b in &pair[1] {
                    let above = |c| pair[0].iter().any(|a| a.from <= c && c < a.to);
                    assert!((b.from..b.to).all(above), "{b:?} has no caller");
                }
            }
            for row in &found.frames {
                assert!(row.windows(2).all(|w| w[0].to <= w[1].from), "{row:?}");
                assert!(row.iter().all(|b| b.from < b.to && b.to <= 120));
            }
            let index = trace.index();
            if found.above == 0 {
                let name = |b: &Bar<Framed>| index.dict.func_name(index.dict.frame_of(b.what.0).func).to_owned();
                assert!(found.frames[0].iter().all(|b| name(b) == "paycore/payment.(*Core).settle"));
            }
            rows_seen += found.frames.len();
        }
        assert!(rows_seen > 3);
    }

    /// At the cursor stands what the detail pane says of the wait there.
    #[test]
    fn a_wait_has_the_stack_in_which_it_began() {
        let trace = fixture::trace();
        let no = AtomicBool::new(false);
        let mut checked = 0;
        for go in named(&trace, "main.handle") {
            let window = whole(&trace, 400);
            let stacks = stacks(&*trace, go, window, &no).unwrap();
            for (cell, &stack) in stacks.iter().enumerate() {
                let (from, to) = (window.edge(cell), window.edge(cell + 1));
                let Some(i) = interval::at(&*trace, go, from, &no) else { continue };
                if i.state == GoState::Waiting && i.to >= to {
                    assert_eq!(stack, i.stack, "cell {cell}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 100, "{checked}");
    }

    #[test]
    fn regions_are_those_that_the_goroutine_was_in() {
        let trace = fixture::trace();
        let no = AtomicBool::new(false);
        let mut seen = std::collections::BTreeSet::new();
        for name in ["payment.review", "paycore/payment.review", "main.handle"] {
            for go in named(&trace, name) {
                let found = inside(&*trace, go, whole(&trace, 300), &no).unwrap();
                let index = trace.index();
                seen.extend(found.regions.iter().flatten().map(|b| index.dict.str(b.what).to_owned()));
            }
        }
        assert!(!seen.is_empty());
        let index = trace.index();
        let known: std::collections::BTreeSet<String> =
            index.totals.regions.iter().map(|r| index.dict.str(*r.0).to_owned()).collect();
        assert!(seen.is_subset(&known), "{seen:?} {known:?}");
    }

    #[test]
    fn rows_of_regions_take_the_longest_of_a_cell() {
        let window = Window { from: Time(0), to: Time(100), width: 10 };
        let s = StringId;
        let all = [(s(1), Time(0), Time(35), 0), (s(2), Time(35), Time(37), 0), (s(3), Time(60), Time(60), 0)];
        let bars: Vec<_> = row(&all, 0, window).into_iter().map(|b| (b.what.0, b.from, b.to)).collect();
        assert_eq!(bars, [(1, 0, 4), (3, 6, 7)]);
        assert!(row(&all, 1, window).is_empty());
    }
}
