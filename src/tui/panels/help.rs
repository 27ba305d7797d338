//! The list of all keys and of what a query can say, made from the actions and from the query language's own table; in the
//! viewer what belongs to the present view comes first.

use super::{OverlayCtx, Then, boxed, insert, is_too_much};
use crate::base::text;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::app::view::Legend;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::timeline;
use crate::tui::widgets::write;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

/// The overlay.
#[derive(Default)]
pub struct Help {
    /// What the signs of the view mean that it was asked in, with a heading, and whose keys that has.
    own: Option<(Vec<Line>, Scope)>,
    /// What is searched for, and whether that is being typed.
    search: Input,
    typing: bool,
    top: usize,
    height: std::cell::Cell<usize>,
    width: std::cell::Cell<usize>,
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

/// Columns of keys and terms at most; what is longer has a row of its own.
const LEFT: usize = 22;

/// All lines of help. The manual is made from the same.
pub fn lines(keymap: &Keymap, glyphs: &Glyphs) -> Vec<Line> {
    let mut parts: Vec<Vec<Line>> = Scope::ALL.iter().map(|&s| keys(keymap, s)).collect();
    parts.push(legend("timeline", timeline::legend(glyphs)));
    parts.push(queries());
    parts.push(settings());
    join(parts)
}

/// The same for who asks in a view: what its signs mean, its own keys, then all the rest.
fn lines_in((legend, scope): &(Vec<Line>, Scope), keymap: &Keymap, glyphs: &Glyphs) -> Vec<Line> {
    let (own, others): (Vec<Scope>, Vec<Scope>) =
        Scope::ALL.into_iter().filter(|s| *s != Scope::Global).partition(|s| scope.chain().contains(s));
    let mut parts = vec![legend.clone()];
    parts.extend(own.into_iter().map(|s| keys(keymap, s)));
    parts.push(keys(keymap, Scope::Global));
    parts.push(queries());
    parts.extend(others.into_iter().map(|s| keys(keymap, s)));
    let timeline = self::legend("timeline", timeline::legend(glyphs));
    if timeline != *legend {
        parts.push(timeline);
    }
    parts.push(settings());
    join(parts)
}

/// What signs mean, under a heading; nothing for none.
fn legend(of: &str, entries: Legend) -> Vec<Line> {
    let heading = (!entries.is_empty()).then(|| Line::Heading(format!("what stands in the {of}")));
    heading.into_iter().chain(entries.into_iter().map(|(mark, meaning)| Line::Entry(mark, meaning))).collect()
}

fn join(parts: Vec<Vec<Line>>) -> Vec<Line> {
    let mut out = Vec::new();
    for part in parts.into_iter().filter(|p| !p.is_empty()) {
        if !out.is_empty() {
            out.push(Line::Empty);
        }
        out.extend(part);
    }
    out
}

fn keys(keymap: &Keymap, scope: Scope) -> Vec<Line> {
    let mut out = vec![Line::Heading(format!("keys, {}", scope.title()))];
    let of = Action::ALL.iter().filter(|a| a.scope() == scope);
    out.extend(of.map(|&a| Line::Entry(keymap.text(a), a.help().into())));
    out
}

fn queries() -> Vec<Line> {
    let mut out = vec![Line::Heading(QUERIES.into())];
    for h in crate::query::help() {
        let colon = if h.term.ends_with(':') { "" } else { ":" };
        out.push(Line::Entry(h.example.into(), format!("{}{colon} {}", h.term, h.meaning)));
    }
    out
}

/// What of the viewer can be set, and where.
fn settings() -> Vec<Line> {
    let entry = |a: &str, b: &str| Line::Entry(a.into(), b.into());
    vec![
        Line::Heading("settings, in ~/.config/gotrail/settings.toml".into()),
        entry("view = \"waits\"", "the view that a trace opens in, by the name of its tab"),
        entry("theme = \"light\"", "auto, dark, light, ansi (the terminal's own sixteen colours), mono"),
        entry("density = \"compact\"", "lower panes, so that the view shows more"),
        entry(
            "[colors] lock = \"#ff5f5f\"",
            "colours by kind: running, runnable, syscall, lock, channel, io, timer, gc, other",
        ),
        entry("[keys] expand = [\"e\"]", "keys for actions, by the names that : shows"),
    ]
}

/// The lines that have all the words, under their headings.
fn found(lines: Vec<Line>, words: &str) -> Vec<Line> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return lines;
    }
    let (mut out, mut heading) = (Vec::new(), None);
    for line in lines {
        match &line {
            Line::Heading(_) => heading = Some(line),
            Line::Empty => {}
            Line::Entry(a, b) => {
                let (a, b) = (a.to_lowercase(), b.to_lowercase());
                if words.iter().all(|w| a.contains(w) || b.contains(w)) {
                    if let Some(h) = heading.take() {
                        if !out.is_empty() {
                            out.push(Line::Empty);
                        }
                        out.push(h);
                    }
                    out.push(line);
                }
            }
        }
    }
    out
}

/// What stands in a row: a heading, or the columns of an entry.
enum Row {
    Heading(String),
    Columns(String, String),
}

/// The lines as rows of so many columns: a meaning that is too long goes on in the next row.
fn rows(lines: Vec<Line>, width: usize) -> (Vec<Row>, usize) {
    let of = |l: &Line| if let Line::Entry(a, _) = l { text::width(a) } else { 0 };
    let left = lines.iter().map(of).filter(|w| *w <= LEFT).max().unwrap_or(0).min(width / 2);
    let room = width.saturating_sub(left + 2).max(1);
    let mut out = Vec::new();
    for line in lines {
        match line {
            Line::Heading(h) => out.push(Row::Heading(h)),
            Line::Empty => out.push(Row::Columns(String::new(), String::new())),
            Line::Entry(a, b) => {
                let mut parts = text::wrap(&b, room).into_iter();
                let own = text::width(&a) > left;
                let first = if own { String::new() } else { parts.next().unwrap_or_default() };
                out.push(Row::Columns(a, first));
                out.extend(parts.map(|p| Row::Columns(String::new(), p)));
            }
        }
    }
    (out, left)
}

impl Help {
    /// Help for who asks in a view: what that is called, what its signs mean, whose keys it has.
    pub fn of(title: String, entries: Legend, scope: Scope) -> Help {
        Help { own: Some((legend(&title, entries), scope)), ..Help::default() }
    }

    fn lines(&self, cx: &OverlayCtx) -> Vec<Line> {
        let all = match &self.own {
            Some(own) => lines_in(own, cx.keymap, cx.theme.glyphs),
            None => lines(cx.keymap, cx.theme.glyphs),
        };
        found(all, self.search.value())
    }

    pub(super) fn paste(&mut self, text: impl Iterator<Item = char>) {
        if self.typing {
            insert(&mut self.search, text);
            self.top = 0;
        }
    }

    pub(super) fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        if self.typing {
            match key.code {
                KeyCode::Esc => (self.typing, self.search) = (false, Input::default()),
                KeyCode::Enter => self.typing = false,
                KeyCode::Backspace if self.search.value().is_empty() => self.typing = false,
                _ if is_too_much(&self.search, key) => {}
                _ => drop(self.search.handle_event(&crossterm::event::Event::Key(key.to_event()))),
            }
            self.top = 0;
            return Then::Stay;
        }
        let page = self.height.get().max(1);
        match cx.keymap.action(Scope::Global, key) {
            Some(Action::Down) => self.top += 1,
            Some(Action::Up) => self.top = self.top.saturating_sub(1),
            Some(Action::PageDown | Action::HalfDown) => self.top += page,
            Some(Action::PageUp | Action::HalfUp) => self.top = self.top.saturating_sub(page),
            Some(Action::Top) => self.top = 0,
            Some(Action::Bottom) => self.top = usize::MAX,
            Some(Action::Filter) => self.typing = true,
            Some(Action::Escape) if !self.search.value().is_empty() => {
                (self.search, self.top) = (Input::default(), 0);
            }
            Some(a @ Action::Palette) => return Then::Do(a),
            Some(Action::Redraw | Action::Suspend) => return Then::Stay,
            _ => return Then::Close,
        }
        let rows = rows(self.lines(cx), self.width.get().max(1)).0.len();
        self.top = self.top.min(rows.saturating_sub(page));
        Then::Stay
    }

    pub(super) fn wheel(&mut self, rows: i32) {
        self.top = self.top.saturating_add_signed(rows as isize);
    }

    /// Draws over the `screen`. Returns where the text cursor stands, while something is searched for.
    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        let most = usize::from(screen.width.saturating_sub(4)).min(100);
        let (rows, left) = rows(self.lines(cx), most);
        let wanted = |r: &Row| match r {
            Row::Heading(h) => text::width(h),
            Row::Columns(a, b) => text::width(a).max(left + 2 + text::width(b)),
        };
        // While something is searched for, the box keeps its size.
        let searching = self.typing || !self.search.value().is_empty();
        let (width, height) = match searching {
            true => (most, usize::from(screen.height)),
            false => (rows.iter().map(wanted).max().unwrap_or(0), rows.len()),
        };
        let title = match searching {
            true => format!("keys /{}", text::escape(self.search.value())),
            false => "keys; / searches".to_owned(),
        };
        let inside = boxed(screen, width as u16, height.min(usize::from(u16::MAX)) as u16, &title, buf, cx.theme);
        self.height.set(inside.height as usize);
        self.width.set(most);
        let top = self.top.min(rows.len().saturating_sub(inside.height as usize));
        for (i, row) in rows.iter().skip(top).take(inside.height as usize).enumerate() {
            let y = inside.y + i as u16;
            match row {
                Row::Heading(h) => drop(write(buf, inside, inside.x, y, h, cx.theme.style(Role::Heading))),
                Row::Columns(a, b) => {
                    write(buf, inside, inside.x, y, a, cx.theme.style(Role::Key));
                    write(buf, inside, inside.x + left as u16 + 2, y, b, cx.theme.style(Role::Text));
                }
            }
        }
        if rows.is_empty() {
            write(buf, inside, inside.x, inside.y, "nothing has these words", cx.theme.style(Role::Dim));
        }
        let below = rows.len().saturating_sub(top + inside.height as usize);
        if below > 0 && inside.height > 0 {
            let more = format!(" {below} more below ");
            let x = inside.right().saturating_sub(more.len() as u16).max(inside.x);
            let area = Rect { height: inside.height + 1, ..inside };
            write(buf, area, x, inside.bottom(), &more, cx.theme.style(Role::Dim));
        }
        let x = inside.x + " keys /".len() as u16 + self.search.visual_cursor() as u16;
        self.typing.then(|| Position::new(x.min(inside.right()), inside.y.saturating_sub(1)))
    }
}
