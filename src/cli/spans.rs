//! `gotrail spans`, and what `gotrail why --slow` shares with it.

use super::by;
use super::open::{self, Between};
use super::{Exit, Failure, Result, Usage, note, window};
use crate::analysis::labelled::{Label, ValueNo, Valued};
use crate::analysis::spans::pick::{self, Picked};
use crate::analysis::spans::rules::Rules;
use crate::analysis::spans::slow::{self, Compared};
use crate::analysis::spans::sums::{self, Box, Sum};
use crate::analysis::spans::{KindNo, Span};
use crate::base::number::quantile;
use crate::base::text::escape;
use crate::base::{Duration, Time};
use crate::config::Settings;
use crate::model::Index;
use crate::query::Pattern;
use crate::read::Trace;
use crate::report;
use crate::report::schema::spans::Spans;
use clap::{Args, ValueEnum};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct SpansArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    #[command(flatten)]
    which: BoxArgs,
    #[command(flatten)]
    window: window::WindowArgs,
    /// What makes slow ones slow: the critical paths of those that took as long as --dur says, or else longer than 95 % did,
    /// against the others
    #[arg(long)]
    slow: bool,
    /// By the value of a label (pprof.Do) in place of the handler, and with --slow the slow ones of each value against the
    /// others of it; --with says which profile or dump tells of labels
    #[arg(long, value_name = "label:KEY", value_parser = by::key)]
    by: Option<String>,
    /// How many handlers, slow spans and parts of their paths to print
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: SpanFormat,
}

/// Which spans are meant.
#[derive(Args, Default)]
pub struct BoxArgs {
    /// Only spans whose handler, function, name or kind contains this: `main.handlePay`, `http.server`. Calls of a function
    /// that no rule names are looked for, too
    #[arg(long, value_name = "TEXT")]
    pub span: Option<String>,
    /// Only spans that took so long: 10ms.. (at least), ..1ms (at most), 10ms..50ms
    #[arg(long, value_name = "RANGE", value_parser = range)]
    pub dur: Option<Range>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SpanFormat {
    /// For people
    Text,
    /// One JSON object a file
    Json,
    /// A line a span
    Csv,
}

/// The shortest and the longest that is meant.
pub type Range = (Duration, Duration);

fn range(s: &str) -> std::result::Result<Range, window::Marked> {
    let (from, to) = s.split_once("..").unwrap_or((s, ""));
    let side = |s: &str, default| if s.is_empty() { Ok(default) } else { window::duration(s) };
    Ok((side(from, Duration::ZERO)?, side(to, Duration(i64::MAX))?))
}

/// What part of spans is not slow, where nobody says from which length on they are.
const SLOW: f64 = 0.95;

/// The functions whose calls the user's settings make spans.
fn of_settings() -> Result<Rules> {
    let settings = Settings::load(|v| std::env::var_os(v)).map_err(Usage::Settings)?;
    Ok(Rules::default().with_calls(&settings.spans.calls))
}

/// The spans of a trace, and which of them are meant.
pub fn picked(which: &BoxArgs, trace: &Trace) -> Result<Picked> {
    let rules = of_settings()?;
    let text = which.span.clone().unwrap_or_default();
    let pattern = Pattern { text, regex: false };
    let wrong = |e: crate::query::PatternError| Failure::Analysis(e.to_string());
    let (holds, is_func) = (pattern.holder().map_err(wrong)?, pattern.func().map_err(wrong)?);
    // Without a text all are meant, and no function beside the rules'.
    let is_func = |n: &str| which.span.is_some() && is_func(n);
    pick::pick(trace, &rules, &holds, &is_func).map_err(Failure::of(trace))
}

/// What makes slow ones of a kind slow.
pub struct Slow {
    /// What is compared, in words. Safe to show.
    title: String,
    /// The value of the label, if they are told apart by one.
    value: Option<Valued>,
    kind: KindNo,
    /// The slow ones against the others.
    compared: Compared,
}

/// Most values of a label of which slow spans are compared.
const MOST_VALUES: usize = 20;

/// What makes slow ones slow, by kind: that of which the slow ones lost most comes first. With a label, within each value of it,
/// those with most time in spans first. Nothing, which is said, if there are none, or no others.
pub fn slow(
    picked: &Picked,
    which: &BoxArgs,
    trace: &Trace,
    window: (Time, Time),
    label: Option<&Label>,
) -> Result<Vec<Slow>> {
    let nothing = "there are no slow spans with others to hold them against";
    let Some(label) = label else {
        let all = compared(picked, which, trace, window, &|_| true)?;
        if all.is_empty() {
            note(nothing);
        }
        return Ok(all);
    };
    let value = |s: &Span| label.of(s.go, (s.from, s.to));
    let mut sums: FxHashMap<ValueNo, Duration> = FxHashMap::default();
    let (from, to) = window;
    let inside = |s: &&Span| s.from < to && s.to > from;
    picked.spans().filter(inside).for_each(|s| *sums.entry(value(s)).or_default() += s.len());
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|s| (Reverse(s.1), s.0));
    let mut all = Vec::new();
    for &(of, _) in sums.iter().take(MOST_VALUES) {
        let valued = label.valued(of);
        let name = report::labelled::name(&valued);
        let found = compared(picked, which, trace, window, &|s| value(s) == of)?;
        if found.is_empty() {
            note(&format!("{name}: {nothing}"));
        }
        for s in found {
            let title = format!("{} {name} · {}", report::labelled::title(&valued), s.title);
            all.push(Slow { title, value: Some(valued.clone()), ..s });
        }
    }
    if sums.len() > MOST_VALUES {
        note(&format!("{} more values of the label are not compared", sums.len() - MOST_VALUES));
    }
    Ok(all)
}

/// What makes slow ones slow, by kind, of those for which `only` holds.
fn compared(
    picked: &Picked,
    which: &BoxArgs,
    trace: &Trace,
    (from, to): (Time, Time),
    only: &dyn Fn(&Span) -> bool,
) -> Result<Vec<Slow>> {
    let of = |s: &Span| picked.has(s) && only(s);
    let (least, most) = which.dur.unwrap_or((Duration::ZERO, Duration(i64::MAX)));
    let wanted = Box { of: &of, least, most, from, to };
    let slowest = |lens: &[Duration]| which.dur.map_or(quantile(lens, SLOW) + Duration(1), |range| range.0);
    let range = |least| match (least, most) {
        (least, Duration(i64::MAX)) if which.dur.is_none() => format!("longer than 95 %, {least} or more"),
        (least, Duration(i64::MAX)) => format!("{least} or more"),
        (Duration::ZERO, most) => format!("{most} or less"),
        (least, most) => format!("{least} to {most}"),
    };
    let found = &picked.found;
    let of_text = which.span.as_deref().map_or(String::new(), |t| format!(" of {}", escape(t)));
    let all = slow::by_kind(trace, &found.spans, &wanted, &slowest).map_err(Failure::of(trace))?;
    let one = |(kind, least, compared)| {
        let title = format!("{} spans{of_text}: slow is {}", escape(found.kind(kind)), range(least));
        Slow { title, value: None, kind, compared }
    };
    Ok(all.into_iter().map(one).collect())
}

/// Writes the first `limit` parts of each comparison.
pub fn write_slow(
    all: &[Slow],
    (picked, index): (&Picked, &Index),
    limit: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for (i, s) in all.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        report::spans::write_slow(&s.compared, &s.title, index, limit, super::page(), out)?;
        report::spans::write_served(&picked.found, index, s.kind, out)?;
    }
    if all.iter().filter_map(|s| s.value.as_ref()).any(|v| v.inferred) {
        writeln!(out, "{}", report::labelled::INFERRED)?;
    }
    Ok(())
}

/// Spans as JSON, with comparisons of slow ones.
pub fn json(slow: &[Slow], sums: (&[Sum], &[Span]), picked: &Picked, (name, index): (&str, &Index)) -> Spans {
    let of_all = slow.iter().filter(|s| s.value.is_none()).map(|s| (s.kind, &s.compared));
    let by_label = slow.iter().filter_map(|s| Some((s.value.as_ref()?, s.kind, &s.compared)));
    Spans::new(&picked.found, sums, of_all, (name, index)).with_slow_of(by_label, (&picked.found, index))
}

/// Sums of the spans for which `wanted` holds: by handler, or by a label.
pub fn summed(picked: &Picked, range: (Time, Time), wanted: &dyn Fn(&Span) -> bool, label: Option<&Label>) -> Vec<Sum> {
    match label {
        Some(label) => sums::sums_by_label(&picked.found, range, wanted, label),
        None => sums::sums(&picked.found, range, wanted),
    }
}

pub fn run(args: &SpansArgs, out: &mut dyn Write) -> Result<Exit> {
    // A mistake in the window is one for every trace.
    args.window.of(Time(0))?;
    let between = if args.format == SpanFormat::Text { Between::Names } else { Between::Nothing };
    let mut found = false;
    if args.format == SpanFormat::Csv {
        let label = args.by.as_ref().map_or_else(String::new, |key| format!(",{}", report::spans::csv_title(key)));
        writeln!(out, "{}{label}", report::spans::CSV_HEADER)?;
    }
    let exit = open::each_trace(&args.files, &args.open, (between, out), |trace, out| {
        let (from, to) = args.window.of(trace.index().start)?;
        let picked = picked(&args.which, trace)?;
        let (least, most) = args.which.dur.unwrap_or((Duration::ZERO, Duration(i64::MAX)));
        let has = |s: &Span| picked.has(s);
        let wanted = Box { of: &has, least, most, from, to };
        let label = by::label(trace, args.by.as_deref());
        let slow = match args.slow {
            true => slow(&picked, &args.which, trace, (from, to), label.as_ref())?,
            false => Vec::new(),
        };
        let index = trace.index();
        let of = (trace.name(), &*index);
        let all = summed(&picked, (from, to), &|s| wanted.has(s), label.as_ref());
        let slowest = sums::slowest(&picked.found.spans, |s| wanted.has(s), args.limit);
        found |= !all.is_empty();
        match args.format {
            SpanFormat::Csv => {
                let spans = picked.found.spans.iter().filter(|s| wanted.has(s));
                report::spans::write_csv(&picked.found, spans, of, label.as_ref(), out)?;
            }
            SpanFormat::Json => report::json::write(&json(&slow, (&all, &slowest), &picked, of), out)?,
            SpanFormat::Text if !slow.is_empty() => write_slow(&slow, (&picked, &index), args.limit, out)?,
            SpanFormat::Text => {
                report::spans::write(&picked.found, (&all, &slowest), of, args.limit, super::page(), out)?;
            }
        }
        Ok(())
    })?;
    let asked = args.which.span.is_some() || args.which.dur.is_some();
    Ok(if exit == Exit::Done && asked && !found { Exit::NothingFound } else { exit })
}
