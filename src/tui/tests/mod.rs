//! The viewer as a whole: keys in, screen and state out.

mod actions;
mod bookmarks;
mod contrast;
mod findings;
mod gallery;
mod help;
mod incidents;
mod lenses;
mod low;
mod maps;
mod mouse;
mod profile;
mod runtime;
mod scope;
mod sql;
mod traffic;
mod waits;
mod words;

use super::app::action::Action;
use super::app::catalog::ViewId;
use super::app::keymap::{Key, Keymap};
use super::app::model::Message;
use super::app::nav::{Narrow, Row};
use super::app::view::Pane;
use super::snapshot::{Driver, text};
use super::term::encoder::Terse;
use super::theme::{Background, ColorLevel, Theme};
use crate::analysis::gc::Collector;
use crate::analysis::sched::Scheduler;
use crate::analysis::timeline::totals::totals;
use crate::base::{Duration, GoId, GroupId, Time};
use crate::build::observe::Both;
use crate::input::Bytes;
use crate::model::{Index, Lane};
use crate::read::{Trace, fixture};
use crate::report;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn theme() -> Theme {
    Theme::new(ColorLevel::True, Background::Dark, false)
}

fn driver_of(theme: Theme, size: Size) -> Driver {
    Driver::new(fixture::trace(), "trace.out", theme, Keymap::default(), size)
}

fn driver(width: u16, height: u16) -> Driver {
    driver_of(theme(), Size { width, height })
}

fn after(keys: &str, width: u16, height: u16) -> (Driver, String) {
    let mut d = driver(width, height);
    d.keys(keys).unwrap();
    let screen = text(&d.screen(Size { width, height }).0);
    (d, screen)
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Message {
    Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

#[test]
fn the_founding_story_finds_its_line() {
    for (w, h) in [(80, 24), (120, 40), (250, 70)] {
        let (d, screen) = after("/mapassign<Enter>", w, h);
        let hits = d.model.hits().unwrap();
        assert!(hits.complete && hits.found.total() > 0);
        let first =
            screen.lines().find(|l| l.contains(" %") && l.contains(".go:")).unwrap_or_else(|| panic!("{screen}"));
        assert!(first.contains("order_cache.go:47"), "{screen}");
        let share: f64 = first.split_once(" %").unwrap().0.trim_matches([' ', '›']).parse().unwrap();
        assert!(share > 90.0, "{first}");
        assert!(screen.lines().next().unwrap().contains("hits"), "{screen}");
        assert_eq!(d.model.focus(), Pane::Hits);
    }
}

#[test]
fn the_detail_is_of_the_group_under_the_cursor_of_the_goroutines_view() {
    let (mut d, _) = after("2jj", 120, 40);
    let Some(Row::Group(g)) = d.model.place().row else { panic!("{:?}", d.model.place()) };
    let name = fixture::trace().index().group_name(g).to_owned();
    let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
    let detail = screen.lines().skip(10).find(|l| l.contains(" goroutine")).unwrap().to_owned();
    assert!(detail.contains(name.rsplit('/').next().unwrap()), "{name}: {detail}");
    // A key of another view says so.
    d.keys("w").unwrap();
    assert!(text(&d.screen(Size { width: 120, height: 40 }).0).contains("w means something in the timeline: zoom in"));
}

#[test]
fn escape_takes_the_query_off_and_n_steps_through_the_hits() {
    let (mut d, _) = after("/mapassign<Enter>n", 120, 40);
    let first = d.model.place().event.unwrap();
    d.keys("n").unwrap();
    let second = d.model.place().event.unwrap();
    assert!(second > first);
    d.keys("N").unwrap();
    assert_eq!(d.model.place().event, Some(first));
    d.keys("<Esc><Esc>").unwrap();
    assert_eq!(d.model.place().query(), None);
    assert!(d.model.hits().is_none());
}

#[test]
fn a_group_opens_into_goroutines_and_a_goroutine_into_the_timeline() {
    let (mut d, _) = after("2<Enter>", 120, 40);
    assert!(d.model.place().go.is_some());
    let go = d.model.place().go;
    d.keys("<Enter>").unwrap();
    assert_eq!((d.model.place().view, d.model.place().go), (ViewId::Timeline, go));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Goroutines);
    d.keys("[").unwrap();
    assert_eq!(d.model.place().view, ViewId::Timeline);
    d.keys("]").unwrap();
    assert_eq!(d.model.place().view, ViewId::Goroutines);
}

#[test]
fn narrowing_to_a_group_leaves_its_events_alone() {
    let (mut d, _) = after("2i5", 120, 40);
    let group = d.model.place().group().unwrap();
    let trace = fixture::trace();
    for _ in 0..20 {
        d.keys("j").unwrap();
        let go = d.model.place().go;
        assert_eq!(trace.index().goroutine(go).map(|g| g.group), Some(group));
    }
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().group(), None);
}

#[test]
fn a_range_of_events_narrows_to_the_time_between() {
    let (mut d, _) = after("5jjjv<C-d><Enter>", 120, 40);
    let (from, to) = d.model.place().window().expect("a window");
    assert!(from < to);
    assert!(matches!(d.model.place().narrowing[..], [Narrow::Window(..)]));
    d.keys("G").unwrap();
    let last = d.model.place().at;
    assert!(last < to && last >= from);
    d.keys("2").unwrap();
    let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(screen.lines().next().unwrap().contains(".."), "{screen}");
}

#[test]
fn the_detail_is_of_what_the_view_is_on() {
    let size = Size { width: 120, height: 40 };
    let (mut d, _) = after("2<Enter>5", size.width, size.height);
    let no = d.model.place().event.expect("the event at the cursor");
    let trace = fixture::trace();
    let segment = trace.index().segment_of(no).unwrap();
    let segment = trace.segment(segment).unwrap();
    let event = segment.event((no - segment.first) as usize);
    let screen = text(&d.screen(size).0);
    let title = screen.lines().find(|l| l.starts_with("─ ") && l.contains(" · at ")).expect("a title");
    assert!(title.contains(event.kind.name()), "{title}");

    // The view of tasks has rows of its own, and leaves the goroutine to the others.
    let go = d.model.place().go;
    d.keys("8").unwrap();
    let screen = text(&d.screen(size).0);
    let first = screen.lines().find(|l| l.contains(" task ") && l.contains("payment")).expect("the tasks");
    assert!(screen.lines().any(|l| l.starts_with("─ task payment · ")), "{screen}");
    let longest = screen.lines().find(|l| l.trim_start().starts_with("max  ")).expect("a detail");
    assert!(first.contains(longest.split_whitespace().nth(1).unwrap()), "{first}\n{longest}");
    d.keys("1").unwrap();
    assert_eq!(d.model.place().subject().0, go);
}

#[test]
fn in_the_view_of_stacks_detail_and_source_are_of_the_function_under_its_cursor() {
    let size = Size { width: 120, height: 40 };
    let titles = |d: &Driver| {
        let screen = text(&d.screen(size).0);
        screen.lines().rfind(|l| l.starts_with("─ ")).unwrap().to_string()
    };
    // What another view was on is not of it, nor is the function that the cursor has left.
    let (mut d, screen) = after("2jj<Enter>4", 120, 40);
    assert!(
        titles(&d).starts_with("─ heaviest: payment.(*OrderCache).Update ") && titles(&d).contains("┬─ findings ─"),
        "{screen}"
    );
    d.keys("u").unwrap();
    assert!(d.model.notice().is_some_and(|n| n.text.contains("no wait")), "{:?}", d.model.notice());
    d.keys("jjj").unwrap();
    let pay = titles(&d);
    assert!(pay.contains("stack of payment.(*Core).Pay ") && pay.contains("payment/core.go"), "{pay}");
    let screen = text(&d.screen(size).0);
    let rows: Vec<&str> = screen.lines().skip_while(|l| !l.starts_with("─ stack of")).skip(1).take(3).collect();
    assert!(rows[0].contains("Pay  payment/core.go:92") && rows[1].contains("main.handle"), "{rows:?}");
    // Coming back it is of the cursor again, and elsewhere of what is the cursor there.
    d.keys("1").unwrap();
    assert!(!titles(&d).contains("stack of") && !titles(&d).contains("payment/core.go"), "{}", titles(&d));
    d.keys("4").unwrap();
    assert_eq!(titles(&d), pay);
    // The callers can be gone through.
    d.keys("<Tab>j<Enter>").unwrap();
    assert!(titles(&d).contains("─ paycore/gateway.go"), "{}", titles(&d));
    d.keys("<Esc>kkk").unwrap();
    assert!(
        titles(&d).starts_with("─ heaviest: payment.(*OrderCache).Update ") && titles(&d).contains("┬─ findings ─"),
        "{}",
        titles(&d)
    );
}

#[test]
fn the_detail_of_a_group_is_of_the_selected_range() {
    let (_, screen) = after("vllllll<Enter>2", 120, 40);
    let title = screen.lines().find(|l| l.contains("· in the range")).unwrap_or_else(|| panic!("{screen}"));
    let name = title.split_whitespace().nth(1).unwrap();
    let row = screen.lines().find(|l| l.contains('›') && l.contains(name)).unwrap_or_else(|| panic!("{screen}"));
    let running = screen.lines().find(|l| l.trim_start().starts_with("running  ")).expect("a detail");
    let running = running.split_whitespace().nth(1).unwrap();
    assert!(row.contains(running), "{row}\n{running}");
}

#[test]
fn a_range_of_time_leaves_the_goroutines_with_what_they_did_in_it() {
    let (d, screen) = after("vllllll<Enter>2", 120, 40);
    let (from, to) = d.model.place().window().expect("a window");
    assert!(!screen.contains("nothing is left"), "{screen}");
    let row = screen.lines().find(|l| l.contains("payment.(*Ledger).write")).expect("a goroutine of that time");
    // One goroutine: what it did adds up to the range.
    let trace = fixture::trace();
    let all = totals(&*trace, (from, to), &|_| false).unwrap();
    let did = all[&Lane::Group(group_named(&trace.index(), "payment.(*Ledger).write"))];
    assert!(row.contains(&did.running.to_string()) && row.contains(&did.waiting.to_string()), "{row}");
    assert_eq!(did.running + did.runnable + did.waiting + did.syscall, to - from);
}

fn group_named(index: &Index, end: &str) -> GroupId {
    let at = (0..index.groups.len() as u32).map(GroupId).find(|g| index.group_name(*g).ends_with(end));
    at.expect("a group of that name")
}

#[test]
fn what_was_not_meant_for_a_line_of_input_is_cut_there() {
    for key in ["/", ":"] {
        let (mut d, _) = after(key, 80, 24);
        d.send(Message::Paste("dur>1ms (or not main \"q\n".repeat(40_000)));
        let screen = text(&d.screen(Size { width: 80, height: 24 }).0);
        assert!(screen.contains(key), "{screen}");
        d.keys("<Esc>").unwrap();
        let (mut d, _) = after(key, 80, 24);
        d.send(Message::Paste("mapassign".into()));
        assert!(text(&d.screen(Size { width: 80, height: 24 }).0).contains("mapassign"));
    }
}

#[test]
fn locks_show_who_queues_and_lead_to_the_longest_wait() {
    let (mut d, screen) = after("L", 120, 40);
    assert!(screen.contains("blocked at payment/order_cache.go:45") && screen.contains("longest convoy"), "{screen}");
    let first = screen.lines().find(|l| l.contains("Mutex")).expect("a lock");
    let longest =
        first.split('›').nth(1).and_then(|l| l.split_whitespace().nth(2)).expect("its longest wait").to_string();
    d.keys("<Enter>").unwrap();
    let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(screen.contains(&format!("waiting: Mutex · {longest}")), "{longest}: {screen}");
}

#[test]
fn a_panel_scrolls_sideways_to_the_end_of_its_longest_line_and_says_what_is_beyond() {
    let size = Size { width: 80, height: 24 };
    let (mut d, first) = after("3jjjjjj<Enter>p", 80, 24);
    assert!(first.contains(" more to the right, "), "{first}");
    assert!(first.contains("Mutex at payment/order_cache.go:45: for …"), "{first}");
    d.keys("l").unwrap();
    let moved = text(&d.screen(size).0);
    let cut = |l: &str| l.starts_with("›    24.1ms  100.0 %      1 …") && l.ends_with("go:45: for main.han…");
    assert!(moved.lines().any(cut), "{moved}");
    // What is longest ends at the edge, and not before it; it may stand below.
    d.keys(&"<Right>".repeat(100)).unwrap();
    let last = text(&d.screen(size).0);
    assert!(!last.contains("to the right"), "{last}");
    d.keys("l").unwrap();
    assert_eq!(text(&d.screen(size).0), last);
    d.keys(&"h".repeat(100)).unwrap();
    assert_eq!(text(&d.screen(size).0), first);
    // Where all fits there is nothing to scroll.
    let (mut d, wide) = after("3jjjjjj<Enter>p", 300, 24);
    d.keys("ll").unwrap();
    assert_eq!(text(&d.screen(Size { width: 300, height: 24 }).0), wide);
}

#[test]
fn events_are_read_wherever_one_goes() {
    let (d, screen) = after("5G", 120, 40);
    let last = fixture::trace().index().events - 1;
    assert_eq!(d.model.place().event, Some(last));
    assert!(!screen.contains("…\n"), "{screen}");
}

#[test]
fn tab_completes_a_query() {
    let (d, screen) = after("/stat<Tab>wai<Tab><Enter>", 80, 24);
    assert_eq!(d.model.place().query(), Some("state:waiting"), "{screen}");
}

#[test]
fn help_shows_every_action_that_works() {
    let (_, screen) = after("?", 160, 170);
    for a in Action::ALL {
        assert!(screen.contains(a.help()), "{} is not in help\n{screen}", a.name());
    }
}

#[test]
fn the_palette_does_what_it_finds() {
    let (d, _) = after(":show the events<Enter>", 80, 24);
    assert_eq!(d.model.place().view, ViewId::Events);
    let (d, _) = after(":quit<Enter>", 80, 24);
    assert!(d.quit);
}

#[test]
fn tabs_and_rows_and_headings_can_be_clicked() {
    let (mut d, screen) = after("", 120, 40);
    let row = screen.lines().position(|l| l.contains("2 goroutines")).unwrap() as u16;
    let line: Vec<char> = screen.lines().nth(row as usize).unwrap().chars().collect();
    let x = line.windows(3).position(|w| w == ['2', ' ', 'g']).unwrap() as u16;
    d.send(mouse(MouseEventKind::Down(MouseButton::Left), x, row));
    assert_eq!(d.model.place().view, ViewId::Goroutines);
    let size = Size { width: 120, height: 40 };
    let before = text(&d.screen(size).0);
    let heading = row + 1;
    let line: Vec<char> = before.lines().nth(heading as usize).unwrap().chars().collect();
    let x = line.windows(5).position(|w| w == ['c', 'o', 'u', 'n', 't']).unwrap() as u16;
    d.send(mouse(MouseEventKind::Down(MouseButton::Left), x, heading));
    let sorted = text(&d.screen(size).0);
    let counts: Vec<u64> = sorted
        .lines()
        .skip(heading as usize + 1)
        .filter_map(|l| l.split('×').nth(1)?.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(counts.len() > 2 && counts.is_sorted_by(|a, b| a >= b), "{counts:?}\n{sorted}");
}

#[test]
fn a_trace_that_is_not_read_yet_can_be_looked_at() {
    let mut d = Driver::new(fixture::unread(), "x", theme(), Keymap::default(), Size { width: 80, height: 24 });
    d.keys("2jjG<Enter>5jjG/mapassign<Enter>nN1").unwrap();
    let screen = text(&d.screen(Size { width: 80, height: 24 }).0);
    assert!(screen.contains("reading"), "{screen}");
}

#[test]
fn without_colour_a_selection_still_shows() {
    let size = Size { width: 80, height: 24 };
    let theme = Theme::new(ColorLevel::None, Background::Dark, true);
    let mut d = Driver::new(fixture::trace(), "x", theme, Keymap::default(), size);
    d.keys("2j").unwrap();
    let (buf, _) = d.screen(size);
    let screen = text(&buf);
    assert!(screen.is_ascii(), "{screen}");
    assert!(screen.lines().any(|l| l.starts_with('>')), "{screen}");
    use ratatui::style::Color;
    assert!(buf.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
}

#[test]
fn any_size_can_be_drawn() {
    let mut d = driver(80, 24);
    for keys in [
        "",
        "/mapassign<Enter>",
        "2<Enter>",
        "5",
        "3",
        "<Enter>p",
        "<Esc>c",
        "<Esc>4",
        "jjt",
        "8<Enter>",
        "p<Enter>",
        "<Esc><Esc><Esc>3G",
        "?",
        "<Esc>:",
        "<Esc>/stat",
        "<Esc>/x:<Enter>",
    ] {
        d.keys(keys).unwrap();
        for (w, h) in [(1, 1), (2, 3), (3, 40), (80, 1), (20, 5), (79, 13), (500, 200), (0, 0), (80, 24)] {
            d.send(Message::Resize(w, h));
            d.screen(Size { width: w, height: h });
        }
    }
}

#[test]
fn stacks_tell_the_share_that_a_query_matches_and_come_back_from_a_zoom() {
    let size = Size { width: 120, height: 40 };
    let (mut d, screen) = after("4/mapassign<Enter><Tab><Tab><Tab>", 120, 40);
    assert!(screen.contains("match /mapassign"), "{screen}");
    let cursor = |d: &Driver| {
        let areas = d.model.areas();
        text(&d.screen(size).0).lines().nth(areas.body.bottom() as usize - 1).unwrap().to_string()
    };
    assert!(cursor(&d).contains("100.0 %"), "{}", cursor(&d));
    d.keys("jj").unwrap();
    let before = text(&d.screen(size).0);
    let there = cursor(&d);
    d.keys("<Enter>").unwrap();
    assert_eq!(cursor(&d), there);
    d.keys("<Esc>").unwrap();
    assert_eq!(text(&d.screen(size).0), before);
    // The tree has the same cursor, and so has the graph when the runtime is charged to who called it.
    d.keys("t").unwrap();
    assert_eq!(cursor(&d), there);
    d.keys("m").unwrap();
    assert!(text(&d.screen(size).0).contains("attributed to your code"));
}

/// Keys that a hand might press, and a few that mean nothing.
const KEYS: &[&str] = &[
    "h",
    "j",
    "k",
    "l",
    "g",
    "G",
    "<C-d>",
    "<C-u>",
    "<PageDown>",
    "<Enter>",
    "<Esc>",
    "<Tab>",
    "<S-Tab>",
    "n",
    "N",
    "/",
    "m",
    "a",
    "p",
    ":",
    "?",
    "u",
    "U",
    "v",
    "[",
    "]",
    "1",
    "2",
    "5",
    "3",
    "4",
    "8",
    "9",
    "c",
    "t",
    "x",
    "w",
    "s",
    "d",
    "f",
    "<lt>",
    ">",
    "r",
    "i",
    "e",
    "H",
    "y",
    "o",
    "(",
    "\"",
    "<Space>",
    "<Backspace>",
    "<Up>",
    "T",
    "V",
    "I",
    "=",
    "-",
    "é",
    "<F5>",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_and_no_clicks_break_it(
        keys in prop::collection::vec(0..KEYS.len(), 1..40),
        clicks in prop::collection::vec((0u16..130, 0u16..50, 0usize..5), 0..10),
        width in 1u16..130,
        height in 1u16..50,
    ) {
        let mut d = driver(width, height);
        let mut clicks = clicks.into_iter();
        for k in keys {
            d.send(Message::Key(Key::parse(KEYS[k]).unwrap().to_event()));
            if let Some((x, y, what)) = clicks.next() {
                let kind = [
                    MouseEventKind::Down(MouseButton::Left),
                    MouseEventKind::Drag(MouseButton::Left),
                    MouseEventKind::Up(MouseButton::Left),
                    MouseEventKind::ScrollDown,
                    MouseEventKind::ScrollUp,
                ][what];
                d.send(mouse(kind, x, y));
            }
            d.screen(Size { width, height });
        }
    }
}

/// The body of the screen as text, and beside it a letter for the style of each cell, with what the letters mean.
fn body(keys: &str, level: ColorLevel, width: u16, height: u16) -> String {
    let size = Size { width, height };
    let theme = Theme::new(level, Background::Dark, false);
    let mut d = Driver::new(fixture::trace(), "trace.out", theme, Keymap::default(), size);
    d.keys(keys).unwrap();
    drawn(&d, width, height)
}

pub(super) fn drawn(d: &Driver, width: u16, height: u16) -> String {
    let (buf, _) = d.screen(Size { width, height });
    let areas = d.model.areas();
    let mut styles = Vec::new();
    let (mut chars, mut map) = (String::new(), String::new());
    let seen = [areas.title, areas.tabs, areas.body];
    for y in seen.iter().flat_map(|r| r.y..r.bottom()) {
        let mut line = (String::new(), String::new());
        for x in 0..width {
            let cell = &buf[(x, y)];
            let style = (cell.fg, cell.bg, cell.modifier);
            let at = styles.iter().position(|s| *s == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            line.0.push_str(cell.symbol());
            line.1.push(char::from(b'a' + at as u8 % 26));
        }
        chars.push_str(line.0.trim_end());
        chars.push('\n');
        map.push_str(&line.1);
        map.push('\n');
    }
    let legend = styles
        .iter()
        .enumerate()
        .map(|(i, (fg, bg, m))| format!("{} {fg:?} on {bg:?} {m:?}\n", char::from(b'a' + i as u8 % 26)));
    format!("{chars}\n{map}\n{}", legend.collect::<String>())
}

#[test]
fn views_look_as_they_did() {
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("goroutines_{w}x{h}"), body("2<Enter>j", ColorLevel::True, w, h));
        insta::assert_snapshot!(format!("events_{w}x{h}"), body("5<C-d>", ColorLevel::True, w, h));
    }
    for (w, h) in [(80, 24), (120, 40), (160, 50)] {
        for (name, keys) in [
            ("links", "3j"),
            ("links_waits", "3<Enter>j"),
            ("path", "3jjjjjj<Enter>p"),
            ("chain", "3jjjjjj<Enter>c"),
            ("tasks", "8j"),
            ("tasks_list", "8<Enter>j"),
            ("stacks", "4jjj"),
            ("stacks_tree", "4tjjj"),
            ("stacks_off", "4xjjj"),
            ("stacks_waiter_first", "4xxjjj"),
            ("stacks_waker_first", "4xxxjjj"),
            ("stacks_mine", "4mjjj"),
            ("stacks_hits", "4/mapassign<Enter><Tab><Tab><Tab>jjj"),
        ] {
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), body(keys, ColorLevel::True, w, h));
        }
    }
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("runtime_{w}x{h}"), body("7j", ColorLevel::True, w, h));
        insta::assert_snapshot!(format!("runtime_groups_{w}x{h}"), body("7Gj", ColorLevel::True, w, h));
    }
    insta::assert_snapshot!("runtime_plain", body("7Gj", ColorLevel::None, 80, 24));
    insta::assert_snapshot!("links_plain", body("3j", ColorLevel::None, 80, 24));
    insta::assert_snapshot!("stacks_plain", body("4jjj", ColorLevel::None, 80, 24));
    insta::assert_snapshot!("goroutines_16", body("2<Enter>j", ColorLevel::Basic, 80, 24));
    insta::assert_snapshot!("goroutines_plain", body("2<Enter>j", ColorLevel::None, 80, 24));
    insta::assert_snapshot!("goroutines_hits", body("2/mapassign<Enter><Tab><Tab><Tab>", ColorLevel::True, 120, 24));
}
