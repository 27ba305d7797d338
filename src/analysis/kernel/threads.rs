//! What each thread did on the CPUs, by the scheduler's tracepoints of a `perf script`.

use crate::profile::perf::{self, About, Frame, Sched, sched};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// The most threads whose history is kept.
const MOST_THREADS: usize = 1 << 20;

/// What a thread did from an instant on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// It was on a CPU.
    On,
    /// It would have gone on and another thread was on its CPU: a name in [`Recorded::names`].
    Preempted(u32),
    /// It slept: a stack in [`Recorded::stacks`].
    Blocked(u32),
    /// It was woken and waited for a CPU.
    Woken,
}

/// A change of what a thread did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// When, nanoseconds on the recording's clock.
    pub at: u64,
    /// What it did from then on.
    pub to: Doing,
}

/// A recording of the scheduler's events.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// What the header says.
    pub about: About,
    /// The threads by number, each with its changes in order of time.
    pub threads: FxHashMap<i64, Vec<Change>>,
    /// The names of threads that preempted. Not escaped.
    pub names: Vec<String>,
    /// The stacks of threads that slept, leaf first; the first is the one of which nothing is known. Not escaped.
    pub stacks: Vec<Vec<String>>,
    /// The time of the first and the last event.
    pub covered: Option<(u64, u64)>,
    /// How many times a thread left a CPU or came onto one.
    pub switches: u64,
    /// How many of these do not follow from those before: it left and had not come, or came and had not left.
    pub unchained: u64,
    /// Whether times have nine decimals.
    pub nanoseconds: bool,
    /// Lines that are none of perf's.
    pub odd: u64,
}

/// Frames of the kernel that all stacks of threads that leave a CPU have, and that say nothing.
const PLUMBING: [&str; 6] = [
    "__schedule",
    "schedule",
    "__traceiter_sched_switch",
    "preempt_schedule",
    "schedule_timeout",
    "perf_trace_sched_switch",
];

/// Reads the scheduler's events.
pub fn read(text: &str) -> Recorded {
    let mut r = Recorded { stacks: vec![Vec::new()], ..Recorded::default() };
    let mut names: FxHashMap<String, u32> = FxHashMap::default();
    let mut stacks: FxHashMap<Vec<String>, u32> = FxHashMap::default();
    stacks.insert(Vec::new(), 0);
    r.nanoseconds = false;
    let (about, odd) = perf::read(text, |e| {
        let Some(at) = e.line.time else { return };
        r.nanoseconds |= at % 1000 != 0;
        r.covered = Some(r.covered.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
        match sched(e.line.event, e.line.rest) {
            Some(Sched::Switch { prev, runnable, next, next_comm }) => {
                // A CPU that was idle is always ready to go on.
                let to = if runnable && prev > 0 {
                    let id = match names.get(next_comm) {
                        Some(&id) => id,
                        None => {
                            let id = r.names.len() as u32;
                            r.names.push(next_comm.to_owned());
                            names.insert(next_comm.to_owned(), id);
                            id
                        }
                    };
                    Doing::Preempted(id)
                } else {
                    let stack = kernel_stack(e.frames);
                    let id = match stacks.entry(stack) {
                        Entry::Occupied(known) => *known.get(),
                        Entry::Vacant(new) => {
                            let id = r.stacks.len() as u32;
                            r.stacks.push(new.key().clone());
                            *new.insert(id)
                        }
                    };
                    Doing::Blocked(id)
                };
                r.change(prev, at, to);
                r.change(next, at, Doing::On);
            }
            Some(Sched::Wakeup { tid }) => r.change(tid, at, Doing::Woken),
            None => {}
        }
    });
    (r.about, r.odd) = (about, odd);
    // `perf script` prints in order of time; what was put together from several texts may not be.
    for changes in r.threads.values_mut() {
        changes.sort_by_key(|c| c.at);
        let (unchained, switches) = unchained(changes);
        r.unchained += unchained;
        r.switches += switches;
    }
    r
}

impl Recorded {
    fn change(&mut self, tid: i64, at: u64, to: Doing) {
        // Number 0 is no thread but a CPU that is idle.
        if tid > 0 && (self.threads.len() < MOST_THREADS || self.threads.contains_key(&tid)) {
            self.threads.entry(tid).or_default().push(Change { at, to });
        }
    }
}

/// How many changes do not follow from those before, and how many switches there are. A wakeup counts only where the thread
/// slept: one that is on its way to sleep, or was woken already, stays what it is.
fn unchained(changes: &mut Vec<Change>) -> (u64, u64) {
    let (mut unchained, mut switches) = (0, 0);
    let mut last: Option<Doing> = None;
    changes.retain(|c| {
        let on = matches!(last, Some(Doing::On));
        match c.to {
            Doing::Woken if !matches!(last, Some(Doing::Blocked(_)) | None) => return false,
            Doing::Woken => {}
            Doing::On => {
                switches += 1;
                unchained += u64::from(on);
            }
            Doing::Preempted(_) | Doing::Blocked(_) => {
                switches += 1;
                unchained += u64::from(last.is_some() && !on);
            }
        }
        last = Some(c.to);
        true
    });
    (unchained, switches)
}

/// The functions of the kernel in a stack, leaf first, without those that every switch goes through.
fn kernel_stack(frames: &[Frame]) -> Vec<String> {
    let kernel = frames.iter().filter(|f| f.file.starts_with('[') || f.file.ends_with(".ko"));
    let named = kernel.map(|f| if f.func.is_empty() { "[unknown]" } else { f.func });
    named.skip_while(|f| PLUMBING.contains(f)).map(str::to_owned).collect()
}
