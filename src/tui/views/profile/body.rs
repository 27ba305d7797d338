//! What can stand in the profile view: the functions, the graph, or the labels. Each has its own state, which stays while
//! another one is shown.

use super::found::Found;
use crate::analysis::profile::cut::Cut;
use crate::base::FrameId;
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::widgets::list::Took;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// What Enter does.
pub enum Enter {
    /// Nothing more.
    Nothing,
    /// The source of what is under the cursor now is shown.
    Point,
    /// The source pane gets the focus.
    Source,
    /// The profile is filtered by what is under the cursor.
    Narrow,
}

/// One of the bodies. `narrowed` is always how much the profile is narrowed: what was entered last is what Escape
/// leaves first.
pub trait Body {
    /// Takes what was summed up anew: the cursor stays on what it is on, under its name.
    fn take(&mut self, old: Option<&Found>, found: &Arc<Found>, cx: &Ctx);

    /// Does an action.
    fn handle(&mut self, action: Action, found: &Arc<Found>, cx: &Ctx) -> Took;

    /// Does what the mouse says.
    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, found: &Arc<Found>, cx: &Ctx) -> Took;

    /// Takes note of the room.
    fn fit(&mut self, area: Rect, found: Option<&Found>);

    /// The frame under the cursor, if it is on one.
    fn frame(&self, found: &Found) -> Option<FrameId>;

    /// What is under the cursor, to narrow to.
    fn cut(&self, found: &Found, cx: &Ctx) -> Option<Cut>;

    /// Goes into what is under the cursor.
    fn enter(&mut self, found: &Arc<Found>, narrowed: usize, cx: &Ctx) -> Enter;

    /// Leaves what was entered last; `false` if the narrowing came after that, or there is nothing to leave.
    fn leave(&mut self, narrowed: usize, found: &Arc<Found>, cx: &Ctx) -> bool;

    /// What is under the cursor, as text.
    fn text(&self, found: &Found, cx: &Ctx) -> Option<String>;

    /// Draws it.
    fn render(&self, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx);
}
