//! `gotrail kernel`.

use super::open::{self, Between};
use super::{Exit, Failure, Format, Result, Usage, note};
use crate::analysis::kernel;
use crate::base::text;
use crate::input::{self, Kind, Limits, Other};
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct KernelArgs {
    /// A trace, and what `perf script --ns --header` prints of a recording made meanwhile with `perf record -k mono -c 1 -e
    /// sched:sched_switch -e sched:sched_wakeup`
    #[arg(required = true, value_name = "FILE", num_args = 2..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// Nanoseconds to add to perf's times to have the trace's, where the two are on different clocks
    #[arg(long, value_name = "NS", allow_negative_numbers = true)]
    offset: Option<i64>,
    /// How many rows to print in each table (text)
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &KernelArgs, out: &mut dyn Write) -> Result<Exit> {
    let (mut trace, mut recorded) = (None, None);
    let mut said = Vec::new();
    let limits = Limits::of_this_machine();
    let files: Vec<PathBuf> = args.files.iter().flat_map(|p| input::expand(p, limits, &mut said)).collect();
    said.iter().for_each(|s| note(s));
    for path in files {
        let input = input::open(&path)?;
        match input.kind {
            Kind::Trace { .. } if trace.is_none() => trace = Some(path),
            Kind::Trace { .. } => return Err(Usage::SecondTrace(input.name).into()),
            Kind::Other(Other::PerfScript) if recorded.is_none() => {
                input.notes.iter().for_each(|n| note(&format!("{}: {n}", text::escape(&input.name))));
                recorded = Some(kernel::read(&text::lossy(&input.bytes.all())));
            }
            _ => note(&format!("{}: left out, it is not what `perf script` prints", text::escape(&input.name))),
        }
    }
    let (Some(trace), Some(recorded)) = (trace, recorded) else { return Err(Usage::NoPerf.into()) };
    let between = Between::names(args.format);
    open::each_trace(std::slice::from_ref(&trace), &args.open, (between, out), |trace, out| {
        let wrong = |e| Failure::Analysis(format!("{}: {e}", text::escape(trace.name())));
        let found = kernel::beside(trace, &recorded, args.offset).map_err(wrong)?;
        let index = trace.index();
        match args.format {
            Format::Json => {
                let json = report::schema::kernel::Json::new(&found, &recorded, &index);
                report::json::write(&json, out)?;
            }
            Format::Text => report::kernel::write(&found, &recorded, &index, args.limit, out)?,
        }
        Ok(())
    })
}
