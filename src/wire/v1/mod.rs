//! Go's traces of before 1.22: formats 1.7, 1.8, 1.9, 1.10, 1.11, 1.19 and 1.21, written by Go 1.7–1.21.
//!
//! Sealed off: what comes out is the same event model that newer traces have, and nothing outside knows the difference.
//! [`scan`] passes over the file once for what has no place in the order; [`stream`] reads the events of each P;
//! [`order`] says which may come next; [`convert`] says what each means today. Events are never held all at once.
//!
//! Go's own reader of these files (`internal/trace`) refuses traces that this one opens: of before 1.11, with records of
//! futile wakeups or timer goroutines, cut off, out of order. What was done about it is in [`Decoder::losses`]. Futile
//! wakeups are left standing: the goroutine did wake up, look, and wait again.
//!
//! Source: FORMAT.md, section 9.

mod convert;
mod ids;
mod order;
mod record;
mod scan;
mod spec;
mod stream;
#[cfg(test)]
mod tests;

use super::error::{Error, ErrorKind};
use super::event::{Columns, NONE, NONE16};
use super::tables::{Tables, WireFrame};
use crate::base::{GoId, ProcId};
use convert::{Clock, Converter};
use ids::IdMap;
use order::Rules;
use record::{Record, text, varint};
use rustc_hash::FxHashMap;
use scan::{Exit, Sample, Scan};
use spec::op;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use stream::{Head, Stream};

/// Ticks a second where a file does not say: that of a processor of 3 GHz, whose counter the runtime divides by 64.
const USUAL_FREQUENCY: u64 = 46_875_000;
/// The longest string that is kept, in bytes.
const MAX_STRING: usize = 64 << 10;
/// All strings together, in bytes: positions in the table have 32 bits.
const MAX_STRINGS: usize = 1 << 31;
/// The most frames that a stack may have.
const MAX_FRAMES: usize = 1000;
/// How many streams may wait for others; no machine has as many Ps.
const MAX_WAITING: usize = 1024;
/// How long a stream may wait for others where events are missing, in ticks: what they wait for may never come.
const PATIENCE: u64 = 1 << 12;

/// Decodes one file, from its start to its end.
#[derive(Debug)]
pub struct Decoder<'a> {
    data: &'a [u8],
    minor: u32,
    tables: Tables,
    go_ids: FxHashMap<u64, u32>,
    proc_ids: FxHashMap<u64, u16>,
    streams: Vec<Stream>,
    /// Each stream's next event.
    heads: Vec<Head>,
    /// Each stream's P by position.
    procs: Vec<u16>,
    /// Streams by the time of their next event.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// Streams whose next event is not ready; they are not in the heap.
    waiting: Vec<u32>,
    /// A stream whose next event is taken though it is not ready; it is neither in the heap nor waiting.
    forced: Option<u32>,
    rules: Rules,
    samples: std::vec::IntoIter<Sample>,
    exits: std::vec::IntoIter<Exit>,
    /// When the next sample or return from a syscall is due, in ticks.
    due: Option<u64>,
    convert: Converter,
    /// Positions of the messages in `Scan::messages`.
    messages: FxHashMap<&'a [u8], u32>,
    damaged: bool,
    started: bool,
    finished: bool,
    last: u64,
    forced_events: u64,
    disorder: u64,
    losses: Vec<String>,
}

impl<'a> Decoder<'a> {
    /// Passes over a whole file with its header, whose minor version is `minor`, and finds where each P's events lie.
    ///
    /// # Errors
    ///
    /// If nothing can be had from the file: it is of Go 1.5 or 1.6, of an unknown version, or has not one whole record.
    pub fn open(data: &'a [u8], minor: u32) -> Result<Decoder<'a>, Error> {
        match minor {
            5 | 6 => {
                return Err(Error::new(
                    0,
                    ErrorKind::Unsupported(
                        "a trace of Go 1.5 or 1.6 holds no function names: it can only be read beside its program",
                    ),
                ));
            }
            7..=21 => {}
            _ => return Err(Error::new(0, ErrorKind::UnknownVersion(minor))),
        }
        let mut scan = scan::scan(data, minor)?;
        let mut tables = Tables::default();
        let (strings, messages) = fill_strings(&mut scan, &mut tables);
        let stacks = fill_stacks(data, &scan, &strings, &mut tables);
        let frequency = scan.frequency.filter(|&f| f > 0 && f <= i64::MAX as u64);
        if frequency.is_none() {
            scan.damaged = true;
            scan.losses.push(
                "the end of the file is missing, which holds the clock's frequency and the stacks: \
                 times are guessed (46.875 million ticks a second), stacks are unknown"
                    .into(),
            );
        }
        let clock = Clock { zero: 0, ns_per_tick: 1e9 / frequency.unwrap_or(USUAL_FREQUENCY) as f64 };
        let convert = Converter::new(minor, clock, strings, stacks, &mut tables.strings);
        let mut decoder = Decoder {
            data,
            minor,
            tables,
            go_ids: FxHashMap::default(),
            proc_ids: FxHashMap::default(),
            streams: Vec::new(),
            heads: Vec::new(),
            procs: Vec::new(),
            heap: BinaryHeap::new(),
            waiting: Vec::new(),
            forced: None,
            rules: Rules::default(),
            samples: std::mem::take(&mut scan.samples).into_iter(),
            exits: std::mem::take(&mut scan.exits).into_iter(),
            due: None,
            convert,
            messages,
            damaged: scan.damaged,
            started: false,
            finished: false,
            last: 0,
            forced_events: 0,
            disorder: 0,
            losses: scan.losses,
        };
        for p in scan.procs {
            decoder.add_stream(p.proc, p.batches);
        }
        decoder.due = decoder.next_due();
        let first = decoder.heap.peek().map(|Reverse((ts, _))| *ts);
        decoder.convert.clock.zero = first.into_iter().chain(decoder.due).min().unwrap_or(0);
        Ok(decoder)
    }

    /// Strings and stacks, complete from the start, and goroutines, Ps and threads as far as events have named them.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// What was ignored or is missing, in plain sentences; complete when [`next`](Self::next) has returned false.
    pub fn losses(&self) -> &[String] {
        &self.losses
    }

    /// Appends the next events to `out`, `max` at most; false if there were none left.
    pub fn next(&mut self, out: &mut Columns, max: usize) -> bool {
        let before = out.len();
        let full = before.saturating_add(max);
        while out.len() < full && !self.finished {
            if let Some(row) = self.convert.pending.pop_front() {
                self.convert.emit(out, row);
            } else if !self.started {
                self.started = true;
                if self.due.is_some() || !self.heap.is_empty() {
                    self.convert.begin(out);
                }
            } else if !self.step(out) {
                self.finish();
            }
        }
        out.len() > before
    }

    /// Takes one step, which may append a row; false at the end.
    #[inline]
    fn step(&mut self, out: &mut Columns) -> bool {
        let Some((stream, forced)) = self.pick() else {
            return self.due.is_some_and(|_| {
                self.tell_due(out);
                true
            });
        };
        let head = self.heads[stream as usize];
        if self.due.is_some_and(|due| due < head.ts) {
            // A picked stream that is forced stays picked until its turn comes.
            self.forced = forced.then_some(stream);
            self.tell_due(out);
            return true;
        }
        self.forced_events += u64::from(forced);
        self.disorder += u64::from(head.ts < self.last);
        self.last = head.ts;
        self.rules.apply(&head);
        let more = self.advance(stream);
        let next = &self.heads[stream as usize];
        let blocks = head.op == op::GO_SYS_CALL && more && next.op == op::GO_SYS_BLOCK && next.go == head.go;
        if forced {
            if more {
                self.heap.push(Reverse((next.ts, stream)));
            }
        } else if let Some(mut top) = self.heap.peek_mut() {
            if more {
                *top = Reverse((next.ts, stream));
            } else {
                PeekMut::pop(top);
            }
        }
        if !self.waiting.is_empty() {
            self.wake();
        }
        let message = if head.op == op::USER_LOG { self.message(&head) } else { NONE };
        self.convert.event(out, &mut self.tables, &head, self.procs[stream as usize], blocks, message);
        true
    }

    /// The stream whose event comes next, and whether it comes although something before it is missing. One that need
    /// not be forced is at the top of the heap.
    #[inline]
    fn pick(&mut self) -> Option<(u32, bool)> {
        if let Some(stream) = self.forced.take() {
            return Some((stream, true));
        }
        while let Some(&Reverse((ts, stream))) = self.heap.peek() {
            if self.damaged && !self.waiting.is_empty() && self.waited_until().saturating_add(PATIENCE) < ts {
                break;
            }
            if self.rules.ready(&self.heads[stream as usize]) {
                return Some((stream, false));
            }
            self.heap.pop();
            self.waiting.push(stream);
            if self.waiting.len() > MAX_WAITING {
                break;
            }
        }
        let longest =
            (0..self.waiting.len()).min_by_key(|&i| (self.heads[self.waiting[i] as usize].ts, self.waiting[i]))?;
        Some((self.waiting.swap_remove(longest), true))
    }

    /// The time of the earliest event that waits.
    #[cold]
    fn waited_until(&self) -> u64 {
        self.waiting.iter().map(|&s| self.heads[s as usize].ts).min().unwrap_or(u64::MAX)
    }

    /// Puts back the streams that need not wait any more.
    #[cold]
    fn wake(&mut self) {
        let (heads, rules, heap) = (&self.heads, &self.rules, &mut self.heap);
        self.waiting.retain(|&stream| {
            let head = &heads[stream as usize];
            let ready = rules.ready(head);
            if ready {
                heap.push(Reverse((head.ts, stream)));
            }
            !ready
        });
    }

    /// Appends the sample or the return from a syscall that is due.
    #[cold]
    fn tell_due(&mut self, out: &mut Columns) {
        let sample = self.samples.as_slice().first().map_or(u64::MAX, |s| s.ts);
        match self.exits.as_slice().first() {
            Some(exit) if exit.ts < sample => {
                let Exit { ts, go } = *exit;
                self.exits.next();
                let go = self.go(go);
                self.convert.early_exit(out, ts, go);
            }
            _ => {
                if let Some(s) = self.samples.next() {
                    let (go, proc) = (self.go(s.go), self.proc(s.proc));
                    self.convert.sample(out, s.ts, go, proc, s.stack);
                }
            }
        }
        self.due = self.next_due();
    }

    fn next_due(&self) -> Option<u64> {
        let sample = self.samples.as_slice().first().map(|s| s.ts);
        let exit = self.exits.as_slice().first().map(|e| e.ts);
        sample.into_iter().chain(exit).min()
    }

    fn add_stream(&mut self, proc: u64, batches: Vec<scan::Batch>) {
        let stream = self.streams.len() as u32;
        let proc = self.proc(proc);
        self.procs.push(proc);
        self.streams.push(Stream::new(batches));
        self.heads.push(Head::default());
        if self.advance(stream) {
            self.heap.push(Reverse((self.heads[stream as usize].ts, stream)));
        }
    }

    /// Reads a stream's next event; false at its end.
    #[inline]
    fn advance(&mut self, stream: u32) -> bool {
        let i = stream as usize;
        let (ids, gos, rules) = (&mut self.go_ids, &mut self.tables.gos, &mut self.rules.gos);
        self.streams[i].advance(self.data, self.minor, &mut self.heads[i], |id| position(id, ids, gos, rules))
    }

    fn go(&mut self, id: u64) -> u32 {
        position(id, &mut self.go_ids, &mut self.tables.gos, &mut self.rules.gos)
    }

    /// Position of a P, a new one if it is not known.
    fn proc(&mut self, id: u64) -> u16 {
        // The runtime's numbers have 32 bits; all ones is none.
        if id as u32 == u32::MAX {
            return NONE16;
        }
        if let Some(&p) = self.proc_ids.get(&id) {
            return p;
        }
        let p = self.tables.procs.len();
        if p >= NONE16 as usize {
            return NONE16;
        }
        self.tables.procs.push(ProcId(id));
        self.proc_ids.insert(id, p as u16);
        p as u16
    }

    fn message(&self, head: &Head) -> u32 {
        match text(self.data, head.args[2] as usize) {
            Ok((message, _)) => self.messages.get(message).copied().unwrap_or(NONE),
            Err(_) => NONE,
        }
    }

    /// Says what was left out or bent on the way.
    #[cold]
    fn finish(&mut self) {
        self.finished = true;
        let f = self.convert.faults;
        let short: u64 = self.streams.iter().map(|s| s.short).sum();
        let said = [
            (self.forced_events, "events do not follow from those before them and were taken as they are"),
            (self.disorder, "events were out of order in time and were moved to where their Ps say they belong"),
            (short, "events lack arguments and were ignored"),
            (f.nobody, "events lack their goroutine and were ignored"),
            (f.exits, "syscalls returned before they were called; the time of the record was taken"),
            (f.regions, "region events neither begin nor end a region and were ignored"),
            (f.threads, "events are of more threads than can be told apart"),
        ];
        self.losses.extend(said.iter().filter(|s| s.0 > 0).map(|(n, what)| format!("{n} {what}")));
    }
}

/// Position of a goroutine, a new one if it is not known; `NONE` for 0.
#[inline]
fn position(id: u64, ids: &mut FxHashMap<u64, u32>, gos: &mut Vec<GoId>, rules: &mut Vec<order::Go>) -> u32 {
    if id == 0 {
        return NONE;
    }
    *ids.entry(id).or_insert_with(|| {
        gos.push(GoId(id));
        rules.push(order::Go::default());
        gos.len() as u32 - 1
    })
}

/// Moves strings and log messages into the tables; says where each string number leads, and each message.
fn fill_strings<'a>(scan: &mut Scan<'a>, tables: &mut Tables) -> (IdMap, FxHashMap<&'a [u8], u32>) {
    let mut room = MAX_STRINGS;
    let mut left_out = 0u64;
    let mut cut = 0u64;
    let mut add = |s: &[u8]| {
        let kept = &s[..s.len().min(MAX_STRING)];
        if kept.len() > room {
            left_out += 1;
            return NONE;
        }
        cut += u64::from(kept.len() < s.len());
        room -= kept.len();
        tables.strings.push(kept)
    };
    let ids: Vec<(u64, u32)> = std::mem::take(&mut scan.strings).into_iter().map(|(id, s)| (id, add(s))).collect();
    let mut messages = std::mem::take(&mut scan.message_ids);
    for message in std::mem::take(&mut scan.messages) {
        let pos = add(message);
        messages.insert(message, pos);
    }
    if cut > 0 {
        scan.losses.push(format!("{cut} strings of more than 64 KiB were cut"));
    }
    if left_out > 0 {
        scan.losses.push(format!("{left_out} strings beyond 2 GiB were left out"));
    }
    (IdMap::new(&ids), messages)
}

/// Moves the stacks into the tables and says where each stack number leads.
fn fill_stacks(data: &[u8], scan: &Scan, strings: &IdMap, tables: &mut Tables) -> IdMap {
    let mut ids = Vec::with_capacity(scan.stacks.len());
    let mut frames = Vec::new();
    for &(id, Record { body, end, .. }) in &scan.stacks {
        let Some(data) = data.get(..end) else { continue };
        let mut pos = body;
        frames.clear();
        while frames.len() < MAX_FRAMES {
            let mut v = [0; 4];
            if v.iter_mut().any(|v| varint(data, &mut pos).map(|n| *v = n).is_err()) {
                break;
            }
            let [pc, func, file, line] = v;
            frames.push(WireFrame { pc, func: strings.get(func), file: strings.get(file), line: line as u32 });
        }
        // A stack without frames says nothing, and Go's reader takes it for none.
        if id != 0 && !frames.is_empty() {
            ids.push((id, tables.stacks.push(frames.iter().copied())));
        }
    }
    IdMap::new(&ids)
}
