//! The viewer: a model that is updated by messages, views that draw it, and background jobs beside it.
//!
//! Keys become actions ([`app::action`], [`app::keymap`]); the [`app::model`] hands an action to the view that has the
//! focus, the view answers with `views::Command`s, and what takes time becomes a [`app::jobs::Job`] for a worker.
//! Nothing here reads a file or decodes a segment on the thread that draws.

pub mod app;
pub mod chrome;
pub mod panels;
pub mod snapshot;
pub mod term;
pub mod text;
pub mod theme;
pub mod views;
pub mod widgets;

#[cfg(test)]
mod tests;
