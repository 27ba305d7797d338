//! What a file holds beside its events, ready for a decoder to start anywhere.

use super::VERSIONS;
use super::ids::IdMap;
use super::record::{Record, varint};
use super::scan::{self, Exit, ProcBatches, Sample, Scan};
use super::stream::{Head, Stream};
use crate::base::Time;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::NONE;
use crate::wire::tables::{Strings, Tables, WireFrame};

/// Ticks a second where a file does not say: that of a processor of 3 GHz, whose counter the runtime divides by 64.
const USUAL_FREQUENCY: u64 = 46_875_000;
/// Clocks are the same if their paces differ by less than one part in so many.
const SAME_PACE: f64 = 50.0;
/// The longest string that is kept, in bytes.
const MAX_STRING: usize = 64 << 10;
/// All strings together, in bytes: positions in the table have 32 bits.
const MAX_STRINGS: usize = 1 << 31;
/// The most frames that a stack may have.
const MAX_FRAMES: usize = 1000;

/// From ticks to nanoseconds since the first event.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The first event, in ticks.
    pub zero: u64,
    /// Nanoseconds a tick.
    pub ns_per_tick: f64,
    /// What is added to every time, in ns: where several recordings are shown one after the other.
    pub shift: i64,
}

impl Clock {
    /// An instant in ticks; the product is cut off as Go cuts it off.
    #[inline]
    pub fn time(self, ts: u64) -> Time {
        let ns = (ts.wrapping_sub(self.zero) as i64 as f64 * self.ns_per_tick) as i64;
        Time(ns.saturating_add(self.shift).min(i64::MAX - 1))
    }
}

/// Positions of the reasons that are event types in the old formats, by the type of the event.
#[derive(Clone, Copy, Debug)]
pub struct Reasons {
    pub(super) forever: u32,
    pub(super) preempted: u32,
    pub(super) gosched: u32,
    pub(super) sleep: u32,
    pub(super) send: u32,
    pub(super) receive: u32,
    pub(super) select: u32,
    pub(super) sync: u32,
    pub(super) cond: u32,
    pub(super) network: u32,
    pub(super) assist: u32,
}

/// Why the world was stopped, by the runtime's numbers of 1.21; earlier runtimes have the second and third, from 0 on.
/// Go's reader misspells "all goroutines stack trace", and so does this: a trace reads the same in both.
const STOPS: [&str; 17] = [
    "",
    "GC mark termination",
    "GC sweep termination",
    "write heap dump",
    "goroutine profile",
    "goroutine profile cleanup",
    "all goroutine stack trace",
    "read mem stats",
    "AllThreadsSyscall",
    "GOMAXPROCS",
    "start trace",
    "stop trace",
    "CountPagesInUse (test)",
    "ReadMetricsSlow (test)",
    "ReadMemStatsSlow (test)",
    "PageCachePagesLeaked (test)",
    "ResetDebugLog (test)",
];

/// Where everything in a file lies, and its tables. Does not change while events are decoded, and holds no event.
#[derive(Debug)]
pub struct Layout {
    /// Minor version of the format.
    pub minor: u32,
    /// All strings and stacks, those included that old events only imply; no goroutines, Ps or threads.
    pub tables: Tables,
    /// The clock.
    pub clock: Clock,
    /// Whether events are missing.
    pub damaged: bool,
    /// What could not be read, in plain sentences.
    pub losses: Vec<String>,
    /// The last event, in ticks.
    last: u64,
    /// Bytes of all batches.
    pub(super) bytes: u64,
    pub(super) procs: Vec<ProcBatches>,
    pub(super) samples: Vec<Sample>,
    pub(super) exits: Vec<Exit>,
    pub(super) strings: IdMap,
    pub(super) stacks: IdMap,
    pub(super) reasons: Reasons,
    stops: Vec<u32>,
    /// Positions of log messages by the offset of their record's end, ascending.
    messages: Vec<(usize, u32)>,
}

impl Layout {
    /// Passes over a whole file with its header, whose minor version is `minor`.
    ///
    /// # Errors
    ///
    /// If nothing can be had from the file: it is of Go 1.5 or 1.6, of an unknown version, or has not one whole record.
    pub fn read(data: &[u8], minor: u32) -> Result<Layout, Error> {
        match minor {
            5 | 6 => {
                let why = "a trace of Go 1.5 or 1.6 holds no function names: it can only be read beside its program";
                return Err(Error::new(0, ErrorKind::Unsupported(why)));
            }
            _ if VERSIONS.contains(&minor) => {}
            _ => return Err(Error::new(5, ErrorKind::UnknownVersion(minor))),
        }
        let mut scan = scan::scan(data, minor)?;
        let mut losses = std::mem::take(&mut scan.losses);
        let mut tables = Tables::default();
        let (strings, messages) = fill_strings(&mut scan, &mut tables.strings, &mut losses);
        let stacks = fill_stacks(data, &scan.stacks, &strings, &mut tables);
        let frequency = scan.frequency.filter(|&f| f > 0 && f <= i64::MAX as u64);
        if frequency.is_none() {
            losses.push(
                "the end of the file is missing, which holds the clock's frequency and the stacks: \
                 times are guessed (46.875 million ticks a second), stacks are unknown"
                    .into(),
            );
        }
        let mut add = |s: &str| if s.is_empty() { NONE } else { tables.strings.push(s.as_bytes()) };
        let reasons = Reasons {
            forever: add("forever"),
            preempted: add("preempted"),
            gosched: add("runtime.Gosched"),
            sleep: add("sleep"),
            send: add("chan send"),
            receive: add("chan receive"),
            select: add("select"),
            sync: add("sync"),
            cond: add("sync.(*Cond).Wait"),
            network: add("network"),
            assist: add("GC mark assist wait for work"),
        };
        let stops = STOPS.map(add).to_vec();
        let (zero, last) = span(data, &scan);
        let batches = scan.procs.iter().flat_map(|p| &p.batches);
        Ok(Layout {
            minor,
            tables,
            bytes: batches.map(|b| (b.end - b.start) as u64).sum(),
            last,
            clock: Clock { zero, ns_per_tick: 1e9 / frequency.unwrap_or(USUAL_FREQUENCY) as f64, shift: 0 },
            damaged: scan.damaged || frequency.is_none(),
            losses,
            procs: scan.procs,
            samples: scan.samples,
            exits: scan.exits,
            strings,
            stacks,
            reasons,
            stops,
            messages,
        })
    }

    /// The times of the first event and of the last, or what the clocks of damaged files make of them.
    pub fn span(&self) -> (Time, Time) {
        (self.clock.time(self.clock.zero), self.clock.time(self.last))
    }

    /// How long after the last event of another recording this one begins, in ns, where both were made by one clock that ran
    /// on: the counter goes up, and ran as fast. Nothing where that is not so, or a file does not say how fast.
    pub fn follows(&self, other: &Layout) -> Option<i64> {
        let ticks = self.clock.zero.checked_sub(other.last)?;
        let (a, b) = (self.clock.ns_per_tick, other.clock.ns_per_tick);
        // Each is measured over its recording, by two clocks that are not read at the very same time.
        let alike =
            !self.damaged && !other.damaged && self.minor == other.minor && (a - b).abs() <= a.max(b) / SAME_PACE;
        alike.then_some((ticks as f64 * (a + b) / 2.0) as i64)
    }

    /// The string that says why the world was stopped; `NONE` for a kind that the version does not have.
    pub(super) fn stop(&self, kind: u64) -> u32 {
        let known = if self.minor >= 21 { &self.stops[..] } else { &self.stops[1..3] };
        usize::try_from(kind).ok().and_then(|k| known.get(k)).copied().unwrap_or(NONE)
    }

    /// The message of the log record whose numbers end at `offset`.
    pub(super) fn message(&self, offset: u64) -> u32 {
        let found = self.messages.binary_search_by_key(&offset, |m| m.0 as u64);
        found.map_or(NONE, |i| self.messages[i].1)
    }
}

/// The first and the last event, in ticks.
fn span(data: &[u8], scan: &Scan) -> (u64, u64) {
    let (mut first, mut last) = (u64::MAX, 0);
    let mut see = |ts: u64| (first, last) = (first.min(ts), last.max(ts));
    for p in &scan.procs {
        let mut head = Head::default();
        if Stream::new().advance(data, &p.batches, &mut head, |_| NONE) {
            see(head.ts);
        }
        let end = &p.batches[p.batches.len().saturating_sub(1)..];
        let mut stream = Stream::new();
        while stream.advance(data, end, &mut head, |_| NONE) {
            see(head.ts);
        }
    }
    let aside = scan.samples.iter().map(|s| s.ts).chain(scan.exits.iter().map(|e| e.ts));
    aside.for_each(&mut see);
    if first > last { (0, 0) } else { (first, last) }
}

/// Moves strings and log messages into the table; says where each string number leads, and each message.
fn fill_strings(scan: &mut Scan, table: &mut Strings, losses: &mut Vec<String>) -> (IdMap, Vec<(usize, u32)>) {
    let mut room = MAX_STRINGS;
    let (mut left_out, mut cut) = (0u64, 0u64);
    let mut add = |s: &[u8]| {
        let kept = &s[..s.len().min(MAX_STRING)];
        if kept.len() > room {
            left_out += 1;
            return NONE;
        }
        cut += u64::from(kept.len() < s.len());
        room -= kept.len();
        table.push(kept)
    };
    let ids: Vec<(u64, u32)> = std::mem::take(&mut scan.strings).into_iter().map(|(id, s)| (id, add(s))).collect();
    let texts: Vec<u32> = std::mem::take(&mut scan.messages).into_iter().map(add).collect();
    let logs = std::mem::take(&mut scan.logs).into_iter();
    let messages = logs.map(|(at, m)| (at, texts.get(m as usize).copied().unwrap_or(NONE))).collect();
    if cut > 0 {
        losses.push(format!("{cut} strings of more than 64 KiB were cut"));
    }
    if left_out > 0 {
        losses.push(format!("{left_out} strings beyond 2 GiB were left out"));
    }
    (IdMap::new(&ids), messages)
}

/// Moves the stacks into the tables and says where each stack number leads.
fn fill_stacks(data: &[u8], stacks: &[(u64, Record)], strings: &IdMap, tables: &mut Tables) -> IdMap {
    let mut ids = Vec::with_capacity(stacks.len());
    let mut frames = Vec::new();
    for &(id, Record { body, end, .. }) in stacks {
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
        if id != 0 {
            ids.push((id, tables.stacks.push(frames.iter().copied())));
        }
    }
    IdMap::new(&ids)
}
