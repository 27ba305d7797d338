//! Goroutines that are left behind: what is one, decided here for findings, views and `gotrail leaks`.
//!
//! *Certain* are those that the runtime has marked (Go 1.26 and later), and those that wait for a channel that is nil.
//! *Likely* are those that wait, unmarked, at a line where their number rises: over the trace, or from one dump or goroutine
//! profile to the next. *Possible* are those that nobody ever woke, which a worker that has had no work yet resembles.
//! Everything else that waits is none, a pool of workers above all.

mod census;
mod inversion;
mod stuck;

pub use census::{Census, Counted, Site};
pub use inversion::{Inversion, Waits, inversions};
pub use stuck::{Standing, Stuck, stuck};

use crate::analysis::rising::{Slope, slope};
use crate::analysis::waits::links::Links;
use crate::base::{Duration, GoId, GoIdx};
use crate::model::dict::without_types;
use crate::model::ownership::is_below_all;
use crate::model::{Class, Index};
use crate::profile::dump::{Dump, Frame, Goroutine};
use crate::profile::model::Profile;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// How sure it is that goroutines are leaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sure {
    /// Nothing can wake them.
    Certain,
    /// Their number rises.
    Likely,
    /// Nobody ever woke one.
    Possible,
    /// There is no sign of it.
    No,
}

/// Why it is so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Why {
    /// The runtime has marked them.
    Marked,
    /// The channel is nil.
    Nil,
    /// Their number rises in the trace, by so much a second.
    Rises(Slope),
    /// Their number rises from one dump or profile to the next.
    RisesBetween,
    /// Nobody ever woke one at this line, in the trace.
    NeverWoken,
    /// Their number does not rise.
    Steady,
    /// There is one dump or profile: nothing to compare it with.
    Alone,
    /// By a dump they wait for the same lock as others, of which it is so.
    SameLock,
}

/// For how long a goroutine has been blocked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Age {
    /// This long.
    pub time: Duration,
    /// At least: it began before the trace, or was told in whole minutes.
    pub at_least: bool,
}

/// Goroutines that start in one function and are blocked at one line.
#[derive(Clone, PartialEq, Debug)]
pub struct Leak {
    /// How sure it is that they are leaks.
    pub sure: Sure,
    /// Why.
    pub why: Why,
    /// How many.
    pub count: u64,
    /// Where they are blocked.
    pub site: Site,
    /// The source file of that line. Not escaped.
    pub file: String,
    /// What they wait for. Not escaped.
    pub reason: String,
    /// Where they are made, as dumps have it: the function with the `go` statement.
    pub created: Option<Frame>,
    /// The line of the user's that led to it, where that is another one: traces tell it.
    pub called: Option<Frame>,
    /// For how long the one that waits longest has been blocked.
    pub oldest: Option<Age>,
    /// Their numbers, ascending, as far as they are known.
    pub ids: Vec<u64>,
    /// How many were blocked there in each dump and goroutine profile, in order.
    pub counts: Vec<u64>,
    /// Bytes in use that goroutines which start in this function have allocated, by the heap profile.
    pub bytes: Option<i64>,
    /// Their labels, and how many have each; dumps tell them.
    pub labels: Vec<(String, String, u64)>,
    /// Of those that wait for locks, who else does.
    pub queue: Option<Queue>,
}

/// Goroutines that wait for locks at other lines as well: where it is one lock, all of them have one cause.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Queue {
    /// The addresses of the locks, by a dump; empty without one.
    pub locks: BTreeSet<u64>,
    /// How many goroutines wait at other lines for one of these locks; without a dump, for any.
    pub others: u64,
    /// At how many other lines.
    pub lines: u64,
}

/// What was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Looked {
    /// The file. Not escaped.
    pub name: String,
    /// What it is.
    pub what: What,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A dump, or a goroutine profile.
    Census {
        /// Whether it is a dump.
        dump: bool,
        /// Goroutines in it.
        all: u64,
        /// How many of them are marked.
        marked: u64,
        /// How many of its numbers are goroutines of the trace, of the same start function.
        in_trace: u64,
        /// Whether it is of another process than the trace, or than the first dump if there is no trace, and so left out.
        foreign: bool,
    },
    /// A heap profile.
    Heap,
    /// Anything else, which says nothing of goroutines.
    LeftOut,
}

/// What stands beside a trace, or alone.
pub enum Beside<'a> {
    /// A dump.
    Dump(&'a Dump),
    /// A profile.
    Profile(&'a Profile),
}

/// A trace that has been read whole, and what is blocked when it ends.
#[derive(Clone, Copy)]
pub struct Traced<'a> {
    /// Its index.
    pub index: &'a Index,
    /// All its waits.
    pub links: &'a Links,
    /// What is blocked, by [`stuck()`] of these.
    pub stuck: &'a [Stuck],
}

/// What is left behind.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Leaks {
    /// By how sure it is, those with the most first.
    pub leaks: Vec<Leak>,
    /// What was looked at beside the trace.
    pub looked: Vec<Looked>,
    /// Locks that are likely taken in different orders, by the last dump.
    pub inversions: Vec<Inversion>,
}

impl Leaks {
    /// How many goroutines there are of which it is so sure.
    pub fn count(&self, sure: Sure) -> u64 {
        self.leaks.iter().filter(|l| l.sure == sure).map(|l| l.count).sum()
    }
}

/// What all sources say of one site.
#[derive(Default)]
struct Known<'a> {
    file: String,
    reason: String,
    created: Option<Frame>,
    called: Option<Frame>,
    stuck: Vec<&'a Stuck>,
    /// One for each census that has all goroutines.
    counts: Vec<u64>,
    /// Of the last such census.
    last: Counted,
    marked: Counted,
}

/// Puts together what a trace, dumps and profiles of one process say. Dumps and profiles are in the order of time.
pub fn leaks(trace: Option<Traced<'_>>, beside: &[(String, Beside<'_>)]) -> Leaks {
    let mut known: BTreeMap<Site, Known> = BTreeMap::new();
    if let Some(t) = &trace {
        of_trace(t, &mut known);
    }
    let mut out = Leaks::default();
    let mut heap = None;
    let mut censuses = 0;
    let mut first: Option<&Dump> = None;
    for (name, b) in beside {
        let (census, dump) = match b {
            Beside::Dump(d) => (Some(Census::of_dump(d)), Some(*d)),
            Beside::Profile(p) => {
                if p.sample_types.iter().any(|t| p.str(t.kind) == "inuse_space") {
                    heap = Some(*p);
                }
                (Census::of_profile(p), None)
            }
        };
        let what = match (census, b) {
            (Some(c), _) => {
                let (in_trace, foreign) = joined(trace, first, dump);
                first = first.or(dump.filter(|_| !foreign));
                if !foreign {
                    if let Some(d) = dump {
                        out.inversions = inversions(d);
                        out.inversions.iter_mut().for_each(|i| i.beside(|id| blocked_at_end(trace, id)));
                    }
                    add(&mut known, &c, censuses);
                    censuses += usize::from(!c.marked_only);
                }
                What::Census { dump: dump.is_some(), all: c.all, marked: c.marked, in_trace, foreign }
            }
            (None, Beside::Profile(p)) if heap.is_some_and(|h| std::ptr::eq(h, *p)) => What::Heap,
            _ => What::LeftOut,
        };
        out.looked.push(Looked { name: name.clone(), what });
    }
    for (site, mut k) in known {
        k.counts.resize(censuses, 0);
        rows(trace, site, &k, &mut out.leaks);
    }
    queues(&mut out.leaks);
    if let Some(p) = heap {
        let bytes = in_use(p);
        out.leaks.iter_mut().for_each(|l| l.bytes = bytes.get(&*l.site.entry).copied());
    }
    out.leaks.sort_by(|a, b| (a.sure, b.count, &a.site).cmp(&(b.sure, a.count, &b.site)));
    out
}

/// Whether a goroutine is blocked on a lock when the trace ends; nothing if the trace does not know it.
fn blocked_at_end(trace: Option<Traced<'_>>, id: u64) -> Option<bool> {
    let t = trace?;
    let go = t.index.find_goroutine(GoId(id), t.index.end)?;
    let mut locked = t.stuck.iter().filter(|s| s.class == Class::Lock).flat_map(|s| &s.goroutines);
    Some(locked.any(|g| g.0 == go))
}

/// Puts together those who wait for one lock at several lines: what is sure of some is so of all of them.
fn queues(leaks: &mut [Leak]) {
    let all: Vec<(Queue, u64, Sure)> = leaks.iter().filter_map(|l| Some((l.queue.clone()?, l.count, l.sure))).collect();
    let same = |a: &Queue, b: &Queue| a.locks.is_empty() || b.locks.is_empty() || !a.locks.is_disjoint(&b.locks);
    let waiting = leaks.iter_mut().filter_map(|l| Some((l.queue.as_mut()?, &mut l.sure, &mut l.why)));
    for (i, (queue, sure, why)) in waiting.enumerate() {
        let others = all.iter().enumerate().filter(|(n, o)| *n != i && same(&o.0, queue)).map(|o| o.1);
        let (count, lines, best) = others.fold((0u64, 0, *sure), |(count, lines, best), o| {
            let known = !o.0.locks.is_empty() && !queue.locks.is_empty();
            (count.saturating_add(o.1), lines + 1, if known { best.min(o.2) } else { best })
        });
        (queue.others, queue.lines) = (count, lines);
        if best < *sure {
            (*sure, *why) = (best, Why::SameLock);
        }
    }
}

fn of_trace<'a>(t: &Traced<'a>, known: &mut BTreeMap<Site, Known<'a>>) {
    for s in t.stuck {
        let (places, dict) = (&t.links.places, &t.index.dict);
        let frame = |p| {
            let (f, line) = places.get(p)?;
            Some(Frame { func: dict.func_name(f).to_owned(), file: dict.func_file(f).to_owned(), line })
        };
        let at = frame(s.key.at).unwrap_or_default();
        let site = Site::new(t.index.group_name(s.key.waiter), &at.func, at.line);
        let k = known.entry(site).or_default();
        k.file = at.file;
        k.reason = t.links.reasons.get(s.key.reason).name;
        let made = s.goroutines.iter().filter_map(|g| t.index.goroutine(g.0)).find(|g| g.created_at.is_some());
        let leaf = |s| {
            let f = dict.stack(s).next()?;
            Some(Frame {
                func: dict.func_name(f.func).to_owned(),
                file: dict.func_file(f.func).to_owned(),
                line: f.line,
            })
        };
        k.created = made.and_then(|g| leaf(g.created_at));
        k.called = made.and_then(|g| frame(places.user(g.created_at))).filter(|c| Some(c) != k.created.as_ref());
        k.stuck.push(s);
    }
}

/// Adds what a census says; `n` have been added before it that have all goroutines.
fn add(known: &mut BTreeMap<Site, Known>, c: &Census, n: usize) {
    if !c.marked_only {
        known.values_mut().for_each(|k| k.last = Counted::default());
    }
    if c.marked > 0 {
        known.values_mut().for_each(|k| k.marked = Counted::default());
    }
    for (site, counted) in &c.sites {
        let k = known.entry(site.clone()).or_default();
        if k.file.is_empty() {
            k.file.clone_from(&counted.file);
        }
        if k.reason.is_empty() {
            k.reason.clone_from(&counted.reason);
        }
        k.created = k.created.take().or_else(|| counted.created.clone());
        if counted.marked > 0 {
            k.marked = counted.clone();
        }
        if !c.marked_only {
            k.counts.resize(n, 0);
            k.counts.push(counted.count);
            k.last = counted.clone();
        }
    }
}

/// How many goroutines of a dump are in the trace, and whether it is of another process: most that have the number of one
/// in the trace start in another function. Without a trace they are held against the first dump.
fn joined(trace: Option<Traced<'_>>, first: Option<&Dump>, dump: Option<&Dump>) -> (u64, bool) {
    let Some(d) = dump else { return (0, false) };
    let entry = |d: &Dump, g: &Goroutine| d.stack(g).next_back().map_or(String::new(), |f| f.func.clone());
    let known: FxHashMap<u64, String> = match (trace, first) {
        // Of two with one number the later one: numbers come again in another process only.
        (Some(t), _) => {
            let all = t.index.goroutines.iter().zip(0u32..);
            all.map(|(g, i)| (g.id.0, t.index.goroutine_name(GoIdx(i)).to_owned())).collect()
        }
        // The first goroutine starts in the same function in each program.
        (None, Some(f)) => f.goroutines.iter().filter(|g| g.id != 1).map(|g| (g.id, entry(f, g))).collect(),
        (None, None) => return (0, false),
    };
    let (mut same, mut other) = (0u64, 0u64);
    for g in &d.goroutines {
        let (Some(name), entry) = (known.get(&g.id), entry(d, g)) else { continue };
        if !name.is_empty() && !entry.is_empty() {
            *(if without_types(name) == without_types(&entry) { &mut same } else { &mut other }) += 1;
        }
    }
    (if trace.is_some() { same } else { 0 }, other > same)
}

/// Whether the number at a site rises from one census to the next.
fn rises(counts: &[u64]) -> bool {
    match counts.len() {
        0 | 1 => false,
        2 | 3 => counts.windows(2).all(|w| w[1] > w[0]),
        _ => {
            let points: Vec<_> = counts.iter().enumerate().map(|(i, &n)| (i as f64, n as f64)).collect();
            slope(&points).is_some_and(|s| s.low > 0.0)
        }
    }
}

/// The goroutines of a site: those that are leaks for certain, and the rest.
fn rows(trace: Option<Traced<'_>>, site: Site, k: &Known<'_>, out: &mut Vec<Leak>) {
    let marked: BTreeSet<u64> = k.marked.ids.iter().filter(|g| g.1).map(|g| g.0).collect();
    let in_trace = || {
        let of = trace.iter().flat_map(|t| k.stuck.iter().flat_map(|s| &s.goroutines).map(|g| (t.index, *g)));
        of.filter_map(|(index, (g, from))| Some((index.goroutine(g)?.id.0, index.recorded(index.process(g)), from)))
    };
    let mut ids: BTreeSet<u64> = in_trace().map(|g| g.0).collect();
    let nil = k.stuck.iter().any(|s| s.standing == Standing::Nil);
    let rise = k.stuck.iter().find_map(|s| if let Standing::Rising(s) = s.standing { Some(s) } else { None });
    let never = k.stuck.iter().any(|s| s.standing == Standing::NeverWoken);
    let between = rises(&k.counts);
    // Where only dumps rise, or nothing is traced, they tell who is left.
    if rise.is_none() && between || k.stuck.is_empty() {
        ids = k.last.ids.iter().map(|g| g.0).collect();
    }
    let all = if ids.is_empty() { k.last.count } else { ids.len() as u64 };
    let certain = if nil { all.max(k.marked.marked) } else { k.marked.marked };
    let oldest = |of: &dyn Fn(u64) -> bool| {
        let waits = in_trace()
            .filter(|g| of(g.0))
            .map(|(_, (first, last), from)| Age { time: last - from, at_least: from <= first });
        let told = [&k.last, &k.marked].into_iter().filter_map(|c| c.minutes);
        waits.chain(told.map(|m| Age { time: minutes(m), at_least: true })).max()
    };
    let locks: BTreeSet<u64> = k.last.locks.iter().chain(&k.marked.locks).copied().collect();
    let waits = !locks.is_empty() || k.stuck.iter().any(|s| s.class == Class::Lock);
    let queue = waits.then_some(Queue { locks, ..Queue::default() });
    let leak = |sure, why, count, ids: Vec<u64>, oldest| Leak {
        sure,
        why,
        count,
        site: site.clone(),
        file: k.file.clone(),
        reason: k.reason.clone(),
        created: k.created.clone(),
        called: k.called.clone(),
        oldest,
        ids,
        counts: k.counts.clone(),
        bytes: None,
        labels: {
            let from = if sure == Sure::Certain && k.marked.count > 0 { &k.marked } else { &k.last };
            from.labels.iter().map(|((key, value), &n)| (key.clone(), value.clone(), n)).collect()
        },
        queue: queue.clone(),
    };
    if certain > 0 {
        let who: Vec<u64> = if nil { ids.iter().copied().collect() } else { marked.iter().copied().collect() };
        let why = if k.marked.marked > 0 { Why::Marked } else { Why::Nil };
        let of = |id| nil || marked.is_empty() || marked.contains(&id);
        out.push(leak(Sure::Certain, why, certain, who, oldest(&of)));
    }
    ids.retain(|id| !marked.contains(id));
    // A profile marks some of them without saying which.
    let rest = if marked.is_empty() || ids.is_empty() { all.saturating_sub(certain) } else { ids.len() as u64 };
    if rest == 0 || nil {
        return;
    }
    let (sure, why) = match rise {
        Some(slope) => (Sure::Likely, Why::Rises(slope)),
        None if between => (Sure::Likely, Why::RisesBetween),
        None if never => (Sure::Possible, Why::NeverWoken),
        None if k.stuck.is_empty() && k.counts.len() < 2 => (Sure::No, Why::Alone),
        None => (Sure::No, Why::Steady),
    };
    let of = |id| ids.contains(&id);
    out.push(leak(sure, why, rest, ids.iter().copied().collect(), oldest(&of)));
}

fn minutes(n: u64) -> Duration {
    Duration(i64::try_from(n).unwrap_or(i64::MAX).saturating_mul(60_000_000_000))
}

/// By start function, the bytes in use that its goroutines have allocated.
fn in_use(p: &Profile) -> BTreeMap<&str, i64> {
    let mut out: BTreeMap<&str, i64> = BTreeMap::new();
    let Some(value) = p.sample_types.iter().position(|t| p.str(t.kind) == "inuse_space") else { return out };
    for s in &p.samples {
        let locations = p.stack_of(s).iter().rev().filter_map(|&l| p.locations.get(l as usize));
        let mut funcs = locations.flat_map(|l| p.lines[l.lines.range()].iter().rev());
        let name = funcs.find_map(|l| {
            let name = p.str(p.functions.get(l.function as usize)?.name);
            (!is_below_all(name)).then_some(name)
        });
        if let Some(name) = name {
            let sum = out.entry(name).or_default();
            *sum = sum.saturating_add(p.values_of(s).get(value).copied().unwrap_or(0));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::dump;

    /// A goroutine that waits for a lock at a line.
    fn waits(id: u64, lock: u64, line: u32) -> String {
        format!(
            "goroutine {id} [sync.Mutex.Lock]:\nsync.(*Mutex).lockSlow({lock:#x})\n\t/go/mutex.go:171 +0x15d\n\
             main.f{line}()\n\t/app/main.go:{line} +0x9c\ncreated by main.main in goroutine 1\n\t/app/main.go:9 +0x5e\n\n"
        )
    }

    #[test]
    fn those_who_wait_for_one_lock_have_one_cause() {
        let (one, other) = (0xc000014008, 0xc000026008);
        let dump = |more: u64| {
            let mut text = waits(1, one, 10) + &waits(2, other, 30);
            (0..more).for_each(|i| text += &waits(10 + i, one, 20));
            dump::read(text.as_bytes()).dumps.remove(0)
        };
        let dumps = [dump(2), dump(4)];
        let beside: Vec<(String, Beside)> = dumps.iter().map(|d| ("dump".into(), Beside::Dump(d))).collect();
        let found = leaks(None, &beside).leaks;
        let of = |line| found.iter().find(|l| l.site.line == line).unwrap();
        let said = |line| (of(line).sure, of(line).why, of(line).queue.as_ref().map(|q| (q.others, q.lines)));
        assert_eq!(said(20), (Sure::Likely, Why::RisesBetween, Some((1, 1))));
        assert_eq!(said(10), (Sure::Likely, Why::SameLock, Some((4, 1))), "it does not rise, the queue does");
        assert_eq!(said(30), (Sure::No, Why::Steady, Some((0, 0))), "the other lock's");
    }
}
