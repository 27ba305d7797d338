//! The files that the tools may read.

use super::answer::text;
use crate::base::number::bytes;
use crate::cli::position;
use crate::cli::{Failure, Result};
use crate::input::{Kind, recognise};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Folders below a root that are looked into.
const DEEPEST: usize = 6;
/// Files and folders that are looked at for a list.
const MOST: usize = 20_000;
/// Bytes of a file that tell what it is.
const HEAD: u64 = 4096;

/// The folders and files that the tools may read, by the names that they really have.
pub struct Roots(Vec<PathBuf>);

/// A file to read, seen from a folder.
pub struct Named {
    /// Where the command runs: a root.
    pub folder: PathBuf,
    /// The file from there, with the position that was asked for.
    pub name: String,
    /// The same from anywhere.
    pub whole: String,
}

impl Roots {
    /// These roots; the current folder, if there are none.
    ///
    /// # Errors
    ///
    /// One that is not there.
    pub fn new(paths: &[PathBuf]) -> Result<Roots> {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here } else { paths };
        let real = |p: &PathBuf| fs::canonicalize(p).map_err(|cause| Failure::Read { path: p.clone(), cause });
        paths.iter().map(real).collect::<Result<_>>().map(Roots)
    }

    /// The folders in which sources are looked for: of a root that is a file its folder is none, for nobody named that.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path).filter(|r| r.is_dir())
    }

    /// The file that an agent means: by its name from a root, or by its whole name, and perhaps with a position.
    ///
    /// # Errors
    ///
    /// It is not there, is no file, or is outside of the roots, of which the sentence is the same; or what stands behind a file
    /// inside of them is no position.
    pub fn find(&self, asked: &str) -> std::result::Result<Named, String> {
        let none = || {
            format!("there is no file {} below what this server may read; `list_files` has them", text::short(asked))
        };
        // A name may begin with that of the root itself: another root may have a file of the same name.
        let beside = self.0.iter().filter_map(|root| Some((root, folder(root).parent()?)));
        for (root, from) in self.0.iter().map(|root| (root, folder(root))).chain(beside) {
            let base = folder(root);
            // Nothing is said, nor read, of a file before it is known to lie inside.
            let inside = |name: &str| {
                fs::canonicalize(from.join(name)).ok().filter(|real| real.starts_with(root) && real.is_file())
            };
            let (real, position) = match inside(asked) {
                Some(real) => (real, ""),
                None => {
                    let Some((file, _)) = asked.rsplit_once('@') else { continue };
                    let Some(real) = inside(file) else { continue };
                    let position = &asked[file.len()..];
                    // The command parts it in the same way: a name with an @ that leads elsewhere is no position.
                    match position::split(Path::new(&format!("{}{position}", real.display()))) {
                        Ok((_, Some(_))) => (real, position),
                        Ok((_, None)) => continue,
                        Err(e) => return Err(e.to_string()),
                    }
                }
            };
            let name = real.strip_prefix(base).unwrap_or(&real).to_string_lossy().into_owned();
            // A name is never taken for an option.
            let dot = if name.starts_with('-') { "./" } else { "" };
            let whole = format!("{}{position}", real.display());
            return Ok(Named { folder: base.to_owned(), name: format!("{dot}{name}{position}"), whole });
        }
        Err(none())
    }

    /// The recordings below the roots, a line each: name, what it is, size. Of files that have the same name below several roots,
    /// the name begins with the root's.
    pub fn list(&self) -> String {
        self.list_of(MOST)
    }

    /// The same, for which at most so many files and folders are looked at.
    pub fn list_of(&self, most: usize) -> String {
        let mut found: Vec<Found> = Vec::new();
        let mut left = most;
        for root in &self.0 {
            let mut below = Vec::new();
            walk(root, folder(root), 0, &mut left, &mut below);
            // A root may lie in another one.
            below.retain(|f| found.iter().all(|g| g.path != f.path));
            found.append(&mut below);
        }
        for from in [|f: &Found| below(&f.path, f.base.parent()?), |f: &Found| below(&f.path, Path::new(""))] {
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            found.iter().for_each(|f| *times.entry(&f.name).or_default() += 1);
            let names = found.iter().map(|f| if times[f.name.as_str()] > 1 { from(f) } else { None });
            let names: Vec<Option<String>> = names.collect();
            found.iter_mut().zip(names).for_each(|(f, name)| f.name = name.unwrap_or(std::mem::take(&mut f.name)));
        }
        let line = |f: &Found| format!("{}  {}  {}", crate::base::text::escape(&f.name), f.what, bytes(f.len));
        let mut all = found.iter().map(line).collect::<Vec<_>>().join("\n");
        if found.is_empty() {
            all = "no traces or profiles here".into();
        }
        if left == 0 {
            all.push_str(&format!("\n{most} files and folders were looked at; what else there is was not"));
        }
        all.push('\n');
        all
    }
}

/// A recording in the list.
struct Found {
    path: PathBuf,
    /// The folder that its name is seen from.
    base: PathBuf,
    name: String,
    what: &'static str,
    len: u64,
}

/// A file's name from a folder above it.
fn below(path: &Path, base: &Path) -> Option<String> {
    path.strip_prefix(base).ok().map(|p| p.to_string_lossy().into_owned())
}

/// The folder that names are seen from.
fn folder(root: &Path) -> &Path {
    if root.is_file() { root.parent().unwrap_or(root) } else { root }
}

/// Adds the recordings at and below a path, in the order of their names. Links are not followed.
fn walk(path: &Path, base: &Path, depth: usize, left: &mut usize, found: &mut Vec<Found>) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let Ok(about) = fs::symlink_metadata(path) else { return };
    if about.is_dir() {
        let hidden = depth > 0 && path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if depth > DEEPEST || hidden {
            return;
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        // What is not looked at need not be held either.
        let mut inside: Vec<PathBuf> = entries.take(*left).map(|e| e.path()).collect();
        inside.sort();
        inside.iter().for_each(|p| walk(p, base, depth + 1, left, found));
    } else if about.is_file()
        && let Some(what) = what(path)
    {
        let name = below(path, base).unwrap_or_else(|| path.to_string_lossy().into_owned());
        found.push(Found { path: path.to_owned(), base: base.to_owned(), name, what, len: about.len() });
    }
}

/// What a file is, by its beginning; nothing if it is not for this program.
fn what(path: &Path) -> Option<&'static str> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let name = path.to_string_lossy();
        return Some(if name.contains(".pb") { "packed, a profile by its name" } else { "packed" });
    }
    match recognise(&head) {
        Kind::Trace { .. } => Some("trace"),
        Kind::Profile | Kind::LegacyProfile | Kind::Other(_) => Some("profile"),
        Kind::Log { .. } => Some("log with goroutines or races"),
        Kind::HalfHeader | Kind::Unknown { .. } => None,
    }
}
