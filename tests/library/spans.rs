//! Requests that are found in traces, against what the servers wrote down themselves.

use crate::common;

use gotrail::analysis::spans::rules::Rules;
use gotrail::analysis::spans::slow::{FEW_GROUPS, compare};
use gotrail::analysis::spans::sums::Box;
use gotrail::analysis::spans::{Found, Span, find};
use gotrail::analysis::waits::links;
use gotrail::analysis::{search, tasks};
use gotrail::base::{Duration, GoIdx, Time};
use gotrail::model::Detail;
use gotrail::query::parse;
use gotrail::read::Trace;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

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
fn held(trace: &Trace, log: &[Logged], (kind, what): (&str, &str)) -> usize {
    let found = find(trace, Rules::shipped()).unwrap();
    let index = trace.index();
    let number = |s: &Span| index.goroutine(s.go).map_or(0, |g| g.id.0);
    let mut spans: Vec<(u64, &Span)> = of_kind(&found, kind).map(|s| (number(s), s)).collect();
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
        let inside = held(&common::load(&file), &log, ("http.server", name));
        assert!(inside > least, "{name}: {inside}");
    }
}

/// HTTP/1, TLS, HTTP/2 and connections that a handler takes over, by servers and clients in one program.
#[test]
fn requests_are_those_that_the_program_counted() {
    for name in ["requests-go1.24", "requests-go1.26"] {
        let trace = common::load(common::data(&format!("{name}.trace")));
        let log = noted(&trace);
        assert_eq!(held(&trace, &log, ("http.server", name)), 57, "{name}");
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

/// Holds the calls that were found against those that clients say they sent: each once, on its goroutine.
fn sent(trace: &Trace, log: &[Logged], kind: &str) -> usize {
    let (found, index) = (find(trace, Rules::shipped()).unwrap(), trace.index());
    let number = |s: &Span| index.goroutine(s.go).map_or(0, |g| g.id.0);
    let mut sent: Vec<&Logged> = log.iter().filter(|r| r.k == "sent").collect();
    sent.sort_by_key(|r| (r.g, r.begin));
    let mut spans: Vec<&Span> = of_kind(&found, kind).collect();
    spans.sort_by_key(|s| (number(s), s.from));
    assert_eq!(spans.len(), sent.len(), "{kind}");
    for (s, r) in spans.iter().zip(&sent) {
        assert!(s.complete() && number(s) == r.g && s.to.0 > r.begin && s.from.0 < r.end, "{kind}: {s:?}");
    }
    sent.len()
}

/// Unary calls of gRPC, some of which follow each other without anything in between.
#[test]
fn calls_of_grpc_are_those_that_the_program_counted() {
    let trace = common::recording("grpc");
    assert_eq!(sent(&trace, &noted(&trace), "grpc.client"), 18);
}

/// Client and server are one program, which is profiled meanwhile: a CPU sample within a call is no call of its own.
#[test]
fn a_client_has_as_many_calls_as_its_server_has_requests() {
    let Some(file) = common::shared("incidents/out-orders/trace.out") else { return };
    let trace = common::load(&file);
    assert!(trace.index().totals.samples.values().sum::<u64>() > 20, "profiled");
    let found = find(&trace, Rules::shipped()).unwrap();
    let of = |kind| of_kind(&found, kind).filter(|s| s.complete()).count();
    assert_eq!((of("http.client"), of("http.server")), (1811, 1811));
}

/// A call that is given up is one.
#[test]
fn calls_that_their_client_gives_up_count_once() {
    let trace = common::recording("slowserve");
    let (found, index) = (find(&trace, Rules::shipped()).unwrap(), trace.index());
    assert_eq!((of_kind(&found, "http.client").count(), of_kind(&found, "http.server").count()), (320, 320));
    let names = of_kind(&found, "http.server").map(|s| index.dict.str(s.name));
    assert!(names.into_iter().all(|n| n == "main.(*book).servePay"));
}

/// On a server where one request in a hundred holds a lock for 30 ms, the lock is what makes slow ones slow.
#[test]
fn the_lock_that_few_hold_for_long_is_what_makes_requests_slow() {
    let Some(file) = common::shared("spans/27-slow.trace") else { return };
    let trace = common::load(&file);
    let found = find(&trace, Rules::shipped()).unwrap();
    let (of, most) = (|s: &Span| found.kind(s.kind) == "http.server", Duration(i64::MAX));
    let slow = Box { of: &of, least: Duration(25_000_000), most, from: Time::MIN, to: Time::MAX };
    let c = compare(&trace, &found.spans, &slow).unwrap().unwrap();
    assert!(c.slow > 100 && c.normal > 2000 && c.groups > FEW_GROUPS, "{} {} {}", c.slow, c.normal, c.groups);
    // The parts sum to the difference, but for what whole nanoseconds lose.
    let sum: i64 = c.parts.iter().map(|p| p.more().ns()).sum();
    assert!((sum - (c.slow_mean - c.normal_mean).ns()).abs() < 200, "{sum}");
    let first = &c.parts[0];
    let said = gotrail::report::spans::way(&c, &trace.index(), &first.way);
    assert!(said.starts_with("waits for Mutex at ") && said.contains("← waits for a timer: sleep"), "{said}");
    assert!(first.first > 0.99 && first.low > Duration(15_000_000) && first.low < first.more(), "{first:?}");
    assert!(first.more() < first.high && first.more().ns() * 2 > sum, "{first:?} of {sum}");
    // Nothing is slow without others, and the other way round.
    let all = Box { least: Duration::ZERO, ..slow };
    assert!(compare(&trace, &found.spans, &all).unwrap().is_none());
}

/// The events that answer a query, as numbers.
fn answers(trace: &Trace, query: &str) -> Vec<u64> {
    let mut out = Vec::new();
    let (query, never) = (parse(query).unwrap(), AtomicBool::new(false));
    search::run(trace, &query, &search::Options::default(), &never, &mut |_, hits| {
        out.extend(hits.iter().map(|h| h.no));
    })
    .unwrap();
    out
}

/// How long a task or region is, is asked of the event that begins it; by `span:` of all that happens inside.
#[test]
fn queries_mean_the_spans_that_are_listed() {
    let trace = common::load(common::sample("trace.out"));
    let index = trace.index();
    let (mut regions, mut waits) = (Vec::new(), 0);
    tasks::each(&trace, links::Options::default(), None, &mut |i| {
        if i.what == tasks::What::Region && index.dict.str(i.name) == "remember order" && i.len() > Duration(5_000_000)
        {
            regions.push((i.begin.unwrap(), i.go, i.from, i.to));
        }
    })
    .unwrap();
    regions.sort_unstable();
    let begins: Vec<u64> = regions.iter().map(|r| r.0).collect();
    assert!(begins.len() > 10);
    assert_eq!(answers(&trace, "region:\"remember order\" dur>5ms"), begins);
    // Waits inside long regions: none outside, and there are some.
    let inside = answers(&trace, "span:\"remember order\" dur>5ms state:waiting");
    let waiting = answers(&trace, "span:\"remember order\" state:waiting dur>5ms");
    for i in 0..index.segments.len() {
        let seg = trace.segment(i).unwrap();
        for e in (0..seg.len()).filter(|e| inside.binary_search(&(seg.first + *e as u64)).is_ok()) {
            let on = |r: &(u64, GoIdx, Time, Time)| r.1 == seg.go[e] || r.1 == seg.by[e];
            let within = |r: &&(u64, GoIdx, Time, Time)| on(r) && r.2 <= seg.time[e] && seg.time[e] <= r.3;
            assert!(regions.iter().any(|r| within(&r)), "{:?}", seg.event(e));
            waits += 1;
        }
    }
    assert!(waits > 10 && !waiting.is_empty() && waiting.iter().all(|no| inside.binary_search(no).is_ok()));
    assert!(answers(&trace, "span:\"no such thing\"").is_empty());
    // A function that no rule names is one of the user's own.
    assert!(!answers(&trace, "span:payment.(*OrderCache).Update").is_empty());
}

#[test]
fn what_cannot_be_is_said_and_not_silently_nothing() {
    for (query, meant) in [
        ("region:settle state:waiting dur>1ms", "span:settle state:waiting"),
        ("reason:sync task:\"an order\"", "span:\"an order\" reason:sync"),
    ] {
        let e = parse(query).unwrap_err();
        assert_eq!(e.suggestion.as_deref(), Some(meant), "{e:?}");
    }
    for fine in ["region:settle dur>1ms", "region:settle or state:waiting", "task:7 dur>1ms", "span:x dur>1ms dur<2ms"]
    {
        assert_eq!(parse(&parse(fine).unwrap().to_string()).unwrap(), parse(fine).unwrap(), "{fine}");
    }
    // What stands in brackets stays together.
    let apart = parse("not (span:x dur>1ms) a").unwrap();
    assert_eq!(parse(&apart.to_string()).unwrap(), apart);
    assert_ne!(apart, parse("not span:x dur>1ms a").unwrap());
}
