//! Who ended waits, and what they are called.

use crate::base::{GoIdx, GroupId};
use crate::model::{Index, Waker};

/// Who ended the waits of an edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    /// Goroutines of a group; `NONE` if their start function is not known.
    Group(GroupId),
    /// The network poller.
    Network,
    /// Timers.
    Timer,
    /// The runtime, on no goroutine's behalf.
    Runtime,
    /// The operating system, or C: they returned.
    Return,
    /// Nobody: the waits were still going on when the trace ended.
    Nobody,
}

impl Party {
    /// The party of a waker.
    pub fn of(waker: Waker, index: &Index) -> Party {
        match waker {
            Waker::Go(g) => Party::Group(group(index, g)),
            Waker::Network => Party::Network,
            Waker::Timer => Party::Timer,
            Waker::Runtime => Party::Runtime,
            Waker::Nobody => Party::Nobody,
        }
    }

    /// What it is called: a group by the name of its start function, not escaped.
    pub fn name(self, index: &Index) -> &str {
        match self {
            Party::Group(g) => index.group_name(g),
            other => other.words(),
        }
    }

    /// What it is called if it is no group.
    pub fn words(self) -> &'static str {
        self.ended_by().words()
    }

    /// Of which kind it is.
    pub fn ended_by(self) -> EndedBy {
        match self {
            Party::Group(_) => EndedBy::Goroutine,
            Party::Network => EndedBy::Network,
            Party::Timer => EndedBy::Timer,
            Party::Runtime => EndedBy::Runtime,
            Party::Return => EndedBy::Return,
            Party::Nobody => EndedBy::Nobody,
        }
    }
}

/// A kind of who ended waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EndedBy {
    /// Goroutines.
    Goroutine,
    /// The network poller.
    Network,
    /// Timers.
    Timer,
    /// The runtime, on no goroutine's behalf.
    Runtime,
    /// The operating system, or C: they returned.
    Return,
    /// Nobody: the waits were still going on when the trace ended.
    Nobody,
}

impl EndedBy {
    /// What those of it are called that are no goroutines.
    pub fn words(self) -> &'static str {
        match self {
            EndedBy::Goroutine => Waker::Go(GoIdx::NONE).words(),
            EndedBy::Network => Waker::Network.words(),
            EndedBy::Timer => Waker::Timer.words(),
            EndedBy::Runtime => Waker::Runtime.words(),
            EndedBy::Return => "returned",
            EndedBy::Nobody => Waker::Nobody.words(),
        }
    }
}

/// The group of a goroutine.
pub fn group(index: &Index, g: GoIdx) -> GroupId {
    index.goroutine(g).map_or(GroupId::NONE, |g| g.group)
}
