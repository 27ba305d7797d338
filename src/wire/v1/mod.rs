//! Go's traces of before 1.22: formats 1.7, 1.8, 1.9, 1.10, 1.11, 1.19 and 1.21, written by Go 1.7–1.21.
//!
//! Sealed off: what comes out is the same event model that newer traces have, and nothing outside knows the difference.
//! [`Layout::read`] passes over the file once for what has no place in the order; then a [`Decoder`] reads the events of
//! each P, puts them in order and says what each means today. Events are never held all at once, and a [`Checkpoint`]
//! lets another decoder go on from the middle.
//!
//! Go's own reader of these files (`internal/trace`) refuses traces that this one opens: of before 1.11, with records of
//! futile wakeups or timer goroutines, cut off, out of order. What was done about it is in [`Layout::losses`] and
//! [`Decoder::losses`]. Futile wakeups are left standing: the goroutine did wake up, look, and wait again.
//!
//! Source: docs/format.md, section 9.

mod convert;
mod ids;
mod layout;
mod order;
mod record;
mod scan;
mod spec;
mod stream;
#[cfg(test)]
mod tests;

pub use layout::{Clock, Layout};

use super::event::{Events, NONE, NONE16};
use super::frontier::Frontier;
use super::tables::Tables;
use crate::base::{GoId, ProcId, Time};
use convert::Converter;
use ids::GoIds;
use order::Rules;
use rustc_hash::FxHashMap;
use spec::op;
use stream::{Head, Stream};

/// Minor versions that are read.
pub const VERSIONS: std::ops::RangeInclusive<u32> = 7..=21;
/// How many streams may wait for others; no machine has as many Ps.
const MAX_WAITING: usize = 1024;
/// How long a stream may wait for others where events are missing, in ticks: what they wait for may never come.
const PATIENCE: u64 = 1 << 12;

/// Decodes the events of one file in their order.
#[derive(Debug)]
pub struct Decoder<'a> {
    data: &'a [u8],
    layout: &'a Layout,
    go_ids: GoIds,
    state: State,
}

/// A place in the order of events, from which a decoder can go on.
#[derive(Clone, Debug)]
pub struct Checkpoint(Box<State>);

impl Checkpoint {
    /// Bytes that it takes, most of them for goroutines.
    pub fn bytes(&self) -> usize {
        let s = &self.0;
        let per_stream = size_of::<Stream>() + size_of::<Head>() + 32;
        s.streams.len() * per_stream
            + s.tables.gos.len() * (size_of::<GoId>() + size_of::<order::Go>())
            + s.convert.bytes()
    }
}

/// Everything about a decoder that changes.
#[derive(Clone, Debug)]
struct State {
    /// Goroutines, Ps and threads named so far; no strings and stacks.
    tables: Tables,
    proc_ids: FxHashMap<u64, u16>,
    /// One for each of `Layout::procs`.
    streams: Vec<Stream>,
    /// Each stream's next event.
    heads: Vec<Head>,
    /// Each stream's P by position.
    procs: Vec<u16>,
    /// Which stream's next event is earliest.
    frontier: Frontier,
    /// Streams whose next event is not ready; the frontier passes them over.
    waiting: Vec<u16>,
    rules: Rules,
    next_sample: usize,
    next_exit: usize,
    /// When the next sample or return from a syscall is due, in ticks; the largest number for never.
    due: u64,
    convert: Converter,
    started: bool,
    finished: bool,
    last: u64,
    forced: u64,
    disorder: u64,
}

impl<'a> Decoder<'a> {
    /// Before the first event of the file `data`, whose layout is `layout`.
    pub fn new(data: &'a [u8], layout: &'a Layout) -> Decoder<'a> {
        let state = State {
            tables: Tables::default(),
            proc_ids: FxHashMap::default(),
            streams: layout.procs.iter().map(|_| Stream::new()).collect(),
            heads: vec![Head::default(); layout.procs.len()],
            procs: Vec::new(),
            frontier: Frontier::default(),
            waiting: Vec::new(),
            rules: Rules::default(),
            next_sample: 0,
            next_exit: 0,
            due: u64::MAX,
            convert: Converter::new(Time(layout.clock.shift)),
            started: false,
            finished: false,
            last: 0,
            forced: 0,
            disorder: 0,
        };
        let mut d = Decoder { data, layout, go_ids: GoIds::new(&[]), state };
        let mut keys = Vec::with_capacity(layout.procs.len());
        for (i, p) in layout.procs.iter().enumerate() {
            let proc = d.proc(p.proc);
            d.state.procs.push(proc);
            keys.push(if d.advance(i as u16) { key(&d.state.heads[i]) } else { Time::MAX });
        }
        d.state.frontier = Frontier::new(&keys);
        d.set_due();
        d
    }

    /// Where another decoder of the same file was when it made the checkpoint.
    pub fn resume(data: &'a [u8], layout: &'a Layout, c: &Checkpoint) -> Decoder<'a> {
        let state = State::clone(&c.0);
        let go_ids = GoIds::new(&state.tables.gos);
        Decoder { data, layout, go_ids, state }
    }

    /// The place that the decoder has come to.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint(Box::new(self.state.clone()))
    }

    /// Goroutines, Ps and threads as far as events have named them. Strings and stacks are in [`Layout::tables`].
    pub fn tables(&self) -> &Tables {
        &self.state.tables
    }

    /// The part of the file's events that has been read, 0 to 1.
    pub fn progress(&self) -> f64 {
        let read: u64 = self.state.streams.iter().map(Stream::read).sum();
        read as f64 / self.layout.bytes.max(1) as f64
    }

    /// Appends the next events to `out`, `max` at most; false if there were none left.
    pub fn next(&mut self, out: &mut Events, max: usize) -> bool {
        let before = out.len();
        let full = before.saturating_add(max);
        while out.len() < full && !self.state.finished {
            if let Some(row) = self.state.convert.pending.pop_front() {
                self.state.convert.emit(out, row);
            } else if !self.state.started {
                self.state.started = true;
                if self.state.due != u64::MAX || self.state.frontier.min().is_some() {
                    self.state.convert.begin(out);
                }
            } else if !self.step(out) {
                self.state.finished = true;
            }
        }
        out.len() > before
    }

    /// Takes one step, which may append a row; false at the end.
    #[inline]
    fn step(&mut self, out: &mut Events) -> bool {
        let Some((stream, _)) = self.state.frontier.min() else {
            if self.state.waiting.is_empty() && self.state.due == u64::MAX {
                return false;
            }
            self.step_aside(out);
            return true;
        };
        let ts = self.state.heads[usize::from(stream)].ts;
        if self.state.due < ts || self.state.waiting.len() > MAX_WAITING || self.overdue(ts) {
            self.step_aside(out);
            return true;
        }
        if !self.state.rules.apply(&self.state.heads[usize::from(stream)], false) {
            self.state.frontier.set(stream, Time::MAX);
            self.state.waiting.push(stream);
            return true;
        }
        self.tell(out, stream);
        self.go_on(stream);
        if !self.state.waiting.is_empty() {
            self.wake();
        }
        true
    }

    /// Takes a step that is not an event at the top of the heap: a sample or a return from a syscall that is due, or an
    /// event that has waited in vain.
    #[cold]
    fn step_aside(&mut self, out: &mut Events) {
        let waited = self.longest_waiting();
        match waited {
            Some((ts, i)) if ts <= self.state.due => {
                let stream = self.state.waiting.swap_remove(i);
                self.state.forced += 1;
                self.state.rules.apply(&self.state.heads[usize::from(stream)], true);
                self.tell(out, stream);
                self.go_on(stream);
                self.wake();
            }
            _ => self.tell_due(out),
        }
    }

    /// Whether an event has waited for longer than makes sense, now that `ts` has come.
    #[inline]
    fn overdue(&self, ts: u64) -> bool {
        // Where nothing is missing, what an event waits for comes.
        self.layout.damaged
            && !self.state.waiting.is_empty()
            && self.longest_waiting().is_some_and(|(since, _)| since.saturating_add(PATIENCE) < ts)
    }

    /// The event that has waited for longest: its time, and its place in `waiting`.
    #[cold]
    fn longest_waiting(&self) -> Option<(u64, usize)> {
        let s = &self.state;
        let times = s.waiting.iter().enumerate().map(|(i, &w)| (s.heads[w as usize].ts, w, i));
        times.min().map(|(ts, _, i)| (ts, i))
    }

    /// Puts back the streams that need not wait any more.
    #[cold]
    fn wake(&mut self) {
        let State { heads, rules, frontier, waiting, .. } = &mut self.state;
        waiting.retain(|&stream| {
            let head = &heads[usize::from(stream)];
            let ready = rules.ready(head);
            if ready {
                frontier.set(stream, key(head));
            }
            !ready
        });
    }

    /// Appends what a stream's next event means.
    #[inline]
    fn tell(&mut self, out: &mut Events, stream: u16) {
        let i = usize::from(stream);
        let (data, layout) = (self.data, self.layout);
        let State { tables, streams, heads, procs, convert, last, disorder, .. } = &mut self.state;
        let head = &heads[i];
        *disorder += u64::from(head.ts < *last);
        *last = head.ts;
        let blocks = || {
            let mut next = Head::default();
            let (mut probe, batches) = (streams[i], &layout.procs[i].batches);
            probe.advance(data, batches, &mut next, |_| NONE) && next.op == op::GO_SYS_BLOCK && next.go == head.go
        };
        convert.event(out, layout, tables, head, (layout.clock.time(head.ts), procs[i]), blocks);
    }

    /// Appends the sample or the return from a syscall that is due.
    fn tell_due(&mut self, out: &mut Events) {
        let layout = self.layout;
        let (sample, exit) = (layout.samples.get(self.state.next_sample), layout.exits.get(self.state.next_exit));
        match (sample, exit) {
            (sample, Some(exit)) if sample.is_none_or(|s| exit.ts < s.ts) => {
                self.state.next_exit += 1;
                let go = self.go(exit.go);
                self.state.convert.early_exit(out, layout.clock.time(exit.ts), go);
            }
            (Some(s), _) => {
                self.state.next_sample += 1;
                let (go, proc) = (self.go(s.go), self.proc(s.proc));
                let (time, stack) = (layout.clock.time(s.ts), layout.stacks.get(s.stack));
                self.state.convert.sample(out, time, go, proc, stack);
            }
            _ => {}
        }
        self.set_due();
    }

    fn set_due(&mut self) {
        let s = &mut self.state;
        let sample = self.layout.samples.get(s.next_sample).map(|s| s.ts);
        let exit = self.layout.exits.get(s.next_exit).map(|e| e.ts);
        s.due = sample.into_iter().chain(exit).min().unwrap_or(u64::MAX);
    }

    /// Reads a stream's next event; false at its end.
    #[inline]
    fn advance(&mut self, stream: u16) -> bool {
        let i = usize::from(stream);
        let State { streams, heads, tables, rules, .. } = &mut self.state;
        let ids = &mut self.go_ids;
        streams[i].advance(self.data, &self.layout.procs[i].batches, &mut heads[i], |id| {
            position(id, ids, &mut tables.gos, &mut rules.gos)
        })
    }

    /// Goes on to a stream's next event, if it has one.
    #[inline]
    fn go_on(&mut self, stream: u16) {
        let next = if self.advance(stream) { key(&self.state.heads[usize::from(stream)]) } else { Time::MAX };
        self.state.frontier.set(stream, next);
    }

    fn go(&mut self, id: u64) -> u32 {
        position(id, &mut self.go_ids, &mut self.state.tables.gos, &mut self.state.rules.gos)
    }

    /// Position of a P, a new one if it is not known.
    fn proc(&mut self, id: u64) -> u16 {
        // The runtime's numbers have 32 bits; all ones is none.
        if id as u32 == u32::MAX {
            return NONE16;
        }
        let State { proc_ids, tables, .. } = &mut self.state;
        if let Some(&p) = proc_ids.get(&id) {
            return p;
        }
        let p = tables.procs.len();
        if p >= NONE16 as usize {
            return NONE16;
        }
        tables.procs.push(ProcId(id));
        proc_ids.insert(id, p as u16);
        p as u16
    }

    /// What was left out or bent so far, in plain sentences; [`Layout::losses`] is about the file itself.
    pub fn losses(&self) -> Vec<String> {
        let s = &self.state;
        let f = s.convert.faults;
        let short = s.streams.iter().map(|s| u64::from(s.short)).sum();
        // Where all stacks are missing, the layout has said so.
        let stacks = if self.layout.tables.stacks.is_empty() { 0 } else { f.stacks };
        let said = [
            (s.forced, "events taken as they are though they do not follow from those before them"),
            (s.disorder, "events out of order in time, shown where their Ps say they belong"),
            (short, "events ignored because they lack arguments"),
            (f.nobody, "events ignored because they lack their goroutine"),
            (f.exits, "syscalls that returned before they were called, shown to return when that was recorded"),
            (f.regions, "region events ignored that neither begin nor end a region"),
            (stacks, "events whose stacks are not in the file"),
            (f.threads, "events of more threads than can be told apart"),
        ];
        said.iter().filter(|s| s.0 > 0).map(|(n, what)| format!("{what}: {n}")).collect()
    }
}

/// The place of an event among those of all streams, in ticks. None is as late as the end of a stream is.
#[inline]
fn key(head: &Head) -> Time {
    Time(head.ts.min(i64::MAX as u64 - 1) as i64)
}

/// Position of a goroutine, a new one if it is not known; `NONE` for 0.
#[inline]
fn position(id: u64, ids: &mut GoIds, gos: &mut Vec<GoId>, rules: &mut Vec<order::Go>) -> u32 {
    ids.position(id, || {
        gos.push(GoId(id));
        rules.push(order::Go::default());
        gos.len() as u32 - 1
    })
}
