//! Opens the files of a command line.

use super::{Exit, note};
use crate::base::text;
use crate::input::{self, Input, Kind};
use crate::store::Trace;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Opens a trace, without reading its events yet. What was lost on the way is said on standard error.
pub fn trace(path: &Path) -> anyhow::Result<Arc<Trace>> {
    let input = input::open(path)?;
    from_input(input)
}

/// The trace in an open file.
pub fn from_input(input: Input) -> anyhow::Result<Arc<Trace>> {
    let name = text::escape(&input.name).into_owned();
    for n in &input.notes {
        note(&format!("{name}: {n}"));
    }
    match input.kind {
        Kind::Trace { .. } => {}
        _ => anyhow::bail!("{name}: this is a profile, and this command wants an execution trace"),
    }
    let trace = Trace::open(&input.name, input.bytes).map_err(|e| anyhow::anyhow!("{name}: {e}"))?;
    Ok(Arc::new(trace))
}

/// Reads a whole trace, with progress on standard error if that is a terminal and it takes a while.
pub fn load(trace: &Trace) {
    let bar = ProgressBar::new(1000);
    if std::io::stderr().is_terminal() {
        bar.set_style(ProgressStyle::with_template("reading {percent:>3} % {bar:40} {eta}").expect("a valid template"));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    trace.load(&|part| bar.set_position((part * 1000.0) as u64), &AtomicBool::new(false));
    bar.finish_and_clear();
}

/// Runs `each` on every trace, read whole. A file that cannot be opened is reported and does not stop the others.
pub fn each_trace(paths: &[PathBuf], mut each: impl FnMut(&Trace) -> anyhow::Result<()>) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for path in paths {
        match trace(path) {
            Ok(trace) => {
                load(&trace);
                for loss in &trace.index().losses {
                    note(&format!("{}: {}", text::escape(trace.name()), text::escape(loss)));
                }
                each(&trace)?;
            }
            Err(e) => {
                note(&format!("{e:#}"));
                exit = Exit::BadInput;
            }
        }
    }
    Ok(exit)
}
