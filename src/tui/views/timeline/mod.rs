//! The timeline: time from left to right, a lane for each thing that has a state.

mod arrows;
mod below;
mod legend;
mod overview;
mod render;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod update;

pub use legend::legend;
pub use overview::Overview;
pub use state::{Timeline, shown};

use crate::base::Time;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::nav::Place;
use crate::tui::app::route::Sight;
use crate::tui::app::view::{Command, Ctx, Legend, Mouse, Obeys, Querying, View};
use crate::tui::text;
use crate::tui::theme::Glyphs;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// What is said of a range while it grows, and which keys mean what then.
pub fn selecting(cx: &Ctx, a: Time, b: Time, keys: &str) -> String {
    let delta = if cx.theme.is_ascii() { "d" } else { "Δ" };
    let at = |t: Time| text::instant(t - cx.index.start);
    format!("SELECT {delta}{} {} to {}: {keys}", b - a, at(a), at(b))
}

impl View for Timeline {
    fn title(&self, _cx: &Ctx) -> String {
        "timeline".into()
    }

    fn scope(&self) -> Scope {
        Scope::Timeline
    }

    fn obeys(&self, _: &Place) -> Obeys {
        Obeys { query: Querying::Marks, ..Obeys::ALL }
    }

    fn legend(&self, glyphs: &Glyphs) -> Legend {
        legend(glyphs)
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.act(action, cx, out)
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.point(at, what, area, cx, out)
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        self.follow(area, cx, out);
        let window = self.window(cx);
        Sight::keep(&mut self.sight, cx.place.route.as_ref(), window);
        self.ask(cx, out);
        self.count_states(cx, out);
        self.ask_inside(cx, out);
        self.ask_samples(cx, out);
    }

    fn mode(&self, cx: &Ctx) -> Option<String> {
        let (a, b) = self.selection(cx)?;
        Some(selecting(cx, a, b, "h l move the end, v or Enter filters by it, f zooms, Esc forgets it"))
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        self.draw(area, buf, cx);
    }
}
