//! Looks states up at any point of a trace, from there backwards or forwards: for following one goroutine after another
//! through a few segments.

use super::source::Source;
use crate::analysis::states::source::Unanswered;
use crate::analysis::states::tracker::{End, Interval};
use crate::base::EventNo;
use crate::base::{GoIdx, ProcIdx, StackId, StringId, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Index, Segment};
use rustc_hash::FxHashMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::rc::Rc;
use std::sync::Arc;

/// Segments held at a time.
const HELD: usize = 12;
/// How many segments before the window are searched one by one for the beginning of what was going on when it began.
const BACK: usize = 8;
/// And how many of those before them in which the grid says that something happened to the goroutine.
const TOUCHED: usize = 64;

/// A stretch in which a goroutine was on a P.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// When it began, or the segment did.
    pub from: Time,
    /// When it ended, or the segment did.
    pub to: Time,
    /// The goroutine.
    pub go: GoIdx,
}

/// Who was on a P, in order of time.
type ProcRuns = (ProcIdx, Vec<Run>);

/// Random access to the states of goroutines.
pub struct Timeline<'a, S> {
    source: &'a S,
    /// What is known of the whole trace.
    pub index: &'a Index,
    held: Vec<(usize, Arc<Segment>)>,
    runs: FxHashMap<usize, Rc<Vec<ProcRuns>>>,
}

impl<'a, S: Source> Timeline<'a, S> {
    /// Access to a trace that has been read whole.
    pub fn new(source: &'a S, index: &'a Index) -> Timeline<'a, S> {
        Timeline { source, index, held: Vec::new(), runs: FxHashMap::default() }
    }

    /// Segment `i`.
    ///
    /// # Errors
    ///
    /// It cannot be decoded.
    pub fn segment(&mut self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        if let Some(at) = self.held.iter().position(|h| h.0 == i) {
            let h = self.held.remove(at);
            let seg = h.1.clone();
            self.held.push(h);
            return Ok(seg);
        }
        let seg = self.source.segment(i)?;
        if self.held.len() >= HELD {
            let (old, _) = self.held.remove(0);
            self.runs.remove(&old);
        }
        self.held.push((i, seg.clone()));
        Ok(seg)
    }

    /// The number of the first event at or after `t`; of the one after the last, if there is none.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn number_at(&mut self, t: Time) -> Result<EventNo, Unanswered> {
        let i = self.index.segments.partition_point(|s| s.to < t);
        if i >= self.index.segments.len() {
            return Ok(self.index.events);
        }
        let seg = self.segment(i)?;
        Ok(seg.first + seg.time.partition_point(|&x| x < t) as u64)
    }

    /// The segment that holds event `no`, or the last.
    fn segment_of(&self, no: EventNo) -> Option<usize> {
        self.index.segment_of(no).or_else(|| self.index.segments.len().checked_sub(1))
    }

    /// The state that `go` was in just before event `no`; `None` if it was not there. What began before `floor` may be
    /// given without its beginning. The end is left open.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn before(&mut self, go: GoIdx, no: EventNo, floor: Time) -> Result<Option<Interval>, Unanswered> {
        let Some(start) = self.segment_of(no) else { return Ok(None) };
        let mut stated: Option<Interval> = None;
        let mut back = 0;
        let mut left = start + 1;
        while left > 0 && back <= BACK {
            left -= 1;
            if self.index.segments[left].to < floor {
                back += 1;
            }
            if let Break(found) = self.last_before(left, go, no, &mut stated)? {
                return Ok(found);
            }
        }
        let mut looked = 0;
        let mut before = self.index.segments.get(left).map_or(Time::MIN, |s| s.from);
        while left > 0 && looked < TOUCHED {
            let Some((from, to)) = self.index.grid.touched_before(go, before) else { break };
            let cell = self.index.segments_between(from, to);
            // Below `left` all is searched that may hold it; what is too much is left to those who look further back.
            let cell = cell.start.min(left)..cell.end.min(left);
            if cell.len() > TOUCHED {
                break;
            }
            for i in cell.clone().rev() {
                looked += 1;
                if let Break(found) = self.last_before(i, go, no, &mut stated)? {
                    return Ok(found);
                }
            }
            looked += 1;
            (left, before) = (cell.start, from);
        }
        if stated.is_none() {
            // Nothing was said of it yet: it was in the state that the next change takes it out of.
            stated = self.after(go, no)?.and_then(|(end, seg)| {
                let (state, _) = end.kind.go_transition()?;
                let i = (end.no - seg.first) as usize;
                let iv = Interval { state, stack: StackId::NONE, ..stretch(&seg, i, go) };
                (state != GoState::NotExist).then_some(iv)
            });
        }
        // Nothing is said of it afterwards either: only what lies further back can tell.
        while stated.is_none() && left > 0 {
            left -= 1;
            match self.last_before(left, go, no, &mut stated)? {
                Break(None) => return Ok(None),
                Break(found) => stated = found,
                Continue(()) => {}
            }
        }
        let from = self.index.goroutine(go).map_or(self.index.start, |g| g.from);
        Ok(stated.map(|s| Interval { from, began: None, kind: Kind::GoStatus, ..s }))
    }

    /// Looks for the last state that `go` is said to enter in segment `i` before event `no`: where there is one that is the
    /// answer, none if it had ended by then. Where one is only stated, that is `stated`, and what came before may tell more.
    fn last_before(
        &mut self,
        i: usize,
        go: GoIdx,
        no: EventNo,
        stated: &mut Option<Interval>,
    ) -> Result<ControlFlow<Option<Interval>>, Unanswered> {
        let seg = self.segment(i)?;
        let of = seg.of_goroutine(go);
        let until = of.partition_point(|&p| seg.first + u64::from(p) < no);
        let later = *stated;
        for &p in of[..until].iter().rev() {
            match begins(&seg, p as usize, go) {
                Some(iv) if iv.kind == Kind::GoStatus => *stated = Some(iv),
                Some(iv) if iv.state == GoState::NotExist => return Ok(Break(later)),
                Some(iv) => return Ok(Break(Some(iv))),
                None => {}
            }
        }
        Ok(Continue(()))
    }

    /// The first change of the state of `go` that is event `no` or comes after it, and the segment it is in.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn after(&mut self, go: GoIdx, no: EventNo) -> Result<Option<(End, Arc<Segment>)>, Unanswered> {
        let Some(start) = self.index.segment_of(no) else { return Ok(None) };
        for i in start..self.index.segments.len() {
            let seg = self.segment(i)?;
            let of = seg.of_goroutine(go);
            let from = of.partition_point(|&p| seg.first + u64::from(p) < no);
            let found = of[from..].iter().find(|&&p| seg.kind[p as usize].go_transition().is_some());
            if let Some(&p) = found {
                let end = end(&seg, p as usize);
                return Ok(Some((end, seg)));
            }
        }
        Ok(None)
    }

    /// Who was on each P between `from` and `to`, in the order of Ps and of time. A goroutine that ran all through a
    /// segment, without any event, is not seen in it.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn runs(&mut self, from: Time, to: Time) -> Result<Vec<(ProcIdx, Run)>, Unanswered> {
        let mut out = Vec::new();
        for i in self.index.segments_between(from, to) {
            let all = match self.runs.get(&i) {
                Some(r) => r.clone(),
                None => {
                    let r = Rc::new(runs_of(&*self.segment(i)?));
                    self.runs.insert(i, r.clone());
                    r
                }
            };
            for (p, runs) in all.iter() {
                let first = runs.partition_point(|r| r.to <= from);
                for r in runs[first..].iter().take_while(|r| r.from < to) {
                    out.push((*p, Run { from: r.from.max(from), to: r.to.min(to), go: r.go }));
                }
            }
        }
        Ok(out)
    }
}

/// The change that the event at position `i` is.
pub fn end(seg: &Segment, i: usize) -> End {
    End {
        no: seg.first + i as u64,
        kind: seg.kind[i],
        by: seg.by[i],
        stack: seg.stack[i],
        proc: seg.proc[i],
        thread: seg.thread[i],
    }
}

fn stretch(seg: &Segment, i: usize, go: GoIdx) -> Interval {
    Interval {
        go,
        state: GoState::Undetermined,
        from: seg.time[i],
        to: seg.time[i],
        began: Some(seg.first + i as u64),
        reason: match seg.detail(i) {
            Detail::Reason(r) => r,
            _ => StringId::NONE,
        },
        stack: seg.stack[i],
        by: seg.by[i],
        proc: seg.proc[i],
        kind: seg.kind[i],
        mark: 0,
        end: None,
    }
}

/// The stretch that the event at position `i` begins, its end left open.
fn begins(seg: &Segment, i: usize, go: GoIdx) -> Option<Interval> {
    let state = match (seg.kind[i].go_transition(), seg.detail(i)) {
        (Some((_, to)), _) => to,
        (None, Detail::GoStatus(s)) => s,
        _ => return None,
    };
    Some(Interval { state, ..stretch(seg, i, go) })
}

/// The stretches in which goroutines were on Ps in a segment.
fn runs_of(seg: &Segment) -> Vec<ProcRuns> {
    let (Some(&first), Some(&last)) = (seg.time.first(), seg.time.last()) else { return Vec::new() };
    let mut by_proc: FxHashMap<ProcIdx, Vec<Run>> = FxHashMap::default();
    for &go in seg.goroutines() {
        let mut on: Option<(Time, ProcIdx)> = None;
        let mut seen = false;
        for &p in seg.of_goroutine(go) {
            let i = p as usize;
            let (before, after) = match (seg.kind[i].go_transition(), seg.detail(i)) {
                (Some(t), _) => t,
                (None, Detail::GoStatus(s)) => (s, s),
                _ => continue,
            };
            let holds = |s| matches!(s, GoState::Running | GoState::Syscall);
            if !seen && holds(before) {
                on = Some((first, seg.proc[i]));
            }
            seen = true;
            if !holds(after) {
                if let Some((from, proc)) = on.take() {
                    by_proc.entry(proc).or_default().push(Run { from, to: seg.time[i], go });
                }
            } else if on.is_none() {
                on = Some((seg.time[i], seg.proc[i]));
            }
        }
        if let Some((from, proc)) = on {
            by_proc.entry(proc).or_default().push(Run { from, to: last, go });
        }
    }
    by_proc.remove(&ProcIdx::NONE);
    let mut out: Vec<_> = by_proc.into_iter().collect();
    out.sort_by_key(|(p, _)| *p);
    for (_, runs) in &mut out {
        runs.sort_by_key(|r| (r.from, r.to, r.go));
    }
    out
}
