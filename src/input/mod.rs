//! Opens files: reads or fetches them, unpacks gzip and zstd, and recognises by content what they are.

mod answer;
mod bytes;
mod describe;
mod error;
mod goroutine;
mod header;
pub mod http;
mod kind;
mod other;
mod peek;
mod perf;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod unpack;

pub use bytes::{Bytes, Missing};
pub use error::{InputError, InputErrorKind};
pub use goroutine::{Header, RACE, goroutine, goroutine_in, told_in};
pub use header::{HEADER, behind_text, header, next_header};
pub use kind::{ENOUGH, Kind, recognise};
pub use other::{Other, folded_line};
pub use peek::{Peek, WINDOW};
pub use perf::{PerfLine, perf_line};

use crate::base::memory;
use crate::base::text::{count, escape};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use store::{Stopped, Store};

/// How data is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// gzip, one member or several.
    Gzip,
    /// Zstandard, one frame or several.
    Zstd,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        })
    }
}

/// A file that is open, unpacked and known to be a trace or a profile.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the user named it; "standard input" for `-`; of an address what may be shown. Not escaped.
    pub name: String,
    /// The unpacked bytes.
    pub bytes: Bytes,
    /// What they are. Never [`Kind::Unknown`] or [`Kind::HalfHeader`].
    pub kind: Kind,
    /// How the file was packed, outermost first.
    pub packing: Vec<Packing>,
    /// What was lost on the way, one plain sentence each, safe to show.
    pub notes: Vec<String>,
}

/// Limits on what is taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes that packed data or a stream may come to. Of traces that are files and not
    /// packed only pieces are read; they have no limit.
    pub max_unpacked: u64,
    /// Bytes of these that are held in memory; what comes to more goes into a temporary file, which has no name and is gone
    /// with the program.
    pub in_memory: u64,
}

impl Default for Limits {
    /// Four gigabytes, of them half a gigabyte in memory.
    fn default() -> Self {
        Limits { max_unpacked: 4_000_000_000, in_memory: 500_000_000 }
    }
}

impl Limits {
    /// Those of a program that may use this much memory, in bytes: half of it for what is read.
    pub fn within(memory: u64) -> Limits {
        Limits { in_memory: memory / 2, ..Limits::default() }
    }

    /// Those of this machine, its control groups and limits, where nobody says otherwise.
    pub fn of_this_machine() -> Limits {
        Limits::within(memory::usual())
    }
}

/// Files up to this size are read at once; of larger ones pieces are read when they are wanted.
const SMALL: u64 = 8 << 20;
/// How much of a file is looked at to recognise it, in bytes.
const MOST_LOOKED_AT: usize = 1 << 20;
/// How much of a file in a directory is looked at, in bytes: packed data may have to show a first block of 128 KiB.
const HEAD: u64 = 256 << 10;
/// What `gotrail record` writes of a recording into its folder.
pub const MANIFEST: &str = "gotrail.json";
/// The goroutines as text, in the folder of a recording.
pub const DUMP: &str = "goroutines.txt";
/// What lies in the folder of a recording and is nothing to open.
const BESIDE: [&str; 2] = [MANIFEST, DUMP];
/// What the name of a file of bookmarks adds to that of its trace.
pub const BOOKMARKS: &str = ".bookmarks";
/// How many entries of a directory are looked at.
const MAX_ENTRIES: usize = 4096;
/// How many files that are left out of a directory are told one by one.
const MAX_TOLD: usize = 8;

/// What a name on the command line is called where there is little room: the file's name without its folder, of an
/// address what may be shown.
pub fn called(path: &Path) -> String {
    match http::Url::of(path) {
        Some(url) => url.short(),
        None => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    }
}

/// Opens the file at `path`, or standard input for `-`, or what a server has at an address, unpacks it and recognises it.
///
/// Damaged or cut packed data opens as far as it is whole, with a note. Anything that is neither a trace nor a profile
/// is an error that says what it seems to be.
pub fn open(path: impl AsRef<Path>) -> Result<Input, InputError> {
    open_within(path, Limits::of_this_machine())
}

/// [`open`] with limits of the caller's.
pub fn open_within(path: impl AsRef<Path>, limits: Limits) -> Result<Input, InputError> {
    let path = path.as_ref();
    if path == Path::new("-") {
        return read("standard input", io::stdin().lock(), limits);
    }
    if let Some(url) = http::Url::of(path) {
        return fetched(&url, limits);
    }
    let name = path.to_string_lossy().into_owned();
    match open_path(path, limits) {
        Ok(Source::Whole(bytes)) => from_bytes(&name, bytes, limits),
        Ok(Source::Stream(file)) => read(&name, file, limits),
        Err(kind) => Err(InputError { name, kind }),
    }
}

/// What a server has at an address. An answer that breaks off is taken as far as it came, and that is noted.
fn fetched(url: &http::Url, limits: Limits) -> Result<Input, InputError> {
    let name = url.to_string();
    let (bytes, cut) = http::fetch(url, limits.max_unpacked.min(limits.in_memory.saturating_mul(2)))
        .map_err(|e| InputError { name: name.clone(), kind: InputErrorKind::Http(e) })?;
    let len = bytes.len() as u64;
    let mut input = from_bytes(&name, Bytes::Memory(bytes.into()), limits)?;
    if cut {
        input.notes.insert(0, http::HttpError::CutOff(len).to_string());
    }
    Ok(input)
}

enum Source {
    Whole(Bytes),
    Stream(File),
}

fn open_path(path: &Path, limits: Limits) -> Result<Source, InputErrorKind> {
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        return Err(InputErrorKind::Directory { holds: recognised_in(path, limits, &mut Vec::new())?.len() });
    }
    if let Some(special) = special(&about) {
        return Err(InputErrorKind::Special(special));
    }
    let mut file = File::open(path)?;
    // Ask the open file, not the name, which may mean another file by now.
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(Source::Stream(file));
    }
    if about.len() <= SMALL {
        let mut bytes = Vec::new();
        file.by_ref().take(SMALL).read_to_end(&mut bytes)?;
        return Ok(Source::Whole(Bytes::Memory(bytes.into())));
    }
    Ok(Source::Whole(Bytes::of_file(file)?))
}

#[cfg(unix)]
fn special(about: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let t = about.file_type();
    if t.is_block_device() {
        Some("a block device")
    } else if t.is_socket() {
        Some("a socket")
    } else {
        // Character devices are streams: /dev/stdin, /dev/fd/N and /dev/null are names that people use.
        None
    }
}

#[cfg(not(unix))]
fn special(_: &std::fs::Metadata) -> Option<&'static str> {
    None
}

/// What a name on the command line stands for: itself, or, for a directory, every trace and profile directly in it,
/// sorted by name. A directory that holds none stands for itself, and gives its error when it is opened.
///
/// What was left out is appended to `said`, a plain sentence each, safe to show.
pub fn expand(path: &Path, limits: Limits, said: &mut Vec<String>) -> Vec<PathBuf> {
    if path.is_dir() {
        let mut left_out = Vec::new();
        let found = recognised_in(path, limits, &mut left_out).unwrap_or_default();
        if !found.is_empty() {
            said.append(&mut left_out);
            return found;
        }
    }
    vec![path.to_path_buf()]
}

/// The dump of goroutines in the folder of a recording, which [`expand`] leaves out because a trace says more; it says
/// something of a trace's goroutines.
pub fn dump_in(path: &Path) -> Option<PathBuf> {
    let dump = path.join(DUMP);
    (path.join(MANIFEST).is_file() && dump.is_file()).then_some(dump)
}

/// Opens every file, and for a directory every trace and profile directly in it, sorted by name.
///
/// One result for each file named and each found; a directory that holds none gives its error.
pub fn open_all<P: AsRef<Path>>(paths: &[P], limits: Limits) -> Vec<Result<Input, InputError>> {
    let all = paths.iter().flat_map(|p| expand(p.as_ref(), limits, &mut Vec::new()));
    all.map(|p| open_within(p, limits)).collect()
}

/// The plain files directly in `dir` whose beginning is that of a trace or a profile, sorted by name. The others, but for
/// directories, are told in `said`.
fn recognised_in(dir: &Path, limits: Limits, said: &mut Vec<String>) -> Result<Vec<PathBuf>, InputErrorKind> {
    // The first by name, of however many there are.
    let (mut first, mut more) = (BTreeSet::new(), 0u64);
    for entry in std::fs::read_dir(dir)?.filter_map(Result::ok) {
        first.insert(entry.path());
        if first.len() > MAX_ENTRIES {
            first.pop_last();
            more += 1;
        }
    }
    let mut names: Vec<PathBuf> = first.into_iter().collect();
    let mut left_out = 0;
    let recorded = dir.join(MANIFEST).is_file();
    names.retain(|p| {
        if recorded && p.file_name().is_some_and(|n| BESIDE.iter().any(|b| n == *b)) {
            return false;
        }
        let why = match p.metadata() {
            Ok(about) if about.is_dir() => return false,
            Ok(about) if about.is_file() => match recognised(p, limits) {
                Ok(()) => return true,
                Err(_) if p.to_string_lossy().ends_with(BOOKMARKS) => return false,
                Err(why) => why.to_string(),
            },
            // To open a pipe would be to wait for whoever writes to it.
            Ok(_) => "it is not a file".to_string(),
            Err(e) => InputErrorKind::from(e).to_string(),
        };
        left_out += 1;
        if left_out <= MAX_TOLD {
            said.push(format!("{}: left out: {}", escape(&p.to_string_lossy()), escape(&why)));
        }
        false
    });
    let dir = dir.to_string_lossy();
    if left_out > MAX_TOLD {
        said.push(format!("{}: {} more files left out", escape(&dir), left_out - MAX_TOLD));
    }
    if more > 0 {
        said.push(format!("{}: the last {} of its entries were not looked at", escape(&dir), count(more)));
    }
    Ok(names)
}

/// Whether the file begins like a trace or a profile; if not, why.
fn recognised(path: &Path, limits: Limits) -> Result<(), InputErrorKind> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    // The head of a packed file is packed data that is cut off, and opens as far as it goes.
    from_bytes("", Bytes::Memory(head.into()), limits).map(|_| ()).map_err(|e| e.kind)
}

/// Reads a stream to its end, unpacks and recognises it. A stream that begins like nothing known is not read further.
pub fn read(name: &str, mut from: impl Read, limits: Limits) -> Result<Input, InputError> {
    let fail = |kind| InputError { name: name.to_string(), kind };
    let mut bytes = Vec::new();
    from.by_ref().take(ENOUGH as u64).read_to_end(&mut bytes).map_err(|e| fail(e.into()))?;
    // What a text tells may come late in it.
    let headers = bytes.starts_with(b"HTTP/");
    if unpack::packing(&bytes).is_none() && text::utf16(&bytes).is_none() && !kind::may_be_log(&bytes) && !headers {
        known(recognise(&bytes), &bytes).map_err(fail)?;
    }
    let mut store = Store::new(limits.in_memory);
    store.add(&bytes).map_err(fail)?;
    match store.fill(&mut from, limits.max_unpacked) {
        Ok(()) => from_bytes(name, store.finish().map_err(fail)?, limits),
        Err(Stopped::TooMuch) => Err(fail(InputErrorKind::TooLarge(limits.max_unpacked))),
        Err(Stopped::Source(e)) => Err(fail(e.into())),
        Err(Stopped::Store(e)) => Err(fail(e)),
    }
}

/// Unpacks and recognises bytes that are there already. `name` is for messages.
pub fn from_bytes(name: &str, mut bytes: Bytes, limits: Limits) -> Result<Input, InputError> {
    let fail = |kind| InputError { name: name.to_string(), kind };
    let mut packing = Vec::new();
    let mut notes = Vec::new();
    // Text before a trace is the business of whoever reads the trace.
    let head = bytes.get(0..MOST_LOOKED_AT);
    if head.starts_with(b"HTTP/") && behind_text(&head).is_none() {
        if bytes.len() as u64 > limits.max_unpacked {
            return Err(fail(InputErrorKind::TooLarge(limits.max_unpacked)));
        }
        if let Some(saved) = answer::saved(&bytes.all()) {
            let saved = saved.map_err(fail)?;
            bytes = Bytes::Memory(saved.body.into());
            notes.extend(saved.note);
        }
    }
    while let Some(how) = unpack::packing(&bytes.get(0..ENOUGH)) {
        if packing.len() == 2 {
            return Err(fail(InputErrorKind::PackedTooOften));
        }
        let unpacked = unpack::unpack(how, &bytes, limits).map_err(fail)?;
        bytes = unpacked.bytes;
        packing.push(how);
        notes.extend(unpacked.note);
    }
    if text::utf16(&bytes.get(0..2)).is_some() {
        if bytes.len() as u64 > limits.max_unpacked {
            return Err(fail(InputErrorKind::TooLarge(limits.max_unpacked)));
        }
        if let Some(utf8) = text::utf16(&bytes.all()) {
            bytes = Bytes::Memory(utf8.into());
        }
    }
    let kind = match bytes.held() {
        Some(all) => known(recognise(all), all),
        None => {
            let head = bytes.get(0..MOST_LOOKED_AT);
            known(recognise(&head), &head)
        }
    }
    .map_err(fail)?;
    // Only traces are read in pieces.
    if !matches!(kind, Kind::Trace { .. }) && bytes.held().is_none() {
        if bytes.len() as u64 > limits.max_unpacked {
            return Err(fail(InputErrorKind::TooLarge(limits.max_unpacked)));
        }
        let loaded = bytes.load();
        notes.extend(bytes.missing().map(|m| m.what.clone()));
        bytes = loaded;
    }
    Ok(Input { name: name.to_string(), bytes, kind, packing, notes })
}

/// `kind` if it is one that can be opened.
fn known(kind: Kind, bytes: &[u8]) -> Result<Kind, InputErrorKind> {
    match kind {
        _ if bytes.is_empty() => Err(InputErrorKind::Empty),
        Kind::HalfHeader => Err(InputErrorKind::HalfHeader(bytes.len() as u64)),
        Kind::Unknown { what, hint } => Err(InputErrorKind::Unrecognised { what, hint }),
        kind => Ok(kind),
    }
}
