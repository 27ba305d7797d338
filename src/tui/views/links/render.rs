//! Draws the links view.

use super::Links;
use super::rows::{EDGES, MAX_WAITS, Row, WAITER, WAITS, Wait};
use crate::base::text;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Slot};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The columns that fit, of the edges or of the waits of one.
pub fn slots(width: u16, waits: bool) -> Vec<Slot> {
    let width = width.saturating_sub(1);
    let mut slots = if waits { table::fit(&WAITS, width) } else { table::fit(&EDGES, width) };
    if !waits
        && let Some(i) = slots.iter().position(|s| s.column == WAITER)
        && slots.get(i + 1).is_some_and(|s| s.column == WAITER + 1)
    {
        // Waiter and waker matter alike.
        // Where there is room, reasons get what their longest names need.
        let extra = if i > 0 { (slots[i].width + slots[i + 1].width).saturating_sub(56).min(8) } else { 0 };
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
    slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
}

pub(super) fn draw(view: &Links, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let waits = view.open.is_some();
    let slots = slots(area.width, waits);
    let theme = cx.theme;
    let mut top = 0;
    if let Some(r) = view.open.and_then(|i| view.row(i)) {
        heading(view, r, table::row(area, 0), buf, cx);
        top = 1;
    }
    let below = Rect { y: area.y + top, height: area.height - top, ..area };
    let (columns, sort, scroll): (&[table::Column], _, &Scroll) = match waits {
        true => (&WAITS, view.waits_sort, &view.waits_scroll),
        false => (&EDGES, view.sort, &view.scroll),
    };
    table::heading(buf, table::row(below, 0), columns, &slots, Some((sort.column, sort.descending)), theme);
    let len = if waits { view.waits.len() } else { view.rows.len() };
    if len == 0 {
        let text = message(view, cx);
        write(buf, below, below.x + 1, below.y + 1, &text, theme.style(Role::Dim));
        return;
    }
    let mut last = below.y;
    for (i, no) in scroll.seen().enumerate() {
        let line = table::row(below, i as u64 + 1);
        if line.height == 0 {
            return;
        }
        last = line.y;
        if no == scroll.selected {
            let role = if cx.focused { Role::Selection } else { Role::Title };
            buf.set_style(line, theme.style(role));
            write(buf, line, line.x, line.y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
        }
        for &slot in &slots {
            let right = columns[slot.column].right;
            if waits {
                let Some(w) = view.waits.get(no as usize) else { return };
                let (s, role) = wait(w, slot, cx);
                table::put(buf, line, slot, right, &s, theme.style(role));
            } else {
                let Some(r) = view.rows.get(no as usize).and_then(|&i| view.row(i)) else { return };
                edge(r, line, slot, right, buf, theme);
            }
        }
    }
    let hidden = view.hidden();
    if !waits && hidden > 0 && cx.place.group().is_none() && scroll.seen().end == len as u64 {
        let text = format!("and {hidden} of the runtime's own goroutines: e shows them");
        write(buf, below, below.x + 1, last + 1, &text, theme.style(Role::Dim));
    }
}

fn message(view: &Links, cx: &Ctx) -> String {
    let text = match (cx.index.complete, view.fresh(cx), view.open.is_some()) {
        (false, ..) => "reading … the links are summed up when the whole trace is read",
        (true, false, _) => "summing up …",
        (_, _, true) if view.listed => "no wait of this link is left",
        (_, _, true) => "looking for the waits …",
        _ if cx.place.query().is_some() => {
            "no wait begins with an event that the query matches; Esc takes the query off"
        }
        _ if !cx.place.narrowing.is_empty() => "nobody waited in what the views are narrowed to",
        _ if view.hidden() > 0 => "only the runtime's own goroutines waited: e shows them",
        _ => "nobody waited for anybody in this trace",
    };
    text.into()
}

/// Whose waits are listed.
fn heading(view: &Links, r: &Row, line: Rect, buf: &mut Buffer, cx: &Ctx) {
    let theme = cx.theme;
    let arrow = if theme.is_ascii() { "<-" } else { "←" };
    let join = |p: &(String, String)| if p.1.is_empty() { p.0.clone() } else { format!("{} {}", p.0, p.1) };
    let count = match view.waits.len() {
        MAX_WAITS => format!("the longest {} of {}", text::count(MAX_WAITS as u64), text::count(r.count)),
        _ => format!("{} waits", text::count(r.count)),
    };
    let mut x = line.x + 1;
    for (s, role) in [
        (r.reason.clone(), Role::Waiting),
        (format!(" {} {count}, {} {} ", theme.glyphs.dot, r.total, theme.glyphs.dot), Role::Text),
        (join(&r.waiter), Role::Title),
        (format!(" {arrow} "), Role::Dim),
        (join(&r.waker), Role::Title),
    ] {
        let room = usize::from(line.right().saturating_sub(x));
        x = write(buf, line, x, line.y, &text::fit(&s, room), theme.style(role));
    }
}

fn edge(r: &Row, line: Rect, slot: Slot, right: bool, buf: &mut Buffer, theme: &Theme) {
    let (s, role) = match slot.column {
        0 => (r.reason.clone(), Role::Waiting),
        1 => return party(&r.waiter, line, slot, buf, theme),
        2 => return party(&r.waker, line, slot, buf, theme),
        3 => (text::count(r.count), Role::Text),
        4 => (r.total.to_string(), Role::Title),
        5 => (r.mean.to_string(), Role::Text),
        6 => (r.max.to_string(), Role::Text),
        _ => (r.p99.to_string(), Role::Text),
    };
    table::put(buf, line, slot, right, &s, theme.style(role));
}

/// A group and a line, of which the line's end matters most where there is not room for both.
fn party(p: &(String, String), line: Rect, slot: Slot, buf: &mut Buffer, theme: &Theme) {
    let (name, at) = p;
    let width = usize::from(slot.width);
    if at.is_empty() {
        table::put(buf, line, slot, false, name, theme.style(Role::Dim));
        return;
    }
    let at_width = text::width(at);
    // A name needs a few letters to be one.
    let room = width.saturating_sub(at_width + 1);
    let name = if room >= 8 { text::fit_end(name, room) } else { "".into() };
    let used = text::width(&name) as u16;
    table::put(buf, line, slot, false, &name, theme.style(Role::Text));
    let gap = if used == 0 { 0 } else { used + 1 };
    let rest = Slot { x: slot.x + gap, width: slot.width - gap, ..slot };
    table::put(buf, line, rest, false, &text::fit_end(at, usize::from(rest.width)), theme.style(Role::Accent));
}

fn wait(w: &Wait, slot: Slot, cx: &Ctx) -> (String, Role) {
    match slot.column {
        0 => (w.len().to_string(), Role::Title),
        1 => (words::column_instant(w.from - cx.index.start), Role::Text),
        2 => (crate::report::why::goroutine(cx.index, w.go), Role::Text),
        _ => (w.waker.clone(), Role::Dim),
    }
}
