//! Bytes into events: Go's trace formats and pprof's profiles. No meaning yet, and no order between threads.

pub mod error;
pub mod event;
pub mod pprof;
pub mod tables;
