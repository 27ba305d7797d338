//! The folder in which indexes are kept: reading, writing, listing, and keeping it small.

use super::{About, HEADER, Key, MAGIC};
use crate::base::codec::{Encode, Reader};
use std::ffi::OsString;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Bytes that the files in the folder may take together; the oldest go first.
pub const LIMIT: u64 = 1 << 30;

/// The environment variable that names another folder.
const VARIABLE: &str = "GOTRAIL_CACHE";
/// How the names of finished files end, and of those being written.
const FINISHED: &str = "index";
const UNFINISHED: &str = "unfinished";
/// After this time nobody is writing any more.
const ABANDONED: Duration = Duration::from_secs(3600);
/// How much of a file is read to say what it is about.
const ABOUT: u64 = 8 << 10;

/// A folder of indexes. It is made when something is first written to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    path: PathBuf,
    limit: u64,
}

/// One file of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// When it was written or last used.
    pub used: SystemTime,
    /// As the user named the trace, not escaped; how many bytes it has, and how many events. Nothing if the file is
    /// foreign, damaged or of another version.
    pub trace: Option<(String, u64, u64)>,
}

impl Folder {
    /// The folder at `path`, whose files may take `limit` bytes together.
    pub fn new(path: impl Into<PathBuf>, limit: u64) -> Folder {
        Folder { path: path.into(), limit }
    }

    /// The folder that `GOTRAIL_CACHE` names, or the one in the user's cache directory; nothing if the variable is set
    /// to nothing, or if there is no home directory. `var` is the environment (`std::env::var_os`).
    pub fn of_the_user(var: impl Fn(&str) -> Option<OsString>) -> Option<Folder> {
        use etcetera::BaseStrategy;
        let path = match var(VARIABLE) {
            Some(named) if named.is_empty() => return None,
            Some(named) => named.into(),
            None => etcetera::choose_base_strategy().ok()?.cache_dir().join("gotrail"),
        };
        Some(Folder::new(path, LIMIT))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the user's alone: what is read back is believed, and what is written names functions and messages.
    ///
    /// # Errors
    ///
    /// It is a link, or no folder; or it belongs to, or can be written to by, somebody else. Or it is not there.
    fn own(&self) -> io::Result<()> {
        let meta = fs::symlink_metadata(&self.path)?;
        if !meta.is_dir() {
            return Err(io::Error::other("it is a link or a file, not a folder: indexes are not kept in it"));
        }
        if !is_own(&meta) {
            return Err(io::Error::other("others can write to it: indexes are not kept in it"));
        }
        Ok(())
    }

    fn file(&self, key: Key) -> PathBuf {
        self.path.join(format!("{key}.{FINISHED}"))
    }

    /// The bytes of a trace's file, if it is there and has no more than `most`.
    pub(crate) fn read(&self, key: Key, most: u64) -> Option<Vec<u8>> {
        self.own().ok()?;
        // A name that leads elsewhere is none of ours.
        let named = fs::symlink_metadata(self.file(key)).ok()?;
        let file = File::open(self.file(key)).ok()?;
        let meta = file.metadata().ok()?;
        if !named.is_file() || !meta.is_file() || !is_own(&meta) || meta.len() > most {
            return None;
        }
        let mut bytes = Vec::with_capacity(meta.len() as usize);
        file.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Notes that a trace's file has been used: it will not be the next to go.
    pub(crate) fn used(&self, key: Key) {
        if let Ok(file) = File::options().append(true).open(self.file(key)) {
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// Writes a trace's file in one step, and removes the oldest files as far as the limit asks for it.
    pub(crate) fn write(&self, key: Key, bytes: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if bytes.len() as u64 > self.limit {
            return Ok(());
        }
        create_dir(&self.path)?;
        self.own()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.path.join(format!("{key}.{}-{number}.{UNFINISHED}", std::process::id()));
        let written = create(&unfinished)
            .and_then(|mut f| f.write_all(bytes))
            .and_then(|()| fs::rename(&unfinished, self.file(key)));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written.and_then(|()| self.trim(&self.file(key)))
    }

    /// Removes what is too much, the oldest first, but not `newest`; and what somebody began to write and never
    /// finished.
    fn trim(&self, newest: &Path) -> io::Result<()> {
        let mut files = self.files()?;
        let now = files.iter().map(|f| f.used).max();
        files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let mut total: u64 = files.iter().map(|f| f.bytes).sum();
        for f in files {
            let unfinished = has_extension(&f.path, UNFINISHED);
            let age = now.and_then(|now| now.duration_since(f.used).ok()).unwrap_or_default();
            let remove = if unfinished {
                age > ABANDONED || is_left_over(&f.path)
            } else {
                total > self.limit && f.path != newest
            };
            // Another gotrail may have removed it already.
            if remove && fs::remove_file(&f.path).is_ok() {
                total -= f.bytes;
            }
        }
        Ok(())
    }

    /// Our files, finished or not, without what they are about.
    fn files(&self) -> io::Result<Vec<Entry>> {
        let entries = match fs::read_dir(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let ours = |e: DirEntry| {
            let path = e.path();
            let meta = e.metadata().ok()?;
            let named = has_extension(&path, FINISHED) || has_extension(&path, UNFINISHED);
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            (named && meta.is_file()).then_some(Entry { path, bytes: meta.len(), used, trace: None })
        };
        Ok(entries.flatten().filter_map(ours).collect())
    }

    /// Our files, the last used first.
    ///
    /// # Errors
    ///
    /// If the folder is there and cannot be read.
    pub fn list(&self) -> io::Result<Vec<Entry>> {
        let mut files = self.files()?;
        if fs::symlink_metadata(&self.path).is_ok() {
            self.own()?;
        }
        for f in &mut files {
            f.trace = about(&f.path).map(|a| (a.trace, a.bytes, a.events));
        }
        files.sort_by(|a, b| (b.used, &a.path).cmp(&(a.used, &b.path)));
        Ok(files)
    }

    /// Removes all our files; what else is in the folder stays. Returns how many there were and their bytes.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed.
    pub fn clear(&self) -> io::Result<(usize, u64)> {
        let files = self.files()?;
        for f in &files {
            match fs::remove_file(&f.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok((files.len(), files.iter().map(|f| f.bytes).sum()))
    }
}

/// Whether it belongs to the user, and nobody else can write to it.
#[cfg(unix)]
fn is_own(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

/// Whether whoever began to write a file has ended: its name has the number of the process, and there is no such process
/// where that can be told. (One that cannot be seen from here finds its file gone, and keeps nothing.)
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    let process = name.split('.').nth(1).and_then(|p| p.split('-').next()).and_then(|p| p.parse::<u32>().ok());
    let there = |p: &str| Path::new("/proc").join(p).exists();
    process.is_some_and(|p| there("self") && !there(&p.to_string()))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}

fn about(path: &Path) -> Option<About> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(ABOUT).read_to_end(&mut head).ok()?;
    let mut r = Reader::new(&head);
    let (magic, tag): ([u8; 8], u64) = Encode::decode(&mut r)?;
    if magic == MAGIC && tag == super::tag() { About::decode(&mut Reader::new(head.get(HEADER..)?)) } else { None }
}

/// Makes the folder, for the user's eyes only: traces name functions, files and messages.
pub(in crate::read) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file that is not there yet, for the user's eyes only.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
