//! Reads the trace of a recording while it is being made.

use super::pace::FRAME;
use super::screen::Wake;
use crate::read::Trace;
use crate::tui::app::live::{Recorded, Step};
use crossbeam_channel::{Receiver, Sender};
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

/// How often the file is looked at: generations come about once a second.
const AGAIN: Duration = Duration::from_millis(200);
/// What is said where the reading ends early.
const BROKEN: &str = "an error in gotrail itself ended the reading early; please report it";

/// Adds what a recording brings to the trace as it comes, in the background, and says how far it is.
pub(super) fn follow(
    trace: &Arc<Trace>,
    steps: Receiver<Step>,
    to: Sender<Wake>,
    stop: Arc<AtomicBool>,
) -> io::Result<thread::JoinHandle<()>> {
    let trace = trace.clone();
    thread::Builder::new().name("load".into()).spawn(move || {
        let mut last = None::<Instant>;
        let recorded = loop {
            let step = steps.recv();
            match step {
                Ok(Step::Going(going)) => {
                    if last.is_some_and(|l| l.elapsed() < AGAIN) {
                        continue;
                    }
                    last = Some(Instant::now());
                    let _ = to.send(Wake::Recording(going));
                    if !read(&trace, false, &to, &stop) {
                        break Recorded { failed: Some(BROKEN.into()), ..Recorded::default() };
                    }
                }
                Ok(Step::Over(recorded)) => break recorded,
                Err(_) => break Recorded::default(),
            }
        };
        read(&trace, true, &to, &stop);
        let _ = to.send(Wake::Recorded(recorded));
        let _ = to.send(Wake::Indexed);
    })
}

/// Reads what is new; false after an error of ours, which costs the rest of the trace and not the viewer.
fn read(trace: &Trace, over: bool, to: &Sender<Wake>, stop: &AtomicBool) -> bool {
    let last = std::sync::Mutex::new(None::<Instant>);
    let report = |_| {
        let mut last = last.lock().unwrap_or_else(|e| e.into_inner());
        if last.is_none_or(|l| l.elapsed() > FRAME * 2) {
            *last = Some(Instant::now());
            let _ = to.send(Wake::Indexed);
        }
    };
    match std::panic::catch_unwind(AssertUnwindSafe(|| trace.grow(over, &report, stop))) {
        Ok(Ok(_)) => true,
        Ok(Err(e)) => {
            trace.lose(&e.to_string());
            false
        }
        Err(_) => {
            trace.lose(BROKEN);
            false
        }
    }
}
