//! Two incidents: what the keys of one lead to. How they look is in `gallery`.

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
