//! The view of the runtime: GC and scheduler, with the numbers of `gotrail gc` and `gotrail sched`.

mod render;

use crate::analysis::gc::{Collector, Gc, Series};
use crate::analysis::sched::{Sched, Scheduler};
use crate::base::{FrameId, GoIdx, GroupId, Time};
use crate::build::observe::Both;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx, Slot};
use crate::tui::app::nav::{Narrow, Place, Row};
use crate::tui::app::view::{Command, Ctx, Mouse, Obeys, Pane, View};
use crate::tui::app::zoom::amid;
use crate::tui::widgets::scroll::Scroll;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// What was found in a window.
struct Found {
    window: (Time, Time),
    gc: Gc,
    sched: Sched,
    utilisation: Series,
}

enum Said {
    /// So much of the trace has been looked at, 0 to 1.
    Part(f64),
    Done(Box<Found>),
}

/// One half of the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Half {
    #[default]
    Gc,
    Sched,
}

/// The view.
#[derive(Default)]
pub struct Runtime {
    asked: Option<(Time, Time)>,
    found: Option<Box<Found>>,
    /// How much of the trace has been looked at for what was asked last.
    part: f64,
    /// Whether the user has called that off.
    cancelled: bool,
    half: Half,
    cycles: Scroll,
    groups: Scroll,
    /// The groups that are shown: positions in what was found.
    shown: Vec<usize>,
    only: Option<GroupId>,
}

const NAME: &str = "runtime";

fn look(window: (Time, Time)) -> Job {
    let work = move |cx: &JobCtx, say: &(dyn Fn(Said) + Sync)| {
        let (gc, sched) = (Collector::new(window), Scheduler::new(window));
        let progress = |part| say(Said::Part(part));
        if !cx.trace.observe(&Both(&gc, &sched), &progress, cx.cancel) {
            return Err("no longer wanted".into());
        }
        let index = cx.trace.index();
        let (gc, sched) = (gc.finish(&index), sched.finish(&index));
        let utilisation = gc.utilisation(true);
        say(Said::Done(Box::new(Found { window, gc, sched, utilisation })));
        Ok(())
    };
    Job::stream(NAME, work, |view: &mut Runtime, said, cx, _| view.take(said, cx))
}

impl Runtime {
    fn take(&mut self, said: Said, cx: &Ctx) {
        match said {
            Said::Part(part) => self.part = part,
            Said::Done(found) if self.asked == Some(found.window) => {
                self.found = Some(found);
                self.choose(cx);
            }
            Said::Done(_) => {}
        }
    }

    /// Chooses the groups that are shown: those that waited, and of the group that is selected alone.
    fn choose(&mut self, cx: &Ctx) {
        self.only = cx.place.group().or_else(|| Some(cx.index.goroutine(cx.place.only()?)?.group));
        let groups = self.found.as_ref().map_or(&[][..], |f| &f.sched.groups);
        let fits = |g: GroupId| self.only.is_none_or(|o| o == g);
        let shown = groups.iter().enumerate().filter(|(_, g)| g.all.count > 0 && fits(g.group));
        self.shown = shown.map(|(i, _)| i).collect();
    }

    /// Whether what was asked last is still being looked for.
    fn is_looking(&self) -> bool {
        !self.cancelled && self.asked.is_some() && self.asked != self.found.as_ref().map(|f| f.window)
    }

    fn cycle_count(&self) -> usize {
        self.found.as_ref().map_or(0, |f| f.gc.cycles.len())
    }

    /// What is under the cursor: the row of the detail pane, and when.
    fn on(&self, cx: &Ctx) -> Option<(Row, Time)> {
        let f = self.found.as_ref()?;
        match self.half {
            Half::Gc => f.gc.cycles.get(self.cycles.selected as usize).map(|c| (Row::Gc, c.from)),
            Half::Sched => {
                let g = f.sched.groups.get(*self.shown.get(self.groups.selected as usize)?)?;
                let at = g.all.longest.some().map_or(cx.index.start, |l| l.from);
                Some((Row::Group(g.group), at))
            }
        }
    }

    /// Tells the model of what is under the cursor.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some((row, at)) = self.on(cx) else { return };
        let here = Place { go: GoIdx::NONE, frame: FrameId::NONE, event: None, row: Some(row), at, ..cx.place.clone() };
        if here != *cx.place {
            out.push(Command::Move(here));
        }
    }

    /// Goes to the cycle under the cursor, or to the longest wait of the group, on the timeline.
    fn enter(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(f) = &self.found else { return };
        let (go, from, to) = match self.half {
            Half::Gc => match f.gc.cycles.get(self.cycles.selected as usize) {
                Some(c) => (c.trigger, c.from, c.to.unwrap_or(cx.index.end)),
                None => return,
            },
            Half::Sched => {
                let group = self.shown.get(self.groups.selected as usize).and_then(|&i| f.sched.groups.get(i));
                match group.and_then(|g| g.all.longest.some()) {
                    Some(l) => (l.go, l.from, l.from + l.len),
                    None => return,
                }
            }
        };
        let (zoom, row, view) = (Some(amid(from, to)), None, ViewId::Timeline);
        let place = Place { view, zoom, go, row, at: from, event: None, frame: FrameId::NONE, ..cx.place.clone() };
        out.push(Command::Enter(place));
        out.push(Command::Focus(Pane::Body));
    }

    /// Moves the cursor: from the last cycle on to the first group, and back.
    fn step(&mut self, action: Action) -> bool {
        let (cycles, groups) = (self.cycle_count() as u64, self.shown.len() as u64);
        match (self.half, action) {
            (Half::Gc, Action::Down) if groups > 0 && self.cycles.selected + 1 >= cycles => self.half = Half::Sched,
            (Half::Sched, Action::Up) if cycles > 0 && self.groups.selected == 0 => self.half = Half::Gc,
            (Half::Gc, _) => return self.cycles.handle(action),
            (Half::Sched, _) => return self.groups.handle(action),
        }
        true
    }
}

impl View for Runtime {
    fn title(&self, cx: &Ctx) -> String {
        match cx.place.query() {
            Some(_) => "runtime · of all events: the query has no say here".into(),
            None => "runtime".into(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn obeys(&self, _: &Place) -> Obeys {
        Obeys { range: true, ..Obeys::NOTHING }
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Escape if cx.focused && self.is_looking() => {
                self.cancelled = true;
                out.push(Command::Cancel(Slot::of::<Runtime>(NAME)));
            }
            Action::Enter if self.cancelled => (self.asked, self.cancelled) = (None, false),
            Action::Enter => self.enter(cx, out),
            Action::Right if cx.focused => self.enter(cx, out),
            Action::Narrow => match self.on(cx) {
                Some((Row::Group(g), _)) => out.push(Command::Narrow(Narrow::Group(g))),
                _ => return false,
            },
            _ => {
                if !self.step(action) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let parts = render::parts(self, area);
        match what {
            Mouse::Press | Mouse::Double => {
                let inside = |r: Rect| r.contains(at).then(|| u64::from(at.y - r.y));
                if let Some(row) = inside(parts.cycles) {
                    self.half = Half::Gc;
                    self.cycles.select(self.cycles.top + row);
                } else if let Some(row) = inside(parts.groups) {
                    self.half = Half::Sched;
                    self.groups.select(self.groups.top + row / u64::from(render::GROUP_LINES));
                } else {
                    return false;
                }
                self.point(cx, out);
                if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Wheel(n, _) if parts.groups.y <= at.y => self.groups.wheel(i64::from(n)),
            Mouse::Wheel(n, _) => self.cycles.wheel(i64::from(n) * 3),
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Runtime {
            return;
        }
        let want = cx.place.window().unwrap_or((Time::MIN, Time::MAX));
        if cx.index.complete && self.asked != Some(want) {
            (self.asked, self.part, self.cancelled) = (Some(want), 0.0, false);
            out.push(Command::Run(look(want)));
        }
        self.choose(cx);
        if self.half == Half::Gc && self.cycle_count() == 0 && !self.shown.is_empty() {
            self.half = Half::Sched;
        }
        let parts = render::parts(self, area);
        self.cycles.fit(self.cycle_count() as u64, parts.cycles.height);
        self.groups.fit(self.shown.len() as u64, parts.groups.height / render::GROUP_LINES);
        self.point(cx, out);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
