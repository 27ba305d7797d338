//! The tables of one generation: strings, stacks, CPU samples, clock.
//!
//! Source: docs/format.md, section 3. Ids restart in every generation; here they become positions in [`Tables`].

use super::batch::{Batch, BatchKind, Generation};
use super::spec::structural as s;
use crate::base::Time;
use crate::input::Bytes;
use crate::wire::cursor::Cursor;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::NONE;
use crate::wire::tables::{Tables, WireFrame};
use rustc_hash::FxHashMap;

/// The most frames that a stack may have.
const MAX_FRAMES: u64 = 1000;
/// The longest string that is kept; Go writes at most 1024 bytes.
const MAX_STRING: u64 = 64 << 10;
/// Clock units a second where nothing says otherwise: Go's clock of 64 ns on every system but Windows.
const USUAL_FREQUENCY: u64 = 15_625_000;

/// From a file's ids to positions. Dense ids are a plain table; anything else goes through a hash map, so that no id
/// sizes anything.
#[derive(Clone, Debug, Default)]
pub struct IdMap {
    dense: Vec<u32>,
    sparse: FxHashMap<u64, u32>,
}

impl IdMap {
    fn new(ids: &[u64]) -> IdMap {
        let limit = ids.len() as u64 * 4 + 1024;
        let top = ids.iter().copied().filter(|&i| i < limit).max().map_or(0, |m| m as usize + 1);
        let mut map = IdMap { dense: vec![NONE; top], sparse: FxHashMap::default() };
        for (pos, &id) in ids.iter().enumerate() {
            match map.dense.get_mut(id as usize).filter(|_| id < limit) {
                Some(slot) => *slot = pos as u32,
                None => _ = map.sparse.insert(id, pos as u32),
            }
        }
        map
    }

    /// The position of an id; `NONE` for id 0 and unknown ids.
    #[inline]
    pub fn get(&self, id: u64) -> u32 {
        match self.dense.get(id as usize) {
            Some(&pos) if id <= u32::MAX as u64 => pos,
            // A generation that is cut off has no tables, and this is asked for each of its events.
            _ if self.sparse.is_empty() => NONE,
            _ => self.sparse_get(id),
        }
    }

    #[cold]
    fn sparse_get(&self, id: u64) -> u32 {
        self.sparse.get(&id).copied().unwrap_or(NONE)
    }
}

/// One hit of the CPU profiler's signal, as the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Clock units.
    pub ts: u64,
    /// Thread.
    pub thread: u64,
    /// P, `u64::MAX` if none.
    pub proc: u64,
    /// Goroutine, 0 if none.
    pub go: u64,
    /// Position of the stack.
    pub stack: u32,
}

/// The latest instant, in ns: `Time::MAX` means "never".
const LATEST: u64 = i64::MAX as u64 - 1;

/// From clock units to nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Units a second.
    pub frequency: u64,
    /// Nanoseconds a unit, where that is a whole number.
    whole: u64,
    /// What is added to every time, in ns: where a clock was set back, or several recordings are shown one after the other.
    shift: i64,
    /// The last instant, in clock units, up to which nothing has to be rounded and nothing can overflow.
    plain: u64,
}

impl ClockSnapshot {
    /// The wall clock in ns since 1970.
    pub fn wall_ns(&self) -> u64 {
        self.wall_sec.saturating_mul(1_000_000_000).saturating_add(self.wall_nsec)
    }
}

impl Clock {
    /// A clock of so many units a second.
    pub fn new(frequency: u64) -> Clock {
        let frequency = frequency.max(1);
        let whole = if 1_000_000_000 % frequency == 0 { 1_000_000_000 / frequency } else { 0 };
        Clock { frequency, whole, shift: 0, plain: 0 }.shifted(0)
    }

    /// The same, `shift` ns later.
    pub fn shifted(self, shift: i64) -> Clock {
        let plain = LATEST.saturating_sub(shift.unsigned_abs()).checked_div(self.whole).unwrap_or(0);
        Clock { shift, plain, ..self }
    }

    /// An instant in clock units as nanoseconds.
    #[inline(always)]
    pub fn time(&self, ts: u64) -> Time {
        if ts < self.plain {
            return Time((ts * self.whole) as i64 + self.shift);
        }
        self.time_at_large(ts)
    }

    /// The first instant, in clock units, that is not before `time`: all before it are. `u64::MAX` if there is none.
    #[inline(always)]
    pub fn first_at(&self, time: Time) -> u64 {
        if time == Time::MAX {
            return u64::MAX;
        }
        let ns = time.0.saturating_sub(self.shift);
        let ts = u64::try_from(ns).unwrap_or(u64::MAX).div_ceil(self.whole.max(1));
        if ts < self.plain { ts } else { self.first_at_large(time) }
    }

    /// The same where something may have to be rounded, or cut off.
    #[inline(never)]
    fn first_at_large(&self, time: Time) -> u64 {
        let ns = u64::try_from(time.0.saturating_sub(self.shift)).unwrap_or(0);
        let ts = match self.whole {
            0 => (u128::from(ns) * u128::from(self.frequency)).div_ceil(1_000_000_000),
            whole => u128::from(ns.div_ceil(whole)),
        };
        let ts = u64::try_from(ts).unwrap_or(u64::MAX);
        let is_first = self.time(ts) >= time && ts.checked_sub(1).is_none_or(|before| self.time(before) < time);
        if is_first {
            return ts;
        }
        let (mut from, mut to) = (0, u64::MAX);
        while from < to {
            let middle = from + (to - from) / 2;
            if self.time(middle) >= time {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        from
    }

    #[inline(never)]
    fn time_at_large(&self, ts: u64) -> Time {
        if self.whole != 0 {
            Time((ts.saturating_mul(self.whole).min(LATEST) as i64).saturating_add(self.shift).min(LATEST as i64))
        } else {
            let ns = u128::from(ts) * 1_000_000_000 / u128::from(self.frequency);
            Time((ns.min(u128::from(LATEST)) as i64).saturating_add(self.shift).min(LATEST as i64))
        }
    }
}

/// The clocks at one instant, from Go 1.25 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClockSnapshot {
    /// The trace's clock, in units.
    pub ts: u64,
    /// `CLOCK_MONOTONIC` in ns.
    pub mono_ns: u64,
    /// Seconds since 1970.
    pub wall_sec: u64,
    /// Nanoseconds of the second.
    pub wall_nsec: u64,
}

/// A generation's tables, ready for its events.
#[derive(Clone, Debug)]
pub struct GenTables {
    /// Strings and stacks by position; goroutines, procs and threads are the orderer's to fill.
    pub tables: Tables,
    /// Positions of strings by the file's ids.
    pub string_ids: IdMap,
    /// Positions of stacks by the file's ids.
    pub stack_ids: IdMap,
    /// CPU samples, sorted by time.
    pub samples: Vec<Sample>,
    /// The clock.
    pub clock: Clock,
    /// The clocks at the generation's start.
    pub snapshot: Option<ClockSnapshot>,
    /// Batches of experiments by number, and how many bytes they have.
    pub experiments: FxHashMap<u8, u64>,
    /// What was wrong in the tables.
    pub faults: Vec<Error>,
}

/// What a generation whose own tables are missing may take from an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Fallback {
    /// Clock frequency.
    pub frequency: Option<u64>,
    /// The strings of ids that are the same in every generation (reasons, labels).
    pub strings: Vec<(u64, Vec<u8>)>,
}

/// Ids up to this are given before a generation starts, in the same order every time.
const REGISTERED_IDS: u64 = 40;

/// Memory that a frame takes while stacks are read, in bytes: its four numbers, the room that a growing list of them has to
/// spare, and what is made of them.
const FRAME_ROOM: usize = 80;

impl GenTables {
    /// About how many bytes of memory the stacks of `generation` take while they are read.
    pub fn room_for_stacks(data: &Bytes, generation: &Generation) -> usize {
        let stacks = generation.batches.iter().filter(|b| b.kind == BatchKind::Stacks);
        // The last byte of a number is the one without the high bit.
        let numbers: usize = stacks
            .map(|b| data.get(b.offset..b.offset + b.len as usize).iter().filter(|byte| **byte < 0x80).count())
            .sum();
        numbers / 4 * FRAME_ROOM
    }

    /// Reads the structural batches of `generation`.
    pub fn read(data: &Bytes, generation: &Generation, fallback: &Fallback) -> GenTables {
        let mut r = Reader::default();
        for b in &generation.batches {
            let len = match b.kind {
                // Not part of the tables, and most of the file.
                BatchKind::Events | BatchKind::Experiment(_) => 0,
                _ => b.len as usize,
            };
            let body = data.get(b.offset..b.offset + len);
            let mut c = Cursor::new(&body, b.offset as u64);
            let done = match b.kind {
                BatchKind::Strings => r.strings(&mut c),
                BatchKind::Stacks => r.stacks(&mut c),
                BatchKind::Samples => r.samples(&mut c),
                BatchKind::Clock => r.clock(&mut c, b),
                BatchKind::Experiment(e) => {
                    *r.experiments.entry(e).or_default() += u64::from(b.len);
                    Ok(())
                }
                BatchKind::Events => continue,
            };
            if let Err(e) = done {
                r.faults.push(e);
            }
        }
        r.finish(fallback)
    }

    /// What a later generation may need if its own tables are missing.
    pub fn fallback(&self) -> Fallback {
        let strings = (1..=REGISTERED_IDS)
            .filter_map(|id| {
                let pos = self.string_ids.get(id);
                (pos != NONE).then(|| (id, self.tables.strings.get(pos).to_vec()))
            })
            .collect();
        Fallback { frequency: Some(self.clock.frequency), strings }
    }
}

#[derive(Default)]
struct Reader {
    tables: Tables,
    string_ids: Vec<u64>,
    stack_ids: Vec<u64>,
    /// Function and file of each frame, still as the file's ids.
    frames: Vec<(u64, u64, u64, u64)>,
    stack_ends: Vec<usize>,
    samples: Vec<(Sample, u64)>,
    frequency: Option<u64>,
    snapshot: Option<ClockSnapshot>,
    experiments: FxHashMap<u8, u64>,
    faults: Vec<Error>,
}

fn expect(c: &mut Cursor, want: u8, what: &'static str) -> Result<(), Error> {
    let at = c.offset();
    match c.byte(what)? {
        b if b == want => Ok(()),
        b => Err(Error::new(at, ErrorKind::Invalid(format!("expected {what}, found record type {b}")))),
    }
}

impl Reader {
    fn strings(&mut self, c: &mut Cursor) -> Result<(), Error> {
        expect(c, s::STRINGS, "a string table")?;
        while !c.at_end() {
            expect(c, s::STRING, "a string")?;
            let id = c.varint("a string")?;
            let len = c.varint("a string")?;
            if len > MAX_STRING {
                return Err(Error::new(c.offset(), ErrorKind::Invalid(format!("a string of {len} bytes"))));
            }
            self.tables.strings.push(c.take(len, "a string")?);
            self.string_ids.push(id);
        }
        Ok(())
    }

    fn stacks(&mut self, c: &mut Cursor) -> Result<(), Error> {
        expect(c, s::STACKS, "a stack table")?;
        while !c.at_end() {
            expect(c, s::STACK, "a stack")?;
            let id = c.varint("a stack")?;
            let n = c.varint("a stack")?;
            if n > MAX_FRAMES {
                return Err(Error::new(c.offset(), ErrorKind::Invalid(format!("a stack of {n} frames"))));
            }
            let start = self.frames.len();
            for _ in 0..n {
                let mut v = [0u64; 4];
                for x in &mut v {
                    match c.varint("a stack") {
                        Ok(n) => *x = n,
                        Err(e) => {
                            self.frames.truncate(start);
                            return Err(e);
                        }
                    }
                }
                self.frames.push((v[0], v[1], v[2], v[3]));
            }
            self.stack_ids.push(id);
            self.stack_ends.push(self.frames.len());
        }
        Ok(())
    }

    fn samples(&mut self, c: &mut Cursor) -> Result<(), Error> {
        expect(c, s::CPU_SAMPLES, "CPU samples")?;
        while !c.at_end() {
            expect(c, s::CPU_SAMPLE, "a CPU sample")?;
            let mut v = [0u64; 5];
            for x in &mut v {
                *x = c.varint("a CPU sample")?;
            }
            // Every version writes thread, P, goroutine in this order, whatever its own table of names says.
            let [ts, thread, proc, go, stack] = v;
            self.samples.push((Sample { ts, thread, proc, go, stack: NONE }, stack));
        }
        Ok(())
    }

    fn clock(&mut self, c: &mut Cursor, b: &Batch) -> Result<(), Error> {
        while !c.at_end() {
            let at = c.offset();
            match c.byte("a clock record")? {
                s::SYNC => {}
                s::FREQUENCY => {
                    let f = c.varint("a frequency")?;
                    if f == 0 {
                        return Err(Error::new(at, ErrorKind::Invalid("a clock of no units a second".into())));
                    }
                    self.frequency.get_or_insert(f);
                }
                s::CLOCK_SNAPSHOT => {
                    let dt = c.varint("a clock snapshot")?;
                    let mono_ns = c.varint("a clock snapshot")?;
                    let wall_sec = c.varint("a clock snapshot")?;
                    let wall_nsec = c.varint("a clock snapshot")?;
                    let ts = b.ts.saturating_add(dt);
                    self.snapshot.get_or_insert(ClockSnapshot { ts, mono_ns, wall_sec, wall_nsec });
                }
                t => return Err(Error::new(at, ErrorKind::Invalid(format!("record type {t} in a clock batch")))),
            }
        }
        Ok(())
    }

    fn finish(mut self, fallback: &Fallback) -> GenTables {
        if self.string_ids.is_empty() {
            for (id, text) in &fallback.strings {
                self.tables.strings.push(text);
                self.string_ids.push(*id);
            }
        }
        let string_ids = IdMap::new(&self.string_ids);
        let mut start = 0;
        for &end in &self.stack_ends {
            self.tables.stacks.push(self.frames[start..end].iter().map(|&(pc, func, file, line)| WireFrame {
                pc,
                func: string_ids.get(func),
                file: string_ids.get(file),
                line: u32::try_from(line).unwrap_or(0),
            }));
            start = end;
        }
        let stack_ids = IdMap::new(&self.stack_ids);
        let mut samples: Vec<Sample> =
            self.samples.into_iter().map(|(s, stack)| Sample { stack: stack_ids.get(stack), ..s }).collect();
        samples.sort_by_key(|s| s.ts);
        let frequency = self.frequency.or(fallback.frequency).unwrap_or(USUAL_FREQUENCY);
        GenTables {
            tables: self.tables,
            string_ids,
            stack_ids,
            samples,
            clock: Clock::new(frequency),
            snapshot: self.snapshot,
            experiments: self.experiments,
            faults: self.faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_near_the_end_of_u64_size_nothing() {
        let m = IdMap::new(&[1, 2, u64::MAX - 1, 1 << 40]);
        assert_eq!((m.get(1), m.get(2), m.get(u64::MAX - 1), m.get(1 << 40)), (0, 1, 2, 3));
        assert_eq!((m.get(0), m.get(3), m.get(u64::MAX)), (NONE, NONE, NONE));
    }

    #[test]
    fn clocks_convert_exactly() {
        assert_eq!(Clock::new(15_625_000).time(3), Time(192));
        assert_eq!(Clock::new(3_000_000_000).time(3_000_000_001), Time(1_000_000_000));
        assert!(Clock::new(15_625_000).time(u64::MAX) < Time::MAX);
    }

    #[test]
    fn the_first_instant_that_is_not_before_a_time_is_the_first() {
        let clocks = [15_625_000, 1_000_000_000, 10_000_000, 2_419_200_123, 3, 1 << 40].map(Clock::new);
        let shifts = [0, 7, -1_000_000, i64::MAX / 3];
        let times =
            [i64::MIN, -1, 0, 1, 63, 64, 65, 999_999_999, 1 << 50, LATEST as i64 - 1, LATEST as i64, i64::MAX - 1];
        for clock in clocks.into_iter().flat_map(|c| shifts.map(|s| c.shifted(s))) {
            for time in times.map(Time) {
                let ts = clock.first_at(time);
                assert!(ts == u64::MAX || clock.time(ts) >= time, "{clock:?} {time:?} {ts}");
                assert!(ts == 0 || clock.time(ts - 1) < time, "{clock:?} {time:?} {ts}");
            }
            assert_eq!(clock.first_at(Time::MAX), u64::MAX);
        }
    }
}
