//! The first pass over a file: which batches each P has, and everything that is needed before the first event.
//!
//! Batches have no length, and stacks and the clock's frequency come last, so nothing can be resolved before the end has
//! been seen. The pass skips from record to record and keeps only what has no place in the streams of the Ps: tables, CPU
//! samples, the real times at which syscalls returned, log messages.
//!
//! Source: docs/format.md, sections 9.1 and 9.2.

use super::record::{Fault, Record, record, text, varint};
use super::spec::{self, Role, op};
use crate::wire::error::{Error, ErrorKind};
use rustc_hash::FxHashMap;

/// Bytes of the file's header.
const HEADER: usize = 16;

/// The most Ps that are told apart: positions have 16 bits, and all ones is none.
const MAX_PROCS: usize = u16::MAX as usize;

/// A stretch of records that one P wrote.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Offset of the first record after the batch's header.
    pub start: usize,
    /// Offset after the last one.
    pub end: usize,
    /// Clock at its start, in ticks.
    pub ts: u64,
}

/// All batches of one P, in the order of the file, which is the order of their times.
#[derive(Clone, Debug)]
pub struct ProcBatches {
    /// The P; `u64::MAX` for what was written without one.
    pub proc: u64,
    /// Its batches that contain events.
    pub batches: Vec<Batch>,
}

/// One hit of the CPU profiler's signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When the signal hit, in ticks.
    pub ts: u64,
    /// P, `u64::MAX` if none.
    pub proc: u64,
    /// Goroutine, 0 if none.
    pub go: u64,
    /// The file's number of the stack.
    pub stack: u64,
}

/// A syscall's return, known by the time at which it really happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// When the syscall returned, in ticks.
    pub ts: u64,
    /// The goroutine that had been in it.
    pub go: u64,
}

/// What the first pass finds.
#[derive(Debug, Default)]
pub struct Scan<'a> {
    /// The Ps in the order of their first batches.
    pub procs: Vec<ProcBatches>,
    /// CPU samples, sorted by time.
    pub samples: Vec<Sample>,
    /// Returns from syscalls with a time of their own, sorted by it.
    pub exits: Vec<Exit>,
    /// Strings with the file's numbers.
    pub strings: Vec<(u64, &'a [u8])>,
    /// Stacks: the file's number, and where the frames lie.
    pub stacks: Vec<(u64, Record)>,
    /// Log messages, each once.
    pub messages: Vec<&'a [u8]>,
    /// The logs: the offset of the end of the record's numbers, and where the message stands in `messages`.
    pub logs: Vec<(usize, u32)>,
    /// Ticks a second.
    pub frequency: Option<u64>,
    /// Whether events are missing: the file is cut off, or was damaged somewhere.
    pub damaged: bool,
    /// What could not be read, in plain sentences.
    pub losses: Vec<String>,
}

/// Passes over a whole file of minor version `minor`.
///
/// # Errors
///
/// If there is not a single whole record.
pub fn scan(data: &[u8], minor: u32) -> Result<Scan<'_>, Error> {
    let alone = std::thread::available_parallelism().map_or(true, |n| n.get() < 2);
    let middle = (data.len() >= LARGE && !alone).then_some(data.len() / 2);
    let (s, fault) = passed(data, minor, middle);
    finish(s, fault)
}

/// Passes over a file, both what is before and what is after its `middle` at once.
fn passed(data: &[u8], minor: u32, middle: Option<usize>) -> (Scanner<'_>, Option<(usize, Fault)>) {
    let mut first = Scanner::new(data, minor);
    let mut pos = HEADER.min(data.len());
    let Some(half) = middle.and_then(|m| first.batch_after(m)) else {
        let fault = first.run(&mut pos);
        return (first, fault);
    };
    let mut second = Scanner { first_ts: first.first_ts, ..Scanner::new(data, minor) };
    let (before, after) = std::thread::scope(|s| {
        let other = s.spawn(|| second.run(&mut { half }));
        first.until = half;
        (first.run(&mut pos), other.join())
    });
    if let (None, Ok(fault)) = (before, after)
        && pos == half
    {
        // A batch begins there indeed, and ends the one that was open.
        first.close(pos);
        first.take_over(second);
        return (first, fault);
    }
    // What looked like a batch is none; or reading did not get there.
    first.until = data.len();
    let fault = before.or_else(|| first.run(&mut pos));
    (first, fault)
}

fn finish(mut s: Scanner<'_>, fault: Option<(usize, Fault)>) -> Result<Scan<'_>, Error> {
    let data = s.data;
    if let Some((at, fault)) = fault {
        if s.out.procs.is_empty() && s.out.frequency.is_none() && s.out.strings.is_empty() {
            return Err(s.error(at, fault));
        }
        s.out.damaged = true;
        let rest = data.len() - at;
        s.out.losses.push(match fault {
            Fault::Cut => format!("the file ends in the middle of a record: its last {rest} bytes were not read"),
            Fault::Bad => format!("the file is damaged at byte {at}: the {rest} bytes from there on were not read"),
        });
    }
    if s.strays > 0 {
        s.out.damaged = true;
        let (places, bytes) = (s.strays, s.stray_bytes);
        s.out.losses.push(format!("{bytes} bytes that are not part of the trace were passed over, in {places} places"));
    }
    if s.bad_records > 0 {
        s.out.losses.push(format!("{} malformed stacks, strings or samples were ignored", s.bad_records));
    }
    if s.strange_batches > 0 {
        s.out.damaged = true;
        s.out.losses.push(format!("{} batches of more than {MAX_PROCS} Ps were ignored", s.strange_batches));
    }
    let mut out = s.out;
    out.samples.sort_by_key(|s| s.ts);
    out.exits.sort_by_key(|e| e.ts);
    Ok(out)
}

/// The smallest file that is passed over in two halves.
const LARGE: usize = 4 << 20;

struct Scanner<'a> {
    data: &'a [u8],
    minor: u32,
    /// Where it stops: at the end, or where another one has begun.
    until: usize,
    out: Scan<'a>,
    proc_ids: FxHashMap<u64, usize>,
    message_ids: FxHashMap<&'a [u8], u32>,
    /// The batch that is being read: P by position, and the batch as far as it is known.
    open: Option<(usize, Batch)>,
    /// Whether that one has events.
    events: bool,
    first_ts: Option<u64>,
    bad_records: u64,
    strange_batches: u64,
    strays: u64,
    stray_bytes: usize,
}

impl<'a> Scanner<'a> {
    fn new(data: &'a [u8], minor: u32) -> Scanner<'a> {
        Scanner {
            data,
            minor,
            until: data.len(),
            out: Scan::default(),
            proc_ids: FxHashMap::default(),
            message_ids: FxHashMap::default(),
            open: None,
            events: false,
            first_ts: None,
            bad_records: 0,
            strange_batches: 0,
            strays: 0,
            stray_bytes: 0,
        }
    }

    /// Reads records up to where it stops, or to a fault after which nothing makes sense any more; `pos` goes along.
    fn run(&mut self, pos: &mut usize) -> Option<(usize, Fault)> {
        if *pos >= self.data.len() {
            return Some((self.data.len(), Fault::Cut));
        }
        loop {
            match self.records(pos) {
                Ok(()) => {
                    if self.until == self.data.len() {
                        self.close(*pos);
                    }
                    return None;
                }
                Err(fault) => {
                    self.close(*pos);
                    let Some(next) = self.resync(*pos) else { return Some((*pos, fault)) };
                    self.strays += 1;
                    self.stray_bytes += next - *pos;
                    *pos = next;
                }
            }
        }
    }

    /// Where a batch seems to begin after `pos`, before anything was read.
    fn batch_after(&mut self, pos: usize) -> Option<usize> {
        let first = record(self.data, HEADER).ok().filter(|r| r.op == op::BATCH)?;
        let mut v = [0; 2];
        first.numbers(self.data, &mut v);
        self.first_ts = Some(v[1]);
        self.resync(pos)
    }

    /// Adds what another one has found, which began where this one stopped.
    fn take_over(&mut self, other: Scanner<'a>) {
        let Scan { procs, samples, exits, strings, stacks, messages, logs, frequency, .. } = other.out;
        for p in procs {
            match self.position(p.proc).and_then(|i| self.out.procs.get_mut(i)) {
                Some(known) => known.batches.extend(p.batches),
                None => self.strange_batches += p.batches.len() as u64,
            }
        }
        self.out.samples.extend(samples);
        self.out.exits.extend(exits);
        self.out.strings.extend(strings);
        self.out.stacks.extend(stacks);
        for (at, m) in logs {
            let id = self.message_id(messages[m as usize]);
            self.out.logs.push((at, id));
        }
        self.out.frequency = frequency.or(self.out.frequency);
        self.bad_records += other.bad_records;
        self.strange_batches += other.strange_batches;
        self.strays += other.strays;
        self.stray_bytes += other.stray_bytes;
    }

    fn records(&mut self, pos: &mut usize) -> Result<(), Fault> {
        let data = self.data;
        while *pos < self.until {
            let r = record(data, *pos)?;
            let Some(spec) = spec::spec(r.op, self.minor) else { return Err(Fault::Bad) };
            match spec.role {
                Role::Batch => {
                    self.close(*pos);
                    self.begin(&r)?;
                }
                Role::Table => self.table(&r),
                Role::Sample => self.sample(&r),
                Role::Event => {
                    if self.open.is_none() {
                        return Err(Fault::Bad);
                    }
                    self.events = true;
                    match r.op {
                        op::GO_SYS_EXIT => self.exit(&r, 3),
                        op::GO_SYS_EXIT_LOCAL => self.exit(&r, 2),
                        op::USER_LOG => self.message(&r),
                        _ => {}
                    }
                }
            }
            *pos = r.next;
        }
        Ok(())
    }

    fn begin(&mut self, r: &Record) -> Result<(), Fault> {
        let mut v = [0; 2];
        r.numbers(self.data, &mut v);
        let [proc, ts] = v;
        if proc != u64::MAX && proc > i32::MAX as u64 {
            return Err(Fault::Bad);
        }
        let p = self.position(proc).unwrap_or_else(|| {
            self.strange_batches += 1;
            usize::MAX
        });
        self.first_ts.get_or_insert(ts);
        self.open = Some((p, Batch { start: r.next, end: r.next, ts }));
        Ok(())
    }

    /// Position of a P, a new one if it is not known; none if there are too many.
    fn position(&mut self, proc: u64) -> Option<usize> {
        let procs = &mut self.out.procs;
        match self.proc_ids.get(&proc) {
            Some(&p) => Some(p),
            None if procs.len() < MAX_PROCS => {
                procs.push(ProcBatches { proc, batches: Vec::new() });
                self.proc_ids.insert(proc, procs.len() - 1);
                Some(procs.len() - 1)
            }
            None => None,
        }
    }

    /// Ends the open batch at `end`; one without events is not kept.
    fn close(&mut self, end: usize) {
        let events = std::mem::take(&mut self.events);
        if let Some((p, batch)) = self.open.take()
            && events
            && let Some(proc) = self.out.procs.get_mut(p)
        {
            proc.batches.push(Batch { end, ..batch });
        }
    }

    fn table(&mut self, r: &Record) {
        let mut v = [0; 2];
        let n = r.numbers(self.data, &mut v);
        match r.op {
            op::FREQUENCY => self.out.frequency = Some(v[0]),
            op::STRING => match text(self.data, r.end) {
                Ok((s, _)) if v[0] != 0 && !s.is_empty() => self.out.strings.push((v[0], s)),
                _ => self.bad_records += 1,
            },
            op::STACK if n == 2 => {
                let mut body = r.body;
                for _ in 0..2 {
                    _ = varint(self.data, &mut body);
                }
                // The runtime's numbers have 32 bits.
                self.out.stacks.push((v[0] & 0xffff_ffff, Record { body, ..*r }));
            }
            op::TIMER_GOROUTINE => {}
            _ => self.bad_records += 1,
        }
    }

    fn sample(&mut self, r: &Record) {
        let mut v = [0; 5];
        if r.numbers(self.data, &mut v) < 5 {
            self.bad_records += 1;
            return;
        }
        let [_, ts, proc, go, stack] = v;
        self.out.samples.push(Sample { ts, proc, go, stack: stack & 0xffff_ffff });
    }

    fn exit(&mut self, r: &Record, args: usize) {
        let mut v = [0; 4];
        if r.numbers(self.data, &mut v[..args + 1]) == args + 1 && v[args] != 0 {
            self.out.exits.push(Exit { ts: v[args], go: v[1] });
        }
    }

    fn message(&mut self, r: &Record) {
        let Ok((message, _)) = text(self.data, r.end) else { return };
        let id = self.message_id(message);
        self.out.logs.push((r.end, id));
    }

    fn message_id(&mut self, message: &'a [u8]) -> u32 {
        let messages = &mut self.out.messages;
        *self.message_ids.entry(message).or_insert_with(|| {
            messages.push(message);
            messages.len() as u32 - 1
        })
    }

    /// The next position after `pos` that reads like the start of a batch of this trace.
    fn resync(&self, pos: usize) -> Option<usize> {
        /// As many records have to follow the batch's header as records (or fewer up to the end of the file).
        const PROOF: usize = 16;
        let data = self.data;
        (pos + 1..data.len()).filter(|&at| data[at] == op::BATCH | 1 << 6).find(|&at| {
            let Ok(r) = record(data, at) else { return false };
            let mut v = [0; 2];
            r.numbers(data, &mut v);
            // The clock counts from the boot of the traced machine: times of this trace are large and lie close together.
            let first = self.first_ts.unwrap_or(v[1]);
            if v[0] != u64::MAX && v[0] > 1 << 16 || v[1] < first || v[1] - first > 1 << 48 {
                return false;
            }
            let mut next = r.next;
            for _ in 0..PROOF {
                if next == data.len() {
                    break;
                }
                match record(data, next) {
                    Ok(r) if spec::spec(r.op, self.minor).is_some() => next = r.next,
                    // A file may be cut off as well.
                    Err(Fault::Cut) => break,
                    _ => return false,
                }
            }
            true
        })
    }

    fn error(&self, at: usize, fault: Fault) -> Error {
        let kind = match (fault, self.data.get(at)) {
            (Fault::Cut, _) | (_, None) => ErrorKind::Truncated("the first record"),
            (Fault::Bad, Some(b)) => ErrorKind::UnknownEvent(b & 0x3f),
        };
        Error::new(at as u64, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_halves_say_what_the_whole_says_wherever_they_meet() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/v1");
        let mut met = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "trace") {
                continue;
            }
            let mut data = std::fs::read(&path).unwrap();
            let minor = std::str::from_utf8(&data[5..7]).unwrap().trim().parse().unwrap_or(7);
            for damage in [false, true] {
                if damage {
                    // In the middle of a batch, and at the end.
                    let at = data.len() / 3;
                    data[at..at + 9].fill(0xff);
                    data.truncate(data.len() - 5);
                }
                let told = |middle| {
                    let (s, fault) = passed(&data, minor, middle);
                    format!("{fault:?} {:?}", finish(s, fault))
                };
                let whole = told(None);
                for k in 1..40 {
                    let middle = data.len() * k / 40;
                    assert_eq!(told(Some(middle)), whole, "{} from {middle}", path.display());
                    met += usize::from(Scanner::new(&data, minor).batch_after(middle).is_some());
                }
            }
        }
        assert!(met > 80, "only {met} times there was a second half");
    }
}
