//! How keys, the mouse and the cursor's moves change the timeline.

use super::rows::Item;
use super::state::{Timeline, layout, limits, place_window};
use crate::analysis::states::interval;
use crate::analysis::timeline::{self, Bar, Census, Window, inside, sampled};
use crate::base::{Duration, FrameId, GoIdx, GroupId, Time};
use crate::model::{Index, Lane, Range};
use crate::tui::app::action::Action;
use crate::tui::app::hits::Hit;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Inner, Narrow, Place, Row, Target};
use crate::tui::app::view::{Command, Ctx, Mouse, Pane};
use ratatui::layout::{Position, Rect};

impl Timeline {
    /// Does an action; `false` if it is not the timeline's.
    pub(super) fn act(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.opened = None;
        match action {
            Action::Left => self.walk(cx, -1, out),
            Action::Right => self.walk(cx, 1, out),
            Action::ZoomIn => self.zoom(cx, 0.5, None, out),
            Action::ZoomOut => self.zoom(cx, 2.0, None, out),
            Action::PanLeft => self.pan(cx, -0.25, out),
            Action::PanRight => self.pan(cx, 0.25, out),
            Action::Fit => self.fit(cx, out),
            Action::Select => match self.selection(cx) {
                Some((a, b)) => self.narrow(cx, a, b, out),
                None => self.anchor = Some(cx.place.at),
            },
            Action::Escape if self.anchor.is_some() => self.anchor = None,
            Action::Enter => return self.enter(cx, out),
            Action::Expand => return self.expand(cx, out),
            _ => {
                if !self.scroll.handle(action) {
                    return false;
                }
                if let Some(line) = self.rows.lines.get(self.scroll.selected as usize) {
                    self.move_to(cx, line.item, cx.place.at, out);
                }
            }
        }
        true
    }

    /// Puts the cursor on a row and an instant. Where the cell holds a hit the cursor goes to that: it is what is seen.
    fn move_to(&mut self, cx: &Ctx, item: Item, at: Time, out: &mut Vec<Command>) {
        let mut to = cx.place.clone();
        item.put(&mut to);
        to.at = at;
        to.event = None;
        if let Some(h) = self.hit_in_cell(cx, item, at) {
            (to.at, to.event) = (h.time, Some(h.no));
        }
        if let Item::Other(Row::Inside(g, Inner::Frame(row))) = item {
            to.frame = self.frame_at(cx, g, row, at).map_or(FrameId::NONE, |b| b.what.0);
        }
        self.followed = Some((Some(item), to.at));
        out.push(Command::Move(to));
    }

    /// The frame in a row below a goroutine at an instant, and the cells that it is in.
    fn frame_at(&self, cx: &Ctx, g: GoIdx, row: u8, at: Time) -> Option<Bar<timeline::Framed>> {
        let found = self.inside.latest()?.get(&g).filter(|f| f.window == self.window(cx))?;
        let cell = found.window.cell(at)?;
        found.frames.get(usize::from(row))?.iter().find(|b| (b.from..b.to).contains(&cell)).copied()
    }

    /// The cells of the region in a row below a goroutine at an instant.
    fn region_at(&self, cx: &Ctx, g: GoIdx, row: u8, at: Time) -> Option<(Time, Time)> {
        let found = self.inside.latest()?.get(&g).filter(|f| f.window == self.window(cx))?;
        let cell = found.window.cell(at)?;
        let bar = found.regions.get(usize::from(row))?.iter().find(|b| (b.from..b.to).contains(&cell))?;
        Some((found.window.edge(bar.from), found.window.edge(bar.to)))
    }

    fn hit_in_cell(&self, cx: &Ctx, item: Item, at: Time) -> Option<Hit> {
        let window = self.window(cx);
        let cell = window.cell(at)?;
        let lane = item.lane()?;
        let on = |h: &&Hit| match lane {
            Lane::All => true,
            Lane::Proc(p) => h.proc == p,
            Lane::Go(g) => h.go == g,
            Lane::Group(g) => cx.index.goroutine(h.go).is_some_and(|x| x.group == g),
        };
        cx.hits?.between(window.edge(cell), window.edge(cell + 1)).iter().find(on).copied()
    }

    fn walk(&mut self, cx: &Ctx, cells: i64, out: &mut Vec<Command>) {
        let window = self.window(cx);
        let (first, last) = limits(cx.index, cx.place);
        let item = Item::of(cx.place).unwrap_or(Item::Other(Row::Gc));
        let column = window.cell(cx.place.at).unwrap_or(0) as i64 + cells;
        if column >= 0 && column < window.width as i64 {
            let at = window.edge(column as usize).min(last - Duration(1));
            self.move_to(cx, item, at, out);
            return;
        }
        // Over the edge: a quarter of the window comes into sight.
        let step = Duration((window.span().0 / 4).max(1));
        let from = if cells < 0 { window.from - step } else { window.from + step };
        let from = from.max(first).min((last - window.span()).max(first));
        if from == window.from {
            return;
        }
        let at = if cells < 0 { window.from - window.cell_span() } else { window.to };
        let mut to = cx.place.clone();
        to.at = at.max(first).min(last - Duration(1));
        to.event = None;
        to.zoom = Some((from, from + window.span()));
        out.push(Command::Move(to));
    }

    /// Makes the window `factor` times as long around an instant (else the cursor), which keeps its column.
    fn zoom(&mut self, cx: &Ctx, factor: f64, around: Option<Time>, out: &mut Vec<Command>) {
        let window = self.window(cx);
        let around = around.unwrap_or(cx.place.at);
        // A cell is never shorter than a nanosecond.
        let shortest = self.lane_width.max(1) as f64;
        let span = (window.span().0 as f64 * factor).max(shortest.min(window.span().0 as f64));
        let left = ((around - window.from).0 as f64 / window.span().0 as f64).clamp(0.0, 1.0);
        self.set_window(cx, place_window(limits(cx.index, cx.place), around, Duration(span as i64), left), out);
    }

    fn pan(&mut self, cx: &Ctx, share: f64, out: &mut Vec<Command>) {
        let window = self.window(cx);
        let by = Duration((window.span().0 as f64 * share) as i64);
        let to = place_window(limits(cx.index, cx.place), window.from + by, window.span(), 0.0);
        let moved = to.0 - window.from;
        if moved == Duration::ZERO {
            return;
        }
        // The cursor keeps its column.
        let mut place = cx.place.clone();
        place.at = place.at + moved;
        place.event = None;
        place.zoom = Some(to);
        self.followed = Some((Item::of(&place), place.at));
        out.push(Command::Move(place));
    }

    fn fit(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        match self.selection(cx) {
            Some(range) => {
                self.anchor = None;
                self.set_window(cx, range, out);
            }
            None => {
                let zoom = cx.place.route.as_ref().map(|r| r.zoom());
                out.push(Command::Move(Place { zoom, ..cx.place.clone() }));
            }
        }
    }

    fn set_window(&self, cx: &Ctx, (from, to): (Time, Time), out: &mut Vec<Command>) {
        let all = limits(cx.index, cx.place);
        let whole = from <= all.0 && to >= all.1;
        // While the trace is being read its end moves, and a window that the user has chosen must not.
        let zoom = if whole && cx.index.complete { None } else { Some((from, to)) };
        out.push(Command::Move(Place { zoom, ..cx.place.clone() }));
    }

    fn narrow(&mut self, cx: &Ctx, from: Time, to: Time, out: &mut Vec<Command>) {
        self.anchor = None;
        out.push(Command::Move(Place { zoom: None, ..cx.place.clone() }));
        out.push(Command::Narrow(Narrow::Window(from, to)));
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if let Some((a, b)) = self.selection(cx) {
            self.narrow(cx, a, b, out);
            return true;
        }
        match Item::of(cx.place) {
            Some(Item::Go(_)) => out.push(Command::Focus(Pane::Detail)),
            Some(Item::Other(Row::Inside(g, Inner::Region(row)))) => match self.region_at(cx, g, row, cx.place.at) {
                Some(range) => self.set_window(cx, range, out),
                None => out.push(Command::Say("it is in no region at this instant".into())),
            },
            Some(Item::Other(Row::Inside(_, Inner::Frame(_)))) if cx.place.frame.is_some() => {
                out.push(Command::Focus(Pane::Source));
            }
            Some(Item::Other(
                row @ (Row::Group(_) | Row::System | Row::Procs | Row::Alive | Row::Heap | Row::Samples),
            )) => {
                self.rows.set_open(row, true);
                self.rows.update(cx.index, cx.hits, cx.place);
                let inside = self.rows.find(Item::Other(row)).and_then(|i| self.rows.lines.get(i + 1));
                if let Some(line) = inside {
                    let mut to = cx.place.clone();
                    line.item.put(&mut to);
                    to.event = None;
                    if let Item::Go(g) = line.item {
                        to.at = alive(cx.index, g, to.at);
                    }
                    out.push(Command::Enter(to));
                }
            }
            Some(Item::Other(Row::Proc(p))) => {
                let at = cx.place.at;
                let procs = cx.index.procs.len();
                let work = move |j: &JobCtx| Ok(interval::on_proc(j.trace, p, procs, at));
                out.push(Command::Run(Job::new("on P", work, move |_: &mut Timeline, found, cx, out| {
                    out.push(match found {
                        Some(go) => Target { go, at, far: true }.command(cx.place),
                        None => Command::Say("no goroutine is on that P at this instant".into()),
                    });
                })));
            }
            Some(Item::Other(Row::Path)) => match cx.place.route.as_ref().and_then(|r| r.at(cx.place.at)) {
                Some(go) => out.push(Command::Enter(Place { go, row: None, event: None, ..cx.place.clone() })),
                None => out.push(Command::Say("the path is not at this instant".into())),
            },
            Some(Item::Other(Row::Gc)) => self.enter_range(cx, &cx.index.gc, out),
            Some(Item::Other(Row::Stw)) => self.enter_range(cx, &cx.index.stw, out),
            _ => return false,
        }
        true
    }

    /// Zooms to the range under the cursor.
    fn enter_range(&mut self, cx: &Ctx, ranges: &[Range], out: &mut Vec<Command>) {
        let window = self.window(cx);
        let Some(cell) = window.cell(cx.place.at) else { return };
        let (from, to) = (window.edge(cell), window.edge(cell + 1));
        let Some(r) = ranges.iter().find(|r| r.from < to && r.to >= from) else {
            out.push(Command::Say("nothing of the kind at this instant".into()));
            return;
        };
        let span = Duration(((r.to - r.from).0 * 5 / 4).max(self.lane_width as i64).max(1));
        let middle = r.from + Duration((r.to - r.from).0 / 2);
        let zoom = place_window(limits(cx.index, cx.place), middle, span, 0.5);
        out.push(Command::Enter(Place { zoom: Some(zoom), at: r.from, ..cx.place.clone() }));
    }

    fn expand(&mut self, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let (row, inside) = match Item::of(cx.place) {
            Some(Item::Go(g)) => {
                self.rows.set_inside(g, !self.rows.shows_inside(g));
                self.opened = Some(Item::Go(g));
                return true;
            }
            Some(Item::Other(Row::Inside(g, _))) => {
                self.rows.set_inside(g, false);
                self.move_to(cx, Item::Go(g), cx.place.at, out);
                return true;
            }
            Some(Item::Other(Row::State(_))) => (Row::Alive, true),
            Some(Item::Other(Row::HeapPart(_))) => (Row::Heap, true),
            Some(Item::Other(Row::Lens(_))) => (Row::Samples, true),
            Some(Item::Other(Row::Mutator)) => (Row::Gc, true),
            Some(Item::Other(row)) => (row, false),
            None => return false,
        };
        let folds =
            matches!(row, Row::Group(_) | Row::System | Row::Procs | Row::Alive | Row::Heap | Row::Samples | Row::Gc);
        if cx.place.route.is_some() || !folds {
            return false;
        }
        self.rows.set_open(row, !self.rows.is_open(row));
        self.opened = Some(Item::Other(row));
        if inside {
            // The row goes away: the cursor moves to the group's.
            self.move_to(cx, Item::Other(row), cx.place.at, out);
        }
        true
    }

    /// Does what the mouse says.
    pub(super) fn point(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        self.opened = None;
        let l = layout(area);
        let window = self.window(cx);
        let column = usize::from(at.x.saturating_sub(l.lanes.x)).min(window.width.saturating_sub(1));
        let time = window.edge(column);
        match what {
            // Over the lanes the wheel zooms at the pointer, over their names it scrolls.
            Mouse::Wheel(n, ctrl) if ctrl || at.x >= l.lanes.x => {
                self.zoom(cx, if n < 0 { 0.5 } else { 2.0 }, Some(time), out);
            }
            Mouse::Wheel(n, _) => {
                self.scroll.wheel(i64::from(n) * 3);
                if let Some(line) = self.rows.lines.get(self.scroll.selected as usize) {
                    self.move_to(cx, line.item, cx.place.at, out);
                }
            }
            Mouse::Press => {
                let row = self.scroll.top + u64::from(at.y.saturating_sub(l.lanes.y));
                let item = match self.rows.lines.get(row as usize) {
                    Some(line) if at.y >= l.lanes.y => line.item,
                    _ => Item::of(cx.place).unwrap_or(Item::Other(Row::Gc)),
                };
                self.anchor = None;
                if at.x < l.lanes.x {
                    self.move_to(cx, item, cx.place.at, out);
                    let marker = u16::from(self.rows.lines.get(row as usize).map_or(0, |l| l.depth)) * 2;
                    match item {
                        _ if at.x > l.names.x + marker + 1 => {}
                        Item::Go(g) => self.rows.set_inside(g, !self.rows.shows_inside(g)),
                        Item::Other(row) => self.rows.set_open(row, !self.rows.is_open(row)),
                    }
                } else {
                    self.dragging = true;
                    self.move_to(cx, item, time, out);
                }
            }
            Mouse::Drag if self.dragging => {
                let item = Item::of(cx.place).unwrap_or(Item::Other(Row::Gc));
                self.anchor.get_or_insert(cx.place.at);
                let mut to = cx.place.clone();
                item.put(&mut to);
                (to.at, to.event) = (time, None);
                out.push(Command::Move(to));
            }
            Mouse::Release => self.dragging = false,
            Mouse::Double if at.x >= l.lanes.x => self.zoom(cx, 0.25, Some(time), out),
            Mouse::Double => return self.enter(cx, out),
            Mouse::Drag => return false,
        }
        true
    }

    /// Brings rows and window up to date, and the cursor into sight.
    pub(super) fn follow(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let l = layout(area);
        self.lane_width = usize::from(l.lanes.width);
        self.height = l.lanes.height;
        if cx.index.segments.is_empty() {
            return;
        }
        let item = Item::of(cx.place);
        let offset = self.scroll.selected.saturating_sub(self.scroll.top);
        self.rows.height = self.height;
        self.rows.mutator = cx.found.said().is_some_and(|s| s.mutator.is_some()) && !cx.index.gc.is_empty();
        let changed = self.rows.update(cx.index, cx.hits, cx.place);
        let Some(item) = item else {
            // At first the cursor is on the busiest group.
            let first = self.rows.lines.iter().find(|l| matches!(l.item, Item::Other(Row::Group(_))));
            if let Some(line) = first {
                let mut to = cx.place.clone();
                line.item.put(&mut to);
                out.push(Command::Move(to));
            }
            self.scroll.fit(self.rows.lines.len() as u64, self.height);
            return;
        };
        let moved = self.followed != Some((Some(item), cx.place.at));
        if moved && self.rows.find(item).is_none() && cx.place.route.is_some() {
            // Whoever goes to a goroutine that takes no part in a route leaves it.
            out.push(Command::Move(Place { route: None, ..cx.place.clone() }));
            return;
        }
        if moved && self.rows.find(item).is_none() {
            self.rows.uncover(item, cx.index);
            self.rows.update(cx.index, cx.hits, cx.place);
        }
        self.scroll.fit(self.rows.lines.len() as u64, self.height);
        if let Some(row) = self.rows.find(item) {
            if moved {
                self.scroll.reveal(row as u64);
            } else if changed {
                // Rows came or went: the selected one keeps its place on the screen.
                self.scroll.select(row as u64);
                self.scroll.top = (row as u64).saturating_sub(offset);
            } else {
                self.scroll.select(row as u64);
            }
            self.scroll.fit(self.rows.lines.len() as u64, self.height);
            if self.opened == Some(item) {
                let (depth, below) = (self.rows.lines[row].depth, &self.rows.lines[row + 1..]);
                let end = row + 1 + below.iter().take_while(|l| l.depth > depth).count();
                self.scroll.show(row as u64, end as u64);
            }
        }
        self.followed = Some((Some(item), cx.place.at));
        let window = self.window(cx);
        let all = limits(cx.index, cx.place);
        if window.cell(cx.place.at).is_none() && cx.place.at >= all.0 && cx.place.at < all.1 && self.lane_width > 0 {
            let zoom = place_window(all, cx.place.at, window.span(), 0.5);
            out.push(Command::Move(Place { zoom: Some(zoom), ..cx.place.clone() }));
        }
    }

    /// Counts goroutines by state where that is shown: at once as well as the index can, and then exactly.
    pub(super) fn count_states(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let window = self.window(cx);
        let shown = self.rows.is_open(Row::Alive) && cx.place.route.is_none();
        if !shown || window.width == 0 || cx.index.segments.is_empty() {
            return;
        }
        if self.states.as_ref().is_none_or(|s| s.window != window) {
            self.states = Some(Census::coarse(cx.index, window));
        }
        let known = cx.index.segments.len() + usize::from(cx.index.complete) * 1_000_000;
        let wanted = (window, known);
        if !timeline::can_be_exact(cx.index, window) || !self.counts.want(&wanted) {
            return;
        }
        let work = move |j: &JobCtx| {
            let all = (0..j.trace.index().goroutines.len() as u32).map(GoIdx).collect();
            Ok(Census::exact(j.trace, all, window, j.cancel))
        };
        out.push(Command::Run(Job::new("states", work, move |view: &mut Timeline, census, _, _| {
            if view.counts.take(wanted, ()).is_some() && census.is_some() {
                view.states = census;
            }
        })));
    }

    /// Asks for what the goroutines' code was at of which that is shown.
    pub(super) fn ask_inside(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let (window, gos) = (self.window(cx), self.inside_in_sight());
        let exact = window.width > 0 && timeline::can_be_exact(cx.index, window);
        let wanted = (window, gos, known(cx.index, window));
        if wanted.1.is_empty() || !exact || !self.inside.want(&wanted) {
            return;
        }
        let gos = wanted.1.clone();
        let work =
            move |j: &JobCtx| Ok(gos.iter().map(|&g| inside(j, g, window, j.cancel)).collect::<Option<Vec<_>>>());
        out.push(Command::Run(Job::new("inside", work, move |view: &mut Timeline, found, _, _| {
            let Some(found) = found else { return };
            let found = view.inside.take(wanted, found.into_iter().map(|f| (f.go, f)).collect());
            for f in found.iter().flat_map(|f| f.values()) {
                view.rows.make_room(f.go, f.regions.len(), f.frames.len());
            }
        })));
    }

    /// Asks for the CPU samples by lens where these are shown.
    pub(super) fn ask_samples(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let window = self.window(cx);
        let shown = self.rows.is_open(Row::Samples) && self.rows.find(Item::Other(Row::Samples)).is_some();
        if !shown || window.width == 0 || !timeline::can_be_exact(cx.index, window) {
            return;
        }
        let wanted = (window, known(cx.index, window));
        if !self.sampled.want(&wanted) {
            return;
        }
        let work = move |j: &JobCtx| Ok(sampled(j, window, j.cancel));
        out.push(Command::Run(Job::new("samples", work, move |view: &mut Timeline, found, _, _| {
            let Some(found) = found.and_then(|f| view.sampled.take(wanted, f)) else { return };
            // Those that are there keep their rows.
            let new = found.lenses.iter().map(|l| l.0).filter(|l| !view.rows.lenses.contains(l));
            let new: Vec<_> = new.collect();
            view.rows.lenses.extend(new);
        })));
    }

    /// Asks for exact lanes where the window is narrow enough and they are not there.
    pub(super) fn ask(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let window = self.window(cx);
        if window.width == 0 || cx.index.segments.is_empty() || !timeline::can_be_exact(cx.index, window) {
            return;
        }
        let lanes = self.lanes_in_sight();
        let wanted = (window, lanes, known(cx.index, window));
        if !self.strips.want(&wanted) {
            return;
        }
        let lanes = wanted.1.clone();
        let work = move |j: &JobCtx| {
            let (lanes, procs) = {
                let index = j.trace.index();
                let lanes: Vec<(Lane, Vec<GoIdx>)> = lanes.into_iter().map(|l| (l, members(&index, l))).collect();
                (lanes, index.procs.len())
            };
            Ok(timeline::exact(j.trace, &lanes, procs, window, j.cancel))
        };
        out.push(Command::Run(Job::new("strips", work, move |view: &mut Timeline, strips, _, _| {
            if let Some(strips) = strips {
                view.strips.take(wanted, strips.into_iter().map(|s| (s.lane, s)).collect());
            }
        })));
    }
}

/// How much of a window has been read: what was computed of less is out of date.
fn known(index: &Index, window: Window) -> usize {
    index.segments_between(window.from, window.to).len() + usize::from(index.complete) * 1_000_000
}

/// The instant nearest to `at` at which a goroutine exists.
fn alive(index: &Index, g: GoIdx, at: Time) -> Time {
    let Some(g) = index.goroutine(g) else { return at };
    let at = g.created().map_or(at, |t| at.max(t));
    g.ended.map_or(at, |t| at.min(t - Duration(1)))
}

/// The goroutines of a lane; none for a P.
fn members(index: &Index, lane: Lane) -> Vec<GoIdx> {
    match lane {
        Lane::Go(g) => vec![g],
        Lane::Group(GroupId(g)) => index.groups.get(g as usize).map_or(Vec::new(), |g| g.members.clone()),
        Lane::Proc(_) | Lane::All => Vec::new(),
    }
}
