//! Summaries of each lane over a grid of time cells, so that any window draws in time that depends on the screen.
//!
//! A lane is sparse: it keeps an entry only for a cell in which something happened to it. Between two entries it stays
//! in the state in which the earlier one left it.

use crate::base::{Duration, GoIdx, GroupId, ProcIdx, Time};
use crate::wire::event::GoState;

/// What went on in a lane during one cell of the screen.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Cell {
    /// Time running, summed over the lane's goroutines. For a P: time held.
    pub running: Duration,
    /// Time runnable.
    pub runnable: Duration,
    /// Time waiting.
    pub waiting: Duration,
    /// Time in syscalls.
    pub syscall: Duration,
    /// The longest wait that touches the cell, at its full length.
    pub longest_wait: Duration,
    /// CPU samples.
    pub samples: u32,
    /// Events.
    pub events: u32,
}

impl Cell {
    /// Adds another lane's or cell's content.
    pub fn add(&mut self, o: &Cell) {
        self.running += o.running;
        self.runnable += o.runnable;
        self.waiting += o.waiting;
        self.syscall += o.syscall;
        self.longest_wait = self.longest_wait.max(o.longest_wait);
        self.samples = self.samples.saturating_add(o.samples);
        self.events = self.events.saturating_add(o.events);
    }

    /// The state that took most of the cell, `NotExist` if none took any.
    pub fn dominant(&self) -> GoState {
        [
            (self.running, GoState::Running),
            (self.syscall, GoState::Syscall),
            (self.runnable, GoState::Runnable),
            (self.waiting, GoState::Waiting),
        ]
        .into_iter()
        .filter(|(d, _)| d.0 > 0)
        .max_by_key(|(d, s)| (*d, *s == GoState::Running))
        .map_or(GoState::NotExist, |(_, s)| s)
    }
}

/// A row of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// Everything: all goroutines together.
    All,
    /// One P.
    Proc(ProcIdx),
    /// All goroutines of a group.
    Group(GroupId),
    /// One goroutine.
    Go(GoIdx),
}

/// The grid of the whole trace.
#[derive(Default)]
pub struct Grid {}

impl Grid {
    /// The content of `lane` in `width` equal cells of the window `from..to`, as precise as the grid's own cells are.
    pub fn cells(&self, _lane: Lane, _from: Time, _to: Time, width: usize) -> Vec<Cell> {
        vec![Cell::default(); width]
    }
}
