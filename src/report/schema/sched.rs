//! The scheduler as JSON. Lengths of time are whole nanoseconds; instants are on the trace's clock.

use super::{Version, group_name, number};
use crate::analysis::sched::{self, Cause, Depth, GroupSched, Sched, Waits as Sum};
use crate::base::{Duration, GroupId};
use crate::model::Index;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// Why goroutines that could run did not.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json {
    /// The version of this form.
    pub schema: Version,
    /// The window that was looked at, on the trace's clock.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// GOMAXPROCS at its end.
    pub gomaxprocs: u32,
    /// Whether the trace says it; else it is the number of Ps that were seen.
    pub gomaxprocs_stated: bool,
    /// All waits for a P.
    pub waits: Waits,
    /// Those of goroutines that were unblocked or created, or whose syscall returned.
    pub wakeups: Waits,
    /// Those of goroutines that were preempted or yielded.
    pub stops: Waits,
    /// Runnable goroutines.
    pub run_queue: Queue,
    /// Goroutines in syscalls without a P, on a thread each.
    pub syscalls_without_p: Queue,
    /// The Ps, by number.
    pub procs: Vec<Proc>,
    /// By group, those that waited longest in sum first.
    pub groups: Vec<Group>,
}

/// Waits for a P: `total_ns` is the sum of `busy_ns`, `idle_p_ns` and `stw_ns`.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Waits {
    /// How many.
    pub count: u64,
    /// How many of them had not ended when the trace did.
    pub open: u64,
    /// How long in sum.
    pub total_ns: i64,
    /// While every P was busy.
    pub busy_ns: i64,
    /// While a P was idle: the time it takes to wake a thread for it.
    pub idle_p_ns: i64,
    /// While the world was stopped.
    pub stw_ns: i64,
    /// The median, to an eighth.
    pub p50_ns: i64,
    /// 90 % are not longer, to an eighth.
    pub p90_ns: i64,
    /// 99 % are not longer, to an eighth.
    pub p99_ns: i64,
    /// The longest; `null` if there was none.
    pub longest: Option<Stretch>,
}

/// One stretch of time of a goroutine.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Stretch {
    /// The goroutine's number.
    pub g: Option<u64>,
    /// When it began.
    pub from_ns: i64,
    /// How long it was.
    pub ns: i64,
}

/// A number of goroutines over time.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Queue {
    /// The mean.
    pub mean: f64,
    /// 99 % of the time it was not larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// What a P did; the parts sum to the window.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Proc {
    /// Its number.
    pub p: Option<u64>,
    /// With a goroutine that ran.
    pub running_ns: i64,
    /// With a goroutine in a syscall.
    pub syscall_ns: i64,
    /// With a thread and no goroutine: looking for work.
    pub searching_ns: i64,
    /// Without a thread.
    pub idle_ns: i64,
    /// Goroutines that began to run on it.
    pub starts: u64,
    /// Those of them that had run on another P before.
    pub migrations: u64,
}

/// A group of goroutines.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Group {
    /// Their start function; `null` if it is not known.
    pub group: Option<String>,
    /// Their waits for a P.
    pub waits: Waits,
    /// The same by what made them runnable; only causes that there are.
    pub causes: Vec<OfCause>,
    /// What had the Ps while all were busy; sums to `waits.busy_ns`.
    pub behind: Vec<Behind>,
    /// The longest stretch that one kept its P; `null` if none had one.
    pub longest_on_p: Option<Stretch>,
    /// How often one began to run.
    pub starts: u64,
    /// How often on another P than before.
    pub migrations: u64,
}

/// Waits with one cause.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct OfCause {
    /// What made the goroutine runnable: `unblocked`, `created`, `syscall returned`, `preempted`, `Gosched`, `stopped`,
    /// `before the trace`.
    pub cause: &'static str,
    /// The waits.
    pub waits: Waits,
}

/// What had a P meanwhile.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Behind {
    /// The group of the goroutine that had it; `null` if there was none, or it is not known.
    pub group: Option<String>,
    /// Whether that goroutine was in a syscall.
    pub in_syscall: bool,
    /// Its share of the waiting time.
    pub ns: i64,
}

impl Json {
    /// The form of what was found in a trace.
    pub fn new(s: &Sched, index: &Index) -> Json {
        let waits = |w: &Sum| Waits::new(w, index);
        let length = s.length();
        Json {
            schema: Version,
            from_ns: s.from.0,
            to_ns: s.to.0,
            gomaxprocs: s.gomaxprocs,
            gomaxprocs_stated: s.said,
            waits: waits(&s.all),
            wakeups: waits(&s.of(Cause::is_wakeup)),
            stops: waits(&s.of(Cause::is_stop)),
            run_queue: Queue { mean: s.queue_mean(), ..Queue::new(&s.queue) },
            syscalls_without_p: Queue::new(&s.in_syscalls),
            procs: s.procs.iter().map(|p| Proc::new(p, length, index)).collect(),
            groups: s.groups.iter().map(|g| Group::new(g, index)).collect(),
        }
    }
}

impl Waits {
    fn new(w: &Sum, index: &Index) -> Waits {
        let at = |q| w.quantile(q).ns();
        Waits {
            count: w.count,
            open: w.open,
            total_ns: w.parts.total().ns(),
            busy_ns: w.parts.busy.ns(),
            idle_p_ns: w.parts.idle.ns(),
            stw_ns: w.parts.stw.ns(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            longest: w.longest.some().map(|l| Stretch::new(l, index)),
        }
    }
}

impl Stretch {
    fn new(l: sched::Longest, index: &Index) -> Stretch {
        Stretch { g: number(index, l.go), from_ns: l.from.0, ns: l.len.ns() }
    }
}

impl Queue {
    fn new(d: &Depth) -> Queue {
        Queue { mean: d.mean(), p99: d.quantile(0.99), max: d.max() }
    }
}

impl Proc {
    fn new(p: &sched::ProcUse, length: Duration, index: &Index) -> Proc {
        Proc {
            p: index.procs.get(p.proc.index()).map(|p| p.id.0),
            running_ns: p.running.ns(),
            syscall_ns: p.syscall.ns(),
            searching_ns: p.searching.ns(),
            idle_ns: p.idle(length).ns(),
            starts: p.starts,
            migrations: p.migrations,
        }
    }
}

impl Group {
    fn new(g: &GroupSched, index: &Index) -> Group {
        let name = |g: GroupId| group_name(index, g);
        let causes = Cause::ALL.iter().zip(&g.causes).filter(|(_, w)| w.count > 0);
        Group {
            group: name(g.group),
            waits: Waits::new(&g.all, index),
            causes: causes.map(|(c, w)| OfCause { cause: c.name(), waits: Waits::new(w, index) }).collect(),
            behind: g
                .behind
                .iter()
                .map(|b| Behind { group: b.group.and_then(name), in_syscall: b.in_syscall, ns: b.time.ns() })
                .collect(),
            longest_on_p: g.run.map(|l| Stretch::new(l, index)),
            starts: g.starts,
            migrations: g.migrations,
        }
    }
}
