//! A critical path in order of time, as rows that the command prints and the viewer's panel shows. Runs of the same wait are
//! one row: fifteen goroutines that pass a lock on to each other are "15 × main.worker".

use super::{doing, ended, goroutine, group_name, line, number, piece, waits};
use crate::analysis::waits::links::group;
use crate::analysis::waits::path::{Hop, Path, Piece, Portion, Share, What};
use crate::base::{Duration, GoIdx, GroupId, Time, text};
use crate::model::Index;
use crate::model::places::PlaceId;
use crate::model::reasons::ReasonId;
use std::collections::BTreeMap;

/// A step of the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// When it begins.
    pub from: Time,
    /// How long it takes, or all of the same kind together.
    pub len: Duration,
    /// How many waits lie above it.
    pub depth: u16,
    /// The goroutine that it leads to.
    pub go: GoIdx,
    /// Who: a goroutine, or a group of which several did the same; safe to show.
    pub who: String,
    /// What it did; safe to show.
    pub what: String,
}

/// A wait, or several of the same kind, and what the time went into meanwhile.
struct Node<'a> {
    hop: &'a Hop,
    count: usize,
    len: Duration,
    children: Vec<Step<'a>>,
}

enum Step<'a> {
    Wait(Node<'a>),
    Piece(&'a Piece),
}

/// What waits have in common that are shown as one.
fn key(index: &Index, h: &Hop) -> (ReasonId, PlaceId, GroupId, PlaceId) {
    (h.reason, h.at, group(index, h.waker), h.waker_at)
}

/// The rows, no more than `most` but for equal lengths; how many shorter ones are left out, and how long the longest of
/// these is.
pub fn rows(path: &Path, index: &Index, most: usize) -> (Vec<Row>, usize, Duration) {
    let mut all = Vec::new();
    for step in fold(index, tree(path)) {
        push(path, index, step, 0, &mut all);
    }
    let mut lengths: Vec<Duration> = all.iter().map(|r| r.len).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let Some(&least) = lengths.get(most) else { return (all, 0, Duration::ZERO) };
    let before = all.len();
    all.retain(|r| r.len > least);
    let left_out = before - all.len();
    (all, left_out, least)
}

/// The steps that a share sums up, in order of time, no more than `most` but for equal lengths, which are the longest; how many
/// shorter ones are left out, and how long the longest of these is.
pub fn of_share(path: &Path, index: &Index, share: &Share, most: usize) -> (Vec<Row>, usize, Duration) {
    let row = |s: &Portion| {
        let what = s.hop.and_then(|i| path.hops.get(i)).map_or(String::new(), |h| {
            let by = line(path, index, h.waker_at);
            format!("until {} by {}{by}", ended(path, h.reason), goroutine(index, h.waker))
        });
        let go = path.window.go;
        Row { from: s.from, len: s.len, depth: 0, go, who: number(index, go), what }
    };
    let mut lengths: Vec<Duration> = share.steps.iter().map(|s| s.len).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let least = lengths.get(most).copied();
    let longest = |s: &&Portion| least.is_none_or(|l| s.len > l);
    let rows: Vec<Row> = share.steps.iter().filter(longest).map(row).collect();
    let left_out = share.steps.len() - rows.len();
    (rows, left_out, least.unwrap_or_default())
}

/// The waits of a path with what lies below each, in order of time.
fn tree(path: &Path) -> Vec<Step<'_>> {
    let hops = path.hops.iter().map(|h| (h.from, h.depth * 2, h.to, Ok(h)));
    let pieces = path.pieces.iter().map(|p| (p.from, p.depth * 2 + 1, p.to, Err(p)));
    let mut all: Vec<(Time, u16, Time, Result<&Hop, &Piece>)> = hops.chain(pieces).collect();
    all.sort_by_key(|s| (s.0, s.1));
    let mut top = Vec::new();
    let mut open: Vec<Node<'_>> = Vec::new();
    for (_, _, _, what) in all {
        let depth = what.map_or_else(|p| p.depth, |h| h.depth);
        while open.len() > usize::from(depth) {
            close(&mut open, &mut top);
        }
        match what {
            Ok(hop) => open.push(Node { hop, count: 1, len: hop.len(), children: Vec::new() }),
            Err(piece) => open.last_mut().map_or(&mut top, |n| &mut n.children).push(Step::Piece(piece)),
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut top);
    }
    top
}

fn close<'a>(open: &mut Vec<Node<'a>>, top: &mut Vec<Step<'a>>) {
    if let Some(node) = open.pop() {
        open.last_mut().map_or(top, |n| &mut n.children).push(Step::Wait(node));
    }
}

/// Takes waits of the same kind together that follow each other, or lie in each other.
fn fold<'a>(index: &Index, steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
    let mut out: Vec<Step<'a>> = Vec::new();
    for step in steps {
        let Step::Wait(mut node) = step else {
            out.push(step);
            continue;
        };
        node.children = fold(index, std::mem::take(&mut node.children));
        // One below that is of the same kind is another of the run.
        let mut children = Vec::new();
        for child in node.children {
            match child {
                Step::Wait(c) if key(index, c.hop) == key(index, node.hop) => {
                    node.count += c.count;
                    children.extend(c.children);
                }
                other => children.push(other),
            }
        }
        node.children = children;
        // What the waiter itself did between two waits does not end the run.
        let last = out.iter_mut().rev().find_map(|s| match s {
            Step::Wait(last) => Some(last),
            Step::Piece(_) => None,
        });
        match last {
            Some(last) if key(index, last.hop) == key(index, node.hop) => {
                last.count += node.count;
                last.len += node.len;
                last.children.append(&mut node.children);
            }
            _ => out.push(Step::Wait(node)),
        }
    }
    out
}

fn push(path: &Path, index: &Index, step: Step<'_>, depth: u16, out: &mut Vec<Row>) {
    let node = match step {
        Step::Piece(p) => {
            let what = piece(path, index, p);
            out.push(Row { from: p.from, len: p.len(), depth, go: p.go, who: number(index, p.go), what });
            return;
        }
        Step::Wait(node) => node,
    };
    let h = node.hop;
    let by = path.places.line(index, h.waker_at);
    let by = if by.is_empty() { by } else { format!(" at {by}") };
    let waits = text::escape(&waits(path, h.reason)).into_owned();
    let (at, ended) = (line(path, index, h.at), ended(path, h.reason));
    let (who, what) = match node.count {
        1 => (number(index, h.go), format!("{waits}{at}, until {ended} by {}{by}:", goroutine(index, h.waker))),
        n => {
            let run = format!("{} × {}", text::count(n as u64), group_name(index, group(index, h.waker)));
            (number(index, h.go), format!("{waits}{at}, {ended} by {run}{by}:"))
        }
    };
    out.push(Row { from: h.from, len: node.len, depth, go: h.go, who, what });
    if node.count == 1 {
        node.children.into_iter().for_each(|c| push(path, index, c, depth + 1, out));
        return;
    }
    // Of a run it matters what the time went into, not when.
    /// What pieces of a run have in common, and of these the first, its goroutine, the time and how many.
    type Sums = BTreeMap<(GroupId, What, Option<ReasonId>, PlaceId), (Time, GoIdx, Duration, usize)>;
    let mut sums: Sums = BTreeMap::new();
    for c in node.children {
        match c {
            Step::Piece(p) => {
                for (what, len) in p.kinds() {
                    let row = sums.entry((group(index, p.go), what, p.reason, p.at));
                    let row = row.or_insert((p.from, p.go, Duration::ZERO, 0));
                    row.2 += len;
                    row.3 += 1;
                }
            }
            wait => push(path, index, wait, depth + 1, out),
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|s| (std::cmp::Reverse(s.1.2), s.0));
    for ((group, what, reason, at), (from, go, len, n)) in sums {
        let who = group_name(index, group);
        let what = match n {
            1 => doing(path, index, what, reason, at),
            n => format!("{} × {}", text::count(n as u64), doing(path, index, what, reason, at)),
        };
        out.push(Row { from, len, depth: depth + 1, go, who, what });
    }
}
