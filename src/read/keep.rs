//! Takes a trace's index over from the cache, and puts it there.

use super::persist::{About, Key, decode, encode};
use super::trace::{Trace, lock};
use std::io;

impl Trace {
    /// The trace's identity, if its index is worth keeping.
    pub(crate) fn key(&self) -> Option<Key> {
        let file = self.file();
        let scans = file.scans().filter(|_| self.whole && self.size() >= self.kept.smallest)?;
        Some(Key::of(&self.data, &scans))
    }

    /// Takes the index over from the cache; false if it is not there.
    pub(crate) fn restore(&self) -> bool {
        let Some(folder) = &self.kept.folder else { return false };
        let Some(key) = self.key() else { return false };
        let Some(bytes) = folder.read(key, self.size()) else { return false };
        let Some(kept) = decode(&bytes, key, self.file().units()) else { return false };
        drop(bytes);
        let mut c = lock(&self.committer);
        c.commit.know(&kept.index);
        // Plans first: whoever sees a segment in the index may ask for it.
        *self.plans.write().unwrap_or_else(|e| e.into_inner()) = kept.plans;
        *self.index_mut() = kept.index;
        folder.used(key);
        true
    }

    /// Puts the complete index into the cache. What goes wrong costs the next run its time and nothing else.
    pub(crate) fn keep(&self) -> io::Result<()> {
        let Some(folder) = &self.kept.folder else { return Ok(()) };
        let Some(key) = self.key() else { return Ok(()) };
        if self.intact().is_err() {
            return Ok(());
        }
        let index = self.index();
        let plans = self.plans.read().unwrap_or_else(|e| e.into_inner());
        let about = About { key: key.0, trace: self.name.clone(), bytes: self.size(), events: index.events };
        let bytes = encode(&about, &index, &plans);
        drop((index, plans));
        match bytes {
            // What is larger than the trace itself would never be read back.
            Some(bytes) if bytes.len() as u64 <= self.size() => folder.write(key, &bytes),
            _ => Ok(()),
        }
    }
}
