use super::*;

fn frame(line: &str) -> Frame<'_> {
    frame::frame(line).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn frames_hold_parentheses_spaces_and_nothing() {
    let f = frame("\t           66704 runtime.(*unwinder).resolveInternal+0x4 (/srv/app/demo)");
    assert_eq!((f.address, f.func, f.file), (0x66704, "runtime.(*unwinder).resolveInternal", "/srv/app/demo"));
    let f = frame("\tffffffff8226e639 _raw_spin_unlock_irqrestore+0x19 ([kernel.kallsyms])");
    assert_eq!((f.func, f.file), ("_raw_spin_unlock_irqrestore", "[kernel.kallsyms]"));
    let f = frame("\t 6ce258d4c544155 [unknown] ([unknown])");
    assert_eq!((f.func, f.file, f.inlined), ("", "", false));
    assert_eq!(frame("\t 12 f+0x1 (/tmp/a (deleted))").file, "/tmp/a (deleted)");
    assert_eq!(frame("\t 12 f (/tmp/my (1)/b)").file, "/tmp/my (1)/b");
    assert_eq!(frame("\t 12 std::vector<int, a>::f(int)+0x1 (/x)").func, "std::vector<int, a>::f(int)");
    assert!(frame("\t 12 main.g (inlined)").inlined);
    assert_eq!(frame("\t 12 main.f[go.shape.int]+0x10").func, "main.f[go.shape.int]");
    assert_eq!((frame("\t 12 (/x)").func, frame("\t 12 (/x)").file), ("", "/x"));
    assert_eq!(frame::frame("  main.go:12"), None);
}

#[test]
fn a_frame_may_stand_on_the_events_line() {
    let f = frame::behind("ffffffff81 do_idle+0x1 ([kernel.kallsyms])").unwrap();
    assert_eq!((f.address, f.func), (0xff_ffff_ff81, "do_idle"));
    let rest = "prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b (c) next_pid=2 next_prio=120 \
                ffffffff82260286 __schedule+0x3 ([kernel.kallsyms])";
    assert_eq!(frame::behind(rest).unwrap().func, "__schedule");
    assert_eq!(frame::behind("comm=a pid=2 prio=120 target_cpu=000"), None);
    assert_eq!(frame::behind("comm=a (b) pid=2"), None);
}

#[test]
fn the_schedulers_fields_are_read_with_any_name() {
    let fields = "prev_comm=a prev_pid=3 b prev_pid=1 prev_prio=120 prev_state=R+ ==> next_comm=memfd:x y next_pid=2 next_prio=1";
    let want = Sched::Switch { prev: 1, runnable: true, next: 2, next_comm: "memfd:x y" };
    assert_eq!(sched("sched:sched_switch", fields), Some(want));
    let short = "demo:1 [120] S ==> kworker/0:2:7 [120]";
    let want = Sched::Switch { prev: 1, runnable: false, next: 7, next_comm: "kworker/0:2" };
    assert_eq!(sched("sched:sched_switch", short), Some(want));
    for (name, fields) in [
        ("sched:sched_wakeup", "comm=a pid=9 b pid=5 prio=120 target_cpu=000"),
        ("sched:sched_wakeup_new", "comm=a pid=5 prio=120 target_cpu=000"),
        ("sched_wakeup", "a:b:5 [120] success=1 CPU:000"),
    ] {
        assert_eq!(sched(name, fields), Some(Sched::Wakeup { tid: 5 }), "{fields}");
    }
    assert_eq!(sched("sched:sched_waking", "comm=a pid=5 prio=120"), None);
    assert_eq!(sched("sched:sched_switch", "nothing"), None);
}

#[test]
fn events_have_the_frames_below_them_and_the_header_its_clock() {
    let text = "# ========\n# captured on    : now\n# cmdline : perf record -k mono x\n# clockid: monotonic (1)\n#\n\
                a 1 5.000001:  10 cycles: \n\t 12 f+0x1 (/x)\n\t 13 g (/x)\n\n\
                \x20       b 2 [001] 5.000002: sched:sched_waking: comm=a pid=1 prio=120\nwhat is this\n\
                b 2 [001] 5.000003: 1 cycles: 14 h (/y)\n";
    let mut seen = Vec::new();
    let (about, odd) = read(text, |e| {
        let funcs: Vec<String> = e.frames.iter().map(|f| f.func.to_owned()).collect();
        seen.push((e.line.tid, e.line.event.to_owned(), funcs.join(";"), e.number));
    });
    assert_eq!(about.clock.as_deref(), Some("monotonic"));
    assert_eq!((about.command.as_deref(), about.header, odd), (Some("perf record -k mono x"), true, 1));
    let want = [(1, "cycles", "f;g", 6), (2, "sched:sched_waking", "", 10), (2, "cycles", "h", 12)];
    let want = want.map(|(tid, event, funcs, n)| (tid, event.to_owned(), funcs.to_owned(), n));
    assert_eq!(seen, want);
}
