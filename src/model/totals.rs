//! Counts and sums over the whole trace: what `summary` states, kept while the index is built.

use super::tally::{MetricTally, Tally};
use super::waits::{LinkTally, WaitTally};
use crate::base::{Duration, GoIdx, GroupId, StackId, StringId};
use crate::wire::event::{GoState, Kind, ProcState};
use rustc_hash::FxHashMap;

/// One side of a link: a goroutine whose start function is not known yet, or the group it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Party {
    /// No goroutine: the poller, a timer, the runtime.
    Nobody,
    /// A goroutine of which no stack has been seen.
    Go(GoIdx),
    /// Any member of a group.
    Group(GroupId),
}

/// Who ended whose waits, and where both stood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Link {
    /// Who waited.
    pub waiter: Party,
    /// Why; `NONE` if Go gave no reason.
    pub reason: StringId,
    /// The stack in which it blocked.
    pub waiter_stack: StackId,
    /// Who ended the wait.
    pub waker: Party,
    /// The waker's stack at that moment.
    pub waker_stack: StackId,
}

/// Tasks or regions of one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpanTally {
    /// How many.
    pub count: u64,
    /// Those of which both ends are in the trace.
    pub complete: u64,
    /// Sum of their lengths, in ns.
    pub total_ns: i64,
    /// Those that had not ended when the trace did.
    pub unfinished: u64,
    /// Sum of the time that those of which an end is missing were there inside the trace, in ns: from its start, or to its
    /// end.
    pub partial_ns: i64,
}

impl SpanTally {
    /// Sum of the time inside the trace of all of them, in ns.
    pub fn inside_ns(&self) -> i64 {
        self.total_ns.saturating_add(self.partial_ns)
    }

    /// Adds another tally.
    pub fn merge(&mut self, o: SpanTally) {
        self.count += o.count;
        self.complete += o.complete;
        self.total_ns = self.total_ns.saturating_add(o.total_ns);
        self.unfinished += o.unfinished;
        self.partial_ns = self.partial_ns.saturating_add(o.partial_ns);
    }

    /// Adds the time inside the trace of one of which an end is missing.
    pub(crate) fn add_partial(&mut self, d: Duration) {
        self.partial_ns = self.partial_ns.saturating_add(d.ns());
    }
}

/// Counts and sums over the whole trace.
#[derive(Debug)]
pub struct Totals {
    /// Events by kind.
    pub kinds: [u64; 64],
    /// Goroutines' changes of state, by reason.
    pub go_transitions: FxHashMap<(GoState, GoState, StringId), u64>,
    /// Ps' changes of state.
    pub proc_transitions: FxHashMap<(ProcState, ProcState), u64>,
    /// Ended waits that began in the trace, by reason.
    pub waits: FxHashMap<StringId, Tally>,
    /// Ended times of being runnable.
    pub sched: Tally,
    /// Ended syscalls.
    pub syscalls: Tally,
    /// CPU samples by stack.
    pub samples: FxHashMap<StackId, u64>,
    /// Log messages by category.
    pub logs: FxHashMap<StringId, u64>,
    /// GOMAXPROCS.
    pub gomaxprocs: MetricTally,
    /// Live heap, bytes.
    pub heap_alloc: MetricTally,
    /// Heap goal, bytes.
    pub heap_goal: MetricTally,
    /// Ended ranges by name.
    pub ranges: FxHashMap<StringId, Tally>,
    /// Ranges that had not ended when the trace did, by name: how long they were there.
    pub open_ranges: FxHashMap<StringId, Tally>,
    /// Tasks by name.
    pub tasks: FxHashMap<StringId, SpanTally>,
    /// Regions by name.
    pub regions: FxHashMap<StringId, SpanTally>,
    /// Ended waits that began in the trace with a block.
    pub links: FxHashMap<Link, LinkTally>,
    /// All other waits, and whether they ended: those of goroutines that were found waiting or created so, and those that
    /// were still going on when the trace ended.
    pub other_waits: FxHashMap<(Link, bool), WaitTally>,
    /// Syscalls by who made them in which stack, and whether they ended.
    pub calls: FxHashMap<(Link, bool), WaitTally>,
    /// Whether some wait of a damaged trace, or of a goroutine that came back from C, may be missing from `links` and
    /// `other_waits`.
    pub waits_missing: bool,
}

impl Default for Totals {
    fn default() -> Totals {
        Totals {
            kinds: [0; 64],
            go_transitions: FxHashMap::default(),
            proc_transitions: FxHashMap::default(),
            waits: FxHashMap::default(),
            sched: Tally::default(),
            syscalls: Tally::default(),
            samples: FxHashMap::default(),
            logs: FxHashMap::default(),
            gomaxprocs: MetricTally::default(),
            heap_alloc: MetricTally::default(),
            heap_goal: MetricTally::default(),
            ranges: FxHashMap::default(),
            open_ranges: FxHashMap::default(),
            tasks: FxHashMap::default(),
            regions: FxHashMap::default(),
            links: FxHashMap::default(),
            other_waits: FxHashMap::default(),
            calls: FxHashMap::default(),
            waits_missing: false,
        }
    }
}

impl Totals {
    /// All waits: whose and for whom, whether they ended, and their sums.
    pub fn all_waits(&self) -> impl Iterator<Item = (&Link, bool, &WaitTally)> {
        let blocked = self.links.iter().map(|(l, t)| (l, true, &t.waits));
        blocked.chain(self.other_waits.iter().map(|((l, ended), t)| (l, *ended, t)))
    }

    /// How many events there were of a kind.
    pub fn of_kind(&self, k: Kind) -> u64 {
        self.kinds[k as usize & 63]
    }
}
