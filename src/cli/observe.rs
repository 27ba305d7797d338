//! Commands whose analysis looks at every event while a trace is read.

use super::open::{self, Between};
use super::{Exit, Format, Result, window};
use crate::analysis::waits::contention::{Keeper, Kept};
use crate::base::Time;
use crate::build::observe::Observer;
use crate::model::Index;
use crate::read::Trace;
use clap::Args;
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;

/// What such commands have in common.
#[derive(Args)]
pub struct ObserveArgs {
    /// Traces, one after the other; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    #[command(flatten)]
    window: window::WindowArgs,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Runs `each` on every trace, after what `watch` made for it has seen all its events.
pub fn each<O: Observer>(
    paths: &[PathBuf],
    args: &open::OpenArgs,
    (between, out): (Between, &mut dyn Write),
    watch: &dyn Fn(&Trace) -> O,
    mut each: impl FnMut(&O, &Trace, &mut dyn Write) -> Result<()>,
) -> Result<Exit> {
    let watched = RefCell::new(None);
    let read = |trace: &Trace| {
        let observer = watch(trace);
        open::load(trace, Some(&observer));
        *watched.borrow_mut() = Some(observer);
    };
    open::each_trace_read(paths, args, (between, out), &read, |trace, out| match watched.borrow_mut().take() {
        Some(observer) => each(&observer, trace, out),
        None => Ok(()),
    })
}

/// Reads a trace and keeps the waits that goroutines may queue in.
pub fn keeping(kept: &RefCell<Option<Kept>>) -> impl Fn(&Trace) {
    |trace| {
        let keeper = Keeper::default();
        open::load(trace, Some(&keeper));
        *kept.borrow_mut() = keeper.take();
    }
}

impl ObserveArgs {
    /// Prints with `print` what an analysis of the window found in each trace.
    pub fn run<O: Observer>(
        &self,
        out: &mut dyn Write,
        analysis: fn((Time, Time)) -> O,
        print: impl Fn(&O, &Index, Format, &mut dyn Write) -> io::Result<()>,
    ) -> Result<Exit> {
        // A mistake in the window is one for every trace.
        self.window.of(Time(0))?;
        let watch = |trace: &Trace| analysis(self.window.of(trace.start()).unwrap_or((Time::MIN, Time::MAX)));
        each(&self.files, &self.open, (Between::names(self.format), out), &watch, |found, trace, out| {
            Ok(print(found, &trace.index(), self.format, out)?)
        })
    }
}
