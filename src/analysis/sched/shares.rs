//! Who answers for the waits while all Ps are busy: each goroutine that has one, for an equal part.

use crate::base::Duration;
use rustc_hash::FxHashMap;

/// Fixed-point fractions of a nanosecond, in which shares are summed.
pub(crate) const FRACTION: u32 = 32;
/// The same in the cells of one block of events. No event adds more than 2^48 to a cell: [`LONG`] stretches and [`MANY`]
/// goroutines are kept apart; a block has 2^14.
const CELL: u32 = 10;
const LONG: u64 = 1 << 22;
const MANY: u64 = 1 << 16;
/// The column of no goroutine: a thread had each P, and looked for one to run.
pub(crate) const NOBODY: u32 = u32::MAX;

/// How many goroutines of each class there are in a state; of those classes that have any.
#[derive(Clone, Default, Debug)]
pub(crate) struct Active {
    list: Vec<(u32, u32)>,
    /// Of each class where it is in the list, one more; 0 if it is not.
    place: Vec<u32>,
}

impl Active {
    #[inline]
    pub fn add(&mut self, i: u32) {
        let at = i as usize;
        if at >= self.place.len() {
            self.place.resize(at + 1, 0);
        }
        match (self.place[at] as usize).checked_sub(1).and_then(|p| self.list.get_mut(p)) {
            Some(row) => row.1 += 1,
            None => {
                self.list.push((i, 1));
                self.place[at] = self.list.len() as u32;
            }
        }
    }

    #[inline]
    pub fn remove(&mut self, i: u32) {
        let Some(place) = self.place.get(i as usize).and_then(|p| (*p as usize).checked_sub(1)) else { return };
        let Some(row) = self.list.get_mut(place) else { return };
        row.1 -= 1;
        if row.1 == 0 {
            self.list.swap_remove(place);
            self.place[i as usize] = 0;
            if let Some(moved) = self.list.get(place) {
                self.place[moved.0 as usize] = place as u32 + 1;
            }
        }
    }

    /// The classes that have any, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.list.iter().copied()
    }
}

/// Time by who waited and who had a P.
#[derive(Default)]
pub(crate) struct Shares {
    /// Classes that wait.
    pub waiting: Active,
    /// Classes that have Ps: twice the class, one more in a syscall.
    pub having: Active,
    /// By class that waited and class that had a P, since the last block of events; see [`CELL`].
    cells: Vec<Vec<u64>>,
    /// What the last division left.
    rest: u64,
    /// By class that waited and class that had a P, in fractions of a nanosecond.
    pub sums: FxHashMap<(u32, u32), u128>,
}

impl Shares {
    /// There is one more class.
    pub fn class(&mut self) {
        self.cells.push(Vec::new());
    }

    /// Charges `d` of every wait to those that have Ps, in equal parts.
    #[inline]
    pub fn charge(&mut self, d: Duration, occupied: u32) {
        let ns = d.ns().max(0) as u64;
        let among = u64::from(occupied);
        if among == 0 || ns > LONG {
            return self.charge_exactly(ns, occupied);
        }
        // What a division leaves goes into the next one.
        let (whole, mut large) = ((ns << CELL) + self.rest, false);
        let part = whole / among;
        self.rest = whole % among;
        for &(w, n) in &self.waiting.list {
            let row = &mut self.cells[w as usize];
            for &(h, m) in &self.having.list {
                if h as usize >= row.len() {
                    row.resize(h as usize + 1, 0);
                }
                let many = u64::from(n) * u64::from(m);
                large |= many > MANY;
                let cell = &mut row[h as usize];
                *cell = cell.saturating_add(part * many.min(MANY));
            }
        }
        if large {
            self.charge_rest(part);
        }
    }

    /// The same for what would not fit a cell, and for what has nobody to charge it to.
    #[cold]
    fn charge_exactly(&mut self, ns: u64, occupied: u32) {
        let part = (u128::from(ns) << FRACTION) / u128::from(occupied.max(1));
        for (w, n) in self.waiting.iter() {
            for (h, m) in self.having.iter() {
                *self.sums.entry((w, h)).or_default() += part * (u128::from(n) * u128::from(m));
            }
            if occupied == 0 {
                *self.sums.entry((w, NOBODY)).or_default() += part * u128::from(n);
            }
        }
    }

    /// What of very many goroutines did not go into the cells.
    #[cold]
    fn charge_rest(&mut self, part: u64) {
        for (w, n) in self.waiting.iter() {
            for (h, m) in self.having.iter() {
                let more = (u64::from(n) * u64::from(m)).saturating_sub(MANY);
                let share = (u128::from(part) * u128::from(more)) << (FRACTION - CELL);
                *self.sums.entry((w, h)).or_default() += share;
            }
        }
    }

    /// Empties the cells, before they overflow.
    pub fn drain(&mut self) {
        for (w, row) in (0u32..).zip(&mut self.cells) {
            for (h, cell) in (0u32..).zip(row.iter_mut()).filter(|(_, cell)| **cell > 0) {
                *self.sums.entry((w, h)).or_default() += u128::from(std::mem::take(cell)) << (FRACTION - CELL);
            }
        }
    }
}
