//! The tables that do not come out of events one by one: dictionaries, goroutines, sums.

use super::{Cell, Ids, Sink, Table, Wanted};
use crate::analysis::summary;
use crate::base::{FuncId, GoIdx, StackId, StringId};
use crate::model::Index;
use crate::model::ownership::Owner;
use crate::model::totals::Party;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of the trace beside its index.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What the file is called.
    pub name: String,
    /// What makes an instant ns since 1970.
    pub wall: Option<i64>,
}

/// A function's name.
fn func_name(index: &Index, f: FuncId) -> Cell {
    index.dict.funcs().get(f.0 as usize).map_or(Cell::Null, |f| Cell::str(f.name))
}

fn func_file(index: &Index, f: FuncId) -> Cell {
    index.dict.funcs().get(f.0 as usize).map_or(Cell::Null, |f| Cell::str(f.file))
}

fn int(n: Option<i64>) -> Cell {
    n.map_or(Cell::Null, Cell::Int)
}

/// A goroutine's number.
pub(super) fn go(index: &Index, g: GoIdx) -> Cell {
    index.goroutine(g).map_or(Cell::Null, |g| Cell::id(g.id.0))
}

fn word(owner: Owner) -> &'static str {
    match owner {
        Owner::User => "user",
        Owner::Library => "library",
        Owner::Runtime => "runtime",
        Owner::Unknown => "unknown",
    }
}

/// Hands on the rows of all these tables that are wanted.
pub(super) fn rows(index: &Index, ids: &Ids, about: &About, wanted: &Wanted, sink: &mut dyn Sink) {
    if wanted.has(Table::TraceSummary) {
        trace_summary(index, about, sink);
    }
    if wanted.has(Table::Goroutines) {
        goroutines(index, ids, wanted, sink);
    }
    if wanted.any(&[Table::Stacks, Table::Frames, Table::Functions]) {
        stacks(index, ids, wanted, sink);
    }
    if wanted.has(Table::Links) {
        links(index, ids, sink);
    }
}

fn trace_summary(index: &Index, about: &About, sink: &mut dyn Sink) {
    let s = summary::summarize(index);
    let lost = s.lost.join("; ");
    sink.row(
        Table::TraceSummary,
        &[
            Cell::Own(Arc::from(about.name.as_str())),
            Cell::Own(Arc::from(s.format.as_str())),
            Cell::count(super::VERSION.into()),
            Cell::time(index.start),
            Cell::time(index.end),
            Cell::Int(index.duration().ns()),
            int(about.wall),
            Cell::count(s.events),
            Cell::count(s.goroutines),
            Cell::count(s.procs),
            Cell::count(s.threads),
            Cell::count(s.cpu_samples),
            Cell::Bool(s.complete),
            if lost.is_empty() { Cell::Null } else { Cell::Own(Arc::from(lost)) },
        ],
    );
}

fn goroutines(index: &Index, ids: &Ids, wanted: &Wanted, sink: &mut dyn Sink) {
    for (i, g) in (0u32..).zip(&index.goroutines).filter(|(_, g)| g.events > 0) {
        let end = g.ended.unwrap_or(index.end);
        if wanted.go.is_some_and(|id| id != g.id.0) || !wanted.inside(g.from, end) {
            continue;
        }
        let t = &g.times;
        sink.row(
            Table::Goroutines,
            &[
                Cell::id(g.id.0),
                int(ids.func(g.entry)),
                func_name(index, g.entry),
                Cell::Word(word(index.owner_of(GoIdx(i)))),
                go(index, g.creator),
                int(ids.stack(g.created_at)),
                Cell::time(g.from),
                int(g.ended.map(|t| t.0)),
                Cell::Bool(g.created().is_some()),
                Cell::Int(t.running.ns()),
                Cell::Int(t.runnable.ns()),
                Cell::Int(t.waiting.ns()),
                Cell::Int(t.syscall.ns()),
                Cell::Int(t.syscall_blocked.ns()),
                Cell::count(g.events),
                Cell::count(g.samples),
                Cell::count(g.process.into()),
            ],
        );
    }
}

/// Those stacks that an event has, and what they name.
fn stacks(index: &Index, ids: &Ids, wanted: &Wanted, sink: &mut dyn Sink) {
    let dict = &index.dict;
    let (_, funcs, _, stacks) = dict.counts();
    let (mut seen, mut named) = (vec![false; stacks], vec![false; funcs]);
    for s in index.segments.iter().flat_map(|s| &s.stacks) {
        if let Some(seen) = seen.get_mut(s.0 as usize) {
            *seen = true;
        }
    }
    for s in index.goroutines.iter().map(|g| g.created_at).filter(|s| s.is_some()) {
        seen[s.index()] = true;
    }
    // Stacks that differ in addresses alone are one to whoever asks for functions and lines.
    let mut said = FxHashSet::default();
    for s in (0u32..).zip(&seen).filter(|(_, seen)| **seen).map(|(i, _)| StackId(i)) {
        if sink.full() {
            return;
        }
        if !said.insert(ids.stack(s)) {
            continue;
        }
        let id = int(ids.stack(s));
        for (position, f) in (0..).zip(dict.stack(s)) {
            named[f.func.index()] = true;
            if wanted.has(Table::Frames) {
                let (func, name, file) = (int(ids.func(f.func)), func_name(index, f.func), func_file(index, f.func));
                sink.row(
                    Table::Frames,
                    &[id.clone(), Cell::Int(position), func, name, file, Cell::count(f.line.into())],
                );
            }
        }
        if wanted.has(Table::Stacks) {
            let (Some(leaf), Some(user)) = (dict.leaf(s).map(|l| dict.frame_of(l)), dict.user_line(s)) else {
                continue;
            };
            sink.row(
                Table::Stacks,
                &[
                    id,
                    Cell::count(dict.depth(s) as u64),
                    int(ids.func(leaf.func)),
                    Cell::count(leaf.line.into()),
                    func_name(index, user.func),
                    func_file(index, user.func),
                    Cell::count(user.line.into()),
                ],
            );
        }
    }
    if wanted.has(Table::Functions) {
        index.goroutines.iter().filter(|g| g.entry.is_some()).for_each(|g| named[g.entry.index()] = true);
        for f in (0u32..).zip(&named).filter(|(_, named)| **named).map(|(i, _)| FuncId(i)) {
            sink.row(Table::Functions, &[int(ids.func(f)), func_name(index, f), func_file(index, f)]);
        }
    }
}

fn links(index: &Index, ids: &Ids, sink: &mut dyn Sink) {
    let name = |p: Party| match p {
        Party::Nobody => StringId::NONE,
        Party::Go(g) => index
            .goroutine(g)
            .and_then(|g| index.dict.funcs().get(g.entry.0 as usize))
            .map_or(StringId::NONE, |f| f.name),
        Party::Group(g) => index.groups.get(g.0 as usize).map_or(StringId::NONE, |g| g.name),
    };
    let mut sums: BTreeMap<_, (u64, i64)> = BTreeMap::new();
    for (l, t) in &index.totals.links {
        let sum = sums.entry((name(l.waiter), l.reason, l.waiter_stack, name(l.waker), l.waker_stack)).or_default();
        sum.0 += t.tally.count;
        sum.1 = sum.1.saturating_add(t.tally.total.ns());
    }
    for ((function, reason, stack, waker, waker_stack), (count, total)) in sums {
        let (stack, waker_stack) = (int(ids.stack(stack)), int(ids.stack(waker_stack)));
        let (reason, waker) = (Cell::str(reason), Cell::str(waker));
        sink.row(
            Table::Links,
            &[Cell::str(function), reason, stack, waker, waker_stack, Cell::count(count), Cell::Int(total)],
        );
    }
}
