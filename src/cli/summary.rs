//! `gotrail summary`.

use super::{Exit, Format, open};
use crate::analysis::summary::summarize;
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

pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut first = true;
    open::each_trace(&args.files, &args.open, |trace| {
        match args.format {
            Format::Json => report::json::write(&summarize(&trace.index()), out)?,
            Format::Text => {
                if !std::mem::take(&mut first) {
                    writeln!(out)?;
                }
                report::summary::write(trace.name(), &trace.index(), out)?;
            }
        }
        Ok(())
    })
}
