//! `gotrail gc`.

use super::observe::ObserveArgs;
use super::{Exit, Format, Result};
use crate::analysis::gc::Collector;
use crate::report;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub struct GcArgs {
    #[command(flatten)]
    observe: ObserveArgs,
    /// How many cycles and lines to print (text)
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub fn run(args: &GcArgs, out: &mut dyn Write) -> Result<Exit> {
    args.observe.run(out, Collector::new, |found, index, format, out| {
        let gc = found.finish(index);
        match format {
            Format::Json => report::json::write(&report::gc::Json::new(&gc, index), out),
            Format::Text => report::gc::write(&gc, index, args.limit, out),
        }
    })
}
