//! What the model asks of the world outside: background jobs, the editor, the clipboard.

use super::hits::Hit;
use crate::analysis::search;
use crate::analysis::timeline::Strip;
use crate::base::EventNo;
use crate::base::Time;
use crate::model::{Cell, Event, Index, Lane, Segment};
use crate::read::Trace;
use crate::tui::panels::Panelled;
use crate::tui::views::events::Listing;
use crate::tui::views::{detail, links, profile, source, stacks, tasks};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What a job is for. A new job of a kind takes the place of the one before: that one is cancelled, and if it answers
/// all the same its answer is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum JobKind {
    Search,
    EventsPage,
    EventsListing,
    EventAt,
    Totals,
    Cells,
    Overview,
    Detail,
    Link,
    Source,
    Links,
    Waits,
    Panel,
    Stacks,
    Tasks,
    Instances,
    Profile,
    Costs,
}

impl JobKind {
    /// All kinds.
    pub const ALL: [JobKind; 18] = [
        JobKind::Search,
        JobKind::EventsPage,
        JobKind::EventsListing,
        JobKind::EventAt,
        JobKind::Totals,
        JobKind::Cells,
        JobKind::Overview,
        JobKind::Detail,
        JobKind::Link,
        JobKind::Source,
        JobKind::Links,
        JobKind::Waits,
        JobKind::Panel,
        JobKind::Stacks,
        JobKind::Tasks,
        JobKind::Instances,
        JobKind::Profile,
        JobKind::Costs,
    ];
}

/// What a running job sees of the world.
pub struct JobCtx<'a> {
    /// The trace; here, and only here, segments may be decoded.
    pub trace: &'a Trace,
    /// Set when the answer is no longer wanted; look at it between steps.
    pub cancel: &'a AtomicBool,
    /// Sends a preliminary answer.
    pub partial: &'a (dyn Fn(Reply) + Sync),
}

impl JobCtx<'_> {
    /// Whether the answer is no longer wanted.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// What an analysis reads in a job comes through here, so that one that is no longer wanted ends with the segment it is
/// at.
impl search::Source for JobCtx<'_> {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.trace.index());
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, String> {
        if self.cancelled() {
            return Err("no longer wanted".into());
        }
        self.trace.segment(i).map_err(|e| e.to_string())
    }
}

/// Work for a background thread. Its answer goes to [`View::receive`](crate::tui::views::View::receive) of every view and
/// pane; each takes what it has asked for.
pub struct Job {
    /// What it is for.
    pub kind: JobKind,
    /// The work.
    pub run: Box<dyn FnOnce(&JobCtx) -> Reply + Send>,
}

impl Job {
    /// A job.
    pub fn new(kind: JobKind, run: impl FnOnce(&JobCtx) -> Reply + Send + 'static) -> Job {
        Job { kind, run: Box::new(run) }
    }
}

/// A stretch of lanes over a window, for the timeline and the overview.
#[derive(Clone, PartialEq, Debug)]
pub struct Cells {
    /// Start of the window.
    pub from: Time,
    /// End of the window.
    pub to: Time,
    /// Cells of each lane that was asked for, in that order.
    pub lanes: Vec<(Lane, Vec<Cell>)>,
}

/// The answer to a job. A view that needs another kind of answer adds a variant.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing to say (cancelled).
    Nothing,
    /// A search has begun.
    Searching {
        /// The query's text.
        query: String,
        /// The query, compiled.
        compiled: Arc<crate::query::Compiled>,
    },
    /// More hits of a query, in order.
    Found {
        /// The query's text.
        query: String,
        /// The hits of one segment.
        hits: Arc<[Hit]>,
    },
    /// A search has come to its end.
    Searched {
        /// The query's text.
        query: String,
        /// Why part of the trace could not be searched.
        failed: Option<String>,
    },
    /// Events in order, by number.
    Events(Vec<Event>),
    /// The numbers of the events that the narrowing leaves.
    Listing(Arc<Listing>),
    /// The number of the event at or after an instant.
    EventAt(Time, EventNo),
    /// Times per state inside the window, by lane.
    Totals(Arc<Cells>),
    /// Cells of the timeline.
    Cells(Arc<Cells>),
    /// Cells of the overview strip.
    Overview(Arc<Cells>),
    /// Exact lanes of the timeline, all of one window.
    Strips(Arc<Vec<Strip>>),
    /// What is under the cursor.
    Detail(Arc<detail::Found>),
    /// Where a link leads: from a wait to what ended it and back, from one change of state to the next.
    Link(Result<detail::Target, String>),
    /// A source file.
    Source(Arc<source::Loaded>),
    /// Who waited for whom.
    Links(Arc<links::Found>),
    /// The waits of one link.
    Waits(Arc<links::List>),
    /// A call tree.
    Stacks(Arc<stacks::Found>),
    /// Tasks and regions by name.
    Tasks(Arc<tasks::Found>),
    /// The tasks or regions of one name.
    Instances(Arc<tasks::List>),
    /// A profile summed up.
    Profile(Arc<profile::Found>),
    /// What lines of source cost.
    Costs(Arc<source::costs::Costs>),
    /// Something to read in a panel over the views.
    Panel(Arc<Panelled>),
    /// Why there is no answer.
    Failed(JobKind, String),
}

/// What the model wants done. The shell does it: the terminal's main loop, or the headless driver.
pub enum Effect {
    /// Run this in the background.
    Run(Job),
    /// Cancel what runs of that kind.
    Cancel(JobKind),
    /// Open a file at a line (from 1) in the user's editor.
    Open {
        /// The file, as it was found here.
        path: std::path::PathBuf,
        /// The line.
        line: u32,
    },
    /// Put text on the clipboard.
    Copy(String),
    /// Stop, as `Ctrl-Z` does elsewhere.
    Suspend,
    /// Clear the screen and draw all of it.
    Redraw,
    /// End the program.
    Quit,
}

/// A message from a job.
pub struct Answer {
    /// What the job was for.
    pub kind: JobKind,
    /// Which job of that kind.
    pub number: u64,
    /// What it says.
    pub reply: Reply,
    /// Whether it is the job's last word.
    pub last: bool,
}

#[derive(Default)]
struct Slot {
    waiting: Option<(u64, Job, Arc<AtomicBool>)>,
    closed: bool,
}

struct Mailbox {
    slot: Mutex<Slot>,
    ready: Condvar,
}

struct Worker {
    lane: Arc<Mailbox>,
    /// The newest job's number and its cancel flag.
    newest: (u64, Arc<AtomicBool>),
}

/// Runs jobs: a thread for each kind, started when it is first needed, so that a slow search never holds up a page of
/// events. Of the jobs of one kind only the newest counts.
pub struct Runner {
    trace: Arc<Trace>,
    answers: Box<dyn Fn(Answer) + Send + Sync>,
    workers: Mutex<HashMap<JobKind, Worker>>,
}

impl Runner {
    /// A runner whose jobs see `trace`, and which hands every answer to `answers` (on a worker's thread).
    pub fn new(trace: Arc<Trace>, answers: impl Fn(Answer) + Send + Sync + 'static) -> Arc<Runner> {
        Arc::new(Runner { trace, answers: Box::new(answers), workers: Mutex::default() })
    }

    /// Starts a job in place of the one before of its kind.
    pub fn run(self: &Arc<Self>, job: Job) {
        let mut workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        let kind = job.kind;
        let worker = workers.entry(kind).or_insert_with(|| {
            let lane = Arc::new(Mailbox { slot: Mutex::default(), ready: Condvar::new() });
            let (runner, its) = (Arc::downgrade(self), lane.clone());
            // Without a thread there is no answer; the viewer goes on without it.
            let _ = std::thread::Builder::new().name(format!("{kind:?}")).spawn(move || {
                while let Some((number, job, cancel)) = its.next() {
                    let Some(runner) = runner.upgrade() else { break };
                    runner.work(number, job, &cancel);
                }
            });
            Worker { lane, newest: (0, Arc::default()) }
        });
        worker.newest.1.store(true, Ordering::Relaxed);
        worker.newest = (worker.newest.0 + 1, Arc::default());
        let mut slot = worker.lane.slot.lock().unwrap_or_else(|e| e.into_inner());
        slot.waiting = Some((worker.newest.0, job, worker.newest.1.clone()));
        worker.lane.ready.notify_one();
    }

    /// Cancels what runs of a kind; its answer will not be wanted.
    pub fn cancel(&self, kind: JobKind) {
        let mut workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(w) = workers.get_mut(&kind) {
            w.newest.1.store(true, Ordering::Relaxed);
            w.newest = (w.newest.0 + 1, Arc::default());
            w.lane.slot.lock().unwrap_or_else(|e| e.into_inner()).waiting = None;
        }
    }

    /// Whether an answer is to the newest job of its kind.
    pub fn wanted(&self, answer: &Answer) -> bool {
        let workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        workers.get(&answer.kind).is_some_and(|w| w.newest.0 == answer.number)
    }

    fn work(&self, number: u64, job: Job, cancel: &AtomicBool) {
        let kind = job.kind;
        let say = |reply, last| (self.answers)(Answer { kind, number, reply, last });
        let partial = |reply| say(reply, false);
        say(run(job, &JobCtx { trace: &self.trace, cancel, partial: &partial }), true);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let workers = self.workers.get_mut().unwrap_or_else(|e| e.into_inner());
        for w in workers.values() {
            w.newest.1.store(true, Ordering::Relaxed);
            w.lane.slot.lock().unwrap_or_else(|e| e.into_inner()).closed = true;
            w.lane.ready.notify_one();
        }
    }
}

impl Mailbox {
    fn next(&self) -> Option<(u64, Job, Arc<AtomicBool>)> {
        let mut slot = self.slot.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            if slot.closed {
                return None;
            }
            if let Some(job) = slot.waiting.take() {
                return Some(job);
            }
            slot = self.ready.wait(slot).unwrap_or_else(|e| e.into_inner());
        }
    }
}

/// Runs a job here and now. A panic in it is an error of ours, and costs its answer and not the program.
pub fn run(job: Job, cx: &JobCtx) -> Reply {
    let kind = job.kind;
    std::panic::catch_unwind(AssertUnwindSafe(|| (job.run)(cx)))
        .unwrap_or_else(|_| Reply::Failed(kind, "an error in gotrail itself; please report it".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{bounded, unbounded};

    #[test]
    fn of_several_jobs_the_newest_is_wanted_and_the_others_are_cancelled() {
        let (tx, rx) = unbounded();
        let runner = Runner::new(crate::read::fixture::trace(), move |a| drop(tx.send(a)));
        let (started, wait_started) = bounded(1);
        let (release, wait_release) = bounded::<()>(1);
        runner.run(Job::new(JobKind::Search, move |cx| {
            started.send(()).unwrap();
            wait_release.recv().unwrap();
            Reply::Failed(JobKind::Search, if cx.cancelled() { "cancelled".into() } else { "not".into() })
        }));
        wait_started.recv().unwrap();
        // The second never runs: the third takes its place while the first is busy.
        runner.run(Job::new(JobKind::Search, |_| unreachable!()));
        runner.run(Job::new(JobKind::Search, |_| Reply::Failed(JobKind::Search, "third".into())));
        release.send(()).unwrap();
        let text = |a: &Answer| match &a.reply {
            Reply::Failed(_, s) => s.clone(),
            _ => String::new(),
        };
        let first = rx.recv().unwrap();
        assert_eq!((text(&first).as_str(), runner.wanted(&first)), ("cancelled", false));
        let third = rx.recv().unwrap();
        assert_eq!((text(&third).as_str(), runner.wanted(&third)), ("third", true));
        runner.cancel(JobKind::Search);
        assert!(!runner.wanted(&third));
    }
}
