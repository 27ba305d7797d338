//! Two incidents, as a user looks at them: every view in two sizes, and what the keys of an incident lead to.

use super::*;
use std::path::Path;

/// An incident's trace, if the incidents are there.
pub(super) fn incident(name: &str) -> Option<Arc<Trace>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../shared/incidents/out-{name}/trace.out"));
    let input = crate::input::open(&path).ok()?;
    let trace = Trace::open("trace.out", input.bytes).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    Some(Arc::new(trace))
}

/// The title, the tabs, the view and the detail pane. What the source pane says depends on the machine.
fn drawn(d: &Driver, size: Size) -> String {
    let (buf, areas) = (d.screen(size).0, d.model.areas());
    let detail = areas.panes().iter().find(|p| p.0 == Pane::Detail).map(|p| p.1).unwrap_or_default();
    let mut out = String::new();
    for area in [areas.title, areas.tabs, areas.body, detail] {
        for y in area.y..area.bottom() {
            let line: String = (area.x..area.right()).map(|x| buf[(x, y)].symbol()).collect();
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

#[test]
fn every_view_of_the_incidents_looks_as_it_did() {
    let all: &[(&str, &str)] = &[
        ("timeline", "1"),
        ("goroutines", "2"),
        ("waits", "3"),
        ("map_of_waits", "z"),
        ("findings", "<Esc><Esc>0"),
        ("locks", "L"),
        ("chain", "c"),
        ("stacks", "<Esc><Esc>4"),
        ("events", "5"),
        ("maps", "6"),
        ("runtime", "7"),
        ("tasks", "8"),
    ];
    let mut seen = 0;
    // Of the larger one those that matter most.
    for (name, views) in [("orders", all), ("quotes", &all[..5])] {
        let Some(trace) = incident(name) else { continue };
        for (width, height) in [(80, 24), (120, 40)] {
            let size = Size { width, height };
            let mut d = Driver::new(trace.clone(), "trace.out", theme(), Keymap::default(), size);
            for (view, keys) in views {
                d.keys(keys).unwrap();
                insta::assert_snapshot!(format!("{name}_{view}_{width}x{height}"), drawn(&d, size));
            }
        }
        seen += 1;
    }
    eprintln!("{seen} of 2 incidents are there");
}

/// From a finding the chain and the path are one key away, and the panes are of the finding under the cursor.
#[test]
fn a_finding_leads_to_its_chain_and_the_panes_are_of_it() {
    let size = Size { width: 120, height: 40 };
    let Some(trace) = incident("orders") else {
        eprintln!("the incidents are not there");
        return;
    };
    let mut d = Driver::new(trace, "trace.out", theme(), Keymap::default(), size);
    for (key, sheet) in [("0c", "root cause: "), ("<Esc>p", "what the time went into")] {
        d.keys(key).unwrap();
        let screen = text(&d.screen(size).0);
        assert!(screen.contains(sheet), "{screen}");
    }
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Findings);
}
