//! What `grep` finds, an object a line.

use super::event::Event;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// An event that answers the query, and where it is: the keys of an event, and these.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Hit<'a> {
    /// The file.
    pub file: &'a str,
    /// The place, as commands and the viewer take it: `trace.out@0.812031s:g8`.
    pub position: &'a str,
    /// The event.
    #[serde(flatten)]
    pub event: Event<'a>,
}
