//! `gotrail proto`.

use super::files::Files;
use super::profile::{self, ProfileArgs};
use super::{Exit, Failure, Result, Usage};
use clap::Args;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct ProtoArgs {
    #[command(flatten)]
    profile: ProfileArgs,
    /// The file to write; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the profile to its file, or to standard output, where a terminal would make nothing of it.
pub(super) fn run(args: &ProtoArgs, out: &mut dyn Write) -> Result<Exit> {
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(Usage::NoText.into());
    }
    let bytes = match profile::proto(&args.profile, &mut io::stderr())? {
        Ok(bytes) => bytes,
        Err(exit) => return Ok(exit),
    };
    let Some(path) = &args.output else {
        out.write_all(&bytes)?;
        return Ok(Exit::Done);
    };
    let wrong = |cause| Failure::Output { path: path.clone(), cause };
    let inputs: Vec<PathBuf> = args.profile.files.iter().map(PathBuf::from).collect();
    let mut files = Files::beside(&inputs);
    let mut file = files.create(path).map_err(wrong)?;
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(wrong)?;
    drop(file);
    files.finish().map_err(wrong)?;
    Ok(Exit::Done)
}
