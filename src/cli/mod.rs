//! The command line: definitions, and one file a subcommand.

pub mod argv;
mod by;
mod cache;
mod demo;
mod diff;
mod events;
mod export;
mod failure;
mod files;
mod findings;
mod gc;
mod grep;
mod kernel;
mod leaks;
mod lines;
mod locks;
mod man;
mod maps;
mod matching;
mod mcp;
mod observe;
mod offcpu;
mod open;
mod position;
pub mod profile;
mod programs;
mod proto;
#[cfg(feature = "sql")]
mod query;
mod races;
mod record;
mod report;
mod sched;
mod schema;
mod sink;
mod spans;
mod summary;
mod unknown;
mod viewer;
mod waits;
mod why;
mod window;

use crate::base::text::escape;
use crate::report::table::Page;
use clap::{Arg, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use failure::{Failure, Result, Usage};
use profile::{Kind, ProfileArgs};
use sink::Sink;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// See inside Go execution traces, in the terminal
///
/// gotrail opens execution traces of Go programs (Go 1.7 and later) and finds who was blocked by whom, what ran, and
/// the line of source where it happened. Files may be packed with gzip or zstd; `-` is standard input. Without a FILE it
/// opens a built-in demo.
#[derive(Parser)]
#[command(name = "gotrail", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    view: viewer::ViewArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Print what is in a trace, on one screen
    Summary(summary::SummaryArgs),
    /// Print what is wrong, worst first: cost, line, evidence, what to do and how to check
    Findings(findings::FindingsArgs),
    /// Print events in order, all or those that answer a query
    Events(events::EventsArgs),
    /// Find events in any number of traces at once, as grep does in texts
    Grep(grep::GrepArgs),
    /// Ask traces in SQL: their events, transitions, stacks and more are tables
    #[cfg(feature = "sql")]
    Query(query::QueryArgs),
    /// Write a trace for other tools: Perfetto, Chrome, flame graphs, tables as Parquet, CSV and JSON, a piece of the trace
    Export(export::ExportArgs),
    /// Play keys into the viewer without a terminal and print the screen
    Snapshot(viewer::SnapshotArgs),
    /// Print the functions or places of a profile that take most, as `go tool pprof -top` does
    Top(ProfileArgs),
    /// Print a profile's functions with their callers and callees, as `go tool pprof -tree` does
    Tree(ProfileArgs),
    /// Print the callers and callees of the functions that match, as `go tool pprof -peek` does
    #[command(override_usage = "gotrail peek [OPTIONS] [REGEX] <PROFILE>...", mut_arg("files", after_regex))]
    Peek(ProfileArgs),
    /// Print the source of the functions that match, with what each line takes, as `go tool pprof -list` does
    #[command(override_usage = "gotrail list [OPTIONS] [REGEX] <PROFILE>...", mut_arg("files", after_regex))]
    List(ProfileArgs),
    /// Print the instructions of the functions that match, with what each takes, as `go tool pprof -disasm` does
    #[command(override_usage = "gotrail disasm [OPTIONS] [REGEX] <PROFILE>...", mut_arg("files", after_regex))]
    Disasm(ProfileArgs),
    /// Print every sample of a profile with its stack, as `go tool pprof -traces` does
    Traces(ProfileArgs),
    /// Print a profile's labels and what each value takes, as `go tool pprof -tags` does
    Tags(ProfileArgs),
    /// Print all that is in a profile, as `go tool pprof -raw` does
    Raw(ProfileArgs),
    /// Print a profile's comments, as `go tool pprof -comments` does
    Comments(ProfileArgs),
    /// Write a profile, merged, compared and filtered, to a file that pprof opens, as `go tool pprof -proto` does
    Proto(proto::ProtoArgs),
    /// Print who was blocked, in what and where, by whom and at which line of theirs, how often and for how long
    #[command(visible_alias = "links")]
    Waits(waits::WaitsArgs),
    /// Print what each source line cost: on CPU, blocked, runnable and in syscalls, from a trace and profiles of its run
    Lines(lines::LinesArgs),
    /// Print the locks and channels that goroutines queue for: lines that block and lines that release, lock convoys, starvation
    Locks(locks::LocksArgs),
    /// Print goroutines that are left behind: marked by the runtime, or blocked where their number rises; from a trace, dumps of
    /// goroutines and profiles of one process
    Leaks(leaks::LeaksArgs),
    /// Print reports of races (of the race detector, of the runtime about maps) in any log, and with a trace the goroutines that
    /// they mean
    Races(races::RacesArgs),
    /// Print what the GC did: its cycles and what triggered them, who paid, and how much it left to the program (MMU)
    Gc(gc::GcArgs),
    /// Print why goroutines that could run did not: all Ps busy and with what, a P idle, the world stopped; the run
    /// queue and the Ps
    Sched(sched::SchedArgs),
    /// Print what running and syscalls were on the CPUs: on one, preempted by whom, asleep where in the kernel; of a trace
    /// and a `perf script` of the scheduler's events
    Kernel(kernel::KernelArgs),
    /// Print which lines operate on maps: cost by class, memory, how large the maps became, and what would help
    Maps(maps::MapsArgs),
    /// Print why something took as long as it did: the critical path of a task, a region or a goroutine
    Why(why::WhyArgs),
    /// Print how long requests, calls, tasks and regions took, by handler, and the slowest; with --slow what makes them slow
    Spans(spans::SpansArgs),
    /// Print how traces from after differ from traces from before: lines, waits, tasks, groups, GC, scheduling latency, by
    /// more than chance
    Diff(diff::DiffArgs),
    /// Write a pprof profile of where goroutines waited, or ran, out of a trace
    Profile(offcpu::MakeArgs),
    /// Record a running program that serves net/http/pprof: a trace and the profiles of the same seconds, into a folder;
    /// with --keep the last seconds before something happened
    Record(record::RecordArgs),
    /// Write one page of HTML for people without the tool: findings, summary, waits, locks, flame graphs, before and after
    Report(report::ReportArgs),
    /// Look at what is kept of traces from one run to the next, or empty it
    Cache(cache::CacheArgs),
    /// Answer agents over standard input and output, by the Model Context Protocol
    Mcp(mcp::McpArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, in roff or Markdown
    Man(man::ManArgs),
    /// Print the JSON Schema of what a command prints with `--format json`, or list these outputs
    Schema(schema::SchemaArgs),
}

/// The files of a command that takes the expression of functions as the first of them, as pprof does.
fn after_regex(files: Arg) -> Arg {
    files.help(
        "What functions to show, a regular expression (all, if there is only a profile); \
         then profiles, and several are added up. `-` is standard input",
    )
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a file
    Json,
}

/// How much room there is for text: the terminal's size, or for pipes what `COLUMNS` and `LINES` say.
fn page() -> Page {
    let said = |name: &str| -> Option<usize> { std::env::var(name).ok()?.parse().ok() };
    let size = io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten();
    Page {
        width: size.map(|s| s.0.into()).or_else(|| said("COLUMNS")).unwrap_or(Page::ENDLESS.width),
        height: size.map(|s| s.1.into()).or_else(|| said("LINES")).unwrap_or(Page::ENDLESS.height),
    }
}

/// How a command ended, as an exit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// It did what it was asked to.
    Done = 0,
    /// It found nothing where finding was the point, or something where nothing should be.
    NothingFound = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// An input could not be read.
    BadInput = 3,
    /// A limit of `--fail-on` is passed.
    LimitPassed = 4,
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> ExitCode {
        ExitCode::from(e as u8)
    }
}

/// Runs the command line. 0 is success, 1 "nothing found", 2 a usage error, 3 an input that could not be read,
/// 4 a limit that is passed.
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|a| a == crate::tui::term::tty::GUARD) {
        crate::tui::term::tty::guard();
        return ExitCode::SUCCESS;
    }
    let cli = match Cli::try_parse_from(argv::normalise(&Cli::command(), std::env::args_os())) {
        Ok(cli) => cli,
        Err(e) => return refused(&e),
    };
    let stdout: Box<dyn Write> = match is_text(&cli) {
        true => Box::new(Sink::new(io::stdout().lock())),
        false => Box::new(io::stdout().lock()),
    };
    let mut out = io::BufWriter::with_capacity(1 << 16, stdout);
    let result = dispatch(cli, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit.into(),
        Err(e) if e.is_broken_pipe() => ExitCode::SUCCESS,
        Err(e) => {
            // A mistake in a query is shown at its place, on lines of its own.
            let lines: Vec<String> = e.to_string().lines().map(|l| escape(l).into_owned()).collect();
            let _ = writeln!(io::stderr(), "gotrail: {}", lines.join("\n"));
            e.exit().into()
        }
    }
}

/// Says what clap has to say: help, or what is wrong with the arguments.
fn refused(e: &clap::Error) -> ExitCode {
    // `-http` begins as `-h` does.
    if let Some(usage) = unknown::option(&Cli::command(), e) {
        let _ = writeln!(Sink::new(io::stderr()), "gotrail: {usage}");
        return Exit::Usage.into();
    }
    // Help is ours; what is wrong quotes the arguments, and is not coloured so that these can be told from colours.
    if e.use_stderr() {
        let _ = write!(Sink::new(io::stderr()), "{}", e.render());
        return Exit::Usage.into();
    }
    let _ = e.print();
    ExitCode::SUCCESS
}

/// Whether what goes to standard output is text, and not a trace, a profile, or colours for the terminal.
fn is_text(cli: &Cli) -> bool {
    match &cli.command {
        Some(Command::Export(a)) => !a.format.is_binary(),
        Some(Command::Profile(a)) => a.output.as_os_str() != "-",
        Some(Command::Proto(_)) => false,
        Some(Command::Snapshot(a)) => a.format != viewer::Picture::Ansi,
        _ => true,
    }
}

fn dispatch(cli: Cli, out: &mut dyn Write) -> Result<Exit> {
    let profile = |kind, args: &ProfileArgs, out: &mut dyn Write| {
        Ok(profile::run(kind, args, out, &mut Sink::new(io::stderr()))?)
    };
    match cli.command {
        None => match unknown::command(&Cli::command(), &cli.view.files) {
            Some(wrong) => Err(wrong.into()),
            None => viewer::run(&cli.view),
        },
        Some(Command::Summary(a)) => summary::run(&a, out),
        Some(Command::Findings(a)) => findings::run(&a, out),
        Some(Command::Events(a)) => events::run(&a, out),
        Some(Command::Grep(a)) => grep::run(&a, out),
        #[cfg(feature = "sql")]
        Some(Command::Query(a)) => query::run(&a, out),
        Some(Command::Export(a)) => export::run(&a, out),
        Some(Command::Snapshot(a)) => viewer::snapshot(&a, out),
        Some(Command::Top(a)) => profile(Kind::Top, &a, out),
        Some(Command::Tree(a)) => profile(Kind::Tree, &a, out),
        Some(Command::Peek(a)) => profile(Kind::Peek, &a, out),
        Some(Command::List(a)) => profile(Kind::List, &a, out),
        Some(Command::Disasm(a)) => profile(Kind::Disasm, &a, out),
        Some(Command::Traces(a)) => profile(Kind::Traces, &a, out),
        Some(Command::Tags(a)) => profile(Kind::Tags, &a, out),
        Some(Command::Raw(a)) => profile(Kind::Raw, &a, out),
        Some(Command::Comments(a)) => profile(Kind::Comments, &a, out),
        Some(Command::Proto(a)) => proto::run(&a, out),
        Some(Command::Waits(a)) => waits::run(&a, out),
        Some(Command::Lines(a)) => lines::run(&a, out),
        Some(Command::Locks(a)) => locks::run(&a, out),
        Some(Command::Leaks(a)) => leaks::run(&a, out),
        Some(Command::Races(a)) => races::run(&a, out),
        Some(Command::Gc(a)) => gc::run(&a, out),
        Some(Command::Sched(a)) => sched::run(&a, out),
        Some(Command::Kernel(a)) => kernel::run(&a, out),
        Some(Command::Maps(a)) => maps::run(&a, out),
        Some(Command::Why(a)) => why::run(&a, out),
        Some(Command::Spans(a)) => spans::run(&a, out),
        Some(Command::Diff(a)) => diff::run(&a, out),
        Some(Command::Profile(a)) => offcpu::run(&a, out),
        Some(Command::Schema(a)) => schema::run(&a, out),
        Some(Command::Record(a)) => record::run(&a, out),
        Some(Command::Report(a)) => report::run(&a, out),
        Some(Command::Cache(a)) => cache::run(&a, out),
        Some(Command::Mcp(a)) => mcp::run(&a, out),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "gotrail", &mut &mut *out);
            Ok(Exit::Done)
        }
        Some(Command::Man(a)) => man::run(&a, out),
    }
}

/// Says something about an input that is not a result: on standard error, in one line.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "gotrail: {}", escape(text));
}
