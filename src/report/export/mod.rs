//! A trace in the formats of other tools, one file a format.
//!
//! | format | for | made of |
//! |---|---|---|
//! | [`lines`] | spreadsheets, jq, whatever reads CSV or JSON lines | table rows |
//! | [`parquet`] | DuckDB, Spark, Trino, ClickHouse | table rows |
//! | [`sqlite`] | SQLite, and whatever opens its files | table rows |
//! | [`perfetto`], [`chrome`] | Perfetto's UI and trace processor, `chrome://tracing` | slices, out of table rows ([`lanes`]) |
//! | [`folded`], [`speedscope`] | flame graphs | a profile out of the trace |
//!
//! A cut of the trace itself is [`Trace::cut`](crate::read::Trace::cut); a profile for pprof is
//! [`offcpu::pprof`](super::offcpu::pprof).

pub mod chrome;
pub mod folded;
pub mod lanes;
pub mod lines;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod perfetto;
pub mod speedscope;
#[cfg(feature = "sql")]
pub mod sqlite;

use crate::analysis::tables::Table;
use std::io::{self, Write};

/// Makes the file of a table.
pub type Make<'a> = dyn FnMut(Table) -> io::Result<Box<dyn Write + Send>> + 'a;

#[cfg(test)]
mod tests;
