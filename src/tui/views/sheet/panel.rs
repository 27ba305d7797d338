//! Lines to read, some of which lead somewhere.

use crate::base::{Time, text};
use crate::tui::app::action::Action;
use crate::tui::app::nav::Target;
use crate::tui::app::route::RouteRef;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Columns that one key moves a panel sideways.
const SIDEWAYS: usize = 8;
/// Lines of a list that are seen before what there is to say of one of them gets room.
const LEAST: usize = 5;
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
    /// How many columns at its beginning stay where they are when the text moves sideways.
    pub fixed: u16,
    /// What there is to say of it, below all lines, while it is the selected one.
    pub notes: Vec<PanelLine>,
    /// The lines that Enter opens below it.
    pub under: Vec<PanelLine>,
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

    /// Whether the cursor stops on it: it leads somewhere, or can be opened.
    fn stops(&self) -> bool {
        self.target.is_some() || !self.under.is_empty()
    }

    fn width(&self) -> usize {
        self.spans.iter().map(|s| text::width(&s.0)).sum()
    }

    /// The same with the first columns where they are.
    pub fn fix(self, fixed: u16) -> PanelLine {
        PanelLine { fixed, ..self }
    }

    /// The same in as many lines as so many columns need. What goes on stands under its beginning, a little further in, and all
    /// has the role of the first.
    fn wrapped(&self, columns: u16) -> Vec<PanelLine> {
        let columns = usize::from(columns);
        if self.width() <= columns {
            return vec![self.clone()];
        }
        let text: String = self.spans.iter().map(|s| s.0.as_str()).collect();
        let indent = (text.len() - text.trim_start().len()).min(columns / 3);
        let role = self.spans.first().map_or(Role::Text, |s| s.1);
        let parts = text::wrap(text.trim_start(), columns.saturating_sub(indent + 2).max(1));
        let line = |(i, part): (usize, String)| {
            let further = if i == 0 { 0 } else { 2 };
            PanelLine { fixed: self.fixed, ..PanelLine::plain(format!("{}{part}", " ".repeat(indent + further)), role) }
        };
        parts.into_iter().enumerate().map(line).collect()
    }

    /// Writes into `row` the columns that stay, and what stands from column `left` after those on, with a sign at either
    /// end that something is beyond.
    fn render(&self, left: usize, row: Rect, buf: &mut Buffer, theme: &Theme) {
        let width = self.width();
        let ellipsis = theme.glyphs.ellipsis.to_string();
        let dim = theme.style(Role::Dim);
        let (fixed, start) = (usize::from(self.fixed).min(width), row.x + MARGIN);
        let clip = Rect { width: (MARGIN + fixed as u16).min(row.width), ..row };
        let mut x = start;
        for (s, role) in &self.spans {
            x = write(buf, clip, x, row.y, s, theme.style(*role));
        }
        let rest = Rect { x: clip.right(), width: row.right().saturating_sub(clip.right()), ..row };
        let beyond = width > fixed + left + usize::from(rest.width);
        let seen = Rect { width: rest.width.saturating_sub(u16::from(beyond)), ..rest };
        let (mut x, mut skip) = (rest.x, fixed + left);
        for (s, role) in &self.spans {
            let part = text::skip(s, skip);
            skip = skip.saturating_sub(text::width(s));
            x = write(buf, seen, x, row.y, &part, theme.style(*role));
        }
        if left > 0 && width > fixed {
            write(buf, row, rest.x.saturating_sub(1).max(row.x + 1), row.y, &ellipsis, dim);
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
    /// What stands above the columns of its lines, and stays there when they scroll.
    pub heading: Option<PanelLine>,
    /// Its lines.
    pub lines: Vec<PanelLine>,
    /// What the timeline shows when a line leads there.
    pub route: Option<RouteRef>,
}

/// The list. Where any line leads somewhere one such line is selected; else it only scrolls.
pub struct Panel {
    shown: Arc<Panelled>,
    /// Its lines, with those that are open below theirs; which of them are open.
    lines: Vec<PanelLine>,
    open: BTreeSet<usize>,
    selected: usize,
    /// Whether anyone has moved: until then the beginning is shown, wherever the selected line is.
    moved: bool,
    /// Whether what there is to say of the selected line has all of the room but that line's.
    unfolded: bool,
    top: Cell<usize>,
    /// First column of the text that is seen.
    left: Cell<usize>,
    height: Cell<usize>,
    /// Whether what there is to say is wrapped, as it was drawn last.
    wraps: Cell<bool>,
}

impl Panel {
    /// A panel, on the first line that leads somewhere.
    pub fn new(shown: Arc<Panelled>) -> Panel {
        let lines = shown.lines.clone();
        let selected = lines.iter().position(PanelLine::stops).unwrap_or(0);
        let (top, left, height, wraps) = Default::default();
        Panel { shown, lines, open: BTreeSet::new(), selected, moved: false, unfolded: false, top, left, height, wraps }
    }

    /// The widest line of those that move sideways. What is said of a line does not where it has the room to be wrapped.
    fn widest(&self) -> usize {
        let shown = &self.shown;
        let notes = if self.wraps.get() { &[] } else { self.notes() };
        let all = shown.heading.iter().chain(&self.lines).chain(notes);
        all.map(PanelLine::width).max().unwrap_or(0)
    }

    /// Whether what there is to say of the selected line has all of the room.
    pub fn is_unfolded(&self) -> bool {
        self.unfolded
    }

    /// What there is to say of the selected line.
    fn notes(&self) -> &[PanelLine] {
        self.lines.get(self.selected).map_or(&[], |l| &l.notes)
    }

    /// Opens or closes what is below the selected line; `false` if nothing is.
    fn turn(&mut self) -> bool {
        if self.lines.get(self.selected).is_none_or(|l| l.under.is_empty()) {
            return false;
        }
        if !self.open.remove(&self.selected) {
            // What stands further down moves on.
            let by = self.lines[self.selected].under.len();
            let moved = |i: &usize| if *i > self.selected { i + by } else { *i };
            self.open = self.open.iter().map(moved).chain([self.selected]).collect();
            let under = self.lines[self.selected].under.clone();
            self.lines.splice(self.selected + 1..self.selected + 1, under);
        } else {
            let by = self.lines[self.selected].under.len();
            self.open = self.open.iter().map(|i| if *i > self.selected { i - by } else { *i }).collect();
            self.lines.drain(self.selected + 1..=self.selected + by);
        }
        self.moved = true;
        true
    }

    /// How many of `height` rows of so many `columns` the list has; what is said of the selected line has the others, and all
    /// that it needs where that is asked for.
    fn rows(&self, height: usize, columns: u16) -> usize {
        let lines = &self.lines;
        match lines.iter().map(|l| l.notes.len()).max().unwrap_or(0) {
            0 => height,
            _ if self.unfolded => {
                let notes = lines.get(self.selected).map_or(&[][..], |l| &l.notes);
                let said: usize = notes.iter().map(|n| n.wrapped(columns).len()).sum();
                height.saturating_sub(said + 1).max(1).min(lines.len()).min(height)
            }
            // One row stays between them where there is room.
            most => height.saturating_sub(most + 1).max(LEAST).min(lines.len()).min(height),
        }
    }

    /// Moves to the next line that can be selected, by at least `by` lines where there is one that far.
    pub fn step(&mut self, by: isize) {
        self.moved = true;
        let lines = &self.lines;
        let leads = lines.iter().any(PanelLine::stops);
        let stops = |i: &usize| !leads || lines[*i].stops();
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

    /// Where the selected line leads.
    pub fn target(&self) -> Option<Target> {
        self.lines.get(self.selected)?.target
    }

    /// The text of the selected line.
    pub fn text(&self) -> Option<String> {
        let line = self.lines.get(self.selected)?;
        Some(line.spans.iter().map(|s| s.0.as_str()).collect::<String>().trim().to_owned())
    }

    /// Where Enter leads on the timeline; brings the selected line into sight if it is not, and opens or closes what is below
    /// it.
    pub fn enter(&mut self) -> Option<Goal> {
        let seen = self.top.get()..self.top.get().saturating_add(self.height.get().max(1));
        // Who has not seen it cannot mean it; played keys see nothing.
        if self.height.get() > 0 && !seen.contains(&self.selected) {
            self.moved = true;
            return None;
        }
        if self.turn() {
            return None;
        }
        let line = self.lines.get(self.selected)?;
        let target = line.target?;
        let route = self.shown.route.clone();
        let zoom = line.zoom.or(route.as_ref().map(|r| r.zoom()));
        Some(Goal { target, route, zoom })
    }

    /// Moves as an action says; `false` if it says something else.
    pub fn handle(&mut self, action: Action) -> bool {
        let page = self.height.get().max(2) as isize;
        let by = match action {
            Action::Down => 1,
            Action::Up => -1,
            Action::HalfDown => page / 2,
            Action::HalfUp => -page / 2,
            Action::PageDown => page,
            Action::PageUp => -page,
            Action::Top => -(1 << 30),
            Action::Bottom => 1 << 30,
            Action::Expand if self.turn() => return true,
            Action::Expand if !self.notes().is_empty() => {
                self.unfolded = !self.unfolded;
                return true;
            }
            // How far it can go depends on the room, which is known when it is drawn.
            Action::Right => {
                self.left.set((self.left.get() + SIDEWAYS).min(self.widest()));
                return true;
            }
            Action::Left => {
                self.left.set(self.left.get().saturating_sub(SIDEWAYS));
                return true;
            }
            _ => return false,
        };
        self.step(by);
        true
    }

    /// Selects what stands in a row, counted from the title on; `false` if that leads nowhere.
    pub fn select_at(&mut self, row: u16) -> bool {
        let above = 1 + usize::from(self.shown.heading.is_some());
        let Some(at) = usize::from(row).checked_sub(above).filter(|r| *r < self.height.get()) else { return false };
        let at = at + self.top.get();
        // What is said of a line stands below it.
        let lines = &self.lines;
        let found = (0..=at.min(lines.len().saturating_sub(1))).rev().find(|&i| lines[i].stops());
        let Some(found) = found.filter(|_| at < lines.len()) else { return false };
        (self.selected, self.moved) = (found, true);
        true
    }

    /// Draws the title, below it the lines that fit, and what there is to say of the selected one.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        if area.is_empty() {
            return;
        }
        let head = Rect { height: 1, ..area };
        let mut inside = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let lines = &self.lines;
        let room = usize::from(inside.width).saturating_sub(usize::from(MARGIN));
        let widest = self.widest();
        let left = self.left.get().min(widest.saturating_sub(room));
        self.left.set(left);
        if let Some(heading) = self.shown.heading.as_ref().filter(|_| inside.height > 1) {
            heading.render(left, Rect { height: 1, ..inside }, buf, theme);
            inside = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
        }
        let height = self.rows(usize::from(inside.height), room as u16);
        self.height.set(height);
        let leads = lines.iter().any(PanelLine::stops);
        let most = lines.len().saturating_sub(height);
        let mut top = self.top.get().min(most);
        let follows = self.moved || self.unfolded;
        if leads && follows && (self.selected < top || self.selected >= top + height) {
            top = self.selected.saturating_sub(height / 2).min(most);
        } else if !leads {
            top = self.selected.min(most);
        }
        self.top.set(top);
        for (i, line) in lines.iter().enumerate().skip(top).take(height) {
            let y = inside.y + (i - top) as u16;
            let row = Rect { y, height: 1, ..inside };
            if leads && i == self.selected {
                if focused {
                    theme.select(buf, row);
                }
                write(buf, row, row.x, y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
            }
            line.render(left, row, buf, theme);
            if left == 0 && !line.under.is_empty() {
                let sign = if self.open.contains(&i) { theme.glyphs.expanded } else { theme.glyphs.collapsed };
                write(buf, row, row.x + 1, y, &sign.to_string(), theme.style(Role::Dim));
            }
        }
        let listed = (height as u16).min(inside.height);
        self.render_notes(left, Rect { y: inside.y + listed, height: inside.height - listed, ..inside }, buf, theme);
        let mut more = Vec::new();
        if widest > left + room {
            more.push("more to the right".to_string());
        }
        let below = lines.len().saturating_sub(top + height);
        if below > 0 {
            more.push(format!("{below} more below"));
        }
        let more = more.join(", ");
        let room = usize::from(area.width).saturating_sub(more.len() + 3);
        let title = text::fit(&self.shown.title, room);
        write(buf, head, area.x + 1, area.y, &title, theme.style(Role::Heading));
        let x = area.right().saturating_sub(more.len() as u16 + 1).max(area.x);
        write(buf, head, x, area.y, &more, theme.style(Role::Dim));
    }

    /// Draws what there is to say of the selected line; where that does not fit, how to see the rest.
    fn render_notes(&self, left: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let rows = usize::from(area.height);
        let width = area.width.saturating_sub(MARGIN);
        let wrapped: Vec<PanelLine> = self.notes().iter().flat_map(|n| n.wrapped(width)).collect();
        // Where not all of it fits so with all of the room, its lines are cut, and can be moved sideways.
        self.wraps.set(wrapped.len() <= rows || !self.unfolded);
        let notes = if self.wraps.get() { &wrapped } else { self.notes() };
        let gap = usize::from(rows > notes.len());
        let fit = if notes.len() > rows { rows.saturating_sub(1) } else { notes.len() };
        for (i, note) in notes.iter().take(fit).enumerate() {
            note.render(left, Rect { y: area.y + (gap + i) as u16, height: 1, ..area }, buf, theme);
        }
        if fit < notes.len() && rows > 0 {
            let key = if self.unfolded { "" } else { ": e shows them" };
            let text = format!("{} more lines{key}", notes.len() - fit);
            let x = area.x + MARGIN + notes[0].fixed;
            write(buf, area, x, area.y + fit as u16, &text, theme.style(Role::Dim));
        }
    }
}
