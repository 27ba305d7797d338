//! Which of many streams is earliest: a tournament tree over their next times.

use crate::base::Time;

/// The next times of all streams; `Time::MAX` for one that is at its end or parked.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    /// `winners[1]` is the stream that is earliest; `winners[n + i]` is stream `i` itself.
    winners: Vec<u16>,
    keys: Vec<Time>,
    leaves: usize,
}

const NOBODY: u16 = u16::MAX;

impl Frontier {
    /// Over streams with these next times.
    pub fn new(keys: &[Time]) -> Frontier {
        let leaves = keys.len().next_power_of_two().max(2);
        let mut f = Frontier { winners: vec![NOBODY; 2 * leaves], keys: keys.to_vec(), leaves };
        for i in 0..keys.len() {
            f.winners[leaves + i] = i as u16;
        }
        for n in (1..leaves).rev() {
            f.winners[n] = f.winner(f.winners[2 * n], f.winners[2 * n + 1]);
        }
        f
    }

    fn key(&self, i: u16) -> Time {
        self.keys.get(i as usize).copied().unwrap_or(Time::MAX)
    }

    #[inline]
    fn winner(&self, a: u16, b: u16) -> u16 {
        if self.key(b) < self.key(a) { b } else { a }
    }

    /// The earliest stream, and the time of the second earliest: until then it stays the earliest.
    #[inline]
    pub fn min(&self) -> Option<(u16, Time)> {
        let first = *self.winners.get(1)?;
        if self.key(first) == Time::MAX {
            return None;
        }
        let mut second = Time::MAX;
        let mut n = self.leaves + first as usize;
        while n > 1 {
            second = second.min(self.key(self.winners[n ^ 1]));
            n /= 2;
        }
        Some((first, second))
    }

    /// Sets a stream's next time.
    #[inline]
    pub fn set(&mut self, stream: u16, key: Time) {
        let Some(slot) = self.keys.get_mut(stream as usize) else { return };
        *slot = key;
        let mut n = (self.leaves + stream as usize) / 2;
        while n >= 1 {
            self.winners[n] = self.winner(self.winners[2 * n], self.winners[2 * n + 1]);
            n /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_tree_agrees_with_a_search(mut keys in prop::collection::vec(0i64..50, 1..40), steps in prop::collection::vec((0usize..40, 0i64..60), 0..60)) {
            let mut f = Frontier::new(&keys.iter().map(|&k| Time(k)).collect::<Vec<_>>());
            for (i, k) in steps {
                let i = i % keys.len();
                let k = if k >= 50 { i64::MAX } else { k };
                keys[i] = k;
                f.set(i as u16, Time(k));
                let mut sorted = keys.clone();
                sorted.sort_unstable();
                match f.min() {
                    None => prop_assert_eq!(sorted[0], i64::MAX),
                    Some((m, second)) => {
                        prop_assert_eq!(keys[m as usize], sorted[0]);
                        prop_assert_eq!(second.0, sorted.get(1).copied().unwrap_or(i64::MAX));
                    }
                }
            }
        }
    }
}
