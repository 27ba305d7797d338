//! The source pane: the file of the chosen frame, at its line.

use crate::tui::action::Action;
use crate::tui::views::{Command, Ctx, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The pane.
#[derive(Default)]
pub struct Source {}

impl View for Source {
    fn title(&self, _cx: &Ctx) -> String {
        "source".into()
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, _area: Rect, _buf: &mut Buffer, _cx: &Ctx) {}
}
