//! The views and panes that a model has, and which of them is meant.

use super::catalog::catalog;
use super::nav::Place;
use super::view::{Pane, View};
use crate::tui::views;
use std::any::{Any, TypeId};

/// The views and panes.
pub struct Views {
    /// The strip above all views.
    pub overview: views::timeline::Overview,
    /// The source pane.
    pub source: views::source::Source,
    hits: views::hit_list::HitList,
    detail: views::detail::Detail,
    sheets: views::sheet::Sheets,
    /// The views of the body, in the order of [`ViewId`].
    bodies: Vec<Box<dyn View>>,
}

macro_rules! bodies {
    (views { $($view:ident = $key:literal, $name:literal, $short:literal, $about:literal, $($path:ident)::+;)* }) => {
        /// One view of each kind.
        fn bodies() -> Vec<Box<dyn View>> {
            vec![$(Box::<views::$($path)::+>::default(),)*]
        }
    };
}

catalog! { bodies! {} }

impl Default for Views {
    fn default() -> Views {
        Views {
            overview: Default::default(),
            source: Default::default(),
            hits: Default::default(),
            detail: Default::default(),
            sheets: Default::default(),
            bodies: bodies(),
        }
    }
}

impl Views {
    /// The view that stands in the body.
    fn body(&mut self, place: &Place) -> &mut dyn View {
        match place.sheet {
            Some(_) => &mut self.sheets,
            None => &mut *self.bodies[place.view as usize],
        }
    }

    /// What stands in a part of the screen at a place.
    pub fn get(&mut self, pane: Pane, place: &Place) -> &mut dyn View {
        match pane {
            Pane::Body => self.body(place),
            Pane::Hits => &mut self.hits,
            Pane::Detail if place.sheet.is_some() => &mut self.detail,
            Pane::Detail => match self.bodies[place.view as usize].aside_mut(place) {
                Some(own) => own,
                None => &mut self.detail,
            },
            Pane::Source => &mut self.source,
        }
    }

    /// The same, to look at.
    pub fn look(&self, pane: Pane, place: &Place) -> &dyn View {
        let body = &*self.bodies[place.view as usize];
        match pane {
            Pane::Body if place.sheet.is_some() => &self.sheets,
            Pane::Detail if place.sheet.is_some() => &self.detail,
            Pane::Body => body,
            Pane::Hits => &self.hits,
            Pane::Detail => body.aside(place).unwrap_or(&self.detail),
            Pane::Source => &self.source,
        }
    }

    /// The view or pane of a type.
    pub fn part(&mut self, of: TypeId) -> Option<&mut dyn Any> {
        let panes: [&mut dyn Any; 5] =
            [&mut self.overview, &mut self.source, &mut self.hits, &mut self.detail, &mut self.sheets];
        let bodies = self.bodies.iter_mut().map(|b| -> &mut dyn Any { &mut **b });
        panes.into_iter().chain(bodies).find(|part| (**part).type_id() == of)
    }
}
