use super::fixture::{fixture, stack, us};
use super::*;
use crate::base::{GoIdx, StringId};
use crate::model::Dict;
use crate::model::reasons::WaitNames;
use crate::model::segment::{GoState, Kind};
use proptest::prelude::*;

fn canonical(text: &str) -> String {
    match parse(text) {
        Ok(q) => q.to_string(),
        Err(e) => panic!("{}", e.render(text)),
    }
}

fn only_term(text: &str) -> Term {
    match parse(text).unwrap().root.expr {
        Expr::Term(t) => t,
        other => panic!("{text} is {other:?}"),
    }
}

#[test]
fn queries_have_one_canonical_form() {
    let cases = [
        ("", ""),
        ("  mapassign ", "mapassign"),
        ("\"a b\"", "\"a b\""),
        ("\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""),
        ("\"gc\"", "\"gc\""),
        ("/map(a|b)+/", "/map(a|b)+/"),
        (r"/a\/b c/", r"/a\/b c/"),
        ("/src/x.go", "\"/src/x.go\""),
        ("order_cache.go:47", "file:order_cache.go:47"),
        ("func:payment.*", "func:payment.*"),
        ("func:payment.(*Core).settler", "func:\"payment.(*Core).settler\""),
        ("group:\"payment.(*Core).settler\"", "group:\"payment.(*Core).settler\""),
        ("file:/src/payment/order_cache.go:47", "file:\"/src/payment/order_cache.go:47\""),
        ("file:order_cache.go", "file:order_cache.go"),
        ("LENS:Maps", "lens:maps"),
        ("STATE:Waiting", "state:waiting"),
        ("reason:sync dur>1ms", "reason:sync dur>1ms"),
        ("dur>=1500us", "dur>=1500us"),
        ("dur < 1.5ms", "dur<1500us"),
        ("dur<=1m30s", "dur<=90s"),
        ("dur>0", "dur>0ns"),
        ("g:12 p:0 m:33", "g:12 p:0 m:33"),
        ("kind:goblock", "kind:GoBlock"),
        ("kind:log", "kind:Log"),
        ("kind:statetransition", "kind:StateTransition"),
        ("kind:GC*", "kind:gc*"),
        ("cat:map msg:before_write", "cat:map msg:before_write"),
        ("task:7 task:\"7\" region:settle label:x", "task:7 task:\"7\" region:settle label:x"),
        ("gc stw", "gc stw"),
        ("t:812ms..813.5ms", "t:812ms..813500us"),
        ("t:..1s", "t:..1s"),
        ("t:1s..", "t:1s.."),
        ("by:\"payment.*\" by:12", "by:payment.* by:12"),
        ("a and b c", "a b c"),
        ("a or b and c", "a or b c"),
        ("(a or b) c", "(a or b) c"),
        ("a (b c) (d)", "a b c d"),
        ("a or (b or c)", "a or b or c"),
        ("-a not b", "not a not b"),
        ("not (a b)", "not (a b)"),
        ("not(a or b)", "not (a or b)"),
        ("--a", "not not a"),
        ("-(a) AND NOT b OR c", "not a not b or c"),
        ("payment.(*Core).settler", "\"payment.(*Core).settler\""),
        ("(payment.(*Core).settler)", "\"payment.(*Core).settler\""),
        ("a->b", "\"a->b\""),
        ("dur", "\"dur\""),
        ("andy order nothing", "andy order nothing"),
        ("日本 Ünï", "日本 Ünï"),
    ];
    for (text, want) in cases {
        let got = canonical(text);
        assert_eq!(got, want, "{text}");
        assert_eq!(canonical(&got), want, "{text} again");
        assert_eq!(parse(&got).unwrap(), parse(text).unwrap());
    }
}

#[test]
fn terms_hold_what_was_written() {
    assert_eq!(only_term("t:1ms..2ms"), Term::Time(Some(1_000_000), Some(2_000_000)));
    assert_eq!(only_term("dur>1h0.5s"), Term::Dur(Cmp::Gt, 3_600_500_000_000));
    assert_eq!(only_term("dur>2µs"), Term::Dur(Cmp::Gt, 2_000));
    assert_eq!(only_term("state:syscall"), Term::State(GoState::Syscall));
    let cache = Pattern { text: "a.go".into(), regex: false };
    assert_eq!(only_term("file:a.go:47"), Term::File(cache, Some(47)));
    let Term::Kind(set) = only_term("kind:gc*") else { panic!() };
    assert_ne!(set.bits & 1 << Kind::GcBegin as u8, 0);
    assert_eq!(set.bits & 1 << Kind::GoBlock as u8, 0);
}

#[test]
fn every_node_knows_its_place() {
    let text = "func:a.b (x or not  \"y z\")";
    let q = parse(text).unwrap();
    let at = |n: &Node| &text[n.span.start..n.span.end];
    assert_eq!(at(&q.root), text);
    let Expr::And(parts) = &q.root.expr else { panic!() };
    assert_eq!(parts.iter().map(at).collect::<Vec<_>>(), ["func:a.b", "(x or not  \"y z\")"]);
    let Expr::Or(parts) = &parts[1].expr else { panic!() };
    assert_eq!(parts.iter().map(at).collect::<Vec<_>>(), ["x", "not  \"y z\""]);
}

/// The query, the part that is marked, and the message.
const ERRORS: &[(&str, &str, &str)] = &[
    ("reasn:sync", "reasn:", "unknown term `reasn:`; did you mean `reason:`?"),
    ("a fn:b", "fn:", "unknown term `fn:`; did you mean `func:`?"),
    ("goroutine:12", "goroutine:", "unknown term `goroutine:`; did you mean `g:`?"),
    ("http://x", "http:", "unknown term `http:`; put text that holds a `:` in quotes"),
    ("drur>1ms", "drur>", "unknown term `drur>`; did you mean `dur>`?"),
    ("state:waitng", "waitng", "`waitng` is not a state; did you mean `state:waiting`?"),
    ("state:blocked", "blocked", "`blocked` is not a state; did you mean `state:waiting`?"),
    (
        "state:purple",
        "purple",
        "`purple` is not a state; the states are syscall, waiting, running, runnable, notexist, undetermined",
    ),
    ("lens:map", "map", "`map` is not a lens; did you mean `lens:maps`?"),
    (
        "lens:colours",
        "colours",
        "`colours` is not a lens; the lenses are maps, interfaces, strings, channels, select, locks, gc, alloc, network, \
         syscalls, sched",
    ),
    ("kind:gobolck", "gobolck", "`gobolck` is not a kind of event; did you mean `kind:GoBlock`?"),
    ("kind:sample", "sample", "`sample` is not a kind of event; did you mean `kind:CPUSample`?"),
    ("kind:zz*", "zz*", "`zz*` is not a kind of event"),
    ("state>waiting", "state>", "`state` takes no `>`; did you mean `state:`?"),
    ("dur=1ms", "dur=1ms", "`dur` takes no `=`; did you mean `dur>=1ms`?"),
    ("state=waiting", "state=waiting", "`state` takes no `=`; did you mean `state:waiting`?"),
    ("dur:1ms..2ms", "dur:", "`dur` is compared with `>`, `>=`, `<` or `<=`; did you mean `dur>=1ms dur<2ms`?"),
    ("dur:1ms", "dur:", "`dur` is compared with `>`, `>=`, `<` or `<=`; did you mean `dur>1ms`?"),
    ("dur>5", "5", "`5` has no unit (ns, us, ms, s, m, h); did you mean `dur>5ms`?"),
    ("dur>1s500xs", "xs", "`xs` is not a unit of time (ns, us, ms, s, m, h)"),
    ("dur>1.ms", "1.", "`1.` is not a number"),
    ("dur>-1ms", "-", "a length of time has no sign"),
    ("dur>/1ms/", "/1ms/", "a length of time is compared, and not matched"),
    ("t:\"..2secs\" a", "secs", "`secs` is not a unit of time (ns, us, ms, s, m, h); did you mean `t:..2s`?"),
    ("t:\"..\\\\\"", "\"..\\\\\"", "`\\` is not a length of time, such as `1.5ms`"),
    ("dur>9999999999999h", "9999999999999h", "`9999999999999h` is longer than any trace"),
    ("dur>", "", "a value is missing after `dur>`, as in `state:waiting dur>1ms`"),
    ("reason: sync", "", "a value is missing after `reason:`, as in `reason:Mutex`"),
    ("g:main", "main", "`main` is not a goroutine's number"),
    ("p:-1", "-1", "`-1` is not a P's number"),
    ("g:99999999999999999999", "99999999999999999999", "`99999999999999999999` is not a goroutine's number"),
    ("file:a.go:99999999999", "99999999999", "there is no line 99999999999"),
    ("t:812ms", "812ms", "a window has two ends, one of which may be left out; did you mean `t:812ms..`?"),
    ("t:..", "..", "a window needs at least one end, as in `t:812ms..`"),
    ("t:2ms..1ms", "2ms..1ms", "this window ends before it begins; did you mean `t:1ms..2ms`?"),
    ("t:1ms..2", "2", "`2` has no unit (ns, us, ms, s, m, h); did you mean `t:1ms..2ms`?"),
    ("a \"b c", "\"b c", "the closing quote is missing"),
    ("\"\"", "\"\"", "an empty text matches everything"),
    ("a (b", "(", "this parenthesis is never closed"),
    ("a) b", ")", "no parenthesis is open here"),
    ("()", ")", "a term is missing before `)`"),
    ("or a", "or", "a term is missing before `or`"),
    ("a or", "", "a term is missing after `or`"),
    ("a and and b", "and", "a term is missing before `and`"),
    ("a -", "", "a term is missing after `not`"),
    ("x /a(b/", "/a(b/", "not a regular expression: unclosed group"),
    (r"func:/(\w{200}){200}/", r"/(\w{200}){200}/", "this pattern is too large"),
];

#[test]
fn a_mistake_is_answered_with_its_place_and_the_nearest_word() {
    for (text, part, message) in ERRORS {
        let e = parse(text).expect_err(text);
        assert_eq!(e.to_string(), *message, "{text}");
        assert_eq!(&text[e.span.start..e.span.end], *part, "{text}");
        // What is suggested for a whole term is itself right.
        if let Some(s) = e.suggestion.filter(|s| s.contains(|c| ":>".contains(c)) && !s.ends_with([':', '>'])) {
            parse(&s).unwrap_or_else(|e| panic!("{s}: {e}"));
        }
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let deep = "(".repeat(5_000);
    assert_eq!(parse(&deep).unwrap_err().message, "more than 64 parentheses or negations deep");
    let many = "a ".repeat(300);
    assert_eq!(parse(&many).unwrap_err().message, "a query has at most 256 terms");
    assert!(parse(&"a".repeat(20_000)).is_err());
    assert!(parse(&"-".repeat(16_000)).is_err());
}

#[test]
fn help_covers_every_field_and_its_examples_are_queries() {
    for h in help() {
        parse(h.example).unwrap_or_else(|e| panic!("{}", e.render(h.example)));
        if let Some(field) = h.field() {
            assert!(h.example.contains(field), "{} is not in its example", h.term);
        }
    }
    let fields: Vec<_> = words::fields().collect();
    assert_eq!(
        fields.join(" "),
        "func file lens state reason dur span g group p m kind cat msg task region label t by",
        "a new field needs tests"
    );
}

#[test]
fn completion_offers_words_and_the_traces_names() {
    let f = fixture();
    let offers = |text: &str| {
        let c = complete(text, Some(&f.index));
        assert_eq!(c.span.end, text.len());
        (c.span.start, c.candidates.into_iter().map(|c| c.text).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(offers("gc re"), (3, "reason: region:".to_string()));
    assert_eq!(offers("-(s"), (2, "state: span: stw".to_string()));
    assert_eq!(offers("lens:s"), (5, "strings select syscalls sched".to_string()));
    assert_eq!(offers("state:r"), (6, "running runnable".to_string()));
    assert_eq!(offers("kind:gosy"), (5, "GoSyscallBegin GoSyscallEnd GoSyscallEndBlocked".to_string()));
    assert_eq!(offers("x func:upd"), (7, "\"payment.(*OrderCache).Update\"".to_string()));
    assert_eq!(offers("group:\"settl"), (6, "\"payment.(*Core).settler\"".to_string()));
    assert_eq!(offers("file:order"), (5, "\"payment/order_cache.go\"".to_string()));
    assert_eq!(offers("nosuch:x"), (7, String::new()));
    let c = complete("x func:upd", Some(&f.index));
    let whole = format!("x func:{}", c.candidates[0].text);
    assert_eq!(parse(&whole).unwrap().to_string(), whole);
}

/// Every wait for package sync is one for a mutex.
struct Locks;

impl WaitNames for Locks {
    fn waits(&self, dict: &Dict, reasons: &[StringId], test: &dyn Fn(&str) -> bool) -> Vec<(Vec<StringId>, Vec<bool>)> {
        let sync = reasons.iter().filter(|r| test("Mutex") && dict.str(**r) == "sync");
        sync.map(|&r| (vec![r], vec![true; dict.counts().3])).collect()
    }

    fn syscalls(&self, _: &Dict, _: &dyn Fn(&str) -> bool) -> Vec<bool> {
        Vec::new()
    }
}

/// The numbers of the events that match, with the rest of the trace in sight; and that no segment that holds one is
/// passed over.
fn matching(text: &str) -> Vec<u64> {
    let f = fixture();
    let c = Compiled::new(&parse(text).unwrap_or_else(|e| panic!("{}", e.render(text))), &f.index, &Locks).unwrap();
    let mut out = Vec::new();
    for (seg, info) in f.segments.iter().zip(&f.index.segments) {
        let hits: Vec<u64> = (0..seg.len()).filter(|&i| c.matches(seg, i, &f)).map(|i| seg.first + i as u64).collect();
        assert!(hits.is_empty() || c.may_match(info), "{text} would pass over segment {}", seg.first);
        out.extend(hits);
    }
    out
}

impl Ahead for super::fixture::Fixture {
    fn next(&self, go: GoIdx, after: u64) -> Option<Next> {
        self.segments.iter().filter(|s| s.first >= after).find_map(|s| Next::within(s, go, None))
    }
}

#[test]
fn events_match_what_is_said_of_them() {
    let cases: &[(&str, &[u64])] = &[
        // Bare words: functions, files, kinds, labels, regions, tasks, logs.
        ("mapassign", &[5, 10, 17]),
        ("MapAssign", &[]),
        ("update", &[4, 5, 10, 13, 15, 17]),
        ("order_cache.go", &[4, 5, 10, 13, 15, 17]),
        ("mutex.go", &[4, 13, 15]),
        ("cpusample", &[5, 10, 17]),
        ("\"gc (idle)\"", &[6]),
        ("checkout", &[7]),
        ("before_write", &[8]),
        ("\"settle\"", &[2, 4, 9, 15, 16]),
        ("/assign_fast(str|32)$/", &[5, 10, 17]),
        // Frames.
        ("func:payment.*", &[2, 4, 5, 10, 13, 15, 17]),
        ("func:runtime.mapassign*", &[5, 10, 17]),
        ("func:settler", &[2, 4, 15]),
        ("file:order_cache.go:47", &[5, 17]),
        ("order_cache.go:55", &[10]),
        ("file:cache.go", &[]),
        ("lens:maps", &[5, 10, 17]),
        ("lens:locks", &[4, 13, 15]),
        ("lens:network", &[]),
        ("lens:maps -gc", &[17]),
        ("file:payment/", &[2, 4, 5, 10, 13, 15, 17]),
        // States, reasons, lengths.
        ("state:waiting", &[4, 15]),
        ("state:running", &[1, 3, 14]),
        ("state:runnable", &[2, 13]),
        ("reason:sync", &[4]),
        ("reason:mutex", &[4]),
        ("reason:Mutex dur>1ms", &[4]),
        ("-reason:mutex state:waiting", &[15]),
        ("reason:CHAN", &[]),
        ("reason:chan", &[15]),
        ("dur>1ms", &[1, 4, 15]),
        ("dur>=1ms", &[1, 2, 3, 4, 13, 14, 15]),
        ("dur<=1ms", &[2, 3, 13, 14]),
        ("state:waiting dur>=7ms", &[4, 15]),
        ("state:waiting dur>7ms", &[15]),
        ("state:waiting dur>8ms", &[]),
        ("state:waiting dur<8ms", &[4]),
        ("state:running dur>=20ms", &[1]),
        // Who and where.
        ("g:8", &[2, 3, 4, 12, 13, 14, 15]),
        ("g:12", &[5, 6, 10, 11, 17]),
        ("g:99", &[]),
        ("group:payment.(*Core).settler", &[2, 3, 4, 12, 13, 14, 15]),
        ("group:settler", &[2, 3, 4, 12, 13, 14, 15]),
        ("group:main.main", &[1, 7, 8, 9, 16]),
        ("group:main.*", &[1, 5, 6, 7, 8, 9, 10, 11, 16, 17]),
        ("p:1", &[3, 4, 5, 6, 10, 11, 13, 17]),
        ("m:34", &[3, 4, 5, 6, 10, 11, 13, 17]),
        ("by:12", &[4, 13]),
        ("by:\"*Unlock\"", &[4, 13]),
        ("by:main.main.*", &[4, 13]),
        ("by:settler", &[]),
        // Kinds and annotations.
        ("kind:log", &[8]),
        ("kind:StackSample", &[5, 10, 17]),
        ("kind:go*", &[1, 2, 3, 4, 6, 12, 13, 14, 15]),
        ("cat:map", &[8]),
        ("msg:before", &[8]),
        ("msg:map", &[]),
        ("task:7", &[7, 8]),
        ("task:check", &[7]),
        ("region:settle", &[9, 16]),
        ("label:idle", &[6]),
        // Time.
        ("gc", &[4, 5, 6, 7, 8, 9, 10]),
        ("stw", &[15]),
        ("t:5ms..10ms", &[9, 10, 11, 12]),
        ("t:13ms..", &[16, 17]),
        ("t:..1ms", &[0, 1]),
        // Together.
        ("mapassign gc", &[5, 10]),
        ("mapassign -gc", &[17]),
        ("gc or stw", &[4, 5, 6, 7, 8, 9, 10, 15]),
        ("not (kind:go* or update or g:1 or g:12)", &[0]),
        ("reason:sync dur>1ms by:12 func:update", &[4]),
    ];
    for (text, want) in cases {
        assert_eq!(matching(text), *want, "{text}");
    }
    assert_eq!(matching("").len(), 18);
}

#[test]
fn segments_that_cannot_match_are_passed_over() {
    let f = fixture();
    let may = |text: &str| {
        let c = Compiled::new(&parse(text).unwrap(), &f.index, &Locks).unwrap();
        f.index.segments.iter().map(|s| c.may_match(s)).collect::<Vec<_>>()
    };
    assert_eq!(may("file:order_cache.go:55"), [true, false]);
    assert_eq!(may("file:order_cache.go:48"), [false, true]);
    assert_eq!(may("nothing_like_it"), [false, false]);
    assert_eq!(may("kind:GoUnblock"), [false, true]);
    assert_eq!(may("not kind:GoUnblock"), [true, true]);
    assert_eq!(may("t:7ms.."), [false, true]);
    assert_eq!(may("not t:7ms.."), [true, false]);
    assert_eq!(may("not (kind:Log or t:7ms..)"), [true, false]);
    assert_eq!(may("gc"), [true, false]);
    assert_eq!(may("stw"), [false, true]);
    assert_eq!(may("cat:map"), [true, false]);
    assert_eq!(may("g:12 kind:Log"), [true, false]);
    assert_eq!(may("g:99"), [false, false]);
}

#[test]
fn without_a_look_ahead_a_state_lasts_to_the_end() {
    let f = fixture();
    let c = Compiled::new(&parse("state:waiting dur>16ms").unwrap(), &f.index, &Locks).unwrap();
    assert!(c.matches(&f.segments[0], 4, &NoAhead));
    assert!(!c.matches(&f.segments[0], 4, &f));
}

#[test]
fn a_query_is_stale_once_the_index_has_grown() {
    let mut f = fixture();
    let q = parse("func:late").unwrap();
    let c = Compiled::new(&q, &f.index, &Locks).unwrap();
    assert!(!c.is_stale(&f.index));
    let late = stack(&mut f.index.dict, &[("main.late", "main.go", 1)]);
    assert!(c.is_stale(&f.index));
    let mut b = crate::build::SegmentBuilder::new(18);
    b.push(crate::model::Event { stack: late, ..f.segments[1].event(5) });
    let seg = b.finish();
    assert!(!c.matches(&seg, 0, &f));
    assert!(Compiled::new(&q, &f.index, &Locks).unwrap().matches(&seg, 0, &f));
    assert_eq!(us(20_000), seg.time[0]);
}

/// Texts that are made of pieces of queries, so that many of them are right.
fn query_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,6}",
        "[A-Za-zü.*?()/:\\[\\]-]{1,8}",
        Just("payment.(*Core).settler".to_string()),
        "\"[a-z \\\\\"():]{0,6}",
        "\"[a-z (){}<>:/-]{1,6}\"",
        "/[a-z.*+]{1,5}/",
        "[0-9]{1,3}",
        "/[a-z/.]{1,8}",
    ];
    let field = prop::sample::select(words::fields().collect::<Vec<_>>());
    let term = prop_oneof![
        3 => word.clone(),
        3 => (field, word).prop_map(|(f, w)| format!("{f}:{w}")),
        1 => ("[<>]=?", 0..5_000u32, prop::sample::select(vec!["ns", "us", "ms", "s"]))
            .prop_map(|(c, n, u)| format!("dur{c}{n}{u}")),
        1 => (0..999u32, 0..999u32).prop_map(|(a, b)| format!("t:{a}us..{b}ms")),
        1 => prop::sample::select(vec!["gc", "stw", "state:waiting", "kind:go*", "a.go:4", "file:x.go:7", "by:12"])
            .prop_map(str::to_string),
    ];
    let leaf = term.boxed();
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|v| v.join(" ")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|v| v.join(" or ")),
            inner.clone().prop_map(|q| format!("({q})")),
            inner.clone().prop_map(|q| format!("not {q}")),
            inner.prop_map(|q| format!("-({q} )")),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_is_the_same_query(text in query_text()) {
        if let Ok(q) = parse(&text) {
            let printed = q.to_string();
            let again = parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&q), "{} -> {}", text, printed);
            prop_assert_eq!(again.unwrap().to_string(), printed);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}|[ \\\\\"()/:<>a-z.*0-9-]{0,30}|.{0,20}") {
        match parse(&text) {
            Ok(q) => prop_assert_eq!(parse(&q.to_string()), Ok(q)),
            Err(e) => {
                prop_assert!(text.get(e.span.start..e.span.end).is_some(), "{:?} in {}", e.span, text);
                e.render(&text);
            }
        }
        complete(&text, None);
    }

    #[test]
    fn no_segment_with_a_match_is_passed_over(text in query_text()) {
        if parse(&text).is_ok() {
            matching(&text);
        }
    }
}

#[test]
fn a_task_may_be_named_as_screens_write_it() {
    assert_eq!(canonical("task:#7"), "task:7");
    assert_eq!(only_term("task:\"#7\""), Term::Task(Who::Name(Pattern { text: "#7".into(), regex: false })));
}
