//! An open trace: the file, its index as far as it is built, and the segments decoded at the moment.

use super::cache::Cache;
use super::commit::{Commit, Maps};
use super::fold::{Fold, Part};
use super::grid::{Grid, Scale};
use super::{Index, Segment, segment};
use crate::base::{Time, text};
use crate::input::Bytes;
use crate::wire::error::{Error, ErrorKind};
use crate::wire::event::Events;
use crate::wire::tables::Tables;
use crate::wire::v2::batch::{self, Scan};
use crate::wire::v2::generation::{Fallback, GenTables};
use crate::wire::v2::order::{Checkpoint, Cut, Orderer};
use crate::wire::v2::spec::VERSIONS;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

/// Number of an event, counted over the whole trace from 0.
pub type EventNo = u64;

/// An open trace. Shared between threads; every method takes `&self`.
pub struct Trace {
    name: String,
    data: Bytes,
    minor: u32,
    scan: Scan,
    scale: Scale,
    index: RwLock<Index>,
    committer: Mutex<Committer>,
    plans: RwLock<Vec<Arc<Plan>>>,
    segments: Mutex<Cache<usize, Segment>>,
    tables: Mutex<Cache<usize, GenTables>>,
}

/// How to decode a segment.
struct Plan {
    generation: usize,
    /// Where the generation's ordering stood; `None` at its beginning.
    checkpoint: Option<Checkpoint>,
    first: EventNo,
    len: usize,
    /// The end of the generation before: no time here is shown as earlier.
    floor: Time,
    maps: Arc<Maps>,
}

/// A folded generation that waits for its turn.
struct Folded {
    part: Part,
    tables: Tables,
    checkpoints: Vec<Option<Checkpoint>>,
    bytes: u64,
    losses: Vec<String>,
}

#[derive(Default)]
struct Committer {
    commit: Commit,
    next: usize,
    waiting: BTreeMap<usize, Folded>,
    bytes: u64,
}

/// Events that are decoded and folded at once: as many as stay in a core's own cache.
const CHUNK: usize = 16 << 10;
/// Fewest events of a segment.
const SEGMENT: usize = 128 << 10;
/// Fewest events of a segment per goroutine of its generation, whose state its checkpoint keeps.
const SEGMENT_PER_GO: usize = 128;
/// Tables of generations that are kept decoded, in bytes of the file.
const TABLES_CACHE: usize = 32 << 20;

/// Minor version of the header, if `data` begins like a trace.
pub fn header_version(data: &[u8]) -> Option<u32> {
    let rest = data.strip_prefix(b"go 1.")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let minor = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    rest[digits..].starts_with(b" trace\0\0").then_some(minor)
}

impl Trace {
    /// Opens a trace whose bytes are `data`: looks at headers only, so that it returns at once. `name` is what messages
    /// call the file.
    ///
    /// # Errors
    ///
    /// If `data` does not begin like a trace of a known version.
    pub fn open(name: &str, data: Bytes) -> Result<Trace, Error> {
        if data.is_empty() {
            return Err(Error::new(0, ErrorKind::Empty));
        }
        let minor = header_version(&data).ok_or(Error::new(0, ErrorKind::NotATrace))?;
        if !VERSIONS.contains(&minor) {
            return Err(Error::new(5, ErrorKind::UnknownVersion(minor)));
        }
        let scan = batch::scan(&data, minor);
        let scale = Scale::over(span_start(&scan), span_end(&scan));
        let budget = (data.len() / 4).clamp(24 << 20, 256 << 20);
        let index = Index { version: (1, minor), grid: Grid::new(scale), ..Index::default() };
        let mut trace = Trace {
            name: name.to_owned(),
            data,
            minor,
            scan,
            scale,
            index: RwLock::new(index),
            committer: Mutex::default(),
            plans: RwLock::default(),
            segments: Mutex::new(Cache::new(budget)),
            tables: Mutex::new(Cache::new(TABLES_CACHE)),
        };
        let losses = trace.scan_losses();
        trace.index.get_mut().unwrap_or_else(|e| e.into_inner()).losses = losses;
        Ok(trace)
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
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(self.scan.generations.len());
        let next = AtomicUsize::new(0);
        let total: u64 = self.scan.generations.iter().map(batch::Generation::bytes).sum();
        std::thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= self.scan.generations.len() || cancel.load(Ordering::Relaxed) {
                            break;
                        }
                        let Some(folded) = self.fold(i, cancel) else { break };
                        progress(self.commit(i, folded, total));
                    }
                });
            }
        });
        let mut c = lock(&self.committer);
        if c.next == self.scan.generations.len() && !self.index().complete {
            let mut index = self.index.write().unwrap_or_else(|e| e.into_inner());
            c.commit.finish(&mut index);
        }
        progress(1.0);
    }

    /// Orders and folds one generation; `None` if it was cancelled.
    fn fold(&self, i: usize, cancel: &AtomicBool) -> Option<Folded> {
        let generation = &self.scan.generations[i];
        let tables = self.read_tables(i);
        let mut orderer = Orderer::new(&self.data, generation, &tables, self.cut(i, &tables));
        let start = tables.clock.time(generation.batches.iter().map(|b| b.ts).min().unwrap_or(0));
        let mut fold = Fold::new(start, self.scale, &tables.tables);
        let mut events = Events::default();
        let mut checkpoints = vec![None];
        let mut in_segment = 0;
        loop {
            events.clear();
            let more = orderer.next(&mut events, CHUNK);
            fold.add(&events, &orderer.tables);
            in_segment += events.len();
            if !more {
                break;
            }
            if in_segment >= SEGMENT.max(orderer.go_count() * SEGMENT_PER_GO) {
                fold.cut();
                checkpoints.push(Some(orderer.checkpoint()));
                in_segment = 0;
                if cancel.load(Ordering::Relaxed) {
                    return None;
                }
            }
        }
        let losses = generation_losses(generation, &tables, &orderer);
        let ids = std::mem::take(&mut orderer.tables);
        let mut part = fold.finish();
        part.pad(&ids);
        let tables = Tables { gos: ids.gos, procs: ids.procs, threads: ids.threads, ..tables.tables.clone() };
        part.go_ids.clone_from(&tables.gos);
        part.proc_ids.clone_from(&tables.procs);
        part.thread_ids.clone_from(&tables.threads);
        Some(Folded { part, tables, checkpoints, bytes: generation.bytes(), losses })
    }

    /// Hands in a folded generation, and puts all whose turn has come into the index. Returns the part read.
    fn commit(&self, i: usize, folded: Folded, total: u64) -> f64 {
        let mut c = lock(&self.committer);
        c.waiting.insert(i, folded);
        while let Some(f) = {
            let next = c.next;
            c.waiting.remove(&next)
        } {
            let mut index = self.index.write().unwrap_or_else(|e| e.into_inner());
            let floor = if c.next == 0 { Time::MIN } else { index.end };
            let from = index.segments.len();
            let maps = Arc::new(c.commit.add(&mut index, f.part, &f.tables));
            c.bytes += f.bytes;
            index.progress = c.bytes as f64 / total.max(1) as f64;
            index.losses.extend(f.losses);
            let mut plans = self.plans.write().unwrap_or_else(|e| e.into_inner());
            for (info, checkpoint) in index.segments[from..].iter().zip(f.checkpoints) {
                let (first, len) = (info.first, info.len as usize);
                let maps = Arc::clone(&maps);
                plans.push(Arc::new(Plan { generation: c.next, checkpoint, first, len, floor, maps }));
            }
            c.next += 1;
        }
        c.bytes as f64 / total.max(1) as f64
    }

    /// Where generation `i` ends, as the next one says (from 1.25 on its clock batch comes first).
    fn cut(&self, i: usize, tables: &GenTables) -> Cut {
        let Some(next) = self.scan.generations.get(i + 1) else { return Cut::None };
        match next.batches.iter().find(|b| b.kind == batch::BatchKind::Clock) {
            Some(b) if self.minor >= 25 => Cut::At(tables.clock.time(b.ts)),
            _ => Cut::LastEvent,
        }
    }

    /// A generation's tables, from the cache if they are there.
    fn read_tables(&self, i: usize) -> Arc<GenTables> {
        if let Some(t) = lock(&self.tables).get(&i) {
            return t;
        }
        let generation = &self.scan.generations[i];
        let fallback = if generation.whole || i == 0 {
            Fallback::default()
        } else {
            GenTables::read(&self.data, &self.scan.generations[i - 1], &Fallback::default()).fallback()
        };
        let tables = Arc::new(GenTables::read(&self.data, generation, &fallback));
        let bytes = generation.batches.iter().filter(|b| b.kind != batch::BatchKind::Events).map(|b| b.len as usize);
        lock(&self.tables).insert(i, Arc::clone(&tables), bytes.sum());
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
        let generation = &self.scan.generations[plan.generation];
        let tables = self.read_tables(plan.generation);
        let cut = self.cut(plan.generation, &tables);
        let mut orderer = match &plan.checkpoint {
            None => Orderer::new(&self.data, generation, &tables, cut),
            Some(c) => Orderer::resume(&self.data, generation, &tables, cut, c),
        };
        let mut events = Events::default();
        events.rows.reserve(plan.len);
        orderer.next(&mut events, plan.len);
        let handles = lock(&self.committer).commit.handles(&orderer.tables);
        let segment = Arc::new(segment::build(plan.first, plan.floor, events, &handles, &plan.maps));
        lock(&self.segments).insert(i, Arc::clone(&segment), segment.bytes());
        Ok(segment)
    }

    /// Segment `i` if it is decoded at the moment. Never waits for a decode.
    pub fn cached(&self, i: usize) -> Option<Arc<Segment>> {
        lock(&self.segments).get(&i)
    }

    fn scan_losses(&self) -> Vec<String> {
        let mut out: Vec<String> = self
            .scan
            .strays
            .iter()
            .map(|&(at, n)| format!("{n} bytes at byte {at} are no part of a trace and were passed over"))
            .collect();
        if let Some(e) = &self.scan.error {
            let lost = self.size().saturating_sub(e.offset);
            out.push(format!("the last {} could not be read: {e}", text::bytes(lost)));
        }
        out
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held has been reported already; what it guards is replaced whole, never half.
    m.lock().unwrap_or_else(|e| e.into_inner())
}

/// The clock of a generation as far as a scan can tell, for the grid only.
fn span_start(scan: &Scan) -> Time {
    span(scan, |t| t.iter().copied().min())
}

fn span_end(scan: &Scan) -> Time {
    span(scan, |t| t.iter().copied().max())
}

fn span(scan: &Scan, pick: impl Fn(&[u64]) -> Option<u64>) -> Time {
    let all: Vec<u64> = scan.generations.iter().flat_map(|g| g.batches.iter().map(|b| b.ts)).collect();
    // Units of 64 ns but on Windows, where the grid comes out somewhat too coarse or too fine.
    Time((pick(&all).unwrap_or(0).saturating_mul(64)).min(i64::MAX as u64) as i64)
}

fn generation_losses(g: &batch::Generation, tables: &GenTables, o: &Orderer) -> Vec<String> {
    let mut out = Vec::new();
    if !g.whole {
        let stacks = if tables.tables.stacks.is_empty() { "; its stacks are unknown" } else { "" };
        let at = g.end;
        out.push(format!("generation {} is cut off at byte {at}: shown as far as it goes{stacks}", g.number));
    }
    for e in &tables.faults {
        out.push(format!("generation {}: {e}", g.number));
    }
    if o.faults > 0 {
        let first = o.errors.first().map_or(String::new(), |e| format!(", first {e}"));
        let n = o.faults;
        out.push(format!(
            "generation {}: {n} events contradict the others and were passed over or forced{first}",
            g.number
        ));
    }
    out
}
