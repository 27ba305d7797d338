//! A trace for tests: the demo, read whole.

use super::Trace;
use crate::input;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

static DEMO: &[u8] = include_bytes!("../../assets/demo.trace.gz");

/// The demo's trace, unread.
pub fn unread() -> Arc<Trace> {
    let input = input::from_bytes("demo", input::Bytes::Static(DEMO), input::Limits::of_this_machine()).unwrap();
    Arc::new(Trace::open("demo", input.bytes).unwrap())
}

/// The demo's trace, read whole once for all tests.
pub fn trace() -> Arc<Trace> {
    static TRACE: OnceLock<Arc<Trace>> = OnceLock::new();
    TRACE
        .get_or_init(|| {
            let trace = unread();
            trace.load(&|_| {}, &AtomicBool::new(false));
            trace
        })
        .clone()
}
