//! The view of maps.

use super::*;
use crate::analysis::maps::{Files, Maps, Scope, heap, of_scope, of_trace};
use crate::analysis::profile::Profiled;
use crate::analysis::waits::contention::contention;
use crate::base::FrameId;
use crate::profile::model::Profile;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn profile(path: &Path) -> Arc<Profiled> {
    let profile = Profile::decode(&std::fs::read(path).unwrap()).unwrap();
    Arc::new(Profiled::new(&path.file_name().unwrap().to_string_lossy(), profile).unwrap())
}

/// A trace that is read whole.
fn read(path: &Path) -> Arc<Trace> {
    let input = crate::input::open(path).unwrap();
    let trace = Trace::open("trace.out", input.bytes).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    Arc::new(trace)
}

/// The view of maps, of a trace and profiles.
fn view(trace: Arc<Trace>, profiles: Vec<Arc<Profiled>>, w: u16, h: u16, keys: &str) -> (Driver, String) {
    let mut d = Driver::new(trace, "trace.out", theme(), Keymap::default(), Size { width: w, height: h });
    d.open(profiles);
    d.keys(keys).unwrap();
    let screen = text(&d.screen(Size { width: w, height: h }).0);
    (d, screen)
}

/// What the command finds.
fn command(trace: &Trace, heaps: &[Arc<Profiled>]) -> Maps {
    let heap: Vec<(&str, &Profile)> = heaps.iter().map(|p| (p.name.as_str(), &p.profile)).collect();
    assert!(heap.iter().all(|h| heap::is_heap(h.1)));
    let files = Files { trace: Some(trace.name()), heap, ..Files::default() };
    of_trace(trace, &contention(trace, None).unwrap(), &files).unwrap()
}

/// Whether the words stand in one line of the screen, in this order.
fn has(screen: &str, words: &[&str]) -> bool {
    screen.lines().any(|l| {
        let mut rest = Some(l);
        for w in words {
            rest = rest.and_then(|r| r.split_once(w)).map(|r| r.1);
        }
        rest.is_some()
    })
}

#[test]
fn the_view_of_maps_has_the_numbers_of_the_command() {
    let heap = profile(&root().join("sample-traces/heap.pb.gz"));
    let maps = command(&fixture::trace(), std::slice::from_ref(&heap));
    let mut out = Vec::new();
    report::maps::write(&maps, 10, &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    let mut rows = 0;
    for i in 0..maps.lines.len() {
        let keys = format!("6{}", "j".repeat(i));
        let (_, screen) = view(fixture::trace(), vec![heap.clone()], 250, 70, &keys);
        for line in report::maps::head(&maps) {
            assert!(screen.contains(&line), "{line}\n{screen}");
        }
        let place = report::maps::place(&maps.lines[i].place);
        // A row of the command has the numbers first, and then operation and line.
        let row = said.lines().find(|l| l.contains(&format!(" {place}  ")) && l.contains("assign")).unwrap();
        let (numbers, operation) = row.split_once("assign").unwrap();
        let numbers: Vec<&str> = numbers.split("  ").map(str::trim).filter(|n| !n.is_empty()).collect();
        let words: Vec<&str> = ["assign", operation.trim()].into_iter().chain(numbers).collect();
        assert!(has(&screen, &words), "{words:?}\n{screen}");
        for (what, text) in report::maps::details(&maps, &maps.lines[i]) {
            let start: String = text.chars().take(150).collect();
            assert!(has(&screen, &[what, start.trim()]), "{what} {start}\n{screen}");
        }
        rows += 1;
    }
    assert!(rows >= 2);
}

#[test]
fn the_view_of_maps_goes_to_the_stacks_of_a_line_and_comes_back() {
    let (mut d, screen) = view(fixture::trace(), Vec::new(), 120, 40, "6");
    let line = |d: &Driver| {
        let index = fixture::trace().index().dict.frame_of(d.model.place().frame).line;
        (index, d.model.place().view)
    };
    // The line's source stands beside it at once.
    assert_eq!(line(&d), (47, ViewId::Maps), "{screen}");
    d.keys("<Enter>").unwrap();
    assert_eq!(line(&d), (47, ViewId::Stacks));
    assert!(d.model.place().query().unwrap().contains("order_cache.go:47"));
    let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
    // 142 samples are in maps; those that the line spends elsewhere are below it as well.
    assert!(has(&screen, &["194 samples", "% match"]), "{screen}");
    d.keys("<Esc>").unwrap();
    assert_eq!((line(&d), d.model.place().query()), ((47, ViewId::Maps), None));
}

#[test]
fn the_cursor_of_the_view_of_maps_is_on_the_line_that_one_comes_from() {
    // The second line has its source shown; another view in between leaves it.
    let (mut d, _) = view(fixture::trace(), Vec::new(), 120, 40, "6j");
    let frame = d.model.place().frame;
    let cursor = |d: &Driver| {
        let screen = text(&d.screen(Size { width: 120, height: 40 }).0);
        screen.lines().find(|l| l.starts_with('›')).unwrap_or_default().to_owned()
    };
    assert!(cursor(&d).contains("ledger.go:35"), "{}", cursor(&d));
    d.keys("26").unwrap();
    assert!(cursor(&d).contains("ledger.go:35") && d.model.place().frame == frame, "{}", cursor(&d));
    d.keys("k").unwrap();
    assert!(cursor(&d).contains("order_cache.go:47"), "{}", cursor(&d));
    // The wheel moves it as keys do.
    let body = d.model.areas().body;
    d.send(mouse(MouseEventKind::ScrollDown, body.x + 3, body.y + 3));
    let at = cursor(&d);
    d.keys("k").unwrap();
    assert!(!at.is_empty() && cursor(&d).contains("order_cache.go:47"), "{at}");
}

#[test]
fn the_lines_of_the_view_of_maps_can_be_sorted() {
    let (mut d, _) = view(fixture::trace(), Vec::new(), 160, 40, "6");
    let lines = |d: &Driver| {
        let screen = text(&d.screen(Size { width: 160, height: 40 }).0);
        let rows = screen.lines().filter(|l| l.contains("assign") && l.contains(" payment/"));
        rows.map(|l| l.contains("order_cache")).collect::<Vec<bool>>()
    };
    assert_eq!(lines(&d), [true, false]);
    // The other way round, and by the next column: the cursor stays on its line.
    d.keys("r").unwrap();
    assert_eq!(lines(&d), [false, true]);
    assert_eq!(fixture::trace().index().dict.frame_of(d.model.place().frame).line, 47);
    d.keys(">>>>").unwrap();
    // By hashing: half of the two samples at the ledger, less at the cache.
    let screen = text(&d.screen(Size { width: 160, height: 40 }).0);
    assert!(lines(&d) == [false, true] && screen.contains("▾hash"), "{screen}");
    d.keys("<").unwrap();
    assert_eq!(lines(&d), [true, false]);
    // A click on a heading does the same.
    let (x, y) = {
        let screen = text(&d.screen(Size { width: 160, height: 40 }).0);
        let (y, line) = screen.lines().enumerate().find(|(_, l)| l.contains(" hash")).unwrap();
        (line.chars().collect::<String>().find("hash").map(|b| line[..b].chars().count()).unwrap(), y)
    };
    d.send(mouse(MouseEventKind::Down(MouseButton::Left), x as u16, y as u16));
    assert_eq!(lines(&d), [false, true]);
}

#[test]
fn the_view_of_maps_obeys_range_group_and_query() {
    let trace = fixture::trace();
    let locks = contention(&*trace, None).unwrap();
    let of = |scope: Scope| {
        of_scope(
            &*trace,
            &locks,
            &Files { trace: Some(trace.name()), ..Files::default() },
            &scope,
            &AtomicBool::new(false),
        )
        .unwrap()
    };
    let whole = command(&trace, &[]);
    let all = of(Scope { window: Some((Time::MIN, Time::MAX)), ..Scope::default() });
    assert_eq!((&all.lines, all.samples, all.map_samples), (&whole.lines, whole.samples, whole.map_samples));
    // Two halves are the whole, and so are all groups.
    let (start, end) = (trace.index().start, trace.index().end);
    let middle = start + Duration((end - start).ns() / 2);
    let halves = [(start, middle), (middle, Time::MAX)].map(|w| of(Scope { window: Some(w), ..Scope::default() }));
    assert!(halves.iter().all(|h| h.map_samples > 20), "{}", halves[0].map_samples);
    assert_eq!(halves.iter().map(|h| h.map_samples).sum::<u64>(), whole.map_samples);
    let groups =
        (0..trace.index().groups.len() as u32).map(|g| of(Scope { group: Some(GroupId(g)), ..Scope::default() }));
    assert_eq!(groups.map(|g| g.map_samples).sum::<u64>(), whole.map_samples);
    let none = of(Scope { query: Some("file:ledger.go"), ..Scope::default() });
    assert_eq!(none.lines.iter().map(|l| l.place.line).collect::<Vec<_>>(), [35]);
    // The screen has them.
    let (d, screen) = view(trace.clone(), Vec::new(), 160, 40, "6i");
    let group = of(Scope { group: d.model.place().group(), ..Scope::default() });
    assert!(group.map_samples < whole.map_samples);
    assert!(screen.contains(&report::maps::head(&group)[0]), "{screen}");
    assert!(screen.contains("not filtered: locks"), "{screen}");
    let (_, screen) = view(trace, Vec::new(), 160, 40, "6/file:ledger.go<Enter>");
    assert!(screen.contains(&report::maps::head(&none)[0]), "{screen}");
}

#[test]
fn the_view_of_maps_says_what_is_missing_and_takes_profiles_alone() {
    let data = root().join("tests/data");
    let (_, screen) = view(read(&data.join("leak.trace")), Vec::new(), 160, 40, "6");
    assert!(screen.contains("no CPU samples in this trace: record the CPU profile at the same time"), "{screen}");
    assert!(screen.contains("no heap profile"), "{screen}");
    assert!(screen.contains("no line of code operates on maps here"), "{screen}");
    let sample = root().join("sample-traces");
    let (mut d, screen) = view(Arc::new(Trace::none()), vec![profile(&sample.join("heap.pb.gz"))], 160, 40, "6");
    assert!(screen.contains("no CPU samples in these profiles"), "{screen}");
    d.open(vec![profile(&sample.join("cpu.pb.gz")), profile(&sample.join("heap.pb.gz"))]);
    let (mut d, screen) = view(
        Arc::new(Trace::none()),
        vec![profile(&sample.join("heap.pb.gz")), profile(&sample.join("cpu.pb.gz"))],
        160,
        40,
        "6",
    );
    assert!(screen.contains("142 of 194 CPU samples") && screen.contains("773.37MB"), "{screen}");
    assert_ne!(d.model.place().frame, FrameId::NONE);
    d.keys("<Enter>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Profile);
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Maps);
}

#[test]
fn maps_look_as_they_did() {
    let heap = || vec![profile(&root().join("sample-traces/heap.pb.gz"))];
    for (w, h) in [(80, 24), (120, 40), (200, 50)] {
        let (d, _) = view(fixture::trace(), heap(), w, h, "6");
        insta::assert_snapshot!(format!("maps_{w}x{h}"), drawn(&d, w, h));
    }
    insta::assert_snapshot!("maps_plain", body("6j", ColorLevel::None, 80, 24));
    let incidents: PathBuf = root().join("../shared/incidents");
    let mut seen = 0;
    for name in ["orders", "quotes"] {
        let folder = incidents.join(format!("out-{name}"));
        let Ok(trace) = std::fs::metadata(folder.join("trace.out")).map(|_| read(&folder.join("trace.out"))) else {
            continue;
        };
        for (w, h) in [(80, 24), (120, 40), (200, 50)] {
            let (d, _) = view(trace.clone(), vec![profile(&folder.join("heap.pb.gz"))], w, h, "6");
            insta::assert_snapshot!(format!("maps_{name}_{w}x{h}"), drawn(&d, w, h));
        }
        seen += 1;
    }
    eprintln!("{seen} of 2 incidents are there");
}
