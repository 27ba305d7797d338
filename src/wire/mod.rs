//! Bytes into events: Go's trace formats. No meaning yet, and no order between threads.

pub mod args;
pub mod cursor;
pub mod error;
pub mod event;
mod frontier;
pub mod tables;
pub mod v1;
pub mod v2;
