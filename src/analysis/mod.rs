//! What can be said about a trace: pure functions over segments and the index that give plain report values. One file
//! an analysis.

pub mod ahead;
pub mod annotations;
pub mod chains;
pub mod clock;
pub mod contention;
pub mod flame;
pub mod hits;
pub mod hot;
pub mod interval;
pub mod join;
pub mod knots;
pub mod links;
pub mod offcpu;
pub mod path;
pub mod search;
pub mod spans;
pub mod states;
pub mod summary;
pub mod tasks;
pub mod timeline;
pub mod waits;
pub mod walk;
