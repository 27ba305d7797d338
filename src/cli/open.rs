//! Opens the files of a command line.

use super::{Exit, Failure, Format, Result, Usage, note, position};
use crate::analysis::beside::beside;
use crate::base::{memory, text};
use crate::build::observe::Observer;
use crate::config::{ByteSize, Settings};
use crate::input::{self, Input, InputError, InputErrorKind, Kind};
use crate::profile::dump::{self, Told};
use crate::profile::model::Profile;
use crate::read::Trace;
use crate::read::persist::{Folder, Keep};
use crate::read::trace::Options;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What all commands that open traces have in common.
#[derive(Args, Clone, Debug, Default)]
pub struct OpenArgs {
    /// Neither take over what an earlier run knew of a trace nor keep it for the next
    #[arg(long)]
    no_cache: bool,
    /// How much memory to use, such as 512MB; by default what the settings say, or a quarter of the machine's, at most 1GB
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// A CPU profile, a dump of goroutines or a log with race reports of the same run: its labels are what `label:` asks for, and
    /// what it tells stands at the goroutines; may be given several times
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Of a file that holds several recordings open this one alone, from 1 on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    recording: Option<u64>,
}

impl OpenArgs {
    /// How traces are opened; `setting` is the settings' memory.
    pub fn options(&self, setting: Option<ByteSize>) -> Options {
        let folder = if self.no_cache { None } else { Folder::of_the_user(|v| std::env::var_os(v)) };
        let given = self.memory.or(setting).map(|m| m.0);
        let memory = given.unwrap_or_else(memory::usual);
        Options {
            keep: Keep { folder, ..Keep::default() },
            memory: Some(usize::try_from(memory).unwrap_or(usize::MAX)),
            most: Some(memory::Most::of(given)),
            recording: self.recording.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
            growing: None,
        }
    }
}

/// The memory that the user's settings give, if they say any.
pub fn memory_setting() -> Result<Option<ByteSize>> {
    let settings = Settings::load(|v| std::env::var_os(v)).map_err(Usage::Settings)?;
    Ok(chosen(&settings))
}

/// The memory that settings give, if it is not the default, which depends on the machine.
pub fn chosen(settings: &Settings) -> Option<ByteSize> {
    Some(settings.memory).filter(|m| *m != Settings::default().memory)
}

/// The trace in an open file; its events are not read yet. What was lost on the way is among its losses.
pub fn from_input(input: Input, options: &Options) -> Result<Arc<Trace>> {
    if !matches!(input.kind, Kind::Trace { .. }) {
        return Err(Failure::NotATrace(input.name));
    }
    let wrong = |cause| Failure::Trace { name: input.name.clone(), cause };
    let trace = Trace::open_with(&input.name, input.bytes, options.clone()).map_err(wrong)?;
    for n in &input.notes {
        trace.lose(n);
    }
    Ok(Arc::new(trace))
}

/// The profile in a file, and what the file is called. What was lost on the way is said.
pub fn profile(path: &Path) -> Result<(String, Profile)> {
    profile_in(input::open(path)?)
}

/// The profile in an open file, and what that is called. What was lost on the way is said.
pub fn profile_in(input: Input) -> Result<(String, Profile)> {
    let Input { name, bytes, kind, notes, .. } = input;
    if matches!(kind, Kind::Trace { .. }) {
        return Err(Failure::NotAProfile(name));
    }
    if kind == (Kind::Log { goroutines: false, races: true }) {
        let message = "it has reports of the race detector and no goroutines: gotrail races".into();
        return Err(Failure::Unusable { name, message });
    }
    let say = |what: &str| note(&format!("{}: {what}", text::escape(&name)));
    let profile = match Profile::decode(&bytes.all()) {
        Ok(profile) => profile,
        Err(cause) => match (kind == Kind::Profile).then(|| Profile::salvage(&bytes.all())).flatten() {
            Some(Ok((profile, cut))) => {
                notes.iter().for_each(|n| say(n));
                say(&cut);
                return Ok((name, profile));
            }
            // Where something was lost, that is why what is left is malformed.
            other => {
                let cause = other.and_then(|r| r.err()).unwrap_or(cause);
                return match notes.is_empty() {
                    true => Err(Failure::Profile { name, cause }),
                    false => Err(Failure::Unusable { name, message: format!("{}; {cause}", notes.join("; ")) }),
                };
            }
        },
    };
    notes.iter().chain(&profile.notes).for_each(|n| say(n));
    let overflowing = profile.overflowing();
    if !overflowing.is_empty() {
        let types = overflowing.iter().map(|t| text::escape(t)).collect::<Vec<_>>().join(", ");
        say(&format!("the values of {types} add up to more than 64 bits hold: totals and percentages are wrong"));
    }
    Ok((name, profile))
}

/// Opens files of which one may be a trace, whose events are not read yet; each of the others goes to `rest`.
///
/// # Errors
///
/// There are two traces, a file cannot be opened, or what `rest` says.
pub fn trace_among(
    paths: &[PathBuf],
    args: &OpenArgs,
    mut rest: impl FnMut(Input) -> Result<()>,
) -> Result<Option<Arc<Trace>>> {
    let mut trace = None;
    for path in paths {
        let input = input::open(path)?;
        match input.kind {
            Kind::Trace { .. } if trace.is_some() => return Err(Usage::SecondTrace(input.name).into()),
            Kind::Trace { .. } => trace = Some(from_input(input, &args.options(memory_setting()?))?),
            _ => rest(input)?,
        }
    }
    Ok(trace)
}

/// What stands beside a trace, by name.
#[derive(Default)]
pub struct Beside {
    /// Profiles.
    pub profiles: Vec<(String, Profile)>,
    /// Texts in which the program has told of its goroutines, or the race detector of races.
    pub told: Vec<(String, Told)>,
}

impl Beside {
    /// Adds what is in an open file, which is no trace.
    ///
    /// # Errors
    ///
    /// A profile that cannot be read.
    pub fn add(&mut self, input: Input) -> Result<()> {
        if matches!(input.kind, Kind::Log { .. }) {
            input.notes.iter().for_each(|n| note(&format!("{}: {n}", text::escape(&input.name))));
            let told = dump::read(&input.bytes.all());
            self.told.push((input.name, told));
        } else {
            self.profiles.push(profile_in(input)?);
        }
        Ok(())
    }

    /// Opens the files, which are no traces.
    fn open(paths: &[PathBuf]) -> Result<Beside> {
        let mut all = Beside::default();
        for path in paths {
            all.add(input::open(path)?)?;
        }
        Ok(all)
    }

    /// Tells a trace that has been read whole what this says of its goroutines.
    fn join(&self, trace: &Trace) -> Result<()> {
        if self.profiles.is_empty() && self.told.is_empty() {
            return Ok(());
        }
        let profiles: Vec<&Profile> = self.profiles.iter().map(|p| &p.1).collect();
        let told: Vec<(&str, &Told)> = self.told.iter().map(|(name, t)| (name.as_str(), t)).collect();
        let found = beside(trace, &profiles, &told).map_err(Failure::of(trace))?;
        for (matched, all) in found.matched().iter().filter(|m| m.0 * 10 < m.1 * 9) {
            let (matched, all) = (text::count(*matched), text::count(*all));
            note(&format!(
                "{}: labels are known by {matched} of the {all} samples of a CPU profile: the others are not in the trace",
                text::escape(trace.name())
            ));
        }
        trace.set_beside(found);
        Ok(())
    }
}

impl OpenArgs {
    /// Tells traces, after each has been read whole, what the files of `--with` say of their goroutines.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, or is a trace.
    pub fn with(&self) -> Result<impl Fn(&Trace) -> Result<()> + use<>> {
        let all = Beside::open(&self.with)?;
        Ok(move |trace: &Trace| all.join(trace))
    }
}

/// Reads a whole trace, with progress on standard error if that is a terminal and it takes a while. An `observer` is shown
/// every event meanwhile.
pub fn load(trace: &Trace, observer: Option<&dyn Observer>) {
    let bar = ProgressBar::new(1000);
    if io::stderr().is_terminal() {
        bar.set_style(ProgressStyle::with_template("reading {percent:>3} % {bar:40} {eta}").expect("a valid template"));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    trace.load_observed(observer, &|part| bar.set_position((part * 1000.0) as u64), &AtomicBool::new(false));
    bar.finish_and_clear();
}

/// Fails if the file of a trace is no longer what it was when it was opened.
pub fn intact(trace: &Trace) -> Result<()> {
    trace.intact().map_err(|cause| Failure::Trace { name: trace.name().to_owned(), cause })
}

/// What became of the files of a command that wants traces. One that is none is a mistake where it is named alone; among
/// others, as a shell's `dir/*` names them, it is said and left out, as those are that are found in a directory.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    named: usize,
    read: bool,
    other: bool,
    failed: bool,
}

impl Tally {
    /// Of so many files on the command line.
    pub fn new(named: usize) -> Tally {
        Tally { named, ..Tally::default() }
    }

    /// A trace was read.
    pub fn read(&mut self) {
        self.read = true;
    }

    /// A file was not, for this reason.
    pub fn failed(&mut self, why: &Failure) {
        match why {
            Failure::NotATrace(_)
            | Failure::Input(InputError {
                kind: InputErrorKind::Unrecognised { .. } | InputErrorKind::Directory { holds: 0 },
                ..
            }) => self.other = true,
            _ => self.failed = true,
        }
    }

    /// [`Exit::BadInput`] if a trace could not be read, or nothing was.
    pub fn exit(self) -> Exit {
        let left_out = self.named > 1 && self.read;
        if self.failed || self.other && !left_out { Exit::BadInput } else { Exit::Done }
    }
}

/// What is said of a trace that has a header and nothing else.
const EMPTY: &str = "the trace holds no events: was trace.Stop called?";

/// What stands between what is printed of one trace and of the next, where there are several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing: what is printed is for programs.
    Nothing,
    /// An empty line. What is printed says itself what was lost of each trace.
    Space,
    /// An empty line, and above each the trace's name.
    Names,
}

impl Between {
    /// Names, where people read.
    pub fn names(format: Format) -> Between {
        if format == Format::Text { Between::Names } else { Between::Nothing }
    }
}

/// Runs `each` on every trace, read whole: of a directory, on every trace directly in it. A file that cannot be opened is
/// reported and does not stop the others; see [`Tally`].
pub fn each_trace(
    paths: &[PathBuf],
    args: &OpenArgs,
    to: (Between, &mut dyn Write),
    each: impl FnMut(&Trace, &mut dyn Write) -> Result<()>,
) -> Result<Exit> {
    each_trace_read(paths, args, to, &|trace| load(trace, None), each)
}

/// The same, where `read` reads each trace.
pub fn each_trace_read(
    paths: &[PathBuf],
    args: &OpenArgs,
    (between, out): (Between, &mut dyn Write),
    read: &dyn Fn(&Trace),
    mut each: impl FnMut(&Trace, &mut dyn Write) -> Result<()>,
) -> Result<Exit> {
    let options = args.options(memory_setting()?);
    let join = args.with()?;
    let (mut exit, mut tally) = (Exit::Done, Tally::new(paths.len()));
    let several = paths.len() > 1 || paths.iter().any(|p| p.is_dir());
    let mut first = true;
    // Who reads both sees what was lost in the results.
    let twice = between == Between::Space && io::stdout().is_terminal() && io::stderr().is_terminal();
    for path in paths {
        // A position is a file to whoever looks at all of it.
        let (path, _) = position::split(path).map_err(Usage::from)?;
        let in_directory = path.is_dir();
        let mut said = Vec::new();
        let files = input::expand(&path, options.limits(), &mut said);
        said.iter().for_each(|s| note(s));
        for file in files {
            let opened = match input::open_within(&file, options.limits()) {
                // Whoever names a directory means what is in it that fits.
                Ok(i) if in_directory && !matches!(i.kind, Kind::Trace { .. }) => {
                    note(&format!("{}: left out, it is no trace", text::escape(&i.name)));
                    continue;
                }
                opened => opened.map_err(Failure::from).and_then(|i| from_input(i, &options)),
            };
            match opened {
                Ok(trace) => {
                    tally.read();
                    read(&trace);
                    join(&trace)?;
                    if let Err(e) = intact(&trace) {
                        note(&e.to_string());
                        exit = Exit::BadInput;
                        continue;
                    }
                    for loss in trace.index().losses.iter().filter(|_| !twice) {
                        note(&format!("{}: {}", text::escape(trace.name()), text::escape(loss)));
                    }
                    if trace.is_empty() {
                        note(&format!("{}: {EMPTY}", text::escape(trace.name())));
                        exit = exit.max(Exit::NothingFound);
                        continue;
                    }
                    if !std::mem::take(&mut first) && between != Between::Nothing {
                        writeln!(out)?;
                    }
                    if several && between == Between::Names {
                        writeln!(out, "{}", text::escape(trace.name()))?;
                    }
                    let done = each(&trace, out);
                    // Why something could not be read says more than that it could not.
                    intact(&trace)?;
                    done?;
                }
                Err(e) => {
                    note(&e.to_string());
                    tally.failed(&e);
                }
            }
        }
    }
    Ok(exit.max(tally.exit()))
}

/// Makes a table of every trace, which `read` reads: prints each below its trace's name, or with `sum` one of all.
pub fn each_table<T>(
    paths: &[PathBuf],
    args: &OpenArgs,
    (format, out): (Format, &mut dyn Write),
    sum: Option<&dyn Fn(Vec<T>) -> T>,
    read: &dyn Fn(&Trace),
    print: impl Fn(&T, &mut dyn Write) -> std::io::Result<()>,
    mut make: impl FnMut(&Trace) -> Result<T>,
) -> Result<Exit> {
    let mut tables = Vec::new();
    let between = if sum.is_some() { Between::Nothing } else { Between::names(format) };
    let exit = each_trace_read(paths, args, (between, out), read, |trace, out| {
        let table = make(trace)?;
        match sum {
            Some(_) => tables.push(table),
            None => print(&table, out)?,
        }
        Ok(())
    })?;
    if let (Some(sum), false) = (sum, tables.is_empty()) {
        print(&sum(tables), out)?;
    }
    Ok(exit)
}
