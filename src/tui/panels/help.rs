//! The list of all keys and of what a query can say, made from the actions and from the query language's own table.

use super::{OverlayCtx, Then, boxed};
use crate::base::text;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::overview::MARK;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The overlay.
#[derive(Default)]
pub struct Help {
    top: usize,
    height: std::cell::Cell<usize>,
}

/// One line of help: a heading, or what stands left and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A heading.
    Heading(String),
    /// A key or a term, and its meaning.
    Entry(String, String),
    /// Nothing.
    Empty,
}

/// What stands above the query language.
pub const QUERIES: &str = "what a query (/) can say";

/// All lines of help. The manual is made from the same.
pub fn lines(keymap: &Keymap, glyphs: &Glyphs) -> Vec<Line> {
    let mut out = Vec::new();
    for scope in Scope::ALL {
        if !out.is_empty() {
            out.push(Line::Empty);
        }
        out.push(Line::Heading(format!("keys, {}", scope.title())));
        for &a in Action::ALL.iter().filter(|a| a.scope() == scope) {
            out.push(Line::Entry(keymap.text(a), a.help().into()));
        }
    }
    out.push(Line::Empty);
    out.push(Line::Heading("what stands in the timeline".into()));
    let [least, .., full] = glyphs.levels;
    let marks = [
        (
            format!("{least} to {full}"),
            "running: how much of the time; in a group, of all Ps; a name is the goroutine's",
        ),
        (glyphs.runnable.to_string(), "runnable: waiting for a P"),
        (glyphs.syscall.to_string(), "in a syscall"),
        (glyphs.waking.to_string(), "waiting, but for moments of running"),
        (glyphs.waiting.to_string(), "waiting; where it is long it begins with what for:"),
        ("m c s n z g f".into(), "a lock or group, a channel, a select, the network, a sleep, GC, forever"),
        (glyphs.hit.to_string(), "hits of the query; where there are many, bars take their colour"),
        (glyphs.sample.to_string(), "a CPU sample"),
        (
            format!("{} {}", glyphs.arrow_up, glyphs.arrow_down),
            "in a chain or a critical path: who is unblocked, by the goroutine at the other end of the line",
        ),
        (format!("{} {}", glyphs.gc, glyphs.stw), "in the rows above: GC active, stop-the-world"),
        (MARK.to_string(), "in the strip at the top: a finding (view 0), in the colour of how much it matters"),
    ];
    out.extend(marks.map(|(mark, meaning)| Line::Entry(mark, meaning.into())));
    out.push(Line::Empty);
    out.push(Line::Heading(QUERIES.into()));
    for h in crate::query::help() {
        out.push(Line::Entry(h.example.into(), format!("{}  {}", h.term, h.meaning)));
    }
    out
}

impl Help {
    pub(super) fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        let page = self.height.get().max(1);
        match cx.keymap.action(Scope::Global, key) {
            Some(Action::Down) => self.top += 1,
            Some(Action::Up) => self.top = self.top.saturating_sub(1),
            Some(Action::PageDown | Action::HalfDown) => self.top += page,
            Some(Action::PageUp | Action::HalfUp) => self.top = self.top.saturating_sub(page),
            Some(Action::Top) => self.top = 0,
            Some(Action::Bottom) => self.top = usize::MAX,
            Some(a @ (Action::Palette | Action::Filter)) => return Then::Do(a),
            Some(Action::Redraw | Action::Suspend) => return Then::Stay,
            _ => return Then::Close,
        }
        self.top = self.top.min(lines(cx.keymap, cx.theme.glyphs).len().saturating_sub(page));
        Then::Stay
    }

    pub(super) fn wheel(&mut self, rows: i32) {
        self.top = self.top.saturating_add_signed(rows as isize);
    }

    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) {
        let lines = lines(cx.keymap, cx.theme.glyphs);
        let left = lines.iter().map(|l| if let Line::Entry(a, _) = l { text::width(a) } else { 0 }).max().unwrap_or(0);
        let right = lines.iter().map(|l| if let Line::Entry(_, b) = l { text::width(b) } else { 0 }).max().unwrap_or(0);
        let left = left.min(screen.width as usize / 2);
        let want = (left + 2 + right).min(screen.width as usize) as u16;
        let inside = boxed(screen, want, lines.len().min(u16::MAX as usize) as u16, "keys", buf, cx.theme);
        self.height.set(inside.height as usize);
        let top = self.top.min(lines.len().saturating_sub(inside.height as usize));
        for (i, line) in lines.iter().skip(top).take(inside.height as usize).enumerate() {
            let y = inside.y + i as u16;
            match line {
                Line::Heading(h) => {
                    write(buf, inside, inside.x, y, h, cx.theme.style(Role::Heading));
                }
                Line::Entry(a, b) => {
                    write(buf, inside, inside.x, y, &text::fit(a, left), cx.theme.style(Role::Key));
                    let width = (inside.width as usize).saturating_sub(left + 2);
                    let style = cx.theme.style(Role::Text);
                    write(buf, inside, inside.x + left as u16 + 2, y, &text::fit(b, width), style);
                }
                Line::Empty => {}
            }
        }
        let below = lines.len().saturating_sub(top + inside.height as usize);
        if below > 0 && inside.height > 0 {
            let more = format!(" {below} more below ");
            let x = inside.right().saturating_sub(more.len() as u16).max(inside.x);
            let area = Rect { height: inside.height + 1, ..inside };
            write(buf, area, x, inside.bottom(), &more, cx.theme.style(Role::Dim));
        }
    }
}
