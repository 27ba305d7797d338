//! Why a command ends without having done what it was asked to, and with which exit code.

use super::Exit;
use super::position::PositionError;
use crate::analysis::states::source::Unanswered;
use crate::base::spell;
use crate::base::text::escape;
use crate::config::ConfigError;
use crate::input::InputError;
use crate::profile::ops::error::MergeError;
use crate::query::{CompileError, QueryError};
use crate::read::Trace;
use crate::wire::error::Error as TraceError;
use std::io;
use std::path::PathBuf;

/// Lines that stand below a message, apart from the name of the program before it.
pub(super) fn indented(lines: &str) -> String {
    lines.lines().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n")
}

/// What a command gives.
pub(super) type Result<T> = std::result::Result<T, Failure>;

/// Why a command ended early. Its text is a sentence without the program's name; it is escaped line by line where it is
/// printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The arguments make no sense.
    #[error(transparent)]
    Usage(#[from] Usage),
    /// A file cannot be opened, or is neither a trace nor a profile.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A profile where a trace is wanted.
    #[error("{}: this is a profile, and this command wants an execution trace", escape(.0))]
    NotATrace(String),
    /// A trace where a profile is wanted.
    #[error(
        "{}: this is an execution trace, and a profile is wanted; `gotrail profile` makes profiles of one", escape(.0)
    )]
    NotAProfile(String),
    /// None of several files is of use.
    #[error("none of the files is an execution trace or a profile")]
    NothingToShow,
    /// A trace that cannot be read.
    #[error("{}: {cause}", escape(name))]
    Trace {
        /// What the file is called.
        name: String,
        /// What is wrong.
        cause: TraceError,
    },
    /// A part of a trace that cannot be decoded again.
    #[error(transparent)]
    Segment(#[from] TraceError),
    /// A profile that cannot be read.
    #[error("{}: {cause}", escape(name))]
    Profile {
        /// What the file is called.
        name: String,
        /// What is wrong.
        cause: crate::profile::wire::Error,
    },
    /// A profile that cannot be used, in its own words.
    #[error("{}: {message}", escape(name))]
    Unusable {
        /// What the file is called.
        name: String,
        /// Why not.
        message: String,
    },
    /// Profiles that do not go together.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// An analysis that has no answer for a trace.
    #[error("{}: {cause}", escape(name))]
    Unanswered {
        /// What the trace is called.
        name: String,
        /// Why not.
        cause: Unanswered,
    },
    /// An analysis that cannot be made of this input, in its own words.
    #[error("{0}")]
    Analysis(String),
    /// A server that does not answer.
    #[error("{}: {cause}", escape(url))]
    Server {
        /// Its address, as it may be shown.
        url: String,
        /// What is wrong.
        cause: crate::input::http::HttpError,
    },
    /// A folder for a recording that cannot be had.
    #[error(transparent)]
    Folder(#[from] crate::record::FolderError),
    /// A file of settings that cannot be read.
    #[error("{}: {cause}", escape(&path.to_string_lossy()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file that cannot be written.
    #[error("writing {}: {cause}", escape(&path.to_string_lossy()))]
    Output {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Standard output, or whatever else stands for it.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// The viewer's terminal.
    #[error("{0:#}")]
    Viewer(anyhow::Error),
}

impl Failure {
    /// Why an analysis has no answer for a trace.
    pub(super) fn of(trace: &Trace) -> impl Fn(Unanswered) -> Failure + '_ {
        |cause| Failure::Unanswered { name: trace.name().to_owned(), cause }
    }

    /// The exit code that says so.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_) | Failure::Folder(crate::record::FolderError::InUse(_)) => Exit::Usage,
            _ => Exit::BadInput,
        }
    }

    /// Whether whoever reads our output has had enough: `gotrail events | head` ends well.
    pub(super) fn is_broken_pipe(&self) -> bool {
        let broken = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
        match self {
            Failure::Write(e) => broken(e),
            Failure::Viewer(e) => e.chain().any(|c| c.downcast_ref::<io::Error>().is_some_and(broken)),
            _ => false,
        }
    }
}

/// A mistake in the arguments, or in the settings, that clap cannot see.
#[derive(Debug, thiserror::Error)]
pub(super) enum Usage {
    /// `why`, and nothing that is asked about.
    #[error(
        "why what? Name a goroutine (-g 27), a task, a region or a span (--span), a position (trace.out@812ms:g8), or --slow"
    )]
    NothingAsked,
    /// `why` of several positions.
    #[error("one position at a time")]
    OnePosition,
    /// `--from` and `--to` of what has a beginning and an end of its own.
    #[error("--from and --to go with --goroutine, --span or --slow")]
    WindowOfNothing,
    /// A query that is none: shown with a mark under the place, on lines of its own.
    #[error("{error}\n{}", indented(&error.span.mark(text)))]
    Query {
        /// The query.
        text: String,
        /// What is wrong with it.
        error: QueryError,
    },
    /// A name that no JSON output has.
    #[error("no JSON output is called {}: {known}{}", escape(name), spell::hint_nearest(name, known.split(", ")))]
    NoSuchOutput {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A query that is too large for this trace.
    #[error(transparent)]
    Pattern(#[from] CompileError),
    /// `--from` and `--to` the wrong way round.
    #[error("--from is not before --to")]
    EmptyWindow,
    /// Settings that cannot be used.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// Keys in the settings that cannot be used.
    #[error("settings: {}", .0.join("; "))]
    Bindings(Vec<String>),
    /// `--keys` that cannot be played.
    #[error("--keys: {0}")]
    Keys(String),
    /// The viewer without a terminal.
    #[error("the viewer needs a terminal; `gotrail summary` and `gotrail snapshot` do without one")]
    NoTerminal,
    /// What is no file is nearly the name of a command.
    #[error("there is neither a file nor a command `{word}`{}", spell::hint(&format!("gotrail {command}")))]
    NoSuchCommand {
        /// What was written.
        word: String,
        /// What was probably meant.
        command: String,
    },
    /// A command or an option of another tool.
    #[error("there is no `{}`; {instead}", escape(word))]
    NotHere {
        /// What was written.
        word: String,
        /// What there is.
        instead: &'static str,
    },
    /// No recording of the kernel's beside a trace.
    #[error("name a trace and what `perf script --ns --header` prints: gotrail kernel trace.out perf.txt")]
    NoPerf,
    /// A profile for a terminal.
    #[error("a profile is no text: name a file with -o FILE, or redirect the output")]
    NoText,
    /// What stands behind a trace's name and an `@` is no position.
    #[error(transparent)]
    Position(#[from] PositionError),
    /// A task's number that is none.
    #[error("`{0}` is not a task's number, such as #7")]
    TaskNumber(String),
    /// A rule of findings that there is not.
    #[error("there is no rule `{}`; the rules are {known}{}", escape(name), spell::hint_nearest(name, known.split(", ")))]
    NoSuchRule {
        /// What was written.
        name: String,
        /// The rules, with commas.
        known: String,
    },
    /// A file of thresholds that cannot be used.
    #[error("{}: {cause}", escape(&path.to_string_lossy()))]
    Thresholds {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: crate::analysis::findings::ThresholdError,
    },
    /// Nothing to compare with.
    #[error("--base needs a profile to compare: gotrail new.pb.gz --base old.pb.gz")]
    NothingToCompare,
    /// A second trace among the profiles.
    #[error("{}: a second trace; name one trace, and profiles of its run", escape(.0))]
    SecondTrace(String),
    /// SQL that is none, or more than a query: shown with a mark under the place, if that is known.
    #[cfg(feature = "sql")]
    #[error("{message}{}", at.map_or(String::new(), |at| format!("\n{}", indented(&at.mark(text)))))]
    Sql {
        /// What is wrong with it.
        message: String,
        /// The query.
        text: String,
        /// The place.
        at: Option<crate::base::Span>,
    },
    /// What cannot be exported in this way, in a sentence.
    #[error("{0}")]
    Export(String),
    /// An address that is none. It is not shown: it may hold a secret.
    #[error("what to record is an address: http://host:6060, https://host/prefix, or unix:/run/app.sock")]
    NoAddress,
    /// A header that is none.
    #[error("{0}")]
    Header(String),
    /// A limit of `--fail-on` that is none.
    #[error("{0}")]
    Limit(String),
    /// Nothing to compare traces with.
    #[error("diff compares two sides: gotrail diff before.out -- after.out")]
    OneSide,
    /// Nothing is kept between runs.
    #[error("there is no cache: GOTRAIL_CACHE is set to nothing, or there is no home directory")]
    NoCache,
}
