//! Groups by a label of goroutines as text.

use super::table::{Column, Page, Table};
use crate::analysis::labelled::{Sum, Valued};
use crate::base::text::{count, escape};
use std::io::{self, Write};

/// What is said below a table that has inferred labels.
pub const INFERRED: &str =
    "inferred: by CPU samples, from the first to the last of a goroutine's successive samples with equal labels";

/// What a group is called, safe to show: `/pay`, `/pay (inferred)`, `no endpoint known`: between samples nothing tells.
pub fn name(v: &Valued) -> String {
    let key = escape(&v.key);
    match &v.value {
        None => format!("no {key} known"),
        Some(value) if v.inferred => format!("{} (inferred)", escape(value)),
        Some(value) => escape(value).into_owned(),
    }
}

/// The title of the column with these names.
pub fn title(v: &Valued) -> String {
    format!("label {}", escape(&v.key))
}

/// Writes the first `rows` groups of goroutines, and the rest as one.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(all: &[Sum], rows: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = all.first() else { return Ok(()) };
    let titles = ["goroutines", "running", "runnable", "blocked", "syscall", "CPU samples"].map(Column::right);
    let mut t = Table::new(titles.into_iter().chain([Column::left(&title(&first.of))]));
    for s in all.iter().take(rows) {
        let x = &s.times;
        let times = [x.running, x.runnable, x.waiting, x.syscall + x.syscall_blocked].map(|d| d.to_string());
        let cells = [count(s.goroutines)].into_iter().chain(times).chain([count(s.samples), name(&s.of)]);
        t.row(cells);
    }
    if let Some(rest) = all.get(rows..).filter(|r| !r.is_empty()) {
        let mut sum = rest[0].times;
        rest[1..].iter().for_each(|s| sum.add(&s.times));
        let times = [sum.running, sum.runnable, sum.waiting, sum.syscall + sum.syscall_blocked].map(|d| d.to_string());
        let samples = count(rest.iter().map(|s| s.samples).sum());
        // One goroutine may be in several groups.
        let cells = [String::new()].into_iter().chain(times).chain([samples, format!("{} more", rest.len())]);
        t.row(cells);
    }
    t.write(page, out)?;
    if all.iter().any(|s| s.of.inferred) {
        writeln!(out, "{INFERRED}")?;
    }
    Ok(())
}
