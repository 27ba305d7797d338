//! Arguments of events that do not fit a row, by what they mean. Sources: docs/format.md, sections 5 and 9.

use super::event::{Kind, NONE, ProcState};

/// The arguments of one event. Which reader fits follows from its kind; of another kind the readers give numbers without
/// a meaning. Names, categories and messages are strings of the tables at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args([u64; 4]);

/// A constructor, and one reader a field.
macro_rules! arguments {
    ($($(#[$doc:meta])* $name:ident($i:literal) -> $t:ty;)+) => {
        impl Args {
            $($(#[$doc])* #[inline] pub fn $name(&self) -> $t { self.0[$i] as $t })+
        }
    };
}

arguments! {
    /// What a counter, or the size of the heap or its goal (bytes), or GOMAXPROCS is; the number of a GC cycle.
    value(0) -> u64;
    /// Bytes that were swept.
    swept(0) -> u64;
    /// Bytes that sweeping gave back.
    reclaimed(1) -> u64;
    /// The task that an event is about.
    task(0) -> u64;
    /// The task that a new one belongs to.
    parent(1) -> u64;
    /// The name of a new task.
    task_name(2) -> u32;
    /// The name of a region.
    region(1) -> u32;
    /// The category of a log line.
    category(1) -> u32;
    /// The text of a log line.
    message(2) -> u32;
    /// The number of the generation that begins.
    generation(0) -> u64;
    /// When the clocks were read, in ns of trace time.
    clocks_at(1) -> i64;
    /// What the monotonic clock showed then, in ns.
    mono_ns(2) -> u64;
    /// What the wall clock showed then, in ns since 1970.
    wall_ns(3) -> u64;
}

impl Args {
    /// Of an event with one value.
    pub fn of_value(value: u64) -> Args {
        Args([value, 0, 0, 0])
    }

    /// Of a sweep's end: bytes swept and bytes reclaimed.
    pub fn of_sweep(swept: u64, reclaimed: u64) -> Args {
        Args([swept, reclaimed, 0, 0])
    }

    /// Of the beginning of a task of this name.
    pub fn of_task(task: u64, parent: u64, name: u32) -> Args {
        Args([task, parent, name.into(), 0])
    }

    /// Of the end of a task.
    pub fn of_task_end(task: u64) -> Args {
        Args::of_task(task, 0, NONE)
    }

    /// Of the beginning or the end of a region.
    pub fn of_region(task: u64, name: u32) -> Args {
        Args([task, name.into(), 0, 0])
    }

    /// Of a log line.
    pub fn of_log(task: u64, category: u32, message: u32) -> Args {
        Args([task, category.into(), message.into(), 0])
    }

    /// Of a generation's beginning: its number, and when (ns of trace time) its clocks showed what.
    pub fn of_sync(generation: u64, at: i64, mono_ns: u64, wall_ns: u64) -> Args {
        Args([generation, at.cast_unsigned(), mono_ns, wall_ns])
    }

    /// Of what a P is said to do; `abandoned` if it was left behind in a syscall.
    pub fn of_proc(proc: u16, state: ProcState, abandoned: bool) -> Args {
        Args([proc.into(), state as u64, abandoned.into(), 0])
    }

    /// The P, what it does, and whether it was left behind in a syscall.
    #[inline]
    pub fn proc(&self) -> (u16, ProcState, bool) {
        let [proc, state, abandoned, _] = self.0;
        let state = if state == ProcState::Running as u64 { ProcState::Running } else { ProcState::Idle };
        (proc as u16, state, abandoned != 0)
    }

    /// Renames the strings of an event of this kind.
    pub fn rename(&mut self, kind: Kind, name: impl Fn(u32) -> u32) {
        let strings = match kind {
            Kind::TaskBegin => 2..3,
            Kind::RegionBegin | Kind::RegionEnd => 1..2,
            Kind::Log => 1..3,
            _ => 0..0,
        };
        self.0[strings].iter_mut().for_each(|s| *s = name(*s as u32).into());
    }

    /// Of an event of an experiment.
    pub fn raw(args: [u64; 4]) -> Args {
        Args(args)
    }

    /// The numbers as they stood on the wire.
    pub fn numbers(&self) -> [u64; 4] {
        self.0
    }
}
