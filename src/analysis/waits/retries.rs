//! Waits that a deadline ended and that were begun again: what a trace shows of a client whose timeout is shorter than what
//! it waits for takes.
//!
//! A context's deadline runs in a goroutine that a timer starts, so that the stack of who ended the wait tells it. Deadlines of
//! connections are timers of the poller, which leave no stack; and a `select` with a `time.After` looks like one with a
//! ticker: neither is told.

use super::links::{Links, Party};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::waits::contention::Kept;
use crate::base::{Duration, GoIdx, GroupId, StackId, Time};
use crate::model::Index;
use crate::model::dict::Dict;
use crate::model::places::PlaceId;
use crate::model::segment::GoState;
use crate::model::waits::Histogram;
use rustc_hash::FxHashMap;

/// Goroutines of one group that wait at one line with a deadline.
#[derive(Clone, PartialEq, Debug)]
pub struct Retry {
    /// Who waits.
    pub waiter: GroupId,
    /// The line.
    pub at: PlaceId,
    /// Waits at it.
    pub waits: u64,
    /// Those of them that a deadline ended.
    pub late: u64,
    /// Those of them after which the same goroutine's next wait at one of the lines was at this one again.
    pub again: u64,
    /// How long those together took that were begun again.
    pub lost: Duration,
    /// Half of those that a deadline ended took no longer.
    pub usual: Duration,
    /// The longest that a deadline ended: whose it was, when it began, and how long it took.
    pub longest: (GoIdx, Time, Duration),
}

/// What starts a goroutine that cancels a context, or a request of net/http before Go 1.23, when its time has come.
const DEADLINES: &[&str] = &["context.WithDeadline", "net/http.setRequestCancel"];

/// Whether a goroutine that starts in this function is the end of a deadline.
pub fn is_deadline_of(func: &str) -> bool {
    DEADLINES.iter().any(|d| func.starts_with(d))
}

/// Whether who ended a wait in this stack is a deadline.
fn is_deadline(dict: &Dict, stack: StackId) -> bool {
    is_deadline_of(dict.stack(stack).last().map_or("", |f| dict.func_name(f.func)))
}

struct Watch<'a> {
    index: &'a Index,
    links: &'a Links,
    /// By stack of who ended a wait, whether that is a deadline.
    deadlines: FxHashMap<StackId, bool>,
    /// The lines at which deadlines end waits.
    lines: FxHashMap<(GroupId, PlaceId), (Retry, Histogram)>,
    /// By goroutine, its last wait at one of the lines, if a deadline ended it.
    last: FxHashMap<GoIdx, (PlaceId, Duration)>,
}

impl Visit for Watch<'_> {
    fn end(&mut self, w: &Interval) {
        if w.state != GoState::Waiting {
            return;
        }
        let waiter = self.index.goroutine(w.go).map_or(GroupId::NONE, |g| g.group);
        let at = self.links.places.user(w.stack);
        let Some((r, lengths)) = self.lines.get_mut(&(waiter, at)) else { return };
        r.waits += 1;
        if let Some((_, lost)) = self.last.remove(&w.go).filter(|l| l.0 == at) {
            r.again += 1;
            r.lost += lost;
        }
        let dict = &self.index.dict;
        let Some(end) = w.end else { return };
        if !*self.deadlines.entry(end.stack).or_insert_with(|| is_deadline(dict, end.stack)) {
            return;
        }
        r.late += 1;
        lengths.add(w.len());
        if r.late == 1 || w.len() > r.longest.2 {
            r.longest = (w.go, w.from, w.len());
        }
        self.last.insert(w.go, (at, w.len()));
    }
}

/// The lines of a trace that has been read whole at which waits are begun again that a deadline has ended, those that took most
/// first. `links` are all its waits. Where `kept` has them, it takes no pass over the events; without a deadline there is none.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn retries<S: Source>(source: &S, links: &Links, kept: Option<&Kept>) -> Result<Vec<Retry>, Unanswered> {
    let mut out = Ok(Vec::new());
    source.with_index(&mut |index| out = in_index(source, index, links, kept));
    out
}

fn in_index<S: Source>(
    source: &S,
    index: &Index,
    links: &Links,
    kept: Option<&Kept>,
) -> Result<Vec<Retry>, Unanswered> {
    let ended = |g: GroupId| is_deadline_of(index.group_name(g));
    let lines = links.edges.iter().filter(|e| matches!(e.key.waker, Party::Group(g) if ended(g)));
    let none = |waiter, at| Retry {
        waiter,
        at,
        waits: 0,
        late: 0,
        again: 0,
        lost: Duration::ZERO,
        usual: Duration::ZERO,
        longest: (GoIdx::NONE, Time::MIN, Duration::ZERO),
    };
    let lines: FxHashMap<_, _> = lines
        .map(|e| (e.key.waiter, e.key.at))
        .filter(|k| k.1 != PlaceId::NONE && !index.owner(k.0).is_hidden())
        .map(|(waiter, at)| ((waiter, at), (none(waiter, at), Histogram::default())))
        .collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let (deadlines, last) = (FxHashMap::default(), FxHashMap::default());
    let mut watch = Watch { index, links, deadlines, lines, last };
    match kept.filter(|_| !index.totals.waits_missing) {
        Some(kept) => kept.stretches(index, &mut |w| watch.end(w)),
        None => tracker::each(source, &mut watch)?,
    }
    let all = watch.lines.into_values().map(|(r, lengths)| Retry { usual: lengths.quantile(0.5), ..r });
    let mut all: Vec<Retry> = all.filter(|r| r.again > 0).collect();
    all.sort_by_key(|r| (std::cmp::Reverse(r.lost), r.waiter, r.at));
    Ok(all)
}
