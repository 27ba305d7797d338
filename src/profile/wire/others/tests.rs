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
    let p = profile("# x\nmain;a b;c 1\nmain;a b;c 2\n\nmain 4\r\nmain;cut");
    assert_eq!((samples(&p), types(&p)), (vec!["main;a b;c 3".into(), "main 4".into()], vec!["samples/count".into()]));
    assert_eq!(p.notes, ["the last line is cut off and was left out"]);
    assert!(profile("main;a 1\nmain 2\n").notes.is_empty());
}

#[test]
fn folded_numbers_with_decimals_add_up_to_what_the_file_says() {
    let p = profile(&"main;a 0.25\nmain;b 0.4\n".repeat(100));
    assert_eq!(
        (types(&p), samples(&p)),
        (vec!["samples/thousandths".into()], vec!["main;a 25000".into(), "main;b 40000".into()])
    );
    assert_eq!(p.notes, ["its numbers have decimals: values are in thousandths"]);
    let p = profile("main;a 9223372036854775807\nmain;a 5\nmain;b 9223372036854775808\nmain;b 7\n");
    assert_eq!(samples(&p), ["main;a 9223372036854775807"]);
    assert_eq!(p.notes, ["3 values do not fit 64 bits, alone or added up, and were left out"]);
}

#[test]
fn a_folded_line_that_is_none_is_left_out_and_said() {
    for (before, line) in [(70, 71), (5, 6)] {
        let p = profile(&("main;a 1\n".repeat(before) + "what\nmain 1\n"));
        assert_eq!(samples(&p), [format!("main;a {before}"), "main 1".into()]);
        assert_eq!(p.notes, [format!("1 line that is no stack and number was left out, first line {line}: what")]);
    }
    assert_eq!(samples(&profile("main;a 1\nmain;b x\n")), ["main;a 1"]);
    assert!(Profile::decode(b"what\nwhat\nmain;a 1\n").is_err(), "too little of it is one");
}

#[test]
fn two_columns_of_folded_numbers_are_before_and_after() {
    let p = profile("main;a 1 3\nmain;b 10 0\n");
    assert_eq!(
        (types(&p), samples(&p)),
        (vec!["before/count".into(), "after/count".into()], vec!["main;a 1 3".into(), "main;b 10 0".into()])
    );
    let p = profile("main;a 0.5 3.25\nmain;b 1 2\n");
    assert_eq!(samples(&p), ["main;a 500 3250", "main;b 1000 2000"]);
    let said = "its numbers have decimals: values are in thousandths";
    assert_eq!(p.notes, [format!("column `before`: {said}"), format!("column `after`: {said}")]);
    let names = profile("main;a 1 3\nmain;b 4\n");
    assert_eq!(samples(&names), ["main;a 1 3", "main;b 4"], "one name that ends in a number");
    assert_eq!(types(&names), ["samples/count"]);
}

#[test]
fn weights_of_speedscope_are_kept_or_said() {
    let of = |unit: &str, weights: &str| {
        profile(&format!(
            r#"{{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{{"frames":[{{"name":"a"}},{{"name":"b"}}]}},
            "profiles":[{{"type":"sampled","name":"t","unit":"{unit}","startValue":0,"endValue":3,"samples":[[0],[0],[1]],
            "weights":{weights}}}]}}"#
        ))
    };
    let p = of("none", "[0.4,0.4,0.4]");
    assert_eq!((types(&p), samples(&p)), (vec!["weight/thousandths".into()], vec!["a 800".into(), "b 400".into()]));
    let p = of("nanoseconds", "[0.4,0.4,0.4]");
    assert_eq!(samples(&p), ["a 1", "b 0"], "their sum is 1.2");
    assert_eq!(p.notes, ["3 values are no whole nanoseconds or bytes and were rounded; their sum is right"]);
    let p = of("seconds", "[2,0.000000001]");
    assert_eq!(samples(&p), ["a 2000000001"], "what has no weight has no second either");
    assert_eq!(p.notes, ["1 sample has no weight and was left out"]);
    let p = of("none", "[]");
    assert_eq!(
        (samples(&p), p.notes.len()),
        (vec!["a 2".into(), "b 1".into()], 0),
        "samples without any measure are counted"
    );
    let p = of("bytes", "[9223372036854775807,1,9007199254740993]");
    assert_eq!(samples(&p), ["a 9223372036854775807"]);
    assert_eq!(p.notes, ["2 values do not fit 64 bits, alone or added up, and were left out"]);
    assert_eq!(samples(&of("bytes", "[1,9223372036854775808,9007199254740993]")), ["a 1", "b 9007199254740993"]);
}

#[test]
fn samples_of_v8_without_times_are_counted() {
    let text = r#"{"nodes":[{"id":1,"callFrame":{"functionName":"(root)"},"children":[2]},
        {"id":2,"callFrame":{"functionName":"a"}}],"startTime":10,"endTime":20,"samples":[2,2,2]"#;
    let p = profile(&format!("{text}}}"));
    assert_eq!((types(&p), samples(&p)), (vec!["samples/count".into()], vec!["a 3".into()]));
    assert_eq!(p.notes, ["it does not say when its samples were taken: they are counted"]);
    let p = profile(&format!(r#"{text},"timeDeltas":[1,2.5]}}"#));
    assert_eq!(samples(&p), ["a 3 9000"]);
    assert_eq!(p.notes, ["1 sample has no time: it is only counted"]);
}

/// Samples of V8 as a `.cpuprofile`, and in chunks of a trace, with what else each says.
fn of_v8(samples: &str, deltas: &str, ends: &str) -> [String; 2] {
    let nodes = r#"{"id":1,"callFrame":{"functionName":"(root)"}},{"id":2,"parent":1,"callFrame":{"functionName":"a"}},
        {"id":3,"parent":1,"callFrame":{"functionName":"b"}}"#;
    [
        format!(r#"{{"nodes":[{nodes}],"startTime":10,"samples":[{samples}],"timeDeltas":[{deltas}]{ends}}}"#),
        format!(
            r#"[{{"ph":"P","name":"Profile","id":"0x1","pid":3,"args":{{"data":{{"startTime":10}}}}}},
            {{"ph":"P","name":"ProfileChunk","id":"0x1","pid":3,"args":{{"data":{{"cpuProfile":{{"nodes":[{nodes}],
            "samples":[{samples}]}},"timeDeltas":[{deltas}]{ends}}}}}}}]"#
        ),
    ]
}

#[test]
fn the_same_samples_of_v8_are_the_same_in_files_and_traces() {
    let timeless = "1 sample has no time: it is only counted";
    for (given, want, notes) in [
        (("2,3", "1,4", r#","endTime":20"#), &["a 1 4000", "b 1 5000"][..], &[][..]),
        (("2,3", "1,4", ""), &["a 1 4000", "b 1 0"], &[timeless]),
        (("2,3", "1,4", r#","endTime":14"#), &["a 1 4000", "b 1 0"], &[timeless]),
        (("2,2,3", "1,4", r#","endTime":20"#), &["a 2 9000", "b 1 0"], &[timeless]),
        (
            ("2,3,2", "1,-2,4", r#","endTime":20"#),
            &["b 1 2000", "a 2 9000"],
            &["1 sample stands behind one that was taken later: it was put in order"],
        ),
    ] {
        for text in of_v8(given.0, given.1, given.2) {
            let p = profile(&text);
            assert_eq!((samples(&p), types(&p).len()), (want.iter().map(|s| s.to_string()).collect(), 2), "{text}");
            assert_eq!(p.notes, notes, "{text}");
        }
    }
    for text in of_v8("2,2", "", "") {
        let p = profile(&text);
        assert_eq!((samples(&p), types(&p)), (vec!["a 2".to_owned()], vec!["samples/count".to_owned()]), "{text}");
        assert_eq!(p.notes, ["it does not say when its samples were taken: they are counted"]);
    }
    for bad in ["\"2\"", "-2", "null"] {
        let [file, trace] = of_v8(bad, "1", "");
        assert!(Profile::decode(file.as_bytes()).is_err());
        assert!(fault(&trace).contains("a sample is not the number of a node"), "{bad}");
    }
}

#[test]
fn older_profiles_of_v8_have_timestamps() {
    let p = profile(
        r#"{"head":{"functionName":"(root)","id":1,"children":[{"functionName":"a","id":2,"children":[]}]},
        "startTime":1,"endTime":3,"samples":[2,2,2],"timestamps":[1000,1002,1007]}"#,
    );
    assert_eq!((samples(&p), p.duration_nanos), (vec!["a 3 7000".to_owned()], 2_000_000_000));
    assert_eq!(p.notes, ["1 sample has no time: it is only counted"], "when the last one ended is not told");
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
fn roots_of_v8_that_lead_to_each_other_are_a_circle() {
    let nodes = r#"{"nodes":[{"id":1,"callFrame":{"functionName":"(root)"},"parent":2},
        {"id":2,"callFrame":{"functionName":"(root)"},"parent":1}],"startTime":0,"endTime":2,"samples":[2],"timeDeltas":[1]}"#;
    assert!(fault(nodes).contains("its nodes are in a circle"));
}

#[test]
fn a_stack_of_v8_has_so_many_nodes_at_most() {
    let root = |id: u32| format!(r#"{{"id":{id},"callFrame":{{"functionName":"(root)"}},"parent":{}}}"#, id - 1);
    let file = |deep: u32, samples: usize| {
        let nodes: Vec<String> = (2..=deep).map(root).collect();
        let samples = vec![deep.to_string(); samples].join(",");
        let first = r#"{"id":1,"callFrame":{"functionName":"(root)"}}"#;
        format!(
            r#"{{"nodes":[{first},{}],"startTime":0,"endTime":2,"samples":[{samples}],"timeDeltas":[1]}}"#,
            nodes.join(",")
        )
    };
    assert_eq!(samples(&profile(&file(1 << 16, 1))), [" 1 1000"]);
    assert!(fault(&file((1 << 16) + 1, 1)).contains("more than 65536"));
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

#[test]
fn trees_of_v8_may_be_deep() {
    // A call in a call, and so on, around the leaf.
    let tree = |deep: usize, call: &str, leaf: &str| {
        let open = format!(r#"{{{call},"children":["#);
        format!("{}{leaf}{}", open.repeat(deep), "]}".repeat(deep))
    };
    let heap = |deep: usize| {
        let leaf = r#"{"callFrame":{"functionName":"leaf"},"selfSize":64,"children":[]}"#;
        format!(r#"{{"head":{}}}"#, tree(deep, r#""callFrame":{"functionName":"f"},"selfSize":0"#, leaf))
    };
    assert_eq!(samples(&profile(&heap(1000))), [format!("{}leaf 64", "f;".repeat(1000))]);
    // However deep it is, it is said and takes no stack.
    assert!(fault(&heap(1 << 17)).contains("a stack has more than 65536"));
    assert!(fault(&heap(1000).replace("64", "\"x\"")).contains("expected i64, in the call at byte"));
    let leaf = r#"{"functionName":"g","id":8,"hitCount":1,"children":[{"functionName":"h","id":9,"hitCount":2}]},
        {"functionName":"i","id":10,"hitCount":4}"#;
    let head = tree(100, r#""functionName":"f","id":7"#, leaf);
    // All have the same number but the last three.
    assert!(fault(&format!(r#"{{"startTime":1,"endTime":2,"head":{head}}}"#)).contains("circle"));
    let head = (0..100).fold(leaf.to_owned(), |below, id| {
        format!(r#"{{"functionName":"f","id":{},"children":[{below}]}}"#, 1000 + id)
    });
    let f = "f;".repeat(100);
    let p = profile(&format!(r#"{{"startTime":1,"endTime":2,"head":{head}}}"#));
    assert_eq!(samples(&p), [format!("{f}g 1"), format!("{f}g;h 2"), format!("{f}i 4")]);
}

/// What another tool wrote wrongly, or nobody would have written: what of it can be counted is, and nothing else goes unsaid.
#[test]
fn odd_numbers_are_put_right_or_left_out_and_said() {
    let ends = r#","endTime":20"#;
    for (given, want, note) in [
        // A step of 285 000 years, and back from there: neither that time nor a total with it fits.
        (
            ("2,3,2", "1,9e18,4"),
            &["a 2 0", "b 1 4000"][..],
            "1 value does not fit 64 bits, alone or added up, and was left out",
        ),
        (("2,3,2", "1,9e15,9e15"), &["a 2 9000000000000000000", "b 1 0"], "1 value does not fit 64 bits"),
        (("2,3,2", "1,null,4"), &["a 2 0", "b 1 4000"], "2 samples have no time"),
    ] {
        for text in of_v8(given.0, given.1, ends) {
            let p = profile(&text);
            assert_eq!(samples(&p), want, "{text}");
            assert!(p.notes.iter().any(|n| n.starts_with(note)), "{text}: {:?}", p.notes);
            assert!(p.overflowing().is_empty());
        }
    }
    let [file, _] = of_v8("2,3", "1,4", r#","endTime":-5"#);
    let p = profile(&file);
    assert_eq!(p.duration_nanos, 0);
    assert!(p.notes.iter().any(|n| n.starts_with("its end is before its beginning")), "{:?}", p.notes);
    let node = |hits: i64| {
        format!(r#"{{"id":{hits},"callFrame":{{"functionName":"f"}},"hitCount":{hits}}}"#).replace("id\":-", "id\":")
    };
    let p = profile(&format!(r#"{{"nodes":[{},{}],"startTime":1}}"#, node(-4), node(5)));
    assert_eq!(
        (samples(&p), p.notes.as_slice()),
        (vec!["f 5".into()], &["1 value is negative and was left out".into()][..])
    );
}

#[test]
fn numbers_of_folded_stacks_that_are_written_otherwise_are_left_out_and_said() {
    for (number, is_read) in [
        ("5.", true),
        ("1e3", false),
        ("-5", false),
        ("+5", false),
        (".5", false),
        ("inf", false),
        ("0x10", false),
        ("1,000", false),
    ] {
        let p = profile(&format!("{}main;a {number}\n", "main;b 1\n".repeat(4)));
        let want = if is_read { &["main;b 4", "main;a 5"][..] } else { &["main;b 4"] };
        assert_eq!(samples(&p), want);
        let note = format!("1 line that is no stack and number was left out, first line 5: main;a {number}");
        assert_eq!(p.notes, if is_read { vec![] } else { vec![note] });
    }
    // However many of them there are, the others are read; and where there are no others, it is said what is wrong.
    let p = profile("main;a -5\nmain;b 5\nmain;c -6\n");
    assert_eq!((samples(&p), p.notes.len()), (vec!["main;b 5".into()], 1));
    assert_eq!(fault("main;a -5\nmain;b 1e3\n"), "line 1: expected a stack and a number such as 12 or 0.5: main;a -5");
}

#[test]
fn events_of_speedscope_that_go_back_in_time_take_none() {
    let of = |events: &str, end: u32| {
        format!(
            r#"{{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{{"frames":[{{"name":"a"}},{{"name":"b"}}]}},
            "profiles":[{{"type":"evented","name":"t","unit":"nanoseconds","startValue":0,"endValue":{end},"events":[{events}]}}]}}"#
        )
    };
    let e = |kind: &str, at: i64, frame: u8| format!(r#"{{"type":"{kind}","at":{at},"frame":{frame}}}"#);
    for (events, end, want, note) in [
        (
            [e("O", 0, 0), e("O", 50, 1), e("C", 20, 1), e("C", 100, 0)],
            100,
            &["a 100"][..],
            "1 event goes back in time",
        ),
        ([e("O", 50, 0), e("O", 10, 1), e("C", 30, 1), e("C", 100, 0)], 100, &["a 50"], "2 events go back in time"),
        ([e("O", 0, 0), e("O", 10, 1), e("C", 30, 1), e("C", 200, 0)], 100, &["a 180", "a;b 20"], "1 event goes back"),
    ] {
        let p = profile(&of(&events.join(","), end));
        assert_eq!(samples(&p), want);
        assert!(p.notes[0].starts_with(note), "{:?}", p.notes);
    }
    assert!(fault(&of(&e("X", 0, 0), 1)).ends_with("an event is of the type `X`, and not `O` or `C`"));
    let none =
        r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[]},"profiles":[]}"#;
    assert!(fault(none).ends_with("it has no profiles"));
}

#[test]
fn weights_and_tables_of_firefox_are_what_they_say() {
    let of = |samples: &str, more: &str| {
        format!(
            r#"{{"meta":{{"interval":1}},"threads":[{{"name":"m","tid":1,"stackTable":{{"frame":[0,1],"prefix":[null,0]}},
            "frameTable":{{"func":[0,1]}},"funcTable":{{"name":[0,1]}},"stringArray":["a","b"],
            "samples":{{"stack":[0,1,{samples}],"length":3{more}}}}}]}}"#
        )
    };
    let p = profile(&of("0", ""));
    assert_eq!((samples(&p), p.notes.len()), (vec!["a 2 2000000".into(), "a;b 1 1000000".into()], 0));
    let p = profile(&of("null", r#","weight":[0.5,0.5,2]"#));
    assert_eq!(samples(&p), ["a 1 1000000", "a;b 0 0"], "half a sample is no sample, and two are one");
    assert_eq!(p.notes, ["1 sample has no stack and was left out", "2 weights were rounded; their sum is right"]);
    let p = profile(&of("0", r#","weight":[10,20,-30],"weightType":"bytes""#));
    assert_eq!((types(&p), samples(&p)), (vec!["space/bytes".into()], vec!["a -20".into(), "a;b 20".into()]));
    let p = profile(&of("0", r#","weight":[0.25,1,2],"weightType":"tracing-ms""#));
    assert_eq!(
        (types(&p), samples(&p)),
        (vec!["time/nanoseconds".into()], vec!["a 2250000".into(), "a;b 1000000".into()])
    );
    let p = profile(&of("0", "").replace("\"interval\":1", "\"interval\":-1"));
    assert_eq!(
        (types(&p), p.notes.as_slice()),
        (
            vec!["samples/count".into()],
            &["it does not say how long a sample lasts: samples are only counted".into()][..]
        )
    );
    for (what, with, said) in [
        ("\"frame\":[0,1]", "\"frame\":[0,99]", "there is no frame 99"),
        ("\"func\":[0,1]", "\"func\":[0,99]", "there is no function 99"),
        ("\"name\":[0,1]", "\"name\":[0,99]", "there is no string 99"),
        ("\"length\":3", "\"length\":3,\"weight\":[\"1\",1,1]", "a weight is no number"),
    ] {
        assert!(fault(&of("0", "").replace(what, with)).ends_with(said), "{said}");
    }
}

#[test]
fn what_is_cut_off_is_said_to_be() {
    let [file, trace] = of_v8("2,3,2", "1,2,4", r#","endTime":20"#);
    assert!(fault(&file[..file.len() - 5]).contains("the file is cut off at line "));
    // Chrome's list of events needs no end.
    let whole = samples(&profile(&trace));
    let open = trace.strip_suffix(']').unwrap();
    for end in ["", ",", ",{\"ph\":\"X\",\"na"] {
        let p = profile(&format!("{open}{end}"));
        assert_eq!(samples(&p), whole);
        assert_eq!(p.notes, ["its list of events has no end, as where a file is cut off: 2 were read"]);
    }
    let p = profile(&trace.replacen('[', "[null,{\"name\":7},", 1));
    assert_eq!((samples(&p), p.notes.as_slice()), (whole, &["1 entry is no event and was left out".into()][..]));
    let event = "demo 7 5.000001:   10 cycles: \n\t 12 main.f+0x2 (/srv/demo)\n\t 13 main.main+0x2 (/srv/demo)\n";
    let all = format!("{event}\n{event}");
    for (end, want, notes) in [(0, "20", 0), (1, "20", 0), (2, "10", 1), (20, "10", 1), (60, "10", 1)] {
        let p = profile(&all[..all.len() - end]);
        assert_eq!(samples(&p), [format!("main.main;main.f {want} comm=demo tid=7")], "{end}");
        assert_eq!(p.notes.len(), notes, "{:?}", p.notes);
    }
    let p = profile(&format!("WARNING: no kernel\n{all}"));
    assert_eq!(p.notes, ["1 line is none of perf script's and was left out"]);
    let p = profile(&all.replacen("  10 cycles", "  18446744073709551615 cycles", 1));
    assert_eq!(p.notes, ["1 value does not fit 64 bits, alone or added up, and was left out"]);
}
