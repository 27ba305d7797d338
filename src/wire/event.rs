//! The one event model: what every trace format is decoded into.
//!
//! Events come in an order that obeys Go's scheduling rules. Which fields and arguments an event has depends on its
//! [`Kind`] alone.

use super::args::Args;
use crate::base::Time;
use crate::base::codec::Plain;

macro_rules! kinds {
    ($($name:ident = $text:literal, $class:ident, $doc:literal;)*) => {
        /// What happened. The names are Go's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Kind { $(#[doc = $doc] $name,)* }

        impl Kind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The kind's name, as the query language and the event list spell it.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            /// The kind's class, in the words of Go's `internal/trace` (`EventKind.String`).
            pub fn class(self) -> Class {
                match self { $(Kind::$name => Class::$class,)* }
            }
        }
    };
}

kinds! {
    ProcsChange = "ProcsChange", Metric, "GOMAXPROCS was set or restated.";
    ProcStart = "ProcStart", StateTransition, "A thread took a P.";
    ProcStop = "ProcStop", StateTransition, "A thread let its P go.";
    ProcSteal = "ProcSteal", StateTransition, "A P was taken from a thread in a syscall.";
    ProcStatus = "ProcStatus", StateTransition, "The state of a P, restated.";
    GoCreate = "GoCreate", StateTransition, "A goroutine was created, runnable.";
    GoCreateBlocked = "GoCreateBlocked", StateTransition, "A goroutine was created, waiting.";
    GoCreateSyscall = "GoCreateSyscall", StateTransition, "A goroutine appeared from C.";
    GoStart = "GoStart", StateTransition, "A goroutine began to run.";
    GoDestroy = "GoDestroy", StateTransition, "A goroutine ended.";
    GoDestroySyscall = "GoDestroySyscall", StateTransition, "A goroutine returned to C for good.";
    GoStop = "GoStop", StateTransition, "A goroutine stopped running, still runnable.";
    GoBlock = "GoBlock", StateTransition, "A goroutine began to wait.";
    GoUnblock = "GoUnblock", StateTransition, "A goroutine's wait was ended.";
    GoSyscallBegin = "GoSyscallBegin", StateTransition, "A goroutine entered a syscall.";
    GoSyscallEnd = "GoSyscallEnd", StateTransition, "A syscall returned and kept its P.";
    GoSyscallEndBlocked = "GoSyscallEndBlocked", StateTransition, "A syscall returned and had lost its P.";
    GoStatus = "GoStatus", StateTransition, "The state of a goroutine, restated.";
    StwBegin = "STWBegin", RangeBegin, "The world was asked to stop.";
    StwEnd = "STWEnd", RangeEnd, "The world was started again.";
    GcActive = "GCActive", RangeActive, "Concurrent marking was under way.";
    GcBegin = "GCBegin", RangeBegin, "Concurrent marking began.";
    GcEnd = "GCEnd", RangeEnd, "Concurrent marking ended.";
    GcSweepActive = "GCSweepActive", RangeActive, "A P was sweeping.";
    GcSweepBegin = "GCSweepBegin", RangeBegin, "A P began to sweep.";
    GcSweepEnd = "GCSweepEnd", RangeEnd, "A P stopped sweeping.";
    GcMarkAssistActive = "GCMarkAssistActive", RangeActive, "A goroutine was assisting the GC.";
    GcMarkAssistBegin = "GCMarkAssistBegin", RangeBegin, "A goroutine was made to assist the GC.";
    GcMarkAssistEnd = "GCMarkAssistEnd", RangeEnd, "A goroutine's assist ended.";
    HeapAlloc = "HeapAlloc", Metric, "Bytes of live heap.";
    HeapGoal = "HeapGoal", Metric, "Bytes of heap at which the next collection is due.";
    GoLabel = "GoLabel", Label, "The running goroutine was labelled.";
    TaskBegin = "TaskBegin", TaskBegin, "A user task began.";
    TaskEnd = "TaskEnd", TaskEnd, "A user task ended.";
    RegionBegin = "RegionBegin", RegionBegin, "A user region began.";
    RegionEnd = "RegionEnd", RegionEnd, "A user region ended.";
    Log = "Log", Log, "A user log message.";
    CpuSample = "CPUSample", StackSample, "The CPU profiler's signal hit a thread.";
    Sync = "Sync", Sync, "A generation of the trace begins.";
    Span = "Span", Experimental, "AllocFree: a span existed.";
    SpanAlloc = "SpanAlloc", Experimental, "AllocFree: a span was allocated.";
    SpanFree = "SpanFree", Experimental, "AllocFree: a span was freed.";
    HeapObject = "HeapObject", Experimental, "AllocFree: an object existed.";
    HeapObjectAlloc = "HeapObjectAlloc", Experimental, "AllocFree: an object was allocated.";
    HeapObjectFree = "HeapObjectFree", Experimental, "AllocFree: an object was freed.";
    GoroutineStack = "GoroutineStack", Experimental, "AllocFree: a goroutine stack existed.";
    GoroutineStackAlloc = "GoroutineStackAlloc", Experimental, "AllocFree: a goroutine stack was allocated.";
    GoroutineStackFree = "GoroutineStackFree", Experimental, "AllocFree: a goroutine stack was freed.";
}

/// The classes into which Go's reader sorts events; each prints as Go prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Class {
    Experimental,
    Label,
    Log,
    Metric,
    RangeActive,
    RangeBegin,
    RangeEnd,
    RegionBegin,
    RegionEnd,
    StackSample,
    StateTransition,
    Sync,
    TaskBegin,
    TaskEnd,
}

/// A goroutine's state, in Go's words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
#[non_exhaustive]
pub enum GoState {
    /// The trace does not say (before its beginning).
    #[default]
    Undetermined,
    /// Not created yet, or ended.
    NotExist,
    /// Ready, waiting for a P.
    Runnable,
    /// On a P.
    Running,
    /// Blocked.
    Waiting,
    /// In a syscall.
    Syscall,
}

impl GoState {
    /// All states, in the order of their numbers.
    pub const ALL: [GoState; 6] = [
        GoState::Undetermined,
        GoState::NotExist,
        GoState::Runnable,
        GoState::Running,
        GoState::Waiting,
        GoState::Syscall,
    ];

    /// The state as Go prints it.
    pub fn name(self) -> &'static str {
        match self {
            GoState::Undetermined => "Undetermined",
            GoState::NotExist => "NotExist",
            GoState::Runnable => "Runnable",
            GoState::Running => "Running",
            GoState::Waiting => "Waiting",
            GoState::Syscall => "Syscall",
        }
    }
}

/// A P's state, in Go's words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum ProcState {
    /// The trace does not say (before its beginning).
    #[default]
    Undetermined,
    /// Not created yet.
    NotExist,
    /// Held by a thread.
    Running,
    /// Held by none.
    Idle,
}

impl ProcState {
    /// All states, in the order of their numbers.
    pub const ALL: [ProcState; 4] = [ProcState::Undetermined, ProcState::NotExist, ProcState::Running, ProcState::Idle];

    /// The state as Go prints it.
    pub fn name(self) -> &'static str {
        match self {
            ProcState::Undetermined => "Undetermined",
            ProcState::NotExist => "NotExist",
            ProcState::Running => "Running",
            ProcState::Idle => "Idle",
        }
    }
}

impl Plain for GoState {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(bytes: &[u8]) -> Option<GoState> {
        GoState::ALL.get(usize::from(*bytes.first()?)).copied()
    }
}

impl Plain for ProcState {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(bytes: &[u8]) -> Option<ProcState> {
        ProcState::ALL.get(usize::from(*bytes.first()?)).copied()
    }
}

impl Kind {
    /// For a kind that changes the state of the goroutine it is about: the state before and after. `GoStatus` restates
    /// and is not here.
    pub fn go_transition(self) -> Option<(GoState, GoState)> {
        use GoState::*;
        Some(match self {
            Kind::GoCreate => (NotExist, Runnable),
            Kind::GoCreateBlocked => (NotExist, Waiting),
            Kind::GoCreateSyscall => (NotExist, Syscall),
            Kind::GoStart => (Runnable, Running),
            Kind::GoDestroy => (Running, NotExist),
            Kind::GoDestroySyscall => (Syscall, NotExist),
            Kind::GoStop => (Running, Runnable),
            Kind::GoBlock => (Running, Waiting),
            Kind::GoUnblock => (Waiting, Runnable),
            Kind::GoSyscallBegin => (Running, Syscall),
            Kind::GoSyscallEnd => (Syscall, Running),
            Kind::GoSyscallEndBlocked => (Syscall, Runnable),
            _ => return None,
        })
    }
}

/// Position in one of the decoder's tables; `NONE` is nothing.
pub const NONE: u32 = u32::MAX;
/// The same for the narrow tables (Ps and threads).
pub const NONE16: u16 = u16::MAX;

/// One event, in the order that Go's rules allow.
///
/// Goroutines, Ps, threads, stacks and strings are positions in the tables of the decoder that made it. What `arg` means
/// follows from the kind:
///
/// | kinds | `arg` |
/// |---|---|
/// | `GoBlock`, `GoStop`, `GoLabel`, `StwBegin`, `StwEnd` | string: reason, label, kind of stop |
/// | `GoCreate`, `GoCreateBlocked` | stack: the new goroutine's entry |
/// | `GoStatus` | the state, as [`GoState`] |
/// | `ProcStatus` | `wide`: P, state as [`ProcState`], 1 if it was abandoned in a syscall |
/// | `ProcStart`, `ProcStop`, `ProcSteal` | the P; for `ProcSteal` bit 31 says that the P was already seen idle |
/// | `HeapAlloc`, `HeapGoal`, `ProcsChange`, `GcBegin`, `GcEnd`, `GcActive` | `wide`: value |
/// | `GcSweepEnd` | `wide`: bytes swept, bytes reclaimed |
/// | `GcSweepActive` | the P |
/// | `TaskBegin`, `TaskEnd` | `wide`: task, parent, name (string; `NONE` at the end) |
/// | `RegionBegin`, `RegionEnd` | `wide`: task, name (string) |
/// | `Log` | `wide`: task, category (string), message (string) |
/// | `Sync` | `wide`: generation; the time at which the clocks were read, monotonic ns, wall ns since 1970 (all 0 before Go 1.25) |
/// | AllocFree kinds | `wide`: the arguments |
///
/// "`wide`" means that `arg` is a position in [`Events::wide`].
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// When it happened.
    pub time: Time,
    /// The goroutine it happened to (for `GoUnblock` the one that waited; for `GoCreate` the new one).
    pub go: u32,
    /// The goroutine that the thread was running just before: who did it.
    pub by: u32,
    /// The stack of whoever did it.
    pub stack: u32,
    /// See the table above.
    pub arg: u32,
    /// The P that the thread held just before.
    pub proc: u16,
    /// The thread.
    pub thread: u16,
    /// What happened.
    pub kind: Kind,
}

impl Row {
    /// What `ProcSteal` says: the P, and whether it was already seen idle.
    pub(crate) fn of_stolen(proc: u16, idle: bool) -> u32 {
        u32::from(proc) | u32::from(idle) << 31
    }

    /// Of a `ProcSteal`, the P and whether it was already seen idle.
    pub(crate) fn stolen(&self) -> (u16, bool) {
        (self.arg as u16, self.arg >> 31 != 0)
    }
}

/// Ordered events, on their way from a decoder into the store: a row each, for they are read once, right after they
/// were written.
#[derive(Default, Clone, Debug)]
pub struct Events {
    /// The events.
    pub rows: Vec<Row>,
    /// Arguments that do not fit a row.
    pub wide: Vec<Args>,
}

impl Events {
    /// How many events there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Removes all events, keeping the memory for the next ones.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.wide.clear();
    }

    /// Appends an event.
    #[inline]
    pub fn push(&mut self, r: Row) {
        self.rows.push(r);
    }

    /// Stores wide arguments and returns what to put in `arg`.
    #[inline]
    pub fn push_wide(&mut self, args: Args) -> u32 {
        self.wide.push(args);
        (self.wide.len() - 1) as u32
    }

    /// The wide arguments of a row; zeros if it has none.
    pub fn wide(&self, r: &Row) -> Args {
        self.wide.get(r.arg as usize).copied().unwrap_or_default()
    }
}
