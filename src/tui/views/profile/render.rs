//! Draws the profile view.

use super::rows::{CALLS, Side};
use super::{Found, Profile, head, present, share};
use crate::analysis::profile::Row;
use crate::base::text;
use crate::model::ownership::is_runtime;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::{Role, Theme};
use crate::tui::views::flame;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Column, Slot};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Fewer samples than these say little.
pub(super) const FEW: i64 = 5;

/// What is below the line that says of what the numbers are.
pub fn below(area: Rect) -> Rect {
    let head = area.height.min(1);
    Rect { y: area.y + head, height: area.height - head, ..area }
}

/// The columns that fit.
pub fn slots(columns: &[Column], width: u16) -> Vec<Slot> {
    let slots = table::fit(columns, width.saturating_sub(1));
    slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
}

pub(super) fn draw(view: &Profile, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let (line, below) = (table::row(area, 0), below(area));
    let dim = theme.style(Role::Dim);
    if present(cx).is_none() {
        let text = "no profile is open; one given beside the trace is: gotrail trace.out cpu.pb.gz";
        write(buf, line, line.x + 1, line.y, &text::fit(text, usize::from(line.width.saturating_sub(1))), dim);
        return;
    }
    head::draw(view, line, buf, cx);
    let Some(found) = view.found.as_ref().filter(|f| f.key.profile == cx.place.profile) else {
        write(buf, below, below.x + 1, below.y, "adding up …", dim);
        return;
    };
    if view.drawn && !view.listed {
        graph(view, found, below, buf, cx);
        return;
    }
    let (columns, scroll): (&[Column], &Scroll) = match view.is_centred() {
        _ if view.listed => (view.labels.columns(), &view.labels.scroll),
        true => (&CALLS, &view.parts_scroll),
        false => (view.columns(), &view.scroll),
    };
    let slots = slots(columns, area.width);
    let sort = if view.listed { &view.labels.sort } else { &view.sort };
    let sort = (view.listed || !view.is_centred()).then_some((sort.column, sort.descending));
    table::heading(buf, table::row(below, 0), columns, &slots, sort, theme);
    if let Some(text) = nothing(view, found) {
        write(buf, below, below.x + 1, below.y + 1, &text::fit(text, usize::from(below.width.saturating_sub(1))), dim);
        return;
    }
    for (i, no) in scroll.seen().enumerate() {
        let line = table::row(below, i as u64 + 1);
        if line.height == 0 {
            return;
        }
        if no == scroll.selected {
            let role = if cx.focused { Role::Selection } else { Role::Title };
            buf.set_style(line, theme.style(role));
            write(buf, line, line.x, line.y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
        }
        for &slot in &slots {
            let cell = match view.center {
                _ if view.listed => view.labels.cell(found, no as usize, slot, theme),
                Some(c) => part(view, found, c, no as usize, slot, theme),
                None => function(view, found, no as usize, slot),
            };
            let Some((s, role)) = cell else { continue };
            table::put(buf, line, slot, columns[slot.column].right, &s, theme.style(role));
        }
    }
}

/// Why there are no rows, if there are none.
fn nothing(view: &Profile, found: &Found) -> Option<&'static str> {
    let narrowed = !found.key.ask.cuts.is_empty();
    if view.listed {
        return match (view.labels.len(), narrowed) {
            (1.., _) => None,
            (0, true) => Some("none of these samples has a label; Esc takes the last narrowing off"),
            (0, false) => Some("the samples of this profile have no labels"),
        };
    }
    if view.is_centred() && view.center.is_none() {
        return Some("nothing is left of this function; Esc takes the last narrowing off, or comes back");
    }
    if view.is_centred() || !view.lines.is_empty() {
        return None;
    }
    Some(match (found.hot.rows.is_empty(), narrowed, found.hot.change) {
        (false, ..) => "no function that the query matches; Esc takes the query off",
        (true, true, Some(_)) => "nothing of this has changed; Esc takes the last narrowing off",
        (true, false, Some(_)) => "nothing has changed",
        (true, true, None) => "no samples are left; Esc takes the last narrowing off",
        (true, false, None) => "nothing was sampled",
    })
}

fn graph(view: &Profile, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let (tree, theme, dict) = (&found.hot.tree, cx.theme, &cx.frames().dict);
    if tree.nodes[0].total == 0 {
        let text = match (found.hot.change, found.key.ask.less, found.key.ask.cuts.is_empty()) {
            (Some(_), true, _) => "nothing has become less; - shows what has become more",
            (Some(_), false, _) => "nothing has become more; - shows what has become less",
            (None, _, true) => "nothing was sampled",
            (None, _, false) => "no samples are left; Esc takes the last narrowing off",
        };
        write(buf, area, area.x + 1, area.y, text, theme.style(Role::Dim));
        return;
    }
    let above = Rect { height: area.height.saturating_sub(1), ..area };
    view.graph.draw(tree, above, buf, theme, cx.focused, &|i, n| {
        let name = dict.func_name(n.func);
        match n {
            _ if i == 0 => ("all".into(), Role::Dim),
            _ if n.matched => (words::func(name), Role::Hit),
            _ if is_runtime(name) => (words::func(name), Role::Waiting),
            _ => (words::func(name), Role::Running),
        }
    });
    let (Some(n), true) = (tree.nodes.get(view.graph.cursor), area.height >= 2) else { return };
    let line = table::row(area, u64::from(area.height) - 1);
    let sign = if found.key.ask.less { -1 } else { 1 };
    let signed = |v: u64| sign * v.min(i64::MAX as u64) as i64;
    let (total, own) = (signed(n.total), signed(n.own));
    let (all, itself) = (found.share(total), found.share(own));
    let numbers = format!("{all} {}, itself {itself} {}", found.change(total), found.change(own));
    let x = write(buf, line, line.x + 1, line.y, &numbers, theme.style(Role::Text));
    let room = usize::from(line.right().saturating_sub(x + 2));
    let name = flame::name(tree, view.graph.cursor, dict);
    write(buf, line, x + 2, line.y, &text::fit_end(&name, room), theme.style(Role::Title));
}

pub(super) fn is_few(r: &Row) -> bool {
    r.samples.saturating_abs() < FEW
}

fn name_role(r: &Row) -> Role {
    match r {
        _ if is_few(r) => Role::Dim,
        Row { own: true, .. } => Role::Title,
        _ => Role::Text,
    }
}

fn counted(r: &Row) -> String {
    format!("{}{}", if is_few(r) { "~" } else { "" }, text::count(r.samples.unsigned_abs()))
}

fn function(view: &Profile, f: &Found, no: usize, slot: Slot) -> Option<(String, Role)> {
    let line = view.lines.get(no)?;
    let r = f.hot.rows.get(line.row)?;
    let number = if is_few(r) { Role::Dim } else { Role::Text };
    if f.hot.change.is_some() {
        return Some(change(f, r, slot));
    }
    Some(match slot.column {
        0 => (f.fitting(r.flat, slot.width), number),
        1 => (f.share(r.flat), number),
        2 => (f.share(line.sum), Role::Dim),
        3 => (f.fitting(r.cum, slot.width), number),
        4 => (f.share(r.cum), number),
        5 => (counted(r), Role::Dim),
        _ => (text::fit_end(&r.name, usize::from(slot.width)).into_owned(), name_role(r)),
    })
}

/// A share with the sign of the change that it is of.
pub(super) fn signed(change: i64, share: String) -> String {
    match change.signum() {
        0 => share,
        sign => format!("{}{share}", if sign > 0 { '+' } else { '-' }),
    }
}

/// What something costs now in parts of what it cost before.
pub(super) fn ratio(r: f64) -> String {
    if r.is_finite() && r < 1000.0 { format!("{r:.2}") } else { "new".into() }
}

/// A cell of a function whose costs are compared.
fn change(f: &Found, r: &Row, slot: Slot) -> (String, Role) {
    match slot.column {
        0 => (f.fitting(r.flat, slot.width), f.role(r.flat, Role::Dim)),
        1 => (signed(r.flat, f.share(r.flat)), f.role(r.flat, Role::Dim)),
        2 => (f.fitting(r.cum, slot.width), f.role(r.cum, Role::Dim)),
        3 => (f.unsigned(r.before, slot.width), Role::Text),
        4 => (f.unsigned(r.after(), slot.width), Role::Text),
        5 => (ratio(r.ratio()), Role::Text),
        _ => (text::fit_end(&r.name, usize::from(slot.width)).into_owned(), name_role(r)),
    }
}

fn part(view: &Profile, f: &Found, center: usize, no: usize, slot: Slot, theme: &Theme) -> Option<(String, Role)> {
    let p = view.parts.get(no)?;
    let r = f.hot.rows.get(p.row)?;
    let middle = p.side == Side::Center;
    let number = if middle { Role::Title } else { Role::Text };
    let all = f.hot.rows.get(center)?.cum;
    Some(match slot.column {
        0 | 1 if middle => return None,
        0 => (f.fitting(p.calls, slot.width), f.role(p.calls, Role::Text)),
        1 => (share(p.calls, all), Role::Text),
        2 => (f.fitting(r.flat, slot.width), f.role(r.flat, number)),
        3 => (f.share(r.flat), number),
        4 => (f.fitting(r.cum, slot.width), f.role(r.cum, number)),
        5 => (f.share(r.cum), number),
        6 => match p.side {
            Side::Caller => ("caller".into(), Role::Dim),
            Side::Center => (String::new(), Role::Dim),
            Side::Callee => ("callee".into(), Role::Dim),
        },
        _ => {
            let indent = match p.side {
                Side::Caller => "  ".to_string(),
                Side::Center => format!("{} ", theme.glyphs.expanded),
                Side::Callee => "    ".to_string(),
            };
            let room = usize::from(slot.width).saturating_sub(indent.chars().count());
            let role = if middle { Role::Heading } else { name_role(r) };
            (format!("{indent}{}", text::fit_end(&r.name, room)), role)
        }
    })
}
