//! What is done with profiles: merging, pruning, filtering by tags and patterns, call graphs, dumps.

pub mod aggregate;
pub mod dump;
pub mod error;
pub mod filter;
pub mod graph;
pub mod measure;
pub mod merge;
pub mod names;
pub mod pattern;
pub mod prune;
pub mod tags;
