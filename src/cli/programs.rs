//! Programs on the command line and on this machine, of which a profile may be.

use super::note;
use crate::base::text::escape;
use crate::profile::binary::{Binary, symbolise};
use crate::profile::model::Profile;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest program that is read, bytes.
const MAX_BINARY: u64 = 4 << 30;

/// Whether a file begins like an executable: ELF, Mach-O or PE.
pub(super) fn is_program(file: impl AsRef<Path>) -> bool {
    let mut magic = [0; 4];
    let path = file.as_ref();
    // To open a pipe would be to wait for whoever writes to it.
    let read = path.is_file().then(|| std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut magic)));
    read.is_some_and(|r| r.is_ok())
        && (&magic == b"\x7fELF"
            || magic.starts_with(b"MZ")
            || matches!(magic, [0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce | 0xcf]))
}

/// The bytes of a program.
pub(super) fn bytes(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(&path)?;
    if !about.is_file() || about.len() > MAX_BINARY {
        return Err(io::Error::other("not a file of at most 4 GB"));
    }
    std::fs::read(path)
}

/// Says that a profile is of `program`, if one is named, and names the places that have nothing but an address by the
/// programs and libraries at hand: the one that is named, or those that were mapped, with the build id that the profile
/// says. Of a library that is here with another build id that is said.
pub(super) fn name(p: &mut Profile, program: Option<&str>) {
    p.ensure_mapping();
    if let Some(program) = program {
        p.mappings[0].file = p.strings.intern(program);
    }
    symbolise(p, &mut |file, build_id| {
        // A name on the command line is one that is meant.
        let named = program == Some(file);
        for path in candidates(file, build_id) {
            let Some(binary) = is_program(&path).then(|| bytes(&path).ok()).flatten() else { continue };
            let Ok(binary) = Binary::with_debug_file(binary, debug_file) else { continue };
            let ids = (binary.build_id(), build_id);
            if named || ids.0.is_empty() || ids.1.is_empty() || ids.0.eq_ignore_ascii_case(ids.1) {
                return Some(binary);
            }
            note(&format!(
                "{}: is not the file that was mapped, it has another build id: its addresses stay without names",
                escape(&path.to_string_lossy())
            ));
        }
        None
    });
}

/// What distributions have as debug information of the program or library with a build id, if it is installed: where GDB,
/// perf and addr2line look (GDB's manual, "Debugging Information in Separate Files").
fn debug_file(build_id: &str) -> Option<Vec<u8>> {
    let (folder, name) = build_id.split_at_checked(2)?;
    bytes(Path::new("/usr/lib/debug/.build-id").join(folder).join(format!("{name}.debug"))).ok()
}

/// Where a file with a build id may be: under its name, and where pprof looks, in the folders of `PPROF_BINARY_PATH` or in
/// `~/pprof/binaries`, by name or in a folder of the build id's name.
fn candidates(file: &str, build_id: &str) -> Vec<PathBuf> {
    let path = Path::new(file);
    let mut out = Vec::new();
    if !file.is_empty() && !file.starts_with('[') {
        out.push(path.to_owned());
    }
    let folders = match std::env::var_os("PPROF_BINARY_PATH") {
        Some(folders) => std::env::split_paths(&folders).collect(),
        None => std::env::home_dir().map(|h| vec![h.join("pprof/binaries")]).unwrap_or_default(),
    };
    let Some(name) = path.file_name().filter(|_| !file.starts_with('[')) else { return out };
    // A build id out of a file is no path.
    let id = Some(build_id).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit()));
    for folder in folders {
        out.extend(id.map(|id| folder.join(id).join(name)));
        out.push(folder.join(name));
    }
    out
}
