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
    let (mut d, screen) = after("3<Enter>p", 160, 50);
    assert!(screen.contains("critical path"), "{screen}");
    let sum = screen.lines().find(|l| l.contains("  total")).unwrap_or_else(|| panic!("{screen}"));
    assert!(sum.contains("100.0 %"), "{sum}");
    let at = d.model.place().clone();
    d.keys("<Esc>").unwrap();
    assert_eq!(*d.model.place(), at);
    d.keys("c").unwrap();
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    assert!(screen.contains("the chain of this wait"), "{screen}");
    d.keys("<Enter>").unwrap();
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
