//! Arrows between lanes: who let whom go.

use super::rows::Item;
use super::state::Timeline;
use crate::base::GoIdx;
use crate::tui::app::route::Sight;
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

/// An arrow on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Drawn {
    /// Which column of the lanes.
    pub column: u16,
    /// The row of whoever ends the wait, counted from the first in sight: it may lie outside.
    pub from: i64,
    /// The row of whoever waited.
    pub to: i64,
}

/// Arrows of a column that a further one is held against: no screen has more rows.
const MOST: usize = 500;

impl Drawn {
    fn beside(&self, o: &Drawn) -> bool {
        self.from.max(self.to) <= o.from.min(o.to) || o.from.max(o.to) <= self.from.min(self.to)
    }
}

impl Timeline {
    /// The arrows of a route that touch rows in sight.
    pub(super) fn arrows(&self, sight: &Sight) -> Vec<Drawn> {
        let top = self.scroll.top as i64;
        let rows: FxHashMap<GoIdx, i64> = self
            .rows
            .lines
            .iter()
            .enumerate()
            .filter_map(|(i, l)| if let Item::Go(g) = l.item { Some((g, i as i64 - top)) } else { None })
            .collect();
        let mut out: Vec<Drawn> = Vec::new();
        for &(column, a) in &sight.arrows {
            let (Some(&from), Some(&to)) = (rows.get(&a.from), rows.get(&a.to)) else { continue };
            let drawn = Drawn { column: column as u16, from, to };
            // Of several in one column those are drawn that do not lie over each other; ends may meet.
            let in_column = out.iter().rev().take_while(|o| o.column == drawn.column);
            if from != to && in_column.take(MOST).all(|o| drawn.beside(o)) {
                out.push(drawn);
            }
        }
        out
    }
}

/// Draws arrows over lanes.
pub(super) fn draw(arrows: &[Drawn], lanes: Rect, buf: &mut Buffer, theme: &Theme) {
    let g = theme.glyphs;
    let style = theme.style(Role::Key);
    let height = i64::from(lanes.height);
    for a in arrows.iter().filter(|a| a.column < lanes.width) {
        let up = a.to < a.from;
        for row in a.from.min(a.to).max(0)..(a.from.max(a.to) + 1).min(height) {
            // Where one arrow ends and another begins the end is what matters.
            if row == a.from && arrows.iter().any(|o| o.column == a.column && o.to == row) {
                continue;
            }
            let glyph = match row {
                r if r == a.to && up => g.arrow_up,
                r if r == a.to => g.arrow_down,
                r if r == a.from && up => g.cross_up,
                r if r == a.from => g.cross_down,
                _ => g.vertical,
            };
            buf[(lanes.x + a.column, lanes.y + row as u16)].set_char(glyph).set_style(style);
        }
    }
}

/// Takes the colour from the cells of a lane in which the path is not in it, so that the path stands out.
pub(super) fn dim(lit: &[bool], lane: Rect, buf: &mut Buffer, theme: &Theme) {
    let style = theme.style(Role::Dim);
    for i in (0..lane.width).filter(|&i| !lit.get(usize::from(i)).copied().unwrap_or(false)) {
        let cell = &mut buf[(lane.x + i, lane.y)];
        let blank = cell.symbol() == " ";
        if !blank {
            cell.set_style(style);
        }
    }
}
