//! Pure functions from a trace to report values: what is in it, and what it means.

pub mod hits;
pub mod search;
pub mod summary;
