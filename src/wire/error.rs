//! What can be wrong with input: one variant for each way, with the offset at which it was noticed.

use thiserror::Error as ThisError;

/// A fault in a file, and where it is.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[error("at byte {offset}: {kind}")]
pub struct Error {
    /// Offset in the (unpacked) file.
    pub offset: u64,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// The ways in which a file can be wrong.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Neither a trace nor a profile.
    #[error("this is neither a Go execution trace nor a pprof profile")]
    NotATrace,
    /// The header names a version that nobody knows.
    #[error("unknown trace version go 1.{0}")]
    UnknownVersion(u32),
    /// A version that is known and cannot be read.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The file ends in the middle of something.
    #[error("the file ends in the middle of {0}")]
    Truncated(&'static str),
    /// A byte where a batch should begin.
    #[error("expected a batch, found byte {0:#04x}")]
    NotABatch(u8),
    /// A batch larger than the format allows.
    #[error("a batch of {0} bytes, the format allows 65536")]
    BatchTooLarge(u64),
    /// A number longer than ten bytes, or over 64 bits.
    #[error("malformed number in {0}")]
    BadVarint(&'static str),
    /// An event type that the format does not have.
    #[error("unknown event type {0}")]
    UnknownEvent(u8),
    /// What was there when the file was opened is there no longer; how that came, in a sentence.
    #[error("{0} (open it again to see what is left)")]
    Missing(String),
    /// What is asked for takes more memory than is allowed; how much is in use, as it is shown.
    #[error(
        "{0} are in use, and more is needed than --memory allows: give it more, or open a part of the trace (gotrail export --format cut)"
    )]
    Memory(String),
    /// Anything else that the format forbids, said in a few words.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// A fault of `kind` at `offset`.
    pub fn new(offset: u64, kind: ErrorKind) -> Error {
        Error { offset, kind }
    }
}
