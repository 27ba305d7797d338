//! What lies over the views for a while and takes the keys: the prompt, the palette, the list of keys.

mod bookmarks;
pub mod help;
mod note;
pub(in crate::tui) mod palette;
mod prompt;

pub use bookmarks::Bookmarks;
pub use help::Help;
pub use note::Note;
pub use palette::Palette;
pub use prompt::Prompt;

use super::app::action::Action;
use super::app::keymap::{Key, Keymap};
use super::app::marks::Marks;
use super::theme::Theme;
use crate::model::Index;
use crate::read::bookmarks::{Bookmark, Edit};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use tui_input::{Input, InputRequest};

/// What an overlay makes of a key.
pub enum Then {
    /// It stays.
    Stay,
    /// It goes away.
    Close,
    /// It goes away and this is done.
    Do(Action),
    /// It goes away and the trace is asked this in SQL.
    Sql(String),
    /// It goes away and this query narrows the views; empty takes the query off.
    Query(String),
    /// It goes away and the bookmarks change.
    Bookmark(Edit),
    /// It goes away and the note of this bookmark is asked for.
    Note(Bookmark),
    /// It goes away and this bookmark is gone to.
    Jump(Bookmark),
    /// It stays and this bookmark is removed.
    Remove(Bookmark),
    /// It stays and the bookmark that was removed last is back.
    Undo,
}

/// The overlay that is shown, if any.
#[derive(Default)]
pub enum Overlay {
    /// None.
    #[default]
    None,
    /// The list of keys.
    Help(Help),
    /// The palette.
    Palette(Palette),
    /// The query's prompt.
    Prompt(Prompt),
    /// The note of a bookmark.
    Note(Note),
    /// The list of bookmarks.
    Bookmarks(Bookmarks),
}

/// The longest text that can be typed or pasted into a line, in bytes: what is longer was not meant for it.
const MAX_INPUT: usize = 2000;

/// Puts characters where the cursor of a line is, as many as there is room for.
fn insert(input: &mut Input, text: impl Iterator<Item = char>) {
    for c in text {
        if input.value().len() + c.len_utf8() > MAX_INPUT {
            return;
        }
        input.handle(InputRequest::InsertChar(c));
    }
}

/// Whether a key would make a line too long.
fn is_too_much(input: &Input, key: Key) -> bool {
    matches!(key.code, crossterm::event::KeyCode::Char(_)) && input.value().len() >= MAX_INPUT
}

/// What overlays may look at.
pub struct OverlayCtx<'a> {
    /// Keys of actions.
    pub keymap: &'a Keymap,
    /// Names to complete.
    pub index: &'a Index,
    /// Styles and glyphs.
    pub theme: &'a Theme,
    /// The bookmarks.
    pub marks: &'a Marks,
}

impl Overlay {
    /// Whether there is one.
    pub fn is_some(&self) -> bool {
        !matches!(self, Overlay::None)
    }

    /// Handles a key.
    pub fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        match self {
            Overlay::None => Then::Stay,
            Overlay::Help(h) => h.key(key, cx),
            Overlay::Palette(p) => p.key(key, cx),
            Overlay::Prompt(p) => p.key(key, cx),
            Overlay::Note(n) => n.key(key),
            Overlay::Bookmarks(b) => b.key(key, cx),
        }
    }

    /// Handles pasted text.
    pub fn paste(&mut self, text: &str, cx: &OverlayCtx) {
        let clean = text.chars().filter(|c| !c.is_control());
        match self {
            Overlay::Prompt(p) => p.paste(clean, cx),
            Overlay::Palette(p) => p.paste(clean),
            Overlay::Help(h) => h.paste(clean),
            Overlay::Note(n) => n.paste(clean),
            Overlay::None | Overlay::Bookmarks(_) => {}
        }
    }

    /// Handles a turn of the wheel or a click.
    pub fn wheel(&mut self, rows: i32) {
        match self {
            Overlay::Help(h) => h.wheel(rows),
            Overlay::Bookmarks(b) => b.wheel(rows),
            Overlay::Palette(p) => p.wheel(rows),
            _ => {}
        }
    }

    /// Handles the left button, pressed the second time at the same place if `double`: a row is selected, and gone into; beside
    /// the rows it goes away.
    pub fn press(&mut self, at: Position, double: bool, screen: Rect, cx: &OverlayCtx) -> Then {
        match self {
            Overlay::Palette(p) => p.press(at, double, screen),
            Overlay::Bookmarks(b) => b.press(at, double, screen, cx),
            _ => Then::Close,
        }
    }

    /// Draws over the whole `screen`; `foot` is the line that the prompt takes. Returns where the text cursor stands.
    pub fn render(&self, screen: Rect, foot: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        match self {
            Overlay::None => None,
            Overlay::Help(h) => h.render(screen, buf, cx),
            Overlay::Palette(p) => p.render(screen, buf, cx),
            Overlay::Prompt(p) => p.render(screen, foot, buf, cx),
            Overlay::Note(n) => n.render(screen, foot, buf, cx),
            Overlay::Bookmarks(b) => {
                b.render(screen, buf, cx);
                None
            }
        }
    }
}

/// The line in which something is typed: the foot, or the screen's last line where there is none.
fn foot(screen: Rect, foot: Rect) -> Option<Rect> {
    let last = Rect { y: screen.bottom().saturating_sub(1), height: screen.height.min(1), ..screen };
    Some(if foot.is_empty() { last } else { foot }).filter(|f| !f.is_empty())
}

fn clear(buf: &mut Buffer, area: Rect) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            buf[(x, y)].reset();
        }
    }
}

/// Where a box with so much room stands in the middle of the screen, and its inside.
fn place(screen: Rect, width: u16, height: u16) -> (Rect, Rect) {
    let w = width.saturating_add(4).min(screen.width);
    let h = height.saturating_add(2).min(screen.height);
    let area =
        Rect { x: screen.x + (screen.width - w) / 2, y: screen.y + (screen.height - h) / 2, width: w, height: h };
    match w < 4 || h < 3 {
        true => (area, Rect { width: 0, height: 0, ..area }),
        false => (area, Rect { x: area.x + 2, y: area.y + 1, width: w - 4, height: h - 2 }),
    }
}

/// A cleared, bordered box in the middle of the screen; returns its inside.
fn boxed(screen: Rect, width: u16, height: u16, title: &str, buf: &mut Buffer, theme: &Theme) -> Rect {
    use super::theme::Role;
    let (area, inside) = place(screen, width, height);
    clear(buf, area);
    if inside.is_empty() {
        return inside;
    }
    let border = theme.style(Role::Border);
    let g = theme.glyphs;
    let corners = if g.vertical == '|' { ['+', '+', '+', '+'] } else { ['┌', '┐', '└', '┘'] };
    for x in area.left()..area.right() {
        for y in [area.top(), area.bottom() - 1] {
            buf[(x, y)].set_char(g.horizontal).set_style(border);
        }
    }
    for y in area.top()..area.bottom() {
        for x in [area.left(), area.right() - 1] {
            buf[(x, y)].set_char(g.vertical).set_style(border);
        }
    }
    for (c, (x, y)) in corners.into_iter().zip([
        (area.left(), area.top()),
        (area.right() - 1, area.top()),
        (area.left(), area.bottom() - 1),
        (area.right() - 1, area.bottom() - 1),
    ]) {
        buf[(x, y)].set_char(c);
    }
    // The border is below it, and its colour must not be the text's.
    let style = Style::reset().patch(theme.style(Role::Title));
    buf.set_stringn(area.x + 2, area.y, format!(" {title} "), usize::from(inside.width), style);
    inside
}
