//! The chain of waits behind one wait.

use super::MAX_DEPTH;
use crate::analysis::states::forward::Timeline;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::Interval;
use crate::base::{Duration, EventNo, StackId, Time};
use crate::model::Waker;
use crate::model::reasons::Reasons;
use crate::model::segment::GoState;

/// A step of a chain: a wait, and who ended it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The wait, whole.
    pub wait: Interval,
    /// Who ended it.
    pub waker: Waker,
}

/// What a goroutine that did not wait did in some time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// On a P.
    pub running: Duration,
    /// Ready, and no P for it.
    pub runnable: Duration,
    /// In syscalls.
    pub syscall: Duration,
    /// The stack of the longest of these.
    pub stack: StackId,
}

/// A chain of waits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chain {
    /// Its waits, the one that was asked about first.
    pub links: Vec<Link>,
    /// Whether the goroutine that ended the last of them did not wait meanwhile, and what it did instead.
    pub spent: Option<Spent>,
}

/// How much a wait of a waker's says of what kept the one waiting that it woke: how long it took, and a quarter more where a
/// goroutine ended it, so that of two that took about as long the chain goes on with that.
pub fn rank(len: Duration, by_goroutine: bool) -> i64 {
    if by_goroutine { len.0.saturating_add(len.0 / 4) } else { len.0 }
}

/// The chain of a wait: it, then what its waker had been waiting for meanwhile, and so on to one that no goroutine ended, or
/// that was ended by a goroutine that did not wait meanwhile. Of several waits of a waker the one of the highest [`rank`] is
/// taken, as far as it lies inside of the wait that was ended and of the first. `began` is the event that began the first.
///
/// # Errors
///
/// A segment that cannot be decoded; no goroutine begins to wait with that event.
pub fn chain<S: Source>(source: &S, began: EventNo) -> Result<Chain, Unanswered> {
    let mut out = Err(Unanswered::NoTrace);
    source.with_index(&mut |index| {
        let mut timeline = Timeline::new(source, index);
        let reasons = Reasons::default();
        out = chain_of(&mut timeline, &reasons, began);
    });
    out
}

fn chain_of<S: Source>(timeline: &mut Timeline<'_, S>, reasons: &Reasons, began: EventNo) -> Result<Chain, Unanswered> {
    let index = timeline.index;
    let none = || Unanswered::NoWait(began);
    let seg = timeline.segment(index.segment_of(began).ok_or_else(none)?)?;
    let go = seg.go[(began - seg.first) as usize];
    let first = timeline.before(go, began + 1, Time::MIN)?.filter(|i| i.state == GoState::Waiting).ok_or_else(none)?;
    let since = first.from;
    let mut out = Chain { links: vec![close(timeline, reasons, first, began + 1)?], spent: None };
    while let Some(Link { wait, waker: Waker::Go(w) }) = out.links.last().copied() {
        let Some(end) = wait.end.filter(|_| out.links.len() < MAX_DEPTH && w != wait.go) else { break };
        // The waker's own waits between the beginning of this one and the moment at which it ended it; what lies before the
        // wait that was asked about did not make that any longer.
        let lo = wait.from.max(since);
        let (mut no, mut t, mut best): (EventNo, Time, Option<Link>) = (end.no, wait.to, None);
        let mut spent = Spent::default();
        let mut longest = Duration::ZERO;
        while let Some(now) = timeline.before(w, no, lo)? {
            let d = (t - now.from.max(lo)).max(Duration::ZERO);
            match now.state {
                GoState::Waiting if now.outlasts(lo, no, timeline)? => {
                    let link = close(timeline, reasons, now, no)?;
                    let rank = |l: &Link| rank(l.wait.to - l.wait.from.max(lo), matches!(l.waker, Waker::Go(_)));
                    if best.as_ref().is_none_or(|b| rank(&link) > rank(b)) {
                        best = Some(link);
                    }
                }
                GoState::Running => spent.running += d,
                GoState::Runnable => spent.runnable += d,
                GoState::Syscall => {
                    spent.syscall += d;
                    if d > longest {
                        (longest, spent.stack) = (d, now.stack);
                    }
                }
                _ => {}
            }
            t = now.from;
            match now.began {
                Some(b) if now.from > lo => no = b,
                _ => break,
            }
        }
        match best {
            Some(b) => out.links.push(b),
            None => {
                out.spent = Some(spent);
                break;
            }
        }
    }
    Ok(out)
}

impl Interval {
    /// Whether it goes on beyond `t`; its next change is event `no` or later.
    fn outlasts<S: Source>(&self, t: Time, no: EventNo, timeline: &mut Timeline<'_, S>) -> Result<bool, Unanswered> {
        Ok(timeline.after(self.go, no)?.is_none_or(|(e, seg)| seg.time[(e.no - seg.first) as usize] > t))
    }
}

fn close<S: Source>(
    timeline: &mut Timeline<'_, S>,
    reasons: &Reasons,
    wait: Interval,
    no: EventNo,
) -> Result<Link, Unanswered> {
    let index = timeline.index;
    let (to, end) = match timeline.after(wait.go, no)? {
        Some((e, seg)) => (seg.time[(e.no - seg.first) as usize], Some(e)),
        None => (index.end, None),
    };
    let wait = Interval { to, end, ..wait };
    Ok(Link { wait, waker: wait.waker(index, reasons) })
}

/// The stack in which a link's wait was ended; none if it was not.
pub fn waker_stack(link: &Link) -> StackId {
    link.wait.end.map_or(StackId::NONE, |e| e.stack)
}
