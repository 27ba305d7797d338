//! The flame graph of a profile: where its cursor is, and how it is drawn.

use super::Found;
use crate::analysis::flame::Tree;
use crate::base::{FrameId, text};
use crate::store::dict::is_runtime;
use crate::tui::action::Action;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::views::Ctx;
use crate::tui::views::stacks::icicle::{self, Block, What};
use crate::tui::views::stacks::render::block;
use crate::tui::widgets::{table, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Where the user is in the graph.
#[derive(Default)]
pub struct Graph {
    /// The node that has the whole width, and those that had it before.
    root: usize,
    zooms: Vec<usize>,
    cursor: usize,
    /// First row that is seen, and the size there is.
    top: usize,
    width: u16,
    height: usize,
}

impl Graph {
    /// Begins anew, for another tree.
    pub fn reset(&mut self) {
        *self = Graph { width: self.width, height: self.height, ..Graph::default() };
    }

    /// The frame under the cursor.
    pub fn frame(&self, tree: &Tree) -> Option<FrameId> {
        Some(tree.nodes.get(self.cursor)?.frame)
    }

    fn row_of(&self, tree: &Tree, node: usize) -> usize {
        let depth = |n: usize| tree.nodes.get(n).map_or(0, |n| n.depth);
        depth(node).saturating_sub(depth(self.root))
    }

    fn nodes(&self, tree: &Tree, row: usize) -> Vec<usize> {
        let blocks = icicle::layout(tree, self.root, self.width, row + 1);
        let node = |b: &Block| if let What::Node(n) = b.what { Some(n) } else { None };
        blocks.get(row).into_iter().flatten().filter_map(node).collect()
    }

    /// Takes note of the room, and keeps the cursor in sight. The last line is for what the cursor is on.
    pub fn fit(&mut self, tree: &Tree, area: Rect) {
        (self.width, self.height) = (area.width, usize::from(area.height.saturating_sub(1)));
        let row = self.row_of(tree, self.cursor);
        self.top = self.top.clamp((row + 1).saturating_sub(self.height.max(1)), row);
    }

    /// Moves the cursor.
    pub fn walk(&mut self, action: Action, tree: &Tree) -> bool {
        let Some(here) = tree.nodes.get(self.cursor) else { return false };
        let row = self.row_of(tree, self.cursor);
        let to = match action {
            Action::Up if self.cursor != self.root => Some(here.parent),
            Action::Down => self.nodes(tree, row + 1).into_iter().find(|&n| tree.nodes[n].parent == self.cursor),
            Action::Left | Action::Right => {
                let row = self.nodes(tree, row);
                let at = row.iter().position(|&n| n == self.cursor);
                let step = if action == Action::Left { -1 } else { 1 };
                at.and_then(|i| i.checked_add_signed(step)).and_then(|i| row.get(i).copied())
            }
            Action::Top => Some(self.root),
            Action::Bottom => {
                let mut at = self.cursor;
                let mut row = row;
                while let Some(&c) =
                    tree.nodes[at].children.first().filter(|&&c| self.nodes(tree, row + 1).contains(&c))
                {
                    (at, row) = (c, row + 1);
                }
                Some(at)
            }
            Action::Up | Action::HalfUp | Action::HalfDown | Action::PageUp | Action::PageDown => None,
            _ => return false,
        };
        self.cursor = to.unwrap_or(self.cursor);
        true
    }

    /// Gives the node under the cursor the whole width; `false` if it has it.
    pub fn enter(&mut self, tree: &Tree) -> bool {
        if self.cursor == self.root || self.cursor >= tree.nodes.len() {
            return false;
        }
        self.zooms.push(self.root);
        self.root = self.cursor;
        true
    }

    /// Gives the node that had the whole width before it again; `false` if there was none.
    pub fn leave(&mut self) -> bool {
        let Some(root) = self.zooms.pop() else { return false };
        self.root = root;
        true
    }

    /// Puts the cursor on what stands at a cell; `false` if nothing does.
    pub fn click(&mut self, tree: &Tree, x: u16, y: u16) -> bool {
        let row = self.top + usize::from(y);
        let blocks = icicle::layout(tree, self.root, self.width, row + 1);
        let at = blocks.get(row).into_iter().flatten().find(|b| (b.from..b.to).contains(&x));
        match at.map(|b| b.what) {
            Some(What::Node(n)) if usize::from(y) < self.height => self.cursor = n,
            _ => return false,
        }
        true
    }

    /// The functions from the root to the cursor, as folded stacks have them, and the weight.
    pub fn copied(&self, tree: &Tree, cx: &Ctx) -> String {
        let mut names = Vec::new();
        let mut at = self.cursor;
        while let Some(n) = tree.nodes.get(at).filter(|_| at != 0) {
            names.push(text::escape(cx.frames().dict.func_name(n.func)).into_owned());
            at = n.parent;
        }
        names.reverse();
        format!("{} {}", names.join(";"), tree.nodes.get(self.cursor).map_or(0, |n| n.total))
    }

    pub(super) fn draw(&self, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let (tree, theme, dict) = (&found.hot.tree, cx.theme, &cx.frames().dict);
        let graph = Rect { height: area.height.saturating_sub(1), ..area };
        if tree.nodes[0].total == 0 {
            write(buf, area, area.x + 1, area.y, "nothing was sampled", theme.style(Role::Dim));
            return;
        }
        let rows = icicle::layout(tree, self.root, area.width, self.top + usize::from(graph.height));
        for (y, row) in rows.iter().skip(self.top).enumerate() {
            let line = table::row(graph, y as u64);
            for b in row {
                let cells = Rect { x: line.x + b.from, width: b.to - b.from, ..line };
                let What::Node(i) = b.what else {
                    write(buf, cells, cells.x, cells.y, "+", theme.style(Role::Dim));
                    continue;
                };
                let Some(n) = tree.nodes.get(i) else { continue };
                let name = dict.func_name(n.func);
                let role = match n {
                    _ if i == 0 => Role::Dim,
                    _ if n.matched => Role::Hit,
                    _ if is_runtime(name) => Role::Waiting,
                    _ => Role::Running,
                };
                let shown = if i == 0 { "all".into() } else { words::func(name) };
                let selected = i == self.cursor;
                block(cells, buf, &shown, theme.style(role), selected && cx.focused, theme);
                if selected && !cx.focused {
                    buf.set_style(cells, Style::new().add_modifier(Modifier::BOLD));
                }
            }
        }
        let (Some(n), true) = (tree.nodes.get(self.cursor), area.height >= 2) else { return };
        let line = table::row(area, u64::from(area.height) - 1);
        let (total, own) = (n.total.min(i64::MAX as u64) as i64, n.own.min(i64::MAX as u64) as i64);
        let (all, itself) = (found.share(total), found.share(own));
        let numbers = format!("{all} {}, itself {itself} {}", found.value(total), found.value(own));
        let x = write(buf, line, line.x + 1, line.y, &numbers, theme.style(Role::Text));
        let room = usize::from(line.right().saturating_sub(x + 2));
        let name = if self.cursor == 0 { "all".into() } else { text::escape(dict.func_name(n.func)) };
        write(buf, line, x + 2, line.y, &text::fit_end(&name, room), theme.style(Role::Title));
    }
}
