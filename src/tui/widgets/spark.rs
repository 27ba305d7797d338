//! Small rows of values: a quantity over time, and how much of each cell something covers.

use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws values as bars of eight levels between 0 and `most` into the first row of `area`; nothing for `None`.
pub fn levels(values: &[Option<u64>], most: u64, role: Role, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let style = theme.style(role);
    for (i, v) in values.iter().enumerate().take(usize::from(area.width)) {
        if let Some(v) = v {
            let share = *v as f64 / most.max(1) as f64;
            buf[(area.x + i as u16, area.y)].set_char(theme.level_glyph(share.clamp(0.001, 1.0))).set_style(style);
        }
    }
}

/// Draws `full` where a cell is mostly covered and `part` where it is a little, into the first row of `area`.
pub fn covered(shares: &[f64], part: char, full: char, role: Role, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let style = theme.style(role);
    for (i, &s) in shares.iter().enumerate().take(usize::from(area.width)) {
        if s > 0.0 {
            buf[(area.x + i as u16, area.y)].set_char(if s >= 0.5 { full } else { part }).set_style(style);
        }
    }
}
