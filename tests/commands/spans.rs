//! `gotrail spans --slow`: who sends a request and who serves it are two kinds, each against its own.

use crate::common;

use common::{data, run};
use serde_json::Value;

fn of(args: &[&str]) -> String {
    let trace = data("requests-go1.26.trace").to_string_lossy().into_owned();
    let (out, err, code) = run(args.iter().map(|a| (*a).to_owned()).chain([trace]));
    assert_eq!(code, 0, "{err}");
    out
}

#[test]
fn slow_ones_are_held_against_their_own_kind() {
    let v: Value = serde_json::from_str(&of(&["spans", "--slow", "--format", "json"])).unwrap();
    let others: Vec<&Value> = v["slow_of_other_kinds"].as_array().unwrap().iter().collect();
    let all: Vec<&Value> = std::iter::once(&v["slow"]).chain(others).collect();
    let mut kinds: Vec<&str> = all.iter().map(|s| s["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["http.client", "http.server"]);
    for s in all {
        let handlers = v["handlers"].as_array().unwrap().iter().filter(|h| h["kind"] == s["kind"]);
        let count: u64 = handlers.map(|h| h["count"].as_u64().unwrap()).sum();
        assert_eq!(s["slow"].as_u64().unwrap() + s["normal"].as_u64().unwrap(), count, "{s:#}");
        // What is slow in serving is none of what clients do.
        let what = s["parts"].to_string();
        assert_eq!(what.contains("requests.go:93"), s["kind"] == "http.client", "{what}");
    }
}

/// The program sends one request after the other: which was served by which handler can be told of most, and is no more than
/// likely.
#[test]
fn what_was_sent_is_likely_served_in_the_same_process() {
    let text = of(&["why", "--slow"]);
    let said: Vec<&str> = text.lines().filter(|l| l.starts_with("likely served here: ")).collect();
    assert!(!said.is_empty() && said.iter().all(|l| l.contains(" of 57 by main.requests.")), "{text}");
    let paired: u64 = said.iter().map(|l| l.split(' ').nth(3).unwrap().parse::<u64>().unwrap()).sum();
    assert!((30..=57).contains(&paired), "{paired}: {text}");
    // One that is paired leads on to who served it.
    let one = (1..=12).map(|n| of(&["why", "--span", "http.client", "--nth", &n.to_string()]));
    let title = one.map(|t| t.lines().next().unwrap_or("").to_owned());
    let mut paired = title.filter(|t| t.contains("; likely served here in "));
    assert!(paired.any(|t| t.contains(", by main.requests.requests.func1.func") && t.contains(": gotrail why ")));
    // Those who serve send nothing.
    assert!(!of(&["why", "--slow", "--span", "http.server"]).contains("likely served here"));
}
