//! From the name of a file in a trace to a file on disk.
//!
//! The name is what the compiler recorded, on another machine and perhaps with `-trimpath`; and it comes out of a file
//! that may be hostile. So a name is used as it stands only if it is absolute, has no `..` and ends as source files do;
//! everywhere else it is a relative path below a root that the user or the environment named, and what is found must
//! really lie below that root, symbolic links followed. Only plain files of a bounded size are ever found.

use super::built_in::BuiltIn;
use super::load::{LoadError, MAX_SIZE, Text};
use super::tree::{Tree, is_source};
use crate::base::text;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use thiserror::Error as ThisError;

/// A replacement for the beginning of names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// The beginning of a recorded name, whole path elements: `/build/src` or `example.com/payment`.
    pub from: String,
    /// The directory (or file) that stands for it here.
    pub to: PathBuf,
}

/// Where to look. [`Places::of_this_machine`] fills it from the environment.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Places {
    /// Replacements, tried in order.
    pub mappings: Vec<Mapping>,
    /// Directories of `--source` and the settings, in order.
    pub sources: Vec<PathBuf>,
    /// Sources inside the program.
    pub built_in: Option<&'static BuiltIn>,
    /// The working directory, or the root of the module around it.
    pub work_dir: Option<PathBuf>,
    /// Go installations: directories with the standard library under `src`.
    pub goroots: Vec<PathBuf>,
    /// Module caches.
    pub mod_caches: Vec<PathBuf>,
    /// Whether a name is not opened as it stands: only what lies below these places is found.
    pub confined: bool,
}

impl Places {
    /// The places that environment and home directory name. `var` is the environment (`std::env::var_os`).
    ///
    /// Reads a few directory listings; no more than that.
    pub fn of_this_machine(work_dir: Option<&Path>, var: impl Fn(&str) -> Option<OsString>) -> Places {
        let path = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let at_home = |rest: &str| home.as_ref().map(|h| h.join(rest));
        let gopaths: Vec<PathBuf> = match var("GOPATH").filter(|v| !v.is_empty()) {
            Some(list) => std::env::split_paths(&list).collect(),
            None => at_home("go").into_iter().collect(),
        };

        let mut mod_caches: Vec<PathBuf> = path("GOMODCACHE").into_iter().collect();
        mod_caches.extend(gopaths.iter().map(|p| p.join("pkg/mod")));
        mod_caches.extend(at_home("go/pkg/mod"));

        let mut goroots: Vec<PathBuf> = path("GOROOT").into_iter().collect();
        let usual =
            ["/usr/local/go", "/usr/lib/go", "/usr/lib/golang", "/usr/share/go", "/opt/homebrew/opt/go/libexec"];
        goroots.extend(usual.map(PathBuf::from));
        goroots.extend(at_home("go/sdk"));
        for dir in [at_home("go/sdk"), at_home("sdk"), Some("/usr/lib".into())].into_iter().flatten() {
            goroots.extend(newest_first(&dir, |name| name.starts_with("go")));
        }
        for cache in &mod_caches {
            goroots.extend(newest_first(&cache.join("golang.org"), |name| name.starts_with("toolchain@")));
        }
        goroots.retain(|p| p.join("src").is_dir());
        mod_caches.retain(|p| p.is_dir());
        once(&mut goroots);
        once(&mut mod_caches);
        let work_dir = work_dir.map(|d| module_root(d, home.as_deref()));
        Places { work_dir, goroots, mod_caches, ..Places::default() }
    }

    /// Leaves only the places that were named, and Go's own: neither the working directory, which its module may reach
    /// beyond, nor modules of others, nor names as they stand.
    pub fn confine(&mut self) {
        (self.confined, self.work_dir) = (true, None);
        self.mod_caches.clear();
    }

    /// Adds what `--source` and the settings give: `from=to` or a directory.
    pub fn add(&mut self, spec: &str) {
        match spec.split_once('=') {
            Some((from, to)) => self.mappings.push(Mapping { from: from.into(), to: to.into() }),
            None => self.sources.push(spec.into()),
        }
    }
}

/// Removes all but the first of equal paths.
fn once(paths: &mut Vec<PathBuf>) {
    let mut seen = Vec::new();
    paths.retain(|p| {
        let new = !seen.contains(p);
        seen.push(p.clone());
        new
    });
}

/// Directories in `dir` by the numbers in their names, the largest first: `go1.22.10` before `go1.22.9`.
fn newest_first(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let numbers =
        |name: &str| -> Vec<u64> { name.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect() };
    let mut found: Vec<(Vec<u64>, String)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .take(4096)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| wanted(name))
        .map(|name| (numbers(&name), name))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, name)| dir.join(name)).collect()
}

/// The directory of the nearest `go.work` or `go.mod` at or above `dir`, below `home`; `dir` itself if there is none.
fn module_root(dir: &Path, home: Option<&Path>) -> PathBuf {
    let above = || dir.ancestors().take(12).take_while(|d| Some(*d) != home && d.parent().is_some());
    let holds = |file: &'static str| above().find(|d| d.join(file).is_file());
    holds("go.work").or_else(|| holds("go.mod")).unwrap_or(dir).to_path_buf()
}

/// How a file was found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum How {
    /// The recorded name is a file here.
    AsItStands,
    /// By a replacement.
    Mapped(Mapping),
    /// Under a directory of `--source` or the settings.
    Source(PathBuf),
    /// Inside the program.
    BuiltIn,
    /// Under the working directory or its module.
    WorkDir(PathBuf),
    /// In a Go installation.
    GoRoot(PathBuf),
    /// In the module cache.
    ModCache(PathBuf),
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::AsItStands => f.write_str("as it stands"),
            How::Mapped(m) => write!(f, "by {}={}", text::escape(&m.from), show(&m.to)),
            How::Source(p) => write!(f, "under {}", show(p)),
            How::BuiltIn => f.write_str("inside gotrail"),
            How::WorkDir(p) => write!(f, "under {}", show(p)),
            How::GoRoot(p) => write!(f, "in GOROOT {}", show(p)),
            How::ModCache(p) => write!(f, "in the module cache {}", show(p)),
        }
    }
}

fn show(path: &Path) -> String {
    text::escape(&path.to_string_lossy()).into_owned()
}

/// A file that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where it is; of one inside the program its name.
    pub path: PathBuf,
    /// How it was found.
    pub how: How,
    /// The text of one that is inside the program.
    pub text: Option<&'static str>,
    /// Whether nothing but its name says that it is the file: it may be another one of the same name.
    pub by_name: bool,
}

impl Found {
    /// Its text.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn read(&self) -> Result<Text, LoadError> {
        match self.text {
            Some(text) => Ok(Text::new(text.as_bytes())),
            None => Text::read(&self.path),
        }
    }
}

/// A file that was not found, and where it was looked for.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[error("{}: {}", text::escape(file), looked.join("; "))]
pub struct NotFound {
    /// The name that was looked for. Not escaped.
    pub file: String,
    /// Each place in order, `looked in …` or why it was not looked at all; safe to show.
    pub looked: Vec<String>,
}

/// Longest name that is looked for, in bytes, and in path elements.
const MAX_NAME: usize = 4096;
const MAX_ELEMENTS: usize = 128;

/// Finds source files. Listing the trees is put off until the first lookup that needs it, or [`prepare`](Self::prepare);
/// do either off the UI thread.
#[derive(Debug, Default)]
pub struct Finder {
    places: Places,
    sources: Vec<(PathBuf, OnceLock<Tree>)>,
    work_dir: Option<(PathBuf, OnceLock<Tree>)>,
}

impl Finder {
    /// A finder that looks in `places`. Reads nothing yet.
    pub fn new(places: Places) -> Finder {
        let rooted = |p: &PathBuf| (p.canonicalize().unwrap_or_else(|_| p.clone()), OnceLock::new());
        Finder {
            sources: places.sources.iter().map(rooted).collect(),
            work_dir: places.work_dir.as_ref().map(rooted),
            places,
        }
    }

    /// Lists the trees now. Takes as long as a `find` over them.
    pub fn prepare(&self) {
        for (root, tree) in self.sources.iter().chain(&self.work_dir) {
            tree.get_or_init(|| Tree::read(root));
        }
    }

    /// Finds the file that a frame of function `func` (may be empty) names.
    ///
    /// The places are tried in the order of [`How`]; the answer depends on nothing but the names and the disk.
    pub fn find(&self, file: &str, func: &str) -> Result<Found, NotFound> {
        let mut looked = Vec::new();
        let name = match Name::new(file, func) {
            Ok(name) => name,
            Err(why) => return Err(NotFound { file: file.into(), looked: vec![format!("not looked for: {why}")] }),
        };
        match self.search(&name, &mut looked) {
            Some((Place { path, by_name }, how)) => {
                let text = self.places.built_in.filter(|_| how == How::BuiltIn).and_then(|b| b.text(file));
                Ok(Found { path, how, text, by_name })
            }
            None => Err(NotFound { file: file.into(), looked }),
        }
    }

    fn search(&self, name: &Name, looked: &mut Vec<String>) -> Option<(Place, How)> {
        if name.absolute && !self.places.confined {
            let path = Path::new(name.text);
            if name.climbs {
                looked.push("not opened as it stands, because of the .. in it".into());
            } else if path.is_absolute() {
                if is_plain(path) {
                    return Some((Place::sure(path), How::AsItStands));
                }
                looked.push(format!("looked in {}", text::escape(name.text)));
            }
        }
        for mapping in &self.places.mappings {
            let Some(rest) = name.after(&mapping.from) else { continue };
            let found = match rest {
                [] => is_plain(&mapping.to).then(|| mapping.to.clone()),
                rest => inside(&mapping.to, rest),
            };
            if let Some(path) = found {
                return Some((Place::sure(path), How::Mapped(mapping.clone())));
            }
            looked.push(format!("looked in {} for {}", show(&mapping.to), text::escape(&mapping.from)));
        }
        for ((root, tree), shown) in self.sources.iter().zip(&self.places.sources) {
            if let Some(path) = in_tree(root, tree, name) {
                return Some((path, How::Source(shown.clone())));
            }
            looked.push(looked_under(shown, tree));
        }
        if self.places.built_in.is_some_and(|b| b.text(name.text).is_some()) {
            return Some((Place::sure(name.text), How::BuiltIn));
        }
        if let (Some((root, tree)), Some(shown)) = (&self.work_dir, &self.places.work_dir) {
            if let Some(path) = in_tree(root, tree, name) {
                return Some((path, How::WorkDir(shown.clone())));
            }
            looked.push(looked_under(shown, tree));
        }
        if let Some(rest) = name.in_std() {
            for goroot in &self.places.goroots {
                if let Some(path) = inside(&goroot.join("src"), rest) {
                    return Some((Place::sure(path), How::GoRoot(goroot.clone())));
                }
                looked.push(format!("looked in GOROOT {}", show(goroot)));
            }
            if self.places.goroots.is_empty() {
                looked.push("no GOROOT to look in".into());
            }
        }
        if let Some(at) = name.version_at() {
            for cache in &self.places.mod_caches {
                for start in 0..=at {
                    if let Some(path) = in_cache(cache, &name.parts[start..], at - start) {
                        return Some((Place::sure(path), How::ModCache(cache.clone())));
                    }
                }
                looked.push(format!("looked in the module cache {}", show(cache)));
            }
            if self.places.mod_caches.is_empty() {
                looked.push("no module cache to look in".into());
            }
        }
        None
    }
}

fn looked_under(root: &Path, tree: &OnceLock<Tree>) -> String {
    let cut = tree.get().is_some_and(|t| t.cut);
    format!("looked under {}{}", show(root), if cut { " (too large to list all of it)" } else { "" })
}

/// Where a file is, and whether only its name says so.
struct Place {
    path: PathBuf,
    by_name: bool,
}

impl Place {
    fn sure(path: impl Into<PathBuf>) -> Place {
        Place { path: path.into(), by_name: false }
    }
}

/// A recorded name, taken apart.
struct Name<'a> {
    text: &'a str,
    absolute: bool,
    /// Whether there was a `..` in it; `parts` are then those after the last.
    climbs: bool,
    parts: Vec<&'a str>,
    /// Import path of the function's package; empty if not known.
    package: String,
}

impl<'a> Name<'a> {
    fn new(text: &'a str, func: &str) -> Result<Name<'a>, &'static str> {
        if text.is_empty() {
            return Err("the frame has no file");
        }
        if text.len() > MAX_NAME {
            return Err("the name is too long");
        }
        if text.contains('\0') {
            return Err("the name has a zero byte in it");
        }
        if text.starts_with('<') {
            return Err("the compiler made this function, it has no source");
        }
        let bytes = text.as_bytes();
        let drive = bytes.len() > 2 && bytes[1] == b':' && bytes[0].is_ascii_alphabetic();
        let absolute = text.starts_with(['/', '\\']) || drive;
        let windows = drive || text.starts_with('\\');
        let mut parts = Vec::new();
        let mut climbs = false;
        for part in text.split(|c| c == '/' || (windows && c == '\\')) {
            match part {
                "" | "." => {}
                ".." => {
                    climbs = true;
                    parts.clear();
                }
                part => parts.push(part),
            }
        }
        if parts.len() > MAX_ELEMENTS {
            return Err("the name has too many directories");
        }
        match parts.last() {
            Some(last) if is_source(last) => Ok(Name { text, absolute, climbs, parts, package: package(func) }),
            _ => Err("it is not called as source files are"),
        }
    }

    /// The elements after the prefix `from`, if the name begins with it.
    fn after(&self, from: &str) -> Option<&[&'a str]> {
        let from_absolute = from.starts_with('/');
        let prefix: Vec<&str> = from.split(['/', '\\']).filter(|p| !p.is_empty() && *p != ".").collect();
        let fits = !self.climbs && (from_absolute == self.text.starts_with('/') || prefix.is_empty());
        (fits && self.parts.iter().take(prefix.len()).eq(prefix.iter())).then(|| &self.parts[prefix.len()..])
    }

    /// The path below `src` of a Go installation, if this is a file of the standard library or the toolchain.
    fn in_std(&self) -> Option<&[&'a str]> {
        let rest = match self.parts.iter().rposition(|p| *p == "src") {
            Some(at) => &self.parts[at + 1..],
            None if self.absolute || self.climbs => return None,
            None if self.parts[0] == "std" => &self.parts[1..],
            None => &self.parts[..],
        };
        let (_, dirs) = rest.split_last()?;
        let first = dirs.first()?;
        let dir = dirs.join("/");
        let package = self.package.strip_suffix("_test").unwrap_or(&self.package);
        let fits = package.is_empty() || package == "main" || package == dir;
        (!first.contains('.') && fits).then_some(rest)
    }

    /// Which element is the `module@version` one.
    fn version_at(&self) -> Option<usize> {
        self.parts.iter().position(|p| p.split_once('@').is_some_and(|(m, v)| !m.is_empty() && v.starts_with('v')))
    }
}

/// The import path in a function's qualified name: `example.com/pay.v2` of `example.com/pay%2ev2.(*Core).Run`.
fn package(func: &str) -> String {
    let func = func.split('[').next().unwrap_or("");
    let last = func.rfind('/').map_or(0, |i| i + 1);
    match func[last..].find('.') {
        Some(dot) => func[..last + dot].replace("%2e", ".").replace("%2E", "."),
        None => String::new(),
    }
}

/// Whether `path` is a plain source file of a size that is read.
fn is_plain(path: &Path) -> bool {
    let named = path.file_name().and_then(|n| n.to_str()).is_some_and(is_source);
    named && std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= MAX_SIZE)
}

/// The plain source file `parts` below `root`, if it lies there with all links followed.
fn inside(root: &Path, parts: &[&str]) -> Option<PathBuf> {
    // A part can be neither empty nor `..`; `:` and `\` mean something only where such names do.
    if parts.iter().any(|p| matches!(*p, "" | "." | "..") || (cfg!(windows) && p.contains([':', '\\']))) {
        return None;
    }
    stays(root, root.join(parts.iter().collect::<PathBuf>()))
}

fn stays(root: &Path, path: PathBuf) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    (real.starts_with(root.canonicalize().ok()?) && is_plain(&real) && is_plain(&path)).then_some(path)
}

/// The file in a module cache. Of `parts`, those up to `at` are the module's path and version, in which upper-case
/// letters are written `!x`; a name recorded without `-trimpath` has them so already.
fn in_cache(cache: &Path, parts: &[&str], at: usize) -> Option<PathBuf> {
    let escaped: Vec<String> = parts[..=at].iter().map(|p| escape_module(p)).collect();
    let mut names: Vec<&str> = escaped.iter().map(String::as_str).collect();
    names.extend(&parts[at + 1..]);
    inside(cache, &names)
}

/// As the go command writes module paths to disk, so that names that differ by case differ on every file system.
fn escape_module(part: &str) -> String {
    let mut out = String::with_capacity(part.len() + 4);
    for c in part.chars() {
        if c.is_ascii_uppercase() {
            out.push('!');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The file under a tree: by its whole path, by its module, by the longest end of its path.
fn in_tree(root: &Path, tree: &OnceLock<Tree>, name: &Name) -> Option<Place> {
    if !name.climbs
        && let Some(path) = inside(root, &name.parts)
    {
        return Some(Place::sure(path));
    }
    let tree = tree.get_or_init(|| Tree::read(root));
    let (base, dirs) = name.parts.split_last()?;
    let dirs = dirs.join("/");
    for module in tree.modules() {
        // What the package says is surer than what the path says, but of package main only the path says something.
        for import in [dirs.as_str(), name.package.as_str()] {
            let Some(rest) = import.strip_prefix(module.path.as_str()) else { continue };
            if !rest.is_empty() && !rest.starts_with('/') {
                continue;
            }
            let mut parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
            parts.push(base);
            if let Some(path) = inside(&module.dir, &parts).filter(|p| stays(root, p.clone()).is_some()) {
                return Some(Place::sure(path));
            }
        }
    }
    by_suffix(root, tree, name)
}

/// The file whose path shares the longest end with the name. Of several: the one whose directories match the package,
/// then the shortest path, then the first by name.
fn by_suffix(root: &Path, tree: &Tree, name: &Name) -> Option<Place> {
    let base = name.parts.last()?;
    let all = tree.named(base);
    let package: Vec<&str> = name.package.split('/').filter(|p| !p.is_empty()).collect();
    let main = name.package.is_empty() || name.package == "main";
    // A package without a dot in its first element is the standard library's, or a module's of that very name.
    let std = !main && package.first().is_some_and(|p| !p.contains('.'));
    all.iter()
        .filter_map(|path| {
            let elements: Vec<&str> = path.iter().filter_map(|p| p.to_str()).collect();
            let dirs = &elements[..elements.len() - 1];
            let shared = common_end(&elements, &name.parts);
            let by_package = if main { 0 } else { common_end(dirs, &package) };
            let sure = shared > 1 || by_package > 0 || name.parts.len() == 1 || (main && all.len() == 1);
            let other = std && tree.import_path(path).is_some_and(|import| import != name.package);
            (sure && !other).then_some((shared, by_package, std::cmp::Reverse((elements.len(), path))))
        })
        .max()
        .and_then(|(shared, by_package, std::cmp::Reverse((_, path)))| {
            let path = stays(root, path.clone())?;
            Some(Place { path, by_name: shared < 2 && by_package == 0 })
        })
}

/// How many elements two paths share at their ends, versions (`@v1.2.3`) aside.
fn common_end(a: &[&str], b: &[&str]) -> usize {
    fn plain(part: &str) -> &str {
        part.split_once('@').map_or(part, |(module, _)| module)
    }
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| plain(a) == plain(b)).count()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
