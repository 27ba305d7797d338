//! Shows every event of a trace that has been read once more to an analysis, on all cores.

use super::load::CHUNK;
use super::trace::{Trace, lock};
use crate::base::Time;
use crate::build::observe::{Names, Observer, Watch};
use crate::wire::event::Events;
use crate::wire::tables::Tables;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Units that have been watched and wait for those before them.
#[derive(Default)]
struct Done {
    next: usize,
    waiting: BTreeMap<usize, (Box<dyn Watch>, Tables)>,
}

impl Trace {
    /// Shows `observer` every event, unit by unit; false if `cancel` was set meanwhile. The index must be complete.
    /// `progress` is called after each unit, and for a trace that is one unit after each chunk, with the part read, 0 to 1.
    pub fn observe(&self, observer: &dyn Observer, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) -> bool {
        let file = self.file();
        let units = file.units();
        let total = (0..units).map(|i| file.bytes(i)).sum::<u64>().max(1) as f64;
        let (next, read) = (AtomicUsize::new(0), Mutex::new(0u64));
        let done = Mutex::new(Done::default());
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(units.max(1));
        std::thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    loop {
                        let unit = next.fetch_add(1, Ordering::Relaxed);
                        if unit >= units || !self.watch(unit, observer, &done, progress, cancel) {
                            break;
                        }
                        let mut read = lock(&read);
                        *read += file.bytes(unit);
                        progress(*read as f64 / total);
                    }
                });
            }
        });
        let done = lock(&done).next;
        done == units
    }

    fn watch(
        &self,
        unit: usize,
        observer: &dyn Observer,
        done: &Mutex<Done>,
        progress: &(dyn Fn(f64) + Sync),
        cancel: &AtomicBool,
    ) -> bool {
        let file = self.file();
        let tables = self.read_tables(&file, unit);
        let only = file.units() == 1;
        let mut machine = file.machine(&self.data, unit, &tables, None);
        let mut watch = observer.unit(file.start(unit, &tables), tables.tables(), only);
        let mut events = Events::default();
        loop {
            events.clear();
            let more = machine.next(&mut events, CHUNK);
            if cancel.load(Ordering::Relaxed) {
                return false;
            }
            watch.events(&events);
            if !more {
                break;
            }
            if only {
                progress(machine.progress());
            }
        }
        watch.end();
        let mut done = lock(done);
        done.waiting.insert(unit, (watch, machine.named().clone()));
        loop {
            let next = done.next;
            let Some((watch, named)) = done.waiting.remove(&next) else { return true };
            let (recording, process) = file.place(next);
            let handles = lock(&self.committer).commit.handles(&named, process);
            let plans = self.plans.read().unwrap_or_else(|e| e.into_inner());
            let first = plans.partition_point(|p| p.unit < next);
            let plan = plans.get(first).filter(|p| p.unit == next);
            let maps = plan.map(|p| p.maps.clone()).unwrap_or_default();
            let floor = plan.map_or(Time::MIN, |p| p.floor);
            drop(plans);
            watch.commit(&Names { handles: &handles, maps: &maps, recording }, floor);
            done.next += 1;
        }
    }
}
