//! gotrail knows Go's execution traces and the profiles taken beside them.
//!
//! The tour of the house, in the order in which data flows (each module knows only those before it):
//! [`base`] → [`input`] → [`wire`] → [`store`] → [`filter`] → [`analysis`] → [`report`] → tui → [`cli`]; to the side of
//! them [`source`] and [`config`].

pub mod analysis;
pub mod base;
pub mod cli;
pub mod config;
pub mod filter;
pub mod input;
pub mod report;
pub mod source;
pub mod store;
pub mod tui;
pub mod wire;
