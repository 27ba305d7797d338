//! `gotrail locks`.

use super::{Exit, Failure, Format, Result, window};
use super::{observe, open};
use crate::analysis::waits::contention::contention_in;
use crate::analysis::waits::contention::table::Table;
use crate::report;
use clap::Args;
use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct LocksArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    #[command(flatten)]
    window: window::WindowArgs,
    /// Sum all traces up as if they were one: lines of the same name are the same
    #[arg(long)]
    sum: bool,
    /// How many locks and channels to print (text)
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &LocksArgs, out: &mut dyn Write) -> Result<Exit> {
    let kept = RefCell::new(None);
    let print = |table: &Table, out: &mut dyn Write| match args.format {
        Format::Json => report::json::write(&report::schema::locks::Locks::new(table), out),
        Format::Text => report::contention::write(table, args.limit, out),
    };
    let sum: Option<&dyn Fn(Vec<Table>) -> Table> = if args.sum { Some(&Table::sum) } else { None };
    open::each_table(&args.files, &args.open, (args.format, out), sum, &observe::keeping(&kept), print, |trace| {
        let window = args.window.of(trace.index().start)?;
        let c = contention_in(trace, kept.take().as_ref(), window).map_err(Failure::of(trace))?;
        Ok(Table::new(&c, &trace.index(), trace.name()))
    })
}
