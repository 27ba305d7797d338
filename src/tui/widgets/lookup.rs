//! Something that is looked up in the background: what was asked for last, and the last answer to it.

use std::sync::Arc;

/// What is looked up for a key. While another key is asked for, the last answer stays: what is on the screen is out of
/// date for a moment, and does not go blank.
#[derive(Debug)]
pub struct Lookup<K, T> {
    asked: Option<K>,
    found: Option<(K, Arc<T>)>,
}

impl<K, T> Default for Lookup<K, T> {
    fn default() -> Self {
        Lookup { asked: None, found: None }
    }
}

impl<K: PartialEq + Clone, T> Lookup<K, T> {
    /// Whether it has to be asked for: it is not what was asked for last. Takes note that it is asked for now.
    pub fn want(&mut self, key: &K) -> bool {
        let new = self.asked.as_ref() != Some(key);
        if new {
            self.asked = Some(key.clone());
        }
        new
    }

    /// Takes an answer; `None` if something else has been asked for meanwhile.
    pub fn take(&mut self, key: K, answer: T) -> Option<Arc<T>> {
        if self.asked.as_ref() != Some(&key) {
            return None;
        }
        let answer = Arc::new(answer);
        self.found = Some((key, answer.clone()));
        Some(answer)
    }

    /// Asks anew the next time, whatever for.
    pub fn forget_asking(&mut self) {
        self.asked = None;
    }

    /// The last answer, out of date or not.
    pub fn latest(&self) -> Option<&Arc<T>> {
        self.found.as_ref().map(|f| &f.1)
    }

    /// What the last answer is for.
    pub fn key(&self) -> Option<&K> {
        self.found.as_ref().map(|f| &f.0)
    }

    /// Whether the last answer is for a key.
    pub fn is_of(&self, key: &K) -> bool {
        self.key() == Some(key)
    }

    /// The answer for a key, if that is the last one.
    pub fn of(&self, key: &K) -> Option<&Arc<T>> {
        self.latest().filter(|_| self.is_of(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_asked_for_once_and_late_answers_are_dropped() {
        let mut l = Lookup::<u8, &str>::default();
        assert!(l.want(&1) && !l.want(&1));
        assert!(l.take(1, "one").is_some());
        assert!(l.want(&2));
        // The old answer stays until the new one is there, and says that it is old.
        assert_eq!((l.latest().map(|a| **a), l.of(&2), l.is_of(&1)), (Some("one"), None, true));
        assert!(l.want(&3));
        assert!(l.take(2, "two").is_none());
        assert!(l.take(3, "three").is_some());
        assert_eq!(l.of(&3).map(|a| **a), Some("three"));
        l.forget_asking();
        assert!(l.want(&3));
    }
}
