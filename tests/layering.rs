//! The layers hold: what each module imports is what ARCHITECTURE.md's table allows.

use std::fs;
use std::path::{Path, PathBuf};

/// Module, and the modules it may import. `tui` may import all but `cli`, `cli` everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("input", &["base"]),
    ("wire", &["base"]),
    ("store", &["base", "input", "wire"]),
    ("filter", &["base", "store"]),
    ("analysis", &["base", "store", "filter"]),
    ("source", &["base"]),
    ("binary", &["base"]),
    ("report", &["base", "binary", "store", "filter", "analysis"]),
    ("config", &["base"]),
    ("tui", &["base", "input", "wire", "store", "filter", "analysis", "source", "report", "config"]),
    ("cli", &["base", "binary", "input", "wire", "store", "filter", "analysis", "source", "report", "config", "tui"]),
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for p in entries {
        if p.is_dir() {
            sources(&p, out);
        } else if p.extension().is_some_and(|e| e == "rs") {
            out.push(p);
        }
    }
}

/// The modules that a source names as `crate::module` (also inside `crate::{a::b, c}`), with the line.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let lines: Vec<&str> = text.lines().map(|l| l.split("//").next().unwrap_or("")).collect();
    for n in 0..lines.len() {
        // An import may go over several lines.
        let mut code = lines[n].to_owned();
        if lines[n].trim_start().starts_with("use ") || lines[n].trim_start().starts_with("pub use ") {
            let mut rest = lines[n + 1..].iter();
            while !code.contains(';')
                && let Some(more) = rest.next()
            {
                code += more.trim();
            }
        }
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let names: Vec<String> = match rest.strip_prefix('{') {
                Some(list) => list
                    .trim_end_matches([';', '}'])
                    .split(',')
                    .map(|s| s.trim().split("::").next().unwrap_or("").to_owned())
                    .collect(),
                None => vec![rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()],
            };
            out.extend(names.into_iter().map(|name| (n + 1, name)));
        }
    }
    out
}

#[test]
fn every_module_imports_only_what_its_layer_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (module, allowed) in LAYERS {
        let mut files = Vec::new();
        let dir = root.join(module);
        if dir.is_dir() {
            sources(&dir, &mut files);
        }
        for file in files {
            seen += 1;
            let text = fs::read_to_string(&file).unwrap();
            for (line, name) in imports(&text) {
                let known = LAYERS.iter().any(|(m, _)| *m == name);
                if known && name != *module && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{}:{line} imports {name}", file.display()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} files were looked at");
    assert!(wrong.is_empty(), "against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(LAYERS.iter().any(|(m, _)| *m == name), "{name} is no layer");
        }
    }
}

#[test]
fn main_stays_thin() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 60);
}
