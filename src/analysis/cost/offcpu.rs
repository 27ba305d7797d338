//! Profiles out of a trace: where goroutines spent the time in which they did not run, and where they ran.

use crate::analysis::states::look_ahead::LookAhead;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{self, Interval, Visit};
use crate::analysis::states::walk;
use crate::analysis::waits::chains::{ChainId, Chains, Follow};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::{Options, Party, group};
use crate::base::{Duration, GroupId, StackId, Time};
use crate::model::Waker;
use crate::model::reasons::{Class, ReasonId, Reasons};
use crate::model::segment::{GoState, Kind as EventKind};
use crate::model::{Detail, Index, Segment};
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;

/// What a profile is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Waits for the network.
    Net,
    /// Waits for channels and for package sync.
    Sync,
    /// Time in syscalls.
    Syscall,
    /// Time ready, without a P; charged to the goroutine that was ready.
    Sched,
    /// All time in which goroutines were there and did not run.
    OffCpu,
    /// Waits that goroutines ended: the waiter's stack, and on it the waker's, upside down.
    OffWake,
    /// The time of [`Kind::OffCpu`], and on the stack of each wait the chain of wakers behind it.
    Chain,
    /// CPU samples.
    Cpu,
}

/// Which end of a wait lies outside the trace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Open {
    /// None: the wait began and ended in the trace.
    #[default]
    No,
    /// Its beginning.
    Start,
    /// Its end.
    End,
    /// Both.
    Both,
}

/// What the time of a record went into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A wait.
    Waiting(ReasonId),
    /// A syscall.
    Syscall(ReasonId),
    /// Being ready.
    Runnable,
    /// Running.
    Running,
}

impl What {
    /// Whether it is a wait.
    pub fn is_wait(self) -> bool {
        matches!(self, What::Waiting(_))
    }
}

/// What the stretches of a record have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The goroutine's own stack.
    pub stack: StackId,
    /// Who ended the wait, and what had held that one up ([`Kind::OffWake`] and [`Kind::Chain`] only).
    pub chain: ChainId,
    /// The goroutine's group.
    pub group: GroupId,
    /// What the time went into.
    pub what: What,
    /// Who ended it; for a runnable stretch, who began it.
    pub waker: Option<Party>,
    /// Which end is outside the trace.
    pub open: Open,
}

/// Stretches of the same stack and kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// What they have in common.
    pub key: Key,
    /// How many.
    pub count: u64,
    /// Their sum, inside the window; for CPU samples, the time that they stand for.
    pub total: Duration,
}

/// A profile.
pub struct Profile {
    /// What it is of.
    pub kind: Kind,
    /// The records, in the order of their keys.
    pub records: Vec<Record>,
    /// What their reasons are.
    pub reasons: Reasons,
    /// What their chains are.
    pub chains: Chains,
    /// The length of the window.
    pub duration: Duration,
}

/// Time between CPU samples: Go's profiler takes 100 a second.
pub const SAMPLE: Duration = Duration(10_000_000);

/// Marks a stretch that does not answer the query.
const OUT: u32 = u32::MAX - 1;

struct Sums<'a, 'o> {
    index: &'a Index,
    reasons: &'a Reasons,
    kind: Kind,
    opts: Options<'o>,
    ahead: &'a dyn crate::query::Ahead,
    /// By goroutine, the last stack in which it stopped.
    last: Vec<StackId>,
    follow: Follow,
    records: FxHashMap<Key, (u64, Duration)>,
}

impl Sums<'_, '_> {
    /// Whether a stretch belongs to the profile, before its end is known.
    fn wants(&self, w: &Interval) -> bool {
        match (self.kind, w.state) {
            (Kind::Net, GoState::Waiting) => self.class(w) == Class::Network,
            (Kind::Sync, GoState::Waiting) => self.is_sync(w),
            (Kind::OffWake, GoState::Waiting) => w.end.is_some_and(|e| e.by.is_some()),
            (Kind::Syscall, GoState::Syscall) | (Kind::Sched, GoState::Runnable) => true,
            (Kind::OffCpu | Kind::Chain, GoState::Waiting | GoState::Syscall | GoState::Runnable) => true,
            _ => false,
        }
    }

    /// What a wait was for. Of one that began before the trace only who ended it may tell.
    fn refined(&self, w: &Interval, waker: Waker) -> ReasonId {
        let ended = (waker, w.end.map_or(StackId::NONE, |e| e.stack));
        coroutine::refine(self.index, self.reasons, w.go, (w.reason, w.stack), ended)
    }

    fn class(&self, w: &Interval) -> Class {
        let id = self.refined(w, w.waker(self.index, self.reasons));
        self.reasons.get(id).class
    }

    /// As `go tool trace` has it, by the runtime's own word; where that is not in the trace, by ours.
    fn is_sync(&self, w: &Interval) -> bool {
        if !w.reason.is_some() {
            let sync =
                [Class::Lock, Class::Send, Class::Receive, Class::Select, Class::Group, Class::Cond, Class::Once];
            return sync.contains(&self.class(w));
        }
        let r = self.index.dict.str(w.reason);
        ["chan", "sync", "select"].iter().any(|s| r.contains(s))
    }

    fn add(&mut self, key: Key, d: Duration) {
        let r = self.records.entry(key).or_default();
        r.0 += 1;
        r.1 += d;
    }
}

impl Visit for Sums<'_, '_> {
    fn begin(&mut self, now: &Interval, seg: &Segment, i: usize) -> u32 {
        let slot = self.last.get_mut(now.go.0 as usize);
        let own = match now.state {
            GoState::Waiting | GoState::Syscall => now.stack,
            GoState::Runnable => match (now.kind, seg.detail(i)) {
                (_, Detail::Entry(entry)) => entry,
                (EventKind::GoStop | EventKind::GoStatus, _) => now.stack,
                _ => slot.as_deref().copied().unwrap_or_default(),
            },
            _ => return 0,
        };
        if let Some(s) = slot {
            *s = own;
        }
        match self.opts.filter {
            Some(q) if !q.matches(seg, i, self.ahead) => OUT,
            _ => own.0,
        }
    }

    fn end(&mut self, w: &Interval) {
        let (from, to) = (w.from.max(self.opts.from), w.to.min(self.opts.to));
        let outside = w.to < self.opts.from || w.from >= self.opts.to;
        let wanted = w.mark != OUT && !outside && self.wants(w);
        if self.kind == Kind::Chain && w.end.is_some_and(|e| e.kind == EventKind::GoDestroy) {
            self.follow.forget(w.go);
        }
        let follows = self.kind == Kind::Chain && w.state == GoState::Waiting;
        if !wanted && !follows {
            return;
        }
        let waker = w.waker(self.index, self.reasons);
        let chain = match self.kind {
            Kind::OffWake | Kind::Chain if w.state == GoState::Waiting => {
                self.follow.end(&self.index.dict, w, waker, wanted)
            }
            _ => ChainId::NONE,
        };
        if !wanted {
            return;
        }
        let what = match w.state {
            GoState::Runnable => What::Runnable,
            GoState::Syscall => What::Syscall(self.reasons.syscall(&self.index.dict, w.stack)),
            _ => What::Waiting(self.refined(w, waker)),
        };
        let party = match w.state {
            GoState::Waiting => Some(Party::of(waker, self.index)),
            GoState::Runnable if w.by.is_some() && w.by != w.go => Some(Party::Group(group(self.index, w.by))),
            _ => None,
        };
        // A wait that a goroutine was created in has no stack of its own to blame, and is not "closed".
        let began = w.began.is_some() && (w.state != GoState::Waiting || w.kind == EventKind::GoBlock);
        let open = match (began, w.end.is_some()) {
            (true, true) => Open::No,
            (false, true) => Open::Start,
            (true, false) => Open::End,
            (false, false) => Open::Both,
        };
        let key = Key { stack: StackId(w.mark), chain, group: group(self.index, w.go), what, waker: party, open };
        self.add(key, to - from);
    }
}

/// Makes a profile of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn profile<S: Source>(source: &S, kind: Kind, opts: Options<'_>) -> Result<Profile, Unanswered> {
    profile_and(source, kind, opts, &mut |_, _| {})
}

/// [`profile`], which shows `also` every segment on the way: one pass over them for both.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn profile_and<S: Source>(
    source: &S,
    kind: Kind,
    opts: Options<'_>,
    also: &mut dyn FnMut(usize, &Segment),
) -> Result<Profile, Unanswered> {
    let ahead = LookAhead::new(source);
    let mut out = Err(Unanswered::NoTrace);
    source.with_index(&mut |index| {
        let reasons = Reasons::default();
        let mut s = Sums {
            index,
            reasons: &reasons,
            kind,
            opts,
            ahead: &ahead,
            last: vec![StackId::NONE; index.goroutines.len()],
            follow: Follow::new(index.goroutines.len(), kind == Kind::Chain),
            records: FxHashMap::default(),
        };
        let mut tracker = tracker::Tracker::new(index);
        let done = walk::segments(source, 0..index.segments.len(), walk::threads(), &mut |n, seg| {
            also(n, seg);
            match kind {
                Kind::Cpu => samples(&mut s, n, seg),
                _ => tracker.add(seg, &mut s),
            }
            ControlFlow::Continue(())
        });
        tracker.finish(index.end, &mut s);
        let records = std::mem::take(&mut s.records);
        let mut records: Vec<Record> =
            records.into_iter().map(|(key, (count, total))| Record { key, count, total }).collect();
        records.sort_by_key(|r| r.key);
        let duration = opts.to.min(index.end) - opts.from.max(index.start);
        let chains = s.follow.chains;
        out = done.map(|()| Profile { kind, records, reasons, chains, duration });
    });
    out
}

fn samples(s: &mut Sums<'_, '_>, n: usize, seg: &Segment) {
    if s.index.segments[n].kinds & 1 << EventKind::CpuSample as u8 == 0 {
        return;
    }
    let (from, to): (Time, Time) = (s.opts.from, s.opts.to);
    for i in seg.between(from, to).filter(|&i| seg.kind[i] == EventKind::CpuSample) {
        if s.opts.filter.is_some_and(|q| !q.matches(seg, i, s.ahead)) {
            continue;
        }
        let group = group(s.index, seg.go[i]);
        let (chain, open) = (ChainId::NONE, Open::No);
        let key = Key { stack: seg.stack[i], chain, group, what: What::Running, waker: None, open };
        s.add(key, SAMPLE);
    }
}

impl Profile {
    /// The number and the sum of the records with both ends in the trace, or with one outside.
    pub fn totals(&self, open: bool) -> (u64, Duration) {
        let of = self.records.iter().filter(|r| (r.key.open != Open::No) == open);
        of.fold((0, Duration::ZERO), |(n, d), r| (n + r.count, d + r.total))
    }

    /// The runtime's word for what is profiled, or none.
    pub fn reason(&self, r: &Record) -> Option<String> {
        match r.key.what {
            What::Waiting(id) | What::Syscall(id) => {
                let reason = self.reasons.get(id);
                let before = matches!(r.key.open, Open::Start | Open::Both);
                Some(if before { reason.from_before() } else { reason }.name)
            }
            What::Runnable => Some("no P".into()),
            What::Running => None,
        }
    }
}
