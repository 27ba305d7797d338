//! What the formats of other tools say of a trace, read back.

use super::lanes::Drawn;
use super::{chrome, folded, perfetto, speedscope};
use crate::analysis::cost::offcpu::{self, Kind};
use crate::analysis::summary::summarize;
use crate::analysis::waits::links::Options;
use crate::base::Time;
use crate::input::Bytes;
use crate::read::Trace;
use prost::Message;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

fn open(name: &str) -> Trace {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let trace = Trace::open(name, Bytes::Memory(bytes.into())).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    trace
}

const ALL: (Time, Time) = (Time::MIN, Time::MAX);

#[test]
fn chrome_has_every_slice_and_the_states_sum_to_the_goroutines_time() {
    let trace = open("sample-traces/trace.out");
    let index = trace.index();
    let mut out = Vec::new();
    let drawn = chrome::write(&trace, &index, ALL, &mut out).unwrap().unwrap();
    let file: Value = serde_json::from_slice(&out).unwrap();
    let events = file["traceEvents"].as_array().unwrap();
    let of = |ph: &str| events.iter().filter(|e| e["ph"] == ph).count() as u64;
    let s = summarize(&index);
    assert_eq!(of("C"), s.metrics.values().map(|m| m.count).sum::<u64>());
    assert_eq!(drawn.samples, s.cpu_samples);
    assert_eq!(of("X") + of("i"), drawn.slices + drawn.samples);
    assert_eq!(of("f"), drawn.flows);
    assert!(of("s") >= of("f") && drawn.flows > 1000);
    // A flow begins where it leads from: at the same instant.
    let ends: BTreeMap<u64, &Value> =
        events.iter().filter(|e| e["ph"] == "s").map(|e| (e["id"].as_u64().unwrap(), &e["ts"])).collect();
    for e in events.iter().filter(|e| e["ph"] == "f") {
        assert_eq!(ends[&e["id"].as_u64().unwrap()], &e["ts"]);
    }
    let running = events.iter().filter(|e| e["ph"] == "X" && e["name"] == "Running");
    let us: f64 = running.map(|e| e["dur"].as_f64().unwrap()).sum();
    let want: i64 = index.goroutines.iter().map(|g| g.times.running.ns()).sum();
    assert!((us * 1e3 - want as f64).abs() < want as f64 / 1e4, "{us} {want}");
}

/// Everything in a Perfetto file.
fn packets(bytes: &[u8]) -> Vec<perfetto::TracePacket> {
    perfetto::Trace::decode(bytes).unwrap().packet
}

#[test]
fn perfetto_describes_what_it_names_and_ends_what_it_begins() {
    let trace = open("sample-traces/trace.out");
    let index = trace.index();
    let mut out = Vec::new();
    let drawn = perfetto::write(&trace, &index, ALL, &mut out).unwrap().unwrap();
    let (mut tracks, mut names, mut stacks, mut frames) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut counted = Drawn::default();
    let (mut open, mut begun, mut sampled) = (BTreeMap::<u64, i64>::new(), 0, 0);
    for p in packets(&out) {
        if let Some(d) = p.track_descriptor {
            assert!(d.parent_uuid.is_none_or(|p| tracks.contains(&p)), "a track before the one above it");
            assert!(tracks.insert(d.uuid.unwrap()), "described twice");
        }
        if let Some(d) = p.interned_data {
            names.extend(d.event_names.iter().map(|n| n.iid));
            frames.extend(d.frames.iter().map(|f| f.iid.unwrap()));
            for c in d.callstacks {
                assert!(c.frame_ids.iter().all(|f| frames.contains(f)));
                stacks.insert(c.iid);
            }
        }
        if let Some(e) = p.track_event {
            let track = e.track_uuid.unwrap();
            assert!(tracks.contains(&track));
            assert!(e.name_iid.is_none() || names.contains(&e.name_iid));
            match e.r#type.unwrap() {
                1 => {
                    *open.entry(track).or_default() += 1;
                    begun += 1;
                    counted.flows += e.terminating_flow_ids.len() as u64;
                }
                2 => *open.get_mut(&track).unwrap() -= 1,
                3 => begun += 1,
                _ => counted.values += 1,
            }
        }
        if let Some(s) = p.perf_sample {
            assert!(stacks.contains(&s.callstack_iid));
            sampled += 1;
        }
    }
    assert!(open.values().all(|n| *n == 0));
    counted = Drawn { slices: begun, samples: sampled, ..counted };
    assert_eq!(counted, drawn);
}

#[test]
fn folded_stacks_and_speedscope_weigh_the_same() {
    let trace = open("sample-traces/trace.out");
    let index = trace.index();
    for kind in [Kind::Cpu, Kind::OffCpu] {
        let p = offcpu::profile(&trace, kind, Options::default()).unwrap();
        let want: u64 = p.records.iter().map(|r| if kind == Kind::Cpu { r.count } else { r.total.ns() as u64 }).sum();
        assert!(want > 0);
        let mut out = Vec::new();
        folded::write(&p, &index, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let weights = text.lines().map(|l| l.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
        assert_eq!(weights.sum::<u64>(), want);

        let mut out = Vec::new();
        speedscope::write(&p, "what", "name", &index, &mut out).unwrap();
        let file: Value = serde_json::from_slice(&out).unwrap();
        let profile = &file["profiles"][0];
        let weights = profile["weights"].as_array().unwrap();
        assert_eq!(weights.iter().map(|w| w.as_u64().unwrap()).sum::<u64>(), want);
        assert_eq!(profile["endValue"], want);
        assert_eq!(profile["samples"].as_array().unwrap().len(), weights.len());
        let frames = file["shared"]["frames"].as_array().unwrap().len() as u64;
        let all = profile["samples"].as_array().unwrap().iter().flat_map(|s| s.as_array().unwrap());
        assert!(all.map(|f| f.as_u64().unwrap()).all(|f| f < frames));
        // What https://www.speedscope.app/file-format-schema.json asks of a sampled profile, and no key beyond it.
        let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&file), "$schema activeProfileIndex exporter name profiles shared");
        assert_eq!(keys(profile), "endValue name samples startValue type unit weights");
        assert_eq!((&profile["type"], &profile["startValue"]), (&"sampled".into(), &0.into()));
        assert!(["none", "nanoseconds"].contains(&profile["unit"].as_str().unwrap()));
        for f in file["shared"]["frames"].as_array().unwrap() {
            assert!(["name", "file name", "file line name"].contains(&keys(f).as_str()), "{f}");
            assert!(f["name"].is_string() && (f["line"].is_null() || f["line"].is_u64()), "{f}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let trace = open("tests/data/hostile.trace");
    let index = trace.index();
    let mut out = Vec::new();
    chrome::write(&trace, &index, ALL, &mut out).unwrap().unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    assert!(!text.chars().any(|c| c != '\n' && crate::base::text::is_unsafe(c)));
    let p = offcpu::profile(&trace, Kind::OffCpu, Options::default()).unwrap();
    let mut out = Vec::new();
    folded::write(&p, &index, &mut out).unwrap();
    for line in String::from_utf8(out).unwrap().lines() {
        let (stack, weight) = line.rsplit_once(' ').unwrap();
        assert!(weight.parse::<u64>().is_ok() && !stack.chars().any(crate::base::text::is_unsafe), "{line}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_says_what_the_other_tables_say() {
    use super::lines::{Lines, Style};
    use super::parquet::Parquet;
    use crate::analysis::tables::{Table, VERSION, Wanted, each};
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;

    let dir = tempfile::tempdir().unwrap();
    let trace = open("sample-traces/trace.out");
    let index = trace.index();
    let path = |t: Table, ending: &str| dir.path().join(format!("{}.{ending}", t.name()));
    let make = |ending: &'static str| {
        move |t: Table| Ok(Box::new(std::fs::File::create(path(t, ending))?) as Box<dyn std::io::Write + Send>)
    };
    let (mut csv, mut pq) = (make("jsonl"), make("parquet"));
    let mut w = Lines::new(Style::Jsonl, (&index, "id"), Table::ALL, &mut csv).unwrap();
    each(&trace, "name", Wanted::of(Table::ALL), &mut w).unwrap();
    w.finish().unwrap();
    let mut w = Parquet::new((&index, "id"), Table::ALL, &mut pq).unwrap();
    each(&trace, "name", Wanted::of(Table::ALL), &mut w).unwrap();
    w.finish().unwrap();
    for &t in Table::ALL {
        let reader = SerializedFileReader::new(std::fs::File::open(path(t, "parquet")).unwrap()).unwrap();
        let meta = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let said: BTreeMap<&str, &str> = meta.iter().map(|m| (m.key.as_str(), m.value.as_deref().unwrap())).collect();
        assert_eq!(said["gotrail.table"], t.name());
        assert_eq!(said["gotrail.schema_version"], VERSION.to_string());
        let text = std::fs::read_to_string(path(t, "jsonl")).unwrap();
        let mut lines = text.lines();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let line: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
            for (name, field) in row.get_column_iter() {
                let got = match field {
                    Field::Null => Value::Null,
                    Field::Long(n) => Value::from(*n),
                    Field::Bool(b) => Value::from(*b),
                    Field::Str(s) => Value::from(s.as_str()),
                    other => panic!("{other:?}"),
                };
                assert_eq!(got, line[name.as_str()], "{}.{name}", t.name());
            }
        }
        assert_eq!(lines.next(), None, "{}", t.name());
    }
}
