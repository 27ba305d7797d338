//! What Go's own reader says about its old traces, held against what comes out here; and what no input may do.

use super::*;
use crate::left_out::shared;
use crate::wire::error::Error;
use crate::wire::event::{GoState, Kind, ProcState};
use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

const HTTP: &[u8] = include_bytes!("../../../tests/data/v1/http_1_21_good.trace");
const START_STOP: &[u8] = include_bytes!("../../../tests/data/v1/stress_start_stop_1_19_good.trace");
const TASKS: &[u8] = include_bytes!("../../../tests/data/v1/user_task_region_1_11_good.trace");
const OLD: &[u8] = include_bytes!("../../../tests/data/v1/stress_start_stop_1_7_good.trace");

fn minor(data: &[u8]) -> u32 {
    let digits: String = data[5..].iter().take_while(|b| b.is_ascii_digit()).map(|&b| b as char).collect();
    digits.parse().unwrap()
}

/// All events of a file, in small helpings.
struct Decoded {
    events: Events,
    tables: Tables,
    losses: Vec<String>,
}

fn decode(data: &[u8]) -> Result<Decoded, Error> {
    let layout = Layout::read(data, minor(data))?;
    let mut d = Decoder::new(data, &layout);
    let mut events = Events::default();
    while d.next(&mut events, 1000) {}
    let Tables { gos, procs, threads, .. } = d.tables().clone();
    let losses = layout.losses.iter().cloned().chain(d.losses()).collect();
    Ok(Decoded { events, tables: Tables { gos, procs, threads, ..layout.tables }, losses })
}

/// The facts that `summary` states, without those that need goroutines' histories.
#[derive(Default, Debug, PartialEq)]
struct Facts {
    counts: BTreeMap<String, i64>,
    /// Times in ns; they may differ by as much as times were bumped.
    times: BTreeMap<String, i64>,
}

impl Facts {
    fn add(&mut self, key: String, n: i64) {
        *self.counts.entry(key).or_default() += n;
    }

    fn time(&mut self, key: String, ns: i64) {
        *self.times.entry(key).or_default() += ns;
    }
}

fn text(t: &Tables, pos: u64) -> String {
    String::from_utf8_lossy(t.strings.get(pos as u32)).into_owned()
}

fn funcs(t: &Tables, stack: u32) -> Vec<String> {
    t.stacks.get(stack).iter().map(|f| text(t, f.func.into())).collect()
}

/// The frame nearest the leaf that is not the runtime's.
fn user_frame(t: &Tables, stack: u32) -> String {
    let frames: Vec<(String, String)> = t
        .stacks
        .get(stack)
        .iter()
        .map(|f| (text(t, f.func.into()), format!("{} {}:{}", text(t, f.func.into()), text(t, f.file.into()), f.line)))
        .collect();
    let outside = |f: &str| !["runtime.", "runtime/", "internal/", "sync."].iter().any(|p| f.starts_with(p));
    frames.iter().find(|f| outside(&f.0)).or(frames.first()).map(|f| f.1.clone()).unwrap_or_default()
}

/// The name of the metric that an event has a value of.
fn metric(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::ProcsChange => Some("/sched/gomaxprocs:threads"),
        Kind::HeapAlloc => Some("/memory/classes/heap/objects:bytes"),
        Kind::HeapGoal => Some("/gc/heap/goal:bytes"),
        _ => None,
    }
}

fn facts(c: &Events, t: &Tables) -> Facts {
    let mut f = Facts::default();
    f.add("events".into(), 1); // Go tells a trace's end too, as a `Sync`.
    f.add("kinds Sync".into(), 1);
    let mut open: BTreeMap<String, i64> = BTreeMap::new();
    let mut waits: BTreeMap<u32, (i64, String, String)> = BTreeMap::new();
    let mut tracked: BTreeMap<(&str, u32), i64> = BTreeMap::new();
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    let mut links = Vec::new();
    let mut tasks: BTreeMap<u64, (String, i64)> = BTreeMap::new();
    for i in 0..c.len() {
        let r = c.rows[i];
        let args = c.wide(&r);
        let now = r.time.0;
        f.add("events".into(), 1);
        f.add(format!("kinds {:?}", r.kind.class()), 1);
        let range = match r.kind {
            Kind::StwBegin | Kind::StwEnd => Some((format!("stop-the-world ({})", text(t, r.arg.into())), r.by)),
            Kind::GcBegin | Kind::GcEnd => Some(("GC concurrent mark phase".into(), NONE)),
            Kind::GcSweepBegin | Kind::GcSweepEnd => Some(("GC incremental sweep".into(), r.proc.into())),
            Kind::GcMarkAssistBegin | Kind::GcMarkAssistEnd => Some(("GC mark assist".into(), r.go)),
            _ => None,
        };
        if let Some((name, scope)) = range {
            let key = format!("{name} {scope}");
            if r.kind.name().ends_with("Begin") {
                open.entry(key).or_insert(now);
            } else if let Some(at) = open.remove(&key) {
                f.add(format!("ranges {name}"), 1);
                f.time(format!("ranges {name}"), now - at);
            }
        }
        if let Some(metric) = metric(r.kind) {
            f.add(format!("metrics {metric}"), 1);
            f.counts.insert(format!("last {metric}"), args.value() as i64);
        }
        match r.kind {
            Kind::ProcStart => f.add("procs Idle->Running".into(), 1),
            Kind::ProcStop => f.add("procs Running->Idle".into(), 1),
            Kind::ProcStatus => {
                let idle = args.proc().1 == ProcState::Idle;
                f.add(format!("procs Undetermined->{}", if idle { "Idle" } else { "Running" }), 1);
            }
            Kind::Log => f.add(format!("logs {}", text(t, args.category().into())), 1),
            Kind::TaskBegin => _ = tasks.insert(args.task(), (text(t, args.task_name().into()), now)),
            Kind::TaskEnd => {
                if let Some((name, at)) = tasks.remove(&args.task()) {
                    f.add(format!("tasks {name}"), 1);
                    f.time(format!("tasks {name}"), now - at);
                }
            }
            Kind::CpuSample => {
                let mut seen = funcs(t, r.stack);
                if let Some(leaf) = seen.first() {
                    f.add(format!("leaf {leaf}"), 1);
                }
                seen.sort();
                seen.dedup();
                seen.iter().for_each(|name| f.add(format!("cum {name}"), 1));
            }
            _ => {}
        }
        let (from, to) = match (r.kind, r.kind.go_transition()) {
            (Kind::GoStatus, _) => (GoState::Undetermined, GoState::ALL[r.arg as usize]),
            (_, Some(change)) => change,
            _ => continue,
        };
        let reason = match r.kind {
            Kind::GoBlock | Kind::GoStop => text(t, r.arg.into()),
            _ => String::new(),
        };
        let space = if reason.is_empty() { "" } else { " " };
        f.add(format!("go {}->{}{space}{reason}", from.name(), to.name()), 1);
        let own = if r.kind == Kind::GoCreate { r.arg } else { r.stack };
        if !matches!(r.kind, Kind::GoUnblock | Kind::GoStart | Kind::GoSyscallEndBlocked)
            && let Some(root) = funcs(t, own).last()
        {
            names.entry(r.go).or_insert_with(|| root.clone());
        }
        if (from, to) == (GoState::Running, GoState::Waiting) {
            waits.insert(r.go, (now, reason.clone(), user_frame(t, r.stack)));
        }
        if (from, to) == (GoState::Waiting, GoState::Runnable)
            && let Some((at, reason, frame)) = waits.remove(&r.go)
        {
            links.push((r.go, r.by, format!("{reason} at {frame} by {}", user_frame(t, r.stack)), now - at));
        }
        let sync = ["chan", "sync", "select"].iter().any(|s| reason.contains(s));
        let profiles = [
            ("net", GoState::Waiting, reason == "network"),
            ("sync", GoState::Waiting, sync),
            ("syscall", GoState::Syscall, true),
            ("sched", GoState::Runnable, true),
        ];
        for (name, state, fits) in profiles {
            if to == state {
                if fits {
                    tracked.entry((name, r.go)).or_insert(now);
                }
            } else if let Some(at) = tracked.remove(&(name, r.go)) {
                f.add(format!("profiles {name}"), 1);
                f.time(format!("profiles {name}"), now - at);
            }
        }
    }
    for (name, _) in tasks.into_values() {
        f.add(format!("tasks {name}"), 0);
    }
    let name = |go: u32| names.get(&go).cloned().unwrap_or_default();
    for (go, by, key, ns) in links {
        let key = format!("links {} {key} {}", name(go), name(by));
        f.add(key.clone(), 1);
        f.time(key, ns);
    }
    f
}

/// The same facts as Go's reader states them.
fn facts_of_go(path: &Path) -> Facts {
    let v: Value = serde_json::from_reader(GzDecoder::new(File::open(path).unwrap())).unwrap();
    let mut f = Facts::default();
    let object = |key: &str| v[key].as_object().cloned().unwrap_or_default();
    f.add("events".into(), v["events"].as_i64().unwrap());
    let plain = [
        ("kinds", "kinds"),
        ("goroutine_transitions", "go"),
        ("proc_transitions", "procs"),
        ("logs", "logs"),
        ("cpu_samples_by_leaf", "leaf"),
        ("cpu_samples_by_function", "cum"),
    ];
    for (key, short) in plain {
        object(key).iter().for_each(|(k, n)| f.add(format!("{short} {k}"), n.as_i64().unwrap()));
    }
    for (key, count) in [("ranges", "count"), ("tasks", "complete"), ("profiles", "records")] {
        for (k, m) in object(key) {
            if key != "tasks" && m[count] == 0 {
                continue;
            }
            f.add(format!("{key} {k}"), m[count].as_i64().unwrap());
            if m[count] != 0 {
                f.time(format!("{key} {k}"), m["total_ns"].as_i64().unwrap());
            }
        }
    }
    for (k, m) in object("metrics") {
        f.add(format!("metrics {k}"), m["count"].as_i64().unwrap());
        f.add(format!("last {k}"), m["last"].as_i64().unwrap());
    }
    for l in v["links"].as_array().into_iter().flatten() {
        let s = |k: &str| l[k].as_str().unwrap().to_string();
        let key =
            format!("links {} {} at {} by {} {}", s("waiting"), s("reason"), s("waiter_at"), s("waker_at"), s("waker"));
        f.add(key.clone(), l["count"].as_i64().unwrap());
        f.time(key, l["total_ns"].as_i64().unwrap());
    }
    f
}

fn differences(want: &Facts, got: &Facts) -> Vec<String> {
    let mut out = Vec::new();
    let keys = |f: &Facts| f.counts.keys().cloned().collect::<std::collections::BTreeSet<_>>();
    for k in keys(want).union(&keys(got)) {
        let [w, g] = [want, got].map(|f| f.counts.get(k).copied().unwrap_or_default());
        if w != g {
            out.push(format!("{k}: want {w}, got {g}"));
        }
    }
    for (k, w) in &want.times {
        let g = got.times.get(k).copied().unwrap_or_default();
        let slack = w.abs() / 1000 + 2000 * want.counts.get(k).copied().unwrap_or(1).max(1);
        if (w - g).abs() > slack {
            out.push(format!("{k}: want {w} ns, got {g} ns"));
        }
    }
    out
}

fn traces(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "trace"));
    all.sort();
    all
}

#[test]
fn facts_are_those_of_gos_reader() {
    let mut all = Vec::new();
    if let Some(dir) = shared("corpus/go-v1-tests") {
        all.extend(traces(&dir));
    }
    if let Some(dir) = shared("corpus/traces") {
        all.extend(["paycore-go1.19.trace", "paycore-go1.21.trace"].map(|f| dir.join(f)));
    }
    let mut wrong = Vec::new();
    for path in all {
        let data = std::fs::read(&path).unwrap();
        let d = decode(&data).unwrap();
        let want = facts_of_go(&path.with_extension("facts.json.gz"));
        for d in differences(&want, &facts(&d.events, &d.tables)) {
            wrong.push(format!("{}: {d}", path.file_name().unwrap().display()));
        }
        for l in d.losses {
            wrong.push(format!("{}: {l}", path.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_oldest_traces_open_whole() {
    let Some(dir) = shared("corpus/go-v1-old-tests") else { return };
    for path in traces(&dir) {
        let data = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if minor(&data) == 5 {
            let refused = decode(&data).err().unwrap();
            assert!(refused.to_string().contains("holds no function names"), "{name}: {refused}");
            continue;
        }
        let d = decode(&data).unwrap();
        println!("{name}: {} events, {} goroutines, {:?}", d.events.len(), d.tables.gos.len(), d.losses);
        assert_eq!(d.losses, Vec::<String>::new(), "{name}");
        assert_eq!(lives(&d.events), Vec::<String>::new(), "{name}");
        for (i, pair) in d.events.rows.windows(2).enumerate() {
            assert!(pair[0].time < pair[1].time, "{name}: time runs backwards at event {i}");
        }
    }
}

/// What goroutines do that they cannot do from where they are.
fn lives(c: &Events) -> Vec<String> {
    let mut now: BTreeMap<u32, GoState> = BTreeMap::new();
    let mut wrong = Vec::new();
    for i in 0..c.len() {
        let r = c.rows[i];
        let (from, to) = match (r.kind, r.kind.go_transition()) {
            (Kind::GoStatus, _) => (GoState::Undetermined, GoState::ALL[r.arg as usize]),
            (_, Some(change)) => change,
            _ => continue,
        };
        let was = now.insert(r.go, to).unwrap_or(match r.kind {
            Kind::GoStatus => GoState::Undetermined,
            _ => GoState::NotExist,
        });
        if was != from {
            wrong.push(format!("event {i}: {} of goroutine row {} while {}", r.kind.name(), r.go, was.name()));
        }
    }
    wrong
}

/// The checked-in traces and how many events Go's reader makes of each (the oldest is one that it does not open).
const OWN: [(&[u8], usize); 4] = [(HTTP, 790), (START_STOP, 1228), (TASKS, 32), (OLD, 46)];

#[test]
fn a_known_trace_has_its_known_facts() {
    let d = decode(HTTP).unwrap();
    let f = facts(&d.events, &d.tables);
    let expect = [
        ("events", 791),
        ("go Running->Syscall", 50),
        ("go Syscall->Runnable", 48),
        ("go Syscall->Running", 2),
        ("go Undetermined->Syscall", 1),
        ("procs Undetermined->Running", 5),
        ("ranges stop-the-world (read mem stats)", 2),
        ("last /gc/heap/goal:bytes", 4_194_304),
    ];
    for (key, n) in expect {
        assert_eq!(f.counts.get(key), Some(&n), "{key}");
    }
    assert_eq!(d.losses, Vec::<String>::new());
    let layout = Layout::read(HTTP, 21).unwrap();
    let (from, to) = layout.span();
    assert_eq!((from.0, to.0), (0, 3_326_841));
    let mut decoder = Decoder::new(HTTP, &layout);
    assert!(decoder.progress() < 0.5);
    decoder.next(&mut Events::default(), usize::MAX);
    assert_eq!(decoder.progress(), 1.0);
    let first = d.events.rows[0];
    assert_eq!((first.kind, first.time.0), (Kind::Sync, -1));
    for (data, events) in OWN {
        let d = decode(data).unwrap();
        assert_eq!((d.events.len(), d.losses), (events, vec![]));
    }
}

#[test]
fn a_decoder_goes_on_from_anywhere() {
    for (data, _) in OWN {
        let layout = Layout::read(data, minor(data)).unwrap();
        let whole = decode(data).unwrap().events;
        let mut d = Decoder::new(data, &layout);
        let mut at = 0;
        loop {
            let mut rest = Events::default();
            let mut other = Decoder::resume(data, &layout, &d.checkpoint());
            other.next(&mut rest, 40);
            for (i, r) in rest.rows.iter().enumerate() {
                let w = whole.rows[at + i];
                let plain = |r: &crate::wire::event::Row| (r.time, r.kind, r.go, r.by, r.proc, r.thread, r.stack);
                assert_eq!(plain(r), plain(&w), "event {}", at + i);
            }
            let mut step = Events::default();
            if !d.next(&mut step, 13) {
                assert!(rest.is_empty());
                break;
            }
            assert!(step.len() <= 13);
            at += step.len();
        }
        assert_eq!(at, whole.len());
    }
}

/// Writes records as the old runtimes wrote them.
struct Writer(Vec<u8>);

impl Writer {
    fn new(minor: u32) -> Writer {
        let mut header = format!("go 1.{minor} trace").into_bytes();
        header.resize(16, 0);
        Writer(header)
    }

    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    /// A record of these numbers, the time delta first.
    fn record(&mut self, op: u8, numbers: &[u64]) -> &mut Writer {
        let bits = numbers.len().saturating_sub(1).min(3) as u8;
        self.0.push(op | bits << 6);
        let mut body = Writer(Vec::new());
        numbers.iter().for_each(|&n| body.number(n));
        if bits == 3 {
            self.number(body.0.len() as u64);
        }
        self.0.extend(body.0);
        self
    }

    /// The start of a trace in which goroutine 1 runs on P 0 and goroutine 2 waits, and a clock of 1 tick/ns.
    fn running(minor: u32) -> Writer {
        let mut w = Writer::new(minor);
        w.record(op::FREQUENCY, &[1_000_000_000]);
        w.record(op::BATCH, &[0, 1000]);
        w.record(op::GO_CREATE, &[0, 1, 0, 0]).record(op::GO_CREATE, &[1, 2, 0, 0]).record(op::GO_WAITING, &[1, 2]);
        w.record(op::PROC_START, &[1, 77]).record(op::GO_START, &[1, 1, 1]).record(op::GOMAXPROCS, &[1, 1, 0]);
        w
    }
}

fn kinds(e: &Events) -> Vec<(Kind, i64)> {
    e.rows.iter().map(|r| (r.kind, r.time.0)).collect()
}

#[test]
fn a_syscall_ends_when_it_really_ended() {
    let mut w = Writer::running(19);
    // Goroutine 1 loses its P at 1012; it returns at 1020, and gets a P at 1030, after goroutine 2 came and went.
    w.record(op::GO_UNBLOCK, &[1, 2, 2, 0]).record(op::GO_SYS_CALL, &[4, 0]).record(op::GO_SYS_BLOCK, &[2]);
    w.record(op::GO_START, &[3, 2, 3]).record(op::GO_SYS_CALL, &[2, 0]).record(op::GO_BLOCK_RECV, &[8, 0]);
    w.record(op::GO_SYS_EXIT, &[5, 1, 2, 1018]).record(op::GO_START_LOCAL, &[1, 1]);
    let d = decode(&w.0).unwrap();
    assert_eq!(d.losses, Vec::<String>::new());
    let got = kinds(&d.events);
    let want = [
        (Kind::GoSyscallBegin, 10),
        (Kind::GoStart, 15),
        (Kind::GoSyscallBegin, 17),
        (Kind::GoSyscallEnd, 18),
        (Kind::GoSyscallEndBlocked, 19),
        (Kind::GoBlock, 25),
        (Kind::GoStart, 31),
    ];
    assert_eq!(got[got.len() - want.len()..], want);
    assert_eq!(lives(&d.events), Vec::<String>::new());
}

#[test]
fn futile_wakeups_and_timer_goroutines_are_no_obstacle() {
    let mut w = Writer::running(8);
    w.record(op::TIMER_GOROUTINE, &[2]).record(op::GO_UNBLOCK, &[1, 2, 2, 0]).record(op::GO_SCHED, &[1, 0]);
    w.record(op::GO_START, &[1, 2, 3]).record(op::FUTILE_WAKEUP, &[1]).record(op::GO_BLOCK_SYNC, &[1, 0]);
    let d = decode(&w.0).unwrap();
    assert_eq!(d.losses, Vec::<String>::new());
    assert_eq!(kinds(&d.events).last(), Some(&(Kind::GoBlock, 10)), "its time counts");
    assert_eq!(lives(&d.events), Vec::<String>::new());
}

#[test]
fn before_1_10_the_world_stops_once_though_each_p_says_so() {
    let mut w = Writer::running(9);
    w.record(op::STW_START, &[1]).record(op::STW_START, &[1]).record(op::STW_DONE, &[1]).record(op::STW_DONE, &[1]);
    let d = decode(&w.0).unwrap();
    let stops: Vec<Kind> = d.events.rows.iter().map(|r| r.kind).filter(|k| k.name().starts_with("STW")).collect();
    assert_eq!(stops, [Kind::StwBegin, Kind::StwEnd]);
}

#[test]
fn an_event_whose_cause_is_lost_is_told_and_counted() {
    let mut w = Writer::running(21);
    w.record(op::GO_SCHED, &[1, 0]).record(op::GO_START, &[1, 2, 9]).record(op::USER_REGION, &[1, 0, 7, 0, 0]);
    let d = decode(&w.0).unwrap();
    assert_eq!(kinds(&d.events).last(), Some(&(Kind::GoStart, 7)));
    assert_eq!(d.losses.len(), 2, "{:?}", d.losses);
    assert!(d.losses[0].contains("do not follow from those before them: 1"));
}

#[test]
fn bytes_of_a_programs_output_are_passed_over() {
    let mut w = Writer::running(21);
    w.0.extend(b"\xfe\xfe 2026/11/23 listening on :8080\n");
    w.record(op::BATCH, &[0, 1100]).record(op::GO_SCHED, &[1, 0]);
    let d = decode(&w.0).unwrap();
    assert_eq!(kinds(&d.events).last(), Some(&(Kind::GoStop, 101)));
    assert!(d.losses[0].starts_with("33 bytes that are not part of the trace"), "{:?}", d.losses);
}

#[test]
fn what_is_no_trace_is_refused() {
    for (minor, body) in [(5, &b"\x41\0\0"[..]), (4, b""), (22, b""), (21, b""), (21, b"hello"), (11, b"\x41\x00")] {
        let mut w = Writer::new(minor);
        w.0.extend(body);
        assert!(Layout::read(&w.0, minor).is_err(), "{minor} {body:?}");
    }
    assert!(Layout::read(b"go 1", 11).is_err());
}

/// Decodes what may be anything, and checks what has to be true of any answer.
fn survive(data: &[u8], minor: u32) -> Option<(usize, Vec<String>)> {
    let layout = Layout::read(data, minor).ok()?;
    let mut d = Decoder::new(data, &layout);
    let mut e = Events::default();
    while d.next(&mut e, 100) {}
    assert!(e.len() <= 2 * data.len() + 1);
    for pair in e.rows.windows(2) {
        assert!(pair[0].time < pair[1].time || pair[1].time == crate::base::Time::MAX);
    }
    let t = d.tables();
    for r in &e.rows {
        assert!(r.go == NONE || (r.go as usize) < t.gos.len());
        assert!(r.by == NONE || (r.by as usize) < t.gos.len());
        assert!(r.proc == NONE16 || (r.proc as usize) < t.procs.len());
        assert!(r.thread == NONE16 || (r.thread as usize) < t.threads.len());
        assert!(r.stack == NONE || (r.stack as usize) < layout.tables.stacks.len());
    }
    Some((e.len(), layout.losses.iter().cloned().chain(d.losses()).collect()))
}

#[test]
fn a_trace_cut_anywhere_opens_as_far_as_it_is_whole() {
    let mut all: Vec<Vec<u8>> = OWN.iter().map(|o| o.0.to_vec()).collect();
    if let Some(dir) = shared("corpus/go-v1-old-tests") {
        all.extend(["stress_1_7_good.trace", "stress_1_10_good.trace"].map(|f| std::fs::read(dir.join(f)).unwrap()));
    }
    if let Some(dir) = shared("corpus/traces") {
        all.push(std::fs::read(dir.join("paycore-go1.21.trace")).unwrap());
    }
    for data in all {
        let whole = survive(&data, minor(&data)).unwrap().0;
        let step = if data.len() < 10_000 { 97 } else { 9_973 };
        for cut in (97..data.len()).step_by(step) {
            let (events, losses) = survive(&data[..cut], minor(&data)).unwrap();
            // A little is told of what a lost event has led to: no more than once for each goroutine.
            assert!(events <= whole + 64, "{events} of {whole}");
            assert!(!losses.is_empty(), "cut at {cut} of {}", data.len());
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_do_harm(which in 0usize..4, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30), cut in any::<prop::sample::Index>()) {
        let mut data = OWN[which].0.to_vec();
        let minor = minor(&data);
        for (i, b) in edits {
            let i = 16 + i.index(data.len() - 16);
            data[i] = b;
        }
        survive(&data, minor);
        survive(&data[..16 + cut.index(data.len() - 16)], minor);
    }

    #[test]
    fn no_records_do_harm(records in prop::collection::vec((0u8..52, prop::collection::vec(0u64..6, 1..5)), 0..80)) {
        let mut w = Writer::running(21);
        for (op, numbers) in records {
            w.record(op, &numbers);
        }
        survive(&w.0, 21);
    }
}
