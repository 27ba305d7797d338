//! What a search over many traces finds: lines, JSON, CSV.

use super::events::{describe, place};
use super::export::lines::csv;
use super::schema::event;
use super::schema::hit::Hit;
use crate::base::{Duration, GoIdx, Time, number, text};
use crate::model::{Event, Index};
use std::io::{self, Write};

/// How hits are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Position, kind, details, the user's frame.
    Text,
    /// An object a line.
    Jsonl,
    /// A line of cells.
    Csv,
}

/// The first line of CSV.
pub const CSV_HEADER: &str = "file,position,no,time_ns,offset_ns,kind,g,by,p,detail,place\n";

/// The place of an event as commands and the viewer take it: `trace.out@0.812031s:g8`.
pub fn position(name: &str, index: &Index, e: &Event) -> String {
    position_of(name, index, e.time, if index.goroutine(e.go).is_some() { e.go } else { e.by })
}

/// The same of an instant of a goroutine.
pub fn position_of(name: &str, index: &Index, at: Time, go: GoIdx) -> String {
    let at = number::Instants::new(index.duration(), Duration(1)).show(at - index.start);
    let go = index.goroutine(go);
    format!("{name}@{}{}", at.trim_start(), go.map_or(String::new(), |g| format!(":g{}", g.id.0)))
}

/// Writes one hit in the trace of this name.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(style: Style, name: &str, index: &Index, e: &Event, out: &mut dyn Write) -> io::Result<()> {
    let position = position(name, index, e);
    match style {
        Style::Text => {
            let (what, place) = (describe(index, e), place(index, e.stack));
            let words: Vec<&str> = [what.as_str(), place.as_str()].into_iter().filter(|w| !w.is_empty()).collect();
            let line = format!("{}  {:<14} {}", text::escape(&position), e.kind.name(), words.join("  "));
            writeln!(out, "{}", line.trim_end())
        }
        Style::Jsonl => {
            let event = event::Event::new(index, e, index.start);
            super::json::write_line(&Hit { file: name, position: &position, event }, out)
        }
        Style::Csv => {
            let number = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
            let go = |g| number(index.goroutine(g).map(|g| g.id.0));
            let mut line = String::new();
            let (at, offset) = (e.time.0.to_string(), (e.time - index.start).ns().to_string());
            let p = number(index.procs.get(e.proc.0 as usize).map(|p| p.id.0));
            let cells = [
                name.to_owned(),
                position,
                e.no.to_string(),
                at,
                offset,
                e.kind.name().to_owned(),
                go(e.go),
                go(e.by),
                p,
                describe(index, e),
                place(index, e.stack),
            ];
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    line.push(',');
                }
                csv(cell, &mut line);
            }
            writeln!(out, "{line}")
        }
    }
}
