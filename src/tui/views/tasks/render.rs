//! Draws the view of tasks and regions.

use super::{INSTANCES, MAX_LISTED, SUMS, Tasks, mean, name, word};
use crate::analysis::tasks::{Instance, Sum};
use crate::base::{Duration, text};
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::table::{self, Column, Slot};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The columns that fit, of the sums or of the instances.
pub fn slots(width: u16, instances: bool) -> Vec<Slot> {
    let columns: &[Column] = if instances { &INSTANCES } else { &SUMS };
    let slots = table::fit(columns, width.saturating_sub(1));
    slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
}

pub(super) fn draw(view: &Tasks, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let listing = view.open.is_some();
    let mut below = area;
    if let Some(s) = &view.open {
        let line = table::row(area, 0);
        let what = match view.instances.len() {
            MAX_LISTED => format!("the longest {} of {}", text::count(MAX_LISTED as u64), text::count(s.count)),
            _ => format!("{} in all", text::count(s.count)),
        };
        let title = format!("{} {} ", word(s.what), name(cx.index, s));
        let x =
            write(buf, line, line.x + 1, line.y, &text::fit(&title, usize::from(line.width)), theme.style(Role::Title));
        write(buf, line, x, line.y, &format!("{} {what}", theme.glyphs.dot), theme.style(Role::Dim));
        below = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let slots = slots(area.width, listing);
    let (columns, sort, scroll): (&[Column], _, _) = match listing {
        true => (&INSTANCES, view.list_sort, &view.list_scroll),
        false => (&SUMS, view.sort, &view.scroll),
    };
    table::heading(buf, table::row(below, 0), columns, &slots, Some((sort.column, sort.descending)), theme);
    if if listing { view.instances.is_empty() } else { view.rows.is_empty() } {
        let text = match (cx.index.complete, view.fresh(cx)) {
            (false, _) => "reading … tasks are summed up when the whole trace is read",
            (true, true) if listing && view.listed => "none is left",
            (true, true) if !listing && !cx.place.narrowing.is_empty() => {
                "nothing is left of what the views are narrowed to"
            }
            (true, true) if !listing => "this program marked no tasks or regions (runtime/trace.NewTask, StartRegion)",
            _ => "looking …",
        };
        write(buf, below, below.x + 1, below.y + 1, text, theme.style(Role::Dim));
        return;
    }
    for (i, no) in scroll.seen().enumerate() {
        let line = table::row(below, i as u64 + 1);
        if line.height == 0 {
            break;
        }
        if no == scroll.selected {
            let role = if cx.focused { Role::Selection } else { Role::Title };
            buf.set_style(line, theme.style(role));
            write(buf, line, line.x, line.y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
        }
        for &slot in &slots {
            let cell = match listing {
                true => view.instances.get(no as usize).map(|i| instance(i, slot.column, cx)),
                false => view.rows.get(no as usize).map(|s| sum(s, slot.column, cx)),
            };
            let Some((s, role)) = cell else { return };
            table::put(buf, line, slot, columns[slot.column].right, &s, theme.style(role));
        }
    }
}

fn sum(s: &Sum, column: usize, cx: &Ctx) -> (String, Role) {
    let time = |d: Duration, role| if s.count == s.open { (String::new(), role) } else { (d.to_string(), role) };
    match column {
        0 => (name(cx.index, s), Role::Text),
        1 => (word(s.what).into(), Role::Dim),
        2 => (text::count(s.count), Role::Text),
        3 if s.open == 0 => (String::new(), Role::Dim),
        3 => (text::count(s.open), Role::Warning),
        4 => time(s.total, Role::Title),
        5 => time(mean(s), Role::Text),
        6 => time(s.max, Role::Text),
        _ => time(s.p99, Role::Text),
    }
}

fn instance(i: &Instance, column: usize, cx: &Ctx) -> (String, Role) {
    match column {
        0 => (i.len().to_string(), Role::Title),
        1 => (words::column_instant(i.from - cx.index.start), Role::Text),
        2 if i.task == 0 => (String::new(), Role::Dim),
        2 => (format!("#{}", i.task), Role::Dim),
        3 => (crate::report::why::goroutine(cx.index, i.go), Role::Text),
        _ => match (i.began, i.ended) {
            (true, true) => (String::new(), Role::Dim),
            (false, _) => ("began before".into(), Role::Warning),
            (true, false) => ("not ended".into(), Role::Warning),
        },
    }
}
