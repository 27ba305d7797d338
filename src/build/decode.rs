//! One face for the two families of trace formats, for one recording: units that are decoded one after the other,
//! checkpoints, tables.

use crate::base::memory::Most;
use crate::base::{Time, text};
use crate::input::{self, Bytes, Peek};
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::Events;
use crate::wire::tables::Tables;
use crate::wire::v1;
use crate::wire::v2::batch;
use crate::wire::v2::batch::{BatchKind, Generation, Scan};
use crate::wire::v2::generation::{Fallback, GenTables};
use crate::wire::v2::order;
use crate::wire::v2::order::{Cut, Orderer};
use crate::wire::v2::spec::VERSIONS;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A recording, taken apart as far as its headers allow.
pub(crate) enum Format {
    /// Go 1.22 and later: a unit is a generation.
    V2 { minor: u32, scan: Scan },
    /// Before: the whole recording is one unit, and held in memory: its records lead from one to the next all over it.
    V1(Box<v1::Layout>, Held),
}

/// A stretch of bytes in memory.
pub(crate) struct Held {
    bytes: Bytes,
    range: Range<usize>,
}

impl Deref for Held {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.held().and_then(|b| b.get(self.range.clone())).unwrap_or_default()
    }
}

impl Held {
    fn new(data: &Bytes, range: Range<usize>) -> Held {
        match data.held() {
            Some(_) => Held { bytes: data.clone(), range },
            None => {
                let bytes = data.get(range).into_owned();
                Held { range: 0..bytes.len(), bytes: Bytes::Memory(bytes.into()) }
            }
        }
    }
}

/// A unit's tables.
#[derive(Clone)]
pub(crate) enum UnitTables<'a> {
    V2(Arc<GenTables>),
    V1(&'a v1::Layout),
}

impl UnitTables<'_> {
    /// Strings and stacks.
    pub fn tables(&self) -> &Tables {
        match self {
            UnitTables::V2(t) => &t.tables,
            UnitTables::V1(l) => &l.tables,
        }
    }
}

/// A decoder in the middle of a unit.
pub(crate) enum Machine<'a> {
    V2(Box<Orderer<'a>>),
    V1(Box<v1::Decoder<'a>>),
}

/// Where a decoder stands.
pub(crate) enum Checkpoint {
    V2(order::Checkpoint),
    V1(Box<v1::Checkpoint>),
}

/// How many generations back a table is looked for that a generation lacks.
const LOOK_BACK: usize = 4;
/// At most this many places of the same kind of loss are told one by one.
const MAX_PLACES: usize = 3;

impl Format {
    /// Takes the recording whose header lies at `at` apart. For the newer family that reads headers only; the older one has
    /// none, and is passed over once. Returns where the recording ends, too.
    pub fn open(data: &Bytes, at: usize, most: Option<Most>) -> Result<(Format, usize), Error> {
        let minor = input::header(&data.get(at..at.saturating_add(input::HEADER)))
            .ok_or(Error::new(at as u64, ErrorKind::NotATrace))?;
        if VERSIONS.contains(&minor) {
            let scan = batch::scan_within(data, at, minor, most)?;
            let end = scan.end;
            return Ok((Format::V2 { minor, scan }, end));
        }
        if v1::VERSIONS.contains(&minor) || minor == 5 {
            let end = Peek::into(data).next_header(at + input::HEADER, data.len()).unwrap_or(data.len());
            let held = Held::new(data, at..end);
            return Ok((Format::V1(Box::new(v1::Layout::read(&held, minor)?), held), end));
        }
        Err(Error::new(at as u64 + 5, ErrorKind::UnknownVersion(minor)))
    }

    /// Minor version of the header.
    pub fn minor(&self) -> u32 {
        match self {
            Format::V2 { minor, .. } => *minor,
            Format::V1(l, _) => l.minor,
        }
    }

    /// How many units there are.
    pub fn units(&self) -> usize {
        match self {
            Format::V2 { scan, .. } => scan.generations.len(),
            Format::V1(..) => 1,
        }
    }

    /// Bytes of events in unit `i`.
    pub fn bytes(&self, i: usize) -> u64 {
        match self {
            Format::V2 { scan, .. } => scan.generations[i].bytes(),
            Format::V1(..) => 1,
        }
    }

    /// The times of the first batch and of the last, as far as headers tell; nothing if there is none.
    pub fn span(&self, units: Range<usize>) -> Option<(i64, i64)> {
        match self {
            Format::V2 { scan, .. } => {
                let all = || scan.generations[units.clone()].iter().flat_map(|g| g.batches.iter().map(|b| b.ts));
                Some((time(all().min()?), time(all().max()?)))
            }
            Format::V1(layout, _) => {
                let (from, to) = layout.span();
                Some((from.0, to.0))
            }
        }
    }

    /// The time of the last batch of unit `i` that a thread wrote events to; nothing if there is none, or the format has no
    /// such batches.
    pub fn last_of_threads(&self, i: usize) -> Option<i64> {
        match self {
            Format::V2 { scan, .. } => scan.generations[i].times().max().map(time),
            Format::V1(..) => None,
        }
    }

    /// When unit `i` begins.
    pub fn start(&self, i: usize, tables: &UnitTables) -> Time {
        match (self, tables) {
            (Format::V2 { scan, .. }, UnitTables::V2(t)) => {
                t.clock.time(scan.generations[i].batches.iter().map(|b| b.ts).min().unwrap_or(0))
            }
            (Format::V1(layout, _), _) => Time(layout.clock.shift),
            _ => Time(0),
        }
    }

    /// About how many bytes of memory reading the tables of unit `i` takes; 0 for formats that have none.
    pub fn room_for_tables(&self, data: &Bytes, i: usize) -> usize {
        match self {
            Format::V1(..) => 0,
            Format::V2 { scan, .. } => GenTables::room_for_stacks(data, &scan.generations[i]),
        }
    }

    /// Reads the tables of unit `i`, whose clock is shown `shift` ns later than it says. Returns them and how many bytes they
    /// are made of.
    pub fn read_tables(&self, data: &Bytes, i: usize, shift: i64) -> (UnitTables<'_>, usize) {
        match self {
            Format::V1(l, _) => (UnitTables::V1(l), 0),
            Format::V2 { scan, .. } => {
                let g = &scan.generations[i];
                // Tables come last in a generation: one that is cut off has to borrow what all generations have alike.
                let earlier = if g.whole { &[] } else { &scan.generations[i.saturating_sub(LOOK_BACK)..i] };
                let lender = earlier.iter().rev().find(|g| g.batches.iter().any(|b| b.kind == BatchKind::Strings));
                let fallback = lender
                    .map_or_else(Fallback::default, |g| GenTables::read(data, g, &Fallback::default()).fallback());
                let bytes = g.batches.iter().filter(|b| b.kind != BatchKind::Events).map(|b| b.len as usize).sum();
                let mut tables = GenTables::read(data, g, &fallback);
                tables.clock = tables.clock.shifted(shift);
                if shift != 0 {
                    keep_near(&mut tables, g, shift);
                }
                (UnitTables::V2(Arc::new(tables)), bytes)
            }
        }
    }

    /// A decoder of unit `i`, at its beginning or at a checkpoint.
    pub fn machine<'a>(
        &'a self,
        data: &'a Bytes,
        i: usize,
        tables: &'a UnitTables<'a>,
        from: Option<&Checkpoint>,
    ) -> Machine<'a> {
        match (self, tables, from) {
            (Format::V2 { minor, scan }, UnitTables::V2(t), Some(Checkpoint::V2(c))) => {
                let cut = cut(*minor, scan, i, t);
                Machine::V2(Box::new(Orderer::resume(data, &scan.generations[i], t, cut, c)))
            }
            (Format::V2 { minor, scan }, UnitTables::V2(t), _) => {
                let cut = cut(*minor, scan, i, t);
                Machine::V2(Box::new(Orderer::new(data, &scan.generations[i], t, cut)))
            }
            (Format::V1(layout, held), _, Some(Checkpoint::V1(c))) => {
                Machine::V1(Box::new(v1::Decoder::resume(held, layout, c)))
            }
            (Format::V1(layout, held), ..) => Machine::V1(Box::new(v1::Decoder::new(held, layout))),
            (Format::V2 { .. }, UnitTables::V1(_), _) => unreachable!("a format's tables are of its own family"),
        }
    }

    /// What headers alone say is lost of the recording, which ends at `size`.
    pub fn losses(&self, size: u64) -> Vec<String> {
        match self {
            Format::V1(l, _) => l.losses.clone(),
            Format::V2 { scan, .. } => {
                let stray = |&(at, n): &(usize, usize)| {
                    format!("{n} bytes at byte {at} are no part of a trace and were passed over")
                };
                let mut out: Vec<String> = scan.strays.iter().take(MAX_PLACES).map(stray).collect();
                if let Some(more @ [_, ..]) = scan.strays.get(MAX_PLACES..) {
                    let bytes = more.iter().map(|s| s.1 as u64).sum();
                    let places = more.len();
                    out.push(format!("so were {} in {places} other places", text::bytes(bytes)));
                }
                if let Some(e) = &scan.error {
                    // A batch that is cut off is read as far as it goes, with its generation.
                    let last = scan.generations.last();
                    let read = last.map_or(batch::HEADER, |g| g.end) as u64;
                    let told = last.is_some_and(|g| !g.whole) && matches!(e.kind, ErrorKind::Truncated(_));
                    if read < size && !told {
                        out.push(format!("the last {} could not be read: {e}", text::bytes(size - read)));
                    }
                }
                out
            }
        }
    }

    /// What is known to be lost of unit `i` once `machine` has read it.
    pub fn unit_losses(&self, i: usize, tables: &UnitTables, machine: &Machine) -> Vec<String> {
        match (self, tables, machine) {
            (Format::V2 { scan, .. }, UnitTables::V2(t), Machine::V2(o)) => {
                generation_losses(&scan.generations[i], t, o)
            }
            (_, _, Machine::V1(d)) => d.losses(),
            _ => Vec::new(),
        }
    }
}

/// Where a generation ends, as the next one says (from 1.25 on its clock batch comes first).
fn cut(minor: u32, scan: &Scan, i: usize, tables: &GenTables) -> Cut {
    let Some(next) = scan.generations.get(i + 1) else { return Cut::None };
    match next.clock() {
        Some(b) if minor >= 25 => Cut::At(tables.clock.time(b.ts)),
        _ => Cut::LastEvent,
    }
}

/// What is lost of a generation, in one sentence if it is only cut off.
fn generation_losses(g: &Generation, tables: &GenTables, o: &Orderer) -> Vec<String> {
    let n = g.number;
    let faults = o.faults;
    if !g.whole {
        let mut said = format!("generation {n} is cut off at byte {}: shown as far as it goes", g.end);
        if tables.tables.stacks.is_empty() {
            said += "; its stacks are unknown";
        }
        if faults > 0 {
            said += &format!("; {faults} of its events follow from others that are missing");
        }
        return vec![said];
    }
    let mut out: Vec<String> = tables.faults.iter().take(MAX_PLACES).map(|e| format!("generation {n}: {e}")).collect();
    if let Some(more @ [_, ..]) = tables.faults.get(MAX_PLACES..) {
        out.push(format!("generation {n}: {} more batches of its tables are damaged", more.len()));
    }
    if faults > 0 {
        let first = o.errors.first().map_or(String::new(), |e| format!(", first {e}"));
        out.push(format!(
            "generation {n}: {faults} events contradict the others and were passed over or forced{first}"
        ));
    }
    out
}

impl Checkpoint {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Checkpoint::V2(c) => c.bytes(),
            Checkpoint::V1(c) => c.bytes(),
        }
    }
}

impl Machine<'_> {
    /// Appends about `max` more events to `out`; false when there are none left.
    pub fn next(&mut self, out: &mut Events, max: usize) -> bool {
        match self {
            Machine::V2(o) => o.next(out, max),
            Machine::V1(d) => d.next(out, max),
        }
    }

    /// Goroutines, Ps and threads named so far.
    pub fn named(&self) -> &Tables {
        match self {
            Machine::V2(o) => &o.tables,
            Machine::V1(d) => d.tables(),
        }
    }

    /// The same once it has come to an end, without what it knew beside.
    pub fn into_named(self) -> Tables {
        match self {
            Machine::V2(o) => o.tables,
            Machine::V1(d) => d.tables().clone(),
        }
    }

    /// Where it stands.
    pub fn checkpoint(&self) -> Checkpoint {
        match self {
            Machine::V2(o) => Checkpoint::V2(o.checkpoint()),
            Machine::V1(d) => Checkpoint::V1(Box::new(d.checkpoint())),
        }
    }

    /// The part of its unit that it has read, 0 to 1, where that is known before the end.
    pub fn progress(&self) -> f64 {
        match self {
            Machine::V2(_) => 0.0,
            Machine::V1(d) => d.progress(),
        }
    }
}

/// CPU samples have times of their own, which need not have gone back with the clock of the batches: one that `shift` ns would
/// take away from its generation stays where it is.
fn keep_near(tables: &mut GenTables, g: &Generation, shift: i64) {
    let times = || g.batches.iter().map(|b| b.ts);
    let (Some(from), Some(to)) = (times().min(), times().max()) else { return };
    let units = i128::from(shift) * i128::from(tables.clock.frequency) / 1_000_000_000;
    let Ok(units) = i64::try_from(units) else { return };
    let away = |ts: u64| from.saturating_sub(ts).max(ts.saturating_sub(to));
    for s in &mut tables.samples {
        let kept = s.ts.saturating_add_signed(units.saturating_neg());
        if away(kept) < away(s.ts) {
            s.ts = kept;
        }
    }
    tables.samples.sort_by_key(|s| s.ts);
}

/// A batch's time, nanoseconds: units of 64 ns but on Windows, where this comes out somewhat too early or too late.
fn time(ts: u64) -> i64 {
    ts.saturating_mul(64).min(i64::MAX as u64) as i64
}
