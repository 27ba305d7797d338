//! Several recordings in one file: where each begins, and what there is to say of them.

use super::replay::push_range;
use super::{Commit, Open, call_link, close};
use crate::base::{Duration, EventNo, FuncId, GoIdx, GroupId, StackId, Time};
use crate::model::index::Recording;
use crate::model::ownership::{Owner, is_system_to_go};
use crate::model::totals::{Link, Party};
use crate::model::{Group, Index};
use crate::wire::event::GoState;
use std::collections::BTreeMap;

/// When the recording at hand begins.
pub(super) fn recording_start(index: &Index) -> Time {
    index.recordings.last().map_or(Time::MIN, |r| r.from)
}

/// What there is to say of several recordings: how many, and how far apart.
pub(super) fn recordings(all: &[Recording]) -> Option<String> {
    let n = all.len();
    if n < 2 {
        return None;
    }
    // The clocks of two processes do not compare: those recordings are shown apart, and nothing tells how far they are.
    let gaps = all.windows(2).filter(|w| w[0].process == w[1].process).map(|w| w[1].from - w[0].to);
    let apart = match (gaps.clone().min(), gaps.max()) {
        (Some(least), Some(most)) if most.0 - least.0 <= most.0 / 5 => format!(", {most} apart"),
        (Some(least), Some(most)) => format!(", {least} to {most} apart"),
        _ => String::new(),
    };
    let processes = all.last().map_or(1, |r| r.process + 1);
    let of = match processes {
        1 => String::new(),
        // Whether a process goes on is told by the numbers of generations, which old formats do not have.
        n if all.iter().any(|r| r.minor < 22) => format!(" of up to {n} processes"),
        n => format!(" of {n} processes"),
    };
    Some(format!("{n} recordings{of}{apart}: what happened between them is not known; --recording 1 to {n} opens one"))
}

impl Commit {
    /// The number of the recording that is being added.
    pub fn recording(&self) -> Option<usize> {
        self.recording
    }

    /// Another recording begins: what was open when the one before ended is closed, and nothing is known until this one says
    /// it anew.
    pub fn begin(&mut self, index: &mut Index, number: usize, process: u32, minor: u32) {
        if self.recording.is_some() {
            self.close(index, process == self.process);
            let end = index.end;
            for go in std::mem::take(&mut self.present) {
                let (g, o) = (&mut index.goroutines[go.index()], &mut self.open[go.index()]);
                if g.ended.is_none() {
                    index.grid.leave(go, end, o.state);
                    (g.ended, g.cut) = (Some(end), true);
                }
                *o = Open::new(end);
            }
            // Of all others nothing was known before, and is known from here on.
            self.floor = end;
            self.proc_states.fill(None);
            self.syscalling.clear();
        }
        if process != self.process {
            self.tasks.finish(&index.recordings, &mut index.totals.tasks);
        }
        (self.recording, self.process, self.begun) = (Some(number), process, false);
        let (number, at) = (number as u32, index.end);
        index.recordings.push(Recording { number, process, minor, from: at, to: at });
    }

    /// The recording is over: closes what is open. Where the next one is of the same process, that tells how it `goes_on`.
    fn close(&mut self, index: &mut Index, goes_on: bool) {
        let (end, floor) = (index.end, recording_start(index));
        self.present.sort_unstable();
        for i in self.present.iter().map(|go| go.index()) {
            let o = self.open[i];
            let g = &mut index.goroutines[i];
            if g.ended.is_none() {
                let lost = close(g, &o, end);
                if lost > Duration::ZERO || g.rare.is_some() {
                    g.rare_mut().lost_at_end = lost;
                }
            }
            if o.state == GoState::Syscall {
                let call = o.wait((g, floor), GoIdx(i as u32), end, EventNo::MAX);
                let link = call_link(Party::Group(g.group), o.stack);
                let tally = index.totals.calls.entry((link, false)).or_default();
                tally.add(call);
                tally.cut += u64::from(goes_on);
            }
            if o.state == GoState::Waiting {
                let link = Link {
                    waiter: Party::Group(g.group),
                    reason: o.reason,
                    waiter_stack: o.stack,
                    waker: Party::Nobody,
                    waker_stack: StackId::NONE,
                };
                let wait = o.wait((g, floor), GoIdx(i as u32), end, EventNo::MAX);
                let tally = index.totals.other_waits.entry((link, false)).or_default();
                tally.add(wait);
                tally.cut += u64::from(goes_on);
            }
        }
        for go in self.regions.goroutines() {
            let system = is_system_to_go(index.start_of(go));
            let g = &index.goroutines[go.index()];
            let ended = g.ended.or(g.gone().filter(|_| self.open[go.index()].gone));
            self.regions.close(go, ended, (system, end), &mut index.totals.regions);
        }
        for (name, scope, since) in self.ranges.rest() {
            index.totals.open_ranges.entry(name).or_default().add(end - since);
            push_range(index, name, scope, since, end);
        }
    }

    /// The trace is over.
    pub fn finish(&mut self, index: &mut Index) {
        name_creators(index);
        self.close(index, false);
        self.tasks.finish(&index.recordings, &mut index.totals.tasks);
        if let Some(said) = recordings(&index.recordings) {
            index.losses.insert(0, said);
        }
        let totals = &mut index.totals;
        let links = std::mem::take(&mut totals.links);
        let named = |l: Link| {
            let [waiter, waker] = [l.waiter, l.waker].map(|party| match party {
                Party::Go(g) => Party::Group(index.goroutines[g.index()].group),
                known => known,
            });
            Link { waiter, waker, ..l }
        };
        for (l, t) in links {
            totals.links.entry(named(l)).or_default().merge(t);
        }
        for ((l, ended), t) in std::mem::take(&mut totals.other_waits) {
            totals.other_waits.entry((named(l), ended)).or_default().merge(t);
        }
        for ((l, ended), t) in std::mem::take(&mut totals.calls) {
            totals.calls.entry((named(l), ended)).or_default().merge(t);
        }
        self.regroup(index);
        let ignored = [
            (
                self.regions.misnamed,
                "regions end under another name than they began with: taken for the innermost open one",
            ),
            (self.tasks.begun_twice, "tasks begin again before they have ended: counted from their last beginning"),
        ];
        let said = ignored.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        index.losses.extend(said);
        // Groups keep their numbers; the view sorts.
        index.procs.shrink_to_fit();
        index.grid.shrink();
        // Nothing is open any more: what is asked for from here on is who is who.
        self.open = Vec::new();
        index.name_wrapped();
        index.complete = true;
        index.progress = 1.0;
    }
}

/// Names goroutines of which no stack of their own is in the trace, as of one that does nothing but switch to iterators: a
/// goroutine that one of them created has the stack in which it did. Go's own reader does not look at that, so for the facts
/// that it states their start function is not known.
fn name_creators(index: &mut Index) {
    let mut found: BTreeMap<GoIdx, FuncId> = BTreeMap::new();
    for g in &index.goroutines {
        let unnamed = index.goroutine(g.creator).is_some_and(|c| !c.entry.is_some());
        let root = index.dict.root(g.created_at).map(|f| f.func).filter(|f| !index.dict.func_name(*f).is_empty());
        if let (true, Some(root)) = (unnamed, root) {
            found.entry(g.creator).or_insert(root);
        }
    }
    let mut groups: BTreeMap<FuncId, GroupId> = BTreeMap::new();
    for (go, func) in found {
        let group = *groups.entry(func).or_insert_with(|| {
            let owner = Owner::of_goroutine(index.dict.func_name(func));
            let shown = index.dict.funcs()[func.index()].name;
            let name = index.dict.string("");
            index.groups.push(Group { name, shown, owner, ..Group::default() });
            GroupId(index.groups.len() as u32 - 1)
        });
        index.goroutines[go.index()].group = group;
        index.grid.join_group(go, group);
    }
}
