//! Draws the goroutines view.

use super::Goroutines;
use super::rows::{BAR, COLUMNS, HITS, Row, Subject, syscall};
use crate::base::{Duration, text};
use crate::model::index::Times;
use crate::tui::app::view::Ctx;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::table::{self, Slot};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The columns that fit. That of the hits is there only while there is a query.
pub fn slots(width: u16, cx: &Ctx) -> Vec<Slot> {
    let mut columns = COLUMNS;
    if cx.hits.is_none() {
        columns[HITS] = table::Column { width: 0, drop: u8::MAX, ..columns[HITS] };
    } else {
        columns[HITS].drop = 0;
    }
    table::fit(&columns, width.saturating_sub(1))
        .into_iter()
        .filter(|s| s.column != HITS || cx.hits.is_some())
        .map(|s| Slot { x: s.x + 1, ..s })
        .collect()
}

pub(super) fn draw(view: &Goroutines, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let slots = slots(area.width, cx);
    let sort = Some((view.sort.column, view.sort.descending));
    table::heading(buf, table::row(area, 0), &COLUMNS, &slots, sort, theme);
    if view.rows.is_empty() && area.height > 1 {
        let text = match (cx.index.complete, cx.place.narrowing.is_empty()) {
            (false, _) => "reading …",
            (true, true) => "this trace tells of no goroutine",
            (true, false) => "nothing is left of what the views are narrowed to",
        };
        write(buf, area, area.x + 1, area.y + 1, text, theme.style(Role::Dim));
        return;
    }
    for (i, no) in view.scroll.seen().enumerate() {
        let line = table::row(area, i as u64 + 1);
        let Some(row) = view.rows.get(no as usize).filter(|_| line.height > 0) else { break };
        let selected = no == view.scroll.selected;
        if selected {
            let role = if cx.focused { Role::Selection } else { Role::Title };
            buf.set_style(line, theme.style(role));
            write(buf, line, line.x, line.y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
        }
        for &slot in &slots {
            if slot.column == BAR {
                let bar = Rect { x: line.x + slot.x, width: slot.width, ..line };
                draw_bar(bar, buf, &row.times, theme);
                continue;
            }
            let (s, role) = cell(view, row, slot.column, cx);
            table::put(buf, line, slot, COLUMNS[slot.column].right, &s, theme.style(role));
        }
    }
}

fn cell(view: &Goroutines, row: &Row, column: usize, cx: &Ctx) -> (String, Role) {
    let glyphs = cx.theme.glyphs;
    let time = |d: Duration, role| match d {
        Duration::ZERO => (String::new(), Role::Dim),
        d => (d.to_string(), role),
    };
    let number = |n: u64, role| if n == 0 { (String::new(), Role::Dim) } else { (text::count(n), role) };
    match column {
        0 => match row.subject {
            Subject::Group(g) => {
                let mark = if view.open.contains(&g) { glyphs.expanded } else { glyphs.collapsed };
                (format!("{mark} {}", row.name), Role::Text)
            }
            Subject::Go(_) => (format!("    {}", row.name), Role::Text),
        },
        1 => match row.subject {
            Subject::Group(_) => (format!("{}{}", glyphs.times, text::count(row.count)), Role::Dim),
            Subject::Go(_) => (String::new(), Role::Dim),
        },
        3 => time(row.times.running, Role::Running),
        4 => time(row.times.runnable, Role::Runnable),
        5 => time(row.times.waiting, Role::Waiting),
        6 => time(syscall(&row.times), Role::Syscall),
        7 => time(row.longest, Role::Text),
        8 => (row.reason.clone(), Role::Dim),
        9 => number(row.samples, Role::Sample),
        10 => number(row.hits, Role::Hit),
        _ => number(row.events, Role::Dim),
    }
}

/// Time per state as parts of a bar: every state that took any time has a cell, and none has more than its due
/// otherwise.
fn draw_bar(area: Rect, buf: &mut Buffer, t: &Times, theme: &Theme) {
    let parts = [
        (t.running, Role::Running, theme.glyphs.running),
        (syscall(t), Role::Syscall, theme.glyphs.syscall),
        (t.runnable, Role::Runnable, theme.glyphs.runnable),
        (t.waiting, Role::Waiting, theme.glyphs.waiting),
    ];
    let widths = shares(&parts.map(|p| p.0.0.max(0) as u64), area.width as usize);
    let mut x = area.x;
    for ((_, role, glyph), w) in parts.into_iter().zip(widths) {
        let s: String = std::iter::repeat_n(glyph, w).collect();
        x = write(buf, area, x, area.y, &s, theme.style(role));
    }
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
