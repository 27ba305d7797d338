//! The functions of a profile as a table, and one of them between its callers and its callees.

use super::body::{Body, Enter};
use super::found::Found;
use super::rows::{self, CALLS, COMPARED, FUNCTIONS, Line, Part};
use crate::analysis::profile::cut::{Cut, What};
use crate::analysis::profile::variants;
use crate::base::FrameId;
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::widgets::list::{List, Took};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// The table, and the way into it.
pub struct Functions {
    list: List<Line>,
    /// The functions that were put between their callers and their callees, by name, and how much there was narrowed
    /// already then; the last one is there now.
    path: Vec<(String, usize)>,
    /// The function in the middle, unless the narrowing has left nothing of it.
    center: Option<usize>,
    calls: List<Part>,
}

impl Default for Functions {
    fn default() -> Functions {
        Functions { list: List::new(&FUNCTIONS), path: Vec::new(), center: None, calls: List::new(&CALLS) }
    }
}

impl Functions {
    /// How many functions the table has.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether a function stands between its callers and its callees.
    pub fn is_centred(&self) -> bool {
        !self.path.is_empty()
    }

    /// The function under the cursor.
    fn function(&self) -> Option<usize> {
        match self.is_centred() {
            true => self.calls.selected().map(|p| p.row),
            false => self.list.selected().map(|l| l.row),
        }
    }

    /// Puts the functions in order. The cursor stays on what it is on; if that is gone, it goes to the first.
    fn order(&mut self, found: &Arc<Found>, cx: &Ctx) {
        let name = |list: &List<Line>| list.selected().map(|l| l.row().name.clone());
        let on = name(&self.list);
        self.list.set(rows::order(found, self.list.sort(), cx), cx);
        if name(&self.list) != on {
            self.list.select(0);
        }
    }

    /// Puts the last function of the path between its callers and its callees.
    fn centre(&mut self, found: &Arc<Found>, cx: &Ctx) {
        let Some((func, _)) = self.path.last() else {
            self.center = None;
            return;
        };
        let rows = &found.hot.rows;
        let family = || variants::family(func);
        let row = rows.iter().position(|r| r.func == *func);
        self.center = row.or_else(|| rows.iter().position(|r| family().is_some_and(|f| f == r.func)));
        let at = self.center.and_then(|row| found.hot.callers.get(row)).map_or(0, Vec::len) as u64;
        self.calls.clear();
        self.calls.set(self.center.map_or_else(Vec::new, |row| rows::calls(found, row)), cx);
        self.calls.select(at);
    }

    /// Takes the function in the middle out of it; `false` if none is.
    fn uncentre(&mut self, found: &Arc<Found>, cx: &Ctx) -> bool {
        let left = self.path.pop().is_some();
        if left {
            self.centre(found, cx);
        }
        left
    }

    /// Why there are no rows.
    fn nothing(&self, found: &Found) -> &'static str {
        if self.is_centred() {
            return "no samples of this function match the filter; Esc removes the last filter, or goes back";
        }
        match (found.hot.rows.is_empty(), !found.key.ask.cuts.is_empty(), found.hot.change) {
            (false, ..) => "no functions match the query; Esc removes it",
            (true, true, Some(_)) => "nothing of this has changed; Esc removes the last filter",
            (true, false, Some(_)) => "nothing has changed",
            (true, true, None) => "no samples match the filter; Esc removes the last filter",
            (true, false, None) => "nothing was sampled",
        }
    }
}

impl Body for Functions {
    fn take(&mut self, _old: Option<&Found>, found: &Arc<Found>, cx: &Ctx) {
        self.list.set_table(if found.hot.change.is_some() { &COMPARED } else { &FUNCTIONS });
        self.order(found, cx);
        self.centre(found, cx);
    }

    fn handle(&mut self, action: Action, found: &Arc<Found>, cx: &Ctx) -> Took {
        match action {
            Action::Left if cx.focused && self.uncentre(found, cx) => Took::Closed,
            Action::Left if cx.focused => Took::Nothing,
            Action::Right if cx.focused && !self.is_centred() => Took::Enter,
            _ if self.is_centred() => self.calls.handle(action, cx),
            _ => {
                let took = self.list.handle(action, cx);
                if took == Took::Done {
                    self.order(found, cx);
                }
                took
            }
        }
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, found: &Arc<Found>, cx: &Ctx) -> Took {
        if self.is_centred() {
            return self.calls.mouse(at, what, area, cx);
        }
        let sort = self.list.sort();
        let took = self.list.mouse(at, what, area, cx);
        if self.list.sort() != sort {
            self.order(found, cx);
        }
        took
    }

    fn fit(&mut self, area: Rect, _found: Option<&Found>) {
        self.list.fit(area.height);
        self.calls.fit(area.height);
    }

    fn frame(&self, found: &Found) -> Option<FrameId> {
        Some(found.hot.rows.get(self.function()?)?.frame)
    }

    fn cut(&self, found: &Found, _cx: &Ctx) -> Option<Cut> {
        let func = found.hot.rows.get(self.function()?)?.func.clone();
        Some(Cut { what: What::Func(func), without: false })
    }

    fn enter(&mut self, found: &Arc<Found>, narrowed: usize, cx: &Ctx) -> Enter {
        match (self.function(), self.center) {
            // From the function in the middle it goes on into its source.
            (Some(row), Some(c)) if row == c => Enter::Source,
            (Some(row), _) => {
                self.path.push((found.hot.rows[row].func.clone(), narrowed));
                self.centre(found, cx);
                Enter::Point
            }
            (None, _) => Enter::Point,
        }
    }

    fn leave(&mut self, narrowed: usize, found: &Arc<Found>, cx: &Ctx) -> bool {
        self.path.last().is_none_or(|p| p.1 >= narrowed) && self.uncentre(found, cx)
    }

    fn text(&self, found: &Found, _cx: &Ctx) -> Option<String> {
        let r = found.hot.rows.get(self.function()?)?;
        let (flat, cum) = (found.value(r.flat), found.value(r.cum));
        Some(format!("{flat} {} {cum} {}  {}", found.share(r.flat), found.share(r.cum), r.name))
    }

    fn render(&self, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        match self.is_centred() {
            true => self.calls.render(area, buf, cx, self.nothing(found)),
            false => self.list.render(area, buf, cx, self.nothing(found)),
        }
    }
}
