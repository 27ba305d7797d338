//! Rows of an answer to SQL: as a table, CSV, JSON.

use super::export::lines::{csv, json};
use super::table::{Column, Page, Table};
use crate::analysis::tables::Value;
use crate::base::text::escape;
use std::io::{self, Write};

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Columns below their names.
    Text,
    /// A line of names, and a line a row.
    Csv,
    /// An array of objects.
    Json,
    /// An object a line.
    Jsonl,
}

impl Value {
    /// As it stands in a cell; nothing for null.
    fn shown(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Int(n) => n.to_string(),
            Value::Real(x) => x.to_string(),
            Value::Text(s) => s.clone(),
        }
    }

    fn json(&self) -> String {
        match self {
            Value::Null => "null".into(),
            Value::Int(n) => n.to_string(),
            Value::Real(x) => serde_json::Number::from_f64(*x).map_or("null".into(), |n| n.to_string()),
            Value::Text(s) => json(s),
        }
    }
}

/// Rows whose widths are looked at together: a table that is longer goes on with widths of its own.
const BLOCK: usize = 10_000;

/// Rows as a table: the line of the names, and where there is room a line a row. Safe to show.
pub fn table(names: &[String], rows: &[Vec<Value>], page: Page) -> Vec<String> {
    let number = |i: usize| rows.iter().all(|r| !matches!(r.get(i), Some(Value::Text(_)))) && !rows.is_empty();
    let column = |(i, n): (usize, &String)| {
        let name = escape(n);
        if number(i) { Column::right(&name) } else { Column::left(&name) }
    };
    let mut t = Table::new(names.iter().enumerate().map(column));
    for r in rows {
        t.row(r.iter().map(|v| escape(&v.shown()).into_owned()));
    }
    t.lines(page)
}

/// Writes rows as they come.
pub struct Writer<'a> {
    style: Style,
    page: Page,
    names: Vec<String>,
    rows: Vec<Vec<Value>>,
    written: u64,
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl<'a> Writer<'a> {
    /// A writer to `out`.
    pub fn new(style: Style, page: Page, out: &'a mut dyn Write) -> Writer<'a> {
        Writer { style, page, names: Vec::new(), rows: Vec::new(), written: 0, out, failed: None }
    }

    /// The names of the columns; before the rows.
    pub fn columns(&mut self, names: &[String]) {
        self.names = names.to_vec();
        if self.style == Style::Csv {
            let names: Vec<Value> = names.iter().cloned().map(Value::Text).collect();
            self.failed = self.csv(&names).err();
        }
    }

    /// A row; false if no more can be written.
    pub fn row(&mut self, row: Vec<Value>) -> bool {
        if self.failed.is_none() {
            self.failed = self.put(row).err();
        }
        self.failed.is_none()
    }

    fn put(&mut self, row: Vec<Value>) -> io::Result<()> {
        self.written += 1;
        match self.style {
            Style::Csv => self.csv(&row),
            Style::Json | Style::Jsonl => {
                let pairs = self.names.iter().zip(&row).map(|(n, v)| format!("{}:{}", json(n), v.json()));
                let line = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
                match (self.style, self.written) {
                    (Style::Jsonl, _) => writeln!(self.out, "{line}"),
                    (_, 1) => write!(self.out, "[\n{line}"),
                    _ => write!(self.out, ",\n{line}"),
                }
            }
            Style::Text => {
                self.rows.push(row);
                if self.rows.len() >= BLOCK { self.block() } else { Ok(()) }
            }
        }
    }

    fn csv(&mut self, row: &[Value]) -> io::Result<()> {
        let mut line = String::new();
        for (i, v) in row.iter().enumerate() {
            if i > 0 {
                line.push(',');
            }
            csv(&v.shown(), &mut line);
        }
        writeln!(self.out, "{line}")
    }

    /// Writes the rows at hand as a table.
    fn block(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let titles = usize::from(self.written > BLOCK as u64);
        table(&self.names, &rows, self.page).iter().skip(titles).try_for_each(|l| writeln!(self.out, "{l}"))
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// Something could not be written, now or before.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(e) = self.failed.take() {
            return Err(e);
        }
        match self.style {
            Style::Text if self.written == 0 || !self.rows.is_empty() => self.block(),
            Style::Json if self.written == 0 => writeln!(self.out, "[]"),
            Style::Json => writeln!(self.out, "\n]"),
            _ => Ok(()),
        }
    }
}
