//! The view of tasks and regions: summed up by name, and the single ones behind such a sum.

mod about;
mod rows;

use crate::analysis::tasks::{self, Instance, Sum, What};
use crate::analysis::waits::links::Options;
use crate::analysis::waits::path::Window;
use crate::base::{Duration, FrameId, GroupId, StringId, Time, text};
use crate::model::Index;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place, Row};
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::app::{search, zoom};
use crate::tui::theme::Role;
use crate::tui::widgets::drill::Drill;
use crate::tui::widgets::list::Took;
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::spans::Spans;
use about::About;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{INSTANCES, SUMS};

/// What was looked at.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    window: Option<(Time, Time)>,
    group: Option<GroupId>,
    query: Option<String>,
}

/// Most instances that are listed.
const MAX_LISTED: usize = 10_000;

/// The view.
pub struct Tasks {
    sums: Lookup<Key, Vec<Sum>>,
    /// The sums, and what is summed up in one.
    lists: Drill<Sum, Instance>,
    /// The pane beside it.
    about: About,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks { sums: Lookup::default(), lists: Drill::new(&SUMS, &INSTANCES), about: About::default() }
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
        Ok((key, sums))
    };
    Job::new("sums", work, |view: &mut Tasks, (key, sums), cx, out| view.take_sums(key, sums, cx, out))
}

fn list(key: Key, of: (What, StringId)) -> Job {
    let work = move |cx: &JobCtx| {
        let filter = search::compile(cx, key.query.as_deref())?;
        let instances = tasks::list(cx, options(&key, filter.as_ref()), key.group, of, MAX_LISTED)?;
        Ok((key, instances))
    };
    Job::new("instances", work, move |view: &mut Tasks, (key, instances), cx, out| {
        view.take_list(&key, of, instances, cx, out);
    })
}

/// The name of tasks or regions, safe to show.
fn name(index: &Index, s: &Sum) -> String {
    match index.dict.str(s.name) {
        "" => "(already running at trace start)".into(),
        n => text::escape(n).into_owned(),
    }
}

fn word(what: What) -> &'static str {
    match what {
        What::Task => "task",
        What::Region => "region",
    }
}

/// The mean length inside the trace.
fn mean(s: &Sum) -> Duration {
    Duration(s.total.ns() / s.count.max(1) as i64)
}

impl Tasks {
    /// Tells the model of what is under the cursor.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let to = match self.lists.open() {
            Some(_) => self.lists.inside().filter(|i| i.go.is_some()).map(|i| place(cx, i)),
            None => self.lists.outer.selected().map(|s| Place {
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

    /// Asks for what is summed up in the open row.
    fn ask(&self, out: &mut Vec<Command>) {
        if let (Some(key), Some(s)) = (self.sums.key(), self.lists.open()) {
            out.push(Command::Run(list(key.clone(), (s.what, s.name))));
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if self.lists.open().is_some() {
            if let Some(i) = self.lists.inside() {
                let mut to = place(cx, i);
                (to.view, to.zoom) = (ViewId::Timeline, Some(zoom::amid(i.from, i.to)));
                out.push(Command::Enter(to));
                out.push(Command::Focus(Pane::Body));
            }
        } else if self.lists.enter().is_some() {
            self.ask(out);
        }
    }

    /// Does what a key or the mouse means in the lists.
    fn took(&mut self, took: Took, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match took {
            Took::Nothing => return false,
            Took::Done | Took::Closed => {}
            Took::Moved => self.point(cx, out),
            Took::Enter => self.enter(cx, out),
            Took::Double => {
                self.point(cx, out);
                self.enter(cx, out);
            }
        }
        true
    }

    /// Shows what the time of the instance under the cursor went into.
    fn path(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.lists.inside() else { return false };
        let go = i.ended_by.some().unwrap_or(i.go);
        let window = Window { go, from: i.from, to: i.to, end: i.end };
        let of = format!("{} {}", word(i.what), cx.index.dict.str(i.name));
        out.push(Command::Enter(cx.place.with_sheet(Sheet::Path(window, of.into()))));
        out.push(Command::Focus(Pane::Body));
        true
    }

    fn take_sums(&mut self, key: Key, sums: Vec<Sum>, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(sums) = self.sums.take(key, sums) else { return };
        self.lists.outer.set(sums.to_vec(), cx);
        self.about.take(sums.clone());
        if let Some(old) = self.lists.open() {
            let same = sums.iter().find(|s| (s.what, s.name) == (old.what, old.name)).cloned();
            self.lists.set_open(same);
            self.ask(out);
        }
    }

    fn take_list(&mut self, key: &Key, of: (What, StringId), list: Vec<Instance>, cx: &Ctx, out: &mut Vec<Command>) {
        if self.sums.is_of(key) && self.lists.open().is_some_and(|s| (s.what, s.name) == of) {
            self.lists.fill(list, cx);
            if cx.place.view == ViewId::Tasks {
                self.point(cx, out);
            }
        }
    }

    /// Why there are no rows.
    fn message(&self, cx: &Ctx) -> &'static str {
        let listing = self.lists.open().is_some();
        match (cx.index.complete, self.sums.is_of(&key(cx))) {
            (false, _) => "reading … tasks are summed up when the whole trace is read",
            (true, true) if listing && self.lists.is_listed() => "none match the filter",
            (true, true) if !listing && !cx.place.narrowing.is_empty() => "no tasks or regions match the filter",
            (true, true) if !listing => "this program marked no tasks or regions (runtime/trace.NewTask, StartRegion)",
            _ => "looking …",
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
            Action::Path => return self.path(cx, out),
            Action::Narrow => match self.lists.inside().filter(|i| i.go.is_some()) {
                Some(i) => out.push(Command::Narrow(Narrow::Go(i.go))),
                None => return false,
            },
            Action::Copy if cx.focused && self.lists.open().is_none() => match self.lists.outer.selected() {
                Some(s) => out.push(Command::Copy(name(cx.index, s))),
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
        let took = self.lists.mouse(at, what, area, cx);
        self.took(took, cx, out)
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Tasks {
            return;
        }
        let want = key(cx);
        if cx.index.complete && self.sums.want(&want) {
            out.push(Command::Run(sum_up(want)));
        }
        self.lists.fit(area);
        // Whoever comes from another view is on what they chose there.
        if self.lists.open().is_none() || self.lists.is_listed() && cx.place.subject().1.is_some() {
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
        self.lists.render(area, buf, cx, |s| heading(self, s, cx), self.message(cx));
    }
}

/// What is listed one by one.
fn heading(view: &Tasks, s: &Sum, cx: &Ctx) -> Spans {
    let what = match view.lists.inner.len() {
        MAX_LISTED => format!("the longest {} of {}", text::count(MAX_LISTED as u64), text::count(s.count)),
        _ => format!("{} total", text::count(s.count)),
    };
    let title = format!("{} {} ", word(s.what), name(cx.index, s));
    vec![(title, Role::Title), (format!("{} {what}", cx.theme.glyphs.dot), Role::Dim)]
}
