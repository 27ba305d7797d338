//! Draws the view of maps: what was looked at, a table of lines, and below it what is known of the one under the cursor.

use super::{Key, Maps, rows};
use crate::analysis::maps::{FEW, HeapLine, Line, Maps as Sums};
use crate::base::number::count_in;
use crate::base::text::{self, wrap};
use crate::model::dict::short_func;
use crate::report::maps as report;
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::table::{self, Column, Slot, Sort};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Where the classes of the split stand among the columns.
const SPLIT: usize = 4;

pub const COLUMNS: [Column; 14] = [
    column("op", 7, false, 6, false),
    column("line", 18, false, 0, true),
    column("cpu", 7, true, 0, false),
    column("of maps", 7, true, 5, false),
    column("birth", 7, true, 0, false),
    column("grow", 7, true, 0, false),
    column("hash", 7, true, 0, false),
    column("probe", 7, true, 0, false),
    column("alloc", 7, true, 9, false),
    column("assist", 7, true, 8, false),
    column("other", 7, true, 11, false),
    column("bytes", 8, true, 4, false),
    column("objects", 11, true, 10, false),
    column("advice", 14, false, 3, false),
];

/// The order in which lines are found.
pub const AS_FOUND: Sort = Sort { column: 2, descending: true };

/// The lines in the order of a column; those that are equal there, and all if there is none, as they were found.
pub fn order(lines: &[Line], sort: Option<Sort>) -> Vec<usize> {
    let mut out: Vec<usize> = (0..lines.len()).collect();
    let Some(sort) = sort else { return out };
    let share = |l: &Line, class: usize| {
        let n = report::COLUMNS.get(class).map_or(0, |c| l.column(c));
        n as f64 / l.samples.max(1) as f64
    };
    let heap = |l: &Line, of: fn(&HeapLine) -> i64| l.heap.as_ref().map_or(-1, of);
    let compare = |a: &Line, b: &Line| match sort.column {
        0 => a.operations.first().map_or("", |o| o.name).cmp(b.operations.first().map_or("", |o| o.name)),
        1 => a.place.cmp(&b.place),
        2 | 3 => a.cpu.cmp(&b.cpu),
        11 => heap(a, |h| h.bytes).cmp(&heap(b, |h| h.bytes)),
        12 => heap(a, |h| h.objects).cmp(&heap(b, |h| h.objects)),
        13 => a.advice.first().map(report::in_short).cmp(&b.advice.first().map(report::in_short)),
        class => share(a, class - SPLIT).total_cmp(&share(b, class - SPLIT)),
    };
    out.sort_by(|&a, &b| sort.turn(compare(&lines[a], &lines[b])));
    out
}

/// The column of the heading that stands at a position, above the lines.
pub fn heading_at(area: Rect, lines: Rect, at: Position) -> Option<usize> {
    if at.y + 1 != lines.y || at.y < area.y {
        return None;
    }
    let slots = shifted(table::fit(&COLUMNS, area.width.saturating_sub(1)));
    table::slot_at(&slots, at.x.saturating_sub(area.x)).map(|s| s.column)
}

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: bool) -> Column {
    Column { title, width, right, drop, elastic }
}

/// What stands above the table, with what is missing and with what the filter has no say in.
fn head(view: &Maps, cx: &Ctx) -> Vec<(String, Role)> {
    let Some(f) = &view.found else { return Vec::new() };
    let said = report::head(&f.maps);
    // That there are no samples is said below, with what it takes.
    let said = said.into_iter().skip(usize::from(f.maps.samples == 0));
    let mut out: Vec<(String, Role)> = said.map(|line| (line, Role::Text)).collect();
    let missing = report::missing(&f.maps, !cx.no_trace(), !f.key.is_all());
    let warns = |said: &str| if said.starts_with("no CPU") { Role::Warning } else { Role::Dim };
    out.extend(missing.into_iter().map(|said| (said.to_owned(), warns(said))));
    if let Some(said) = unfiltered(&f.maps, &f.key) {
        out.push((said, Role::Dim));
    }
    if f.maps.samples > 0 && f.maps.map_samples < FEW {
        let n = f.maps.map_samples;
        out.push((format!("too few samples: {n} in maps; the split by class says little below {FEW}"), Role::Dim));
    }
    out
}

/// What the filter has no say in.
fn unfiltered(maps: &Sums, key: &Key) -> Option<String> {
    if key.is_all() {
        return None;
    }
    let profiles = maps.sources.iter().any(|s| !s.trace) || maps.heap.is_some();
    let also = if profiles { ", and profiles, of the whole run" } else { "" };
    Some(format!("not filtered: locks, which are of the whole trace{also}"))
}

/// How many lines of what stands above the table there is room for.
fn head_height(view: &Maps, area: Rect, cx: &Ctx) -> u16 {
    (head(view, cx).len() as u16).min(area.height / 3)
}

/// Where the rows of the table are: what the lines do not need is for what is known of one, which has half at least.
pub fn lines(view: &Maps, area: Rect, cx: &Ctx) -> Rect {
    let top = (head_height(view, area, cx) + 1).min(area.height);
    let room = area.height - top;
    let want = u16::try_from(view.order.len()).unwrap_or(u16::MAX);
    Rect { y: area.y + top, height: want.min((room / 2).max(1)).min(room), ..area }
}

pub(super) fn draw(view: &Maps, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let Some(f) = &view.found else {
        let said = match (cx.index.complete || cx.no_trace(), view.part) {
            _ if view.cancelled => "not looked for: cancelled; Enter looks again".to_owned(),
            (false, _) => "reading … maps are looked for when the whole trace is read".to_owned(),
            (true, part) => format!("looking for operations on maps … {:.0} %; Esc cancels", part * 100.0),
        };
        write(buf, area, area.x + 1, area.y, &said, theme.style(Role::Dim));
        return;
    };
    let room = usize::from(area.width.saturating_sub(2));
    let above = head_height(view, area, cx);
    for ((said, role), y) in head(view, cx).iter().zip(area.y..area.y + above) {
        write(buf, area, area.x + 1, y, &text::fit(said, room), theme.style(*role));
    }
    let heading = table::row(area, u64::from(above));
    if f.maps.lines.is_empty() {
        let said = if f.key.is_all() {
            "no line of code operates on maps here"
        } else {
            "no operation on maps matches the filter"
        };
        write(buf, heading, heading.x + 1, heading.y, said, theme.style(Role::Text));
        return;
    }
    let slots = shifted(table::fit(&COLUMNS, area.width.saturating_sub(1)));
    table::heading(buf, heading, &COLUMNS, &slots, view.sort.map(|s| (s.column, s.descending)), theme);
    let lines = lines(view, area, cx);
    let times: Vec<u64> = f.maps.lines.iter().map(|l| l.cpu.ns().max(0).unsigned_abs()).collect();
    let shares = report::shares(&times);
    for (at, y) in view.list.seen().zip(lines.y..lines.bottom()) {
        let Some((i, l)) = view.order.get(at as usize).and_then(|&i| Some((i, f.maps.lines.get(i)?))) else { break };
        let row = Rect { y, height: 1, ..area };
        let split = report::shares(&report::COLUMNS.map(|c| l.column(c)));
        for &slot in &slots {
            let (said, role) = cell(l, shares[i], &split, slot);
            table::put(buf, row, slot, COLUMNS[slot.column].right, &said, theme.style(role));
        }
        if at == view.list.selected {
            write(buf, row, row.x, y, &theme.glyphs.marker.to_string(), theme.style(Role::Key));
            theme.select(buf, row);
        }
    }
    let Some(l) = view.selected().and_then(|i| f.maps.lines.get(i)) else { return };
    let y = (lines.bottom() + 1).min(area.bottom());
    let below = Rect { y, height: area.bottom() - y, ..area };
    for ((what, said, role), y) in about(&f.maps, l, room).iter().zip(below.y..below.bottom()) {
        write(buf, below, below.x + 1, y, what, theme.style(Role::Dim));
        write(buf, below, below.x + INDENT, y, said, theme.style(*role));
    }
}

/// Where what is said of a line begins.
const INDENT: u16 = 13;

/// The slots, one column to the right: there the cursor's mark stands.
fn shifted(slots: Vec<Slot>) -> Vec<Slot> {
    slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
}

fn cell(l: &Line, share: u64, split: &[u64], slot: Slot) -> (String, Role) {
    let heap = l.heap.as_ref();
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let none = || ("·".to_owned(), Role::Dim);
    match slot.column {
        0 => (l.operations.first().map_or("·", |o| o.name).to_owned(), Role::Text),
        1 => {
            let place = report::place(&l.place);
            let func = text::escape(short_func(&l.place.func)).into_owned();
            let both = format!("{place}  {func}");
            let fits = text::width(&both) <= usize::from(slot.width);
            (text::fit_end(if fits { &both } else { &place }, usize::from(slot.width)).into_owned(), Role::Accent)
        }
        2 if l.samples == 0 => none(),
        2 => (l.cpu.to_string(), Role::Title),
        3 => (report::percent(share), Role::Text),
        11 => heap.map_or_else(none, |h| (text::bytes(number(h.bytes)), Role::Text)),
        12 => heap.map_or_else(none, |h| (count_in(number(h.objects), slot.width.into()), Role::Text)),
        13 => l.advice.first().map_or_else(none, |a| (report::in_short(a), Role::Text)),
        class => match split.get(class - SPLIT).copied().unwrap_or(0) {
            0 => none(),
            n => (report::percent(n), Role::Text),
        },
    }
}

/// What is known of a line: what it is about, and what is said of it, broken to the width.
fn about(maps: &Sums, l: &Line, room: usize) -> Vec<(&'static str, String, Role)> {
    let mut out = Vec::new();
    let wide = room.saturating_sub(usize::from(INDENT));
    let mut say = |what: &'static str, said: &str, role: Role| {
        for (i, line) in wrap(said, wide).into_iter().enumerate() {
            out.push((if i == 0 { what } else { "" }, line, role));
        }
    };
    let name = format!("{}  {}", report::place(&l.place), text::escape(short_func(&l.place.func)));
    say("line", &name, Role::Accent);
    // What helps is what matters most where there is not room for all.
    let (advice, rest): (Vec<_>, Vec<_>) = rows::known(maps, l).into_iter().partition(|d| d.0 == "advice");
    for (what, said) in advice.iter().chain(&rest) {
        say(what, said, if *what == "advice" { Role::Title } else { Role::Text });
    }
    let sizes = report::sizes(maps, l);
    let most = sizes.iter().map(|s| s.1).fold(0.0, f64::max);
    if most > 0.0 {
        let said = sizes.iter().map(|(keys, n)| match *n > 0.0 {
            true => format!("{keys}→ {} {}", report::level(*n, most), text::bytes(*n as u64)),
            false => format!("{keys}→ ·"),
        });
        say("by size", &said.collect::<Vec<_>>().join("  "), Role::Heap);
    }
    if let Some(h) = l.heap.as_ref().filter(|h| h.series.len() > 1) {
        let most = h.series.iter().copied().max().unwrap_or(0);
        let cells: String = h.series.iter().map(|&n| report::level(n as f64, most as f64)).collect();
        let bytes = |n: Option<&i64>| text::bytes(u64::try_from(n.copied().unwrap_or(0)).unwrap_or(0));
        say("live", &format!("{cells}  {} → {}", bytes(h.series.first()), bytes(h.series.last())), Role::Heap);
    }
    for s in maps.suspects.iter().filter(|s| s.place == l.place) {
        say("", &report::suspect(s), Role::Warning);
    }
    out
}
