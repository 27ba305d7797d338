//! What the GC did, as JSON. Lengths of time are whole nanoseconds; instants are on the trace's clock; parts are 0 to 1.

use super::{Place, Version, group_name, number};
use crate::analysis::gc::{self, Gc, Trigger, Work};
use crate::base::{GoIdx, StackId, StringId};
use crate::model::Index;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What the GC did.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Json {
    /// The version of this form.
    pub schema: Version,
    /// The window that was looked at, on the trace's clock.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Time in which a cycle was marking.
    pub active_ns: i64,
    /// What of the Ps' time the GC took.
    pub cost: Cost,
    /// The cycles that touch the window.
    pub cycles: Vec<Cycle>,
    /// Stops for the GC.
    pub stops: Vec<Stop>,
    /// Assists by group and line, longest in sum first.
    pub assists: Vec<Assists>,
    /// Minimum mutator utilisation, shortest windows first; the last is the whole.
    pub mmu: Vec<Mmu>,
    /// The windows that have the least of the program, no two of which overlap.
    pub worst: Vec<Worst>,
    /// Bytes that were allocated over the whole trace, as far as the heap's size shows it.
    pub allocated_bytes: u64,
    /// Bytes that were swept over the whole trace.
    pub swept_bytes: u64,
    /// Bytes that were freed over the whole trace.
    pub reclaimed_bytes: u64,
    /// What another GOGC or GOMEMLIMIT would make of the same allocations; what it is now comes first.
    pub what_if: Vec<WhatIf>,
    /// How long goroutines that may have been mark workers ran before the trace says what they are: not counted.
    pub unknown_workers_ns: i64,
}

/// Time of Ps.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Cost {
    /// Of all Ps: GOMAXPROCS times the length.
    pub whole_ns: u64,
    /// Of all Ps, while the world was stopped.
    pub stw_ns: u64,
    /// Of dedicated mark workers.
    pub dedicated_ns: u64,
    /// Of fractional mark workers.
    pub fractional_ns: u64,
    /// Of mark assists.
    pub assist_ns: u64,
    /// Of sweeps.
    pub sweep_ns: u64,
    /// Of idle mark workers, which take nothing away from the program.
    pub idle_ns: u64,
}

/// A cycle, from the beginning of marking to its end.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Cycle {
    /// The runtime's number of its beginning; 0 if it is not known.
    pub seq: u64,
    /// When it began.
    pub from_ns: i64,
    /// When it ended; `null` if it did not.
    pub to_ns: Option<i64>,
    /// It began before the trace.
    pub before_trace: bool,
    /// How long it marked; until the trace's end, if it did not end.
    pub mark_ns: i64,
    /// What began it: `heap`, `runtime.GC`, `periodic`, `unknown`.
    pub cause: &'static str,
    /// The goroutine that began it.
    pub trigger: Who,
    /// Bytes of heap when it began.
    pub heap_start_bytes: Option<u64>,
    /// The heap goal when it began.
    pub goal_bytes: Option<u64>,
    /// Bytes that were found to be live.
    pub live_bytes: Option<u64>,
    /// The heap goal that was set when it ended.
    pub next_goal_bytes: Option<u64>,
    /// Bytes allocated while it marked.
    pub allocated_during_bytes: u64,
    /// Bytes allocated from then until the next one.
    pub allocated_after_bytes: u64,
    /// Bytes swept until the next one.
    pub swept_bytes: u64,
    /// Bytes freed until the next one.
    pub reclaimed_bytes: u64,
    /// Time of Ps with dedicated mark workers.
    pub dedicated_ns: i64,
    /// With fractional ones.
    pub fractional_ns: i64,
    /// With idle ones.
    pub idle_ns: i64,
    /// With assists.
    pub assist_ns: i64,
    /// With sweeps, until the next one.
    pub sweep_ns: i64,
    /// Its stops.
    pub stops: Vec<Stop>,
}

/// Who did something, where.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Who {
    /// The goroutine's number; `null` if it is not known.
    pub g: Option<u64>,
    /// Its start function.
    pub group: Option<String>,
    /// Its line of user code; `null` if it is not known.
    pub at: Option<Place>,
}

/// A stopped world.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Stop {
    /// When it was asked to stop.
    pub from_ns: i64,
    /// How long it took.
    pub ns: i64,
    /// Why, in the runtime's words.
    pub reason: String,
    /// Who stopped it.
    pub by: Who,
    /// It was still stopped when the trace ended.
    pub open: bool,
}

/// Assists of a group at a line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Assists {
    /// Whose, and where.
    pub at: Who,
    /// How many.
    pub count: u64,
    /// From beginning to end, in sum.
    pub wall_ns: i64,
    /// Of that, on a P.
    pub cpu_ns: i64,
    /// The longest, from beginning to end.
    pub longest_ns: i64,
    /// When that was.
    pub longest_from_ns: i64,
}

/// Mutator utilisation in windows of one length.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Mmu {
    /// The length.
    pub window_ns: i64,
    /// The least.
    pub mmu: f64,
    /// When the window begins that has it.
    pub from_ns: i64,
    /// The least where sweeps are not taken for work of the GC.
    pub mmu_without_sweeps: f64,
    /// What 99.9 % of the windows have at least.
    pub p999: f64,
    /// What 99 % have.
    pub p99: f64,
    /// What 95 % have.
    pub p95: f64,
    /// The least that a P leaves to a goroutine that keeps it.
    pub per_goroutine: f64,
}

/// A window that leaves little to the program.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Worst {
    /// When it begins.
    pub from_ns: i64,
    /// How long it is.
    pub ns: i64,
    /// The program's part.
    pub utilisation: f64,
    /// What the rest consists of.
    pub cost: Cost,
}

/// What another setting would make of the same allocations.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct WhatIf {
    /// GOGC in percent; `null` where GOMEMLIMIT alone decides.
    pub gogc: Option<u64>,
    /// The heap goal.
    pub goal_bytes: u64,
    /// How many cycles.
    pub cycles: f64,
    /// The part of all Ps' time that mark workers and assists would take.
    pub cpu: f64,
}

impl Json {
    /// The form of what was found in a trace.
    pub fn new(g: &Gc, index: &Index) -> Json {
        let stop = |s: &gc::Stop| Stop::new(s, index);
        Json {
            schema: Version,
            from_ns: g.from.0,
            to_ns: g.to.0,
            active_ns: g.active.ns(),
            cost: Cost::new(&g.consists),
            cycles: g.cycles.iter().map(|c| Cycle::new(c, index)).collect(),
            stops: g.stops.iter().map(stop).collect(),
            assists: g.assists.iter().map(|a| Assists::new(a, index)).collect(),
            mmu: g.mmu.iter().map(Mmu::new).collect(),
            worst: g
                .worst
                .iter()
                .map(|(w, c)| Worst {
                    from_ns: w.from.0,
                    ns: w.len.ns(),
                    utilisation: w.utilisation,
                    cost: Cost::new(c),
                })
                .collect(),
            allocated_bytes: g.allocated,
            swept_bytes: g.swept,
            reclaimed_bytes: g.reclaimed,
            what_if: g
                .what_if
                .iter()
                .map(|w| WhatIf { gogc: w.gogc, goal_bytes: w.goal, cycles: w.cycles, cpu: w.cpu })
                .collect(),
            unknown_workers_ns: g.unknown.ns(),
        }
    }
}

impl Cost {
    fn new(c: &gc::Consists) -> Cost {
        let ns = |n: u128| n.min(u128::from(u64::MAX)) as u64;
        let of = |w: Work| ns(c.work[w as usize]);
        Cost {
            whole_ns: ns(c.whole),
            stw_ns: ns(c.stw),
            dedicated_ns: of(Work::Dedicated),
            fractional_ns: of(Work::Fractional),
            assist_ns: of(Work::Assist),
            sweep_ns: of(Work::Sweep),
            idle_ns: of(Work::Idle),
        }
    }
}

impl Who {
    fn new(go: GoIdx, stack: StackId, index: &Index) -> Who {
        let place = |f: crate::model::Frame| Place {
            func: index.dict.func_name(f.func).to_owned(),
            file: index.dict.func_file(f.func).to_owned(),
            line: f.line,
        };
        Who {
            g: number(index, go),
            group: index.goroutine(go).and_then(|g| group_name(index, g.group)),
            at: index.dict.user_line(stack).map(place),
        }
    }
}

impl Cycle {
    fn new(c: &gc::Cycle, index: &Index) -> Cycle {
        let of = |w: Work| c.work[w as usize].ns();
        Cycle {
            seq: c.seq,
            from_ns: c.from.0,
            to_ns: c.to.map(|t| t.0),
            before_trace: c.before,
            mark_ns: c.marked(index.end).ns(),
            cause: match c.cause(index) {
                Trigger::Heap => "heap",
                Trigger::Call => "runtime.GC",
                Trigger::Periodic => "periodic",
                Trigger::Unknown => "unknown",
            },
            trigger: Who::new(c.trigger, c.stack, index),
            heap_start_bytes: c.heap_start,
            goal_bytes: c.goal,
            live_bytes: c.live,
            next_goal_bytes: c.next_goal,
            allocated_during_bytes: c.allocated_during,
            allocated_after_bytes: c.allocated_after,
            swept_bytes: c.swept,
            reclaimed_bytes: c.reclaimed,
            dedicated_ns: of(Work::Dedicated),
            fractional_ns: of(Work::Fractional),
            idle_ns: of(Work::Idle),
            assist_ns: of(Work::Assist),
            sweep_ns: of(Work::Sweep),
            stops: c.stops.iter().map(|s| Stop::new(s, index)).collect(),
        }
    }
}

impl Stop {
    fn new(s: &gc::Stop, index: &Index) -> Stop {
        let reason = |r: StringId| index.dict.str(r).to_owned();
        Stop {
            from_ns: s.from.0,
            ns: s.len().ns(),
            reason: reason(s.reason),
            by: Who::new(s.go, s.stack, index),
            open: s.open,
        }
    }
}

impl Assists {
    fn new(a: &gc::Assists, index: &Index) -> Assists {
        let at = Who { group: group_name(index, a.group), ..Who::new(GoIdx::NONE, a.stack, index) };
        Assists {
            at,
            count: a.count,
            wall_ns: a.wall.ns(),
            cpu_ns: a.cpu.ns(),
            longest_ns: a.longest.0.ns(),
            longest_from_ns: a.longest.2.0,
        }
    }
}

impl Mmu {
    fn new(m: &gc::Mmu) -> Mmu {
        Mmu {
            window_ns: m.least.len.ns(),
            mmu: m.least.utilisation,
            from_ns: m.least.from.0,
            mmu_without_sweeps: m.without_sweeps,
            p999: m.p999,
            p99: m.p99,
            p95: m.p95,
            per_goroutine: m.per_goroutine,
        }
    }
}
