use crate::profile::wire::proto::Profile;
use crate::profile::wire::{Error, decode, legacy};

/// Stacks by name of function (or address), with values and labels: what the tests compare.
fn dump(p: &Profile) -> Vec<String> {
    let text = |i: i64| String::from_utf8_lossy(p.string(i).unwrap()).into_owned();
    let place = |id: u64| {
        let l = &p.location[id as usize - 1];
        let line = |n: &crate::profile::wire::proto::Line| {
            let f = &p.function[n.function_id as usize - 1];
            format!("{}@{}:{}", text(f.name), text(f.filename), n.line)
        };
        if l.line.is_empty() {
            format!("{:#x}", l.address)
        } else {
            l.line.iter().map(line).collect::<Vec<_>>().join("<")
        }
    };
    let sample = |s: &crate::profile::wire::proto::Sample| {
        let stack: Vec<_> = s.location_id.iter().map(|&l| place(l)).collect();
        let label = |l: &crate::profile::wire::proto::Label| match l.str {
            0 => format!("{}={}", text(l.key), l.num),
            v => format!("{}={}", text(l.key), text(v)),
        };
        let labels: Vec<_> = s.label.iter().map(label).collect();
        format!("{:?} {} {}", s.value, stack.join(" "), labels.join(",")).trim_end().to_string()
    };
    p.sample.iter().map(sample).collect()
}

fn types(p: &Profile) -> Vec<String> {
    let text = |i: i64| String::from_utf8_lossy(p.string(i).unwrap()).into_owned();
    p.sample_type.iter().map(|t| format!("{}/{}", text(t.r#type), text(t.unit))).collect()
}

/// A CPU profile of two samples, in words of `size` bytes.
fn cpu(size: usize, big: bool, java: bool, tail: &str) -> Vec<u8> {
    let words: &[u64] = &[
        0,
        3,
        u64::from(java),
        10_000,
        0, // header: a sample every 10 ms
        5,
        3,
        0x1000,
        0x1000,
        0x2001, // the leaf twice, the second time moved back by the reader
        1,
        2,
        0x3000,
        0x2001, //
        0,
        1,
        0, // end
    ];
    let mut out = Vec::new();
    for w in words {
        let bytes = w.to_be_bytes();
        let mut bytes = bytes[8 - size..].to_vec();
        if !big {
            bytes.reverse();
        }
        out.extend(bytes);
    }
    out.extend(tail.as_bytes());
    out
}

#[test]
fn cpu_profiles_of_all_word_sizes_and_byte_orders_are_read() {
    let maps = "00001000-00003000 r-xp 00000000 08:01 7 /bin/app\n00400000-00500000 r--p 00000000 08:01 7 /bin/data\n";
    for size in [4, 8] {
        for big in [false, true] {
            let p = decode(&cpu(size, big, false, maps)).unwrap();
            assert_eq!(dump(&p), ["[5, 50000000] 0x1000 0x2000", "[1, 10000000] 0x3000 0x2000"]);
            assert_eq!(types(&p), ["samples/count", "cpu/nanoseconds"]);
            assert_eq!(p.period, 10_000_000);
            let files: Vec<_> = p.mapping.iter().map(|m| p.string(m.filename).unwrap()).collect();
            // The second holds nothing executable; 0x3000 lies in none.
            assert_eq!(files, [&b"/bin/app"[..], b""]);
        }
    }
    let symbols = "  0x1000 a.B.run (B.java:12)\n 0x2001 a.B.main (B.java:3)\n 0x3000 GC\n";
    let p = decode(&cpu(4, false, true, symbols)).unwrap();
    assert_eq!(
        dump(&p),
        [
            "[5, 50000000] a.B.run@B.java:12 a.B.run@B.java:12 a.B.main@B.java:3",
            "[1, 10000000] GC@:0 a.B.main@B.java:3"
        ]
    );
}

#[test]
fn a_cpu_profile_with_impossible_depth_is_refused() {
    let mut data = cpu(8, false, false, "");
    data[48..56].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(decode(&data).is_err());
    let whole = cpu(8, false, false, "");
    for cut in 1..whole.len() {
        // Cut anywhere, it is either read or refused.
        let _ = decode(&whole[..cut]);
    }
}

#[test]
fn heap_samples_are_scaled_by_their_probability() {
    let text = "heap profile: 2: 2048 [5: 5120] @ heap/1048576\n\
                2: 2048 [5: 5120] @ 0x1001 0x2001\n\
                # runtime.MemStats\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(types(&p), ["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"]);
    // 1 / (1 - exp(-1024 / 524288)) = 512.5
    assert_eq!(dump(&p), ["[2562, 2624000, 1025, 1049600] 0x1000 0x2000 bytes=1024"]);
    assert_eq!(p.period, 524_288);

    let text = "heap profile: 1: 10 [1: 10] @ heapprofile\n 1: 10 [1: 10] @ 0x11\nMAPPED_LIBRARIES:\nbuild=/opt/x\n\
                10-20 r-xp 0 1:2 3 $build/app\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(types(&p), ["objects/count", "space/bytes"]);
    assert_eq!(p.string(p.mapping[0].filename).unwrap(), b"/opt/x/app");

    let bad = decode(b"heap profile: 1: 10 [1: 10] @ heap/2\n0: 7 [0: 0] @ 0x1\n").unwrap_err();
    assert!(matches!(bad, Error::Line { line: 2, .. }), "{bad}");
}

#[test]
fn contention_is_turned_into_nanoseconds_and_the_symbols_of_go_are_used() {
    let text = "--- mutex:\ncycles/second=2000000000\nsampling period=10\n\
                400 3 @ 0x101 0x201 0x301\n\
                #\t0x100\tsync.(*Mutex).Unlock+0x12\t/go/sync/mutex.go:65\n\
                #\t0x200\tmain.inner+0x19\t\t/app/main.go:7\n\
                #\t0x200\tmain.outer+0x12\t\t/app/main.go:9\n\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(
        dump(&p),
        [
            "[30, 2000] sync.(*Mutex).Unlock@/go/sync/mutex.go:65 main.inner@/app/main.go:7<main.outer@/app/main.go:9 runtime.goexit@:0"
        ]
    );
    assert_eq!(types(&p), ["contentions/count", "delay/nanoseconds"]);
}

#[test]
fn count_profiles_carry_the_labels_of_their_goroutines() {
    let text = "goroutine profile: total 3\n2 @ 0x11 0x21\n# labels: {\"id\":\"x\", \"phase\":\"a\\\"b\\u00fc\"}\n\
                #\t0x10\tmain.f+0x1\t/m.go:1\n\n1 @ 0x21\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(dump(&p), ["[2] main.f@/m.go:1 runtime.goexit@:0 id=x,phase=a\"bü", "[1] runtime.goexit@:0"]);
    assert!(matches!(decode(b"x profile: total 3\nnonsense\n"), Err(Error::Line { line: 2, .. })));
}

#[test]
fn stacks_of_all_goroutines_are_read() {
    let text = "goroutine 1 [running]:\nmain.(*T).Run(0x1, {0x2, 0x3})\n\t/app/main.go:19 +0x598\nmain.main()\n\t/app/main.go:3\n\n\
                goroutine 7 gp=0x1 m=nil [chan receive, 5 minutes] {id: x, phase: \"a\\\"b\"}:\nmain.wait(...)\n\t/app/main.go:6\n\
                created by main.main in goroutine 1\n\t/app/main.go:13 +0x5e\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(
        dump(&p),
        [
            "[1] main.(*T).Run@/app/main.go:19 main.main@/app/main.go:3 state=running",
            "[1] main.wait@/app/main.go:6 state=chan receive,wait_minutes=5,id=x,phase=a\"b",
        ]
    );
}

#[test]
fn threads_that_stand_where_the_last_one_did_are_counted() {
    let text = "--- threadz 1 ---\n\n--- Thread a1 (name: main/12) stack: ---\n  PC: 0x10: f\n  0x21: g\n\
                --- Thread a2 (name: w/13) stack: ---\n  [same as previous thread]\n---- no stack trace for a3 ----\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(dump(&p), ["[2] 0x10 0x20"]);
}

#[test]
fn java_texts_are_read() {
    let text = "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\n\n\
                 7 2 @ 0x1 0x2\n  0x1 a.B.lock (B.java:5)\n  0x2 helper (/lib/x/libjvm.so)\n";
    let p = decode(text.as_bytes()).unwrap();
    assert_eq!(dump(&p), ["[200, 700] a.B.lock@B.java:5 helper@libjvm.so:0"]);
    assert_eq!(types(&p), ["contentions/count", "delay/microseconds"]);
}

#[test]
fn numbers_are_read_as_go_reads_them() {
    use super::parse_int;
    for (text, want) in [("0x1f", Some(31)), ("-0b11", Some(-3)), ("017", Some(15)), ("0", Some(0)), ("", None)] {
        assert_eq!(parse_int(text), want);
    }
    assert_eq!(super::hex_addresses("0x1 x 0xff,0x"), Some(vec![1, 255]));
    assert_eq!(super::hex_addresses("0x11112222333344445"), None);
}

#[test]
fn substitution_in_the_table_of_mappings_is_bounded() {
    let mut text = "heap profile: 1: 10 [1: 10] @ heapprofile\nMAPPED_LIBRARIES:\na=xxxxxxxxxxxxxxxx\n".to_string();
    for i in 0..40 {
        let from = (b'a' + i % 25) as char;
        let to = (b'a' + (i + 1) % 25) as char;
        text += &format!("{to}=${from}${from}${from}${from}\n");
    }
    assert!(legacy::decode(text.as_bytes()).is_ok());
}
