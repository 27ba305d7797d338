//! The events that the query matches, as far as the search has come.

use super::nav::Place;
use crate::analysis::cost::hits::{DEFAULT_CAP, Hits as Found};
use crate::base::{FrameId, StackId, Time};
use crate::model::{Index, Lane};
use crate::query;
use std::sync::Arc;

pub use crate::analysis::cost::hits::Hit;

/// The hits of a query.
#[derive(Debug, Default)]
pub struct Hits {
    /// The query's text.
    pub query: String,
    /// The hits found so far.
    pub found: Found,
    /// Whether the whole trace, as far as it was read when the search began, has been searched.
    pub complete: bool,
    /// The query as it was compiled, from the search's beginning on.
    pub compiled: Option<Arc<query::Compiled>>,
}

impl Hits {
    /// No hits of a query yet.
    pub fn new(query: String) -> Hits {
        Hits { query, found: Found::new(DEFAULT_CAP), complete: false, compiled: None }
    }

    /// The hits that are kept one by one, by number of event (and so by time).
    pub fn list(&self) -> &[Hit] {
        self.found.kept()
    }

    /// The kept hits at or after `from` and before `to`.
    pub fn between(&self, from: Time, to: Time) -> &[Hit] {
        let list = self.list();
        let a = list.partition_point(|h| h.time < from);
        let b = list.partition_point(|h| h.time < to);
        &list[a..b.max(a)]
    }

    /// How many hits fall on `lane` in each of `width` equal cells of the window `from..to`.
    pub fn ticks(&self, index: &Index, lane: Lane, from: Time, to: Time, width: usize) -> Vec<u32> {
        self.found.counts(index, lane, from, to, width)
    }

    /// The hit after or before the cursor, around the end if there is none: its position, and whether it went around.
    /// Hits outside the window, the group or the goroutine of `place` are passed over.
    pub fn step(&self, place: &Place, forward: bool, index: &Index) -> Option<(usize, bool)> {
        let list = self.list();
        let at = match (place.event, forward) {
            (Some(no), true) => list.partition_point(|h| h.no <= no),
            (Some(no), false) => list.partition_point(|h| h.no < no),
            (None, true) => list.partition_point(|h| h.time < place.at),
            (None, false) => list.partition_point(|h| h.time < place.at),
        };
        let fits = |i: &usize| place.shows(&list[*i], index);
        if forward {
            let ahead = (at..list.len()).find(fits).map(|i| (i, false));
            ahead.or_else(|| (0..at).find(fits).map(|i| (i, true)))
        } else {
            let behind = (0..at).rev().find(fits).map(|i| (i, false));
            behind.or_else(|| (at..list.len()).rev().find(fits).map(|i| (i, true)))
        }
    }
}

impl Place {
    /// Whether the narrowing leaves a hit in.
    pub fn shows(&self, h: &Hit, index: &Index) -> bool {
        self.window().is_none_or(|(a, b)| h.time >= a && h.time < b)
            && self.only().is_none_or(|g| h.go == g)
            && self.group().is_none_or(|g| index.goroutine(h.go).is_some_and(|x| x.group == g))
    }
}

/// The frame of a stack to show the source of: the user's own nearest to the leaf.
pub fn user_frame(index: &Index, stack: StackId) -> FrameId {
    index.dict.user_frame(stack).unwrap_or(FrameId::NONE)
}
