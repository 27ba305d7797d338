//! What goroutines wait for, cell by cell.

use super::Window;
use crate::analysis::states::source::Source;
use crate::analysis::states::spans::Span;
use crate::base::{Duration, GoIdx, StackId, StringId, Time};
use crate::model::reasons::{Reasons, WaitKind};
use crate::model::segment::Kind;
use crate::model::{Detail, Index, Lane, Segment, Waker};
use rustc_hash::FxHashMap;

/// What most of a lane's waiting was for, by the index alone: of the whole trace, and nothing unless it is three quarters of
/// it.
pub fn usual(index: &Index, lane: Lane) -> Option<WaitKind> {
    let blocked = match lane {
        Lane::Go(g) => &index.goroutine(g)?.blocked,
        Lane::Group(g) => &index.groups.get(g.0 as usize)?.blocked,
        Lane::Proc(_) | Lane::All => return None,
    };
    let mut by = [Duration::ZERO; WaitKind::ALL.len()];
    for (reason, d) in blocked {
        by[WaitKind::of_word(index.dict.str(*reason)) as usize] += *d;
    }
    let (all, most) = (by.iter().copied().sum::<Duration>(), most(&by)?);
    (i128::from(by[most as usize].ns()) * 4 >= i128::from(all.ns()) * 3).then_some(most)
}

/// The kind that has most of the time.
fn most(by: &[Duration; WaitKind::ALL.len()]) -> Option<WaitKind> {
    WaitKind::ALL.into_iter().filter(|k| by[*k as usize] > Duration::ZERO).max_by_key(|k| by[*k as usize])
}

/// Time by cell and kind.
pub(super) struct Waited(Vec<[Duration; WaitKind::ALL.len()]>);

impl Waited {
    pub(super) fn new(width: usize) -> Waited {
        Waited(vec![Default::default(); width])
    }

    /// Adds a wait.
    pub(super) fn add(&mut self, window: Window, from: Time, to: Time, kind: WaitKind) {
        let (from, to) = (from.max(window.from), to.min(window.to));
        if to <= from {
            return;
        }
        let (Some(a), Some(b)) = (window.cell(from), window.cell(to - Duration(1))) else { return };
        for i in a..=b {
            self.0[i][kind as usize] += to.min(window.edge(i + 1)) - from.max(window.edge(i));
        }
    }

    /// The time in each cell, in the order of [`WaitKind::ALL`].
    pub(super) fn by_kind(&self) -> &[[Duration; WaitKind::ALL.len()]] {
        &self.0
    }

    /// The kind that each cell has most of.
    pub(super) fn most(&self) -> Vec<Option<WaitKind>> {
        self.0.iter().map(most).collect()
    }
}

/// A wait by its word, its stack, and who ended it where.
type Known = (StringId, StackId, bool, StackId);

/// Tells what waits are for. Each pair of stacks is looked at once.
pub(super) struct Teller<'a> {
    source: &'a dyn Source,
    reasons: Reasons,
    known: FxHashMap<Known, WaitKind>,
    /// What goroutines waited for last, for where a wait goes on in the next segment.
    last: FxHashMap<GoIdx, WaitKind>,
}

impl Teller<'_> {
    pub(super) fn new(source: &dyn Source) -> Teller<'_> {
        Teller { source, reasons: Reasons::default(), known: FxHashMap::default(), last: FxHashMap::default() }
    }

    /// What a goroutine waits for in a span that begins before what could be seen.
    pub(super) fn before(&mut self, g: GoIdx) -> WaitKind {
        let source = self.source;
        *self.last.entry(g).or_insert_with(|| {
            let mut kind = None;
            source.with_index(&mut |index| kind = usual(index, Lane::Go(g)));
            kind.unwrap_or(WaitKind::Other)
        })
    }

    /// What a goroutine waits for in a span of a segment.
    pub(super) fn kind(&mut self, seg: &Segment, g: GoIdx, span: &Span) -> WaitKind {
        let Some(begin) = span.begin.map(|i| i as usize) else { return self.before(g) };
        if seg.kind[begin] == Kind::GoStatus && self.last.contains_key(&g) {
            return self.before(g);
        }
        let reason = match seg.detail(begin) {
            Detail::Reason(r) => r,
            _ => StringId::NONE,
        };
        let by = span.end.map(|i| i as usize).map(|i| (seg.by[i], seg.stack[i]));
        let key = (reason, seg.stack[begin], by.is_some_and(|b| b.0.is_some()), by.map_or(StackId::NONE, |b| b.1));
        let kind = match self.known.get(&key) {
            Some(&kind) => kind,
            None => {
                let kind = self.look((reason, key.1), by);
                self.known.insert(key, kind);
                kind
            }
        };
        self.last.insert(g, kind);
        kind
    }

    fn look(&self, wait: (StringId, StackId), by: Option<(GoIdx, StackId)>) -> WaitKind {
        let mut kind = WaitKind::Other;
        self.source.with_index(&mut |index| {
            let dict = &index.dict;
            let id = match by {
                None => self.reasons.refine(dict, wait.0, wait.1, Waker::Nobody),
                Some((by, stack)) => {
                    let waker = self.reasons.waker(dict, wait, by, stack);
                    self.reasons.refine_ended(dict, wait, (waker, stack))
                }
            };
            kind = self.reasons.get(id).class.kind();
        });
        kind
    }
}
