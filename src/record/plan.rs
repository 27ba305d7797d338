//! What is wanted of a recording, and what it is told and tells while it runs.

use crate::input::http::HttpError;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How a recording is made, apart from where.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// How long.
    pub seconds: u64,
    /// Whether to ask for the goroutines that are leaked, which costs the program a GC cycle.
    pub leaks: bool,
    /// Words about the load meanwhile, for whoever reads the recording.
    pub rate: Option<String>,
}

/// How far a recording is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Since its beginning.
    pub elapsed: Duration,
    /// Bytes of the trace so far.
    pub bytes: u64,
    /// Generations that are kept, of a ring.
    pub kept: usize,
}

impl Progress {
    /// What tracing costs: bytes a second so far.
    pub fn rate(self) -> u64 {
        (self.bytes as f64 / self.elapsed.as_secs_f64().max(0.001)) as u64
    }
}

/// What a recording is told from outside while it runs.
pub struct Control<'a> {
    /// Set to end it now.
    pub stop: &'a AtomicBool,
    /// Set to end a ring when what happens now is in it.
    pub keep: &'a AtomicBool,
    /// Told how far it is.
    pub progress: &'a dyn Fn(Progress),
}

/// Whether an error says that nobody is there any more.
pub(super) fn is_gone(e: &HttpError) -> bool {
    matches!(
        e,
        HttpError::Refused | HttpError::Closed | HttpError::Unreachable(_) | HttpError::Timeout(_) | HttpError::NoHost
    )
}
