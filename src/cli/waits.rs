//! `gotrail waits`.

use super::open;
use super::{Exit, Failure, Format, Result, matching, window};
use crate::analysis::waits::links;
use crate::analysis::waits::links::table::Table;
use crate::analysis::waits::links::{Options, Sort};
use crate::report;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct WaitsArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// What comes first
    #[arg(long, value_enum, default_value = "total")]
    sort: SortBy,
    /// Only waits whose beginning answers this query: `reason:sync dur>1ms`, `group:main.handle`, …
    #[arg(long, short, value_name = "QUERY")]
    filter: Option<String>,
    #[command(flatten)]
    window: window::WindowArgs,
    /// Sum all traces up as if they were one: what has the same names is the same
    #[arg(long)]
    sum: bool,
    /// How many lines to print (text)
    #[arg(long, value_name = "N", default_value_t = 30)]
    limit: usize,
    /// Also waits of runtime goroutines (text)
    #[arg(long)]
    all: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// The sum of the waits
    Total,
    /// Their number
    Count,
    /// The longest
    Max,
    /// The 99th percentile
    P99,
    /// The mean
    Mean,
}

pub fn run(args: &WaitsArgs, out: &mut dyn Write) -> Result<Exit> {
    let query = matching::parse(args.filter.as_deref())?;
    let by = match args.sort {
        SortBy::Total => Sort::Total,
        SortBy::Count => Sort::Count,
        SortBy::Max => Sort::Max,
        SortBy::P99 => Sort::P99,
        SortBy::Mean => Sort::Mean,
    };
    let print = |table: &Table, out: &mut dyn Write| match args.format {
        Format::Json => report::json::write(&report::schema::waits::Waits::new(table), out),
        Format::Text => report::links::write(table, args.all, args.limit, super::page(), out),
    };
    let mut found = false;
    let sum = |tables| Table::sum(tables, by);
    let sum: Option<&dyn Fn(Vec<Table>) -> Table> = if args.sum { Some(&sum) } else { None };
    let exit =
        open::each_table(&args.files, &args.open, (args.format, out), sum, &|t| open::load(t, None), print, |trace| {
            let compiled = matching::compile(trace, query.as_ref())?;
            let (from, to) = args.window.of(trace.index().start)?;
            let opts = Options { from, to, filter: compiled.as_ref() };
            let mut links = links::links(trace, opts).map_err(Failure::of(trace))?;
            links::sort(&mut links.edges, by);
            found |= !links.edges.is_empty();
            Ok(Table::new(&links, &trace.index(), trace.name()))
        })?;
    Ok(if exit == Exit::Done && query.is_some() && !found { Exit::NothingFound } else { exit })
}
