//! What a goroutine was doing, since when, why, and who ended it.

pub mod ahead;
pub mod forward;
pub mod interval;
pub mod look_ahead;
pub mod source;
pub mod spans;
pub mod tracker;
pub mod walk;

#[cfg(test)]
mod tests;
