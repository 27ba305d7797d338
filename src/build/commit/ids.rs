//! Which goroutine has which number.

use crate::base::{GoId, GoIdx};
use rustc_hash::FxHashMap;

/// Goroutines of one process by number. Go gives numbers out one after the other, so most are places in a table; any other
/// goes through a hash map. So a file makes the table as long as it has goroutines, times [`PLACES`], and [`FEW`] more at most,
/// however large their numbers are.
#[derive(Default)]
pub(super) struct GoIds {
    dense: Vec<GoIdx>,
    sparse: FxHashMap<GoId, GoIdx>,
    /// How many there are.
    len: usize,
}

/// The most places of the table for each goroutine: Go keeps numbers back for each P, so there are gaps.
const PLACES: usize = 4;
/// The places that the table may have beside those, so that the first goroutines of a process are in it.
const FEW: usize = 1024;

impl GoIds {
    /// The goroutine that has a number.
    pub fn get(&self, id: GoId) -> Option<GoIdx> {
        let dense = usize::try_from(id.0).ok().and_then(|i| self.dense.get(i)).and_then(|g| g.some());
        dense.or_else(|| self.sparse.get(&id).copied())
    }

    /// Says who has a number, which nobody had.
    pub fn insert(&mut self, id: GoId, go: GoIdx) {
        self.len += 1;
        match usize::try_from(id.0) {
            Ok(i) if i < self.len * PLACES + FEW => {
                if i >= self.dense.len() {
                    self.dense.resize(i + 1, GoIdx::NONE);
                }
                self.dense[i] = go;
            }
            _ => _ = self.sparse.insert(id, go),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_and_wild_ones() {
        let mut ids = GoIds::default();
        let wanted: Vec<(GoId, GoIdx)> = (1..3000).chain([1 << 40, u64::MAX]).map(GoId).zip((0..).map(GoIdx)).collect();
        wanted.iter().for_each(|&(id, go)| ids.insert(id, go));
        assert!(wanted.iter().all(|&(id, go)| ids.get(id) == Some(go)));
        assert_eq!([0, 3000, 1 << 41].map(|id| ids.get(GoId(id))), [None; 3]);
        assert!(ids.dense.len() == 3000 && ids.sparse.len() == 2);
    }
}
