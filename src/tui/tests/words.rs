//! The language of the viewer: no text has words for things that Go engineers call something else.

use std::fs;
use std::path::Path;

/// What no text says, and what it says instead.
const WORDS: &[(&str, &str)] = &[
    ("let go", "unblocked by, released by"),
    ("let it go", "unblocked by, released by"),
    ("lets it go", "unblocked by, released by"),
    ("is let go", "unblocked by, released by"),
    ("woke", "unblocked"),
    ("who ended", "unblocked by"),
    ("ended by", "unblocked by"),
    ("has no P", "waiting for a P"),
    ("without a P", "waiting for a P"),
    ("readied", "made runnable by"),
    ("99 in 100", "p99"),
    ("in all", "total"),
    ("of all\"", "%"),
    (" of time", "% of trace"),
    ("wait meanwhile", "on CPU"),
    ("the trace ends\"", "still blocked at trace end"),
    ("narrowed to", "filter"),
    ("narrowing", "filter"),
    ("is left of", "no … match the filter"),
    ("says\"", "detail"),
    ("ran up to", "running until"),
    ("runtime's own", "runtime goroutines"),
    ("charged to", "attributed to"),
    ("anew", "redraw"),
    ("has become", "grew, shrank"),
    ("dearest", "most expensive"),
    ("collector", "GC"),
    ("collections", "GC cycles"),
    ("stopped world", "stop-the-world"),
    ("world is stopped", "stop-the-world"),
    ("waited for whom", "blocked by"),
    ("links", "waits"),
    ("knot", "wait cycle"),
];

/// The texts of a source file: its string literals, but for comments and tests, each with its closing quote.
fn texts(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]").next().unwrap_or("");
    let mut out = Vec::new();
    for line in code.lines().map(str::trim).filter(|l| !l.starts_with("//") && !l.starts_with("#[")) {
        let mut rest = line;
        while let Some(from) = rest.find('"') {
            // A quote as a character is none.
            if rest[..from].ends_with('\'') {
                rest = &rest[from + 1..];
                continue;
            }
            let body = &rest[from + 1..];
            let mut escaped = false;
            let end = body.char_indices().find(|&(_, c)| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let Some((end, _)) = end else {
                out.push(body.to_owned());
                break;
            };
            out.push(body[..=end].to_owned());
            rest = &body[end + 1..];
        }
    }
    out
}

fn look(dir: &Path, wrong: &mut Vec<String>, seen: &mut usize) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("snapshots") {
            look(&path, wrong, seen);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            // What settings of earlier versions call a view is no text.
            let texts = texts(&fs::read_to_string(&path).unwrap());
            for text in texts.into_iter().filter(|t| t != "view-links\"") {
                *seen += 1;
                for (word, say) in WORDS.iter().filter(|w| text.contains(w.0)) {
                    wrong.push(format!("{}: {text} has {word}; say {say}", path.display()));
                }
            }
        }
    }
}

#[test]
fn texts_have_the_words_of_go_engineers() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui"), &mut wrong, &mut seen);
    assert!(seen > 500, "only {seen} texts were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_are_found_where_they_stand() {
    let code = "// \"no\"\nlet a = \"one\"; let b = '\"'; f(\"t\\\"wo\", \"three\");\n#[cfg(test)]\nmod t { \"four\" }";
    assert_eq!(texts(code), ["one\"", "t\\\"wo\"", "three\""]);
}
