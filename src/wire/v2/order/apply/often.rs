//! The three events that a trace of much switching consists of, without the detours that others need.

use super::super::super::spec::{ARG_COUNTS, INVALID, id};
use super::super::super::stream::{varint, window};
use super::super::Orderer;
use crate::base::{Duration, Time};
use crate::wire::event::{Events, GoState, Kind, NONE, Row};

impl Orderer<'_> {
    /// Decodes and applies a stream's head and what follows it, for as long as it is one of these events, before `limit`,
    /// can happen now, and `out` holds fewer than `max`. What it stops at it leaves as it was; that is the new head, whose
    /// time is returned. Nothing if it stops at the head that there was.
    ///
    /// Each event is looked at once, by comparisons: a processor foresees them, and a jump by the type byte that goes
    /// elsewhere each time it does not.
    #[inline(always)]
    pub(in super::super) fn gallop(&mut self, stream: u16, limit: Time, out: &mut Events, max: usize) -> Option<Time> {
        let s = &self.streams[stream as usize];
        if !matches!(s.head.op, id::GO_START | id::GO_UNBLOCK | id::GO_BLOCK) {
            return None;
        }
        let thread = self.stream_threads[stream as usize];
        let m = self.threads.get(thread as usize)?;
        let (mut by, proc) = (m.go, m.proc);
        let tables = self.gen_tables;
        // A sample is due before what comes after it. Until then the clock's own units will do.
        let until = tables.clock.first_at(limit.min(self.sample_time + Duration(1)));
        let mut last = self.last;
        let (bytes, end) = s.bytes();
        let (mut pos, mut ts) = s.at();
        let head = pos;
        let mut next = None;
        while out.len() < max {
            let Some(w) = window(bytes, pos) else { break };
            let op = w[0];
            let (dt, at) = varint(w, 1);
            let now = ts.saturating_add(dt);
            if now >= until {
                if ARG_COUNTS[op as usize] != INVALID && pos + at <= end {
                    next = Some((op, tables.clock.time(now)));
                }
                break;
            }
            let len;
            if op == id::GO_START {
                let (id, at) = varint(w, at);
                let (seq, at) = varint(w, at);
                if pos + at > end {
                    break;
                }
                let Some(go) = self.gos.in_turn(id, seq, GoState::Runnable, GoState::Running) else { break };
                // As in `emit`.
                last = tables.clock.time(now).max(last);
                let kind = Kind::GoStart;
                out.push(Row { time: last, kind, go, by: NONE, proc, thread, stack: NONE, arg: NONE });
                (by, len) = (go, at);
            } else if op == id::GO_UNBLOCK {
                let (id, at) = varint(w, at);
                let (seq, at) = varint(w, at);
                let (stack, at) = varint(w, at);
                if pos + at > end {
                    break;
                }
                let Some(go) = self.gos.in_turn(id, seq, GoState::Waiting, GoState::Runnable) else { break };
                last = tables.clock.time(now).max(last);
                let (kind, stack) = (Kind::GoUnblock, tables.stack_ids.get(stack));
                out.push(Row { time: last, kind, go, by, proc, thread, stack, arg: NONE });
                len = at;
            } else if op == id::GO_BLOCK {
                let (reason, at) = varint(w, at);
                let (stack, at) = varint(w, at);
                if pos + at > end {
                    break;
                }
                let Some(go) = self.gos.get_mut(by) else { break };
                go.enter(GoState::Waiting);
                last = tables.clock.time(now).max(last);
                let (kind, stack, arg) = (Kind::GoBlock, tables.stack_ids.get(stack), tables.string_ids.get(reason));
                out.push(Row { time: last, kind, go: by, by, proc, thread, stack, arg });
                (by, len) = (NONE, at);
            } else {
                break;
            }
            (pos, ts) = (pos + len, now);
        }
        if pos == head {
            return None;
        }
        self.last = last;
        self.bind(thread, by);
        let s = &mut self.streams[stream as usize];
        match next {
            Some(next) => {
                s.stop_at(pos, ts, next);
                Some(next.1)
            }
            None => {
                s.go_on(pos, ts);
                Some(self.advance(stream))
            }
        }
    }
}
