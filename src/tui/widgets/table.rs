//! Columns of a table: which fit, where they stand, and the heading.

use crate::base::text;
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Its width; for the elastic column the least that it needs.
    pub width: u16,
    /// Whether it stands at the right of its width, as numbers do.
    pub right: bool,
    /// Where there is not room for all, the columns with the highest number here go first; those with 0 stay.
    pub drop: u8,
    /// Whether it takes what the others leave.
    pub elastic: bool,
}

/// A column that is shown: which, from where, how wide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Position in the list of columns.
    pub column: usize,
    /// First column of the terminal, from the table's left edge.
    pub x: u16,
    /// Width.
    pub width: u16,
}

/// The order of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    /// Position in the list of columns.
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Sort {
    /// By no column.
    pub const NONE: Sort = Sort { column: usize::MAX, descending: false };

    /// The order that a click on a column asks for: the other way round if it is that column's already; else names
    /// begin at A, and numbers with the largest.
    pub fn click(&mut self, column: usize, columns: &[Column]) {
        let Some(c) = columns.get(column) else { return };
        let descending = if self.column == column { !self.descending } else { c.right };
        *self = Sort { column, descending };
    }

    /// The order by the next column, or the one before.
    pub fn step(&mut self, by: isize, columns: &[Column]) {
        let n = columns.len().max(1);
        let column = (self.column + n).wrapping_add_signed(by) % n;
        *self = Sort { column, descending: columns.get(column).is_some_and(|c| c.right) };
    }

    /// An order that was found for ascending, in this one.
    pub fn turn(&self, o: std::cmp::Ordering) -> std::cmp::Ordering {
        if self.descending { o.reverse() } else { o }
    }
}

/// The elastic column grows to this: what it has to say is seldom longer, and numbers are to stand near their names.
pub const WIDEST: u16 = 76;

/// Chooses the columns that fit into `width`, one space between them.
pub fn fit(columns: &[Column], width: u16) -> Vec<Slot> {
    fit_to(columns, width, WIDEST)
}

/// The same, with the elastic column no wider than `widest`.
pub fn fit_to(columns: &[Column], width: u16, widest: u16) -> Vec<Slot> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let needed = |shown: &[usize]| shown.iter().map(|&i| u32::from(columns[i].width) + 1).sum::<u32>();
    while needed(&shown) > u32::from(width) + 1 {
        match shown.iter().copied().filter(|&i| columns[i].drop > 0).max_by_key(|&i| columns[i].drop) {
            Some(worst) => shown.retain(|&i| i != worst),
            None => break,
        }
    }
    let spare = (u32::from(width) + 1).saturating_sub(needed(&shown)) as u16;
    let mut x = 0u16;
    let mut slots = Vec::new();
    for i in shown {
        let grows = if columns[i].elastic { spare.min(widest.saturating_sub(columns[i].width)) } else { 0 };
        let w = columns[i].width.saturating_add(grows);
        let w = w.min(width.saturating_sub(x));
        if w > 0 {
            slots.push(Slot { column: i, x, width: w });
        }
        x = x.saturating_add(w).saturating_add(1);
    }
    // What is left then is for text that stands last.
    if let Some(last) = slots.last_mut().filter(|s| !columns[s.column].right) {
        last.width = width.saturating_sub(last.x);
    }
    slots
}

/// The slot at a column of the terminal, counted from the table's left edge.
pub fn slot_at(slots: &[Slot], x: u16) -> Option<Slot> {
    slots.iter().copied().find(|s| (s.x..=s.x.saturating_add(s.width)).contains(&x))
}

/// Writes text into a slot of a row.
pub fn put(buf: &mut Buffer, row: Rect, slot: Slot, right: bool, s: &str, style: Style) {
    if row.height == 0 || slot.x >= row.width {
        return;
    }
    let width = slot.width.min(row.width - slot.x);
    let s = text::fit(s, width as usize);
    let pad = if right { width.saturating_sub(text::width(&s) as u16) } else { 0 };
    buf.set_stringn(row.x + slot.x + pad, row.y, &s, (width - pad) as usize, style);
}

/// Draws the heading; `sort` is the sorted column and whether its order is descending.
pub fn heading(
    buf: &mut Buffer,
    row: Rect,
    columns: &[Column],
    slots: &[Slot],
    sort: Option<(usize, bool)>,
    theme: &Theme,
) {
    for &slot in slots {
        let c = &columns[slot.column];
        let sorted = sort.filter(|(i, _)| *i == slot.column);
        let style = theme.style(if sorted.is_some() { Role::Heading } else { Role::Dim });
        let mark = match sorted {
            Some((_, true)) => theme.glyphs.sort_down.to_string(),
            Some((_, false)) => theme.glyphs.sort_up.to_string(),
            None => String::new(),
        };
        let title = if c.right { format!("{mark}{}", c.title) } else { format!("{}{mark}", c.title) };
        put(buf, row, slot, c.right, &title, style);
    }
}

/// The row `i` of an area, empty if it lies outside.
pub fn row(area: Rect, i: u64) -> Rect {
    if i >= u64::from(area.height) {
        return Rect { height: 0, ..area };
    }
    Rect { y: area.y + i as u16, height: 1, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column { title: "name", width: 10, right: false, drop: 0, elastic: true },
        Column { title: "count", width: 5, right: true, drop: 1, elastic: false },
        Column { title: "bar", width: 20, right: false, drop: 3, elastic: false },
        Column { title: "time", width: 8, right: true, drop: 0, elastic: false },
    ];

    #[test]
    fn what_matters_least_goes_first_and_the_elastic_column_takes_the_rest() {
        let shown = |w| fit(&COLUMNS, w).iter().map(|s| (s.column, s.x, s.width)).collect::<Vec<_>>();
        assert_eq!(shown(60), [(0, 0, 24), (1, 25, 5), (2, 31, 20), (3, 52, 8)]);
        assert_eq!(shown(30), [(0, 0, 15), (1, 16, 5), (3, 22, 8)]);
        assert_eq!(shown(19), [(0, 0, 10), (3, 11, 8)]);
        assert_eq!(shown(4), [(0, 0, 4)]);
        assert_eq!(shown(0), []);
    }
}
