//! What the rules look at: the index, and what the analyses have found, gathered once for all of them.

use super::slow::{Spans, spans};
use crate::analysis::gc::{Collector, Gc};
use crate::analysis::leaks::{Stuck, stuck};
use crate::analysis::maps::{self, Files, Maps};
use crate::analysis::sched::{Cause, Sched, Scheduler};
use crate::analysis::states::interval;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::contention::{Contention, Keeper, contention};
use crate::analysis::waits::links::{self, Edge, Links, Options, Party};
use crate::analysis::waits::retries::{Retry, retries};
use crate::analysis::waits::stw::{self, Stop};
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::build::observe::{Both, Observer, Tables, Watch};
use crate::model::dict::shown_func;
use crate::model::places::{PlaceId, Places};
use crate::model::{Index, Reason};
use crate::read::Trace;
use rustc_hash::FxHashMap;
use std::sync::atomic::AtomicBool;

/// The part of the Ps that the GC leaves to the program, over time.
pub type Utilisation = crate::analysis::gc::Series;

/// What the analyses found, apart from the index.
pub struct Gathered {
    /// All waits, summed up.
    pub links: Links,
    /// Locks, channels and pools that goroutines queue at.
    pub contention: Contention,
    /// Why goroutines that could run did not.
    pub sched: Sched,
    /// What the GC did.
    pub gc: Gc,
    /// Lines that operate on maps.
    pub maps: Maps,
    /// Tasks, regions and requests by name, those with the largest sum first.
    pub spans: Vec<Spans>,
    /// Where goroutines were blocked when the trace ended.
    pub stuck: Vec<Stuck>,
    /// The longest stop of the world that the program or its GC made, and the longest that a tool made.
    pub stops: Vec<Stop>,
    /// Where the goroutine of the program that waited longest for a P after it had called `runtime.Gosched` called it.
    pub yields: PlaceId,
    /// Lines at which goroutines wait with a deadline, and begin again when it has ended the wait.
    pub retries: Vec<Retry>,
}

/// Where the goroutine of the program that waited longest after `runtime.Gosched`, of those that call it most, called it.
fn yields<S: Source>(trace: &S, sched: &Sched, places: &Places) -> PlaceId {
    let at = Cause::ALL.iter().position(|c| *c == Cause::Gosched).unwrap_or_default();
    let mut longest = None;
    trace.with_index(&mut |index| {
        let users = sched.groups.iter().filter(|g| !index.owner(g.group).is_hidden() && g.causes[at].count > 0);
        longest = users.max_by_key(|g| g.causes[at].count).and_then(|g| g.causes[at].longest.some());
    });
    let never = AtomicBool::new(false);
    let wait = longest.and_then(|l| interval::at(trace, l.go, l.from, &never));
    wait.map_or(PlaceId::NONE, |w| places.user(w.stack))
}

/// What has to see every event, while the trace is read or afterwards.
pub struct Watching {
    scheduler: Scheduler,
    collector: Collector,
    keeper: Keeper,
}

impl Default for Watching {
    fn default() -> Watching {
        let all = (Time::MIN, Time::MAX);
        Watching { scheduler: Scheduler::new(all), collector: Collector::new(all), keeper: Keeper::default() }
    }
}

impl Observer for Watching {
    fn unit(&self, start: Time, tables: &Tables, only: bool) -> Box<dyn Watch> {
        Both(&self.keeper, &Both(&self.scheduler, &self.collector)).unit(start, tables, only)
    }
}

impl Gathered {
    /// Mutator utilisation, sweeps taken for work of the GC.
    pub fn mutator(&self) -> Utilisation {
        self.gc.utilisation(true)
    }

    /// Asks the analyses about a trace that has been read whole, and shown to `watched`. `name` is what it is called.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn new<S: Source>(trace: &S, name: Option<&str>, watched: &Watching) -> Result<Gathered, Unanswered> {
        let kept = watched.keeper.take();
        let contention = contention(trace, kept.as_ref())?;
        let files = Files { trace: name, ..Files::default() };
        let maps = maps::of_trace(trace, &contention, &files)?;
        let mut found = None;
        trace.with_index(&mut |index| {
            found = Some((watched.scheduler.finish(index), watched.collector.finish(index)));
        });
        let (sched, gc) = found.ok_or(Unanswered::NoTrace)?;
        let (links, spans) = (links::links(trace, Options::default())?, spans(trace)?);
        let stuck = stuck(trace, &links, kept.as_ref())?;
        let mut stops = Ok(Vec::new());
        trace.with_index(&mut |index| stops = stw::longest(trace, index));
        let (stops, retries) = (stops?, retries(trace, &links, kept.as_ref())?);
        let yields = yields(trace, &sched, &links.places);
        Ok(Gathered { links, contention, sched, gc, maps, spans, stuck, stops, yields, retries })
    }

    /// The same of a trace that was read with nobody watching: a further pass over its events, which ends when `cancel` is
    /// set. `progress` is told what part of them has been seen.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded; `cancel` was set.
    pub fn afterwards(
        trace: &Trace,
        progress: &(dyn Fn(f64) + Sync),
        cancel: &AtomicBool,
    ) -> Result<Gathered, Unanswered> {
        let watched = Watching::default();
        if !trace.observe(&watched, progress, cancel) {
            return Err(Unanswered::Unwanted);
        }
        Gathered::new(trace, Some(trace.name()), &watched)
    }
}

/// What the rules look at.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// What is known of the trace.
    pub index: &'a Index,
    /// What the analyses found.
    pub more: &'a Gathered,
}

impl<'a> Facts<'a> {
    /// How long was traced, in seconds, never 0.
    pub fn seconds(&self) -> f64 {
        self.index.traced().as_secs_f64().max(1e-9)
    }

    /// What share of what was traced a time is, in percent.
    pub fn percent(&self, d: Duration) -> f64 {
        d.as_secs_f64() / self.seconds() * 100.0
    }

    /// How many Ps there are at most.
    pub fn procs(&self) -> u64 {
        self.index.gomaxprocs.iter().map(|p| p.1).max().unwrap_or(0).max(self.index.procs.len() as u64).max(1)
    }

    /// Whether a group's goroutines are not the runtime's own.
    pub fn users(&self, g: GroupId) -> bool {
        !self.index.owner(g).is_hidden()
    }

    /// A group's name, short and safe to show.
    pub fn group(&self, g: GroupId) -> String {
        shown_func(self.index.group_name(g))
    }

    /// A line, short and safe to show, in words if it is not known.
    pub fn line(&self, p: PlaceId) -> String {
        self.line_of(&self.more.links.places, p)
    }

    /// The same of a place that an analysis has numbered for itself.
    pub fn line_of(&self, places: &Places, p: PlaceId) -> String {
        match places.line(self.index, p) {
            s if s.is_empty() => "a line that is not known".into(),
            s => s,
        }
    }

    /// The lines of a function.
    pub fn places_of(&self, func: &str) -> Vec<PlaceId> {
        let places = &self.more.links.places;
        let is = |p: &PlaceId| places.get(*p).is_some_and(|(f, _)| self.index.dict.func_name(f) == func);
        (0..places.len() as u32).map(PlaceId).filter(is).collect()
    }

    /// Whether the trace does not say what most waits were for: it was cut before its names.
    pub fn nameless(&self) -> bool {
        let all: u64 = self.waits().map(|e| e.count).sum();
        self.more.contention.unsaid.waits.count.saturating_mul(2) > all
    }

    /// The waits that goroutines of users began, summed up.
    pub fn waits(&self) -> impl Iterator<Item = &'a Edge> {
        let me = *self;
        self.more.links.edges.iter().filter(move |e| me.users(e.key.waiter))
    }

    /// The waits that were still going on at the end.
    pub fn unended(&self) -> impl Iterator<Item = &'a Edge> {
        self.waits().filter(|e| e.key.waker == Party::Nobody)
    }

    /// What a wait is for.
    pub fn reason(&self, e: &Edge) -> Reason {
        self.more.links.reason(e)
    }

    /// For how long a goroutine had stopped the world between two instants: nobody waits meanwhile for what it runs.
    pub fn stopped(&self, by: GoIdx, (from, to): (Time, Time)) -> Duration {
        let stops = &self.index.stw;
        let first = stops.partition_point(|r| r.to <= from);
        let inside = stops[first..].iter().take_while(|r| r.from < to).filter(|r| r.go == by);
        inside.map(|r| r.to.min(to) - r.from.max(from)).sum()
    }

    /// By goroutine, for how long it had stopped the world.
    pub fn stopped_by(&self) -> FxHashMap<GoIdx, Duration> {
        let mut out: FxHashMap<GoIdx, Duration> = FxHashMap::default();
        self.index.stw.iter().for_each(|r| *out.entry(r.go).or_default() += r.to - r.from);
        out
    }

    /// The members of a group.
    pub fn members(&self, g: GroupId) -> &'a [GoIdx] {
        self.index.groups.get(g.0 as usize).map_or(&[], |g| &g.members)
    }
}
