//! `gotrail cache`.

use super::{Exit, Result, Usage};
use crate::base::text;
use crate::read::persist::{Folder, LIMIT};
use clap::{Args, ValueEnum};
use std::io::Write;

#[derive(Args)]
pub struct CacheArgs {
    /// What to do
    #[arg(value_enum, default_value = "list")]
    action: Action,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Print what is kept, the last used first
    List,
    /// Remove all of it
    Clear,
    /// Print where it is
    Path,
}

pub fn run(args: &CacheArgs, out: &mut dyn Write) -> Result<Exit> {
    let folder = Folder::of_the_user(|v| std::env::var_os(v)).ok_or(Usage::NoCache)?;
    let place = text::escape(&folder.path().to_string_lossy()).into_owned();
    match args.action {
        Action::Path => writeln!(out, "{place}")?,
        Action::List => list(&folder, &place, out)?,
        Action::Clear => {
            let (files, bytes) = folder.clear()?;
            writeln!(out, "removed {files} files, {}, from {place}", text::bytes(bytes))?;
        }
    }
    Ok(Exit::Done)
}

fn list(folder: &Folder, place: &str, out: &mut dyn Write) -> Result<()> {
    let entries = folder.list()?;
    for e in &entries {
        let size = text::bytes(e.bytes);
        match &e.trace {
            Some((name, bytes, events)) => {
                let (bytes, events) = (text::bytes(*bytes), text::count(*events));
                writeln!(out, "{size:>10}  {}  {bytes}, {events} events", text::escape(name))?;
            }
            None => {
                let file = e.path.file_name().unwrap_or_default().to_string_lossy();
                writeln!(out, "{size:>10}  {}  of another version, or not finished", text::escape(&file))?;
            }
        }
    }
    let total = text::bytes(entries.iter().map(|e| e.bytes).sum());
    writeln!(out, "{} files, {total} of at most {}, in {place}", entries.len(), text::bytes(LIMIT))?;
    Ok(())
}
