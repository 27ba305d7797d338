//! An open trace: the file, its index as far as it is built, and the segments decoded at the moment.

use super::cache::Cache;
use super::load::Committer;
use super::persist::Keep;
use super::plan::Plan;

use crate::base::codec::Digest;
use crate::base::memory::Most;
use crate::base::text;
use crate::base::{Duration, Time};
use crate::build::decode::UnitTables;
use crate::build::recordings::Recordings;
use crate::build::segments;
use crate::input::{Bytes, Limits};
use crate::model::grid::{Grid, Scale};
use crate::model::{Beside, Index, Segment};
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::Events;
use crate::wire::v2::generation::GenTables;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// An open trace. Shared between threads; every method takes `&self`.
pub struct Trace {
    pub(crate) name: String,
    pub(crate) data: Bytes,
    /// What the file holds, as far as it is known: it may grow.
    pub(super) recordings: RwLock<Arc<Recordings>>,
    pub(crate) scale: Scale,
    pub(crate) index: RwLock<Index>,
    pub(crate) committer: Mutex<Committer>,
    pub(crate) plans: RwLock<Vec<Arc<Plan>>>,
    pub(crate) segments: Mutex<Cache<usize, Segment>>,
    pub(crate) tables: Mutex<Cache<usize, GenTables>>,
    pub(crate) kept: Keep,
    most: Option<Most>,
    /// Bytes that were asked for since it was last looked how much memory is in use.
    unchecked: AtomicUsize,
    /// Whether, when it was last looked, so much was in use that it is time to hold less at once.
    short: AtomicBool,
    /// Whether reading it took more memory than that.
    exhausted: OnceLock<Error>,
    /// Whether all recordings are open.
    pub(crate) whole: bool,
}

/// How a trace is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where its index is kept between runs; nowhere by default.
    pub keep: Keep,
    /// Bytes of memory that it may take; 1 GB if `None`. Half is for decoded segments, an eighth for the grid's
    /// entries, and neither takes more than suits the file's size.
    pub memory: Option<usize>,
    /// How much the program may come to while the trace is read: more ends it, with a word. No limit if `None`.
    pub most: Option<Most>,
    /// The one recording of the file that is opened, from 1 on; all if `None`. Its index is not kept.
    pub recording: Option<usize>,
    /// The file is being written, and some so long will be traced: it is read as it [grows](Trace::grow).
    pub growing: Option<Duration>,
}

impl Options {
    /// The limits on what is taken in with this much memory.
    pub fn limits(&self) -> Limits {
        self.memory.map_or_else(Limits::of_this_machine, |m| Limits::within(m as u64))
    }
}

/// Bytes of memory for an open trace where nobody says how many.
const USUAL_MEMORY: usize = 1_000_000_000;
/// Fewest bytes of decoded segments that are kept: a few segments.
const FEWEST: usize = 16 << 20;
/// A trace's header and nothing else.
const NOTHING: &[u8] = b"go 1.26 trace\0\0\0";
/// Bytes of the file that are read at once where all of it is wanted.
pub(crate) const COPIED: usize = 1 << 20;
/// Tables of generations that are kept decoded, in bytes of the file.
const TABLES_CACHE: usize = 32 << 20;
/// Bytes that a unit's tables take beside what they are made of: their own lists and maps, empty as they may be.
const TABLES_ROOM: usize = size_of::<GenTables>() + 64;
/// How many bytes may be asked for before it is looked again how much memory is in use, which is a call of the system: a trace
/// may have a million units of a few bytes.
const UNCHECKED: usize = 1 << 20;
/// Bytes that whoever asks for less is taken to ask for.
const LEAST_ASKED: usize = 1 << 10;
/// Bytes that an event takes while its segment is decoded: its row, and its place in the columns.
const SEGMENT_ROW: usize = 80;

impl Trace {
    /// Opens a trace with the default options.
    ///
    /// # Errors
    ///
    /// Those of [`open_with`](Self::open_with).
    pub fn open(name: &str, data: Bytes) -> Result<Trace, Error> {
        Trace::open_with(name, data, Options::default())
    }

    /// Opens a trace whose bytes are `data`: looks at headers only, so that it returns at once. `name` is what messages
    /// call the file.
    ///
    /// # Errors
    ///
    /// If `data` does not begin like a trace of a known version, or there is no such recording as is asked for.
    pub fn open_with(name: &str, data: Bytes, options: Options) -> Result<Trace, Error> {
        let recordings = Recordings::open(&data, options.recording, options.most)?;
        let scale = recordings.scale(options.growing.unwrap_or(Duration::ZERO));
        let memory = options.memory.unwrap_or(USUAL_MEMORY);
        // How large one will be that grows is not known.
        let size = if options.growing.is_some() { usize::MAX } else { data.len() };
        let budget = (size / 4).min(memory / 2).max(FEWEST);
        let grid = (size / 8).min(memory / 8).max(FEWEST / 4);
        let losses = if options.growing.is_some() { Vec::new() } else { recordings.losses() };
        let index =
            Index { version: (1, recordings.minor(0)), grid: Grid::new(scale, grid), losses, ..Index::default() };
        Ok(Trace {
            name: name.to_owned(),
            data,
            recordings: RwLock::new(Arc::new(recordings)),
            scale,
            index: RwLock::new(index),
            committer: Mutex::new(Committer::default()),
            plans: RwLock::default(),
            segments: Mutex::new(Cache::new(budget)),
            tables: Mutex::new(Cache::new(TABLES_CACHE.min(memory / 32))),
            kept: options.keep,
            most: options.most,
            unchecked: AtomicUsize::new(UNCHECKED),
            short: AtomicBool::new(false),
            exhausted: OnceLock::new(),
            whole: options.recording.is_none(),
        })
    }

    /// How many recordings the file holds: programs start and stop tracing again, and files are appended.
    pub fn recordings(&self) -> usize {
        self.file().count()
    }

    /// What the file holds, as far as it is known now.
    pub(super) fn file(&self) -> Arc<Recordings> {
        Arc::clone(&self.recordings.read().unwrap_or_else(|e| e.into_inner()))
    }

    /// A number for the bytes that are read, the same for the same bytes: of the whole file, or of one recording of it.
    pub fn digest(&self) -> u64 {
        let file = self.file();
        let recording = if self.whole || file.units() == 0 { 0 } else { file.place(0).0 + 1 };
        let mut digest = Digest::new(recording as u64);
        let mut at = 0;
        while at < self.data.len() {
            digest.add(&self.data.get(at..at + COPIED));
            at += COPIED;
        }
        digest.finish()
    }

    /// Whether nothing happens in the trace, once it has been read: it has a header and at most statements about its
    /// beginning.
    pub fn is_empty(&self) -> bool {
        let index = self.index();
        index.complete && index.totals.of_kind(crate::wire::event::Kind::Sync) == index.events
    }

    /// No trace at all, for where only a profile is open: it has a header and no event.
    pub fn none() -> Trace {
        let trace = Trace::open("", Bytes::Static(NOTHING)).expect("a header is a trace");
        trace.index_mut().losses.clear();
        trace
    }

    /// Whether this is [`none`](Self::none).
    pub fn is_none(&self) -> bool {
        self.data.held() == Some(NOTHING)
    }

    /// Says that something of the file was lost before it came here, in a plain sentence that is safe to show.
    pub fn lose(&self, what: &str) {
        self.index_mut().losses.push(what.to_owned());
    }

    /// Takes in what stands beside the trace and says something of its goroutines, in place of what did before.
    pub fn set_beside(&self, beside: Beside) {
        self.index_mut().beside = beside;
    }

    /// When it starts: what instants that a user gives are counted from. Known before the trace is read.
    pub fn start(&self) -> Time {
        let file = self.file();
        if file.units() == 0 {
            return Time(0);
        }
        file.start(0, &self.read_tables(&file, 0))
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the (unpacked) file.
    pub fn size(&self) -> u64 {
        self.data.len() as u64
    }

    /// Whether all of the file could be read so far.
    ///
    /// # Errors
    ///
    /// If it was cut short, or can no longer be read, since it was opened, or takes more memory than is allowed.
    pub fn intact(&self) -> Result<(), Error> {
        match self.data.missing() {
            None => self.exhausted.get().map_or(Ok(()), |e| Err(e.clone())),
            Some(m) => Err(Error::new(m.offset, ErrorKind::Missing(m.what.clone()))),
        }
    }

    /// Fails if what is done next would take more memory than is allowed: some `more` bytes, at byte `at` of the file.
    pub(crate) fn room(&self, more: usize, at: u64) -> Result<(), Error> {
        match self.most.and_then(|most| most.exceeded(more as u64)) {
            None => Ok(()),
            Some(held) => Err(Error::new(at, ErrorKind::Memory(text::bytes(held)))),
        }
    }

    /// What it is allowed to come to while it is read, if anything is.
    pub(super) fn most(&self) -> Option<Most> {
        self.most
    }

    /// Whether so much memory is in use that it is time to hold less at once.
    /// So it is, too, where a unit of the file is read next that may take so many bytes `more`.
    pub(crate) fn is_short(&self, more: usize) -> bool {
        let would_be = || more > UNCHECKED && self.most.is_some_and(|most| most.half_exceeded(more as u64));
        self.short.load(Ordering::Relaxed) || would_be()
    }

    /// The same while the trace is read, which ends with it.
    pub(crate) fn room_to_read(&self, more: usize, at: u64) -> bool {
        let asked = more.max(LEAST_ASKED);
        if self.unchecked.fetch_add(asked, Ordering::Relaxed).saturating_add(asked) < UNCHECKED {
            return self.exhausted.get().is_none();
        }
        self.unchecked.store(0, Ordering::Relaxed);
        self.short.store(self.most.is_some_and(|most| most.half_exceeded(0)), Ordering::Relaxed);
        match self.room(more, at) {
            Ok(()) => self.exhausted.get().is_none(),
            Err(e) => {
                let _ = self.exhausted.set(e);
                false
            }
        }
    }

    /// The index as it is now. Hold the guard only for a moment: the loader waits for it.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(|e| e.into_inner())
    }

    /// The index, to be changed: as soon as nobody reads it. It does not queue for that: an analysis that holds it asks for it
    /// again on its way, and would wait for ever behind one that waits for the analysis.
    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        loop {
            match self.index.try_write() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(e)) => return e.into_inner(),
                Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_micros(50)),
            }
        }
    }

    /// How many generations have been read.
    pub(super) fn generations_read(&self) -> usize {
        lock(&self.committer).next.0
    }

    /// A unit's tables, from the cache if they are there.
    pub(crate) fn read_tables<'f>(&self, file: &'f Recordings, i: usize) -> UnitTables<'f> {
        if let Some(t) = lock(&self.tables).get(&i) {
            return UnitTables::V2(t);
        }
        let (tables, bytes) = file.read_tables(&self.data, i);
        if let UnitTables::V2(t) = &tables {
            lock(&self.tables).insert(i, Arc::clone(t), bytes + TABLES_ROOM);
        }
        tables
    }

    /// Segment `i`, decoded now if it is not in the cache: up to a few milliseconds, so never on the UI thread.
    ///
    /// # Errors
    ///
    /// If there is no such segment (yet).
    pub fn segment(&self, i: usize) -> Result<Arc<Segment>, Error> {
        if let Some(s) = self.cached(i) {
            return Ok(s);
        }
        let plan = self.plans.read().unwrap_or_else(|e| e.into_inner()).get(i).cloned();
        let plan = plan.ok_or_else(|| Error::new(0, ErrorKind::Invalid(format!("there is no segment {i}"))))?;
        self.room(plan.len * SEGMENT_ROW, 0)?;
        let file = self.file();
        let tables = self.read_tables(&file, plan.unit);
        let mut machine = file.machine(&self.data, plan.unit, &tables, plan.checkpoint.as_deref());
        let mut events = Events::default();
        events.rows.reserve(plan.len);
        machine.next(&mut events, plan.len);
        self.intact()?;
        let (_, process) = file.place(plan.unit);
        let handles = lock(&self.committer).commit.handles(machine.named(), process);
        let segment = Arc::new(segments::build(plan.first, plan.floor, events, &handles, &plan.maps));
        lock(&self.segments).insert(i, Arc::clone(&segment), segment.bytes());
        Ok(segment)
    }

    /// Segment `i` if it is decoded at the moment. Never waits for a decode.
    pub fn cached(&self, i: usize) -> Option<Arc<Segment>> {
        lock(&self.segments).get(&i)
    }

    /// Drops all decoded segments: the next that is asked for is decoded again.
    pub fn forget_segments(&self) {
        lock(&self.segments).clear();
    }
}

pub(crate) fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held has been reported already. What it left half done is shown as it is: the trace is
    // not complete then, and nothing more is added.
    m.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use crate::model::Beside;
    use std::sync::Arc;

    #[test]
    fn who_reads_the_index_may_ask_for_it_again_while_somebody_wants_to_change_it() {
        let trace = crate::read::fixture::trace();
        let (other, held) = (Arc::clone(&trace), trace.index());
        let (begins, begun) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            begins.send(()).unwrap();
            other.set_beside(Beside::default());
        });
        begun.recv().unwrap();
        (0..1000).for_each(|_| std::thread::yield_now());
        assert_eq!(trace.index().events, held.events);
        drop(held);
        writer.join().unwrap();
    }
}
