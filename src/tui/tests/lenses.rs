//! Lenses as colours and groups of flame graphs.

use super::*;

#[test]
fn a_key_colours_the_stacks_by_lens_and_groups_them() {
    let legend = "█ maps 73.2 % █ gc 9.3 %";
    let (mut d, plain) = after("4", 130, 36);
    assert!(!plain.contains(legend) && plain.contains("runtime.mapassign_faststr"), "{plain}");
    let size = Size { width: 130, height: 36 };
    d.keys("C").unwrap();
    let coloured = text(&d.screen(size).0);
    assert!(coloured.contains(legend) && coloured.contains("runtime.mapassign_faststr"), "{coloured}");
    d.keys("C").unwrap();
    let grouped = text(&d.screen(size).0);
    assert!(grouped.contains(legend) && !grouped.contains("runtime.mapassign_faststr"), "{grouped}");
    assert!(grouped.contains("assign") && grouped.contains("birth"), "{grouped}");
    // The groups lead to the line of user code that called what they stand for.
    d.keys("G").unwrap();
    let (at, trace) = (d.model.place().frame, fixture::trace());
    assert_eq!(trace.index().dict.frame_of(at).line, 47);
    d.keys("gC").unwrap();
    assert_eq!(text(&d.screen(size).0).lines().nth(4), plain.lines().nth(4));
}

#[test]
fn lenses_look_as_they_did() {
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("stacks_lenses_{w}x{h}"), body("4C", ColorLevel::True, w, h));
        insta::assert_snapshot!(format!("stacks_grouped_{w}x{h}"), body("4CCG", ColorLevel::True, w, h));
    }
    insta::assert_snapshot!("stacks_grouped_plain", body("4CCtjjj", ColorLevel::None, 80, 24));
}

/// A row that has nothing where it could have something says so.
#[test]
fn a_lens_without_samples_in_what_is_shown_says_so() {
    let (mut d, screen) = after("1", 250, 70);
    let rows = |screen: &str| screen.lines().filter(|l| l.contains("no samples in what is shown")).count();
    assert_eq!(rows(&screen), 0, "{screen}");
    d.keys(&"w".repeat(16)).unwrap();
    let screen = text(&d.screen(ratatui::layout::Size { width: 250, height: 70 }).0);
    assert!(rows(&screen) > 0, "{screen}");
}
