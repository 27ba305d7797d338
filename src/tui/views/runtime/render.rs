//! Draws the view of the runtime.

use super::{Found, Half, Runtime};
use crate::analysis::gc::{Cycle, Work};
use crate::analysis::sched::GroupSched;
use crate::base::number::{NO_GOAL, count_in};
use crate::base::{Duration, Time, text};
use crate::report;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::table::{self, Column, Slot};
use crate::tui::widgets::{spark, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines that a group takes: its numbers, and what ran instead.
pub const GROUP_LINES: u16 = 2;
/// Lines above the cycles: three of numbers and lanes, and their heading.
const GC_HEAD: u16 = 5;
/// Lines above the groups.
const SCHED_HEAD: u16 = 3;
/// Where lanes begin.
const LANE: u16 = 16;

const CYCLES: [Column; 9] = [
    column("#", 3, true, 3, false),
    column("start", 14, true, 0, false),
    column("mark", 8, true, 0, false),
    column("STW max", 7, true, 1, false),
    column("workers", 7, true, 4, false),
    column("assists", 7, true, 2, false),
    column("live", 8, true, 6, false),
    column("goal after", 10, true, 5, false),
    column("triggered by", 20, false, 0, true),
];

const GROUPS: [Column; 9] = [
    column("group", 14, false, 0, true),
    column("total", 7, true, 0, false),
    column("n", 9, true, 3, false),
    column("p50", 7, true, 5, false),
    column("p99", 7, true, 0, false),
    column("max", 7, true, 1, false),
    column("busy", 7, true, 0, false),
    column("idle P", 7, true, 2, false),
    column("STW", 7, true, 4, false),
];

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: bool) -> Column {
    Column { title, width, right, drop, elastic }
}

/// Where the rows of the two lists are.
pub struct Parts {
    pub cycles: Rect,
    pub groups: Rect,
    /// The scheduler's heading, from its first line on.
    sched: Rect,
}

/// Divides the area: what the cycles do not need is the groups', and each has its half at most where both want more.
pub fn parts(view: &Runtime, area: Rect) -> Parts {
    let rows = area.height.saturating_sub(GC_HEAD + SCHED_HEAD);
    let want = u16::try_from(view.cycle_count()).unwrap_or(u16::MAX).max(1);
    let others = u16::try_from(view.shown.len()).unwrap_or(u16::MAX).saturating_mul(GROUP_LINES);
    let cycles = want.min((rows / 2).max(rows.saturating_sub(others)));
    let top = area.y + GC_HEAD.min(area.height);
    let cycles = Rect { y: top, height: cycles.min(area.bottom().saturating_sub(top)), ..area };
    let sched = Rect { y: cycles.bottom(), height: area.bottom() - cycles.bottom(), ..area };
    let first = (sched.y + SCHED_HEAD).min(area.bottom());
    Parts { cycles, groups: Rect { y: first, height: area.bottom() - first, ..area }, sched }
}

pub(super) fn draw(view: &Runtime, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let Some(f) = &view.found else {
        let said = match (cx.index.complete, view.part) {
            _ if view.cancelled => "not looked for: cancelled; Enter looks again".to_owned(),
            (false, _) => "reading … GC and scheduler are looked at when the whole trace is read".to_owned(),
            (true, part) => format!("looking … {:.0} %; Esc cancels", part * 100.0),
        };
        write(buf, area, area.x + 1, area.y, &said, theme.style(Role::Dim));
        return;
    };
    let parts = parts(view, area);
    gc_head(view, f, area, buf, cx);
    let slots = shifted(table::fit(&CYCLES, area.width.saturating_sub(1)));
    for (i, no) in view.cycles.seen().enumerate() {
        let line = table::row(parts.cycles, i as u64);
        let Some(c) = f.gc.cycles.get(no as usize).filter(|_| line.height > 0) else { break };
        marker(buf, line, view.half == Half::Gc && no == view.cycles.selected, cx);
        for &slot in &slots {
            let (s, role) = cycle(c, no, slot.column, cx);
            table::put(buf, line, slot, CYCLES[slot.column].right, &s, theme.style(role));
        }
    }
    sched_head(f, parts.sched, buf, cx);
    let slots = shifted(table::fit(&GROUPS, area.width.saturating_sub(1)));
    table::heading(buf, table::row(parts.sched, 2), &GROUPS, &slots, None, theme);
    for (i, no) in view.groups.seen().enumerate() {
        let line = table::row(parts.groups, i as u64 * u64::from(GROUP_LINES));
        let group = view.shown.get(no as usize).and_then(|&i| f.sched.groups.get(i));
        let Some(g) = group.filter(|_| line.height > 0) else { break };
        marker(buf, line, view.half == Half::Sched && no == view.groups.selected, cx);
        for &slot in &slots {
            let (s, role) = numbers(g, slot, cx);
            table::put(buf, line, slot, GROUPS[slot.column].right, &s, theme.style(role));
        }
        let below = table::row(parts.groups, i as u64 * u64::from(GROUP_LINES) + 1);
        if below.height > 0 {
            let said = report::sched::behind(g, cx.index);
            let said = text::fit(&said, usize::from(below.width.saturating_sub(4)));
            write(buf, below, below.x + 3, below.y, &said, theme.style(Role::Dim));
        }
    }
}

fn shifted(slots: Vec<Slot>) -> Vec<Slot> {
    slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
}

fn marker(buf: &mut Buffer, line: Rect, selected: bool, cx: &Ctx) {
    if selected {
        let role = if cx.focused { Role::Selection } else { Role::Title };
        buf.set_style(line, cx.theme.style(role));
        write(buf, line, line.x, line.y, &cx.theme.glyphs.marker.to_string(), cx.theme.style(Role::Accent));
    }
}

fn gc_head(view: &Runtime, f: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let theme = cx.theme;
    let line = table::row(area, 0);
    let x = write(buf, line, line.x + 1, line.y, "GC ", theme.style(Role::Title));
    let said = text::fit(&report::gc::line(&f.gc), usize::from(area.right().saturating_sub(x + 1))).into_owned();
    write(buf, line, x, line.y, &said, theme.style(Role::Text));

    let window = (f.gc.from, f.gc.to);
    let width = usize::from(area.width.saturating_sub(LANE + 1));
    let lane = |i: u64| {
        let row = table::row(area, i);
        Rect { x: row.x + LANE.min(row.width), width: row.width.saturating_sub(LANE + 1), ..row }
    };
    let (heap, most) = heap(f, window, width, cx);
    let label = table::row(area, 1);
    write(buf, label, label.x + 1, label.y, &format!("heap {}", text::bytes(most)), theme.style(Role::Dim));
    spark::levels(&heap, most, Role::Heap, theme, lane(1), buf);

    let label = table::row(area, 2);
    write(buf, label, label.x + 1, label.y, "mutator util", theme.style(Role::Dim));
    let cells = f.utilisation.cells(window.0, window.1, width);
    let cells: Vec<Option<u64>> = cells.iter().map(|u| Some((u * 1000.0) as u64)).collect();
    spark::levels(&cells, 1000, Role::Gc, theme, lane(2), buf);

    let row = table::row(area, 3);
    let said = text::fit(&report::gc::mmu_line(&f.gc), usize::from(row.width.saturating_sub(2))).into_owned();
    write(buf, row, row.x + 1, row.y, &said, theme.style(Role::Text));
    let slots = shifted(table::fit(&CYCLES, area.width.saturating_sub(1)));
    table::heading(buf, table::row(area, 4), &CYCLES, &slots, None, theme);
    if view.cycle_count() == 0 {
        let row = table::row(area, u64::from(GC_HEAD));
        write(buf, row, row.x + 1, row.y, "no GC cycle here", theme.style(Role::Dim));
    }
}

/// The largest heap in each cell, and the largest of all. Cells without a sample have what the one before ended with.
fn heap(f: &Found, (from, to): (Time, Time), width: usize, cx: &Ctx) -> (Vec<Option<u64>>, u64) {
    let span = i128::from((to - from).ns().max(1));
    let mut cells: Vec<Option<u64>> = vec![None; width];
    let mut last = vec![None; width];
    let samples = &cx.index.heap;
    let mut before = samples.iter().take_while(|s| s.0 < from).last().map(|s| s.1);
    for &(t, v) in samples.iter().filter(|s| s.0 >= from && s.0 < to) {
        let i = (i128::from((t - from).ns()) * width as i128 / span) as usize;
        if let (Some(cell), Some(end)) = (cells.get_mut(i), last.get_mut(i)) {
            *cell = Some(cell.map_or(v, |c| c.max(v)));
            *end = Some(v);
        }
    }
    for (cell, end) in cells.iter_mut().zip(last) {
        *cell = cell.or(before);
        before = end.or(before);
    }
    let goal = f.gc.cycles.iter().flat_map(|c| [c.goal, c.next_goal]).flatten().filter(|&g| g < NO_GOAL).max();
    let most = cells.iter().flatten().copied().max().max(goal).unwrap_or(0);
    (cells, most)
}

fn sched_head(f: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let lines = report::sched::head(&f.sched, cx.index);
    let theme = cx.theme;
    let row = table::row(area, 0);
    let room = |x: u16| usize::from(area.right().saturating_sub(x + 1));
    let first = lines.get(1).map_or("", String::as_str);
    // At 80 columns the word is shortened, so that no share is cut.
    let title = if text::width(first) + 11 > room(row.x) { "sched " } else { "scheduler " };
    let x = write(buf, row, row.x + 1, row.y, title, theme.style(Role::Title));
    write(buf, row, x, row.y, &text::fit(first, room(x)), theme.style(Role::Text));
    let rest = lines.iter().skip(2).filter(|l| !l.starts_with("after"));
    let rest = rest.cloned().collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot));
    let row = table::row(area, 1);
    write(buf, row, row.x + 1, row.y, &text::fit(&rest, room(row.x + 1)), theme.style(Role::Text));
}

fn cycle(c: &Cycle, no: u64, column: usize, cx: &Ctx) -> (String, Role) {
    let size = |b: Option<u64>| b.map_or("?".to_owned(), text::bytes);
    let work = |w: Work| c.work[w as usize];
    match column {
        0 => ((no + 1).to_string(), Role::Dim),
        1 => (words::instant(c.from - cx.index.start), Role::Text),
        2 if c.to.is_none() => (format!("{}+", c.marked(cx.index.end)), Role::Warning),
        2 => (c.marked(cx.index.end).to_string(), Role::Title),
        3 => (c.stops.iter().map(|s| s.len()).max().map_or("?".into(), |d| d.to_string()), Role::Text),
        4 => ((work(Work::Dedicated) + work(Work::Fractional)).to_string(), Role::Text),
        5 => (work(Work::Assist).to_string(), Role::Text),
        6 => (size(c.live), Role::Text),
        7 => (c.next_goal.map_or("?".to_owned(), text::goal), Role::Text),
        _ => (report::gc::trigger(c, cx.index), Role::Text),
    }
}

fn numbers(g: &GroupSched, slot: Slot, cx: &Ctx) -> (String, Role) {
    let (w, p) = (&g.all, g.all.parts);
    let part = |d: Duration| (report::why::percent(d, p.total()), Role::Text);
    match slot.column {
        0 => (report::why::group_name(cx.index, g.group), Role::Text),
        1 => (p.total().to_string(), Role::Title),
        2 => (count_in(w.count, slot.width.into()), Role::Text),
        3 => (w.quantile(0.5).to_string(), Role::Text),
        4 => (w.quantile(0.99).to_string(), Role::Text),
        5 => (w.longest.len.max(Duration::ZERO).to_string(), Role::Text),
        6 => part(p.busy),
        7 => part(p.idle),
        _ => part(p.stw),
    }
}
