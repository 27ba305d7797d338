//! The list of hits by line of source: where the hits of the query come from, most first.

use crate::analysis::cost::hits::{Caller, user_line};
use crate::base::number::count_in;
use crate::base::{FrameId, FuncId, text as base};
use crate::model::{Frame, Index};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::hits;
use crate::tui::app::hits::Hits;
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::{table, write};
use crate::wire::event::Kind;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// What the list was made for: made anew when any of it changes.
type Stamp = (String, u64, bool);

#[derive(Clone, Copy, PartialEq, Debug)]
enum HitRow {
    /// A heading: whether of the samples, and how many.
    Heading(bool, u64),
    /// A line of source: whether of the samples.
    Line(bool, Caller),
}

/// The list.
#[derive(Default)]
pub struct HitList {
    stamp: Option<Stamp>,
    rows: Vec<HitRow>,
    scroll: Scroll,
}

impl HitList {
    fn line(&self) -> Option<(bool, Caller)> {
        match self.rows.get(self.scroll.selected as usize) {
            Some(HitRow::Line(samples, c)) => Some((*samples, *c)),
            _ => None,
        }
    }

    fn fill(&mut self, hits: &Hits, index: &Index) {
        let Some(compiled) = &hits.compiled else { return };
        let callers = hits.found.callers(&index.dict, compiled, user_line);
        self.rows.clear();
        for (samples, list, total) in [
            (true, callers.samples, hits.found.samples()),
            (false, callers.events, hits.found.total() - hits.found.samples()),
        ] {
            if !list.is_empty() {
                self.rows.push(HitRow::Heading(samples, total));
                self.rows.extend(list.into_iter().map(|c| HitRow::Line(samples, c)));
            }
        }
    }

    fn choose(&self, cx: &Ctx, out: &mut Vec<Command>) {
        if let Some((_, c)) = self.line() {
            let frame = frame(cx.index, &c);
            if frame.is_some() && frame != cx.place.frame {
                out.push(Command::Frame(frame));
            }
        }
    }

    /// Goes to the first hit of the selected line.
    fn enter(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let (Some((samples, line)), Some(hits)) = (self.line(), cx.hits) else { return };
        let of_line = |h: &&hits::Hit| {
            (h.kind == Kind::CpuSample) == samples && {
                match line.func.some() {
                    Some(_) => cx.index.dict.stack(h.stack).any(|f| f.func == line.func && f.line == line.line),
                    None => h.stack == line.stack,
                }
            }
        };
        let fits = hits.list().iter().filter(|h| cx.place.shows(h, cx.index));
        let Some(h) = fits.clone().find(of_line) else {
            out.push(Command::Say("no hit of this line is in the window".into()));
            return;
        };
        let mut to = cx.place.clone();
        (to.at, to.event, to.frame) = (h.time, Some(h.no), frame(cx.index, &line));
        if h.go.is_some() {
            to.go = h.go;
        }
        out.push(Command::Enter(to));
        out.push(Command::Focus(Pane::Detail));
    }
}

/// The frame of a line of the list.
fn frame(index: &Index, c: &Caller) -> FrameId {
    let of = |f: &FrameId| {
        let f = index.dict.frame_of(*f);
        f.func == c.func && f.line == c.line
    };
    index.dict.stack_ids(c.stack).find(of).unwrap_or(FrameId::NONE)
}

impl View for HitList {
    fn title(&self, cx: &Ctx) -> String {
        match cx.hits {
            Some(h) if h.found.is_capped() => {
                format!("hits by line (the first {} can be stepped through)", base::count(h.list().len() as u64))
            }
            _ => "hits by line".into(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if !cx.focused {
            return false;
        }
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Copy => match self.line() {
                Some((_, c)) => {
                    out.push(Command::Copy(text::place(cx.index, Frame { func: c.func, line: c.line, pc: 0 })))
                }
                None => return false,
            },
            _ => {
                if !self.scroll.handle(action) {
                    return false;
                }
                let rows = &self.rows;
                skip_headings(rows, &mut self.scroll, !matches!(action, Action::Up | Action::PageUp | Action::HalfUp));
                self.choose(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double => {
                let row = self.scroll.top + u64::from(at.y - area.y);
                if row < self.rows.len() as u64 {
                    self.scroll.select(row);
                    skip_headings(&self.rows, &mut self.scroll, true);
                    self.choose(cx, out);
                    if what == Mouse::Double {
                        self.enter(cx, out);
                    }
                }
            }
            Mouse::Wheel(n, _) => self.scroll.wheel(i64::from(n) * 3),
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(hits) = cx.hits else {
            *self = HitList::default();
            return;
        };
        let stamp = (hits.query.clone(), hits.found.total(), hits.compiled.is_some());
        if self.stamp.as_ref() != Some(&stamp) {
            let fresh = self.stamp.as_ref().is_none_or(|s| s.0 != stamp.0 || s.1 == 0);
            if fresh {
                self.scroll = Scroll::default();
            }
            self.fill(hits, cx.index);
            self.scroll.fit(self.rows.len() as u64, area.height);
            skip_headings(&self.rows, &mut self.scroll, true);
            self.stamp = Some(stamp);
            if cx.focused && hits.found.total() > 0 {
                self.choose(cx, out);
            }
        }
        self.scroll.fit(self.rows.len() as u64, area.height);
        if self.scroll.selected == 1 && self.scroll.top == 1 && area.height > 1 {
            self.scroll.top = 0;
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let theme = cx.theme;
        let Some(hits) = cx.hits else { return };
        if self.rows.is_empty() {
            let text = if hits.complete { "no event of this trace matches" } else { "searching …" };
            write(buf, area, area.x + 1, area.y, text, theme.style(Role::Dim));
            return;
        }
        for (i, no) in self.scroll.seen().enumerate() {
            let row = table::row(area, i as u64);
            match self.rows.get(no as usize) {
                Some(HitRow::Heading(samples, n)) => {
                    let what = if *samples { "CPU samples" } else { "other events" };
                    let text = format!("{} {what}", base::count(*n));
                    write(buf, row, row.x + 1, row.y, &text, theme.style(Role::Heading));
                }
                Some(HitRow::Line(_, c)) => {
                    let selected = no == self.scroll.selected;
                    if selected && cx.focused {
                        theme.select(buf, row);
                    }
                    let mark = if selected { theme.glyphs.marker } else { ' ' };
                    let x = write(buf, row, row.x, row.y, &mark.to_string(), theme.style(Role::Accent));
                    let share = format!("{:>5.1} %", c.share * 100.0);
                    let x = write(buf, row, x, row.y, &share, theme.style(Role::Hit));
                    let x =
                        write(buf, row, x + 1, row.y, &format!("{:>6}", count_in(c.count, 6)), theme.style(Role::Dim));
                    if c.func == FuncId::NONE {
                        write(buf, row, x + 2, row.y, "no frame outside the runtime", theme.style(Role::Dim));
                        continue;
                    }
                    let place = text::place(cx.index, Frame { func: c.func, line: c.line, pc: 0 });
                    let room = row.right().saturating_sub(x + 2) as usize;
                    let x = write(buf, row, x + 2, row.y, &base::fit_end(&place, room), theme.style(Role::Text));
                    let func = text::func(cx.index.dict.func_name(c.func));
                    let room = row.right().saturating_sub(x + 2) as usize;
                    if room > 8 {
                        write(buf, row, x + 2, row.y, &base::fit(&func, room), theme.style(Role::Dim));
                    }
                }
                None => {}
            }
        }
    }
}

/// Moves the selection off a heading, the way it was going.
fn skip_headings(rows: &[HitRow], scroll: &mut Scroll, down: bool) {
    let heading = |i: u64| matches!(rows.get(i as usize), Some(HitRow::Heading(..)));
    let at = scroll.selected;
    if !heading(at) {
        return;
    }
    scroll.select(if down || at == 0 { at + 1 } else { at - 1 });
}
