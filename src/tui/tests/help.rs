//! Help, the palette, and keys that mean nothing.

use super::after;
use crate::tui::snapshot::text;
use ratatui::layout::Size;

#[test]
fn help_begins_with_what_the_view_has_fits_80_columns_and_can_be_searched() {
    let size = Size { width: 80, height: 24 };
    for (keys, first, own) in [
        ("?", "what stands in the timeline", "keys, timeline"),
        ("2?", "what stands in the goroutines", "keys, tables"),
        ("3?", "what stands in the waits", "keys, tables"),
        ("4?", "what stands in the stacks", "keys, stacks"),
        ("8?", "keys, tables", "keys, tables"),
    ] {
        let (mut d, screen) = after(keys, size.width, size.height);
        let second = screen.lines().nth(1).unwrap();
        assert!(second.starts_with(&format!("│ {first}")), "{keys}: {screen}");
        // Nothing is cut, from the first row to the last.
        let mut all = screen;
        for _ in 0..12 {
            d.keys("<PageDown>").unwrap();
            all.push_str(&text(&d.screen(size).0));
        }
        assert!(!all.contains("… │") && all.contains(own), "{keys}: {all}");
        let (global, own) = (all.find("keys, everywhere").unwrap(), all.find(own).unwrap());
        assert!(own < global, "{keys}");
    }
    let (mut d, _) = after("?/zoom in", size.width, size.height);
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("keys /zoom in") && screen.contains("w + =") && !screen.contains("move left"), "{screen}");
    // The first Escape leaves the search, the next one help.
    d.keys("<Esc>").unwrap();
    assert!(text(&d.screen(size).0).contains("keys; / searches"));
    d.keys("/xyzzy").unwrap();
    assert!(text(&d.screen(size).0).contains("nothing has these words"));
    d.keys("<Esc><Esc>").unwrap();
    assert!(!text(&d.screen(size).0).contains("searches"));
}

#[test]
fn a_key_that_means_nothing_here_says_where_it_does() {
    for (keys, says) in [
        ("2w", "w means something in the timeline: zoom in"),
        ("1t", "t means something in the stacks view"),
        ("3v", "a range is selected in the timeline (1)"),
        ("Z", "Z means nothing; ? shows all keys"),
    ] {
        let (d, screen) = after(keys, 120, 40);
        assert!(d.model.notice().is_some_and(|n| n.text.contains(says)), "{keys}: {screen}");
    }
}

#[test]
fn a_mistake_in_a_query_is_shown_at_its_place_and_the_prompt_stays() {
    let (mut d, screen) = after("/stat:waiting<Enter>", 80, 24);
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[23].starts_with("/stat:waiting"), "{screen}");
    assert!(lines[22].contains("state"), "{screen}");
    assert_eq!(d.model.place().query(), None);
    d.keys("<Esc>").unwrap();
    assert!(!text(&d.screen(Size { width: 80, height: 24 }).0).contains("stat:"));
}
