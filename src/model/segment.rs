//! A decoded stretch of the trace: events as columns, with the trace's own handles.

use crate::base::{GoIdx, ProcIdx, StackId, StringId, ThreadIdx, Time};
use crate::wire::args::Args;
pub use crate::wire::event::{GoState, Kind, ProcState};
use std::ops::Range;

/// Decoded events `first..first + len()` of a trace, in order.
#[derive(Default, Debug)]
pub struct Segment {
    /// Number of the first event here, counted over the whole trace.
    pub first: u64,
    /// When it happened.
    pub time: Vec<Time>,
    /// What happened.
    pub kind: Vec<Kind>,
    /// The goroutine it happened to.
    pub go: Vec<GoIdx>,
    /// The goroutine that was running on the thread just before: who did it.
    pub by: Vec<GoIdx>,
    /// The P that the thread held just before.
    pub proc: Vec<ProcIdx>,
    /// The thread.
    pub thread: Vec<ThreadIdx>,
    /// The stack of whoever did it (for `GoStatus`, of the goroutine it is about).
    pub stack: Vec<StackId>,
    pub(crate) arg: Vec<u32>,
    pub(crate) wide: Vec<Args>,
    /// Positions of the events about each goroutine that occurs here: `by_go[starts[k]..starts[k+1]]` for the `k`-th of
    /// `gos`, which is sorted.
    pub(crate) gos: Vec<GoIdx>,
    pub(crate) go_starts: Vec<u32>,
    pub(crate) by_go: Vec<u32>,
}

/// What an event says beyond its columns.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Detail {
    /// Nothing more.
    None,
    /// Why a goroutine stopped or blocked (`GoStop`, `GoBlock`).
    Reason(StringId),
    /// A goroutine's label (`GoLabel`).
    Label(StringId),
    /// The kind of stop (`STWBegin`, `STWEnd`).
    Stw(StringId),
    /// The entry of a new goroutine: a stack of one frame (`GoCreate`, `GoCreateBlocked`).
    Entry(StackId),
    /// A goroutine's state, restated (`GoStatus`).
    GoStatus(GoState),
    /// A P's state, restated (`ProcStatus`).
    ProcStatus(ProcIdx, ProcState),
    /// The P that changed hands (`ProcStart`, `ProcStop`, `ProcSteal`) or sweeps (`GCSweepActive`).
    Proc(ProcIdx),
    /// A count or a size in bytes (`HeapAlloc`, `HeapGoal`, `ProcsChange`), or a collection's sequence number.
    Value(u64),
    /// Bytes swept and reclaimed (`GCSweepEnd`).
    Swept {
        /// Bytes of spans looked at.
        swept: u64,
        /// Bytes freed.
        reclaimed: u64,
    },
    /// A user task (`TaskBegin`, `TaskEnd`; parent 0 is none).
    Task {
        /// Task number.
        id: u64,
        /// Parent task, 0 for none.
        parent: u64,
        /// Name; `NONE` at the end.
        name: StringId,
    },
    /// A user region (`RegionBegin`, `RegionEnd`).
    Region {
        /// Task number, 0 for the background task.
        task: u64,
        /// Name.
        name: StringId,
    },
    /// A user log message.
    Log {
        /// Task number, 0 for the background task.
        task: u64,
        /// Category.
        category: StringId,
        /// Message.
        message: StringId,
    },
    /// The clocks at the beginning of a generation; all zero before Go 1.25.
    Clock {
        /// Generation.
        generation: u64,
        /// The time of the trace at which the two other clocks were read: a little later than the event's own.
        at: Time,
        /// `CLOCK_MONOTONIC`, ns.
        mono_ns: u64,
        /// Wall clock, ns since 1970.
        wall_ns: u64,
    },
    /// Arguments of an AllocFree event.
    Experiment([u64; 4]),
}

/// One event as a value.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)] // The fields are those of `Segment`.
pub struct Event {
    pub no: u64,
    pub time: Time,
    pub kind: Kind,
    pub go: GoIdx,
    pub by: GoIdx,
    pub proc: ProcIdx,
    pub thread: ThreadIdx,
    pub stack: StackId,
    pub detail: Detail,
}

impl Segment {
    /// How many events are here.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// The event at position `i` of this segment.
    pub fn event(&self, i: usize) -> Event {
        Event {
            no: self.first + i as u64,
            time: self.time[i],
            kind: self.kind[i],
            go: self.go[i],
            by: self.by[i],
            proc: self.proc[i],
            thread: self.thread[i],
            stack: self.stack[i],
            detail: self.detail(i),
        }
    }

    /// What the event at position `i` says beyond its columns.
    pub fn detail(&self, i: usize) -> Detail {
        let arg = self.arg[i];
        let wide = || self.wide.get(arg as usize).copied().unwrap_or_default();
        match self.kind[i] {
            Kind::GoStop | Kind::GoBlock => Detail::Reason(StringId(arg)),
            Kind::GoLabel => Detail::Label(StringId(arg)),
            Kind::StwBegin | Kind::StwEnd => Detail::Stw(StringId(arg)),
            Kind::GoCreate | Kind::GoCreateBlocked => Detail::Entry(StackId(arg)),
            Kind::GoStatus => Detail::GoStatus(GoState::ALL.get(arg as usize).copied().unwrap_or_default()),
            Kind::ProcStart | Kind::ProcStop | Kind::ProcSteal | Kind::GcSweepActive => {
                Detail::Proc(ProcIdx(arg as u16))
            }
            Kind::ProcStatus => {
                let (proc, state) = unpacked_status(arg);
                Detail::ProcStatus(proc, state)
            }
            Kind::HeapAlloc | Kind::HeapGoal | Kind::ProcsChange | Kind::GcActive | Kind::GcBegin | Kind::GcEnd => {
                Detail::Value(wide().value())
            }
            Kind::GcSweepEnd => Detail::Swept { swept: wide().swept(), reclaimed: wide().reclaimed() },
            Kind::TaskBegin | Kind::TaskEnd => {
                let args = wide();
                Detail::Task { id: args.task(), parent: args.parent(), name: StringId(args.task_name()) }
            }
            Kind::RegionBegin | Kind::RegionEnd => {
                Detail::Region { task: wide().task(), name: StringId(wide().region()) }
            }
            Kind::Log => {
                let args = wide();
                let (category, message) = (StringId(args.category()), StringId(args.message()));
                Detail::Log { task: args.task(), category, message }
            }
            Kind::Sync => {
                let args = wide();
                let at = Time(args.clocks_at());
                Detail::Clock { generation: args.generation(), at, mono_ns: args.mono_ns(), wall_ns: args.wall_ns() }
            }
            k if k >= Kind::Span => Detail::Experiment(wide().numbers()),
            _ => Detail::None,
        }
    }

    /// The positions of the events about a goroutine (`go`, not `by`), in order. CPU samples of it are among them.
    pub fn of_goroutine(&self, g: GoIdx) -> &[u32] {
        match self.gos.binary_search(&g) {
            Ok(k) => &self.by_go[self.go_starts[k] as usize..self.go_starts[k + 1] as usize],
            Err(_) => &[],
        }
    }

    /// The goroutines that any event here is about, ascending.
    pub fn goroutines(&self) -> &[GoIdx] {
        &self.gos
    }

    /// The positions of the events at or after `from` and before `to`.
    pub fn between(&self, from: Time, to: Time) -> Range<usize> {
        let a = self.time.partition_point(|&t| t < from);
        let b = self.time.partition_point(|&t| t < to);
        a..b.max(a)
    }

    /// Bytes that the columns take.
    pub fn bytes(&self) -> usize {
        self.len() * (8 + 1 + 4 + 4 + 2 + 2 + 4 + 4 + 4) + self.wide.len() * 32 + self.gos.len() * 8
    }
}

/// The positions of each goroutine's events, goroutine after goroutine.
pub(crate) fn lists(go: &[GoIdx]) -> (Vec<GoIdx>, Vec<u32>, Vec<u32>) {
    // Handles are dense and made here, so a table over all of them is as small as the index's own.
    let most = go.iter().filter(|g| g.is_some()).map(|g| g.index() + 1).max().unwrap_or(0);
    let mut counts = vec![0u32; most];
    for g in go.iter().filter(|g| g.is_some()) {
        counts[g.index()] += 1;
    }
    let (mut gos, mut starts, mut sum) = (Vec::new(), Vec::new(), 0);
    for (i, n) in counts.iter_mut().enumerate().filter(|(_, n)| **n > 0) {
        gos.push(GoIdx(i as u32));
        starts.push(sum);
        // From here on, where the goroutine's next event goes.
        sum += std::mem::replace(n, sum);
    }
    starts.push(sum);
    let mut by_go = vec![0u32; sum as usize];
    for (i, g) in go.iter().enumerate().filter(|(_, g)| g.is_some()) {
        let next = &mut counts[g.index()];
        by_go[*next as usize] = i as u32;
        *next += 1;
    }
    (gos, starts, by_go)
}
/// A P and what it is said to do, as one number of the column of arguments.
pub(crate) fn packed_status(proc: ProcIdx, state: ProcState) -> u32 {
    u32::from(proc.0) | u32::from(state != ProcState::Running) << 16
}

fn unpacked_status(arg: u32) -> (ProcIdx, ProcState) {
    (ProcIdx(arg as u16), if arg >> 16 == 0 { ProcState::Running } else { ProcState::Idle })
}
