//! Work for background threads, whose answer is a closure for whoever asked; and what else the model asks of the world
//! outside.
//!
//! A job knows who asked by type alone. What it brings back is a closure over that part of the viewer, so that a new
//! job is written where it is needed, and nothing here or in the runner has to know of it.

use super::view::{Command, Ctx};
use crate::analysis::states::source::{Source, Unanswered};
use crate::build::observe::Observer;
use crate::model::{Index, Segment};
use crate::read::Trace;
use std::any::{Any, TypeId};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who asks, and what for. A new job in a slot takes the place of the one before: that one is cancelled, and if it
/// answers all the same its answer is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    part: TypeId,
    /// What for.
    pub name: &'static str,
}

impl Slot {
    /// The slot of a part of the viewer for jobs of a name.
    pub fn of<V: Any>(name: &'static str) -> Slot {
        Slot { part: TypeId::of::<V>(), name }
    }

    /// Whether it is of a part of the viewer.
    pub fn is_of(&self, part: TypeId) -> bool {
        self.part == part
    }
}

/// What a running job sees of the world.
pub struct JobCtx<'a> {
    /// The trace; here, and only here, segments may be decoded.
    pub trace: &'a Trace,
    /// Set when the answer is no longer wanted; look at it between steps.
    pub cancel: &'a AtomicBool,
    /// Told of each segment that the job reads.
    reading: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> JobCtx<'a> {
    /// What a job sees that nobody waits for.
    pub fn new(trace: &'a Trace, cancel: &'a AtomicBool) -> JobCtx<'a> {
        JobCtx { trace, cancel, reading: None }
    }

    /// The same, and `reading` is told of each segment that the job reads.
    pub fn told(self, reading: &'a (dyn Fn(usize) + Sync)) -> JobCtx<'a> {
        JobCtx { reading: Some(reading), ..self }
    }

    /// Shows `observer` every event of the trace, and says how far that is.
    ///
    /// # Errors
    ///
    /// The answer is no longer wanted.
    pub fn observe(&self, observer: &dyn Observer) -> Result<(), Unanswered> {
        let segments = self.trace.index().segments.len();
        let progress = |part: f64| {
            if let Some(reading) = self.reading {
                reading(((part * segments as f64) as usize).min(segments.saturating_sub(1)));
            }
        };
        let seen = self.trace.observe(observer, &progress, self.cancel);
        if seen { Ok(()) } else { Err(Unanswered::Unwanted) }
    }

    /// Whether the answer is no longer wanted.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// What an analysis reads in a job comes through here, so that one that is no longer wanted ends with the segment it is
/// at.
impl Source for JobCtx<'_> {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.trace.index());
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        if self.cancelled() {
            return Err(Unanswered::Unwanted);
        }
        if let Some(reading) = self.reading {
            reading(i);
        }
        Ok(self.trace.segment(i)?)
    }
}

type Then = Box<dyn FnOnce(&mut dyn Any, &Ctx, &mut Vec<Command>) + Send>;

/// What a job says.
pub enum Answer {
    /// Something for whoever asked.
    To(Recipient),
    /// Why there is no answer.
    Failed(String),
    /// How far a job is that takes a while: whose it is, and in a few words.
    Working(Slot, String),
}

/// An answer, and the type of the part of the viewer that it is for.
pub struct Recipient {
    /// The part's type.
    pub part: TypeId,
    then: Then,
}

impl Recipient {
    /// Gives the answer to the part that asked. Nothing happens if it is another.
    pub fn deliver(self, part: &mut dyn Any, cx: &Ctx, out: &mut Vec<Command>) {
        (self.then)(part, cx, out);
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::To(_) => f.write_str("To(..)"),
            Answer::Failed(why) => f.debug_tuple("Failed").field(why).finish(),
            Answer::Working(_, how) => f.debug_tuple("Working").field(how).finish(),
        }
    }
}

fn to<V: Any>(then: impl FnOnce(&mut V, &Ctx, &mut Vec<Command>) + Send + 'static) -> Answer {
    let then = move |part: &mut dyn Any, cx: &Ctx, out: &mut Vec<Command>| {
        if let Some(part) = part.downcast_mut::<V>() {
            then(part, cx, out);
        }
    };
    Answer::To(Recipient { part: TypeId::of::<V>(), then: Box::new(then) })
}

/// Takes what a job says, on the job's thread.
pub type Say<'a> = dyn Fn(Answer) + Sync + 'a;

type Work = Box<dyn FnOnce(&JobCtx, &Say) + Send>;

/// Work for a background thread.
pub struct Job {
    /// Who asks, and what for.
    pub slot: Slot,
    run: Work,
}

impl Job {
    /// Does `work` on a worker, and gives what it made to `then` with the `V` that asks. If the work fails the user is
    /// told why. An answer that is no longer wanted is dropped.
    pub fn new<V: Any, T: Send + 'static>(
        name: &'static str,
        work: impl FnOnce(&JobCtx) -> Result<T, String> + Send + 'static,
        then: impl FnOnce(&mut V, T, &Ctx, &mut Vec<Command>) + Send + 'static,
    ) -> Job {
        let run = move |cx: &JobCtx, say: &Say| match work(cx) {
            _ if cx.cancelled() => {}
            Ok(made) => say(to(move |part: &mut V, cx, out| then(part, made, cx, out))),
            Err(why) => say(Answer::Failed(why)),
        };
        Job { slot: Slot::of::<V>(name), run: Box::new(run) }
    }

    /// The same for work that answers bit by bit.
    pub fn stream<V: Any, T: Send + 'static>(
        name: &'static str,
        work: impl FnOnce(&JobCtx, &(dyn Fn(T) + Sync)) -> Result<(), String> + Send + 'static,
        then: impl Fn(&mut V, T, &Ctx, &mut Vec<Command>) + Send + Sync + 'static,
    ) -> Job {
        let then = Arc::new(then);
        let run = move |cx: &JobCtx, say: &Say| {
            let each = |made: T| {
                let then = then.clone();
                say(to(move |part: &mut V, cx, out| then(part, made, cx, out)));
            };
            match work(cx, &each) {
                Err(why) if !cx.cancelled() => say(Answer::Failed(why)),
                _ => {}
            }
        };
        Job { slot: Slot::of::<V>(name), run: Box::new(run) }
    }

    /// Does the work here and now. A panic in it is an error of ours, and costs its answer and not the program.
    pub fn run(self, cx: &JobCtx, say: &Say) {
        if std::panic::catch_unwind(AssertUnwindSafe(|| (self.run)(cx, say))).is_err() {
            say(Answer::Failed("an error in gotrail itself; please report it".into()));
        }
    }
}

/// What the model wants done. The shell does it: the terminal's main loop, or the headless driver.
pub enum Effect {
    /// Run this in the background.
    Run(Job),
    /// Cancel what runs in a slot.
    Cancel(Slot),
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
    /// End the recording that the viewer shows.
    StopRecording,
    /// End the program.
    Quit,
}
