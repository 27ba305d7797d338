//! A cursor in a list, and the part of the list that is seen.

use crate::tui::app::action::Action;

/// Which of `len` rows is selected, and which is the topmost seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scroll {
    /// The first row seen.
    pub top: u64,
    /// The selected row.
    pub selected: u64,
    len: u64,
    height: u64,
}

impl Scroll {
    /// Takes note of how many rows there are and how many fit, and keeps the selected one in sight.
    pub fn fit(&mut self, len: u64, height: u16) {
        self.len = len;
        self.height = u64::from(height.max(1));
        self.selected = self.selected.min(len.saturating_sub(1));
        if self.selected < self.top {
            self.top = self.selected;
        }
        if self.selected >= self.top.saturating_add(self.height) {
            self.top = self.selected + 1 - self.height;
        }
        self.top = self.top.min(len.saturating_sub(self.height));
    }

    /// Selects a row.
    pub fn select(&mut self, row: u64) {
        self.selected = row.min(self.len.saturating_sub(1));
    }

    /// Selects a row, and puts it in the middle unless it is in sight already.
    pub fn reveal(&mut self, row: u64) {
        self.select(row);
        if self.selected < self.top || self.selected >= self.top + self.height.max(1) {
            self.top = self.selected.saturating_sub(self.height / 2);
        }
    }

    /// Brings the rows from one to before another into sight as far as there is room, the first of them in any case.
    pub fn show(&mut self, from: u64, to: u64) {
        self.top = self.top.max(to.min(self.len).saturating_sub(self.height)).min(from);
    }

    /// The rows seen.
    pub fn seen(&self) -> std::ops::Range<u64> {
        self.top..self.top.saturating_add(self.height).min(self.len)
    }

    /// Moves the seen part by so many rows; the selection comes along at the edges.
    pub fn wheel(&mut self, rows: i64) {
        self.top = self.top.saturating_add_signed(rows).min(self.len.saturating_sub(self.height));
        let last = (self.top + self.height.max(1) - 1).min(self.len.saturating_sub(1));
        self.selected = self.selected.clamp(self.top.min(last), last);
    }

    /// Moves the selection, if the action is one that does.
    pub fn handle(&mut self, action: Action) -> bool {
        let page = self.height.max(1);
        let to = match action {
            Action::Down => self.selected.saturating_add(1),
            Action::Up => self.selected.saturating_sub(1),
            Action::HalfDown => self.selected.saturating_add((page / 2).max(1)),
            Action::HalfUp => self.selected.saturating_sub((page / 2).max(1)),
            Action::PageDown => self.selected.saturating_add(page),
            Action::PageUp => self.selected.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => u64::MAX,
            _ => return false,
        };
        self.select(to);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_in_sight() {
        let mut s = Scroll::default();
        s.fit(100, 10);
        for (action, selected, top) in [
            (Action::Bottom, 99, 90),
            (Action::Up, 98, 90),
            (Action::PageUp, 88, 88),
            (Action::Top, 0, 0),
            (Action::Up, 0, 0),
            (Action::HalfDown, 5, 0),
            (Action::PageDown, 15, 6),
        ] {
            assert!(s.handle(action));
            s.fit(100, 10);
            assert_eq!((s.selected, s.top), (selected, top), "after {action:?}");
        }
        s.fit(3, 10);
        assert_eq!((s.selected, s.top, s.seen()), (2, 0, 0..3));
        s.fit(0, 0);
        assert_eq!(s.seen(), 0..0);
    }

    #[test]
    fn rows_that_come_below_one_are_brought_into_sight_as_far_as_there_is_room() {
        let mut s = Scroll::default();
        s.fit(100, 10);
        for (top, rows, now) in [(0, (5, 8), 0), (0, (5, 14), 4), (0, (5, 40), 5), (20, (5, 8), 5), (90, (95, 200), 90)]
        {
            s.top = top;
            s.show(rows.0, rows.1);
            assert_eq!(s.top, now, "{top} {rows:?}");
        }
    }

    #[test]
    fn the_wheel_takes_the_selection_along_only_at_the_edge() {
        let mut s = Scroll::default();
        s.fit(100, 10);
        s.select(5);
        s.wheel(3);
        assert_eq!((s.top, s.selected), (3, 5));
        s.wheel(3);
        assert_eq!((s.top, s.selected), (6, 6));
        s.wheel(-100);
        assert_eq!((s.top, s.selected), (0, 6));
    }
}
