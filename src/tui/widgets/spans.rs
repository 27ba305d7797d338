//! Lines of text in pieces, each piece in a role of its own.

use super::write;
use crate::base::text;
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// A line in pieces, safe to show.
pub type Spans = Vec<(String, Role)>;

/// A line that says one thing, after what it says it of.
pub fn fact(label: &str, text: String) -> Spans {
    vec![(format!("{label:<13}"), Role::Dim), (text, Role::Text)]
}

/// Writes a line into the row `y` of an area, one column from its left.
pub fn draw(spans: &[(String, Role)], area: Rect, y: u16, bold: bool, buf: &mut Buffer, theme: &Theme) {
    let mut x = area.x + 1;
    for (text, role) in spans {
        let mut style = theme.style(*role);
        if bold {
            style = style.add_modifier(Modifier::BOLD);
        }
        x = write(buf, area, x, y, text, style);
    }
}

/// Writes a line one column from an area's left; the piece that does not fit is cut, with a sign.
pub fn draw_fitted(spans: &[(String, Role)], line: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut x = line.x + 1;
    for (s, role) in spans {
        let room = usize::from(line.right().saturating_sub(x));
        x = write(buf, line, x, line.y, &text::fit(s, room), theme.style(*role));
    }
}
