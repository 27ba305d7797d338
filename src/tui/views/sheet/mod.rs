//! Locks, chains of waits, critical paths, what makes spans slow and answers to SQL: lists of lines, of which some lead
//! somewhere.

mod make;
mod panel;
mod slow;
mod sql;

use crate::base::{FrameId, Time};
use crate::read::Trace;
use crate::tui::app::action::Action;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, Slot};
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::{Command, Ctx, Mouse, Obeys, Pane, View};
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use panel::{Goal, Panel};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// What was looked at, and the range if it depends on one.
type Key = (Sheet, Option<(Time, Time)>);

/// How many are kept as they were left, for whoever comes back to them.
const KEPT: usize = 16;

const NAME: &str = "sheet";

/// The slot of the jobs that make what is shown.
pub fn slot() -> Slot {
    Slot::of::<Sheets>(NAME)
}

/// The view.
#[derive(Default)]
pub struct Sheets {
    /// Those that were looked at, the last one last.
    kept: Vec<(Key, Panel)>,
    asked: Option<Key>,
}

fn key(place: &Place) -> Option<Key> {
    let sheet = place.sheet.clone()?;
    let range = if sheet == Sheet::Locks { place.window() } else { None };
    Some((sheet, range))
}

fn look(key: Key, trace: Arc<Trace>) -> Job {
    let of = key.clone();
    let work = move |cx: &crate::tui::app::jobs::JobCtx| {
        let made = match of {
            (Sheet::Locks, range) => make::locks(cx, range),
            (Sheet::Chain(began), _) => make::chain(cx, began),
            (Sheet::Path(window, of), _) => make::path(cx, window, &of),
            (Sheet::Slow(of), _) => slow::slow(cx, &of),
            (Sheet::Sql(text), _) => Ok(sql::answer(cx, trace, &text)),
        };
        // What went wrong is to be read where the answer was to be.
        Ok(made.unwrap_or_else(make::failed))
    };
    Job::new(NAME, work, move |view: &mut Sheets, made, cx, out| {
        view.asked.take_if(|a| *a == key);
        view.keep(key, Panel::new(Arc::new(made)));
        view.point(cx, out);
    })
}

impl Sheets {
    fn keep(&mut self, key: Key, panel: Panel) {
        self.kept.retain(|k| k.0 != key);
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push((key, panel));
    }

    fn shown(&self, place: &Place) -> Option<&Panel> {
        let key = key(place)?;
        self.kept.iter().find(|k| k.0 == key).map(|k| &k.1)
    }

    fn shown_mut(&mut self, place: &Place) -> Option<&mut Panel> {
        let key = key(place)?;
        self.kept.iter_mut().find(|k| k.0 == key).map(|k| &mut k.1)
    }

    /// Tells the model of the goroutine that the line under the cursor leads to, so that the panes are of it.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(t) = self.shown(cx.place).and_then(Panel::target) else { return };
        let to = Place { go: t.go, at: t.at, row: None, event: None, frame: FrameId::NONE, ..cx.place.clone() };
        if (to.go, to.at) != (cx.place.go, cx.place.at) {
            out.push(Command::Move(to));
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(Goal { target, route, zoom }) = self.shown_mut(cx.place).and_then(Panel::enter) else { return };
        let zoom = zoom.or(cx.place.zoom);
        let (go, at) = (target.go, target.at);
        let to = Place { go, at, zoom, route, row: None, event: None, ..cx.place.with_view(ViewId::Timeline) };
        out.push(Command::Enter(to));
        out.push(Command::Focus(Pane::Body));
    }
}

impl View for Sheets {
    fn title(&self, cx: &Ctx) -> String {
        cx.place.sheet.as_ref().map_or("", Sheet::name).into()
    }

    fn wants_room(&self, place: &Place) -> bool {
        self.shown(place).is_some_and(Panel::is_unfolded)
    }

    fn obeys(&self, place: &Place) -> Obeys {
        Obeys { range: place.sheet == Some(Sheet::Locks), ..Obeys::NOTHING }
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Copy if cx.focused => match self.shown(cx.place).and_then(Panel::text) {
                Some(text) => out.push(Command::Copy(text)),
                None => return false,
            },
            Action::Narrow => match self.shown(cx.place).and_then(Panel::target) {
                Some(t) => out.push(Command::Narrow(Narrow::Go(t.go))),
                None => return false,
            },
            _ => {
                if !self.shown_mut(cx.place).is_some_and(|p| p.handle(action)) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(panel) = self.shown_mut(cx.place) else { return false };
        match what {
            Mouse::Wheel(n, _) => panel.step(n as isize * 3),
            Mouse::Press | Mouse::Double => {
                if !panel.select_at(at.y.saturating_sub(area.y)) {
                    return false;
                }
            }
            Mouse::Drag | Mouse::Release => return false,
        }
        self.point(cx, out);
        if what == Mouse::Double {
            self.enter(cx, out);
        }
        true
    }

    fn prepare(&mut self, _area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(key) = key(cx.place) else {
            self.asked = None;
            return;
        };
        if cx.index.complete && self.shown(cx.place).is_none() && self.asked.as_ref() != Some(&key) {
            self.asked = Some(key.clone());
            out.push(Command::Run(look(key, cx.trace.clone())));
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        match self.shown(cx.place) {
            Some(panel) => panel.render(area, buf, cx.theme, cx.focused),
            None => {
                let text = if cx.index.complete { "looking …" } else { "the trace is not read yet" };
                write(buf, area, area.x + 1, area.y, text, cx.theme.style(Role::Dim));
            }
        }
    }
}
