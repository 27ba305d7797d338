//! The overview strip: how busy the whole trace is, and which part of it is on the screen.

use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::ops::Range;

/// Stands where a finding is.
pub const MARK: char = '!';
/// Stands where a bookmark is and no finding.
pub const BOOKMARK: char = 'b';

/// The strip, one value a column.
pub struct Overview<'a> {
    /// Share of the Ps that ran goroutines, 0 to 1.
    pub busy: &'a [f64],
    /// Hits of the query; may be shorter.
    pub hits: &'a [u32],
    /// What marks a column, above all else, and its colour: the worst finding there, or a bookmark. May be shorter.
    pub marks: &'a [Option<(char, Role)>],
    /// The columns of the window that is on the screen; `None` if that is everything.
    pub window: Option<Range<usize>>,
    /// Styles and glyphs.
    pub theme: &'a Theme,
}

impl Overview<'_> {
    /// Draws into an area of any height: bars, and from two rows on a line with the window and the hits below.
    pub fn render(&self, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let rows = usize::from(area.height);
        let (bars, line) = if rows == 1 { (1, false) } else { (rows - 1, true) };
        // In a single row many hits would hide the bars: they then only lend them their style.
        let dense = !line && self.hits.iter().filter(|&&n| n > 0).count() * 4 > self.busy.len();
        for (i, &busy) in self.busy.iter().enumerate().take(usize::from(area.width)) {
            let x = area.x + i as u16;
            let style = match (dense && self.hit(i), self.inside(i)) {
                (true, _) => Role::Hit,
                (false, true) => Role::Running,
                (false, false) => Role::Dim,
            };
            let mut left = busy.clamp(0.0, 1.0) * bars as f64;
            for row in (0..bars).rev() {
                let level = if left > 0.0 { self.theme.level_glyph(left.min(1.0)) } else { ' ' };
                buf[(x, area.y + row as u16)].set_char(level).set_style(self.theme.style(style));
                left -= 1.0;
            }
            if line || (self.hit(i) && !dense) || self.mark(i).is_some() || self.bracket(i).is_some() {
                let (glyph, style) = self.marks(i, line);
                if let Some(glyph) = glyph {
                    buf[(x, area.bottom() - 1)].set_char(glyph).set_style(style);
                }
            }
        }
    }

    fn inside(&self, i: usize) -> bool {
        self.window.as_ref().is_none_or(|w| w.contains(&i))
    }

    fn hit(&self, i: usize) -> bool {
        self.hits.get(i).is_some_and(|&n| n > 0)
    }

    fn mark(&self, i: usize) -> Option<(char, Role)> {
        self.marks.get(i).copied().flatten()
    }

    /// The end of the window that stands in column `i`.
    fn bracket(&self, i: usize) -> Option<char> {
        let w = self.window.as_ref()?;
        if w.len() <= 1 && i == w.start {
            return Some(self.theme.glyphs.tick);
        }
        match i {
            _ if i == w.start => Some('['),
            _ if i + 1 == w.end => Some(']'),
            _ => None,
        }
    }

    fn marks(&self, i: usize, line: bool) -> (Option<char>, Style) {
        if let Some(c) = self.bracket(i) {
            return (Some(c), self.theme.style(Role::Key));
        }
        if let Some((glyph, role)) = self.mark(i) {
            return (Some(glyph), self.theme.style(role));
        }
        if self.hit(i) {
            return (Some(self.theme.glyphs.hit), self.theme.style(Role::Hit));
        }
        if line && self.window.is_some() && self.inside(i) {
            return (Some(self.theme.glyphs.horizontal), self.theme.style(Role::Accent));
        }
        (None, Style::new())
    }
}
