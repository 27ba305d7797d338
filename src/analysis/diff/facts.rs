//! What of a trace is compared: how much time went where in each slice of some 100 ms, and how long waits, tasks, regions,
//! requests and calls were.

use super::lengths::Lengths;
use crate::analysis::cost::hits::user_line;
use crate::analysis::spans::rules::Rules;
use crate::analysis::spans::{self as told, KindNo, REGION, TASK};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::{spans, walk};
use crate::analysis::waits::standing;
use crate::base::{Duration, FuncId, GoIdx, GroupId, StackId, StringId, Time};
use crate::model::gaps::Gaps;
use crate::model::reasons::{Class, Reason, ReasonId, Reasons};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Index, Segment, Waker};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The least length of a slice, but for a trace that is shorter.
pub const SLICE: Duration = Duration(100_000_000);
/// Most slices of a trace: beyond, they are longer.
const MOST_SLICES: i64 = 36_000;
/// Between two samples of the CPU profiler, unless a program says otherwise, which its trace does not tell.
const PERIOD: Duration = Duration(10_000_000);
/// What the handler of a request is called that no event tells.
const NO_HANDLER: &str = "(handler not known)";
/// How the functions begin that assign to maps.
const MAP_ASSIGN: &str = "runtime.mapassign";

/// What is measured of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Measure {
    /// Time on CPU: of a group by its states, of a line by CPU samples.
    OnCpu,
    /// Time blocked.
    Blocked,
    /// Time runnable, without a P.
    Runnable,
    /// Time in syscalls.
    Syscall,
    /// Time that it was going on.
    Active,
    /// How long each is.
    Length,
    /// How long the longest in a hundred are.
    Tail,
}

impl Measure {
    /// Whether it is about how long each is, and not about a sum.
    pub fn is_length(self) -> bool {
        matches!(self, Measure::Length | Measure::Tail)
    }
}

impl Measure {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Measure::OnCpu => "on CPU",
            Measure::Blocked => "blocked",
            Measure::Runnable => "runnable",
            Measure::Syscall => "in syscalls",
            Measure::Active => "active",
            Measure::Length => "length",
            Measure::Tail => "p99",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A line of source.
    Line,
    /// A kind of wait at a line.
    Wait,
    /// A user task.
    Task,
    /// A user region.
    Region,
    /// A request that was served, or a call, told without a word of the program's.
    Span,
    /// The goroutines of a start function.
    Group,
    /// The GC: its cycles, or STW.
    Gc,
    /// How long goroutines of a group wait for a P.
    Latency,
}

impl What {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            What::Line => "line",
            What::Wait => "wait",
            What::Task => "task",
            What::Region => "region",
            What::Span => "span",
            What::Group => "group",
            What::Gc => "GC",
            What::Latency => "scheduling latency",
        }
    }
}

/// Something measured, by names that another trace has as well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// What it is.
    pub what: What,
    /// The function, the group, the task, the region, the handler; for the GC which part.
    pub name: String,
    /// The line; 0 for what has none.
    pub line: u32,
    /// What is waited for, `Mutex`; of a span its kind, `http.server`; empty for all else.
    pub reason: String,
    /// What is measured.
    pub measure: Measure,
}

/// What is compared of one trace.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How long was traced: its length without what lies between recordings.
    pub length: Duration,
    /// How many slices that has, all of one length.
    pub slices: usize,
    /// Nanoseconds in each slice.
    pub totals: BTreeMap<Key, Vec<f64>>,
    /// Lengths in nanoseconds, each with the slice that it ended in: all, or of very many a uniform sample.
    pub lengths: BTreeMap<Key, Vec<(u32, f64)>>,
    /// What waits are called that end by themselves after a time.
    pub sleeps: BTreeSet<String>,
    /// How often something of a length was, those included that are not kept.
    pub counts: BTreeMap<Key, u64>,
    /// The longest of each length, in nanoseconds, of all of them.
    pub longest: BTreeMap<Key, f64>,
    /// Whether it has CPU samples.
    pub samples: bool,
    /// How many CPU samples it has.
    pub cpu_samples: u64,
    /// Those in `runtime.mapassign*`.
    pub map_assign: u64,
    /// Objects allocated a second, where heap profiles beside the trace tell.
    pub objects: Option<f64>,
    /// The file of each function with a line here.
    pub files: BTreeMap<String, String>,
}

/// A key by the trace's own handles.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Handle {
    Group(GroupId, Measure),
    Line(FuncId, u32, Measure),
    Wait(ReasonId, FuncId, u32),
    Latency(GroupId),
    Task(StringId),
    Region(StringId),
    Span(KindNo, StringId),
}

/// What a goroutine does.
#[derive(Clone, Copy)]
struct Doing {
    state: GoState,
    since: Time,
    /// Whether its beginning is in the trace.
    begun: bool,
    reason: StringId,
    stack: StackId,
}

struct Walk<'a> {
    index: &'a Index,
    axis: Axis,
    gos: FxHashMap<GoIdx, Doing>,
    lines: FxHashMap<StackId, Option<(FuncId, u32)>>,
    reasons: Reasons,
    totals: FxHashMap<Handle, Vec<f64>>,
    lengths: FxHashMap<Handle, Lengths>,
    /// CPU samples, and those in map assignments.
    samples: (u64, u64),
    assigns: FxHashMap<StackId, bool>,
    /// What kinds of spans are called.
    kinds: Vec<String>,
}

/// The time that was traced, cut into slices of one length.
struct Axis {
    start: Time,
    length: i64,
    slices: i64,
    gaps: Gaps,
}

impl Axis {
    fn of(index: &Index) -> Axis {
        let length = index.traced().ns().max(1);
        let slices = (length / SLICE.ns()).clamp(1, MOST_SLICES);
        Axis { start: index.start, length, slices, gaps: index.gaps() }
    }

    /// How much was traced before an instant.
    fn at(&self, t: Time) -> i64 {
        (self.gaps.squeeze(t) - self.start).ns().clamp(0, self.length)
    }

    /// The slice of an instant, counted in traced time.
    fn slice(&self, at: i64) -> i64 {
        let i = i128::from(at) * i128::from(self.slices) / i128::from(self.length);
        (i as i64).min(self.slices - 1)
    }

    /// Nothing in each slice.
    fn nothing(&self) -> Vec<f64> {
        vec![0.0; self.slices as usize]
    }

    /// Adds the time between two instants to the slices in which it lies.
    fn spread(&self, all: &mut [f64], from: Time, to: Time) {
        let (mut at, to) = (self.at(from), self.at(to));
        while at < to {
            let i = self.slice(at);
            let (next, n) = (i128::from(i + 1) * i128::from(self.length), i128::from(self.slices));
            let end = (((next + n - 1) / n) as i64).min(to);
            let Some(cell) = all.get_mut(i as usize) else { break };
            *cell += (end - at) as f64;
            at = end;
        }
    }
}

impl Facts {
    /// What is compared of a trace that has been read.
    ///
    /// # Errors
    ///
    /// A segment that cannot be decoded.
    pub fn of<S: Source>(source: &S) -> Result<Facts, Unanswered> {
        let cuts = source.cuts();
        let mut out = Ok(Facts::default());
        source.with_index(&mut |index| out = Facts::with(source, index, &cuts));
        out
    }

    fn with<S: Source>(source: &S, index: &Index, cuts: &spans::Cuts) -> Result<Facts, Unanswered> {
        let mut w = Walk {
            index,
            axis: Axis::of(index),
            gos: FxHashMap::default(),
            lines: FxHashMap::default(),
            reasons: Reasons::default(),
            totals: FxHashMap::default(),
            lengths: FxHashMap::default(),
            samples: (0, 0),
            assigns: FxHashMap::default(),
            kinds: Vec::new(),
        };
        walk::segments(source, 0..cuts.len(), walk::threads(), &mut |i, seg| {
            if !cuts.goes_on(i) && i > 0 {
                // Between recordings nothing is known of anyone.
                w.flush(cuts.bounds(i - 1).1);
            }
            let start = cuts.bounds(i).0;
            (0..seg.len()).for_each(|e| w.event(seg, e, start));
            ControlFlow::Continue(())
        })?;
        w.flush(index.end);
        let kinds = told::each(source, Rules::shipped(), &mut |s| {
            // Requests whose handler no event tells are requests all the same.
            if s.complete() && (s.name.is_some() || !matches!(s.kind, TASK | REGION)) {
                let handle = match s.kind {
                    TASK => Handle::Task(s.name),
                    REGION => Handle::Region(s.name),
                    kind => Handle::Span(kind, s.name),
                };
                w.length(handle, s.to, s.len());
            }
        })?;
        w.kinds = kinds;
        Ok(w.finish())
    }
}

impl Walk<'_> {
    fn event(&mut self, seg: &Segment, i: usize, start: Time) {
        let (go, now) = (seg.go[i], seg.time[i]);
        if seg.kind[i] == Kind::CpuSample {
            self.samples.0 += 1;
            self.samples.1 += u64::from(self.assigns_map(seg.stack[i]));
            if let Some((func, line)) = self.line(seg.stack[i]) {
                self.time(Handle::Line(func, line, Measure::OnCpu), now - PERIOD, now);
            }
            return;
        }
        let Some((from, to)) = spans::change(seg, i) else { return };
        if !go.is_some() || self.index.owner_of(go).is_hidden() {
            return;
        }
        if seg.kind[i] == Kind::GoStatus && self.gos.get(&go).is_some_and(|d| d.state == to) {
            return;
        }
        // Of whom nothing was said yet, this says what it did since the trace began.
        let unknown = Doing {
            state: from,
            since: start.max(self.index.start),
            begun: false,
            reason: StringId::NONE,
            stack: StackId::NONE,
        };
        let before = self.gos.remove(&go).unwrap_or(unknown);
        self.stretch(go, before, now, true);
        if to == GoState::NotExist {
            return;
        }
        let reason = match seg.detail(i) {
            Detail::Reason(r) => r,
            _ => StringId::NONE,
        };
        // What waits for a P stands where it stopped, or was blocked before.
        let own = !matches!(seg.kind[i], Kind::GoUnblock | Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoStatus);
        let stack = if own && seg.stack[i].is_some() { seg.stack[i] } else { before.stack };
        let begun = seg.kind[i] != Kind::GoStatus;
        self.gos.insert(go, Doing { state: to, since: now, begun, reason, stack });
    }

    /// A goroutine did something until now.
    fn stretch(&mut self, go: GoIdx, d: Doing, now: Time, ended: bool) {
        let group = self.index.goroutine(go).map_or(GroupId::NONE, |g| g.group);
        let measure = match d.state {
            GoState::Running => Measure::OnCpu,
            GoState::Runnable => Measure::Runnable,
            GoState::Waiting => Measure::Blocked,
            GoState::Syscall => Measure::Syscall,
            GoState::NotExist | GoState::Undetermined => return,
        };
        let line = if measure == Measure::OnCpu { None } else { self.line(d.stack) };
        let mut reason = ReasonId(0);
        if measure != Measure::Blocked {
            self.time(Handle::Group(group, measure), d.since, now);
        } else {
            reason = self.reasons.refine(&self.index.dict, d.reason, d.stack, Waker::Nobody);
            // What was blocked since before the trace stands at no line.
            if !d.reason.is_some() || self.is_idle(&self.reasons.get(reason), line, group) {
                return;
            }
        }
        if let Some((func, n)) = line {
            self.time(Handle::Line(func, n, measure), d.since, now);
        }
        let whole = d.begun && ended;
        match (measure, line) {
            (Measure::Blocked, Some((func, n))) if whole => {
                self.length(Handle::Wait(reason, func, n), now, now - d.since);
            }
            (Measure::Runnable, _) if whole => self.length(Handle::Latency(group), now, now - d.since),
            _ => {}
        }
    }

    /// Whether a wait is one for work or for a connection to come. Whoever sleeps may well hold work up.
    fn is_idle(&self, reason: &Reason, line: Option<(FuncId, u32)>, group: GroupId) -> bool {
        let for_work = matches!(reason.class, Class::Receive | Class::Select | Class::Cond);
        let at_start = || line.is_some_and(|l| self.index.dict.func_name(l.0) == self.index.group_name(group));
        let serves = standing::serves(self.index, group, line.map(|l| l.0));
        reason.idle && reason.class != Class::Sleep || for_work && at_start() || serves
    }

    /// Whether a stack is in an assignment to a map.
    fn assigns_map(&mut self, stack: StackId) -> bool {
        let dict = &self.index.dict;
        let assigns = || dict.stack(stack).any(|f| dict.func_name(f.func).starts_with(MAP_ASSIGN));
        *self.assigns.entry(stack).or_insert_with(assigns)
    }

    fn line(&mut self, stack: StackId) -> Option<(FuncId, u32)> {
        let dict = &self.index.dict;
        let line = || stack.some().and_then(|s| user_line(dict, s)).map(|f| (f.func, f.line));
        *self.lines.entry(stack).or_insert_with(line)
    }

    /// Adds the time from an instant to another to the slices in which it lies.
    fn time(&mut self, handle: Handle, from: Time, to: Time) {
        let all = self.totals.entry(handle).or_insert_with(|| self.axis.nothing());
        self.axis.spread(all, from, to);
    }

    fn length(&mut self, handle: Handle, at: Time, length: Duration) {
        let slice = self.axis.slice(self.axis.at(at)) as u32;
        self.lengths.entry(handle).or_default().add(slice, length.ns() as f64);
    }

    fn flush(&mut self, at: Time) {
        for (go, d) in std::mem::take(&mut self.gos) {
            self.stretch(go, d, at, false);
        }
    }

    fn key(&self, handle: Handle) -> Key {
        let (dict, group) = (&self.index.dict, |g| self.index.group_name(g).to_owned());
        let (none, no) = (String::new, Measure::Length);
        let (what, name, line, reason, measure) = match handle {
            Handle::Group(g, m) => (What::Group, group(g), 0, none(), m),
            Handle::Line(f, n, m) => (What::Line, dict.func_name(f).to_owned(), n, none(), m),
            Handle::Wait(r, f, n) => (What::Wait, dict.func_name(f).to_owned(), n, self.reasons.get(r).name, no),
            Handle::Latency(g) => (What::Latency, group(g), 0, none(), no),
            Handle::Task(n) => (What::Task, dict.str(n).to_owned(), 0, none(), no),
            Handle::Region(n) => (What::Region, dict.str(n).to_owned(), 0, none(), no),
            Handle::Span(k, n) => {
                let kind = self.kinds.get(usize::from(k.0)).cloned().unwrap_or_default();
                let name = if n.is_some() { dict.str(n) } else { NO_HANDLER };
                (What::Span, name.to_owned(), 0, kind, no)
            }
        };
        Key { what, name, line, reason, measure }
    }

    fn finish(mut self) -> Facts {
        let mut out = Facts {
            length: self.index.traced(),
            slices: self.axis.slices as usize,
            samples: self.samples.0 > 0,
            cpu_samples: self.samples.0,
            map_assign: self.samples.1,
            ..Facts::default()
        };
        for (handle, slices) in std::mem::take(&mut self.totals) {
            if let Handle::Line(f, ..) = handle {
                let dict = &self.index.dict;
                out.files.insert(dict.func_name(f).to_owned(), dict.func_file(f).to_owned());
            }
            // Two handles may have one name.
            let sum = out.totals.entry(self.key(handle)).or_insert_with(|| self.axis.nothing());
            sum.iter_mut().zip(slices).for_each(|(s, x)| *s += x);
        }
        for (handle, all) in std::mem::take(&mut self.lengths) {
            let key = self.key(handle);
            if matches!(handle, Handle::Wait(r, ..) if self.reasons.get(r).class == Class::Sleep) {
                out.sleeps.insert(key.reason.clone());
            }
            *out.counts.entry(key.clone()).or_default() += all.count;
            let longest = out.longest.entry(key.clone()).or_default();
            *longest = longest.max(all.longest);
            out.lengths.entry(key).or_default().extend(all.into_kept());
        }
        // Two handles may have one name here, too.
        out.lengths.values_mut().for_each(|all| all.sort_by_key(|x| x.0));
        for (name, ranges) in [("mark phases", &self.index.gc), ("STW", &self.index.stw)] {
            let key =
                Key { what: What::Gc, name: name.into(), line: 0, reason: String::new(), measure: Measure::Active };
            let mut slices = self.axis.nothing();
            ranges.iter().for_each(|r| self.axis.spread(&mut slices, r.from, r.to));
            out.totals.insert(key, slices);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(length: i64, gaps: &[(i64, i64)]) -> Axis {
        let gaps = Gaps::new(gaps.iter().map(|g| (Time(g.0), Time(g.1))));
        Axis { start: Time(0), length, slices: (length / SLICE.ns()).max(1), gaps }
    }

    #[test]
    fn all_of_the_time_that_was_traced_is_in_slices_and_nothing_else() {
        const MS: i64 = 1_000_000;
        // 296 ms are two slices, and 41 ms are one.
        for length in [41 * MS, 100 * MS, 296 * MS, 1_999_999_999] {
            let axis = axis(length, &[]);
            let mut all = axis.nothing();
            axis.spread(&mut all, Time(-5), Time(length + 5));
            assert_eq!(all.iter().sum::<f64>(), length as f64);
            let each = length as f64 / all.len() as f64;
            assert!(all.iter().all(|x| (x - each).abs() <= 1.0), "{all:?}");
        }
        let axis = axis(300 * MS, &[(100 * MS, 800 * MS), (900 * MS, 901 * MS)]);
        let mut all = axis.nothing();
        axis.spread(&mut all, Time(50 * MS), Time(850 * MS));
        assert_eq!(all, [50e6, 50e6, 0.0], "the gap is no time");
        let at: Vec<i64> = [0, 100, 500, 800, 900, 901, 1001].iter().map(|t| axis.at(Time(t * MS)) / MS).collect();
        assert_eq!(at, [0, 100, 100, 100, 200, 200, 300]);
    }
}
