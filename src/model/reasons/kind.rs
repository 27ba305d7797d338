//! Kinds of waits, as far as a screen tells them apart.

use super::{Class, TABLE};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// By the runtime's word, the kind of the last rule that has it: the most general one.
static WORDS: LazyLock<FxHashMap<&str, WaitKind>> = LazyLock::new(|| {
    let rules = TABLE.0.rule.iter();
    rules.filter_map(|r| Some((r.reason.as_deref()?, r.class.kind()))).filter(|r| !r.0.is_empty()).collect()
});

/// What kind of thing is waited for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WaitKind {
    /// A lock, or what else of package `sync` others must let go of.
    Lock,
    /// A channel, or several.
    Channel,
    /// The network, a file, the operating system.
    Io,
    /// A clock.
    Timer,
    /// The garbage collector.
    Gc,
    /// Something else, or nobody knows what.
    Other,
}

impl WaitKind {
    /// All kinds.
    pub const ALL: [WaitKind; 6] =
        [WaitKind::Lock, WaitKind::Channel, WaitKind::Io, WaitKind::Timer, WaitKind::Gc, WaitKind::Other];

    /// The kind of what the runtime has this word for. It tells less than a stack does.
    pub fn of_word(reason: &str) -> WaitKind {
        match WORDS.get(reason) {
            Some(&kind) => kind,
            None if reason.contains("GC") => WaitKind::Gc,
            None => WaitKind::Other,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            WaitKind::Lock => "a lock, a WaitGroup, a Cond, a Once",
            WaitKind::Channel => "a channel or a select",
            WaitKind::Io => "the network or a file",
            WaitKind::Timer => "a timer or a sleep",
            WaitKind::Gc => "GC",
            WaitKind::Other => "something else, or several things",
        }
    }
}

impl Class {
    /// The kind that waits of the class are of.
    pub fn kind(self) -> WaitKind {
        match self {
            Class::Lock | Class::Group | Class::Cond | Class::Once | Class::Semaphore => WaitKind::Lock,
            Class::Send | Class::Receive | Class::Select => WaitKind::Channel,
            Class::Network | Class::Syscall => WaitKind::Io,
            Class::Sleep => WaitKind::Timer,
            Class::Collector => WaitKind::Gc,
            Class::Sched | Class::Other => WaitKind::Other,
        }
    }
}
