//! Why a server did not give what it was asked for, in plain sentences that are safe to show.

use thiserror::Error as ThisError;

/// What can go wrong between a request and the last byte of its answer. The texts that come from the server are escaped
/// and hold no secrets of the request.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum HttpError {
    /// An address without TLS in the program.
    #[error(
        "this gotrail was built without TLS, and cannot read https: build it with `cargo install gotrail --features tls`"
    )]
    NoTls,
    /// No Unix sockets on this system.
    #[error("this system has no Unix sockets")]
    NoUnixSockets,
    /// What was asked for is no address, or a header none.
    #[error("{0}")]
    Malformed(String),
    /// Nothing listens.
    #[error("nothing listens there: connection refused")]
    Refused,
    /// No such host.
    #[error("there is no such host")]
    NoHost,
    /// The connection cannot be made, in the system's words.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// No answer.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// What answers is not HTTP.
    #[error("what answers there does not speak HTTP: {0}")]
    NotHttp(String),
    /// TLS failed.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server closed the connection before it answered.
    #[error("the server closed the connection before it answered")]
    Closed,
    /// Nothing has this path.
    #[error("404, nothing has this path: does the program import net/http/pprof, and is the path right?")]
    NotFound,
    /// A login is wanted.
    #[error("{0}, the server wants a login: http://user:password@host, or -H 'Authorization: …'")]
    Login(u16),
    /// The answer is at another place, which is not followed: it might be another host.
    #[error("{status}, it is at another address: {}", if to.is_empty() { "the server does not say which" } else { to })]
    Moved {
        /// The status.
        status: u16,
        /// Where it is.
        to: String,
    },
    /// The program is being traced or profiled already.
    #[error("{status}, {said}: someone else is recording it; wait for their end, and ask again")]
    Busy {
        /// The status.
        status: u16,
        /// What the server says.
        said: String,
    },
    /// The server ends answers before as many seconds have passed.
    #[error("{status}, {said}: ask for fewer seconds")]
    TooLong {
        /// The status.
        status: u16,
        /// What the server says.
        said: String,
    },
    /// Any other status that is not success.
    #[error("{status}{}", if said.is_empty() { String::new() } else { format!(", {said}") })]
    Status {
        /// The status.
        status: u16,
        /// What the server says, its first line.
        said: String,
    },
    /// The answer ended before its end.
    #[error("the answer was cut off after {}", crate::base::text::bytes(*.0))]
    CutOff(u64),
    /// The answer is larger than what is taken.
    #[error("the answer is larger than {}", crate::base::text::bytes(*.0))]
    TooLarge(u64),
}

impl HttpError {
    /// What a status and the first line of its answer say.
    pub(super) fn status(status: u16, said: String, to: String) -> HttpError {
        let low = said.to_ascii_lowercase();
        match status {
            300..=399 => HttpError::Moved { status, to },
            401 | 403 => HttpError::Login(status),
            404 => HttpError::NotFound,
            _ if low.contains("already") => HttpError::Busy { status, said },
            _ if low.contains("writetimeout") => HttpError::TooLong { status, said },
            _ => HttpError::Status { status, said },
        }
    }
}
