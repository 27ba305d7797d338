//! Where analyses get a trace's index and segments from.

use super::spans::Cuts;
use crate::base::{Duration, Time};
use crate::model::{Cell, Index, Lane, Segment};
use crate::read::Trace;
use std::sync::Arc;

/// Where segments come from: a trace, or in tests a few made by hand.
pub trait Source: Sync {
    /// Calls `f` with the index as it is now.
    fn with_index(&self, f: &mut dyn FnMut(&Index));

    /// Segment `i`, decoded; or in a few words why it cannot be had.
    ///
    /// # Errors
    ///
    /// The segment cannot be decoded.
    fn segment(&self, i: usize) -> Result<Arc<Segment>, String>;

    /// Where the segments that are known by now begin and end.
    fn cuts(&self) -> Cuts {
        let mut cuts = Cuts::default();
        self.with_index(&mut |index| {
            let starts = index.segments.iter().map(|s| s.from).collect();
            let gaps = index.recordings.windows(2).map(|w| (w[0].to + Duration(1), w[1].from)).collect();
            cuts = Cuts { starts, end: index.end + Duration(1), gaps };
        });
        cuts
    }

    /// What the index says of a lane in a window, as one cell.
    fn summary(&self, lane: Lane, from: Time, to: Time) -> Cell {
        let mut cell = Cell::default();
        self.with_index(&mut |index| cell = index.cells(lane, from, to, 1).pop().unwrap_or_default());
        cell
    }
}

impl Source for Trace {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.index());
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, String> {
        Trace::segment(self, i).map_err(|e| e.to_string())
    }
}
