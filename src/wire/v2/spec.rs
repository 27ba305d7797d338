//! The event types of Go 1.22 and later as one table of data.
//!
//! Source: Go's `internal/trace/tracev2` package documentation; docs/format.md, section 4.

/// What an argument of an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// A plain number.
    Value,
    /// Goroutine.
    Go,
    /// P.
    Proc,
    /// Thread.
    Thread,
    /// Sequence number of a goroutine or P.
    Seq,
    /// Stack of the acting goroutine.
    Stack,
    /// Another stack.
    OtherStack,
    /// String.
    Text,
    /// State of a goroutine or P.
    Status,
    /// User task.
    Task,
}

/// One event type.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Type byte.
    pub id: u8,
    /// Go's name.
    pub name: &'static str,
    /// Arguments after the time delta.
    pub args: &'static [Arg],
    /// Minor version of the first header that may contain it.
    pub since: u32,
}

macro_rules! specs {
    ($($const:ident = $id:literal $name:literal [$($arg:ident),*] since $since:literal;)*) => {
        /// Type bytes.
        #[allow(missing_docs)]
        pub mod id { $(pub const $const: u8 = $id;)* }
        /// All timed event types.
        pub const SPECS: &[Spec] = &[$(Spec { id: $id, name: $name, args: &[$(Arg::$arg),*], since: $since },)*];
    };
}

specs! {
    PROCS_CHANGE = 9 "ProcsChange" [Value, Stack] since 22;
    PROC_START = 10 "ProcStart" [Proc, Seq] since 22;
    PROC_STOP = 11 "ProcStop" [] since 22;
    PROC_STEAL = 12 "ProcSteal" [Proc, Seq, Thread] since 22;
    PROC_STATUS = 13 "ProcStatus" [Proc, Status] since 22;
    GO_CREATE = 14 "GoCreate" [Go, OtherStack, Stack] since 22;
    GO_CREATE_SYSCALL = 15 "GoCreateSyscall" [Go] since 22;
    GO_START = 16 "GoStart" [Go, Seq] since 22;
    GO_DESTROY = 17 "GoDestroy" [] since 22;
    GO_DESTROY_SYSCALL = 18 "GoDestroySyscall" [] since 22;
    GO_STOP = 19 "GoStop" [Text, Stack] since 22;
    GO_BLOCK = 20 "GoBlock" [Text, Stack] since 22;
    GO_UNBLOCK = 21 "GoUnblock" [Go, Seq, Stack] since 22;
    GO_SYSCALL_BEGIN = 22 "GoSyscallBegin" [Seq, Stack] since 22;
    GO_SYSCALL_END = 23 "GoSyscallEnd" [] since 22;
    GO_SYSCALL_END_BLOCKED = 24 "GoSyscallEndBlocked" [] since 22;
    GO_STATUS = 25 "GoStatus" [Go, Thread, Status] since 22;
    STW_BEGIN = 26 "STWBegin" [Text, Stack] since 22;
    STW_END = 27 "STWEnd" [] since 22;
    GC_ACTIVE = 28 "GCActive" [Seq] since 22;
    GC_BEGIN = 29 "GCBegin" [Seq, Stack] since 22;
    GC_END = 30 "GCEnd" [Seq] since 22;
    GC_SWEEP_ACTIVE = 31 "GCSweepActive" [Proc] since 22;
    GC_SWEEP_BEGIN = 32 "GCSweepBegin" [Stack] since 22;
    GC_SWEEP_END = 33 "GCSweepEnd" [Value, Value] since 22;
    GC_MARK_ASSIST_ACTIVE = 34 "GCMarkAssistActive" [Go] since 22;
    GC_MARK_ASSIST_BEGIN = 35 "GCMarkAssistBegin" [Stack] since 22;
    GC_MARK_ASSIST_END = 36 "GCMarkAssistEnd" [] since 22;
    HEAP_ALLOC = 37 "HeapAlloc" [Value] since 22;
    HEAP_GOAL = 38 "HeapGoal" [Value] since 22;
    GO_LABEL = 39 "GoLabel" [Text] since 22;
    TASK_BEGIN = 40 "UserTaskBegin" [Task, Task, Text, Stack] since 22;
    TASK_END = 41 "UserTaskEnd" [Task, Stack] since 22;
    REGION_BEGIN = 42 "UserRegionBegin" [Task, Text, Stack] since 22;
    REGION_END = 43 "UserRegionEnd" [Task, Text, Stack] since 22;
    LOG = 44 "UserLog" [Task, Text, Text, Stack] since 22;
    GO_SWITCH = 45 "GoSwitch" [Go, Seq] since 23;
    GO_SWITCH_DESTROY = 46 "GoSwitchDestroy" [Go, Seq] since 23;
    GO_CREATE_BLOCKED = 47 "GoCreateBlocked" [Go, OtherStack, Stack] since 23;
    GO_STATUS_STACK = 48 "GoStatusStack" [Go, Thread, Status, Stack] since 23;
    SPAN = 128 "Span" [Value, Value, Value] since 23;
    SPAN_ALLOC = 129 "SpanAlloc" [Value, Value, Value] since 23;
    SPAN_FREE = 130 "SpanFree" [Value] since 23;
    HEAP_OBJECT = 131 "HeapObject" [Value, Value] since 23;
    HEAP_OBJECT_ALLOC = 132 "HeapObjectAlloc" [Value, Value] since 23;
    HEAP_OBJECT_FREE = 133 "HeapObjectFree" [Value] since 23;
    GOROUTINE_STACK = 134 "GoroutineStack" [Value, Value] since 23;
    GOROUTINE_STACK_ALLOC = 135 "GoroutineStackAlloc" [Value, Value] since 23;
    GOROUTINE_STACK_FREE = 136 "GoroutineStackFree" [Value] since 23;
}

/// First bytes of batches, and of the records in structural batches.
#[allow(missing_docs)]
pub mod structural {
    pub const EVENT_BATCH: u8 = 1;
    pub const STACKS: u8 = 2;
    pub const STACK: u8 = 3;
    pub const STRINGS: u8 = 4;
    pub const STRING: u8 = 5;
    pub const CPU_SAMPLES: u8 = 6;
    pub const CPU_SAMPLE: u8 = 7;
    pub const FREQUENCY: u8 = 8;
    pub const EXPERIMENTAL_BATCH: u8 = 49;
    pub const SYNC: u8 = 50;
    pub const CLOCK_SNAPSHOT: u8 = 51;
    pub const END_OF_GENERATION: u8 = 52;
}

/// Most arguments that any event has after its time delta.
pub const MAX_ARGS: usize = 4;

/// Number of arguments after the time delta by type byte; `INVALID` where there is no such event.
pub const ARG_COUNTS: [u8; 256] = {
    let mut counts = [INVALID; 256];
    let mut i = 0;
    while i < SPECS.len() {
        counts[SPECS[i].id as usize] = SPECS[i].args.len() as u8;
        i += 1;
    }
    counts
};

/// The argument count of a type byte that is no event.
pub const INVALID: u8 = 0xff;

/// The trace format versions of this family that are known (minor numbers of the header).
pub const VERSIONS: &[u32] = &[22, 23, 25, 26];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        let mut last = 0;
        for s in SPECS {
            assert!(s.id > last, "{} is out of order or stands twice", s.name);
            last = s.id;
            assert!(s.args.len() <= MAX_ARGS, "{} has too many arguments", s.name);
            assert!(s.args.iter().filter(|a| **a == Arg::Stack).count() <= 1, "{} has two stacks", s.name);
            assert!(s.args.iter().position(|a| *a == Arg::Stack).is_none_or(|i| i + 1 == s.args.len()));
            assert!(VERSIONS.contains(&s.since));
            assert_eq!(ARG_COUNTS[s.id as usize] as usize, s.args.len());
        }
        for id in [0, 1, 7, 8, 49, 50, 51, 52, 127, 137, 255] {
            assert_eq!(ARG_COUNTS[id], INVALID);
        }
    }
}
