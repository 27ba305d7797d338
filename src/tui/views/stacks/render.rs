//! Draws the stacks view.

use super::{Stacks, key};
use crate::analysis::cost::flame::{Node, Part, Tree, Weight};
use crate::analysis::cost::lenses::ByLens;
use crate::base::{Duration, text};
use crate::model::ownership::is_runtime;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::views::flame;
use crate::tui::widgets::{list, table, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Where the graph or the tree stands: between a line that says of what it is and one about what the cursor is on.
pub fn inside(area: Rect) -> Rect {
    let top = area.height.min(1);
    let foot = u16::from(area.height >= 3);
    Rect { y: area.y + top, height: area.height - top - foot, ..area }
}

/// A weight in its unit.
fn amount(weight: Weight, n: u64) -> String {
    match weight {
        Weight::OnCpu if n == 1 => "1 sample".into(),
        Weight::OnCpu => format!("{} samples", text::count(n)),
        _ => Duration(n.min(i64::MAX as u64) as i64).to_string(),
    }
}

/// A share as numbers are shown.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

pub(super) fn draw(view: &Stacks, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    head(view, table::row(area, 0), buf, cx);
    let inside = inside(area);
    // A tree of something else than the line above it says is not shown, not even for a moment.
    let same = |f: &&std::sync::Arc<super::Found>| f.key.weight == view.weight;
    let tree = view.found.latest().filter(same).map(|f| &f.tree);
    let Some(tree) = tree.filter(|t| t.nodes[0].total > 0) else {
        let text = match (cx.index.complete, view.found.is_of(&key(view, cx))) {
            (false, _) => "reading … the stacks are added up when the whole trace is read",
            (true, false) => "adding up …",
            (true, true) if !cx.place.narrowing.is_empty() => "no stacks match the filter",
            (true, true) if view.weight == Weight::OnCpu => {
                "no CPU samples: this trace was recorded without a CPU profile beside it"
            }
            (true, true) => "no goroutine was off its P",
        };
        write(buf, inside, inside.x + 1, inside.y, text, theme.style(Role::Dim));
        return;
    };
    if view.listed {
        list(view, tree, inside, buf, cx);
    } else {
        graph(view, tree, inside, buf, cx);
    }
    if area.height >= 3 {
        foot(view, tree, Rect { y: area.bottom() - 1, height: 1, ..area }, buf, cx);
    }
}

/// Of what the stacks are, how much that is, and the share that the query matches.
fn head(view: &Stacks, line: Rect, buf: &mut Buffer, cx: &Ctx) {
    let theme = cx.theme;
    let what = match view.weight {
        Weight::OnCpu => "on CPU",
        Weight::OffCpu => "off-CPU, by the stack that waits",
        Weight::WaiterFirst => "off-CPU, by waiter → waker",
        Weight::WakerFirst => "off-CPU, by waker → waiter",
    };
    let dot = format!(" {} ", theme.glyphs.dot);
    let mut parts = vec![(what.to_string(), Role::Heading)];
    if let Some(f) = view.found.latest().filter(|f| f.key.weight == view.weight) {
        let all = f.tree.nodes[0].total;
        parts.push((format!("{dot}{}", amount(f.key.weight, all)), Role::Text));
        if let (Some(q), true) = (&f.key.query, all > 0) {
            let share = percent(f.tree.matched, all);
            parts.push((format!("{dot}{share} match /{}", text::escape(q)), Role::Hit));
        }
        if f.key != key(view, cx) && cx.index.complete {
            parts.push((format!("{dot}adding up …"), Role::Dim));
        }
    }
    if view.mine {
        parts.push((format!("{dot}attributed to your code"), Role::Accent));
    }
    if let Some(f) = view.found.latest().filter(|f| f.key.lens != ByLens::No) {
        parts.extend(flame::legend(&f.tree, theme));
    }
    let mut x = line.x + 1;
    for (s, role) in parts {
        let room = usize::from(line.right().saturating_sub(x));
        x = write(buf, line, x, line.y, &text::fit(&s, room), theme.style(role));
    }
}

/// What the cursor is on: numbers first, so that a long name takes nothing from them.
fn foot(view: &Stacks, tree: &Tree, line: Rect, buf: &mut Buffer, cx: &Ctx) {
    let (Some(n), Some(f)) = (tree.nodes.get(view.graph.cursor), view.found.latest()) else { return };
    let all = tree.nodes[0].total;
    let w = f.key.weight;
    let numbers = format!(
        "{} {}, itself {} {}",
        percent(n.total, all),
        amount(w, n.total),
        percent(n.own, all),
        amount(w, n.own)
    );
    let x = write(buf, line, line.x + 1, line.y, &numbers, cx.theme.style(Role::Text));
    let room = usize::from(line.right().saturating_sub(x + 2));
    let full = flame::name(tree, view.graph.cursor, &cx.index.dict);
    write(buf, line, x + 2, line.y, &text::fit_end(&full, room), cx.theme.style(Role::Title));
}

fn role(n: &Node, weight: Weight, cx: &Ctx) -> Role {
    if n.matched {
        Role::Hit
    } else if let Some(lens) = n.lens {
        flame::lens_role(lens)
    } else if !n.func.is_some() {
        Role::Dim
    } else if n.part == Part::Waker {
        Role::Syscall
    } else if is_runtime(cx.index.dict.func_name(n.func)) {
        Role::Waiting
    } else if weight == Weight::OnCpu {
        Role::Running
    } else {
        Role::Runnable
    }
}

fn graph(view: &Stacks, tree: &Tree, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let weight = view.found.latest().map_or(view.weight, |f| f.key.weight);
    view.graph.draw(tree, area, buf, cx.theme, cx.focused, &|i, n| (short(i, n, cx), role(n, weight, cx)));
}

/// What a node is called in the graph and in the tree.
fn short(i: usize, n: &Node, cx: &Ctx) -> String {
    match (i, n.part.name()) {
        (0, _) => "all".into(),
        (_, Some(between)) => between.into(),
        _ => words::func(cx.index.dict.func_name(n.func)),
    }
}

fn list(view: &Stacks, tree: &Tree, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let theme = cx.theme;
    let all = tree.nodes[0].total;
    let weight = view.found.latest().map_or(view.weight, |f| f.key.weight);
    let brief = |n: u64| match weight {
        Weight::OnCpu => text::count(n),
        w => amount(w, n),
    };
    for (y, no) in view.scroll.seen().enumerate() {
        let line = table::row(area, y as u64);
        let Some(&i) = view.rows.get(no as usize).filter(|_| line.height > 0) else { break };
        let n = &tree.nodes[i];
        if i == view.graph.cursor {
            list::mark(line, buf, cx);
        }
        let mark = match (n.children.is_empty(), i == view.graph.root || view.open.contains(&i)) {
            (true, _) => ' ',
            (false, true) => theme.glyphs.expanded,
            (false, false) => theme.glyphs.collapsed,
        };
        let total = format!("{:>8} {:>7}", brief(n.total), percent(n.total, all));
        let x = write(buf, line, line.x + 1, line.y, &total, theme.style(Role::Text));
        let own = if n.own == 0 { String::new() } else { brief(n.own) };
        let x = write(buf, line, x + 1, line.y, &format!("{own:>8}"), theme.style(Role::Dim));
        let depth = n.depth.saturating_sub(tree.nodes[view.graph.root].depth);
        // So deep a stack would leave its own line otherwise.
        let indent = (depth * 2).min(usize::from(area.width) / 2);
        let x = write(buf, line, x + 2, line.y, &format!("{}{mark} ", " ".repeat(indent)), theme.style(Role::Dim));
        let room = usize::from(line.right().saturating_sub(x));
        write(buf, line, x, line.y, &text::fit(&short(i, n, cx), room), theme.style(role(n, weight, cx)));
    }
}
