//! Opens the files of a command line.

use super::{Exit, note};
use crate::base::text;
use crate::input::{self, Input, Kind, Limits};
use crate::store::Trace;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The trace in an open file; its events are not read yet. What was lost on the way is among its losses.
pub fn from_input(input: Input) -> anyhow::Result<Arc<Trace>> {
    let name = text::escape(&input.name).into_owned();
    match input.kind {
        Kind::Trace { .. } => {}
        _ => anyhow::bail!("{name}: this is a profile, and this command wants an execution trace"),
    }
    let trace = Trace::open(&input.name, input.bytes).map_err(|e| anyhow::anyhow!("{name}: {e}"))?;
    for n in &input.notes {
        trace.lose(n);
    }
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

/// Runs `each` on every trace, read whole: of a directory, on every trace directly in it. A file that cannot be opened is
/// reported and does not stop the others.
pub fn each_trace(paths: &[PathBuf], mut each: impl FnMut(&Trace) -> anyhow::Result<()>) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for path in paths {
        let in_directory = path.is_dir();
        for file in input::expand(path, Limits::of_this_machine()) {
            let opened = match input::open(&file) {
                // Whoever names a directory means what is in it that fits.
                Ok(i) if in_directory && !matches!(i.kind, Kind::Trace { .. }) => {
                    note(&format!("{}: left out, it is a profile", text::escape(&i.name)));
                    continue;
                }
                opened => opened.map_err(anyhow::Error::from).and_then(from_input),
            };
            match opened {
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
    }
    Ok(exit)
}
