//! Looks for maps in the background, and for where their lines lead.

use super::{Found, Key, Maps};
use crate::analysis::maps::{Files, Line, Maps as Sums, Scope, heap, of_profiles, of_scope, of_trace};
use crate::analysis::profile::Profiled;
use crate::analysis::waits::contention::{Contention, contention};
use crate::base::{FrameId, GroupId};
use crate::model::dict::short_file;
use crate::model::{Dict, Index};
use crate::profile::model::Profile;
use crate::read::Trace;
use crate::report;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::view::Ctx;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The locks of the trace, once they have been looked for.
pub type Locks = Arc<OnceLock<Contention>>;

/// The name of the job that looks for maps.
pub const NAME: &str = "maps";

/// What looking says.
pub(super) enum Said {
    /// So much of the trace has been looked at, 0 to 1.
    Part(f64),
    Done(Box<Found>),
}

/// Where a line leads.
#[derive(Clone, Default, Debug)]
pub struct Target {
    /// Its file, short, and its line.
    pub file: String,
    pub line: u32,
    /// A frame of the trace; `NONE` if no stack has it.
    pub frame: FrameId,
    /// The first profile that has it, and the frame there.
    pub profile: Option<(usize, FrameId)>,
    /// The goroutines that were sampled there most.
    pub group: Option<GroupId>,
}

/// Looks for maps in the trace, as far as it is asked for, and in the profiles beside it.
pub(super) fn look(key: Key, cx: &Ctx, locks: Locks) -> Job {
    let profiles = cx.profiles.to_vec();
    let work = move |cx: &JobCtx, say: &(dyn Fn(Said) + Sync)| {
        let name = short(cx.trace);
        let of = |wanted: fn(&Profile) -> bool| -> Vec<(&str, &Profile)> {
            let fits = profiles.iter().filter(|p| !p.is_compared() && wanted(&p.profile));
            fits.map(|p| (p.name.as_str(), &p.profile)).collect()
        };
        let trace = (!cx.trace.is_none()).then_some(name.as_str());
        let files = Files { trace, cpu: of(is_cpu), heap: of(heap::is_heap), ..Files::default() };
        let maps = match trace {
            None => of_profiles(&files),
            Some(_) => in_trace(cx, &key, &files, &locks, say)?,
        };
        let targets = targets(&maps, &cx.trace.index(), &profiles);
        say(Said::Done(Box::new(Found { key, maps, targets })));
        Ok(())
    };
    Job::stream(NAME, work, |view: &mut Maps, said, _, _| view.take(said))
}

fn in_trace(
    cx: &JobCtx,
    key: &Key,
    files: &Files<'_>,
    locks: &Locks,
    say: &(dyn Fn(Said) + Sync),
) -> Result<Sums, String> {
    let segments = cx.trace.index().segments.len().max(1) as f64;
    // The locks take one pass over the trace, and the samples another.
    let reading = |from: f64, to: f64| move |i: usize| say(Said::Part(from + (to - from) * i as f64 / segments));
    let half = if locks.get().is_some() { 0.0 } else { 0.5 };
    let (first, second) = (reading(0.0, half), reading(half, 1.0));
    if locks.get().is_none() {
        let found = contention(&JobCtx::new(cx.trace, cx.cancel).told(&first), None)?;
        // Another job may have been as fast; both found the same.
        let _ = locks.set(found);
    }
    let locks = locks.get().ok_or("the locks are not known")?;
    let source = JobCtx::new(cx.trace, cx.cancel).told(&second);
    if key.is_all() {
        return Ok(of_trace(&source, locks, files)?);
    }
    let scope = Scope { window: key.window, group: key.group, query: key.query.as_deref() };
    Ok(of_scope(&source, locks, files, &scope, cx.cancel)?)
}

/// The name of a trace's file.
fn short(trace: &Trace) -> String {
    let name = trace.name();
    Path::new(name).file_name().map_or_else(|| name.to_owned(), |n| n.to_string_lossy().into_owned())
}

fn is_cpu(p: &Profile) -> bool {
    p.sample_types.iter().any(|t| p.str(t.kind) == "cpu")
}

/// Where the lines lead.
fn targets(maps: &Sums, index: &Index, profiles: &[Arc<Profiled>]) -> Vec<Target> {
    let frames = of_lines(maps, &index.dict);
    let others: Vec<_> = profiles.iter().map(|p| of_lines(maps, &p.index.dict)).collect();
    let groups: FxHashMap<&str, GroupId> =
        (0u32..).map(GroupId).take(index.groups.len()).map(|g| (index.group_name(g), g)).collect();
    let target = |(i, l): (usize, &Line)| Target {
        file: short_file(&l.place.file).to_owned(),
        line: l.place.line,
        frame: frames[i],
        profile: others.iter().enumerate().find_map(|(p, frames)| Some((p, frames[i].some()?))),
        group: l.goroutines.first().and_then(|(name, _)| groups.get(name.as_str()).copied()),
    };
    maps.lines.iter().enumerate().map(target).collect()
}

/// A frame at each line; `NONE` where there is none.
fn of_lines(maps: &Sums, dict: &Dict) -> Vec<FrameId> {
    let mut out = vec![FrameId::NONE; maps.lines.len()];
    let at: FxHashMap<(&str, u32), usize> =
        maps.lines.iter().enumerate().map(|(i, l)| ((l.place.func.as_str(), l.place.line), i)).collect();
    for (id, f) in (0u32..).map(FrameId).zip(dict.frames()) {
        if let Some(&i) = at.get(&(dict.func_name(f.func), f.line))
            && !out[i].is_some()
        {
            out[i] = id;
        }
    }
    out
}

/// What is known of a line, as text for the clipboard.
pub(super) fn text(maps: &Sums, l: &Line) -> String {
    let mut out = report::maps::place(&l.place);
    for (what, text) in known(maps, l) {
        out += &format!("\n  {what:<11} {text}");
    }
    out
}

/// What is known of a line: the shares of its classes, which add up to the whole, and then the rest.
pub(super) fn known(maps: &Sums, l: &Line) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if l.samples > 0 {
        let parts: Vec<u64> = report::maps::COLUMNS.iter().map(|c| l.column(c)).collect();
        let shares = report::maps::shares(&parts);
        let said = report::maps::COLUMNS.iter().zip(&shares).filter(|(_, n)| **n > 0);
        let said: Vec<String> = said.map(|(c, n)| format!("{c} {}", report::maps::percent(*n))).collect();
        out.push(("split", said.join(", ")));
    }
    out.extend(report::maps::details(maps, l));
    out
}
