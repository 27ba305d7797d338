//! Source files on disk, for `list`.

use crate::report::pprof::source;
use crate::source::is_source;
use rustc_hash::FxHashMap;
use std::io::Read;
use std::path::Path;

/// The largest source file that is read, bytes.
const MAX_SOURCE: u64 = 8 << 20;

/// Source files on disk, each read once.
pub(super) struct Sources {
    search: String,
    trim: String,
    known: FxHashMap<String, Result<Vec<String>, String>>,
}

impl Sources {
    /// Files are searched for in the directories of `search`, or else in the working directory and those above it;
    /// prefixes in `trim` are taken off first. Both are separated by colons.
    pub(super) fn new(search: Option<&str>, trim: Option<&str>) -> Sources {
        let here = || std::env::current_dir().map(|d| d.to_string_lossy().into_owned()).unwrap_or_default();
        let search = search.filter(|s| !s.is_empty()).map_or_else(here, str::to_string);
        Sources { search, trim: trim.unwrap_or_default().to_string(), known: FxHashMap::default() }
    }

    /// Relative paths are searched for in each directory of the search path and in those above it.
    fn read(&self, path: &str) -> Result<Vec<String>, String> {
        let path = source::trim_path(path, &self.trim, &self.search);
        if path.starts_with('/') {
            return read_lines(Path::new(path)).map_err(|e| format!("open {path}: {e}"));
        }
        let places = self.search.split(':').flat_map(|dir| Path::new(dir).ancestors());
        let found = places.map(|dir| dir.join(path)).find_map(|file| read_lines(&file).ok());
        found.ok_or_else(|| format!("could not find file {path} on path {}", self.search))
    }
}

fn read_lines(file: &Path) -> std::io::Result<Vec<String>> {
    // A profile may name any file; only what is called as sources are is one.
    if !is_source(&file.to_string_lossy()) {
        return Err(std::io::Error::other("it is not called as source files are"));
    }
    // A pipe or a device would be read for ever.
    if !std::fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    let mut text = Vec::new();
    std::fs::File::open(file)?.take(MAX_SOURCE).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_string).collect())
}

impl source::Lines for Sources {
    fn lines(&mut self, path: &str) -> Result<&[String], String> {
        if !self.known.contains_key(path) {
            let lines = self.read(path);
            self.known.insert(path.to_string(), lines);
        }
        match &self.known[path] {
            Ok(lines) => Ok(lines),
            Err(e) => Err(e.clone()),
        }
    }
}
