//! Waits, summed up.

use super::Frame;
use crate::analysis::states::source::Unanswered;
use crate::analysis::waits::links::{self, Edge, Links, Options, Party};
use crate::base::Duration;
use crate::model::Index;
use crate::model::places::PlaceId;
use crate::read;

/// Waits of goroutines that have everything in common but their times. Times are in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Wait {
    /// The start function of the goroutines that waited; empty if the trace does not tell.
    pub waiter: String,
    /// The line of the program's own code in which they did.
    pub at: Option<Frame>,
    /// What for: what their stacks tell, or else the runtime's word.
    pub reason: String,
    /// Who ended the waits.
    pub ended_by: EndedBy,
    /// The line of the program's own code in which they did.
    pub ended_at: Option<Frame>,
    /// How many waits.
    pub count: u64,
    /// How many of them were going on already when the trace began, or still when it ended.
    pub open: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// The 99th percentile, to within an eighth.
    pub p99: Duration,
}

/// Who ended a wait.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum EndedBy {
    /// A goroutine with this start function; empty if the trace does not tell.
    Goroutine(String),
    /// The network poller.
    Network,
    /// A timer.
    Timer,
    /// The runtime, on no goroutine's behalf.
    Runtime,
    /// The operating system, or C: a syscall or a call returned.
    Return,
    /// Nobody: still blocked when the trace ended.
    Nobody,
}

/// All waits of a trace, those of the largest total first.
pub(super) fn all(trace: &read::Trace) -> Result<Vec<Wait>, Unanswered> {
    let links = links::links(trace, Options::default())?;
    let index = trace.index();
    Ok(links.edges.iter().map(|e| one(e, &links, &index)).collect())
}

fn one(e: &Edge, links: &Links, index: &Index) -> Wait {
    let frame = |p: PlaceId| {
        links.places.get(p).map(|(func, line)| Frame {
            function: index.dict.func_name(func).to_owned(),
            file: index.dict.func_file(func).to_owned(),
            line,
        })
    };
    Wait {
        waiter: index.group_name(e.key.waiter).to_owned(),
        at: frame(e.key.at),
        reason: links.reason(e).name,
        ended_by: match e.key.waker {
            Party::Group(g) => EndedBy::Goroutine(index.group_name(g).to_owned()),
            Party::Network => EndedBy::Network,
            Party::Timer => EndedBy::Timer,
            Party::Runtime => EndedBy::Runtime,
            Party::Return => EndedBy::Return,
            Party::Nobody => EndedBy::Nobody,
        },
        ended_at: frame(e.key.waker_at),
        count: e.count,
        open: e.open,
        total: e.total,
        max: e.max,
        p99: e.p99,
    }
}
