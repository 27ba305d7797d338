//! What workers are asked for all views: what the findings are, what waits are called, what stands beside the trace, and the
//! bookmarks.

use super::beside::Beside;
use super::found::{Found, Said};
use super::jobs::{Job, JobCtx, Slot};
use super::marks::{Due, Marks, Spoken};
use super::view::Command;
use super::waited::Waited;
use crate::analysis::beside::beside;
use crate::analysis::cost::labels::has_labels;
use crate::analysis::findings::{Facts, Gathered, Watching};
use crate::analysis::profile::Profiled;
use crate::analysis::races;
use crate::analysis::waits::links::Named;
use crate::read::bookmarks::Kept;
use crate::report;
use std::sync::Arc;

/// The slot of the job that asks the rules of findings.
pub fn findings_slot() -> Slot {
    Slot::of::<Found>("findings")
}

/// Applies the rules to the trace; reports of races `beside` it are findings as well.
pub fn findings(beside: Beside) -> Job {
    let work = move |cx: &JobCtx, say: &(dyn Fn(Found) + Sync)| {
        let watched = Watching::default();
        // That is the smaller half of it.
        if !cx.trace.observe(&watched, &|part| say(Found::Looking(part * 0.3)), cx.cancel) {
            return Err("no longer wanted".into());
        }
        let more = Gathered::new(cx, Some(cx.trace.name()), &watched)?;
        let mut reports: Vec<_> = beside.iter().flat_map(|(name, told)| races::reports(name, told)).collect();
        races::locate(cx, &mut reports)?;
        let index = cx.trace.index();
        let races = reports.iter().filter_map(|r| {
            let said = report::races::about(r, Some(&index)).into_iter().skip(1).map(|l| l.trim().to_owned());
            r.finding(&index, &more.links.places, said.collect())
        });
        let facts = Facts { index: &index, more: &more };
        say(Found::Said(Said::new(cx.trace.name(), &facts, races.collect())));
        Ok(())
    };
    Job::stream("findings", work, |found: &mut Found, said, _, _| *found = said)
}

/// Finds out what waits are called.
pub fn names_of_waits() -> Job {
    let work = |cx: &JobCtx, say: &(dyn Fn(Option<Named>) + Sync)| {
        say(Named::of(&cx.trace.index()));
        Ok(())
    };
    Job::stream("names of waits", work, |to: &mut Waited, named, _, _| to.set(named))
}

/// Finds out what profiles and texts say of the trace's goroutines; nothing if they say nothing.
pub fn join(profiles: &[Arc<Profiled>], texts: &Beside) -> Option<Job> {
    let with: Vec<Arc<Profiled>> =
        profiles.iter().filter(|p| !p.is_compared() && has_labels(&p.profile)).cloned().collect();
    if with.is_empty() && texts.is_empty() {
        return None;
    }
    let texts = texts.clone();
    let work = move |cx: &JobCtx| {
        let profiles: Vec<_> = with.iter().map(|p| &p.profile).collect();
        let told: Vec<_> = texts.iter().map(|(name, told)| (name.as_str(), told)).collect();
        let all = beside(cx, &profiles, &told)?;
        cx.trace.set_beside(all);
        Ok(())
    };
    // The trace has the answer: there is nothing more to do than to draw it.
    Some(Job::new("beside", work, |_: &mut Found, (), _, _| {}))
}

/// Reads the files of the bookmarks, and writes what has changed.
pub fn bookmarks(due: Due) -> Job {
    let Due { store, edit, digest } = due;
    let work = move |cx: &JobCtx, say: &(dyn Fn((u64, Kept)) + Sync)| {
        let digest = digest.unwrap_or_else(|| cx.trace.digest());
        say((digest, store.edit(digest, &edit)));
        Ok(())
    };
    Job::stream("bookmarks", work, |to: &mut Marks, (digest, kept), _, out| match to.kept(digest, kept) {
        Some(Spoken::Failed(why)) => out.push(Command::Fail(why)),
        Some(Spoken::Elsewhere(why)) => out.push(Command::Say(why)),
        None => {}
    })
}
