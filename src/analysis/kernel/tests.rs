use super::*;

const HEADER: &str = "# ========\n# captured on    : now\n# clockid: monotonic (1)\n#\n";

fn switch(at: &str, prev: (i64, &str), next: (i64, &str)) -> String {
    let (from, state) = prev;
    let (to, comm) = next;
    format!(
        "x {from} [000] {at}: sched:sched_switch: prev_comm=x prev_pid={from} prev_prio=120 prev_state={state} ==> \
         next_comm={comm} next_pid={to} next_prio=120\n"
    )
}

#[test]
fn a_threads_history_is_what_its_switches_say() {
    let text = [
        HEADER,
        &switch("1.000001000", (0, "R"), (7, "demo")),
        &switch("1.000002000", (7, "R+"), (9, "make")),
        &switch("1.000003000", (9, "S"), (7, "demo")),
        &switch("1.000004000", (7, "S"), (0, "swapper/0")),
        "\tffffffff1 __schedule+0x1 ([kernel.kallsyms])\n\tffffffff2 do_nanosleep+0x1 ([kernel.kallsyms])\n\t12 main.f (/x)\n\n",
        "x 9 [000] 1.000005000: sched:sched_wakeup: comm=demo pid=7 prio=120 target_cpu=000\n",
        "x 9 [000] 1.000005500: sched:sched_wakeup: comm=demo pid=7 prio=120 target_cpu=000\n",
        &switch("1.000006000", (0, "R"), (7, "demo")),
    ]
    .concat();
    let r = read(&text);
    let want = [
        (1_000_001_000, Doing::On),
        (1_000_002_000, Doing::Preempted(0)),
        (1_000_003_000, Doing::On),
        (1_000_004_000, Doing::Blocked(1)),
        (1_000_005_000, Doing::Woken),
        (1_000_006_000, Doing::On),
    ];
    let got: Vec<_> = r.threads[&7].iter().map(|c| (c.at, c.to)).collect();
    assert_eq!(got, want);
    assert_eq!((r.names[0].as_str(), r.stacks[1].join(";")), ("make", "do_nanosleep".into()));
    assert_eq!((r.switches, r.unchained), (7, 0));
    assert_eq!((r.about.clock.as_deref(), r.nanoseconds), (Some("monotonic"), true));
    assert_eq!(r.covered, Some((1_000_001_000, 1_000_006_000)));
    assert!(!r.threads.contains_key(&0), "an idle CPU is no thread");
}

#[test]
fn switches_that_are_missing_are_counted() {
    let text = [
        switch("1.000001000", (0, "R"), (7, "demo")),
        switch("1.000003000", (0, "R"), (7, "demo")),
        switch("1.000004000", (7, "S"), (0, "swapper/0")),
        switch("1.000005000", (7, "S"), (0, "swapper/0")),
    ]
    .concat();
    let r = read(&text);
    assert_eq!((r.switches, r.unchained), (4, 2));
}

#[test]
fn clocks_that_cannot_be_laid_over_each_other_are_refused() {
    let clock = |name: Option<&str>, header: bool| {
        let about = crate::profile::perf::About { clock: name.map(str::to_owned), header, command: None };
        Recorded { about, ..Recorded::default() }
    };
    let version = |minor: u32| Index { version: (1, minor), ..Index::default() };
    let s = Snapshot { at: Time(1000), mono_ns: 985, wall_ns: 50_000 };
    let (new, old) = (version(25), version(21));
    let ns = |r: &Recorded, index: &Index, s| align::offset(r, index, s, None).map(|o| (o.ns, o.by));
    let mono = clock(Some("monotonic"), true);
    assert_eq!(ns(&mono, &new, Some(s)), Ok((15, Grounds::Snapshot)));
    assert_eq!(ns(&mono, &version(22), None), Ok((0, Grounds::Same)));
    assert!(ns(&mono, &old, None).unwrap_err().contains("say --offset"));
    assert_eq!(ns(&clock(Some("realtime"), true), &new, Some(s)), Ok((-49_000, Grounds::Wall)));
    assert!(ns(&clock(Some("realtime"), true), &version(22), None).unwrap_err().contains("`realtime`"));
    assert!(ns(&clock(None, true), &new, Some(s)).unwrap_err().contains("-k mono"));
    assert_eq!(ns(&clock(None, false), &new, Some(s)), Ok((15, Grounds::Assumed)));
    assert!(ns(&clock(None, false), &old, None).is_err());
    assert_eq!(align::offset(&clock(None, true), &old, None, Some(-7)).map(|o| o.ns), Ok(-7));
}
