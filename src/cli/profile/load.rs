//! Reading the profiles that a command line names, and making one of them.

use super::{Fault, ProfileArgs};
use crate::base::text::escape;
use crate::cli::open;
use crate::profile::binary::Binary;
use crate::profile::model::Profile;
use crate::profile::ops::error::MergeError;
use crate::profile::ops::merge;
use std::io::Read;
use std::path::Path;

/// The largest program that is read, bytes.
const MAX_BINARY: u64 = 4 << 30;

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
        merge::combine(files.iter().map(|f| read(f, program)).collect::<Result<_, _>>()?).map_err(apart)
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
    p.simplify_names();
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
    let size = std::fs::metadata(path).map_err(|e| wrong(&e))?;
    if !size.is_file() || size.len() > MAX_BINARY {
        return Err(wrong(&"not a file of at most 4 GB"));
    }
    let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
    Ok((profile, Binary::new(bytes).map_err(|e| wrong(&e))?))
}

fn read(file: &str, program: Option<&str>) -> Result<Profile, Fault> {
    let (_, mut p) = open::profile(Path::new(file)).map_err(|e| Fault::input(escape(&e.to_string())))?;
    p.ensure_mapping();
    if let Some(program) = program {
        p.mappings[0].file = p.strings.intern(program);
    }
    Ok(p)
}

/// Whether a file begins like an executable: ELF, Mach-O or PE.
pub(super) fn is_program(file: &str) -> bool {
    let mut magic = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut f| f.read_exact(&mut magic));
    read.is_ok()
        && (&magic == b"\x7fELF"
            || magic.starts_with(b"MZ")
            || matches!(magic, [0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce | 0xcf]))
}
