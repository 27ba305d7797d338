//! `gotrail profile`.

use super::{Exit, Usage, note, open, window};
use crate::analysis::links::Options;
use crate::analysis::{offcpu, search};
use crate::base::text;
use crate::filter;
use crate::report;
use crate::wire::pprof;
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct MakeArgs {
    /// A trace; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    open: open::OpenArgs,
    /// What to profile
    #[arg(long, value_enum)]
    kind: Kind,
    /// The profile to write; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Only what began with an event that answers this query: `group:main.handle`, `reason:sync dur>1ms`, …
    #[arg(long, short, value_name = "QUERY")]
    filter: Option<String>,
    #[command(flatten)]
    window: window::WindowArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// CPU samples
    Cpu,
    /// Waits for the network
    Net,
    /// Waits for channels and for package sync
    Sync,
    /// Time in syscalls
    Syscall,
    /// Time ready, without a P, charged to the goroutine that was ready
    Sched,
    /// All time in which goroutines did not run
    Offcpu,
    /// Waits that goroutines ended, with the waker's stack on the waiter's
    Offwake,
}

pub fn run(args: &MakeArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let query = match &args.filter {
        Some(text) => Some(filter::parse(text).map_err(|e| Usage(e.render(text)))?),
        None => None,
    };
    let kind = match args.kind {
        Kind::Cpu => offcpu::Kind::Cpu,
        Kind::Net => offcpu::Kind::Net,
        Kind::Sync => offcpu::Kind::Sync,
        Kind::Syscall => offcpu::Kind::Syscall,
        Kind::Sched => offcpu::Kind::Sched,
        Kind::Offcpu => offcpu::Kind::OffCpu,
        Kind::Offwake => offcpu::Kind::OffWake,
    };
    open::each_trace(std::slice::from_ref(&args.file), &args.open, |trace| {
        let compiled = match &query {
            Some(q) => Some(search::compile(trace, q).map_err(|e| Usage(e.to_string()))?),
            None => None,
        };
        let (from, to) = args.window.of(trace.index().start)?;
        let opts = Options { from, to, filter: compiled.as_ref() };
        let profile = offcpu::profile(trace, kind, opts).map_err(anyhow::Error::msg)?;
        let bytes = pprof::encode_gzip(&report::offcpu::pprof(&profile, &trace.index()).to_wire());
        if args.output.as_os_str() == "-" {
            out.write_all(&bytes)?;
            return Ok(());
        }
        let name = args.output.display().to_string();
        std::fs::write(&args.output, bytes).with_context(|| format!("writing {}", text::escape(&name)))?;
        let ((n, d), (open_n, open_d)) = (profile.totals(false), profile.totals(true));
        let open =
            if open_n > 0 { format!(", and {} open ones, {open_d}", text::count(open_n)) } else { String::new() };
        note(&format!("{}: {} stretches, {d}{open}", text::escape(&name), text::count(n)));
        Ok(())
    })
}
