//! `gotrail findings`.

use super::failure::{Failure, Usage};
use super::open::{self, Between};
use super::{Exit, Result, observe};
use crate::analysis::findings::{Facts, Gathered, Severity, Thresholds, Watching, find};
use crate::read::Trace;
use crate::report::findings::{self, About};
use crate::report::json;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct FindingsArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Style,
    /// Exit with 1 if there is a finding of this severity or above
    #[arg(long, value_enum, default_value = "warn")]
    level: Level,
    /// A TOML file that overrides single thresholds: [long-stw] warn = 3
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,
    /// Only these rules
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    rule: Vec<String>,
    /// Not these rules
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    hide: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Style {
    /// For people
    Text,
    /// One JSON object a file
    Json,
    /// SARIF 2.1.0, for CI: one object for all files
    Sarif,
    /// For an incident's chat
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Worth knowing
    Info,
    /// Worth a look now
    Warn,
    /// Likely to be the incident
    Critical,
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Level::Info => Severity::Info,
            Level::Warn => Severity::Warn,
            Level::Critical => Severity::Critical,
        }
    }
}

fn thresholds(args: &FindingsArgs) -> Result<Thresholds> {
    let known = Thresholds::default();
    for name in args.rule.iter().chain(&args.hide) {
        if !known.names().any(|n| n == name) {
            let known: Vec<&str> = known.names().collect();
            return Err(Usage::NoSuchRule { name: name.clone(), known: known.join(", ") }.into());
        }
    }
    let Some(path) = &args.thresholds else { return Ok(known) };
    let toml = std::fs::read_to_string(path).map_err(|cause| Failure::Read { path: path.clone(), cause })?;
    known.with(&toml).map_err(|cause| Usage::Thresholds { path: path.clone(), cause }.into())
}

pub fn run(args: &FindingsArgs, out: &mut dyn Write) -> Result<Exit> {
    let thresholds = thresholds(args)?;
    let between = match args.format {
        Style::Text | Style::Markdown => Between::Names,
        Style::Json | Style::Sarif => Between::Nothing,
    };
    let (mut loud, mut sarif) = (false, Vec::new());
    let watch = |_: &Trace| Watching::default();
    let exit = observe::each(&args.files, &args.open, (between, out), &watch, |watched, trace, out| {
        let more = Gathered::new(trace, Some(trace.name()), watched).map_err(Failure::of(trace))?;
        let index = trace.index();
        let mut all = find(&Facts { index: &index, more: &more }, &thresholds);
        let wanted = |rule: &str| {
            (args.rule.is_empty() || args.rule.iter().any(|r| r == rule)) && !args.hide.iter().any(|r| r == rule)
        };
        all.found.retain(|f| wanted(f.rule));
        all.fine.retain(|q| wanted(q.rule));
        all.untold.retain(|q| wanted(q.rule));
        loud |= all.found.iter().any(|f| f.severity >= args.level.severity());
        let about = About { name: trace.name(), index: &index, places: &more.links.places };
        match args.format {
            Style::Text => findings::text(&about, &all, out)?,
            Style::Json => json::write(&findings::json(&about, &all), out)?,
            Style::Markdown => findings::markdown(&about, &all, out)?,
            Style::Sarif => sarif.push(findings::sarif_results(&about, &all)),
        }
        Ok(())
    })?;
    if args.format == Style::Sarif {
        json::write(&findings::sarif(&sarif), out)?;
    }
    Ok(if exit == Exit::Done && loud { Exit::NothingFound } else { exit })
}
