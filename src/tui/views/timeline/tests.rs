//! The timeline with its panes on the demo, driven by keys and read off the screen.

use super::rows::Item;
use crate::read::fixture;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::nav::{Inner, Row};
use crate::tui::app::view::Pane;
use crate::tui::snapshot::Driver;
use crate::tui::theme::{Background, ColorLevel, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;

fn driver(width: u16, height: u16, level: ColorLevel, ascii: bool) -> Driver {
    let theme = Theme::new(level, Background::Dark, ascii);
    Driver::new(fixture::trace(), "demo", theme, Keymap::default(), Size { width, height })
}

/// The part of the screen that is ours: overview, timeline and panes.
fn ours(d: &Driver, width: u16, height: u16) -> (Buffer, Vec<Rect>) {
    let (buf, _) = d.screen(Size { width, height });
    let a = d.model.areas();
    (buf, vec![a.overview, a.body, a.detail, a.source])
}

/// Text, and below it a letter for each style, in the order in which they first occur.
fn picture(buf: &Buffer, areas: &[Rect], styles: bool) -> String {
    let mut out = String::new();
    let mut known: Vec<Style> = Vec::new();
    for area in areas {
        out.push_str("==\n");
        let mut map = String::new();
        for y in area.top()..area.bottom() {
            let mut row = String::new();
            let mut letters = String::new();
            for x in area.left()..area.right() {
                let cell = &buf[(x, y)];
                row.push_str(cell.symbol());
                let k = known.iter().position(|s| *s == cell.style()).unwrap_or_else(|| {
                    known.push(cell.style());
                    known.len() - 1
                });
                letters.push(if k == 0 { '.' } else { (b'a' + (k as u8 - 1) % 26) as char });
            }
            out.push_str(row.trim_end());
            out.push('\n');
            map.push_str(letters.trim_end_matches('.'));
            map.push('\n');
        }
        if styles {
            out.push_str("--\n");
            out.push_str(&map);
        }
    }
    out
}

fn text(d: &Driver, width: u16, height: u16) -> String {
    let (buf, areas) = ours(d, width, height);
    picture(&buf, &areas, false)
}

/// Finds a hit, looks closer, goes to what ended the next wait.
const STORY: &str = "/mapassign<Enter>Hnnnwwwwwww";

#[test]
fn the_story_at_three_sizes() {
    for (w, h) in [(80, 24), (120, 40), (250, 70)] {
        let mut d = driver(w, h, ColorLevel::True, false);
        insta::assert_snapshot!(format!("start_{w}x{h}"), text(&d, w, h));
        d.keys(STORY).unwrap();
        insta::assert_snapshot!(format!("hit_{w}x{h}"), text(&d, w, h));
    }
}

#[test]
fn without_colour_and_in_ascii() {
    for (name, level, ascii) in [("mono", ColorLevel::None, false), ("ascii", ColorLevel::Basic, true)] {
        let mut d = driver(80, 24, level, ascii);
        d.keys(STORY).unwrap();
        let (buf, areas) = ours(&d, 80, 24);
        if ascii {
            for area in &areas[..3] {
                for at in area.positions() {
                    let symbol = buf[at].symbol();
                    assert!(symbol.is_ascii() || symbol == "µ", "{symbol:?} at {at}");
                }
            }
        }
        insta::assert_snapshot!(format!("{name}_80x24"), picture(&buf, &areas, true));
    }
}

#[test]
fn the_next_hit_is_on_the_screen_with_its_stack() {
    let mut d = driver(120, 40, ColorLevel::True, false);
    d.keys("/kind:cpusample mapassign<Enter>Hwwwwwwwwwwww").unwrap();
    let mut sampled = 0;
    for _ in 0..30 {
        d.keys("n").unwrap();
        sampled += usize::from(text(&d, 120, 40).contains("sampled in"));
        let place = d.model.place().clone();
        assert!(place.event.is_some());
        let (from, to) = place.zoom.unwrap();
        assert!(from <= place.at && place.at < to);
        assert!(place.frame.is_some(), "the line of the hit is chosen");
    }
    assert_eq!(sampled, 30);
}

#[test]
fn zoom_ends_at_a_nanosecond_a_cell_and_comes_back_to_the_whole() {
    let mut d = driver(120, 40, ColorLevel::None, false);
    d.keys(&"w".repeat(60)).unwrap();
    let (from, to) = d.model.place().zoom.unwrap();
    let lanes = i64::from(super::state::layout(d.model.areas().body).lanes.width);
    assert_eq!((to - from).0, lanes);
    d.keys(&"s".repeat(60)).unwrap();
    assert_eq!(d.model.place().zoom, None);
}

#[test]
fn moving_between_rows_leaves_the_window_alone() {
    let mut d = driver(120, 40, ColorLevel::None, false);
    d.keys("wwwwdd").unwrap();
    let zoom = d.model.place().zoom;
    for key in ["j", "k", "G", "g", "<C-d>", "<C-u>", "e", "e"] {
        d.keys(key).unwrap();
        assert_eq!(d.model.place().zoom, zoom, "after {key}");
    }
}

#[test]
fn enter_goes_down_to_the_source_and_escape_comes_back() {
    let mut d = driver(120, 40, ColorLevel::None, false);
    let group = Item::of(d.model.place());
    assert!(matches!(group, Some(Item::Other(Row::Group(_)))));
    d.keys("<Enter>").unwrap();
    assert!(d.model.place().go.is_some());
    d.keys("<Enter>").unwrap();
    assert_eq!(d.model.focus(), Pane::Detail);
    d.keys("<Enter>").unwrap();
    assert_eq!(d.model.focus(), Pane::Source);
    d.keys("<Esc><Esc><Esc>").unwrap();
    assert_eq!(Item::of(d.model.place()), group);
}

#[test]
fn what_ended_a_wait_is_a_key_away_and_so_is_the_way_back() {
    let mut d = driver(120, 40, ColorLevel::None, false);
    d.keys("<Enter>").unwrap();
    for _ in 0..200 {
        d.keys(".").unwrap();
        if text(&d, 120, 40).contains("unblocked by G") {
            break;
        }
    }
    let wait = d.model.place().clone();
    d.keys("u").unwrap();
    assert_ne!(d.model.place().go, wait.go);
    let screen = text(&d, 120, 40);
    assert!(screen.contains("unblocked") || screen.contains("running until"), "{screen}");
    d.keys("[").unwrap();
    assert_eq!((d.model.place().go, d.model.place().at), (wait.go, wait.at));
}

#[test]
fn a_selection_narrows_and_escape_takes_it_off() {
    let mut d = driver(120, 40, ColorLevel::None, false);
    d.keys("llllvllllllv").unwrap();
    let (from, to) = d.model.place().window().unwrap();
    assert!(from < to && d.model.place().zoom.is_none());
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().window(), None);
}

#[test]
fn any_size_can_be_drawn() {
    for w in [0, 1, 2, 5, 17, 39, 40, 79, 81, 200] {
        for h in [0, 1, 2, 5, 9, 13, 25, 61] {
            let mut d = driver(w, h, ColorLevel::True, false);
            d.keys("ljwwe").unwrap();
            d.screen(Size { width: w, height: h });
        }
    }
}

#[test]
fn a_range_says_how_long_it_is_while_it_grows() {
    for (w, h) in [(80, 24), (120, 40)] {
        let mut d = driver(w, h, ColorLevel::True, false);
        let delta = |d: &Driver| {
            let screen = text(d, w, h);
            let found = screen.lines().find_map(|l| l.split_once('Δ')).map(|(_, r)| r.to_owned());
            found.map(|r| r.split_whitespace().next().unwrap().to_owned())
        };
        assert_eq!(delta(&d), None);
        d.keys("vlll").unwrap();
        let short = delta(&d).unwrap();
        d.keys("lll").unwrap();
        assert_ne!(delta(&d).unwrap(), short);
        let said = delta(&d).unwrap();
        d.keys("v").unwrap();
        let (from, to) = d.model.place().window().unwrap();
        assert_eq!((said, delta(&d)), ((to - from).to_string(), None));
    }
}

/// The names of the timeline's rows, from top to bottom.
fn names(d: &Driver, width: u16, height: u16) -> Vec<String> {
    let (buf, area) = (d.screen(Size { width, height }).0, super::state::layout(d.model.areas().body).names);
    let row = |y: u16| (area.left()..area.right()).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (area.top()..area.bottom()).map(|y| row(y).trim_end().to_owned()).collect()
}

/// Puts the cursor on the first row whose name has a text.
fn to_row(d: &mut Driver, name: &str, (w, h): (u16, u16)) {
    d.keys("g").unwrap();
    let at =
        names(d, w, h).iter().position(|n| n.contains(name)).unwrap_or_else(|| panic!("{name}: {:?}", names(d, w, h)));
    d.keys(&"j".repeat(at)).unwrap();
}

#[test]
fn a_goroutine_unfolds_into_its_regions_and_the_frames_of_its_stacks() {
    for (w, h) in [(80, 24), (120, 40), (250, 70)] {
        let mut d = driver(w, h, ColorLevel::True, false);
        to_row(&mut d, "main.handle", (w, h));
        d.keys("<Enter>").unwrap();
        let go = d.model.place().go;
        assert!(go.is_some());
        let before = names(&d, w, h);
        d.keys("ej").unwrap();
        assert_eq!(d.model.place().go, go, "the cursor is on the goroutine still");
        assert_eq!(d.model.place().row, Some(Row::Inside(go, Inner::Region(0))), "{:?}", names(&d, w, h));
        // Down through the regions to the frames, the source goes along.
        let mut lines = Vec::new();
        for _ in 0..12 {
            d.keys("j").unwrap();
            match d.model.place().row {
                Some(Row::Inside(g, Inner::Frame(_))) => assert_eq!(g, go),
                Some(Row::Inside(..)) => continue,
                _ => break,
            }
            let index = fixture::trace();
            let (index, frame) = (index.index(), d.model.place().frame);
            let name = index.dict.func_name(index.dict.frame_of(frame).func).to_owned();
            if frame.is_some() {
                let at = super::super::super::text::func(&name);
                let screen = names(&d, w, h).join("\n");
                // A long name is cut at its beginning.
                let short: String = at.chars().skip(at.chars().count().saturating_sub(6)).collect();
                assert!(screen.contains(&short) || w == 80, "{at}: {screen}");
                lines.push(name);
            }
        }
        assert!(lines.len() > 2 && lines[0] == "main.handle", "{lines:?}");
        d.keys("kee").unwrap();
        // Two turns later it is as it was: unfolded.
        d.keys("e").unwrap();
        assert_eq!(Item::of(d.model.place()), Some(Item::Go(go)));
        assert_eq!(names(&d, w, h).len(), before.len());
        assert!(!names(&d, w, h).iter().any(|n| n.trim() == "main.handle"), "{:?}", names(&d, w, h));
    }
}

#[test]
fn the_heap_can_be_drawn_higher_with_its_goal_and_values() {
    for (w, h) in [(80, 24), (120, 40)] {
        let mut d = driver(w, h, ColorLevel::None, false);
        to_row(&mut d, "heap", (w, h));
        let folded = names(&d, w, h).join("\n");
        d.keys("e").unwrap();
        let shown = names(&d, w, h).join("\n");
        let index = fixture::trace();
        let index = index.index();
        let most = super::below::most_heap(&index);
        assert!(most >= index.heap.iter().map(|p| p.1).max().unwrap());
        let value = crate::base::text::bytes(most);
        assert!(shown.contains(&value), "{value}: {shown}");
        d.keys("jje").unwrap();
        assert_eq!(names(&d, w, h).join("\n"), folded, "e on a part of it folds it again");
    }
}

#[test]
fn lenses_and_what_the_gc_leaves_are_rows_of_their_own() {
    let (w, h) = (120, 40);
    let mut d = driver(w, h, ColorLevel::True, false);
    assert!(names(&d, w, h).iter().any(|n| n.contains("mutator")), "{:?}", names(&d, w, h));
    to_row(&mut d, "GC", (w, h));
    d.keys("e").unwrap();
    assert!(!names(&d, w, h).iter().any(|n| n.contains("mutator")));
    to_row(&mut d, "CPU samples", (w, h));
    d.keys("e").unwrap();
    let shown = names(&d, w, h);
    let at = shown.iter().position(|n| n.contains("CPU samples")).unwrap();
    assert!(shown[at + 1].contains("maps"), "the sample assigns to maps most of all: {shown:?}");
    // Growth is marked where it was sampled.
    let (buf, area) = (d.screen(Size { width: w, height: h }).0, super::state::layout(d.model.areas().body).lanes);
    let row = area.y + at as u16 + 1;
    let marks = (area.left()..area.right()).filter(|x| buf[(*x, row)].symbol() == "▲").count();
    assert!(marks > 0);
}

#[test]
fn on_a_high_screen_what_there_is_room_for_is_unfolded() {
    let (w, h) = (250, 70);
    let d = driver(w, h, ColorLevel::True, false);
    let shown = names(&d, w, h);
    for want in ["maps", "▸ G", "223.12MB"] {
        assert!(shown.iter().any(|n| n.trim().starts_with(want)), "{want}: {shown:?}");
    }
    let rows = shown.iter().filter(|n| !n.trim().is_empty()).count();
    assert!(rows * 10 >= shown.len() * 7, "{rows} of {} rows say something", shown.len());
    // All groups are in sight for all that.
    assert!(shown.iter().any(|n| n.contains("runtime goroutines")), "{shown:?}");
    let mut small = driver(80, 24, ColorLevel::True, false);
    small.keys("").unwrap();
    assert!(!names(&small, 80, 24).iter().any(|n| n.trim().starts_with("on a lock")));
}
