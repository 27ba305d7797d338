//! What a trace alone tells of maps: which goroutines were sampled where, which GC cycles a line began, and who was in an
//! assignment at the same time.

use super::cpu::Fold;
use super::stack::{self, Functions, Place};
use super::{Scope, Suspect, since};
use crate::analysis::cost::hits::Hit;
use crate::analysis::search;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{Duration, GoIdx, ProcIdx, StackId, Time};
use crate::model::segment::Kind;
use crate::model::{Index, lens};
use crate::query;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicBool;

/// What is asked for; and where all samples are to be counted.
const QUERY: &str = "lens:maps (kind:CPUSample or kind:GCBegin)";
const QUERY_ALL: &str = "(kind:CPUSample or lens:maps kind:GCBegin)";
/// How near two samples in an assignment are that say that both goroutines were in it at once.
const NEAR: Duration = Duration(1_000_000);

/// A line, as the trace saw it.
#[derive(Default)]
pub(super) struct At {
    /// Samples by group of goroutines.
    pub goroutines: BTreeMap<String, u64>,
    /// GC cycles that it began.
    pub gc_cycles: u64,
    /// Of pairs of samples of different goroutines, the nearest, and how many there are.
    pairs: Option<Suspect>,
}

/// All lines.
#[derive(Default)]
pub(super) struct Seen {
    pub lines: BTreeMap<Place, At>,
}

impl Seen {
    /// The lines where two goroutines assigned at once, of those that `may` be suspects; the most often first.
    pub(super) fn suspects(&self, may: impl Fn(&Place) -> bool) -> Vec<Suspect> {
        let all = self.lines.iter().filter(|(place, _)| may(place)).filter_map(|(_, at)| at.pairs.clone());
        let mut out: Vec<Suspect> = all.collect();
        out.sort_by(|a, b| b.pairs.cmp(&a.pairs).then_with(|| a.place.cmp(&b.place)));
        out
    }
}

struct Assigning {
    time: Time,
    go: GoIdx,
    proc: ProcIdx,
    place: Place,
}

#[derive(Default)]
struct Look {
    seen: Seen,
    functions: Functions,
    /// By stack, the line and whether it assigns.
    stacks: FxHashMap<StackId, Option<(Place, bool)>>,
    recent: VecDeque<Assigning>,
}

/// Goes through the samples and GC cycles of a trace that has been read whole.
pub(super) fn look<S: Source>(source: &S) -> Result<Seen, Unanswered> {
    let mut look = Look::default();
    each(source, QUERY, &AtomicBool::new(false), &mut |index, h| look.hit(index, h))?;
    Ok(look.seen)
}

/// The same for a part of a trace, whose samples are summed up as well.
pub(super) fn look_in<S: Source>(
    source: &S,
    scope: &Scope<'_>,
    cancel: &AtomicBool,
) -> Result<(Seen, Fold), Unanswered> {
    let (mut look, mut fold) = (Look::default(), Fold::default());
    let text = match scope.query {
        Some(q) => format!("{QUERY_ALL} ({q})"),
        None => QUERY_ALL.to_owned(),
    };
    each(source, &text, cancel, &mut |index, h| {
        let group = index.goroutine(h.go).map(|g| g.group);
        let inside = scope.window.is_none_or(|(from, to)| (from..to).contains(&h.time));
        if !inside || scope.group.is_some() && scope.group != group {
            return;
        }
        if h.kind == Kind::CpuSample {
            fold.one(index, h.stack);
        }
        look.hit(index, h);
    })?;
    Ok((look.seen, fold))
}

fn each<S: Source>(
    source: &S,
    query: &str,
    cancel: &AtomicBool,
    hit: &mut dyn FnMut(&Index, &Hit),
) -> Result<(), Unanswered> {
    let query = query::parse(query).map_err(|e| Unanswered::Ours(e.to_string()))?;
    let compiled = search::compile(source, &query).map_err(|e| Unanswered::Ours(e.to_string()))?;
    let options = search::Options::default();
    let outcome = search::run_compiled(source, &compiled, &options, cancel, &mut |_, hits| {
        if !hits.is_empty() {
            source.with_index(&mut |index| hits.iter().for_each(|h| hit(index, h)));
        }
    });
    match outcome.failed.into_iter().next() {
        Some((_, why)) => Err(why),
        None if outcome.cancelled => Err(Unanswered::Unwanted),
        None => Ok(()),
    }
}

impl Look {
    fn hit(&mut self, index: &Index, h: &Hit) {
        let functions = &mut self.functions;
        let of = self.stacks.entry(h.stack).or_insert_with(|| {
            let stack = stack::of_trace(&index.dict, h.stack);
            let split = functions.split(&stack)?;
            let operation = lens::maps().operations.get(split.found?.operation)?;
            Some((stack[split.user].place(), operation.name == "assign"))
        });
        let Some((place, assigns)) = of.clone() else { return };
        let at = self.seen.lines.entry(place.clone()).or_default();
        if h.kind == Kind::GcBegin {
            at.gc_cycles += 1;
            return;
        }
        let group = index.goroutine(h.go).map_or("", |g| index.group_name(g.group));
        *at.goroutines.entry(group.to_owned()).or_default() += 1;
        if assigns && h.go.is_some() {
            self.assigns(index, Assigning { time: h.time, go: h.go, proc: h.proc, place });
        }
    }

    fn assigns(&mut self, index: &Index, now: Assigning) {
        while self.recent.front().is_some_and(|r| now.time - r.time > NEAR) {
            self.recent.pop_front();
        }
        let others = self.recent.iter().filter(|r| r.place == now.place && r.go != now.go && r.proc != now.proc);
        for other in others {
            let id = |g| index.goroutine(g).map_or(crate::base::GoId(0), |g| g.id);
            let apart = now.time - other.time;
            let at = self.seen.lines.entry(now.place.clone()).or_default();
            let pairs = at.pairs.as_ref().map_or(0, |p| p.pairs) + 1;
            match &mut at.pairs {
                Some(p) if p.apart <= apart => p.pairs = pairs,
                p => {
                    let (place, at) = (now.place.clone(), since(index, now.time));
                    *p = Some(Suspect { place, goroutines: (id(other.go), id(now.go)), at, apart, pairs });
                }
            }
        }
        self.recent.push_back(now);
    }
}
