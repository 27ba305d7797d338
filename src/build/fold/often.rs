//! The three events that a trace of much switching consists of. Each has one state that the goroutine is in by the rules,
//! and little to do then; all else is [`Fold::leave`]'s.

use super::Fold;
use super::cells::{Now, next_cell, sum};
use super::part::{GoRow, LinkKey, Live, Single, extend};
use crate::base::{Duration, Time};
use crate::model::grid::{Packed, Scale};
use crate::wire::event::{GoState, NONE, Row};

/// The goroutine that `r` is about goes from one state to another. Its row, and since when it was in the first; nothing, and
/// nothing is done, if it is in another state or since when is not known.
#[inline(always)]
fn step<'a>(
    gos: &'a mut [Live],
    entries: &mut Vec<(u32, Packed)>,
    (scale, now): (Scale, Now),
    r: &Row,
    (from, to): (GoState, GoState),
) -> Option<(&'a mut Live, Time)> {
    let live = gos.get_mut(r.go as usize)?;
    let row = &live.row;
    if row.state != from || row.since == Time::MIN {
        return None;
    }
    if live.cell.cell != now.cell {
        next_cell(live, r.go, now.cell, scale, entries);
    }
    let row = &mut live.row;
    let since = row.since;
    row.state = to;
    row.since = r.time;
    row.events += 1;
    live.cell.events += 1;
    // The first cell also has what lies before it.
    let inside = if since >= now.from { since.0 } else { now.from.0.min(r.time.0) };
    live.cell.add(from, r.time.0 - inside);
    Some((live, since))
}

impl Fold {
    /// A goroutine begins to run.
    #[inline(always)]
    pub(super) fn start(&mut self, r: &Row) {
        let (scale, now, part) = (self.scale, self.now, &mut self.part);
        let states = (GoState::Runnable, GoState::Running);
        let Some((live, since)) = step(&mut self.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            return self.leave(r, GoState::Running);
        };
        extend(&mut live.row.runnable, Duration(r.time.0 - since.0));
        part.waited.sched.count += 1;
        sum(&mut part.drawn.all_runnable, part.drawn.first_cell, scale, (since, r.time), now);
    }

    /// A goroutine begins to wait.
    #[inline(always)]
    pub(super) fn block(&mut self, r: &Row) {
        self.blocks.add(r.arg);
        let (scale, now, part) = (self.scale, self.now, &mut self.part);
        let states = (GoState::Running, GoState::Waiting);
        let Some((live, since)) = step(&mut self.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            return self.block_otherwise(r);
        };
        let row = &mut live.row;
        extend(&mut row.running, Duration(r.time.0 - since.0));
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
        let Some((live, since)) = step(&mut self.gos, &mut part.drawn.entries, (scale, now), r, states) else {
            self.leave(r, GoState::Runnable);
            if let Some(row) = self.go_row(r.go) {
                row.blocked = false;
            }
            return;
        };
        let len = Duration(r.time.0 - since.0);
        live.add_wait(len);
        let row = &mut live.row;
        let (began, ended) = (row.began, self.no);
        let blocked = std::mem::replace(&mut row.blocked, false);
        let key =
            LinkKey { waiter: r.go, reason: row.reason, waiter_stack: row.stack, waker: r.by, waker_stack: r.stack };
        let early = since < self.early;
        let wait = Single { key, from: since, to: r.time, began, ended, blocked };
        if early || !blocked {
            part.waited.singles.push(wait);
        }
        if early && blocked {
            let (id, link) = self.links.of(key, live.last_link);
            live.last_link = id;
            link.tally.add(len);
        } else if blocked {
            live.last_link = self.links.count(live.last_link, wait);
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
}

impl Live {
    /// A wait of this length has ended.
    #[inline(always)]
    pub(super) fn add_wait(&mut self, d: Duration) {
        let row = &mut self.row;
        row.wait_for(row.reason, d);
        row.longest_wait.0 = row.longest_wait.0.max(d.0);
        self.cell.longest = self.cell.longest.max(d.0 as u64);
    }
}
