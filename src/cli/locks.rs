//! `gotrail locks`.

use super::open::{self, Between};
use super::{Exit, Format};
use crate::analysis::contention::contention;
use crate::analysis::waits::TABLE;
use crate::report;
use crate::report::contention::Table;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct LocksArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// Sum all traces up as if they were one: lines of the same name are the same
    #[arg(long)]
    sum: bool,
    /// How many locks and how many channels to print (text)
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &LocksArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let open = args.open.with_queues(|reason| TABLE.may_queue(reason));
    let print = |table: &Table, out: &mut dyn Write| match args.format {
        Format::Json => report::json::write(&table.json(), out),
        Format::Text => table.write(args.limit, out),
    };
    let mut tables = Vec::new();
    let between = if args.sum { Between::Nothing } else { Between::names(args.format) };
    let exit = open::each_trace(&args.files, &open, (between, out), |trace, out| {
        let c = contention(trace, trace.take_queues()).map_err(anyhow::Error::msg)?;
        let table = Table::new(&c, &trace.index(), trace.name());
        if args.sum {
            tables.push(table);
            return Ok(());
        }
        Ok(print(&table, out)?)
    })?;
    if !tables.is_empty() {
        print(&Table::sum(tables), out)?;
    }
    Ok(exit)
}
