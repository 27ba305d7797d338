//! Who was blocked, by whom, in one trace or summed up over several, as text.

use super::table::{Column, Page, Table as Layout, fold};
use crate::analysis::waits::links::EndedBy;
use crate::analysis::waits::links::table::{Longest, Named, NamedKnot, Row, Table};
use crate::analysis::waits::standing::Standing;
use crate::base::{Duration, text, time};
use crate::model::dict::shown_func;
use std::io::{self, Write};

/// Waits that are no stalls that are listed of a kind, at most.
const IDLE: usize = 10;

/// Writes the first `limit` rows, then the wait cycles, then how to ask about the longest wait of the row that cost most, of
/// those that goroutines ended again and again. Waits of runtime goroutines are left out but for `all`.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(table: &Table, all: bool, limit: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<_> = table.rows.iter().filter(|(_, r)| all || r.users).collect();
    let hidden = table.rows.len() - shown.len();
    if table.traces > 1 {
        writeln!(out, "{} traces\n", table.traces)?;
    }
    let mut t = columns(&["total", "waits", "p99", "max"]);
    let of = |standing| shown.iter().filter(move |(_, r)| r.standing == standing).copied().collect::<Vec<_>>();
    rows(&of(Standing::Stall), limit, &mut t);
    if table.rows.is_empty() {
        t.words("no waits".into());
    }
    for standing in [Standing::Idle, Standing::Unknown] {
        let others = of(standing);
        if !others.is_empty() {
            t.words(standing.heading().into());
            rows(&others, limit.min(IDLE), &mut t);
        }
    }
    if hidden > 0 {
        t.words(format!("{hidden} of runtime goroutines not shown (--all)"));
    }
    t.write(page, out)?;
    for k in &table.knots {
        cycle(k, page, out)?;
    }
    for said in &table.orders {
        writeln!(out)?;
        fold(said, page.width).iter().try_for_each(|l| writeln!(out, "{l}"))?;
    }
    hint(table, out)
}

/// The first `limit` rows, and how many more there are.
fn rows(all: &[&(Named, Row)], limit: usize, t: &mut Layout) {
    for (k, r) in all.iter().take(limit) {
        let numbers = [r.total.to_string(), text::count(r.count), r.p99().to_string(), r.max.to_string()];
        t.row(numbers.into_iter().chain([words(k, r)]));
    }
    if let Some(rest) = all.get(limit..).filter(|r| !r.is_empty()) {
        let total: Duration = rest.iter().map(|(_, r)| r.total).sum();
        let count = text::count(rest.iter().map(|(_, r)| r.count).sum());
        let max = rest.iter().map(|(_, r)| r.max).max().unwrap_or_default();
        let numbers = [total.to_string(), count, String::new(), max.to_string()];
        t.row(numbers.into_iter().chain([more(rest, " (--limit)")]));
    }
}

/// A table of waits: these columns, and what they have in common.
pub(super) fn columns(numbers: &[&str]) -> Layout {
    let numbers = numbers.iter().map(|n| Column::right(n));
    Layout::new(numbers.chain([Column::left("blocked in · who, where ← unblocked by whom, where")]))
}

/// What rows that are not shown have in common: how many, and how many of their waits had not ended at trace end.
pub(super) fn more(rows: &[&(Named, Row)], how: &str) -> String {
    let n = rows.iter().map(|(_, r)| r.unfinished).sum();
    format!("{} more{how}{}", rows.len(), unfinished(n))
}

/// How many waits had not ended at trace end, behind what there is to say of them; nothing for none.
pub fn unfinished(n: u64) -> String {
    if n == 0 { String::new() } else { format!(" · {} unfinished", text::count(n)) }
}

/// How many waits a recording's end cut off, of which a later recording tells.
pub fn cut(n: u64) -> String {
    if n == 0 { String::new() } else { format!(" · {} cut by the end of a recording", text::count(n)) }
}

/// What a row's waits have in common, safe to show: in what, who where, unblocked by whom where.
pub(super) fn words(k: &Named, r: &Row) -> String {
    let since = match r.open {
        0 => String::new(),
        _ if k.ended_by == EndedBy::Nobody => format!("{}{}", cut(r.count - r.unfinished), unfinished(r.unfinished)),
        n => format!(" · {} since before the trace", text::count(n)),
    };
    let who = format!("{} · {}{}", text::escape(&k.reason), short(&k.waiter), spaced(&k.at.line));
    format!("{who} ← {}{}{since}", ended_by(k), spaced(&k.waker_at.line))
}

/// Goroutines that keep waiting for each other, and at which lines.
fn cycle(k: &NamedKnot, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = k.roles.iter().map(|g| short(g)).collect();
    let (names, n) = (names.join(", "), text::count(k.waits));
    let title = format!("wait cycle: goroutines of {names} wait for one another: {n} times, {} total", k.total);
    writeln!(out)?;
    fold(&title, page.width).iter().try_for_each(|l| writeln!(out, "{l}"))?;
    let mut t = Layout::new([
        Column::right("total"),
        Column::right("waits"),
        Column::left("who, where ← unblocked by whom, where"),
    ]);
    for b in k.between.iter().take(6) {
        let [waiter, waker] = [&b.waiter, &b.waker].map(|(who, at)| format!("{}{}", short(who), spaced(&at.line)));
        t.row([b.total.to_string(), text::count(b.count), format!("{waiter} ← {waker}")]);
    }
    if k.between.len() > 6 {
        t.words(format!("{} more", k.between.len() - 6));
    }
    t.write(page, out)
}

fn hint(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let by_goroutines =
        |(k, r): &&(Named, Row)| r.users && r.standing == Standing::Stall && k.ended_by == EndedBy::Goroutine;
    let Some((k, r)) = table.rows.iter().filter(by_goroutines).max_by_key(|(_, r)| (r.count > 1, r.total)) else {
        return Ok(());
    };
    if r.max <= Duration::ZERO {
        return Ok(());
    }
    let Longest { trace, g: Some(g), offset, .. } = &r.longest else { return Ok(()) };
    // Both ends of what is shorter than a few of the usual digits would read the same.
    let digits = if r.max < Duration(1_000_000) { Duration(1) } else { Duration(1000) };
    let at = |t| time::offset(t, digits);
    // A name that cannot be written in a shell has to be given by the user.
    let name = Some(trace.as_str()).filter(|n| !n.starts_with('-') && !n.is_empty()).and_then(text::shell_word);
    let file = name.as_deref().unwrap_or("FILE");
    let (from, to) = (at(*offset), at(*offset + r.max));
    let of = format!("{} by {}{}", text::escape(&k.reason), short(&k.waiter), spaced(&k.at.line));
    writeln!(out, "\nthe longest {of}: gotrail why {file} -g {g} --from {from} --to {to}")
}

/// A group's name, short and safe to show.
pub(super) fn short(name: &str) -> String {
    shown_func(name)
}

/// Who ended the waits of a row, short and safe to show.
fn ended_by(k: &Named) -> String {
    if k.ended_by == EndedBy::Goroutine { short(&k.waker) } else { k.ended_by.words().to_owned() }
}

fn spaced(s: &str) -> String {
    if s.is_empty() { String::new() } else { format!(" {s}") }
}
