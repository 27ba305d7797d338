//! What CPU samples were in, cell by cell: by lens, and where a map grew.

use super::{Window, can_be_exact};
use crate::analysis::cost::lenses::{self, LensNo, Lenses};
use crate::analysis::states::source::Source;
use crate::base::{FrameId, StackId};
use crate::model::segment::Kind;
use crate::model::{Index, lens};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// CPU samples over a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Sampled {
    /// The window whose cells these are.
    pub window: Window,
    /// The lenses of the outermost operations below lines of user code, those with most samples first: how many samples each
    /// has in each cell.
    pub lenses: Vec<(LensNo, Vec<u32>)>,
    /// Samples in which a map grew, in each cell.
    pub growth: Vec<u32>,
}

/// The class of the lens for maps that a sample is of in which a map grows.
const GROWTH: &str = "growth";

/// Counts the CPU samples of a window by lens. `None` where the window is too wide for an exact answer, or if `cancel` was
/// set.
///
/// Decodes segments: for a worker.
pub fn sampled<S: Source>(source: &S, window: Window, cancel: &AtomicBool) -> Option<Sampled> {
    let mut wanted = None;
    source.with_index(&mut |index: &Index| {
        let seen = index.segments_between(window.from, window.to);
        let has = |i: &usize| index.segments[*i].kinds & 1 << Kind::CpuSample as u8 != 0;
        wanted = can_be_exact(index, window).then(|| seen.filter(has).collect::<Vec<usize>>());
    });
    let mut by_stack: FxHashMap<StackId, Vec<u32>> = FxHashMap::default();
    for i in wanted? {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(seg) = source.segment(i) else { continue };
        for e in seg.between(window.from, window.to).filter(|&e| seg.kind[e] == Kind::CpuSample) {
            let Some(cell) = window.cell(seg.time[e]) else { continue };
            by_stack.entry(seg.stack[e]).or_insert_with(|| vec![0; window.width])[cell] += 1;
        }
    }
    let mut out = Sampled { window, lenses: Vec::new(), growth: vec![0; window.width] };
    source.with_index(&mut |index: &Index| add_up(index, &by_stack, &mut out));
    Some(out)
}

fn add_up(index: &Index, by_stack: &FxHashMap<StackId, Vec<u32>>, out: &mut Sampled) {
    let (dict, mut known) = (&index.dict, Lenses::default());
    let mut sums: FxHashMap<LensNo, Vec<u32>> = FxHashMap::default();
    let add = |sum: &mut Vec<u32>, cells: &[u32]| sum.iter_mut().zip(cells).for_each(|(s, n)| *s += n);
    for (&stack, cells) in by_stack {
        let frames: Vec<FrameId> = dict.stack_ids(stack).collect();
        let Some(m) = known.meaning(dict, &frames[..dict.below_user(&frames)]) else { continue };
        add(sums.entry(m.lens).or_insert_with(|| vec![0; cells.len()]), cells);
        let of_maps = lenses::name(m.lens) == lens::maps().name;
        if of_maps && m.class.is_some_and(|c| lenses::class(m.lens, c) == GROWTH) {
            add(&mut out.growth, cells);
        }
    }
    out.lenses = sums.into_iter().collect();
    out.lenses.sort_by_key(|(no, cells)| (std::cmp::Reverse(cells.iter().map(|&n| u64::from(n)).sum::<u64>()), *no));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::maps::{Files, of_trace};
    use crate::analysis::waits::contention::contention;
    use crate::read::fixture;

    /// The lanes are the view of maps and the flame graph over time: their sums are theirs.
    #[test]
    fn the_lane_of_maps_has_as_many_samples_as_the_view_of_maps() {
        let trace = fixture::trace();
        let maps = of_trace(&*trace, &contention(&*trace, None).unwrap(), &Files::default()).unwrap();
        let (from, to) = (trace.index().start, trace.index().end + crate::base::Duration(1));
        for width in [1, 60, 200] {
            let got = sampled(&*trace, Window { from, to, width }, &AtomicBool::new(false)).unwrap();
            let of_maps = got.lenses.iter().find(|l| lenses::name(l.0) == "maps").expect("the sample assigns to maps");
            assert_eq!(of_maps.1.iter().map(|&n| u64::from(n)).sum::<u64>(), maps.map_samples);
            let no = lens::maps().classes.iter().position(|c| c.name == GROWTH).expect("a class of the lens");
            let grew: u64 = maps.lines.iter().map(|l| l.classes[no]).sum();
            assert_eq!(got.growth.iter().map(|&n| u64::from(n)).sum::<u64>(), grew);
            assert!(got.lenses.iter().all(|l| l.1.len() == width));
        }
    }
}
