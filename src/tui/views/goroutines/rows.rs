//! The rows of the goroutines view: what is in them, and in which order.

use crate::base::{Duration, GoIdx, GroupId};
use crate::model::index::Times;
use crate::model::{Cell, Index, Lane};
use crate::tui::app::hits::Hits;
use crate::tui::app::nav::Place;
use crate::tui::text;
use crate::tui::widgets::table::Column;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The columns, in their order on the screen.
pub const COLUMNS: [Column; 12] = [
    column("goroutines", 22, false, 0, true),
    column("count", 7, true, 1, false),
    column("", 16, false, 7, false),
    column("running", 8, true, 0, false),
    column("runnable", 8, true, 3, false),
    column("waiting", 8, true, 0, false),
    column("syscall", 8, true, 4, false),
    column("longest wait", 12, true, 2, false),
    column("waits for", 20, false, 9, false),
    column("samples", 8, true, 5, false),
    column("hits", 6, true, 6, false),
    column("events", 9, true, 8, false),
];

/// The column of the bars, which cannot be sorted by.
pub const BAR: usize = 2;
/// The column of time running, sorted by at first.
pub const RUNNING: usize = 3;
/// The column of hits, there only while there is a query.
pub const HITS: usize = 10;

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: bool) -> Column {
    Column { title, width, right, drop, elastic }
}

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// A group.
    Group(GroupId),
    /// A goroutine.
    Go(GoIdx),
}

/// A row with its numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What it is about.
    pub subject: Subject,
    /// Its name, safe to show.
    pub name: String,
    /// Members of a group, 1 for a goroutine.
    pub count: u64,
    /// Time per state.
    pub times: Times,
    /// The longest wait.
    pub longest: Duration,
    /// The reason for which it waited longest in all.
    pub reason: String,
    /// CPU samples.
    pub samples: u64,
    /// Hits of the query.
    pub hits: u64,
    /// Events.
    pub events: u64,
}

/// The order of the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    /// A position in [`COLUMNS`].
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// Most members of a group that are listed: more cannot be read, and sort by their group's order all the same.
pub const MAX_MEMBERS: usize = 10_000;

/// Numbers of the lanes inside a window.
pub type Totals = FxHashMap<Lane, Cell>;

/// Hits of each goroutine.
pub fn hits_by_go(hits: Option<&Hits>, place: &Place, index: &Index) -> FxHashMap<GoIdx, u64> {
    let mut by: FxHashMap<GoIdx, u64> = FxHashMap::default();
    for h in hits.map_or(&[][..], |h| h.list()) {
        if place.shows(h, index) {
            *by.entry(h.go).or_default() += 1;
        }
    }
    by
}

fn row(index: &Index, subject: Subject, totals: Option<&Totals>, by_go: &FxHashMap<GoIdx, u64>) -> Option<Row> {
    let reason = |blocked: &[(crate::base::StringId, Duration)]| {
        let most = blocked.iter().max_by_key(|(s, d)| (*d, std::cmp::Reverse(*s)));
        most.map_or(String::new(), |(s, _)| crate::base::text::escape(index.dict.str(*s)).into_owned())
    };
    let (mut row, lane) = match subject {
        Subject::Group(id) => {
            let g = index.groups.get(id.0 as usize)?;
            let row = Row {
                subject,
                name: text::group(index.dict.str(g.name)),
                count: g.members.len() as u64,
                times: g.times,
                longest: g.longest_wait,
                reason: reason(&g.blocked),
                samples: g.samples,
                hits: match by_go.len() < g.members.len() {
                    true => by_go
                        .iter()
                        .filter(|(m, _)| index.goroutine(**m).is_some_and(|x| x.group == id))
                        .map(|(_, n)| n)
                        .sum(),
                    false => g.members.iter().filter_map(|m| by_go.get(m)).sum(),
                },
                events: g.events,
            };
            (row, Lane::Group(id))
        }
        Subject::Go(id) => {
            let g = index.goroutine(id)?;
            let label = index.dict.str(g.label);
            let mut name = format!("G{}", g.id.0);
            if !label.is_empty() {
                name.push_str(&format!("  {}", crate::base::text::escape(label)));
            }
            let row = Row {
                subject,
                name,
                count: 1,
                times: g.times,
                longest: g.longest_wait,
                reason: reason(&g.blocked),
                samples: g.samples,
                hits: by_go.get(&id).copied().unwrap_or(0),
                events: g.events,
            };
            (row, Lane::Go(id))
        }
    };
    if let Some(totals) = totals {
        let c = totals.get(&lane).copied().unwrap_or_default();
        row.times = Times { running: c.running, runnable: c.runnable, waiting: c.waiting, ..Times::default() };
        row.times.syscall = c.syscall;
        (row.longest, row.samples, row.events) = (c.longest_wait, u64::from(c.samples), u64::from(c.events));
    }
    Some(row)
}

fn compare(a: &Row, b: &Row, sort: Sort) -> Ordering {
    let by = match sort.column {
        0 => a.name.cmp(&b.name),
        1 => a.count.cmp(&b.count),
        3 => a.times.running.cmp(&b.times.running),
        4 => a.times.runnable.cmp(&b.times.runnable),
        5 => a.times.waiting.cmp(&b.times.waiting),
        6 => syscall(&a.times).cmp(&syscall(&b.times)),
        7 => a.longest.cmp(&b.longest),
        8 => a.reason.cmp(&b.reason),
        9 => a.samples.cmp(&b.samples),
        10 => a.hits.cmp(&b.hits),
        11 => a.events.cmp(&b.events),
        _ => Ordering::Equal,
    };
    if sort.descending { by.reverse() } else { by }
}

/// Time in syscalls, with and without a P.
pub fn syscall(t: &Times) -> Duration {
    t.syscall + t.syscall_blocked
}

/// The rows as they stand on the screen: groups in order, and under those that are open their members in order. What
/// the narrowing leaves nothing of is not there.
pub fn rows(
    index: &Index,
    place: &Place,
    hits: Option<&Hits>,
    totals: Option<&Totals>,
    open: &BTreeSet<GroupId>,
    sort: Sort,
) -> Vec<Row> {
    let by_go = hits_by_go(hits, place, index);
    let only = place.only().and_then(|g| index.goroutine(g));
    let group = place.group().or(only.map(|g| g.group));
    let seen = |r: &Row| {
        (hits.is_none() || r.hits > 0) && (totals.is_none() || r.times.total() > Duration::ZERO || r.events > 0)
    };
    let mut groups: Vec<Row> = (0..index.groups.len() as u32)
        .map(GroupId)
        .filter(|g| group.is_none_or(|o| o == *g))
        .filter_map(|g| row(index, Subject::Group(g), totals, &by_go))
        .filter(|r| r.count > 0 && seen(r))
        .collect();
    // Stable, on groups that stand in order of time in the index: so the order never wavers.
    groups.sort_by(|a, b| compare(a, b, sort));
    let mut out = Vec::new();
    for g in groups {
        let Subject::Group(id) = g.subject else { continue };
        out.push(g);
        if !open.contains(&id) {
            continue;
        }
        let members = index.groups[id.0 as usize].members.iter().take(MAX_MEMBERS);
        let mut members: Vec<Row> = members
            .filter(|m| place.only().is_none_or(|o| o == **m))
            .filter_map(|&m| row(index, Subject::Go(m), totals, &by_go))
            .filter(seen)
            .collect();
        members.sort_by(|a, b| compare(a, b, sort));
        out.extend(members);
    }
    out
}
