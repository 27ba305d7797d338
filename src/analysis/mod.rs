//! What can be said about a trace: pure functions from decoded segments and the index to plain values.

pub mod interval;
pub mod spans;
pub mod timeline;
