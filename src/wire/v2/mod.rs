//! Go 1.22 and later: batches of threads' events in generations.

pub mod batch;
mod frontier;
pub mod generation;
pub mod order;
pub mod spec;
mod stream;
