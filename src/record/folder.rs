//! The folder of a recording. Nothing that is there is ever overwritten.

use super::clock;
use crate::base::text;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most folders of one name and second.
const MOST: usize = 1000;

/// A folder that was empty when the recording began.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something is in it.
    #[error("{}: there is something in it already, and nothing is overwritten; name another folder", text::escape(.0))]
    InUse(String),
    /// The system's words.
    #[error("{}: {cause}", text::escape(name))]
    Io {
        /// The folder.
        name: String,
        /// What is wrong.
        cause: io::Error,
    },
}

impl Folder {
    /// The folder that the user named; it is made, or empty.
    ///
    /// # Errors
    ///
    /// Something is in it, or it cannot be made.
    pub fn named(path: &Path) -> Result<Folder, FolderError> {
        let name = path.to_string_lossy().into_owned();
        let failed = |cause| FolderError::Io { name: name.clone(), cause };
        if path.symlink_metadata().is_ok() {
            if !path.is_dir() || fs::read_dir(path).map_err(failed)?.next().is_some() {
                return Err(FolderError::InUse(name));
            }
        } else {
            fs::create_dir_all(path).map_err(failed)?;
        }
        Ok(Folder(path.to_owned()))
    }

    /// A new folder in `parent`, called after a server and the time.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn new(parent: &Path, server: &str, at: SystemTime) -> Result<Folder, FolderError> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let server: String = server.chars().map(plain).take(64).collect();
        // A name that begins with a dot would be hidden.
        let name = format!("{}-{}", server.trim_matches(['.', '-']), clock::stamp(at));
        for i in 1..=MOST {
            let path = parent.join(if i == 1 { name.clone() } else { format!("{name}-{i}") });
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Folder(path)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(FolderError::Io { name: path.to_string_lossy().into_owned(), cause }),
            }
        }
        Err(FolderError::InUse(name))
    }

    /// The folder of one recording of a series, from 1 on.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn nth(&self, n: u64) -> Result<Folder, FolderError> {
        let path = self.0.join(format!("{n:03}"));
        let failed = |cause| FolderError::Io { name: path.to_string_lossy().into_owned(), cause };
        fs::create_dir(&path).map_err(failed)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A new file in it.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        File::create_new(self.0.join(name))
    }

    /// Writes a new file in it.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.write_all(bytes)
    }

    /// Removes it if nothing was had but its manifest.
    pub fn discard(&self) {
        self.remove(crate::input::MANIFEST);
        // Something else may have got into it, which stays.
        let _ = fs::remove_dir(&self.0);
    }

    /// Removes a file of this recording that holds nothing.
    pub(super) fn remove(&self, name: &str) {
        // What cannot be removed stays, and does no harm.
        let _ = fs::remove_file(self.0.join(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let now = SystemTime::UNIX_EPOCH;
        let first = Folder::new(parent.path(), "../a:80", now).unwrap();
        assert_eq!(first.path().file_name().unwrap(), "a-80-19700101-000000");
        let second = Folder::new(parent.path(), "../a:80", now).unwrap();
        assert_eq!(second.path().file_name().unwrap(), "a-80-19700101-000000-2");
        first.write("x", b"1").unwrap();
        assert!(first.write("x", b"2").is_err());
        assert!(matches!(Folder::named(first.path()), Err(FolderError::InUse(_))));
        assert!(Folder::named(second.path()).is_ok(), "an empty folder will do");
        assert!(matches!(Folder::named(&first.path().join("x")), Err(FolderError::InUse(_))));
        assert_eq!(fs::read(first.path().join("x")).unwrap(), b"1");
    }
}
