//! Spans: the tasks and regions that a program marked, and the requests and calls that it did not, told by the stacks of
//! its goroutines' events.
//!
//! 1. What a stack says by the rules is worked out once for each stack ([`stacks`]).
//! 2. A goroutine that serves is followed from phase to phase ([`serve`]); one that serves a single request is a span itself;
//!    calls are told by the frames above them ([`calls`]).
//! 3. Where an event does not say exactly when a span began or ended, it says between which instants ([`Bounds`]).
//!
//! No path and no status is in a trace: requests are grouped by the function of the user's that handled them.

pub mod calls;
pub mod pick;
pub mod rules;
pub mod serve;
pub mod served_here;
pub mod slow;
pub mod stacks;
pub mod sums;

use super::states::walk;
use super::tasks::{self, What};
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{Duration, EventNo, GoIdx, StackId, StringId, Time};
use crate::model::gaps::Gaps;
use crate::model::ownership::is_below_all;
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Index, Segment};
use calls::{Called, Calls, Means};
use rules::{Form, Rules, Split};
use rustc_hash::FxHashMap;
use serve::{Happens, Server};
use stacks::{Handler, NO_HANDLER, RuleNo, Stacks};
use std::ops::ControlFlow;

/// Most spans of a trace that are held.
pub const MOST_SPANS: usize = 4_000_000;

/// The instants between which something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Not before this.
    pub earliest: Time,
    /// Not after this.
    pub latest: Time,
}

impl Bounds {
    /// Exactly then.
    pub fn exact(t: Time) -> Bounds {
        Bounds { earliest: t, latest: t }
    }

    /// How far apart they are.
    pub fn len(&self) -> Duration {
        self.latest - self.earliest
    }

    /// Whether they are one instant.
    pub fn is_empty(&self) -> bool {
        self.latest <= self.earliest
    }
}

/// The beginning or the end of a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// The likeliest instant.
    pub at: Time,
    /// Between which it lies for certain.
    pub bounds: Bounds,
    /// The event at that instant.
    pub no: EventNo,
}

/// A request that was served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// By which rule.
    pub rule: RuleNo,
    /// The handler; `NONE` if no event was inside it.
    pub name: StringId,
    /// Where the handler began.
    pub begin: Edge,
    /// Whether that is in the trace.
    pub began: bool,
    /// Where it ended.
    pub end: Option<Edge>,
    /// The last that is known of it.
    pub until: Time,
    /// When the request arrived, as far as that is known.
    pub arrived: Option<Time>,
    /// When the last of the answer was written.
    pub answered: Option<Time>,
}

/// A kind of span, by its position in [`Found::kinds`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KindNo(pub u16);

/// The kind of tasks.
pub const TASK: KindNo = KindNo(0);
/// The kind of regions.
pub const REGION: KindNo = KindNo(1);

/// One span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// What it is.
    pub kind: KindNo,
    /// The handler, the function that was called, the task's or the region's name; `NONE` if it is not known.
    pub name: StringId,
    /// The goroutine that did it; of a task, that which began it.
    pub go: GoIdx,
    /// The goroutine that ended it: only of tasks another.
    pub ended_by: GoIdx,
    /// Number of the task, or of that which a region belongs to; 0 for none.
    pub task: u64,
    /// When it began, or its recording did.
    pub from: Time,
    /// When it ended, or its recording did.
    pub to: Time,
    /// Between which instants it began.
    pub begin: Bounds,
    /// Between which it ended.
    pub end: Bounds,
    /// Whether its beginning is in the trace.
    pub began: bool,
    /// Whether its end is.
    pub ended: bool,
    /// The event with which it begins, where one is known.
    pub first: Option<EventNo>,
    /// The event with which it ends.
    pub last: Option<EventNo>,
    /// When a request arrived, as far as that is known.
    pub arrived: Option<Time>,
    /// When the last of its answer was written.
    pub answered: Option<Time>,
    /// That a call is not one with its neighbour rests on a place that came again, and on nothing else.
    pub repeats: bool,
}

impl Span {
    /// How long it took, by the likeliest instants.
    pub fn len(&self) -> Duration {
        self.to - self.from
    }

    /// Whether it took no time.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }

    /// Whether both ends are in the trace.
    pub fn complete(&self) -> bool {
        self.began && self.ended
    }

    /// The shortest and the longest that it can have been.
    pub fn len_bounds(&self) -> (Duration, Duration) {
        let least = self.end.earliest - self.begin.latest;
        (least.max(Duration::ZERO), self.end.latest - self.begin.earliest)
    }
}

/// The spans of a trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// The kinds by position: `task`, `region`, and the names of the rules.
    pub kinds: Vec<String>,
    /// The spans, in the order in which they began.
    pub spans: Vec<Span>,
    /// Spans that were not kept because there were more than [`MOST_SPANS`].
    pub dropped: u64,
    /// What was not traced.
    pub gaps: Gaps,
}

impl Found {
    /// What a span's kind is called.
    pub fn kind(&self, k: KindNo) -> &str {
        self.kinds.get(usize::from(k.0)).map_or("", String::as_str)
    }
}

/// A goroutine that is a span.
#[derive(Clone, Copy, Debug)]
struct Life {
    rule: RuleNo,
    begin: Option<Edge>,
    began: bool,
    last: Time,
    end: Option<Edge>,
    handler: Handler,
}

struct Walk<'a> {
    index: &'a Index,
    rules: &'a Rules,
    stacks: Stacks<'a>,
    /// By rule, the kind of its spans.
    kinds: Vec<KindNo>,
    servers: FxHashMap<GoIdx, Server>,
    lives: FxHashMap<GoIdx, Life>,
    calls: FxHashMap<GoIdx, Calls>,
    /// By goroutine, its last event.
    last: Vec<Time>,
    /// The recording that is walked.
    recording: usize,
    /// Who is told of each.
    out: &'a mut dyn FnMut(Span),
}

/// Finds the spans of a trace that has been read whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn find<S: Source>(source: &S, rules: &Rules) -> Result<Found, Unanswered> {
    let mut found = Found::default();
    found.kinds = each(source, rules, &mut |s| found.push(s))?;
    found.spans.sort_by_key(|s| (s.from, s.go, s.kind, s.to));
    source.with_index(&mut |index| found.gaps = index.gaps());
    Ok(found)
}

/// Tells of each span of a trace that has been read whole, about in the order in which they end, and holds none of them.
/// Gives what the kinds are called, as [`Found::kinds`] has it.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn each<S: Source>(source: &S, rules: &Rules, out: &mut dyn FnMut(Span)) -> Result<Vec<String>, Unanswered> {
    let mut done = Ok(Vec::new());
    source.with_index(&mut |index| done = each_in(source, index, rules, out));
    done
}

/// What kinds there are, and by rule the kind of its spans.
fn kinds(rules: &Rules) -> (Vec<String>, Vec<KindNo>) {
    let mut names = vec!["task".to_owned(), "region".to_owned()];
    let mut of = Vec::new();
    for r in &rules.all {
        let at = names.iter().position(|k| *k == r.name).unwrap_or_else(|| {
            names.push(r.name.clone());
            names.len() - 1
        });
        of.push(KindNo(at as u16));
    }
    (names, of)
}

/// The kinds that are requests which the program served, and no calls to elsewhere.
pub fn served_kinds(rules: &Rules) -> Vec<KindNo> {
    let (_, of) = kinds(rules);
    let serves = rules.all.iter().zip(of).filter(|(r, _)| !matches!(r.form, Form::Call { .. }));
    serves.map(|(_, k)| k).collect()
}

fn each_in<S: Source>(
    source: &S,
    index: &Index,
    rules: &Rules,
    out: &mut dyn FnMut(Span),
) -> Result<Vec<String>, Unanswered> {
    let (names, kinds) = kinds(rules);
    let mut w = Walk {
        index,
        rules,
        stacks: Stacks::new(&index.dict, rules),
        kinds,
        servers: FxHashMap::default(),
        lives: FxHashMap::default(),
        calls: FxHashMap::default(),
        last: vec![Time::MIN; index.goroutines.len()],
        recording: 0,
        out,
    };
    let marked = !index.totals.tasks.is_empty() || !index.totals.regions.is_empty();
    if !w.stacks.is_idle() || marked {
        let mut following = tasks::Following::default();
        walk::segments(source, 0..index.segments.len(), walk::threads(), &mut |_, seg| {
            if marked {
                following.segment(index, seg, &mut |i| (w.out)(annotated(i)));
            }
            if !w.stacks.is_idle() {
                (0..seg.len()).for_each(|i| w.event(seg, i));
            }
            ControlFlow::Continue(())
        })?;
        following.finish(index, &mut |i| (w.out)(annotated(i)));
        w.cut(index.end);
    }
    Ok(names)
}

/// A task or a region as a span.
fn annotated(i: &tasks::Instance) -> Span {
    Span {
        kind: if i.what == What::Task { TASK } else { REGION },
        name: i.name,
        go: i.go,
        ended_by: i.ended_by.some().unwrap_or(i.go),
        task: i.task,
        from: i.from,
        to: i.to,
        begin: Bounds::exact(i.from),
        end: Bounds::exact(i.to),
        began: i.began,
        ended: i.ended,
        first: i.begin,
        last: i.end,
        arrived: None,
        answered: None,
        repeats: false,
    }
}

impl Found {
    fn push(&mut self, s: Span) {
        if self.spans.len() < MOST_SPANS { self.spans.push(s) } else { self.dropped += 1 }
    }
}

impl Walk<'_> {
    fn event(&mut self, seg: &Segment, i: usize) {
        let (kind, t, no) = (seg.kind[i], seg.time[i], seg.first + i as u64);
        let all = &self.index.recordings;
        while all.get(self.recording + 1).is_some_and(|r| r.from <= t) {
            self.cut(all[self.recording].to);
            self.recording += 1;
        }
        let (go, by, stack) = (seg.go[i], seg.by[i], seg.stack[i]);
        // Whose stack it is.
        let actor = match kind {
            Kind::GoStatus | Kind::CpuSample => go,
            _ => by.some().unwrap_or(go),
        };
        if actor.is_some() && stack.is_some() {
            self.says(actor, stack, (kind, t, no));
        } else if actor.is_some() && actor == go {
            self.goes_on(go, (kind, t, no));
        }
        if go.is_some() && go != actor {
            if matches!(kind, Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall) {
                if let Detail::Entry(entry) = seg.detail(i)
                    && let Some(rule) = self.stacks.entry(entry)
                {
                    let life = Life { rule, begin: None, began: true, last: t, end: None, handler: NO_HANDLER };
                    self.lives.insert(go, life);
                }
                self.seen(go, t);
            } else {
                self.goes_on(go, (kind, t, no));
            }
        }
        if kind.go_transition().is_some_and(|x| x.1 == GoState::NotExist) {
            self.over(go, (t, no), true);
        }
    }

    fn seen(&mut self, go: GoIdx, t: Time) {
        if let Some(last) = self.last.get_mut(go.index()) {
            *last = t;
        }
    }

    fn start(&self) -> Time {
        self.index.recordings.get(self.recording).map_or(self.index.start, |r| r.from)
    }

    /// An event with a goroutine's own stack.
    fn says(&mut self, go: GoIdx, stack: StackId, (kind, t, no): (Kind, Time, EventNo)) {
        let happens = match kind {
            Kind::GoCreate | Kind::GoCreateBlocked => Happens::Creates,
            Kind::GoBlock => Happens::Blocks,
            Kind::GoSyscallBegin => Happens::Calls,
            _ => Happens::Else,
        };
        let start = self.start();
        let (kinds, rules, dict) = (&self.kinds, self.rules, &self.index.dict);
        let out = &mut *self.out;
        let said = self.stacks.said(stack);
        if let Some(s) = said.and_then(|s| s.serving) {
            let server = self.servers.entry(go).or_insert_with(|| {
                let created = self.index.goroutine(go).and_then(|g| g.created()).is_some_and(|c| c >= start);
                Server::new((s.rule, s.always), start, created)
            });
            server.says(Some(&s), 0, (t, no, happens), &mut |r| out(served(kinds, go, &r)));
        } else if let Some(server) = self.servers.get_mut(&go) {
            let depth = dict.depth(stack);
            server.says(None, depth, (t, no, happens), &mut |r| out(served(kinds, go, &r)));
        }
        if let Some(l) = said.and_then(|s| s.living) {
            let begin = Some(Edge { at: start, bounds: Bounds::exact(start), no });
            let new = Life { rule: l.rule, begin, began: false, last: t, end: None, handler: NO_HANDLER };
            let life = self.lives.entry(go).or_insert(new);
            if life.end.is_none() {
                if l.over {
                    let bounds = Bounds { earliest: life.last, latest: t };
                    life.end = Some(Edge { at: t, bounds, no });
                }
                if l.handler.0 > life.handler.0 || !life.handler.1.is_some() {
                    life.handler = l.handler;
                }
                life.last = t;
            }
        }
        let calling = said.map_or(&[][..], |s| &s.calls);
        let before = self.last.get(go.index()).copied().filter(|t| *t != Time::MIN);
        let sample = kind == Kind::CpuSample;
        // A sample whose stack could not be unwound to its root is of anything.
        let whole = || dict.stack(stack).last().is_some_and(|f| is_below_all(dict.func_name(f.func)));
        if !calling.is_empty() || self.calls.contains_key(&go) && (!sample || whole()) {
            let calls = self.calls.entry(go).or_insert_with(|| Calls::after(before));
            let split = |rule: RuleNo| match rules.all.get(usize::from(rule)).map(|r| &r.form) {
                Some(Form::Call { split, .. }) => *split,
                _ => Split::Never,
            };
            let means = match kind {
                Kind::CpuSample => Means::Sample,
                Kind::GoBlock => Means::Block,
                _ => Means::Else,
            };
            calls.says(dict, calling, (stack, t, no, means), split, &mut |c| out(called(kinds, dict, go, &c)));
            if calls.is_empty() {
                self.calls.remove(&go);
            }
        }
        self.seen(go, t);
    }

    /// An event about a goroutine without its stack.
    fn goes_on(&mut self, go: GoIdx, (kind, t, no): (Kind, Time, EventNo)) {
        let happens = match kind {
            Kind::GoUnblock => Happens::Unblocked,
            Kind::GoStart => Happens::Starts,
            _ => Happens::Else,
        };
        if let Some(server) = self.servers.get_mut(&go) {
            server.goes_on((t, no, happens));
        }
        if let Some(life) = self.lives.get_mut(&go) {
            if kind == Kind::GoStart && life.begin.is_none() {
                life.begin = Some(Edge { at: t, bounds: Bounds::exact(t), no });
            }
            if life.end.is_none() {
                life.last = t;
            }
        }
        if let Some(calls) = self.calls.get_mut(&go) {
            calls.goes_on(t, no);
        }
        self.seen(go, t);
    }

    /// A goroutine has ended, or nothing more is known of it if `ended` is not set.
    fn over(&mut self, go: GoIdx, (t, no): (Time, EventNo), ended: bool) {
        let (kinds, out, dict) = (&self.kinds, &mut *self.out, &self.index.dict);
        if let Some(server) = self.servers.remove(&go) {
            server.over(t, no, ended, &mut |r| out(served(kinds, go, &r)));
        }
        if let Some(life) = self.lives.remove(&go)
            && let Some(begin) = life.begin
        {
            let gone = Edge { at: t, bounds: Bounds { earliest: life.last, latest: t }, no };
            let (end, none) = (life.end.or(ended.then_some(gone)), None);
            let (rule, name, began) = (life.rule, life.handler.1, life.began);
            let s = Served { rule, name, begin, began, end, until: t, arrived: none, answered: none };
            out(served(kinds, go, &s));
        }
        if let Some(calls) = self.calls.remove(&go) {
            calls.over(t, no, ended, &mut |c| out(called(kinds, dict, go, &c)));
        }
    }

    /// The trace ends, or the recording: nothing is known of what is under way.
    fn cut(&mut self, at: Time) {
        let mut all: Vec<GoIdx> =
            self.servers.keys().chain(self.lives.keys()).chain(self.calls.keys()).copied().collect();
        all.sort_unstable();
        all.dedup();
        for go in all {
            self.over(go, (at, EventNo::MAX), false);
        }
        self.last.fill(Time::MIN);
    }
}

fn served(kinds: &[KindNo], go: GoIdx, r: &Served) -> Span {
    let end = r.end.map_or(Bounds::exact(r.until), |e| e.bounds);
    Span {
        kind: kinds[usize::from(r.rule)],
        name: r.name,
        go,
        ended_by: go,
        task: 0,
        from: r.begin.at,
        to: r.end.map_or(r.until, |e| e.at),
        begin: r.begin.bounds,
        end,
        began: r.began,
        ended: r.end.is_some(),
        first: r.began.then_some(r.begin.no),
        last: r.end.map(|e| e.no),
        arrived: r.arrived,
        answered: r.answered,
        repeats: false,
    }
}

fn called(kinds: &[KindNo], dict: &crate::model::Dict, go: GoIdx, c: &Called) -> Span {
    let to = c.end.map_or(c.until, |e| e.at);
    Span {
        kind: kinds[usize::from(c.rule)],
        name: dict.funcs().get(c.func.0 as usize).map_or(StringId::NONE, |f| f.name),
        go,
        ended_by: go,
        task: 0,
        from: c.begin.at,
        to,
        begin: c.begin.bounds,
        end: c.end.map_or(Bounds::exact(to), |e| e.bounds),
        began: c.began,
        ended: c.end.is_some(),
        first: Some(c.begin.no),
        last: c.end.map(|e| e.no),
        arrived: None,
        answered: None,
        repeats: c.repeats,
    }
}
