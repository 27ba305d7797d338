//! The lists of the view of tasks and regions.

use super::{mean, name, word};
use crate::analysis::tasks::{Instance, Sum};
use crate::base::number::count_in;
use crate::base::{Duration, text};
use crate::report::why;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::list::{Col, Table, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::Sort;

/// All of one name, summed up.
pub static SUMS: Table<Sum> = Table {
    columns: &[
        Col::text("task or region", 18, |s: &Sum, cx, _| one(name(cx.index, s), Role::Text))
            .elastic()
            .by(|a, b, cx| cx.index.dict.str(a.name).cmp(cx.index.dict.str(b.name))),
        Col::text("", 6, |s: &Sum, _, _| one(word(s.what), Role::Dim)).drop(4).by(|a, b, _| a.what.cmp(&b.what)),
        Col::number("count", 8, |s: &Sum, _, width| one(count_in(s.count, width.into()), Role::Text))
            .by(|a, b, _| a.count.cmp(&b.count)),
        Col::number("open", 6, |s: &Sum, _, _| match s.open {
            0 => one("", Role::Dim),
            n => one(text::count(n), Role::Warning),
        })
        .drop(1)
        .by(|a, b, _| a.open.cmp(&b.open)),
        Col::number("total", 7, |s: &Sum, _, _| time(s.total, Role::Title)).by(|a, b, _| a.total.cmp(&b.total)),
        Col::number("mean", 7, |s: &Sum, _, _| time(mean(s), Role::Text)).drop(2).by(|a, b, _| mean(a).cmp(&mean(b))),
        Col::number("max", 8, |s: &Sum, _, _| time(s.max, Role::Text)).by(|a, b, _| a.max.cmp(&b.max)),
        Col::number("p99", 9, |s: &Sum, _, _| time(s.p99, Role::Text)).drop(3).by(|a, b, _| a.p99.cmp(&b.p99)),
    ],
    sort: Sort { column: 4, descending: true },
    same: |a, b| (a.what, a.name) == (b.what, b.name),
    tie: Some(|a, b| (a.what, a.name).cmp(&(b.what, b.name))),
    arrange: None,
    given_in_order: false,
    section: None,
};

/// A time inside the trace.
fn time(d: Duration, role: Role) -> Spans {
    one(d.to_string(), role)
}

/// Those of one name, one by one.
pub static INSTANCES: Table<Instance> = Table {
    columns: &[
        Col::number("took", 9, |i: &Instance, _, _| one(i.len().to_string(), Role::Title))
            .by(|a, b, _| a.len().cmp(&b.len())),
        Col::number("from", 16, |i: &Instance, cx, _| one(words::instant(i.from - cx.index.start), Role::Text))
            .by(|a, b, _| a.from.cmp(&b.from)),
        Col::number("task", 9, |i: &Instance, _, _| match i.task {
            0 => one("", Role::Dim),
            id => one(format!("#{id}"), Role::Dim),
        })
        .drop(2)
        .by(|a, b, _| a.task.cmp(&b.task)),
        Col::text("goroutine", 16, |i: &Instance, cx, _| one(why::goroutine(cx.index, i.go), Role::Text)).elastic().by(
            |a, b, cx| {
                let id = |i: &Instance| cx.index.goroutine(i.go).map(|g| g.id);
                id(a).cmp(&id(b))
            },
        ),
        Col::text("", 18, |i: &Instance, _, _| match (i.began, i.ended) {
            (true, true) => one("", Role::Dim),
            (false, _) => one("began earlier", Role::Warning),
            (true, false) => one("not ended", Role::Warning),
        })
        .drop(1)
        .by(|a, b, _| (a.began, a.ended).cmp(&(b.began, b.ended))),
    ],
    sort: Sort { column: 0, descending: true },
    same: |a, b| (a.from, a.go, a.task) == (b.from, b.go, b.task),
    tie: Some(|a, b| (a.from, a.go, a.task).cmp(&(b.from, b.go, b.task))),
    arrange: None,
    given_in_order: false,
    section: None,
};
