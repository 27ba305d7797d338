//! The view of findings, and the pane that shows the first of them.

use super::*;
use crate::analysis::findings::{Facts, Gathered, Thresholds, Watching, find};

#[test]
fn the_first_finding_stands_beside_the_detail_when_a_trace_opens() {
    for (w, h) in [(80, 24), (120, 40), (250, 70)] {
        let (_, screen) = after("", w, h);
        assert!(screen.contains("ONE LINE ASSIGNS TO MAPS") && screen.contains("order_cache.go:47"), "{screen}");
        assert!(screen.contains("─ findings ─") && screen.contains("0 shows all"), "{screen}");
    }
    // A line of source takes the pane.
    let (_, screen) = after("/mapassign<Enter>", 120, 40);
    assert!(!screen.contains("─ findings ─"), "{screen}");
}

#[test]
fn the_view_has_what_the_command_finds_and_goes_to_the_proof() {
    let trace = fixture::trace();
    let watched = Watching::default();
    assert!(trace.observe(&watched, &|_| {}, &AtomicBool::new(false)));
    let more = Gathered::new(&*trace, None, &watched).unwrap();
    let index = trace.index();
    let all = find(&Facts { index: &index, more: &more }, &Thresholds::default());
    let (mut d, screen) = after("0", 120, 40);
    let shown: Vec<&str> =
        screen.lines().filter(|l| ["!!! ", " !! ", "  i "].iter().any(|m| l.starts_with(m))).collect();
    assert_eq!(shown.len(), all.found.len(), "{screen}");
    for (line, f) in shown.iter().zip(&all.found) {
        assert!(line.contains(f.title) && line.ends_with(&f.cost.to_string()), "{line}");
    }
    // The first is a line: Enter shows what its maps cost, with its source beside it.
    assert!(all.found[0].time.is_none(), "{:?}", all.found[0]);
    d.keys("<Enter>").unwrap();
    let (frame, line) = (d.model.place().frame, more.links.places.get(all.found[0].at).unwrap());
    let frame = index.dict.frames().get(frame.index()).unwrap();
    assert_eq!((d.model.place().view, (frame.func, frame.line)), (ViewId::Maps, line));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Findings);
    // Another is a goroutine at an instant.
    let at = all.found.iter().position(|f| f.time.is_some() && f.go.is_some()).expect("one has a goroutine");
    d.keys(&"j".repeat(at)).unwrap();
    d.keys("<Enter>").unwrap();
    let (place, f) = (d.model.place(), &all.found[at]);
    assert_eq!((place.view, Some(place.at), place.go), (ViewId::Timeline, f.time, f.go));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Findings);
}

/// What the rules say of the sample.
fn sample() -> crate::analysis::findings::Findings {
    let trace = fixture::trace();
    let watched = Watching::default();
    assert!(trace.observe(&watched, &|_| {}, &AtomicBool::new(false)));
    let more = Gathered::new(&*trace, None, &watched).unwrap();
    find(&Facts { index: &trace.index(), more: &more }, &Thresholds::default())
}

#[test]
fn x_hides_what_a_rule_finds_and_says_how_many_are_hidden() {
    let all = sample();
    let of = |rule: &str| all.found.iter().filter(|f| f.rule == rule).count();
    let rows =
        |screen: &str| screen.lines().filter(|l| ["!!! ", " !! ", "  i "].iter().any(|m| l.starts_with(m))).count();
    let size = Size { width: 120, height: 40 };
    let (mut d, before) = after("0", 120, 40);
    assert!(rows(&before) == all.found.len() && !before.contains("hidden"), "{before}");
    d.keys("x").unwrap();
    let screen = text(&d.screen(size).0);
    let (first, n) = (&all.found[0], of(all.found[0].rule));
    assert!(rows(&screen) == all.found.len() - n, "{screen}");
    assert!(screen.contains(&format!("{n} hidden, X shows them again: {}", first.rule)), "{screen}");
    assert!(screen.contains(&format!("hidden in this trace: {}", first.title)), "{screen}");
    // What is hidden stays so when another rule is, and all come back in their order.
    let second = all.found.iter().find(|f| f.rule != first.rule).unwrap();
    d.keys("x").unwrap();
    let hidden = n + of(second.rule);
    let screen = text(&d.screen(size).0);
    assert!(rows(&screen) == all.found.len() - hidden && screen.contains(&format!("{hidden} hidden")), "{screen}");
    // The pane beside the detail says so as well.
    d.keys("1").unwrap();
    let screen = text(&d.screen(size).0);
    assert!(!screen.contains(first.title) && screen.contains(&format!("and {hidden} hidden")), "{screen}");
    d.keys("0X<Esc>").unwrap();
    d.keys("0g").unwrap();
    assert_eq!(text(&d.screen(size).0), before);
    // Whatever is hidden, it is not said that all is well.
    d.keys(&"x".repeat(all.found.len())).unwrap();
    let screen = text(&d.screen(size).0);
    assert!(rows(&screen) == 0 && !screen.contains("nothing is wrong"), "{screen}");
}

#[test]
fn the_strip_marks_the_findings_that_have_an_instant() {
    let (all, trace) = (sample(), fixture::trace());
    let (start, end) = (trace.index().start, trace.index().end);
    let timed: Vec<_> = all.found.iter().filter_map(|f| Some((f.rule, f.time?))).collect();
    assert!(!timed.is_empty());
    for (w, h) in [(80, 24), (120, 40)] {
        let (mut d, _) = after("", w, h);
        let strip = |d: &Driver| {
            let (buf, area) = (d.screen(Size { width: w, height: h }).0, d.model.areas().overview);
            (0..area.width).filter(|x| buf[(area.x + x, area.bottom() - 1)].symbol() == "!").collect::<Vec<u16>>()
        };
        let cell = |at: Time| ((at - start).ns() as f64 / (end - start).ns() as f64 * f64::from(w)) as u16;
        let mut want: Vec<u16> = timed.iter().map(|(_, at)| cell(*at)).collect();
        want.sort_unstable();
        want.dedup();
        let near = |a: &[u16], b: &[u16]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(near(&strip(&d), &want), "{:?} {want:?}", strip(&d));
        // What is hidden has no mark.
        d.keys(&format!("0{}", "x".repeat(all.found.len()))).unwrap();
        assert!(strip(&d).is_empty(), "{:?}", strip(&d));
    }
}

#[test]
fn findings_look_as_they_did() {
    for (w, h) in [(80, 24), (120, 40), (200, 50)] {
        insta::assert_snapshot!(format!("findings_{w}x{h}"), body("0", ColorLevel::True, w, h));
    }
    insta::assert_snapshot!("findings_plain", body("0j", ColorLevel::None, 80, 24));
}

#[test]
fn all_that_speaks_for_a_finding_can_be_read_on_a_small_screen() {
    let size = Size { width: 80, height: 24 };
    let all = sample();
    let (mut d, screen) = after("0", size.width, size.height);
    assert!(screen.contains("more below: e"), "{screen}");
    // Its first words; where a line is wrapped depends on the room.
    let begins = |what: &str| what.split(' ').take(4).collect::<Vec<_>>().join(" ");
    let mut left: Vec<String> = all.found[0].evidence.iter().map(|e| begins(e)).collect();
    left.extend([begins(&all.found[0].advice), "check".to_owned()]);
    d.keys("e").unwrap();
    for _ in 0..9 {
        let screen = text(&d.screen(size).0);
        left.retain(|words| !screen.contains(words.as_str()));
        d.keys("<PageDown>").unwrap();
    }
    assert_eq!(left, Vec::<String>::new());
    // The end is no place to be stuck behind: one page up moves it.
    let end = text(&d.screen(size).0);
    assert!(!end.contains("more below:"), "{end}");
    d.keys("<PageUp>").unwrap();
    assert_ne!(text(&d.screen(size).0), end);
    d.keys("<PageUp><PageUp><PageUp><PageUp><PageUp><PageUp>e").unwrap();
    assert_eq!(text(&d.screen(size).0), screen);
}

#[test]
fn a_search_moves_to_the_finding_that_has_the_words() {
    let size = Size { width: 120, height: 40 };
    let (mut d, screen) = after("0/cycle<Enter>", size.width, size.height);
    assert!(screen.contains(" mark /cycle ") && d.model.focus() == Pane::Body, "{screen}");
    let all = sample();
    let meant = all.found.iter().position(|f| f.title == "WAIT CYCLE").expect("the sample has one");
    let evidence = &all.found[meant].evidence[0];
    assert!(meant > 0 && screen.contains(&evidence[..20]), "{evidence}: {screen}");
    d.keys("gn").unwrap();
    assert_eq!(text(&d.screen(size).0), screen, "n comes back to it");
    d.keys("/nowhere<Enter>").unwrap();
    assert!(d.model.notice().is_some_and(|n| n.text.contains("no finding has these words")));
}

#[test]
fn the_order_of_findings_is_said_and_explained() {
    let (mut d, screen) = after("0", 120, 40);
    assert!(screen.contains("by severity (? explains it), then cost"), "{screen}");
    d.keys("?").unwrap();
    let help = text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(help.contains("by the rule's own thresholds"), "{help}");
}
