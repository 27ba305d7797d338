//! How the fold puts time into the cells of the grid.

use super::part::Live;
use crate::base::Time;
use crate::model::grid::{Entry, NO_CELL, Packed, Scale};
use crate::wire::tables::Tables;

/// The cell that the events have come to, which follow each other in time: when it begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub cell: u32,
    pub from: Time,
    to: Time,
}

impl Now {
    /// Before any event.
    pub(super) fn nowhere() -> Now {
        Now { cell: NO_CELL, from: Time::MIN, to: Time::MIN }
    }

    /// The events come to `t`.
    #[inline(always)]
    pub(super) fn reach(&mut self, t: Time, scale: Scale) {
        if t >= self.to {
            let cell = scale.cell(t);
            *self = Now { cell, from: scale.start(cell), to: scale.end(cell) };
        }
    }
}

/// A goroutine's time goes on to a later cell; what it did in the cell before is complete.
#[inline(never)]
pub(super) fn next_cell(live: &mut Live, go: u32, cell: u32, scale: Scale, entries: &mut Vec<(u32, Packed)>) {
    if live.cell.cell != NO_CELL {
        entries.push((go, Entry { exit: live.row.state, ..live.cell }.pack(scale)));
    }
    live.cell = Entry { cell, ..Entry::default() };
}

pub(super) fn is_blank(tables: &Tables, stack: u32) -> bool {
    tables.stacks.get(stack).last().is_none_or(|root| tables.strings.get(root.func).is_empty())
}

/// Adds the interval `from..to` to a row of cells.
pub(super) fn spread(cells: &mut Vec<u32>, first: u32, scale: Scale, from: Time, to: Time) {
    scale.each_cell(from, to, |cell, ns| {
        let i = cell.saturating_sub(first) as usize;
        if i >= cells.len() {
            cells.resize(i + 1, 0);
        }
        cells[i] = cells[i].saturating_add((ns >> scale.unit()).min(u64::from(u32::MAX)) as u32);
    });
}

/// The same for sums over many goroutines, in ns; `to` is in the cell that the events have come to.
#[inline(always)]
pub(super) fn sum(cells: &mut Vec<u64>, first: u32, scale: Scale, (from, to): (Time, Time), now: Now) {
    if from >= now.from
        && let Some(c) = cells.get_mut(now.cell.wrapping_sub(first) as usize)
    {
        *c = c.saturating_add((to.0 - from.0) as u64);
        return;
    }
    sum_far(cells, first, scale, from, to);
}

#[inline(never)]
fn sum_far(cells: &mut Vec<u64>, first: u32, scale: Scale, from: Time, to: Time) {
    scale.each_cell(from, to, |cell, ns| {
        let i = cell.saturating_sub(first) as usize;
        if i >= cells.len() {
            cells.resize(i + 1, 0);
        }
        cells[i] = cells[i].saturating_add(ns);
    });
}

/// Appends a point to a series, keeping of each cell its last and its largest value.
pub(super) fn thin(points: &mut Vec<(Time, u64)>, scale: Scale, t: Time, v: u64) {
    let cell = scale.cell(t);
    if let [.., a, b] = points.as_mut_slice()
        && scale.cell(a.0) == cell
        && scale.cell(b.0) == cell
    {
        if b.1 >= a.1 {
            *a = *b;
        }
        *b = (t, v);
    } else {
        points.push((t, v));
    }
}
