//! A trace's summary for people: what is in it, on one screen.

use super::findings;
use super::labelled;
use super::links::{self, short};
use super::schema::summary::{Group, groups};
use super::table::{Column, Page, Table, fold};
use crate::analysis::findings::Findings;
use crate::analysis::labelled::Sum;
use crate::analysis::summary::{Summary, TaskFact, summarize};
use crate::analysis::waits::links::table as waits;
use crate::analysis::waits::standing::Standing;
use crate::base::{Duration, StackId, number, text};
use crate::model::dict::{NOT_KNOWN, short_file, short_func};
use crate::model::index::is_about_recordings;
use crate::model::{Index, Range};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rows of each table on the smallest screen, and where there is room.
const ROWS: (usize, usize) = (3, 8);
/// Lines of a screen that are no rows of tables.
const OTHERS: usize = 19;

/// How many findings a summary has at most.
const FINDINGS: usize = 3;

/// What a summary says of findings.
pub enum Wrong<'a> {
    /// The first of these.
    Found(findings::About<'a>, &'a Findings),
    /// Nothing but where to ask: a trace of so many events would take too long to look at once more.
    Large(u64),
}

/// Writes the summary of the trace called `name`, what is wrong first; `table` has all its waits.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(
    name: &str,
    index: &Index,
    of: (&waits::Table, &Wrong),
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_by(name, index, of, None, page, out)
}

/// The same with the goroutines by the values of a label, if there is one, in place of their start functions.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write_by(
    name: &str,
    index: &Index,
    (table, wrong): (&waits::Table, &Wrong),
    by_label: Option<&[Sum]>,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    let s = summarize(index);
    // Four tables share the screen.
    let rows = (page.height.saturating_sub(OTHERS) / 4).clamp(ROWS.0, ROWS.1);
    header(name, index, &s, page, out)?;
    match wrong {
        Wrong::Found(about, all) => findings::brief(about, all, FINDINGS, page.width, out)?,
        Wrong::Large(n) => {
            let n = format!("findings: not looked for in {} events", text::count(*n));
            facts(&[n, "gotrail findings FILE".into()], page, out)?;
        }
    }
    writeln!(out)?;
    match by_label {
        Some(all) => labelled::write(all, rows, page, out)?,
        None => goroutines(&groups(index), rows, page, out)?,
    }
    blocked(table, rows, page, out)?;
    gc(index, &s, page, out)?;
    samples(index, &s, rows, page, out)?;
    annotations(&s, rows, page, out)
}

fn percent(part: u64, whole: u64) -> String {
    number::percent(part as f64, whole as f64)
}

/// Writes facts on a line, or on as many as they need.
fn facts(facts: &[String], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let mut line = String::new();
    for f in facts {
        if line.is_empty() {
            line.push_str(f);
        } else if text::width(&line) + 3 + text::width(f) <= page.width {
            line.extend([" · ", f]);
        } else {
            writeln!(out, "{line}")?;
            line = format!("  {f}");
        }
    }
    writeln!(out, "{line}")
}

fn header(name: &str, index: &Index, s: &Summary, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let all = [
        text::escape(name).into_owned(),
        // Of which Go it is no trace tells: a format serves until one changes it.
        format!("trace format of {}", s.format),
        lasted(index),
        format!("{} events", text::count(s.events)),
        format!("{} goroutines", text::count(s.goroutines)),
        format!("{} Ps", s.procs),
        format!("{} threads", s.threads),
    ];
    facts(&all, page, out)?;
    for loss in &s.lost {
        fold(&said(loss), page.width).iter().try_for_each(|l| writeln!(out, "{l}"))?;
    }
    Ok(())
}

/// How long a trace is, and how much of that was traced where its recordings leave gaps: percentages are of that.
pub fn lasted(index: &Index) -> String {
    match index.traced() {
        traced if traced == index.duration() => traced.to_string(),
        traced => format!("{} ({traced} traced)", index.duration()),
    }
}

/// A sentence about what was lost, or about several recordings.
fn said(loss: &str) -> String {
    let loss = text::escape(loss);
    if is_about_recordings(&loss) { loss.into_owned() } else { format!("lost: {loss}") }
}

fn goroutines(all: &[Group], rows: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let titles = ["count", "unfinished", "running", "runnable", "blocked", "syscall"].map(Column::right);
    let mut t = Table::new(titles.into_iter().chain([Column::left("goroutines of")]));
    let mut by: Vec<&Group> = all.iter().collect();
    by.sort_by_key(|g| Reverse(g.running_ns));
    let cells = |g: &Group| {
        let times = [g.running_ns, g.runnable_ns, g.waiting_ns, g.syscall_ns].map(|ns| Duration(ns).to_string());
        [text::count(g.count), text::count(g.unfinished)].into_iter().chain(times)
    };
    for g in by.iter().take(rows) {
        t.row(cells(g).chain([short(g.group.as_deref().unwrap_or_default())]));
    }
    if by.len() > rows {
        let mut rest = Group::default();
        by[rows..].iter().for_each(|g| rest.add(g));
        let n = by.len() - rows;
        t.row(cells(&rest).chain([format!("{n} more function{}", if n == 1 { "" } else { "s" })]));
    }
    t.write(page, out)
}

/// The waits that took longest, by the lines of the user's code.
fn blocked(table: &waits::Table, rows: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let users = table.rows.iter().filter(|(_, r)| r.users);
    let (shown, others): (Vec<_>, Vec<_>) = users.partition(|(_, r)| r.standing == Standing::Stall);
    if shown.is_empty() && others.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut t = links::columns(&["total", "waits", "max"]);
    for (k, r) in shown.iter().take(rows) {
        t.row([r.total.to_string(), text::count(r.count), r.max.to_string(), links::words(k, r)]);
    }
    if let Some(rest) = shown.get(rows..).filter(|r| !r.is_empty()) {
        let total: Duration = rest.iter().map(|(_, r)| r.total).sum();
        let count = rest.iter().map(|(_, r)| r.count).sum();
        let max = rest.iter().map(|(_, r)| r.max).max().unwrap_or_default();
        t.row([total.to_string(), text::count(count), max.to_string(), links::more(rest, ": gotrail waits")]);
    }
    for standing in [Standing::Idle, Standing::Unknown] {
        let of = || others.iter().filter(|(_, r)| r.standing == standing);
        if of().next().is_none() {
            continue;
        }
        let total: Duration = of().map(|(_, r)| r.total).sum();
        let count = text::count(of().map(|(_, r)| r.count).sum());
        let max = of().map(|(_, r)| r.max).max().unwrap_or_default();
        t.row([total.to_string(), count, max.to_string(), standing.heading().to_owned()]);
    }
    t.write(page, out)
}

/// The collector and the stopped world.
fn gc(index: &Index, s: &Summary, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let whole = index.traced().ns().max(1) as u64;
    let range = |name: &str| s.ranges.get(name).copied().unwrap_or_default();
    let sum = |ranges: &[Range]| ranges.iter().map(|r| r.to - r.from).sum::<Duration>();
    let mut first = true;
    let mut line = |all: Vec<String>, out: &mut dyn Write| {
        if std::mem::take(&mut first) {
            writeln!(out)?;
        }
        facts(&all, page, out)
    };
    if !index.gc.is_empty() {
        let (n, active) = (index.gc.len() as u64, sum(&index.gc));
        let ended = range("GC concurrent mark phase").count;
        let open = match n.saturating_sub(ended) {
            0 => String::new(),
            open => format!(" ({} unfinished)", text::count(open)),
        };
        let (assist, sweep) = (range("GC mark assist"), range("GC incremental sweep"));
        line(
            vec![
                format!("GC: {} cycle{}{open}", text::count(n), if n == 1 { "" } else { "s" }),
                format!("active {active} = {} of trace", percent(active.ns().max(0) as u64, whole)),
                format!("{} mark assists lasting {}", text::count(assist.count), Duration(assist.total_ns)),
                format!("sweep {}", Duration(sweep.total_ns)),
            ],
            out,
        )?;
    }
    if let Some(longest) = index.stw.iter().max_by_key(|r| (r.to - r.from, Reverse(r.from))) {
        let (n, total) = (index.stw.len() as u64, sum(&index.stw));
        let at = number::instant(longest.from - index.start);
        let why = index.dict.str(longest.name);
        let why = why.strip_prefix("stop-the-world (").and_then(|w| w.strip_suffix(')')).unwrap_or(why);
        let why = if why.is_empty() { NOT_KNOWN.into() } else { text::escape(why) };
        let why = if why == NOT_KNOWN { why.into_owned() } else { format!("({why})") };
        line(
            vec![
                format!("STW: {} stop{}", text::count(n), if n == 1 { "" } else { "s" }),
                format!("{total} = {} of trace", percent(total.ns().max(0) as u64, whole)),
                format!("longest {} at {at} {why}", longest.to - longest.from),
            ],
            out,
        )?;
    }
    if let Some(m) = s.metrics.get("/memory/classes/heap/objects:bytes") {
        let mut all = vec![
            format!("heap: {} to {}", text::bytes(m.min), text::bytes(m.max)),
            format!("at trace end {}", text::bytes(m.last)),
        ];
        if let Some(goal) = s.metrics.get("/gc/heap/goal:bytes") {
            all.push(format!("goal {}", text::goal(goal.last)));
        }
        line(all, out)?;
    }
    Ok(())
}

/// CPU samples by line of user code.
fn samples(index: &Index, s: &Summary, rows: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    if s.cpu_samples == 0 {
        return Ok(());
    }
    let mut by: BTreeMap<String, (u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for (&stack, &n) in &index.totals.samples {
        let row = by.entry(line(index, stack)).or_default();
        row.0 += n;
        let leaf = index.dict.leaf(stack).map_or("", |f| index.dict.func_name(index.dict.frame_of(f).func));
        *row.1.entry(leaf).or_default() += n;
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(_, row)| Reverse(row.0));
    let mut t = Table::new([Column::right("CPU"), Column::right("%"), Column::left("CPU samples, by line")]);
    for (line, (n, leaves)) in by.iter().take(rows) {
        // What of it is no longer the line itself, but called from there.
        let most = leaves.iter().max_by_key(|(name, n)| (**n, Reverse(**name)));
        let leaf = most.filter(|(name, m)| **m * 2 > *n && !line.ends_with(short_func(name)));
        let leaf = leaf.map_or_else(String::new, |(name, m)| {
            format!(" · {} in {}", percent(*m, *n), text::escape(short_func(name)))
        });
        t.row([text::count(*n), percent(*n, s.cpu_samples), format!("{line}{leaf}")]);
    }
    if by.len() > rows {
        let n = by[rows..].iter().map(|b| b.1.0).sum();
        t.row([text::count(n), percent(n, s.cpu_samples), format!("{} more: gotrail lines", by.len() - rows)]);
    }
    writeln!(out)?;
    t.write(page, out)?;
    assigns(s, page, out)
}

/// The line of user code of a stack, safe to show.
fn line(index: &Index, stack: StackId) -> String {
    let Some(f) = index.dict.user_line(stack) else { return "not called by user code".into() };
    let (func, file) = (index.dict.func_name(f.func), short_file(index.dict.func_file(f.func)));
    text::escape(&format!("{file}:{}  {}", f.line, short_func(func))).into_owned()
}

fn assigns(s: &Summary, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let all: u64 = s.mapassign_samples_by_caller_line.values().sum();
    let most = s.mapassign_samples_by_caller_line.iter().max_by_key(|(line, n)| (**n, Reverse(line.as_str())));
    let Some((place, n)) = most.filter(|_| all > 0) else { return Ok(()) };
    let at = place.rsplit_once(' ').map_or(place.as_str(), |(_, at)| at);
    let share = percent(all, s.cpu_samples);
    let at = format!("{} of them at {}", percent(*n, all), text::escape(short_file(at)));
    facts(&[format!("map assignments: {} samples = {share} of CPU", text::count(all)), at], page, out)
}

fn annotations(s: &Summary, rows: usize, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let named = |m: &BTreeMap<String, TaskFact>| {
        let mut all: Vec<(String, TaskFact)> =
            m.iter().filter(|t| !t.0.is_empty()).map(|(n, t)| (n.clone(), *t)).collect();
        all.sort_by_key(|(_, t)| Reverse(t.inside_ns));
        all
    };
    let titles = ["count", "total", "mean"].map(Column::right);
    let open = Column::right("unfinished").optional();
    let mut t = Table::new(titles.into_iter().chain([open, Column::left("tasks and regions")]));
    for (what, all) in [("task", named(&s.tasks)), ("region", named(&s.regions))] {
        for (name, f) in all.iter().take(rows) {
            let mean = Duration(f.inside_ns / (f.count.max(1) as i64));
            let open = match f.count.saturating_sub(f.complete) {
                0 => String::new(),
                n => text::count(n),
            };
            let total = Duration(f.inside_ns).to_string();
            t.row([text::count(f.count), total, mean.to_string(), open, format!("{what} {}", text::escape(name))]);
        }
        if all.len() > rows {
            t.words(format!("{} more {what}s", all.len() - rows));
        }
    }
    if t.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    t.write(page, out)
}
