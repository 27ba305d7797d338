//! What can go wrong before a single event is read, each with its cause and what to do about it.

use super::Packing;
use crate::base::text;
use std::io;
use thiserror::Error as ThisError;

/// A file that could not be opened as a trace or a profile. Shown on one line: name, cause, hint.
#[derive(Debug, ThisError)]
#[error("{}: {kind}{}", text::escape(name), hint_suffix(kind))]
pub struct InputError {
    /// The file as the user named it; "standard input" for `-`.
    pub name: String,
    /// What is wrong with it.
    pub kind: InputErrorKind,
}

/// The ways in which a file can fail to be an input.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum InputErrorKind {
    /// Nothing has this name.
    #[error("no such file")]
    NotFound,
    /// The file may not be read.
    #[error("permission denied")]
    Permission,
    /// A directory, and how many traces and profiles lie directly in it.
    #[error("is a directory")]
    Directory {
        /// Recognised files directly in it.
        holds: usize,
    },
    /// A device or a socket.
    #[error("is {0}, not a file")]
    Special(&'static str),
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// It begins as a trace's header does, and ends inside it.
    #[error("the file ends inside a trace's 16-byte header, after {0} bytes")]
    HalfHeader(u64),
    /// Neither a trace nor a profile.
    #[error("neither a Go execution trace nor a pprof profile: {what}")]
    Unrecognised {
        /// What it seems to be, in a few words.
        what: String,
        /// What may have gone wrong; may be empty.
        hint: String,
    },
    /// Packed data that is far larger than it looks.
    #[error(
        "{packing} data of {} unpacks to more than {} ({}:1)",
        text::bytes(*packed), text::bytes(*unpacked), unpacked / (*packed).max(1)
    )]
    Bomb {
        /// How it is packed.
        packing: Packing,
        /// Bytes of packed data.
        packed: u64,
        /// Bytes unpacked when it was given up: a little over the limit.
        unpacked: u64,
    },
    /// A stream that does not end within the limit.
    #[error("more than {} to read", text::bytes(*.0))]
    TooLarge(u64),
    /// Packed data of which nothing could be unpacked.
    #[error("damaged {packing} data at byte {offset}: {cause}")]
    Damaged {
        /// How it is packed.
        packing: Packing,
        /// Offset in the packed file.
        offset: u64,
        /// What the unpacker says.
        cause: String,
    },
    /// Packed, and packed again, and again.
    #[error("packed more than twice")]
    PackedTooOften,
    /// The answer of a server, saved with its headers, that is one of an error; its status, safe to show.
    #[error("an HTTP error page: {0}")]
    ErrorAnswer(String),
    /// A server that did not give what it was asked for.
    #[error("{0}")]
    Http(super::http::HttpError),
    /// What is too large for memory has no room elsewhere.
    #[error("there is no room for what it unpacks to: {0}")]
    Temporary(io::Error),
    /// Anything else that the system reports.
    #[error("{0}")]
    Io(io::Error),
}

impl InputErrorKind {
    /// What the user can do about it, if anything sensible can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            InputErrorKind::NotFound => "check the name; `-` reads standard input".into(),
            InputErrorKind::Permission => "it belongs to another user: copy it, or ask for read access".into(),
            InputErrorKind::Directory { holds: 0 } => "name a trace or a profile; none lies directly in it".into(),
            InputErrorKind::Directory { holds } => format!("name the files in it: {holds} of them can be opened"),
            InputErrorKind::Special(_) => "name a file, a pipe, or `-` for standard input".into(),
            InputErrorKind::Empty => {
                "the program that wrote it may not have called trace.Stop or pprof.StopCPUProfile".into()
            }
            InputErrorKind::HalfHeader(_) => "the program may have ended before it wrote anything".into(),
            InputErrorKind::Unrecognised { hint, .. } if hint.is_empty() => return None,
            InputErrorKind::Unrecognised { hint, .. } => hint.clone(),
            InputErrorKind::Bomb { .. } => "if that is what it should be, unpack it first and open the result".into(),
            InputErrorKind::TooLarge(_) => "write it to a file first, of files only pieces are read".into(),
            InputErrorKind::Damaged { .. } => "nothing of it could be unpacked: was the download cut off?".into(),
            InputErrorKind::Temporary(_) => {
                let dir = std::env::temp_dir();
                let dir = text::escape(&dir.to_string_lossy()).into_owned();
                format!("give more --memory, make room in {dir}, or set TMPDIR to a folder that has room")
            }
            InputErrorKind::PackedTooOften => "unpack it first".into(),
            InputErrorKind::ErrorAnswer(_) => super::describe::DOWNLOAD.into(),
            InputErrorKind::Http(_) | InputErrorKind::Io(_) => return None,
        })
    }
}

fn hint_suffix(kind: &InputErrorKind) -> String {
    kind.hint().map_or_else(String::new, |h| format!(" ({h})"))
}

impl From<io::Error> for InputErrorKind {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::NotFound => InputErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => InputErrorKind::Permission,
            io::ErrorKind::IsADirectory => InputErrorKind::Directory { holds: 0 },
            _ => InputErrorKind::Io(e),
        }
    }
}
