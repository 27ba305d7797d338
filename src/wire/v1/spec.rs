//! The record types of Go 1.7–1.21 as one table of data.
//!
//! Source: `runtime/trace.go` of those releases; docs/format.md, section 9.1.

/// One record type.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Type: the low six bits of a record's first byte.
    pub op: u8,
    /// Go's name.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests and debuggers"))]
    pub name: &'static str,
    /// Arguments between the time delta and the stack.
    pub args: u8,
    /// How many of them, from the end, older versions leave out.
    pub optional: u8,
    /// Whether a stack follows the arguments.
    pub stack: bool,
    /// Minor version of the first header that may contain it.
    pub since: u32,
    /// What it is to the reader.
    pub role: Role,
}

/// What a record is to the reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Begins a batch: P, absolute time.
    Batch,
    /// Part of a table, with no time and no place in the order.
    Table,
    /// A CPU sample, which carries its own time.
    Sample,
    /// A timed event of a P.
    Event,
}

/// How many types there are; larger numbers are unknown.
pub const COUNT: usize = 50;

macro_rules! specs {
    ($($const:ident = $op:literal $name:literal $role:ident $args:literal - $optional:literal $stack:literal since $since:literal;)*) => {
        /// Types.
        #[allow(missing_docs, dead_code)] // Some are only known by their role.
        pub mod op { $(pub const $const: u8 = $op;)* }

        /// All record types; the one at `i` has number `i + 1`.
        pub const SPECS: [Spec; COUNT - 1] = [$(Spec {
            op: $op, name: $name, args: $args, optional: $optional, stack: $stack, since: $since, role: Role::$role,
        },)*];
    };
}

specs! {
    BATCH = 1 "Batch" Batch 2 - 0 false since 7;
    FREQUENCY = 2 "Frequency" Table 1 - 0 false since 7;
    STACK = 3 "Stack" Table 2 - 0 false since 7;
    GOMAXPROCS = 4 "Gomaxprocs" Event 1 - 0 true since 7;
    PROC_START = 5 "ProcStart" Event 1 - 0 false since 7;
    PROC_STOP = 6 "ProcStop" Event 0 - 0 false since 7;
    GC_START = 7 "GCStart" Event 1 - 0 true since 7;
    GC_DONE = 8 "GCDone" Event 0 - 0 false since 7;
    STW_START = 9 "GCSTWStart" Event 1 - 1 false since 7;
    STW_DONE = 10 "GCSTWDone" Event 0 - 0 false since 7;
    GC_SWEEP_START = 11 "GCSweepStart" Event 0 - 0 true since 7;
    GC_SWEEP_DONE = 12 "GCSweepDone" Event 2 - 2 false since 7;
    GO_CREATE = 13 "GoCreate" Event 2 - 0 true since 7;
    GO_START = 14 "GoStart" Event 2 - 0 false since 7;
    GO_END = 15 "GoEnd" Event 0 - 0 false since 7;
    GO_STOP = 16 "GoStop" Event 0 - 0 true since 7;
    GO_SCHED = 17 "GoSched" Event 0 - 0 true since 7;
    GO_PREEMPT = 18 "GoPreempt" Event 0 - 0 true since 7;
    GO_SLEEP = 19 "GoSleep" Event 0 - 0 true since 7;
    GO_BLOCK = 20 "GoBlock" Event 0 - 0 true since 7;
    GO_UNBLOCK = 21 "GoUnblock" Event 2 - 0 true since 7;
    GO_BLOCK_SEND = 22 "GoBlockSend" Event 0 - 0 true since 7;
    GO_BLOCK_RECV = 23 "GoBlockRecv" Event 0 - 0 true since 7;
    GO_BLOCK_SELECT = 24 "GoBlockSelect" Event 0 - 0 true since 7;
    GO_BLOCK_SYNC = 25 "GoBlockSync" Event 0 - 0 true since 7;
    GO_BLOCK_COND = 26 "GoBlockCond" Event 0 - 0 true since 7;
    GO_BLOCK_NET = 27 "GoBlockNet" Event 0 - 0 true since 7;
    GO_SYS_CALL = 28 "GoSysCall" Event 0 - 0 true since 7;
    GO_SYS_EXIT = 29 "GoSysExit" Event 3 - 0 false since 7;
    GO_SYS_BLOCK = 30 "GoSysBlock" Event 0 - 0 false since 7;
    GO_WAITING = 31 "GoWaiting" Event 1 - 0 false since 7;
    GO_IN_SYSCALL = 32 "GoInSyscall" Event 1 - 0 false since 7;
    HEAP_ALLOC = 33 "HeapAlloc" Event 1 - 0 false since 7;
    HEAP_GOAL = 34 "HeapGoal" Event 1 - 0 false since 7;
    TIMER_GOROUTINE = 35 "TimerGoroutine" Table 1 - 0 false since 7;
    FUTILE_WAKEUP = 36 "FutileWakeup" Event 0 - 0 false since 7;
    STRING = 37 "String" Table 0 - 0 false since 7;
    GO_START_LOCAL = 38 "GoStartLocal" Event 1 - 0 false since 7;
    GO_UNBLOCK_LOCAL = 39 "GoUnblockLocal" Event 1 - 0 true since 7;
    GO_SYS_EXIT_LOCAL = 40 "GoSysExitLocal" Event 2 - 0 false since 7;
    GO_START_LABEL = 41 "GoStartLabel" Event 3 - 0 false since 8;
    GO_BLOCK_GC = 42 "GoBlockGC" Event 0 - 0 true since 8;
    GC_MARK_ASSIST_START = 43 "GCMarkAssistStart" Event 0 - 0 true since 9;
    GC_MARK_ASSIST_DONE = 44 "GCMarkAssistDone" Event 0 - 0 false since 9;
    USER_TASK_CREATE = 45 "UserTaskCreate" Event 3 - 0 true since 11;
    USER_TASK_END = 46 "UserTaskEnd" Event 1 - 0 true since 11;
    USER_REGION = 47 "UserRegion" Event 3 - 0 true since 11;
    USER_LOG = 48 "UserLog" Event 2 - 0 true since 11;
    CPU_SAMPLE = 49 "CPUSample" Sample 3 - 0 true since 19;
}

/// What an event does to the goroutine that its P is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It is no event of a P.
    None,
    /// It goes on.
    Stays,
    /// It leaves the P.
    Leaves,
    /// It goes on; the first argument is another goroutine.
    Names,
    /// The first argument is the goroutine that runs from here on.
    Comes,
}

/// What the reader needs to know of a type, at hand for each event.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many numbers it has: time delta, arguments, stack.
    pub numbers: u8,
    /// How many it has at least.
    pub needed: u8,
    /// Whether the last is a stack.
    pub stack: bool,
    /// What it does to the P's goroutine.
    pub turn: Turn,
}

/// The shapes of all types that the low six bits of a byte can name.
pub static TABLE: [Shape; 64] = shapes();

const fn shapes() -> [Shape; 64] {
    let mut table = [Shape { numbers: 0, needed: 0, stack: false, turn: Turn::None }; 64];
    let mut i = 0;
    while i < SPECS.len() {
        let s = &SPECS[i];
        let numbers = 1 + s.args + s.stack as u8;
        let turn = match s.role {
            Role::Event => turn(s.op),
            _ => Turn::None,
        };
        table[s.op as usize] = Shape { numbers, needed: numbers - s.optional, stack: s.stack, turn };
        i += 1;
    }
    table
}

const fn turn(op: u8) -> Turn {
    match op {
        op::GO_START | op::GO_START_LOCAL | op::GO_START_LABEL => Turn::Comes,
        op::GO_END
        | op::GO_STOP
        | op::GO_SCHED
        | op::GO_PREEMPT
        | op::GO_SLEEP
        | op::GO_BLOCK
        | op::GO_BLOCK_SEND
        | op::GO_BLOCK_RECV
        | op::GO_BLOCK_SELECT
        | op::GO_BLOCK_SYNC
        | op::GO_BLOCK_COND
        | op::GO_BLOCK_NET
        | op::GO_SYS_BLOCK
        | op::GO_BLOCK_GC => Turn::Leaves,
        op::GO_CREATE
        | op::GO_UNBLOCK
        | op::GO_UNBLOCK_LOCAL
        | op::GO_SYS_EXIT
        | op::GO_SYS_EXIT_LOCAL
        | op::GO_WAITING
        | op::GO_IN_SYSCALL => Turn::Names,
        _ => Turn::Stays,
    }
}

/// The type with this number, if a trace of minor version `minor` may contain it.
#[inline]
pub fn spec(op: u8, minor: u32) -> Option<&'static Spec> {
    SPECS.get((op as usize).wrapping_sub(1)).filter(|s| s.since <= minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_fits_the_reader() {
        for (i, s) in SPECS.iter().enumerate() {
            assert_eq!(s.op as usize, i + 1, "{}", s.name);
            assert!(s.args <= 4 && s.optional <= s.args, "{}", s.name);
            assert!(s.optional == 0 || !s.stack, "{}: what is optional has to come last", s.name);
        }
        assert!(spec(0, 21).is_none() && spec(50, 21).is_none());
        assert!(spec(op::CPU_SAMPLE, 11).is_none() && spec(op::CPU_SAMPLE, 19).is_some());
    }
}
