//! The commands.

pub mod argv;
pub mod profile;
