//! The three events that a trace of much switching consists of, without the detours that others need.

use super::super::super::spec::id;
use super::super::super::stream::{self, decode_args};
use super::super::{Go, Orderer};
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
        let s = &mut self.streams[stream as usize];
        if !matches!(s.head.op, id::GO_START | id::GO_UNBLOCK | id::GO_BLOCK) {
            return None;
        }
        let thread = self.stream_threads[stream as usize];
        let m = self.threads.get(thread as usize)?;
        let (mut by, proc) = (m.go, m.proc);
        let mut at = s.lend();
        let head = at.pos;
        let clock = &self.gen_tables.clock;
        // A sample is due before what comes after it.
        let until = limit.min(self.sample_time + Duration(1));
        let mut next = None;
        while at.pos < at.near && out.len() < max {
            let Some(w) = at.window() else { break };
            let op = w[0];
            let (now, row, len);
            if op == id::GO_START {
                let Some((dt, [id, seq], n)) = decode_args(w) else { break };
                (now, len) = (at.ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || at.pos + len > at.end {
                    next = Some((stream::Head { op, time, args: [id, seq, 0, 0] }, len, now));
                    break;
                }
                let Some(go) = self.in_turn(id, seq, GoState::Runnable, GoState::Running) else { break };
                row = Row { time, kind: Kind::GoStart, go, by: NONE, proc, thread, stack: NONE, arg: NONE };
                by = go;
            } else if op == id::GO_UNBLOCK {
                let Some((dt, [id, seq, stack], n)) = decode_args(w) else { break };
                (now, len) = (at.ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || at.pos + len > at.end {
                    next = Some((stream::Head { op, time, args: [id, seq, stack, 0] }, len, now));
                    break;
                }
                let Some(go) = self.in_turn(id, seq, GoState::Waiting, GoState::Runnable) else { break };
                row = Row { time, kind: Kind::GoUnblock, go, by, proc, thread, stack: self.stack(stack), arg: NONE };
            } else if op == id::GO_BLOCK {
                let Some((dt, [reason, stack], n)) = decode_args(w) else { break };
                (now, len) = (at.ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || at.pos + len > at.end {
                    next = Some((stream::Head { op, time, args: [reason, stack, 0, 0] }, len, now));
                    break;
                }
                let Some(go) = self.gos.get_mut(by as usize) else { break };
                go.state = GoState::Waiting;
                let (arg, stack) = (self.text(reason), self.stack(stack));
                row = Row { time, kind: Kind::GoBlock, go: by, by, proc, thread, stack, arg };
                by = NONE;
            } else {
                break;
            }
            self.emit(out, row);
            (at.pos, at.ts) = (at.pos + len, now);
        }
        if at.pos == head {
            self.streams[stream as usize].stay(at);
            return None;
        }
        self.bind(thread, by);
        let s = &mut self.streams[stream as usize];
        match next {
            Some((head, len, now)) if at.pos + len <= at.end => {
                s.go_on_with(at, head, len, now);
                Some(head.time)
            }
            _ => {
                s.go_on(at);
                Some(self.advance(stream))
            }
        }
    }

    /// A goroutine goes from one state to another, if it is there and `seq` is its next number in sequence. Its position;
    /// `None` if that cannot be yet.
    #[inline(always)]
    pub(super) fn in_turn(&mut self, id: u64, seq: u64, from: GoState, to: GoState) -> Option<u32> {
        let g = self.known_go(id);
        let go = self.gos.get_mut(g as usize)?;
        if go.state != from || seq != go.seq.wrapping_add(1) {
            return None;
        }
        *go = Go { state: to, seq };
        Some(g)
    }
}
