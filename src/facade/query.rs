//! Queries.

use super::Error;
use crate::query;
use std::fmt;
use std::str::FromStr;

/// A set of events, written in the query language of the viewer, of `gotrail events --filter` and of `gotrail links`:
/// `mapassign`, `state:waiting dur>1ms`, `func:payment.* not gc`. Prints as a query that asks the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query(pub(super) query::Query);

impl Query {
    /// Reads a query. The empty text is the query that every event answers.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] with the place of the first mistake.
    pub fn parse(text: &str) -> Result<Query, Error> {
        Ok(Query(query::parse(text)?))
    }
}

impl FromStr for Query {
    type Err = Error;

    fn from_str(text: &str) -> Result<Query, Error> {
        Query::parse(text)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
