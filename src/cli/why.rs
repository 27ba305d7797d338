//! `gotrail why`.

use super::by;
use super::open::{self, Between};
use super::position::{self, Position};
use super::spans::{self, BoxArgs};
use super::{Exit, Failure, Format, Result, Usage, window};
use crate::analysis::annotations::{self, Wanted};
use crate::analysis::spans::served_here::served_here;
use crate::analysis::spans::sums::{self, Box};
use crate::analysis::spans::{Found, Span, slow};
use crate::analysis::waits::path;
use crate::analysis::waits::path::Window;
use crate::base::{Duration, Time, spell, text};
use crate::model::index::Goroutine;
use crate::read::Trace;
use crate::report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").args(["goroutine", "task", "region", "slow"]))]
pub struct WhyArgs {
    /// Traces, one after the other; `-` is standard input. With a position, such as trace.out@812ms:g8, the request, call,
    /// task or region that is under way there
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
    /// Not one, but all spans: what makes slow ones slow, against the others. Slow are those that took as long as --dur says,
    /// or else longer than 95 % did
    #[arg(long)]
    slow: bool,
    /// With --slow, the slow ones of each value of a label (pprof.Do) against the others of it; --with says which profile or
    /// dump tells of labels
    #[arg(long, value_name = "label:KEY", value_parser = by::key, requires = "slow")]
    by: Option<String>,
    #[command(flatten)]
    which: BoxArgs,
    /// Of several tasks, regions or spans the one that is K-th in length
    #[arg(long, value_name = "K", default_value_t = 1)]
    nth: usize,
    /// With --slow, how many parts of the paths to print (text)
    #[arg(long, value_name = "N", default_value_t = 15, requires = "slow")]
    limit: usize,
    /// Begin here, counted from the trace's start: 812.031ms (of a goroutine, or of spans)
    #[arg(long, value_name = "T", value_parser = window::duration)]
    from: Option<Duration>,
    /// End here
    #[arg(long, value_name = "T", value_parser = window::duration)]
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
    let asked = args.goroutine.is_some() || args.task.is_some() || args.region.is_some();
    let of_spans = args.slow || args.which.span.is_some() || args.which.dur.is_some();
    if (args.from.is_some() || args.to.is_some()) && !of_spans && args.goroutine.is_none() {
        return Err(Usage::WindowOfNothing.into());
    }
    let mut positions = Vec::new();
    for f in &args.files {
        let (_, at) = position::split(f).map_err(Usage::from)?;
        if at.is_none() && !asked && !of_spans {
            return Err(Usage::NothingAsked.into());
        }
        positions.extend(at);
    }
    if !asked && !of_spans && (positions.len() > 1 || args.files.iter().any(|f| f.is_dir())) {
        return Err(Usage::OnePosition.into());
    }
    let exit = open::each_trace(&args.files, &args.open, (Between::names(args.format), out), |trace, out| {
        if args.slow {
            found |= slow(args, trace, out)?;
            return Ok(());
        }
        let wanted = match positions.first() {
            Some(at) if !asked && !of_spans => there(trace, *at)?,
            _ if of_spans && !asked => kth(args, trace)?,
            _ => wanted(args, trace)?,
        };
        let Some((title, window)) = wanted else { return Ok(()) };
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

/// Prints what makes slow spans slow; whether there are any.
fn slow(args: &WhyArgs, trace: &Trace, out: &mut dyn Write) -> Result<bool> {
    let picked = spans::picked(&args.which, trace)?;
    let window = window::window(trace.index().start, args.from, args.to)?;
    let label = by::label(trace, args.by.as_deref());
    let slow = spans::slow(&picked, &args.which, trace, window, label.as_ref())?;
    if slow.is_empty() {
        return Ok(false);
    }
    let index = trace.index();
    match args.format {
        Format::Text => spans::write_slow(&slow, (&picked, &index), args.limit, out)?,
        Format::Json => {
            let all = spans::summed(&picked, window, &|s| picked.has(s), label.as_ref());
            report::json::write(&spans::json(&slow, (&all, &[]), &picked, (trace.name(), &index)), out)?;
        }
    }
    Ok(true)
}

/// What a span is called, and its window.
fn of_span(found: &Found, trace: &Trace, s: &Span) -> (String, path::Window) {
    let index = trace.index();
    let open = if s.complete() { "" } else { ", unfinished" };
    // The path of what is sent ends at the network, behind which the one that served it goes on.
    let pair = found.spans.iter().position(|o| o == s).and_then(|i| served_here(found).get(&i).copied());
    let served = pair.and_then(|i| found.spans.get(i)).map_or(String::new(), |v| {
        let (name, at) =
            (report::spans::plain_name(found, &index, v), report::spans::position(trace.name(), &index, v));
        format!("; likely served here in {}, by {name}: gotrail why {at}", v.len())
    });
    let title = format!("{} {}{open}{served}", found.kind(s.kind), report::spans::plain_name(found, &index, s));
    (title, slow::window(s))
}

/// The span that is under way on a goroutine at an instant: of several the innermost.
fn there(trace: &Trace, (at, go): Position) -> Result<Option<(String, Window)>> {
    let picked = spans::picked(&BoxArgs::default(), trace)?;
    let (at, id) = {
        let index = trace.index();
        (index.start + at, go.and_then(|id| index.find_goroutine(id, index.start + at)))
    };
    let here = |s: &&Span| s.from <= at && at <= s.to && (go.is_none() || Some(s.go) == id || Some(s.ended_by) == id);
    let Some(s) = picked.found.spans.iter().filter(here).min_by_key(|s| (s.len(), s.from)) else {
        super::note(
            "no request, call, task or region is under way there: with -g, a goroutine's own time is explained",
        );
        return Ok(None);
    };
    Ok(Some(of_span(&picked.found, trace, s)))
}

/// The K-th in length of the spans that are meant.
fn kth(args: &WhyArgs, trace: &Trace) -> Result<Option<(String, Window)>> {
    let picked = spans::picked(&args.which, trace)?;
    let (from, to) = window::window(trace.index().start, args.from, args.to)?;
    let (least, most) = args.which.dur.unwrap_or((Duration::ZERO, Duration(i64::MAX)));
    let of = |s: &Span| picked.has(s);
    let wanted = Box { of: &of, least, most, from, to };
    let all = sums::slowest(&picked.found.spans, |s| wanted.has(s), args.nth.max(1));
    let Some(s) = all.get(args.nth.max(1) - 1) else {
        super::note(&format!(
            "{} such spans are in the trace",
            if all.is_empty() { "no".into() } else { format!("only {}", all.len()) }
        ));
        return Ok(None);
    };
    Ok(Some(of_span(&picked.found, trace, s)))
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
    let (from, to) = window::window(index.start, args.from, args.to)?;
    // Each process numbers its goroutines anew.
    let mut all = index.goroutines.iter().enumerate().filter(|(_, g)| g.id.0 == id).peekable();
    if all.peek().is_none() {
        super::note(&format!("there is no goroutine {id} in the trace"));
        return Ok(None);
    }
    let there = |(at, g): (usize, &Goroutine)| {
        let from = if from == Time::MIN { g.from } else { from.max(index.start) };
        let to = to.min(g.ended.unwrap_or(index.end));
        (from < to && g.from < to).then_some((at, from, to))
    };
    let Some((at, from, to)) = all.find_map(there) else {
        super::note(&format!("goroutine {id} was not there in that time"));
        return Ok(None);
    };
    let go = crate::base::GoIdx(at as u32);
    Ok(Some((format!("goroutine {id}"), Window { go, from, to, end: None })))
}
