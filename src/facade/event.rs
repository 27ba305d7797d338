//! Events.

use super::trace::Shared;
use super::{Error, Trace};
use crate::base::{Duration, GoIdx, StringId};
use crate::model::segment::{self, GoState, Kind};
use std::fmt;

/// An event of a [`Trace`].
#[derive(Clone)]
pub struct Event<'t> {
    trace: &'t Trace,
    segment: Shared,
    at: usize,
}

/// A frame of a stack.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// The function as Go writes it: `example.com/shop/payment.(*Core).settle`; empty if the trace does not name it.
    pub function: String,
    /// The source file, as the compiler recorded it; empty if not known.
    pub file: String,
    /// The line, counted from 1; 0 if not known.
    pub line: u32,
}

/// What an event of some kinds says beyond who, when and where.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing, or nothing that this version of the library hands on.
    None,
    /// Why a goroutine stopped or blocked, in the runtime's words: `sync`, `chan receive`.
    Reason(String),
    /// A goroutine's label.
    Label(String),
    /// Why the world was stopped, in the runtime's words.
    Stw(String),
    /// A goroutine's state, restated.
    State(GoState),
    /// Bytes of heap, GOMAXPROCS, or a collection's sequence number, depending on the kind.
    Value(u64),
    /// A task began or ended.
    Task {
        /// Its number.
        id: u64,
        /// Its parent's number; 0 for none.
        parent: u64,
        /// Its name; empty when it ends.
        name: String,
    },
    /// A region began or ended.
    Region {
        /// The number of its task; 0 for none.
        task: u64,
        /// Its name.
        name: String,
    },
    /// A log message.
    Log {
        /// The number of its task; 0 for none.
        task: u64,
        /// Its category.
        category: String,
        /// Its text.
        message: String,
    },
}

impl<'t> Event<'t> {
    pub(super) fn new(trace: &'t Trace, segment: &Shared, at: usize) -> Event<'t> {
        Event { trace, segment: Shared::clone(segment), at }
    }

    /// Its number, counted from 0 over the whole trace.
    pub fn number(&self) -> u64 {
        self.segment.first + self.at as u64
    }

    /// When it happened: nanoseconds since the trace's start.
    pub fn time(&self) -> Duration {
        self.segment.time[self.at] - self.trace.inner.index().start
    }

    /// What happened.
    pub fn kind(&self) -> Kind {
        self.segment.kind[self.at]
    }

    /// Go's number of the goroutine that it happened to: for `GoUnblock`, the one that had been blocked.
    pub fn goroutine(&self) -> Option<u64> {
        self.number_of(self.segment.go[self.at])
    }

    /// Go's number of the goroutine that did it: for `GoUnblock`, the one that unblocked another.
    pub fn by(&self) -> Option<u64> {
        self.number_of(self.segment.by[self.at])
    }

    /// Go's number of the P that it happened on.
    pub fn proc(&self) -> Option<u64> {
        self.trace.inner.index().procs.get(self.segment.proc[self.at].index()).map(|p| p.id.0)
    }

    /// The operating system's number of the thread that it happened on.
    pub fn thread(&self) -> Option<u64> {
        self.trace.inner.index().threads.get(self.segment.thread[self.at].index()).map(|t| t.id.0)
    }

    /// The stack of who did it, the innermost call first; empty if the trace has none.
    pub fn stack(&self) -> Vec<Frame> {
        let index = self.trace.inner.index();
        let frame = |f: crate::model::Frame| Frame {
            function: index.dict.func_name(f.func).to_owned(),
            file: index.dict.func_file(f.func).to_owned(),
            line: f.line,
        };
        index.dict.stack(self.segment.stack[self.at]).map(frame).collect()
    }

    /// What it says beyond that.
    pub fn detail(&self) -> Detail {
        let index = self.trace.inner.index();
        let text = |s: StringId| index.dict.str(s).to_owned();
        match self.segment.detail(self.at) {
            segment::Detail::Reason(s) => Detail::Reason(text(s)),
            segment::Detail::Label(s) => Detail::Label(text(s)),
            segment::Detail::Stw(s) => Detail::Stw(text(s)),
            segment::Detail::GoStatus(s) => Detail::State(s),
            segment::Detail::Value(v) => Detail::Value(v),
            segment::Detail::Task { id, parent, name } => Detail::Task { id, parent, name: text(name) },
            segment::Detail::Region { task, name } => Detail::Region { task, name: text(name) },
            segment::Detail::Log { task, category, message } => {
                Detail::Log { task, category: text(category), message: text(message) }
            }
            _ => Detail::None,
        }
    }

    fn number_of(&self, g: GoIdx) -> Option<u64> {
        self.trace.inner.index().goroutine(g).map(|g| g.id.0)
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut s = f.debug_struct("Event");
        s.field("number", &self.number()).field("time", &self.time()).field("kind", &self.kind());
        s.field("goroutine", &self.goroutine()).field("detail", &self.detail()).finish_non_exhaustive()
    }
}

/// The events of a [`Trace`], one after the other. Where a part of it cannot be decoded again there is one error in its
/// place, and then what follows that part.
#[derive(Debug)]
pub struct Events<'t> {
    trace: &'t Trace,
    /// The next segment, of how many.
    next: (usize, usize),
    /// The one at hand, and the position of its next event.
    segment: Option<(Shared, usize)>,
}

impl<'t> Events<'t> {
    pub(super) fn new(trace: &'t Trace) -> Events<'t> {
        let segments = trace.inner.index().segments.len();
        Events { trace, next: (0, segments), segment: None }
    }
}

impl<'t> Iterator for Events<'t> {
    type Item = Result<Event<'t>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((segment, at)) = &mut self.segment {
                if *at < segment.len() {
                    *at += 1;
                    return Some(Ok(Event::new(self.trace, segment, *at - 1)));
                }
                self.segment = None;
            }
            let (next, of) = &mut self.next;
            if *next == *of {
                return None;
            }
            *next += 1;
            match self.trace.inner.segment(*next - 1) {
                Ok(segment) => self.segment = Some((segment, 0)),
                Err(e) => return Some(Err(Error::trace(self.trace.inner.name(), &e))),
            }
        }
    }
}
