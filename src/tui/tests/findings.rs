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
        assert!(line.contains(f.title) && line.ends_with(&format!("{} {}", f.cost.time, f.cost.of)), "{line}");
    }
    // The first is a line: Enter shows its stacks, with its source beside them.
    assert!(all.found[0].time.is_none(), "{:?}", all.found[0]);
    d.keys("<Enter>").unwrap();
    let (frame, line) = (d.model.place().frame, more.links.places.get(all.found[0].at).unwrap());
    let frame = index.dict.frames().get(frame.index()).unwrap();
    assert_eq!((d.model.place().view, (frame.func, frame.line)), (ViewId::Stacks, line));
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

#[test]
fn findings_look_as_they_did() {
    for (w, h) in [(80, 24), (120, 40), (200, 50)] {
        insta::assert_snapshot!(format!("findings_{w}x{h}"), body("0", ColorLevel::True, w, h));
    }
    insta::assert_snapshot!("findings_plain", body("0j", ColorLevel::None, 80, 24));
}
