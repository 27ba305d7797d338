//! Tasks, regions and ranges: followed one event at a time when parts are put together, because they span generations.

use crate::base::{Duration, GoIdx, StringId, Time};
use crate::model::gaps::Gaps;
use crate::model::index::Recording;
use crate::model::tally::Tally;
use crate::model::totals::SpanTally;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A set of numbers that are mostly given in sequence, as ranges: millions of finished tasks take a few bytes.
#[derive(Default, Debug)]
pub(crate) struct IdSet(BTreeMap<u64, u64>);

impl IdSet {
    pub fn insert(&mut self, id: u64) {
        if self.contains(id) {
            return;
        }
        let mut start = id;
        let mut end = id;
        if let Some((&s, &e)) = self.0.range(..=id).next_back()
            && e.checked_add(1) == Some(id)
        {
            start = s;
        }
        if let Some(after) = id.checked_add(1)
            && let Some(e) = self.0.remove(&after)
        {
            end = e;
        }
        self.0.insert(start, end);
    }

    pub fn contains(&self, id: u64) -> bool {
        self.0.range(..=id).next_back().is_some_and(|(_, &e)| id <= e)
    }
}

#[derive(Clone, Copy, Debug)]
struct OpenRegion {
    name: StringId,
    start: Time,
    /// Stands for the creator's region in which a goroutine was created; has no name and is not counted.
    inherited: bool,
}

/// Open regions by goroutine.
#[derive(Default, Debug)]
pub(crate) struct Regions {
    open: FxHashMap<GoIdx, Vec<OpenRegion>>,
    /// How many ended under another name than the innermost open one has.
    pub misnamed: u64,
}

impl Regions {
    pub fn begin(&mut self, go: GoIdx, name: StringId, start: Time) {
        self.open.entry(go).or_default().push(OpenRegion { name, start, inherited: false });
    }

    /// A region ends: the innermost open one. Go's reader insists on its name; a program that mixes its regions up is
    /// no reason to reject its trace. One that began before the trace, which starts at `start`, counts from there.
    pub fn end(
        &mut self,
        go: GoIdx,
        name: StringId,
        (start, at): (Time, Time),
        sums: &mut FxHashMap<StringId, SpanTally>,
    ) {
        match self.open.get_mut(&go).and_then(Vec::pop) {
            Some(r) if r.inherited => {}
            Some(r) => {
                // A cut generation has lost its names.
                self.misnamed += u64::from(r.name != name && r.name.is_some() && name.is_some());
                let s = sums.entry(r.name).or_default();
                s.count += 1;
                s.complete += 1;
                s.total_ns = s.total_ns.saturating_add((at - r.start).ns());
            }
            None => {
                let s = sums.entry(name).or_default();
                s.count += 1;
                s.add_partial(at - start);
            }
        }
    }

    /// Whether the goroutine is inside a region.
    pub fn inside(&self, go: GoIdx) -> bool {
        self.open.get(&go).is_some_and(|r| !r.is_empty())
    }

    /// A goroutine is created inside a region of its creator.
    pub fn inherit(&mut self, child: GoIdx, at: Time) {
        let r = OpenRegion { name: StringId::NONE, start: at, inherited: true };
        self.open.entry(child).or_default().push(r);
    }

    /// The goroutine is over, at `at` or with the trace: its open regions end with it. Those of system goroutines are
    /// not the user's.
    pub fn close(
        &mut self,
        go: GoIdx,
        at: Option<Time>,
        (system, end): (bool, Time),
        sums: &mut FxHashMap<StringId, SpanTally>,
    ) {
        for r in self.open.remove(&go).unwrap_or_default() {
            if r.inherited || system {
                continue;
            }
            let s = sums.entry(r.name).or_default();
            s.count += 1;
            match at {
                Some(at) => {
                    s.complete += 1;
                    s.total_ns = s.total_ns.saturating_add((at - r.start).ns());
                }
                None => {
                    s.unfinished += 1;
                    s.add_partial(end - r.start);
                }
            }
        }
    }

    /// The goroutines that have open regions, in order.
    pub fn goroutines(&self) -> Vec<GoIdx> {
        let mut all: Vec<_> = self.open.keys().copied().collect();
        all.sort_unstable();
        all
    }
}

/// A task of which no end was seen yet.
#[derive(Clone, Copy, Debug)]
struct OpenTask {
    name: StringId,
    /// When it began; if that was not seen, when the recording did that speaks of it first.
    since: Time,
    /// Whether its beginning was seen.
    begun: bool,
}

/// Tasks of a process that are not over, by number. They go on from one recording to the next.
#[derive(Default, Debug)]
pub(crate) struct Tasks {
    open: FxHashMap<u64, OpenTask>,
    done: IdSet,
    /// How many began a second time before they had ended.
    pub begun_twice: u64,
}

impl Tasks {
    /// An event of the recording that began at `start` speaks of a task.
    pub fn mention(&mut self, id: u64, start: Time) {
        if !self.done.contains(id) {
            self.open.entry(id).or_insert(OpenTask { name: StringId::NONE, since: start, begun: false });
        }
    }

    pub fn begin(&mut self, id: u64, name: StringId, at: Time) {
        if let Some(OpenTask { begun: true, .. }) = self.open.insert(id, OpenTask { name, since: at, begun: true }) {
            self.begun_twice += 1;
        }
    }

    /// A task ends: it took what was traced of its time. One whose beginning was not seen counts from `start` on, where the
    /// recording began.
    pub fn end(&mut self, id: u64, (start, at): (Time, Time), gaps: &Gaps, sums: &mut FxHashMap<StringId, SpanTally>) {
        if self.done.contains(id) && !self.open.contains_key(&id) {
            return;
        }
        let unseen = OpenTask { name: StringId::NONE, since: start, begun: false };
        let task = self.open.remove(&id).unwrap_or(unseen);
        self.done.insert(id);
        let took = at - task.since - gaps.inside(task.since, at.max(task.since));
        let s = sums.entry(task.name).or_default();
        s.count += 1;
        if task.begun {
            s.complete += 1;
            s.total_ns = s.total_ns.saturating_add(took.ns());
        } else {
            s.add_partial(took);
        }
    }

    /// The process is over: counts what is still open, up to the end of the recording in which it was last seen to be, as it may
    /// have ended behind that. What comes next numbers its tasks anew.
    pub fn finish(&mut self, recordings: &[Recording], sums: &mut FxHashMap<StringId, SpanTally>) {
        for (_, task) in self.open.drain() {
            let i = recordings.partition_point(|r| r.to < task.since);
            let s = sums.entry(task.name).or_default();
            s.count += 1;
            s.unfinished += 1;
            s.add_partial(recordings.get(i).map_or(Duration::ZERO, |r| r.to - task.since));
        }
        self.done = IdSet::default();
    }
}

/// Who a range belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Scope {
    All,
    Go(GoIdx),
    Proc(u16),
}

/// Ranges that are under way.
#[derive(Default, Debug)]
pub(crate) struct Ranges {
    open: FxHashMap<(StringId, Scope), Time>,
}

impl Ranges {
    /// A range begins, or is said to be under way.
    pub fn begin(&mut self, name: StringId, scope: Scope, at: Time) {
        self.open.entry((name, scope)).or_insert(at);
    }

    /// A range ends; since when it lasted, if it was known to be under way.
    pub fn end(
        &mut self,
        name: StringId,
        scope: Scope,
        at: Time,
        sums: &mut FxHashMap<StringId, Tally>,
    ) -> Option<Time> {
        let since = self.open.remove(&(name, scope))?;
        sums.entry(name).or_default().add(at - since);
        Some(since)
    }

    /// What is still under way at the end of the trace.
    pub fn rest(&mut self) -> Vec<(StringId, Scope, Time)> {
        let mut all: Vec<_> = self.open.drain().map(|((n, s), t)| (n, s, t)).collect();
        all.sort_unstable_by_key(|&(n, s, t)| (t, n, s));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers_join_their_ranges() {
        let mut s = IdSet::default();
        for id in [1, 3, 2, 7, 5, 6, u64::MAX] {
            s.insert(id);
        }
        assert_eq!(s.0.len(), 3);
        for id in [1, 2, 3, 5, 6, 7, u64::MAX] {
            assert!(s.contains(id));
        }
        for id in [0, 4, 8] {
            assert!(!s.contains(id));
        }
    }
}
