//! `gotrail leaks`.

use super::open::{self, OpenArgs};
use super::{Exit, Failure, Format, Result, note};
use crate::analysis::leaks::{self, Beside, Leaks, Traced, stuck};
use crate::analysis::waits::links::{self, Options};
use crate::base::text;
use crate::input::{self, Input, Kind, Limits};
use crate::profile::dump::{self, Dump};
use crate::profile::model::Profile;
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct LeaksArgs {
    /// A trace, dumps of goroutines (debug=2, or of a program that died, in any log), goroutine and goroutineleak profiles,
    /// a heap profile: any of these of one process, dumps and profiles in the order of time
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: OpenArgs,
    /// How many lines of code to print of each kind (text)
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What stands beside the trace.
enum Opened {
    Dump(Dump),
    Profile(Profile),
}

pub fn run(args: &LeaksArgs, out: &mut dyn Write) -> Result<Exit> {
    let mut beside = Vec::new();
    let mut said = Vec::new();
    let of = |p: &PathBuf| input::expand(p, Limits::of_this_machine(), &mut said).into_iter().chain(input::dump_in(p));
    let files: Vec<PathBuf> = args.files.iter().flat_map(of).collect();
    said.iter().for_each(|s| note(s));
    let trace = open::trace_among(&files, &args.open, |input| {
        match input.kind {
            Kind::Log { goroutines: true, .. } => dumps(&input, &mut beside),
            Kind::Log { .. } => {
                note(&format!("{}: left out, it has reports of races and no goroutines", text::escape(&input.name)));
            }
            _ => {
                let (name, profile) = open::profile_in(input)?;
                beside.push((name, Opened::Profile(profile)));
            }
        }
        Ok(())
    })?;
    let beside: Vec<(String, Beside)> = beside
        .iter()
        .map(|(name, b)| match b {
            Opened::Dump(d) => (name.clone(), Beside::Dump(d)),
            Opened::Profile(p) => (name.clone(), Beside::Profile(p)),
        })
        .collect();
    let all = match &trace {
        None => leaks::leaks(None, &beside),
        Some(trace) => {
            open::load(trace, None);
            for loss in &trace.index().losses {
                note(&format!("{}: {}", text::escape(trace.name()), text::escape(loss)));
            }
            let links = links::links(&**trace, Options::default()).map_err(Failure::of(trace))?;
            let stuck = stuck(&**trace, &links, None).map_err(Failure::of(trace))?;
            let index = trace.index();
            leaks::leaks(Some(Traced { index: &index, links: &links, stuck: &stuck }), &beside)
        }
    };
    print(&all, trace.as_deref().map(|t| t.name()), args, out)?;
    Ok(Exit::Done)
}

fn print(all: &Leaks, trace: Option<&str>, args: &LeaksArgs, out: &mut dyn Write) -> std::io::Result<()> {
    match args.format {
        Format::Json => report::json::write(&report::schema::leaks::Leaks::new(all, trace), out),
        Format::Text => report::leaks::write(all, args.limit, out),
    }
}

/// The dumps in a text, named after it and, where there are several, by the line where each begins.
fn dumps(input: &Input, to: &mut Vec<(String, Opened)>) {
    let found = dump::read(&input.bytes.all()).dumps;
    let several = found.len() > 1;
    for d in found {
        let name = if several { format!("{}:{}", input.name, d.line) } else { input.name.clone() };
        to.push((name, Opened::Dump(d)));
    }
}
