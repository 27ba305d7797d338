//! `gotrail record`.

mod live;

use super::viewer::{self, ViewArgs};
use super::{Exit, Failure, Result, Usage, matching, note, window};
use crate::base::Duration;
use crate::base::text::{bytes, escape};
use crate::input::http::{Request, Url};
use crate::record::ring::{self, End};
use crate::record::{Control, Folder, Progress, Server, Until, Wish, take};
use crate::report::schema::recording::Recording;
use clap::Args;
use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration as Span, Instant, SystemTime};

/// Seconds of a recording where nobody says how many.
const SECONDS: u64 = 5;
/// Seconds after which a ring ends where nobody says how many: a day.
const MOST_SECONDS: u64 = 86_400;
/// How often the line that says how far it is changes.
const AGAIN: Span = Span::from_millis(500);
/// How often a series looks whether to stop.
const TICK: Span = Span::from_millis(50);

#[derive(Args)]
pub struct RecordArgs {
    /// Where the program serves net/http/pprof: http://host:6060, with any path before /debug/pprof, or
    /// unix:/run/app.sock
    #[arg(value_name = "URL")]
    url: String,
    /// The folder; by default a new one here, called after the server and the time. Nothing is overwritten
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// How long [default: 5; with --keep at most a day]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Do not open the viewer, which otherwise shows the recording while it is made, and a ring when it is over
    #[arg(long)]
    no_open: bool,
    /// The load meanwhile, for whoever reads the recording: "1200 requests/s"
    #[arg(long, value_name = "TEXT")]
    rate: Option<String>,
    /// A header to send; may be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// With https, take any certificate
    #[arg(long)]
    insecure: bool,
    /// Ask for leaked goroutines as well, which costs the program a GC cycle
    #[arg(long)]
    leaks: bool,
    /// Ring mode: keep only the last seconds of the trace, 10s, until --until, SIGUSR1 or Enter (Go 1.22 or later)
    #[arg(long, value_name = "D", value_parser = window::duration)]
    keep: Option<Duration>,
    /// End the ring when an event answers this query: 'task:payment dur>50ms'
    #[arg(long, value_name = "QUERY", requires = "keep")]
    until: Option<String>,
    /// Make a series: begin a recording each time that this has passed, 1m
    #[arg(long, value_name = "D", value_parser = window::duration, conflicts_with = "keep")]
    every: Option<Duration>,
    /// The recordings of a series [default: until it is stopped]
    #[arg(long, value_name = "N", requires = "every", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

fn span(d: Duration) -> Span {
    Span::from_nanos(u64::try_from(d.ns()).unwrap_or(0))
}

/// What ends a recording from outside.
struct Flags {
    stop: Arc<AtomicBool>,
    keep: Arc<AtomicBool>,
}

impl Flags {
    fn new() -> Result<Flags> {
        let flags = Flags { stop: Arc::default(), keep: Arc::default() };
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flags.stop))?;
        }
        #[cfg(unix)]
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&flags.keep))?;
        Ok(flags)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

pub fn run(args: &RecordArgs, out: &mut dyn Write) -> Result<Exit> {
    let url = Url::parse(&args.url).ok_or(Usage::NoAddress)?;
    let headers = args.header.iter().map(|h| Request::header(h)).collect::<std::result::Result<_, _>>();
    let request = Request { headers: headers.map_err(Usage::Header)?, insecure: args.insecure };
    let until = matching::parse(args.until.as_deref())?.map(Until::new);
    let flags = Flags::new()?;
    let server = Server::find(&url, &request).map_err(|cause| Failure::Server { url: url.to_string(), cause })?;
    let folder = match &args.output {
        Some(path) => Folder::named(path)?,
        None => Folder::new(&PathBuf::new(), &server.host(), SystemTime::now())?,
    };
    let usual = if args.keep.is_some() { MOST_SECONDS } else { SECONDS };
    let rate = args.rate.as_deref().map(|r| server.hide(r));
    let wish = Wish { seconds: args.seconds.unwrap_or(usual), leaks: args.leaks, rate };
    if let Some(every) = args.every {
        return series(&server, &wish, &folder, (span(every), args.count), &flags, out);
    }
    let shown = !args.no_open && io::stdout().is_terminal() && io::stdin().is_terminal();
    let (made, exit) = match args.keep {
        None if shown => return live::run(&server, &wish, &folder, &flags, ViewArgs::default(), out),
        Some(keep) => with_progress(&flags, true, |control| {
            let (made, end) = ring::keep(&server, (&wish, span(keep)), until.as_ref(), &folder, control)?;
            // Whoever waits for something wants to know whether it happened.
            let missed = until.is_some() && end == End::Over;
            Ok((made, if missed { Exit::NothingFound } else { Exit::Done }))
        })?,
        None => {
            with_progress(&flags, false, |control| Ok((take::take(&server, &wish, &folder, control)?, Exit::Done)))?
        }
    };
    let exit = exit.max(said(&made, &folder, out)?);
    if shown && !made.files.is_empty() {
        out.flush()?;
        viewer::run(&ViewArgs { files: live::files(&made, &folder), ..ViewArgs::default() })?;
    }
    Ok(exit)
}

/// Recordings in folders of their own, numbered.
fn series(
    server: &Server,
    wish: &Wish,
    folder: &Folder,
    (every, count): (Span, Option<u64>),
    flags: &Flags,
    out: &mut dyn Write,
) -> Result<Exit> {
    let (start, mut exit) = (Instant::now(), Exit::Done);
    for n in 1..=count.unwrap_or(u64::MAX) {
        let nth = folder.nth(n)?;
        let made =
            with_progress(flags, false, |control| take::take(server, wish, &nth, control).map_err(Failure::from))?;
        exit = exit.max(said(&made, &nth, out)?);
        out.flush()?;
        let next = every.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
        while count != Some(n) && start.elapsed() < next && !flags.stopped() {
            std::thread::sleep(TICK.min(next.saturating_sub(start.elapsed())));
        }
        if flags.stopped() {
            break;
        }
    }
    Ok(exit)
}

/// Records, and says on standard error how far it is if that is a terminal; a ring ends with Enter there.
fn with_progress<T>(flags: &Flags, ring: bool, record: impl FnOnce(&Control) -> Result<T>) -> Result<T> {
    let line = Line::new();
    let progress = |p: Progress| {
        let kept = if ring { format!(", {} generations kept; Enter ends it", p.kept) } else { String::new() };
        let (time, trace, rate) = (p.elapsed.as_secs(), bytes(p.bytes), bytes(p.rate()));
        line.say(&format!("recording {time}s: trace {trace}, {rate}/s{kept}"));
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|s| {
        if ring && io::stdin().is_terminal() {
            s.spawn(|| enter(&over, &flags.keep));
        }
        let result = record(&Control { stop: &flags.stop, keep: &flags.keep, progress: &progress });
        over.store(true, Ordering::Relaxed);
        result
    })
}

/// A line on standard error that says how far a recording is, if that is a terminal.
struct Line {
    shown: bool,
    last: Cell<Option<Instant>>,
}

impl Line {
    fn new() -> Line {
        Line { shown: io::stderr().is_terminal(), last: Cell::new(None) }
    }

    /// Says it in place of what was said before; not too often.
    fn say(&self, text: &str) {
        if self.shown && self.last.get().is_none_or(|l| l.elapsed() >= AGAIN) {
            self.last.set(Some(Instant::now()));
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.last.get().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Waits for a key until it is `over`.
fn enter(over: &AtomicBool, keep: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if crossterm::event::poll(TICK).unwrap_or(false) && crossterm::event::read().is_ok_and(|e| e.is_key_press()) {
            return keep.store(true, Ordering::Relaxed);
        }
    }
}

/// Prints what was had, and notes what was not.
fn said(made: &Recording, folder: &Folder, out: &mut dyn Write) -> Result<Exit> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for failed in &made.failed {
        match reasons.iter_mut().find(|r| r.0 == failed.why) {
            Some((_, what)) if what.contains(&failed.what.as_str()) => {}
            Some((_, what)) => what.push(&failed.what),
            None => reasons.push((&failed.why, vec![&failed.what])),
        }
    }
    reasons.iter().for_each(|(why, what)| note(&format!("{}: {why}", what.join(", "))));
    made.notes.iter().for_each(|n| note(n));
    if made.files.is_empty() {
        folder.discard();
        note("nothing was recorded");
        return Ok(Exit::BadInput);
    }
    writeln!(out, "{}", escape(&folder.path().to_string_lossy()))?;
    let width = made.files.iter().map(|f| f.name.len()).max().unwrap_or(0);
    for file in &made.files {
        write!(out, "  {:width$}  {:>9}", file.name, bytes(file.bytes))?;
        match made.trace_bytes_per_second.filter(|_| file.endpoint == "trace") {
            Some(rate) => writeln!(out, "  tracing wrote {}/s", bytes(rate))?,
            None => writeln!(out)?,
        }
    }
    if let (Some([first, last]), Some(by)) = (made.generations, &made.ended_by) {
        writeln!(out, "generations {first} to {last} kept, ended by {by}")?;
    }
    Ok(if made.failed.is_empty() { Exit::Done } else { Exit::BadInput })
}
