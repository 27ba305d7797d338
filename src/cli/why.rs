//! `gotrail why`.

use super::open::{self, Between};
use super::{Exit, Failure, Format, Result, Usage, window};
use crate::analysis::annotations::{self, Wanted};
use crate::analysis::waits::path;
use crate::analysis::waits::path::Window;
use crate::base::{Duration, Time, spell, text};
use crate::read::Trace;
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["goroutine", "task", "region"]))]
pub struct WhyArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// A goroutine, by number (27, or G27): its whole life, or the part between --from and --to
    #[arg(short, long, value_name = "ID", value_parser = goroutine_number)]
    goroutine: Option<u64>,
    /// A task: its name, of which the longest is taken, or its number with a #
    #[arg(long, value_name = "NAME|#ID")]
    task: Option<String>,
    /// A region, by name, of which the longest is taken
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Of several tasks or regions the one that is K-th in length
    #[arg(long, value_name = "K", default_value_t = 1)]
    nth: usize,
    /// Begin here, counted from the trace's start: 812.031ms
    #[arg(long, value_name = "T", value_parser = window::duration, requires = "goroutine")]
    from: Option<Duration>,
    /// End here
    #[arg(long, value_name = "T", value_parser = window::duration, requires = "goroutine")]
    to: Option<Duration>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn goroutine_number(s: &str) -> std::result::Result<u64, String> {
    s.strip_prefix(['G', 'g']).unwrap_or(s).parse().map_err(|_| "write a goroutine's number: 27".to_owned())
}

pub fn run(args: &WhyArgs, out: &mut dyn Write) -> Result<Exit> {
    let mut found = false;
    let exit = open::each_trace(&args.files, &args.open, (Between::names(args.format), out), |trace, out| {
        let Some((title, window)) = wanted(args, trace)? else {
            return Ok(());
        };
        found = true;
        let path = path::path(trace, window).map_err(Failure::of(trace))?;
        match args.format {
            Format::Text => report::why::write(&title, &path, &trace.index(), super::page(), out)?,
            Format::Json => report::json::write(&report::schema::why::Why::new(&title, &path, &trace.index()), out)?,
        }
        Ok(())
    })?;
    Ok(if exit == Exit::Done && !found { Exit::NothingFound } else { exit })
}

/// What is asked about, and its window; says why, if there is none.
fn wanted(args: &WhyArgs, trace: &Trace) -> Result<Option<(String, Window)>> {
    if let Some(id) = args.goroutine {
        return goroutine(args, trace, id);
    }
    let wanted = match (&args.task, &args.region) {
        (Some(t), _) => match t.strip_prefix('#').map(str::parse) {
            Some(Ok(id)) => Wanted::TaskNumber(id),
            Some(Err(_)) => return Err(Usage::TaskNumber(t.clone()).into()),
            // As headings have it: the name and the number.
            None => match t.rsplit_once(" #").map(|(_, id)| id.parse()) {
                Some(Ok(id)) => Wanted::TaskNumber(id),
                _ => Wanted::Task(t.clone()),
            },
        },
        (None, Some(r)) => Wanted::Region(r.clone()),
        (None, None) => return Ok(None),
    };
    let found = annotations::find(trace, &wanted, args.nth.max(1)).map_err(Failure::of(trace))?;
    let index = trace.index();
    let Some(span) = found.get(args.nth.max(1) - 1) else {
        let what = match &wanted {
            Wanted::TaskNumber(id) => format!("task #{id}"),
            Wanted::Task(n) => format!("task {n}"),
            Wanted::Region(n) => format!("region {n}"),
        };
        let which = if found.is_empty() { "no".to_owned() } else { format!("only {}", found.len()) };
        // Names of that kind that are in the trace.
        let (name, names) = match &wanted {
            Wanted::Task(n) => (n.as_str(), index.totals.tasks.keys().copied().collect::<Vec<_>>()),
            Wanted::Region(n) => (n.as_str(), index.totals.regions.keys().copied().collect()),
            Wanted::TaskNumber(_) => ("", Vec::new()),
        };
        let meant = spell::hint_nearest(name, names.iter().map(|s| index.dict.str(*s)).filter(|s| *s != name));
        super::note(&format!("{which} {} begins in the trace{meant}", text::escape(&what)));
        return Ok(None);
    };
    let name = index.dict.str(span.name);
    let open = if span.window.end.is_none() { ", unfinished" } else { "" };
    let title = match wanted {
        Wanted::Region(_) => format!("region {name}{open}"),
        _ => format!("task {name} #{}{open}", span.task),
    };
    Ok(Some((title, span.window)))
}

fn goroutine(args: &WhyArgs, trace: &Trace, id: u64) -> Result<Option<(String, Window)>> {
    let index = trace.index();
    let Some(at) = index.goroutines.iter().position(|g| g.id.0 == id) else {
        super::note(&format!("there is no goroutine {id} in the trace"));
        return Ok(None);
    };
    let g = &index.goroutines[at];
    let (from, to) = window::window(index.start, args.from, args.to)?;
    let from = if from == Time::MIN { g.from } else { from.max(index.start) };
    let to = to.min(g.ended.unwrap_or(index.end));
    if from >= to {
        super::note(&format!("goroutine {id} was not there in that time"));
        return Ok(None);
    }
    let go = crate::base::GoIdx(at as u32);
    Ok(Some((format!("goroutine {id}"), Window { go, from, to, end: None })))
}
