//! Looks beyond a segment, for conditions on how a state goes on.

use crate::analysis::states::source::Source;
use crate::base::GoIdx;
use crate::query::{Ahead, Next};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first change of state of each goroutine in a segment, by goroutine.
type Changes = Vec<(GoIdx, Next)>;

/// Changes that are kept in full: some 64 MB.
const MAX_CHANGES: usize = 2_000_000;
/// Goroutines that are remembered as changing in a segment, summed over the segments: 64 MB.
const MAX_PRESENT: usize = 16_000_000;

/// Looks beyond a segment into those that follow, and remembers what it found there.
pub struct LookAhead<'a, S> {
    source: &'a S,
    /// Number of the first event of each segment.
    firsts: Vec<u64>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By segment, its changes: of few segments, since most states end in the next one.
    changes: FxHashMap<usize, Arc<Changes>>,
    changes_len: usize,
    /// By segment, which goroutines change there: of all segments, so that a wait without end is not looked for in
    /// each of them anew.
    present: FxHashMap<usize, Arc<[GoIdx]>>,
    present_len: usize,
}

impl<'a, S: Source> LookAhead<'a, S> {
    /// Looks ahead in the segments that the index has now.
    pub fn new(source: &'a S) -> LookAhead<'a, S> {
        let mut firsts = Vec::new();
        source.with_index(&mut |index| firsts = index.segments.iter().map(|s| s.first).collect());
        LookAhead { source, firsts, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_change(&self, i: usize, go: GoIdx) -> bool {
        let known = self.known().present.get(&i).cloned();
        known.is_none_or(|p| p.binary_search(&go).is_ok())
    }

    fn changes(&self, i: usize) -> Arc<Changes> {
        if let Some(c) = self.known().changes.get(&i) {
            return c.clone();
        }
        // Two threads may both do this; better than one waiting for the other.
        let changes = Arc::new(match self.source.segment(i) {
            Ok(seg) => {
                let first = |&g: &GoIdx| Some((g, Next::within(&seg, g, None)?));
                seg.goroutines().iter().filter_map(first).collect()
            }
            Err(_) => Changes::new(),
        });
        let mut known = self.known();
        if known.changes_len + changes.len() > MAX_CHANGES {
            known.changes.clear();
            known.changes_len = 0;
        }
        if known.changes.insert(i, changes.clone()).is_none() {
            known.changes_len += changes.len();
        }
        if known.present_len + changes.len() <= MAX_PRESENT && !known.present.contains_key(&i) {
            known.present.insert(i, changes.iter().map(|c| c.0).collect());
            known.present_len += changes.len();
        }
        changes
    }
}

impl<S: Source> Ahead for LookAhead<'_, S> {
    fn next(&self, go: GoIdx, after: u64) -> Option<Next> {
        let from = self.firsts.partition_point(|&first| first < after);
        (from..self.firsts.len()).find_map(|i| {
            if !self.may_change(i, go) {
                return None;
            }
            let changes = self.changes(i);
            let at = changes.binary_search_by_key(&go, |c| c.0).ok()?;
            Some(changes[at].1)
        })
    }
}
