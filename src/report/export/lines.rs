//! Tables as CSV and as JSON lines.
//!
//! CSV is that of RFC 4180: commas, a line of column names, quotes where a cell needs them, nothing for null; text is
//! escaped where it could do something to a terminal. JSON has a key for every column, also for what is null.

use super::Make;
use crate::analysis::tables::{Cell, Sink, TRACE_ID, Table};
use crate::base::text;
use crate::model::Index;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A line of cells a row.
    Csv,
    /// An object a row.
    Jsonl,
}

/// Writes rows as they come.
pub struct Lines<'a> {
    index: &'a Index,
    trace: &'a str,
    style: Style,
    outs: BTreeMap<Table, Box<dyn Write + 'a>>,
    line: String,
    failed: Option<io::Error>,
}

impl<'a> Lines<'a> {
    /// A writer of these tables of the trace of that id, into files that `make` makes.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn new(
        style: Style,
        (index, trace): (&'a Index, &'a str),
        tables: &[Table],
        make: &mut Make,
    ) -> io::Result<Lines<'a>> {
        let mut outs: BTreeMap<Table, Box<dyn Write + 'a>> = BTreeMap::new();
        for &t in tables {
            let mut out = make(t)?;
            if style == Style::Csv {
                header(t, &mut out)?;
            }
            outs.insert(t, out);
        }
        Ok(Lines { index, trace, style, outs, line: String::new(), failed: None })
    }

    /// A writer of one table to `out`, with the names of its columns if this is the `first` trace.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn to(
        style: Style,
        (index, trace): (&'a Index, &'a str),
        table: Table,
        first: bool,
        out: &'a mut dyn Write,
    ) -> io::Result<Lines<'a>> {
        if first && style == Style::Csv {
            header(table, out)?;
        }
        let outs: BTreeMap<Table, Box<dyn Write + 'a>> = BTreeMap::from([(table, Box::new(out) as _)]);
        Ok(Lines { index, trace, style, outs, line: String::new(), failed: None })
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// Something could not be written, now or before.
    pub fn finish(mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(e) => Err(e),
            None => self.outs.values_mut().try_for_each(|o| o.flush()),
        }
    }
}

/// The line of column names.
fn header(t: Table, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = std::iter::once(&TRACE_ID).chain(t.columns()).map(|c| c.name).collect();
    writeln!(out, "{}", names.join(","))
}

/// Appends a cell of CSV.
pub fn csv(cell: &str, line: &mut String) {
    let cell = text::escape(cell);
    if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(&cell);
    }
}

/// A text as JSON, safe to show.
pub fn json(s: &str) -> String {
    text::escape_json(&serde_json::Value::from(s).to_string()).into_owned()
}

impl Sink for Lines<'_> {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        let (index, line) = (self.index, &mut self.line);
        let Some(out) = self.outs.get_mut(&table).filter(|_| self.failed.is_none()) else { return };
        line.clear();
        match self.style {
            Style::Csv => {
                line.push_str(self.trace);
                for cell in cells {
                    line.push(',');
                    match cell {
                        Cell::Null => {}
                        Cell::Int(n) => line.push_str(&n.to_string()),
                        Cell::Bool(b) => line.push_str(if *b { "true" } else { "false" }),
                        other => csv(other.text(index).unwrap_or_default(), line),
                    }
                }
                line.push('\n');
            }
            Style::Jsonl => {
                line.push_str(&format!("{{\"trace_id\":\"{}\"", self.trace));
                for (cell, column) in cells.iter().zip(table.columns()) {
                    line.push_str(&format!(",\"{}\":", column.name));
                    match cell {
                        Cell::Null => line.push_str("null"),
                        Cell::Int(n) => line.push_str(&n.to_string()),
                        Cell::Bool(b) => line.push_str(if *b { "true" } else { "false" }),
                        other => line.push_str(&json(other.text(index).unwrap_or_default())),
                    }
                }
                line.push_str("}\n");
            }
        }
        if let Err(e) = out.write_all(line.as_bytes()) {
            self.failed = Some(e);
        }
    }

    fn full(&self) -> bool {
        self.failed.is_some()
    }
}
