//! The overview strip: the whole trace in a few rows, with the window marked.

use super::state::{limits, shown};
use crate::analysis::timeline::Window;
use crate::base::Duration;
use crate::model::Lane;
use crate::tui::app::action::Action;
use crate::tui::app::found::mark;
use crate::tui::app::nav::Place;
use crate::tui::app::view::{Command, Ctx, Mouse, View};
use crate::tui::theme::Role;
use crate::tui::widgets::overview::{self, BOOKMARK, MARK};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// The overview strip under the title.
#[derive(Default)]
pub struct Overview {}

/// The whole of what the strip shows: the trace, whatever narrows the other views.
fn whole(cx: &Ctx, width: u16) -> Window {
    let everything = Place { narrowing: Vec::new(), zoom: None, ..cx.place.clone() };
    let (from, to) = limits(cx.index, &everything);
    Window { from, to, width: usize::from(width) }
}

/// What marks each column: the worst finding, of those that have an instant and are not hidden, or else a bookmark.
fn marks(cx: &Ctx, all: Window) -> Vec<Option<(char, Role)>> {
    let mut out = vec![None; all.width];
    for b in cx.marks.all() {
        if let Some(cell) = all.cell(cx.index.start + b.at).and_then(|i| out.get_mut(i)) {
            *cell = Some((BOOKMARK, Role::Accent));
        }
    }
    // The worst come first.
    for item in cx.found.said().map_or(&[][..], |s| &s.items).iter().rev() {
        if let Some(cell) = item.time.and_then(|t| out.get_mut(all.cell(t)?)) {
            *cell = Some((MARK, mark(item.severity).1));
        }
    }
    out
}

impl View for Overview {
    fn title(&self, _cx: &Ctx) -> String {
        "overview".into()
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if !matches!(what, Mouse::Press | Mouse::Drag) || area.width == 0 {
            return false;
        }
        let all = whole(cx, area.width);
        let to = all.edge(usize::from(at.x - area.x)).max(cx.index.start).min(cx.index.end);
        let mut place = cx.place.clone();
        (place.at, place.event) = (to, None);
        let window = shown(cx.index, cx.place, usize::from(area.width));
        if place.zoom.is_some() {
            place.zoom = Some(super::state::place_window(limits(cx.index, cx.place), to, window.span(), 0.5));
        }
        out.push(Command::Move(place));
        true
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        if area.is_empty() || cx.index.segments.is_empty() {
            return;
        }
        let all = whole(cx, area.width);
        let cells = cx.index.cells(Lane::All, all.from, all.to, all.width);
        let procs = cx.index.gomaxprocs.iter().map(|p| p.1).max().unwrap_or(0).max(1);
        let procs = procs.min(cx.index.procs.len().max(1) as u64);
        let full = all.cell_span().0 as f64 * procs as f64;
        let busy: Vec<f64> = cells.iter().map(|c| c.running.0 as f64 / full).collect();
        let hits = cx.hits.map_or(Vec::new(), |h| h.ticks(cx.index, Lane::All, all.from, all.to, all.width));
        let window = shown(cx.index, cx.place, all.width);
        let part = (window.from > all.from || window.to < all.to).then(|| {
            let a = all.cell(window.from).unwrap_or(0);
            let b = all.cell(window.to - Duration(1)).unwrap_or(all.width - 1) + 1;
            a..b.max(a + 1)
        });
        let marks = marks(cx, all);
        overview::Overview { busy: &busy, hits: &hits, marks: &marks, window: part, theme: cx.theme }.render(area, buf);
    }
}
