//! `gotrail races`.

use super::open::{self, OpenArgs};
use super::{Exit, Failure, Format, Result, note};
use crate::analysis::races::{locate, reports};
use crate::base::text;
use crate::input::{self, Kind, Limits};
use crate::profile::dump;
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct RacesArgs {
    /// Logs with reports of the race detector, or of the runtime about concurrent use of a map, and a trace of the same run
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: OpenArgs,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &RacesArgs, out: &mut dyn Write) -> Result<Exit> {
    let mut found = Vec::new();
    let mut said = Vec::new();
    let files: Vec<PathBuf> =
        args.files.iter().flat_map(|p| input::expand(p, Limits::of_this_machine(), &mut said)).collect();
    said.iter().for_each(|s| note(s));
    let trace = open::trace_among(&files, &args.open, |input| {
        match input.kind {
            Kind::Log { .. } => found.extend(reports(&input.name, &dump::read(&input.bytes.all()))),
            _ => note(&format!("{}: left out, it is a profile", text::escape(&input.name))),
        }
        Ok(())
    })?;
    if let Some(trace) = &trace {
        open::load(trace, None);
        for loss in &trace.index().losses {
            note(&format!("{}: {}", text::escape(trace.name()), text::escape(loss)));
        }
        locate(&**trace, &mut found).map_err(Failure::of(trace))?;
    }
    let index = trace.as_ref().map(|t| t.index());
    let index = index.as_deref();
    match args.format {
        Format::Json => {
            let of = trace.as_ref().map(|t| t.name()).zip(index);
            report::json::write(&report::schema::races::Races::new(&found, of), out)?;
        }
        Format::Text => report::races::write(&found, index, out)?,
    }
    Ok(if found.is_empty() { Exit::NothingFound } else { Exit::Done })
}
