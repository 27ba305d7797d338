//! The three events that a trace of much switching consists of. Each has one state that the goroutine is in by the rules,
//! and little to do then; all else is [`Fold::leave`]'s.

use super::Fold;
use super::cells::{Now, next_cell, sum};
use super::part::{GoRow, LinkKey, Single, extend};
use crate::base::{Duration, GoIdx, Time};
use crate::model::grid::{Packed, Scale};
use crate::model::waits::Stretch;
use crate::wire::event::{GoState, NONE, Row};

/// The goroutine that `r` is about goes from one state to another. Its row, and since when it was in the first; nothing, and
/// nothing is done, if it is in another state or since when is not known.
#[inline(always)]
fn step<'a>(
    gos: &'a mut [GoRow],
    entries: &mut Vec<(u32, Packed)>,
    (scale, now): (Scale, Now),
    r: &Row,
    (from, to): (GoState, GoState),
) -> Option<(&'a mut GoRow, Time)> {
    let row = gos.get_mut(r.go as usize)?;
    if row.state != from || row.since == Time::MIN {
        return None;
    }
    if row.cell.cell != now.cell {
        next_cell(row, r.go, now.cell, scale, entries);
    }
    let since = row.since;
    row.state = to;
    row.since = r.time;
    row.events += 1;
    row.cell.events += 1;
    // The first cell also has what lies before it.
    let inside = if since >= now.from { since.0 } else { now.from.0.min(r.time.0) };
    row.cell.add(from, r.time.0 - inside);
    Some((row, since))
}

impl Fold {
    /// A goroutine begins to run.
    #[inline(always)]
    pub(super) fn start(&mut self, r: &Row) {
        let (scale, now, part) = (self.scale, self.now, &mut self.part);
        let states = (GoState::Runnable, GoState::Running);
        let Some((row, since)) = step(&mut part.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            return self.leave(r, GoState::Running);
        };
        extend(&mut row.times.runnable, Duration(r.time.0 - since.0));
        part.waited.sched.count += 1;
        sum(&mut part.drawn.all_runnable, part.drawn.first_cell, scale, (since, r.time), now);
    }

    /// A goroutine begins to wait.
    #[inline(always)]
    pub(super) fn block(&mut self, r: &Row) {
        self.blocks.add(r.arg);
        let (scale, now, part) = (self.scale, self.now, &mut self.part);
        let states = (GoState::Running, GoState::Waiting);
        let Some((row, since)) = step(&mut part.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            return self.block_otherwise(r);
        };
        extend(&mut row.times.running, Duration(r.time.0 - since.0));
        sum(&mut part.drawn.all_running, part.drawn.first_cell, scale, (since, r.time), now);
        row.begin_wait(r, self.no);
        if row.first_stack == NONE {
            self.note_stack(r.go, r.stack);
        }
    }

    #[inline(never)]
    fn block_otherwise(&mut self, r: &Row) {
        self.leave(r, GoState::Waiting);
        let no = self.no;
        if let Some(row) = self.go_row(r.go) {
            row.begin_wait(r, no);
        }
        self.note_stack(r.go, r.stack);
    }

    /// A goroutine's wait ends.
    #[inline(always)]
    pub(super) fn unblock(&mut self, r: &Row) {
        let (scale, now, part) = (self.scale, self.now, &mut self.part);
        let states = (GoState::Waiting, GoState::Runnable);
        let Some((row, since)) = step(&mut part.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            self.leave(r, GoState::Runnable);
            if let Some(row) = self.go_row(r.go) {
                row.blocked = false;
            }
            return;
        };
        let len = Duration(r.time.0 - since.0);
        row.add_wait(len);
        let (began, ended) = (row.began, self.no);
        let blocked = std::mem::replace(&mut row.blocked, false);
        let key =
            LinkKey { waiter: r.go, reason: row.reason, waiter_stack: row.stack, waker: r.by, waker_stack: r.stack };
        let early = since < self.early;
        if early || !blocked {
            part.waited.singles.push(Single { key, from: since, to: r.time, began, ended, blocked });
        }
        if !blocked {
            return;
        }
        let (id, link) = self.links.of(key, row.last_link);
        row.last_link = id;
        if early {
            link.tally.add(len);
        } else {
            link.waits.add_whole(Stretch { len, from: since, began, ended, go: GoIdx::NONE });
        }
    }
}

impl GoRow {
    #[inline(always)]
    fn begin_wait(&mut self, r: &Row, no: u64) {
        self.reason = r.arg;
        self.stack = r.stack;
        self.blocked = true;
        self.began = no;
    }

    /// A wait of this length has ended.
    #[inline(always)]
    pub(super) fn add_wait(&mut self, d: Duration) {
        extend(&mut self.times.waiting, d);
        self.by_reason.add(self.reason, d);
        self.longest_wait.0 = self.longest_wait.0.max(d.0);
        self.cell.longest = self.cell.longest.max(d.0 as u64);
    }
}
