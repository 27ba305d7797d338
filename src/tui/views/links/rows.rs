//! The rows of the links view: edges and the waits of one, with their names.

use super::{Found, Key, Links, List};
use crate::analysis::waits::links;
use crate::analysis::waits::links::table::is_users;
use crate::analysis::waits::links::{Edge, Options, Party};
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, GroupId, Time, text as base};
use crate::model::Index;
use crate::model::Waker;
use crate::model::places::PlaceId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::search;
use crate::tui::panels::why;
use crate::tui::text;
use crate::tui::widgets::table::{Column, Sort};
use std::cmp::Ordering;
use std::sync::Arc;

/// The columns of the edges. Those of waiter and waker share what the others leave.
pub const EDGES: [Column; 8] = [
    column("waits for", 14, false, 0, false),
    column("waiter", 18, false, 0, true),
    column("waker", 19, false, 0, false),
    column("count", 7, true, 0, false),
    column("total", 7, true, 0, false),
    column("mean", 7, true, 2, false),
    column("longest", 8, true, 0, false),
    column("99 in 100", 9, true, 3, false),
];
/// The column of waiters, and beside it that of wakers.
pub const WAITER: usize = 1;
/// The column of sums, sorted by at first.
pub const TOTAL: usize = 4;

/// The columns of the waits of an edge.
pub const WAITS: [Column; 4] = [
    column("waited", 9, true, 0, false),
    column("from", 16, true, 0, false),
    column("goroutine", 16, false, 0, true),
    column("ended by", 24, false, 1, false),
];

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: bool) -> Column {
    Column { title, width, right, drop, elastic }
}

/// Most waits of an edge that are listed.
pub const MAX_WAITS: usize = 10_000;

/// An edge with its names, all safe to show.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Position in the links' edges.
    pub edge: usize,
    /// What was waited for.
    pub reason: String,
    /// Who waited, and in which line.
    pub waiter: (String, String),
    /// Who ended it, and in which line.
    pub waker: (String, String),
    /// Whose group waited.
    pub group: GroupId,
    /// Whose group ended it.
    pub by: Option<GroupId>,
    /// How many waits.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// Their mean.
    pub mean: Duration,
    /// The longest.
    pub max: Duration,
    /// 99 in 100 were no longer.
    pub p99: Duration,
    /// Whether one of the user's goroutines waited.
    pub users: bool,
    /// The goroutine of the longest, and when it began.
    pub longest: (GoIdx, Time),
}

impl Row {
    /// What tells the edge from others, over recomputations.
    pub fn name(&self) -> (&str, &(String, String), &(String, String)) {
        (&self.reason, &self.waiter, &self.waker)
    }
}

fn row(index: &Index, found: &links::Links, edge: usize, e: &Edge) -> Row {
    let line = |p: PlaceId| found.places.line(index, p);
    let waker = match e.key.waker {
        Party::Group(g) => text::group(index.group_name(g)),
        other => why::nobody(other).to_string(),
    };
    Row {
        edge,
        reason: base::escape(&found.reason(e).name).into_owned(),
        waiter: (text::group(index.group_name(e.key.waiter)), line(e.key.at)),
        waker: (waker, line(e.key.waker_at)),
        group: e.key.waiter,
        by: if let Party::Group(g) = e.key.waker { Some(g) } else { None },
        count: e.count,
        total: e.total,
        mean: Duration(e.total.ns() / e.count.max(1) as i64),
        max: e.max,
        p99: e.p99,
        users: is_users(index, e),
        longest: (e.longest_go, e.longest_from),
    }
}

/// The order of two edges; those alike stand as they were found, the largest sums first.
pub fn compare(a: &Row, b: &Row, sort: Sort) -> Ordering {
    sort.turn(match sort.column {
        0 => a.reason.cmp(&b.reason),
        1 => a.waiter.cmp(&b.waiter),
        2 => a.waker.cmp(&b.waker),
        3 => a.count.cmp(&b.count),
        4 => a.total.cmp(&b.total),
        5 => a.mean.cmp(&b.mean),
        6 => a.max.cmp(&b.max),
        _ => a.p99.cmp(&b.p99),
    })
}

/// A wait with what tells it from the others of its edge.
#[derive(Clone, PartialEq, Debug)]
pub struct Wait {
    /// Who waited.
    pub go: GoIdx,
    /// Since when.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// Who ended it, safe to show.
    pub waker: String,
    /// The event that began it.
    pub began: Option<EventNo>,
    /// The event that ended it.
    pub end: Option<EventNo>,
}

impl Wait {
    /// How long it lasted.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }
}

/// The order of two waits.
pub fn compare_waits(a: &Wait, b: &Wait, sort: Sort, index: &Index) -> Ordering {
    let id = |g: GoIdx| index.goroutine(g).map(|g| g.id);
    sort.turn(match sort.column {
        0 => a.len().cmp(&b.len()),
        1 => a.from.cmp(&b.from),
        2 => id(a.go).cmp(&id(b.go)),
        _ => a.waker.cmp(&b.waker),
    })
}

fn options<'a>(key: &Key, filter: Option<&'a crate::query::Compiled>) -> Options<'a> {
    let (from, to) = key.window.unwrap_or((Time::MIN, Time::MAX));
    Options { from, to, filter }
}

/// A job that sums up who waited for whom.
pub fn sum_up(key: Key) -> Job {
    let work = move |cx: &JobCtx| {
        let filter = search::compile(cx, key.query.as_deref())?;
        let links = links::links(cx, options(&key, filter.as_ref()))?;
        let index = cx.trace.index();
        let rows = links.edges.iter().enumerate().map(|(i, e)| row(&index, &links, i, e)).collect();
        Ok(Found { key, links, rows })
    };
    Job::new("links", work, |view: &mut Links, found, cx, out| view.take_sums(found, cx, out))
}

/// A job that lists the waits of an edge, the longest of them.
pub fn list(found: Arc<Found>, edge: usize) -> Job {
    let work = move |cx: &JobCtx| {
        let Some(e) = found.links.edges.get(edge) else { return Ok(List { of: found, edge, waits: Vec::new() }) };
        let filter = search::compile(cx, found.key.query.as_deref())?;
        let waits = links::list(cx, options(&found.key, filter.as_ref()), &found.links, &e.key, MAX_WAITS)?;
        let index = cx.trace.index();
        let waits = waits.iter().map(|w| Wait {
            go: w.interval.go,
            from: w.interval.from,
            to: w.interval.to,
            waker: match w.waker {
                Waker::Go(g) => crate::report::why::goroutine(&index, g),
                other => why::nobody(Party::of(other, &index)).into(),
            },
            began: w.interval.began,
            end: w.interval.end.map(|e| e.no),
        });
        let waits = waits.collect();
        Ok(List { of: found, edge, waits })
    };
    Job::new("waits", work, |view: &mut Links, list, cx, out| view.take_waits(list, cx, out))
}
