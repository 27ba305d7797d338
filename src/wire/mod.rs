//! Bytes into events: Go's trace formats, and an order in which the events can have happened. What they mean is not known here.

pub mod args;
pub mod cursor;
pub mod error;
pub mod event;
mod frontier;
pub mod tables;
pub mod v1;
pub mod v2;
