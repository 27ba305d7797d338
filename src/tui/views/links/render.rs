//! Draws the links view.

use super::rows::{EdgeRow, MAX_WAITS};
use super::{Links, key};
use crate::base::text;
use crate::tui::app::view::Ctx;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::heat::Heat;
use crate::tui::widgets::spans::{self, Spans};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn draw(view: &Links, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if let Some(row) = view.lists.open().filter(|_| view.heat && !view.lists.inner.is_empty()) {
        heat(view, row, area, buf, cx);
        return;
    }
    view.lists.render(area, buf, cx, |r| heading(view, r, cx), &message(view, cx));
    let (edges, hidden) = (&view.lists.outer, view.hidden());
    let whole = view.lists.open().is_none() && !edges.is_empty() && edges.shows_end();
    if whole && hidden > 0 && cx.place.group().is_none() {
        let text = format!("and {hidden} of runtime goroutines: e shows them");
        let y = area.y + edges.seen() as u16 + 1;
        write(buf, area, area.x + 1, y, &text, cx.theme.style(Role::Dim));
    }
}

/// How long the waits of the open edge were over time.
fn heat(view: &Links, row: &EdgeRow, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let head = Rect { height: 1, ..area };
    spans::draw(&heading(view, row, cx), head, area.y, false, buf, cx.theme);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let points: Vec<_> = view.lists.inner.rows().iter().map(|w| (w.from, w.len())).collect();
    let role = Theme::wait_role(row.kind);
    Heat { points: &points, range: cx.window(), start: cx.index.start, role, theme: cx.theme }.render(below, buf);
}

fn message(view: &Links, cx: &Ctx) -> String {
    let text = match (cx.index.complete, view.found.is_of(&key(cx)), view.lists.open().is_some()) {
        (false, ..) => "reading … waits are summed up when the whole trace is read",
        (true, false, _) => "summing up …",
        (_, _, true) if view.lists.is_listed() => "none of these waits match the filter",
        (_, _, true) => "looking for the waits …",
        _ if cx.place.query().is_some() => {
            "no wait begins with an event that the query matches; Esc takes the query off"
        }
        _ if !cx.place.narrowing.is_empty() => "no waits match the filter",
        _ if view.hidden() > 0 => "only runtime goroutines waited: e shows them",
        _ => "no goroutine was blocked in this trace",
    };
    text.into()
}

/// Whose waits are listed.
fn heading(view: &Links, r: &EdgeRow, cx: &Ctx) -> Spans {
    let theme = cx.theme;
    let arrow = if theme.is_ascii() { "<-" } else { "←" };
    let join = |p: &(String, String)| if p.1.is_empty() { p.0.clone() } else { format!("{} {}", p.0, p.1) };
    let count = match view.lists.inner.len() {
        MAX_WAITS => format!("the longest {} of {}", text::count(MAX_WAITS as u64), text::count(r.count)),
        _ => format!("{} waits", text::count(r.count)),
    };
    vec![
        (r.reason.clone(), Theme::wait_role(r.kind)),
        (format!(" {} {count}, {} {} ", theme.glyphs.dot, r.total, theme.glyphs.dot), Role::Text),
        (join(&r.waiter), Role::Title),
        (format!(" {arrow} "), Role::Dim),
        (join(&r.waker), Role::Title),
    ]
}
