//! What the documents say is so: their `console` blocks are run and their outputs compared, the scripts in `sh` blocks
//! run, what is between marks is made from the lists in the code, pictures are drawn again, and the README says the
//! same in both languages. With `GOTRAIL_README=write` in the environment the documents are brought up to date instead.
//!
//! In an output `…` on a line of its own stands for any lines, and within a line for any text.

use gotrail::tui::app::action::Action;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The documents whose commands are run.
const DOCUMENTS: &[&str] = &["README.md", "README.zh-CN.md", "docs/manual.md", "docs/tutorial.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|e| panic!("{document}: {e}"))
}

fn writes() -> bool {
    std::env::var_os("GOTRAIL_README").is_some_and(|v| v == "write")
}

fn run(command: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_gotrail")).parent().unwrap().to_path_buf();
    let paths = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = std::env::join_paths(std::iter::once(bin).chain(paths)).unwrap();
    let out = Command::new("sh").args(["-c", command]).env("PATH", path).current_dir(root()).output().unwrap();
    assert!(out.status.success(), "`{command}` failed: {}", String::from_utf8_lossy(&out.stderr));
    // What fails before a pipe says so.
    assert!(!String::from_utf8_lossy(&out.stderr).contains("gotrail: "), "`{command}`: {out:?}");
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

fn line_matches(want: &str, got: &str) -> bool {
    match want.split_once('…') {
        None => want == got,
        Some((before, after)) => got.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| line_matches(after, &rest[i..]))
        }),
    }
}

fn matches(want: &[&str], got: &[&str]) -> bool {
    match want {
        [] => got.is_empty(),
        ["…", rest @ ..] => (0..=got.len()).any(|i| matches(rest, &got[i..])),
        [first, rest @ ..] => match got {
            // A picture has elisions of its own, which are themselves.
            [line, more @ ..] => (first == line || line_matches(first, line)) && matches(rest, more),
            [] => false,
        },
    }
}

/// The document as it should be: outputs that do not match are replaced by the right ones. With it the number of commands.
fn console_blocks(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut commands = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if line != "```console" {
            continue;
        }
        while let Some(command) = lines.next_if(|l| l.starts_with("$ ")) {
            commands += 1;
            out.push_str(command);
            out.push('\n');
            let mut want = Vec::new();
            while let Some(l) = lines.next_if(|l| !l.starts_with("$ ") && *l != "```") {
                want.push(l);
            }
            let got = run(&command[2..]);
            if matches(&want, &got.lines().collect::<Vec<_>>()) {
                want.iter().for_each(|l| out.push_str(&format!("{l}\n")));
            } else {
                out.push_str(&got);
            }
        }
    }
    (out, commands)
}

/// The document with what stands between the marks of that name replaced; as it is, if it has no such marks.
fn fill(text: &str, name: &str, by: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let Some(from) = text.find(&open).map(|at| at + open.len()) else { return text.to_owned() };
    let to = text.find(&close).unwrap_or_else(|| panic!("{name} does not end"));
    format!("{}{by}{}", &text[..from], &text[to..])
}

/// The lines of all blocks of that language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            if found == language {
                out.push(block);
            }
        }
    }
    out
}

#[test]
fn documents_say_what_is_so() {
    let manual = run("gotrail man --format markdown");
    let mut all = 0;
    for document in DOCUMENTS {
        let text = read(document);
        let (right, commands) = console_blocks(&text);
        let right = fill(&right, "manual", &manual);
        all += commands;
        if writes() {
            std::fs::write(root().join(document), right).unwrap();
            continue;
        }
        for (i, (want, got)) in text.lines().zip(right.lines()).enumerate() {
            assert_eq!(want, got, "{document}, line {}; GOTRAIL_README=write updates it", i + 1);
        }
        assert_eq!(text.len(), right.len(), "{document}; GOTRAIL_README=write updates it");
    }
    assert!(all >= 30, "only {all} commands were run");
    assert!(read("docs/manual.md").contains("<!-- manual -->"), "the manual has no place for its tables");
}

/// The pictures of a document: where each is, and the command that draws it, which stands in a comment above it.
fn pictures(text: &str) -> Vec<(&str, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let of = |i: usize| {
        let path = lines[i].strip_prefix("![")?.split_once("](")?.1.strip_suffix(')')?;
        let command = lines[i.checked_sub(1)?].strip_prefix("<!-- ")?.strip_suffix(" -->");
        Some((path, command.unwrap_or_else(|| panic!("{path} has no command above it"))))
    };
    (0..lines.len()).filter_map(of).collect()
}

#[test]
fn pictures_are_what_the_program_draws() {
    let mut drawn = 0;
    for document in DOCUMENTS {
        let text = read(document);
        for (path, command) in pictures(&text) {
            let file: PathBuf = root().join(document).parent().unwrap().join(path);
            let right = run(command);
            drawn += 1;
            if writes() {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, right).unwrap();
            } else {
                let is = std::fs::read_to_string(&file).unwrap_or_default();
                assert!(
                    is == right,
                    "{} is not what `{command}` draws; GOTRAIL_README=write updates it",
                    file.display()
                );
            }
        }
    }
    assert!(drawn >= 3, "only {drawn} pictures were found");
}

/// What stands before a script of a `sh` block. A viewer has no terminal here, so `snapshot` opens what it would;
/// `record` has no program to record, so its options are looked at (`tests/commands/record.rs` records); 4 is how `diff` says
/// that a limit was passed. Toolchains are not called from a test: `.ci/run` and `scripts/check-install` do that.
const PRELUDE: &str = r#"
set -e
cargo() { :; }
gotrail() {
    case $1 in
    record) command gotrail "$@" --help > help; for o in "$@"; do case $o in --*) grep -q -e "$o" help;; esac; done ;;
    *.out* | *.gz) command gotrail snapshot "$@" > screen ;;
    diff) command gotrail "$@" || [ $? = 4 ] ;;
    *) command gotrail "$@" ;;
    esac
}
"#;

/// The files that the `sh` blocks name, and what they are here.
const STAND_INS: &[(&str, &str)] = &[
    ("trace.out", "sample-traces/trace.out"),
    ("cpu.pb.gz", "sample-traces/cpu.pb.gz"),
    ("old.pb.gz", "sample-traces/fixed-cpu.pb.gz"),
    ("before.out", "tests/data/requests-go1.24.trace"),
    ("after.out", "tests/data/requests-go1.26.trace"),
    ("before1.out", "tests/data/requests-go1.24.trace"),
    ("before2.out", "tests/data/requests-go1.24.trace"),
    ("after1.out", "tests/data/requests-go1.26.trace"),
    ("after2.out", "tests/data/requests-go1.26.trace"),
    ("traces/pool.trace", "tests/data/pool.trace"),
    ("src/main.go", "tests/programs/main.go"),
    ("web-1/pool.trace", "tests/data/pool.trace"),
    ("web-2/leak.trace", "tests/data/leak.trace"),
];

/// A line of a shell block without what is a comment, if anything is left.
fn command(line: &str) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or("").trim();
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

#[test]
fn scripts_of_the_documents_run() {
    let dir = tempfile::tempdir().unwrap();
    for (name, is) in STAND_INS {
        let to = dir.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join(is), to).unwrap();
    }
    for host in ["web-1", "web-2"] {
        std::fs::write(dir.path().join(host).join("build"), "v1\n").unwrap();
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_gotrail")).parent().unwrap().to_path_buf();
    let paths = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = std::env::join_paths(std::iter::once(bin).chain(paths)).unwrap();
    let mut ran = 0;
    for document in DOCUMENTS.iter().chain(&["docs/fleet.md"]) {
        for block in blocks(&read(document), "sh") {
            let script = format!("{PRELUDE}{}\n", block.join("\n"));
            let mut sh = Command::new("sh");
            sh.args(["-c", &script]).env("PATH", &path).current_dir(dir.path()).stdin(std::process::Stdio::null());
            let out = sh.output().unwrap();
            assert!(out.status.success(), "{document}: {block:#?}: {out:?}");
            ran += block.iter().filter(|l| command(l).is_some_and(|l| l.contains("gotrail "))).count();
        }
    }
    assert!(ran >= 18, "only {ran} commands were run");
    for made in
        ["offcpu.pb.gz", "mapassign.svg", "gotrail.1", "gotrail.bash", "case.html", "fix.html", "fleet/transitions"]
    {
        assert!(dir.path().join(made).exists(), "no script made {made}");
    }
}

/// The rows of all tables, as what stands in backticks in each.
fn rows(text: &str) -> Vec<Vec<String>> {
    let row = |l: &str| l.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    text.lines().filter(|l| l.starts_with('|')).map(row).collect()
}

#[test]
fn both_languages_say_the_same() {
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    assert!(english.starts_with("**English** · [简体中文](README.zh-CN.md)\n"));
    assert!(chinese.starts_with("[English](README.md) · **简体中文**\n"));
    for language in ["console", "sh"] {
        let commands = |text| -> Vec<String> {
            let lines = blocks(text, language).concat();
            let wanted = lines.iter().filter(|l| language == "sh" || l.starts_with("$ "));
            wanted.filter_map(|l| command(l)).map(str::to_owned).collect()
        };
        assert_eq!(commands(&english), commands(&chinese), "commands in {language} blocks");
    }
    assert_eq!(rows(&english), rows(&chinese), "the tables");
    assert_eq!(pictures(&english), pictures(&chinese));
    let headings = |text: &str| -> Vec<usize> {
        let outside = text.split("```").step_by(2).flat_map(str::lines);
        outside.filter(|l| l.starts_with('#')).map(|l| l.chars().take_while(|c| *c == '#').count()).collect()
    };
    assert_eq!(headings(&english), headings(&chinese), "the headings");
}

#[test]
fn questions_lead_to_keys_and_commands_that_there_are() {
    let text = read("README.md");
    let table = text.split("<!-- questions -->").nth(1).expect("the questions");
    let table = table.split("<!-- /questions -->").next().unwrap();
    let keys: Vec<&str> = Action::ALL.iter().flat_map(|a| a.default_keys().split(' ')).collect();
    let help = run("gotrail --help");
    let mut seen = 0;
    for row in table.lines().filter(|l| l.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let spans = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
        for key in spans(cells[1]) {
            let known = keys.contains(&key.as_str()) || key == "Enter" || key.starts_with('/');
            assert!(known, "{row}: there is no key {key}");
            seen += 1;
        }
        for command in spans(cells[2]).iter().filter_map(|c| c.strip_prefix("gotrail ")) {
            let name = command.split(' ').next().unwrap();
            let known = help.lines().any(|l| l.trim_start().split(' ').next() == Some(name));
            assert!(known || name.contains('.'), "{row}: there is no command {name}");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} were looked at");
}

/// The files of the repository that are read by people.
fn pages() -> Vec<PathBuf> {
    let markdown = |dir: &str| {
        let files = std::fs::read_dir(root().join(dir)).unwrap().map(|e| e.unwrap().path());
        files.filter(|p| p.extension().is_some_and(|e| e == "md")).collect::<Vec<_>>()
    };
    ["", "docs", "tests"].into_iter().flat_map(markdown).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let prose = text.split("```").step_by(2);
        for link in prose.flat_map(|p| p.split("](").skip(1)).filter_map(|l| l.split(')').next()) {
            let (file, part) = link.split_once('#').map_or((link, None), |(f, p)| (f, Some(p)));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: there is no {link}", page.display());
            if let Some(part) = part {
                let anchor = |l: &str| {
                    let name = l.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                    name.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
                };
                let there = std::fs::read_to_string(&target).unwrap();
                let found = there.lines().any(|l| l.starts_with('#') && anchor(l) == part);
                assert!(found, "{}: there is no heading for {link}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} links were found");
}

#[test]
fn elisions_stand_for_any_text() {
    assert!(matches(&["a", "…", "z 9… %"], &["a", "b", "c", "z 98.4 %"]));
    assert!(!matches(&["a", "…", "z 9… %"], &["a", "b", "z 88.4 %"]));
    assert!(!matches(&["a"], &["a", "b"]));
}

#[test]
fn blocks_and_rows_are_found() {
    let text = "a\n```sh\nx # y\n# z\n```\n| `k` | b `c` |\n```console\n$ one\ntwo\n```\n";
    assert_eq!(blocks(text, "sh").concat().into_iter().filter_map(command).collect::<Vec<_>>(), ["x"]);
    assert_eq!(blocks(text, "console"), [["$ one", "two"]]);
    assert_eq!(rows(text), [["k", "c"]]);
}
