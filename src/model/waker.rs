//! Who ended a wait.

use crate::base::GoIdx;

/// Who ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Waker {
    /// A goroutine.
    Go(GoIdx),
    /// The network poller.
    Network,
    /// A timer.
    Timer,
    /// The runtime, on no goroutine's behalf.
    Runtime,
    /// Nobody: the wait was still going on when the trace ended.
    Nobody,
}

/// What is said of a wait that nobody ended.
pub const STILL_BLOCKED: &str = "still blocked at trace end";

impl Waker {
    /// What one that is no goroutine is called. The one place for these words.
    pub fn words(self) -> &'static str {
        match self {
            Waker::Go(_) => "a goroutine",
            Waker::Network => "the poller",
            Waker::Timer => "a timer",
            Waker::Runtime => "the runtime",
            Waker::Nobody => STILL_BLOCKED,
        }
    }
}
