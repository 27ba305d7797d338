use super::*;
use crate::model::{Dict, Frame, Func};

/// A stack, leaf first.
fn stack(d: &mut Dict, funcs: &[&str]) -> StackId {
    funcs.iter().rev().fold(StackId::NONE, |caller, name| {
        let (name, file) = (d.string(name), d.string("a.go"));
        let func = d.func(Func { name, file });
        let frame = d.frame(Frame { func, line: 7, pc: 0 });
        d.push_frame(caller, frame)
    })
}

fn refine(reason: &str, waker: Waker, funcs: &[&str]) -> (String, Class) {
    let mut d = Dict::default();
    let s = stack(&mut d, funcs);
    let reason = if reason.is_empty() { StringId::NONE } else { d.string(reason) };
    let r = Reasons::default();
    let r = r.get(r.refine(&d, reason, s, waker));
    (r.name, r.class)
}

#[test]
fn reasons_are_read_off_stacks() {
    let go = Waker::Go(GoIdx(0));
    let cases: &[(&str, &[&str], &str, Class)] = &[
        ("sync", &["sync.(*Mutex).Lock", "main.f"], "Mutex", Class::Lock),
        ("sync", &["internal/sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "main.f"], "Mutex", Class::Lock),
        ("sync", &["sync.runtime_SemacquireRWMutexR", "sync.(*RWMutex).RLock", "main.f"], "RWMutex read", Class::Lock),
        ("sync", &["sync.runtime_SemacquireRWMutex", "sync.(*RWMutex).Lock", "main.f"], "RWMutex write", Class::Lock),
        // A writer waits for its turn in the mutex inside.
        ("sync", &["sync.(*Mutex).Lock", "sync.(*RWMutex).Lock", "main.f"], "RWMutex write", Class::Lock),
        ("sync", &["sync.(*Mutex).Lock", "sync.(*Once).doSlow", "sync.(*Once).Do", "main.f"], "Once", Class::Once),
        ("sync", &["sync.(*WaitGroup).Wait", "main.f"], "WaitGroup", Class::Group),
        (
            "sync",
            &["sync.(*WaitGroup).Wait", "golang.org/x/sync/errgroup.(*Group).Wait", "main.f"],
            "errgroup",
            Class::Group,
        ),
        ("sync", &["sync.(*Cond).Wait", "main.f"], "Cond", Class::Cond),
        ("sync", &["main.f", "sync.(*Once).Do"], "sync", Class::Other),
        ("network", &["internal/poll.(*FD).Read", "net.(*conn).Read", "main.f"], "network read", Class::Network),
        (
            "network",
            &["internal/poll.(*FD).Read", "net.(*conn).Read", "crypto/tls.(*Conn).Read", "main.f"],
            "TLS read",
            Class::Network,
        ),
        (
            "network",
            &["internal/poll.(*FD).Read", "crypto/tls.(*Conn).Read", "net/http.(*persistConn).readLoop"],
            "HTTP read",
            Class::Network,
        ),
        ("network", &["internal/poll.(*FD).Accept", "net.(*netFD).accept", "main.f"], "network accept", Class::Network),
        ("chan receive", &["runtime.chanrecv1", "main.f"], "chan receive", Class::Receive),
        ("", &["sync.(*Mutex).Lock", "main.f"], "Mutex", Class::Lock),
        ("", &["runtime.selectgo", "main.f"], "select", Class::Select),
        ("", &["main.f"], "wake-up in main.f", Class::Other),
        ("", &["runtime.gopark", "runtime.bgsweep"], "wake-up in runtime.bgsweep", Class::Other),
        ("", &[], "not recorded", Class::Other),
        ("unspecified", &["runtime.handleEvent"], "JavaScript's event loop", Class::Other),
        ("a word of tomorrow", &["main.f"], "a word of tomorrow", Class::Other),
    ];
    for (reason, funcs, name, class) in cases {
        assert_eq!(refine(reason, go, funcs), (name.to_string(), *class), "{reason} {funcs:?}");
    }
    assert_eq!(refine("chan receive", Waker::Timer, &["main.f"]).0, "timer channel");
}

#[test]
fn who_ends_a_wait_that_no_goroutine_ends() {
    let mut d = Dict::default();
    let none = StackId::NONE;
    let closing = stack(&mut d, &["internal/poll.(*FD).Close", "main.f"]);
    let [network, sleep, gc] = ["network", "sleep", "GC mark assist wait for work"].map(|s| d.string(s));
    let r = Reasons::default();
    let (nobody, someone) = (GoIdx::NONE, GoIdx(3));
    assert_eq!(r.waker(&d, (network, none), nobody, none), Waker::Network);
    assert_eq!(r.waker(&d, (sleep, none), nobody, none), Waker::Timer);
    assert_eq!(r.waker(&d, (gc, none), nobody, none), Waker::Runtime);
    assert_eq!(r.waker(&d, (gc, none), someone, none), Waker::Go(someone));
    // A goroutine may run the poller; one that closes the connection is another matter.
    assert_eq!(r.waker(&d, (network, none), someone, none), Waker::Network);
    assert_eq!(r.waker(&d, (network, none), someone, closing), Waker::Go(someone));
}

#[test]
fn who_ended_a_select_tells_which_case_it_was() {
    let mut d = Dict::default();
    let waiter = stack(&mut d, &["runtime.selectgo", "main.f"]);
    let select = d.string("select");
    let r = Reasons::default();
    let mut name = |reason, waiter, leaf_first: &[&str]| {
        let end = stack(&mut d, leaf_first);
        r.get(r.refine_ended(&d, (reason, waiter), (Waker::Go(GoIdx(1)), end))).name
    };
    for (funcs, want) in [
        (["runtime.chansend1", "main.g"], "select (received)"),
        (["runtime.chanrecv2", "main.g"], "select (sent)"),
        (["main.g", "main.main"], "select (closed)"),
        (["io.(*pipe).closeWrite", "main.g"], "select (closed)"),
        // Which way it went does not show.
        (["runtime.selectgo", "main.g"], "select"),
        // What the user calls like that is not it.
        (["main.chansend1", "runtime.chansend1"], "select (closed)"),
    ] {
        assert_eq!(name(select, waiter, &funcs), want);
    }
    let cancel = ["context.(*cancelCtx).cancel", "context.WithCancel.func1", "main.g"];
    assert_eq!(name(select, waiter, &cancel), "select (context done)");
    // Of not recorded the end may tell what its stack does not.
    let (none, before) = (StringId::NONE, StackId::NONE);
    assert_eq!(name(none, before, &["runtime.chansend1", "main.g"]), "chan receive or select");
    assert_eq!(name(none, before, &["sync.(*Mutex).Unlock", "main.g"]), "lock");
    assert_eq!(name(none, before, &["main.g"]), "chan receive or select");
    assert_eq!(name(none, before, &["sync.(*WaitGroup).Add", "main.g"]), "not recorded");
    assert_eq!(name(none, waiter, &["runtime.chansend1", "main.g"]), "select");
}

#[test]
fn waits_are_found_by_the_name_that_their_stack_tells() {
    let mut d = Dict::default();
    let [mutex, rw, wait, user, read] = [
        &["sync.(*Mutex).Lock", "main.f"][..],
        &["sync.(*RWMutex).RLock", "main.f"],
        &["sync.(*WaitGroup).Wait", "main.f"],
        // A function of the user's below a lock is none.
        &["main.g", "sync.(*Mutex).Lock"],
        &["syscall.read", "internal/poll.(*FD).Read", "net/http.(*conn).serve"],
    ]
    .map(|funcs| stack(&mut d, funcs));
    let [sync, network] = ["sync", "network"].map(|s| d.string(s));
    let found = |word: &str| {
        let test = |name: &str| name.to_lowercase().contains(word);
        let has =
            |stacks: &[bool]| [mutex, rw, wait, user, read].map(|s| u8::from(stacks.get(s.index()) == Some(&true)));
        let waits = TABLE.waits(&d, &[sync, network], &test);
        let waits = waits.iter().map(|(words, stacks)| (d.str(words[0]), has(stacks))).collect::<Vec<_>>();
        (waits, has(&TABLE.syscalls(&d, &test)))
    };
    assert_eq!(found("mutex"), (vec![("sync", [1, 1, 0, 0, 0])], [0; 5]));
    assert_eq!(found("waitgroup"), (vec![("sync", [0, 0, 1, 0, 0])], [0; 5]));
    assert_eq!(found("http read"), (vec![("network", [0, 0, 0, 0, 1])], [0; 5]));
    assert_eq!(found("read"), (vec![("sync", [0, 1, 0, 0, 0]), ("network", [0, 0, 0, 0, 1])], [0, 0, 0, 0, 1]));
    assert_eq!(found("nothing"), (vec![], [0; 5]));
}

#[test]
fn words_that_no_rule_names_share_what_stacks_tell() {
    let mut d = Dict::default();
    let flight = stack(&mut d, &["golang.org/x/sync/singleflight.(*Group).Do", "main.f"]);
    let words: Vec<_> = (0..100).map(|i| d.string(&format!("reason {i}"))).collect();
    let waits = TABLE.waits(&d, &words, &|name| name.contains("flight"));
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].0, words);
    assert!(waits[0].1[flight.index()]);
    // The word itself is not for stacks to tell.
    assert_eq!(TABLE.waits(&d, &words, &|name| name.starts_with("reason")), []);
}

#[test]
fn the_runtimes_words_are_of_the_kind_that_most_of_their_waits_are_of() {
    for (word, kind) in [
        ("sync", WaitKind::Lock),
        ("sync.(*Cond).Wait", WaitKind::Lock),
        ("chan send", WaitKind::Channel),
        ("chan receive", WaitKind::Channel),
        ("select", WaitKind::Channel),
        ("network", WaitKind::Io),
        ("sleep", WaitKind::Timer),
        ("GC mark assist wait for work", WaitKind::Gc),
        ("GC sweep wait", WaitKind::Gc),
        ("forever", WaitKind::Other),
        ("", WaitKind::Other),
    ] {
        assert_eq!(WaitKind::of_word(word), kind, "{word}");
    }
}
