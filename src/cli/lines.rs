//! `gotrail lines`.

use super::open::{self, Between};
use super::{Exit, Failure, Format, Result, Usage, matching, note, window};
use crate::analysis::cost::join;
use crate::analysis::cost::join::Lines;
use crate::analysis::waits::links::Options;
use crate::input::{self, Kind};
use crate::profile::model::Profile;
use crate::report;
use crate::source::{Finder, Places, Text};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct LinesArgs {
    /// A trace, or a directory of traces; `-` is standard input. Of a directory with one trace its profiles are taken, too,
    /// unless others are named
    #[arg(value_name = "TRACE")]
    file: PathBuf,
    /// Profiles of the same run: of the CPU, the heap, mutexes, blocking
    #[arg(value_name = "PROFILE")]
    profiles: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// Print the source of this file with what its lines cost: order_cache.go, payment/order_cache.go
    #[arg(long = "file", id = "source_file", value_name = "NAME", conflicts_with = "format")]
    file_name: Option<String>,
    /// Where sources are: a directory, or from=to (may be repeated)
    #[arg(long, value_name = "DIR")]
    source: Vec<String>,
    /// Of sources open only those below --source, below these directories, and Go's own
    #[arg(long, hide = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    confined: Option<Vec<PathBuf>>,
    /// Only what began with an event that answers this query: `group:main.handle`, `reason:sync dur>1ms`, …
    #[arg(long, short, value_name = "QUERY")]
    filter: Option<String>,
    #[command(flatten)]
    window: window::WindowArgs,
    /// How many lines to print (text)
    #[arg(long, value_name = "N", default_value_t = 30)]
    limit: usize,
    /// Also what no user code called: runtime goroutines (text)
    #[arg(long)]
    all: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &LinesArgs, out: &mut dyn Write) -> Result<Exit> {
    let query = matching::parse(args.filter.as_deref())?;
    let of_folder = folder(&args.file).filter(|_| args.profiles.is_empty());
    let (file, paths) = of_folder.unwrap_or_else(|| (args.file.clone(), args.profiles.clone()));
    let profiles = paths.iter().map(|p| read(p)).collect::<Result<Vec<_>>>()?;
    let profiles: Vec<_> = profiles.iter().map(|(name, p)| (name.as_str(), p)).collect();
    let mut found = false;
    let between = Between::names(args.format);
    let file = std::slice::from_ref(&file);
    let exit = open::each_trace(file, &args.open, (between, out), |trace, out| {
        let compiled = matching::compile(trace, query.as_ref())?;
        let (from, to) = args.window.of(trace.index().start)?;
        let opts = Options { from, to, filter: compiled.as_ref() };
        let lines = join::lines(trace, &profiles, opts).map_err(Failure::of(trace))?;
        let index = trace.index();
        let mut here = !lines.lines.is_empty();
        match (&args.file_name, args.format) {
            (Some(name), _) => here &= annotate(&lines, name, places(args), out)?,
            (None, Format::Json) => report::json::write(&report::schema::lines::Lines::new(&lines, &index), out)?,
            (None, Format::Text) => report::lines::write(&lines, &index, args.all, args.limit, super::page(), out)?,
        }
        found |= here;
        Ok(())
    })?;
    let asked = query.is_some() || args.file_name.is_some();
    Ok(if exit == Exit::Done && asked && !found { Exit::NothingFound } else { exit })
}

/// The trace and the profiles of a directory that has one trace, such as `record` makes; `None` of any other.
fn folder(path: &Path) -> Option<(PathBuf, Vec<PathBuf>)> {
    if !path.is_dir() {
        return None;
    }
    let limits = input::Limits::of_this_machine();
    let (mut traces, mut profiles) = (Vec::new(), Vec::new());
    for file in input::expand(path, limits, &mut Vec::new()) {
        match input::open_within(&file, limits).ok()?.kind {
            Kind::Trace { .. } => traces.push(file),
            Kind::Profile | Kind::LegacyProfile => profiles.push(file),
            _ => {}
        }
    }
    (traces.len() == 1).then(|| (traces.remove(0), profiles))
}

/// A profile and what it is called.
fn read(path: &Path) -> Result<(String, Profile)> {
    let (name, mut profile) = open::profile(path).map_err(|e| match e {
        Failure::NotAProfile(name) => Usage::SecondTrace(name).into(),
        e => e,
    })?;
    profile.simplify_names();
    let short = if path == Path::new("-") { name } else { input::called(path) };
    Ok((short, profile))
}

/// Where sources are.
fn places(args: &LinesArgs) -> Places {
    let here = std::env::current_dir().ok();
    let mut known = Places::of_this_machine(here.as_deref(), |v| std::env::var_os(v));
    args.source.iter().for_each(|p| known.add(p));
    if let Some(folders) = &args.confined {
        known.sources.extend_from_slice(folders);
        known.confine();
    }
    known
}

/// Prints the files that end with `name`; whether there is one.
fn annotate(lines: &Lines, name: &str, places: Places, out: &mut dyn Write) -> Result<bool> {
    let fits = |file: &str| file.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    let mut files: Vec<(&str, &str)> =
        lines.lines.iter().filter(|l| fits(&l.file)).map(|l| (l.file.as_str(), l.func.as_str())).collect();
    files.sort_unstable();
    files.dedup_by_key(|f| f.0);
    if files.is_empty() {
        note(&format!("{name}: no line of such a file cost anything"));
        return Ok(false);
    }
    let finder = Finder::new(places);
    for (file, func) in files {
        let source = match finder.find(file, func) {
            Ok(found) => found.read().map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        // Without the source there are still the numbers.
        let source = source.unwrap_or_else(|e| {
            note(&format!("no source for {e}"));
            Text::default()
        });
        let line = |n: usize| (n <= source.len()).then(|| source.shown(n).text);
        report::lines::write_source(lines, file, &line, out)?;
    }
    Ok(true)
}
