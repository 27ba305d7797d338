//! From a frame to a line of source on the screen or in an editor.
//!
//! [`find`] looks for the file, [`load`] reads it, [`highlight`] colours Go, [`editor`] says how to open it. What a
//! trace says about files is never trusted: see [`find`] for the rules.

pub mod built_in;
pub mod editor;
pub mod find;
pub mod highlight;
pub mod load;

mod tree;

pub use built_in::BuiltIn;
pub use editor::{EditorCommand, EditorError};
pub use find::{Finder, Found, How, NotFound, Places};
pub use highlight::{Class, Highlights, Span};
pub use load::{LoadError, Text};
pub use tree::is_source;
