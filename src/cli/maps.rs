//! `gotrail maps`.

use super::observe;
use super::open::{self, OpenArgs};
use super::{Exit, Failure, Format, Result, Usage, note, programs};
use crate::analysis::maps::ladder::{Layout, Unit};
use crate::analysis::maps::{Files, Maps, Types, heap, of_profiles, of_trace};
use crate::analysis::waits::contention::contention;
use crate::base::text;
use crate::input::{self, Kind, Limits};
use crate::profile::binary::Binary;
use crate::profile::model::Profile;
use crate::report;
use clap::Args;
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct MapsArgs {
    /// A trace with CPU samples, CPU profiles, heap profiles, or any of these of one run; a program, for its types
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: OpenArgs,
    /// The program that was profiled: its code tells how large keys and values are (amd64; may be stripped)
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The version of Go that built the program, if the profiles do not tell: 1.23
    #[arg(long, value_name = "VERSION", value_parser = minor)]
    go: Option<u32>,
    /// How many lines to print (text)
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The minor version of `1.24`, `go1.24.3` or `24`.
fn minor(text: &str) -> std::result::Result<u32, String> {
    let version = text.strip_prefix("go").unwrap_or(text);
    let rest = version.strip_prefix("1.").unwrap_or(version);
    let digits = rest.split('.').next().unwrap_or("");
    digits.parse().map_err(|_| format!("{text} is no version of Go, such as 1.24"))
}

/// A profile and its name.
type Named = (String, Profile);

/// What was opened.
#[derive(Default)]
struct Opened {
    trace: Option<PathBuf>,
    cpu: Vec<Named>,
    heap: Vec<Named>,
    types: Option<Types>,
}

pub fn run(args: &MapsArgs, out: &mut dyn Write) -> Result<Exit> {
    let mut opened = Opened::default();
    if let Some(path) = &args.binary {
        opened.types = Some(types(path)?);
    }
    let mut said = Vec::new();
    let files: Vec<PathBuf> =
        args.files.iter().flat_map(|p| input::expand(p, Limits::of_this_machine(), &mut said)).collect();
    said.iter().for_each(|s| note(s));
    for path in files {
        opened.add(&path)?;
    }
    fn named(of: &[Named]) -> Vec<(&str, &Profile)> {
        of.iter().map(|(name, p)| (name.as_str(), p)).collect()
    }
    let trace_name = opened.trace.as_ref().map(|p| input::called(p));
    let files = Files {
        trace: trace_name.as_deref(),
        cpu: named(&opened.cpu),
        heap: named(&opened.heap),
        types: opened.types.as_ref(),
        go: args.go,
    };
    let print = |maps: &Maps, out: &mut dyn Write| match args.format {
        Format::Json => report::json::write(&report::schema::maps::Json::of(maps), out),
        Format::Text => report::maps::write(maps, args.limit, out),
    };
    let mut found = false;
    let mut exit = Exit::Done;
    match &opened.trace {
        None => {
            let maps = of_profiles(&files);
            found = !maps.lines.is_empty();
            print(&maps, out)?;
        }
        Some(path) => {
            let kept = RefCell::new(None);
            let between = open::Between::names(args.format);
            let (paths, read) = (std::slice::from_ref(path), observe::keeping(&kept));
            exit = open::each_trace_read(paths, &args.open, (between, out), &read, |trace, out| {
                let locks = contention(trace, kept.take().as_ref()).map_err(Failure::of(trace))?;
                let maps = of_trace(trace, &locks, &files).map_err(Failure::of(trace))?;
                found = !maps.lines.is_empty();
                Ok(print(&maps, out)?)
            })?;
        }
    }
    Ok(if exit == Exit::Done && !found { Exit::NothingFound } else { exit })
}

/// The types of maps in a program.
fn types(path: &Path) -> Result<Types> {
    let name = || text::escape(&path.to_string_lossy()).into_owned();
    let wrong = |e: &dyn std::fmt::Display| Failure::Unusable { name: name(), message: e.to_string() };
    let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
    let binary = Binary::even_stripped(bytes).map_err(|e| wrong(&e))?;
    let mut types = Types::new(binary.go_version().filter(|v| v.0 == 1).map(|v| Layout::of(v.1)));
    for a in binary.map_assignments() {
        types.add(&a.file, a.line, Unit { bytes: a.unit, pointers: a.pointers });
    }
    if types.is_empty() {
        note(&format!("{}: its code tells no types of maps; they are read from Go programs for amd64", name()));
    }
    Ok(types)
}

impl Opened {
    fn add(&mut self, path: &Path) -> Result<()> {
        if programs::is_program(path) {
            self.types = Some(types(path)?);
            return Ok(());
        }
        let input = input::open(path)?;
        if matches!(input.kind, Kind::Trace { .. }) {
            if self.trace.is_some() {
                return Err(Usage::SecondTrace(input.name).into());
            }
            self.trace = Some(path.to_owned());
            return Ok(());
        }
        let (name, mut profile) = open::profile_in(input)?;
        profile.simplify_names();
        let cpu = profile.sample_types.iter().any(|t| profile.str(t.kind) == "cpu");
        if heap::is_heap(&profile) {
            self.heap.push((input::called(path), profile));
        } else if cpu {
            self.cpu.push((input::called(path), profile));
        } else {
            note(&format!("{}: left out, it is a profile of neither the CPU nor the heap", text::escape(&name)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for text in ["1.24", "go1.24.3", "24", "1.24.11"] {
            assert_eq!(minor(text), Ok(24), "{text}");
        }
        assert!(minor("new").is_err() && minor("").is_err());
    }
}
