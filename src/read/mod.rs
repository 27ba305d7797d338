//! An open trace: its index as far as it is built, the segments decoded at the moment, and what is kept between runs.

pub mod bookmarks;
mod cache;
mod cut;
#[cfg(test)]
pub(crate) mod fixture;
mod grow;
mod keep;
mod load;
mod pass;
pub mod persist;
mod plan;
pub mod trace;

/// What is wrong with a trace's bytes, and where.
pub use crate::wire::error::Error as DecodeError;
pub use cut::{Cut, CutError};
pub use trace::Trace;
