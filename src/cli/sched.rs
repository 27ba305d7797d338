//! `gotrail sched`.

use super::open::{self, Between};
use super::{Exit, Format, Result, window};
use crate::analysis::sched::Scheduler;
use crate::base::Time;
use crate::report;
use clap::Args;
use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct SchedArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    #[command(flatten)]
    window: window::WindowArgs,
    /// How many groups to print (text)
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &SchedArgs, out: &mut dyn Write) -> Result<Exit> {
    // A mistake in the window is one for every trace.
    args.window.of(Time(0))?;
    let watched = RefCell::new(None);
    let read = |trace: &crate::read::Trace| {
        let scheduler = args.window.of(trace.start()).ok().map(Scheduler::new);
        open::load(trace, scheduler.as_ref().map(|s| s as _));
        *watched.borrow_mut() = scheduler;
    };
    open::each_trace_read(&args.files, &args.open, (Between::names(args.format), out), &read, |trace, out| {
        let Some(scheduler) = watched.borrow_mut().take() else { return Ok(()) };
        let index = trace.index();
        let sched = scheduler.finish(&index);
        match args.format {
            Format::Json => report::json::write(&report::sched::Json::new(&sched, &index), out)?,
            Format::Text => report::sched::write(&sched, &index, args.limit, out)?,
        }
        Ok(())
    })
}
