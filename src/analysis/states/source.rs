//! Where analyses get a trace's index and segments from.

use super::spans::Cuts;
use crate::base::{Duration, EventNo, Time};
use crate::model::{Cell, Index, Lane, Segment};
use crate::read::{DecodeError, Trace};
use std::sync::Arc;

/// Why a question to a trace has no answer. Its text is a few words, safe to show.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// A segment cannot be decoded.
    #[error(transparent)]
    Segment(#[from] DecodeError),
    /// Nobody waits for the answer any more.
    #[error("no longer wanted")]
    Unwanted,
    /// What was asked about is not there.
    #[error("no goroutine begins to wait with event {0}")]
    NoWait(EventNo),
    /// There is nothing to ask.
    #[error("there is no trace")]
    NoTrace,
    /// A fault of the program, and not of the trace.
    #[error("a fault of gotrail's: {0}")]
    Ours(String),
}

impl From<Unanswered> for String {
    fn from(why: Unanswered) -> String {
        why.to_string()
    }
}

/// Where segments come from: a trace, or in tests a few made by hand.
pub trait Source: Sync {
    /// Calls `f` with the index as it is now.
    fn with_index(&self, f: &mut dyn FnMut(&Index));

    /// Segment `i`, decoded.
    ///
    /// # Errors
    ///
    /// The segment cannot be decoded.
    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered>;

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

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        Ok(Trace::segment(self, i)?)
    }
}
