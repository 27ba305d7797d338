//! `gotrail sched`.

use super::observe::ObserveArgs;
use super::{Exit, Format, Result};
use crate::analysis::sched::Scheduler;
use crate::report;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub struct SchedArgs {
    #[command(flatten)]
    observe: ObserveArgs,
    /// How many groups to print (text)
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub fn run(args: &SchedArgs, out: &mut dyn Write) -> Result<Exit> {
    args.observe.run(out, Scheduler::new, |found, index, format, out| {
        let sched = found.finish(index);
        match format {
            Format::Json => report::json::write(&report::sched::Json::new(&sched, index), out),
            Format::Text => report::sched::write(&sched, index, args.limit, out),
        }
    })
}
