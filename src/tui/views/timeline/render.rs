//! Draws the timeline.

use super::arrows;
use super::below;
use super::rows::{Item, Line};
use super::state::{Timeline, layout};
use crate::analysis::cost::lenses;
use crate::analysis::timeline::{self, Counted, Strip, What, Window, coarse};
use crate::base::number::NO_GOAL;
use crate::base::text::{self, fit_end};
use crate::base::{Duration, StringId, Time};
use crate::model::{Index, Lane};
use crate::tui::app::nav::Row;
use crate::tui::app::route::Sight;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::{ColorLevel, Role, Theme};
use crate::tui::widgets::lane::{self, Label};
use crate::tui::widgets::{axis, spark, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

impl Timeline {
    /// Draws the view.
    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let l = layout(area);
        if cx.index.segments.is_empty() {
            let what = if cx.index.complete {
                "the trace holds no events: was trace.Stop called?"
            } else {
                "reading the trace"
            };
            write(buf, area, area.x + 1, area.y, what, cx.theme.style(Role::Dim));
            return;
        }
        let window = super::shown(cx.index, cx.place, usize::from(l.lanes.width));
        if window.width > 0 {
            self.draw_axis(l.axis, buf, cx, window);
        }
        let largest = window.to - cx.index.start;
        let cursor = axis::position(cx.place.at - cx.index.start, largest, window.cell_span());
        let x = write(buf, l.corner, l.corner.x + 1, l.corner.y, &cursor, cx.theme.style(Role::Accent));
        // While a range grows, how long it is.
        if let Some((a, b)) = self.selection(cx) {
            let delta = if cx.theme.is_ascii() { 'd' } else { 'Δ' };
            write(buf, l.corner, x + 1, l.corner.y, &format!("{delta}{}", b - a), cx.theme.style(Role::Title));
        }
        let route = cx.place.route.as_ref();
        let sight = route.and_then(|r| Sight::of(&self.sight, r, window));
        let lit = sight.filter(|_| route.is_some_and(|r| r.has_path())).map(|s| &s.lit);
        for (i, row) in self.scroll.seen().enumerate() {
            let Some(line) = self.rows.lines.get(row as usize) else { break };
            let y = l.names.y + i as u16;
            if y >= l.names.bottom() {
                break;
            }
            let selected = Item::of(cx.place) == Some(line.item);
            self.draw_name(line, selected, Rect { y, height: 1, ..l.names }, buf, cx);
            if window.width > 0 {
                let area = Rect { y, height: 1, ..l.lanes };
                self.draw_lane(line, area, buf, cx, window);
                if let (Some(lit), Item::Go(g)) = (lit, line.item) {
                    arrows::dim(lit.get(&g).map_or(&[], |l| l), area, buf, cx.theme);
                }
            }
        }
        if let Some(sight) = sight.filter(|_| window.width > 0) {
            arrows::draw(&self.arrows(sight), l.lanes, buf, cx.theme);
        }
        self.draw_cursor(l.axis, l.lanes, buf, cx, window);
    }

    fn draw_axis(&self, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let ticks = axis::ticks(cx.index.start, window.from, window.to, window.width);
        axis::render(&ticks, cx.theme, area, buf);
    }

    fn draw_name(&self, line: &Line, selected: bool, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let g = cx.theme.glyphs;
        let style = match (selected, line.item) {
            (true, _) => cx.theme.style(Role::Selection),
            (false, Item::Other(Row::Group(_) | Row::Procs)) => cx.theme.style(Role::Text),
            (false, Item::Other(Row::System | Row::Inside(..) | Row::HeapPart(_))) => cx.theme.style(Role::Dim),
            (false, _) => cx.theme.style(Role::Text),
        };
        if selected {
            cx.theme.select(buf, Rect { width: area.width.saturating_sub(1), ..area });
        }
        let stat = self.stat(line, area.width >= 30, cx);
        let right = area.right().saturating_sub(1);
        let stat_width = text::width(&stat) as u16;
        let (name, count) = self.name(line, cx);
        let wanted = text::width(&name) + text::width(&count) + usize::from(line.depth) * 2 + 4;
        let fits = wanted + usize::from(stat_width) <= usize::from(area.width) || area.width >= 24;
        let shown_stat = stat_width > 0 && fits && stat_width + 8 < area.width;
        let end = if shown_stat { right - stat_width - 1 } else { right };
        let marker = match line.open {
            Some(true) => g.expanded,
            Some(false) => g.collapsed,
            None => ' ',
        };
        let x = area.x + u16::from(line.depth) * 2;
        let x = write(buf, area, x, area.y, marker.encode_utf8(&mut [0; 4]), style) + 1;
        let room = usize::from(end.saturating_sub(x));
        let room = room.saturating_sub(text::width(&count));
        let name = match line.item {
            // Words, and not a function that its end tells best.
            Item::Other(Row::System) => text::fit(&name, room),
            _ => fit_end(&name, room),
        };
        let name = name.replace('…', g.ellipsis.encode_utf8(&mut [0; 4]));
        let clip = Rect { width: end.saturating_sub(area.x), ..area };
        let x = write(buf, clip, x, area.y, &name, style);
        let dim = if selected { style } else { cx.theme.style(Role::Dim) };
        write(buf, clip, x, area.y, &count, dim);
        if shown_stat {
            let hit = matches!(line.item, Item::Go(_) | Item::Other(Row::Group(_)));
            let style = match (selected, hit) {
                (true, _) => style,
                (false, true) => cx.theme.style(Role::Hit),
                (false, false) => cx.theme.style(Role::Dim),
            };
            write(buf, area, right - stat_width, area.y, &stat, style);
        }
    }

    /// A row's name, and how many it stands for.
    fn name(&self, line: &Line, cx: &Ctx) -> (String, String) {
        let times = cx.theme.glyphs.times;
        match line.item {
            Item::Go(g) => (words::goroutine(cx.index, g), String::new()),
            Item::Other(Row::Gc) => ("GC".into(), String::new()),
            Item::Other(Row::Stw) => ("STW".into(), String::new()),
            Item::Other(Row::Mutator) => ("mutator".into(), String::new()),
            Item::Other(Row::Heap) => ("heap".into(), String::new()),
            Item::Other(Row::HeapPart(_)) => Default::default(),
            Item::Other(Row::Samples) => ("CPU samples".into(), String::new()),
            Item::Other(Row::Lens(l)) => (lenses::name(l).into(), String::new()),
            Item::Other(Row::Inside(g, row)) => (self.inner_name(g, row, cx), String::new()),
            Item::Other(Row::Alive) => ("goroutines".into(), String::new()),
            Item::Other(Row::Queue) => ("runnable".into(), String::new()),
            Item::Other(Row::State(s)) => (s.name().into(), String::new()),
            Item::Other(Row::Path) => ("critical path".into(), String::new()),
            Item::Other(Row::Procs) => ("procs".into(), format!(" {times}{}", cx.index.procs.len())),
            Item::Other(Row::Proc(p)) => (words::proc(cx.index, p), String::new()),
            Item::Other(Row::System) => ("runtime goroutines".into(), String::new()),
            // The lanes have no such row.
            Item::Other(Row::Span(..)) => Default::default(),
            Item::Other(Row::Group(g)) => {
                let n = cx.index.groups.get(g.0 as usize).map_or(0, |g| g.members.len());
                let count = if n == 1 { String::new() } else { format!(" {times}{n}") };
                (words::group(cx.index.group_name(g)), count)
            }
        }
    }

    /// What stands at the right end of a name: what it is at the cursor, and where it is `wide` of how much.
    fn stat(&self, line: &Line, wide: bool, cx: &Ctx) -> String {
        let window = self.window(cx);
        // Where the first value comes later in the cursor's cell, the lane shows that one there.
        let now = |points: &[(Time, u64)]| {
            let in_cell = || timeline::steps(points, window).get(window.cell(cx.place.at)?).copied().flatten();
            timeline::value_at(points, cx.place.at).or_else(in_cell)
        };
        // Nothing is known yet.
        let shown = |text: Option<String>| text.unwrap_or_else(|| "?".into());
        let hits = match line.item {
            Item::Other(Row::Heap) => {
                let goal = now(&cx.index.heap_goal).filter(|&g| wide && g < NO_GOAL);
                let goal = goal.map_or(String::new(), |g| format!(" / {}", text::bytes(g)));
                return shown(now(&cx.index.heap).map(|v| text::bytes(v) + &goal));
            }
            Item::Other(Row::HeapPart(part)) => return text::bytes(below::heap_axis(cx.index, part)),
            Item::Other(Row::Mutator) => return self.mutator_at(cx, window).unwrap_or_default(),
            Item::Other(Row::Samples) => return text::count(self.samples_at(None, cx, window).unwrap_or(0)),
            Item::Other(Row::Lens(l)) => {
                return self.samples_at(Some(l), cx, window).map_or(String::new(), text::count);
            }
            Item::Other(Row::Alive) => {
                let most = self.rows.alive.iter().map(|p| p.1).max().filter(|_| wide);
                let most = most.map_or(String::new(), |m| format!(" / {}", text::count(m)));
                return shown(now(&self.rows.alive).map(|n| text::count(n) + &most));
            }
            Item::Other(Row::Queue) => {
                let now = window.cell(cx.place.at).and_then(|c| queue(cx.index, window).get(c).copied().flatten());
                return tenths(now.unwrap_or(0));
            }
            Item::Other(Row::State(s)) => {
                let now = self.states.as_ref().and_then(|n| n.mean(s, window.cell(cx.place.at)?));
                return now.map_or(String::new(), tenths);
            }
            Item::Go(g) => self.rows.hits_of(g),
            Item::Other(Row::Group(g)) => self.rows.hits_of_group(g, cx.index),
            _ => 0,
        };
        if hits == 0 { String::new() } else { format!("{}{hits}", cx.theme.glyphs.hit) }
    }

    fn draw_lane(&self, line: &Line, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let theme = cx.theme;
        match line.item {
            Item::Other(Row::Gc) => {
                let shares = timeline::coverage(&cx.index.gc, window);
                let part = if theme.glyphs.levels[0] == '.' { ':' } else { '░' };
                spark::covered(&shares, part, theme.glyphs.gc, Role::Gc, theme, area, buf);
            }
            Item::Other(Row::Stw) => {
                let shares = timeline::coverage(&cx.index.stw, window);
                spark::covered(&shares, theme.glyphs.stw, theme.glyphs.stw, Role::Stw, theme, area, buf);
            }
            Item::Other(Row::Heap) => {
                let values = timeline::traced(cx.index, window, timeline::steps(&cx.index.heap, window));
                let most = cx.index.heap.iter().map(|p| p.1).max().unwrap_or(0);
                spark::levels(&values, most, Role::Heap, theme, area, buf);
            }
            Item::Other(Row::HeapPart(part)) => below::draw_heap(part, area, buf, cx, window),
            Item::Other(Row::Mutator) => self.draw_mutator(area, buf, cx, window),
            Item::Other(Row::Samples) => {
                let values = below::samples(cx.index, window);
                let most = values.iter().flatten().copied().max().unwrap_or(0);
                spark::levels(&values, most, Role::Sample, theme, area, buf);
            }
            Item::Other(Row::Lens(l)) => self.draw_lens(l, area, buf, cx, window),
            Item::Other(Row::Inside(g, row)) => self.draw_inner(g, row, area, buf, cx, window),
            Item::Other(Row::Alive) => {
                let values = timeline::traced(cx.index, window, timeline::steps(&self.rows.alive, window));
                let most = self.rows.alive.iter().map(|p| p.1).max().unwrap_or(0);
                spark::levels(&values, most, Role::Accent, theme, area, buf);
            }
            Item::Other(Row::Queue) => {
                let values = queue(cx.index, window);
                let most = values.iter().flatten().copied().max().unwrap_or(0);
                spark::levels(&values, most, Role::Runnable, theme, area, buf);
            }
            Item::Other(Row::State(s)) => {
                let Some(census) = self.states.as_ref().filter(|c| c.window == window) else { return };
                let values: Vec<_> = (0..window.width).map(|c| census.mean(s, c).filter(|n| *n > 0)).collect();
                let most = values.iter().flatten().copied().max().unwrap_or(0);
                spark::levels(&values, most, role(s), theme, area, buf);
            }
            Item::Other(Row::System) => {}
            Item::Other(Row::Path) => {
                let sight = cx.place.route.as_ref().and_then(|r| Sight::of(&self.sight, r, window));
                let Some((strip, stretches)) = sight.map(|s| &s.lane) else { return };
                let labels: Vec<Label> = stretches
                    .iter()
                    .map(|s| Label {
                        from: s.from,
                        to: s.to,
                        text: words::goroutine(cx.index, s.go).trim().into(),
                        bar: true,
                        parted: s.from > 0,
                    })
                    .collect();
                let cell = window.cell_span();
                let (cells, kinds) = (&strip.cells, &strip.kinds);
                let row = lane::Lane { cells, hits: &[], kinds, cell, capacity: 1, labels: &labels, theme };
                row.render(area, buf);
            }
            item => {
                let Some(lane) = item.lane() else { return };
                let strip = self.strip(lane, cx.index, window);
                let hits =
                    cx.hits.map_or(Vec::new(), |h| h.ticks(cx.index, lane, window.from, window.to, window.width));
                let labels = labels(&strip, cx.index);
                let row = lane::Lane {
                    cells: &strip.cells,
                    hits: &hits,
                    kinds: &strip.kinds,
                    cell: window.cell_span(),
                    capacity: capacity(cx.index, lane),
                    labels: &labels,
                    theme,
                };
                row.render(area, buf);
            }
        }
    }

    /// The best that is known of a lane now.
    fn strip(&self, lane: Lane, index: &Index, window: Window) -> Strip {
        match self.strips.latest().and_then(|s| s.get(&lane)) {
            Some(s) if s.window == window => s.clone(),
            Some(s) if timeline::can_be_exact(index, window) => {
                timeline::resample(s, window).unwrap_or_else(|| coarse(index, lane, window))
            }
            _ => coarse(index, lane, window),
        }
    }

    /// The cursor: a mark on the axis, a tint down the lanes where colours are free, the cell itself reversed.
    fn draw_cursor(&self, axis: Rect, lanes: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let selection = Style::new().add_modifier(Modifier::REVERSED);
        if let Some((a, b)) = self.selection(cx)
            && let (Some(from), Some(to)) =
                (window.cell(a.max(window.from)), window.cell((b - Duration(1)).min(window.to - Duration(1))))
        {
            let width = (to - from + 1) as u16;
            buf.set_style(Rect { x: axis.x + from as u16, width, ..axis }, selection);
            // In colours the range is seen all the way down; without them the states need their glyphs as they are.
            if cx.theme.level == ColorLevel::True {
                let rows = self.scroll.seen().count().min(usize::from(lanes.height)) as u16;
                cx.theme.select(buf, Rect { x: lanes.x + from as u16, width, height: rows, ..lanes });
            }
        }
        let Some(column) = window.cell(cx.place.at) else { return };
        let x = lanes.x + column as u16;
        if axis.height > 0 && column < usize::from(axis.width) {
            let glyph = cx.theme.glyphs.sort_down;
            buf[(axis.x + column as u16, axis.y)].set_char(glyph).set_style(cx.theme.style(Role::Key));
        }
        if cx.theme.level == ColorLevel::True {
            let rows = self.scroll.seen().count().min(usize::from(lanes.height)) as u16;
            let column = Rect { x, width: 1, height: rows, ..lanes };
            cx.theme.select(buf, column.intersection(lanes));
        }
        let selected = Item::of(cx.place);
        let row = self.scroll.seen().position(|r| self.rows.lines.get(r as usize).map(|l| l.item) == selected);
        if let Some(row) = row
            && (row as u16) < lanes.height
        {
            let cell = &mut buf[(x, lanes.y + row as u16)];
            cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

/// Thousandths as a number with one decimal.
fn tenths(milli: u64) -> String {
    format!("{:.1}", milli as f64 / 1000.0)
}

/// What the lane of a state is drawn as.
fn role(s: Counted) -> Role {
    match s {
        Counted::Running => Role::Running,
        Counted::Runnable => Role::Runnable,
        Counted::Syscall => Role::Syscall,
        Counted::Waiting(kind) => Theme::wait_role(kind),
    }
}

/// How many goroutines waited for a P on average in each cell, in thousandths; nothing where none did.
fn queue(index: &Index, window: Window) -> Vec<Option<u64>> {
    let cells = index.cells(Lane::All, window.from, window.to, window.width);
    let span = window.cell_span().ns().max(1);
    let milli = |d: Duration| (i128::from(d.ns()) * 1000 / i128::from(span)).max(0) as u64;
    cells.iter().map(|c| Some(milli(c.runnable)).filter(|&m| m > 0)).collect()
}

/// How many goroutines of a lane can run at once.
fn capacity(index: &Index, lane: Lane) -> u32 {
    let procs = index.procs.len().max(1) as u32;
    match lane {
        Lane::Go(_) | Lane::Proc(_) => 1,
        Lane::All => procs,
        Lane::Group(g) => index.groups.get(g.0 as usize).map_or(1, |g| g.members.len() as u32).clamp(1, procs),
    }
}

/// The names of what stands out in a strip.
fn labels(strip: &Strip, index: &Index) -> Vec<Label> {
    let mut out: Vec<Label> = Vec::with_capacity(strip.marks.len());
    let mut end = 0;
    for m in &strip.marks {
        let (text, bar) = match m.what {
            What::Ran(g) => (words::goroutine(index, g), true),
            What::Syscall(_) => (String::new(), false),
            // Short waits go without: letters in every third cell would say nothing.
            What::Waited(reason) if m.to - m.from >= 4 => (letter(index, reason).to_string(), false),
            What::Waited(_) => continue,
        };
        let parted = bar && !out.is_empty() && m.from <= end;
        out.push(Label { from: m.from, to: m.to, text: text.trim().into(), bar, parted });
        end = m.to;
    }
    out
}

/// The letter at the beginning of a wait that says why: what the goroutine waits for, as far as one letter can.
pub(super) fn letter(index: &Index, reason: StringId) -> char {
    match index.dict.str(reason) {
        "sync" | "sync.(*Cond).Wait" | "sync.Mutex.Lock" => 'm',
        "chan send" | "chan receive" => 'c',
        "select" => 's',
        "network" | "IO wait" => 'n',
        "sleep" => 'z',
        "forever" => 'f',
        r if r.starts_with("GC ") || r.contains("GC") => 'g',
        _ => ' ',
    }
}
