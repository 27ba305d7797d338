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

    /// What it is called if it is no group. The one place for these words.
    pub fn words(self) -> &'static str {
        match self {
            Party::Group(_) => "a goroutine",
            Party::Network => "the poller",
            Party::Timer => "a timer",
            Party::Runtime => "the runtime",
            Party::Return => "returned",
            Party::Nobody => STILL_BLOCKED,
        }
    }

    /// The word for its kind in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Party::Group(_) => "goroutine",
            Party::Network => "network",
            Party::Timer => "timer",
            Party::Runtime => "runtime",
            Party::Return => "return",
            Party::Nobody => "nobody",
        }
    }

    /// Who ended waits of that kind, in words; nothing for a goroutine.
    pub fn words_of(key: &str) -> Option<&'static str> {
        let all = [Party::Network, Party::Timer, Party::Runtime, Party::Return, Party::Nobody];
        all.into_iter().find(|p| p.key() == key).map(Party::words)
    }
}

/// What is said of a wait that nobody ended.
pub const STILL_BLOCKED: &str = "still blocked at trace end";

/// The group of a goroutine.
pub fn group(index: &Index, g: GoIdx) -> GroupId {
    index.goroutine(g).map_or(GroupId::NONE, |g| g.group)
}
