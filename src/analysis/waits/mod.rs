//! Who was blocked, by whom and for how long: links, knots, contention, chains and critical paths.

pub mod chains;
pub mod contention;
pub mod knots;
pub mod links;
pub mod path;
pub mod tracker;
