//! Report values as text and data: one file a form.

pub mod contention;
pub mod diff;
pub mod events;
pub mod export;
pub mod findings;
pub mod gc;
pub mod grep;
pub mod html;
pub mod json;
pub mod kernel;
pub mod labelled;
pub mod leaks;
pub mod lines;
pub mod links;
pub mod maps;
pub mod offcpu;
pub mod pprof;
pub mod races;
pub mod rows;
pub mod sched;
pub mod schema;
pub mod spans;
pub mod summary;
pub mod table;
pub mod why;
