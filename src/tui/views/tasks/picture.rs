//! The picture of when how long spans began, and the box that can be selected in it.

use crate::analysis::spans::sums::{Heat, least};
use crate::analysis::spans::{KindNo, Span};
use crate::base::{Duration, StringId, Time, text};
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::spans;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Columns of the labels.
const LABEL: u16 = 9;

/// Whose spans, all if of none; of what time; and how wide it is.
type Key = (Option<(KindNo, StringId)>, (Time, Time), u16);

/// A cell: its column, and its row from the shortest on.
type Cell = (usize, usize);

/// The picture.
#[derive(Default)]
pub struct Picture {
    made: Option<(Key, Heat)>,
    /// How many rows there is room for.
    room: usize,
    /// The cell under the cursor, and the one at which the box begins, while the keys move in the picture.
    cursor: Option<(Cell, Option<Cell>)>,
}

/// What a key did.
#[derive(PartialEq, Eq)]
pub enum Did {
    /// Nothing: it means something else.
    Nothing,
    /// It moved, or began or ended something.
    Moved,
    /// The box is chosen.
    Chosen,
}

/// What lies in a box: spans that began in this time, and were so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// From this instant on.
    pub from: Time,
    /// To before this one.
    pub to: Time,
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Chosen {
    /// Whether a span lies in it.
    pub fn has(&self, s: &Span) -> bool {
        self.from <= s.from && s.from < self.to && self.least <= s.len() && s.len() <= self.most
    }
}

impl Picture {
    /// Makes it of the spans of a name, or of all, if it is not there.
    pub fn make(&mut self, all: &[Span], of: Option<(KindNo, StringId)>, window: (Time, Time), area: Rect) {
        let width = area.width.saturating_sub(LABEL + 1);
        self.room = usize::from(area.height.saturating_sub(1));
        let key = (of, window, width);
        if self.made.as_ref().is_some_and(|m| m.0 == key) {
            return;
        }
        let spans = all.iter().filter(|s| of.is_none_or(|of| (s.kind, s.name) == of));
        self.made = Some((key, Heat::new(spans, window, width.into())));
        self.cursor = None;
    }

    /// It is to be made anew.
    pub fn forget(&mut self) {
        (self.made, self.cursor) = (None, None);
    }

    /// Whether the keys move in it.
    pub fn is_on(&self) -> bool {
        self.cursor.is_some()
    }

    /// The rows that are drawn, from the shortest on: those for which there is no room are missing at its beginning.
    fn rows(&self) -> std::ops::Range<usize> {
        let n = self.made.as_ref().map_or(0, |m| m.1.rows.len());
        n.saturating_sub(self.room)..n
    }

    /// Moves the keys into the picture, to the first of the longest.
    fn enter(&mut self) {
        let Some((_, heat)) = &self.made else { return };
        let Some(row) = self.rows().next_back() else { return };
        let column = heat.rows[row].iter().position(|n| *n > 0).unwrap_or(0);
        self.cursor = Some(((column, row), None));
    }

    /// Does an action; `Action::Heat` and `Action::Select` move the keys into the picture.
    pub fn handle(&mut self, action: Action) -> Did {
        let rows = self.rows();
        let width = self.made.as_ref().map_or(0, |m| usize::from(m.0.2));
        if rows.is_empty() || width == 0 {
            return Did::Nothing;
        }
        let Some(((x, y), mark)) = &mut self.cursor else {
            if !matches!(action, Action::Heat | Action::Select) {
                return Did::Nothing;
            }
            self.enter();
            if let (Action::Select, Some((at, mark))) = (action, &mut self.cursor) {
                *mark = Some(*at);
            }
            return Did::Moved;
        };
        let far = (width / 10).max(1);
        match action {
            Action::Left => *x = x.saturating_sub(1),
            Action::Right => *x = (*x + 1).min(width - 1),
            Action::PageUp => *x = x.saturating_sub(far),
            Action::PageDown => *x = (*x + far).min(width - 1),
            Action::Up => *y = (*y + 1).min(rows.end - 1),
            Action::Down => *y = y.saturating_sub(1).max(rows.start),
            Action::Top => *y = rows.end - 1,
            Action::Bottom => *y = rows.start,
            Action::Select if mark.is_none() => *mark = Some((*x, *y)),
            Action::Select | Action::Enter => return Did::Chosen,
            Action::Escape if mark.is_some() => *mark = None,
            Action::Escape | Action::Heat => self.cursor = None,
            _ => return Did::Nothing,
        }
        Did::Moved
    }

    /// Does what the mouse says at a cell of `area`: a box is drawn with the button down.
    pub fn mouse(&mut self, at: Position, what: Mouse, area: Rect) -> Did {
        let rows = self.rows();
        let inside = area.contains(at) && at.x > area.x + LABEL && at.y > area.y;
        let cell = || {
            let y = rows.end.checked_sub(usize::from(at.y - area.y))?;
            Some((usize::from(at.x - area.x - LABEL - 1), y)).filter(|c| rows.contains(&c.1))
        };
        match (what, if inside { cell() } else { None }, &mut self.cursor) {
            (Mouse::Press, Some(cell), cursor) => *cursor = Some((cell, Some(cell))),
            (Mouse::Drag, Some(cell), Some((at, Some(_)))) => *at = cell,
            (Mouse::Release, Some(_), Some((at, Some(mark)))) if at != mark => return Did::Chosen,
            (Mouse::Double, Some(_), Some(_)) => return Did::Chosen,
            _ => return Did::Nothing,
        }
        Did::Moved
    }

    /// The cells of the box: columns and rows, both ends included.
    fn cells(&self) -> Option<(Cell, Cell)> {
        let (at, mark) = self.cursor?;
        let mark = mark.unwrap_or(at);
        Some(((at.0.min(mark.0), at.1.min(mark.1)), (at.0.max(mark.0), at.1.max(mark.1))))
    }

    /// What lies in the box.
    pub fn chosen(&self) -> Option<Chosen> {
        let ((_, (from, to), width), heat) = self.made.as_ref().map(|m| (m.0, &m.1))?;
        let (low, high) = self.cells()?;
        // The first instant that falls into a column: what `Heat::column` has the other way round.
        let at = |x: usize| {
            let whole = i128::from((to - from).ns().max(1));
            let ns = (whole * x as i128).div_euclid(i128::from(width.max(1)));
            let ns = if ns * i128::from(width) < whole * x as i128 { ns + 1 } else { ns };
            from + Duration(ns as i64)
        };
        let end = if high.0 + 1 >= usize::from(width) { to } else { at(high.0 + 1) };
        let shortest = if heat.lowest + low.1 == 0 { Duration::ZERO } else { least(heat.lowest + low.1) };
        let longest = Duration(least(heat.lowest + high.1 + 1).ns() - 1);
        Some(Chosen { from: at(low.0), to: end, least: shortest, most: longest })
    }

    /// How many began in the box, and how many in all.
    fn count(&self) -> (u64, u64) {
        let Some((_, heat)) = &self.made else { return (0, 0) };
        let sum = |rows: &[Vec<u32>], from: usize, to: usize| -> u64 {
            rows.iter().flat_map(|r| r.get(from..to).unwrap_or_default()).map(|n| u64::from(*n)).sum()
        };
        let all = sum(&heat.rows, 0, heat.rows.first().map_or(0, Vec::len));
        let Some((low, high)) = self.cells() else { return (0, all) };
        (sum(heat.rows.get(low.1..=high.1).unwrap_or_default(), low.0, high.0 + 1), all)
    }

    /// Draws it: a row a doubling of the length, the longest on top; the higher a bar, the more began then. `of` says what is
    /// counted, and what a box is held against.
    pub fn draw(&self, of: &str, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let Some((_, heat)) = &self.made else { return };
        if area.is_empty() {
            return;
        }
        let dot = cx.theme.glyphs.dot;
        let head = match self.chosen() {
            None => vec![
                (format!("{of} "), Role::Heading),
                (format!("{dot} when they began, by how long they took {dot} v: select a box"), Role::Dim),
            ],
            Some(c) => {
                let (inside, all) = self.count();
                let at = |t: Time| words::instant(t - cx.index.start);
                let range = format!("{} to {}, {} to {}", c.least, c.most, at(c.from), at(c.to));
                let says = format!(
                    " {dot} {} of {} {dot} v: mark a corner, Enter: against the others, Esc: leave",
                    text::count(inside),
                    text::count(all)
                );
                vec![(range, Role::Heading), (says, Role::Dim)]
            }
        };
        spans::draw(&head, area, area.y, false, buf, cx.theme);
        let most = f64::from(heat.most()).max(1.0).ln_1p();
        let cells = self.cells();
        for (row, y) in self.rows().rev().zip(area.top() + 1..area.bottom()) {
            let label = format!("{:>8}", least(heat.lowest + row).to_string());
            spans::draw(&[(label, Role::Dim)], area, y, false, buf, cx.theme);
            for ((column, n), x) in heat.rows[row].iter().enumerate().zip(area.x + LABEL + 1..area.right()) {
                // A single one is to be seen beside thousands.
                let glyph = cx.theme.level_glyph(f64::from(*n).ln_1p() / most);
                buf[(x, y)].set_char(glyph).set_style(cx.theme.style(Role::Accent));
                let inside = cells
                    .is_some_and(|(low, high)| (low.0..=high.0).contains(&column) && (low.1..=high.1).contains(&row));
                if inside {
                    cx.theme.select(buf, Rect { x, y, width: 1, height: 1 });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spans::{Bounds, TASK};
    use crate::base::GoIdx;

    fn span(from: i64, len: i64) -> Span {
        let (from, to) = (Time(from), Time(from + len));
        let (begin, end) = (Bounds::exact(from), Bounds::exact(to));
        let (kind, name, go) = (TASK, StringId(0), GoIdx(0));
        let (arrived, answered, first, last) = (None, None, None, None);
        let (began, ended, repeats, task, ended_by) = (true, true, false, 0, go);
        #[rustfmt::skip]
        let s = Span { kind, name, go, ended_by, task, from, to, begin, end, began, ended, first, last, arrived, answered, repeats };
        s
    }

    /// What a box has is what the picture counts in its cells, whatever the width.
    #[test]
    fn a_box_has_what_is_drawn_in_it() {
        let all: Vec<Span> = (0..997).map(|i| span(i * 10, 1 + i * i % 3000)).collect();
        for width in [1, 7, 30, 101] {
            let area = Rect::new(0, 0, LABEL + 1 + width, 20);
            let mut p = Picture::default();
            p.make(&all, None, (Time(0), Time(9970)), area);
            assert!(p.handle(Action::Down) == Did::Nothing && p.handle(Action::Heat) == Did::Moved);
            for keys in
                [&[Action::Down, Action::Select][..], &[Action::Right, Action::Down, Action::Down, Action::PageDown]]
            {
                keys.iter().for_each(|k| assert!(p.handle(*k) == Did::Moved));
                let chosen = p.chosen().unwrap();
                let has = all.iter().filter(|s| chosen.has(s)).count() as u64;
                assert_eq!(p.count(), (has, 997), "{width} {chosen:?}");
            }
            assert!(p.handle(Action::Enter) == Did::Chosen);
            assert!(p.handle(Action::Escape) == Did::Moved && p.is_on() && p.handle(Action::Escape) == Did::Moved);
            assert!(!p.is_on());
        }
    }

    #[test]
    fn with_the_mouse_a_box_is_drawn() {
        let all = [span(0, 3), span(5, 1000), span(9, 2)];
        let area = Rect::new(0, 0, 40, 5);
        let mut p = Picture::default();
        p.make(&all, None, (Time(0), Time(10)), area);
        assert!(p.mouse(Position::new(3, 2), Mouse::Press, area) == Did::Nothing);
        assert!(p.mouse(Position::new(LABEL + 1, 1), Mouse::Press, area) == Did::Moved);
        assert!(p.mouse(Position::new(39, 2), Mouse::Drag, area) == Did::Moved);
        assert!(p.mouse(Position::new(39, 2), Mouse::Release, area) == Did::Chosen);
        let c = p.chosen().unwrap();
        assert_eq!((c.from, c.to, c.least, c.most), (Time(0), Time(10), Duration(256), Duration(1023)));
    }
}
