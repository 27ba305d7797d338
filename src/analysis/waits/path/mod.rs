//! The critical path: why a goroutine took as long as it did between two instants.
//!
//! Walks back from the end of a window. Where the goroutine ran, that is what the time went into. Where it waited for
//! another, that other's timeline is followed instead, from the moment it ended the wait back to the moment the wait
//! began; then the walk goes on in the waiter. A goroutine that did not exist yet hands over to its creator, or is laid to
//! the timer that started it. So each instant of the window is laid to exactly one goroutine and one state, and the parts
//! sum to the window.

mod chain;
mod shares;
mod walk;

pub use chain::{Chain, Link, Spent, chain, rank, waker_stack};
pub use shares::{Cause, Meanwhile, Portion, Share};
pub use walk::{path, paths};

use super::stw::LastToStop;
use crate::analysis::sched::Parts;
use crate::base::{Duration, EventNo, GoIdx, GroupId, Time};
use crate::model::Waker;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{ReasonId, Reasons};

/// Goroutines that wait for each other in a row: more are not followed.
pub const MAX_DEPTH: usize = 256;
/// What a piece of the path went into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// On a P.
    Running,
    /// Runnable. Sums tell three kinds of that apart.
    Runnable,
    /// Runnable while all Ps were busy (in sums only).
    NoP,
    /// Runnable while a P had no goroutine: the time that it takes to wake a thread for it (in sums only).
    Wakeup,
    /// Runnable while the world was stopped (in sums only).
    Stopped,
    /// In a syscall.
    Syscall,
    /// Waiting for something that is no goroutine, or for one that cannot be followed. Without a reason, it was not there
    /// yet: a timer started it.
    Waiting(Waker),
    /// The goroutine was not there: it had ended, or who made it is not in the trace.
    Absent,
    /// Nothing is known: the time lies between two recordings.
    Untraced,
}

/// Who held a P while the goroutine was runnable and all Ps were busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The group of the goroutines that did.
    pub group: GroupId,
    /// For how long, summed over Ps.
    pub time: Duration,
}

/// A piece of the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// The goroutine that time is laid to.
    pub go: GoIdx,
    /// How many waits lie between it and the goroutine that was asked about.
    pub depth: u16,
    /// What the time went into.
    pub what: What,
    /// For a wait or a syscall, what for.
    pub reason: Option<ReasonId>,
    /// The line of user code; for one that ran, of most of its CPU samples.
    pub at: PlaceId,
    /// CPU samples in it (running only).
    pub samples: u32,
    /// What a runnable goroutine waited for: sums to the length (runnable only).
    pub ready: Parts,
    /// Who held the Ps while all were busy, the longest first (runnable only; at most three).
    pub holders: Vec<Holder>,
    /// How much of it the world was stopped.
    pub stw: Duration,
    /// Who was last to stop, of the stop that took most of it.
    pub last_to_stop: Option<LastToStop>,
    /// How much of it the goroutine assisted the collector (running only).
    pub assist: Duration,
    /// How much of it the collector was marking.
    pub gc: Duration,
}

impl Piece {
    /// Its length.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it takes no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
}

/// A wait that the path follows to the goroutine that ended it. Its time is that of the pieces below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// When the wait begins, or the part of it inside the window.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// Who waited.
    pub go: GoIdx,
    /// What for.
    pub reason: ReasonId,
    /// The line in which it did.
    pub at: PlaceId,
    /// For a wait for a lock, the line that stands for all of that lock; else `NONE`.
    pub lock: PlaceId,
    /// Who ended it.
    pub waker: GoIdx,
    /// The line in which they did.
    pub waker_at: PlaceId,
    /// How many waits lie above it.
    pub depth: u16,
    /// The event that began the wait.
    pub began: Option<EventNo>,
}

impl Hop {
    /// Its length.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it takes no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
}

/// A stretch of one goroutine's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The goroutine.
    pub go: GoIdx,
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// The event that ends it, where one does: tells the order among events of one instant.
    pub end: Option<EventNo>,
}

/// The critical path of a window.
pub struct Path {
    /// What was asked about.
    pub window: Window,
    /// The pieces, in order of time; they sum to the window.
    pub pieces: Vec<Piece>,
    /// The waits that lead from one goroutine to another, in order of time, the outer before the inner.
    pub hops: Vec<Hop>,
    /// What places are.
    pub places: Places,
    /// What reasons are.
    pub reasons: Reasons,
}

#[cfg(test)]
mod tests;
