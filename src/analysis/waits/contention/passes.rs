//! Which goroutines woke which, to tell what is passed around from what is passed on.

use crate::base::GoIdx;
use rustc_hash::FxHashMap;

/// Most pairs that are kept of a class: whoever has more is no pipeline.
const MOST: usize = 1 << 14;

/// How often one goroutine woke another, senders and others apart.
#[derive(Default)]
pub(super) struct Passes {
    pairs: FxHashMap<(GoIdx, GoIdx, bool), u64>,
    all: [u64; 2],
}

impl Passes {
    pub fn add(&mut self, by: GoIdx, woken: GoIdx, sender: bool) {
        self.all[usize::from(!sender)] += 1;
        if self.pairs.len() < MOST {
            *self.pairs.entry((by, woken, sender)).or_default() += 1;
        } else if let Some(n) = self.pairs.get_mut(&(by, woken, sender)) {
            *n += 1;
        }
    }

    /// Whether the same goroutines woke the same others most of the time, and hardly ever the other way round, be it by way
    /// of others. Goroutines that wait once and go, of which none can wake an earlier one, are no sign.
    pub fn one_way(&self, sender: bool) -> bool {
        let of_side = self.pairs.iter().filter(|(k, _)| k.2 == sender);
        let mut edges: Vec<(GoIdx, GoIdx, u64)> = of_side.map(|(k, n)| (k.0, k.1, *n)).collect();
        let weight = |edges: &[(GoIdx, GoIdx, u64)]| edges.iter().map(|e| e.2).sum::<u64>();
        let again: u64 = edges.iter().map(|e| e.2).filter(|n| *n > 1).sum();
        if again == 0 || again.saturating_mul(2) <= self.all[usize::from(!sender)] {
            return false;
        }
        let all = weight(&edges);
        // What is small beside what else somebody does is chance.
        let mut most: FxHashMap<GoIdx, u64> = FxHashMap::default();
        for &(by, woken, n) in &edges {
            for go in [by, woken] {
                let m = most.entry(go).or_default();
                *m = n.max(*m);
            }
        }
        edges.retain(|&(by, woken, n)| n.saturating_mul(10) >= most[&by].max(most[&woken]));
        // What is left after all beginnings and ends were taken off goes round, or lies between what does.
        loop {
            let mut ends: FxHashMap<GoIdx, (bool, bool)> = FxHashMap::default();
            for &(by, woken, _) in &edges {
                ends.entry(by).or_default().0 = true;
                ends.entry(woken).or_default().1 = true;
            }
            let before = edges.len();
            edges.retain(|e| ends[&e.0].1 && ends[&e.1].0);
            if edges.len() == before {
                break;
            }
        }
        weight(&edges).saturating_mul(10) < all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(pairs: &[(u32, u32, u64)]) -> Passes {
        let mut p = Passes::default();
        for &(by, woken, n) in pairs {
            (0..n).for_each(|_| p.add(GoIdx(by), GoIdx(woken), false));
        }
        p
    }

    #[test]
    fn a_pipeline_goes_one_way_and_a_pool_goes_round() {
        assert!(passes(&[(1, 2, 50), (2, 3, 40), (3, 4, 50)]).one_way(false));
        assert!(passes(&[(1, 3, 50), (1, 4, 40), (2, 3, 50), (2, 4, 9), (3, 2, 2)]).one_way(false));
        assert!(!passes(&[(1, 2, 50), (2, 3, 40), (3, 1, 50)]).one_way(false));
        assert!(!passes(&[(1, 2, 5), (2, 1, 4)]).one_way(false));
        // A ring that has just gone round.
        assert!(!passes(&[(1, 3, 2), (3, 5, 2), (5, 1, 1), (2, 4, 2), (4, 6, 2), (6, 2, 1)]).one_way(false));
        // Requests that take from a pool once each.
        let once: Vec<(u32, u32, u64)> = (0..100).map(|i| (i, i + 1, 1)).collect();
        assert!(!passes(&once).one_way(false));
        assert!(!passes(&[]).one_way(true));
        // Senders are another matter.
        assert!(!passes(&[(1, 2, 50)]).one_way(true));
    }
}
