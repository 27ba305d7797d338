//! The rows of the goroutines view: what is in them, and in which order.

use crate::analysis::timeline::totals::Totals;
use crate::base::number::count_in;
use crate::base::{Duration, GoIdx, GroupId, text as escape};
use crate::model::index::Times;
use crate::model::{Index, Lane};
use crate::tui::app::hits::Hits;
use crate::tui::app::nav::Place;
use crate::tui::app::view::Ctx;
use crate::tui::text;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::list::{Col, Table, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::Sort;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The rows. They come in order: members stand under their group.
pub static ROWS: Table<Row> = Table {
    columns: &[
        Col::text("goroutines", 22, |r: &Row, cx, width| one(name(r, cx, width.into()), Role::Text))
            .elastic()
            .by(|a, b, _| a.name.cmp(&b.name)),
        Col::number("count", 7, |r: &Row, cx, width| match r.subject {
            Subject::Group(_) => {
                let n = count_in(r.count, usize::from(width).saturating_sub(1));
                one(format!("{}{n}", cx.theme.glyphs.times), Role::Dim)
            }
            Subject::Go(_) => Spans::new(),
        })
        .drop(1)
        .by(|a, b, _| a.count.cmp(&b.count)),
        Col::number("unfinished", 11, |r: &Row, _, width| number(r.unfinished, width, Role::Dim))
            .drop(6)
            .by(|a, b, _| a.unfinished.cmp(&b.unfinished)),
        Col::text("", 14, |r: &Row, cx, width| bar(&r.times, width, cx.theme.glyphs)).drop(7),
        Col::number("running", 8, |r: &Row, _, _| time(r.times.running, Role::Running))
            .by(|a, b, _| a.times.running.cmp(&b.times.running)),
        Col::number("runnable", 8, |r: &Row, _, _| time(r.times.runnable, Role::Runnable))
            .drop(3)
            .by(|a, b, _| a.times.runnable.cmp(&b.times.runnable)),
        Col::number("waiting", 8, |r: &Row, _, _| time(r.times.waiting, Role::Waiting))
            .by(|a, b, _| a.times.waiting.cmp(&b.times.waiting)),
        Col::number("syscall", 8, |r: &Row, _, _| time(syscall(&r.times), Role::Syscall))
            .drop(4)
            .by(|a, b, _| syscall(&a.times).cmp(&syscall(&b.times))),
        Col::number("max wait", 12, |r: &Row, _, _| time(r.longest, Role::Text))
            .drop(2)
            .by(|a, b, _| a.longest.cmp(&b.longest)),
        Col::text("waits for", 20, |r: &Row, _, _| one(r.reason.clone(), Role::Dim))
            .drop(9)
            .by(|a, b, _| a.reason.cmp(&b.reason)),
        Col::number("samples", 8, |r: &Row, _, width| number(r.samples, width, Role::Sample))
            .drop(5)
            .by(|a, b, _| a.samples.cmp(&b.samples)),
        // It matters most while there is a query, and is not there else.
        Col::number("hits", 6, |r: &Row, _, width| number(r.hits, width, Role::Hit))
            .when(|cx| cx.hits.is_some())
            .by(|a, b, _| a.hits.cmp(&b.hits)),
        Col::number("events", 9, |r: &Row, _, width| number(r.events, width, Role::Dim))
            .drop(8)
            .by(|a, b, _| a.events.cmp(&b.events)),
    ],
    sort: Sort { column: 4, descending: true },
    same: |a, b| a.subject == b.subject,
    tie: None,
    arrange: None,
    given_in_order: true,
    section: None,
};

/// A name, behind the sign of an open or closed group.
fn name(r: &Row, cx: &Ctx, width: usize) -> String {
    let glyphs = cx.theme.glyphs;
    // What tells functions of a type apart stands at the end.
    let fitted = escape::fit_end(&r.name, width.saturating_sub(2));
    match r.subject {
        Subject::Group(_) if r.open => format!("{} {fitted}", glyphs.expanded),
        Subject::Group(_) => format!("{} {fitted}", glyphs.collapsed),
        Subject::Go(_) => format!("    {}", r.name),
    }
}

/// A time; nothing for none.
fn time(d: Duration, role: Role) -> Spans {
    if d == Duration::ZERO { Spans::new() } else { one(d.to_string(), role) }
}

/// A count, never cut; nothing for none.
fn number(n: u64, width: u16, role: Role) -> Spans {
    if n == 0 { Spans::new() } else { one(count_in(n, width.into()), role) }
}

/// Time per state as parts of a bar: every state that took any time has a cell, and none has more than its due
/// otherwise.
fn bar(t: &Times, width: u16, glyphs: &Glyphs) -> Spans {
    let parts = [
        (t.running, Role::Running, glyphs.running),
        (syscall(t), Role::Syscall, glyphs.syscall),
        (t.runnable, Role::Runnable, glyphs.runnable),
        (t.waiting, Role::Waiting, glyphs.waiting),
    ];
    let widths = shares(&parts.map(|p| p.0.0.max(0) as u64), usize::from(width));
    let piece = |((_, role, glyph), w)| (std::iter::repeat_n(glyph, w).collect(), role);
    parts.into_iter().zip(widths).map(piece).collect()
}

/// Divides `width` cells in proportion to `parts`; a part that is not 0 gets at least one while there are enough.
fn shares(parts: &[u64; 4], width: usize) -> [usize; 4] {
    let total: u128 = parts.iter().map(|&p| u128::from(p)).sum();
    let mut out = [0; 4];
    if total == 0 || width == 0 {
        return out;
    }
    for (o, &p) in out.iter_mut().zip(parts) {
        *o = (u128::from(p) * width as u128 / total) as usize;
        if p > 0 && *o == 0 {
            *o = 1;
        }
    }
    // What rounding gave or took, the largest part makes good.
    let largest = (0..4).max_by_key(|&i| parts[i]).unwrap_or(0);
    let others: usize = (0..4).filter(|&i| i != largest).map(|i| out[i]).sum();
    out[largest] = width.saturating_sub(others);
    out
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
    /// Whether it is a group whose members are shown.
    pub open: bool,
    /// Its name, safe to show.
    pub name: String,
    /// Members of a group, 1 for a goroutine.
    pub count: u64,
    /// How many of them had not ended when the trace did.
    pub unfinished: u64,
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

/// Most members of a group that are listed: more cannot be read, and sort by their group's order all the same.
pub const MAX_MEMBERS: usize = 10_000;

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

fn row(cx: &Ctx, subject: Subject, totals: Option<&Totals>, by_go: &FxHashMap<GoIdx, u64>) -> Option<Row> {
    let index = cx.index;
    // As `summary` has it.
    let unfinished = |g: GoIdx| index.goroutine(g).is_some_and(|g| g.unfinished());
    let (mut row, lane) = match subject {
        Subject::Group(id) => {
            let g = index.groups.get(id.0 as usize)?;
            let row = Row {
                subject,
                open: false,
                name: text::group(index.group_name(id)),
                count: g.members.len() as u64,
                unfinished: g.members.iter().filter(|m| unfinished(**m)).count() as u64,
                times: g.times,
                longest: g.longest_wait,
                reason: cx.waited.group(index, id).first().map_or(String::new(), |r| escape::escape(&r.0).into_owned()),
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
                name.push_str(&format!("  {}", escape::escape(label)));
            }
            let row = Row {
                subject,
                open: false,
                name,
                count: 1,
                unfinished: u64::from(unfinished(id)),
                times: g.times,
                longest: g.longest_wait,
                reason: {
                    let most = g.blocked.iter().max_by_key(|(s, d)| (*d, std::cmp::Reverse(*s)));
                    most.map_or(String::new(), |r| escape::escape(cx.waited.one(index, g.group, r.0)).into_owned())
                },
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

/// Sorts rows by a column. Stable, on rows that stand in order of time in the index: so the order never wavers.
fn put_in_order(rows: &mut [Row], sort: Sort, cx: &Ctx) {
    if let Some(order) = ROWS.columns.get(sort.column).and_then(|c| c.order) {
        rows.sort_by(|a, b| sort.turn(order(a, b, cx)));
    }
}

/// Time in syscalls, with and without a P.
pub fn syscall(t: &Times) -> Duration {
    t.syscall + t.syscall_blocked
}

/// The rows as they stand on the screen: groups in order, and under those that are open their members in order. What
/// the narrowing leaves nothing of is not there.
pub fn rows(cx: &Ctx, totals: Option<&Totals>, open: &BTreeSet<GroupId>, sort: Sort) -> Vec<Row> {
    let (index, place, hits) = (cx.index, cx.place, cx.hits);
    let by_go = hits_by_go(hits, place, index);
    let only = place.only().and_then(|g| index.goroutine(g));
    let group = place.group().or(only.map(|g| g.group));
    let seen = |r: &Row| {
        (hits.is_none() || r.hits > 0) && (totals.is_none() || r.times.total() > Duration::ZERO || r.events > 0)
    };
    let mut groups: Vec<Row> = (0..index.groups.len() as u32)
        .map(GroupId)
        .filter(|g| group.is_none_or(|o| o == *g))
        .filter_map(|g| row(cx, Subject::Group(g), totals, &by_go))
        .filter(|r| r.count > 0 && seen(r))
        .collect();
    put_in_order(&mut groups, sort, cx);
    let mut out = Vec::new();
    for g in groups {
        let Subject::Group(id) = g.subject else { continue };
        let is_open = open.contains(&id);
        out.push(Row { open: is_open, ..g });
        if !is_open {
            continue;
        }
        let members = index.groups[id.0 as usize].members.iter().take(MAX_MEMBERS);
        let mut members: Vec<Row> = members
            .filter(|m| place.only().is_none_or(|o| o == **m))
            .filter_map(|&m| row(cx, Subject::Go(m), totals, &by_go))
            .filter(seen)
            .collect();
        put_in_order(&mut members, sort, cx);
        out.extend(members);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_and_shows_the_smallest_part() {
        assert_eq!(shares(&[1, 0, 1, 1_000_000], 16), [1, 0, 1, 14]);
        assert_eq!(shares(&[1, 1, 1, 1], 10).iter().sum::<usize>(), 10);
        assert_eq!(shares(&[0, 0, 0, 0], 10), [0; 4]);
        assert_eq!(shares(&[u64::MAX, u64::MAX, 0, 0], 4), [2, 2, 0, 0]);
        assert_eq!(shares(&[5, 0, 0, 0], 0), [0; 4]);
    }
}
