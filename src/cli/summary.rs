//! `gotrail summary`.

use super::by;
use super::open::{self, Between};
use super::{Exit, Failure, Format, Result};
use crate::analysis::findings::{Facts, Gathered, Thresholds, find};
use crate::analysis::labelled::Sum;
use crate::analysis::waits::links::table::Table;
use crate::analysis::waits::links::{Options, links};
use crate::read::Trace;
use crate::report::{self, findings::About, summary::Wrong};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// The most events that are looked at once more for findings. Whoever has a larger trace asks `findings`, which looks while
/// it reads.
const MOST_EVENTS: u64 = 2_000_000;

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
    /// Goroutines by the value of a label (pprof.Do) in place of their start functions; --with says which profile or dump
    /// tells of labels
    #[arg(long, value_name = "label:KEY", value_parser = by::key)]
    by: Option<String>,
}

pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> Result<Exit> {
    let between = if args.format == Format::Text { Between::Space } else { Between::Nothing };
    open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
        let by = by::goroutines(trace, args.by.as_deref())?;
        match args.format {
            Format::Json => {
                let all = report::schema::summary::Summary::new(&trace.index(), by.as_deref());
                report::json::write(&all, out)?;
            }
            Format::Text => text(trace, by.as_deref(), out)?,
        }
        Ok(())
    })
}

fn text(trace: &Trace, by: Option<&[Sum]>, out: &mut dyn Write) -> Result<()> {
    let (name, events) = (trace.name(), trace.index().event_count());
    if events > MOST_EVENTS {
        let links = links(trace, Options::default()).map_err(Failure::of(trace))?;
        let index = trace.index();
        let table = Table::new(&links, &index, name);
        report::summary::write_by(name, &index, (&table, &Wrong::Large(events)), by, super::page(), out)?;
        return Ok(());
    }
    let more = Gathered::afterwards(trace, &|_| {}, &AtomicBool::new(false)).map_err(Failure::of(trace))?;
    let index = trace.index();
    let all = find(&Facts { index: &index, more: &more }, &Thresholds::default());
    let about = About { name, index: &index, places: &more.links.places };
    let table = Table::new(&more.links, &index, name);
    report::summary::write_by(name, &index, (&table, &Wrong::Found(about, &all)), by, super::page(), out)?;
    Ok(())
}
