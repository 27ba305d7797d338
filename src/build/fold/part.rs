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

/// One goroutine in one generation. Strings and stacks are positions in the generation's tables. There may be a million, all of
/// which are held at once beside the rows of the index that are made of them: what few have is in [`Few`].
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
    /// The first stack of its own (not of a statement), whose root is its entry.
    pub first_stack: u32,
    /// When it ended; `Time::MAX` if it did not.
    pub(super) ended: Time,
    pub running: Duration,
    pub runnable: Duration,
    /// The first reason for which it waited, [`CALL`] while there is none, and for how long.
    pub(super) waited_for: u32,
    pub(super) waited: Duration,
    pub longest_wait: Duration,
    pub events: u32,
    pub few: Option<Box<Few>>,
}

/// What few goroutines have of one generation: syscalls, samples, labels, waits for several reasons.
#[derive(Clone, Debug)]
pub(crate) struct Few {
    /// When the P of the current syscall was lost; `Time::MAX` if it was not.
    pub lost: Time,
    pub syscall: Duration,
    pub syscall_blocked: Duration,
    pub samples: u32,
    pub label: u32,
    /// How long it waited for which other reasons.
    more: Vec<(u32, Duration)>,
    /// What it had done when it was created once more: a callback from C brings back the same goroutine. Its times, and how
    /// long it waited for what.
    pub earlier: Option<(Times, Vec<(u32, Duration)>)>,
}

impl Default for Few {
    fn default() -> Few {
        let none = Duration::ZERO;
        let (samples, label) = (0, NONE);
        Few { lost: Time::MAX, syscall: none, syscall_blocked: none, samples, label, more: Vec::new(), earlier: None }
    }
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
            first_stack: NONE,
            ended: Time::MAX,
            running: Duration::ZERO,
            runnable: Duration::ZERO,
            waited_for: CALL,
            waited: Duration::ZERO,
            longest_wait: Duration::ZERO,
            events: 0,
            few: None,
        }
    }

    /// Where what few goroutines have is to be changed.
    pub(super) fn few_mut(&mut self) -> &mut Few {
        self.few.get_or_insert_default()
    }

    /// When the P of the current syscall was lost; `Time::MAX` if it was not.
    pub(crate) fn lost(&self) -> Time {
        self.few.as_ref().map_or(Time::MAX, |f| f.lost)
    }

    /// Says when the P of its syscall was lost; `Time::MAX` if it was not.
    pub(super) fn set_lost(&mut self, at: Time) {
        if at != Time::MAX || self.few.is_some() {
            self.few_mut().lost = at;
        }
    }

    /// When it ended; `None` if it did not.
    pub(crate) fn ended(&self) -> Option<Time> {
        (self.ended != Time::MAX).then_some(self.ended)
    }

    pub(super) fn set_ended(&mut self, at: Option<Time>) {
        self.ended = at.unwrap_or(Time::MAX);
    }

    /// Adds a wait that has ended.
    #[inline(always)]
    pub(super) fn wait_for(&mut self, reason: u32, d: Duration) {
        if self.waited_for == reason {
            return extend(&mut self.waited, d);
        }
        self.wait_for_other(reason, d);
    }

    #[inline(never)]
    fn wait_for_other(&mut self, reason: u32, d: Duration) {
        if self.waited_for == CALL {
            (self.waited_for, self.waited) = (reason, d);
            return;
        }
        let more = &mut self.few_mut().more;
        match more.iter_mut().find(|(r, _)| *r == reason) {
            Some((_, sum)) => extend(sum, d),
            None => more.push((reason, d)),
        }
    }

    /// How long it waited for what.
    pub(crate) fn by_reason(&self) -> impl Iterator<Item = (u32, Duration)> + '_ {
        let first = Some((self.waited_for, self.waited)).filter(|(reason, _)| *reason != CALL);
        let more = self.few.iter().flat_map(|f| f.more.iter().copied());
        first.into_iter().chain(more)
    }

    /// Time per state.
    pub(crate) fn times(&self) -> Times {
        let mut waiting = Duration::ZERO;
        self.by_reason().for_each(|(_, d)| extend(&mut waiting, d));
        let calls = self.few.as_ref().map(|f| (f.syscall, f.syscall_blocked));
        let (syscall, syscall_blocked) = calls.unwrap_or_default();
        Times { running: self.running, runnable: self.runnable, waiting, syscall, syscall_blocked }
    }
}

/// A goroutine while its generation is folded.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub row: GoRow,
    /// The links of its last wait and of its last syscall.
    pub last_link: u32,
    pub last_call: u32,
    pub cell: Entry,
}

impl Live {
    pub(super) fn new(row: GoRow) -> Live {
        Live { row, last_link: NONE, last_call: NONE, cell: Entry::default() }
    }
}

/// Adds to a time that a goroutine spent. Its intervals follow each other, so that no sum is longer than the trace, and
/// nothing has to be looked for that could overflow.
#[inline(always)]
pub(super) fn extend(sum: &mut Duration, d: Duration) {
    sum.0 = sum.0.wrapping_add(d.0);
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

impl Single {
    /// How long it lasted.
    pub(crate) fn len(&self) -> Duration {
        self.to - self.from
    }
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
    /// The first whole wait and the first whole syscall of each goroutine, which are not in `links`.
    pub first: Vec<Single>,
    /// Ended waits that are in neither, or not in the `waits` of `links`.
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
            row.set_ended(row.ended().map(|t| t.max(floor)));
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
    pub(crate) fn name(&mut self, tables: crate::wire::tables::Tables) {
        self.pad((tables.gos.len(), tables.procs.len()));
        (self.ids.gos, self.ids.procs, self.ids.threads) = (tables.gos, tables.procs, tables.threads);
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
