//! How the fold puts time into the cells of the grid.

use super::part::GoRow;
use crate::base::Time;
use crate::model::grid::{Entry, NO_CELL, Packed, Scale};
use crate::wire::tables::Tables;

/// A goroutine's time goes on to the cell of `t`; what it did in the cell before is complete.
pub(super) fn next_cell(row: &mut GoRow, go: u32, t: Time, scale: Scale, entries: &mut Vec<(u32, Packed)>) {
    if row.cell.cell != NO_CELL {
        entries.push((go, Entry { exit: row.state, ..row.cell }.pack(scale)));
    }
    let cell = scale.cell(t);
    row.cell = Entry { cell, ..Entry::default() };
    row.cell_start = scale.start(cell);
    row.cell_end = scale.end(cell);
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

/// The same for sums over many goroutines, in ns; `last` is the cell of `to`, and when it starts.
#[inline(always)]
pub(super) fn sum(
    cells: &mut Vec<u64>,
    first: u32,
    scale: Scale,
    (from, to): (Time, Time),
    last: u32,
    last_start: Time,
) {
    if from >= last_start
        && let Some(c) = cells.get_mut(last.wrapping_sub(first) as usize)
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
