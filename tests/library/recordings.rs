//! A file is not always one recording: several in one file, text before the first, a clock that goes back, nothing at all.

use crate::common;

use common::unpacked as bytes;
use gotrail::analysis::sched::Scheduler;
use gotrail::analysis::waits::path::{self, What, Window};
use gotrail::base::{Duration, GoIdx, Time};
use gotrail::input::{self, Bytes, Limits};
use gotrail::model::segment::Kind;
use gotrail::model::{Detail, Lane};
use gotrail::read::Trace;
use gotrail::read::trace::Options;
use gotrail::wire::v2::batch::{Batch, BatchKind, NO_THREAD};
use std::path::Path;
use std::sync::atomic::AtomicBool;

fn open(data: &[u8], recording: Option<usize>) -> Result<Trace, String> {
    let input =
        input::from_bytes("test", Bytes::Memory(data.to_vec().into()), Limits::default()).map_err(|e| e.to_string())?;
    let options = Options { recording, ..Options::default() };
    let trace = Trace::open_with("test", input.bytes, options).map_err(|e| e.to_string())?;
    trace.load(&|_| {}, &AtomicBool::new(false));
    Ok(trace)
}

fn whole(data: &[u8]) -> Trace {
    open(data, None).unwrap()
}

fn losses(trace: &Trace) -> String {
    trace.index().losses.join("\n")
}

/// How many events of each kind, and when goroutines ran, of all segments.
fn events(trace: &Trace) -> u64 {
    let n = trace.index().segments.len();
    (0..n).map(|i| trace.segment(i).unwrap().len() as u64).sum()
}

fn running(trace: &Trace, name: &str) -> Duration {
    let index = trace.index();
    index.groups.iter().find(|g| index.dict.str(g.name) == name).map_or(Duration::ZERO, |g| g.times.running)
}

fn named_go(trace: &Trace, name: &str) -> GoIdx {
    let index = trace.index();
    let group = index.groups.iter().find(|g| index.dict.str(g.name) == name).unwrap();
    group.members[0]
}

/// Fails where a goroutine has a state between two recordings, by the grid or by the segments.
fn nothing_is_known_between(trace: &Trace) {
    use gotrail::analysis::timeline::{Window, exact};
    let index = trace.index();
    let groups: Vec<_> = (0u32..).map(gotrail::base::GroupId).zip(&index.groups).collect();
    for pair in index.recordings.windows(2) {
        // Cells of the grid at both ends may be shared with a recording.
        let cell = index.grid.cell_width();
        let (from, to) = (pair[0].to + cell, pair[1].from - cell);
        assert!(from < to, "the recordings are too close to tell");
        assert!(index.untraced(from) && !index.untraced(pair[0].from) && !index.untraced(pair[1].from));
        for (id, group) in &groups {
            let lane = Lane::Group(*id);
            let cells = index.cells(lane, from, to, 10);
            // Old formats begin a nanosecond before their first event.
            let window = Window { from: pair[0].to + Duration(1), to: pair[1].from - Duration(1), width: 10 };
            let lanes = [(lane, group.members.clone())];
            let strip = exact(trace, &lanes, index.procs.len(), window, &AtomicBool::new(false)).unwrap().remove(0);
            for c in cells.iter().chain(&strip.cells) {
                let known = c.running + c.runnable + c.waiting + c.syscall;
                assert_eq!(known, Duration::ZERO, "{} between recordings: {c:?}", index.dict.str(group.name));
            }
        }
    }
}

#[test]
fn tracing_that_is_started_again_makes_recordings_of_one_process() {
    let data = bytes("tests/data/restart.trace");
    let trace = whole(&data);
    let index = trace.index();
    assert_eq!(index.recordings.len(), 3);
    assert!(index.recordings.iter().all(|r| r.process == 0 && r.minor == 26));
    for pair in index.recordings.windows(2) {
        let gap = pair[1].from - pair[0].to;
        assert!(gap >= Duration(35_000_000) && gap < Duration(60_000_000), "{gap} apart");
    }
    assert!(losses(&trace).starts_with("3 recordings, 4"), "{}", losses(&trace));
    assert!(losses(&trace).contains("apart"), "{}", losses(&trace));
    // Three times five units on CPU, and nothing in between.
    let ran = running(&trace, "main.main");
    let traced: i64 = index.recordings.iter().map(|r| (r.to - r.from).0).sum();
    assert!(ran >= Duration(15_000_000) && ran.0 < traced - 15_000_000, "main.main ran {ran}");
    // So says its critical path, and no stretch on a P is longer than a recording.
    let window = Window { go: named_go(&trace, "main.main"), from: index.start, to: index.end, end: None };
    let path = path::path(&trace, window).unwrap();
    let of =
        |what: What| path.pieces.iter().filter(|p| p.what == what && p.depth == 0).map(|p| p.len()).sum::<Duration>();
    assert_eq!(of(What::Running), ran);
    assert_eq!(of(What::Untraced), index.untraced_in(index.start, index.end));
    assert_eq!(path.pieces.iter().map(|p| p.len()).sum::<Duration>(), index.duration());
    let scheduler = Scheduler::new((Time::MIN, Time::MAX));
    assert!(trace.observe(&scheduler, &|_| {}, &AtomicBool::new(false)));
    let sched = scheduler.finish(&index);
    assert_eq!(sched.length(), index.traced());
    let longest = index.recordings.iter().map(|r| r.to - r.from).max().unwrap();
    assert!(sched.longest_run().is_some_and(|(_, r)| r.len <= longest));
    // The ticker is the same goroutine in all three, and who ended in between ended with the first.
    let named = |name: &str| -> Vec<_> {
        index.goroutines.iter().filter(|g| index.dict.func_name(g.entry) == name).cloned().collect()
    };
    let ticker = named("main.restart.func1");
    assert!(ticker.len() == 1 && ticker[0].ended.is_none(), "{ticker:?}");
    assert!(ticker[0].times.total() <= Duration(traced));
    let gone = named("main.restart.func2");
    assert!(gone.iter().all(|g| g.cut && g.ended == Some(index.recordings[0].to)), "{gone:?}");
    for g in index.goroutines.iter() {
        assert!(g.times.total() <= Duration(traced), "{g:?} has more time than was traced");
    }
    drop(index);
    nothing_is_known_between(&trace);

    // One at a time they say the same.
    let mut ran_alone = Duration::ZERO;
    let mut alone = 0;
    for n in 1..=3 {
        let one = open(&data, Some(n)).unwrap();
        assert_eq!(one.index().recordings.len(), 1);
        assert_eq!(one.recordings(), 3);
        assert!(losses(&one).contains(&format!("recording {n} of 3")), "{}", losses(&one));
        ran_alone += running(&one, "main.main");
        alone += events(&one);
    }
    assert_eq!((ran_alone, alone), (ran, events(&trace)));
    let e = open(&data, Some(4)).err().unwrap();
    assert!(e.contains("holds 3 recordings: there is no recording 4"), "{e}");
}

#[test]
fn a_goroutine_is_in_no_state_between_recordings() {
    use gotrail::analysis::states::interval::{Edge, at, on_proc, step};
    use gotrail::base::{GoIdx, ProcIdx};
    let trace = whole(&bytes("tests/data/restart.trace"));
    let index = trace.index();
    let (never, gos, procs) = (AtomicBool::new(false), index.goroutines.len() as u32, index.procs.len());
    let (mut before, mut after) = (0, 0);
    for pair in index.recordings.windows(2) {
        let (from, to) = (pair[0].to + Duration(1), pair[1].from);
        for t in [from, from + Duration((to - from).0 / 2), to - Duration(1)] {
            assert!((0..gos).all(|g| at(&trace, GoIdx(g), t, &never).is_none()), "at {t:?}");
            assert!((0..procs as u16).all(|p| on_proc(&trace, ProcIdx(p), procs, t).is_none()), "at {t:?}");
        }
        for g in (0..gos).map(GoIdx) {
            let (last, first) = (at(&trace, g, pair[0].to, &never), at(&trace, g, to, &never));
            if let Some(i) = last.filter(|i| i.to > pair[0].to) {
                assert_eq!((i.to, i.end), (from, Edge::Untraced), "{g:?}");
                assert_eq!(step(&trace, g, i.from, true, &never), Some(to));
                before += 1;
            }
            if let Some(i) = first.filter(|i| i.begin.event().is_none()) {
                assert_eq!((i.from, i.begin), (to, Edge::Untraced), "{g:?}");
                assert_eq!(step(&trace, g, i.from, false, &never), Some(pair[0].to));
                after += 1;
            }
        }
    }
    assert!(before > 4 && after > 4, "{before} and {after} go beyond their recordings");
}

#[test]
fn files_of_several_processes_and_versions_are_read_each_by_its_own() {
    let parts = [
        "tests/data/waits.trace",
        "tests/data/annotations-go1.22.trace",
        "tests/data/v1/user_task_region_1_11_good.trace",
        "tests/data/convoy.trace",
    ];
    let parts: Vec<Vec<u8>> = parts.iter().filter(|p| Path::new(p).exists()).map(bytes).collect();
    assert!(parts.len() >= 3);
    let alone: Vec<Trace> = parts.iter().map(|p| whole(p)).collect();
    let trace = whole(&parts.concat());
    let index = trace.index();
    assert_eq!(index.recordings.len(), parts.len(), "{}", losses(&trace));
    let mut first = 0;
    for (r, one) in index.recordings.iter().zip(&alone) {
        let one = one.index();
        assert_eq!(r.minor, one.version.1);
        assert_eq!(r.process, r.number);
        assert_eq!(r.to - r.from, one.end - one.start, "recording {}", r.number + 1);
        let gos: Vec<_> = index.goroutines.iter().filter(|g| u32::from(g.process) == r.process).collect();
        assert_eq!(gos.len(), one.goroutines.len());
        for (a, b) in gos.iter().zip(&one.goroutines) {
            assert_eq!((a.id, a.times, a.events), (b.id, b.times, b.events), "recording {}", r.number + 1);
            assert_eq!(index.dict.func_name(a.entry), one.dict.func_name(b.entry));
        }
        first += one.events;
    }
    assert_eq!(index.events, first);
    drop(index);
    // Segments decoded again have the goroutines of their own process.
    for i in 0..trace.index().segments.len() {
        let seg = trace.segment(i).unwrap();
        let index = trace.index();
        let r = index.recordings.iter().rfind(|r| r.from <= seg.time[0] + Duration(1)).unwrap();
        for &g in &seg.go {
            assert!(index.goroutine(g).is_none_or(|g| u32::from(g.process) == r.process));
        }
    }
    nothing_is_known_between(&trace);
}

#[test]
fn what_is_cut_off_before_another_recording_costs_the_cut_only() {
    let (a, b) = (bytes("tests/data/waits.trace"), bytes("tests/data/convoy.trace"));
    let want = whole(&b).index().events;
    for cut in [17, 40, 100, a.len() / 2, a.len() - 40, a.len() - 1] {
        for junk in ["", "panic: a line of text\n"] {
            let data = [&a[..cut], junk.as_bytes(), &b[..]].concat();
            let trace = whole(&data);
            let index = trace.index();
            let last = index.recordings.last().unwrap();
            assert_eq!(last.number, 1, "cut at {cut}, {junk:?}: {}", losses(&trace));
            let n: u64 = index.segments.iter().filter(|s| s.from >= last.from).map(|s| u64::from(s.len)).sum();
            assert_eq!(n, want, "cut at {cut}, {junk:?}: {}", losses(&trace));
        }
    }
}

#[test]
fn a_clock_that_goes_back_is_said_and_bends_no_times() {
    let data = bytes("tests/data/long.trace");
    let (before, scan) = (whole(&data), gotrail::wire::v2::batch::scan(&data, 26));
    let second = 15_625_000;
    // Batch headers say when, events count on from there.
    let shift = |by: &dyn Fn(usize, &Batch) -> i64| {
        let mut shifted = data.clone();
        for (g, b) in (0..).zip(&scan.generations).flat_map(|(i, g)| g.batches.iter().map(move |b| (i, b))) {
            let ts = varint(b.ts);
            let at = (b.offset.saturating_sub(40)..b.offset).rev().find(|&i| shifted[i..].starts_with(&ts)).unwrap();
            let mut new = varint(b.ts.saturating_add_signed(by(g, b)));
            pad(&mut new, ts.len());
            shifted[at..at + ts.len()].copy_from_slice(&new);
        }
        shifted
    };
    // What the runtime writes of a generation when the next one goes on is late, and no clock goes back.
    let late = shift(&|g, b| if g == 2 && (b.thread == NO_THREAD || b.kind != BatchKind::Events) { second } else { 0 });
    assert_ne!(late, data);
    assert!(!losses(&whole(&late)).contains("clock"), "{}", losses(&whole(&late)));
    // From generation 3 on everything is a second earlier.
    let shifted = shift(&|g, _| if g >= 3 { -second } else { 0 });
    let after = whole(&shifted);
    assert!(losses(&after).contains("the clock goes back by"), "{}", losses(&after));
    assert!(losses(&after).contains(&format!("generation {}", scan.generations[3].number)), "{}", losses(&after));
    let (a, b) = (before.index(), after.index());
    assert_eq!(a.events, b.events);
    let apart = ((a.end - a.start) - (b.end - b.start)).0.abs();
    assert!(apart < 20_000_000, "{apart} ns shorter or longer");
    for (x, y) in a.goroutines.iter().zip(&b.goroutines) {
        let apart = (x.times.total() - y.times.total()).0.abs();
        assert!(apart < 20_000_000, "{x:?}\n{y:?}");
    }
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// Makes a number longer that may be written with leading zeros.
fn pad(n: &mut Vec<u8>, len: usize) {
    while n.len() < len {
        *n.last_mut().unwrap() |= 0x80;
        n.push(0);
    }
}

#[test]
fn text_and_http_headers_before_a_trace_are_skipped_and_said() {
    let data = bytes("tests/data/waits.trace");
    let want = whole(&data);
    let http = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nX-Content-Type-Options: nosniff\r\n\r\n";
    for (before, said) in [("listening on :8080\nready\n", "of text before"), (http, "of HTTP headers before")] {
        let trace = whole(&[before.as_bytes(), &data].concat());
        assert!(losses(&trace).contains(said), "{}", losses(&trace));
        assert_eq!(trace.index().events, want.index().events);
        assert_eq!(trace.index().start, want.index().start);
    }
}

#[test]
fn a_header_alone_holds_no_events() {
    assert!(whole(b"go 1.22 trace\0\0\0").is_empty());
    assert!(!whole(&bytes("tests/data/waits.trace")).is_empty());
}

/// The time of the trace at which a generation's other clocks were read, as Go's reader has it: a few microseconds after
/// the batch, and as many nanoseconds of `CLOCK_MONOTONIC`.
#[test]
fn a_clock_snapshot_keeps_its_own_time() {
    let trace = whole(&bytes("sample-traces/trace.out"));
    let mut seen = 0;
    for i in 0..trace.index().segments.len() {
        let seg = trace.segment(i).unwrap();
        for e in (0..seg.len()).filter(|&i| seg.kind[i] == Kind::Sync).map(|i| seg.event(i)) {
            let Detail::Clock { at, mono_ns, wall_ns, .. } = e.detail else { panic!("{e:?}") };
            assert!(at >= e.time && wall_ns > 0);
            // On Linux both are the same clock, the trace's in steps of 64 ns.
            assert!((at - Time(mono_ns as i64)).0.abs() <= 256, "{at:?} and {mono_ns} ns");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// The files on which the reader failed, with the answers that each asks for.
#[test]
fn files_from_the_field_are_read_as_they_should() {
    let Some(field) = common::shared("field/traces") else { return };
    for name in ["restart-22", "restart-27"] {
        let trace = whole(&bytes(field.join(format!("restart-gap/{name}.trace"))));
        assert_eq!(trace.index().recordings.len(), 5, "{name}: {}", losses(&trace));
        assert!(losses(&trace).starts_with("5 recordings, 1"), "{}", losses(&trace));
        assert!(running(&trace, "main.main") < Duration(60_000_000), "{name}: {}", running(&trace, "main.main"));
        nothing_is_known_between(&trace);
    }
    let data = bytes(field.join("append-two-processes/append27.trace"));
    let trace = whole(&data);
    let index = trace.index();
    assert_eq!(index.recordings.iter().map(|r| r.process).collect::<Vec<_>>(), [0, 1]);
    let tasks = |t: &Trace| t.index().totals.tasks.values().map(|t| t.count).sum::<u64>();
    let [first, second] = [1, 2].map(|n| tasks(&open(&data, Some(n)).unwrap()));
    assert_eq!((second, first + second), (20, tasks(&trace)));
    drop(index);
    let trace = whole(&bytes(field.join("clock-back/back27.trace.gz")));
    assert!(losses(&trace).contains("the clock goes back by 3"), "{}", losses(&trace));
    // 251 ms, as before its batches were set back by 32 s: its samples, which were not, stay among the rest.
    let length = trace.index().duration();
    assert!((Duration(245_000_000)..Duration(260_000_000)).contains(&length), "{length}");
    for file in ["curl-i/curl-i.trace", "text-before/text-27.trace"] {
        let trace = whole(&bytes(field.join(file)));
        assert!(trace.index().events > 100, "{file}");
        assert!(losses(&trace).contains("before the trace's header were skipped"), "{file}: {}", losses(&trace));
    }
    for file in ["nostop-short-22.trace", "nostop-short-27.trace"] {
        assert!(whole(&bytes(field.join("header-only").join(file))).is_empty(), "{file}");
    }
}

/// What was left behind and what was under way in one recording is not hidden by another of which the file tells as well.
#[test]
fn each_process_has_its_own_leaks_and_open_tasks() {
    use gotrail::analysis::leaks::{Standing, stuck};
    use gotrail::analysis::tasks::{self, What};
    use gotrail::analysis::waits::contention::{Keeper, Kept};
    use gotrail::analysis::waits::links::{Options as Wanted, links};
    let left = |trace: &Trace| {
        let links = links(trace, Wanted::default()).unwrap();
        let by_goroutine = |kept: Option<&Kept>| {
            let mut all = stuck(trace, &links, kept).unwrap();
            all.sort_by_key(|s| s.goroutines.first().copied());
            all
        };
        let all = by_goroutine(None);
        // What was kept while the trace was read tells the same.
        let keeper = Keeper::default();
        assert!(trace.observe(&keeper, &|_| {}, &AtomicBool::new(false)));
        assert_eq!(by_goroutine(Some(&keeper.take().unwrap())), all);
        let rising = all.iter().filter(|s| matches!(s.standing, Standing::Rising(_) | Standing::Nil));
        rising.map(|s| s.goroutines.len()).sum::<usize>()
    };
    let of = |name: &str| bytes(format!("tests/data/{name}.trace"));
    let leak = bytes("tests/data/beside/leaks.trace");
    let (one, other) = (left(&whole(&leak)), left(&whole(&of("nil"))));
    assert!(one > 40 && other > 0, "{one} {other}");
    let (waits, convoy) = (left(&whole(&of("waits"))), left(&whole(&of("convoy"))));
    assert_eq!(left(&whole(&[leak.clone(), of("waits"), leak.clone()].concat())), 2 * one + waits);
    assert_eq!(left(&whole(&[of("nil"), of("convoy")].concat())), other + convoy);

    let open = |trace: &Trace| {
        let mut found = Vec::new();
        tasks::each(trace, Wanted::default(), None, &mut |i| {
            if i.what == What::Task {
                found.push((trace.index().dict.str(i.name).to_owned(), i.ended, i.inside));
            }
        })
        .unwrap();
        found.sort();
        found
    };
    let (a, b) = (open(&whole(&of("nil"))), open(&whole(&of("annotations"))));
    assert!(a.iter().any(|t| !t.1) && !b.is_empty());
    let mut want = [&a[..], &b, &a].concat();
    want.sort();
    assert_eq!(open(&whole(&[of("nil"), of("annotations"), of("nil")].concat())), want);
}

/// Who waits when a recording ends does not wait in the next one of another process, and what that releases is not laid to it.
#[test]
fn waits_that_are_open_end_with_their_recording() {
    use gotrail::analysis::waits::contention::{Contention, contention};
    let of = |name: &str| bytes(format!("tests/data/{name}.trace"));
    let sums = |c: &Contention| {
        let mut all: Vec<_> =
            c.classes.iter().map(|x| (x.total, x.waits, x.unfinished, x.unreleased, x.depth_max)).collect();
        all.sort();
        all
    };
    for name in ["deadlock", "nil", "leak"] {
        let one = contention(&whole(&of(name)), None).unwrap();
        let two = contention(&whole(&[of(name), of(name)].concat()), None).unwrap();
        for x in &two.classes {
            let blamed: Duration = x.blame.iter().map(|b| b.delay).sum();
            assert_eq!(blamed + x.unreleased, x.total, "{name}");
        }
        let twice: Vec<_> = sums(&one).into_iter().map(|x| (x.0 + x.0, 2 * x.1, 2 * x.2, x.3 + x.3, x.4)).collect();
        assert_eq!(sums(&two), twice, "{name}");
    }
}

/// The viewer's title says how much of a file with gaps was traced, as `summary` does.
#[test]
fn the_title_says_how_much_was_traced() {
    let screen = common::run(["snapshot", "tests/data/restart.trace", "--size", "140x40"]).0;
    let said = common::run(["summary", "tests/data/restart.trace"]).0;
    let lasted = said.split(" · ").find(|s| s.ends_with(" traced)")).unwrap();
    assert!(screen.lines().next().unwrap().contains(lasted), "{lasted}: {screen}");
}
