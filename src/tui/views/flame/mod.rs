//! A flame graph with its root at the top: where its cursor is, how it moves, and how it is drawn.

pub mod icicle;

use crate::analysis::cost::flame::{Node, Tree};
use crate::analysis::cost::lenses::{self, LensNo};
use crate::base::text;
use crate::model::Dict;
use crate::tui::app::action::Action;
use crate::tui::theme::{ColorLevel, Role, Theme};
use crate::tui::widgets::{table, write};
use icicle::{Block, Content};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Rows below the cursor's that are looked at for the deepest that is seen.
const DEEPEST: usize = 512;

/// Where the user is in a graph. Nodes are positions in its tree.
#[derive(Default)]
pub struct Graph {
    /// The node that has the whole width…
    pub root: usize,
    /// … and those that had it before.
    pub zooms: Vec<usize>,
    /// The node under the cursor.
    pub cursor: usize,
    /// First row that is seen, and the room there is.
    top: usize,
    width: u16,
    height: u16,
}

impl Graph {
    /// Begins anew, for another tree.
    pub fn reset(&mut self) {
        *self = Graph { width: self.width, height: self.height, ..Graph::default() };
    }

    /// Goes over to another tree of the same functions: what it is on stays what it is, or the nearest above it that is
    /// there.
    pub fn follow(&mut self, old: &Tree, new: &Tree) {
        let same = |node: usize| {
            let mut path = Vec::new();
            let mut at = node;
            while let Some(n) = old.nodes.get(at).filter(|_| at != 0) {
                path.push((n.func, n.part));
                at = n.parent;
            }
            let mut at = 0;
            for step in path.into_iter().rev() {
                let is = |&&c: &&usize| (new.nodes[c].func, new.nodes[c].part) == step;
                match new.nodes[at].children.iter().find(is) {
                    Some(&c) => at = c,
                    None => break,
                }
            }
            at
        };
        let cursor = same(self.cursor);
        let mut zooms: Vec<usize> = self.zooms.iter().map(|&z| same(z)).collect();
        self.root = same(self.root);
        zooms.dedup();
        while zooms.last() == Some(&self.root) {
            zooms.pop();
        }
        self.zooms = zooms;
        self.go_to(new, cursor);
    }

    /// How many rows there is room for.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Takes note of the room, and keeps the cursor in sight.
    pub fn fit(&mut self, tree: Option<&Tree>, area: Rect) {
        (self.width, self.height) = (area.width, area.height);
        let row = tree.map_or(0, |t| self.row_of(t, self.cursor));
        self.top = self.top.clamp((row + 1).saturating_sub(usize::from(self.height).max(1)), row);
    }

    /// Which row a node stands in.
    fn row_of(&self, tree: &Tree, node: usize) -> usize {
        let depth = |n: usize| tree.nodes.get(n).map_or(0, |n| n.depth);
        depth(node).saturating_sub(depth(self.root))
    }

    /// Puts the cursor on a node below the root, or on the nearest above it that is wide enough to be seen.
    pub fn go_to(&mut self, tree: &Tree, node: usize) {
        let seen = icicle::layout(tree, self.root, self.width, self.row_of(tree, node) + 1);
        let shown = |n: usize| seen.iter().flatten().any(|b| b.what == Content::Node(n));
        let mut at = node;
        while at != self.root && !shown(at) {
            at = tree.nodes[at].parent;
        }
        self.cursor = at;
    }

    /// Moves the cursor; `false` if the action moves none.
    pub fn walk(&mut self, action: Action, tree: &Tree) -> bool {
        let Some(here) = tree.nodes.get(self.cursor) else { return false };
        let row = self.row_of(tree, self.cursor);
        let nodes = |row: usize| -> Vec<usize> {
            let blocks = icicle::layout(tree, self.root, self.width, row + 1);
            let node = |b: &Block| if let Content::Node(n) = b.what { Some(n) } else { None };
            blocks.get(row).into_iter().flatten().filter_map(node).collect()
        };
        let to = match action {
            Action::Up if self.cursor != self.root => Some(here.parent),
            Action::Down => nodes(row + 1).into_iter().find(|&n| tree.nodes[n].parent == self.cursor),
            Action::Left | Action::Right => {
                let row = nodes(row);
                let at = row.iter().position(|&n| n == self.cursor);
                let step = if action == Action::Left { -1 } else { 1 };
                at.and_then(|i| i.checked_add_signed(step)).and_then(|i| row.get(i).copied())
            }
            Action::Top => Some(self.root),
            Action::Bottom => {
                let mut at = self.cursor;
                while let Some(&c) = tree.nodes[at].children.first()
                    && self.row_of(tree, c) < row + DEEPEST
                {
                    at = c;
                }
                self.go_to(tree, at);
                None
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

    /// The node at a cell, counted from the graph's first.
    pub fn node_at(&self, tree: &Tree, x: u16, y: u16) -> Option<usize> {
        let row = self.top + usize::from(y);
        let blocks = icicle::layout(tree, self.root, self.width, row + 1);
        blocks.get(row).filter(|_| y < self.height)?.iter().find_map(|b| match b.what {
            Content::Node(n) if (b.from..b.to).contains(&x) => Some(n),
            _ => None,
        })
    }

    /// Draws the graph; `look` gives what a node is called, and how it is shown.
    pub fn draw(
        &self,
        tree: &Tree,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        focused: bool,
        look: &dyn Fn(usize, &Node) -> (String, Role),
    ) {
        let rows = icicle::layout(tree, self.root, area.width, self.top + usize::from(area.height));
        for (y, row) in rows.iter().skip(self.top).enumerate() {
            let line = table::row(area, y as u64);
            for b in row {
                let cells = Rect { x: line.x + b.from, width: b.to - b.from, ..line };
                match b.what {
                    Content::Node(i) => {
                        let (name, role) = look(i, &tree.nodes[i]);
                        let selected = i == self.cursor;
                        block(cells, buf, &name, role, selected && focused, theme);
                        if selected && !focused {
                            buf.set_style(cells, Style::new().add_modifier(Modifier::BOLD));
                        }
                    }
                    Content::More(count) => {
                        let label = format!("+{count}");
                        let label = if label.len() <= usize::from(cells.width) { label } else { "+".into() };
                        write(buf, cells, cells.x, cells.y, &label, theme.style(Role::Dim));
                    }
                }
            }
        }
    }
}

/// The colour of a lens: those that look alike stand far from each other in a stack.
pub fn lens_role(lens: LensNo) -> Role {
    match lenses::name(lens) {
        "maps" => Role::Keyword,
        "interfaces" => Role::Number,
        "strings" => Role::Str,
        "channels" => Role::Runnable,
        "select" => Role::Accent,
        "locks" => Role::Stw,
        "gc" => Role::Gc,
        "alloc" => Role::Type,
        "network" => Role::Heap,
        "syscalls" => Role::Syscall,
        _ => Role::Sample,
    }
}

/// The lenses that stacks are of, with their colours and shares, as far as a line has room for them.
pub fn legend(tree: &Tree, theme: &Theme) -> Vec<(String, Role)> {
    let all = tree.nodes.first().map_or(0, |n| n.total).max(1);
    let of = |&(lens, n): &(LensNo, u64)| {
        let share = n as f64 * 100.0 / all as f64;
        (format!(" {} {} {share:.1} %", theme.glyphs.full, lenses::name(lens)), lens_role(lens))
    };
    tree.lenses.iter().map(of).collect()
}

/// What a node is called in full, safe to show.
pub fn name(tree: &Tree, node: usize, dict: &Dict) -> String {
    match tree.nodes.get(node) {
        Some(n) if node > 0 => match n.part.name() {
            Some(between) => between.into(),
            None => text::escape(dict.func_name(n.func)).into_owned(),
        },
        _ => "all".into(),
    }
}

/// The functions from the root to a node, as folded stacks have them, and the weight.
pub fn folded(tree: &Tree, node: usize, dict: &Dict) -> String {
    let mut names = Vec::new();
    let mut at = node;
    while let Some(n) = tree.nodes.get(at).filter(|_| at != 0) {
        names.push(name(tree, at, dict));
        at = n.parent;
    }
    names.reverse();
    format!("{} {}", names.join(";"), tree.nodes.get(node).map_or(0, |n| n.total))
}

/// A filled block with a name in it. Its last cell stays free, so that neighbours stand apart; a single cell is half
/// filled for that.
pub fn block(cells: Rect, buf: &mut Buffer, name: &str, role: Role, selected: bool, theme: &Theme) {
    if cells.is_empty() {
        return;
    }
    let plain = theme.level == ColorLevel::None;
    if cells.width == 1 {
        let glyph = if theme.is_ascii() { '|' } else { '▌' };
        let style = theme.style(if selected { Role::Cursor } else { role });
        buf[(cells.x, cells.y)].set_char(glyph).set_style(style);
        return;
    }
    let filled = Rect { width: cells.width - 1, ..cells };
    let style = match (selected, plain) {
        // Without colour all blocks are reversed: the one that is not is the cursor.
        (true, true) => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        (true, false) => theme.style(Role::Cursor).add_modifier(Modifier::BOLD),
        (false, _) => theme.filled(role),
    };
    for x in filled.left()..filled.right() {
        buf[(x, filled.y)].set_char(' ').set_style(style);
    }
    if filled.width < 3 && !(selected && plain) {
        // So few letters would say nothing.
        return;
    }
    let mut name = text::fit(name, usize::from(filled.width)).into_owned();
    if selected && plain {
        name = text::fit(&format!("{}{name}", theme.glyphs.marker), usize::from(filled.width)).into_owned();
    }
    write(buf, filled, filled.x, filled.y, &name, style);
}
