//! The manifest of a recording.

use super::Version;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What is in the folder of a recording, where it is from, and what could not be had.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Recording {
    /// The version of this form.
    pub schema: Version,
    /// The version of gotrail that made it.
    pub gotrail: String,
    /// The address below which the endpoints are, without logins and values of parameters.
    pub url: String,
    /// The names of the headers that were sent, without their values.
    pub headers: Vec<String>,
    /// The program's command line, with asterisks for what looks like a secret; empty if it does not say.
    pub command: Vec<String>,
    /// The version in the trace's header: `1.26` is written by Go 1.26 and 1.27; `null` without a trace.
    pub trace_format: Option<String>,
    /// When it began, in UTC by the clock of the machine that recorded.
    pub began: String,
    /// When it ended, by the same clock.
    pub ended: String,
    /// The server's clock when the recording began, in its words; `null` if it does not say.
    pub server_date: Option<String>,
    /// The seconds that were asked for.
    pub seconds: u64,
    /// What the user says of the load meanwhile; `null` if nothing.
    pub rate: Option<String>,
    /// What ended a ring; `null` for a recording of fixed length.
    pub ended_by: Option<String>,
    /// The numbers of the first and the last generation that a ring kept; `null` for a recording of fixed length.
    pub generations: Option<[u64; 2]>,
    /// Bytes of trace a second that the server sent: what tracing cost; `null` without a trace.
    pub trace_bytes_per_second: Option<u64>,
    /// The files.
    pub files: Vec<File>,
    /// What could not be had.
    pub failed: Vec<Failed>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// A file of a recording.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct File {
    /// What it is called.
    pub name: String,
    /// The endpoint that it is from.
    pub endpoint: String,
    /// Its size.
    pub bytes: u64,
    /// When it was asked for, since the recording began.
    pub from_ns: u64,
    /// When it was there, since the recording began.
    pub to_ns: u64,
}

/// What could not be had.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Failed {
    /// What it is.
    pub what: String,
    /// Why not.
    pub why: String,
}
