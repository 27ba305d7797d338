//! Draws the events view.

use super::Events;
use crate::base::{GoIdx, text};
use crate::model::Event;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::list;
use crate::tui::widgets::table::{self, Column};
use crate::tui::widgets::write;
use crate::wire::event::{GoState, Kind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const COLUMNS: [Column; 10] = [
    column("at", 14, true, 0, 0),
    column("later by", 8, true, 3, 0),
    column("who", 8, false, 0, 0),
    column("goroutine of", 22, false, 6, 0),
    column("P", 4, false, 5, 0),
    column("thread", 9, false, 7, 0),
    column("kind", 16, false, 0, 0),
    column("what", 26, false, 0, 1),
    column("in", 48, false, 8, 0),
    column("no.", 10, true, 9, 0),
];

/// Columns of numbers that a trace gives.
const WHO: usize = 2;
const THREAD: usize = 5;

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: u8) -> Column {
    Column { title, width, right, drop, elastic: elastic > 0 }
}

pub(super) fn draw(view: &Events, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    // What a log says may be long.
    let columns = columns(view, cx);
    let slots: Vec<table::Slot> = table::fit_to(&columns, area.width.saturating_sub(1), u16::MAX)
        .into_iter()
        .map(|s| table::Slot { x: s.x + 1, ..s })
        .collect();
    table::heading(buf, table::row(area, 0), &COLUMNS, &slots, None, theme);
    if view.listing.is_empty() && area.height > 1 {
        let busy = !cx.index.complete || cx.hits.is_some_and(|h| !h.complete);
        let text = if busy { "reading …" } else { "no events match the filter" };
        write(buf, area, area.x + 1, area.y + 1, text, theme.style(Role::Dim));
        return;
    }
    for (i, no) in view.scroll.seen().enumerate() {
        let line = table::row(area, i as u64 + 1);
        if line.height == 0 {
            break;
        }
        if no == view.scroll.selected {
            list::mark(line, buf, cx);
        } else if view.anchor.is_some() && between(view, no) {
            write(buf, line, line.x, line.y, &theme.glyphs.vertical.to_string(), theme.style(Role::Accent));
        }
        let Some(e) = view.at(no) else {
            write(buf, line, line.x + 1, line.y, &theme.glyphs.ellipsis.to_string(), theme.style(Role::Dim));
            continue;
        };
        let before = no.checked_sub(1).and_then(|n| view.at(n));
        for &slot in &slots {
            let (s, role) = cell(e, before, slot.column, cx);
            let s =
                if matches!(slot.column, 3 | 8) { text::fit_end(&s, slot.width as usize) } else { s.as_str().into() };
            table::put(buf, line, slot, COLUMNS[slot.column].right, &s, theme.style(role));
        }
    }
}

/// The columns, that of goroutines as wide as the numbers on the screen: a cut one would be another's.
fn columns(view: &Events, cx: &Ctx) -> [Column; 10] {
    let mut columns = COLUMNS;
    let widest = |column: usize| {
        let cells = view.scroll.seen().filter_map(|no| view.at(no)).map(|e| cell(e, None, column, cx).0);
        cells.map(|s| text::width(&s) as u16).max().unwrap_or(0)
    };
    for column in [WHO, THREAD] {
        columns[column].width = COLUMNS[column].width.max(widest(column));
    }
    columns
}

fn between(view: &Events, row: u64) -> bool {
    let (Some(a), Some(b)) = (view.anchor, view.at(view.scroll.selected)) else { return false };
    view.at(row).is_some_and(|e| e.time >= a.min(b.time) && e.time <= a.max(b.time))
}

fn cell(e: &Event, before: Option<&Event>, column: usize, cx: &Ctx) -> (String, Role) {
    let index = cx.index;
    match column {
        0 => (words::instant(e.time - index.start), Role::Text),
        1 => (before.map_or(String::new(), |b| (e.time - b.time).to_string()), Role::Dim),
        2 => (words::goroutine(index, who(e)), Role::Accent),
        3 => match index.goroutine(who(e)) {
            Some(_) => (words::group(index.goroutine_name(who(e))), Role::Dim),
            None => (String::new(), Role::Dim),
        },
        4 => (words::proc(index, e.proc), Role::Dim),
        5 => (words::thread(index, e.thread), Role::Dim),
        6 => (e.kind.name().to_string(), kind_role(e.kind)),
        7 => (words::describe(index, e), Role::Text),
        8 => (words::user_place(index, e.stack), Role::Dim),
        _ => (text::count(e.no), Role::Dim),
    }
}

/// The goroutine that an event is about, or else that which did it.
fn who(e: &Event) -> GoIdx {
    if e.go.is_some() { e.go } else { e.by }
}

fn kind_role(k: Kind) -> Role {
    match k.go_transition() {
        Some((_, GoState::Running)) => Role::Running,
        Some((_, GoState::Runnable)) => Role::Runnable,
        Some((_, GoState::Waiting)) => Role::Waiting,
        Some((_, GoState::Syscall)) => Role::Syscall,
        Some(_) => Role::Dim,
        None => match k {
            Kind::CpuSample => Role::Sample,
            Kind::StwBegin | Kind::StwEnd => Role::Stw,
            Kind::GcActive | Kind::GcBegin | Kind::GcEnd | Kind::GcSweepBegin | Kind::GcSweepEnd => Role::Gc,
            Kind::HeapAlloc | Kind::HeapGoal => Role::Heap,
            _ => Role::Text,
        },
    }
}
