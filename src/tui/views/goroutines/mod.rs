//! The goroutines view: groups and their members, with their time per state, sorted by any column.

mod rows;

use crate::analysis::timeline::totals::{self, Totals};
use crate::base::{GoIdx, GroupId, Time};
use crate::model::Lane;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav;
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Legend, Mouse, View};
use crate::tui::theme::Glyphs;
use crate::tui::widgets::list::{List, Took};
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::table::Sort;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{ROWS, Row, Subject};
use std::collections::BTreeSet;

/// What totals are added up for: the window, the groups that are open, and how much was known.
type Key = ((Time, Time), BTreeSet<GroupId>, u64);

/// What the rows were made for: made anew when any of it changes.
#[derive(Clone, PartialEq, Debug)]
struct Stamp {
    events: u64,
    /// Whether all has been read, and waits have names.
    complete: (bool, bool),
    narrowing: Vec<Narrow>,
    hits: Option<(String, u64)>,
    sort: Sort,
    open: BTreeSet<GroupId>,
    totals: Option<Key>,
}

/// The view.
pub struct Goroutines {
    list: List<Row>,
    open: BTreeSet<GroupId>,
    stamp: Option<Stamp>,
    /// Numbers inside the window.
    totals: Lookup<Key, Totals>,
    /// The goroutine or else the row that the cursor was seen at last.
    followed: (GoIdx, Option<nav::Row>),
}

impl Default for Goroutines {
    fn default() -> Goroutines {
        Goroutines {
            list: List::new(&ROWS),
            open: BTreeSet::new(),
            stamp: None,
            totals: Lookup::default(),
            followed: (GoIdx::NONE, None),
        }
    }
}

impl Goroutines {
    fn subject(&self) -> Option<Subject> {
        self.list.selected().map(|r| r.subject)
    }

    fn position(&self, s: Subject) -> Option<u64> {
        self.list.position(|r| r.subject == s)
    }

    /// Tells the model of the goroutine or group under the cursor.
    fn point(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let (go, row) = match self.subject() {
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
        match self.subject() {
            Some(Subject::Group(g)) => {
                if self.open.insert(g) {
                    self.refresh(cx);
                }
                if let Some(at) = self.position(Subject::Group(g)) {
                    self.list.fit(2);
                    self.list.select(at + 1);
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
        let group = match self.subject() {
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
            self.list.select(at);
        }
        self.point(cx, out);
    }

    /// Makes the rows anew if anything they depend on has changed; the selection stays on what it was on.
    fn refresh(&mut self, cx: &Ctx) {
        let stamp = Stamp {
            events: cx.index.events,
            complete: (cx.index.complete, cx.waited.known()),
            narrowing: cx.place.narrowing.clone(),
            hits: cx.hits.map(|h| (h.query.clone(), h.found.total())),
            sort: self.list.sort(),
            open: self.open.clone(),
            totals: self.totals.key().cloned(),
        };
        if self.stamp.as_ref() == Some(&stamp) {
            return;
        }
        let none = Totals::default();
        let totals = self.totals.latest().map_or(&none, |t| t);
        let totals = cx.place.window().is_some().then_some(totals);
        self.list.set(rows::rows(cx, totals, &self.open, stamp.sort), cx);
        self.stamp = Some(stamp);
    }

    /// Asks for the numbers inside the window.
    fn ask(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some((from, to)) = cx.place.window() else {
            self.totals.forget_asking();
            return;
        };
        let known = if cx.index.complete { u64::MAX } else { cx.index.events };
        let key = ((from, to), self.open.clone(), known);
        if !self.totals.want(&key) {
            return;
        }
        let mut lanes: Vec<Lane> = (0..cx.index.groups.len() as u32).map(|g| Lane::Group(GroupId(g))).collect();
        for g in &self.open {
            if let Some(group) = cx.index.groups.get(g.0 as usize) {
                lanes.extend(group.members.iter().take(rows::MAX_MEMBERS).map(|&m| Lane::Go(m)));
            }
        }
        let (complete, open) = (cx.index.complete, self.open.clone());
        let work = move |cx: &JobCtx, say: &(dyn Fn(Totals) + Sync)| {
            // The grid knows at once, as precisely as its cells are; the events take a while, and know to the nanosecond.
            let mut rough = Totals::default();
            for chunk in lanes.chunks(64) {
                if cx.cancelled() {
                    return Ok(());
                }
                let index = cx.trace.index();
                rough.extend(chunk.iter().filter_map(|&l| Some((l, *index.cells(l, from, to, 1).first()?))));
            }
            say(rough);
            if complete {
                say(totals::totals(cx, (from, to), &|g| open.contains(&g))?);
            }
            Ok(())
        };
        out.push(Command::Run(Job::stream("totals", work, move |view: &mut Goroutines, totals, _, _| {
            view.totals.take(key.clone(), totals);
            view.stamp = None;
        })));
    }

    /// Does what a key or the mouse means in the list.
    fn took(&mut self, took: Took, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match took {
            Took::Nothing => return false,
            Took::Done | Took::Enter | Took::Closed => self.refresh(cx),
            Took::Moved | Took::Double => self.point(cx, out),
        }
        true
    }
}

impl View for Goroutines {
    fn title(&self, _cx: &Ctx) -> String {
        "goroutines".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn legend(&self, g: &Glyphs) -> Legend {
        let entry = |mark: String, meaning: &str| (mark, meaning.to_owned());
        vec![
            entry(format!("{}6", g.times), "how many goroutines the group has; Enter shows them"),
            entry(
                [g.full, g.syscall, g.runnable, g.waiting].iter().collect(),
                "the bar: which part of their time they ran, were in syscalls, runnable, waiting",
            ),
            entry("unfinished".into(), "how many had not ended when the trace did"),
        ]
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Escape => match self.subject() {
                // Out of the members, the way in was Enter on their group.
                Some(Subject::Go(_)) if cx.focused => self.toggle(cx, out),
                _ => return false,
            },
            Action::Expand => self.toggle(cx, out),
            Action::Right if cx.focused => match self.subject() {
                Some(Subject::Group(g)) if !self.open.contains(&g) => self.toggle(cx, out),
                _ => return false,
            },
            Action::Left if cx.focused => match self.subject() {
                Some(Subject::Group(g)) if !self.open.contains(&g) => return false,
                None => return false,
                _ => self.toggle(cx, out),
            },
            Action::Narrow => match self.subject() {
                Some(Subject::Group(g)) => out.push(Command::Narrow(Narrow::Group(g))),
                Some(Subject::Go(g)) => out.push(Command::Narrow(Narrow::Go(g))),
                None => return false,
            },
            Action::Copy if cx.focused => match self.list.selected() {
                Some(r) => out.push(Command::Copy(r.name.clone())),
                None => return false,
            },
            _ => {
                let took = self.list.handle(action, cx);
                return self.took(took, cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.refresh(cx);
        let took = self.list.mouse(at, what, area, cx);
        let done = self.took(took, cx, out);
        if matches!(took, Took::Moved | Took::Double) {
            let group = matches!(self.subject(), Some(Subject::Group(_)));
            if group && (took == Took::Double || at.x < area.x + 3) {
                self.toggle(cx, out);
            } else if took == Took::Double {
                self.enter(cx, out);
            }
        }
        done
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
                self.list.fit(area.height);
                self.list.reveal(at);
            }
            if let Some(g) = cx.index.goroutine(cx.place.go) {
                self.open.insert(g.group);
                self.refresh(cx);
                if let Some(at) = self.position(Subject::Go(cx.place.go)) {
                    self.list.fit(area.height);
                    self.list.reveal(at);
                }
            }
        }
        self.refresh(cx);
        self.list.fit(area.height);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let empty = match (cx.index.complete, cx.place.narrowing.is_empty()) {
            (false, _) => "reading …",
            (true, true) => "this trace has no goroutines",
            (true, false) => "no goroutines match the filter",
        };
        self.list.render(area, buf, cx, empty);
    }
}
