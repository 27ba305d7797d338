//! The stretches that goroutines spent in their states, out of what was kept while the trace was read.

use super::follow::{end_of, found_since};
use super::log::{Change, Item, Kept};
use crate::analysis::states::tracker::{End, Interval};
use crate::base::{GoIdx, ProcIdx, StackId, StringId, ThreadIdx, Time};
use crate::model::Index;
use crate::model::segment::{GoState, Kind};

/// What a goroutine does.
#[derive(Clone, Copy)]
struct Row {
    state: GoState,
    from: Time,
    reason: StringId,
    stack: StackId,
}

impl Row {
    fn interval(&self, go: GoIdx, to: Time, end: Option<End>) -> Interval {
        let Row { state, from, reason, stack } = *self;
        let (by, proc, kind) = (GoIdx::NONE, ProcIdx::NONE, Kind::GoStatus);
        Interval { go, state, from, to: to.max(from), began: None, reason, stack, by, proc, kind, mark: 0, end }
    }
}

impl Kept {
    /// Calls `visit` with what `tracker::each` calls it with, as far as it is kept: nothing is said of what began a stretch,
    /// of Ps and threads, and of stacks but those of waits, of syscalls and of who ended a wait.
    pub(in crate::analysis) fn stretches(&self, index: &Index, visit: &mut dyn FnMut(&Interval)) {
        let mut rows: Vec<Option<Row>> = vec![None; index.goroutines.len()];
        let mut at = 0;
        self.changes(|item| match item {
            Item::Recording(next) => {
                leave_open(&mut rows, end_of(index, at), visit);
                at = next;
            }
            Item::Change(c) => {
                if let Some(row) = rows.get_mut(c.go.0 as usize) {
                    self.change(row, &c, (index, at), visit);
                }
            }
        });
        leave_open(&mut rows, end_of(index, at), visit);
    }

    fn change(
        &self,
        row: &mut Option<Row>,
        c: &Change,
        (index, recording): (&Index, usize),
        visit: &mut dyn FnMut(&Interval),
    ) {
        let (reason, stack) = self.key(c.key);
        let found = |state| {
            let from = found_since(index, recording, c.go);
            Row { state, from, reason: StringId::NONE, stack: StackId::NONE }
        };
        let Some((before, state)) = c.kind.go_transition() else {
            // Stated. What is known already goes on.
            if row.is_none() {
                *row = Some(Row { stack, ..found(c.found) });
            }
            return;
        };
        if row.is_none() && before != GoState::NotExist {
            // A damaged trace: the state before was never stated.
            *row = Some(found(before));
        }
        if let Some(row) = row.filter(|r| r.state != GoState::NotExist) {
            let (by, kind) = (c.by, c.kind);
            let end = End { no: c.no, kind, by, stack, proc: ProcIdx::NONE, thread: ThreadIdx::NONE };
            visit(&row.interval(c.go, c.time, Some(end)));
        }
        *row = Some(Row { state, from: c.time, reason, stack });
    }
}

/// What is still going on when a recording ends.
fn leave_open(rows: &mut [Option<Row>], end: Time, visit: &mut dyn FnMut(&Interval)) {
    for (go, row) in (0u32..).zip(rows) {
        if let Some(row) = row.take().filter(|r| r.state != GoState::NotExist) {
            visit(&row.interval(GoIdx(go), end, None));
        }
    }
}
