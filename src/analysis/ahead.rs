//! Decodes the segments that a walk backwards through a trace will want next, on other threads.

use super::search::Source;
use crate::store::{Index, Segment};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Segments that are decoded or being decoded before they are asked for.
const AHEAD: usize = 4;

/// A source of segments that reads ahead of whoever goes from each segment to the one before it.
pub struct ReadAhead<'a, S> {
    source: &'a S,
    state: Mutex<State>,
    /// Something is wanted, done, or over.
    news: Condvar,
}

#[derive(Default)]
struct State {
    slots: FxHashMap<usize, Slot>,
    last: Option<usize>,
    over: bool,
}

enum Slot {
    Wanted,
    Begun,
    Done(Result<Arc<Segment>, String>),
}

impl<'a, S: Source> ReadAhead<'a, S> {
    /// Calls `f` with a source that has what `source` has, while `threads` others read ahead in it.
    pub fn run<R>(source: &'a S, threads: usize, f: impl FnOnce(&ReadAhead<'a, S>) -> R) -> R {
        let ahead = ReadAhead { source, state: Mutex::default(), news: Condvar::new() };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| ahead.work());
            }
            // Also if `f` panics: the scope waits for the others then, and they for us.
            let _over = Over(&ahead);
            f(&ahead)
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State>) -> MutexGuard<'g, State> {
        self.news.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        while !state.over {
            // The latest first, as it is wanted first.
            let wanted = state.slots.iter().filter(|s| matches!(s.1, Slot::Wanted)).map(|s| *s.0).max();
            let Some(i) = wanted else {
                state = self.wait(state);
                continue;
            };
            state.slots.insert(i, Slot::Begun);
            drop(state);
            let done = self.source.segment(i);
            state = self.lock();
            // Unless it is not wanted any more.
            if let Some(slot) = state.slots.get_mut(&i) {
                *slot = Slot::Done(done);
            }
            self.news.notify_all();
        }
    }
}

/// Ends the threads that read ahead.
struct Over<'a, 'b, S: Source>(&'a ReadAhead<'b, S>);

impl<S: Source> Drop for Over<'_, '_, S> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.news.notify_all();
    }
}

impl<S: Source> Source for ReadAhead<'_, S> {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        self.source.with_index(f);
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, String> {
        let mut state = self.lock();
        if state.last.replace(i) == Some(i + 1) {
            let next = i.saturating_sub(AHEAD)..i;
            // What a jump left behind is not kept.
            state.slots.retain(|k, _| next.contains(k) || *k == i);
            for k in next {
                state.slots.entry(k).or_insert(Slot::Wanted);
            }
            self.news.notify_all();
        }
        loop {
            match state.slots.remove(&i) {
                Some(Slot::Done(done)) => return done,
                Some(Slot::Begun) => {
                    state.slots.insert(i, Slot::Begun);
                    state = self.wait(state);
                }
                Some(Slot::Wanted) | None => {
                    drop(state);
                    return self.source.segment(i);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Segments that are told apart by their first number; that of number 4 cannot be had. Counts how often each is asked for.
    struct Numbered(Vec<AtomicUsize>);

    impl Source for Numbered {
        fn with_index(&self, _: &mut dyn FnMut(&Index)) {}

        fn segment(&self, i: usize) -> Result<Arc<Segment>, String> {
            self.0[i].fetch_add(1, Ordering::Relaxed);
            let mut segment = Segment::default();
            segment.first = i as u64;
            if i == 4 { Err("four".into()) } else { Ok(Arc::new(segment)) }
        }
    }

    #[test]
    fn each_segment_is_the_one_that_was_asked_for() {
        let walk = [39, 38, 37, 20, 38, 37, 36, 35, 36, 12, 11, 10, 3, 2, 5, 4, 3, 2, 1, 0];
        for threads in 0..3 {
            let source = Numbered((0..40).map(|_| AtomicUsize::new(0)).collect());
            ReadAhead::run(&source, threads, |ahead| {
                for i in walk {
                    let got = ahead.segment(i).map(|s| s.first);
                    assert_eq!(got, if i == 4 { Err("four".into()) } else { Ok(i as u64) });
                }
            });
        }
    }

    #[test]
    fn who_goes_straight_back_has_each_decoded_once() {
        let source = Numbered((0..40).map(|_| AtomicUsize::new(0)).collect());
        ReadAhead::run(&source, 2, |ahead| (0..40).rev().for_each(|i| drop(ahead.segment(i))));
        assert!(source.0.iter().all(|n| n.load(Ordering::Relaxed) == 1));
    }
}
