//! `gotrail events`.

use super::open::{self, Between};
use super::{Exit, Failure, Result, Usage, matching};
use crate::analysis::search::{self, Options};
use crate::query;
use crate::read::Trace;
use crate::report::events::{Style, Writer};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Args)]
pub struct EventsArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only the events that answer this query: `mapassign`, `state:waiting dur>1ms`, …
    #[arg(long, short, value_name = "QUERY")]
    filter: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: EventFormat,
    /// With each event its stack (text; the other forms always have it)
    #[arg(long)]
    stacks: bool,
    #[command(flatten)]
    open: open::OpenArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventFormat {
    /// A line an event
    Text,
    /// A JSON object a line
    Jsonl,
}

pub fn run(args: &EventsArgs, out: &mut dyn Write) -> Result<Exit> {
    let query = matching::parse(args.filter.as_deref())?;
    let style = match args.format {
        EventFormat::Text if args.stacks => Style::TextWithStacks,
        EventFormat::Text => Style::Text,
        EventFormat::Jsonl => Style::JsonLines,
    };
    let between = if args.format == EventFormat::Text { Between::Names } else { Between::Nothing };
    let mut found = 0;
    let exit = open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
        let mut writer = Writer::new(style, trace.index().start);
        found += match &query {
            None => all(trace, &mut writer, out)?,
            Some(q) => matching(trace, q, &mut writer, out)?,
        };
        Ok(())
    })?;
    Ok(if exit == Exit::Done && query.is_some() && found == 0 { Exit::NothingFound } else { exit })
}

fn all(trace: &Trace, writer: &mut Writer, out: &mut dyn Write) -> Result<u64> {
    let segments = trace.index().segments.len();
    for i in 0..segments {
        let segment = trace.segment(i)?;
        let index = trace.index();
        for e in 0..segment.len() {
            writer.write(&index, &segment.event(e), out)?;
        }
    }
    Ok(trace.index().events)
}

fn matching(trace: &Trace, query: &query::Query, writer: &mut Writer, out: &mut dyn Write) -> Result<u64> {
    let cancel = AtomicBool::new(false);
    let mut failed = None;
    let outcome = search::run(trace, query, &Options::default(), &cancel, &mut |i, hits| {
        if hits.is_empty() || failed.is_some() {
            return;
        }
        let written = trace.segment(i).map_err(Failure::from).and_then(|segment| {
            let index = trace.index();
            for h in hits {
                writer.write(&index, &segment.event((h.no - segment.first) as usize), out)?;
            }
            Ok(())
        });
        if let Err(e) = written {
            cancel.store(true, Ordering::Relaxed);
            failed = Some(e);
        }
    })
    .map_err(Usage::Pattern)?;
    match failed {
        Some(e) => Err(e),
        None => Ok(outcome.hits),
    }
}
