//! The links view: who waited for whom, what for and where, summed up; and the single waits behind such a sum.

mod render;
mod rows;

use crate::analysis::waits::links as sums;
use crate::base::{Duration, FrameId, GoIdx, Time};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::search;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Sort};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{EDGES, Row, WAITS, Wait};
use std::fmt;
use std::sync::Arc;

/// What links were summed up for.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    window: Option<(Time, Time)>,
    query: Option<String>,
}

/// Who waited for whom.
pub struct Found {
    key: Key,
    links: sums::Links,
    rows: Vec<Row>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("key", &self.key).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The waits of one edge.
#[derive(Debug)]
pub struct List {
    of: Arc<Found>,
    edge: usize,
    waits: Vec<Wait>,
}

/// The view.
pub struct Links {
    asked: Option<Key>,
    found: Option<Arc<Found>>,
    /// The edges as they stand on the screen, by position in `found`'s rows, and what that was made for.
    rows: Vec<usize>,
    made: Option<(Key, Option<crate::base::GroupId>, Sort, bool)>,
    sort: Sort,
    scroll: Scroll,
    /// Whether what the runtime's own goroutines waited for is there too.
    all: bool,
    /// The edge whose waits are shown, by position in `found`'s rows.
    open: Option<usize>,
    waits: Vec<Wait>,
    listed: bool,
    waits_sort: Sort,
    waits_scroll: Scroll,
}

impl Default for Links {
    fn default() -> Links {
        Links {
            asked: None,
            found: None,
            rows: Vec::new(),
            made: None,
            sort: Sort { column: rows::TOTAL, descending: true },
            scroll: Scroll::default(),
            all: false,
            open: None,
            waits: Vec::new(),
            listed: false,
            waits_sort: Sort { column: 0, descending: true },
            waits_scroll: Scroll::default(),
        }
    }
}

fn key(cx: &Ctx) -> Key {
    Key { window: cx.place.window(), query: search::query_of(cx.place, cx.index) }
}

impl Links {
    fn row(&self, i: usize) -> Option<&Row> {
        self.found.as_ref()?.rows.get(i)
    }

    /// The edge under the cursor.
    fn edge(&self) -> Option<&Row> {
        self.row(*self.rows.get(self.scroll.selected as usize)?)
    }

    fn wait(&self) -> Option<&Wait> {
        self.waits.get(self.waits_scroll.selected as usize)
    }

    /// Whether what is shown is for what the views are narrowed to.
    fn fresh(&self, cx: &Ctx) -> bool {
        self.found.as_ref().is_some_and(|f| f.key == key(cx))
    }

    /// How many edges are left out because the runtime's own goroutines waited.
    fn hidden(&self) -> usize {
        match (&self.found, self.all) {
            (Some(f), false) => f.rows.iter().filter(|r| !r.users).count(),
            _ => 0,
        }
    }

    /// Puts the edges in order, anew if anything they depend on has changed; the selection stays on what it was on.
    fn refresh(&mut self, cx: &Ctx) {
        let Some(found) = self.found.clone() else { return };
        let group = cx.place.group();
        let made = (found.key.clone(), group, self.sort, self.all);
        if self.made.as_ref() == Some(&made) {
            return;
        }
        let on = self.rows.get(self.scroll.selected as usize).copied().filter(|_| self.scroll.selected > 0);
        let seen = |r: &Row| match group {
            Some(g) => r.group == g || r.by == Some(g),
            None => r.users || self.all,
        };
        let mut order: Vec<usize> = (0..found.rows.len()).filter(|&i| seen(&found.rows[i])).collect();
        order.sort_by(|&a, &b| rows::compare(&found.rows[a], &found.rows[b], self.sort));
        self.rows = order;
        self.made = Some(made);
        let at = on.and_then(|e| self.rows.iter().position(|&r| r == e)).map(|i| i as u64);
        self.scroll.fit(self.rows.len() as u64, self.scroll.seen().count().clamp(1, 1000) as u16);
        self.scroll.select(at.unwrap_or(self.scroll.selected));
    }

    fn sort_waits(&mut self, cx: &Ctx) {
        let sort = self.waits_sort;
        self.waits.sort_by(|a, b| rows::compare_waits(a, b, sort, cx.index).then((a.from, a.go).cmp(&(b.from, b.go))));
    }

    /// Tells the model of the wait under the cursor: for an edge, of its longest.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let to = match self.open {
            Some(_) => self.wait().map(|w| (w.go, w.from)),
            None => self.edge().map(|r| r.longest),
        };
        if let Some((go, at)) = to.filter(|t| t.0.is_some()) {
            let to = place(cx, go, at);
            if to != *cx.place {
                out.push(Command::Move(to));
            }
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if self.open.is_some() {
            if let Some(w) = self.wait() {
                let mut to = place(cx, w.go, w.from);
                (to.view, to.zoom) = (ViewId::Timeline, Some(around(w.from, w.to)));
                out.push(Command::Enter(to));
                out.push(Command::Focus(Pane::Detail));
            }
            return;
        }
        let (Some(found), Some(&i)) = (self.found.clone(), self.rows.get(self.scroll.selected as usize)) else {
            return;
        };
        (self.open, self.listed) = (Some(i), false);
        self.waits.clear();
        self.waits_scroll = Scroll::default();
        out.push(Command::Run(rows::list(found.clone(), found.rows[i].edge)));
    }

    fn close(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        self.open = None;
        self.waits.clear();
        self.point(cx, out);
    }

    /// The goroutines that the row under the cursor is about, for narrowing.
    fn narrowing(&self) -> Option<Narrow> {
        match self.open {
            Some(_) => self.wait().map(|w| Narrow::Go(w.go)),
            None => self.edge().and_then(|r| r.group.some()).map(Narrow::Group),
        }
    }

    fn text(&self, cx: &Ctx) -> Option<String> {
        Some(match self.open {
            Some(_) => {
                let w = self.wait()?;
                let at = crate::tui::text::instant(w.from - cx.index.start);
                let g = cx.index.goroutine(w.go)?;
                format!("{}@{at}:g{}", cx.name, g.id.0)
            }
            None => {
                let r = self.edge()?;
                let line = |p: &(String, String)| if p.1.is_empty() { p.0.clone() } else { format!("{} {}", p.0, p.1) };
                let (waiter, waker) = (line(&r.waiter), line(&r.waker));
                format!("{} · {waiter} ← {waker} · {} × · {}", r.reason, r.count, r.total)
            }
        })
    }

    fn sort_by(&mut self, cx: &Ctx, change: impl FnOnce(&mut Sort, &[table::Column])) {
        if self.open.is_some() {
            change(&mut self.waits_sort, &WAITS);
            self.sort_waits(cx);
        } else {
            change(&mut self.sort, &EDGES);
            self.refresh(cx);
        }
    }

    fn take_sums(&mut self, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        if self.asked.as_ref() != Some(&found.key) {
            return;
        }
        let found = Arc::new(found);
        // The selection and the open edge stay what they were, under their names.
        let same = |old: Option<&Row>| {
            let old = old?;
            found.rows.iter().position(|r| r.name() == old.name())
        };
        let (on, open) = (same(self.edge()), same(self.open.and_then(|i| self.row(i))));
        (self.found, self.made) = (Some(found.clone()), None);
        self.refresh(cx);
        if let Some(at) = on.and_then(|e| self.rows.iter().position(|&r| r == e)) {
            self.scroll.select(at as u64);
        }
        self.open = open;
        match open {
            Some(i) => {
                self.listed = false;
                out.push(Command::Run(rows::list(found.clone(), found.rows[i].edge)));
            }
            None => self.waits.clear(),
        }
        if cx.place.view == ViewId::Links && !cx.place.go.is_some() {
            self.point(cx, out);
        }
    }

    fn take_waits(&mut self, list: List, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(found) = self.found.as_ref().filter(|f| Arc::ptr_eq(f, &list.of)) else { return };
        if self.open.and_then(|i| found.rows.get(i)).is_some_and(|r| r.edge == list.edge) {
            self.waits = list.waits;
            self.listed = true;
            self.sort_waits(cx);
            self.waits_scroll.fit(self.waits.len() as u64, self.waits_scroll.seen().count().max(1) as u16);
            if cx.place.view == ViewId::Links {
                self.point(cx, out);
            }
        }
    }
}

fn place(cx: &Ctx, go: GoIdx, at: Time) -> Place {
    Place { go, at, row: None, event: None, frame: FrameId::NONE, ..cx.place.clone() }
}

/// A window in which a stretch of time can be seen with what came before and after.
pub fn around(from: Time, to: Time) -> (Time, Time) {
    let margin = Duration(((to - from).0 / 2).max(1_000));
    (from - margin, to + margin)
}

impl View for Links {
    fn title(&self, _cx: &Ctx) -> String {
        "links".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Right if cx.focused && self.open.is_none() => self.enter(cx, out),
            Action::Escape | Action::Left if cx.focused && self.open.is_some() => self.close(cx, out),
            Action::Expand if self.open.is_none() => {
                self.all = !self.all;
                self.refresh(cx);
            }
            Action::Narrow => match self.narrowing() {
                Some(n) => out.push(Command::Narrow(n)),
                None => return false,
            },
            Action::SortNext => self.sort_by(cx, |s, c| s.step(1, c)),
            Action::SortPrev => self.sort_by(cx, |s, c| s.step(-1, c)),
            Action::SortReverse => self.sort_by(cx, |s, _| s.descending = !s.descending),
            Action::Copy if cx.focused => match self.text(cx) {
                Some(t) => out.push(Command::Copy(t)),
                None => return false,
            },
            _ => {
                let scroll = if self.open.is_some() { &mut self.waits_scroll } else { &mut self.scroll };
                if !scroll.handle(action) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        // The waits have a line above their heading that says whose they are.
        let heading = area.y + u16::from(self.open.is_some());
        match what {
            Mouse::Press if at.y == heading => {
                let slots = render::slots(area.width, self.open.is_some());
                if let Some(s) = table::slot_at(&slots, at.x - area.x) {
                    self.sort_by(cx, |sort, columns| sort.click(s.column, columns));
                }
            }
            Mouse::Press | Mouse::Double if at.y > heading => {
                let (scroll, len) = match self.open {
                    Some(_) => (&mut self.waits_scroll, self.waits.len()),
                    None => (&mut self.scroll, self.rows.len()),
                };
                let row = scroll.top + u64::from(at.y - heading - 1);
                if row >= len as u64 {
                    return false;
                }
                scroll.select(row);
                self.point(cx, out);
                if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Press | Mouse::Double if self.open.is_some() => self.close(cx, out),
            Mouse::Wheel(n, _) => match self.open {
                Some(_) => self.waits_scroll.wheel(i64::from(n) * 3),
                None => self.scroll.wheel(i64::from(n) * 3),
            },
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Links {
            return;
        }
        let want = key(cx);
        // The sums are of whole waits, so that they wait for the whole trace.
        if cx.index.complete && self.asked.as_ref() != Some(&want) {
            self.asked = Some(want.clone());
            out.push(Command::Run(rows::sum_up(want)));
        }
        self.refresh(cx);
        self.scroll.fit(self.rows.len() as u64, area.height.saturating_sub(1));
        self.waits_scroll.fit(self.waits.len() as u64, area.height.saturating_sub(2));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
