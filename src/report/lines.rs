//! What source lines cost, as a table and as annotated source.

use super::table::{self, Page, Table};
use crate::analysis::cost::join::{Column, Line, Lines, Matched, Verdict};
use crate::base::{Duration, text};
use crate::model::Index;
use crate::model::dict::{short_file, short_func};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Source lines shown before the first and after the last that cost anything.
const MARGIN: usize = 5;

/// How a profile fits, in a sentence; safe to show.
pub fn sentence(m: &Matched, lines: &Lines) -> String {
    let words = m.overlap.map(|o| o.words(lines.of));
    let mut out = verdict(m, words.as_deref().unwrap_or_default());
    if let (Some(words), false) = (words, m.verdict == Verdict::Elsewhen) {
        out += "; ";
        out += &words;
    }
    out
}

fn verdict(m: &Matched, words: &str) -> String {
    let name = text::escape(&m.name);
    match m.verdict {
        Verdict::Joined => {
            let loose = match m.loose {
                0 => String::new(),
                n => format!(", {} of them by leaf and user code", text::count(n)),
            };
            format!(
                "{name}: {} of {} samples matched{loose}; {} in the profile",
                text::count(m.matched()),
                text::count(m.trace),
                text::count(m.profile)
            )
        }
        Verdict::ByLine => format!("{name}: joined by function and line"),
        Verdict::Elsewhen => format!("{name}: {words}, and is left out"),
        Verdict::Timeless => format!("{name}: does not say what was when, and is left out of a part of the trace"),
        Verdict::Foreign if m.matched() == 0 => {
            format!("{name}: nothing matches the trace; it is not of this run, and left out")
        }
        Verdict::Foreign => format!(
            "{name}: only {} of {} samples matched; it is not of this run, and left out",
            text::count(m.matched()),
            text::count(m.trace.min(m.profile))
        ),
    }
}

/// A value of a profile with its unit.
fn value(c: &Column, v: i64) -> String {
    let positive = u64::try_from(v).ok();
    match (c.unit.as_str(), positive) {
        (_, Some(0)) => "·".into(),
        ("nanoseconds", _) => Duration(v).to_string(),
        ("bytes", Some(v)) => text::bytes(v),
        (_, Some(v)) => text::count(v),
        (_, None) => v.to_string(),
    }
}

fn time(ns: i64) -> String {
    if ns == 0 { "·".into() } else { Duration(ns).to_string() }
}

/// The cells of a line, without its place.
fn cells(lines: &Lines, times: [i64; 5], others: &[i64]) -> Vec<String> {
    let others = lines.others.iter().zip(others).map(|(c, &v)| value(c, v));
    times.iter().map(|&ns| time(ns)).chain(others).collect()
}

/// What stands above a column: the profile's name up to the first point, and what it counts; safe to show.
fn title(c: &Column) -> String {
    let name = c.profile.split('.').next().unwrap_or_default();
    text::fit(&text::escape(&format!("{name} {}", c.kind)), 24).into_owned()
}

fn times(l: &Line) -> [i64; 5] {
    [l.profile.own, l.trace.own, l.blocked.ns(), l.runnable.ns(), l.syscall.ns()]
}

/// The sums of some lines.
fn sums<'a>(lines: &Lines, of: impl Iterator<Item = &'a Line>) -> ([i64; 5], Vec<i64>) {
    let mut all = ([0i64; 5], vec![0i64; lines.others.len()]);
    for l in of {
        all.0.iter_mut().zip(times(l)).for_each(|(sum, v)| *sum = sum.saturating_add(v));
        all.1.iter_mut().zip(&l.others).for_each(|(sum, c)| *sum = sum.saturating_add(c.own));
    }
    all
}

fn header(lines: &Lines, out: &mut dyn Write) -> io::Result<()> {
    for m in &lines.matched {
        writeln!(out, "{}", sentence(m, lines))?;
    }
    if lines.samples == 0 {
        writeln!(out, "the trace has no CPU samples here")?;
    }
    Ok(())
}

/// A table of what lines cost, and of `what` they are.
fn table(lines: &Lines, what: &str) -> Table {
    let times = ["profile", "samples", "blocked", "runnable", "syscall"].map(table::Column::right);
    let others = lines.others.iter().map(|c| table::Column::right(&title(c)));
    Table::new(times.into_iter().chain(others).chain([table::Column::left(what)]))
}

/// Writes the first `limit` lines. Those of libraries that no user code called are left out but for `all`.
pub fn write(lines: &Lines, index: &Index, all: bool, limit: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    header(lines, out)?;
    let mut t = table(lines, "place");
    let shown: Vec<&Line> = lines.lines.iter().filter(|l| all || !l.library).collect();
    let own = |l: &Line| l.others.iter().map(|c| c.own).collect::<Vec<_>>();
    for l in shown.iter().take(limit) {
        t.row(cells(lines, times(l), &own(l)).into_iter().chain([place(l)]));
    }
    if shown.len() > limit {
        let (sum, o) = sums(lines, shown[limit..].iter().copied());
        let more = format!("{} more (--limit)", text::count((shown.len() - limit) as u64));
        t.row(cells(lines, sum, &o).into_iter().chain([more]));
    }
    let hidden = lines.lines.len() - shown.len();
    if hidden > 0 {
        let (sum, o) = sums(lines, lines.lines.iter().filter(|l| l.library));
        let words =
            format!("{} of the runtime and libraries, not called by user code (--all)", text::count(hidden as u64));
        t.row(cells(lines, sum, &o).into_iter().chain([words]));
    }
    t.write(page, out)?;
    labels(lines, index, out)
}

fn labels(lines: &Lines, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    for (i, of) in lines.labels.chunk_by(|a, b| a.go == b.go).enumerate() {
        if i == 0 {
            writeln!(out, "\nlabels that goroutines seem to have, by their samples in the profile:")?;
        }
        let id = index.goroutine(of[0].go).map_or(0, |g| g.id.0);
        let labels: Vec<String> =
            of.iter().map(|l| format!("{}:{}", text::escape(&l.key), text::escape(&l.value))).collect();
        writeln!(out, "  G{id}  {}", labels.join(" "))?;
    }
    Ok(())
}

fn place(l: &Line) -> String {
    let func = if l.func.is_empty() { "(no stack)" } else { short_func(&l.func) };
    match l.file.as_str() {
        "" => text::escape(func).into_owned(),
        file => format!("{}:{}  {}", text::escape(short_file(file)), l.line, text::escape(func)),
    }
}

/// Writes the source of `file` around its lines; `source` gives line `n`, counted from 1, safe to show.
pub fn write_source(
    lines: &Lines,
    file: &str,
    source: &dyn Fn(usize) -> Option<String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    header(lines, out)?;
    let mut t = table(lines, &text::escape(file));
    let here: Vec<&Line> = lines.lines.iter().filter(|l| l.file == file).collect();
    let numbers = || here.iter().map(|l| l.line as usize).filter(|&n| n > 0);
    let from = numbers().min().unwrap_or(1).saturating_sub(MARGIN).max(1);
    let to = numbers().max().unwrap_or(0).saturating_add(MARGIN);
    let mut write = |n: usize, line: &str| {
        let (sum, o) = sums(lines, here.iter().copied().filter(|l| l.line as usize == n));
        t.row(cells(lines, sum, &o).into_iter().chain([format!("{n:>5}  {line}")]));
    };
    let mut next = from;
    while next <= to
        && let Some(line) = source(next)
    {
        write(next, &line);
        next += 1;
    }
    // Beyond the source's end, and without a source, there are still the numbers. A trace may name any line.
    let rest: BTreeSet<usize> = numbers().filter(|&n| n >= next).collect();
    rest.into_iter().for_each(|n| write(n, ""));
    // Source is shown as it is.
    t.write(Page::ENDLESS, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_beyond_the_source_is_shown_by_itself() {
        let line = |line| Line { file: "a.go".into(), line, blocked: Duration(1000), waits: 1, ..Line::default() };
        let lines = Lines { lines: vec![line(2), line(u32::MAX)], ..Lines::default() };
        let rows = |source: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
            let mut out = Vec::new();
            write_source(&lines, "a.go", source, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            text.lines().skip_while(|l| !l.ends_with("a.go")).skip(1).map(str::to_string).collect()
        };
        let here = rows(&|n| (n <= 3).then(|| format!("line {n}")));
        assert_eq!(here.len(), 4, "{here:?}");
        assert!(here[0].ends_with("line 1") && here[3].contains("4294967295"), "{here:?}");
        assert_eq!(rows(&|_| None).len(), 2);
    }
}
