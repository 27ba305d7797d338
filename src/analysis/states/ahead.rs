//! Decodes the segments that a walk backwards through a trace will want next, on other threads.

use super::source::Source;
use crate::analysis::states::source::Unanswered;
use crate::model::{Index, Segment};
use rustc_hash::FxHashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Segments that are decoded or being decoded before they are asked for.
const AHEAD: usize = 4;

/// A source of segments that reads ahead of whoever goes from each segment to the one before it.
pub struct ReadAhead<'a, S> {
    source: &'a S,
    /// Nothing before this segment is read ahead.
    floor: usize,
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
    Done(Result<Arc<Segment>, Unanswered>),
}

impl<'a, S: Source> ReadAhead<'a, S> {
    /// Calls `f` with a source that has what `source` has, while up to `threads` others read ahead in it, down to the
    /// segment `floor`.
    pub fn run<R>(source: &'a S, threads: usize, floor: usize, f: impl FnOnce(&ReadAhead<'a, S>) -> R) -> R {
        let ahead = ReadAhead { source, floor, state: Mutex::default(), news: Condvar::new() };
        std::thread::scope(|scope| {
            for _ in 0..threads.min(AHEAD) {
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
            // Who waits for it would wait for ever if this thread ended.
            let done = catch_unwind(AssertUnwindSafe(|| self.source.segment(i)));
            let done = done.unwrap_or_else(|_| Err(Unanswered::Ours(format!("segment {i}"))));
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

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        let mut state = self.lock();
        if state.last.replace(i) == Some(i + 1) {
            let next = i.saturating_sub(AHEAD).max(self.floor).min(i)..i;
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
    use crossbeam_channel::{Receiver, Sender, unbounded};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    const WHOLE: usize = 40;

    /// Segments that are told apart by their first number. That of number 4 cannot be had, and number 6 panics on any
    /// thread but the first. Counts how often each is asked for; the first thread waits in number 38 until another is there.
    struct Numbered {
        asked: Vec<AtomicUsize>,
        first: thread::ThreadId,
        others: (Sender<usize>, Receiver<usize>),
        waits: bool,
    }

    fn numbered(waits: bool) -> Numbered {
        let asked = (0..WHOLE).map(|_| AtomicUsize::new(0)).collect();
        Numbered { asked, first: thread::current().id(), others: unbounded(), waits }
    }

    impl Source for Numbered {
        fn with_index(&self, _: &mut dyn FnMut(&Index)) {}

        fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
            self.asked[i].fetch_add(1, Ordering::Relaxed);
            if thread::current().id() != self.first {
                self.others.0.send(i).unwrap();
                assert_ne!(i, 6, "as the test wants it");
            } else if self.waits && i == 38 {
                let i = self.others.1.recv_timeout(std::time::Duration::from_secs(60)).expect("nobody reads ahead");
                assert_eq!(i, 37);
            }
            let segment = Segment { first: i as u64, ..Segment::default() };
            if i == 4 { Err(Unanswered::Unwanted) } else { Ok(Arc::new(segment)) }
        }
    }

    #[test]
    fn each_segment_is_the_one_that_was_asked_for() {
        let walk = [39, 38, 37, 20, 38, 37, 36, 35, 36, 12, 11, 10, 3, 2, 5, 4, 3, 2, 1, 0];
        for threads in 0..3 {
            ReadAhead::run(&numbered(false), threads, 0, |ahead| {
                for i in walk {
                    let got = ahead.segment(i).map(|s| s.first);
                    assert_eq!(got, if i == 4 { Err(Unanswered::Unwanted) } else { Ok(i as u64) });
                }
            });
        }
    }

    #[test]
    fn who_goes_straight_back_has_each_decoded_once_and_some_by_others() {
        let source = numbered(true);
        let floor = 10;
        ReadAhead::run(&source, 2, floor, |ahead| (floor..WHOLE).rev().for_each(|i| drop(ahead.segment(i))));
        for (i, n) in source.asked.iter().enumerate() {
            assert_eq!(n.load(Ordering::Relaxed), usize::from(i >= floor), "{i}");
        }
    }

    #[test]
    fn a_fault_in_another_thread_is_an_error_and_no_wait_for_ever() {
        let source = numbered(false);
        ReadAhead::run(&source, 2, 0, |ahead| {
            for i in (0..9).rev() {
                match ahead.segment(i).map(|s| s.first) {
                    Ok(first) => assert_eq!(first, i as u64),
                    Err(why) => assert!(i == 4 || i == 6 && why == Unanswered::Ours("segment 6".into()), "{why}"),
                }
            }
        });
    }
}
