//! The stacks view: where time goes, by call stack, as a flame graph with its root at the top or as a tree.

pub mod render;
pub mod stack_pane;

use crate::analysis::cost::flame;
use crate::analysis::cost::flame::{Layout, Tree, Weight};
use crate::analysis::cost::lenses::ByLens;
use crate::analysis::waits::links::Options;
use crate::base::{FrameId, GroupId, Time};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::search;
use crate::tui::app::view::{Command, Ctx, Legend, Mouse, Obeys, Pane, Querying, View};
use crate::tui::theme::Glyphs;
use crate::tui::views::flame::{Graph, folded};
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::scroll::Scroll;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use stack_pane::StackPane;
use std::collections::BTreeSet;

/// What a tree was made for.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    weight: Weight,
    mine: bool,
    lens: ByLens,
    window: Option<(Time, Time)>,
    group: Option<GroupId>,
    only: Option<String>,
    query: Option<String>,
}

/// A call tree and what it was made for.
#[derive(Debug)]
pub struct Found {
    key: Key,
    tree: Tree,
}

/// The view.
#[derive(Default)]
pub struct Stacks {
    weight: Weight,
    mine: bool,
    lens: ByLens,
    /// Whether the tree is shown, and not the graph.
    listed: bool,
    found: Lookup<Key, Found>,
    /// Its root and its cursor are the tree's as well.
    graph: Graph,
    /// The tree's nodes that are open, its rows, and which of them are seen.
    open: BTreeSet<usize>,
    rows: Vec<usize>,
    scroll: Scroll,
    /// The detail pane beside it.
    pane: StackPane,
}

fn key(view: &Stacks, cx: &Ctx) -> Key {
    let only = cx.place.only().and_then(|g| cx.index.goroutine(g)).map(|g| format!("g:{}", g.id.0));
    Key {
        weight: view.weight,
        mine: view.mine,
        lens: view.lens,
        window: cx.place.window(),
        group: cx.place.group(),
        only,
        query: cx.place.query().map(str::to_string),
    }
}

fn add_up(key: Key) -> Job {
    let work = move |cx: &JobCtx| {
        let made = || {
            let filter = search::compile(cx, key.only.as_deref())?;
            let marks = search::compile(cx, key.query.as_deref())?;
            let whole = key.window.is_none() && key.group.is_none() && key.only.is_none();
            let stacks = if key.weight == Weight::OnCpu && whole {
                flame::samples(&cx.trace.index())
            } else {
                let (from, to) = key.window.unwrap_or((Time::MIN, Time::MAX));
                flame::stacks(cx, key.weight, key.group, Options { from, to, filter: filter.as_ref() })?
            };
            let marks = marks.filter(|m| m.has_frames());
            let matches = |f| marks.as_ref().is_some_and(|m| m.matches_frame(f));
            let layout = Layout { mine: key.mine, waker_first: key.weight == Weight::WakerFirst, lens: key.lens };
            Ok::<Tree, String>(flame::tree(&cx.trace.index().dict, &stacks, layout, &matches))
        };
        let tree = made()?;
        Ok(Found { key, tree })
    };
    Job::new("stacks", work, |view: &mut Stacks, found, cx, out| view.receive(found, cx, out))
}

impl Stacks {
    fn tree(&self) -> Option<&Tree> {
        Some(&self.found.latest()?.tree)
    }

    /// The frame of the function under the cursor; `NONE` where that is none.
    fn frame(&self) -> FrameId {
        self.tree().and_then(|t| t.nodes.get(self.graph.cursor)).map_or(FrameId::NONE, |n| n.frame)
    }

    /// Shows the source of the function under the cursor.
    fn point(&self, out: &mut Vec<Command>) {
        out.push(Command::Frame(self.frame()));
    }

    /// Moves the cursor in the graph.
    fn walk(&mut self, action: Action, out: &mut Vec<Command>) -> bool {
        let Some(found) = self.found.latest().cloned() else { return false };
        let before = self.graph.cursor;
        let moves = self.graph.walk(action, &found.tree);
        if self.graph.cursor != before {
            self.point(out);
        }
        moves
    }

    /// Lists the tree's rows as they are open.
    fn list(&mut self) {
        let Some(found) = self.found.latest().cloned() else { return };
        let mut rows = Vec::new();
        let mut waiting = vec![self.graph.root];
        while let Some(n) = waiting.pop() {
            rows.push(n);
            if n == self.graph.root || self.open.contains(&n) {
                waiting.extend(found.tree.nodes[n].children.iter().rev());
            }
        }
        self.rows = rows;
        let height = self.graph.height().clamp(1, 1000);
        self.scroll.fit(self.rows.len() as u64, height);
        if let Some(at) = self.rows.iter().position(|&n| n == self.graph.cursor) {
            self.scroll.reveal(at as u64);
        }
        self.scroll.fit(self.rows.len() as u64, height);
    }

    /// Moves the cursor in the tree, or opens and closes nodes.
    fn browse(&mut self, action: Action, out: &mut Vec<Command>) -> bool {
        let Some(found) = self.found.latest().cloned() else { return false };
        let n = &found.tree.nodes[self.graph.cursor];
        let open = self.graph.cursor == self.graph.root || self.open.contains(&self.graph.cursor);
        match action {
            Action::Right if !open && !n.children.is_empty() => drop(self.open.insert(self.graph.cursor)),
            Action::Right => self.graph.cursor = n.children.first().copied().unwrap_or(self.graph.cursor),
            Action::Left if open && self.graph.cursor != self.graph.root && !n.children.is_empty() => {
                self.open.remove(&self.graph.cursor);
            }
            Action::Left if self.graph.cursor != self.graph.root => self.graph.cursor = n.parent,
            Action::Left => {}
            Action::Expand if self.graph.cursor != self.graph.root && !self.open.remove(&self.graph.cursor) => {
                self.open.insert(self.graph.cursor);
            }
            Action::Expand => {}
            _ => {
                if !self.scroll.handle(action) {
                    return false;
                }
                self.graph.cursor = self.rows.get(self.scroll.selected as usize).copied().unwrap_or(self.graph.cursor);
            }
        }
        self.list();
        self.point(out);
        true
    }

    /// Gives the node under the cursor the whole width; where it has that, goes on to its source.
    fn enter(&mut self, out: &mut Vec<Command>) {
        if self.graph.cursor == self.graph.root {
            if self.tree().is_some_and(|t| t.nodes[self.graph.cursor].frame.is_some()) {
                self.point(out);
                out.push(Command::Focus(Pane::Source));
            }
            return;
        }
        let Some(found) = self.found.latest().cloned() else { return };
        self.graph.enter(&found.tree);
        self.list();
        self.point(out);
    }

    fn leave(&mut self) -> bool {
        let left = self.graph.leave();
        if left {
            self.list();
        }
        left
    }

    /// Takes a new tree, and finds the cursor and the root in it again by their functions.
    fn take(&mut self, old: Option<&Tree>, found: &Found) {
        let path = |t: &Tree, mut n: usize| {
            let mut path = Vec::new();
            while n != 0 {
                path.push((t.nodes[n].func, t.nodes[n].part));
                n = t.nodes[n].parent;
            }
            path.reverse();
            path
        };
        let again = |old: Option<&Tree>, n: usize| {
            let mut at = 0;
            for step in old.map_or(Vec::new(), |t| path(t, n)) {
                let nodes = &found.tree.nodes;
                match nodes[at].children.iter().find(|&&c| (nodes[c].func, nodes[c].part) == step) {
                    Some(&c) => at = c,
                    None => break,
                }
            }
            at
        };
        let same = |zooms: &[usize]| zooms.iter().map(|&z| again(old, z)).collect::<Vec<_>>();
        let (zooms, root, cursor) =
            (same(&self.graph.zooms), again(old, self.graph.root), again(old, self.graph.cursor));
        let open: BTreeSet<usize> = self.open.iter().map(|&n| again(old, n)).filter(|&n| n != 0).collect();
        (self.graph.zooms, self.graph.root, self.open) = (zooms, root, open);
        if old.is_none() {
            // At first the tree is open along where most of the weight is.
            let mut at = 0;
            while let Some(&c) = found.tree.nodes[at].children.first() {
                if found.tree.nodes[c].total * 2 < found.tree.nodes[0].total {
                    break;
                }
                self.open.insert(c);
                at = c;
            }
        }
        let inside = |mut n: usize| {
            while n != 0 && n != self.graph.root {
                n = found.tree.nodes[n].parent;
            }
            n == self.graph.root
        };
        self.graph.cursor = if inside(cursor) { cursor } else { self.graph.root };
        self.list();
    }

    fn receive(&mut self, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        let (before, old) = (self.frame(), self.found.latest().cloned());
        let Some(found) = self.found.take(found.key.clone(), found) else { return };
        self.take(old.as_ref().map(|f| &f.tree), &found);
        if cx.place.view == ViewId::Stacks && self.frame() != before {
            self.point(out);
        }
    }
}

impl View for Stacks {
    fn title(&self, _cx: &Ctx) -> String {
        "stacks".into()
    }

    fn scope(&self) -> Scope {
        Scope::Stacks
    }

    fn obeys(&self, _: &Place) -> Obeys {
        Obeys { query: Querying::Marks, ..Obeys::ALL }
    }

    fn legend(&self, _: &Glyphs) -> Legend {
        let width = "how much of the time or of the samples the function and what it calls has";
        vec![("width".to_owned(), width.to_owned())]
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::StacksOf => {
                self.weight = match self.weight {
                    Weight::OnCpu => Weight::OffCpu,
                    Weight::OffCpu => Weight::WaiterFirst,
                    Weight::WaiterFirst => Weight::WakerFirst,
                    Weight::WakerFirst => Weight::OnCpu,
                };
            }
            Action::MyCode => self.mine = !self.mine,
            Action::Lenses => self.lens = self.lens.next(),
            Action::Shape => {
                self.listed = !self.listed;
                // What the graph's cursor is on stays in sight.
                let mut at = self.graph.cursor;
                while let Some(t) = self.tree().filter(|_| at != self.graph.root) {
                    at = t.nodes[at].parent;
                    self.open.insert(at);
                }
                self.list();
            }
            Action::Enter if cx.focused => self.enter(out),
            Action::Escape if cx.focused => return self.leave(),
            Action::Narrow => match cx.place.only() {
                Some(g) => out.push(Command::Narrow(Narrow::Go(g))),
                None => return false,
            },
            Action::Copy if cx.focused => {
                let Some(t) = self.tree() else { return false };
                out.push(Command::Copy(folded(t, self.graph.cursor, &cx.index.dict)));
            }
            _ if !cx.focused => return false,
            _ if self.listed => return self.browse(action, out),
            _ => return self.walk(action, out),
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, _cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let inside = render::inside(area);
        match what {
            Mouse::Press | Mouse::Double if inside.contains(at) => {
                let line = usize::from(at.y - inside.y);
                let node = if self.listed {
                    self.rows.get(self.scroll.top as usize + line).copied()
                } else {
                    self.tree().and_then(|t| self.graph.node_at(t, at.x - inside.x, at.y - inside.y))
                };
                let Some(node) = node else { return false };
                self.graph.cursor = node;
                self.list();
                self.point(out);
                if what == Mouse::Double {
                    self.enter(out);
                }
            }
            Mouse::Wheel(n, _) if self.listed => {
                self.scroll.wheel(i64::from(n) * 3);
                self.graph.cursor = self.rows.get(self.scroll.selected as usize).copied().unwrap_or(self.graph.cursor);
            }
            Mouse::Wheel(n, _) => {
                let action = if n > 0 { Action::Down } else { Action::Up };
                self.walk(action, out);
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Stacks {
            return;
        }
        let want = key(self, cx);
        // Weights are added up once, over the whole trace.
        if cx.index.complete && self.found.want(&want) {
            out.push(Command::Run(add_up(want)));
        }
        let inside = render::inside(area);
        let changed = self.graph.height() != inside.height;
        let found = self.found.latest().cloned();
        self.graph.fit(found.as_ref().map(|f| &f.tree), inside);
        if changed {
            self.list();
        }
        self.pane.follow(found.as_ref(), self.graph.cursor, &cx.index.dict);
        // Whoever came here has none: see [`Place::with_view`](crate::tui::app::nav::Place::with_view).
        if !cx.place.frame.is_some() && self.frame().is_some() {
            self.point(out);
        }
    }

    fn aside(&self, _place: &Place) -> Option<&dyn View> {
        Some(&self.pane)
    }

    fn aside_mut(&mut self, _place: &Place) -> Option<&mut dyn View> {
        Some(&mut self.pane)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
