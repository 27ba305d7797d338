//! What is in a trace, as numbers: the facts that Go's own reader states too, and a few of ours.

use crate::base::{Duration, StackId, StringId};
use crate::model::ownership::is_core;
use crate::model::reasons::FOREVER;
use crate::model::segment::Kind;
use crate::model::totals::{Party, SpanTally};
use crate::model::{Dict, Frame, Goroutine, Index};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many and how long.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RangeFact {
    /// How many ended.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
}

/// The goroutines of one name; times in ns.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GoroutineFact {
    /// How many goroutines.
    pub count: u64,
    /// Time on a P.
    pub exec_ns: i64,
    /// Time runnable, as Go's summarizer counts it: of a goroutine that is in a syscall at the trace's end, the time since the
    /// syscall lost its P is in it, too. `groups` has the time without that.
    pub sched_wait_ns: i64,
    /// Time in syscalls with a P, with the same addition.
    pub syscall_ns: i64,
    /// Time in syscalls whose P was taken away.
    pub syscall_block_ns: i64,
    /// Time blocked, by reason in the runtime's words.
    pub blocked_ns: BTreeMap<String, i64>,
    /// How long they lived, inside the trace.
    pub total_ns: i64,
}

/// A metric's values.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricFact {
    /// How many values.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// The last.
    pub last: u64,
}

/// Tasks or regions of one name.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TaskFact {
    /// How many.
    pub count: u64,
    /// How many of them both begin and end in the trace.
    pub complete: u64,
    /// The sum of those.
    pub total_ns: i64,
    /// The sum of all, those that miss an end with the time that they were there in the trace. Go's reader has no such sum.
    #[serde(skip)]
    pub inside_ns: i64,
}

/// Waits for one reason in one place that were ended in one place.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkFact {
    /// The start function of those who were blocked.
    pub waiting: String,
    /// Why, in the runtime's words.
    pub reason: String,
    /// The line nearest to the leaf outside of the runtime, as `func file:line`.
    pub waiter_at: String,
    /// The start function of the goroutine that ended the wait; empty if none did.
    pub waker: String,
    /// Its line.
    pub waker_at: String,
    /// How many waits.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
}

/// What an off-CPU profile of one kind would contain.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProfileFact {
    /// How many stretches of time.
    pub records: u64,
    /// Their sum.
    pub total_ns: i64,
}

/// The stable machine form of a trace's summary: `summary --format json` prints it.
#[derive(Serialize, Clone, PartialEq, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// How many events, with the one that Go's reader adds at the end.
    pub events: u64,
    /// The time of the first event.
    pub start_ns: i64,
    /// The time of the last.
    pub end_ns: i64,
    /// Events by kind, as Go's reader calls them.
    pub kinds: BTreeMap<String, u64>,
    /// How often goroutines went from one state to another, and why.
    pub goroutine_transitions: BTreeMap<String, u64>,
    /// How often Ps did.
    pub proc_transitions: BTreeMap<String, u64>,
    /// Goroutines by start function.
    pub goroutines_by_name: BTreeMap<String, GoroutineFact>,
    /// Ranges that ended: of GC, of stop-the-world (STW), by name.
    pub ranges: BTreeMap<String, RangeFact>,
    /// Metrics by name.
    pub metrics: BTreeMap<String, MetricFact>,
    /// Tasks by name.
    pub tasks: BTreeMap<String, TaskFact>,
    /// Regions by name.
    pub regions: BTreeMap<String, TaskFact>,
    /// Log messages by category.
    pub logs: BTreeMap<String, u64>,
    /// How many CPU samples.
    pub cpu_samples: u64,
    /// By the function that ran.
    pub cpu_samples_by_leaf: BTreeMap<String, u64>,
    /// By every function on the stack.
    pub cpu_samples_by_function: BTreeMap<String, u64>,
    /// Those in assignments to maps, by the line that assigns, as `func file:line`.
    pub mapassign_samples_by_caller_line: BTreeMap<String, u64>,
    /// Waits that began and ended in the trace, summed up.
    pub links: Vec<LinkFact>,
    /// What the profiles of `go tool trace` would contain.
    pub profiles: BTreeMap<String, ProfileFact>,
    /// Version of the format in the header: `go 1.26`.
    pub format: String,
    /// Goroutines that the trace speaks of.
    pub goroutines: u64,
    /// Ps that the trace speaks of.
    pub procs: u64,
    /// Threads that the trace speaks of.
    pub threads: u64,
    /// Whether the file was read to its end.
    pub complete: bool,
    /// What could not be read, in sentences.
    pub lost: Vec<String>,
}

/// States the facts of an index.
pub fn summarize(index: &Index) -> Summary {
    let t = &index.totals;
    let text = |id: StringId| index.dict.str(id).to_owned();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for &k in Kind::ALL {
        if t.of_kind(k) > 0 {
            *kinds.entry(format!("{:?}", k.class())).or_default() += t.of_kind(k);
        }
    }
    // Go's reader says "sync" once more at the end of the trace.
    *kinds.entry("Sync".into()).or_default() += 1;

    let transitions = t.go_transitions.iter().map(|(&(from, to, reason), &n)| {
        let reason = index.dict.str(reason);
        let space = if reason.is_empty() { "" } else { " " };
        (format!("{}->{}{space}{reason}", from.name(), to.name()), n)
    });
    let span = |m: &rustc_hash::FxHashMap<StringId, SpanTally>| {
        sum_by_key(
            m.iter().map(|(&n, s)| {
                let SpanTally { count, complete, total_ns, .. } = *s;
                (text(n), TaskFact { count, complete, total_ns, inside_ns: s.inside_ns() })
            }),
            |a, b| {
                a.inside_ns = a.inside_ns.saturating_add(b.inside_ns);
                a.count += b.count;
                a.complete += b.complete;
                a.total_ns = a.total_ns.saturating_add(b.total_ns);
            },
        )
    };
    let mut regions = span(&t.regions);
    regions.remove("");

    Summary {
        events: index.event_count(),
        start_ns: index.first.map_or(0, |t| t.0),
        end_ns: index.first.map_or(0, |_| index.end.0),
        kinds,
        goroutine_transitions: sum_by_key(transitions, |a, b| *a += b),
        proc_transitions: sum_by_key(
            t.proc_transitions.iter().map(|(&(a, b), &n)| (format!("{}->{}", a.name(), b.name()), n)),
            |a, b| *a += b,
        ),
        goroutines_by_name: goroutines(index),
        ranges: sum_by_key(
            t.ranges.iter().map(|(&n, r)| (text(n), RangeFact { count: r.count, total_ns: r.total.ns() })),
            |a, b| {
                a.count += b.count;
                a.total_ns = a.total_ns.saturating_add(b.total_ns);
            },
        ),
        metrics: [
            ("/sched/gomaxprocs:threads", t.gomaxprocs),
            ("/memory/classes/heap/objects:bytes", t.heap_alloc),
            ("/gc/heap/goal:bytes", t.heap_goal),
        ]
        .into_iter()
        .filter(|(_, m)| m.count > 0)
        .map(|(n, m)| (n.into(), MetricFact { count: m.count, min: m.min, max: m.max, last: m.last }))
        .collect(),
        tasks: span(&t.tasks),
        regions,
        logs: sum_by_key(t.logs.iter().map(|(&c, &n)| (text(c), n)), |a, b| *a += b),
        cpu_samples: t.of_kind(Kind::CpuSample),
        cpu_samples_by_leaf: by_leaf(index),
        cpu_samples_by_function: by_function(index),
        mapassign_samples_by_caller_line: mapassign(index),
        links: links(index),
        profiles: profiles(index),
        format: format!("go {}.{}", index.version.0, index.version.1),
        goroutines: index.goroutines.iter().filter(|g| g.events > 0).count() as u64,
        procs: index.procs.len() as u64,
        threads: index.threads.len() as u64,
        complete: index.complete,
        lost: index.losses.clone(),
    }
}

fn sum_by_key<V: Default>(
    items: impl Iterator<Item = (String, V)>,
    mut add: impl FnMut(&mut V, V),
) -> BTreeMap<String, V> {
    let mut out = BTreeMap::new();
    for (k, v) in items {
        add(out.entry(k).or_default(), v);
    }
    out
}

fn goroutines(index: &Index) -> BTreeMap<String, GoroutineFact> {
    let mut out: BTreeMap<String, GoroutineFact> = BTreeMap::new();
    for g in index.goroutines.iter().filter(|g| g.events > 0) {
        let f = out.entry(index.dict.func_name(g.entry).to_owned()).or_default();
        f.count += 1;
        // Go's summarizer forgets the earlier lives of a goroutine that came back.
        let mut times = g.times;
        if let Some(e) = g.earlier() {
            times.sub(&e.times);
        }
        f.exec_ns = f.exec_ns.saturating_add(times.running.ns());
        // Go's summarizer counts a syscall that is still under way at the end as if it had kept its P, and the time
        // without it once more as time spent runnable.
        f.sched_wait_ns = f.sched_wait_ns.saturating_add((times.runnable + g.lost_at_end()).ns());
        f.syscall_ns = f.syscall_ns.saturating_add((times.syscall + g.lost_at_end()).ns());
        f.syscall_block_ns = f.syscall_block_ns.saturating_add((times.syscall_blocked - g.lost_at_end()).ns());
        // Nor does it count a wait that can have no end.
        let forever = g.gone().map_or(Duration::ZERO, |t| index.end - t);
        f.total_ns = f.total_ns.saturating_add((life(index, g) - forever).ns());
        for &(reason, d) in &g.blocked {
            let earlier = g.earlier().and_then(|e| e.blocked.iter().find(|b| b.0 == reason));
            let d = d - earlier.map_or(Duration::ZERO, |e| e.1);
            let never = g.gone().is_some() && index.dict.str(reason) == FOREVER;
            if d != Duration::ZERO && !never {
                let sum = f.blocked_ns.entry(index.dict.str(reason).to_owned()).or_default();
                *sum = sum.saturating_add(d.ns());
            }
        }
    }
    out
}

/// How long a goroutine was there: until it ended, or the trace did.
pub fn life(index: &Index, g: &Goroutine) -> Duration {
    g.ended.unwrap_or(index.end) - g.from
}

fn place(dict: &Dict, f: Frame) -> String {
    format!("{} {}:{}", dict.func_name(f.func), dict.func_file(f.func), f.line)
}

fn by_leaf(index: &Index) -> BTreeMap<String, u64> {
    let leaves = index.totals.samples.iter().filter_map(|(&s, &n)| {
        let leaf = index.dict.frame_of(index.dict.leaf(s)?);
        Some((index.dict.func_name(leaf.func).to_owned(), n))
    });
    sum_by_key(leaves, |a, b| *a += b)
}

fn by_function(index: &Index) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for (&s, &n) in &index.totals.samples {
        let mut names: Vec<&str> = index.dict.stack(s).map(|f| index.dict.func_name(f.func)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *out.entry(name.to_owned()).or_default() += n;
        }
    }
    out
}

fn mapassign(index: &Index) -> BTreeMap<String, u64> {
    let dict = &index.dict;
    let callers = index.totals.samples.iter().filter_map(|(&s, &n)| {
        let mut frames = dict.stack(s);
        frames.find(|f| dict.func_name(f.func).starts_with("runtime.mapassign"))?;
        let caller = frames.find(|f| !is_core(dict.func_name(f.func)))?;
        Some((place(dict, caller), n))
    });
    sum_by_key(callers, |a, b| *a += b)
}

/// The frame of a stack nearest to the leaf outside the runtime, in words; empty for an empty stack. It is what
/// `traceoracle` names, and not always the line of user code that the views name.
fn near_place(dict: &Dict, stack: StackId) -> String {
    dict.near_frame(stack).map_or(String::new(), |f| place(dict, dict.frame_of(f)))
}

fn links(index: &Index) -> Vec<LinkFact> {
    let name = |p: Party| match p {
        Party::Nobody => String::new(),
        Party::Go(g) => index.start_of(g).to_owned(),
        Party::Group(g) => index.start_function(g).to_owned(),
    };
    let mut sums: BTreeMap<[String; 5], (u64, i64)> = BTreeMap::new();
    for (l, t) in &index.totals.links {
        let key = [
            name(l.waiter),
            index.dict.str(l.reason).to_owned(),
            near_place(&index.dict, l.waiter_stack),
            name(l.waker),
            near_place(&index.dict, l.waker_stack),
        ];
        let sum = sums.entry(key).or_default();
        sum.0 += t.tally.count;
        sum.1 = sum.1.saturating_add(t.tally.total.ns());
    }
    let mut out: Vec<LinkFact> = sums
        .into_iter()
        .map(|([waiting, reason, waiter_at, waker, waker_at], (count, total_ns))| LinkFact {
            waiting,
            reason,
            waiter_at,
            waker,
            waker_at,
            count,
            total_ns,
        })
        .collect();
    out.sort_by_key(|l| std::cmp::Reverse(l.total_ns));
    out
}

/// The four profiles of `go tool trace`: which waits each counts follows its rules.
fn profiles(index: &Index) -> BTreeMap<String, ProfileFact> {
    let t = &index.totals;
    let waits = |want: &dyn Fn(&str) -> bool| {
        let mut p = ProfileFact::default();
        for (&reason, tally) in &t.waits {
            if want(index.dict.str(reason)) {
                p.records += tally.count;
                p.total_ns = p.total_ns.saturating_add(tally.total.ns());
            }
        }
        p
    };
    let all = |t: crate::model::tally::Tally| ProfileFact { records: t.count, total_ns: t.total.ns() };
    BTreeMap::from([
        ("net".into(), waits(&|r| r == "network")),
        ("sync".into(), waits(&|r| r.contains("chan") || r.contains("sync") || r.contains("select"))),
        ("syscall".into(), all(t.syscalls)),
        ("sched".into(), all(t.sched)),
    ])
}
