//! The timeline: time from left to right, a lane for each thing that has a state.

use crate::tui::action::{Action, Scope};
use crate::tui::views::{Command, Ctx, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The timeline view.
#[derive(Default)]
pub struct Timeline {}

impl View for Timeline {
    fn title(&self, _cx: &Ctx) -> String {
        "timeline".into()
    }

    fn scope(&self) -> Scope {
        Scope::Timeline
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, _area: Rect, _buf: &mut Buffer, _cx: &Ctx) {}
}

/// The overview strip under the title: the whole trace in one or two rows, with the window marked.
#[derive(Default)]
pub struct Overview {}

impl View for Overview {
    fn title(&self, _cx: &Ctx) -> String {
        "overview".into()
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, _area: Rect, _buf: &mut Buffer, _cx: &Ctx) {}
}
