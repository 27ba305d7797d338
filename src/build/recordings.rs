//! The recordings of a file, one after the other on one line of time.
//!
//! A second header begins another recording: tracing was started and stopped again, or files were appended. Each is read
//! by its own version. Recordings of one process go on with its goroutines and its clock, and what lies between them was
//! not traced. Another process is another world, whose clock may say anything; where it says less than that of the
//! recording before, the recording is shown right after that one. So is a generation at which the clock goes back.

use super::decode::{Checkpoint, Format, Machine, UnitTables};
use crate::base::memory::Most;
use crate::base::{Duration, Time, text};
use crate::input::{self, Bytes};
use crate::model::grid::Scale;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::Events;
use crate::wire::v2::batch::Scan;
use std::ops::Range;

/// The most recordings that are looked at.
const MOST: usize = 10_000;
/// By how much a generation may begin before the last batch of the one before without that the clock is said to go back:
/// threads take notice of a new generation at different times.
const OVERLAP: i64 = 100_000_000;
/// Events that are decoded at once to find a unit's last one.
const CHUNK: usize = 16 << 10;

/// What lies between two recordings is shown at its length up to an hour, and up to a hundred times what was traced.
const FAR: i64 = 3_600_000_000_000;

/// The unit before, while the clocks are set.
#[derive(Clone, Copy)]
struct Before {
    recording: usize,
    unit: usize,
    shift: i64,
    /// When its last batch begins, as it is shown.
    latest: i64,
    /// When the first recording begins.
    start: i64,
}

/// How a unit's clock goes on from the one before.
#[derive(Default)]
struct Follows {
    /// What its clock is shifted by if it is another process's; else it is shifted as before.
    own_clock: Option<i64>,
    /// How long after the last event of the unit before it begins, where that is known and its clock does not tell.
    after: Option<i64>,
    /// It is shown right after the unit before; what to say of that.
    moved: Option<String>,
}

/// One recording: what lies between two headers.
struct Recording {
    /// Its number in the file, from 0 on.
    number: usize,
    format: Format,
    range: Range<usize>,
    /// Which process it is of, from 0 on.
    process: u32,
    /// How much later than its clock says each unit is shown, in ns.
    shifts: Vec<i64>,
}

/// A file of one recording or several.
pub(crate) struct Recordings {
    all: Vec<Recording>,
    /// Of each unit of the file its recording, and its number there.
    units: Vec<(u32, u32)>,
    /// What there is to say of the file, in plain sentences.
    notes: Vec<String>,
    /// How many recordings the file has; `all` may be only one of them.
    count: usize,
}

impl Recordings {
    /// Finds the recordings of a file, and takes them apart; with `only`, that one alone, by its number from 1 on.
    ///
    /// # Errors
    ///
    /// The file is none of a known version, there is no such recording, or what there is to know of its headers is more than
    /// memory may come to.
    pub fn open(data: &Bytes, only: Option<usize>, most: Option<Most>) -> Result<Recordings, Error> {
        if data.is_empty() {
            return Err(Error::new(0, ErrorKind::Empty));
        }
        let head = data.get(0..input::ENOUGH + input::HEADER);
        let first = match input::header(&head) {
            Some(_) => 0,
            None => input::behind_text(&head).ok_or(Error::new(0, ErrorKind::NotATrace))?.0,
        };
        let mut r = Recordings { all: Vec::new(), units: Vec::new(), notes: Vec::new(), count: 0 };
        if first > 0 {
            let what = if head.starts_with(b"HTTP/") { "HTTP headers" } else { "text" };
            r.notes.push(format!("{} of {what} before the trace's header were skipped", text::bytes(first as u64)));
        }
        let mut at = first;
        while at < data.len() {
            let number = r.count;
            let opened = Format::open(data, at, most);
            r.count += 1;
            match opened {
                Ok((format, end)) => {
                    let shifts = vec![0; format.units()];
                    if only.is_none_or(|n| n == number + 1) {
                        r.all.push(Recording { number, format, range: at..end, process: 0, shifts });
                    }
                    at = end;
                }
                Err(e) if number == 0 || matches!(e.kind, ErrorKind::Memory(_)) => return Err(e),
                Err(e) => {
                    r.notes.push(format!("recording {} could not be read: {e}", number + 1));
                    let next = input::Peek::into(data).next_header(at + input::HEADER, data.len());
                    let Some(next) = next else { break };
                    at = next;
                }
            }
            if r.count >= MOST && at < data.len() {
                r.notes.push(format!("the file holds more than {MOST} recordings: the rest was not read"));
                break;
            }
        }
        if let Some(n) = only {
            if r.all.is_empty() {
                let what = match r.count {
                    1 => "the file holds one recording".to_string(),
                    count => format!("the file holds {count} recordings"),
                };
                return Err(Error::new(0, ErrorKind::Invalid(format!("{what}: there is no recording {n}"))));
            }
            if r.count > 1 {
                r.notes.push(format!("recording {n} of {} in the file", r.count));
            }
        }
        // A unit is some bytes of the file, and files that are read are short enough for their number.
        r.units = (0..).zip(&r.all).flat_map(|(i, rec)| (0..rec.format.units() as u32).map(move |u| (i, u))).collect();
        r.set_clocks(data);
        Ok(r)
    }

    /// Says which process each recording is of, and where each lies in time.
    fn set_clocks(&mut self, data: &Bytes) {
        let mut before: Option<Before> = None;
        for i in 0..self.all.len() {
            for u in 0..self.all[i].format.units() {
                let Some((first, last)) = self.all[i].format.span(u..u + 1) else { continue };
                let last = self.all[i].format.last_of_threads(u).unwrap_or(last);
                let mut shift = 0;
                if let Some(b) = &before {
                    let follows = if b.recording == i {
                        self.generation_after(b, (i, u), first)
                    } else {
                        self.all[i].process = self.all[i - 1].process;
                        self.recording_after(b, i, first)
                    };
                    shift = b.shift;
                    if let Some(own) = follows.own_clock {
                        self.all[i].process += 1;
                        shift = own;
                    }
                    if let Some(after) = follows.after {
                        shift = b.latest.saturating_add(after).saturating_sub(first);
                    }
                    if let Some(note) = follows.moved {
                        let end = self.end(data, b.recording, b.unit).0;
                        // So much that the two are apart on the screen.
                        let gap = if b.recording == i { 0 } else { ((end - b.start) / 100).max(1_000_000) };
                        shift = end.saturating_add(gap).saturating_sub(first);
                        self.notes.push(note);
                    }
                }
                let rec = &mut self.all[i];
                rec.shifts[u] = shift;
                if let Format::V1(layout, _) = &mut rec.format {
                    layout.clock.shift = shift;
                }
                let start = before.map_or(first, |b| b.start);
                before = Some(Before { recording: i, unit: u, shift, latest: last.saturating_add(shift), start });
            }
        }
    }

    /// Where a generation lies beside the one before it in the same recording.
    fn generation_after(&self, b: &Before, (i, u): (usize, usize), first: i64) -> Follows {
        let mut follows = Follows::default();
        let begins = first.saturating_add(b.shift);
        if let (Format::V2 { scan, .. }, true) = (&self.all[i].format, begins.saturating_add(OVERLAP) < b.latest) {
            let g = &scan.generations[u];
            follows.moved = Some(format!(
                "the clock goes back by {} at generation {} (byte {}): what follows is shown as if it had not",
                Duration(b.latest - begins),
                g.number,
                g.batches.first().map_or(0, |b| b.offset),
            ));
        }
        follows
    }

    /// Where a recording lies beside the one before.
    fn recording_after(&self, b: &Before, i: usize, first: i64) -> Follows {
        if self.goes_on(i) {
            return Follows::default();
        }
        let (one, other) = (self.all[b.recording].number + 1, self.all[i].number + 1);
        let old = |r: usize| if let Format::V1(layout, _) = &self.all[r].format { Some(layout) } else { None };
        let (before, now) = (old(b.recording), old(i));
        // The times of old formats begin with each recording; the counter behind them runs on.
        let after = before.zip(now).and_then(|(before, now)| now.follows(before));
        let gap = after.unwrap_or_else(|| first.saturating_sub(b.latest));
        let moved = if after.is_none() && (before.is_some() || now.is_some()) {
            Some(format!("recording {other} has a clock of its own: shown right after recording {one}"))
        } else if gap < 0 {
            let by = Duration(-gap);
            Some(format!(
                "recording {other} begins {by} before recording {one} ends, by its clock: shown right after it"
            ))
        } else if gap > FAR && gap / 100 > b.latest - b.start {
            let by = Duration(gap);
            Some(format!("recording {other} begins {by} after recording {one}, by its clock: shown right after it"))
        } else {
            None
        };
        Follows { own_clock: Some(0), after, moved }
    }

    /// Whether recording `i` is of the process that the one before is of: a process counts its generations on, and its clock
    /// never goes back.
    fn goes_on(&self, i: usize) -> bool {
        let [.., a, b] = &self.all[..=i] else { return false };
        match (&a.format, &b.format) {
            (Format::V2 { minor: x, scan: a }, Format::V2 { minor: y, scan: b }) => {
                let (Some(last), Some(next)) = (a.generations.last(), b.generations.first()) else { return false };
                let clock = |g: &crate::wire::v2::batch::Generation| g.batches.iter().map(|b| b.ts).max();
                x == y && next.number > last.number && clock(next) >= clock(last)
            }
            _ => false,
        }
    }

    /// The time of the last event of a recording's unit, which is decoded for that.
    fn end(&self, data: &Bytes, recording: usize, unit: usize) -> Time {
        let rec = &self.all[recording];
        let (tables, _) = rec.format.read_tables(data, unit, rec.shifts[unit]);
        let mut machine = rec.format.machine(data, unit, &tables, None);
        let (mut events, mut last) = (Events::default(), Time(0));
        loop {
            events.clear();
            let more = machine.next(&mut events, CHUNK);
            last = events.rows.last().map_or(last, |r| last.max(r.time));
            if !more {
                return last;
            }
        }
    }

    fn of(&self, unit: usize) -> (&Recording, usize) {
        let (i, u) = self.units[unit];
        (&self.all[i as usize], u as usize)
    }

    /// How many units all recordings have.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// How many recordings the file has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The recording of unit `i`, and the process that it is of, both from 0 on.
    pub fn place(&self, i: usize) -> (usize, u32) {
        let (rec, _) = self.of(i);
        (rec.number, rec.process)
    }

    /// The format's minor version: of unit `i`, or of the first recording.
    pub fn minor(&self, i: usize) -> u32 {
        let rec = self.units.get(i).map_or(self.all.first(), |&(r, _)| self.all.get(r as usize));
        rec.map_or(0, |r| r.format.minor())
    }

    /// The scans of the recordings; nothing if one is of the old format.
    pub fn scans(&self) -> Option<Vec<&Scan>> {
        let scan = |r: &Recording| match &r.format {
            Format::V2 { .. } => true,
            Format::V1(..) => false,
        };
        self.all.iter().all(scan).then(|| {
            let scans = self.all.iter().filter_map(|r| match &r.format {
                Format::V2 { scan, .. } => Some(scan),
                Format::V1(..) => None,
            });
            scans.collect()
        })
    }

    /// Where the units that are `wanted` lie in the file, each recording's header before its own; what was passed over
    /// between generations is not in it. Nothing if one is of the old format, which has no units that stand alone.
    pub fn pieces(&self, wanted: impl Fn(usize) -> bool) -> Option<Vec<Range<usize>>> {
        let mut out = Vec::new();
        let mut headed = None;
        for i in (0..self.units.len()).filter(|i| wanted(*i)) {
            let (rec, u) = self.of(i);
            let Format::V2 { scan, .. } = &rec.format else { return None };
            let at = rec.range.start;
            if headed.replace(rec.number) != Some(rec.number) {
                out.push(at..at + input::HEADER);
            }
            let before = match u {
                0 => at + input::HEADER,
                _ => scan.generations[u - 1].end,
            };
            let end = scan.generations[u].end;
            let first = scan.generations[u].batches.first().map_or(end, |b| b.offset);
            // A stretch that was passed over lies before the first batch's header, or inside the generation.
            let strays = scan.strays.iter().map(|&(at, len)| at + len);
            let from = strays.filter(|&s| s > before && s <= first).max().unwrap_or(before);
            debug_assert!(from <= end, "unit {i}");
            out.push(from..end.max(from));
        }
        Some(out)
    }

    /// How many units are whole and will not change any more, whatever is appended to the file: of the last one it is not
    /// known where it ends, as the next one says that.
    pub fn settled(&self) -> usize {
        let Some(rec) = self.all.last() else { return 0 };
        let Format::V2 { minor, scan } = &rec.format else { return 0 };
        let told = scan.generations.last().is_some_and(|g| *minor < 25 || g.clock().is_some());
        self.units.len().saturating_sub(if told { 1 } else { 2 })
    }

    /// Where unit `i` begins in the file.
    pub fn offset(&self, i: usize) -> u64 {
        let (rec, u) = self.of(i);
        match &rec.format {
            Format::V1(..) => rec.range.start as u64,
            Format::V2 { scan, .. } => scan.generations[u].batches.first().map_or(0, |b| b.offset as u64),
        }
    }

    /// Bytes of events in unit `i`.
    pub fn bytes(&self, i: usize) -> u64 {
        let (rec, u) = self.of(i);
        match &rec.format {
            Format::V1(..) if self.units.len() > 1 => rec.range.len() as u64,
            format => format.bytes(u),
        }
    }

    /// A scale for the grid, as far as headers tell how long the trace is; at least as long as `expected`.
    pub fn scale(&self, expected: Duration) -> Scale {
        let spans = (0..self.units.len()).filter_map(|i| {
            let (rec, u) = self.of(i);
            let (from, to) = rec.format.span(u..u + 1)?;
            let shift = if matches!(rec.format, Format::V1(..)) { 0 } else { rec.shifts[u] };
            Some((from.saturating_add(shift), to.saturating_add(shift)))
        });
        let (from, to) = spans.fold((i64::MAX, i64::MIN), |(a, b), (x, y)| (a.min(x), b.max(y)));
        if from > to {
            return Scale::over(Time(0), Time(0));
        }
        Scale::over(Time(from), Time(to.max(from.saturating_add(expected.0))))
    }

    /// When unit `i` begins.
    pub fn start(&self, i: usize, tables: &UnitTables) -> Time {
        let (rec, u) = self.of(i);
        rec.format.start(u, tables)
    }

    /// About how many bytes of memory reading the tables of unit `i` takes.
    pub fn room_for_tables(&self, data: &Bytes, i: usize) -> usize {
        let (rec, u) = self.of(i);
        rec.format.room_for_tables(data, u)
    }

    /// Reads the tables of unit `i`. Returns them and how many bytes they are made of.
    pub fn read_tables(&self, data: &Bytes, i: usize) -> (UnitTables<'_>, usize) {
        let (rec, u) = self.of(i);
        rec.format.read_tables(data, u, rec.shifts[u])
    }

    /// A decoder of unit `i`, at its beginning or at a checkpoint.
    pub fn machine<'a>(
        &'a self,
        data: &'a Bytes,
        i: usize,
        tables: &'a UnitTables<'a>,
        from: Option<&Checkpoint>,
    ) -> Machine<'a> {
        let (rec, u) = self.of(i);
        rec.format.machine(data, u, tables, from)
    }

    /// What there is to say of the file, and what headers alone say is lost.
    pub fn losses(&self) -> Vec<String> {
        let mut out = self.notes.clone();
        for rec in &self.all {
            out.extend(rec.format.losses(rec.range.end as u64).into_iter().map(|s| self.named(rec, s)));
        }
        out
    }

    /// What is known to be lost of unit `i` once `machine` has read it.
    pub fn unit_losses(&self, i: usize, tables: &UnitTables, machine: &Machine) -> Vec<String> {
        let (rec, u) = self.of(i);
        rec.format.unit_losses(u, tables, machine).into_iter().map(|s| self.named(rec, s)).collect()
    }

    fn named(&self, rec: &Recording, what: String) -> String {
        if self.all.len() > 1 { format!("recording {}: {what}", rec.number + 1) } else { what }
    }

    /// Whether unit `i` is of the old format, which is handed in in several parts.
    pub fn in_parts(&self, i: usize) -> bool {
        matches!(self.of(i).0.format, Format::V1(..))
    }
}
