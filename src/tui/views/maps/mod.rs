//! The view of maps: which lines operate on them, what that costs and what would help, with the numbers of `gotrail maps`.

mod render;
mod rows;

use crate::analysis::maps::Maps as Sums;
use crate::base::{FrameId, GoIdx, GroupId, Time};
use crate::query::{Pattern, Term};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::Slot;
use crate::tui::app::nav::{Narrow, Place, Row};
use crate::tui::app::search;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::Sort;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rows::Target;

/// What maps were looked for in.
#[derive(Clone, PartialEq, Debug, Default)]
struct Key {
    window: Option<(Time, Time)>,
    group: Option<GroupId>,
    query: Option<String>,
}

impl Key {
    fn of(cx: &Ctx) -> Key {
        Key { window: cx.place.window(), group: cx.place.group(), query: search::query_of(cx.place, cx.index) }
    }

    fn is_all(&self) -> bool {
        *self == Key::default()
    }
}

/// What was found.
struct Found {
    key: Key,
    maps: Sums,
    /// Where each line leads, in the order of the lines.
    targets: Vec<Target>,
}

/// The view.
#[derive(Default)]
pub struct Maps {
    asked: Option<Key>,
    found: Option<Box<Found>>,
    /// How much of the trace has been looked at for what was asked last.
    part: f64,
    /// Whether the user has called that off.
    cancelled: bool,
    list: Scroll,
    /// By which column the lines are sorted; by none, they are as they were found: the most expensive first.
    sort: Option<Sort>,
    /// The lines in this order: positions in what was found.
    order: Vec<usize>,
    /// What locks others waited for: of the whole trace, so that it is looked for once.
    locks: rows::Locks,
}

impl Maps {
    fn take(&mut self, said: rows::Said) {
        match said {
            rows::Said::Part(part) => self.part = part,
            rows::Said::Done(found) if self.asked.as_ref() == Some(&found.key) => {
                self.found = Some(found);
                self.arrange();
            }
            rows::Said::Done(_) => {}
        }
    }

    /// Whether what was asked last is still being looked for.
    fn is_looking(&self) -> bool {
        !self.cancelled && self.asked.is_some() && self.asked.as_ref() != self.found.as_ref().map(|f| &f.key)
    }

    /// Puts the lines in order, and keeps the cursor on its line.
    fn arrange(&mut self) {
        let at = self.selected();
        let lines = self.found.as_ref().map_or(&[][..], |f| &f.maps.lines);
        self.order = render::order(lines, self.sort);
        if let Some(row) = self.order.iter().position(|&i| Some(i) == at) {
            self.list.select(row as u64);
        }
    }

    /// Sorts by the column to the right or to the left, or the other way round.
    fn resort(&mut self, action: Action) -> bool {
        let mut sort = self.sort.unwrap_or(render::AS_FOUND);
        match action {
            Action::SortNext => sort.step(1, &render::COLUMNS),
            Action::SortPrev => sort.step(-1, &render::COLUMNS),
            Action::SortReverse => sort.descending = !sort.descending,
            _ => return false,
        }
        self.sort = Some(sort);
        self.arrange();
        true
    }

    /// The line under the cursor: its position in what was found.
    fn selected(&self) -> Option<usize> {
        self.order.get(self.list.selected as usize).copied()
    }

    /// Where the line under the cursor leads.
    fn target(&self) -> Option<&Target> {
        self.found.as_ref()?.targets.get(self.selected()?)
    }

    /// Puts the cursor on the line whose source is shown, if that is another one: whoever came here was at it.
    fn follow(&mut self, cx: &Ctx) {
        let shown = |t: &Target| match (t.profile, cx.no_trace()) {
            (Some(at), true) => at == (cx.place.profile, cx.place.frame),
            (_, alone) => !alone && t.frame == cx.place.frame,
        };
        let targets = self.found.as_ref().map_or(&[][..], |f| &f.targets);
        if cx.place.frame.is_some()
            && let Some(row) = self.order.iter().position(|&i| targets.get(i).is_some_and(shown))
        {
            self.list.reveal(row as u64);
        }
    }

    /// Shows the source of the line under the cursor, and beside it the goroutines that were sampled there most.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(t) = self.target() else { return };
        let frame = if cx.no_trace() { t.profile.map_or(FrameId::NONE, |p| p.1) } else { t.frame };
        let profile = t.profile.filter(|_| cx.no_trace()).map_or(cx.place.profile, |p| p.0);
        let row = t.group.map(Row::Group);
        let here = Place { go: GoIdx::NONE, event: None, row, frame, profile, ..cx.place.clone() };
        if here != *cx.place {
            out.push(Command::Move(here));
        }
    }

    /// Goes to the stacks of the line under the cursor; those of a profile, if no stack of the trace has it.
    fn enter(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(t) = self.target() else { return };
        let mut to = match (t.frame.some(), t.profile) {
            (Some(frame), _) if !cx.no_trace() => Place { view: ViewId::Stacks, frame, ..cx.place.clone() },
            (_, Some((profile, frame))) => Place { view: ViewId::Profile, profile, frame, ..cx.place.clone() },
            _ => {
                out.push(Command::Say("no stack has this line".into()));
                return;
            }
        };
        if to.view == ViewId::Stacks {
            let file = Pattern { text: t.file.clone(), regex: false };
            to.narrow(Narrow::Query(Term::File(file, Some(t.line)).to_string()));
        }
        out.push(Command::Enter(to));
        out.push(Command::Focus(Pane::Body));
    }

    /// What is known of the line under the cursor, as text.
    fn text(&self) -> Option<String> {
        let f = self.found.as_ref()?;
        Some(rows::text(&f.maps, f.maps.lines.get(self.selected()?)?))
    }
}

impl View for Maps {
    fn title(&self, _cx: &Ctx) -> String {
        "maps".into()
    }

    fn scope(&self) -> Scope {
        Scope::Table
    }

    fn of_profiles(&self, pane: Pane) -> bool {
        matches!(pane, Pane::Body | Pane::Source)
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Escape if cx.focused && self.is_looking() => {
                self.cancelled = true;
                out.push(Command::Cancel(Slot::of::<Maps>(rows::NAME)));
            }
            Action::Enter if self.cancelled => (self.asked, self.cancelled) = (None, false),
            Action::Enter => self.enter(cx, out),
            Action::Right if cx.focused => self.enter(cx, out),
            Action::Copy if cx.focused => match self.text() {
                Some(text) => out.push(Command::Copy(text)),
                None => return false,
            },
            _ => {
                if !self.resort(action) && !self.list.handle(action) {
                    return false;
                }
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double => {
                let lines = render::lines(self, area, cx);
                if let Some(column) = render::heading_at(area, lines, at) {
                    let mut sort = self.sort.unwrap_or(render::AS_FOUND);
                    sort.click(column, &render::COLUMNS);
                    self.sort = Some(sort);
                    self.arrange();
                    return true;
                }
                if !lines.contains(at) {
                    return false;
                }
                self.list.select(self.list.top + u64::from(at.y - lines.y));
                self.point(cx, out);
                if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Wheel(n, _) => {
                self.list.wheel(i64::from(n));
                self.point(cx, out);
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Maps {
            return;
        }
        let want = Key::of(cx);
        if (cx.index.complete || cx.no_trace()) && self.asked.as_ref() != Some(&want) {
            (self.asked, self.part, self.cancelled) = (Some(want.clone()), 0.0, false);
            out.push(Command::Run(rows::look(want, cx, self.locks.clone())));
        }
        self.list.fit(self.order.len() as u64, render::lines(self, area, cx).height);
        self.follow(cx);
        self.point(cx, out);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
