//! Pure functions from a trace to report values: what is in it, and what it means.

pub mod summary;
