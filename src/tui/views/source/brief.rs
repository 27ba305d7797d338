//! What stands in the source pane while no line is chosen: the first findings.

use crate::base::text::{self, wrap};
use crate::tui::app::found::{Found, mark};
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the first findings, and how to see all; above them what to press first, if that is to be said.
pub(super) fn draw(area: Rect, buf: &mut Buffer, cx: &Ctx, hint: &[(&str, &str)]) {
    let area = hinted(area, buf, cx, hint);
    let dim = cx.theme.style(Role::Dim);
    // They stand beside it.
    if cx.place.lists_findings() {
        write(buf, area, area.x + 1, area.y, "no one line of code is to blame", dim);
        return;
    }
    let said = match cx.found {
        Found::Said(said) => said,
        Found::Looking(part) => {
            let text = format!("looking for what is wrong … {:.0} %", part * 100.0);
            write(buf, area, area.x + 1, area.y, &text, dim);
            return;
        }
        Found::Unasked | Found::Cancelled if cx.index.complete => {
            write(buf, area, area.x + 1, area.y, "0 looks for what is wrong", dim);
            return;
        }
        Found::Unasked | Found::Cancelled => return,
    };
    let width = usize::from(area.width).saturating_sub(6);
    let columns = usize::from(area.width).saturating_sub(2);
    let foot = wrap(&foot(said.items.len(), said.hidden.len()), columns);
    let last = area.bottom().saturating_sub(foot.len() as u16);
    let mut y = area.y;
    for item in &said.items {
        let (sign, role) = mark(item.severity);
        let mut text = wrap(&item.says, width);
        // Some sentences end with it.
        if !item.line.is_empty() && !item.says.ends_with(&item.line) {
            text.push(text::fit_end(&item.line, width).into_owned());
        }
        if y + 1 + text.len() as u16 > last && y > area.y {
            break;
        }
        let style = cx.theme.style(role);
        let x = write(buf, area, area.x + 1, y, &format!("{sign} "), style);
        write(buf, area, x, y, &text::fit(item.title, width), style);
        for line in text {
            y += 1;
            if y < last {
                write(buf, area, area.x + 5, y, &line, cx.theme.style(Role::Text));
            }
        }
        y += 1;
    }
    if hint.is_empty() {
        leads_on((y + 1, last), area, buf, cx);
    }
    for (y, line) in (last.max(area.y)..area.bottom()).zip(&foot) {
        write(buf, area, area.x + 1, y, &text::fit(line, columns), dim);
    }
}

/// How many there are, and where all are to be seen.
fn foot(found: usize, hidden: usize) -> String {
    match found {
        0 if hidden > 0 => format!("all {hidden} are hidden · 0 says more"),
        n if hidden > 0 => format!("0 shows all {n} with evidence, and {hidden} hidden"),
        0 => "nothing is wrong by the rules that could be applied · 0 says more".to_owned(),
        n => format!("0 shows {} with evidence", if n == 1 { "it".into() } else { format!("all {n}") }),
    }
}

/// The three keys that lead on from here.
const HINT: [(&str, &str); 3] = [
    ("Enter", "goes into a row, Esc comes back"),
    ("0 3 L", "what is wrong, waits, locks"),
    ("?", "all keys; : finds an action"),
];

/// Says how to go on, where there is room for it between two rows.
fn leads_on((from, to): (u16, u16), area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let columns = usize::from(area.width).saturating_sub(8);
    let rows: Vec<(&str, String)> = HINT
        .iter()
        .flat_map(|(keys, what)| {
            wrap(what, columns).into_iter().enumerate().map(|(i, line)| (if i == 0 { *keys } else { "" }, line))
        })
        .collect();
    if from + rows.len() as u16 >= to {
        return;
    }
    for ((keys, what), y) in rows.iter().zip(to - 1 - rows.len() as u16..) {
        write(buf, area, area.x + 1, y, keys, cx.theme.style(Role::Key));
        write(buf, area, area.x + 7, y, what, cx.theme.style(Role::Dim));
    }
}

/// Draws keys and what they show, and gives the area below them.
fn hinted(area: Rect, buf: &mut Buffer, cx: &Ctx, hint: &[(&str, &str)]) -> Rect {
    let rows = (hint.len() as u16).min(area.height / 2);
    for (y, (keys, shows)) in (area.y..area.y + rows).zip(hint) {
        let x = write(buf, area, area.x + 1, y, keys, cx.theme.style(Role::Key));
        write(buf, area, x + 2, y, shows, cx.theme.style(Role::Text));
    }
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}
