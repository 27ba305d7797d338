//! Go 1.22 and later: batches of threads' events in generations.

pub mod batch;
pub mod generation;
pub mod order;
pub mod spec;
mod stream;
