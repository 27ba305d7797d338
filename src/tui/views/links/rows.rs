//! The rows of the links view: edges and the waits of one, with their names.

use super::{Found, Key, Links};
use crate::analysis::waits::links;
use crate::analysis::waits::links::table::is_users;
use crate::analysis::waits::links::{Edge, Options, Party};
use crate::analysis::waits::standing::{Standing, standings};
use crate::base::EventNo;
use crate::base::number::count_in;
use crate::base::{Duration, GoIdx, GroupId, Time, text as base};
use crate::model::Index;
use crate::model::places::PlaceId;
use crate::model::reasons::WaitKind;
use crate::report::why;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::search;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::list::{Col, Table, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::{Slot, Sort};
use std::sync::Arc;

/// The edges. Those of waiter and waker share what the others leave.
pub static EDGES: Table<Arc<EdgeRow>> = Table {
    columns: &[
        Col::text("waits for", 14, |r: &Arc<EdgeRow>, _, _| {
            let role = if r.standing != Standing::Stall { Role::Dim } else { Theme::wait_role(r.kind) };
            one(r.reason.clone(), role)
        })
        .by(|a, b, _| a.reason.cmp(&b.reason)),
        Col::text("waiter", 18, |r: &Arc<EdgeRow>, _, width| party(&r.waiter, width))
            .elastic()
            .by(|a, b, _| a.waiter.cmp(&b.waiter)),
        Col::text("unblocked by", 19, |r: &Arc<EdgeRow>, _, width| party(&r.waker, width))
            .by(|a, b, _| a.waker.cmp(&b.waker)),
        Col::number("count", 7, |r: &Arc<EdgeRow>, _, width| one(count_in(r.count, width.into()), Role::Text))
            .by(|a, b, _| a.count.cmp(&b.count)),
        Col::number("total", 7, |r: &Arc<EdgeRow>, _, _| one(r.total.to_string(), Role::Title))
            .by(|a, b, _| (b.standing, a.total).cmp(&(a.standing, b.total))),
        Col::number("mean", 7, |r: &Arc<EdgeRow>, _, _| one(r.mean.to_string(), Role::Text))
            .drop(2)
            .by(|a, b, _| a.mean.cmp(&b.mean)),
        Col::number("max", 8, |r: &Arc<EdgeRow>, _, _| one(r.max.to_string(), Role::Text))
            .by(|a, b, _| a.max.cmp(&b.max)),
        Col::number("p99", 9, |r: &Arc<EdgeRow>, _, _| one(r.p99.to_string(), Role::Text))
            .drop(3)
            .by(|a, b, _| a.p99.cmp(&b.p99)),
    ],
    sort: Sort { column: 4, descending: true },
    same: |a, b| a.name() == b.name(),
    tie: None,
    arrange: Some(share),
    given_in_order: false,
    section: Some(section),
};

/// What an edge's waits mean.
fn section(r: &Arc<EdgeRow>) -> &'static str {
    r.standing.heading()
}

/// The column of waiters, and beside it that of wakers.
const WAITER: usize = 1;

/// The waits of an edge.
pub static WAITS: Table<Wait> = Table {
    columns: &[
        Col::number("waited", 9, |w: &Wait, _, _| one(w.len().to_string(), Role::Title))
            .by(|a, b, _| a.len().cmp(&b.len())),
        // Of a wait that the chosen range cuts only a part counts.
        Col::number("whole", 9, |w: &Wait, _, _| {
            let whole = w.to - w.from;
            one(whole.to_string(), if whole > w.inside { Role::Warning } else { Role::Dim })
        })
        .when(|cx| cx.place.window().is_some())
        .drop(2)
        .by(|a, b, _| (a.to - a.from).cmp(&(b.to - b.from))),
        Col::number("from", 16, |w: &Wait, cx, _| one(text::instant(w.from - cx.index.start), Role::Text))
            .by(|a, b, _| a.from.cmp(&b.from)),
        Col::text("goroutine", 16, |w: &Wait, cx, _| one(why::goroutine(cx.index, w.go), Role::Text)).elastic().by(
            |a, b, cx| {
                let id = |g: GoIdx| cx.index.goroutine(g).map(|g| g.id);
                id(a.go).cmp(&id(b.go))
            },
        ),
        Col::text("unblocked by", 24, |w: &Wait, _, _| one(w.waker.clone(), Role::Dim))
            .drop(1)
            .by(|a, b, _| a.waker.cmp(&b.waker)),
    ],
    sort: Sort { column: 0, descending: true },
    same: |a, b| (a.from, a.go) == (b.from, b.go),
    tie: Some(|a, b| (a.from, a.go).cmp(&(b.from, b.go))),
    arrange: None,
    given_in_order: false,
    section: None,
};

/// Divides what waiter and waker have between them: they matter alike. Where there is room, reasons get what their
/// longest names need.
fn share(slots: &mut [Slot]) {
    let Some(i) = slots.iter().position(|s| s.column == WAITER) else { return };
    if slots.get(i + 1).is_none_or(|s| s.column != WAITER + 1) {
        return;
    }
    // Most reasons need a few columns more; the longest of all have theirs only where names have enough.
    let spare = (slots[i].width + slots[i + 1].width).saturating_sub(56);
    let extra = if i > 0 { spare.min(8) + (spare.saturating_sub(40) / 4).min(8) } else { 0 };
    if extra > 0 {
        slots[i - 1].width += extra;
        slots[i].x += extra;
        slots[i].width -= extra;
    }
    let both = slots[i].width + slots[i + 1].width;
    slots[i].width = both.div_ceil(2);
    slots[i + 1].width = both / 2;
    slots[i + 1].x = slots[i].x + slots[i].width + 1;
}

/// A group and a line, of which the line's end matters most where there is not room for both.
fn party((name, at): &(String, String), width: u16) -> Spans {
    let width = usize::from(width);
    if at.is_empty() {
        return one(name.clone(), Role::Dim);
    }
    // A name needs a few letters to be one.
    let room = width.saturating_sub(base::width(at) + 1);
    let name = if room >= 8 { base::fit_end(name, room).into_owned() } else { String::new() };
    let gap = if name.is_empty() { "" } else { " " };
    let rest = width - base::width(&name) - gap.len();
    let at = base::fit_end(at, rest).into_owned();
    vec![(name, Role::Text), (gap.into(), Role::Text), (at, Role::Accent)]
}

/// Most waits of an edge that are listed.
pub const MAX_WAITS: usize = 10_000;

/// An edge with its names, all safe to show.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeRow {
    /// Position in the links' edges.
    pub edge: usize,
    /// What was waited for.
    pub reason: String,
    /// What kind of thing that is.
    pub kind: WaitKind,
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
    /// Their p99.
    pub p99: Duration,
    /// Whether one of the user's goroutines waited.
    pub users: bool,
    /// Whether they hold work up, or wait for work to come.
    pub standing: Standing,
    /// The goroutine of the longest, and when it began.
    pub longest: (GoIdx, Time),
}

impl EdgeRow {
    /// What tells the edge from others, over recomputations.
    pub fn name(&self) -> (&str, &(String, String), &(String, String)) {
        (&self.reason, &self.waiter, &self.waker)
    }
}

fn row(index: &Index, found: &links::Links, edge: usize, (e, standing): (&Edge, Standing)) -> EdgeRow {
    let line = |p: PlaceId| found.places.line(index, p);
    let waker = match e.key.waker {
        Party::Group(g) => text::group(index.group_name(g)),
        other => other.words().to_string(),
    };
    EdgeRow {
        edge,
        reason: base::escape(&found.reason(e).name).into_owned(),
        kind: found.reason(e).class.kind(),
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
        standing,
        longest: (e.longest_go, e.longest_from),
    }
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
    /// How much of it lies in the range.
    pub inside: Duration,
    /// Who ended it, safe to show.
    pub waker: String,
    /// The event that began it.
    pub began: Option<EventNo>,
    /// The event that ended it.
    pub end: Option<EventNo>,
}

impl Wait {
    /// How long it lasted in the range.
    pub fn len(&self) -> Duration {
        self.inside
    }
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
        let rows = links.edges.iter().zip(standings(&index, &links)).enumerate();
        let rows = rows.map(|(i, e)| Arc::new(row(&index, &links, i, e))).collect();
        Ok((key, Found { links, rows }))
    };
    Job::new("edges", work, |view: &mut Links, (key, found), cx, out| view.take_sums(key, found, cx, out))
}

/// A job that lists the waits of an edge, the longest of them.
pub fn list(key: Key, found: Arc<Found>, edge: usize) -> Job {
    let work = move |cx: &JobCtx| {
        let Some(e) = found.links.edges.get(edge) else { return Ok((found, Vec::new())) };
        let filter = search::compile(cx, key.query.as_deref())?;
        let waits = links::list(cx, options(&key, filter.as_ref()), &found.links, &e.key, MAX_WAITS)?;
        let index = cx.trace.index();
        let range = key.window.unwrap_or((Time::MIN, Time::MAX));
        let waits = waits.iter().map(|w| Wait {
            go: w.interval.go,
            from: w.interval.from,
            to: w.interval.to,
            inside: w.interval.to.min(range.1) - w.interval.from.max(range.0),
            waker: match w.waker {
                Some(g) => why::goroutine(&index, g),
                None => e.key.waker.words().into(),
            },
            began: w.interval.began,
            end: w.interval.end.map(|e| e.no),
        });
        let waits = waits.collect();
        Ok((found, waits))
    };
    Job::new("waits", work, move |view: &mut Links, (found, waits), cx, out| {
        view.take_waits(&found, edge, waits, cx, out)
    })
}
