//! `gotrail report`: the page is well formed, loads nothing, and no name out of a file is markup; in a browser, where there is
//! one, its script runs and its search finds.

use crate::common::{leave_out_of_ci, root, run};
use std::path::PathBuf;
use std::process::Command;

fn page(files: &[&str]) -> String {
    let (page, err, code) = run([&["report"], files].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{files:?}");
    page
}

/// Elements without an end of their own.
const VOID: [&str; 3] = ["meta", "input", "!doctype"];

/// Fails where an element is not ended by its own end, or an attribute is not quoted. What scripts and styles hold is text.
fn well_formed(page: &str) -> usize {
    let (mut open, mut rest, mut elements): (Vec<String>, &str, usize) = (Vec::new(), page, 0);
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = tag.split_whitespace().next().unwrap().to_lowercase();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{}", &rest[..rest.len().min(200)]);
            continue;
        }
        elements += 1;
        let quotes = tag.matches('"').count();
        assert!(quotes % 2 == 0, "<{tag}>");
        if VOID.contains(&name.as_str()) {
            continue;
        }
        if name == "script" || name == "style" {
            let close = format!("</{name}>");
            let end = rest.find(&close).expect("a script ends");
            rest = &rest[end + close.len()..];
            continue;
        }
        open.push(name);
    }
    assert!(open.is_empty(), "{open:?} are not ended");
    elements
}

/// What a browser would load: addresses in attributes and in the style.
fn loads(page: &str) -> Vec<&str> {
    let of = |what: &'static str| page.match_indices(what).map(move |(at, _)| &page[at..(at + 60).min(page.len())]);
    ["src=", "url(", "@import", "<link", "<iframe", "<img", "fetch(", "XMLHttpRequest", "import("]
        .into_iter()
        .flat_map(of)
        .collect()
}

#[test]
fn a_page_is_whole_and_loads_nothing() {
    let page = page(&["sample-traces/trace.out", "sample-traces/cpu.pb.gz"]);
    assert!(well_formed(&page) > 100);
    assert_eq!(loads(&page), Vec::<&str>::new());
    assert!(!page.contains("http://") && !page.contains("https://"), "an address");
    assert!(page.contains("default-src 'none'"));
    assert!(page.len() < 2 << 20, "{}", page.len());
    for part in
        ["MAP", "order_cache.go:47", "gotrail waits", "gotrail locks", "gotrail summary", "runtime.mapassign_faststr"]
    {
        assert!(page.contains(part), "{part}");
    }
    // What it prints is what the commands do.
    let (locks, _, _) = run(["locks", "sample-traces/trace.out", "--limit", "20"]);
    let escaped = |l: &str| l.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let missing: Vec<&str> = locks.lines().filter(|l| !page.contains(escaped(l).trim_end())).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn two_traces_are_held_against_each_other() {
    let page = page(&["sample-traces/trace.out", "sample-traces/fixed-trace.out"]);
    well_formed(&page);
    let (text, _, _) = run(["diff", "sample-traces/trace.out", "sample-traces/fixed-trace.out", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(page.contains("<h4>better</h4>") && json["rows"].as_array().unwrap().len() > 3);
    assert!(page.contains("payment.(*OrderCache).Update:47  (only in A)"), "the line that was mended");
}

/// The traces and profiles whose names are an attack on whoever shows them.
#[test]
fn hostile_names_are_inert() {
    let page = page(&["tests/data/hostile.trace"]);
    well_formed(&page);
    // No text of the file is a tag or ends one: all tags are those that the page has of any trace.
    let tags = |page: &str| {
        let all = page.split('<').skip(1).filter_map(|t| t.split([' ', '>', '\n']).next().map(str::to_owned));
        all.collect::<std::collections::BTreeSet<String>>()
    };
    let ours = tags(&self::page(&["sample-traces/trace.out", "tests/data/leak.trace"]));
    let theirs = tags(&page);
    assert!(theirs.is_subset(&ours), "{:?}", theirs.difference(&ours).collect::<Vec<_>>());
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}') && !page.contains('\u{0}'));
}

#[test]
fn a_file_gets_its_name_when_it_is_whole_and_inputs_are_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("case.html");
    let (out, err, code) = run(["report", "sample-traces/trace.out", "-o", to.to_str().unwrap()]);
    assert_eq!((out.as_str(), err.as_str(), code), ("", "", 0));
    assert!(std::fs::read_to_string(&to).unwrap().ends_with("</html>\n"));
    let trace = dir.path().join("t.trace");
    std::fs::copy(root().join("tests/data/leak.trace"), &trace).unwrap();
    let before = std::fs::read(&trace).unwrap();
    let (_, err, code) = run(["report", trace.to_str().unwrap(), "-o", trace.to_str().unwrap()]);
    assert!(code != 0 && !err.is_empty() && std::fs::read(&trace).unwrap() == before, "{err}");
}

/// A browser without a window: `GOTRAIL_CHROMIUM`, or one of these.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("GOTRAIL_CHROMIUM").map(PathBuf::from);
    let all = std::env::split_paths(&path).flat_map(|d| [d.join("chromium"), d.join("chromium-browser")]);
    named.into_iter().chain(all).find(|p| p.is_file())
}

#[test]
fn in_a_browser_the_script_runs_and_the_search_finds() {
    let Some(browser) = browser() else {
        return leave_out_of_ci("the page of `gotrail report` in a browser: there is no chromium");
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("case.html");
    std::fs::write(&file, page(&["sample-traces/trace.out"])).unwrap();
    let out = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("file://{}#find=mapassign", file.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    // What the page's script says is refused, by the policy or by a mistake of its own, stands there.
    let said: Vec<&str> = log.lines().filter(|l| l.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "{said:#?}");
    let hits = dom.matches("hit\"").count();
    assert!(hits > 0, "nothing is marked: {log}");
    let says = dom.split("role=\"status\">").nth(1).and_then(|s| s.split('<').next()).unwrap_or_default();
    // Over nine in ten samples of the sample are in mapassign.
    let share = says.rsplit(" · ").next().and_then(|s| s.strip_suffix(" %")).and_then(|s| s.parse::<f64>().ok());
    assert!(share.is_some_and(|s| s > 50.0), "{says}");
}
