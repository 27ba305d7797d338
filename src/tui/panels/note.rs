//! The line at the foot in which the note of a bookmark is typed.

use super::{OverlayCtx, Then};
use crate::base::text;
use crate::read::bookmarks::{Bookmark, Edit, plain_note};
use crate::tui::app::keymap::Key;
use crate::tui::text::instant;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

/// The overlay.
pub struct Note {
    /// What gets the note, and whether it was there before.
    mark: Bookmark,
    new: bool,
    input: Input,
}

impl Note {
    /// The note of a bookmark that is made, or of one that is there.
    pub fn of(mark: Bookmark, new: bool) -> Note {
        let input = Input::new(mark.note.clone());
        Note { mark, new, input }
    }

    pub(super) fn paste(&mut self, text: impl Iterator<Item = char>) {
        super::insert(&mut self.input, text);
    }

    pub(super) fn key(&mut self, key: Key) -> Then {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Then::Close,
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Enter => {
                let noted = Bookmark { note: plain_note(self.input.value()), ..self.mark.clone() };
                let remove = if self.new || noted == self.mark { Vec::new() } else { vec![self.mark.clone()] };
                return Then::Bookmark(Edit { remove, add: vec![noted] });
            }
            _ if super::is_too_much(&self.input, key) => {}
            _ => drop(self.input.handle_event(&crossterm::event::Event::Key(key.to_event()))),
        }
        Then::Stay
    }

    pub(super) fn render(&self, screen: Rect, foot: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        let foot = super::foot(screen, foot)?;
        super::clear(buf, foot);
        let go = self.mark.go.map_or(String::new(), |g| format!(" g{}", g.0));
        let head = format!("bookmark {}{go}, note: ", instant(self.mark.at));
        let start = write(buf, foot, foot.x, foot.y, &head, cx.theme.style(Role::Key));
        let room = foot.right().saturating_sub(start);
        let skip = self.input.visual_scroll(usize::from(room.saturating_sub(1)));
        let shown: String = self.input.value().chars().skip(skip).collect();
        write(buf, foot, start, foot.y, &text::escape(&shown), cx.theme.style(Role::Text));
        if self.input.value().is_empty() {
            let hint = "a line of text, or none; Enter keeps it, Esc does not";
            write(buf, foot, start + 1, foot.y, hint, cx.theme.style(Role::Dim));
        }
        let cursor = start.saturating_add(self.input.visual_cursor().saturating_sub(skip) as u16);
        Some(Position::new(cursor.min(foot.right() - 1), foot.y))
    }
}
