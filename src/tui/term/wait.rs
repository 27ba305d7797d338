//! The screen while there is nothing to see yet: what is waited for, until it is there or not wanted any more.

use super::out;
use super::pace::Waited;
use super::screen::{Guard, enter, screen};
use crate::base::text;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::write;
use crossterm::event::{self, Event};
use std::time::Duration;

/// How often it is looked whether it is there.
const AGAIN: Duration = Duration::from_millis(100);

/// What has come of a wait.
pub enum Look<T> {
    /// This.
    Has(T),
    /// Nothing yet; what is said meanwhile, a line each, safe to show.
    Waits(Vec<String>),
}

/// Takes the terminal over until `look` has what is waited for. It is told whether the user wants no more, by the keys that leave
/// the viewer or go back.
///
/// # Errors
///
/// The terminal cannot be used, or goes away.
pub fn wait<T>(theme: &Theme, keymap: &Keymap, mut look: impl FnMut(bool) -> Look<T>) -> anyhow::Result<T> {
    out::begin();
    let _guard = Guard;
    enter(false)?;
    let mut terminal = screen(&Waited::default())?;
    let mut enough = false;
    loop {
        let lines = match look(enough) {
            Look::Has(it) => return Ok(it),
            Look::Waits(lines) => lines,
        };
        terminal.draw(|frame| {
            let area = frame.area();
            let top = area.height.saturating_sub(lines.len() as u16) / 2;
            for (y, line) in (area.y + top..area.bottom()).zip(&lines) {
                let x = area.x + area.width.saturating_sub(text::width(line) as u16) / 2;
                let role = if y == area.y + top { Role::Title } else { Role::Dim };
                write(frame.buffer_mut(), area, x, y, line, theme.style(role));
            }
        })?;
        if event::poll(AGAIN)?
            && let Event::Key(key) = event::read()?
            && let Some(key) = Key::from_event(key)
        {
            enough |= matches!(keymap.action(Scope::Global, key), Some(Action::Quit | Action::Escape));
        }
    }
}
