use crate::input::{Kind, recognise};
use crate::profile::model::Profile;

/// The profile in a text, which is recognised as it is in a file.
fn profile(text: &str) -> Profile {
    assert!(matches!(recognise(text.as_bytes()), Kind::Other(_)), "{:?}", recognise(text.as_bytes()));
    Profile::decode(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

fn fault(text: &str) -> String {
    Profile::decode(text.as_bytes()).unwrap_err().to_string()
}

/// The samples, root first, with their values and labels, in the order of the file.
fn samples(p: &Profile) -> Vec<String> {
    let name = |l: &u32| {
        let lines = p.lines_of(&p.locations[*l as usize]).iter().rev();
        lines.map(|n| p.str(p.functions[n.function as usize].name)).collect::<Vec<_>>().join("+")
    };
    let one = |s: &crate::profile::model::Sample| {
        let mut stack: Vec<String> = p.stack_of(s).iter().map(name).collect();
        stack.reverse();
        let values: Vec<String> = p.values_of(s).iter().map(i64::to_string).collect();
        let labels: Vec<String> = p
            .labels_of(s)
            .iter()
            .map(|l| match l.value {
                crate::profile::model::LabelValue::Text(v) => format!(" {}={}", p.str(l.key), p.str(v)),
                crate::profile::model::LabelValue::Number(n, _) => format!(" {}={n}", p.str(l.key)),
            })
            .collect();
        format!("{} {}{}", stack.join(";"), values.join(" "), labels.join(""))
    };
    p.samples.iter().map(one).collect()
}

fn types(p: &Profile) -> Vec<String> {
    p.sample_types.iter().map(|t| format!("{}/{}", p.str(t.kind), p.str(t.unit))).collect()
}

#[test]
fn folded_stacks_add_up() {
    let p = profile("# x\nmain;a b;c 1\nmain;a b;c 2.6\n\nmain 4\r\nmain;cut");
    assert_eq!(samples(&p), ["main;a b;c 4", "main 4"]);
    assert!(
        fault(&("main;a 1\n".repeat(70) + "what\nmain 1\n")).contains("line 71: expected a stack and a number: what")
    );
}

#[test]
fn perf_has_a_sample_type_for_each_event() {
    let text = "\
# ========
# captured on    : now
# hostname : secret
# cmdline : perf record -g x
#
demo 7 5.000001:   2000 cpu-clock/freq=499/: 
\t ffffffff81 _raw_spin+0x1 ([kernel.kallsyms])
\t 12 main.inner (inlined)
\t 12 main.f+0x2 (/srv/demo)
\t 10 main.main+0x2 (/srv/demo)

demo 7 5.000003:   1000 cpu-clock/freq=499/: 
\t 12 main.inner (inlined)
\t 12 main.f+0x2 (/srv/demo)
\t 10 main.main+0x2 (/srv/demo)

        a: b     8 [001] 5.000009: sched:sched_wakeup: comm=demo pid=7 prio=120 target_cpu=000
demo 7 5.000011:   30 cache-misses:u:  99 [unknown] (/lib/libc.so.6)
";
    let p = profile(text);
    assert_eq!(types(&p), ["cpu-clock/nanoseconds", "sched:sched_wakeup/count", "cache-misses:u/count"]);
    let want = [
        "main.main;main.f+main.inner;_raw_spin 2000 0 0 comm=demo tid=7",
        "main.main;main.f+main.inner 1000 0 0 comm=demo tid=7",
        " 0 1 0 comm=a: b tid=8",
        " 0 0 30 comm=demo tid=7",
    ];
    assert_eq!(samples(&p), want);
    assert_eq!(p.duration_nanos, 10_000);
    assert_eq!(p.str(p.mappings[0].file), "/srv/demo", "the program comes first");
    let comments: Vec<&str> = p.comments.iter().map(|&c| p.str(c)).collect();
    assert_eq!(comments, ["perf record -g x"], "and the host stays private");
}

#[test]
fn speedscope_has_samples_and_events() {
    let sampled = r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":
        [{"name":"a","file":"x.go","line":3},{"name":"b"}]},"profiles":[{"type":"sampled","name":"t","unit":"milliseconds",
        "startValue":0,"endValue":3,"samples":[[0,1],[0]],"weights":[1,2]}]}"#;
    let p = profile(sampled);
    assert_eq!(
        (types(&p), samples(&p)),
        (vec!["time/nanoseconds".into()], vec!["a;b 1000000".into(), "a 2000000".into()])
    );
    let evented = r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":
        [{"name":"a"},{"name":"b"}]},"profiles":[{"type":"evented","name":"t","unit":"none","startValue":0,"endValue":9,
        "events":[{"type":"O","frame":0,"at":1},{"type":"O","frame":1,"at":3},{"type":"C","frame":1,"at":4}]},
        {"type":"evented","name":"u","unit":"none","startValue":0,"endValue":2,"events":[]}]}"#;
    assert_eq!(samples(&profile(evented)), ["a 7 thread=t", "a;b 1 thread=t"]);
    assert!(fault(&evented.replace(r#""C","frame":1"#, r#""C","frame":0"#)).contains("was not the innermost"));
    assert!(fault(&sampled.replace("[0,1]", "[0,7]")).contains("there is no frame 7"));
}

#[test]
fn profiles_of_v8_are_read_in_all_their_forms() {
    let flat = r#"{"nodes":[{"id":1,"callFrame":{"functionName":"(root)"},"children":[2]},
        {"id":2,"callFrame":{"functionName":"a","url":"x.js","lineNumber":4},"children":[3]},
        {"id":3,"callFrame":{"functionName":""}}],"startTime":10,"endTime":20,"samples":[2,3],"timeDeltas":[1,4]}"#;
    let p = profile(flat);
    assert_eq!(types(&p), ["samples/count", "cpu/nanoseconds"]);
    assert_eq!(samples(&p), ["a 1 4000", "a;(anonymous) 1 5000"]);
    assert_eq!(p.lines[0].line, 5);
    let tree = r#"{"head":{"functionName":"(root)","id":1,"children":[{"functionName":"a","id":2,"hitCount":3,
        "children":[]}]},"startTime":1,"endTime":2}"#;
    assert_eq!(samples(&profile(tree)), ["a 3"]);
    let heap = r#"{"head":{"callFrame":{"functionName":"(root)"},"selfSize":0,"children":[
        {"callFrame":{"functionName":"a"},"selfSize":64,"children":[]}]}}"#;
    assert_eq!(samples(&profile(heap)), ["a 64"]);
    let trace = r#"[{"ph":"P","name":"Profile","id":"0x1","pid":3,"args":{"data":{"startTime":1}}},
        {"ph":"X","name":"other","args":"none"},
        {"ph":"P","name":"ProfileChunk","id":"0x1","pid":3,"args":{"data":{"cpuProfile":{"nodes":[
        {"id":1,"callFrame":{"functionName":"(root)"}},{"id":2,"parent":1,"callFrame":{"functionName":"a"}}],
        "samples":[2]},"timeDeltas":[1]}}},
        {"ph":"P","name":"ProfileChunk","id":"0x1","pid":3,"args":{"data":{"cpuProfile":{"samples":[2]},
        "timeDeltas":[7]}}}]"#;
    assert_eq!(samples(&profile(trace)), ["a 2 7000"]);
    let circle = flat.replace(r#""lineNumber":4}"#, r#""lineNumber":4},"parent":3"#);
    assert!(fault(&circle.replace(r#""children":[2]"#, r#""children":[]"#)).contains("circle"));
}

#[test]
fn firefoxs_profiles_are_read_in_both_forms() {
    let processed = r#"{"meta":{"interval":2},"threads":[{"name":"main","tid":1,"stackTable":{"frame":[0,1],
        "prefix":[null,0],"length":2},"frameTable":{"func":[0,1],"line":[null,7]},"funcTable":{"name":[0,1],
        "fileName":[null,2]},"stringArray":["a","b","x.go"],"samples":{"stack":[1,0,1],"length":3}}]}"#;
    assert_eq!(samples(&profile(processed)), ["a;b 2 4000000", "a 1 2000000"]);
    let gecko = r#"{"meta":{"interval":1},"threads":[{"name":"main","tid":1,"stackTable":{"schema":{"prefix":0,"frame":1},
        "data":[[null,0],[0,1]]},"frameTable":{"schema":{"location":0},"data":[[0],[1]]},"stringTable":["a","b (x:1)"],
        "samples":{"schema":{"stack":0,"time":1},"data":[[1,0.5]]}}],"processes":[]}"#;
    assert_eq!(samples(&profile(gecko)), ["a;b (x:1) 1 1000000"]);
}

#[test]
fn jemallocs_heaps_and_profiles_with_symbols_are_read() {
    let jemalloc = "heap_v2/1\n  t*: 9: 99 [9: 99]\n  t0: 9: 99 [9: 99]\n@ 0x10 0x20\n  t*: 2: 64 [3: 96]\n  t0: 2: 64 [3: 96]\n\
                    \nMAPPED_LIBRARIES:\n00000000-00001000 r-xp 00000000 00:00 1 /bin/x\n";
    let p = Profile::decode(jemalloc.as_bytes()).unwrap();
    assert_eq!(types(&p), ["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"]);
    assert_eq!(samples(&p), ["; 3 96 2 64"]);
    let symbols = "--- symbol\nbinary=/bin/x\n0x0000000f inner--outer\n0x20 main\n---\n--- heap\n\
                   heap profile: 1: 2 [1: 2] @ heapprofile\n 1: 2 [1: 2] @ 0x10 0x21\n";
    let p = Profile::decode(symbols.as_bytes()).unwrap();
    assert_eq!(samples(&p), ["main;outer+inner 1 2 bytes=2"]);
}
