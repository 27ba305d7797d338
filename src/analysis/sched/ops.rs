//! What the scheduler did, in a compact form: the events of a unit that start, stop, make runnable or take a P away.
//!
//! A unit states who was running, who was runnable and which Ps were idle at its beginning only when each first does
//! something, at the latest at its end. So its events are kept, 12 bytes each, until all of them have been seen.

use crate::base::{Time, text};
use crate::build::observe::{Args, Events, NONE, NONE16, Row, Tables};
use crate::model::ownership::is_collection;
use crate::model::segment::{GoState, Kind, ProcState};
use crate::model::{Detail, Segment};

/// Events in one block of a log: what is kept is never copied to make it larger.
const BLOCK: usize = 16 << 10;

/// Events of a segment that are taken in at once: few, so that they take no memory worth mentioning.
const AT_ONCE: usize = 512;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Op {
    /// Nothing but time.
    Later,
    /// Time has passed that does not fit an event's: `go` times 2^32 ns.
    Far,
    /// A goroutine was created, runnable.
    Create,
    /// A goroutine was created, waiting.
    CreateBlocked,
    /// A goroutine came from C, in a syscall.
    CreateSyscall,
    /// A goroutine began to run on a P.
    Start,
    /// A goroutine was preempted.
    Preempt,
    /// A goroutine yielded, in `runtime.Gosched`.
    Yield,
    /// A goroutine stopped running for another reason, and stayed runnable.
    Stop,
    /// A goroutine blocked.
    Block,
    /// A goroutine was made runnable.
    Unblock,
    /// A goroutine entered a syscall.
    SyscallBegin,
    /// A syscall returned and had kept its P.
    SyscallEnd,
    /// A syscall returned without a P.
    SyscallEndBlocked,
    /// A goroutine ended.
    Destroy,
    /// A thread took a P.
    ProcStart,
    /// A P went idle.
    ProcStop,
    /// A P was taken from a syscall.
    ProcSteal,
    /// The world was asked to stop.
    StopWorld,
    /// The world was started.
    StartWorld,
    /// GOMAXPROCS was set, or stated: to `go`.
    Procs,
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rec {
    /// Nanoseconds since the event before.
    pub dt: u32,
    /// The goroutine, a position in the decoder's tables.
    pub go: u32,
    /// The P, likewise.
    pub proc: u16,
    pub op: Op,
}

/// What is first known of a goroutine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    /// Its state when the unit began; `Undetermined` while nothing is known.
    pub state: GoState,
    /// Its P then.
    pub proc: u16,
    /// The first stack of its own: a position; `NONE` while there is none.
    pub stack: u32,
}

/// The P of a goroutine that was in a syscall when the unit began, while nothing says whether it still had one. (What
/// states it may hold another.)
const UNTOLD: u16 = NONE16 - 1;
const UNKNOWN: First = First { state: GoState::Undetermined, proc: NONE16, stack: NONE };

/// The events of a unit.
#[derive(Default)]
pub(crate) struct Log {
    /// Blocks that are full, and the one that is being filled.
    blocks: Vec<Vec<Rec>>,
    open: Vec<Rec>,
    /// The time of the last event.
    now: Time,
    pub first: Vec<First>,
    /// The state of each P when the unit began, where it is known.
    pub procs: Vec<Option<ProcState>>,
    /// The function at the root of each stack, as a position among the strings; `NONE` if it has no name.
    pub roots: Vec<u32>,
    /// Reasons to stop: preemption, Gosched.
    reasons: [Vec<u32>; 2],
    /// GOMAXPROCS as the first event has it that says it.
    pub limit: Option<u32>,
    /// Stops of the world less starts so far, and the least that this came to: so many stops were going on at the beginning.
    stops: (i64, i64),
    /// Whether a stack yields inside of `runtime.GC`, which waits so for the sweeper: no doing of the program's.
    collecting: Vec<bool>,
}

fn is_collecting(tables: &Tables, stack: u32) -> bool {
    // `runtime.Gosched` itself may be left out of the stack.
    let leaf = tables.stacks.get(stack).iter().take(2);
    leaf.map(|f| tables.strings.get(f.func)).any(|f| is_collection(&text::lossy(f)))
}

impl Log {
    /// A log of a unit that begins at `start`, with these strings and stacks.
    pub fn new(start: Time, tables: &Tables) -> Log {
        let strings = 0..tables.strings.len() as u32;
        let named = |name: &[u8]| strings.clone().filter(|&i| tables.strings.get(i) == name).collect();
        let root = |i| {
            let func = tables.stacks.get(i).last().map_or(NONE, |f| f.func);
            if tables.strings.get(func).is_empty() { NONE } else { func }
        };
        Log {
            now: start,
            roots: (0..tables.stacks.len() as u32).map(root).collect(),
            collecting: (0..tables.stacks.len() as u32).map(|i| is_collecting(tables, i)).collect(),
            reasons: [named(b"preempted"), named(b"runtime.Gosched")],
            ..Log::default()
        }
    }

    /// A log of a stretch that begins at `start`, in which goroutines are of no class.
    pub fn bare(start: Time) -> Log {
        Log { now: start, ..Log::default() }
    }

    /// The blocks of events, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &[Rec]> {
        self.blocks.iter().map(Vec::as_slice).chain([self.open.as_slice()])
    }

    /// How many stops of the world have no beginning here.
    pub fn stopped(&self) -> u32 {
        self.stops.1.unsigned_abs().min(u64::from(NONE)) as u32
    }

    fn stop(&mut self, by: i64) {
        self.stops.0 += by;
        self.stops.1 = self.stops.1.min(self.stops.0);
    }

    /// Forgets the events, and keeps what is known of the unit's beginning.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.open.clear();
    }

    #[inline]
    fn push(&mut self, time: Time, op: Op, go: u32, proc: u16) {
        let dt = (time - self.now).ns().max(0) as u64;
        self.now = self.now.max(time);
        let far = (dt >> 32) as u32;
        if far > 0 {
            self.record(Rec { dt: 0, go: far, proc: NONE16, op: Op::Far });
        }
        self.record(Rec { dt: dt as u32, go, proc, op });
    }

    #[inline]
    fn record(&mut self, r: Rec) {
        if self.open.len() == BLOCK {
            self.next_block();
        }
        self.open.push(r);
    }

    #[cold]
    fn next_block(&mut self) {
        let full = std::mem::replace(&mut self.open, Vec::with_capacity(BLOCK));
        self.blocks.push(full);
    }

    /// Makes room for a goroutine; positions are given one by one, so this grows by what there is.
    #[inline]
    fn row(&mut self, go: u32) -> Option<&mut First> {
        let i = go as usize;
        if i >= self.first.len() {
            if go == NONE {
                return None;
            }
            self.first.resize(i + 1, UNKNOWN);
        }
        self.first.get_mut(i)
    }

    #[inline]
    fn goroutine(&mut self, r: &Row, op: Op, before: GoState, stack: u32) {
        let Some(row) = self.row(r.go) else { return };
        let first = row.state == GoState::Undetermined;
        if first {
            *row = First { state: before, proc: r.proc, stack: row.stack };
        }
        if stack != NONE && row.stack == NONE {
            self.note_stack(r.go, stack);
        }
        if first {
            // So that there is room for it.
            self.proc(u32::from(r.proc));
        }
        self.push(r.time, op, r.go, r.proc);
    }

    /// A stack of a goroutine's own, if its root says where it started.
    fn note_stack(&mut self, go: u32, stack: u32) {
        let named = self.roots.get(stack as usize).is_some_and(|&f| f != NONE);
        if let Some(row) = self.row(go).filter(|_| named) {
            row.stack = stack;
        }
    }

    /// Now it shows which P a goroutine had that was in a syscall when the unit began.
    #[inline]
    fn told(&mut self, go: u32, proc: u16) {
        if let Some(row) = self.row(go)
            && row.proc == UNTOLD
        {
            row.proc = proc;
        }
    }

    fn proc(&mut self, p: u32) -> Option<&mut Option<ProcState>> {
        let i = usize::from(p as u16);
        if i >= self.procs.len() {
            if p as u16 == NONE16 {
                return None;
            }
            self.procs.resize(i + 1, None);
        }
        self.procs.get_mut(i)
    }

    fn take_proc(&mut self, r: &Row, op: Op, before: ProcState) {
        // Bit 31 of a steal says that the P was seen idle already.
        let p = r.arg & !(1 << 31);
        let Some(state) = self.proc(p) else { return };
        state.get_or_insert(before);
        self.push(r.time, op, NONE, p as u16);
    }

    /// Takes the next events in.
    pub fn add(&mut self, events: &Events) {
        use GoState::{NotExist, Runnable, Running, Syscall, Waiting};
        for r in &events.rows {
            match r.kind {
                Kind::GoStart => self.goroutine(r, Op::Start, Runnable, NONE),
                Kind::GoUnblock => self.goroutine(r, Op::Unblock, Waiting, NONE),
                Kind::GoBlock => self.goroutine(r, Op::Block, Running, r.stack),
                Kind::GoStop => {
                    let op = match &self.reasons {
                        [preempted, _] if preempted.contains(&r.arg) => Op::Preempt,
                        [_, gosched] if gosched.contains(&r.arg) => {
                            let own = self.collecting.get(r.stack as usize).copied().unwrap_or(false);
                            if own { Op::Stop } else { Op::Yield }
                        }
                        _ => Op::Stop,
                    };
                    self.goroutine(r, op, Running, r.stack);
                }
                Kind::GoSyscallBegin => self.goroutine(r, Op::SyscallBegin, Running, r.stack),
                Kind::GoSyscallEnd => {
                    self.goroutine(r, Op::SyscallEnd, Syscall, NONE);
                    self.told(r.go, r.proc);
                }
                Kind::GoSyscallEndBlocked => {
                    self.told(r.go, NONE16);
                    self.goroutine(r, Op::SyscallEndBlocked, Syscall, NONE);
                }
                Kind::GoDestroy => self.goroutine(r, Op::Destroy, Running, NONE),
                Kind::GoDestroySyscall => self.goroutine(r, Op::Destroy, Syscall, NONE),
                Kind::GoCreate => self.goroutine(r, Op::Create, NotExist, r.arg),
                Kind::GoCreateBlocked => self.goroutine(r, Op::CreateBlocked, NotExist, r.arg),
                Kind::GoCreateSyscall => self.goroutine(r, Op::CreateSyscall, NotExist, NONE),
                Kind::GoStatus => {
                    let state = GoState::ALL.get(r.arg as usize).copied().unwrap_or_default();
                    let named = self.roots.get(r.stack as usize).is_some_and(|&f| f != NONE);
                    if let Some(row) = self.row(r.go) {
                        if row.state == GoState::Undetermined {
                            let proc = if state == Syscall { UNTOLD } else { r.proc };
                            (row.state, row.proc) = (state, proc);
                        }
                        if named && row.stack == NONE {
                            row.stack = r.stack;
                        }
                    }
                }
                Kind::ProcStart => self.take_proc(r, Op::ProcStart, ProcState::Idle),
                Kind::ProcStop => self.take_proc(r, Op::ProcStop, ProcState::Running),
                Kind::ProcSteal => self.take_proc(r, Op::ProcSteal, ProcState::Running),
                Kind::ProcStatus => {
                    let (p, state, _) = events.wide(r).proc();
                    if let Some(known) = self.proc(p.into()) {
                        known.get_or_insert(state);
                    }
                }
                Kind::ProcsChange => {
                    let n = events.wide(r).value().min(u64::from(NONE16)) as u32;
                    self.limit.get_or_insert(n);
                    self.push(r.time, Op::Procs, n, NONE16);
                }
                Kind::StwBegin => {
                    self.stop(1);
                    self.push(r.time, Op::StopWorld, r.go, NONE16);
                }
                Kind::StwEnd => {
                    self.stop(-1);
                    self.push(r.time, Op::StartWorld, r.go, NONE16);
                }
                _ => {}
            }
        }
        // What only tells the time still makes the unit longer.
        if let Some(last) = events.rows.last() {
            self.push(last.time, Op::Later, NONE, NONE16);
        }
    }

    /// Takes the events of a segment in; the trace's own handles are positions then.
    pub fn add_segment(&mut self, seg: &Segment) {
        let mut events = Events::default();
        for (i, &kind) in seg.kind.iter().enumerate() {
            let arg = match kind {
                k if k.go_transition().is_some() => NONE,
                Kind::GoStatus
                | Kind::ProcStart
                | Kind::ProcStop
                | Kind::ProcSteal
                | Kind::ProcStatus
                | Kind::ProcsChange
                | Kind::StwBegin
                | Kind::StwEnd => match seg.detail(i) {
                    Detail::GoStatus(s) => s as u32,
                    Detail::Proc(p) => u32::from(p.0),
                    Detail::ProcStatus(p, s) => events.push_wide(Args::of_proc(p.0, s, false)),
                    Detail::Value(v) => events.push_wide(Args::of_value(v)),
                    _ => NONE,
                },
                _ => continue,
            };
            let (time, proc) = (seg.time[i], seg.proc[i].0);
            let row = Row { time, kind, go: seg.go[i].0, by: seg.by[i].0, stack: NONE, arg, proc, thread: NONE16 };
            events.push(row);
            if events.rows.len() == AT_ONCE {
                self.add(&events);
                events.clear();
            }
        }
        self.add(&events);
        if let Some(&last) = seg.time.last() {
            self.push(last, Op::Later, NONE, NONE16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tables::WireFrame;

    #[test]
    fn who_waits_for_the_sweeper_does_not_spin() {
        let mut tables = Tables::default();
        let mut func = |name: &[u8]| WireFrame { pc: 0, func: tables.strings.push(name), file: NONE, line: 1 };
        let (gc, gosched, main) = (func(b"runtime.GC"), func(b"runtime.Gosched"), func(b"main.main"));
        let stacks = [vec![gosched, main], vec![gc, main], vec![gosched, gc, main], vec![main, main, gc]];
        stacks.into_iter().for_each(|s| _ = tables.stacks.push(s));
        let all: Vec<bool> = (0..4).map(|i| is_collecting(&tables, i)).collect();
        assert_eq!(all, [false, true, true, false]);
    }
}
