//! What is known of a trace, as values: dictionaries, index, grid, segments, tallies; whose code a function is, what a
//! wait is called and where it stands. No threads, no files.

pub mod beside;
pub mod dict;
pub mod gaps;
pub mod grid;
pub mod index;
pub mod lens;
pub mod ownership;
pub mod places;
pub mod reasons;
pub mod segment;
pub mod tally;
pub mod totals;
pub mod waits;
pub mod waker;
mod wrapped;

pub use beside::Beside;
pub use dict::{Dict, Frame, Func};
pub use grid::{Cell, Grid, Lane};
pub use index::{Goroutine, Group, Index, Proc, Range, SegmentInfo, Thread};
pub use places::{PlaceId, Places};
pub use reasons::{Class, Reason, ReasonId, Reasons};
pub use segment::{Detail, Event, Segment};
pub use waker::Waker;
