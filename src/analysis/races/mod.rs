//! Reports of the race detector, and of the runtime about maps, beside a trace: which of its goroutines they mean.
//!
//! The race detector numbers goroutines itself, so that its numbers mean nothing in a trace. A goroutine of the trace is a
//! candidate for one of a report if it starts in the same function and was created at the same line; candidates of the two
//! sides are those that live at the same time. Where several are alike, all are candidates. What the runtime prints when it
//! finds that two goroutines use a map at once has the runtime's numbers, and names one side only.

mod finding;

use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::walk;
use crate::base::{GoIdx, Time};
use crate::model::Index;
use crate::model::dict::without_types;
use crate::model::ownership::{Owner, is_library};
use crate::profile::dump::{Access, Dump, Frame, Goroutine, Race, Told};
use std::ops::ControlFlow;

/// A report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The file that has it, and the line where it begins. Not escaped.
    pub file: (String, usize),
    /// `fatal error: concurrent map writes`, if it is the runtime's; nothing, if it is the race detector's. Not escaped.
    pub fatal: Option<String>,
    /// Who used the memory, the later one first.
    pub sides: Vec<Side>,
}

/// One side of a race.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// What it did.
    pub what: Use,
    /// The address; nothing where the report does not say.
    pub address: Option<u64>,
    /// The report's number of the goroutine; nothing of the main goroutine.
    pub number: Option<u64>,
    /// Whether that number is the runtime's, and so the trace's.
    pub exact: bool,
    /// Whether the goroutine had ended when the report was written.
    pub finished: bool,
    /// The stack, the leaf first.
    pub stack: Vec<Frame>,
    /// Where the goroutine was created.
    pub created: Option<Frame>,
    /// The goroutines of the trace that it may be, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// What was done to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// It was read.
    Read,
    /// It was written.
    Write,
    /// It was read as a whole.
    AtomicRead,
    /// It was written as a whole.
    AtomicWrite,
    /// An operation on a map.
    Map,
}

/// A goroutine of the trace that may be one of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The goroutine.
    pub go: GoIdx,
    /// Since when it was there; the trace's start, if before.
    pub from: Time,
    /// Until when; the trace's end, if it had not ended.
    pub to: Time,
    /// How many events of the trace stand in the function of the access.
    pub seen: u64,
}

impl Use {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Use::Read => "read",
            Use::Write => "write",
            Use::AtomicRead => "atomic read",
            Use::AtomicWrite => "atomic write",
            Use::Map => "map operation",
        }
    }
}

impl Side {
    /// The line of user code that used the memory, with the function nearest to the leaf outside the runtime.
    pub fn at(&self) -> Option<&Frame> {
        self.stack.iter().find(|f| !is_library(&f.func)).or(self.stack.first())
    }
}

/// What a text tells of races, as reports without candidates: those of the race detector, and the deaths over a map.
pub fn reports(file: &str, told: &Told) -> Vec<Report> {
    let mut out: Vec<Report> = told.races.iter().map(|r| of_race(file, r)).collect();
    out.extend(told.dumps.iter().filter_map(|d| of_dump(file, d)));
    out.sort_by_key(|r| r.file.1);
    out
}

fn of_race(file: &str, r: &Race) -> Report {
    let side = |a: &Access| {
        let created = r.created(a);
        Side {
            what: match (a.write, a.atomic) {
                (true, false) => Use::Write,
                (false, false) => Use::Read,
                (true, true) => Use::AtomicWrite,
                (false, true) => Use::AtomicRead,
            },
            address: Some(a.address),
            number: a.by,
            exact: false,
            finished: created.is_some_and(|c| c.finished),
            stack: a.stack.clone(),
            created: created.and_then(|c| c.stack.first().cloned()),
            candidates: Vec::new(),
        }
    };
    Report { file: (file.to_owned(), r.line), fatal: None, sides: r.accesses.iter().map(side).collect() }
}

/// The reports of the runtime about maps, as `internal/runtime/maps` and, before Go 1.24, `runtime/map.go` write them.
fn of_dump(file: &str, d: &Dump) -> Option<Report> {
    let fatal = d.cause.clone().filter(|c| c.starts_with("fatal error: concurrent map"))?;
    let side = |g: &Goroutine| Side {
        what: Use::Map,
        address: None,
        number: Some(g.id),
        exact: true,
        finished: false,
        stack: d.stack(g).cloned().collect(),
        created: d.created_at(g).cloned(),
        candidates: Vec::new(),
    };
    // The one that found it comes first. Of the others those may be the other side that are at an operation on a map.
    let mut all = d.goroutines.iter();
    let found = all.next()?;
    let others = all.filter(|g| d.stack(g).any(|f| is_map(&f.func)));
    Some(Report {
        file: (file.to_owned(), d.line),
        fatal: Some(fatal),
        sides: std::iter::once(found).chain(others).map(side).collect(),
    })
}

fn is_map(func: &str) -> bool {
    func.starts_with("runtime.map") || func.starts_with("internal/runtime/maps.")
}

/// Finds in a trace that has been read whole the goroutines that reports mean.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn locate<S: Source>(source: &S, reports: &mut [Report]) -> Result<(), Unanswered> {
    let mut out = Ok(());
    source.with_index(&mut |index| {
        for s in reports.iter_mut().flat_map(|r| &mut r.sides) {
            s.candidates = candidates(index, s);
        }
        reports.iter_mut().for_each(|r| at_once(&mut r.sides));
        out = seen(source, index, reports);
    });
    out
}

/// The functions in which a goroutine of this stack starts: what the compiler wraps around the call of a `go` statement
/// may be counted or not.
fn entries(stack: &[Frame]) -> impl Iterator<Item = &str> {
    let wrapped = stack.last().is_some_and(|f| f.func.contains(".gowrap"));
    stack.iter().rev().take(1 + usize::from(wrapped)).map(|f| f.func.as_str())
}

fn candidates(index: &Index, s: &Side) -> Vec<Candidate> {
    let candidate = |i: usize| {
        let g = &index.goroutines[i];
        let from = g.created().unwrap_or(index.start);
        let to = g.ended.or(g.gone()).unwrap_or(index.end);
        Candidate { go: GoIdx(i as u32), from, to, seen: 0 }
    };
    let fits = |i: &usize| {
        let g = &index.goroutines[*i];
        if s.exact || s.number.is_none() {
            return g.id.0 == s.number.unwrap_or(1);
        }
        let name = index.dict.func_name(g.entry);
        // Where the detector has forgotten the stack, the line of the go statement is left.
        let starts = s.stack.is_empty() || entries(&s.stack).any(|e| without_types(e) == without_types(name));
        let made = match (&s.created, g.created_at.is_some()) {
            (Some(c), true) => index
                .dict
                .stack(g.created_at)
                .any(|f| f.line == c.line && without_types(index.dict.func_name(f.func)) == without_types(&c.func)),
            // Who was there before the trace was created at a line that it does not know.
            (Some(_), false) => g.created().is_none(),
            (None, _) => true,
        };
        starts && made && !Owner::of_goroutine(name).is_hidden()
    };
    (0..index.goroutines.len()).filter(fits).map(candidate).collect()
}

/// Leaves out the candidates that live at no time at which one of the other side does. What nothing puts in order may also
/// come one after the other: a side that the report says had ended, or for which nothing would be left, keeps all.
fn at_once(sides: &mut [Side]) {
    if sides.len() != 2 || sides.iter().any(|s| s.candidates.is_empty() || s.finished) {
        return;
    }
    // Sorted by beginning, with the latest end so far, so that many alike are no matter.
    let lives = |s: &Side| {
        let mut all: Vec<(Time, Time)> = s.candidates.iter().map(|c| (c.from, c.to)).collect();
        all.sort_unstable();
        let mut latest = Time::MIN;
        all.iter_mut().for_each(|l| {
            latest = latest.max(l.1);
            l.1 = latest;
        });
        all
    };
    let both = [lives(&sides[1]), lives(&sides[0])];
    for (s, others) in sides.iter_mut().zip(both) {
        let there = |c: &Candidate| {
            let begun = others.partition_point(|o| o.0 <= c.to);
            begun > 0 && others[begun - 1].1 >= c.from
        };
        if s.candidates.iter().any(there) {
            s.candidates.retain(there);
        }
    }
}

/// Counts for each candidate the events that stand in the function of the access, and puts those with the most first.
fn seen<S: Source>(source: &S, index: &Index, reports: &mut [Report]) -> Result<(), Unanswered> {
    let sides: Vec<&mut Side> =
        reports.iter_mut().flat_map(|r| &mut r.sides).filter(|s| s.candidates.len() > 1).collect();
    if sides.is_empty() {
        return Ok(());
    }
    let stacks_of = |s: &Side| {
        let func = s.at().map_or("", |f| &f.func);
        index.dict.stacks_with(|d, f| without_types(d.func_name(f.func)) == without_types(func))
    };
    let mut wanted: Vec<(Vec<bool>, &mut Side)> = sides.into_iter().map(|s| (stacks_of(s), s)).collect();
    walk::segments(source, 0..index.segments.len(), walk::threads(), &mut |_, seg| {
        for (stacks, side) in &mut wanted {
            let there = |i: &usize| stacks.get(seg.stack[*i].0 as usize).copied().unwrap_or(false);
            for i in (0..seg.len()).filter(there) {
                if let Ok(at) = side.candidates.binary_search_by_key(&seg.go[i], |c| c.go) {
                    side.candidates[at].seen += 1;
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    for (_, side) in wanted {
        side.candidates.sort_by_key(|c| (std::cmp::Reverse(c.seen), c.go));
    }
    Ok(())
}
