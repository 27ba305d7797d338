//! Going from a panel to where one of its lines leads, and coming back to it.

use super::Model;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::nav::{Place, Target};
use crate::tui::app::view::Pane;
use crate::tui::panels::{Goal, Overlay, Panel};

/// A panel that was left by going where one of its lines leads.
pub(super) struct LeftPanel {
    pub panel: Panel,
    /// Where it was opened.
    pub place: Place,
    /// How many steps there were behind it then, that one included.
    pub depth: usize,
}

impl Model {
    /// Undoes the last step; of one out of a panel, that is open again. `false` if there is none.
    pub(super) fn escape(&mut self) -> bool {
        let nav = &mut self.shared.nav;
        let depth = nav.depth();
        let escaped = nav.escape();
        if let Some(left) = self.left_panel.take_if(|l| l.depth > nav.depth())
            && escaped
            && left.depth == depth
            && left.place == *nav.here()
        {
            self.overlay = Overlay::Panel(left.panel);
        }
        escaped
    }

    /// Shows on the timeline where a line of a panel leads.
    pub(super) fn go(&mut self, goal: Goal) {
        let here = self.shared.nav.here();
        let (Target { go, at, .. }, route) = (goal.target, goal.route);
        let zoom = goal.zoom.or(here.zoom);
        let to = Place { go, at, zoom, route, row: None, event: None, ..here.with_view(ViewId::Timeline) };
        self.shared.nav.enter(to);
        self.focus = Pane::Body;
    }
}
