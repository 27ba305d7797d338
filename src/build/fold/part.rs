//! What one generation adds to the whole: the data that a fold fills and `commit` takes apart.

use crate::base::{Duration, GoId, ProcId, ThreadId, Time};
use crate::model::grid::{Entry, GoLane, Packed};
use crate::model::index::{Goroutine, Times};
use crate::model::tally::MetricTally;
use crate::model::tally::Tally;
use crate::model::waits::LinkTally;
use crate::wire::args::Args;
use crate::wire::event::{GoState, Kind, NONE, ProcState};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// How far a part may reach into the next one in time. It is by some microseconds, while threads take notice of a new
/// generation; by milliseconds where the system takes a thread's processor away just then.
pub(crate) const EARLY: Duration = Duration(20_000_000);

/// How a goroutine entered the generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entrance {
    /// Only CPU samples mention it.
    Unseen,
    /// Its state was stated: it is older than the generation, or than the trace.
    Stated {
        state: GoState,
        at: Time,
        /// The P that whoever stated it held, `NONE16` if none.
        proc: u16,
        stack: u32,
    },
    /// It was known when the part before ended, and nothing needs to be stated.
    Carried,
    /// It was created here.
    Created { at: Time, by: u32, stack: u32 },
}

/// One goroutine in one generation. Strings and stacks are positions in the generation's tables.
#[derive(Clone, Debug)]
pub(crate) struct GoRow {
    pub entrance: Entrance,
    /// The state it is in, and since when; `Time::MIN` while it is still the state that was stated.
    pub state: GoState,
    pub since: Time,
    /// Of the current wait or syscall: why, where, and whether it began with a block (not with a creation or a statement).
    pub reason: u32,
    pub stack: u32,
    pub blocked: bool,
    /// Number within the part of the event that began it.
    pub began: u64,
    /// When the P of the current syscall was lost; `Time::MAX` if it was not.
    pub lost: Time,
    /// The first stack of its own (not of a statement), whose root is its entry.
    pub first_stack: u32,
    pub ended: Option<Time>,
    pub times: Times,
    pub by_reason: ByReason,
    /// What it had done when it was created once more: a callback from C brings back the same goroutine.
    pub earlier: Option<Box<(Times, ByReason)>>,
    pub longest_wait: Duration,
    pub events: u32,
    pub samples: u32,
    pub label: u32,
    pub(crate) last_link: u32,
    /// The same of its syscalls.
    pub(crate) last_call: u32,
    pub(crate) cell: Entry,
}

impl GoRow {
    pub(crate) fn new() -> GoRow {
        GoRow {
            entrance: Entrance::Unseen,
            state: GoState::Undetermined,
            since: Time::MIN,
            reason: NONE,
            stack: NONE,
            blocked: false,
            began: 0,
            lost: Time::MAX,
            first_stack: NONE,
            ended: None,
            times: Times::default(),
            by_reason: ByReason::default(),
            earlier: None,
            longest_wait: Duration::ZERO,
            events: 0,
            samples: 0,
            label: NONE,
            last_link: NONE,
            last_call: NONE,
            cell: Entry::default(),
        }
    }
}

/// Adds to a time that a goroutine spent. Its intervals follow each other, so that no sum is longer than the trace, and
/// nothing has to be looked for that could overflow.
#[inline(always)]
pub(super) fn extend(sum: &mut Duration, d: Duration) {
    sum.0 = sum.0.wrapping_add(d.0);
}

/// Waiting time by reason. Most goroutines wait for one or two things only.
#[derive(Clone, Debug)]
pub(crate) struct ByReason {
    /// The first reason, [`CALL`] while there is none, and its sum.
    first: (u32, Duration),
    /// All others.
    more: SmallVec<[(u32, Duration); 0]>,
}

impl Default for ByReason {
    fn default() -> ByReason {
        ByReason { first: (CALL, Duration::ZERO), more: SmallVec::new() }
    }
}

impl ByReason {
    #[inline(always)]
    pub(crate) fn add(&mut self, reason: u32, d: Duration) {
        if self.first.0 == reason {
            return extend(&mut self.first.1, d);
        }
        self.add_other(reason, d);
    }

    #[inline(never)]
    fn add_other(&mut self, reason: u32, d: Duration) {
        if self.first.0 == CALL {
            self.first = (reason, d);
            return;
        }
        match self.more.iter_mut().find(|(r, _)| *r == reason) {
            Some((_, sum)) => extend(sum, d),
            None => self.more.push((reason, d)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, Duration)> + '_ {
        let first = Some(self.first).filter(|(reason, _)| *reason != CALL);
        first.into_iter().chain(self.more.iter().copied())
    }
}

/// The end of an interval that was open when the generation began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub go: u32,
    pub until: Time,
    /// For a wait: who ended it, and where.
    pub by: u32,
    pub stack: u32,
    pub kind: Kind,
    /// Number of the event within the part.
    pub no: u64,
}

/// Who ended whose waits, where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct LinkKey {
    pub waiter: u32,
    pub reason: u32,
    pub waiter_stack: u32,
    pub waker: u32,
    pub waker_stack: u32,
}

/// Stands for the reason in the key of a syscall.
pub(crate) const CALL: u32 = u32::MAX - 1;

/// A wait, or a syscall, that is put together with the others only when its part is: one that began so early that the part before may
/// have reached beyond its beginning, or that did not begin with a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single {
    pub key: LinkKey,
    pub from: Time,
    pub to: Time,
    /// Numbers within the part of the events that began and ended it.
    pub began: u64,
    pub ended: u64,
    pub blocked: bool,
}

/// An event that is rare enough to be looked at one by one when parts are put together: ranges, tasks, regions, labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rare {
    pub time: Time,
    pub kind: Kind,
    pub go: u32,
    pub proc: u16,
    pub arg: u32,
    pub args: Args,
}

/// One P in one generation.
#[derive(Clone, Debug)]
pub(crate) struct ProcRow {
    /// The state that was stated, and whether it was "abandoned in a syscall".
    pub stated: Option<(ProcState, bool)>,
    /// Steals that found it abandoned before it was used here.
    pub abandoned_steals: u64,
    /// When it first went idle here before any syscall of this generation began on it.
    pub first_idle: Time,
    /// The goroutine that is in a syscall with it, `NONE` if none, `UNTOUCHED` if no syscall began here.
    pub syscalling: u32,
    pub(crate) running_since: Time,
    pub running: Duration,
    /// Time held per grid cell, from the part's first cell on.
    pub cells: Vec<u32>,
}

/// No syscall has begun on this P in this generation.
pub(crate) const UNTOUCHED: u32 = u32::MAX - 1;

/// A stretch of the generation's events that can be decoded by itself.
#[derive(Clone, Debug)]
pub(crate) struct PartSegment {
    pub len: u32,
    pub from: Time,
    pub to: Time,
    pub stacks: Vec<u32>,
    pub kinds: u64,
}

/// What the goroutines, Ps and threads of a generation are called, by their positions in its tables.
#[derive(Default)]
pub(crate) struct Ids {
    pub gos: Vec<GoId>,
    pub procs: Vec<ProcId>,
    pub threads: Vec<ThreadId>,
}

/// The waits of a generation.
#[derive(Default)]
pub(crate) struct Waited {
    pub links: Vec<(LinkKey, LinkTally)>,
    /// Ended waits that are not in the `waits` of `links`.
    pub singles: Vec<Single>,
    /// Whether there are waits that are in neither, nor in the part's `heads`.
    pub missing: bool,
    /// Closed waits that began with a block, by reason.
    pub by_reason: Vec<(u32, Tally)>,
    pub sched: Tally,
    pub syscalls: Tally,
}

/// How often what happened in a generation.
pub(crate) struct Counts {
    /// Events by kind.
    pub kinds: [u64; 64],
    /// `GoStop` and `GoBlock` by reason.
    pub stops: Vec<(u32, u64)>,
    pub blocks: Vec<(u32, u64)>,
    /// Statements about goroutines that were created here, by state.
    pub restated: [u64; 6],
    pub abandoned_steals: u64,
    /// CPU samples by stack.
    pub samples: Vec<(u32, u64)>,
    /// Log messages by category.
    pub logs: FxHashMap<u32, u64>,
}

/// The metrics of a generation, and how they changed.
#[derive(Default)]
pub(crate) struct Metrics {
    pub gomaxprocs: MetricTally,
    pub heap_alloc: MetricTally,
    pub heap_goal: MetricTally,
    pub heap: Vec<(Time, u64)>,
    pub goals: Vec<(Time, u64)>,
    pub procs_changes: Vec<(Time, u64)>,
}

/// What a generation adds to the grid, from one of its cells on.
#[derive(Default)]
pub(crate) struct Drawn {
    pub first_cell: u32,
    pub entries: Vec<(u32, Packed)>,
    pub all_running: Vec<u64>,
    pub all_runnable: Vec<u64>,
}

/// What one generation adds to the whole.
pub(crate) struct Part {
    pub start: Time,
    pub end: Time,
    /// Time of the first event that is not the part's own beginning.
    pub first: Option<Time>,
    pub events: u64,
    pub ids: Ids,
    pub gos: Vec<GoRow>,
    pub procs: Vec<ProcRow>,
    pub heads: Vec<Head>,
    pub waited: Waited,
    pub counts: Counts,
    pub rare: Vec<Rare>,
    /// Creations by a goroutine: the new one, its creator, and how many rare events came before.
    pub creations: Vec<(u32, u32, u32)>,
    pub metrics: Metrics,
    pub drawn: Drawn,
    pub segments: Vec<PartSegment>,
}

impl Part {
    /// An empty part of a generation that starts at `start`, in grid cell `first_cell`.
    pub(crate) fn new(start: Time, first_cell: u32) -> Part {
        let counts = Counts {
            kinds: [0; 64],
            stops: Vec::new(),
            blocks: Vec::new(),
            restated: [0; 6],
            abandoned_steals: 0,
            samples: Vec::new(),
            logs: FxHashMap::default(),
        };
        Part {
            start,
            end: start,
            first: None,
            events: 0,
            ids: Ids::default(),
            gos: Vec::new(),
            procs: Vec::new(),
            heads: Vec::new(),
            waited: Waited::default(),
            counts,
            rare: Vec::new(),
            creations: Vec::new(),
            metrics: Metrics::default(),
            drawn: Drawn { first_cell, ..Drawn::default() },
            segments: Vec::new(),
        }
    }

    /// Moves everything that is said to have happened before `floor` there: generations overlap by a little, and in the
    /// order that is shown time does not run backwards.
    pub(crate) fn not_before(&mut self, floor: Time) {
        self.waited.missing |= floor > self.start + EARLY;
        for s in &mut self.waited.singles {
            (s.from, s.to) = (s.from.max(floor), s.to.max(floor));
        }
        self.start = self.start.max(floor);
        self.end = self.end.max(floor);
        self.first = self.first.map(|t| t.max(floor));
        for h in &mut self.heads {
            h.until = h.until.max(floor);
        }
        for r in &mut self.rare {
            r.time = r.time.max(floor);
        }
        for (t, _) in self.metrics.heap.iter_mut().chain(&mut self.metrics.goals).chain(&mut self.metrics.procs_changes)
        {
            *t = (*t).max(floor);
        }
        for row in &mut self.gos {
            if row.since != Time::MIN {
                row.since = row.since.max(floor);
            }
            row.ended = row.ended.map(|t| t.max(floor));
            match &mut row.entrance {
                Entrance::Stated { at, .. } | Entrance::Created { at, .. } => *at = (*at).max(floor),
                Entrance::Unseen | Entrance::Carried => {}
            }
        }
    }

    /// About how many bytes of the index it may come to: each of its goroutines may be new, and each of its links.
    pub(crate) fn bytes_in_index(&self) -> usize {
        let go = size_of::<Goroutine>() + size_of::<GoLane>() + 64;
        self.gos.len() * go + self.waited.links.len() * size_of::<(LinkKey, LinkTally)>()
    }

    /// Takes the names of its goroutines, Ps and threads from the decoder's tables.
    pub(crate) fn name(&mut self, tables: &crate::wire::tables::Tables) {
        self.pad((tables.gos.len(), tables.procs.len()));
        self.ids.gos.clone_from(&tables.gos);
        self.ids.procs.clone_from(&tables.procs);
        self.ids.threads.clone_from(&tables.threads);
    }

    /// Makes rows for everything that the decoder has named so far.
    pub(crate) fn pad(&mut self, (gos, procs): (usize, usize)) {
        if self.gos.len() < gos {
            self.gos.resize_with(gos, GoRow::new);
        }
        if self.procs.len() < procs {
            self.procs.resize_with(procs, ProcRow::new);
        }
    }
}

impl ProcRow {
    pub(crate) fn new() -> ProcRow {
        ProcRow {
            stated: None,
            abandoned_steals: 0,
            first_idle: Time::MAX,
            syscalling: UNTOUCHED,
            running_since: Time::MAX,
            running: Duration::ZERO,
            cells: Vec::new(),
        }
    }
}
