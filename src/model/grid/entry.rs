//! What the grid keeps of one goroutine in one cell: while it is added up, and packed into twelve bytes.

use super::draw::{DRAWN, drawn};
use super::{MAX_CELLS, NO_CELL, Scale};
use crate::base::Duration;
use crate::wire::event::GoState;

/// What happened to one goroutine in one cell, while it is being added up. The times cover the cell from its start to
/// the last transition in it; the rest of the cell is spent in `exit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub cell: u32,
    pub exit: GoState,
    pub running: u64,
    pub runnable: u64,
    pub waiting: u64,
    pub syscall: u64,
    /// Before its creation.
    pub absent: u64,
    pub longest: u64,
    pub events: u32,
    pub samples: u32,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry {
            cell: NO_CELL,
            exit: GoState::Undetermined,
            running: 0,
            runnable: 0,
            waiting: 0,
            syscall: 0,
            absent: 0,
            longest: 0,
            events: 0,
            samples: 0,
        }
    }
}

impl Entry {
    #[inline]
    pub fn add(&mut self, state: GoState, ns: i64) {
        let ns = ns as u64;
        match state {
            GoState::Running => self.running += ns,
            GoState::Runnable => self.runnable += ns,
            GoState::Waiting => self.waiting += ns,
            GoState::Syscall => self.syscall += ns,
            GoState::NotExist | GoState::Undetermined => self.absent += ns,
        }
    }
}

/// An entry as it is kept: times as 255ths of the cell, rounded up so that nothing short disappears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Packed {
    pub cell: u16,
    pub exit: GoState,
    /// Running, runnable, waiting, syscall, absent.
    pub parts: [u8; 5],
    /// Four times the binary logarithm of the longest wait in ns that ended here.
    pub longest: u8,
    pub samples: u8,
    pub events: u16,
}

pub(super) const STATES: [GoState; 5] =
    [GoState::Running, GoState::Runnable, GoState::Waiting, GoState::Syscall, GoState::NotExist];

fn pack_longest(ns: u64) -> u8 {
    if ns == 0 { 0 } else { ((ns as f64).log2() * 4.0).floor().clamp(1.0, 255.0) as u8 }
}

pub(super) fn unpack_longest(x: u8) -> Duration {
    if x == 0 { Duration::ZERO } else { Duration((f64::from(x) / 4.0).exp2().min(i64::MAX as f64) as i64) }
}

impl Entry {
    /// As it is kept, on a grid of this scale.
    pub fn pack(&self, scale: Scale) -> Packed {
        let width = scale.width().0 as u64;
        let part = |ns: u64| match ns.checked_mul(255) {
            Some(n) => n.div_ceil(width).min(255) as u8,
            None => (u128::from(ns) * 255).div_ceil(width.into()).min(255) as u8,
        };
        Packed {
            cell: self.cell.min(MAX_CELLS - 1) as u16,
            exit: self.exit,
            parts: [part(self.running), part(self.runnable), part(self.waiting), part(self.syscall), part(self.absent)],
            longest: pack_longest(self.longest),
            samples: self.samples.min(255) as u8,
            events: self.events.min(u32::from(u16::MAX)) as u16,
        }
    }
}

impl Packed {
    /// Which of `parts` a state's time is in.
    pub fn part_of(state: GoState) -> usize {
        STATES.iter().position(|s| *s == state).unwrap_or(STATES.len() - 1)
    }

    /// 255ths of the cell by state, of those that are drawn: what no part speaks for is spent in `exit`.
    #[inline]
    pub fn shares(&self) -> [u8; DRAWN] {
        let mut rest = 255u8;
        let mut out = [0; DRAWN];
        for (i, &part) in self.parts.iter().enumerate() {
            let part = part.min(rest);
            rest -= part;
            if let Some(x) = out.get_mut(i) {
                *x = part;
            }
        }
        if let Some(s) = drawn(self.exit) {
            out[s] += rest;
        }
        out
    }

    /// Adds the entry of the same cell that a later generation made. It takes its first state to last from the start
    /// of the cell, where this entry knows better.
    pub fn join(&mut self, later: Packed) {
        let known: u32 = self.parts.iter().map(|&p| u32::from(p)).sum();
        for (i, state) in STATES.into_iter().enumerate() {
            let mut add = u32::from(later.parts[i]);
            if state == self.exit {
                add = add.saturating_sub(known);
            }
            self.parts[i] = (u32::from(self.parts[i]) + add).min(255) as u8;
        }
        self.exit = later.exit;
        self.longest = self.longest.max(later.longest);
        self.samples = self.samples.saturating_add(later.samples);
        self.events = self.events.saturating_add(later.events);
    }
}
