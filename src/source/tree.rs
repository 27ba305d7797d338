//! The source files under a directory, read once: for lookups by the end of a path.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How deep, and how many entries, a walk goes. A large monorepo has some 10⁵ files; a home directory by mistake has more.
const MAX_DEPTH: usize = 24;
const MAX_ENTRIES: usize = 400_000;
/// `go.mod` files are read no further than this.
const MAX_MOD: u64 = 64 << 10;

/// Where one Go module lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Module {
    /// Its import path, `example.com/payment`.
    pub path: String,
    /// Its directory.
    pub dir: PathBuf,
}

/// All source files under a directory, by base name, and the modules they belong to.
#[derive(Default, Debug)]
pub(super) struct Tree {
    files: BTreeMap<String, Vec<PathBuf>>,
    /// Longest directory first, so that the first that matches is the innermost.
    modules: Vec<Module>,
    /// Whether the walk was cut short.
    pub cut: bool,
}

/// Suffixes of files that a frame can point to: Go, assembly, what cgo brings, and what `//line` comments name.
const SUFFIXES: [&str; 20] = [
    ".go", ".s", ".S", ".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".m", ".mm", ".inc", ".y", ".l",
    ".rl", ".rs", ".templ", ".qtpl",
];

/// Whether a name is that of a source file.
pub fn is_source(name: &str) -> bool {
    SUFFIXES.iter().any(|s| name.len() > s.len() && name.ends_with(s))
}

fn skipped(name: &str, parent: &Path) -> bool {
    name.starts_with('.')
        || matches!(name, "node_modules" | "__pycache__" | "target" | "bazel-out")
        || (name == "mod" && parent.ends_with("pkg"))
        || (parent.parent().is_none() && matches!(name, "proc" | "sys" | "dev" | "run"))
}

impl Tree {
    /// Walks `root`, breadth first so that a bound cuts off the deep end, in order of names, following no symbolic links.
    pub(super) fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        let mut queue = VecDeque::from([(root.to_path_buf(), 0)]);
        let mut seen = 0;
        while let Some((dir, depth)) = queue.pop_front() {
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            let mut entries: Vec<_> =
                entries.take(MAX_ENTRIES.saturating_sub(seen)).flatten().map(|e| (e.file_name(), e)).collect();
            seen += entries.len();
            tree.cut |= seen >= MAX_ENTRIES;
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, entry) in entries {
                let Some(name) = name.to_str() else { continue };
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    if depth == MAX_DEPTH {
                        tree.cut = true;
                    } else if !skipped(name, &dir) {
                        queue.push_back((entry.path(), depth + 1));
                    }
                } else if kind.is_file() && name == "go.mod" {
                    tree.modules.extend(module(&entry.path(), &dir));
                } else if (kind.is_file() || kind.is_symlink()) && is_source(name) {
                    tree.files.entry(name.to_string()).or_default().push(entry.path());
                }
            }
        }
        tree.modules.sort_by(|a, b| {
            let depth = |m: &Module| m.dir.components().count();
            depth(b).cmp(&depth(a)).then_with(|| a.dir.cmp(&b.dir))
        });
        tree
    }

    /// Files called `name`.
    pub(super) fn named(&self, name: &str) -> &[PathBuf] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    /// All modules, innermost first.
    pub(super) fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The import path of the package that `file` belongs to, if it lies in a module or under `vendor`.
    pub(super) fn import_path(&self, file: &Path) -> Option<String> {
        let module = self.modules.iter().find(|m| file.starts_with(&m.dir))?;
        let inside = file.strip_prefix(&module.dir).ok()?.parent()?.to_str()?.replace('\\', "/");
        if let Some((_, vendored)) = inside.rsplit_once("vendor/") {
            return Some(vendored.to_string());
        }
        Some(if inside.is_empty() { module.path.clone() } else { format!("{}/{inside}", module.path) })
    }
}

/// What the `module` line of a `go.mod` says.
fn module(file: &Path, dir: &Path) -> Option<Module> {
    let mut text = String::new();
    File::open(file).ok()?.take(MAX_MOD).read_to_string(&mut text).ok()?;
    let path = text.lines().find_map(|l| l.trim().strip_prefix("module")?.strip_prefix([' ', '\t']))?;
    let path = path.split("//").next()?.trim().trim_matches(['"', '`']);
    (!path.is_empty()).then(|| Module { path: path.to_string(), dir: dir.to_path_buf() })
}
