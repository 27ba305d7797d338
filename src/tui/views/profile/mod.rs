//! The profile view: functions with what they cost, who called one and what it called, and the flame graph.

mod lines;
mod render;
mod rows;

use crate::analysis::hot::{Ask, Hot, Profiled};
use crate::base::FrameId;
use crate::store::profile::measure;
use crate::tui::action::{Action, Scope};
use crate::tui::effects::{Job, JobKind, Reply};
use crate::tui::nav::Place;
use crate::tui::theme::Role;
use crate::tui::views::flame::{Graph, folded};
use crate::tui::views::{Command, Ctx, Mouse, Pane, View, ViewId};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Column, Sort};
pub use lines::Lines;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{Line, Part};
use std::sync::Arc;

/// What a profile was summed up for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Position of the profile.
    profile: usize,
    ask: Ask,
}

/// A profile summed up, and what for.
#[derive(Debug)]
pub struct Found {
    key: Key,
    hot: Hot,
    /// The unit of its values, and the one they are shown in.
    unit: String,
    shown: String,
}

impl Found {
    /// A value as text.
    fn value(&self, v: i64) -> String {
        measure::scaled_label(v, &self.unit, &self.shown)
    }

    /// A value as text; where profiles are compared a change, with its sign.
    fn change(&self, v: i64) -> String {
        let plus = if v > 0 && self.hot.change.is_some() { "+" } else { "" };
        format!("{plus}{}", self.value(v))
    }

    /// The role of a value: what has become more is not like what has become less, where profiles are compared.
    fn role(&self, v: i64, usual: Role) -> Role {
        match self.hot.change {
            Some(_) if v > 0 => Role::Error,
            Some(_) if v < 0 => Role::Running,
            _ => usual,
        }
    }

    /// A value as a share of all.
    fn share(&self, v: i64) -> String {
        share(v, self.hot.total)
    }

    /// Which profile it is of.
    pub fn profile(&self) -> usize {
        self.key.profile
    }

    /// What the lines of the function of a frame cost: by line, own and cumulative, as text; empty for none.
    pub fn costs(&self, cx: &Ctx, frame: FrameId) -> Vec<(u32, String, String)> {
        let Some(p) = cx.profiles.get(self.key.profile) else { return Vec::new() };
        let Some(f) = p.index.dict.frames().get(frame.index()) else { return Vec::new() };
        let text = |v: i64| if v == 0 { String::new() } else { self.change(v) };
        let lines = self.hot.lines.get(&f.func).into_iter().flatten();
        lines.map(|c| (p.index.dict.frame_of(c.frame).line, text(c.flat), text(c.cum))).collect()
    }
}

fn share(v: i64, of: i64) -> String {
    measure::percentage(v, of).trim_start().to_string()
}

/// The view.
pub struct Profile {
    /// The sample type that was chosen, and of which profile; otherwise it is the profile's default.
    kind: Option<(usize, usize)>,
    mine: bool,
    /// Whether the graph is shown.
    drawn: bool,
    asked: Option<Key>,
    found: Option<Arc<Found>>,
    /// The functions as they stand on the screen.
    lines: Vec<Line>,
    sort: Sort,
    scroll: Scroll,
    /// The function that stands between its callers and its callees, and those before it.
    center: Option<usize>,
    came: Vec<usize>,
    parts: Vec<Part>,
    parts_scroll: Scroll,
    graph: Graph,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            kind: None,
            mine: false,
            drawn: false,
            asked: None,
            found: None,
            lines: Vec::new(),
            sort: Sort { column: rows::FLAT, descending: true },
            scroll: Scroll::default(),
            center: None,
            came: Vec::new(),
            parts: Vec::new(),
            parts_scroll: Scroll::default(),
            graph: Graph::default(),
        }
    }
}

fn present<'a>(cx: &Ctx<'a>) -> Option<&'a Arc<Profiled>> {
    cx.profiles.get(cx.place.profile)
}

fn sum_up(p: Arc<Profiled>, key: Key) -> Job {
    Job::new(JobKind::Profile, move |_| match p.sum_up(&key.ask) {
        Ok(hot) => {
            let unit = p.kinds().nth(key.ask.kind).map_or("", |k| k.1).to_string();
            let shown = measure::common_unit(hot.range.0, hot.range.1, &unit);
            Reply::Profile(Arc::new(Found { key, hot, unit, shown }))
        }
        Err(why) => Reply::Failed(JobKind::Profile, why),
    })
}

impl Profile {
    /// The position of the sample type that is shown.
    fn kind(&self, cx: &Ctx) -> usize {
        let Some(p) = present(cx) else { return 0 };
        let chosen = self.kind.filter(|k| k.0 == cx.place.profile && k.1 < p.kinds().len());
        chosen.map_or_else(|| p.profile.sample_index("").unwrap_or(0), |k| k.1)
    }

    fn key(&self, cx: &Ctx) -> Key {
        let query = cx.place.query().map(str::to_string);
        Key { profile: cx.place.profile, ask: Ask { kind: self.kind(cx), mine: self.mine, query } }
    }

    fn fresh(&self, cx: &Ctx) -> bool {
        self.found.as_ref().is_some_and(|f| f.key == self.key(cx))
    }

    /// Goes on to the next sample type; after the last, to the next profile.
    fn next_kind(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let all: Vec<(usize, usize)> =
            (cx.profiles.iter().enumerate()).flat_map(|(i, p)| (0..p.kinds().len()).map(move |k| (i, k))).collect();
        let here = (cx.place.profile, self.kind(cx));
        let Some(at) = all.iter().position(|&a| a == here) else { return };
        let to = all[(at + 1) % all.len()];
        self.kind = Some(to);
        if to.0 != cx.place.profile {
            out.push(Command::Move(Place { profile: to.0, frame: FrameId::NONE, ..cx.place.clone() }));
        }
    }

    /// The function under the cursor.
    fn function(&self) -> Option<usize> {
        match self.center {
            Some(_) => self.parts.get(self.parts_scroll.selected as usize).map(|p| p.row),
            None => self.lines.get(self.scroll.selected as usize).map(|l| l.row),
        }
    }

    /// The frame under the cursor.
    fn frame(&self) -> Option<FrameId> {
        let found = self.found.as_ref()?;
        if self.drawn {
            return Some(found.hot.tree.nodes.get(self.graph.cursor)?.frame);
        }
        Some(found.hot.rows.get(self.function()?)?.frame)
    }

    fn point(&self, out: &mut Vec<Command>) {
        if let Some(f) = self.frame().filter(|f| f.is_some()) {
            out.push(Command::Frame(f));
        }
    }

    /// Puts the graph's cursor where the function under the table's costs most.
    fn seek(&mut self, cx: &Ctx) {
        let (Some(found), Some(frame)) = (self.found.clone(), self.frame()) else { return };
        let tree = &found.hot.tree;
        if !frame.is_some() {
            return;
        }
        let func = cx.frames().dict.frame_of(frame).func;
        let heaviest =
            (1..tree.nodes.len()).filter(|&n| tree.nodes[n].func == func).max_by_key(|&n| tree.nodes[n].total);
        if let Some(n) = heaviest {
            self.graph.reset();
            self.graph.go_to(tree, n);
        }
    }

    /// Puts the functions in order; the cursor stays on what it is on, unless that is the first.
    fn order(&mut self) {
        let Some(found) = self.found.clone() else { return };
        let on = self.lines.get(self.scroll.selected as usize).map(|l| l.row).filter(|_| self.scroll.selected > 0);
        self.lines = rows::order(&found.hot, self.sort);
        self.scroll.fit(self.lines.len() as u64, self.scroll.seen().count().clamp(1, 1000) as u16);
        let at = on.and_then(|r| self.lines.iter().position(|l| l.row == r)).unwrap_or(0);
        self.scroll.select(at as u64);
    }

    /// Puts a function between its callers and its callees.
    fn centre(&mut self, row: usize) {
        let Some(found) = self.found.clone() else { return };
        self.center = Some(row);
        self.parts = rows::parts(&found.hot, row);
        let at = found.hot.callers.get(row).map_or(0, Vec::len) as u64;
        self.parts_scroll = Scroll::default();
        self.parts_scroll.fit(self.parts.len() as u64, 1000);
        self.parts_scroll.select(at);
    }

    fn enter(&mut self, out: &mut Vec<Command>) {
        if self.drawn {
            if !self.found.as_ref().is_some_and(|f| self.graph.enter(&f.hot.tree)) {
                out.push(Command::Focus(Pane::Source));
            }
            return;
        }
        match (self.function(), self.center) {
            // From the function in the middle it goes on into its source.
            (Some(row), Some(c)) if row == c => out.push(Command::Focus(Pane::Source)),
            (Some(row), Some(c)) => {
                self.came.push(c);
                self.centre(row);
            }
            (Some(row), None) => self.centre(row),
            (None, _) => {}
        }
        self.point(out);
    }

    fn leave(&mut self, out: &mut Vec<Command>) -> bool {
        if self.drawn {
            return self.graph.leave();
        }
        if self.center.is_none() {
            return false;
        }
        match self.came.pop() {
            Some(row) => self.centre(row),
            None => self.center = None,
        }
        self.point(out);
        true
    }

    /// The columns of the functions.
    fn columns(&self) -> &'static [Column] {
        rows::columns(self.found.as_ref().is_some_and(|f| f.hot.change.is_some()))
    }

    fn sort_by(&mut self, change: impl FnOnce(&mut Sort, &'static [Column])) {
        if !self.drawn && self.center.is_none() {
            let columns = self.columns();
            change(&mut self.sort, columns);
            self.order();
        }
    }

    fn text(&self, cx: &Ctx) -> Option<String> {
        let found = self.found.as_ref()?;
        if self.drawn {
            return Some(folded(&found.hot.tree, self.graph.cursor, &cx.frames().dict));
        }
        let r = found.hot.rows.get(self.function()?)?;
        let (flat, cum) = (found.value(r.flat), found.value(r.cum));
        Some(format!("{flat} {} {cum} {}  {}", found.share(r.flat), found.share(r.cum), r.name))
    }

    /// Takes an answer over: the cursor and what stands in the middle stay what they were, under their names.
    fn take(&mut self, found: &Arc<Found>) {
        let old = self.found.replace(found.clone());
        let same = |row: usize| {
            let old = old.as_ref()?.hot.rows.get(row)?;
            found.hot.rows.iter().position(|r| r.name == old.name)
        };
        let on = self.lines.get(self.scroll.selected as usize).filter(|_| self.scroll.selected > 0);
        let on = on.and_then(|l| same(l.row));
        let center = self.center.and_then(same);
        self.came = self.came.iter().copied().filter_map(same).collect();
        self.lines.clear();
        self.order();
        if let Some(at) = on.and_then(|r| self.lines.iter().position(|l| l.row == r)) {
            self.scroll.select(at as u64);
        }
        match center {
            Some(row) => self.centre(row),
            None => self.center = None,
        }
        self.graph.reset();
    }
}

impl View for Profile {
    fn title(&self, _cx: &Ctx) -> String {
        "profile".into()
    }

    fn scope(&self) -> Scope {
        Scope::Profile
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::SampleType => self.next_kind(cx, out),
            Action::MyCode => self.mine = !self.mine,
            Action::Shape => {
                if !self.drawn {
                    self.seek(cx);
                }
                self.drawn = !self.drawn;
                self.point(out);
            }
            Action::Enter if cx.focused => self.enter(out),
            Action::Escape if cx.focused => return self.leave(out),
            Action::Left if cx.focused && !self.drawn => return self.leave(out),
            Action::Right if cx.focused && !self.drawn && self.center.is_none() => self.enter(out),
            Action::SortNext => self.sort_by(|s, columns| s.step(1, columns)),
            Action::SortPrev => self.sort_by(|s, columns| s.step(-1, columns)),
            Action::SortReverse => self.sort_by(|s, _| s.descending = !s.descending),
            Action::Copy if cx.focused => match self.text(cx) {
                Some(t) => out.push(Command::Copy(t)),
                None => return false,
            },
            // What these look for is a trace's.
            Action::Narrow
            | Action::Unblocker
            | Action::Unblocked
            | Action::Path
            | Action::Chain
            | Action::Hits
            | Action::NextHit
            | Action::PrevHit
            | Action::Select => {
                out.push(Command::Say("that is for the views of a trace".into()));
            }
            _ if !cx.focused => return false,
            _ => {
                let moved = match (&self.found, self.drawn) {
                    (Some(f), true) => self.graph.walk(action, &f.hot.tree),
                    _ if self.center.is_some() => self.parts_scroll.handle(action),
                    _ => self.scroll.handle(action),
                };
                if moved {
                    self.point(out);
                }
                return moved;
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, _cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let below = render::below(area);
        match what {
            Mouse::Wheel(n, _) => match (&self.found, self.drawn) {
                (Some(f), true) => {
                    self.graph.walk(if n > 0 { Action::Down } else { Action::Up }, &f.hot.tree);
                }
                _ if self.center.is_some() => self.parts_scroll.wheel(i64::from(n) * 3),
                _ => self.scroll.wheel(i64::from(n) * 3),
            },
            Mouse::Press | Mouse::Double if self.drawn && below.contains(at) => {
                let Some(f) = self.found.clone() else { return false };
                let Some(n) = self.graph.node_at(&f.hot.tree, at.x - below.x, at.y - below.y) else { return false };
                self.graph.cursor = n;
                self.point(out);
                if what == Mouse::Double {
                    self.enter(out);
                }
            }
            Mouse::Press if at.y == below.y && self.center.is_none() => {
                let slots = render::slots(self.columns(), area.width);
                if let Some(s) = table::slot_at(&slots, at.x - area.x) {
                    self.sort_by(|sort, columns| sort.click(s.column, columns));
                }
            }
            Mouse::Press | Mouse::Double if at.y > below.y => {
                let (scroll, len) = match self.center {
                    Some(_) => (&mut self.parts_scroll, self.parts.len()),
                    None => (&mut self.scroll, self.lines.len()),
                };
                let row = scroll.top + u64::from(at.y - below.y - 1);
                if row >= len as u64 {
                    return false;
                }
                scroll.select(row);
                self.point(out);
                if what == Mouse::Double {
                    self.enter(out);
                }
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let (ViewId::Profile, Some(p)) = (cx.place.view, present(cx)) else { return };
        let want = self.key(cx);
        if self.asked.as_ref() != Some(&want) {
            self.asked = Some(want.clone());
            out.push(Command::Run(sum_up(p.clone(), want)));
        }
        let height = render::below(area).height.saturating_sub(1);
        self.scroll.fit(self.lines.len() as u64, height);
        self.parts_scroll.fit(self.parts.len() as u64, height);
        if let Some(f) = &self.found {
            // The last line is for what the cursor is on.
            self.graph.fit(Some(&f.hot.tree), Rect { height, ..area });
        }
        if !cx.place.frame.is_some() && self.fresh(cx) {
            self.point(out);
        }
    }

    fn receive(&mut self, reply: &Reply, cx: &Ctx, out: &mut Vec<Command>) {
        match reply {
            Reply::Profile(found) if self.asked.as_ref() == Some(&found.key) => {
                self.take(found);
                if cx.place.view == ViewId::Profile {
                    self.point(out);
                }
            }
            _ => {}
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
