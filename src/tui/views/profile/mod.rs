//! The profile view: functions with what they cost, who called one and what it called, the flame graph, and labels.

mod body;
mod found;
mod functions;
mod graph;
mod head;
mod labels;
mod lines;
mod rows;

use crate::analysis::cost::lenses::ByLens;
use crate::analysis::profile::cut::Cut;
use crate::analysis::profile::{Ask, Profiled};
use crate::base::FrameId;
use crate::base::text;
use crate::profile::ops::measure;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Mouse, Obeys, Pane, Querying, View};
use crate::tui::theme::Role;
use crate::tui::widgets::list::Took;
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::{table, write};
use body::{Body, Enter};
use found::{Found, Key};
use functions::Functions;
use graph::Graph;
use labels::Labels;
use lines::Lines;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

fn share(v: i64, of: i64) -> String {
    // What is too little for two digits would be written in powers of ten.
    let little = v != 0 && of != 0 && (v as f64 / of as f64).abs() < 1e-4;
    if little { "<0.01%".into() } else { measure::percentage(v, of).trim_start().to_string() }
}

/// What stands in the view. The state of each outlives another's being shown.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Shown {
    /// The functions as a table, or one between its callers and its callees.
    #[default]
    Functions,
    /// The flame graph.
    Graph,
    /// The labels, in place of the functions or of the graph.
    Labels {
        /// Whether the graph comes back when they go.
        over_graph: bool,
    },
}

/// The view.
#[derive(Default)]
pub struct Profile {
    /// The sample type that was chosen, and of which profile; otherwise it is the profile's default.
    kind: Option<(usize, usize)>,
    mine: bool,
    grouped: bool,
    lens: ByLens,
    /// Whether profiles that are compared are scaled to one sum, if the user has said so or not.
    normalize: Option<bool>,
    /// Whether the graph is of what has become less.
    less: bool,
    found: Lookup<Key, Found>,
    shown: Shown,
    functions: Functions,
    graph: Graph,
    labels: Labels,
    /// The pane beside it.
    lines: Lines,
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
    Job::new("profile", work, |view: &mut Profile, found, cx, out| view.receive(found, cx, out))
}

/// What is below the line that says of what the numbers are.
fn below(area: Rect) -> Rect {
    let head = area.height.min(1);
    Rect { y: area.y + head, height: area.height - head, ..area }
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
            lens: self.lens,
            query: cx.place.query().map(str::to_string),
        };
        Key { profile: cx.place.profile, ask }
    }

    fn fresh(&self, cx: &Ctx) -> bool {
        self.found.is_of(&self.key(cx))
    }

    /// The body that is shown.
    fn body(&self) -> &dyn Body {
        match self.shown {
            Shown::Functions => &self.functions,
            Shown::Graph => &self.graph,
            Shown::Labels { .. } => &self.labels,
        }
    }

    /// The same, to change.
    fn body_mut(&mut self) -> &mut dyn Body {
        match self.shown {
            Shown::Functions => &mut self.functions,
            Shown::Graph => &mut self.graph,
            Shown::Labels { .. } => &mut self.labels,
        }
    }

    /// Shows what was there before the labels.
    fn hide_labels(&mut self) {
        if let Shown::Labels { over_graph } = self.shown {
            self.shown = if over_graph { Shown::Graph } else { Shown::Functions };
        }
    }

    fn show_labels(&mut self) {
        self.shown = Shown::Labels { over_graph: self.shown == Shown::Graph };
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

    /// The frame under the cursor; labels have none.
    fn frame(&self) -> Option<FrameId> {
        self.body().frame(self.found.latest()?)
    }

    fn point(&self, out: &mut Vec<Command>) {
        out.push(Command::Frame(self.frame().unwrap_or(FrameId::NONE)));
    }

    /// Changes between functions and graph; from the labels it goes to the graph.
    fn turn(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if self.shown == Shown::Graph {
            self.shown = Shown::Functions;
        } else {
            self.shown = Shown::Functions;
            if let (Some(found), Some(frame)) = (self.found.latest(), self.frame()) {
                self.graph.seek(found, frame, cx);
            }
            self.shown = Shown::Graph;
        }
        self.point(out);
    }

    /// Shows the labels, or what was there before.
    fn list(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        match self.shown {
            Shown::Labels { .. } => self.hide_labels(),
            _ => self.show_labels(),
        }
        self.labels.turned_at(cx.place.narrowing.len());
        self.point(out);
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(found) = self.found.latest().cloned() else { return };
        let narrowed = cx.place.narrowing.len();
        match self.body_mut().enter(&found, narrowed, cx) {
            Enter::Nothing => {}
            Enter::Point => self.point(out),
            Enter::Source => {
                out.push(Command::Focus(Pane::Source));
                if self.shown == Shown::Functions {
                    self.point(out);
                }
            }
            Enter::Narrow => {
                let cut = self.body().cut(&found, cx);
                if cut.is_some_and(|c| labels::is_narrowed_to(&c, cx)) {
                    self.hide_labels();
                } else if self.narrow(false, cx, out) {
                    self.labels.chosen(narrowed);
                    self.hide_labels();
                }
            }
        }
    }

    /// Leaves what was entered last; `false` if that is what the profile is filtered by, or nothing.
    fn leave(&mut self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let narrowed = cx.place.narrowing.len();
        let found = self.found.latest().cloned();
        let left = found.is_some_and(|f| self.body_mut().leave(narrowed, &f, cx));
        match self.shown {
            Shown::Labels { .. } => {
                if left {
                    self.hide_labels();
                }
                self.point(out);
            }
            Shown::Functions if left => self.point(out),
            Shown::Graph if left => {}
            _ => {
                // Back from a label it is on the list again.
                if self.labels.comes_back(narrowed) {
                    self.show_labels();
                }
            }
        }
        left
    }

    /// Narrows to what is under the cursor, or to what is `without` it; `false` if there is nothing new to narrow to.
    fn narrow(&mut self, without: bool, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        // What is on the screen may be of the filters before.
        let cut = self.found.latest().filter(|_| self.fresh(cx)).and_then(|f| self.body().cut(f, cx));
        let Some(cut) = cut else {
            out.push(Command::Say("there is nothing under the cursor to filter by".into()));
            return false;
        };
        let cut = Cut { without: cut.without != without, ..cut };
        if labels::is_narrowed_to(&cut, cx) {
            out.push(Command::Say("it is filtered by that already".into()));
            return false;
        }
        out.push(Command::Narrow(Narrow::Cut(cut)));
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

    /// Does what a key or the mouse means in the body.
    fn took(&mut self, took: Took, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match took {
            Took::Nothing => return false,
            Took::Done => {}
            Took::Moved | Took::Closed => self.point(out),
            Took::Enter => self.enter(cx, out),
            Took::Double => {
                self.point(out);
                self.enter(cx, out);
            }
        }
        true
    }

    fn receive(&mut self, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        let old = self.found.latest().cloned();
        let Some(found) = self.found.take(found.key.clone(), found) else { return };
        let old = old.as_deref();
        self.functions.take(old, &found, cx);
        self.graph.take(old, &found, cx);
        self.labels.take(old, &found, cx);
        self.lines.take(found.clone());
        out.push(Command::Costs(found));
        if cx.place.view == ViewId::Profile {
            self.point(out);
        }
    }
}

impl View for Profile {
    fn title(&self, _cx: &Ctx) -> String {
        "profile".into()
    }

    fn scope(&self) -> Scope {
        Scope::Profile
    }

    fn obeys(&self, _: &Place) -> Obeys {
        Obeys { query: Querying::Filters, ..Obeys::NOTHING }
    }

    fn of_profiles(&self, _pane: Pane) -> bool {
        true
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::SampleType => self.next_kind(cx, out),
            Action::MyCode => self.mine = !self.mine,
            Action::Lenses if matches!(self.shown, Shown::Graph) => self.lens = self.lens.next(),
            Action::Lenses => out.push(Command::Say("lenses colour and group the flame graph: t shows it".into())),
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
            Action::Less => self.compare(cx, out, |view, _, out| match view.shown {
                Shown::Graph => view.less = !view.less,
                _ => out.push(Command::Say("that is for the graph: t shows it".into())),
            }),
            Action::Labels => self.list(cx, out),
            Action::Narrow | Action::LeaveOut => {
                self.narrow(action == Action::LeaveOut, cx, out);
            }
            Action::Shape => self.turn(cx, out),
            Action::Enter if cx.focused => self.enter(cx, out),
            Action::Escape if cx.focused => return self.leave(cx, out),
            Action::Copy if cx.focused => match self.found.latest().and_then(|f| self.body().text(f, cx)) {
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
            Action::SortNext | Action::SortPrev | Action::SortReverse => {
                if let Some(found) = self.found.latest().cloned() {
                    self.body_mut().handle(action, &found, cx);
                }
            }
            _ if !cx.focused => return false,
            _ => {
                let Some(found) = self.found.latest().cloned() else { return false };
                let took = self.body_mut().handle(action, &found, cx);
                return self.took(took, cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(found) = self.found.latest().cloned() else { return false };
        let took = self.body_mut().mouse(at, what, below(area), &found, cx);
        self.took(took, cx, out)
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let (ViewId::Profile, Some(p)) = (cx.place.view, present(cx)) else { return };
        let want = self.key(cx);
        if self.found.want(&want) {
            out.push(Command::Run(sum_up(p.clone(), want)));
        }
        let found = self.found.latest().map(|f| &**f);
        self.functions.fit(below(area), found);
        self.graph.fit(below(area), found);
        self.labels.fit(below(area), found);
        if !cx.place.frame.is_some() && self.fresh(cx) {
            self.point(out);
        }
    }

    fn aside(&self, _place: &Place) -> Option<&dyn View> {
        Some(&self.lines)
    }

    fn aside_mut(&mut self, _place: &Place) -> Option<&mut dyn View> {
        Some(&mut self.lines)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        if area.is_empty() {
            return;
        }
        let (line, below) = (table::row(area, 0), below(area));
        let dim = cx.theme.style(Role::Dim);
        if present(cx).is_none() {
            let text = "no profile is open; one given beside the trace is: gotrail trace.out cpu.pb.gz";
            write(buf, line, line.x + 1, line.y, &text::fit(text, usize::from(line.width.saturating_sub(1))), dim);
            return;
        }
        head::draw(self, line, buf, cx);
        match self.found.latest().filter(|f| f.key.profile == cx.place.profile) {
            Some(found) => self.body().render(found, below, buf, cx),
            None => {
                write(buf, below, below.x + 1, below.y, "adding up …", dim);
            }
        }
    }
}
