//! Pure functions from a trace to report values: what is in it, and what it means.

pub mod contention;
pub mod hits;
pub mod knots;
pub mod links;
pub mod offcpu;
pub mod path;
pub mod search;
pub mod spans;
pub mod summary;
pub mod timeline;
pub mod waits;
pub mod walk;
