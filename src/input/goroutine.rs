//! The line with which a goroutine begins in a dump, read here and nowhere else, and where texts have such lines.
//!
//! A dump is what `/debug/pprof/goroutine?debug=2` answers, and what a program prints when it dies. The line is written by
//! `goroutineheader` in Go's `runtime/traceback.go`:
//!
//! `goroutine N( gp=… m=… mp=…)? [reason( (leaked))?( (scan))?(, M minutes)?(, locked to thread)?(, …)*]( {k: v, …})?:`

use regex::bytes::Regex;
use std::sync::LazyLock;

/// A goroutine's line, taken apart. Nothing of it is escaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// The goroutine's number.
    pub id: u64,
    /// What it does or waits for, in the runtime's words, without what follows in parentheses about leaks and scans.
    pub reason: &'a str,
    /// For how many minutes it has been blocked, if it is one at least.
    pub minutes: Option<u64>,
    /// Whether it is locked to its thread.
    pub locked: bool,
    /// Whether the runtime found that nothing can wake it any more (Go 1.26 and later).
    pub leaked: bool,
    /// Its labels with their braces, as they stand there; empty if it has none.
    pub labels: &'a str,
}

/// The words before a goroutine's number.
const START: &str = "goroutine ";

/// Takes a goroutine's line apart; `None` if it is none.
pub fn goroutine(line: &str) -> Option<Header<'_>> {
    let (id, rest) = line.trim_end().strip_prefix(START)?.split_once(' ')?;
    let id = id.bytes().all(|b| b.is_ascii_digit()).then(|| id.parse().ok())??;
    let (about, rest) = rest.split_once('[')?;
    // A dying program tells the addresses of its G and its M.
    if !about.split_whitespace().all(|w| ["gp=", "m=", "mp="].iter().any(|k| w.starts_with(k))) {
        return None;
    }
    let (state, rest) = rest.split_once(']')?;
    let labels = rest.strip_suffix(':')?.trim_start();
    if !(labels.is_empty() || labels.starts_with('{') && labels.ends_with('}')) {
        return None;
    }
    let mut parts = state.split(", ");
    let mut h = Header { id, reason: parts.next()?, minutes: None, locked: false, leaked: false, labels };
    for part in parts {
        h.locked |= part == "locked to thread";
        h.minutes = part.strip_suffix(" minutes").and_then(|m| m.parse().ok()).or(h.minutes);
    }
    while let Some((reason, leaked)) =
        h.reason.strip_suffix(" (leaked)").map(|r| (r, true)).or(h.reason.strip_suffix(" (scan)").map(|r| (r, false)))
    {
        h.reason = reason;
        h.leaked |= leaked;
    }
    Some(h)
}

/// The same of a line that may have something before it, as loggers put their time and the name of the program there:
/// where the goroutine's line begins in it, and what it says.
pub fn goroutine_in(line: &str) -> Option<(usize, Header<'_>)> {
    line.match_indices(START).find_map(|(at, _)| Some((at, goroutine(&line[at..])?)))
}

/// With what a report of the race detector begins.
pub const RACE: &str = "WARNING: DATA RACE";

/// Whether a text, perhaps a long log, has a goroutine of a dump somewhere, and whether it has a report of the race detector.
pub fn told_in(text: &[u8]) -> (bool, bool) {
    // In a log of JSON the line's end is written as two characters, so that it is not asked for.
    static GOROUTINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)goroutine [0-9]+ (?:(?:gp|mp|m)=[0-9a-z]+ )*\[[a-zA-Z?][^\]\n]*\][^\n]*?:")
            .expect("a valid expression")
    });
    static RACES: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("(?-u){RACE}")).expect("a valid expression"));
    (GOROUTINE.is_match(text), RACES.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Header<'_> {
        goroutine(line).unwrap_or_else(|| panic!("{line}"))
    }

    #[test]
    fn every_part_of_the_line_is_read() {
        let plain = Header { id: 1, reason: "running", minutes: None, locked: false, leaked: false, labels: "" };
        assert_eq!(header("goroutine 1 [running]:"), plain);
        assert_eq!(header("goroutine 1 [running, locked to thread]:\r"), Header { locked: true, ..plain });
        assert_eq!(header("goroutine 1 gp=0xc000002380 m=0 mp=0x5b0e20 [running]:"), plain);
        let all =
            header("goroutine 7 gp=0x1 m=nil [chan receive (leaked) (scan), 5 minutes, locked to thread] {a: b}:");
        let want =
            Header { id: 7, reason: "chan receive", minutes: Some(5), locked: true, leaked: true, labels: "{a: b}" };
        assert_eq!(all, want);
        assert_eq!(header("goroutine 9 [chan receive (nil chan) (leaked)]:").reason, "chan receive (nil chan)");
        assert_eq!(header("goroutine 9 [select (no cases), 12 minutes]:").minutes, Some(12));
        assert_eq!(header("goroutine 9 [sleep, synctest bubble 3]:").reason, "sleep");
        assert_eq!(header("goroutine 9 [sleep] {a: \"x]}: y\"}:").labels, "{a: \"x]}: y\"}");
    }

    #[test]
    fn what_only_resembles_it_is_none() {
        for line in [
            "goroutine 1",
            "goroutine x [running]:",
            "goroutine +1 [running]:",
            "goroutine 1 [running]",
            "goroutine 1 of 2 [running]:",
            "goroutine 1 [running] and more:",
            "goroutine profile: total 3",
            "goroutine 99999999999999999999999 [running]:",
            "created by main.main in goroutine 1",
        ] {
            assert_eq!(goroutine(line), None, "{line}");
        }
        let (at, h) = goroutine_in("2026/01/02 03:04:05 goroutine x, goroutine 5 [sleep]:").unwrap();
        assert_eq!((at, h.id), (33, 5));
    }

    #[test]
    fn texts_tell_what_they_have() {
        assert_eq!(told_in(b"x\nT goroutine 1 gp=0x5 m=0 mp=0x8 [running]:\n"), (true, false));
        assert_eq!(told_in(b"{\"log\":\"goroutine 1 [running]:\\n\"}\n"), (true, false));
        assert_eq!(told_in(b"a goroutine 1 of 2\n==================\nWARNING: DATA RACE\n"), (false, true));
    }
}
