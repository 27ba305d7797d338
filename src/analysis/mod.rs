//! What can be said about a trace: pure functions over segments and the index that give plain report values.

pub mod annotations;
pub mod beside;
pub mod clock;
pub mod cost;
pub mod diff;
pub mod findings;
pub mod gc;
pub mod kernel;
pub mod labelled;
pub mod leaks;
pub mod maps;
pub mod profile;
pub mod races;
pub mod rising;
pub mod sched;
pub mod search;
pub mod spans;
#[cfg(feature = "sql")]
pub mod sql;
pub mod states;
pub mod summary;
pub mod tables;
pub mod tasks;
pub mod timeline;
pub mod waits;
