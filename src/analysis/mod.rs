//! What can be said about a trace: pure functions over segments and the index that give plain report values. One file
//! an analysis.

pub mod hits;
pub mod interval;
pub mod search;
pub mod spans;
pub mod summary;
pub mod timeline;
