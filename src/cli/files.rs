//! Files that are written under another name and get their own once all is in them.

use super::position;
use crate::base::text;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Files under way. Those that were not finished are removed.
pub struct Files {
    /// What is read, under the names that it really has.
    inputs: Vec<PathBuf>,
    /// The name of each as it is written, and the one it gets.
    open: Vec<(PathBuf, PathBuf)>,
}

impl Files {
    /// Files none of which may be one of these inputs.
    pub fn beside(inputs: &[PathBuf]) -> Files {
        // Of a folder everything directly in it may be read.
        let inside = |p: &Path| fs::read_dir(p).into_iter().flatten().filter_map(|e| Some(e.ok()?.path()));
        let all = inputs.iter().flat_map(|p| {
            let named = position::split(p).map_or_else(|_| p.clone(), |(p, _)| p);
            inside(&named).chain([named.clone()]).collect::<Vec<_>>()
        });
        Files { inputs: all.filter_map(|p| fs::canonicalize(p).ok()).collect(), open: Vec::new() }
    }

    /// Makes a file, in a folder that is there.
    ///
    /// # Errors
    ///
    /// It cannot be made, or it is one of the inputs.
    pub fn create(&mut self, path: &Path) -> io::Result<BufWriter<File>> {
        // What a link leads to is written, not the link.
        let real = fs::canonicalize(path);
        let path = real.as_deref().unwrap_or(path);
        if self.inputs.iter().any(|i| same(i, path)) {
            return Err(io::Error::other("it is the file that is read"));
        }
        match fs::metadata(path) {
            Ok(m) if m.is_dir() => return Err(io::Error::other("it is a directory")),
            // A pipe or a device is written as it is.
            Ok(m) if !m.is_file() => return Ok(BufWriter::new(File::create(path)?)),
            _ => {}
        }
        if path.file_name().is_none() {
            return Err(io::Error::other("this is not the name of a file"));
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no folder {}", text::escape(&folder.to_string_lossy())),
            ));
        }
        let temporary = folder.join(format!(".gotrail-{}-{}.part", std::process::id(), self.open.len()));
        let file = File::create_new(&temporary)?;
        self.open.push((temporary, path.to_owned()));
        // Who may read it stays as it was.
        if let Ok(before) = fs::metadata(path) {
            file.set_permissions(before.permissions())?;
        }
        Ok(BufWriter::with_capacity(1 << 16, file))
    }

    /// Makes a plain file for somebody else to write: the name under which that is done.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), or it is no plain file.
    pub fn reserve(&mut self, path: &Path) -> io::Result<PathBuf> {
        let before = self.open.len();
        drop(self.create(path)?);
        match self.open.get(before) {
            Some((temporary, _)) => Ok(temporary.clone()),
            None => Err(io::Error::other("it is no plain file")),
        }
    }

    /// Gives all files their names.
    ///
    /// # Errors
    ///
    /// One cannot be renamed; those before it are there.
    pub fn finish(mut self) -> io::Result<()> {
        while let Some((temporary, path)) = self.open.first() {
            fs::rename(temporary, path)?;
            self.open.remove(0);
        }
        Ok(())
    }
}

/// Whether two names are of the same file, by hard links too.
#[cfg(unix)]
fn same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |p: &Path| fs::metadata(p).ok().map(|m| (m.dev(), m.ino()));
    id(a).is_some_and(|a| id(b) == Some(a))
}

#[cfg(not(unix))]
fn same(a: &Path, b: &Path) -> bool {
    a == b
}

impl Drop for Files {
    fn drop(&mut self) {
        for (temporary, _) in &self.open {
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_there_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in");
        fs::write(&input, "input").unwrap();
        let path = dir.path().join("a/b/out");
        let mut files = Files::beside(std::slice::from_ref(&input));
        assert!(files.create(&path).unwrap_err().to_string().contains("there is no folder"));
        assert!(!dir.path().join("a").exists(), "a mistyped name makes no folder");
        fs::create_dir_all(dir.path().join("a/b")).unwrap();

        let names = |d: &Path| fs::read_dir(d).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();

        let mut files = Files::beside(std::slice::from_ref(&input));
        files.create(&path).unwrap().write_all(b"half").unwrap();
        assert!(!path.exists() && names(path.parent().unwrap()).len() == 1);
        drop(files);
        assert!(names(path.parent().unwrap()).is_empty(), "what is not finished is removed");

        let mut files = Files::beside(std::slice::from_ref(&input));
        files.create(&path).unwrap().write_all(b"whole").unwrap();
        files.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(path.parent().unwrap()), ["out"]);

        let mut files = Files::beside(std::slice::from_ref(&input));
        let link = dir.path().join("a/../in");
        assert!(files.create(&link).unwrap_err().to_string().contains("the file that is read"));
        assert_eq!(fs::read(&input).unwrap(), b"input");
    }
}
