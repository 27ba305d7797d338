//! Puts the events of one generation into an order that obeys Go's scheduling rules.
//!
//! Source: docs/format.md, section 6. Each thread's own order is right; between threads, timestamps say which event to try,
//! and the states of goroutines and Ps say whether it can have happened yet. An event that cannot is parked until
//! another thread's event makes it possible. Where nothing is possible (a damaged file), the earliest event is taken
//! as it is, and counted as a fault.

mod apply;
mod checkpoint;
mod goroutines;
mod numbers;

pub use checkpoint::Checkpoint;

use super::batch::{BatchKind, Generation, NO_THREAD};
use super::generation::GenTables;
use super::stream::Stream;
use crate::base::{Duration, GoId, ProcId, ThreadId, Time};
use crate::input::Bytes;
use crate::wire::args::Args;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::{Events, GoState, Kind, NONE, NONE16, Row};
use crate::wire::frontier::Frontier;
use crate::wire::tables::Tables;
use goroutines::{Go, Goroutines};
use numbers::Numbers;
use rustc_hash::FxHashMap;

/// A thread (M): what it runs, and its stream of events.
#[derive(Clone, Debug)]
struct Thread {
    go: u32,
    proc: u16,
    /// Its stream, an index into `streams`; threads that are only mentioned have none.
    stream: u16,
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
    data: &'a Bytes,
    gen_tables: &'a GenTables,
    /// Goroutines, Ps and threads by position.
    pub tables: Tables,
    thread_ids: FxHashMap<u64, u16>,
    proc_ids: FxHashMap<u64, u16>,
    threads: Vec<Thread>,
    gos: Goroutines,
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

/// How long an event waits, in ns, for what may make it possible, in a generation from which events are missing: what
/// it waits for may never come. Threads' clocks differ by far less.
const PATIENCE: i64 = 200_000;
/// How many threads may wait for others; no machine runs as many at once.
const MAX_PARKED: usize = 1024;
/// At most this many errors are kept; the rest is counted.
const MAX_ERRORS: usize = 8;

impl<'a> Orderer<'a> {
    /// At the start of `generation`, whose tables are `gen_tables`, and which ends with `cut`.
    pub fn new(data: &'a Bytes, generation: &Generation, gen_tables: &'a GenTables, cut: Cut) -> Orderer<'a> {
        let mut o = Orderer {
            data,
            gen_tables,
            tables: Tables::default(),
            thread_ids: FxHashMap::default(),
            proc_ids: FxHashMap::default(),
            threads: Vec::new(),
            gos: Goroutines::default(),
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

    /// Whether there is no such goroutine any more, or none that is known of.
    fn is_over(&self, go: u32) -> bool {
        self.gos.get(go).is_none_or(Go::is_over)
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
            let next = if alone { self.gallop(stream, limit, out, max) } else { None };
            let key = match next {
                Some(key) => key,
                None => {
                    let time = self.streams[stream as usize].head.time;
                    if !self.streams[stream as usize].is_decoded() {
                        let found = self.advance(stream);
                        if found != time {
                            // It is none; what comes after it may be late.
                            self.frontier.set(stream, found);
                            return;
                        }
                    }
                    if self.sample_time < time {
                        self.flush_samples(time, out);
                    }
                    if self.apply(stream, false, out) == Step::NotYet {
                        self.parked.push(stream);
                        self.frontier.set(stream, Time::MAX);
                        return;
                    }
                    self.advance(stream)
                }
            };
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
        let at = self.gen_tables.clock.time(clocks.ts).0;
        let arg = out.push_wide(Args::of_sync(self.number, at, clocks.mono_ns, clocks.wall_ns()));
        out.push(Row { time, kind: Kind::Sync, go: NONE, by: NONE, proc: NONE16, thread: NONE16, stack: NONE, arg });
    }

    fn build_frontier(&mut self) {
        let keys: Vec<Time> = self.streams.iter().map(|s| s.head.time).collect();
        self.frontier = Frontier::new(&keys);
        self.sample_time = self.next_sample_time();
    }

    /// Makes a stream's next event its head, passing over what cannot be decoded. Returns its time.
    #[inline(always)]
    fn advance(&mut self, stream: u16) -> Time {
        loop {
            let s = &mut self.streams[stream as usize];
            match s.advance(self.data, &self.gen_tables.clock) {
                Ok(()) => return s.head.time,
                Err(e) => self.error(*e),
            }
        }
    }

    #[cold]
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

    #[cold]
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
        let known = self.gos.find(id);
        if known != NONE {
            return known;
        }
        self.tables.gos.push(GoId(id));
        self.gos.add(id)
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

    #[inline]
    fn emit(&mut self, out: &mut Events, row: Row) {
        // Threads' clocks agree only nearly; the rules' order is the truth, and time never runs backwards in it.
        let time = row.time.max(self.last);
        self.last = time;
        out.push(Row { time, ..row });
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
        let Some(g) = self.gos.get_mut(go) else { return false };
        g.enter(state);
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
