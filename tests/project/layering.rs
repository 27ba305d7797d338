//! The house stands: no import runs against the layers, and no circle of imports leaves its own folder or ties more than
//! a handful of files. Files are parsed, so that a path counts wherever it stands.

use proc_macro2::TokenTree;
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::Visit;

/// Module, and the modules it may import. `tui` may import all but `cli`, `cli` everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("input", &["base"]),
    ("wire", &["base", "input"]),
    ("model", &["base", "wire"]),
    ("profile", &["base", "input", "model"]),
    ("build", &["base", "input", "wire", "model"]),
    ("read", &["base", "input", "wire", "model", "build"]),
    ("query", &["base", "model", "read"]),
    ("analysis", &["base", "model", "build", "read", "query", "profile"]),
    ("source", &["base"]),
    ("report", &["base", "model", "read", "query", "profile", "analysis"]),
    ("config", &["base"]),
    ("record", &["base", "input", "wire", "read", "query", "profile", "analysis", "report"]),
    ("facade", &["base", "input", "wire", "model", "read", "query", "profile", "analysis"]),
    (
        "tui",
        &[
            "base", "input", "wire", "model", "build", "read", "query", "profile", "analysis", "source", "report",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "base", "input", "wire", "model", "build", "read", "query", "profile", "analysis", "source", "report",
            "config", "record", "tui",
        ],
    ),
];

/// The most files that may know each other in a circle, all of one folder.
const LARGEST_CIRCLE: usize = 5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A source file without what is tested only.
struct File {
    /// Where it is below `src`.
    path: PathBuf,
    /// Its module, as `["model", "grid"]`.
    module: Vec<String>,
    /// What it names, from the crate's root on.
    paths: Vec<Vec<String>>,
    /// The names that it hands on, and what they stand for.
    handed_on: Vec<(String, Vec<String>)>,
    /// The modules of its own that are tests.
    tests: Vec<String>,
    /// What the reader of paths does not follow, and nobody is to write.
    odd: Vec<String>,
}

impl File {
    fn read(path: PathBuf, text: &str) -> File {
        let mut module: Vec<String> =
            path.with_extension("").iter().map(|s| s.to_string_lossy().into_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        let parsed = syn::parse_file(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut reader = Reader { at: vec![module.clone()], ..Reader::default() };
        reader.visit_file(&parsed);
        let Reader { paths, handed_on, tests, odd, .. } = reader;
        File { path, module, paths, handed_on, tests, odd }
    }
}

/// Reads the paths of a file.
#[derive(Default)]
struct Reader {
    /// The modules that it is in, from the file's own on.
    at: Vec<Vec<String>>,
    /// The modules that are declared in these.
    children: Vec<(Vec<String>, String)>,
    paths: Vec<Vec<String>>,
    handed_on: Vec<(String, Vec<String>)>,
    tests: Vec<String>,
    odd: Vec<String>,
}

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| {
        a.path().is_ident("test") || a.path().is_ident("cfg") && a.meta.to_token_stream().to_string() == "cfg (test)"
    })
}

impl Reader {
    /// A path from the crate's root on; `None` if it leads out of the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut at = self.at.last().cloned().unwrap_or_default();
        let mut rest = path;
        let mut inside = false;
        while let Some((word, more)) = rest.split_first() {
            match word.as_str() {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                _ => break,
            }
            (inside, rest) = (true, more);
        }
        let child = |name: &String| self.children.iter().any(|(m, c)| *m == at && c == name);
        (inside || rest.first().is_some_and(child)).then(|| [&at[..], rest].concat())
    }

    fn name(&mut self, path: &[String]) {
        if let Some(path) = self.absolute(path).filter(|p| !p.is_empty()) {
            self.paths.push(path);
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String], public: bool) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        let (path, name) = match tree {
            syn::UseTree::Path(p) => return self.tree(&p.tree, &with(&p.ident), public),
            syn::UseTree::Group(g) => return g.items.iter().for_each(|t| self.tree(t, before, public)),
            syn::UseTree::Name(n) if n.ident == "self" => (before.to_vec(), before.last().cloned()),
            syn::UseTree::Name(n) => (with(&n.ident), Some(n.ident.to_string())),
            syn::UseTree::Rename(r) if r.ident == "crate" || r.ident == "super" => {
                self.odd.push(format!("use {} as {}", r.ident, r.rename));
                return;
            }
            syn::UseTree::Rename(r) => (with(&r.ident), Some(r.rename.to_string())),
            syn::UseTree::Glob(_) => (before.to_vec(), Some("*".to_owned())),
        };
        let absolute = self.absolute(&path);
        if let (true, Some(name), Some(path)) = (public && self.at.len() == 1, name, &absolute) {
            self.handed_on.push((name, path.clone()));
        }
        self.name(&path);
    }

    /// The paths in what a macro is given: the words between `::`.
    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 2;
        for t in tokens {
            match &t {
                TokenTree::Punct(p) if p.as_char() == ':' => colons += 1,
                TokenTree::Punct(p)
                    if p.as_char() == '$' && colons == 2 && path.first().is_some_and(|w| w == "crate") =>
                {
                    self.odd.push("a path of the crate with a part that a macro is given".into());
                }
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.name(&std::mem::take(&mut path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                other => {
                    self.name(&std::mem::take(&mut path));
                    colons = 2;
                    if let TokenTree::Group(g) = other {
                        self.tokens(g.stream());
                    }
                }
            }
        }
        self.name(&path);
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_file(&mut self, file: &'a syn::File) {
        // Modules may be declared behind what names them.
        self.declare(&file.items);
        syn::visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, m: &'a syn::ItemMod) {
        if m.attrs.iter().any(|a| a.path().is_ident("path")) && !is_test(&m.attrs) {
            self.odd.push(format!("#[path] mod {}", m.ident));
        }
        let here = self.at.last().cloned().unwrap_or_default();
        match &m.content {
            _ if is_test(&m.attrs) => self.tests.push(m.ident.to_string()),
            None => {}
            Some((_, items)) => {
                self.at.push([&here[..], &[m.ident.to_string()]].concat());
                self.declare(items);
                items.iter().for_each(|i| self.visit_item(i));
                self.at.pop();
            }
        }
    }

    fn visit_item(&mut self, item: &'a syn::Item) {
        let attrs: &[syn::Attribute] = match item {
            syn::Item::Fn(i) => &i.attrs,
            syn::Item::Impl(i) => &i.attrs,
            syn::Item::Use(i) => &i.attrs,
            _ => &[],
        };
        if !is_test(attrs) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_extern_crate(&mut self, c: &'a syn::ItemExternCrate) {
        self.odd.push(format!("extern crate {}", c.ident));
    }

    fn visit_item_use(&mut self, u: &'a syn::ItemUse) {
        self.tree(&u.tree, &[], !matches!(u.vis, syn::Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.name(&words);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, m: &'a syn::Macro) {
        self.visit_path(&m.path);
        self.tokens(m.tokens.clone());
    }
}

impl Reader {
    fn declare(&mut self, items: &[syn::Item]) {
        let here = self.at.last().cloned().unwrap_or_default();
        let mods = items.iter().filter_map(|i| if let syn::Item::Mod(m) = i { Some(m) } else { None });
        self.children.extend(mods.filter(|m| !is_test(&m.attrs)).map(|m| (here.clone(), m.ident.to_string())));
    }
}

fn collect(dir: &Path, out: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for p in entries {
        if p.is_dir() {
            collect(&p, out);
        } else if p.extension().is_some_and(|e| e == "rs") {
            let path = p.strip_prefix(root()).unwrap().to_owned();
            out.push(File::read(path, &fs::read_to_string(&p).unwrap()));
        }
    }
}

/// All of `src`, but for the files that hold nothing but tests.
fn files() -> Vec<File> {
    let mut out = Vec::new();
    collect(&root(), &mut out);
    let of = |f: &File| f.tests.iter().map(|t| [&f.module[..], std::slice::from_ref(t)].concat()).collect::<Vec<_>>();
    let test_only: BTreeSet<Vec<String>> = out.iter().flat_map(of).collect();
    out.retain(|f| !(1..=f.module.len()).any(|n| test_only.contains(&f.module[..n])));
    assert!(out.len() > 150, "only {} files were found", out.len());
    out
}

/// Where paths lead.
struct Map<'a> {
    files: &'a [File],
    by_module: BTreeMap<&'a [String], usize>,
}

impl<'a> Map<'a> {
    fn new(files: &'a [File]) -> Map<'a> {
        let by_module = files.iter().enumerate().map(|(i, f)| (&f.module[..], i)).collect();
        Map { files, by_module }
    }

    /// The file where a path leads: the longest beginning of it that is a module; and where that hands the next name on,
    /// the file that this leads to.
    fn lead(&self, path: &[String], steps: usize) -> Option<usize> {
        let n = (0..=path.len()).rev().find(|&n| self.by_module.contains_key(&path[..n]))?;
        let found = self.by_module[&path[..n]];
        let Some(name) = path.get(n).filter(|_| steps > 0) else { return Some(found) };
        let handed = &self.files[found].handed_on;
        let named = handed.iter().find(|h| h.0 == *name).map(|h| h.1.clone());
        // What all of a module is handed on from may have the name.
        let globs = || {
            let from = handed.iter().filter(|h| h.0 == "*");
            from.map(|h| [&h.1[..], &path[n..]].concat()).find(|p| self.lead(p, steps - 1) != Some(found))
        };
        match named.map(|p| [&p[..], &path[n + 1..]].concat()).or_else(globs) {
            Some(on) => self.lead(&on, steps - 1),
            None => Some(found),
        }
    }
}

/// Which files each file imports, by position. A module may use what is below it, which may know it: that is left out,
/// so that no circle is one by that alone.
fn imports(files: &[File]) -> Vec<BTreeSet<usize>> {
    let map = Map::new(files);
    let below = |f: &File, path: &[String]| path.len() > f.module.len() && path.starts_with(&f.module);
    let of = |(i, f): (usize, &File)| -> BTreeSet<usize> {
        let others = f.paths.iter().filter(|p| !below(f, p));
        others.flat_map(|p| [map.lead(p, 0), map.lead(p, 8)]).flatten().filter(|&to| to != i).collect()
    };
    files.iter().enumerate().map(of).collect()
}

/// The circles: sets of files each of which leads to each other one (Tarjan's algorithm, by way of two searches).
fn circles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    fn visit(n: usize, edges: &[BTreeSet<usize>], seen: &mut [bool], out: &mut Vec<usize>) {
        if std::mem::replace(&mut seen[n], true) {
            return;
        }
        edges[n].iter().for_each(|&m| visit(m, edges, seen, out));
        out.push(n);
    }
    let mut back = vec![BTreeSet::new(); edges.len()];
    for (n, to) in edges.iter().enumerate() {
        for &m in to {
            back[m].insert(n);
        }
    }
    let (mut seen, mut order) = (vec![false; edges.len()], Vec::new());
    (0..edges.len()).for_each(|n| visit(n, edges, &mut seen, &mut order));
    let mut seen = vec![false; edges.len()];
    let mut out = Vec::new();
    for &n in order.iter().rev() {
        let mut circle = Vec::new();
        visit(n, &back, &mut seen, &mut circle);
        if circle.len() > 1 {
            out.push(circle);
        }
    }
    out
}

#[test]
fn every_module_imports_only_what_its_layer_may() {
    let mut wrong = Vec::new();
    let files = files();
    let map = Map::new(&files);
    for f in &files {
        let Some((_, allowed)) = LAYERS.iter().find(|(m, _)| f.module.first().is_some_and(|x| x == m)) else {
            continue;
        };
        for path in &f.paths {
            // The crate's root hands names on, too. What a layer hands on is its own affair.
            let root = path.first().filter(|p| LAYERS.iter().all(|(m, _)| m != p));
            let of_root = root.and_then(|_| map.lead(path, 8)).map(|to| &files[to].module);
            let name = of_root.map_or(path.first(), |m| m.first());
            let Some(name) = name.filter(|n| LAYERS.iter().any(|(m, _)| m == n)) else { continue };
            if *name != f.module[0] && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} imports {}", f.path.display(), path.join("::")));
            }
        }
        wrong.extend(f.odd.iter().map(|odd| format!("{}: {odd}", f.path.display())));
    }
    assert!(wrong.is_empty(), "against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn no_circle_leaves_its_folder_or_ties_many_files() {
    let files = files();
    let mut wrong = Vec::new();
    for circle in circles(&imports(&files)) {
        let names: Vec<String> = circle.iter().map(|&i| files[i].path.display().to_string()).collect();
        let folders: BTreeSet<&Path> = circle.iter().filter_map(|&i| files[i].path.parent()).collect();
        if folders.len() > 1 || circle.len() > LARGEST_CIRCLE {
            wrong.push(format!("{} files: {}", circle.len(), names.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "circles:\n{}", wrong.join("\n"));
}

/// The views that other parts of the viewer lead to, or know for what is theirs alone.
const LED_TO: &[(&str, &str)] = &[
    ("Timeline", "instants and goroutines of all views lead there"),
    ("Stacks", "a place's frame is not that of other views"),
    ("Maps", "findings about maps have their proof there"),
    ("Tasks", "a place may be on a task's name"),
    ("Profile", "it is the view of a file that has no trace"),
];

#[test]
fn a_view_costs_its_own_files_and_one_row() {
    let files = files();
    let catalog = files.iter().find(|f| f.path.ends_with("tui/app/catalog.rs")).unwrap();
    let code = |f: &File| fs::read_to_string(root().join(&f.path)).unwrap();
    let text = code(catalog);
    let rows = text.lines().filter_map(|l| {
        let (name, rest) = l.trim().split_once(" = \"")?;
        let (_, path) = rest.rsplit_once(", ")?;
        Some((name, path.split_once("::")?.0))
    });
    let rows: Vec<(&str, &str)> = rows.collect();
    assert!(rows.len() >= 7, "{rows:?}");
    for (name, folder) in rows {
        let home: Vec<String> = ["tui", "views", folder].map(str::to_owned).into();
        let knows = |f: &&File| {
            let own = code(f);
            let own = own.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            own.contains(&format!("ViewId::{name}")) || f.paths.iter().any(|p| p.starts_with(&home[..]))
        };
        let elsewhere: Vec<String> = files
            .iter()
            .filter(|f| !f.module.starts_with(&home[..]) && f.path != catalog.path)
            .filter(knows)
            .map(|f| f.path.display().to_string())
            .collect();
        let led_to = LED_TO.iter().any(|(v, _)| *v == name);
        assert_eq!(led_to, !elsewhere.is_empty(), "{name} is known to {}", elsewhere.join(", "));
    }
}

/// The files outside of `home` that name something below one of `of`.
fn known_to(files: &[File], of: &[Vec<String>], home: &[&str]) -> Vec<String> {
    let names = |f: &&File| f.paths.iter().any(|p| of.iter().any(|m| p.starts_with(m)));
    let path = |f: &File| f.path.to_string_lossy().into_owned();
    files.iter().filter(names).map(path).filter(|p| !home.iter().any(|h| p.starts_with(h))).collect()
}

fn module(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Analyses that have a command, and what else builds on them: the view that shows one, the rules, a critical path, the page
/// of a case.
const BUILT_ON: &[(&str, &[&str])] = &[
    ("gc", &["tui/views/runtime", "analysis/findings"]),
    ("sched", &["tui/views/runtime", "analysis/findings", "analysis/waits/path"]),
    ("maps", &["tui/views/maps", "analysis/findings", "analysis/cost/lenses.rs"]),
    ("diff", &["report/html.rs", "cli/report.rs"]),
];

#[test]
fn an_analysis_with_its_command_costs_three_places() {
    let files = files();
    for (name, others) in BUILT_ON {
        let own = ["analysis", "report", "report/schema", "cli"].map(|room| format!("{room}/{name}"));
        assert!(files.iter().any(|f| f.path.starts_with(&own[0])), "there is no {name}");
        let homes: Vec<&str> =
            own.iter().map(String::as_str).chain(["cli/mod.rs"]).chain(others.iter().copied()).collect();
        let elsewhere = known_to(&files, &own.each_ref().map(|o| module(o)), &homes);
        assert!(elsewhere.is_empty(), "{name} is known to {}", elsewhere.join(", "));
    }
}

#[test]
fn a_format_of_an_export_costs_its_file_and_a_row() {
    let files = files();
    let home = module("report/export");
    let formats = files.iter().filter(|f| f.module.len() == home.len() + 1 && f.module.starts_with(&home));
    let mut n = 0;
    for f in formats {
        let elsewhere = known_to(&files, std::slice::from_ref(&f.module), &["report/", "cli/export.rs", "cli/grep.rs"]);
        assert!(elsewhere.is_empty(), "{} is known to {}", f.path.display(), elsewhere.join(", "));
        n += 1;
    }
    assert!(n >= 5, "only {n} formats");
}

#[test]
fn the_search_for_circles_finds_them() {
    let edges: Vec<BTreeSet<usize>> =
        [vec![1], vec![2], vec![0, 3], vec![4], vec![]].into_iter().map(|v| v.into_iter().collect()).collect();
    let mut found = circles(&edges);
    found.iter_mut().for_each(|c| c.sort_unstable());
    assert_eq!(found, [[0, 1, 2]]);
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let read = |text: &str| File::read("a/b.rs".into(), text);
    let file = read(
        "use super::{c, d::{E, f}};\n// use crate::no;\nfn x() { crate::g::h() }\nfn z() { use crate::{i, j}; }\n
         #[cfg(unix)] use crate::{k};\nconst S: &str = \"http://x\"; fn y(_: crate::l::M) { self::super::super::n::o(); }\n
         fn q() { println!(\"{}\", crate::p::q(1, crate::r::S)); }\nmod inner { use super::super::t; }\n
         pub use own::V; mod own; fn w() { own::x::y() }\n#[cfg(test)]\nmod tests { use crate::no; }",
    );
    let found: BTreeSet<String> = file.paths.iter().map(|p| p.join("::")).collect();
    let wanted = [
        "a::c",
        "a::d::E",
        "a::d::f",
        "g::h",
        "i",
        "j",
        "k",
        "l::M",
        "n::o",
        "p::q",
        "r::S",
        "a::t",
        "a::b::own::V",
        "a::b::own::x::y",
    ];
    for want in wanted {
        assert!(found.contains(want), "{want} is not in {found:?}");
    }
    assert!(!found.iter().any(|p| p.ends_with("no")), "{found:?}");
    assert_eq!(file.handed_on, [("V".to_owned(), ["a", "b", "own", "V"].map(str::to_owned).to_vec())]);
    for odd in ["use crate as c;", "extern crate self as me;", "#[path = \"../cli/mod.rs\"] mod stolen;"] {
        assert!(!read(odd).odd.is_empty(), "{odd}");
    }
    assert!(!read("macro_rules! m { ($x:ident) => { crate::$x::main() } }").odd.is_empty());
}

#[test]
fn every_folder_of_the_source_is_a_layer() {
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(LAYERS.iter().any(|(m, _)| *m == name), "{name} is no layer");
        }
    }
}

#[test]
fn main_stays_thin() {
    let main = fs::read_to_string(root().join("main.rs")).unwrap();
    assert!(main.lines().count() < 60);
}
