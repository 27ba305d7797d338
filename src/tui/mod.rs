//! The viewer: a model that is updated by messages, views that draw it, and background jobs beside it.
//!
//! Keys become actions ([`action`], [`keymap`]); the [`model`] hands an action to the view that has the focus, the view
//! answers with [`views::Command`]s, and what takes time becomes a [`effects::Job`] for a worker. Nothing here reads a
//! file or decodes a segment on the thread that draws.

pub mod action;
pub mod effects;
pub mod frame;
pub mod hits;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod nav;
pub mod overlay;
mod pace;
mod parts;
pub mod route;
pub mod snapshot;
pub mod terminal;
mod terse;
pub mod text;
pub mod theme;
pub mod views;
pub mod why;
pub mod widgets;

#[cfg(test)]
mod tests;
