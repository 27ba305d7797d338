//! Draws the view of findings: the list, and below it what speaks for the one under the cursor.

use super::Findings;
use crate::base::text::{self, wrap};
use crate::tui::app::found::{Found, Item, Said, mark};
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The rows of the list.
pub fn rows(view: &Findings, area: Rect, cx: &Ctx) -> Rect {
    let n = cx.found.said().map_or(0, |s| s.items.len());
    // What speaks for a finding needs about as much room as the list.
    let most = if view.unfolded { 1 } else { (area.height / 2).max(1) }.min(area.height);
    Rect { height: u16::try_from(n).unwrap_or(u16::MAX).min(most), ..area }
}

pub(super) fn draw(view: &Findings, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let dim = cx.theme.style(Role::Dim);
    let said = match cx.found {
        Found::Said(said) => said,
        _ if cx.no_trace() => {
            write(buf, area, area.x + 1, area.y, "findings are of traces: none is open", dim);
            return;
        }
        Found::Looking(part) => {
            let text = format!("looking for what is wrong … {:.0} %; Esc cancels", part * 100.0);
            write(buf, area, area.x + 1, area.y, &text, dim);
            return;
        }
        Found::Cancelled => {
            write(buf, area, area.x + 1, area.y, "not looked for: cancelled; Enter looks again", dim);
            return;
        }
        Found::Unasked => {
            write(buf, area, area.x + 1, area.y, "reading … the rules look at the whole trace", dim);
            return;
        }
    };
    let rows = rows(view, area, cx);
    for (i, y) in view.list.seen().zip(rows.y..rows.bottom()) {
        let Some(item) = said.items.get(i as usize) else { break };
        row(item, Rect { y, height: 1, ..area }, buf, cx);
        if i == view.list.selected {
            cx.theme.select(buf, Rect { y, height: 1, ..area });
        }
    }
    let y = (rows.bottom() + u16::from(rows.height > 0)).min(area.bottom());
    let below = Rect { y, height: area.bottom() - y, ..area };
    let lines = match said.items.get(view.list.selected as usize) {
        Some(item) => {
            let mut lines = about(item, said, usize::from(area.width.min(WIDEST)));
            if cx.place.window().is_some() {
                let here = if outside(item, cx) {
                    "this one's instant lies outside of it"
                } else {
                    "dim ones lie outside of it"
                };
                lines
                    .insert(0, (format!("        of the whole trace, not of the chosen range: {here}"), Role::Warning));
            }
            lines
        }
        None => quiet(said, usize::from(area.width)),
    };
    let rows = usize::from(below.height);
    let from = view.from.get().min(lines.len().saturating_sub(rows));
    view.from.set(from);
    for ((line, role), y) in lines[from..].iter().zip(below.y..below.bottom()) {
        write(buf, below, below.x, y, line, cx.theme.style(*role));
    }
    // What there is no room for is said in the line between list and evidence.
    let more = (lines.len() - from).saturating_sub(rows);
    if below.y > area.y && !said.items.is_empty() {
        let line = Rect { y: below.y - 1, height: 1, ..area };
        write(buf, line, area.x + 1, line.y, &order(view, said), dim);
    }
    if more > 0 && below.y > area.y {
        let text = format!("{more} more below: {}", if view.unfolded { "PageDown" } else { "e" });
        let x = area.right().saturating_sub(text.len() as u16 + 1).max(area.x);
        write(buf, area, x, below.y - 1, &text, dim);
    }
}

/// In which order findings stand, and how many the list has no room for.
fn order(view: &Findings, said: &Said) -> String {
    let unseen = said.items.len().saturating_sub(view.list.seen().count());
    let seen = if unseen > 0 { format!("{unseen} more findings; ") } else { String::new() };
    format!("{seen}by severity (? explains it), then cost")
}

/// A line is not wider than this, so that what a finding costs stands near what it is.
const WIDEST: u16 = 150;

/// Whether an instant that a finding is about lies outside of the range that is chosen.
fn outside(item: &Item, cx: &Ctx) -> bool {
    matches!((item.time, cx.place.window()), (Some(t), Some((a, b))) if t < a || t >= b)
}

/// One finding in one line: what it is, what it says, and at the right what it costs.
fn row(item: &Item, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let (sign, role) = mark(item.severity);
    let role = match (super::is_meant(item, cx), outside(item, cx)) {
        (true, _) => Role::Hit,
        (false, true) => Role::Dim,
        (false, false) => role,
    };
    let area = Rect { width: area.width.min(WIDEST), ..area };
    let x = write(buf, area, area.x, area.y, &format!("{sign} "), cx.theme.style(role));
    let x = write(buf, area, x, area.y, item.title, cx.theme.style(role));
    let cost = u16::try_from(text::width(&item.cost)).unwrap_or(u16::MAX);
    let end = area.right().saturating_sub(cost);
    let room = usize::from(end.saturating_sub(x + 4));
    if room > 8 {
        write(buf, area, x + 2, area.y, &text::fit(&item.says, room), cx.theme.style(Role::Text));
        write(buf, area, end, area.y, &item.cost, cx.theme.style(Role::Dim));
    }
}

/// What speaks for a finding, and then what was looked at besides.
fn about(item: &Item, said: &Said, width: usize) -> Vec<(String, Role)> {
    let mut out = Vec::new();
    let mut say = |name: &str, what: &str, role: Role| {
        for (i, line) in wrap(what, width.saturating_sub(8)).into_iter().enumerate() {
            out.push((format!(" {:<6} {line}", if i == 0 { name } else { "" }), role));
        }
    };
    say("", &item.says, Role::Text);
    if !item.line.is_empty() {
        say("at", &item.line, Role::Accent);
    }
    for (i, e) in item.evidence.iter().enumerate() {
        say(if i == 0 { "shown" } else { "" }, e, Role::Text);
    }
    say("do", &item.advice, Role::Text);
    say("check", &item.check, Role::Dim);
    out.push((String::new(), Role::Dim));
    out.extend(quiet(said, width));
    out
}

fn quiet(said: &Said, width: usize) -> Vec<(String, Role)> {
    let mut out = Vec::new();
    if !said.hidden.is_empty() {
        let mut rules: Vec<&str> = said.hidden.iter().map(|i| i.rule).collect();
        rules.dedup();
        let text = format!(" -      {} hidden, X shows them again: {}", said.hidden.len(), rules.join(", "));
        out.push((text::fit(&text, width).into_owned(), Role::Dim));
    } else if said.items.is_empty() {
        out.push((" nothing is wrong by the rules that could be applied".to_owned(), Role::Text));
    }
    let lines = said.untold.iter().map(|s| ("?", s)).chain(said.fine.iter().map(|s| ("ok", s)));
    out.extend(lines.map(|(sign, s)| (text::fit(&format!(" {sign:<6} {s}"), width).into_owned(), Role::Dim)));
    out
}
