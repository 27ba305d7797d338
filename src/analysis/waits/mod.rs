//! Who was blocked, by whom and for how long: links, knots, contention, chains, critical paths and stops of the world.

pub mod alike;
pub mod chains;
pub mod contention;
pub mod coroutine;
pub mod knots;
pub mod links;
pub mod path;
pub mod retries;
pub mod roles;
pub mod standing;
pub mod stw;
