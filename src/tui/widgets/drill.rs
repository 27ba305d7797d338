//! A list, and the list that Enter opens below a row of it.

use super::list::{List, Table, Took};
use super::spans::{self, Spans};
use super::table;
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// A list of `A`, and one of the `B` that a row stands for.
pub struct Drill<A: 'static, B: 'static> {
    /// The list that is there at first.
    pub outer: List<A>,
    /// The list of what the open row stands for.
    pub inner: List<B>,
    open: Option<A>,
    /// Whether what the open row stands for is known.
    listed: bool,
}

impl<A: Clone, B> Drill<A, B> {
    /// Two lists without rows.
    pub fn new(outer: &'static Table<A>, inner: &'static Table<B>) -> Drill<A, B> {
        Drill { outer: List::new(outer), inner: List::new(inner), open: None, listed: false }
    }

    /// The row that is open.
    pub fn open(&self) -> Option<&A> {
        self.open.as_ref()
    }

    /// Whether what the open row stands for is known.
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// The row under the cursor of the open list.
    pub fn inside(&self) -> Option<&B> {
        self.inner.selected().filter(|_| self.open.is_some())
    }

    /// Opens a row, or shows the outer list again. What the row stands for is to be asked for.
    pub fn set_open(&mut self, row: Option<A>) {
        self.open = row;
        self.listed = false;
    }

    /// Opens the row under the outer list's cursor; returns it.
    pub fn enter(&mut self) -> Option<&A> {
        self.set_open(Some(self.outer.selected()?.clone()));
        self.inner.clear();
        self.open.as_ref()
    }

    /// Takes what the open row stands for.
    pub fn fill(&mut self, rows: Vec<B>, cx: &Ctx) {
        self.listed = true;
        self.inner.set(rows, cx);
    }

    fn close(&mut self) {
        self.open = None;
        self.inner.clear();
    }

    /// Does an action.
    pub fn handle(&mut self, action: Action, cx: &Ctx) -> Took {
        match (action, self.open.is_some()) {
            (Action::Enter, _) => Took::Enter,
            (Action::Right, false) if cx.focused => Took::Enter,
            (Action::Escape | Action::Left, true) if cx.focused => {
                self.close();
                Took::Closed
            }
            (_, true) => self.inner.handle(action, cx),
            (_, false) => self.outer.handle(action, cx),
        }
    }

    /// The area below the line that says what is open.
    fn below(&self, area: Rect) -> Rect {
        let top = area.height.min(u16::from(self.open.is_some()));
        Rect { y: area.y + top, height: area.height - top, ..area }
    }

    /// Does what the mouse says.
    pub fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx) -> Took {
        let below = self.below(area);
        match self.open {
            Some(_) if at.y < below.y && matches!(what, Mouse::Press | Mouse::Double) => {
                self.close();
                Took::Closed
            }
            Some(_) => self.inner.mouse(at, what, below, cx),
            None => self.outer.mouse(at, what, below, cx),
        }
    }

    /// Takes note of the room.
    pub fn fit(&mut self, area: Rect) {
        self.outer.fit(area.height);
        self.inner.fit(area.height.saturating_sub(1));
    }

    /// Draws what is there; `title` says what is open, and `empty` why there are no rows.
    pub fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx, title: impl FnOnce(&A) -> Spans, empty: &str) {
        let below = self.below(area);
        match &self.open {
            Some(row) => {
                spans::draw(&title(row), table::row(area, 0), area.y, false, buf, cx.theme);
                self.inner.render(below, buf, cx, empty);
            }
            None => self.outer.render(below, buf, cx, empty),
        }
    }
}
