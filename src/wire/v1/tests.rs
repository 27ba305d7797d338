//! What Go's own reader says about its old traces, held against what comes out here; and what no input may do.

use super::*;
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
        let wide = |n: usize| c.wide(&r)[n];
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
        let metric = match r.kind {
            Kind::ProcsChange => "/sched/gomaxprocs:threads",
            Kind::HeapAlloc => "/memory/classes/heap/objects:bytes",
            Kind::HeapGoal => "/gc/heap/goal:bytes",
            _ => "",
        };
        if !metric.is_empty() {
            f.add(format!("metrics {metric}"), 1);
            f.counts.insert(format!("last {metric}"), wide(0) as i64);
        }
        match r.kind {
            Kind::ProcStart => f.add("procs Idle->Running".into(), 1),
            Kind::ProcStop => f.add("procs Running->Idle".into(), 1),
            Kind::ProcStatus => {
                let idle = wide(1) == ProcState::Idle as u64;
                f.add(format!("procs Undetermined->{}", if idle { "Idle" } else { "Running" }), 1);
            }
            Kind::Log => f.add(format!("logs {}", text(t, wide(1))), 1),
            Kind::TaskBegin => _ = tasks.insert(wide(0), (text(t, wide(2)), now)),
            Kind::TaskEnd => {
                if let Some((name, at)) = tasks.remove(&wide(0)) {
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

/// A folder beside the repository that not everyone has.
fn shared(dir: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared").join(dir);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
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
