//! A list is data: a table of columns says what its rows show, how they are put in order and how wide they are; the list
//! keeps the order, the cursor and the part that is seen, and answers keys and the mouse.

use super::scroll::Scroll;
use super::spans::Spans;
use super::table::{self, Column, Slot, Sort};
use super::write;
use crate::base::text;
use crate::tui::app::action::Action;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::cmp::Ordering;

/// A column of a list of `R`.
pub struct Col<R: 'static> {
    /// Its heading, its width, and whether it goes where there is not room for all.
    pub column: Column,
    /// What it shows of a row in so many columns of the terminal, safe to show.
    pub cell: fn(&R, &Ctx, u16) -> Spans,
    /// The order of two rows by it, ascending; without one it cannot be sorted by.
    pub order: Option<fn(&R, &R, &Ctx) -> Ordering>,
    /// Whether it is there; always, if this is `None`.
    pub when: Option<fn(&Ctx) -> bool>,
}

/// A piece of text as a cell.
pub fn one(text: impl Into<String>, role: Role) -> Spans {
    vec![(text.into(), role)]
}

impl<R> Col<R> {
    /// A column of text, at the left of its width.
    pub const fn text(title: &'static str, width: u16, cell: fn(&R, &Ctx, u16) -> Spans) -> Col<R> {
        let column = Column { title, width, right: false, drop: 0, elastic: false };
        Col { column, cell, order: None, when: None }
    }

    /// A column of numbers, at the right of its width.
    pub const fn number(title: &'static str, width: u16, cell: fn(&R, &Ctx, u16) -> Spans) -> Col<R> {
        let mut col = Col::text(title, width, cell);
        col.column.right = true;
        col
    }

    /// Makes it take what the others leave.
    pub const fn elastic(mut self) -> Col<R> {
        self.column.elastic = true;
        self
    }

    /// Lets it go where there is not room for all: of several the one with the highest number first.
    pub const fn drop(mut self, drop: u8) -> Col<R> {
        self.column.drop = drop;
        self
    }

    /// Lets the list be sorted by it.
    pub const fn by(mut self, order: fn(&R, &R, &Ctx) -> Ordering) -> Col<R> {
        self.order = Some(order);
        self
    }

    /// Has it there only sometimes.
    pub const fn when(mut self, when: fn(&Ctx) -> bool) -> Col<R> {
        self.when = Some(when);
        self
    }

    fn is_there(&self, cx: &Ctx) -> bool {
        self.when.is_none_or(|w| w(cx))
    }
}

/// What a list is made of.
pub struct Table<R: 'static> {
    /// The columns, from left to right.
    pub columns: &'static [Col<R>],
    /// How it is sorted at first.
    pub sort: Sort,
    /// Whether two rows are of the same thing: the cursor stays on it.
    pub same: fn(&R, &R) -> bool,
    /// The order of rows that the sorted column does not tell apart; else they stand as they were given.
    pub tie: Option<fn(&R, &R) -> Ordering>,
    /// Changes where columns stand and how wide they are, where they were fitted one by one.
    pub arrange: Option<fn(&mut [Slot])>,
    /// Whether whoever gives the rows puts them in order.
    pub given_in_order: bool,
    /// Under which heading a row stands, where rows under one heading come one after the other.
    pub section: Option<fn(&R) -> &'static str>,
}

/// What a list made of a key or of the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Took {
    /// It was not for the list.
    Nothing,
    /// It is done: sorted, or the seen part moved.
    Done,
    /// The cursor has moved.
    Moved,
    /// The row under the cursor is to be gone into.
    Enter,
    /// The cursor has moved to a row, and that is to be gone into.
    Double,
    /// What was gone into is left again.
    Closed,
}

/// What stands in the order of rows for a heading.
const HEADING: usize = usize::MAX;

/// A list.
pub struct List<R: 'static> {
    table: &'static Table<R>,
    rows: Vec<R>,
    /// The rows as they stand on the screen, by position in `rows`; [`HEADING`] for a heading of those below it.
    order: Vec<usize>,
    sort: Sort,
    scroll: Scroll,
}

impl<R> List<R> {
    /// A list without rows.
    pub fn new(table: &'static Table<R>) -> List<R> {
        List { table, rows: Vec::new(), order: Vec::new(), sort: table.sort, scroll: Scroll::default() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How it is sorted.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&R> {
        self.rows.get(*self.order.get(self.scroll.selected as usize)?)
    }

    /// Where the cursor is.
    pub fn cursor(&self) -> u64 {
        self.scroll.selected
    }

    /// The rows, as they were given.
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// The place on the screen's list of the first row that fits.
    pub fn position(&self, fits: impl Fn(&R) -> bool) -> Option<u64> {
        self.order.iter().position(|&i| self.rows.get(i).is_some_and(&fits)).map(|i| i as u64)
    }

    /// Puts the cursor on a row.
    pub fn select(&mut self, row: u64) {
        self.scroll.select(row);
    }

    /// Puts the cursor on a row, in the middle unless it is in sight already.
    pub fn reveal(&mut self, row: u64) {
        self.scroll.reveal(row);
    }

    /// Whether the last row is in sight.
    pub fn shows_end(&self) -> bool {
        self.scroll.seen().end == self.order.len() as u64
    }

    /// How many rows are in sight.
    pub fn seen(&self) -> usize {
        self.scroll.seen().count()
    }

    /// The table that it is made of.
    pub fn table(&self) -> &'static Table<R> {
        self.table
    }

    /// Has it made of another table, from the next rows on; how it is sorted stays.
    pub fn set_table(&mut self, table: &'static Table<R>) {
        self.table = table;
    }

    /// Begins anew, with no rows.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.order.clear();
        self.scroll = Scroll::default();
    }

    /// Takes other rows. The cursor stays on what it is on; if that is the first row, on the first.
    pub fn set(&mut self, rows: Vec<R>, cx: &Ctx) {
        self.put(rows, cx, false);
    }

    /// Takes other rows. The cursor stays on what it is on.
    pub fn follow(&mut self, rows: Vec<R>, cx: &Ctx) {
        self.put(rows, cx, true);
    }

    fn put(&mut self, rows: Vec<R>, cx: &Ctx, even_first: bool) {
        let old = std::mem::replace(&mut self.rows, rows);
        let on = self.order.get(self.scroll.selected as usize).and_then(|&i| old.get(i));
        let on = on.filter(|_| even_first || !self.on_first());
        let on = on.and_then(|on| self.rows.iter().position(|r| (self.table.same)(r, on)));
        self.put_in_order(on, cx);
    }

    /// Puts the rows in order; the cursor goes to a row, if one is given.
    fn put_in_order(&mut self, on: Option<usize>, cx: &Ctx) {
        self.order = (0..self.rows.len()).collect();
        let order = self.table.columns.get(self.sort.column).and_then(|c| c.order);
        if let Some(order) = order.filter(|_| !self.table.given_in_order) {
            let (rows, sort, tie) = (&self.rows, self.sort, self.table.tie);
            self.order.sort_by(|&a, &b| {
                let by = sort.turn(order(&rows[a], &rows[b], cx));
                by.then_with(|| tie.map_or(Ordering::Equal, |t| t(&rows[a], &rows[b])))
            });
        }
        self.put_headings();
        self.scroll.fit(self.order.len() as u64, self.scroll.seen().count().clamp(1, 1000) as u16);
        self.leave_heading(true);
        if let Some(at) = on.and_then(|on| self.order.iter().position(|&i| i == on)) {
            self.scroll.select(at as u64);
        }
    }

    /// Puts headings where rows of another section begin, if the order keeps those together and there are several.
    fn put_headings(&mut self) {
        let Some(section) = self.table.section else { return };
        let of = |i: &usize| section(&self.rows[*i]);
        let begins = (1..self.order.len()).filter(|&i| of(&self.order[i - 1]) != of(&self.order[i])).count();
        let mut all: Vec<&str> = self.order.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        if begins + 1 != all.len() || begins == 0 {
            return;
        }
        let mut with = Vec::with_capacity(self.order.len() + all.len());
        for (i, row) in self.order.iter().enumerate() {
            if i == 0 || of(&self.order[i - 1]) != of(row) {
                with.push(HEADING);
            }
            with.push(*row);
        }
        self.order = with;
    }

    /// Whether the cursor is on the first row.
    fn on_first(&self) -> bool {
        self.order.iter().take(self.scroll.selected as usize).all(|&i| i == HEADING)
    }

    /// Moves the cursor off a heading, the way it was going.
    fn leave_heading(&mut self, down: bool) {
        let at = self.scroll.selected;
        if self.order.get(at as usize) == Some(&HEADING) {
            self.scroll.select(if down || at == 0 { at + 1 } else { at - 1 });
        }
    }

    /// Sorts as `change` says.
    fn sort_by(&mut self, cx: &Ctx, change: impl FnOnce(&mut Sort)) {
        change(&mut self.sort);
        let on = self.order.get(self.scroll.selected as usize).copied().filter(|_| !self.on_first());
        self.put_in_order(on, cx);
    }

    /// Sorts by the next column that can be sorted by, or the one before.
    fn step(&mut self, by: isize, cx: &Ctx) {
        let columns = self.table.columns;
        let n = columns.len();
        if columns.iter().all(|c| c.order.is_none()) {
            return;
        }
        let mut at = self.sort.column.min(n);
        for _ in 0..n {
            at = (at + n).wrapping_add_signed(by) % n;
            if columns[at].order.is_some() && columns[at].is_there(cx) {
                break;
            }
        }
        self.sort_by(cx, |s| *s = Sort { column: at, descending: columns[at].column.right });
    }

    /// Does an action.
    pub fn handle(&mut self, action: Action, cx: &Ctx) -> Took {
        match action {
            Action::SortNext => self.step(1, cx),
            Action::SortPrev => self.step(-1, cx),
            Action::SortReverse => self.sort_by(cx, |s| s.descending = !s.descending),
            _ if self.scroll.handle(action) => {
                self.leave_heading(!matches!(action, Action::Up | Action::HalfUp | Action::PageUp));
                return Took::Moved;
            }
            _ => return Took::Nothing,
        }
        Took::Done
    }

    /// Does what the mouse says; `area` has the heading in its first row.
    pub fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx) -> Took {
        match what {
            Mouse::Press if at.y == area.y => {
                let slot = table::slot_at(&self.slots(area.width, cx), at.x.saturating_sub(area.x));
                if let Some(s) = slot.filter(|s| self.table.columns[s.column].order.is_some()) {
                    let columns: Vec<Column> = self.table.columns.iter().map(|c| c.column).collect();
                    self.sort_by(cx, |sort| sort.click(s.column, &columns));
                }
                Took::Done
            }
            Mouse::Press | Mouse::Double if at.y > area.y => {
                let row = self.scroll.top + u64::from(at.y - area.y - 1);
                if self.order.get(row as usize).is_none_or(|&i| i == HEADING) {
                    return Took::Nothing;
                }
                self.scroll.select(row);
                if what == Mouse::Double { Took::Double } else { Took::Moved }
            }
            Mouse::Wheel(n, _) => {
                self.scroll.wheel(i64::from(n) * 3);
                self.leave_heading(n > 0);
                Took::Done
            }
            _ => Took::Nothing,
        }
    }

    /// Takes note of the room, of which the heading takes a row, and keeps the cursor in sight.
    pub fn fit(&mut self, height: u16) {
        self.scroll.fit(self.order.len() as u64, height.saturating_sub(1));
        // The heading of the first rows is seen with them.
        if self.scroll.top == 1 && self.order.first() == Some(&HEADING) && self.scroll.selected + 1 < u64::from(height)
        {
            self.scroll.top = 0;
        }
    }

    /// The columns that fit. One that is not there keeps the gap beside it, where that fits.
    pub fn slots(&self, width: u16, cx: &Ctx) -> Vec<Slot> {
        let there = |c: &Col<R>| match c.is_there(cx) {
            true => c.column,
            false => Column { width: 0, drop: u8::MAX, ..c.column },
        };
        let columns: Vec<Column> = self.table.columns.iter().map(there).collect();
        // What one column takes and another shares with it is for two.
        let widest = if self.table.arrange.is_some() { 2 * table::WIDEST } else { table::WIDEST };
        let mut slots = table::fit_to(&columns, width.saturating_sub(1), widest);
        if let Some(arrange) = self.table.arrange {
            arrange(&mut slots);
        }
        slots.into_iter().map(|s| Slot { x: s.x + 1, ..s }).collect()
    }

    /// Draws the heading and the rows in sight; where there are none, what is to be said of that.
    pub fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx, empty: &str) {
        if area.is_empty() {
            return;
        }
        let theme = cx.theme;
        let slots = self.slots(area.width, cx);
        let columns: Vec<Column> = self.table.columns.iter().map(|c| c.column).collect();
        let sort = Some((self.sort.column, self.sort.descending));
        table::heading(buf, table::row(area, 0), &columns, &slots, sort, theme);
        if self.rows.is_empty() {
            write(buf, area, area.x + 1, area.y + 1, empty, theme.style(Role::Dim));
            return;
        }
        for (i, no) in self.scroll.seen().enumerate() {
            let line = table::row(area, i as u64 + 1);
            let next = self.order.get(no as usize + 1).and_then(|&i| self.rows.get(i));
            if self.order.get(no as usize) == Some(&HEADING) {
                let said = self.table.section.zip(next).map_or("", |(section, next)| section(next));
                write(buf, line, line.x + 1, line.y, said, theme.style(Role::Heading));
                continue;
            }
            let row = self.order.get(no as usize).and_then(|&i| self.rows.get(i));
            let Some(row) = row.filter(|_| line.height > 0) else { return };
            if no == self.scroll.selected {
                mark(line, buf, cx);
            }
            for &slot in &slots {
                let col = &self.table.columns[slot.column];
                cell(&(col.cell)(row, cx, slot.width), line, slot, col.column.right, buf, cx);
            }
        }
    }
}

/// Shows that a row is the selected one, with a sign in its first column.
pub fn mark(line: Rect, buf: &mut Buffer, cx: &Ctx) {
    let theme = cx.theme;
    match cx.focused {
        true => theme.select(buf, line),
        false => buf.set_style(line, theme.style(Role::Title)),
    }
    write(buf, line, line.x, line.y, &theme.glyphs.marker.to_string(), theme.style(Role::Accent));
}

/// Writes the pieces of a cell one after the other; gaps stay as they are.
fn cell(spans: &[(String, Role)], line: Rect, slot: Slot, right: bool, buf: &mut Buffer, cx: &Ctx) {
    let (mut slot, end) = (slot, slot.x + slot.width);
    for (s, role) in spans {
        if !s.trim_start_matches(' ').is_empty() {
            table::put(buf, line, slot, right, s, cx.theme.style(*role));
        }
        let x = (slot.x + text::width(s) as u16).min(end);
        slot = Slot { x, width: end - x, ..slot };
    }
}
