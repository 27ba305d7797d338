//! A panel: lines to read over the views, some of which lead somewhere.

use super::{OverlayCtx, Then, boxed};
use crate::base::{Time, text};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::keymap::Key;
use crate::tui::app::nav::Target;
use crate::tui::app::route::RouteRef;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cell::Cell;
use std::sync::Arc;

/// Columns that one key moves a panel sideways.
const SIDEWAYS: usize = 8;
/// Columns before the text: the mark of the selected line, and the sign that there is more to the left.
const MARGIN: u16 = 2;

/// A line of a panel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PanelLine {
    /// Its text, safe to show.
    pub spans: Vec<(String, Role)>,
    /// Where Enter leads.
    pub target: Option<Target>,
    /// The window in which that is seen well, where the panel as a whole has none.
    pub zoom: Option<(Time, Time)>,
}

/// Where a line of a panel leads on the timeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Goal {
    /// The goroutine and the instant.
    pub target: Target,
    /// What is shown there alone.
    pub route: Option<RouteRef>,
    /// The window to zoom to.
    pub zoom: Option<(Time, Time)>,
}

impl PanelLine {
    /// A line of one kind of text that leads nowhere.
    pub fn plain(text: impl Into<String>, role: Role) -> PanelLine {
        PanelLine { spans: vec![(text.into(), role)], ..PanelLine::default() }
    }

    fn width(&self) -> usize {
        self.spans.iter().map(|s| text::width(&s.0)).sum()
    }

    /// Writes what stands from column `left` on into `row`, with a sign at either end that something is beyond.
    fn render(&self, left: usize, row: Rect, buf: &mut Buffer, cx: &OverlayCtx) {
        let width = self.width();
        let ellipsis = cx.theme.glyphs.ellipsis.to_string();
        let dim = cx.theme.style(Role::Dim);
        if left > 0 && width > 0 {
            write(buf, row, row.x + 1, row.y, &ellipsis, dim);
        }
        let room = usize::from(row.width.saturating_sub(MARGIN));
        let beyond = width > left + room;
        let clip = Rect { width: row.width.saturating_sub(u16::from(beyond)), ..row };
        let (mut x, mut skip) = (row.x + MARGIN, left);
        for (s, role) in &self.spans {
            let rest = text::skip(s, skip);
            skip = skip.saturating_sub(text::width(s));
            x = write(buf, clip, x, row.y, &rest, cx.theme.style(*role));
        }
        if beyond {
            write(buf, row, row.x.max(row.right().saturating_sub(1)), row.y, &ellipsis, dim);
        }
    }
}

/// What a panel shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Panelled {
    /// Its title, safe to show.
    pub title: String,
    /// Its lines.
    pub lines: Vec<PanelLine>,
    /// What the timeline shows when a line leads there.
    pub route: Option<RouteRef>,
}

/// The overlay. Where any line leads somewhere one such line is selected; else it only scrolls.
pub struct Panel {
    shown: Arc<Panelled>,
    selected: usize,
    /// Whether anyone has moved: until then the beginning is shown, wherever the selected line is.
    moved: bool,
    top: Cell<usize>,
    /// First column of the text that is seen.
    left: Cell<usize>,
    height: Cell<usize>,
}

impl Panel {
    /// A panel, on the first line that leads somewhere.
    pub fn new(shown: Arc<Panelled>) -> Panel {
        let selected = shown.lines.iter().position(|l| l.target.is_some()).unwrap_or(0);
        Panel { shown, selected, moved: false, top: Cell::default(), left: Cell::default(), height: Cell::default() }
    }

    fn widest(&self) -> usize {
        self.shown.lines.iter().map(PanelLine::width).max().unwrap_or(0)
    }

    /// Moves to the next line that can be selected, by at least `by` lines where there is one that far.
    fn step(&mut self, by: isize) {
        self.moved = true;
        let lines = &self.shown.lines;
        let leads = lines.iter().any(|l| l.target.is_some());
        let stops = |i: &usize| !leads || lines[*i].target.is_some();
        let want = self.selected.saturating_add_signed(by).min(lines.len().saturating_sub(1));
        let found = match by >= 0 {
            true => (want..lines.len()).find(stops).or_else(|| (self.selected..want).rev().find(stops)),
            false => (0..=want).rev().find(stops).or_else(|| (want..self.selected).find(stops)),
        };
        // With nothing selectable above, what stands there can still be read.
        match found.filter(|&i| i != self.selected) {
            Some(i) => self.selected = i,
            None if by < 0 => self.top.set(0),
            None => self.top.set(usize::MAX),
        }
    }

    pub(super) fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        let page = self.height.get().max(2) as isize;
        let by = match cx.keymap.action(Scope::Global, key) {
            Some(Action::Down) => 1,
            Some(Action::Up) => -1,
            Some(Action::HalfDown) => page / 2,
            Some(Action::HalfUp) => -page / 2,
            Some(Action::PageDown) => page,
            Some(Action::PageUp) => -page,
            Some(Action::Top) => -(1 << 30),
            Some(Action::Bottom) => 1 << 30,
            Some(Action::Enter) => {
                let seen = self.top.get()..self.top.get().saturating_add(self.height.get().max(1));
                // Who has not seen it cannot mean it; played keys see nothing.
                if self.height.get() > 0 && !seen.contains(&self.selected) {
                    self.moved = true;
                    return Then::Stay;
                }
                let Some((line, target)) = self.shown.lines.get(self.selected).and_then(|l| Some((l, l.target?)))
                else {
                    return Then::Stay;
                };
                let route = self.shown.route.clone();
                let zoom = line.zoom.or(route.as_ref().map(|r| r.zoom()));
                return Then::Go(Goal { target, route, zoom });
            }
            Some(
                a @ (Action::Palette | Action::Filter | Action::Chain | Action::Path | Action::Locks | Action::Help),
            ) => {
                return Then::Do(a);
            }
            // How far it can go depends on the room, which is known when it is drawn.
            Some(Action::Right) => {
                self.left.set((self.left.get() + SIDEWAYS).min(self.widest()));
                return Then::Stay;
            }
            Some(Action::Left) => {
                self.left.set(self.left.get().saturating_sub(SIDEWAYS));
                return Then::Stay;
            }
            Some(Action::Redraw | Action::Suspend) => return Then::Stay,
            _ => return Then::Close,
        };
        self.step(by);
        Then::Stay
    }

    pub(super) fn wheel(&mut self, rows: i32) {
        self.step(rows as isize);
    }

    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) {
        let lines = &self.shown.lines;
        let margin = usize::from(MARGIN);
        let widest = self.widest();
        let width = widest.max(text::width(&self.shown.title) + margin) + margin;
        let (width, height) = (width.min(500) as u16, lines.len().min(1000) as u16);
        let inside = boxed(screen, width, height, &self.shown.title, buf, cx.theme);
        let height = usize::from(inside.height);
        self.height.set(height);
        if height == 0 {
            return;
        }
        let leads = lines.iter().any(|l| l.target.is_some());
        let most = lines.len().saturating_sub(height);
        let mut top = self.top.get().min(most);
        if leads && self.moved && (self.selected < top || self.selected >= top + height) {
            top = self.selected.saturating_sub(height / 2).min(most);
        } else if !leads {
            top = self.selected.min(most);
        }
        self.top.set(top);
        let room = usize::from(inside.width).saturating_sub(margin);
        let left = self.left.get().min(widest.saturating_sub(room));
        self.left.set(left);
        for (i, line) in lines.iter().enumerate().skip(top).take(height) {
            let y = inside.y + (i - top) as u16;
            let row = Rect { y, height: 1, ..inside };
            if leads && i == self.selected {
                cx.theme.select(buf, row);
                let mark = cx.theme.glyphs.marker.to_string();
                write(buf, row, row.x, y, &mark, cx.theme.style(Role::Accent));
            }
            line.render(left, row, buf, cx);
        }
        let mut more = Vec::new();
        if widest > left + room {
            more.push("more to the right".to_string());
        }
        let below = lines.len().saturating_sub(top + height);
        if below > 0 {
            more.push(format!("{below} more below"));
        }
        if !more.is_empty() {
            let more = format!(" {} ", more.join(", "));
            let x = inside.right().saturating_sub(more.len() as u16).max(inside.x);
            let area = Rect { height: inside.height + 1, ..inside };
            write(buf, area, x, inside.bottom(), &more, cx.theme.style(Role::Dim));
        }
    }
}
