//! The view of spans: the requests and calls that are told by stacks, tasks and regions; summed up by name, when how long
//! ones began, and the single ones behind such a sum.

mod about;
mod picture;
mod rows;

use crate::analysis::spans::rules::Rules;
use crate::analysis::spans::slow::window;
use crate::analysis::spans::sums::{Sum, slowest, sums};
use crate::analysis::spans::{REGION, Span, TASK, pick};
use crate::analysis::waits::links::group;
use crate::base::{Duration, FrameId, GroupId, Time, text};
use crate::model::Index;
use crate::model::dict::shown_func;
use crate::report::spans::NO_HANDLER;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place, Row};
use crate::tui::app::sheet::{Sheet, Slow};
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::app::{search, zoom};
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::drill::Drill;
use crate::tui::widgets::list::Took;
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::spans::Spans;
use about::About;
use picture::{Did, Picture};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::{SPANS, SUMS};
use std::sync::Arc;

/// What was looked at.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    window: Option<(Time, Time)>,
    group: Option<GroupId>,
    query: Option<String>,
}

/// Most instances that are listed.
const MAX_LISTED: usize = 10_000;

/// The spans of one kind and name, summed up.
#[derive(Clone, Debug)]
pub struct Named {
    sum: Sum,
    /// What their kind is called.
    kind: Arc<str>,
}

/// What is shown.
#[derive(Debug)]
pub struct Shown {
    sums: Vec<Named>,
    /// All that are summed up, in the order in which they began.
    spans: Vec<Span>,
}

/// Rows of the picture, at most; and how high the view must be to have it.
const MOST_HEAT: u16 = 14;
const ROOM_FOR_HEAT: u16 = 18;
/// The view.
pub struct Tasks {
    sums: Lookup<Key, Shown>,
    /// The sums, and what is summed up in one.
    lists: Drill<Named, Span>,
    /// When how long ones began: all of them, or those of the open row.
    picture: Picture,
    /// Where that is; empty where there is no room for it.
    picture_area: Rect,
    /// The pane beside it.
    about: About,
}

impl Default for Tasks {
    fn default() -> Tasks {
        let lists = Drill::new(&SUMS, &SPANS);
        Tasks {
            sums: Lookup::default(),
            lists,
            picture: Picture::default(),
            picture_area: Rect::ZERO,
            about: About::default(),
        }
    }
}

fn key(cx: &Ctx) -> Key {
    Key { window: cx.place.window(), group: cx.place.group(), query: search::query_of(cx.place, cx.index) }
}

fn sum_up(key: Key) -> Job {
    let work = move |cx: &JobCtx| {
        let filter = search::compile(cx, key.query.as_deref())?;
        let mut found = crate::analysis::spans::find(cx, Rules::shipped())?;
        if let Some(q) = &filter {
            let answers = pick::answering(cx, &found.spans, q)?;
            let mut next = answers.into_iter();
            found.spans.retain(|_| next.next() == Some(true));
        }
        let (from, to) = key.window.unwrap_or((Time::MIN, Time::MAX));
        found.spans.retain(|s| s.to >= from && s.from < to);
        crate::analysis::states::source::Source::with_index(cx, &mut |index| {
            found.spans.retain(|s| key.group.is_none_or(|g| group(index, s.go) == g));
        });
        let named = |sum: Sum| Named { kind: found.kind(sum.kind).into(), sum };
        let sums = sums(&found, (from, to), |_| true).into_iter().map(named).collect();
        Ok((key, Shown { sums, spans: found.spans }))
    };
    Job::new("sums", work, |view: &mut Tasks, (key, shown), cx, out| view.take_sums(key, shown, cx, out))
}

/// What spans of a row are called, safe to show.
fn name(index: &Index, s: &Named) -> String {
    match (index.dict.str(s.sum.name), s.sum.kind) {
        ("", TASK | REGION) => "(name not known)".into(),
        ("", _) => NO_HANDLER.into(),
        (n, TASK | REGION) => text::escape(n).into_owned(),
        (n, _) => shown_func(n),
    }
}

/// The mean length of whole ones.
fn mean(s: &Sum) -> Duration {
    Duration(s.whole.ns() / s.count.max(1) as i64)
}

impl Tasks {
    /// Tells the model of what is under the cursor.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let to = match self.lists.open() {
            Some(_) => self.lists.inside().filter(|i| i.go.is_some()).map(|i| place(cx, i)),
            None => self.lists.outer.selected().map(|s| Place {
                row: Some(Row::Span(s.sum.kind, s.sum.name)),
                event: None,
                frame: FrameId::NONE,
                ..cx.place.clone()
            }),
        };
        if let Some(to) = to.filter(|to| to != cx.place) {
            out.push(Command::Move(to));
        }
    }

    /// Lists what is summed up in the open row.
    fn list(&mut self, cx: &Ctx) {
        let (Some(shown), Some(open)) = (self.sums.latest(), self.lists.open()) else { return };
        let of = (open.sum.kind, open.sum.name);
        let all = slowest(&shown.spans, |s| (s.kind, s.name) == of, MAX_LISTED);
        self.lists.fill(all, cx);
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
            self.list(cx);
            self.point(cx, out);
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

    /// Shows what the time of the instance under the cursor went into; of a name, that of its slowest.
    fn path(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(open) = self.lists.open().or_else(|| self.lists.outer.selected()) else { return false };
        let of = (open.sum.kind, open.sum.name);
        let most = || self.sums.latest().map_or(Vec::new(), |s| slowest(&s.spans, |s| (s.kind, s.name) == of, 1));
        let Some(i) = self.lists.inside().copied().or_else(|| most().first().copied()) else { return false };
        let i = &i;
        let of = match (i.kind, cx.index.dict.str(i.name)) {
            (TASK | REGION, n) => format!("{} {n}", open.kind),
            _ => format!("{} {}", open.kind, name(cx.index, open)),
        };
        out.push(Command::Enter(cx.place.with_sheet(Sheet::Path(window(i), of.into()))));
        out.push(Command::Focus(Pane::Body));
        true
    }

    fn take_sums(&mut self, key: Key, shown: Shown, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(shown) = self.sums.take(key, shown) else { return };
        self.lists.outer.set(shown.sums.clone(), cx);
        self.about.take(shown.clone());
        self.picture.forget();
        if let Some(old) = self.lists.open() {
            let same = |s: &&Named| (s.sum.kind, s.sum.name) == (old.sum.kind, old.sum.name);
            let same = shown.sums.iter().find(same).cloned();
            self.lists.set_open(same);
            self.list(cx);
            if cx.place.view == ViewId::Tasks {
                self.point(cx, out);
            }
        }
    }

    /// The lists above, and below them the picture of the row under the cursor where there is room.
    fn parted(&self, area: Rect) -> (Rect, Rect) {
        let rows = if area.height >= ROOM_FOR_HEAT { (area.height / 2).min(MOST_HEAT + 1) } else { 0 };
        let lists = Rect { height: area.height - rows, ..area };
        (lists, Rect { y: area.y + lists.height, height: rows, ..area })
    }

    /// Makes the picture, if it is not there. It is of all spans, and not of those of the row under the cursor: it would be
    /// another with each movement.
    fn make_picture(&mut self, area: Rect, cx: &Ctx) {
        let Some(shown) = self.sums.latest().filter(|_| !area.is_empty()) else { return };
        let of = self.lists.open().map(|s| (s.sum.kind, s.sum.name));
        let window = cx.place.window().unwrap_or((cx.index.start, cx.index.end));
        self.picture.make(&shown.spans, of, window, area);
    }

    /// Does what a key means in the picture, which is of one name then; `false` if it means something else.
    fn in_picture(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if !cx.focused || !self.picture.is_on() && !matches!(action, Action::Heat | Action::Select) {
            return false;
        }
        if self.picture_area.is_empty() {
            out.push(Command::Say("there is no room for the picture of spans: it needs a higher screen".into()));
            return true;
        }
        if self.lists.open().is_none() {
            if self.lists.enter().is_none() {
                return false;
            }
            self.list(cx);
            self.point(cx, out);
            self.make_picture(self.picture_area, cx);
        }
        let did = self.picture.handle(action);
        self.picked(did, cx, out)
    }

    /// Goes on where a box may have been chosen in the picture: to what makes those in it slow, against the others.
    fn picked(&mut self, did: Did, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if did != Did::Chosen {
            return did == Did::Moved;
        }
        let (Some(shown), Some(open), Some(chosen)) = (self.sums.latest(), self.lists.open(), self.picture.chosen())
        else {
            return false;
        };
        let all = shown.spans.iter().filter(|s| (s.kind, s.name) == (open.sum.kind, open.sum.name) && s.complete());
        let (slow, normal) = all.copied().partition(|s| chosen.has(s));
        let at = |t: Time| words::instant(t - cx.index.start);
        let range = format!("{} to {}, {} to {}", chosen.least, chosen.most, at(chosen.from), at(chosen.to));
        let of = format!("{} {}, {range}", open.kind, name(cx.index, open));
        out.push(Command::Enter(cx.place.with_sheet(Sheet::Slow(Arc::new(Slow { of, slow, normal })))));
        out.push(Command::Focus(Pane::Body));
        true
    }

    /// Why there are no rows.
    fn message(&self, cx: &Ctx) -> &'static str {
        let listing = self.lists.open().is_some();
        match (cx.index.complete, self.sums.is_of(&key(cx))) {
            (false, _) => "reading … spans are summed up when the whole trace is read",
            (true, true) if listing && self.lists.is_listed() => "none match the filter",
            (true, true) if !listing && !cx.place.narrowing.is_empty() => {
                "no requests, calls, tasks or regions match the filter"
            }
            (true, true) if !listing => {
                "no tasks or regions (runtime/trace.NewTask, StartRegion), and no requests or calls that the rules know"
            }
            _ => "looking …",
        }
    }
}

fn place(cx: &Ctx, i: &Span) -> Place {
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
        if self.in_picture(action, cx, out) {
            return true;
        }
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
        let (lists, below) = self.parted(area);
        let did = if self.lists.open().is_some() { self.picture.mouse(at, what, below) } else { Did::Nothing };
        if did != Did::Nothing {
            return self.picked(did, cx, out);
        }
        let took = self.lists.mouse(at, what, lists, cx);
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
        let (lists, below) = self.parted(area);
        self.lists.fit(lists);
        self.picture_area = below;
        self.make_picture(below, cx);
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
        let (lists, below) = self.parted(area);
        self.lists.render(lists, buf, cx, |s| heading(self, s, cx), self.message(cx));
        let of = match self.lists.open() {
            Some(s) => format!("{} {}", s.kind, name(cx.index, s)),
            None => "all of these".to_owned(),
        };
        self.picture.draw(&of, below, buf, cx);
    }
}

/// What is listed one by one.
fn heading(view: &Tasks, s: &Named, cx: &Ctx) -> Spans {
    let what = match view.lists.inner.len() {
        MAX_LISTED => format!("the longest {} of {}", text::count(MAX_LISTED as u64), text::count(s.sum.count)),
        _ => format!("{} total", text::count(s.sum.count)),
    };
    let title = format!("{} {} ", s.kind, name(cx.index, s));
    vec![(title, Role::Title), (format!("{} {what}", cx.theme.glyphs.dot), Role::Dim)]
}
