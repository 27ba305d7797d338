//! From waits, tasks and regions into the timeline.

use super::*;

#[test]
fn a_link_opens_into_its_waits_and_a_wait_into_the_timeline() {
    let size = Size { width: 120, height: 40 };
    let (mut d, screen) = after("3j<Enter>", 120, 40);
    let at = d.model.place().clone();
    assert!(at.go.is_some() && at.view == ViewId::Links, "{screen}");
    assert!(screen.contains(" waits, "), "{screen}");
    d.keys("<Enter>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go, d.model.place().at), (ViewId::Timeline, at.go, at.at));
    assert_eq!(d.model.focus(), Pane::Detail);
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("waiting"), "the detail pane is on the wait\n{screen}");
    d.keys("<Tab><Tab><Esc>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go), (ViewId::Links, at.go));
}

#[test]
fn links_know_the_window_and_the_group() {
    let count = |keys: &str| {
        let (d, screen) = after(keys, 160, 50);
        assert_eq!(d.model.place().view, ViewId::Links);
        let line = screen.lines().find(|l| l.contains("Mutex")).unwrap_or_default();
        line.to_string()
    };
    let whole = count("3");
    assert!(whole.contains("payment/order_cache.go:45"), "{whole}");
    let part = count("5jjjv<C-d><C-d><C-d><C-d><C-d><C-d><C-d><C-d><Enter>3");
    assert_ne!(whole, part);
    let (d, screen) = after("3i", 160, 50);
    assert!(d.model.place().group().is_some() && !screen.contains("Mutex"), "{screen}");
    assert!(screen.contains("paycore/shop.go:37"), "{screen}");
}

#[test]
fn a_wait_shows_its_critical_path_and_its_chain_from_where_it_stands() {
    let (mut d, _) = after("3<Enter>", 160, 50);
    let at = d.model.place().clone();
    d.keys("p").unwrap();
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    assert!(screen.contains("critical path"), "{screen}");
    let sum = screen.lines().find(|l| l.contains("  total")).unwrap_or_else(|| panic!("{screen}"));
    assert!(sum.contains("100.0 %"), "{sum}");
    d.keys("<Esc>").unwrap();
    assert_eq!(*d.model.place(), at);
    d.keys("c").unwrap();
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    assert!(screen.contains("the chain of this wait"), "{screen}");
    // The root cause stands first, then the wait that was asked about.
    let first = screen.lines().find(|l| l.starts_with('›')).unwrap_or_else(|| panic!("{screen}"));
    assert!(first.contains("root cause: "), "{screen}");
    d.keys("j<Enter>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go, d.model.place().at), (ViewId::Timeline, at.go, at.at));
}

/// What `u` says of a goroutine of a trace at an instant.
fn notice_of_unblocker(trace: &'static [u8], at: Duration, go: GoId) -> String {
    let trace = Trace::open("trace", Bytes::Static(trace)).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    let size = Size { width: 120, height: 40 };
    let mut d = Driver::new(Arc::new(trace), "trace", theme(), Keymap::default(), size);
    d.begin_at(at, Some(go));
    d.keys("u").unwrap();
    d.model.notice().unwrap().text.clone()
}

#[test]
fn where_no_goroutine_is_the_unblocker_it_is_said_what_was() {
    let syscall = include_bytes!("../../../tests/data/syscall.trace");
    // In the syscall for 120 ms, then ready, then running; another P was at hand at once.
    for at in [50_000_000, 120_394_050, 120_394_500] {
        let notice = notice_of_unblocker(syscall, Duration(at), GoId(10));
        assert_eq!(notice, "it came back by itself from the syscall, had lost its P, and got P0", "at {at}");
    }
    let deadline = include_bytes!("../../../tests/data/deadline.trace");
    let notice = notice_of_unblocker(deadline, Duration(10_370_000), GoId(5));
    assert_eq!(notice, "no goroutine made this one: a timer started it");
}

#[test]
fn a_name_opens_into_its_regions_and_a_region_into_the_timeline() {
    let (mut d, screen) = after("8<Enter>j", 120, 40);
    let at = d.model.place().clone();
    assert!(at.go.is_some() && at.view == ViewId::Tasks, "{screen}");
    d.keys("p").unwrap();
    let panel = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(panel.contains("critical path · "), "{panel}");
    d.keys("<Esc><Enter>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go, d.model.place().at), (ViewId::Timeline, at.go, at.at));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Tasks);
}

/// Requests that no one marked stand beside tasks and regions, with the picture of when how long ones began.
#[test]
fn requests_are_listed_and_lead_to_their_goroutine() {
    let trace = include_bytes!("../../../tests/data/requests-go1.26.trace");
    let trace = Trace::open("trace", Bytes::Static(trace)).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    let size = Size { width: 120, height: 50 };
    let mut d = Driver::new(Arc::new(trace), "trace", theme(), Keymap::default(), size);
    d.keys("8").unwrap();
    let screen = text(&d.screen(size).0);
    let row = |name: &str| screen.lines().find(|l| l.contains(name) && l.contains("http.")).map(str::to_owned);
    assert!(row("http.(*Transport).RoundTrip").is_some_and(|l| l.contains(" 57 ")), "{screen}");
    assert!(row("main.requests.requests.func1.func3").is_some_and(|l| l.contains(" 18 ")), "{screen}");
    assert!(screen.contains("when they began, by how long they took"), "{screen}");
    d.keys("<Enter>").unwrap();
    let at = d.model.place().clone();
    assert_eq!(at.view, ViewId::Tasks);
    d.keys("<Enter>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go, d.model.place().at), (ViewId::Timeline, at.go, at.at));
}

/// A box in the picture is held against the others of its name: what makes it slow comes first, and leads to the slowest by it.
#[test]
fn a_box_of_slow_requests_says_what_makes_them_slow() {
    let trace = include_bytes!("../../../tests/data/slowserve.trace");
    let trace = Trace::open("trace", Bytes::Static(trace)).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    let size = Size { width: 150, height: 40 };
    let mut d = Driver::new(Arc::new(trace), "trace", theme(), Keymap::default(), size);
    d.keys("8").unwrap();
    d.screen(size);
    // The two longest rows, from the first of them to the end of the trace.
    d.keys("v<C-f><C-f><C-f><C-f><C-f><C-f><C-f><C-f><C-f><C-f><C-f>j").unwrap();
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("16.8ms to 67.1ms") && screen.contains(" of 320 "), "{screen}");
    d.keys("<Enter>").unwrap();
    let screen = text(&d.screen(size).0);
    let first = screen.lines().find(|l| l.starts_with('›')).unwrap_or_else(|| panic!("{screen}"));
    assert!(first.contains("waits for Mutex at programs/served.go:68 ← waits for a timer: sleep"), "{screen}");
    let share = first.split_whitespace().nth(2).and_then(|s| s.parse::<f64>().ok());
    assert!(share.is_some_and(|s| s > 80.0), "{first}");
    d.keys("<Enter>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Timeline);
    assert!(d.model.place().go.is_some());
    // Back in the box, and out of it.
    d.keys("<Esc><Esc>").unwrap();
    assert!(text(&d.screen(size).0).contains("16.8ms to 67.1ms"));
    d.keys("<Esc><Esc>").unwrap();
    assert!(text(&d.screen(size).0).contains("v: select a box"));
}

#[test]
fn locks_chains_and_paths_stay_until_they_are_left_and_escape_comes_back_to_them() {
    let size = Size { width: 120, height: 40 };
    for (keys, title) in [
        ("L", "locks and channels that goroutines queue for"),
        ("3<Enter>c", "the chain of this wait"),
        ("3<Enter>p", "critical path · "),
    ] {
        let (mut d, screen) = after(keys, size.width, size.height);
        let shows = |d: &Driver| text(&d.screen(size).0).lines().any(|l| l.starts_with(&format!(" {title}")));
        assert!(shows(&d), "{screen}");
        let sheet = d.model.place().sheet.clone();
        // Help, panes, a query, the palette and a key that means nothing leave it where it is.
        for around in ["?<Esc>", "<Tab><Tab><Tab>", "/main<Enter><Tab><Tab><Tab><Tab>", ":<Esc>", "w", "jjk"] {
            d.keys(around).unwrap();
            assert!(shows(&d) && d.model.place().sheet == sheet, "{keys} {around}: {}", text(&d.screen(size).0));
        }
        d.keys("<Esc>").unwrap();
        let (mut d, _) = after(keys, size.width, size.height);
        let at = d.model.place().clone();
        for away in ["5", "8", "<Enter>", "c"] {
            d.keys(away).unwrap();
            if d.model.place().sheet == sheet {
                continue;
            }
            d.keys("<Esc>").unwrap();
            assert!(shows(&d), "{keys} {away}: {}", text(&d.screen(size).0));
            assert_eq!(*d.model.place(), at, "{keys} {away}");
        }
        d.keys("<Esc>").unwrap();
        assert_eq!(d.model.place().sheet, None);
    }
}

#[test]
fn the_panes_are_of_the_line_under_the_cursor_of_the_locks() {
    let size = Size { width: 120, height: 40 };
    let (mut d, _) = after("L", size.width, size.height);
    let titles = |d: &Driver| {
        let screen = text(&d.screen(size).0);
        screen.lines().find(|l| l.contains('┬')).unwrap().to_string()
    };
    assert!(titles(&d).contains("waiting: Mutex"), "{}", titles(&d));
    let first = (d.model.place().go, d.model.place().at);
    d.keys("j").unwrap();
    assert_ne!((d.model.place().go, d.model.place().at), first);
    d.keys("k").unwrap();
    assert_eq!((d.model.place().go, d.model.place().at), first);
}

#[test]
fn a_small_screen_lists_five_locks_each_with_its_line_and_tells_of_the_chosen_one() {
    let size = Size { width: 80, height: 24 };
    let (mut d, screen) = after("L", size.width, size.height);
    let rows = |s: &str| {
        let below = s.lines().skip_while(|l| !l.contains("blocked at")).skip(1);
        below.take_while(|l| l.contains(".go:") && !l.contains("max waiters")).count()
    };
    assert_eq!(rows(&screen), 5, "{screen}");
    assert!(screen.contains("max waiters") && screen.contains("more lines: e shows them"), "{screen}");
    let said = |s: &str| s.lines().find(|l| l.contains("max waiters")).map(str::to_owned);
    d.keys("j").unwrap();
    let next = text(&d.screen(size).0);
    assert!(said(&next).is_some() && said(&next) != said(&screen), "{next}");
    d.keys("ke").unwrap();
    let unfolded = text(&d.screen(size).0);
    // What there is to say is there to its end, and the list has the rest of the room.
    assert!(rows(&unfolded) == 5 && unfolded.contains("starvation: 31 of 532"), "{unfolded}");
}

#[test]
fn the_times_stay_in_sight_when_the_text_moves_sideways() {
    let (mut d, screen) = after("L", 80, 24);
    let size = Size { width: 80, height: 24 };
    let row = |s: &str| s.lines().find(|l| l.starts_with('›')).unwrap().to_owned();
    let time = row(&screen)[.."›   2.52s".len()].to_owned();
    d.keys("lll").unwrap();
    let moved = row(&text(&d.screen(size).0));
    assert!(moved.starts_with(&time) && moved != row(&screen), "{moved}");
}

#[test]
fn the_next_wait_alike_is_at_the_same_line_and_the_way_back_leads_back() {
    let (mut d, _) = after("3", 120, 40);
    let begun = (d.model.place().go, d.model.place().at);
    d.keys("}").unwrap();
    let next = (d.model.place().go, d.model.place().at);
    assert!(next.1 > begun.1, "{:?}", d.model.notice());
    d.keys("{").unwrap();
    assert_eq!((d.model.place().go, d.model.place().at), begun);
}

#[test]
fn a_range_that_grows_is_said_at_the_foot_until_it_is_chosen_or_forgotten() {
    let foot = |d: &Driver| text(&d.screen(Size { width: 120, height: 40 }).0).lines().last().unwrap().to_owned();
    let (mut d, _) = after("vlll", 120, 40);
    assert!(foot(&d).contains("SELECT Δ"), "{}", foot(&d));
    d.keys("h").unwrap();
    assert!(foot(&d).contains("SELECT Δ"), "{}", foot(&d));
    d.keys("<Esc>").unwrap();
    assert!(!foot(&d).contains("SELECT"), "{}", foot(&d));
    let (mut d, _) = after("5vjj", 120, 40);
    assert!(foot(&d).contains("SELECT Δ"), "{}", foot(&d));
    d.keys("<Enter>").unwrap();
    assert!(!foot(&d).contains("SELECT") && d.model.place().window().is_some());
}

/// What holds work up stands under another heading than what is idle, and the cursor is never on a heading.
#[test]
fn stalls_and_idle_waits_have_headings_of_their_own() {
    let (mut d, screen) = after("3", 120, 40);
    assert!(screen.contains("work is held up by"), "{screen}");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
        let row = screen.lines().find(|l| l.starts_with('›')).unwrap_or_else(|| panic!("{screen}")).to_owned();
        assert!(!row.contains("work is held up by") && !row.contains("idle: waiting for work"), "{row}");
        seen.insert(row);
        d.keys("j").unwrap();
    }
    assert!(seen.len() > 20, "{}", seen.len());
    // Sorted by anything else there are none.
    d.keys(">").unwrap();
    assert!(!text(&d.screen(Size { width: 120, height: 40 }).0).contains("work is held up by"));
}

#[test]
fn how_long_waits_were_is_a_map_that_enter_and_escape_leave() {
    let (mut d, screen) = after("3z", 120, 40);
    assert!(screen.lines().any(|l| l.contains("100.0%") || l.matches('%').count() > 0 && l.contains('█')), "{screen}");
    d.keys("<Esc>").unwrap();
    let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(screen.contains("▾waited"), "{screen}");
}

#[test]
fn the_path_of_the_slowest_of_a_name_is_a_key_away() {
    for keys in ["8p", "8<Enter>p"] {
        let (_, screen) = after(keys, 80, 24);
        assert!(screen.contains("critical path · task payment · 56.7ms"), "{keys}: {screen}");
    }
}

#[test]
fn going_into_a_link_or_a_task_keeps_its_source() {
    for keys in ["3jjj<Enter>", "3jjj<Enter><Enter>", "8<Enter><Enter>"] {
        let (d, screen) = after(keys, 140, 40);
        assert!(d.model.place().frame.is_some(), "{keys}: {screen}");
    }
}
