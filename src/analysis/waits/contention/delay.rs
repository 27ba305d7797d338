//! What those who hold a lock or channel make others wait.

use crate::base::{Duration, GroupId};
use crate::model::places::PlaceId;
use crate::model::reasons::How;

/// Who released, at which line, and how.
pub(super) type By = (GroupId, PlaceId, Option<How>);

/// Delay laid to the goroutines of a group that released at one line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Delay {
    /// Goroutine-nanoseconds.
    pub area: i128,
    /// The time in which that was.
    pub held: Duration,
    /// Waits ended.
    pub releases: u64,
}
