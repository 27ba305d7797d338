//! The detail pane: the interval or event under the cursor, its stack, what blocked it and what woke it.

use crate::tui::action::Action;
use crate::tui::views::{Command, Ctx, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The pane.
#[derive(Default)]
pub struct Detail {}

impl View for Detail {
    fn title(&self, _cx: &Ctx) -> String {
        "detail".into()
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, _area: Rect, _buf: &mut Buffer, _cx: &Ctx) {}
}
