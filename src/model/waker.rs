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
