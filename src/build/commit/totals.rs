//! Adds a part's counts to the index, and sums its goroutines up by group.

use super::{Commit, Maps, add_reason};
use crate::base::{GoIdx, ProcIdx, StringId};
use crate::build::fold::Part;
use crate::model::{Group, Index};
use crate::wire::event::{GoState, Kind, ProcState};

impl Commit {
    pub(crate) fn add_procs(&mut self, index: &mut Index, part: &Part, procs: &[ProcIdx]) {
        let first = !self.begun;
        let mut add = |from, to, n: u64| {
            if n > 0 {
                *index.totals.proc_transitions.entry((from, to)).or_default() += n;
            }
        };
        let mut abandoned = part.counts.abandoned_steals;
        let mut as_running = 0;
        for (p, row) in procs.iter().zip(&part.procs) {
            let Some(known) = self.proc_states.get_mut(p.0 as usize) else { continue };
            if let Some((state, was_abandoned)) = row.stated {
                // A P that we know to be in a syscall and that is stated as abandoned is simply still in it.
                let in_syscall = was_abandoned && self.syscalling.contains_key(p);
                let state = if in_syscall { ProcState::Running } else { state };
                if in_syscall {
                    as_running += row.abandoned_steals;
                }
                let from = match known {
                    Some(_) => state,
                    None if first => ProcState::Undetermined,
                    None => ProcState::NotExist,
                };
                add(from, state, 1);
                *known = Some(state);
            }
        }
        abandoned -= as_running.min(abandoned);
        let steals = part.counts.kinds[Kind::ProcSteal as usize];
        add(ProcState::Idle, ProcState::Running, part.counts.kinds[Kind::ProcStart as usize]);
        add(
            ProcState::Running,
            ProcState::Idle,
            part.counts.kinds[Kind::ProcStop as usize] + steals - abandoned.min(steals),
        );
        add(ProcState::Idle, ProcState::Idle, abandoned);
        for (p, row) in procs.iter().zip(&part.procs) {
            if let Some(proc) = index.procs.get_mut(p.0 as usize) {
                proc.running += row.running;
                index.grid.add_proc(*p, part.drawn.first_cell, &row.cells);
            }
        }
    }

    pub(crate) fn add_counts(&mut self, index: &mut Index, part: &Part, maps: &Maps) {
        let t = &mut index.totals;
        for (sum, n) in t.kinds.iter_mut().zip(part.counts.kinds) {
            *sum += n;
        }
        for &k in Kind::ALL {
            if let Some((from, to)) = k.go_transition()
                && !matches!(k, Kind::GoStop | Kind::GoBlock)
                && part.counts.kinds[k as usize] > 0
            {
                *t.go_transitions.entry((from, to, StringId::NONE)).or_default() += part.counts.kinds[k as usize];
            }
        }
        for (state, n) in GoState::ALL.into_iter().zip(part.counts.restated).filter(|(_, n)| *n > 0) {
            *t.go_transitions.entry((state, state, StringId::NONE)).or_default() += n;
        }
        for (k, counts) in [(Kind::GoStop, &part.counts.stops), (Kind::GoBlock, &part.counts.blocks)] {
            let (from, to) = k.go_transition().unwrap_or_default();
            for &(reason, n) in counts {
                *t.go_transitions.entry((from, to, maps.string(reason))).or_default() += n;
            }
        }
        for &(reason, tally) in &part.waited.by_reason {
            t.waits.entry(maps.string(reason)).or_default().merge(tally);
        }
        t.sched.merge(part.waited.sched);
        t.syscalls.merge(part.waited.syscalls);
        for &(stack, n) in &part.counts.samples {
            *t.samples.entry(maps.stack(stack)).or_default() += n;
        }
        for (&category, &n) in &part.counts.logs {
            *t.logs.entry(maps.string(category)).or_default() += n;
        }
        t.gomaxprocs.merge(part.metrics.gomaxprocs);
        t.heap_alloc.merge(part.metrics.heap_alloc);
        t.heap_goal.merge(part.metrics.heap_goal);
        index.heap.extend_from_slice(&part.metrics.heap);
        index.heap_goal.extend_from_slice(&part.metrics.goals);
        index.gomaxprocs.extend_from_slice(&part.metrics.procs_changes);
    }

    /// Sums the goroutines of each group.
    pub(crate) fn regroup(&mut self, index: &mut Index) {
        let Index { groups, goroutines, .. } = index;
        for g in groups.iter_mut() {
            *g = Group { name: g.name, shown: g.shown, owner: g.owner, ..Group::default() };
        }
        for (i, g) in goroutines.iter().enumerate() {
            let Some(group) = groups.get_mut(g.group.0 as usize) else { continue };
            group.members.push(GoIdx(i as u32));
            group.times.add(&g.times);
            group.longest_wait = group.longest_wait.max(g.longest_wait);
            group.events += g.events;
            group.samples += g.samples;
            for &(reason, d) in &g.blocked {
                add_reason(&mut group.blocked, reason, d);
            }
        }
    }
}
