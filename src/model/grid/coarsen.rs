//! Keeps the grid within its memory: where too many goroutines do something in too many cells, cells become twice as
//! long.
//!
//! Generations are folded onto the grid as it was at first; what they bring is put into the longer cells here.

use super::Packed;
use crate::model::Grid;
use crate::wire::event::GoState;

/// Cells never become longer than this many doublings make them: some hundred a trace are left.
const MOST: u32 = 5;

impl Packed {
    /// The same entry in a cell `1 << levels` times as long; before its own cell began, the goroutine was in `before`.
    pub(crate) fn widen(self, levels: u32, before: GoState) -> Packed {
        let share = |x: u32| (x + (1 << levels) - 1) >> levels;
        let mut parts = self.parts.map(|p| share(p.into()) as u8);
        let lead = ((u32::from(self.cell) & ((1 << levels) - 1)) * 255) >> levels;
        let slot = &mut parts[Packed::part_of(before)];
        *slot = (u32::from(*slot) + lead).min(255) as u8;
        Packed { cell: self.cell >> levels, parts, ..self }
    }
}

impl Grid {
    /// Makes cells longer for as long as the entries take more than the grid may have, and then the lanes of groups that
    /// are due.
    pub(crate) fn fit(&mut self) {
        let too_large = |g: &Grid| (g.entries - g.gos.len().min(g.entries)) * size_of::<Packed>() > g.budget;
        while self.coarser < MOST && too_large(self) {
            self.coarsen();
        }
        self.sum();
    }

    fn coarsen(&mut self) {
        let unit = self.scale.unit();
        self.scale.shift += 1;
        self.coarser += 1;
        self.entries = 0;
        for lane in &mut self.gos {
            let mut before = GoState::NotExist;
            let mut to = 0usize;
            for from in 0..lane.len() {
                let exit = lane[from].exit;
                let p = lane[from].widen(1, before);
                before = exit;
                match to.checked_sub(1).map(|last| &mut lane[last]) {
                    Some(last) if last.cell >= p.cell => last.join(p),
                    _ => {
                        lane[to] = p;
                        to += 1;
                    }
                }
            }
            lane.truncate(to);
            lane.shrink_to_fit();
            self.entries += to;
        }
        self.sums.reset(&self.gos);
        let unit = self.scale.unit() - unit;
        for lane in &mut self.procs {
            let pair = |p: &[u32]| (p.iter().map(|&x| u64::from(x)).sum::<u64>() >> unit).min(u32::MAX.into()) as u32;
            *lane = lane.chunks(2).map(pair).collect();
        }
        for lane in [&mut self.running, &mut self.runnable] {
            *lane = lane.chunks(2).map(|p| p.iter().sum()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{GoIdx, ProcIdx, Time};
    use crate::model::grid::{Entry, Lane, Scale};
    use proptest::prelude::*;

    const SPAN: i64 = 8_000_000;

    /// A goroutine that runs for `run` ns at the start of each of these cells and waits in between.
    fn grid(budget: usize, cells: &[u32]) -> Grid {
        let scale = Scale::over(Time(0), Time(SPAN));
        let mut g = Grid::new(scale, budget);
        g.begin(GoIdx(0), Time(0), GoState::Waiting);
        for &cell in cells {
            let run = scale.width().0 as u64 / 2;
            let e = Entry { cell, exit: GoState::Waiting, running: run, samples: 1, events: 2, ..Entry::default() };
            g.add(GoIdx(0), e.pack(scale), GoState::Waiting);
            g.add_proc(ProcIdx(0), cell, &[run as u32]);
            g.add_all(cell, &[run], &[]);
            g.fit();
        }
        g.set_end(Time(SPAN));
        g
    }

    proptest! {
        #[test]
        fn a_coarser_grid_says_the_same_with_less(cells in prop::collection::btree_set(1u32..3900, 100..400)) {
            let cells: Vec<u32> = cells.into_iter().collect();
            let (fine, coarse) = (grid(usize::MAX, &cells), grid(cells.len() * 3, &cells));
            prop_assert!(coarse.coarser > 0 && fine.coarser == 0);
            prop_assert!(coarse.entries < fine.entries);
            for lane in [Lane::Go(GoIdx(0)), Lane::Proc(ProcIdx(0)), Lane::All] {
                let sum = |g: &Grid| {
                    let cells = g.cells(lane, &[], Time(0), Time(SPAN), 40);
                    let ns: i64 = cells.iter().map(|c| c.running.0).sum();
                    (ns, cells.iter().map(|c| c.samples).sum::<u32>(), cells.iter().map(|c| c.events).sum::<u32>())
                };
                let (a, b) = (sum(&fine), sum(&coarse));
                prop_assert_eq!((a.1, a.2), (b.1, b.2));
                prop_assert!((a.0 - b.0).abs() < a.0 / 4, "{lane:?}: {} and {}", a.0, b.0);
            }
            let life: i64 = coarse.cells(Lane::Go(GoIdx(0)), &[], Time(0), Time(SPAN), 40).iter().map(|c| c.running.0 + c.waiting.0).sum();
            prop_assert!((life - SPAN).abs() < SPAN / 50, "{life}");
        }
    }
}
