//! Where the view and the panes stand, and which of them has the focus.

use super::Model;
use crate::tui::app::view::Pane;
use crate::tui::chrome::layout::{self, Areas, Room};
use ratatui::layout::{Position, Rect};

impl Model {
    /// The screen as it is divided now.
    pub fn areas(&self) -> Areas {
        self.divided(Rect::from((Position::ORIGIN, self.size)))
    }

    /// The same on a screen of any size.
    pub(super) fn divided(&self, screen: Rect) -> Areas {
        let here = self.shared.nav.here();
        let room = match self.views.look(Pane::Body, here).wants_room(here) {
            true => Room::All,
            false if self.shared.theme.compact => Room::More,
            false => Room::Usual,
        };
        layout::areas(screen, self.hits_shown, self.focus, room)
    }

    /// Shows the list of hits, or hides it.
    pub(super) fn toggle_hits(&mut self) {
        if self.shared.hits.is_none() {
            self.say("no query: / asks for one");
            return;
        }
        self.hits_shown = !self.hits_shown;
        self.focus = if self.hits_shown { Pane::Hits } else { Pane::Body };
    }

    /// Gives the focus to the pane so many further on.
    pub(super) fn turn(&mut self, step: isize) {
        let order: &[Pane] = match self.hits_shown {
            true => &[Pane::Body, Pane::Hits, Pane::Detail, Pane::Source],
            false => &[Pane::Body, Pane::Detail, Pane::Source],
        };
        let i = order.iter().position(|p| *p == self.focus).unwrap_or(0);
        self.focus = order[(i + order.len()).wrapping_add_signed(step) % order.len()];
    }
}
