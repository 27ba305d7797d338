//! `gotrail report`.

use super::files::Files;
use super::{Exit, Failure, Result, note, open};
use crate::analysis::cost::flame::{self, Layout, Tree, Weight, tree};
use crate::analysis::diff::{self, Diff};
use crate::analysis::findings::{Facts, Gathered, Thresholds, Watching, find};
use crate::analysis::profile::{Ask, Profiled};
use crate::analysis::spans::rules::Rules;
use crate::analysis::spans::sums::{ALL, slowest, sums};
use crate::analysis::waits::contention::table::Table as Locks;
use crate::analysis::waits::links::{Options, table::Table as Waits};
use crate::base::text::escape;
use crate::input::{self, Kind};
use crate::read::Trace;
use crate::report::findings::About;
use crate::report::html::{Contents, Page};
use crate::report::summary::Wrong;
use crate::report::table::Page as Paper;
use crate::report::{contention, links, spans, summary};
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[derive(Args)]
pub struct ReportArgs {
    /// A trace, or two: from before and from after; and profiles of the same run
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// Where to write the page; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

/// How wide the tables are, and how high the summary: what a page has room for.
const PAPER: Paper = Paper { width: 130, height: 50 };
/// Rows of the tables of waits, locks and spans.
const ROWS: usize = 20;

/// What the page calls its parts of a trace.
const OF_TRACE: [&str; 7] = ["findings", "summary", "requests, calls, tasks", "waits", "locks", "on CPU", "off CPU"];
const OF_DIFF: &str = "before and after";
const OF_PROFILE: &str = "flame graph";

/// What is reported on.
#[derive(Default)]
struct Case {
    traces: Vec<(Arc<Trace>, Gathered)>,
    profiles: Vec<Profiled>,
    tally: open::Tally,
}

impl Case {
    fn read(args: &ReportArgs) -> Result<Case> {
        let options = args.open.options(open::memory_setting()?);
        let join = args.open.with()?;
        let mut case = Case { tally: open::Tally::new(args.files.len()), ..Case::default() };
        for path in &args.files {
            let mut said = Vec::new();
            let files = input::expand(path, options.limits(), &mut said);
            said.iter().for_each(|s| note(s));
            for file in files {
                let input = match input::open_within(&file, options.limits()) {
                    Ok(input) => input,
                    Err(e) => {
                        let why = Failure::from(e);
                        note(&why.to_string());
                        case.tally.failed(&why);
                        continue;
                    }
                };
                case.tally.read();
                match input.kind {
                    Kind::Trace { .. } => {
                        let trace = open::from_input(input, &options)?;
                        let watched = Watching::default();
                        open::load(&trace, Some(&watched));
                        join(&trace)?;
                        open::intact(&trace)?;
                        for loss in &trace.index().losses {
                            note(&format!("{}: {}", escape(trace.name()), escape(loss)));
                        }
                        let more = Gathered::new(&*trace, Some(trace.name()), &watched);
                        let more = more.map_err(Failure::of(&trace))?;
                        case.traces.push((trace, more));
                    }
                    Kind::Log { .. } => {
                        note(&format!("{}: left out, a report shows traces and profiles", escape(&input.name)));
                    }
                    _ => {
                        let (name, profile) = open::profile_in(input)?;
                        let made = Profiled::new(&name, profile);
                        let made = made.map_err(|e| Failure::Unusable { name, message: e.to_string() })?;
                        case.profiles.push(made);
                    }
                }
            }
        }
        Ok(case)
    }

    /// The first trace against the second, if there are two.
    fn diff(&self) -> Result<Option<Diff>> {
        let [(a, _), (b, _)] = self.traces.as_slice() else { return Ok(None) };
        let [a, b] = [a, b].map(|t| diff::Facts::of(&**t).map_err(Failure::of(t)));
        diff::diff(&[a?], &[b?], &diff::Options::default()).map(Some).map_err(Failure::Analysis)
    }

    fn names(&self) -> Vec<&str> {
        self.traces.iter().map(|t| t.0.name()).chain(self.profiles.iter().map(|p| p.name.as_str())).collect()
    }
}

pub fn run(args: &ReportArgs, out: &mut dyn Write) -> Result<Exit> {
    let case = Case::read(args)?;
    if case.traces.is_empty() && case.profiles.is_empty() {
        return Err(Failure::NothingToShow);
    }
    if case.traces.len() > 2 {
        note("three traces or more are not held against each other: gotrail diff A... -- B...");
    }
    if args.output.as_os_str() == "-" {
        write(&case, out)?;
    } else {
        let wrong = |cause| Failure::Output { path: args.output.clone(), cause };
        let mut files = Files::beside(&args.files);
        let mut file = files.create(&args.output).map_err(wrong)?;
        write(&case, &mut file).map_err(|e| match e {
            Failure::Write(cause) => wrong(cause),
            other => other,
        })?;
        file.flush().map_err(wrong)?;
        drop(file);
        files.finish().map_err(wrong)?;
    }
    Ok(case.tally.exit())
}

fn write(case: &Case, out: &mut dyn Write) -> Result<()> {
    let diff = case.diff()?;
    let mut chapters: Vec<(String, Vec<&'static str>)> = Vec::new();
    if diff.is_some() {
        chapters.push((case.names()[..2].join(" against "), vec![OF_DIFF]));
    }
    chapters.extend(case.traces.iter().map(|t| (t.0.name().to_owned(), OF_TRACE.to_vec())));
    chapters.extend(case.profiles.iter().map(|p| (p.name.clone(), vec![OF_PROFILE])));
    let title = format!("gotrail: {}", case.names().join(", "));
    let mut page = Page::begin(&Contents { title: &title, chapters: &chapters }, out)?;
    let mut titles = chapters.iter().map(|c| c.0.as_str());
    if let Some(d) = &diff {
        page.chapter(titles.next().unwrap_or_default())?;
        page.diff(OF_DIFF, d)?;
    }
    for (trace, more) in &case.traces {
        page.chapter(titles.next().unwrap_or_default())?;
        of_trace(trace, more, &mut page)?;
    }
    for p in &case.profiles {
        page.chapter(titles.next().unwrap_or_default())?;
        // What a profile was taken for stands last.
        let kind = p.profile.sample_index("").unwrap_or(p.kinds().len().saturating_sub(1));
        let hot = p.sum_up(&Ask { kind, ..Ask::default() }, &AtomicBool::new(false));
        let hot = hot.map_err(|e| Failure::Analysis(e.to_string()))?;
        let unit = p.kinds().nth(kind).map_or("", |k| k.1);
        page.flame(OF_PROFILE, (&hot.tree, &p.index), unit)?;
    }
    page.end()?;
    Ok(())
}

fn of_trace(trace: &Trace, more: &Gathered, page: &mut Page) -> Result<()> {
    let name = trace.name();
    let found = crate::analysis::spans::find(trace, Rules::shipped()).map_err(Failure::of(trace))?;
    let off = flame::stacks(trace, Weight::OffCpu, None, Options::default()).map_err(Failure::of(trace))?;
    let index = trace.index();
    let all = find(&Facts { index: &index, more }, &Thresholds::default());
    let about = || About { name, index: &index, places: &more.links.places };
    let waits = Waits::new(&more.links, &index, name);
    let [of_findings, of_summary, of_spans, of_waits, of_locks, of_cpu, of_rest] = OF_TRACE;
    page.findings(of_findings, &about(), &all)?;
    let print = |f: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| -> io::Result<String> {
        let mut text = Vec::new();
        f(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = print(&|out| summary::write(name, &index, (&waits, &Wrong::Found(about(), &all)), PAPER, out))?;
    page.printed(of_summary, "gotrail summary", &text)?;
    let (handlers, slow) = (sums(&found, ALL, |_| true), slowest(&found.spans, |_| true, ROWS));
    let text = print(&|out| spans::write(&found, (&handlers, &slow), (name, &index), ROWS, PAPER, out))?;
    page.printed(of_spans, "gotrail spans", &text)?;
    let text = print(&|out| links::write(&waits, false, ROWS, PAPER, out))?;
    page.printed(of_waits, "gotrail waits", &text)?;
    let text = print(&|out| contention::write(&Locks::new(&more.contention, &index, name), ROWS, out))?;
    page.printed(of_locks, "gotrail locks", &text)?;
    let graph = |stacks: &[flame::Weighed]| -> Tree { tree(&index.dict, stacks, Layout::default(), &|_| false) };
    page.flame(of_cpu, (&graph(&flame::samples(&index)), &index), "samples")?;
    page.flame(of_rest, (&graph(&off), &index), "nanoseconds")?;
    Ok(())
}
