//! `gotrail profile`.

use super::files::Files;
use super::open::{self, Between};
use super::{Exit, Failure, Result, matching, note, window};
use crate::analysis::cost::offcpu;
use crate::analysis::waits::links::Options;
use crate::base::{Duration, text};
use crate::profile::ops::merge;
use crate::profile::wire;
use crate::report;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct MakeArgs {
    /// Traces, which make one profile; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// What to profile
    #[arg(long, value_enum)]
    kind: Kind,
    /// The profile to write; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
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
    /// Time runnable, waiting for a P, attributed to the goroutine that was runnable
    Sched,
    /// All time in which goroutines did not run
    Offcpu,
    /// Waits that goroutines ended, with the waker's stack on the waiter's
    Offwake,
    /// All time in which goroutines did not run, with the chain of wakers behind each wait on the waiter's stack
    Chain,
}

pub fn run(args: &MakeArgs, out: &mut dyn Write) -> Result<Exit> {
    let query = matching::parse(args.filter.as_deref())?;
    let kind = match args.kind {
        Kind::Cpu => offcpu::Kind::Cpu,
        Kind::Net => offcpu::Kind::Net,
        Kind::Sync => offcpu::Kind::Sync,
        Kind::Syscall => offcpu::Kind::Syscall,
        Kind::Sched => offcpu::Kind::Sched,
        Kind::Offcpu => offcpu::Kind::OffCpu,
        Kind::Offwake => offcpu::Kind::OffWake,
        Kind::Chain => offcpu::Kind::Chain,
    };
    let mut profiles = Vec::new();
    let (mut closed, mut open) = ((0, Duration::ZERO), (0, Duration::ZERO));
    let exit = open::each_trace(&args.files, &args.open, (Between::Nothing, out), |trace, _| {
        let compiled = matching::compile(trace, query.as_ref())?;
        let (from, to) = args.window.of(trace.index().start)?;
        let opts = Options { from, to, filter: compiled.as_ref() };
        let profile = offcpu::profile(trace, kind, opts).map_err(Failure::of(trace))?;
        for (sum, (n, d)) in [(&mut closed, profile.totals(false)), (&mut open, profile.totals(true))] {
            *sum = (sum.0 + n, sum.1 + d);
        }
        profiles.push(report::offcpu::pprof(&profile, &trace.index()));
        Ok(())
    })?;
    if profiles.is_empty() {
        return Ok(exit);
    }
    let profile = merge::combine(profiles)?;
    let bytes = wire::encode_gzip(&profile.to_wire());
    if args.output.as_os_str() == "-" {
        out.write_all(&bytes)?;
        return Ok(exit);
    }
    let name = args.output.display().to_string();
    let wrong = |cause| Failure::Output { path: args.output.clone(), cause };
    let mut files = Files::beside(&args.files);
    let mut file = files.create(&args.output).map_err(wrong)?;
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(wrong)?;
    drop(file);
    files.finish().map_err(wrong)?;
    let open = if open.0 > 0 { format!(", and {} open ones, {}", text::count(open.0), open.1) } else { String::new() };
    note(&format!("{}: {} stretches, {}{open}", text::escape(&name), text::count(closed.0), closed.1));
    Ok(exit)
}
