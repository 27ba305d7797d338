//! What is known of a trace: dictionaries, the index of the whole, and the segments that are decoded at the moment.

mod annotations;
pub mod builder;
mod cache;
mod coarsen;
pub mod code;
pub mod commit;
pub mod decode;
pub mod dict;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fold;
pub mod grid;
pub mod index;
mod load;
pub mod persist;
pub mod profile;
pub mod segment;
pub mod totals;
pub mod trace;
pub mod waits;

pub use builder::SegmentBuilder;
pub use dict::{Dict, Frame, Func};
pub use grid::{Cell, Grid, Lane};
pub use index::{Goroutine, Group, Index, Proc, Range, SegmentInfo, Thread};
pub use segment::{Detail, Event, Segment};
pub use trace::{EventNo, Trace};
