//! What is decoded at the moment, bounded in bytes: the least recently used goes first.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

/// Shared values by key, up to a number of bytes.
pub(crate) struct Cache<K, V> {
    entries: FxHashMap<K, Entry<V>>,
    /// The keys by when they were last asked for: with thousands of small values, a search for the oldest at each insertion
    /// would take longer than what is kept saves.
    order: BTreeMap<u64, K>,
    budget: usize,
    used: usize,
    clock: u64,
}

struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    last_use: u64,
}

impl<K: Copy + Eq + Hash + Ord, V> Cache<K, V> {
    /// An empty cache of at most `budget` bytes (always at least one value).
    pub fn new(budget: usize) -> Cache<K, V> {
        Cache { entries: FxHashMap::default(), order: BTreeMap::new(), budget, used: 0, clock: 0 }
    }

    /// The value of a key, if it is here.
    pub fn get(&mut self, key: &K) -> Option<Arc<V>> {
        self.clock += 1;
        let e = self.entries.get_mut(key)?;
        self.order.remove(&e.last_use);
        self.order.insert(self.clock, *key);
        e.last_use = self.clock;
        Some(Arc::clone(&e.value))
    }

    /// Puts all values out.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.used = 0;
    }

    /// Puts a value in, and others out as far as its `bytes` need it.
    pub fn insert(&mut self, key: K, value: Arc<V>, bytes: usize) {
        self.clock += 1;
        if let Some(old) = self.entries.insert(key, Entry { value, bytes, last_use: self.clock }) {
            self.used -= old.bytes;
            self.order.remove(&old.last_use);
        }
        self.order.insert(self.clock, key);
        self.used += bytes;
        while self.used > self.budget && self.entries.len() > 1 {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(e) = self.entries.remove(&oldest) {
                self.used -= e.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut c = Cache::new(100);
        c.insert(1, Arc::new("a"), 40);
        c.insert(2, Arc::new("b"), 40);
        assert_eq!(c.get(&1).as_deref(), Some(&"a"));
        c.insert(3, Arc::new("c"), 40);
        assert!(c.get(&2).is_none() && c.get(&1).is_some() && c.get(&3).is_some());
        c.insert(4, Arc::new("huge"), 1000);
        assert!(c.get(&4).is_some(), "one value is always kept");
    }
}
