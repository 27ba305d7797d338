//! Draws what stands below other rows: stacks and regions of a goroutine, the heap's picture, CPU samples by lens.

use super::rows::HEAP_ROWS;
use super::state::Timeline;
use crate::analysis::cost::lenses::{self, LensNo};
use crate::analysis::timeline::{self, Bar, Framed, Inside, Window};
use crate::base::number::NO_GOAL;
use crate::base::{GoIdx, StringId, text};
use crate::model::{Index, Lane, lens};
use crate::tui::app::nav::Inner;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::views::flame;
use crate::tui::widgets::{spark, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The bar at a cell.
fn bar_at<T: Copy>(row: Option<&Vec<Bar<T>>>, cell: usize) -> Option<Bar<T>> {
    row?.iter().find(|b| (b.from..b.to).contains(&cell)).copied()
}

impl Timeline {
    /// What is known of a goroutine's code in a window.
    fn known_inside(&self, g: GoIdx, window: Window) -> Option<&Inside> {
        self.inside.latest()?.get(&g).filter(|f| f.window == window)
    }

    /// What a row below a goroutine is called: what it was at under the cursor.
    pub(super) fn inner_name(&self, g: GoIdx, row: Inner, cx: &Ctx) -> String {
        let window = self.window(cx);
        let at = self.known_inside(g, window).zip(window.cell(cx.place.at));
        match (row, at) {
            (Inner::Region(row), Some((f, cell))) => {
                let bar = bar_at(f.regions.get(usize::from(row)), cell);
                bar.map_or("in no region".into(), |b| text::escape(cx.index.dict.str(b.what)).into_owned())
            }
            (Inner::Frame(row), Some((f, cell))) => {
                let bar = bar_at(f.frames.get(usize::from(row)), cell);
                let name = |b: Bar<Framed>| words::func(cx.index.dict.func_name(cx.index.dict.frame_of(b.what.0).func));
                bar.map_or(String::new(), name)
            }
            (_, None) => String::new(),
        }
    }

    /// Draws a row below a goroutine.
    pub(super) fn draw_inner(&self, g: GoIdx, row: Inner, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let Some(found) = self.known_inside(g, window) else {
            if matches!(row, Inner::Frame(0)) {
                let say = match timeline::can_be_exact(cx.index, window) {
                    true => "reading its stacks",
                    false => "too long a time for stacks and regions: w zooms in",
                };
                write(buf, area, area.x, area.y, say, cx.theme.style(Role::Dim));
            }
            return;
        };
        match row {
            Inner::Region(row) => {
                let name = |r: StringId| text::escape(cx.index.dict.str(r)).into_owned();
                for b in found.regions.get(usize::from(row)).into_iter().flatten() {
                    bar(b, &name(b.what), Role::Accent, area, buf, cx);
                }
            }
            Inner::Frame(row) => {
                let bars = found.frames.get(usize::from(row));
                if bars.is_none_or(Vec::is_empty) && row == 0 {
                    write(buf, area, area.x, area.y, "the trace has no stack of it here", cx.theme.style(Role::Dim));
                }
                for b in bars.into_iter().flatten() {
                    let name = words::func(cx.index.dict.func_name(cx.index.dict.frame_of(b.what.0).func));
                    bar(b, &name, b.what.1.map_or(Role::Text, flame::lens_role), area, buf, cx);
                }
                // Outer frames that all have are not there: that is said where the first row has room.
                if row == 0 && found.above > 0 {
                    let said = format!("{} outer frames not shown", found.above);
                    let x = area.right().saturating_sub(said.len() as u16 + 1);
                    if area.width > 40 {
                        write(buf, area, x, area.y, &said, cx.theme.style(Role::Dim));
                    }
                }
            }
        }
    }

    /// Draws how much the GC leaves to the program.
    pub(super) fn draw_mutator(&self, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let Some(series) = cx.found.said().and_then(|s| s.mutator.as_ref()) else { return };
        let cells = series.cells(window.from, window.to, window.width);
        let values: Vec<_> = cells.iter().map(|part| Some((part * 1000.0) as u64)).collect();
        spark::levels(&values, 1000, Role::Running, cx.theme, area, buf);
    }

    /// The same at the cursor, in percent.
    pub(super) fn mutator_at(&self, cx: &Ctx, window: Window) -> Option<String> {
        let series = cx.found.said()?.mutator.as_ref()?;
        let cell = window.cell(cx.place.at)?;
        Some(format!("{:.1} %", series.utilisation(window.edge(cell), window.edge(cell + 1)) * 100.0))
    }

    /// Draws the samples of a lens; where a map grew there is a mark.
    pub(super) fn draw_lens(&self, no: LensNo, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
        let Some(found) = self.sampled.latest().filter(|f| f.window == window) else { return };
        let cells = found.lenses.iter().find(|l| l.0 == no).map_or(&[][..], |l| &l.1);
        if cells.iter().all(|&n| n == 0) {
            write(buf, area, area.x, area.y, "no samples in what is shown", cx.theme.style(Role::Dim));
        }
        // All lenses have one scale, so that they can be told from each other.
        let most = found.lenses.iter().flat_map(|l| &l.1).copied().max().unwrap_or(0);
        let values: Vec<_> = cells.iter().map(|&n| (n > 0).then_some(u64::from(n))).collect();
        spark::levels(&values, u64::from(most), flame::lens_role(no), cx.theme, area, buf);
        if lenses::name(no) == lens::maps().name {
            for (i, _) in found.growth.iter().enumerate().take(usize::from(area.width)).filter(|g| *g.1 > 0) {
                let cell = &mut buf[(area.x + i as u16, area.y)];
                cell.set_char(cx.theme.glyphs.arrow_up).set_style(cx.theme.style(Role::Hit));
            }
        }
    }

    /// How many samples a lens has at the cursor.
    pub(super) fn samples_at(&self, no: Option<LensNo>, cx: &Ctx, window: Window) -> Option<u64> {
        let cell = window.cell(cx.place.at)?;
        let Some(no) = no else { return samples(cx.index, window).get(cell).copied().flatten() };
        let found = self.sampled.latest().filter(|f| f.window == window)?;
        found.lenses.iter().find(|l| l.0 == no)?.1.get(cell).map(|&n| u64::from(n))
    }
}

/// How many CPU samples there are in each cell; nothing where none is.
pub(super) fn samples(index: &Index, window: Window) -> Vec<Option<u64>> {
    let cells = index.cells(Lane::All, window.from, window.to, window.width);
    cells.iter().map(|c| Some(u64::from(c.samples)).filter(|n| *n > 0)).collect()
}

/// What a full picture of the heap stands for: the most that was live, or aimed at unless that is more than twice as much.
/// Far goals, as there are before a limit takes effect, would leave nothing of the picture.
pub(super) fn most_heap(index: &Index) -> u64 {
    let live = index.heap.iter().map(|p| p.1).max().unwrap_or(0);
    let goals = index.heap_goal.iter().map(|p| p.1).filter(|&g| g < NO_GOAL && g / 2 <= live);
    goals.max().unwrap_or(0).max(live).max(1)
}

/// The upper end of a quarter of the heap's picture, in bytes.
pub(super) fn heap_axis(index: &Index, part: u8) -> u64 {
    (u128::from(most_heap(index)) * u128::from(HEAP_ROWS - part.min(HEAP_ROWS)) / u128::from(HEAP_ROWS)) as u64
}

/// Draws a quarter of the heap's picture: what is live as bars, the goal as a line above them.
pub(super) fn draw_heap(part: u8, area: Rect, buf: &mut Buffer, cx: &Ctx, window: Window) {
    let (lo, hi) = (heap_axis(cx.index, part + 1), heap_axis(cx.index, part));
    let values = |points| timeline::traced(cx.index, window, timeline::steps(points, window));
    let (live, goal) = (values(&cx.index.heap), values(&cx.index.heap_goal));
    let above = |v: &Option<u64>| v.filter(|&v| v > lo).map(|v| v.min(hi) - lo);
    let bars: Vec<_> = live.iter().map(above).collect();
    let line = if cx.theme.is_ascii() { '-' } else { '─' };
    for (i, g) in goal.iter().enumerate().take(usize::from(area.width)) {
        // A goal beyond the picture is a sign at its upper edge.
        let sign = match g {
            Some(g) if *g > lo && *g <= hi => line,
            Some(g) if *g > hi && part == 0 && *g < NO_GOAL => cx.theme.glyphs.arrow_up,
            _ => continue,
        };
        buf[(area.x + i as u16, area.y)].set_char(sign).set_style(cx.theme.style(Role::Gc));
    }
    spark::levels(&bars, hi - lo, Role::Heap, cx.theme, area, buf);
}

/// Draws a bar with its name in it.
fn bar<T>(b: &Bar<T>, name: &str, role: Role, area: Rect, buf: &mut Buffer, cx: &Ctx) {
    let (from, to) = (b.from.min(usize::from(area.width)), b.to.min(usize::from(area.width)));
    let cells = Rect { x: area.x + from as u16, width: (to - from) as u16, ..area };
    flame::block(cells, buf, name, role, false, cx.theme);
}
