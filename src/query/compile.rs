//! A query made ready for one trace: patterns are matched once against the dictionaries, and each term becomes a set of
//! handles.

use super::ast::{Cmp, Expr, Node, Pattern, Query, Term, Who};
use super::bits::Bits;
use super::pattern::{Matcher, PatternError};
use crate::base::Span;
use crate::base::{Duration, EventNo, FrameId, GoIdx, GroupId, StackId, StringId, Time};
use crate::model::reasons::WaitNames;
use crate::model::segment::{GoState, Kind};
use crate::model::{Frame, Func, Index, Range, lens};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A query that cannot be compiled for a trace. Its text is that of its cause.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct CompileError {
    /// The term that is at fault.
    pub span: Span,
    /// What is wrong.
    pub cause: CompileCause,
}

/// Why a term cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileCause {
    /// Its pattern, which may be too large once it is put together.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The trace's spans, which it asks for, cannot be found.
    #[error(transparent)]
    Spans(#[from] SpansError),
}

/// Spans that cannot be found. What knows of them, knows why: its words, safe to show.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SpansError(pub String);

/// A query ready for one trace. It holds sets of the handles that the index had when it was compiled: once
/// [`is_stale`](Compiled::is_stale), compile again.
#[derive(Debug)]
pub struct Compiled {
    pub(crate) root: Test,
    /// The frames that a positive term on functions, files or any text matched.
    frames: Bits,
    stamp: Stamp,
}

/// How much of a trace was known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    dict: (usize, usize, usize, usize),
    rows: (usize, usize, usize, usize),
    ranges: (usize, usize),
    end: Time,
    labels: usize,
    complete: bool,
}

impl Stamp {
    fn of(index: &Index) -> Stamp {
        Stamp {
            dict: index.dict.counts(),
            rows: (index.goroutines.len(), index.groups.len(), index.procs.len(), index.threads.len()),
            ranges: (index.gc.len(), index.stw.len()),
            end: index.end,
            labels: index.beside.labels().len(),
            complete: index.complete,
        }
    }
}

/// The condition on an event, in handles.
#[derive(Debug)]
pub(crate) enum Test {
    All,
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
    Any(Text),
    Stack(Stacks),
    State(GoState),
    Reason(Reasons),
    Dur { cmp: Cmp, ns: i64, end: Time, lengths: Arc<[(EventNo, Duration)]> },
    Span(Stretches),
    Go(Bits),
    Proc(Bits),
    Thread(Bits),
    Kind(u64),
    Cat(Bits),
    Msg(Bits),
    Task(Names),
    Region(Bits),
    Label { strings: Bits, given: Given },
    Within(Vec<(Time, Time)>),
    Time(Time, Time),
    By { gos: Bits, stacks: Bits },
}

/// By goroutine, the stretches of time that spans take, in order; they do not overlap.
pub(crate) type Stretches = FxHashMap<GoIdx, Vec<(Time, Time)>>;

/// What is known of a trace's spans: the index does not have them.
pub trait Spans {
    /// The time that spans take whose kind or name matches, and whose length is `long` enough: by goroutine, both ends
    /// included.
    ///
    /// # Errors
    ///
    /// They cannot be found.
    fn stretches(
        &self,
        text: &Pattern,
        long: &dyn Fn(Duration) -> bool,
    ) -> Result<Vec<(GoIdx, Time, Time)>, SpansError>;

    /// How long tasks and regions last, by the event that begins each, in the order of these.
    ///
    /// # Errors
    ///
    /// They cannot be found.
    fn lengths(&self) -> Result<Vec<(EventNo, Duration)>, SpansError>;
}

/// Nothing is known of spans: none match.
pub struct NoSpans;

impl Spans for NoSpans {
    fn stretches(&self, _: &Pattern, _: &dyn Fn(Duration) -> bool) -> Result<Vec<(GoIdx, Time, Time)>, SpansError> {
        Ok(Vec::new())
    }

    fn lengths(&self) -> Result<Vec<(EventNo, Duration)>, SpansError> {
        Ok(Vec::new())
    }
}

/// Stacks that a frame matched.
#[derive(Debug)]
pub(crate) struct Stacks {
    pub(crate) bits: Bits,
}

/// Reasons of waits.
#[derive(Debug)]
pub(crate) struct Reasons {
    /// The runtime's words that match.
    pub(crate) words: Bits,
    /// Others of its words, with the stacks in which they have a name that matches.
    pub(crate) named: Vec<(Bits, Bits)>,
    /// The stacks of syscalls whose name matches.
    pub(crate) syscalls: Bits,
}

impl Reasons {
    /// Whether nothing matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.named.is_empty() && self.syscalls.is_empty()
    }

    /// Whether a wait or a stop for this reason in this stack matches.
    pub(crate) fn has(&self, reason: StringId, stack: StackId) -> bool {
        self.words.has(reason.0) || self.named.iter().any(|(words, stacks)| words.has(reason.0) && stacks.has(stack.0))
    }
}

/// Where a bare word may stand.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) stacks: Stacks,
    pub(crate) strings: Bits,
    /// Whether a string matched at all, and one that names no function and no file.
    pub(crate) some: bool,
    pub(crate) some_label: bool,
    pub(crate) kinds: u64,
}

/// Stretches in which goroutines have labels that match, by what stands beside the trace.
#[derive(Debug, Default)]
pub(crate) struct Given {
    by: FxHashMap<GoIdx, Vec<(Time, Time)>>,
    /// From the first to the last of them.
    pub(crate) all: Option<(Time, Time)>,
}

impl Given {
    fn new(index: &Index, m: &Matcher) -> Given {
        let mut g = Given::default();
        for l in index.beside.labels().iter().filter(|l| m.is_match(&format!("{}={}", l.key, l.value))) {
            g.by.entry(l.go).or_default().push((l.from, l.to));
            let (from, to) = g.all.unwrap_or((l.from, l.to));
            g.all = Some((from.min(l.from), to.max(l.to)));
        }
        g
    }

    /// Whether a goroutine has such a label at an instant.
    pub(crate) fn has(&self, go: GoIdx, at: Time) -> bool {
        self.by.get(&go).is_some_and(|all| all.iter().any(|&(from, to)| from <= at && at <= to))
    }
}

/// A task's number or the names that match.
#[derive(Debug)]
pub(crate) enum Names {
    Number(u64),
    Strings(Bits),
}

impl Compiled {
    /// Compiles `query` for the trace that `index` describes as far as it is read. `names` has the reasons of waits that
    /// the runtime does not tell.
    ///
    /// # Errors
    ///
    /// A pattern too large to compile.
    pub fn new(query: &Query, index: &Index, names: &dyn WaitNames) -> Result<Compiled, CompileError> {
        Compiled::with(query, index, names, &NoSpans, false)
    }

    /// The same, with what is known of spans; `marked` says whether there are tasks or regions.
    ///
    /// # Errors
    ///
    /// A pattern too large to compile, and spans that cannot be found.
    pub fn with(
        query: &Query,
        index: &Index,
        names: &dyn WaitNames,
        spans: &dyn Spans,
        marked: bool,
    ) -> Result<Compiled, CompileError> {
        let lengths = None;
        let mut c = Compiler { index, names, spans, marked, lengths, frames: Bits::default(), negated: false };
        let root = c.node(&query.root)?;
        Ok(Compiled { root, frames: c.frames, stamp: Stamp::of(index) })
    }

    /// Whether the index has grown since the query was compiled, so that events of the new part may be missed.
    pub fn is_stale(&self, index: &Index) -> bool {
        self.stamp != Stamp::of(index)
    }

    /// Whether a term on functions, files or any text matched this frame.
    pub fn matches_frame(&self, f: FrameId) -> bool {
        self.frames.has(f.0)
    }

    /// Whether any frame of the trace is matched by such a term.
    pub fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }
}

struct Compiler<'a> {
    index: &'a Index,
    names: &'a dyn WaitNames,
    spans: &'a dyn Spans,
    /// There are tasks or regions.
    marked: bool,
    /// How long these last, once that has been asked for.
    lengths: Option<Arc<[(EventNo, Duration)]>>,
    frames: Bits,
    negated: bool,
}

impl Compiler<'_> {
    fn node(&mut self, n: &Node) -> Result<Test, CompileError> {
        Ok(match &n.expr {
            Expr::All => Test::All,
            Expr::Not(inner) => {
                self.negated = !self.negated;
                let test = self.node(inner);
                self.negated = !self.negated;
                Test::Not(Box::new(test?))
            }
            Expr::And(parts) => Test::And(self.nodes(parts)?),
            Expr::Or(parts) => Test::Or(self.nodes(parts)?),
            Expr::Term(t) => self.term(t).map_err(|cause| CompileError { span: n.span, cause })?,
        })
    }

    /// The parts, those first that are cheap to test.
    fn nodes(&mut self, parts: &[Node]) -> Result<Vec<Test>, CompileError> {
        let mut tests = parts.iter().map(|n| self.node(n)).collect::<Result<Vec<_>, _>>()?;
        tests.sort_by_key(Test::cost);
        Ok(tests)
    }

    fn term(&mut self, t: &Term) -> Result<Test, CompileCause> {
        let index = self.index;
        Ok(match t {
            Term::Any(p) => self.any(&Matcher::contains(p)?),
            Term::Func(p) => {
                let names = self.strings(&Matcher::func(p)?);
                Test::Stack(self.stacks(|f, name, _| names.has(name) && f.func.is_some()))
            }
            Term::Lens(name) => {
                let lens = lens::find(name);
                let dict = &index.dict;
                let of = |f: &Func| lens.is_some_and(|l| l.has(dict.str(f.name)));
                let funcs: Vec<bool> = dict.funcs().iter().map(of).collect();
                Test::Stack(self.stacks(|f, _, _| funcs.get(f.func.0 as usize) == Some(&true)))
            }
            Term::File(p, line) => {
                let files = self.strings(&Matcher::file(p, line.is_some())?);
                Test::Stack(self.stacks(|f, _, file| files.has(file) && line.is_none_or(|l| l == f.line)))
            }
            Term::State(s) => Test::State(*s),
            Term::Reason(p) => Test::Reason(self.reasons(&Matcher::contains(p)?)),
            Term::Dur(cmp, ns) => Test::Dur { cmp: *cmp, ns: *ns, end: index.end, lengths: self.lengths()? },
            Term::Span(p, lengths) => {
                let long = |d: Duration| lengths.iter().all(|(cmp, ns)| cmp.holds(d.ns(), *ns));
                Test::Span(by_goroutine(self.spans.stretches(p, &long)?))
            }
            Term::Go(n) => Test::Go(Bits::of(index.goroutines.iter().map(|g| g.id.0 == *n))),
            Term::Group(p) => Test::Go(self.group(p)?),
            Term::Proc(n) => Test::Proc(Bits::of(index.procs.iter().map(|p| p.id.0 == *n))),
            Term::Thread(n) => Test::Thread(Bits::of(index.threads.iter().map(|t| t.id.0 == *n))),
            Term::Kind(k) => Test::Kind(k.bits),
            Term::Cat(p) => Test::Cat(self.strings(&Matcher::contains(p)?)),
            Term::Msg(p) => Test::Msg(self.strings(&Matcher::contains(p)?)),
            Term::Task(Who::Number(n)) => Test::Task(Names::Number(*n)),
            Term::Task(Who::Name(p)) => Test::Task(Names::Strings(self.strings(&Matcher::contains(p)?))),
            Term::Region(p) => Test::Region(self.strings(&Matcher::contains(p)?)),
            Term::Label(p) => Test::Label {
                strings: self.strings(&Matcher::contains(p)?),
                given: Given::new(index, &Matcher::label(p)?),
            },
            Term::Gc => Test::Within(merged(&index.gc)),
            Term::Stw => Test::Within(merged(&index.stw)),
            Term::Time(from, to) => {
                let at = |ns: &i64| Time(index.start.0.saturating_add(*ns));
                Test::Time(from.as_ref().map_or(Time::MIN, at), to.as_ref().map_or(Time::MAX, at))
            }
            Term::By(Who::Number(n)) => {
                Test::By { gos: Bits::of(index.goroutines.iter().map(|g| g.id.0 == *n)), stacks: Bits::default() }
            }
            Term::By(Who::Name(p)) => self.by(p)?,
        })
    }

    fn lengths(&mut self) -> Result<Arc<[(EventNo, Duration)]>, SpansError> {
        if self.lengths.is_none() {
            let all = if self.marked { self.spans.lengths()? } else { Vec::new() };
            self.lengths = Some(all.into());
        }
        Ok(self.lengths.clone().unwrap_or_default())
    }

    /// The strings that match.
    fn strings(&self, m: &Matcher) -> Bits {
        let dict = &self.index.dict;
        Bits::of((0..dict.counts().0 as u32).map(|i| m.is_match(dict.str(crate::base::StringId(i)))))
    }

    /// The stacks with a frame that satisfies `test`, which gets the frame and the handles of its function's name and
    /// file. The frames are noted.
    fn stacks(&mut self, test: impl Fn(Frame, u32, u32) -> bool) -> Stacks {
        let (frames, stacks) = matching(self.index, test);
        if !self.negated {
            self.frames.add(&frames);
        }
        Stacks { bits: stacks }
    }

    fn reasons(&self, m: &Matcher) -> Reasons {
        let index = self.index;
        let words = self.strings(m);
        let mut others: Vec<StringId> = index.groups.iter().flat_map(|g| g.blocked.iter().map(|b| b.0)).collect();
        // Of what was blocked since before the trace no reason is known.
        others.retain(|r| r.is_some() && !words.has(r.0));
        others.sort_unstable();
        others.dedup();
        let test = |name: &str| m.is_match(name);
        let strings = |words: &[StringId]| {
            let mut flags = vec![false; index.dict.counts().0];
            words.iter().for_each(|w| flags[w.index()] = true);
            Bits::of(flags)
        };
        let named = self.names.waits(&index.dict, &others, &test).into_iter();
        let syscalls = Bits::of(self.names.syscalls(&index.dict, &test));
        Reasons { words, named: named.map(|(words, stacks)| (strings(&words), Bits::of(stacks))).collect(), syscalls }
    }

    fn any(&mut self, m: &Matcher) -> Test {
        let strings = self.strings(m);
        let stacks = self.stacks(|_, name, file| strings.has(name) || strings.has(file));
        let mut source = vec![false; self.index.dict.counts().0];
        for f in self.index.dict.funcs() {
            for id in [f.name, f.file] {
                if let Some(flag) = source.get_mut(id.0 as usize) {
                    *flag = true;
                }
            }
        }
        let kinds = Kind::ALL.iter().filter(|k| m.is_match(k.name())).fold(0, |bits, &k| bits | 1 << k as u8);
        let some_label = strings.iter().any(|i| !source[i as usize]);
        Test::Any(Text { stacks, some: !strings.is_empty(), some_label, strings, kinds })
    }

    /// The goroutines of the groups of that name, or if there are none, of those whose name contains it.
    fn group(&self, p: &Pattern) -> Result<Bits, PatternError> {
        let index = self.index;
        let members = |m: &Matcher| {
            let ids = (0..index.groups.len() as u32).map(GroupId);
            let groups: Vec<bool> = ids.map(|g| index.group_names(g).iter().any(|n| m.is_match(n))).collect();
            Bits::of(index.goroutines.iter().map(|g| groups.get(g.group.0 as usize) == Some(&true)))
        };
        let exact = members(&Matcher::exact_func(p)?);
        if exact.is_empty() { Ok(members(&Matcher::func(p)?)) } else { Ok(exact) }
    }

    fn by(&self, p: &Pattern) -> Result<Test, PatternError> {
        let index = self.index;
        let names = self.strings(&Matcher::func(p)?);
        let (_, stacks) = matching(index, |_, name, _| names.has(name));
        let named = |f: crate::base::FuncId| index.dict.funcs().get(f.0 as usize).is_some_and(|f| names.has(f.name.0));
        Ok(Test::By { gos: Bits::of(index.goroutines.iter().map(|g| named(g.entry))), stacks })
    }
}

/// The frames that satisfy `test`, and the stacks that hold one of them.
fn matching(index: &Index, test: impl Fn(Frame, u32, u32) -> bool) -> (Bits, Bits) {
    let dict = &index.dict;
    let holds = |f: Frame| {
        let func = dict.funcs().get(f.func.0 as usize);
        func.is_some_and(|func| test(f, func.name.0, func.file.0))
    };
    (Bits::of(dict.frames().iter().map(|&f| holds(f))), Bits::of(dict.stacks_with(|_, f| holds(f))))
}

/// Stretches by goroutine, those that touch put together.
fn by_goroutine(mut all: Vec<(GoIdx, Time, Time)>) -> Stretches {
    all.sort_unstable();
    let mut out = Stretches::default();
    for (go, from, to) in all {
        let of = out.entry(go).or_default();
        match of.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => of.push((from, to)),
        }
    }
    out
}

/// The time that ranges cover, as stretches in order that do not touch. Both ends belong to a stretch.
fn merged(ranges: &[Range]) -> Vec<(Time, Time)> {
    let mut all: Vec<(Time, Time)> = ranges.iter().map(|r| (r.from, r.to)).collect();
    all.sort_unstable();
    let mut out: Vec<(Time, Time)> = Vec::with_capacity(all.len());
    for (from, to) in all {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

impl Test {
    /// How dear the test is, by order of magnitude.
    fn cost(&self) -> u8 {
        match self {
            Test::Dur { .. } | Test::By { .. } => 9,
            Test::Not(t) => t.cost(),
            Test::And(parts) | Test::Or(parts) => parts.iter().map(Test::cost).max().unwrap_or(0),
            Test::Any(_) => 2,
            _ => 1,
        }
    }
}
