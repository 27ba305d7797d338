//! Who answers for the waits while all Ps are busy: each goroutine that has one, for an equal part.
//!
//! A wait owes to what had Ps what that was charged between the wait's beginning and its end. So each column has a running
//! sum of what one that waits owes to it. Who begins to wait takes the sums away from its class's row, and who has waited
//! adds them: what is left are those of the time between. This takes one step for each column when a wait begins or ends, and
//! none for each class that waits while time passes.

use crate::base::Duration;
use rustc_hash::FxHashMap;

/// Fixed-point fractions of a nanosecond, in which shares are summed.
pub(crate) const FRACTION: u32 = 32;
/// The same in the rows of one block of events.
const CELL: u32 = 10;
/// Longer stretches are charged by themselves.
const LONG: u64 = 1 << 22;
/// What may have been charged to a cell at most before the rows are emptied: they wrap around at 2^64.
const FULL: u64 = 1 << 62;
/// Among fewer than so many is divided by a multiplication.
const INVERSES: usize = 1 << 12;
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
    fn add(&mut self, i: u32) {
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

    /// Whether there was one to take away.
    #[inline]
    fn remove(&mut self, i: u32) -> bool {
        let Some(place) = self.place.get(i as usize).and_then(|p| (*p as usize).checked_sub(1)) else { return false };
        let Some(row) = self.list.get_mut(place) else { return false };
        row.1 -= 1;
        if row.1 == 0 {
            self.list.swap_remove(place);
            self.place[i as usize] = 0;
            if let Some(moved) = self.list.get(place) {
                self.place[moved.0 as usize] = place as u32 + 1;
            }
        }
        true
    }

    /// The classes that have any, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.list.iter().copied()
    }
}

/// Time by who waited and who had a P.
#[derive(Default)]
pub(crate) struct Shares {
    waiting: Active,
    having: Active,
    /// By class that has Ps (twice the class, one more in a syscall), the place of its column, and one; 0 if it has none.
    columns: Vec<u32>,
    /// By column, whose it is. There is one for each that has a P, or had one since the last block of events.
    owners: Vec<u32>,
    /// By column, what each that waits owes to it, in fractions of a nanosecond; see [`CELL`].
    owed: Vec<u64>,
    /// By class, the same for all of it: what its waits that are over owe, and less what was owed already when
    /// those began that are not. Wraps around. Empty where nothing of the class began or ended since the last block of events.
    rows: Vec<Vec<u64>>,
    /// The classes whose rows are not empty: those that began or ceased to wait since the last block of events.
    touched: Vec<u32>,
    /// At least what any cell was charged since the last block of events.
    charged: u64,
    /// What the last division left.
    rest: u64,
    /// By number, 2^64 divided by it, and rounded up.
    inverses: Vec<u64>,
    /// By class that waited and class that had a P, in fractions of a nanosecond.
    pub sums: FxHashMap<(u32, u32), u128>,
}

impl Shares {
    /// There is one more class.
    pub fn add_class(&mut self) {
        self.rows.push(Vec::new());
    }

    /// One of a class begins to wait.
    #[inline]
    pub fn wait(&mut self, class: u32) {
        self.waiting.add(class);
        let Some(row) = touch(&mut self.rows, &mut self.touched, class, self.owed.len()) else { return };
        for (cell, owed) in row.iter_mut().zip(&self.owed) {
            *cell = cell.wrapping_sub(*owed);
        }
    }

    /// One of a class waits no longer.
    #[inline]
    pub fn go_on(&mut self, class: u32) {
        if !self.waiting.remove(class) {
            return;
        }
        let Some(row) = touch(&mut self.rows, &mut self.touched, class, self.owed.len()) else { return };
        for (cell, owed) in row.iter_mut().zip(&self.owed) {
            *cell = cell.wrapping_add(*owed);
        }
    }

    /// One gets a P: of twice its class, one more in a syscall.
    #[inline]
    pub fn have(&mut self, who: u32) {
        self.having.add(who);
        self.column(who);
    }

    /// One has its P no longer.
    #[inline]
    pub fn lose(&mut self, who: u32) {
        self.having.remove(who);
    }

    /// The classes that wait, and how many of each do.
    pub fn waiting(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.waiting.iter()
    }

    /// Those who have Ps, and how many of each do.
    pub fn having(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.having.iter()
    }

    /// Charges `d` of every wait, of which there are `waits`, to those that have Ps, in equal parts.
    #[inline]
    pub fn charge(&mut self, d: Duration, occupied: u32, waits: u32) {
        let ns = d.ns().max(0) as u64;
        let among = u64::from(occupied);
        if among == 0 || ns > LONG {
            return self.charge_exactly(ns, occupied);
        }
        // What a division leaves goes into the next one.
        let whole = (ns << CELL) + self.rest;
        // All that have Ps are charged so much of all waits together: a cell, no more than that.
        let more = whole.saturating_mul(u64::from(waits));
        if self.charged.saturating_add(more) > FULL {
            self.drain();
        }
        self.charged = self.charged.saturating_add(more);
        let part = self.divide(whole, occupied);
        self.rest = whole - part * among;
        for &(who, n) in &self.having.list {
            let column = self.columns.get(who as usize).map_or(0, |c| *c as usize);
            if let Some(owed) = self.owed.get_mut(column.wrapping_sub(1)) {
                *owed += part * u64::from(n);
            }
        }
    }

    /// `whole / among`, by a multiplication with the inverse, rounded up. What that is too much by is below `among`: with
    /// `whole` below 2^33 and `among` below 2^12 it never reaches the next whole number.
    #[inline]
    fn divide(&mut self, whole: u64, among: u32) -> u64 {
        if among < 2 || among as usize >= INVERSES {
            return whole / u64::from(among.max(1));
        }
        if self.inverses.is_empty() {
            self.inverses = (0..INVERSES as u64).map(|n| (u64::MAX / n.max(2)) + 1).collect();
        }
        ((u128::from(whole) * u128::from(self.inverses[among as usize])) >> 64) as u64
    }

    /// The same for what is long, and for what has nobody to charge it to.
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

    /// Empties the rows, before they wrap around, as if all that wait began to do so now, and gives back what they took.
    /// This takes a step for each column and each class that waits, or did since the last block of events.
    pub fn drain(&mut self) {
        let mut add = |w: u32, who: u32, cell: u64| {
            if cell > 0 {
                *self.sums.entry((w, who)).or_default() += u128::from(cell) << (FRACTION - CELL);
            }
        };
        for &(w, n) in &self.waiting.list {
            let Some(row) = self.rows.get_mut(w as usize).map(std::mem::take) else { continue };
            let cells = row.into_iter().chain(std::iter::repeat(0));
            for ((&who, owed), cell) in self.owners.iter().zip(&self.owed).zip(cells) {
                add(w, who, cell.wrapping_add(owed.wrapping_mul(u64::from(n))));
            }
        }
        // Of those that still wait nothing is left.
        for w in self.touched.drain(..) {
            let row = self.rows.get_mut(w as usize).map(std::mem::take).unwrap_or_default();
            self.owners.iter().zip(row).for_each(|(&who, cell)| add(w, who, cell));
        }
        // From here on only those have columns that have Ps: most have none for long.
        for who in self.owners.drain(..) {
            self.columns[who as usize] = 0;
        }
        self.owed.clear();
        self.charged = 0;
        for i in 0..self.having.list.len() {
            self.column(self.having.list[i].0);
        }
    }

    /// Makes sure that there is a column.
    #[inline]
    fn column(&mut self, who: u32) {
        let i = who as usize;
        if i >= self.columns.len() {
            self.columns.resize(i + 1, 0);
        }
        if self.columns[i] == 0 {
            self.owners.push(who);
            self.owed.push(0);
            self.columns[i] = self.owed.len() as u32;
        }
    }
}

/// The row of a class, as long as there are columns; nothing if there is no such class.
#[inline]
fn touch<'a>(rows: &'a mut [Vec<u64>], touched: &mut Vec<u32>, class: u32, columns: usize) -> Option<&'a mut Vec<u64>> {
    let row = rows.get_mut(class as usize)?;
    if row.len() < columns {
        if row.is_empty() {
            touched.push(class);
        }
        row.resize(columns, 0);
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        /// Against what each pair is charged while time passes.
        #[test]
        fn each_wait_is_charged_to_those_that_had_ps_meanwhile(
            steps in prop::collection::vec((0u8..5, 0u32..4, 0u64..100_000, 0u8..20), 0..200),
        ) {
            let mut shares = Shares::default();
            (0..4).for_each(|_| shares.add_class());
            let (mut waiting, mut having) = ([0u32; 4], [0u32; 8]);
            let (mut want, mut rest) = (BTreeMap::<(u32, u32), u128>::new(), 0);
            for (what, i, ns, more) in steps {
                // A block of events ends.
                if ns % 8 == 7 {
                    shares.drain();
                }
                let (w, h) = (i as usize, (2 * i + ns as u32 % 2) as usize);
                match what {
                    // Often many at once, so that the rows fill up.
                    0 => {
                        let many = 1u32 << more;
                        waiting[w] += many.min(16);
                        (0..many.min(16)).for_each(|_| shares.wait(i));
                    }
                    1 if waiting[w] > 0 => {
                        waiting[w] -= 1;
                        shares.go_on(i);
                    }
                    2 => {
                        having[h] += 1;
                        shares.have(h as u32);
                    }
                    3 if having[h] > 0 => {
                        having[h] -= 1;
                        shares.lose(h as u32);
                    }
                    _ => {
                        let (occupied, waits) = (having.iter().sum::<u32>(), waiting.iter().sum::<u32>());
                        let ns = if more == 0 { ns << 20 } else { ns };
                        shares.charge(Duration(ns as i64), occupied, waits);
                        let each = match u64::from(occupied) {
                            0 => u128::from(ns) << FRACTION,
                            among if ns > LONG => (u128::from(ns) << FRACTION) / u128::from(among),
                            among => {
                                let whole = (ns << CELL) + rest;
                                rest = whole % among;
                                u128::from(whole / among) << (FRACTION - CELL)
                            }
                        };
                        for (w, &n) in (0u32..).zip(&waiting) {
                            for (h, &m) in (0u32..).zip(&having) {
                                *want.entry((w, h)).or_default() += each * u128::from(n) * u128::from(m);
                            }
                            if occupied == 0 {
                                *want.entry((w, NOBODY)).or_default() += each * u128::from(n);
                            }
                        }
                    }
                }
            }
            shares.drain();
            want.retain(|_, share| *share > 0);
            let mut got: BTreeMap<(u32, u32), u128> = shares.sums.into_iter().collect();
            got.retain(|_, share| *share > 0);
            prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn rows_are_given_back_and_those_nobody_touched_are_not_walked() {
        let mut shares = Shares::default();
        (0..100).for_each(|_| shares.add_class());
        (0..8).for_each(|who| shares.have(who));
        // Class 0 waits all the time, each other one in a block of its own.
        shares.wait(0);
        for class in 1..100 {
            shares.wait(class);
            shares.charge(Duration(8), 8, 2);
            shares.go_on(class);
            assert_eq!(shares.touched, if class == 1 { vec![0, 1] } else { vec![class] });
            shares.drain();
            assert!(shares.touched.is_empty() && shares.rows.iter().all(|row| row.capacity() == 0));
        }
        let of = |class: u32| (0..8).map(|who| shares.sums[&(class, who)] >> FRACTION).collect::<Vec<_>>();
        assert_eq!(of(0), [99; 8]);
        assert!((1..100).all(|class| of(class) == [1; 8]));
    }

    #[test]
    fn rows_are_emptied_before_they_wrap_around() {
        let mut shares = Shares::default();
        shares.add_class();
        shares.have(0);
        let waits = 1 << 20;
        (0..waits).for_each(|_| shares.wait(0));
        let rounds = 1 << 14;
        (0..rounds).for_each(|_| shares.charge(Duration(LONG as i64), 1, waits));
        shares.drain();
        // 2^20 waits of 2^14 times 2^22 ns: with the fractions of a cell, 2^66.
        assert_eq!(shares.sums[&(0, 0)], (u128::from(LONG) * u128::from(waits) * rounds) << FRACTION);
    }
}
