//! How to decode a segment again.

use crate::base::{EventNo, Time};
use crate::build::commit::Maps;
use crate::build::decode::Checkpoint;
use std::sync::Arc;

/// How to decode a segment.
pub(crate) struct Plan {
    pub unit: usize,
    /// Where the unit's decoder stood; `None` at its beginning.
    /// There may be a million units, each with a plan, and most have none.
    pub checkpoint: Option<Box<Checkpoint>>,
    pub first: EventNo,
    pub len: usize,
    /// The end of the unit before: no time here is shown as earlier.
    pub floor: Time,
    pub maps: Arc<Maps>,
}
