//! Report values as text and data: one file a form.

pub mod events;
pub mod json;
pub mod summary;
pub mod why;
