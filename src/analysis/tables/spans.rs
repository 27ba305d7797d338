//! Ranges of the runtime's and stretches of Ps, followed one event at a time.

use crate::base::{GoIdx, ProcIdx, StringId, ThreadIdx, Time};
use crate::build::commit::{GC_ASSIST, GC_MARK, GC_SWEEP};
use crate::model::segment::{Kind, ProcState};
use crate::model::{Detail, Index, Segment};
use rustc_hash::FxHashMap;

/// What a range is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Name {
    /// Concurrent marking, sweeping, or an assist.
    Gc(&'static str),
    /// The world was stopped, for this reason.
    Stw(StringId),
}

/// A range that has ended, or the trace has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// What it is called.
    pub name: Name,
    /// Who did it.
    pub go: GoIdx,
    /// The P that swept.
    pub proc: ProcIdx,
    /// When it began, or was first said to be under way.
    pub from: Time,
    /// When it ended.
    pub to: Time,
    /// Whether its end is in the trace.
    pub ended: bool,
}

/// Ranges that are under way.
#[derive(Default)]
pub struct Ranges {
    open: FxHashMap<(Name, GoIdx, ProcIdx), Time>,
}

impl Ranges {
    /// The range that ends with the event at position `i`, if one does.
    pub fn event(&mut self, seg: &Segment, i: usize) -> Option<Range> {
        let (nobody, go) = ((GoIdx::NONE, ProcIdx::NONE), (seg.go[i], ProcIdx::NONE));
        let (name, (go, proc), begins) = match (seg.kind[i], seg.detail(i)) {
            (k @ (Kind::StwBegin | Kind::StwEnd), Detail::Stw(why)) => (Name::Stw(why), go, k == Kind::StwBegin),
            (Kind::GcActive | Kind::GcBegin, _) => (Name::Gc(GC_MARK), nobody, true),
            (Kind::GcEnd, _) => (Name::Gc(GC_MARK), nobody, false),
            (Kind::GcSweepActive, Detail::Proc(p)) => (Name::Gc(GC_SWEEP), (GoIdx::NONE, p), true),
            (k @ (Kind::GcSweepBegin | Kind::GcSweepEnd), _) => {
                (Name::Gc(GC_SWEEP), (GoIdx::NONE, seg.proc[i]), k == Kind::GcSweepBegin)
            }
            (Kind::GcMarkAssistActive | Kind::GcMarkAssistBegin, _) => (Name::Gc(GC_ASSIST), go, true),
            (Kind::GcMarkAssistEnd, _) => (Name::Gc(GC_ASSIST), go, false),
            _ => return None,
        };
        let at = seg.time[i];
        if begins {
            self.open.entry((name, go, proc)).or_insert(at);
            return None;
        }
        let from = self.open.remove(&(name, go, proc))?;
        Some(Range { name, go, proc, from, to: at, ended: true })
    }

    /// Those that are under way when the trace ends, in order.
    pub fn finish(&mut self, end: Time) -> Vec<Range> {
        let rest = self.open.drain();
        let range = |((name, go, proc), from)| Range { name, go, proc, from, to: end, ended: false };
        let mut all: Vec<Range> = rest.map(range).collect();
        all.sort_unstable_by_key(|r| (r.from, r.name, r.go, r.proc));
        all
    }
}

/// A stretch that a P spent in one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcStretch {
    /// The P.
    pub proc: ProcIdx,
    /// The state.
    pub state: ProcState,
    /// What it came to be; nothing at trace end.
    pub next: Option<ProcState>,
    /// When it began.
    pub from: Time,
    /// When it ended.
    pub to: Time,
    /// The thread that ended it.
    pub thread: ThreadIdx,
    /// The goroutine that ran there.
    pub go: GoIdx,
    /// The event that ended it.
    pub no: Option<u64>,
}

/// The states of all Ps.
#[derive(Default)]
pub struct Procs {
    states: Vec<Option<(ProcState, Time)>>,
    /// How many generations have begun.
    generations: u64,
}

impl Procs {
    /// The stretch that ends with the event at position `i`, if one does. A P that is first stated after the first
    /// generation was not there before.
    pub fn event(&mut self, index: &Index, seg: &Segment, i: usize) -> Option<ProcStretch> {
        use ProcState::{Idle, NotExist, Running, Undetermined};
        let (proc, before, next) = match (seg.kind[i], seg.detail(i)) {
            (Kind::ProcStart, Detail::Proc(p)) => (p, Idle, Running),
            (Kind::ProcStop | Kind::ProcSteal, Detail::Proc(p)) => (p, Running, Idle),
            (Kind::ProcStatus, Detail::ProcStatus(p, s)) => (p, Undetermined, s),
            (Kind::Sync, _) => {
                self.generations += 1;
                return None;
            }
            _ => return None,
        };
        if self.states.len() <= proc.index() {
            self.states.resize(index.procs.len(), None);
        }
        let at = seg.time[i];
        let known = self.states.get_mut(proc.index())?;
        let stated = seg.kind[i] == Kind::ProcStatus;
        let (state, from) = match *known {
            // Stated again in each generation.
            Some(_) if stated => return None,
            Some((state, from)) => (state, from),
            None if stated && self.generations > 1 => (NotExist, at),
            None if stated => (Undetermined, at),
            None => (before, index.start),
        };
        *known = Some((next, if state == Undetermined { index.start.min(at) } else { at }));
        let (thread, go, no) = (seg.thread[i], seg.by[i], Some(seg.first + i as u64));
        Some(ProcStretch { proc, state, next: Some(next), from: from.min(at), to: at, thread, go, no })
    }

    /// What goes on when the trace ends.
    pub fn finish(&self, end: Time) -> impl Iterator<Item = ProcStretch> + '_ {
        (0u16..).zip(&self.states).filter_map(move |(p, s)| {
            let (state, from) = (*s)?;
            let (thread, go) = (ThreadIdx::NONE, GoIdx::NONE);
            Some(ProcStretch { proc: ProcIdx(p), state, next: None, from, to: end.max(from), thread, go, no: None })
        })
    }
}
