//! The flame graph of a profile.

use super::body::{Body, Enter};
use super::found::Found;
use crate::analysis::cost::flame::{Node, Part};
use crate::analysis::profile::cut::{Cut, What};
use crate::base::{FrameId, text};
use crate::model::ownership::is_runtime;
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::views::flame;
use crate::tui::widgets::list::Took;
use crate::tui::widgets::{table, write};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// The graph, and where the user is in it.
#[derive(Default)]
pub struct Graph {
    graph: flame::Graph,
    /// How much there was narrowed already when each node was given the whole width.
    zoomed_at: Vec<usize>,
}

impl Graph {
    /// Puts the cursor where the function of a frame costs most.
    pub fn seek(&mut self, found: &Found, frame: FrameId, cx: &Ctx) {
        let tree = &found.hot.tree;
        if !frame.is_some() {
            return;
        }
        let func = cx.frames().dict.frame_of(frame).func;
        let heaviest =
            (1..tree.nodes.len()).filter(|&n| tree.nodes[n].func == func).max_by_key(|&n| tree.nodes[n].total);
        if let Some(n) = heaviest {
            self.graph.reset();
            self.zoomed_at.clear();
            self.graph.go_to(tree, n);
        }
    }

    fn nothing(found: &Found) -> &'static str {
        match (found.hot.change, found.key.ask.less, found.key.ask.cuts.is_empty()) {
            (Some(_), true, _) => "nothing shrank; - shows what grew",
            (Some(_), false, _) => "nothing grew; - shows what shrank",
            (None, _, true) => "nothing was sampled",
            (None, _, false) => "no samples match the filter; Esc removes the last filter",
        }
    }
}

impl Body for Graph {
    fn take(&mut self, old: Option<&Found>, found: &Arc<Found>, _cx: &Ctx) {
        match old {
            Some(old) if old.key.profile == found.key.profile => self.graph.follow(&old.hot.tree, &found.hot.tree),
            _ => self.graph.reset(),
        }
        self.zoomed_at.truncate(self.graph.zooms.len());
    }

    fn handle(&mut self, action: Action, found: &Arc<Found>, _cx: &Ctx) -> Took {
        if self.graph.walk(action, &found.hot.tree) { Took::Moved } else { Took::Nothing }
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, found: &Arc<Found>, _cx: &Ctx) -> Took {
        let tree = &found.hot.tree;
        match what {
            Mouse::Wheel(n, _) => {
                self.graph.walk(if n > 0 { Action::Down } else { Action::Up }, tree);
                Took::Done
            }
            Mouse::Press | Mouse::Double if area.contains(at) => {
                let Some(n) = self.graph.node_at(tree, at.x - area.x, at.y - area.y) else { return Took::Nothing };
                self.graph.cursor = n;
                if what == Mouse::Double { Took::Double } else { Took::Moved }
            }
            _ => Took::Nothing,
        }
    }

    fn fit(&mut self, area: Rect, found: Option<&Found>) {
        // The last line is for what the cursor is on.
        if let Some(f) = found {
            self.graph.fit(Some(&f.hot.tree), Rect { height: area.height.saturating_sub(1), ..area });
        }
    }

    fn frame(&self, found: &Found) -> Option<FrameId> {
        Some(found.hot.tree.nodes.get(self.graph.cursor)?.frame)
    }

    fn cut(&self, found: &Found, cx: &Ctx) -> Option<Cut> {
        let node = found.hot.tree.nodes.get(self.graph.cursor)?;
        if node.depth == 0 || node.part != Part::Own {
            return None;
        }
        let func = cx.frames().dict.func_name(node.func).to_string();
        Some(Cut { what: What::Func(func), without: false })
    }

    fn enter(&mut self, found: &Arc<Found>, narrowed: usize, _cx: &Ctx) -> Enter {
        if !self.graph.enter(&found.hot.tree) {
            return Enter::Source;
        }
        self.zoomed_at.push(narrowed);
        Enter::Nothing
    }

    fn leave(&mut self, narrowed: usize, _found: &Arc<Found>, _cx: &Ctx) -> bool {
        let left = self.zoomed_at.last().is_none_or(|&at| at >= narrowed) && self.graph.leave();
        if left {
            self.zoomed_at.pop();
        }
        left
    }

    fn text(&self, found: &Found, cx: &Ctx) -> Option<String> {
        Some(flame::folded(&found.hot.tree, self.graph.cursor, &cx.frames().dict))
    }

    fn render(&self, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let (tree, theme, dict) = (&found.hot.tree, cx.theme, &cx.frames().dict);
        if tree.nodes[0].total == 0 {
            write(buf, area, area.x + 1, area.y, Graph::nothing(found), theme.style(Role::Dim));
            return;
        }
        let above = Rect { height: area.height.saturating_sub(1), ..area };
        self.graph.draw(tree, above, buf, theme, cx.focused, &|i, n| {
            let name = dict.func_name(n.func);
            let shown = || n.part.name().map_or_else(|| words::func(name), str::to_owned);
            match n {
                _ if i == 0 => ("all".into(), Role::Dim),
                Node { matched: false, lens: Some(lens), .. } => (shown(), flame::lens_role(*lens)),
                _ if n.matched => (words::func(name), Role::Hit),
                _ if is_runtime(name) => (words::func(name), Role::Waiting),
                _ => (words::func(name), Role::Running),
            }
        });
        let (Some(n), true) = (tree.nodes.get(self.graph.cursor), area.height >= 2) else { return };
        let line = table::row(area, u64::from(area.height) - 1);
        let sign = if found.key.ask.less { -1 } else { 1 };
        let signed = |v: u64| sign * v.min(i64::MAX as u64) as i64;
        let (total, own) = (signed(n.total), signed(n.own));
        let (all, itself) = (found.share(total), found.share(own));
        let numbers = format!("{all} {}, itself {itself} {}", found.change(total), found.change(own));
        let x = write(buf, line, line.x + 1, line.y, &numbers, theme.style(Role::Text));
        let room = usize::from(line.right().saturating_sub(x + 2));
        let name = flame::name(tree, self.graph.cursor, dict);
        write(buf, line, x + 2, line.y, &text::fit_end(&name, room), theme.style(Role::Title));
    }
}
