//! `top`, `tree`, `peek`, `list`, `traces`, `tags`, `raw`, `comments`, `disasm` and `proto`: pprof's reports with pprof's options.

mod args;
mod load;
mod sources;

pub use args::{CompareArgs, DemangleArg, FilterArgs, GranularityArg, ProfileArgs, ShapeArgs, SourceArgs, ValueArgs};

pub use super::Exit;
use crate::base::text::escape;
use crate::profile::ops::merge;
use crate::profile::ops::pattern::Pattern;
use crate::profile::wire::encode_gzip;
use crate::report::pprof::{self, Command, Report};
use sources::Sources;
use std::io::Write;
use std::sync::Arc;

/// The profile, merged, compared and filtered as the options ask, in pprof's format, gzipped. Warnings and faults that the
/// user can mend go to `err`.
///
/// # Errors
/// If `err` cannot be written.
pub fn proto(args: &ProfileArgs, err: &mut dyn Write) -> std::io::Result<Result<Vec<u8>, Exit>> {
    match prepare(Kind::Raw, args) {
        Err(fault) => {
            writeln!(err, "gotrail: {}", fault.message)?;
            Ok(Err(fault.exit))
        }
        Ok((_, report)) => {
            for w in &report.warnings {
                writeln!(err, "gotrail: {w}")?;
            }
            let Ok(p) = merge::compact(&report.profile) else { return Ok(Err(Exit::BadInput)) };
            Ok(Ok(encode_gzip(&p.to_wire())))
        }
    }
}

/// Which report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `top`
    Top,
    /// `tree`
    Tree,
    /// `peek REGEX`
    Peek,
    /// `list REGEX`
    List,
    /// `traces`
    Traces,
    /// `tags`
    Tags,
    /// `raw`
    Raw,
    /// `comments`
    Comments,
    /// `disasm REGEX`
    Disasm,
}

/// Prints a report to `out`; warnings and faults that the user can mend to `err`.
///
/// # Errors
/// If `out` or `err` cannot be written.
pub fn run(kind: Kind, args: &ProfileArgs, out: &mut dyn Write, err: &mut dyn Write) -> std::io::Result<Exit> {
    match prepare(kind, args) {
        Err(fault) => {
            writeln!(err, "gotrail: {}", fault.message)?;
            Ok(fault.exit)
        }
        Ok((command, mut report)) => {
            for w in &report.warnings {
                writeln!(err, "gotrail: {w}")?;
            }
            let mut sources = Sources::new(args.sources.source_path.as_deref(), args.sources.trim_path.as_deref());
            match report.write(&command, &mut sources, out) {
                Ok(()) => Ok(Exit::Done),
                Err(e @ pprof::Error::NoMatch(_)) => {
                    writeln!(err, "gotrail: {}", escape(&e.to_string()))?;
                    Ok(Exit::NothingFound)
                }
                Err(e @ pprof::Error::NoSamples(_)) => {
                    writeln!(err, "gotrail: {e}")?;
                    Ok(Exit::NothingFound)
                }
                Err(e @ pprof::Error::Program(_)) => {
                    writeln!(err, "gotrail: {e}")?;
                    Ok(Exit::BadInput)
                }
                Err(pprof::Error::Write(e)) => Err(e),
            }
        }
    }
}

/// What the user has to mend.
struct Fault {
    exit: Exit,
    message: String,
}

impl Fault {
    fn usage(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Usage, message: message.into() }
    }

    fn input(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::BadInput, message: message.into() }
    }
}

fn prepare(kind: Kind, args: &ProfileArgs) -> Result<(Command, Report), Fault> {
    let options = args.options().map_err(Fault::usage)?;
    if !args.compare.base.is_empty() && !args.compare.diff_base.is_empty() {
        return Err(Fault::usage("--base and --diff_base cannot both be given"));
    }
    let mut files = args.files.as_slice();
    // A single argument is the profile, and everything matches.
    let mut pattern = "";
    let several = files.len() > 1 && !(kind == Kind::Disasm && crate::cli::programs::is_program(&files[0]));
    if matches!(kind, Kind::Peek | Kind::List | Kind::Disasm) && several {
        pattern = &files[0];
        files = &files[1..];
    }
    let pattern = Pattern::new(pattern).map_err(|e| Fault::usage(format!("parsing argument regexp {pattern}: {e}")))?;
    let command = match kind {
        Kind::Top => Command::Top,
        Kind::Tree => Command::Tree,
        Kind::Peek => Command::Peek(pattern),
        Kind::List => Command::List(pattern),
        Kind::Traces => Command::Traces,
        Kind::Tags => Command::Tags,
        Kind::Raw => Command::Raw,
        Kind::Comments => Command::Comments,
        Kind::Disasm => {
            let (profile, binary) = load::with_binary(args, files)?;
            let command = Command::Disasm(pattern, Arc::new(binary));
            let report = Report::new(profile, &command, &options).map_err(Fault::usage)?;
            return Ok((command, report));
        }
    };
    let profile = load::load(args, files)?;
    let report = Report::new(profile, &command, &options).map_err(Fault::usage)?;
    Ok((command, report))
}
