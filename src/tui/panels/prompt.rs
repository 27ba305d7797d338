//! The prompt for a query: completion while typing, and mistakes shown at their place.

use super::{OverlayCtx, Then, clear};
use crate::base::text;
use crate::query;
use crate::tui::app::keymap::Key;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

const ROWS: usize = 8;

/// The prompt.
#[derive(Default)]
pub struct Prompt {
    input: Input,
    /// Earlier queries, newest last, and the one that is shown of them.
    history: Vec<String>,
    at: Option<usize>,
    /// What the end of the text may go on to; `chosen` is the one that Tab has put there.
    offered: query::Completion,
    chosen: Option<usize>,
    /// The mistake that Enter found.
    error: Option<query::QueryError>,
}

impl Prompt {
    /// A prompt that holds a query already.
    pub fn new(text: &str, history: Vec<String>) -> Prompt {
        Prompt { input: Input::new(text.to_string()), history, ..Prompt::default() }
    }

    /// The text as far as it is typed.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    fn set(&mut self, text: String) {
        self.input = Input::new(text);
        self.error = None;
    }

    fn offer(&mut self, cx: &OverlayCtx) {
        let at_end = self.input.cursor() == self.input.value().chars().count();
        self.chosen = None;
        self.offered =
            match self.input.value().ends_with(char::is_whitespace) || !at_end || self.input.value().is_empty() {
                true => query::Completion::default(),
                false => query::complete(self.input.value(), Some(cx.index)),
            };
    }

    fn complete(&mut self, step: isize, cx: &OverlayCtx) {
        if self.chosen.is_none() && self.offered.candidates.is_empty() {
            self.offered = query::complete(self.input.value(), Some(cx.index));
        }
        let n = self.offered.candidates.len();
        if n == 0 {
            return;
        }
        let next = match self.chosen {
            None if step > 0 => 0,
            None => n - 1,
            Some(i) => (i + n).wrapping_add_signed(step) % n,
        };
        let start = self.offered.span.start;
        let text = format!("{}{}", &self.input.value()[..start], self.offered.candidates[next].text);
        self.set(text);
        self.chosen = Some(next);
    }

    fn recall(&mut self, older: bool) {
        let n = self.history.len();
        let to = match (self.at, older) {
            (None, true) if n > 0 => Some(n - 1),
            (Some(i), true) => Some(i.saturating_sub(1)),
            (Some(i), false) if i + 1 < n => Some(i + 1),
            _ => None,
        };
        self.at = to;
        let text = to.map_or(String::new(), |i| self.history[i].clone());
        self.set(text);
        self.offered = query::Completion::default();
        self.chosen = None;
    }

    pub(super) fn paste(&mut self, text: impl Iterator<Item = char>, cx: &OverlayCtx) {
        super::insert(&mut self.input, text);
        self.error = None;
        self.offer(cx);
    }

    pub(super) fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Then::Close,
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Backspace if self.input.value().is_empty() => return Then::Close,
            KeyCode::Enter => {
                let query = self.input.value().trim().to_string();
                if query.is_empty() {
                    return Then::Query(query);
                }
                match query::parse(&query) {
                    Ok(_) => return Then::Query(query),
                    Err(e) => {
                        // The places of a mistake are those of the trimmed text.
                        self.input = Input::new(query);
                        self.error = Some(e);
                    }
                }
            }
            KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => self.complete(-1, cx),
            KeyCode::Tab => self.complete(1, cx),
            KeyCode::Up => self.recall(true),
            KeyCode::Down => self.recall(false),
            _ if super::is_too_much(&self.input, key) => {}
            _ => {
                if self.input.handle_event(&crossterm::event::Event::Key(key.to_event())).is_some_and(|c| c.value) {
                    self.error = None;
                    self.offer(cx);
                }
            }
        }
        Then::Stay
    }

    pub(super) fn render(&self, screen: Rect, foot: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        let foot = super::foot(screen, foot)?;
        let theme = cx.theme;
        clear(buf, foot);
        let start = write(buf, foot, foot.x, foot.y, "/", theme.style(Role::Key));
        let room = foot.right().saturating_sub(start);
        let skip = self.input.visual_scroll(room.saturating_sub(1) as usize);
        let shown: String = self.input.value().chars().skip(skip).collect();
        write(buf, foot, start, foot.y, &text::escape(&shown), theme.style(Role::Text));
        if self.input.value().is_empty() {
            let hint = "mapassign   func:payment.*   state:waiting dur>1ms   reason:sync   g:12   ? shows all";
            write(buf, foot, start + 1, foot.y, hint, theme.style(Role::Dim));
        }
        let cursor = (start + self.input.visual_cursor().saturating_sub(skip) as u16).min(foot.right() - 1);
        if let Some(e) = &self.error {
            self.render_error(e, screen, foot, start, skip, buf, cx);
        } else {
            self.render_offers(screen, foot, start, buf, cx);
        }
        Some(Position::new(cursor, foot.y))
    }

    #[allow(clippy::too_many_arguments)]
    fn render_error(
        &self,
        e: &query::QueryError,
        screen: Rect,
        foot: Rect,
        start: u16,
        skip: usize,
        buf: &mut Buffer,
        cx: &OverlayCtx,
    ) {
        let value = self.input.value();
        let columns = |to: usize| text::width(value.get(..to).unwrap_or(value)).saturating_sub(skip) as u16;
        let (from, to) = (columns(e.span.start), columns(e.span.end).max(columns(e.span.start) + 1));
        let style = cx.theme.style(Role::Error);
        let mark = Rect {
            x: start.saturating_add(from).min(foot.right()),
            width: (to - from).min(foot.right().saturating_sub(start.saturating_add(from))),
            ..foot
        };
        buf.set_style(mark, style.add_modifier(ratatui::style::Modifier::UNDERLINED));
        if foot.y > screen.y {
            let line = Rect { y: foot.y - 1, ..foot };
            clear(buf, line);
            write(buf, line, mark.x, line.y, "^", style);
            let message = e.to_string();
            let room = (line.right().saturating_sub(mark.x + 2)) as usize;
            // Where the message does not fit behind the mark it starts at the left, with the mark left out.
            if text::width(&message) <= room {
                write(buf, line, mark.x + 2, line.y, &message, style);
            } else {
                clear(buf, line);
                write(buf, line, line.x, line.y, &text::fit(&message, line.width as usize), style);
            }
        }
    }

    fn render_offers(&self, screen: Rect, foot: Rect, start: u16, buf: &mut Buffer, cx: &OverlayCtx) {
        let all = &self.offered.candidates;
        let rows = all.len().min(ROWS).min((foot.y - screen.y) as usize);
        if rows == 0 {
            return;
        }
        let first = self.chosen.map_or(0, |c| (c + 1).saturating_sub(rows));
        let before = self.input.value().get(..self.offered.span.start).unwrap_or("");
        let x = (start + text::width(before) as u16).min(foot.right().saturating_sub(20)).max(foot.x);
        let shown = &all[first..(first + rows).min(all.len())];
        let term = shown.iter().map(|c| text::width(&c.text)).max().unwrap_or(0);
        let meaning = shown.iter().map(|c| text::width(c.meaning)).max().unwrap_or(0);
        let width = ((term + 2 + meaning + 2) as u16).min(foot.right() - x);
        for (i, c) in shown.iter().enumerate() {
            let line = Rect { x, y: foot.y - (rows - i) as u16, width, height: 1 };
            clear(buf, line);
            let chosen = self.chosen == Some(first + i);
            let mark = if chosen { cx.theme.glyphs.marker } else { cx.theme.glyphs.vertical };
            write(buf, line, x, line.y, &mark.to_string(), cx.theme.style(Role::Border));
            write(buf, line, x + 1, line.y, &text::escape(&c.text), cx.theme.style(Role::Key));
            write(buf, line, x + term as u16 + 3, line.y, c.meaning, cx.theme.style(Role::Dim));
            if chosen {
                cx.theme.select(buf, line);
            }
        }
    }
}
