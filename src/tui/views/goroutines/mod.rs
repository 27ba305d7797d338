//! The goroutines view: groups and their members, with their time per state, sorted by any column.

mod render;
mod rows;

use crate::base::{GoIdx, GroupId};
use crate::model::Lane;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav;
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Mouse, View};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{BAR, COLUMNS, HITS, Row, Sort, Subject, Totals};
use std::collections::BTreeSet;

/// What the rows were made for: made anew when any of it changes.
#[derive(Clone, PartialEq, Debug)]
struct Stamp {
    events: u64,
    complete: bool,
    narrowing: Vec<Narrow>,
    hits: Option<(String, u64)>,
    sort: Sort,
    open: BTreeSet<GroupId>,
    totals: u64,
}

/// The view.
pub struct Goroutines {
    sort: Sort,
    open: BTreeSet<GroupId>,
    scroll: Scroll,
    rows: Vec<Row>,
    stamp: Option<Stamp>,
    /// Numbers inside the window, what they are for, and how often they have changed.
    totals: Totals,
    asked: Option<(crate::base::Time, crate::base::Time, BTreeSet<GroupId>, u64)>,
    arrived: u64,
    /// The goroutine or else the row that the cursor was seen at last.
    followed: (GoIdx, Option<nav::Row>),
}

impl Default for Goroutines {
    fn default() -> Goroutines {
        Goroutines {
            sort: Sort { column: rows::RUNNING, descending: true },
            open: BTreeSet::new(),
            scroll: Scroll::default(),
            rows: Vec::new(),
            stamp: None,
            totals: Totals::default(),
            asked: None,
            arrived: 0,
            followed: (GoIdx::NONE, None),
        }
    }
}

impl Goroutines {
    fn selected(&self) -> Option<&Row> {
        self.rows.get(self.scroll.selected as usize)
    }

    fn position(&self, s: Subject) -> Option<u64> {
        self.rows.iter().position(|r| r.subject == s).map(|i| i as u64)
    }

    /// Tells the model of the goroutine or group under the cursor.
    fn point(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let (go, row) = match self.selected().map(|r| r.subject) {
            Some(Subject::Go(g)) => (g, None),
            Some(Subject::Group(g)) => (GoIdx::NONE, Some(nav::Row::Group(g))),
            None => (GoIdx::NONE, None),
        };
        self.followed = (go, row);
        if (go, row) != (cx.place.go, cx.place.row) {
            out.push(Command::Move(Place { row, ..self.place_of(go, cx) }));
        }
    }

    fn place_of(&self, go: GoIdx, cx: &Ctx) -> Place {
        let mut to = cx.place.clone();
        (to.go, to.event, to.frame) = (go, None, crate::base::FrameId::NONE);
        if let Some(g) = cx.index.goroutine(go) {
            // The cursor in time stands inside the goroutine's life.
            to.at = to.at.max(g.from).min(g.ended.unwrap_or(cx.index.end).max(g.from));
        }
        to
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        match self.selected().map(|r| r.subject) {
            Some(Subject::Group(g)) => {
                if self.open.insert(g) {
                    self.refresh(cx);
                }
                if let Some(at) = self.position(Subject::Group(g)) {
                    self.scroll.fit(self.rows.len() as u64, 1);
                    self.scroll.select(at + 1);
                }
                self.point(cx, out);
            }
            Some(Subject::Go(g)) => {
                let to = self.place_of(g, cx);
                out.push(Command::Enter(Place { view: ViewId::Timeline, ..to }));
            }
            None => {}
        }
    }

    fn toggle(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let group = match self.selected().map(|r| r.subject) {
            Some(Subject::Group(g)) => g,
            Some(Subject::Go(g)) => match cx.index.goroutine(g) {
                Some(g) => g.group,
                None => return,
            },
            None => return,
        };
        if !self.open.remove(&group) {
            self.open.insert(group);
        }
        self.refresh(cx);
        if let Some(at) = self.position(Subject::Group(group)) {
            self.scroll.select(at);
        }
        self.point(cx, out);
    }

    fn sort_by(&mut self, column: usize, cx: &Ctx) {
        if column == BAR || column >= COLUMNS.len() {
            return;
        }
        // Names begin at A, numbers with the largest.
        let descending = if self.sort.column == column { !self.sort.descending } else { COLUMNS[column].right };
        self.sort = Sort { column, descending };
        self.refresh(cx);
    }

    fn step_sort(&mut self, step: isize, cx: &Ctx) {
        let n = COLUMNS.len();
        let mut column = self.sort.column;
        loop {
            column = (column + n).wrapping_add_signed(step) % n;
            if column != BAR && (column != HITS || cx.hits.is_some()) {
                break;
            }
        }
        self.sort = Sort { column, descending: COLUMNS[column].right };
        self.refresh(cx);
    }

    /// Makes the rows anew if anything they depend on has changed; the selection stays on what it was on.
    fn refresh(&mut self, cx: &Ctx) {
        let stamp = Stamp {
            events: cx.index.events,
            complete: cx.index.complete,
            narrowing: cx.place.narrowing.clone(),
            hits: cx.hits.map(|h| (h.query.clone(), h.found.total())),
            sort: self.sort,
            open: self.open.clone(),
            totals: self.arrived,
        };
        if self.stamp.as_ref() == Some(&stamp) {
            return;
        }
        let on = self.selected().map(|r| r.subject);
        let totals = cx.place.window().is_some().then_some(&self.totals);
        self.rows = rows::rows(cx.index, cx.place, cx.hits, totals, &self.open, self.sort);
        self.stamp = Some(stamp);
        let at = on.filter(|_| self.scroll.selected > 0).and_then(|s| self.position(s));
        let height = self.scroll.seen().count().min(1000) as u16;
        self.scroll.fit(self.rows.len() as u64, height.max(1));
        self.scroll.select(at.unwrap_or(self.scroll.selected));
    }

    /// Asks for the numbers inside the window.
    fn ask(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some((from, to)) = cx.place.window() else {
            self.asked = None;
            return;
        };
        let want = (from, to, self.open.clone(), if cx.index.complete { u64::MAX } else { cx.index.events });
        if self.asked.as_ref() == Some(&want) {
            return;
        }
        self.asked = Some(want);
        let mut lanes: Vec<Lane> = (0..cx.index.groups.len() as u32).map(|g| Lane::Group(GroupId(g))).collect();
        for g in &self.open {
            if let Some(group) = cx.index.groups.get(g.0 as usize) {
                lanes.extend(group.members.iter().take(rows::MAX_MEMBERS).map(|&m| Lane::Go(m)));
            }
        }
        let work = move |cx: &JobCtx| {
            let mut totals = Totals::default();
            for chunk in lanes.chunks(64) {
                if cx.cancelled() {
                    break;
                }
                let index = cx.trace.index();
                totals.extend(chunk.iter().filter_map(|&l| Some((l, *index.cells(l, from, to, 1).first()?))));
            }
            Ok(totals)
        };
        out.push(Command::Run(Job::new("totals", work, move |view: &mut Goroutines, totals, cx, _| {
            if cx.place.window() == Some((from, to)) {
                view.totals = totals;
                view.arrived += 1;
            }
        })));
    }
}

impl View for Goroutines {
    fn title(&self, _cx: &Ctx) -> String {
        "goroutines".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Escape => match self.selected().map(|r| r.subject) {
                // Out of the members, the way in was Enter on their group.
                Some(Subject::Go(_)) if cx.focused => self.toggle(cx, out),
                _ => return false,
            },
            Action::Expand => self.toggle(cx, out),
            Action::Right if cx.focused => match self.selected().map(|r| r.subject) {
                Some(Subject::Group(g)) if !self.open.contains(&g) => self.toggle(cx, out),
                _ => return false,
            },
            Action::Left if cx.focused => match self.selected().map(|r| r.subject) {
                Some(Subject::Group(g)) if !self.open.contains(&g) => return false,
                None => return false,
                _ => self.toggle(cx, out),
            },
            Action::Narrow => match self.selected().map(|r| r.subject) {
                Some(Subject::Group(g)) => out.push(Command::Narrow(Narrow::Group(g))),
                Some(Subject::Go(g)) => out.push(Command::Narrow(Narrow::Go(g))),
                None => return false,
            },
            Action::SortNext => self.step_sort(1, cx),
            Action::SortPrev => self.step_sort(-1, cx),
            Action::SortReverse => {
                self.sort.descending = !self.sort.descending;
                self.refresh(cx);
            }
            Action::Copy if cx.focused => match self.selected() {
                Some(r) => out.push(Command::Copy(r.name.clone())),
                None => return false,
            },
            _ => {
                if !self.scroll.handle(action) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        match what {
            Mouse::Press if at.y == area.y => {
                let slots = render::slots(area.width, cx);
                if let Some(s) = table::slot_at(&slots, at.x - area.x) {
                    self.sort_by(s.column, cx);
                }
            }
            Mouse::Press | Mouse::Double if at.y > area.y => {
                let row = self.scroll.top + u64::from(at.y - area.y - 1);
                if row >= self.rows.len() as u64 {
                    return false;
                }
                self.scroll.select(row);
                self.point(cx, out);
                let group = matches!(self.selected().map(|r| r.subject), Some(Subject::Group(_)));
                if group && (what == Mouse::Double || at.x < area.x + 3) {
                    self.toggle(cx, out);
                } else if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Wheel(n, _) => self.scroll.wheel(i64::from(n) * 3),
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Goroutines {
            return;
        }
        self.ask(cx, out);
        // Someone else has moved the cursor: show where.
        if (cx.place.go, cx.place.row) != self.followed {
            self.followed = (cx.place.go, cx.place.row);
            self.refresh(cx);
            let row = cx.place.row.filter(|_| !cx.place.go.is_some());
            if let Some(nav::Row::Group(g)) = row
                && let Some(at) = self.position(Subject::Group(g))
            {
                self.scroll.fit(self.rows.len() as u64, area.height.saturating_sub(1));
                self.scroll.reveal(at);
            }
            if let Some(g) = cx.index.goroutine(cx.place.go) {
                self.open.insert(g.group);
                self.refresh(cx);
                if let Some(at) = self.position(Subject::Go(cx.place.go)) {
                    self.scroll.fit(self.rows.len() as u64, area.height.saturating_sub(1));
                    self.scroll.reveal(at);
                }
            }
        }
        self.refresh(cx);
        self.scroll.fit(self.rows.len() as u64, area.height.saturating_sub(1));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
