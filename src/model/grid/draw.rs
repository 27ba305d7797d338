//! Turns stretches of time into the equal cells of a screen, in integers throughout: a lane that sums many goroutines
//! gets the same cells as its goroutines do one by one, but for the last rounding to a nanosecond.
//!
//! An entry holds its times as 255ths of its cell, so all sums here are kept in 255ths of a nanosecond.

use super::entry::{Packed, unpack_longest};
use super::{Cell, Scale};
use crate::base::{Duration, Time};
use crate::wire::event::GoState;

/// How many states are drawn: running, runnable, waiting, syscall, in the order of [`Packed::parts`].
pub(crate) const DRAWN: usize = 4;
/// Parts of a nanosecond that times are summed in.
const SHARES: u128 = 255;

/// Screen cells ("columns") to which stretches of time are added. What is added in the order of time costs least.
pub(crate) struct Columns<'a> {
    from: i64,
    to: i64,
    out: &'a mut [Cell],
    /// Where each column begins; the window's end last.
    edges: Vec<i64>,
    /// Of each column: 255ths of a nanosecond by state.
    sums: Vec<[u128; DRAWN]>,
    /// Of each column: 255ths of a grid's cell by state, of cells that lie wholly inside.
    whole: Vec<[u64; DRAWN]>,
    /// How many more (or fewer) goroutines spend the whole of a column in a state than the whole of the one before.
    turns: Vec<[i64; DRAWN]>,
    /// Length of a grid's cell.
    width: u64,
    /// The column that was touched last.
    at: usize,
}

impl<'a> Columns<'a> {
    /// The cells `out` of the window `from..to`, over a grid of this scale.
    pub fn new(from: Time, to: Time, scale: Scale, out: &'a mut [Cell]) -> Columns<'a> {
        let n = out.len();
        let to = to.max(Time(from.0.saturating_add(1)));
        let span = (i128::from(to.0) - i128::from(from.0)) as u128;
        let edge = |i: usize| from.0.saturating_add((span * i as u128).div_ceil(n.max(1) as u128) as i64);
        Columns {
            from: from.0,
            to: to.0,
            out,
            edges: (0..=n).map(edge).collect(),
            sums: vec![[0; DRAWN]; n],
            whole: vec![[0; DRAWN]; n],
            turns: vec![[0; DRAWN]; n + 1],
            width: scale.width().0 as u64,
            at: 0,
        }
    }

    /// The column of an instant inside the window.
    #[inline]
    fn column(&mut self, t: i64) -> usize {
        let mut i = self.at;
        if t < self.edges[i] || t >= self.edges[i + 1] {
            // Next door most often.
            i = match self.edges.get(i + 2) {
                Some(&end) if t >= self.edges[i + 1] && t < end => i + 1,
                _ => self.edges.partition_point(|&e| e <= t).saturating_sub(1).min(self.out.len() - 1),
            };
            self.at = i;
        }
        i
    }

    /// `lo..hi` inside the window; nothing if it lies outside.
    #[inline]
    fn clip(&self, lo: Time, hi: Time) -> Option<(i64, i64)> {
        let (lo, hi) = (lo.0.max(self.from), hi.0.min(self.to));
        (lo < hi && !self.out.is_empty()).then_some((lo, hi))
    }

    /// The column in which the whole of `lo..hi` lies, if there is one.
    #[inline]
    pub fn within_one(&mut self, lo: Time, hi: Time) -> Option<usize> {
        if lo.0 < self.from || hi.0 > self.to || self.out.is_empty() {
            return None;
        }
        let i = self.column(lo.0);
        (hi.0 <= self.edges[i + 1]).then_some(i)
    }

    /// `shares` 255ths, by state, of a grid's cell that lies in the column `i` as a whole.
    #[inline]
    pub fn add_whole(&mut self, i: usize, shares: [u64; DRAWN]) {
        for (sum, x) in self.whole[i].iter_mut().zip(shares) {
            *sum += x;
        }
    }

    /// `shares` 255ths, by state, of the grid's cell `lo..hi`, spread evenly over it.
    pub fn add_spread(&mut self, shares: [u64; DRAWN], lo: Time, hi: Time) {
        let Some((lo, hi)) = self.clip(lo, hi) else { return };
        let mut i = self.column(lo);
        let mut from = lo;
        while from < hi {
            let to = hi.min(self.edges[i + 1]);
            for (sum, x) in self.sums[i].iter_mut().zip(shares) {
                *sum += u128::from(x) * (to - from) as u128;
            }
            (from, i) = (to, i + 1);
        }
    }

    /// `by[state]` goroutines were in each state for the whole of `lo..hi`.
    pub fn fill(&mut self, by: [u64; DRAWN], lo: Time, hi: Time) {
        let Some((lo, hi)) = self.clip(lo, hi) else { return };
        let a = self.column(lo);
        let b = if hi <= self.edges[a + 1] { a } else { self.column(hi - 1) };
        for (s, n) in by.into_iter().enumerate().filter(|(_, n)| *n > 0) {
            let mut add = |i: usize, ns: i64| self.sums[i][s] += u128::from(n) * ns as u128 * SHARES;
            if a == b {
                add(a, hi - lo);
                continue;
            }
            add(a, self.edges[a + 1] - lo);
            add(b, hi - self.edges[b]);
            self.turns[a + 1][s] += n as i64;
            self.turns[b][s] -= n as i64;
        }
    }

    /// `ns` in a state, spread evenly over the grid's cell `lo..hi`.
    pub fn spread(&mut self, state: usize, ns: u64, lo: Time, hi: Time) {
        if ns == 0 {
            return;
        }
        let width = u128::from((hi.0 - lo.0).max(1) as u64);
        let Some((lo, hi)) = self.clip(lo, hi) else { return };
        let mut i = self.column(lo);
        let mut from = lo;
        while from < hi {
            let to = hi.min(self.edges[i + 1]);
            self.sums[i][state] += u128::from(ns) * SHARES * (to - from) as u128 / width;
            (from, i) = (to, i + 1);
        }
    }

    /// What is told once of the grid's cell `lo..hi`: it goes to the column of its middle, so that nothing is told twice.
    pub fn note(&mut self, longest: u8, samples: u32, events: u32, lo: Time, hi: Time) {
        if longest == 0 && samples == 0 && events == 0 {
            return;
        }
        let Some((lo, hi)) = self.clip(lo, hi) else { return };
        let i = self.column(lo + (hi - lo) / 2);
        let cell = &mut self.out[i];
        cell.longest_wait = cell.longest_wait.max(unpack_longest(longest));
        cell.samples = cell.samples.saturating_add(samples);
        cell.events = cell.events.saturating_add(events);
    }

    /// One goroutine's lane: an entry for each cell in which something happened to it, and what lies between them. `end`
    /// is the end of the trace.
    pub fn lane(&mut self, lane: &[Packed], scale: Scale, end: Time) {
        // The last entry at or before the window's start says in which state it begins.
        let first = scale.cell(Time(self.from));
        let begin = lane.partition_point(|p| u32::from(p.cell) < first).saturating_sub(1);
        for (i, p) in lane.iter().enumerate().skip(begin) {
            let (lo, hi) = (scale.start(p.cell.into()), scale.start(u32::from(p.cell) + 1));
            if lo.0 >= self.to {
                break;
            }
            match self.within_one(lo, hi) {
                Some(i) => self.add_whole(i, p.shares().map(u64::from)),
                None => self.add_spread(p.shares().map(u64::from), lo, hi),
            }
            self.note(p.longest, p.samples.into(), p.events.into(), lo, hi);
            let next = lane.get(i + 1).map_or(end, |n| scale.start(n.cell.into()));
            if hi < next
                && let Some(s) = drawn(p.exit)
            {
                let mut by = [0; DRAWN];
                by[s] = 1;
                self.fill(by, hi, next);
            }
        }
    }

    /// Puts the sums into the cells.
    pub fn finish(self) {
        let mut there = [0i64; DRAWN];
        for (i, cell) in self.out.iter_mut().enumerate() {
            let len = (self.edges[i + 1] - self.edges[i]) as u128;
            let mut ns = [Duration::ZERO; DRAWN];
            for s in 0..DRAWN {
                there[s] += self.turns[i][s];
                let whole = u128::from(self.whole[i][s]) * u128::from(self.width);
                let sum = (self.sums[i][s] + whole) / SHARES + there[s].max(0) as u128 * len;
                ns[s] = Duration(sum.min(i64::MAX as u128) as i64);
            }
            let [running, runnable, waiting, syscall] = ns;
            cell.add(&Cell { running, runnable, waiting, syscall, ..Cell::default() });
        }
    }
}

/// Where a state's time is among those that are drawn.
pub(crate) fn drawn(state: GoState) -> Option<usize> {
    Some(Packed::part_of(state)).filter(|&s| s < DRAWN)
}
