//! The palette: finds an action by a few letters of its name or help.

use super::{OverlayCtx, Then, boxed};
use crate::base::text;
use crate::tui::app::action::Action;
use crate::tui::app::keymap::Key;
use crate::tui::theme::Role;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::write;
use crossterm::event::{KeyCode, KeyModifiers};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

const ROWS: u16 = 12;

/// The overlay.
#[derive(Default)]
pub struct Palette {
    input: Input,
    list: Scroll,
}

/// The actions that match, best first; all of them for no text.
pub fn matching(typed: &str) -> Vec<Action> {
    let all = Action::ALL.iter().copied().filter(|a| *a != Action::Palette);
    if typed.trim().is_empty() {
        return all.collect();
    }
    let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buf = Vec::new();
    let mut score = |s: &str| pattern.score(Utf32Str::new(s, &mut buf), &mut matcher);
    // A match in the name counts double: it is what people remember.
    let mut found: Vec<(u32, Action)> = all
        .filter_map(|a| {
            let best = score(a.name()).map(|s| s * 2).max(score(a.help()))?;
            Some((best, a))
        })
        .collect();
    found.sort_by_key(|(s, _)| std::cmp::Reverse(*s));
    found.into_iter().map(|(_, a)| a).collect()
}

impl Palette {
    pub(super) fn paste(&mut self, text: impl Iterator<Item = char>) {
        super::insert(&mut self.input, text);
        self.list.select(0);
        self.list.fit(matching(self.input.value()).len() as u64, ROWS);
    }

    pub(super) fn key(&mut self, key: Key, _cx: &OverlayCtx) -> Then {
        let found = matching(self.input.value());
        self.list.fit(found.len() as u64, ROWS);
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Then::Close,
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Enter => {
                return found.get(self.list.selected as usize).map_or(Then::Close, |&a| Then::Do(a));
            }
            KeyCode::Down | KeyCode::Tab => drop(self.list.handle(Action::Down)),
            KeyCode::Char('n') if ctrl => drop(self.list.handle(Action::Down)),
            KeyCode::Up => drop(self.list.handle(Action::Up)),
            KeyCode::Char('p') if ctrl => drop(self.list.handle(Action::Up)),
            KeyCode::Backspace if self.input.value().is_empty() => return Then::Close,
            _ if super::is_too_much(&self.input, key) => {}
            _ => {
                if self.input.handle_event(&crossterm::event::Event::Key(key.to_event())).is_some_and(|c| c.value) {
                    self.list.select(0);
                }
            }
        }
        self.list.fit(matching(self.input.value()).len() as u64, ROWS);
        Then::Stay
    }

    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        let found = matching(self.input.value());
        let inside = boxed(screen, 72, ROWS + 1, "actions", buf, cx.theme);
        if inside.is_empty() {
            return None;
        }
        let x = write(buf, inside, inside.x, inside.y, ":", cx.theme.style(Role::Key));
        write(buf, inside, x, inside.y, &text::escape(self.input.value()), cx.theme.style(Role::Text));
        let mut list = self.list;
        list.fit(found.len() as u64, inside.height.saturating_sub(1));
        for (i, no) in list.seen().enumerate() {
            let Some(&action) = found.get(no as usize) else { break };
            let y = inside.y + 1 + i as u16;
            let selected = no == list.selected;
            if selected {
                cx.theme.select(buf, Rect { y, height: 1, ..inside });
            }
            let mark = if selected { cx.theme.glyphs.marker } else { ' ' };
            write(buf, inside, inside.x, y, &mark.to_string(), cx.theme.style(Role::Accent));
            write(buf, inside, inside.x + 2, y, action.name(), cx.theme.style(Role::Title));
            write(buf, inside, inside.x + 22, y, action.help(), cx.theme.style(Role::Text));
            let keys = cx.keymap.text(action);
            let at = inside.right().saturating_sub(text::width(&keys) as u16 + 1);
            let free = inside.x + 24 + text::width(action.help()) as u16;
            if at > free {
                write(buf, inside, at, y, &keys, cx.theme.style(Role::Key));
            }
        }
        if found.is_empty() {
            write(buf, inside, inside.x + 2, inside.y + 1, "no such action", cx.theme.style(Role::Dim));
        }
        Some(Position::new((x + self.input.visual_cursor() as u16).min(inside.right() - 1), inside.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::catalog::ViewId;

    #[test]
    fn a_few_letters_find_the_action() {
        assert_eq!(matching("gorou")[0], Action::View(ViewId::Goroutines));
        assert_eq!(matching("zin")[0], Action::ZoomIn);
        assert_eq!(matching("editor")[0], Action::Editor);
        assert!(matching("xyzzy").is_empty());
    }
}
