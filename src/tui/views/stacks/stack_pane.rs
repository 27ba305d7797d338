//! The detail pane of the stacks view: the functions from the one under the cursor up to the root, and where each calls
//! the one before it. Where the cursor is on all of them, the stack that is heaviest at each step.

use super::Found;
use super::render::percent;
use crate::analysis::cost::flame::{Node, Tree};
use crate::base::text;
use crate::model::dict::Dict;
use crate::model::ownership::{is_library, is_runtime};
use crate::tui::app::action::Action;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::{table, write};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// The pane.
#[derive(Default)]
pub struct StackPane {
    found: Option<Arc<Found>>,
    /// The nodes, that of the graph's cursor first, without the root of all.
    nodes: Vec<usize>,
    /// The node that the graph's cursor is on.
    of: usize,
    scroll: Scroll,
}

impl StackPane {
    /// Shows the way to a node.
    pub(super) fn follow(&mut self, found: Option<&Arc<Found>>, node: usize, dict: &Dict) {
        let same = match (&self.found, found) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) && self.of == node,
            _ => false,
        };
        if same {
            return;
        }
        *self = StackPane { found: found.cloned(), of: node, ..StackPane::default() };
        let Some(f) = found else { return };
        let mut at = if node == 0 { heaviest(&f.tree, dict) } else { node };
        while let Some(n) = f.tree.nodes.get(at).filter(|_| at != 0) {
            self.nodes.push(at);
            at = n.parent;
        }
    }

    fn node(&self, row: u64) -> Option<&Node> {
        let at = *self.nodes.get(usize::try_from(row).ok()?)?;
        self.found.as_ref()?.tree.nodes.get(at)
    }

    /// Shows the source of the selected function; what stands between two stacks leaves it as it is.
    fn point(&self, out: &mut Vec<Command>) {
        if let Some(n) = self.node(self.scroll.selected).filter(|n| n.frame.is_some()) {
            out.push(Command::Frame(n.frame));
        }
    }

    /// A row: a function and its place, or what stands between two stacks.
    fn line(n: &Node, cx: &Ctx) -> (String, String, Role) {
        if let Some(between) = n.part.name() {
            return (between.into(), String::new(), Role::Dim);
        }
        let name = cx.index.dict.func_name(n.func);
        let role = if is_runtime(name) { Role::Dim } else { Role::Text };
        let frame = cx.index.dict.frames().get(n.frame.index()).filter(|_| n.frame.is_some());
        (words::func(name), frame.map_or(String::new(), |f| words::place(cx.index, *f)), role)
    }
}

/// The function of the user's that one comes to last by going from the root to the heaviest child each time; the end of
/// that way where there is none.
fn heaviest(tree: &Tree, dict: &Dict) -> usize {
    let (mut at, mut users) = (0, None);
    while let Some(&c) = tree.nodes.get(at).and_then(|n| n.children.iter().max_by_key(|&&c| tree.nodes[c].total)) {
        at = c;
        if tree.nodes[c].func.is_some() && !is_library(dict.func_name(tree.nodes[c].func)) {
            users = Some(c);
        }
    }
    users.unwrap_or(at)
}

impl View for StackPane {
    fn title(&self, cx: &Ctx) -> String {
        let root = self.found.as_ref().filter(|_| self.of == 0 && !self.nodes.is_empty());
        if let Some((all, n)) = root.and_then(|f| f.tree.nodes.first()).zip(self.node(0).filter(|n| n.func.is_some())) {
            let name = words::func(cx.index.dict.func_name(n.func));
            return format!("heaviest: {name} {} {}", cx.theme.glyphs.dot, percent(n.total, all.total));
        }
        match self.node(0).filter(|n| n.func.is_some()) {
            Some(n) => format!("stack of {}", words::func(cx.index.dict.func_name(n.func))),
            None => "stack".into(),
        }
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if !cx.focused {
            return false;
        }
        match (action, self.node(self.scroll.selected)) {
            (Action::Enter, Some(_)) => {
                self.point(out);
                out.push(Command::Focus(Pane::Source));
            }
            (Action::Copy, Some(n)) => {
                let (name, place, _) = StackPane::line(n, cx);
                out.push(Command::Copy(format!("{name}  {place}").trim_end().into()));
            }
            _ => {
                if !self.scroll.handle(action) {
                    return false;
                }
                self.point(out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, _cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double => {
                let row = self.scroll.top + u64::from(at.y - area.y);
                if self.node(row).is_none() {
                    return false;
                }
                self.scroll.select(row);
                self.point(out);
                if what == Mouse::Double {
                    out.push(Command::Focus(Pane::Source));
                }
            }
            Mouse::Wheel(n, _) => {
                self.scroll.wheel(i64::from(n) * 3);
                self.point(out);
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, _cx: &Ctx, _out: &mut Vec<Command>) {
        self.scroll.fit(self.nodes.len() as u64, area.height);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        for (i, row) in self.scroll.seen().enumerate() {
            let line = table::row(area, i as u64);
            let Some(n) = self.node(row).filter(|_| line.height > 0) else { return };
            let (name, place, role) = StackPane::line(n, cx);
            let x = write(buf, line, line.x + 1, line.y, &name, cx.theme.style(role));
            let room = usize::from(line.right().saturating_sub(x + 2));
            write(buf, line, x + 2, line.y, &text::fit_end(&place, room), cx.theme.style(Role::Dim));
            if cx.focused && row == self.scroll.selected {
                cx.theme.select(buf, line);
            }
        }
    }
}
