//! What the timeline remembers between messages, and how place and window belong together.

use super::rows::{Item, Rows};
use crate::analysis::timeline::{Census, Inside, Sampled, Strip, Window};
use crate::base::{Duration, GoIdx, Time};
use crate::model::{Index, Lane};
use crate::tui::app::nav::{Place, Row};
use crate::tui::app::route::Sight;
use crate::tui::app::view::Ctx;
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::scroll::Scroll;
use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

/// The timeline view.
#[derive(Default)]
pub struct Timeline {
    pub(super) rows: Rows,
    pub(super) scroll: Scroll,
    /// Where a selection of time began.
    pub(super) anchor: Option<Time>,
    /// Whether the mouse button is down on a lane.
    pub(super) dragging: bool,
    /// Number of columns of a lane, and number of rows, as drawn last.
    pub(super) lane_width: usize,
    pub(super) height: u16,
    /// What the workers have computed of a window's lanes, as far as the trace was read then.
    pub(super) strips: Lookup<(Window, Vec<Lane>, usize), FxHashMap<Lane, Strip>>,
    /// How many goroutines are in each state, and of which window and of how much of the trace that is so exactly.
    pub(super) states: Option<Census>,
    pub(super) counts: Lookup<(Window, usize), ()>,
    /// What the goroutines' code was at of which that is shown.
    pub(super) inside: Lookup<(Window, Vec<GoIdx>, usize), FxHashMap<GoIdx, Inside>>,
    /// The CPU samples by lens.
    pub(super) sampled: Lookup<(Window, usize), Sampled>,
    /// What is seen of the route.
    pub(super) sight: Option<Sight>,
    /// What has just been opened: the rows below it are to be seen.
    pub(super) opened: Option<Item>,
    /// The place that is in sight already.
    pub(super) followed: Option<(Option<Item>, Time)>,
}

/// The areas of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Left end of the axis: the cursor's time.
    pub corner: Rect,
    /// The axis.
    pub axis: Rect,
    /// The names.
    pub names: Rect,
    /// The lanes.
    pub lanes: Rect,
}

/// Divides the view's area: names on the left, wider where there is room.
pub fn layout(area: Rect) -> Layout {
    let gutter = match area.width {
        0..40 => area.width / 3,
        40..100 => 16 + (area.width - 40) / 12,
        _ => (area.width * 21 / 100).clamp(22, 44),
    };
    let top = Rect { height: area.height.min(1), ..area };
    let below = Rect { y: area.y + top.height, height: area.height - top.height, ..area };
    let left = |r: Rect| Rect { width: gutter, ..r };
    let right = |r: Rect| Rect { x: r.x + gutter, width: r.width - gutter, ..r };
    Layout { corner: left(top), axis: right(top), names: left(below), lanes: right(below) }
}

/// Everything that may be seen: the selected window, or the whole trace.
///
/// While the trace is being read, its end moves. So that the picture does not shrink with every segment, a round length
/// that holds what is known is shown until it is full.
pub fn limits(index: &Index, place: &Place) -> (Time, Time) {
    if let Some((a, b)) = place.window() {
        return (a, b.max(a + Duration(1)));
    }
    let span = (index.end - index.start).0.max(0) + 1;
    if index.complete {
        return (index.start, index.start + Duration(span));
    }
    let mut round = 1_000_000i64;
    while round < span && round < i64::MAX / 2 {
        round *= 2;
    }
    (index.start, index.start + Duration(round))
}

/// The window on the screen: the zoom, inside of what may be seen.
pub fn shown(index: &Index, place: &Place, width: usize) -> Window {
    let (from, to) = limits(index, place);
    let (from, to) = match place.zoom {
        Some((a, b)) if a < to && b > from && a < b => (a.max(from), b.min(to)),
        _ => (from, to),
    };
    Window { from, to, width }
}

/// A window of `span` that has `at` at the share `left` of its width, moved into `limits`.
pub fn place_window(limits: (Time, Time), at: Time, span: Duration, left: f64) -> (Time, Time) {
    let whole = limits.1 - limits.0;
    let span = Duration(span.0.clamp(1, whole.0.max(1)));
    let before = (span.0 as f64 * left) as i64;
    let from = (at - Duration(before)).max(limits.0).min(limits.1 - span);
    (from, from + span)
}

impl Timeline {
    /// The window on the screen.
    pub(super) fn window(&self, cx: &Ctx) -> Window {
        shown(cx.index, cx.place, self.lane_width)
    }

    /// The selected time, if a selection is under way: from the anchor to the cursor, both cells included.
    pub(super) fn selection(&self, cx: &Ctx) -> Option<(Time, Time)> {
        let anchor = self.anchor?;
        let window = self.window(cx);
        let (a, b) = if anchor <= cx.place.at { (anchor, cx.place.at) } else { (cx.place.at, anchor) };
        let end = window.cell(b).map_or(b + window.cell_span(), |c| window.edge(c + 1));
        Some((a, end))
    }

    /// The lanes whose rows are in sight.
    pub(super) fn lanes_in_sight(&self) -> Vec<Lane> {
        let seen = self.scroll.seen();
        let lines = self.rows.lines.get(seen.start as usize..seen.end as usize).unwrap_or(&[]);
        lines.iter().filter_map(|l| l.item.lane()).filter(|l| *l != Lane::All).collect()
    }

    /// The goroutines whose stacks and regions are in sight.
    pub(super) fn inside_in_sight(&self) -> Vec<GoIdx> {
        let seen = self.scroll.seen();
        let lines = self.rows.lines.get(seen.start as usize..seen.end as usize).unwrap_or(&[]);
        let mut all: Vec<GoIdx> = lines
            .iter()
            .filter_map(|l| match l.item {
                Item::Other(Row::Inside(g, _)) => Some(g),
                _ => None,
            })
            .collect();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_its_length_at_the_edges() {
        let all = (Time(100), Time(1100));
        assert_eq!(place_window(all, Time(600), Duration(100), 0.5), (Time(550), Time(650)));
        assert_eq!(place_window(all, Time(110), Duration(100), 0.5), (Time(100), Time(200)));
        assert_eq!(place_window(all, Time(1099), Duration(100), 0.5), (Time(1000), Time(1100)));
        assert_eq!(place_window(all, Time(600), Duration(5000), 0.5), all);
    }

    #[test]
    fn names_and_lanes_share_any_width() {
        for w in 0..300 {
            for h in [0, 1, 2, 30] {
                let area = Rect::new(3, 5, w, h);
                let l = layout(area);
                assert_eq!(l.names.width + l.lanes.width, w);
                assert_eq!(l.axis.height + l.lanes.height, h);
            }
        }
        assert!(layout(Rect::new(0, 0, 80, 20)).names.width <= 20);
    }
}
