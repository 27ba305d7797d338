//! `gotrail summary`.

use super::open::{self, Between};
use super::{Exit, Failure, Format, Result};
use crate::analysis::waits::links::table::Table;
use crate::analysis::waits::links::{Options, links};
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct SummaryArgs {
    /// Traces; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    open: open::OpenArgs,
}

pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> Result<Exit> {
    let between = if args.format == Format::Text { Between::Space } else { Between::Nothing };
    open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
        match args.format {
            Format::Json => report::json::write(&report::schema::summary::Summary::new(&trace.index()), out)?,
            Format::Text => {
                let links = links(trace, Options::default()).map_err(Failure::Analysis)?;
                let table = Table::new(&links, &trace.index(), trace.name());
                report::summary::write(trace.name(), &trace.index(), &table, super::page(), out)?;
            }
        }
        Ok(())
    })
}
