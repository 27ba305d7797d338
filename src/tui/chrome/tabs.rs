//! The line of tabs, and the line above the panes.

use super::layout;
use crate::base::text;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::Pane;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The line of tabs: only views that work are there. A sheet stands in for the present view.
pub fn draw(area: Rect, buf: &mut Buffer, view: ViewId, sheet: Option<&Sheet>, focused: bool, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let border = theme.style(Role::Border);
    for x in area.left()..area.right() {
        buf[(x, area.y)].set_char(theme.glyphs.horizontal).set_style(border);
    }
    let style = |present, focused| match (present, focused) {
        (true, true) => theme.style(Role::Selection).patch(theme.style(Role::Title)),
        (true, false) => theme.style(Role::Title),
        (false, _) => theme.style(Role::Dim),
    };
    let mut end = area.x;
    for (id, label, x) in layout::tabs(area.width, layout::beside(sheet), view) {
        let present = id == view && sheet.is_none();
        // The line is below it, and its colour must not be the text's.
        end = write(buf, area, area.x + x, area.y, &label, Style::reset().patch(style(present, focused)));
        if !present {
            write(buf, area, area.x + x + 1, area.y, &id.number().to_string(), theme.style(Role::Key));
        }
    }
    let name = sheet.map_or(String::new(), |s| format!(" {} ", s.name()));
    if !name.is_empty() && end + 1 + name.len() as u16 <= area.right() {
        write(buf, area, end + 1, area.y, &name, Style::reset().patch(style(true, focused)));
    }
}

/// The line above the panes, with their titles.
pub fn rule(area: Rect, buf: &mut Buffer, panes: &[(Pane, Rect, String)], focus: Pane, theme: &Theme) {
    let border = theme.style(Role::Border);
    for x in area.left()..area.right() {
        buf[(x, area.y)].set_char(theme.glyphs.horizontal).set_style(border);
    }
    for (pane, at, title) in panes {
        if at.x > area.x {
            buf[(at.x - 1, area.y)].set_char(theme.glyphs.cross_down);
            for y in at.top()..at.bottom() {
                buf[(at.x - 1, y)].set_char(theme.glyphs.vertical).set_style(border);
            }
        }
        let style = match *pane == focus {
            true => theme.style(Role::Selection).patch(theme.style(Role::Title)),
            false => theme.style(Role::Dim),
        };
        let room = at.width.saturating_sub(3) as usize;
        if room > 0 && !title.is_empty() {
            let title = format!(" {} ", text::fit(title, room.saturating_sub(2)));
            let line = Rect { x: at.x, width: at.width, ..area };
            write(buf, line, at.x + 1, area.y, &title, style);
        }
    }
}

/// What stands in place of a view of a trace where there is none.
pub fn no_trace(pane: Pane, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if pane == Pane::Body {
        let text = "no trace is open, only a profile: 9 shows it";
        write(buf, area, area.x + 1, area.y, text, theme.style(Role::Dim));
    }
}
