//! What the model asks of the world outside: background jobs, the editor, the clipboard.

use super::hits::Hits;
use crate::store::{Cell, Event, Lane, Trace};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a job is for. A new job of a kind takes the place of the one before: that one is cancelled, and if it answers
/// all the same its answer is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum JobKind {
    Search,
    EventsPage,
    Cells,
    Overview,
    Detail,
    Link,
    Source,
}

impl JobKind {
    /// All kinds.
    pub const ALL: [JobKind; 7] = [
        JobKind::Search,
        JobKind::EventsPage,
        JobKind::Cells,
        JobKind::Overview,
        JobKind::Detail,
        JobKind::Link,
        JobKind::Source,
    ];
}

/// What a running job sees of the world.
pub struct JobCtx<'a> {
    /// The trace; here, and only here, segments may be decoded.
    pub trace: &'a Trace,
    /// Set when the answer is no longer wanted; look at it between steps.
    pub cancel: &'a AtomicBool,
    /// Sends a preliminary answer.
    pub partial: &'a (dyn Fn(Reply) + Sync),
}

impl JobCtx<'_> {
    /// Whether the answer is no longer wanted.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// Work for a background thread. Its answer goes to [`View::receive`](super::views::View::receive) of every view and
/// pane; each takes what it has asked for.
pub struct Job {
    /// What it is for.
    pub kind: JobKind,
    /// The work.
    pub run: Box<dyn FnOnce(&JobCtx) -> Reply + Send>,
}

impl Job {
    /// A job.
    pub fn new(kind: JobKind, run: impl FnOnce(&JobCtx) -> Reply + Send + 'static) -> Job {
        Job { kind, run: Box::new(run) }
    }
}

/// A stretch of lanes over a window, for the timeline and the overview.
#[derive(Clone, PartialEq, Debug)]
pub struct Cells {
    /// Start of the window.
    pub from: crate::base::Time,
    /// End of the window.
    pub to: crate::base::Time,
    /// Cells of each lane that was asked for, in that order.
    pub lanes: Vec<(Lane, Vec<Cell>)>,
}

/// The answer to a job. A view that needs another kind of answer adds a variant.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing to say (cancelled).
    Nothing,
    /// Hits of the query.
    Hits(Arc<Hits>),
    /// Events in order, by number.
    Events(Vec<Event>),
    /// Cells of the timeline.
    Cells(Arc<Cells>),
    /// Cells of the overview strip.
    Overview(Arc<Cells>),
    /// Why there is no answer.
    Failed(JobKind, String),
}

/// What the model wants done. The shell does it: the terminal's main loop, or the headless driver.
pub enum Effect {
    /// Run this in the background.
    Run(Job),
    /// Cancel what runs of that kind.
    Cancel(JobKind),
    /// Open a file at a line (from 1) in the user's editor.
    Open {
        /// The file, as it was found here.
        path: std::path::PathBuf,
        /// The line.
        line: u32,
    },
    /// Put text on the clipboard.
    Copy(String),
    /// Stop, as `Ctrl-Z` does elsewhere.
    Suspend,
    /// Clear the screen and draw all of it.
    Redraw,
    /// End the program.
    Quit,
}
