//! Follows what a part says rarely, and what needs the state before it: tasks, regions and ranges.

use super::recordings::recording_start;
use super::{Commit, GC_ASSIST, GC_MARK, GC_SWEEP, Maps};
use crate::base::{GoIdx, ProcIdx, StringId, Time};
use crate::build::annotations::Scope;
use crate::build::fold::{Entrance, Part, Rare};
use crate::model::Index;
use crate::model::gaps::Gaps;
use crate::model::index::Range;
use crate::model::ownership::is_system_to_go;
use crate::wire::event::Kind;

impl Commit {
    /// Follows tasks, regions and ranges through the part.
    pub(crate) fn replay(&mut self, index: &mut Index, part: &Part, gos: &[GoIdx], procs: &[ProcIdx], maps: &Maps) {
        let go = |i: u32| gos.get(i as usize).copied().unwrap_or_default();
        let gaps = if part.rare.is_empty() { Gaps::default() } else { index.gaps() };
        let mut creations = part.creations.iter().peekable();
        for (n, r) in part.rare.iter().enumerate() {
            while let Some(&&(child, by, before)) = creations.peek()
                && before as usize <= n
            {
                creations.next();
                self.inherit(part, go(child), go(by), child);
            }
            self.replay_one(index, r, go(r.go), &gaps, procs, maps);
        }
        for &(child, by, _) in creations {
            self.inherit(part, go(child), go(by), child);
        }
        for (row, &g) in part.gos.iter().zip(gos) {
            if row.ended().is_some() || self.open[g.index()].gone {
                let gone = index.goroutines[g.index()].gone().filter(|_| self.open[g.index()].gone);
                let at = row.ended().or(gone);
                let system = is_system_to_go(index.start_of(g));
                self.regions.close(g, at, (system, index.end), &mut index.totals.regions);
            }
        }
    }

    fn inherit(&mut self, part: &Part, child: GoIdx, by: GoIdx, row: u32) {
        if self.regions.inside(by)
            && let Entrance::Created { at, .. } = part.gos[row as usize].entrance
        {
            self.regions.inherit(child, at);
        }
    }

    fn replay_one(&mut self, index: &mut Index, r: &Rare, go: GoIdx, gaps: &Gaps, procs: &[ProcIdx], maps: &Maps) {
        let (start, at) = (recording_start(index), r.time);
        let proc = |i: u16| Scope::Proc(procs.get(i as usize).map_or(u16::MAX, |p| p.0));
        let mut range = |index: &mut Index, name: &str, scope: Scope, begins: bool| {
            let name = index.dict.string(name);
            if begins {
                // A range that never ends is named all the same.
                index.totals.ranges.entry(name).or_default();
                self.ranges.begin(name, scope, at);
            } else if let Some(since) = self.ranges.end(name, scope, at, &mut index.totals.ranges) {
                push_range(index, name, scope, since, at);
            }
        };
        match r.kind {
            Kind::StwBegin | Kind::StwEnd => {
                let name = format!("stop-the-world ({})", index.dict.str(maps.string(r.arg)));
                range(index, &name, Scope::Go(go), r.kind == Kind::StwBegin);
            }
            Kind::GcActive | Kind::GcBegin | Kind::GcEnd => {
                range(index, GC_MARK, Scope::All, r.kind != Kind::GcEnd);
            }
            Kind::GcSweepActive => range(index, GC_SWEEP, proc(r.arg as u16), true),
            Kind::GcSweepBegin | Kind::GcSweepEnd => {
                range(index, GC_SWEEP, proc(r.proc), r.kind == Kind::GcSweepBegin);
            }
            Kind::GcMarkAssistActive | Kind::GcMarkAssistBegin | Kind::GcMarkAssistEnd => {
                range(index, GC_ASSIST, Scope::Go(go), r.kind != Kind::GcMarkAssistEnd);
            }
            Kind::TaskBegin => {
                let parent = r.args.parent();
                self.tasks.begin(r.args.task(), maps.string(r.args.task_name()), at);
                // Go's reader takes parent 0 of an old trace for a task of its own.
                if parent != 0 || index.version.1 < 22 {
                    self.tasks.mention(parent, start);
                }
            }
            Kind::TaskEnd => self.tasks.end(r.args.task(), (start, at), gaps, &mut index.totals.tasks),
            // Regions are goroutines'; in a damaged file one may be nobody's.
            Kind::RegionBegin | Kind::RegionEnd if !go.is_some() => {}
            Kind::RegionBegin => {
                self.tasks.mention(r.args.task(), start);
                self.regions.begin(go, maps.string(r.args.region()), at);
            }
            Kind::RegionEnd => {
                if !self.regions.inside(go) {
                    self.tasks.mention(r.args.task(), start);
                }
                self.regions.end(go, maps.string(r.args.region()), (start, at), &mut index.totals.regions);
            }
            Kind::Log => self.tasks.mention(r.args.task(), start),
            _ => {}
        }
    }
}

pub(crate) fn push_range(index: &mut Index, name: StringId, scope: Scope, from: Time, to: Time) {
    let (go, proc) = match scope {
        Scope::All => (GoIdx::NONE, ProcIdx::NONE),
        Scope::Go(g) => (g, ProcIdx::NONE),
        Scope::Proc(p) => (GoIdx::NONE, ProcIdx(p)),
    };
    let range = Range { from, to, name, go, proc };
    match index.dict.str(name) {
        GC_MARK => index.gc.push(range),
        s if s.starts_with("stop-the-world") => index.stw.push(range),
        _ => {}
    }
}
