//! The list of bookmarks: where each is, and what was said of it.

use super::{OverlayCtx, Then, boxed, place};
use crate::base::number::Instants;
use crate::base::{Duration, text};
use crate::read::bookmarks::Bookmark;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::keymap::Key;
use crate::tui::text::goroutine;
use crate::tui::theme::Role;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::write;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::cell::Cell;

/// Rows at most.
const ROWS: u16 = 20;
/// Columns at most.
const COLUMNS: u16 = 110;

/// The overlay.
#[derive(Default)]
pub struct Bookmarks {
    list: Cell<Scroll>,
}

impl Bookmarks {
    pub(super) fn key(&mut self, key: Key, cx: &OverlayCtx) -> Then {
        let all = cx.marks.all();
        let list = self.list.get_mut();
        let selected = all.get(list.selected as usize);
        let plain = key.modifiers.is_empty();
        match key.code {
            _ if !plain => {}
            KeyCode::Char('d') | KeyCode::Delete => return selected.cloned().map_or(Then::Stay, Then::Remove),
            KeyCode::Char('u') => return Then::Undo,
            KeyCode::Char('e') => return selected.cloned().map_or(Then::Stay, Then::Note),
            _ => {}
        }
        match cx.keymap.action(Scope::Global, key) {
            Some(Action::Enter) => return selected.cloned().map_or(Then::Close, Then::Jump),
            Some(Action::Escape | Action::Quit | Action::Bookmarks) => return Then::Close,
            Some(a @ (Action::Help | Action::Palette)) => return Then::Do(a),
            Some(action) => drop(list.handle(action)),
            None => {}
        }
        Then::Stay
    }

    pub(super) fn press(&mut self, at: Position, double: bool, screen: Rect, cx: &OverlayCtx) -> Then {
        let all = cx.marks.all();
        let (area, inside) = room(all.len(), screen);
        if !area.contains(at) {
            return Then::Close;
        }
        if !inside.contains(at) {
            return Then::Stay;
        }
        let list = self.list.get_mut();
        list.fit(all.len() as u64, inside.height);
        let row = list.top + u64::from(at.y - inside.y);
        let Some(mark) = all.get(row as usize) else { return Then::Stay };
        list.select(row);
        if double { Then::Jump(mark.clone()) } else { Then::Stay }
    }

    pub(super) fn wheel(&mut self, rows: i32) {
        self.list.get_mut().wheel(i64::from(rows));
    }

    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) {
        let all = cx.marks.all();
        let title = match all.len() {
            0 => "bookmarks".to_owned(),
            n => format!("bookmarks: {}; Enter jumps, e note, d deletes, u undoes", text::count(n as u64)),
        };
        let (_, Rect { width, height, .. }) = room(all.len(), screen);
        let inside = boxed(screen, width, height, &title, buf, cx.theme);
        if inside.is_empty() {
            return;
        }
        if all.is_empty() {
            let key = cx.keymap.text(Action::Bookmark);
            let says = format!("no bookmarks; {key} makes one where the cursor is");
            write(buf, inside, inside.x, inside.y, &says, cx.theme.style(Role::Dim));
            return;
        }
        let mut list = self.list.get();
        list.fit(all.len() as u64, inside.height);
        self.list.set(list);
        let instants = Instants::new(all.last().map_or(Duration::ZERO, |b| b.at), Duration(1000));
        for (y, no) in (inside.y..).zip(list.seen()) {
            let Some(mark) = all.get(no as usize) else { break };
            if no == list.selected {
                cx.theme.select(buf, Rect { y, height: 1, ..inside });
                write(buf, inside, inside.x, y, &cx.theme.glyphs.marker.to_string(), cx.theme.style(Role::Accent));
            }
            let x = write(buf, inside, inside.x + 2, y, &instants.pad(mark.at), cx.theme.style(Role::Title));
            let (who, note) = (who(mark, cx), text::escape(&mark.note).into_owned());
            // The note is what it is looked for by.
            let room = usize::from(inside.right().saturating_sub(x + 2));
            let left = room.saturating_sub(text::width(&note) + 2).clamp(room / 3, room);
            let who = text::fit(&who, left.min(room));
            let x = write(buf, inside, x + 2, y, &who, cx.theme.style(Role::Dim));
            let note = text::fit(&note, usize::from(inside.right().saturating_sub(x + 2))).into_owned();
            write(buf, inside, x + 2, y, &note, cx.theme.style(Role::Text));
        }
    }
}

/// Where the list stands, and its rows.
fn room(count: usize, screen: Rect) -> (Rect, Rect) {
    place(screen, COLUMNS.min(screen.width.saturating_sub(4)), (count.min(usize::from(ROWS)) as u16).max(2))
}

/// The goroutine of a bookmark, the range that was selected, and the view, safe to show.
fn who(mark: &Bookmark, cx: &OverlayCtx) -> String {
    let at = cx.index.start + mark.at;
    let go = mark.go.map(|id| match cx.index.find_goroutine(id, at) {
        Some(g) => goroutine(cx.index, g),
        None => format!("g{}", id.0),
    });
    let range = mark.range.map(|(a, b)| format!("{} selected", b - a));
    let view = Some(text::escape(&mark.view).into_owned());
    [go, range, view].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
