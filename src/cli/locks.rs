//! `gotrail locks`.

use super::open::{self, Between};
use super::{Exit, Format};
use crate::analysis::contention::contention;
use crate::analysis::waits::TABLE;
use crate::report;
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
    /// How many locks and how many channels to print (text)
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &LocksArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let open = args.open.with_queues(|reason| TABLE.may_queue(reason));
    open::each_trace(&args.files, &open, (Between::names(args.format), out), |trace, out| {
        let c = contention(trace, trace.take_queues()).map_err(anyhow::Error::msg)?;
        let index = trace.index();
        match args.format {
            Format::Json => report::json::write(&report::contention::json(&c, &index), out)?,
            Format::Text => report::contention::write(&c, &index, args.limit, out)?,
        }
        Ok(())
    })
}
