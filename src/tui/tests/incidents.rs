//! Two incidents, as a user looks at them: every view in two sizes, and what the keys of an incident lead to.

use super::*;
use std::path::Path;

/// An incident's trace, if the incidents are there.
fn incident(name: &str) -> Option<Arc<Trace>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../shared/incidents/out-{name}/trace.out"));
    let input = crate::input::open(&path).ok()?;
    let trace = Trace::open("trace.out", input.bytes).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    Some(Arc::new(trace))
}

#[test]
fn every_view_of_the_incidents_looks_as_it_did() {
    let mut seen = 0;
    for name in ["orders", "quotes"] {
        let Some(trace) = incident(name) else { continue };
        let size = Size { width: 80, height: 24 };
        let mut d = Driver::new(trace, "trace.out", theme(), Keymap::default(), size);
        let all = [
            ("timeline", "1"),
            ("goroutines", "2"),
            ("waits", "3"),
            ("map_of_waits", "3z"),
            ("stacks", "<Esc><Esc>4"),
            ("events", "5"),
            ("maps", "6"),
            ("runtime", "7"),
            ("tasks", "8"),
            ("findings", "0"),
            ("locks", "L"),
            ("chain", "c"),
        ];
        for (view, keys) in all {
            d.keys(keys).unwrap();
            insta::assert_snapshot!(format!("{name}_{view}"), text(&d.screen(size).0));
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
