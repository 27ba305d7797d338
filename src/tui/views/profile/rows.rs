//! The rows of the table, and those of a function between its callers and its callees.

use crate::analysis::profile::{Hot, Row};
use crate::tui::widgets::table::{Column, Sort};
use std::cmp::Ordering;

/// The column of own values.
pub const FLAT: usize = 0;

/// The columns of the table.
const FUNCTIONS: [Column; 7] = [
    Column { title: "flat", width: 8, right: true, drop: 0, elastic: false },
    Column { title: "flat%", width: 6, right: true, drop: 3, elastic: false },
    Column { title: "sum%", width: 6, right: true, drop: 5, elastic: false },
    Column { title: "cum", width: 8, right: true, drop: 1, elastic: false },
    Column { title: "cum%", width: 6, right: true, drop: 2, elastic: false },
    Column { title: "count", width: 9, right: true, drop: 4, elastic: false },
    Column { title: "function", width: 16, right: false, drop: 0, elastic: true },
];

/// The columns where profiles are compared.
const COMPARED: [Column; 7] = [
    Column { title: "flat", width: 10, right: true, drop: 0, elastic: false },
    Column { title: "flat%", width: 7, right: true, drop: 4, elastic: false },
    Column { title: "cum", width: 10, right: true, drop: 1, elastic: false },
    Column { title: "before", width: 9, right: true, drop: 3, elastic: false },
    Column { title: "after", width: 9, right: true, drop: 2, elastic: false },
    Column { title: "ratio", width: 6, right: true, drop: 5, elastic: false },
    Column { title: "function", width: 16, right: false, drop: 0, elastic: true },
];

/// The columns of the functions.
pub fn columns(compared: bool) -> &'static [Column] {
    if compared { &COMPARED } else { &FUNCTIONS }
}

/// The columns of callers and callees.
pub const CALLS: [Column; 8] = [
    Column { title: "calls", width: 8, right: true, drop: 0, elastic: false },
    Column { title: "calls%", width: 6, right: true, drop: 2, elastic: false },
    Column { title: "flat", width: 8, right: true, drop: 4, elastic: false },
    Column { title: "flat%", width: 6, right: true, drop: 6, elastic: false },
    Column { title: "cum", width: 8, right: true, drop: 3, elastic: false },
    Column { title: "cum%", width: 6, right: true, drop: 5, elastic: false },
    Column { title: "", width: 6, right: false, drop: 1, elastic: false },
    Column { title: "function", width: 16, right: false, drop: 0, elastic: true },
];

/// A function in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its position among the functions.
    pub row: usize,
    /// Own values of it and of all above.
    pub sum: i64,
}

/// How a function stands to the one in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// It calls it.
    Caller,
    /// It is it.
    Center,
    /// It is called by it.
    Callee,
}

/// A function beside the one in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its position among the functions.
    pub row: usize,
    /// How it stands to the one in the middle.
    pub side: Side,
    /// What the calls cost.
    pub calls: i64,
}

fn compare(a: &Row, b: &Row, column: usize) -> Ordering {
    match column {
        3 | 4 => a.cum.cmp(&b.cum).then(a.flat.cmp(&b.flat)),
        5 => a.samples.cmp(&b.samples).then(a.flat.cmp(&b.flat)),
        6 => a.name.cmp(&b.name),
        _ => a.flat.cmp(&b.flat).then(a.cum.cmp(&b.cum)),
    }
}

fn compare_changes(a: &Row, b: &Row, column: usize) -> Ordering {
    let size = |v: i64| v.unsigned_abs();
    match column {
        2 => size(a.cum).cmp(&size(b.cum)).then(size(a.flat).cmp(&size(b.flat))),
        3 => a.before.cmp(&b.before),
        4 => a.after().cmp(&b.after()),
        5 => a.ratio().total_cmp(&b.ratio()),
        6 => a.name.cmp(&b.name),
        _ => size(a.flat).cmp(&size(b.flat)).then(size(a.cum).cmp(&size(b.cum))),
    }
}

/// The functions that the query means, or all, in order.
pub fn order(hot: &Hot, sort: Sort) -> Vec<Line> {
    let mut rows: Vec<usize> = (0..hot.rows.len()).filter(|&i| !hot.filtered || hot.rows[i].matched).collect();
    // As they come the largest own value is the first, in pprof's order.
    let (compare, as_they_come): (fn(&Row, &Row, usize) -> Ordering, _) = match hot.change {
        Some(_) => (compare_changes, 2),
        None => (compare, 3),
    };
    if sort.column >= as_they_come || !sort.descending {
        rows.sort_by(|&a, &b| sort.turn(compare(&hot.rows[a], &hot.rows[b], sort.column)));
    }
    let mut sum = 0i64;
    let line = |row: usize| {
        sum = sum.wrapping_add(hot.rows[row].flat);
        Line { row, sum }
    };
    rows.into_iter().map(line).collect()
}

/// The callers of a function, itself, and its callees.
pub fn parts(hot: &Hot, row: usize) -> Vec<Part> {
    let all = |side: Side, list: Option<&Vec<(usize, i64)>>| {
        list.into_iter().flatten().map(|&(row, calls)| Part { row, side, calls }).collect::<Vec<_>>()
    };
    let mut out = all(Side::Caller, hot.callers.get(row));
    out.push(Part { row, side: Side::Center, calls: 0 });
    out.extend(all(Side::Callee, hot.callees.get(row)));
    out
}
