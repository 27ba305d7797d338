use super::*;

/// A dump of two goroutines, as Go 1.27 prints it.
const DUMP: &str = "\
goroutine 1 [running]:
main.(*T).Run(0x1, {0x2, 0x3})
\t/app/main.go:19 +0x598
main.main()
\t/app/main.go:3

goroutine 7 gp=0x1 m=nil [chan receive (leaked), 5 minutes] {id: x, phase: \"a\\\"b\"}:
main.wait(...)
\t/app/main.go:6 +0x19 fp=0x7 sp=0x8 pc=0x9
created by main.main.func1 in goroutine 1
\t/app/main.go:13 +0x5e
";

/// A report of the race detector, as Go 1.27 prints it.
const RACE: &str = "\
==================
WARNING: DATA RACE
Write at 0x00c0000140e8 by goroutine 8:
  main.(*Cache).Put()
      /app/cache.go:21 +0x84
  main.main.func2()
      /app/main.go:12 +0x2e

Previous atomic read at 0x00c0000140e8 by main goroutine:
  main.main()
      /app/main.go:15 +0x77

Goroutine 8 (finished) created at:
  main.main()
      /app/main.go:11 +0x1d
==================
";

/// What a dump says, a goroutine a line.
fn told(text: &str) -> Vec<Vec<String>> {
    let of = |d: &Dump| {
        let all = d.goroutines.iter().map(|g| {
            let stack: Vec<String> = d.stack(g).map(|f| format!("{}:{}:{}", f.func, f.file, f.line)).collect();
            let made = d.created_at(g).map_or(String::new(), |f| format!(" by {} {}", f.func, f.line));
            let leaked = if g.leaked { " leaked" } else { "" };
            format!("{} {}{leaked} {:?} {:?} {}{made}", g.id, d.reason(g), g.minutes, d.labels(g), stack.join(" "))
        });
        all.collect()
    };
    read(text.as_bytes()).dumps.iter().map(of).collect()
}

/// The same for a log in which each line of the dump is changed.
fn told_as(line: impl Fn(usize, &str) -> String) -> Vec<Vec<String>> {
    told(&DUMP.lines().enumerate().map(|(i, l)| line(i, l) + "\n").collect::<String>())
}

#[test]
fn a_dump_is_read_whole() {
    let want = [
        "1 running None [] main.(*T).Run:/app/main.go:19 main.main:/app/main.go:3",
        "7 chan receive leaked Some(5) [(\"id\", \"x\"), (\"phase\", \"a\\\"b\")] main.wait:/app/main.go:6 by main.main.func1 13",
    ];
    assert_eq!(told(DUMP), [want]);
    let d = &read(DUMP.as_bytes()).dumps[0];
    assert_eq!(d.find(7).and_then(|g| g.creator), Some(1));
    assert!(d.find(2).is_none());
}

#[test]
fn the_same_is_read_in_any_log() {
    let plain = told(DUMP);
    let logs: Vec<(&str, Vec<Vec<String>>)> = vec![
        ("CRLF", told_as(|_, l| format!("{l}\r"))),
        ("kubectl --prefix", told_as(|_, l| format!("[pod/web-7d9f/app] {l}"))),
        ("kubectl --timestamps", told_as(|i, l| format!("2026-11-27T18:12:0{i}.{}Z {l}", 123 * i))),
        ("CRI", told_as(|i, l| format!("2026-11-27T18:12:03.00{i}+01:00 stderr F {l}"))),
        ("journald", told_as(|i, l| format!("Nov 27 18:12:0{i} host prog[123]: {l}"))),
        ("compose, spaces lost", told_as(|_, l| format!("web-1  | {l}").trim_end().to_owned())),
        ("first line only", told_as(|i, l| if i == 0 { format!("2026/11/27 18:12:03 {l}") } else { l.to_owned() })),
        ("Docker", told_as(|_, l| serde_json::json!({"log": format!("{l}\n"), "stream": "stderr"}).to_string())),
        ("one object", told(&serde_json::json!({"level": "error", "msg": "x", "stack": DUMP}).to_string())),
        ("tabs as spaces", told_as(|_, l| l.replace('\t', "        "))),
        ("colours", told_as(|_, l| format!("\x1b[31m{l}\x1b[0m"))),
        ("other lines between", told_as(|i, l| format!("[pod/a] {l}\n[pod/b] GET /x{i} (ok)\n[pod/b] \t/x.go:1"))),
        ("mark of the encoding", told(&format!("\u{feff}{DUMP}"))),
        ("something before", told(&format!("serving :8080 (ok)\npanic: x [recovered]\n\n{DUMP}\nexit status 2\n"))),
    ];
    for (name, got) in logs {
        assert_eq!(got, plain, "{name}");
    }
}

#[test]
fn dumps_are_told_apart_by_program_cause_and_number() {
    let twice = read(format!("{DUMP}\n{DUMP}").as_bytes());
    assert_eq!(twice.dumps.iter().map(|d| d.goroutines.len()).collect::<Vec<_>>(), [2, 2]);
    let text = format!("fatal error: concurrent map writes\n\n{DUMP}");
    assert_eq!(read(text.as_bytes()).dumps[0].cause.as_deref(), Some("fatal error: concurrent map writes"));
    // Of two pods that die at once each has its own, though their lines are mixed.
    let mixed: String = DUMP.lines().map(|l| format!("[pod/web-1] {l}\n[pod/web-2] {l}\n")).collect();
    assert_eq!(told(&mixed), [told(DUMP)[0].clone(), told(DUMP)[0].clone()]);
    // A signal that asks for the stacks of all threads tells some goroutines again.
    let crash = "SIGQUIT: quit\n\ngoroutine 0 gp=0x5 m=0 mp=0x6 [idle]:\nruntime.futex()\n\t/go/sys.s:5 +0x1\n\n\
                 goroutine 5 [running]:\n\tgoroutine running on other thread; stack unavailable\n\nSIGQUIT: quit\n\n\
                 goroutine 5 [running]:\nmain.loop()\n\t/app/main.go:9\n";
    assert_eq!(
        told(crash),
        [["0 idle None [] runtime.futex:/go/sys.s:5", "5 running None [] main.loop:/app/main.go:9"]]
    );
}

#[test]
fn reports_of_races_are_read_in_any_log() {
    let log: String = RACE.lines().map(|l| format!("2026-11-27T18:12:03Z app {l}\n")).collect();
    for (text, n) in [(RACE.to_owned(), 1), (log, 1), (format!("{RACE}{RACE}Found 2 data race(s)\n"), 2)] {
        let races = read(text.as_bytes()).races;
        assert_eq!(races.len(), n, "{text}");
        let r = &races[0];
        let [write, read] = &r.accesses[..] else { panic!("{r:?}") };
        assert_eq!((write.write, write.atomic, write.by, write.address), (true, false, Some(8), 0xc0000140e8));
        assert_eq!((read.write, read.atomic, read.by), (false, true, None));
        let stack: Vec<_> = write.stack.iter().map(|f| (f.func.as_str(), f.line)).collect();
        assert_eq!(stack, [("main.(*Cache).Put", 21), ("main.main.func2", 12)]);
        let created = r.created(write).unwrap();
        assert_eq!((created.finished, created.stack[0].line), (true, 11));
        assert!(r.created(read).is_none());
    }
}

#[test]
fn what_is_cut_or_odd_is_read_as_far_as_it_goes() {
    for text in [DUMP, RACE] {
        for n in 0..text.len() {
            if text.is_char_boundary(n) {
                read(&text.as_bytes()[..n]);
                read(&text.as_bytes()[n..]);
            }
        }
    }
    // More programs than are told apart.
    let many: String = (0..200).map(|i| format!("p{}x {}\n", "a".repeat(i), "goroutine 1 [running]:")).collect();
    assert!(!read(many.as_bytes()).dumps.is_empty());
}
