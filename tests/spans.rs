//! Requests that are found in traces, against what the servers wrote down themselves.

mod common;

use gotrail::analysis::spans::rules::Rules;
use gotrail::analysis::spans::{Found, Span, find};
use gotrail::model::Detail;
use gotrail::read::Trace;
use std::io::Read;
use std::path::Path;

/// A request as the server's log has it.
#[derive(serde::Deserialize)]
struct Logged {
    k: String,
    begin: i64,
    end: i64,
    g: u64,
}

fn log(path: &Path) -> Vec<Logged> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&std::fs::read(path).unwrap()[..]).read_to_string(&mut text).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What the program `requests` says of itself in log messages: who served or sent a request, and from when to when.
fn noted(trace: &Trace) -> Vec<Logged> {
    let index = trace.index();
    let mut out = Vec::new();
    for i in 0..index.segments.len() {
        let seg = trace.segment(i).unwrap();
        for e in 0..seg.len() {
            let Detail::Log { category, message, .. } = seg.detail(e) else { continue };
            if index.dict.str(category) == "access" {
                let words: Vec<&str> = index.dict.str(message).split(' ').collect();
                let number = |i: usize| words[i].parse::<i64>().unwrap();
                let k = if words[0] == "served" { "handler" } else { words[0] }.to_owned();
                out.push(Logged { k, g: number(1) as u64, begin: number(2), end: number(3) });
            }
        }
    }
    out
}

fn of_kind<'a>(found: &'a Found, kind: &'a str) -> impl Iterator<Item = &'a Span> {
    found.spans.iter().filter(move |s| found.kind(s.kind) == kind)
}

fn percentile(x: &mut [i64], part: f64) -> i64 {
    x.sort_unstable();
    x[((x.len() as f64 * part) as usize).min(x.len() - 1)]
}

/// Holds the requests that were found against a log: all that lie wholly inside, and no others. Returns how many.
fn held(trace: &Trace, log: &[Logged], what: &str) -> usize {
    let found = find(trace, Rules::shipped()).unwrap();
    let index = trace.index();
    let number = |s: &Span| index.goroutine(s.go).map_or(0, |g| g.id.0);
    let mut spans: Vec<(u64, &Span)> = of_kind(&found, "http.server").map(|s| (number(s), s)).collect();
    spans.sort_by_key(|(g, s)| (*g, s.from));
    let (mut inside, mut begins, mut ends) = (0, Vec::new(), Vec::new());
    let mut taken = vec![false; spans.len()];
    for r in log.iter().filter(|r| r.k == "handler") {
        let overlap = |s: &Span| s.to.0.min(r.end) - s.from.0.max(r.begin);
        let of = spans.iter().enumerate().filter(|(i, (g, s))| *g == r.g && !taken[*i] && overlap(s) > -1_000_000);
        let best = of.max_by_key(|(_, (_, s))| overlap(s));
        let whole = r.begin > index.start.0 && r.end < index.end.0;
        match best {
            Some((i, (_, s))) => {
                taken[i] = true;
                if whole && s.complete() {
                    inside += 1;
                    begins.push((s.from.0 - r.begin).abs());
                    ends.push((s.to.0 - r.end).abs());
                    // The log is written inside the handler, and its clock is read by the program.
                    let (least, most) = s.len_bounds();
                    assert!(least <= most && s.begin.earliest <= s.from && s.from <= s.begin.latest, "{what}: {s:?}");
                }
            }
            None if whole => panic!("{what}: {} ns on G{} is not found", r.end - r.begin, r.g),
            None => {}
        }
    }
    let invented: Vec<_> = spans.iter().zip(&taken).filter(|((_, s), taken)| !**taken && s.complete()).collect();
    assert!(invented.is_empty(), "{what}: {} invented, {:?}", invented.len(), invented[0]);
    assert!(inside > 20, "{what}: only {inside}");
    let (begin, end) = (percentile(&mut begins, 0.5), percentile(&mut ends, 0.5));
    println!("{what}: {inside} inside, begin {begin} ns, end {end} ns at p50");
    assert!(begin < 10_000 && end < 20_000, "{what}: begin {begin} ns, end {end} ns");
    inside
}

#[test]
fn requests_are_those_of_the_access_logs() {
    for (name, least) in [("22-h1", 1000), ("27-h1", 900), ("27-slow", 1000)] {
        let Some(file) = common::shared(&format!("spans/{name}.trace")) else { return };
        let log = log(&file.with_file_name(format!("{name}.access.jsonl.gz")));
        let inside = held(&common::load(&file), &log, name);
        assert!(inside > least, "{name}: {inside}");
    }
}

/// HTTP/1, TLS, HTTP/2 and connections that a handler takes over, by servers and clients in one program.
#[test]
fn requests_are_those_that_the_program_counted() {
    for name in ["requests-go1.24", "requests-go1.26"] {
        let trace = common::load(common::data(&format!("{name}.trace")));
        let log = noted(&trace);
        assert_eq!(held(&trace, &log, name), 57, "{name}");
        // What was sent is found, each once, and lies where it may.
        let (found, index) = (find(&trace, Rules::shipped()).unwrap(), trace.index());
        let sent: Vec<&Logged> = log.iter().filter(|r| r.k == "sent").collect();
        let mut spans: Vec<&Span> = of_kind(&found, "http.client").collect();
        spans.sort_by_key(|s| s.from);
        assert_eq!((spans.len(), sent.len()), (57, 57), "{name}");
        let places = |s: &&Span| index.dict.str(s.name).to_owned();
        assert!(spans.iter().map(places).all(|n| n == "net/http.(*Transport).RoundTrip"), "{name}");
        let mut errors = Vec::new();
        for (s, r) in spans.iter().zip(&sent) {
            assert!(s.complete() && s.to.0 > r.begin && s.from.0 < r.end, "{name}: {s:?}");
            errors.push((s.from.0 - r.begin).abs().max((s.to.0 - r.end).abs()));
        }
        assert!(percentile(&mut errors, 0.5) < 30_000, "{name}: {errors:?}");
    }
}
