//! `gotrail gc`.

use super::open::{self, Between};
use super::{Exit, Format, Result, window};
use crate::analysis::gc::Collector;
use crate::base::Time;
use crate::report;
use clap::Args;
use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct GcArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    #[command(flatten)]
    window: window::WindowArgs,
    /// How many cycles and lines to print (text)
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &GcArgs, out: &mut dyn Write) -> Result<Exit> {
    // A mistake in the window is one for every trace.
    args.window.of(Time(0))?;
    let watched = RefCell::new(None);
    let read = |trace: &crate::read::Trace| {
        let collector = args.window.of(trace.start()).ok().map(Collector::new);
        open::load(trace, collector.as_ref().map(|s| s as _));
        *watched.borrow_mut() = collector;
    };
    open::each_trace_read(&args.files, &args.open, (Between::names(args.format), out), &read, |trace, out| {
        let Some(collector) = watched.borrow_mut().take() else { return Ok(()) };
        let index = trace.index();
        let gc = collector.finish(&index);
        match args.format {
            Format::Json => report::json::write(&report::gc::Json::new(&gc, &index), out)?,
            Format::Text => report::gc::write(&gc, &index, args.limit, out)?,
        }
        Ok(())
    })
}
