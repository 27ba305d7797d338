//! The kernel beside a trace: a pair recorded at once, and what cannot be laid over each other.

use crate::common;

use common::{run, shared};
use gotrail::analysis::kernel::{self, Doing};
use gotrail::base::Time;
use gotrail::model::segment::Kind;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The trace of the pair, and what `perf script` printed.
fn pair() -> Option<(PathBuf, String)> {
    let dir = shared("kernel")?;
    let mut text = String::new();
    let packed = std::fs::read(dir.join("pair-default-ns.perf.txt.gz")).unwrap();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    Some((dir.join("pair.trace"), text))
}

const MONOTONIC: &str = "# ========\n# captured on    : now\n# clockid: monotonic (1)\n#\n";

fn json(trace: &Path, perf: &Path) -> serde_json::Value {
    let args = [Path::new("kernel"), Path::new("--format"), Path::new("json"), trace, perf];
    let (out, err, code) = run(args);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn parts_add_up_and_events_are_written_on_a_cpu() {
    let Some((trace, text)) = pair() else { return };
    let dir = tempfile::tempdir().unwrap();
    let perf = dir.path().join("perf.txt");
    std::fs::write(&perf, MONOTONIC.to_owned() + &text).unwrap();
    let j = json(&trace, &perf);
    let ns = |v: &serde_json::Value| v.as_i64().unwrap();
    let parts = ["on_cpu_ns", "preempted_ns", "waiting_ns", "blocked_ns", "unknown_ns"];
    let adds_up = |s: &serde_json::Value| assert_eq!(parts.iter().map(|p| ns(&s[p])).sum::<i64>(), ns(&s["total_ns"]));
    let groups = j["groups"].as_array().unwrap();
    for state in ["running", "syscall"] {
        adds_up(&j[state]);
        groups.iter().for_each(|g| adds_up(&g[state]));
        let of_groups: i64 = groups.iter().map(|g| ns(&g[state]["total_ns"])).sum();
        assert_eq!(of_groups, ns(&j[state]["total_ns"]));
        // What the summary says of the trace alone.
        let (summary, _, _) = run([Path::new("summary"), Path::new("--format"), Path::new("json"), &trace]);
        assert!(serde_json::from_str::<serde_json::Value>(&summary).is_ok());
    }
    assert!(ns(&j["running"]["preempted_ns"]) > 50_000_000, "the machine was busy: {}", j["running"]);
    assert!(ns(&j["events_on_cpu"]) * 100 >= ns(&j["events"]) * 98, "{} of {}", j["events_on_cpu"], j["events"]);
    assert_eq!((ns(&j["offset_ns"]), j["offset_by"].as_str()), (32, Some("snapshot")));
    assert_eq!(j["preempted_by"][0]["comm"], "demo");
}

#[test]
fn a_thread_sleeps_within_its_syscall_to_five_microseconds() {
    let Some((path, text)) = pair() else { return };
    let trace = common::load(&path);
    let r = kernel::read(&text);
    let seg = trace.segment(0).unwrap();
    let snapshot = kernel::align::snapshot(&seg).unwrap();
    let offset = snapshot.at.0 - i64::try_from(snapshot.mono_ns).unwrap();
    let index = trace.index();
    let mut begun = std::collections::HashMap::new();
    let mut sleeps = 0;
    for i in 0..seg.len() {
        match seg.kind[i] {
            Kind::GoSyscallBegin => _ = begun.insert(seg.thread[i], seg.time[i]),
            Kind::GoSyscallEnd | Kind::GoSyscallEndBlocked => {
                let Some(from) = begun.remove(&seg.thread[i]) else { continue };
                let tid = index.threads[usize::from(seg.thread[i].0)].id.0.cast_signed();
                let at = |ns: u64| Time(i64::try_from(ns).unwrap() + offset);
                let changes = &r.threads[&tid];
                let slept = changes
                    .windows(3)
                    .find(|w| matches!(w[0].to, Doing::Blocked(_)) && at(w[0].at) > from && at(w[0].at) < seg.time[i]);
                if let Some([slept, next, after]) = slept.and_then(|w| w.first_chunk()) {
                    // Where it is woken on a CPU that is idle, the wakeup may not have been recorded.
                    let on = if next.to == Doing::Woken { after } else { next };
                    assert_eq!(on.to, Doing::On);
                    assert!((at(slept.at) - from).0 > -5_000 && (seg.time[i] - at(on.at)).0 > -5_000);
                    sleeps += 1;
                }
            }
            _ => {}
        }
    }
    assert!(sleeps >= 20, "{sleeps} sleeps");
}

#[test]
fn what_cannot_be_laid_over_each_other_is_refused_and_what_is_missing_is_said() {
    let Some((trace, text)) = pair() else { return };
    let dir = tempfile::tempdir().unwrap();
    let perf = dir.path().join("perf.txt");
    let kernel = |text: &str, options: &[&str]| {
        std::fs::write(&perf, text).unwrap();
        let args = ["kernel", trace.to_str().unwrap(), perf.to_str().unwrap()];
        run(args.iter().chain(options))
    };
    let refused = |(_, err, code): (String, String, i32), want: &str| {
        assert!(code == 3 && err.contains(want), "{code} {err}");
    };
    let other_clock = MONOTONIC.replace("# clockid: monotonic (1)\n", "");
    refused(kernel(&(other_clock.clone() + &text), &[]), "record with -k mono, or say --offset");
    assert_eq!(kernel(&(other_clock + &text), &["--offset", "32"]).2, 0);
    refused(kernel(&text, &["--offset", "-1420000"]), "events of the trace were while their thread was on a CPU");
    refused(kernel(&text, &["--offset", "99000000000"]), "began after the trace ended");
    let namespace = regex::Regex::new(r"\b302(\d\d)\b").unwrap().replace_all(&text, "402$1").into_owned();
    refused(kernel(&namespace, &[]), "no thread of the trace");
    let samples: String = text.lines().filter(|l| !l.contains("sched:")).map(|l| l.to_owned() + "\n").collect();
    refused(kernel(&samples, &[]), "no sched:sched_switch events");
    // One switch of many is left out, as perf does where it is given a frequency.
    let thinned: String = text
        .lines()
        .enumerate()
        .filter(|(i, l)| !l.contains("sched_switch") || i % 20 != 0)
        .map(|(_, l)| l.to_owned() + "\n")
        .collect();
    let (out, err, code) = kernel(&thinned, &[]);
    assert!(code == 0 && out.contains("switches do not follow from those before"), "{code} {err}{out}");
    let (out, _, _) = kernel(&text, &[]);
    assert!(out.contains("does not say its clock") && !out.contains("do not follow"), "{out}");
}
