//! Numbers that Go gives, and handles that we give.
//!
//! Go's own numbers (`GoId`, `ProcId`, `ThreadId`) come out of the file and may be anything; nothing is ever sized or
//! indexed by them. Handles (`…Id(u32)`, `…Idx`) are dense, made here, and index our tables.

/// A goroutine's number, as the Go runtime gave it. 0 means "no goroutine".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct GoId(pub u64);

/// A P's number, as the Go runtime gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ProcId(pub u64);

/// An operating-system thread's number (an M), as the Go runtime wrote it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ThreadId(pub u64);

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $int);

        impl $name {
            /// The handle that refers to nothing.
            pub const NONE: $name = $name(<$int>::MAX);

            /// The table position, for a handle that is known to be some.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// Whether the handle refers to something.
            pub fn is_some(self) -> bool {
                self != Self::NONE
            }

            /// `None` for [`NONE`](Self::NONE), so that `?` and combinators work.
            pub fn some(self) -> Option<$name> {
                self.is_some().then_some(self)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::NONE
            }
        }
    };
}

handle!(
    /// A goroutine of this trace: a row of `Index::goroutines`.
    GoIdx,
    u32
);
handle!(
    /// A group of goroutines that started in the same function: a row of `Index::groups`.
    GroupId,
    u32
);
handle!(
    /// A P of this trace: a row of `Index::procs`.
    ProcIdx,
    u16
);
handle!(
    /// A thread of this trace: a row of `Index::threads`.
    ThreadIdx,
    u16
);
handle!(
    /// An interned string.
    StringId,
    u32
);
handle!(
    /// An interned function: its name and the file it stands in.
    FuncId,
    u32
);
handle!(
    /// An interned frame: a function, a line and a program counter.
    FrameId,
    u32
);
handle!(
    /// An interned stack: the node of its leaf frame in the prefix tree of all stacks. `NONE` is the empty stack.
    StackId,
    u32
);

/// Number of an event, counted over the whole trace from 0.
pub type EventNo = u64;
