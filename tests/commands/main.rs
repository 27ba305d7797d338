//! The program's commands, as its users call them.

#[path = "../common/mod.rs"]
mod common;

mod beside;
mod cli;
mod diff;
mod export;
mod faults;
mod field;
mod findings;
#[cfg(all(feature = "parquet", feature = "sql"))]
mod fleet;
mod grep;
mod hostile;
mod kernel;
mod large_ids;
mod maps;
mod mcp;
mod ownership;
mod pprof;
#[cfg(feature = "sql")]
mod query;
mod record;
mod report;
mod schema;
mod spans;
mod unfinished;
