//! Puts the events of one generation into an order that obeys Go's scheduling rules.
//!
//! Source: FORMAT.md, section 6. Each thread's own order is right; between threads, timestamps say which event to try,
//! and the states of goroutines and Ps say whether it can have happened yet. An event that cannot is parked until
//! another thread's event makes it possible. Where nothing is possible (a damaged file), the earliest event is taken
//! as it is, and counted as a fault.

use super::batch::{BatchKind, Generation, NO_THREAD};
use super::generation::GenTables;
use super::spec::id;
use super::stream::{Mark, Stream};
use crate::base::codec::Plain;
use crate::base::{Duration, GoId, ProcId, ThreadId, Time};
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::{Events, GoState, Kind, NONE, NONE16, ProcState, Row};
use crate::wire::frontier::Frontier;
use crate::wire::tables::Tables;
use crate::{encode, plain};
use rustc_hash::{FxHashMap, FxHashSet};

/// A thread (M): what it runs, and its stream of events.
#[derive(Clone, Debug)]
struct Thread {
    go: u32,
    proc: u16,
    /// Its stream, an index into `streams`; threads that are only mentioned have none.
    stream: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Go {
    seq: u64,
    state: GoState,
}

/// States of a P on the wire. `Unknown` until this generation states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum P {
    Unknown,
    Running,
    Idle,
    Syscall,
    Abandoned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Proc {
    seq: u64,
    state: P,
}

/// The states that an orderer needs to go on from the middle of a generation.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    threads: Vec<(ThreadId, u32, u16)>,
    marks: Vec<Mark>,
    /// Streams whose head has to wait, in the order in which they are tried.
    parked: Vec<u16>,
    /// Goroutines that there are; threads speak of positions in this list.
    gos: Vec<(GoId, Go)>,
    procs: Vec<(ProcId, Proc)>,
    sample: u64,
    last: Time,
    stw: u32,
}

impl Checkpoint {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.threads.len() * 16 + self.marks.len() * size_of::<Mark>() + self.gos.len() * 24 + self.procs.len() * 24
    }
}

plain!(Go { seq: u64, state: GoState });
plain!(Proc { seq: u64, state: P });
encode!(Checkpoint { threads, marks, parked, gos, procs, sample, last, stw });

impl Plain for P {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(bytes: &[u8]) -> Option<P> {
        [P::Unknown, P::Running, P::Idle, P::Syscall, P::Abandoned].get(usize::from(*bytes.first()?)).copied()
    }
}

/// Where a generation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// With the file.
    None,
    /// When the next generation began.
    At(Time),
    /// With the last event that a thread wrote.
    LastEvent,
}

/// How an attempt to apply an event ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    NotYet,
}

/// The ordering machine of one generation.
pub struct Orderer<'a> {
    data: &'a [u8],
    gen_tables: &'a GenTables,
    /// Goroutines, Ps and threads by position.
    pub tables: Tables,
    thread_ids: FxHashMap<u64, u16>,
    go_ids: FxHashMap<u64, u32>,
    /// The goroutines looked up last, by the low bits of their number.
    recent: Vec<(u64, u32)>,
    proc_ids: FxHashMap<u64, u16>,
    threads: Vec<Thread>,
    gos: Vec<Go>,
    procs: Vec<Proc>,
    streams: Vec<Stream>,
    /// The thread of each stream; `NONE16` for the stream of no thread.
    stream_threads: Vec<u16>,
    frontier: Frontier,
    /// Streams whose head has to wait, in the order in which they were parked.
    parked: Vec<u16>,
    next_sample: usize,
    /// When the next CPU sample was taken.
    sample_time: Time,
    last: Time,
    /// What the world was stopped for.
    stw: u32,
    started: bool,
    first_ts: u64,
    number: u64,
    cut: Cut,
    /// Whether events are missing from the generation.
    incomplete: bool,
    /// How many events broke the rules and were dropped or forced.
    pub faults: u64,
    /// The first things that were wrong.
    pub errors: Vec<Error>,
}

/// A power of two.
const RECENT: usize = 1024;
/// How long an event waits, in ns, for what may make it possible, in a generation from which events are missing: what
/// it waits for may never come. Threads' clocks differ by far less.
const PATIENCE: i64 = 200_000;
/// How many threads may wait for others; no machine runs as many at once.
const MAX_PARKED: usize = 1024;
/// At most this many errors are kept; the rest is counted.
const MAX_ERRORS: usize = 8;

impl<'a> Orderer<'a> {
    /// At the start of `generation`, whose tables are `gen_tables`, and which ends with `cut`.
    pub fn new(data: &'a [u8], generation: &Generation, gen_tables: &'a GenTables, cut: Cut) -> Orderer<'a> {
        let mut o = Orderer {
            data,
            gen_tables,
            tables: Tables::default(),
            thread_ids: FxHashMap::default(),
            go_ids: FxHashMap::default(),
            recent: vec![(0, NONE); RECENT],
            proc_ids: FxHashMap::default(),
            threads: Vec::new(),
            gos: Vec::new(),
            procs: Vec::new(),
            streams: Vec::new(),
            stream_threads: Vec::new(),
            frontier: Frontier::default(),
            parked: Vec::new(),
            next_sample: 0,
            sample_time: Time::MAX,
            last: Time::MIN,
            stw: NONE,
            started: false,
            first_ts: generation.batches.iter().map(|b| b.ts).min().unwrap_or(0),
            number: generation.number,
            cut,
            incomplete: !generation.whole || generation.damaged,
            faults: 0,
            errors: Vec::new(),
        };
        let mut by_thread: FxHashMap<u64, usize> = FxHashMap::default();
        let mut groups: Vec<(u64, Vec<_>)> = Vec::new();
        for b in generation.batches.iter().filter(|b| b.kind == BatchKind::Events && b.len > 0) {
            let at = *by_thread.entry(b.thread).or_insert_with(|| {
                groups.push((b.thread, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(*b);
        }
        // A trace has at most some thousands of threads; what goes beyond the narrow table is not read.
        let most = NONE16 as usize - 1;
        if groups.len() > most {
            let what = format!("events of {} threads; those of {most} are read", groups.len());
            o.error(Error::new(0, ErrorKind::Invalid(what)));
            groups.truncate(most);
        }
        for (thread, batches) in groups {
            let stream = o.streams.len() as u16;
            o.streams.push(Stream::new(batches));
            if thread == NO_THREAD {
                o.stream_threads.push(NONE16);
            } else {
                let t = o.thread(thread);
                if let Some(t) = o.threads.get_mut(t as usize) {
                    t.stream = stream;
                }
                o.stream_threads.push(t);
            }
        }
        o
    }

    /// From a checkpoint of the same generation.
    pub fn resume(data: &'a [u8], g: &Generation, gen_tables: &'a GenTables, cut: Cut, c: &Checkpoint) -> Orderer<'a> {
        let mut o = Orderer::new(data, g, gen_tables, cut);
        for &(thread, go, proc) in &c.threads {
            let t = o.thread(thread.0);
            if let Some(t) = o.threads.get_mut(t as usize) {
                t.go = go;
                t.proc = proc;
            }
        }
        for &(id, go) in &c.gos {
            let g = o.go(id.0);
            if let Some(slot) = o.gos.get_mut(g as usize) {
                *slot = go;
            }
        }
        for &(id, proc) in &c.procs {
            let p = o.proc(id.0);
            if let Some(slot) = o.procs.get_mut(p as usize) {
                *slot = proc;
            }
        }
        o.next_sample = c.sample as usize;
        o.last = c.last;
        o.stw = c.stw;
        o.started = true;
        for (i, &mark) in c.marks.iter().enumerate() {
            let error = o.streams.get_mut(i).and_then(|s| s.seek(data, gen_tables.clock, mark).err());
            if let Some(e) = error {
                o.error(*e);
                o.advance(i as u16);
            }
        }
        o.build_frontier();
        for &stream in c.parked.iter().filter(|s| usize::from(**s) < o.streams.len()) {
            o.frontier.set(stream, Time::MAX);
            o.parked.push(stream);
        }
        o
    }

    /// The states as they are now. Goroutines that have ended are left out: there may be far more of them than others.
    /// Unless a thread still has one, which only a damaged file can bring about.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut gos = Vec::new();
        let held: FxHashSet<u32> =
            self.threads.iter().map(|t| t.go).filter(|&g| g != NONE && self.is_over(g)).collect();
        let positions: Vec<u32> = self
            .tables
            .gos
            .iter()
            .zip(&self.gos)
            .enumerate()
            .map(|(i, (&id, &go))| {
                let i = i as u32;
                if self.is_over(i) && !held.contains(&i) {
                    return NONE;
                }
                gos.push((id, go));
                gos.len() as u32 - 1
            })
            .collect();
        let position = |go: u32| positions.get(go as usize).copied().unwrap_or(NONE);
        let threads = self.tables.threads.iter().zip(&self.threads).map(|(&id, t)| (id, position(t.go), t.proc));
        Checkpoint {
            threads: threads.collect(),
            marks: self.streams.iter().map(Stream::mark).collect(),
            parked: self.parked.clone(),
            gos,
            procs: self.tables.procs.iter().copied().zip(self.procs.iter().copied()).collect(),
            sample: self.next_sample as u64,
            last: self.last,
            stw: self.stw,
        }
    }

    /// Whether there is no such goroutine any more, or none that is known of.
    fn is_over(&self, go: u32) -> bool {
        let go = self.gos.get(go as usize);
        go.is_none_or(|go| matches!(go.state, GoState::NotExist | GoState::Undetermined))
    }

    /// Appends ordered events to `out` until it holds at least `max`; false when the generation is at its end.
    pub fn next(&mut self, out: &mut Events, max: usize) -> bool {
        if !self.started {
            self.start(out);
        }
        while out.len() < max {
            if !self.parked.is_empty() && self.try_parked(out) {
                continue;
            }
            let Some((stream, limit)) = self.frontier.min() else {
                // Nothing can happen by the rules: take the earliest as it is.
                if self.force(Time::MAX, out) {
                    continue;
                }
                self.flush_samples(Time::MAX, out);
                return false;
            };
            if self.parked.len() > MAX_PARKED && self.force(Time::MAX, out) {
                continue;
            }
            if self.incomplete && !self.parked.is_empty() {
                let patience = Duration(PATIENCE);
                if self.force(self.streams[stream as usize].head.time - patience, out) {
                    continue;
                }
            }
            self.run(stream, limit, out, max);
        }
        true
    }

    /// Applies events of one stream for as long as it is the earliest.
    fn run(&mut self, stream: u16, limit: Time, out: &mut Events, max: usize) {
        let alone = self.parked.is_empty();
        loop {
            let time = self.streams[stream as usize].head.time;
            if self.sample_time < time {
                self.flush_samples(time, out);
            }
            if self.apply(stream, false, out) == Step::NotYet {
                self.parked.push(stream);
                self.frontier.set(stream, Time::MAX);
                return;
            }
            let key = self.advance(stream);
            if key >= limit || !alone || out.len() >= max {
                self.frontier.set(stream, key);
                return;
            }
        }
    }

    /// Takes the earliest parked event as it is, if it is before `before`; false if there is none.
    #[cold]
    fn force(&mut self, before: Time, out: &mut Events) -> bool {
        let time = |s: u16| self.streams[s as usize].head.time;
        let Some(i) = (0..self.parked.len()).min_by_key(|&i| time(self.parked[i])) else { return false };
        let stream = self.parked[i];
        if before != Time::MAX && time(stream) >= before {
            return false;
        }
        self.faults += 1;
        self.parked.remove(i);
        self.apply(stream, true, out);
        let key = self.advance(stream);
        self.frontier.set(stream, key);
        true
    }

    /// Tries the parked streams, the one parked first first; true if one could go on.
    fn try_parked(&mut self, out: &mut Events) -> bool {
        for i in 0..self.parked.len() {
            let stream = self.parked[i];
            if self.apply(stream, false, out) == Step::Done {
                self.parked.remove(i);
                let key = self.advance(stream);
                self.frontier.set(stream, key);
                return true;
            }
        }
        false
    }

    /// The instant after which nothing of this generation can have happened.
    fn cut(&self) -> Time {
        match self.cut {
            Cut::None => Time::MAX,
            Cut::At(t) => t.max(self.last),
            Cut::LastEvent if self.last == Time::MIN => Time::MAX,
            Cut::LastEvent => self.last,
        }
    }

    fn start(&mut self, out: &mut Events) {
        self.started = true;
        for i in 0..self.streams.len() {
            self.advance(i as u16);
        }
        self.build_frontier();
        let time = self.gen_tables.clock.time(self.first_ts);
        let clocks = self.gen_tables.snapshot.unwrap_or_default();
        let arg = out.push_wide([self.number, clocks.mono_ns, clocks.wall_sec, clocks.wall_nsec]);
        out.push(Row { time, kind: Kind::Sync, go: NONE, by: NONE, proc: NONE16, thread: NONE16, stack: NONE, arg });
    }

    fn build_frontier(&mut self) {
        let keys: Vec<Time> = self.streams.iter().map(|s| s.head.time).collect();
        self.frontier = Frontier::new(&keys);
        self.sample_time = self.next_sample_time();
    }

    /// Makes a stream's next event its head, passing over what cannot be decoded. Returns its time.
    #[inline]
    fn advance(&mut self, stream: u16) -> Time {
        let s = &mut self.streams[stream as usize];
        loop {
            match s.advance(self.data, self.gen_tables.clock) {
                Ok(()) => return s.head.time,
                Err(e) => {
                    self.faults += 1;
                    if self.errors.len() < MAX_ERRORS {
                        self.errors.push(*e);
                    }
                }
            }
        }
    }

    fn error(&mut self, e: Error) {
        self.faults += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(e);
        }
    }

    fn next_sample_time(&self) -> Time {
        match self.gen_tables.samples.get(self.next_sample) {
            Some(s) => self.gen_tables.clock.time(s.ts),
            None => Time::MAX,
        }
    }

    fn flush_samples(&mut self, before: Time, out: &mut Events) {
        while let Some(&s) = self.gen_tables.samples.get(self.next_sample) {
            let time = self.gen_tables.clock.time(s.ts);
            if time >= before && before != Time::MAX {
                break;
            }
            self.next_sample += 1;
            self.sample_time = self.next_sample_time();
            // Its own beginning comes first in a generation, whatever a sample's clock says.
            let time = time.max(self.gen_tables.clock.time(self.first_ts));
            let go = if s.go == 0 { NONE } else { self.go(s.go) };
            let proc = if s.proc == u64::MAX { NONE16 } else { self.proc(s.proc) };
            let thread = if s.thread == NO_THREAD { NONE16 } else { self.thread(s.thread) };
            self.emit(out, Row { time, kind: Kind::CpuSample, go, by: go, proc, thread, stack: s.stack, arg: NONE });
        }
    }

    /// Position of a thread, a new one if it is not known.
    fn thread(&mut self, id: u64) -> u16 {
        if let Some(&t) = self.thread_ids.get(&id) {
            return t;
        }
        let t = self.threads.len();
        if t >= NONE16 as usize {
            return NONE16;
        }
        self.threads.push(Thread { go: NONE, proc: NONE16, stream: NONE16 });
        self.tables.threads.push(ThreadId(id));
        self.thread_ids.insert(id, t as u16);
        t as u16
    }

    /// Position of a goroutine, a new one if it is not known.
    #[inline]
    fn go(&mut self, id: u64) -> u32 {
        if let Some(&g) = self.go_ids.get(&id) {
            return g;
        }
        let g = self.gos.len() as u32;
        self.gos.push(Go { seq: 0, state: GoState::Undetermined });
        self.tables.gos.push(GoId(id));
        self.go_ids.insert(id, g);
        g
    }

    /// Position of a P, a new one if it is not known.
    #[inline]
    fn proc(&mut self, id: u64) -> u16 {
        if let Some(&p) = self.proc_ids.get(&id) {
            return p;
        }
        let p = self.procs.len();
        if p >= NONE16 as usize {
            return NONE16;
        }
        self.procs.push(Proc { seq: 0, state: P::Unknown });
        self.tables.procs.push(ProcId(id));
        self.proc_ids.insert(id, p as u16);
        p as u16
    }

    /// Applies a stream's head, and appends what it says to `out`. With `force`, an event that would have to wait is
    /// taken as it is.
    fn apply(&mut self, stream: u16, force: bool, out: &mut Events) -> Step {
        let head = &self.streams[stream as usize].head;
        let (op, head_time, args) = (head.op, head.time, head.args);
        let t = self.stream_threads[stream as usize];
        let (by, proc) = match self.threads.get(t as usize) {
            Some(th) => (th.go, th.proc),
            None => (NONE, NONE16),
        };
        // Statuses that no thread wrote may come from well after the switch of generations; they must not push the clock.
        let time = if t == NONE16 { head_time.min(self.cut()) } else { head_time };
        let mut row = Row { time, kind: Kind::Sync, go: by, by, proc, thread: t, stack: NONE, arg: NONE };
        macro_rules! text {
            ($i:expr) => {
                self.gen_tables.string_ids.get(args[$i])
            };
        }
        macro_rules! stack {
            ($i:expr) => {
                self.gen_tables.stack_ids.get(args[$i])
            };
        }
        match op {
            id::GO_START => {
                let g = self.known_go(args[0]);
                match self.gos.get_mut(g as usize) {
                    Some(go) if go.state == GoState::Runnable && args[1] == go.seq.wrapping_add(1) => {
                        go.state = GoState::Running;
                        go.seq = args[1];
                        row.go = g;
                    }
                    _ if force => {
                        let g = self.go(args[0]);
                        self.gos[g as usize] = Go { state: GoState::Running, seq: args[1] };
                        row.go = g;
                    }
                    _ => return Step::NotYet,
                }
                row.kind = Kind::GoStart;
                row.by = NONE;
                self.bind(t, row.go);
            }
            id::GO_UNBLOCK => {
                let g = self.known_go(args[0]);
                match self.gos.get_mut(g as usize) {
                    Some(go) if go.state == GoState::Waiting && args[1] == go.seq.wrapping_add(1) => {
                        go.state = GoState::Runnable;
                        go.seq = args[1];
                        row.go = g;
                    }
                    _ if force => {
                        let g = self.go(args[0]);
                        self.gos[g as usize] = Go { state: GoState::Runnable, seq: args[1] };
                        row.go = g;
                    }
                    _ => return Step::NotYet,
                }
                row.kind = Kind::GoUnblock;
                row.stack = stack!(2);
            }
            id::GO_BLOCK | id::GO_STOP => {
                if !self.leave(t, by, if op == id::GO_BLOCK { GoState::Waiting } else { GoState::Runnable }) {
                    return self.dropped();
                }
                row.kind = if op == id::GO_BLOCK { Kind::GoBlock } else { Kind::GoStop };
                row.arg = text!(0);
                row.stack = stack!(1);
            }
            id::GO_SYSCALL_BEGIN => {
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Syscall;
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    p.state = P::Syscall;
                    p.seq = args[0];
                }
                row.kind = Kind::GoSyscallBegin;
                row.stack = stack!(1);
            }
            id::GO_SYSCALL_END => {
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Running;
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    p.state = P::Running;
                }
                row.kind = Kind::GoSyscallEnd;
            }
            id::GO_SYSCALL_END_BLOCKED => {
                if !force && self.procs.get(proc as usize).is_some_and(|p| p.state == P::Syscall) {
                    return Step::NotYet;
                }
                let Some(go) = self.gos.get_mut(by as usize) else { return self.dropped() };
                go.state = GoState::Runnable;
                self.bind(t, NONE);
                row.kind = Kind::GoSyscallEndBlocked;
            }
            id::GO_CREATE | id::GO_CREATE_BLOCKED => {
                let g = self.go(args[0]);
                let blocked = op == id::GO_CREATE_BLOCKED;
                let state = if blocked { GoState::Waiting } else { GoState::Runnable };
                self.gos[g as usize] = Go { seq: 0, state };
                row.kind = if blocked { Kind::GoCreateBlocked } else { Kind::GoCreate };
                row.go = g;
                row.arg = stack!(1);
                row.stack = stack!(2);
            }
            id::GO_CREATE_SYSCALL => {
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: 0, state: GoState::Syscall };
                self.bind(t, g);
                row.kind = Kind::GoCreateSyscall;
                row.go = g;
            }
            id::GO_DESTROY => {
                if !self.leave(t, by, GoState::NotExist) {
                    return self.dropped();
                }
                row.kind = Kind::GoDestroy;
            }
            id::GO_DESTROY_SYSCALL => {
                if !self.leave(t, by, GoState::NotExist) {
                    return self.dropped();
                }
                if let Some(p) = self.procs.get_mut(proc as usize) {
                    // The P counts as lost now: the thread's number may be used again before the P is seen elsewhere.
                    p.state = P::Abandoned;
                    self.hold(t, NONE16);
                    self.emit(out, Row { kind: Kind::ProcSteal, arg: u32::from(proc), go: NONE, ..row });
                }
                row.kind = Kind::GoDestroySyscall;
            }
            id::GO_STATUS | id::GO_STATUS_STACK => {
                let state = match args[2] {
                    1 => GoState::Runnable,
                    2 => GoState::Running,
                    3 => GoState::Syscall,
                    4 => GoState::Waiting,
                    _ => return self.dropped(),
                };
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: 0, state };
                match state {
                    GoState::Running => self.bind(t, g),
                    GoState::Syscall if args[1] != NO_THREAD => {
                        let m = self.thread(args[1]);
                        // A goroutine that sat in a syscall all the time is stated by nobody's thread.
                        if m == t || self.threads.get(m as usize).is_some_and(|m| m.go == NONE) {
                            self.bind(m, g);
                        }
                        row.thread = m;
                    }
                    _ => {}
                }
                row.kind = Kind::GoStatus;
                row.go = g;
                row.arg = state as u32;
                if op == id::GO_STATUS_STACK {
                    row.stack = stack!(3);
                }
            }
            id::GO_SWITCH | id::GO_SWITCH_DESTROY => {
                let g = self.known_go(args[0]);
                let ready = self
                    .gos
                    .get(g as usize)
                    .is_some_and(|go| go.state == GoState::Waiting && args[1] == go.seq.wrapping_add(1));
                if !ready && !force {
                    return Step::NotYet;
                }
                let destroy = op == id::GO_SWITCH_DESTROY;
                if !self.leave(t, by, if destroy { GoState::NotExist } else { GoState::Waiting }) {
                    return self.dropped();
                }
                let g = self.go(args[0]);
                self.gos[g as usize] = Go { seq: args[1], state: GoState::Running };
                // One event on the wire, three things that happen.
                self.emit(out, Row { kind: Kind::GoUnblock, go: g, ..row });
                let kind = if destroy { Kind::GoDestroy } else { Kind::GoBlock };
                self.emit(out, Row { kind, go: by, ..row });
                self.bind(t, g);
                row.kind = Kind::GoStart;
                row.go = g;
                row.by = NONE;
            }
            id::PROC_START => {
                let p = self.known_proc(args[0]);
                let free = proc == NONE16;
                match self.procs.get_mut(p as usize) {
                    Some(s) if free && s.state == P::Idle && args[1] == s.seq.wrapping_add(1) => {}
                    _ if force => {}
                    _ => return Step::NotYet,
                }
                let p = self.proc(args[0]);
                if let Some(s) = self.procs.get_mut(p as usize) {
                    *s = Proc { seq: args[1], state: P::Running };
                }
                self.hold(t, p);
                row.kind = Kind::ProcStart;
                row.arg = u32::from(p);
            }
            id::PROC_STOP => {
                let Some(p) = self.procs.get_mut(proc as usize) else { return self.dropped() };
                p.state = P::Idle;
                self.hold(t, NONE16);
                row.kind = Kind::ProcStop;
                row.arg = u32::from(proc);
            }
            id::PROC_STEAL => {
                let p = self.known_proc(args[0]);
                match self.procs.get(p as usize) {
                    Some(s) if matches!(s.state, P::Syscall | P::Abandoned) && args[1] == s.seq.wrapping_add(1) => {}
                    _ if force => {}
                    _ => return Step::NotYet,
                }
                let p = self.proc(args[0]);
                let mut abandoned = false;
                if let Some(s) = self.procs.get_mut(p as usize) {
                    abandoned = s.state == P::Abandoned;
                    *s = Proc { seq: args[1], state: P::Idle };
                }
                if !abandoned && args[2] != NO_THREAD {
                    let m = self.thread(args[2]);
                    if self.threads.get(m as usize).is_some_and(|m| m.proc == p) {
                        self.hold(m, NONE16);
                    }
                }
                row.kind = Kind::ProcSteal;
                row.arg = u32::from(p) | u32::from(abandoned) << 31;
            }
            id::PROC_STATUS => {
                let (state, shown) = match args[1] {
                    1 => (P::Running, ProcState::Running),
                    2 => (P::Idle, ProcState::Idle),
                    3 => (P::Syscall, ProcState::Running),
                    4 => (P::Abandoned, ProcState::Idle),
                    _ => return self.dropped(),
                };
                let p = self.proc(args[0]);
                if let Some(s) = self.procs.get_mut(p as usize) {
                    *s = Proc { seq: 0, state };
                }
                if shown == ProcState::Running {
                    self.hold(t, p);
                }
                row.kind = Kind::ProcStatus;
                row.arg = out.push_wide([u64::from(p), shown as u64, u64::from(state == P::Abandoned), 0]);
            }
            id::PROCS_CHANGE => {
                row.kind = Kind::ProcsChange;
                row.arg = out.push_wide([args[0], 0, 0, 0]);
                row.stack = stack!(1);
            }
            id::HEAP_ALLOC | id::HEAP_GOAL => {
                row.kind = if op == id::HEAP_ALLOC { Kind::HeapAlloc } else { Kind::HeapGoal };
                row.arg = out.push_wide([args[0], 0, 0, 0]);
            }
            id::GC_ACTIVE | id::GC_BEGIN | id::GC_END => {
                row.kind = match op {
                    id::GC_ACTIVE => Kind::GcActive,
                    id::GC_BEGIN => Kind::GcBegin,
                    _ => Kind::GcEnd,
                };
                row.arg = out.push_wide([args[0], 0, 0, 0]);
                if op == id::GC_BEGIN {
                    row.stack = stack!(1);
                }
            }
            id::STW_BEGIN => {
                row.kind = Kind::StwBegin;
                row.arg = text!(0);
                row.stack = stack!(1);
                self.stw = row.arg;
            }
            id::STW_END => {
                row.kind = Kind::StwEnd;
                row.arg = self.stw;
            }
            id::GC_SWEEP_ACTIVE => {
                row.kind = Kind::GcSweepActive;
                row.arg = u32::from(self.proc(args[0]));
            }
            id::GC_SWEEP_BEGIN => {
                row.kind = Kind::GcSweepBegin;
                row.stack = stack!(0);
            }
            id::GC_SWEEP_END => {
                row.kind = Kind::GcSweepEnd;
                row.arg = out.push_wide([args[0], args[1], 0, 0]);
            }
            id::GC_MARK_ASSIST_ACTIVE => {
                row.kind = Kind::GcMarkAssistActive;
                row.go = self.go(args[0]);
            }
            id::GC_MARK_ASSIST_BEGIN => {
                row.kind = Kind::GcMarkAssistBegin;
                row.stack = stack!(0);
            }
            id::GC_MARK_ASSIST_END => row.kind = Kind::GcMarkAssistEnd,
            id::GO_LABEL => {
                row.kind = Kind::GoLabel;
                row.arg = text!(0);
            }
            id::TASK_BEGIN => {
                row.kind = Kind::TaskBegin;
                row.arg = out.push_wide([args[0], args[1], u64::from(text!(2)), 0]);
                row.stack = stack!(3);
            }
            id::TASK_END => {
                row.kind = Kind::TaskEnd;
                row.arg = out.push_wide([args[0], 0, u64::from(NONE), 0]);
                row.stack = stack!(1);
            }
            id::REGION_BEGIN | id::REGION_END => {
                row.kind = if op == id::REGION_BEGIN { Kind::RegionBegin } else { Kind::RegionEnd };
                row.arg = out.push_wide([args[0], u64::from(text!(1)), 0, 0]);
                row.stack = stack!(2);
            }
            id::LOG => {
                row.kind = Kind::Log;
                row.arg = out.push_wide([args[0], u64::from(text!(1)), u64::from(text!(2)), 0]);
                row.stack = stack!(3);
            }
            op => {
                row.kind = match op {
                    id::SPAN => Kind::Span,
                    id::SPAN_ALLOC => Kind::SpanAlloc,
                    id::SPAN_FREE => Kind::SpanFree,
                    id::HEAP_OBJECT => Kind::HeapObject,
                    id::HEAP_OBJECT_ALLOC => Kind::HeapObjectAlloc,
                    id::HEAP_OBJECT_FREE => Kind::HeapObjectFree,
                    id::GOROUTINE_STACK => Kind::GoroutineStack,
                    id::GOROUTINE_STACK_ALLOC => Kind::GoroutineStackAlloc,
                    _ => Kind::GoroutineStackFree,
                };
                row.arg = out.push_wide(args);
            }
        }
        self.emit(out, row);
        Step::Done
    }

    #[inline]
    fn emit(&mut self, out: &mut Events, row: Row) {
        // Threads' clocks agree only nearly; the rules' order is the truth, and time never runs backwards in it.
        let time = row.time.max(self.last);
        self.last = time;
        out.push(Row { time, ..row });
    }

    #[inline]
    fn known_go(&mut self, id: u64) -> u32 {
        let recent = &mut self.recent[id as usize & (RECENT - 1)];
        if recent.0 != id || recent.1 == NONE {
            *recent = (id, self.go_ids.get(&id).copied().unwrap_or(NONE));
        }
        recent.1
    }

    #[inline]
    fn known_proc(&self, id: u64) -> u16 {
        self.proc_ids.get(&id).copied().unwrap_or(NONE16)
    }

    #[inline]
    fn bind(&mut self, thread: u16, go: u32) {
        if let Some(t) = self.threads.get_mut(thread as usize) {
            t.go = go;
        }
    }

    #[inline]
    fn hold(&mut self, thread: u16, proc: u16) {
        if let Some(t) = self.threads.get_mut(thread as usize) {
            t.proc = proc;
        }
    }

    /// The goroutine on `thread` leaves it for `state`; false if there is none.
    #[inline]
    fn leave(&mut self, thread: u16, go: u32, state: GoState) -> bool {
        let Some(g) = self.gos.get_mut(go as usize) else { return false };
        g.state = state;
        self.bind(thread, NONE);
        true
    }

    /// An event that makes no sense where it stands is dropped and counted.
    #[cold]
    fn dropped(&mut self) -> Step {
        self.faults += 1;
        Step::Done
    }
}
