//! Goroutines that are left behind, as text.

use crate::analysis::leaks::{Age, Leak, Leaks, Queue, Sure, What, Why};
use crate::base::text;
use crate::model::dict::{shown_func, shown_line};
use crate::profile::dump::Frame;
use std::io::{self, Write};

/// Goroutines' numbers shown of each site.
const NUMBERS: usize = 6;
/// Labels shown of each site.
const LABELS: usize = 4;

/// Writes the first `limit` sites of each kind: `certain`, `likely`, `possible`, and what is no leak.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(all: &Leaks, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let count = |sure| text::count(all.count(sure));
    write!(out, "goroutine leaks: {} certain, {} likely", count(Sure::Certain), count(Sure::Likely))?;
    match all.count(Sure::Possible) {
        0 => writeln!(out)?,
        n => writeln!(out, ", {} possible", text::count(n))?,
    }
    for l in &all.looked {
        writeln!(out, "  {}: {}", text::escape(&l.name), what(l.what))?;
    }
    for i in &all.inversions {
        let sure = if i.went_on.is_empty() { "likely" } else { "by the dump alone" };
        writeln!(out, "\n{sure}: locks that are taken in different orders")?;
        i.says().iter().try_for_each(|s| writeln!(out, "{:>10}  {s}", ""))?;
    }
    let mut of = all.leaks.iter().filter(|l| l.sure == Sure::No).peekable();
    let alone = of.peek().is_some() && of.all(|l| l.why == Why::Alone);
    for (sure, title) in [
        (Sure::Certain, "certain: nothing can wake them"),
        (Sure::Likely, "likely: their number rises"),
        (Sure::Possible, "possible: never woken; a worker that has had no work yet looks the same"),
        (Sure::No, if alone { ALONE } else { "no leaks: blocked, and no sign that they are left behind" }),
    ] {
        let of: Vec<&Leak> = all.leaks.iter().filter(|l| l.sure == sure).collect();
        if of.is_empty() {
            continue;
        }
        writeln!(out, "\n{title}")?;
        for l in of.iter().take(limit) {
            one(l, out)?;
        }
        if of.len() > limit {
            writeln!(out, "{:>10}  {} more lines (--limit)", "", of.len() - limit)?;
        }
    }
    Ok(())
}

/// The heading where one dump or profile alone is looked at.
const ALONE: &str =
    "not known: blocked at one instant, and nothing to compare that with (give a second dump, or the trace)";

/// What a file beside the trace is, in words.
fn what(w: What) -> String {
    match w {
        What::Census { foreign: true, .. } => {
            "left out: it is of another process, its numbers are of other goroutines in the trace, or in the first dump"
                .into()
        }
        What::Census { dump, all, marked, in_trace, .. } => {
            let mut said = format!("{} of {} goroutines", if dump { "dump" } else { "profile" }, text::count(all));
            if marked > 0 {
                said += &format!(", {} marked as leaked", text::count(marked));
            }
            if in_trace > 0 {
                said += &format!(", {} of them in the trace", text::count(in_trace));
            }
            said
        }
        What::Heap => "heap profile".into(),
        What::LeftOut => "left out: it says nothing of goroutines".into(),
    }
}

fn one(l: &Leak, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>10}  {}  {} at {}  {}",
        text::count(l.count),
        shown_func(&l.site.entry),
        if l.reason.is_empty() { "blocked".to_owned() } else { text::escape(&l.reason).into_owned() },
        shown_line(&l.file, l.site.line),
        shown_func(&l.site.func)
    )?;
    for line in about(l) {
        writeln!(out, "{:>10}  {line}", "")?;
    }
    Ok(())
}

/// What there is to say of goroutines at one line below their number, a line each, safe to show.
pub fn about(l: &Leak) -> Vec<String> {
    let mut out = vec![why(l)];
    if let Some(Frame { func, file, line }) = &l.created {
        let called = l
            .called
            .as_ref()
            .map_or(String::new(), |c| format!(", called at {}  {}", shown_line(&c.file, c.line), shown_func(&c.func)));
        out.push(format!("created at {}  {}{called}", shown_line(file, *line), shown_func(func)));
    }
    let mut said = Vec::new();
    said.extend(l.oldest.map(|a| format!("oldest {}", age(a))));
    said.extend(
        l.bytes
            .map(|b| format!("{} in use by {}", text::bytes(u64::try_from(b).unwrap_or(0)), shown_func(&l.site.entry))),
    );
    if let Some((ids, more)) = numbers(&l.ids) {
        said.push(format!("goroutines {ids}{more}"));
    }
    if !said.is_empty() {
        out.push(said.join(" · "));
    }
    out.extend(l.queue.as_ref().and_then(queue));
    if !l.labels.is_empty() {
        let labels = l.labels.iter().take(LABELS);
        let labels: Vec<String> = labels
            .map(|(key, value, n)| format!("{}={} {}", text::escape(key), text::escape(value), text::count(*n)))
            .collect();
        let more = l.labels.len().saturating_sub(LABELS);
        out.push(format!(
            "labels {}{}",
            labels.join(", "),
            if more > 0 { format!(", {more} more") } else { String::new() }
        ));
    }
    out
}

/// Who else waits for the lock, if anyone.
fn queue(q: &Queue) -> Option<String> {
    let locks: Vec<String> = q.locks.iter().take(NUMBERS).map(|l| format!("{l:#x}")).collect();
    let more = if q.locks.len() > NUMBERS { " and more" } else { "" };
    let others = format!(
        "{} more at {} other {}",
        text::count(q.others),
        text::count(q.lines),
        if q.lines == 1 { "line" } else { "lines" }
    );
    match (locks.is_empty(), q.others) {
        (true, 0) => None,
        (true, _) => Some(format!("{others} wait for locks: one cause, if it is one lock (a dump tells)")),
        (false, 0) => Some(format!("lock {}{more}", locks.join(", "))),
        (false, _) => Some(format!("lock {}{more}: {others} wait for it, which is one cause", locks.join(", "))),
    }
}

fn why(l: &Leak) -> String {
    let counts = || l.counts.iter().map(|&n| text::count(n)).collect::<Vec<_>>().join(" → ");
    match l.why {
        Why::Marked => "marked by the runtime: nothing that still runs knows what they wait for".into(),
        Why::Nil => "the channel is nil: nothing can end this wait".into(),
        Why::Rises(s) => format!("their number rises by {:.1} a second", s.per_x),
        Why::RisesBetween => format!("their number rises from one dump or profile to the next: {}", counts()),
        Why::NeverWoken => "no wait at this line was ended by anyone".into(),
        Why::Steady if l.counts.len() > 1 => format!("their number does not rise: {}", counts()),
        Why::Steady => "their number does not rise".into(),
        Why::SameLock => "others that wait for the same lock are so".into(),
        Why::Alone => {
            "one dump or profile does not tell whether their number rises: compare it with a later one".into()
        }
    }
}

/// `5.21s`, and `≥ 12m` where it is not known exactly.
pub fn age(a: Age) -> String {
    format!("{}{}", if a.at_least { "≥ " } else { "" }, a.time)
}

/// The first of some numbers, and how many more there are.
fn numbers(ids: &[u64]) -> Option<(String, String)> {
    let first: Vec<String> = ids.iter().take(NUMBERS).map(u64::to_string).collect();
    let more = ids.len().saturating_sub(NUMBERS) as u64;
    let more = if more > 0 { format!(" and {} more", text::count(more)) } else { String::new() };
    (!first.is_empty()).then(|| (first.join(", "), more))
}
