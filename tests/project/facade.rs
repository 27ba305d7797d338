//! The outside face: what of it there is, as a reviewed text (`tests/facade.txt`), and the examples, which use nothing else.
//! With `GOTRAIL_FACADE=write` in the environment the text is brought up to date instead.

use crate::common;

use std::fs;
use std::path::Path;

/// The declarations of a formatted file that others can name, with their docs' first line: types, fields, variants and
/// methods, without bodies.
fn declarations(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut doc = String::new();
    let mut in_enum = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim();
        let indent = line.len() - line.trim_start().len();
        if let Some(d) = code.strip_prefix("///") {
            if doc.is_empty() {
                doc = d.trim().to_owned();
            }
            continue;
        }
        if code.starts_with("#[") {
            if code == "#[non_exhaustive]" {
                out.push(format!("{:indent$}{code}", ""));
            }
            continue;
        }
        let heading = code.starts_with("impl") && code.ends_with('{');
        let variant = in_enum && indent == 4 && code.starts_with(char::is_uppercase);
        let field = in_enum && indent == 8 && code.contains(": ");
        if indent == 0 && (heading || code.starts_with("pub ")) {
            in_enum = code.starts_with("pub enum");
        }
        if heading || variant || field || (code.starts_with("pub ") && !doc.is_empty()) {
            let mut declared = code.to_owned();
            while code.contains("fn ") && !declared.ends_with(['{', ';']) {
                declared = format!("{declared} {}", lines.next().unwrap_or("{").trim());
            }
            let declared = declared.trim_end_matches([' ', '{', ';', ',']);
            let doc = if heading || field { "" } else { doc.as_str() };
            out.push(format!("{:indent$}{declared}{}{doc}", "", if doc.is_empty() { "" } else { "  // " }));
        }
        doc.clear();
    }
    out
}

fn facade() -> String {
    let lib = fs::read_to_string(common::root().join("src/lib.rs")).unwrap();
    let mut out = String::from("# src/lib.rs\n");
    let hidden = |i: usize, lines: &[&str]| i > 0 && lines[i - 1] == "#[doc(hidden)]";
    let lines: Vec<&str> = lib.lines().collect();
    for (i, line) in lines.iter().enumerate().filter(|(i, l)| l.starts_with("pub ") && !hidden(*i, &lines)) {
        out += line;
        out += &lines[i + 1..]
            .iter()
            .take_while(|_| !line.ends_with(';'))
            .take_while(|l| **l != "};")
            .map(|l| format!(" {}", l.trim()))
            .collect::<String>();
        out += if line.ends_with(';') { "\n" } else { " };\n" };
    }
    let folder = common::root().join("src/facade");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| !f.ends_with("tests.rs") && !f.ends_with("mod.rs")) {
        out += &format!("\n# {}\n", file.file_name().unwrap().display());
        out.extend(declarations(&fs::read_to_string(file).unwrap()).into_iter().map(|d| d + "\n"));
    }
    out
}

#[test]
fn the_facade_is_what_was_agreed() {
    let path = common::root().join("tests/facade.txt");
    let now = facade();
    if std::env::var_os("GOTRAIL_FACADE").is_some_and(|v| v == "write") {
        fs::write(&path, &now).unwrap();
    }
    let agreed = fs::read_to_string(&path).unwrap();
    assert!(
        now == agreed,
        "the outside face is another one than in tests/facade.txt; if that is meant, GOTRAIL_FACADE=write and say so in \
         CHANGELOG.md:\n{now}"
    );
}

#[test]
fn modules_that_are_no_part_of_it_are_hidden() {
    let lib = fs::read_to_string(common::root().join("src/lib.rs")).unwrap();
    let lines: Vec<&str> = lib.lines().collect();
    for pair in lines.windows(2).filter(|p| p[1].starts_with("pub mod")) {
        assert_eq!(pair[0], "#[doc(hidden)]", "{}", pair[1]);
    }
}

/// What an example prints.
fn example(name: &str, file: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_gotrail")).with_file_name("examples").join(name);
    assert!(program.exists(), "cargo build --examples makes {}", program.display());
    let out = std::process::Command::new(program).arg(file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_examples_are_short_and_use_the_facade_alone() {
    for name in ["count_wakeups", "longest_waits", "hot_lines"] {
        let text = fs::read_to_string(common::root().join("examples").join(name).with_extension("rs")).unwrap();
        assert!(text.lines().count() <= 30, "{name}");
        let paths = text.matches("gotrail::").count();
        let flat = text.lines().filter(|l| l.starts_with("use gotrail::")).all(|l| l.matches("::").count() == 1);
        assert!(flat && paths <= 3, "{name} reaches behind the facade");
    }
}

#[test]
fn wakeups_of_a_chain_are_counted() {
    // `tests/data/README.md`: link1 wakes link2, and so on; link5 wakes main.
    let out = example("count_wakeups", &common::data("chain.trace"));
    for link in 1..=5 {
        assert!(out.lines().any(|l| l.trim() == format!("1  main.link{link}")), "{out}");
    }
}

#[test]
fn the_longest_wait_of_a_chain_is_that_of_main() {
    let out = example("longest_waits", &common::data("chain.trace"));
    let first: Vec<&str> = out.lines().take(2).collect();
    assert!(first[0].contains("main.main for chan receive at "), "{out}");
    assert!(first[1].contains("ended by Goroutine(\"main.link5\")"), "{out}");
}

#[test]
fn the_hottest_line_is_that_of_pprof() {
    // go tool pprof -top -lines sample-traces/cpu.pb.gz
    let out = example("hot_lines", &common::sample("cpu.pb.gz"));
    let want = [
        " 20.1 %  internal/runtime/maps.ctrlGroup.matchH2 internal/runtime/maps/group.go:154",
        " 10.8 %  runtime.memclrNoHeapPointers runtime/memclr_amd64.s:192",
        "  6.7 %  internal/runtime/maps.(*ctrlGroup).setEmpty internal/runtime/maps/group.go:148",
    ];
    assert_eq!(out.lines().take(3).collect::<Vec<_>>(), want);
}
