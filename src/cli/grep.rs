//! `gotrail grep`: a query over many traces at once.

use super::open::{self, OpenArgs};
use super::{Exit, Failure, Result, Usage, matching, note, position};
use crate::analysis::search::{self, Options};
use crate::analysis::states::look_ahead::LookAhead;
use crate::base::text::escape;
use crate::input::{self, Kind, Limits};
use crate::query::Query;
use crate::read::Trace;
use crate::report::grep::{self, CSV_HEADER, Style};
use clap::{Args, ValueEnum};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Args)]
pub struct GrepArgs {
    /// What to find, as `--filter` and the viewer's `/` have it: `mapassign`, `state:waiting dur>1ms`, …
    query: String,
    /// Traces; of a directory, every trace directly in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Of a directory also what is in the directories in it
    #[arg(long, short)]
    recursive: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: GrepFormat,
    /// Print how many events of each trace were found, not the events
    #[arg(long, short)]
    count: bool,
    /// Of each trace print the first event only
    #[arg(long)]
    first: bool,
    /// Print nothing; stop at the first event that is found
    #[arg(long, short, conflicts_with_all = ["count", "first"])]
    quiet: bool,
    #[command(flatten)]
    open: OpenArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GrepFormat {
    /// A line an event: position, kind, details, line of code
    Text,
    /// An array of objects
    Json,
    /// An object a line
    Jsonl,
    /// A line of cells an event, below the names of columns
    Csv,
}

/// What comes from a worker, of one file.
enum Said {
    /// Something to print.
    Bytes(Vec<u8>),
    /// Something to say on standard error.
    Note(String),
    /// The end: how many events were found.
    Done(u64),
    /// The end: the file is no trace, and nobody named it.
    Skipped,
    /// The end: the file could not be read.
    Failed(Failure),
}

/// Bytes that a worker gathers before it hands them on.
const CHUNK: usize = 64 << 10;
/// Chunks that wait until it is their file's turn.
const WAITING: usize = 16;

/// Tells a trace what stands beside it.
type Join = Box<dyn Fn(&Trace) -> Result<()> + Send + Sync>;

/// What all workers share.
struct Work<'a> {
    args: &'a GrepArgs,
    query: &'a Query,
    files: Vec<PathBuf>,
    options: crate::read::trace::Options,
    /// Threads for each file.
    threads: usize,
    /// Tells a trace what stands beside it.
    join: Join,
    /// How many have been taken, and where their words go, in order.
    next: Mutex<(usize, Sender<Receiver<Said>>)>,
    over: AtomicBool,
}

pub fn run(args: &GrepArgs, out: &mut dyn Write) -> Result<Exit> {
    let Some(query) = matching::parse(Some(&args.query))? else { return Ok(Exit::Usage) };
    let files = files(args)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.min(files.len()).max(1);
    let mut options = args.open.options(open::memory_setting()?);
    options.memory = options.memory.map(|m| m / workers);
    let (turn, turns) = unbounded();
    let threads = (cores / workers).max(1);
    let bar = progress(files.len() as u64);
    let (next, over) = (Mutex::new((0, turn)), AtomicBool::new(false));
    let join = Box::new(args.open.with()?);
    let work = Work { args, query: &query, files, options, threads, join, next, over };
    let result = std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work.run());
        }
        let result = print(args, &work.files, &turns, &bar, out);
        work.over.store(true, Ordering::Relaxed);
        // Those that wait for room see it gone.
        drop(turns);
        result
    });
    bar.finish_and_clear();
    result
}

fn progress(files: u64) -> ProgressBar {
    let bar = ProgressBar::new(files);
    if io::stderr().is_terminal() && !io::stdout().is_terminal() {
        bar.set_style(ProgressStyle::with_template("{pos} of {len} files {bar:40} {eta}").expect("a valid template"));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

/// The files that are searched, in order.
fn files(args: &GrepArgs) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in &args.files {
        let (path, _) = position::split(path).map_err(Usage::from)?;
        if path.is_dir() { in_directory(&path, args.recursive, &mut all) } else { all.push(path) }
    }
    Ok(all)
}

/// The traces in a directory, sorted; what is none there is nobody's fault.
fn in_directory(dir: &Path, recursive: bool, all: &mut Vec<PathBuf>) {
    let found = input::expand(dir, Limits::of_this_machine(), &mut Vec::new());
    all.extend(found.into_iter().filter(|f| f != dir));
    if !recursive {
        return;
    }
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(std::result::Result::ok);
    // A link may lead round in a circle.
    let mut dirs: Vec<PathBuf> =
        entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()).collect();
    dirs.sort();
    dirs.iter().for_each(|d| in_directory(d, true, all));
}

impl Work<'_> {
    fn run(&self) {
        loop {
            let (path, to) = {
                let mut next = self.next.lock().unwrap_or_else(|e| e.into_inner());
                let Some(path) = self.files.get(next.0) else { return };
                next.0 += 1;
                let (to, from) = bounded(WAITING);
                if self.over.load(Ordering::Relaxed) || next.1.send(from).is_err() {
                    return;
                }
                (path, to)
            };
            // Whoever printed has gone if it cannot be said.
            let _ = match self.file(path, &to) {
                Ok(Some(hits)) => to.send(Said::Done(hits)),
                Ok(None) => to.send(Said::Skipped),
                Err(e) => to.send(Said::Failed(e)),
            };
        }
    }

    /// Searches a file; how many events were found, if it is to be searched.
    fn file(&self, path: &Path, to: &Sender<Said>) -> Result<Option<u64>> {
        let input = input::open_within(path, self.options.limits())?;
        let named = self.args.files.iter().any(|f| position::split(f).is_ok_and(|(f, _)| f == path));
        if !named && !matches!(input.kind, Kind::Trace { .. }) {
            return Ok(None);
        }
        let trace = open::from_input(input, &self.options)?;
        trace.load(&|_| {}, &self.over);
        open::intact(&trace)?;
        for loss in &trace.index().losses {
            let _ = to.send(Said::Note(format!("{}: {}", escape(trace.name()), escape(loss))));
        }
        (self.join)(&trace)?;
        let compiled = matching::compile(&trace, Some(self.query))?;
        let Some(compiled) = compiled else { return Ok(None) };
        let style = match self.args.format {
            GrepFormat::Text => Style::Text,
            GrepFormat::Json | GrepFormat::Jsonl => Style::Jsonl,
            GrepFormat::Csv => Style::Csv,
        };
        let opts = Options { threads: self.threads, ..Options::default() };
        let enough = AtomicBool::new(false);
        let (mut bytes, mut hits, mut failed) = (Vec::new(), 0, None);
        let outcome = search::run_compiled(&*trace, &compiled, &opts, &enough, &mut |i, mut found| {
            if self.over.load(Ordering::Relaxed) {
                enough.store(true, Ordering::Relaxed);
            }
            if enough.load(Ordering::Relaxed) || found.is_empty() {
                return;
            }
            if self.args.first || self.args.quiet {
                found.truncate(1);
                enough.store(true, Ordering::Relaxed);
            }
            hits += found.len() as u64;
            if self.args.count || self.args.quiet {
                return;
            }
            if let Err(e) = write(&trace, style, i, &found, &mut bytes, to) {
                failed = Some(e);
                enough.store(true, Ordering::Relaxed);
            }
        });
        open::intact(&trace)?;
        if let Some((i, why)) = outcome.failed.first() {
            return Err(Failure::Analysis(format!("{}: segment {i}: {why}", escape(trace.name()))));
        }
        if let Some(e) = failed {
            return Err(e);
        }
        let index = trace.index();
        let closing = index.closing();
        if !enough.load(Ordering::Relaxed) && compiled.matches(&closing, 0, &LookAhead::new(&*trace)) {
            hits += 1;
            if !self.args.count && !self.args.quiet {
                grep::write(style, trace.name(), &index, &closing.event(0), &mut bytes)?;
            }
        }
        let _ = to.send(Said::Bytes(bytes));
        Ok(Some(hits))
    }
}

/// Writes the hits of a segment, and hands on what is a chunk.
fn write(
    trace: &Trace,
    style: Style,
    segment: usize,
    found: &[crate::analysis::cost::hits::Hit],
    bytes: &mut Vec<u8>,
    to: &Sender<Said>,
) -> Result<()> {
    let seg = trace.segment(segment)?;
    let index = trace.index();
    for h in found {
        grep::write(style, trace.name(), &index, &seg.event((h.no - seg.first) as usize), bytes)?;
        if bytes.len() >= CHUNK {
            // Nobody reads any more: the search will see that it is over.
            let _ = to.send(Said::Bytes(std::mem::take(bytes)));
        }
    }
    Ok(())
}

/// Prints what the workers say, file by file.
fn print(
    args: &GrepArgs,
    files: &[PathBuf],
    turns: &Receiver<Receiver<Said>>,
    bar: &ProgressBar,
    out: &mut dyn Write,
) -> Result<Exit> {
    let (mut found, mut tally) = (false, open::Tally::new(args.files.len()));
    let mut faulty = false;
    let mut json = Array { begun: false, of: args.format == GrepFormat::Json };
    if args.format == GrepFormat::Csv && !args.quiet {
        out.write_all(if args.count { b"file,count\n" } else { CSV_HEADER.as_bytes() })?;
    }
    for path in files {
        let Ok(turn) = turns.recv() else { break };
        let mut ended = false;
        for said in &turn {
            match said {
                Said::Bytes(bytes) => json.write(&bytes, out)?,
                Said::Note(text) => bar.suspend(|| note(&text)),
                Said::Done(hits) => {
                    (ended, found) = (true, found || hits > 0);
                    tally.read();
                    if args.count {
                        json.write(count(args.format, path, hits, files.len() > 1)?.as_bytes(), out)?;
                    }
                }
                Said::Skipped => ended = true,
                Said::Failed(why) => {
                    ended = true;
                    tally.failed(&why);
                    bar.suspend(|| note(&why.to_string()));
                }
            }
        }
        if !ended {
            faulty = true;
            note(&format!("{}: the search ended early: a fault of gotrail's", escape(&path.to_string_lossy())));
        }
        bar.inc(1);
        if args.quiet && found {
            return Ok(Exit::Done);
        }
    }
    json.end(out)?;
    Ok(match (faulty || tally.exit() == Exit::BadInput, found) {
        (true, _) => Exit::BadInput,
        (false, true) => Exit::Done,
        (false, false) => Exit::NothingFound,
    })
}

/// How many events a file has.
fn count(format: GrepFormat, path: &Path, hits: u64, several: bool) -> Result<String> {
    let name = path.to_string_lossy();
    Ok(match format {
        GrepFormat::Text if several => format!("{}:{hits}\n", escape(&name)),
        GrepFormat::Text => format!("{hits}\n"),
        GrepFormat::Csv => {
            let mut line = String::new();
            crate::report::export::lines::csv(&name, &mut line);
            format!("{line},{hits}\n")
        }
        GrepFormat::Json | GrepFormat::Jsonl => {
            format!("{{\"file\":{},\"count\":{hits}}}\n", crate::report::export::lines::json(&name))
        }
    })
}

/// Lines of objects as they are, or as one array.
struct Array {
    begun: bool,
    of: bool,
}

impl Array {
    fn write(&mut self, lines: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if !self.of {
            return out.write_all(lines);
        }
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            out.write_all(if std::mem::replace(&mut self.begun, true) { b",\n" } else { b"[\n" })?;
            out.write_all(line)?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.of, self.begun) {
            (true, true) => out.write_all(b"\n]\n"),
            (true, false) => out.write_all(b"[]\n"),
            (false, _) => Ok(()),
        }
    }
}
