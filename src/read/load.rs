//! Builds the index: decodes every unit of the file, folds it, and puts the parts together in order.
//!
//! Units of the newer format are independent: each core takes the next one. A core that finds none left folds what
//! another one decodes; for the old format, which is one unit, that is so from the start.

use super::plan::Plan;
use super::trace::{Trace, lock};
use crate::base::Time;
use crate::build::commit::{Commit, Maps};
use crate::build::decode::{Checkpoint, Machine, UnitTables};
use crate::build::fold::{Fold, Part};
use crate::build::observe::{Names, Observer, Watch};
use crate::wire::event::Events;
use crate::wire::tables::Tables;
use crate::wire::v2::generation::GenTables;
use crossbeam_channel::{Receiver, Sender};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Events that are decoded and folded at once: as many as stay in a core's own cache.
pub(crate) const CHUNK: usize = 16 << 10;
/// Fewest events of a segment.
const SEGMENT: usize = 128 << 10;
/// Fewest events of a segment per byte of the checkpoint before it: the index must stay small beside the file, in which
/// an event takes some five bytes.
const SEGMENT_PER_BYTE: usize = 4;
/// Most events of a segment, however many goroutines there are.
const LARGEST_SEGMENT: usize = 1 << 20;
/// Segments after which a unit of the old format is shown as far as it has been read.
const SEGMENTS_PER_PART: usize = 8;
/// Bytes that an event may add to what is held until its part is committed: in a large part, each may name a goroutine.
const EVENT_ROOM: usize = 512;
/// Bytes of memory for each byte of a unit while it is read, where each few bytes are about another goroutine.
const READ_ROOM: usize = 16;
/// Chunks on their way between a thread that decodes and one that folds.
const CHUNKS_AHEAD: usize = 4;

/// Parts in the order in which they come in, and the state between them.
#[derive(Default)]
pub(crate) struct Committer {
    pub commit: Commit,
    /// The next unit, and part of it.
    pub(super) next: (usize, usize),
    waiting: BTreeMap<(usize, usize), Folded>,
    maps: Arc<Maps>,
}

/// A folded part that waits for its turn.
struct Folded {
    unit: usize,
    part: Part,
    /// Whether it is its unit's last part.
    last: bool,
    /// Its strings and stacks; `None` for those of the old format, which are the same in all parts.
    tables: Option<Arc<GenTables>>,
    /// Where each of the part's segments begins.
    checkpoints: Vec<Option<Checkpoint>>,
    losses: Vec<String>,
    /// The part of the file that is read with it, 0 to 1.
    progress: f64,
    /// Who watched its unit, with all that has been named in it, if the unit ends with it.
    watched: Option<(Box<dyn Watch>, Box<Tables>)>,
}

/// Some events, and what comes after them.
struct Chunk {
    events: Events,
    /// How many goroutines and Ps have been named so far.
    named: (usize, usize),
    after: After,
}

enum After {
    /// More of the same segment.
    More,
    /// The next segment; where it begins.
    Segment(Checkpoint),
    /// The next segment, of the next part. With all that has been named so far.
    Part(Checkpoint, Box<Tables>, f64),
    /// Nothing.
    End(Box<Tables>, Vec<String>),
}

impl Trace {
    /// Reads the whole trace and builds the index, on all cores; returns when it is complete or `cancel` is set. The
    /// index is usable, and grows, meanwhile. Where an index is kept from an earlier run, that one is taken. `progress` is called after each step with the part read, 0 to 1.
    pub fn load(&self, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) {
        self.load_observed(None, progress, cancel);
    }

    /// The same, and shows every event to `observer` while it is read: once, whether the index was kept or not.
    pub fn load_observed(&self, observer: Option<&dyn Observer>, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) {
        if self.restore() {
            match observer {
                Some(o) => _ = self.observe(o, progress, cancel),
                None => progress(1.0),
            }
            return;
        }
        self.read_units(self.file().units(), observer, progress, cancel);
        let all = self.generations_read() == self.file().units();
        self.finish(all, progress, cancel);
    }

    /// Reads the units before `units` that have not been read yet into the index, on all cores.
    pub(super) fn read_units(
        &self,
        units: usize,
        observer: Option<&dyn Observer>,
        progress: &(dyn Fn(f64) + Sync),
        cancel: &AtomicBool,
    ) {
        let file = self.file();
        let first = self.generations_read();
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let threads = cores.min(units.saturating_sub(first));
        let idle = AtomicUsize::new(cores - threads);
        let next = AtomicUsize::new(first);
        let active = AtomicUsize::new(threads);
        let sums = (0..units).scan(0, |sum, i| {
            *sum += file.bytes(i);
            Some(*sum)
        });
        let ends: Vec<u64> = sums.collect();
        let total = ends.last().copied().unwrap_or(0).max(1);
        std::thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    loop {
                        // Two units at a time are held twice: where memory is short, this core folds for the other one.
                        let bytes =
                            |i: usize| ends.get(i).map_or(0, |end| end - i.checked_sub(1).map_or(0, |i| ends[i]));
                        let more = (bytes(next.load(Ordering::Relaxed)) as usize).saturating_mul(READ_ROOM);
                        if self.is_short(more) && leave(&active) {
                            idle.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= units || cancel.load(Ordering::Relaxed) {
                            leave(&active);
                            idle.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        let part = |bytes: u64| bytes as f64 / total as f64;
                        let read = (part(i.checked_sub(1).map_or(0, |i| ends[i])), part(ends[i]));
                        self.read_unit(i, read, &idle, observer, progress, cancel);
                    }
                });
            }
        });
    }

    /// Says that the index is complete, if `all` has been read or no more of it can be.
    pub(super) fn finish(&self, all: bool, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) {
        let exhausted = self.intact().is_err();
        if (all || exhausted && !cancel.load(Ordering::Relaxed)) && !self.index().complete {
            let mut c = lock(&self.committer);
            let mut index = self.index_mut();
            c.waiting.clear();
            c.commit.finish(&mut index);
            if let Err(e) = self.intact() {
                index.losses.push(e.to_string());
            }
            drop((index, c));
            progress(1.0);
            // A folder that cannot be written to costs the next run its time, and is no reason to complain in this one.
            if !exhausted {
                let _ = self.keep();
            }
        }
    }

    /// Decodes, folds and commits one unit, unless it is cancelled or there is no memory for its tables. As soon as a core is
    /// `idle`, that one folds.
    fn read_unit(
        &self,
        unit: usize,
        read: (f64, f64),
        idle: &AtomicUsize,
        observer: Option<&dyn Observer>,
        progress: &(dyn Fn(f64) + Sync),
        cancel: &AtomicBool,
    ) {
        let file = self.file();
        if !self.room_to_read(file.room_for_tables(&self.data, unit), file.offset(unit)) {
            return;
        }
        let tables = self.read_tables(&file, unit);
        let machine = file.machine(&self.data, unit, &tables, None);
        let only = file.units() == 1;
        let consumer = Consumer {
            trace: self,
            unit,
            fold: Fold::new(file.start(unit, &tables), self.scale, tables.tables()),
            watch: observer.map(|o| o.unit(file.start(unit, &tables), tables.tables(), only)),
            tables: match &tables {
                UnitTables::V2(t) => Some(Arc::clone(t)),
                UnitTables::V1(_) => None,
            },
            checkpoints: vec![None],
            parts: 0,
            read,
            progress,
        };
        let losses = |m: &Machine| file.unit_losses(unit, &tables, m);
        let parts = file.in_parts(unit);
        let at = file.offset(unit);
        std::thread::scope(|s| {
            let mut folding = Folding::Here(Box::new(consumer));
            produce(machine, parts, &losses, cancel, &|more| self.room_to_read(more * EVENT_ROOM, at), &mut |chunk| {
                if matches!(folding, Folding::Here(_)) && claim(idle) {
                    folding.leave(s, idle);
                }
                folding.take(chunk)
            });
        });
    }

    /// Hands in a folded part, and puts all whose turn has come into the index. Returns the part of the file read.
    fn commit(&self, i: (usize, usize), folded: Folded) -> f64 {
        let file = self.file();
        let mut c = lock(&self.committer);
        c.waiting.insert(i, folded);
        loop {
            let next = c.next;
            let Some(f) = c.waiting.remove(&next) else { return self.index().progress };
            if !self.room_to_read(f.part.bytes_in_index(), file.offset(f.unit)) {
                return self.index().progress;
            }
            let mut index = self.index_mut();
            let floor = if next == (0, 0) { Time::MIN } else { index.end };
            let from = index.segments.len();
            if next.1 == 0 {
                let (number, process) = file.place(f.unit);
                if c.commit.recording() != Some(number) {
                    c.commit.begin(&mut index, number, process, file.minor(f.unit));
                }
            }
            match &f.tables {
                Some(t) => {
                    let maps = Maps::intern(&mut index, &t.tables);
                    // Of a million generations of a few events, most have the same tables, or none.
                    if *c.maps != maps {
                        c.maps = Arc::new(maps);
                    }
                }
                None if next.1 == 0 => {
                    let tables = file.read_tables(&self.data, f.unit).0;
                    c.maps = Arc::new(Maps::intern(&mut index, tables.tables()));
                }
                None => {}
            }
            let maps = Arc::clone(&c.maps);
            let start = index.end;
            c.commit.add(&mut index, f.part, &maps);
            if let Some((watch, named)) = f.watched {
                let (recording, process) = file.place(f.unit);
                let handles = c.commit.handles(&named, process);
                let names = Names { handles: &handles, maps: &maps, recording };
                watch.commit(&names, if next == (0, 0) { Time::MIN } else { start });
            }
            index.progress = f.progress;
            index.losses.extend(f.losses);
            let mut plans = self.plans.write().unwrap_or_else(|e| e.into_inner());
            for (info, checkpoint) in index.segments[from..].iter().zip(f.checkpoints) {
                let (first, len) = (info.first, info.len as usize);
                let maps = Arc::clone(&maps);
                let checkpoint = checkpoint.map(Box::new);
                plans.push(Arc::new(Plan { unit: f.unit, checkpoint, first, len, floor, maps }));
            }
            c.next = if f.last { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
        }
    }
}

/// Decodes a unit and hands its events on, unless it is cancelled; `send` gives back an empty buffer, or nothing if no more
/// is wanted.
fn produce(
    machine: Machine,
    parts: bool,
    losses: &dyn Fn(&Machine) -> Vec<String>,
    cancel: &AtomicBool,
    room: &dyn Fn(usize) -> bool,
    send: &mut dyn FnMut(Chunk) -> Option<Events>,
) {
    let mut machine = Some(machine);
    let mut events = Events::default();
    let (mut in_segment, mut segments, mut least) = (0, 1, SEGMENT);
    let checkpoint = |machine: &Machine, least: &mut usize| {
        let c = machine.checkpoint();
        *least = (c.bytes() * SEGMENT_PER_BYTE).clamp(SEGMENT, LARGEST_SEGMENT);
        c
    };
    while let Some(mut now) = machine.take() {
        events.clear();
        let more = now.next(&mut events, CHUNK);
        in_segment += events.len();
        let named = (now.named().gos.len(), now.named().procs.len());
        let full = in_segment >= least;
        let after = if !more {
            // The decoder's own state is given back before the index grows by what the unit adds.
            let losses = losses(&now);
            After::End(Box::new(now.into_named()), losses)
        } else if full && parts && segments >= SEGMENTS_PER_PART {
            segments = 0;
            let (checkpoint, named) = (checkpoint(&now, &mut least), Box::new(now.named().clone()));
            let progress = now.progress();
            machine = Some(now);
            After::Part(checkpoint, named, progress)
        } else if full {
            let checkpoint = checkpoint(&now, &mut least);
            machine = Some(now);
            After::Segment(checkpoint)
        } else {
            machine = Some(now);
            After::More
        };
        if full {
            in_segment = 0;
            segments += 1;
        }
        if cancel.load(Ordering::Relaxed) || !room(events.len()) {
            return;
        }
        match send(Chunk { events, named, after }) {
            Some(empty) if more => events = empty,
            _ => return,
        }
    }
}

/// Says that one of those who read units does so no longer; false for the last one.
fn leave(active: &AtomicUsize) -> bool {
    let less = |n: usize| n.checked_sub(1).filter(|n| *n > 0);
    active.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

/// Takes one of the idle cores, if there is any.
fn claim(idle: &AtomicUsize) -> bool {
    let less = |n: usize| n.checked_sub(1);
    idle.load(Ordering::Relaxed) > 0 && idle.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

/// Where a unit's chunks are folded.
enum Folding<'a> {
    /// Between decoding them.
    Here(Box<Consumer<'a>>),
    /// On another thread: the way there, and the way back of the buffers.
    Elsewhere(Sender<Chunk>, Receiver<Events>),
}

impl<'a> Folding<'a> {
    /// From here on on a thread of its own, whose core is `idle` again in the end.
    fn leave<'s>(&mut self, scope: &'s std::thread::Scope<'s, '_>, idle: &'s AtomicUsize)
    where
        'a: 's,
    {
        let (full, chunks) = crossbeam_channel::bounded::<Chunk>(CHUNKS_AHEAD);
        let (used, empty) = crossbeam_channel::bounded::<Events>(CHUNKS_AHEAD);
        let Folding::Here(mut consumer) = std::mem::replace(self, Folding::Elsewhere(full, empty)) else { return };
        scope.spawn(move || {
            for chunk in chunks {
                // The other side may have made its last chunk already.
                let _ = used.try_send(consumer.take(chunk));
            }
            idle.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Folds a chunk or sends it on; gives an empty buffer back, nothing if nobody folds any more.
    fn take(&mut self, chunk: Chunk) -> Option<Events> {
        match self {
            Folding::Here(consumer) => Some(consumer.take(chunk)),
            Folding::Elsewhere(full, empty) => {
                full.send(chunk).ok()?;
                Some(empty.try_recv().unwrap_or_default())
            }
        }
    }
}

/// Folds the chunks of a unit and hands in its parts.
struct Consumer<'a> {
    trace: &'a Trace,
    unit: usize,
    fold: Fold,
    watch: Option<Box<dyn Watch>>,
    tables: Option<Arc<GenTables>>,
    checkpoints: Vec<Option<Checkpoint>>,
    parts: usize,
    /// The part of the file that is read before the unit, and with it, 0 to 1.
    read: (f64, f64),
    progress: &'a (dyn Fn(f64) + Sync),
}

impl Consumer<'_> {
    /// Folds a chunk, and gives its buffer back.
    fn take(&mut self, chunk: Chunk) -> Events {
        self.fold.add(&chunk.events, chunk.named);
        if let Some(w) = &mut self.watch {
            w.events(&chunk.events);
        }
        match chunk.after {
            After::More => {}
            After::Segment(c) => {
                self.fold.cut();
                self.checkpoints.push(Some(c));
            }
            After::Part(c, named, progress) => {
                let part = self.fold.split();
                let (from, to) = self.read;
                self.hand_in(part, *named, Vec::new(), from + (to - from) * progress, false, None);
                self.checkpoints.push(Some(c));
            }
            After::End(named, losses) => {
                let part = self.fold.take();
                let watched = self.watch.take().map(|mut w| {
                    w.end();
                    (w, named.clone())
                });
                self.hand_in(part, *named, losses, self.read.1, true, watched);
            }
        }
        chunk.events
    }

    fn hand_in(
        &mut self,
        mut part: Part,
        named: Tables,
        losses: Vec<String>,
        progress: f64,
        last: bool,
        watched: Option<(Box<dyn Watch>, Box<Tables>)>,
    ) {
        part.name(named);
        let checkpoints = std::mem::take(&mut self.checkpoints);
        let tables = self.tables.clone();
        let folded = Folded { unit: self.unit, last, part, tables, checkpoints, losses, progress, watched };
        let i = (self.unit, self.parts);
        self.parts += 1;
        (self.progress)(self.trace.commit(i, folded));
    }
}
