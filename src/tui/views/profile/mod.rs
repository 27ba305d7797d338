//! The profile view: functions with what they cost, who called one and what it called, the flame graph, and labels.

mod found;
mod head;
mod labels;
mod lines;
mod render;
mod rows;

use crate::analysis::profile::cut::{Cut, What};
use crate::analysis::profile::{Ask, Profiled, variants};
use crate::base::FrameId;
use crate::profile::ops::measure;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::views::flame::{Graph, folded};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Column, Sort};
use found::{Found, Key};
use labels::Labels;
use lines::Lines;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{Line, Part};
use std::sync::Arc;

fn share(v: i64, of: i64) -> String {
    // What is too little for two digits would be written in powers of ten.
    let little = v != 0 && of != 0 && (v as f64 / of as f64).abs() < 1e-4;
    if little { "<0.01%".into() } else { measure::percentage(v, of).trim_start().to_string() }
}

/// The view.
pub struct Profile {
    /// The sample type that was chosen, and of which profile; otherwise it is the profile's default.
    kind: Option<(usize, usize)>,
    mine: bool,
    grouped: bool,
    /// Whether profiles that are compared are scaled to one sum, if the user has said so or not.
    normalize: Option<bool>,
    /// Whether the graph is of what has become less.
    less: bool,
    /// Whether the graph is shown.
    drawn: bool,
    /// Whether the labels are shown, in place of functions and graph.
    listed: bool,
    labels: Labels,
    asked: Option<Key>,
    found: Option<Arc<Found>>,
    /// The functions as they stand on the screen.
    lines: Vec<Line>,
    sort: Sort,
    scroll: Scroll,
    /// The functions that were put between their callers and their callees, by name, and how much there was narrowed
    /// already then; the last one is there now.
    path: Vec<(String, usize)>,
    /// The function in the middle, unless the narrowing has left nothing of it.
    center: Option<usize>,
    parts: Vec<Part>,
    parts_scroll: Scroll,
    graph: Graph,
    /// How much there was narrowed already when each node of the graph was given the whole width, …
    zoomed_at: Vec<usize>,
    /// … when the labels were shown, …
    listed_at: usize,
    /// … and each time before one of them was gone into: what was entered last is what Escape leaves first.
    chosen_at: Vec<usize>,
    /// The pane beside it.
    dearest: Lines,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            kind: None,
            mine: false,
            grouped: false,
            normalize: None,
            less: false,
            drawn: false,
            listed: false,
            labels: Labels::default(),
            asked: None,
            found: None,
            lines: Vec::new(),
            sort: Sort { column: rows::FLAT, descending: true },
            scroll: Scroll::default(),
            path: Vec::new(),
            center: None,
            parts: Vec::new(),
            parts_scroll: Scroll::default(),
            graph: Graph::default(),
            zoomed_at: Vec::new(),
            listed_at: 0,
            chosen_at: Vec::new(),
            dearest: Lines::default(),
        }
    }
}

fn present<'a>(cx: &Ctx<'a>) -> Option<&'a Arc<Profiled>> {
    cx.profiles.get(cx.place.profile)
}

fn sum_up(p: Arc<Profiled>, key: Key) -> Job {
    let work = move |cx: &JobCtx| {
        let hot = p.sum_up(&key.ask, cx.cancel).map_err(|e| e.to_string())?;
        let unit = p.kinds().nth(key.ask.kind).map_or("", |k| k.1).to_string();
        let shown = measure::common_unit(hot.range.0, hot.range.1, &unit);
        Ok(Found { key, hot, unit, shown })
    };
    Job::new("profile", work, |view: &mut Profile, found, cx, out| view.receive(Arc::new(found), cx, out))
}

impl Profile {
    /// The position of the sample type that is shown.
    fn kind(&self, cx: &Ctx) -> usize {
        let Some(p) = present(cx) else { return 0 };
        let chosen = self.kind.filter(|k| k.0 == cx.place.profile && k.1 < p.kinds().len());
        chosen.map_or_else(|| p.profile.sample_index("").unwrap_or(0), |k| k.1)
    }

    fn key(&self, cx: &Ctx) -> Key {
        let cuts =
            cx.place.narrowing.iter().filter_map(|n| if let Narrow::Cut(c) = n { Some(c.clone()) } else { None });
        let compared = present(cx).filter(|p| p.is_compared());
        let ask = Ask {
            kind: self.kind(cx),
            mine: self.mine,
            grouped: self.grouped,
            normalize: compared.is_some_and(|p| p.can_be_normalized().is_ok() && self.normalize.unwrap_or(p.normalize)),
            less: self.less && compared.is_some(),
            cuts: cuts.collect(),
            query: cx.place.query().map(str::to_string),
        };
        Key { profile: cx.place.profile, ask }
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
        match self.is_centred() {
            true => self.parts.get(self.parts_scroll.selected as usize).map(|p| p.row),
            false => self.lines.get(self.scroll.selected as usize).map(|l| l.row),
        }
    }

    /// The frame under the cursor; labels have none.
    fn frame(&self) -> Option<FrameId> {
        let found = self.found.as_ref().filter(|_| !self.listed)?;
        if self.drawn {
            return Some(found.hot.tree.nodes.get(self.graph.cursor)?.frame);
        }
        Some(found.hot.rows.get(self.function()?)?.frame)
    }

    fn point(&self, out: &mut Vec<Command>) {
        out.push(Command::Frame(self.frame().unwrap_or(FrameId::NONE)));
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
            self.zoomed_at.clear();
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

    /// Whether a function stands between its callers and its callees.
    fn is_centred(&self) -> bool {
        !self.path.is_empty()
    }

    /// Puts the last function of the path between its callers and its callees.
    fn centre(&mut self) {
        let (Some(found), Some((func, _))) = (self.found.clone(), self.path.last()) else {
            self.center = None;
            return;
        };
        let rows = &found.hot.rows;
        let family = || variants::family(func);
        let row = rows.iter().position(|r| r.func == *func);
        self.center = row.or_else(|| rows.iter().position(|r| family().is_some_and(|f| f == r.func)));
        self.parts = self.center.map_or_else(Vec::new, |row| rows::parts(&found.hot, row));
        let at = self.center.and_then(|row| found.hot.callers.get(row)).map_or(0, Vec::len) as u64;
        self.parts_scroll = Scroll::default();
        self.parts_scroll.fit(self.parts.len() as u64, 1000);
        self.parts_scroll.select(at);
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(found) = self.found.clone() else { return };
        let narrowed = cx.place.narrowing.len();
        if self.listed {
            let cut = self.cut(cx).map(Narrow::Cut);
            if !self.labels.on_value() {
                self.labels.turn(&found.hot);
            } else if cut.is_some_and(|c| cx.place.narrowing.contains(&c)) {
                self.listed = false;
            } else if self.narrow(false, cx, out) {
                self.chosen_at.push(narrowed);
                self.listed = false;
            }
            return;
        }
        if self.drawn {
            match self.graph.enter(&found.hot.tree) {
                true => self.zoomed_at.push(narrowed),
                false => out.push(Command::Focus(Pane::Source)),
            }
            return;
        }
        match (self.function(), self.center) {
            // From the function in the middle it goes on into its source.
            (Some(row), Some(c)) if row == c => out.push(Command::Focus(Pane::Source)),
            (Some(row), _) => {
                self.path.push((found.hot.rows[row].func.clone(), narrowed));
                self.centre();
            }
            (None, _) => {}
        }
        self.point(out);
    }

    /// Takes the function in the middle out of it; `false` if none is.
    fn uncentre(&mut self, out: &mut Vec<Command>) -> bool {
        if self.path.pop().is_none() {
            return false;
        }
        self.centre();
        self.point(out);
        true
    }

    /// Leaves what was entered last; `false` if that is what the profile is narrowed to, or nothing.
    fn leave(&mut self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let narrowed = cx.place.narrowing.len();
        if self.listed {
            self.listed = narrowed > self.listed_at;
            self.point(out);
            return !self.listed;
        }
        let entered = if self.drawn { self.zoomed_at.last() } else { self.path.last().map(|p| &p.1) };
        if entered.is_none_or(|&at| at >= narrowed) {
            let left = if self.drawn { self.graph.leave() } else { self.uncentre(out) };
            if left {
                if self.drawn {
                    self.zoomed_at.pop();
                }
                return true;
            }
        }
        // Back from a label it is on the list again.
        self.chosen_at.retain(|&at| at < narrowed);
        if self.chosen_at.last().is_some_and(|at| at + 1 == narrowed) {
            self.chosen_at.pop();
            self.listed = true;
        }
        false
    }

    /// What is under the cursor, to narrow to.
    fn cut(&self, cx: &Ctx) -> Option<Cut> {
        let hot = &self.found.as_ref()?.hot;
        if self.listed {
            return self.labels.cut(&hot.facets);
        }
        let func = match self.drawn {
            true => {
                let node = hot.tree.nodes.get(self.graph.cursor).filter(|n| n.depth > 0)?;
                cx.frames().dict.func_name(node.func).to_string()
            }
            false => hot.rows.get(self.function()?)?.func.clone(),
        };
        Some(Cut { what: What::Func(func), without: false })
    }

    /// Narrows to what is under the cursor, or to what is `without` it; `false` if there is nothing new to narrow to.
    fn narrow(&mut self, without: bool, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        // What is on the screen may be of what was narrowed to before.
        let Some(cut) = self.cut(cx).filter(|_| self.fresh(cx)) else {
            out.push(Command::Say("there is nothing under the cursor to narrow to".into()));
            return false;
        };
        let cut = Narrow::Cut(Cut { without: cut.without != without, ..cut });
        if cx.place.narrowing.contains(&cut) {
            out.push(Command::Say("that is what it is narrowed to".into()));
            return false;
        }
        out.push(Command::Narrow(cut));
        true
    }

    /// Does what only profiles that are compared have.
    fn compare(
        &mut self,
        cx: &Ctx,
        out: &mut Vec<Command>,
        change: impl FnOnce(&mut Profile, &Profiled, &mut Vec<Command>),
    ) {
        match present(cx) {
            Some(p) if p.is_compared() => change(self, p, out),
            _ => out.push(Command::Say("that is for two profiles: gotrail new.pb.gz --base old.pb.gz".into())),
        }
    }

    /// Shows the labels, or what was there before.
    fn list(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        self.listed = !self.listed;
        self.listed_at = cx.place.narrowing.len();
        self.point(out);
    }

    /// The columns of the functions.
    fn columns(&self) -> &'static [Column] {
        rows::columns(self.found.as_ref().is_some_and(|f| f.hot.change.is_some()))
    }

    fn sort_by(&mut self, change: impl FnOnce(&mut Sort, &'static [Column])) {
        if self.listed {
            let columns = self.labels.columns();
            change(&mut self.labels.sort, columns);
            if let Some(f) = &self.found {
                self.labels.order(&f.hot.facets, &f.hot);
            }
        } else if !self.drawn && !self.is_centred() {
            let columns = self.columns();
            change(&mut self.sort, columns);
            self.order();
        }
    }

    fn text(&self, cx: &Ctx) -> Option<String> {
        let found = self.found.as_ref()?;
        if self.listed {
            return self.labels.text(found);
        }
        if self.drawn {
            return Some(folded(&found.hot.tree, self.graph.cursor, &cx.frames().dict));
        }
        let r = found.hot.rows.get(self.function()?)?;
        let (flat, cum) = (found.value(r.flat), found.value(r.cum));
        Some(format!("{flat} {} {cum} {}  {}", found.share(r.flat), found.share(r.cum), r.name))
    }

    fn receive(&mut self, found: Arc<Found>, cx: &Ctx, out: &mut Vec<Command>) {
        // The panes show what was summed up last, whatever it was for.
        self.dearest.take(found.clone());
        out.push(Command::Costs(found.clone()));
        if self.asked.as_ref() == Some(&found.key) {
            self.take(&found);
            if cx.place.view == ViewId::Profile {
                self.point(out);
            }
        }
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
        self.lines.clear();
        self.order();
        if let Some(at) = on.and_then(|r| self.lines.iter().position(|l| l.row == r)) {
            self.scroll.select(at as u64);
        }
        self.centre();
        match &old {
            Some(old) if old.key.profile == found.key.profile => self.graph.follow(&old.hot.tree, &found.hot.tree),
            _ => self.graph.reset(),
        }
        self.zoomed_at.truncate(self.graph.zooms.len());
        self.labels.order(old.as_ref().map_or(&[], |f| &f.hot.facets), &found.hot);
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
            Action::Variants => match (present(cx).map(|p| p.variants().0), self.grouped) {
                (Some(0), false) => {
                    out.push(Command::Say("no function of this profile is a variant of another".into()))
                }
                _ => self.grouped = !self.grouped,
            },
            Action::Normalize => self.compare(cx, out, |view, p, out| match p.can_be_normalized() {
                Ok(()) => view.normalize = Some(!view.normalize.unwrap_or(p.normalize)),
                Err(why) => out.push(Command::Say(format!("this cannot be normalised: {why}"))),
            }),
            Action::Less => self.compare(cx, out, |view, _, out| match view.drawn && !view.listed {
                true => view.less = !view.less,
                false => out.push(Command::Say("that is for the graph: t shows it".into())),
            }),
            Action::Labels => self.list(cx, out),
            Action::Narrow | Action::LeaveOut => {
                self.narrow(action == Action::LeaveOut, cx, out);
            }
            Action::Shape => {
                if std::mem::take(&mut self.listed) {
                    self.drawn = false;
                }
                if !self.drawn {
                    self.seek(cx);
                }
                self.drawn = !self.drawn;
                self.point(out);
            }
            Action::Enter if cx.focused => self.enter(cx, out),
            Action::Escape if cx.focused => return self.leave(cx, out),
            Action::Left if cx.focused && !self.drawn && !self.listed => return self.uncentre(out),
            Action::Right if cx.focused && !self.drawn && !self.listed && !self.is_centred() => self.enter(cx, out),
            Action::SortNext => self.sort_by(|s, columns| s.step(1, columns)),
            Action::SortPrev => self.sort_by(|s, columns| s.step(-1, columns)),
            Action::SortReverse => self.sort_by(|s, _| s.descending = !s.descending),
            Action::Copy if cx.focused => match self.text(cx) {
                Some(t) => out.push(Command::Copy(t)),
                None => return false,
            },
            // What these look for is a trace's.
            Action::Unblocker
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
                    (Some(f), _) if self.listed => self.labels.handle(action, &f.hot),
                    (Some(f), true) => self.graph.walk(action, &f.hot.tree),
                    _ if self.is_centred() => self.parts_scroll.handle(action),
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

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let below = render::below(area);
        match what {
            Mouse::Wheel(n, _) => match (&self.found, self.drawn) {
                _ if self.listed => self.labels.scroll.wheel(i64::from(n) * 3),
                (Some(f), true) => {
                    self.graph.walk(if n > 0 { Action::Down } else { Action::Up }, &f.hot.tree);
                }
                _ if self.is_centred() => self.parts_scroll.wheel(i64::from(n) * 3),
                _ => self.scroll.wheel(i64::from(n) * 3),
            },
            Mouse::Press | Mouse::Double if self.drawn && !self.listed && below.contains(at) => {
                let Some(f) = self.found.clone() else { return false };
                let Some(n) = self.graph.node_at(&f.hot.tree, at.x - below.x, at.y - below.y) else { return false };
                self.graph.cursor = n;
                self.point(out);
                if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Press if at.y == below.y && (!self.is_centred() || self.listed) => {
                let slots = render::slots(if self.listed { self.labels.columns() } else { self.columns() }, area.width);
                if let Some(s) = table::slot_at(&slots, at.x - area.x) {
                    self.sort_by(|sort, columns| sort.click(s.column, columns));
                }
            }
            Mouse::Press | Mouse::Double if at.y > below.y => {
                let (scroll, len) = match self.is_centred() {
                    _ if self.listed => {
                        let len = self.labels.len();
                        (&mut self.labels.scroll, len)
                    }
                    true => (&mut self.parts_scroll, self.parts.len()),
                    false => (&mut self.scroll, self.lines.len()),
                };
                let row = scroll.top + u64::from(at.y - below.y - 1);
                if row >= len as u64 {
                    return false;
                }
                scroll.select(row);
                self.point(out);
                if what == Mouse::Double {
                    self.enter(cx, out);
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
        self.labels.scroll.fit(self.labels.len() as u64, height);
        if let Some(f) = &self.found {
            // The last line is for what the cursor is on.
            self.graph.fit(Some(&f.hot.tree), Rect { height, ..area });
        }
        if !cx.place.frame.is_some() && self.fresh(cx) {
            self.point(out);
        }
    }

    fn aside(&self, _place: &Place) -> Option<&dyn View> {
        Some(&self.dearest)
    }

    fn aside_mut(&mut self, _place: &Place) -> Option<&mut dyn View> {
        Some(&mut self.dearest)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
