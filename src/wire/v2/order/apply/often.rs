//! The three events that a trace of much switching consists of, without the detours that others need.

use super::super::super::spec::id;
use super::super::super::stream::{WINDOW, decode_args};
use super::super::{Go, Orderer};
use crate::base::{Duration, Time};
use crate::wire::event::{Events, GoState, Kind, NONE, Row};

impl Orderer<'_> {
    /// Decodes and applies what follows a stream's head, for as long as it is one of these events, before `limit`, can
    /// happen now, and `out` holds fewer than `max`. What it stops at it leaves as it was.
    ///
    /// Each event is looked at once, by comparisons: a processor foresees them, and a jump by the type byte that goes
    /// elsewhere each time it does not.
    #[inline(always)]
    pub(in super::super) fn gallop(&mut self, stream: u16, limit: Time, out: &mut Events, max: usize) {
        let data = self.data;
        let clock = &self.gen_tables.clock;
        let thread = self.stream_threads[stream as usize];
        let Some(m) = self.threads.get(thread as usize) else { return };
        let (mut by, proc) = (m.go, m.proc);
        let (mut pos, end, mut ts) = self.streams[stream as usize].place();
        let until = limit.min(self.sample_time + Duration(1));
        while pos < end && out.len() < max {
            let Some(w) = data.get(pos..pos + WINDOW).and_then(|w| <&[u8; WINDOW]>::try_from(w).ok()) else { break };
            let op = w[0];
            let (now, row, len);
            if op == id::GO_START {
                let Some((dt, [id, seq], n)) = decode_args(w) else { break };
                (now, len) = (ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || pos + len > end {
                    break;
                }
                let Some(go) = self.in_turn(id, seq, GoState::Runnable, GoState::Running) else { break };
                row = Row { time, kind: Kind::GoStart, go, by: NONE, proc, thread, stack: NONE, arg: NONE };
                by = go;
            } else if op == id::GO_UNBLOCK {
                let Some((dt, [id, seq, stack], n)) = decode_args(w) else { break };
                (now, len) = (ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || pos + len > end {
                    break;
                }
                let Some(go) = self.in_turn(id, seq, GoState::Waiting, GoState::Runnable) else { break };
                row = Row { time, kind: Kind::GoUnblock, go, by, proc, thread, stack: self.stack(stack), arg: NONE };
            } else if op == id::GO_BLOCK {
                let Some((dt, [reason, stack], n)) = decode_args(w) else { break };
                (now, len) = (ts.saturating_add(dt), n);
                let time = clock.time(now);
                if time >= until || pos + len > end {
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
            (pos, ts) = (pos + len, now);
        }
        self.bind(thread, by);
        self.streams[stream as usize].go_on(pos, ts);
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
