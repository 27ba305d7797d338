//! `gotrail query`: SQL over traces.

use super::open::{self, OpenArgs};
use super::{Exit, Failure, Result, Usage, note, position, window};
use crate::analysis::sql::{self, Limits, SqlError};
use crate::analysis::tables::{TRACE_ID, Table, Type};
use crate::base::Duration;
use crate::base::text::escape;
use crate::input;
use crate::read::Trace;
use crate::report::rows::{Style, Writer};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

#[derive(Args)]
pub struct QueryArgs {
    /// The query: `select reason, count(*), sum(duration_ns) from transitions where from_state = 'Waiting' group by 1`
    #[arg(required_unless_present = "list_tables")]
    sql: Option<String>,
    /// Traces, all of which the tables are of; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "list_tables")]
    files: Vec<PathBuf>,
    /// Print the tables and their columns instead
    #[arg(long)]
    list_tables: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: RowFormat,
    /// End the query after this time
    #[arg(long, value_name = "T", default_value = "5m", value_parser = window::duration)]
    timeout: Duration,
    #[command(flatten)]
    open: OpenArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowFormat {
    /// Columns
    Text,
    /// Comma-separated, below the names of the columns
    Csv,
    /// An array of objects
    Json,
    /// An object a line
    Jsonl,
}

pub fn run(args: &QueryArgs, out: &mut dyn Write) -> Result<Exit> {
    let Some(sql) = args.sql.as_deref().filter(|_| !args.list_tables) else {
        list(out)?;
        return Ok(Exit::Done);
    };
    let options = args.open.options(open::memory_setting()?);
    let memory = options.memory.unwrap_or(usize::MAX) / 2;
    let (traces, exit) = traces(args)?;
    if traces.is_empty() {
        return Ok(exit.max(Exit::NothingFound));
    }
    let wait = std::time::Duration::from_nanos(u64::try_from(args.timeout.ns()).unwrap_or(0));
    let limits = Limits { until: Instant::now().checked_add(wait), memory };
    let style = match args.format {
        RowFormat::Text => Style::Text,
        RowFormat::Csv => Style::Csv,
        RowFormat::Json => Style::Json,
        RowFormat::Jsonl => Style::Jsonl,
    };
    let writer = std::cell::RefCell::new(Writer::new(style, super::page(), out));
    let asked =
        sql::ask(traces, sql, limits, &Arc::default(), &mut |names| writer.borrow_mut().columns(names), &mut |row| {
            writer.borrow_mut().row(row.to_vec())
        });
    match asked {
        Err(SqlError::Query { message, at }) => {
            let (text, at) = sql::line(sql, at);
            return Err(Usage::Sql { message, text, at }.into());
        }
        asked => {
            // What there is of an answer is printed all the same.
            writer.into_inner().finish()?;
            asked.map_err(|e| Failure::Analysis(e.to_string()))?;
        }
    }
    Ok(exit)
}

/// A trace and its id.
type Named = (String, Arc<Trace>);

/// The traces that can be read, each with its id, one of each.
fn traces(args: &QueryArgs) -> Result<(Vec<Named>, Exit)> {
    let mut options = args.open.options(open::memory_setting()?);
    let (mut exit, mut tally) = (Exit::Done, open::Tally::new(args.files.len()));
    let mut files = Vec::new();
    for path in &args.files {
        let (path, _) = position::split(path).map_err(Usage::from)?;
        let mut said = Vec::new();
        let found = input::expand(&path, input::Limits::of_this_machine(), &mut said);
        said.iter().for_each(|s| note(s));
        files.extend(found.into_iter().map(|f| (f, path.is_dir())));
    }
    options.memory = options.memory.map(|m| m / 2 / files.len().max(1));
    let mut traces: Vec<Named> = Vec::new();
    for (file, in_directory) in files {
        let opened = match input::open_within(&file, options.limits()) {
            Ok(i) if in_directory && !matches!(i.kind, input::Kind::Trace { .. }) => continue,
            opened => opened.map_err(Failure::from).and_then(|i| open::from_input(i, &options)),
        };
        match opened {
            Ok(trace) => {
                tally.read();
                open::load(&trace, None);
                if let Err(e) = open::intact(&trace) {
                    note(&e.to_string());
                    exit = Exit::BadInput;
                    continue;
                }
                for loss in &trace.index().losses {
                    note(&format!("{}: {}", escape(trace.name()), escape(loss)));
                }
                let id = format!("{:016x}", trace.digest());
                match traces.iter().find(|t| t.0 == id) {
                    Some((_, same)) => note(&format!("{}: the same as {}", escape(trace.name()), escape(same.name()))),
                    None => traces.push((id, trace)),
                }
            }
            Err(e) => {
                note(&e.to_string());
                tally.failed(&e);
            }
        }
    }
    Ok((traces, exit.max(tally.exit())))
}

/// Prints all tables and their columns.
fn list(out: &mut dyn Write) -> Result<()> {
    for (n, t) in Table::ALL.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}: {}", t.name(), t.doc())?;
        let width = t.columns().iter().map(|c| c.name.len()).max().unwrap_or(0).max(TRACE_ID.name.len());
        for c in std::iter::once(&TRACE_ID).chain(t.columns()) {
            let of = match c.of {
                Type::Int => "integer",
                Type::Text => "text",
                Type::Bool => "boolean",
            };
            writeln!(out, "  {:width$}  {of:7}  {}", c.name, c.doc)?;
        }
    }
    Ok(())
}
