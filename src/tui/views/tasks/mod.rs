//! The view of tasks and regions: summed up by name, and the single ones behind such a sum.

mod about;
mod render;

use crate::analysis::tasks::{self, Instance, Sum, What};
use crate::analysis::waits::links::Options;
use crate::analysis::waits::path::Window;
use crate::base::{Duration, FrameId, GroupId, StringId, Time, text};
use crate::model::Index;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place, Row};
use crate::tui::app::search;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::panels::why;
use crate::tui::views::links::around;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{self, Column, Sort};
use about::About;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::cmp::Ordering;
use std::sync::Arc;

/// What was looked at.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    window: Option<(Time, Time)>,
    group: Option<GroupId>,
    query: Option<String>,
}

/// Tasks and regions by name.
#[derive(Debug)]
struct Found {
    key: Key,
    sums: Vec<Sum>,
}

impl Found {
    /// The sum of the tasks or regions of one name.
    pub fn sum(&self, what: What, name: StringId) -> Option<&Sum> {
        self.sums.iter().find(|s| (s.what, s.name) == (what, name))
    }
}

/// The tasks or regions of one name.
#[derive(Debug)]
struct List {
    key: Key,
    of: (What, StringId),
    instances: Vec<Instance>,
}

/// Most instances that are listed.
pub const MAX_LISTED: usize = 10_000;

/// The columns of the sums.
const SUMS: [Column; 8] = [
    column("task or region", 18, false, 0, true),
    column("", 6, false, 4, false),
    column("count", 8, true, 0, false),
    column("open", 6, true, 1, false),
    column("total", 7, true, 0, false),
    column("mean", 7, true, 2, false),
    column("longest", 8, true, 0, false),
    column("99 in 100", 9, true, 3, false),
];
const TOTAL: usize = 4;

/// The columns of the instances.
const INSTANCES: [Column; 5] = [
    column("took", 9, true, 0, false),
    column("from", 16, true, 0, false),
    column("task", 9, true, 2, false),
    column("goroutine", 16, false, 0, true),
    column("", 18, false, 1, false),
];

const fn column(title: &'static str, width: u16, right: bool, drop: u8, elastic: bool) -> Column {
    Column { title, width, right, drop, elastic }
}

/// The view.
pub struct Tasks {
    asked: Option<Key>,
    found: Option<Arc<Found>>,
    rows: Vec<Sum>,
    sort: Sort,
    scroll: Scroll,
    open: Option<Sum>,
    instances: Vec<Instance>,
    listed: bool,
    list_sort: Sort,
    list_scroll: Scroll,
    /// The pane beside it.
    about: About,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks {
            asked: None,
            found: None,
            rows: Vec::new(),
            sort: Sort { column: TOTAL, descending: true },
            scroll: Scroll::default(),
            open: None,
            instances: Vec::new(),
            listed: false,
            list_sort: Sort { column: 0, descending: true },
            list_scroll: Scroll::default(),
            about: About::default(),
        }
    }
}

fn key(cx: &Ctx) -> Key {
    Key { window: cx.place.window(), group: cx.place.group(), query: search::query_of(cx.place, cx.index) }
}

fn options<'a>(key: &Key, filter: Option<&'a crate::query::Compiled>) -> Options<'a> {
    let (from, to) = key.window.unwrap_or((Time::MIN, Time::MAX));
    Options { from, to, filter }
}

fn sum_up(key: Key) -> Job {
    let work = move |cx: &JobCtx| {
        let filter = search::compile(cx, key.query.as_deref())?;
        let sums = tasks::sums(cx, options(&key, filter.as_ref()), key.group)?;
        Ok(Found { key, sums })
    };
    Job::new("sums", work, |view: &mut Tasks, found, cx, out| view.take_sums(found, cx, out))
}

fn list(key: Key, of: (What, StringId)) -> Job {
    let work = move |cx: &JobCtx| {
        let filter = search::compile(cx, key.query.as_deref())?;
        let instances = tasks::list(cx, options(&key, filter.as_ref()), key.group, of, MAX_LISTED)?;
        Ok(List { key, of, instances })
    };
    Job::new("instances", work, |view: &mut Tasks, list, cx, out| view.take_list(list, cx, out))
}

/// The name of tasks or regions, safe to show.
fn name(index: &Index, s: &Sum) -> String {
    match index.dict.str(s.name) {
        "" => "(begun before the trace)".into(),
        n => text::escape(n).into_owned(),
    }
}

fn word(what: What) -> &'static str {
    match what {
        What::Task => "task",
        What::Region => "region",
    }
}

/// The mean length of those with both ends in the trace.
fn mean(s: &Sum) -> Duration {
    Duration(s.total.ns() / (s.count - s.open).max(1) as i64)
}

fn compare(a: &Sum, b: &Sum, sort: Sort, index: &Index) -> Ordering {
    sort.turn(match sort.column {
        0 => index.dict.str(a.name).cmp(index.dict.str(b.name)),
        1 => a.what.cmp(&b.what),
        2 => a.count.cmp(&b.count),
        3 => a.open.cmp(&b.open),
        4 => a.total.cmp(&b.total),
        5 => mean(a).cmp(&mean(b)),
        6 => a.max.cmp(&b.max),
        _ => a.p99.cmp(&b.p99),
    })
}

fn compare_instances(a: &Instance, b: &Instance, sort: Sort, index: &Index) -> Ordering {
    let id = |i: &Instance| index.goroutine(i.go).map(|g| g.id);
    sort.turn(match sort.column {
        0 => a.len().cmp(&b.len()),
        1 => a.from.cmp(&b.from),
        2 => a.task.cmp(&b.task),
        3 => id(a).cmp(&id(b)),
        _ => (a.began, a.ended).cmp(&(b.began, b.ended)),
    })
}

impl Tasks {
    fn sum(&self) -> Option<&Sum> {
        self.rows.get(self.scroll.selected as usize)
    }

    fn instance(&self) -> Option<&Instance> {
        self.instances.get(self.list_scroll.selected as usize)
    }

    fn fresh(&self, cx: &Ctx) -> bool {
        self.found.as_ref().is_some_and(|f| f.key == key(cx))
    }

    fn order(&mut self, cx: &Ctx) {
        let on = self.sum().filter(|_| self.scroll.selected > 0).map(|s| (s.what, s.name));
        let sort = self.sort;
        self.rows.sort_by(|a, b| compare(a, b, sort, cx.index).then_with(|| (a.what, a.name).cmp(&(b.what, b.name))));
        if let Some(at) = on.and_then(|on| self.rows.iter().position(|s| (s.what, s.name) == on)) {
            self.scroll.select(at as u64);
        }
        let sort = self.list_sort;
        self.instances.sort_by(|a, b| {
            compare_instances(a, b, sort, cx.index).then((a.from, a.go, a.task).cmp(&(b.from, b.go, b.task)))
        });
    }

    /// Tells the model of what is under the cursor.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let to = match &self.open {
            Some(_) => self.instance().filter(|i| i.go.is_some()).map(|i| place(cx, i)),
            None => self.sum().map(|s| Place {
                row: Some(Row::Span(s.what, s.name)),
                event: None,
                frame: FrameId::NONE,
                ..cx.place.clone()
            }),
        };
        if let Some(to) = to.filter(|to| to != cx.place) {
            out.push(Command::Move(to));
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if self.open.is_some() {
            if let Some(i) = self.instance() {
                let mut to = place(cx, i);
                (to.view, to.zoom) = (ViewId::Timeline, Some(around(i.from, i.to)));
                out.push(Command::Enter(to));
                out.push(Command::Focus(Pane::Body));
            }
            return;
        }
        let (Some(s), Some(f)) = (self.sum().cloned(), &self.found) else { return };
        let job = list(f.key.clone(), (s.what, s.name));
        (self.open, self.listed) = (Some(s), false);
        self.instances.clear();
        self.list_scroll = Scroll::default();
        out.push(Command::Run(job));
    }

    /// Shows what the time of the instance under the cursor went into.
    fn path(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.instance().filter(|_| self.open.is_some()) else { return false };
        let go = i.ended_by.some().unwrap_or(i.go);
        let window = Window { go, from: i.from, to: i.to, end: i.end };
        let of = format!("{} {}", word(i.what), cx.index.dict.str(i.name));
        out.push(Command::Run(why::path(window, of)));
        true
    }

    fn sort_by(&mut self, cx: &Ctx, change: impl FnOnce(&mut Sort, &[Column])) {
        match self.open {
            Some(_) => change(&mut self.list_sort, &INSTANCES),
            None => change(&mut self.sort, &SUMS),
        }
        self.order(cx);
    }

    fn take_sums(&mut self, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        if self.asked.as_ref() != Some(&found.key) {
            return;
        }
        let found = Arc::new(found);
        self.about.take(found.clone());
        self.rows = found.sums.clone();
        self.found = Some(found.clone());
        self.order(cx);
        if let Some(s) = self.open.take() {
            self.open = self.rows.iter().find(|r| (r.what, r.name) == (s.what, s.name)).cloned();
            if self.open.is_some() {
                self.listed = false;
                out.push(Command::Run(list(found.key.clone(), (s.what, s.name))));
            }
        }
    }

    fn take_list(&mut self, list: List, cx: &Ctx, out: &mut Vec<Command>) {
        let wanted = self.found.as_ref().is_some_and(|f| f.key == list.key);
        if wanted && self.open.as_ref().is_some_and(|s| (s.what, s.name) == list.of) {
            (self.instances, self.listed) = (list.instances, true);
            self.order(cx);
            self.list_scroll.fit(self.instances.len() as u64, self.list_scroll.seen().count().max(1) as u16);
            if cx.place.view == ViewId::Tasks {
                self.point(cx, out);
            }
        }
    }
}

fn place(cx: &Ctx, i: &Instance) -> Place {
    Place { go: i.go, at: i.from, row: None, event: None, frame: FrameId::NONE, ..cx.place.clone() }
}

impl View for Tasks {
    fn title(&self, _cx: &Ctx) -> String {
        "tasks".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Right if cx.focused && self.open.is_none() => self.enter(cx, out),
            Action::Escape | Action::Left if cx.focused && self.open.is_some() => self.open = None,
            Action::Path => return self.path(cx, out),
            Action::Narrow => match self.instance().filter(|i| self.open.is_some() && i.go.is_some()) {
                Some(i) => out.push(Command::Narrow(Narrow::Go(i.go))),
                None => return false,
            },
            Action::SortNext => self.sort_by(cx, |s, c| s.step(1, c)),
            Action::SortPrev => self.sort_by(cx, |s, c| s.step(-1, c)),
            Action::SortReverse => self.sort_by(cx, |s, _| s.descending = !s.descending),
            Action::Copy if cx.focused && self.open.is_none() => match self.sum() {
                Some(s) => out.push(Command::Copy(name(cx.index, s))),
                None => return false,
            },
            _ => {
                let scroll = if self.open.is_some() { &mut self.list_scroll } else { &mut self.scroll };
                if !scroll.handle(action) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        // The instances have a line above their heading that says of what they are.
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
                    Some(_) => (&mut self.list_scroll, self.instances.len()),
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
            Mouse::Press | Mouse::Double if self.open.is_some() => self.open = None,
            Mouse::Wheel(n, _) => match self.open {
                Some(_) => self.list_scroll.wheel(i64::from(n) * 3),
                None => self.scroll.wheel(i64::from(n) * 3),
            },
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Tasks {
            return;
        }
        let want = key(cx);
        if cx.index.complete && self.asked.as_ref() != Some(&want) {
            self.asked = Some(want.clone());
            out.push(Command::Run(sum_up(want)));
        }
        self.scroll.fit(self.rows.len() as u64, area.height.saturating_sub(1));
        self.list_scroll.fit(self.instances.len() as u64, area.height.saturating_sub(2));
        // Whoever comes from another view is on what they chose there.
        if self.open.is_none() || self.listed && cx.place.subject().1.is_some() {
            self.point(cx, out);
        }
    }

    fn aside(&self, place: &Place) -> Option<&dyn View> {
        matches!(place.subject().1, Some(Row::Span(..))).then_some(&self.about as &dyn View)
    }

    fn aside_mut(&mut self, place: &Place) -> Option<&mut dyn View> {
        matches!(place.subject().1, Some(Row::Span(..))).then_some(&mut self.about as &mut dyn View)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
