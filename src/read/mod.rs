//! An open trace: its index as far as it is built, the segments decoded at the moment, and what is kept between runs.

mod cache;
mod cut;
#[cfg(test)]
pub(crate) mod fixture;
mod keep;
mod load;
mod pass;
pub mod persist;
mod plan;
pub mod trace;

pub use cut::{Cut, CutError};
pub use trace::Trace;
