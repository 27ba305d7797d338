//! The lists of the view of spans.

use super::{Named, mean, name};
use crate::analysis::spans::Span;
use crate::base::number::count_in;
use crate::base::{Duration, text};
use crate::report::why;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::list::{Col, Table, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::Sort;

/// All of one name, summed up.
pub static SUMS: Table<Named> = Table {
    columns: &[
        Col::text("request, call, task or region", 18, |s: &Named, cx, _| one(name(cx.index, s), Role::Text))
            .elastic()
            .by(|a, b, cx| cx.index.dict.str(a.sum.name).cmp(cx.index.dict.str(b.sum.name))),
        Col::text("", 11, |s: &Named, _, _| one(s.kind.to_string(), Role::Dim))
            .drop(5)
            .by(|a, b, _| a.kind.cmp(&b.kind)),
        Col::number("count", 8, |s: &Named, _, width| one(count_in(s.sum.count, width.into()), Role::Text))
            .by(|a, b, _| a.sum.count.cmp(&b.sum.count)),
        Col::number("open", 6, |s: &Named, _, _| match s.sum.open {
            0 => one("", Role::Dim),
            n => one(text::count(n), Role::Warning),
        })
        .drop(1)
        .by(|a, b, _| a.sum.open.cmp(&b.sum.open)),
        Col::number("total", 7, |s: &Named, _, _| time(s.sum.total, Role::Title))
            .by(|a, b, _| a.sum.total.cmp(&b.sum.total)),
        Col::number("mean", 7, |s: &Named, _, _| time(mean(&s.sum), Role::Text))
            .drop(2)
            .by(|a, b, _| mean(&a.sum).cmp(&mean(&b.sum))),
        Col::number("p50", 8, |s: &Named, _, _| time(s.sum.p50, Role::Text))
            .drop(3)
            .by(|a, b, _| a.sum.p50.cmp(&b.sum.p50)),
        Col::number("p99", 8, |s: &Named, _, _| time(s.sum.p99, Role::Text))
            .drop(4)
            .by(|a, b, _| a.sum.p99.cmp(&b.sum.p99)),
        Col::number("max", 8, |s: &Named, _, _| time(s.sum.max, Role::Text)).by(|a, b, _| a.sum.max.cmp(&b.sum.max)),
    ],
    sort: Sort { column: 4, descending: true },
    same: |a, b| (a.sum.kind, a.sum.name) == (b.sum.kind, b.sum.name),
    tie: Some(|a, b| (a.sum.kind, a.sum.name).cmp(&(b.sum.kind, b.sum.name))),
    arrange: None,
    given_in_order: false,
    section: None,
};

/// A length of time.
fn time(d: Duration, role: Role) -> Spans {
    one(d.to_string(), role)
}

/// Those of one name, one by one.
pub static SPANS: Table<Span> = Table {
    columns: &[
        Col::number("took", 9, |i: &Span, _, _| one(i.len().to_string(), Role::Title))
            .by(|a, b, _| a.len().cmp(&b.len())),
        Col::number("from", 16, |i: &Span, cx, _| one(words::instant(i.from - cx.index.start), Role::Text))
            .by(|a, b, _| a.from.cmp(&b.from)),
        Col::number("task", 9, |i: &Span, _, _| match i.task {
            0 => one("", Role::Dim),
            id => one(format!("#{id}"), Role::Dim),
        })
        .drop(2)
        .by(|a, b, _| a.task.cmp(&b.task)),
        Col::text("goroutine", 16, |i: &Span, cx, _| one(why::goroutine(cx.index, i.go), Role::Text)).elastic().by(
            |a, b, cx| {
                let id = |i: &Span| cx.index.goroutine(i.go).map(|g| g.id);
                id(a).cmp(&id(b))
            },
        ),
        Col::text("", 18, |i: &Span, _, _| match (i.began, i.ended) {
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
