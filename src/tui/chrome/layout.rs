//! Where everything stands on the screen.

use crate::tui::app::catalog::ViewId;
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::Pane;
use ratatui::layout::{Position, Rect};

/// The areas of a screen; those that do not fit have no height.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Areas {
    /// Name of the trace, its numbers, what narrows the views.
    pub title: Rect,
    /// The overview strip.
    pub overview: Rect,
    /// The tabs.
    pub tabs: Rect,
    /// The view.
    pub body: Rect,
    /// The line above the panes, with their titles.
    pub rule: Rect,
    /// The list of hits, where it is shown.
    pub hits: Rect,
    /// The detail pane.
    pub detail: Rect,
    /// The source pane.
    pub source: Rect,
    /// Key hints, or a message, or the prompt.
    pub foot: Rect,
}

/// How much room the view gets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Room {
    /// What the panes leave.
    Usual,
    /// More: the panes are lower.
    More,
    /// All that there is, on a low screen, as long as no pane has the focus.
    All,
}

/// Screens below this height are too low for a long text and the panes.
const LOW: u16 = 36;

/// Divides a screen. `hits` says that the list of hits is shown; beside the detail pane where there is room, and else in its
/// place unless that has the `focus`.
pub fn areas(screen: Rect, hits: bool, focus: Pane, room: Room) -> Areas {
    let mut a = Areas::default();
    let mut y = screen.y;
    let mut left = screen.height;
    let mut take = |rows: u16| {
        let rows = rows.min(left);
        let r = Rect { x: screen.x, y, width: screen.width, height: rows };
        y += rows;
        left -= rows;
        r
    };
    let h = screen.height;
    a.title = take(u16::from(h >= 4));
    a.overview = take(match h {
        0..16 => 0,
        16..LOW => 1,
        _ if room >= Room::More => 1,
        36..56 => 2,
        _ => 3,
    });
    a.tabs = take(u16::from(h >= 2));
    let foot = u16::from(h >= 3);
    let panes = match h {
        // Too low for panes, except for the one that is being read.
        0..14 => 0,
        ..LOW if room == Room::All && !hits => 0,
        14..20 => 4,
        _ if room >= Room::More => (h / 4).clamp(4, 16),
        _ => (h / 3).clamp(6, 22),
    };
    let in_pane = focus != Pane::Body;
    let rule = u16::from(panes > 0 || in_pane && h >= 6);
    let panes = if panes == 0 && in_pane && h >= 6 { h / 2 } else { panes };
    let above = a.title.height + a.overview.height + a.tabs.height;
    a.body = take(h.saturating_sub(above + rule + panes + foot));
    a.rule = take(rule);
    let bottom = take(if rule > 0 { panes } else { 0 });
    a.foot = take(foot);

    let column = |from: u16, to: u16| Rect {
        x: screen.x + from.min(screen.width),
        width: to.min(screen.width) - from.min(screen.width),
        ..bottom
    };
    let w = screen.width;
    if hits && w >= 160 {
        let (one, two) = (w * 3 / 10, w * 6 / 10);
        a.hits = column(0, one);
        a.detail = column(one + 1, two);
        a.source = column(two + 1, w);
    } else if w >= 72 {
        let middle = w / 2;
        let left = column(0, middle);
        if hits && focus != Pane::Detail {
            a.hits = left;
        } else {
            a.detail = left;
        }
        a.source = column(middle + 1, w);
    } else {
        // One pane at a time.
        let whole = column(0, w);
        match focus {
            Pane::Source => a.source = whole,
            Pane::Detail => a.detail = whole,
            _ if hits => a.hits = whole,
            _ => a.detail = whole,
        }
    }
    a
}

/// What stands at a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// The overview strip.
    Overview(Rect),
    /// The line of tabs.
    Tabs,
    /// The view or a pane.
    Pane(Pane, Rect),
    /// The foot line.
    Foot,
    /// Anything else.
    Elsewhere,
}

impl Areas {
    /// What stands at a position.
    pub fn spot(&self, at: Position) -> Spot {
        for (pane, area) in self.panes() {
            if area.contains(at) {
                return Spot::Pane(pane, area);
            }
        }
        if self.overview.contains(at) {
            Spot::Overview(self.overview)
        } else if self.tabs.contains(at) {
            Spot::Tabs
        } else if self.foot.contains(at) {
            Spot::Foot
        } else {
            Spot::Elsewhere
        }
    }

    /// The body and the panes with their areas.
    pub fn panes(&self) -> [(Pane, Rect); 4] {
        [(Pane::Body, self.body), (Pane::Hits, self.hits), (Pane::Detail, self.detail), (Pane::Source, self.source)]
    }
}

/// The tabs that fit into `width` before the `beside` columns that a sheet's name takes: each with its text and the column it
/// starts at. Where there is no room the gaps between them go, then all but one space, then the names become short ones, the
/// present view's last, and then they go, except that.
pub fn tabs(width: u16, beside: u16, present: ViewId) -> Vec<(ViewId, String, u16)> {
    let make = |name: &dyn Fn(ViewId) -> &'static str, gap: u16, end: &str| {
        let mut x = 1u16;
        let mut out = Vec::new();
        for &id in ViewId::ALL {
            let text = match name(id) {
                "" => format!(" {} ", id.number()),
                name => format!(" {} {name}{end}", id.number()),
            };
            let w = text.len() as u16;
            out.push((id, text, x));
            x += w + gap;
        }
        (out, x + beside)
    };
    let short = |id: ViewId| if id == present { id.name() } else { id.short() };
    for (gap, end) in [(1, " "), (0, " "), (0, "")] {
        let (made, end) = make(&ViewId::name, gap, end);
        if end <= width {
            return made;
        }
    }
    let shorter: [&dyn Fn(ViewId) -> &'static str; 2] = [&short, &ViewId::short];
    for name in shorter {
        let (made, end) = make(name, 0, "");
        if end <= width {
            return made;
        }
    }
    make(&|id| if id == present { id.name() } else { "" }, 1, " ").0
}

/// The columns that the name of a sheet takes in the line of tabs, with the gap before it.
pub fn beside(sheet: Option<&Sheet>) -> u16 {
    sheet.map_or(0, |s| s.name().len() as u16 + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_never_overlap_and_never_leave_the_screen() {
        for w in [0, 1, 20, 71, 72, 80, 120, 160, 250, 500] {
            for h in 0..90 {
                for hits in [false, true] {
                    for focus in [Pane::Body, Pane::Hits, Pane::Detail, Pane::Source] {
                        let screen = Rect::new(0, 0, w, h);
                        let room = [Room::Usual, Room::More, Room::All][usize::from(w) % 3];
                        let a = areas(screen, hits, focus, room);
                        let all = [a.title, a.overview, a.tabs, a.body, a.rule, a.hits, a.detail, a.source, a.foot];
                        for (i, r) in all.iter().enumerate() {
                            assert!(r.is_empty() || screen.union(*r) == screen, "{w}x{h} {r:?}");
                            for o in &all[i + 1..] {
                                assert!(r.intersection(*o).is_empty(), "{w}x{h} {r:?} {o:?}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn at_80_columns_every_view_has_a_name_whichever_is_shown() {
        for &present in ViewId::ALL {
            let shown = tabs(80, 0, present);
            let end = shown.last().map(|t| t.2 + t.1.len() as u16).unwrap();
            assert!(end <= 80, "{end} columns");
            for (id, text, _) in &shown {
                let name = if *id == present { id.name() } else { id.short() };
                assert_eq!(text, &format!(" {} {name}", id.number()));
            }
        }
        let narrow = tabs(60, 0, ViewId::Links);
        assert_eq!(narrow.iter().map(|t| t.1.as_str()).collect::<String>(), " 1  2  3 waits  4  5  6  7  8  9  0 ");
    }

    #[test]
    fn a_small_terminal_has_a_body_and_a_large_one_everything() {
        let a = areas(Rect::new(0, 0, 80, 24), true, Pane::Body, Room::Usual);
        assert!(a.body.height >= 10 && a.hits.height >= 6 && a.source.width >= 39 && a.detail.is_empty());
        let a = areas(Rect::new(0, 0, 250, 70), true, Pane::Body, Room::Usual);
        assert!(!a.hits.is_empty() && !a.detail.is_empty() && !a.source.is_empty() && a.body.height > 35);
        for (w, h) in [(80, 24), (120, 40), (250, 70)] {
            let body = |room| areas(Rect::new(0, 0, w, h), false, Pane::Body, room).body.height;
            assert!(body(Room::More) > body(Room::Usual), "{w}x{h}");
        }
        // On a low screen a view may have all the room, until a pane is asked for.
        let all = |hits, focus| areas(Rect::new(0, 0, 80, 24), hits, focus, Room::All);
        assert_eq!(all(false, Pane::Body).body.height, 20);
        assert!(!all(false, Pane::Source).source.is_empty() && !all(true, Pane::Body).hits.is_empty());
    }
}
