//! The query of `--filter`.

use super::{Result, Usage};
use crate::analysis::search;
use crate::query;
use crate::query::{Compiled, Query};
use crate::read::Trace;

/// A query as it stands on the command line.
pub fn parse(text: Option<&str>) -> Result<Option<Query>> {
    text.map(|text| query::parse(text).map_err(|e| Usage::Query { text: text.into(), error: e }.into())).transpose()
}

/// The same for a trace that has been read.
pub fn compile(trace: &Trace, query: Option<&Query>) -> Result<Option<Compiled>> {
    query.map(|q| search::compile(trace, q).map_err(|e| Usage::Pattern(e).into())).transpose()
}
