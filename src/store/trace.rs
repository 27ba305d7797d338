//! An open trace: the file, its index as far as it is built, and the segments decoded at the moment.

use super::cache::Cache;
use super::commit::{Commit, Maps};
use super::decode::{Checkpoint, Format, UnitTables};
use super::fold::{Fold, Part};
use super::grid::{Grid, Scale};
use super::{Index, Segment, segment};
use crate::base::Time;
use crate::input::Bytes;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::Events;
use crate::wire::tables::Tables;
use crate::wire::v2::generation::GenTables;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

/// Number of an event, counted over the whole trace from 0.
pub type EventNo = u64;

/// An open trace. Shared between threads; every method takes `&self`.
pub struct Trace {
    name: String,
    data: Bytes,
    format: Format,
    scale: Scale,
    index: RwLock<Index>,
    committer: Mutex<Committer>,
    plans: RwLock<Vec<Arc<Plan>>>,
    segments: Mutex<Cache<usize, Segment>>,
    tables: Mutex<Cache<usize, GenTables>>,
}

/// How to decode a segment.
struct Plan {
    unit: usize,
    /// Where the unit's decoder stood; `None` at its beginning.
    checkpoint: Option<Checkpoint>,
    first: EventNo,
    len: usize,
    /// The end of the unit before: no time here is shown as earlier.
    floor: Time,
    maps: Arc<Maps>,
}

/// A folded part that waits for its turn.
struct Folded {
    unit: usize,
    part: Part,
    tables: Tables,
    /// Where each of the part's segments begins.
    checkpoints: Vec<Option<Checkpoint>>,
    losses: Vec<String>,
    /// The part of the file that is read with it, 0 to 1.
    progress: f64,
    /// Whether its strings and stacks are those of the part before.
    same_tables: bool,
}

#[derive(Default)]
struct Committer {
    commit: Commit,
    next: usize,
    waiting: BTreeMap<usize, Folded>,
    maps: Arc<Maps>,
}

/// Events that are decoded and folded at once: as many as stay in a core's own cache.
const CHUNK: usize = 16 << 10;
/// Fewest events of a segment.
const SEGMENT: usize = 128 << 10;
/// Fewest events of a segment per goroutine of its unit, whose state its checkpoint keeps.
const SEGMENT_PER_GO: usize = 128;
/// Segments after which a unit of the old family is shown as far as it has been read.
const SEGMENTS_PER_PART: usize = 8;
/// Tables of generations that are kept decoded, in bytes of the file.
const TABLES_CACHE: usize = 32 << 20;

impl Trace {
    /// Opens a trace whose bytes are `data`: looks at headers only, so that it returns at once. `name` is what messages
    /// call the file.
    ///
    /// # Errors
    ///
    /// If `data` does not begin like a trace of a known version.
    pub fn open(name: &str, data: Bytes) -> Result<Trace, Error> {
        let format = Format::open(&data)?;
        let scale = format.scale();
        let budget = (data.len() / 4).clamp(24 << 20, 256 << 20);
        let losses = format.losses(data.len() as u64);
        let index = Index { version: (1, format.minor()), grid: Grid::new(scale), losses, ..Index::default() };
        Ok(Trace {
            name: name.to_owned(),
            data,
            format,
            scale,
            index: RwLock::new(index),
            committer: Mutex::default(),
            plans: RwLock::default(),
            segments: Mutex::new(Cache::new(budget)),
            tables: Mutex::new(Cache::new(TABLES_CACHE)),
        })
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the (unpacked) file.
    pub fn size(&self) -> u64 {
        self.data.len() as u64
    }

    /// The index as it is now. Hold the guard only for a moment: the loader waits for it.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(|e| e.into_inner())
    }

    /// Reads the whole trace and builds the index, on all cores; returns when it is complete or `cancel` is set. The
    /// index is usable, and grows, meanwhile. `progress` is called after each step with the part read, 0 to 1.
    pub fn load(&self, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) {
        let done = match &self.format {
            Format::V2 { .. } => self.load_units(progress, cancel),
            Format::V1(_) => self.load_one_unit(progress, cancel),
        };
        if done && !self.index().complete {
            let mut c = lock(&self.committer);
            let mut index = self.index.write().unwrap_or_else(|e| e.into_inner());
            c.commit.finish(&mut index);
        }
        progress(1.0);
    }

    /// Folds the units in parallel; false if it was cancelled.
    fn load_units(&self, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) -> bool {
        let units = self.format.units();
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(units);
        let next = AtomicUsize::new(0);
        let sizes: Vec<u64> = (0..units).map(|i| self.format.bytes(i)).collect();
        let total: u64 = sizes.iter().sum::<u64>().max(1);
        std::thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= units || cancel.load(Ordering::Relaxed) {
                            break;
                        }
                        let read: u64 = sizes[..=i].iter().sum();
                        let Some(folded) = self.fold(i, read as f64 / total as f64, cancel) else { break };
                        progress(self.commit(i, folded));
                    }
                });
            }
        });
        lock(&self.committer).next == units
    }

    /// Decodes and folds one unit; `None` if it was cancelled.
    fn fold(&self, unit: usize, progress: f64, cancel: &AtomicBool) -> Option<Folded> {
        let tables = self.read_tables(unit);
        let mut machine = self.format.machine(&self.data, unit, &tables, None);
        let mut fold = Fold::new(self.format.start(unit, &tables), self.scale, tables.tables());
        let mut events = Events::default();
        let mut checkpoints = vec![None];
        let mut in_segment = 0;
        loop {
            events.clear();
            let more = machine.next(&mut events, CHUNK);
            fold.add(&events, machine.named());
            in_segment += events.len();
            if !more {
                break;
            }
            if in_segment >= SEGMENT.max(machine.named().gos.len() * SEGMENT_PER_GO) {
                fold.cut();
                checkpoints.push(Some(machine.checkpoint()));
                in_segment = 0;
                if cancel.load(Ordering::Relaxed) {
                    return None;
                }
            }
        }
        let losses = self.format.unit_losses(unit, &tables, &machine);
        let named = machine.named().clone();
        let mut part = fold.finish();
        part.name(&named);
        let t = tables.tables();
        let tables = Tables { strings: t.strings.clone(), stacks: t.stacks.clone(), ..named };
        Some(Folded { unit, part, tables, checkpoints, losses, progress, same_tables: false })
    }

    /// Decodes and folds the one unit of an old file, and hands it in part by part; false if it was cancelled.
    fn load_one_unit(&self, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) -> bool {
        let tables_of_unit = self.read_tables(0);
        let mut machine = self.format.machine(&self.data, 0, &tables_of_unit, None);
        let strings_and_stacks = tables_of_unit.tables();
        let mut fold = Fold::new(self.format.start(0, &tables_of_unit), self.scale, strings_and_stacks);
        let mut events = Events::default();
        let mut checkpoints = vec![None];
        let (mut parts, mut in_segment) = (0, 0);
        loop {
            events.clear();
            let more = machine.next(&mut events, CHUNK);
            fold.add(&events, machine.named());
            in_segment += events.len();
            let full = in_segment >= SEGMENT.max(machine.named().gos.len() * SEGMENT_PER_GO);
            if more && !full {
                continue;
            }
            fold.cut();
            in_segment = 0;
            if cancel.load(Ordering::Relaxed) {
                return false;
            }
            if !more || checkpoints.len() >= SEGMENTS_PER_PART {
                let mut part = fold.split();
                part.name(machine.named());
                let tables = if parts == 0 { strings_and_stacks.clone() } else { Tables::default() };
                let losses = if more { Vec::new() } else { self.format.unit_losses(0, &tables_of_unit, &machine) };
                let checkpoints = std::mem::take(&mut checkpoints);
                let folded = Folded {
                    unit: 0,
                    part,
                    tables,
                    checkpoints,
                    losses,
                    progress: machine.progress(),
                    same_tables: parts > 0,
                };
                progress(self.commit(parts, folded));
                parts += 1;
            }
            if !more {
                return true;
            }
            checkpoints.push(Some(machine.checkpoint()));
        }
    }

    /// Hands in a folded part, and puts all whose turn has come into the index. Returns the part of the file read.
    fn commit(&self, i: usize, folded: Folded) -> f64 {
        let mut c = lock(&self.committer);
        c.waiting.insert(i, folded);
        let mut progress = 0.0;
        loop {
            let next = c.next;
            let Some(f) = c.waiting.remove(&next) else { return progress };
            let mut index = self.index.write().unwrap_or_else(|e| e.into_inner());
            let floor = if next == 0 { Time::MIN } else { index.end };
            let from = index.segments.len();
            if !f.same_tables {
                c.maps = Arc::new(Maps::intern(&mut index, &f.tables));
            }
            let maps = Arc::clone(&c.maps);
            c.commit.add(&mut index, f.part, &maps);
            progress = f.progress;
            index.progress = progress;
            index.losses.extend(f.losses);
            let mut plans = self.plans.write().unwrap_or_else(|e| e.into_inner());
            for (info, checkpoint) in index.segments[from..].iter().zip(f.checkpoints) {
                let (first, len) = (info.first, info.len as usize);
                let maps = Arc::clone(&maps);
                plans.push(Arc::new(Plan { unit: f.unit, checkpoint, first, len, floor, maps }));
            }
            c.next += 1;
        }
    }

    /// A unit's tables, from the cache if they are there.
    fn read_tables(&self, i: usize) -> UnitTables<'_> {
        if let Some(t) = lock(&self.tables).get(&i) {
            return UnitTables::V2(t);
        }
        let (tables, bytes) = self.format.read_tables(&self.data, i);
        if let UnitTables::V2(t) = &tables {
            lock(&self.tables).insert(i, Arc::clone(t), bytes);
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
        let tables = self.read_tables(plan.unit);
        let mut machine = self.format.machine(&self.data, plan.unit, &tables, plan.checkpoint.as_ref());
        let mut events = Events::default();
        events.rows.reserve(plan.len);
        machine.next(&mut events, plan.len);
        let handles = lock(&self.committer).commit.handles(machine.named());
        let segment = Arc::new(segment::build(plan.first, plan.floor, events, &handles, &plan.maps));
        lock(&self.segments).insert(i, Arc::clone(&segment), segment.bytes());
        Ok(segment)
    }

    /// Segment `i` if it is decoded at the moment. Never waits for a decode.
    pub fn cached(&self, i: usize) -> Option<Arc<Segment>> {
        lock(&self.segments).get(&i)
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held has been reported already; what it guards is replaced whole, never half.
    m.lock().unwrap_or_else(|e| e.into_inner())
}
