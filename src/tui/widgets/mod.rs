//! Pure widgets: they draw what they are given.

pub mod lane;
