//! The view of profiles: keys in, screen and state out.

use super::{KEYS, drawn, mouse};
use crate::analysis::hot::Profiled;
use crate::store::Trace;
use crate::store::profile::Profile;
use crate::tui::keymap::{Key, Keymap};
use crate::tui::model::Message;
use crate::tui::snapshot::{Driver, text};
use crate::tui::theme::{Background, ColorLevel, Theme};
use crate::tui::views::ViewId;
use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Size;
use std::sync::Arc;

/// A profile of the sample program.
fn profile(name: &str) -> Arc<Profiled> {
    let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
    let profile = Profile::decode(&std::fs::read(path).unwrap()).unwrap();
    Arc::new(Profiled::new(name, profile).unwrap())
}

/// The viewer on profiles alone.
fn profiles(names: &[&str], level: ColorLevel, width: u16, height: u16) -> Driver {
    let size = Size { width, height };
    let theme = Theme::new(level, Background::Dark, false);
    let mut d = Driver::new(Arc::new(Trace::none()), &names.join(" + "), theme, Keymap::default(), size);
    d.open(names.iter().map(|n| profile(n)).collect());
    d
}

/// The sample's profile after the fix, compared with that of before.
fn compared(level: ColorLevel, width: u16, height: u16) -> Driver {
    let read = |name: &str| {
        let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
        crate::store::profile::Profile::decode(&std::fs::read(path).unwrap()).unwrap()
    };
    let both = Profiled::against("fixed-cpu.pb.gz", read("fixed-cpu.pb.gz"), read("cpu.pb.gz"), false).unwrap();
    let mut d = profiles(&[], level, width, height);
    d.open(vec![Arc::new(both)]);
    d
}

#[test]
fn a_profile_alone_opens_on_its_view_and_the_others_say_that_there_is_no_trace() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    assert_eq!(d.model.place().view, ViewId::Profile);
    let first = text(&d.screen(size).0);
    let row = first.lines().find(|l| l.starts_with('›')).unwrap();
    assert!(row.contains("0.39s 20.10% 20.10%    0.39s 20.10%        39 internal/runtime/maps"), "{first}");
    for keys in ["1", "2", "3", "4", "5", "8"] {
        d.keys(keys).unwrap();
        assert!(text(&d.screen(size).0).contains("no trace is open"), "{keys}");
    }
    d.keys("9").unwrap();
    assert_eq!(text(&d.screen(size).0), first);
}

#[test]
fn enter_puts_a_function_between_its_callers_and_callees_and_escape_comes_back() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    d.keys("jj").unwrap();
    let table = text(&d.screen(size).0);
    d.keys("<Enter>").unwrap();
    let around = text(&d.screen(size).0);
    // As `peek` has it.
    let caller = around.lines().find(|l| l.contains("(*OrderCache).Update")).unwrap();
    assert!(caller.contains("1.27s 98.45%") && caller.contains("caller"), "{around}");
    d.keys("g<Enter>").unwrap();
    let line = |d: &Driver| {
        let screen = text(&d.screen(size).0);
        screen.lines().find(|l| l.starts_with('›')).unwrap().to_string()
    };
    assert!(line(&d).contains("▾ paycore/payment.(*OrderCache).Update"), "{}", line(&d));
    d.keys("<Esc>").unwrap();
    assert_eq!(text(&d.screen(size).0), around);
    d.keys("<Esc>").unwrap();
    assert_eq!(text(&d.screen(size).0), table);
}

#[test]
fn a_query_leaves_the_functions_that_it_matches_and_what_is_charged_to_the_code_is_on_its_line() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    d.keys("/mapassign<Enter>").unwrap();
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("1 of 192 functions match /mapassign: 66.49%"), "{screen}");
    d.keys("<Esc>m").unwrap();
    let screen = text(&d.screen(size).0);
    let row = screen.lines().find(|l| l.starts_with('›')).unwrap();
    assert!(row.contains("paycore/payment.(*OrderCache).Update"), "{screen}");
    assert!(screen.contains("payment/order_cache.go:47"), "{screen}");
    d.keys("o").unwrap();
    if let Some((path, line)) = d.opened.first() {
        assert!(path.ends_with("payment/order_cache.go") && *line == 47, "{path:?}");
    }
}

#[test]
fn x_goes_through_all_sample_types_of_all_profiles() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz", "heap.pb.gz"], ColorLevel::True, 120, 40);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let screen = text(&d.screen(size).0);
        let line = screen.lines().find(|l| l.contains(" of 2: ")).unwrap().trim();
        seen.push(line.split(" · ").next().unwrap().to_string());
        d.keys("x").unwrap();
    }
    assert_eq!(seen, ["cpu", "alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "samples"]);
}

#[test]
fn a_profile_can_be_drawn_at_any_size_and_stands_all_keys() {
    let mut d = profiles(&["cpu.pb.gz", "mutex.pb.gz"], ColorLevel::True, 80, 24);
    for k in KEYS.iter().chain(["9", "<Enter>", "j", "t", "j", "<Enter>", "l", "<Esc>", "x", "9", "o", "G"].iter()) {
        d.send(Message::Key(Key::parse(k).unwrap().to_event()));
        for (w, h) in [(1, 1), (2, 3), (3, 40), (80, 1), (20, 5), (79, 13), (250, 70), (0, 0), (80, 24)] {
            d.send(Message::Resize(w, h));
            d.screen(Size { width: w, height: h });
            d.send(mouse(MouseEventKind::Down(MouseButton::Left), w / 3, h / 2));
        }
    }
}

#[test]
fn profiles_look_as_they_did() {
    for (w, h) in [(80, 24), (160, 50)] {
        for (name, keys) in [
            ("profile", "jj"),
            ("profile_calls", "jj<Enter>"),
            ("profile_graph", "tjjj"),
            ("profile_mine", "m"),
            ("profile_query", "/mapassign<Enter>"),
        ] {
            let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, w, h);
            d.keys(keys).unwrap();
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), drawn(&d, w, h));
        }
    }
    for (w, h) in [(80, 24), (160, 50)] {
        let mut d = compared(ColorLevel::Basic, w, h);
        insta::assert_snapshot!(format!("profile_compared_{w}x{h}"), drawn(&d, w, h));
        d.keys("/Update<Enter>t").unwrap();
        insta::assert_snapshot!(format!("profile_compared_graph_{w}x{h}"), drawn(&d, w, h));
    }
    for (name, keys) in [("profile_plain", "jj"), ("profile_graph_plain", "tjjj")] {
        let mut d = profiles(&["cpu.pb.gz"], ColorLevel::None, 80, 24);
        d.keys(keys).unwrap();
        insta::assert_snapshot!(name, drawn(&d, 80, 24));
    }
}
