//! Widgets: what several views are made of.

pub mod axis;
pub mod drill;
pub mod heat;
pub mod lane;
pub mod list;
pub mod lookup;
pub mod overview;
pub mod scroll;
pub mod spans;
pub mod spark;
pub mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Writes text at a position of an area, cut at the area's right edge; returns the column after it. Nothing happens
/// outside the area.
pub fn write(buf: &mut Buffer, area: Rect, x: u16, y: u16, s: &str, style: Style) -> u16 {
    if y < area.y || y >= area.bottom() || x >= area.right() || x < area.x {
        return x;
    }
    buf.set_stringn(x, y, s, (area.right() - x) as usize, style).0
}
