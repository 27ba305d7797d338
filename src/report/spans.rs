//! Spans by handler, the slowest of them, and what makes slow ones slow, as text and CSV.

use super::export::lines::csv;
use super::grep::position_of;
use super::labelled;
use super::table::{Column, Page, Table};
use super::why;
use crate::analysis::labelled::Label;
use crate::analysis::spans::served_here::{served_here, server_of};
use crate::analysis::spans::slow::{Compared, FEW_GROUPS, Part, Way};
use crate::analysis::spans::sums::{BUCKETS, Sum, least};
use crate::analysis::spans::{Found, KindNo, Span};
use crate::base::text::{LEVELS, count, escape};
use crate::base::{Duration, StringId};
use crate::model::Index;
use crate::model::dict::shown_func;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What is shown where no event was inside a handler, so that it is not known.
pub const NO_HANDLER: &str = "(handler not known)";

/// A span's position, as commands and the viewer take it: `trace.out@0.812031s:g8`.
pub fn position(name: &str, index: &Index, s: &Span) -> String {
    position_of(name, index, s.from, s.go)
}

/// What a handler, a function, a task or a region is called, safe to show.
pub fn name(found: &Found, index: &Index, kind: KindNo, name: StringId) -> String {
    match (found.kind(kind), index.dict.str(name)) {
        ("task" | "region", "") => "(name not known)".to_owned(),
        ("task" | "region", n) => escape(n).into_owned(),
        (_, "") => NO_HANDLER.to_owned(),
        (_, n) => shown_func(n),
    }
}

/// The same of a span, as it stands in the trace.
pub fn plain_name<'a>(found: &Found, index: &'a Index, s: &Span) -> &'a str {
    match index.dict.str(s.name) {
        "" if found.kind(s.kind) != "task" && found.kind(s.kind) != "region" => NO_HANDLER,
        n => n,
    }
}

/// Counts as bars, from the lowest to the highest bucket of any.
pub fn bars(histogram: &[u64], from: usize, to: usize) -> String {
    let part = histogram.get(from..to).unwrap_or_default();
    let most = part.iter().copied().max().unwrap_or(0).max(1);
    let bar = |n: &u64| if *n == 0 { ' ' } else { LEVELS[((n * 8).div_ceil(most) as usize).clamp(1, 8) - 1] };
    part.iter().map(bar).collect()
}

/// The first bucket that any has, and the one behind the last.
pub fn reach(sums: &[Sum]) -> (usize, usize) {
    let any = |b: &usize| sums.iter().any(|s| s.histogram[*b] > 0);
    let first = (0..BUCKETS).find(any).unwrap_or(0);
    (first, (0..BUCKETS).rev().find(any).map_or(first, |b| b + 1))
}

/// What there is to know of handlers where some are not known.
const QUICK: &str = "(handler not known): requests that were never seen inside their handler, as quick ones that are not blocked \
                     are; the percentiles of a handler with a name are of its other requests";

/// Whether requests of one kind have a handler with a name, and others none.
fn hides_quick(found: &Found, sums: &[Sum]) -> bool {
    let named = |s: &&Sum| s.label.is_none() && s.name.is_some();
    let not = |s: &&Sum| {
        s.label.is_none() && found.kind(s.kind) != "task" && found.kind(s.kind) != "region" && !s.name.is_some()
    };
    sums.iter().filter(not).any(|n| sums.iter().filter(named).any(|s| s.kind == n.kind))
}

/// Writes the first `limit` handlers and the slowest spans.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(
    found: &Found,
    (sums, slowest): (&[Sum], &[Span]),
    (file, index): (&str, &Index),
    limit: usize,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    if sums.is_empty() {
        let none = match found.spans.is_empty() {
            true => "no spans: no tasks, no regions, and no requests or calls that the rules know",
            false => "no span is of this name, length and time",
        };
        return writeln!(out, "{none}");
    }
    let (from, to) = reach(sums);
    let histogram = format!("{} to {}", least(from), least(to));
    let numbers = ["total", "count", "open", "p50", "p90", "p99", "max", "exact to"];
    let columns = numbers.iter().map(|n| if *n == "open" { Column::right(n).optional() } else { Column::right(n) });
    let title = sums[0].label.as_ref().map_or_else(|| "handler".to_owned(), labelled::title);
    let mut t = Table::new(columns.chain([Column::left(&histogram), Column::left("kind"), Column::left(&title)]));
    for s in sums.iter().take(limit) {
        let times = [s.p50, s.p90, s.p99, s.max, s.exact_to].map(|d| d.to_string());
        let open = if s.open == 0 { String::new() } else { count(s.open) };
        let cells = [s.total.to_string(), count(s.count), open].into_iter().chain(times);
        let name = match &s.label {
            Some(v) => labelled::name(v),
            None => name(found, index, s.kind, s.name),
        };
        let words = [bars(&s.histogram, from, to), found.kind(s.kind).to_owned(), name];
        let row = t.row(cells.chain(words));
        if s.repeats > 0 {
            let n = count(s.repeats);
            row.notes.push(format!("{n} of them are told from the call before by repetition alone"));
        }
    }
    if let Some(rest) = sums.get(limit..).filter(|r| !r.is_empty()) {
        t.words(format!("{} more (--limit)", rest.len()));
    }
    t.write(page, out)?;
    if found.dropped > 0 {
        writeln!(out, "{} spans more than are held: not counted", count(found.dropped))?;
    }
    if hides_quick(found, sums) {
        writeln!(out, "{QUICK}")?;
    }
    if sums.iter().any(|s| s.open > 0) {
        writeln!(out, "open: an end lies outside the trace; counted with the time inside")?;
    }
    if sums.iter().filter_map(|s| s.label.as_ref()).any(|v| v.inferred) {
        writeln!(out, "{}", labelled::INFERRED)?;
    }
    if slowest.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut t = Table::new([
        Column::right("took"),
        Column::right("at least"),
        Column::right("at most"),
        Column::left("slowest (gotrail why POSITION)"),
        Column::left("handler"),
    ]);
    for s in slowest {
        let (shortest, longest) = s.len_bounds();
        let open = match (s.began, s.ended) {
            (true, true) => "",
            (false, _) => " · began before the trace",
            (true, false) => " · unfinished",
        };
        let at = escape(&position(file, index, s)).into_owned();
        let what = format!("{}{open}", name(found, index, s.kind, s.name));
        t.row([s.len().to_string(), shortest.to_string(), longest.to_string(), at, what]);
    }
    t.write(page, out)
}

/// The first line of CSV; with a label there is a column of that name behind these.
pub const CSV_HEADER: &str = "file,kind,name,g,position,from_ns,to_ns,len_ns,least_ns,most_ns,began,ended";

/// The title of a column by a label's name.
pub fn csv_title(key: &str) -> String {
    let mut title = String::new();
    csv(&format!("label:{key}"), &mut title);
    title
}

/// Writes spans as lines of CSV, with the value of a label as the last cell if there is one.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write_csv<'a>(
    found: &Found,
    spans: impl Iterator<Item = &'a Span>,
    (file, index): (&str, &Index),
    label: Option<&Label>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for s in spans {
        let (shortest, longest) = s.len_bounds();
        let g = index.goroutine(s.go).map_or(String::new(), |g| g.id.0.to_string());
        let cells = [
            file.to_owned(),
            found.kind(s.kind).to_owned(),
            index.dict.str(s.name).to_owned(),
            g,
            position(file, index, s),
            s.from.0.to_string(),
            s.to.0.to_string(),
            s.len().ns().to_string(),
            shortest.ns().to_string(),
            longest.ns().to_string(),
            s.began.to_string(),
            s.ended.to_string(),
        ];
        let mut line = String::new();
        let label = label.map(|l| l.valued(l.of(s.go, (s.from, s.to))).value.unwrap_or_default());
        for (i, cell) in cells.iter().chain(&label).enumerate() {
            if i > 0 {
                line.push(',');
            }
            csv(cell, &mut line);
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// What a part's time went into, safe to show: the waits on the way, and what was done at their end.
pub fn way(c: &Compared, index: &Index, w: &Way) -> String {
    let Some((what, reason, at)) = w.end else { return "all that differs less".to_owned() };
    let line = |at| {
        let l = c.names.places.line(index, at);
        if l.is_empty() { l } else { format!(" at {l}") }
    };
    let waits = w.waits.iter().map(|s| format!("{}{}", escape(&why::waits(&c.names, s.reason)), line(s.at)));
    let did = why::doing(&c.names, index, what, reason, at);
    waits.chain([did]).collect::<Vec<_>>().join(" ← ")
}

/// A difference, with its sign.
pub fn signed(d: Duration) -> String {
    if d < Duration::ZERO { format!("-{}", Duration(-d.ns())) } else { format!("+{d}") }
}

/// How many were compared, how long they took and how sure that is, in lines.
pub fn sides(c: &Compared) -> Vec<String> {
    let (slow, normal) = (count(c.slow as u64), count(c.normal as u64));
    let mut lines = vec![format!("{slow} slow, {} on average; {normal} others, {}", c.slow_mean, c.normal_mean)];
    if c.followed != (c.slow, c.normal) {
        let (a, b) = (count(c.followed.0 as u64), count(c.followed.1 as u64));
        lines.push(format!("the critical paths of {a} and {b} of them were followed"));
    }
    let groups = count(c.groups as u64);
    lines.push(format!(
        "the slow ones lie in {groups} stretches of {}: intervals are of these, not of single spans",
        c.block
    ));
    lines
}

/// What is said where the slow ones lie in few stretches of time.
pub fn few_groups() -> String {
    format!("fewer than {FEW_GROUPS} such groups say little: record for longer")
}

/// Writes what makes slow spans slow: the first `limit` parts.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write_slow(
    c: &Compared,
    title: &str,
    index: &Index,
    limit: usize,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{title}")?;
    sides(c).iter().try_for_each(|l| writeln!(out, "{l}"))?;
    if c.groups < FEW_GROUPS {
        writeln!(out, "{}", few_groups())?;
    }
    writeln!(out)?;
    let whole = c.slow_mean - c.normal_mean;
    let titles = ["more", "%", "95 % from", "to", "slow", "others", "first in"].map(Column::right);
    let mut t = Table::new(titles.into_iter().chain([Column::left("what the time went into")]));
    let cells = |p: &Part| {
        let (more, part) = (signed(p.more()), why::percent(p.more(), whole));
        let first = format!("{:.0} %", p.first * 100.0);
        [more, part, signed(p.low), signed(p.high), p.slow.to_string(), p.normal.to_string(), first]
    };
    for p in c.parts.iter().take(limit) {
        t.row(cells(p).into_iter().chain([way(c, index, &p.way)]));
    }
    if let Some(rest) = c.parts.get(limit..).filter(|r| !r.is_empty()) {
        let more: Duration = rest.iter().map(Part::more).sum();
        let empty = || String::new();
        let cells = [signed(more), why::percent(more, whole), empty(), empty(), empty(), empty(), empty()];
        t.row(cells.into_iter().chain([format!("{} more (--limit)", rest.len())]));
    }
    t.write(page, out)
}

/// Writes of a kind that sends requests how many of them were likely served in this process, and by which handlers: their paths
/// end at the network, behind which nothing is seen.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write_served(found: &Found, index: &Index, kind: KindNo, out: &mut dyn Write) -> io::Result<()> {
    let Some(server) = server_of(found, kind) else { return Ok(()) };
    let mut by: BTreeMap<&str, (u64, Duration, Duration)> = BTreeMap::new();
    for (sent, served) in served_here(found) {
        let (Some(sent), Some(served)) = (found.spans.get(sent), found.spans.get(served)) else { continue };
        let of = by.entry(index.dict.str(served.name)).or_default();
        *of = (of.0 + 1, of.1 + sent.len(), of.2 + served.len());
    }
    let all = found.spans.iter().filter(|s| s.kind == kind && s.complete()).count() as u64;
    let mut rows: Vec<_> = by.into_iter().collect();
    rows.sort_by_key(|(name, of)| (std::cmp::Reverse(of.2), *name));
    for (name, (n, sent, served)) in rows.into_iter().take(SERVERS) {
        let handler = if name.is_empty() { NO_HANDLER.to_owned() } else { shown_func(name) };
        let mean = |d: Duration| Duration(d.ns() / i64::try_from(n).unwrap_or(i64::MAX).max(1));
        writeln!(
            out,
            "likely served here: {} of {} by {handler} ({server}), which took {} of {} on average",
            count(n),
            count(all),
            mean(served),
            mean(sent)
        )?;
    }
    Ok(())
}

/// Handlers that are named which likely served what was sent.
const SERVERS: usize = 3;
