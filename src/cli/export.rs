//! `gotrail export`.

use super::files::Files;
use super::open::{self, Between};
use super::{Exit, Failure, Result, Usage, note, window};
use crate::analysis::cost::offcpu;
use crate::analysis::states::source::Unanswered;
use crate::analysis::tables::{self, Table, Wanted};
use crate::analysis::waits::links;
use crate::base::text::{count, escape};
use crate::base::{Duration, Time};
use crate::profile::wire;
use crate::read::{CutError, Trace};
use crate::report;
use crate::report::export::{self, lanes::Drawn, lines};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ExportArgs {
    /// Traces; all but the tables want one. `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum)]
    pub(super) format: Format,
    /// The file to write, or for tables the directory; without it, standard output
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The tables to write, all by default
    #[arg(long, value_name = "NAME", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(Table::ALL.iter().map(|t| t.name())))]
    table: Vec<String>,
    /// A folder between a table's own and its files, such as host=web-1: engines read it as a column (several: one in the
    /// other)
    #[arg(long, value_name = "KEY=VALUE", value_parser = partition)]
    partition: Vec<String>,
    /// What folded stacks, speedscope and pprof are of
    #[arg(long, value_enum, default_value = "cpu")]
    kind: Kind,
    #[command(flatten)]
    window: window::WindowArgs,
    #[command(flatten)]
    open: open::OpenArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Perfetto's protobuf: ui.perfetto.dev, trace_processor
    Perfetto,
    /// Chrome's JSON
    Chrome,
    /// Folded stacks, for flame graphs
    Folded,
    /// A profile for speedscope
    Speedscope,
    /// A profile for pprof: of CPU samples, or with --kind of waits by their stacks
    Pprof,
    /// A piece of the trace itself, of whole generations
    Cut,
    /// Tables as CSV (docs/schema.md)
    Csv,
    /// Tables as JSON, an object a row
    Jsonl,
    /// Tables as Parquet: DuckDB, Spark
    #[cfg(feature = "parquet")]
    Parquet,
    /// Tables in one file of SQLite, with --output
    #[cfg(feature = "sql")]
    Sqlite,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// CPU samples
    Cpu,
    /// Waits for the network
    Net,
    /// Waits for channels and for package sync
    Sync,
    /// Time in syscalls
    Syscall,
    /// Time runnable, waiting for a P
    Sched,
    /// All time in which goroutines did not run
    Offcpu,
}

impl Kind {
    fn of(self) -> (offcpu::Kind, &'static str) {
        match self {
            Kind::Cpu => (offcpu::Kind::Cpu, "CPU samples"),
            Kind::Net => (offcpu::Kind::Net, "waits for the network"),
            Kind::Sync => (offcpu::Kind::Sync, "waits for channels and locks"),
            Kind::Syscall => (offcpu::Kind::Syscall, "syscalls"),
            Kind::Sched => (offcpu::Kind::Sched, "runnable, waiting for a P"),
            Kind::Offcpu => (offcpu::Kind::OffCpu, "off-CPU"),
        }
    }
}

/// A partition: a key and a value that make a folder's name.
fn partition(text: &str) -> std::result::Result<String, String> {
    let plain =
        |s: &str| !s.is_empty() && !s.starts_with('.') && s.chars().all(|c| c.is_alphanumeric() || "-_.+:".contains(c));
    match text.split_once('=') {
        Some((k, v)) if plain(k) && plain(v) => Ok(text.to_owned()),
        _ => Err("a partition is KEY=VALUE, of letters, digits and -_.+:".into()),
    }
}

impl Format {
    /// The ending of a table's files; nothing if this is no format of tables.
    fn of_tables(self) -> Option<&'static str> {
        match self {
            Format::Csv => Some("csv"),
            Format::Jsonl => Some("jsonl"),
            #[cfg(feature = "parquet")]
            Format::Parquet => Some("parquet"),
            _ => None,
        }
    }

    pub(super) fn is_binary(self) -> bool {
        match self {
            Format::Perfetto | Format::Pprof | Format::Cut => true,
            #[cfg(feature = "parquet")]
            Format::Parquet => true,
            #[cfg(feature = "sql")]
            Format::Sqlite => true,
            _ => false,
        }
    }
}

/// What stands for standard output in messages.
const STDOUT: &str = "standard output";

fn usage(what: impl Into<String>) -> Failure {
    Usage::Export(what.into()).into()
}

pub fn run(args: &ExportArgs, out: &mut dyn Write) -> Result<Exit> {
    args.window.of(Time(0))?;
    let output = args.output.as_deref().filter(|p| p.as_os_str() != "-");
    if args.format.is_binary() && output.is_none() && io::stdout().is_terminal() {
        return Err(usage("this format is not text: name a file with --output"));
    }
    #[cfg(feature = "sql")]
    if args.format == Format::Sqlite {
        return sqlite(args, output, out);
    }
    if let Some(ending) = args.format.of_tables() {
        return table_files(args, ending, output, out);
    }
    if !args.table.is_empty() || !args.partition.is_empty() {
        return Err(usage("--table and --partition are for tables: csv, jsonl, parquet, sqlite"));
    }
    if args.files.len() > 1 || args.files.iter().any(|f| f.is_dir()) {
        return Err(usage("this format has room for one trace: name one file"));
    }
    open::each_trace(&args.files, &args.open, (Between::Nothing, out), |trace, out| {
        let window = args.window.of(trace.index().start)?;
        let Some(path) = output else {
            let wrong = |cause| Failure::Output { path: STDOUT.into(), cause };
            let said = one(args, trace, window, out, &wrong)?;
            out.flush().map_err(wrong)?;
            note(&said);
            return Ok(());
        };
        let wrong = |cause| Failure::Output { path: path.to_owned(), cause };
        let mut files = Files::beside(&args.files);
        let mut file = files.create(path).map_err(wrong)?;
        let said = one(args, trace, window, &mut file, &wrong)?;
        file.flush().map_err(wrong)?;
        drop(file);
        files.finish().map_err(wrong)?;
        note(&format!("{}: {said}", escape(&path.to_string_lossy())));
        Ok(())
    })
}

/// Writes a trace in a format that has room for one, and says what was written.
fn one(
    args: &ExportArgs,
    trace: &Trace,
    window: (Time, Time),
    out: &mut dyn Write,
    wrong: &dyn Fn(io::Error) -> Failure,
) -> Result<String> {
    let drawn = |d: std::result::Result<io::Result<Drawn>, Unanswered>| -> Result<String> {
        let d = d.map_err(Failure::of(trace))?.map_err(wrong)?;
        let (slices, values) = (count(d.slices), count(d.values));
        Ok(format!("{slices} slices, {values} values, {} flows, {} samples", count(d.flows), count(d.samples)))
    };
    match args.format {
        Format::Perfetto => drawn(export::perfetto::write(trace, &trace.index(), window, out)),
        Format::Chrome => drawn(export::chrome::write(trace, &trace.index(), window, out)),
        Format::Cut => match trace.cut(window.0, window.1, out) {
            Ok(cut) => {
                let start = trace.index().start;
                let (n, from, to) = (cut.generations, cut.from - start, cut.to - start);
                let s = if n == 1 { "" } else { "s" };
                Ok(format!("{n} generation{s}, from {from} to {to}"))
            }
            Err(CutError::Write(e)) => Err(wrong(e)),
            Err(e) => Err(Failure::Unusable { name: trace.name().to_owned(), message: e.to_string() }),
        },
        _ => {
            let (kind, what) = args.kind.of();
            let opts = links::Options { from: window.0, to: window.1, filter: None };
            let profile = offcpu::profile(trace, kind, opts).map_err(Failure::of(trace))?;
            let index = trace.index();
            match args.format {
                Format::Folded => export::folded::write(&profile, &index, out),
                Format::Pprof => out.write_all(&wire::encode_gzip(&report::offcpu::pprof(&profile, &index).to_wire())),
                _ => export::speedscope::write(&profile, what, trace.name(), &index, out),
            }
            .map_err(wrong)?;
            let (n, total) = profile.records.iter().fold((0, Duration::ZERO), |(n, d), r| (n + r.count, d + r.total));
            Ok(match kind {
                offcpu::Kind::Cpu => format!("{} samples", count(n)),
                _ => format!("{} stretches, {total}", count(n)),
            })
        }
    }
}

/// The tables that are wanted.
fn wanted(args: &ExportArgs) -> Vec<Table> {
    match &args.table[..] {
        [] => Table::ALL.to_vec(),
        some => Table::ALL.iter().copied().filter(|t| some.iter().any(|n| n == t.name())).collect(),
    }
}

/// Writes the tables of all traces into one file.
#[cfg(feature = "sql")]
fn sqlite(args: &ExportArgs, output: Option<&Path>, out: &mut dyn Write) -> Result<Exit> {
    let Some(path) = output else { return Err(usage("SQLite wants a file: name one with --output")) };
    if !args.partition.is_empty() {
        return Err(usage("--partition is for tables of many files: csv, jsonl, parquet"));
    }
    let wanted = wanted(args);
    let wrong = |cause| Failure::Output { path: path.to_owned(), cause };
    let mut files = Files::beside(&args.files);
    let temporary = files.reserve(path).map_err(wrong)?;
    let file = export::sqlite::File::create(&temporary, &wanted).map_err(wrong)?;
    let mut seen = Vec::new();
    let exit = open::each_trace(&args.files, &args.open, (Between::Nothing, out), |trace, _| {
        let id = format!("{:016x}", trace.digest());
        if seen.contains(&id) {
            note(&format!("{}: it is in the file already", escape(trace.name())));
            return Ok(());
        }
        let window = args.window.of(trace.index().start)?;
        let of = Wanted { from: window.0, to: window.1, ..Wanted::of(&wanted) };
        let index = trace.index();
        let mut rows = file.rows(&index, &id).map_err(wrong)?;
        let mut counted = Counted(&mut rows, 0);
        tables::each(trace, trace.name(), of, &mut counted).map_err(Failure::of(trace))?;
        let n = counted.1;
        rows.finish().map_err(wrong)?;
        note(&format!("{}: {} tables, {} rows", escape(trace.name()), wanted.len(), count(n)));
        seen.push(id);
        Ok(())
    })?;
    file.finish().map_err(wrong)?;
    files.finish().map_err(wrong)?;
    Ok(exit)
}

/// Writes the tables of all traces: of each a file in the folder of each table.
fn table_files(args: &ExportArgs, ending: &str, output: Option<&Path>, out: &mut dyn Write) -> Result<Exit> {
    let wanted = wanted(args);
    let mut first = true;
    let to = (Between::Nothing, out);
    open::each_trace(&args.files, &args.open, to, |trace, out| {
        let id = format!("{:016x}", trace.digest());
        let window = args.window.of(trace.index().start)?;
        let wanted_rows = Wanted { from: window.0, to: window.1, ..Wanted::of(&wanted) };
        let Some(dir) = output else {
            let headed = std::mem::take(&mut first);
            return to_stdout(args, trace, &id, (&wanted, wanted_rows), headed, out);
        };
        let wrong = |cause| Failure::Output { path: dir.to_owned(), cause };
        let mut files = Files::beside(&args.files);
        let mut make = |t: Table| -> io::Result<Box<dyn Write + Send>> {
            let folder = args.partition.iter().fold(dir.join(t.name()), |p, k| p.join(k));
            fs::create_dir_all(&folder)?;
            Ok(Box::new(files.create(&folder.join(format!("{id}.{ending}")))?))
        };
        let rows = rows(args.format, trace, &id, (&wanted, wanted_rows), &mut make, &wrong)?;
        files.finish().map_err(wrong)?;
        note(&format!("{}: {} tables, {} rows", escape(trace.name()), wanted.len(), count(rows)));
        Ok(())
    })
}

/// Counts the rows on their way.
struct Counted<'a, S>(&'a mut S, u64);

impl<S: tables::Sink> tables::Sink for Counted<'_, S> {
    fn row(&mut self, table: Table, cells: &[tables::Cell]) {
        self.1 += 1;
        self.0.row(table, cells);
    }

    fn full(&self) -> bool {
        self.0.full()
    }
}

/// Writes the rows of a trace, and says how many.
fn rows(
    format: Format,
    trace: &Trace,
    id: &str,
    (wanted, of): (&[Table], Wanted),
    make: &mut export::Make,
    wrong: &dyn Fn(io::Error) -> Failure,
) -> Result<u64> {
    let index = trace.index();
    let each = |sink: &mut dyn tables::Sink| tables::each(trace, trace.name(), of, sink).map_err(Failure::of(trace));
    let style = match format {
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let mut w = export::parquet::Parquet::new((&index, id), wanted, make).map_err(wrong)?;
            let mut counted = Counted(&mut w, 0);
            each(&mut counted)?;
            let n = counted.1;
            w.finish().map_err(wrong)?;
            return Ok(n);
        }
        Format::Csv => lines::Style::Csv,
        _ => lines::Style::Jsonl,
    };
    let mut w = lines::Lines::new(style, (&index, id), wanted, make).map_err(wrong)?;
    let mut counted = Counted(&mut w, 0);
    each(&mut counted)?;
    let n = counted.1;
    w.finish().map_err(wrong)?;
    Ok(n)
}

/// Writes one table of a trace to standard output.
fn to_stdout(
    args: &ExportArgs,
    trace: &Trace,
    id: &str,
    (wanted, of): (&[Table], Wanted),
    first: bool,
    out: &mut dyn Write,
) -> Result<()> {
    if args.format.is_binary() || wanted.len() != 1 || !args.partition.is_empty() {
        return Err(usage("name a directory with --output, or for csv and jsonl one --table"));
    }
    let wrong = |cause| Failure::Output { path: STDOUT.into(), cause };
    let style = if args.format == Format::Csv { lines::Style::Csv } else { lines::Style::Jsonl };
    let index = trace.index();
    let mut w = lines::Lines::to(style, (&index, id), wanted[0], first, out).map_err(wrong)?;
    tables::each(trace, trace.name(), of, &mut w).map_err(Failure::of(trace))?;
    w.finish().map_err(wrong)
}
