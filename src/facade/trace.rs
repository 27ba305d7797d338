//! Traces.

use super::{Error, Event, Events, Query, Wait, wait};
use crate::analysis::search;
use crate::base::{Duration, Span};
use crate::input::{self, Bytes, Input, Limits};
use crate::read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An execution trace of a Go program (Go 1.7 and later), read whole.
///
/// Its events are not held in memory, but decoded again as they are asked for; see [`Trace::events`]. Instants are
/// counted from the trace's start, in nanoseconds.
pub struct Trace {
    pub(super) inner: read::Trace,
}

impl Trace {
    /// Reads the trace at `path`, or from standard input for `-`; gzip and zstd are unpacked. Of a trace that is damaged
    /// or cut off, what is whole is read; see [`Trace::losses`].
    ///
    /// # Errors
    ///
    /// The file cannot be read, or does not begin as a trace of a known version.
    pub fn read(path: impl AsRef<Path>) -> Result<Trace, Error> {
        Trace::of(input::open(path).map_err(|e| Error::input(&e))?)
    }

    /// Reads a trace that is in memory, packed or not. `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// The bytes do not begin as a trace of a known version.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Trace, Error> {
        let bytes = Bytes::Memory(bytes.into());
        Trace::of(input::from_bytes(name, bytes, Limits::of_this_machine()).map_err(|e| Error::input(&e))?)
    }

    fn of(input: Input) -> Result<Trace, Error> {
        if !matches!(input.kind, input::Kind::Trace { .. }) {
            return Err(Error::NotATrace { name: input.name });
        }
        let inner = read::Trace::open(&input.name, input.bytes).map_err(|e| Error::trace(&input.name, &e))?;
        input.notes.iter().for_each(|n| inner.lose(n));
        inner.load(&|_| {}, &AtomicBool::new(false));
        Ok(Trace { inner })
    }

    /// The version of Go whose format it has: `(1, 26)`. Go writes the format of 1.26 in 1.27, too.
    pub fn version(&self) -> (u32, u32) {
        self.inner.index().version
    }

    /// Length of the trace, in nanoseconds.
    pub fn duration(&self) -> Duration {
        self.inner.index().duration()
    }

    /// How many events it has.
    pub fn event_count(&self) -> u64 {
        self.inner.index().events
    }

    /// What of the file could not be read: a sentence each, safe to show; none for a trace that is whole.
    pub fn losses(&self) -> Vec<String> {
        self.inner.index().losses.clone()
    }

    /// All events, in an order in which each can have been caused by those before it.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// The events that answer a query, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if one of its patterns is too large; [`Error::Analysis`] if a part of the trace cannot be
    /// decoded again.
    pub fn search(&self, query: &Query) -> Result<Vec<Event<'_>>, Error> {
        let mut found = Vec::new();
        let mut failed = None;
        let cancel = AtomicBool::new(false);
        let outcome = search::run(&self.inner, &query.0, &search::Options::default(), &cancel, &mut |i, hits| {
            if hits.is_empty() || failed.is_some() {
                return;
            }
            match self.inner.segment(i) {
                Ok(segment) => {
                    found.extend(hits.iter().map(|h| Event::new(self, &segment, (h.no - segment.first) as usize)));
                }
                Err(e) => failed = Some(Error::trace(self.inner.name(), &e)),
            }
        });
        let outcome = outcome.map_err(|e| Error::query(Span::default(), &e.to_string()))?;
        match (failed, outcome.failed.into_iter().next()) {
            (Some(e), _) => Err(e),
            (None, Some((_, cause))) => Err(self.unmade(cause.to_string())),
            (None, None) => Ok(found),
        }
    }

    /// Who waited, where, what for, and who ended it: all waits of the trace, summed up, those of the largest total first.
    /// Waits that nothing in the trace ended are among them, with the time up to the trace's end.
    ///
    /// # Errors
    ///
    /// [`Error::Analysis`] if a part of the trace cannot be decoded again.
    pub fn waits(&self) -> Result<Vec<Wait>, Error> {
        wait::all(&self.inner).map_err(|cause| self.unmade(cause.to_string()))
    }

    /// All goroutines, in the order in which they first occur.
    pub fn goroutines(&self) -> Vec<Goroutine> {
        let index = self.inner.index();
        let one = |g: &crate::model::index::Goroutine| Goroutine {
            id: g.id.0,
            start: index.dict.func_name(g.entry).to_owned(),
            created: g.created().map(|t| t - index.start),
            ended: g.ended.map(|t| t - index.start),
            running: g.times.running,
            runnable: g.times.runnable,
            waiting: g.times.waiting,
            syscall: g.times.syscall + g.times.syscall_blocked,
        };
        index.goroutines.iter().map(one).collect()
    }

    fn unmade(&self, message: String) -> Error {
        Error::Analysis { name: self.inner.name().into(), message }
    }
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("name", &self.inner.name()).finish_non_exhaustive()
    }
}

/// A goroutine and its time by state, in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Goroutine {
    /// Go's number. C code that calls into Go again and again does it as goroutines of one number.
    pub id: u64,
    /// Its start function as Go writes it; empty if the trace does not tell.
    pub start: String,
    /// When it was created; `None` if that was before the trace.
    pub created: Option<Duration>,
    /// When it ended; `None` if it did not.
    pub ended: Option<Duration>,
    /// On a P.
    pub running: Duration,
    /// Runnable, waiting for a P.
    pub runnable: Duration,
    /// Blocked.
    pub waiting: Duration,
    /// In syscalls.
    pub syscall: Duration,
}

/// Keeps a segment alive for the events in it.
pub(super) type Shared = Arc<crate::model::Segment>;
