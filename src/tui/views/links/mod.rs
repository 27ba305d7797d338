//! The links view: who waited for whom, what for and where, summed up; and the single waits behind such a sum.

mod render;
mod rows;

use crate::analysis::waits::links as sums;
use crate::base::{FrameId, GoIdx, GroupId, Time};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Legend, Mouse, Pane, View};
use crate::tui::app::{search, zoom};
use crate::tui::theme::Glyphs;
use crate::tui::widgets::drill::Drill;
use crate::tui::widgets::list::Took;
use crate::tui::widgets::lookup::Lookup;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{EDGES, EdgeRow, WAITS, Wait};
use std::sync::Arc;

/// What links were summed up for.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    window: Option<(Time, Time)>,
    query: Option<String>,
}

/// Who waited for whom.
pub struct Found {
    links: sums::Links,
    rows: Vec<Arc<EdgeRow>>,
}

/// The view.
pub struct Links {
    found: Lookup<Key, Found>,
    /// The edges, and the waits of one.
    lists: Drill<Arc<EdgeRow>, Wait>,
    /// What the edges in the list were chosen for.
    made: Option<(Key, Option<GroupId>, bool)>,
    /// Whether the waits of runtime goroutines are there too.
    all: bool,
    /// Whether the waits of the open edge are a map of their lengths, and not a list.
    heat: bool,
}

impl Default for Links {
    fn default() -> Links {
        Links { found: Lookup::default(), lists: Drill::new(&EDGES, &WAITS), made: None, all: false, heat: false }
    }
}

fn key(cx: &Ctx) -> Key {
    Key { window: cx.place.window(), query: search::query_of(cx.place, cx.index) }
}

impl Links {
    /// How many edges are left out because runtime goroutines waited.
    fn hidden(&self) -> usize {
        match (self.found.latest(), self.all) {
            (Some(f), false) => f.rows.iter().filter(|r| !r.users).count(),
            _ => 0,
        }
    }

    /// The edges that are to be seen, if that is not what is in the list.
    fn chosen(&mut self, cx: &Ctx) -> Option<Vec<Arc<EdgeRow>>> {
        let (key, found) = (self.found.key()?, self.found.latest()?);
        let group = cx.place.group();
        let made = (key.clone(), group, self.all);
        if self.made.as_ref() == Some(&made) {
            return None;
        }
        let seen = |r: &&Arc<EdgeRow>| match group {
            Some(g) => r.group == g || r.by == Some(g),
            None => r.users || self.all,
        };
        let rows = found.rows.iter().filter(seen).cloned().collect();
        self.made = Some(made);
        Some(rows)
    }

    /// Chooses the edges anew if anything that they depend on has changed.
    fn refresh(&mut self, cx: &Ctx) {
        if let Some(rows) = self.chosen(cx) {
            self.lists.outer.set(rows, cx);
        }
    }

    /// Tells the model of the wait under the cursor: for an edge, of its longest.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let to = match self.lists.open() {
            Some(_) => self.lists.inside().map(|w| (w.go, w.from)),
            None => self.lists.outer.selected().map(|r| r.longest),
        };
        if let Some((go, at)) = to.filter(|t| t.0.is_some()) {
            let to = place(cx, go, at);
            if to != *cx.place {
                out.push(Command::Move(to));
            }
        }
    }

    /// Asks for the waits of the open edge.
    fn ask(&self, out: &mut Vec<Command>) {
        if let (Some(key), Some(found), Some(row)) = (self.found.key(), self.found.latest(), self.lists.open()) {
            out.push(Command::Run(rows::list(key.clone(), found.clone(), row.edge)));
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if self.lists.open().is_some() {
            if let Some(w) = self.lists.inside() {
                let mut to = place(cx, w.go, w.from);
                (to.view, to.zoom) = (ViewId::Timeline, Some(zoom::amid(w.from, w.to)));
                out.push(Command::Enter(to));
                out.push(Command::Focus(Pane::Detail));
            }
        } else if self.lists.enter().is_some() {
            self.ask(out);
        }
    }

    /// Does what a key or the mouse means in the lists.
    fn took(&mut self, took: Took, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match took {
            Took::Nothing => return false,
            Took::Done => {}
            Took::Moved | Took::Closed => self.point(cx, out),
            Took::Enter => self.enter(cx, out),
            Took::Double => {
                self.point(cx, out);
                self.enter(cx, out);
            }
        }
        true
    }

    fn take_sums(&mut self, key: Key, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(found) = self.found.take(key, found) else { return };
        // The selection and the open edge stay what they were, under their names.
        let open = self.lists.open().map(|r| r.name());
        let open = open.and_then(|name| found.rows.iter().find(|r| r.name() == name).cloned());
        self.made = None;
        if let Some(rows) = self.chosen(cx) {
            self.lists.outer.follow(rows, cx);
        }
        if open.is_none() {
            self.lists.inner.clear();
        }
        self.lists.set_open(open);
        self.ask(out);
        if cx.place.view == ViewId::Links && !cx.place.go.is_some() {
            self.point(cx, out);
        }
    }

    fn take_waits(&mut self, of: &Arc<Found>, edge: usize, waits: Vec<Wait>, cx: &Ctx, out: &mut Vec<Command>) {
        let same = self.found.latest().is_some_and(|f| Arc::ptr_eq(f, of));
        if same && self.lists.open().is_some_and(|r| r.edge == edge) {
            self.lists.fill(waits, cx);
            if cx.place.view == ViewId::Links {
                self.point(cx, out);
            }
        }
    }

    /// The goroutines that the row under the cursor is about, for narrowing.
    fn narrowing(&self) -> Option<Narrow> {
        match self.lists.open() {
            Some(_) => self.lists.inside().map(|w| Narrow::Go(w.go)),
            None => self.lists.outer.selected().and_then(|r| r.group.some()).map(Narrow::Group),
        }
    }

    fn text(&self, cx: &Ctx) -> Option<String> {
        Some(match self.lists.open() {
            Some(_) => {
                let w = self.lists.inside()?;
                let at = crate::tui::text::instant(w.from - cx.index.start);
                let g = cx.index.goroutine(w.go)?;
                format!("{}@{at}:g{}", cx.name, g.id.0)
            }
            None => {
                let r = self.lists.outer.selected()?;
                let line = |p: &(String, String)| if p.1.is_empty() { p.0.clone() } else { format!("{} {}", p.0, p.1) };
                let (waiter, waker) = (line(&r.waiter), line(&r.waker));
                format!("{} · {waiter} ← {waker} · {} × · {}", r.reason, r.count, r.total)
            }
        })
    }
}

fn place(cx: &Ctx, go: GoIdx, at: Time) -> Place {
    Place { go, at, row: None, event: None, frame: FrameId::NONE, ..cx.place.clone() }
}

impl View for Links {
    fn title(&self, _cx: &Ctx) -> String {
        "waits".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn legend(&self, _: &Glyphs) -> Legend {
        let entry = |column: &str, meaning: &str| (column.to_owned(), meaning.to_owned());
        vec![
            entry("waits for", "what for, coloured as on the timeline; dim where it is for work to come"),
            entry("waiter", "who waited, and at which line"),
            entry("unblocked by", "who unblocked them, and at which line"),
            entry("z", "a map of the waits of a row: when from left to right, how long from bottom to top"),
        ]
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        match action {
            Action::Heat if self.lists.open().is_some() => self.heat = !self.heat,
            Action::Heat => {
                self.heat = true;
                if self.lists.enter().is_some() {
                    self.ask(out);
                }
            }
            Action::Escape if self.heat && cx.focused && self.lists.open().is_some() => self.heat = false,
            Action::Enter if self.heat && self.lists.open().is_some() => self.heat = false,
            Action::Expand if self.lists.open().is_none() => {
                self.all = !self.all;
                self.refresh(cx);
            }
            Action::Narrow => match self.narrowing() {
                Some(n) => out.push(Command::Narrow(n)),
                None => return false,
            },
            Action::Copy if cx.focused => match self.text(cx) {
                Some(t) => out.push(Command::Copy(t)),
                None => return false,
            },
            _ => {
                let took = self.lists.handle(action, cx);
                return self.took(took, cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        let took = self.lists.mouse(at, what, area, cx);
        self.took(took, cx, out)
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Links {
            return;
        }
        // The sums are of whole waits, so that they wait for the whole trace.
        let want = key(cx);
        if cx.index.complete && self.found.want(&want) {
            out.push(Command::Run(rows::sum_up(want)));
        }
        self.refresh(cx);
        self.lists.fit(area);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
