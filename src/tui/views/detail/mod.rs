//! The detail pane: the interval or event under the cursor, its stack, what blocked it and what woke it.

mod lines;

use crate::analysis::states::interval;
use crate::analysis::states::interval::{By, Edge, Interval};
use crate::analysis::timeline::totals::{Totals, totals};
use crate::analysis::waits::alike::{self, Like};
use crate::analysis::waits::path::Window;
use crate::base::EventNo;
use crate::base::{Duration, FrameId, GoIdx, ProcIdx, StackId, Time};
use crate::model::Waker;
use crate::model::{Cell, Event, Index, Lane};
use crate::tui::app::action::Action;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::hits::user_frame;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Row, Target};
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::text;
use crate::tui::widgets::spans;
use crate::wire::event::GoState;
use lines::{Act, Line};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// What the cursor is on, as far as the pane depends on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Key {
    go: GoIdx,
    row: Option<Row>,
    at: Time,
    event: Option<EventNo>,
    /// The selected range, where what is under the cursor is summed up over it.
    window: Option<(Time, Time)>,
    complete: bool,
}

/// What is under the cursor.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Where it was looked for.
    pub key: Key,
    /// The event, if the cursor is on one.
    pub event: Option<Event>,
    /// What the goroutine was doing then.
    pub interval: Option<Interval>,
    /// The sums of a group, or of all Ps, in the selected range.
    pub within: Option<Cell>,
    /// What all groups did in that range, for the next of them.
    ranged: Option<Ranged>,
}

/// A range, and what groups did in it.
type Ranged = ((Time, Time), Arc<Totals>);

/// The pane.
#[derive(Default)]
pub struct Detail {
    found: Option<Found>,
    asked: Option<Key>,
    selected: Option<Act>,
    top: usize,
}

fn key(cx: &Ctx) -> Key {
    let (go, row, event) = cx.place.subject();
    let window = cx.place.window().filter(|_| matches!(row, Some(Row::Group(_) | Row::Procs | Row::System)));
    // What is the same at all times is not looked for anew when the cursor moves.
    let at = if window.is_some() { Time(0) } else { cx.place.at };
    // On a path the cursor is on whoever the instant is laid to.
    let walks = cx.place.route.as_ref().filter(|_| row == Some(Row::Path)).and_then(|r| r.at(at));
    Key { go: walks.unwrap_or(go), row, at, event, window, complete: cx.index.complete }
}

fn look(key: Key, known: Option<Ranged>) -> Job {
    let work = move |cx: &JobCtx| {
        let procs = cx.trace.index().procs.len();
        let event = key.event.and_then(|no| {
            let i = cx.trace.index().segment_of(no)?;
            let seg = cx.trace.segment(i).ok()?;
            let at = usize::try_from(no.checked_sub(seg.first)?).ok()?;
            (at < seg.len()).then(|| seg.event(at))
        });
        let go = match key.row {
            Some(Row::Proc(p)) => interval::on_proc(cx.trace, p, procs, key.at),
            _ => key.go.some(),
        };
        let interval = go.and_then(|g| interval::at(cx.trace, g, key.at, cx.cancel));
        let grouped = key.complete && matches!(key.row, Some(Row::Group(_) | Row::System));
        let ranged = match (key.window.filter(|_| grouped), known) {
            (Some(window), Some(known)) if known.0 == window => Some(known),
            (Some(window), _) => Some((window, Arc::new(totals(cx, window, &|_| false)?))),
            (None, known) => known,
        };
        let within = key.window.map(|w| {
            let exact = ranged.as_ref().filter(|r| grouped && r.0 == w).map(|r| &*r.1);
            within(&cx.trace.index(), key.row, w, exact)
        });
        Ok(Found { key, event, interval, within, ranged })
    };
    Job::new("detail", work, |pane: &mut Detail, found, cx, out| pane.take(found, cx, out))
}

/// The sums of what a row stands for, inside a window: those that are known, and else the grid's.
fn within(index: &Index, row: Option<Row>, (from, to): (Time, Time), exact: Option<&Totals>) -> Cell {
    let lanes: Vec<Lane> = match row {
        Some(Row::Group(g)) => vec![Lane::Group(g)],
        Some(Row::System) => {
            let all = (0..index.groups.len() as u32).map(crate::base::GroupId);
            all.filter(|&g| index.owner(g).is_hidden()).map(Lane::Group).collect()
        }
        _ => (0..index.procs.len()).map(|p| Lane::Proc(ProcIdx(p as u16))).collect(),
    };
    let mut sum = Cell::default();
    for lane in lanes {
        match exact {
            Some(totals) => totals.get(&lane).into_iter().for_each(|c| sum.add(c)),
            None => index.cells(lane, from, to, 1).iter().for_each(|c| sum.add(c)),
        }
    }
    sum
}

impl Detail {
    /// What was found, if it is about what the cursor is on now.
    fn present(&self, cx: &Ctx) -> Option<&Found> {
        let (found, key) = (self.found.as_ref()?, key(cx));
        (found.key == key || covers(found, &key)).then_some(found)
    }

    /// The same, and until it is there what was found last of the same goroutine: of another it would be wrong.
    fn shown(&self, cx: &Ctx) -> Option<&Found> {
        let of = key(cx).go;
        self.present(cx).or(self.found.as_ref().filter(|f| of.is_some() && f.key.go == of))
    }

    fn jump(&self, cx: &Ctx, t: Target, out: &mut Vec<Command>) {
        out.push(t.command(cx.place));
    }

    fn take(&mut self, found: Found, cx: &Ctx, out: &mut Vec<Command>) {
        let changed = self.found.as_ref().is_none_or(|f| main_stack(f) != main_stack(&found));
        let stack = main_stack(&found);
        self.found = Some(found);
        self.asked = None;
        if changed {
            self.selected = None;
            self.top = 0;
        }
        // On a row of the timeline that is a frame, the line is that one's.
        let chosen = matches!(cx.place.row, Some(Row::Inside(..))) && cx.place.frame.is_some();
        let kept = chosen || cx.index.dict.stack_ids(stack).any(|f| f == cx.place.frame);
        if stack.is_some() && !kept {
            out.push(Command::Frame(user_frame(cx.index, stack)));
        }
    }

    fn unblocker(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.present(cx).and_then(|f| f.interval.as_ref()) else { return false };
        match i.waker.map(|w| (w.by, w)) {
            Some((By::Goroutine(go), w)) => self.jump(cx, Target { go, at: w.at, far: true }, out),
            Some((By::Runtime, _)) => {
                let who = interval::by_reason(cx.index.dict.str(i.reason));
                out.push(Command::Say(format!("no goroutine unblocked it: it was {who}")));
            }
            Some((By::Timer, _)) => {
                out.push(Command::Say(format!("no goroutine made this one: {} started it", Waker::Timer.words())))
            }
            Some((By::Syscall { kept }, w)) => {
                out.push(Command::Say(format!("it came back {}", lines::returned(cx.index, kept, w.proc))));
            }
            None if i.end == Edge::Trace => out.push(Command::Say("the trace ends before this does".into())),
            None if i.end == Edge::Untraced => {
                out.push(Command::Say("the recording ends before this does: what follows is not traced".into()));
            }
            None => out.push(Command::Say("the trace does not say who made it runnable".into())),
        }
        true
    }

    fn unblocked(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.present(cx).and_then(|f| f.interval.as_ref()) else { return false };
        match i.woke.iter().find(|w| w.at >= cx.place.at).or(i.woke.last()) {
            // The last instant of the wait, so that the cursor is on it.
            Some(w) => self.jump(cx, Target { go: w.go, at: w.at - Duration(1), far: true }, out),
            None => out.push(Command::Say("it unblocked no goroutine in this interval".into())),
        }
        true
    }

    /// Shows what the time of the interval under the cursor went into.
    fn path(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.present(cx).and_then(|f| f.interval.as_ref()) else { return false };
        if !cx.index.complete {
            out.push(Command::Say("the trace is still being read".into()));
            return true;
        }
        out.push(Command::Enter(cx.place.with_sheet(path_of(cx.index, i))));
        out.push(Command::Focus(Pane::Body));
        true
    }

    /// Shows the chain of the wait under the cursor.
    fn chain(&self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.present(cx).and_then(|f| f.interval.as_ref()) else { return false };
        let say = match i.begin.event() {
            _ if !cx.index.complete => Command::Say("the trace is still being read".into()),
            _ if i.state != GoState::Waiting => Command::Say("there is no wait under the cursor".into()),
            Some(e) => {
                out.push(Command::Focus(Pane::Body));
                Command::Enter(cx.place.with_sheet(Sheet::Chain(e.no)))
            }
            None => Command::Say("blocked since before the trace".into()),
        };
        out.push(say);
        true
    }

    /// Goes to the next wait, or the one before, for the same reason at the same line, in the scope.
    fn alike(&self, cx: &Ctx, forward: bool, out: &mut Vec<Command>) -> bool {
        let Some(i) = self.present(cx).and_then(|f| f.interval.as_ref()) else { return false };
        let began = i.begin.event().filter(|_| i.state == GoState::Waiting).map(|e| e.no);
        let Some(no) = began else {
            out.push(Command::Say("there is no wait under the cursor that began in the trace".into()));
            return true;
        };
        let like = Like { reason: i.reason, stack: i.stack };
        let (only, window) = (cx.place.only(), cx.place.window());
        let members = cx.place.group().and_then(|g| cx.index.groups.get(g.index())).map(|g| g.members.clone());
        let work = move |j: &JobCtx| {
            let wanted = |g| only.is_none_or(|o| o == g) && members.as_ref().is_none_or(|m| m.contains(&g));
            Ok(alike::next(j, like, (no, forward), &wanted)?)
        };
        out.push(Command::Run(Job::new("alike", work, move |_: &mut Detail, found, cx, out| {
            let inside = |at: Time| window.is_none_or(|(a, b)| at >= a && at < b);
            out.push(match found.filter(|f| inside(f.1)) {
                Some((go, at)) => Target { go, at, far: true }.command(cx.place),
                None if forward => Command::Say("this is the last wait of its kind in the scope".into()),
                None => Command::Say("this is the first wait of its kind in the scope".into()),
            });
        })));
        true
    }

    fn step(&self, cx: &Ctx, forward: bool, out: &mut Vec<Command>) -> bool {
        let Some(go) = cx.place.go.some() else { return false };
        let at = cx.place.at;
        let work = move |j: &JobCtx| Ok(interval::step(j.trace, go, at, forward, j.cancel));
        out.push(Command::Run(Job::new("step", work, move |_: &mut Detail, found, cx, out| {
            out.push(match found {
                Some(at) => Target { go, at, far: false }.command(cx.place),
                None => Command::Say("there is no further change of its state".into()),
            });
        })));
        true
    }

    fn lines(&self, cx: &Ctx, height: u16) -> Vec<Line> {
        // Long stacks are cut around the user's frame until someone walks through them.
        let all = cx.focused && self.selected.is_some();
        lines::lines(self.shown(cx), cx, if all { u16::MAX } else { height })
    }

    /// Which line is selected.
    fn cursor(&self, lines: &[Line]) -> Option<usize> {
        let chosen = self.selected.and_then(|s| lines.iter().position(|l| l.act == Some(s)));
        chosen.or_else(|| lines.iter().position(|l| l.user)).or_else(|| lines.iter().position(|l| l.act.is_some()))
    }

    fn walk(&mut self, cx: &Ctx, action: Action) -> bool {
        let lines = self.lines(cx, u16::MAX);
        let stops: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].act.is_some()).collect();
        let now = self.cursor(&lines).and_then(|c| stops.iter().position(|&s| s == c)).unwrap_or(0);
        let last = stops.len().saturating_sub(1);
        let to = match action {
            Action::Down => now + 1,
            Action::Up => now.saturating_sub(1),
            Action::HalfDown | Action::PageDown => now + 8,
            Action::HalfUp | Action::PageUp => now.saturating_sub(8),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        };
        if let Some(&i) = stops.get(to.min(last)) {
            self.selected = lines[i].act;
        }
        true
    }

    fn go_into(&mut self, cx: &Ctx, act: Act, out: &mut Vec<Command>) {
        match act {
            Act::Frame(f) => {
                out.push(Command::Frame(f));
                out.push(Command::Focus(Pane::Source));
            }
            Act::Go(t) => self.jump(cx, t, out),
        }
    }
}

/// The critical path of an interval.
pub fn path_of(index: &Index, i: &Interval) -> Sheet {
    let window = Window { go: i.go, from: i.from, to: i.to, end: i.end.event().map(|e| e.no) };
    Sheet::Path(window, format!("{} {}", text::goroutine(index, i.go), i.state.name().to_lowercase()).into())
}

/// The chain of an interval that is a wait whose beginning is in the trace.
pub fn chain_of(i: &Interval) -> Option<Sheet> {
    let began = i.begin.event().filter(|_| i.state == GoState::Waiting)?;
    Some(Sheet::Chain(began.no))
}

/// Whether what was found for one instant holds for another too.
fn covers(found: &Found, key: &Key) -> bool {
    let Some(i) = &found.interval else { return false };
    let same = found.key.event.is_none() && key.event.is_none() && found.key.complete == key.complete;
    same && key.go == i.go && key.at >= i.from && key.at < i.to
}

/// The stack that matters most in what was found.
fn main_stack(found: &Found) -> StackId {
    match (&found.event, &found.interval) {
        (Some(e), _) if e.stack.is_some() => e.stack,
        (_, Some(i)) if i.stack.is_some() => i.stack,
        (_, Some(i)) => i.samples.first().map_or(StackId::NONE, |s| s.0),
        _ => StackId::NONE,
    }
}

impl View for Detail {
    fn title(&self, cx: &Ctx) -> String {
        lines::title(self.shown(cx), cx)
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Unblocker => return self.unblocker(cx, out),
            Action::Unblocked => return self.unblocked(cx, out),
            Action::Path => return self.path(cx, out),
            Action::Chain => return self.chain(cx, out),
            Action::NextWait => return self.alike(cx, true, out),
            Action::PrevWait => return self.alike(cx, false, out),
            Action::NextEvent => return self.step(cx, true, out),
            Action::PrevEvent => return self.step(cx, false, out),
            _ if !cx.focused => return false,
            _ => {}
        }
        match action {
            Action::Enter => {
                let lines = self.lines(cx, u16::MAX);
                let Some(act) = self.cursor(&lines).and_then(|i| lines[i].act) else { return false };
                self.go_into(cx, act, out);
                true
            }
            Action::Copy => {
                let lines = self.lines(cx, u16::MAX);
                let Some(i) = self.cursor(&lines) else { return false };
                out.push(Command::Copy(lines[i].plain()));
                true
            }
            _ => {
                let moved = self.walk(cx, action);
                if moved && let Some(Act::Frame(f)) = self.selected {
                    out.push(Command::Frame(f));
                }
                moved
            }
        }
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double => {
                let lines = self.lines(cx, area.height);
                let Some(act) = lines.get(self.top + usize::from(at.y - area.y)).and_then(|l| l.act) else {
                    return false;
                };
                self.selected = Some(act);
                match (what, act) {
                    (Mouse::Double, act) => self.go_into(cx, act, out),
                    (_, Act::Frame(f)) => out.push(Command::Frame(f)),
                    _ => {}
                }
            }
            Mouse::Wheel(n, false) => {
                for _ in 0..n.unsigned_abs() {
                    self.walk(cx, if n > 0 { Action::Down } else { Action::Up });
                }
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let key = key(cx);
        let wanted =
            key.go.is_some() || key.event.is_some() || key.window.is_some() || matches!(key.row, Some(Row::Proc(_)));
        if wanted && self.present(cx).is_none() && self.asked != Some(key) && !cx.index.segments.is_empty() {
            self.asked = Some(key);
            let known = self.found.as_ref().and_then(|f| f.ranged.clone());
            out.push(Command::Run(look(key, known)));
        }
        // Whoever came here without a frame, and whose detail is known already, gets its source all the same.
        let known = self.present(cx).filter(|_| !cx.place.frame.is_some() && cx.place.view != ViewId::Profile);
        let frame = known.map_or(FrameId::NONE, |found| user_frame(cx.index, main_stack(found)));
        if frame.is_some() {
            out.push(Command::Frame(frame));
        }
        let lines = self.lines(cx, area.height);
        let height = usize::from(area.height);
        if let Some(c) = self.cursor(&lines).filter(|_| cx.focused) {
            self.top = self.top.clamp((c + 1).saturating_sub(height.max(1)), c);
        } else {
            self.top = 0;
        }
        self.top = self.top.min(lines.len().saturating_sub(height));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let lines = self.lines(cx, area.height);
        let cursor = self.cursor(&lines);
        for (i, line) in lines.iter().enumerate().skip(self.top).take(usize::from(area.height)) {
            let y = area.y + (i - self.top) as u16;
            spans::draw(&line.spans, area, y, line.user, buf, cx.theme);
            if cx.focused && cursor == Some(i) {
                cx.theme.select(buf, Rect { y, height: 1, ..area });
            }
        }
    }
}
