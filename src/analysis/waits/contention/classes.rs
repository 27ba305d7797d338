//! Which waits are for the same lock or channel, told by the lines that waits join.

use super::What;
use super::line::Order;
use crate::base::{FuncId, GoIdx, StackId, StringId};
use crate::model::ownership::Owner;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{Class, How, ReasonId, Reasons};
use crate::model::{Index, Waker, totals};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Waits of one kind at one line.
pub(in crate::analysis::waits) type Node = (What, PlaceId);

/// What is known of a wait when it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::analysis::waits) enum Early {
    /// It is for nothing that goroutines queue for.
    Never,
    /// What it is for.
    Known(Site),
    /// Only its end can tell: a select, and what began before the trace.
    Late,
}

/// What a wait is for, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::analysis::waits) struct Site {
    /// Any line of its class.
    pub node: Node,
    /// The line that waits.
    pub line: PlaceId,
    /// What the wait is called.
    pub reason: ReasonId,
    /// For a channel, which side waits.
    pub side: Class,
    /// In which of the queues there.
    pub order: Order,
}

/// Sets of lines that waits join.
pub(in crate::analysis::waits) struct Classes<'a> {
    pub index: &'a Index,
    pub places: &'a Places,
    pub reasons: &'a Reasons,
    parent: FxHashMap<Node, Node>,
    /// Stacks that are inside a release of a lock.
    releasing: Vec<bool>,
    /// Stacks that are inside a mutex, also an RWMutex's own, and those that are about to read.
    mutex: Vec<bool>,
    reading: Vec<bool>,
}

impl<'a> Classes<'a> {
    pub fn new(index: &'a Index, places: &'a Places, reasons: &'a Reasons) -> Classes<'a> {
        let releasing = index.dict.stacks_with(|d, f| {
            let name = d.func_name(f.func);
            name.strip_prefix("internal/").unwrap_or(name).starts_with("sync.(*")
                && matches!(name.rsplit('.').next(), Some("Unlock" | "RUnlock" | "unlockSlow" | "rUnlockSlow"))
        });
        let inside = |of: &str| {
            index.dict.stacks_with(|d, f| {
                let name = d.func_name(f.func);
                name.strip_prefix("internal/").unwrap_or(name).starts_with(of)
            })
        };
        let (mutex, reading) = (inside("sync.(*Mutex)."), inside("sync.(*RWMutex).RLock"));
        let c = Classes { index, places, reasons, parent: FxHashMap::default(), releasing, mutex, reading };
        let mut c = c.with_unserved();
        let mut all: Vec<&totals::Link> = index.totals.links.keys().collect();
        all.sort_unstable();
        for l in all {
            let Some((what, _)) = c.what(l.reason, l.waiter_stack) else { continue };
            let goroutine = l.waker != totals::Party::Nobody;
            // A wait for a lock may end by other means than a release: of those the line says nothing.
            let joined = goroutine && (what != What::Lock || c.releases(l.waker_stack));
            let a = (what, c.line(what, l.waiter_stack));
            if what != What::Channel || joined {
                c.parent.entry(a).or_insert(a);
            }
            let b = (what, c.line(what, l.waker_stack));
            if joined && b.1 != PlaceId::NONE {
                c.join(a, b);
            }
        }
        c.join_rwmutexes();
        c
    }

    fn join(&mut self, a: Node, b: Node) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent.insert(a.max(b), a.min(b));
    }

    /// Joins what waits for one RWMutex for which no wait ties its lines: readers that a writer lets go are not ended by the
    /// readers that the writer waited for. Who waits for the lock in a function and releases it there ties them, if that
    /// function waits for one RWMutex only.
    fn join_rwmutexes(&mut self) {
        let dict = &self.index.dict;
        let rw = dict.stacks_with(|d, f| {
            let name = d.func_name(f.func);
            name.strip_prefix("internal/").unwrap_or(name).starts_with("sync.(*RWMutex).")
        });
        let is_rw = |s: StackId| rw.get(s.0 as usize).copied().unwrap_or(false);
        // By function, the lines of it that wait, and those that release.
        let mut by: BTreeMap<FuncId, [BTreeSet<Node>; 2]> = BTreeMap::new();
        for l in self.index.totals.links.keys().filter(|l| is_rw(l.waiter_stack)) {
            let released = is_rw(l.waker_stack) && self.releases(l.waker_stack);
            for (side, stack) in [(0, Some(l.waiter_stack)), (1, released.then_some(l.waker_stack))] {
                let place = stack.map_or(PlaceId::NONE, |s| self.line(What::Lock, s));
                if let Some((func, _)) = self.places.get(place) {
                    by.entry(func).or_default()[side].insert((What::Lock, place));
                }
            }
        }
        for [waits, releases] in by.into_values() {
            let waits: BTreeSet<Node> = waits.into_iter().map(|n| self.root(n)).collect();
            let releases: BTreeSet<Node> = releases.into_iter().map(|n| self.root(n)).collect();
            if let (1, 1, Some(a), Some(b)) = (waits.len(), releases.len(), waits.first(), releases.first()) {
                self.join(*a, *b);
            }
        }
    }

    /// Takes in the lines that receive where no wait was ever ended: what they wait for nobody ever sent. One that somebody
    /// else than a goroutine ended is a timer's channel.
    fn with_unserved(mut self) -> Classes<'a> {
        let mut served: FxHashMap<Node, bool> = FxHashMap::default();
        let mut all: Vec<_> = self.index.totals.all_waits().filter(|(.., t)| t.count > 0).collect();
        all.sort_unstable_by_key(|&(l, ended, _)| (*l, ended));
        for (l, ended, _) in all {
            if let Some((What::Channel, Class::Receive)) = self.what(l.reason, l.waiter_stack) {
                *served.entry((What::Channel, self.line(What::Channel, l.waiter_stack))).or_default() |= ended;
            }
        }
        let never = served.into_iter().filter(|(n, served)| !served && n.1 != PlaceId::NONE).map(|(n, _)| (n, n));
        self.parent.extend(never);
        self
    }

    /// Whether a stack is inside a release of a lock.
    pub fn releases(&self, stack: StackId) -> bool {
        self.releasing.get(stack.0 as usize).copied().unwrap_or(false)
    }

    /// The line by which a class knows those who wait and those who end waits: the one that calls into the runtime or
    /// `sync`. Of what a library builds on these it is the user's line, or all semaphores would be one.
    pub fn line(&self, what: What, stack: StackId) -> PlaceId {
        match what {
            What::Semaphore | What::Group => self.places.user(stack),
            _ => self.places.near(stack),
        }
    }

    /// What a wait is for, as far as its beginning tells.
    fn what(&self, reason: StringId, stack: StackId) -> Option<(What, Class)> {
        let dict = &self.index.dict;
        let class = self.reasons.get(self.reasons.refine(dict, reason, stack, Waker::Runtime)).class;
        let what = match class {
            Class::Lock => What::Lock,
            Class::Send | Class::Receive => What::Channel,
            Class::Cond => What::Cond,
            Class::Group => What::Group,
            Class::Once => What::Once,
            // One that parks in the runtime's semaphores without `sync` is the runtime's own affair.
            Class::Semaphore if dict.str(reason) != "sync" => What::Semaphore,
            _ => return None,
        };
        Some((what, class))
    }

    /// What is known of a wait when it begins.
    pub fn early(&mut self, reason: StringId, stack: StackId) -> Early {
        let dict = &self.index.dict;
        let id = self.reasons.refine(dict, reason, stack, Waker::Runtime);
        let Some((what, side)) = self.what(reason, stack) else {
            let late = self.reasons.get(id).class == Class::Select || !reason.is_some() && !stack.is_some();
            return if late { Early::Late } else { Early::Never };
        };
        let line = self.line(what, stack);
        if what == What::Channel {
            // A channel through which no goroutine ever woke anyone is a timer's, or the runtime's own; but timers never
            // make anyone wait who sends.
            let joined = side == Class::Send || self.parent.contains_key(&(what, line));
            if !joined || self.of_runtime(line) {
                return Early::Never;
            }
        }
        Early::Known(Site { node: self.root((what, line)), line, reason: id, side, order: self.order(side, stack) })
    }

    /// In which of the queues of a lock or channel a wait is.
    fn order(&self, side: Class, stack: StackId) -> Order {
        let is = |of: &[bool]| of.get(stack.0 as usize).copied().unwrap_or(false);
        match side {
            Class::Send => Order::Senders,
            Class::Receive => Order::Receivers,
            Class::Lock if is(&self.mutex) => Order::Mutex,
            Class::Lock if is(&self.reading) => Order::Readers,
            _ => Order::Unknown,
        }
    }

    /// What a wait that `by` ended in `by_stack` was for, where its beginning did not tell.
    pub fn late(&mut self, reason: StringId, stack: StackId, (by, by_stack): (GoIdx, StackId)) -> Option<Site> {
        let dict = &self.index.dict;
        let waker = self.reasons.waker(dict, (reason, stack), by, by_stack);
        let (what, side) = match (waker, self.reasons.how(dict, by_stack)?) {
            (Waker::Go(_), How::Send | How::Close) => (What::Channel, Class::Receive),
            (Waker::Go(_), How::Receive) => (What::Channel, Class::Send),
            (Waker::Go(_), How::Release | How::ReadRelease) => (What::Lock, Class::Lock),
            _ => return None,
        };
        let by_line = self.line(what, by_stack);
        if what == What::Channel && (by_line == PlaceId::NONE || self.of_runtime(by_line)) {
            return None;
        }
        let id = self.reasons.refine_ended(dict, (reason, stack), (waker, by_stack));
        // The cases of a select are not joined by its line: each belongs with those who ended it.
        let line = self.line(what, stack);
        Some(Site { node: self.root((what, by_line)), line, reason: id, side, order: self.order(side, stack) })
    }

    fn of_runtime(&self, line: PlaceId) -> bool {
        self.places.get(line).is_some_and(|(f, _)| self.index.dict.owner(f) == Owner::Runtime)
    }

    pub fn root(&mut self, x: Node) -> Node {
        let mut at = x;
        loop {
            let up = *self.parent.entry(at).or_insert(at);
            if up == at {
                break;
            }
            at = up;
        }
        self.parent.insert(x, at);
        at
    }
}
