//! Reading the profiles that a command line names, and making one of them.

use super::{Fault, ProfileArgs};
use crate::base::text::escape;
use crate::cli::open;
use crate::cli::programs::{self, is_program};
use crate::profile::binary::Binary;
use crate::profile::model::Profile;
use crate::profile::ops::error::MergeError;
use crate::profile::ops::merge;
use std::path::Path;

/// Reads, merges and compares the profiles.
pub(super) fn load(args: &ProfileArgs, files: &[String]) -> Result<Profile, Fault> {
    let mut program = None;
    let mut files = files;
    // As with pprof, the program itself may come first.
    if let [first, rest @ ..] = files
        && !rest.is_empty()
        && is_program(first)
    {
        program = Some(first.as_str());
        files = rest;
    }
    // Why profiles do not go together is said with their own names.
    let apart = |e: MergeError| Fault::input(e.to_string());
    let read_all = |files: &[String]| {
        merge::combine(
            files.iter().map(|f| read(f, program.or(args.sources.binary.as_deref()))).collect::<Result<_, _>>()?,
        )
        .map_err(apart)
    };
    let mut p = read_all(files)?;
    let (base, diff) =
        if args.compare.diff_base.is_empty() { (&args.compare.base, false) } else { (&args.compare.diff_base, true) };
    if !base.is_empty() {
        let base = read_all(base)?;
        if args.compare.normalize {
            merge::normalize(&mut p, &base).map_err(apart)?;
        }
        p = merge::subtract(p, base, diff).map_err(apart)?;
    } else if args.compare.normalize {
        return Err(Fault::usage("--normalize needs --base or --diff_base"));
    }
    p.demangle(args.sources.demangle.into());
    if !args.filter.all_frames {
        p.drop_uninteresting();
    }
    p.forget_servers();
    Ok(p)
}

/// Reads the profiles, and the program that they are of: the one that is named, or else the one that ran, if it is here.
pub(super) fn with_binary(args: &ProfileArgs, files: &[String]) -> Result<(Profile, Binary), Fault> {
    let profile = load(args, files)?;
    let named = files.first().filter(|f| files.len() > 1 && is_program(f));
    let named = args.sources.binary.as_ref().or(named).map(String::as_str);
    let ran = profile.mappings.first().map_or("", |m| profile.str(m.file)).to_string();
    let Some(path) = named.or(Some(&*ran).filter(|f| is_program(f))) else {
        let ran = if ran.is_empty() { "it does not say its name".into() } else { escape(&ran) };
        return Err(Fault::usage(format!("which program was profiled? --binary FILE names it ({ran})")));
    };
    let wrong = |e: &dyn std::fmt::Display| Fault::input(format!("{}: {e}", escape(path)));
    let bytes = programs::bytes(path).map_err(|e| wrong(&e))?;
    Ok((profile, Binary::even_stripped(bytes).map_err(|e| wrong(&e))?))
}

fn read(file: &str, program: Option<&str>) -> Result<Profile, Fault> {
    let (_, mut p) = open::profile(Path::new(file)).map_err(|e| Fault::input(escape(&e.to_string())))?;
    programs::name(&mut p, program);
    Ok(p)
}
