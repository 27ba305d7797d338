//! Tables as a file of SQLite: the tables and columns that `gotrail query` has, of any number of traces.
//!
//! The file's `user_version` is the [version](tables::VERSION) of the tables. Truth is 1 and 0.

use crate::analysis::tables::{self, Cell, Column, Sink, TRACE_ID, Table, Type};
use crate::model::Index;
use rusqlite::{Connection, OpenFlags, Statement};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// A file under way.
pub struct File {
    connection: Connection,
    tables: Vec<Table>,
}

/// Writes the rows of one trace.
pub struct Rows<'a> {
    index: &'a Index,
    trace: &'a str,
    statements: BTreeMap<Table, Statement<'a>>,
    failed: Option<io::Error>,
}

fn io_error(e: rusqlite::Error) -> io::Error {
    io::Error::other(e)
}

fn columns(t: Table) -> impl Iterator<Item = &'static Column> {
    std::iter::once(&TRACE_ID).chain(t.columns())
}

impl File {
    /// Makes these tables in the empty file at `path`.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn create(path: &Path, wanted: &[Table]) -> io::Result<File> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(io_error)?;
        // Nobody else has the file yet, and what is not whole is thrown away.
        let set = "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;";
        connection.execute_batch(set).map_err(io_error)?;
        connection.pragma_update(None, "user_version", tables::VERSION).map_err(io_error)?;
        connection.execute_batch("begin").map_err(io_error)?;
        for &t in wanted {
            let of = |c: &Column| match c.of {
                Type::Int | Type::Bool => "integer",
                Type::Text => "text",
            };
            let all: Vec<String> = columns(t).map(|c| format!("\"{}\" {}", c.name, of(c))).collect();
            let sql = format!("create table \"{}\" ({})", t.name(), all.join(", "));
            connection.execute_batch(&sql).map_err(io_error)?;
        }
        Ok(File { connection, tables: wanted.to_vec() })
    }

    /// A writer of the rows of a trace with this id.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn rows<'a>(&'a self, index: &'a Index, trace: &'a str) -> io::Result<Rows<'a>> {
        let insert = |&t: &Table| {
            let marks = vec!["?"; columns(t).count()].join(", ");
            let sql = format!("insert into \"{}\" values ({marks})", t.name());
            self.connection.prepare(&sql).map(|s| (t, s)).map_err(io_error)
        };
        let statements = self.tables.iter().map(insert).collect::<io::Result<_>>()?;
        Ok(Rows { index, trace, statements, failed: None })
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn finish(self) -> io::Result<()> {
        self.connection.execute_batch("commit").map_err(io_error)?;
        self.connection.close().map_err(|(_, e)| io_error(e))
    }
}

impl Rows<'_> {
    /// Ends the rows.
    ///
    /// # Errors
    ///
    /// Something could not be written.
    pub fn finish(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn put(&mut self, table: Table, cells: &[Cell]) -> rusqlite::Result<()> {
        let Some(statement) = self.statements.get_mut(&table) else { return Ok(()) };
        statement.raw_bind_parameter(1, self.trace)?;
        for (i, cell) in (2..).zip(cells) {
            match cell {
                Cell::Null => statement.raw_bind_parameter(i, rusqlite::types::Null)?,
                Cell::Int(n) => statement.raw_bind_parameter(i, n)?,
                Cell::Bool(b) => statement.raw_bind_parameter(i, b)?,
                text => statement.raw_bind_parameter(i, text.text(self.index))?,
            }
        }
        statement.raw_execute().map(drop)
    }
}

impl Sink for Rows<'_> {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        if self.failed.is_none() {
            self.failed = self.put(table, cells).err().map(io_error);
        }
    }

    fn full(&self) -> bool {
        self.failed.is_some()
    }
}
