//! `gotrail events`.

use super::open::{self, Between};
use super::position::{self, Position};
use super::{Exit, Failure, Result, Usage, matching};
use crate::analysis::search::{self, Options};
use crate::analysis::states::look_ahead::LookAhead;
use crate::query;
use crate::read::Trace;
use crate::report::events::{Style, Writer};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Args)]
pub struct EventsArgs {
    /// Traces, one after the other; `-` is standard input. One with a position, such as trace.out@812ms:g8, is printed from
    /// there on, and of that goroutine alone
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
    /// Of each trace print so many events at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Of each trace print the first event only
    #[arg(long, conflicts_with = "limit")]
    first: bool,
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
    let most = if args.first { 1 } else { args.limit.unwrap_or(u64::MAX) };
    let mut found = 0;
    if let [file] = &args.files[..]
        && let (_, Some(at)) = position::split(file).map_err(Usage::from)?
    {
        let exit = open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
            let mut writer = Writer::new(style, trace.index().start);
            found += from(trace, at, (query.as_ref(), most), &mut writer, out)?;
            Ok(())
        })?;
        return Ok(if exit == Exit::Done && found == 0 { Exit::NothingFound } else { exit });
    }
    let exit = open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
        let mut writer = Writer::new(style, trace.index().start);
        found += match &query {
            None => all(trace, most, &mut writer, out)?,
            Some(q) => matching(trace, (q, most), &mut writer, out)?,
        };
        Ok(())
    })?;
    Ok(if exit == Exit::Done && query.is_some() && found == 0 { Exit::NothingFound } else { exit })
}

/// Writes what comes at or after a position, of its goroutine if it has one, so many events `most`.
fn from(
    trace: &Trace,
    (at, go): Position,
    (query, most): (Option<&query::Query>, u64),
    writer: &mut Writer,
    out: &mut dyn Write,
) -> Result<u64> {
    let compiled = matching::compile(trace, query)?;
    let index = trace.index();
    let from = index.start + at;
    let ahead = LookAhead::new(trace);
    let mut found = 0;
    for i in index.segments_between(from, crate::base::Time::MAX) {
        let segment = trace.segment(i)?;
        for e in segment.between(from, crate::base::Time::MAX) {
            if found == most {
                return Ok(found);
            }
            let of = |g| index.goroutine(g).map(|g| g.id);
            let wanted = go.is_none_or(|id| of(segment.go[e]) == Some(id) || of(segment.by[e]) == Some(id));
            if wanted && compiled.as_ref().is_none_or(|q| q.matches(&segment, e, &ahead)) {
                found += 1;
                writer.write(&index, &segment.event(e), out)?;
            }
        }
    }
    let closing = index.closing();
    let more = found < most;
    if more && from <= index.end && go.is_none() && compiled.as_ref().is_none_or(|q| q.matches(&closing, 0, &ahead)) {
        found += 1;
        writer.write(&index, &closing.event(0), out)?;
    }
    Ok(found)
}

fn all(trace: &Trace, most: u64, writer: &mut Writer, out: &mut dyn Write) -> Result<u64> {
    let segments = trace.index().segments.len();
    for i in 0..segments {
        let segment = trace.segment(i)?;
        let index = trace.index();
        for e in 0..segment.len() {
            if segment.first + e as u64 >= most {
                return Ok(most);
            }
            writer.write(&index, &segment.event(e), out)?;
        }
    }
    let index = trace.index();
    if index.events < most {
        writer.write(&index, &index.closing().event(0), out)?;
    }
    Ok(index.event_count().min(most))
}

fn matching(
    trace: &Trace,
    (query, most): (&query::Query, u64),
    writer: &mut Writer,
    out: &mut dyn Write,
) -> Result<u64> {
    let enough = AtomicBool::new(most == 0);
    let (mut found, mut failed) = (0, None);
    let compiled = search::compile(trace, query).map_err(Usage::Pattern)?;
    search::run_compiled(trace, &compiled, &Options::default(), &enough, &mut |i, hits| {
        if hits.is_empty() || failed.is_some() || found == most {
            return;
        }
        let written = trace.segment(i).map_err(Failure::from).and_then(|segment| {
            let index = trace.index();
            let left = usize::try_from(most - found).unwrap_or(usize::MAX);
            for h in hits.iter().take(left) {
                writer.write(&index, &segment.event((h.no - segment.first) as usize), out)?;
                found += 1;
            }
            Ok(())
        });
        failed = written.err();
        if failed.is_some() || found == most {
            enough.store(true, Ordering::Relaxed);
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    let index = trace.index();
    let closing = index.closing();
    if found < most && compiled.matches(&closing, 0, &LookAhead::new(trace)) {
        writer.write(&index, &closing.event(0), out)?;
        found += 1;
    }
    Ok(found)
}
