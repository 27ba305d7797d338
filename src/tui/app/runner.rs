//! Runs jobs on threads, one for each slot.

use super::jobs::{Answer, Job, JobCtx, Slot};
use crate::read::Trace;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// An answer on its way, and which job it is of.
pub struct Delivery {
    slot: Slot,
    number: u64,
    /// What the job says.
    pub answer: Answer,
}

/// The job that a worker does next.
#[derive(Default)]
struct Next {
    job: Option<(u64, Job, Arc<AtomicBool>)>,
    closed: bool,
}

struct Mailbox {
    next: Mutex<Next>,
    ready: Condvar,
}

struct Worker {
    mailbox: Arc<Mailbox>,
    /// The newest job's number and its cancel flag.
    newest: (u64, Arc<AtomicBool>),
}

/// Runs jobs: a thread for each slot, started when it is first needed, so that a slow search never holds up a page of
/// events. Of the jobs of one slot only the newest counts.
pub struct Runner {
    trace: Arc<Trace>,
    answers: Box<dyn Fn(Delivery) + Send + Sync>,
    workers: Mutex<HashMap<Slot, Worker>>,
}

impl Runner {
    /// A runner whose jobs see `trace`, and which hands every answer to `answers` (on a worker's thread).
    pub fn new(trace: Arc<Trace>, answers: impl Fn(Delivery) + Send + Sync + 'static) -> Arc<Runner> {
        Arc::new(Runner { trace, answers: Box::new(answers), workers: Mutex::default() })
    }

    /// Starts a job in place of the one before in its slot.
    pub fn run(self: &Arc<Self>, job: Job) {
        let mut workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        let worker = workers.entry(job.slot).or_insert_with(|| {
            let mailbox = Arc::new(Mailbox { next: Mutex::default(), ready: Condvar::new() });
            let (runner, its) = (Arc::downgrade(self), mailbox.clone());
            // Without a thread there is no answer; the viewer goes on without it.
            let _ = std::thread::Builder::new().name(job.slot.name.into()).spawn(move || {
                while let Some((number, job, cancel)) = its.next() {
                    let Some(runner) = runner.upgrade() else { break };
                    runner.work(number, job, &cancel);
                }
            });
            Worker { mailbox, newest: (0, Arc::default()) }
        });
        worker.newest.1.store(true, Ordering::Relaxed);
        worker.newest = (worker.newest.0 + 1, Arc::default());
        let mut next = worker.mailbox.next.lock().unwrap_or_else(|e| e.into_inner());
        next.job = Some((worker.newest.0, job, worker.newest.1.clone()));
        worker.mailbox.ready.notify_one();
    }

    /// Cancels what runs in a slot; its answer will not be wanted.
    pub fn cancel(&self, slot: Slot) {
        let mut workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(w) = workers.get_mut(&slot) {
            w.newest.1.store(true, Ordering::Relaxed);
            w.newest = (w.newest.0 + 1, Arc::default());
            w.mailbox.next.lock().unwrap_or_else(|e| e.into_inner()).job = None;
        }
    }

    /// Whether an answer is that of the newest job in its slot.
    pub fn wanted(&self, delivery: &Delivery) -> bool {
        let workers = self.workers.lock().unwrap_or_else(|e| e.into_inner());
        workers.get(&delivery.slot).is_some_and(|w| w.newest.0 == delivery.number)
    }

    fn work(&self, number: u64, job: Job, cancel: &AtomicBool) {
        let slot = job.slot;
        let say = |answer| (self.answers)(Delivery { slot, number, answer });
        let clock = Mutex::new((Instant::now() + SLOW, Progress::default()));
        let reading = |i| {
            let (next, progress) = &mut *clock.lock().unwrap_or_else(|e| e.into_inner());
            let of = self.trace.index().segments.len();
            let how = progress.read(i, of);
            if Instant::now() >= *next {
                *next = Instant::now() + AGAIN;
                say(Answer::Working(slot, how));
            }
        };
        job.run(&JobCtx::new(&self.trace, cancel).told(&reading), &say);
    }
}

/// A job that takes longer than this says how far it is…
const SLOW: Duration = Duration::from_millis(500);
/// … and again each time that this has passed.
const AGAIN: Duration = Duration::from_millis(200);

/// How far a job is that reads the trace from end to end, or several times.
#[derive(Default)]
struct Progress {
    furthest: usize,
    pass: usize,
}

impl Progress {
    /// Segment `i` of so many is read. Several threads are at it, a few segments apart.
    fn read(&mut self, i: usize, of: usize) -> String {
        if i < self.furthest / 2 {
            (self.furthest, self.pass) = (0, self.pass + 1);
        }
        self.furthest = self.furthest.max(i);
        let percent = (self.furthest + 1) * 100 / of.max(1);
        let again = if self.pass > 0 { format!(", pass {}", self.pass + 1) } else { String::new() };
        format!("looking through the trace … {} %{again}", percent.min(100))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let workers = self.workers.get_mut().unwrap_or_else(|e| e.into_inner());
        for w in workers.values() {
            w.newest.1.store(true, Ordering::Relaxed);
            w.mailbox.next.lock().unwrap_or_else(|e| e.into_inner()).closed = true;
            w.mailbox.ready.notify_one();
        }
    }
}

impl Mailbox {
    fn next(&self) -> Option<(u64, Job, Arc<AtomicBool>)> {
        let mut next = self.next.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            if next.closed {
                return None;
            }
            if let Some(job) = next.job.take() {
                return Some(job);
            }
            next = self.ready.wait(next).unwrap_or_else(|e| e.into_inner());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{bounded, unbounded};

    /// A part of the viewer that asks.
    struct Asker;

    fn job(work: impl FnOnce(&JobCtx) -> String + Send + 'static) -> Job {
        Job::new("ask", move |cx| Err::<(), _>(work(cx)), |_: &mut Asker, (), _, _| {})
    }

    fn text(d: &Delivery) -> &str {
        match &d.answer {
            Answer::Failed(why) => why,
            Answer::To(_) | Answer::Working(..) => "",
        }
    }

    #[test]
    fn of_several_jobs_the_newest_is_wanted_and_the_others_are_cancelled() {
        let (tx, rx) = unbounded();
        let runner = Runner::new(crate::read::fixture::trace(), move |a| drop(tx.send(a)));
        let (started, wait_started) = bounded(1);
        let (release, wait_release) = bounded::<()>(1);
        let (seen, was_cancelled) = bounded(1);
        runner.run(job(move |cx| {
            started.send(()).unwrap();
            wait_release.recv().unwrap();
            seen.send(cx.cancelled()).unwrap();
            "first".into()
        }));
        wait_started.recv().unwrap();
        // The second never runs: the third takes its place while the first is busy.
        runner.run(job(|_| unreachable!()));
        runner.run(job(|_| "third".into()));
        release.send(()).unwrap();
        assert!(was_cancelled.recv().unwrap());
        // What a cancelled job answers is dropped before it is sent.
        let third = rx.recv().unwrap();
        assert_eq!((text(&third), runner.wanted(&third)), ("third", true));
        runner.cancel(Slot::of::<Asker>("ask"));
        assert!(!runner.wanted(&third));
    }

    #[test]
    fn jobs_of_other_parts_and_other_names_do_not_stand_in_each_others_way() {
        struct Other;
        let slots = [Slot::of::<Asker>("ask"), Slot::of::<Asker>("more"), Slot::of::<Other>("ask")];
        for (i, a) in slots.iter().enumerate() {
            assert!(slots[..i].iter().all(|b| a != b));
        }
    }

    #[test]
    fn progress_counts_segments_and_passes() {
        let mut p = Progress::default();
        assert_eq!(p.read(0, 8), "looking through the trace … 12 %");
        // Another thread is a segment ahead.
        assert_eq!(p.read(5, 8), "looking through the trace … 75 %");
        assert_eq!(p.read(4, 8), "looking through the trace … 75 %");
        assert_eq!(p.read(7, 8), "looking through the trace … 100 %");
        assert_eq!(p.read(1, 8), "looking through the trace … 25 %, pass 2");
        assert_eq!(p.read(0, 0), "looking through the trace … 100 %, pass 2");
    }

    #[test]
    fn a_panic_in_a_job_is_an_answer() {
        let (tx, rx) = unbounded();
        let runner = Runner::new(crate::read::fixture::trace(), move |a| drop(tx.send(a)));
        runner.run(job(|_| panic!("an error of ours, on purpose")));
        assert!(text(&rx.recv().unwrap()).contains("please report it"));
        // The worker lives on.
        runner.run(job(|_| "next".into()));
        assert_eq!(text(&rx.recv().unwrap()), "next");
    }
}
