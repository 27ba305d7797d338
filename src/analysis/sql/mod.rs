//! SQL over the [tables](super::tables) of traces: SQLite with each of them as a virtual table.
//!
//! Rows are made segment by segment, by threads of their own, a little ahead of SQLite. Where a query groups or sorts by columns
//! of few different values, the rows are handed to SQLite in that order. Bounds of time, a goroutine's number and a trace's id are pushed
//! down into that. The tables that others are joined to by an id are kept once they were looked up in by it. Nothing can be
//! written, attached or loaded; a query has a time limit and a limit of memory.

mod grouped;
mod held;
mod stream;
mod table;

use super::tables::Table;
use crate::analysis::tables::Value;
use crate::base::Span;
use crate::read::Trace;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::vtab::Module;
use rusqlite::{Connection, OpenFlags};
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What a query may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When it ends at the latest.
    pub until: Option<Instant>,
    /// How many bytes of memory it may use beside what the traces take. SQLite's own part is limited for the whole process,
    /// and is never raised again.
    pub memory: usize,
}

/// Why a query has no answer, or no more of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SqlError {
    /// It is no query, or none that is answered.
    #[error("{message}")]
    Query {
        /// What is wrong with it.
        message: String,
        /// Where, if that is known.
        at: Option<Span>,
    },
    /// It took too long.
    #[error("the query took longer than --timeout: what was printed is not all")]
    Timeout,
    /// It needs too much memory.
    #[error("the query needs more memory than --memory allows")]
    Memory,
    /// A trace cannot be read on.
    #[error("{0}")]
    Trace(String),
}

/// Virtual-machine instructions between two looks at the clock.
const STEPS: c_int = 4096;
/// The longest text of a value, and of a query, in bytes.
const LONGEST: (i32, i32) = (16 << 20, 1 << 20);

/// What all tables share.
pub(super) struct Shared {
    traces: Vec<(String, Arc<Trace>)>,
    limits: Limits,
    stop: Arc<AtomicBool>,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.limits.until.is_some_and(|t| Instant::now() >= t)
    }
}

/// Only what reads.
fn authorise(cx: AuthContext<'_>) -> Authorization {
    match cx.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// Asks traces, each with its id, and hands on the names of the columns and then the rows, until `row` says that it has
/// enough. Once `stop` is set the query ends as if its time were over.
///
/// # Errors
///
/// See [`SqlError`].
pub fn ask(
    traces: Vec<(String, Arc<Trace>)>,
    sql: &str,
    limits: Limits,
    stop: &Arc<AtomicBool>,
    columns: &mut dyn FnMut(&[String]),
    row: &mut dyn FnMut(&[Value]) -> bool,
) -> Result<(), SqlError> {
    let shared = Arc::new(Shared { traces, limits, stop: stop.clone() });
    let connection = connect(&shared).map_err(|e| said(&e, &shared))?;
    let mut statement = connection.prepare(sql).map_err(|e| said(&e, &shared))?;
    if statement.column_count() == 0 {
        return Err(SqlError::Query { message: "this is no query: begin with `select`".into(), at: None });
    }
    columns(&statement.column_names().iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    let n = statement.column_count();
    let mut rows = statement.query([]).map_err(|e| said(&e, &shared))?;
    let mut values = Vec::with_capacity(n);
    while let Some(r) = rows.next().map_err(|e| said(&e, &shared))? {
        values.clear();
        for i in 0..n {
            values.push(match r.get_ref(i).map_err(|e| said(&e, &shared))? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Int(n),
                ValueRef::Real(x) => Value::Real(x),
                ValueRef::Text(t) | ValueRef::Blob(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
            });
        }
        if !row(&values) {
            break;
        }
    }
    Ok(())
}

fn connect(shared: &Arc<Shared>) -> rusqlite::Result<Connection> {
    const MODULE: Module<table::Rows> = Module::eponymous_only_module();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_MEMORY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let c = Connection::open_in_memory_with_flags(flags)?;
    // What is sorted stays in memory, which has a limit.
    c.execute_batch("pragma temp_store = memory")?;
    let most = i64::try_from(shared.limits.memory).unwrap_or(i64::MAX);
    c.pragma_update(None, "hard_heap_limit", most).or_else(ignore_rows)?;
    for &t in Table::ALL {
        c.create_module(t.name(), &MODULE, Some(table::Aux { table: t, shared: shared.clone() }))?;
    }
    c.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST.0)?;
    c.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST.1)?;
    c.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    let clock = shared.clone();
    c.progress_handler(STEPS, Some(move || clock.is_over()))?;
    c.authorizer(Some(authorise))?;
    Ok(c)
}

/// A pragma that is set may answer with what it is now.
fn ignore_rows(e: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(e, rusqlite::Error::ExecuteReturnedResults) { Ok(()) } else { Err(e) }
}

/// What SQLite says, in our words where they are clearer.
fn said(e: &rusqlite::Error, shared: &Shared) -> SqlError {
    use rusqlite::{Error, ErrorCode};
    let query = |message: String, at| SqlError::Query { message, at };
    match e {
        Error::SqlInputError { msg, sql, offset, .. } => {
            let start = usize::try_from(*offset).unwrap_or(0).min(sql.len());
            let rest = sql.get(start..).unwrap_or_default();
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()).max(1);
            query(msg.clone(), Some(Span { start, end: start + word }))
        }
        Error::MultipleStatement => query("one query at a time".into(), None),
        Error::SqliteFailure(f, message) => match f.code {
            ErrorCode::OperationInterrupted => SqlError::Timeout,
            ErrorCode::OutOfMemory => SqlError::Memory,
            ErrorCode::AuthorizationForStatementDenied => {
                query("only queries are answered: nothing can be written, attached, loaded or set".into(), None)
            }
            _ if shared.is_over() => SqlError::Timeout,
            _ => match message.as_deref().map(|m| m.strip_prefix(table::UNREADABLE).ok_or(m)) {
                Some(Ok(why)) => SqlError::Trace(why.to_owned()),
                Some(Err(m)) if m == table::TOO_MUCH => SqlError::Memory,
                Some(Err(m)) => query(m.to_owned(), None),
                None => query(e.to_string(), None),
            },
        },
        _ => query(e.to_string(), None),
    }
}

/// The line of a query in which a mistake is, and where it is there.
pub fn line(sql: &str, at: Option<Span>) -> (String, Option<Span>) {
    let Some(at) = at else { return (sql.to_owned(), None) };
    let start = sql.get(..at.start).map_or(0, |before| before.rfind('\n').map_or(0, |i| i + 1));
    let text = sql.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    (text.to_owned(), Some(Span { start: at.start - start, end: at.end.saturating_sub(start) }))
}

#[cfg(test)]
mod tests;
