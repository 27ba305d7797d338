//! What narrows the views is seen on every one of them, and obeyed.

use super::{after, driver};
use crate::tui::snapshot::text;
use crate::tui::theme::Role;
use ratatui::layout::Size;

/// The first line of a screen.
fn title(screen: &str) -> &str {
    screen.lines().next().unwrap()
}

#[test]
fn the_scope_stands_at_one_place_on_every_view_and_says_what_it_does_there() {
    let size = Size { width: 100, height: 30 };
    let mut d = driver(size.width, size.height);
    d.keys("vllllll<Enter>2i/main<Enter>").unwrap();
    let (from, to) = d.model.place().window().unwrap();
    assert!(from < to);
    let chip = super::theme().style(Role::Selection).bg;
    for (view, said, chips) in [
        ("1", [" range 0.", " group main.handle ", " mark /main "], 3),
        ("2", [" range 0.", " group main.handle ", " filter /main "], 3),
        ("3", [" range 0.", " group main.handle ", " filter /main "], 3),
        ("4", [" range 0.", " group main.handle ", " mark /main "], 3),
        ("5", [" range 0.", " group main.handle ", " filter /main "], 3),
        // GC and scheduler are those of all goroutines.
        ("7", [" range 0.", "main.handle", "/main"], 1),
        ("8", [" range 0.", " group main.handle ", " filter /main "], 3),
        ("0", ["0.", "main.handle", " mark /main "], 1),
    ] {
        d.keys(view).unwrap();
        let buf = d.screen(size).0;
        let screen = text(&buf);
        for part in said {
            assert!(title(&screen).contains(part), "{view}: no `{part}` in {}", title(&screen));
        }
        let tinted: Vec<bool> = (0..size.width).map(|x| Some(buf[(x, 0)].bg) == chip).collect();
        let found = (1..tinted.len()).filter(|&x| tinted[x] && !tinted[x - 1]).count();
        assert_eq!(found, chips, "{view}: {}", title(&screen));
    }
}

#[test]
fn a_narrow_title_keeps_the_scope_and_the_name_of_the_trace() {
    let (_, screen) = after("vllllll<Enter>2i/main<Enter>", 80, 24);
    let title = title(&screen);
    assert!(title.starts_with("trace.out"), "{title}");
    assert!(
        [" range 0.", " group main.handle ", " filter /main ", "hits"].iter().all(|p| title.contains(p)),
        "{title}"
    );
}

#[test]
fn locks_are_those_of_the_range() {
    let (mut d, screen) = after("L", 120, 40);
    assert!(screen.contains("% of trace") && !screen.contains("in the range"), "{screen}");
    d.keys("<Esc>vllllll<Enter>L").unwrap();
    let part = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(part.contains("% of range") && part.contains("in the range"), "{part}");
    // The first number of the first lock.
    let total = |s: &str| -> String {
        let row = s.lines().skip_while(|l| !l.contains("blocked at")).nth(1).unwrap();
        row.trim_matches(|c: char| !c.is_ascii_digit()).split_whitespace().next().unwrap().to_owned()
    };
    assert_ne!(total(&screen), total(&part));
}
