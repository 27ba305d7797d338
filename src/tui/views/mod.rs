//! The views and panes, each in files of its own.

pub mod detail;
pub mod events;
pub mod findings;
pub mod flame;
pub mod goroutines;
pub mod hit_list;
pub mod links;
pub mod maps;
pub mod profile;
pub mod runtime;
pub mod sheet;
pub mod source;
pub mod stacks;
pub mod tasks;
pub mod timeline;
