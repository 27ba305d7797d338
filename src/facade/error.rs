//! Everything that can go wrong for who uses the library.

use crate::base::Span;
use crate::base::text::escape;
use crate::input::InputError;
use crate::{query, wire};

/// Why something could not be read or asked. Its text is one sentence without line breaks, safe to show on a terminal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or unpacked, or its content is neither a trace nor a profile.
    #[error("{message}")]
    Input {
        /// The file, as the caller named it.
        name: String,
        /// The file, what is wrong with it, and a hint.
        message: String,
    },
    /// A trace was wanted, and the file is a profile.
    #[error("{}: this is a profile, and not an execution trace", escape(name))]
    NotATrace {
        /// The file, as the caller named it.
        name: String,
    },
    /// A profile was wanted, and the file is a trace.
    #[error("{}: this is an execution trace, and not a profile", escape(name))]
    NotAProfile {
        /// The file, as the caller named it.
        name: String,
    },
    /// The bytes of a trace are not what the format demands.
    #[error("{}: at byte {offset}: {message}", escape(name))]
    Trace {
        /// The file, as the caller named it.
        name: String,
        /// Where in the unpacked file, in bytes.
        offset: u64,
        /// What is wrong there.
        message: String,
    },
    /// The bytes of a profile are not what any format that pprof writes demands.
    #[error("{}: {message}", escape(name))]
    Profile {
        /// The file, as the caller named it.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A profile has no samples of the type asked for.
    #[error("{}: {message}", escape(name))]
    SampleType {
        /// The file, as the caller named it.
        name: String,
        /// What is wrong, with the types that there are.
        message: String,
    },
    /// A query is not one, or one of its patterns is too large.
    #[error("{message}")]
    Query {
        /// The place in the query's text, in bytes: `start..end`.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// What is wrong there, and what was probably meant.
        message: String,
    },
    /// An analysis could not be made, because a part of the trace cannot be decoded again.
    #[error("{}: {message}", escape(name))]
    Analysis {
        /// The file, as the caller named it.
        name: String,
        /// What could not be had.
        message: String,
    },
}

impl Error {
    pub(super) fn input(e: &InputError) -> Error {
        Error::Input { name: e.name.clone(), message: e.to_string() }
    }

    pub(super) fn trace(name: &str, e: &wire::error::Error) -> Error {
        Error::Trace { name: name.into(), offset: e.offset, message: escape(&e.kind.to_string()).into_owned() }
    }

    pub(super) fn query(span: Span, message: &str) -> Error {
        Error::Query { start: span.start, end: span.end, message: message.into() }
    }
}

impl From<query::QueryError> for Error {
    fn from(e: query::QueryError) -> Error {
        Error::query(e.span, &e.to_string())
    }
}
