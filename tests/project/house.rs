//! What keeps the code readable and one question answered in one place: sizes, and where some things may be written.

use crate::common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// No file of `src` has more lines than this, and no function as many as the second.
const FILE: usize = 600;
const FUNCTION: usize = 120;

/// What is still larger, and by how many lines it is. The list may only shrink.
const STILL_LONGER: &[(&str, usize)] = &[];

fn sources() -> BTreeMap<PathBuf, String> {
    fn collect(dir: &Path, out: &mut BTreeMap<PathBuf, String>) {
        for path in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                collect(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(common::root().join("src")).unwrap().to_owned();
                out.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut out = BTreeMap::new();
    collect(&common::root().join("src"), &mut out);
    assert!(out.len() > 150, "only {} files were found", out.len());
    out
}

/// Code without comments and without what stands behind `#[cfg(test)]` at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    text.lines().map(|l| l.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The functions of a formatted file and how many lines each has: it ends where a brace stands below its beginning.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let mut words = trimmed.split(' ').skip_while(|w| w.starts_with("pub") || matches!(*w, "const" | "async"));
        if words.next() != Some("fn") || trimmed.starts_with("//") {
            continue;
        }
        let name = words.next().unwrap_or("").split(['(', '<']).next().unwrap_or("").to_owned();
        let ends = |l: &&str| l.len() - l.trim_start().len() == indent && l.trim_start().starts_with('}');
        let one_line = line.ends_with('}') || line.ends_with(';');
        let length = if one_line { 1 } else { lines[i + 1..].iter().position(ends).map_or(1, |n| n + 2) };
        out.push((name, length));
    }
    out
}

#[test]
fn files_and_functions_can_be_read_in_one_sitting() {
    let mut longer: Vec<(String, usize)> = Vec::new();
    for (path, text) in sources() {
        let path = path.display();
        let lines = text.lines().count();
        if lines > FILE {
            longer.push((path.to_string(), lines));
        }
        let long = functions(&text).into_iter().filter(|f| f.1 >= FUNCTION);
        longer.extend(long.map(|(name, n)| (format!("{path}: {name}"), n)));
    }
    let allowed = |l: &&(String, usize)| !STILL_LONGER.iter().any(|(name, n)| *name == l.0 && l.1 <= *n);
    let wrong: Vec<_> = longer.iter().filter(allowed).collect();
    assert!(wrong.is_empty(), "longer than {FILE} lines a file, {FUNCTION} a function: {wrong:#?}");
    let gone = STILL_LONGER.iter().filter(|(name, _)| !longer.iter().any(|l| l.0 == *name));
    assert!(gone.clone().count() == 0, "no longer too long, take it off the list: {:?}", gone.collect::<Vec<_>>());
}

#[test]
fn the_lengths_of_functions_are_counted() {
    let text = "pub(crate) const fn a() -> u8 {\n    1\n}\n\nimpl X {\n    fn b(&self) {}\n    // fn no()\n    async fn c<T>(\n        x: T,\n    ) {\n        if x {\n        }\n    }\n}\n";
    let want = [("a".to_owned(), 3), ("b".to_owned(), 1), ("c".to_owned(), 6)];
    assert_eq!(functions(text), want);
}

/// The files whose code holds one of these.
fn holding(words: &[&str]) -> Vec<String> {
    let holds = |text: &str| words.iter().any(|w| text.contains(w));
    let tests = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
    let found = sources().into_iter().filter(|(path, text)| !tests(path) && holds(&code(text)));
    found.map(|(path, _)| path.display().to_string()).collect()
}

#[test]
fn lengths_of_time_are_read_in_one_place() {
    assert_eq!(holding(&["\"µs\", ", "\"min\", 60", "\"us\" |", "3_600_000_000_000),"]), ["base/duration.rs"]);
    // Who reads one asks there.
    for (file, asks) in
        [("cli/window.rs", "parse()"), ("cli/position.rs", "parse()"), ("query/check.rs", "parse::<Duration>()")]
    {
        let sources = sources();
        assert!(sources[Path::new(file)].contains(asks), "{file} does not ask base::duration");
    }
}

#[test]
fn what_was_meant_is_guessed_in_one_place() {
    assert_eq!(holding(&["did you mean"]), ["base/spell.rs"]);
    assert_eq!(holding(&["strsim", "fn distance", "levenshtein", "jaro"]), ["base/spell.rs"]);
}

#[test]
fn a_query_word_is_one_row() {
    let table = "query/words.rs";
    for word in gotrail::query::help().iter().filter_map(|h| h.field()) {
        // Names that people write instead of it, and names of one letter, stand for other things elsewhere.
        let quoted = format!("\"{word}\"");
        let named = holding(&[&quoted]).into_iter().filter(|f| f.starts_with("query/") && f != table);
        assert_eq!(named.collect::<Vec<_>>(), Vec::<String>::new(), "`{word}` is known outside of {table}");
    }
}

#[test]
fn a_command_is_its_file_and_one_row() {
    let sources = sources();
    let cli = code(&sources[Path::new("cli/mod.rs")]);
    let rows: Vec<&str> = cli.lines().filter_map(|l| l.trim().strip_prefix("Some(Command::")).collect();
    let mut own = 0;
    for row in rows.iter().filter(|r| r.contains("::run(&a")) {
        let module = row.split("=> ").nth(1).and_then(|r| r.trim_start_matches("Ok(").split("::").next()).unwrap();
        if module == "profile" {
            continue;
        }
        let file = format!("cli/{module}.rs");
        let text = &sources[Path::new(&file)];
        let args = text.split("pub struct ").chain(text.split("pub(super) struct ")).skip(1);
        let args: Vec<&str> = args.filter_map(|t| t.split([' ', '<']).next()).filter(|n| n.ends_with("Args")).collect();
        assert!(!args.is_empty(), "{file} has no arguments");
        for name in args {
            // `WindowArgs` and their like are shared, and are no command's.
            let users = holding(&[name]);
            assert!(users.len() <= 2 && users.contains(&file), "{name} is known in {users:?}");
        }
        own += 1;
    }
    assert!(own >= 8, "only {own} commands were found");
}

#[test]
fn cited_sections_of_the_format_exist() {
    let notes = fs::read_to_string(common::root().join("docs/format.md")).unwrap();
    let cited =
        regex::Regex::new(r"(?:docs/)?(?i:format)\.md, sections? ([0-9.]*[0-9])(?: and ([0-9.]*[0-9]))?").unwrap();
    let mut seen = 0;
    for (path, text) in sources() {
        for found in cited.captures_iter(&text) {
            assert!(found[0].starts_with("docs/"), "{}: {} is no file here", path.display(), &found[0]);
            for section in found.iter().skip(1).flatten() {
                let (number, dot) = (section.as_str(), if section.as_str().contains('.') { "" } else { "." });
                let heading = notes.lines().any(|l| l.trim_start_matches('#').starts_with(&format!(" {number}{dot} ")));
                assert!(heading, "{}: docs/format.md has no section {number}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "only {seen} citations were found");
}

#[test]
fn a_rule_is_its_file_its_row_and_its_thresholds() {
    let thresholds = fs::read_to_string(common::root().join("assets/findings.toml")).unwrap();
    let rules: Vec<&str> =
        thresholds.lines().filter_map(|l| l.strip_prefix('[')).filter_map(|l| l.split(']').next()).collect();
    assert!(rules.len() > 20, "only {} rules have thresholds", rules.len());
    for rule in rules {
        let known = holding(&[&format!("\"{rule}\"")]);
        assert!(known.len() <= 1, "{rule} is known in {known:?}");
        assert!(known.iter().all(|f| f.starts_with("analysis/findings/")), "{rule} is known in {known:?}");
    }
}
