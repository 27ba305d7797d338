//! Reports of races beside a trace, as text.

use crate::analysis::races::{Candidate, Report, Side};
use crate::base::{number, text};
use crate::model::Index;
use crate::model::dict::{shown_func, shown_line};
use std::io::{self, Write};

/// Candidates shown of each side.
const CANDIDATES: usize = 8;

/// Writes every report. With an `index` the goroutines of that trace which they may mean.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(reports: &[Report], index: Option<&Index>, out: &mut dyn Write) -> io::Result<()> {
    if reports.is_empty() {
        return writeln!(out, "races: no report of the race detector, and none of concurrent use of a map");
    }
    for (i, r) in reports.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        for line in about(r, index) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// A report in words, a line each, safe to show.
pub fn about(r: &Report, index: Option<&Index>) -> Vec<String> {
    let (file, line) = (text::escape(&r.file.0), r.file.1);
    let mut out = vec![match &r.fatal {
        None => format!("data race  {file}:{line}"),
        Some(fatal) => format!("{}  {file}:{line}", text::escape(fatal)),
    }];
    for s in &r.sides {
        out.push(format!("  {}", what(s)));
        if let Some(c) = &s.created {
            out.push(format!("    created at {}  {}", shown_line(&c.file, c.line), shown_func(&c.func)));
        }
        let Some(index) = index else { continue };
        match (&s.candidates[..], s.exact || s.number.is_none()) {
            ([], _) => out.push("    no goroutine of the trace fits".into()),
            ([one], true) => out.push(format!("    {}", candidate(one, index))),
            ([one], false) => out.push(format!("    {} · the only one that fits", candidate(one, index))),
            (several, _) => {
                let n = text::count(several.len() as u64);
                out.push(format!("    one of these {n}, which are alike to the report:"));
                out.extend(several.iter().take(CANDIDATES).map(|c| format!("      {}", candidate(c, index))));
                let more = several.len().saturating_sub(CANDIDATES) as u64;
                if more > 0 {
                    out.push(format!("      {} more", text::count(more)));
                }
            }
        }
    }
    if r.fatal.is_some() {
        out.push("  more than one goroutine uses the map: its lines and who else uses it, gotrail maps FILE".into());
    }
    out
}

/// What a side did, where, and by whom, safe to show.
pub fn what(s: &Side) -> String {
    let done = s.what.word();
    let at = match s.at() {
        Some(f) => format!("at {}  {}", shown_line(&f.file, f.line), shown_func(&f.func)),
        None => "at a line that the detector has forgotten".into(),
    };
    let ended = if s.finished { ", which had ended" } else { "" };
    let who = match (s.number, s.exact) {
        (None, _) => "the main goroutine".into(),
        (Some(n), true) => format!("G{n}"),
        (Some(n), false) => format!("the report's goroutine {n}{ended}"),
    };
    format!("{done} {at} by {who}")
}

fn candidate(c: &Candidate, index: &Index) -> String {
    let Some(g) = index.goroutine(c.go) else { return String::new() };
    let at = |t| number::instant(t - index.start);
    let mut out = format!("G{} {}, {} to {}", g.id.0, shown_func(index.goroutine_name(c.go)), at(c.from), at(c.to));
    if c.seen > 0 {
        out += &format!(", {} events in that function", text::count(c.seen));
    }
    out
}
