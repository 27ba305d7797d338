//! The lengths of one kind: all of them, or of very many a sample that any of them is in as likely as any other.

use crate::base::random::Random;

/// Most lengths of one kind that are kept.
const MOST: usize = 1 << 18;
/// The seed of the sample.
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// Lengths in nanoseconds, each with the slice that it ended in.
pub(super) struct Lengths {
    kept: Vec<(u32, f64)>,
    /// How many there were.
    pub count: u64,
    /// The longest of all.
    pub longest: f64,
    random: Random,
}

impl Default for Lengths {
    fn default() -> Lengths {
        Lengths { kept: Vec::new(), count: 0, longest: 0.0, random: Random::new(SEED) }
    }
}

impl Lengths {
    /// Adds one: into a full sample of so many out of `n` it comes as likely as any before it has stayed, and takes the
    /// place of any of them (Vitter's algorithm R: "Random Sampling with a Reservoir", ACM TOMS 11, 1985).
    pub fn add(&mut self, slice: u32, length: f64) {
        self.count += 1;
        self.longest = self.longest.max(length);
        if self.kept.len() < MOST {
            self.kept.push((slice, length));
        } else if let Some(old) = self.kept.get_mut(self.random.below(self.count as usize)) {
            *old = (slice, length);
        }
    }

    /// Those that are kept, in the order of slices.
    pub fn into_kept(mut self) -> Vec<(u32, f64)> {
        self.kept.sort_by_key(|x| x.0);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(n: usize, length: impl Fn(usize) -> f64) -> Vec<(u32, f64)> {
        let mut l = Lengths::default();
        (0..n).for_each(|i| l.add((i / 1000) as u32, length(i)));
        assert_eq!(l.count, n as u64);
        let kept = l.into_kept();
        assert_eq!(kept.len(), n.min(MOST));
        kept
    }

    fn part(kept: &[(u32, f64)], of: impl Fn(&(u32, f64)) -> bool) -> f64 {
        kept.iter().filter(|x| of(x)).count() as f64 / kept.len() as f64
    }

    #[test]
    fn what_is_kept_of_very_many_is_spread_evenly_over_all() {
        // The last fifth is slow: what comes first must not hide it.
        let n = MOST * 5;
        let slow = part(&kept(n, |i| if i >= n / 5 * 4 { 500.0 } else { 10.0 }), |x| x.1 > 100.0);
        assert!((slow - 0.2).abs() < 0.003, "{slow}");
        let mut l = Lengths::default();
        (0..n).for_each(|i| l.add(0, if i == 7 { 900.0 } else { 1.0 }));
        assert_eq!(l.longest, 900.0, "whether it is kept or not");
    }

    #[test]
    fn a_pattern_is_kept_as_it_is() {
        for period in [2, 4, 8] {
            let slow = part(&kept(MOST * 4, |i| (i % period) as f64), |x| x.1 == 0.0);
            assert!((slow - 1.0 / period as f64).abs() < 0.005, "one in {period}: {slow}");
        }
        let few = kept(100, |i| i as f64);
        assert!(few.iter().enumerate().all(|(i, x)| x.1 == i as f64), "all, in their order");
    }
}
