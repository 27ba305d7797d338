//! The views and panes that a model has, and which of them is meant.

use crate::tui::views::detail::Detail;
use crate::tui::views::events::Events;
use crate::tui::views::goroutines::Goroutines;
use crate::tui::views::hits::HitList;
use crate::tui::views::links::Links;
use crate::tui::views::profile::{Lines, Profile};
use crate::tui::views::source::Source;
use crate::tui::views::stacks::Stacks;
use crate::tui::views::tasks::Tasks;
use crate::tui::views::timeline::{Overview, Timeline};
use crate::tui::views::{Pane, View, ViewId};

/// The views and panes.
#[derive(Default)]
pub struct Views {
    /// The strip above all views.
    pub overview: Overview,
    /// The source pane.
    pub source: Source,
    timeline: Timeline,
    goroutines: Goroutines,
    links: Links,
    stacks: Stacks,
    events: Events,
    tasks: Tasks,
    profile: Profile,
    lines: Lines,
    hits: HitList,
    detail: Detail,
}

impl Views {
    /// The view that stands in the body.
    pub fn body(&mut self, id: ViewId) -> &mut dyn View {
        match id {
            ViewId::Timeline => &mut self.timeline,
            ViewId::Goroutines => &mut self.goroutines,
            ViewId::Links => &mut self.links,
            ViewId::Stacks => &mut self.stacks,
            ViewId::Events => &mut self.events,
            ViewId::Tasks => &mut self.tasks,
            ViewId::Profile => &mut self.profile,
        }
    }

    /// What stands in a part of the screen while the body shows view `id`.
    pub fn get(&mut self, pane: Pane, id: ViewId) -> &mut dyn View {
        match pane {
            Pane::Body => self.body(id),
            Pane::Hits => &mut self.hits,
            Pane::Detail if id == ViewId::Profile => &mut self.lines,
            Pane::Detail if id == ViewId::Stacks => &mut self.stacks.way,
            Pane::Detail => &mut self.detail,
            Pane::Source => &mut self.source,
        }
    }

    /// The same, to look at.
    pub fn look(&self, pane: Pane, id: ViewId) -> &dyn View {
        match (pane, id) {
            (Pane::Body, ViewId::Timeline) => &self.timeline,
            (Pane::Body, ViewId::Goroutines) => &self.goroutines,
            (Pane::Body, ViewId::Links) => &self.links,
            (Pane::Body, ViewId::Stacks) => &self.stacks,
            (Pane::Body, ViewId::Events) => &self.events,
            (Pane::Body, ViewId::Tasks) => &self.tasks,
            (Pane::Body, ViewId::Profile) => &self.profile,
            (Pane::Hits, _) => &self.hits,
            (Pane::Detail, ViewId::Profile) => &self.lines,
            (Pane::Detail, ViewId::Stacks) => &self.stacks.way,
            (Pane::Detail, _) => &self.detail,
            (Pane::Source, _) => &self.source,
        }
    }

    /// All of them.
    pub fn all(&mut self) -> [&mut dyn View; 12] {
        [
            &mut self.overview,
            &mut self.timeline,
            &mut self.goroutines,
            &mut self.links,
            &mut self.stacks,
            &mut self.events,
            &mut self.tasks,
            &mut self.profile,
            &mut self.lines,
            &mut self.hits,
            &mut self.detail,
            &mut self.source,
        ]
    }
}
