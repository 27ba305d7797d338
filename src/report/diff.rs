//! How recordings differ, as text and as Markdown.

pub mod story;

use super::schema::diff::verdict;
use super::table::{Column, Page, Table};
use crate::analysis::diff::{Diff, Measure, Row, Verdict, What, Work};
use crate::base::{Duration, number, text};
use crate::model::dict::short_func;
use std::io::{self, Write};

/// A part's title, and the verdicts of its rows.
type Titled = (&'static str, &'static [Verdict]);

/// The parts, in their order. What is on one side only has its place among what is on both.
const PARTS: [Titled; 3] = [
    ("worse", &[Verdict::Worse, Verdict::OnlyB]),
    ("better", &[Verdict::Better, Verdict::OnlyA]),
    ("by load: per second of wall time, and not per unit of work", &[Verdict::ByLoad]),
];
/// The part that `--all` adds.
const SAME: Titled = ("not shown to differ", &[Verdict::Unchanged]);
/// What stands beside a change that the test does not tell from none.
const CHANCE: &str = "may be chance";

/// The sides, in a line.
fn sides(d: &Diff) -> String {
    let side = |n: usize, seconds: f64, per: Option<f64>| {
        let recordings = if n == 1 { "recording" } else { "recordings" };
        let units = per.map_or_else(String::new, |u| format!(", {} a second", number::rate(u)));
        format!("{n} {recordings}, {}{units}", Duration((seconds * 1e9) as i64))
    };
    let (a, b) = (
        side(d.runs.0, d.seconds.0, d.per.as_ref().map(|p| p.rate.0)),
        side(d.runs.1, d.seconds.1, d.per.as_ref().map(|p| p.rate.1)),
    );
    let per = d.per.as_ref().map_or("second of wall time".into(), |p| text::escape(&p.name).into_owned());
    format!("A: {a} · B: {b} · times are per {per}")
}

/// How much work was done a second, in a line; nothing if there is none on both sides.
fn throughput(d: &Diff) -> Option<String> {
    let said = |w: &Work| {
        let (a, b) = w.rate;
        let sign = if b < a { "−" } else { "+" };
        let change = number::percent(((b - a) / a).abs(), 1.0);
        let chance = if w.rate_by_chance && a != b { format!(", {CHANCE}") } else { String::new() };
        format!("{} {} → {} ({sign}{change}{chance})", text::escape(&w.name), number::rate(a), number::rate(b))
    };
    (!d.work.is_empty()).then(|| format!("a second: {}", d.work.iter().map(said).collect::<Vec<_>>().join(" · ")))
}

/// What was not found to differ, in a line.
fn unchanged(d: &Diff) -> String {
    let n = d.rows.iter().filter(|r| r.verdict == Verdict::Unchanged).count();
    format!(
        "not shown to differ: {n} of {} measured, {} of them too small to test",
        d.rows.len(),
        d.rows.len() - d.tested
    )
}

/// What a row is about, safe to show.
fn words(r: &Row) -> String {
    let k = &r.key;
    let name = if k.name.is_empty() { "goroutines of unknown origin" } else { &k.name };
    let name = match k.what {
        What::Line | What::Wait | What::Group | What::Latency | What::Span => short_func(name),
        What::Task | What::Region | What::Gc => name,
    };
    let line = match (k.line, r.line_a) {
        (0, _) => String::new(),
        (b, a) if a == b => format!(":{b}"),
        (b, a) => format!(":{b} (in A :{a})"),
    };
    let what = match (k.what, k.measure) {
        (What::Wait, _) => format!("wait, {}", k.reason),
        (What::Span, _) => format!("span, {}", k.reason),
        (what, Measure::Length | Measure::Tail) => what.name().into(),
        (what, measure) => format!("{} {}", what.name(), measure.name()),
    };
    format!("{}  {}{line}", text::escape(&what), text::escape(name))
}

fn time(ns: f64) -> String {
    Duration(ns as i64).to_string()
}

/// Change, change in per cent, A, B, words. The change is that from A to B, as they stand beside it; by how much lengths are
/// shifted as a whole is said in words, with its interval.
fn cells(r: &Row) -> [String; 5] {
    let sign = |x: f64| if x < 0.0 { "−" } else { "+" };
    let (a, b) = r.compared();
    let change = b - a;
    let ratio =
        if a > 0.0 { format!("{}{}", sign(change), number::percent((change / a).abs(), 1.0)) } else { String::new() };
    let signed = |x: f64| format!("{}{}", sign(x), time(x.abs()));
    let certain = match r.interval.filter(|_| r.key.measure == Measure::Length) {
        Some((low, high)) if low >= 0.0 || high <= 0.0 => {
            format!("  (shift {}, {} to {})", signed(r.change), signed(low), signed(high))
        }
        _ => String::new(),
    };
    let of = match r.key.measure {
        Measure::Length => "p50 of ",
        Measure::Tail => "p99 of ",
        _ => "",
    };
    let count = match r.key.what {
        What::Span => format!("  n {} → {}", text::count(r.a.count), text::count(r.b.count)),
        _ => String::new(),
    };
    let only = match r.verdict {
        Verdict::OnlyA | Verdict::OnlyB => format!("  ({})", verdict(r.verdict)),
        _ => String::new(),
    };
    let words = format!("{of}{}{only}{certain}{count}", words(r));
    [signed(change), ratio, time(a), time(b), words]
}

/// What a page or a text shows of a comparison.
pub struct Shown {
    /// The sides, in a line. Safe to show.
    pub sides: String,
    /// How much work was done a second, in a line; safe to show.
    pub throughput: Option<String>,
    /// What differs, in parts; those without rows are not there.
    pub parts: Vec<Part>,
    /// What was not found to differ, in a line.
    pub unchanged: String,
}

/// Rows that differ in one way.
pub struct Part {
    /// How they differ.
    pub title: &'static str,
    /// Change, change in per cent, A, B, what it is; safe to show.
    pub rows: Vec<[String; 5]>,
    /// How many rows more there are.
    pub more: usize,
}

impl Shown {
    /// The first `limit` rows of each part.
    pub fn new(d: &Diff, limit: usize) -> Shown {
        Shown { sides: sides(d), throughput: throughput(d), parts: parts(d, &PARTS, limit), unchanged: unchanged(d) }
    }
}

fn parts(d: &Diff, of: &[Titled], limit: usize) -> Vec<Part> {
    let part = |(title, verdicts): &Titled| {
        let rows: Vec<&Row> = d.rows.iter().filter(|r| verdicts.contains(&r.verdict)).collect();
        let more = rows.len().saturating_sub(limit);
        let shown = rows.iter().take(limit).map(|r| cells(r)).collect();
        (!rows.is_empty()).then_some(Part { title, rows: shown, more })
    };
    of.iter().filter_map(part).collect()
}

/// Writes what differs, each part as a table, and the rest in a line; with `all` as a table, too.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(d: &Diff, limit: usize, all: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", sides(d))?;
    throughput(d).iter().try_for_each(|t| writeln!(out, "{t}"))?;
    for n in &d.notes {
        writeln!(out, "{}", n.words())?;
    }
    let of: Vec<Titled> = PARTS.into_iter().chain(all.then_some(SAME)).collect();
    for part in parts(d, &of, limit) {
        writeln!(out, "\n{}", part.title)?;
        let numbers = ["change", "%", "A", "B"].map(Column::right);
        let mut t = Table::new(numbers.into_iter().chain([Column::left("what")]));
        part.rows.into_iter().for_each(|r| _ = t.row(r));
        if part.more > 0 {
            t.words(format!("{} more (--limit)", part.more));
        }
        t.write(page, out)?;
    }
    if d.rows.iter().all(|r| r.verdict == Verdict::Unchanged) {
        writeln!(out, "\nnothing differs by more than chance")?;
    }
    writeln!(out, "\n{}", unchanged(d))
}

/// The same as Markdown.
///
/// # Errors
///
/// `out` cannot be written.
pub fn markdown(d: &Diff, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let cell = |s: &str| s.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'");
    writeln!(out, "{}", cell(&sides(d)))?;
    throughput(d).iter().try_for_each(|t| writeln!(out, "\n{}", cell(t)))?;
    for n in &d.notes {
        writeln!(out, "\n{}", cell(&n.words()))?;
    }
    for part in parts(d, &PARTS, limit) {
        writeln!(out, "\n### {}\n\n| change | % | A | B | what |\n|---:|---:|---:|---:|---|", part.title)?;
        for r in part.rows {
            writeln!(out, "| {} |", r.map(|c| cell(&c)).join(" | "))?;
        }
        if part.more > 0 {
            writeln!(out, "\n{} more", part.more)?;
        }
    }
    writeln!(out, "\n{}", unchanged(d))
}
