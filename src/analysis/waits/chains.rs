//! The chains of wakers behind waits: who ended a wait, what that one had been waiting for meanwhile, who ended that, and so
//! on. One pass makes them for all waits of a trace, as they end; [`path::chain`](super::path::chain) makes the chain of
//! one wait, and by the same rule.
//!
//! What is remembered of the past is bounded: per goroutine the few waits that may yet be part of a chain, of all waits the
//! last [`KEPT`]; and no chain has more than [`MAX_DEPTH`] waits. Chains that begin alike share what they have in common.

use super::path::{MAX_DEPTH, rank};
use crate::analysis::states::tracker::Interval;
use crate::base::{GoIdx, StackId, Time};
use crate::model::Dict;
use crate::model::Waker;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What stands between two stacks of a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mark {
    /// The goroutine whose stack follows ended the wait.
    WokenBy,
    /// The goroutine that did so had been waiting itself meanwhile, in the stack that follows.
    HadWaited,
    /// The network poller ended the wait.
    ByNetwork,
    /// A timer did.
    ByTimer,
    /// The runtime did, on no goroutine's behalf.
    ByRuntime,
    /// There is more, which there was no room for.
    More,
}

impl Mark {
    /// What it is called between the functions of a stack.
    pub fn name(self) -> &'static str {
        match self {
            Mark::WokenBy => "(woken by)",
            Mark::HadWaited => "(which had waited in)",
            Mark::ByNetwork => "(woken by the network)",
            Mark::ByTimer => "(woken by a timer)",
            Mark::ByRuntime => "(woken by the runtime)",
            Mark::More => "(and so on)",
        }
    }

    /// What it is called where the end of the chain comes first.
    pub fn name_backwards(self) -> &'static str {
        match self {
            Mark::WokenBy => "(woke)",
            Mark::HadWaited => "(and then)",
            Mark::ByNetwork => "(the network woke)",
            Mark::ByTimer => "(a timer woke)",
            Mark::ByRuntime => "(the runtime woke)",
            Mark::More => "(and so on)",
        }
    }
}

/// A step of a chain: a mark, and the stack that follows it, if one does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Step {
    /// How it is joined to what comes before.
    pub mark: Mark,
    /// The stack.
    pub stack: StackId,
}

impl Step {
    /// The step to whoever ended a wait, in a stack of theirs if it was a goroutine; none if nobody did.
    fn to(waker: Waker, stack: StackId) -> Option<Step> {
        let (mark, stack) = match waker {
            Waker::Go(_) => (Mark::WokenBy, stack),
            Waker::Network => (Mark::ByNetwork, StackId::NONE),
            Waker::Timer => (Mark::ByTimer, StackId::NONE),
            Waker::Runtime => (Mark::ByRuntime, StackId::NONE),
            Waker::Nobody => return None,
        };
        Some(Step { mark, stack })
    }
}

/// A chain: a row of [`Chains`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChainId(u32);

impl ChainId {
    /// The chain without a step.
    pub const NONE: ChainId = ChainId(u32::MAX);
}

/// Chains, each as the one that it makes one step longer.
#[derive(Default)]
pub struct Chains {
    steps: Vec<(ChainId, Step)>,
    /// Of each the longer one that was asked for last. Chains that begin alike mostly go on alike, and in a convoy they do
    /// so for hundreds of steps: this is looked at before `ids`.
    latest: Vec<ChainId>,
    /// How many frames each has in all, marks included.
    frames: Vec<u32>,
    ids: FxHashMap<(ChainId, Step), ChainId>,
    /// The sum of `frames`.
    size: usize,
}

/// Most frames of all chains together, each counted whole. A chain that would take more ends with [`Mark::More`], but for
/// its first step, which there is always room for: of those there are no more than stacks.
const MOST_FRAMES: usize = 4 << 20;

impl Chains {
    /// A chain with one step more; the chain itself where there is no more room, which is said once.
    fn push(&mut self, dict: &Dict, chain: ChainId, step: Step) -> Result<ChainId, ChainId> {
        let latest = self.latest.get(chain.0 as usize).copied().unwrap_or(ChainId::NONE);
        if self.steps.get(latest.0 as usize) == Some(&(chain, step)) {
            return Ok(latest);
        }
        if let Some(&id) = self.ids.get(&(chain, step)) {
            self.went(chain, id);
            return Ok(id);
        }
        if self.size >= MOST_FRAMES && chain != ChainId::NONE && step.mark != Mark::More {
            return Err(self.push(dict, chain, Step { mark: Mark::More, stack: StackId::NONE }).unwrap_or(chain));
        }
        let before = self.frames.get(chain.0 as usize).copied().unwrap_or(0);
        let frames = before.saturating_add(1 + dict.depth(step.stack) as u32);
        let id = ChainId(self.steps.len() as u32);
        self.size += frames as usize;
        self.steps.push((chain, step));
        self.frames.push(frames);
        self.latest.push(ChainId::NONE);
        self.ids.insert((chain, step), id);
        self.went(chain, id);
        Ok(id)
    }

    fn went(&mut self, from: ChainId, to: ChainId) {
        if let Some(latest) = self.latest.get_mut(from.0 as usize) {
            *latest = to;
        }
    }

    /// The steps of a chain, in order.
    pub fn steps(&self, chain: ChainId) -> Vec<Step> {
        let mut out = Vec::new();
        let mut at = chain;
        while let Some(&(before, step)) = self.steps.get(at.0 as usize) {
            out.push(step);
            at = before;
        }
        out.reverse();
        out
    }
}

/// Most waits that are remembered for the chains of later ones, 40 bytes each.
const KEPT: usize = 1 << 20;
/// Most waits of one goroutine among which the next link is chosen.
const CHOICE: usize = 16;

/// A wait that has ended.
#[derive(Clone, Copy)]
struct Past {
    stack: StackId,
    from: Time,
    to: Time,
    waker: Step,
    /// How many waits before this one the last of the same goroutine's lies that took longer; 0 for none. So the waits that may
    /// yet be chosen are a list, as it was at any time, in which each took longer than the one after it.
    longer: u32,
    /// How many waits before this one the last of its waker's lies, as of when that ended it; 0 for none.
    waker_last: u32,
}

impl Past {
    fn rank(&self, since: Time) -> i64 {
        rank(self.to - self.from.max(since), self.waker.mark == Mark::WokenBy)
    }
}

const NOTHING: u64 = u64::MAX;

/// Follows waits as they end, in order, and makes the chain of each.
pub struct Follow {
    /// How far chains go: only to whoever ended the wait, or on.
    deep: bool,
    /// By goroutine, the number of its last wait.
    last: Vec<u64>,
    past: VecDeque<Past>,
    /// The number of the first of `past`.
    first: u64,
    /// The chains that there are.
    pub chains: Chains,
}

impl Follow {
    /// Follows the waits of this many goroutines; with `deep` beyond the one who ended a wait.
    pub fn new(goroutines: usize, deep: bool) -> Follow {
        let last = vec![NOTHING; if deep { goroutines } else { 0 }];
        Follow { deep, last, past: VecDeque::new(), first: 0, chains: Chains::default() }
    }

    /// The chain of a wait that has just ended, if it is `wanted`; it is remembered in any case.
    pub fn end(&mut self, dict: &Dict, wait: &Interval, waker: Waker, wanted: bool) -> ChainId {
        let Some(step) = Step::to(waker, wait.end.map_or(StackId::NONE, |e| e.stack)) else { return ChainId::NONE };
        if !self.deep {
            return self.chains.push(dict, ChainId::NONE, step).unwrap_or_else(|full| full);
        }
        let last = match waker {
            Waker::Go(w) if w != wait.go => self.last_of(w),
            _ => NOTHING,
        };
        let chain = if wanted { self.walk(dict, step, last, wait.from) } else { ChainId::NONE };
        self.remember(wait, step, last);
        chain
    }

    /// A goroutine has ended: it will end no wait any more.
    pub fn forget(&mut self, go: GoIdx) {
        if let Some(last) = self.last.get_mut(go.0 as usize) {
            *last = NOTHING;
        }
    }

    fn last_of(&self, go: GoIdx) -> u64 {
        self.last.get(go.0 as usize).copied().unwrap_or(NOTHING)
    }

    fn past(&self, no: u64) -> Option<&Past> {
        self.past.get(usize::try_from(no.checked_sub(self.first)?).ok()?)
    }

    /// The number of the wait so many before wait `no`.
    fn before(no: u64, by: u32) -> u64 {
        if by == 0 { NOTHING } else { no.saturating_sub(u64::from(by)) }
    }

    /// Of a goroutine's waits up to number `last` that reach beyond `since` the one of the highest rank, and of several the
    /// latest.
    fn choose(&self, last: u64, since: Time) -> Option<(u64, Past)> {
        let (mut no, mut best): (u64, Option<(u64, Past)>) = (last, None);
        for _ in 0..CHOICE {
            let Some(p) = self.past(no).filter(|p| p.to > since) else { break };
            if best.is_none_or(|(_, b)| p.rank(since) > b.rank(since)) {
                best = Some((no, *p));
            }
            no = Follow::before(no, p.longer);
        }
        best
    }

    /// The chain that begins with `step`, whose goroutine waited last in wait `last`, as far as waits reach beyond `since`.
    fn walk(&mut self, dict: &Dict, step: Step, mut last: u64, since: Time) -> ChainId {
        let mut chain = match self.chains.push(dict, ChainId::NONE, step) {
            Ok(c) => c,
            Err(full) => return full,
        };
        let mut from = since;
        let mut links = 1;
        while let Some((no, p)) = self.choose(last, from) {
            if links == MAX_DEPTH {
                let more = Step { mark: Mark::More, stack: StackId::NONE };
                return self.chains.push(dict, chain, more).unwrap_or_else(|full| full);
            }
            for step in [Step { mark: Mark::HadWaited, stack: p.stack }, p.waker] {
                chain = match self.chains.push(dict, chain, step) {
                    Ok(c) => c,
                    Err(full) => return full,
                };
            }
            links += 1;
            last = Follow::before(no, p.waker_last);
            from = p.from.max(since);
        }
        chain
    }

    fn remember(&mut self, wait: &Interval, waker: Step, waker_last: u64) {
        let no = self.first + self.past.len() as u64;
        if self.past.len() >= KEPT {
            self.past.pop_front();
            self.first += 1;
        }
        // What lies further back is not remembered, and as good as nothing.
        let distance = |to: u64| no.checked_sub(to).and_then(|d| u32::try_from(d).ok()).unwrap_or(0);
        let waker_last = distance(waker_last);
        let mut new = Past { stack: wait.stack, from: wait.from, to: wait.to, waker, longer: 0, waker_last };
        let mut longer = self.last_of(wait.go);
        while let Some(p) = self.past(longer).filter(|p| p.rank(Time::MIN) <= new.rank(Time::MIN)) {
            longer = Follow::before(longer, p.longer);
        }
        new.longer = distance(longer);
        self.past.push_back(new);
        if let Some(last) = self.last.get_mut(wait.go.0 as usize) {
            *last = no;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ProcIdx, StringId};
    use crate::model::segment::{GoState, Kind};

    #[test]
    fn chains_that_are_longer_than_any_are_cut_and_say_so() {
        const LINE: u32 = 2 * MAX_DEPTH as u32;
        let dict = Dict::default();
        let mut follow = Follow::new(LINE as usize, true);
        let mut last = Vec::new();
        // Each goroutine waits from the same instant on, and is let go by the one before it.
        for go in 1..LINE {
            let wait = Interval {
                go: GoIdx(go),
                state: GoState::Waiting,
                from: Time(0),
                to: Time(i64::from(go) * 10),
                began: Some(u64::from(go)),
                reason: StringId::NONE,
                stack: StackId::NONE,
                by: GoIdx::NONE,
                proc: ProcIdx::NONE,
                kind: Kind::GoBlock,
                mark: 0,
                end: None,
            };
            let chain = follow.end(&dict, &wait, Waker::Go(GoIdx(go - 1)), true);
            last = follow.chains.steps(chain);
            let links = (go as usize).min(MAX_DEPTH);
            let more = usize::from(go as usize > MAX_DEPTH);
            assert_eq!(last.len(), 2 * links - 1 + more);
        }
        assert_eq!((last[0].mark, last.last().unwrap().mark), (Mark::WokenBy, Mark::More));
    }

    #[test]
    fn a_chain_is_one_row_whatever_was_asked_for_in_between() {
        let dict = Dict::default();
        let mut chains = Chains::default();
        let step = |stack| Step { mark: Mark::WokenBy, stack: StackId(stack) };
        let first = chains.push(&dict, ChainId::NONE, step(1)).unwrap();
        let longer = [2, 3, 3, 2, 3].map(|n| chains.push(&dict, first, step(n)).unwrap());
        assert_eq!(longer.map(|id| chains.steps(id)[1].stack.0), [2, 3, 3, 2, 3]);
        assert_eq!((longer[0], longer[1], chains.steps.len()), (longer[3], longer[4], 3));
    }

    #[test]
    fn where_there_is_no_room_the_first_step_is_there_all_the_same() {
        let dict = Dict::default();
        let mut chains = Chains { size: MOST_FRAMES, ..Chains::default() };
        let step = |stack| Step { mark: Mark::WokenBy, stack: StackId(stack) };
        let first = chains.push(&dict, ChainId::NONE, step(1)).unwrap();
        assert_eq!(chains.steps(first), [step(1)]);
        let full = chains.push(&dict, first, step(2)).unwrap_err();
        assert_eq!(chains.steps(full), [step(1), Step { mark: Mark::More, stack: StackId::NONE }]);
    }
}
