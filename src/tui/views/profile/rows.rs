//! The tables of functions, and of a function between its callers and its callees.

use super::found::Found;
use super::share;
use crate::analysis::profile::Row;
use crate::base::text;
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::list::{Col, Table, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::Sort;
use std::cmp::Ordering;
use std::sync::Arc;

/// Fewer samples than these say little.
pub const FEW: i64 = 5;

/// A function in the table.
pub struct Line {
    of: Arc<Found>,
    /// Its position among the functions.
    pub row: usize,
    /// Own values of it and of all above.
    sum: i64,
}

impl Line {
    /// The function.
    pub fn row(&self) -> &Row {
        &self.of.hot.rows[self.row]
    }
}

/// What the two tables of functions have in common.
const REST: Table<Line> = Table {
    columns: &[],
    sort: Sort { column: 0, descending: true },
    same: |a, b| a.row().name == b.row().name,
    tie: None,
    arrange: None,
    given_in_order: true,
    section: None,
};

/// The functions of one profile.
pub static FUNCTIONS: Table<Line> = Table {
    columns: &[
        Col::number("flat", 8, |l: &Line, _, w| one(l.of.fitting(l.row().flat, w), number(l.row()))).by(flat),
        Col::number("flat%", 6, |l: &Line, _, _| one(l.of.share(l.row().flat), number(l.row()))).drop(3).by(flat),
        Col::number("sum%", 6, |l: &Line, _, _| one(l.of.share(l.sum), Role::Dim)).drop(5).by(flat),
        Col::number("cum", 8, |l: &Line, _, w| one(l.of.fitting(l.row().cum, w), number(l.row()))).drop(1).by(cum),
        Col::number("cum%", 6, |l: &Line, _, _| one(l.of.share(l.row().cum), number(l.row()))).drop(2).by(cum),
        Col::number("count", 9, |l: &Line, _, _| one(counted(l.row()), Role::Dim)).drop(4).by(|a, b, _| {
            let (a, b) = (a.row(), b.row());
            a.samples.cmp(&b.samples).then(a.flat.cmp(&b.flat))
        }),
        Col::text("function", 16, |l: &Line, _, w| name(l.row(), w)).elastic().by(named),
    ],
    ..REST
};

/// The functions where profiles are compared.
pub static COMPARED: Table<Line> = Table {
    columns: &[
        Col::number("flat", 10, |l: &Line, _, w| change(l, l.row().flat, w)).by(flat_change),
        Col::number("flat%", 7, |l: &Line, _, _| {
            let flat = l.row().flat;
            one(signed(flat, l.of.share(flat)), l.of.role(flat, Role::Dim))
        })
        .drop(4)
        .by(flat_change),
        Col::number("cum", 10, |l: &Line, _, w| change(l, l.row().cum, w)).drop(1).by(|a, b, _| {
            let (a, b) = (a.row(), b.row());
            size(a.cum).cmp(&size(b.cum)).then(size(a.flat).cmp(&size(b.flat)))
        }),
        Col::number("before", 9, |l: &Line, _, w| one(l.of.unsigned(l.row().before, w), Role::Text))
            .drop(3)
            .by(|a, b, _| a.row().before.cmp(&b.row().before)),
        Col::number("after", 9, |l: &Line, _, w| one(l.of.unsigned(l.row().after(), w), Role::Text))
            .drop(2)
            .by(|a, b, _| a.row().after().cmp(&b.row().after())),
        Col::number("ratio", 6, |l: &Line, _, _| one(ratio(l.row().ratio()), Role::Text))
            .drop(5)
            .by(|a, b, _| a.row().ratio().total_cmp(&b.row().ratio())),
        Col::text("function", 16, |l: &Line, _, w| name(l.row(), w)).elastic().by(named),
    ],
    ..REST
};

fn flat(a: &Line, b: &Line, _: &Ctx) -> Ordering {
    let (a, b) = (a.row(), b.row());
    a.flat.cmp(&b.flat).then(a.cum.cmp(&b.cum))
}

fn cum(a: &Line, b: &Line, _: &Ctx) -> Ordering {
    let (a, b) = (a.row(), b.row());
    a.cum.cmp(&b.cum).then(a.flat.cmp(&b.flat))
}

fn named(a: &Line, b: &Line, _: &Ctx) -> Ordering {
    a.row().name.cmp(&b.row().name)
}

fn flat_change(a: &Line, b: &Line, _: &Ctx) -> Ordering {
    let (a, b) = (a.row(), b.row());
    size(a.flat).cmp(&size(b.flat)).then(size(a.cum).cmp(&size(b.cum)))
}

/// How large a change is, whichever way.
fn size(v: i64) -> u64 {
    v.unsigned_abs()
}

/// Whether a function has so few samples that its values say little.
pub fn is_few(r: &Row) -> bool {
    !r.counted && r.samples.saturating_abs() < FEW
}

fn number(r: &Row) -> Role {
    if is_few(r) { Role::Dim } else { Role::Text }
}

fn name_role(r: &Row) -> Role {
    match r {
        _ if is_few(r) => Role::Dim,
        Row { own: true, .. } => Role::Title,
        _ => Role::Text,
    }
}

fn name(r: &Row, width: u16) -> Spans {
    one(text::fit_end(&r.name, usize::from(width)), name_role(r))
}

fn counted(r: &Row) -> String {
    format!("{}{}", if is_few(r) { "~" } else { "" }, text::count(r.samples.unsigned_abs()))
}

fn change(l: &Line, v: i64, width: u16) -> Spans {
    one(l.of.fitting(v, width), l.of.role(v, Role::Dim))
}

/// A share with the sign of the change that it is of.
pub fn signed(change: i64, share: String) -> String {
    match change.signum() {
        0 => share,
        sign => format!("{}{share}", if sign > 0 { '+' } else { '-' }),
    }
}

/// What something costs now in parts of what it cost before.
pub fn ratio(r: f64) -> String {
    if r.is_finite() && r < 1000.0 { format!("{r:.2}") } else { "new".into() }
}

/// How a function stands to the one in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// It calls it.
    Caller,
    /// It is it.
    Center,
    /// It is called by it.
    Callee,
}

/// A function beside the one in the middle.
pub struct Part {
    of: Arc<Found>,
    /// Its position among the functions.
    pub row: usize,
    /// How it stands to the one in the middle.
    side: Side,
    /// What the calls cost, and the one in the middle with all that it calls.
    calls: i64,
    all: i64,
}

impl Part {
    fn row(&self) -> &Row {
        &self.of.hot.rows[self.row]
    }

    fn number(&self) -> Role {
        if self.side == Side::Center { Role::Title } else { Role::Text }
    }

    /// A value of the function.
    fn value(&self, v: i64, width: u16) -> Spans {
        one(self.of.fitting(v, width), self.of.role(v, self.number()))
    }

    fn name(&self, cx: &Ctx, width: u16) -> Spans {
        let indent = match self.side {
            Side::Caller => "  ".to_string(),
            Side::Center => format!("{} ", cx.theme.glyphs.expanded),
            Side::Callee => "    ".to_string(),
        };
        let room = usize::from(width).saturating_sub(indent.chars().count());
        let role = if self.side == Side::Center { Role::Heading } else { name_role(self.row()) };
        one(format!("{indent}{}", text::fit_end(&self.row().name, room)), role)
    }
}

/// Callers and callees. They come in pprof's order.
pub static CALLS: Table<Part> = Table {
    columns: &[
        Col::number("calls", 8, |p: &Part, _, w| match p.side {
            Side::Center => Spans::new(),
            _ => one(p.of.fitting(p.calls, w), p.of.role(p.calls, Role::Text)),
        }),
        Col::number("calls%", 6, |p: &Part, _, _| match p.side {
            Side::Center => Spans::new(),
            _ => one(share(p.calls, p.all), Role::Text),
        })
        .drop(2),
        Col::number("flat", 8, |p: &Part, _, w| p.value(p.row().flat, w)).drop(4),
        Col::number("flat%", 6, |p: &Part, _, _| one(p.of.share(p.row().flat), p.number())).drop(6),
        Col::number("cum", 8, |p: &Part, _, w| p.value(p.row().cum, w)).drop(3),
        Col::number("cum%", 6, |p: &Part, _, _| one(p.of.share(p.row().cum), p.number())).drop(5),
        Col::text("", 6, |p: &Part, _, _| match p.side {
            Side::Caller => one("caller", Role::Dim),
            Side::Center => Spans::new(),
            Side::Callee => one("callee", Role::Dim),
        })
        .drop(1),
        Col::text("function", 16, |p: &Part, cx, w| p.name(cx, w)).elastic(),
    ],
    sort: Sort::NONE,
    same: |a, b| a.row == b.row,
    tie: None,
    arrange: None,
    given_in_order: true,
    section: None,
};

/// The functions that the query means, or all, in order.
pub fn order(of: &Arc<Found>, sort: Sort, cx: &Ctx) -> Vec<Line> {
    let hot = &of.hot;
    let rows = (0..hot.rows.len()).filter(|&i| !hot.filtered || hot.rows[i].matched);
    let mut lines: Vec<Line> = rows.map(|row| Line { of: of.clone(), row, sum: 0 }).collect();
    // As they come the largest own value is the first, in pprof's order.
    let (table, as_they_come) = if hot.change.is_some() { (&COMPARED, 2) } else { (&FUNCTIONS, 3) };
    let order = table.columns.get(sort.column).and_then(|c| c.order);
    if let Some(order) = order.filter(|_| sort.column >= as_they_come || !sort.descending) {
        lines.sort_by(|a, b| sort.turn(order(a, b, cx)));
    }
    let mut sum = 0i64;
    for l in &mut lines {
        sum = sum.wrapping_add(hot.rows[l.row].flat);
        l.sum = sum;
    }
    lines
}

/// The callers of a function, itself, and its callees.
pub fn calls(of: &Arc<Found>, center: usize) -> Vec<Part> {
    let hot = &of.hot;
    let all = hot.rows.get(center).map_or(0, |r| r.cum);
    let part = |row: usize, side: Side, calls: i64| Part { of: of.clone(), row, side, calls, all };
    let side = |side: Side, list: Option<&Vec<(usize, i64)>>| -> Vec<Part> {
        list.into_iter().flatten().map(|&(row, calls)| part(row, side, calls)).collect()
    };
    let mut out = side(Side::Caller, hot.callers.get(center));
    out.push(part(center, Side::Center, 0));
    out.extend(side(Side::Callee, hot.callees.get(center)));
    out
}
