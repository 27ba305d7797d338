//! Finds the events that answer a query: walks the segments that may hold one, in parallel, and hands on what it finds
//! in order.

use super::states::look_ahead::LookAhead;
use super::states::source::{Source, Unanswered};

use super::cost::hits::Hit;
use super::spans::{pick, rules::Rules};
use super::tasks;
use super::waits::links;
use crate::base::{Duration, EventNo, GoIdx, Time};
use crate::model::Segment;
use crate::model::reasons::TABLE;
use crate::query::{Ahead, CompileError, Compiled, Pattern, Query, Spans, SpansError};
use crossbeam_channel::{Sender, bounded};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// How to search.
#[derive(Clone, Debug)]
pub struct Options {
    /// The segments to look at; those that the index does not have yet are left out.
    pub segments: Range<usize>,
    /// How many threads decode and match; at least one does.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Options { segments: 0..usize::MAX, threads }
    }
}

/// What a search did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// The segments that were looked at or passed over; the next search goes on from its end.
    pub segments: Range<usize>,
    /// How many of them were decoded.
    pub visited: usize,
    /// Events that matched.
    pub hits: u64,
    /// Segments that could not be decoded, and why.
    pub failed: Vec<(usize, Unanswered)>,
    /// Whether the search was cancelled before its end.
    pub cancelled: bool,
}

/// Searches `source` for events that answer `query`. See [`run_compiled`].
///
/// # Errors
///
/// The query has a pattern that is too large.
pub fn run<S: Source>(
    source: &S,
    query: &Query,
    opts: &Options,
    cancel: &AtomicBool,
    on_segment: &mut dyn FnMut(usize, Vec<Hit>),
) -> Result<Outcome, CompileError> {
    Ok(run_compiled(source, &compile(source, query)?, opts, cancel, on_segment))
}

/// Compiles a query for what is known of a source now. One that asks for spans, or how long tasks and regions last, takes a
/// pass over the trace, and finds none of them before all of it has been read.
///
/// # Errors
///
/// The query has a pattern that is too large, or asks for spans of a trace of which a segment cannot be decoded.
pub fn compile<S: Source>(source: &S, query: &Query) -> Result<Compiled, CompileError> {
    let mut compiled = None;
    source.with_index(&mut |index| {
        let known = Known { source, complete: index.complete };
        let marked = !index.totals.tasks.is_empty() || !index.totals.regions.is_empty();
        compiled = Some(Compiled::with(query, index, &*TABLE, &known, marked));
    });
    compiled.expect("a source calls back with its index")
}

/// Why spans are not known, for the query that asked.
fn unknown(why: impl std::fmt::Display) -> SpansError {
    SpansError(why.to_string())
}

/// What passes over a trace tell of its spans.
struct Known<'a, S> {
    source: &'a S,
    complete: bool,
}

impl<S: Source> Spans for Known<'_, S> {
    fn stretches(
        &self,
        text: &Pattern,
        long: &dyn Fn(Duration) -> bool,
    ) -> Result<Vec<(GoIdx, Time, Time)>, SpansError> {
        if !self.complete {
            return Ok(Vec::new());
        }
        let (holds, is_func) = (text.holder().map_err(unknown)?, text.func().map_err(unknown)?);
        let picked = pick::pick(self.source, Rules::shipped(), &holds, &is_func).map_err(unknown)?;
        let meant = picked.spans().filter(|s| s.go.is_some() && long(s.len()));
        Ok(meant.map(|s| (s.go, s.from, s.to)).collect())
    }

    fn lengths(&self) -> Result<Vec<(EventNo, Duration)>, SpansError> {
        let mut out = Vec::new();
        if self.complete {
            tasks::each(self.source, links::Options::default(), None, &mut |i| {
                out.extend(i.begin.map(|no| (no, i.to - i.from)));
            })
            .map_err(unknown)?;
        }
        out.sort_unstable();
        Ok(out)
    }
}

/// Searches `source` for events that answer a query compiled for it. `on_segment` is called on this thread, for every
/// segment in order, with its hits in order (none, for one that cannot match): at most a few segments' hits are in
/// memory at a time. A set `cancel` ends the search within a few thousand events.
///
/// While the trace is still being read, a state that lasts beyond the last segment known counts as ending there: search
/// that segment again once more is known, if the query asks for a length or a waker.
/// Segments that cannot be decoded are named in the outcome.
pub fn run_compiled<S: Source>(
    source: &S,
    query: &Compiled,
    opts: &Options,
    cancel: &AtomicBool,
    on_segment: &mut dyn FnMut(usize, Vec<Hit>),
) -> Outcome {
    let mut may = Vec::new();
    let mut range = 0..0;
    source.with_index(&mut |index| {
        let end = opts.segments.end.min(index.segments.len());
        range = opts.segments.start.min(end)..end;
        may = index.segments[range.clone()].iter().map(|info| query.may_match(info)).collect();
    });
    let todo: Vec<usize> = range.clone().filter(|i| may[i - range.start]).collect();
    let threads = opts.threads.clamp(1, 64).min(todo.len().max(1));
    let ahead = LookAhead::new(source);
    let mut out = Outcome { segments: range.start..range.start, visited: todo.len(), ..Outcome::default() };

    std::thread::scope(|scope| {
        // Worker `k` has every segment whose turn is `k`, and a short queue of its own: so results come in order
        // without sorting, and no worker runs far ahead of the reader.
        let mut queues = Vec::with_capacity(threads);
        for k in 0..threads {
            let (send, receive) = bounded(1);
            let (todo, ahead) = (&todo, &ahead);
            scope.spawn(move || work(source, query, todo.iter().skip(k).step_by(threads), ahead, cancel, &send));
            queues.push(receive);
        }
        let mut turn = 0;
        for i in range.clone() {
            if cancel.load(Ordering::Relaxed) {
                out.cancelled = true;
                break;
            }
            let mut hits = Vec::new();
            if may[i - range.start] {
                match queues[turn % threads].recv() {
                    Ok(Ok(found)) => hits = found,
                    Ok(Err(why)) => out.failed.push((i, why)),
                    Err(_) => {
                        out.cancelled = true;
                        break;
                    }
                }
                turn += 1;
            }
            out.hits += hits.len() as u64;
            out.segments.end = i + 1;
            on_segment(i, hits);
        }
        // Workers that wait for room in their queue see it gone.
        drop(queues);
    });
    out
}

fn work<'a, S: Source>(
    source: &S,
    query: &Compiled,
    todo: impl Iterator<Item = &'a usize>,
    ahead: &dyn Ahead,
    cancel: &AtomicBool,
    send: &Sender<Result<Vec<Hit>, Unanswered>>,
) {
    for &i in todo {
        if cancel.load(Ordering::Relaxed) {
            return;
        }
        let found = match source.segment(i) {
            Ok(seg) => match scan(&seg, query, ahead, cancel) {
                Some(hits) => Ok(hits),
                None => return,
            },
            Err(why) => Err(why),
        };
        if send.send(found).is_err() {
            return;
        }
    }
}

/// The hits of one segment; `None` if cancelled.
fn scan(seg: &Segment, query: &Compiled, ahead: &dyn Ahead, cancel: &AtomicBool) -> Option<Vec<Hit>> {
    let mut hits = Vec::new();
    for i in 0..seg.len() {
        if i % 4096 == 0 && cancel.load(Ordering::Relaxed) {
            return None;
        }
        if query.matches(seg, i, ahead) {
            hits.push(hit(seg, i));
        }
    }
    Some(hits)
}

/// The event at position `i` of a segment as a hit.
pub fn hit(seg: &Segment, i: usize) -> Hit {
    Hit {
        no: seg.first + i as u64,
        time: seg.time[i],
        go: if seg.go[i].is_some() { seg.go[i] } else { seg.by[i] },
        stack: seg.stack[i],
        proc: seg.proc[i],
        kind: seg.kind[i],
    }
}

#[cfg(test)]
mod tests;
