//! Passes over segments that fold events into plain report values. Nothing here prints.

pub mod hits;
pub mod search;
