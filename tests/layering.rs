//! The house stands: no import runs against the layers, and no circle of imports leaves its own folder or ties more than
//! a handful of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

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
            "config", "tui",
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
    /// The code, without comments and inline test modules.
    code: String,
}

/// Drops comments, and everything from an inline module of tests on.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(|l| l.starts_with("mod ") && l.ends_with('{')) {
            break;
        }
        out += line.split("//").next().unwrap_or("");
        out.push('\n');
    }
    out
}

fn collect(dir: &Path, out: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for p in entries {
        if p.is_dir() {
            collect(&p, out);
        } else if p.extension().is_some_and(|e| e == "rs") {
            let path = p.strip_prefix(root()).unwrap().to_owned();
            let mut module: Vec<String> =
                path.with_extension("").iter().map(|s| s.to_string_lossy().into_owned()).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            let code = code(&fs::read_to_string(&p).unwrap());
            out.push(File { path, module, code });
        }
    }
}

/// All of `src`, but for the files that hold nothing but tests.
fn files() -> Vec<File> {
    let mut out = Vec::new();
    collect(&root(), &mut out);
    let test_only: BTreeSet<Vec<String>> = out
        .iter()
        .flat_map(|f| {
            let lines: Vec<&str> = f.code.lines().collect();
            let mods = lines.windows(2).filter(|w| w[0].trim() == "#[cfg(test)]").filter_map(|w| {
                let name = w[1].trim().strip_suffix(';')?.rsplit(' ').next()?;
                w[1].contains("mod ").then(|| [&f.module[..], &[name.to_owned()]].concat())
            });
            mods.collect::<Vec<_>>()
        })
        .collect();
    out.retain(|f| !(1..=f.module.len()).any(|n| test_only.contains(&f.module[..n])));
    assert!(out.len() > 150, "only {} files were found", out.len());
    out
}

/// The paths that a use tree names: `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn expand(prefix: &str, tree: &str, out: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        out.push(format!("{prefix}{}", tree.split(" as ").next().unwrap_or("").trim()));
        return;
    };
    let head = format!("{prefix}{}", &tree[..open]);
    let (mut depth, mut part) = (0, String::new());
    for c in tree[open + 1..tree.rfind('}').unwrap_or(tree.len())].chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&head, &std::mem::take(&mut part), out);
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() {
        expand(&head, &part, out);
    }
}

/// The trees of the `use` statements of a file, and whether they are handed on.
fn uses(code: &str) -> Vec<(bool, String)> {
    let mut out = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let rest = line.strip_prefix("pub").map_or(line, |l| match l.strip_prefix('(') {
            Some(l) => l.split_once(')').map_or("", |l| l.1),
            None => l,
        });
        let Some(tree) = rest.trim_start().strip_prefix("use ") else { continue };
        let mut tree = tree.to_owned();
        while !tree.contains(';')
            && let Some(more) = lines.next()
        {
            tree += more.trim();
        }
        out.push((line.starts_with("pub"), tree.split(';').next().unwrap_or("").to_owned()));
    }
    out
}

/// Every path that begins with `crate`, `super` or `self` in a file, from the crate's root on.
fn paths(f: &File) -> Vec<Vec<String>> {
    let mut named = Vec::new();
    uses(&f.code).iter().for_each(|(_, tree)| expand("", tree, &mut named));
    for start in ["crate::", "super::"] {
        for (at, _) in f.code.match_indices(start) {
            let inside = f.code[..at].ends_with("::") || f.code[..at].ends_with(|c: char| c.is_alphanumeric());
            if !inside {
                let end = f.code[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                named.push(f.code[at..end.map_or(f.code.len(), |e| at + e)].to_owned());
            }
        }
    }
    let absolute = |path: &String| -> Option<Vec<String>> {
        let mut at = f.module.clone();
        let mut relative = false;
        let mut rest = path.split("::").filter(|p| !p.is_empty()).peekable();
        while let Some(&word) = rest.peek() {
            match word {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                _ => break,
            }
            relative = true;
            rest.next();
        }
        at.extend(rest.map(str::to_owned));
        relative.then_some(at)
    };
    named.iter().filter_map(absolute).collect()
}

/// Which files each file imports, by position.
fn imports(files: &[File]) -> Vec<BTreeSet<usize>> {
    let by_module: BTreeMap<&[String], usize> =
        files.iter().enumerate().filter(|(_, f)| !f.module.is_empty()).map(|(i, f)| (&f.module[..], i)).collect();
    // The file where a path leads: the longest beginning of it that is a module; and where that is a `mod.rs` which
    // hands a name on, the child that has it.
    let lead = |path: &[String]| -> Option<usize> {
        let n = (1..=path.len()).rev().find(|&n| by_module.contains_key(&path[..n]))?;
        let found = by_module[&path[..n]];
        let Some(name) = path.get(n) else { return Some(found) };
        for (_, tree) in uses(&files[found].code).iter().filter(|u| u.0) {
            let mut all = Vec::new();
            expand("", tree, &mut all);
            for handed in all.iter().filter(|p| p.rsplit("::").next() == Some(name)) {
                let child: Vec<String> = handed.split("::").filter(|w| *w != "self").map(str::to_owned).collect();
                let child = [&path[..n], &child[..child.len() - 1]].concat();
                if let Some(&c) = by_module.get(&child[..]) {
                    return Some(c);
                }
            }
        }
        Some(found)
    };
    files
        .iter()
        .enumerate()
        .map(|(i, f)| paths(f).iter().filter_map(|p| lead(p)).filter(|&to| to != i).collect())
        .collect()
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
    for f in files() {
        let Some((_, allowed)) = LAYERS.iter().find(|(m, _)| f.module.first().is_some_and(|x| x == m)) else {
            continue;
        };
        for path in paths(&f) {
            let Some(name) = path.first() else { continue };
            let known = LAYERS.iter().any(|(m, _)| m == name);
            if known && *name != f.module[0] && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} imports {}", f.path.display(), path.join("::")));
            }
        }
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
    let rows = catalog.code.lines().filter_map(|l| {
        let (name, rest) = l.trim().split_once(" = \"")?;
        let (_, path) = rest.rsplit_once(", ")?;
        Some((name, path.split_once("::")?.0))
    });
    let rows: Vec<(&str, &str)> = rows.collect();
    assert!(rows.len() >= 7, "{rows:?}");
    for (name, folder) in rows {
        let home: Vec<String> = ["tui", "views", folder].map(str::to_owned).into();
        let knows = |f: &&File| {
            f.code.contains(&format!("ViewId::{name}")) || paths(f).iter().any(|p| p.starts_with(&home[..]))
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

#[test]
fn the_search_for_circles_finds_them() {
    let edges: Vec<BTreeSet<usize>> =
        [vec![1], vec![2], vec![0, 3], vec![4], vec![]].into_iter().map(|v| v.into_iter().collect()).collect();
    let mut found = circles(&edges);
    found.iter_mut().for_each(|c| c.sort_unstable());
    assert_eq!(found, [[0, 1, 2]]);
    let file = File {
        path: "a/b.rs".into(),
        module: vec!["a".into(), "b".into()],
        code: code(
            "use super::{c, d::{E, f}};\n// use crate::no;\nfn x() { crate::g::h() }\n#[cfg(test)]\nmod tests {\nuse crate::no;",
        ),
    };
    let found: BTreeSet<String> = paths(&file).iter().map(|p| p.join("::")).collect();
    for want in ["a::c", "a::d::E", "a::d::f", "g::h"] {
        assert!(found.contains(want), "{want} is not in {found:?}");
    }
    assert!(!found.iter().any(|p| p.contains("no")), "{found:?}");
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
