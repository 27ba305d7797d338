//! What each source line cost: a trace, and profiles of the same run.
//!
//! Go gives the samples of its CPU profiler to the trace and to the profile, so a profile of the same seconds has the
//! same samples, summed up by stack. They are matched by stack, function and line from leaf to root, and then, for
//! stacks that one of the two cut or wrote differently, by the leaf and the line of user code that called it. Each
//! sample is matched once. A profile of which less than half matches is not of this run, and is left out. Where both say
//! when they were taken, only what they have in common is matched, and a profile of another time is left out.

use super::offcpu;
use super::offcpu::What;
use crate::analysis::clock;
use crate::analysis::clock::Overlap;
use crate::analysis::states::look_ahead::LookAhead;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::links::Options;
use crate::base::{Duration, GoIdx, StackId, Time};
use crate::model::beside::Labelled;
use crate::model::ownership::{Own, Owner, is_below_all, is_library};
use crate::model::segment::Kind;
use crate::model::{Dict, Index};
use crate::profile::model::{LabelValue, Profile, Sample};
use rustc_hash::{FxHashMap, FxHashSet};

/// Frames of a stack that are looked at, from the leaf. Go keeps 128, and calls inlined into these.
const MAX_FRAMES: usize = 256;

/// A time or a value that is charged to lines, in the unit of its profile; ns for CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Of the stacks in which this is the line of user code nearest to the leaf. These add up to the total.
    pub own: i64,
    /// Of the stacks that end here.
    pub flat: i64,
    /// Of the stacks that go through here.
    pub cum: i64,
}

/// A line of source and what it cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// The function; empty for what has no stack. Not escaped.
    pub func: String,
    /// The source file. Not escaped.
    pub file: String,
    /// The line; 0 if not known.
    pub line: u32,
    /// Whether the function is a library's or the runtime's: no user code called it.
    pub library: bool,
    /// Time on CPU by the CPU profiles.
    pub profile: Cost,
    /// Time on CPU by the trace's own samples.
    pub trace: Cost,
    /// Time waiting.
    pub blocked: Duration,
    /// How many waits.
    pub waits: u64,
    /// Time ready, without a P.
    pub runnable: Duration,
    /// Time in syscalls.
    pub syscall: Duration,
    /// By each of [`Lines::others`].
    pub others: Vec<Cost>,
}

impl Line {
    /// The largest time on the line.
    pub fn largest(&self) -> i64 {
        let times = [self.profile.own, self.trace.own, self.blocked.ns(), self.runnable.ns(), self.syscall.ns()];
        times.into_iter().max().unwrap_or(0)
    }

    /// Whether anything is charged to it as the line of user code.
    fn is_charged(&self) -> bool {
        self.largest() != 0 || self.waits > 0 || self.others.iter().any(|c| c.own != 0)
    }
}

/// What came of joining a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its samples are the trace's.
    Joined,
    /// By function and line only: it has no samples of the CPU, or the trace has none.
    ByLine,
    /// It would be joined by line, but says nothing of when, and only a part of the trace is asked for: it is left out.
    Timeless,
    /// Its time and the trace's have nothing in common, by their clocks: it is left out.
    Elsewhen,
    /// It is of another run or another program, or of the samples of a profile before it, and is left out.
    Foreign,
}

/// How a profile and the trace fit together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// The profile's name. Not escaped.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// CPU samples of the trace in the time of the profile that no profile before has matched.
    pub trace: u64,
    /// CPU samples of the profile; samples of whatever it has, if that is not CPU.
    pub profile: u64,
    /// Samples with the same whole stack.
    pub whole: u64,
    /// Samples that have only their leaf and the user code before it in common.
    pub loose: u64,
    /// How its time lies over the trace's, if both say when they were taken.
    pub overlap: Option<Overlap>,
}

impl Matched {
    fn new() -> Matched {
        let (name, verdict, overlap) = (String::new(), Verdict::Joined, None);
        Matched { name, verdict, trace: 0, profile: 0, whole: 0, loose: 0, overlap }
    }

    /// Samples that were matched.
    pub fn matched(&self) -> u64 {
        self.whole + self.loose
    }
}

/// A value that a profile other than of the CPU has for lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// The profile's name. Not escaped.
    pub profile: String,
    /// What it is: `inuse_space`, `delay`. Not escaped.
    pub kind: String,
    /// Its unit. Not escaped.
    pub unit: String,
    /// The sum over all lines.
    pub total: i64,
}

/// A label of a goroutine that its samples in the profile have. The trace does not say it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Inferred {
    /// The goroutine.
    pub go: GoIdx,
    /// The label. Not escaped.
    pub key: String,
    /// Its value. Not escaped.
    pub value: String,
}

/// What lines cost.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// The lines that cost anything; the largest time first.
    pub lines: Vec<Line>,
    /// How each profile fits, in the order in which they came.
    pub matched: Vec<Matched>,
    /// What the profiles that are not of the CPU count.
    pub others: Vec<Column>,
    /// Labels of goroutines, as far as all their matched samples agree.
    pub labels: Vec<Inferred>,
    /// CPU samples of the trace in the window.
    pub samples: u64,
    /// The window.
    pub duration: Duration,
    /// Start and end of the trace.
    pub of: (Time, Time),
}

/// Lines by handle, and for stacks the handles of their frames.
#[derive(Default)]
pub(super) struct Table {
    lines: Vec<Line>,
    owners: Vec<Owner>,
    ids: FxHashMap<(String, u32), u32>,
    stacks: FxHashMap<StackId, std::rc::Rc<[u32]>>,
}

impl Table {
    fn line(&mut self, func: &str, file: &str, line: u32) -> u32 {
        // Asked for far more often than added, but keyed by two things: a key that borrows would cost a second table.
        let next = self.lines.len() as u32;
        let id = *self.ids.entry((func.to_owned(), line)).or_insert(next);
        if id == next {
            let owner = Owner::of(func);
            let library = owner != Owner::User;
            self.owners.push(owner);
            self.lines.push(Line { func: func.to_owned(), line, library, ..Line::default() });
        }
        let l = &mut self.lines[id as usize];
        if l.file.is_empty() {
            l.file = file.to_owned();
        }
        id
    }

    /// The frames of a stack of the trace, leaf first, without the runtime's at the root.
    fn of_trace(&mut self, dict: &Dict, stack: StackId) -> std::rc::Rc<[u32]> {
        if let Some(s) = self.stacks.get(&stack) {
            return s.clone();
        }
        let frames = dict.stack(stack).take(MAX_FRAMES);
        let frames = frames.map(|f| self.line(dict.func_name(f.func), dict.func_file(f.func), f.line)).collect();
        let frames: std::rc::Rc<[u32]> = self.rooted(frames).into();
        self.stacks.insert(stack, frames.clone());
        frames
    }

    /// The same of a sample of a profile; `known` has the handles of its locations' lines.
    fn of_profile(&self, p: &Profile, s: &Sample, known: &[u32]) -> Vec<u32> {
        let lines = p.stack_of(s).iter().flat_map(|&l| match p.locations.get(l as usize) {
            Some(l) => &known[l.lines.range()],
            None => &[],
        });
        self.rooted(lines.copied().take(MAX_FRAMES).collect())
    }

    fn rooted(&self, mut frames: Vec<u32>) -> Vec<u32> {
        while let Some(&last) = frames.last()
            && frames.len() > 1
            && is_below_all(&self.lines[last as usize].func)
        {
            frames.pop();
        }
        frames
    }

    /// The line of user code of a stack, by the rule of [`Dict::user_frame`].
    fn user(&mut self, frames: &[u32]) -> u32 {
        let code = |&f: &u32| (self.owners[f as usize], self.lines[f as usize].func.as_str());
        let own = Own::of(frames.iter().map(code));
        let user = frames.iter().find(|f| own.has(code(f))).or(frames.first()).copied();
        user.unwrap_or_else(|| self.line("", "", 0))
    }

    fn charge(&mut self, frames: &[u32], value: i64, cost: impl Fn(&mut Line) -> &mut Cost) {
        let own = self.user(frames);
        let add = |sum: &mut i64| *sum = sum.saturating_add(value);
        add(&mut cost(&mut self.lines[own as usize]).own);
        let leaf = frames.first().copied().unwrap_or(own);
        add(&mut cost(&mut self.lines[leaf as usize]).flat);
        let mut seen = FxHashSet::default();
        for &f in if frames.is_empty() { std::slice::from_ref(&own) } else { frames } {
            if seen.insert(f) {
                add(&mut cost(&mut self.lines[f as usize]).cum);
            }
        }
    }
}

/// A CPU sample of the trace.
pub(super) struct Sampled {
    pub(super) time: Time,
    pub(super) go: GoIdx,
    pub(super) stack: StackId,
    /// Whether it is in the window and answers the query.
    pub(super) wanted: bool,
    pub(super) taken: bool,
}

/// Samples of a profile with one stack.
#[derive(Default)]
struct Stack {
    left: u64,
    /// Labels of the samples, if they are the same on all.
    labels: Option<u32>,
    mixed: bool,
}

/// Which of a profile's values are time on CPU, and how many samples stand behind one.
pub(super) fn is_cpu(p: &Profile) -> Option<(usize, Option<usize>)> {
    let at = |kind: &str| p.sample_types.iter().position(|t| p.str(t.kind) == kind);
    let cpu = at("cpu").filter(|&i| p.str(p.sample_types[i].unit) == "nanoseconds")?;
    Some((cpu, at("samples")))
}

/// Sums up a trace that has been read whole, and profiles with their names, by line.
///
/// With a window or a query, the time on CPU of a profile is that of the samples which match the trace's within it; other
/// profiles know no time and are summed up whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn lines<S: Source>(source: &S, profiles: &[(&str, &Profile)], opts: Options<'_>) -> Result<Lines, Unanswered> {
    let ahead = LookAhead::new(source);
    let mut samples = Vec::new();
    let mut epoch = None;
    let (from, to, filter) = (opts.from, opts.to, opts.filter);
    let mut bits = Vec::new();
    source.with_index(&mut |index| bits = index.segments.iter().map(|s| s.kinds).collect());
    let off = offcpu::profile_and(source, offcpu::Kind::OffCpu, opts, &mut |n, seg| {
        let has = |kind: Kind| bits.get(n).is_none_or(|kinds| kinds & 1 << kind as u8 != 0);
        if epoch.is_none() && has(Kind::Sync) {
            epoch = clock::epoch(seg);
        }
        if !has(Kind::CpuSample) {
            return;
        }
        for i in (0..seg.len()).filter(|&i| seg.kind[i] == Kind::CpuSample) {
            let inside = seg.time[i] >= from && seg.time[i] < to;
            let wanted = inside && filter.is_none_or(|q| q.matches(seg, i, &ahead));
            samples.push(Sampled { time: seg.time[i], go: seg.go[i], stack: seg.stack[i], wanted, taken: false });
        }
    })?;
    let mut out = Lines::default();
    source.with_index(&mut |index| {
        let narrowed = filter.is_some() || from > index.start || to < index.end;
        out = sum(index, &off, &mut samples, profiles, (narrowed, epoch));
    });
    Ok(out)
}

fn sum(
    index: &Index,
    off: &offcpu::Profile,
    samples: &mut [Sampled],
    profiles: &[(&str, &Profile)],
    (narrowed, epoch): (bool, Option<i64>),
) -> Lines {
    let dict = &index.dict;
    let mut t = Table::default();
    let of = (index.start, index.end);
    let mut out = Lines { duration: off.duration, of, ..Lines::default() };
    for s in samples.iter().filter(|s| s.wanted) {
        let frames = t.of_trace(dict, s.stack);
        t.charge(&frames, offcpu::SAMPLE.ns(), |l| &mut l.trace);
        out.samples += 1;
    }
    for r in &off.records {
        let frames = t.of_trace(dict, r.key.stack);
        let own = t.user(&frames) as usize;
        let line = &mut t.lines[own];
        match r.key.what {
            What::Waiting(_) => {
                line.blocked += r.total;
                line.waits += r.count;
            }
            What::Runnable => line.runnable += r.total,
            What::Syscall(_) => line.syscall += r.total,
            What::Running => {}
        }
    }
    let mut evidence = Evidence::default();
    for (name, p) in profiles {
        let overlap = epoch.and_then(|e| clock::overlap(p, e, out.of));
        let m = match (is_cpu(p), overlap) {
            (_, Some(Overlap::Before(_) | Overlap::After(_))) => {
                let profile = p.samples.len() as u64;
                Matched { verdict: Verdict::Elsewhen, profile, ..Matched::new() }
            }
            (Some(which), _) => cpu(dict, &mut t, (samples, overlap), p, which, narrowed, &mut evidence),
            (None, _) => other(dict, &mut t, (name, p), &mut out.others),
        };
        out.matched.push(Matched { name: (*name).to_owned(), overlap, ..m });
    }
    out.labels = evidence.agreed();
    let n = out.others.len();
    let mut lines = t.lines;
    lines.retain(Line::is_charged);
    lines.iter_mut().for_each(|l| l.others.resize(n, Cost::default()));
    lines.sort_by(|a, b| {
        let key = |l: &Line| (l.largest(), l.others.iter().map(|c| c.own).max());
        key(b).cmp(&key(a)).then_with(|| (&a.file, a.line, &a.func).cmp(&(&b.file, b.line, &b.func)))
    });
    out.lines = lines;
    out
}

/// The handles of all lines of a profile.
fn handles(t: &mut Table, p: &Profile) -> Vec<u32> {
    let of = |l: &crate::profile::model::Line| match p.functions.get(l.function as usize) {
        Some(f) => (p.str(f.name), p.str(f.file), u32::try_from(l.line).unwrap_or(0)),
        None => ("", "", 0),
    };
    p.lines.iter().map(of).map(|(func, file, line)| t.line(func, file, line)).collect()
}

pub(super) fn cpu(
    dict: &Dict,
    t: &mut Table,
    (samples, overlap): (&mut [Sampled], Option<Overlap>),
    p: &Profile,
    (value, number): (usize, Option<usize>),
    narrowed: bool,
    evidence: &mut Evidence,
) -> Matched {
    let known = handles(t, p);
    let period = if p.period > 0 { p.period } else { offcpu::SAMPLE.ns() };
    let mut stacks: FxHashMap<Vec<u32>, Stack> = FxHashMap::default();
    let mut sampled: Vec<(Vec<u32>, i64)> = Vec::new();
    let mut m = Matched::new();
    // What the profile cannot have seen is not looked at.
    let open = |s: &Sampled| !s.taken && overlap.is_none_or(|o| o.has(s.time));
    for (i, s) in p.samples.iter().enumerate() {
        let frames = t.of_profile(p, s, &known);
        let values = p.values_of(s);
        let ns = values.get(value).copied().unwrap_or(0);
        let n = number.and_then(|n| values.get(n).copied()).unwrap_or(ns / period);
        let n = u64::try_from(n).unwrap_or(0);
        m.profile = m.profile.saturating_add(n);
        let stack = stacks.entry(frames.clone()).or_default();
        stack.left = stack.left.saturating_add(n);
        match stack.labels {
            Some(first) => {
                stack.mixed |= text_labels(p, &p.samples[first as usize]) != text_labels(p, s);
            }
            None => stack.labels = Some(i as u32),
        }
        sampled.push((frames, ns));
    }
    m.trace = samples.iter().filter(|s| open(s)).count() as u64;
    let mut taken = Vec::new();
    for (i, s) in samples.iter().enumerate().filter(|(_, s)| open(s)) {
        let frames = t.of_trace(dict, s.stack);
        if let Some(stack) = stacks.get_mut(&frames[..]).filter(|s| s.left > 0) {
            stack.left -= 1;
            m.whole += 1;
            taken.push((i, stack.labels.filter(|_| !stack.mixed)));
        }
    }
    // What is left on both sides, by leaf and line of user code.
    let mut ends: FxHashMap<(u32, u32), u64> = FxHashMap::default();
    for (frames, stack) in stacks.iter().filter(|(f, s)| s.left > 0 && !f.is_empty()) {
        let left = ends.entry((frames[0], t.user(frames))).or_default();
        *left = left.saturating_add(stack.left);
    }
    let whole: FxHashSet<usize> = taken.iter().map(|&(i, _)| i).collect();
    for (i, s) in samples.iter().enumerate().filter(|(i, s)| open(s) && !whole.contains(i)) {
        let frames = t.of_trace(dict, s.stack);
        let Some(&leaf) = frames.first() else { continue };
        if let Some(left) = ends.get_mut(&(leaf, t.user(&frames))).filter(|n| **n > 0) {
            *left -= 1;
            m.loose += 1;
            taken.push((i, None));
        }
    }
    if samples.is_empty() {
        let known = is_known(dict, t, sampled.iter().map(|s| &s.0[..]));
        m.verdict = match (known, narrowed) {
            (false, _) => Verdict::Foreign,
            (true, false) => Verdict::ByLine,
            (true, true) => Verdict::Timeless,
        };
    } else if m.matched() * 2 < m.trace.min(m.profile) || m.matched() == 0 {
        m.verdict = Verdict::Foreign;
    }
    match (m.verdict, narrowed) {
        (Verdict::Foreign | Verdict::Timeless, _) => return m,
        (_, false) => sampled.iter().for_each(|(frames, ns)| t.charge(frames, *ns, |l| &mut l.profile)),
        (_, true) => {
            for s in taken.iter().map(|&(i, _)| &samples[i]).filter(|s| s.wanted) {
                let frames = t.of_trace(dict, s.stack);
                t.charge(&frames, period, |l| &mut l.profile);
            }
        }
    }
    for (i, labels) in taken {
        samples[i].taken = true;
        let labels = labels.and_then(|l| p.samples.get(l as usize));
        evidence.add((samples[i].go, samples[i].time), labels.map(|s| text_labels(p, s)));
    }
    m
}

fn other(dict: &Dict, t: &mut Table, (name, p): (&str, &Profile), columns: &mut Vec<Column>) -> Matched {
    let known = handles(t, p);
    let sampled: Vec<Vec<u32>> = p.samples.iter().map(|s| t.of_profile(p, s, &known)).collect();
    let profile = sampled.len() as u64;
    let mut m = Matched { verdict: Verdict::Foreign, profile, ..Matched::new() };
    let Ok(which) = p.sample_index("") else { return m };
    if !is_known(dict, t, sampled.iter().map(Vec::as_slice)) {
        return m;
    }
    m.verdict = Verdict::ByLine;
    let at = columns.len();
    let of = p.sample_types[which];
    let mut column =
        Column { profile: name.to_owned(), kind: p.str(of.kind).to_owned(), unit: p.str(of.unit).to_owned(), total: 0 };
    // A line for what has no stack, before it is asked for.
    t.line("", "", 0);
    t.lines.iter_mut().for_each(|l| l.others.resize(at + 1, Cost::default()));
    for (s, frames) in p.samples.iter().zip(&sampled) {
        let value = p.values_of(s).get(which).copied().unwrap_or(0);
        column.total = column.total.saturating_add(value);
        t.charge(frames, value, |l| &mut l.others[at]);
    }
    columns.push(column);
    m
}

/// Whether a function of user code that the profile has is the trace's, too, by name and file.
fn is_known<'a>(dict: &Dict, t: &Table, mut stacks: impl Iterator<Item = &'a [u32]>) -> bool {
    let all = dict.funcs().iter().map(|f| (dict.str(f.name), dict.str(f.file)));
    let of_trace: FxHashSet<(&str, &str)> = all.filter(|(name, _)| !is_library(name)).collect();
    let known = |f: &u32| {
        let l = &t.lines[*f as usize];
        // Every program has a `main.main`.
        !l.library && l.func != "main.main" && of_trace.contains(&(l.func.as_str(), l.file.as_str()))
    };
    stacks.any(|frames| frames.iter().any(known))
}

fn text_labels<'a>(p: &'a Profile, s: &Sample) -> Vec<(&'a str, &'a str)> {
    let of = |l: &crate::profile::model::Label| match l.value {
        LabelValue::Text(v) => Some((p.str(l.key), p.str(v))),
        LabelValue::Number(..) => None,
    };
    p.labels_of(s).iter().filter_map(of).collect()
}

/// The labels of matched samples, each set of labels once.
#[derive(Default)]
pub(super) struct Evidence {
    sets: Vec<Vec<(String, String)>>,
    ids: FxHashMap<Vec<(String, String)>, u32>,
    /// Whose sample it is, when it was taken, and its labels if they are certain.
    samples: Vec<(GoIdx, Time, Option<u32>)>,
}

impl Evidence {
    fn add(&mut self, (go, time): (GoIdx, Time), labels: Option<Vec<(&str, &str)>>) {
        if !go.is_some() {
            return;
        }
        let labels = labels.map(|l| {
            let mut set: Vec<(String, String)> = l.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            set.sort();
            let next = self.sets.len() as u32;
            *self.ids.entry(set).or_insert_with_key(|set| {
                self.sets.push(set.clone());
                next
            })
        });
        self.samples.push((go, time, labels));
    }

    fn sort(&mut self) {
        self.samples.sort_unstable();
    }

    /// The labels that all matched samples of a goroutine have; none where one is not certain.
    fn agreed(mut self) -> Vec<Inferred> {
        self.sort();
        let mut all = Vec::new();
        for of in self.samples.chunk_by(|a, b| a.0 == b.0) {
            let Some(sets) = of.iter().map(|s| s.2).collect::<Option<Vec<u32>>>() else { continue };
            let (first, others) = (sets[0], &sets[1..]);
            for (key, value) in &self.sets[first as usize] {
                if others.iter().all(|&o| self.sets[o as usize].iter().any(|l| l.0 == *key && l.1 == *value)) {
                    all.push(Inferred { go: of[0].0, key: key.clone(), value: value.clone() });
                }
            }
        }
        all.sort();
        all
    }

    /// The labels of goroutines over time: from the first to the last of successive samples that have the same. Samples of
    /// which it is not certain say nothing.
    pub(super) fn over_time(mut self) -> Vec<Labelled> {
        self.samples.retain(|s| s.2.is_some());
        self.sort();
        let mut all = Vec::new();
        for of in self.samples.chunk_by(|a, b| (a.0, a.2) == (b.0, b.2)) {
            let (go, from, Some(set)) = of[0] else { continue };
            let to = of.last().map_or(from, |s| s.1);
            all.extend(self.sets[set as usize].iter().map(|(key, value)| {
                let (key, value) = (key.clone(), value.clone());
                Labelled { go, from, to, key, value, exact: false }
            }));
        }
        all
    }
}
