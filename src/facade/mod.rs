//! The outside face: traces, profiles and queries for other programs, as plain values with names instead of handles.
//!
//! It holds no knowledge of its own. Each item asks the module that has the answer, so that a program sees the same
//! numbers as the commands and the viewer.

mod error;
mod event;
mod profile;
mod query;
#[cfg(test)]
mod tests;
mod trace;
mod wait;

pub use error::Error;
pub use event::{Detail, Event, Events, Frame};
pub use profile::{FunctionCost, LineCost, Profile, SampleType};
pub use query::Query;
pub use trace::{Goroutine, Trace};
pub use wait::{EndedBy, Wait};
