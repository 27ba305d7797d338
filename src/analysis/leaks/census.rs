//! The goroutines of a program at one moment, counted by where they are blocked: what a dump or a goroutine profile says.

use crate::model::dict::without_types;
use crate::model::ownership::{Own, Owner, is_below_all};
use crate::profile::dump::{Dump, Frame};
use crate::profile::model::Profile;
use crate::profile::wire::legacy::builder::HIDDEN;
use std::collections::{BTreeMap, BTreeSet};

/// Where goroutines are blocked: those that start in one function, at one line of the user's code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Site {
    /// The function in which they start. Not escaped.
    pub entry: String,
    /// The function in which they are blocked. Not escaped.
    pub func: String,
    /// The line; 0 if it is not known.
    pub line: u32,
}

impl Site {
    /// A site. Type arguments are left out of the names: a trace may have them, a traceback has not.
    pub fn new(entry: &str, func: &str, line: u32) -> Site {
        Site { entry: without_types(entry).into_owned(), func: without_types(func).into_owned(), line }
    }
}

/// The goroutines at a site.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// How many of them the runtime has marked as leaked.
    pub marked: u64,
    /// Their numbers, and whether each is marked; a profile does not say.
    pub ids: Vec<(u64, bool)>,
    /// The source file. Not escaped.
    pub file: String,
    /// What they wait for, in the runtime's words.
    pub reason: String,
    /// For how many minutes the one that waits longest has been blocked.
    pub minutes: Option<u64>,
    /// Where they were made.
    pub created: Option<Frame>,
    /// Their labels, and how many have each.
    pub labels: BTreeMap<(String, String), u64>,
    /// The addresses of the locks that they wait for.
    pub locks: BTreeSet<u64>,
}

/// All goroutines of the user's that wait for others of the program, or are marked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// By site.
    pub sites: BTreeMap<Site, Counted>,
    /// How many goroutines there are, whatever they do.
    pub all: u64,
    /// How many of them the runtime has marked as leaked.
    pub marked: u64,
    /// Whether it has the marked ones alone: it is a profile of leaked goroutines.
    pub marked_only: bool,
}

/// Whether others of the program end such a wait. The words are those of `waitReasonStrings` in Go's `runtime/runtime2.go`.
fn of_others(reason: &str) -> bool {
    reason.starts_with("chan ") || reason.starts_with("sync.") || matches!(reason, "select" | "semacquire")
}

/// The runtime's function that blocks, and the word for it. A profile has the function only.
const BLOCKING: [(&str, &str); 7] = [
    ("runtime.chanrecv", "chan receive"),
    ("runtime.chansend", "chan send"),
    ("runtime.selectgo", "select"),
    ("sync.(*WaitGroup).Wait", "sync.WaitGroup.Wait"),
    ("sync.(*Cond).Wait", "sync.Cond.Wait"),
    ("sync.(*RWMutex)", "sync.RWMutex.Lock"),
    ("sync.(*Mutex)", "sync.Mutex.Lock"),
];

/// A word for the wait of a stack of which the text leaves the runtime's functions out: user code that has called these does
/// something with a channel. What else blocks has a function of a library between.
fn hidden(stack: &[(&str, &str, u32)]) -> &'static str {
    let above = stack.iter().position(|f| f.0 != HIDDEN);
    let user = above.filter(|&i| i > 0).is_some_and(|i| Owner::of(stack[i].0) == Owner::User);
    if user { "a channel" } else { "" }
}

/// The frame of user code of a stack, leaf first: the one that [`crate::model::Dict::user_frame`] takes of a trace's.
fn user<'a>(funcs: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    let code = |f: &'a str| (Owner::of(f), f);
    let own = Own::of(funcs.clone().map(code));
    funcs.clone().position(|f| own.has(code(f))).or(funcs.clone().next().map(|_| 0))
}

impl Census {
    /// The goroutines of a dump.
    pub fn of_dump(d: &Dump) -> Census {
        let mut out = Census { all: d.goroutines.len() as u64, ..Census::default() };
        for g in &d.goroutines {
            let stack: Vec<&Frame> = d.stack(g).collect();
            let reason = d.reason(g);
            out.marked += u64::from(g.leaked);
            if !g.leaked && !of_others(reason) {
                continue;
            }
            let Some(at) =
                out.at(&stack.iter().map(|f| (f.func.as_str(), f.file.as_str(), f.line)).collect::<Vec<_>>())
            else {
                continue;
            };
            at.count += 1;
            at.marked += u64::from(g.leaked);
            at.ids.push((g.id, g.leaked));
            at.reason = reason.to_owned();
            at.locks.extend(d.blocked(g).map(|b| b.lock));
            at.minutes = at.minutes.max(g.minutes);
            at.created = at.created.take().or_else(|| d.created_at(g).cloned());
            for label in d.labels(g) {
                *at.labels.entry(label.clone()).or_default() += 1;
            }
        }
        out
    }

    /// The goroutines of a goroutine profile, or of one of leaked goroutines; `None` of any other.
    pub fn of_profile(p: &Profile) -> Option<Census> {
        let kind = |name: &str| p.sample_types.iter().position(|t| p.str(t.kind) == name);
        let (value, marked_only) = match (kind("goroutineleak"), kind("goroutine")) {
            (Some(i), _) => (i, true),
            (None, i) => (i?, false),
        };
        let mut out = Census { marked_only, ..Census::default() };
        for s in &p.samples {
            let n = p.values_of(s).get(value).copied().and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            out.all = out.all.saturating_add(n);
            let locations = p.stack_of(s).iter().filter_map(|&l| p.locations.get(l as usize));
            let lines = locations.flat_map(|l| &p.lines[l.lines.range()]);
            let stack: Vec<(&str, &str, u32)> = lines
                .filter_map(|l| {
                    let f = p.functions.get(l.function as usize)?;
                    Some((p.str(f.name), p.str(f.file), u32::try_from(l.line).unwrap_or(0)))
                })
                .collect();
            let words = stack.iter().find_map(|f| BLOCKING.iter().find(|b| f.0.starts_with(b.0)));
            let reason = words.map_or_else(|| hidden(&stack), |w| w.1);
            if reason.is_empty() && !marked_only {
                continue;
            }
            let Some(at) = out.at(&stack) else { continue };
            at.count = at.count.saturating_add(n);
            at.marked = if marked_only { at.count } else { 0 };
            at.reason = reason.to_owned();
        }
        out.marked = if marked_only { out.all } else { 0 };
        Some(out)
    }

    /// The site of a stack, leaf first; `None` of the runtime's own goroutines, and where nothing is known.
    fn at(&mut self, stack: &[(&str, &str, u32)]) -> Option<&mut Counted> {
        let entry = stack.iter().rev().map(|f| f.0).find(|f| !is_below_all(f))?;
        if Owner::of_goroutine(entry).is_hidden() {
            return None;
        }
        let (func, file, line) = stack[user(stack.iter().map(|f| f.0))?];
        let at = self.sites.entry(Site::new(entry, func, line)).or_default();
        if at.file.is_empty() {
            at.file = file.to_owned();
        }
        Some(at)
    }
}
