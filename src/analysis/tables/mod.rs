//! A trace as tables, for other programs: what is exported as Parquet, CSV and JSON lines, and what `query` asks.
//!
//! The rows come out of one pass over the segments, in bounded memory: [`Rows`] is shown one segment after the other and
//! hands rows to a [`Sink`]. A row is a slice of [`Cell`]s in the order of the table's [`Column`]s. Strings stay handles
//! of the trace's dictionary until somebody writes them.

mod dict;
mod ids;
mod rows;
mod spans;

pub use ids::Ids;
pub use rows::{Rows, each};

use crate::base::{StringId, Time};
use crate::model::Index;
use std::sync::Arc;

/// What the numbers or words of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// A whole number of 64 bits with a sign.
    Int,
    /// Text.
    Text,
    /// Yes or no.
    Bool,
}

/// A value of a row that is printed, whatever it was asked with.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// Any number.
    Real(f64),
    /// Text.
    Text(String),
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub of: Type,
    /// What it means.
    pub doc: &'static str,
}

/// One value of a row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Cell {
    /// Nothing: not known, or there is none.
    #[default]
    Null,
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A word of ours.
    Word(&'static str),
    /// A string of the trace.
    Str(StringId),
    /// Any other text.
    Own(Arc<str>),
}

impl Cell {
    /// A number that may be larger than a column can say: then it is the largest that it can.
    pub fn count(n: u64) -> Cell {
        Cell::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// The number of a goroutine, a thread, a P or a task: 64 bits with a sign, as Go's own reader has them, so that no two
    /// become one.
    pub fn id(n: u64) -> Cell {
        Cell::Int(n as i64)
    }

    /// An instant.
    pub fn time(t: Time) -> Cell {
        Cell::Int(t.0)
    }

    /// A string of the trace; nothing for none.
    pub fn str(s: StringId) -> Cell {
        if s.is_some() { Cell::Str(s) } else { Cell::Null }
    }

    /// The text of a cell that has any.
    pub fn text<'a>(&'a self, index: &'a Index) -> Option<&'a str> {
        match self {
            Cell::Word(w) => Some(w),
            Cell::Str(s) => Some(index.dict.str(*s)),
            Cell::Own(s) => Some(s),
            Cell::Null | Cell::Int(_) | Cell::Bool(_) => None,
        }
    }
}

/// What takes rows.
pub trait Sink {
    /// A row of a table, in the order of its columns.
    fn row(&mut self, table: Table, cells: &[Cell]);

    /// Whether no more rows are wanted.
    fn full(&self) -> bool {
        false
    }
}

/// Which rows are wanted. A bound leaves out rows for certain only where the table has such a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The tables, a bit each.
    pub tables: u32,
    /// Rows that lie, in part at least, at or after this instant.
    pub from: Time,
    /// And before this one.
    pub to: Time,
    /// Rows of the goroutine with this number.
    pub go: Option<u64>,
    /// The columns that are looked at, a bit each, from the first of the table's own on: of events and of transitions, of
    /// which there are many, the others are left empty.
    pub columns: u64,
}

impl Wanted {
    /// All rows of these tables.
    pub fn of(tables: &[Table]) -> Wanted {
        let tables = tables.iter().fold(0, |b, t| b | t.bit());
        Wanted { tables, from: Time::MIN, to: Time::MAX, go: None, columns: u64::MAX }
    }

    /// The cell of a column, if anybody looks at it.
    #[inline]
    fn cell(&self, column: usize, make: impl FnOnce() -> Cell) -> Cell {
        if self.columns >> column & 1 == 1 { make() } else { Cell::Null }
    }

    /// Whether a table is wanted.
    pub fn has(&self, t: Table) -> bool {
        self.tables & t.bit() != 0
    }

    /// Whether any of these tables is.
    pub fn any(&self, tables: &[Table]) -> bool {
        tables.iter().any(|&t| self.has(t))
    }

    /// Whether something that lasted from `a` to `b` lies in the window in part.
    fn inside(&self, a: Time, b: Time) -> bool {
        b >= self.from && a < self.to
    }
}

/// The version of the tables: a column that is removed or gets another meaning makes the next one.
pub const VERSION: u32 = 1;

/// The column that every table has in front of its own.
pub const TRACE_ID: Column = Column {
    name: "trace_id",
    of: Type::Text,
    doc: "Which trace: a hash of the (unpacked) file's bytes, 16 hexadecimal digits.",
};

macro_rules! tables {
    ($($name:ident $text:literal: $doc:literal { $($col:ident $of:ident $col_doc:literal,)* })*) => {
        /// A table.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Table { $(#[doc = $doc] $name,)* }

        impl Table {
            /// All tables, in the order of the documentation.
            pub const ALL: &[Table] = &[$(Table::$name,)*];

            /// Its name, as files and queries spell it.
            pub fn name(self) -> &'static str {
                match self { $(Table::$name => $text,)* }
            }

            /// What is in it.
            pub fn doc(self) -> &'static str {
                match self { $(Table::$name => $doc,)* }
            }

            /// Its columns but for `trace_id`, which comes first.
            pub fn columns(self) -> &'static [Column] {
                match self {
                    $(Table::$name => &[$(Column { name: stringify!($col), of: Type::$of, doc: $col_doc },)*],)*
                }
            }
        }
    };
}

impl Table {
    /// The table of a name.
    pub fn named(name: &str) -> Option<Table> {
        Table::ALL.iter().copied().find(|t| t.name() == name)
    }

    fn bit(self) -> u32 {
        1 << self as u8
    }
}

tables! {
    Events "events": "Every event, and the one that Go's reader adds at the end." {
        no Int "Its number, counted from 0 over the whole trace.",
        time_ns Int "When it happened.",
        kind Text "What happened, in Go's words: `GoBlock`, `GCBegin`, …",
        g Int "The number of the goroutine that it happened to.",
        by_g Int "The number of the goroutine that did it.",
        p Int "The number of the P on which it did.",
        m Int "The number of the thread on which it did.",
        stack_id Int "The stack of whoever did it; of `GoStatus`, of the goroutine that it is about.",
        detail Text "Reason (`GoStop`, `GoBlock`, `STWBegin`, `STWEnd`), label, restated state, start function of a new goroutine, name of a task or region, or message.",
        category Text "Category of a log message.",
        arg Int "Bytes, a number of Ps, the number of a GC cycle, bytes swept, the P that it is about, the task, or the generation.",
        arg2 Int "Bytes that sweeping freed, or the task above a new one.",
    }
    Transitions "transitions": "Every change of a goroutine's state, with the stretch of time in the state before. Stretches that are under way at trace end come last, with no state after them." {
        g Int "The goroutine's number.",
        from_state Text "The state before: `Running`, `Runnable`, `Waiting`, `Syscall`; `NotExist` for one that is created, `Undetermined` for one that the trace finds.",
        to_state Text "The state after; `NotExist` when it ends.",
        reason Text "Why it blocked or was stopped, in the runtime's words, if it did so to come into `from_state`.",
        start_ns Int "When `from_state` began; the trace's start, if before. For `NotExist` and `Undetermined` as `end_ns`.",
        end_ns Int "When it ended; the trace's end, if later.",
        duration_ns Int "The difference.",
        complete Bool "Whether both its ends are in the trace.",
        stack_id Int "The stack in which `from_state` began: where it blocked or made the syscall; of `Runnable`, the stack of who made it runnable.",
        by_g Int "The goroutine that began `from_state`: of `Runnable`, who made it runnable.",
        waker Text "For a wait, who ended it: `goroutine`, `network`, `timer` or `runtime`.",
        waker_g Int "The goroutine that ended the wait, or created this one.",
        waker_stack_id Int "And its stack when it did.",
        p Int "The P on which `from_state` ended.",
        no Int "The number of the event that ended it.",
    }
    ProcTransitions "proc_transitions": "Every change of a P's state, with the stretch of time in the state before. Stretches that are under way at trace end come last." {
        p Int "The P's number.",
        from_state Text "The state before: `Running`, `Idle`; `NotExist` or `Undetermined` for one that appears.",
        to_state Text "The state after.",
        start_ns Int "When `from_state` began; the trace's start, if before.",
        end_ns Int "When it ended; the trace's end, if later.",
        duration_ns Int "The difference.",
        m Int "The thread that took it, stopped it, or stole it.",
        g Int "The goroutine that ran on that thread just before.",
        no Int "The number of the event that ended it.",
    }
    Samples "samples": "Every hit of the CPU profiler's signal." {
        time_ns Int "When.",
        g Int "The goroutine that ran.",
        p Int "The P.",
        m Int "The thread.",
        function_id Int "The function that ran.",
        stack_id Int "The stack.",
        no Int "The event's number.",
    }
    Ranges "ranges": "GC mark phases, stop-the-world pauses, sweeps and mark assists." {
        name Text "`GC concurrent mark phase`, `GC incremental sweep`, `GC mark assist`, or `stop-the-world (…)` with the runtime's reason.",
        start_ns Int "When it began, or was first said to be under way.",
        end_ns Int "When it ended; the trace's end, if later.",
        duration_ns Int "The difference.",
        ended Bool "Whether its end is in the trace.",
        g Int "The goroutine that stopped the world, or assisted.",
        p Int "The P that swept.",
    }
    Metrics "metrics": "Every value of a metric." {
        time_ns Int "When.",
        name Text "`/memory/classes/heap/objects:bytes`, `/gc/heap/goal:bytes` or `/sched/gomaxprocs:threads`.",
        value Int "The value.",
    }
    Tasks "tasks": "Every user task that begins or ends in the trace." {
        task Int "Its number.",
        name Text "Its name; nothing if it began before the trace.",
        start_ns Int "When it began; the trace's start, if before.",
        end_ns Int "When it ended; the trace's end, if later.",
        duration_ns Int "The difference.",
        complete Bool "Whether both its ends are in the trace.",
        g Int "The goroutine that began it.",
        ended_by_g Int "The goroutine that ended it.",
    }
    Regions "regions": "Every user region." {
        name Text "Its name.",
        task Int "The task that it belongs to; 0 for none.",
        start_ns Int "When it began; the trace's start, if before.",
        end_ns Int "When it ended, or its goroutine did; the trace's end, if later.",
        duration_ns Int "The difference.",
        complete Bool "Whether both its ends are in the trace.",
        g Int "The goroutine.",
    }
    Logs "logs": "Every user log message." {
        time_ns Int "When.",
        g Int "The goroutine.",
        task Int "The task; 0 for none.",
        category Text "The category.",
        message Text "The message.",
        stack_id Int "The stack.",
        no Int "The event's number.",
    }
    Goroutines "goroutines": "Every goroutine, with its time in each state." {
        g Int "Its number. A file of several recordings may use it again.",
        function_id Int "Its start function.",
        function Text "The start function's name.",
        owner Text "Whose it is: `user`, `library`, `runtime`, or `unknown`.",
        creator_g Int "The goroutine that created it.",
        created_stack_id Int "Where.",
        start_ns Int "From when on it is accounted: its creation, or the trace's start.",
        ended_ns Int "When it ended; nothing if it did not.",
        created Bool "Whether its creation is in the trace.",
        running_ns Int "Time on a P.",
        runnable_ns Int "Time waiting for a P.",
        waiting_ns Int "Time blocked; of one that blocks for ever (`select {}`, a nil channel), until it does.",
        syscall_ns Int "Time in syscalls with its P.",
        syscall_blocked_ns Int "Time in syscalls whose P was taken away.",
        events Int "Events about it.",
        samples Int "CPU samples that hit it.",
        process Int "The process that it is of, from 0 on, where a file has several recordings.",
    }
    Stacks "stacks": "Every stack that an event has, and the line of it that is the user's." {
        stack_id Int "A hash of its functions and lines: equal stacks have equal ids in all traces of a program.",
        depth Int "How many frames it has.",
        function_id Int "The function that ran.",
        line Int "And its line.",
        user_function Text "The function nearest to it that is the user's code, or else the function itself.",
        user_file Text "That function's file.",
        user_line Int "And the line in it.",
    }
    Frames "frames": "Every frame of every stack." {
        stack_id Int "The stack.",
        position Int "Which frame: 0 is the function that ran, 1 its caller, …",
        function_id Int "The function.",
        function Text "Its name.",
        file Text "Its file.",
        line Int "The line in it.",
    }
    Functions "functions": "Every function that a stack names." {
        function_id Int "A hash of its name and file: the same in all traces.",
        name Text "Its name, as Go's linker writes it.",
        file Text "Its file, as the compiler saw it.",
    }
    Links "links": "Waits that began and ended in the trace, summed up: who was blocked where, and by whom they were unblocked where." {
        function Text "The start function of those who were blocked.",
        reason Text "Why, in the runtime's words.",
        stack_id Int "Where.",
        waker_function Text "The start function of those who ended the waits.",
        waker_stack_id Int "Where they did.",
        waits Int "How many.",
        total_ns Int "Their sum.",
    }
    TraceSummary "trace_summary": "One row: the trace." {
        name Text "What the file is called.",
        format Text "Version of the format in the header: `go 1.26`.",
        schema_version Int "The version of these tables: 1.",
        start_ns Int "When the trace begins.",
        end_ns Int "The time of the last event.",
        duration_ns Int "The difference.",
        wall_ns Int "What is to be added to an instant to have ns since 1970; nothing where the trace does not say (before Go 1.25).",
        events Int "How many events, with the one that Go's reader adds at the end.",
        goroutines Int "Goroutines that the trace speaks of.",
        procs Int "Ps.",
        threads Int "Threads.",
        cpu_samples Int "CPU samples.",
        complete Bool "Whether the file was read to its end.",
        lost Text "What could not be read, in sentences; nothing if nothing was lost.",
    }
}

#[cfg(test)]
mod tests;
