//! The files that a trace's bookmarks are in.

use super::{Bookmark, Edit, Lines};
use crate::input::BOOKMARKS;
use crate::read::persist::create_dir;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most bytes of a file: what is larger is no file of bookmarks, or not one that anybody reads.
const LARGEST: u64 = 1 << 20;
/// How often it is tried again when somebody else has changed the file meanwhile.
const TRIES: usize = 20;
/// How long a file is waited for that another gotrail is writing, how often it is looked at, and after which time the other
/// has ended without a word.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(5);
const ABANDONED: Duration = Duration::from_secs(1);

/// Where the bookmarks of a trace are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// The trace's file, and the file beside it.
    beside: Option<(PathBuf, PathBuf)>,
    own: Option<PathBuf>,
}

/// The bookmarks of a trace as its files have them.
#[derive(Debug, Default)]
pub struct Kept {
    /// All of them, in order.
    pub all: Vec<Bookmark>,
    /// The file that they were written to in place of the one beside the trace; and why, unless there is none such.
    pub instead: Option<(PathBuf, Option<String>)>,
    /// Why what was to be changed has not been, not escaped.
    pub failed: Option<String>,
}

impl Store {
    /// Beside the trace's file, if it is one; and in a folder for where that cannot be written.
    pub fn new(trace: Option<&Path>, folder: Option<PathBuf>) -> Store {
        let beside = |t: &Path| {
            let mut name = t.file_name()?.to_owned();
            name.push(BOOKMARKS);
            Some((t.to_owned(), t.with_file_name(name)))
        };
        Store { beside: trace.and_then(beside), own: folder }
    }

    /// The same with the folder in the user's data directory.
    pub fn of_the_user(trace: Option<&Path>) -> Store {
        use etcetera::BaseStrategy;
        let data = etcetera::choose_base_strategy().ok().map(|s| s.data_dir().join("gotrail/bookmarks"));
        Store::new(trace, data)
    }

    /// Makes a change to the bookmarks of the trace of a digest, and says which there are then. What others have written
    /// meanwhile stays. Nothing is written where nothing changes.
    pub fn edit(&self, digest: u64, edit: &Edit) -> Kept {
        let mut kept = Kept::default();
        let (mut rest, mut wrong) = (edit.clone(), None);
        if let Some((trace, path)) = &self.beside {
            match update(path, Some(trace), digest, edit) {
                Ok(lines) => {
                    kept.all.extend(lines.of(digest).cloned());
                    rest.add.clear();
                }
                Err(e) => {
                    wrong = Some(format!("{}: {e}", path.display()));
                    // What it has can be shown all the same.
                    let lines = read(path).ok().flatten().map(|bytes| Lines::read(&bytes));
                    kept.all.extend(lines.iter().flat_map(|l| l.of(digest)).cloned());
                }
            }
        }
        if let Some(folder) = &self.own {
            let path = folder.join(format!("{digest:016x}{BOOKMARKS}"));
            let made = if rest.add.is_empty() { Ok(()) } else { create_dir(folder) };
            match made.and_then(|()| update(&path, None, digest, &rest)) {
                Ok(lines) => {
                    kept.all.extend(lines.of(digest).cloned());
                    kept.instead = (!rest.add.is_empty()).then(|| (path, wrong.clone()));
                }
                Err(e) => wrong = wrong.or(Some(format!("{}: {e}", path.display()))),
            }
        }
        kept.all.sort();
        kept.all.dedup();
        let done = edit.add.iter().all(|b| kept.all.contains(b)) && !edit.remove.iter().any(|b| kept.all.contains(b));
        kept.failed = (!done).then(|| wrong.unwrap_or_else(|| "there is no folder for them".into()));
        kept
    }
}

/// The bytes of a file; nothing if it is not there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // To open a pipe would wait for whoever writes to it.
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
        Ok(m) if !m.is_file() => return Err(io::Error::other("it is no plain file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it has more than 1 MB: no file of bookmarks"));
    }
    Ok(Some(bytes))
}

/// Makes a change to a file, and says what it holds then. It is there whole at any time; who may read what it is `like` may read
/// a new one.
fn update(path: &Path, like: Option<&Path>, digest: u64, edit: &Edit) -> io::Result<Lines> {
    // What a link leads to is written, not the link.
    let real = fs::canonicalize(path);
    let path = real.as_deref().unwrap_or(path);
    let changed = |before: &Option<Vec<u8>>| {
        let mut lines = Lines::read(before.as_deref().unwrap_or_default());
        let count = lines.marks.len();
        let had = edit.add.iter().all(|b| lines.of(digest).any(|o| o == b));
        lines.edit(digest, edit);
        let changes = !had || lines.marks.len() != count;
        (lines, changes)
    };
    let (lines, changes) = changed(&read(path)?);
    if !changes {
        return Ok(lines);
    }
    let _lock = Lock::of(path)?;
    for _ in 0..TRIES {
        let before = read(path)?;
        if before.as_deref().is_some_and(|b| !Lines::read(b).are_ours()) {
            return Err(io::Error::other("it is no file of bookmarks"));
        }
        let (lines, changes) = changed(&before);
        if !changes {
            return Ok(lines);
        }
        let after = lines.print();
        if after.len() as u64 > LARGEST {
            return Err(io::Error::other("there are more bookmarks than a file has room for"));
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".gotrail-").suffix(".part").tempfile_in(folder)?;
        file.write_all(&after)?;
        if let Some(permissions) = permissions(path, like) {
            file.as_file().set_permissions(permissions)?;
        }
        // An editor knows nothing of the lock.
        if read(path)? != before {
            continue;
        }
        match &before {
            Some(_) => drop(file.persist(path).map_err(|e| e.error)?),
            None => match file.persist_noclobber(path) {
                Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => drop(made.map_err(|e| e.error)?),
            },
        }
        return Ok(lines);
    }
    Err(io::Error::other("somebody else is writing it all the time"))
}

/// Who may read and write a file: who could before, or else whoever may read what it is like.
fn permissions(path: &Path, like: Option<&Path>) -> Option<fs::Permissions> {
    if let Ok(before) = fs::metadata(path) {
        return Some(plain(before.permissions()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(like?).ok()?.permissions().mode();
        Some(fs::Permissions::from_mode(mode & 0o444 | 0o200))
    }
    #[cfg(not(unix))]
    {
        like.and(None)
    }
}

/// Permissions without those that make a program run as somebody else.
fn plain(permissions: fs::Permissions) -> fs::Permissions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(permissions.mode() & 0o777)
    }
    #[cfg(not(unix))]
    permissions
}

/// Keeps other viewers from writing a file, as long as it is there.
struct Lock(PathBuf);

impl Lock {
    fn of(path: &Path) -> io::Result<Lock> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".lock");
        let lock = path.with_file_name(name);
        let mut left = PATIENCE;
        loop {
            match File::create_new(&lock) {
                Ok(_) => return Ok(Lock(lock)),
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                Err(_) => {}
            }
            let age = fs::metadata(&lock).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            if left.is_zero() {
                return Err(io::Error::other("another gotrail is writing it"));
            }
            // Where it cannot be removed, it is waited for like any other.
            if age.is_some_and(|a| a > ABANDONED) {
                let _ = fs::remove_file(&lock);
            }
            left = left.saturating_sub(AGAIN);
            std::thread::sleep(AGAIN);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
